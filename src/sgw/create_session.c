/*
 * create_session.c -- a PDN connection: Create Session on S11, S5 and Sxa (TS 23.401 clause 5.3.2.1
 * steps 12 to 16, clause 5.10.2; TS 29.274 clauses 7.2.1, 7.2.2).
 *
 * The request goes on to the P-GW with our own tunnel ends in it. When the P-GW has accepted, the
 * user plane gets the session's rules: with them the uplink is open, and the downlink is kept until
 * Modify Bearer tells the eNodeB. A user plane that chooses its tunnels itself has to be asked
 * before the P-GW.
 *
 * Whatever fails, what has been made until then is taken down again, at the P-GW too.
 */
#include <errno.h>

#include "sgw/context.h"

/* Change Reporting Action (TS 29.274 clause 8.61). */
#define STOP_REPORTING 0

/* What of the P-GW's answer goes to the MME: kept over the wait for the user plane. */
struct accepted {
    uint8_t cause;
    struct gtpc_f_teid pgw;
    struct gtpc_paa paa;
    struct gtpc_ambr ambr;
    struct gtpc_bearer_qos qos;
    uint8_t apn_restriction;
    uint8_t change_reporting_action;
    bool has_paa, has_ambr, has_qos, has_apn_restriction, has_change_reporting_action;
    size_t pco_len;
    uint8_t pco[PCO_MAX_SIZE];
};

struct refusal {
    enum gtpc_cause_value cause;
    uint8_t offending; /* enum gtpc_ie_type; 0: none */
    uint8_t offending_instance;
    bool is_remote; /* the P-GW said so */
};

static struct refusal refuse_for(enum gtpc_cause_value cause)
{
    return (struct refusal){.cause = cause};
}

static void answer_refusal(const struct sgw_event *event, uint32_t teid, const struct refusal *why)
{
    static struct log_limit limit;
    struct gtpc_cause cause = {.value = (uint8_t)why->cause,
                               .is_remote = why->is_remote,
                               .has_offending = why->offending != 0,
                               .offending_type = why->offending,
                               .offending_instance = why->offending_instance};

    sgw_count(SGW_CREATE_REFUSED);
    log_limited(&limit, LOG_INFO, "create session refused: %s%s",
                gtpc_cause_name(cause.value) ? gtpc_cause_name(cause.value) : "unknown cause",
                why->is_remote ? " (by the P-GW)" : "");
    gtpc_refuse_with(sgw.s11, event->transaction, teid, &cause);
}

