/*
 * state.c -- see state.h. Lists of objects, one per port, flow, group ...; flows and actions as
 * ovs-ofctl writes them.
 */
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"
#include "switch/ipfix.h"
#include "switch/mirror.h"
#include "switch/state.h"

#define TEXT_SIZE 4096 /* of a match or an action list; longer ones are cut */

const struct process_view state_views[] = {
    {"summary", "what the switch is and has done"},
    {"ports", "ports, their counters, and why packets were dropped"},
    {"flows", "flows as ovs-ofctl writes them (?table=N for one table)"},
    {"tables", "tables that have flows or were looked up"},
    {"groups", "groups and their buckets"},
    {"meters", "meters and their bands"},
    {"controllers", "connections, roles"},
    {"ipfix", "flows that are reported to a collector, and mirrors"},
    {NULL, NULL},
};

static double age_s(uint64_t since_us)
{
    uint64_t ms = (clock_now_us() - since_us) / 1000;

    return (double)ms / 1000.0;
}

/* ---- ports ---- */

static json_t *drops_json(const struct port_counters *n)
{
    json_t *drops = json_object();

    for (size_t i = 0; i < DROP_REASONS; i++)
        if (n->drops[i])
            json_object_set_new(drops, drop_reason_names[i], json_integer((json_int_t)n->drops[i]));
    for (size_t i = 0; i < PORT_DROPS; i++)
        if (n->own_drops[i])
            json_object_set_new(drops, port_drop_names[i],
                                json_integer((json_int_t)n->own_drops[i]));
    return drops;
}

static json_t *port_json(const struct port *p)
{
    struct port_counters count = port_count(p);
    const struct port_counters *n = &count;

    return json_pack("{s:i, s:s, s:s, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
                     "number", (int)p->number, "name", p->name, "driver", p->driver->name, "up",
                     (int)port_is_live(p), "mtu", (int)p->mtu, "rx_packets",
                     (json_int_t)n->rx_packets, "rx_bytes", (json_int_t)n->rx_bytes, "tx_packets",
                     (json_int_t)n->tx_packets, "tx_bytes", (json_int_t)n->tx_bytes, "rx_dropped",
                     (json_int_t)n->rx_dropped, "tx_dropped", (json_int_t)n->tx_dropped,
                     "rx_errors", (json_int_t)n->rx_errors, "tx_errors", (json_int_t)n->tx_errors,
                     "drops", drops_json(n));
}

static json_t *ports_json(const struct control_request *request)
{
    json_t *list = json_array();

    (void)request;
    for (size_t i = 0; i < MAX_PORTS; i++)
        if (sw.dp.ports[i])
            json_array_append_new(list, port_json(sw.dp.ports[i]));
    return list;
}

/* ---- flows ---- */

static int add_flow(struct flow *flow, void *context)
{
    char match[TEXT_SIZE], actions[TEXT_SIZE], cookie[32];
    struct text tm = text_in(match, sizeof(match)), ta = text_in(actions, sizeof(actions));
    struct text tc = text_in(cookie, sizeof(cookie));
    struct counter count = flow_count(&sw.dp.tables, flow);
    struct of_instructions instructions = {0};
    struct of_match m;

    arena_reset(&sw.scratch);
    flow_match(flow, &m);
    of_print_match(&tm, &m);
    if (flow_instructions(flow, &instructions, &sw.scratch))
        of_print_instructions(&ta, &instructions);
    text_add(&tc, "0x%llx", (unsigned long long)flow->cookie);
    json_array_append_new(
        context, json_pack("{s:i, s:i, s:s, s:s, s:s, s:I, s:I, s:f}", "table", (int)flow->table_id,
                           "priority", (int)flow_priority(flow), "cookie", cookie, "match", match,
                           "actions", actions, "packets", (json_int_t)count.packets, "bytes",
                           (json_int_t)count.bytes, "age_s", age_s(flow->created_us)));
    return 0;
}

static json_t *flows_json(const struct control_request *request)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    const char *table = request ? control_argument(request, "table") : NULL;
    json_t *list = json_array();

    if (table && strtoul(table, NULL, 0) < TABLES)
        filter.table_id = (uint8_t)strtoul(table, NULL, 0);
    (void)tables_each(&sw.dp.tables, &filter, add_flow, list);
    return list;
}

