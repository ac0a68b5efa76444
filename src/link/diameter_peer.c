/*
 * diameter_peer.c -- one peer: how a connection becomes a relation, and how long it is trusted.
 *
 * The state machine is the table of RFC 6733 clause 5.6, row by row; the names of events and
 * actions are the RFC's. Each side may connect to the other at the same time: then the two CERs
 * carry the election (clause 5.6.4), after which one connection is left. A CER is judged before it
 * becomes an event: a peer that is not known or has no application in common is told so and never
 * reaches the machine.
 *
 * The watchdog is RFC 3539 clause 3.4: after Tw without any message a DWR goes out; when nothing
 * comes for another Tw the peer is SUSPECT and what waits for it goes to other peers; after one
 * more the connection is closed. A peer that comes back after such a silence must answer three DWRs
 * (REOPEN) before it is preferred again; it is used meanwhile where there is no other. Tw is
 * jittered so that not all peers probe at once.
 *
 * A configured peer that is closed is tried again: at once when we lost it, then ever more slowly
 * up to reconnect_ms (Tc). So a peer that was restarted is back soon, and one that is away costs
 * nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "link/diameter_inner.h"

#define FIRST_BACKOFF_MS 200u
#define CLOSING_MS       2000u /* for DPA, and for the other side to close after it */
#define REOPEN_ANSWERS   3u
#define JITTER_MS        2000u /* RFC 3539 clause 3.4.1: plus or minus 2 s */

enum peer_event {
    EVENT_START,
    EVENT_R_CONN_CER,
    EVENT_I_RCV_CONN_ACK,
    EVENT_I_RCV_CONN_NACK,
    EVENT_TIMEOUT,
    EVENT_I_RCV_CEA,
    EVENT_I_RCV_NON_CEA,
    EVENT_I_PEER_DISC,
    EVENT_R_PEER_DISC,
    EVENT_WIN_ELECTION,
    EVENT_STOP,
    EVENT_RCV_DPR,
    EVENT_RCV_DPA,
    EVENT_FAILED, /* an action could not be done */
};

static void raise_event(struct diameter_peer *peer, enum peer_event event);

static const char *const state_names[] = {
    "Closed",       "Wait-Conn-Ack", "Wait-I-CEA", "Wait-Conn-Ack/Elect",
    "Wait-Returns", "R-Open",        "I-Open",     "Closing",
};

const char *peer_state_name(const struct diameter_peer *peer)
{
    return state_names[peer->state];
}

const char *peer_watchdog_name(const struct diameter_peer *peer)
{
    static const char *const names[] = {"okay", "suspect", "reopen"};

    return peer_is_open(peer) ? names[peer->watchdog_state] : "down";
}

/* ---- Sending ---- */

static int send_dwr(struct diameter_peer *peer)
{
    struct diameter_node *node = peer->node;
    const struct diameter_header header = {
        .hop_by_hop = node_next_hop_by_hop(node),
        .end_to_end = node_next_end_to_end(node),
    };
    const struct diameter_dwr dwr = {
        .origin_host = node->host,
        .origin_realm = node->realm,
        .origin_state_id = &node->origin_state_id,
    };

    peer->watchdog_pending = true;
    return connection_send(peer->open, &diameter_dwr_message, &header, &dwr, "");
}

static int send_dpr(struct diameter_peer *peer, struct diameter_connection *c, uint32_t cause)
{
    struct diameter_node *node = peer->node;
    const struct diameter_header header = {
        .hop_by_hop = node_next_hop_by_hop(node),
        .end_to_end = node_next_end_to_end(node),
    };
    const struct diameter_dpr dpr = {
        .origin_host = node->host,
        .origin_realm = node->realm,
        .disconnect_cause = cause,
    };

    return connection_send(c, &diameter_dpr_message, &header, &dpr, "");
}

