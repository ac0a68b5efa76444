/*
 * resync.c -- making a switch agree with what is wanted, as a whole, without ever wiping it.
 *
 * When a switch connects (it may have started anew, or only lost us for a moment, or we have
 * started anew), a fiber
 *
 *   1. reads its meters: those of our sessions are noted with their rates; others are of an earlier
 *      life and stay reserved for now; new sessions may then be accepted
 *   2. writes the pipeline's own flows, which replaces what is there
 *   3. reads all flows with our cookie and compares each with what its session wants now: what is
 *      right is noted, what nobody wants is deleted, and what an earlier life left (the cookie's
 *      epoch tells) is let alone for the grace time, because its phones may still be talking while
 *      their gateways establish the sessions again
 *   4. adds what was not seen, and sends a barrier.
 *
 * Changes by PFCP go on meanwhile: adding a flow that is there is harmless, and what a later
 * message said comes later. When the grace time is over, what still has an earlier epoch is
 * removed: each establishment has replaced the flows it claims. The TEIDs of such flows are
 * reserved till then, so nobody is given a tunnel in which a stranger's packets may arrive.
 *
 * A refused change asks for a repair: the same, a little later.
 */
#include <errno.h>

#include "controller/up.h"

#define REPLY_MS   30000
#define REPAIR_MS  1000
#define QUEUE_HIGH ((size_t)4 * 1024 * 1024) /* more is not put before the switch at once */
#define SEEN_FLOWS \
    64 /* flows of one session that are remembered as seen; further ones are written again */

static struct {
    struct fiber *fiber;
    bool runs;
    bool again; /* asked for while one runs */
    bool is_synchronised;
    struct map rates; /* meter to rate + 1, as the switch has it */
    struct map seen;  /* session to a bit per flow that is right */
    uint64_t right, wrong, old, added;
    uint32_t strange_meters;
    struct timer repair, grace;
} resync;

/* Not too much at once. */
static int make_room(void)
{
    int err = 0;

    while (err == 0 && up.sw && openflow_channel_queued(up.sw->channel) > QUEUE_HIGH)
        err = fiber_sleep(5);
    if (err < 0)
        return err;
    return up.sw ? 0 : -ENOTCONN;
}

/* ---- meters ---- */

static void meter_part(void *context, const struct of_multipart *reply)
{
    (void)context;
    if (reply->type != OFPMP_METER_CONFIG)
        return;
    for (size_t i = 0; i < reply->meter_config.count; i++) {
        const struct of_meter_config *meter = &reply->meter_config.at[i];
        uint64_t rate = meter->bands.count > 0 ? meter->bands.at[0].rate : 0;
        map_set(&resync.rates, meter->meter_id, rate + 1);
    }
}

/* Meters that no session of ours has. */
static void reserve_strange_meters(void)
{
    size_t at = 0;
    uint64_t meter, rate;

    while (map_next(&resync.rates, &at, &meter, &rate))
        if (meter >= UP_METER_FIRST && meter < up.meters.limit &&
            up_meter_reserve(&up.meters, (uint32_t)meter))
            resync.strange_meters++;
}

static void correct_meter(uint32_t meter, uint32_t kbps)
{
    uint64_t rate = meter ? map_get(&resync.rates, meter) : 0;

    if (meter == 0 || rate == (uint64_t)kbps + 1)
        return;
    up_send_meter(meter, rate ? OFPMC_MODIFY : OFPMC_ADD, kbps, OFPMF_KBPS, 0);
}

static int correct_meters(void)
{
    uint32_t id = 0, rate;
    uint16_t flags;
    struct up_session *session;
    int err = 0;

    for (uint32_t fixed = UP_METER_BUFFERED; up_fixed_meter(fixed, &rate, &flags); fixed++)
        up_send_meter(fixed, map_get(&resync.rates, fixed) ? OFPMC_MODIFY : OFPMC_ADD, rate, flags,
                      0);
    while (err == 0 && (session = pool_next(&up.sessions, &id))) {
        for (unsigned i = 0; i < session->rules->qer_count; i++) {
            correct_meter(session->rules->qers[i].uplink_meter,
                          session->rules->qers[i].uplink_kbps);
            correct_meter(session->rules->qers[i].downlink_meter,
                          session->rules->qers[i].downlink_kbps);
        }
        err = make_room();
    }
    return err;
}

