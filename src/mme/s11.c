/*
 * s11.c -- the MME as client of the S-GW (TS 29.274 clause 7.2): Create Session, Modify Bearer,
 * Release Access Bearers, Delete Session, Delete Bearer Command.
 *
 * Requests wait in the phone's fiber. When the procedure is aborted meanwhile the request is still
 * brought to its end (link/udp_request.h bounds it), so that the context always says what the S-GW
 * holds; mme_check() then tells the caller.
 *
 * The S-GW of a phone is chosen with its first session, in turn among those that answer, and stays
 * for all its sessions.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "mme/metrics.h"
#include "mme/s11.h"
#include "mme/s6a.h"
#include "mme/ue.h"

/* ---- The S-GW of a phone
 * ------------------------------------------------------------------------------------- */

static struct udp_peer *sgw_of(const struct mme_ue *ue)
{
    return ue->sgw ? udp_peer_get(gtpc_udp(mme.s11), ue->sgw) : NULL;
}

static void leave_sgw(struct mme_ue *ue)
{
    struct udp_peer *peer = sgw_of(ue);

    if (peer)
        udp_peer_release(peer);
    ue->sgw = 0;
    ue->sgw_teid = 0;
}

static void join_sgw(struct mme_ue *ue, struct udp_peer *peer)
{
    uint32_t id = udp_peer_id(peer);

    if (ue->sgw == id)
        return;
    leave_sgw(ue);
    ue->sgw = id;
    udp_peer_use(peer);
}

/* In turn, but for those that are known not to answer; when none is known to, the next one is
 * tried. */
static struct udp_peer *choose_sgw(void)
{
    struct udp_peer *peer = NULL;

    for (size_t i = 0; i < mme.config.sgw.count; i++) {
        size_t next = mme.next_sgw++ % mme.config.sgw.count;
        peer = gtpc_peer(mme.s11, (const struct sockaddr *)&mme.config.sgw.at[next]);
        if (peer && udp_peer_is_up(peer))
            break;
    }
    return peer;
}

/* ---- Create Session (clauses 7.2.1, 7.2.2)
 * --------------------------------------------------------------------- */

struct gtpc_uli mme_uli(const struct mme_ue *ue)
{
    return (struct gtpc_uli){
        .has_tai = true,
        .has_ecgi = ue->ecgi.plmn.mnc_digits > 0,
        .tai = ue->tai,
        .ecgi = ue->ecgi,
    };
}

/* TS 29.274 table C.3: what a refusal of the gateways means for the phone. */
static const struct {
    uint8_t gtpc_cause;
    uint8_t esm_cause;
} causes[] = {
    {GTPC_CAUSE_MISSING_OR_UNKNOWN_APN, ESM_CAUSE_MISSING_OR_UNKNOWN_APN},
    {GTPC_CAUSE_PREFERRED_PDN_TYPE_NOT_SUPPORTED, ESM_CAUSE_UNKNOWN_PDN_TYPE},
    {GTPC_CAUSE_ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED, ESM_CAUSE_INSUFFICIENT_RESOURCES},
    {GTPC_CAUSE_NO_RESOURCES_AVAILABLE, ESM_CAUSE_INSUFFICIENT_RESOURCES},
    {GTPC_CAUSE_NO_MEMORY_AVAILABLE, ESM_CAUSE_INSUFFICIENT_RESOURCES},
    {GTPC_CAUSE_APN_CONGESTION, ESM_CAUSE_INSUFFICIENT_RESOURCES},
    {GTPC_CAUSE_GTP_C_ENTITY_CONGESTION, ESM_CAUSE_INSUFFICIENT_RESOURCES},
    {GTPC_CAUSE_USER_AUTHENTICATION_FAILED, ESM_CAUSE_USER_AUTHENTICATION_FAILED},
    {GTPC_CAUSE_APN_ACCESS_DENIED_NO_SUBSCRIPTION, ESM_CAUSE_SERVICE_OPTION_NOT_SUBSCRIBED},
    {GTPC_CAUSE_SERVICE_NOT_SUPPORTED, ESM_CAUSE_SERVICE_OPTION_NOT_SUPPORTED},
    {GTPC_CAUSE_SERVICE_DENIED, ESM_CAUSE_REJECTED_BY_GATEWAY},
    {GTPC_CAUSE_REQUEST_REJECTED, ESM_CAUSE_REJECTED_BY_GATEWAY},
    {GTPC_CAUSE_DENIED_IN_RAT, ESM_CAUSE_APN_NOT_SUPPORTED_IN_RAT_AND_PLMN},
    {GTPC_CAUSE_MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED,
     ESM_CAUSE_MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED},
    {GTPC_CAUSE_APN_RESTRICTION_TYPE_INCOMPATIBLE, ESM_CAUSE_APN_RESTRICTION_VALUE_INCOMPATIBLE},
};

