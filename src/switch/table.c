/*
 * table.c -- see table.h: tuples, chains, and how they are searched.
 *
 * A slot of a tuple is one word: 48 bits of address, the first rule of a chain, and 16 bits of its
 * hash, so that a rule that is not meant is hardly ever looked at. A bucket is a cache line of 8
 * slots; what does not fit goes into the next. A search ends at a bucket with a free slot. What is
 * taken out leaves a mark where buckets behind may be meant, and frees the slot where not. Arrays
 * are at most three quarters full and are built anew, larger, beside the old one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "switch/table.h"
#include "switch/table_inner.h"

/* ---- reading a chain ---- */

static inline bool is_there(const struct rule *r, uint64_t version)
{
    const struct flow *flow;

    if (!(rule_flags(r) & RULE_UNSETTLED))
        return true;
    flow = flow_of(r); /* other cache lines: only when it must be */
    return flow->from <= version && version < __atomic_load_n(&flow->until, __ATOMIC_RELAXED);
}

static inline const struct rule *visible(const struct rule *r, uint64_t version)
{
    while (r && !is_there(r, version))
        r = __atomic_load_n(&r->lower, __ATOMIC_ACQUIRE);
    return r;
}

static inline bool key_fits(const struct tuple *t, const struct of_key *key, const uint64_t *words)
{
    const uint64_t *from = (const void *)key;

    for (unsigned i = 0; i < t->words; i++)
        if ((from[t->index[i]] & t->mask[i]) != words[i])
            return false;
    return true;
}

