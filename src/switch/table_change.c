/*
 * table_change.c -- see table.h: putting flows into tables, taking them out, and finding them for
 * controllers.
 *
 * Order matters, as readers look on: a rule is whole before a slot or a chain leads to it; what it
 * leads to stays until no reader can be on it. A flow that goes is first marked (`until`), stays in
 * its chain for those who still read the old version, is taken out of the chain one grace period
 * later, and freed after another.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timer.h"
#include "switch/table_inner.h"

static void put_pointer(void *at, void *value)
{
    __atomic_store_n((void **)at, value, __ATOMIC_RELEASE);
}

/* ---- slots ---- */

static struct slots *slots_new(uint32_t buckets)
{
    struct slots *s = slab_alloc(sizeof(*s) + (size_t)buckets * BUCKET * sizeof(s->at[0]));

    if (s)
        s->mask = buckets - 1;
    return s;
}

static void slots_reclaim(struct reclaim *reclaim)
{
    slab_free(container_of(reclaim, struct slots, reclaim));
}

static uint64_t slot_of(const struct rule *r, uint64_t hash)
{
    return (uint64_t)(uintptr_t)r | hash_tag(hash);
}

static uint64_t rule_hash(const struct rule *r, uint64_t seed)
{
    return hash_words(r->at, r->words, seed);
}

/* The slot whose chain has this key, or NULL. */
static uint64_t *slots_find(struct slots *s, const uint64_t *words, unsigned n, uint64_t hash)
{
    for (uint32_t b = (uint32_t)hash & s->mask;; b = (b + 1) & s->mask)
        for (unsigned i = 0; i < BUCKET; i++) {
            uint64_t *slot = &s->at[(size_t)b * BUCKET + i];

            if (*slot == SLOT_FREE)
                return NULL;
            if (slot_tag(*slot) == hash_tag(hash) &&
                memcmp(slot_rule(*slot)->at, words, n * sizeof(words[0])) == 0)
                return slot;
        }
}

static void slots_put(struct slots *s, const struct rule *r, uint64_t hash)
{
    for (uint32_t b = (uint32_t)hash & s->mask;; b = (b + 1) & s->mask)
        for (unsigned i = 0; i < BUCKET; i++) {
            uint64_t *slot = &s->at[(size_t)b * BUCKET + i];

            if (*slot != SLOT_FREE && *slot != SLOT_GONE)
                continue;
            s->gone -= *slot == SLOT_GONE;
            s->used++;
            __atomic_store_n(slot, slot_of(r, hash), __ATOMIC_RELEASE);
            return;
        }
}

/* A bucket with a free slot is where searches end: nothing behind it can be meant by them. */
static void slots_take(struct slots *s, uint64_t *slot)
{
    const uint64_t *bucket = &s->at[((size_t)(slot - s->at)) / BUCKET * BUCKET];

    s->used--;
    if (bucket[BUCKET - 1] == SLOT_FREE && slot + 1 < bucket + BUCKET && slot[1] == SLOT_FREE) {
        __atomic_store_n(slot, SLOT_FREE, __ATOMIC_RELEASE);
    } else {
        s->gone++;
        __atomic_store_n(slot, SLOT_GONE, __ATOMIC_RELEASE);
    }
}

/* Room for one chain more. */
static int tuple_grow(struct tuple *t, uint64_t seed)
{
    struct slots *old = t->slots, *s;
    size_t room = ((size_t)old->mask + 1) * BUCKET;
    uint32_t buckets = old->mask + 1;

    if ((old->used + old->gone + 1) * (size_t)4 <= room * 3)
        return 0;
    if ((old->used + 1) * (size_t)2 > room)
        buckets *= 2;
    if (!(s = slots_new(buckets)))
        return -ENOMEM;
    for (size_t i = 0; i < room; i++) {
        if (i + 16 < room)
            __builtin_prefetch(slot_rule(old->at[i + 16]));
        if (old->at[i] != SLOT_FREE && old->at[i] != SLOT_GONE)
            slots_put(s, slot_rule(old->at[i]), rule_hash(slot_rule(old->at[i]), seed));
    }
    put_pointer(&t->slots, s);
    reclaim_later(&old->reclaim, slots_reclaim);
    return 0;
}

/* ---- tuples ---- */

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
    t->min_priority = UINT16_MAX;
    t->slots = slots_new(1);
    if (!t->slots) {
        free(t);
        return NULL;
    }
    return t;
}

static void tuple_reclaim(struct reclaim *reclaim)
{
    struct tuple *t = container_of(reclaim, struct tuple, reclaim);

    slab_free(t->slots);
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
    if (t)
        tuples[table->tuple_count++] = t;
    return t;
}

