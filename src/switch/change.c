/*
 * change.c -- see change.h: what a transaction remembers, and flows' timeouts.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/loop.h"
#include "switch/change.h"

static struct {
    const struct change_listener *listener;
    struct change_limits limits;
} changes = {.limits = {1024, 1024}};

void change_listen(const struct change_listener *listener)
{
    changes.listener = listener;
}

void change_set_limits(uint32_t max_groups, uint32_t max_meters)
{
    changes.limits = (struct change_limits){max_groups, max_meters};
}

const struct change_limits *change_limits(void)
{
    return &changes.limits;
}

/* ---- reference counts ---- */

struct counting {
    struct datapath *dp;
    uint32_t by;
};

static void count_reference(const struct op *op, void *context)
{
    const struct counting *c = context;

    if (op->code == OP_GROUP) {
        struct group *group = datapath_group(c->dp, op->number);

        if (group)
            group->refs += c->by;
    } else {
        struct meter *meter = datapath_meter(c->dp, op->number);

        if (meter)
            meter->refs += c->by;
    }
}

static void count_references(struct datapath *dp, const struct flow *flow, int by)
{
    struct counting c = {dp, (uint32_t)by};

    program_each_reference(rule_ops(flow->rule), flow->op_count, count_reference, &c);
}

/* ---- timeouts (clause 5.5) ---- */

struct timeouts {
    struct flow_timeouts use;
    struct timer timer;
    struct flow *flow;
    struct datapath *dp;
};

static struct timeouts *timeouts_of(const struct flow *flow)
{
    return container_of(flow->timeouts, struct timeouts, use);
}

static uint64_t used_us(const struct timeouts *t)
{
    return __atomic_load_n(&t->use.used_us, __ATOMIC_RELAXED);
}

static void timeouts_wait(struct timeouts *t);

static void timeouts_fire(struct timer *timer)
{
    struct timeouts *t = container_of(timer, struct timeouts, timer);
    struct flow *flow = t->flow;
    uint64_t now = clock_now_us();
    uint64_t hard = flow->created_us + flow->hard_timeout * UINT64_C(1000000);
    uint64_t idle = used_us(t) + flow->idle_timeout * UINT64_C(1000000);
    struct transaction transaction;
    bool hard_is_over = flow->hard_timeout && now >= hard;

    if (!hard_is_over && !(flow->idle_timeout && now >= idle)) {
        timeouts_wait(t);
        return;
    }
    change_begin(&transaction, t->dp);
    if (change_remove_flow(&transaction, flow,
                           hard_is_over ? OFPRR_HARD_TIMEOUT : OFPRR_IDLE_TIMEOUT, false) < 0)
        timer_start(&t->timer, 1000, timeouts_fire); /* no memory now: later */
    change_commit(&transaction);
}

/* Until the first of the two may be over; an idle timeout is looked at again when a packet came
 * meanwhile. */
static void timeouts_wait(struct timeouts *t)
{
    const struct flow *flow = t->flow;
    uint64_t now = clock_now_us(), due = UINT64_MAX;

    if (flow->hard_timeout)
        due = flow->created_us + flow->hard_timeout * UINT64_C(1000000);
    if (flow->idle_timeout && used_us(t) + flow->idle_timeout * UINT64_C(1000000) < due)
        due = used_us(t) + flow->idle_timeout * UINT64_C(1000000);
    timer_start(&t->timer, due > now ? (due - now + 999) / 1000 : 0, timeouts_fire);
}

static int timeouts_start(struct datapath *dp, struct flow *flow)
{
    struct timeouts *t;

    if (!flow->idle_timeout && !flow->hard_timeout)
        return 0;
    if (!flow->timeouts) {
        t = calloc(1, sizeof(*t));
        if (!t)
            return -ENOMEM;
        t->dp = dp;
        t->use.used_us = flow->created_us;
        flow->timeouts = &t->use;
        flow->owns_timeouts = true;
        if (flow->idle_timeout)
            flow->rule->flags |= RULE_NOTES_USE;
    }
    timeouts_of(flow)->flow = flow;
    timeouts_wait(timeouts_of(flow));
    return 0;
}

