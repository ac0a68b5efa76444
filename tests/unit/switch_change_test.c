/*
 * switch_change_test.c -- flow, group, meter and port mods: what each does, the exact error of what
 * may not be, and that a transaction that is rolled back leaves nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "switch_frames.h"
#include "base/loop.h"
#include "switch/change.h"

static struct datapath dp;
static struct port *port1;
static const struct port_driver driver = {.name = "nothing"};
static struct {
    uint64_t cookie;
    uint8_t reason;
    size_t count;
} removed;
static size_t port_changes;

static void hear_removed(const struct flow *flow, uint8_t reason)
{
    removed.cookie = flow->cookie;
    removed.reason = reason;
    removed.count++;
}

static void hear_port(struct port *port)
{
    (void)port;
    port_changes++;
}

static const struct change_listener listener = {hear_removed, hear_port};

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, 0), 0);
    change_listen(&listener);
    change_set_limits(4, 4);
    memset(&removed, 0, sizeof(removed));
    port1 = port_new(&dp, &driver, NULL, 1);
    assert_non_null(port1);
    port_publish(port1);
    port_changes = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    change_remove_all_flows(&dp);
    datapath_free(&dp);
    loop_free();
    return 0;
}

static struct of_flow_mod flow_mod(uint8_t command, uint8_t table, uint16_t priority,
                                   const char *match)
{
    struct of_flow_mod mod = {.command = command,
                              .table_id = table,
                              .priority = priority,
                              .buffer_id = OFP_NO_BUFFER,
                              .out_port = OFPP_ANY,
                              .out_group = OFPG_ANY};
    const char *bad = "";

    assert_int_equal(of_parse_match(&mod.match, match, strlen(match), &bad), 0);
    return mod;
}

static of_error finish(struct transaction *t, of_error error)
{
    if (error)
        change_rollback(t);
    else
        change_commit(t);
    change_settle();
    return error;
}

static of_error apply(const struct of_flow_mod *mod)
{
    struct transaction t;

    change_begin(&t, &dp);
    return finish(&t, change_flow_mod(&t, mod));
}

static of_error apply_group(const struct of_group_mod *mod)
{
    struct transaction t;

    change_begin(&t, &dp);
    return finish(&t, change_group_mod(&t, mod));
}

static of_error apply_meter(const struct of_meter_mod *mod)
{
    struct transaction t;

    change_begin(&t, &dp);
    return finish(&t, change_meter_mod(&t, mod));
}

/* A flow that applies these actions. */
static of_error add_flow(uint8_t table, uint16_t priority, const char *match, uint64_t cookie,
                         struct of_action *actions, size_t count)
{
    struct of_flow_mod mod = flow_mod(OFPFC_ADD, table, priority, match);
    struct of_instruction in = {.type = OFPIT_APPLY_ACTIONS, .actions = {actions, count}};

    mod.cookie = cookie;
    mod.flags = OFPFF_SEND_FLOW_REM;
    mod.instructions.at = &in;
    mod.instructions.count = 1;
    return apply(&mod);
}

#define ADD(table, priority, match, cookie, ...)                                \
    add_flow(table, priority, match, cookie, (struct of_action[]){__VA_ARGS__}, \
             sizeof((struct of_action[]){__VA_ARGS__}) / sizeof(struct of_action))

static struct flow *find(uint8_t table, uint16_t priority, const char *match)
{
    struct of_flow_mod mod = flow_mod(OFPFC_ADD, table, priority, match);

    return table_find(&dp.tables, table, priority, &mod.match);
}

static void count(const struct flow *flow, unsigned packets)
{
    while (packets--)
        counter_count(dp.workers[0]->counters, flow->rule->counter, 60);
}

static uint64_t counted(const struct flow *flow)
{
    return flow_count(&dp.tables, flow).packets;
}