/* No matcher leads to it any more: it has no linked flows. */
static void table_drop_tuple(struct table *table, struct tuple *t)
{
    uint32_t i = 0;

    while (table->tuples[i] != t)
        i++;
    memmove(&table->tuples[i], &table->tuples[i + 1],
            (table->tuple_count - i - 1) * sizeof(struct tuple *));
    table->tuple_count--;
    reclaim_later(&t->reclaim, tuple_reclaim);
}

/* The words of a match that a tuple's keys have. */
static void gather(const struct tuple *t, const struct of_key *key, uint64_t *words)
{
    const uint64_t *from = (const void *)key;

    for (unsigned i = 0; i < t->words; i++)
        words[i] = from[t->index[i]] & t->mask[i];
}

static struct rule *tuple_chain(const struct tuple *t, const struct of_key *key, uint64_t seed)
{
    uint64_t words[OF_KEY_WORDS], *slot;

    gather(t, key, words);
    slot = slots_find(t->slots, words, t->words, hash_words(words, t->words, seed));
    return slot ? slot_rule(*slot) : NULL;
}

/* ---- chains ---- */

/* Before those of the same priority: the newest is seen first. */
static struct rule **chain_place(struct rule **head, uint16_t priority)
{
    struct rule **at = head;

    while (*at && (*at)->priority > priority)
        at = &(*at)->lower;
    return at;
}

/* Bits in which this rule differs from the first are common to all no more. */
static void tuple_note_common(struct tuple *t, const struct rule *r)
{
    for (unsigned i = 0; i < t->words; i++) {
        uint64_t first = t->linked ? t->first[i] : r->at[i];
        uint64_t common = (t->linked ? t->common[i] : t->mask[i]) & ~(r->at[i] ^ first);

        __atomic_store_n(&t->first[i], first, __ATOMIC_RELAXED);
        __atomic_store_n(&t->common[i], common, __ATOMIC_RELAXED);
    }
}

/* Into its chain; *head is then the chain's first rule. */
static int chain_link(struct tuple *t, struct rule *r, uint64_t seed, struct rule **head)
{
    uint64_t hash = rule_hash(r, seed);
    uint64_t *slot = slots_find(t->slots, r->at, r->words, hash);
    struct rule *first = slot ? slot_rule(*slot) : NULL, **at;
    int err;

    tuple_note_common(t, r);
    if (!first) {
        if ((err = tuple_grow(t, seed)) < 0)
            return err;
        r->lower = NULL;
        slots_put(t->slots, r, hash);
        *head = r;
        return 0;
    }
    at = chain_place(&first, r->priority);
    r->lower = *at;
    if (at == &first)
        __atomic_store_n(slot, slot_of(r, hash), __ATOMIC_RELEASE);
    else
        put_pointer(at, r);
    *head = at == &first ? r : first;
    return 0;
}

/* Out of it; returns the chain's first rule, or NULL when it is empty now. */
static struct rule *chain_unlink(struct tuple *t, struct rule *r, uint64_t seed)
{
    uint64_t hash = rule_hash(r, seed);
    uint64_t *slot = slots_find(t->slots, r->at, r->words, hash);
    struct rule *first = slot_rule(*slot), *before = first;

    if (first == r) {
        if (r->lower)
            __atomic_store_n(slot, slot_of(r->lower, hash), __ATOMIC_RELEASE);
        else
            slots_take(t->slots, slot);
        return r->lower;
    }
    while (before->lower != r)
        before = before->lower;
    put_pointer(&before->lower, r->lower);
    return first;
}

/* ---- prefixes ---- */

static const uint8_t prefix_fields[] = {OF_IPV4_DST, OF_IPV6_DST, OF_IPV4_SRC, OF_IPV6_SRC};
#define PREFIX_FIELDS (sizeof(prefix_fields) / sizeof(prefix_fields[0]))
#define PREFIX_GROUPS 2
#define PREFIX_SEARCH 300 /* tables of more masks are not looked through for prefixes */

static void tuple_mask(const struct tuple *t, struct of_key *mask)
{
    uint64_t *words = (void *)mask;

    memset(mask, 0, sizeof(*mask));
    for (unsigned i = 0; i < t->words; i++)
        words[t->index[i]] = t->mask[i];
}

/* True when the tuple's mask of this field is a prefix; *rest is all else that it has. One of no
 * bits is left out: "ip" and "ipv6" are one mask, but not one routing table. */
static bool tuple_is_prefix(const struct tuple *t, const struct of_field *f, struct of_key *rest,
                            unsigned *len)
{
    uint8_t *at;

    tuple_mask(t, rest);
    at = of_key_at(rest, f);
    *len = 0;
    while (*len < f->bits && at[*len / 8] & 0x80 >> *len % 8)
        ++*len;
    for (unsigned i = *len; i < f->bits; i++)
        if (at[i / 8] & 0x80 >> i % 8)
            return false;
    memset(at, 0, f->bytes);
    return *len > 0;
}

