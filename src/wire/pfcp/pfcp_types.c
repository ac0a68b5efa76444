/*
 * pfcp_types.c -- PFCP values that say what to do and what was counted (TS 29.244 clause 8.2):
 * filters, rates, volumes, timers, names.
 *
 * Decoders read what this release knows and leave the rest of a value alone: later releases append
 * to it.
 */
#include "wire/pfcp/pfcp_types.h"

/* Clause 8.2.5. */
static void sdf_filter_decode(const struct wire_type *type, struct reader *r, void *value,
                              struct wire_context *context)
{
    struct pfcp_sdf_filter *f = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    rd_skip(r, 1);
    f->has_flow_description = flags & 0x01;
    f->has_tos_traffic_class = flags & 0x02;
    f->has_security_parameter_index = flags & 0x04;
    f->has_flow_label = flags & 0x08;
    f->has_filter_id = flags & 0x10;
    if (f->has_flow_description)
        f->flow_description = rd_view(r, rd_u16(r));
    if (f->has_tos_traffic_class)
        f->tos_traffic_class = rd_u16(r);
    if (f->has_security_parameter_index)
        f->security_parameter_index = rd_u32(r);
    if (f->has_flow_label)
        f->flow_label = rd_u24(r);
    if (f->has_filter_id)
        f->filter_id = rd_u32(r);
}

static void sdf_filter_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_sdf_filter *f = value;

    (void)type;
    wr_u8(w, (uint8_t)(f->has_flow_description | f->has_tos_traffic_class << 1 |
                       f->has_security_parameter_index << 2 | f->has_flow_label << 3 |
                       f->has_filter_id << 4));
    wr_u8(w, 0);
    if (f->has_flow_description) {
        if (f->flow_description.len > UINT16_MAX)
            wr_fail(w);
        wr_u16(w, (uint16_t)f->flow_description.len);
        wr_view_of(w, f->flow_description);
    }
    if (f->has_tos_traffic_class)
        wr_u16(w, f->tos_traffic_class);
    if (f->has_security_parameter_index)
        wr_u32(w, f->security_parameter_index);
    if (f->has_flow_label)
        wr_u24(w, f->flow_label);
    if (f->has_filter_id)
        wr_u32(w, f->filter_id);
}

static void sdf_filter_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_sdf_filter *f = value;

    (void)type;
    text_add(t, "\"");
    text_escaped(t, f->flow_description);
    text_add(t, "\"");
    if (f->has_tos_traffic_class)
        text_add(t, "/tos=%04x", f->tos_traffic_class);
    if (f->has_security_parameter_index)
        text_add(t, "/spi=%08x", f->security_parameter_index);
    if (f->has_flow_label)
        text_add(t, "/label=%05x", f->flow_label);
    if (f->has_filter_id)
        text_add(t, "/id=%u", f->filter_id);
}

VALUE_TYPE(sdf_filter);

/* Clause 8.2.7: two bits each way, of which 0 is open and 1 closed. */
static void gate_status_decode(const struct wire_type *type, struct reader *r, void *value,
                               struct wire_context *context)
{
    struct pfcp_gate_status *gate = value;
    uint8_t octet = rd_u8(r);

    (void)type;
    (void)context;
    gate->downlink_closed = octet & 0x03;
    gate->uplink_closed = octet & 0x0c;
}

static void gate_status_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_gate_status *gate = value;

    (void)type;
    wr_u8(w, (uint8_t)(gate->downlink_closed | gate->uplink_closed << 2));
}

static void gate_status_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_gate_status *gate = value;

    (void)type;
    text_add(t, "ul:%s/dl:%s", gate->uplink_closed ? "closed" : "open",
             gate->downlink_closed ? "closed" : "open");
}

VALUE_TYPE(gate_status);

/* Clauses 8.2.8 and 8.2.9: 40 bits each. */
static void bit_rates_decode(const struct wire_type *type, struct reader *r, void *value,
                             struct wire_context *context)
{
    struct pfcp_bit_rates *rates = value;

