/*
 * gtpc_path.c -- see gtpc_path.h: GTPv2-C's part of the request layer. What a broken message gets
 * is TS 29.274 clause 7.7; what is an answer and what a request comes from the table of messages in
 * wire/gtp.
 */
#include <errno.h>
#include <stdlib.h>

#include "link/gtpc_path.h"
#include "link/udp_inner.h"

/* Memory of one decoded message at most. */
#define DECODE_LIMIT 65536

struct gtpc_endpoint {
    struct udp_endpoint *udp;
    const struct gtpc_handler *handler;
    void *owner;
    uint8_t recovery;
    uint8_t node_features;
    struct arena arena; /* of the message that is being handled */
    uint8_t scratch[GTPC_MESSAGE_SIZE];
};

static int read_head(struct bytes datagram, struct udp_head *head)
{
    static const enum udp_role roles[] = {
        [GTPC_REQUEST] = UDP_ROLE_REQUEST,
        [GTPC_RESPONSE] = UDP_ROLE_ANSWER,
        [GTPC_NOTIFICATION] = UDP_ROLE_NOTIFICATION,
        [GTPC_COMMAND] = UDP_ROLE_REQUEST,
    };
    struct gtpc_header header;
    struct bytes body, rest;
    int err = gtpc_read_header(datagram, &header, &body, &rest);

    if (err < 0)
        return err;
    const struct gtpc_kind *kind = gtpc_kind(header.type);
    if (!kind)
        return -EOPNOTSUPP;
    *head = (struct udp_head){
        .role = roles[kind->role],
        .type = header.type,
        .sequence = header.sequence,
        .length = datagram.len - rest.len,
    };
    if (kind->role == GTPC_RESPONSE && header.type != GTPC_VERSION_NOT_SUPPORTED)
        head->answers = (uint8_t)(header.type - 1); /* as all pairs of clause 6.1 are numbered */
    return 0;
}

static void write_echo_request(void *owner, struct writer *w, uint32_t sequence)
{
    const struct gtpc_endpoint *endpoint = owner;
    struct gtpc_header header = {.type = GTPC_ECHO_REQUEST, .sequence = sequence};
    struct gtpc_echo echo = {.recovery = endpoint->recovery,
                             .node_features =
                                 endpoint->node_features ? &endpoint->node_features : NULL};

    gtpc_encode(w, &header, &echo);
}

static const struct udp_protocol gtpc_protocol = {
    .name = "gtpc",
    .trace = TRACE_GTPC,
    .port = GTPC_PORT,
    .sequence_mask = GTPC_COMMAND_SEQUENCE - 1,
    .recovery_bits = 8,
    .head = read_head,
    .write_probe = write_echo_request,
};

static int send_answer(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                       const void *body, const struct gtpc_cause *cause)
{
    struct writer w = writer_of(endpoint->scratch, sizeof(endpoint->scratch));
    struct udp_head head;

    if (!udp_transaction_head(endpoint->udp, transaction, &head))
        return -ENOENT;
    struct gtpc_header header = {
        .type = gtpc_kind(head.type)->answer, .teid = teid, .sequence = head.sequence};
    int err = cause ? gtpc_encode_refusal(&w, &header, cause) : gtpc_encode(&w, &header, body);
    return err < 0 ? err : udp_answer(endpoint->udp, transaction, wr_view(&w));
}

int gtpc_answer(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                const void *body)
{
    return send_answer(endpoint, transaction, teid, body, NULL);
}

int gtpc_refuse_with(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                     const struct gtpc_cause *cause)
{
    return send_answer(endpoint, transaction, teid, NULL, cause);
}

int gtpc_refuse(struct gtpc_endpoint *endpoint, uint32_t transaction, uint32_t teid,
                enum gtpc_cause_value cause)
{
    return gtpc_refuse_with(endpoint, transaction, teid,
                            &(struct gtpc_cause){.value = (uint8_t)cause});
}

static void take_echo_request(struct gtpc_endpoint *endpoint, struct udp_peer *peer,
                              uint32_t transaction, const struct gtpc_message *message)
{
    struct gtpc_echo echo = {.recovery = endpoint->recovery,
                             .node_features =
                                 endpoint->node_features ? &endpoint->node_features : NULL};

    if (message->echo->node_features)
        *udp_peer_features(peer) = *message->echo->node_features;
    gtpc_answer(endpoint, transaction, 0, &echo);
}

/* The TEID that the request wants to be answered at: in its Sender F-TEID, if it has one. */
static uint32_t sender_teid(const struct gtpc_message *message)
{
    const struct gtpc_f_teid *sender = gtpc_find_value(message, GTPC_IE_F_TEID, 0);

    return sender ? sender->teid : 0;
}

