/*
 * tau.c -- Tracking Area Update (TS 23.401 clause 5.3.3, TS 24.301 clause 5.5.3): the phone tells
 * where it is, because it left its registration area, or periodically that it is still there.
 *
 * The request has been found to be the phone's own (nas.c); one that is not is rejected with #9
 * there. The phone gets a new GUTI when it has moved; then it confirms (T3450). With the active
 * flag, or when there is data for it, its bearers are set up in the same go. Without, the
 * connection has served its purpose and is released (settle() in run.c).
 */
#include <errno.h>

#include "base/loop.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/s6a.h"
#include "mme/ue.h"

struct update {
    uint8_t type; /* enum nas_update_type */
    bool wants_bearers;
    bool has_status;
    uint16_t status; /* the bearers that the phone still has */
    bool has_new_guti;
    struct emm_failure failure;
};

static int fail(struct update *update, uint8_t emm_cause, const char *why, int err)
{
    update->failure = (struct emm_failure){emm_cause, why};
    return err;
}

/* ---- The request
 * ---------------------------------------------------------------------------------------- */

static void take_capabilities(struct mme_ue *ue,
                              const struct nas_tracking_area_update_request *request)
{
    if (request->ue_network_capability)
        ue->ue_network_capability = *request->ue_network_capability;
    if (request->ms_network_capability)
        ue->ms_network_capability = *request->ms_network_capability;
    if (request->drx_parameter) {
        ue->drx = *request->drx_parameter;
        ue->has_drx = true;
    }
    /* Clause 5.5.3.2.4: what the eNodeB told us of the radio does not hold any more. */
    if (request->ue_radio_capability_information_update_needed &&
        *request->ue_radio_capability_information_update_needed & 1) {
        mme_unshare(ue->radio_capability);
        mme_unshare(ue->paging_capability);
        ue->radio_capability = ue->paging_capability = NULL;
    }
    ue->phone_ksi = request->nas_ksi;
}

static int update_take(struct mme_ue *ue, const struct mme_event *event, struct update *update)
{
    const struct nas_tracking_area_update_request *request =
        event->nas->tracking_area_update_request;
    int area = mme_area_of(&ue->tai);

    update->type = request->eps_update_type & 7;
    update->wants_bearers |= (request->eps_update_type & NAS_UPDATE_ACTIVE) != 0;
    update->has_status = request->eps_bearer_context_status != NULL;
    if (update->has_status)
        update->status = *request->eps_bearer_context_status;
    if (!ue->is_registered || ue->sessions_are_lost)
        return fail(update, EMM_CAUSE_IMPLICITLY_DETACHED,
                    ue->sessions_are_lost ? "the S-GW has lost its sessions; it will attach anew"
                                          : "it is not registered",
                    -EACCES);
    if (area < 0)
        return fail(update, EMM_CAUSE_TRACKING_AREA_NOT_ALLOWED,
                    "its tracking area is not in mme.tracking_areas", -EACCES);
    take_capabilities(ue, request);
    update->has_new_guti = area != ue->area || update->type != NAS_UPDATE_PERIODIC;
    ue->area = (uint8_t)area;
    return 0;
}

static int update_authenticate(struct mme_ue *ue, struct update *update)
{
    uint8_t kasme[32], ksi;

    if (emm_keys_are_fresh(&ue->security))
        return 0;
    int err = emm_authenticate(ue, kasme, &ksi, &update->failure);
    if (err == 0)
        err = emm_secure(ue, kasme, ksi, &update->failure);
    crypto_wipe(kasme, sizeof(kasme));
    return err;
}

/* Bearers that the phone has not any more are given up here too (clause 5.5.3.2.4). */
void mme_keep_bearers(struct mme_ue *ue, uint16_t status)
{
    uint8_t lost[MME_MAX_BEARERS];
    size_t count = 0;

    for (struct mme_pdn *pdn = mme_pdn_get(ue->pdns); pdn;) {
        struct mme_pdn *next = mme_pdn_get(pdn->next);
        if (!(status & NAS_BEARER_BIT(pdn->ebi))) {
            mme_delete_session(ue, pdn);
        } else {
            MME_EACH_BEARER(pdn, bearer)
            {
                if (!(status & NAS_BEARER_BIT(bearer->ebi)))
                    lost[count++] = bearer->ebi;
            }
        }
        pdn = next;
    }
    if (count > 0)
        mme_delete_bearer_command(ue, lost, count);
}

