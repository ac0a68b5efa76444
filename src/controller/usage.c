/*
 * usage.c -- URRs: how much a session has carried (TS 29.244 clause 5.2.2).
 *
 * The switch counts bytes per flow. A session's flows share one cookie, so one flow-stats request
 * for that cookie brings all its counters; they are summed per PDR, and what a PDR's sum has grown
 * by since the last time is added to the URRs that the PDR names. That happens before a URR is
 * asked for or ends (usage_query before the change, whose barrier comes later), and every
 * usage_poll while a threshold or a period has to be watched.
 *
 * The counters are those of frames. Volumes are of IP packets (clause 8.2.44), so each packet's
 * Ethernet header is taken off again; Open vSwitch counts packets from a tunnel port without one.
 *
 * A sum that is smaller than before belongs to flows that are new (a switch that started anew): all
 * of it counts.
 */
#include <errno.h>
#include <stdlib.h>

#include "controller/up.h"

#define POLL_TRIGGERS (PFCP_TRIGGER_VOLTH | PFCP_TRIGGER_PERIO | PFCP_TRIGGER_TIMTH)

struct up_usage {
    uint32_t session;
    struct timer timer;
};

/* One request for counters. */
struct query {
    struct openflow_pending pending;
    uint32_t session;
    uint32_t xid; /* of the change that asks; 0: none */
    uint8_t count;
    struct {
        uint16_t pdr_id;
        uint64_t bytes;
    } sums[UP_MAX_PDRS];
};

/* ---- counting ---- */

static void add_to_urr(struct up_rules *now, struct up_rules *before, uint32_t urr_id, bool uplink,
                       uint64_t bytes)
{
    struct up_urr *urr = up_urr_of(now, urr_id);

    if (!urr && before)
        urr = up_urr_of(before, urr_id);
    if (urr && uplink)
        urr->uplink += bytes;
    else if (urr)
        urr->downlink += bytes;
}

/* The sum of one PDR's flows, told by the rules that were in force when it was asked for. */
static void account(struct up_rules *now, struct up_rules *before, uint16_t pdr_id, uint64_t bytes)
{
    const struct up_pdr *known = up_pdr_of(before ? before : now, pdr_id);
    struct up_pdr *kept = (struct up_pdr *)(uintptr_t)up_pdr_of(now, pdr_id);

    if (!known)
        return;
    uint64_t last = kept ? kept->counted : known->counted;
    uint64_t grown = bytes >= last ? bytes - last : bytes;
    for (unsigned i = 0; i < known->urr_count; i++)
        add_to_urr(now, before, known->urr_id[i], up_pdr_is_uplink(known), grown);
    if (kept)
        kept->counted = bytes;
}

static uint64_t ip_bytes(const struct of_flow_stats *flow, const struct up_pdr *pdr)
{
    bool bare = up.sw->is_open_vswitch && up_pdr_is_uplink(pdr);
    uint64_t headers = bare ? 0 : flow->packet_count * ETH_HEADER_SIZE;

    return flow->byte_count > headers ? flow->byte_count - headers : 0;
}

static void sum_flow(struct query *query, const struct up_rules *rules,
                     const struct of_flow_stats *stats)
{
    struct up_flow *flows = up.scratch[0];
    int count = up_flows_of(&up.env, &up.view, rules, flows);

    for (int i = 0; i < count; i++) {
        if (!up_flow_is(&flows[i], stats->table_id, stats->priority, &stats->match))
            continue;
        const struct up_pdr *pdr = up_pdr_of(rules, flows[i].action.pdr_id);
        for (unsigned n = 0; pdr && n < query->count; n++)
            if (query->sums[n].pdr_id == pdr->id)
                query->sums[n].bytes += ip_bytes(stats, pdr);
        return;
    }
}

static void evaluate(uint32_t id, const struct up_session *session);

static void finish(struct query *query)
{
    struct up_session *session = pool_get(&up.sessions, query->session);
    struct up_change *change = query->xid ? up_change_find(query->xid) : NULL;

    for (unsigned i = 0; session && i < query->count; i++)
        account(session->rules, change ? change->before : NULL, query->sums[i].pdr_id,
                query->sums[i].bytes);
    if (session && !session->is_deleting && query->xid == 0)
        evaluate(query->session, session);
    free(query);
}

static void answered(struct openflow_pending *pending, int error,
                     const struct openflow_header *header, struct bytes message, bool more)
{
    struct query *query = container_of(pending, struct query, pending);
    struct up_session *session = pool_get(&up.sessions, query->session);
    struct of_message m;
    of_error why;

    (void)header;
    if (error < 0 || !up.sw) {
        free(query);
        return;
    }
    struct up_change *change = query->xid ? up_change_find(query->xid) : NULL;
    arena_reset(&up.arena);
    if (session && of_decode(&m, message, &up.arena, &why) == 0 && m.type == OFPT_MULTIPART_REPLY &&
        m.multipart_reply.type == OFPMP_FLOW)
        for (size_t i = 0; i < m.multipart_reply.flows.count; i++)
            sum_flow(query, change && change->before ? change->before : session->rules,
                     &m.multipart_reply.flows.at[i]);
    if (!more)
        finish(query);
}

