/*
 * usim.c -- the card in the phone: TS 33.102 clause 6.3.3 and annex C.2 (profile 2 in spirit: one
 * highest SQN).
 *
 * Authentication Request brings RAND and AUTN. The card checks that the network knows K (MAC-A),
 * that the vector is meant for LTE (separation bit), and that its sequence number is fresh; if not
 * fresh it answers AUTS, with which the HSS catches up.
 */
#include "lab/inner.h"

/* Annex C.2.1: a jump ahead larger than this is refused (DELTA, in steps of SEQ = SQN >> 5). */
#define SQN_DELTA    (UINT64_C(1) << 28)
#define SQN_IND_BITS 5

static bool is_fresh(const struct usim *usim, uint64_t sqn)
{
    uint64_t seq = sqn >> SQN_IND_BITS, seq_ms = usim->sqn >> SQN_IND_BITS;

    return seq > seq_ms && seq - seq_ms <= SQN_DELTA;
}

enum usim_result usim_authenticate(struct usim *usim, const uint8_t rand[16],
                                   const uint8_t autn[16], struct milenage_vector *vector,
                                   uint8_t auts[14])
{
    uint64_t sqn;
    uint16_t amf;

    if (milenage_autn_open(&usim->secrets, rand, autn, vector, &sqn, &amf) < 0)
        return USIM_MAC_FAILURE;
    if (!(amf & MILENAGE_AMF_SEPARATION))
        return USIM_NOT_EPS;
    if (!is_fresh(usim, sqn)) {
        milenage_auts_make(&usim->secrets, rand, usim->sqn, auts);
        return USIM_SYNC_FAILURE;
    }
    usim->sqn = sqn;
    return USIM_ACCEPTED;
}
