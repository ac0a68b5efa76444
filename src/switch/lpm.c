/*
 * lpm.c -- longest-prefix match in a tree bitmap with compressed paths.
 *
 * The levels of the trie lie at bits 0, 6, 12, 16, 22, 28 ... of the key: six bits each, only the
 * third has four, so that one level lies at bit 16, where the array of jumps leads. A node at depth
 * d is one allocation:
 *
 *   prefixes  bit (1 << l | v) is set when a prefix of length d + l ends here, l = 0..5, whose last
 *             l bits are v. So a longer match has a higher bit, and the prefixes that can match
 *             given next six bits are one constant mask. Bit 0 is never a prefix: it says that the
 *             node is a run.
 *   children  bit b is set when there is a child for the next six bits b.
 *   slots     the children in order of b, then the values in the order of their bits.
 *
 * A run stands for up to ten levels below bit 16 in which there is one way and no prefix: the bits
 * of that way are in `children`, their number of levels in `prefixes`, its only slot leads on.
 *
 * A node's maps never change once readers can find it, and its slots only change their value: a
 * child for another, a value for another. Everything else builds new nodes first, and then puts
 * them in place by one store. Memory that is missing for a removal leaves a value of NULL in its
 * slot, which readers take for no match and the next node built in its place leaves out.
 */
#include "switch/lpm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STRIDE     6
#define JUMP_BITS  16
#define JUMPS      (1u << JUMP_BITS)
#define JUMPS_FROM 4096 /* prefixes from which the array of jumps pays its 512 KiB; */
#define JUMPS_TO   1024 /* and below which it goes */

#define RUN_FLAG   1u
#define RUN_LEVELS 10 /* whose bits fit in `children` */

/* What lookups are made of. */
#define HOT static inline __attribute__((always_inline))

#define MAX_LEVELS  ((LPM_MAX_BITS - JUMP_BITS) / STRIDE + 4)
#define MAX_CHANGED (2 * MAX_LEVELS) /* nodes that one change builds, and that it replaces */

struct node {
    uint64_t prefixes;
    uint64_t children;
    void *slots[];
};

/* For each value of the first 16 bits the node at depth 16, or NULL. */
struct jumps {
    struct node *to[JUMPS];
};

struct lpm {
    struct node *top;    /* never NULL */
    struct jumps *jumps; /* NULL: too few prefixes */
    unsigned key_bits;
    size_t count, bytes;
    void (*retire)(void *context, void *memory);
    void *context;
};

/* ---- keys ---- */

struct key {
    uint64_t high, low; /* what is left of it, from the most significant bit of `high` */
};

static uint64_t load_64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof(v));
    return __builtin_bswap64(v);
}

HOT struct key load_key(const uint8_t *at, unsigned bits)
{
    uint8_t padded[16] = {0};
    uint32_t word;

    if (bits == 32) {
        memcpy(&word, at, sizeof(word));
        return (struct key){(uint64_t)__builtin_bswap32(word) << 32, 0};
    }
    if (bits == 128)
        return (struct key){load_64(at), load_64(at + 8)};
    memcpy(padded, at, (bits + 7) / 8);
    return (struct key){load_64(padded), load_64(padded + 8)};
}

/* Without the first n bits, n = 1..63. */
HOT struct key key_skip(struct key k, unsigned n)
{
    return (struct key){k.high << n | k.low >> (64 - n), k.low << n};
}

HOT unsigned stride_at(unsigned depth)
{
    return depth == 12 ? JUMP_BITS - 12 : STRIDE;
}

/* The bits that choose among a node's children; of a shorter stride they are the upper ones. */
HOT unsigned choice(struct key k, unsigned stride)
{
    return (unsigned)(k.high >> (64 - stride)) << (STRIDE - stride);
}

/* The bit in `prefixes` of one that ends l bits into a node. */
HOT unsigned prefix_bit(struct key k, unsigned l)
{
    return l ? 1u << l | (unsigned)(k.high >> (64 - l)) : 1;
}