/* DWA or DPA. */
static void send_peer_answer(struct diameter_connection *c, const struct diameter_message *message,
                             const struct diameter_envelope *request, uint32_t result)
{
    const struct diameter_header header = {
        .hop_by_hop = request->header.hop_by_hop,
        .end_to_end = request->header.end_to_end,
    };
    const struct diameter_peer_answer answer = {
        .result_code = result,
        .origin_host = c->node->host,
        .origin_realm = c->node->realm,
        .origin_state_id = message == &diameter_dwa_message ? &c->node->origin_state_id : NULL,
    };

    (void)connection_send(c, message, &header, &answer, "");
}

/* ---- Watchdog ---- */

/* Tw with jitter; shorter ones, as tests use, are jittered in proportion. */
static uint64_t jittered_tw(const struct diameter_node *node)
{
    uint32_t tw = node->config->watchdog_ms;
    uint32_t jitter = tw / 5 < JITTER_MS ? tw / 5 : JITTER_MS;
    uint32_t random = 0;

    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    return tw - jitter + random % (2 * jitter + 1);
}

static void watchdog_fires(struct timer *timer)
{
    struct diameter_peer *peer = container_of(timer, struct diameter_peer, watchdog);
    uint64_t tw = peer->node->config->watchdog_ms;
    uint64_t silent_ms = loop_now_ms() - peer->open->last_received_ms;

    if (peer->watchdog_state != WATCHDOG_REOPEN && silent_ms < tw * 4 / 5) {
        /* Something came since the timer was set: SetWatchdog(), and Failback() if it was suspect.
         */
        peer->watchdog_state = WATCHDOG_OKAY;
        timer_start(timer, tw - silent_ms, watchdog_fires);
        return;
    }
    if (peer->watchdog_state == WATCHDOG_SUSPECT) {
        log_warn("Diameter: %s does not answer; connection closed", peer->host);
        peer->watchdog_failed = true;
        peer_connection_lost(peer->open);
        return;
    }
    timer_start(timer, jittered_tw(peer->node), watchdog_fires);
    if (!peer->watchdog_pending) {
        if (send_dwr(peer) < 0)
            log_debug("Diameter: no DWR could be sent to %s", peer->host);
        return;
    }
    log_warn("Diameter: %s is silent", peer->host);
    peer->watchdog_state = WATCHDOG_SUSPECT;
    node_failover(peer);
}

static void watchdog_begin(struct diameter_peer *peer)
{
    peer->watchdog_state = peer->watchdog_failed ? WATCHDOG_REOPEN : WATCHDOG_OKAY;
    peer->watchdog_pending = false;
    peer->watchdog_answers = 0;
    if (peer->watchdog_state == WATCHDOG_REOPEN)
        (void)send_dwr(peer);
    timer_start(&peer->watchdog, jittered_tw(peer->node), watchdog_fires);
}

/* A DWA came. In REOPEN the next DWR follows when the timer elapses. */
static void watchdog_answered(struct diameter_peer *peer)
{
    peer->watchdog_pending = false;
    if (peer->watchdog_state == WATCHDOG_REOPEN && ++peer->watchdog_answers < REOPEN_ANSWERS)
        return;
    peer->watchdog_state = WATCHDOG_OKAY;
    peer->watchdog_failed = false;
}

/* ---- Actions of the state machine ---- */

static void state_timer_fires(struct timer *timer)
{
    struct diameter_peer *peer = container_of(timer, struct diameter_peer, timer);

    raise_event(peer, peer->state == PEER_CLOSED ? EVENT_START : EVENT_TIMEOUT);
}

static void drop(struct diameter_connection **which, bool gently)
{
    struct diameter_connection *c = *which;

    *which = NULL;
    if (c)
        connection_close(c, gently);
}

static void i_snd_conn_req(struct diameter_peer *peer)
{
    peer->initiator = connection_open(peer->node, peer, peer->config->transport,
                                      (const struct sockaddr *)&peer->config->address);
    if (!peer->initiator)
        raise_event(peer, EVENT_I_RCV_CONN_NACK);
}