static int update_bearers(struct mme_ue *ue, struct update *update)
{
    if (update->has_status)
        mme_keep_bearers(ue, update->status);
    if (!ue->pdns)
        return fail(update, EMM_CAUSE_NO_EPS_BEARER_CONTEXT_ACTIVATED,
                    "no PDN connection is left that both know", -EACCES);
    return mme_check(ue);
}

static int update_location(struct mme_ue *ue, struct update *update)
{
    if (ue->hss_knows_us && !ue->hss_is_unconfirmed)
        return 0;
    return mme_s6a_update_location(ue, false, &update->failure);
}

/* ---- Accept
 * ---------------------------------------------------------------------------------------------------
 */

static int build_accept(struct mme_ue *ue, const struct update *update, struct writer *pdu)
{
    struct nas_identity guti = {.kind = NAS_IDENTITY_GUTI, .guti = mme_ue_guti(ue)};
    struct nas_tai_list list = mme_area_tai_list(ue->area);
    uint16_t status = mme_bearer_status(ue);
    uint8_t t3412 = emm_t3412(ue);
    uint8_t t3402 = nas_gprs_timer(mme.config.timers.t3402_ms / 1000);
    struct nas_eps_network_feature_support features = {
        .len = 1, .octets = {mme.config.ims_voice ? NAS_EPS_FEATURE_IMS_VOICE_S1 : 0}};
    bool is_combined =
        update->type == NAS_UPDATE_COMBINED || update->type == NAS_UPDATE_COMBINED_IMSI_ATTACH;
    const struct nas_tracking_area_update_accept accept = {
        .eps_update_result = NAS_UPDATE_RESULT_TA,
        .t3412_value = &t3412,
        .guti = update->has_new_guti ? &guti : NULL,
        .tai_list = &list,
        .eps_bearer_context_status = update->has_status ? &status : NULL,
        .emm_cause = is_combined ? &(uint8_t){EMM_CAUSE_CS_DOMAIN_NOT_AVAILABLE} : NULL,
        .t3402_value = mme.config.timers.t3402_ms ? &t3402 : NULL,
        .eps_network_feature_support = &features,
    };

    return emm_build(ue, EMM(NAS_TRACKING_AREA_UPDATE_ACCEPT, &accept), pdu);
}

static int send_accept(struct mme_ue *ue, const struct update *update, bool with_context)
{
    uint8_t buffer[512];
    struct writer pdu = writer_of(buffer, sizeof(buffer));
    int err = build_accept(ue, update, &pdu);

    if (err < 0)
        return err;
    return with_context ? mme_send_context_setup(ue, wr_view(&pdu), NULL)
                        : mme_s1_send_nas(mme_s1_of(ue), wr_view(&pdu));
}

#define ENB_ANSWERS (MME_SET(MME_CONTEXT_SETUP_RESPONSE) | MME_SET(MME_CONTEXT_SETUP_FAILURE))

/* What is still to come after the accept. */
struct expected {
    bool context, complete; /* is awaited */
    struct mme_access_bearers access;
};

static int take_answer(struct mme_ue *ue, struct update *update, const struct mme_event *event,
                       struct expected *expected)
{
    switch (event->kind) {
    case MME_TRACKING_AREA_UPDATE_COMPLETE:
        expected->complete = false;
        mme_ue_confirm_guti(ue);
        return 0;
    case MME_TRACKING_AREA_UPDATE_REQUEST:
        /* Clause 5.5.3.2.7 d: the same request asks for the accept again, another one begins anew.
         */
        if (event->s1 == ue->run->begun_on && mme_request_hash(event->raw) == ue->run->request_hash)
            return send_accept(ue, update, false);
        mme_put_back(ue, event);
        return -ECANCELED;
    default:
        expected->context = false;
        if (mme_context_setup_answer(ue, event, &expected->access) < 0)
            return fail(update, 0, "the eNodeB refused Initial Context Setup", -EIO);
        return 0;
    }
}

