/*
 * messages.c -- every message of OpenFlow 1.3.5 as rows (clauses 7.3 to 7.5), in the order of the
 * wire.
 */
#include "wire/openflow/rows.h"

/* ---- hello, error, experimenter (clauses 7.5.1, 7.4.4, 7.5.4) ---- */

#define OFPHET_VERSIONBITMAP 1

static of_error hello_decode(struct reader *r, void *value, struct arena *arena)
{
    struct of_hello *hello = value;

    (void)arena;
    while (rd_left(r) >= 4) {
        uint16_t type = rd_u16(r), length = rd_u16(r);
        struct reader body;

        if (length < 4)
            return OFPBRC_BAD_LEN;
        body = rd_sub(r, length - 4u);
        if (body.bad)
            return OFPBRC_BAD_LEN;
        if (type == OFPHET_VERSIONBITMAP && rd_left(&body) >= 4)
            hello->versions = rd_u32(&body);
        rd_take(r, rd_left(r) < (8 - length % 8u) % 8 ? rd_left(r) : (8 - length % 8u) % 8);
    }
    rd_rest(r); /* less than an element: padding */
    return 0;
}

static void hello_encode(struct writer *w, const void *value)
{
    const struct of_hello *hello = value;

    wr_u16(w, OFPHET_VERSIONBITMAP);
    wr_u16(w, 8);
    wr_u32(w, hello->versions);
}

static void hello_print(struct text *t, const void *value)
{
    text_add(t, " versions=0x%x", ((const struct of_hello *)value)->versions);
}

static const struct special hello_special = {hello_decode, hello_encode, hello_print};

static of_error error_decode(struct reader *r, void *value, struct arena *arena)
{
    struct of_error_message *e = value;

    (void)arena;
    e->type = rd_u16(r);
    e->code = rd_u16(r);
    if (e->type == OFPET_EXPERIMENTER)
        e->experimenter = rd_u32(r);
    e->data = rd_rest(r);
    return r->bad ? OFPBRC_BAD_LEN : 0;
}

static void error_encode(struct writer *w, const void *value)
{
    const struct of_error_message *e = value;

    wr_u16(w, e->type);
    wr_u16(w, e->code);
    if (e->type == OFPET_EXPERIMENTER)
        wr_u32(w, e->experimenter);
    wr_view_of(w, e->data);
}

static void error_print(struct text *t, const void *value)
{
    const struct of_error_message *e = value;

    text_add(t, " ");
    of_print_error(t, OF_ERROR(e->type, e->code));
    if (e->data.len >= OFP_HEADER_SIZE)
        text_add(t, " for %s", of_type_name(e->data.at[1]));
}

static const struct special error_special = {error_decode, error_encode, error_print};

static const struct row hello_rows[] = {SPECIAL(of_hello, hello_special)};
static const struct row error_rows[] = {SPECIAL(of_error_message, error_special)};
static const struct row echo_rows[] = {PART(of_echo, data, ROW_REST)};
static const struct row experimenter_rows[] = {
    NUMBER(of_experimenter, experimenter, 4, HEX),
    NUMBER(of_experimenter, exp_type, 4),
    PART(of_experimenter, data, ROW_REST),
};

/* ---- features, configuration (clauses 7.3.1, 7.3.2) ---- */

static const struct row features_rows[] = {
    NUMBER(of_features_reply, datapath_id, 8, HEX),
    NUMBER(of_features_reply, n_buffers, 4),
    NUMBER(of_features_reply, n_tables, 1),
    NUMBER(of_features_reply, auxiliary_id, 1),
    PAD(2),
    NUMBER(of_features_reply, capabilities, 4, HEX),
    PAD(4),
};

static const struct row config_rows[] = {
    NUMBER(of_switch_config, flags, 2, NAMED("normal", "drop", "reassemble")),
    NUMBER(of_switch_config, miss_send_len, 2),
};

/* ---- packets (clauses 7.4.1, 7.3.7) ---- */

static const struct row packet_in_rows[] = {
    NUMBER(of_packet_in, buffer_id, 4, HEX, UNLESS(OFP_NO_BUFFER)),
    NUMBER(of_packet_in, total_len, 2),
    NUMBER(of_packet_in, reason, 1, NAMED("no_match", "action", "invalid_ttl")),
    NUMBER(of_packet_in, table_id, 1),
    NUMBER(of_packet_in, cookie, 8, HEX),
    PART(of_packet_in, match, ROW_MATCH),
    PAD(2),
    PART(of_packet_in, data, ROW_REST),
};

