/*
 * milenage.c -- the 3GPP authentication and key generation functions of TS 35.206, and what
 * TS 33.102 clause 6.3 makes of them.
 *
 * One kernel function (AES-128 with K) is applied once to RAND and then once more for each output:
 *     TEMP = E(RAND xor OPc)
 *     OUTn = E(rot(TEMP xor OPc, rn) xor cn) xor OPc     n = 2..5;  f1 mixes SQN and AMF in instead
 * with rotations r and constants c from clause 4.1. OUT1 gives f1 and f1*, OUT2 gives f5 and f2,
 * OUT3 f3, OUT4 f4, OUT5 f5*. Rotations are multiples of 32 bits, so they are done on octets.
 */
#include <errno.h>

#include "crypto/crypto.h"
#include "crypto/engine.h"

/* Clause 4.1: r2..r5 in octets, c2..c5 (all constants but their last octet are zero). */
struct output {
    uint8_t rotation;
    uint8_t constant;
};
static const struct output OUT2 = {0, 1}, OUT3 = {4, 2}, OUT4 = {8, 4}, OUT5 = {12, 8};
#define R1 8

static const uint8_t RESYNC_AMF[2] = {0, 0}; /* TS 33.102 clause 6.3.3: AMF* in AUTS */

static void xor_16(uint8_t *to, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < 16; i++)
        to[i] = a[i] ^ b[i];
}

int milenage_opc(const uint8_t k[16], const uint8_t op[16], uint8_t opc[16])
{
    struct aes aes;
    uint8_t block[16];
    int err = aes_start(&aes, k);

    if (err)
        return err;
    aes_blocks(&aes, op, block, 1);
    xor_16(opc, block, op);
    return aes_end(&aes);
}

/* Keys AES with K and makes TEMP. */
static int begin(const struct milenage *m, const uint8_t rand[16], struct aes *aes,
                 uint8_t temp[16])
{
    int err = aes_start(aes, m->k);

    if (err)
        return err;
    xor_16(temp, rand, m->opc);
    aes_blocks(aes, temp, temp, 1);
    return 0;
}

static void make_output(const struct milenage *m, struct aes *aes, const uint8_t temp[16],
                        const struct output *which, uint8_t out[16])
{
    uint8_t in[16];

    for (size_t i = 0; i < 16; i++) {
        size_t from = (i + which->rotation) % 16;
        in[i] = temp[from] ^ m->opc[from];
    }
    in[15] ^= which->constant;
    aes_blocks(aes, in, out, 1);
    xor_16(out, out, m->opc);
}

static void make_output1(const struct milenage *m, struct aes *aes, const uint8_t temp[16],
                         const uint8_t sqn[6], const uint8_t amf[2], uint8_t out[16])
{
    uint8_t in1[16], in[16];

    memcpy(in1, sqn, 6);
    memcpy(in1 + 6, amf, 2);
    memcpy(in1 + 8, in1, 8);
    for (size_t i = 0; i < 16; i++) {
        size_t from = (i + R1) % 16;
        in[i] = (uint8_t)(temp[i] ^ in1[from] ^ m->opc[from]);
    }
    aes_blocks(aes, in, out, 1);
    xor_16(out, out, m->opc);
}

int milenage_f1(const struct milenage *m, const uint8_t rand[16], const uint8_t sqn[6],
                const uint8_t amf[2], uint8_t mac_a[8], uint8_t mac_s[8])
{
    uint8_t temp[16], out[16];
    struct aes aes;
    int err = begin(m, rand, &aes, temp);

    if (err)
        return err;
    make_output1(m, &aes, temp, sqn, amf, out);
    if (mac_a)
        memcpy(mac_a, out, 8);
    if (mac_s)
        memcpy(mac_s, out + 8, 8);
    return aes_end(&aes);
}

static void f2345(const struct milenage *m, struct aes *aes, const uint8_t temp[16], uint8_t res[8],
                  uint8_t ck[16], uint8_t ik[16], uint8_t ak[6])
{
    uint8_t out[16];

    if (res || ak) {
        make_output(m, aes, temp, &OUT2, out);
        if (ak)
            memcpy(ak, out, 6);
        if (res)
            memcpy(res, out + 8, 8);
    }
    if (ck)
        make_output(m, aes, temp, &OUT3, ck);
    if (ik)
        make_output(m, aes, temp, &OUT4, ik);
    crypto_wipe(out, sizeof(out));
}

