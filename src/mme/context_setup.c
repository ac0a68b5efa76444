/*
 * context_setup.c -- Initial Context Setup (TS 36.413 clause 8.3.1): the step that attach, service
 * request and tracking area update share.
 *
 * The eNodeB gets what it needs to serve the phone: KeNB (TS 33.401 annex A.3, from KASME and the
 * NAS COUNT of the message that began this connection), the phone's capabilities, and an E-RAB per
 * EPS bearer with the S-GW's end of its tunnel. It answers with its own ends. The MME keeps NH for
 * handovers (annex A.4).
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "mme/emm.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/ue.h"

/* ---- Request
 * --------------------------------------------------------------------------------------------- */

static struct s1ap_gbr_qos_information gbr_of(const struct mme_bearer *bearer)
{
    return (struct s1ap_gbr_qos_information){
        .maximum_bitrate_downlink = (uint64_t)bearer->mbr_dl_kbps * 1000,
        .maximum_bitrate_uplink = (uint64_t)bearer->mbr_ul_kbps * 1000,
        .guaranteed_bitrate_downlink = (uint64_t)bearer->gbr_dl_kbps * 1000,
        .guaranteed_bitrate_uplink = (uint64_t)bearer->gbr_ul_kbps * 1000,
    };
}

struct s1ap_e_rab_level_qos_parameters mme_e_rab_qos(const struct mme_bearer *bearer,
                                                     struct s1ap_gbr_qos_information *gbr)
{
    *gbr = gbr_of(bearer);
    return (struct s1ap_e_rab_level_qos_parameters){
        .qci = bearer->qci,
        .allocation_retention_priority =
            {
                .priority_level = bearer->arp_priority,
                .pre_emption_capability = bearer->may_pre_empt ? S1AP_MAY_TRIGGER_PRE_EMPTION
                                                               : S1AP_SHALL_NOT_TRIGGER_PRE_EMPTION,
                .pre_emption_vulnerability =
                    bearer->may_be_pre_empted ? S1AP_PRE_EMPTABLE : S1AP_NOT_PRE_EMPTABLE,
            },
        .gbr_qos_information =
            bearer->gbr_dl_kbps || bearer->gbr_ul_kbps || bearer->mbr_dl_kbps ? gbr : NULL,
    };
}

/* The E-RABs of a request, and what they point to. */
struct e_rabs {
    struct s1ap_e_rab_to_be_setup at[MME_MAX_BEARERS];
    struct s1ap_gbr_qos_information gbr[MME_MAX_BEARERS];
    size_t count;
};

static void list_e_rabs(const struct mme_ue *ue, struct e_rabs *list)
{
    list->count = 0;
    MME_EACH_PDN(ue, pdn)
    {
        if (!pdn->is_at_gateways)
            continue;
        MME_EACH_BEARER(pdn, bearer)
        {
            size_t i = list->count++;
            list->at[i] = (struct s1ap_e_rab_to_be_setup){
                .e_rab_id = bearer->ebi,
                .qos = mme_e_rab_qos(bearer, &list->gbr[i]),
                .transport_layer_address = bytes_of(bearer->s1u_sgw.address, bearer->s1u_sgw.len),
                .gtp_teid = bearer->s1u_sgw.teid,
            };
        }
    }
}

struct s1ap_ue_security_capabilities mme_security_capabilities(const struct mme_ue *ue)
{
    return (struct s1ap_ue_security_capabilities){
        .encryption_algorithms = s1ap_algorithms(ue->ue_network_capability.octets[0]),
        .integrity_protection_algorithms = s1ap_algorithms(ue->ue_network_capability.octets[1]),
    };
}

