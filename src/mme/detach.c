/*
 * detach.c -- the ways to stop being registered (TS 23.401 clause 5.3.8, TS 24.301 clause 5.5.2):
 * by the phone, by the operator, by the HSS (Cancel Location), by a restarted S-GW, by silence
 * (implicit detach), by attaching elsewhere.
 *
 * In the end the context is not registered, and settle() in run.c releases the sessions, the
 * connection and the registration at the HSS.
 */
#include <errno.h>

#include "base/log.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/s6a.h"
#include "mme/ue.h"

/* ---- By the phone (clause 5.5.2.2)
 * ----------------------------------------------------------------------- */

void mme_ue_detach(struct mme_ue *ue, const struct mme_event *event)
{
    uint8_t type = event->nas->detach_request_uplink->detach_type;
    bool is_switch_off = type & NAS_DETACH_SWITCH_OFF;

    /* IMSI detach is about non-EPS services, of which there are none here. */
    if ((type & 7) == NAS_DETACH_IMSI && !is_switch_off) {
        emm_send(ue, EMM(NAS_DETACH_ACCEPT, NULL));
        mme_outcome(ue, MME_SUCCEEDED, "for non-EPS services only");
        return;
    }
    mme_delete_all_sessions(ue);
    if (!is_switch_off)
        emm_send(ue, EMM(NAS_DETACH_ACCEPT, NULL));
    mme_ue_deregister(ue);
    ue->run->release_cause = s1ap_cause_nas(S1AP_NAS_DETACH);
    mme_outcome(ue, MME_SUCCEEDED, "%s", is_switch_off ? "switched off" : "by the phone");
}

/* ---- By the network (clause 5.5.2.3)
 * ----------------------------------------------------------------------- */

/* An idle phone is paged; any first message of it will do, but one that makes the detach pointless.
 */
static int find_phone(struct mme_ue *ue)
{
    const struct mme_event *event;

    if (mme_ue_is_connected(ue))
        return 0;
    if (!ue->is_reachable)
        return -ETIMEDOUT;
    int err = mme_page(ue, 0, &event);
    if (err == 0 && (event->kind == MME_ATTACH_REQUEST || event->kind == MME_DETACH_REQUEST)) {
        mme_put_back(ue, event);
        return -ECANCELED;
    }
    return err;
}

/* Clause 5.5.2.3.4 a: the phone detaches at the same time. It gets its answer, and both are done.
 */
static void answer_collision(struct mme_ue *ue, const struct mme_event *event)
{
    if (event->kind == MME_DETACH_REQUEST &&
        !(event->nas->detach_request_uplink->detach_type & NAS_DETACH_SWITCH_OFF))
        emm_send(ue, EMM(NAS_DETACH_ACCEPT, NULL));
}

/* `emm_cause` 0: none is told. */
static void detach_phone(struct mme_ue *ue, uint8_t type, uint8_t emm_cause, const char *why)
{
    struct nas_detach_request_downlink request = {
        .detach_type = type,
        .emm_cause = emm_cause ? &emm_cause : NULL,
    };
    const struct mme_event *event;
    int err = find_phone(ue);

    if (err == 0)
        err = emm_ask(ue, EMM(NAS_DETACH_REQUEST, &request), MME_T3422,
                      MME_SET(MME_DETACH_ACCEPT) | MME_SET(MME_DETACH_REQUEST), &event);
    if (err == 0)
        answer_collision(ue, event);
    mme_delete_all_sessions(ue);
    mme_ue_deregister(ue);
    ue->run->release_cause = s1ap_cause_nas(S1AP_NAS_DETACH);
    if (err == 0)
        mme_outcome(ue, MME_SUCCEEDED, "%s", why);
    else if (err == -ECANCELED)
        mme_outcome(ue, MME_ABORTED, "%s; the phone began anew", why);
    else
        mme_outcome(ue, MME_FAILED, "%s; the phone does not answer and is detached here only", why);
}

void mme_network_detach(struct mme_ue *ue, const struct mme_event *event)
{
    detach_phone(ue, event->how, 0, "by the operator");
}

void mme_cancel_location(struct mme_ue *ue, const struct mme_event *event)
{
    /* The HSS does not know us any more: there is nothing to purge. */
    ue->hss_knows_us = false;
    if (event->how & MME_CANCEL_AND_REATTACH) {
        detach_phone(ue, NAS_DETACH_REATTACH_REQUIRED, 0, "by the HSS, to attach anew");
    } else if (event->how == S6A_SUBSCRIPTION_WITHDRAWAL) {
        detach_phone(ue, NAS_DETACH_REATTACH_NOT_REQUIRED,
                     EMM_CAUSE_EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED,
                     "the subscription was withdrawn");
    } else {
        mme_ue_deregister(ue);
        mme_outcome(ue, MME_SUCCEEDED, "the subscriber is at another MME now");
    }
}

/* TS 23.007 clause 14: what a restarted S-GW had for the phone is gone. A connected phone is told
 * to attach anew; an idle one when it is heard next (#10), so that a restart does not page
 * everybody. */
void mme_sgw_restarted(struct mme_ue *ue, const struct mme_event *event)
{
    if (event->transaction != ue->sgw_teid)
        return;
    mme_forget_sessions(ue);
    ue->sessions_are_lost = true;
    if (mme_ue_is_connected(ue))
        detach_phone(ue, event->how, 0, "the S-GW restarted and has lost its sessions");
    else
        log_debug("the S-GW restarted; the phone will be told to attach anew when it is heard");
}

/* ---- By silence (clause 5.3.5)
 * --------------------------------------------------------------------------------- */

void mme_implicit_detach(struct mme_ue *ue, const struct mme_event *event)
{
    (void)event;
    if (mme_ue_is_connected(ue))
        return;
    mme_ue_deregister(ue);
    mme_outcome(ue, MME_SUCCEEDED, "implicitly: no tracking area update came in time");
}

/* ---- By attaching elsewhere
 * --------------------------------------------------------------------------------------- */

void mme_clear(struct mme_ue *ue, const struct mme_event *event)
{
    (void)event;
    ue->is_superseded = true;
    mme_ue_deregister(ue);
    mme_outcome(ue, MME_SUCCEEDED, "the subscriber attached anew");
}
