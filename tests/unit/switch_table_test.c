/*
 * switch_table_test.c -- flow tables against a model that is a plain list: random flows come, go
 * and are looked up, and both must always say the same. And: the cost of a lookup and of a change
 * stays what it is with many flows.
 */
#include <errno.h>
#include <stdlib.h>

#include "unit.h"
#include "switch/table.h"

#define MODEL_MAX 4000

static struct counters counters;
static struct tables tables;

static struct {
    struct flow *flow;
    struct of_match match;
} model[MODEL_MAX];
static size_t model_count;

static uint64_t rng = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 11) % n);
}

static const struct of_instructions nothing;

static void begin(uint64_t seed, uint32_t max_flows)
{
    assert_int_equal(counters_init(&counters, 2), 0);
    tables_init(&tables, &counters, seed, max_flows);
    model_count = 0;
}

static void finish(void)
{
    tables_free(&tables);
    assert_int_equal(counters.free_count, counters.fresh); /* all were given back */
    counters_free(&counters);
}

/* What a reader of the published version sees, found both ways. */
static struct flow *lookup(uint8_t table_id, const struct of_key *key)
{
    static struct table_cache *cache;
    const struct of_key *keys[] = {key, key};
    const struct rule *found[2], *one;

    if (!cache)
        cache = table_cache_new();
    one = table_lookup(&tables, table_id, tables.version, key);
    table_lookup_burst(&tables, table_id, tables.version, keys, 2, found, &counters.owners[1],
                       cache);
    assert_int_equal(found[0] ? found[0]->priority : -1, one ? one->priority : -1);
    assert_ptr_equal(found[0], found[1]);
    return one ? flow_of(one) : NULL;
}

/* Few values and many shapes, so that matches meet, overlap and chain. */
static struct of_match random_match(void)
{
    struct of_match m = {0};

    if (random_below(2))
        of_match_set(&m, OF_IN_PORT, random_below(3) + 1);
    if (random_below(2))
        of_match_set(&m, OF_TUNNEL_ID, random_below(4));
    if (random_below(2)) {
        of_match_set(&m, OF_ETH_TYPE, 0x0800);
        if (random_below(2))
            of_match_set_masked(&m, OF_IPV4_DST, 0x0a000000 | random_below(4),
                                0xffffff00 | (random_below(2) ? 0xff : 0xfe));
    }
    if (random_below(8) == 0)
        of_match_set_masked(&m, OF_METADATA, random_below(4), 3);
    return m;
}

static struct of_key random_key(void)
{
    struct of_key k = {0};

    of_key_set(&k, OF_IN_PORT, random_below(3) + 1);
    of_key_set(&k, OF_TUNNEL_ID, random_below(4));
    of_key_set(&k, OF_ETH_TYPE, random_below(4) ? 0x0800 : 0x0806);
    of_key_set(&k, OF_IPV4_DST, 0x0a000000 | random_below(5));
    of_key_set(&k, OF_METADATA, random_below(8));
    return k;
}

static int model_find(uint16_t priority, const struct of_match *match)
{
    for (size_t i = 0; i < model_count; i++)
        if (flow_priority(model[i].flow) == priority && of_match_equal(&model[i].match, match))
            return (int)i;
    return -1;
}

static uint16_t model_best(const struct of_key *key, bool *found)
{
    uint16_t best = 0;

    *found = false;
    for (size_t i = 0; i < model_count; i++)
        if (of_match_covers(&model[i].match, key) &&
            (!*found || flow_priority(model[i].flow) > best)) {
            best = flow_priority(model[i].flow);
            *found = true;
        }
    return best;
}

static void model_add(uint16_t priority, const struct of_match *match, uint64_t cookie)
{
    struct flow *flow = flow_new(&tables, 0, priority, match, &nothing);

    assert_non_null(flow);
    flow->cookie = cookie;
    assert_int_equal(table_insert(&tables, flow, false), 0);
    tables_publish(&tables);
    model[model_count].flow = flow;
    model[model_count++].match = *match;
}

static void model_drop(size_t i)
{
    table_remove(&tables, model[i].flow);
    tables_publish(&tables);
    reclaim_all();
    assert_true(table_unlink(&tables, model[i].flow));
    flow_free(&tables, model[i].flow);
    reclaim_all();
    model[i] = model[--model_count];
}

