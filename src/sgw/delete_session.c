/*
 * delete_session.c -- the end of a PDN connection: by the MME (Delete Session, TS 29.274
 * clause 7.2.9.1), by the P-GW (Delete Bearer, clause 7.2.9.2).
 */
#include <errno.h>

#include "sgw/context.h"

static void delete_at_pgw(struct sgw_session *session)
{
    struct udp_peer *pgw = udp_peer_get(gtpc_udp(sgw.s5), session->pgw);
    uint8_t ebi = session->default_ebi;
    struct gtpc_delete_session_request request = {.lbi = &ebi};
    struct gtpc_message *answer;

    if (!pgw || session->pgw_teid == 0 || session->pgw_is_lost)
        return;
    int err = gtpc_request(pgw, session->pgw_teid, GTPC_DELETE_SESSION_REQUEST, &request, &answer);
    if (err < 0)
        log_warn("P-GW %s did not answer the deletion of the session: %s", udp_peer_name(pgw),
                 uv_strerror(err));
}

void sgw_drop_session(struct sgw_session *session, bool tell_pgw)
{
    sgw_program_nothing(session);
    if (tell_pgw)
        delete_at_pgw(session);
    sgw_session_free(session);
}

void sgw_drop_all_sessions(struct sgw_ue *ue, bool tell_pgw)
{
    while (ue->sessions)
        sgw_drop_session(sgw_session_get(ue->sessions), tell_pgw);
}

/*
 * Of the flags (clause 8.12) OI says that the P-GW is to be told, and SI that all sessions are
 * meant, which the S-GW is to forget alone (the phone has moved to another S-GW).
 */
void sgw_delete_session(struct sgw_ue *ue, const struct sgw_event *event)
{
    const struct gtpc_delete_session_request *request = event->message->delete_session_request;
    uint64_t flags = request->indication ? *request->indication : 0;
    bool tell_pgw = flags & GTPC_OI;
    bool all = !tell_pgw && (flags & GTPC_SI);
    uint32_t transaction = event->transaction;
    /* After a change of MME without change of S-GW the old MME may ask: the sender differs, and
     * nothing is done. */
    bool is_stranger = request->sender && ue->mme != event->peer;
    struct gtpc_delete_session_response response = {
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};
    uint32_t teid = is_stranger ? request->sender->teid : ue->mme_teid;

    if (is_stranger) {
        gtpc_refuse(sgw.s11, transaction, teid, GTPC_CAUSE_INVALID_PEER);
        return;
    }
    if (all) {
        sgw_drop_all_sessions(ue, false);
    } else {
        struct sgw_session *session = request->lbi ? sgw_ue_session(ue, *request->lbi) : NULL;
        if (!session) {
            gtpc_refuse_with(sgw.s11, transaction, teid,
                             &(struct gtpc_cause){.value = request->lbi
                                                               ? GTPC_CAUSE_CONTEXT_NOT_FOUND
                                                               : GTPC_CAUSE_CONDITIONAL_IE_MISSING,
                                                  .has_offending = !request->lbi,
                                                  .offending_type = GTPC_IE_EBI});
            return;
        }
        sgw_log_success("session deleted: APN %s, bearer %u", session->apn, session->default_ebi);
        sgw_drop_session(session, tell_pgw);
    }
    sgw_count(SGW_DELETED);
    gtpc_answer(sgw.s11, transaction, teid, &response);
}

/* Tells the MME that the P-GW has ended this PDN connection; what it answers changes nothing.
 * Returns its cause. */
static uint8_t delete_at_mme(struct sgw_ue *ue, uint8_t ebi, const struct gtpc_cause *cause)
{
    struct udp_peer *mme = udp_peer_get(gtpc_udp(sgw.s11), ue->mme);
    struct gtpc_delete_bearer_request request = {.lbi = &ebi, .cause = cause};
    struct gtpc_message *answer;

    if (!mme || ue->is_orphan)
        return GTPC_CAUSE_REQUEST_ACCEPTED;
    int err = gtpc_request(mme, ue->mme_teid, GTPC_DELETE_BEARER_REQUEST, &request, &answer);
    if (err < 0) {
        log_warn("MME %s did not answer the deletion of bearer %u: %s", udp_peer_name(mme), ebi,
                 uv_strerror(err));
        return GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING;
    }
    return answer->delete_bearer_response->cause.value;
}

void sgw_delete_bearer(struct sgw_ue *ue, const struct sgw_event *event)
{
    const struct gtpc_delete_bearer_request *request = event->message->delete_bearer_request;
    struct sgw_session *session = sgw_session_get(event->message->header.teid);
    uint32_t transaction = event->transaction;
    struct gtpc_cause cause = request->cause ? *request->cause : (struct gtpc_cause){0};
    bool has_cause = request->cause;
    uint8_t ebi = request->lbi ? *request->lbi : 0;
    struct gtpc_delete_bearer_response response = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
                                                   .lbi = &ebi};

    if (!session || session->ue != ue->id) { /* it went while the request waited */
        gtpc_refuse(sgw.s5, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    uint32_t teid = session->pgw_teid;
    if (ebi != session->default_ebi) { /* dedicated bearers do not exist here */
        gtpc_refuse(sgw.s5, transaction, teid, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    uint8_t said = delete_at_mme(ue, ebi, has_cause ? &cause : NULL);
    if (!gtpc_cause_is_accepted(said))
        response.cause = (struct gtpc_cause){.value = said, .is_remote = true};
    sgw_drop_session(session, false);
    sgw_count(SGW_DELETED_BY_PGW);
    gtpc_answer(sgw.s5, transaction, teid, &response);
}

void sgw_end_lost_session(struct sgw_ue *ue, struct sgw_session *session)
{
    uint8_t ebi = session->default_ebi;
    struct gtpc_cause cause = {.value = GTPC_CAUSE_REACTIVATION_REQUESTED};

    sgw_count(SGW_PGW_LOSSES);
    sgw_drop_session(session, false);
    (void)delete_at_mme(ue, ebi, &cause);
}