static void timeouts_stop(struct flow *flow)
{
    if (flow->timeouts)
        timer_stop(&timeouts_of(flow)->timer);
}

static void timeouts_take(struct flow *to, struct flow *from)
{
    to->timeouts = from->timeouts;
    to->owns_timeouts = from->owns_timeouts;
    from->owns_timeouts = false;
    if (to->timeouts)
        timeouts_of(to)->flow = to;
}

/* ---- flows in and out ---- */

static int link_flow(struct datapath *dp, struct flow *flow, bool even_if_full)
{
    int err = timeouts_start(dp, flow);

    if (err == 0)
        err = table_insert(&dp->tables, flow, even_if_full);
    if (err < 0) {
        timeouts_stop(flow);
        return err;
    }
    count_references(dp, flow, 1);
    return 0;
}

static void remove_flow(struct datapath *dp, struct flow *flow)
{
    table_remove(&dp->tables, flow);
    timeouts_stop(flow);
    count_references(dp, flow, -1);
}

static void restore_flow(struct datapath *dp, struct flow *flow)
{
    table_restore(&dp->tables, flow);
    (void)timeouts_start(dp, flow); /* it has them: nothing is allocated */
    count_references(dp, flow, 1);
}

int change_add_flow(struct transaction *t, struct flow *flow, bool even_if_full)
{
    int err = change_reserve(t, 1);

    if (err == 0)
        err = link_flow(t->dp, flow, even_if_full);
    if (err == 0)
        change_note(t, (struct change){.kind = FLOW_ADDED, .flow = {.flow = flow}});
    return err;
}

int change_remove_flow(struct transaction *t, struct flow *flow, uint8_t reason, bool quiet)
{
    int err = change_reserve(t, 1);

    if (err < 0)
        return err;
    flow->removed_because = reason;
    remove_flow(t->dp, flow);
    change_note(t, (struct change){.kind = FLOW_REMOVED, .flow = {.flow = flow, .quiet = quiet}});
    return 0;
}

int change_replace_flow(struct transaction *t, struct flow *old, struct flow *flow,
                        bool reset_counts, bool same_timeouts)
{
    struct datapath *dp = t->dp;
    int err = change_reserve(t, 1);

    if (err < 0)
        return err;
    remove_flow(dp, old);
    if (same_timeouts)
        timeouts_take(flow, old);
    if (same_timeouts || !reset_counts) {
        flow_take_counter(flow, old);
        if (reset_counts)
            flow_reset_count(&dp->tables, flow);
    }
    if ((err = link_flow(dp, flow, true)) < 0) {
        if (same_timeouts)
            timeouts_take(old, flow);
        if (!old->owns_counter)
            flow_give_counter_back(flow, old);
        restore_flow(dp, old);
        return err;
    }
    change_note(t, (struct change){.kind = FLOW_REPLACED, .flow = {.flow = flow, .old = old}});
    return 0;
}

/* ---- flows that went ---- */

/* Nobody can be at it any more. */
static void flow_end(struct reclaim *reclaim)
{
    struct flow *flow = container_of(reclaim, struct flow, reclaim);

    if (flow->owns_timeouts)
        free(timeouts_of(flow));
    flow_free(flow_tables(flow), flow);
}

/* Nobody can find it any more in the version that he reads. */
static void flow_gone(struct reclaim *reclaim)
{
    struct flow *flow = container_of(reclaim, struct flow, reclaim);

    if (table_unlink(flow_tables(flow), flow))
        reclaim_later(&flow->reclaim, flow_end);
    else
        reclaim_later(&flow->reclaim, flow_gone);
}