static void retire_memory(void *context, void *memory)
{
    (void)context;
    reclaim_memory(memory, free);
}

static void prefixes_free(struct prefixes *p)
{
    lpm_free(p->lpm);
    slab_free(p);
}

static void prefixes_reclaim(struct reclaim *reclaim)
{
    prefixes_free(container_of(reclaim, struct prefixes, reclaim));
}

static struct prefixes *prefixes_new(const struct of_field *f, const struct of_key *rest)
{
    struct prefixes *p = slab_alloc(sizeof(*p));
    const uint64_t *words = (const void *)rest;

    if (!p)
        return NULL;
    p->lpm = lpm_new(f->bits, retire_memory, NULL);
    if (!p->lpm) {
        slab_free(p);
        return NULL;
    }
    p->offset = f->offset;
    p->bits = f->bits;
    for (unsigned i = 0; i < OF_KEY_WORDS; i++)
        if (words[i]) {
            p->index[p->words] = (uint8_t)i;
            p->mask[p->words++] = words[i];
        }
    return p;
}

/* The full key of a rule, zeros where nothing is matched. */
static void rule_key(const struct tuple *t, const struct rule *r, struct of_key *key)
{
    uint64_t *words = (void *)key;

    memset(key, 0, sizeof(*key));
    for (unsigned i = 0; i < t->words; i++)
        words[t->index[i]] = r->at[i];
}

static bool prefixes_have_rest(const struct prefixes *p, const struct of_key *rest)
{
    const uint64_t *words = (const void *)rest;
    unsigned n = 0;

    for (unsigned i = 0; i < OF_KEY_WORDS; i++) {
        if (!words[i])
            continue;
        if (n == p->words || p->index[n] != i || p->mask[n] != words[i])
            return false;
        n++;
    }
    return n == p->words;
}

/* What is common to all: taken from the first rule. */
static bool prefixes_value_fits(struct prefixes *p, const struct of_key *key)
{
    const uint64_t *words = (const void *)key;
    bool first = lpm_count(p->lpm) == 0;

    for (unsigned i = 0; i < p->words; i++) {
        if (first)
            p->value[i] = words[p->index[i]] & p->mask[i];
        if ((words[p->index[i]] & p->mask[i]) != p->value[i])
            return false;
    }
    return true;
}

/* A longer prefix must not lose against a shorter one. */
static bool priorities_fit(const struct table *table, const struct prefixes *p, unsigned len,
                           uint16_t least, uint16_t most)
{
    for (uint32_t i = 0; i < table->tuple_count; i++) {
        const struct tuple *other = table->tuples[i];

        if (other->prefixes != p || !other->linked || other->prefix_len == len)
            continue;
        if (other->prefix_len < len ? other->max_priority > least : other->min_priority < most)
            return false;
    }
    return true;
}

/* Puts the first rule of a chain in (or in the place of another). */
static bool prefixes_put(struct prefixes *p, const struct tuple *t, struct rule *first)
{
    struct of_key key;

    rule_key(t, first, &key);
    return prefixes_value_fits(p, &key) &&
           lpm_set(p->lpm, (const uint8_t *)&key + p->offset, t->prefix_len, first) == 0;
}

static bool prefixes_put_tuple(struct prefixes *p, const struct tuple *t)
{
    size_t room = ((size_t)t->slots->mask + 1) * BUCKET;

    for (size_t i = 0; i < room; i++)
        if (t->slots->at[i] > SLOT_GONE && !prefixes_put(p, t, slot_rule(t->slots->at[i])))
            return false;
    return true;
}

/* A tuple joins; false when it does not fit. What it has put in by then stays behind: the caller
 * gives the prefixes up. */
static bool prefixes_join(const struct table *table, struct prefixes *p, struct tuple *t,
                          unsigned len)
{
    t->prefix_len = (uint16_t)len;
    if (!priorities_fit(table, p, len, t->min_priority, t->max_priority) ||
        !prefixes_put_tuple(p, t))
        return false;
    t->prefixes = p;
    return true;
}

/* Back to a tuple each, for as long as the table has flows. */
static void prefixes_give_up(struct table *table, struct prefixes *p)
{
    for (uint32_t i = 0; i < table->tuple_count; i++)
        if (table->tuples[i]->prefixes == p)
            table->tuples[i]->prefixes = NULL;
    for (unsigned i = 0; i < PREFIX_GROUPS; i++)
        if (table->prefixes[i] == p)
            table->prefixes[i] = NULL;
    table->no_prefixes = true;
    reclaim_later(&p->reclaim, prefixes_reclaim);
}

/* Tuples that make up prefixes with this one, which is one of them; those found when `p` is not
 * NULL join it. False when one does not fit. */
