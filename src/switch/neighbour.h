/*
 * neighbour.h -- who is at which link address, for the tunnels that bring their packets to a link
 * themselves (RFC 826; the states are those of RFC 4861 clause 7.3.2, which suit ARP as well).
 *
 * A worker that sends looks here for each packet, without a lock: an entry is read whole or not at
 * all (a sequence number that is odd while it changes). All else takes a mutex: waiting for an
 * answer, learning, ageing. The table has a fixed number of places, so nobody's packets make it
 * grow; a neighbour that answers is never displaced by one that only asks.
 *
 * An address that is not known yet has a few packets wait for it. The first causes a question, more
 * questions follow with growing pauses, and after NEIGHBOUR_TRIES the packets are given back to be
 * dropped. What is known is believed for NEIGHBOUR_REACHABLE_US; then, if it is used, it is asked
 * again, while packets go on; without an answer it is forgotten.
 *
 * It sends nothing itself and has no clock: underlay.c does, and says the time.
 */
#ifndef STROWGER_SWITCH_NEIGHBOUR_H
#define STROWGER_SWITCH_NEIGHBOUR_H

#include "switch/packet.h"

#define NEIGHBOURS             1024u
#define NEIGHBOUR_WAITING      8u /* packets for one address */
#define NEIGHBOUR_TRIES        5u
#define NEIGHBOUR_FIRST_US     UINT64_C(250000) /* from the first question to the second */
#define NEIGHBOUR_REACHABLE_US UINT64_C(30000000)
#define NEIGHBOUR_RETRY_US     UINT64_C(20000000) /* after nobody answered */

struct neighbour_table;

/* NULL: no memory. */
struct neighbour_table *neighbour_table_new(void);
/* Frees packets that wait, too. No worker uses it any more. */
void neighbour_table_free(struct neighbour_table *t);

enum neighbour_answer {
    NEIGHBOUR_KNOWN, /* mac is set */
    NEIGHBOUR_STALE, /* mac is set and good for now, but ask again */
    NEIGHBOUR_UNKNOWN,
};

/* Any worker, without a lock. The address is in network order. */
enum neighbour_answer neighbour_find(struct neighbour_table *t, be32 address, uint64_t now_us,
                                     uint8_t mac[6]);

enum neighbour_wait {
    NEIGHBOUR_ASK,     /* the packet waits; ask who it is for */
    NEIGHBOUR_WAITS,   /* the packet waits; somebody asked already */
    NEIGHBOUR_FOUND,   /* it has become known meanwhile: the packet is the caller's */
    NEIGHBOUR_REFUSED, /* too many wait, or nobody answered lately: the packet is the caller's */
};

/* Has a packet wait for an address. */
enum neighbour_wait neighbour_wait(struct neighbour_table *t, be32 address, struct packet *p,
                                   uint64_t now_us);

/* True when the address may be asked for again now (NEIGHBOUR_STALE). */
bool neighbour_may_probe(struct neighbour_table *t, be32 address, uint64_t now_us);

/* What an ARP message tells. A sender that is not in the table comes into it only with `create`,
 * and then only to a free place. Packets that waited are put into released[NEIGHBOUR_WAITING]: how
 * many. */
unsigned neighbour_learn(struct neighbour_table *t, be32 address, const uint8_t mac[6], bool create,
                         uint64_t now_us, struct packet **released);

/* Whom to ask again, and what need not wait any more. */
struct neighbour_due {
    be32 ask[16];
    unsigned ask_count;
    struct packet *given_up[16 * NEIGHBOUR_WAITING];
    unsigned given_up_count;
};
/* Called a few times a second. */
void neighbour_tick(struct neighbour_table *t, uint64_t now_us, struct neighbour_due *due);

#endif
