/*
 * bearers.c -- what happens to a PDN connection between its begin and its end: the S-GW changes, the phone is suspended, and
 * requests for what there is no policy for yet (bearers of other quality), which are refused as TS 29.274 says.
 */
#include <errno.h>

#include "pgw/context.h"

/* Clauses 7.2.7, 7.2.8: handover to another S-GW, another rate, or only news about where the phone is. */
void pgw_modify_bearer(struct pgw_session *session, const struct pgw_event *event)
{
    const struct gtpc_modify_bearer_request *request = event->message->modify_bearer_request;
    struct udp_peer *peer = udp_peer_get(gtpc_udp(pgw.s5), event->peer);
    const struct gtpc_bearer_to_be_modified *bearer =
        request->bearers.count > 0 ? &request->bearers.at[0] : NULL;
    uint32_t transaction = event->transaction;
    bool is_changed = session->is_suspended;
    enum gtpc_cause_value cause = GTPC_CAUSE_REQUEST_ACCEPTED;

    session->is_suspended = false;
    if (request->sender && peer)
        pgw_session_set_sgw(session, peer, request->sender->teid);
    if (bearer && bearer->ebi != session->ebi) {
        gtpc_refuse(pgw.s5, transaction, session->sgw_teid, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    if (bearer && bearer->s5_s8_u_sgw && bearer->s5_s8_u_sgw->has_ipv4) {
        session->sgw_u = (struct pgw_tunnel_end){bearer->s5_s8_u_sgw->teid, bearer->s5_s8_u_sgw->ipv4};
        is_changed = true;
    }
    int err = is_changed ? pgw_program(session) : 0;
    if (err < 0)
        cause = pgw_cause_of(err);
    else
        pgw_count(PGW_MODIFIED);
    struct gtpc_bearer_modified modified = {.ebi = session->ebi, .cause = {.value = (uint8_t)cause}};
    struct gtpc_modify_bearer_response response = {.cause = {.value = (uint8_t)cause},
                                                   .bearers = {&modified, 1}};
    gtpc_answer(pgw.s5, transaction, session->sgw_teid, &response);
}

/* Clause 7.3.14. */
void pgw_change_notification(struct pgw_session *session, const struct pgw_event *event)
{
    struct gtpc_change_notification_response response = {
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &response);
}

static void set_suspended(struct pgw_session *session, bool is_suspended)
{
    if (session->is_suspended == is_suspended)
        return;
    session->is_suspended = is_suspended;
    if (pgw_program(session) < 0)
        session->needs_repair = true;
}

/* TS 23.272 clause 6.3: packets for a phone that is in a circuit-switched call are thrown away. */
void pgw_suspend(struct pgw_session *session, const struct pgw_event *event)
{
    struct gtpc_suspend_acknowledge acknowledge = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &acknowledge);
    set_suspended(session, true);
}

void pgw_resume(struct pgw_session *session, const struct pgw_event *event)
{
    struct gtpc_resume_acknowledge acknowledge = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &acknowledge);
    set_suspended(session, false);
}

/* Clause 7.2.14: the subscription's rates changed (HSS). The P-GW would answer with Update Bearer Request; until there is policy it says
 * that it does not do so. */
void pgw_modify_bearer_command(struct pgw_session *session, const struct pgw_event *event)
{
    struct gtpc_modify_bearer_failure_indication failure = {
        .cause = {.value = GTPC_CAUSE_SERVICE_NOT_SUPPORTED}};

    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &failure);
}

/* Clause 7.2.17: there are no dedicated bearers to be deleted. */
void pgw_delete_bearer_command(struct pgw_session *session, const struct pgw_event *event)
{
    const struct gtpc_delete_bearer_command *command = event->message->delete_bearer_command;
    struct gtpc_bearer_outcome outcomes[4];
    size_t count = 0;

    for (; count < command->bearers.count && count < 4; count++)
        outcomes[count] = (struct gtpc_bearer_outcome){
            .ebi = command->bearers.at[count].ebi, .cause = {.value = GTPC_CAUSE_CONTEXT_NOT_FOUND}};
    struct gtpc_delete_bearer_failure_indication failure = {
        .cause = {.value = GTPC_CAUSE_CONTEXT_NOT_FOUND}, .bearers = {outcomes, count}};
    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &failure);
}

/* Clause 7.2.5: the phone asks for a bearer of its own; no policy grants one. */
void pgw_bearer_resource_command(struct pgw_session *session, const struct pgw_event *event)
{
    const struct gtpc_bearer_resource_command *command = event->message->bearer_resource_command;
    struct gtpc_bearer_resource_failure_indication failure = {
        .cause = {.value = GTPC_CAUSE_SERVICE_DENIED}, .lbi = command->lbi, .pti = command->pti};

    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &failure);
}
