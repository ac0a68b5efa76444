/*
 * change_session.c -- all that changes or ends a PDN connection.
 *
 *   Modify Bearer        another S-GW, or news about the phone (TS 29.274 clauses 7.2.7, 7.2.8)
 *   Change Notification  where the phone is (7.3.14)
 *   Suspend, Resume      the S-GW holds the phone's packets; nothing to do here (7.4)
 *   Delete Session       by the S-GW (7.2.9.1)
 *   Delete Bearer        by us (7.2.9.2)
 *   commands             ask for other bearers, which need a PCRF: refused
 */
#include <errno.h>

#include "pgw/context.h"

void pgw_drop_session(struct pgw_session *session, const char *why)
{
    uint64_t seconds = clock_wall_us() / 1000000 - session->began_s;

    pgw_program_nothing(session);
    pgw_log_success("session ended (%s): APN %s, charging id %u, %llu s, %llu bytes up, %llu down",
                    why, pgw_session_apn(session)->config->name, session->charging_id,
                    (unsigned long long)seconds, (unsigned long long)session->uplink_bytes,
                    (unsigned long long)session->downlink_bytes);
    pgw_session_free(session);
}

void pgw_end_session(struct pgw_session *session, enum gtpc_cause_value cause_value)
{
    uint32_t sgw_id = session->sgw, teid = session->sgw_teid;
    uint8_t ebi = session->ebi;
    struct gtpc_cause cause = {.value = (uint8_t)cause_value};
    struct gtpc_delete_bearer_request request = {.lbi = &ebi, .cause = &cause};
    struct gtpc_message *answer;

    pgw_count(PGW_DELETED_BY_US);
    pgw_drop_session(session, "by the P-GW");
    struct udp_peer *sgw = udp_peer_get(gtpc_udp(pgw.s5), sgw_id);
    int err =
        sgw ? gtpc_request(sgw, teid, GTPC_DELETE_BEARER_REQUEST, &request, &answer) : -ENOENT;
    if (err < 0)
        log_warn("the S-GW did not answer the deletion of bearer %u: %s", ebi, uv_strerror(err));
}

void pgw_disconnect(struct pgw_ue *ue, const struct pgw_event *event)
{
    (void)event;
    while (ue->sessions)
        pgw_end_session(pgw_session_get(ue->sessions), GTPC_CAUSE_REACTIVATION_REQUESTED);
}

/* What a Modify Bearer Request may change: kept to go back to when the user plane does not follow.
 */
struct path {
    struct udp_peer *sgw;
    uint32_t teid;
    struct pgw_tunnel_end end;
};

/* The path that the request wants. A Sender F-TEID is another S-GW, or the same with another TEID.
 * False: *cause. */
static bool wanted_path(const struct pgw_session *session,
                        const struct gtpc_modify_bearer_request *request, struct path *path,
                        enum gtpc_cause_value *cause)
{
    *path = (struct path){udp_peer_get(gtpc_udp(pgw.s5), session->sgw), session->sgw_teid,
                          session->sgw_u};
    if (request->sender) {
        path->sgw = gtpc_peer_of(pgw.s5, request->sender);
        path->teid = request->sender->teid;
    }
    *cause = GTPC_CAUSE_INVALID_PEER;
    if (!path->sgw)
        return false;
    *cause = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    for (size_t i = 0; i < request->bearers.count; i++) {
        const struct gtpc_bearer_to_be_modified *asked = &request->bearers.at[i];
        if (asked->ebi != session->ebi)
            return false;
        if (asked->s5_s8_u_sgw)
            path->end = pgw_end_of_gtpc(asked->s5_s8_u_sgw);
    }
    *cause = GTPC_CAUSE_SERVICE_NOT_SUPPORTED;
    return path->end.is_ipv6 == session->s5_u.is_ipv6;
}

static void take_path(struct pgw_session *session, const struct path *path)
{
    pgw_session_set_sgw(session, path->sgw, path->teid);
    if (pgw_ends_equal(&path->end, &session->sgw_u))
        return;
    session->sgw_u = path->end;
    session->is_stale = session->has_moved = true;
}

static void answer_modification(const struct pgw_ue *ue, const struct pgw_session *session,
                                uint32_t transaction, bool has_bearers, bool tells_msisdn)
{
    struct udp_peer *sgw = udp_peer_get(gtpc_udp(pgw.s5), session->sgw);
    struct gtpc_cause cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED};
    struct gtpc_bearer_modified modified = {
        .ebi = session->ebi, .cause = cause, .charging_id = &session->charging_id};
    struct gtpc_modify_bearer_response response = {
        .cause = cause,
        .msisdn = tells_msisdn ? ue->msisdn : NULL,
        .bearers = {&modified, has_bearers ? 1 : 0},
        .recovery = sgw ? gtpc_recovery_for(sgw) : NULL,
    };

    pgw_count(PGW_MODIFIED);
    gtpc_answer(pgw.s5, transaction, session->sgw_teid, &response);
}

