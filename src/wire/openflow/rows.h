/*
 * rows.h -- how rows are written, for the files that have them: messages.c and extensions.c.
 */
#ifndef STROWGER_WIRE_OPENFLOW_ROWS_H
#define STROWGER_WIRE_OPENFLOW_ROWS_H

#include "wire/openflow/layout.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LAYOUT(rows_, T, ...)                                                         \
    {                                                                                 \
        .rows = (rows_), .count = COUNT(rows_), .size = sizeof(struct T), __VA_ARGS__ \
    }

#define NUMBER(T, m, bytes, ...)                                                        \
    {                                                                                   \
        .name = #m, .kind = ROW_UINT, .wire = (bytes), .offset = offsetof(struct T, m), \
        .size = sizeof(((struct T *)0)->m), __VA_ARGS__                                 \
    }
#define PAD(bytes)                       \
    {                                    \
        .kind = ROW_PAD, .wire = (bytes) \
    }
#define PART(T, m, kind_, ...)                                                    \
    {                                                                             \
        .name = #m, .kind = (kind_), .offset = offsetof(struct T, m), __VA_ARGS__ \
    }
#define STRING(T, m)                                                        \
    {                                                                       \
        .name = #m, .kind = ROW_TEXT, .wire = sizeof(((struct T *)0)->m),   \
        .offset = offsetof(struct T, m), .size = sizeof(((struct T *)0)->m) \
    }
#define LENGTH                        \
    {                                 \
        .kind = ROW_LENGTH, .wire = 2 \
    }
#define HEX           .print = PRINT_HEX
#define PORT_NUMBER   .print = PRINT_PORT
#define UNLESS(value) .hides = true, .usual = (value)
#define NAMED(...)                 \
    .names = (const char *const[]) \
    {                              \
        __VA_ARGS__, NULL          \
    }
#define SPECIAL(T, special_)                                     \
    {                                                            \
        .kind = ROW_SPECIAL, .offset = 0, .special = &(special_) \
    }

#endif
