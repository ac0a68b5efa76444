/*
 * table.c -- see table.h: tuples, chains, and the three ways to look up.
 *
 * A tuple's slots are open addressing with linear probing; a slot holds the hash, so a probe
 * touches a flow only when its hash is right. What is removed leaves a mark, so that a reader on
 * its way past is not lost; marks go when the array is built anew. Arrays are at most three
 * quarters full.
 */
#include <errno.h>
#include <stdlib.h>

#include "switch/table.h"

static struct flow gone; /* the mark */
#define FLOW_GONE (&gone)

/* ---- programs ---- */

struct program *program_new(const struct of_instructions *in)
{
    size_t actions = 0;
    struct program *p;
    struct of_instruction *to;
    struct of_action *at;

    for (size_t i = 0; i < in->count; i++)
        if (in->at[i].type == OFPIT_APPLY_ACTIONS || in->at[i].type == OFPIT_WRITE_ACTIONS)
            actions += in->at[i].actions.count;
    p = calloc(1, sizeof(*p) + in->count * sizeof(*to) + actions * sizeof(*at));
    if (!p)
        return NULL;
    to = (struct of_instruction *)(p + 1);
    at = (struct of_action *)(to + in->count);
    p->instructions.at = to;
    p->instructions.count = in->count;
    p->goto_table = NO_TABLE;
    for (size_t i = 0; i < in->count; i++, to++) {
        *to = in->at[i];
        switch (to->type) {
        case OFPIT_GOTO_TABLE:
            p->goto_table = to->table_id;
            break;
        case OFPIT_WRITE_METADATA:
            p->metadata = to->write_metadata.metadata;
            p->metadata_mask = to->write_metadata.mask;
            break;
        case OFPIT_METER:
            p->meter_id = to->meter_id;
            break;
        case OFPIT_CLEAR_ACTIONS:
            p->clear = true;
            break;
        default:
            if (to->actions.count)
                memcpy(at, to->actions.at, to->actions.count * sizeof(*at));
            to->actions.at = at;
            at += to->actions.count;
            *(to->type == OFPIT_APPLY_ACTIONS ? &p->apply : &p->write) = &to->actions;
        }
    }
    return p;
}

static bool actions_output_to(const struct of_actions *actions, uint32_t port, uint32_t group)
{
    for (size_t i = 0; actions && i < actions->count; i++) {
        const struct of_action *a = &actions->at[i];

        if ((a->type == OFPAT_OUTPUT && port != OFPP_ANY && a->output.port == port) ||
            (a->type == OFPAT_GROUP && group != OFPG_ANY && a->group_id == group))
            return true;
    }
    return false;
}

bool program_outputs_to(const struct program *program, uint32_t port, uint32_t group)
{
    return actions_output_to(program->apply, port, group) ||
           actions_output_to(program->write, port, group);
}

/* ---- hashing ---- */

