/*
 * zuc.h -- ZUC and its two modes: ETSI/SAGE "Specification of the 3GPP Confidentiality and
 * Integrity Algorithms 128-EEA3 & 128-EIA3", documents 1 and 2 (3GPP TS 35.221, TS 35.222).
 */
#ifndef STROWGER_CRYPTO_ZUC_H
#define STROWGER_CRYPTO_ZUC_H

#include <stddef.h>
#include <stdint.h>

struct zuc {
    uint32_t lfsr[16]; /* numbers modulo 2^31 - 1, as a ring: s0 is at `at` */
    unsigned at;
    uint32_t r1, r2;
};

void zuc_start(struct zuc *z, const uint8_t key[16], const uint8_t iv[16]);
uint32_t zuc_word(struct zuc *z);

/* 128-EEA3: enciphers or deciphers `bits` bits. */
void zuc_eea3(const uint8_t key[16], uint32_t count, unsigned bearer, unsigned direction,
              const uint8_t *in, uint8_t *out, size_t bits);

/* 128-EIA3: the MAC over `bits` bits. */
uint32_t zuc_eia3(const uint8_t key[16], uint32_t count, unsigned bearer, unsigned direction,
                  const uint8_t *message, size_t bits);

#endif
