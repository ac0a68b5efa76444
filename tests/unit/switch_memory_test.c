/*
 * switch_memory_test.c -- the switch without memory: every request, with the n-th allocation of it
 * failing, for all n. It is refused with an error, or done as if nothing had failed; nothing is
 * lost, and after a refusal all is as it was: rules, counters, timeouts.
 *
 * malloc() and its kin and mmap() of everything linked statically are wrapped by the linker.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "switch_frames.h"
#include "base/loop.h"
#include "base/timer.h"
#include "switch/change.h"

/* ---- allocations that fail ---- */

static size_t until_failure; /* 0: none fails */
static bool failed, fails_from_then_on;

static bool fails_now(void)
{
    bool fails = (failed && fails_from_then_on) || (until_failure && --until_failure == 0);

    failed |= fails;
    return fails;
}

static void fail_at(size_t n, bool from_then_on)
{
    until_failure = n;
    failed = false;
    fails_from_then_on = from_then_on;
}

/* True when one has failed since fail_at(). */
static bool fail_no_more(void)
{
    bool has = failed;

    fail_at(0, false);
    return has;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return fails_now() ? NULL : __real_realloc(at, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (fails_now()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(at, size, protection, flags, fd, offset);
}

/* ---- a switch ---- */

#define ROUTES 9

static struct datapath dp;
static size_t told;

static void hear_removed(const struct flow *flow, uint8_t reason)
{
    (void)flow;
    (void)reason;
    told++;
}

static void hear_port(struct port *port)
{
    (void)port;
}

static void forget(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    packets_free(packets, count);
}

static const struct change_listener listener = {hear_removed, hear_port};
static const struct port_driver driver = {.name = "nowhere", .send = forget};

static struct of_flow_mod flow_mod(uint8_t command, uint16_t priority)
{
    return (struct of_flow_mod){.command = command,
                                .priority = priority,
                                .buffer_id = OFP_NO_BUFFER,
                                .out_port = OFPP_ANY,
                                .out_group = OFPG_ANY,
                                .cookie = 7,
                                .flags = OFPFF_SEND_FLOW_REM};
}

static void match_route(struct of_match *m, unsigned n)
{
    of_match_set(m, OF_ETH_TYPE, 0x0800);
    of_match_ipv4(m, OF_IPV4_DST, (struct in_addr){htonl(0x0a010203)}, 10 + n);
}

static of_error put_group(struct transaction *t, uint16_t command, uint32_t id)
{
    struct of_action actions[] = {of_set_field(OF_TUNNEL_ID, id), of_output(1)};
    struct of_bucket buckets[2] = {
        {.watch_port = OFPP_ANY, .watch_group = OFPG_ANY, .actions = {actions, 2}},
        {.watch_port = OFPP_ANY, .watch_group = OFPG_ANY, .actions = {actions, 2}}};
    struct of_group_mod mod = {.command = command,
                               .type = OFPGT_ALL,
                               .group_id = id,
                               .buckets = {buckets, command == OFPGC_DELETE ? 0 : 2}};

    return change_group_mod(t, &mod);
}

static of_error put_meter(struct transaction *t, uint16_t command, uint32_t id)
{
    struct of_meter_band bands[2] = {{.type = OFPMBT_DROP, .rate = 1000},
                                     {.type = OFPMBT_DROP, .rate = 2000}};
    struct of_meter_mod mod = {.command = command,
                               .flags = OFPMF_PKTPS,
                               .meter_id = id,
                               .bands = {bands, command == OFPMC_DELETE ? 0 : 2}};

    return change_meter_mod(t, &mod);
}

static of_error put_flow(struct transaction *t, struct of_flow_mod *mod, bool uses_group)
{
    struct of_action action = uses_group ? of_to_group(1) : of_output(1);
    struct of_instruction in[] = {{.type = OFPIT_APPLY_ACTIONS, .actions = {&action, 1}},
                                  {.type = OFPIT_METER, .meter_id = 1}};

    mod->instructions.at = in;
    mod->instructions.count = uses_group ? 2 : 1;
    return change_flow_mod(t, mod);
}

/* Routes, some with timeouts, group 1 and meter 1, which every second route uses. */
static void furnish(void)
{
    struct transaction t;

    change_begin(&t, &dp);
    assert_int_equal(put_group(&t, OFPGC_ADD, 1), 0);
    assert_int_equal(put_meter(&t, OFPMC_ADD, 1), 0);
    for (unsigned i = 0; i < ROUTES; i++) {
        struct of_flow_mod mod = flow_mod(OFPFC_ADD, (uint16_t)(10 + i));

        match_route(&mod.match, i);
        mod.hard_timeout = i % 3 == 0 ? 1000 : 0;
        mod.idle_timeout = i % 3 == 1 ? 1000 : 0;
        assert_int_equal(put_flow(&t, &mod, i % 2), 0);
    }
    change_commit(&t);
    change_settle();
}

static void open_switch(void)
{
    struct port *p;

    assert_int_equal(datapath_init(&dp, 3, 1000, 0), 0);
    change_listen(&listener);
    change_set_limits(100, 100);
    p = port_new(&dp, &driver, NULL, 1);
    assert_non_null(p);
    port_publish(p);
    furnish();
    told = 0;
}

static void close_switch(void)
{
    struct transaction t;

    change_remove_all_flows(&dp);
    change_begin(&t, &dp);
    assert_int_equal(put_group(&t, OFPGC_DELETE, OFPG_ALL), 0);
    assert_int_equal(put_meter(&t, OFPMC_DELETE, OFPM_ALL), 0);
    change_commit(&t);
    change_settle();
    assert_int_equal(dp.counters.free_count, dp.counters.fresh);
    datapath_free(&dp);
    assert_int_equal(reclaim_waiting(), 0);
}

/* ---- what there is, as a number ---- */

static uint64_t mix(uint64_t sum, uint64_t word)
{
    return (sum ^ word) * 0x9fb21c651e98df25ull;
}

/* It stands behind what workers tell of the flow: change.c. */
static const struct timer *timer_of(const struct flow *flow)
{
    return (const void *)(flow->timeouts + 1);
}

static int sum_flow(struct flow *flow, void *context)
{
    uint64_t h = mix(flow->cookie, flow_priority(flow)), *sum = context;

    h = mix(h, flow_count(&dp.tables, flow).packets);
    h = mix(h, flow->created_us);
    h = mix(h, flow->op_count);
    h = mix(h, flow->idle_timeout * 2000u + flow->hard_timeout);
    h = mix(h, flow->timeouts && timer_is_running(timer_of(flow)));
    *sum += h;
    return 0;
}

static uint64_t everything_there(void)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    uint64_t sum = 0, key, value;
    size_t at = 0;

    assert_int_equal(tables_each(&dp.tables, &filter, sum_flow, &sum), 0);
    while (map_next(&dp.groups, &at, &key, &value))
        sum += mix(key, ((const struct group *)(uintptr_t)value)->refs);
    at = 0;
    while (map_next(&dp.meters, &at, &key, &value))
        sum += mix(key, ((const struct meter *)(uintptr_t)value)->refs + 1000);
    return sum + dp.tables.flow_count + dp.ports[1]->wanted_config + dp.tables.table[0].config;
}

static void route_is_found(void)
{
    struct of_match m = {0};
    const struct rule *rule;

    match_route(&m, ROUTES - 1);
    rule = table_lookup(&dp.tables, 0, dp.tables.version, &m.value);
    assert_non_null(rule);
    assert_int_equal(rule->priority, 10 + ROUTES - 1);
}

static void packets_pass(void)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct packet *p;

    memcpy(f.bytes + 30, "\x0a\x01\x02\x03", 4);
    p = packet_copy_of(bytes_of(f.bytes, f.len));
    if (!p)
        return;
    packet_enter(p, 1);
    pipeline_burst(dp.workers[0], dp.ports[1], &p, 1);
    worker_flush(dp.workers[0]);
}

