/*
 * mirror.h -- who looks on while packets pass: mirrors, and the sampler of IPFIX (ipfix.h).
 *
 * A mirror is a capture of packets as they come in by ports, as they leave, and as they are dropped
 * with the reason, written as pcapng into a stream: the socket that `strowger switch mirror` has at
 * the control socket. Where packets have more to be done (segments of 64 KiB, checksums) they are
 * shown as they are.
 *
 * Threads: all that look on stand in one struct lookers, which workers read through one pointer
 * (NULL when nobody looks: that is the whole cost then) and which is replaced, never changed. A
 * worker copies what a mirror wants into a ring of that mirror and its own; the loop's thread takes
 * it out, describes it and writes it. What does not fit is lost for this mirror and counted: in the
 * ring, when the loop was slower than the workers; before the stream, when the reader was slower
 * than the loop. Nobody ever waits for a mirror.
 *
 * A mirror ends when its stream does. Workers are out of it one grace period later: then what is
 * left is written, with what each port lost, and the stream closes.
 *
 * Rings name the flow that dropped a packet by pointer. Rings are emptied before flows are freed
 * (reclaim_set_last_look()), so the pointer is always good.
 */
#ifndef STROWGER_SWITCH_MIRROR_H
#define STROWGER_SWITCH_MIRROR_H

#include "switch/mirror_ring.h"
#include "switch/worker.h"

#define MIRRORS_MAX     16
#define MIRROR_RING     (4u << 20) /* bytes, for each worker */
#define MIRROR_UNSENT   (4u << 20) /* bytes that may wait for the reader */
#define MIRROR_SNAP_MAX PACKET_MOST

struct control_answer;
struct control_request;
struct ipfix_sampler;
struct mirror;

/* What a mirror shows; any of them together. */
enum mirror_what { MIRROR_IN = 1, MIRROR_OUT = 2, MIRROR_DROPS = 4 };

struct lookers {
    struct mirror *mirrors[MIRRORS_MAX];
    unsigned mirror_count;
    uint8_t what;                  /* that any of the mirrors shows */
    struct ipfix_sampler *sampler; /* NULL: none */
};

struct mirror_options {
    uint8_t what;     /* enum mirror_what */
    uint32_t snaplen; /* bytes of each packet at most */
    bool some_ports;  /* only those in `ports` */
    uint64_t ports[MAX_PORTS / 64];
};

/* ---- the loop's thread ---- */

/* Publishes who looks on, with this sampler in place of the one that was. 0 or -ENOMEM. */
int lookers_set_sampler(struct datapath *dp, struct ipfix_sampler *sampler);

/* A mirror that writes to `fd`, which must not block and stays open until `closed`, the last thing
 * that happens to it. 0 or negative errno: -EUSERS when there are too many. */
int mirror_open(struct datapath *dp, const struct mirror_options *options, int fd,
                void (*closed)(void *context), void *context);
/* How many there are, those included that end. */
unsigned mirror_count(void);

/* Writes what workers have copied; whenever they say that they heard something. */
void mirrors_take(void);

/* Ends all, at once: the process stops. No worker runs any more. */
void mirrors_close(void);

/* GET /mirror?direction=in|out|both&drops=1&snaplen=N&port=NAME,NAME: a stream. With drops and
 * without a direction, drops alone. */
void mirror_answer(struct datapath *dp, const struct control_request *request,
                   struct control_answer *answer);

/* ---- workers ---- */

static inline const struct lookers *lookers_of(const struct datapath *dp)
{
    return __atomic_load_n(&dp->lookers, __ATOMIC_ACQUIRE);
}

/* A packet came in by the port, or leaves by it. */
void mirror_see(struct worker *w, const struct lookers *lookers, enum mirror_what what,
                const struct port *port, const struct packet *p);
/* A packet that came in by the port is dropped; in this table, by this rule (NULL: by none). */
void mirror_see_drop(struct worker *w, const struct lookers *lookers, const struct port *in,
                     const struct packet *p, enum drop_reason why, uint8_t table_id,
                     const struct rule *rule);
/* The worker has something for the loop's thread. */
void lookers_wake(struct worker *w);

#endif
