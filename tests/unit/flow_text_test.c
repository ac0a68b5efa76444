/*
 * flow_text_test.c -- flows, groups, meters and actions as text: what is printed reads back to the
 * same, what ovs-ofctl writes is understood, what is wrong is pointed at.
 */
#include "unit.h"

#include <errno.h>

#include "wire/openflow/flow_text.h"

static struct arena arena;
static struct of_parser parser;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    parser = (struct of_parser){.arena = &arena};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void check_instructions(const char *in, const char *out)
{
    struct of_instructions instructions;
    char buffer[1024];
    struct text t = text_in(buffer, sizeof(buffer));

    if (of_parse_instructions(&parser, in, strlen(in), &instructions) < 0)
        fail_msg("%s: %.*s: %s", in, (int)parser.len, parser.at, parser.why);
    of_print_instructions(&t, &instructions);
    assert_string_equal(buffer, out);
}

/* Texts that print as they were written. */
static const char *const same[] = {
    "drop",
    "output:1",
    "output:IN_PORT",
    "output:NORMAL",
    "output:LOCAL",
    "CONTROLLER:128",
    "CONTROLLER:65535",
    "group:7",
    "set_queue:3",
    "push_vlan:0x8100",
    "push_vlan:0x88a8,set_field:0x1005->vlan_vid,output:2",
    "pop_vlan",
    "push_mpls:0x8847",
    "pop_mpls:0x0800",
    "push_pbb:0x88e7",
    "pop_pbb",
    "set_mpls_ttl:3",
    "dec_mpls_ttl",
    "set_nw_ttl:64",
    "dec_ttl",
    "copy_ttl_out",
    "copy_ttl_in",
    "set_field:02:00:00:00:00:01->eth_dst",
    "set_field:10.0.0.1->ip_src",
    "set_field:fd00::1->ipv6_dst",
    "set_field:0x11->tun_id,output:2",
    "set_field:80->tcp_dst",
    "load:0x5->reg0[0..31]",
    "load:0x5->reg3[4..7]",
    "move:reg1[0..15]->reg2[16..31]",
    "move:ipv6_src[0..127]->ipv6_dst[0..127]",
    "goto_table:4",
    "meter:9,output:1",
    "write_metadata:0x5",
    "write_metadata:0x5/0xff,goto_table:3",
    "clear_actions",
    "write_actions(group:1,output:2)",
    "write_actions(drop)",
    ("meter:1,dec_ttl,output:1,clear_actions,write_actions(output:2),write_metadata:0x1/"
     "0x1,goto_table:9"),
};

static void what_is_printed_reads_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        check_instructions(same[i], same[i]);
}

static void other_words_are_understood(void **state)
{
    static const struct of_port at[] = {{.port_no = 4, .name = "eth0"}};
    static const struct of_ports ports = {(struct of_port *)(uintptr_t)at, 1};

    (void)state;
    check_instructions("1,2", "output:1,output:2");
    check_instructions("in_port, normal", "output:IN_PORT,output:NORMAL");
    check_instructions("CONTROLLER", "CONTROLLER:65535");
    check_instructions("controller(max_len=12)", "CONTROLLER:12");
    check_instructions("output(port=3,max_len=0)", "output:3");
    check_instructions("strip_vlan,flood", "pop_vlan,output:FLOOD");
    check_instructions("mod_dl_dst:02:00:00:00:00:01", "set_field:02:00:00:00:00:01->eth_dst");
    check_instructions("mod_vlan_vid:5", "set_field:0x1005->vlan_vid");
    check_instructions("load:0x7->NXM_NX_REG1[]", "load:0x7->reg1[0..31]");
    check_instructions("load:1->NXM_NX_TUN_ID[3]", "load:0x1->tun_id[3..3]");
    check_instructions("move:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[]",
                       "move:tun_src[0..31]->tun_dst[0..31]");
    check_instructions("apply_actions(output:1),goto_table:2", "output:1,goto_table:2");
    parser.ports = &ports;
    check_instructions("eth0,output:\"eth0\"", "output:4,output:4");
}

static void check_error(const char *in, const char *part, const char *why)
{
    struct of_flow_mod mod = {0};

    if (of_parse_flow(&parser, in, strlen(in), OF_FLOW_WITH_ACTIONS, &mod) != -EINVAL)
        fail_msg("%s: was understood", in);
    assert_true(parser.at >= in && parser.at + parser.len <= in + strlen(in));
    if (parser.len != strlen(part) || memcmp(parser.at, part, parser.len) != 0)
        fail_msg("%s: points at %.*s, not %s", in, (int)parser.len, parser.at, part);
    if (!strstr(parser.why, why))
        fail_msg("%s: \"%s\" does not say \"%s\"", in, parser.why, why);
}

