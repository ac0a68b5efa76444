/*
 * openflow_test.c -- every message: encoded, decoded, encoded again, cut at every length, printed.
 */
#include <errno.h>
#include <stdlib.h>

#include "unit.h"

#include "wire/openflow/openflow.h"

static uint8_t wire[OFP_MAX_MESSAGE], again[OFP_MAX_MESSAGE];

static size_t encode(const struct of_message *m, uint8_t *at)
{
    struct writer w = writer_of(at, OFP_MAX_MESSAGE);

    of_encode(&w, m);
    assert_false(w.bad);
    return wr_len(&w);
}

/* Decodes every shorter message, each in memory of its own size so that a sanitizer sees a read
 * past the end. */
static void decode_cut(const uint8_t *at, size_t len)
{
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        struct arena arena;
        struct of_message m;
        of_error why;

        memcpy(copy, at, cut);
        if (cut >= 4) {
            copy[2] = (uint8_t)(cut >> 8);
            copy[3] = (uint8_t)cut;
        }
        arena_init(&arena, 1 << 20);
        of_decode(&m, bytes_of(copy, cut), &arena, &why);
        arena_free(&arena);
        free(copy);
    }
}

/* Encodes, decodes, encodes again: the same bytes. Prints into `printed` if given. */
static void round_trip(const struct of_message *m, char *printed, size_t size)
{
    size_t len = encode(m, wire);
    struct arena arena;
    struct of_message back;
    of_error why;

    arena_init(&arena, 1 << 20);
    if (of_decode(&back, bytes_of(wire, len), &arena, &why) < 0)
        fail_msg("%s does not decode: %u/%u", of_type_name(m->type), OF_ERROR_TYPE(why),
                 OF_ERROR_CODE(why));
    assert_int_equal(back.type, m->type);
    assert_int_equal(back.xid, m->xid);
    assert_int_equal(encode(&back, again), len);
    assert_memory_equal(wire, again, len);
    if (printed) {
        struct text t = text_in(printed, size);

        of_print(&t, &back);
    }
    arena_free(&arena);
    decode_cut(wire, len);
}

static struct of_match sample_match(void)
{
    struct of_match m = {0};

    of_match_set(&m, OF_IN_PORT, 2);
    of_match_set(&m, OF_TUNNEL_ID, 0x11);
    of_match_set(&m, OF_ETH_TYPE, 0x0800);
    return m;
}

static void flow_mod_has_the_bytes_of_the_standard(void **state)
{
    static const char hex[] = "04 0e 0078 00000007  0000000000000005 0000000000000000 00 00 000a "
                              "0000 0064 ffffffff ffffffff"
                              "ffffffff 0001 0000  0001 001e 8000 0004 00000002 8000 4c08 "
                              "0000000000000011 8000 0a02 0800 0000"
                              "0004 0028 00000000 0019 0010 8000 4c08 0000000000000022 0000 0010 "
                              "00000001 ffff 000000000000";
    uint8_t expected[256];
    struct of_action actions[] = {of_set_field(OF_TUNNEL_ID, 0x22), of_output(1)};
    struct of_instruction in[] = {{.type = OFPIT_APPLY_ACTIONS, .actions = {actions, 2}}};
    struct of_message m = {
        .type = OFPT_FLOW_MOD,
        .xid = 7,
        .flow_mod = {.cookie = 5,
                     .idle_timeout = 10,
                     .priority = 100,
                     .buffer_id = OFP_NO_BUFFER,
                     .out_port = OFPP_ANY,
                     .out_group = OFPG_ANY,
                     .flags = OFPFF_SEND_FLOW_REM,
                     .match = sample_match(),
                     .instructions = {in, 1}},
    };
    char printed[512];
    int len;

    (void)state;
    len = hex_parse(hex, expected, sizeof(expected));
    assert_int_equal(encode(&m, wire), len);
    assert_int_equal(len, 0x78);
    assert_memory_equal(wire, expected, (size_t)len);
    round_trip(&m, printed, sizeof(printed));
    assert_string_equal(
        printed,
        "FLOW_MOD cookie=0x5 table_id=0 command=add idle_timeout=10 priority=100 flags=0x1 "
        "ip,in_port=2,tun_id=0x11 actions=set_field:0x22->tun_id,output:1");
}