static void add_replaces_and_keeps_counters(void **state)
{
    struct of_flow_mod mod = flow_mod(OFPFC_ADD, 0, 5, "in_port=1");

    (void)state;
    assert_int_equal(ADD(0, 5, "in_port=1", 7, of_output(2)), 0);
    count(find(0, 5, "in_port=1"), 10);
    mod.cookie = 8;
    assert_int_equal(apply(&mod), 0);
    assert_int_equal(counted(find(0, 5, "in_port=1")), 10);
    assert_int_equal(find(0, 5, "in_port=1")->cookie, 8);
    assert_int_equal(removed.count, 0); /* nobody is told of a replacement */
    mod.flags = OFPFF_RESET_COUNTS;
    assert_int_equal(apply(&mod), 0);
    assert_int_equal(counted(find(0, 5, "in_port=1")), 0);
    mod.flags = OFPFF_CHECK_OVERLAP;
    mod.match.fields = 0;
    memset(&mod.match, 0, sizeof(mod.match));
    assert_int_equal(apply(&mod), OFPFMFC_OVERLAP);
    mod.priority = 6;
    assert_int_equal(apply(&mod), 0);
    assert_int_equal(dp.tables.flow_count, 2);
}

static void modify_changes_instructions_alone(void **state)
{
    struct of_action output = of_output(9);
    struct of_instruction in = {.type = OFPIT_APPLY_ACTIONS, .actions = {&output, 1}};
    struct of_flow_mod mod = flow_mod(OFPFC_MODIFY, 0, 0, "in_port=1");

    (void)state;
    ADD(0, 5, "in_port=1,tun_id=1", 1, of_output(2));
    ADD(0, 6, "in_port=1,tun_id=2", 2, of_output(2));
    ADD(0, 6, "in_port=2,tun_id=2", 2, of_output(2));
    count(find(0, 5, "in_port=1,tun_id=1"), 3);
    mod.instructions.at = &in;
    mod.instructions.count = 1;
    mod.cookie = 77;
    assert_int_equal(apply(&mod), 0);
    assert_true(flow_outputs_to(find(0, 5, "in_port=1,tun_id=1"), 9, OFPG_ANY));
    assert_true(flow_outputs_to(find(0, 6, "in_port=1,tun_id=2"), 9, OFPG_ANY));
    assert_true(flow_outputs_to(find(0, 6, "in_port=2,tun_id=2"), 2, OFPG_ANY));
    assert_int_equal(counted(find(0, 5, "in_port=1,tun_id=1")), 3);
    assert_int_equal(find(0, 5, "in_port=1,tun_id=1")->cookie, 1);
    output = of_output(10);
    mod.cookie = 2;
    mod.cookie_mask = UINT64_MAX;
    assert_int_equal(apply(&mod), 0);
    assert_true(flow_outputs_to(find(0, 5, "in_port=1,tun_id=1"), 9, OFPG_ANY));
    assert_true(flow_outputs_to(find(0, 6, "in_port=1,tun_id=2"), 10, OFPG_ANY));
    mod = flow_mod(OFPFC_MODIFY_STRICT, 0, 7,
                   "in_port=1,tun_id=2"); /* not this priority: nothing happens */
    assert_int_equal(apply(&mod), 0);
    assert_true(flow_outputs_to(find(0, 6, "in_port=1,tun_id=2"), 10, OFPG_ANY));
    assert_int_equal(dp.tables.flow_count, 3);
}

static void delete_takes_what_it_says(void **state)
{
    struct of_flow_mod mod;

    (void)state;
    ADD(0, 5, "in_port=1,tun_id=1", 1, of_output(2));
    ADD(0, 5, "in_port=1,tun_id=2", 2, of_output(3));
    ADD(1, 5, "in_port=1", 3, of_output(3));
    ADD(1, 4, "in_port=1", 4, of_output(4));
    mod = flow_mod(OFPFC_DELETE_STRICT, 1, 4, "in_port=1");
    assert_int_equal(apply(&mod), 0);
    assert_int_equal(removed.count, 1);
    assert_int_equal(removed.cookie, 4);
    assert_int_equal(removed.reason, OFPRR_DELETE);
    mod = flow_mod(OFPFC_DELETE, OFPTT_ALL, 0, "");
    mod.out_port = 3;
    assert_int_equal(apply(&mod), 0);
    assert_int_equal(removed.count, 3);
    assert_non_null(find(0, 5, "in_port=1,tun_id=1"));
    mod = flow_mod(OFPFC_DELETE, 0, 0, "");
    mod.cookie = 9;
    mod.cookie_mask = UINT64_MAX;
    assert_int_equal(apply(&mod), 0);
    assert_int_equal(dp.tables.flow_count, 1);
    mod.cookie = 1;
    assert_int_equal(apply(&mod), 0);
    assert_int_equal(dp.tables.flow_count, 0);
}

