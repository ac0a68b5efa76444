/*
 * text.h -- building a piece of text in a buffer of fixed size.
 *
 * Used wherever something is printed for a person: decoded messages, state, log lines. What does
 * not fit is cut and `cut` says so; the text is always terminated. Any thread may use a text of its
 * own.
 */
#ifndef STROWGER_BASE_TEXT_H
#define STROWGER_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"

struct text {
    char *at;    /* the buffer; always terminated */
    size_t len;  /* characters in it, without the terminator */
    size_t size; /* of the buffer, at least 1 */
    bool cut;    /* something did not fit */
};

/* An empty text in the caller's buffer of `size` >= 1 bytes. */
struct text text_in(char *buffer, size_t size);

__attribute__((format(printf, 2, 3))) void text_add(struct text *t, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_vadd(struct text *t, const char *format, va_list);

/* The bytes as lower-case hexadecimal digits. */
void text_hex(struct text *t, struct bytes b);

/* Bytes as characters; what is not printable ASCII is written as \xNN. */
void text_escaped(struct text *t, struct bytes b);

/* Parses an even number of hexadecimal digits (blanks and colons between bytes are allowed) into
 * `out`; returns the number of bytes or -EINVAL / -ENOSPC. */
int hex_parse(const char *digits, void *out, size_t size);

#define WORD_DISTANCE_LONGEST 40
#define WORD_DISTANCE_FAR     100

/* How many letters must be changed, added or taken to get from one word to the other (Levenshtein),
 * for "did you mean". A word longer than WORD_DISTANCE_LONGEST is WORD_DISTANCE_FAR from all. */
unsigned word_distance(const char *a, const char *b);

#endif
