/*
 * attach.c -- Attach (TS 23.401 clause 5.3.2.1, TS 24.301 clause 5.5.1): a phone registers and gets
 * its first PDN connection.
 *
 *     phone   eNodeB        MME                 HSS            S-GW (P-GW)
 *       |--- Attach Request -->|                  |                |
 *       |<-- Identity Request -|  if unknown      |                |
 *       |<---- Authentication -|<- vector --------|                |
 *       |<----- Security Mode -|                  |                |
 *       |<--- ESM Information -|  if it has more to tell           |
 *       |                      |-- Update Location ->              |
 *       |                      |-- Create Session ---------------->|
 *       |<--- Initial Context Setup + Attach Accept                |
 *       |-------- response --->|                  |                |
 *       |--- Attach Complete ->|                  |                |
 *       |                      |-- Modify Bearer ----------------->|
 *
 * mme_attach() is the figure. Each step says itself why it failed; what the phone is told then and
 * what is given back is in attach_reject() and, for all procedures, in settle() of run.c.
 *
 * The context is new, or that of the phone when the request was protected by its security context
 * (nas.c). A new one becomes the subscriber's with a successful authentication; a former one is
 * cleared away then.
 *
 * Called by run.c, in the phone's fiber.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "mme/emm.h"
#include "mme/esm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/s6a.h"
#include "mme/ue.h"

/* An attach under way. */
struct attach {
    uint8_t type; /* enum nas_attach_type */
    bool is_secured;
    struct esm_request esm;
    struct mme_pdn *pdn;
    struct esm_activation activation;
    struct mme_access_bearers access;
    struct emm_failure failure;
    struct esm_failure esm_failure;
    bool is_accepted; /* Attach Accept was sent: too late for a reject */
};

static int fail(struct attach *attach, uint8_t emm_cause, const char *why, int err)
{
    attach->failure = (struct emm_failure){emm_cause, why};
    return err;
}

/* A failure of session management is EMM cause #19 with the ESM cause inside. */
static int fail_esm(struct attach *attach, int err)
{
    return fail(attach, err == -ECANCELED || err == -ENOTCONN ? 0 : EMM_CAUSE_ESM_FAILURE,
                attach->esm_failure.why, err);
}

/* ---- The request
 * ------------------------------------------------------------------------------------------- */

static void take_capabilities(struct mme_ue *ue, const struct nas_attach_request *request)
{
    ue->ue_network_capability = request->ue_network_capability;
    ue->ms_network_capability = request->ms_network_capability
                                    ? *request->ms_network_capability
                                    : (struct nas_ms_network_capability){0};
    ue->has_additional_security = request->ue_additional_security_capability != NULL;
    if (ue->has_additional_security)
        ue->additional_security_capability = *request->ue_additional_security_capability;
    ue->has_drx = request->drx_parameter != NULL;
    if (ue->has_drx)
        ue->drx = *request->drx_parameter;
    ue->phone_ksi = request->nas_ksi;
}

static int attach_take(struct mme_ue *ue, const struct mme_event *event, struct attach *attach)
{
    const struct nas_attach_request *request = event->nas->attach_request;
    int area = mme_area_of(&ue->tai);

    attach->type = request->eps_attach_type;
    attach->is_secured = event->is_secured;
    /* The phone is not registered any more, whatever we thought (clause 5.5.1.2.7 f). */
    mme_ue_deregister(ue);
    take_capabilities(ue, request);
    if (!event->is_secured && request->eps_mobile_identity.kind == NAS_IDENTITY_IMSI)
        mme_ue_set_imsi(ue, request->eps_mobile_identity.imsi);
    if (attach->type == NAS_ATTACH_EMERGENCY)
        return fail(attach, mme.config.emergency_reject_cause, "emergency attach is not supported",
                    -EACCES);
    if (area < 0)
        return fail(attach, EMM_CAUSE_TRACKING_AREA_NOT_ALLOWED,
                    "its tracking area is not in mme.tracking_areas", -EACCES);
    ue->area = (uint8_t)area;
    int err =
        esm_take_container(request->esm_message_container, &attach->esm, &attach->esm_failure);
    return err < 0 ? fail_esm(attach, err) : 0;
}

/* ---- Who is it
 * -----------------------------------------------------------------------------------------------
 */

static int attach_identify(struct mme_ue *ue, struct attach *attach)
{
    return ue->imsi[0] ? 0 : emm_identify(ue, &attach->failure);
}

