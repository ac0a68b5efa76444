/*
 * pfcp_path.c -- see pfcp_path.h: PFCP's part of the request layer. What a broken message gets is
 * TS 29.244 clause 7.6.
 */
#include <errno.h>
#include <stdlib.h>

#include "link/pfcp_path.h"
#include "link/udp_inner.h"

/* Memory of one decoded message at most. */
#define DECODE_LIMIT 262144

struct pfcp_endpoint {
    struct udp_endpoint *udp;
    const struct pfcp_handler *handler;
    void *owner;
    uint32_t recovery_time_stamp;
    struct arena arena; /* of the message that is being handled */
    uint8_t scratch[PFCP_MESSAGE_SIZE];
};

/* The type that answers a request is the next one (clause 7.3). */
static uint8_t answer_type(uint8_t request)
{
    return (uint8_t)(request + 1);
}

static int read_head(struct bytes datagram, struct udp_head *head)
{
    struct reader r = reader_of_bytes(datagram);
    struct pfcp_header header;
    int err = pfcp_read_header(&r, &header);

    if (err < 0)
        return err;
    if (!pfcp_message_name(header.type))
        return -EOPNOTSUPP;
    bool is_request = pfcp_is_request(header.type);
    *head = (struct udp_head){
        .role = is_request ? UDP_ROLE_REQUEST : UDP_ROLE_ANSWER,
        .type = header.type,
        .sequence = header.sequence,
        .length = datagram.len,
    };
    if (!is_request && header.type != PFCP_VERSION_NOT_SUPPORTED_RESPONSE)
        head->answers = (uint8_t)(header.type - 1);
    return 0;
}

static void write_heartbeat_request(void *owner, struct writer *w, uint32_t sequence)
{
    const struct pfcp_endpoint *endpoint = owner;
    struct pfcp_header header = {.type = PFCP_HEARTBEAT_REQUEST, .sequence = sequence};
    struct pfcp_heartbeat_request request = {endpoint->recovery_time_stamp};

    pfcp_encode(w, &header, &request);
}

static const struct udp_protocol pfcp_protocol = {
    .name = "pfcp",
    .trace = TRACE_PFCP,
    .port = PFCP_PORT,
    .sequence_mask = 0xffffff,
    .recovery_bits = 32,
    .head = read_head,
    .write_probe = write_heartbeat_request,
};

int pfcp_answer(struct pfcp_endpoint *endpoint, uint32_t transaction, uint64_t seid,
                const void *body)
{
    struct writer w = writer_of(endpoint->scratch, sizeof(endpoint->scratch));
    struct udp_head head;

    if (!udp_transaction_head(endpoint->udp, transaction, &head))
        return -ENOENT;
    struct pfcp_header header = {
        .type = answer_type(head.type), .seid = seid, .sequence = head.sequence};
    int err = pfcp_encode(&w, &header, body);
    return err < 0 ? err : udp_answer(endpoint->udp, transaction, wr_view(&w));
}

/* Every response begins in one of three ways. */
int pfcp_refuse(struct pfcp_endpoint *endpoint, uint32_t transaction, uint64_t seid,
                enum pfcp_cause cause, uint16_t offending_ie)
{
    struct pfcp_node_id node_id = pfcp_own_node_id(endpoint);
    uint16_t *offending = offending_ie ? &offending_ie : NULL;
    uint8_t value = (uint8_t)cause;
    struct udp_head head;
    union {
        struct pfcp_pfd_management_response pfd_management;
        struct pfcp_association_setup_response association_setup;
        struct pfcp_association_update_response association_update;
        struct pfcp_association_release_response association_release;
        struct pfcp_node_report_response node_report;
        struct pfcp_session_set_deletion_response session_set_deletion;
        struct pfcp_session_establishment_response session_establishment;
        struct pfcp_session_modification_response session_modification;
        struct pfcp_session_deletion_response session_deletion;
        struct pfcp_session_report_response session_report;
    } body;