static void refuse_broken(struct gtpc_endpoint *endpoint, uint32_t transaction,
                          const struct gtpc_message *message, int error)
{
    struct gtpc_cause cause = {.value = GTPC_CAUSE_NO_MEMORY_AVAILABLE};
    uint32_t teid = 0;

    if (error == -EINVAL) {
        cause = gtpc_cause_of_fault(&message->fault);
        teid = sender_teid(message);
    }
    if (teid == 0 && endpoint->handler->peer_teid)
        teid = endpoint->handler->peer_teid(endpoint->owner, message);
    gtpc_refuse_with(endpoint, transaction, teid, &cause);
}

static const char *subject_of(const struct gtpc_endpoint *endpoint,
                              const struct gtpc_message *message)
{
    const char *subject = "";

    if (endpoint->handler->subject && message->body)
        subject = endpoint->handler->subject(endpoint->owner, message);
    if (*subject == '\0' && message->header.type == GTPC_CREATE_SESSION_REQUEST && message->body &&
        message->create_session_request->imsi)
        subject = message->create_session_request->imsi;
    return subject;
}

static void take_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                         const struct udp_head *head, struct bytes datagram)
{
    static struct log_limit limit;
    struct gtpc_endpoint *endpoint = owner;
    struct gtpc_message message;

    arena_reset(&endpoint->arena);
    int err = gtpc_decode(datagram, &endpoint->arena, &message);
    if (trace_is_on())
        udp_trace_received(peer, subject_of(endpoint, &message), datagram);
    if (err < 0) {
        log_limited(&limit, LOG_WARN, "%s from %s is broken: element %u instance %u",
                    gtpc_message_name(head->type), udp_peer_name(peer), message.fault.id,
                    message.fault.instance);
        if (transaction)
            refuse_broken(endpoint, transaction, &message, err);
        return;
    }
    if (message.recovery)
        udp_peer_note_recovery(peer, *message.recovery, false);
    if (head->type == GTPC_ECHO_REQUEST)
        take_echo_request(endpoint, peer, transaction, &message);
    else
        endpoint->handler->request(endpoint->owner, peer, transaction, &message);
}

/* Only a version above ours is told about it (clause 7.7.2). */
static void take_malformed(void *owner, const struct sockaddr *from, struct bytes datagram,
                           int error)
{
    struct gtpc_endpoint *endpoint = owner;
    struct writer w = writer_of(endpoint->scratch, sizeof(endpoint->scratch));
    struct gtpc_header header;
    struct bytes body, rest;

    if (error != -EPROTONOSUPPORT || datagram.at[0] >> 5 < 3)
        return;
    (void)gtpc_read_header(datagram, &header, &body, &rest);
    gtpc_encode_version_not_supported(&w, header.sequence);
    udp_notify(endpoint->udp, from, wr_view(&w));
}

static void take_echo_response(void *owner, struct udp_peer *peer, struct bytes datagram)
{
    struct gtpc_endpoint *endpoint = owner;
    struct gtpc_message message;

    arena_reset(&endpoint->arena);
    if (gtpc_decode(datagram, &endpoint->arena, &message) < 0 ||
        message.header.type != GTPC_ECHO_RESPONSE)
        return;
    *udp_peer_features(peer) = message.echo->node_features ? *message.echo->node_features : 0;
    udp_peer_note_recovery(peer, message.echo->recovery, true);
}

static void peer_restarted(void *owner, struct udp_peer *peer)
{
    struct gtpc_endpoint *endpoint = owner;

    log_warn("GTP-C peer %s has started anew", udp_peer_name(peer));
    if (endpoint->handler->peer_restarted)
        endpoint->handler->peer_restarted(endpoint->owner, peer);
}

static void peer_down(void *owner, struct udp_peer *peer)
{
    struct gtpc_endpoint *endpoint = owner;

    log_warn("GTP-C peer %s does not answer", udp_peer_name(peer));
    if (endpoint->handler->peer_down)
        endpoint->handler->peer_down(endpoint->owner, peer);
}

static void peer_up(void *owner, struct udp_peer *peer)
{
    struct gtpc_endpoint *endpoint = owner;

    log_info("GTP-C peer %s is back", udp_peer_name(peer));
    if (endpoint->handler->peer_up)
        endpoint->handler->peer_up(endpoint->owner, peer);
}

static const struct udp_handler udp_handler = {
    .request = take_request,
    .malformed = take_malformed,
    .probe_answered = take_echo_response,
    .peer_restarted = peer_restarted,
    .peer_down = peer_down,
    .peer_up = peer_up,
};

int gtpc_open(const struct sockaddr *local, const struct udp_settings *settings, uint8_t recovery,
              uint8_t node_features, const struct gtpc_handler *handler, void *owner,
              struct gtpc_endpoint **endpoint)
{
    struct gtpc_endpoint *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    e->handler = handler;
    e->owner = owner;
    e->recovery = recovery;
    e->node_features = node_features;
    arena_init(&e->arena, DECODE_LIMIT);
    int err = udp_endpoint_open(local, &gtpc_protocol, settings, &udp_handler, e, &e->udp);
    if (err < 0) {
        free(e);
        return err;
    }
    trace_set_printer(TRACE_GTPC, gtpc_trace_printer);
    *endpoint = e;
    return 0;
}

