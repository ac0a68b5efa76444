/*
 * create_session.c -- a PDN connection comes: Create Session Request on S5/S8 (TS 23.401 clause 5.3.2.1 steps 13 to 15, TS 29.274
 * clause 7.2.1).
 *
 * APN, addresses, tunnel, user plane, answer: each step that fails gives the cause of table 8.4-1, and the session with all it
 * has taken goes away again.
 */
#include <errno.h>

#include "pgw/context.h"

#define TUNNEL 0

/* What the answer needs of the request after the first wait. */
struct wish {
    uint32_t transaction;
    enum gtpc_cause_value cause;
    uint8_t pco[PCO_MAX_SIZE];
    size_t pco_len;
    struct gtpc_bearer_qos qos;
    uint32_t uplink_asked_kbps, downlink_asked_kbps;
};

static uint32_t limited(uint32_t asked_kbps, uint64_t max_bits)
{
    uint64_t max_kbps = max_bits / 1000;

    return max_kbps && (asked_kbps == 0 || asked_kbps > max_kbps) ? (uint32_t)max_kbps : asked_kbps;
}

/* What a phone that asks for it is told (TS 24.008 clause 10.5.6.3). */
static size_t answer_pco(const struct pgw_session *session, const struct bytes *asked, uint8_t *room,
                         size_t size)
{
    const struct pgw_apn_config *apn = pgw.apns[session->apn].config;
    struct pco_offer offer = {.ue_ipv4 = session->ipv4, .mtu = apn->mtu};
    struct writer w = writer_of(room, size);

    if (!asked)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        if (i < apn->dns.count)
            offer.dns_ipv4[i] = apn->dns.at[i];
        if (i < apn->dns6.count)
            offer.dns_ipv6[i] = apn->dns6.at[i];
        if (i < apn->p_cscf.count)
            offer.p_cscf_ipv4[i] = apn->p_cscf.at[i];
        if (i < apn->p_cscf6.count)
            offer.p_cscf_ipv6[i] = apn->p_cscf6.at[i];
    }
    int len = pco_answer(*asked, &offer, &w);
    return len > 0 && !w.bad ? (size_t)len : 0;
}

/* Takes from the request all that the session needs; the cause to refuse it, or an acceptance. */
static enum gtpc_cause_value take_request(struct pgw_session *session, const struct pgw_event *event,
                                          struct wish *wish)
{
    const struct gtpc_create_session_request *request = event->message->create_session_request;
    const struct gtpc_bearer_to_be_created *bearer = &request->bearers.at[0];
    struct udp_peer *sgw = udp_peer_get(gtpc_udp(pgw.s5), event->peer);
    struct pfcp_f_teid f_teid;
    int apn = pgw_apn_find(request->apn);

    if (!sgw)
        return GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    pgw_session_set_sgw(session, sgw, request->sender.teid);
    if (apn < 0)
        return GTPC_CAUSE_MISSING_OR_UNKNOWN_APN;
    if (!bearer->s5_s8_u_sgw || !bearer->s5_s8_u_sgw->has_ipv4)
        return GTPC_CAUSE_CONDITIONAL_IE_MISSING;
    session->apn = (uint8_t)apn;
    pgw.apns[apn].sessions++;
    session->sgw_u = (struct pgw_tunnel_end){bearer->s5_s8_u_sgw->teid, bearer->s5_s8_u_sgw->ipv4};
    session->qci = bearer->qos.qci;
    session->arp = bearer->qos.arp;
    wish->qos = bearer->qos;
    if (request->ambr) {
        wish->uplink_asked_kbps = request->ambr->uplink_kbps;
        wish->downlink_asked_kbps = request->ambr->downlink_kbps;
    }
    session->uplink_kbps = limited(wish->uplink_asked_kbps, pgw.apns[apn].config->max_uplink);
    session->downlink_kbps = limited(wish->downlink_asked_kbps, pgw.apns[apn].config->max_downlink);