static bool each_sibling(struct table *table, const struct of_field *f, const struct of_key *rest,
                         struct prefixes *p, unsigned *count)
{
    *count = 0;
    for (uint32_t i = 0; i < table->tuple_count; i++) {
        struct tuple *t = table->tuples[i];
        struct of_key its_rest;
        unsigned len;

        if (!t->linked || t->prefixes || !tuple_is_prefix(t, f, &its_rest, &len) ||
            memcmp(&its_rest, rest, sizeof(its_rest)) != 0)
            continue;
        ++*count;
        if (p && !prefixes_join(table, p, t, len))
            return false;
    }
    return true;
}

/* The tuple has its first flow: does it make prefixes, or belong to some? Never needed, so memory
 * that is missing is no error. */
static void prefixes_consider(struct table *table, struct tuple *t)
{
    struct prefixes **place = !table->prefixes[0] ? &table->prefixes[0] : &table->prefixes[1];
    struct of_key rest;
    unsigned len, count;

    if (table->no_prefixes || table->tuple_count > PREFIX_SEARCH)
        return;
    for (size_t n = 0; n < PREFIX_FIELDS; n++) {
        const struct of_field *f = &of_fields[prefix_fields[n]];

        if (!tuple_is_prefix(t, f, &rest, &len))
            continue;
        for (unsigned i = 0; i < PREFIX_GROUPS; i++) {
            struct prefixes *p = table->prefixes[i];

            if (!p || p->offset != f->offset || !prefixes_have_rest(p, &rest))
                continue;
            if (!prefixes_join(table, p, t, len))
                prefixes_give_up(table, p);
            return;
        }
        (void)each_sibling(table, f, &rest, NULL, &count);
        if (*place || count < PREFIX_MIN_LENGTHS || !(*place = prefixes_new(f, &rest)))
            continue;
        if (!each_sibling(table, f, &rest, *place, &count))
            prefixes_give_up(table, *place);
        return;
    }
}

/* ---- matchers ---- */

static void matcher_reclaim(struct reclaim *reclaim)
{
    free(container_of(reclaim, struct matcher, reclaim));
}

static void few_collect(struct matcher *m, const struct tuple *t)
{
    size_t room = ((size_t)t->slots->mask + 1) * BUCKET;

    for (size_t i = 0; i < room; i++) {
        if (t->slots->at[i] <= SLOT_GONE)
            continue;
        for (struct rule *r = slot_rule(t->slots->at[i]); r; r = r->lower) {
            uint32_t at = m->count++;

            for (; at > 0 && m->few[at - 1].rule->priority < r->priority; at--)
                m->few[at] = m->few[at - 1];
            m->few[at].rule = r;
            m->few[at].tuple = t;
        }
    }
}

static void unit_add(struct matcher *m, struct unit unit)
{
    uint32_t at = m->count++;

    for (; at > 0 && m->units[at - 1].max_priority < unit.max_priority; at--)
        m->units[at] = m->units[at - 1];
    m->units[at] = unit;
}

static void units_collect(struct matcher *m, const struct table *table)
{
    uint16_t most[PREFIX_GROUPS] = {0};

    for (uint32_t i = 0; i < table->tuple_count; i++) {
        const struct tuple *t = table->tuples[i];

        if (!t->linked)
            continue;
        if (!t->prefixes)
            unit_add(m, (struct unit){t->max_priority, t, NULL});
        for (unsigned n = 0; n < PREFIX_GROUPS; n++)
            if (t->prefixes && t->prefixes == table->prefixes[n] && t->max_priority > most[n])
                most[n] = t->max_priority;
    }
    for (unsigned n = 0; n < PREFIX_GROUPS; n++)
        if (table->prefixes[n])
            unit_add(m, (struct unit){most[n], NULL, table->prefixes[n]});
}

/* Which words of a key decide; none when they are too many to remember. */
static void matcher_unite(struct matcher *m, const struct table *table)
{
    struct of_key all = {0}, mask;
    uint64_t *words = (void *)&all;
    const uint64_t *from = (const void *)&mask;

    for (uint32_t i = 0; i < table->tuple_count; i++) {
        if (!table->tuples[i]->linked)
            continue;
        tuple_mask(table->tuples[i], &mask);
        for (unsigned w = 0; w < OF_KEY_WORDS; w++)
            words[w] |= from[w];
    }
    for (unsigned w = 0; w < OF_KEY_WORDS; w++) {
        if (!words[w])
            continue;
        if (m->words == CACHE_WORDS) {
            m->words = 0;
            return;
        }
        m->index[m->words] = (uint8_t)w;
        m->mask[m->words++] = words[w];
    }
}

/* Room for how the table may come to be searched; NULL when memory is out. */
static struct matcher *matcher_new(const struct table *table)
{
    return calloc(1, sizeof(struct matcher) +
                         (table->tuple_count + PREFIX_GROUPS) * sizeof(struct unit));
}

/* The table is searched anew from now on, by `m`, which is filled here (or freed: nothing to
 * search). */