static void i_snd_cer(struct diameter_peer *peer)
{
    if (capabilities_send_cer(peer->initiator) < 0)
        raise_event(peer, EVENT_FAILED);
}

static void r_snd_cea(struct diameter_peer *peer)
{
    (void)capabilities_send_cea(peer->responder, peer->cer_hop_by_hop, peer->cer_end_to_end,
                                DIAMETER_SUCCESS, bytes_of(NULL, 0));
}

/* Clause 5.6.4: the responder whose identity comes later in the alphabet wins, and closes what it
 * began. */
static void elect(struct diameter_peer *peer)
{
    struct bytes ours = peer->node->host, theirs = diameter_text_of(peer->host);
    size_t common = ours.len < theirs.len ? ours.len : theirs.len;
    int order = strncasecmp((const char *)ours.at, (const char *)theirs.at, common);

    if (order > 0 || (order == 0 && ours.len > theirs.len))
        raise_event(peer, EVENT_WIN_ELECTION);
}

static void i_snd_cer_elect(struct diameter_peer *peer)
{
    i_snd_cer(peer);
    if (peer->state == PEER_WAIT_RETURNS)
        elect(peer);
}

static void i_disc(struct diameter_peer *peer)
{
    drop(&peer->initiator, true);
}

static void r_disc(struct diameter_peer *peer)
{
    drop(&peer->responder, true);
}

static void win(struct diameter_peer *peer)
{
    i_disc(peer);
    r_snd_cea(peer);
}

static void nothing(struct diameter_peer *peer)
{
    (void)peer;
}

static void error(struct diameter_peer *peer)
{
    i_disc(peer);
    r_disc(peer);
}

/* The table of clause 5.6. R-Reject, which is the same in all states, stands in receive_cer();
 * messages in the open states, which change no state, in node_receive(). */
static const struct {
    uint8_t state, event;
    void (*action)(struct diameter_peer *peer);
    uint8_t next;
} transitions[] = {
    {PEER_CLOSED, EVENT_START, i_snd_conn_req, PEER_WAIT_CONN_ACK},
    {PEER_CLOSED, EVENT_R_CONN_CER, r_snd_cea, PEER_R_OPEN},

    {PEER_WAIT_CONN_ACK, EVENT_I_RCV_CONN_ACK, i_snd_cer, PEER_WAIT_I_CEA},
    {PEER_WAIT_CONN_ACK, EVENT_I_RCV_CONN_NACK, i_disc, PEER_CLOSED},
    {PEER_WAIT_CONN_ACK, EVENT_R_CONN_CER, nothing, PEER_WAIT_CONN_ACK_ELECT},
    {PEER_WAIT_CONN_ACK, EVENT_TIMEOUT, error, PEER_CLOSED},

    {PEER_WAIT_I_CEA, EVENT_I_RCV_CEA, nothing, PEER_I_OPEN},
    {PEER_WAIT_I_CEA, EVENT_R_CONN_CER, elect, PEER_WAIT_RETURNS},
    {PEER_WAIT_I_CEA, EVENT_I_PEER_DISC, i_disc, PEER_CLOSED},
    {PEER_WAIT_I_CEA, EVENT_I_RCV_NON_CEA, error, PEER_CLOSED},
    {PEER_WAIT_I_CEA, EVENT_TIMEOUT, error, PEER_CLOSED},

    {PEER_WAIT_CONN_ACK_ELECT, EVENT_I_RCV_CONN_ACK, i_snd_cer_elect, PEER_WAIT_RETURNS},
    {PEER_WAIT_CONN_ACK_ELECT, EVENT_I_RCV_CONN_NACK, win, PEER_R_OPEN},
    {PEER_WAIT_CONN_ACK_ELECT, EVENT_R_PEER_DISC, r_disc, PEER_WAIT_CONN_ACK},
    {PEER_WAIT_CONN_ACK_ELECT, EVENT_TIMEOUT, error, PEER_CLOSED},

    {PEER_WAIT_RETURNS, EVENT_WIN_ELECTION, win, PEER_R_OPEN},
    {PEER_WAIT_RETURNS, EVENT_I_PEER_DISC, win, PEER_R_OPEN},
    {PEER_WAIT_RETURNS, EVENT_I_RCV_CEA, r_disc, PEER_I_OPEN},
    {PEER_WAIT_RETURNS, EVENT_I_RCV_NON_CEA, error, PEER_CLOSED},
    {PEER_WAIT_RETURNS, EVENT_R_PEER_DISC, r_disc, PEER_WAIT_I_CEA},
    {PEER_WAIT_RETURNS, EVENT_TIMEOUT, error, PEER_CLOSED},

    {PEER_R_OPEN, EVENT_R_PEER_DISC, r_disc, PEER_CLOSED},
    {PEER_R_OPEN, EVENT_STOP, nothing, PEER_CLOSING},
    {PEER_R_OPEN, EVENT_RCV_DPR, nothing, PEER_CLOSING},

    {PEER_I_OPEN, EVENT_I_PEER_DISC, i_disc, PEER_CLOSED},
    {PEER_I_OPEN, EVENT_STOP, nothing, PEER_CLOSING},
    {PEER_I_OPEN, EVENT_RCV_DPR, nothing, PEER_CLOSING},

    {PEER_CLOSING, EVENT_RCV_DPR, nothing, PEER_CLOSING},
    {PEER_CLOSING, EVENT_RCV_DPA, error, PEER_CLOSED},
    {PEER_CLOSING, EVENT_TIMEOUT, error, PEER_CLOSED},
    {PEER_CLOSING, EVENT_I_PEER_DISC, error, PEER_CLOSED},
    {PEER_CLOSING, EVENT_R_PEER_DISC, error, PEER_CLOSED},
};