static int synchronise_meters(void)
{
    struct of_multipart request = {.type = OFPMP_METER_CONFIG, .meter_id = OFPM_ALL};
    int err;

    if (!up.view.has_meters)
        return 0;
    err = switch_multipart(up.sw, &request, REPLY_MS, meter_part, NULL);
    if (err < 0)
        return err;
    reserve_strange_meters();
    return correct_meters();
}

/* ---- flows ---- */

static void delete_flow(const struct of_flow_stats *flow)
{
    struct of_message m = {.type = OFPT_FLOW_MOD, .xid = openflow_channel_xid(up.sw->channel)};

    m.flow_mod = (struct of_flow_mod){.table_id = flow->table_id,
                                      .command = OFPFC_DELETE_STRICT,
                                      .priority = flow->priority,
                                      .buffer_id = OFP_NO_BUFFER,
                                      .out_port = OFPP_ANY,
                                      .out_group = OFPG_ANY,
                                      .match = flow->match};
    switch_send(up.sw, &m);
    up_count(UP_RESYNC_REMOVED);
    resync.wrong++;
}

/* A flow of the pipeline's own: one of them, or of ports as they were. */
static void compare_fixed(const struct of_flow_stats *flow)
{
    struct up_fixed_flow fixed;

    for (unsigned i = 0; up_fixed_flow(i, &fixed); i++)
        if (fixed.number && fixed.mod.table_id == flow->table_id &&
            fixed.mod.priority == flow->priority && of_match_equal(&fixed.mod.match, &flow->match))
            return;
    delete_flow(flow);
}

static void compare_session(const struct of_flow_stats *flow)
{
    uint32_t id = UP_COOKIE_NUMBER(flow->cookie);
    struct up_session *session = up_session_get(id);
    struct up_flow *flows = up.scratch[0];
    int count = session ? up_flows_of(&up.env, &up.view, session->rules, flows) : 0;

    for (int i = 0; i < count; i++) {
        if (!up_flow_is(&flows[i], flow->table_id, flow->priority, &flow->match))
            continue;
        if (up_flow_does(&up.view, &flows[i], &flow->instructions) && i < SEEN_FLOWS) {
            map_set(&resync.seen, id, map_get(&resync.seen, id) | UINT64_C(1) << i);
            resync.right++;
        }
        return;
    }
    delete_flow(flow);
}

/* Nobody else may get the tunnel of a flow that an earlier life has left. */
static void keep_old(const struct of_flow_stats *flow)
{
    if (of_match_has(&flow->match, OF_TUNNEL_ID))
        up_teid_reserve(&up.teids, (uint32_t)of_match_get(&flow->match, OF_TUNNEL_ID));
    resync.old++;
}

static bool grace_is_over(void)
{
    return loop_now_ms() - up.started_ms >= up.config->grace_ms;
}

static void flow_part(void *context, const struct of_multipart *reply)
{
    (void)context;
    if (reply->type != OFPMP_FLOW || !up.sw)
        return;
    for (size_t i = 0; i < reply->flows.count; i++) {
        const struct of_flow_stats *flow = &reply->flows.at[i];
        if (UP_COOKIE_EPOCH(flow->cookie) != up.epoch) {
            if (grace_is_over())
                delete_flow(flow);
            else
                keep_old(flow);
        } else if (UP_COOKIE_KIND(flow->cookie) == UP_COOKIE_FIXED) {
            compare_fixed(flow);
        } else if (UP_COOKIE_KIND(flow->cookie) == UP_COOKIE_SESSION) {
            compare_session(flow);
        }
    }
}

static void add_missing(uint32_t id, const struct up_session *session)
{
    struct up_flow *flows = up.scratch[0];
    int count = up_flows_of(&up.env, &up.view, session->rules, flows);
    uint64_t seen = map_get(&resync.seen, id);

    for (int i = 0; i < count; i++) {
        if (i < SEEN_FLOWS && seen >> i & 1)
            continue;
        up_send_flow(&flows[i], OFPFC_ADD, up_cookie(up.epoch, UP_COOKIE_SESSION, id), 0);
        up_count(UP_RESYNC_REPAIRED);
        resync.added++;
    }
}

