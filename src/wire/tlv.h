/*
 * tlv.h -- messages as tables, for every protocol whose message is a row of tagged values.
 *
 * GTPv2-C, PFCP and Diameter differ in how the tag and length in front of a value look and in what
 * the specification wants done about a value that is missing, unknown or broken. All the rest is
 * the same, and stands here once: a message is a C struct and a table (struct wire_group) with one
 * row (struct wire_ie) per information element, which says where in the struct the value lies and
 * of which type (struct wire_type) it is. The same row decodes, encodes and prints, so a fuzzer
 * that walks the tables reaches every field.
 *
 * In the message struct a mandatory value lies inline; an optional or conditional one is a pointer,
 * NULL when absent, into the arena of the dispatch (when decoded) or to the caller's value (when
 * built); a repeated one is a LIST_OF().  So `if (request->imsi)` asks for presence, and a request
 * is built with compound literals, e.g. `.recovery = &(uint8_t){restart_counter}`.
 *
 * No I/O, no memory but the given arena, no state: any thread.
 */
#ifndef STROWGER_WIRE_TLV_H
#define STROWGER_WIRE_TLV_H

#include "base/arena.h"
#include "base/cursor.h"
#include "base/text.h"

/* A repeated value: `count` values that lie one behind the other. */
#define LIST_OF(type) \
    struct {          \
        type *at;     \
        size_t count; \
    }

enum wire_presence {
    WIRE_MANDATORY,      /* inline; its absence is a fault */
    WIRE_OPTIONAL,       /* pointer; NULL when absent */
    WIRE_LIST,           /* LIST_OF(); may be empty */
    WIRE_LIST_MANDATORY, /* LIST_OF(); at least one */
};

enum wire_fault_kind {
    WIRE_FAULT_NONE,
    WIRE_FAULT_MISSING,   /* a mandatory element is not there */
    WIRE_FAULT_VALUE,     /* an element's value is too short or not allowed */
    WIRE_FAULT_LENGTH,    /* an element's own length runs past the end of what contains it */
    WIRE_FAULT_UNKNOWN,   /* an element that must be understood is not (Diameter's M bit) */
    WIRE_FAULT_TOO_MANY,  /* an element is there more often than allowed */
    WIRE_FAULT_NO_MEMORY, /* the arena's limit was reached */
};

/* What was wrong first: enough to fill the specification's answer (Cause with offending IE,
 * Failed-AVP). */
struct wire_fault {
    enum wire_fault_kind kind;
    uint32_t id;
    uint32_t vendor;
    uint8_t instance;
    /* the offending element as received, tag and all; empty when it is missing */
    struct bytes whole;
};

struct wire_context {
    struct arena *arena;
    struct wire_fault fault;
    unsigned depth; /* of grouped elements, bounded */
    /* Unknown elements that must be understood, and elements past their number, are ignored rather
     * than faults: for answers, whose sender cannot be told. */
    bool lenient;
};

struct wire_group;

/* How one kind of value is read, written and printed. `decode` reads exactly one value from a
 * reader that is bounded by the element's length; it may leave bytes unread (later releases append
 * fields). It sets the reader bad for values that are not allowed. Views it stores point into the
 * received message. */
struct wire_type {
    const char *name;
    size_t size; /* of the C value */
    void (*decode)(const struct wire_type *type, struct reader *r, void *value,
                   struct wire_context *context);
    void (*encode)(const struct wire_type *type, struct writer *w, const void *value);
    void (*print)(const struct wire_type *type, struct text *t, const void *value);
    const struct wire_group *group; /* of a grouped type: its rows */
    const void *more;               /* what else the three functions need to know */
};

struct wire_ie {
    const char *name;
    uint32_t id;
    uint32_t vendor; /* 0: none */
    uint8_t instance;
    uint8_t flags; /* the protocol's own (Diameter: the AVP flags to send) */
    enum wire_presence presence;
    uint16_t offset; /* of the value, pointer or list in the message struct */
    uint16_t max;    /* of a list: how many at most */
    const struct wire_type *type;
};

struct wire_group {
    const char *name;
    const struct wire_ie *rows;
    size_t count;
    size_t size; /* of the C struct */
    const struct tlv_format *format;
};

/* One element as it lies in a message. */
struct tlv {
    uint32_t id;
    uint32_t vendor;
    uint8_t instance;
    uint8_t flags;
    struct bytes value;
    struct bytes whole;
};

/* What the protocols do differently. */
struct tlv_format {
    /* Takes the next element; false when the header or the length it tells is broken. */
    bool (*take)(struct reader *r, struct tlv *element);
    /* Writes the header and returns the offset by which `close` fills in length and padding. */
    size_t (*open)(struct writer *w, const struct wire_ie *row);
    void (*close)(struct writer *w, size_t opened);
    /* True for an unknown element that must not be ignored; NULL when all may be. */
    bool (*must_understand)(const struct tlv *element);
    /* An optional element with a broken value is left out rather than a fault (GTPv2-C, PFCP). */
    bool optional_may_be_broken;
    /* More elements than allowed are a fault (Diameter) rather than ignored (GTPv2-C, PFCP). */
    bool counts_are_strict;
};

/* Decodes elements up to the reader's end into `message` (of group->size bytes, zeroed by this
 * call). Returns 0, or -EBADMSG / -ENOMEM with context->fault telling the first fault. All that can
 * be decoded is, also on a fault, so that an answer can quote what the request said. */
int tlv_decode(const struct wire_group *group, struct reader *r, void *message,
               struct wire_context *context);

/* Writes all elements that are present, in the table's order. What does not fit makes the writer
 * bad. */
void tlv_encode(const struct wire_group *group, struct writer *w, const void *message);

/* Prints `name=value name={...}` for all elements that are present. */
void tlv_print(const struct wire_group *group, struct text *t, const void *message);

/* Types common to the protocols. Numbers are host-order C integers in the struct. */
extern const struct wire_type wire_u8, wire_u16, wire_u24, wire_u32, wire_u64;
extern const struct wire_type wire_bytes; /* struct bytes: the whole value, a view */
extern const struct wire_type wire_ascii; /* struct bytes printed as text */
extern const struct wire_type wire_ipv4;  /* struct in_addr */
extern const struct wire_type wire_ipv6;  /* struct in6_addr */
extern const struct wire_type wire_flag;  /* no value: a bool, true when the element is there */

/* The three functions of a grouped type; its `group` names the rows and its size is group->size. */
void wire_group_decode(const struct wire_type *type, struct reader *r, void *value,
                       struct wire_context *context);
void wire_group_encode(const struct wire_type *type, struct writer *w, const void *value);
void wire_group_print(const struct wire_type *type, struct text *t, const void *value);

#define WIRE_GROUP_TYPE(struct_name, group_of)                                                 \
    {                                                                                          \
        .name = #struct_name, .size = sizeof(struct struct_name), .decode = wire_group_decode, \
        .encode = wire_group_encode, .print = wire_group_print, .group = (group_of)            \
    }

#endif
