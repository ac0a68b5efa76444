/*
 * switch_pipeline_test.c -- packets through tables, groups and meters, between ports that only
 * remember what they sent.
 */
#include <stdio.h>
#include <stdlib.h>

#include "switch_frames.h"
#include "switch/change.h"

#define PORTS 4
#define SENT  64

static struct datapath dp;
static struct port ports[PORTS + 1];
static struct {
    uint32_t port;
    struct packet *p;
} sent[SENT];
static size_t sent_count;
static struct {
    uint8_t reason, table_id;
    uint64_t cookie;
    size_t count;
} heard;
static size_t unmatched_count;

static void remember(struct port *p)
{
    for (unsigned i = 0; i < p->queued; i++) {
        assert_true(sent_count < SENT);
        sent[sent_count].port = p->number;
        sent[sent_count++].p = packet_clone(p->queue[i]);
    }
}

static void note_unmatched(struct port *p, const struct packet *packet)
{
    assert_int_equal(of_key_get(&packet->key, OF_IN_PORT), p->number);
    unmatched_count++;
}

static const struct port_driver driver = {
    .name = "memory", .send = remember, .unmatched = note_unmatched};

static bool hear(const struct packet *packet, uint8_t reason, uint8_t table_id, uint64_t cookie,
                 uint16_t max_len)
{
    (void)packet;
    (void)max_len;
    heard.reason = reason;
    heard.table_id = table_id;
    heard.cookie = cookie;
    heard.count++;
    return true;
}

static void forget_sent(void)
{
    while (sent_count)
        packet_free(sent[--sent_count].p);
}