/* The bits of all prefixes that match the six bits b. */
#define MATCHING(b)                                                                     \
    (UINT64_C(1) << 1 | UINT64_C(1) << (2 | (b) >> 5) | UINT64_C(1) << (4 | (b) >> 4) | \
     UINT64_C(1) << (8 | (b) >> 3) | UINT64_C(1) << (16 | (b) >> 2) |                   \
     UINT64_C(1) << (32 | (b) >> 1))
#define MATCHING_2(b) MATCHING(b), MATCHING((b) + 1)
#define MATCHING_8(b) MATCHING_2(b), MATCHING_2((b) + 2), MATCHING_2((b) + 4), MATCHING_2((b) + 6)
#define MATCHING_32(b) \
    MATCHING_8(b), MATCHING_8((b) + 8), MATCHING_8((b) + 16), MATCHING_8((b) + 24)

static const uint64_t matching[64] = {MATCHING_32(0), MATCHING_32(32)};

/* ---- nodes ---- */

HOT unsigned ones(uint64_t map)
{
    return (unsigned)__builtin_popcountll(map);
}

HOT uint64_t below(unsigned bit)
{
    return (UINT64_C(1) << bit) - 1;
}

HOT unsigned first_bit(uint64_t map)
{
    return (unsigned)__builtin_ctzll(map);
}

HOT unsigned last_bit(uint64_t map)
{
    return 63 - (unsigned)__builtin_clzll(map);
}

HOT bool has(uint64_t map, unsigned bit)
{
    return map >> bit & 1;
}

HOT bool is_run(const struct node *n)
{
    return n->prefixes & RUN_FLAG;
}

HOT unsigned run_levels(const struct node *n)
{
    return (unsigned)(n->prefixes >> 1);
}

HOT unsigned child_slot(const struct node *n, unsigned b)
{
    return ones(n->children & below(b));
}

HOT unsigned value_slot(const struct node *n, unsigned bit)
{
    return ones(n->children) + ones(n->prefixes & below(bit));
}

HOT unsigned slot_count(const struct node *n)
{
    return is_run(n) ? 1 : ones(n->children) + ones(n->prefixes);
}

HOT size_t node_bytes(const struct node *n)
{
    return sizeof(*n) + slot_count(n) * sizeof(n->slots[0]);
}

HOT struct node *load_child(const struct node *n, unsigned slot)
{
    return __atomic_load_n(&n->slots[slot], __ATOMIC_ACQUIRE);
}

HOT void *load_value(const struct node *n, unsigned bit)
{
    return __atomic_load_n(&n->slots[value_slot(n, bit)], __ATOMIC_ACQUIRE);
}

/* ---- lookups ---- */

/* Where a way through the trie met its longest prefix. */
struct best {
    const struct node *node; /* NULL: it met none */
    uint64_t matches;        /* the bits of those that it met there */
};

/* Enters a node with the key's bits from its depth on. Returns the child to go on with, or NULL. */
HOT const struct node *enter(const struct node *n, struct key *k, unsigned stride,
                             struct best *best)
{
    unsigned b = choice(*k, stride);
    uint64_t matches = n->prefixes & matching[b];

    if (matches)
        *best = (struct best){n, matches};
    if (!has(n->children, b))
        return NULL;
    *k = key_skip(*k, stride);
    return load_child(n, child_slot(n, b));
}

HOT const struct node *enter_run(const struct node *n, struct key *k)
{
    unsigned bits = run_levels(n) * STRIDE;

    if (k->high >> (64 - bits) != n->children)
        return NULL;
    *k = key_skip(*k, bits);
    return load_child(n, 0);
}

/* Through the three levels above the jumps; the node at depth 16 or NULL. */
HOT const struct node *walk_top(const struct lpm *lpm, struct key *k, struct best *best)
{
    const struct node *n = __atomic_load_n(&lpm->top, __ATOMIC_ACQUIRE);

    for (unsigned depth = 0; n && depth < JUMP_BITS; depth += stride_at(depth))
        n = enter(n, k, stride_at(depth), best);
    return n;
}

/* One level, or one run, below the jumps. */
HOT const struct node *step(const struct node *n, struct key *k, struct best *best)
{
    return is_run(n) ? enter_run(n, k) : enter(n, k, STRIDE, best);
}

HOT struct jumps *load_jumps(const struct lpm *lpm)
{
    return __atomic_load_n(&lpm->jumps, __ATOMIC_ACQUIRE);
}

