/*
 * aper.c -- see aper.h. Clause numbers are those of X.691 (07/2002), ALIGNED variant.
 */
#include "wire/s1ap/aper.h"

#define FRAGMENT \
    ((size_t)16384) /* units in one of the up to four blocks of a fragment (10.9.3.8) */

/* Bits that hold a number from 0 to v. */
static inline unsigned bits_of(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

static inline unsigned octets_of(uint64_t v)
{
    return v == 0 ? 1 : (bits_of(v) + 7) / 8;
}

uint64_t aper_read_bits(struct aper_reader *in, unsigned n)
{
    uint64_t v = 0;

    while (n > 0) {
        if (in->left == 0) {
            (void)rd_u8(&in->r);
            in->left = 8;
        }
        if (in->r.bad)
            return 0;
        unsigned take = n < in->left ? n : in->left;
        in->left -= take;
        v = v << take | (in->r.at[-1] >> in->left & ((1u << take) - 1));
        n -= take;
    }
    return v;
}

uint64_t aper_read_number(struct aper_reader *in, uint64_t lower, uint64_t upper)
{
    uint64_t last = upper - lower; /* clause 10.5: "range" - 1, which always fits */
    uint64_t v;

    if (last < 255) { /* 10.5.7.1: a bit-field */
        v = aper_read_bits(in, bits_of(last));
    } else if (last == 255) { /* 10.5.7.2 */
        aper_read_align(in);
        v = rd_u8(&in->r);
    } else if (last < 65536) { /* 10.5.7.3 */
        aper_read_align(in);
        v = rd_u16(&in->r);
    } else { /* 10.5.7.4: a length in front */
        unsigned octets = (unsigned)aper_read_number(in, 1, octets_of(last));
        aper_read_align(in);
        v = rd_uint(&in->r, octets);
    }
    if (v > last)
        rd_fail(&in->r);
    return in->r.bad ? lower : lower + v;
}

/* Length determinant without an upper bound (10.9.3.5 to 10.9.3.8); *more: another one follows what
 * this one counts. */
static size_t read_length(struct reader *r, bool *more)
{
    uint8_t first = rd_u8(r);

    *more = false;
    if (first < 0x80)
        return first;
    if (first < 0xc0)
        return (size_t)(first & 0x3f) << 8 | rd_u8(r);
    size_t blocks = first & 0x3f;
    if (blocks < 1 || blocks > 4)
        rd_fail(r);
    *more = !r->bad;
    return r->bad ? 0 : blocks * FRAGMENT;
}

/* A length that the grammar bounds to one octet or two in practice: fragments are refused. */
static size_t read_short_length(struct aper_reader *in)
{
    bool more;

    aper_read_align(in);
    size_t n = read_length(&in->r, &more);
    if (more)
        rd_fail(&in->r);
    return n;
}

/* Units of 8 bits or 1 bit behind unbounded lengths, put together in the arena when there are
 * several. */
static struct bytes read_counted(struct aper_reader *in, unsigned unit_bits, size_t *units)
{
    bool more;

    aper_read_align(in);
    struct reader scan = in->r;
    size_t total = 0;
    do {
        size_t n = read_length(&scan, &more);
        rd_skip(&scan, (n * unit_bits + 7) / 8);
        total += n;
    } while (more);
    *units = scan.bad ? 0 : total;
    if (scan.bad) {
        rd_fail(&in->r);
        return bytes_of(NULL, 0);
    }
    if (total < FRAGMENT) {
        (void)read_length(&in->r, &more);
        return rd_view(&in->r, (total * unit_bits + 7) / 8);
    }
    struct bytes whole = {arena_alloc(in->arena, (total * unit_bits + 7) / 8), 0};
    if (!whole.at) {
        in->no_memory = true;
        rd_fail(&in->r);
        return bytes_of(NULL, 0);
    }
    do {
        size_t octets = (read_length(&in->r, &more) * unit_bits + 7) / 8;
        rd_bytes(&in->r, (uint8_t *)whole.at + whole.len, octets);
        whole.len += octets;
    } while (more);
    return whole;
}

uint64_t aper_read_small(struct aper_reader *in)
{
    if (!aper_read_bits(in, 1))
        return aper_read_bits(in, 6);
    size_t octets = read_short_length(in); /* 10.6.2, 10.7: semi-constrained */
    if (octets < 1 || octets > 8)
        rd_fail(&in->r);
    return in->r.bad ? 0 : rd_uint(&in->r, octets);
}

bool aper_read_unconstrained(struct aper_reader *in, uint64_t *v)
{
    struct reader octets = rd_sub(&in->r, read_short_length(in));
    bool negative = rd_peek(&octets) & 0x80;

    *v = 0;
    while (rd_left(&octets) > 8 && rd_peek(&octets) == 0)
        rd_skip(&octets, 1);
    if (rd_left(&octets) == 0)
        rd_fail(&in->r);
    if (in->r.bad || negative || rd_left(&octets) > 8)
        return false;
    *v = rd_uint(&octets, rd_left(&octets));
    return true;
}

size_t aper_read_count(struct aper_reader *in, uint64_t lower, uint64_t upper)
{
    size_t count = (size_t)aper_read_number(in, lower, upper);

    /* Every list element of S1AP takes four bits or more: a count beyond what is left is a lie, and
     * must not make us ask for memory. */
    if (count > (rd_left(&in->r) + 1) * 2)
        rd_fail(&in->r);
    return in->r.bad ? 0 : count;
}

/* Strings of fixed size up to 16 bits are not aligned, so they cannot be a view. */
static struct bytes read_unaligned(struct aper_reader *in, unsigned bits)
{
    unsigned octets = (bits + 7) / 8;
    uint8_t *copy = arena_alloc(in->arena, octets > 0 ? octets : 1);
    uint64_t v = aper_read_bits(in, bits) << (octets * 8 - bits);

    if (!copy) {
        in->no_memory = true;
        rd_fail(&in->r);
        return bytes_of(NULL, 0);
    }
    for (unsigned i = octets; i > 0; i--, v >>= 8)
        copy[i - 1] = (uint8_t)v;
    return bytes_of(copy, octets);
}

/* The common part of clauses 15 and 16. */
static struct bytes read_string(struct aper_reader *in, unsigned unit_bits, uint64_t lower,
                                uint64_t upper, bool extensible, size_t *units)
{
    *units = 0;
    if (extensible && aper_read_bits(in, 1))
        return read_counted(in, unit_bits, units);
    if (upper >= 65536) {
        struct bytes b = read_counted(in, unit_bits, units);
        if (*units < lower || *units > upper)
            rd_fail(&in->r);
        return b;
    }
    *units = (size_t)aper_read_number(in, lower, upper);
    if (lower == upper && upper * unit_bits <= 16)
        return read_unaligned(in, (unsigned)upper * unit_bits);
    if (*units > 0)
        aper_read_align(in);
    return rd_view(&in->r, (*units * unit_bits + 7) / 8);
}

struct bytes aper_read_octets(struct aper_reader *in, uint64_t lower, uint64_t upper,
                              bool extensible)
{
    size_t octets;

    return read_string(in, 8, lower, upper, extensible, &octets);
}

struct bytes aper_read_bit_string(struct aper_reader *in, uint64_t lower, uint64_t upper,
                                  bool extensible, size_t *bits)
{
    struct bytes b = read_string(in, 1, lower, upper, extensible, bits);

    if (in->r.bad)
        *bits = 0;
    if (*bits % 8 != 0 && !(lower == upper && upper <= 16))
        in->left = 8 - *bits % 8;
    return b;
}

uint64_t aper_read_fixed_bits(struct aper_reader *in, unsigned n)
{
    if (n > 16)
        aper_read_align(in);
    return aper_read_bits(in, n);
}

uint64_t aper_read_fixed_octets(struct aper_reader *in, unsigned n)
{
    if (n <= 2)
        return aper_read_bits(in, n * 8);
    aper_read_align(in);
    return rd_uint(&in->r, n);
}

struct bytes aper_read_open(struct aper_reader *in)
{
    size_t octets;

    return read_counted(in, 8, &octets);
}

void aper_skip_additions(struct aper_reader *in)
{
    size_t count, present = 0;

    if (!aper_read_bits(in, 1)) /* 10.9.3.4: a normally small length */
        count = (size_t)aper_read_bits(in, 6) + 1;
    else
        count = read_short_length(in);
    if (count > (rd_left(&in->r) + 1) * 8)
        rd_fail(&in->r);
    for (size_t i = 0; i < count && !in->r.bad; i++)
        present += aper_read_bits(in, 1);
    for (size_t i = 0; i < present && !in->r.bad; i++)
        (void)aper_read_open(in);
}

void aper_write_bits(struct aper_writer *out, uint64_t v, unsigned n)
{
    while (n > 0) {
        if (out->used == 0)
            wr_u8(out->w, 0);
        if (out->w->bad)
            return;
        unsigned room = 8 - out->used;
        unsigned put = n < room ? n : room;
        unsigned part = (unsigned)(v >> (n - put)) & ((1u << put) - 1);
        out->w->at[-1] |= (uint8_t)(part << (room - put));
        out->used = (out->used + put) % 8;
        n -= put;
    }
}

void aper_write_number(struct aper_writer *out, uint64_t v, uint64_t lower, uint64_t upper)
{
    uint64_t last = upper - lower;

    if (v < lower || v > upper) {
        aper_refuse(out);
        return;
    }
    v -= lower;
    if (last < 255) {
        aper_write_bits(out, v, bits_of(last));
        return;
    }
    if (last >= 65536)
        aper_write_number(out, octets_of(v), 1, octets_of(last));
    aper_write_align(out);
    wr_uint(out->w, v, last == 255 ? 1 : last < 65536 ? 2 : octets_of(v));
}

static void write_length(struct writer *w, size_t n)
{
    if (n < 128)
        wr_u8(w, (uint8_t)n);
    else
        wr_u16(w, (uint16_t)(0x8000 | n));
}

/* Up to four blocks at a time, then the rest with a plain length, which may be 0 (10.9.3.8). */
static size_t next_fragment(size_t left)
{
    size_t blocks = left / FRAGMENT;

    return (blocks > 4 ? 4 : blocks) * FRAGMENT;
}

static void write_counted(struct aper_writer *out, const uint8_t *at, size_t units,
                          unsigned unit_bits)
{
    aper_write_align(out);
    for (size_t n; (n = next_fragment(units)) > 0; units -= n, at += n * unit_bits / 8) {
        wr_u8(out->w, (uint8_t)(0xc0 | n / FRAGMENT));
        wr_bytes(out->w, at, n * unit_bits / 8);
    }
    write_length(out->w, units);
    wr_bytes(out->w, at, (units * unit_bits + 7) / 8);
}

void aper_write_small(struct aper_writer *out, uint64_t v)
{
    if (v < 64) {
        aper_write_bits(out, v, 7);
        return;
    }
    aper_write_bits(out, 1, 1);
    aper_write_align(out);
    wr_u8(out->w, (uint8_t)octets_of(v));
    wr_uint(out->w, v, octets_of(v));
}

void aper_write_unconstrained(struct aper_writer *out, uint64_t v)
{
    unsigned octets = bits_of(v) / 8 + 1; /* one bit for the sign */

    aper_write_align(out);
    wr_u8(out->w, (uint8_t)octets);
    if (octets == 9)
        wr_u8(out->w, 0);
    wr_uint(out->w, v, octets == 9 ? 8 : octets);
}

static void write_string(struct aper_writer *out, const uint8_t *at, size_t units,
                         unsigned unit_bits, uint64_t lower, uint64_t upper, bool extensible)
{
    bool inside = units >= lower && units <= upper;

    if (!inside && !extensible) {
        aper_refuse(out);
        return;
    }
    if (extensible)
        aper_write_bits(out, !inside, 1);
    if (!inside || upper >= 65536) {
        write_counted(out, at, units, unit_bits);
        return;
    }
    aper_write_number(out, units, lower, upper);
    if (lower == upper && upper * unit_bits <= 16) {
        uint64_t v = units == 0 ? 0 : at[0];
        if (units * unit_bits > 8)
            v = v << 8 | at[1];
        unsigned spare = (unsigned)(-(units * unit_bits) % 8);
        aper_write_bits(out, v >> spare, (unsigned)(units * unit_bits));
        return;
    }
    if (units > 0)
        aper_write_align(out);
    wr_bytes(out->w, at, (units * unit_bits + 7) / 8);
}

void aper_write_octets(struct aper_writer *out, struct bytes b, uint64_t lower, uint64_t upper,
                       bool extensible)
{
    write_string(out, b.at, b.len, 8, lower, upper, extensible);
}

void aper_write_bit_string(struct aper_writer *out, const uint8_t *at, size_t bits, uint64_t lower,
                           uint64_t upper, bool extensible)
{
    write_string(out, at, bits, 1, lower, upper, extensible);
    if (out->w->bad || bits % 8 == 0 || (lower == upper && upper <= 16))
        return;
    out->used =
        bits % 8; /* what follows uses the rest of the last octet, which may hold anything */
    out->w->at[-1] &= (uint8_t)(0xff << (8 - bits % 8));
}

void aper_write_fixed_bits(struct aper_writer *out, uint64_t v, unsigned n)
{
    if (bits_of(v) > n) {
        aper_refuse(out);
        return;
    }
    if (n > 16)
        aper_write_align(out);
    aper_write_bits(out, v, n);
}

void aper_write_fixed_octets(struct aper_writer *out, uint64_t v, unsigned n)
{
    if (bits_of(v) > n * 8) {
        aper_refuse(out);
        return;
    }
    if (n <= 2) {
        aper_write_bits(out, v, n * 8);
        return;
    }
    aper_write_align(out);
    wr_uint(out->w, v, n);
}

size_t aper_write_open(struct aper_writer *out)
{
    aper_write_align(out);
    wr_u8(out->w, 0); /* most encodings are short enough for one octet of length */
    return wr_len(out->w);
}

/* Makes room for the length of an encoding of `n` octets at `opened` that needs more than one
 * octet. */
static void widen(struct writer *w, size_t opened, size_t n)
{
    size_t fragments = n / (4 * FRAGMENT) + (n % (4 * FRAGMENT) >= FRAGMENT);
    size_t rest = n % FRAGMENT;
    size_t extra = fragments + (rest < 128 ? 1 : 2) - 1;

    if (!wr_take(w, extra))
        return;
    uint8_t *from = w->start + opened;
    memmove(from + extra, from, n);
    struct writer again = writer_of(from - 1, n + 1 + extra);
    struct aper_writer out = aper_writer_of(&again);
    for (size_t done = 0, block; (block = next_fragment(n - done)) > 0; done += block) {
        wr_u8(&again, (uint8_t)(0xc0 | block / FRAGMENT));
        memmove(again.at, from + extra + done, block);
        again.at += block;
    }
    write_length(out.w, rest);
    memmove(again.at, from + extra + n - rest, rest);
}

void aper_write_close(struct aper_writer *out, size_t opened)
{
    struct writer *w = out->w;

    aper_write_align(out);
    if (wr_len(w) == opened)
        wr_u8(w, 0); /* 10.1.3: an encoding without a bit is one zero octet */
    if (w->bad)
        return;
    size_t n = wr_len(w) - opened;
    if (n < 128)
        w->start[opened - 1] = (uint8_t)n;
    else
        widen(w, opened, n);
}

void aper_write_open_view(struct aper_writer *out, struct bytes encoding)
{
    if (encoding.len == 0)
        aper_refuse(out);
    else
        write_counted(out, encoding.at, encoding.len, 8);
}
