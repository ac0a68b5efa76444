/*
 * emm_common.c -- the EMM common procedures (TS 24.301 clause 5.4): identification, authentication,
 * security mode control, GUTI reallocation, EMM information.
 *
 * They are steps of a specific procedure (attach, tracking area update) and run in its fiber. The
 * retransmission of their messages is in emm_ask(); what they return says only whether to go on,
 * and emm_failure what the phone and the operator are told if not.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/loop.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s6a.h"
#include "mme/ue.h"

static int fail(struct emm_failure *failure, uint8_t emm_cause, const char *why, int err)
{
    *failure = (struct emm_failure){emm_cause, why};
    return err;
}

/* What a wait's error means for the log; nothing is said to a phone that does not answer. */
static int fail_waiting(struct emm_failure *failure, const char *why, int err)
{
    return fail(failure, 0,
                err == -ETIMEDOUT ? why : "the connection was lost or the phone began anew", err);
}

/* ---- Identification (clause 5.4.4)
 * ------------------------------------------------------------------------ */

int emm_identify(struct mme_ue *ue, struct emm_failure *failure)
{
    const struct nas_identity_request request = {.identity_type = NAS_ASK_IMSI};
    const struct mme_event *event;
    int err = emm_ask(ue, EMM(NAS_IDENTITY_REQUEST, &request), MME_T3470,
                      MME_SET(MME_IDENTITY_RESPONSE), &event);

    if (err < 0)
        return fail_waiting(failure, "no answer to Identity Request (T3470 expired five times)",
                            err);
    const struct nas_identity *identity = &event->nas->identity_response->mobile_identity;
    if (identity->kind != NAS_IDENTITY_IMSI)
        return fail(failure, EMM_CAUSE_UE_IDENTITY_CANNOT_BE_DERIVED,
                    "asked for its IMSI, the phone did not tell it", -EBADMSG);
    if (ue->is_authenticated && strcmp(ue->imsi, identity->imsi) != 0)
        return fail(failure, EMM_CAUSE_ILLEGAL_UE, "the phone of one IMSI says that it has another",
                    -EACCES);
    mme_ue_set_imsi(ue, identity->imsi);
    return 0;
}

/* ---- Authentication (clause 5.4.2)
 * -------------------------------------------------------------------------- */

#define MAX_CHALLENGES \
    4 /* first, after resynchronisation, after a corrected identity, and one more */

/* How a challenge ended. */
enum challenge {
    CHALLENGE_MET,
    CHALLENGE_RESYNCHRONISE, /* the SIM says that the sequence number is old (#21) */
    CHALLENGE_WRONG_KEY,     /* RES is wrong, or the SIM says that MAC or AMF is (#20, #26) */
};

static enum challenge judge_failure(const struct nas_authentication_failure *answer,
                                    const struct mme_vector *vector,
                                    struct s6a_resynchronization_info *resync)
{
    const struct bytes *auts = answer->authentication_failure_parameter;

    if (answer->emm_cause != EMM_CAUSE_SYNCH_FAILURE || !auts || auts->len != sizeof(resync->auts))
        return CHALLENGE_WRONG_KEY;
    memcpy(resync->rand, vector->rand, sizeof(resync->rand));
    memcpy(resync->auts, auts->at, sizeof(resync->auts));
    return CHALLENGE_RESYNCHRONISE;
}

/* Authentication Request and what the phone answers. */
static int challenge(struct mme_ue *ue, const struct mme_vector *vector, uint8_t ksi,
                     enum challenge *outcome, struct s6a_resynchronization_info *resync)
{
    struct nas_authentication_request request = {.nas_ksi = ksi};
    const struct mme_event *event;

    memcpy(request.rand, vector->rand, sizeof(request.rand));
    memcpy(request.autn, vector->autn, sizeof(request.autn));
    int err =
        emm_ask(ue, EMM(NAS_AUTHENTICATION_REQUEST, &request), MME_T3460,
                MME_SET(MME_AUTHENTICATION_RESPONSE) | MME_SET(MME_AUTHENTICATION_FAILURE), &event);
    if (err < 0)
        return err;
    if (event->kind == MME_AUTHENTICATION_FAILURE) {
        *outcome = judge_failure(event->nas->authentication_failure, vector, resync);
        return 0;
    }
    struct bytes res = event->nas->authentication_response->res;
    bool is_right = res.len == vector->xres_len && crypto_equal(res.at, vector->xres, res.len);
    *outcome = is_right ? CHALLENGE_MET : CHALLENGE_WRONG_KEY;
    return 0;
}

static int reject_authentication(struct mme_ue *ue, struct emm_failure *failure)
{
    metric_add(&mme_counters[MME_AUTHENTICATION_FAILURES], 1);
    emm_send(ue, EMM(NAS_AUTHENTICATION_REJECT, NULL));
    ue->run->release_cause = s1ap_cause_nas(S1AP_NAS_AUTHENTICATION_FAILURE);
    return fail(failure, 0,
                "authentication failed: the SIM and the HSS have different keys "
                "(compare K, OP or OPc, and AMF of the subscriber)",
                -EACCES);
}

