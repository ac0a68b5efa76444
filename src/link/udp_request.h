/*
 * udp_request.h -- requests that wait, over UDP: what GTPv2-C (TS 29.274 clause 7.6) and PFCP
 * (TS 29.244 clause 6.4) share.
 *
 * Both protocols make UDP reliable in the same way. A request has a sequence number and is sent
 * again every T until its answer comes or N attempts are over. The receiver remembers its answers
 * for a while, so that a request that comes twice is done once and answered twice. Peers are probed
 * (Echo, Heartbeat), and a number that a peer tells about itself (restart counter, recovery time
 * stamp) changes when it has started anew and lost its contexts. All of that is here, once; a
 * protocol adds how its messages look (struct udp_protocol).
 *
 *   udp_endpoint   one socket of one protocol, bound to one address
 *   udp_peer       who is at another address: its recovery number, whether it answers. Kept while
 * somebody uses it a call         a request of ours that waits for its answer, in a fiber a
 * transaction  a request of a peer's, referred to by id; it is answered once, and the answer is
 * replayed to duplicates until the peer can no longer send one
 *
 * Datagrams are received and sent in batches (recvmmsg, sendmmsg): what is sent in one turn of the
 * loop leaves at its end.
 *
 * GTP-C and PFCP have their own doors on this: link/gtpc_path.h and link/pfcp_path.h, which also
 * encode and decode. Use those. Everything here belongs to the loop's thread.
 */
#ifndef STROWGER_LINK_UDP_REQUEST_H
#define STROWGER_LINK_UDP_REQUEST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/trace.h"

/* The largest datagram taken or sent. */
#define UDP_REQUEST_MAX_DATAGRAM 16384

struct udp_endpoint;
struct udp_peer;

/* What part a message plays. */
enum udp_role {
    UDP_ROLE_REQUEST,      /* to be answered */
    UDP_ROLE_ANSWER,       /* to one of our requests */
    UDP_ROLE_NOTIFICATION, /* neither waits nor answers */
};

/* What must be known of a message here. */
struct udp_head {
    enum udp_role role;
    uint8_t type;
    uint8_t answers; /* of an answer: the type of request it is for; 0: any */
    uint32_t sequence;
    size_t length; /* of this message; what follows in the datagram is another (piggybacked) one */
};

struct udp_protocol {
    const char *name;
    enum trace_protocol trace;
    uint16_t port;          /* the well-known one */
    uint32_t sequence_mask; /* our requests are numbered within it */
    uint8_t recovery_bits; /* width of the peer's recovery number, which may wrap around: 8 or 32 */
    /* Reads a message's head. 0, or a negative errno: then malformed() is told. */
    int (*head)(struct bytes datagram, struct udp_head *head);
    /* Writes a probe with this sequence number. */
    void (*write_probe)(void *owner, struct writer *w, uint32_t sequence);
};

/* `owner` is what the endpoint was opened with. */
struct udp_handler {
    /* A new request (never a duplicate), or a notification with transaction 0. The datagram is
     * valid until this returns. */
    void (*request)(void *owner, struct udp_peer *peer, uint32_t transaction,
                    const struct udp_head *head, struct bytes datagram);
    /* A datagram whose head could not be read; `error` is what head() said. */
    void (*malformed)(void *owner, const struct sockaddr *from, struct bytes datagram, int error);
    /* The answer to a probe, for its recovery number. */
    void (*probe_answered)(void *owner, struct udp_peer *peer, struct bytes datagram);
    /* The peer started anew: what it held for us is gone. May be NULL, as the two below. */
    void (*peer_restarted)(void *owner, struct udp_peer *peer);
    /* The peer answers no probe any more; and: it has been heard again. */
    void (*peer_down)(void *owner, struct udp_peer *peer);
    void (*peer_up)(void *owner, struct udp_peer *peer);
};

struct udp_settings {
    uint32_t timeout_ms;        /* T3-RESPONSE, T1: until a request is sent again */
    uint8_t attempts;           /* N3-REQUESTS, N1: how often it is sent in all */
    uint32_t probe_interval_ms; /* between Echo or Heartbeat Requests to a peer in use; 0: none */
    uint32_t max_peers;
    uint32_t max_calls;        /* our requests that wait */
    uint32_t max_transactions; /* peers' requests in progress, and answers remembered */
};

/* 3 s, 3 attempts, probes every 60 s (TS 29.274 clause 7.1.1 asks for no shorter one), 1,024 peers,
 * 65,536 of the others. */
struct udp_settings udp_settings_default(void);

/* Opens a socket at `local` (port 0: the protocol's). Settings are copied; protocol and handler
 * must stay. 0 or negative errno. */
int udp_endpoint_open(const struct sockaddr *local, const struct udp_protocol *protocol,
                      const struct udp_settings *settings, const struct udp_handler *handler,
                      void *owner, struct udp_endpoint **endpoint);

