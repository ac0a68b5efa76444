/*
 * e_rab.c -- see e_rab.h.
 */
#include <errno.h>

#include "mme/e_rab.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/ue.h"

/* What each change waits for. */
static const struct {
    enum mme_timer timer;
    enum mme_event_kind response; /* of the eNodeB; MME_NOTHING: none */
    uint64_t accept, reject;      /* of the phone */
} changes[] = {
    [MME_E_RAB_SETUP] = {MME_T3485, MME_E_RAB_SETUP_RESPONSE,
                         MME_SET(MME_DEFAULT_BEARER_ACCEPT) | MME_SET(MME_DEDICATED_BEARER_ACCEPT),
                         MME_SET(MME_DEFAULT_BEARER_REJECT) | MME_SET(MME_DEDICATED_BEARER_REJECT)},
    [MME_E_RAB_MODIFY] = {MME_T3486, MME_E_RAB_MODIFY_RESPONSE, MME_SET(MME_MODIFY_BEARER_ACCEPT),
                          MME_SET(MME_MODIFY_BEARER_REJECT)},
    [MME_E_RAB_GONE] = {MME_T3495, MME_E_RAB_RELEASE_RESPONSE,
                        MME_SET(MME_DEACTIVATE_BEARER_ACCEPT), 0},
    [MME_E_RAB_NAS_ONLY] = {MME_T3486, MME_NOTHING, MME_SET(MME_MODIFY_BEARER_ACCEPT),
                            MME_SET(MME_MODIFY_BEARER_REJECT)},
};

/* ---- Requests
 * ---------------------------------------------------------------------------------------------- */

static int send_setup(struct mme_ue *ue, const struct mme_s1 *s1, const struct mme_bearer *bearer,
                      struct bytes nas)
{
    struct s1ap_gbr_qos_information gbr;
    struct s1ap_ue_aggregate_maximum_bitrate ambr = mme_ue_ambr(ue);
    struct s1ap_e_rab_to_be_setup item = {
        .e_rab_id = bearer->ebi,
        .qos = mme_e_rab_qos(bearer, &gbr),
        .transport_layer_address = bytes_of(bearer->s1u_sgw.address, bearer->s1u_sgw.len),
        .gtp_teid = bearer->s1u_sgw.teid,
        .nas_pdu = &nas,
    };
    struct s1ap_e_rab_setup_request request = {
        .mme_ue_s1ap_id = s1->id,
        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id,
        .ue_aggregate_maximum_bitrate = &ambr,
        .e_rab_to_be_setup_list = {&item, 1},
    };

    return mme_s1_send(s1, S1AP_E_RAB_SETUP_REQUEST, &request);
}

static int send_modify(struct mme_ue *ue, const struct mme_s1 *s1, const struct mme_bearer *bearer,
                       struct bytes nas)
{
    struct s1ap_gbr_qos_information gbr;
    struct s1ap_ue_aggregate_maximum_bitrate ambr = mme_ue_ambr(ue);
    struct s1ap_e_rab_to_be_modified item = {
        .e_rab_id = bearer->ebi,
        .qos = mme_e_rab_qos(bearer, &gbr),
        .nas_pdu = nas,
    };
    struct s1ap_e_rab_modify_request request = {
        .mme_ue_s1ap_id = s1->id,
        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id,
        .ue_aggregate_maximum_bitrate = &ambr,
        .e_rab_to_be_modified_list = {&item, 1},
    };

    return mme_s1_send(s1, S1AP_E_RAB_MODIFY_REQUEST, &request);
}

static int send_release(struct mme_ue *ue, const struct mme_s1 *s1, const struct mme_bearer *bearer,
                        struct bytes nas)
{
    struct s1ap_ue_aggregate_maximum_bitrate ambr = mme_ue_ambr(ue);
    struct s1ap_e_rab_item item = {
        .e_rab_id = bearer->ebi,
        .cause = s1ap_cause_nas(S1AP_NAS_NORMAL_RELEASE),
    };
    struct s1ap_e_rab_release_command command = {
        .mme_ue_s1ap_id = s1->id,
        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id,
        .ue_aggregate_maximum_bitrate = &ambr,
        .e_rab_to_be_released_list = {&item, 1},
        .nas_pdu = &nas,
    };

    return mme_s1_send(s1, S1AP_E_RAB_RELEASE_COMMAND, &command);
}