static uint8_t esm_cause_of(uint8_t gtpc_cause)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (causes[i].gtpc_cause == gtpc_cause)
            return causes[i].esm_cause;
    }
    return ESM_CAUSE_NETWORK_FAILURE;
}

static struct gtpc_f_teid f_teid_of_address(const struct sockaddr_storage *address)
{
    return gtpc_f_teid_of(GTPC_S5_S8_PGW_GTP_C, 0, (const struct sockaddr *)address);
}

/* The P-GW that the subscription names, else the first configured one for the APN. */
static struct gtpc_f_teid choose_pgw(const struct mme_apn *subscribed, const char *apn)
{
    struct mme_tunnel named = {.len = subscribed->pgw_len};

    memcpy(named.address, subscribed->pgw, subscribed->pgw_len);
    if (named.len > 0)
        return mme_f_teid_of(&named, GTPC_S5_S8_PGW_GTP_C);
    for (size_t i = 0; i < mme.config.pgw.count; i++) {
        const struct mme_pgw_config *pgw = &mme.config.pgw.at[i];
        if (!pgw->apn || strcasecmp(pgw->apn, apn) == 0)
            return f_teid_of_address(&pgw->address);
    }
    return f_teid_of_address(&mme.config.pgw.at[0].address);
}

static struct gtpc_paa paa_asked(const struct mme_pdn *pdn, const struct mme_apn *apn)
{
    struct gtpc_paa paa = {.pdn_type = pdn->pdn_type};

    if (apn->has_ipv4 && pdn->pdn_type != NAS_PDN_IPV6)
        paa.ipv4 = apn->ipv4;
    if (apn->has_ipv6 && pdn->pdn_type != NAS_PDN_IPV4) {
        paa.ipv6 = apn->ipv6;
        paa.prefix_bits = 64;
    }
    return paa;
}

static int refuse(struct mme_session_answer *answer, uint8_t esm_cause, const char *why, int err)
{
    answer->esm_cause = esm_cause;
    answer->why = why;
    return err;
}

/* Cause 18 and 19 (clause 8.4): the gateway grants another PDN type, and the phone is told why. */
static uint8_t narrowed(uint8_t gtpc_cause, uint8_t granted)
{
    if (gtpc_cause == GTPC_CAUSE_NEW_PDN_TYPE_SINGLE_ADDRESS)
        return ESM_CAUSE_SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED;
    if (gtpc_cause != GTPC_CAUSE_NEW_PDN_TYPE_NETWORK_PREFERENCE)
        return 0;
    return granted == NAS_PDN_IPV4 ? ESM_CAUSE_PDN_TYPE_IPV4_ONLY_ALLOWED
                                   : ESM_CAUSE_PDN_TYPE_IPV6_ONLY_ALLOWED;
}

static void take_qos(struct mme_bearer *bearer, const struct gtpc_bearer_qos *qos)
{
    bearer->qci = qos->qci;
    bearer->arp_priority = qos->arp.priority_level;
    bearer->may_pre_empt = !qos->arp.pre_emption_capability_disabled;
    bearer->may_be_pre_empted = !qos->arp.pre_emption_vulnerability_disabled;
}

/* Takes in what the gateways granted. 0, or -EBADMSG when something is missing that a session
 * cannot be without. */
