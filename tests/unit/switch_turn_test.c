/*
 * switch_turn_test.c -- what may meet in one turn of the loop: several changes of one thing before
 * what they replace is reclaimed; transactions that are taken back; groups that multiply.
 */
#include <stdlib.h>
#include <time.h>

#include "switch_frames.h"
#include "base/loop.h"
#include "switch/change.h"

static struct datapath dp;
static struct port *ports[3];
static size_t sent;

static void count_sent(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    sent += count;
    packets_free(packets, count);
}

static const struct port_driver driver = {.name = "counts", .send = count_sent};

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, 0), 0);
    change_listen(NULL);
    change_set_limits(64, 64);
    for (uint32_t i = 1; i <= 2; i++) {
        ports[i] = port_new(&dp, &driver, NULL, i);
        assert_non_null(ports[i]);
        port_publish(ports[i]);
    }
    sent = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    change_remove_all_flows(&dp);
    datapath_free(&dp);
    assert_int_equal(reclaim_waiting(), 0);
    loop_free();
    return 0;
}

/* ---- requests ---- */

static struct of_flow_mod flow_mod(uint8_t command, const struct of_instruction *in)
{
    struct of_flow_mod mod = {.command = command,
                              .priority = 5,
                              .buffer_id = OFP_NO_BUFFER,
                              .out_port = OFPP_ANY,
                              .out_group = OFPG_ANY};

    if (in) {
        mod.instructions.at = (struct of_instruction *)(uintptr_t)in;
        mod.instructions.count = 1;
    }
    return mod;
}

static of_error put_group(struct transaction *t, uint16_t command, uint32_t id, uint8_t type,
                          struct of_bucket *buckets, size_t count)
{
    struct of_group_mod mod = {
        .command = command, .type = type, .group_id = id, .buckets = {buckets, count}};

    return change_group_mod(t, &mod);
}

static void group_now(uint16_t command, uint32_t id, uint8_t type, struct of_bucket *buckets,
                      size_t count)
{
    struct transaction t;

    change_begin(&t, &dp);
    assert_int_equal(put_group(&t, command, id, type, buckets, count), 0);
    change_commit(&t);
}

static of_error put_meter(struct transaction *t, uint16_t command)
{
    struct of_meter_band band = {.type = OFPMBT_DROP, .rate = 1000};
    struct of_meter_mod mod = {
        .command = command, .flags = OFPMF_PKTPS, .meter_id = 1, .bands = {&band, 1}};

    return change_meter_mod(t, &mod);
}

static void flow_now(uint8_t command, uint16_t flags, const struct of_instruction *in)
{
    struct of_flow_mod mod = flow_mod(command, in);
    struct transaction t;

    mod.flags = flags;
    change_begin(&t, &dp);
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    change_commit(&t);
}

static struct flow *the_flow(void)
{
    static const struct of_match everything;

    return table_find(&dp.tables, 0, 5, &everything);
}

static void a_packet_comes(void)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct packet *p = frame_packet(&f);

    pipeline_burst(dp.workers[0], ports[1], &p, 1);
    worker_flush(dp.workers[0]);
}

static struct of_bucket bucket_to(struct of_action *action, uint32_t watch_group)
{
    return (struct of_bucket){
        .watch_port = OFPP_ANY, .watch_group = watch_group, .actions = {action, action ? 1 : 0}};
}

/* ---- several changes before one reclaims ---- */

static void a_group_changes_often_in_one_turn(void **state)
{
    struct of_action out = of_output(2);
    struct of_bucket bucket = bucket_to(&out, OFPG_ANY);

    (void)state;
    group_now(OFPGC_ADD, 1, OFPGT_ALL, &bucket, 1);
    for (unsigned i = 0; i < 5; i++)
        group_now(OFPGC_MODIFY, 1, OFPGT_ALL, &bucket, 1);
    group_now(OFPGC_DELETE, 1, OFPGT_ALL, NULL, 0);
    group_now(OFPGC_ADD, 1, OFPGT_ALL, &bucket, 1);
    group_now(OFPGC_MODIFY, 1, OFPGT_ALL, &bucket, 1);
    change_settle();
    assert_non_null(entry_find(&dp.group_index, 1, dp.tables.version));
    assert_int_equal(reclaim_waiting(), 0);
    assert_int_equal(dp.counters.fresh - dp.counters.free_count, 2); /* its and its bucket's */
}