    if (!udp_transaction_head(endpoint->udp, transaction, &head))
        return -ENOENT;
    memset(&body, 0, sizeof(body));
    switch (head.type) {
    case PFCP_PFD_MANAGEMENT_REQUEST:
        body.pfd_management = (struct pfcp_pfd_management_response){value, offending};
        break;
    case PFCP_ASSOCIATION_SETUP_REQUEST:
        body.association_setup = (struct pfcp_association_setup_response){
            .node_id = node_id,
            .cause = value,
            .recovery_time_stamp = endpoint->recovery_time_stamp};
        break;
    case PFCP_ASSOCIATION_UPDATE_REQUEST:
        body.association_update =
            (struct pfcp_association_update_response){.node_id = node_id, .cause = value};
        break;
    case PFCP_ASSOCIATION_RELEASE_REQUEST:
        body.association_release = (struct pfcp_association_release_response){node_id, value};
        break;
    case PFCP_NODE_REPORT_REQUEST:
        body.node_report = (struct pfcp_node_report_response){node_id, value, offending};
        break;
    case PFCP_SESSION_SET_DELETION_REQUEST:
        body.session_set_deletion =
            (struct pfcp_session_set_deletion_response){node_id, value, offending};
        break;
    case PFCP_SESSION_ESTABLISHMENT_REQUEST:
        body.session_establishment = (struct pfcp_session_establishment_response){
            .node_id = node_id, .cause = value, .offending_ie = offending};
        break;
    case PFCP_SESSION_MODIFICATION_REQUEST:
        body.session_modification =
            (struct pfcp_session_modification_response){.cause = value, .offending_ie = offending};
        break;
    case PFCP_SESSION_DELETION_REQUEST:
        body.session_deletion =
            (struct pfcp_session_deletion_response){.cause = value, .offending_ie = offending};
        break;
    case PFCP_SESSION_REPORT_REQUEST:
        body.session_report =
            (struct pfcp_session_report_response){.cause = value, .offending_ie = offending};
        break;
    default:
        return -EINVAL;
    }
    return pfcp_answer(endpoint, transaction, seid, &body);
}

static void refuse_broken(struct pfcp_endpoint *endpoint, uint32_t transaction,
                          const struct pfcp_message *message, const struct wire_fault *fault)
{
    uint64_t seid = 0;

    if (message->header.type == PFCP_SESSION_ESTABLISHMENT_REQUEST && message->body)
        seid = ((const struct pfcp_session_establishment_request *)message->body)->cp_f_seid.seid;
    else if (endpoint->handler->peer_seid && message->header.has_seid)
        seid = endpoint->handler->peer_seid(endpoint->owner, message);
    pfcp_refuse(endpoint, transaction, seid, pfcp_fault_cause(fault), (uint16_t)fault->id);
}

/* The recovery time stamp in messages that have one. */
static void note_recovery(struct udp_peer *peer, const struct pfcp_message *message)
{
    uint32_t stamp;

    if (!message->body)
        return;
    if (message->header.type == PFCP_HEARTBEAT_REQUEST)
        stamp = ((const struct pfcp_heartbeat_request *)message->body)->recovery_time_stamp;
    else if (message->header.type == PFCP_ASSOCIATION_SETUP_REQUEST)
        stamp = ((const struct pfcp_association_setup_request *)message->body)->recovery_time_stamp;
    else if (message->header.type == PFCP_ASSOCIATION_SETUP_RESPONSE)
        stamp =
            ((const struct pfcp_association_setup_response *)message->body)->recovery_time_stamp;
    else
        return;
    udp_peer_note_recovery(peer, stamp, false);
}

static void take_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                         const struct udp_head *head, struct bytes datagram)
{
    static struct log_limit limit;
    struct pfcp_endpoint *endpoint = owner;
    struct pfcp_message message = {0};
    struct wire_fault fault = {0};

    arena_reset(&endpoint->arena);
    int err = pfcp_decode(datagram, &endpoint->arena, &message.header, &message.body, &fault);
    if (trace_is_on()) {
        const char *subject = endpoint->handler->subject && message.body
                                  ? endpoint->handler->subject(endpoint->owner, &message)
                                  : "";
        udp_trace_received(peer, subject, datagram);
    }
    if (err < 0) {
        log_limited(&limit, LOG_WARN, "%s from %s is broken: element %u",
                    pfcp_message_name(head->type), udp_peer_name(peer), fault.id);
        if (err == -ENOMEM && fault.kind == WIRE_FAULT_NONE)
            fault.kind = WIRE_FAULT_NO_MEMORY;
        refuse_broken(endpoint, transaction, &message, &fault);
        return;
    }
    note_recovery(peer, &message);
    if (head->type == PFCP_HEARTBEAT_REQUEST)
        pfcp_answer(endpoint, transaction, 0,
                    &(struct pfcp_heartbeat_response){endpoint->recovery_time_stamp});
    else
        endpoint->handler->request(endpoint->owner, peer, transaction, &message);
}