static const struct row packet_out_rows[] = {
    NUMBER(of_packet_out, buffer_id, 4, HEX, UNLESS(OFP_NO_BUFFER)),
    NUMBER(of_packet_out, in_port, 4, PORT_NUMBER),
    {.kind = ROW_SIZE, .wire = 2},
    PAD(6),
    PART(of_packet_out, actions, ROW_SIZED_ACTIONS),
    PART(of_packet_out, data, ROW_REST),
};

/* ---- flows (clauses 7.3.4.1, 7.4.2) ---- */

static const struct row flow_mod_rows[] = {
    NUMBER(of_flow_mod, cookie, 8, HEX, UNLESS(0)),
    NUMBER(of_flow_mod, cookie_mask, 8, HEX, UNLESS(0)),
    NUMBER(of_flow_mod, table_id, 1),
    NUMBER(of_flow_mod, command, 1,
           NAMED("add", "modify", "modify_strict", "delete", "delete_strict")),
    NUMBER(of_flow_mod, idle_timeout, 2, UNLESS(0)),
    NUMBER(of_flow_mod, hard_timeout, 2, UNLESS(0)),
    NUMBER(of_flow_mod, priority, 2),
    NUMBER(of_flow_mod, buffer_id, 4, HEX, UNLESS(OFP_NO_BUFFER)),
    NUMBER(of_flow_mod, out_port, 4, PORT_NUMBER, UNLESS(OFPP_ANY)),
    NUMBER(of_flow_mod, out_group, 4, UNLESS(OFPG_ANY)),
    NUMBER(of_flow_mod, flags, 2, HEX, UNLESS(0)),
    PAD(2),
    PART(of_flow_mod, match, ROW_MATCH),
    PART(of_flow_mod, instructions, ROW_INSTRUCTIONS),
};

static const struct row flow_removed_rows[] = {
    NUMBER(of_flow_removed, cookie, 8, HEX),
    NUMBER(of_flow_removed, priority, 2),
    NUMBER(of_flow_removed, reason, 1,
           NAMED("idle", "hard", "delete", "group_delete", "meter_delete")),
    NUMBER(of_flow_removed, table_id, 1),
    NUMBER(of_flow_removed, duration_s, 4),
    NUMBER(of_flow_removed, duration_ns, 4, .print = PRINT_NEVER),
    NUMBER(of_flow_removed, idle_timeout, 2, UNLESS(0)),
    NUMBER(of_flow_removed, hard_timeout, 2, UNLESS(0)),
    NUMBER(of_flow_removed, packet_count, 8),
    NUMBER(of_flow_removed, byte_count, 8),
    PART(of_flow_removed, match, ROW_MATCH),
};

/* ---- groups, meters, ports, tables (clauses 7.3.4.2 to 7.3.4.5, 7.2.1) ---- */

static const struct row bucket_rows[] = {
    LENGTH,
    NUMBER(of_bucket, weight, 2, UNLESS(0)),
    NUMBER(of_bucket, watch_port, 4, PORT_NUMBER, UNLESS(OFPP_ANY)),
    NUMBER(of_bucket, watch_group, 4, UNLESS(OFPG_ANY)),
    PAD(4),
    PART(of_bucket, actions, ROW_ACTIONS),
};
static const struct layout bucket =
    LAYOUT(bucket_rows, of_bucket, .has_length = true, .bad = OFPGMFC_BAD_BUCKET);

#define GROUP_TYPES NAMED("all", "select", "indirect", "fast_failover")

static const struct row group_mod_rows[] = {
    NUMBER(of_group_mod, command, 2, NAMED("add", "modify", "delete")),
    NUMBER(of_group_mod, type, 1, GROUP_TYPES),
    PAD(1),
    NUMBER(of_group_mod, group_id, 4),
    PART(of_group_mod, buckets, ROW_LIST, .element = &bucket),
};

/* Drop and DSCP remark; of an experimenter's band only type and rates are kept. */
static const struct row band_rows[] = {
    NUMBER(of_meter_band, type, 2, NAMED("0", "drop", "dscp_remark")),
    LENGTH,
    NUMBER(of_meter_band, rate, 4),
    NUMBER(of_meter_band, burst_size, 4),
    NUMBER(of_meter_band, prec_level, 1, UNLESS(0)),
    PAD(3),
};
static const struct layout band =
    LAYOUT(band_rows, of_meter_band, .has_length = true, .length_at = 2);

static const struct row meter_mod_rows[] = {
    NUMBER(of_meter_mod, command, 2, NAMED("add", "modify", "delete")),
    NUMBER(of_meter_mod, flags, 2, HEX),
    NUMBER(of_meter_mod, meter_id, 4),
    PART(of_meter_mod, bands, ROW_LIST, .element = &band),
};