/* The peer is closed: try again later, or, if it came unknown, forget it. */
static void plan_next_attempt(struct diameter_peer *peer)
{
    uint32_t most = peer->node->config->reconnect_ms;

    if (peer->node->stopping || !peer->config || peer->config->address.ss_family == AF_UNSPEC) {
        peer->gone = !peer->config;
        node_sweep_later(peer->node);
        return;
    }
    if (peer->hold_off)
        peer->backoff_ms = most;
    peer->hold_off = false;
    timer_start(&peer->timer, peer->backoff_ms, state_timer_fires);
    peer->backoff_ms = peer->backoff_ms * 2 < most ? peer->backoff_ms * 2 : most;
}

static void enter(struct diameter_peer *peer, enum peer_state from)
{
    bool was_open = from == PEER_I_OPEN || from == PEER_R_OPEN;
    bool waits = peer->state == PEER_WAIT_CONN_ACK || peer->state == PEER_WAIT_I_CEA ||
                 peer->state == PEER_WAIT_CONN_ACK_ELECT || peer->state == PEER_WAIT_RETURNS;

    if (waits && (from == PEER_CLOSED || !timer_is_running(&peer->timer)))
        timer_start(&peer->timer, peer->node->config->connect_timeout_ms, state_timer_fires);
    if (peer->state == PEER_CLOSING)
        timer_start(&peer->timer, CLOSING_MS, state_timer_fires);
    if (peer_is_open(peer)) {
        timer_stop(&peer->timer);
        peer->open = peer->state == PEER_I_OPEN ? peer->initiator : peer->responder;
        peer->backoff_ms = FIRST_BACKOFF_MS;
        log_info("Diameter: connected with %s (%s)", peer->host, peer_state_name(peer));
        watchdog_begin(peer);
        node_peer_open(peer);
    } else if (was_open) {
        timer_stop(&peer->watchdog);
        peer->open = NULL;
        log_info("Diameter: no longer connected with %s", peer->host);
        node_peer_closed(peer);
    }
    peer->gone = false;
    if (peer->state == PEER_CLOSED)
        plan_next_attempt(peer);
}

