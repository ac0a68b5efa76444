/*
 * conn.c -- connections to controllers: opening, roles, and what they hear of unasked
 * (OpenFlow 1.3.5 clauses 6.3, 6.4, 7.4).
 *
 * Several controllers may be connected, to an address that they listen at or to one of ours. Each
 * has a role; a slave may only read. A controller that goes takes nothing with it: flows stay
 * (clause 6.3.3). In fail-standalone mode the data path is told when the last of the controllers
 * that the configuration names is lost, and when one of them is there again.
 *
 * A controller that we connect to may have auxiliary connections besides its main one (clause
 * 6.3.7): opened when the main connection has told the datapath id, closed when it is lost. Packets
 * go by them, all of one conversation by the same one, and so do not delay the main connection's
 * answers. Each is a struct conn of its own: a request is answered where it came in.
 */
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"

struct switch_context sw;

static struct {
    struct openflow_listener *listeners[8];
    size_t listener_count;
    struct openflow_tls *tls; /* NULL: no address is ssl: */
} doors;

/* ---- sending ---- */

void conn_send(struct conn *c, const struct of_message *m, size_t size)
{
    struct writer w = openflow_reserve(c->channel, size);

    of_encode(&w, m);
    if (openflow_commit(c->channel, &w) < 0)
        c->errors++;
}

void conn_error(struct conn *c, uint32_t xid, of_error error, struct bytes request)
{
    struct writer w = openflow_reserve(c->channel, 128);

    c->errors++;
    sw.counters.errors++;
    of_encode_error(&w, xid, error, request);
    (void)openflow_commit(c->channel, &w);
}

/* ---- messages that nobody asked for ---- */

/* A slave has masks of its own (clause 7.3.10). A controller is told once, by its main connection.
 */
bool conn_wants(const struct conn *c, const uint32_t mask[2], uint8_t reason)
{
    return c->up && !c->main && mask[c->role == OFPCR_ROLE_SLAVE] >> reason & 1;
}

static void packet_in_fields(struct of_match *match, const struct of_key *key)
{
    static const uint8_t zero[16];

    match->fields = 0;
    for (enum of_field_id id = OF_IN_PORT; id <= OF_REG15; id++) {
        const struct of_field *f = &of_fields[id];

        if (id != OF_IN_PORT && memcmp(of_key_const_at(key, f), zero, f->bytes) == 0)
            continue;
        of_match_set_bytes(match, id, of_key_const_at(key, f), NULL);
    }
}

/* The connection by which a controller gets a packet: one of its auxiliary connections that are up,
 * the same for all packets of a conversation; without one the main connection. */
static struct conn *conn_for_packet(struct conn *main, const struct packet *packet)
{
    struct conn *up[MAX_AUXILIARY];
    uint32_t count = 0;

    if (sw.config.auxiliary == 0 || !main->connecting)
        return main;
    for (struct conn *c = sw.conns; c; c = c->next)
        if (c->main == main && c->up && count < MAX_AUXILIARY)
            up[count++] = c;
    return count ? up[packet_flow_hash(packet) % count] : main;
}

/* How much of the packet this connection is sent (clause 7.3.2): what the output action says, or,
 * for a TTL that ran out, what the controller configured. */
static uint16_t packet_in_len(const struct conn *c, uint8_t reason, uint16_t max_len)
{
    return reason == OFPR_INVALID_TTL ? c->miss_send_len : max_len;
}

/* The packet, or its begin when it is kept in a buffer: one for all connections. */
static void packet_in_data(struct of_packet_in *in, const struct packet *packet, uint16_t max_len,
                           uint32_t *buffer, bool *tried)
{
    in->buffer_id = OFP_NO_BUFFER;
    in->data = packet_bytes(packet);
    if (max_len == OFPCML_NO_BUFFER)
        return;
    if (!*tried)
        *buffer = packet_buffer_keep(packet);
    *tried = true;
    in->buffer_id = *buffer;
    if (*buffer != OFP_NO_BUFFER && in->data.len > max_len)
        in->data.len = max_len;
}

static bool packet_in(const struct packet *packet, uint8_t reason, uint8_t table_id,
                      uint64_t cookie, uint16_t max_len)
{
    struct of_message m = {.type = OFPT_PACKET_IN};
    uint32_t buffer = OFP_NO_BUFFER;
    bool taken = false, tried = false;

    m.packet_in.total_len = (uint16_t)packet->len;
    m.packet_in.reason = reason;
    m.packet_in.table_id = table_id;
    m.packet_in.cookie = cookie;
    packet_in_fields(&m.packet_in.match, &packet->key);
    for (struct conn *main = sw.conns; main; main = main->next) {
        if (!conn_wants(main, main->async.packet_in_mask, reason))
            continue;
        struct conn *c = conn_for_packet(main, packet);
        if (openflow_channel_queued(c->channel) > PACKET_IN_QUEUE) {
            c->packet_ins_dropped++;
            sw.counters.packet_ins_dropped++;
            continue;
        }
        packet_in_data(&m.packet_in, packet, packet_in_len(c, reason, max_len), &buffer, &tried);
        conn_send(c, &m, m.packet_in.data.len + 512u);
        c->packet_ins++;
        sw.counters.packet_ins++;
        taken = true;
    }
    return taken;
}