static int take_session(struct mme_ue *ue, struct mme_pdn *pdn,
                        const struct gtpc_create_session_response *response)
{
    struct mme_bearer *bearer = mme_default_bearer(pdn);
    const struct gtpc_bearer_created *created = NULL;

    if (response->sender) {
        struct udp_peer *peer = gtpc_peer_of(mme.s11, response->sender);
        ue->sgw_teid = response->sender->teid;
        pdn->is_at_gateways = true;
        if (peer)
            join_sgw(ue, peer);
    }
    for (size_t i = 0; i < response->bearers.count; i++) {
        if (response->bearers.at[i].ebi == pdn->ebi)
            created = &response->bearers.at[i];
    }
    if (!response->sender || !response->paa || !created ||
        !gtpc_cause_is_accepted(created->cause.value) || !created->s1_u_sgw)
        return -EBADMSG;
    bearer->s1u_sgw = mme_tunnel_of(created->s1_u_sgw);
    if (created->qos)
        take_qos(bearer, created->qos);
    pdn->pgw = mme_tunnel_of(response->pgw);
    if (response->paa->pdn_type >= GTPC_PDN_IPV4 && response->paa->pdn_type <= GTPC_PDN_IPV4V6)
        pdn->pdn_type = response->paa->pdn_type;
    pdn->ipv4 = response->paa->ipv4;
    pdn->ipv6 = response->paa->ipv6;
    if (response->ambr) {
        pdn->ambr_ul_kbps = response->ambr->uplink_kbps;
        pdn->ambr_dl_kbps = response->ambr->downlink_kbps;
    }
    return 0;
}

static int take_response(struct mme_ue *ue, struct mme_pdn *pdn,
                         const struct gtpc_create_session_response *response,
                         struct mme_session_answer *answer)
{
    static char why[96];
    uint8_t cause = response->cause.value;

    if (!gtpc_cause_is_accepted(cause)) {
        struct text t = text_in(why, sizeof(why));
        const char *name = gtpc_cause_name(cause);
        text_add(&t, "the %s refuses the session: %s", response->cause.is_remote ? "P-GW" : "S-GW",
                 name ? name : "unknown cause");
        return refuse(answer, esm_cause_of(cause), why, -EACCES);
    }
    if (take_session(ue, pdn, response) < 0)
        return refuse(answer, ESM_CAUSE_NETWORK_FAILURE,
                      "the S-GW's Create Session Response is incomplete", -EBADMSG);
    answer->esm_cause = narrowed(cause, pdn->pdn_type);
    if (response->pco)
        answer->pco = *response->pco;
    return 0;
}

int mme_create_session(struct mme_ue *ue, struct mme_pdn *pdn,
                       const struct mme_session_request *request, struct mme_session_answer *answer)
{
    struct udp_peer *peer = ue->sgw_teid ? sgw_of(ue) : choose_sgw();
    const struct mme_bearer *bearer = mme_default_bearer(pdn);
    struct gtpc_message *message;

    if (!peer)
        return refuse(answer, ESM_CAUSE_NETWORK_FAILURE, "there is no S-GW to ask", -EHOSTUNREACH);
    struct gtpc_uli uli = mme_uli(ue);
    struct gtpc_f_teid pgw = choose_pgw(request->apn, mme_apn_name(pdn));
    struct gtpc_paa paa = paa_asked(pdn, request->apn);
    struct gtpc_ambr ambr = {pdn->ambr_ul_kbps, pdn->ambr_dl_kbps};
    struct gtpc_bearer_to_be_created create = {
        .ebi = pdn->ebi,
        .qos = {.arp = {.priority_level = bearer->arp_priority,
                        .pre_emption_capability_disabled = !bearer->may_pre_empt,
                        .pre_emption_vulnerability_disabled = !bearer->may_be_pre_empted},
                .qci = bearer->qci},
    };
    struct gtpc_create_session_request body = {
        .imsi = ue->imsi,
        .msisdn = ue->msisdn[0] ? ue->msisdn : NULL,
        .mei = ue->imeisv[0] ? ue->imeisv : NULL,
        .uli = &uli,
        .serving_network = &mme.config.tracking_areas.at[ue->area].plmn,
        .rat_type = GTPC_RAT_EUTRAN,
        .indication = pdn->pdn_type == NAS_PDN_IPV4V6 ? &(uint64_t){GTPC_DAF} : NULL,
        .sender = gtpc_own_f_teid(mme.s11, GTPC_S11_MME_GTP_C, ue->id),
        .pgw = &pgw,
        .selection_mode =
            &(uint8_t){request->apn_was_chosen_by_phone ? GTPC_SELECTION_MS_NOT_VERIFIED
                                                        : GTPC_SELECTION_SUBSCRIPTION_VERIFIED},
        .pdn_type = &(uint8_t){pdn->pdn_type},
        .paa = &paa,
        .maximum_apn_restriction = &(uint8_t){0},
        .ambr = &ambr,
        .pco = request->pco.len > 0 ? &request->pco : NULL,
        .bearers = {&create, 1},
        .recovery = gtpc_recovery_for(peer),
    };
    memcpy(body.apn, mme_apn_name(pdn), strlen(mme_apn_name(pdn)) + 1);
    join_sgw(ue, peer);
    int err = gtpc_request(peer, ue->sgw_teid, GTPC_CREATE_SESSION_REQUEST, &body, &message);
    if (err < 0)
        return refuse(answer, ESM_CAUSE_NETWORK_FAILURE,
                      err == -ETIMEDOUT ? "the S-GW does not answer (is it running? see mme.sgw)"
                                        : "the S-GW cannot be asked",
                      err);
    err = take_response(ue, pdn, message->create_session_response, answer);
    return err < 0 ? err : mme_check(ue);
}

