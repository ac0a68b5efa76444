/*
 * ofctl_dump.c -- see ofctl.h: the verbs that show a switch.
 *
 * A multipart reply's entries become rows as its parts arrive. Each kind of entry has a function
 * that makes its row; those that ovs-ofctl writes in a form of its own (flows, groups, meters) have
 * a line, too.
 */
#include <stdlib.h>

#include "switch/ofctl.h"

#define TEXT_SIZE 65536 /* of a match, an action list, a group */

/* Room for the texts of one entry; there is one loop and one dump at a time. */
static char text_a[TEXT_SIZE], text_b[TEXT_SIZE], text_c[TEXT_SIZE], text_d[TEXT_SIZE];

static double seconds(uint32_t s, uint32_t ns)
{
    return s + ns / 1e9;
}

static json_t *port_json(uint32_t port)
{
    char buffer[32];
    struct text t = text_in(buffer, sizeof(buffer));

    if (port < OFPP_MAX)
        return json_integer(port);
    of_print_port(&t, port);
    return json_string(buffer);
}

/* Names of the bits that are set, as a list. */
static json_t *flags_json(uint32_t flags, const char *const *names, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        if (names[i] && flags & 1u << i)
            json_array_append_new(list, json_string(names[i]));
    return list;
}
#define FLAGS(flags, names) flags_json(flags, names, sizeof(names) / sizeof((names)[0]))

/* ---- show ---- */

static json_t *one_port_json(const struct of_port *p)
{
    static const char *const config[] = {"down", NULL,         "no-receive",  NULL,
                                         NULL,   "no-forward", "no-packet-in"};
    static const char *const state[] = {"link-down", "blocked", "live"};
    char mac[18];

    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", p->hw_addr[0], p->hw_addr[1],
             p->hw_addr[2], p->hw_addr[3], p->hw_addr[4], p->hw_addr[5]);
    return json_pack("{s:o, s:s%, s:s, s:o, s:o, s:I, s:I}", "port", port_json(p->port_no), "name",
                     p->name, strnlen(p->name, OFP_NAME_SIZE), "mac", mac, "config",
                     FLAGS(p->config, config), "state", FLAGS(p->state, state), "speed_kbps",
                     (json_int_t)p->curr_speed, "max_speed_kbps", (json_int_t)p->max_speed);
}

static json_t *features_json(const struct of_features_reply *f, const struct of_switch_config *s)
{
    static const char *const capabilities[] = {"flow_stats",  "table_stats", "port_stats",
                                               "group_stats", NULL,          "ip_reasm",
                                               "queue_stats", NULL,          "port_blocked"};
    static const char *const fragments[] = {"normal", "drop", "reassemble", "unknown"};
    char id[32];

    snprintf(id, sizeof(id), "%016llx", (unsigned long long)f->datapath_id);
    return json_pack("{s:s, s:i, s:I, s:i, s:o, s:s, s:i}", "datapath_id", id, "tables",
                     (int)f->n_tables, "buffers", (json_int_t)f->n_buffers, "auxiliary_id",
                     (int)f->auxiliary_id, "capabilities", FLAGS(f->capabilities, capabilities),
                     "fragments", fragments[s->flags & OFPC_FRAG_MASK], "miss_send_len",
                     (int)s->miss_send_len);
}

int ofctl_show(struct ofctl *c, int argc, char **argv)
{
    struct of_message m = {.type = OFPT_FEATURES_REQUEST}, features, config;

    (void)argc;
    (void)argv;
    if (ofctl_request(c, &m, &features) != 0)
        return 1;
    m.type = OFPT_GET_CONFIG_REQUEST;
    if (ofctl_request(c, &m, &config) != 0 || ofctl_learn_ports(c) != 0)
        return 1;
    json_t *all = features_json(&features.features, &config.config), *ports = json_array();
    for (size_t i = 0; i < c->ports.count; i++)
        json_array_append_new(ports, one_port_json(&c->ports.at[i]));
    json_object_set_new(all, "ports", ports);
    ofctl_object(c, all);
    return 0;
}

/* ---- descriptions and counters ---- */

/* One kind of dump: rows of the parts. */
struct dumping {
    struct ofctl_rows rows;
    void (*add)(struct ofctl_rows *rows, const struct of_multipart *part);
};

static void add_part(void *context, const struct of_multipart *part)
{
    struct dumping *d = context;

    d->add(&d->rows, part);
}

