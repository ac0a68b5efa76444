/*
 * handover.c -- S1 handover between two eNodeBs of this MME (TS 23.401 clause 5.5.1.2, TS 36.413
 * clauses 8.4.1 to 8.4.6).
 *
 *     source                MME                 target              S-GW
 *       |--- Required ------>|--- Request ------->|                   |
 *       |<-- Command --------|<-- Acknowledge ----|                   |
 *       |--- Status Transfer-|------------------->|                   |
 *       |   (the phone moves)|<-- Notify ---------|                   |
 *       |                    |--- Modify Bearer ------------------->|
 *       |<-- Release --------|                    |                   |
 *
 * The target has a connection of its own, with its own MME-UE-S1AP-ID, which becomes the phone's
 * with Handover Notify. Until then everything can be taken back: Handover Cancel, or a target that
 * refuses or falls silent.
 *
 * Not here: handover to UTRAN, GERAN or another MME (refused), and forwarding of data through the
 * S-GW; eNodeBs that have a direct path forward by themselves.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/ue.h"

/* A handover under way. */
struct handover {
    uint32_t target; /* connection */
    bool forwards_directly;
    struct mme_access_bearers access;
    struct s1ap_cause cause; /* of the failure */
};

static int fail(struct handover *handover, enum s1ap_cause_radio_network cause)
{
    handover->cause = s1ap_cause_radio_network(cause);
    return -EACCES;
}

/* ---- Preparation at the target
 * ------------------------------------------------------------------------------ */

static size_t list_e_rabs(const struct mme_ue *ue, struct s1ap_e_rab_to_be_setup_ho *list,
                          struct s1ap_gbr_qos_information *gbr)
{
    size_t count = 0;

    MME_EACH_PDN(ue, pdn)
    {
        MME_EACH_BEARER(pdn, bearer)
        {
            if (!bearer->is_on_air)
                continue;
            list[count] = (struct s1ap_e_rab_to_be_setup_ho){
                .e_rab_id = bearer->ebi,
                .transport_layer_address = bytes_of(bearer->s1u_sgw.address, bearer->s1u_sgw.len),
                .gtp_teid = bearer->s1u_sgw.teid,
                .qos = mme_e_rab_qos(bearer, &gbr[count]),
            };
            count++;
        }
    }
    return count;
}

static int send_request(struct mme_ue *ue, const struct s1ap_handover_required *required,
                        struct mme_s1 *target)
{
    struct s1ap_e_rab_to_be_setup_ho e_rabs[MME_MAX_BEARERS];
    struct s1ap_gbr_qos_information gbr[MME_MAX_BEARERS];
    struct mme_s1 *source = mme_s1_of(ue);
    struct s1ap_handover_request request = {
        .mme_ue_s1ap_id = target->id,
        .handover_type = required->handover_type,
        .cause = required->cause,
        .ue_aggregate_maximum_bitrate = mme_ue_ambr(ue),
        .source_to_target_transparent_container = required->source_to_target_transparent_container,
        .ue_security_capabilities = mme_security_capabilities(ue),
    };

    if (!source)
        return -ENOTCONN;
    request.e_rab_to_be_setup_list.at = e_rabs;
    request.e_rab_to_be_setup_list.count = list_e_rabs(ue, e_rabs, gbr);
    /* The chain of next hops goes on at the target (TS 33.401 clause 7.2.8.4.4). */
    memcpy(target->nh, source->nh, sizeof(target->nh));
    target->ncc = source->ncc;
    int err = mme_next_hop(ue, target, &request.security_context);
    if (err == 0)
        err = mme_s1_send(target, S1AP_HANDOVER_REQUEST, &request);
    crypto_wipe(&request.security_context, sizeof(request.security_context));
    return err;
}

static int prepare(struct mme_ue *ue, const struct mme_event *event, struct handover *handover)
{
    const struct s1ap_handover_required *required = event->s1ap->handover_required;
    struct mme_enb *enb;

    if (required->handover_type != S1AP_HANDOVER_INTRA_LTE ||
        required->target_id.kind != S1AP_TARGET_ENB)
        return fail(handover, S1AP_RADIO_NETWORK_HO_TARGET_NOT_ALLOWED);
    enb = mme_enb_of_global_id(&required->target_id.enb.global_enb_id);
    if (!enb)
        return fail(handover, S1AP_RADIO_NETWORK_UNKNOWN_TARGET_ID);
    handover->forwards_directly = required->direct_forwarding_path_availability != NULL;
    struct mme_s1 *target = mme_s1_new_at_target(enb, ue);
    if (!target)
        return fail(handover, S1AP_RADIO_NETWORK_NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL);
    handover->target = target->id;
    return send_request(ue, required, target);
}

/* ---- Acknowledge and Command
 * ----------------------------------------------------------------------------------- */