static void errors_point_at_the_part(void **state)
{
    (void)state;
    check_error("ip,actions=outptu:1", "outptu:1", "did you mean output");
    check_error("ip,actions=fly", "fly", "expected an action");
    check_error("ip,actions=output:x", "x", "expected a port");
    check_error("ip", "ip", "expected actions=");
    check_error("priority=70000,actions=drop", "70000", "0 to 65535");
    check_error("table=255,actions=drop", "255", "0 to 254");
    check_error("table=0,ip_dst=1.2.3.4,actions=drop", "ip_dst", "needs a protocol");
    check_error("ip,ip_dst=1.2.3,actions=drop", "ip_dst=1.2.3", "no such value");
    check_error("colour=red,actions=drop", "colour=red", "expected a field");
    check_error("tp_dst=80,actions=drop", "tp_dst=80", "needs tcp, udp or sctp");
    check_error("actions=drop,output:1", "output:1", "alone");
    check_error("actions=output:1,drop", "drop", "alone");
    check_error("actions=output:1,goto_table:2,output:3", "output:3", "together");
    check_error("actions=goto_table:1,goto_table:2", "goto_table:2", "twice");
    check_error("actions=goto_table:255", "255", "0 to 254");
    check_error("actions=set_field:1->nowhere", "nowhere", "field's name");
    check_error("actions=set_field:1->in_port", "in_port", "not written");
    check_error("actions=set_field:0x1/0x1->reg0", "0x1/0x1", "load:");
    check_error("actions=set_field:64->ip_dscp", "64", "6 bits");
    check_error("actions=load:0x10->reg0[0..3]", "0x10", "0 to 15");
    check_error("actions=load:1->ipv6_src", "ipv6_src", "64 bits");
    check_error("actions=load:1->reg0[0..32]", "32", "0 to 31");
    check_error("actions=load:1->reg0[5..3]", "5..3", "before");
    check_error("actions=move:reg0[0..3]->reg1", "reg0[0..3]->reg1", "do not go");
    check_error("actions=dec_ttl:5", "dec_ttl:5", "no argument");
    check_error("actions=", "", "expected actions");
}

static void check_flow(const char *in, enum of_flow_text what, const char *out)
{
    struct of_flow_mod mod = {.command = OFPFC_ADD};
    char buffer[1024];
    struct text t = text_in(buffer, sizeof(buffer));

    if (of_parse_flow(&parser, in, strlen(in), what, &mod) < 0)
        fail_msg("%s: %.*s: %s", in, (int)parser.len, parser.at, parser.why);
    of_print_flow(&t, &mod);
    assert_string_equal(buffer, out);
}

static void flows_of_all_kinds(void **state)
{
    (void)state;
    check_flow("actions=drop", OF_FLOW_WITH_ACTIONS, "table=0,priority=32768 actions=drop");
    check_flow(" cookie=0x5, duration=3.1s, table=2, n_packets=0, n_bytes=0, idle_timeout=10, "
               "priority=100,tcp,in_port=1,nw_dst=10.0.0.0/8,tp_dst=80 actions=output:2",
               OF_FLOW_WITH_ACTIONS,
               "cookie=0x5,table=2,idle_timeout=10,priority=100,tcp,in_port=1,ip_dst=10.0.0.0/8,"
               "tcp_dst=80 actions=output:2");
    check_flow("hard_timeout=7,send_flow_rem,check_overlap,udp6,tp_src=53,actions=1",
               OF_FLOW_WITH_ACTIONS,
               "table=0,hard_timeout=7,send_flow_rem,check_overlap,priority=32768,udp6,udp_src=53 "
               "actions=output:1");
    check_flow("vlan_tci=0x1000/0x1000,actions=pop_vlan", OF_FLOW_WITH_ACTIONS,
               "table=0,priority=32768,vlan_vid=0x1000/0x1000 actions=pop_vlan");
    check_flow("ip,nw_tos=184,actions=drop", OF_FLOW_WITH_ACTIONS,
               "table=0,priority=32768,ip,ip_dscp=46 actions=drop");
    check_flow("icmp6,icmp_type=135,actions=drop", OF_FLOW_WITH_ACTIONS,
               "table=0,priority=32768,icmp6,icmpv6_type=135 actions=drop");
    check_flow("table=3,cookie=0x5/-1,out_port=2", OF_FLOW_WITHOUT_ACTIONS,
               "cookie=0x5,table=3,priority=32768 actions=drop");
}