/* Clause 7.6.4.1. */
static void take_malformed(void *owner, const struct sockaddr *from, struct bytes datagram,
                           int error)
{
    struct pfcp_endpoint *endpoint = owner;
    struct writer w = writer_of(endpoint->scratch, sizeof(endpoint->scratch));
    struct reader r = reader_of_bytes(datagram);
    struct pfcp_header header;

    if (error != -EPROTONOSUPPORT)
        return;
    (void)pfcp_read_header(&r, &header);
    if (!pfcp_is_request(header.type)) /* never answer an answer */
        return;
    header = (struct pfcp_header){.type = PFCP_VERSION_NOT_SUPPORTED_RESPONSE,
                                  .sequence = header.sequence};
    if (pfcp_encode(&w, &header, &(struct pfcp_version_not_supported_response){0}) == 0)
        udp_notify(endpoint->udp, from, wr_view(&w));
}

static void take_heartbeat_response(void *owner, struct udp_peer *peer, struct bytes datagram)
{
    struct pfcp_endpoint *endpoint = owner;
    struct pfcp_message message = {0};
    struct wire_fault fault = {0};

    arena_reset(&endpoint->arena);
    if (pfcp_decode(datagram, &endpoint->arena, &message.header, &message.body, &fault) == 0 &&
        message.header.type == PFCP_HEARTBEAT_RESPONSE)
        udp_peer_note_recovery(
            peer, ((const struct pfcp_heartbeat_response *)message.body)->recovery_time_stamp,
            true);
}

static void peer_restarted(void *owner, struct udp_peer *peer)
{
    struct pfcp_endpoint *endpoint = owner;

    log_warn("PFCP peer %s has started anew", udp_peer_name(peer));
    if (endpoint->handler->peer_restarted)
        endpoint->handler->peer_restarted(endpoint->owner, peer);
}

static void peer_down(void *owner, struct udp_peer *peer)
{
    struct pfcp_endpoint *endpoint = owner;

    log_warn("PFCP peer %s does not answer", udp_peer_name(peer));
    if (endpoint->handler->peer_down)
        endpoint->handler->peer_down(endpoint->owner, peer);
}

static void peer_up(void *owner, struct udp_peer *peer)
{
    struct pfcp_endpoint *endpoint = owner;

    log_info("PFCP peer %s is back", udp_peer_name(peer));
    if (endpoint->handler->peer_up)
        endpoint->handler->peer_up(endpoint->owner, peer);
}

static const struct udp_handler udp_handler = {
    .request = take_request,
    .malformed = take_malformed,
    .probe_answered = take_heartbeat_response,
    .peer_restarted = peer_restarted,
    .peer_down = peer_down,
    .peer_up = peer_up,
};

/* For trace_set_printer(). */
static void print_message(struct bytes datagram, struct text *t)
{
    struct pfcp_header header;
    struct wire_fault fault = {0};
    struct arena arena;
    void *body = NULL;

    arena_init(&arena, DECODE_LIMIT);
    int err = pfcp_decode(datagram, &arena, &header, &body, &fault);
    if (body)
        pfcp_print(t, &header, body);
    else
        text_add(t, "not PFCP: %zu octets", datagram.len);
    if (body && err < 0)
        text_add(t, " broken: element %u", fault.id);
    arena_free(&arena);
}