/* The target's tunnel ends, kept until the phone has arrived. */
static void take_admitted(const struct s1ap_handover_request_acknowledge *acknowledge,
                          struct handover *handover)
{
    for (size_t i = 0; i < acknowledge->e_rab_admitted_list.count; i++) {
        const struct s1ap_e_rab_admitted *item = &acknowledge->e_rab_admitted_list.at[i];
        struct mme_tunnel enb = mme_tunnel_of_s1ap(item->transport_layer_address, item->gtp_teid);
        if (enb.len > 0 && handover->access.count < MME_MAX_BEARERS)
            handover->access.at[handover->access.count++] =
                (struct mme_access_bearer){item->e_rab_id, enb};
    }
}

static size_t list_forwarding(const struct s1ap_handover_request_acknowledge *acknowledge,
                              struct s1ap_e_rab_data_forwarding *list)
{
    size_t count = 0;

    for (size_t i = 0; i < acknowledge->e_rab_admitted_list.count && count < MME_MAX_BEARERS; i++) {
        const struct s1ap_e_rab_admitted *item = &acknowledge->e_rab_admitted_list.at[i];
        if (!item->dl_transport_layer_address && !item->ul_transport_layer_address)
            continue;
        list[count++] = (struct s1ap_e_rab_data_forwarding){
            .e_rab_id = item->e_rab_id,
            .dl_transport_layer_address = item->dl_transport_layer_address,
            .dl_gtp_teid = item->dl_gtp_teid,
            .ul_transport_layer_address = item->ul_transport_layer_address,
            .ul_gtp_teid = item->ul_gtp_teid,
        };
    }
    return count;
}

static int command(struct mme_ue *ue, const struct mme_event *event, struct handover *handover)
{
    const struct s1ap_handover_request_acknowledge *acknowledge =
        event->s1ap->handover_request_acknowledge;
    const struct mme_s1 *source = mme_s1_of(ue);
    struct s1ap_e_rab_data_forwarding forwarding[MME_MAX_BEARERS];
    struct s1ap_handover_command message = {
        .handover_type = S1AP_HANDOVER_INTRA_LTE,
        .target_to_source_transparent_container =
            acknowledge->target_to_source_transparent_container,
    };

    take_admitted(acknowledge, handover);
    if (!source)
        return -ENOTCONN;
    message.mme_ue_s1ap_id = source->id;
    message.enb_ue_s1ap_id = source->enb_ue_s1ap_id;
    message.e_rab_to_release_list.at = acknowledge->e_rab_failed_to_setup_list.at;
    message.e_rab_to_release_list.count = acknowledge->e_rab_failed_to_setup_list.count;
    if (handover->forwards_directly) {
        message.e_rab_subject_to_data_forwarding_list.at = forwarding;
        message.e_rab_subject_to_data_forwarding_list.count =
            list_forwarding(acknowledge, forwarding);
    }
    return mme_s1_send(source, S1AP_HANDOVER_COMMAND, &message);
}

static int wait_for_target(struct mme_ue *ue, struct handover *handover)
{
    const struct mme_event *event;
    int err = mme_wait(ue,
                       MME_SET(MME_HANDOVER_REQUEST_ACKNOWLEDGE) | MME_SET(MME_HANDOVER_FAILURE) |
                           MME_SET(MME_HANDOVER_CANCEL),
                       mme.config.timers.s1_response_ms, &event);

    if (err == -ETIMEDOUT)
        return fail(handover, S1AP_RADIO_NETWORK_TS1RELOCPREP_EXPIRY);
    if (err < 0)
        return err;
    if (event->kind == MME_HANDOVER_REQUEST_ACKNOWLEDGE)
        return command(ue, event, handover);
    if (event->kind == MME_HANDOVER_CANCEL)
        return -EINTR;
    return fail(handover, S1AP_RADIO_NETWORK_HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM);
}

/* ---- Execution
 * ----------------------------------------------------------------------------------------------------
 */

/* The source's PDCP counters go to the target as they are. */
static void pass_status(const struct mme_event *event, const struct handover *handover)
{
    const struct mme_s1 *target = mme_s1_get(handover->target);
    struct s1ap_mme_status_transfer transfer = {
        .enb_status_transfer_transparent_container =
            event->s1ap->enb_status_transfer->enb_status_transfer_transparent_container,
    };

    if (!target)
        return;
    transfer.mme_ue_s1ap_id = target->id;
    transfer.enb_ue_s1ap_id = target->enb_ue_s1ap_id;
    mme_s1_send(target, S1AP_MME_STATUS_TRANSFER, &transfer);
}