void gtpc_close(struct gtpc_endpoint *endpoint)
{
    udp_endpoint_close(endpoint->udp);
    arena_free(&endpoint->arena);
    free(endpoint);
}

struct udp_endpoint *gtpc_udp(struct gtpc_endpoint *endpoint)
{
    return endpoint->udp;
}

struct udp_peer *gtpc_peer(struct gtpc_endpoint *endpoint, const struct sockaddr *address)
{
    return udp_peer_at(endpoint->udp, address);
}

struct udp_peer *gtpc_peer_of(struct gtpc_endpoint *endpoint, const struct gtpc_f_teid *f_teid)
{
    union udp_address address = {0};

    address.sa.sa_family = udp_endpoint_address(endpoint->udp)->sa_family;
    if (address.sa.sa_family == AF_INET && f_teid->has_ipv4)
        address.in.sin_addr = f_teid->ipv4;
    else if (address.sa.sa_family == AF_INET6 && f_teid->has_ipv6)
        address.in6.sin6_addr = f_teid->ipv6;
    else
        return NULL;
    return udp_peer_at(endpoint->udp, &address.sa);
}

struct gtpc_f_teid gtpc_own_f_teid(const struct gtpc_endpoint *endpoint, uint8_t interface_type,
                                   uint32_t teid)
{
    return gtpc_f_teid_of(interface_type, teid, udp_endpoint_address(endpoint->udp));
}

const uint8_t *gtpc_recovery_for(struct udp_peer *peer)
{
    const struct gtpc_endpoint *endpoint = udp_peer_endpoint(peer)->owner;

    return udp_peer_is_new(peer) ? &endpoint->recovery : NULL;
}

uint8_t gtpc_peer_features(const struct udp_peer *peer)
{
    return (uint8_t)peer->features;
}

/* Decodes the answer to a request of ours, in the fiber that waited for it. */
static int take_response(struct gtpc_endpoint *endpoint, uint32_t peer_id, struct bytes datagram,
                         struct gtpc_message **answer)
{
    static struct log_limit limit;
    struct udp_peer *peer = udp_peer_get(endpoint->udp, peer_id);

    arena_reset(&endpoint->arena);
    struct gtpc_message *message = arena_alloc(&endpoint->arena, sizeof(*message));
    if (!message)
        return -ENOMEM;
    int err = gtpc_decode(datagram, &endpoint->arena, message);
    if (message->header.type == GTPC_VERSION_NOT_SUPPORTED)
        return -EPROTONOSUPPORT;
    if (err < 0) {
        log_limited(&limit, LOG_WARN, "%s from %s is broken: element %u instance %u",
                    gtpc_message_name(message->header.type), peer ? udp_peer_name(peer) : "?",
                    message->fault.id, message->fault.instance);
        return -EBADMSG;
    }
    if (peer && message->recovery)
        udp_peer_note_recovery(peer, *message->recovery, false);
    *answer = message;
    return 0;
}

int gtpc_request(struct udp_peer *peer, uint32_t teid, enum gtpc_message_type type,
                 const void *body, struct gtpc_message **answer)
{
    struct gtpc_endpoint *endpoint = udp_peer_endpoint(peer)->owner;
    struct writer w = writer_of(endpoint->scratch, sizeof(endpoint->scratch));
    struct gtpc_header header = {
        .type = (uint8_t)type, .teid = teid, .sequence = udp_next_sequence(endpoint->udp)};
    uint32_t peer_id = udp_peer_id(peer);
    struct bytes datagram;

    if (gtpc_kind(header.type) && gtpc_kind(header.type)->role == GTPC_COMMAND)
        header.sequence |= GTPC_COMMAND_SEQUENCE;
    int err = gtpc_encode(&w, &header, body);
    if (err < 0)
        return err;
    err = udp_request(peer, header.type, header.sequence, wr_view(&w), &datagram);
    return err < 0 ? err : take_response(endpoint, peer_id, datagram, answer);
}

int gtpc_notify(struct udp_peer *peer, uint32_t teid, enum gtpc_message_type type, const void *body)
{
    struct gtpc_endpoint *endpoint = udp_peer_endpoint(peer)->owner;
    struct writer w = writer_of(endpoint->scratch, sizeof(endpoint->scratch));
    struct gtpc_header header = {
        .type = (uint8_t)type, .teid = teid, .sequence = udp_next_sequence(endpoint->udp)};

    if (gtpc_kind(header.type) && gtpc_kind(header.type)->role == GTPC_COMMAND)
        header.sequence |= GTPC_COMMAND_SEQUENCE;
    int err = gtpc_encode(&w, &header, body);
    return err < 0 ? err : udp_notify(endpoint->udp, udp_peer_address(peer), wr_view(&w));
}
