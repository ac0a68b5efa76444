/*
 * table.h -- flow tables: what rules there are and which one a packet meets (OpenFlow 1.3.5
 * clauses 5.1 to 5.5).
 *
 * What: flows whose matches have the same mask form a tuple: a hash table over the masked words of
 * the key, a cache line of 8 slots a bucket. How a table is searched depends on what is in it, and
 * is chosen anew when that changes (struct matcher):
 *
 *   few       up to 8 flows: a list by priority
 *   units     a row of tuples, by their highest priority; the search stops when no later one can
 *             win. One mask (TEIDs, 5-tuples) is one probe whatever the number of flows
 *   prefixes  tuples that differ in the prefix of one address alone, longer ones first, are one
 *             unit: a trie (lpm.h). So a routing table is one unit, too
 *
 * A table of more than some units has each thread remember what it found in a small exact-match
 * cache; a change of the table makes all of its entries old. Traffic that never finds anything
 * there makes the thread stop asking for a while, so that random headers cost next to nothing.
 *
 * Versions: a flow is there for versions `from` to `until` (a flag in the rule says that this is so
 * for all who may read, as it is nearly always), and a thread reads one version of everything
 * during a burst. A transaction makes its changes in a version that is not published
 * yet; so a packet sees all of it or nothing, and what is taken back was never seen. A flow never
 * changes once it is in: what modifies it puts another in its place, with the same counters.
 *
 * Who: one thread changes, any number read, without locks; what they may still look at is freed by
 * reclaim.h. The reader's part of a flow is struct rule.
 */
#ifndef STROWGER_SWITCH_TABLE_H
#define STROWGER_SWITCH_TABLE_H

#include "base/arena.h"
#include "switch/counter.h"
#include "switch/program.h"
#include "switch/reclaim.h"
#include "switch/slab.h"

#define TABLES   255
#define NO_TABLE 0xff
#define BURST    32 /* packets that are looked up together */

/* Versions, of a flow or group. */
#define VERSION_NEVER UINT64_MAX

struct tuple;
struct flow_timeouts;

/* What a lookup reads, and what is then done: aligned to a cache line, which holds all of it for
 * the rules of a tunnel. Rules lie apart from the rest of their flows (slab.h), so that as many as
 * possible are in the processor's cache. */
struct rule {
    struct rule *lower; /* same match, next lower priority, or an older one */
    uint32_t counter;   /* struct counter */
    uint16_t priority;
    uint8_t words; /* of its key */
    uint8_t flags; /* enum rule_flags */
    uint64_t at[]; /* the key's words, then ops */
};

enum rule_flags {
    RULE_UNSETTLED = 1, /* some readers may see it and others not: flow.from and flow.until tell */
    RULE_NOTES_USE = 2, /* it has an idle timeout */
    RULE_EMPTY = 4,     /* no ops */
};

/* They change while readers look on. */
static inline uint8_t rule_flags(const struct rule *rule)
{
    return __atomic_load_n(&rule->flags, __ATOMIC_ACQUIRE);
}

static inline const struct op *rule_ops(const struct rule *rule)
{
    return (const void *)&rule->at[rule->words];
}

struct flow {
    struct reclaim reclaim;
    struct tuple *tuple;
    struct flow *unsettled_next;
    struct flow *cookie_next;
    struct flow **cookie_link;
    struct flow_timeouts *timeouts; /* NULL: it has none */
    uint64_t from, until;           /* is there in versions [from, until) */
    uint64_t created_us;            /* monotonic clock */
    uint64_t cookie;
    uint64_t fields;                     /* that the match names */
    struct counter counted_from;         /* what the counters were when its own count began */
    uint16_t idle_timeout, hard_timeout; /* seconds */
    uint16_t flags;                      /* enum ofp_flow_mod_flags */
    uint16_t wire_size;
    uint16_t op_count;
    uint8_t table_id;
    uint8_t removed_because;                  /* enum ofp_flow_removed_reason, when it goes */
    bool owns_counter : 1, owns_timeouts : 1; /* another has taken them over if not */
    bool alive : 1;                           /* in the version that is worked on */
    bool is_unsettled : 1;                    /* in the list of those */
    struct rule *rule;
    uint8_t wire[]; /* the instructions as OpenFlow writes them */
};

static inline struct flow *flow_of(const struct rule *rule)
{
    return slab_owner(rule);
}

/* What workers tell of a flow that goes when it is idle; change.c has the rest behind it. */
struct flow_timeouts {
    uint64_t used_us;
};

static inline void flow_note_use(const struct rule *rule, uint64_t now_us)
{
    __atomic_store_n(&flow_of(rule)->timeouts->used_us, now_us, __ATOMIC_RELAXED);
}

static inline uint16_t flow_priority(const struct flow *flow)
{
    return flow->rule->priority;
}

struct matcher;

struct table {
    /* what readers see */
    struct matcher *matcher;
    uint64_t generation; /* the version of its last change */
    /* the changing thread's own */
    struct tuple **tuples;
    struct prefixes *prefixes[2]; /* IPv4 and IPv6 destinations or sources */
    uint32_t tuple_count;
    uint32_t flows;     /* alive */
    uint32_t linked;    /* and those that are not reclaimed yet */
    uint32_t max_flows; /* of OFPMP_TABLE_FEATURES */
    uint32_t config;    /* of OFPT_TABLE_MOD: kept, without effect in 1.3 */
    bool removed;       /* from the pipeline, by OFPMP_TABLE_FEATURES */
    bool no_prefixes;   /* priorities go against lengths: until it is empty */
};