/* The same, and its counters are final: a controller hears of it. */
static void flow_gone_and_told(struct reclaim *reclaim)
{
    struct flow *flow = container_of(reclaim, struct flow, reclaim);

    if (changes.listener)
        changes.listener->flow_removed(flow, flow->removed_because);
    flow_gone(reclaim);
}

void change_discard_flow(struct flow *flow)
{
    if (flow->owns_timeouts) /* else they are another's again, and run */
        timeouts_stop(flow);
    reclaim_later(&flow->reclaim, flow_end);
}

/* ---- groups and meters ---- */

static void group_end(struct reclaim *reclaim)
{
    group_free(container_of(reclaim, struct group, entry.reclaim));
}

static void meter_end(struct reclaim *reclaim)
{
    meter_free(container_of(reclaim, struct meter, entry.reclaim));
}

static void mark_end(struct reclaim *reclaim)
{
    free(container_of(reclaim, struct entry, reclaim));
}

/* The newest version of an entry is what everybody reads now. */
static void entry_settled(struct reclaim *reclaim)
{
    struct entry *e = container_of(reclaim, struct entry, settle);

    entry_settle(e);
    if (e->gone)
        reclaim_later(&e->reclaim, mark_end);
}

static void entry_end(enum change_kind kind, struct entry *e)
{
    reclaim_later(&e->reclaim, e->gone ? mark_end : kind == GROUP_CHANGED ? group_end : meter_end);
}

/* A group or meter (NULL: the mark that there is none) under its id, for workers and for us. */
static int put_entry(struct transaction *t, enum change_kind kind, uint32_t id, struct entry *e)
{
    struct datapath *dp = t->dp;
    struct map *map = kind == GROUP_CHANGED ? &dp->groups : &dp->meters;
    struct entry *old = (struct entry *)(uintptr_t)map_get(map, id);
    struct entry *newer = e ? e : calloc(1, sizeof(*newer));
    int err = newer ? change_reserve(t, 1) : -ENOMEM;

    if (err == 0 && e)
        err = map_set(map, id, (uint64_t)(uintptr_t)e);
    if (err == 0) {
        newer->id = id;
        newer->gone = !e;
        newer->from = tables_working(&dp->tables);
        err = entry_push(kind == GROUP_CHANGED ? &dp->group_index : &dp->meter_index, newer);
        if (err < 0 && e)
            (void)(old ? map_set(map, id, (uint64_t)(uintptr_t)old) : map_remove(map, id));
    }
    if (err < 0) {
        if (!e)
            free(newer);
        return err;
    }
    if (!e)
        map_remove(map, id);
    change_note(t, (struct change){.kind = kind, .entry = {id, old, newer}});
    return 0;
}

int change_put_group(struct transaction *t, uint32_t id, struct group *group)
{
    return put_entry(t, GROUP_CHANGED, id, group ? &group->entry : NULL);
}

int change_put_meter(struct transaction *t, uint32_t id, struct meter *meter)
{
    return put_entry(t, METER_CHANGED, id, meter ? &meter->entry : NULL);
}

static void undo_entry(struct map *map, struct change *c)
{
    entry_pop(c->entry.newer);
    if (c->entry.old) /* its place is there: nothing grows */
        (void)map_set(map, c->entry.id, (uint64_t)(uintptr_t)c->entry.old);
    else
        map_remove(map, c->entry.id);
    entry_end(c->kind, c->entry.newer);
}

/* ---- transactions ---- */

void change_begin(struct transaction *t, struct datapath *dp)
{
    *t = (struct transaction){.dp = dp};
}

int change_reserve(struct transaction *t, size_t n)
{
    size_t size = t->size ? t->size : 4;
    struct change *at;

    while (t->count + n > size)
        size *= 2;
    if (size == t->size)
        return 0;
    at = realloc(t->changes, size * sizeof(*at));
    if (!at)
        return -ENOMEM;
    t->changes = at;
    t->size = size;
    return 0;
}

void change_note(struct transaction *t, struct change change)
{
    t->changes[t->count++] = change;
}