static const struct row port_rows[] = {
    NUMBER(of_port, port_no, 4, PORT_NUMBER),
    PAD(4),
    PART(of_port, hw_addr, ROW_MAC),
    PAD(2),
    STRING(of_port, name),
    NUMBER(of_port, config, 4, HEX),
    NUMBER(of_port, state, 4, HEX),
    NUMBER(of_port, curr, 4, HEX, UNLESS(0)),
    NUMBER(of_port, advertised, 4, HEX, UNLESS(0)),
    NUMBER(of_port, supported, 4, HEX, UNLESS(0)),
    NUMBER(of_port, peer, 4, HEX, UNLESS(0)),
    NUMBER(of_port, curr_speed, 4, UNLESS(0)),
    NUMBER(of_port, max_speed, 4, UNLESS(0)),
};
static const struct layout port = LAYOUT(port_rows, of_port);

static const struct row port_status_rows[] = {
    NUMBER(of_port_status, reason, 1, NAMED("add", "delete", "modify")),
    PAD(7),
    PART(of_port_status, desc, ROW_STRUCT, .element = &port),
};

static const struct row port_mod_rows[] = {
    NUMBER(of_port_mod, port_no, 4, PORT_NUMBER), PAD(4),
    PART(of_port_mod, hw_addr, ROW_MAC),          PAD(2),
    NUMBER(of_port_mod, config, 4, HEX),          NUMBER(of_port_mod, mask, 4, HEX),
    NUMBER(of_port_mod, advertise, 4, HEX),       PAD(4),
};

static const struct row table_mod_rows[] = {
    NUMBER(of_table_mod, table_id, 1),
    PAD(3),
    NUMBER(of_table_mod, config, 4, HEX),
};

/* ---- roles, asynchronous messages, queues (clauses 7.3.9, 7.3.10, 7.3.6) ---- */

static const struct row role_rows[] = {
    NUMBER(of_role, role, 4, NAMED("nochange", "equal", "master", "slave")),
    PAD(4),
    NUMBER(of_role, generation_id, 8),
};

static const struct row async_rows[] = {
    NUMBER(of_async_config, packet_in_mask[0], 4, HEX),
    NUMBER(of_async_config, packet_in_mask[1], 4, HEX),
    NUMBER(of_async_config, port_status_mask[0], 4, HEX),
    NUMBER(of_async_config, port_status_mask[1], 4, HEX),
    NUMBER(of_async_config, flow_removed_mask[0], 4, HEX),
    NUMBER(of_async_config, flow_removed_mask[1], 4, HEX),
};

#define OFPQT_MIN_RATE 1
#define OFPQT_MAX_RATE 2
#define NOT_CONFIGURED 0xffff

static of_error queue_decode(struct reader *r, void *value, struct arena *arena)
{
    struct of_queue *queue = value;

    (void)arena;
    queue->min_rate = queue->max_rate = NOT_CONFIGURED;
    while (rd_left(r) > 0) {
        uint16_t type = rd_u16(r), length = rd_u16(r);
        struct reader body = rd_sub(r, length >= 8 ? length - 4u : rd_left(r) + 1);

        rd_skip(&body, 4);
        if (type == OFPQT_MIN_RATE)
            queue->min_rate = rd_u16(&body);
        else if (type == OFPQT_MAX_RATE)
            queue->max_rate = rd_u16(&body);
        if (body.bad)
            return OFPBRC_BAD_LEN;
    }
    return 0;
}

static void queue_encode(struct writer *w, const void *value)
{
    const struct of_queue *queue = value;
    const uint16_t rates[] = {queue->min_rate, queue->max_rate};

    for (uint16_t i = 0; i < 2; i++) {
        if (rates[i] == NOT_CONFIGURED)
            continue;
        wr_u16(w, OFPQT_MIN_RATE + i);
        wr_u16(w, 16);
        wr_zero(w, 4);
        wr_u16(w, rates[i]);
        wr_zero(w, 6);
    }
}

static void queue_print(struct text *t, const void *value)
{
    const struct of_queue *queue = value;

    if (queue->min_rate != NOT_CONFIGURED)
        text_add(t, " min_rate=%u", queue->min_rate);
    if (queue->max_rate != NOT_CONFIGURED)
        text_add(t, " max_rate=%u", queue->max_rate);
}

