/*
 * diameter_node.c -- the node: its configuration, its peers, and the requests it sends.
 *
 * A request is a fiber that stands in diameter_request() with a struct diameter_outstanding on its
 * stack. The Hop-by-Hop Identifier names a slot of a table, and changes each time the slot is used,
 * so an answer finds its request in one step, and a late or invented one finds nothing. When a peer
 * is lost, the requests that wait for it are woken with an error, and each fiber encodes its
 * request anew, with the T bit, for another peer: nothing needs to be kept for a retransmission but
 * the request itself, which is alive anyway.
 *
 * Routing (RFC 6733 clause 6.1, as far as an endpoint needs it): the peer named by
 * Destination-Host, else a peer of Destination-Realm, that supports the application; relay agents
 * stand in for hosts and realms that are not connected directly. Among several, those in good order
 * first, and in turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "link/diameter_inner.h"

#define DISPATCH_MEMORY (1024u * 1024u)
#define STOP_MS         500u
#define MAX_ATTEMPTS    4 /* of one request, at different peers */
#define SESSION_ID_SIZE 320
#define NO_SLOT         UINT32_MAX

struct metric diameter_metrics[DIAMETER_METRICS] = {
    [DIAMETER_MESSAGES_IN] = {"strowger_diameter_messages_total", "direction=\"in\"",
                              "Diameter messages", METRIC_COUNTER},
    [DIAMETER_MESSAGES_OUT] = {"strowger_diameter_messages_total", "direction=\"out\"", NULL,
                               METRIC_COUNTER},
    [DIAMETER_BYTES_IN] = {"strowger_diameter_bytes_total", "direction=\"in\"",
                           "Bytes of Diameter messages", METRIC_COUNTER},
    [DIAMETER_BYTES_OUT] = {"strowger_diameter_bytes_total", "direction=\"out\"", NULL,
                            METRIC_COUNTER},
    [DIAMETER_WRITES] = {"strowger_diameter_writes_total", NULL,
                         "Writes that carried the messages out", METRIC_COUNTER},
    [DIAMETER_REQUESTS] = {"strowger_diameter_requests_total", NULL, "Requests sent",
                           METRIC_COUNTER},
    [DIAMETER_RETRANSMISSIONS] = {"strowger_diameter_retransmissions_total", NULL,
                                  "Requests sent again to another peer", METRIC_COUNTER},
    [DIAMETER_TIMEOUTS] = {"strowger_diameter_timeouts_total", NULL,
                           "Requests that nobody answered", METRIC_COUNTER},
    [DIAMETER_STRAY_ANSWERS] = {"strowger_diameter_stray_answers_total", NULL,
                                "Answers that no request waited for", METRIC_COUNTER},
    [DIAMETER_REFUSALS] = {"strowger_diameter_refusals_total", NULL,
                           "Requests refused before a handler saw them", METRIC_COUNTER},
    [DIAMETER_DUPLICATES] = {"strowger_diameter_duplicates_total", NULL,
                             "Retransmitted requests that had been seen before", METRIC_COUNTER},
    [DIAMETER_GARBAGE] = {"strowger_diameter_garbage_total", NULL,
                          "Connections closed for bytes that are no Diameter", METRIC_COUNTER},
    [DIAMETER_PEERS_OPEN] = {"strowger_diameter_peers_open", NULL, "Peers in service",
                             METRIC_GAUGE},
};

/* ---- Peers and routing ---- */

struct diameter_peer *node_peer_find(struct diameter_node *node, struct bytes host)
{
    for (struct diameter_peer *peer = node->peers; peer; peer = peer->next) {
        if (diameter_identity_equal(diameter_text_of(peer->host), host))
            return peer;
    }
    return NULL;
}

static struct diameter_peer *add_peer(struct diameter_node *node,
                                      const struct diameter_peer_config *config, struct bytes host,
                                      struct bytes realm)
{
    struct diameter_peer *peer =
        node->peer_count < node->config->max_peers ? peer_new(node, config, host, realm) : NULL;

    if (!peer)
        return NULL;
    struct diameter_peer **last = &node->peers;
    while (*last)
        last = &(*last)->next;
    *last = peer;
    node->peer_count++;
    return peer;
}

struct diameter_peer *node_peer_add(struct diameter_node *node, struct bytes host,
                                    struct bytes realm)
{
    return add_peer(node, NULL, host, realm);
}

static void finish_stop(struct diameter_node *node);

/* At the end of the turn: frees unknown peers that have gone, and ends the node when its last peer
 * has. */
