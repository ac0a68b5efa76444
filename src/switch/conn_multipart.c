/*
 * conn_multipart.c -- statistics and descriptions (OpenFlow 1.3.5 clause 7.3.5).
 *
 * Each type fills entries, which the codec cuts into replies of at most 64 KB. Flows, groups and
 * meters are told exactly as they were configured. Tables' features and descriptions are in
 * conn_tables.c, flow monitors in conn_monitor.c.
 */
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"

static void emit(void *context, struct bytes message)
{
    struct conn *c = context;

    if (openflow_send(c->channel, message) < 0)
        c->errors++;
}

void conn_multipart_begin(struct of_multipart_writer *mw, struct conn *c,
                          const struct of_message *m)
{
    of_multipart_begin(mw, sw.buffer, m->xid, m->multipart_request.type, emit, c);
}

/* A reply that is no list. */
static void reply(struct conn *c, const struct of_message *m, struct of_multipart body)
{
    struct of_message r = {.type = OFPT_MULTIPART_REPLY, .xid = m->xid};

    r.multipart_reply = body;
    r.multipart_reply.type = m->multipart_request.type;
    conn_send(c, &r, 2048);
}

static void since(uint64_t created_us, uint32_t *seconds, uint32_t *nanoseconds)
{
    uint64_t age = clock_now_us() - created_us;

    *seconds = (uint32_t)(age / 1000000);
    *nanoseconds = (uint32_t)(age % 1000000 * 1000);
}

/* ---- the switch ---- */

static of_error describe(struct conn *c, const struct of_message *m)
{
    struct of_desc desc = {.mfr_desc = "Strowger",
                           .hw_desc = "software switch",
                           .sw_desc = STROWGER_VERSION,
                           .dp_desc = "strowger switch"};

    memcpy(desc.serial_num, sw.serial, sizeof(desc.serial_num));
    reply(c, m, (struct of_multipart){.desc = &desc});
    return 0;
}

/* ---- flows ---- */

static int tell_flow(struct flow *flow, void *context)
{
    struct counter count = flow_count(&sw.dp.tables, flow);
    struct of_flow_stats s = {
        .table_id = flow->table_id,
        .priority = flow_priority(flow),
        .idle_timeout = flow->idle_timeout,
        .hard_timeout = flow->hard_timeout,
        .flags = flow->flags,
        .cookie = flow->cookie,
        .packet_count = count.packets,
        .byte_count = count.bytes,
    };

    arena_reset(&sw.scratch);
    if (!flow_instructions(flow, &s.instructions, &sw.scratch))
        return -ENOMEM;

    since(flow->created_us, &s.duration_s, &s.duration_ns);
    flow_match(flow, &s.match);
    of_multipart_add(context, &s);
    return 0;
}

static int sum_flow(struct flow *flow, void *context)
{
    struct of_aggregate_stats *sum = context;
    struct counter count = flow_count(&sw.dp.tables, flow);

    sum->packet_count += count.packets;
    sum->byte_count += count.bytes;
    sum->flow_count++;
    return 0;
}

static of_error flows_filter(const struct of_message *m, struct flow_filter *filter)
{
    const struct of_flow_stats_request *r = &m->multipart_request.flow_request;

    if (r->table_id != OFPTT_ALL &&
        (r->table_id >= TABLES || sw.dp.tables.table[r->table_id].removed))
        return OFPBRC_BAD_TABLE_ID;
    *filter = (struct flow_filter){r->table_id,    &r->match,   r->cookie,
                                   r->cookie_mask, r->out_port, r->out_group};
    return 0;
}

static of_error flow_stats(struct conn *c, const struct of_message *m)
{
    struct of_multipart_writer mw;
    struct flow_filter filter;
    of_error error = flows_filter(m, &filter);

    if (error)
        return error;
    conn_multipart_begin(&mw, c, m);
    (void)tables_each(&sw.dp.tables, &filter, tell_flow, &mw);
    of_multipart_end(&mw);
    return 0;
}

