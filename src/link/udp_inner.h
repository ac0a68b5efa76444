/*
 * udp_inner.h -- what the files of the request layer share (udp_request.c, udp_peer.c). Inner
 * header of link.
 */
#ifndef STROWGER_LINK_UDP_INNER_H
#define STROWGER_LINK_UDP_INNER_H

#include "base/base.h"
#include "link/udp_request.h"
#include "link/udp_socket.h"

/* "10.0.0.2", "2001:db8::1" */
#define UDP_PEER_NAME_SIZE 48

/* Whether our recovery number has reached the peer. */
enum udp_acquaintance {
    UDP_STRANGER, /* not told yet */
    UDP_TOLD,     /* told, and nothing heard since */
    UDP_KNOWN,
};

struct udp_peer {
    struct udp_endpoint *endpoint;
    uint32_t id;
    uint32_t users;
    union udp_address address; /* with the protocol's port unless it was given another */
    uint64_t heard_ms;
    struct timer probe_timer;
    uint32_t probe; /* the call that is a probe; stale: none */
    uint32_t recovery;
    bool has_recovery;
    bool is_down;
    enum udp_acquaintance acquaintance;
    uint32_t features; /* the protocol's own */
    char name[UDP_PEER_NAME_SIZE];
};

/* A fiber that waits for an answer; on its stack. */
struct udp_waiter {
    struct await here;
    struct bytes answer;
    bool ended; /* the call is gone */
};

/* A request of ours. */
struct udp_call {
    struct udp_endpoint *endpoint;
    uint32_t id;
    uint32_t sequence;
    uint32_t peer;
    uint8_t type;
    uint8_t attempts; /* made */
    union udp_address to;
    struct udp_buffer *buffer;
    struct timer timer;
    struct udp_waiter *waiter; /* NULL: a probe */
};

/* A request of a peer's. */
struct udp_transaction {
    struct udp_transaction *next, *previous;
    uint64_t key;
    uint64_t since_ms;
    struct udp_buffer *answer; /* NULL: in progress */
    uint32_t id;
    uint32_t peer;
    union udp_address from;
    struct udp_head head;
};

struct udp_queue {
    struct udp_transaction *first, *last;
};

struct udp_endpoint {
    struct udp_socket socket;
    const struct udp_protocol *protocol;
    const struct udp_handler *handler;
    void *owner;
    struct udp_settings settings;
    uint32_t sequence; /* the last one used */
    struct pool peers, calls, transactions;
    struct map peer_by_host, call_by_sequence, transaction_by_key;
    struct udp_queue pending, answered;
    struct timer sweep_timer;
    struct udp_counters counters;
    bool closing;
};

/* Registers a request that waits for its answer, without sending it; `waiter` NULL: a probe. */
int udp_call_start(struct udp_peer *peer, uint8_t type, uint32_t sequence, struct bytes datagram,
                   struct udp_waiter *waiter, uint32_t *id);

/* Sends a registered request for the first time. */
void udp_call_send(struct udp_endpoint *endpoint, uint32_t id);

/* A probe of this peer ended: the answer, or the error. */
void udp_probe_done(struct udp_endpoint *endpoint, uint32_t peer, int error, struct bytes answer);

/* Something came from this peer. */
void udp_peer_heard(struct udp_peer *peer);

/* Where the protocol keeps what the peer told that it can do. */
uint32_t *udp_peer_features(struct udp_peer *peer);

/* Stops all timers of peers. */
void udp_peers_stop(struct udp_endpoint *endpoint);

/* A message that came, for the trace: whom it is about is known only after decoding. */
void udp_trace_received(const struct udp_peer *peer, const char *subject, struct bytes datagram);

#endif