static bool within(const struct of_match *narrow, const struct of_match *wide)
{
    const uint64_t *nm = (const void *)&narrow->mask, *wm = (const void *)&wide->mask;

    for (size_t i = 0; i < OF_KEY_WORDS; i++)
        if (wm[i] & ~nm[i])
            return false;
    return of_match_covers(wide, &narrow->value);
}

static int count_flow(struct flow *flow, void *context)
{
    assert_true(flow->alive);
    ++*(size_t *)context;
    return 0;
}

static void check_filter(const struct of_match *match, uint64_t cookie, uint64_t cookie_mask)
{
    struct flow_filter filter = {
        random_below(2) ? 0 : OFPTT_ALL, match, cookie, cookie_mask, OFPP_ANY, OFPG_ANY};
    size_t found = 0, expected = 0;

    assert_int_equal(tables_each(&tables, &filter, count_flow, &found), 0);
    for (size_t i = 0; i < model_count; i++)
        if (within(&model[i].match, match) && ((model[i].flow->cookie ^ cookie) & cookie_mask) == 0)
            expected++;
    assert_int_equal(found, expected);
}

static bool keys_agree(const struct of_match *a, const struct of_match *b)
{
    const uint64_t *av = (const void *)&a->value, *bv = (const void *)&b->value;
    const uint64_t *am = (const void *)&a->mask, *bm = (const void *)&b->mask;

    for (size_t i = 0; i < OF_KEY_WORDS; i++)
        if ((av[i] ^ bv[i]) & am[i] & bm[i])
            return false;
    return true;
}

static void check_overlap(uint16_t priority, const struct of_match *match)
{
    bool expected = false;

    for (size_t i = 0; i < model_count; i++)
        expected |= flow_priority(model[i].flow) == priority && keys_agree(&model[i].match, match);
    assert_int_equal(table_overlaps(&tables, 0, priority, match), expected);
}

static void random_changes_agree_with_the_model(void **state)
{
    (void)state;
    begin(12345, 1 << 20);
    for (size_t step = 0; step < 20000; step++) {
        struct of_match match = random_match();
        uint16_t priority = (uint16_t)random_below(6);
        struct of_key key = random_key();
        struct of_match back;
        struct flow *flow;
        bool found;
        int at = model_find(priority, &match);

        flow = table_find(&tables, 0, priority, &match);
        assert_ptr_equal(flow, at < 0 ? NULL : model[at].flow);
        if (flow) {
            flow_match(flow, &back);
            assert_true(of_match_equal(&back, &match));
        }
        if (at < 0 && (step / 500) % 3 != 2 && model_count < MODEL_MAX)
            model_add(priority, &match, random_below(8));
        else if (at >= 0)
            model_drop((size_t)at);
        else if (model_count)
            model_drop(random_below((uint32_t)model_count));

        priority = model_best(&key, &found);
        flow = lookup(0, &key);
        assert_int_equal(flow != NULL, found);
        if (flow)
            assert_int_equal(flow_priority(flow), priority);
        assert_int_equal(tables.table[0].flows, model_count);
        if (step % 16 == 0) {
            check_filter(&match, random_below(8), random_below(2) ? UINT64_MAX : random_below(8));
            check_overlap((uint16_t)random_below(6), &match);
        }
    }
    while (model_count)
        model_drop(0);
    assert_int_equal(tables.table[0].tuple_count, 0);
    assert_int_equal(tables.flow_count, 0);
    finish();
}

static void a_table_takes_its_shape(void **state)
{
    struct of_match all = {0}, teid = {0};
    struct of_key key = {0};
    struct flow *third;
    char name[64];

    (void)state;
    begin(1, 2);
    assert_string_equal(table_matcher_name(&tables.table[0], name, sizeof(name)), "none");
    assert_null(lookup(0, &key));
    model_add(0, &all, 0);
    assert_ptr_equal(lookup(0, &key), model[0].flow);
    of_match_set(&teid, OF_TUNNEL_ID, 7);
    model_add(10, &teid, 0);
    assert_int_equal(tables.table[0].tuple_count, 2);
    of_key_set(&key, OF_TUNNEL_ID, 7);
    assert_ptr_equal(lookup(0, &key), model[1].flow);
    assert_string_equal(table_matcher_name(&tables.table[0], name, sizeof(name)), "few");

    /* It is full; a flow that was there before may come back. */
    of_match_set(&teid, OF_TUNNEL_ID, 8);
    third = flow_new(&tables, 0, 10, &teid, &nothing);
    assert_int_equal(table_insert(&tables, third, false), -ENOSPC);
    assert_int_equal(table_insert(&tables, third, true), 0);
    finish();
}