int mme_send_context_setup(struct mme_ue *ue, struct bytes nas_pdu,
                           const enum s1ap_cs_fallback_indicator *cs_fallback)
{
    struct mme_s1 *s1 = mme_s1_of(ue);
    const struct mme_subscription *subscription = mme_subscription_of(ue);
    struct bytes capability = mme_shared_view(ue->radio_capability);
    struct e_rabs e_rabs;

    if (!s1)
        return -ENOTCONN;
    list_e_rabs(ue, &e_rabs);
    if (e_rabs.count == 0)
        return -ENOENT;
    if (nas_pdu.len > 0)
        e_rabs.at[0].nas_pdu = &nas_pdu;
    struct s1ap_initial_context_setup_request request = {
        .mme_ue_s1ap_id = s1->id,
        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id,
        .ue_aggregate_maximum_bitrate = mme_ue_ambr(ue),
        .e_rab_to_be_setup_list = {e_rabs.at, e_rabs.count},
        .ue_security_capabilities = mme_security_capabilities(ue),
        .ue_radio_capability = capability.len > 0 ? &capability : NULL,
        .cs_fallback_indicator = (enum s1ap_cs_fallback_indicator *)(uintptr_t)cs_fallback,
        .subscriber_profile_id_for_rfp =
            subscription && subscription->rfsp >= 1 && subscription->rfsp <= 256
                ? &(uint16_t){(uint16_t)subscription->rfsp}
                : NULL,
    };
    int err = kdf_k_enb(ue->security.kasme, s1->nas_count, request.security_key.octets);
    if (err == 0)
        err = kdf_nh(ue->security.kasme, request.security_key.octets, s1->nh);
    s1->ncc = 1;
    if (err == 0)
        err = mme_s1_send(s1, S1AP_INITIAL_CONTEXT_SETUP_REQUEST, &request);
    crypto_wipe(&request.security_key, sizeof(request.security_key));
    return err;
}

/* ---- Answer
 * -----------------------------------------------------------------------------------------------
 */

void mme_take_e_rabs(struct mme_ue *ue, const struct s1ap_e_rab_tunnel *list, size_t count,
                     struct mme_access_bearers *access)
{
    for (size_t i = 0; i < count && access->count < MME_MAX_BEARERS; i++) {
        struct mme_bearer *bearer = mme_bearer_of(ue, list[i].e_rab_id, NULL);
        struct mme_tunnel tunnel =
            mme_tunnel_of_s1ap(list[i].transport_layer_address, list[i].gtp_teid);
        if (!bearer || tunnel.len == 0 || bearer->is_on_air)
            continue;
        bearer->is_on_air = true;
        bearer->is_given_up = false;
        access->at[access->count++] = (struct mme_access_bearer){bearer->ebi, tunnel};
    }
}

/* What the eNodeB did not set up the phone has given up by itself (TS 24.301 clause 5.6.1.4.1,
 * TS 23.401 clauses 5.3.4.1 and 5.5.1.1.2): so do we. */
void mme_give_up_failed_bearers(struct mme_ue *ue)
{
    uint8_t dedicated[MME_MAX_BEARERS];
    size_t count = 0;

    for (struct mme_pdn *pdn = mme_pdn_get(ue->pdns); pdn;) {
        struct mme_pdn *next = mme_pdn_get(pdn->next);
        if (!mme_default_bearer(pdn)->is_on_air) {
            mme_delete_session(ue, pdn);
        } else {
            MME_EACH_BEARER(pdn, bearer)
            {
                if (!bearer->is_on_air)
                    dedicated[count++] = bearer->ebi;
            }
        }
        pdn = next;
    }
    if (count > 0)
        mme_delete_bearer_command(ue, dedicated, count);
}

static bool some_default_bearer_is_on_air(const struct mme_ue *ue)
{
    MME_EACH_PDN(ue, pdn)
    {
        if (mme_default_bearer(pdn)->is_on_air)
            return true;
    }
    return false;
}

int mme_context_setup_answer(struct mme_ue *ue, const struct mme_event *event,
                             struct mme_access_bearers *access)
{
    const struct s1ap_initial_context_setup_response *response;
    struct mme_s1 *s1 = mme_s1_of(ue);

    access->count = 0;
    mme_bearers_off_air(ue);
    if (!s1 || event->kind != MME_CONTEXT_SETUP_RESPONSE)
        return -EIO;
    response = event->s1ap->initial_context_setup_response;
    mme_take_e_rabs(ue, response->e_rab_setup_list.at, response->e_rab_setup_list.count, access);
    s1->context_is_set_up = true;
    /* Without any default bearer the phone has nothing (TS 23.401 clause 5.3.4.1, step 6). */
    return some_default_bearer_is_on_air(ue) ? 0 : -EIO;
}