static of_error aggregate_stats(struct conn *c, const struct of_message *m)
{
    struct of_aggregate_stats sum = {0};
    struct flow_filter filter;
    of_error error = flows_filter(m, &filter);

    if (error)
        return error;
    (void)tables_each(&sw.dp.tables, &filter, sum_flow, &sum);
    reply(c, m, (struct of_multipart){.aggregate = sum});
    return 0;
}

static of_error table_stats(struct conn *c, const struct of_message *m)
{
    struct of_multipart_writer mw;

    conn_multipart_begin(&mw, c, m);
    for (unsigned i = 0; i < TABLES; i++) {
        const struct table *table = &sw.dp.tables.table[i];
        struct table_count count = datapath_table_count(&sw.dp, (uint8_t)i);
        struct of_table_stats s = {(uint8_t)i, table->flows, count.lookups, count.matches};

        if (!table->removed)
            of_multipart_add(&mw, &s);
    }
    of_multipart_end(&mw);
    return 0;
}

/* ---- ports ---- */

static void tell_port_stats(struct of_multipart_writer *mw, const struct port *port)
{
    struct port_counters n = port_count(port);
    struct of_port_stats s = {
        .port_no = port->number,
        .rx_packets = n.rx_packets,
        .tx_packets = n.tx_packets,
        .rx_bytes = n.rx_bytes,
        .tx_bytes = n.tx_bytes,
        .rx_dropped = n.rx_dropped,
        .tx_dropped = n.tx_dropped,
        .rx_errors = n.rx_errors,
        .tx_errors = n.tx_errors,
    };

    since(port->created_us, &s.duration_s, &s.duration_ns);
    of_multipart_add(mw, &s);
}

static of_error port_stats(struct conn *c, const struct of_message *m)
{
    uint32_t wanted = m->multipart_request.port_request.port_no;
    struct of_multipart_writer mw;

    if (wanted != OFPP_ANY && !datapath_port(&sw.dp, wanted))
        return OFPBRC_BAD_PORT;
    conn_multipart_begin(&mw, c, m);
    for (uint32_t i = 0; i < MAX_PORTS; i++)
        if (sw.dp.ports[i] && (wanted == OFPP_ANY || wanted == i))
            tell_port_stats(&mw, sw.dp.ports[i]);
    of_multipart_end(&mw);
    return 0;
}

static of_error port_desc(struct conn *c, const struct of_message *m)
{
    struct of_multipart_writer mw;

    conn_multipart_begin(&mw, c, m);
    for (uint32_t i = 0; i < MAX_PORTS; i++) {
        struct of_port desc;

        if (!sw.dp.ports[i])
            continue;
        port_describe(sw.dp.ports[i], &desc);
        of_multipart_add(&mw, &desc);
    }
    of_multipart_end(&mw);
    return 0;
}

/* Ports have no queues. */
static of_error queue_stats(struct conn *c, const struct of_message *m)
{
    struct of_multipart_writer mw;
    uint32_t port = m->multipart_request.port_request.port_no;

    if (port != OFPP_ANY && !datapath_port(&sw.dp, port))
        return OFPQOFC_BAD_PORT;
    if (m->multipart_request.port_request.queue_id != OFPQ_ALL)
        return OFPQOFC_BAD_QUEUE;
    conn_multipart_begin(&mw, c, m);
    of_multipart_end(&mw);
    return 0;
}

/* ---- groups ---- */

static void tell_group_stats(struct of_multipart_writer *mw, const struct group *group)
{
    struct counter count = counter_sum(group->counters, group->counter);
    struct of_group_stats s = {.group_id = group->id,
                               .ref_count = group->refs,
                               .packet_count = count.packets,
                               .byte_count = count.bytes};

    since(group->created_us, &s.duration_s, &s.duration_ns);
    s.buckets.at = arena_array(&sw.arena, group->bucket_count, sizeof(*s.buckets.at));
    s.buckets.count = s.buckets.at ? group->bucket_count : 0;
    for (size_t i = 0; i < s.buckets.count; i++) {
        count = counter_sum(group->counters, group->buckets[i].counter);
        s.buckets.at[i] = (struct of_bucket_counter){count.packets, count.bytes};
    }
    of_multipart_add(mw, &s);
}