static void instructions_are_kept_as_they_were_configured(void **state)
{
    struct of_action write[] = {of_output(5)}, apply[] = {of_to_group(9), of_set_field(OF_REG0, 1)};
    struct of_instruction in[] = {
        {.type = OFPIT_GOTO_TABLE, .table_id = 4},
        {.type = OFPIT_WRITE_ACTIONS, .actions = {write, 1}},
        {.type = OFPIT_APPLY_ACTIONS, .actions = {apply, 2}},
        {.type = OFPIT_METER, .meter_id = 3},
    };
    struct of_instructions all = {in, 4}, back = {0};
    static const struct of_match everything;
    struct arena arena;
    struct flow *flow;

    (void)state;
    begin(1, 2);
    arena_init(&arena, 1 << 16);
    flow = flow_new(&tables, 1, 1, &everything, &all);
    assert_non_null(flow);
    memset(write, 0, sizeof(write));
    assert_true(flow_instructions(flow, &back, &arena));
    assert_int_equal(back.count, 4);
    assert_int_equal(back.at[0].table_id, 4);
    assert_int_equal(back.at[1].actions.at[0].output.port, 5);
    assert_int_equal(back.at[2].actions.count, 2);
    assert_int_equal(back.at[3].meter_id, 3);
    /* and carried out in clause 5.9's order */
    assert_int_equal(rule_ops(flow->rule)[0].code, OP_METER);
    assert_int_equal(rule_ops(flow->rule)[flow->op_count - 1].code, OP_GOTO);
    assert_true(flow_outputs_to(flow, 5, OFPG_ANY));
    assert_true(flow_outputs_to(flow, OFPP_ANY, 9));
    assert_false(flow_outputs_to(flow, 9, 5));
    flow_free(&tables, flow);
    arena_free(&arena);
    finish();
}

static void many_flows_are_found(void **state)
{
    (void)state;
    begin(99, 1 << 20);
    for (uint32_t i = 0; i < 50000; i++) {
        struct of_match m = {0};
        struct flow *flow;

        of_match_set(&m, OF_IN_PORT, 1);
        of_match_set(&m, OF_TUNNEL_ID, i);
        flow = flow_new(&tables, 3, 100, &m, &nothing);
        flow->cookie = i;
        assert_int_equal(table_insert(&tables, flow, false), 0);
    }
    tables_publish(&tables);
    for (uint32_t i = 0; i < 51000; i++) {
        struct of_key key = {0};
        struct flow *flow;

        of_key_set(&key, OF_IN_PORT, 1);
        of_key_set(&key, OF_TUNNEL_ID, i);
        flow = lookup(3, &key);
        assert_int_equal(flow ? flow->cookie : UINT64_MAX, i < 50000 ? i : UINT64_MAX);
    }
    finish();
}

/* ---- routing tables ---- */

static struct of_match route(bool v6, uint32_t address, unsigned length)
{
    struct of_match m = {0};
    struct in6_addr a6 = {.s6_addr = {0x20, 0x01}};
    struct in_addr a4 = {htonl(address)};

    of_match_set(&m, OF_ETH_TYPE, v6 ? 0x86dd : 0x0800);
    memcpy(&a6.s6_addr[2], &a4, 4);
    if (v6 && length)
        of_match_ipv6(&m, OF_IPV6_DST, &a6, 16 + length);
    else if (length)
        of_match_ipv4(&m, OF_IPV4_DST, a4, length);
    return m;
}

static struct of_key route_key(bool v6, uint32_t address)
{
    struct of_match m = route(v6, address, 32);

    return m.value;
}

static uint32_t random_address(void)
{
    return 0x0a000000 | random_below(1 << 12) << 8 | random_below(256);
}