static void raise_event(struct diameter_peer *peer, enum peer_event event)
{
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
        enum peer_state from = peer->state;
        if (transitions[i].state != from || transitions[i].event != event)
            continue;
        peer->state = transitions[i].next;
        transitions[i].action(peer);
        if (peer->state == transitions[i].next) /* the action raised no event of its own */
            enter(peer, from);
        return;
    }
    if (event != EVENT_FAILED)
        return;
    enum peer_state from = peer->state;
    error(peer);
    peer->state = PEER_CLOSED;
    enter(peer, from);
}

/* ---- What connections tell ---- */

void peer_connected(struct diameter_connection *c)
{
    if (c->peer)
        raise_event(c->peer, EVENT_I_RCV_CONN_ACK);
}

void peer_connection_lost(struct diameter_connection *c)
{
    struct diameter_peer *peer = c->peer;

    if (c == peer->responder)
        raise_event(peer, EVENT_R_PEER_DISC);
    else if (peer->state == PEER_WAIT_CONN_ACK || peer->state == PEER_WAIT_CONN_ACK_ELECT)
        raise_event(peer, EVENT_I_RCV_CONN_NACK);
    else
        raise_event(peer, EVENT_I_PEER_DISC);
}

/* ---- Capabilities (clause 5.3) ---- */

static void receive_cer(struct diameter_connection *c, const struct diameter_envelope *envelope,
                        struct bytes whole)
{
    struct capabilities told;
    struct diameter_peer *peer = NULL;

    if (c->initiator || c->peer) {
        connection_close(c,
                         false); /* a CER is the first message of who connected, and comes once */
        return;
    }
    timer_stop(&c->timer);
    if (!capabilities_read_cer(c, envelope, whole, &told, &peer))
        return;
    if (peer->responder || peer->state == PEER_I_OPEN || peer->state == PEER_CLOSING) {
        /* R-Reject. If it was restarted and the old connection is dead, a DWR shows that soon. */
        if (peer_is_open(peer) && !peer->watchdog_pending)
            (void)send_dwr(peer);
        connection_close(c, false);
        return;
    }
    c->peer = peer;
    peer->responder = c;
    peer->cer_hop_by_hop = envelope->header.hop_by_hop;
    peer->cer_end_to_end = envelope->header.end_to_end;
    capabilities_learn(peer, &told);
    raise_event(peer, EVENT_R_CONN_CER);
}

static void receive_cea(struct diameter_connection *c, struct bytes whole)
{
    struct diameter_peer *peer = c->peer;
    struct capabilities told;
    static struct log_limit limit;

    if (c != peer->initiator || c == peer->open)
        return; /* nobody asked */
    const char *why = capabilities_read_cea(c, whole, &told);
    if (why) {
        log_limited(&limit, LOG_WARN, "Diameter: no capabilities exchanged with %s: %s", peer->host,
                    why);
        raise_event(peer, EVENT_I_RCV_NON_CEA);
        return;
    }
    capabilities_learn(peer, &told);
    raise_event(peer, EVENT_I_RCV_CEA);
}

/* ---- Watchdog and good-bye ---- */

static void receive_dpr(struct diameter_connection *c, const struct diameter_envelope *envelope,
                        struct bytes whole)
{
    struct diameter_peer *peer = c->peer;
    struct diameter_dpr dpr;
    struct wire_context context = {.arena = &c->node->arena};

    send_peer_answer(c, &diameter_dpa_message, envelope, DIAMETER_SUCCESS);
    if (diameter_decode(&diameter_dpr_message, whole, &dpr, &context) == 0)
        peer->hold_off = dpr.disconnect_cause != DIAMETER_REBOOTING;
    raise_event(peer, EVENT_RCV_DPR);
}

static void receive_watchdog(struct diameter_connection *c,
                             const struct diameter_envelope *envelope)
{
    if (diameter_is_request(&envelope->header))
        send_peer_answer(c, &diameter_dwa_message, envelope, DIAMETER_SUCCESS);
    else
        watchdog_answered(c->peer);
}