static void table_arrange(struct table *table, struct matcher *m)
{
    struct matcher *old = table->matcher;

    if (!table->linked) {
        free(m);
        m = NULL;
    } else if (table->linked <= FEW) {
        m->is_few = true;
        for (uint32_t i = 0; i < table->tuple_count; i++)
            few_collect(m, table->tuples[i]);
    } else {
        units_collect(m, table);
        if (m->count > CACHE_FROM_UNITS)
            matcher_unite(m, table);
    }
    put_pointer(&table->matcher, m);
    if (old)
        reclaim_later(&old->reclaim, matcher_reclaim);
}

const char *table_matcher_name(const struct table *table, char *buffer, size_t size)
{
    const struct matcher *m = table->matcher;
    unsigned prefixes = 0;

    for (uint32_t i = 0; m && !m->is_few && i < m->count; i++)
        prefixes += m->units[i].prefixes != NULL;
    if (!m)
        return "none";
    if (m->is_few)
        return "few";
    snprintf(buffer, size, "%s%s%u mask%s%s", prefixes ? "prefixes" : "", prefixes ? " + " : "",
             m->count - prefixes, m->count - prefixes == 1 ? "" : "s", m->words ? ", cached" : "");
    return buffer;
}

/* ---- flows in and out ---- */

/* A tuple has a flow more. True when the table is to be searched in another way. */
static bool tuple_linked(struct table *table, struct tuple *t, struct rule *r, struct rule *head)
{
    bool first = ++t->linked == 1, higher = r->priority > t->max_priority;

    table->linked++;
    if (first)
        t->max_priority = t->min_priority = r->priority;
    if (higher)
        t->max_priority = r->priority;
    if (r->priority < t->min_priority)
        t->min_priority = r->priority;
    if (first)
        prefixes_consider(table, t);
    if (!t->prefixes || first)
        return first || higher || table->linked <= FEW + 1;
    if (priorities_fit(table, t->prefixes, t->prefix_len, r->priority, r->priority) &&
        (head != r || prefixes_put(t->prefixes, t, r)))
        return higher || table->linked <= FEW + 1;
    prefixes_give_up(table, t->prefixes);
    return true;
}

static void tuple_unlinked(struct table *table, struct tuple *t, struct rule *r, struct rule *head)
{
    struct of_key key;

    t->linked--;
    table->linked--;
    if (t->prefixes) {
        rule_key(t, r, &key);
        if (!head)
            (void)lpm_remove(t->prefixes->lpm, (const uint8_t *)&key + t->prefixes->offset,
                             t->prefix_len);
        else if (head->priority <= r->priority) /* its chain may begin with another now */
            (void)prefixes_put(t->prefixes, t, head);
    }
    if (t->linked == 0) {
        t->prefixes = NULL;
        t->max_priority = 0;
        t->min_priority = UINT16_MAX;
    }
}

/* Prefixes that nobody belongs to are forgotten, and a table that is empty may have some again. */
static void prefixes_tidy(struct table *table)
{
    for (unsigned n = 0; n < PREFIX_GROUPS; n++) {
        struct prefixes *p = table->prefixes[n];

        if (p && lpm_count(p->lpm) == 0) {
            for (uint32_t i = 0; i < table->tuple_count; i++)
                if (table->tuples[i]->prefixes == p)
                    table->tuples[i]->prefixes = NULL;
            table->prefixes[n] = NULL;
            reclaim_later(&p->reclaim, prefixes_reclaim);
        }
    }
    if (table->linked == 0)
        table->no_prefixes = false;
}

static int table_link(struct tables *tables, struct table *table, struct flow *flow)
{
    struct tuple *t = flow->tuple;
    bool may_arrange = t->linked == 0 || flow->rule->priority > t->max_priority ||
                       table->linked <= FEW || t->prefixes;
    struct matcher *m = may_arrange ? matcher_new(table) : NULL;
    struct rule *head;
    int err = m || !may_arrange ? chain_link(t, flow->rule, tables->seed, &head) : -ENOMEM;

    if (err == 0 && tuple_linked(table, t, flow->rule, head))
        table_arrange(table, m);
    else
        free(m);
    return err;
}

bool table_unlink(struct tables *tables, struct flow *flow)
{
    struct table *table = &tables->table[flow->table_id];
    struct tuple *t = flow->tuple;
    bool arrange = t->linked == 1 || table->linked - 1 <= FEW;
    struct matcher *m = arrange ? matcher_new(table) : NULL;
    struct rule *head;

    if (arrange && !m)
        return false;
    head = chain_unlink(t, flow->rule, tables->seed);
    tuple_unlinked(table, t, flow->rule, head);
    if (arrange) {
        prefixes_tidy(table);
        table_arrange(table, m);
    }
    return true;
}

/* ---- cookies ---- */

