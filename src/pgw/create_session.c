/*
 * create_session.c -- a new PDN connection (TS 23.401 clause 5.3.2.1 steps 13 to 15; TS 29.274
 * clauses 7.2.1, 7.2.2).
 *
 * The APN decides what the phone can have: address families, pools, name servers, a limit for the
 * APN-AMBR. The phone gets its addresses, the user plane its rules, and then the S-GW its answer.
 * Whatever fails, what has been taken is given back.
 */
#include <errno.h>

#include "pgw/context.h"
#include "wire/gtp/gtp.h"

struct refusal {
    enum gtpc_cause_value cause;
    uint8_t offending; /* enum gtpc_ie_type; 0: none */
    uint8_t offending_instance;
    bool is_in_bearer; /* the offending element is one of the bearer context */
};

static bool refuse(struct refusal *why, enum gtpc_cause_value cause, uint8_t offending,
                   uint8_t instance)
{
    *why = (struct refusal){.cause = cause, .offending = offending, .offending_instance = instance};
    return false;
}

static void answer_refusal(const struct pgw_event *event, uint32_t teid, const struct refusal *why)
{
    struct gtpc_cause cause = {.value = (uint8_t)why->cause,
                               .has_offending = why->offending != 0,
                               .offending_type = why->offending,
                               .offending_instance = why->offending_instance};

    pgw_count(PGW_CREATE_REFUSED);
    gtpc_refuse_with(pgw.s5, event->transaction, teid, &cause);
}

/* What the tables cannot ask for: conditional elements that this procedure needs. */
static bool is_acceptable(const struct gtpc_create_session_request *request, struct refusal *why)
{
    const struct gtpc_bearer_to_be_created *bearer = &request->bearers.at[0];

    if (request->bearers.count != 1)
        return refuse(why, GTPC_CAUSE_SERVICE_NOT_SUPPORTED, 0, 0);
    if (bearer->ebi < 5)
        return refuse(why, GTPC_CAUSE_MANDATORY_IE_INCORRECT, GTPC_IE_EBI, 0);
    if (!bearer->s5_s8_u_sgw)
        return refuse(why, GTPC_CAUSE_CONDITIONAL_IE_MISSING, GTPC_IE_F_TEID, 2);
    if (!request->pdn_type && !request->paa)
        return refuse(why, GTPC_CAUSE_CONDITIONAL_IE_MISSING, GTPC_IE_PDN_TYPE, 0);
    return true;
}

/*
 * What of IPv4 and IPv6 the phone gets (TS 23.401 clause 5.3.1.1). Asked for both it gets what
 * there is, and both only if all nodes it may move to know dual-address bearers (DAF). 0: nothing
 * of what it asked for. *cause: for the answer.
 */
static uint8_t choose_pdn_type(const struct pgw_apn *apn,
                               const struct gtpc_create_session_request *request, uint8_t *cause)
{
    uint8_t wanted = request->pdn_type ? *request->pdn_type : request->paa->pdn_type;
    bool dual = request->indication && (*request->indication & GTPC_DAF);

    *cause = GTPC_CAUSE_REQUEST_ACCEPTED;
    if (wanted == GTPC_PDN_IPV4)
        return apn->has_ipv4 ? GTPC_PDN_IPV4 : 0;
    if (wanted == GTPC_PDN_IPV6)
        return apn->has_ipv6 ? GTPC_PDN_IPV6 : 0;
    if (wanted != GTPC_PDN_IPV4V6)
        return 0;
    if (apn->has_ipv4 && apn->has_ipv6 && dual)
        return GTPC_PDN_IPV4V6;
    *cause = apn->has_ipv4 && apn->has_ipv6 ? GTPC_CAUSE_NEW_PDN_TYPE_SINGLE_ADDRESS
                                            : GTPC_CAUSE_NEW_PDN_TYPE_NETWORK_PREFERENCE;
    return apn->has_ipv4 ? GTPC_PDN_IPV4 : GTPC_PDN_IPV6;
}