static int set_up(void **state)
{
    (void)state;
    datapath_init(&dp, 7, 1000);
    dp.packet_in = hear;
    memset(&heard, 0, sizeof(heard));
    unmatched_count = 0;
    for (uint32_t i = 1; i <= PORTS; i++) {
        memset(&ports[i], 0, sizeof(ports[i]));
        ports[i].dp = &dp;
        ports[i].driver = &driver;
        ports[i].number = i;
        dp.ports[i] = &ports[i];
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    forget_sent();
    change_remove_all_flows(&dp);
    memset(dp.ports, 0, sizeof(dp.ports));
    datapath_free(&dp);
    return 0;
}

static of_error apply(of_error (*change)(struct transaction *t, const void *mod), const void *mod)
{
    struct transaction t;
    of_error error;

    change_begin(&t, &dp);
    error = change(&t, mod);
    if (error)
        change_rollback(&t);
    else
        change_commit(&t);
    return error;
}

static of_error do_flow(struct transaction *t, const void *mod)
{
    return change_flow_mod(t, mod);
}

static of_error do_group(struct transaction *t, const void *mod)
{
    return change_group_mod(t, mod);
}

static of_error do_meter(struct transaction *t, const void *mod)
{
    return change_meter_mod(t, mod);
}

/* A flow whose instructions are a list. */
static void flow(uint8_t table, uint16_t priority, const char *match,
                 const struct of_instruction *in, size_t count)
{
    struct of_flow_mod mod = {
        .table_id = table, .priority = priority, .buffer_id = OFP_NO_BUFFER, .cookie = priority};
    const char *bad = "";

    assert_int_equal(of_parse_match(&mod.match, match, strlen(match), &bad), 0);
    mod.instructions.at = (struct of_instruction *)(uintptr_t)in;
    mod.instructions.count = count;
    assert_int_equal(apply(do_flow, &mod), 0);
}

#define ACTIONS(...)                                                             \
    {                                                                            \
        (struct of_action[]){__VA_ARGS__},                                       \
            sizeof((struct of_action[]){__VA_ARGS__}) / sizeof(struct of_action) \
    }
#define FLOW(table, priority, match, ...)                                \
    flow(table, priority, match, (struct of_instruction[]){__VA_ARGS__}, \
         sizeof((struct of_instruction[]){__VA_ARGS__}) / sizeof(struct of_instruction))
#define APPLY(...)                                                   \
    {                                                                \
        .type = OFPIT_APPLY_ACTIONS, .actions = ACTIONS(__VA_ARGS__) \
    }
#define WRITE(...)                                                   \
    {                                                                \
        .type = OFPIT_WRITE_ACTIONS, .actions = ACTIONS(__VA_ARGS__) \
    }
#define GOTO(table)                                   \
    {                                                 \
        .type = OFPIT_GOTO_TABLE, .table_id = (table) \
    }
#define CLEAR                       \
    {                               \
        .type = OFPIT_CLEAR_ACTIONS \
    }
#define OUTPUT(p)                                               \
    {                                                           \
        .type = OFPAT_OUTPUT, .output = { p, OFPCML_NO_BUFFER } \
    }

static void send_in(const struct frame *f, uint32_t port)
{
    struct packet *p = packet_copy_of(bytes_of(f->bytes, f->len));

    packet_enter(p, port);
    pipeline_burst(&dp, &ports[port], &p, 1);
    ports_flush();
}

static bool went_to(uint32_t port)
{
    for (size_t i = 0; i < sent_count; i++)
        if (sent[i].port == port)
            return true;
    return false;
}

static void no_flow_drops_and_tells_the_port(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    send_in(&f, 1);
    assert_int_equal(sent_count, 0);
    assert_int_equal(ports[1].drops[DROP_NO_MATCH], 1);
    assert_int_equal(unmatched_count, 1);
    FLOW(0, 0, "", GOTO(1)); /* a miss in another table is not the port's */
    send_in(&f, 1);
    assert_int_equal(unmatched_count, 1);
    assert_int_equal(ports[1].drops[DROP_NO_MATCH], 2);
}

static void uplink_and_downlink_as_a_gateway_has_them(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    FLOW(0, 10, "ip,in_port=1,ip_dst=10.0.0.2",
         APPLY(of_set_field(OF_TUNNEL_ID, 0x22), of_set_field(OF_TUN_DST, 0x0a000063),
               {.type = OFPAT_DEC_NW_TTL}),
         GOTO(1));
    FLOW(1, 10, "tun_id=0x22", APPLY(OUTPUT(2)));
    send_in(&f, 1);
    assert_int_equal(sent_count, 1);
    assert_int_equal(sent[0].port, 2);
    assert_int_equal(of_key_get(&sent[0].p->key, OF_TUNNEL_ID), 0x22);
    assert_int_equal(of_key_get(&sent[0].p->key, OF_TUN_DST), 0x0a000063);
    assert_int_equal(of_key_get(&sent[0].p->key, OF_IP_TTL), 63);
    frame_checksums_ok(sent[0].p);
    assert_int_equal(dp.tables.table[1].matches, 1);
}

static void apply_happens_now_and_write_at_the_end(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    FLOW(0, 1, "ip", APPLY(OUTPUT(2)), WRITE(of_set_field(OF_ETH_DST, 0x02000000aaaa), OUTPUT(3)),
         GOTO(1));
    FLOW(1, 1, "ip", WRITE(OUTPUT(4))); /* overrides output:3 */
    send_in(&f, 1);
    assert_int_equal(sent_count, 2);
    assert_true(went_to(2) && went_to(4));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(of_key_get(&sent[i].p->key, OF_ETH_DST),
                         sent[i].port == 4 ? 0x02000000aaaa : 0x020000000002);
    forget_sent();
    FLOW(1, 1, "ip", CLEAR);
    send_in(&f, 1);
    assert_int_equal(sent_count, 1);
    assert_true(went_to(2));
    FLOW(0, 1, "ip", WRITE(of_set_field(OF_ETH_DST, 1)));
    send_in(&f, 1);
    assert_int_equal(ports[1].drops[DROP_BY_FLOW], 1); /* a set without output */
}

static void an_action_set_has_its_own_order(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    FLOW(0, 1, "ip",
         WRITE(OUTPUT(2), of_set_field(OF_VLAN_VID, 0x1007),
               {.type = OFPAT_PUSH_VLAN, .ethertype = ETH_TYPE_VLAN}));
    send_in(&f, 1);
    assert_int_equal(sent_count, 1);
    assert_int_equal(of_key_get(&sent[0].p->key, OF_VLAN_VID), 0x1007);
    assert_int_equal(sent[0].p->len, f.len + 4);
}

static void each_output_has_the_packet_as_it_was_then(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    FLOW(0, 1, "ip",
         APPLY(OUTPUT(2), of_set_field(OF_IPV4_DST, 0x01010101), OUTPUT(3), OUTPUT(1),
               OUTPUT(OFPP_IN_PORT)));
    send_in(&f, 1);
    assert_int_equal(sent_count,
                     3); /* not to the port it came from, unless it is asked for as IN_PORT */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(of_key_get(&sent[i].p->key, OF_IPV4_DST),
                         sent[i].port == 2 ? 0x0a000002 : 0x01010101);
        frame_checksums_ok(sent[i].p);
    }
    assert_true(went_to(1));
    forget_sent();
    FLOW(0, 1, "ip", APPLY(OUTPUT(OFPP_ALL)));
    send_in(&f, 2);
    assert_int_equal(sent_count, 3);
    assert_false(went_to(2));
}

