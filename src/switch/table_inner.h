/*
 * table_inner.h -- how a table's flows lie in memory; for table.c, which searches, and
 * table_change.c, which changes.
 */
#ifndef STROWGER_SWITCH_TABLE_INNER_H
#define STROWGER_SWITCH_TABLE_INNER_H

#include "switch/lpm.h"
#include "switch/table.h"

#define BUCKET 8u /* slots of a cache line */

/* A slot: the tag of the hash in the upper 16 bits, the address of a rule in the others. A tag is
 * never zero, so that it tells a rule from what is none. */
#define SLOT_FREE UINT64_C(0)
#define SLOT_GONE UINT64_C(1) /* was taken, and buckets behind may be meant */
#define SLOT_TAG  UINT64_C(0xffff000000000000)

static inline uint64_t slot_tag(uint64_t slot)
{
    return slot & SLOT_TAG;
}

static inline uint64_t hash_tag(uint64_t hash)
{
    return (hash & SLOT_TAG) | UINT64_C(1) << 48;
}

static inline struct rule *slot_rule(uint64_t slot)
{
    return (struct rule *)(uintptr_t)(slot & ~SLOT_TAG);
}

struct slots {
    struct reclaim reclaim;
    uint32_t mask; /* buckets - 1 */
    uint32_t used, gone;
    _Alignas(64) uint64_t at[];
};

/* Flows of one mask. */
struct tuple {
    struct slots *slots;
    uint8_t words;
    uint8_t index[OF_KEY_WORDS]; /* of the words that matter */
    uint64_t mask[OF_KEY_WORDS]; /* of those */
    /* What all flows have in common: bits of `common` have the value of `first` in every one, so a
     * key that has another is not looked for. Bits only leave, before a flow without them is
     * published. */
    uint64_t first[OF_KEY_WORDS], common[OF_KEY_WORDS];
    /* the changing thread's own */
    struct reclaim reclaim;
    struct tables *tables;
    struct prefixes *prefixes; /* that it is part of, or NULL */
    uint16_t prefix_len;
    uint16_t max_priority, min_priority; /* no flow of it has a higher, a lower one */
    uint32_t linked;                     /* flows in it */
    uint32_t refs; /* and those not in it: it stays as long as there are any */
};

/* Flows that differ in a prefix of one address, and have all else in common. */
#define PREFIX_MIN_LENGTHS 4 /* fewer are as quick one by one */

struct prefixes {
    struct reclaim reclaim;
    struct lpm *lpm; /* of struct rule *, the first of a chain */
    uint16_t offset; /* of the address in the key */
    uint16_t bits;
    uint8_t words; /* of what they have in common */
    uint8_t index[OF_KEY_WORDS];
    uint64_t mask[OF_KEY_WORDS], value[OF_KEY_WORDS];
};

struct unit {
    uint16_t max_priority;
    const struct tuple *tuple; /* NULL: prefixes */
    const struct prefixes *prefixes;
};

#define FEW 8u

/* How a table is searched. Never changed, only replaced. */
struct matcher {
    struct reclaim reclaim;
    bool is_few;
    uint8_t words; /* of the union of all masks, when the cache is worth asking; else 0 */
    uint8_t index[8];
    uint64_t mask[8];
    uint32_t count; /* of few or units; never 0 */
    union {
        struct {
            const struct rule *rule;
            const struct tuple *tuple;
        } few[FEW];
        struct unit units[FEW]; /* there may be more */
    };
};

/* The exact-match cache. */
#define CACHE_FROM_UNITS 4 /* fewer are as quick */
#define CACHE_WORDS      8
#define CACHE_ENTRIES    8192u
#define CACHE_TRIAL      4096u /* lookups after which is seen whether it paid */
#define CACHE_SILENCE    65536u

static inline uint64_t hash_mix(uint64_t h, uint64_t word)
{
    __uint128_t product = (__uint128_t)(h ^ word) * 0x9fb21c651e98df25ull;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_words(const uint64_t *words, unsigned n, uint64_t seed)
{
    uint64_t h = seed;

    for (unsigned i = 0; i < n; i++)
        h = hash_mix(h, words[i]);
    return h ^ h >> 29;
}

static inline bool tuple_may_have(const struct tuple *t, const struct of_key *key)
{
    const uint64_t *from = (const void *)key;

    for (unsigned i = 0; i < t->words; i++)
        if ((from[t->index[i]] ^ __atomic_load_n(&t->first[i], __ATOMIC_RELAXED)) &
            __atomic_load_n(&t->common[i], __ATOMIC_RELAXED))
            return false;
    return true;
}

static inline uint64_t tuple_hash(const struct tuple *t, const struct of_key *key, uint64_t seed)
{
    const uint64_t *from = (const void *)key;
    uint64_t h = seed;

    for (unsigned i = 0; i < t->words; i++)
        h = hash_mix(h, from[t->index[i]] & t->mask[i]);
    return h ^ h >> 29;
}

#endif