static void sweep(struct deferred *deferred)
{
    struct diameter_node *node = container_of(deferred, struct diameter_node, sweep);
    bool all_closed = true;

    for (struct diameter_peer **at = &node->peers; *at;) {
        struct diameter_peer *peer = *at;
        all_closed &= peer->state == PEER_CLOSED;
        if (!peer->gone || peer->state != PEER_CLOSED || peer->outstanding > 0) {
            at = &peer->next;
            continue;
        }
        *at = peer->next;
        node->peer_count--;
        peer_free(peer);
    }
    if (node->stopping && all_closed)
        finish_stop(node);
}

void node_sweep_later(struct diameter_node *node)
{
    loop_defer(&node->sweep, sweep);
}

static bool supports(const struct diameter_peer *peer, uint32_t application)
{
    for (size_t i = 0; i < peer->common_count; i++) {
        if (peer->common_applications[i] == application)
            return true;
    }
    return false;
}

/* How well a peer suits; 0: not at all. */
static unsigned suitability(const struct diameter_peer *peer, uint32_t application,
                            struct bytes host, struct bytes realm)
{
    static const unsigned order[] = {
        [WATCHDOG_OKAY] = 3, [WATCHDOG_REOPEN] = 2, [WATCHDOG_SUSPECT] = 1};

    if (!peer_is_open(peer) || !supports(peer, application))
        return 0;
    unsigned by_state = order[peer->watchdog_state];
    if (host.len > 0 && diameter_identity_equal(diameter_text_of(peer->host), host))
        return 20 + by_state;
    bool serves_realm = diameter_identity_equal(diameter_text_of(peer->realm), realm);
    if (host.len == 0 && serves_realm)
        return 10 + by_state;
    return peer->is_relay ? (serves_realm ? 3u : 0u) + by_state : 0;
}

/* The best peer for a request, but for `not_this`; equals are taken in turn. */
static struct diameter_peer *choose_peer(struct diameter_node *node, uint32_t application,
                                         struct bytes host, struct bytes realm,
                                         const struct diameter_peer *not_this)
{
    struct diameter_peer *best = NULL;
    unsigned best_suits = 0;
    size_t equals = 0;

    node->turn++;
    for (struct diameter_peer *peer = node->peers; peer; peer = peer->next) {
        unsigned suits = peer == not_this ? 0 : suitability(peer, application, host, realm);
        if (suits == 0 || suits < best_suits)
            continue;
        equals = suits == best_suits ? equals + 1 : 1;
        /* The n-th of n equals replaces its predecessor in every n-th turn. */
        if (equals == 1 || node->turn % equals == 0)
            best = peer;
        best_suits = suits;
    }
    return best;
}

bool diameter_is_reachable(const struct diameter_node *node, struct bytes host, struct bytes realm)
{
    struct bytes where = realm.len > 0 ? realm : node->realm;

    for (const struct diameter_peer *peer = node->peers; peer; peer = peer->next) {
        for (size_t i = 0; i < peer->common_count; i++) {
            if (suitability(peer, peer->common_applications[i], host, where) > 0)
                return true;
        }
    }
    return false;
}

/* ---- Outstanding requests ---- */

/* The base protocol's own requests need no slot, as their answers are told by the command; they
 * have the number of the last one, which is never used. */
uint32_t node_next_hop_by_hop(struct diameter_node *node)
{
    return node->hop_by_hop++ * node->slot_count + node->slot_count - 1;
}

uint32_t node_next_end_to_end(struct diameter_node *node)
{
    return node->end_to_end++;
}

/* The table is a power of two, so that identifiers stay right when they wrap, with at least one
 * slot to spare. */
static int slots_init(struct diameter_node *node)
{
    node->slot_count = 2;
    while (node->slot_count <= node->config->max_outstanding)
        node->slot_count *= 2;
    node->slots = calloc(node->slot_count, sizeof(*node->slots));
    if (!node->slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < node->config->max_outstanding; i++) {
        node->slots[i].next_free = i + 1 < node->config->max_outstanding ? i + 1 : NO_SLOT;
        node->slots[i].hop_by_hop = node->hop_by_hop;
    }
    node->slot_free = 0;
    return 0;
}

/* Hop-by-Hop Identifier = turn of the slot * slots + slot: unique among those in flight, and not
 * soon used again. */