/* What the connection's state allows: first capabilities, then all; after a DPR only the end. */
bool peer_expects(const struct diameter_connection *c, const struct diameter_header *header)
{
    bool request = diameter_is_request(header);

    if (!c->peer)
        return request && header->command == DIAMETER_CAPABILITIES_EXCHANGE &&
               header->application == DIAMETER_APPLICATION_BASE;
    if (c == c->peer->open)
        return true;
    if (c->peer->state == PEER_CLOSING)
        return header->application == DIAMETER_APPLICATION_BASE;
    return c->initiator && !request && header->command == DIAMETER_CAPABILITIES_EXCHANGE &&
           header->application == DIAMETER_APPLICATION_BASE;
}

void peer_unexpected(struct diameter_connection *c)
{
    struct diameter_peer *peer = c->peer;
    static struct log_limit limit;

    log_limited(&limit, LOG_WARN, "Diameter: %s sent a message before its capabilities",
                peer ? peer->host : "a new connection");
    if (peer && c == peer->initiator)
        raise_event(peer, EVENT_I_RCV_NON_CEA);
    else if (peer && peer->state != PEER_CLOSING)
        peer_connection_lost(c);
    else if (!peer)
        connection_close(c, false);
}

void peer_receive(struct diameter_connection *c, const struct diameter_envelope *envelope,
                  struct bytes whole)
{
    bool request = diameter_is_request(&envelope->header);

    switch (envelope->header.command) {
    case DIAMETER_CAPABILITIES_EXCHANGE:
        if (request)
            receive_cer(c, envelope, whole);
        else
            receive_cea(c, whole);
        break;
    case DIAMETER_DEVICE_WATCHDOG:
        if (c == c->peer->open)
            receive_watchdog(c, envelope);
        break;
    case DIAMETER_DISCONNECT_PEER:
        if (request)
            receive_dpr(c, envelope, whole);
        else
            raise_event(c->peer, EVENT_RCV_DPA);
        break;
    default:
        if (request)
            (void)connection_refuse(c, envelope,
                                    &(struct diameter_refusal){
                                        .origin_host = c->node->host,
                                        .origin_realm = c->node->realm,
                                        .result = DIAMETER_COMMAND_UNSUPPORTED,
                                    });
        break;
    }
}

/* ---- Life ---- */

static char *copy_text(struct bytes text)
{
    return strndup((const char *)text.at, text.len);
}

struct diameter_peer *peer_new(struct diameter_node *node,
                               const struct diameter_peer_config *config, struct bytes host,
                               struct bytes realm)
{
    struct diameter_peer *peer = calloc(1, sizeof(*peer));

    if (!peer)
        return NULL;
    peer->node = node;
    peer->config = config;
    peer->backoff_ms = FIRST_BACKOFF_MS;
    peer->host = copy_text(host);
    peer->realm = copy_text(realm);
    if (!peer->host || !peer->realm) {
        free(peer->host);
        free(peer->realm);
        free(peer);
        return NULL;
    }
    return peer;
}

void peer_free(struct diameter_peer *peer)
{
    timer_stop(&peer->timer);
    timer_stop(&peer->watchdog);
    drop(&peer->initiator, false);
    drop(&peer->responder, false);
    free(peer->host);
    free(peer->realm);
    free(peer);
}

void peer_start(struct diameter_peer *peer)
{
    if (peer->config && peer->config->address.ss_family != AF_UNSPEC)
        raise_event(peer, EVENT_START);
}

void peer_stop(struct diameter_peer *peer, enum diameter_disconnect_cause cause)
{
    if (peer_is_open(peer)) {
        struct diameter_connection *c = peer->open;
        (void)send_dpr(peer, c, cause);
        raise_event(peer, EVENT_STOP);
        return;
    }
    timer_stop(&peer->timer);
    if (peer->state != PEER_CLOSED && peer->state != PEER_CLOSING)
        raise_event(peer, EVENT_FAILED);
}
