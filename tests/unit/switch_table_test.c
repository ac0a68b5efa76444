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

static struct program *no_program(void)
{
    static const struct of_instructions none;

    return program_new(&none);
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
        if (model[i].flow->priority == priority && of_match_equal(&model[i].match, match))
            return (int)i;
    return -1;
}

static uint16_t model_best(const struct of_key *key, bool *found)
{
    uint16_t best = 0;

    *found = false;
    for (size_t i = 0; i < model_count; i++)
        if (of_match_covers(&model[i].match, key) && (!*found || model[i].flow->priority > best)) {
            best = model[i].flow->priority;
            *found = true;
        }
    return best;
}

static void model_add(uint16_t priority, const struct of_match *match, uint64_t cookie)
{
    struct flow *flow = flow_new(&tables, 0, priority, match, no_program());

    assert_non_null(flow);
    flow->cookie = cookie;
    assert_int_equal(table_insert(&tables, flow, false), 0);
    model[model_count].flow = flow;
    model[model_count++].match = *match;
}

static void model_drop(size_t i)
{
    table_remove(&tables, model[i].flow);
    flow_free(&tables, model[i].flow);
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
    assert_true(flow->linked);
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
        expected |= model[i].flow->priority == priority && keys_agree(&model[i].match, match);
    assert_int_equal(table_overlaps(&tables, 0, priority, match), expected);
}

static void random_changes_agree_with_the_model(void **state)
{
    (void)state;
    tables_init(&tables, 12345, 1 << 20);
    model_count = 0;
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
        flow = table_lookup(&tables.table[0], &key);
        assert_int_equal(flow != NULL, found);
        if (flow)
            assert_int_equal(flow->priority, priority);
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
    tables_free(&tables);
}

static void a_table_takes_its_shape(void **state)
{
    struct of_match all = {0}, teid = {0};
    struct of_key key = {0};

    (void)state;
    tables_init(&tables, 1, 2);
    model_count = 0;
    assert_null(table_lookup(&tables.table[0], &key));
    model_add(0, &all, 0);
    assert_ptr_equal(table_lookup(&tables.table[0], &key), model[0].flow);
    of_match_set(&teid, OF_TUNNEL_ID, 7);
    model_add(10, &teid, 0);
    assert_int_equal(tables.table[0].tuple_count, 2);
    of_key_set(&key, OF_TUNNEL_ID, 7);
    assert_ptr_equal(table_lookup(&tables.table[0], &key), model[1].flow);
    assert_int_equal(tables.table[0].lookups, 3);
    assert_int_equal(tables.table[0].matches, 2);

    /* It is full; a flow that was there before may come back. */
    struct flow *third;
    of_match_set(&teid, OF_TUNNEL_ID, 8);
    third = flow_new(&tables, 0, 10, &teid, no_program());
    assert_int_equal(table_insert(&tables, third, false), -ENOSPC);
    assert_int_equal(table_insert(&tables, third, true), 0);
    tables_free(&tables);
}

static void programs_keep_what_was_configured(void **state)
{
    struct of_action write[] = {of_output(5)}, apply[] = {of_to_group(9), of_set_field(OF_REG0, 1)};
    struct of_instruction in[] = {
        {.type = OFPIT_GOTO_TABLE, .table_id = 4},
        {.type = OFPIT_WRITE_ACTIONS, .actions = {write, 1}},
        {.type = OFPIT_APPLY_ACTIONS, .actions = {apply, 2}},
        {.type = OFPIT_METER, .meter_id = 3},
    };
    struct of_instructions all = {in, 4};
    struct program *p = program_new(&all);

    (void)state;
    memset(write, 0, sizeof(write));
    assert_int_equal(p->instructions.count, 4);
    assert_int_equal(p->instructions.at[1].actions.at[0].output.port, 5);
    assert_int_equal(p->apply->count, 2);
    assert_int_equal(p->write->count, 1);
    assert_int_equal(p->goto_table, 4);
    assert_int_equal(p->meter_id, 3);
    assert_true(program_outputs_to(p, 5, OFPG_ANY));
    assert_true(program_outputs_to(p, OFPP_ANY, 9));
    assert_false(program_outputs_to(p, 9, 5));
    free(p);
}

static void many_flows_are_found(void **state)
{
    (void)state;
    tables_init(&tables, 99, 1 << 20);
    for (uint32_t i = 0; i < 50000; i++) {
        struct of_match m = {0};
        struct flow *flow;

        of_match_set(&m, OF_IN_PORT, 1);
        of_match_set(&m, OF_TUNNEL_ID, i);
        flow = flow_new(&tables, 3, 100, &m, no_program());
        flow->cookie = i;
        assert_int_equal(table_insert(&tables, flow, false), 0);
    }
    for (uint32_t i = 0; i < 51000; i++) {
        struct of_key key = {0};
        struct flow *flow;

        of_key_set(&key, OF_IN_PORT, 1);
        of_key_set(&key, OF_TUNNEL_ID, i);
        flow = table_lookup(&tables.table[3], &key);
        assert_int_equal(flow ? flow->cookie : UINT64_MAX, i < 50000 ? i : UINT64_MAX);
    }
    tables_free(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_agree_with_the_model),
        cmocka_unit_test(a_table_takes_its_shape),
        cmocka_unit_test(programs_keep_what_was_configured),
        cmocka_unit_test(many_flows_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