static json_t *tables_json(const struct control_request *request)
{
    json_t *list = json_array();

    (void)request;
    for (size_t i = 0; i < TABLES; i++) {
        const struct table *t = &sw.dp.tables.table[i];
        struct table_count count = datapath_table_count(&sw.dp, (uint8_t)i);
        char searched[64];

        if (t->flows || count.lookups)
            json_array_append_new(
                list, json_pack("{s:i, s:i, s:i, s:s, s:I, s:I}", "table", (int)i, "flows",
                                (int)t->flows, "masks", (int)t->tuple_count, "searched",
                                table_matcher_name(t, searched, sizeof(searched)), "lookups",
                                (json_int_t)count.lookups, "matches", (json_int_t)count.matches));
    }
    return list;
}

/* ---- groups and meters ---- */

static json_t *buckets_json(const struct group *group)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < group->bucket_count; i++) {
        const struct bucket *b = &group->buckets[i];
        struct counter count = counter_sum(group->counters, b->counter);
        char actions[TEXT_SIZE];
        struct text t = text_in(actions, sizeof(actions));

        of_print_actions(&t, &b->config.actions);
        json_array_append_new(
            list, json_pack("{s:i, s:b, s:s, s:I, s:I}", "weight", (int)b->config.weight, "live",
                            (int)bucket_is_live(&sw.dp, datapath_version(&sw.dp), &b->config, 0),
                            "actions", actions, "packets", (json_int_t)count.packets, "bytes",
                            (json_int_t)count.bytes));
    }
    return list;
}

static json_t *groups_json(const struct control_request *request)
{
    static const char *const types[] = {"all", "select", "indirect", "fast_failover"};
    json_t *list = json_array();
    size_t at = 0;
    uint64_t key, value;

    (void)request;
    while (map_next(&sw.dp.groups, &at, &key, &value)) {
        const struct group *group = (const struct group *)(uintptr_t)value;
        struct counter count = counter_sum(group->counters, group->counter);

        json_array_append_new(
            list, json_pack("{s:I, s:s, s:i, s:I, s:I, s:o}", "group", (json_int_t)group->id,
                            "type", types[group->type], "flows", (int)group->refs, "packets",
                            (json_int_t)count.packets, "bytes", (json_int_t)count.bytes, "buckets",
                            buckets_json(group)));
    }
    return list;
}

static json_t *bands_json(const struct meter *meter)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < meter->band_count; i++) {
        const struct band *b = &meter->bands[i];
        struct counter count = counter_sum(meter->counters, b->counter);

        json_array_append_new(
            list,
            json_pack("{s:s, s:I, s:I, s:I, s:I}", "type",
                      b->config.type == OFPMBT_DROP ? "drop" : "dscp_remark", "rate",
                      (json_int_t)b->config.rate, "burst", (json_int_t)b->config.burst_size,
                      "packets", (json_int_t)count.packets, "bytes", (json_int_t)count.bytes));
    }
    return list;
}

static json_t *meters_json(const struct control_request *request)
{
    json_t *list = json_array();
    size_t at = 0;
    uint64_t key, value;

    (void)request;
    while (map_next(&sw.dp.meters, &at, &key, &value)) {
        const struct meter *meter = (const struct meter *)(uintptr_t)value;
        struct counter count = counter_sum(meter->counters, meter->counter);

        json_array_append_new(
            list, json_pack("{s:I, s:s, s:i, s:I, s:I, s:o}", "meter", (json_int_t)meter->id,
                            "unit", meter->flags & OFPMF_PKTPS ? "packets/s" : "kbit/s", "flows",
                            (int)meter->refs, "packets", (json_int_t)count.packets, "bytes",
                            (json_int_t)count.bytes, "bands", bands_json(meter)));
    }
    return list;
}

/* ---- controllers ---- */

static json_t *controllers_json(const struct control_request *request)
{
    static const char *const roles[] = {"nochange", "equal", "master", "slave"};
    json_t *list = json_array();

    (void)request;
    for (const struct conn *c = sw.conns; c; c = c->next)
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:i, s:b, s:s, s:f, s:I, s:I, s:I, s:I}", "address",
                      openflow_channel_peer(c->channel), "transport",
                      openflow_channel_is_tls(c->channel) ? "ssl" : "tcp", "auxiliary",
                      (int)c->auxiliary_id, "up", (int)c->up, "role", roles[c->role & 3], "up_s",
                      c->up ? age_s(c->up_since_us) : 0.0, "messages", (json_int_t)c->messages,
                      "packet_ins", (json_int_t)c->packet_ins, "packet_ins_dropped",
                      (json_int_t)c->packet_ins_dropped, "errors", (json_int_t)c->errors));
    return list;
}

/* ---- who looks on ---- */