static void every_action_and_instruction_goes_round(void **state)
{
    struct of_action apply[] = {
        of_output(OFPP_CONTROLLER),
        {.type = OFPAT_COPY_TTL_OUT},
        {.type = OFPAT_COPY_TTL_IN},
        {.type = OFPAT_SET_MPLS_TTL, .ttl = 3},
        {.type = OFPAT_DEC_MPLS_TTL},
        {.type = OFPAT_PUSH_VLAN, .ethertype = 0x8100},
        {.type = OFPAT_POP_VLAN},
        {.type = OFPAT_PUSH_MPLS, .ethertype = 0x8847},
        {.type = OFPAT_POP_MPLS, .ethertype = 0x0800},
        {.type = OFPAT_SET_QUEUE, .queue_id = 4},
        of_to_group(9),
        {.type = OFPAT_SET_NW_TTL, .ttl = 64},
        {.type = OFPAT_DEC_NW_TTL},
        of_set_field(OF_VLAN_VID, 0x1005),
        of_set_field_bytes(OF_IPV6_SRC, "0123456789abcdef"),
        {.type = OFPAT_PUSH_PBB, .ethertype = 0x88e7},
        {.type = OFPAT_POP_PBB},
        {.type = OF_NX_REG_LOAD, .reg_load = {OF_REG3, 4, 8, 0x5a}},
        {.type = OF_NX_REG_MOVE, .reg_move = {OF_TUN_SRC, OF_TUN_DST, 0, 0, 32}},
    };
    struct of_action write[] = {of_output(1)};
    struct of_instruction in[] = {
        {.type = OFPIT_METER, .meter_id = 6},
        {.type = OFPIT_APPLY_ACTIONS, .actions = {apply, sizeof(apply) / sizeof(apply[0])}},
        {.type = OFPIT_CLEAR_ACTIONS},
        {.type = OFPIT_WRITE_ACTIONS, .actions = {write, 1}},
        {.type = OFPIT_WRITE_METADATA, .write_metadata = {0x10, 0xff}},
        {.type = OFPIT_GOTO_TABLE, .table_id = 3},
    };
    struct of_message m = {.type = OFPT_FLOW_MOD, .flow_mod = {.instructions = {in, 6}}};
    char printed[2048];

    (void)state;
    round_trip(&m, printed, sizeof(printed));
    assert_non_null(
        strstr(printed, "actions=meter:6,CONTROLLER:65535,copy_ttl_out,copy_ttl_in,set_mpls_ttl:3,"
                        "dec_mpls_ttl,push_vlan:0x8100,pop_vlan,push_mpls:0x8847,pop_mpls:0x0800,"
                        "set_queue:4,group:9,set_nw_ttl:64,dec_ttl,set_field:0x1005->vlan_vid"));
    assert_non_null(strstr(
        printed, "load:0x5a->reg3[4..11],move:tun_src[0..31]->tun_dst[0..31],"
                 "clear_actions,write_actions(output:1),write_metadata:0x10/0xff,goto_table:3"));
}

