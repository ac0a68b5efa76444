/*
 * repair.c -- peers that fail or start anew (TS 23.007 clauses 14 to 17, TS 29.244 clause 6.2).
 *
 * An S-GW that has started anew has lost our sessions: they go. One that does not answer keeps them for path_hold, in case only
 * the way there was broken. A user plane that has started anew is given its sessions again, a number at a time.
 */
#include "pgw/context.h"

#define REPAIRS_AT_ONCE 64
#define PATH_CHECK_MS   1000

/* Ends all sessions of an S-GW. */
static uint32_t drop_sessions_of(const struct udp_peer *sgw)
{
    struct pgw_session *session;
    uint32_t id = 0, count = 0;

    while ((session = pool_next(&pgw.sessions, &id))) {
        if (session->sgw != udp_peer_id(sgw))
            continue;
        count++;
        pgw_count(PGW_SGW_LOSSES);
        pgw_post(session, &(struct pgw_event){.kind = PGW_EVENT_LOST});
    }
    return count;
}

void pgw_peer_restarted(void *owner, struct udp_peer *peer)
{
    (void)owner;
    uint32_t count = drop_sessions_of(peer);
    if (count > 0)
        log_warn("S-GW %s has started anew: %u sessions are gone", udp_peer_name(peer), count);
}

static void check_paths(struct timer *timer)
{
    struct udp_endpoint *udp = gtpc_udp(pgw.s5);
    struct udp_peer *peer;
    uint32_t id = 0;
    bool any_is_down = false;

    while ((peer = udp_peer_next(udp, &id))) {
        if (udp_peer_is_up(peer) || udp_peer_users(peer) == 0)
            continue;
        any_is_down = true;
        if (udp_peer_silent_ms(peer) < pgw.config->path_hold_ms)
            continue;
        uint32_t count = drop_sessions_of(peer);
        log_warn("S-GW %s does not answer: its %u sessions are given up", udp_peer_name(peer), count);
    }
    if (any_is_down)
        timer_start(timer, PATH_CHECK_MS, check_paths);
}

void pgw_peer_down(void *owner, struct udp_peer *peer)
{
    (void)owner;
    if (udp_peer_users(peer) > 0)
        log_warn("S-GW %s does not answer", udp_peer_name(peer));
    if (!timer_is_running(&pgw.path_timer))
        timer_start(&pgw.path_timer, PATH_CHECK_MS, check_paths);
}

/* ---- the user plane ---- */

void pgw_repair(struct pgw_session *session, const struct pgw_event *event)
{
    uint32_t id = session->id;

    (void)event;
    session->needs_repair = false;
    if (pgw_program(session) == 0) {
        pgw_count(PGW_RESTORED);
    } else {
        pgw_count(PGW_RESTORE_FAILED);
        if (pgw_session_get(id))
            session->needs_repair = true;
    }
    pgw.repairs--;
    await_deliver(&pgw.repair_done, NULL);
}

static void repair_all(void *argument)
{
    uint32_t repaired = 0;

    (void)argument;
    do {
        struct pgw_session *session;
        uint32_t id = 0;
        pgw.repair_again = false;
        while ((session = pool_next(&pgw.sessions, &id))) {
            if (!session->needs_repair || session->up_seid ||
                !user_plane_is_up(pgw.planes, session->plane) || session->mailbox.is_busy)
                continue;
            pgw.repairs++;
            repaired++;
            pgw_post(session, &(struct pgw_event){.kind = PGW_EVENT_REPAIR});
            while (pgw.repairs >= REPAIRS_AT_ONCE)
                await(&pgw.repair_done, -1, NULL);
        }
        while (pgw.repairs > 0)
            await(&pgw.repair_done, -1, NULL);
    } while (pgw.repair_again);
    pgw.repair_runs = false;
    if (repaired > 0)
        log_info("user plane: %u sessions were established again", repaired);
}

void pgw_plane_up(void *owner, uint8_t plane, bool restarted)
{
    struct pgw_session *session;
    uint32_t id = 0;

    (void)owner;
    log_info("user plane %s is up%s", user_plane_name(pgw.planes, plane), restarted ? ", started anew" : "");
    while ((session = pool_next(&pgw.sessions, &id))) {
        if (session->plane != plane || (!restarted && !session->needs_repair))
            continue;
        if (restarted)
            session->up_seid = 0;
        session->needs_repair = true;
    }
    pgw.repair_again = true;
    if (!pgw.repair_runs) {
        pgw.repair_runs = true;
        if (!fiber_spawn("repair", repair_all, NULL))
            pgw.repair_runs = false;
    }
}