void pgw_modify_bearer(struct pgw_ue *ue, const struct pgw_event *event)
{
    const struct gtpc_modify_bearer_request *request = event->message->modify_bearer_request;
    struct pgw_session *session = pgw_session_get(event->message->header.teid);
    uint32_t transaction = event->transaction;
    bool has_bearers = request->bearers.count > 0;
    bool tells_msisdn = request->sender && ue->msisdn[0]; /* a new S-GW does not know it */
    uint8_t rat_type = request->rat_type ? *request->rat_type : 0;
    enum gtpc_cause_value cause;
    struct path path;

    if (!session || session->ue != ue->id) { /* it went while the request waited */
        gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    uint32_t asker = request->sender ? request->sender->teid : session->sgw_teid;
    uint32_t sgw_before = session->sgw;
    struct path before = {NULL, session->sgw_teid, session->sgw_u};
    if (!wanted_path(session, request, &path, &cause)) {
        gtpc_refuse(pgw.s5, transaction, asker, cause);
        return;
    }
    take_path(session, &path);
    int err = session->is_stale ? pgw_program(session) : 0;
    if (err < 0) { /* the old S-GW goes on */
        before.sgw = udp_peer_get(gtpc_udp(pgw.s5), sgw_before);
        if (before.sgw)
            take_path(session, &before);
        pgw_repair_later(ue);
        gtpc_refuse(pgw.s5, transaction, asker, user_plane_gtpc_cause(err));
        return;
    }
    if (rat_type)
        session->rat_type = rat_type;
    answer_modification(ue, session, transaction, has_bearers, tells_msisdn);
}

void pgw_delete_session(struct pgw_ue *ue, const struct pgw_event *event)
{
    const struct gtpc_delete_session_request *request = event->message->delete_session_request;
    struct pgw_session *session = pgw_session_get(event->message->header.teid);
    uint32_t transaction = event->transaction;
    struct gtpc_delete_session_response response = {
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    if (!session || session->ue != ue->id) {
        gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    uint32_t teid = session->sgw_teid;
    if (request->lbi && *request->lbi != session->ebi) {
        gtpc_refuse(pgw.s5, transaction, teid, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    pgw_drop_session(session, "by the S-GW");
    pgw_count(PGW_DELETED);
    gtpc_answer(pgw.s5, transaction, teid, &response);
}

void pgw_change_notification(struct pgw_ue *ue, const struct pgw_event *event)
{
    const struct gtpc_change_notification_request *request =
        event->message->change_notification_request;
    struct pgw_session *session = pgw_session_get(event->message->header.teid);
    struct gtpc_change_notification_response response = {
        .imsi = request->imsi,
        .mei = request->mei,
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
    };

    if (!session || session->ue != ue->id) {
        gtpc_refuse(pgw.s5, event->transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    session->rat_type = request->rat_type;
    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &response);
}

static void acknowledge(const struct pgw_ue *ue, const struct pgw_event *event)
{
    struct pgw_session *session = pgw_session_get(event->message->header.teid);

    if (!session || session->ue != ue->id)
        gtpc_refuse(pgw.s5, event->transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    else
        gtpc_refuse(pgw.s5, event->transaction, session->sgw_teid, GTPC_CAUSE_REQUEST_ACCEPTED);
}

void pgw_suspend(struct pgw_ue *ue, const struct pgw_event *event)
{
    acknowledge(ue, event);
}

void pgw_resume(struct pgw_ue *ue, const struct pgw_event *event)
{
    acknowledge(ue, event);
}

/* The failure indications name what the command named (clauses 7.2.6, 7.2.14.2, 7.2.17.2). */
void pgw_refuse_command(struct pgw_ue *ue, const struct pgw_event *event)
{
    struct pgw_session *session = pgw_session_get(event->message->header.teid);
    uint32_t teid = session && session->ue == ue->id ? session->sgw_teid : 0;
    struct gtpc_cause cause = {.value = GTPC_CAUSE_SERVICE_NOT_SUPPORTED};

    if (event->message->header.type == GTPC_BEARER_RESOURCE_COMMAND) {
        const struct gtpc_bearer_resource_command *command =
            event->message->bearer_resource_command;
        struct gtpc_bearer_resource_failure_indication indication = {
            .cause = cause, .lbi = command->lbi, .pti = command->pti};
        gtpc_answer(pgw.s5, event->transaction, teid, &indication);
    } else {
        gtpc_refuse_with(pgw.s5, event->transaction, teid, &cause);
    }
}

/* The S-GW has forgotten the tunnel of a default bearer: the PDN connection is over (TS 23.007
 * clause 21). */
void pgw_error_indication(struct pgw_ue *ue, const struct pgw_event *event)
{
    struct pgw_forgotten forgotten;

    memcpy(&forgotten, event->content.at, sizeof(forgotten));
    struct pgw_session *session = pgw_session_get(forgotten.session);
    if (session && session->ue == ue->id && session->is_established &&
        pgw_ends_equal(&forgotten.end, &session->sgw_u)) /* else it is about a path of before */
        pgw_drop_session(session, "forgotten by the S-GW");
}
