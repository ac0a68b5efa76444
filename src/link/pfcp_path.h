/*
 * pfcp_path.h -- PFCP between a control plane (S-GW, P-GW) and a user plane: requests that wait,
 * requests to be answered, peers that are watched. The twin of link/gtpc_path.h; both stand on
 * link/udp_request.h.
 *
 * Both sides open an endpoint. In a fiber:
 *
 *     struct pfcp_message *answer;
 *     err = pfcp_request(peer, seid, PFCP_SESSION_ESTABLISHMENT_REQUEST, &request, &answer);
 *     if (err == 0) { struct pfcp_session_establishment_response *response = answer->body; ...
 *
 * Peers' requests come decoded to the handler with a transaction id, for pfcp_answer() or
 * pfcp_refuse(). Decoded messages live in the endpoint's arena: until the handler returns or the
 * fiber waits.
 *
 * Done here: sequence numbers, retransmission, duplicates, Heartbeats (answered; sent to peers in
 * use), Version Not Supported, broken requests (refused with the cause of TS 29.244 clause 7.6,
 * unknown ones dropped), the peer's recovery time stamp in Heartbeats and association messages, the
 * trace. Associations are the business of the two sides: pfcp_association.h has the control
 * plane's.
 *
 * The loop's thread only.
 */
#ifndef STROWGER_LINK_PFCP_PATH_H
#define STROWGER_LINK_PFCP_PATH_H

#include "link/udp_request.h"
#include "wire/pfcp/pfcp.h"

struct pfcp_endpoint;

struct pfcp_message {
    struct pfcp_header header;
    void *body; /* the struct of header.type */
};

/* `owner` is what the endpoint was opened with. */
struct pfcp_handler {
    /* Any request but Heartbeat. */
    void (*request)(void *owner, struct udp_peer *peer, uint32_t transaction,
                    const struct pfcp_message *request);
    /* Whom a request is about, for the trace: an IMSI, or "". Asked only while tracing; may be
     * NULL. */
    const char *(*subject)(void *owner, const struct pfcp_message *request);
    /* The SEID for the answer to a broken request; NULL or 0: unknown. */
    uint64_t (*peer_seid)(void *owner, const struct pfcp_message *request);
    /* The peer's recovery time stamp changed. For an Association Setup Request this is told before
     * request(). May be NULL, as the two below. */
    void (*peer_restarted)(void *owner, struct udp_peer *peer);
    /* No answers to Heartbeats; and: it has been heard again. */
    void (*peer_down)(void *owner, struct udp_peer *peer);
    void (*peer_up)(void *owner, struct udp_peer *peer);
};

/* `recovery_time_stamp` is pfcp_time() of our start (link/restart_counter.h makes one that really
 * changes). The node id is the endpoint's address. The handler must stay. 0 or negative errno. */
int pfcp_open(const struct sockaddr *local, const struct udp_settings *settings,
              uint32_t recovery_time_stamp, const struct pfcp_handler *handler, void *owner,
              struct pfcp_endpoint **endpoint);
void pfcp_close(struct pfcp_endpoint *endpoint);

/* For peers, counters and settings. */
struct udp_endpoint *pfcp_udp(struct pfcp_endpoint *endpoint);

/* The peer at an address (any port means 8805). See udp_peer_at(); a peer in use (udp_peer_use())
 * gets Heartbeats. */
struct udp_peer *pfcp_peer(struct pfcp_endpoint *endpoint, const struct sockaddr *address);

/* Our node id, our recovery time stamp, and an F-SEID of ours. */
struct pfcp_node_id pfcp_own_node_id(const struct pfcp_endpoint *endpoint);
uint32_t pfcp_own_recovery(const struct pfcp_endpoint *endpoint);
struct pfcp_f_seid pfcp_own_f_seid(const struct pfcp_endpoint *endpoint, uint64_t seid);

/* Sends a request and waits for its answer, in a fiber. `seid` is the peer's (ignored for node
 * messages). Errors as udp_request(), and -EBADMSG (a broken answer), -EPROTONOSUPPORT (the peer
 * does not know this version). */
int pfcp_request(struct udp_peer *peer, uint64_t seid, enum pfcp_message_type type,
                 const void *body, struct pfcp_message **answer);

/* Answers with the body of the answering type. 0; -ENOENT: the transaction is forgotten; -EMSGSIZE,
 * -ENOMEM. */
int pfcp_answer(struct pfcp_endpoint *endpoint, uint32_t transaction, uint64_t seid,
                const void *body);

/* Answers with a cause, our node id where the message needs one, and the offending element if not
 * 0. */
int pfcp_refuse(struct pfcp_endpoint *endpoint, uint32_t transaction, uint64_t seid,
                enum pfcp_cause cause, uint16_t offending_ie);

#endif
