/*
 * auth.c -- see auth.h. cache.h tells where sequence numbers come from.
 */
#include <errno.h>

#include "crypto/crypto.h"
#include "hss/auth.h"

/* KASME belongs to the serving network by its PLMN in three octets (TS 33.401 annex A.2). */
static int derive_kasme(const struct milenage_vector *milenage, const struct plmn *plmn,
                        uint8_t kasme[32])
{
    uint8_t sn_id[3];
    struct writer w = writer_of(sn_id, sizeof(sn_id));

    wr_plmn(&w, plmn);
    if (w.bad)
        return -EINVAL;
    return kdf_kasme(milenage->ck, milenage->ik, sn_id, milenage->autn, kasme);
}

static int make_vector(const struct milenage *keys, uint16_t amf, uint64_t sqn,
                       const struct plmn *plmn, struct hss_vector *vector)
{
    struct milenage_vector milenage;

    int err = crypto_random(vector->rand, sizeof(vector->rand));
    if (err == 0)
        err = milenage_make(keys, vector->rand, sqn, amf | MILENAGE_AMF_SEPARATION, &milenage);
    if (err == 0)
        err = derive_kasme(&milenage, plmn, vector->kasme);
    if (err == 0) {
        memcpy(vector->xres, milenage.res, sizeof(vector->xres));
        memcpy(vector->autn, milenage.autn, sizeof(vector->autn));
    }
    crypto_wipe(&milenage, sizeof(milenage));
    return err;
}

static struct milenage keys_of(const struct hss_entry *entry)
{
    struct milenage keys;

    memcpy(keys.k, entry->record->k, sizeof(keys.k));
    memcpy(keys.opc, entry->record->opc, sizeof(keys.opc));
    return keys;
}

int auth_vectors(struct hss_cache *cache, struct hss_entry *entry,
                 const struct plmn *serving_network, unsigned ind, struct hss_vector *vectors,
                 size_t count)
{
    struct milenage keys = keys_of(entry);
    int err = 0;

    for (size_t i = 0; i < count && err == 0; i++) {
        uint64_t seq = 0;
        err = cache_next_seq(cache, entry, &seq);
        if (err == 0)
            err = make_vector(&keys, entry->record->amf, seq << SQN_IND_BITS | ind % SQN_INDS,
                              serving_network, &vectors[i]);
    }
    crypto_wipe(&keys, sizeof(keys));
    return err;
}

int auth_resynchronise(struct hss_cache *cache, struct hss_entry *entry,
                       const struct s6a_resynchronization_info *info)
{
    struct milenage keys = keys_of(entry);
    uint64_t sqn_ms = 0;

    int err = milenage_auts_open(&keys, info->rand, info->auts, &sqn_ms);
    crypto_wipe(&keys, sizeof(keys));
    if (err < 0)
        return err;
    /* Clause 6.3.5 steps 2 and 3: nothing changes when the next number of ours would be accepted as
     * it is (annex C.2.2: above the SIM's, and not too far). SQN_MS is the SIM's highest of all
     * INDs; ours only needs to exceed that of its IND, but being above the highest is enough, and
     * all that can be known. */
    uint64_t seq_ms = sqn_ms >> SQN_IND_BITS;
    if (entry->seq >= seq_ms && entry->seq + 1 - seq_ms < SEQ_DELTA)
        return 0;
    return cache_set_seq(cache, entry, seq_ms);
}