static bool slot_take(struct diameter_node *node, struct diameter_outstanding *who,
                      uint32_t *hop_by_hop)
{
    if (node->slot_free == NO_SLOT)
        return false;
    struct diameter_slot *slot = &node->slots[node->slot_free];
    who->slot = node->slot_free;
    who->waiting = true;
    node->slot_free = slot->next_free;
    slot->who = who;
    slot->hop_by_hop++;
    *hop_by_hop = slot->hop_by_hop * node->slot_count + who->slot;
    return true;
}

static void slot_release(struct diameter_node *node, struct diameter_outstanding *who)
{
    struct diameter_slot *slot = &node->slots[who->slot];

    if (!who->waiting)
        return;
    who->waiting = false;
    who->peer->outstanding--;
    slot->who = NULL;
    slot->next_free = node->slot_free;
    node->slot_free = who->slot;
}

static struct diameter_outstanding *slot_find(const struct diameter_node *node, uint32_t hop_by_hop)
{
    const struct diameter_slot *slot = &node->slots[hop_by_hop % node->slot_count];

    if (!slot->who || slot->hop_by_hop * node->slot_count + slot->who->slot != hop_by_hop)
        return NULL;
    return slot->who;
}

/* Wakes all requests that wait for the peer (NULL: for any) with an error. */
static void fail_outstanding(struct diameter_node *node, const struct diameter_peer *peer,
                             int error)
{
    for (uint32_t i = 0; i < node->slot_count; i++) {
        struct diameter_outstanding *who = node->slots[i].who;
        if (!who || (peer && who->peer != peer))
            continue;
        slot_release(node, who);
        await_fail(&who->await, error);
    }
}

void node_failover(struct diameter_peer *peer)
{
    struct diameter_node *node = peer->node;

    for (uint32_t i = 0; i < node->slot_count && peer->outstanding > 0; i++) {
        struct diameter_outstanding *who = node->slots[i].who;
        if (!who || who->peer != peer)
            continue;
        /* Only where there is somebody else in better order; else the silent one may yet answer. */
        const struct diameter_peer *other =
            choose_peer(node, who->application, who->host, who->realm, peer);
        if (!other || other->watchdog_state == WATCHDOG_SUSPECT)
            continue;
        slot_release(node, who);
        await_fail(&who->await, -EPIPE);
    }
}

void node_peer_open(struct diameter_peer *peer)
{
    struct diameter_node *node = peer->node;

    metric_set(&diameter_metrics[DIAMETER_PEERS_OPEN],
               diameter_metrics[DIAMETER_PEERS_OPEN].value + 1);
    if (node->peer_changed && !node->stopping)
        node->peer_changed(node->owner, diameter_text_of(peer->host), true);
}

void node_peer_closed(struct diameter_peer *peer)
{
    struct diameter_node *node = peer->node;

    metric_set(&diameter_metrics[DIAMETER_PEERS_OPEN],
               diameter_metrics[DIAMETER_PEERS_OPEN].value - 1);
    if (peer->outstanding > 0)
        fail_outstanding(node, peer, -EPIPE);
    if (node->peer_changed && !node->stopping)
        node->peer_changed(node->owner, diameter_text_of(peer->host), false);
}

/* ---- Requests ---- */

/* One request on its way through one or several peers. */
struct call {
    struct diameter_node *node;
    const struct diameter_message *message;
    struct diameter_request_head *request;
    void *answer;
    uint32_t timeout_ms;
    uint32_t end_to_end;
    bool sent_before;  /* some peer may have it: T bit */
    struct bytes host; /* Destination-Host, or empty */
    char subject[FIBER_SUBJECT_SIZE];
};

static int send_to(struct call *call, struct diameter_peer *peer, struct diameter_outstanding *who)
{
    struct diameter_node *node = call->node;
    struct diameter_header header = {
        .flags = call->sent_before ? DIAMETER_FLAG_RETRANSMITTED : 0,
        .end_to_end = call->end_to_end,
    };

    *who = (struct diameter_outstanding){
        .peer = peer,
        .connection = peer->open,
        .application = call->message->application,
        .host = call->host,
        .realm = call->request->destination_realm,
    };
    if (connection_queued(peer->open) > node->config->max_queue_bytes ||
        !slot_take(node, who, &header.hop_by_hop))
        return -ENOBUFS;
    peer->outstanding++;
    int err = connection_send(peer->open, call->message, &header, call->request, call->subject);
    if (err < 0) {
        slot_release(node, who);
        return err;
    }
    memcpy(who->subject, call->subject, sizeof(who->subject));
    diameter_count(DIAMETER_REQUESTS, 1);
    diameter_count(DIAMETER_RETRANSMISSIONS, call->sent_before);
    peer->requests_sent++;
    call->sent_before = true;
    return 0;
}

