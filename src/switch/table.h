/*
 * table.h -- flow tables: what rules there are and which one a packet meets (OpenFlow 1.3.5
 * clauses 5.1 to 5.5).
 *
 * What: a table holds flows, each a match with priority. Flows whose matches have the same mask
 * form a tuple: a hash table over the masked words of the key. A lookup asks the tuples in order of
 * their highest priority and stops when none that is left can beat what was found. So a table whose
 * rules all name the same fields (TEID on the gtpu port, destination address on the SGi port) costs
 * one probe however many rules it has; `match` is the function for the table's present shape (none,
 * one tuple, several), chosen when that changes.
 *
 * Why tuples and no cache behind them: counters and barriers stay exact, there is nothing to
 * invalidate or revalidate, and a flow mod costs the same with a hundred flows and with a million.
 *
 * Rules of the same match differ in priority and hang in a chain, highest first. All flows of all
 * tables are also found by cookie.
 *
 * One thread changes and reads. Readers only follow `match`, the tuple array and the slots; a
 * change builds what it replaces before it is put in place.
 */
#ifndef STROWGER_SWITCH_TABLE_H
#define STROWGER_SWITCH_TABLE_H

#include "base/arena.h"
#include "wire/openflow/openflow.h"

#define TABLES   255
#define NO_TABLE 0xff

/* The instructions of a flow in one piece of memory: as they were configured, and what the pipeline
 * wants to know of them. */
struct program {
    struct of_instructions instructions;    /* points behind this struct */
    const struct of_actions *apply, *write; /* NULL: none */
    uint64_t metadata, metadata_mask;
    uint32_t meter_id;  /* 0: none */
    uint8_t goto_table; /* NO_TABLE: none */
    bool clear;
};

/* A copy of the instructions; NULL when memory is out. Freed with free(). */
struct program *program_new(const struct of_instructions *instructions);
bool program_outputs_to(const struct program *program, uint32_t port, uint32_t group);

struct tuple;
struct flow_timeouts;

struct flow {
    struct flow *lower; /* same match, next lower priority */
    struct tuple *tuple;
    struct program *program;
    uint64_t packets, bytes;
    uint64_t created_us, used_us; /* monotonic clock */
    uint64_t cookie;
    struct flow *cookie_next;
    struct flow **cookie_link;
    struct flow_timeouts *timeouts; /* NULL: it has none */
    uint64_t fields;                /* that the match names */
    uint32_t hash;
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout; /* seconds */
    uint16_t flags;                      /* enum ofp_flow_mod_flags */
    uint8_t table_id;
    bool linked;    /* it is in its table */
    uint64_t key[]; /* the masked words, as many as the tuple has */
};

struct slot {
    uint32_t hash;
    struct flow *flow; /* NULL: free; FLOW_GONE: was taken */
};

struct tuple {
    uint16_t max_priority; /* no flow of it has a higher one */
    uint8_t words;
    uint8_t index[OF_KEY_WORDS]; /* of the words that matter */
    uint64_t mask[OF_KEY_WORDS]; /* of those */
    uint32_t size, used, gone;   /* slots: a power of two; with chains; taken */
    uint32_t flows;              /* in it; */
    uint32_t refs; /* flows that have this mask, those taken out of it included: it stays as long as
                      they do */
    struct slot *slots;
};

struct table {
    uint64_t seed; /* of its hashes: peers who choose keys can not choose collisions */
    struct flow *(*match)(const struct table *table, const struct of_key *key);
    struct tuple **tuples; /* by max_priority, highest first */
    uint32_t tuple_count;
    uint32_t flows;
    uint32_t max_flows; /* of OFPMP_TABLE_FEATURES */
    uint32_t config;    /* of OFPT_TABLE_MOD: kept, without effect in 1.3 */
    bool removed;       /* from the pipeline, by OFPMP_TABLE_FEATURES */
    uint64_t lookups, matches;
};

struct tables {
    uint64_t seed;
    struct flow **cookies;
    uint32_t cookie_size, flow_count;
    struct table table[TABLES];
};

/* Each table has room for `max_flows`. */
void tables_init(struct tables *tables, uint64_t seed, uint32_t max_flows);
/* Frees the tables and all flows in them. */
void tables_free(struct tables *tables);

static inline struct flow *table_lookup(struct table *table, const struct of_key *key)
{
    struct flow *flow = table->match(table, key);

    table->lookups++;
    table->matches += flow != NULL;
    return flow;
}

/* Has the memory that lookups of these keys will touch brought into the cache, all at once: a table
 * of a hundred thousand flows is not in it, and waiting for one packet's flow after the other is
 * what would cost most. */
void table_prefetch(const struct table *table, const struct of_key *const *keys, size_t count);

/* A flow that is in no table yet; owns the program. NULL when memory is out (the program is then
 * still the caller's). */
struct flow *flow_new(struct tables *tables, uint8_t table_id, uint16_t priority,
                      const struct of_match *match, struct program *program);
/* Frees a flow that is in no table. */
void flow_free(struct tables *tables, struct flow *flow);

/* Puts it into its table. There must be none with the same match and priority. 0, -ENOMEM, or
 * -ENOSPC: the table is full (not asked with `even_if_full`: for a flow that was there before). */
int table_insert(struct tables *tables, struct flow *flow, bool even_if_full);
void table_remove(struct tables *tables, struct flow *flow);

/* The flow with exactly this match and priority, or NULL. */
struct flow *table_find(struct tables *tables, uint8_t table_id, uint16_t priority,
                        const struct of_match *match);

/* The match that a flow was given. */
void flow_match(const struct flow *flow, struct of_match *match);

/* Which flows a request means (clause 6.4: non-strict matching). */
struct flow_filter {
    uint8_t table_id;             /* OFPTT_ALL */
    const struct of_match *match; /* flows that are as narrow as this or narrower */
    uint64_t cookie, cookie_mask;
    uint32_t out_port, out_group; /* OFPP_ANY, OFPG_ANY */
};

/* Calls `each` for every such flow, which may take the flow it is given out of its table (not free
 * it). Stops when it returns a negative number, and returns that; else 0. */
int tables_each(struct tables *tables, const struct flow_filter *filter,
                int (*each)(struct flow *flow, void *context), void *context);

/* True when a flow of this priority could match a packet that `match` also matches
 * (OFPFF_CHECK_OVERLAP). */
bool table_overlaps(struct tables *tables, uint8_t table_id, uint16_t priority,
                    const struct of_match *match);

#endif