static void end(struct transaction *t)
{
    free(t->changes);
    *t = (struct transaction){.dp = t->dp};
}

static void tell_flow_changed(const struct change *c)
{
    static const enum flow_event events[] = {[FLOW_ADDED] = FLOW_EVENT_ADDED,
                                             [FLOW_REMOVED] = FLOW_EVENT_REMOVED,
                                             [FLOW_REPLACED] = FLOW_EVENT_MODIFIED};

    if (c->kind <= FLOW_REPLACED && changes.listener && changes.listener->flow_changed)
        changes.listener->flow_changed(c->flow.flow, events[c->kind],
                                       c->kind == FLOW_REMOVED ? c->flow.flow->removed_because : 0);
}

static void commit_one(const struct change *c)
{
    const struct change_listener *l = changes.listener;

    switch (c->kind) {
    case FLOW_REMOVED:
        reclaim_later(&c->flow.flow->reclaim,
                      !c->flow.quiet && (c->flow.flow->flags & OFPFF_SEND_FLOW_REM)
                          ? flow_gone_and_told
                          : flow_gone);
        break;
    case FLOW_REPLACED:
        reclaim_later(&c->flow.old->reclaim, flow_gone);
        break;
    case GROUP_CHANGED:
    case METER_CHANGED:
        reclaim_later(&c->entry.newer->settle, entry_settled);
        if (c->entry.old)
            entry_end(c->kind, c->entry.old);
        break;
    case PORT_CONFIGURED:
        __atomic_store_n(&c->port.port->ofp_config, c->port.port->wanted_config, __ATOMIC_RELAXED);
        if (l)
            l->port_changed(c->port.port);
        break;
    default:
        break;
    }
}

void change_commit(struct transaction *t)
{
    tables_publish(&t->dp->tables);
    for (size_t i = 0; i < t->count; i++) {
        tell_flow_changed(&t->changes[i]);
        commit_one(&t->changes[i]);
    }
    end(t);
}

static void undo_one(struct datapath *dp, struct change *c)
{
    switch (c->kind) {
    case FLOW_ADDED:
        remove_flow(dp, c->flow.flow);
        reclaim_later(&c->flow.flow->reclaim, flow_gone);
        break;
    case FLOW_REMOVED:
        restore_flow(dp, c->flow.flow);
        break;
    case FLOW_REPLACED:
        remove_flow(dp, c->flow.flow);
        if (c->flow.flow->timeouts == c->flow.old->timeouts)
            timeouts_take(c->flow.old, c->flow.flow);
        if (!c->flow.old->owns_counter)
            flow_give_counter_back(c->flow.flow, c->flow.old);
        restore_flow(dp, c->flow.old);
        reclaim_later(&c->flow.flow->reclaim, flow_gone);
        break;
    case GROUP_CHANGED:
        if (c->entry.old && !c->entry.newer->gone)
            group_give_counter_back(container_of(c->entry.newer, struct group, entry),
                                    container_of(c->entry.old, struct group, entry));
        undo_entry(&dp->groups, c);
        break;
    case METER_CHANGED:
        undo_entry(&dp->meters, c);
        break;
    case PORT_CONFIGURED:
        c->port.port->wanted_config = c->port.old_config;
        break;
    case TABLE_CONFIGURED:
        dp->tables.table[c->table.table_id].config = c->table.old_config;
        break;
    }
}

void change_rollback(struct transaction *t)
{
    while (t->count > 0)
        undo_one(t->dp, &t->changes[--t->count]);
    end(t);
}

void change_settle(void)
{
    reclaim_all();
    reclaim_synchronize();
}

static int remove_quietly(struct flow *flow, void *context)
{
    return change_remove_flow(context, flow, OFPRR_DELETE, true);
}

void change_remove_all_flows(struct datapath *dp)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};
    struct transaction t;

    change_begin(&t, dp);
    (void)tables_each(&dp->tables, &filter, remove_quietly, &t);
    change_commit(&t);
    change_settle();
}