static const struct special queue_special = {queue_decode, queue_encode, queue_print};
static const struct row queue_rows[] = {
    NUMBER(of_queue, queue_id, 4),    NUMBER(of_queue, port, 4, PORT_NUMBER), LENGTH, PAD(6),
    SPECIAL(of_queue, queue_special),
};
static const struct layout queue = LAYOUT(queue_rows, of_queue, .has_length = true, .length_at = 8);

static const struct row queue_request_rows[] = {
    NUMBER(of_queue_config, port, 4, PORT_NUMBER),
    PAD(4),
};
static const struct row queue_reply_rows[] = {
    NUMBER(of_queue_config, port, 4, PORT_NUMBER),
    PAD(4),
    PART(of_queue_config, queues, ROW_LIST, .element = &queue),
};

/* ---- bundles (extension 230): behind experimenter number and type ---- */

#define BUNDLE_TYPES                                                                      \
    NAMED("open_request", "open_reply", "close_request", "close_reply", "commit_request", \
          "commit_reply", "discard_request", "discard_reply")

static const struct row bundle_control_rows[] = {
    NUMBER(of_bundle_control, bundle_id, 4),
    NUMBER(of_bundle_control, type, 2, BUNDLE_TYPES),
    NUMBER(of_bundle_control, flags, 2, HEX),
    {.kind = ROW_IGNORE},
};

/* The message inside tells its own length; properties that may follow are not used by anybody. */
static of_error bundled_decode(struct reader *r, void *value, struct arena *arena)
{
    struct of_bundle_add *add = value;
    size_t length = rd_left(r) >= OFP_HEADER_SIZE ? of_message_length(r->at) : 0;

    (void)arena;
    if (length == 0 || length > rd_left(r))
        return OF_BUNDLE_ERROR(OFPBFC_MSG_BAD_LEN);
    add->message = rd_view(r, length);
    rd_rest(r);
    return 0;
}

static void bundled_encode(struct writer *w, const void *value)
{
    wr_view_of(w, ((const struct of_bundle_add *)value)->message);
}

static void bundled_print(struct text *t, const void *value)
{
    const struct of_bundle_add *add = value;

    if (add->message.len >= OFP_HEADER_SIZE)
        text_add(t, " %s", of_type_name(add->message.at[1]));
}

static const struct special bundled_special = {bundled_decode, bundled_encode, bundled_print};
static const struct row bundle_add_rows[] = {
    NUMBER(of_bundle_add, bundle_id, 4),
    PAD(2),
    NUMBER(of_bundle_add, flags, 2, HEX),
    SPECIAL(of_bundle_add, bundled_special),
};

/* ---- multipart bodies (clause 7.3.5) ---- */

static const struct row desc_rows[] = {
    STRING(of_desc, mfr_desc),   STRING(of_desc, hw_desc), STRING(of_desc, sw_desc),
    STRING(of_desc, serial_num), STRING(of_desc, dp_desc),
};
static const struct layout desc = LAYOUT(desc_rows, of_desc);

static const struct row flow_request_rows[] = {
    NUMBER(of_flow_stats_request, table_id, 1),
    PAD(3),
    NUMBER(of_flow_stats_request, out_port, 4, PORT_NUMBER, UNLESS(OFPP_ANY)),
    NUMBER(of_flow_stats_request, out_group, 4, UNLESS(OFPG_ANY)),
    PAD(4),
    NUMBER(of_flow_stats_request, cookie, 8, HEX, UNLESS(0)),
    NUMBER(of_flow_stats_request, cookie_mask, 8, HEX, UNLESS(0)),
    PART(of_flow_stats_request, match, ROW_MATCH),
};
static const struct layout flow_request = LAYOUT(flow_request_rows, of_flow_stats_request);

static const struct row flow_stats_rows[] = {
    LENGTH,
    NUMBER(of_flow_stats, table_id, 1),
    PAD(1),
    NUMBER(of_flow_stats, duration_s, 4),
    NUMBER(of_flow_stats, duration_ns, 4, .print = PRINT_NEVER),
    NUMBER(of_flow_stats, priority, 2),
    NUMBER(of_flow_stats, idle_timeout, 2, UNLESS(0)),
    NUMBER(of_flow_stats, hard_timeout, 2, UNLESS(0)),
    NUMBER(of_flow_stats, flags, 2, HEX, UNLESS(0)),
    PAD(4),
    NUMBER(of_flow_stats, cookie, 8, HEX),
    NUMBER(of_flow_stats, packet_count, 8),
    NUMBER(of_flow_stats, byte_count, 8),
    PART(of_flow_stats, match, ROW_MATCH),
    PART(of_flow_stats, instructions, ROW_INSTRUCTIONS),
};
static const struct layout flow_stats = LAYOUT(flow_stats_rows, of_flow_stats, .has_length = true);