/* ---- Modify Bearer (clauses 7.2.7, 7.2.8)
 * ------------------------------------------------------------------------- */

/* The bearers of one PDN connection that are in the list. */
struct modification {
    struct gtpc_bearer_to_be_modified bearers[MME_MAX_BEARERS];
    struct gtpc_f_teid enb[MME_MAX_BEARERS];
    size_t count;
};

static void list_modified(const struct mme_pdn *pdn, const struct mme_access_bearers *access,
                          struct modification *list)
{
    list->count = 0;
    MME_EACH_BEARER(pdn, bearer)
    {
        for (unsigned i = 0; i < access->count; i++) {
            if (access->at[i].ebi != bearer->ebi)
                continue;
            size_t n = list->count++;
            list->enb[n] = mme_f_teid_of(&access->at[i].enb, GTPC_S1_U_ENODEB);
            list->bearers[n] = (struct gtpc_bearer_to_be_modified){.ebi = bearer->ebi,
                                                                   .s1_u_enodeb = &list->enb[n]};
            break;
        }
    }
}

/* A moved S-GW tunnel end is told in the answer (clause 7.2.8). */
static void take_modified(struct mme_ue *ue, const struct gtpc_modify_bearer_response *response)
{
    for (size_t i = 0; i < response->bearers.count; i++) {
        struct mme_bearer *bearer = mme_bearer_of(ue, response->bearers.at[i].ebi, NULL);
        if (bearer && response->bearers.at[i].s1_u_sgw)
            bearer->s1u_sgw = mme_tunnel_of(response->bearers.at[i].s1_u_sgw);
    }
}

static int modify_pdn(struct mme_ue *ue, const struct modification *list)
{
    struct gtpc_uli uli = mme_uli(ue);
    struct gtpc_message *answer;
    const struct gtpc_modify_bearer_request request = {
        .uli = &uli,
        .rat_type = &(uint8_t){GTPC_RAT_EUTRAN},
        .bearers = {(struct gtpc_bearer_to_be_modified *)(uintptr_t)list->bearers, list->count},
    };
    struct udp_peer *peer = sgw_of(ue);

    if (!peer)
        return -EHOSTUNREACH;
    int err = gtpc_request(peer, ue->sgw_teid, GTPC_MODIFY_BEARER_REQUEST, &request, &answer);
    if (err < 0)
        return err;
    const struct gtpc_modify_bearer_response *response = answer->modify_bearer_response;
    if (response->cause.value == GTPC_CAUSE_CONTEXT_NOT_FOUND)
        return -ENOENT;
    if (!gtpc_cause_is_accepted(response->cause.value))
        return -EACCES;
    ue->has_access_bearers = true;
    take_modified(ue, response);
    return 0;
}

int mme_modify_bearers(struct mme_ue *ue, const struct mme_access_bearers *access)
{
    struct modification list;

    for (struct mme_pdn *pdn = mme_pdn_get(ue->pdns); pdn; pdn = mme_pdn_get(pdn->next)) {
        list_modified(pdn, access, &list);
        int err = list.count > 0 ? modify_pdn(ue, &list) : 0;
        if (err < 0)
            return err;
    }
    return mme_check(ue);
}

