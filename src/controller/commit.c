/*
 * commit.c -- group commit: the changes of one loop turn share one barrier.
 *
 * Each PFCP request that changes a session becomes a *change*: its flow and meter messages go into
 * the channel's queue at once, all with the change's transaction id. At the end of the turn one
 * BARRIER_REQUEST follows them all, and the turn's changes wait as a *batch* for its reply. So the
 * switch works on one batch while the next is made, the cost of a barrier is shared by as many
 * sessions as there is load, and an answer still means "the switch has it".
 *
 * An error names the transaction id, hence the change; it is marked, and its PFCP request is
 * refused when the barrier comes. When the switch is lost, what was wanted stays wanted (resync.c
 * will say it again): modifications and deletions are confirmed, establishments refused, because
 * nobody would carry the new phone's packets.
 */
#include <errno.h>
#include <stdlib.h>

#include "controller/up.h"

#define MAX_CHANGES 65536 /* in progress */

struct batch {
    struct openflow_pending pending;
    struct batch *next; /* older to newer */
    struct up_change *changes;
    size_t count, capacity;
};

static struct {
    struct batch *open;         /* of this turn */
    struct batch *first, *last; /* with a barrier out */
    size_t changes;
    struct deferred deferred;
} commit;

static void end_batch(struct batch *batch, bool switch_is_gone)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct up_change *change = &batch->changes[i];
        if (switch_is_gone && change->kind == UP_ESTABLISH)
            change->has_failed = true;
        commit.changes--;
        up_change_done(change);
    }
    free(batch->changes);
    free(batch);
}

static void unlink_batch(struct batch *batch)
{
    struct batch **at = &commit.first;

    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    if (commit.last == batch)
        commit.last = NULL;
    for (struct batch *b = commit.first; b; b = b->next)
        commit.last = b;
}

static void confirmed(struct openflow_pending *pending, int error,
                      const struct openflow_header *header, struct bytes message, bool more)
{
    struct batch *batch = container_of(pending, struct batch, pending);

    (void)header;
    (void)message;
    (void)more;
    unlink_batch(batch);
    end_batch(batch, error < 0);
}

/* The end of the turn. */
static void send_barrier(struct deferred *deferred)
{
    struct batch *batch = commit.open;
    struct of_message barrier = {.type = OFPT_BARRIER_REQUEST};

    (void)deferred;
    commit.open = NULL;
    if (!batch)
        return;
    if (up.sw && openflow_channel_is_up(up.sw->channel)) {
        barrier.xid = openflow_channel_xid(up.sw->channel);
        batch->pending.answered = confirmed;
        /* A barrier that does not fit in the queue ends the connection: it would leave everybody
         * waiting. */
        if (switch_send(up.sw, &barrier) == 0 &&
            openflow_pending_add(up.sw->channel, &batch->pending, barrier.xid) == 0) {
            if (commit.last)
                commit.last->next = batch;
            else
                commit.first = batch;
            commit.last = batch;
            up_count(UP_BARRIERS);
            return;
        }
        openflow_drop(up.sw->channel, -ENOBUFS);
    }
    end_batch(batch, true);
}

static struct batch *open_batch(void)
{
    if (!commit.open) {
        commit.open = calloc(1, sizeof(*commit.open));
        loop_defer(&commit.deferred, send_barrier);
    }
    return commit.open;
}

bool up_has_room(void)
{
    size_t limit =
        (size_t)16 * 1024 * 1024; /* half the channel's queue: the rest is for what is begun */

    return commit.changes < MAX_CHANGES &&
           (!up.sw || openflow_channel_queued(up.sw->channel) < limit);
}

struct up_change *up_change_begin(enum up_change_kind kind, uint32_t session, uint32_t transaction)
{
    struct batch *batch = open_batch();

    if (!batch || commit.changes >= MAX_CHANGES)
        return NULL;
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : 16;
        struct up_change *more = realloc(batch->changes, capacity * sizeof(*more));
        if (!more)
            return NULL;
        batch->changes = more;
        batch->capacity = capacity;
    }
    struct up_change *change = &batch->changes[batch->count++];
    *change = (struct up_change){
        .kind = kind, .session = session, .transaction = transaction, .began_us = clock_now_us()};
    if (up.sw)
        change->xid = openflow_channel_xid(up.sw->channel);
    commit.changes++;
    return change;
}

