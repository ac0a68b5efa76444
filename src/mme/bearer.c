/*
 * bearer.c -- bearers that the network activates, modifies and deactivates (TS 23.401 clause 5.4;
 * TS 24.301 clauses 6.4.2 to 6.4.4): Create, Update and Delete Bearer Request of the S-GW; and
 * E-RABs that the eNodeB gave up.
 *
 * Each request is answered once, whatever happens; what it says is copied first, as the phone may
 * have to be paged. Bearers are handled one behind the other.
 */
#include <errno.h>
#include <string.h>

#include "mme/e_rab.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/ue.h"

/* What went wrong, in the gateway's words. */
static uint8_t gtpc_cause_of(int err)
{
    switch (err) {
    case 0:
        return GTPC_CAUSE_REQUEST_ACCEPTED;
    case -EACCES:
        return GTPC_CAUSE_UE_REFUSES;
    case -ETIMEDOUT:
    case -ENOTCONN:
    case -ECANCELED:
        return GTPC_CAUSE_UE_NOT_RESPONDING;
    case -ENOMEM:
        return GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    case -ENOENT:
        return GTPC_CAUSE_CONTEXT_NOT_FOUND;
    default:
        return GTPC_CAUSE_REQUEST_REJECTED;
    }
}

/* The cause for the whole message from those of its bearers. */
static struct gtpc_cause overall(unsigned accepted, unsigned count, uint8_t first_refusal)
{
    return (struct gtpc_cause){.value = accepted == count ? GTPC_CAUSE_REQUEST_ACCEPTED
                                        : accepted > 0    ? GTPC_CAUSE_REQUEST_ACCEPTED_PARTIALLY
                                                          : first_refusal};
}

static void report(struct mme_ue *ue, unsigned accepted, unsigned count, const char *what)
{
    mme_outcome(ue, accepted == count ? MME_SUCCEEDED : MME_FAILED, "%u of %u bearers %s", accepted,
                count, what);
}

/* An octet string of the request that is needed after the first wait. */
struct kept {
    uint8_t octets[256];
    size_t len;
};

static void keep(struct kept *kept, const struct bytes *bytes)
{
    kept->len = bytes && bytes->len <= sizeof(kept->octets) ? bytes->len : 0;
    if (kept->len > 0)
        memcpy(kept->octets, bytes->at, kept->len);
}

static struct bytes view(const struct kept *kept)
{
    return bytes_of(kept->octets, kept->len);
}

static void take_qos(struct mme_bearer *bearer, const struct gtpc_bearer_qos *qos)
{
    bearer->qci = qos->qci;
    bearer->arp_priority = qos->arp.priority_level;
    bearer->may_pre_empt = !qos->arp.pre_emption_capability_disabled;
    bearer->may_be_pre_empted = !qos->arp.pre_emption_vulnerability_disabled;
    bearer->mbr_ul_kbps = (uint32_t)qos->mbr_uplink_kbps;
    bearer->mbr_dl_kbps = (uint32_t)qos->mbr_downlink_kbps;
    bearer->gbr_ul_kbps = (uint32_t)qos->gbr_uplink_kbps;
    bearer->gbr_dl_kbps = (uint32_t)qos->gbr_downlink_kbps;
}

static struct nas_eps_qos nas_qos(const struct mme_bearer *bearer)
{
    const uint64_t kbps[4] = {bearer->mbr_ul_kbps, bearer->mbr_dl_kbps, bearer->gbr_ul_kbps,
                              bearer->gbr_dl_kbps};

    if (!bearer->mbr_dl_kbps && !bearer->gbr_dl_kbps && !bearer->gbr_ul_kbps)
        return (struct nas_eps_qos){.qci = bearer->qci};
    return nas_eps_qos_gbr(bearer->qci, kbps);
}

/* ---- Create Bearer Request (dedicated bearer activation, TS 23.401 clause 5.4.1)
 * ---------------------------- */