static int attach_authenticate(struct mme_ue *ue, struct attach *attach)
{
    uint8_t kasme[32], ksi;

    if (attach->is_secured && emm_keys_are_fresh(&ue->security) &&
        !mme.config.security.authenticate_always)
        return 0;
    int err = emm_authenticate(ue, kasme, &ksi, &attach->failure);
    if (err == 0)
        err = emm_secure(ue, kasme, ksi, &attach->failure);
    crypto_wipe(kasme, sizeof(kasme));
    return err;
}

/* ---- What may it have
 * ------------------------------------------------------------------------------------------ */

/* TS 23.401 clause 5.3.2.1 step 17: what the subscription forbids. */
static int check_subscription(const struct mme_ue *ue, struct attach *attach)
{
    const struct mme_subscription *subscription = mme_subscription_of(ue);

    if (!subscription)
        return fail(attach, EMM_CAUSE_NETWORK_FAILURE, "the HSS sent no subscription data",
                    -EACCES);
    if (subscription->access_restriction & S6A_WB_E_UTRAN_NOT_ALLOWED)
        return fail(attach, EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA,
                    "the subscription does not allow E-UTRAN", -EACCES);
    if (subscription->is_barred && subscription->barring & S6A_ODB_ALL_PACKET) {
        attach->esm_failure.esm_cause = ESM_CAUSE_OPERATOR_DETERMINED_BARRING;
        return fail(attach, EMM_CAUSE_ESM_FAILURE, "the operator has barred the subscriber",
                    -EACCES);
    }
    return 0;
}

static int attach_update_location(struct mme_ue *ue, struct attach *attach)
{
    if (!ue->hss_knows_us || ue->hss_is_unconfirmed || !ue->subscription) {
        int err = mme_s6a_update_location(ue, true, &attach->failure);
        if (err < 0)
            return err;
    }
    return check_subscription(ue, attach);
}

static int attach_connect(struct mme_ue *ue, struct attach *attach)
{
    int err =
        esm_connect(ue, &attach->esm, &attach->pdn, &attach->activation, &attach->esm_failure);

    return err < 0 ? fail_esm(attach, err) : 0;
}

/* ---- Accept
 * ----------------------------------------------------------------------------------------------------
 */

/* Attach Accept (clause 8.2.1) with the activation of the default bearer inside, as it travels. */
static int build_accept(struct mme_ue *ue, const struct attach *attach, struct writer *pdu)
{
    uint8_t container[NAS_MESSAGE_MAX];
    struct writer esm = writer_of(container, sizeof(container));
    struct esm_activation_message activation;
    struct nas_identity guti = {.kind = NAS_IDENTITY_GUTI, .guti = mme_ue_guti(ue)};
    uint8_t t3402 = nas_gprs_timer(mme.config.timers.t3402_ms / 1000);
    struct nas_eps_network_feature_support features = {
        .len = 1, .octets = {mme.config.ims_voice ? NAS_EPS_FEATURE_IMS_VOICE_S1 : 0}};
    struct nas_attach_accept accept = {
        .eps_attach_result = NAS_ATTACH_RESULT_EPS_ONLY,
        .t3412_value = emm_t3412(ue),
        .tai_list = mme_area_tai_list(ue->area),
        .guti = &guti,
        .t3402_value = mme.config.timers.t3402_ms ? &t3402 : NULL,
        .eps_network_feature_support = &features,
        /* There is no MSC: a combined attach is one for EPS services only (clause 5.5.1.3.4.3). */
        .emm_cause = attach->type == NAS_ATTACH_COMBINED
                         ? &(uint8_t){EMM_CAUSE_CS_DOMAIN_NOT_AVAILABLE}
                         : NULL,
    };

    esm_fill_activation(attach->pdn, &attach->activation, &activation);
    nas_encode(&esm, ESM(NAS_ACTIVATE_DEFAULT_BEARER_REQUEST, attach->pdn->ebi,
                         attach->activation.pti, &activation.body));
    if (esm.bad)
        return -EMSGSIZE;
    accept.esm_message_container = wr_view(&esm);
    return emm_build(ue, EMM(NAS_ATTACH_ACCEPT, &accept), pdu);
}

static int send_accept(struct mme_ue *ue, const struct attach *attach, bool with_context)
{
    uint8_t buffer[NAS_MESSAGE_MAX];
    struct writer pdu = writer_of(buffer, sizeof(buffer));
    int err = build_accept(ue, attach, &pdu);

    if (err < 0)
        return err;
    return with_context ? mme_send_context_setup(ue, wr_view(&pdu), NULL)
                        : mme_s1_send_nas(mme_s1_of(ue), wr_view(&pdu));
}

