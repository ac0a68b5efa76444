/*
 * controller_flows_test.c -- sessions and the flows they become: golden lines, differences, and
 * what is told to the switch.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "controller_world.h"

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)

static struct world w;
static struct up_flow flows[UP_MAX_FLOWS];

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

static struct up_rules *establish(const struct pfcp_session_establishment_request *request)
{
    struct up_refusal why;
    struct up_rules *rules = up_rules_establish(&w.env, request, 0, &why);

    assert_non_null(rules);
    return rules;
}

/* The flows of the rules, which are freed, are exactly these lines. */
static void become(struct up_rules *rules, const char *const *lines)
{
    int n = up_flows_of(&w.env, &w.view, rules, flows);

    for (int i = 0; i < n; i++) {
        char line[512];
        struct text t = text_in(line, sizeof(line));
        up_flow_print(&w.view, &t, &flows[i]);
        if (!lines[i])
            fail_msg("one more: %s", line);
        assert_string_equal(line, lines[i]);
    }
    assert_null(lines[n]);
    up_rules_free(&w.env, rules, NULL);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void an_s_gw(void **state)
{
    struct sgw_sample s;

    (void)state;
    /* The P-GW is not known yet, the phone sleeps. */
    become(establish(sgw_sample(&s, 0, "10.0.0.1")),
           LINES("table=0 priority=60930 in_port=2,tun_id=0x100 drop",
                 "table=2 priority=60930 tun_id=0x101 meter:1,CONTROLLER:65535"));
    /* The P-GW is in this switch. */
    become(
        establish(sgw_sample(&s, 0x55, "10.0.0.1")),
        LINES("table=0 priority=60930 in_port=2,tun_id=0x102 set_field:0x55->tun_id,goto_table:2",
              "table=2 priority=60930 tun_id=0x103 meter:1,CONTROLLER:65535"));
    /* It is elsewhere: S5-U packets come from the network. */
    w.env.s5_from_network = true;
    become(establish(sgw_sample(&s, 0x55, "10.0.0.7")),
           LINES("table=0 priority=60930 in_port=2,tun_id=0x104 "
                 "set_field:0x55->tun_id,set_field:10.0.0.7->tun_dst,output:IN_PORT",
                 "table=0 priority=60930 in_port=2,tun_id=0x105 meter:1,CONTROLLER:65535",
                 "table=2 priority=60930 tun_id=0x105 meter:1,CONTROLLER:65535"));
}

static void an_s_gw_with_a_connected_phone(void **state)
{
    struct sgw_sample s;
    struct sgw_change c;
    struct up_orders orders;
    struct up_refusal why;
    struct up_rules *old = establish(sgw_sample(&s, 0x55, "10.0.0.1"));
    struct up_rules *now =
        up_rules_modify(&w.env, old, sgw_connects(&c, 0xe1, "192.0.2.1", false), 0, &orders, &why);

    (void)state;
    become(
        now,
        LINES("table=0 priority=60930 in_port=2,tun_id=0x100 set_field:0x55->tun_id,goto_table:2",
              "table=2 priority=60930 tun_id=0x101 "
              "set_field:0xe1->tun_id,set_field:192.0.2.1->tun_dst,output:2"));
    up_rules_free(&w.env, old, NULL);
}

static void a_p_gw(void **state)
{
    struct pgw_sample p;

    (void)state;
    become(establish(pgw_sample(&p, "10.45.0.2", NULL, 0x101, "10.0.0.1")),
           LINES("table=2 priority=60930 ip,tun_id=0x100,ip_src=10.45.0.2 meter:16,goto_table:10",
                 "table=1 priority=60930 ip,in_port=1,ip_dst=10.45.0.2 "
                 "meter:17,set_field:0x101->tun_id,goto_table:2"));
    /* IPv6: what the phone says to its router comes to the controller. */
    become(
        establish(pgw_sample(&p, NULL, "2001:db8:45:2::", 0x101, "10.0.0.1")),
        LINES("table=2 priority=60930 ipv6,tun_id=0x101,ipv6_src=2001:db8:45:2::/64 "
              "meter:16,goto_table:10",
              "table=2 priority=63488 ipv6,tun_id=0x101,ipv6_dst=fe00::/7 meter:2,CONTROLLER:65535",
              "table=1 priority=60930 ipv6,in_port=1,ipv6_dst=2001:db8:45:2::/64 "
              "meter:17,set_field:0x101->tun_id,goto_table:2"));
    /* Both, at another exit, without meters, and the S-GW elsewhere. */
    w.view.has_meters = false;
    pgw_sample(&p, "10.46.0.2", "2001:db8:46:2::", 0x77, "10.0.0.7");
    p.apn = TEXT("ims");
    become(
        establish(&p.request),
        LINES("table=2 priority=60930 ip,tun_id=0x102,ip_src=10.46.0.2 goto_table:11",
              "table=2 priority=60930 ipv6,tun_id=0x102,ipv6_src=2001:db8:46:2::/64 goto_table:11",
              "table=2 priority=63488 ipv6,tun_id=0x102,ipv6_dst=fe00::/7 CONTROLLER:65535",
              "table=1 priority=60930 ip,in_port=4,ip_dst=10.46.0.2 "
              "set_field:0x77->tun_id,set_field:10.0.0.7->tun_dst,output:2",
              "table=1 priority=60930 ipv6,in_port=4,ipv6_dst=2001:db8:46:2::/64 "
              "set_field:0x77->tun_id,set_field:10.0.0.7->tun_dst,output:2"));
}

/* Without the interface's type a P-GW cannot be told from an S-GW and P-GW in one: both tables. */
static void a_gateway_that_does_not_tell(void **state)
{
    struct pgw_sample p;

    (void)state;
    pgw_sample(&p, "10.45.0.2", NULL, 0xe1, "192.0.2.1");
    p.pdrs[0].pdi.interface_type = NULL;
    become(establish(&p.request),
           LINES("table=0 priority=60930 ip,in_port=2,tun_id=0x100,ip_src=10.45.0.2 "
                 "meter:16,goto_table:10",
                 "table=2 priority=60930 ip,tun_id=0x100,ip_src=10.45.0.2 meter:16,goto_table:10",
                 "table=1 priority=60930 ip,in_port=1,ip_dst=10.45.0.2 "
                 "meter:17,set_field:0xe1->tun_id,set_field:192.0.2.1->tun_dst,output:2"));
}

static void gates_and_rates(void **state)
{
    struct pgw_sample p;

    (void)state;
    pgw_sample(&p, "10.45.0.2", NULL, 0x101, "10.0.0.1");
    p.qer.gate_status.uplink_closed = true;
    p.rates.downlink_kbps = 0; /* nothing may pass */
    become(establish(&p.request),
           LINES("table=2 priority=60930 ip,tun_id=0x100,ip_src=10.45.0.2 drop",
                 "table=1 priority=60930 ip,in_port=1,ip_dst=10.45.0.2 drop"));
    /* Of two QERs the stricter counts, each way. */
    pgw_sample(&p, "10.45.0.2", NULL, 0x101, "10.0.0.1");
    struct pfcp_bit_rates other = {60000, 90000};
    struct pfcp_create_qer qers[] = {p.qer, {.qer_id = 2, .maximum_bit_rate = &other}};
    uint32_t ids[] = {1, 2};
    p.request.create_qer.at = qers;
    p.request.create_qer.count = 2;
    for (unsigned i = 0; i < 2; i++) {
        p.pdrs[i].qer_id.at = ids;
        p.pdrs[i].qer_id.count = 2;
    }
    become(establish(&p.request),
           LINES("table=2 priority=60930 ip,tun_id=0x101,ip_src=10.45.0.2 meter:16,goto_table:10",
                 "table=1 priority=60930 ip,in_port=1,ip_dst=10.45.0.2 "
                 "meter:19,set_field:0x101->tun_id,goto_table:2"));
}

static void filters(void **state)
{
    struct pgw_sample p;
    struct pfcp_sdf_filter list[] = {
        {.has_flow_description = true,
         .flow_description = TEXT("permit out 17 from 192.0.2.0/24 5060 to assigned 1000-1003")},
        {.has_flow_description = true,
         .flow_description =
             TEXT("permit out ip from 2001:db8::1 to any")}, /* not of this phone's version */
        {.has_flow_description = true,
         .flow_description = TEXT("permit out 6 from any to 10.45.0.99")}, /* another phone */
        {.has_tos_traffic_class = true, .tos_traffic_class = 0xb8fc}};

    (void)state;
    pgw_sample(&p, "10.45.0.2", NULL, 0x101, "10.0.0.1");
    for (unsigned i = 0; i < 2; i++) {
        p.pdrs[i].pdi.sdf_filter.at = list;
        p.pdrs[i].pdi.sdf_filter.count = 4;
        p.pdrs[i].precedence = 10;
    }
    p.request.create_qer.count = 0;
    p.pdrs[0].qer_id.count = p.pdrs[1].qer_id.count = 0;
    become(
        establish(&p.request),
        LINES("table=2 priority=61420 "
              "udp,tun_id=0x100,ip_src=10.45.0.2,ip_dst=192.0.2.0/24,udp_src=1000/"
              "0xfffc,udp_dst=5060 goto_table:10",
              "table=2 priority=61420 ip,tun_id=0x100,ip_dscp=46,ip_src=10.45.0.2 goto_table:10",
              "table=1 priority=61420 "
              "udp,in_port=1,ip_src=192.0.2.0/24,ip_dst=10.45.0.2,udp_src=5060,udp_dst=1000/0xfffc "
              "set_field:0x101->tun_id,goto_table:2",
              "table=1 priority=61420 ip,in_port=1,ip_dscp=46,ip_dst=10.45.0.2 "
              "set_field:0x101->tun_id,goto_table:2"));
}

static void too_many_flows_are_said(void **state)
{
    struct pgw_sample p;
    struct pfcp_sdf_filter wide = {.has_flow_description = true,
                                   .flow_description =
                                       TEXT("permit out 17 from any 1-65534 to any 1-65534")};

    (void)state;
    pgw_sample(&p, "10.45.0.2", NULL, 0x101, "10.0.0.1");
    p.pdrs[1].pdi.sdf_filter.at = &wide;
    p.pdrs[1].pdi.sdf_filter.count = 1;
    struct up_refusal why;
    struct up_rules *rules = up_rules_establish(&w.env, &p.request, 0, &why);
    if (rules) {
        assert_int_equal(up_flows_of(&w.env, &w.view, rules, flows), -E2BIG);
        up_rules_free(&w.env, rules, NULL);
    }
}

static void precedence_orders_and_ends(void **state)
{
    static const uint32_t precedences[] = {0, 1, 255, 0x6fff, 0x7000, 0x7001, UINT32_MAX};
    uint16_t last = UINT16_MAX;

    (void)state;
    for (unsigned i = 0; i < sizeof(precedences) / sizeof(precedences[0]); i++) {
        struct sgw_sample s;
        sgw_sample(&s, 0x55, "10.0.0.1");
        s.pdrs[0].precedence = precedences[i];
        struct up_rules *rules = establish(&s.request);
        assert_int_equal(up_flows_of(&w.env, &w.view, rules, flows), 2);
        assert_true(flows[0].match.priority < last || precedences[i] > 0x7000);
        assert_in_range(flows[0].match.priority, UP_PRIORITY_LAST, UP_PRIORITY_FIRST);
        last = flows[0].match.priority;
        struct up_match clamp = up_clamp_of(&flows[0].match);
        assert_int_equal(clamp.priority, last + 1);
        up_rules_free(&w.env, rules, NULL);
    }
}

/* ---- differences ---- */

static char said[1024];

static void say(void *context, const char *what, const struct up_flow *flow)
{
    char line[512];
    struct text t = text_in(line, sizeof(line));

    assert_ptr_equal(context, said);
    up_flow_print(&w.view, &t, flow);
    strcat(said, what);
    strcat(said, line);
    strcat(said, "\n");
}

static void put(void *context, const struct up_flow *flow)
{
    say(context, "+", flow);
}

static void take(void *context, const struct up_flow *flow)
{
    say(context, "-", flow);
}

static void compare(const struct up_rules *from, const struct up_rules *to, const char *expected)
{
    static struct up_flow before[UP_MAX_FLOWS], after[UP_MAX_FLOWS];
    int b = up_flows_of(&w.env, &w.view, from, before), a = up_flows_of(&w.env, &w.view, to, after);

    said[0] = '\0';
    up_flows_difference(before, b, after, a, put, take, said);
    assert_string_equal(said, expected);
}

static void only_what_changes_is_said(void **state)
{
    struct sgw_sample s;
    struct sgw_change c;
    struct up_orders orders;
    struct up_refusal why;
    struct up_rules *old = establish(sgw_sample(&s, 0x55, "10.0.0.1"));
    struct up_rules *now =
        up_rules_modify(&w.env, old, sgw_connects(&c, 0xe1, "192.0.2.1", false), 0, &orders, &why);

    (void)state;
    compare(old, old, "");
    compare(old, now,
            "+table=2 priority=60930 tun_id=0x101 "
            "set_field:0xe1->tun_id,set_field:192.0.2.1->tun_dst,output:2\n");
    compare(now, old, "+table=2 priority=60930 tun_id=0x101 meter:1,CONTROLLER:65535\n");
    compare(NULL, old,
            "+table=0 priority=60930 in_port=2,tun_id=0x100 set_field:0x55->tun_id,goto_table:2\n"
            "+table=2 priority=60930 tun_id=0x101 meter:1,CONTROLLER:65535\n");
    up_rules_free(&w.env, old, now);
    /* Another precedence is another flow: put before the old one is taken, so that no packet falls
     * between. */
    struct pfcp_update_pdr update = {.pdr_id = 1, .precedence = AT(uint32_t, 100)};
    struct pfcp_session_modification_request m = {.update_pdr = {&update, 1}};
    old = up_rules_modify(&w.env, now, &m, 0, &orders, &why);
    compare(now, old,
            "+table=0 priority=61240 in_port=2,tun_id=0x100 set_field:0x55->tun_id,goto_table:2\n"
            "-table=0 priority=60930 in_port=2,tun_id=0x100 set_field:0x55->tun_id,goto_table:2\n");
    up_rules_free(&w.env, now, old);
    up_rules_free(&w.env, old, NULL);
}

static void put_meter(void *context, uint32_t meter, uint32_t kbps, bool is_new)
{
    sprintf(context + strlen(context), "%c%u:%u ", is_new ? '+' : '=', meter, kbps);
}

static void take_meter(void *context, uint32_t meter)
{
    sprintf(context + strlen(context), "-%u ", meter);
}

static void meters_differ_by_rate(void **state)
{
    struct pgw_sample p;
    struct up_orders orders;
    struct up_refusal why;
    struct up_rules *old = establish(pgw_sample(&p, "10.45.0.2", NULL, 0x101, "10.0.0.1"));
    struct pfcp_bit_rates rates = {50000, 7};
    struct pfcp_update_qer update = {.qer_id = 1, .maximum_bit_rate = &rates};
    struct pfcp_session_modification_request m = {.update_qer = {&update, 1}};
    struct up_rules *now = up_rules_modify(&w.env, old, &m, 0, &orders, &why);
    char text[128] = "";

    (void)state;
    up_meters_difference(NULL, old, put_meter, take_meter, text);
    up_meters_difference(old, now, put_meter, take_meter, text);
    up_meters_difference(now, NULL, put_meter, take_meter, text);
    assert_string_equal(text, "+16:50000 +17:100000 =17:7 -16 -17 ");
    up_rules_free(&w.env, old, now);
    up_rules_free(&w.env, now, NULL);
}

/* ---- on the wire and back ---- */

static void a_flow_is_recognised_when_a_switch_reports_it(void **state)
{
    struct pgw_sample p;
    struct up_rules *rules =
        establish(pgw_sample(&p, "10.45.0.2", "2001:db8:45:2::", 0x101, "10.0.0.1"));
    int n = up_flows_of(&w.env, &w.view, rules, flows);
    uint8_t wire[1024];
    struct arena arena;

    (void)state;
    arena_init(&arena, 65536);
    for (int i = 0; i < n; i++) {
        struct of_message m = {.type = OFPT_FLOW_MOD}, got;
        struct up_flow_space space;
        struct writer out = writer_of(wire, sizeof(wire));
        of_error why;
        up_flow_mod(&w.view, &flows[i], OFPFC_ADD, up_cookie(3, UP_COOKIE_SESSION, 77), &m.flow_mod,
                    &space);
        of_encode(&out, &m);
        assert_int_equal(of_decode(&got, wr_view(&out), &arena, &why), 0);
        assert_int_equal(UP_COOKIE_APPLICATION(got.flow_mod.cookie), UP_APPLICATION);
        assert_int_equal(UP_COOKIE_EPOCH(got.flow_mod.cookie), 3);
        assert_int_equal(UP_COOKIE_KIND(got.flow_mod.cookie), UP_COOKIE_SESSION);
        assert_int_equal(UP_COOKIE_NUMBER(got.flow_mod.cookie), 77);
        for (int j = 0; j < n; j++)
            assert_int_equal(up_flow_is(&flows[j], got.flow_mod.table_id, got.flow_mod.priority,
                                        &got.flow_mod.match),
                             i == j);
        assert_true(up_flow_does(&w.view, &flows[i], &got.flow_mod.instructions));
        struct up_flow other = flows[i];
        other.action.meter = 999;
        assert_false(up_flow_does(&w.view, &other, &got.flow_mod.instructions));
    }
    arena_free(&arena);
    up_rules_free(&w.env, rules, NULL);
}

static void a_deletion_has_no_instructions(void **state)
{
    struct sgw_sample s;
    struct up_rules *rules = establish(sgw_sample(&s, 0x55, "10.0.0.1"));
    struct of_flow_mod mod;
    struct up_flow_space space;

    (void)state;
    up_flows_of(&w.env, &w.view, rules, flows);
    up_flow_mod(&w.view, &flows[0], OFPFC_DELETE_STRICT, 0, &mod, &space);
    assert_int_equal(mod.instructions.count, 0);
    assert_int_equal(mod.command, OFPFC_DELETE_STRICT);
    assert_int_equal(mod.out_port, OFPP_ANY);
    up_rules_free(&w.env, rules, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_s_gw),
        TEST(an_s_gw_with_a_connected_phone),
        TEST(a_p_gw),
        TEST(a_gateway_that_does_not_tell),
        TEST(gates_and_rates),
        TEST(filters),
        TEST(too_many_flows_are_said),
        TEST(precedence_orders_and_ends),
        TEST(only_what_changes_is_said),
        TEST(meters_differ_by_rate),
        TEST(a_flow_is_recognised_when_a_switch_reports_it),
        TEST(a_deletion_has_no_instructions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