static void plain_messages_go_round(void **state)
{
    static const uint8_t inner[] = {4, 20, 0, 8, 0, 0, 0, 1};
    struct of_property vacancy = {OFPTMPT_VACANCY, bytes_of("\x14\x28\x1e\0", 4)};
    struct of_message messages[] = {
        {.type = OFPT_HELLO, .hello = {1 << 4}},
        {.type = OFPT_ERROR, .error = {4, 9, 0, bytes_of(inner, 8)}},
        {.type = OFPT_ERROR,
         .error = {OFPET_EXPERIMENTER, OFPBFC_MSG_FAILED, OF_EXPERIMENTER_ONF, bytes_of(inner, 8)}},
        {.type = OFPT_ECHO_REQUEST, .echo = {bytes_of("abc", 3)}},
        {.type = OFPT_ECHO_REPLY},
        {.type = OFPT_EXPERIMENTER, .experimenter = {0x1234, 5, bytes_of("xy", 2)}},
        {.type = OFPT_FEATURES_REQUEST},
        {.type = OFPT_FEATURES_REPLY, .features = {0x1122334455667788, 0, 255, 0, 0x4f}},
        {.type = OFPT_GET_CONFIG_REQUEST},
        {.type = OFPT_GET_CONFIG_REPLY, .config = {0, 128}},
        {.type = OFPT_SET_CONFIG, .config = {1, 0xffff}},
        {.type = OFPT_PACKET_IN,
         .packet_in = {OFP_NO_BUFFER, 8, OFPR_ACTION, 3, 77, sample_match(), bytes_of(inner, 8)}},
        {.type = OFPT_FLOW_REMOVED,
         .flow_removed = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, sample_match()}},
        {.type = OFPT_PORT_STATUS, .port_status = {OFPPR_MODIFY, {.port_no = 1, .name = "sgi"}}},
        {.type = OFPT_PACKET_OUT,
         .packet_out = {OFP_NO_BUFFER,
                        OFPP_CONTROLLER,
                        {(struct of_action[]){of_output(1)}, 1},
                        bytes_of(inner, 8)}},
        {.type = OFPT_PORT_MOD, .port_mod = {1, {1, 2, 3, 4, 5, 6}, 1, 1, 0}},
        {.type = OFPT_TABLE_MOD, .table_mod = {3, 3}},
        {.type = OFPT_BARRIER_REQUEST},
        {.type = OFPT_BARRIER_REPLY},
        {.type = OFPT_QUEUE_GET_CONFIG_REQUEST, .queue_config = {.port = OFPP_ANY}},
        {.type = OFPT_QUEUE_GET_CONFIG_REPLY,
         .queue_config = {1,
                          {(struct of_queue[]){{1, 1, 100, 0xffff}, {2, 1, 0xffff, 0xffff}}, 2}}},
        {.type = OFPT_ROLE_REQUEST, .role = {OFPCR_ROLE_MASTER, 99}},
        {.type = OFPT_ROLE_REPLY, .role = {OFPCR_ROLE_SLAVE, 99}},
        {.type = OFPT_GET_ASYNC_REQUEST},
        {.type = OFPT_GET_ASYNC_REPLY, .async = {{1, 2}, {3, 4}, {5, 6}}},
        {.type = OFPT_SET_ASYNC, .async = {{7, 0}, {7, 7}, {15, 0}}},
        {.type = OFPT_METER_MOD,
         .meter_mod = {OFPMC_ADD,
                       OFPMF_KBPS,
                       1,
                       {(struct of_meter_band[]){{OFPMBT_DROP, 100, 10, 0},
                                                 {OFPMBT_DSCP_REMARK, 50, 5, 2}},
                        2}}},
        {.type = OFPT_GROUP_MOD,
         .group_mod = {OFPGC_ADD,
                       OFPGT_SELECT,
                       5,
                       {(struct of_bucket[]){
                            {1, OFPP_ANY, OFPG_ANY, {(struct of_action[]){of_output(1)}, 1}},
                            {2, OFPP_ANY, OFPG_ANY, {NULL, 0}}},
                        2}}},
        {.type = OFPT_ONF_BUNDLE_CONTROL, .bundle_control = {1, OFPBCT_COMMIT_REQUEST, 3}},
        {.type = OFPT_ONF_BUNDLE_ADD, .bundle_add = {1, 3, bytes_of(inner, 8)}},
        {.type = OFPT_ONF_FLOW_MONITOR_CANCEL, .monitor_id = 7},
        {.type = OFPT_ONF_FLOW_MONITOR_PAUSED},
        {.type = OFPT_ONF_FLOW_MONITOR_RESUMED},
        {.type = OFPT_ONF_ROLE_STATUS,
         .role_status = {OFPCR_ROLE_SLAVE, OFPCRR_MASTER_REQUEST, 99}},
        {.type = OFPT_ONF_TABLE_MOD, .table_mod = {3, OFPTC_VACANCY_EVENTS, {&vacancy, 1}}},
        {.type = OFPT_ONF_TABLE_STATUS, .table_status = {OFPTR_VACANCY_UP, {3, 8, {&vacancy, 1}}}},
        {.type = OFPT_NX_SET_ASYNC_CONFIG2,
         .async = {{7, 1}, {7, 7}, {0, 2}, {1, 4}, {8, 16}, 0x3ff}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        char printed[1024];

        messages[i].xid = (uint32_t)i;
        round_trip(&messages[i], printed, sizeof(printed));
        assert_memory_equal(printed, of_type_name(messages[i].type),
                            strlen(of_type_name(messages[i].type)));
    }
}