/* Transaction ids rise within a batch. */
static struct up_change *find_change(struct batch *batch, uint32_t xid)
{
    size_t low = 0, high = batch->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (batch->changes[middle].xid == xid)
            return &batch->changes[middle];
        if ((int32_t)(batch->changes[middle].xid - xid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct up_change *up_change_find(uint32_t xid)
{
    struct up_change *change = commit.open ? find_change(commit.open, xid) : NULL;

    for (struct batch *batch = commit.first; batch && !change; batch = batch->next)
        change = find_change(batch, xid);
    return change;
}

bool up_commit_error(uint32_t xid, of_error error)
{
    struct up_change *change = up_change_find(xid);

    if (!change)
        return false;
    if (!change->has_failed)
        change->error = error;
    change->has_failed = true;
    return true;
}

void up_commit_switch_gone(void)
{
    struct batch *batch = commit.open;

    /* Batches with a barrier were ended when the channel failed their waits. */
    commit.open = NULL;
    loop_defer_cancel(&commit.deferred);
    if (batch)
        end_batch(batch, true);
}

void up_commit_free(void)
{
    loop_defer_cancel(&commit.deferred);
    while (commit.open || commit.first) {
        struct batch *batch = commit.open ? commit.open : commit.first;
        if (batch == commit.open)
            commit.open = NULL;
        else
            commit.first = batch->next;
        openflow_pending_cancel(&batch->pending);
        for (size_t i = 0; i < batch->count; i++) {
            up_rules_free(&up.env, batch->changes[i].before, NULL);
            free(batch->changes[i].orders);
        }
        free(batch->changes);
        free(batch);
    }
    commit.last = NULL;
    commit.changes = 0;
}

/* ---- messages ---- */

void up_send_flow(const struct up_flow *flow, uint8_t command, uint64_t cookie, uint32_t xid)
{
    struct of_message m = {.type = OFPT_FLOW_MOD, .xid = xid};
    struct up_flow_space space;

    if (!up.sw)
        return;
    up_flow_mod(&up.view, flow, command, cookie, &m.flow_mod, &space);
    if (switch_send(up.sw, &m) < 0)
        up_commit_error(xid, OFPFMFC_UNKNOWN);
    up_count(UP_FLOW_MODS);
}

void up_send_meter(uint32_t meter, uint16_t command, uint32_t rate, uint16_t flags, uint32_t xid)
{
    struct of_meter_band band = {.type = OFPMBT_DROP, .rate = rate};
    struct of_message m = {.type = OFPT_METER_MOD,
                           .xid = xid,
                           .meter_mod = {.command = command, .flags = flags, .meter_id = meter}};

    if (!up.sw || !up.view.has_meters)
        return;
    if (command != OFPMC_DELETE) {
        m.meter_mod.bands.at = &band;
        m.meter_mod.bands.count = 1;
    }
    if (switch_send(up.sw, &m) < 0)
        up_commit_error(xid, OFPMMFC_UNKNOWN);
    up_count(UP_METER_MODS);
}

struct difference {
    uint64_t cookie;
    uint32_t xid;
};

static void put_flow(void *context, const struct up_flow *flow)
{
    const struct difference *d = context;

    /* ADD over a flow with the same match replaces it and keeps its counters (clause 6.4). */
    up_send_flow(flow, OFPFC_ADD, d->cookie, d->xid);
}

static void take_flow(void *context, const struct up_flow *flow)
{
    const struct difference *d = context;

    up_send_flow(flow, OFPFC_DELETE_STRICT, 0, d->xid);
}

static void put_meter(void *context, uint32_t meter, uint32_t kbps, bool is_new)
{
    const struct difference *d = context;

    up_send_meter(meter, is_new ? OFPMC_ADD : OFPMC_MODIFY, kbps, OFPMF_KBPS, d->xid);
}

static void take_meter(void *context, uint32_t meter)
{
    const struct difference *d = context;

    up_send_meter(meter, OFPMC_DELETE, 0, 0, d->xid);
}

/* Meters come before the flows that use them and go after them: deleting a meter deletes its flows
 * (clause 6.5). */
void up_send_difference(uint32_t session, uint32_t xid, const struct up_rules *from,
                        const struct up_rules *to)
{
    struct up_flow *before = up.scratch[0], *after = up.scratch[1];
    struct difference d = {up_cookie(up.epoch, UP_COOKIE_SESSION, session), xid};

    if (!up.sw)
        return;
    int before_count = up_flows_of(&up.env, &up.view, from, before);
    int after_count = up_flows_of(&up.env, &up.view, to, after);
    up_meters_difference(from, to, put_meter, NULL, &d);
    up_flows_difference(before, before_count, after, after_count, put_flow, take_flow, &d);
    up_meters_difference(from, to, NULL, take_meter, &d);
}

void up_send_removal(uint32_t session, uint32_t xid, const struct up_rules *rules)
{
    struct difference d = {.xid = xid};
    struct of_message m = {.type = OFPT_FLOW_MOD,
                           .xid = xid,
                           .flow_mod = {.cookie = up_cookie(up.epoch, UP_COOKIE_SESSION, session),
                                        .cookie_mask = UINT64_MAX,
                                        .table_id = OFPTT_ALL,
                                        .command = OFPFC_DELETE,
                                        .buffer_id = OFP_NO_BUFFER,
                                        .out_port = OFPP_ANY,
                                        .out_group = OFPG_ANY}};

    if (!up.sw)
        return;
    if (switch_send(up.sw, &m) < 0)
        up_commit_error(xid, OFPFMFC_UNKNOWN);
    up_count(UP_FLOW_MODS);
    up_meters_difference(rules, NULL, NULL, take_meter, &d);
}
