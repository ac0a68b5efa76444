/*
 * cursor.c -- the parts of the cursor that are too long to be inline; cursor.h tells the whole
 * idea.
 */
#include "base/cursor.h"

uint64_t rd_uint(struct reader *r, size_t n)
{
    const uint8_t *p = n <= 8 ? rd_take(r, n) : NULL;
    uint64_t v = 0;

    if (!p) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

void rd_bytes(struct reader *r, void *to, size_t n)
{
    const uint8_t *p = rd_take(r, n);

    if (n == 0)
        return;
    if (p)
        memcpy(to, p, n);
    else
        memset(to, 0, n);
}

struct reader rd_sub(struct reader *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);

    if (!p)
        return (struct reader){.bad = true};
    return reader_of(p, n);
}

void wr_uint(struct writer *w, uint64_t v, size_t n)
{
    uint8_t *p = n <= 8 ? wr_take(w, n) : NULL;

    if (!p) {
        w->bad = true;
        return;
    }
    for (size_t i = n; i > 0; i--) {
        p[i - 1] = (uint8_t)v;
        v >>= 8;
    }
}

void wr_bytes(struct writer *w, const void *from, size_t n)
{
    uint8_t *p = wr_take(w, n);

    if (p && n > 0)
        memcpy(p, from, n);
}

void wr_zero(struct writer *w, size_t n)
{
    uint8_t *p = wr_take(w, n);

    if (p && n > 0)
        memset(p, 0, n);
}

static void patch(struct writer *w, size_t offset, uint32_t v, size_t n)
{
    size_t written = wr_len(w);

    if (offset > written || n > written - offset) {
        w->bad = true;
        return;
    }
    struct writer there = writer_of(w->start + offset, n);
    wr_uint(&there, v, n);
}

void wr_patch_u8(struct writer *w, size_t offset, uint8_t v)
{
    patch(w, offset, v, 1);
}

void wr_patch_u16(struct writer *w, size_t offset, uint16_t v)
{
    patch(w, offset, v, 2);
}

void wr_patch_u24(struct writer *w, size_t offset, uint32_t v)
{
    patch(w, offset, v, 3);
}

void wr_patch_u32(struct writer *w, size_t offset, uint32_t v)
{
    patch(w, offset, v, 4);
}