static const struct row aggregate_rows[] = {
    NUMBER(of_aggregate_stats, packet_count, 8),
    NUMBER(of_aggregate_stats, byte_count, 8),
    NUMBER(of_aggregate_stats, flow_count, 4),
    PAD(4),
};
static const struct layout aggregate = LAYOUT(aggregate_rows, of_aggregate_stats);

static const struct row table_stats_rows[] = {
    NUMBER(of_table_stats, table_id, 1),      PAD(3),
    NUMBER(of_table_stats, active_count, 4),  NUMBER(of_table_stats, lookup_count, 8),
    NUMBER(of_table_stats, matched_count, 8),
};
static const struct layout table_stats = LAYOUT(table_stats_rows, of_table_stats);

static const struct row port_stats_rows[] = {
    NUMBER(of_port_stats, port_no, 4, PORT_NUMBER),
    PAD(4),
    NUMBER(of_port_stats, rx_packets, 8),
    NUMBER(of_port_stats, tx_packets, 8),
    NUMBER(of_port_stats, rx_bytes, 8),
    NUMBER(of_port_stats, tx_bytes, 8),
    NUMBER(of_port_stats, rx_dropped, 8, UNLESS(0)),
    NUMBER(of_port_stats, tx_dropped, 8, UNLESS(0)),
    NUMBER(of_port_stats, rx_errors, 8, UNLESS(0)),
    NUMBER(of_port_stats, tx_errors, 8, UNLESS(0)),
    NUMBER(of_port_stats, rx_frame_err, 8, UNLESS(0)),
    NUMBER(of_port_stats, rx_over_err, 8, UNLESS(0)),
    NUMBER(of_port_stats, rx_crc_err, 8, UNLESS(0)),
    NUMBER(of_port_stats, collisions, 8, UNLESS(0)),
    NUMBER(of_port_stats, duration_s, 4),
    NUMBER(of_port_stats, duration_ns, 4, .print = PRINT_NEVER),
};
static const struct layout port_stats = LAYOUT(port_stats_rows, of_port_stats);

static const struct row queue_stats_rows[] = {
    NUMBER(of_queue_stats, port_no, 4, PORT_NUMBER),
    NUMBER(of_queue_stats, queue_id, 4),
    NUMBER(of_queue_stats, tx_bytes, 8),
    NUMBER(of_queue_stats, tx_packets, 8),
    NUMBER(of_queue_stats, tx_errors, 8),
    NUMBER(of_queue_stats, duration_s, 4),
    NUMBER(of_queue_stats, duration_ns, 4, .print = PRINT_NEVER),
};
static const struct layout queue_stats = LAYOUT(queue_stats_rows, of_queue_stats);

static const struct row bucket_counter_rows[] = {
    NUMBER(of_bucket_counter, packet_count, 8),
    NUMBER(of_bucket_counter, byte_count, 8),
};
static const struct layout bucket_counter = LAYOUT(bucket_counter_rows, of_bucket_counter);

static const struct row group_stats_rows[] = {
    LENGTH,
    PAD(2),
    NUMBER(of_group_stats, group_id, 4),
    NUMBER(of_group_stats, ref_count, 4),
    PAD(4),
    NUMBER(of_group_stats, packet_count, 8),
    NUMBER(of_group_stats, byte_count, 8),
    NUMBER(of_group_stats, duration_s, 4),
    NUMBER(of_group_stats, duration_ns, 4, .print = PRINT_NEVER),
    PART(of_group_stats, buckets, ROW_LIST, .element = &bucket_counter),
};
static const struct layout group_stats =
    LAYOUT(group_stats_rows, of_group_stats, .has_length = true);

static const struct row group_desc_rows[] = {
    LENGTH,
    NUMBER(of_group_desc, type, 1, GROUP_TYPES),
    PAD(1),
    NUMBER(of_group_desc, group_id, 4),
    PART(of_group_desc, buckets, ROW_LIST, .element = &bucket),
};
static const struct layout group_desc = LAYOUT(group_desc_rows, of_group_desc, .has_length = true);

static const struct row group_features_rows[] = {
    NUMBER(of_group_features, types, 4, HEX),      NUMBER(of_group_features, capabilities, 4, HEX),
    NUMBER(of_group_features, max_groups[0], 4),   NUMBER(of_group_features, max_groups[1], 4),
    NUMBER(of_group_features, max_groups[2], 4),   NUMBER(of_group_features, max_groups[3], 4),
    NUMBER(of_group_features, actions[0], 4, HEX), NUMBER(of_group_features, actions[1], 4, HEX),
    NUMBER(of_group_features, actions[2], 4, HEX), NUMBER(of_group_features, actions[3], 4, HEX),
};
static const struct layout group_features = LAYOUT(group_features_rows, of_group_features);

