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
#include <arpa/inet.h>
#include <errno.h>

#include "pgw/context.h"

void pgw_drop_session(struct pgw_session *session, const char *why)
{
    struct pgw_volume volume = pgw_program_nothing(session);
    uint64_t seconds = clock_wall_us() / 1000000 - session->began_s;

    metric_add(&pgw.metrics[PGW_UPLINK_BYTES], volume.uplink);
    metric_add(&pgw.metrics[PGW_DOWNLINK_BYTES], volume.downlink);
    pgw_log_success("session ended (%s): APN %s, charging id %u, %llu s, %llu bytes up, %llu down",
                    why, pgw_session_apn(session)->config->name, session->charging_id,
                    (unsigned long long)seconds, (unsigned long long)volume.uplink,
                    (unsigned long long)volume.downlink);
    pgw_session_free(session);
}

void pgw_end_session(struct pgw_ue *ue, struct pgw_session *session,
                     enum gtpc_cause_value cause_value)
{
    struct udp_peer *sgw = udp_peer_get(gtpc_udp(pgw.s5), session->sgw);
    uint32_t teid = session->sgw_teid;
    uint8_t ebi = session->ebi;
    struct gtpc_cause cause = {.value = (uint8_t)cause_value};
    struct gtpc_delete_bearer_request request = {.lbi = &ebi, .cause = &cause};
    struct gtpc_message *answer;

    (void)ue;
    pgw_count(PGW_DELETED_BY_US);
    pgw_drop_session(session, "by the P-GW");
    int err =
        sgw ? gtpc_request(sgw, teid, GTPC_DELETE_BEARER_REQUEST, &request, &answer) : -ENOENT;
    if (err < 0)
        log_warn("the S-GW did not answer the deletion of bearer %u: %s", ebi, uv_strerror(err));
}

/* A Sender F-TEID is another S-GW, or the same with another TEID. False: not an address of ours. */
static bool take_sgw(struct pgw_session *session, const struct gtpc_modify_bearer_request *request)
{
    struct udp_peer *sgw = request->sender ? gtpc_peer_of(pgw.s5, request->sender) : NULL;

    if (request->sender && !sgw)
        return false;
    if (sgw)
        pgw_session_set_sgw(session, sgw, request->sender->teid);
    for (size_t i = 0; i < request->bearers.count; i++) {
        const struct gtpc_bearer_to_be_modified *asked = &request->bearers.at[i];
        if (asked->ebi != session->ebi || !asked->s5_s8_u_sgw)
            continue;
        struct pgw_tunnel_end end = pgw_end_of_gtpc(asked->s5_s8_u_sgw);
        if (pgw_ends_equal(&end, &session->sgw_u))
            continue;
        session->sgw_u = end;
        session->is_stale = session->has_moved = true;
    }
    return true;
}

void pgw_modify_bearer(struct pgw_ue *ue, const struct pgw_event *event)
{
    const struct gtpc_modify_bearer_request *request = event->message->modify_bearer_request;
    struct pgw_session *session = pgw_session_get(event->message->header.teid);
    uint32_t transaction = event->transaction;
    bool has_bearers = request->bearers.count > 0;
    bool tells_msisdn = request->sender && ue->msisdn[0]; /* a new S-GW does not know it */

    if (!session || session->ue != ue->id) { /* it went while the request waited */
        gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    if (!take_sgw(session, request)) {
        gtpc_refuse(pgw.s5, transaction, session->sgw_teid, GTPC_CAUSE_INVALID_PEER);
        return;
    }
    if (request->rat_type)
        session->rat_type = *request->rat_type;
    int err = session->is_stale ? pgw_program(session) : 0;
    struct gtpc_cause cause = {
        .value = (uint8_t)(err < 0 ? pgw_cause_of(err) : GTPC_CAUSE_REQUEST_ACCEPTED)};
    struct gtpc_bearer_modified modified = {
        .ebi = session->ebi, .cause = cause, .charging_id = &session->charging_id};
    struct gtpc_modify_bearer_response response = {
        .cause = cause,
        .msisdn = tells_msisdn ? ue->msisdn : NULL,
        .bearers = {&modified, has_bearers ? 1 : 0},
    };
    pgw_count(PGW_MODIFIED);
    gtpc_answer(pgw.s5, transaction, session->sgw_teid, &response);
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
    uint32_t id;

    memcpy(&id, event->content.at, sizeof(id));
    struct pgw_session *session = pgw_session_get(id);
    if (session && session->ue == ue->id && session->is_established)
        pgw_drop_session(session, "forgotten by the S-GW");
}