static void filters_and_commands(void **state)
{
    struct of_flow_mod mod = {.command = OFPFC_ADD};
    static const char filter[] = "cookie=0x5/0xff,out_port=2,out_group=3,ip";
    static const char deletion[] = "delete_strict table=1,priority=5,ip";

    (void)state;
    assert_int_equal(of_parse_flow(&parser, filter, strlen(filter), OF_FLOW_WITHOUT_ACTIONS, &mod),
                     0);
    assert_int_equal(mod.table_id, OFPTT_ALL);
    assert_int_equal(mod.cookie_mask, 0xff);
    assert_int_equal(mod.out_port, 2);
    assert_int_equal(mod.out_group, 3);
    assert_int_equal(of_parse_flow(&parser, deletion, strlen(deletion), OF_FLOW_WITH_ACTIONS, &mod),
                     0);
    assert_int_equal(mod.command, OFPFC_DELETE_STRICT);
    assert_int_equal(mod.priority, 5);
    assert_int_equal(of_parse_flow(&parser, "ip,actions=drop", 15, OF_FLOW_WITHOUT_ACTIONS, &mod),
                     -EINVAL);
}

static void check_group(const char *in, const char *out)
{
    struct of_group_mod mod = {0};
    char buffer[1024];
    struct text t = text_in(buffer, sizeof(buffer));

    if (of_parse_group(&parser, in, strlen(in), &mod) < 0)
        fail_msg("%s: %.*s: %s", in, (int)parser.len, parser.at, parser.why);
    of_print_group(&t, mod.group_id, mod.type, &mod.buckets);
    assert_string_equal(buffer, out);
}

static void groups(void **state)
{
    static const char *const both[] = {
        "group_id=1,type=all",
        "group_id=1,type=all,bucket=actions=output:1,bucket=actions=output:2,output:3",
        "group_id=2,type=select,bucket=weight:5,actions=output:1,bucket=actions=output:2",
        ("group_id=3,type=fast_failover,bucket=watch_port:1,actions=output:1,"
         "bucket=watch_group:2,actions=group:2"),
        "group_id=4,type=indirect,bucket=actions=set_field:0x5->tun_id,output:LOCAL",
        "group_id=5,type=all,bucket=actions=drop",
    };
    struct of_group_mod mod = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
        check_group(both[i], both[i]);
    check_group("group_id=9 type=ff bucket=watch_port=2,output:2,bucket=bucket_id:1,1",
                "group_id=9,type=fast_failover,bucket=watch_port:2,actions=output:2,"
                "bucket=actions=output:1");
    assert_int_equal(of_parse_group(&parser, "type=all", 8, &mod), -EINVAL);
    assert_int_equal(of_parse_group(&parser, "group_id=1,type=any", 19, &mod), -EINVAL);
    assert_memory_equal(parser.at, "any", 3);
    assert_int_equal(of_parse_group(&parser, "group_id=1,bucket=fly", 21, &mod), -EINVAL);
    assert_memory_equal(parser.at, "fly", 3);
}

static void check_meter(const char *in, const char *out)
{
    struct of_meter_mod mod = {0};
    char buffer[512];
    struct text t = text_in(buffer, sizeof(buffer));

    if (of_parse_meter(&parser, in, strlen(in), &mod) < 0)
        fail_msg("%s: %.*s: %s", in, (int)parser.len, parser.at, parser.why);
    of_print_meter(&t, mod.meter_id, mod.flags, &mod.bands);
    assert_string_equal(buffer, out);
}

static void meters(void **state)
{
    static const char *const both[] = {
        "meter=1 kbps bands=type=drop rate=1000",
        "meter=2 pktps burst stats bands=type=drop rate=10 burst_size=5",
        "meter=3 kbps bands=type=dscp_remark rate=5 prec_level=2 type=drop rate=9",
        "meter=controller pktps bands=",
    };
    struct of_meter_mod mod = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
        check_meter(both[i], both[i]);
    check_meter("meter=1,kbps,band=type=drop,rate=1000", "meter=1 kbps bands=type=drop rate=1000");
    assert_int_equal(of_parse_meter(&parser, "kbps", 4, &mod), -EINVAL);
    assert_int_equal(of_parse_meter(&parser, "meter=1,rate=5", 14, &mod), -EINVAL);
    assert_memory_equal(parser.at, "rate=5", 6);
}

/* ---- random ones ---- */

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static enum of_field_id random_writable(void)
{
    enum of_field_id id;

    do
        id = (enum of_field_id)random_below(OF_FIELD_COUNT);
    while (!of_fields[id].writable);
    return id;
}