static uint32_t cookie_bucket(const struct tables *tables, uint64_t cookie)
{
    return (uint32_t)(hash_mix(tables->seed, cookie) & (tables->cookie_size - 1));
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
    tables->cookies = slab_alloc((old_size ? old_size * 2ul : 64) * sizeof(struct flow *));
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
    slab_free(old);
    return 0;
}

/* ---- flows ---- */

static struct flow *flow_make(struct tuple *t, const struct of_instructions *instructions,
                              struct bytes wire)
{
    size_t ops = program_size(instructions);
    struct flow *flow = slab_alloc(sizeof(*flow) + wire.len);
    struct rule *r;

    if (!flow)
        return NULL;
    r = slab_alloc_part(sizeof(*r) + t->words * sizeof(uint64_t) + ops * sizeof(struct op), flow);
    if (!r) {
        slab_free(flow);
        return NULL;
    }
    r->words = t->words;
    r->flags = ops ? 0 : RULE_EMPTY;
    program_compile((struct op *)(void *)&r->at[t->words], instructions);
    program_mark_last((struct op *)(void *)&r->at[t->words], ops);
    flow->rule = r;
    flow->tuple = t;
    flow->op_count = (uint16_t)ops;
    flow->wire_size = (uint16_t)wire.len;
    if (wire.len)
        memcpy(flow->wire, wire.at, wire.len);
    t->refs++;
    return flow;
}

static struct bytes encode(struct tables *tables, const struct of_instructions *instructions)
{
    struct writer w = writer_of(tables->scratch, sizeof(tables->scratch));

    of_encode_instructions(&w, instructions);
    return wr_view(&w);
}

struct flow *flow_new(struct tables *tables, uint8_t table_id, uint16_t priority,
                      const struct of_match *match, const struct of_instructions *instructions)
{
    struct table *table = &tables->table[table_id];
    struct tuple *t = table_tuple(table, &match->mask);
    struct flow *flow;
    uint32_t counter;

    if (!t && !(t = table_add_tuple(table, &match->mask)))
        return NULL;
    t->tables = tables;
    if (counter_new(tables->counters, &counter) < 0)
        flow = NULL;
    else if (!(flow = flow_make(t, instructions, encode(tables, instructions))))
        counter_free(tables->counters, counter);
    if (!flow) {
        if (t->refs == 0)
            table_drop_tuple(table, t);
        return NULL;
    }
    flow->rule->priority = priority;
    flow->rule->counter = counter;
    flow->owns_counter = true;
    flow->table_id = table_id;
    flow->fields = match->fields;
    gather(t, &match->value, flow->rule->at);
    return flow;
}

struct flow *flow_new_like(struct tables *tables, const struct flow *like,
                           const struct of_instructions *instructions)
{
    struct flow *flow = flow_make(like->tuple, instructions, encode(tables, instructions));

    if (!flow)
        return NULL;
    memcpy(flow->rule->at, like->rule->at, like->rule->words * sizeof(uint64_t));
    flow->rule->priority = like->rule->priority;
    flow->rule->flags |= like->rule->flags & RULE_NOTES_USE;
    flow->table_id = like->table_id;
    flow->fields = like->fields;
    flow->cookie = like->cookie;
    flow->flags = like->flags;
    flow->idle_timeout = like->idle_timeout;
    flow->hard_timeout = like->hard_timeout;
    flow->created_us = like->created_us;
    return flow;
}

void flow_take_counter(struct flow *to, struct flow *from)
{
    if (to->owns_counter) /* one that was never used */
        counter_free(flow_tables(to)->counters, to->rule->counter);
    to->rule->counter = from->rule->counter;
    to->counted_from = from->counted_from;
    to->owns_counter = true;
    from->owns_counter = false;
}

void flow_give_counter_back(struct flow *from, struct flow *to)
{
    to->owns_counter = true;
    from->owns_counter = false;
}

struct tables *flow_tables(const struct flow *flow)
{
    return flow->tuple->tables;
}

void flow_free(struct tables *tables, struct flow *flow)
{
    if (flow->owns_counter)
        counter_free(tables->counters, flow->rule->counter);
    if (--flow->tuple->refs == 0)
        table_drop_tuple(&tables->table[flow->table_id], flow->tuple);
    slab_free_part(flow->rule);
    slab_free(flow);
}

struct counter flow_count(const struct tables *tables, const struct flow *flow)
{
    struct counter sum = counter_sum(tables->counters, flow->rule->counter);

    return (struct counter){sum.packets - flow->counted_from.packets,
                            sum.bytes - flow->counted_from.bytes};
}

void flow_reset_count(const struct tables *tables, struct flow *flow)
{
    flow->counted_from = counter_sum(tables->counters, flow->rule->counter);
}

