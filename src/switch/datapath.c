/*
 * datapath.c -- groups and meters (OpenFlow 1.3.5 clauses 5.6 and 5.7), how workers find them, and
 * the data path as a whole.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/timer.h"
#include "switch/worker.h"

/* ---- entries ---- */

#define NOBODY ((struct entry *)1) /* was taken, and others behind may be meant */

struct entry_table {
    struct reclaim reclaim;
    uint32_t mask;
    struct entry *at[];
};

static uint32_t entry_hash(uint32_t id)
{
    return (uint32_t)((id + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static struct entry *slot_entry(struct entry *const *slot)
{
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* The slot that holds the id, or NULL. */
static struct entry **entry_slot(struct entry_table *t, uint32_t id)
{
    for (uint32_t i = entry_hash(id) & t->mask;; i = (i + 1) & t->mask) {
        struct entry *e = slot_entry(&t->at[i]);

        if (!e)
            return NULL;
        if (e != NOBODY && e->id == id)
            return &t->at[i];
    }
}

struct entry *entry_find(const struct entry_index *index, uint32_t id, uint64_t version)
{
    struct entry_table *t = __atomic_load_n(&index->table, __ATOMIC_ACQUIRE);
    struct entry **slot = t ? entry_slot(t, id) : NULL;
    struct entry *e = slot ? slot_entry(slot) : NULL;

    if (e == NOBODY)
        return NULL;
    while (e && e->from > version)
        e = __atomic_load_n(&e->older, __ATOMIC_ACQUIRE);
    return e && !e->gone ? e : NULL;
}

static void entry_put(struct entry_table *t, struct entry *e)
{
    uint32_t i = entry_hash(e->id) & t->mask;

    while (t->at[i])
        i = (i + 1) & t->mask;
    __atomic_store_n(&t->at[i], e, __ATOMIC_RELEASE);
}

static void entry_table_reclaim(struct reclaim *reclaim)
{
    free(container_of(reclaim, struct entry_table, reclaim));
}

/* Room for one more; `used` counts marks, too, until the table is made anew. */
static int entry_grow(struct entry_index *index)
{
    struct entry_table *old = index->table, *t;
    uint32_t size = old ? old->mask + 1 : 0, live = 0;

    if ((index->used + 1) * 2 <= size)
        return 0;
    for (uint32_t i = 0; i < size; i++)
        live += old->at[i] && old->at[i] != NOBODY;
    size = size < 16 ? 16 : (live + 1) * 2 > size / 2 ? size * 2 : size;
    t = calloc(1, sizeof(*t) + size * sizeof(struct entry *));
    if (!t)
        return -ENOMEM;
    t->mask = size - 1;
    for (uint32_t i = 0; old && i <= old->mask; i++)
        if (old->at[i] && old->at[i] != NOBODY)
            entry_put(t, old->at[i]);
    index->used = live;
    __atomic_store_n(&index->table, t, __ATOMIC_RELEASE);
    if (old)
        reclaim_later(&old->reclaim, entry_table_reclaim);
    return 0;
}

int entry_push(struct entry_index *index, struct entry *entry)
{
    struct entry **slot;
    int err = entry_grow(index);

    if (err < 0)
        return err;
    entry->index = index;
    slot = entry_slot(index->table, entry->id);
    entry->older = slot ? *slot : NULL;
    if (slot) {
        __atomic_store_n(slot, entry, __ATOMIC_RELEASE);
    } else {
        entry_put(index->table, entry);
        index->used++;
    }
    return 0;
}

void entry_pop(struct entry *entry)
{
    struct entry **slot = entry_slot(entry->index->table, entry->id);

    __atomic_store_n(slot, entry->older ? entry->older : NOBODY, __ATOMIC_RELEASE);
}

void entry_settle(struct entry *entry)
{
    struct entry **slot = entry_slot(entry->index->table, entry->id);

    __atomic_store_n(&entry->older, NULL, __ATOMIC_RELEASE);
    if (entry->gone && slot && *slot == entry)
        __atomic_store_n(slot, NOBODY, __ATOMIC_RELEASE);
}

void entry_index_free(struct entry_index *index)
{
    free(index->table);
    index->table = NULL;
    index->used = 0;
}

/* ---- the whole ---- */

int datapath_init(struct datapath *dp, uint64_t seed, uint32_t max_flows, unsigned threads)
{
    int err;

    memset(dp, 0, sizeof(*dp));
    if ((err = counters_init(&dp->counters, threads + 1)) < 0)
        return err;
    tables_init(&dp->tables, &dp->counters, seed, max_flows);
    map_init(&dp->groups);
    map_init(&dp->meters);
    dp->macs = mac_table_new();
    dp->worker_count = threads + 1;
    for (unsigned i = 0; i <= threads; i++)
        if (!(dp->workers[i] = worker_new(dp, i)))
            return -ENOMEM;
    dp->drops = port_new(dp, NULL, NULL, 0);
    return dp->macs && dp->drops ? 0 : -ENOMEM;
}

static void free_entries(struct map *map, bool meters)
{
    size_t at = 0;
    uint64_t key, value;

    while (map_next(map, &at, &key, &value)) {
        if (meters)
            meter_free((struct meter *)(uintptr_t)value);
        else
            group_free((struct group *)(uintptr_t)value);
    }
    map_free(map);
}

void datapath_free(struct datapath *dp)
{
    for (size_t i = 1; i < MAX_PORTS; i++)
        if (dp->ports[i])
            port_close(dp->ports[i]);
    reclaim_all();
    tables_free(&dp->tables);
    free_entries(&dp->groups, false);
    free_entries(&dp->meters, true);
    entry_index_free(&dp->group_index);
    entry_index_free(&dp->meter_index);
    if (dp->drops)
        port_close(dp->drops);
    reclaim_all();
    for (unsigned i = 0; i < dp->worker_count; i++)
        worker_free(dp->workers[i]);
    free(dp->macs);
    counters_free(&dp->counters);
    packet_thread_done();
    packet_pool_free();
}

void datapath_set_standalone(struct datapath *dp, bool standalone)
{
    __atomic_store_n(&dp->standalone, standalone, __ATOMIC_RELAXED);
}

/* ---- groups ---- */

/* Actions, and twice as many ops as they become: compiling needs the room. */
static size_t group_size(const struct of_group_mod *mod, size_t *actions)
{
    size_t ops = 0;

    *actions = 0;
    for (size_t i = 0; i < mod->buckets.count; i++) {
        *actions += mod->buckets.at[i].actions.count;
        ops += 2 * program_set_size(&mod->buckets.at[i].actions);
    }
    return sizeof(struct group) + mod->buckets.count * sizeof(struct bucket) +
           *actions * sizeof(struct of_action) + ops * sizeof(struct op);
}

static void fill_bucket(struct bucket *b, const struct of_bucket *from, struct of_action **at,
                        struct op **ops)
{
    b->config = *from;
    if (from->actions.count)
        memcpy(*at, from->actions.at, from->actions.count * sizeof(**at));
    b->config.actions.at = *at;
    *at += from->actions.count;
    b->ops = *ops;
    b->op_count = (uint32_t)program_compile_set(*ops, &from->actions);
    *ops += 2 * program_set_size(&from->actions);
}

struct group *group_new(struct datapath *dp, const struct of_group_mod *mod, uint64_t now_us)
{
    size_t actions, size = group_size(mod, &actions);
    struct group *group = slab_alloc(size);
    struct of_action *at;
    struct op *ops;

    if (!group)
        return NULL;
    group->counters = &dp->counters;
    if (counter_new(&dp->counters, &group->counter) < 0) {
        slab_free(group);
        return NULL;
    }
    group->owns_counter = true;
    group->id = group->entry.id = mod->group_id;
    group->type = mod->type;
    group->created_us = now_us;
    at = (struct of_action *)&group->buckets[mod->buckets.count];
    ops = (struct op *)(at + actions);
    for (size_t i = 0; i < mod->buckets.count; i++) {
        struct bucket *b = &group->buckets[i];

        fill_bucket(b, &mod->buckets.at[i], &at, &ops);
        if (counter_new(&dp->counters, &b->counter) < 0) {
            group_free(group);
            return NULL;
        }
        group->bucket_count++;
    }
    return group;
}

void group_free(struct group *group)
{
    for (uint32_t i = 0; i < group->bucket_count; i++)
        counter_free(group->counters, group->buckets[i].counter);
    if (group->owns_counter)
        counter_free(group->counters, group->counter);
    slab_free(group);
}

void group_take_counter(struct group *to, struct group *from)
{
    if (to->owns_counter) /* one that was never used */
        counter_free(to->counters, to->counter);
    to->counter = from->counter;
    to->owns_counter = true;
    from->owns_counter = false;
}

void group_give_counter_back(struct group *from, struct group *to)
{
    to->owns_counter = true;
    from->owns_counter = false;
}

struct liveness {
    const struct datapath *dp;
    uint64_t version;
    unsigned *steps;
};

static bool is_live(const struct liveness *l, const struct of_bucket *bucket, unsigned depth);

/* Clause 5.6.1: a group is live when one of its buckets is. */
static bool group_is_live(const struct liveness *l, uint32_t id, unsigned depth)
{
    const struct group *group =
        (const struct group *)entry_find(&l->dp->group_index, id, l->version);

    for (uint32_t i = 0; group && i < group->bucket_count && *l->steps; i++) {
        --*l->steps;
        if (is_live(l, &group->buckets[i].config, depth))
            return true;
    }
    return false;
}

static bool is_live(const struct liveness *l, const struct of_bucket *bucket, unsigned depth)
{
    if (bucket->watch_port == OFPP_ANY && bucket->watch_group == OFPG_ANY)
        return true;
    if (bucket->watch_port != OFPP_ANY && port_is_live(datapath_port(l->dp, bucket->watch_port)))
        return true;
    return bucket->watch_group != OFPG_ANY && depth < GROUP_DEPTH &&
           group_is_live(l, bucket->watch_group, depth + 1);
}

bool bucket_is_live(const struct datapath *dp, uint64_t version, const struct of_bucket *bucket,
                    unsigned *steps)
{
    struct liveness l = {dp, version, steps};

    return is_live(&l, bucket, 0);
}

/* ---- meters ---- */

/* A band is a bucket of tokens, kept as the one time at which it will be full again: what a packet
 * takes moves it on by the time that brings as many tokens, and when it lies further ahead than a
 * whole burst takes, the band is exceeded. So all workers share one word, and change it in one
 * step. Times are in 64ths of a nanosecond: 9 years in 64 bits, and 64 bytes at 100 Gbit/s are
 * 328. */
#define UNITS_PER_US     64000u
#define LEAST_BURST_BITS UINT64_C(16000) /* a full Ethernet frame must pass */
#define LONGEST_BURST    (UINT64_C(1) << 60)

static uint64_t units_for(uint16_t flags, uint64_t amount, uint32_t rate)
{
    __uint128_t units =
        (__uint128_t)amount *
        (flags & OFPMF_PKTPS ? UINT64_C(1000000) * UNITS_PER_US : UINT64_C(1000) * UNITS_PER_US) /
        rate;

    return units > LONGEST_BURST ? LONGEST_BURST : (uint64_t)units;
}

/* In packets or bits; without OFPMF_BURST what 100 ms bring, and one packet at least. */
static uint64_t band_burst(uint16_t flags, const struct of_meter_band *band)
{
    uint64_t burst, least = flags & OFPMF_PKTPS ? 1 : LEAST_BURST_BITS;

    if (flags & OFPMF_BURST)
        return flags & OFPMF_PKTPS ? band->burst_size : (uint64_t)band->burst_size * 1000;
    burst = (uint64_t)band->rate * (flags & OFPMF_PKTPS ? 1 : 1000) / 10;
    return burst < least ? least : burst;
}

struct meter *meter_new(struct datapath *dp, const struct of_meter_mod *mod, uint64_t now_us)
{
    struct meter *meter = slab_alloc(sizeof(*meter) + mod->bands.count * sizeof(struct band));

    if (!meter)
        return NULL;
    meter->counters = &dp->counters;
    if (counter_new(&dp->counters, &meter->counter) < 0) {
        slab_free(meter);
        return NULL;
    }
    meter->id = meter->entry.id = mod->meter_id;
    meter->flags = mod->flags;
    meter->created_us = now_us;
    for (size_t i = 0; i < mod->bands.count; i++) {
        struct band *band = &meter->bands[i];

        band->config = mod->bands.at[i];
        band->burst =
            units_for(mod->flags, band_burst(mod->flags, &band->config), band->config.rate);
        if (counter_new(&dp->counters, &band->counter) < 0) {
            meter_free(meter);
            return NULL;
        }
        meter->band_count++;
    }
    return meter;
}

void meter_free(struct meter *meter)
{
    for (uint32_t i = 0; i < meter->band_count; i++)
        counter_free(meter->counters, meter->bands[i].counter);
    counter_free(meter->counters, meter->counter);
    slab_free(meter);
}

/* RFC 2597: assured forwarding classes 1 to 4 have drop precedences 1 to 3 in bits 1 and 2. */
static void remark(struct packet *p, uint8_t prec_level)
{
    uint8_t class = p->key.ip_dscp >> 3, precedence = p->key.ip_dscp >> 1 & 3, dscp;

    if (!p->l3_len || class < 1 || class > 4 || precedence == 0 || (p->key.ip_dscp & 1))
        return;
    precedence = precedence + prec_level > 3 ? 3 : (uint8_t)(precedence + prec_level);
    dscp = (uint8_t)(class << 3 | precedence << 1);
    packet_set_field(p, OF_IP_DSCP, &dscp);
}

/* False when the band is exceeded; else the packet has taken its share. */
static bool band_take(struct band *band, uint64_t now, uint64_t cost)
{
    uint64_t full = __atomic_load_n(&band->full, __ATOMIC_RELAXED), next;

    do {
        next = (full > now ? full : now) + cost;
        if (next - now > band->burst)
            return false;
    } while (!__atomic_compare_exchange_n(&band->full, &full, next, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

bool meter_apply(struct worker *w, struct meter *meter, struct packet *p)
{
    uint64_t now = w->now_us * UNITS_PER_US;
    uint64_t amount = meter->flags & OFPMF_PKTPS ? 1 : (uint64_t)p->len * 8;
    struct band *hit = NULL;

    counter_count(w->counters, meter->counter, p->len);
    for (uint32_t i = 0; i < meter->band_count; i++) {
        struct band *band = &meter->bands[i];

        if (!band_take(band, now, units_for(meter->flags, amount, band->config.rate)) &&
            (!hit || band->config.rate > hit->config.rate))
            hit = band; /* clause 5.7.1: the highest rate exceeded */
    }
    if (!hit)
        return true;
    counter_count(w->counters, hit->counter, p->len);
    if (hit->config.type == OFPMBT_DROP)
        return false;
    remark(p, hit->config.prec_level);
    return true;
}