/* The phone took the default bearer, or else not. */
static int take_complete(const struct mme_event *event, struct attach *attach)
{
    struct nas_message esm;
    struct nas_fault fault;

    if (nas_decode(event->nas->attach_complete->esm_message_container, EPS_UPLINK, &mme.arena, &esm,
                   &fault) == 0 &&
        esm.type == NAS_ACTIVATE_DEFAULT_BEARER_REJECT)
        return fail(attach, 0, "the phone refused the default bearer", -EACCES);
    return 0;
}

#define COMES_AGAIN                                                            \
    (MME_SET(MME_ATTACH_REQUEST) | MME_SET(MME_TRACKING_AREA_UPDATE_REQUEST) | \
     MME_SET(MME_SERVICE_REQUEST) | MME_SET(MME_EXTENDED_SERVICE_REQUEST))
#define ENB_ANSWERS (MME_SET(MME_CONTEXT_SETUP_RESPONSE) | MME_SET(MME_CONTEXT_SETUP_FAILURE))

/* What is still to come after Attach Accept. */
struct expected {
    bool context, complete; /* has come */
    /* the phone goes on elsewhere: it has completed the attach (clause 5.5.1.2.7 g) */
    bool is_over;
};

/* The phone sends a first message again. The same attach request asks for Attach Accept again
 * (clause 5.5.1.2.7 d), another one begins anew; any other message says that the attach is
 * complete. */
static int take_first_message(struct mme_ue *ue, const struct attach *attach,
                              const struct mme_event *event, struct expected *expected)
{
    bool is_here = event->s1 == ue->run->begun_on;

    if (event->kind == MME_ATTACH_REQUEST) {
        if (is_here && mme_request_hash(event->raw) == ue->run->request_hash)
            return send_accept(ue, attach, false);
        mme_put_back(ue, event);
        return -ECANCELED;
    }
    mme_put_back(ue, event);
    expected->complete = true;
    expected->is_over = !is_here;
    return 0;
}

static int take_answer(struct mme_ue *ue, struct attach *attach, const struct mme_event *event,
                       struct expected *expected)
{
    switch (event->kind) {
    case MME_ATTACH_COMPLETE:
        expected->complete = true;
        return take_complete(event, attach);
    case MME_CONTEXT_SETUP_RESPONSE:
    case MME_CONTEXT_SETUP_FAILURE:
        expected->context = true;
        if (mme_context_setup_answer(ue, event, &attach->access) < 0)
            return fail(attach, 0, "the eNodeB refused Initial Context Setup", -EIO);
        return 0;
    default:
        return take_first_message(ue, attach, event, expected);
    }
}

/* Initial Context Setup with Attach Accept, then Attach Complete and the eNodeB's response, in any
 * order. */