static void tell_group_desc(struct of_multipart_writer *mw, const struct group *group)
{
    struct of_group_desc d = {.type = group->type, .group_id = group->id};

    d.buckets.at = arena_array(&sw.arena, group->bucket_count, sizeof(*d.buckets.at));
    d.buckets.count = d.buckets.at ? group->bucket_count : 0;
    for (size_t i = 0; i < d.buckets.count; i++)
        d.buckets.at[i] = group->buckets[i].config;
    of_multipart_add(mw, &d);
}

/* Walks a map of groups or meters, all or one. */
static void tell_entries(struct conn *c, const struct of_message *m, const struct map *map,
                         bool all, uint32_t id,
                         void (*tell)(struct of_multipart_writer *mw, const void *entry))
{
    struct of_multipart_writer mw;
    size_t at = 0;
    uint64_t key, value;

    conn_multipart_begin(&mw, c, m);
    while (map_next(map, &at, &key, &value))
        if (all || key == id)
            tell(&mw, (const void *)(uintptr_t)value);
    of_multipart_end(&mw);
}

static void group_stats_entry(struct of_multipart_writer *mw, const void *entry)
{
    tell_group_stats(mw, entry);
}

static void group_desc_entry(struct of_multipart_writer *mw, const void *entry)
{
    tell_group_desc(mw, entry);
}

static of_error group_stats(struct conn *c, const struct of_message *m)
{
    uint32_t id = m->multipart_request.group_id;

    tell_entries(c, m, &sw.dp.groups, id == OFPG_ALL, id, group_stats_entry);
    return 0;
}

static of_error group_desc(struct conn *c, const struct of_message *m)
{
    tell_entries(c, m, &sw.dp.groups, true, 0, group_desc_entry);
    return 0;
}

#define ALL_ACTIONS                                                                                \
    (1u << OFPAT_OUTPUT | 1u << OFPAT_COPY_TTL_OUT | 1u << OFPAT_COPY_TTL_IN |                     \
     1u << OFPAT_SET_MPLS_TTL | 1u << OFPAT_DEC_MPLS_TTL | 1u << OFPAT_PUSH_VLAN |                 \
     1u << OFPAT_POP_VLAN | 1u << OFPAT_PUSH_MPLS | 1u << OFPAT_POP_MPLS | 1u << OFPAT_SET_QUEUE | \
     1u << OFPAT_GROUP | 1u << OFPAT_SET_NW_TTL | 1u << OFPAT_DEC_NW_TTL | 1u << OFPAT_SET_FIELD | \
     1u << OFPAT_PUSH_PBB | 1u << OFPAT_POP_PBB)

static of_error group_features(struct conn *c, const struct of_message *m)
{
    struct of_group_features f = {
        .types = 1 << OFPGT_ALL | 1 << OFPGT_SELECT | 1 << OFPGT_INDIRECT | 1 << OFPGT_FF,
        .capabilities = OFPGFC_SELECT_WEIGHT | OFPGFC_SELECT_LIVENESS | OFPGFC_CHAINING |
                        OFPGFC_CHAINING_CHECKS,
    };

    for (size_t i = 0; i < 4; i++) {
        f.max_groups[i] = sw.config.max_groups;
        f.actions[i] = ALL_ACTIONS;
    }
    reply(c, m, (struct of_multipart){.group_features = f});
    return 0;
}

/* ---- meters ---- */