static void flow_removed(const struct flow *flow, uint8_t reason)
{
    struct of_message m = {.type = OFPT_FLOW_REMOVED};
    uint64_t age = clock_now_us() - flow->created_us;
    struct counter count = flow_count(&sw.dp.tables, flow);

    sw.counters.flows_removed++;
    m.flow_removed = (struct of_flow_removed){
        .cookie = flow->cookie,
        .priority = flow_priority(flow),
        .reason = reason,
        .table_id = flow->table_id,
        .duration_s = (uint32_t)(age / 1000000),
        .duration_ns = (uint32_t)(age % 1000000 * 1000),
        .idle_timeout = flow->idle_timeout,
        .hard_timeout = flow->hard_timeout,
        .packet_count = count.packets,
        .byte_count = count.bytes,
    };
    flow_match(flow, &m.flow_removed.match);
    for (struct conn *c = sw.conns; c; c = c->next)
        if (conn_wants(c, c->async.flow_removed_mask, reason))
            conn_send(c, &m, 1024);
}

void conns_port_status(struct port *port, uint8_t reason)
{
    struct of_message m = {.type = OFPT_PORT_STATUS, .port_status.reason = reason};

    port_describe(port, &m.port_status.desc);
    for (struct conn *c = sw.conns; c; c = c->next)
        if (conn_wants(c, c->async.port_status_mask, reason))
            conn_send(c, &m, 128);
}

static void port_changed(struct port *port)
{
    conns_port_status(port, OFPPR_MODIFY);
}

/* ---- without controllers (clause 6.3.3) ---- */

static bool is_configured(const struct conn *c)
{
    return c->connecting && !c->main;
}

/* Standalone when all controllers that the configuration names have been tried and none is
 * connected. Tools that connect to us are no controllers here. */
static void look_at_fail_mode(void)
{
    size_t unreachable = 0;
    bool standalone;

    for (const struct conn *c = sw.conns; c; c = c->next)
        unreachable += is_configured(c) && c->tried && !c->up;
    standalone =
        sw.config.fail_mode == SWITCH_FAIL_STANDALONE && unreachable == sw.config.controllers.count;
    if (standalone == sw.dp.standalone)
        return;
    log_warn(standalone
                 ? "no controller can be reached: a learning Ethernet switch until one comes "
                   "(fail_mode: standalone)"
                 : "a controller is there again: packets go by its flows");
    datapath_set_standalone(&sw.dp, standalone);
}

/* ---- auxiliary connections (clause 6.3.7) ---- */

static int conn_connect(const struct openflow_endpoint *to, struct conn *main,
                        uint8_t auxiliary_id);
static void conn_forget(struct conn *c);

static bool has_auxiliary(const struct conn *main, uint8_t id)
{
    for (const struct conn *c = sw.conns; c; c = c->next)
        if (c->main == main && c->auxiliary_id == id)
            return true;
    return false;
}

/* The main connection has told who we are. */
static void open_auxiliaries(struct conn *main)
{
    int err = 0;

    if (!is_configured(main))
        return;
    for (uint8_t id = 1; id <= sw.config.auxiliary && err == 0; id++)
        if (!has_auxiliary(main, id))
            err = conn_connect(main->to, main, id);
    if (err < 0)
        log_warn("controller %s: no auxiliary connection: %s", openflow_channel_peer(main->channel),
                 uv_strerror(err));
}

static void close_auxiliaries(const struct conn *main)
{
    struct conn *next;

    for (struct conn *c = sw.conns; c; c = next) {
        next = c->next;
        if (c->main != main)
            continue;
        openflow_close(c->channel);
        conn_forget(c);
    }
}

static void copy_settings(struct conn *to, const struct conn *from)
{
    to->role = from->role;
    to->async = from->async;
    to->miss_send_len = from->miss_send_len;
}

/* What was set on one connection of a controller holds on all of them. */
static void share_settings(const struct conn *c)
{
    const struct conn *main = c->main ? c->main : c;

    if (!is_configured(main) || sw.config.auxiliary == 0)
        return;
    for (struct conn *other = sw.conns; other; other = other->next)
        if (other != c && (other == main || other->main == main))
            copy_settings(other, c);
}

