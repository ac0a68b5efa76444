/*
 * repair.c -- peers that start anew or are gone (TS 23.007 clauses 16, 20).
 *
 *   an S-GW       its sessions are void: they are deleted here and in the user plane, their
 * addresses are free again a user plane  it is given all its sessions again, with the same tunnels
 * and addresses; a session that it does not take back is ended, so that the phone sets it up again
 *
 * A peer that only does not answer is waited for; after `path_hold` it counts as gone. The contexts
 * concerned are marked at once, before anything new of that peer is handled, and mended by a sweep
 * over all phones, a bounded number at a time, each in its own procedure.
 */
#include <errno.h>

#include "pgw/context.h"

#define AT_A_TIME       64
#define REPAIR_AGAIN_MS 1000
#define PATH_LOOK_MS    1000

static void start_sweep(void);

static void sweep_again(struct timer *timer)
{
    (void)timer;
    start_sweep();
}

void pgw_repair_later(struct pgw_ue *ue)
{
    ue->needs_repair = true;
    if (!timer_is_running(&pgw.repair_timer) && !pgw.is_stopping)
        timer_start(&pgw.repair_timer, REPAIR_AGAIN_MS, sweep_again);
}

static void restore(struct pgw_ue *ue, struct pgw_session *session)
{
    static struct log_limit limit;
    bool was_lost = session->up_seid == 0;
    int err = pgw_program(session);

    if (was_lost)
        pgw_count(err == 0 ? PGW_RESTORED : PGW_RESTORE_FAILED);
    if (err == 0)
        return;
    log_limited(&limit, LOG_WARN, "session of bearer %u could not be restored: %s", session->ebi,
                uv_strerror(err));
    if (err == -EPROTO || err == -ENOSPC) /* the user plane does not want it */
        pgw_end_session(session, GTPC_CAUSE_REACTIVATION_REQUESTED);
    else if (user_plane_is_up(pgw.planes, session->plane)) /* else it is told when it is back */
        pgw_repair_later(ue);
}

void pgw_repair(struct pgw_ue *ue)
{
    struct pgw_session *session, *next;

    if (!ue->needs_repair || pgw.is_stopping)
        return;
    ue->needs_repair = false;
    pgw.repairs++;
    for (session = pgw_session_get(ue->sessions); session; session = next) {
        next = pgw_session_get(session->next);
        if (session->sgw_is_lost) {
            pgw_count(PGW_SGW_LOSSES);
            pgw_drop_session(session, "forgotten by the S-GW");
        } else if (session->is_established && (session->up_seid == 0 || session->is_stale)) {
            restore(ue, session);
        }
    }
    pgw.repairs--;
    await_deliver(&pgw.repair_done, NULL);
}

/* Rounds over all phones until one has found nothing. One whose procedure runs mends itself at its
 * end. */
static void sweep(void *argument)
{
    uint32_t id = 0;

    (void)argument;
    pgw.sweeper = fiber_self();
    do {
        pgw.repair_again = false;
        for (struct pgw_ue *ue; !pgw.is_stopping && (ue = pool_next(&pgw.ues, &id));) {
            if (!ue->needs_repair || ue->mailbox.is_busy)
                continue;
            while (pgw.repairs >= AT_A_TIME && !pgw.is_stopping)
                await(&pgw.repair_done, -1, NULL);
            if ((ue = pgw_ue_get(id)) && !ue->mailbox.is_busy)
                pgw_post(ue, &(struct pgw_event){.kind = PGW_EVENT_REPAIR});
        }
    } while (pgw.repair_again && !pgw.is_stopping);
    pgw.sweeper = NULL;
}

static void start_sweep(void)
{
    if (pgw.sweeper)
        pgw.repair_again = true;
    else
        fiber_spawn("pgw sweep", sweep, NULL);
}

void pgw_peer_restarted(void *owner, struct udp_peer *peer)
{
    struct pgw_session *session;
    uint32_t id = 0;
    bool found = false;

    (void)owner;
    while ((session = pool_next(&pgw.sessions, &id)))
        if (session->sgw == udp_peer_id(peer))
            found = session->sgw_is_lost = pgw_ue_get(session->ue)->needs_repair = true;
    if (found)
        start_sweep();
}

/* Peers that have been silent too long. Goes on while there are silent ones. */
static void look_at_paths(struct timer *timer)
{
    struct udp_peer *peer;
    uint32_t id = 0;
    bool any = false;

    while ((peer = udp_peer_next(gtpc_udp(pgw.s5), &id))) {
        if (udp_peer_is_up(peer) || udp_peer_users(peer) == 0)
            continue;
        any = true;
        if (udp_peer_silent_ms(peer) < pgw.config->path_hold_ms)
            continue;
        log_warn("%s has not answered for too long: its sessions are dropped", udp_peer_name(peer));
        pgw_peer_restarted(NULL, peer);
    }
    if (any)
        timer_start(timer, PATH_LOOK_MS, look_at_paths);
}

void pgw_peer_down(void *owner, struct udp_peer *peer)
{
    uint32_t hold_ms = pgw.config->path_hold_ms;

    (void)owner;
    (void)peer;
    if (!timer_is_running(&pgw.path_timer))
        timer_start(&pgw.path_timer, hold_ms < PATH_LOOK_MS ? hold_ms : PATH_LOOK_MS,
                    look_at_paths);
}

void pgw_plane_up(void *owner, uint8_t plane, bool restarted)
{
    struct pgw_session *session;
    uint32_t id = 0;
    bool found = false;

    (void)owner;
    while ((session = pool_next(&pgw.sessions, &id))) {
        if (session->plane != plane)
            continue;
        if (restarted)
            session->up_seid = 0;
        if (session->is_established && (session->is_stale || session->up_seid == 0))
            found = pgw_ue_get(session->ue)->needs_repair = true;
    }
    if (found)
        start_sweep();
}