/* Before several endpoints are closed together: requests that wait end with -ECANCELED, and so do
 * new ones; nothing comes in any more. A fiber that goes on after that finds all endpoints still
 * there. */
void udp_endpoint_stop(struct udp_endpoint *endpoint);

/* Requests that wait end with -ECANCELED; nobody else is called. What was sent leaves before. Not
 * from a callback. */
void udp_endpoint_close(struct udp_endpoint *endpoint);

/* The address bound, with the port. */
const struct sockaddr *udp_endpoint_address(const struct udp_endpoint *endpoint);

/* The peer at this address (the port is the protocol's when 0); made when it is not known. NULL:
 * the table of peers is full of peers in use, or memory is out. */
struct udp_peer *udp_peer_at(struct udp_endpoint *endpoint, const struct sockaddr *address);

/* Peers are kept in contexts by id. NULL when it is gone. */
uint32_t udp_peer_id(const struct udp_peer *peer);
struct udp_peer *udp_peer_get(struct udp_endpoint *endpoint, uint32_t id);

/* Walks over all peers: start with *id == 0. */
struct udp_peer *udp_peer_next(struct udp_endpoint *endpoint, uint32_t *id);

/* A peer in use (contexts that refer to it) is kept and probed; others are forgotten when room is
 * needed. */
void udp_peer_use(struct udp_peer *peer);
void udp_peer_release(struct udp_peer *peer);
uint32_t udp_peer_users(const struct udp_peer *peer);

const struct sockaddr *udp_peer_address(const struct udp_peer *peer);
const char *udp_peer_name(const struct udp_peer *peer); /* "10.0.0.2" */
struct udp_endpoint *udp_peer_endpoint(const struct udp_peer *peer);

/* False after peer_down() until it is heard again. */
bool udp_peer_is_up(const struct udp_peer *peer);

/* How long nothing has come from it. */
uint64_t udp_peer_silent_ms(const struct udp_peer *peer);

/* The last recovery number; false when none has been told. */
bool udp_peer_recovery(const struct udp_peer *peer, uint32_t *recovery);

/* The protocol found a recovery number in a message of this peer. A newer one than before calls
 * peer_restarted() at once. An older one is either an old message that came late or a peer that
 * lost count (TS 23.007 clause 18): then a probe is sent whose answer, `is_probe_answer`, is
 * believed. True when the peer has restarted. */
bool udp_peer_note_recovery(struct udp_peer *peer, uint32_t recovery, bool is_probe_answer);

/* For the first message to a peer (Recovery is to be included, TS 29.274): true once after start
 * and peer restart. */
bool udp_peer_is_new(struct udp_peer *peer);

/* Probes now; ends in probe_answered() or peer_down(). */
void udp_peer_probe(struct udp_peer *peer);

/* The next sequence number for a request. */
uint32_t udp_next_sequence(struct udp_endpoint *endpoint);

/* Sends a request and waits for its answer, in a fiber. `type` and `sequence` are those inside the
 * datagram, which is copied. On 0 *answer is a view valid until the fiber's next wait. Errors:
 *   -ETIMEDOUT   all attempts were in vain
 *   -ECANCELED   fiber_cancel(), or the endpoint was closed
 *   -ENOBUFS     max_calls requests wait already
 *   -EMSGSIZE, -ENOMEM */
int udp_request(struct udp_peer *peer, uint8_t type, uint32_t sequence, struct bytes datagram,
                struct bytes *answer);

/* Sends a datagram once. */
int udp_notify(struct udp_endpoint *endpoint, const struct sockaddr *to, struct bytes datagram);

/* What a peer's request was; false for a transaction that is over and forgotten. */
bool udp_transaction_head(const struct udp_endpoint *endpoint, uint32_t transaction,
                          struct udp_head *head);

/* Answers a request, now or from a fiber later. 0, -ENOENT (forgotten or already answered),
 * -EMSGSIZE, -ENOMEM. */
int udp_answer(struct udp_endpoint *endpoint, uint32_t transaction, struct bytes datagram);

/* Forgets a request that will get no answer: a duplicate is then new. */
void udp_abandon(struct udp_endpoint *endpoint, uint32_t transaction);

struct udp_counters {
    uint64_t received, sent;  /* datagrams */
    uint64_t malformed;       /* heads that could not be read, or datagrams too large */
    uint64_t duplicates;      /* requests that came again */
    uint64_t late_answers;    /* to no request that waits */
    uint64_t retransmissions; /* of our requests */
    uint64_t timeouts;        /* our requests that never got an answer */
    uint64_t refused;         /* peers' requests dropped because a table was full */
    uint64_t send_errors;     /* datagrams that the kernel did not take */
    uint64_t probes;
    uint64_t peer_restarts, peer_downs;
    uint32_t calls, transactions, peers; /* now */
};

struct udp_counters udp_counters(const struct udp_endpoint *endpoint);

#endif