static void metadata_and_registers_go_along(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    FLOW(0, 1, "ip",
         APPLY({.type = OF_NX_REG_MOVE, .reg_move = {OF_IPV4_DST, OF_REG1, 0, 8, 16}},
               {.type = OF_NX_REG_LOAD, .reg_load = {OF_REG0, 4, 8, 0x5a}}),
         {.type = OFPIT_WRITE_METADATA, .write_metadata = {0xff10, 0xf0}}, GOTO(1));
    FLOW(1, 1, "metadata=0x10,reg0=0x5a0,reg1=0x000200", APPLY(OUTPUT(2)));
    send_in(&f, 1);
    assert_int_equal(sent_count, 1);
}

static void controllers_hear_why(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    FLOW(0, 0, "", APPLY(OUTPUT(OFPP_CONTROLLER)));
    send_in(&f, 1);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.reason, OFPR_NO_MATCH); /* of the table-miss flow */
    FLOW(0, 5, "ip", GOTO(3));
    FLOW(3, 6, "ip", APPLY(OUTPUT(OFPP_CONTROLLER)));
    send_in(&f, 1);
    assert_int_equal(heard.reason, OFPR_ACTION);
    assert_int_equal(heard.table_id, 3);
    assert_int_equal(heard.cookie, 6);
    f.bytes[22] = 1; /* TTL */
    FLOW(3, 6, "ip", APPLY({.type = OFPAT_DEC_NW_TTL}, OUTPUT(2)));
    send_in(&f, 1);
    assert_int_equal(heard.reason, OFPR_INVALID_TTL);
    assert_int_equal(sent_count, 0);
    assert_int_equal(ports[1].drops[DROP_TTL], 1);
}

static of_error group(uint16_t command, uint32_t id, uint8_t type, const struct of_bucket *buckets,
                      size_t count)
{
    struct of_group_mod mod = {command, type, id, {(struct of_bucket *)(uintptr_t)buckets, count}};

    return apply(do_group, &mod);
}

#define BUCKET(weight, watch, ...)                    \
    {                                                 \
        weight, watch, OFPG_ANY, ACTIONS(__VA_ARGS__) \
    }
#define GROUP(command, id, type, ...)                           \
    group(command, id, type, (struct of_bucket[]){__VA_ARGS__}, \
          sizeof((struct of_bucket[]){__VA_ARGS__}) / sizeof(struct of_bucket))

