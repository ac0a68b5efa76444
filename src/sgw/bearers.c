/*
 * bearers.c -- the phone becomes connected, idle, suspended; and what is only passed on or refused.
 *
 *   Modify Bearer            the eNodeB's tunnels: downlink packets go there (TS 29.274
 * clauses 7.2.7, 7.2.8) Modify Access Bearers    the same for all PDN connections at once
 * (7.2.24, 7.2.25) Release Access Bearers   no tunnels: downlink packets are kept, and we are told
 * (7.2.21, 7.2.22) Suspend, Resume          no downlink packets at all while the phone is in a
 * circuit call (7.4) Change Notification      where the phone is; the P-GW is told (7.3.14, 7.3.15)
 *   commands                 change bearers that only a P-GW with a PCRF has: refused
 */
#include <errno.h>

#include "sgw/context.h"

static void set_downlink(struct sgw_bearer *bearer, enum sgw_downlink downlink,
                         const struct sgw_tunnel_end *enb)
{
    struct sgw_tunnel_end none = {0};
    struct sgw_tunnel_end to = enb ? *enb : none;

    if (bearer->downlink == downlink && sgw_ends_equal(&bearer->enb, &to) && !bearer->is_stale)
        return;
    bearer->has_moved |=
        bearer->downlink == SGW_DOWNLINK_FORWARD && to.is_set && !sgw_ends_equal(&bearer->enb, &to);
    bearer->downlink = (uint8_t)downlink;
    bearer->enb = to;
    bearer->is_stale = true;
}

static void set_all(struct sgw_ue *ue, enum sgw_downlink downlink)
{
    struct sgw_session *session = sgw_session_get(ue->sessions);

    for (; session; session = sgw_session_get(session->next)) {
        struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
        for (; bearer; bearer = sgw_bearer_get(bearer->next))
            set_downlink(bearer, downlink, NULL);
    }
}

/* Tells the user planes of all sessions what is stale; the first error. A wait may not change the
 * list: the phone is ours. */
static int program_all(struct sgw_ue *ue)
{
    struct sgw_session *session = sgw_session_get(ue->sessions);
    int first = 0;

    for (; session; session = sgw_session_get(session->next)) {
        int err = sgw_program(session);
        if (first == 0)
            first = err;
    }
    return first;
}

/* Takes the new tunnels; the outcome per bearer goes to `modified`. Returns how many bearers we
 * have. */
static size_t take_tunnels(struct sgw_ue *ue, const struct gtpc_bearer_to_be_modified *asked,
                           size_t count, struct gtpc_bearer_modified *modified,
                           struct gtpc_f_teid *s1_u)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        struct sgw_bearer *bearer = sgw_ue_bearer(ue, asked[i].ebi);
        modified[i] = (struct gtpc_bearer_modified){
            .ebi = asked[i].ebi, .cause = {.value = GTPC_CAUSE_CONTEXT_NOT_FOUND}};
        if (!bearer)
            continue;
        found++;
        modified[i].cause.value = GTPC_CAUSE_REQUEST_ACCEPTED;
        s1_u[i] = sgw_end_to_gtpc(&bearer->s1_u, GTPC_S1_U_SGW);
        modified[i].s1_u_sgw = &s1_u[i];
        if (asked[i].s1_u_enodeb) {
            struct sgw_tunnel_end enb = sgw_end_of_gtpc(asked[i].s1_u_enodeb);
            set_downlink(bearer, SGW_DOWNLINK_FORWARD, &enb);
            ue->tunnel_is_lost = false;
        }
    }
    return found;
}

/* What the user plane did not take is the cause of every bearer. */
static struct gtpc_cause outcome(struct gtpc_bearer_modified *modified, size_t count, size_t found,
                                 int err)
{
    struct gtpc_cause cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED};

    for (size_t i = 0; err < 0 && i < count; i++) {
        modified[i].s1_u_sgw = NULL;
        if (modified[i].cause.value == GTPC_CAUSE_REQUEST_ACCEPTED)
            modified[i].cause.value = (uint8_t)user_plane_gtpc_cause(err);
    }
    if (err < 0)
        cause.value = (uint8_t)user_plane_gtpc_cause(err);
    else if (found == 0 && count > 0)
        cause.value = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    else if (found < count)
        cause.value = GTPC_CAUSE_REQUEST_ACCEPTED_PARTIALLY;
    sgw_count(gtpc_cause_is_accepted(cause.value) ? SGW_MODIFIED : SGW_MODIFY_REFUSED);
    return cause;
}

/* A Sender F-TEID is a new MME, or the same with a new TEID. */
static bool take_mme(struct sgw_ue *ue, const struct sgw_event *event,
                     const struct gtpc_f_teid *sender)
{
    struct udp_peer *mme = sender ? gtpc_peer_of(sgw.s11, sender) : NULL;

    if (!sender)
        return ue->mme == event->peer;
    if (!mme)
        return false;
    sgw_ue_set_mme(ue, mme, sender->teid);
    ue->is_orphan = false;
    return true;
}

/* What the P-GW has to know of this (clause 7.2.7, column S5/S8): where the phone is only if it has
 * asked. */