/* Clause 5.4.2.5, 5.4.2.7 c: perhaps the phone is not who we think. It is asked once for its IMSI;
 * with another one it is tried again. */
static int doubt_identity(struct mme_ue *ue, bool *was_asked, struct emm_failure *failure)
{
    char former[IMSI_SIZE];

    if (*was_asked)
        return reject_authentication(ue, failure);
    *was_asked = true;
    memcpy(former, ue->imsi, sizeof(former));
    int err = emm_identify(ue, failure);
    if (err < 0)
        return err;
    return strcmp(former, ue->imsi) == 0 ? reject_authentication(ue, failure) : 0;
}

bool emm_keys_are_fresh(const struct nas_security_context *security)
{
    const uint32_t end = NAS_COUNT_LIMIT - 4096;

    return security->ksi != NAS_KSI_NO_KEY && security->ul_count < end && security->dl_count < end;
}

/* A key set identifier that the phone does not use yet (clause 5.4.2.1); 7 means "no key". */
static uint8_t next_ksi(const struct mme_ue *ue)
{
    uint8_t last = ue->security.ksi != NAS_KSI_NO_KEY ? ue->security.ksi : ue->phone_ksi & 7;

    return (uint8_t)(last == NAS_KSI_NO_KEY ? 0 : (last + 1) % 7);
}

int emm_authenticate(struct mme_ue *ue, uint8_t kasme[32], uint8_t *ksi,
                     struct emm_failure *failure)
{
    struct s6a_resynchronization_info resync;
    struct mme_vector vector;
    bool is_resynchronised = false, was_asked = false;
    enum challenge outcome = CHALLENGE_MET;

    *ksi = next_ksi(ue);
    for (unsigned i = 0; i < MAX_CHALLENGES; i++) {
        bool resynchronise = outcome == CHALLENGE_RESYNCHRONISE;
        int err = mme_s6a_authentication_information(ue, resynchronise ? &resync : NULL, &vector,
                                                     failure);
        if (err < 0)
            return err;
        err = challenge(ue, &vector, *ksi, &outcome, &resync);
        if (err < 0)
            return fail_waiting(
                failure, "no answer to Authentication Request (T3460 expired five times)", err);
        if (outcome == CHALLENGE_MET) {
            memcpy(kasme, vector.kasme, sizeof(vector.kasme));
            crypto_wipe(&vector, sizeof(vector));
            return mme_ue_prove_imsi(ue) == 0 ? 0
                                              : fail(failure, EMM_CAUSE_CONGESTION,
                                                     "no memory for the subscriber", -ENOMEM);
        }
        if (outcome == CHALLENGE_RESYNCHRONISE && !is_resynchronised) {
            metric_add(&mme_counters[MME_SYNCH_FAILURES], 1);
            is_resynchronised = true;
            continue;
        }
        err = doubt_identity(ue, &was_asked, failure);
        if (err < 0)
            return err;
    }
    return reject_authentication(ue, failure);
}

/* ---- Security mode control (clause 5.4.3)
 * --------------------------------------------------------------------- */

/* The first algorithm of our list that the phone has; -ENOENT when it has none. */
static int choose(const uint8_t *preference, size_t count, uint8_t supported)
{
    for (size_t i = 0; i < count; i++) {
        if (nas_supports_algorithm(supported, preference[i]))
            return preference[i];
    }
    return -ENOENT;
}

static int command_security_mode(struct mme_ue *ue, const struct nas_security_context *context,
                                 const struct mme_event **event)
{
    const struct nas_ms_network_capability *ms =
        ue->ms_network_capability.len ? &ue->ms_network_capability : NULL;
    const struct nas_security_mode_command command = {
        .selected_eea = context->eea,
        .selected_eia = context->eia,
        .nas_ksi = context->ksi,
        .replayed_ue_security_capabilities =
            nas_ue_security_capability_of(&ue->ue_network_capability, ms),
        .imeisv_request =
            mme.config.security.request_imeisv ? &(uint8_t){NAS_IMEISV_REQUESTED} : NULL,
        .replayed_ue_additional_security_capability =
            ue->has_additional_security ? &ue->additional_security_capability : NULL,
    };

    return emm_ask(ue, EMM(NAS_SECURITY_MODE_COMMAND, &command), MME_T3460,
                   MME_SET(MME_SECURITY_MODE_COMPLETE) | MME_SET(MME_SECURITY_MODE_REJECT), event);
}

/* Security Mode Complete counts only when the new context protects it (clause 5.4.3.4). */
static int take_into_use(struct mme_ue *ue, const struct nas_security_context *context,
                         const struct mme_event *event)
{
    const struct nas_identity *imeisv = event->nas->security_mode_complete->imeisv;

    if (!event->is_secured)
        return -EACCES;
    ue->security = *context;
    if (imeisv && (imeisv->kind == NAS_IDENTITY_IMEISV || imeisv->kind == NAS_IDENTITY_IMEI))
        memcpy(ue->imeisv, imeisv->imei, sizeof(ue->imeisv));
    /* TS 33.401 clause 7.2.6.1: KeNB comes from the NAS COUNT of Security Mode Complete. */
    mme_s1_of(ue)->nas_count = event->nas_count;
    return 0;
}

