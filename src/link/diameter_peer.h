/*
 * diameter_peer.h -- a Diameter node: its peers, its transactions, its answers (RFC 6733, RFC
 * 3539).
 *
 * What: a node is one Diameter identity in this process. It listens, connects to configured peers,
 * exchanges capabilities, watches the connections, and carries requests in both directions for the
 * applications it supports. It is an endpoint: it routes its own requests to peers, and refuses,
 * with the specification's result code, requests that are for somebody else. TCP and SCTP.
 *
 * As client: diameter_request() waits in a fiber until the answer is there. It chooses the peer
 * (Destination-Host, else the realm), matches the answer, and when a peer is lost or silent, sends
 * the request again to another peer of the realm with the T bit. Answers are views into the
 * received message: good until the fiber's next wait.
 *
 * As server: diameter_serve() names a handler per command. It gets the decoded request and an
 * exchange, which it answers at once or later (from a fiber), exactly once. Requests that are
 * broken, misrouted, for unknown commands, or repeated (T bit, same Origin-Host and End-to-End
 * Identifier) never reach a handler.
 *
 * A connection whose peer sends what is no Diameter message is closed; nothing else suffers.
 * Messages of one turn of the loop leave in one write. What a node holds for others is bounded:
 * outstanding requests, unanswered requests of a peer, bytes waiting to be sent, peers.
 *
 * Everything belongs to the loop's thread.
 */
#ifndef STROWGER_LINK_DIAMETER_PEER_H
#define STROWGER_LINK_DIAMETER_PEER_H

#include <jansson.h>
#include <sys/socket.h>

#include "base/config.h"
#include "wire/diameter/diameter.h"

struct diameter_node;
struct diameter_exchange;

enum diameter_transport {
    DIAMETER_TCP,
    DIAMETER_SCTP,
};

/* Where a node listens. */
struct diameter_listen_config {
    struct sockaddr_storage address;
    uint8_t transport; /* enum diameter_transport */
};

/* A peer that is known by name. */
struct diameter_peer_config {
    const char *host;                /* its DiameterIdentity */
    const char *realm;               /* the realm it serves; NULL: ours */
    struct sockaddr_storage address; /* where to connect; AF_UNSPEC: we wait for it */
    uint8_t transport;
};

/* The part of a function's section of the configuration file; read with diameter_config_schema. */
struct diameter_config {
    const char *host;  /* our DiameterIdentity: Origin-Host */
    const char *realm; /* Origin-Realm */
    struct {
        struct diameter_listen_config *at;
        size_t count;
    } listen;
    struct {
        struct diameter_peer_config *at;
        size_t count;
    } peers;
    bool accept_unknown_peers;   /* a peer that is not in the list, of our realm */
    uint32_t watchdog_ms;        /* Tw of RFC 3539: 30 s, at least 6 s outside tests */
    uint32_t reconnect_ms;       /* Tc of RFC 6733: attempts slow down to this pace */
    uint32_t connect_timeout_ms; /* until the connection is open, capabilities exchanged */
    uint32_t request_timeout_ms; /* for an answer, per attempt */
    uint32_t max_outstanding;    /* our requests without answer, per peer */
    uint32_t max_pending;        /* a peer's requests that we have not answered */
    uint32_t max_peers;          /* unknown peers included */
    uint64_t max_message_bytes;  /* a longer message closes the connection */
    uint64_t max_queue_bytes;    /* to a peer that does not read */
};

extern const struct config_schema diameter_config_schema;

/* The schema's defaults, for nodes that are not made from a file. */
struct diameter_config diameter_config_default(void);

/* An application the node supports; vendor 0 for those without vendor. */
struct diameter_node_application {
    uint32_t vendor;
    uint32_t application;
};

/* A handler gets the decoded request (the struct of s6a.h, valid until it returns or the fiber it
 * starts first waits) and must see that diameter_answer() or diameter_refuse() is called for the
 * exchange, once, however late. */