static void group_all_copies(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    assert_int_equal(GROUP(OFPGC_ADD, 1, OFPGT_ALL, BUCKET(0, OFPP_ANY, OUTPUT(2)),
                           BUCKET(0, OFPP_ANY, OUTPUT(3), of_set_field(OF_ETH_DST, 5))),
                     0);
    FLOW(0, 1, "ip", APPLY(of_to_group(1), OUTPUT(4)));
    send_in(&f, 1);
    assert_int_equal(sent_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(of_key_get(&sent[i].p->key, OF_ETH_DST),
                         sent[i].port == 3 ? 5 : 0x020000000002);
    assert_int_equal(datapath_group(&dp, 1)->packets, 1);
    assert_int_equal(datapath_group(&dp, 1)->buckets[1].packets, 1);
    assert_int_equal(datapath_group(&dp, 1)->refs, 1);
}

static void group_fast_failover_follows_the_ports(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    assert_int_equal(
        GROUP(OFPGC_ADD, 1, OFPGT_FF, BUCKET(0, 2, OUTPUT(2)), BUCKET(0, 3, OUTPUT(3))), 0);
    FLOW(0, 1, "ip", WRITE(OUTPUT(4), of_to_group(1))); /* the group wins over the output */
    send_in(&f, 1);
    assert_true(sent_count == 1 && went_to(2));
    forget_sent();
    ports[2].state = OFPPS_LINK_DOWN;
    send_in(&f, 1);
    assert_true(sent_count == 1 && went_to(3));
    forget_sent();
    ports[3].ofp_config = OFPPC_PORT_DOWN;
    send_in(&f, 1);
    assert_int_equal(sent_count, 0);
    assert_int_equal(ports[1].drops[DROP_NO_GROUP], 1);
}

static void group_select_shares_by_weight_and_keeps_conversations(void **state)
{
    size_t count[PORTS + 1] = {0};

    (void)state;
    assert_int_equal(GROUP(OFPGC_ADD, 1, OFPGT_SELECT, BUCKET(1, OFPP_ANY, OUTPUT(2)),
                           BUCKET(2, OFPP_ANY, OUTPUT(3)), BUCKET(0, OFPP_ANY, OUTPUT(4))),
                     0);
    FLOW(0, 1, "ip", APPLY(of_to_group(1)));
    for (unsigned i = 0; i < 600; i++) {
        struct frame f = frame_ip(4, IP_UDP, 0);
        uint32_t first;

        f.bytes[29] = (uint8_t)i;
        f.bytes[28] = (uint8_t)(i >> 8);
        send_in(&f, 1);
        first = sent[0].port;
        forget_sent();
        send_in(&f, 1);
        assert_int_equal(sent[0].port, first);
        count[first]++;
        forget_sent();
    }
    assert_in_range(count[2], 150, 250); /* a third of 600 */
    assert_in_range(count[3], 350, 450);
    assert_int_equal(count[4], 0);
}

static void groups_of_groups_end(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    assert_int_equal(GROUP(OFPGC_ADD, 1, OFPGT_INDIRECT, BUCKET(0, OFPP_ANY, OUTPUT(2))), 0);
    assert_int_equal(GROUP(OFPGC_ADD, 2, OFPGT_INDIRECT, BUCKET(0, OFPP_ANY, of_to_group(1))), 0);
    assert_int_equal(GROUP(OFPGC_MODIFY, 1, OFPGT_INDIRECT, BUCKET(0, OFPP_ANY, of_to_group(2))),
                     OFPGMFC_LOOP);
    assert_int_equal(GROUP(OFPGC_MODIFY, 1, OFPGT_INDIRECT, BUCKET(0, OFPP_ANY, of_to_group(1))),
                     OFPGMFC_LOOP);
    FLOW(0, 1, "ip", APPLY(of_to_group(2)));
    send_in(&f, 1);
    assert_true(sent_count == 1 && went_to(2));
}

static void meters_keep_the_rate(void **state)
{
    struct of_meter_band band = {OFPMBT_DROP, 1000, 100, 0};
    struct of_meter_mod mod = {OFPMC_ADD, OFPMF_PKTPS | OFPMF_BURST, 1, {&band, 1}};
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct packet *p = frame_packet(&f);
    uint64_t now;
    unsigned passed = 0;
    struct meter *meter;

    (void)state;
    assert_int_equal(apply(do_meter, &mod), 0);
    meter = datapath_meter(&dp, 1);
    now = meter->filled_us;
    for (unsigned i = 0; i < 100000; i++, now += 100) /* 10,000 packets/s for 10 s */
        passed += meter_apply(meter, p, now);
    assert_true(passed >= 10000 && passed <= 10200); /* 1000/s and the burst */
    assert_int_equal(meter->packets, 100000);
    assert_int_equal(meter->bands[0].packets, 100000 - passed);

    mod = (struct of_meter_mod){OFPMC_MODIFY, OFPMF_KBPS, 1, {&band, 1}};
    assert_int_equal(apply(do_meter, &mod), 0);
    meter = datapath_meter(&dp, 1);
    now = meter->filled_us;
    passed = 0;
    for (unsigned i = 0; i < 100000; i++, now += 100)
        passed += meter_apply(meter, p, now);
    /* 1 Mbit/s for 10 s and 100 ms of burst */
    assert_in_range(passed, 10000000 / (p->len * 8), 10150000 / (p->len * 8));
    packet_free(p);
}

static void a_metered_flow_drops_or_remarks(void **state)
{
    struct of_meter_band bands[] = {{OFPMBT_DSCP_REMARK, 1, 1, 1}};
    struct of_meter_mod mod = {OFPMC_ADD, OFPMF_PKTPS | OFPMF_BURST, 1, {bands, 1}};
    struct frame f = frame_ip(4, IP_UDP, 0); /* AF11 */

    (void)state;
    assert_int_equal(apply(do_meter, &mod), 0);
    FLOW(0, 1, "ip", {.type = OFPIT_METER, .meter_id = 1}, APPLY(OUTPUT(2)));
    send_in(&f, 1);
    send_in(&f, 1);
    assert_int_equal(sent_count, 2);
    assert_int_equal(of_key_get(&sent[0].p->key, OF_IP_DSCP), 10);
    assert_int_equal(of_key_get(&sent[1].p->key, OF_IP_DSCP), 12); /* AF12 */
    frame_checksums_ok(sent[1].p);
    forget_sent();
    bands[0] = (struct of_meter_band){OFPMBT_DROP, 1, 1, 0};
    mod.command = OFPMC_MODIFY;
    assert_int_equal(apply(do_meter, &mod), 0);
    send_in(&f, 1);
    send_in(&f, 1);
    assert_int_equal(sent_count, 1);
    assert_int_equal(ports[1].drops[DROP_METER], 1);
}

static void packet_out_can_enter_the_tables(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct of_actions direct = ACTIONS(of_set_field(OF_TUN_DST, 0x01020304), OUTPUT(2));
    struct of_actions table = ACTIONS(OUTPUT(OFPP_TABLE), OUTPUT(4));
    struct packet *p = packet_copy_of(bytes_of(f.bytes, f.len));

    (void)state;
    packet_enter(p, OFPP_CONTROLLER);
    pipeline_packet_out(&dp, p, &direct);
    ports_flush();
    assert_int_equal(sent_count, 1);
    assert_int_equal(of_key_get(&sent[0].p->key, OF_TUN_DST), 0x01020304);
    forget_sent();
    FLOW(0, 1, "in_port=3", APPLY(OUTPUT(2)));
    p = packet_copy_of(bytes_of(f.bytes, f.len));
    packet_enter(p, 3);
    pipeline_packet_out(&dp, p, &table);
    ports_flush();
    assert_true(sent_count == 2 && went_to(2) && went_to(4));
}

static void ports_may_refuse(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    FLOW(0, 1, "", APPLY(OUTPUT(2)));
    ports[2].ofp_config = OFPPC_NO_FWD;
    send_in(&f, 1);
    assert_int_equal(ports[1].drops[DROP_NO_PORT], 1);
    ports[2].ofp_config = 0;
    ports[1].ofp_config = OFPPC_NO_RECV;
    send_in(&f, 1);
    assert_int_equal(ports[1].counters.rx_dropped, 1);
    ports[1].ofp_config = 0;
    dp.fragments = OFPC_FRAG_DROP;
    f.bytes[20] = 0x20;
    send_in(&f, 1);
    assert_int_equal(ports[1].drops[DROP_FRAGMENT], 1);
    f.len = 10;
    send_in(&f, 1);
    assert_int_equal(ports[1].drops[DROP_MALFORMED], 1);
    assert_int_equal(sent_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(no_flow_drops_and_tells_the_port),
        TEST(uplink_and_downlink_as_a_gateway_has_them),
        TEST(apply_happens_now_and_write_at_the_end),
        TEST(an_action_set_has_its_own_order),
        TEST(each_output_has_the_packet_as_it_was_then),
        TEST(metadata_and_registers_go_along),
        TEST(controllers_hear_why),
        TEST(group_all_copies),
        TEST(group_fast_failover_follows_the_ports),
        TEST(group_select_shares_by_weight_and_keeps_conversations),
        TEST(groups_of_groups_end),
        TEST(meters_keep_the_rate),
        TEST(a_metered_flow_drops_or_remarks),
        TEST(packet_out_can_enter_the_tables),
        TEST(ports_may_refuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