static int attach_accept(struct mme_ue *ue, struct attach *attach)
{
    struct expected expected = {0};
    const struct mme_event *event;
    unsigned attempt = 1;

    if (mme_ue_reallocate_guti(ue) < 0)
        return fail(attach, EMM_CAUSE_CONGESTION, "no memory for a GUTI", -ENOMEM);
    int err = send_accept(ue, attach, true);
    if (err < 0)
        return fail(attach, EMM_CAUSE_NETWORK_FAILURE, "Initial Context Setup could not be sent",
                    err);
    attach->is_accepted = true;
    while (!expected.is_over && !(expected.context && expected.complete)) {
        uint64_t wanted = (expected.context ? 0 : ENB_ANSWERS) |
                          (expected.complete ? 0 : COMES_AGAIN | MME_SET(MME_ATTACH_COMPLETE));
        err = mme_wait(
            ue, wanted,
            expected.complete ? mme.config.timers.s1_response_ms : mme_timer_ms(MME_T3450), &event);
        if (err == 0)
            err = take_answer(ue, attach, event, &expected);
        else if (err == -ETIMEDOUT && !expected.complete &&
                 attempt++ < mme_timer_attempts(MME_T3450))
            err = send_accept(ue, attach, false);
        if (err == -ETIMEDOUT)
            fail(attach, 0,
                 expected.complete ? "the eNodeB did not answer Initial Context Setup"
                                   : "no Attach Complete (T3450 expired five times)",
                 err);
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- The ends
 * ----------------------------------------------------------------------------------------------------
 */

/* Step 23. A session that the S-GW lost in between cannot be served: the phone is told to come
 * again. */
static int attach_modify_bearers(struct mme_ue *ue, struct attach *attach)
{
    int err = attach->access.count > 0 ? mme_modify_bearers(ue, &attach->access) : 0;

    if (err < 0 && err != -ECANCELED) {
        struct nas_detach_request_downlink detach = {.detach_type = NAS_DETACH_REATTACH_REQUIRED};
        emm_send(ue, EMM(NAS_DETACH_REQUEST, &detach));
        return fail(attach, 0, "the S-GW did not take the bearers (Modify Bearer)", err);
    }
    return err;
}

/* PDN CONNECTIVITY REJECT inside Attach Reject (clause 5.5.1.2.5). */
static struct bytes build_connectivity_reject(const struct attach *attach, struct writer *w)
{
    struct nas_request_reject reject = {
        .esm_cause = attach->esm_failure.esm_cause ? attach->esm_failure.esm_cause
                                                   : ESM_CAUSE_PROTOCOL_ERROR,
    };

    nas_encode(w, ESM(NAS_PDN_CONNECTIVITY_REJECT, 0, attach->esm.pti, &reject));
    return wr_view(w);
}

static void send_reject(struct mme_ue *ue, const struct attach *attach)
{
    uint8_t buffer[64];
    struct writer w = writer_of(buffer, sizeof(buffer));
    uint8_t cause = attach->failure.emm_cause;
    uint8_t t3346 = nas_gprs_timer(mme.config.timers.t3346_ms / 1000);
    struct bytes container = {0};
    struct nas_attach_reject reject = {.emm_cause = cause};

    if (cause == EMM_CAUSE_ESM_FAILURE) {
        container = build_connectivity_reject(attach, &w);
        reject.esm_message_container = &container;
    }
    if (cause == EMM_CAUSE_CONGESTION && mme.config.timers.t3346_ms > 0)
        reject.t3346_value = &t3346;
    emm_send(ue, EMM(NAS_ATTACH_REJECT, &reject));
}

static void attach_reject(struct mme_ue *ue, const struct attach *attach, int err)
{
    uint8_t cause = attach->failure.emm_cause;
    const char *why = attach->failure.why ? attach->failure.why : "something else came first";

    mme_ue_deregister(ue);
    if (err == -ECANCELED || err == -ENOTCONN) {
        mme_outcome(ue, MME_ABORTED, "%s", why);
        return;
    }
    if (cause && !attach->is_accepted) {
        send_reject(ue, attach);
        mme_outcome(ue, MME_REJECTED, "%s (EMM cause #%u %s)", why, cause,
                    nas_emm_cause_name(cause));
        return;
    }
    mme_outcome(ue, err == -EACCES ? MME_REJECTED : MME_FAILED, "%s", why);
}

static const char *describe(const struct mme_ue *ue, const struct attach *attach)
{
    static char line[256];
    const struct mme_enb *enb = mme_enb_get(ue->last_enb);
    struct text t = text_in(line, sizeof(line));

    text_add(&t, "%s, APN %s, %s, %llu ms", esm_address_text(attach->pdn),
             mme_apn_name(attach->pdn), enb ? mme_enb_title(enb) : "eNodeB gone",
             (unsigned long long)((clock_now_us() - ue->run->began_us) / 1000));
    return line;
}

static void attach_done(struct mme_ue *ue, const struct attach *attach)
{
    emm_information(ue);
    if (mme.config.notify_pgw)
        mme_s6a_notify_pgw(ue, attach->pdn);
    mme_outcome(ue, MME_SUCCEEDED, "%s",
                mme_outcome_is_told(ue, MME_SUCCEEDED) ? describe(ue, attach) : "");
}

/* ---- The figure
 * ----------------------------------------------------------------------------------------------------
 */

void mme_attach(struct mme_ue *ue, const struct mme_event *event)
{
    struct attach attach = {0};
    int err;

    if ((err = attach_take(ue, event, &attach)) < 0)
        return attach_reject(ue, &attach, err);
    if ((err = attach_identify(ue, &attach)) < 0)
        return attach_reject(ue, &attach, err);
    if ((err = attach_authenticate(ue, &attach)) < 0)
        return attach_reject(ue, &attach, err);
    if ((err = esm_ask_information(ue, &attach.esm, &attach.esm_failure)) < 0)
        return attach_reject(ue, &attach, fail_esm(&attach, err));
    mme_delete_all_sessions(ue); /* of a former life of this phone */
    if ((err = attach_update_location(ue, &attach)) < 0)
        return attach_reject(ue, &attach, err);
    if ((err = attach_connect(ue, &attach)) < 0)
        return attach_reject(ue, &attach, err);
    if ((err = attach_accept(ue, &attach)) < 0)
        return attach_reject(ue, &attach, err);
    mme_ue_confirm_guti(ue);
    mme_ue_register(ue);
    attach.pdn->is_up = true;
    /* What comes between now and the end finds the phone attached. */
    if ((err = attach_modify_bearers(ue, &attach)) < 0 && err != -ECANCELED)
        return attach_reject(ue, &attach, err);
    attach_done(ue, &attach);
}