struct wanted_bearer {
    struct kept tft;
    struct mme_tunnel sgw;
    struct gtpc_bearer_qos qos;
    /* The outcome. */
    int err;
    uint8_t ebi;
    struct mme_tunnel enb;
};

static int activate(struct mme_ue *ue, struct mme_pdn *pdn, struct wanted_bearer *wanted)
{
    struct mme_bearer *bearer = mme_bearer_new(ue, pdn);

    if (!bearer)
        return -ENOMEM;
    take_qos(bearer, &wanted->qos);
    bearer->s1u_sgw = wanted->sgw;
    wanted->ebi = bearer->ebi;
    const struct nas_activate_dedicated_bearer_request request = {
        .linked_ebi = pdn->ebi,
        .eps_qos = nas_qos(bearer),
        .tft = view(&wanted->tft),
    };
    struct mme_e_rab_exchange exchange = {
        .change = MME_E_RAB_SETUP,
        .bearer = bearer,
        .message = ESM(NAS_ACTIVATE_DEDICATED_BEARER_REQUEST, bearer->ebi, 0, &request),
    };
    int err = mme_e_rab_exchange(ue, &exchange);
    if (err == 0 && exchange.access.count > 0)
        wanted->enb = exchange.access.at[0].enb;
    if (err < 0)
        mme_bearer_free(pdn, bearer);
    return err;
}

static void answer_create(struct mme_ue *ue, uint32_t transaction,
                          const struct wanted_bearer *wanted, size_t count, unsigned accepted)
{
    struct gtpc_bearer_set_up bearers[MME_MAX_BEARERS] = {0};
    struct gtpc_f_teid enb[MME_MAX_BEARERS], sgw[MME_MAX_BEARERS];
    struct gtpc_uli uli = mme_uli(ue);
    const struct gtpc_create_bearer_response response = {
        .cause = overall(accepted, (unsigned)count, gtpc_cause_of(wanted[0].err)),
        .bearers = {bearers, count},
        .uli = &uli,
    };

    for (size_t i = 0; i < count; i++) {
        enb[i] = mme_f_teid_of(&wanted[i].enb, GTPC_S1_U_ENODEB);
        sgw[i] = mme_f_teid_of(&wanted[i].sgw, GTPC_S1_U_SGW);
        bearers[i] = (struct gtpc_bearer_set_up){
            .ebi = wanted[i].ebi,
            .cause = {.value = gtpc_cause_of(wanted[i].err)},
            .s1_u_enodeb = wanted[i].err == 0 ? &enb[i] : NULL,
            .s1_u_sgw = &sgw[i],
        };
    }
    mme_s11_answer(ue, transaction, &response);
}