/* IPv4 and IPv6 routes and a table-miss flow, priorities as the lengths. */
static void prefixes_agree_with_the_model(void **state)
{
    static const struct of_match all;
    char name[64];

    (void)state;
    begin(5, 1 << 20);
    model_add(0, &all, 0);
    for (unsigned step = 0; step < 6000; step++) {
        bool v6 = random_below(3) == 0, found;
        unsigned length = random_below(4) ? 8 + random_below(25) : random_below(33);
        struct of_match m = route(v6, random_address(), length);
        struct of_key key = route_key(random_below(3) == 0, random_address());
        int at = model_find((uint16_t)(length + 1), &m);
        uint16_t best;
        struct flow *flow;

        if (at < 0 && step % 1500 < 1000)
            model_add((uint16_t)(length + 1), &m, step);
        else if (model_count > 1)
            model_drop(at > 0 ? (size_t)at : 1 + random_below((uint32_t)model_count - 1));
        best = model_best(&key, &found);
        flow = lookup(0, &key);
        assert_int_equal(flow != NULL, found);
        assert_int_equal(flow ? flow_priority(flow) : 0, best);
        if (step == 900) {
            table_matcher_name(&tables.table[0], name, sizeof(name));
            assert_string_equal(name, "prefixes + 1 mask");
        }
    }
    finish();
}

/* A short prefix that beats a longer one is no routing table any more, and is searched rightly. */
static void priorities_against_lengths_are_obeyed(void **state)
{
    char name[64];

    (void)state;
    begin(6, 1 << 20);
    for (unsigned length = 8; length <= 30; length++) {
        struct of_match m = route(false, 0x0a0b0c0d, length);

        model_add((uint16_t)length, &m, 0);
    }
    assert_string_equal(table_matcher_name(&tables.table[0], name, sizeof(name)),
                        "prefixes + 0 masks");
    {
        struct of_match m = route(false, 0x0a0b0000, 16);
        struct of_key key = route_key(false, 0x0a0b0c0d);

        assert_int_equal(flow_priority(lookup(0, &key)), 30);
        model_add(1000, &m, 0);
        assert_int_equal(flow_priority(lookup(0, &key)), 1000);
        table_matcher_name(&tables.table[0], name, sizeof(name));
        assert_string_equal(name, "23 masks, cached");
        model_drop(model_count - 1);
        assert_int_equal(flow_priority(lookup(0, &key)), 30);
    }
    finish();
}

/* ---- versions ---- */

static void a_version_is_seen_whole_or_not_at_all(void **state)
{
    struct of_match m = route(false, 0x0a000001, 32);
    struct of_key key = route_key(false, 0x0a000001);
    struct flow *old, *newer;
    uint64_t before;

    (void)state;
    begin(7, 100);
    model_add(5, &m, 0);
    old = model[0].flow;
    before = tables.version;
    newer = flow_new_like(&tables, old, &nothing);
    table_remove(&tables, old);
    flow_take_counter(newer, old);
    assert_int_equal(table_insert(&tables, newer, false), 0);
    assert_ptr_equal(lookup(0, &key), old); /* not published yet */
    assert_ptr_equal(table_find(&tables, 0, 5, &m), newer);
    tables_publish(&tables);
    assert_ptr_equal(lookup(0, &key), newer);
    assert_ptr_equal(flow_of(table_lookup(&tables, 0, before, &key)), old); /* who is still there */

    /* taken back: as if it had never been */
    table_remove(&tables, newer);
    table_restore(&tables, newer);
    tables_publish(&tables);
    assert_ptr_equal(lookup(0, &key), newer);
    reclaim_all();
    assert_true(table_unlink(&tables, old));
    flow_free(&tables, old);
    finish();
}

static void counters_add_up_over_owners(void **state)
{
    static const struct of_match all;
    struct flow *flow;

    (void)state;
    begin(8, 100);
    model_add(1, &all, 0);
    flow = model[0].flow;
    counter_count(&counters.owners[0], flow->rule->counter, 100);
    counter_count(&counters.owners[1], flow->rule->counter, 50);
    assert_int_equal(flow_count(&tables, flow).packets, 2);
    assert_int_equal(flow_count(&tables, flow).bytes, 150);
    flow_reset_count(&tables, flow);
    counter_count(&counters.owners[1], flow->rule->counter, 7);
    assert_int_equal(flow_count(&tables, flow).packets, 1);
    assert_int_equal(flow_count(&tables, flow).bytes, 7);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_agree_with_the_model),
        cmocka_unit_test(a_table_takes_its_shape),
        cmocka_unit_test(instructions_are_kept_as_they_were_configured),
        cmocka_unit_test(many_flows_are_found),
        cmocka_unit_test(prefixes_agree_with_the_model),
        cmocka_unit_test(priorities_against_lengths_are_obeyed),
        cmocka_unit_test(a_version_is_seen_whole_or_not_at_all),
        cmocka_unit_test(counters_add_up_over_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