static int update_accept(struct mme_ue *ue, struct update *update)
{
    const struct mme_s1 *s1 = mme_s1_of(ue);
    struct expected expected = {
        .context = update->wants_bearers && s1 && !s1->context_is_set_up,
        .complete = update->has_new_guti,
    };
    const struct mme_event *event;
    unsigned attempt = 1;

    if (update->has_new_guti && mme_ue_reallocate_guti(ue) < 0)
        return fail(update, EMM_CAUSE_CONGESTION, "no memory for a GUTI", -ENOMEM);
    int err = send_accept(ue, update, expected.context);
    while (err == 0 && (expected.context || expected.complete)) {
        uint64_t wanted = (expected.context ? ENB_ANSWERS : 0) |
                          (expected.complete ? MME_SET(MME_TRACKING_AREA_UPDATE_COMPLETE) : 0) |
                          MME_SET(MME_TRACKING_AREA_UPDATE_REQUEST);
        err = mme_wait(
            ue, wanted,
            expected.complete ? mme_timer_ms(MME_T3450) : mme.config.timers.s1_response_ms, &event);
        if (err == 0)
            err = take_answer(ue, update, event, &expected);
        else if (err == -ETIMEDOUT && expected.complete &&
                 attempt++ < mme_timer_attempts(MME_T3450))
            err = send_accept(ue, update, false);
        if (err == -ETIMEDOUT)
            fail(update, 0,
                 expected.complete ? "no TAU Complete (T3450 expired five times)"
                                   : "the eNodeB did not answer Initial Context Setup",
                 err);
    }
    if (err == 0 && expected.access.count > 0)
        err = mme_modify_bearers(ue, &expected.access);
    return err;
}

/* ---- The figure
 * ----------------------------------------------------------------------------------------------------
 */

/* After a reject the phone is not registered (clause 5.5.3.2.5); when it merely fell silent it is,
 * and both GUTIs are valid (clause 5.5.3.2.7 b). */
static int update_reject(struct mme_ue *ue, const struct update *update, int err)
{
    uint8_t cause = update->failure.emm_cause;
    const struct nas_tracking_area_update_reject reject = {.emm_cause = cause};

    if (cause == 0 || err == -ECANCELED)
        return err;
    emm_send(ue, EMM(NAS_TRACKING_AREA_UPDATE_REJECT, &reject));
    mme_ue_deregister(ue);
    return err;
}

static int carry_out(struct mme_ue *ue, const struct mme_event *event, struct update *update)
{
    int err;

    if ((err = update_take(ue, event, update)) < 0)
        return update_reject(ue, update, err);
    if ((err = update_authenticate(ue, update)) < 0)
        return update_reject(ue, update, err);
    if ((err = update_bearers(ue, update)) < 0)
        return update_reject(ue, update, err);
    if ((err = update_location(ue, update)) < 0)
        return update_reject(ue, update, err);
    if ((err = update_accept(ue, update)) < 0)
        return update_reject(ue, update, err);
    if (ue->hss_wants_reachability)
        mme_s6a_notify_reachable(ue);
    return 0;
}

int mme_update_tracking_area(struct mme_ue *ue, const struct mme_event *event, bool with_bearers)
{
    struct update update = {.wants_bearers = with_bearers};

    return carry_out(ue, event, &update);
}

void mme_tracking_area_update(struct mme_ue *ue, const struct mme_event *event)
{
    struct update update = {0};
    int err = carry_out(ue, event, &update);

    if (err == 0)
        mme_outcome(ue, MME_SUCCEEDED, "%s, TAC %u%s",
                    update.type == NAS_UPDATE_PERIODIC ? "periodic" : "new area or capabilities",
                    ue->tai.tac, update.wants_bearers ? ", with bearers" : "");
    else if (err == -ECANCELED || err == -ENOTCONN)
        mme_outcome(ue, MME_ABORTED, "the connection was lost or something else came first");
    else if (update.failure.emm_cause)
        mme_outcome(ue, MME_REJECTED, "%s (EMM cause #%u %s)", update.failure.why,
                    update.failure.emm_cause, nas_emm_cause_name(update.failure.emm_cause));
    else
        mme_outcome(ue, MME_FAILED, "%s",
                    update.failure.why ? update.failure.why : "the S-GW did not take the bearers");
}
