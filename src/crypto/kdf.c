/*
 * kdf.c -- the keys of EPS derived from each other: TS 33.401 annex A.
 *
 * All derivations are the generic one of TS 33.220 annex B.2: HMAC-SHA-256 with the parent key over
 *     S = FC || P0 || L0 || P1 || L1 ...
 * where FC tells the derivations apart and each parameter Pi is followed by its length in two
 * octets. Here S is built with a writer; a derivation is then one table-like function per clause.
 */
#include <errno.h>

#include "crypto/crypto.h"

/* TS 33.220 annex B.2.2, allocated to TS 33.401 */
enum fc {
    FC_KASME = 0x10,
    FC_K_ENB = 0x11,
    FC_NH = 0x12,
    FC_K_ENB_STAR = 0x13,
    FC_ALGORITHM_KEY = 0x15,
};

#define S_MAX 64 /* FC and the parameters with their lengths */

static void begin(struct writer *s, uint8_t *buffer, enum fc fc)
{
    *s = writer_of(buffer, S_MAX);
    wr_u8(s, (uint8_t)fc);
}

static void parameter(struct writer *s, const void *value, size_t size)
{
    wr_bytes(s, value, size);
    wr_u16(s, (uint16_t)size);
}

static int derive(const struct writer *s, struct bytes key, uint8_t out[32])
{
    struct bytes all = wr_view(s);

    return s->bad ? -EINVAL : crypto_hmac_sha256(key, &all, 1, out);
}

int kdf_kasme(const uint8_t ck[16], const uint8_t ik[16], const uint8_t sn_id[3],
              const uint8_t sqn_xor_ak[6], uint8_t kasme[32])
{
    uint8_t buffer[S_MAX], key[32];
    struct writer s;

    memcpy(key, ck, 16);
    memcpy(key + 16, ik, 16);
    begin(&s, buffer, FC_KASME);
    parameter(&s, sn_id, 3);
    parameter(&s, sqn_xor_ak, 6);
    int err = derive(&s, bytes_of(key, sizeof(key)), kasme);
    crypto_wipe(key, sizeof(key));
    return err;
}

int kdf_k_enb(const uint8_t kasme[32], uint32_t ul_nas_count, uint8_t k_enb[32])
{
    uint8_t buffer[S_MAX], count[4];
    struct writer s, c = writer_of(count, sizeof(count));

    wr_u32(&c, ul_nas_count);
    begin(&s, buffer, FC_K_ENB);
    parameter(&s, count, sizeof(count));
    return derive(&s, bytes_of(kasme, 32), k_enb);
}

int kdf_nh(const uint8_t kasme[32], const uint8_t sync_input[32], uint8_t nh[32])
{
    uint8_t buffer[S_MAX];
    struct writer s;

    begin(&s, buffer, FC_NH);
    parameter(&s, sync_input, 32);
    return derive(&s, bytes_of(kasme, 32), nh);
}

int kdf_k_enb_star(const uint8_t k_enb_or_nh[32], uint16_t pci, uint32_t earfcn_dl,
                   uint8_t k_enb_star[32])
{
    uint8_t buffer[S_MAX], cell[2], frequency[3];
    struct writer s, c = writer_of(cell, sizeof(cell)), f = writer_of(frequency, sizeof(frequency));

    wr_u16(&c, pci);
    wr_uint(&f, earfcn_dl, earfcn_dl > 0xffff ? 3 : 2);
    begin(&s, buffer, FC_K_ENB_STAR);
    parameter(&s, cell, sizeof(cell));
    parameter(&s, frequency, wr_len(&f));
    return derive(&s, bytes_of(k_enb_or_nh, 32), k_enb_star);
}

int kdf_algorithm_key(const uint8_t key[32], enum kdf_algorithm_type type, unsigned algorithm_id,
                      uint8_t algorithm_key[16])
{
    uint8_t buffer[S_MAX], out[32];
    uint8_t distinguisher = (uint8_t)type, id = (uint8_t)algorithm_id;
    struct writer s;

    begin(&s, buffer, FC_ALGORITHM_KEY);
    parameter(&s, &distinguisher, 1);
    parameter(&s, &id, 1);
    int err = derive(&s, bytes_of(key, 32), out);
    if (!err)
        memcpy(algorithm_key, out + 16, 16);
    crypto_wipe(out, sizeof(out));
    return err;
}