void up_usage_query(uint32_t id, uint32_t xid)
{
    struct up_session *session = pool_get(&up.sessions, id);
    struct up_change *change = xid ? up_change_find(xid) : NULL;
    struct query *query = up.sw && session ? calloc(1, sizeof(*query)) : NULL;

    if (!query)
        return;
    const struct up_rules *rules = change && change->before ? change->before : session->rules;
    query->session = id;
    query->xid = xid;
    query->pending.answered = answered;
    for (unsigned i = 0; i < rules->pdr_count; i++)
        if (rules->pdrs[i].urr_count > 0)
            query->sums[query->count++].pdr_id = rules->pdrs[i].id;
    struct of_message m = {
        .type = OFPT_MULTIPART_REQUEST,
        .xid = openflow_channel_xid(up.sw->channel),
        .multipart_request = {.type = OFPMP_FLOW,
                              .flow_request = {.table_id = OFPTT_ALL,
                                               .out_port = OFPP_ANY,
                                               .out_group = OFPG_ANY,
                                               .cookie = up_cookie(up.epoch, UP_COOKIE_SESSION, id),
                                               .cookie_mask = UINT64_MAX}}};
    if (query->count == 0 || openflow_pending_add(up.sw->channel, &query->pending, m.xid) < 0) {
        free(query);
        return;
    }
    if (switch_send(up.sw, &m) < 0) {
        openflow_pending_cancel(&query->pending);
        free(query);
    }
}

/* ---- reporting ---- */

void up_usage_report(struct up_urr *urr, uint32_t trigger, struct pfcp_usage_report *report,
                     struct up_usage_space *space)
{
    uint64_t now_s = up_now_s();

    space->start = pfcp_time(urr->since_s);
    space->end = pfcp_time(now_s);
    space->duration = (uint32_t)(now_s - urr->since_s);
    space->volume = (struct pfcp_volume){.has_total = true,
                                         .has_uplink = true,
                                         .has_downlink = true,
                                         .total = urr->uplink + urr->downlink,
                                         .uplink = urr->uplink,
                                         .downlink = urr->downlink};
    *report = (struct pfcp_usage_report){
        .urr_id = urr->id,
        .ur_seqn = urr->next_seqn++,
        .usage_report_trigger = trigger,
        .start_time = &space->start,
        .end_time = &space->end,
        .volume_measurement = urr->method & PFCP_MEASURE_VOLUM ? &space->volume : NULL,
        .duration_measurement = urr->method & PFCP_MEASURE_DURAT ? &space->duration : NULL,
    };
    urr->since_s = now_s;
    urr->uplink = urr->downlink = 0;
}

static bool is_above(const struct up_urr *urr)
{
    const struct pfcp_volume *t = &urr->threshold;

    return (t->has_total && urr->uplink + urr->downlink >= t->total) ||
           (t->has_uplink && urr->uplink >= t->uplink) ||
           (t->has_downlink && urr->downlink >= t->downlink);
}

/* Which of the reasons to report have come true (clauses 5.2.2.2 and 5.2.2.3). */
static uint32_t due_triggers(const struct up_urr *urr, uint64_t now_s)
{
    uint64_t age = now_s - urr->since_s;
    uint32_t due = 0;

    if (urr->triggers & PFCP_TRIGGER_VOLTH && is_above(urr))
        due |= PFCP_USAGE_VOLTH;
    if (urr->triggers & PFCP_TRIGGER_PERIO && urr->period_s > 0 && age >= urr->period_s)
        due |= PFCP_USAGE_PERIO;
    if (urr->triggers & PFCP_TRIGGER_TIMTH && urr->time_threshold_s > 0 &&
        age >= urr->time_threshold_s)
        due |= PFCP_USAGE_TIMTH;
    return due;
}

static void evaluate(uint32_t id, const struct up_session *session)
{
    uint64_t now_s = up_now_s();
    uint32_t due[UP_MAX_URRS], ids[UP_MAX_URRS];
    unsigned count = 0;

    /* A report may change the session under our feet: first look, then speak. */
    for (unsigned i = 0; i < session->rules->urr_count; i++) {
        due[count] = due_triggers(&session->rules->urrs[i], now_s);
        ids[count] = session->rules->urrs[i].id;
        count += due[count] != 0;
    }
    for (unsigned i = 0; i < count; i++)
        up_report_usage(id, ids[i], due[i]);
}

/* ---- watching ---- */

static bool needs_watching(const struct up_rules *rules)
{
    for (unsigned i = 0; i < rules->urr_count; i++)
        if (rules->urrs[i].triggers & POLL_TRIGGERS)
            return true;
    return false;
}

/* The next look: at the next end of a period, but no later than the poll interval. */
static uint64_t next_look_ms(const struct up_rules *rules)
{
    uint64_t now_s = up_now_s(), next = up.config->usage_poll_ms;

    for (unsigned i = 0; i < rules->urr_count; i++) {
        const struct up_urr *urr = &rules->urrs[i];
        uint64_t times[] = {urr->triggers & PFCP_TRIGGER_PERIO ? urr->period_s : 0,
                            urr->triggers & PFCP_TRIGGER_TIMTH ? urr->time_threshold_s : 0};
        for (unsigned n = 0; n < 2; n++) {
            uint64_t due_s = urr->since_s + times[n];
            uint64_t wait_ms = due_s > now_s ? (due_s - now_s) * 1000 : 100;
            if (times[n] > 0 && wait_ms < next)
                next = wait_ms;
        }
    }
    return next;
}

static void look(struct timer *timer)
{
    struct up_usage *usage = container_of(timer, struct up_usage, timer);
    struct up_session *session = up_session_get(usage->session);

    if (!session)
        return;
    up_usage_query(usage->session, 0);
    timer_start(timer, next_look_ms(session->rules), look);
}

void up_usage_follow(uint32_t id, struct up_session *session)
{
    if (!needs_watching(session->rules)) {
        up_usage_free(session);
        return;
    }
    if (!session->usage && !(session->usage = calloc(1, sizeof(*session->usage))))
        return;
    session->usage->session = id;
    timer_start(&session->usage->timer, next_look_ms(session->rules), look);
}

void up_usage_free(struct up_session *session)
{
    if (!session->usage)
        return;
    timer_stop(&session->usage->timer);
    free(session->usage);
    session->usage = NULL;
}
