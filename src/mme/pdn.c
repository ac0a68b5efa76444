/*
 * pdn.c -- PDN connectivity and PDN disconnection asked for by a registered phone (TS 23.401
 * clauses 5.10.2, 5.10.3; TS 24.301 clauses 6.5.1, 6.5.2), and its requests for bearer resources
 * (clauses 6.5.3, 6.5.4).
 *
 * The first PDN connection is made by attach; this is for those beside it (IMS, MMS ...).
 */
#include <errno.h>

#include "mme/e_rab.h"
#include "mme/esm.h"
#include "mme/metrics.h"
#include "mme/s6a.h"
#include "mme/ue.h"

/* ---- PDN connectivity
 * ------------------------------------------------------------------------------------- */

static void reject_connectivity(struct mme_ue *ue, uint8_t pti, const struct esm_failure *failure,
                                int err)
{
    const struct nas_request_reject reject = {.esm_cause = failure->esm_cause};

    if (err == -ECANCELED || err == -ENOTCONN) {
        mme_outcome(ue, MME_ABORTED, "the connection was lost or something else came first");
        return;
    }
    emm_send(ue, ESM(NAS_PDN_CONNECTIVITY_REJECT, 0, pti, &reject));
    mme_outcome(ue, MME_REJECTED, "%s (ESM cause #%u %s)", failure->why, failure->esm_cause,
                nas_esm_cause_name(failure->esm_cause));
}

/* The default bearer of a new PDN connection, on air and in the phone. */
static int activate(struct mme_ue *ue, struct mme_pdn *pdn, const struct esm_activation *activation,
                    struct mme_access_bearers *access)
{
    struct esm_activation_message message;
    esm_fill_activation(pdn, activation, &message);
    struct mme_e_rab_exchange exchange = {
        .change = MME_E_RAB_SETUP,
        .bearer = mme_default_bearer(pdn),
        .message =
            ESM(NAS_ACTIVATE_DEFAULT_BEARER_REQUEST, pdn->ebi, activation->pti, &message.body),
    };
    int err = mme_e_rab_exchange(ue, &exchange);
    *access = exchange.access;
    return err;
}

static const char *activation_failure(int err)
{
    return err == -EACCES      ? "the phone refused the default bearer"
           : err == -EIO       ? "the eNodeB refused the E-RAB"
           : err == -ETIMEDOUT ? "no answer to Activate Default EPS Bearer Context Request"
                               : "the connection was lost or something else came first";
}

void mme_pdn_connectivity(struct mme_ue *ue, const struct mme_event *event)
{
    struct esm_request request;
    struct esm_activation activation;
    struct esm_failure failure = {0};
    struct mme_access_bearers access;
    struct mme_pdn *pdn;
    int err;

    if ((err = esm_take_request(event->nas, &request, &failure)) < 0)
        return reject_connectivity(ue, request.pti, &failure, err);
    if (!ue->is_registered) {
        failure =
            (struct esm_failure){ESM_CAUSE_MESSAGE_NOT_COMPATIBLE_WITH_STATE, "not registered"};
        return reject_connectivity(ue, request.pti, &failure, -EACCES);
    }
    if ((err = esm_ask_information(ue, &request, &failure)) < 0)
        return reject_connectivity(ue, request.pti, &failure, err);
    if ((err = esm_connect(ue, &request, &pdn, &activation, &failure)) < 0)
        return reject_connectivity(ue, request.pti, &failure, err);
    err = activate(ue, pdn, &activation, &access);
    if (err == 0) {
        pdn->is_up = true;
        err = mme_modify_bearers(ue, &access);
    }
    if (err < 0) {
        mme_delete_session(ue, pdn);
        mme_outcome(ue, err == -ECANCELED ? MME_ABORTED : MME_FAILED, "%s",
                    activation_failure(err));
        return;
    }
    if (mme.config.notify_pgw)
        mme_s6a_notify_pgw(ue, pdn);
    mme_outcome(ue, MME_SUCCEEDED, "%s, APN %s", esm_address_text(pdn), mme_apn_name(pdn));
}

/* ---- PDN disconnection
 * --------------------------------------------------------------------------------------- */

static void reject_disconnect(struct mme_ue *ue, uint8_t pti, uint8_t cause)
{
    const struct nas_pco_reject reject = {.esm_cause = cause};

    emm_send(ue, ESM(NAS_PDN_DISCONNECT_REJECT, 0, pti, &reject));
    mme_outcome(ue, MME_REJECTED, "ESM cause #%u %s", cause, nas_esm_cause_name(cause));
}

static unsigned pdn_count(const struct mme_ue *ue)
{
    unsigned count = 0;

    MME_EACH_PDN(ue, pdn)
    count++;
    return count;
}

void mme_pdn_disconnect(struct mme_ue *ue, const struct mme_event *event)
{
    uint8_t pti = event->nas->pti;
    struct mme_pdn *pdn = mme_pdn_of(ue, event->nas->pdn_disconnect_request->linked_ebi);

    if (!pdn)
        return reject_disconnect(ue, pti, ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY);
    /* Clause 6.5.2.4: to have none the phone detaches. */
    if (pdn_count(ue) == 1)
        return reject_disconnect(ue, pti, ESM_CAUSE_LAST_PDN_DISCONNECTION_NOT_ALLOWED);
    const struct nas_deactivate_bearer_request request = {
        .esm_cause = ESM_CAUSE_REGULAR_DEACTIVATION,
    };
    struct mme_e_rab_exchange exchange = {
        .change = MME_E_RAB_GONE,
        .bearer = mme_default_bearer(pdn),
        .message = ESM(NAS_DEACTIVATE_BEARER_REQUEST, pdn->ebi, pti, &request),
    };
    int err = mme_e_rab_exchange(ue, &exchange);
    /* A phone that does not answer has lost the bearer all the same (clause 6.4.4.5). */
    mme_delete_session(ue, pdn);
    if (err == -ECANCELED)
        mme_outcome(ue, MME_ABORTED, "the connection was lost or something else came first");
    else
        mme_outcome(ue, err == 0 ? MME_SUCCEEDED : MME_FAILED, "%s",
                    err == 0 ? "by the phone"
                             : "the phone or the eNodeB did not answer; gone here");
}

/* ---- Bearer resources
 * -------------------------------------------------------------------------------------------- */

/* Dedicated bearers are the network's to give here: there is no policy that a request of a phone
 * could be put to. */
void mme_bearer_resource(struct mme_ue *ue, const struct mme_event *event)
{
    const struct nas_message *message = event->nas;
    bool is_allocation = message->type == NAS_BEARER_RESOURCE_ALLOCATION_REQUEST;
    uint8_t ebi = is_allocation
                      ? message->bearer_resource_allocation_request->linked_ebi
                      : message->bearer_resource_modification_request->ebi_for_packet_filter;
    const struct nas_request_reject reject = {
        .esm_cause = mme_bearer_of(ue, ebi, NULL) ? ESM_CAUSE_SERVICE_OPTION_NOT_SUPPORTED
                                                  : ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY,
    };

    emm_send(ue, ESM(is_allocation ? NAS_BEARER_RESOURCE_ALLOCATION_REJECT
                                   : NAS_BEARER_RESOURCE_MODIFICATION_REJECT,
                     0, message->pti, &reject));
    mme_outcome(ue, MME_REJECTED, "ESM cause #%u %s", reject.esm_cause,
                nas_esm_cause_name(reject.esm_cause));
}