int pfcp_open(const struct sockaddr *local, const struct udp_settings *settings,
              uint32_t recovery_time_stamp, const struct pfcp_handler *handler, void *owner,
              struct pfcp_endpoint **endpoint)
{
    struct pfcp_endpoint *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    e->handler = handler;
    e->owner = owner;
    e->recovery_time_stamp = recovery_time_stamp;
    arena_init(&e->arena, DECODE_LIMIT);
    int err = udp_endpoint_open(local, &pfcp_protocol, settings, &udp_handler, e, &e->udp);
    if (err < 0) {
        free(e);
        return err;
    }
    trace_set_printer(TRACE_PFCP, print_message);
    *endpoint = e;
    return 0;
}

void pfcp_close(struct pfcp_endpoint *endpoint)
{
    udp_endpoint_close(endpoint->udp);
    arena_free(&endpoint->arena);
    free(endpoint);
}

struct udp_endpoint *pfcp_udp(struct pfcp_endpoint *endpoint)
{
    return endpoint->udp;
}

struct udp_peer *pfcp_peer(struct pfcp_endpoint *endpoint, const struct sockaddr *address)
{
    return udp_peer_at(endpoint->udp, address);
}

uint32_t pfcp_own_recovery(const struct pfcp_endpoint *endpoint)
{
    return endpoint->recovery_time_stamp;
}

struct pfcp_node_id pfcp_own_node_id(const struct pfcp_endpoint *endpoint)
{
    const struct sockaddr *own = udp_endpoint_address(endpoint->udp);

    if (own->sa_family == AF_INET6)
        return (struct pfcp_node_id){
            .type = PFCP_NODE_ID_IPV6,
            .ipv6 = ((const struct sockaddr_in6 *)(const void *)own)->sin6_addr};
    return pfcp_node_id_ipv4(((const struct sockaddr_in *)(const void *)own)->sin_addr);
}

struct pfcp_f_seid pfcp_own_f_seid(const struct pfcp_endpoint *endpoint, uint64_t seid)
{
    struct pfcp_node_id own = pfcp_own_node_id(endpoint);

    return (struct pfcp_f_seid){
        .seid = seid,
        .has_ipv4 = own.type == PFCP_NODE_ID_IPV4,
        .has_ipv6 = own.type == PFCP_NODE_ID_IPV6,
        .ipv4 = own.ipv4,
        .ipv6 = own.ipv6,
    };
}

/* Decodes the answer to a request of ours, in the fiber that waited for it. */
static int take_response(struct pfcp_endpoint *endpoint, uint32_t peer_id, struct bytes datagram,
                         struct pfcp_message **answer)
{
    static struct log_limit limit;
    struct udp_peer *peer = udp_peer_get(endpoint->udp, peer_id);
    struct wire_fault fault = {0};

    arena_reset(&endpoint->arena);
    struct pfcp_message *message = arena_alloc(&endpoint->arena, sizeof(*message));
    if (!message)
        return -ENOMEM;
    int err = pfcp_decode(datagram, &endpoint->arena, &message->header, &message->body, &fault);
    if (message->header.type == PFCP_VERSION_NOT_SUPPORTED_RESPONSE)
        return -EPROTONOSUPPORT;
    if (err < 0) {
        log_limited(&limit, LOG_WARN, "%s from %s is broken: element %u",
                    pfcp_message_name(message->header.type), peer ? udp_peer_name(peer) : "?",
                    fault.id);
        return -EBADMSG;
    }
    if (peer)
        note_recovery(peer, message);
    *answer = message;
    return 0;
}

int pfcp_request(struct udp_peer *peer, uint64_t seid, enum pfcp_message_type type,
                 const void *body, struct pfcp_message **answer)
{
    struct pfcp_endpoint *endpoint = udp_peer_endpoint(peer)->owner;
    struct writer w = writer_of(endpoint->scratch, sizeof(endpoint->scratch));
    struct pfcp_header header = {
        .type = (uint8_t)type, .seid = seid, .sequence = udp_next_sequence(endpoint->udp)};
    uint32_t peer_id = udp_peer_id(peer);
    struct bytes datagram;
    int err = pfcp_encode(&w, &header, body);

    if (err < 0)
        return err;
    err = udp_request(peer, header.type, header.sequence, wr_view(&w), &datagram);
    return err < 0 ? err : take_response(endpoint, peer_id, datagram, answer);
}