    (void)type;
    (void)context;
    rates->uplink_kbps = rd_uint(r, 5);
    rates->downlink_kbps = rd_uint(r, 5);
}

static void bit_rates_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_bit_rates *rates = value;

    (void)type;
    wr_uint(w, rates->uplink_kbps, 5);
    wr_uint(w, rates->downlink_kbps, 5);
}

static void bit_rates_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_bit_rates *rates = value;

    (void)type;
    text_add(t, "ul:%llukbps/dl:%llukbps", (unsigned long long)rates->uplink_kbps,
             (unsigned long long)rates->downlink_kbps);
}

VALUE_TYPE(bit_rates);

/* Clauses 8.2.13, 8.2.44 and 8.2.50. */
static void volume_decode(const struct wire_type *type, struct reader *r, void *value,
                          struct wire_context *context)
{
    struct pfcp_volume *v = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    v->has_total = flags & 1;
    v->has_uplink = flags & 2;
    v->has_downlink = flags & 4;
    if (v->has_total)
        v->total = rd_u64(r);
    if (v->has_uplink)
        v->uplink = rd_u64(r);
    if (v->has_downlink)
        v->downlink = rd_u64(r);
}

static void volume_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_volume *v = value;

    (void)type;
    wr_u8(w, (uint8_t)(v->has_total | v->has_uplink << 1 | v->has_downlink << 2));
    if (v->has_total)
        wr_u64(w, v->total);
    if (v->has_uplink)
        wr_u64(w, v->uplink);
    if (v->has_downlink)
        wr_u64(w, v->downlink);
}

static void volume_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_volume *v = value;
    const char *between = "";

    (void)type;
    if (v->has_total) {
        text_add(t, "total:%llu", (unsigned long long)v->total);
        between = "/";
    }
    if (v->has_uplink) {
        text_add(t, "%sul:%llu", between, (unsigned long long)v->uplink);
        between = "/";
    }
    if (v->has_downlink)
        text_add(t, "%sdl:%llu", between, (unsigned long long)v->downlink);
}

VALUE_TYPE(volume);

/* Clause 8.2.49. */
static void dropped_dl_traffic_threshold_decode(const struct wire_type *type, struct reader *r,
                                                void *value, struct wire_context *context)
{
    struct pfcp_dropped_dl_traffic_threshold *d = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    d->has_packets = flags & 1;
    d->has_bytes = flags & 2;
    if (d->has_packets)
        d->packets = rd_u64(r);
    if (d->has_bytes)
        d->bytes = rd_u64(r);
}

static void dropped_dl_traffic_threshold_encode(const struct wire_type *type, struct writer *w,
                                                const void *value)
{
    const struct pfcp_dropped_dl_traffic_threshold *d = value;

    (void)type;
    wr_u8(w, (uint8_t)(d->has_packets | d->has_bytes << 1));
    if (d->has_packets)
        wr_u64(w, d->packets);
    if (d->has_bytes)
        wr_u64(w, d->bytes);
}

static void dropped_dl_traffic_threshold_print(const struct wire_type *type, struct text *t,
                                               const void *value)
{
    const struct pfcp_dropped_dl_traffic_threshold *d = value;

    (void)type;
    text_add(t, "packets:%llu/bytes:%llu", (unsigned long long)d->packets,
             (unsigned long long)d->bytes);
}

VALUE_TYPE(dropped_dl_traffic_threshold);

/* Clause 8.2.27. */
static void downlink_data_service_information_decode(const struct wire_type *type, struct reader *r,
                                                     void *value, struct wire_context *context)
{
    struct pfcp_downlink_data_service_information *d = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    d->has_paging_policy = flags & 1;
    d->has_qfi = flags & 2;
    if (d->has_paging_policy)
        d->paging_policy = rd_u8(r) & 0x3f;
    if (d->has_qfi)
        d->qfi = rd_u8(r) & 0x3f;
}

