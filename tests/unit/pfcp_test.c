/*
 * pfcp_test.c -- PFCP against bytes made by hand from TS 29.244, round trips of full messages,
 * every truncation, and the faults that have a cause of their own.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "wire/pfcp/pfcp.h"

struct decoded {
    struct arena arena;
    struct pfcp_header header;
    struct wire_fault fault;
    void *body;
    int err;
};

static struct decoded decode(const void *at, size_t len)
{
    struct decoded d = {.err = 0};

    arena_init(&d.arena, 1 << 20);
    d.err = pfcp_decode(bytes_of(at, len), &d.arena, &d.header, &d.body, &d.fault);
    return d;
}

/* Hexadecimal digits to bytes in a buffer of its own size, so that a sanitizer sees each read past
 * the end. */
static uint8_t *bytes_from(const char *hex, size_t *len)
{
    static uint8_t all[4096];
    int n = hex_parse(hex, all, sizeof(all));

    assert_true(n > 0);
    *len = (size_t)n;
    uint8_t *at = malloc(*len);
    memcpy(at, all, *len);
    return at;
}

static struct in_addr ipv4(const char *text)
{
    struct in_addr a;

    assert_int_equal(inet_pton(AF_INET, text, &a), 1);
    return a;
}

static struct in6_addr ipv6(const char *text)
{
    struct in6_addr a;

    assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
    return a;
}

#define AT(type, ...) (&(type){__VA_ARGS__})

static void heartbeat_is_what_the_figure_says(void **state)
{
    static const uint8_t wire[] = {0x20, 0x01, 0x00, 0x0c, 0x12, 0x34, 0x56, 0x00,
                                   0x00, 0x60, 0x00, 0x04, 0xe9, 0x01, 0x02, 0x03};
    struct pfcp_heartbeat_request body = {.recovery_time_stamp = 0xe9010203};
    struct pfcp_header header = {.type = PFCP_HEARTBEAT_REQUEST, .sequence = 0x123456};
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof(out));

    (void)state;
    assert_int_equal(pfcp_encode(&w, &header, &body), 0);
    assert_int_equal(wr_len(&w), sizeof(wire));
    assert_memory_equal(out, wire, sizeof(wire));

    struct decoded d = decode(wire, sizeof(wire));
    assert_int_equal(d.err, 0);
    assert_int_equal(d.header.sequence, 0x123456);
    assert_false(d.header.has_seid);
    assert_int_equal(((struct pfcp_heartbeat_request *)d.body)->recovery_time_stamp, 0xe9010203);
    arena_free(&d.arena);
}

static void session_header_carries_seid_and_priority(void **state)
{
    static const uint8_t wire[] = {0x23, 0x36, 0x00, 0x0c, 0x01, 0x02, 0x03, 0x04,
                                   0x05, 0x06, 0x07, 0x08, 0x00, 0x00, 0x2a, 0x70};
    struct pfcp_header header = {.type = PFCP_SESSION_DELETION_REQUEST,
                                 .seid = 0x0102030405060708,
                                 .sequence = 42,
                                 .has_priority = true,
                                 .priority = 7};
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof(out));

    (void)state;
    assert_int_equal(pfcp_encode(&w, &header, NULL), 0);
    assert_int_equal(wr_len(&w), sizeof(wire));
    assert_memory_equal(out, wire, sizeof(wire));
    struct decoded d = decode(wire, sizeof(wire));
    assert_int_equal(d.err, 0);
    assert_true(d.header.seid == 0x0102030405060708);
    assert_int_equal(d.header.priority, 7);
    arena_free(&d.arena);
}

/* A Session Establishment Request as an S-GW sends it, byte by byte from the figures of clause 8.
 */
static const char establishment[] =
    "21 32 00 b0"                /* version 1, S; Session Establishment Request; length */
    "00 00 00 00 00 00 00 00"    /* SEID 0: the receiver has none yet */
    "00 00 07 00"                /* sequence number 7 */
    "00 3c 00 05 00 7f 00 00 03" /* Node ID: IPv4 */
    "00 39 00 0d 02 00 00 00 00 00 00 00 11 7f 00 00 03" /* F-SEID: V4, 0x11 */
    "00 01 00 35"                                        /* Create PDR */
    "00 38 00 02 00 01"                                  /*   PDR ID 1 */
    "00 1d 00 04 00 00 00 ff"                            /*   Precedence 255 */
    "00 02 00 16"                                        /*   PDI */
    "00 14 00 01 00"                                     /*     Source Interface: Access */
    "00 15 00 01 05"                                     /*     F-TEID: V4, CH */
    "00 16 00 08 69 6e 74 65 72 6e 65 74"                /* Network Instance: internet */
    "00 5f 00 01 00"                /*   Outer Header Removal: GTP-U/UDP/IPv4 */
    "00 6c 00 04 00 00 00 01"       /*   FAR ID 1 */
    "00 03 00 20"                   /* Create FAR */
    "00 6c 00 04 00 00 00 01"       /*   FAR ID 1 */
    "00 2c 00 01 02"                /*   Apply Action: FORW */
    "00 04 00 0f"                   /*   Forwarding Parameters */
    "00 2a 00 01 01"                /*     Destination Interface: Core */
    "00 54 00 06 01 00 aa bb cc dd" /* Outer Header Creation, cut: see the length test */
    "00 07 00 1b"                   /* Create QER */
    "00 6d 00 04 00 00 00 01"       /*   QER ID 1 */
    "00 19 00 01 01"                /*   Gate Status: UL open, DL closed */
    "00 1a 00 0a 00 00 00 c3 50 00 00 01 86 a0"  /* MBR 50000, 100000 kbit/s */
    "00 55 00 05 00 58 00 01 01"                 /* Create BAR: BAR ID 1 */
    "00 8d 00 0a 01 08 00 01 01 00 00 00 00 f1"; /* User ID: IMSI 001010000000001 */