static int dump(struct ofctl *c, const struct of_multipart *request,
                void (*add)(struct ofctl_rows *rows, const struct of_multipart *part))
{
    struct dumping d = {.rows = ofctl_rows_begin(c), .add = add};
    int code = ofctl_dump(c, request, add_part, &d);

    ofctl_rows_end(&d.rows);
    return code;
}

static void add_desc(struct ofctl_rows *rows, const struct of_multipart *part)
{
    const struct of_desc *d = part->desc;

    if (!d)
        return;
    ofctl_row(rows,
              json_pack("{s:s%, s:s%, s:s%, s:s%, s:s%}", "manufacturer", d->mfr_desc,
                        strnlen(d->mfr_desc, sizeof(d->mfr_desc)), "hardware", d->hw_desc,
                        strnlen(d->hw_desc, sizeof(d->hw_desc)), "software", d->sw_desc,
                        strnlen(d->sw_desc, sizeof(d->sw_desc)), "serial_number", d->serial_num,
                        strnlen(d->serial_num, sizeof(d->serial_num)), "datapath", d->dp_desc,
                        strnlen(d->dp_desc, sizeof(d->dp_desc))),
              NULL);
}

int ofctl_dump_desc(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_DESC};

    (void)argc;
    (void)argv;
    return dump(c, &request, add_desc);
}

static json_t *counter(uint64_t value)
{
    return value == UINT64_MAX ? json_null() : json_integer((json_int_t)value);
}

static json_t *named_port_json(const struct ofctl *c, uint32_t port)
{
    for (size_t i = 0; c->options.names && i < c->ports.count; i++)
        if (c->ports.at[i].port_no == port)
            return json_stringn(c->ports.at[i].name, strnlen(c->ports.at[i].name, OFP_NAME_SIZE));
    return port_json(port);
}

static void add_port_stats(struct ofctl_rows *rows, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->port_stats.count; i++) {
        const struct of_port_stats *s = &part->port_stats.at[i];

        ofctl_row(rows,
                  json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "port",
                            named_port_json(rows->c, s->port_no), "rx_packets",
                            counter(s->rx_packets), "rx_bytes", counter(s->rx_bytes), "rx_dropped",
                            counter(s->rx_dropped), "rx_errors", counter(s->rx_errors),
                            "tx_packets", counter(s->tx_packets), "tx_bytes", counter(s->tx_bytes),
                            "tx_dropped", counter(s->tx_dropped), "tx_errors",
                            counter(s->tx_errors), "duration",
                            seconds(s->duration_s, s->duration_ns)),
                  NULL);
    }
}

int ofctl_dump_ports(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_PORT_STATS, .port_request.port_no = OFPP_ANY};
    struct of_parser p = ofctl_parser(c);

    if (argc && of_parse_port(&p, argv[0], strlen(argv[0]), &request.port_request.port_no) < 0)
        return ofctl_fail_at(c, &p, argv[0], strlen(argv[0]), 0);
    return dump(c, &request, add_port_stats);
}

static void add_tables(struct ofctl_rows *rows, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->tables.count; i++) {
        const struct of_table_stats *s = &part->tables.at[i];

        if (s->active_count || s->lookup_count)
            ofctl_row(rows,
                      json_pack("{s:i, s:I, s:o, s:o}", "table", (int)s->table_id, "active",
                                (json_int_t)s->active_count, "lookups", counter(s->lookup_count),
                                "matched", counter(s->matched_count)),
                      NULL);
    }
}

int ofctl_dump_tables(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_TABLE};

    (void)argc;
    (void)argv;
    return dump(c, &request, add_tables);
}

/* ---- flows ---- */