/* ---- requests ---- */

static of_error add_first(struct transaction *t)
{
    struct of_flow_mod mod = flow_mod(OFPFC_ADD, 99);

    of_match_set(&mod.match, OF_IN_PORT, 1); /* a mask that is new */
    mod.hard_timeout = 1000;
    return put_flow(t, &mod, true);
}

static of_error add_many(struct transaction *t)
{
    of_error error = 0;

    for (unsigned i = 0; i < 200 && !error; i++) { /* arrays grow, a trie too */
        struct of_flow_mod mod = flow_mod(OFPFC_ADD, (uint16_t)(32 - i % 8));

        of_match_set(&mod.match, OF_ETH_TYPE, 0x0800);
        of_match_ipv4(&mod.match, OF_IPV4_DST, (struct in_addr){htonl(i << 24 | i << 12)},
                      22 - i % 8);
        error = put_flow(t, &mod, i % 2);
    }
    return error;
}

static of_error add_again(struct transaction *t)
{
    struct of_flow_mod mod = flow_mod(OFPFC_ADD, 10);

    match_route(&mod.match, 0);
    mod.idle_timeout = 500;
    return put_flow(t, &mod, true);
}

static of_error modify_all(struct transaction *t)
{
    struct of_flow_mod mod = flow_mod(OFPFC_MODIFY, 0);

    return put_flow(t, &mod, true);
}

