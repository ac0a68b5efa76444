/*
 * path_switch.c -- X2 handover as the MME sees it (TS 23.401 clause 5.5.1.1, TS 36.413
 * clause 8.4.4): the phone has moved to another eNodeB already, which asks that the S-GW send to it
 * from now on.
 *
 * It may come in the middle of another procedure, which goes on behind it (mme_wait() in run.c):
 * from here on its messages go to the new eNodeB. Each path switch gives the new eNodeB a next hop
 * that the old one cannot know (TS 33.401 clause 7.2.8.4.3).
 */
#include <errno.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/ue.h"

void mme_path_switch_refuse(struct mme_enb *enb, uint32_t mme_ue_s1ap_id, uint32_t enb_ue_s1ap_id,
                            struct s1ap_cause cause)
{
    struct s1ap_path_switch_request_failure failure = {
        .mme_ue_s1ap_id = mme_ue_s1ap_id,
        .enb_ue_s1ap_id = enb_ue_s1ap_id,
        .cause = cause,
    };

    mme_enb_send(enb, 0, S1AP_PATH_SWITCH_REQUEST_FAILURE, &failure, NULL);
}

/* TS 33.401 clause 7.2.8.4.2: capabilities that differ from ours are a sign of an attack, and
 * logged. */
static void check_capabilities(const struct mme_ue *ue,
                               const struct s1ap_ue_security_capabilities *told)
{
    static struct log_limit limit;
    struct s1ap_ue_security_capabilities ours = mme_security_capabilities(ue);

    if (told->encryption_algorithms != ours.encryption_algorithms ||
        told->integrity_protection_algorithms != ours.integrity_protection_algorithms)
        log_limited(&limit, LOG_WARN,
                    "the eNodeB was told other security capabilities than the phone told us");
}

int mme_next_hop(struct mme_ue *ue, struct mme_s1 *s1, struct s1ap_security_context *context)
{
    int err = kdf_nh(ue->security.kasme, s1->nh, context->next_hop_parameter.octets);

    if (err < 0)
        return err;
    memcpy(s1->nh, context->next_hop_parameter.octets, sizeof(s1->nh));
    s1->ncc = (s1->ncc + 1) & 7;
    context->next_hop_chaining_count = s1->ncc;
    return 0;
}

/* Bearers that the new eNodeB did not take over. */
static size_t list_released(const struct mme_ue *ue, struct s1ap_e_rab_item *items)
{
    size_t count = 0;

    MME_EACH_PDN(ue, pdn)
    {
        MME_EACH_BEARER(pdn, bearer)
        {
            if (!bearer->is_on_air)
                items[count++] = (struct s1ap_e_rab_item){
                    .e_rab_id = bearer->ebi,
                    .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_PARTIAL_HANDOVER),
                };
        }
    }
    return count;
}

static int acknowledge(struct mme_ue *ue)
{
    struct mme_s1 *s1 = mme_s1_of(ue);
    struct s1ap_e_rab_item released[MME_MAX_BEARERS];
    struct s1ap_path_switch_request_acknowledge message = {0};

    if (!s1)
        return -ENOTCONN;
    message.mme_ue_s1ap_id = s1->id;
    message.enb_ue_s1ap_id = s1->enb_ue_s1ap_id;
    message.e_rab_to_be_released_list.at = released;
    message.e_rab_to_be_released_list.count = list_released(ue, released);
    int err = mme_next_hop(ue, s1, &message.security_context);
    if (err == 0)
        err = mme_s1_send(s1, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE, &message);
    crypto_wipe(&message.security_context, sizeof(message.security_context));
    return err;
}

void mme_path_switch(struct mme_ue *ue, const struct mme_event *event)
{
    const struct s1ap_path_switch_request *request = event->s1ap->path_switch_request;
    struct mme_enb *enb = mme_enb_get(event->enb);
    struct mme_s1 *s1 = mme_s1_of(ue);
    struct mme_access_bearers access = {0};
    uint32_t enb_ue_s1ap_id = request->enb_ue_s1ap_id;

    if (!enb || !enb->is_set_up)
        return; /* it is gone meanwhile */
    if (!s1 || s1->id != request->source_mme_ue_s1ap_id || !s1->context_is_set_up ||
        !ue->is_registered) {
        mme_path_switch_refuse(enb, request->source_mme_ue_s1ap_id, enb_ue_s1ap_id,
                               s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID));
        mme_outcome(ue, MME_REJECTED, "the phone is not connected as the eNodeB says");
        return;
    }
    if (!s1ap_lacks(event->s1ap, S1AP_ID_UE_SECURITY_CAPABILITIES))
        check_capabilities(ue, &request->ue_security_capabilities);
    mme_bearers_off_air(ue);
    mme_take_e_rabs(ue, request->e_rab_to_be_switched_dl_list.at,
                    request->e_rab_to_be_switched_dl_list.count, &access);
    if (access.count == 0) {
        mme_path_switch_refuse(enb, s1->id, enb_ue_s1ap_id,
                               s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_E_RAB_ID));
        mme_outcome(ue, MME_REJECTED, "the eNodeB takes none of the phone's bearers");
        return;
    }
    mme_ue_heard(ue, &request->tai, &request->eutran_cgi);
    if (mme_s1_move(s1, enb, enb_ue_s1ap_id) < 0)
        return;
    ue->last_enb = enb->id;
    int err = mme_modify_bearers(ue, &access);
    if (err == 0)
        err = acknowledge(ue);
    if (err == 0) {
        mme_outcome(ue, MME_SUCCEEDED, "to %s", mme_enb_title(mme_enb_get(ue->last_enb)));
        return;
    }
    s1 = mme_s1_of(ue);
    if (s1) {
        mme_path_switch_refuse(mme_enb_get(s1->enb), s1->id, s1->enb_ue_s1ap_id,
                               s1ap_cause_transport(S1AP_TRANSPORT_RESOURCE_UNAVAILABLE));
        mme_s1_release(s1, s1ap_cause_transport(S1AP_TRANSPORT_RESOURCE_UNAVAILABLE));
    }
    mme_outcome(ue, MME_FAILED, "the S-GW did not take the bearers (Modify Bearer)");
}
