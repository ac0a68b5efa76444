/*
 * cursor.h -- reading and writing bytes that came from, or go to, somebody else.
 *
 * A reader is a position in a run of bytes it does not own. Every read checks the bound; a read
 * past the end returns zero (or NULL), takes nothing more, and sets `bad` for good. A decoder
 * therefore reads straight through without checks of its own, and its caller asks once, at the end,
 * whether the reader went bad. A writer is the same in the other direction: what does not fit sets
 * `bad` and is dropped, and the caller asks once whether the message is whole.
 *
 * All multi-byte numbers are in network byte order (big endian). Nothing here allocates. Any thread
 * may use a cursor of its own.
 */
#ifndef STROWGER_BASE_CURSOR_H
#define STROWGER_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of bytes owned by somebody else: valid as long as what it points into. */
struct bytes {
    const uint8_t *at;
    size_t len;
};

static inline struct bytes bytes_of(const void *at, size_t len)
{
    return (struct bytes){(const uint8_t *)at, len};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* something was read that is not there, or a decoder refused a value */
};

/* No bytes may be NULL: then there are none, whatever `len` says. A reader's own position never is
 * NULL, as C knows no sums with it. */
static inline struct reader reader_of(const void *at, size_t len)
{
    static const uint8_t nothing[1];

    if (!at)
        return (struct reader){nothing, nothing, false};
    return (struct reader){(const uint8_t *)at, (const uint8_t *)at + len, false};
}

static inline struct reader reader_of_bytes(struct bytes b)
{
    return reader_of(b.at, b.len);
}

/* Bytes still unread; 0 once the reader is bad. */
static inline size_t rd_left(const struct reader *r)
{
    return r->bad ? 0 : (size_t)(r->end - r->at);
}

/* The decoder's own refusal: the value read is not one the specification allows. */
static inline void rd_fail(struct reader *r)
{
    r->bad = true;
}

/* The next n bytes in place, or NULL (and bad) when fewer are left. n == 0 gives a non-NULL pointer
 * only if the reader has one. */
static inline const uint8_t *rd_take(struct reader *r, size_t n)
{
    if (n > rd_left(r) || r->bad) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static inline void rd_skip(struct reader *r, size_t n)
{
    (void)rd_take(r, n);
}

static inline uint8_t rd_u8(struct reader *r)
{
    const uint8_t *p = rd_take(r, 1);
    return p ? p[0] : 0;
}

/* The next byte without taking it; 0 at the end, which is not an error. */
static inline uint8_t rd_peek(const struct reader *r)
{
    return rd_left(r) > 0 ? r->at[0] : 0;
}

static inline uint16_t rd_u16(struct reader *r)
{
    const uint8_t *p = rd_take(r, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t rd_u24(struct reader *r)
{
    const uint8_t *p = rd_take(r, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t rd_u32(struct reader *r)
{
    const uint8_t *p = rd_take(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* n bytes (at most 8) as one big-endian number. */
uint64_t rd_uint(struct reader *r, size_t n);

static inline uint64_t rd_u64(struct reader *r)
{
    uint64_t high = rd_u32(r);
    return high << 32 | rd_u32(r);
}

/* Copies n bytes out; zeroes `to` when they are not there. */
void rd_bytes(struct reader *r, void *to, size_t n);

/* A view of the next n bytes; an empty view (and bad) when they are not there. */
static inline struct bytes rd_view(struct reader *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return p ? bytes_of(p, n) : bytes_of(NULL, 0);
}

/* A view of all that is left. */
static inline struct bytes rd_rest(struct reader *r)
{
    return rd_view(r, rd_left(r));
}

/* A reader over the next n bytes, which this reader skips. Bad from birth when they are not there.
 * What goes wrong inside does not reach the outer reader by itself: see rd_join(). */
struct reader rd_sub(struct reader *r, size_t n);

/* Makes the outer reader bad if the inner one is. */
static inline void rd_join(struct reader *outer, const struct reader *inner)
{
    outer->bad |= inner->bad;
}

struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool bad; /* something did not fit, or an encoder refused a value */
};

static inline struct writer writer_of(void *at, size_t size)
{
    return (struct writer){(uint8_t *)at, (uint8_t *)at, (uint8_t *)at + size, false};
}

/* Bytes written so far. */
static inline size_t wr_len(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

static inline size_t wr_room(const struct writer *w)
{
    return w->bad ? 0 : (size_t)(w->end - w->at);
}

static inline struct bytes wr_view(const struct writer *w)
{
    return bytes_of(w->start, wr_len(w));
}

static inline void wr_fail(struct writer *w)
{
    w->bad = true;
}

/* Room for n bytes, to be filled by the caller; NULL (and bad) when there is not that much. */
static inline uint8_t *wr_take(struct writer *w, size_t n)
{
    if (n > wr_room(w) || w->bad) {
        w->bad = true;
        return NULL;
    }
    uint8_t *p = w->at;
    w->at += n;
    return p;
}

static inline void wr_u8(struct writer *w, uint8_t v)
{
    uint8_t *p = wr_take(w, 1);
    if (p)
        p[0] = v;
}

/* The low n bytes (at most 8) of v, big endian. */
void wr_uint(struct writer *w, uint64_t v, size_t n);

static inline void wr_u16(struct writer *w, uint16_t v)
{
    uint8_t *p = wr_take(w, 2);
    if (p) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
    }
}

static inline void wr_u24(struct writer *w, uint32_t v)
{
    wr_uint(w, v, 3);
}

static inline void wr_u32(struct writer *w, uint32_t v)
{
    uint8_t *p = wr_take(w, 4);
    if (p) {
        p[0] = (uint8_t)(v >> 24);
        p[1] = (uint8_t)(v >> 16);
        p[2] = (uint8_t)(v >> 8);
        p[3] = (uint8_t)v;
    }
}

static inline void wr_u64(struct writer *w, uint64_t v)
{
    wr_uint(w, v, 8);
}

void wr_bytes(struct writer *w, const void *from, size_t n);

static inline void wr_view_of(struct writer *w, struct bytes b)
{
    wr_bytes(w, b.at, b.len);
}

void wr_zero(struct writer *w, size_t n);

/* Overwrites a number written earlier, `offset` bytes from the start: the way lengths are filled
 * in. An offset that was never written makes the writer bad. */
void wr_patch_u8(struct writer *w, size_t offset, uint8_t v);
void wr_patch_u16(struct writer *w, size_t offset, uint16_t v);
void wr_patch_u24(struct writer *w, size_t offset, uint32_t v);
void wr_patch_u32(struct writer *w, size_t offset, uint32_t v);

#endif
