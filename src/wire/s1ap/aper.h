/*
 * aper.h -- the bits of ALIGNED PER, basic, as X.691 defines them: whole numbers, lengths, strings,
 * open types.
 *
 * PER writes nothing that both ends know already. A number between 0 and 7 takes three bits; a
 * string whose length is fixed has no length in front; what may be absent has one bit in a bitmap
 * that opens the sequence. The ALIGNED variant starts everything longer than two octets at an octet
 * boundary, counted from the start of the message. That is why strings and open types can be views
 * into the message, and why an open type (a length and a complete encoding) can be copied as a
 * whole.
 *
 * Reader and writer are those of base/cursor.h plus the bits of the last octet that are still to be
 * read or already written; the sticky `bad` works the same way. Both begin at the start of a
 * complete encoding. Integers here are unsigned: no S1AP type goes below zero.
 */
#ifndef STROWGER_WIRE_S1AP_APER_H
#define STROWGER_WIRE_S1AP_APER_H

#include "base/arena.h"
#include "base/cursor.h"

#define APER_UNBOUNDED UINT64_MAX /* an upper bound that is not there */

struct aper_reader {
    struct reader r;     /* the octets not begun yet */
    unsigned left;       /* low bits of r.at[-1] still to be read, 0..7 */
    struct arena *arena; /* for strings that PER cut into fragments */
    bool no_memory;      /* the arena was exhausted; `bad` is set as well */
};

static inline struct aper_reader aper_reader_of(struct bytes b, struct arena *arena)
{
    return (struct aper_reader){.r = reader_of_bytes(b), .arena = arena};
}

/* The next n bits (at most 64), first bit most significant. */
uint64_t aper_read_bits(struct aper_reader *in, unsigned n);

static inline void aper_read_align(struct aper_reader *in)
{
    in->left = 0;
}

/* Constrained whole number (clause 10.5). Bad when it is above `upper`. */
uint64_t aper_read_number(struct aper_reader *in, uint64_t lower, uint64_t upper);

/* Normally small non-negative whole number (clause 10.6). */
uint64_t aper_read_small(struct aper_reader *in);

/* Unconstrained whole number (clause 10.8), where an extension of a constraint leads to. False when
 * it is read, but is negative or too long for *v. */
bool aper_read_unconstrained(struct aper_reader *in, uint64_t *v);

/* Length of a list with SIZE(lower..upper) (clause 19, 10.9), upper < 65536. */
size_t aper_read_count(struct aper_reader *in, uint64_t lower, uint64_t upper);

/* OCTET STRING (clause 16) and BIT STRING (clause 15) with SIZE(lower..upper) or, if `extensible`,
 * SIZE(lower..upper, ...). A view, into the arena when the string is fragmented or unaligned. */
struct bytes aper_read_octets(struct aper_reader *in, uint64_t lower, uint64_t upper,
                              bool extensible);
struct bytes aper_read_bit_string(struct aper_reader *in, uint64_t lower, uint64_t upper,
                                  bool extensible, size_t *bits);

/* BIT STRING of fixed size n <= 64 as a number; OCTET STRING of fixed size n <= 8 as a number. */
uint64_t aper_read_fixed_bits(struct aper_reader *in, unsigned n);
uint64_t aper_read_fixed_octets(struct aper_reader *in, unsigned n);

/* The complete encoding inside an open type (clause 10.2). */
struct bytes aper_read_open(struct aper_reader *in);

/* Passes over the extension additions that end an extended SEQUENCE (clause 18.7 to 18.9). */
void aper_skip_additions(struct aper_reader *in);

struct aper_writer {
    struct writer *w;
    unsigned used; /* high bits of w->at[-1] already written, 0..7; 0: aligned */
    bool refused;  /* a value was outside what its type allows; the writer is bad as well */
};

static inline struct aper_writer aper_writer_of(struct writer *w)
{
    return (struct aper_writer){.w = w};
}

/* The low n bits of v (n at most 64). */
void aper_write_bits(struct aper_writer *out, uint64_t v, unsigned n);

static inline void aper_write_align(struct aper_writer *out)
{
    out->used = 0;
}

/* The encoder's own refusal. */
static inline void aper_refuse(struct aper_writer *out)
{
    out->refused = true;
    wr_fail(out->w);
}

/* Values outside the bounds are refused. */
void aper_write_number(struct aper_writer *out, uint64_t v, uint64_t lower, uint64_t upper);
void aper_write_small(struct aper_writer *out, uint64_t v);
void aper_write_unconstrained(struct aper_writer *out, uint64_t v);
void aper_write_octets(struct aper_writer *out, struct bytes b, uint64_t lower, uint64_t upper,
                       bool extensible);
void aper_write_bit_string(struct aper_writer *out, const uint8_t *at, size_t bits, uint64_t lower,
                           uint64_t upper, bool extensible);
void aper_write_fixed_bits(struct aper_writer *out, uint64_t v, unsigned n);
void aper_write_fixed_octets(struct aper_writer *out, uint64_t v, unsigned n);

/* Between these two lies the complete encoding of an open type; `open` gives what `close` is given.
 */
size_t aper_write_open(struct aper_writer *out);
void aper_write_close(struct aper_writer *out, size_t opened);

/* An open type whose encoding is there already. */
void aper_write_open_view(struct aper_writer *out, struct bytes encoding);

#endif
