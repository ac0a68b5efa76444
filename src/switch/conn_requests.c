/*
 * conn_requests.c -- requests that are answered, or carried out, at once (OpenFlow 1.3.5
 * clauses 7.3 and 7.5).
 */
#include "base/base.h"
#include "switch/conn.h"

/* ---- questions ---- */

static of_error features_request(struct conn *c, const struct of_message *m)
{
    struct of_message reply = {.type = OFPT_FEATURES_REPLY, .xid = m->xid};

    reply.features = (struct of_features_reply){
        .datapath_id = sw.config.datapath_id,
        .n_buffers = sw.config.packet_buffers,
        .n_tables = TABLES,
        .auxiliary_id = c->auxiliary_id,
        .capabilities = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_GROUP_STATS,
    };
    conn_send(c, &reply, 64);
    return 0;
}

static of_error get_config_request(struct conn *c, const struct of_message *m)
{
    struct of_message reply = {.type = OFPT_GET_CONFIG_REPLY, .xid = m->xid};

    reply.config = (struct of_switch_config){sw.dp.fragments, c->miss_send_len};
    conn_send(c, &reply, 64);
    return 0;
}

static of_error set_config(struct conn *c, const struct of_message *m)
{
    if (m->config.flags > OFPC_FRAG_DROP) /* nothing is reassembled here */
        return OFPSCFC_BAD_FLAGS;
    sw.dp.fragments = m->config.flags;
    c->miss_send_len = m->config.miss_send_len;
    return 0;
}

/* What was asked for before has happened: packets are sent, and rules are what every packet meets.
 */
static of_error barrier_request(struct conn *c, const struct of_message *m)
{
    struct of_message reply = {.type = OFPT_BARRIER_REPLY, .xid = m->xid};

    worker_flush(sw.dp.workers[0]);
    change_settle();
    conn_send(c, &reply, 8);
    return 0;
}

/* Ports have no queues that could be configured. */
static of_error queue_get_config_request(struct conn *c, const struct of_message *m)
{
    struct of_message reply = {.type = OFPT_QUEUE_GET_CONFIG_REPLY,
                               .xid = m->xid,
                               .queue_config = {.port = m->queue_config.port}};

    if (m->queue_config.port != OFPP_ANY && !datapath_port(&sw.dp, m->queue_config.port))
        return OFPQOFC_BAD_PORT;
    conn_send(c, &reply, 64);
    return 0;
}

/* ---- roles (clause 6.3.6, 7.3.9) ---- */

static const struct conn *main_of(const struct conn *c)
{
    return c->main ? c->main : c;
}

/* A controller's own connections share its role. */
static void be_only_master(struct conn *c)
{
    for (struct conn *other = sw.conns; other; other = other->next)
        if (main_of(other) != main_of(c) && other->role == OFPCR_ROLE_MASTER)
            conn_demote(other, OFPCRR_MASTER_REQUEST);
}

static of_error role_request(struct conn *c, const struct of_message *m)
{
    struct of_message reply = {.type = OFPT_ROLE_REPLY, .xid = m->xid};
    uint32_t role = m->role.role;

    if (role > OFPCR_ROLE_SLAVE)
        return OFPRRFC_BAD_ROLE;
    if (role == OFPCR_ROLE_MASTER || role == OFPCR_ROLE_SLAVE) {
        if (sw.generation_known && (int64_t)(m->role.generation_id - sw.generation) < 0)
            return OFPRRFC_STALE;
        sw.generation = m->role.generation_id;
        sw.generation_known = true;
    }
    if (role == OFPCR_ROLE_MASTER)
        be_only_master(c);
    if (role != OFPCR_ROLE_NOCHANGE)
        c->role = role;
    reply.role.role = c->role;
    reply.role.generation_id = sw.generation_known ? sw.generation : UINT64_MAX;
    conn_send(c, &reply, 64);
    return 0;
}

static of_error get_async_request(struct conn *c, const struct of_message *m)
{
    struct of_message reply = {.type = OFPT_GET_ASYNC_REPLY, .xid = m->xid, .async = c->async};

    conn_send(c, &reply, 64);
    return 0;
}

