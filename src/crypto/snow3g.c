/*
 * snow3g.c -- see snow3g.h.
 *
 * The cipher: a linear feedback shift register of sixteen words over GF(2^32), and a finite state
 * machine of three words. The register does not move in memory; its beginning does.
 *
 * f9 evaluates the message as a polynomial over GF(2^64) at a point that the key stream gives.
 * Multiplying by that point is done four bits at a time with a table of its sixteen small
 * multiples, built once per message.
 */
#include "base/cursor.h"
#include "crypto/snow3g.h"

static inline uint32_t rotate_right(uint32_t v, unsigned n)
{
    return n == 0 ? v : v >> n | v << (32 - n);
}

/* Document 2 clauses 3.3.1 and 3.3.2. */
static inline uint32_t substitute(const uint32_t table[256], uint32_t w)
{
    return table[w >> 24] ^ rotate_right(table[w >> 16 & 0xff], 8) ^
           rotate_right(table[w >> 8 & 0xff], 16) ^ rotate_right(table[w & 0xff], 24);
}

#define S(n) s->lfsr[(s->at + (n)) & 15]

/* Clause 3.4.2 and 3.4.3: `mix` is the output of the state machine during initialisation, else 0.
 */
static inline void clock_lfsr(struct snow3g *s, uint32_t mix)
{
    uint32_t s0 = S(0), s11 = S(11);

    S(0) =
        s0 << 8 ^ snow3g_mul_alpha[s0 >> 24] ^ S(2) ^ s11 >> 8 ^ snow3g_div_alpha[s11 & 0xff] ^ mix;
    s->at = (s->at + 1) & 15;
}

/* Clause 3.4.4. */
static inline uint32_t clock_fsm(struct snow3g *s)
{
    uint32_t f = (S(15) + s->r1) ^ s->r2;
    uint32_t r = s->r2 + (s->r3 ^ S(5));

    s->r3 = substitute(snow3g_s2, s->r2);
    s->r2 = substitute(snow3g_s1, s->r1);
    s->r1 = r;
    return f;
}

/* Clause 4.1, and the first step of clause 4.2. */
void snow3g_start(struct snow3g *s, const uint8_t key[16], const uint32_t iv[4])
{
    struct reader r = reader_of(key, 16);
    uint32_t k[4];

    for (int i = 3; i >= 0; i--)
        k[i] = rd_u32(&r);
    for (unsigned i = 0; i < 4; i++) {
        s->lfsr[i] = s->lfsr[i + 8] = ~k[i];
        s->lfsr[i + 4] = s->lfsr[i + 12] = k[i];
    }
    s->lfsr[9] ^= iv[3];
    s->lfsr[10] ^= iv[2];
    s->lfsr[12] ^= iv[1];
    s->lfsr[15] ^= iv[0];
    s->at = 0;
    s->r1 = s->r2 = s->r3 = 0;
    for (unsigned i = 0; i < 32; i++)
        clock_lfsr(s, clock_fsm(s));
    clock_fsm(s);
    clock_lfsr(s, 0);
}

uint32_t snow3g_word(struct snow3g *s)
{
    uint32_t z = clock_fsm(s) ^ S(0);

    clock_lfsr(s, 0);
    return z;
}

/* Document 1 clause 3. */
void snow3g_f8(const uint8_t key[16], uint32_t count, unsigned bearer, unsigned direction,
               const uint8_t *in, uint8_t *out, size_t bits)
{
    uint32_t second = (uint32_t)bearer << 27 | (uint32_t)(direction & 1) << 26;
    size_t octets = (bits + 7) / 8;
    struct snow3g s;

    snow3g_start(&s, key, (const uint32_t[4]){second, count, second, count});
    for (size_t i = 0; i < octets; i += 4) {
        uint32_t z = snow3g_word(&s);
        for (size_t n = i; n < i + 4 && n < octets; n++, z <<= 8)
            out[n] = (uint8_t)(in[n] ^ z >> 24);
    }
    if (bits % 8)
        out[octets - 1] &= (uint8_t)(0xff << (8 - bits % 8));
}

/* The sixteen products of a point with 0..15, in GF(2^64) with x^64 = x^4 + x^3 + x + 1. */
struct multiples {
    uint64_t of[16];
};

static void multiples_make(struct multiples *m, uint64_t point)
{
    m->of[0] = 0;
    m->of[1] = point;
    for (unsigned i = 2; i < 16; i += 2) {
        uint64_t half = m->of[i / 2];
        m->of[i] = half << 1 ^ (half >> 63 ? 0x1b : 0);
        m->of[i + 1] = m->of[i] ^ point;
    }
}

/* What x^64 times the four bits shifted out comes to. */
static const uint16_t REDUCE[16] = {0x000, 0x01b, 0x036, 0x02d, 0x06c, 0x077, 0x05a, 0x041,
                                    0x0d8, 0x0c3, 0x0ee, 0x0f5, 0x0b4, 0x0af, 0x082, 0x099};

static uint64_t multiply(uint64_t v, const struct multiples *m)
{
    uint64_t product = 0;

    for (int shift = 60; shift >= 0; shift -= 4)
        product = product << 4 ^ REDUCE[product >> 60] ^ m->of[v >> shift & 15];
    return product;
}

/* The `bits` bits (at most 64) at `message` as a block, filled with zero bits. */
static uint64_t block(const uint8_t *message, size_t bits)
{
    size_t octets = (bits + 7) / 8;
    uint64_t v = 0;

    for (size_t i = 0; i < 8; i++)
        v = v << 8 | (i < octets ? message[i] : 0);
    return bits < 64 ? v & ~(~UINT64_C(0) >> bits) : v;
}

/* Document 1 clause 4. */
uint32_t snow3g_f9(const uint8_t key[16], uint32_t count, uint32_t fresh, unsigned direction,
                   const uint8_t *message, size_t bits)
{
    uint32_t turned = (uint32_t)(direction & 1) << 31, z[5];
    struct multiples m;
    struct snow3g s;
    uint64_t eval = 0;
    size_t at = 0;

    snow3g_start(&s, key, (const uint32_t[4]){fresh ^ turned >> 16, count ^ turned, fresh, count});
    for (unsigned i = 0; i < 5; i++)
        z[i] = snow3g_word(&s);
    multiples_make(&m, (uint64_t)z[0] << 32 | z[1]);
    for (; at < bits; at += 64)
        eval = multiply(eval ^ block(message + at / 8, bits - at < 64 ? bits - at : 64), &m);
    multiples_make(&m, (uint64_t)z[2] << 32 | z[3]);
    eval = multiply(eval ^ bits, &m);
    return (uint32_t)(eval >> 32) ^ z[4];
}