static struct of_action random_action(void)
{
    static const uint32_t types[] = {
        OFPAT_OUTPUT,    OFPAT_COPY_TTL_OUT, OFPAT_COPY_TTL_IN, OFPAT_SET_MPLS_TTL,
        OFPAT_PUSH_VLAN, OFPAT_POP_VLAN,     OFPAT_PUSH_MPLS,   OFPAT_POP_MPLS,
        OFPAT_SET_QUEUE, OFPAT_GROUP,        OFPAT_SET_NW_TTL,  OFPAT_DEC_NW_TTL,
        OFPAT_PUSH_PBB,  OFPAT_POP_PBB,      OFPAT_SET_FIELD,   OFPAT_SET_FIELD,
        OF_NX_REG_LOAD,  OF_NX_REG_MOVE,     OFPAT_DEC_MPLS_TTL};
    struct of_action a = {.type = types[random_below(sizeof(types) / sizeof(types[0]))]};
    enum of_field_id field = random_writable();
    unsigned bits = of_fields[field].bits < 32 ? of_fields[field].bits : 32;

    if (a.type == OFPAT_OUTPUT)
        return of_output(random_below(4) ? random_below(1000) : OFPP_CONTROLLER);
    if (a.type == OFPAT_SET_FIELD)
        return field == OF_VLAN_VID
                   ? of_set_field(field, OFPVID_PRESENT | random_below(4096))
                   : of_set_field(field, random_below(1u << (bits < 24 ? bits : 24)));
    if (a.type == OFPAT_SET_MPLS_TTL || a.type == OFPAT_SET_NW_TTL) {
        a.ttl = (uint8_t)random_below(256);
    } else if (a.type == OFPAT_GROUP || a.type == OFPAT_SET_QUEUE) {
        a.group_id = random_below(100000);
    } else if (a.type == OFPAT_PUSH_VLAN || a.type == OFPAT_PUSH_MPLS || a.type == OFPAT_POP_MPLS ||
               a.type == OFPAT_PUSH_PBB) {
        a.ethertype = (uint16_t)random_below(65536);
    } else if (a.type == OF_NX_REG_LOAD) {
        a.reg_load.field = field;
        a.reg_load.offset = (uint8_t)random_below(bits);
        a.reg_load.n_bits = (uint8_t)(1 + random_below(bits - a.reg_load.offset));
        a.reg_load.value = random_below(1u << (a.reg_load.n_bits < 20 ? a.reg_load.n_bits : 20));
    } else if (a.type == OF_NX_REG_MOVE) {
        a.reg_move.from = (enum of_field_id)(OF_REG0 + random_below(16));
        a.reg_move.to = field;
        a.reg_move.n_bits = (uint16_t)(1 + random_below(bits));
        a.reg_move.from_offset = (uint16_t)random_below(33u - a.reg_move.n_bits);
    }
    return a;
}

static size_t encoded(const struct of_instructions *instructions, uint8_t *to, size_t size)
{
    struct writer w = writer_of(to, size);

    of_encode_instructions(&w, instructions);
    assert_false(w.bad);
    return wr_len(&w);
}

static void random_lists_read_back(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        struct of_action apply[6], write[4];
        struct of_instruction list[4] = {0};
        struct of_instructions before = {list, 0}, after;
        uint8_t a[2048], b[2048];
        char buffer[4096];
        struct text t = text_in(buffer, sizeof(buffer));
        uint32_t n_apply = 1 + random_below(6), n_write = 1 + random_below(4);

        for (uint32_t i = 0; i < n_apply; i++)
            apply[i] = random_action();
        for (uint32_t i = 0; i < n_write; i++)
            write[i] = random_action();
        list[before.count++] =
            (struct of_instruction){.type = OFPIT_APPLY_ACTIONS, .actions = {apply, n_apply}};
        if (random_below(2))
            list[before.count++] =
                (struct of_instruction){.type = OFPIT_WRITE_ACTIONS, .actions = {write, n_write}};
        if (random_below(2))
            list[before.count++] = (struct of_instruction){
                .type = OFPIT_WRITE_METADATA, .write_metadata = {random_below(99), 0xffff}};
        if (random_below(2))
            list[before.count++] = (struct of_instruction){.type = OFPIT_GOTO_TABLE, .table_id = 7};
        of_print_instructions(&t, &before);
        if (of_parse_instructions(&parser, buffer, t.len, &after) < 0)
            fail_msg("%s: %.*s: %s", buffer, (int)parser.len, parser.at, parser.why);
        size_t len = encoded(&before, a, sizeof(a));
        if (encoded(&after, b, sizeof(b)) != len || memcmp(a, b, len) != 0)
            fail_msg("%s: reads back to something else", buffer);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_printed_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_words_are_understood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_point_at_the_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flows_of_all_kinds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(filters_and_commands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(meters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_lists_read_back, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