    uint8_t pdn_type = request->paa ? request->paa->pdn_type
                       : request->pdn_type ? *request->pdn_type
                                           : GTPC_PDN_IPV4;
    bool dual = request->indication && *request->indication & GTPC_DAF;
    enum gtpc_cause_value cause = pgw_session_take_addresses(session, pdn_type, dual, request->paa);
    if (!gtpc_cause_is_accepted(cause))
        return cause;
    if (user_plane_f_teid(pgw.planes, session->plane, PFCP_INTERFACE_ACCESS, session->id, TUNNEL,
                          &f_teid) < 0)
        return GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    if (!f_teid.choose)
        session->s5_u = (struct pgw_tunnel_end){f_teid.teid, f_teid.ipv4};
    wish->pco_len = answer_pco(session, request->pco, wish->pco, sizeof(wish->pco));
    return cause;
}

static int answer(struct pgw_session *session, const struct wish *wish)
{
    struct udp_peer *sgw = pgw_session_sgw(session);
    struct gtpc_f_teid sender =
        gtpc_own_f_teid(pgw.s5, GTPC_S5_S8_PGW_GTP_C, session->id);
    struct gtpc_f_teid tunnel = {.interface_type = GTPC_S5_S8_PGW_GTP_U,
                                 .has_ipv4 = true,
                                 .teid = session->s5_u.teid,
                                 .ipv4 = session->s5_u.ipv4};
    struct gtpc_paa paa = {.pdn_type = session->pdn_type,
                           .prefix_bits = session->has_ipv6 ? 64 : 0,
                           .ipv4 = session->ipv4,
                           .ipv6 = session->ipv6};
    struct gtpc_ambr ambr = {session->uplink_kbps, session->downlink_kbps};
    bool is_changed = ambr.uplink_kbps != wish->uplink_asked_kbps ||
                      ambr.downlink_kbps != wish->downlink_asked_kbps;
    struct bytes pco = bytes_of(wish->pco, wish->pco_len);
    uint32_t charging_id = session->id;
    struct gtpc_bearer_created bearer = {.ebi = session->ebi,
                                         .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
                                         .s5_s8_u_pgw = &tunnel,
                                         .charging_id = &charging_id};
    struct gtpc_create_session_response response = {
        .cause = {.value = (uint8_t)wish->cause},
        .pgw = &sender,
        .paa = &paa,
        .apn_restriction = &(uint8_t){0},
        .ambr = is_changed ? &ambr : NULL,
        .pco = wish->pco_len ? &pco : NULL,
        .bearers = {&bearer, 1},
        .recovery = sgw ? gtpc_recovery_for(sgw) : NULL,
    };

    return gtpc_answer(pgw.s5, wish->transaction, session->sgw_teid, &response);
}

static void refuse(struct pgw_session *session, uint32_t transaction, enum gtpc_cause_value cause)
{
    static struct log_limit limit;

    log_limited(&limit, LOG_WARN, "create session: refused with cause %u (%s)", cause, gtpc_cause_name(cause));
    pgw_count(PGW_CREATE_REFUSED);
    gtpc_refuse(pgw.s5, transaction, session->sgw_teid, cause);
    pgw_drop_session(session);
}

void pgw_create_session(struct pgw_session *session, const struct pgw_event *event)
{
    struct wish wish = {.transaction = event->transaction};

    wish.cause = take_request(session, event, &wish);
    if (!gtpc_cause_is_accepted(wish.cause)) {
        refuse(session, wish.transaction, wish.cause);
        return;
    }
    int err = pgw_program(session);
    if (err < 0) {
        refuse(session, wish.transaction, pgw_cause_of(err));
        return;
    }
    if (answer(session, &wish) < 0) {
        pgw_drop_session(session); /* the S-GW has given up meanwhile */
        return;
    }
    session->is_answered = true;
    pgw_count(PGW_CREATED);
    pgw_log_success("session created for APN %s", pgw.apns[session->apn].config->name);
}
