/*
 * diameter_inner.h -- what the files of the Diameter node share; not part of any door.
 *
 *   diameter_connection.c   bytes: TCP or SCTP below, whole messages above, one write per turn of
 * the loop diameter_capabilities.c CER and CEA: who the other side is, and what both can do
 *   diameter_peer.c         one peer: the state machine of RFC 6733 clause 5.6, the watchdog of RFC
 * 3539 diameter_config.c       the section of the configuration diameter_node.c         the node:
 * configuration, listening, peers, our requests diameter_service.c      the node as server: checks,
 * exchanges, answers, duplicates
 *
 * Who owns what: the node owns peers and connections. A connection belongs to no peer until its CER
 * has told which; a peer has at most one connection it made (initiator) and one it accepted
 * (responder), and when it is open exactly one of them is `open`. Connections end by
 * connection_close(), which calls nobody back; that one ended by itself is told to
 * peer_connection_lost(). Memory of a connection goes when libuv has let go of it.
 */
#ifndef STROWGER_LINK_DIAMETER_INNER_H
#define STROWGER_LINK_DIAMETER_INNER_H

#include "base/base.h"
#include "link/diameter_peer.h"
#include "link/sctp.h"

#define DIAMETER_MAX_APPLICATIONS 8

struct diameter_connection;
struct diameter_peer;

enum diameter_metric {
    DIAMETER_MESSAGES_IN,
    DIAMETER_MESSAGES_OUT,
    DIAMETER_BYTES_IN,
    DIAMETER_BYTES_OUT,
    DIAMETER_WRITES,
    DIAMETER_REQUESTS,
    DIAMETER_RETRANSMISSIONS,
    DIAMETER_TIMEOUTS,
    DIAMETER_STRAY_ANSWERS,
    DIAMETER_REFUSALS,
    DIAMETER_DUPLICATES,
    DIAMETER_GARBAGE,
    DIAMETER_PEERS_OPEN,
    DIAMETER_METRICS
};

extern struct metric diameter_metrics[DIAMETER_METRICS];

static inline void diameter_count(enum diameter_metric which, uint64_t n)
{
    metric_add(&diameter_metrics[which], n);
}

/* ---- Connections ---- */

/* What TCP and SCTP do differently. */
struct diameter_carrier {
    const char *name;
    int (*connect)(struct diameter_connection *c);
    /* Sends what can be sent of c->out; the rest waits for the carrier to call
     * connection_writable(). */
    void (*flush)(struct diameter_connection *c);
    void (*pause)(struct diameter_connection *c, bool paused);
    void (*close)(struct diameter_connection *c);
};

struct diameter_exchange;

struct diameter_connection {
    struct diameter_connection *next, **link; /* in node->connections */
    struct diameter_node *node;
    struct diameter_peer *peer; /* NULL: no CER yet */
    const struct diameter_carrier *carrier;
    bool initiator;
    bool up;
    bool closed; /* nothing of it is used any more */
    bool ending; /* closes when what is queued has left */
    bool paused; /* the peer does not read our answers: we do not read its requests */
    struct sockaddr_storage local, remote;
    struct timer timer; /* an accepted connection without CER */
    struct deferred flush;
    struct diameter_exchange *exchanges; /* unanswered requests of this connection */
    uint32_t exchange_count;
    uint64_t last_received_ms;

    uint8_t *in; /* bytes of messages not yet whole */
    size_t in_len, in_size;
    uint8_t *out; /* messages to be sent at the end of the turn */
    size_t out_len, out_size;
    uint8_t *flight; /* TCP: what libuv is still writing */
    size_t flight_len, flight_size;
    uv_write_t write;
    uv_connect_t connecting;
    uv_tcp_t tcp;
    struct sctp_association *sctp;
};

/* A connection to `remote`; its end is told to the peer. NULL when there is no memory or it fails
 * at once. */
struct diameter_connection *connection_open(struct diameter_node *node, struct diameter_peer *peer,
                                            enum diameter_transport transport,
                                            const struct sockaddr *remote);
/* Frees at once or, `gently`, when all that is queued has been sent. Safe to call twice. */
void connection_close(struct diameter_connection *c, bool gently);