static void what_may_not_be_has_its_error(void **state)
{
    struct of_instruction in;
    struct of_flow_mod mod;

    (void)state;
    mod = flow_mod(5, 0, 0, "");
    assert_int_equal(apply(&mod), OFPFMFC_BAD_COMMAND);
    mod = flow_mod(OFPFC_ADD, OFPTT_ALL, 0, "");
    assert_int_equal(apply(&mod), OFPFMFC_BAD_TABLE_ID);
    mod = flow_mod(OFPFC_ADD, 0, 0, "");
    mod.flags = 0x8000;
    assert_int_equal(apply(&mod), OFPFMFC_BAD_FLAGS);
    mod.flags = 0;
    mod.buffer_id = 1;
    assert_int_equal(apply(&mod), OFPBRC_BUFFER_UNKNOWN);
    mod.buffer_id = OFP_NO_BUFFER;
    mod.instructions.at = &in;
    mod.instructions.count = 1;
    in = (struct of_instruction){.type = OFPIT_GOTO_TABLE, .table_id = 0};
    assert_int_equal(apply(&mod), OFPBIC_BAD_TABLE_ID);
    in.table_id = 255;
    assert_int_equal(apply(&mod), OFPBIC_BAD_TABLE_ID);
    in = (struct of_instruction){.type = OFPIT_METER, .meter_id = 3};
    assert_int_equal(apply(&mod), OFPMMFC_UNKNOWN_METER);
    assert_int_equal(ADD(0, 0, "", 0, of_output(0)), OFPBAC_BAD_OUT_PORT);
    assert_int_equal(ADD(0, 0, "", 0, of_output(OFPP_TABLE)), OFPBAC_BAD_OUT_PORT);
    assert_int_equal(ADD(0, 0, "", 0, of_output(OFPP_ANY)), OFPBAC_BAD_OUT_PORT);
    assert_int_equal(ADD(0, 0, "", 0, of_to_group(1)), OFPBAC_BAD_OUT_GROUP);
    assert_int_equal(ADD(0, 0, "", 0, {.type = OFPAT_PUSH_VLAN, .ethertype = 0x0800}),
                     OFPBAC_BAD_ARGUMENT);
    assert_int_equal(ADD(0, 0, "", 0, {.type = OFPAT_DEC_NW_TTL}), OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(ADD(0, 0, "", 0, of_set_field(OF_IPV4_DST, 1)), OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(ADD(0, 0, "ip", 0, of_set_field(OF_TCP_DST, 1)), OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(ADD(0, 0, "ip", 0, of_set_field(OF_VLAN_VID, 0x1001)),
                     OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(ADD(0, 0, "dl_vlan=1", 0, of_set_field(OF_VLAN_VID, 1)),
                     OFPBAC_BAD_SET_ARGUMENT);
    assert_int_equal(ADD(0, 0, "", 0, {.type = OFPAT_POP_VLAN}), OFPBAC_MATCH_INCONSISTENT);
    assert_int_equal(dp.tables.flow_count, 0);
    /* One action makes the next one possible. */
    assert_int_equal(ADD(0, 0, "ip", 0, {.type = OFPAT_PUSH_VLAN, .ethertype = 0x8100},
                         of_set_field(OF_VLAN_VID, 0x1001)),
                     0);
    assert_int_equal(ADD(0, 1, "ip", 0, {.type = OFPAT_PUSH_MPLS, .ethertype = 0x8847},
                         of_set_field(OF_MPLS_LABEL, 1)),
                     0);
    assert_int_equal(ADD(0, 2, "ip", 0, {.type = OFPAT_PUSH_MPLS, .ethertype = 0x8847},
                         {.type = OFPAT_DEC_NW_TTL}),
                     OFPBAC_MATCH_INCONSISTENT);
}

static void a_full_table_says_so(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 101; i++) {
        char match[32];

        snprintf(match, sizeof(match), "tun_id=%u", i);
        assert_int_equal(ADD(0, 1, match, i, of_output(1)), i < 100 ? 0 : OFPFMFC_TABLE_FULL);
    }
    assert_int_equal(ADD(0, 1, "tun_id=5", 1, of_output(2)), 0); /* a replacement needs no room */
    assert_int_equal(dp.tables.flow_count, 100);
}

static void groups_take_their_flows_along(void **state)
{
    struct of_action output = of_output(1);
    struct of_bucket bucket = {0, OFPP_ANY, OFPG_ANY, {&output, 1}};
    struct of_group_mod mod = {OFPGC_ADD, OFPGT_INDIRECT, 5, {&bucket, 1}};

    (void)state;
    assert_int_equal(apply_group(&mod), 0);
    assert_int_equal(apply_group(&mod), OFPGMFC_GROUP_EXISTS);
    assert_int_equal(ADD(0, 1, "", 42, of_to_group(5)), 0);
    assert_int_equal(datapath_group(&dp, 5)->refs, 1);
    mod.command = OFPGC_MODIFY;
    assert_int_equal(apply_group(&mod), 0);
    assert_int_equal(datapath_group(&dp, 5)->refs, 1);
    mod.command = OFPGC_DELETE;
    assert_int_equal(apply_group(&mod), 0);
    assert_int_equal(dp.tables.flow_count, 0);
    assert_int_equal(removed.reason, OFPRR_GROUP_DELETE);
    assert_int_equal(removed.cookie, 42);
    assert_int_equal(apply_group(&mod), 0); /* what is not there is no error */
    mod.command = OFPGC_MODIFY;
    assert_int_equal(apply_group(&mod), OFPGMFC_UNKNOWN_GROUP);
}

static void groups_that_may_not_be_have_their_error(void **state)
{
    struct of_action output = of_output(1);
    struct of_bucket buckets[] = {{0, OFPP_ANY, OFPG_ANY, {&output, 1}},
                                  {0, OFPP_ANY, OFPG_ANY, {&output, 1}}};
    struct of_group_mod mod = {OFPGC_ADD, OFPGT_INDIRECT, 5, {buckets, 2}};

    (void)state;
    assert_int_equal(apply_group(&mod), OFPGMFC_INVALID_GROUP);
    mod.type = 9;
    assert_int_equal(apply_group(&mod), OFPGMFC_BAD_TYPE);
    mod.type = OFPGT_FF;
    assert_int_equal(apply_group(&mod), OFPGMFC_INVALID_GROUP);
    buckets[0].watch_port = buckets[1].watch_port = 3;
    assert_int_equal(apply_group(&mod), OFPGMFC_BAD_WATCH);
    buckets[0].watch_port = buckets[1].watch_port = 1;
    assert_int_equal(apply_group(&mod), 0);
    mod.group_id = OFPG_ALL;
    assert_int_equal(apply_group(&mod), OFPGMFC_INVALID_GROUP);
    mod.command = 7;
    assert_int_equal(apply_group(&mod), OFPGMFC_BAD_COMMAND);
    mod.command = OFPGC_ADD;
    for (mod.group_id = 10; mod.group_id < 13; mod.group_id++)
        assert_int_equal(apply_group(&mod), 0);
    assert_int_equal(apply_group(&mod), OFPGMFC_OUT_OF_GROUPS);
    mod.group_id = 10;
    mod.type = OFPGT_ALL;
    mod.command = OFPGC_MODIFY;
    buckets[0].weight = 1;
    assert_int_equal(apply_group(&mod), OFPGMFC_INVALID_GROUP);
    buckets[0].weight = 0;
    output = of_to_group(11);
    assert_int_equal(apply_group(&mod), 0);
    mod = (struct of_group_mod){.command = OFPGC_DELETE, .group_id = 11};
    assert_int_equal(apply_group(&mod), OFPGMFC_CHAINED_GROUP);
    mod.group_id = OFPG_ALL;
    assert_int_equal(apply_group(&mod), 0);
    assert_int_equal(dp.groups.count, 0);
}

static void meters_have_their_rules(void **state)
{
    struct of_meter_band band = {OFPMBT_DROP, 10, 0, 0};
    struct of_meter_mod mod = {OFPMC_ADD, OFPMF_KBPS, 0, {&band, 1}};
    struct of_flow_mod flow = flow_mod(OFPFC_ADD, 0, 1, "");
    struct of_instruction in = {.type = OFPIT_METER, .meter_id = 1};

    (void)state;
    assert_int_equal(apply_meter(&mod), OFPMMFC_INVALID_METER);
    mod.meter_id = 1;
    mod.flags = OFPMF_KBPS | OFPMF_PKTPS;
    assert_int_equal(apply_meter(&mod), OFPMMFC_BAD_FLAGS);
    mod.flags = OFPMF_KBPS | OFPMF_BURST;
    assert_int_equal(apply_meter(&mod), OFPMMFC_BAD_BURST);
    mod.flags = OFPMF_KBPS;
    band.type = 7;
    assert_int_equal(apply_meter(&mod), OFPMMFC_BAD_BAND);
    band.type = OFPMBT_DROP;
    band.rate = 0;
    assert_int_equal(apply_meter(&mod), OFPMMFC_BAD_RATE);
    band.rate = 10;
    assert_int_equal(apply_meter(&mod), 0);
    assert_int_equal(apply_meter(&mod), OFPMMFC_METER_EXISTS);
    flow.instructions.at = &in;
    flow.instructions.count = 1;
    flow.flags = OFPFF_SEND_FLOW_REM;
    assert_int_equal(apply(&flow), 0);
    assert_int_equal(datapath_meter(&dp, 1)->refs, 1);
    mod.command = OFPMC_DELETE;
    mod.meter_id = OFPM_ALL;
    assert_int_equal(apply_meter(&mod), 0);
    assert_int_equal(removed.reason, OFPRR_METER_DELETE);
    assert_int_equal(dp.tables.flow_count, 0);
    mod.command = OFPMC_MODIFY;
    mod.meter_id = 1;
    assert_int_equal(apply_meter(&mod), OFPMMFC_UNKNOWN_METER);
}

static void port_mods_are_checked_and_told(void **state)
{
    struct of_port_mod mod = {.port_no = 2, .config = OFPPC_NO_FWD, .mask = OFPPC_NO_FWD};
    struct transaction t;

    (void)state;
    change_begin(&t, &dp);
    assert_int_equal(change_port_mod(&t, &mod), OFPPMFC_BAD_PORT);
    mod.port_no = 1;
    mod.hw_addr[0] = 1;
    assert_int_equal(change_port_mod(&t, &mod), OFPPMFC_BAD_HW_ADDR);
    mod.hw_addr[0] = 0;
    assert_int_equal(change_port_mod(&t, &mod), 0);
    assert_int_equal(port1->wanted_config, OFPPC_NO_FWD);
    assert_int_equal(port1->ofp_config, 0); /* workers do not see it yet */
    change_rollback(&t);
    assert_int_equal(port1->wanted_config, 0);
    assert_int_equal(port_changes, 0);
    change_begin(&t, &dp);
    assert_int_equal(change_port_mod(&t, &mod), 0);
    change_commit(&t);
    assert_int_equal(port_changes, 1);
    assert_int_equal(port1->ofp_config, OFPPC_NO_FWD);
}

/* All there is to know of the data path's rules, as a number. */
static int sum_flow(struct flow *flow, void *context)
{
    uint64_t *sum = context;

    *sum += (flow->cookie * 31 + flow_priority(flow) * 7u + flow->table_id * 3u + counted(flow)) *
                1000003 +
            (uintptr_t)flow % 1000007;
    return 0;
}

static uint64_t fingerprint(void)
{
    static const struct of_match everything;
    struct flow_filter filter = {OFPTT_ALL, &everything, 0, 0, OFPP_ANY, OFPG_ANY};
    uint64_t sum = dp.tables.flow_count;
    size_t at = 0;
    uint64_t key, value;

    (void)tables_each(&dp.tables, &filter, sum_flow, &sum);
    while (map_next(&dp.groups, &at, &key, &value))
        sum += key * 17 + value + ((struct group *)(uintptr_t)value)->refs;
    for (at = 0; map_next(&dp.meters, &at, &key, &value);)
        sum += key * 19 + value + ((struct meter *)(uintptr_t)value)->refs;
    return sum;
}

static void a_rollback_leaves_no_trace(void **state)
{
    struct of_action output = of_output(1), to_group = of_to_group(5), to_six = of_to_group(6);
    struct of_bucket bucket = {0, OFPP_ANY, OFPG_ANY, {&output, 1}};
    struct of_group_mod five = {OFPGC_ADD, OFPGT_INDIRECT, 5, {&bucket, 1}};
    struct of_group_mod six = {OFPGC_ADD, OFPGT_INDIRECT, 6, {&bucket, 1}};
    struct of_meter_band band = {OFPMBT_DROP, 10, 0, 0};
    struct of_meter_mod meter = {OFPMC_ADD, OFPMF_KBPS, 1, {&band, 1}};
    struct of_instruction in = {.type = OFPIT_APPLY_ACTIONS, .actions = {&to_six, 1}};
    struct of_flow_mod mod;
    struct transaction t;
    uint64_t before;

    (void)state;
    assert_int_equal(apply_group(&five), 0);
    ADD(0, 1, "in_port=1", 1, to_group);
    ADD(0, 1, "in_port=2", 2, of_output(3));
    ADD(3, 1, "tun_id=5", 3, of_output(3));
    count(find(0, 1, "in_port=2"), 99);
    before = fingerprint();

    change_begin(&t, &dp);
    assert_int_equal(change_group_mod(&t, &six), 0);
    assert_int_equal(change_meter_mod(&t, &meter), 0);
    mod = flow_mod(OFPFC_ADD, 0, 1, "in_port=2"); /* replaces */
    mod.instructions.at = &in;
    mod.instructions.count = 1;
    mod.flags = OFPFF_RESET_COUNTS;
    mod.hard_timeout = 1;
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    mod = flow_mod(OFPFC_MODIFY, 0, 0, "");
    mod.instructions.at = &in;
    mod.instructions.count = 1;
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    five.command = OFPGC_DELETE;
    assert_int_equal(change_group_mod(&t, &five), 0);
    mod = flow_mod(OFPFC_ADD, 7, 1, "arp");
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    mod = flow_mod(OFPFC_DELETE, OFPTT_ALL, 0, "");
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    assert_int_equal(dp.tables.flow_count, 0);
    change_rollback(&t);
    change_settle();

    assert_int_equal(fingerprint(), before);
    assert_int_equal(removed.count, 0);
    assert_int_equal(counted(find(0, 1, "in_port=2")), 99);
    assert_int_equal(dp.tables.table[7].tuple_count, 0);
    loop_run_for(1200); /* the timeout of what was rolled back is gone */
    assert_int_equal(fingerprint(), before);
}

static void timeouts_end_flows(void **state)
{
    struct of_flow_mod mod = flow_mod(OFPFC_ADD, 0, 1, "in_port=1");

    (void)state;
    mod.flags = OFPFF_SEND_FLOW_REM;
    mod.hard_timeout = 1;
    mod.cookie = 1;
    assert_int_equal(apply(&mod), 0);
    mod = flow_mod(OFPFC_ADD, 0, 1, "in_port=2");
    mod.flags = OFPFF_SEND_FLOW_REM;
    mod.idle_timeout = 1;
    mod.cookie = 2;
    assert_int_equal(apply(&mod), 0);
    loop_run_for(600);
    flow_note_use(find(0, 1, "in_port=2")->rule, clock_now_us()); /* a packet came */
    loop_run_for(700);
    change_settle();
    assert_int_equal(removed.count, 1);
    assert_int_equal(removed.cookie, 1);
    assert_int_equal(removed.reason, OFPRR_HARD_TIMEOUT);
    loop_run_for(500);
    change_settle();
    assert_int_equal(removed.count, 2);
    assert_int_equal(removed.reason, OFPRR_IDLE_TIMEOUT);
    assert_int_equal(dp.tables.flow_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(add_replaces_and_keeps_counters),
        TEST(modify_changes_instructions_alone),
        TEST(delete_takes_what_it_says),
        TEST(what_may_not_be_has_its_error),
        TEST(a_full_table_says_so),
        TEST(groups_take_their_flows_along),
        TEST(groups_that_may_not_be_have_their_error),
        TEST(meters_have_their_rules),
        TEST(port_mods_are_checked_and_told),
        TEST(a_rollback_leaves_no_trace),
        TEST(timeouts_end_flows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