HOT struct node *jump(struct jumps *jumps, struct key k)
{
    return __atomic_load_n(&jumps->to[k.high >> (64 - JUMP_BITS)], __ATOMIC_ACQUIRE);
}

/* A value of NULL is what a removal without memory left: somebody shorter is the answer. */
HOT void *answer(const struct lpm *lpm, const uint8_t *key, struct best best)
{
    void *value = best.node ? load_value(best.node, last_bit(best.matches)) : NULL;

    if (!value && best.node)
        lpm_matches(lpm, key, &value, 1);
    return value;
}

HOT void *lookup(const struct lpm *lpm, const uint8_t *key)
{
    struct key whole = load_key(key, lpm->key_bits), k = whole;
    struct jumps *jumps = load_jumps(lpm);
    struct best best = {0};
    const struct node *n;

    if (jumps) {
        n = jump(jumps, k);
        k = key_skip(k, JUMP_BITS);
    } else {
        n = walk_top(lpm, &k, &best);
    }
    while (n)
        n = step(n, &k, &best);
    if (jumps && !best.node)
        walk_top(lpm, &whole, &best);
    return answer(lpm, key, best);
}

struct way {
    const struct node *node;
    struct key key;
    struct best best;
};

HOT void burst(const struct lpm *lpm, const uint8_t *const *keys, void **values, unsigned n)
{
    struct jumps *jumps = load_jumps(lpm);
    struct way ways[LPM_BURST];
    uint8_t active[LPM_BURST];
    unsigned left = n;

    for (unsigned i = 0; i < n; i++) {
        ways[i] = (struct way){.key = load_key(keys[i], lpm->key_bits)};
        active[i] = (uint8_t)i;
        if (jumps)
            __builtin_prefetch(&jumps->to[ways[i].key.high >> (64 - JUMP_BITS)]);
    }
    for (unsigned i = 0; i < n; i++) {
        struct way *way = &ways[i];

        if (jumps) {
            way->node = jump(jumps, way->key);
            way->key = key_skip(way->key, JUMP_BITS);
        } else {
            way->node = walk_top(lpm, &way->key, &way->best);
        }
        __builtin_prefetch(way->node);
    }
    while (left > 0) {
        unsigned still = 0;

        for (unsigned i = 0; i < left; i++) {
            struct way *way = &ways[active[i]];

            if (way->node)
                way->node = step(way->node, &way->key, &way->best);
            if (!way->node)
                continue;
            __builtin_prefetch(way->node);
            active[still++] = active[i];
        }
        left = still;
    }
    for (unsigned i = 0; i < n; i++) {
        struct key k = load_key(keys[i], lpm->key_bits);

        if (jumps && !ways[i].best.node)
            walk_top(lpm, &k, &ways[i].best);
        values[i] = answer(lpm, keys[i], ways[i].best);
    }
}

/* Counting bits is one instruction on every x86 made since 2008, which the compiler does not use
 * unasked. */
#if defined(__x86_64__) && !defined(__POPCNT__)

__attribute__((target("popcnt"))) static void *lookup_popcnt(const struct lpm *lpm,
                                                             const uint8_t *key)
{
    return lookup(lpm, key);
}

__attribute__((target("popcnt"))) static void
burst_popcnt(const struct lpm *lpm, const uint8_t *const *keys, void **values, unsigned n)
{
    burst(lpm, keys, values, n);
}

#define HAS_POPCNT __builtin_cpu_supports("popcnt")
#else
#define lookup_popcnt lookup
#define burst_popcnt  burst
#define HAS_POPCNT    true
#endif

void *lpm_lookup(const struct lpm *lpm, const uint8_t *key)
{
    return HAS_POPCNT ? lookup_popcnt(lpm, key) : lookup(lpm, key);
}

void lpm_lookup_burst(const struct lpm *lpm, const uint8_t *const *keys, void **values, unsigned n)
{
    if (n > LPM_BURST)
        n = LPM_BURST;
    if (HAS_POPCNT)
        burst_popcnt(lpm, keys, values, n);
    else
        burst(lpm, keys, values, n);
}

