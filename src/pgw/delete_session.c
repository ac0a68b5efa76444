/*
 * delete_session.c -- a PDN connection goes: the S-GW asks (TS 29.274 clause 7.2.9.1), the operator wants it (7.2.9.2), or it is
 * found to be dead.
 */
#include <errno.h>
#include <stdlib.h>

#include "pgw/context.h"

void pgw_drop_session(struct pgw_session *session)
{
    struct gtpc_mail *mail;

    pgw_program_nothing(session);
    /* What waited for it now asks for something that is not there. */
    while ((mail = gtpc_mailbox_take(&session->mailbox))) {
        if (mail->transaction)
            gtpc_refuse(pgw.s5, mail->transaction, session->sgw_teid, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        free(mail);
    }
    pgw_session_free(session);
}

void pgw_delete_session(struct pgw_session *session, const struct pgw_event *event)
{
    uint32_t transaction = event->transaction, teid = session->sgw_teid;
    struct gtpc_delete_session_response response = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    pgw_log_success("session deleted");
    pgw_drop_session(session);
    pgw_count(PGW_DELETED);
    gtpc_answer(pgw.s5, transaction, teid, &response);
}

/* The operator ends it: Delete Bearer Request for the default bearer (TS 23.401 clause 5.4.4.1), then gone whatever the answer. */
void pgw_disconnect(struct pgw_session *session, const struct pgw_event *event)
{
    struct udp_peer *sgw = pgw_session_sgw(session);
    struct gtpc_delete_bearer_request request = {
        .lbi = &session->ebi,
        .cause = &(struct gtpc_cause){.value = GTPC_CAUSE_REACTIVATION_REQUESTED}};
    struct gtpc_message *answer;

    (void)event;
    if (sgw && session->is_answered)
        (void)gtpc_request(sgw, session->sgw_teid, GTPC_DELETE_BEARER_REQUEST, &request, &answer);
    pgw_count(PGW_DELETED_BY_US);
    log_info("session deleted by the operator");
    pgw_drop_session(session);
}

/* The S-GW has lost it, or the phone has begun anew: nobody is to be told. */
void pgw_lost(struct pgw_session *session, const struct pgw_event *event)
{
    (void)event;
    pgw_drop_session(session);
}
