/*
 * conn_monitor.c -- flow monitors (ONF extension 187; OpenFlow 1.4 clause 7.3.5.17): a controller
 * hears of what others do to the flows.
 *
 * A monitor names flows by table, match and output port, and the kinds of change that it wants.
 * change.c calls monitors_flow_changed() for every change that is committed, and each connection
 * that has a monitor for it is sent one update, whatever the number of its monitors. The
 * controller's own changes, unless it asked for them in full, are told as an abbreviation: the xid
 * of the request, once.
 *
 * A slow controller is not buried: when more than MONITOR_QUEUE bytes wait for it, it is sent
 * PAUSED, and from then on the names of what was added or modified are kept (in `changed`) instead
 * of being told. Removals are told still, unless the controller never heard of the flow. When the
 * queue is nearly empty it is sent those flows as they are by then, and RESUMED. When there are too
 * many to keep, all flows that it monitors are told as modified. A controller that does not even
 * read its removals is given up.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"

#define MAX_MONITORS   256         /* of a connection */
#define MONITOR_QUEUE  (1u << 20)  /* bytes that may wait before updates pause */
#define RESUME_QUEUE   (64u << 10) /* and when they go on */
#define HOPELESS_QUEUE (64u << 20)
#define MAX_CHANGED    (1u << 18) /* flows whose change is remembered in a pause */
#define LOOK_MS        20         /* between looks at the queue in a pause */
#define UPDATE_SIZE    (OFP_MAX_MESSAGE)

#define ALL_FLAGS                                                                         \
    (OFPFMF_INITIAL | OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY | OFPFMF_INSTRUCTIONS | \
     OFPFMF_NO_ABBREV | OFPFMF_ONLY_OWN)

struct monitor {
    struct monitor *next;
    uint32_t id;
    uint16_t flags;
    uint32_t out_port;
    uint8_t table_id;
    bool fresh; /* of the request that is being answered */
    struct of_match match;
};

struct watch {
    struct conn *conn;
    struct monitor *monitors;
    uint32_t count;
    bool paused, all_changed;
    struct map changed; /* in a pause: hash of a flow's name to ONFFME_ADDED + 1 or MODIFIED + 1 */
    struct timer look;
};

/* Whose request the changes are that are being committed. */
static struct {
    struct conn *conn;
    uint32_t xid;
    bool told; /* the abbreviation was sent */
} cause;

void monitors_cause(struct conn *c, uint32_t xid)
{
    cause.conn = c;
    cause.xid = xid;
    cause.told = false;
}

/* ---- which flows ---- */

static bool monitor_covers(const struct monitor *monitor, const struct flow *flow,
                           const struct of_match *match)
{
    const uint64_t *mask = (const void *)&monitor->match.mask, *has = (const void *)&match->mask;
    const uint64_t *want = (const void *)&monitor->match.value,
                   *value = (const void *)&match->value;

    if (monitor->table_id != OFPTT_ALL && monitor->table_id != flow->table_id)
        return false;
    if (monitor->out_port != OFPP_ANY && !flow_outputs_to(flow, monitor->out_port, OFPG_ANY))
        return false;
    for (size_t i = 0; i < OF_KEY_WORDS; i++)
        if ((has[i] & mask[i]) != mask[i] || (value[i] & mask[i]) != want[i])
            return false;
    return true;
}

/* The flags of all monitors that want this change, 0: none does. */
static uint16_t wanted(const struct watch *watch, const struct flow *flow,
                       const struct of_match *match, uint16_t kind, bool own)
{
    uint16_t flags = 0;

    for (const struct monitor *m = watch->monitors; m; m = m->next)
        if ((m->flags & kind) && (own || !(m->flags & OFPFMF_ONLY_OWN)) &&
            monitor_covers(m, flow, match))
            flags |= m->flags;
    return flags;
}

/* ---- updates ---- */

static struct of_flow_update update_of(const struct flow *flow, const struct of_match *match,
                                       uint16_t event, uint8_t reason, uint16_t flags)
{
    struct of_flow_update u = {
        .event = event,
        .reason = reason,
        .priority = flow_priority(flow),
        .idle_timeout = flow->idle_timeout,
        .hard_timeout = flow->hard_timeout,
        .table_id = flow->table_id,
        .cookie = flow->cookie,
        .match = *match,
    };

    arena_reset(&sw.scratch);
    if (flags & OFPFMF_INSTRUCTIONS)
        (void)flow_instructions(flow, &u.instructions, &sw.scratch);
    return u;
}

static void send_update(struct conn *c, struct of_flow_update *update)
{
    struct of_message m = {.type = OFPT_MULTIPART_REPLY};

    m.multipart_reply.type = OFPMP_ONF_FLOW_MONITOR;
    m.multipart_reply.flow_updates.at = update;
    m.multipart_reply.flow_updates.count = 1;
    conn_send(c, &m, UPDATE_SIZE);
}