static void downlink_data_service_information_encode(const struct wire_type *type, struct writer *w,
                                                     const void *value)
{
    const struct pfcp_downlink_data_service_information *d = value;

    (void)type;
    wr_u8(w, (uint8_t)(d->has_paging_policy | d->has_qfi << 1));
    if (d->has_paging_policy)
        wr_u8(w, d->paging_policy & 0x3f);
    if (d->has_qfi)
        wr_u8(w, d->qfi & 0x3f);
}

static void downlink_data_service_information_print(const struct wire_type *type, struct text *t,
                                                    const void *value)
{
    const struct pfcp_downlink_data_service_information *d = value;

    (void)type;
    if (d->has_paging_policy)
        text_add(t, "dscp:%u", d->paging_policy);
    if (d->has_qfi)
        text_add(t, "%sqfi:%u", d->has_paging_policy ? "/" : "", d->qfi);
}

VALUE_TYPE(downlink_data_service_information);

/* Clause 8.2.80: the id's width is that of the rule's kind. */
static size_t rule_id_octets(uint8_t rule_type)
{
    static const uint8_t octets[] = {[PFCP_RULE_PDR] = 2,
                                     [PFCP_RULE_FAR] = 4,
                                     [PFCP_RULE_QER] = 4,
                                     [PFCP_RULE_URR] = 4,
                                     [PFCP_RULE_BAR] = 1};

    return rule_type < sizeof(octets) ? octets[rule_type] : 0;
}

static void failed_rule_id_decode(const struct wire_type *type, struct reader *r, void *value,
                                  struct wire_context *context)
{
    struct pfcp_failed_rule_id *rule = value;
    uint8_t rule_type = rd_u8(r) & 0x1f;

    (void)type;
    (void)context;
    if (rule_id_octets(rule_type) == 0)
        rd_fail(r);
    rule->type = rule_type;
    rule->id = (uint32_t)rd_uint(r, rule_id_octets(rule_type));
}

static void failed_rule_id_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_failed_rule_id *rule = value;

    (void)type;
    wr_u8(w, (uint8_t)rule->type);
    wr_uint(w, rule->id, rule_id_octets((uint8_t)rule->type));
}

static void failed_rule_id_print(const struct wire_type *type, struct text *t, const void *value)
{
    static const char *const names[] = {"pdr", "far", "qer", "urr", "bar"};
    const struct pfcp_failed_rule_id *rule = value;

    (void)type;
    text_add(t, "%s:%u", names[rule->type], rule->id);
}

VALUE_TYPE(failed_rule_id);

/* Clause 8.2.101: each identity has a length before it. */
static void rd_identity(struct reader *r, bool is_there, char *digits, size_t size)
{
    if (!is_there)
        return;
    struct reader inner = rd_sub(r, rd_u8(r));
    rd_tbcd(&inner, digits, size);
    rd_join(r, &inner);
}

static void wr_identity(struct writer *w, const char *digits)
{
    if (!digits[0])
        return;
    wr_u8(w, (uint8_t)((strlen(digits) + 1) / 2));
    wr_tbcd(w, digits);
}

static void user_id_decode(const struct wire_type *type, struct reader *r, void *value,
                           struct wire_context *context)
{
    struct pfcp_user_id *user = value;
    uint8_t flags = rd_u8(r);

    (void)type;
    (void)context;
    rd_identity(r, flags & 1, user->imsi, sizeof(user->imsi));
    rd_identity(r, flags & 2, user->imei, sizeof(user->imei));
    rd_identity(r, flags & 4, user->msisdn, sizeof(user->msisdn));
}

static void user_id_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_user_id *user = value;

    (void)type;
    wr_u8(w, (uint8_t)((user->imsi[0] != 0) | (user->imei[0] != 0) << 1 |
                       (user->msisdn[0] != 0) << 2));
    wr_identity(w, user->imsi);
    wr_identity(w, user->imei);
    wr_identity(w, user->msisdn);
}