static uint32_t limited(uint32_t kbps, uint64_t limit_bps)
{
    uint64_t limit = limit_bps / 1000;

    if (limit == 0)
        return kbps;
    if (limit > UINT32_MAX)
        limit = UINT32_MAX;
    return kbps == 0 || kbps > limit ? (uint32_t)limit : kbps;
}

/* The APN-AMBR: what is subscribed, and not more than the operator allows here. True when that is
 * another. */
static bool set_ambr(struct pgw_session *session, const struct gtpc_ambr *asked)
{
    const struct pgw_ambr_config *limit = &pgw_session_apn(session)->config->ambr;
    struct gtpc_ambr ambr = asked ? *asked : (struct gtpc_ambr){0};

    session->ambr.uplink_kbps = limited(ambr.uplink_kbps, limit->uplink_bps);
    session->ambr.downlink_kbps = limited(ambr.downlink_kbps, limit->downlink_bps);
    return session->ambr.uplink_kbps != ambr.uplink_kbps ||
           session->ambr.downlink_kbps != ambr.downlink_kbps;
}

/* The session with all that it takes, known only to us yet. NULL: *why. */
static struct pgw_session *new_session(struct pgw_ue *ue,
                                       const struct gtpc_create_session_request *request,
                                       uint8_t *accepted, struct refusal *why)
{
    const struct gtpc_bearer_to_be_created *bearer = &request->bearers.at[0];
    struct pgw_apn *apn = pgw_apn_named(request->apn);
    struct udp_peer *sgw = gtpc_peer_of(pgw.s5, &request->sender);
    uint8_t pdn_type = apn ? choose_pdn_type(apn, request, accepted) : 0;

    *why = (struct refusal){.cause = GTPC_CAUSE_NO_RESOURCES_AVAILABLE};
    if (!apn)
        why->cause = GTPC_CAUSE_MISSING_OR_UNKNOWN_APN;
    else if (pdn_type == 0)
        why->cause = GTPC_CAUSE_PREFERRED_PDN_TYPE_NOT_SUPPORTED;
    else if (!sgw)
        why->cause = GTPC_CAUSE_INVALID_PEER;
    if (!apn || pdn_type == 0 || !sgw)
        return NULL;
    struct pgw_session *session = pgw_session_new(ue, apn);
    if (!session)
        return NULL;
    session->ebi = bearer->ebi;
    session->pdn_type = pdn_type;
    session->rat_type = request->rat_type;
    session->qci = bearer->qos.qci;
    session->arp = bearer->qos.arp;
    session->sgw_u = pgw_end_of_gtpc(bearer->s5_s8_u_sgw);
    session->is_stale = true;
    pgw_session_set_sgw(session, sgw, request->sender.teid);
    bool is_reachable = !session->s5_u.is_set || session->s5_u.is_ipv6 == session->sgw_u.is_ipv6;
    if (!is_reachable)
        why->cause = GTPC_CAUSE_SERVICE_NOT_SUPPORTED;
    if (!is_reachable || !pgw_take_addresses(session, request->paa, &why->cause)) {
        pgw_session_free(session);
        return NULL;
    }
    return session;
}

/* What the phone asked for in its configuration options. */
static int answer_pco(const struct pgw_session *session, const struct bytes *request,
                      uint8_t *space)
{
    struct pco_offer offer = pgw_session_apn(session)->offer;
    struct writer w = writer_of(space, PCO_MAX_SIZE);

    offer.ue_ipv4 = session->ipv4;
    return request ? pco_answer(*request, &offer, &w) : 0;
}

static struct gtpc_paa paa_of(const struct pgw_session *session)
{
    return (struct gtpc_paa){
        .pdn_type = session->pdn_type,
        .prefix_bits = session->pdn_type == GTPC_PDN_IPV4 ? 0 : 64,
        .ipv4 = session->ipv4,
        .ipv6 = session->ipv6,
    };
}