int emm_secure(struct mme_ue *ue, const uint8_t kasme[32], uint8_t ksi, struct emm_failure *failure)
{
    const struct mme_security_config *config = &mme.config.security;
    const uint8_t *octets = ue->ue_network_capability.octets;
    struct nas_security_context context;
    const struct mme_event *event;
    int eea = choose(config->ciphering.at, config->ciphering.count, octets[0]);
    int eia = choose(config->integrity.at, config->integrity.count, octets[1]);

    if (eea < 0 || eia < 0)
        return fail(failure, EMM_CAUSE_UE_SECURITY_CAPABILITIES_MISMATCH,
                    "the phone has none of the algorithms in mme.security", -EACCES);
    if (nas_security_start(&context, kasme, ksi, (unsigned)eea, (unsigned)eia) < 0)
        return fail(failure, EMM_CAUSE_NETWORK_FAILURE, "keys could not be derived", -EIO);
    ue->run->new_security = &context;
    int err = command_security_mode(ue, &context, &event);
    ue->run->new_security = NULL;
    if (err < 0)
        err = fail_waiting(failure, "no answer to Security Mode Command (T3460 expired five times)",
                           err);
    else if (event->kind == MME_SECURITY_MODE_REJECT)
        err = fail(failure, 0, nas_emm_cause_name(event->nas->security_mode_reject->emm_cause),
                   -EACCES);
    else if (take_into_use(ue, &context, event) < 0)
        err = fail(failure, 0, "Security Mode Complete was not protected", -EACCES);
    crypto_wipe(&context, sizeof(context));
    return err;
}

/* ---- GUTI reallocation (clause 5.4.1)
 * ---------------------------------------------------------------------------- */

int emm_reallocate_guti(struct mme_ue *ue)
{
    const struct mme_event *event;

    if (mme_ue_reallocate_guti(ue) < 0)
        return -ENOMEM;
    struct nas_tai_list list = mme_area_tai_list(ue->area);
    const struct nas_guti_reallocation_command command = {
        .guti = {.kind = NAS_IDENTITY_GUTI, .guti = mme_ue_guti(ue)},
        .tai_list = &list,
    };
    int err = emm_ask(ue, EMM(NAS_GUTI_REALLOCATION_COMMAND, &command), MME_T3450,
                      MME_SET(MME_GUTI_REALLOCATION_COMPLETE), &event);
    /* Without an answer both GUTIs stay valid (clause 5.4.1.6). */
    if (err == 0)
        mme_ue_confirm_guti(ue);
    return err;
}

/* ---- EMM information (clause 5.4.5)
 * ---------------------------------------------------------------------------------- */

/* Quarters of an hour east of Greenwich, and the daylight saving part in whole hours. */
static int8_t zone_of(const struct tm *local)
{
    return (int8_t)(local->tm_gmtoff / (15 * 60));
}

void emm_information(struct mme_ue *ue)
{
    const struct mme_network_name_config *names = &mme.config.network_name;
    uint8_t full[64], brief[64];
    struct nas_network_name full_name, short_name;
    time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm utc, local;

    if (!names->full_name && !names->short_name)
        return;
    gmtime_r(&now, &utc);
    localtime_r(&now, &local);
    struct nas_time clock = {.year = (uint8_t)(utc.tm_year % 100),
                             .month = (uint8_t)(utc.tm_mon + 1),
                             .day = (uint8_t)utc.tm_mday,
                             .hour = (uint8_t)utc.tm_hour,
                             .minute = (uint8_t)utc.tm_min,
                             .second = (uint8_t)utc.tm_sec,
                             .zone_quarters = zone_of(&local)};
    if (names->full_name)
        full_name = nas_network_name(names->full_name, full, sizeof(full));
    if (names->short_name)
        short_name = nas_network_name(names->short_name, brief, sizeof(brief));
    const struct nas_emm_information information = {
        .full_name = names->full_name ? &full_name : NULL,
        .short_name = names->short_name ? &short_name : NULL,
        .universal_time_and_local_time_zone = &clock,
        .network_daylight_saving_time = &(uint8_t){local.tm_isdst > 0 ? 1 : 0},
    };
    emm_send(ue, EMM(NAS_EMM_INFORMATION, &information));
}

/* ---- Timers for accept messages
 * --------------------------------------------------------------------------------------- */

/* The subscription may ask for another period than ours (TS 23.401 clause 5.3.2.1). */
uint8_t emm_t3412(const struct mme_ue *ue)
{
    const struct mme_subscription *subscription = mme_subscription_of(ue);
    uint32_t seconds = mme.config.timers.t3412_ms / 1000;

    if (seconds == 0)
        return nas_gprs_timer(NAS_TIMER_DEACTIVATED);
    if (subscription && subscription->periodic_tau_s > 0 && subscription->periodic_tau_s < seconds)
        seconds = subscription->periodic_tau_s;
    return nas_gprs_timer(seconds);
}