/* Whose version every reader has now, or is past: all see the same of it. */
static void settle_flows(struct reclaim *reclaim)
{
    struct tables *tables = container_of(reclaim, struct tables, settle);
    struct flow *flow = tables->unsettled;

    tables->unsettled = NULL;
    tables->settles = false;
    while (flow) {
        struct flow *next = flow->unsettled_next;

        flow->is_unsettled = false;
        if (flow->alive)
            __atomic_store_n(&flow->rule->flags, flow->rule->flags & ~RULE_UNSETTLED,
                             __ATOMIC_RELEASE);
        flow = next;
    }
}

/* From now on readers ask for the flow's versions. */
static void unsettle(struct tables *tables, struct flow *flow)
{
    __atomic_store_n(&flow->rule->flags, flow->rule->flags | RULE_UNSETTLED, __ATOMIC_RELEASE);
    if (!flow->is_unsettled) {
        flow->is_unsettled = true;
        flow->unsettled_next = tables->unsettled;
        tables->unsettled = flow;
    }
    if (!tables->settles) {
        tables->settles = true;
        reclaim_later(&tables->settle, settle_flows);
    }
}

static void touch(struct tables *tables, struct table *table)
{
    __atomic_store_n(&table->generation, tables_working(tables), __ATOMIC_RELEASE);
}

int table_insert(struct tables *tables, struct flow *flow, bool even_if_full)
{
    struct table *table = &tables->table[flow->table_id];
    int err;

    if (!even_if_full && table->flows >= table->max_flows)
        return -ENOSPC;
    flow->from = tables_working(tables);
    flow->until = VERSION_NEVER;
    flow->rule->flags |= RULE_UNSETTLED;
    touch(tables, table);
    /* What takes another's place may come while flows are gone through by cookie. */
    if (!even_if_full && (err = cookies_grow(tables)) < 0)
        return err;
    if ((err = table_link(tables, table, flow)) < 0)
        return err;
    unsettle(tables, flow);
    cookie_link(tables, flow);
    table->flows++;
    tables->flow_count++;
    flow->alive = true;
    return 0;
}

void table_remove(struct tables *tables, struct flow *flow)
{
    struct table *table = &tables->table[flow->table_id];

    touch(tables, table);
    __atomic_store_n(&flow->until, tables_working(tables), __ATOMIC_RELAXED);
    unsettle(tables, flow);
    cookie_unlink(flow);
    table->flows--;
    tables->flow_count--;
    flow->alive = false;
}

void table_restore(struct tables *tables, struct flow *flow)
{
    __atomic_store_n(&flow->until, VERSION_NEVER, __ATOMIC_RELAXED);
    unsettle(tables, flow);
    cookie_link(tables, flow);
    tables->table[flow->table_id].flows++;
    tables->flow_count++;
    flow->alive = true;
}

void tables_publish(struct tables *tables)
{
    __atomic_store_n(&tables->version, tables->version + 1, __ATOMIC_RELEASE);
}

static struct flow *alive_from(struct rule *r)
{
    while (r && !flow_of(r)->alive)
        r = r->lower;
    return r ? flow_of(r) : NULL;
}

struct flow *table_find(struct tables *tables, uint8_t table_id, uint16_t priority,
                        const struct of_match *match)
{
    struct tuple *t = table_tuple(&tables->table[table_id], &match->mask);
    struct flow *flow = alive_from(t ? tuple_chain(t, &match->value, tables->seed) : NULL);

    while (flow && flow->rule->priority > priority)
        flow = alive_from(flow->rule->lower);
    return flow && flow->rule->priority == priority ? flow : NULL;
}

void flow_match(const struct flow *flow, struct of_match *match)
{
    uint64_t *value = (void *)&match->value, *mask = (void *)&match->mask;

    memset(match, 0, sizeof(*match));
    match->fields = flow->fields;
    for (unsigned i = 0; i < flow->tuple->words; i++) {
        value[flow->tuple->index[i]] = flow->rule->at[i];
        mask[flow->tuple->index[i]] = flow->tuple->mask[i];
    }
}

bool flow_instructions(const struct flow *flow, struct of_instructions *instructions,
                       struct arena *arena)
{
    struct reader r = reader_of(flow->wire, flow->wire_size);

    return of_decode_instructions(&r, instructions, arena) == 0;
}

/* ---- many flows ---- */

void tables_init(struct tables *tables, struct counters *counters, uint64_t seed,
                 uint32_t max_flows)
{
    memset(tables, 0, sizeof(*tables));
    tables->seed = seed;
    tables->counters = counters;
    tables->version = 1;
    for (unsigned i = 0; i < TABLES; i++) {
        tables->table[i].generation = 1; /* what a cache's empty entries do not have */
        tables->table[i].max_flows = max_flows;
    }
}

static int remove_and_keep(struct flow *flow, void *context)
{
    struct flow **flows = context;

    table_remove(flow->tuple->tables, flow);
    flow->cookie_next = *flows;
    *flows = flow;
    return 0;
}