static int decode_answer(struct call *call, const struct bytes *whole)
{
    struct wire_context context = {.arena = &call->node->arena};
    static struct log_limit limit;

    int err = diameter_decode(call->message->answer, *whole, call->answer, &context);
    if (err == 0 && diameter_result_of(call->answer) == DIAMETER_RESULT_ABSENT)
        err = -EBADMSG;
    if (err < 0)
        log_limited(&limit, LOG_WARN, "Diameter: %s cannot be understood (AVP %u)",
                    call->message->answer->name, context.fault.id);
    return err < 0 ? -EBADMSG : 0;
}

/* Sends to one peer and waits. -EPIPE: try another. */
static int attempt(struct call *call, struct diameter_peer *peer)
{
    struct diameter_node *node = call->node;
    struct diameter_outstanding who;
    void *delivered = NULL;

    int err = send_to(call, peer, &who);
    if (err < 0)
        return err;
    err = await(&who.await, (int)call->timeout_ms, &delivered);
    if (err < 0) {
        if (who.waiting)
            slot_release(node, &who);
        if (err == -ETIMEDOUT)
            diameter_count(DIAMETER_TIMEOUTS, 1);
        return err;
    }
    return decode_answer(call, delivered);
}

/* True for the results that ask the sender to try another way (clause 7.1.3). */
static bool another_may_deliver(const void *answer)
{
    uint32_t result = diameter_result_of(answer);

    return result == DIAMETER_UNABLE_TO_DELIVER || result == DIAMETER_TOO_BUSY;
}

static int run_call(struct call *call)
{
    struct bytes realm = call->request->destination_realm;
    struct diameter_peer *peer = NULL;
    int err = -EHOSTUNREACH;

    for (int n = 0; n < MAX_ATTEMPTS; n++) {
        struct diameter_peer *next =
            choose_peer(call->node, call->message->application, call->host, realm, peer);
        if (!next)
            return err == -EPIPE ? -EHOSTUNREACH : err;
        peer = next;
        err = attempt(call, peer);
        if (err == 0 && another_may_deliver(call->answer) && n + 1 < MAX_ATTEMPTS &&
            choose_peer(call->node, call->message->application, call->host, realm, peer)) {
            call->sent_before = false; /* it was refused: no server has it */
            continue;
        }
        if (err != -EPIPE)
            return err;
        if (call->node->stopping)
            return -ECANCELED;
    }
    return err == -EPIPE ? -EHOSTUNREACH : err;
}

int diameter_request(struct diameter_node *node, const struct diameter_message *message,
                     void *request, void *answer, uint32_t timeout_ms)
{
    struct diameter_request_head *head = request;
    struct diameter_request_head as_given = *head;
    char session_id[SESSION_ID_SIZE];
    uint32_t vendor = DIAMETER_VENDOR_3GPP, application = message->application;
    struct diameter_vendor_application vendor_application = {
        .vendor_id = {&vendor, 1},
        .auth_application_id = &application,
    };

    if (node->stopping)
        return -ECANCELED;
    if (head->session_id.len == 0) {
        /* Clause 8.8: <DiameterIdentity>;<high 32 bits>;<low 32 bits> */
        int len = snprintf(session_id, sizeof(session_id), "%.*s;%u;%u", (int)node->host.len,
                           (const char *)node->host.at, node->session_high, node->session_low++);
        head->session_id = bytes_of(session_id, (size_t)len);
        node->session_high += node->session_low == 0;
    }
    head->origin_host = node->host;
    head->origin_realm = node->realm;
    head->auth_session_state = DIAMETER_NO_STATE_MAINTAINED;
    if (head->destination_realm.len == 0)
        head->destination_realm = node->realm;
    if (!head->vendor_application)
        head->vendor_application = &vendor_application;

    struct call call = {
        .node = node,
        .message = message,
        .request = head,
        .answer = answer,
        .timeout_ms = timeout_ms ? timeout_ms : node->config->request_timeout_ms,
        .end_to_end = node_next_end_to_end(node),
        .host = head->destination_host ? *head->destination_host : bytes_of(NULL, 0),
    };
    snprintf(call.subject, sizeof(call.subject), "%s", fiber_subject(NULL));
    int err = run_call(&call);
    *head = as_given;
    return err;
}

/* ---- Dispatch ---- */