static void an_establishment_decodes(void **state)
{
    size_t len;
    uint8_t *wire = bytes_from(establishment, &len);

    (void)state;
    wire[2] = (uint8_t)((len - 4) >> 8);
    wire[3] = (uint8_t)(len - 4);
    struct decoded d = decode(wire, len);
    /* The outer header creation is 4 octets short: an optional element that is broken is left out.
     */
    assert_int_equal(d.err, 0);
    struct pfcp_session_establishment_request *m = d.body;
    assert_int_equal(m->node_id.type, PFCP_NODE_ID_IPV4);
    assert_int_equal(m->node_id.ipv4.s_addr, ipv4("127.0.0.3").s_addr);
    assert_true(m->cp_f_seid.seid == 0x11 && m->cp_f_seid.has_ipv4 && !m->cp_f_seid.has_ipv6);
    assert_int_equal(m->create_pdr.count, 1);
    struct pfcp_create_pdr *pdr = m->create_pdr.at;
    assert_int_equal(pdr->pdr_id, 1);
    assert_int_equal(pdr->precedence, 255);
    assert_int_equal(pdr->pdi.source_interface, PFCP_INTERFACE_ACCESS);
    assert_true(pdr->pdi.local_f_teid->choose && pdr->pdi.local_f_teid->has_ipv4);
    assert_int_equal(pdr->pdi.network_instance->len, 8);
    assert_memory_equal(pdr->pdi.network_instance->at, "internet", 8);
    assert_int_equal(*pdr->outer_header_removal, PFCP_REMOVE_GTP_U_UDP_IPV4);
    assert_int_equal(*pdr->far_id, 1);
    assert_int_equal(m->create_far.count, 1);
    assert_int_equal(m->create_far.at->apply_action, PFCP_APPLY_FORW);
    assert_int_equal(m->create_far.at->forwarding_parameters->destination_interface,
                     PFCP_INTERFACE_CORE);
    assert_null(m->create_far.at->forwarding_parameters->outer_header_creation);
    assert_int_equal(m->create_qer.count, 1);
    assert_true(m->create_qer.at->gate_status.downlink_closed);
    assert_false(m->create_qer.at->gate_status.uplink_closed);
    assert_int_equal(m->create_qer.at->maximum_bit_rate->uplink_kbps, 50000);
    assert_int_equal(m->create_qer.at->maximum_bit_rate->downlink_kbps, 100000);
    assert_int_equal(m->create_bar->bar_id, 1);
    assert_string_equal(m->user_id->imsi, "001010000000001");
    arena_free(&d.arena);
    free(wire);
}

/* All that a decoder may meet at any cut, in a heap block of exactly that size. */
static void no_cut_reads_past_the_end(void **state)
{
    size_t len;
    uint8_t *wire = bytes_from(establishment, &len);

    (void)state;
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, wire, n);
        struct decoded d = decode(cut, n);
        assert_int_equal(d.err, -EBADMSG);
        arena_free(&d.arena);
        /* The same with a length that admits the cut, so that the elements are looked at. */
        if (n >= 16) {
            cut[2] = (uint8_t)((n - 4) >> 8);
            cut[3] = (uint8_t)(n - 4);
            d = decode(cut, n);
            assert_true(d.err == 0 || d.err == -EBADMSG);
            if (d.err < 0)
                assert_int_not_equal(d.fault.kind, WIRE_FAULT_NONE);
            arena_free(&d.arena);
        }
        free(cut);
    }
    free(wire);
}