int milenage_f2345(const struct milenage *m, const uint8_t rand[16], uint8_t res[8], uint8_t ck[16],
                   uint8_t ik[16], uint8_t ak[6])
{
    uint8_t temp[16];
    struct aes aes;
    int err = begin(m, rand, &aes, temp);

    if (err)
        return err;
    f2345(m, &aes, temp, res, ck, ik, ak);
    return aes_end(&aes);
}

int milenage_f5_star(const struct milenage *m, const uint8_t rand[16], uint8_t ak[6])
{
    uint8_t temp[16], out[16];
    struct aes aes;
    int err = begin(m, rand, &aes, temp);

    if (err)
        return err;
    make_output(m, &aes, temp, &OUT5, out);
    memcpy(ak, out, 6);
    return aes_end(&aes);
}

static void put_sqn(uint64_t sqn, uint8_t out[6])
{
    struct writer w = writer_of(out, 6);

    wr_uint(&w, sqn, 6);
}

static uint64_t get_sqn(const uint8_t in[6])
{
    struct reader r = reader_of(in, 6);

    return rd_uint(&r, 6);
}

static void xor_6(uint8_t *to, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < 6; i++)
        to[i] = a[i] ^ b[i];
}

int milenage_make(const struct milenage *m, const uint8_t rand[16], uint64_t sqn, uint16_t amf,
                  struct milenage_vector *vector)
{
    uint8_t temp[16], out1[16], ak[6], sqn_octets[6];
    uint8_t amf_octets[2] = {(uint8_t)(amf >> 8), (uint8_t)amf};
    struct aes aes;
    int err = begin(m, rand, &aes, temp);

    if (err)
        return err;
    put_sqn(sqn, sqn_octets);
    memcpy(vector->rand, rand, 16);
    f2345(m, &aes, temp, vector->res, vector->ck, vector->ik, ak);
    make_output1(m, &aes, temp, sqn_octets, amf_octets, out1);
    xor_6(vector->autn, sqn_octets, ak);
    memcpy(vector->autn + 6, amf_octets, 2);
    memcpy(vector->autn + 8, out1, 8);
    return aes_end(&aes);
}

int milenage_auts_open(const struct milenage *m, const uint8_t rand[16], const uint8_t auts[14],
                       uint64_t *sqn_ms)
{
    uint8_t ak[6], sqn[6], mac_s[8];
    int err = milenage_f5_star(m, rand, ak);

    if (err)
        return err;
    xor_6(sqn, auts, ak);
    if ((err = milenage_f1(m, rand, sqn, RESYNC_AMF, NULL, mac_s)) < 0)
        return err;
    if (!crypto_equal(mac_s, auts + 6, 8))
        return -EACCES;
    *sqn_ms = get_sqn(sqn);
    return 0;
}

int milenage_autn_open(const struct milenage *m, const uint8_t rand[16], const uint8_t autn[16],
                       struct milenage_vector *vector, uint64_t *sqn, uint16_t *amf)
{
    uint8_t temp[16], out1[16], ak[6], sqn_octets[6];
    struct aes aes;
    int err = begin(m, rand, &aes, temp);

    if (err)
        return err;
    memcpy(vector->rand, rand, 16);
    memcpy(vector->autn, autn, 16);
    f2345(m, &aes, temp, vector->res, vector->ck, vector->ik, ak);
    xor_6(sqn_octets, autn, ak);
    make_output1(m, &aes, temp, sqn_octets, autn + 6, out1);
    if ((err = aes_end(&aes)) < 0)
        return err;
    if (!crypto_equal(out1, autn + 8, 8))
        return -EACCES;
    if (sqn)
        *sqn = get_sqn(sqn_octets);
    if (amf)
        *amf = (uint16_t)(autn[6] << 8 | autn[7]);
    return 0;
}

int milenage_auts_make(const struct milenage *m, const uint8_t rand[16], uint64_t sqn_ms,
                       uint8_t auts[14])
{
    uint8_t ak[6], sqn[6];
    int err = milenage_f5_star(m, rand, ak);

    if (err)
        return err;
    put_sqn(sqn_ms, sqn);
    xor_6(auts, sqn, ak);
    return milenage_f1(m, rand, sqn, RESYNC_AMF, NULL, auts + 6);
}