static void print_flow_flags(struct text *t, uint16_t flags)
{
    static const char *const names[] = {"send_flow_rem", "check_overlap", "reset_counts",
                                        "no_packet_counts", "no_byte_counts"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (flags & 1u << i)
            text_add(t, "%s ", names[i]);
}

/* The line that ovs-ofctl dump-flows writes. */
static void print_flow_line(struct text *t, const struct of_flow_stats *f, const char *match,
                            const char *actions)
{
    text_add(t, "cookie=0x%llx, duration=%u.%03us, table=%u, n_packets=%llu, n_bytes=%llu, ",
             (unsigned long long)f->cookie, f->duration_s, f->duration_ns / 1000000, f->table_id,
             (unsigned long long)f->packet_count, (unsigned long long)f->byte_count);
    if (f->idle_timeout)
        text_add(t, "idle_timeout=%u, ", f->idle_timeout);
    if (f->hard_timeout)
        text_add(t, "hard_timeout=%u, ", f->hard_timeout);
    print_flow_flags(t, f->flags);
    text_add(t, "priority=%u%s%s actions=%s", f->priority, match[0] ? "," : "", match, actions);
}

static json_t *flow_json(const struct of_flow_stats *f, const char *match, const char *actions)
{
    char cookie[32];
    json_t *row;

    snprintf(cookie, sizeof(cookie), "0x%llx", (unsigned long long)f->cookie);
    row = json_pack("{s:i, s:i, s:s, s:s, s:s, s:o, s:o, s:f}", "table", (int)f->table_id,
                    "priority", (int)f->priority, "match", match, "actions", actions, "cookie",
                    cookie, "packets", counter(f->packet_count), "bytes", counter(f->byte_count),
                    "duration", seconds(f->duration_s, f->duration_ns));
    if (f->idle_timeout)
        json_object_set_new(row, "idle_timeout", json_integer(f->idle_timeout));
    if (f->hard_timeout)
        json_object_set_new(row, "hard_timeout", json_integer(f->hard_timeout));
    return row;
}

static void add_flows(struct ofctl_rows *rows, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->flows.count; i++) {
        const struct of_flow_stats *f = &part->flows.at[i];
        struct text a = text_in(text_a, TEXT_SIZE), b = text_in(text_b, TEXT_SIZE);
        struct text line = text_in(text_c, TEXT_SIZE);

        of_print_match(&a, &f->match);
        of_print_instructions(&b, &f->instructions);
        if (rows->form == ROWS_LINES) {
            print_flow_line(&line, f, text_a, text_b);
            ofctl_line(rows, ofctl_named(rows->c, text_c, text_d, TEXT_SIZE));
        } else {
            const char *match = ofctl_named(rows->c, text_a, text_c, TEXT_SIZE);

            ofctl_row(rows, flow_json(f, match, ofctl_named(rows->c, text_b, text_d, TEXT_SIZE)),
                      NULL);
        }
    }
}

/* The filter of dump-flows and dump-aggregate. */
static int flow_request(struct ofctl *c, int argc, char **argv, struct of_multipart *request)
{
    struct of_flow_mod filter = {0};
    struct of_parser p = ofctl_parser(c);
    const char *text = argc ? argv[0] : "";

    if (of_parse_flow(&p, text, strlen(text), OF_FLOW_WITHOUT_ACTIONS, &filter) < 0)
        return ofctl_fail_at(c, &p, text, strlen(text), 0);
    request->flow_request = (struct of_flow_stats_request){.table_id = filter.table_id,
                                                           .out_port = filter.out_port,
                                                           .out_group = filter.out_group,
                                                           .cookie = filter.cookie,
                                                           .cookie_mask = filter.cookie_mask,
                                                           .match = filter.match};
    return 0;
}

int ofctl_dump_flows(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_FLOW};

    return flow_request(c, argc, argv, &request) || dump(c, &request, add_flows);
}

static void add_aggregate(struct ofctl_rows *rows, const struct of_multipart *part)
{
    const struct of_aggregate_stats *a = &part->aggregate;

    ofctl_row(rows,
              json_pack("{s:o, s:o, s:I}", "packet_count", counter(a->packet_count), "byte_count",
                        counter(a->byte_count), "flow_count", (json_int_t)a->flow_count),
              NULL);
}

int ofctl_dump_aggregate(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_AGGREGATE};

    return flow_request(c, argc, argv, &request) || dump(c, &request, add_aggregate);
}

/* ---- groups ---- */

static json_t *buckets_json(const struct ofctl *c, const struct of_buckets *buckets)
{
    json_t *list = json_array();

    for (size_t i = 0; i < buckets->count; i++) {
        const struct of_bucket *b = &buckets->at[i];
        struct text a = text_in(text_a, TEXT_SIZE);
        json_t *row = json_object();

        of_print_actions(&a, &b->actions);
        json_object_set_new(row, "weight", json_integer(b->weight));
        if (b->watch_port != OFPP_ANY)
            json_object_set_new(row, "watch_port", named_port_json(c, b->watch_port));
        if (b->watch_group != OFPG_ANY)
            json_object_set_new(row, "watch_group", json_integer(b->watch_group));
        json_object_set_new(row, "actions", json_string(ofctl_named(c, text_a, text_b, TEXT_SIZE)));
        json_array_append_new(list, row);
    }
    return list;
}