static int send_first(struct mme_ue *ue, const struct mme_e_rab_exchange *exchange)
{
    static int (*const senders[])(struct mme_ue *, const struct mme_s1 *, const struct mme_bearer *,
                                  struct bytes) = {
        [MME_E_RAB_SETUP] = send_setup,
        [MME_E_RAB_MODIFY] = send_modify,
        [MME_E_RAB_GONE] = send_release,
    };
    uint8_t buffer[NAS_MESSAGE_MAX];
    struct writer pdu = writer_of(buffer, sizeof(buffer));

    if (exchange->change == MME_E_RAB_NAS_ONLY)
        return emm_send(ue, exchange->message);
    int err = emm_build(ue, exchange->message, &pdu);
    return err < 0 ? err
                   : senders[exchange->change](ue, mme_s1_of(ue), exchange->bearer, wr_view(&pdu));
}

/* ---- Answers
 * --------------------------------------------------------------------------------------------------
 */

static bool lists(const uint8_t *ids, size_t count, uint8_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

/* The eNodeB's answer: 0, or -EIO when it did not do it. A release is done, whatever it says. */
static int take_response(struct mme_ue *ue, const struct mme_event *event,
                         struct mme_e_rab_exchange *exchange)
{
    const struct s1ap_e_rab_setup_response *setup;
    const struct s1ap_e_rab_modify_response *modify;
    struct mme_bearer *bearer = exchange->bearer;

    switch (event->kind) {
    case MME_E_RAB_SETUP_RESPONSE:
        setup = event->s1ap->e_rab_setup_response;
        bearer->is_on_air = false;
        mme_take_e_rabs(ue, setup->e_rab_setup_list.at, setup->e_rab_setup_list.count,
                        &exchange->access);
        return bearer->is_on_air ? 0 : -EIO;
    case MME_E_RAB_MODIFY_RESPONSE:
        modify = event->s1ap->e_rab_modify_response;
        return lists(modify->e_rab_modify_list.at, modify->e_rab_modify_list.count, bearer->ebi)
                   ? 0
                   : -EIO;
    default:
        bearer->is_on_air = false;
        return 0;
    }
}

static uint8_t cause_of_reject(const struct nas_message *message)
{
    if (message->type == NAS_ACTIVATE_DEFAULT_BEARER_REJECT)
        return message->activate_default_bearer_reject->esm_cause;
    return message->modify_bearer_reject->esm_cause; /* of all others' form */
}

static int take_answer(struct mme_ue *ue, const struct mme_event *event,
                       struct mme_e_rab_exchange *exchange, bool *enb_is_awaited,
                       bool *phone_is_awaited)
{
    if (event->kind == changes[exchange->change].response) {
        *enb_is_awaited = false;
        return take_response(ue, event, exchange);
    }
    if (event->nas->ebi != exchange->bearer->ebi)
        return 0;
    *phone_is_awaited = false;
    if (!(changes[exchange->change].reject & MME_SET(event->kind)))
        return 0;
    exchange->esm_cause = cause_of_reject(event->nas);
    return -EACCES;
}

int mme_e_rab_exchange(struct mme_ue *ue, struct mme_e_rab_exchange *exchange)
{
    enum mme_timer timer = changes[exchange->change].timer;
    enum mme_event_kind response = changes[exchange->change].response;
    uint64_t of_phone = changes[exchange->change].accept | changes[exchange->change].reject;
    bool enb_is_awaited = response != MME_NOTHING, phone_is_awaited = true;
    const struct mme_event *event;
    unsigned attempt = 1;
    int err = mme_ue_is_connected(ue) ? send_first(ue, exchange) : -ENOTCONN;

    while (err == 0 && (enb_is_awaited || phone_is_awaited)) {
        err = mme_wait(ue,
                       (enb_is_awaited ? MME_SET(response) : 0) | (phone_is_awaited ? of_phone : 0),
                       mme_timer_ms(timer), &event);
        if (err == 0) {
            err = take_answer(ue, event, exchange, &enb_is_awaited, &phone_is_awaited);
        } else if (err == -ETIMEDOUT && phone_is_awaited && attempt++ < mme_timer_attempts(timer)) {
            metric_add(&mme_counters[MME_NAS_REPETITIONS], 1);
            err = emm_send(ue, exchange->message);
        }
    }
    return err;
}