static void a_meter_changes_often_in_one_bundle(void **state)
{
    struct transaction t;

    (void)state;
    change_begin(&t, &dp);
    assert_int_equal(put_meter(&t, OFPMC_ADD), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(put_meter(&t, OFPMC_MODIFY), 0);
    change_commit(&t);
    change_settle();
    assert_non_null(entry_find(&dp.meter_index, 1, dp.tables.version));
    assert_int_equal(dp.counters.fresh - dp.counters.free_count, 2); /* its and its band's */
}

/* ---- what is taken back ---- */

static void a_reset_that_is_taken_back_leaves_the_counters(void **state)
{
    struct of_flow_mod mod = flow_mod(OFPFC_MODIFY, NULL);
    struct transaction t;

    (void)state;
    flow_now(OFPFC_ADD, 0, NULL);
    a_packet_comes();
    a_packet_comes();
    mod.flags = OFPFF_RESET_COUNTS;
    change_begin(&t, &dp);
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    assert_int_equal(flow_count(&dp.tables, the_flow()).packets, 0);
    change_rollback(&t);
    assert_int_equal(flow_count(&dp.tables, the_flow()).packets, 2);
    change_settle();
    a_packet_comes();
    assert_int_equal(flow_count(&dp.tables, the_flow()).packets, 3);
}

/* Workers must not see a port's configuration before it is committed. */
static void a_port_mod_that_is_taken_back_was_never_seen(void **state)
{
    struct of_port_mod mod = {.port_no = 2, .config = OFPPC_NO_FWD, .mask = OFPPC_NO_FWD};
    struct of_port_mod more = {.port_no = 2, .config = OFPPC_NO_RECV, .mask = OFPPC_NO_RECV};
    struct transaction t;

    (void)state;
    change_begin(&t, &dp);
    assert_int_equal(change_port_mod(&t, &mod), 0);
    assert_int_equal(ports[2]->ofp_config, 0);
    change_rollback(&t);
    assert_int_equal(ports[2]->ofp_config, 0);

    change_begin(&t, &dp);
    assert_int_equal(change_port_mod(&t, &mod), 0);
    assert_int_equal(change_port_mod(&t, &more), 0);
    change_commit(&t);
    assert_int_equal(ports[2]->ofp_config, OFPPC_NO_FWD | OFPPC_NO_RECV);
}

/* ---- groups that multiply ---- */

#define WIDE 200

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Group 1 outputs; each later one has WIDE buckets that go to the one before: WIDE^6 ways. */
static void groups_of_groups_end_soon(void **state)
{
    struct of_action actions[8] = {of_output(2)};
    struct of_bucket buckets[WIDE];
    struct of_action to_last = of_to_group(7);
    struct of_instruction apply = {.type = OFPIT_APPLY_ACTIONS, .actions = {&to_last, 1}};
    double begun = seconds_now();

    (void)state;
    for (uint32_t id = 1; id <= 7; id++) {
        if (id > 1)
            actions[id] = of_to_group(id - 1);
        for (size_t i = 0; i < WIDE; i++)
            buckets[i] = bucket_to(&actions[id == 1 ? 0 : id], OFPG_ANY);
        group_now(OFPGC_ADD, id, OFPGT_ALL, buckets, id == 1 ? 1 : WIDE);
    }
    flow_now(OFPFC_ADD, 0, &apply);
    a_packet_comes();
    assert_in_range(sent, WIDE, 100000);
    assert_true(port_count(ports[1]).drops[DROP_NO_GROUP] > 0);
    assert_true(seconds_now() - begun < 30);
}

/* The same for who watches whom; the first watches a port that is down. */
static void watchers_of_watchers_end_soon(void **state)
{
    struct of_bucket buckets[WIDE];
    struct of_action to_last = of_to_group(7);
    struct of_instruction apply = {.type = OFPIT_APPLY_ACTIONS, .actions = {&to_last, 1}};
    double begun = seconds_now();

    (void)state;
    ports[2]->state = OFPPS_LINK_DOWN;
    for (uint32_t id = 1; id <= 7; id++) {
        for (size_t i = 0; i < WIDE; i++) {
            buckets[i] = bucket_to(NULL, id > 1 ? id - 1 : OFPG_ANY);
            if (id == 1)
                buckets[i].watch_port = 2;
        }
        group_now(OFPGC_ADD, id, OFPGT_FF, buckets, WIDE);
    }
    flow_now(OFPFC_ADD, 0, &apply);
    a_packet_comes();
    assert_int_equal(port_count(ports[1]).drops[DROP_NO_GROUP], 1);
    assert_true(seconds_now() - begun < 30);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_group_changes_often_in_one_turn),
        TEST(a_meter_changes_often_in_one_bundle),
        TEST(a_reset_that_is_taken_back_leaves_the_counters),
        TEST(a_port_mod_that_is_taken_back_was_never_seen),
        TEST(groups_of_groups_end_soon),
        TEST(watchers_of_watchers_end_soon),
    };

    return cmocka_run_group_tests_name("what meets in one turn", tests, NULL, NULL);
}