typedef void (*diameter_handler)(struct diameter_exchange *exchange, void *request, void *owner);

struct diameter_service {
    const struct diameter_message *request;
    diameter_handler handle;
};

struct diameter_node_settings {
    const struct diameter_config *config; /* stays until the node is gone */
    const struct diameter_node_application *applications;
    size_t application_count;
    const struct diameter_service *services; /* stays until the node is gone */
    size_t service_count;
    const char *product_name; /* NULL: "Strowger" */
    void *owner;              /* handed to the handlers */
    /* A peer has come into service or gone out of it. May be NULL. `host` is valid during the call.
     */
    void (*peer_changed)(void *owner, struct bytes host, bool up);
};

/* Starts listening and connecting. 0 or a negative errno with the reason logged (-EADDRINUSE,
 * -EINVAL, ...). */
int diameter_node_start(const struct diameter_node_settings *settings, struct diameter_node **node);

/* Says good-bye (Disconnect-Peer-Request) to all peers, frees the node when they have answered or
 * after half a second, and then calls `stopped`. Requests that wait end with -ECANCELED. */
void diameter_node_stop(struct diameter_node *node, enum diameter_disconnect_cause cause,
                        void (*stopped)(void *owner), void *owner);

/* Frees the node now, without good-bye. Not from one of its callbacks. */
void diameter_node_free(struct diameter_node *node);

/* Sends the request and waits for its answer, at most timeout_ms (0: as configured) per attempt;
 * only in a fiber.
 *
 * `request` and `answer` are the structs that belong to `message` and message->answer. The node
 * fills in the head what is empty: Session-Id, Origin-Host, Origin-Realm, Destination-Realm (ours),
 * Auth-Session-State (NO_STATE_MAINTAINED, always) and Vendor-Specific-Application-Id (of the
 * message's application).
 *
 * 0: the answer is filled, be it success or failure: ask diameter_result_of(&answer->head).
 * -EHOSTUNREACH: no open connection to a peer that could deliver it
 * -ENOBUFS: too many requests outstanding or bytes queued
 * -ETIMEDOUT: no answer
 * -EBADMSG: the answer could not be decoded, or told no result
 * -EMSGSIZE: the request does not fit a message
 * -ECANCELED: the fiber was cancelled, or the node stops */
int diameter_request(struct diameter_node *node, const struct diameter_message *message,
                     void *request, void *answer, uint32_t timeout_ms);

/* True when a request to this host (empty: any peer of the realm) could leave now. */
bool diameter_is_reachable(const struct diameter_node *node, struct bytes host, struct bytes realm);

/* Answers. `answer` is the struct of the request's answer; its head's Session-Id, origin,
 * Proxy-Info and Auth-Session-State are filled here, the result must be set
 * (diameter_set_result()). The exchange is gone then, also when the peer is, in which case nothing
 * is sent. 0 or negative errno (-ENOTCONN, -EMSGSIZE, -ENOBUFS). */
int diameter_answer(struct diameter_exchange *exchange, void *answer);

/* Answers with nothing but a result: for 3xxx the error form of RFC 6733 clause 7.2. `message` may
 * be NULL. */
int diameter_refuse(struct diameter_exchange *exchange, enum diameter_result result,
                    const char *message);

/* The node that the exchange belongs to. */
struct diameter_node *diameter_exchange_node(const struct diameter_exchange *exchange);

/* Where the node's n-th listener really listens (port 0 in the configuration: any). 0 or -ENOENT.
 */
int diameter_node_address(const struct diameter_node *node, size_t n,
                          struct sockaddr_storage *address);

/* [{"host":, "realm":, "state": "I-Open", "watchdog": "okay", "address":, "transport":,
 * "requests_sent":, ...}] */
json_t *diameter_node_state(const struct diameter_node *node);

/* For the message trace: trace_set_printer(TRACE_DIAMETER, diameter_trace_print). */
void diameter_trace_print(struct bytes message, struct text *t);

#endif