static const struct row band_stats_rows[] = {
    NUMBER(of_band_stats, packet_band_count, 8),
    NUMBER(of_band_stats, byte_band_count, 8),
};
static const struct layout band_stats = LAYOUT(band_stats_rows, of_band_stats);

static const struct row meter_stats_rows[] = {
    NUMBER(of_meter_stats, meter_id, 4),
    LENGTH,
    PAD(6),
    NUMBER(of_meter_stats, flow_count, 4),
    NUMBER(of_meter_stats, packet_in_count, 8),
    NUMBER(of_meter_stats, byte_in_count, 8),
    NUMBER(of_meter_stats, duration_s, 4),
    NUMBER(of_meter_stats, duration_ns, 4, .print = PRINT_NEVER),
    PART(of_meter_stats, bands, ROW_LIST, .element = &band_stats),
};
static const struct layout meter_stats =
    LAYOUT(meter_stats_rows, of_meter_stats, .has_length = true, .length_at = 4);

static const struct row meter_config_rows[] = {
    LENGTH,
    NUMBER(of_meter_config, flags, 2, HEX),
    NUMBER(of_meter_config, meter_id, 4),
    PART(of_meter_config, bands, ROW_LIST, .element = &band),
};
static const struct layout meter_config =
    LAYOUT(meter_config_rows, of_meter_config, .has_length = true);

static const struct row meter_features_rows[] = {
    NUMBER(of_meter_features, max_meter, 4),         NUMBER(of_meter_features, band_types, 4, HEX),
    NUMBER(of_meter_features, capabilities, 4, HEX), NUMBER(of_meter_features, max_bands, 1),
    NUMBER(of_meter_features, max_color, 1),         PAD(2),
};
static const struct layout meter_features = LAYOUT(meter_features_rows, of_meter_features);

static const struct row property_rows[] = {
    NUMBER(of_property, type, 2),
    LENGTH,
    PART(of_property, data, ROW_REST),
};
const struct layout of_property_layout = LAYOUT(property_rows, of_property, .has_length = true,
                                                .length_at = 2, .align = 8, .bad = OFPTFFC_BAD_LEN);

static const struct row table_features_rows[] = {
    LENGTH,
    NUMBER(of_table_features, table_id, 1),
    PAD(5),
    STRING(of_table_features, name),
    NUMBER(of_table_features, metadata_match, 8, HEX),
    NUMBER(of_table_features, metadata_write, 8, HEX),
    NUMBER(of_table_features, config, 4, HEX),
    NUMBER(of_table_features, max_entries, 4),
    PART(of_table_features, properties, ROW_LIST, .element = &of_property_layout),
};
static const struct layout table_features =
    LAYOUT(table_features_rows, of_table_features, .has_length = true);

static const struct layout experimenter = LAYOUT(experimenter_rows, of_experimenter);

/* Bodies: one part of struct of_multipart each. */
#define BODY(name, ...)                                         \
    static const struct row name##_body_rows[] = {__VA_ARGS__}; \
    static const struct layout name##_body = LAYOUT(name##_body_rows, of_multipart)

BODY(flow_request, PART(of_multipart, flow_request, ROW_STRUCT, .element = &flow_request));
BODY(port_request, NUMBER(of_multipart, port_request.port_no, 4, PORT_NUMBER), PAD(4));
BODY(queue_request, NUMBER(of_multipart, port_request.port_no, 4, PORT_NUMBER),
     NUMBER(of_multipart, port_request.queue_id, 4));
