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

static void count_groups(struct datapath *dp, const struct of_actions *actions, int by)
{
    for (size_t i = 0; actions && i < actions->count; i++) {
        struct group *group;

        if (actions->at[i].type == OFPAT_GROUP &&
            (group = datapath_group(dp, actions->at[i].group_id)))
            group->refs += (uint32_t)by;
    }
}

static void count_references(struct datapath *dp, const struct program *program, int by)
{
    struct meter *meter = program->meter_id ? datapath_meter(dp, program->meter_id) : NULL;

    count_groups(dp, program->apply, by);
    count_groups(dp, program->write, by);
    if (meter)
        meter->refs += (uint32_t)by;
}

/* ---- timeouts (clause 5.5) ---- */

struct flow_timeouts {
    struct timer timer;
    struct flow *flow;
    struct datapath *dp;
};

static void timeouts_wait(struct flow_timeouts *t);

static void timeouts_fire(struct timer *timer)
{
    struct flow_timeouts *t = container_of(timer, struct flow_timeouts, timer);
    struct flow *flow = t->flow;
    uint64_t now = clock_now_us();
    uint64_t hard = flow->created_us + flow->hard_timeout * UINT64_C(1000000);
    uint64_t idle = flow->used_us + flow->idle_timeout * UINT64_C(1000000);
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
static void timeouts_wait(struct flow_timeouts *t)
{
    const struct flow *flow = t->flow;
    uint64_t now = clock_now_us(), due = UINT64_MAX;

    if (flow->hard_timeout)
        due = flow->created_us + flow->hard_timeout * UINT64_C(1000000);
    if (flow->idle_timeout && flow->used_us + flow->idle_timeout * UINT64_C(1000000) < due)
        due = flow->used_us + flow->idle_timeout * UINT64_C(1000000);
    timer_start(&t->timer, due > now ? (due - now + 999) / 1000 : 0, timeouts_fire);
}

static int timeouts_start(struct datapath *dp, struct flow *flow)
{
    if (!flow->idle_timeout && !flow->hard_timeout)
        return 0;
    if (!flow->timeouts) {
        flow->timeouts = calloc(1, sizeof(*flow->timeouts));
        if (!flow->timeouts)
            return -ENOMEM;
        flow->timeouts->flow = flow;
        flow->timeouts->dp = dp;
    }
    timeouts_wait(flow->timeouts);
    return 0;
}

static void timeouts_stop(struct flow *flow)
{
    if (flow->timeouts)
        timer_stop(&flow->timeouts->timer);
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
    count_references(dp, flow->program, 1);
    return 0;
}

static void unlink_flow(struct datapath *dp, struct flow *flow)
{
    table_remove(&dp->tables, flow);
    timeouts_stop(flow);
    count_references(dp, flow->program, -1);
}

static void destroy_flow(struct datapath *dp, struct flow *flow)
{
    timeouts_stop(flow);
    free(flow->timeouts);
    flow_free(&dp->tables, flow);
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
    unlink_flow(t->dp, flow);
    change_note(t, (struct change){.kind = FLOW_REMOVED,
                                   .flow = {.flow = flow, .reason = reason, .quiet = quiet}});
    return 0;
}

static void swap_program(struct datapath *dp, struct flow *flow, struct program *program)
{
    count_references(dp, flow->program, -1);
    flow->program = program;
    count_references(dp, program, 1);
}

int change_program(struct transaction *t, struct flow *flow, struct program *program,
                   bool reset_counts)
{
    int err = change_reserve(t, 1);

    if (err < 0)
        return err;
    change_note(t, (struct change){.kind = FLOW_MODIFIED,
                                   .flow = {.flow = flow,
                                            .old_program = flow->program,
                                            .old_packets = flow->packets,
                                            .old_bytes = flow->bytes}});
    swap_program(t->dp, flow, program);
    if (reset_counts)
        flow->packets = flow->bytes = 0;
    return 0;
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

/* An add over an identical match and priority is two changes, one behind the other. */
static bool is_replacement(const struct change *removed, const struct change *added)
{
    return removed->kind == FLOW_REMOVED && removed->flow.quiet && added->kind == FLOW_ADDED;
}

static void tell_flow_changed(const struct transaction *t, size_t i)
{
    const struct change_listener *l = changes.listener;
    const struct change *c = &t->changes[i];

    if (!l || !l->flow_changed)
        return;
    if (c->kind == FLOW_ADDED)
        l->flow_changed(c->flow.flow,
                        i > 0 && is_replacement(c - 1, c) ? FLOW_EVENT_MODIFIED : FLOW_EVENT_ADDED,
                        0);
    else if (c->kind == FLOW_MODIFIED)
        l->flow_changed(c->flow.flow, FLOW_EVENT_MODIFIED, 0);
    else if (c->kind == FLOW_REMOVED && !(i + 1 < t->count && is_replacement(c, c + 1)))
        l->flow_changed(c->flow.flow, FLOW_EVENT_REMOVED, c->flow.reason);
}

static void commit_one(struct datapath *dp, struct change *c)
{
    const struct change_listener *l = changes.listener;

    switch (c->kind) {
    case FLOW_REMOVED:
        if (!c->flow.quiet && (c->flow.flow->flags & OFPFF_SEND_FLOW_REM) && l)
            l->flow_removed(c->flow.flow, c->flow.reason);
        destroy_flow(dp, c->flow.flow);
        break;
    case FLOW_MODIFIED:
        free(c->flow.old_program);
        break;
    case GROUP_CHANGED:
    case METER_CHANGED:
        free(c->entry.old);
        break;
    case PORT_CONFIGURED:
        if (l)
            l->port_changed(c->port.port);
        break;
    default:
        break;
    }
}

void change_commit(struct transaction *t)
{
    for (size_t i = 0; i < t->count; i++) {
        tell_flow_changed(t, i);
        commit_one(t->dp, &t->changes[i]);
    }
    end(t);
}

static void restore_entry(struct map *map, struct change *c)
{
    if (c->entry.old)
        (void)map_set(map, c->entry.id,
                      (uint64_t)(uintptr_t)c->entry.old); /* its place is there: nothing grows */
    else
        map_remove(map, c->entry.id);
    free(c->entry.new);
}

static void undo_one(struct datapath *dp, struct change *c)
{
    struct program *program;

    switch (c->kind) {
    case FLOW_ADDED:
        unlink_flow(dp, c->flow.flow);
        destroy_flow(dp, c->flow.flow);
        break;
    case FLOW_REMOVED:
        (void)link_flow(dp, c->flow.flow,
                        true); /* its tuple and timer are still there: nothing is allocated */
        break;
    case FLOW_MODIFIED:
        program = c->flow.flow->program;
        swap_program(dp, c->flow.flow, c->flow.old_program);
        free(program);
        c->flow.flow->packets = c->flow.old_packets;
        c->flow.flow->bytes = c->flow.old_bytes;
        break;
    case GROUP_CHANGED:
        restore_entry(&dp->groups, c);
        break;
    case METER_CHANGED:
        restore_entry(&dp->meters, c);
        break;
    case PORT_CONFIGURED:
        c->port.port->ofp_config = c->port.old_config;
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
}