static inline uint64_t slot_read(const uint64_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* The chain for this key, or NULL. */
static inline struct rule *slots_find(const struct slots *s, const struct tuple *t,
                                      const struct of_key *key, uint64_t hash)
{
    for (uint32_t b = (uint32_t)hash & s->mask;; b = (b + 1) & s->mask) {
        const uint64_t *bucket = &s->at[(size_t)b * BUCKET];

        for (unsigned i = 0; i < BUCKET; i++) {
            uint64_t slot = slot_read(&bucket[i]);

            if (slot == SLOT_FREE)
                return NULL;
            if (slot_tag(slot) == hash_tag(hash) && key_fits(t, key, slot_rule(slot)->at))
                return slot_rule(slot);
        }
    }
}

static inline const struct slots *slots_of(const struct tuple *t)
{
    return __atomic_load_n(&t->slots, __ATOMIC_ACQUIRE);
}

static const struct rule *tuple_match(const struct tuple *t, const struct of_key *key,
                                      uint64_t seed, uint64_t version)
{
    if (!tuple_may_have(t, key))
        return NULL;
    return visible(slots_find(slots_of(t), t, key, tuple_hash(t, key, seed)), version);
}

/* ---- one key ---- */

static inline bool prefixes_fit(const struct prefixes *p, const struct of_key *key)
{
    const uint64_t *words = (const void *)key;

    for (unsigned i = 0; i < p->words; i++)
        if ((words[p->index[i]] & p->mask[i]) != p->value[i])
            return false;
    return true;
}

static inline const uint8_t *prefixes_address(const struct prefixes *p, const struct of_key *key)
{
    return (const uint8_t *)key + p->offset;
}

/* The longest is not there in this version: the next shorter that is. */
static const struct rule *prefixes_match_shorter(const struct prefixes *p, const struct of_key *key,
                                                 uint64_t version)
{
    const struct rule *r = NULL;
    void *found[LPM_MAX_MATCHES];
    unsigned n = lpm_matches(p->lpm, prefixes_address(p, key), found, LPM_MAX_MATCHES);

    for (unsigned i = 0; i < n && !r; i++)
        r = visible(found[i], version);
    return r;
}

static const struct rule *prefixes_match(const struct prefixes *p, const struct of_key *key,
                                         uint64_t version)
{
    const struct rule *r, *seen;

    if (!prefixes_fit(p, key) || !(r = lpm_lookup(p->lpm, prefixes_address(p, key))))
        return NULL;
    seen = visible(r, version);
    return seen ? seen : prefixes_match_shorter(p, key, version);
}

static const struct rule *few_match(const struct matcher *m, const struct of_key *key,
                                    uint64_t version)
{
    for (unsigned i = 0; i < m->count; i++)
        if (key_fits(m->few[i].tuple, key, m->few[i].rule->at) && is_there(m->few[i].rule, version))
            return m->few[i].rule;
    return NULL;
}

static const struct rule *units_match(const struct matcher *m, const struct of_key *key,
                                      uint64_t seed, uint64_t version)
{
    const struct rule *best = NULL;

    for (unsigned i = 0; i < m->count; i++) {
        const struct unit *u = &m->units[i];
        const struct rule *r;

        if (best && best->priority >= u->max_priority)
            break;
        r = u->tuple ? tuple_match(u->tuple, key, seed, version)
                     : prefixes_match(u->prefixes, key, version);
        if (r && (!best || r->priority > best->priority))
            best = r;
    }
    return best;
}

static const struct rule *matcher_find(const struct matcher *m, const struct of_key *key,
                                       uint64_t seed, uint64_t version)
{
    return m->is_few ? few_match(m, key, version) : units_match(m, key, seed, version);
}

static inline const struct matcher *matcher_of(const struct table *table)
{
    return __atomic_load_n(&table->matcher, __ATOMIC_ACQUIRE);
}

const struct rule *table_lookup(const struct tables *tables, uint8_t table_id, uint64_t version,
                                const struct of_key *key)
{
    const struct matcher *m = matcher_of(&tables->table[table_id]);

    return m ? matcher_find(m, key, tables->seed, version) : NULL;
}

/* ---- a burst of keys ---- */

/* The first rule of a bucket that has this tag, or NULL. Which slots have it is found without
 * branches: where in its bucket a rule lies can not be foretold, and a wrong guess costs more than
 * looking at all of them. */
static inline const struct rule *bucket_likely(const uint64_t *bucket, uint64_t tag)
{
    unsigned tagged = 0;

#pragma GCC unroll 8
    for (unsigned i = BUCKET; i-- > 0;)
        tagged = tagged * 2 + ((slot_read(&bucket[i]) ^ tag) <= ~SLOT_TAG);
    return tagged ? slot_rule(slot_read(&bucket[__builtin_ctz(tagged)]) & ~SLOT_GONE) : NULL;
}

/* What one packet's search will touch is brought into the cache for all packets before any of it is
 * looked at: the buckets, then the rules, then their counters. */
static void tuple_match_burst(const struct tuple *t, uint64_t seed, uint64_t version,
                              const struct of_key *const *keys, size_t count,
                              const struct rule **found, struct counter_owner *owner)
{
    const struct slots *s = slots_of(t);
    uint64_t hash[BURST];
    const struct rule *likely[BURST];

    for (size_t i = 0; i < count; i++) {
        hash[i] = tuple_hash(t, keys[i], seed);
        __builtin_prefetch(&s->at[((uint32_t)hash[i] & s->mask) * (size_t)BUCKET]);
    }
    for (size_t i = 0; i < count; i++) {
        const uint64_t *bucket = &s->at[((uint32_t)hash[i] & s->mask) * (size_t)BUCKET];

        likely[i] = bucket_likely(bucket, hash_tag(hash[i]));
        __builtin_prefetch(likely[i]);
    }
    for (size_t i = 0; i < count; i++) {
        const struct rule *r = likely[i];

        if (!r || !key_fits(t, keys[i], r->at))
            r = slots_find(s, t, keys[i], hash[i]);
        found[i] = visible(r, version);
        if (found[i])
            __builtin_prefetch(counter_of(owner, found[i]->counter), 1);
    }
}

/* All of them fit. */
static void prefixes_match_burst(const struct prefixes *p, uint64_t version,
                                 const struct of_key *const *keys, size_t count,
                                 const struct rule **found, struct counter_owner *owner)
{
    const uint8_t *addresses[BURST];
    void *rules[BURST];

    addresses[0] = NULL;
    for (size_t i = 0; i < count; i++)
        addresses[i] = prefixes_address(p, keys[i]);
    lpm_lookup_burst(p->lpm, addresses, rules, (unsigned)count);
    for (size_t i = 0; i < count; i++)
        if (rules[i])
            __builtin_prefetch(rules[i]);
    for (size_t i = 0; i < count; i++) {
        found[i] = visible(rules[i], version);
        if (rules[i] && !found[i])
            found[i] = prefixes_match_shorter(p, keys[i], version);
        if (found[i])
            __builtin_prefetch(counter_of(owner, found[i]->counter), 1);
    }
}

static inline bool unit_may_have(const struct unit *u, const struct of_key *key)
{
    return u->tuple ? tuple_may_have(u->tuple, key) : prefixes_fit(u->prefixes, key);
}

static void unit_match_burst(const struct unit *u, uint64_t seed, uint64_t version,
                             const struct of_key *const *keys, size_t count,
                             const struct rule **found, struct counter_owner *owner)
{
    if (u->tuple)
        tuple_match_burst(u->tuple, seed, version, keys, count, found, owner);
    else
        prefixes_match_burst(u->prefixes, version, keys, count, found, owner);
}

/* Each unit for those for whom the ones before were not enough. */
static void units_match_burst(const struct matcher *m, uint64_t seed, uint64_t version,
                              const struct of_key *const *keys, size_t count,
                              const struct rule **found, struct counter_owner *owner)
{
    const struct of_key *open[BURST];
    const struct rule *rules[BURST];
    uint8_t which[BURST];

    for (size_t i = 0; i < count; i++)
        found[i] = NULL;
    for (uint32_t n = 0; n < m->count; n++) {
        const struct unit *u = &m->units[n];
        size_t left = 0;

        for (size_t i = 0; i < count; i++)
            if ((!found[i] || found[i]->priority < u->max_priority) && unit_may_have(u, keys[i])) {
                which[left] = (uint8_t)i;
                open[left++] = keys[i];
            }
        if (left == 0)
            continue;
        unit_match_burst(u, seed, version, open, left, rules, owner);
        for (size_t i = 0; i < left; i++)
            if (rules[i] && (!found[which[i]] || found[which[i]]->priority < rules[i]->priority))
                found[which[i]] = rules[i];
    }
}

/* ---- the exact-match cache ---- */

struct cached {
    uint64_t generation;
    const struct rule *rule;
    uint32_t hash;
    uint32_t table_id;
    uint64_t words[CACHE_WORDS];
};

struct table_cache {
    uint32_t asked, hit; /* of late */
    uint32_t silent;     /* lookups to go until it is asked again */
    struct cached entries[CACHE_ENTRIES];
};

struct table_cache *table_cache_new(void)
{
    return slab_alloc(sizeof(struct table_cache));
}

void table_cache_free(struct table_cache *cache)
{
    slab_free(cache);
}

/* True when traffic of late was such that asking pays. */
static bool cache_is_asked(struct table_cache *cache)
{
    if (cache->silent) {
        cache->silent--;
        return false;
    }
    if (cache->asked == CACHE_TRIAL) {
        if (cache->hit < CACHE_TRIAL / 8)
            cache->silent = CACHE_SILENCE;
        cache->asked = cache->hit = 0;
    }
    cache->asked++;
    return true;
}

static const struct rule *cached_match(const struct tables *tables, uint8_t table_id,
                                       const struct matcher *m, const struct of_key *key,
                                       uint64_t version, uint64_t generation,
                                       struct table_cache *cache)
{
    const uint64_t *from = (const void *)key;
    uint64_t words[CACHE_WORDS], h = tables->seed + table_id;
    const struct rule *rule;
    struct cached *c;

    if (!cache_is_asked(cache))
        return units_match(m, key, tables->seed, version);
    for (unsigned i = 0; i < m->words; i++) {
        words[i] = from[m->index[i]] & m->mask[i];
        h = hash_mix(h, words[i]);
    }
    c = &cache->entries[h % CACHE_ENTRIES];
    if (c->generation == generation && c->table_id == table_id && c->hash == (uint32_t)(h >> 32) &&
        memcmp(c->words, words, m->words * sizeof(words[0])) == 0) {
        cache->hit++;
        return c->rule;
    }
    rule = units_match(m, key, tables->seed, version);
    c->generation = generation;
    c->table_id = table_id;
    c->hash = (uint32_t)(h >> 32);
    c->rule = rule;
    memcpy(c->words, words, m->words * sizeof(words[0]));
    return rule;
}

void table_lookup_burst(const struct tables *tables, uint8_t table_id, uint64_t version,
                        const struct of_key *const *keys, size_t count, const struct rule **found,
                        struct counter_owner *owner, struct table_cache *cache)
{
    const struct table *table = &tables->table[table_id];
    const struct matcher *m = matcher_of(table);
    /* Read behind the matcher: one that is of a change not published yet is not remembered. */
    uint64_t generation = __atomic_load_n(&table->generation, __ATOMIC_ACQUIRE);

    if (!m) {
        memset(found, 0, count * sizeof(const struct rule *));
    } else if (m->is_few) {
        for (size_t i = 0; i < count; i++)
            found[i] = few_match(m, keys[i], version);
    } else if (m->words && cache && generation <= version) {
        for (size_t i = 0; i < count; i++)
            found[i] = cached_match(tables, table_id, m, keys[i], version, generation, cache);
    } else {
        units_match_burst(m, tables->seed, version, keys, count, found, owner);
    }
}