void mme_create_bearer(struct mme_ue *ue, const struct mme_event *event)
{
    const struct gtpc_create_bearer_request *request = event->gtpc->create_bearer_request;
    struct wanted_bearer wanted[MME_MAX_BEARERS] = {0};
    uint32_t transaction = event->transaction;
    uint8_t lbi = request->lbi;
    size_t count =
        request->bearers.count < MME_MAX_BEARERS ? request->bearers.count : MME_MAX_BEARERS;
    unsigned accepted = 0;

    for (size_t i = 0; i < count; i++) {
        keep(&wanted[i].tft, &request->bearers.at[i].tft);
        wanted[i].sgw = mme_tunnel_of(request->bearers.at[i].s1_u_sgw);
        wanted[i].qos = request->bearers.at[i].qos;
    }
    if (count == 0 || !mme_pdn_of(ue, lbi))
        return mme_s11_refuse(ue, transaction, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    int err = mme_reach(ue, wanted[0].qos.arp.priority_level);
    for (size_t i = 0; i < count; i++) {
        struct mme_pdn *pdn = mme_pdn_of(ue, lbi);
        wanted[i].err = err < 0 ? err : pdn ? activate(ue, pdn, &wanted[i]) : -ENOENT;
        accepted += wanted[i].err == 0;
    }
    answer_create(ue, transaction, wanted, count, accepted);
    report(ue, accepted, (unsigned)count, "activated");
}

/* ---- Update Bearer Request (clauses 5.4.2, 5.4.3)
 * --------------------------------------------------------------- */

struct changed_bearer {
    uint8_t ebi;
    bool has_tft, has_qos;
    struct kept tft;
    struct gtpc_bearer_qos qos;
    int err;
};

static int modify(struct mme_ue *ue, const struct changed_bearer *change,
                  const struct gtpc_ambr *ambr)
{
    struct mme_pdn *pdn;
    struct mme_bearer *bearer = mme_bearer_of(ue, change->ebi, &pdn);

    if (!bearer)
        return -ENOENT;
    bool is_default = pdn->ebi == bearer->ebi;
    if (change->has_qos)
        take_qos(bearer, &change->qos);
    pdn->ambr_ul_kbps = ambr->uplink_kbps;
    pdn->ambr_dl_kbps = ambr->downlink_kbps;
    struct nas_eps_qos qos = nas_qos(bearer);
    struct nas_apn_ambr apn_ambr = nas_apn_ambr(ambr->downlink_kbps, ambr->uplink_kbps);
    struct bytes tft = view(&change->tft);
    const struct nas_modify_bearer_request request = {
        .new_eps_qos = change->has_qos ? &qos : NULL,
        .tft = change->has_tft ? &tft : NULL,
        .apn_ambr = is_default ? &apn_ambr : NULL,
    };
    struct mme_e_rab_exchange exchange = {
        .change = change->has_qos || is_default ? MME_E_RAB_MODIFY : MME_E_RAB_NAS_ONLY,
        .bearer = bearer,
        .message = ESM(NAS_MODIFY_BEARER_REQUEST, bearer->ebi, 0, &request),
    };
    return mme_e_rab_exchange(ue, &exchange);
}

static void answer_update(struct mme_ue *ue, uint32_t transaction,
                          const struct changed_bearer *changes, size_t count, unsigned accepted)
{
    struct gtpc_bearer_outcome bearers[MME_MAX_BEARERS] = {0};
    const struct gtpc_update_bearer_response response = {
        .cause = overall(accepted, (unsigned)count, gtpc_cause_of(changes[0].err)),
        .bearers = {bearers, count},
    };

    for (size_t i = 0; i < count; i++)
        bearers[i] = (struct gtpc_bearer_outcome){
            .ebi = changes[i].ebi, .cause = {.value = gtpc_cause_of(changes[i].err)}};
    mme_s11_answer(ue, transaction, &response);
}

void mme_update_bearer(struct mme_ue *ue, const struct mme_event *event)
{
    const struct gtpc_update_bearer_request *request = event->gtpc->update_bearer_request;
    struct changed_bearer changes[MME_MAX_BEARERS] = {0};
    struct gtpc_ambr ambr = request->ambr;
    uint32_t transaction = event->transaction;
    size_t count =
        request->bearers.count < MME_MAX_BEARERS ? request->bearers.count : MME_MAX_BEARERS;
    unsigned accepted = 0;

    for (size_t i = 0; i < count; i++) {
        const struct gtpc_bearer_to_be_updated *from = &request->bearers.at[i];
        changes[i].ebi = from->ebi;
        changes[i].has_tft = from->tft != NULL;
        keep(&changes[i].tft, from->tft);
        changes[i].has_qos = from->qos != NULL;
        if (from->qos)
            changes[i].qos = *from->qos;
    }
    if (count == 0)
        return mme_s11_refuse(ue, transaction, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    int err = mme_reach(ue, 0);
    for (size_t i = 0; i < count; i++) {
        changes[i].err = err < 0 ? err : modify(ue, &changes[i], &ambr);
        accepted += changes[i].err == 0;
    }
    answer_update(ue, transaction, changes, count, accepted);
    report(ue, accepted, (unsigned)count, "modified");
}

/* ---- Delete Bearer Request (clause 5.4.4)
 * --------------------------------------------------------------------------- */

/* A connected phone is told; an idle one finds out by itself at its next service request or
 * tracking area update (TS 24.301 clause 6.4.4.6). */
static int deactivate(struct mme_ue *ue, struct mme_bearer *bearer, uint8_t esm_cause)
{
    const struct nas_deactivate_bearer_request request = {.esm_cause = esm_cause};
    const struct mme_s1 *s1 = mme_s1_of(ue);
    struct mme_e_rab_exchange exchange = {
        .change = MME_E_RAB_GONE,
        .bearer = bearer,
        .message = ESM(NAS_DEACTIVATE_BEARER_REQUEST, bearer->ebi, 0, &request),
    };

    return s1 && s1->context_is_set_up ? mme_e_rab_exchange(ue, &exchange) : 0;
}

/* The gateway disconnects the PDN connection. With the last one the phone is detached (settle() in
 * run.c), which tells it enough. */
static void disconnect(struct mme_ue *ue, struct mme_pdn *pdn, uint8_t esm_cause)
{
    bool is_last = mme_pdn_get(ue->pdns) == pdn && pdn->next == 0;

    if (!is_last)
        deactivate(ue, mme_default_bearer(pdn), esm_cause);
    pdn->is_at_gateways = false; /* the gateways delete it themselves */
    mme_delete_session(ue, pdn);
}

struct deletion {
    uint8_t lbi; /* 0: none */
    uint8_t ebis[MME_MAX_BEARERS];
    size_t count;
    uint8_t esm_cause;
};

static struct deletion take_deletion(const struct gtpc_delete_bearer_request *request)
{
    struct deletion deletion = {
        .lbi = request->lbi ? *request->lbi : 0,
        .esm_cause = request->cause && request->cause->value == GTPC_CAUSE_REACTIVATION_REQUESTED
                         ? ESM_CAUSE_REACTIVATION_REQUESTED
                         : ESM_CAUSE_REGULAR_DEACTIVATION,
    };

    for (size_t i = 0; i < request->ebi.count && deletion.count < MME_MAX_BEARERS; i++)
        deletion.ebis[deletion.count++] = request->ebi.at[i];
    return deletion;
}

static void answer_delete(struct mme_ue *ue, uint32_t transaction, const struct deletion *deletion,
                          const bool *known, unsigned accepted)
{
    struct gtpc_bearer_outcome bearers[MME_MAX_BEARERS] = {0};
    struct gtpc_uli uli = mme_uli(ue);
    const struct gtpc_delete_bearer_response response = {
        .cause = overall(accepted, (unsigned)deletion->count, GTPC_CAUSE_CONTEXT_NOT_FOUND),
        .lbi = deletion->lbi ? &deletion->lbi : NULL,
        .bearers = {bearers, deletion->count},
        .uli = &uli,
    };

    for (size_t i = 0; i < deletion->count; i++)
        bearers[i] = (struct gtpc_bearer_outcome){
            .ebi = deletion->ebis[i],
            .cause = {.value =
                          known[i] ? GTPC_CAUSE_REQUEST_ACCEPTED : GTPC_CAUSE_CONTEXT_NOT_FOUND},
        };
    mme_s11_answer(ue, transaction, &response);
}

static void delete_pdn(struct mme_ue *ue, uint32_t transaction, const struct deletion *deletion)
{
    struct mme_pdn *pdn = mme_pdn_of(ue, deletion->lbi);

    if (!pdn)
        return mme_s11_refuse(ue, transaction, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    answer_delete(ue, transaction, deletion, NULL, 0);
    disconnect(ue, pdn, deletion->esm_cause);
    report(ue, 1, 1, "of a whole PDN connection deactivated");
}

void mme_delete_bearer(struct mme_ue *ue, const struct mme_event *event)
{
    struct deletion deletion = take_deletion(event->gtpc->delete_bearer_request);
    bool known[MME_MAX_BEARERS] = {false};
    uint32_t transaction = event->transaction;
    unsigned accepted = 0;

    if (deletion.lbi) {
        deletion.count = 0;
        return delete_pdn(ue, transaction, &deletion);
    }
    if (deletion.count == 0)
        return mme_s11_refuse(ue, transaction, GTPC_CAUSE_MANDATORY_IE_MISSING);
    for (size_t i = 0; i < deletion.count; i++) {
        struct mme_pdn *pdn;
        struct mme_bearer *bearer = mme_bearer_of(ue, deletion.ebis[i], &pdn);
        if (!bearer || pdn->ebi == bearer->ebi)
            continue;
        deactivate(ue, bearer, deletion.esm_cause);
        mme_bearer_free(pdn, bearer);
        known[i] = true;
        accepted++;
    }
    answer_delete(ue, transaction, &deletion, known, accepted);
    report(ue, accepted, (unsigned)deletion.count, "deactivated");
}

/* ---- E-RABs that the eNodeB gave up (clause 5.4.4.2, TS 36.413 clause 8.2.3.3)
 * -------------------------------------------- */

void mme_e_rab_release_indication(struct mme_ue *ue, const struct mme_event *event)
{
    const struct s1ap_e_rab_release_indication *indication = event->s1ap->e_rab_release_indication;
    uint8_t dedicated[MME_MAX_BEARERS];
    size_t count = 0;
    bool some_default = false;

    for (size_t i = 0; i < indication->e_rab_released_list.count; i++) {
        struct mme_pdn *pdn;
        struct mme_bearer *bearer =
            mme_bearer_of(ue, indication->e_rab_released_list.at[i].e_rab_id, &pdn);
        if (!bearer || !bearer->is_on_air)
            continue;
        bearer->is_on_air = false;
        if (pdn->ebi == bearer->ebi)
            some_default = true;
        else
            dedicated[count++] = bearer->ebi;
    }
    if (count > 0)
        mme_delete_bearer_command(ue, dedicated, count);
    /* Without its default bearer the phone had better come again by a service request. */
    if (some_default && mme_ue_is_connected(ue))
        mme_s1_release(mme_s1_of(ue), s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNSPECIFIED));
    mme_outcome(ue, MME_SUCCEEDED, "%zu dedicated bearers%s", count,
                some_default ? " and a default bearer" : "");
}

/* ---- A changed subscription (TS 23.401 clause 5.3.9.2)
 * --------------------------------------------------------------------- */

static bool is_subscribed(const struct mme_ue *ue, uint32_t context_id)
{
    const struct mme_subscription *subscription = mme_subscription_of(ue);

    for (uint32_t i = 0; subscription && i < subscription->apn_count; i++) {
        if (subscription->apns[i].context_id == context_id)
            return true;
    }
    return false;
}

static void tell_ambr(struct mme_ue *ue)
{
    const struct mme_s1 *s1 = mme_s1_of(ue);
    struct s1ap_ue_aggregate_maximum_bitrate ambr = mme_ue_ambr(ue);

    if (!s1 || !s1->context_is_set_up)
        return;
    struct s1ap_ue_context_modification_request request = {
        .mme_ue_s1ap_id = s1->id,
        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id,
        .ue_aggregate_maximum_bitrate = &ambr,
    };
    mme_s1_send(s1, S1AP_UE_CONTEXT_MODIFICATION_REQUEST, &request);
}

/* An APN that is not subscribed any more is disconnected; a new UE-AMBR goes to the eNodeB. */
void mme_subscription_changed(struct mme_ue *ue, const struct mme_event *event)
{
    unsigned removed = 0;

    (void)event;
    for (struct mme_pdn *pdn = mme_pdn_get(ue->pdns); pdn;) {
        struct mme_pdn *next = mme_pdn_get(pdn->next);
        if (!is_subscribed(ue, pdn->context_id)) {
            deactivate(ue, mme_default_bearer(pdn), ESM_CAUSE_REGULAR_DEACTIVATION);
            mme_delete_session(ue, pdn);
            removed++;
        }
        pdn = next;
    }
    tell_ambr(ue);
    mme_outcome(ue, MME_SUCCEEDED, "%u PDN connections are not subscribed any more", removed);
}