/* ---- Release Access Bearers (clause 7.2.21)
 * -------------------------------------------------------------------------- */

void mme_release_access_bearers(struct mme_ue *ue)
{
    const struct gtpc_release_access_bearers_request request = {0};
    struct gtpc_message *answer;
    struct udp_peer *peer = sgw_of(ue);

    ue->has_access_bearers = false;
    if (!peer || !ue->sgw_teid)
        return;
    int err =
        gtpc_request(peer, ue->sgw_teid, GTPC_RELEASE_ACCESS_BEARERS_REQUEST, &request, &answer);
    if (err < 0)
        log_debug("Release Access Bearers: %s", strerror(-err));
    else if (answer->release_access_bearers_response->cause.value == GTPC_CAUSE_CONTEXT_NOT_FOUND)
        ue->sessions_are_lost = true;
}

/* ---- Delete Session (clause 7.2.9.1)
 * ------------------------------------------------------------------------------------ */

static void ask_to_delete(struct mme_ue *ue, const struct mme_pdn *pdn)
{
    struct gtpc_uli uli = mme_uli(ue);
    struct gtpc_message *answer;
    const struct gtpc_delete_session_request request = {
        .lbi = &pdn->ebi,
        .uli = &uli,
        .indication = &(uint64_t){GTPC_OI},
    };
    struct udp_peer *peer = sgw_of(ue);

    if (!peer || mme.is_stopping)
        return;
    int err = gtpc_request(peer, ue->sgw_teid, GTPC_DELETE_SESSION_REQUEST, &request, &answer);
    if (err < 0)
        log_debug("Delete Session: %s", strerror(-err));
}

static void after_last_session(struct mme_ue *ue)
{
    if (ue->pdns)
        return;
    ue->has_access_bearers = false;
    leave_sgw(ue);
}

void mme_delete_session(struct mme_ue *ue, struct mme_pdn *pdn)
{
    bool is_there = pdn->is_at_gateways;

    pdn->is_at_gateways = false;
    if (is_there)
        ask_to_delete(ue, pdn);
    mme_pdn_free(ue, pdn);
    after_last_session(ue);
}

void mme_delete_all_sessions(struct mme_ue *ue)
{
    while (ue->pdns)
        mme_delete_session(ue, mme_pdn_get(ue->pdns));
}

void mme_forget_sessions(struct mme_ue *ue)
{
    while (ue->pdns)
        mme_pdn_free(ue, mme_pdn_get(ue->pdns));
    after_last_session(ue);
}

/* ---- Delete Bearer Command (clause 7.2.17.1)
 * ------------------------------------------------------------------------------- */

/* The S-GW answers with a Delete Bearer Request (or a failure indication): an event of its own. */
void mme_delete_bearer_command(struct mme_ue *ue, const uint8_t *ebi, size_t count)
{
    struct gtpc_bearer_of_command bearers[MME_MAX_BEARERS];
    struct gtpc_uli uli = mme_uli(ue);
    struct udp_peer *peer = sgw_of(ue);
    struct gtpc_delete_bearer_command command = {.bearers = {bearers, 0}, .uli = &uli};

    for (size_t i = 0; i < count; i++) {
        struct mme_bearer *bearer = mme_bearer_of(ue, ebi[i], NULL);
        if (!bearer || bearer->is_given_up)
            continue;
        bearer->is_given_up = true;
        bearers[command.bearers.count++] = (struct gtpc_bearer_of_command){.ebi = ebi[i]};
    }
    if (peer && command.bearers.count > 0)
        gtpc_notify(peer, ue->sgw_teid, GTPC_DELETE_BEARER_COMMAND, &command);
}

void mme_downlink_data_failure(struct mme_ue *ue, uint8_t gtpc_cause)
{
    const struct gtpc_downlink_data_notification_failure_indication indication = {
        .cause = {.value = gtpc_cause},
    };
    struct udp_peer *peer = sgw_of(ue);

    if (peer)
        gtpc_notify(peer, ue->sgw_teid, GTPC_DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION,
                    &indication);
}
