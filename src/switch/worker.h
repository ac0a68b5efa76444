/*
 * worker.h -- a data-path thread.
 *
 * A worker waits for its ports' queues (epoll), takes a burst from each that has something, runs it
 * through the tables, and writes what came out, port by port. Nothing is shared on the way but what
 * all only read: counters, queues of what is to be sent and the exact-match cache are its own.
 * After each round it passes a quiescent state (reclaim.h), and asleep it holds nobody up. An idle
 * switch sleeps.
 *
 * With `busy_us` a worker looks for so long before it does, without asking the kernel: round and
 * round through the queues that are read in memory, and through the others when epoll, asked now
 * and then, says so. The last round before sleep is one in which `waits` tells drivers to have
 * themselves called for what comes from then on. A worker with a queue that nothing calls for
 * (DPDK) never sleeps.
 *
 * Which queue belongs to which worker is decided when a port opens: round robin, so that a port of
 * several queues is spread. Packets for controllers go to the loop's thread through a ring of
 * PACKET_IN_RING; what does not fit is dropped and counted.
 *
 * Worker 0 is the loop's thread itself: it has no ports, and runs PACKET_OUTs.
 */
#ifndef STROWGER_SWITCH_WORKER_H
#define STROWGER_SWITCH_WORKER_H

#include <pthread.h>

#include "switch/datapath.h"
#include "switch/polled.h"

#define PORT_QUEUE     64u /* packets that wait for the end of a burst, per port */
#define PACKET_IN_RING 1024u
#define WORKER_SCRATCH PACKET_MOST

/* Packets that a worker has for a port. */
struct outgoing {
    struct port *port;
    struct outgoing *next_unsent;
    unsigned count;
    bool unsent;
    struct packet *packets[PORT_QUEUE];
};

struct table_count {
    uint64_t lookups, matches;
};

/* A packet on its way to the loop's thread. */
struct pending_packet_in {
    struct packet *packet;
    uint64_t cookie;
    uint8_t reason, table_id;
    uint16_t max_len;
};

struct worker {
    struct datapath *dp;
    unsigned index;
    uint64_t version; /* of this burst */
    uint64_t now_us;
    struct counter_owner *counters;
    struct table_cache *cache;
    struct outgoing *outgoing[MAX_PORTS]; /* made when first needed */
    struct outgoing *unsent;
    uint8_t *scratch;     /* WORKER_SCRATCH bytes, for what is received before its size is known */
    unsigned depth;       /* of patch ports that a packet went through */
    unsigned group_steps; /* buckets that it may still go through */
    struct table_count tables[TABLES];

    /* threads, not worker 0 */
    pthread_t thread;
    bool running;
    bool stopping;
    int epoll_fd, wake_fd;
    uint32_t busy_us;
    struct polled *polled; /* polled_now() */
    bool waits;       /* for descriptors, after this round: what comes must make one readable */
    bool asks;        /* epoll in this round: it had something in the one before */
    unsigned unasked; /* rounds since epoll was asked */
    uint64_t idle_since_us; /* 0: it is not idle */
    uint64_t turns, sleeps;
    bool noted; /* in this round it wrote into a mirror's ring */

    /* one writes (the worker), one reads (the loop's thread) */
    struct pending_packet_in *ring; /* PACKET_IN_RING */
    uint32_t ring_head __attribute__((aligned(64)));
    uint32_t ring_tail __attribute__((aligned(64)));
};

/* A worker that is no thread yet; NULL when memory is out. */
struct worker *worker_new(struct datapath *dp, unsigned index);
void worker_free(struct worker *w);

/* Starts `threads` threads. `heard` is called in a worker when it has put packets into its ring
 * (they are fetched with worker_take_packet_ins()). cpus: to which each is bound, or NULL. 0 or
 * negative errno. */
int workers_start(struct datapath *dp, unsigned threads, uint32_t busy_us, void (*heard)(void));
/* Ends them, and waits until they have. */
void workers_stop(struct datapath *dp);

/* Gives a port's receive queues to workers, and takes them away; after the latter no worker is in
 * the port. 0 or negative errno. */
int workers_add_port(struct datapath *dp, struct port *port);
void workers_remove_port(struct datapath *dp, struct port *port);

/* Of an open port: the queue is polled also when `fd` is readable, in place of the descriptor of
 * the call before; -1: of none. The descriptor stays the caller's, and open until the next call. In
 * the loop's thread. 0 or negative errno. */
int worker_wait_for(struct datapath *dp, struct port *port, unsigned queue, int fd);

/* Hands what workers have for controllers to dp->packet_in. In the loop's thread. */
void workers_take_packet_ins(struct datapath *dp);

/* A copy of the packet for the controllers. False when it could not be taken. */
bool worker_packet_in(struct worker *w, const struct packet *p, uint8_t reason, uint8_t table_id,
                      uint64_t cookie, uint16_t max_len);

/* Does the port send now? */
static inline bool port_sends(const struct port *port)
{
    return !(port->ofp_config & (OFPPC_PORT_DOWN | OFPPC_NO_FWD)) &&
           !(port->state & OFPPS_LINK_DOWN);
}

/* Gives the packet to a port. False when the port does not send (it was freed then). */
bool worker_output(struct worker *w, struct port *port, struct packet *p);
/* The same for a port that sends. False when memory is out. */
bool worker_queue(struct worker *w, struct port *port, struct packet *p);

/* Sends what is queued for one port, and for all. */
void worker_send(struct worker *w, struct port *port);
void worker_flush(struct worker *w);

/* What a port and a table counted in all threads. */
struct table_count datapath_table_count(const struct datapath *dp, uint8_t table_id);

#endif