static int synchronise_flows(void)
{
    struct of_multipart request = {.type = OFPMP_FLOW,
                                   .flow_request = {.table_id = OFPTT_ALL,
                                                    .out_port = OFPP_ANY,
                                                    .out_group = OFPG_ANY,
                                                    .cookie = up_cookie(0, 0, 0),
                                                    .cookie_mask = UP_COOKIE_APPLICATION_MASK}};
    struct up_session *session;
    uint32_t id = 0;
    int err = switch_multipart(up.sw, &request, REPLY_MS, flow_part, NULL);

    while (err == 0 && (session = pool_next(&up.sessions, &id))) {
        if (session->is_deleting)
            continue;
        add_missing(id, session);
        err = make_room();
    }
    return err;
}

/* ---- the procedure ---- */

static int synchronise(void)
{
    int err;

    if ((err = synchronise_meters()) < 0)
        return err;
    up_send_fixed_flows();
    up.accepts = true;
    if ((err = synchronise_flows()) < 0)
        return err;
    return openflow_barrier(up.sw->channel, REPLY_MS);
}

static void sweep(struct timer *timer)
{
    (void)timer;
    up_resync_start();
}

/* Old flows and meters are swept once, when their time is over. */
static void after_grace(void)
{
    if (!grace_is_over()) {
        if (resync.old > 0 || resync.strange_meters > 0)
            timer_start(&resync.grace, up.config->grace_ms - (loop_now_ms() - up.started_ms) + 1,
                        sweep);
        return;
    }
    up_teids_forget_reserved(&up.teids);
    size_t at = 0;
    uint64_t meter, rate;
    while (map_next(&resync.rates, &at, &meter, &rate))
        if (up.env.meters && up_meter_is_reserved(&up.meters, (uint32_t)meter))
            up_send_meter((uint32_t)meter, OFPMC_DELETE, 0, 0, 0);
    if (up.env.meters)
        up_meters_forget_reserved(&up.meters);
}

static void begin_round(void)
{
    resync.again = false;
    resync.right = resync.wrong = resync.old = resync.added = 0;
    resync.strange_meters = 0;
    map_init(&resync.rates);
    map_init(&resync.seen);
}

static void end_round(int err)
{
    if (err == 0) {
        after_grace();
        resync.is_synchronised = true;
        log_info("the switch agrees: %llu flows were right, %llu added, %llu removed, %llu of an "
                 "earlier life",
                 (unsigned long long)resync.right, (unsigned long long)resync.added,
                 (unsigned long long)resync.wrong, (unsigned long long)resync.old);
    }
    map_free(&resync.rates);
    map_free(&resync.seen);
}

static void run(void *argument)
{
    int err;

    (void)argument;
    resync.runs = true;
    do {
        begin_round();
        err = up.sw ? synchronise() : -ENOTCONN;
        end_round(err);
    } while (err == 0 && resync.again);
    resync.runs = false;
    resync.fiber = NULL;
    if (err < 0 && err != -ECANCELED && up.sw) {
        log_warn("the switch could not be compared: %s", strerror(-err));
        up_repair_later();
    }
}

void up_resync_start(void)
{
    if (resync.runs) {
        resync.again = true;
        return;
    }
    struct fiber *fiber = fiber_spawn("resync", run, NULL);
    if (resync.runs)
        resync.fiber = fiber;
}

static void repair(struct timer *timer)
{
    (void)timer;
    if (up.sw)
        up_resync_start();
}

void up_repair_later(void)
{
    if (!timer_is_running(&resync.repair))
        timer_start(&resync.repair, REPAIR_MS, repair);
}

bool up_is_synchronised(void)
{
    return up.sw && resync.is_synchronised;
}

/* The channel has failed the fiber's wait, or it sleeps. */
void up_resync_switch_gone(void)
{
    resync.is_synchronised = false;
    if (resync.fiber)
        fiber_cancel(resync.fiber);
}

void up_resync_stop(void)
{
    timer_stop(&resync.repair);
    timer_stop(&resync.grace);
    up_resync_switch_gone();
}