static void send_bare(struct conn *c, uint8_t type)
{
    struct of_message m = {.type = type};

    conn_send(c, &m, 64);
}

/* ---- pauses ---- */

static uint64_t flow_name(const struct flow *flow, const struct of_match *match)
{
    struct {
        uint64_t place;
        struct of_match match;
    } name = {.place = (uint64_t)flow->table_id << 16 | flow_priority(flow), .match = *match};

    return map_hash_bytes(&name, sizeof(name), sw.dp.tables.seed);
}

static int tell_changed(struct flow *flow, void *context)
{
    struct watch *watch = context;
    struct of_flow_update update;
    struct of_match match;
    uint64_t name, kind;
    uint16_t flags;

    flow_match(flow, &match);
    name = flow_name(flow, &match);
    kind = watch->all_changed ? ONFFME_MODIFIED + 1 : map_get(&watch->changed, name);
    flags = wanted(watch, flow, &match, OFPFMF_ADD | OFPFMF_MODIFY, true);
    if (!kind || !flags)
        return 0;
    update = update_of(flow, &match, (uint16_t)(kind - 1), 0, flags);
    send_update(watch->conn, &update);
    return 0;
}

static void resume(struct watch *watch)
{
    static const struct of_match everything;
    struct flow_filter filter = {
        .table_id = OFPTT_ALL, .match = &everything, .out_port = OFPP_ANY, .out_group = OFPG_ANY};

    if (watch->all_changed || watch->changed.count)
        (void)tables_each(&sw.dp.tables, &filter, tell_changed, watch);
    map_free(&watch->changed);
    map_init(&watch->changed);
    watch->paused = watch->all_changed = false;
    send_bare(watch->conn, OFPT_ONF_FLOW_MONITOR_RESUMED);
}

static void look(struct timer *timer)
{
    struct watch *watch = container_of(timer, struct watch, look);
    size_t queued = openflow_channel_queued(watch->conn->channel);

    if (queued > HOPELESS_QUEUE) {
        openflow_drop(watch->conn->channel, -ENOBUFS);
        return;
    }
    if (queued <= RESUME_QUEUE)
        resume(watch);
    else
        timer_start(timer, LOOK_MS, look);
}

static void pause_when_full(struct watch *watch)
{
    if (watch->paused || openflow_channel_queued(watch->conn->channel) <= MONITOR_QUEUE)
        return;
    watch->paused = true;
    send_bare(watch->conn, OFPT_ONF_FLOW_MONITOR_PAUSED);
    timer_start(&watch->look, LOOK_MS, look);
}

/* Remembers a change instead of telling it; true when it is to be told all the same. */
static bool note_changed(struct watch *watch, const struct flow *flow, const struct of_match *match,
                         uint16_t event)
{
    uint64_t name = flow_name(flow, match), known = map_get(&watch->changed, name);

    if (event == ONFFME_DELETED) {
        map_remove(&watch->changed, name);
        return known != ONFFME_ADDED + 1;
    }
    if (known == ONFFME_ADDED + 1 || watch->all_changed)
        return false;
    if (watch->changed.count >= MAX_CHANGED || map_set(&watch->changed, name, event + 1u) < 0)
        watch->all_changed = true;
    return false;
}

/* ---- events ---- */

static const struct {
    uint16_t event, flag;
} kinds[] = {
    [FLOW_EVENT_ADDED] = {ONFFME_ADDED, OFPFMF_ADD},
    [FLOW_EVENT_REMOVED] = {ONFFME_DELETED, OFPFMF_REMOVED},
    [FLOW_EVENT_MODIFIED] = {ONFFME_MODIFIED, OFPFMF_MODIFY},
};

static void tell(struct watch *watch, const struct flow *flow, const struct of_match *match,
                 enum flow_event event, uint8_t reason)
{
    bool own = cause.conn == watch->conn;
    uint16_t flags = wanted(watch, flow, match, kinds[event].flag, own);
    struct of_flow_update update;

    if (!flags || (watch->paused && !note_changed(watch, flow, match, kinds[event].event)))
        return;
    update = update_of(flow, match, kinds[event].event, reason, flags);
    if (own && !(flags & OFPFMF_NO_ABBREV)) {
        if (cause.told)
            return;
        cause.told = true;
        update = (struct of_flow_update){.event = ONFFME_ABBREV, .xid = cause.xid};
    }
    send_update(watch->conn, &update);
    pause_when_full(watch);
}

void monitors_flow_changed(const struct flow *flow, enum flow_event event, uint8_t reason)
{
    struct of_match match;
    bool known = false;

    for (struct conn *c = sw.conns; c; c = c->next) {
        if (!c->watch || !c->up)
            continue;
        if (!known)
            flow_match(flow, &match);
        known = true;
        tell(c->watch, flow, &match, event, reason);
    }
}