unsigned lpm_matches(const struct lpm *lpm, const uint8_t *key, void **values, unsigned n)
{
    struct key k = load_key(key, lpm->key_bits);
    const struct node *at = __atomic_load_n(&lpm->top, __ATOMIC_ACQUIRE);
    struct best met[MAX_LEVELS];
    unsigned depth = 0, levels = 0, found = 0;

    while (at) {
        struct best best = {0};
        bool run = is_run(at);
        unsigned stride = stride_at(depth);

        depth += run ? run_levels(at) * STRIDE : stride;
        at = run ? enter_run(at, &k) : enter(at, &k, stride, &best);
        if (best.node)
            met[levels++] = best;
    }
    while (levels-- > 0)
        for (uint64_t left = met[levels].matches; left && found < n;) {
            unsigned bit = last_bit(left);
            void *value = load_value(met[levels].node, bit);

            left ^= UINT64_C(1) << bit;
            if (value)
                values[found++] = value;
        }
    return found;
}

/* ---- changes ---- */

static struct key key_at(struct key k, unsigned depth)
{
    if (depth >= 64)
        return key_at((struct key){k.low, 0}, depth - 64);
    return depth ? key_skip(k, depth) : k;
}

/* What a change has built and what it puts out of use, until it is known to succeed. */
struct change {
    struct lpm *lpm;
    struct key key;
    unsigned prefix_len;
    void *value;
    struct node *fresh[MAX_CHANGED], *old[MAX_CHANGED];
    unsigned fresh_count, old_count;
    bool failed; /* memory was missing */
};

static struct node *change_new(struct change *c, uint64_t prefixes, uint64_t children)
{
    struct node empty = {prefixes, children};
    struct node *n = c->failed ? NULL : malloc(node_bytes(&empty));

    if (!n) {
        c->failed = true;
        return NULL;
    }
    *n = empty;
    c->fresh[c->fresh_count++] = n;
    return n;
}

static void change_replaces(struct change *c, struct node *old)
{
    c->old[c->old_count++] = old;
}

static int change_undo(struct change *c)
{
    for (unsigned i = 0; i < c->fresh_count; i++)
        free(c->fresh[i]);
    return -ENOMEM;
}

static void jumps_follow(struct lpm *lpm, struct key k)
{
    struct best unused = {0};
    struct node **at;

    if (!lpm->jumps)
        return;
    at = &lpm->jumps->to[k.high >> (64 - JUMP_BITS)];
    __atomic_store_n(at, (struct node *)walk_top(lpm, &k, &unused), __ATOMIC_RELEASE);
}

/* Makes the new node the one that readers find. */
static int change_commit(struct change *c, void *link, struct node *n)
{
    struct lpm *lpm = c->lpm;

    if (c->failed)
        return change_undo(c);
    __atomic_store_n((struct node **)link, n, __ATOMIC_RELEASE);
    jumps_follow(lpm, c->key);
    for (unsigned i = 0; i < c->fresh_count; i++)
        lpm->bytes += node_bytes(c->fresh[i]);
    for (unsigned i = 0; i < c->old_count; i++) {
        lpm->bytes -= node_bytes(c->old[i]);
        lpm->retire(lpm->context, c->old[i]);
    }
    return 0;
}

/* A node that is no run, as its maps and all that they can name, to be edited. */
struct open_node {
    uint64_t prefixes, children;
    struct node *child[64];
    void *value[64];
};

static void open_child(struct open_node *o, unsigned b, struct node *child)
{
    o->children |= UINT64_C(1) << b;
    o->child[b] = child;
}

static void open_value(struct open_node *o, unsigned bit, void *value)
{
    o->prefixes |= UINT64_C(1) << bit;
    o->value[bit] = value;
}

static void node_open(const struct node *n, struct open_node *o)
{
    void *const *slot = n->slots;

    o->prefixes = o->children = 0;
    for (uint64_t left = n->children; left; left &= left - 1)
        open_child(o, first_bit(left), *slot++);
    for (uint64_t left = n->prefixes; left; left &= left - 1, slot++)
        if (*slot)
            open_value(o, first_bit(left), *slot);
}