BODY(group_request, NUMBER(of_multipart, group_id, 4), PAD(4));
BODY(meter_request, NUMBER(of_multipart, meter_id, 4), PAD(4));
BODY(desc, PART(of_multipart, desc, ROW_POINTER, .element = &desc));
BODY(flows, PART(of_multipart, flows, ROW_LIST, .element = &flow_stats));
BODY(aggregate, PART(of_multipart, aggregate, ROW_STRUCT, .element = &aggregate));
BODY(tables, PART(of_multipart, tables, ROW_LIST, .element = &table_stats));
BODY(port_stats, PART(of_multipart, port_stats, ROW_LIST, .element = &port_stats));
BODY(queue_stats, PART(of_multipart, queue_stats, ROW_LIST, .element = &queue_stats));
BODY(group_stats, PART(of_multipart, group_stats, ROW_LIST, .element = &group_stats));
BODY(group_desc, PART(of_multipart, group_desc, ROW_LIST, .element = &group_desc));
BODY(group_features, PART(of_multipart, group_features, ROW_STRUCT, .element = &group_features));
BODY(meter_stats, PART(of_multipart, meter_stats, ROW_LIST, .element = &meter_stats));
BODY(meter_config, PART(of_multipart, meter_config, ROW_LIST, .element = &meter_config));
BODY(meter_features, PART(of_multipart, meter_features, ROW_STRUCT, .element = &meter_features));
BODY(table_features, PART(of_multipart, table_features, ROW_LIST, .element = &table_features));
BODY(ports, PART(of_multipart, ports, ROW_LIST, .element = &port));
BODY(experimenter, PART(of_multipart, experimenter, ROW_STRUCT, .element = &experimenter));

static const struct multipart_row multiparts[] = {
    [OFPMP_DESC] = {"DESC", NULL, &desc_body},
    [OFPMP_FLOW] = {"FLOW", &flow_request_body, &flows_body},
    [OFPMP_AGGREGATE] = {"AGGREGATE", &flow_request_body, &aggregate_body},
    [OFPMP_TABLE] = {"TABLE", NULL, &tables_body},
    [OFPMP_PORT_STATS] = {"PORT_STATS", &port_request_body, &port_stats_body},
    [OFPMP_QUEUE] = {"QUEUE", &queue_request_body, &queue_stats_body},
    [OFPMP_GROUP] = {"GROUP", &group_request_body, &group_stats_body},
    [OFPMP_GROUP_DESC] = {"GROUP_DESC", NULL, &group_desc_body},
    [OFPMP_GROUP_FEATURES] = {"GROUP_FEATURES", NULL, &group_features_body},
    [OFPMP_METER] = {"METER", &meter_request_body, &meter_stats_body},
    [OFPMP_METER_CONFIG] = {"METER_CONFIG", &meter_request_body, &meter_config_body},
    [OFPMP_METER_FEATURES] = {"METER_FEATURES", NULL, &meter_features_body},
    [OFPMP_TABLE_FEATURES] = {"TABLE_FEATURES", &table_features_body, &table_features_body},
    [OFPMP_PORT_DESC] = {"PORT_DESC", NULL, &ports_body},
};

const struct multipart_row *of_multipart_row(uint16_t type)
{
    static const struct multipart_row other = {"EXPERIMENTER", &experimenter_body,
                                               &experimenter_body};
    static const struct multipart_row flow_monitor = {"FLOW_MONITOR", &of_flow_monitors_body,
                                                      &of_flow_updates_body};
    static const struct multipart_row table_desc = {"TABLE_DESC", NULL, &of_table_descs_body};

    if (type == OFPMP_EXPERIMENTER)
        return &other;
    if (type == OFPMP_ONF_FLOW_MONITOR)
        return &flow_monitor;
    if (type == OFPMP_ONF_TABLE_DESC)
        return &table_desc;
    return type < COUNT(multiparts) ? &multiparts[type] : NULL;
}

static const struct row multipart_rows[] = {
    NUMBER(of_multipart, type, 2, .print = PRINT_NEVER),
    NUMBER(of_multipart, flags, 2, HEX, UNLESS(0)),
    PAD(4),
};
const struct layout of_multipart_header = LAYOUT(multipart_rows, of_multipart);

/* ---- all messages ---- */

#define MESSAGE(name, T) static const struct layout name##_layout = LAYOUT(name##_rows, T)

MESSAGE(hello, of_hello);
MESSAGE(error, of_error_message);
MESSAGE(echo, of_echo);
MESSAGE(experimenter, of_experimenter);
MESSAGE(features, of_features_reply);
MESSAGE(config, of_switch_config);
MESSAGE(packet_in, of_packet_in);
MESSAGE(flow_removed, of_flow_removed);
MESSAGE(port_status, of_port_status);
MESSAGE(packet_out, of_packet_out);
MESSAGE(flow_mod, of_flow_mod);
MESSAGE(group_mod, of_group_mod);
MESSAGE(port_mod, of_port_mod);
MESSAGE(table_mod, of_table_mod);
MESSAGE(queue_request, of_queue_config);
MESSAGE(queue_reply, of_queue_config);
MESSAGE(role, of_role);
MESSAGE(async, of_async_config);
MESSAGE(meter_mod, of_meter_mod);
MESSAGE(bundle_control, of_bundle_control);
MESSAGE(bundle_add, of_bundle_add);