static void meter_stats_entry(struct of_multipart_writer *mw, const void *entry)
{
    const struct meter *meter = entry;
    struct counter count = counter_sum(meter->counters, meter->counter);
    struct of_meter_stats s = {.meter_id = meter->id,
                               .flow_count = meter->refs,
                               .packet_in_count = count.packets,
                               .byte_in_count = count.bytes};

    since(meter->created_us, &s.duration_s, &s.duration_ns);
    s.bands.at = arena_array(&sw.arena, meter->band_count, sizeof(*s.bands.at));
    s.bands.count = s.bands.at ? meter->band_count : 0;
    for (size_t i = 0; i < s.bands.count; i++) {
        count = counter_sum(meter->counters, meter->bands[i].counter);
        s.bands.at[i] = (struct of_band_stats){count.packets, count.bytes};
    }
    of_multipart_add(mw, &s);
}

static void meter_config_entry(struct of_multipart_writer *mw, const void *entry)
{
    const struct meter *meter = entry;
    struct of_meter_config s = {.flags = meter->flags, .meter_id = meter->id};

    s.bands.at = arena_array(&sw.arena, meter->band_count, sizeof(*s.bands.at));
    s.bands.count = s.bands.at ? meter->band_count : 0;
    for (size_t i = 0; i < s.bands.count; i++)
        s.bands.at[i] = meter->bands[i].config;
    of_multipart_add(mw, &s);
}

static of_error meters(struct conn *c, const struct of_message *m)
{
    uint32_t id = m->multipart_request.meter_id;

    if (id != OFPM_ALL && !datapath_meter(&sw.dp, id))
        return OFPMMFC_UNKNOWN_METER;
    tell_entries(c, m, &sw.dp.meters, id == OFPM_ALL, id,
                 m->multipart_request.type == OFPMP_METER ? meter_stats_entry : meter_config_entry);
    return 0;
}

static of_error meter_features(struct conn *c, const struct of_message *m)
{
    struct of_meter_features f = {
        .max_meter = sw.config.max_meters,
        .band_types = 1 << OFPMBT_DROP | 1 << OFPMBT_DSCP_REMARK,
        .capabilities = OFPMF_KBPS | OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS,
        .max_bands = 16,
    };

    reply(c, m, (struct of_multipart){.meter_features = f});
    return 0;
}

/* ---- requests of several messages ---- */

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define MAX_PARTS (4u << 20) /* bytes of one request */
#define PARTS_MS  5000       /* for which the next part is waited for */

void conn_drop_parts(struct conn *c)
{
    timer_stop(&c->parts.timer);
    free(c->parts.at);
    c->parts = (struct multipart_parts){.at = NULL};
}

static void parts_late(struct timer *timer)
{
    struct conn *c = container_of(timer, struct conn, parts.timer);

    conn_error(c, c->parts.xid, ONF_MULTIPART_REQUEST_TIMEOUT, bytes_of(c->parts.at, c->parts.len));
    conn_drop_parts(c);
}

/* Keeps a part as it came until the last is there. Only lists that may be longer than a message
 * come in parts. */
static of_error keep_part(struct conn *c, const struct of_message *m)
{
    struct multipart_parts *parts = &c->parts;
    uint8_t *at;

    if (m->multipart_request.type != OFPMP_TABLE_FEATURES &&
        m->multipart_request.type != OFPMP_ONF_FLOW_MONITOR)
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    if (parts->at && parts->xid == m->xid && parts->type != m->multipart_request.type) {
        conn_drop_parts(c);
        return OFPBRC_BAD_MULTIPART;
    }
    if ((parts->at && parts->xid != m->xid) || parts->len + sw.wire.len > MAX_PARTS ||
        !(at = realloc(parts->at, parts->len + sw.wire.len))) {
        conn_drop_parts(c);
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    }
    memcpy(at + parts->len, sw.wire.at, sw.wire.len);
    parts->at = at;
    parts->len += sw.wire.len;
    parts->xid = m->xid;
    parts->type = m->multipart_request.type;
    timer_start(&parts->timer, PARTS_MS, parts_late);
    return 0;
}