static struct node *node_close(struct change *c, const struct open_node *o)
{
    struct node *n = change_new(c, o->prefixes, o->children);
    void **slot = n ? n->slots : NULL;

    if (!n)
        return NULL;
    for (uint64_t left = o->children; left; left &= left - 1)
        *slot++ = o->child[first_bit(left)];
    for (uint64_t left = o->prefixes; left; left &= left - 1)
        *slot++ = o->value[first_bit(left)];
    return n;
}

static struct node *new_run(struct change *c, uint64_t bits, unsigned levels, struct node *child)
{
    struct node *n = change_new(c, RUN_FLAG | (uint64_t)levels << 1, bits);

    if (n)
        n->slots[0] = child;
    return n;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Where the node begins in which a prefix ends. */
static unsigned end_depth(unsigned prefix_len)
{
    if (prefix_len < JUMP_BITS)
        return smaller(prefix_len / STRIDE * STRIDE, 12);
    return JUMP_BITS + (prefix_len - JUMP_BITS) / STRIDE * STRIDE;
}

/* The change's prefix below `depth`, where nothing was. */
static struct node *new_way(struct change *c, unsigned depth)
{
    unsigned at = end_depth(c->prefix_len);
    struct open_node o = {0};
    struct node *n;

    open_value(&o, prefix_bit(key_at(c->key, at), c->prefix_len - at), c->value);
    n = node_close(c, &o);
    while (at > depth && at > JUMP_BITS) {
        unsigned from = depth > JUMP_BITS ? depth : JUMP_BITS;
        unsigned levels = smaller((at - from) / STRIDE, RUN_LEVELS);

        at -= levels * STRIDE;
        n = new_run(c, key_at(c->key, at).high >> (64 - levels * STRIDE), levels, n);
    }
    while (at > depth) {
        at = end_depth(at - 1);
        o = (struct open_node){0};
        open_child(&o, choice(key_at(c->key, at), stride_at(at)), n);
        n = node_close(c, &o);
    }
    return n;
}

/* The change's prefix in a node, or below a new child of it. */
static void open_prefix(struct change *c, struct open_node *o, unsigned depth)
{
    struct key k = key_at(c->key, depth);
    unsigned stride = stride_at(depth);

    if (c->prefix_len < depth + stride)
        open_value(o, prefix_bit(k, c->prefix_len - depth), c->value);
    else
        open_child(o, choice(k, stride), new_way(c, depth + stride));
}

static int set_in_node(struct change *c, void *link, struct node *n, unsigned depth)
{
    struct open_node o;

    node_open(n, &o);
    open_prefix(c, &o, depth);
    change_replaces(c, n);
    return change_commit(c, link, node_close(c, &o));
}

/* Of a run's levels, those that the key goes too, and the prefix does not end before. */
static unsigned run_shared(const struct change *c, const struct node *run, unsigned depth)
{
    unsigned levels = run_levels(run), ends = (c->prefix_len - depth) / STRIDE;
    uint64_t differs = key_at(c->key, depth).high >> (64 - levels * STRIDE) ^ run->children;

    if (differs)
        levels -= last_bit(differs) / STRIDE + 1;
    return smaller(levels, ends);
}

/* A run is cut behind its first `shared` levels by a node that goes both ways. */
static int set_in_run(struct change *c, void *link, struct node *run, unsigned depth,
                      unsigned shared)
{
    unsigned rest = run_levels(run) - shared - 1;
    struct node *tail = run->slots[0], *n;
    struct open_node o = {0};

    if (rest > 0)
        tail = new_run(c, run->children & below(rest * STRIDE), rest, tail);
    open_child(&o, run->children >> rest * STRIDE & 63, tail);
    open_prefix(c, &o, depth + shared * STRIDE);
    n = node_close(c, &o);
    if (shared > 0)
        n = new_run(c, run->children >> (rest + 1) * STRIDE, shared, n);
    change_replaces(c, run);
    return change_commit(c, link, n);
}

static int set(struct change *c)
{
    void *link = &c->lpm->top;
    unsigned depth = 0;

    for (;;) {
        struct node *n = *(struct node **)link;
        struct key k = key_at(c->key, depth);
        unsigned stride = stride_at(depth), slot = 0;

        if (is_run(n)) {
            unsigned shared = run_shared(c, n, depth);

            if (shared < run_levels(n))
                return set_in_run(c, link, n, depth, shared);
            stride = shared * STRIDE;
        } else if (c->prefix_len < depth + stride || !has(n->children, choice(k, stride))) {
            return set_in_node(c, link, n, depth);
        } else {
            slot = child_slot(n, choice(k, stride));
        }
        link = &n->slots[slot];
        depth += stride;
    }
}

/* The way to a prefix: what points to each node on it. */
struct path {
    struct {
        void *link;
        unsigned depth;
    } at[MAX_LEVELS];
    unsigned last;
    unsigned bit; /* of the prefix in the last one */
};

static struct node *path_node(const struct path *p, unsigned i)
{
    return *(struct node **)p->at[i].link;
}

/* The prefix's slot, whose value can be NULL; NULL when there is none. */
static void **find(const struct lpm *lpm, struct key whole, unsigned prefix_len, struct path *p)
{
    struct node *n = lpm->top;
    unsigned depth = 0;

    p->last = 0;
    p->at[0].link = (void *)&lpm->top;
    p->at[0].depth = 0;
    while (depth < end_depth(prefix_len)) {
        struct key k = key_at(whole, depth);
        unsigned stride = is_run(n) ? run_levels(n) * STRIDE : stride_at(depth), slot = 0;

        if (is_run(n)) {
            if (prefix_len < depth + stride || k.high >> (64 - stride) != n->children)
                return NULL;
        } else {
            if (!has(n->children, choice(k, stride)))
                return NULL;
            slot = child_slot(n, choice(k, stride));
        }
        depth += stride;
        p->last++;
        p->at[p->last].link = &n->slots[slot];
        p->at[p->last].depth = depth;
        n = n->slots[slot];
    }
    p->bit = prefix_bit(key_at(whole, depth), prefix_len - depth);
    return !is_run(n) && has(n->prefixes, p->bit) ? &n->slots[value_slot(n, p->bit)] : NULL;
}

/* A node that has one child and no prefix becomes a run, one with the runs at both its ends. */
static int close_as_run(struct change *c, struct path *p, const struct open_node *o)
{
    uint64_t bits = first_bit(o->children);
    struct node *child = o->child[bits], *parent;
    unsigned levels = 1;

    if (is_run(child) && levels + run_levels(child) <= RUN_LEVELS) {
        bits = bits << run_levels(child) * STRIDE | child->children;
        levels += run_levels(child);
        change_replaces(c, child);
        child = child->slots[0];
    }
    parent = path_node(p, p->last - 1);
    if (is_run(parent) && levels + run_levels(parent) <= RUN_LEVELS) {
        bits |= parent->children << levels * STRIDE;
        levels += run_levels(parent);
        change_replaces(c, parent);
        p->last--;
    }
    return change_commit(c, p->at[p->last].link, new_run(c, bits, levels, child));
}

/* Builds what is left of the path without the prefix. */
static int unset(struct change *c, struct path *p)
{
    struct open_node o;

    node_open(path_node(p, p->last), &o);
    o.prefixes &= ~(UINT64_C(1) << p->bit);
    while (p->last > 0 && !o.prefixes && !o.children) {
        struct node *parent = path_node(p, p->last - 1);
        unsigned depth = p->at[p->last - 1].depth;

        change_replaces(c, path_node(p, p->last));
        p->last--;
        if (is_run(parent))
            continue;
        node_open(parent, &o);
        o.children &= ~(UINT64_C(1) << choice(key_at(c->key, depth), stride_at(depth)));
    }
    change_replaces(c, path_node(p, p->last));
    if (p->at[p->last].depth >= JUMP_BITS && !o.prefixes && ones(o.children) == 1)
        return close_as_run(c, p, &o);
    return change_commit(c, p->at[p->last].link, node_close(c, &o));
}

/* ---- the array of jumps ---- */

/* Best effort: without it lookups only take three steps more. */
static void jumps_begin(struct lpm *lpm)
{
    struct jumps *jumps = calloc(1, sizeof(*jumps));

    if (!jumps)
        return;
    for (uint64_t i = 0; i < JUMPS; i++) {
        struct key k = {i << (64 - JUMP_BITS), 0};
        struct best unused = {0};

        jumps->to[i] = (struct node *)walk_top(lpm, &k, &unused);
    }
    __atomic_store_n(&lpm->jumps, jumps, __ATOMIC_RELEASE);
    lpm->bytes += sizeof(*jumps);
}

static void jumps_end(struct lpm *lpm)
{
    struct jumps *jumps = lpm->jumps;

    __atomic_store_n(&lpm->jumps, NULL, __ATOMIC_RELEASE);
    lpm->bytes -= sizeof(*jumps);
    lpm->retire(lpm->context, jumps);
}

static void jumps_adjust(struct lpm *lpm)
{
    bool power_of_two = (lpm->count & (lpm->count - 1)) == 0;

    if (lpm->jumps && lpm->count < JUMPS_TO)
        jumps_end(lpm);
    else if (!lpm->jumps && lpm->key_bits > JUMP_BITS && lpm->count >= JUMPS_FROM && power_of_two)
        jumps_begin(lpm);
}

/* ---- the door ---- */

static void free_now(void *context, void *memory)
{
    (void)context;
    free(memory);
}

struct lpm *lpm_new(unsigned key_bits, void (*retire)(void *context, void *memory), void *context)
{
    struct lpm *lpm = key_bits >= 1 && key_bits <= LPM_MAX_BITS ? malloc(sizeof(*lpm)) : NULL;
    struct node *top = lpm ? malloc(sizeof(*top)) : NULL;