static void receive_answer(struct diameter_connection *c, const struct diameter_header *header,
                           struct bytes whole)
{
    struct diameter_node *node = c->node;
    struct diameter_outstanding *who = slot_find(node, header->hop_by_hop);

    if (trace_is_on())
        trace_message(TRACE_DIAMETER, false, (const struct sockaddr *)&c->local,
                      (const struct sockaddr *)&c->remote, who ? who->subject : "", whole);
    if (!who || who->connection != c) {
        diameter_count(DIAMETER_STRAY_ANSWERS, 1);
        return;
    }
    c->peer->answers_received++;
    slot_release(node, who);
    await_deliver(&who->await, &whole);
}

static void trace_in(const struct diameter_connection *c, const struct diameter_envelope *envelope,
                     struct bytes whole)
{
    char subject[FIBER_SUBJECT_SIZE];

    if (!trace_is_on())
        return;
    snprintf(subject, sizeof(subject), "%.*s", (int)envelope->user_name.len,
             (const char *)envelope->user_name.at);
    trace_message(TRACE_DIAMETER, false, (const struct sockaddr *)&c->local,
                  (const struct sockaddr *)&c->remote, subject, whole);
}

void node_receive(struct diameter_connection *c, struct bytes whole)
{
    struct reader r = reader_of_bytes(whole);
    struct diameter_header header = diameter_read_header(&r);
    struct diameter_envelope envelope;

    diameter_count(DIAMETER_MESSAGES_IN, 1);
    c->last_received_ms = loop_now_ms();
    if (!peer_expects(c, &header)) {
        peer_unexpected(c);
        return;
    }
    arena_reset(&c->node->arena);
    if (!diameter_is_request(&header) && header.application != DIAMETER_APPLICATION_BASE) {
        receive_answer(c, &header, whole);
        return;
    }
    if (diameter_scan(whole, &envelope) < 0)
        return;
    trace_in(c, &envelope, whole);
    if (header.application == DIAMETER_APPLICATION_BASE) {
        peer_receive(c, &envelope, whole);
        return;
    }
    c->peer->requests_received++;
    service_receive(c, &envelope, whole);
}

/* ---- Life ---- */

static int add_configured_peers(struct diameter_node *node)
{
    const struct diameter_config *config = node->config;

    for (size_t i = 0; i < config->peers.count; i++) {
        const struct diameter_peer_config *p = &config->peers.at[i];
        struct bytes host = diameter_text_of(p->host);
        if (node_peer_find(node, host) || diameter_identity_equal(host, node->host)) {
            log_error("Diameter: peer %s is configured twice, or is ourselves", p->host);
            return -EINVAL;
        }
        if (!add_peer(node, p, host, p->realm ? diameter_text_of(p->realm) : node->realm))
            return -ENOMEM;
    }
    return 0;
}

static int open_listeners(struct diameter_node *node)
{
    const struct diameter_config *config = node->config;

    node->listeners = calloc(config->listen.count + 1, sizeof(struct diameter_listener *));
    if (!node->listeners)
        return -ENOMEM;
    for (size_t i = 0; i < config->listen.count; i++) {
        int err = listener_open(node, &config->listen.at[i], &node->listeners[i]);
        if (err < 0) {
            log_error("Diameter: cannot listen: %s", strerror(-err));
            return err;
        }
        node->listener_count++;
    }
    return 0;
}

static void close_listeners(struct diameter_node *node)
{
    for (size_t i = 0; i < node->listener_count; i++)
        listener_close(node->listeners[i]);
    node->listener_count = 0;
}

int diameter_node_start(const struct diameter_node_settings *settings, struct diameter_node **out)
{
    const struct diameter_config *config = settings->config;
    struct diameter_node *node = calloc(1, sizeof(*node));
    uint32_t random[2] = {0};

    if (!node)
        return -ENOMEM;
    (void)!getrandom(random, sizeof(random), GRND_NONBLOCK);
    node->config = config;
    node->services = settings->services;
    node->service_count = settings->service_count;
    node->owner = settings->owner;
    node->peer_changed = settings->peer_changed;
    node->host = diameter_text_of(config->host);
    node->realm = diameter_text_of(config->realm);
    node->product_name =
        diameter_text_of(settings->product_name ? settings->product_name : "Strowger");
    node->origin_state_id = (uint32_t)time(NULL);
    node->session_high = node->origin_state_id;
    node->session_low = random[0];
    /* Clause 3: the low 12 bits of the time on top, so that identifiers do not repeat after a
     * restart. */
    node->end_to_end = node->origin_state_id << 20 | (random[1] & 0xfffff);
    node->hop_by_hop = random[0];
    arena_init(&node->arena, DISPATCH_MEMORY);
    while (node->application_count < settings->application_count &&
           node->application_count < DIAMETER_MAX_APPLICATIONS) {
        node->applications[node->application_count] =
            settings->applications[node->application_count];
        node->application_count++;
    }
    (void)metric_register(diameter_metrics, DIAMETER_METRICS);
    trace_set_printer(TRACE_DIAMETER, diameter_trace_print);

    int err = node->host.len == 0 || node->realm.len == 0 ? -EINVAL : slots_init(node);
    if (err == 0)
        err = add_configured_peers(node);
    if (err == 0)
        err = open_listeners(node);
    if (err < 0) {
        diameter_node_free(node);
        return err;
    }
    for (struct diameter_peer *peer = node->peers; peer; peer = peer->next)
        peer_start(peer);
    *out = node;
    return 0;
}