/* What the tables cannot ask for: conditional elements that this procedure needs. */
static bool is_acceptable(const struct gtpc_create_session_request *request, struct refusal *why)
{
    const struct gtpc_bearer_to_be_created *bearer = &request->bearers.at[0];

    *why = refuse_for(GTPC_CAUSE_CONDITIONAL_IE_MISSING);
    why->offending_instance = 1;
    why->offending = GTPC_IE_F_TEID;
    if (!request->pgw)
        return false;
    *why = refuse_for(GTPC_CAUSE_MANDATORY_IE_INCORRECT);
    why->offending = GTPC_IE_EBI;
    if (bearer->ebi < 5)
        return false;
    /* A P-GW that has the session already means a new S-GW (relocation), which is not supported. */
    *why = refuse_for(GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    return request->pgw->teid == 0 && request->bearers.count == 1;
}

/*
 * TS 29.274 clause 7.2.1: a request without TEID from an MME that knows nothing of this phone makes
 * all its old sessions void; one that names an EPS bearer id in use makes that session void. The
 * P-GW sees the same for a session of the same bearer id.
 */
static void drop_what_collides(struct sgw_ue *ue, bool is_first, uint8_t ebi)
{
    struct sgw_bearer *bearer;

    if (is_first)
        sgw_drop_all_sessions(ue, true);
    while ((bearer = sgw_ue_bearer(ue, ebi)))
        sgw_drop_session(sgw_session_get(bearer->session), true);
}

/* The session and its default bearer, known only to us yet. NULL: *why. */
static struct sgw_session *new_session(struct sgw_ue *ue,
                                       const struct gtpc_create_session_request *request,
                                       struct refusal *why)
{
    const struct gtpc_bearer_to_be_created *asked = &request->bearers.at[0];

    *why = (struct refusal){0};
    struct sgw_session *session = sgw_session_new(ue, &why->cause);
    if (!session)
        return NULL;
    struct sgw_bearer *bearer = sgw_bearer_new(session, asked->ebi, &why->cause);
    struct udp_peer *pgw = gtpc_peer_of(sgw.s5, request->pgw);
    if (!pgw)
        why->cause = GTPC_CAUSE_INVALID_PEER;
    if (!bearer || !pgw) {
        sgw_session_free(session);
        return NULL;
    }
    session->default_ebi = asked->ebi;
    session->rat_type = request->rat_type;
    struct text apn = text_in(session->apn, sizeof(session->apn));
    text_add(&apn, "%s", request->apn);
    sgw_session_set_pgw(session, pgw);
    bearer->qci = asked->qos.qci;
    bearer->arp = asked->qos.arp;
    return session;
}

/* The request to the P-GW is the MME's with our ends in it (table 7.2.1-1, column S5/S8). */
static int ask_pgw(struct sgw_session *session, const struct gtpc_create_session_request *from_mme,
                   struct gtpc_message **answer)
{
    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
    struct udp_peer *pgw = udp_peer_get(gtpc_udp(sgw.s5), session->pgw);
    struct gtpc_f_teid s5_u = sgw_end_to_gtpc(&bearer->s5_u, GTPC_S5_S8_SGW_GTP_U);
    struct gtpc_bearer_to_be_created to_create = {
        .ebi = bearer->ebi,
        .tft = from_mme->bearers.at[0].tft,
        .s5_s8_u_sgw = &s5_u,
        .qos = from_mme->bearers.at[0].qos,
    };
    struct gtpc_create_session_request request = *from_mme;

    request.sender = gtpc_own_f_teid(sgw.s5, GTPC_S5_S8_SGW_GTP_C, session->id);
    request.pgw = NULL;
    request.bearers.at = &to_create;
    request.bearers.count = 1;
    request.bearers_to_be_removed.count = 0;
    request.lbi = NULL;
    request.recovery = gtpc_recovery_for(pgw);
    request.mme_ldn = NULL;
    request.mme_identifier = NULL;
    return gtpc_request(pgw, 0, GTPC_CREATE_SESSION_REQUEST, &request, answer);
}

/* Takes what the P-GW answered into session and `accepted`. False: *why. */
static bool take_pgw_answer(struct sgw_session *session, const struct gtpc_message *answer,
                            struct accepted *accepted, struct refusal *why)
{
    const struct gtpc_create_session_response *response = answer->create_session_response;
    struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);

    if (!gtpc_cause_is_accepted(response->cause.value)) {
        *why = (struct refusal){.cause = response->cause.value, .is_remote = true};
        return false;
    }
    *why = refuse_for(GTPC_CAUSE_INVALID_REPLY_FROM_REMOTE_PEER);
    const struct gtpc_f_teid *control = response->pgw ? response->pgw : response->sender;
    if (control) /* from here on the P-GW has a session that must be deleted */
        session->pgw_teid = control->teid;
    const struct gtpc_bearer_created *created =
        response->bearers.count == 1 ? &response->bearers.at[0] : NULL;
    if (!control || !created || created->ebi != bearer->ebi || !created->s5_s8_u_pgw ||
        !gtpc_cause_is_accepted(created->cause.value))
        return false;
    bearer->pgw = sgw_end_of_gtpc(created->s5_s8_u_pgw);
    bearer->is_stale = true;
    *accepted = (struct accepted){.cause = response->cause.value, .pgw = *control};
    if ((accepted->has_paa = response->paa))
        accepted->paa = *response->paa;
    if ((accepted->has_ambr = response->ambr))
        accepted->ambr = *response->ambr;
    if ((accepted->has_apn_restriction = response->apn_restriction))
        accepted->apn_restriction = *response->apn_restriction;
    if ((accepted->has_change_reporting_action = response->change_reporting_action))
        accepted->change_reporting_action = *response->change_reporting_action;
    session->wants_location = accepted->has_change_reporting_action &&
                              accepted->change_reporting_action != STOP_REPORTING;
    if ((accepted->has_qos = created->qos)) {
        accepted->qos = *created->qos;
        bearer->qci = created->qos->qci;
        bearer->arp = created->qos->arp;
    }
    if (response->pco && response->pco->len <= sizeof(accepted->pco)) {
        accepted->pco_len = response->pco->len;
        memcpy(accepted->pco, response->pco->at, response->pco->len);
    }
    return true;
}

