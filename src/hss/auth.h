/*
 * auth.h -- authentication vectors and resynchronisation (TS 33.401 clause 6.1, TS 33.102
 * clauses 6.3.2, 6.3.5).
 */
#ifndef STROWGER_HSS_AUTH_H
#define STROWGER_HSS_AUTH_H

#include "hss/cache.h"

/* An E-UTRAN vector (TS 33.401 clause 6.1.2). */
struct hss_vector {
    uint8_t rand[16];
    uint8_t xres[8];
    uint8_t autn[16];
    uint8_t kasme[32];
};

/* Makes `count` vectors for the serving network; `ind` (0..31) is that of the node that asked. 0,
 * or why there are none: the store cannot be written, or random numbers are out. */
int auth_vectors(struct hss_cache *cache, struct hss_entry *entry,
                 const struct plmn *serving_network, unsigned ind, struct hss_vector *vectors,
                 size_t count);

/* The SIM's answer to a RAND of ours: goes on from its sequence number if ours would not be
 * accepted. -EACCES: MAC-S is wrong, nobody with this key made it. */
int auth_resynchronise(struct hss_cache *cache, struct hss_entry *entry,
                       const struct s6a_resynchronization_info *info);

#endif