static json_t *ipfix_json(const struct control_request *request)
{
    const struct ipfix_counts n = ipfix_count();

    (void)request;
    return json_pack("{s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:i}", "on", (int)n.on, "flows",
                     (int)n.flows, "samples", (json_int_t)n.samples, "samples_lost",
                     (json_int_t)n.samples_lost, "flows_reported", (json_int_t)n.flows_reported,
                     "messages", (json_int_t)n.messages, "messages_lost",
                     (json_int_t)n.messages_lost, "mirrors", (int)mirror_count());
}

/* Where controllers and tools may connect, as they write it. */
static json_t *listen_json(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sw.config.listen.count; i++) {
        const struct openflow_endpoint *at = &sw.config.listen.at[i];
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at->address;
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at->address;
        char host[INET6_ADDRSTRLEN] = "?", text[INET6_ADDRSTRLEN + 16];
        bool is_v6 = at->address.ss_family == AF_INET6;

        inet_ntop(at->address.ss_family, is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, host,
                  sizeof(host));
        snprintf(text, sizeof(text), "%s%s%s%s:%u", at->is_tls ? "ssl:" : "", is_v6 ? "[" : "",
                 host, is_v6 ? "]" : "", ntohs(v4->sin_port)); /* in the same place for IPv6 */
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *summary_json(const struct control_request *request)
{
    char id[32];
    struct text t = text_in(id, sizeof(id));

    (void)request;
    text_add(&t, "%016llx", (unsigned long long)sw.config.datapath_id);
    return json_pack("{s:s, s:b, s:f, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
                     "datapath_id", id, "standalone", (int)sw.dp.standalone, "up_s",
                     age_s(sw.started_us), "flows", (int)sw.dp.tables.flow_count, "groups",
                     (int)sw.dp.groups.count, "meters", (int)sw.dp.meters.count, "flow_mods",
                     (json_int_t)sw.counters.flow_mods, "bundles", (json_int_t)sw.counters.bundles,
                     "packet_ins", (json_int_t)sw.counters.packet_ins, "packet_outs",
                     (json_int_t)sw.counters.packet_outs, "errors", (json_int_t)sw.counters.errors,
                     "listen", listen_json(), "controllers", controllers_json(NULL));
}

json_t *state_json(const char *what, const struct control_request *request)
{
    static const struct {
        const char *what;
        json_t *(*make)(const struct control_request *request);
    } views[] = {
        {"summary", summary_json},         {"ports", ports_json},   {"flows", flows_json},
        {"tables", tables_json},           {"groups", groups_json}, {"meters", meters_json},
        {"controllers", controllers_json}, {"ipfix", ipfix_json},
    };

    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        if (strcmp(what ? what : "summary", views[i].what) == 0)
            return views[i].make(request);
    return NULL;
}

/* ---- metrics ---- */

static uint64_t sum_ports(size_t offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < MAX_PORTS; i++)
        if (sw.dp.ports[i]) {
            struct port_counters count = port_count(sw.dp.ports[i]);

            sum += *(const uint64_t *)(const void *)((const uint8_t *)&count + offset);
        }
    return sum;
}

#define PORT_SUM(member)                                          \
    static uint64_t read_##member(void)                           \
    {                                                             \
        return sum_ports(offsetof(struct port_counters, member)); \
    }
PORT_SUM(rx_packets)
PORT_SUM(tx_packets)
PORT_SUM(rx_bytes)
PORT_SUM(tx_bytes)
PORT_SUM(rx_dropped)
PORT_SUM(tx_dropped)

#define CONTEXT_VALUE(name, expression) \
    static uint64_t read_##name(void)   \
    {                                   \
        return (expression);            \
    }
CONTEXT_VALUE(flows, sw.dp.tables.flow_count)
CONTEXT_VALUE(groups, sw.dp.groups.count)
CONTEXT_VALUE(meters, sw.dp.meters.count)
CONTEXT_VALUE(flow_mods, sw.counters.flow_mods)
CONTEXT_VALUE(bundles, sw.counters.bundles)
CONTEXT_VALUE(bundles_failed, sw.counters.bundles_failed)
CONTEXT_VALUE(packet_ins, sw.counters.packet_ins)
CONTEXT_VALUE(packet_ins_dropped, sw.counters.packet_ins_dropped)
CONTEXT_VALUE(packet_outs, sw.counters.packet_outs)
CONTEXT_VALUE(errors, sw.counters.errors)
CONTEXT_VALUE(echo_requests, gtpu_counters.echo_requests)
CONTEXT_VALUE(error_indications, gtpu_counters.error_indications_sent)
CONTEXT_VALUE(error_indications_suppressed, gtpu_counters.error_indications_suppressed)