static void answer_mme(const struct sgw_ue *ue, const struct sgw_session *session,
                       const struct sgw_event *event, const struct accepted *accepted)
{
    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
    struct udp_peer *mme = udp_peer_get(gtpc_udp(sgw.s11), ue->mme);
    struct gtpc_f_teid own = gtpc_own_f_teid(sgw.s11, GTPC_S11_S4_SGW_GTP_C, ue->id);
    struct gtpc_f_teid s1_u = sgw_end_to_gtpc(&bearer->s1_u, GTPC_S1_U_SGW);
    struct gtpc_f_teid s5_u = sgw_end_to_gtpc(&bearer->pgw, GTPC_S5_S8_PGW_GTP_U);
    struct bytes pco = bytes_of(accepted->pco, accepted->pco_len);
    struct gtpc_bearer_created created = {
        .ebi = bearer->ebi,
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
        .s1_u_sgw = &s1_u,
        .s5_s8_u_pgw = &s5_u,
        .qos = accepted->has_qos ? &accepted->qos : NULL,
    };
    struct gtpc_create_session_response response = {
        .cause = {.value = accepted->cause},
        .change_reporting_action =
            accepted->has_change_reporting_action ? &accepted->change_reporting_action : NULL,
        .sender = &own,
        .pgw = &accepted->pgw,
        .paa = accepted->has_paa ? &accepted->paa : NULL,
        .apn_restriction = accepted->has_apn_restriction ? &accepted->apn_restriction : NULL,
        .ambr = accepted->has_ambr ? &accepted->ambr : NULL,
        .pco = accepted->pco_len ? &pco : NULL,
        .bearers = {&created, 1},
        .recovery = mme ? gtpc_recovery_for(mme) : NULL,
    };

    gtpc_answer(sgw.s11, event->transaction, ue->mme_teid, &response);
}

/* Before the P-GW is asked: a user plane that chooses its tunnels is asked for them. The request is
 * needed after that wait. */
static int choose_tunnels(struct sgw_session *session,
                          const struct gtpc_create_session_request **request, struct bytes datagram)
{
    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
    uint8_t copy[GTPC_MESSAGE_SIZE];
    struct gtpc_message again;

    if (bearer->s1_u.is_set && bearer->s5_u.is_set)
        return 0;
    if (datagram.len > sizeof(copy))
        return -EMSGSIZE;
    memcpy(copy, datagram.at, datagram.len);
    int err = sgw_program(session);
    if (err < 0)
        return err;
    arena_reset(&sgw.arena);
    struct bytes kept = arena_copy(&sgw.arena, bytes_of(copy, datagram.len));
    err = kept.at ? gtpc_decode(kept, &sgw.arena, &again) : -ENOMEM;
    if (err == 0)
        *request = again.create_session_request;
    return err;
}

/* Asks P-GW and user plane. False: *why, and the session is still there. */
static bool connect_session(struct sgw_session *session, const struct sgw_event *event,
                            struct accepted *accepted, struct refusal *why)
{
    const struct gtpc_create_session_request *request = event->message->create_session_request;
    struct gtpc_message *answer;
    int err = choose_tunnels(session, &request, event->message->datagram);

    *why = refuse_for(user_plane_gtpc_cause(err));
    if (err < 0)
        return false;
    err = ask_pgw(session, request, &answer);
    *why = refuse_for(err == -ETIMEDOUT || err == -EPROTONOSUPPORT
                          ? GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING
                      : err == -EBADMSG ? GTPC_CAUSE_INVALID_REPLY_FROM_REMOTE_PEER
                                        : user_plane_gtpc_cause(err));
    if (err < 0 || !take_pgw_answer(session, answer, accepted, why))
        return false;
    err = sgw_program(session);
    *why = refuse_for(user_plane_gtpc_cause(err));
    return err == 0;
}

void sgw_create_session(struct sgw_ue *ue, const struct sgw_event *event)
{
    const struct gtpc_create_session_request *request = event->message->create_session_request;
    struct udp_peer *mme = gtpc_peer_of(sgw.s11, &request->sender);
    bool is_first = event->message->header.teid == 0;
    uint32_t teid = request->sender.teid;
    uint8_t ebi = request->bearers.at[0].ebi;
    struct sgw_event kept = *event;
    struct accepted accepted;
    struct refusal why;

    bool is_fine = is_acceptable(request, &why);
    if (is_fine && !mme)
        why = refuse_for(GTPC_CAUSE_INVALID_PEER);
    if (!is_fine || !mme) {
        answer_refusal(event, teid, &why);
        return;
    }
    if (ue->sessions && (is_first || sgw_ue_bearer(ue, ebi))) {
        /* The collision is cleared away in a wait, which the request does not outlive: it is taken
         * again from the mailbox. */
        if (!gtpc_mailbox_put(&ue->mailbox, event->kind, event->peer, event->transaction,
                              event->message->datagram)) {
            udp_abandon(gtpc_udp(sgw.s11), event->transaction);
            return;
        }
        drop_what_collides(ue, is_first, ebi);
        return;
    }
    ue->is_orphan = false;
    sgw_ue_set_mme(ue, mme, teid);
    struct sgw_session *session = new_session(ue, request, &why);
    if (!session) {
        answer_refusal(&kept, teid, &why);
        return;
    }
    if (!connect_session(session, &kept, &accepted, &why)) {
        sgw_drop_session(session, session->pgw_teid != 0);
        answer_refusal(&kept, teid, &why);
        return;
    }
    session->is_established = true;
    sgw_count(SGW_CREATED);
    sgw_log_success("session created: APN %s, bearer %u", session->apn, session->default_ebi);
    answer_mme(ue, session, &kept, &accepted);
}