static of_error set_async(struct conn *c, const struct of_message *m)
{
    memcpy(c->async.packet_in_mask, m->async.packet_in_mask, sizeof(c->async.packet_in_mask));
    memcpy(c->async.port_status_mask, m->async.port_status_mask, sizeof(c->async.port_status_mask));
    memcpy(c->async.flow_removed_mask, m->async.flow_removed_mask,
           sizeof(c->async.flow_removed_mask));
    return 0;
}

/* Open vSwitch's message for the masks that 1.3's does not have: those that are given change. Even
 * property types are the slave's, odd ones the master's and equal's. */
static of_error set_async_config2(struct conn *c, const struct of_message *m)
{
    static const uint32_t allowed[] = {
        0x3f, /* of packet-ins, 1.4's reasons too, which never come */
        1 << OFPPR_ADD | 1 << OFPPR_DELETE | 1 << OFPPR_MODIFY,
        0x3f,
        1 << OFPCRR_MASTER_REQUEST | 1 << OFPCRR_CONFIG | 1 << OFPCRR_EXPERIMENTER,
        1 << OFPTR_VACANCY_DOWN | 1 << OFPTR_VACANCY_UP,
    };
    const uint32_t *from[] = {m->async.packet_in_mask, m->async.port_status_mask,
                              m->async.flow_removed_mask, m->async.role_status_mask,
                              m->async.table_status_mask};
    uint32_t *to[] = {c->async.packet_in_mask, c->async.port_status_mask,
                      c->async.flow_removed_mask, c->async.role_status_mask,
                      c->async.table_status_mask};

    for (unsigned type = 0; type < 10; type++)
        if (from[type / 2][type % 2 == 0] & ~allowed[type / 2])
            return ONF_ASYNC_INVALID;
    for (unsigned type = 0; type < 10; type++)
        if (m->async.given & 1u << type)
            to[type / 2][type % 2 == 0] = from[type / 2][type % 2 == 0];
    return 0;
}

/* ---- packets ---- */

static void flush_now(struct deferred *deferred)
{
    (void)deferred;
    worker_flush(sw.dp.workers[0]);
}

void flush_later(void)
{
    static struct deferred flush;

    loop_defer(&flush, flush_now);
}

of_error packet_out_check(const struct of_packet_out *out)
{
    of_error error = out->buffer_id != OFP_NO_BUFFER ? packet_buffer_check(out->buffer_id) : 0;

    if (error)
        return error;
    if (out->in_port == 0 || (out->in_port > OFPP_MAX && out->in_port != OFPP_CONTROLLER &&
                              out->in_port != OFPP_LOCAL && out->in_port != OFPP_ANY))
        return OFPBRC_BAD_PORT;
    if (out->buffer_id == OFP_NO_BUFFER &&
        (out->data.len < ETH_HEADER_SIZE || out->data.len > PACKET_MOST))
        return OFPBRC_BAD_PACKET;
    return check_actions(&sw.dp, &out->actions, NULL, true);
}

of_error packet_out(const struct of_packet_out *out)
{
    bool buffered = out->buffer_id != OFP_NO_BUFFER;
    struct packet *p = buffered ? packet_buffer_take(out->buffer_id) : packet_copy_of(out->data);

    if (!p)
        return OFPBRC_BAD_PACKET;
    if (buffered) /* tunnel fields stay as they were */
        p->key.in_port = htonl(out->in_port);
    else
        packet_enter(p, out->in_port);
    pipeline_packet_out(sw.dp.workers[0], p, &out->actions);
    sw.counters.packet_outs++;
    flush_later();
    return 0;
}

static of_error packet_out_request(struct conn *c, const struct of_message *m)
{
    of_error error = packet_out_check(&m->packet_out);

    (void)c;
    return error ? error : packet_out(&m->packet_out);
}

/* ---- changes ---- */

/* The buffer whose packet goes through the tables behind this flow mod; of a delete it means
 * nothing (clause 7.3.4.1). */
static uint32_t buffer_of(const struct of_message *m)
{
    return m->type == OFPT_FLOW_MOD && m->flow_mod.command < OFPFC_DELETE ? m->flow_mod.buffer_id
                                                                          : OFP_NO_BUFFER;
}

static of_error apply_flow_mod(struct transaction *t, const struct of_message *m)
{
    struct of_flow_mod mod;
    of_error error;

    sw.counters.flow_mods++;
    if (buffer_of(m) == OFP_NO_BUFFER)
        return change_flow_mod(t, &m->flow_mod);
    error = packet_buffer_check(buffer_of(m));
    if (error)
        return error;
    mod = m->flow_mod;
    mod.buffer_id = OFP_NO_BUFFER;
    return change_flow_mod(t, &mod);
}

