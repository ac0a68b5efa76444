/*
 * change.h -- changing the data path, all or nothing.
 *
 * A transaction applies requests one by one, in a version of flows, groups and meters that no
 * worker reads yet, and remembers how to take each back. Committed, that version is published: a
 * packet sees either all of it or nothing. Rolled back, everything is as it was, counters included.
 * A single request is a transaction of one, a bundle one of many.
 *
 * What went is told to the controllers (OFPT_FLOW_REMOVED) and freed when no worker is at it any
 * more, so its counters are final: change_settle() waits for that, at a barrier, and otherwise once
 * at the end of a turn of the loop (reclaim.h).
 *
 * After a request that failed a transaction can only be rolled back.
 */
#ifndef STROWGER_SWITCH_CHANGE_H
#define STROWGER_SWITCH_CHANGE_H

#include "switch/worker.h"

enum change_kind {
    FLOW_ADDED,
    FLOW_REMOVED,
    FLOW_REPLACED,
    GROUP_CHANGED,
    METER_CHANGED,
    PORT_CONFIGURED,
    TABLE_CONFIGURED
};

struct change {
    enum change_kind kind;
    union {
        struct {
            struct flow *flow, *old; /* FLOW_REPLACED: old went for it */
            bool quiet;              /* FLOW_REMOVED: nobody is told */
        } flow;
        struct {
            uint32_t id;
            struct entry *old;   /* NULL: there was none */
            struct entry *newer; /* group or meter, or the mark that there is none any more */
        } entry;
        struct {
            struct port *port;
            uint32_t old_config;
        } port;
        struct {
            uint8_t table_id;
            uint32_t old_config;
        } table;
    };
};

struct transaction {
    struct datapath *dp;
    struct change *changes;
    size_t count, size;
};

struct change_limits {
    uint32_t max_groups, max_meters;
};

/* What became of a flow; one that is replaced by an identical match and priority was modified. */
enum flow_event { FLOW_EVENT_ADDED, FLOW_EVENT_REMOVED, FLOW_EVENT_MODIFIED };

/* Whom to tell what, when it is committed. */
struct change_listener {
    void (*flow_removed)(const struct flow *flow, uint8_t reason); /* to those who asked for it */
    void (*port_changed)(struct port *port);
    /* Every change of every flow. `reason` of a removal: enum ofp_flow_removed_reason. May be NULL.
     */
    void (*flow_changed)(const struct flow *flow, enum flow_event event, uint8_t reason);
};

void change_listen(const struct change_listener *listener);
void change_set_limits(uint32_t max_groups, uint32_t max_meters);

void change_begin(struct transaction *t, struct datapath *dp);
void change_commit(struct transaction *t);
void change_rollback(struct transaction *t);

/* Everything that was committed has happened for every packet to come, and has been told. */
void change_settle(void);

/* Removes all flows, and tells nobody: the end of the switch. */
void change_remove_all_flows(struct datapath *dp);

/* Requests: 0, or the error that answers it. */
of_error change_flow_mod(struct transaction *t, const struct of_flow_mod *mod);
of_error change_group_mod(struct transaction *t, const struct of_group_mod *mod);
of_error change_meter_mod(struct transaction *t, const struct of_meter_mod *mod);
of_error change_port_mod(struct transaction *t, const struct of_port_mod *mod);
of_error change_table_mod(struct transaction *t, const struct of_table_mod *mod);

/* May these actions be? `match` NULL: nothing is known of the packets (group buckets, PACKET_OUT).
 */
of_error check_actions(struct datapath *dp, const struct of_actions *actions,
                       const struct of_match *match, bool packet_out);

/* ---- for the room's own files ---- */

/* Room for `n` more changes, so that noting them can not fail. 0 or -ENOMEM. */
int change_reserve(struct transaction *t, size_t n);
void change_note(struct transaction *t, struct change change);

/* A flow into or out of its table, with what depends on it (groups' and meters' reference counts,
 * timeouts). When the first fails, the flow is still the caller's. */
int change_add_flow(struct transaction *t, struct flow *flow, bool even_if_full);
int change_remove_flow(struct transaction *t, struct flow *flow, uint8_t reason, bool quiet);
/* `flow` takes the place of `old`; with its counter, unless it counts anew, and with its timeouts
 * if `same_timeouts`. */
int change_replace_flow(struct transaction *t, struct flow *old, struct flow *flow,
                        bool reset_counts, bool same_timeouts);
/* Gives up a flow that is in no table. */
void change_discard_flow(struct flow *flow);

/* Puts a group or meter in the place of the one with its id; NULL: there is none any more. */
int change_put_group(struct transaction *t, uint32_t id, struct group *group);
int change_put_meter(struct transaction *t, uint32_t id, struct meter *meter);

/* Limits as set. */
const struct change_limits *change_limits(void);

#endif