static uint64_t read_drops(enum drop_reason why)
{
    uint64_t sum = sw.dp.drops ? port_count(sw.dp.drops).drops[why] : 0;

    return sum + sum_ports(offsetof(struct port_counters, drops) + why * sizeof(uint64_t));
}
CONTEXT_VALUE(dropped_no_match, read_drops(DROP_NO_MATCH))
CONTEXT_VALUE(dropped_by_flow, read_drops(DROP_BY_FLOW))
CONTEXT_VALUE(dropped_meter, read_drops(DROP_METER))
CONTEXT_VALUE(dropped_no_port, read_drops(DROP_NO_PORT))
CONTEXT_VALUE(dropped_packet_in, read_drops(DROP_PACKET_IN))

static struct metric metrics[] = {
    {"strowger_switch_flows", NULL, "Flows in all tables", METRIC_GAUGE, read_flows, 0},
    {"strowger_switch_groups", NULL, "Groups", METRIC_GAUGE, read_groups, 0},
    {"strowger_switch_meters", NULL, "Meters", METRIC_GAUGE, read_meters, 0},
    {"strowger_switch_flow_mods_total", NULL, "Flow mods received", METRIC_COUNTER, read_flow_mods,
     0},
    {"strowger_switch_bundles_total", "outcome=\"committed\"", "Bundles", METRIC_COUNTER,
     read_bundles, 0},
    {"strowger_switch_bundles_total", "outcome=\"failed\"", NULL, METRIC_COUNTER,
     read_bundles_failed, 0},
    {"strowger_switch_packet_ins_total", "outcome=\"sent\"", "Packets for controllers",
     METRIC_COUNTER, read_packet_ins, 0},
    {"strowger_switch_packet_ins_total", "outcome=\"dropped\"", NULL, METRIC_COUNTER,
     read_packet_ins_dropped, 0},
    {"strowger_switch_packet_outs_total", NULL, "Packets from controllers", METRIC_COUNTER,
     read_packet_outs, 0},
    {"strowger_switch_errors_total", NULL, "Errors answered to controllers", METRIC_COUNTER,
     read_errors, 0},
    {"strowger_switch_packets_total", "direction=\"in\"", "Packets of all ports", METRIC_COUNTER,
     read_rx_packets, 0},
    {"strowger_switch_packets_total", "direction=\"out\"", NULL, METRIC_COUNTER, read_tx_packets,
     0},
    {"strowger_switch_bytes_total", "direction=\"in\"", "Bytes of all ports", METRIC_COUNTER,
     read_rx_bytes, 0},
    {"strowger_switch_bytes_total", "direction=\"out\"", NULL, METRIC_COUNTER, read_tx_bytes, 0},
    {"strowger_switch_port_drops_total", "direction=\"in\"", "Packets that ports lost",
     METRIC_COUNTER, read_rx_dropped, 0},
    {"strowger_switch_port_drops_total", "direction=\"out\"", NULL, METRIC_COUNTER, read_tx_dropped,
     0},
    {"strowger_switch_drops_total", "reason=\"no_match\"", "Packets that the tables dropped",
     METRIC_COUNTER, read_dropped_no_match, 0},
    {"strowger_switch_drops_total", "reason=\"by_flow\"", NULL, METRIC_COUNTER,
     read_dropped_by_flow, 0},
    {"strowger_switch_drops_total", "reason=\"meter\"", NULL, METRIC_COUNTER, read_dropped_meter,
     0},
    {"strowger_switch_drops_total", "reason=\"no_port\"", NULL, METRIC_COUNTER,
     read_dropped_no_port, 0},
    {"strowger_switch_drops_total", "reason=\"packet_in\"", NULL, METRIC_COUNTER,
     read_dropped_packet_in, 0},
    {"strowger_switch_gtpu_echo_requests_total", NULL, "GTP-U Echo Requests answered",
     METRIC_COUNTER, read_echo_requests, 0},
    {"strowger_switch_gtpu_error_indications_total", "outcome=\"sent\"", "GTP-U Error Indications",
     METRIC_COUNTER, read_error_indications, 0},
    {"strowger_switch_gtpu_error_indications_total", "outcome=\"suppressed\"", NULL, METRIC_COUNTER,
     read_error_indications_suppressed, 0},
};

void state_register(void)
{
    (void)metric_register(metrics, sizeof(metrics) / sizeof(metrics[0]));
}