static bool is_for_pgw(const struct sgw_session *session,
                       const struct gtpc_modify_bearer_request *request)
{
    return request->ue_time_zone || request->serving_network || request->mei ||
           (request->uli && session->wants_location) ||
           (request->rat_type && *request->rat_type != session->rat_type);
}

/* Passes it on to the P-GW of the session. 0, or the cause to refuse with. */
static uint8_t tell_pgw(struct sgw_session *session,
                        const struct gtpc_modify_bearer_request *from_mme)
{
    struct udp_peer *pgw = udp_peer_get(gtpc_udp(sgw.s5), session->pgw);
    struct gtpc_message *answer;
    struct gtpc_modify_bearer_request request = {
        .mei = from_mme->mei,
        .uli = from_mme->uli,
        .serving_network = from_mme->serving_network,
        .rat_type = from_mme->rat_type && *from_mme->rat_type != session->rat_type
                        ? from_mme->rat_type
                        : NULL,
        .ue_time_zone = from_mme->ue_time_zone,
        .uci = from_mme->uci,
    };

    if (!pgw || session->pgw_is_lost)
        return GTPC_CAUSE_CONTEXT_NOT_FOUND;
    request.recovery = gtpc_recovery_for(pgw);
    int err = gtpc_request(pgw, session->pgw_teid, GTPC_MODIFY_BEARER_REQUEST, &request, &answer);
    if (err < 0)
        return GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING;
    uint8_t cause = answer->modify_bearer_response->cause.value;
    return gtpc_cause_is_accepted(cause) ? 0 : cause;
}