static void multipart_messages_go_round(void **state)
{
    struct of_desc desc = {"maker", "hardware", "software", "1", "a switch"};
    struct of_flow_stats flows[] = {{.table_id = 1, .priority = 5, .match = sample_match()},
                                    {.cookie = 9}};
    struct of_bucket_counter counters[] = {{1, 2}, {3, 4}};
    struct of_band_stats bands[] = {{5, 6}};
    struct of_meter_band drop[] = {{OFPMBT_DROP, 10, 1, 0}};
    struct of_property properties[] = {{OFPTFPT_NEXT_TABLES, bytes_of("\1\2\3", 3)},
                                       {OFPTFPT_MATCH, {NULL, 0}}};
    struct of_table_features features = {.table_id = 2, .name = "x", .properties = {properties, 2}};
    struct of_flow_monitor_request monitors[] = {{1, 0x3f, OFPP_ANY, 255, 0, sample_match()},
                                                 {.id = 2, .flags = OFPFMF_ADD, .out_port = 7}};
    struct of_flow_update updates[] = {
        {ONFFME_DELETED, 0, OFPRR_DELETE, 5, 6, 7, 8, 9, sample_match(), {NULL, 0}},
        {.event = ONFFME_ABBREV, .xid = 0x12345678}};
    struct of_property vacancy = {OFPTMPT_VACANCY, bytes_of("\x14\x28\x1e\0", 4)};
    struct of_table_desc table_desc = {3, OFPTC_VACANCY_EVENTS, {&vacancy, 1}};
    struct of_multipart requests[] = {
        {.type = OFPMP_DESC},
        {.type = OFPMP_FLOW, .flow_request = {255, OFPP_ANY, OFPG_ANY, 1, 2, sample_match()}},
        {.type = OFPMP_AGGREGATE, .flow_request = {0, 1, OFPG_ANY, 0, 0, {0}}},
        {.type = OFPMP_TABLE},
        {.type = OFPMP_PORT_STATS, .port_request = {OFPP_ANY, 0}},
        {.type = OFPMP_QUEUE, .port_request = {1, OFPQ_ALL}},
        {.type = OFPMP_GROUP, .group_id = OFPG_ALL},
        {.type = OFPMP_GROUP_DESC},
        {.type = OFPMP_GROUP_FEATURES},
        {.type = OFPMP_METER, .meter_id = 1},
        {.type = OFPMP_METER_CONFIG, .meter_id = OFPM_ALL},
        {.type = OFPMP_METER_FEATURES},
        {.type = OFPMP_TABLE_FEATURES, .table_features = {&features, 1}},
        {.type = OFPMP_PORT_DESC},
        {.type = OFPMP_EXPERIMENTER, .experimenter = {1, 2, bytes_of("abc", 3)}},
        {.type = OFPMP_ONF_FLOW_MONITOR, .flow_monitors = {monitors, 2}},
        {.type = OFPMP_ONF_TABLE_DESC},
    };
    struct of_multipart replies[] = {
        {.type = OFPMP_DESC, .desc = &desc},
        {.type = OFPMP_FLOW, .flags = OFPMPF_REPLY_MORE, .flows = {flows, 2}},
        {.type = OFPMP_AGGREGATE, .aggregate = {1, 2, 3}},
        {.type = OFPMP_TABLE, .tables = {(struct of_table_stats[]){{1, 2, 3, 4}, {5, 6, 7, 8}}, 2}},
        {.type = OFPMP_PORT_STATS,
         .port_stats = {(struct of_port_stats[]){
                            {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
                        1}},
        {.type = OFPMP_QUEUE, .queue_stats = {(struct of_queue_stats[]){{1, 2, 3, 4, 5, 6, 7}}, 1}},
        {.type = OFPMP_GROUP,
         .group_stats = {(struct of_group_stats[]){{1, 2, 3, 4, 5, 6, {counters, 2}},
                                                   {7, 0, 0, 0, 0, 0, {NULL, 0}}},
                         2}},
        {.type = OFPMP_GROUP_DESC,
         .group_desc = {(struct of_group_desc[]){
                            {OFPGT_FF, 1, {(struct of_bucket[]){{0, 1, 2, {NULL, 0}}}, 1}}},
                        1}},
        {.type = OFPMP_GROUP_FEATURES, .group_features = {15, 15, {1, 2, 3, 4}, {5, 6, 7, 8}}},
        {.type = OFPMP_METER,
         .meter_stats = {(struct of_meter_stats[]){{1, 2, 3, 4, 5, 6, {bands, 1}}}, 1}},
        {.type = OFPMP_METER_CONFIG,
         .meter_config = {(struct of_meter_config[]){{1, 2, {drop, 1}}}, 1}},
        {.type = OFPMP_METER_FEATURES, .meter_features = {1, 2, 3, 4, 5}},
        {.type = OFPMP_TABLE_FEATURES, .table_features = {&features, 1}},
        {.type = OFPMP_PORT_DESC,
         .ports = {(struct of_port[]){{.port_no = 1, .name = "gtpu"},
                                      {.port_no = OFPP_LOCAL, .name = "l"}},
                   2}},
        {.type = OFPMP_EXPERIMENTER, .experimenter = {1, 2, {NULL, 0}}},
        {.type = OFPMP_ONF_FLOW_MONITOR, .flow_updates = {updates, 2}},
        {.type = OFPMP_ONF_TABLE_DESC, .table_descs = {&table_desc, 1}},
    };
    char printed[2048];

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct of_message m = {.type = OFPT_MULTIPART_REQUEST, .multipart_request = requests[i]};

        round_trip(&m, printed, sizeof(printed));
    }
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct of_message m = {.type = OFPT_MULTIPART_REPLY, .multipart_reply = replies[i]};

        round_trip(&m, printed, sizeof(printed));
    }
}