static void add_groups(struct ofctl_rows *rows, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->group_desc.count; i++) {
        const struct of_group_desc *g = &part->group_desc.at[i];
        struct text line = text_in(text_c, TEXT_SIZE);

        of_print_group(&line, g->group_id, g->type, &g->buckets);
        ofctl_row(rows,
                  json_pack("{s:I, s:s, s:o}", "group", (json_int_t)g->group_id, "type",
                            of_group_type_name(g->type), "buckets",
                            buckets_json(rows->c, &g->buckets)),
                  ofctl_named(rows->c, text_c, text_d, TEXT_SIZE));
    }
}

int ofctl_dump_groups(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_GROUP_DESC};

    (void)argc;
    (void)argv;
    return dump(c, &request, add_groups);
}

static void add_group_stats(struct ofctl_rows *rows, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->group_stats.count; i++) {
        const struct of_group_stats *g = &part->group_stats.at[i];
        json_t *buckets = json_array();

        for (size_t j = 0; j < g->buckets.count; j++)
            json_array_append_new(buckets, counter(g->buckets.at[j].packet_count));
        ofctl_row(rows,
                  json_pack("{s:I, s:I, s:o, s:o, s:f, s:o}", "group", (json_int_t)g->group_id,
                            "flows", (json_int_t)g->ref_count, "packets", counter(g->packet_count),
                            "bytes", counter(g->byte_count), "duration",
                            seconds(g->duration_s, g->duration_ns), "bucket_packets", buckets),
                  NULL);
    }
}

/* A number that an argument may give, as "5", "group_id=5". */
static int take_id(struct ofctl *c, const char *word, const char *text, uint32_t *id)
{
    size_t n = strlen(word);
    char *end;

    if (strncmp(text, word, n) == 0 && text[n] == '=')
        text += n + 1;
    unsigned long long number = strtoull(text, &end, 0);
    if (end == text || *end || *text == '-' || number > UINT32_MAX)
        return ofctl_fail("'%s' is no number of a %s at %s", text, word, c->target);
    *id = (uint32_t)number;
    return 0;
}

int ofctl_dump_group_stats(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_GROUP, .group_id = OFPG_ALL};

    if (argc && take_id(c, "group_id", argv[0], &request.group_id) != 0)
        return 1;
    return dump(c, &request, add_group_stats);
}

/* ---- meters ---- */

static void add_meters(struct ofctl_rows *rows, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->meter_config.count; i++) {
        const struct of_meter_config *m = &part->meter_config.at[i];
        struct text line = text_in(text_c, TEXT_SIZE);
        json_t *bands = json_array();

        for (size_t j = 0; j < m->bands.count; j++) {
            const struct of_meter_band *b = &m->bands.at[j];

            json_array_append_new(bands, json_pack("{s:s, s:I, s:I}", "type",
                                                   b->type == OFPMBT_DROP ? "drop" : "dscp_remark",
                                                   "rate", (json_int_t)b->rate, "burst",
                                                   (json_int_t)b->burst_size));
        }
        of_print_meter(&line, m->meter_id, m->flags, &m->bands);
        ofctl_row(rows,
                  json_pack("{s:I, s:s, s:b, s:o}", "meter", (json_int_t)m->meter_id, "unit",
                            m->flags & OFPMF_PKTPS ? "packets/s" : "kbit/s", "burst",
                            (m->flags & OFPMF_BURST) != 0, "bands", bands),
                  text_c);
    }
}

int ofctl_dump_meters(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_METER_CONFIG, .meter_id = OFPM_ALL};

    (void)argc;
    (void)argv;
    return dump(c, &request, add_meters);
}

static void add_meter_stats(struct ofctl_rows *rows, const struct of_multipart *part)
{
    for (size_t i = 0; i < part->meter_stats.count; i++) {
        const struct of_meter_stats *m = &part->meter_stats.at[i];
        json_t *bands = json_array();

        for (size_t j = 0; j < m->bands.count; j++)
            json_array_append_new(bands, counter(m->bands.at[j].packet_band_count));
        ofctl_row(rows,
                  json_pack("{s:I, s:I, s:o, s:o, s:f, s:o}", "meter", (json_int_t)m->meter_id,
                            "flows", (json_int_t)m->flow_count, "packets",
                            counter(m->packet_in_count), "bytes", counter(m->byte_in_count),
                            "duration", seconds(m->duration_s, m->duration_ns), "band_packets",
                            bands),
                  NULL);
    }
}

int ofctl_meter_stats(struct ofctl *c, int argc, char **argv)
{
    struct of_multipart request = {.type = OFPMP_METER, .meter_id = OFPM_ALL};

    if (argc && take_id(c, "meter", argv[0], &request.meter_id) != 0)
        return 1;
    return dump(c, &request, add_meter_stats);
}