static const struct message_row messages[] = {
    [OFPT_HELLO] = {"HELLO", &hello_layout},
    [OFPT_ERROR] = {"ERROR", &error_layout},
    [OFPT_ECHO_REQUEST] = {"ECHO_REQUEST", &echo_layout},
    [OFPT_ECHO_REPLY] = {"ECHO_REPLY", &echo_layout},
    [OFPT_EXPERIMENTER] = {"EXPERIMENTER", &experimenter_layout},
    [OFPT_FEATURES_REQUEST] = {"FEATURES_REQUEST", NULL},
    [OFPT_FEATURES_REPLY] = {"FEATURES_REPLY", &features_layout},
    [OFPT_GET_CONFIG_REQUEST] = {"GET_CONFIG_REQUEST", NULL},
    [OFPT_GET_CONFIG_REPLY] = {"GET_CONFIG_REPLY", &config_layout},
    [OFPT_SET_CONFIG] = {"SET_CONFIG", &config_layout},
    [OFPT_PACKET_IN] = {"PACKET_IN", &packet_in_layout},
    [OFPT_FLOW_REMOVED] = {"FLOW_REMOVED", &flow_removed_layout},
    [OFPT_PORT_STATUS] = {"PORT_STATUS", &port_status_layout},
    [OFPT_PACKET_OUT] = {"PACKET_OUT", &packet_out_layout},
    [OFPT_FLOW_MOD] = {"FLOW_MOD", &flow_mod_layout},
    [OFPT_GROUP_MOD] = {"GROUP_MOD", &group_mod_layout},
    [OFPT_PORT_MOD] = {"PORT_MOD", &port_mod_layout},
    [OFPT_TABLE_MOD] = {"TABLE_MOD", &table_mod_layout},
    [OFPT_MULTIPART_REQUEST] = {"MULTIPART_REQUEST", &of_multipart_header},
    [OFPT_MULTIPART_REPLY] = {"MULTIPART_REPLY", &of_multipart_header},
    [OFPT_BARRIER_REQUEST] = {"BARRIER_REQUEST", NULL},
    [OFPT_BARRIER_REPLY] = {"BARRIER_REPLY", NULL},
    [OFPT_QUEUE_GET_CONFIG_REQUEST] = {"QUEUE_GET_CONFIG_REQUEST", &queue_request_layout},
    [OFPT_QUEUE_GET_CONFIG_REPLY] = {"QUEUE_GET_CONFIG_REPLY", &queue_reply_layout},
    [OFPT_ROLE_REQUEST] = {"ROLE_REQUEST", &role_layout},
    [OFPT_ROLE_REPLY] = {"ROLE_REPLY", &role_layout},
    [OFPT_GET_ASYNC_REQUEST] = {"GET_ASYNC_REQUEST", NULL},
    [OFPT_GET_ASYNC_REPLY] = {"GET_ASYNC_REPLY", &async_layout},
    [OFPT_SET_ASYNC] = {"SET_ASYNC", &async_layout},
    [OFPT_METER_MOD] = {"METER_MOD", &meter_mod_layout},
    [OFPT_ONF_BUNDLE_CONTROL] = {"BUNDLE_CONTROL", &bundle_control_layout},
    [OFPT_ONF_BUNDLE_ADD] = {"BUNDLE_ADD_MESSAGE", &bundle_add_layout},
    [OFPT_ONF_FLOW_MONITOR_CANCEL] = {"FLOW_MONITOR_CANCEL", &of_monitor_cancel_layout},
    [OFPT_ONF_FLOW_MONITOR_PAUSED] = {"FLOW_MONITOR_PAUSED", NULL},
    [OFPT_ONF_FLOW_MONITOR_RESUMED] = {"FLOW_MONITOR_RESUMED", NULL},
    [OFPT_ONF_ROLE_STATUS] = {"ROLE_STATUS", &of_role_status_layout},
    [OFPT_ONF_TABLE_MOD] = {"TABLE_MOD", &of_onf_table_mod_layout},
    [OFPT_ONF_TABLE_STATUS] = {"TABLE_STATUS", &of_table_status_layout},
    [OFPT_NX_SET_ASYNC_CONFIG2] = {"SET_ASYNC_CONFIG2", &of_async_properties_layout},
};

const struct message_row *of_message_row(uint8_t type)
{
    return type < COUNT(messages) && messages[type].name ? &messages[type] : NULL;
}

const char *of_type_name(uint8_t type)
{
    const struct message_row *row = of_message_row(type);

    return row ? row->name : "unknown message";
}
