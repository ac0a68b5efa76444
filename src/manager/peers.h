/*
 * peers.h -- who is behind an address: a function of the network, an eNodeB, a phone.
 *
 * Learnt from what the functions record and tell of themselves. Inner header of the manager; names
 * that are returned live as long as what was learnt.
 */
#ifndef STROWGER_MANAGER_PEERS_H
#define STROWGER_MANAGER_PEERS_H

#include <jansson.h>

struct peers {
    json_t *owners; /* address, with port and without, to the function's name; null: several */
    json_t *enbs;   /* the same of eNodeBs */
    json_t *phones; /* IMSI to name */
};

int peers_init(struct peers *p);
void peers_free(struct peers *p);

/* The function has sent from this address ("10.0.0.2:36412", "[fd00::1]:2123"). */
void peers_learn_function(struct peers *p, const char *function, const char *address);
/* Lists as the MME and the lab tell them: [{"name":, "address":}], [{"name":, "imsi":}]. */
void peers_learn_enbs(struct peers *p, const json_t *enbs);
void peers_learn_phones(struct peers *p, const json_t *phones);

/* What the ladder calls one end of a message: `function` is who recorded it there, or NULL when
 * nobody of ours is known to have; `other` is the function at the opposite end. The address may be
 * "". */
const char *peers_name(const struct peers *p, const char *protocol, const char *function,
                       const char *address, const char *imsi, const char *other);

#endif
