/*
 * text.c -- see text.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct text text_in(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){.at = buffer, .size = size};
}

void text_vadd(struct text *t, const char *format, va_list args)
{
    size_t room = t->size - t->len;
    int n = vsnprintf(t->at + t->len, room, format, args);

    if (n < 0)
        return;
    if ((size_t)n >= room) {
        t->len = t->size - 1;
        t->cut = true;
        return;
    }
    t->len += (size_t)n;
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_vadd(t, format, args);
    va_end(args);
}

static void add_char(struct text *t, char c)
{
    if (t->len + 1 >= t->size) {
        t->cut = true;
        return;
    }
    t->at[t->len++] = c;
    t->at[t->len] = '\0';
}

static const char hex_digits[] = "0123456789abcdef";

void text_hex(struct text *t, struct bytes b)
{
    for (size_t i = 0; i < b.len && !t->cut; i++) {
        add_char(t, hex_digits[b.at[i] >> 4]);
        add_char(t, hex_digits[b.at[i] & 15]);
    }
}

void text_escaped(struct text *t, struct bytes b)
{
    for (size_t i = 0; i < b.len && !t->cut; i++) {
        uint8_t c = b.at[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            add_char(t, (char)c);
        } else {
            add_char(t, '\\');
            add_char(t, 'x');
            add_char(t, hex_digits[c >> 4]);
            add_char(t, hex_digits[c & 15]);
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_parse(const char *digits, void *out, size_t size)
{
    uint8_t *to = out;
    size_t n = 0;

    for (const char *p = digits; *p;) {
        if (isspace((unsigned char)*p) || *p == ':') {
            p++;
            continue;
        }
        int high = hex_value(p[0]);
        int low = high < 0 ? -1 : hex_value(p[1]);
        if (low < 0)
            return -EINVAL;
        if (n == size)
            return -ENOSPC;
        to[n++] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    return (int)n;
}

unsigned word_distance(const char *a, const char *b)
{
    unsigned row[WORD_DISTANCE_LONGEST + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > WORD_DISTANCE_LONGEST || lb > WORD_DISTANCE_LONGEST)
        return WORD_DISTANCE_FAR;
    for (unsigned j = 0; j <= lb; j++)
        row[j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[lb];
}