static of_error modify_by_cookie(struct transaction *t)
{
    struct of_flow_mod mod = flow_mod(OFPFC_MODIFY, 0);

    mod.cookie_mask = UINT64_MAX;
    mod.flags |= OFPFF_RESET_COUNTS;
    return put_flow(t, &mod, false);
}

static of_error delete_some(struct transaction *t)
{
    struct of_flow_mod mod = flow_mod(OFPFC_DELETE, 0);

    mod.out_group = 1;
    return change_flow_mod(t, &mod);
}

static of_error add_groups(struct transaction *t)
{
    of_error error = 0;

    for (uint32_t i = 2; i < 40 && !error; i++)
        error = put_group(t, OFPGC_ADD, i);
    return error;
}

static of_error modify_group(struct transaction *t)
{
    return put_group(t, OFPGC_MODIFY, 1);
}

static of_error delete_group(struct transaction *t)
{
    return put_group(t, OFPGC_DELETE, 1);
}

static of_error delete_groups(struct transaction *t)
{
    return put_group(t, OFPGC_DELETE, OFPG_ALL);
}

static of_error add_meters(struct transaction *t)
{
    of_error error = 0;

    for (uint32_t i = 2; i < 40 && !error; i++)
        error = put_meter(t, OFPMC_ADD, i);
    return error;
}

static of_error modify_meter(struct transaction *t)
{
    return put_meter(t, OFPMC_MODIFY, 1);
}

static of_error delete_meters(struct transaction *t)
{
    return put_meter(t, OFPMC_DELETE, OFPM_ALL);
}

static of_error configure(struct transaction *t)
{
    struct of_port_mod port = {.port_no = 1, .config = OFPPC_NO_RECV, .mask = OFPPC_NO_RECV};
    struct of_table_mod table = {.table_id = OFPTT_ALL, .config = 3};
    of_error error = change_port_mod(t, &port);

    return error ? error : change_table_mod(t, &table);
}

static of_error bundle(struct transaction *t)
{
    of_error (*const parts[])(struct transaction *) = {
        add_first, modify_group, add_many,    modify_by_cookie, modify_meter, add_groups,
        add_again, add_meters,   delete_some, modify_all,       delete_group, delete_meters,
    };
    of_error error = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !error; i++)
        error = parts[i](t);
    return error;
}

static const struct request {
    const char *name;
    of_error (*ask)(struct transaction *t);
} requests[] = {
    {"add", add_first},
    {"add many", add_many},
    {"add again", add_again},
    {"modify all", modify_all},
    {"modify by cookie", modify_by_cookie},
    {"delete some", delete_some},
    {"add groups", add_groups},
    {"modify a group", modify_group},
    {"delete a group", delete_group},
    {"delete all groups", delete_groups},
    {"add meters", add_meters},
    {"modify a meter", modify_meter},
    {"delete all meters", delete_meters},
    {"configure", configure},
    {"a bundle of all", bundle},
};