static void flow_changed(const struct flow *flow, enum flow_event event, uint8_t reason)
{
    monitors_flow_changed(flow, event, reason);
    tables_flow_changed(flow);
}

/* OpenFlow 1.4 clause 7.4.4; ONF extension 191. */
void conn_demote(struct conn *c, uint8_t reason)
{
    struct of_message m = {.type = OFPT_ONF_ROLE_STATUS};

    c->role = OFPCR_ROLE_SLAVE;
    m.role_status =
        (struct of_role_status){c->role, reason, sw.generation_known ? sw.generation : UINT64_MAX};
    if (conn_wants(c, c->async.role_status_mask, reason))
        conn_send(c, &m, 64);
}

/* ---- the channel's events ---- */

static const struct of_async_config default_async = {
    .packet_in_mask = {1 << OFPR_NO_MATCH | 1 << OFPR_ACTION, 0},
    .port_status_mask = {1 << OFPPR_ADD | 1 << OFPPR_DELETE | 1 << OFPPR_MODIFY,
                         1 << OFPPR_ADD | 1 << OFPPR_DELETE | 1 << OFPPR_MODIFY},
    .flow_removed_mask = {1 << OFPRR_IDLE_TIMEOUT | 1 << OFPRR_HARD_TIMEOUT | 1 << OFPRR_DELETE |
                              1 << OFPRR_GROUP_DELETE | 1 << OFPRR_METER_DELETE,
                          0},
    .role_status_mask = {1 << OFPCRR_MASTER_REQUEST | 1 << OFPCRR_CONFIG | 1 << OFPCRR_EXPERIMENTER,
                         1 << OFPCRR_MASTER_REQUEST | 1 << OFPCRR_CONFIG |
                             1 << OFPCRR_EXPERIMENTER},
    .table_status_mask = {1 << OFPTR_VACANCY_DOWN | 1 << OFPTR_VACANCY_UP, 0},
};

static void set_up(struct conn *c)
{
    c->up = true;
    c->up_since_us = clock_now_us();
    if (c->main) {
        copy_settings(c, c->main);
        return;
    }
    c->role = OFPCR_ROLE_EQUAL;
    c->async = default_async;
    c->miss_send_len = MISS_SEND_LEN;
}

static void conn_up(struct openflow_channel *channel)
{
    struct conn *c = openflow_channel_context(channel);

    if (!c) { /* somebody connected to us */
        c = calloc(1, sizeof(*c));
        if (!c) {
            openflow_drop(channel, -ENOMEM);
            return;
        }
        c->channel = channel;
        c->next = sw.conns;
        sw.conns = c;
        openflow_channel_set_context(channel, c);
    }
    set_up(c);
    if (c->main) {
        log_debug("controller %s: auxiliary connection %u", openflow_channel_peer(channel),
                  c->auxiliary_id);
        return;
    }
    log_info("controller %s connected%s", openflow_channel_peer(channel),
             openflow_channel_is_tls(channel) ? " by TLS" : "");
    look_at_fail_mode();
}

/* What it had asked for goes with the connection. */
static void conn_drop_state(struct conn *c)
{
    conn_drop_bundles(c);
    conn_drop_monitors(c);
    conn_drop_parts(c);
}

static void conn_forget(struct conn *c)
{
    struct conn **at = &sw.conns;

    while (*at && *at != c)
        at = &(*at)->next;
    if (*at)
        *at = c->next;
    conn_drop_state(c);
    free(c);
}

static void conn_down(struct openflow_channel *channel, int reason)
{
    struct conn *c = openflow_channel_context(channel);

    if (!c)
        return;
    c->up = false;
    conn_drop_state(c);
    if (c->main)
        return;
    log_info("controller %s lost: %s; flows stay", openflow_channel_peer(channel),
             uv_strerror(reason));
    if (!c->connecting) { /* a listener's channel is gone after this */
        conn_forget(c);
        return;
    }
    close_auxiliaries(c);
    c->tried = true;
    look_at_fail_mode();
}

static void conn_failed(struct openflow_channel *channel, int reason)
{
    struct conn *c = openflow_channel_context(channel);

    if (c->main || c->tried)
        return;
    log_info("controller %s cannot be reached: %s; it is tried again",
             openflow_channel_peer(channel), uv_strerror(reason));
    c->tried = true;
    look_at_fail_mode();
}