/* ---- requests ---- */

static struct monitor **find_monitor(struct watch *watch, uint32_t id)
{
    struct monitor **at = &watch->monitors;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void drop_monitor(struct watch *watch, struct monitor **at)
{
    struct monitor *monitor = *at;

    *at = monitor->next;
    watch->count--;
    free(monitor);
}

void conn_drop_monitors(struct conn *c)
{
    struct watch *watch = c->watch;

    if (!watch)
        return;
    while (watch->monitors)
        drop_monitor(watch, &watch->monitors);
    timer_stop(&watch->look);
    map_free(&watch->changed);
    free(watch);
    c->watch = NULL;
    if (cause.conn == c)
        cause.conn = NULL;
}

static of_error check_monitor(const struct of_flow_monitor_request *q)
{
    if (q->zeros)
        return NXBRC_MUST_BE_ZERO;
    if ((q->flags & ~ALL_FLAGS) ||
        !(q->flags & (OFPFMF_INITIAL | OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY)))
        return NXMOFC_BAD_FLAGS;
    return q->table_id >= TABLES && q->table_id != OFPTT_ALL ? OFPBRC_BAD_TABLE_ID : 0;
}

static of_error add_monitor(struct watch *watch, const struct of_flow_monitor_request *q)
{
    of_error error = check_monitor(q);
    struct monitor *monitor;

    if (error)
        return error;
    if (*find_monitor(watch, q->id))
        return NXMOFC_MONITOR_EXISTS;
    monitor = watch->count < MAX_MONITORS ? malloc(sizeof(*monitor)) : NULL;
    if (!monitor)
        return OFPBRC_EPERM; /* there is no code for too many of them */
    *monitor = (struct monitor){watch->monitors, q->id, q->flags, q->out_port,
                                q->table_id,     true,  q->match};
    watch->monitors = monitor;
    watch->count++;
    return 0;
}

/* The monitors of one request: all become old ones, or go. */
static void settle(struct watch *watch, bool stay)
{
    struct monitor **at = &watch->monitors;

    while (*at)
        if ((*at)->fresh && !stay) {
            drop_monitor(watch, at);
        } else {
            (*at)->fresh = false;
            at = &(*at)->next;
        }
}

struct initial {
    struct watch *watch;
    struct of_multipart_writer *mw;
};

/* A flow that is there already, once for all monitors of the request. */
static int tell_initial(struct flow *flow, void *context)
{
    struct initial *initial = context;
    struct of_flow_update update;
    struct of_match match;
    uint16_t flags = 0;

    flow_match(flow, &match);
    for (const struct monitor *m = initial->watch->monitors; m; m = m->next)
        if (m->fresh && (m->flags & OFPFMF_INITIAL) && monitor_covers(m, flow, &match))
            flags |= m->flags;
    if (!flags)
        return 0;
    update = update_of(flow, &match, ONFFME_ADDED, 0, flags);
    of_multipart_add(initial->mw, &update);
    return 0;
}

/* One walk over the tables; over the flows of one monitor alone when the request has but one. */
static void answer(struct conn *c, const struct of_message *m)
{
    static const struct of_match everything;
    const struct of_flow_monitor_request *only = m->multipart_request.flow_monitors.at;
    bool one = m->multipart_request.flow_monitors.count == 1;
    struct flow_filter filter = {.table_id = one ? only->table_id : OFPTT_ALL,
                                 .match = one ? &only->match : &everything,
                                 .out_port = one ? only->out_port : OFPP_ANY,
                                 .out_group = OFPG_ANY};
    struct of_multipart_writer mw;
    struct initial initial = {c->watch, &mw};

    conn_multipart_begin(&mw, c, m);
    (void)tables_each(&sw.dp.tables, &filter, tell_initial, &initial);
    of_multipart_end(&mw);
}

of_error conn_flow_monitor(struct conn *c, const struct of_message *m)
{
    of_error error = 0;

    if (!c->watch) {
        c->watch = calloc(1, sizeof(*c->watch));
        if (!c->watch)
            return OFPBRC_EPERM;
        c->watch->conn = c;
        map_init(&c->watch->changed);
    }
    for (size_t i = 0; i < m->multipart_request.flow_monitors.count && !error; i++)
        error = add_monitor(c->watch, &m->multipart_request.flow_monitors.at[i]);
    if (!error)
        answer(c, m);
    settle(c->watch, !error);
    return error;
}

of_error conn_monitor_cancel(struct conn *c, const struct of_message *m)
{
    struct monitor **at = c->watch ? find_monitor(c->watch, m->monitor_id) : NULL;

    if (!at || !*at)
        return NXMOFC_UNKNOWN_MONITOR;
    drop_monitor(c->watch, at);
    return 0;
}
