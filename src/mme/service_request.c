/*
 * service_request.c -- an idle phone becomes connected (TS 23.401 clauses 5.3.4.1 and 5.3.4.3,
 * TS 24.301 clause 5.6.1).
 *
 *     phone   eNodeB        MME                              S-GW
 *       |                      |<-- Downlink Data Notification -|   network triggered: paging
 * (paging.c) comes first
 *       |<------- Paging ------|                                |
 *       |--- Service Request ->|                                |
 *       |<--- Initial Context Setup                             |   which is the answer: the phone
 * gets no NAS message
 *       |-------- response --->|                                |
 *       |                      |-- Modify Bearer -------------->|   and data flows
 *
 * A Service Request arrives here only when its short MAC was right (nas.c); all others have been
 * rejected with #9.
 */
#include <errno.h>

#include "base/loop.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/s6a.h"
#include "mme/ue.h"

#define ENB_ANSWERS (MME_SET(MME_CONTEXT_SETUP_RESPONSE) | MME_SET(MME_CONTEXT_SETUP_FAILURE))

/* Step 4 to 12: the eNodeB sets up radio bearers, the S-GW learns where to. */
int mme_serve(struct mme_ue *ue)
{
    struct mme_access_bearers access;
    const struct mme_event *event;
    int err = mme_send_context_setup(ue, bytes_of(NULL, 0), NULL);

    if (err == 0)
        err = mme_wait(ue, ENB_ANSWERS, mme.config.timers.s1_response_ms, &event);
    if (err == 0)
        err = mme_context_setup_answer(ue, event, &access);
    return err < 0 ? err : mme_modify_bearers(ue, &access);
}

static void reject(struct mme_ue *ue, uint8_t emm_cause, const char *why)
{
    const struct nas_service_reject message = {.emm_cause = emm_cause};

    emm_send(ue, EMM(NAS_SERVICE_REJECT, &message));
    mme_outcome(ue, MME_REJECTED, "%s (EMM cause #%u %s)", why, emm_cause,
                nas_emm_cause_name(emm_cause));
}

/* The phone has nothing here that could be served: it is to attach anew (clause 5.6.1.5). */
static bool has_sessions(struct mme_ue *ue)
{
    if (ue->is_registered && ue->pdns && !ue->sessions_are_lost)
        return true;
    reject(ue, EMM_CAUSE_IMPLICITLY_DETACHED,
           ue->sessions_are_lost ? "the S-GW has lost its sessions; it will attach anew"
                                 : "it has no PDN connection");
    mme_ue_deregister(ue);
    return false;
}

/* What the HSS wanted to know when the phone is heard (TS 29.272 clause 5.2.2.1, TS 23.007 clause
 * 8). */
static void tell_hss(struct mme_ue *ue)
{
    struct emm_failure failure;

    if (ue->hss_is_unconfirmed)
        mme_s6a_update_location(ue, false, &failure);
    if (ue->hss_wants_reachability)
        mme_s6a_notify_reachable(ue);
}

static const char *serve_failure(int err)
{
    return err == -ETIMEDOUT ? "the eNodeB or the S-GW did not answer"
           : err == -EIO     ? "the eNodeB refused Initial Context Setup"
                             : "the S-GW did not take the bearers (Modify Bearer)";
}

static void serve(struct mme_ue *ue)
{
    int err = mme_serve(ue);

    if (err == -ENOENT) {
        /* The S-GW knows nothing of it: the phone has to begin anew. */
        struct nas_detach_request_downlink detach = {.detach_type = NAS_DETACH_REATTACH_REQUIRED};
        emm_send(ue, EMM(NAS_DETACH_REQUEST, &detach));
        mme_ue_deregister(ue);
    } else if (err < 0 && mme_ue_is_connected(ue)) {
        mme_s1_release(mme_s1_of(ue), s1ap_cause_nas(S1AP_NAS_UNSPECIFIED));
    }
    if (err == -ECANCELED || err == -ENOTCONN) {
        mme_outcome(ue, MME_ABORTED, "the connection was lost or something else came first");
        return;
    }
    if (err < 0) {
        mme_outcome(ue, MME_FAILED, "%s", serve_failure(err));
        return;
    }
    mme_outcome(ue, MME_SUCCEEDED, "%llu ms",
                (unsigned long long)((clock_now_us() - ue->run->began_us) / 1000));
    tell_hss(ue);
}

void mme_service_request(struct mme_ue *ue, const struct mme_event *event)
{
    (void)event;
    if (has_sessions(ue))
        serve(ue);
}

/* Clause 5.6.1: CS fallback is not for this network; a packet service request is one like any
 * other. */
void mme_extended_service_request(struct mme_ue *ue, const struct mme_event *event)
{
    const struct nas_extended_service_request *request = event->nas->extended_service_request;

    if (!has_sessions(ue))
        return;
    if (request->service_type < NAS_SERVICE_PACKET) {
        reject(ue, EMM_CAUSE_CS_DOMAIN_NOT_AVAILABLE,
               "it asks for CS fallback, and there is no MSC");
        return;
    }
    if (request->eps_bearer_context_status)
        mme_keep_bearers(ue, *request->eps_bearer_context_status);
    if (has_sessions(ue))
        serve(ue);
}

void mme_network_service_request(struct mme_ue *ue, const struct mme_event *event)
{
    const struct gtpc_downlink_data_notification *notification =
        event->gtpc->downlink_data_notification;
    const struct gtpc_cause *cause = notification->cause;

    /* The eNodeB has lost the phone's tunnel, and with it probably the phone: whatever connection
     * there is, is none (TS 23.007 clause 22). */
    if (cause && cause->value == GTPC_CAUSE_ERROR_INDICATION_RECEIVED && mme_ue_is_connected(ue)) {
        mme_s1_release(mme_s1_of(ue), s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNSPECIFIED));
        ue->has_access_bearers = false;
    }
    int err = mme_reach(ue, notification->arp ? notification->arp->priority_level : 0);

    if (err == 0) {
        mme_outcome(ue, MME_SUCCEEDED, "%llu ms",
                    (unsigned long long)((clock_now_us() - ue->run->began_us) / 1000));
        tell_hss(ue);
        /* Who sees a phone paged by name again and again can follow it (TS 33.401 clause 7.1). */
        if (mme.config.security.new_guti_after_paging)
            emm_reallocate_guti(ue);
        return;
    }
    /* Unless the phone is about to be heard anyway, the S-GW is to notify again when more data
     * comes. */
    if (!mme_has_mail(ue))
        mme_downlink_data_failure(ue, GTPC_CAUSE_UE_NOT_RESPONDING);
    if (err == -ECANCELED) {
        mme_outcome(ue, MME_ABORTED, "the connection was lost or something else came first");
        return;
    }
    mme_outcome(ue, MME_FAILED, "%s",
                err == -ETIMEDOUT ? "the phone does not answer paging" : serve_failure(err));
}