/* Requests that only a master or equal may make (clause 6.3.6). */
static bool slave_may(uint8_t type)
{
    switch (type) {
    case OFPT_PACKET_OUT:
    case OFPT_FLOW_MOD:
    case OFPT_GROUP_MOD:
    case OFPT_PORT_MOD:
    case OFPT_TABLE_MOD:
    case OFPT_METER_MOD:
    case OFPT_ONF_BUNDLE_CONTROL:
    case OFPT_ONF_BUNDLE_ADD:
    case OFPT_ONF_TABLE_MOD:
        return false;
    default:
        return true;
    }
}

static void conn_receive(struct openflow_channel *channel, const struct openflow_header *header,
                         struct bytes message)
{
    struct conn *c = openflow_channel_context(channel);
    struct of_message m;
    of_error error;

    if (!c)
        return;
    c->messages++;
    arena_reset(&sw.arena);
    sw.wire = message;
    if (of_decode(&m, message, &sw.arena, &error) == 0)
        error = c->role == OFPCR_ROLE_SLAVE && !slave_may(m.type) ? (of_error)OFPBRC_IS_SLAVE
                                                                  : conn_request(c, &m);
    if (error && header->type != OFPT_ERROR)
        conn_error(c, header->xid, error, message);
    share_settings(c);
    if (!error && header->type == OFPT_FEATURES_REQUEST)
        open_auxiliaries(c);
}

static const struct openflow_user user = {
    .up = conn_up, .receive = conn_receive, .down = conn_down, .failed = conn_failed};

/* ---- opening ---- */

/* Connects to a controller: its main connection, or one that belongs to `main`, from the same
 * address of ours. */
static int conn_connect(const struct openflow_endpoint *to, struct conn *main, uint8_t auxiliary_id)
{
    struct conn *c = calloc(1, sizeof(*c));
    struct openflow_options options = {
        .user = &user,
        .context = c,
        .tls = to->is_tls ? doors.tls : NULL,
        .from = main ? openflow_channel_local(main->channel) : NULL,
        .echo_interval_ms = sw.config.probe_interval,
        .reconnect_max_ms = sw.config.reconnect_max,
        .queue_limit = SIZE_MAX / 2,
        .pause_at = ANSWERS_QUEUE,
    };
    int err;

    if (!c)
        return -ENOMEM;
    c->connecting = true;
    c->to = to;
    c->main = main;
    c->auxiliary_id = auxiliary_id;
    c->next = sw.conns;
    sw.conns = c;
    err = openflow_connect(&c->channel, (const struct sockaddr *)&to->address, &options);
    if (err < 0)
        conn_forget(c);
    return err;
}

static int listen_at(const struct openflow_endpoint *at)
{
    struct openflow_options options = {.user = &user,
                                       .tls = at->is_tls ? doors.tls : NULL,
                                       .echo_interval_ms = sw.config.probe_interval,
                                       .queue_limit = SIZE_MAX / 2,
                                       .pause_at = ANSWERS_QUEUE};
    int err;

    if (doors.listener_count == sizeof(doors.listeners) / sizeof(doors.listeners[0]))
        return -ENOSPC;
    err = openflow_listen(&doors.listeners[doors.listener_count],
                          (const struct sockaddr *)&at->address, &options);
    if (err == 0)
        doors.listener_count++;
    return err;
}

/* Reads the certificates when an address wants them. */
static int open_tls(void)
{
    char words[400];
    struct text why = text_in(words, sizeof(words));
    bool wanted = false;
    int err;

    for (size_t i = 0; i < sw.config.controllers.count; i++)
        wanted |= sw.config.controllers.at[i].is_tls;
    for (size_t i = 0; i < sw.config.listen.count; i++)
        wanted |= sw.config.listen.at[i].is_tls;
    if (!wanted)
        return 0;
    if ((err = openflow_tls_open(&doors.tls, &sw.config.tls, &why)) < 0)
        log_error("switch: %s", words);
    return err;
}

int conns_open(void)
{
    static const struct change_listener listener = {flow_removed, port_changed, flow_changed};
    int err = open_tls();

    tables_forget_features();
    change_listen(&listener);
    sw.dp.packet_in = packet_in;
    for (size_t i = 0; i < sw.config.controllers.count && err == 0; i++)
        err = conn_connect(&sw.config.controllers.at[i], NULL, 0);
    for (size_t i = 0; i < sw.config.listen.count && err == 0; i++)
        err = listen_at(&sw.config.listen.at[i]);
    return err;
}

void conns_close(void)
{
    for (size_t i = 0; i < doors.listener_count; i++)
        openflow_listener_close(doors.listeners[i]);
    doors.listener_count = 0;
    while (sw.conns) {
        if (sw.conns->connecting)
            openflow_close(sw.conns->channel);
        conn_forget(sw.conns);
    }
    openflow_tls_close(doors.tls);
    doors.tls = NULL;
}