static int wait_for_phone(struct mme_ue *ue, struct handover *handover)
{
    const struct mme_event *event;
    int err;

    do {
        err = mme_wait(ue,
                       MME_SET(MME_HANDOVER_NOTIFY) | MME_SET(MME_ENB_STATUS_TRANSFER) |
                           MME_SET(MME_HANDOVER_CANCEL) | MME_SET(MME_HANDOVER_FAILURE),
                       mme.config.timers.s1_response_ms, &event);
        if (err == 0 && event->kind == MME_ENB_STATUS_TRANSFER)
            pass_status(event, handover);
    } while (err == 0 && event->kind == MME_ENB_STATUS_TRANSFER);
    if (err == -ETIMEDOUT)
        return fail(handover, S1AP_RADIO_NETWORK_TS1RELOCOVERALL_EXPIRY);
    if (err < 0)
        return err;
    if (event->kind == MME_HANDOVER_CANCEL)
        return -EINTR;
    if (event->kind == MME_HANDOVER_FAILURE)
        return fail(handover, S1AP_RADIO_NETWORK_HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM);
    mme_ue_heard(ue, &event->s1ap->handover_notify->tai, &event->s1ap->handover_notify->eutran_cgi);
    return 0;
}

/* The phone is at the target: from here on there is no way back. */
static int arrive(struct mme_ue *ue, struct handover *handover)
{
    struct mme_s1 *target = mme_s1_get(handover->target);

    if (!target)
        return -ENOTCONN;
    mme_s1_hand_over(target, ue);
    mme_bearers_off_air(ue);
    for (unsigned i = 0; i < handover->access.count; i++) {
        struct mme_bearer *bearer = mme_bearer_of(ue, handover->access.at[i].ebi, NULL);
        if (bearer)
            bearer->is_on_air = true;
    }
    int err = mme_modify_bearers(ue, &handover->access);
    if (err < 0 && err != -ECANCELED && mme_ue_is_connected(ue))
        mme_s1_release(mme_s1_of(ue), s1ap_cause_transport(S1AP_TRANSPORT_RESOURCE_UNAVAILABLE));
    return err;
}

/* ---- Taking back
 * ----------------------------------------------------------------------------------------------------
 */

static void acknowledge_cancel(struct mme_ue *ue)
{
    const struct mme_s1 *source = mme_s1_of(ue);
    struct s1ap_handover_cancel_acknowledge message = {0};

    if (!source)
        return;
    message.mme_ue_s1ap_id = source->id;
    message.enb_ue_s1ap_id = source->enb_ue_s1ap_id;
    mme_s1_send(source, S1AP_HANDOVER_CANCEL_ACKNOWLEDGE, &message);
}

void mme_handover_refuse(const struct mme_s1 *source, struct s1ap_cause cause)
{
    struct s1ap_handover_preparation_failure failure = {
        .mme_ue_s1ap_id = source->id,
        .enb_ue_s1ap_id = source->enb_ue_s1ap_id,
        .cause = cause,
    };

    mme_s1_send(source, S1AP_HANDOVER_PREPARATION_FAILURE, &failure);
}

static void take_back(struct mme_ue *ue, const struct handover *handover, int err,
                      bool is_commanded)
{
    struct mme_s1 *target = mme_s1_get(handover->target);
    const struct mme_s1 *source = mme_s1_of(ue);
    bool is_cancelled = err == -EINTR;

    if (target && ue->s1 != target->id)
        mme_s1_release(target, s1ap_cause_radio_network(S1AP_RADIO_NETWORK_HANDOVER_CANCELLED));
    if (is_cancelled)
        acknowledge_cancel(ue);
    else if (source && !is_commanded)
        mme_handover_refuse(source, handover->cause);
    mme_outcome(ue, is_cancelled || err == -ECANCELED ? MME_ABORTED : MME_FAILED, "%s",
                is_cancelled        ? "cancelled by the source"
                : err == -ECANCELED ? "the connection was lost or something else came first"
                : is_commanded      ? "the phone did not arrive at the target"
                                    : "the target is unknown, refused, or did not answer");
}

/* ---- The figure
 * --------------------------------------------------------------------------------------------------------
 */

void mme_handover(struct mme_ue *ue, const struct mme_event *event)
{
    struct handover handover = {
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNSPECIFIED),
    };
    int err;

    /* A cancel of what is over already is acknowledged all the same (clause 8.4.5.2). */
    if (event->kind == MME_HANDOVER_CANCEL)
        return acknowledge_cancel(ue);
    if (!ue->is_registered || !mme_ue_is_connected(ue) || !mme_s1_of(ue)->context_is_set_up)
        return take_back(ue, &handover, -EACCES, false);
    if ((err = prepare(ue, event, &handover)) < 0)
        return take_back(ue, &handover, err, false);
    if ((err = wait_for_target(ue, &handover)) < 0)
        return take_back(ue, &handover, err, false);
    if ((err = wait_for_phone(ue, &handover)) < 0)
        return take_back(ue, &handover, err, true);
    if ((err = arrive(ue, &handover)) < 0)
        return take_back(ue, &handover, err, true);
    mme_outcome(ue, MME_SUCCEEDED, "to %s", mme_enb_title(mme_enb_get(ue->last_enb)));
}