void change_applied(const struct of_message *m)
{
    if (buffer_of(m) != OFP_NO_BUFFER)
        packet_buffer_release(buffer_of(m));
}

of_error apply_change(struct transaction *t, const struct of_message *m)
{
    switch (m->type) {
    case OFPT_FLOW_MOD:
        return apply_flow_mod(t, m);
    case OFPT_GROUP_MOD:
        sw.counters.group_mods++;
        return change_group_mod(t, &m->group_mod);
    case OFPT_METER_MOD:
        sw.counters.meter_mods++;
        return change_meter_mod(t, &m->meter_mod);
    case OFPT_PORT_MOD:
        return change_port_mod(t, &m->port_mod);
    default:
        return change_table_mod(t, &m->table_mod);
    }
}

static of_error change_request(struct conn *c, const struct of_message *m)
{
    struct transaction t;
    of_error error;

    change_begin(&t, &sw.dp);
    error = apply_change(&t, m);
    if (error) {
        change_rollback(&t);
        return error;
    }
    monitors_cause(c, m->xid);
    change_commit(&t);
    monitors_cause(NULL, 0);
    change_applied(m);
    return 0;
}

/* ---- dispatch ---- */

static of_error ignore(struct conn *c, const struct of_message *m)
{
    (void)c;
    (void)m;
    return 0;
}

static of_error experimenter(struct conn *c, const struct of_message *m)
{
    (void)c;
    return m->experimenter.experimenter == OF_EXPERIMENTER_ONF ||
                   m->experimenter.experimenter == OF_EXPERIMENTER_NICIRA
               ? OFPBRC_BAD_EXP_TYPE
               : OFPBRC_BAD_EXPERIMENTER;
}

static of_error error_message(struct conn *c, const struct of_message *m)
{
    char buffer[128];
    struct text t = text_in(buffer, sizeof(buffer));
    static struct log_limit limit;

    of_print_error(&t, OF_ERROR(m->error.type, m->error.code));
    log_limited(&limit, LOG_WARN, "controller %s reports %s", openflow_channel_peer(c->channel),
                buffer);
    return 0;
}

/* Messages that only a switch sends are no requests: BAD_TYPE. */
static of_error (*const requests[])(struct conn *c, const struct of_message *m) = {
    [OFPT_HELLO] = ignore,
    [OFPT_ERROR] = error_message,
    [OFPT_ECHO_REPLY] = ignore,
    [OFPT_EXPERIMENTER] = experimenter,
    [OFPT_FEATURES_REQUEST] = features_request,
    [OFPT_GET_CONFIG_REQUEST] = get_config_request,
    [OFPT_SET_CONFIG] = set_config,
    [OFPT_PACKET_OUT] = packet_out_request,
    [OFPT_FLOW_MOD] = change_request,
    [OFPT_GROUP_MOD] = change_request,
    [OFPT_PORT_MOD] = change_request,
    [OFPT_TABLE_MOD] = change_request,
    [OFPT_MULTIPART_REQUEST] = conn_multipart,
    [OFPT_BARRIER_REQUEST] = barrier_request,
    [OFPT_QUEUE_GET_CONFIG_REQUEST] = queue_get_config_request,
    [OFPT_ROLE_REQUEST] = role_request,
    [OFPT_GET_ASYNC_REQUEST] = get_async_request,
    [OFPT_SET_ASYNC] = set_async,
    [OFPT_METER_MOD] = change_request,
    [OFPT_ONF_BUNDLE_CONTROL] = conn_bundle_control,
    [OFPT_ONF_BUNDLE_ADD] = conn_bundle_add,
    [OFPT_ONF_FLOW_MONITOR_CANCEL] = conn_monitor_cancel,
    [OFPT_ONF_TABLE_MOD] = conn_onf_table_mod,
    [OFPT_NX_SET_ASYNC_CONFIG2] = set_async_config2,
};

of_error conn_request(struct conn *c, const struct of_message *m)
{
    if (m->type >= sizeof(requests) / sizeof(requests[0]) || !requests[m->type])
        return OFPBRC_BAD_TYPE;
    return requests[m->type](c, m);
}