/* Puts two lists of elements of this size together. */
static of_error join(void *list, const void *more, size_t size)
{
    struct {
        uint8_t *at;
        size_t count;
    } a, b;
    uint8_t *at;

    memcpy(&a, list, sizeof(a));
    memcpy(&b, more, sizeof(b));
    at = arena_array(&sw.arena, a.count + b.count + 1, size);
    if (!at)
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    if (a.count)
        memcpy(at, a.at, a.count * size);
    if (b.count)
        memcpy(at + a.count * size, b.at, b.count * size);
    a.at = at;
    a.count += b.count;
    memcpy(list, &a, sizeof(a));
    return 0;
}

/* The parts and the last message as one; `whole` begins empty. The arena is not reset meanwhile. */
static of_error join_parts(const struct multipart_parts *parts, const struct of_message *last,
                           struct of_message *whole)
{
    struct reader r = reader_of(parts->at, parts->len);
    bool monitors = parts->type == OFPMP_ONF_FLOW_MONITOR;
    struct of_multipart *to = &whole->multipart_request;
    of_error error = 0;

    *whole = *last;
    memset(&to->table_features, 0, sizeof(to->table_features));
    while (!error) {
        struct of_message m = *last;
        bool end = rd_left(&r) == 0;

        if (!end && of_decode(&m, rd_view(&r, of_message_length(r.at)), &sw.arena, &error) < 0)
            return error;
        error = monitors ? join(&to->flow_monitors, &m.multipart_request.flow_monitors,
                                sizeof(*to->flow_monitors.at))
                         : join(&to->table_features, &m.multipart_request.table_features,
                                sizeof(*to->table_features.at));
        if (end)
            break;
    }
    return error;
}

/* ---- dispatch ---- */

static of_error (*const types[])(struct conn *c, const struct of_message *m) = {
    [OFPMP_DESC] = describe,
    [OFPMP_FLOW] = flow_stats,
    [OFPMP_AGGREGATE] = aggregate_stats,
    [OFPMP_TABLE] = table_stats,
    [OFPMP_PORT_STATS] = port_stats,
    [OFPMP_QUEUE] = queue_stats,
    [OFPMP_GROUP] = group_stats,
    [OFPMP_GROUP_DESC] = group_desc,
    [OFPMP_GROUP_FEATURES] = group_features,
    [OFPMP_METER] = meters,
    [OFPMP_METER_CONFIG] = meters,
    [OFPMP_METER_FEATURES] = meter_features,
    [OFPMP_TABLE_FEATURES] = conn_table_features,
    [OFPMP_PORT_DESC] = port_desc,
};

static of_error answer(struct conn *c, const struct of_message *m)
{
    if (m->multipart_request.type == OFPMP_ONF_FLOW_MONITOR)
        return conn_flow_monitor(c, m);
    if (m->multipart_request.type == OFPMP_ONF_TABLE_DESC)
        return conn_table_desc(c, m);
    if (m->multipart_request.type < COUNT(types))
        return types[m->multipart_request.type](c, m);
    return m->multipart_request.experimenter.experimenter == OF_EXPERIMENTER_ONF ||
                   m->multipart_request.experimenter.experimenter == OF_EXPERIMENTER_NICIRA
               ? OFPBRC_BAD_EXP_TYPE
               : OFPBRC_BAD_EXPERIMENTER;
}

of_error conn_multipart(struct conn *c, const struct of_message *m)
{
    struct of_message whole;
    of_error error;

    if (m->multipart_request.flags & OFPMPF_REQ_MORE)
        return keep_part(c, m);
    if (!c->parts.at || c->parts.xid != m->xid)
        return answer(c, m);
    error = c->parts.type == m->multipart_request.type ? join_parts(&c->parts, m, &whole)
                                                       : (of_error)OFPBRC_BAD_MULTIPART;
    if (!error)
        error = answer(c, &whole);
    conn_drop_parts(c);
    return error;
}