static void broken_messages_give_the_exact_error(void **state)
{
    static const struct {
        const char *hex;
        of_error error;
    } cases[] = {
        {"04 14 0008 00000001", 0},
        {"04 14 0009 00000001 00", OFPBRC_BAD_LEN}, /* barrier with a body */
        {"04 14 0010 00000001", OFPBRC_BAD_LEN},
        {"04 14 0008 0000", OFPBRC_BAD_LEN},
        {"01 0e 0008 00000001", OFPBRC_BAD_VERSION},
        {"04 1e 0008 00000001", OFPBRC_BAD_TYPE},
        {"04 e6 0008 00000001",
         OFPBRC_BAD_TYPE}, /* our own number for bundles is none on the wire */
        {"04 0e 0010 00000001 0000000000000000", OFPBRC_BAD_LEN},
        {"04 12 0010 00000001 0020 0000 00000000", OFPBRC_BAD_MULTIPART},
        {"04 0d 0018 00000001 ffffffff fffffffd 0010 000000000000",
         OFPBRC_BAD_LEN}, /* actions_len */
        {"04 0d 0020 00000001 ffffffff fffffffd 0008 000000000000 00ff 0008 00000000",
         OFPBAC_BAD_TYPE},
        {"04 0d 0020 00000001 ffffffff fffffffd 0008 000000000000 0000 0008 00000000",
         OFPBAC_BAD_LEN},
        {"04 0d 0020 00000001 ffffffff fffffffd 0008 000000000000 ffff 0008 00001234",
         OFPBAC_BAD_EXPERIMENTER},
        {"04 0d 0028 00000001 ffffffff fffffffd 0010 000000000000 0019 0010 8000 0004 00000001 "
         "00000000",
         OFPBAC_BAD_SET_TYPE}, /* in_port may not be set */
        {"04 0d 0028 00000001 ffffffff fffffffd 0010 000000000000 0019 0010 8000 0d04 1000 1000 "
         "00000000",
         OFPBAC_BAD_SET_TYPE}, /* nor may a masked field in 1.3 */
        {"04 0d 0028 00000001 ffffffff fffffffd 0010 000000000000 0019 0010 8000 0c02 2000 "
         "000000000000",
         OFPBAC_BAD_SET_ARGUMENT},
        {"04 0d 0028 00000001 ffffffff fffffffd 0010 000000000000 0019 0010 8000 0c03 200000 "
         "0000000000",
         OFPBAC_BAD_SET_LEN},
        {"04 04 001c 00000001 4f4e4600 000008fd 00000001 0000 0003 04140000",
         OF_BUNDLE_ERROR(OFPBFC_MSG_BAD_LEN)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[256];
        int len = hex_parse(cases[i].hex, bytes, sizeof(bytes));
        struct arena arena;
        struct of_message m;
        of_error why;
        int err;

        assert_true(len > 0);
        arena_init(&arena, 1 << 16);
        err = of_decode(&m, bytes_of(bytes, (size_t)len), &arena, &why);
        if (why != cases[i].error || err != (why ? -EBADMSG : 0))
            fail_msg("%s: %u/%u", cases[i].hex, OF_ERROR_TYPE(why), OF_ERROR_CODE(why));
        arena_free(&arena);
    }
}

static of_error decode_instructions_hex(const char *hex)
{
    uint8_t bytes[256];
    int len = hex_parse(hex, bytes, sizeof(bytes));
    struct reader r = reader_of(bytes, (size_t)len);
    struct of_instructions in;
    struct arena arena;
    of_error error;

    assert_true(len > 0);
    arena_init(&arena, 1 << 16);
    error = of_decode_instructions(&r, &in, &arena);
    arena_free(&arena);
    return error;
}

static void broken_instructions_give_the_exact_error(void **state)
{
    (void)state;
    assert_int_equal(decode_instructions_hex("0001 0008 03 000000"), 0);
    assert_int_equal(decode_instructions_hex("0001 0008 03 000000 0001 0008 04 000000"),
                     OFPBIC_DUP_INST);
    assert_int_equal(decode_instructions_hex("0009 0008 03 000000"), OFPBIC_UNKNOWN_INST);
    assert_int_equal(decode_instructions_hex("0001 0010 03 000000 0000000000000000"),
                     OFPBIC_BAD_LEN);
    assert_int_equal(decode_instructions_hex("0001 0006 03 000000"), OFPBIC_BAD_LEN);
    assert_int_equal(decode_instructions_hex("0001 0000 03 000000"), OFPBIC_BAD_LEN);
    assert_int_equal(decode_instructions_hex("ffff 0008 00000001"), OFPBIC_BAD_EXPERIMENTER);
    assert_int_equal(decode_instructions_hex("0004 0010 00000000 0000 000c 00000001"),
                     OFPBAC_BAD_LEN);
}

struct pieces {
    size_t count, entries, more;
};

static void count_piece(void *context, struct bytes message)
{
    struct pieces *p = context;
    struct arena arena;
    struct of_message m;
    of_error why;

    arena_init(&arena, 64 << 20);
    assert_int_equal(of_decode(&m, message, &arena, &why), 0);
    p->count++;
    p->entries += m.multipart_reply.flows.count;
    p->more += m.multipart_reply.flags & OFPMPF_REPLY_MORE;
    assert_int_equal(m.xid, 42);
    arena_free(&arena);
}

static void long_replies_are_cut(void **state)
{
    static uint8_t buffer[OFP_MAX_MESSAGE];
    struct of_multipart_writer mw;
    struct pieces p = {0};
    struct of_flow_stats flow = {.match = sample_match()};

    (void)state;
    of_multipart_begin(&mw, buffer, 42, OFPMP_FLOW, count_piece, &p);
    for (size_t i = 0; i < 5000; i++)
        of_multipart_add(&mw, &flow);
    of_multipart_end(&mw);
    assert_int_equal(p.entries, 5000);
    /* 48 bytes of stats and 32 of match: 818 in a message. */
    assert_int_equal(p.count, 7);
    assert_int_equal(p.more, 6);

    p = (struct pieces){0};
    of_multipart_begin(&mw, buffer, 42, OFPMP_FLOW, count_piece, &p);
    of_multipart_end(&mw);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.entries, 0);
}

