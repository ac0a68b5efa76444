/*
 * gtpc_path.h -- GTPv2-C as MME, S-GW and P-GW use it: requests that wait, requests to be answered,
 * peers that are watched.
 *
 * A function opens one endpoint per address. In a fiber it asks:
 *
 *     struct gtpc_message *answer;
 *     err = gtpc_request(peer, teid, GTPC_CREATE_SESSION_REQUEST, &request, &answer);
 *     if (err == 0 && gtpc_cause_is_accepted(answer->create_session_response->cause.value)) ...
 *
 * and what peers ask comes to its handler, decoded, with a transaction id, which gtpc_answer() or
 * gtpc_refuse() takes, at once or from a fiber later. Decoded messages live in the endpoint's
 * arena: until the handler returns or the fiber waits.
 *
 * Done here and never seen by the function: sequence numbers, retransmission and duplicates
 * (link/udp_request.h), Echo, Version Not Supported, requests that are broken (refused with the
 * cause and the offending element of TS 29.274 clause 7.7, unknown messages dropped), the peer's
 * restart counter wherever it appears, the trace.
 *
 * The loop's thread only.
 */
#ifndef STROWGER_LINK_GTPC_PATH_H
#define STROWGER_LINK_GTPC_PATH_H

#include "link/udp_request.h"
#include "wire/gtp/gtp.h"

struct gtpc_endpoint;

/* `owner` is what the endpoint was opened with. */
struct gtpc_handler {
    /* A request, a command, or (transaction 0) a notification. Whoever takes it answers it once;
     * what is never answered is forgotten after a minute. */
    void (*request)(void *owner, struct udp_peer *peer, uint32_t transaction,
                    const struct gtpc_message *request);
    /* Whom a request is about, for the trace: an IMSI, or "". Asked only while tracing; NULL: the
     * message's IMSI. */
    const char *(*subject)(void *owner, const struct gtpc_message *request);
    /* The TEID for the answer to a broken request whose header names one of ours; 0 when unknown.
     * NULL: 0. */
    uint32_t (*peer_teid)(void *owner, const struct gtpc_message *request);
    /* The peer's restart counter changed: its contexts for us are gone (TS 23.007). May be NULL, as
     * the two below. */
    void (*peer_restarted)(void *owner, struct udp_peer *peer);
    /* No answers to Echo; and: it has been heard again. */
    void (*peer_down)(void *owner, struct udp_peer *peer);
    void (*peer_up)(void *owner, struct udp_peer *peer);
};

/* `recovery` is our own restart counter (link/restart_counter.h), `node_features` GTPC_NODE_...
 * flags for the Echo. The handler must stay. 0 or negative errno. */
int gtpc_open(const struct sockaddr *local, const struct udp_settings *settings, uint8_t recovery,
              uint8_t node_features, const struct gtpc_handler *handler, void *owner,
              struct gtpc_endpoint **endpoint);
void gtpc_close(struct gtpc_endpoint *endpoint);

/* For peers, counters and settings. */
struct udp_endpoint *gtpc_udp(struct gtpc_endpoint *endpoint);

/* The peer at an address (any port means 2123). See udp_peer_at(); count contexts with
 * udp_peer_use(). */
struct udp_peer *gtpc_peer(struct gtpc_endpoint *endpoint, const struct sockaddr *address);

/* The peer that an F-TEID names: its IPv4 address if it has one and the endpoint is IPv4, else
 * IPv6. NULL when neither fits. */
struct udp_peer *gtpc_peer_of(struct gtpc_endpoint *endpoint, const struct gtpc_f_teid *f_teid);

/* An F-TEID of ours: the endpoint's address. */
struct gtpc_f_teid gtpc_own_f_teid(const struct gtpc_endpoint *endpoint, uint8_t interface_type,
                                   uint32_t teid);

/* Our own restart counter, for Recovery elements; NULL unless this peer is to be told (first
 * contact). */
const uint8_t *gtpc_recovery_for(struct udp_peer *peer);

/* Node features of the peer (GTPC_NODE_...), as its last Echo told; 0 when unknown. */
uint8_t gtpc_peer_features(const struct udp_peer *peer);

/* Sends a request and waits for the answer, in a fiber. `body` is the struct of the type. On 0
 * *answer is the decoded answer, in the endpoint's arena until the fiber's next wait. Errors as
 * udp_request(), and:
 *
 *   -EBADMSG          the answer is broken (Cause "Invalid reply from remote peer")
 *   -EPROTONOSUPPORT  the peer says that it does not know GTPv2 */
int gtpc_request(struct udp_peer *peer, uint32_t teid, enum gtpc_message_type type,
                 const void *body, struct gtpc_message **answer);

/* Sends what has no answer, once. */
int gtpc_notify(struct udp_peer *peer, uint32_t teid, enum gtpc_message_type type,
                const void *body);

/* Answers with a body of the type that answers the request. 0; -ENOENT: the transaction is
 * forgotten; -EMSGSIZE, -ENOMEM. */
int gtpc_answer(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                const void *body);

/* Answers with a cause alone. */
int gtpc_refuse(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                enum gtpc_cause_value cause);

/* The same with all of the cause. */
int gtpc_refuse_with(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                     const struct gtpc_cause *cause);

#endif