static void answer_accepted(const struct pgw_session *session, const struct pgw_event *event,
                            uint8_t accepted, bool tell_ambr, struct bytes pco)
{
    struct udp_peer *sgw = udp_peer_get(gtpc_udp(pgw.s5), session->sgw);
    struct gtpc_f_teid own = gtpc_own_f_teid(pgw.s5, GTPC_S5_S8_PGW_GTP_C, session->id);
    struct gtpc_f_teid s5_u = pgw_end_to_gtpc(&session->s5_u, GTPC_S5_S8_PGW_GTP_U);
    struct gtpc_paa paa = paa_of(session);
    struct gtpc_bearer_created created = {
        .ebi = session->ebi,
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
        .s5_s8_u_pgw = &s5_u,
        .charging_id = &session->charging_id,
    };
    struct gtpc_create_session_response response = {
        .cause = {.value = accepted},
        .pgw = &own,
        .paa = &paa,
        .apn_restriction = &(uint8_t){0},
        .ambr = tell_ambr ? &session->ambr : NULL,
        .pco = pco.len ? &pco : NULL,
        .bearers = {&created, 1},
        .recovery = sgw ? gtpc_recovery_for(sgw) : NULL,
    };

    gtpc_answer(pgw.s5, event->transaction, session->sgw_teid, &response);
}

/* TS 29.274 clause 7.2.1: a session of the same bearer id is void when it is asked for anew. */
static bool clear_away(struct pgw_ue *ue, const struct pgw_event *event, uint8_t ebi)
{
    struct pgw_session *old = pgw_ue_session(ue, ebi);

    if (!old)
        return false;
    /* The request does not outlive the wait: it is taken again from the mailbox. */
    if (gtpc_mailbox_put(&ue->mailbox, event->kind, event->peer, event->transaction,
                         event->message->datagram)) {
        pgw_count(PGW_REPLACED);
        pgw_drop_session(old, "replaced");
    } else {
        udp_abandon(gtpc_udp(pgw.s5), event->transaction);
    }
    return true;
}

void pgw_create_session(struct pgw_ue *ue, const struct pgw_event *event)
{
    static struct log_limit limit;
    const struct gtpc_create_session_request *request = event->message->create_session_request;
    uint32_t teid = request->sender.teid;
    struct pgw_event kept = *event;
    uint8_t accepted, pco[PCO_MAX_SIZE];
    struct refusal why;
    char apn[APN_SIZE];

    if (!is_acceptable(request, &why)) {
        answer_refusal(event, teid, &why);
        return;
    }
    if (clear_away(ue, event, request->bearers.at[0].ebi))
        return;
    memcpy(apn, request->apn, sizeof(apn));
    struct pgw_session *session = new_session(ue, request, &accepted, &why);
    if (!session) {
        log_limited(&limit, LOG_INFO, "session refused: APN %s: %s", apn,
                    gtpc_cause_name((uint8_t)why.cause));
        answer_refusal(&kept, teid, &why);
        return;
    }
    if (request->msisdn)
        memcpy(ue->msisdn, request->msisdn, sizeof(ue->msisdn));
    bool tell_ambr = set_ambr(session, request->ambr);
    int pco_len = answer_pco(session, request->pco, pco);

    int err = pgw_program(session);
    if (err < 0) {
        log_limited(&limit, LOG_WARN, "session refused: APN %s: the user plane: %s", apn,
                    uv_strerror(err));
        why = (struct refusal){.cause = user_plane_gtpc_cause(err)};
        pgw_drop_session(session, "never begun");
        answer_refusal(&kept, teid, &why);
        return;
    }
    session->is_established = true;
    pgw_count(PGW_CREATED);
    pgw_log_success("session created: APN %s, bearer %u", apn, session->ebi);
    answer_accepted(session, &kept, accepted, tell_ambr,
                    bytes_of(pco, pco_len > 0 ? (size_t)pco_len : 0));
}