static void a_full_arena_is_refused(void **state)
{
    struct of_action actions[64];
    struct of_instruction in[] = {{.type = OFPIT_APPLY_ACTIONS, .actions = {actions, 64}}};
    struct of_message m = {.type = OFPT_FLOW_MOD, .flow_mod = {.instructions = {in, 1}}};
    struct arena arena;
    of_error why;
    size_t len;

    (void)state;
    for (size_t i = 0; i < 64; i++)
        actions[i] = of_output(1);
    len = encode(&m, wire);
    arena_init(&arena, 256);
    assert_int_equal(of_decode(&m, bytes_of(wire, len), &arena, &why), -EBADMSG);
    arena_free(&arena);
}

static void errors_have_names(void **state)
{
    char buffer[128];
    struct text t = text_in(buffer, sizeof(buffer));

    (void)state;
    of_print_error(&t, OFPBMC_BAD_PREREQ);
    text_add(&t, " ");
    of_print_error(&t, OF_BUNDLE_ERROR(OFPBFC_MSG_FAILED));
    text_add(&t, " ");
    of_print_error(&t, OF_ERROR(77, 5));
    text_add(&t, " ");
    of_print_error(&t, OF_ERROR(2, 99));
    assert_string_equal(buffer,
                        "BAD_MATCH/BAD_PREREQ BUNDLE_FAILED/MSG_FAILED error 77/5 BAD_ACTION/99");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_mod_has_the_bytes_of_the_standard),
        cmocka_unit_test(every_action_and_instruction_goes_round),
        cmocka_unit_test(plain_messages_go_round),
        cmocka_unit_test(multipart_messages_go_round),
        cmocka_unit_test(broken_messages_give_the_exact_error),
        cmocka_unit_test(broken_instructions_give_the_exact_error),
        cmocka_unit_test(long_replies_are_cut),
        cmocka_unit_test(a_full_arena_is_refused),
        cmocka_unit_test(errors_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