static void the_headers_refusals(void **state)
{
    static const uint8_t other_version[] = {0x40, 0x01, 0x00, 0x04, 0x00, 0x00, 0x09, 0x00};
    static const uint8_t long_length[] = {0x20, 0x01, 0x00, 0x0d, 0, 0, 1, 0,
                                          0,    0x60, 0,    4,    1, 2, 3, 4};
    static const uint8_t unknown[] = {0x20, 0x63, 0x00, 0x04, 0x00, 0x00, 0x09, 0x00};
    static const uint8_t no_seid[] = {0x20, 0x36, 0x00, 0x04, 0x00, 0x00, 0x09, 0x00};
    static const uint8_t odd_seid[] = {0x21, 0x01, 0x00, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0};
    static const uint8_t trailing[] = {0x20, 0x01, 0x00, 0x0c, 0, 0, 1,    0,    0,   0x60,
                                       0,    4,    1,    2,    3, 4, 0xde, 0xad, 0xbe};

    (void)state;
    struct decoded d = decode(other_version, sizeof(other_version));
    assert_int_equal(d.err, -EPROTONOSUPPORT);
    assert_int_equal(d.header.version, 2);
    assert_int_equal(d.header.sequence, 9);
    d = decode(long_length, sizeof(long_length));
    assert_int_equal(d.err, -EBADMSG);
    d = decode(unknown, sizeof(unknown));
    assert_int_equal(d.err, -EOPNOTSUPP);
    d = decode(no_seid, sizeof(no_seid));
    assert_int_equal(d.err, -EBADMSG);
    d = decode(odd_seid, sizeof(odd_seid));
    assert_int_equal(d.err, -EBADMSG);
    /* Octets behind the length are not part of the message. */
    d = decode(trailing, sizeof(trailing));
    assert_int_equal(d.err, 0);
    arena_free(&d.arena);
}

struct fault_case {
    const char *hex;
    enum wire_fault_kind kind;
    uint32_t id;
    enum pfcp_cause cause;
};