static void user_id_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_user_id *user = value;

    (void)type;
    text_add(t, "imsi:%s", user->imsi[0] ? user->imsi : "-");
    if (user->imei[0])
        text_add(t, "/imei:%s", user->imei);
    if (user->msisdn[0])
        text_add(t, "/msisdn:%s", user->msisdn);
}

VALUE_TYPE(user_id);

/* Clauses 8.2.29, 8.2.36 and 8.2.78: three bits of unit, five of value. */
static const uint32_t timer_units[] = {2, 60, 600, 3600, 36000};

static void timer_decode(const struct wire_type *type, struct reader *r, void *value,
                         struct wire_context *context)
{
    struct pfcp_timer *timer = value;
    uint8_t octet = rd_u8(r);
    uint8_t unit = octet >> 5, count = octet & 0x1f;

    (void)type;
    (void)context;
    if (unit == 7)
        timer->seconds = count ? UINT32_MAX : 0;
    else
        timer->seconds = count * timer_units[unit < 5 ? unit : 1];
}

/* The finest unit that can say it, rounded up. */
static void timer_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct pfcp_timer *timer = value;

    (void)type;
    for (uint8_t unit = 0; unit < 5; unit++) {
        uint64_t count = ((uint64_t)timer->seconds + timer_units[unit] - 1) / timer_units[unit];
        if (count <= 0x1f) {
            wr_u8(w, (uint8_t)(unit << 5 | count));
            return;
        }
    }
    wr_u8(w, 0xff);
}

static void timer_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct pfcp_timer *timer = value;

    (void)type;
    if (timer->seconds == UINT32_MAX)
        text_add(t, "infinite");
    else
        text_add(t, "%us", timer->seconds);
}

VALUE_TYPE(timer);

/* Clause 8.2.23: an identifier with its length before it. */
static void forwarding_policy_decode(const struct wire_type *type, struct reader *r, void *value,
                                     struct wire_context *context)
{
    (void)type;
    (void)context;
    *(struct bytes *)value = rd_view(r, rd_u8(r));
}

static void forwarding_policy_encode(const struct wire_type *type, struct writer *w,
                                     const void *value)
{
    const struct bytes *policy = value;

    (void)type;
    if (policy->len > UINT8_MAX)
        wr_fail(w);
    wr_u8(w, (uint8_t)policy->len);
    wr_view_of(w, *policy);
}

static void forwarding_policy_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_escaped(t, *(const struct bytes *)value);
}

const struct wire_type pfcp_forwarding_policy = {.name = "forwarding_policy",
                                                 .size = sizeof(struct bytes),
                                                 .decode = forwarding_policy_decode,
                                                 .encode = forwarding_policy_encode,
                                                 .print = forwarding_policy_print};

/* Clause 8.2.30: one octet or two. */
static void suggested_packet_count_decode(const struct wire_type *type, struct reader *r,
                                          void *value, struct wire_context *context)
{
    (void)type;
    (void)context;
    *(uint16_t *)value = rd_left(r) == 1 ? rd_u8(r) : rd_u16(r);
}

static void suggested_packet_count_encode(const struct wire_type *type, struct writer *w,
                                          const void *value)
{
    uint16_t count = *(const uint16_t *)value;

    (void)type;
    wr_uint(w, count, count > UINT8_MAX ? 2 : 1);
}

static void suggested_packet_count_print(const struct wire_type *type, struct text *t,
                                         const void *value)
{
    (void)type;
    text_add(t, "%u", *(const uint16_t *)value);
}

const struct wire_type pfcp_suggested_packet_count = {.name = "suggested_packet_count",
                                                      .size = sizeof(uint16_t),
                                                      .decode = suggested_packet_count_decode,
                                                      .encode = suggested_packet_count_encode,
                                                      .print = suggested_packet_count_print};
