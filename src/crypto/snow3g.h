/*
 * snow3g.h -- SNOW 3G and its two modes: ETSI/SAGE "Specification of the 3GPP Confidentiality and
 * Integrity Algorithms UEA2 & UIA2", documents 1 and 2 (3GPP TS 35.215, TS 35.216). 128-EEA1 is f8
 * and 128-EIA1 is f9 (TS 33.401 annex B).
 */
#ifndef STROWGER_CRYPTO_SNOW3G_H
#define STROWGER_CRYPTO_SNOW3G_H

#include <stddef.h>
#include <stdint.h>

struct snow3g {
    uint32_t lfsr[16]; /* a ring: s0 is at `at` */
    unsigned at;
    uint32_t r1, r2, r3; /* of the finite state machine */
};

/* `iv` holds IV0..IV3 of the specification; `key` is the 16 octets of CK or IK. */
void snow3g_start(struct snow3g *s, const uint8_t key[16], const uint32_t iv[4]);
uint32_t snow3g_word(struct snow3g *s);

/* UEA2: enciphers or deciphers `bits` bits. */
void snow3g_f8(const uint8_t key[16], uint32_t count, unsigned bearer, unsigned direction,
               const uint8_t *in, uint8_t *out, size_t bits);

/* UIA2: the MAC over `bits` bits. */
uint32_t snow3g_f9(const uint8_t key[16], uint32_t count, uint32_t fresh, unsigned direction,
                   const uint8_t *message, size_t bits);

/* S-boxes S1 and S2 joined with their mixing of columns, for the first octet of a word; the others
 * are rotations. Multiplication with alpha, and with its inverse, for the octet that leaves the
 * word. */
extern const uint32_t snow3g_s1[256], snow3g_s2[256], snow3g_mul_alpha[256], snow3g_div_alpha[256];

#endif