/* Room for one message at the end of what is to be sent. The caller writes into it, once more with
 * a larger size if the writer went bad, and then commits. */
struct writer connection_writer(struct diameter_connection *c, size_t size);
void connection_commit(struct diameter_connection *c, const struct writer *w, const char *subject);
size_t connection_queued(const struct diameter_connection *c);

/* Encodes a message and queues it. 0, -EMSGSIZE, -ENOTCONN. */
int connection_send(struct diameter_connection *c, const struct diameter_message *message,
                    const struct diameter_header *header, const void *value, const char *subject);
int connection_refuse(struct diameter_connection *c, const struct diameter_envelope *request,
                      const struct diameter_refusal *refusal);

/* Listening sockets. */
struct diameter_listener;
int listener_open(struct diameter_node *node, const struct diameter_listen_config *config,
                  struct diameter_listener **listener);
void listener_close(struct diameter_listener *listener);
void listener_address(const struct diameter_listener *listener, struct sockaddr_storage *address);

/* ---- Peers ---- */

/* RFC 6733 clause 5.6. */
enum peer_state {
    PEER_CLOSED,
    PEER_WAIT_CONN_ACK,
    PEER_WAIT_I_CEA,
    PEER_WAIT_CONN_ACK_ELECT,
    PEER_WAIT_RETURNS,
    PEER_R_OPEN,
    PEER_I_OPEN,
    PEER_CLOSING,
};

/* RFC 3539 clause 3.4.1. DOWN is: not open. */
enum watchdog_state {
    WATCHDOG_OKAY,
    WATCHDOG_SUSPECT,
    WATCHDOG_REOPEN,
};

struct diameter_peer {
    struct diameter_peer *next;
    struct diameter_node *node;
    const struct diameter_peer_config *config; /* NULL: it came unknown */
    char *host, *realm;
    enum peer_state state;
    struct diameter_connection *initiator, *responder, *open;
    struct timer timer; /* of the state; in PEER_CLOSED: until the next attempt */
    uint32_t backoff_ms;
    bool hold_off; /* it said it does not want to talk */
    bool gone;     /* unknown peer, closed: to be freed */
    /* of the responder's CER, for a CEA that has to wait */
    uint32_t cer_hop_by_hop, cer_end_to_end;

    struct timer watchdog;
    enum watchdog_state watchdog_state;
    bool watchdog_pending; /* a DWR without answer */
    bool watchdog_failed;  /* the last connection ended because of silence */
    unsigned watchdog_answers;

    uint32_t common_applications[DIAMETER_MAX_APPLICATIONS];
    size_t common_count;
    bool is_relay;
    uint32_t origin_state_id;

    uint32_t outstanding; /* our requests without answer */
    uint64_t requests_sent, requests_received, answers_sent, answers_received;
};

struct diameter_peer *peer_new(struct diameter_node *node,
                               const struct diameter_peer_config *config, struct bytes host,
                               struct bytes realm);
void peer_free(struct diameter_peer *peer);
void peer_start(struct diameter_peer *peer);
/* Says good-bye; the peer ends in PEER_CLOSED and does not come back by itself. */
void peer_stop(struct diameter_peer *peer, enum diameter_disconnect_cause cause);
const char *peer_state_name(const struct diameter_peer *peer);
const char *peer_watchdog_name(const struct diameter_peer *peer);

static inline bool peer_is_open(const struct diameter_peer *peer)
{
    return peer->state == PEER_I_OPEN || peer->state == PEER_R_OPEN;
}

/* A connection's news. */
void peer_connected(struct diameter_connection *c);
void peer_connection_lost(struct diameter_connection *c);

/* True for a message that may come on this connection now; what else came is told to
 * peer_unexpected(). */
bool peer_expects(const struct diameter_connection *c, const struct diameter_header *header);
void peer_unexpected(struct diameter_connection *c);

/* A message of the base protocol that was expected. */
void peer_receive(struct diameter_connection *c, const struct diameter_envelope *envelope,
                  struct bytes whole);

/* ---- Capabilities ---- */