    if (!top) {
        free(lpm);
        return NULL;
    }
    *top = (struct node){0};
    *lpm = (struct lpm){.top = top,
                        .key_bits = key_bits,
                        .bytes = sizeof(*lpm) + sizeof(*top),
                        .retire = retire ? retire : free_now,
                        .context = context};
    return lpm;
}

/* As deep as the trie: at most MAX_LEVELS. */
static void free_below(struct node *n)
{
    unsigned children = is_run(n) ? 1 : ones(n->children);

    for (unsigned i = 0; i < children; i++)
        free_below(n->slots[i]);
    free(n);
}

void lpm_free(struct lpm *lpm)
{
    if (!lpm)
        return;
    free_below(lpm->top);
    free(lpm->jumps);
    free(lpm);
}

int lpm_set(struct lpm *lpm, const uint8_t *key, unsigned prefix_len, void *value)
{
    struct change c = {.lpm = lpm, .prefix_len = prefix_len, .value = value};
    struct path path;
    void **slot;
    int err;

    if (prefix_len > lpm->key_bits || !value)
        return -EINVAL;
    c.key = load_key(key, lpm->key_bits);
    slot = find(lpm, c.key, prefix_len, &path);
    if (slot) {
        lpm->count += !*slot;
        __atomic_store_n(slot, value, __ATOMIC_RELEASE);
        return 0;
    }
    if ((err = set(&c)) < 0)
        return err;
    lpm->count++;
    jumps_adjust(lpm);
    return 0;
}

void *lpm_remove(struct lpm *lpm, const uint8_t *key, unsigned prefix_len)
{
    struct change c = {.lpm = lpm, .prefix_len = prefix_len};
    struct path path;
    void **slot, *value;

    if (prefix_len > lpm->key_bits)
        return NULL;
    c.key = load_key(key, lpm->key_bits);
    slot = find(lpm, c.key, prefix_len, &path);
    if (!slot || !*slot)
        return NULL;
    value = *slot;
    if (unset(&c, &path) < 0)
        __atomic_store_n(slot, NULL, __ATOMIC_RELEASE);
    lpm->count--;
    jumps_adjust(lpm);
    return value;
}

void *lpm_get(const struct lpm *lpm, const uint8_t *key, unsigned prefix_len)
{
    struct path path;
    void **slot;

    if (prefix_len > lpm->key_bits)
        return NULL;
    slot = find(lpm, load_key(key, lpm->key_bits), prefix_len, &path);
    return slot ? *slot : NULL;
}

size_t lpm_count(const struct lpm *lpm)
{
    return lpm->count;
}

size_t lpm_bytes(const struct lpm *lpm)
{
    return lpm->bytes;
}