static void faults_name_cause_and_element(void **state)
{
    static const struct fault_case cases[] = {
        /* an association setup without anything, then without its recovery time stamp */
        {"20 05 00 04 00 00 01 00", WIRE_FAULT_MISSING, PFCP_IE_NODE_ID,
         PFCP_CAUSE_MANDATORY_IE_MISSING},
        {"20 05 00 0d 00 00 01 00 00 3c 00 05 00 7f 00 00 01", WIRE_FAULT_MISSING,
         PFCP_IE_RECOVERY_TIME_STAMP, PFCP_CAUSE_MANDATORY_IE_MISSING},
        /* a node id of a type that does not exist, and an empty one */
        {"20 05 00 15 00 00 01 00 00 3c 00 05 07 7f 00 00 01 00 60 00 04 01 02 03 04",
         WIRE_FAULT_VALUE, PFCP_IE_NODE_ID, PFCP_CAUSE_MANDATORY_IE_INCORRECT},
        {"20 05 00 10 00 00 01 00 00 3c 00 00 00 60 00 04 01 02 03 04", WIRE_FAULT_VALUE,
         PFCP_IE_NODE_ID, PFCP_CAUSE_MANDATORY_IE_INCORRECT},
        /* an element longer than the message */
        {"20 05 00 11 00 00 01 00 00 3c 00 05 00 7f 00 00 01 00 60 00 ff", WIRE_FAULT_LENGTH, 0x60,
         PFCP_CAUSE_INVALID_LENGTH},
        /* a fault inside a group is told as the inner element: Create FAR without Apply Action */
        {"21 34 00 18 00 00 00 00 00 00 00 01 00 00 01 00 00 03 00 08 00 6c 00 04 00 00 00 01",
         WIRE_FAULT_MISSING, PFCP_IE_APPLY_ACTION, PFCP_CAUSE_MANDATORY_IE_MISSING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len;
        uint8_t *wire = bytes_from(cases[i].hex, &len);
        struct decoded d = decode(wire, len);
        assert_int_equal(d.err, -EBADMSG);
        assert_int_equal(d.fault.kind, cases[i].kind);
        if (cases[i].kind != WIRE_FAULT_LENGTH)
            assert_int_equal(d.fault.id, cases[i].id);
        assert_int_equal(pfcp_fault_cause(&d.fault), cases[i].cause);
        arena_free(&d.arena);
        free(wire);
    }
}

static void unknown_and_vendor_elements_are_skipped(void **state)
{
    size_t len;
    uint8_t *wire = bytes_from("20 01 00 1c 00 00 01 00"
                               "80 01 00 04 00 0a 12 34" /* enterprise 10's element 1 */
                               "03 e7 00 00"             /* 999, empty */
                               "00 60 00 04 00 00 00 05" /* the time stamp */
                               "00 c0 00 00",            /* a later release's */
                               &len);
    struct decoded d = decode(wire, len);

    (void)state;
    assert_int_equal(d.err, 0);
    assert_int_equal(((struct pfcp_heartbeat_request *)d.body)->recovery_time_stamp, 5);
    arena_free(&d.arena);
    free(wire);
    /* A vendor's element too short for its enterprise id. */
    wire = bytes_from("20 01 00 11 00 00 01 00 80 01 00 01 00 00 60 00 04 00 00 00 05", &len);
    d = decode(wire, len);
    assert_int_equal(d.err, -EBADMSG);
    arena_free(&d.arena);
    free(wire);
}

/* Encodes, decodes, encodes again: the same bytes; and prints something. Returns the decoded body.
 */
static struct decoded round_trip(const struct pfcp_header *header, const void *body, uint8_t *first,
                                 size_t *len)
{
    static uint8_t second[PFCP_MESSAGE_SIZE];
    struct writer w = writer_of(first, PFCP_MESSAGE_SIZE);

    assert_int_equal(pfcp_encode(&w, header, body), 0);
    *len = wr_len(&w);
    struct decoded d = decode(first, *len);
    assert_int_equal(d.err, 0);
    struct writer again = writer_of(second, sizeof(second));
    assert_int_equal(pfcp_encode(&again, &d.header, d.body), 0);
    assert_int_equal(wr_len(&again), *len);
    assert_memory_equal(first, second, *len);
    char line[8192];
    struct text t = text_in(line, sizeof(line));
    pfcp_print(&t, &d.header, d.body);
    assert_non_null(strstr(line, pfcp_message_name(header->type)));
    assert_false(t.cut);
    return d;
}

/* A modification with every element this release knows, so that every row goes both ways. */
static void a_full_modification_comes_back_the_same(void **state)
{
    static uint8_t wire[PFCP_MESSAGE_SIZE];
    size_t len;
    struct pfcp_sdf_filter filters[] = {
        {.has_flow_description = true,
         .flow_description = bytes_of("permit out ip from any to assigned", 34),
         .has_tos_traffic_class = true,
         .tos_traffic_class = 0xb8fc,
         .has_security_parameter_index = true,
         .security_parameter_index = 0x01020304,
         .has_flow_label = true,
         .flow_label = 0xabcde,
         .has_filter_id = true,
         .filter_id = 9},
        {.has_filter_id = true, .filter_id = 9}};
    struct pfcp_create_pdr pdrs[] = {
        {.pdr_id = 1,
         .precedence = 100,
         .pdi = {.source_interface = PFCP_INTERFACE_SGI_LAN,
                 .ue_ip_address = AT(struct pfcp_ue_ip_address, .has_ipv4 = true, .has_ipv6 = true,
                                     .is_destination = true, .ipv4 = ipv4("10.45.0.2"),
                                     .ipv6 = ipv6("2001:db8:45::"), .has_delegation = true,
                                     .delegation_bits = 4),
                 .network_instance = AT(struct bytes, (const uint8_t *)"internet", 8),
                 .sdf_filter = {filters, 2},
                 .application_id = AT(struct bytes, (const uint8_t *)"web", 3),
                 .qfi = {AT(uint8_t, 5), 1},
                 .interface_type = AT(uint8_t, 15)},
         .far_id = AT(uint32_t, 2),
         .urr_id = {(uint32_t[]){1, 2}, 2},
         .qer_id = {(uint32_t[]){3}, 1},
         .activate_predefined_rules = {AT(struct bytes, (const uint8_t *)"rule", 4), 1}},
        {.pdr_id = 2,
         .precedence = 200,
         .pdi = {.source_interface = PFCP_INTERFACE_ACCESS,
                 .local_f_teid = AT(struct pfcp_f_teid, .has_ipv4 = true, .has_ipv6 = true,
                                    .choose = true, .has_choose_id = true, .choose_id = 7)},
         .outer_header_removal = AT(uint8_t, PFCP_REMOVE_GTP_U_UDP_IP)},
        {.pdr_id = 3,
         .pdi = {.local_f_teid = AT(struct pfcp_f_teid, .has_ipv6 = true, .teid = 0x11223344,
                                    .ipv6 = ipv6("2001:db8::1"))}}};
    struct pfcp_create_far far = {
        .far_id = 2,
        .apply_action = PFCP_APPLY_BUFF | PFCP_APPLY_NOCP,
        .bar_id = AT(uint8_t, 1),
        .forwarding_parameters =
            AT(struct pfcp_forwarding_parameters, .destination_interface = PFCP_INTERFACE_ACCESS,
               .network_instance = AT(struct bytes, (const uint8_t *)"ran", 3),
               .outer_header_creation =
                   AT(struct pfcp_outer_header_creation,
                      .description = PFCP_CREATE_GTP_U_UDP_IPV4 | PFCP_CREATE_GTP_U_UDP_IPV6,
                      .teid = 0xaabbccdd, .ipv4 = ipv4("192.0.2.1"), .ipv6 = ipv6("2001:db8::2")),
               .transport_level_marking = AT(uint16_t, 0xb8fc),
               .forwarding_policy = AT(struct bytes, (const uint8_t *)"policy", 6),
               .interface_type = AT(uint8_t, 0))};
    struct pfcp_update_far update_far = {
        .far_id = 2,
        .apply_action = AT(uint8_t, PFCP_APPLY_FORW),
        .update_forwarding_parameters =
            AT(struct pfcp_update_forwarding_parameters,
               .destination_interface = AT(uint8_t, PFCP_INTERFACE_ACCESS),
               .outer_header_creation =
                   AT(struct pfcp_outer_header_creation, .description = PFCP_CREATE_UDP_IPV4,
                      .ipv4 = ipv4("192.0.2.9"), .port = 4789),
               .pfcpsmreq_flags = AT(uint8_t, PFCP_SMREQ_SNDEM)),
        .bar_id = AT(uint8_t, 2)};
    struct pfcp_volume volume = {.has_total = true,
                                 .has_uplink = true,
                                 .has_downlink = true,
                                 .total = UINT64_C(1) << 40,
                                 .uplink = 2,
                                 .downlink = 3};
    struct pfcp_create_urr urr = {
        .urr_id = 1,
        .measurement_method = PFCP_MEASURE_VOLUM | PFCP_MEASURE_DURAT,
        .reporting_triggers = PFCP_TRIGGER_VOLTH | PFCP_TRIGGER_PERIO | PFCP_TRIGGER_VOLQU,
        .measurement_period = AT(uint32_t, 60),
        .volume_threshold = &volume,
        .volume_quota = AT(struct pfcp_volume, .has_downlink = true, .downlink = 5),
        .time_threshold = AT(uint32_t, 1),
        .time_quota = AT(uint32_t, 2),
        .quota_holding_time = AT(uint32_t, 3),
        .dropped_dl_traffic_threshold =
            AT(struct pfcp_dropped_dl_traffic_threshold, true, true, 10, 20),
        .monitoring_time = AT(uint32_t, 4),
        .subsequent_volume_threshold = &volume,
        .subsequent_time_threshold = AT(uint32_t, 5),
        .inactivity_detection_time = AT(uint32_t, 6),
        .linked_urr_id = {(uint32_t[]){8, 9}, 2},
        .measurement_information = AT(uint8_t, 1)};
    struct pfcp_update_urr update_urr = {.urr_id = 2,
                                         .measurement_method = AT(uint8_t, PFCP_MEASURE_EVENT),
                                         .reporting_triggers = AT(uint32_t, PFCP_TRIGGER_START)};
    struct pfcp_create_qer qer = {.qer_id = 3,
                                  .qer_correlation_id = AT(uint32_t, 4),
                                  .gate_status = {.uplink_closed = true},
                                  .maximum_bit_rate =
                                      AT(struct pfcp_bit_rates, 1, UINT64_C(0xffffffffff)),
                                  .guaranteed_bit_rate = AT(struct pfcp_bit_rates, 2, 3),
                                  .qfi = AT(uint8_t, 9),
                                  .reflective_qos = AT(uint8_t, 1)};
    struct pfcp_update_qer update_qer = {
        .qer_id = 3, .gate_status = AT(struct pfcp_gate_status, .downlink_closed = true)};
    struct pfcp_update_pdr update_pdr = {
        .pdr_id = 1,
        .precedence = AT(uint32_t, 1),
        .pdi = AT(struct pfcp_pdi, .source_interface = PFCP_INTERFACE_CORE),
        .far_id = AT(uint32_t, 8),
        .deactivate_predefined_rules = {AT(struct bytes, (const uint8_t *)"rule", 4), 1}};
    struct pfcp_session_modification_request m = {
        .cp_f_seid = AT(struct pfcp_f_seid, .seid = 0x1122334455667788, .has_ipv6 = true,
                        .ipv6 = ipv6("2001:db8::3")),
        .remove_pdr = {AT(struct pfcp_remove_pdr, 4), 1},
        .remove_far = {AT(struct pfcp_remove_far, 4), 1},
        .remove_urr = {AT(struct pfcp_remove_urr, 4), 1},
        .remove_qer = {AT(struct pfcp_remove_qer, 4), 1},
        .remove_bar = AT(struct pfcp_remove_bar, 1),
        .create_pdr = {pdrs, 3},
        .create_far = {&far, 1},
        .create_urr = {&urr, 1},
        .create_qer = {&qer, 1},
        .create_bar = AT(struct pfcp_create_bar, .bar_id = 1,
                         .downlink_data_notification_delay = AT(uint8_t, 2),
                         .suggested_buffering_packets_count = AT(uint8_t, 16)),
        .update_pdr = {&update_pdr, 1},
        .update_far = {&update_far, 1},
        .update_urr = {&update_urr, 1},
        .update_qer = {&update_qer, 1},
        .update_bar = AT(struct pfcp_create_bar, .bar_id = 1),
        .pfcpsmreq_flags = AT(uint8_t, PFCP_SMREQ_DROBU | PFCP_SMREQ_QAURR),
        .query_urr = {AT(struct pfcp_query_urr, 1), 1},
        .user_plane_inactivity_timer = AT(uint32_t, 3600),
        .query_urr_reference = AT(uint32_t, 77)};
    struct pfcp_header header = {
        .type = PFCP_SESSION_MODIFICATION_REQUEST, .seid = 9, .sequence = 0xffffff};

    (void)state;
    struct decoded d = round_trip(&header, &m, wire, &len);
    struct pfcp_session_modification_request *got = d.body;
    assert_int_equal(got->create_pdr.count, 3);
    assert_int_equal(got->create_pdr.at[0].pdi.sdf_filter.count, 2);
    assert_int_equal(got->create_pdr.at[0].pdi.sdf_filter.at[0].flow_label, 0xabcde);
    assert_int_equal(got->create_pdr.at[0].pdi.ue_ip_address->delegation_bits, 4);
    assert_int_equal(got->create_pdr.at[1].pdi.local_f_teid->choose_id, 7);
    assert_int_equal(got->create_pdr.at[2].pdi.local_f_teid->teid, 0x11223344);
    assert_int_equal(got->create_pdr.at[0].urr_id.at[1], 2);
    assert_int_equal(got->create_far.at->forwarding_parameters->outer_header_creation->teid,
                     0xaabbccdd);
    assert_int_equal(*got->update_far.at->update_forwarding_parameters->pfcpsmreq_flags,
                     PFCP_SMREQ_SNDEM);
    assert_int_equal(got->update_far.at->update_forwarding_parameters->outer_header_creation->port,
                     4789);
    assert_true(got->create_qer.at->maximum_bit_rate->downlink_kbps == UINT64_C(0xffffffffff));
    assert_true(got->create_urr.at->volume_threshold->total == UINT64_C(1) << 40);
    assert_int_equal(got->create_urr.at->reporting_triggers, urr.reporting_triggers);
    arena_free(&d.arena);

    /* And every truncation of it, with the length set right. */
    for (size_t n = 16; n < len; n++) {
        uint8_t *cut = malloc(n);
        memcpy(cut, wire, n);
        cut[2] = (uint8_t)((n - 4) >> 8);
        cut[3] = (uint8_t)(n - 4);
        d = decode(cut, n);
        arena_free(&d.arena);
        free(cut);
    }
    /* A buffer that is too small by any number of octets is refused. */
    for (size_t n = 0; n < len; n++) {
        struct writer w = writer_of(wire, n);
        assert_int_equal(pfcp_encode(&w, &header, &m), -EMSGSIZE);
        assert_true(w.bad);
    }
}

static void reports_and_answers_come_back_the_same(void **state)
{
    static uint8_t wire[PFCP_MESSAGE_SIZE];
    size_t len;
    struct pfcp_volume volume = {
        .has_uplink = true, .has_downlink = true, .uplink = 1500, .downlink = 3000};
    struct pfcp_usage_report usage = {.urr_id = 1,
                                      .ur_seqn = 2,
                                      .usage_report_trigger = PFCP_USAGE_TERMR,
                                      .start_time = AT(uint32_t, 1),
                                      .end_time = AT(uint32_t, 2),
                                      .volume_measurement = &volume,
                                      .duration_measurement = AT(uint32_t, 3),
                                      .time_of_first_packet = AT(uint32_t, 4),
                                      .time_of_last_packet = AT(uint32_t, 5),
                                      .usage_information = AT(uint8_t, 1),
                                      .query_urr_reference = AT(uint32_t, 6)};
    struct pfcp_load_control_information load = {1, 50};
    struct pfcp_overload_control_information overload = {2, 10, {60}, AT(uint8_t, 1)};
    struct pfcp_downlink_data_service_information service = {true, true, 46, 5};
    struct pfcp_f_teid remote = {.has_ipv4 = true, .teid = 0x99, .ipv4 = ipv4("192.0.2.1")};

    (void)state;
    struct pfcp_session_report_request report = {
        .report_type = PFCP_REPORT_DLDR | PFCP_REPORT_USAR | PFCP_REPORT_ERIR,
        .downlink_data_report = AT(struct pfcp_downlink_data_report, .pdr_id = {AT(uint16_t, 2), 1},
                                   .downlink_data_service_information = {&service, 1}),
        .usage_report = {&usage, 1},
        .error_indication_report = AT(struct pfcp_error_indication_report, {&remote, 1}),
        .load_control_information = &load,
        .overload_control_information = &overload,
        .additional_usage_reports_information = AT(uint16_t, 3)};
    struct decoded d = round_trip(
        &(struct pfcp_header){.type = PFCP_SESSION_REPORT_REQUEST, .seid = 1}, &report, wire, &len);
    struct pfcp_session_report_request *got = d.body;
    assert_int_equal(got->downlink_data_report->downlink_data_service_information.at->paging_policy,
                     46);
    assert_int_equal(got->error_indication_report->remote_f_teid.at->teid, 0x99);
    assert_int_equal(got->usage_report.at->usage_report_trigger, PFCP_USAGE_TERMR);
    assert_int_equal(got->overload_control_information->period_of_validity.seconds, 60);
    arena_free(&d.arena);

    struct pfcp_session_report_response answer = {
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .offending_ie = AT(uint16_t, PFCP_IE_PDR_ID),
        .update_bar = AT(struct pfcp_update_bar_in_report_response, .bar_id = 1,
                         .downlink_data_notification_delay = AT(uint8_t, 4),
                         .dl_buffering_duration = AT(struct pfcp_timer, 120),
                         .dl_buffering_suggested_packet_count = AT(uint16_t, 300),
                         .suggested_buffering_packets_count = AT(uint8_t, 10)),
        .pfcpsrrsp_flags = AT(uint8_t, PFCP_SRRSP_DROBU)};
    d = round_trip(&(struct pfcp_header){.type = PFCP_SESSION_REPORT_RESPONSE, .seid = 1}, &answer,
                   wire, &len);
    assert_int_equal(*((struct pfcp_session_report_response *)d.body)
                          ->update_bar->dl_buffering_suggested_packet_count,
                     300);
    arena_free(&d.arena);

    struct pfcp_session_deletion_response deleted = {.cause = PFCP_CAUSE_REQUEST_ACCEPTED,
                                                     .usage_report = {&usage, 1}};
    d = round_trip(&(struct pfcp_header){.type = PFCP_SESSION_DELETION_RESPONSE, .seid = 1},
                   &deleted, wire, &len);
    assert_int_equal(((struct pfcp_session_deletion_response *)d.body)
                         ->usage_report.at->volume_measurement->downlink,
                     3000);
    arena_free(&d.arena);

    struct pfcp_session_establishment_response established = {
        .node_id = {.type = PFCP_NODE_ID_FQDN, .fqdn = bytes_of("\x02up\x07example", 11)},
        .cause = PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE,
        .up_f_seid = AT(struct pfcp_f_seid, .seid = 5, .has_ipv4 = true, .ipv4 = ipv4("127.0.0.5")),
        .created_pdr = {AT(struct pfcp_created_pdr, .pdr_id = 1, .local_f_teid = &remote), 1},
        .failed_rule_id = AT(struct pfcp_failed_rule_id, PFCP_RULE_FAR, 0x01020304)};
    d = round_trip(&(struct pfcp_header){.type = PFCP_SESSION_ESTABLISHMENT_RESPONSE, .seid = 1},
                   &established, wire, &len);
    assert_int_equal(((struct pfcp_session_establishment_response *)d.body)->failed_rule_id->id,
                     0x01020304);
    assert_int_equal(((struct pfcp_session_establishment_response *)d.body)->node_id.fqdn.len, 11);
    arena_free(&d.arena);
}

static void node_messages_come_back_the_same(void **state)
{
    static uint8_t wire[PFCP_MESSAGE_SIZE];
    size_t len;
    struct pfcp_user_plane_ip_resource_information resource = {
        .has_ipv4 = true,
        .has_ipv6 = true,
        .has_network_instance = true,
        .has_source_interface = true,
        .teid_range_bits = 3,
        .teid_range = 0xe0,
        .ipv4 = ipv4("127.0.0.5"),
        .ipv6 = ipv6("2001:db8::5"),
        .network_instance = bytes_of("access", 6),
        .source_interface = PFCP_INTERFACE_CORE};
    struct pfcp_association_setup_request setup = {
        .node_id = {.type = PFCP_NODE_ID_IPV6, .ipv6 = ipv6("2001:db8::1")},
        .recovery_time_stamp = pfcp_time(1700000000),
        .up_function_features = AT(uint32_t, PFCP_UP_FTUP | PFCP_UP_EMPU | UINT32_C(0x010000)),
        .cp_function_features = AT(uint8_t, PFCP_CP_LOAD),
        .user_plane_ip_resource_information = {&resource, 1}};

    (void)state;
    struct decoded d = round_trip(&(struct pfcp_header){.type = PFCP_ASSOCIATION_SETUP_REQUEST},
                                  &setup, wire, &len);
    struct pfcp_association_setup_request *got = d.body;
    assert_int_equal(*got->up_function_features, PFCP_UP_FTUP | PFCP_UP_EMPU | UINT32_C(0x010000));
    assert_int_equal(got->user_plane_ip_resource_information.at->network_instance.len, 6);
    assert_int_equal(got->user_plane_ip_resource_information.at->source_interface,
                     PFCP_INTERFACE_CORE);
    assert_true(pfcp_node_id_equal(&got->node_id, &setup.node_id));
    assert_false(
        pfcp_node_id_equal(&got->node_id, &(struct pfcp_node_id){.type = PFCP_NODE_ID_IPV4}));
    arena_free(&d.arena);

    struct pfcp_association_update_request update = {
        .node_id = pfcp_node_id_ipv4(ipv4("127.0.0.5")),
        .association_release_request = AT(uint8_t, 1),
        .graceful_release_period = AT(struct pfcp_timer, 600)};
    d = round_trip(&(struct pfcp_header){.type = PFCP_ASSOCIATION_UPDATE_REQUEST}, &update, wire,
                   &len);
    arena_free(&d.arena);

    struct pfcp_remote_gtp_u_peer peers[] = {{.has_ipv4 = true, .ipv4 = ipv4("192.0.2.1")},
                                             {.has_ipv6 = true, .ipv6 = ipv6("2001:db8::9")}};
    struct pfcp_node_report_request report = {
        .node_id = pfcp_node_id_ipv4(ipv4("127.0.0.5")),
        .node_report_type = PFCP_NODE_REPORT_UPFR,
        .user_plane_path_failure_report =
            AT(struct pfcp_user_plane_path_failure_report, {peers, 2})};
    d = round_trip(&(struct pfcp_header){.type = PFCP_NODE_REPORT_REQUEST}, &report, wire, &len);
    assert_int_equal(((struct pfcp_node_report_request *)d.body)
                         ->user_plane_path_failure_report->remote_gtp_u_peer.count,
                     2);
    arena_free(&d.arena);

    struct pfcp_pfd_management_request pfds = {
        .application_pfds = {AT(struct bytes, (const uint8_t *)"\x00\x18\x00\x01x", 5), 1}};
    d = round_trip(&(struct pfcp_header){.type = PFCP_PFD_MANAGEMENT_REQUEST}, &pfds, wire, &len);
    arena_free(&d.arena);

    d = round_trip(
        &(struct pfcp_header){.type = PFCP_VERSION_NOT_SUPPORTED_RESPONSE, .sequence = 3}, NULL,
        wire, &len);
    assert_int_equal(len, 8);
    arena_free(&d.arena);
}

/* The values that are not plain numbers, at their bounds: what is written is what is read. */
static void timers_round_up_to_what_can_be_said(void **state)
{
    static const struct {
        uint32_t seconds;
        uint8_t octet;
        uint32_t read;
    } cases[] = {{0, 0x00, 0},
                 {1, 0x01, 2},
                 {2, 0x01, 2},
                 {62, 0x1f, 62},
                 {63, 0x22, 120},
                 {1860, 0x3f, 1860},
                 {1861, 0x44, 2400},
                 {18600, 0x5f, 18600},
                 {18601, 0x66, 21600},
                 {111600, 0x7f, 111600},
                 {111601, 0x84, 144000},
                 {1116000, 0x9f, 1116000},
                 {1116001, 0xff, UINT32_MAX},
                 {UINT32_MAX, 0xff, UINT32_MAX}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pfcp_association_update_request m = {.node_id = pfcp_node_id_ipv4(ipv4("127.0.0.5")),
                                                    .graceful_release_period =
                                                        AT(struct pfcp_timer, cases[i].seconds)};
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof(out));
        assert_int_equal(
            pfcp_encode(&w, &(struct pfcp_header){.type = PFCP_ASSOCIATION_UPDATE_REQUEST}, &m), 0);
        assert_int_equal(out[wr_len(&w) - 1], cases[i].octet);
        struct decoded d = decode(out, wr_len(&w));
        assert_int_equal(
            ((struct pfcp_association_update_request *)d.body)->graceful_release_period->seconds,
            cases[i].read);
        arena_free(&d.arena);
    }
}