/* One request with its n-th allocation failing. False when it has not so many. */
static bool try_request(const struct request *r, size_t n, bool from_then_on)
{
    uint64_t before;
    struct transaction t;
    of_error error;
    bool has_failed;

    open_switch();
    packets_pass();
    before = everything_there();
    fail_at(n, from_then_on);
    change_begin(&t, &dp);
    error = r->ask(&t);
    if (error)
        change_rollback(&t);
    has_failed = fail_no_more();
    if (error) {
        assert_true(has_failed);
        if (everything_there() != before)
            fail_msg("%s is refused for want of allocation %zu, and leaves traces", r->name, n);
        route_is_found();
    } else {
        change_commit(&t);
    }
    packets_pass();
    change_settle();
    if (error)
        assert_int_equal(told, 0);
    close_switch();
    return has_failed;
}

static void requests_without_memory(void **state)
{
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        size_t n = 1;

        for (; try_request(&requests[i], n, false); n += 1 + n / 40)
            tried++;
        for (n = 1; try_request(&requests[i], n, true); n += 1 + n / 20)
            tried++;
    }
    printf("# %zu failures\n", tried);
    assert_true(tried > 200);
}

/* What was committed is told and given back later, when there is memory again. */
static void reclaiming_without_memory(void **state)
{
    bool has_failed = true;

    (void)state;
    for (size_t n = 1; has_failed; n++) {
        struct transaction t;

        open_switch();
        change_begin(&t, &dp);
        assert_int_equal(bundle(&t), 0);
        fail_at(n, false);
        change_commit(&t);
        change_settle();
        has_failed = fail_no_more();
        change_begin(&t, &dp);
        assert_int_equal(delete_groups(&t), 0);
        change_commit(&t);
        change_settle();
        close_switch();
    }
}

static void a_switch_opens_without_memory(void **state)
{
    bool has_failed = true;

    (void)state;
    for (size_t n = 1; has_failed; n++) {
        int err;

        fail_at(n, false);
        err = datapath_init(&dp, 3, 1000, 2);
        has_failed = fail_no_more();
        assert_int_equal(err, has_failed ? -ENOMEM : 0);
        datapath_free(&dp);
    }
}

static void ports_open_without_memory(void **state)
{
    static const struct switch_port_config configs[] = {
        {.name = "a", .type = SWITCH_PORT_PATCH, .peer = "b"},
        {.name = "g", .type = SWITCH_PORT_GTPU, .address = {0x0100007f}, .udp_port = 32152},
        {.name = "v", .type = SWITCH_PORT_VXLAN, .address = {0x0100007f}, .udp_port = 34789},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        bool has_failed = true;

        for (size_t n = 1; has_failed; n++) {
            struct port *p = NULL;
            int err;

            open_switch();
            fail_at(n, false);
            err = port_open(&dp, &configs[i], 2, &p);
            has_failed = fail_no_more();
            if (err < 0)
                assert_null(dp.ports[2]);
            if (!has_failed)
                assert_int_equal(err, 0);
            close_switch();
        }
    }
}

static void packets_without_memory(void **state)
{
    bool has_failed = true;

    (void)state;
    for (size_t n = 1; has_failed; n++) {
        open_switch();
        fail_at(n, false);
        packets_pass();
        has_failed = fail_no_more();
        packets_pass();
        close_switch();
    }
}

static int set_up(void **state)
{
    (void)state;
    return loop_init();
}

static int tear_down(void **state)
{
    (void)state;
    loop_free();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_without_memory),       TEST(reclaiming_without_memory),
        TEST(a_switch_opens_without_memory), TEST(ports_open_without_memory),
        TEST(packets_without_memory),
    };

    return cmocka_run_group_tests_name("the switch without memory", tests, NULL, NULL);
}
