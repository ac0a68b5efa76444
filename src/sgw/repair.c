/*
 * repair.c -- peers that start anew or are gone (TS 23.007 clauses 14, 16A, 17, 20).
 *
 *   an MME       its phones are void: their sessions are deleted here, in the user plane and at the
 * P-GW a P-GW       its sessions are void: they are deleted here, and the MME is told to have them
 * set up again a user plane it is given all its sessions again, with the same tunnels
 *
 * A peer that only does not answer is waited for; after `path_hold` it counts as gone. The contexts
 * concerned are marked at once, before anything new of that peer is handled, and mended by a sweep
 * over all phones, a bounded number at a time, each in its own procedure.
 */
#include <errno.h>

#include "sgw/context.h"

#define AT_A_TIME       64
#define REPAIR_AGAIN_MS 1000
#define PATH_LOOK_MS    1000

static void start_sweep(void);

static void sweep_again(struct timer *timer)
{
    (void)timer;
    start_sweep();
}

void sgw_repair_later(struct sgw_ue *ue)
{
    ue->needs_repair = true;
    if (!timer_is_running(&sgw.repair_timer) && !sgw.is_stopping)
        timer_start(&sgw.repair_timer, REPAIR_AGAIN_MS, sweep_again);
}

static void restore(struct sgw_ue *ue, struct sgw_session *session)
{
    static struct log_limit limit;
    bool was_lost = session->up_seid == 0;
    int err = sgw_program(session);

    if (was_lost)
        sgw_count(err == 0 ? SGW_RESTORED : SGW_RESTORE_FAILED);
    if (err == 0)
        return;
    log_limited(&limit, LOG_WARN, "session of bearer %u could not be restored: %s",
                session->default_ebi, uv_strerror(err));
    if (user_plane_is_up(sgw.planes, session->plane)) /* else it is told when it is back */
        sgw_repair_later(ue);
}

static void mend(struct sgw_ue *ue)
{
    struct sgw_session *session, *next;

    if (ue->is_orphan) {
        sgw_count(SGW_ORPHANS);
        sgw_drop_all_sessions(ue, true);
        return;
    }
    for (session = sgw_session_get(ue->sessions); session; session = next) {
        next = sgw_session_get(session->next);
        if (session->pgw_is_lost)
            sgw_end_lost_session(ue, session);
        else if (session->is_established)
            restore(ue, session);
    }
}

void sgw_repair(struct sgw_ue *ue)
{
    if (!ue->needs_repair || sgw.is_stopping)
        return;
    ue->needs_repair = false;
    sgw.repairs++;
    mend(ue);
    sgw.repairs--;
    await_deliver(&sgw.repair_done, NULL);
}

/* Rounds over all phones until one has found nothing. One whose procedure runs mends itself at its
 * end. */
static void sweep(void *argument)
{
    uint32_t id = 0;

    (void)argument;
    sgw.sweeper = fiber_self();
    do {
        sgw.repair_again = false;
        for (struct sgw_ue *ue; !sgw.is_stopping && (ue = pool_next(&sgw.ues, &id));) {
            if (!ue->needs_repair || ue->mailbox.is_busy)
                continue;
            while (sgw.repairs >= AT_A_TIME && !sgw.is_stopping)
                await(&sgw.repair_done, -1, NULL);
            if ((ue = sgw_ue_get(id)) && !ue->mailbox.is_busy)
                sgw_post(ue, &(struct sgw_event){.kind = SGW_EVENT_REPAIR});
        }
    } while (sgw.repair_again && !sgw.is_stopping);
    sgw.sweeper = NULL;
}

static void start_sweep(void)
{
    if (sgw.sweeper)
        sgw.repair_again = true;
    else
        fiber_spawn("sgw sweep", sweep, NULL);
}

/* Marks all that depends on this peer's memory; true when there is something. */
static bool mark_lost(const struct udp_peer *peer)
{
    const struct udp_endpoint *endpoint = udp_peer_endpoint(peer);
    uint32_t peer_id = udp_peer_id(peer), id = 0;
    struct sgw_session *session;
    struct sgw_ue *ue;
    bool found = false;

    while (endpoint == gtpc_udp(sgw.s11) && (ue = pool_next(&sgw.ues, &id)))
        if (ue->mme == peer_id)
            found = ue->is_orphan = ue->needs_repair = true;
    id = 0;
    while (endpoint == gtpc_udp(sgw.s5) && (session = pool_next(&sgw.sessions, &id)))
        if (session->pgw == peer_id && session->pgw_teid != 0) /* it has answered in its old life */
            found = session->pgw_is_lost = sgw_ue_get(session->ue)->needs_repair = true;
    return found;
}

void sgw_peer_restarted(void *owner, struct udp_peer *peer)
{
    (void)owner;
    if (mark_lost(peer))
        start_sweep();
}

/* Peers that have been silent too long. Goes on while there are silent ones. */
static bool look_at_paths_of(struct gtpc_endpoint *endpoint)
{
    struct udp_peer *peer;
    uint32_t id = 0;
    bool any = false;

    while ((peer = udp_peer_next(gtpc_udp(endpoint), &id))) {
        if (udp_peer_is_up(peer) || udp_peer_users(peer) == 0)
            continue;
        any = true;
        if (udp_peer_silent_ms(peer) < sgw.config->path_hold_ms)
            continue;
        log_warn("%s has not answered for too long: its contexts are dropped", udp_peer_name(peer));
        sgw_peer_restarted(NULL, peer);
    }
    return any;
}

static void look_at_paths(struct timer *timer)
{
    bool any = look_at_paths_of(sgw.s11);

    if (sgw.s5 != sgw.s11)
        any |= look_at_paths_of(sgw.s5);
    if (any)
        timer_start(timer, PATH_LOOK_MS, look_at_paths);
}

void sgw_peer_down(void *owner, struct udp_peer *peer)
{
    (void)owner;
    (void)peer;
    if (!timer_is_running(&sgw.path_timer))
        timer_start(&sgw.path_timer,
                    sgw.config->path_hold_ms < PATH_LOOK_MS ? sgw.config->path_hold_ms
                                                            : PATH_LOOK_MS,
                    look_at_paths);
}

/* True when something of the session is not as the user plane knows it. */
static bool is_stale(const struct sgw_session *session)
{
    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);

    while (bearer && !bearer->is_stale)
        bearer = sgw_bearer_get(bearer->next);
    return bearer || session->up_seid == 0;
}

void sgw_plane_up(void *owner, uint8_t plane, bool restarted)
{
    struct sgw_session *session;
    uint32_t id = 0;
    bool found = false;

    (void)owner;
    while ((session = pool_next(&sgw.sessions, &id))) {
        if (session->plane != plane)
            continue;
        if (restarted)
            session->up_seid = 0;
        if (session->is_established && is_stale(session))
            found = sgw_ue_get(session->ue)->needs_repair = true;
    }
    if (found)
        start_sweep();
}