void diameter_node_free(struct diameter_node *node)
{
    node->stopping = true;
    timer_stop(&node->stop_timer);
    close_listeners(node);
    if (node->slots)
        fail_outstanding(node, NULL, -ECANCELED);
    while (node->peers) {
        struct diameter_peer *peer = node->peers;
        node->peers = peer->next;
        if (peer_is_open(peer))
            metric_set(&diameter_metrics[DIAMETER_PEERS_OPEN],
                       diameter_metrics[DIAMETER_PEERS_OPEN].value - 1);
        peer_free(peer);
    }
    while (node->connections)
        connection_close(node->connections, false);
    loop_defer_cancel(&node->sweep);
    service_free(node);
    free(node->slots);
    free(node->listeners);
    arena_free(&node->arena);
    free(node);
}

static void finish_stop(struct diameter_node *node)
{
    void (*stopped)(void *owner) = node->stopped;
    void *owner = node->stopped_owner;

    diameter_node_free(node);
    if (stopped)
        stopped(owner);
}

static void stop_takes_too_long(struct timer *timer)
{
    finish_stop(container_of(timer, struct diameter_node, stop_timer));
}

void diameter_node_stop(struct diameter_node *node, enum diameter_disconnect_cause cause,
                        void (*stopped)(void *owner), void *owner)
{
    node->stopping = true;
    node->stopped = stopped;
    node->stopped_owner = owner;
    close_listeners(node);
    fail_outstanding(node, NULL, -ECANCELED);
    for (struct diameter_peer *peer = node->peers; peer; peer = peer->next)
        peer_stop(peer, cause);
    timer_start(&node->stop_timer, STOP_MS, stop_takes_too_long);
    node_sweep_later(node);
}

int diameter_node_address(const struct diameter_node *node, size_t n,
                          struct sockaddr_storage *address)
{
    if (n >= node->listener_count)
        return -ENOENT;
    listener_address(node->listeners[n], address);
    return 0;
}

/* ---- Watching ---- */

static json_t *address_json(const struct sockaddr_storage *address)
{
    char printed[INET6_ADDRSTRLEN] = "";

    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, printed, sizeof(printed));
        return json_sprintf("%s:%u", printed, ntohs(in->sin_port));
    }
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in6->sin6_addr, printed, sizeof(printed));
        return json_sprintf("[%s]:%u", printed, ntohs(in6->sin6_port));
    }
    return json_null();
}

json_t *diameter_node_state(const struct diameter_node *node)
{
    json_t *list = json_array();

    for (const struct diameter_peer *peer = node->peers; list && peer; peer = peer->next) {
        const struct sockaddr_storage none = {0};
        const struct sockaddr_storage *at = peer->open     ? &peer->open->remote
                                            : peer->config ? &peer->config->address
                                                           : &none;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I}", "host",
                            peer->host, "realm", peer->realm, "state", peer_state_name(peer),
                            "watchdog", peer_watchdog_name(peer), "address", address_json(at),
                            "transport", peer->open ? peer->open->carrier->name : "", "outstanding",
                            (json_int_t)peer->outstanding, "requests_sent",
                            (json_int_t)peer->requests_sent, "answers_received",
                            (json_int_t)peer->answers_received, "requests_received",
                            (json_int_t)peer->requests_received, "answers_sent",
                            (json_int_t)peer->answers_sent));
    }
    return list;
}

void diameter_trace_print(struct bytes message, struct text *t)
{
    struct arena arena;

    arena_init(&arena, DISPATCH_MEMORY);
    diameter_print(message, t, &arena);
    arena_free(&arena);
}