static void types_know_what_they_are(void **state)
{
    static const uint8_t requests[] = {1, 3, 5, 7, 9, 12, 14, 50, 52, 54, 56};

    (void)state;
    for (unsigned type = 0, i = 0; type < 256; type++) {
        bool expected = i < sizeof(requests) && requests[i] == type;
        i += expected;
        assert_int_equal(pfcp_is_request((uint8_t)type), expected);
        assert_int_equal(pfcp_group((uint8_t)type) != NULL,
                         pfcp_message_name((uint8_t)type) != NULL);
    }
    assert_string_equal(pfcp_cause_name(PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND),
                        "Session context not found");
    assert_null(pfcp_cause_name(200));
    assert_null(pfcp_cause_name(0));
    uint8_t out[16];
    struct writer w = writer_of(out, sizeof(out));
    assert_int_equal(pfcp_encode(&w, &(struct pfcp_header){.type = 99}, NULL), -EINVAL);
    w = writer_of(out, sizeof(out));
    assert_int_equal(pfcp_encode(&w, &(struct pfcp_header){.type = PFCP_HEARTBEAT_REQUEST}, NULL),
                     -EINVAL);
}

/* A message that asks for more memory than a dispatch may have is refused, not half taken. */
static void an_arena_too_small_is_no_resources(void **state)
{
    size_t len;
    uint8_t *wire = bytes_from(establishment, &len);
    struct arena arena;
    struct pfcp_header header;
    struct wire_fault fault;
    void *body;

    (void)state;
    wire[2] = (uint8_t)((len - 4) >> 8);
    wire[3] = (uint8_t)(len - 4);
    arena_init(&arena, 256);
    assert_int_equal(pfcp_decode(bytes_of(wire, len), &arena, &header, &body, &fault), -ENOMEM);
    assert_int_equal(pfcp_fault_cause(&fault), PFCP_CAUSE_NO_RESOURCES_AVAILABLE);
    arena_free(&arena);
    free(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeat_is_what_the_figure_says),
        cmocka_unit_test(session_header_carries_seid_and_priority),
        cmocka_unit_test(an_establishment_decodes),
        cmocka_unit_test(no_cut_reads_past_the_end),
        cmocka_unit_test(the_headers_refusals),
        cmocka_unit_test(faults_name_cause_and_element),
        cmocka_unit_test(unknown_and_vendor_elements_are_skipped),
        cmocka_unit_test(a_full_modification_comes_back_the_same),
        cmocka_unit_test(reports_and_answers_come_back_the_same),
        cmocka_unit_test(node_messages_come_back_the_same),
        cmocka_unit_test(timers_round_up_to_what_can_be_said),
        cmocka_unit_test(types_know_what_they_are),
        cmocka_unit_test(an_arena_too_small_is_no_resources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