void sgw_modify_bearer(struct sgw_ue *ue, const struct sgw_event *event)
{
    const struct gtpc_modify_bearer_request *request = event->message->modify_bearer_request;
    struct gtpc_bearer_modified modified[SGW_MAX_BEARERS];
    struct gtpc_f_teid s1_u[SGW_MAX_BEARERS];
    size_t count =
        request->bearers.count < SGW_MAX_BEARERS ? request->bearers.count : SGW_MAX_BEARERS;
    uint32_t transaction = event->transaction;
    struct sgw_bearer *first = count ? sgw_ue_bearer(ue, request->bearers.at[0].ebi) : NULL;
    struct sgw_session *session = sgw_session_get(first ? first->session : ue->sessions);
    uint8_t refusal = 0;

    if (!session || !take_mme(ue, event, request->sender)) {
        sgw_count(SGW_MODIFY_REFUSED);
        gtpc_refuse(sgw.s11, transaction, session ? 0 : ue->mme_teid, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    if (request->delay_downlink_packet_notification)
        ue->notification_delay = *request->delay_downlink_packet_notification;
    size_t found = take_tunnels(ue, request->bearers.at, count, modified, s1_u);
    ue->paged_ms = 0;
    if (is_for_pgw(session, request)) {
        uint8_t rat_type = request->rat_type ? *request->rat_type : session->rat_type;
        refusal = tell_pgw(session, request);
        session->rat_type = rat_type;
    }
    int err = refusal ? 0 : program_all(ue);
    struct gtpc_modify_bearer_response response = {
        .cause = outcome(modified, count, found, err),
        .bearers = {modified, count},
    };
    if (refusal)
        gtpc_refuse_with(sgw.s11, transaction, ue->mme_teid,
                         &(struct gtpc_cause){.value = refusal, .is_remote = true});
    else
        gtpc_answer(sgw.s11, transaction, ue->mme_teid, &response);
}

void sgw_modify_access_bearers(struct sgw_ue *ue, const struct sgw_event *event)
{
    const struct gtpc_modify_access_bearers_request *request =
        event->message->modify_access_bearers_request;
    struct gtpc_bearer_modified modified[SGW_MAX_BEARERS];
    struct gtpc_f_teid s1_u[SGW_MAX_BEARERS];
    size_t count =
        request->bearers.count < SGW_MAX_BEARERS ? request->bearers.count : SGW_MAX_BEARERS;
    uint32_t transaction = event->transaction;

    if (!take_mme(ue, event, request->sender)) {
        gtpc_refuse(sgw.s11, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    if (request->delay_downlink_packet_notification)
        ue->notification_delay = *request->delay_downlink_packet_notification;
    size_t found = take_tunnels(ue, request->bearers.at, count, modified, s1_u);
    ue->paged_ms = 0;
    int err = program_all(ue);
    struct gtpc_modify_access_bearers_response response = {
        .cause = outcome(modified, count, found, err),
        .bearers = {modified, count},
    };
    gtpc_answer(sgw.s11, transaction, ue->mme_teid, &response);
}

void sgw_release_access_bearers(struct sgw_ue *ue, const struct sgw_event *event)
{
    uint32_t transaction = event->transaction;
    struct gtpc_release_access_bearers_response response = {
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    set_all(ue, SGW_DOWNLINK_NOTIFY);
    ue->paged_ms = 0;
    int err = program_all(ue);
    if (err < 0)
        sgw_repair_later(ue);
    sgw_count(SGW_RELEASED);
    gtpc_answer(sgw.s11, transaction, ue->mme_teid, &response);
}

void sgw_suspend(struct sgw_ue *ue, const struct sgw_event *event)
{
    uint32_t transaction = event->transaction;
    struct gtpc_suspend_acknowledge response = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    set_all(ue, SGW_DOWNLINK_DROP);
    int err = program_all(ue);
    if (err < 0)
        response.cause.value = (uint8_t)user_plane_gtpc_cause(err);
    gtpc_answer(sgw.s11, transaction, ue->mme_teid, &response);
}

void sgw_resume(struct sgw_ue *ue, const struct sgw_event *event)
{
    uint32_t transaction = event->transaction;
    struct gtpc_resume_acknowledge response = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    set_all(ue, SGW_DOWNLINK_NOTIFY);
    int err = program_all(ue);
    if (err < 0)
        response.cause.value = (uint8_t)user_plane_gtpc_cause(err);
    gtpc_answer(sgw.s11, transaction, ue->mme_teid, &response);
}

void sgw_change_notification(struct sgw_ue *ue, const struct sgw_event *event)
{
    const struct gtpc_change_notification_request *from_mme =
        event->message->change_notification_request;
    struct sgw_session *session =
        from_mme->lbi ? sgw_ue_session(ue, *from_mme->lbi) : sgw_session_get(ue->sessions);
    struct udp_peer *pgw = session ? udp_peer_get(gtpc_udp(sgw.s5), session->pgw) : NULL;
    struct gtpc_change_notification_request request = *from_mme;
    uint32_t transaction = event->transaction;
    struct gtpc_message *answer;

    if (!pgw) {
        gtpc_refuse(sgw.s11, transaction, ue->mme_teid, GTPC_CAUSE_CONTEXT_NOT_FOUND);
        return;
    }
    request.pgw = NULL;
    int err =
        gtpc_request(pgw, session->pgw_teid, GTPC_CHANGE_NOTIFICATION_REQUEST, &request, &answer);
    if (err < 0)
        gtpc_refuse(sgw.s11, transaction, ue->mme_teid, GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING);
    else
        gtpc_answer(sgw.s11, transaction, ue->mme_teid, answer->change_notification_response);
}

/* The failure indications name what the command named (clauses 7.2.6, 7.2.14.2, 7.2.17.2). */
void sgw_refuse_command(struct sgw_ue *ue, const struct sgw_event *event)
{
    struct gtpc_cause cause = {.value = GTPC_CAUSE_SERVICE_NOT_SUPPORTED};
    struct gtpc_bearer_outcome outcomes[SGW_MAX_BEARERS];

    if (event->message->header.type == GTPC_DELETE_BEARER_COMMAND) {
        const struct gtpc_delete_bearer_command *command = event->message->delete_bearer_command;
        size_t count =
            command->bearers.count < SGW_MAX_BEARERS ? command->bearers.count : SGW_MAX_BEARERS;
        cause.value =
            GTPC_CAUSE_CONTEXT_NOT_FOUND; /* only default bearers exist, which no command deletes */
        for (size_t i = 0; i < count; i++)
            outcomes[i] =
                (struct gtpc_bearer_outcome){.ebi = command->bearers.at[i].ebi, .cause = cause};
        struct gtpc_delete_bearer_failure_indication indication = {.cause = cause,
                                                                   .bearers = {outcomes, count}};
        gtpc_answer(sgw.s11, event->transaction, ue->mme_teid, &indication);
    } else if (event->message->header.type == GTPC_BEARER_RESOURCE_COMMAND) {
        const struct gtpc_bearer_resource_command *command =
            event->message->bearer_resource_command;
        struct gtpc_bearer_resource_failure_indication indication = {
            .cause = cause, .lbi = command->lbi, .pti = command->pti};
        gtpc_answer(sgw.s11, event->transaction, ue->mme_teid, &indication);
    } else {
        gtpc_refuse_with(sgw.s11, event->transaction, ue->mme_teid, &cause);
    }
}

/*
 * A GTP-U Error Indication: the far end of a tunnel has forgotten it (TS 23.007 clause 21). When it
 * is an eNodeB's, the phone is treated as idle and called; when it is the P-GW's, the PDN
 * connection is over.
 */
void sgw_error_indication(struct sgw_ue *ue, const struct sgw_event *event)
{
    struct sgw_tunnel_end end;
    struct sgw_session *session = sgw_session_get(ue->sessions);

    memcpy(&end, event->content.at, sizeof(end));
    for (; session; session = sgw_session_get(session->next)) {
        struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
        for (; bearer; bearer = sgw_bearer_get(bearer->next)) {
            if (bearer->enb.is_set && sgw_ends_equal(&bearer->enb, &end)) {
                ue->tunnel_is_lost = true;
                set_all(ue, SGW_DOWNLINK_NOTIFY);
                (void)program_all(ue);
                return;
            }
            if (sgw_ends_equal(&bearer->pgw, &end)) {
                session->pgw_is_lost = true;
                sgw_end_lost_session(ue, session);
                return;
            }
        }
    }
}