static inline uint64_t mix(uint64_t h, uint64_t word)
{
    __uint128_t product = (__uint128_t)(h ^ word) * 0x9fb21c651e98df25ull;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Gathers the words that matter; returns their hash. */
static inline uint32_t gather(const struct tuple *t, const struct of_key *key, uint64_t seed,
                              uint64_t *words)
{
    const uint64_t *from = (const void *)key;
    uint64_t h = seed;

    for (unsigned i = 0; i < t->words; i++) {
        words[i] = from[t->index[i]] & t->mask[i];
        h = mix(h, words[i]);
    }
    return (uint32_t)(h ^ h >> 32);
}

static inline bool words_equal(const uint64_t *a, const uint64_t *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* ---- tuples ---- */

/* The slot of the chain with these words, or NULL. */
static inline struct slot *tuple_find(const struct tuple *t, const uint64_t *words, uint32_t hash)
{
    for (uint32_t i = hash & (t->size - 1);; i = (i + 1) & (t->size - 1)) {
        struct slot *s = &t->slots[i];

        if (!s->flow)
            return NULL;
        if (s->hash == hash && s->flow != FLOW_GONE && words_equal(s->flow->key, words, t->words))
            return s;
    }
}

static inline struct flow *tuple_match(const struct tuple *t, const struct of_key *key,
                                       uint64_t seed)
{
    uint64_t words[OF_KEY_WORDS];
    uint32_t hash = gather(t, key, seed, words);
    struct slot *s = tuple_find(t, words, hash);

    return s ? s->flow : NULL;
}

static struct tuple *tuple_new(const struct of_key *mask)
{
    const uint64_t *words = (const void *)mask;
    struct tuple *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    for (unsigned i = 0; i < OF_KEY_WORDS; i++)
        if (words[i]) {
            t->index[t->words] = (uint8_t)i;
            t->mask[t->words++] = words[i];
        }
    t->size = 4;
    t->slots = calloc(t->size, sizeof(*t->slots));
    if (!t->slots) {
        free(t);
        return NULL;
    }
    return t;
}

static void tuple_free(struct tuple *t)
{
    free(t->slots);
    free(t);
}

static bool tuple_has_mask(const struct tuple *t, const struct of_key *mask)
{
    const uint64_t *words = (const void *)mask;
    unsigned n = 0;

    for (unsigned i = 0; i < OF_KEY_WORDS; i++) {
        if (!words[i])
            continue;
        if (n == t->words || t->index[n] != i || t->mask[n] != words[i])
            return false;
        n++;
    }
    return n == t->words;
}

static void slot_put(struct slot *slots, uint32_t size, uint32_t hash, struct flow *flow)
{
    uint32_t i = hash & (size - 1);

    while (slots[i].flow && slots[i].flow != FLOW_GONE)
        i = (i + 1) & (size - 1);
    slots[i] = (struct slot){hash, flow};
}

/* Room for one chain more. */
static int tuple_grow(struct tuple *t)
{
    uint32_t size = t->size;
    struct slot *slots;

    if ((t->used + t->gone + 1) * 4 <= t->size * 3)
        return 0;
    while ((t->used + 1) * 2 > size)
        size *= 2;
    slots = calloc(size, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->size; i++)
        if (t->slots[i].flow && t->slots[i].flow != FLOW_GONE)
            slot_put(slots, size, t->slots[i].hash, t->slots[i].flow);
    free(t->slots);
    t->slots = slots;
    t->size = size;
    t->gone = 0;
    return 0;
}

static int tuple_insert(struct tuple *t, struct flow *flow)
{
    struct slot *s = tuple_find(t, flow->key, flow->hash);
    struct flow **at;
    int err;

    if (!s) {
        if ((err = tuple_grow(t)) < 0)
            return err;
        flow->lower = NULL;
        slot_put(t->slots, t->size, flow->hash, flow);
        t->used++;
    } else {
        for (at = &s->flow; *at && (*at)->priority > flow->priority; at = &(*at)->lower) {
        }
        flow->lower = *at;
        *at = flow;
    }
    t->flows++;
    return 0;
}

static void tuple_remove(struct tuple *t, struct flow *flow)
{
    struct slot *s = tuple_find(t, flow->key, flow->hash);
    struct flow **at;

    for (at = &s->flow; *at != flow; at = &(*at)->lower) {
    }
    *at = flow->lower;
    t->flows--;
    if (s->flow)
        return;
    s->flow = FLOW_GONE;
    t->used--;
    t->gone++;
}

/* ---- lookup, by the table's shape ---- */

static struct flow *match_none(const struct table *table, const struct of_key *key)
{
    (void)table;
    (void)key;
    return NULL;
}

static struct flow *match_one(const struct table *table, const struct of_key *key)
{
    return tuple_match(table->tuples[0], key, table->seed);
}

static struct flow *match_several(const struct table *table, const struct of_key *key)
{
    uint64_t seed = table->seed;
    struct flow *best = NULL;

    for (uint32_t i = 0; i < table->tuple_count; i++) {
        const struct tuple *t = table->tuples[i];
        struct flow *flow;

        if (best && best->priority >= t->max_priority)
            break;
        flow = tuple_match(t, key, seed);
        if (flow && (!best || flow->priority > best->priority))
            best = flow;
    }
    return best;
}

static void table_choose(struct table *table)
{
    table->match = table->tuple_count == 0   ? match_none
                   : table->tuple_count == 1 ? match_one
                                             : match_several;
}

/* Moves a tuple whose priority has risen to its place. */
static void table_sort(struct table *table)
{
    for (uint32_t i = 1; i < table->tuple_count; i++) {
        struct tuple *t = table->tuples[i];
        uint32_t j = i;

        for (; j > 0 && table->tuples[j - 1]->max_priority < t->max_priority; j--)
            table->tuples[j] = table->tuples[j - 1];
        table->tuples[j] = t;
    }
}

static struct tuple *table_tuple(const struct table *table, const struct of_key *mask)
{
    for (uint32_t i = 0; i < table->tuple_count; i++)
        if (tuple_has_mask(table->tuples[i], mask))
            return table->tuples[i];
    return NULL;
}

static struct tuple *table_add_tuple(struct table *table, const struct of_key *mask)
{
    struct tuple **tuples =
        realloc(table->tuples, (table->tuple_count + 1) * sizeof(struct tuple *));
    struct tuple *t;

    if (!tuples)
        return NULL;
    table->tuples = tuples;
    t = tuple_new(mask);
    if (!t)
        return NULL;
    tuples[table->tuple_count++] = t;
    table_choose(table);
    return t;
}

static void table_drop_tuple(struct table *table, struct tuple *t)
{
    uint32_t i = 0;

    while (table->tuples[i] != t)
        i++;
    memmove(&table->tuples[i], &table->tuples[i + 1],
            (table->tuple_count - i - 1) * sizeof(struct tuple *));
    table->tuple_count--;
    tuple_free(t);
    table_choose(table);
}

#define PREFETCH_FROM   2048 /* flows; fewer are in the cache anyway */
#define PREFETCH_TUPLES 2    /* the ones of highest priority */
#define PREFETCH_KEYS   32
#define CACHE_LINE      ((size_t)64)

static void prefetch_tuple(const struct tuple *t, uint64_t seed, const struct of_key *const *keys,
                           size_t count)
{
    const struct flow *found[PREFETCH_KEYS];
    uint32_t hash[PREFETCH_KEYS];

    for (size_t i = 0; i < count; i++) {
        uint64_t words[OF_KEY_WORDS];

        hash[i] = gather(t, keys[i], seed, words);
        __builtin_prefetch(&t->slots[hash[i] & (t->size - 1)]);
    }
    for (size_t i = 0; i < count; i++) {
        const struct slot *s = &t->slots[hash[i] & (t->size - 1)];

        found[i] = s->flow && s->hash == hash[i] && s->flow != FLOW_GONE ? s->flow : NULL;
        if (found[i]) {
            __builtin_prefetch(found[i], 1);
            __builtin_prefetch((const uint8_t *)found[i] + offsetof(struct flow, key));
        }
    }
    for (size_t i = 0; i < count; i++)
        if (found[i]) {
            __builtin_prefetch(found[i]->program);
            __builtin_prefetch((const uint8_t *)found[i]->program + CACHE_LINE);
            __builtin_prefetch((const uint8_t *)found[i]->program + 2 * CACHE_LINE);
        }
}

void table_prefetch(const struct table *table, const struct of_key *const *keys, size_t count)
{
    if (table->flows < PREFETCH_FROM || count > PREFETCH_KEYS)
        return;
    for (uint32_t i = 0; i < table->tuple_count && i < PREFETCH_TUPLES; i++)
        prefetch_tuple(table->tuples[i], table->seed, keys, count);
}

/* ---- cookies ---- */

static uint32_t cookie_bucket(const struct tables *tables, uint64_t cookie)
{
    return (uint32_t)(mix(tables->seed, cookie) & (tables->cookie_size - 1));
}

static void cookie_link(struct tables *tables, struct flow *flow)
{
    struct flow **at = &tables->cookies[cookie_bucket(tables, flow->cookie)];

    flow->cookie_next = *at;
    flow->cookie_link = at;
    if (*at)
        (*at)->cookie_link = &flow->cookie_next;
    *at = flow;
}

static void cookie_unlink(struct flow *flow)
{
    *flow->cookie_link = flow->cookie_next;
    if (flow->cookie_next)
        flow->cookie_next->cookie_link = flow->cookie_link;
    flow->cookie_link = NULL;
}

static int cookies_grow(struct tables *tables)
{
    uint32_t old_size = tables->cookie_size;
    struct flow **old = tables->cookies;

    if (tables->flow_count < old_size)
        return 0;
    tables->cookies = calloc(old_size ? old_size * 2ul : 64, sizeof(struct flow *));
    if (!tables->cookies) {
        tables->cookies = old;
        return old ? 0 : -ENOMEM; /* longer chains are only slower */
    }
    tables->cookie_size = old_size ? old_size * 2 : 64;
    for (uint32_t i = 0; i < old_size; i++)
        while (old[i]) {
            struct flow *flow = old[i];

            cookie_unlink(flow);
            cookie_link(tables, flow);
        }
    free(old);
    return 0;
}

/* ---- flows ---- */

struct flow *flow_new(struct tables *tables, uint8_t table_id, uint16_t priority,
                      const struct of_match *match, struct program *program)
{
    struct table *table = &tables->table[table_id];
    struct tuple *t = table_tuple(table, &match->mask);
    struct flow *flow;

    if (!t)
        t = table_add_tuple(table, &match->mask);
    flow = t ? calloc(1, sizeof(*flow) + t->words * sizeof(flow->key[0])) : NULL;
    if (!flow) {
        if (t && t->refs == 0)
            table_drop_tuple(table, t);
        return NULL;
    }
    t->refs++;
    flow->tuple = t;
    flow->program = program;
    flow->priority = priority;
    flow->table_id = table_id;
    flow->fields = match->fields;
    flow->hash = gather(t, &match->value, tables->seed, flow->key);
    return flow;
}

void flow_free(struct tables *tables, struct flow *flow)
{
    if (--flow->tuple->refs == 0)
        table_drop_tuple(&tables->table[flow->table_id], flow->tuple);
    free(flow->program);
    free(flow);
}

int table_insert(struct tables *tables, struct flow *flow, bool even_if_full)
{
    struct table *table = &tables->table[flow->table_id];
    int err;

    if (!even_if_full && table->flows >= table->max_flows)
        return -ENOSPC;
    if ((err = cookies_grow(tables)) < 0 || (err = tuple_insert(flow->tuple, flow)) < 0)
        return err;
    if (flow->priority > flow->tuple->max_priority || flow->tuple->flows == 1) {
        flow->tuple->max_priority = flow->priority;
        table_sort(table);
    }
    cookie_link(tables, flow);
    table->flows++;
    tables->flow_count++;
    flow->linked = true;
    return 0;
}

void table_remove(struct tables *tables, struct flow *flow)
{
    tuple_remove(flow->tuple, flow);
    cookie_unlink(flow);
    tables->table[flow->table_id].flows--;
    tables->flow_count--;
    flow->linked = false;
}

struct flow *table_find(struct tables *tables, uint8_t table_id, uint16_t priority,
                        const struct of_match *match)
{
    struct tuple *t = table_tuple(&tables->table[table_id], &match->mask);
    struct flow *flow = t ? tuple_match(t, &match->value, tables->seed) : NULL;

    while (flow && flow->priority > priority)
        flow = flow->lower;
    return flow && flow->priority == priority ? flow : NULL;
}

void flow_match(const struct flow *flow, struct of_match *match)
{
    uint64_t *value = (void *)&match->value, *mask = (void *)&match->mask;

    memset(match, 0, sizeof(*match));
    match->fields = flow->fields;
    for (unsigned i = 0; i < flow->tuple->words; i++) {
        value[flow->tuple->index[i]] = flow->key[i];
        mask[flow->tuple->index[i]] = flow->tuple->mask[i];
    }
}

/* ---- many flows ---- */

void tables_init(struct tables *tables, uint64_t seed, uint32_t max_flows)
{
    memset(tables, 0, sizeof(*tables));
    tables->seed = seed;
    for (unsigned i = 0; i < TABLES; i++) {
        tables->table[i].seed = seed;
        tables->table[i].max_flows = max_flows;
        table_choose(&tables->table[i]);
    }
}

struct leaving {
    struct tables *tables;
    struct flow **flows; /* linked by cookie_next, which they need no more */
};

static int remove_and_keep(struct flow *flow, void *context)
{
    struct leaving *leaving = context;

    table_remove(leaving->tables, flow);
    flow->cookie_next = *leaving->flows;
    *leaving->flows = flow;
    return 0;
}

void tables_free(struct tables *tables)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct flow *flows = NULL;

    (void)tables_each(tables, &filter, remove_and_keep, &(struct leaving){tables, &flows});
    while (flows) {
        struct flow *flow = flows;

        flows = flow->cookie_next;
        flow_free(tables, flow);
    }
    for (unsigned i = 0; i < TABLES; i++) {
        free(tables->table[i].tuples);
        tables->table[i].tuples = NULL;
    }
    free(tables->cookies);
    tables->cookies = NULL;
    tables->cookie_size = 0;
}

/* True when the filter's mask asks for nothing that the tuple's flows do not say. */
static bool mask_covers(const struct tuple *t, const struct of_key *mask)
{
    const uint64_t *wanted = (const void *)mask;
    unsigned n = 0;

    for (unsigned i = 0; i < OF_KEY_WORDS; i++) {
        uint64_t has = n < t->words && t->index[n] == i ? t->mask[n++] : 0;

        if (wanted[i] & ~has)
            return false;
    }
    return true;
}

static bool flow_within(const struct flow *flow, const struct of_match *match)
{
    const uint64_t *value = (const void *)&match->value, *mask = (const void *)&match->mask;

    for (unsigned i = 0; i < flow->tuple->words; i++) {
        unsigned at = flow->tuple->index[i];

        if ((flow->key[i] & mask[at]) != value[at])
            return false;
    }
    return true;
}

static int each_flow(struct flow *flow, const struct flow_filter *filter,
                     int (*each)(struct flow *flow, void *context), void *context)
{
    if ((flow->cookie & filter->cookie_mask) != (filter->cookie & filter->cookie_mask))
        return 0;
    if ((filter->out_port != OFPP_ANY &&
         !program_outputs_to(flow->program, filter->out_port, OFPG_ANY)) ||
        (filter->out_group != OFPG_ANY &&
         !program_outputs_to(flow->program, OFPP_ANY, filter->out_group)))
        return 0;
    return each(flow, context);
}

static int each_in_chain(struct flow *flow, const struct flow_filter *filter,
                         int (*each)(struct flow *flow, void *context), void *context)
{
    while (flow) {
        struct flow *lower = flow->lower;
        int err = each_flow(flow, filter, each, context);

        if (err < 0)
            return err;
        flow = lower;
    }
    return 0;
}

static int each_in_tuple(struct tuple *t, const struct flow_filter *filter,
                         int (*each)(struct flow *flow, void *context), void *context)
{
    for (uint32_t i = 0; i < t->size; i++) {
        struct flow *flow = t->slots[i].flow;
        int err;

        if (!flow || flow == FLOW_GONE || !flow_within(flow, filter->match))
            continue;
        if ((err = each_in_chain(flow, filter, each, context)) < 0)
            return err;
    }
    return 0;
}

static int each_in_table(struct table *table, const struct flow_filter *filter,
                         int (*each)(struct flow *flow, void *context), void *context)
{
    int err = 0;

    for (uint32_t i = 0; i < table->tuple_count && err == 0; i++) {
        struct tuple *t = table->tuples[i];

        if (tuple_has_mask(t, &filter->match->mask))
            err = each_in_chain(tuple_match(t, &filter->match->value, table->seed), filter, each,
                                context);
        else if (mask_covers(t, &filter->match->mask))
            err = each_in_tuple(t, filter, each, context);
    }
    return err;
}

static int each_with_cookie(struct tables *tables, const struct flow_filter *filter,
                            int (*each)(struct flow *flow, void *context), void *context)
{
    struct flow *flow, *next;
    int err = 0;

    if (tables->cookie_size == 0)
        return 0;
    for (flow = tables->cookies[cookie_bucket(tables, filter->cookie)]; flow && err == 0;
         flow = next) {
        next = flow->cookie_next;
        if ((filter->table_id == OFPTT_ALL || filter->table_id == flow->table_id) &&
            mask_covers(flow->tuple, &filter->match->mask) && flow_within(flow, filter->match))
            err = each_flow(flow, filter, each, context);
    }
    return err;
}

int tables_each(struct tables *tables, const struct flow_filter *filter,
                int (*each)(struct flow *flow, void *context), void *context)
{
    int err = 0;

    if (filter->cookie_mask == UINT64_MAX)
        return each_with_cookie(tables, filter, each, context);
    if (filter->table_id != OFPTT_ALL)
        return each_in_table(&tables->table[filter->table_id], filter, each, context);
    for (unsigned i = 0; i < TABLES && err == 0; i++)
        err = each_in_table(&tables->table[i], filter, each, context);
    return err;
}

/* Two matches overlap when they agree in the bits that both name. */
static bool flow_overlaps(const struct flow *flow, const struct of_match *match)
{
    const uint64_t *value = (const void *)&match->value, *mask = (const void *)&match->mask;

    for (unsigned i = 0; i < flow->tuple->words; i++) {
        unsigned at = flow->tuple->index[i];

        if ((flow->key[i] ^ value[at]) & mask[at] & flow->tuple->mask[i])
            return false;
    }
    return true;
}

bool table_overlaps(struct tables *tables, uint8_t table_id, uint16_t priority,
                    const struct of_match *match)
{
    const struct table *table = &tables->table[table_id];

    for (uint32_t i = 0; i < table->tuple_count; i++) {
        const struct tuple *t = table->tuples[i];

        for (uint32_t j = 0; j < t->size; j++) {
            const struct flow *flow = t->slots[j].flow;

            if (!flow || flow == FLOW_GONE || !flow_overlaps(flow, match))
                continue;
            for (; flow; flow = flow->lower)
                if (flow->priority == priority)
                    return true;
        }
    }
    return false;
}