struct tables {
    uint64_t seed;    /* of hashes: peers who choose keys can not choose collisions */
    uint64_t version; /* published: what readers see */
    struct counters *counters;
    struct flow *unsettled; /* until a grace period after their version was published */
    struct reclaim settle;
    bool settles; /* that is queued */
    struct flow **cookies;
    uint32_t cookie_size, flow_count;
    struct table table[TABLES];
    uint8_t scratch[65536]; /* for instructions on their way into a flow */
};

/* Each table has room for `max_flows`. */
void tables_init(struct tables *tables, struct counters *counters, uint64_t seed,
                 uint32_t max_flows);
/* Frees the tables and all flows in them. */
void tables_free(struct tables *tables);

/* ---- readers ---- */

/* A thread's exact-match cache. */
struct table_cache;
struct table_cache *table_cache_new(void);
void table_cache_free(struct table_cache *cache);

/* The rule that each of up to BURST keys meets in this version, or NULL. What the pipeline reads
 * next (ops, the counter of `owner`) is on its way into the processor's cache. */
void table_lookup_burst(const struct tables *tables, uint8_t table_id, uint64_t version,
                        const struct of_key *const *keys, size_t count, const struct rule **found,
                        struct counter_owner *owner, struct table_cache *cache);

/* One key, without a cache. */
const struct rule *table_lookup(const struct tables *tables, uint8_t table_id, uint64_t version,
                                const struct of_key *key);

/* False as long as the first table is empty: nobody has said anything yet. */
static inline bool tables_know_anything(const struct tables *tables)
{
    return __atomic_load_n(&tables->table[0].matcher, __ATOMIC_RELAXED) != NULL;
}

/* ---- the changing thread ---- */

/* The version that is worked on: the one after the published. */
static inline uint64_t tables_working(const struct tables *tables)
{
    return tables->version + 1;
}

/* Readers see the version that was worked on from now on. */
void tables_publish(struct tables *tables);

/* A flow that is in no table yet, with a counter of its own; NULL when memory is out. */
struct flow *flow_new(struct tables *tables, uint8_t table_id, uint16_t priority,
                      const struct of_match *match, const struct of_instructions *instructions);
/* The same with other instructions: what takes a flow's place. Has no counter: see
 * flow_take_counter(). */
struct flow *flow_new_like(struct tables *tables, const struct flow *flow,
                           const struct of_instructions *instructions);
/* The counter of one flow is the other's from now on. */
void flow_take_counter(struct flow *to, struct flow *from);
/* Takes that back: what was counted is as if it had never been the other's. */
void flow_give_counter_back(struct flow *from, struct flow *to);
struct tables *flow_tables(const struct flow *flow);
/* Frees a flow that no reader can see. */
void flow_free(struct tables *tables, struct flow *flow);

/* Packets and bytes since it was made or its counters were reset. */
struct counter flow_count(const struct tables *tables, const struct flow *flow);
void flow_reset_count(const struct tables *tables, struct flow *flow);

/* Puts it into its table, for readers of the working version on. There must be none alive with the
 * same match and priority. 0, -ENOMEM, or -ENOSPC: the table is full (not asked with
 * `even_if_full`: for a flow that takes another's place). */
int table_insert(struct tables *tables, struct flow *flow, bool even_if_full);
/* From the working version on it is not there. */
void table_remove(struct tables *tables, struct flow *flow);
/* Takes table_remove() back, before it was published. Can not fail. */
void table_restore(struct tables *tables, struct flow *flow);
/* Out of its chain: after readers of old versions are gone, or when it was never published. It may
 * be freed after the next grace period. False when memory is out: try again later. */
bool table_unlink(struct tables *tables, struct flow *flow);

/* The flow with exactly this match and priority, or NULL. */
struct flow *table_find(struct tables *tables, uint8_t table_id, uint16_t priority,
                        const struct of_match *match);

/* The match that a flow was given, and its instructions (in the arena; false when it is full). */
void flow_match(const struct flow *flow, struct of_match *match);
bool flow_instructions(const struct flow *flow, struct of_instructions *instructions,
                       struct arena *arena);
static inline bool flow_outputs_to(const struct flow *flow, uint32_t port, uint32_t group)
{
    return program_outputs_to(rule_ops(flow->rule), flow->op_count, port, group);
}

/* How a table is searched at present: "none", "few", "1 mask", "3 masks", "prefixes + 1 mask"... */
const char *table_matcher_name(const struct table *table, char *buffer, size_t size);

/* Which flows a request means (clause 6.4: non-strict matching). */
struct flow_filter {
    uint8_t table_id;             /* OFPTT_ALL */
    const struct of_match *match; /* flows that are as narrow as this or narrower */
    uint64_t cookie, cookie_mask;
    uint32_t out_port, out_group; /* OFPP_ANY, OFPG_ANY */
};

/* Calls `each` for every such flow that is alive, which may remove it or put another in its place.
 * Stops when it returns a negative number, and returns that; else 0. */
int tables_each(struct tables *tables, const struct flow_filter *filter,
                int (*each)(struct flow *flow, void *context), void *context);

/* True when a flow of this priority could match a packet that `match` also matches
 * (OFPFF_CHECK_OVERLAP). */
bool table_overlaps(struct tables *tables, uint8_t table_id, uint16_t priority,
                    const struct of_match *match);

#endif
