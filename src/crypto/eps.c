/*
 * eps.c -- the EPS encryption and integrity algorithms by number: TS 33.401 annex B.
 *
 * Number 2 is made here: 128-EEA2 is AES in counter mode (clause B.1.3), 128-EIA2 is AES-CMAC
 * (clause B.2.3, NIST SP 800-38B, RFC 4493). Both are built from single AES blocks, as that costs
 * one key set-up each and no second context.
 */
#include <errno.h>

#include "crypto/crypto.h"
#include "crypto/engine.h"
#include "crypto/snow3g.h"
#include "crypto/zuc.h"

#define CTR_BLOCKS 16 /* key stream made in one go: more than most NAS messages need */

/* COUNT, BEARER, DIRECTION and zeros: the first 64 bits of both AES modes (clauses B.1.3, B.2.3).
 */
static void put_inputs(uint8_t to[8], const struct eps_key_stream *s)
{
    struct writer w = writer_of(to, 8);

    wr_u32(&w, s->count);
    wr_u8(&w, (uint8_t)((s->bearer & 31) << 3 | (s->direction & 1) << 2));
    wr_zero(&w, 3);
}

static int eea2(const struct eps_key_stream *s, const uint8_t *in, uint8_t *out, size_t bits)
{
    uint8_t blocks[CTR_BLOCKS * AES_BLOCK_SIZE] = {0};
    size_t octets = (bits + 7) / 8;
    uint64_t counter = 0;
    struct aes aes;
    int err = aes_start(&aes, s->key);

    if (err)
        return err;
    while (octets > 0) {
        size_t part = octets < sizeof(blocks) ? octets : sizeof(blocks);
        size_t count = (part + AES_BLOCK_SIZE - 1) / AES_BLOCK_SIZE;
        for (size_t i = 0; i < count; i++) {
            struct writer w = writer_of(blocks + i * AES_BLOCK_SIZE + 8, 8);
            put_inputs(blocks + i * AES_BLOCK_SIZE, s);
            wr_u64(&w, counter++);
        }
        aes_blocks(&aes, blocks, blocks, count);
        for (size_t i = 0; i < part; i++)
            out[i] = in[i] ^ blocks[i];
        in += part;
        out += part;
        octets -= part;
    }
    if (bits % 8)
        out[-1] &= (uint8_t)(0xff << (8 - bits % 8));
    return aes_end(&aes);
}

/* A subkey from L, or the second from the first: times x in GF(2^128) (RFC 4493 clause 2.3). */
static void double_block(uint8_t block[16])
{
    uint8_t carry = block[0] >> 7;

    for (unsigned i = 0; i < 15; i++)
        block[i] = (uint8_t)(block[i] << 1 | block[i + 1] >> 7);
    block[15] = (uint8_t)(block[15] << 1 ^ (carry ? 0x87 : 0));
}

/* A CBC-MAC in the making. */
struct cmac {
    struct aes aes;
    uint8_t chain[16];
    size_t used; /* octets of the block in the making */
};

/* A full block is enciphered only when more follows, as the last block is treated otherwise. */
static void cmac_add(struct cmac *c, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (c->used == AES_BLOCK_SIZE) {
            aes_blocks(&c->aes, c->chain, c->chain, 1);
            c->used = 0;
        }
        c->chain[c->used++] ^= data[i];
    }
}

static int eia2(const struct eps_key_stream *s, const uint8_t *message, size_t bits, uint8_t mac[4])
{
    uint8_t inputs[8], subkey[16] = {0}, last;
    struct cmac c = {0};
    int err = aes_start(&c.aes, s->key);

    if (err)
        return err;
    aes_blocks(&c.aes, subkey, subkey, 1);
    double_block(subkey);
    put_inputs(inputs, s);
    cmac_add(&c, inputs, sizeof(inputs));
    cmac_add(&c, message, bits / 8);
    if (bits % 8) { /* the odd bits, and the one bit that begins the padding */
        last = (uint8_t)((message[bits / 8] | 0x80 >> bits % 8) & 0xff << (7 - bits % 8));
        cmac_add(&c, &last, 1);
        double_block(subkey);
    } else if (c.used < AES_BLOCK_SIZE) {
        last = 0x80;
        cmac_add(&c, &last, 1);
        double_block(subkey);
    }
    for (size_t i = 0; i < AES_BLOCK_SIZE; i++)
        c.chain[i] ^= subkey[i];
    aes_blocks(&c.aes, c.chain, c.chain, 1);
    memcpy(mac, c.chain, 4);
    return aes_end(&c.aes);
}

int eps_eea(unsigned algorithm, const struct eps_key_stream *s, const uint8_t *in, uint8_t *out,
            size_t bits)
{
    size_t octets = (bits + 7) / 8;

    switch (algorithm) {
    case EPS_ALGORITHM_NULL:
        if (octets > 0)
            memmove(out, in, octets);
        if (bits % 8)
            out[octets - 1] &= (uint8_t)(0xff << (8 - bits % 8));
        return 0;
    case EPS_ALGORITHM_SNOW_3G:
        snow3g_f8(s->key, s->count, s->bearer, s->direction, in, out, bits);
        return 0;
    case EPS_ALGORITHM_AES:
        return eea2(s, in, out, bits);
    case EPS_ALGORITHM_ZUC:
        zuc_eea3(s->key, s->count, s->bearer, s->direction, in, out, bits);
        return 0;
    default:
        return -ENOTSUP;
    }
}

int eps_eia(unsigned algorithm, const struct eps_key_stream *s, const uint8_t *message, size_t bits,
            uint8_t mac[4])
{
    struct writer w = writer_of(mac, 4);

    switch (algorithm) {
    case EPS_ALGORITHM_NULL:
        wr_u32(&w, 0);
        return 0;
    case EPS_ALGORITHM_SNOW_3G: /* clause B.2.2: FRESH is the bearer */
        wr_u32(&w,
               snow3g_f9(s->key, s->count, (uint32_t)s->bearer << 27, s->direction, message, bits));
        return 0;
    case EPS_ALGORITHM_AES:
        return eia2(s, message, bits, mac);
    case EPS_ALGORITHM_ZUC:
        wr_u32(&w, zuc_eia3(s->key, s->count, s->bearer, s->direction, message, bits));
        return 0;
    default:
        return -ENOTSUP;
    }
}

const char *eps_algorithm_name(unsigned algorithm)
{
    static const char *const names[] = {"null", "snow3g", "aes", "zuc"};

    return algorithm < sizeof(names) / sizeof(names[0]) ? names[algorithm] : "unknown";
}