void tables_free(struct tables *tables)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct flow *flows = NULL;

    reclaim_all();
    (void)tables_each(tables, &filter, remove_and_keep, &flows);
    reclaim_all();
    while (flows) {
        struct flow *flow = flows;

        flows = flow->cookie_next;
        while (!table_unlink(tables, flow)) {
        }
        flow_free(tables, flow);
    }
    reclaim_all();
    for (unsigned i = 0; i < TABLES; i++) {
        free(tables->table[i].tuples);
        tables->table[i].tuples = NULL;
    }
    slab_free(tables->cookies);
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

static bool rule_within(const struct tuple *t, const struct rule *r, const struct of_match *match)
{
    const uint64_t *value = (const void *)&match->value, *mask = (const void *)&match->mask;

    for (unsigned i = 0; i < t->words; i++) {
        unsigned at = t->index[i];

        if ((r->at[i] & mask[at]) != value[at])
            return false;
    }
    return true;
}

static int each_flow(struct flow *flow, const struct flow_filter *filter,
                     int (*each)(struct flow *flow, void *context), void *context)
{
    if ((flow->cookie & filter->cookie_mask) != (filter->cookie & filter->cookie_mask))
        return 0;
    if ((filter->out_port != OFPP_ANY && !flow_outputs_to(flow, filter->out_port, OFPG_ANY)) ||
        (filter->out_group != OFPG_ANY && !flow_outputs_to(flow, OFPP_ANY, filter->out_group)))
        return 0;
    return each(flow, context);
}

static int each_in_chain(struct rule *r, const struct flow_filter *filter,
                         int (*each)(struct flow *flow, void *context), void *context)
{
    while (r) {
        struct rule *lower = r->lower;
        int err = flow_of(r)->alive ? each_flow(flow_of(r), filter, each, context) : 0;

        if (err < 0)
            return err;
        r = lower;
    }
    return 0;
}

/* What `each` puts in comes before what it replaces, in slots that may be others by then: it is not
 * met here. */
static int each_in_tuple(struct tuple *t, const struct flow_filter *filter,
                         int (*each)(struct flow *flow, void *context), void *context)
{
    const struct slots *s = t->slots;
    size_t room = ((size_t)s->mask + 1) * BUCKET;

    for (size_t i = 0; i < room; i++) {
        int err;

        if (s->at[i] <= SLOT_GONE || !rule_within(t, slot_rule(s->at[i]), filter->match))
            continue;
        if ((err = each_in_chain(slot_rule(s->at[i]), filter, each, context)) < 0)
            return err;
    }
    return 0;
}

static int each_in_table(struct tables *tables, struct table *table,
                         const struct flow_filter *filter,
                         int (*each)(struct flow *flow, void *context), void *context)
{
    int err = 0;

    for (uint32_t i = 0; i < table->tuple_count && err == 0; i++) {
        struct tuple *t = table->tuples[i];

        if (tuple_has_mask(t, &filter->match->mask))
            err = each_in_chain(tuple_chain(t, &filter->match->value, tables->seed), filter, each,
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
            mask_covers(flow->tuple, &filter->match->mask) &&
            rule_within(flow->tuple, flow->rule, filter->match))
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
        return each_in_table(tables, &tables->table[filter->table_id], filter, each, context);
    for (unsigned i = 0; i < TABLES && err == 0; i++)
        err = each_in_table(tables, &tables->table[i], filter, each, context);
    return err;
}

/* Two matches overlap when they agree in the bits that both name. */
static bool rule_overlaps(const struct tuple *t, const struct rule *r, const struct of_match *match)
{
    const uint64_t *value = (const void *)&match->value, *mask = (const void *)&match->mask;

    for (unsigned i = 0; i < t->words; i++) {
        unsigned at = t->index[i];

        if ((r->at[i] ^ value[at]) & mask[at] & t->mask[i])
            return false;
    }
    return true;
}

static bool chain_has_priority(const struct rule *r, uint16_t priority)
{
    for (; r; r = r->lower)
        if (r->priority == priority && flow_of(r)->alive)
            return true;
    return false;
}

bool table_overlaps(struct tables *tables, uint8_t table_id, uint16_t priority,
                    const struct of_match *match)
{
    const struct table *table = &tables->table[table_id];

    for (uint32_t i = 0; i < table->tuple_count; i++) {
        const struct tuple *t = table->tuples[i];
        size_t room = ((size_t)t->slots->mask + 1) * BUCKET;

        for (size_t n = 0; n < room; n++)
            if (t->slots->at[n] > SLOT_GONE &&
                rule_overlaps(t, slot_rule(t->slots->at[n]), match) &&
                chain_has_priority(slot_rule(t->slots->at[n]), priority))
                return true;
    }
    return false;
}