/* What both CER and CEA tell of the other side. */
struct capabilities {
    struct bytes origin_host, origin_realm;
    const uint32_t *origin_state_id;
    const uint32_t *auth, *acct, *security;
    size_t auth_count, acct_count, security_count;
    const struct diameter_vendor_application *vendor;
    size_t vendor_count;
};

int capabilities_send_cer(struct diameter_connection *c);
int capabilities_send_cea(struct diameter_connection *c, uint32_t hop_by_hop, uint32_t end_to_end,
                          uint32_t result, struct bytes failed_avp);

/* Judges a CER: true when it is good and *peer, added if need be, is who sent it. Otherwise it has
 * been refused, and the connection closes. `told` is good during this dispatch. */
bool capabilities_read_cer(struct diameter_connection *c, const struct diameter_envelope *envelope,
                           struct bytes whole, struct capabilities *told,
                           struct diameter_peer **peer);
/* The same for the CEA to our CER: NULL, or what is wrong. */
const char *capabilities_read_cea(struct diameter_connection *c, struct bytes whole,
                                  struct capabilities *told);
/* From now on the peer is one that can do this. */
void capabilities_learn(struct diameter_peer *peer, const struct capabilities *told);

/* ---- Node ---- */

/* A request of ours that waits for its answer; lies on the fiber's stack. */
struct diameter_outstanding {
    struct await await;
    struct diameter_peer *peer;
    const struct diameter_connection *connection;
    uint32_t application;
    struct bytes host, realm;
    uint32_t slot;
    bool waiting;
    char subject[FIBER_SUBJECT_SIZE];
};

struct diameter_slot {
    struct diameter_outstanding *who; /* NULL: free */
    uint32_t hop_by_hop;              /* in use, or to be used next */
    uint32_t next_free;
};

struct duplicates;

struct diameter_node {
    const struct diameter_config *config;
    struct diameter_node_application applications[DIAMETER_MAX_APPLICATIONS];
    size_t application_count;
    const struct diameter_service *services;
    size_t service_count;
    void *owner;
    void (*peer_changed)(void *owner, struct bytes host, bool up);
    struct bytes host, realm, product_name;
    uint32_t origin_state_id;
    uint32_t session_high, session_low;
    uint32_t end_to_end, hop_by_hop;

    struct diameter_listener **listeners;
    size_t listener_count;
    struct diameter_connection *connections;
    uint32_t connection_count;
    struct diameter_peer *peers;
    uint32_t peer_count;
    size_t turn; /* where the search for the next peer begins */
    struct deferred sweep;

    struct diameter_slot *slots;
    uint32_t slot_count, slot_free;

    struct arena arena; /* of the message being dispatched */
    struct duplicates *duplicates;
    struct diameter_exchange *orphans; /* unanswered, and their connection is over */
    struct diameter_exchange *spare;   /* exchanges to be used again */
    uint32_t spare_count;

    bool stopping;
    struct timer stop_timer;
    void (*stopped)(void *owner);
    void *stopped_owner;
};

/* A whole message has come in; `whole` is good during the call. */
void node_receive(struct diameter_connection *c, struct bytes whole);
/* A peer is open now, or no more: routing has changed. */
void node_peer_open(struct diameter_peer *peer);
void node_peer_closed(struct diameter_peer *peer);
/* The peer is silent: what waits for it goes to others, where there are any. */
void node_failover(struct diameter_peer *peer);
uint32_t node_next_hop_by_hop(struct diameter_node *node);
uint32_t node_next_end_to_end(struct diameter_node *node);
/* By identity; NULL when unknown. */
struct diameter_peer *node_peer_find(struct diameter_node *node, struct bytes host);
struct diameter_peer *node_peer_add(struct diameter_node *node, struct bytes host,
                                    struct bytes realm);
void node_sweep_later(struct diameter_node *node);

/* ---- Service ---- */

/* A request of an application. */
void service_receive(struct diameter_connection *c, const struct diameter_envelope *envelope,
                     struct bytes whole);
/* The connection is over: its exchanges have nobody to be answered to. */
void service_forget_connection(struct diameter_connection *c);
void service_free(struct diameter_node *node);

#endif
