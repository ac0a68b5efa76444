/*
 * s6a.c -- the MME as client of the HSS (TS 29.272 clause 5): Authentication-Information,
 * Update-Location, Purge-UE, Notify; and as its server: Cancel-Location, Insert- and
 * Delete-Subscriber-Data, Reset.
 *
 * What a phone is told when the HSS says no is one table (annex A of the specification). What the
 * operator is told says what to do.
 *
 * Requests run in the phone's fiber and can be cut short by mme_post(). Requests of the HSS are
 * answered at once; what follows from them is an event for the phone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "mme/metrics.h"
#include "mme/s6a.h"
#include "mme/ue.h"

#define NTP_EPOCH 2208988800u /* 1970 in seconds since 1900 */

/* ---- Failures
 * ------------------------------------------------------------------------------------------------
 */

static int fail(struct emm_failure *failure, uint8_t emm_cause, const char *why, int err)
{
    *failure = (struct emm_failure){emm_cause, why};
    return err;
}

/* TS 29.272 annex A.2, table A.2. */
static const struct {
    uint32_t result;
    uint8_t emm_cause;
    const char *why;
} refusals[] = {
    {DIAMETER_ERROR_USER_UNKNOWN, EMM_CAUSE_EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED,
     "the HSS knows no such subscriber (add it: strowger subscriber add ...)"},
    {DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION, EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA,
     "the subscriber has no EPS subscription"},
    {DIAMETER_ERROR_RAT_NOT_ALLOWED, EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA,
     "the subscription does not allow E-UTRAN"},
    {DIAMETER_ERROR_ROAMING_NOT_ALLOWED, EMM_CAUSE_PLMN_NOT_ALLOWED,
     "the subscriber may not roam here"},
    {DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE, EMM_CAUSE_NETWORK_FAILURE,
     "the HSS cannot make authentication vectors for it now"},
    {DIAMETER_AUTHORIZATION_REJECTED, EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA,
     "the HSS does not let this MME serve the subscriber"},
    {DIAMETER_UNABLE_TO_DELIVER, EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA,
     "no HSS for the subscriber can be reached (DIAMETER_UNABLE_TO_DELIVER)"},
    {DIAMETER_REALM_NOT_SERVED, EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA,
     "the realm in mme.s6a is not served"},
};

static int refused(struct emm_failure *failure, uint32_t result)
{
    static char other[96];

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i].result == result)
            return fail(failure, refusals[i].emm_cause, refusals[i].why, -EACCES);
    }
    struct text t = text_in(other, sizeof(other));
    text_add(&t, "the HSS answers %s", diameter_result_name(result));
    return fail(failure, EMM_CAUSE_NETWORK_FAILURE, other, -EACCES);
}

static int unreachable(struct emm_failure *failure, int err)
{
    const char *why = err == -EHOSTUNREACH
                          ? "no HSS is connected (is it running? see mme.s6a.peers)"
                      : err == -ETIMEDOUT ? "the HSS does not answer"
                      : err == -EBADMSG   ? "the HSS's answer cannot be understood"
                                          : "the HSS cannot be asked now";

    return fail(failure, err == -ECANCELED ? 0 : EMM_CAUSE_NETWORK_FAILURE,
                err == -ECANCELED ? "something else came first" : why, err);
}

/* ---- Requests
 * ----------------------------------------------------------------------------------------------------
 */

/* One request for a phone; the wait ends early when the procedure is aborted. 0 with a successful
 * answer. */
static int ask(struct mme_ue *ue, const struct diameter_message *message, void *request,
               void *answer, struct emm_failure *failure)
{
    int err = mme_check(ue);

    if (err == 0) {
        ue->run->is_in_diameter = true;
        err = diameter_request(mme.s6a, message, request, answer, 0);
        ue->run->is_in_diameter = false;
    }
    if (err < 0)
        return unreachable(failure, err);
    uint32_t result = diameter_result_of(answer);
    if (!diameter_result_is_success(result))
        return refused(failure, result);
    err = mme_check(ue);
    return err < 0 ? unreachable(failure, err) : 0;
}

static struct plmn visited_plmn(const struct mme_ue *ue)
{
    return mme.config.tracking_areas.at[ue->area].plmn;
}

int mme_s6a_authentication_information(struct mme_ue *ue,
                                       const struct s6a_resynchronization_info *resync,
                                       struct mme_vector *vector, struct emm_failure *failure)
{
    struct s6a_requested_authentication_info wanted = {
        .number_of_requested_vectors = &(uint32_t){1},
        .immediate_response_preferred = &(uint32_t){1},
        .re_synchronization_info = (struct s6a_resynchronization_info *)(uintptr_t)resync,
    };
    struct s6a_air request = {
        .requested_eutran_authentication_info = &wanted,
        .visited_plmn_id = visited_plmn(ue),
    };
    struct s6a_aia answer = {0};

    memcpy(request.imsi, ue->imsi, sizeof(request.imsi));
    int err = ask(ue, &s6a_air_message, &request, &answer, failure);
    if (err < 0)
        return err;
    if (!answer.authentication_info || answer.authentication_info->e_utran_vector.count == 0)
        return fail(failure, EMM_CAUSE_NETWORK_FAILURE, "the HSS sent no authentication vector",
                    -EBADMSG);
    const struct s6a_e_utran_vector *from = &answer.authentication_info->e_utran_vector.at[0];
    if (from->xres.len < 4 || from->xres.len > sizeof(vector->xres))
        return fail(failure, EMM_CAUSE_NETWORK_FAILURE, "the HSS sent a vector without XRES",
                    -EBADMSG);
    memcpy(vector->rand, from->rand, sizeof(vector->rand));
    memcpy(vector->autn, from->autn, sizeof(vector->autn));
    memcpy(vector->kasme, from->kasme, sizeof(vector->kasme));
    memcpy(vector->xres, from->xres.at, from->xres.len);
    vector->xres_len = (uint8_t)from->xres.len;
    return 0;
}

/* IMEISV as Terminal-Information (clause 7.3.3): 14 digits of IMEI, 2 of software version. */
struct terminal {
    struct s6a_terminal_information information;
    struct bytes imei, software;
};

static struct s6a_terminal_information *terminal_of(const struct mme_ue *ue, struct terminal *place)
{
    size_t len = strlen(ue->imeisv);

    if (len < 14)
        return NULL;
    place->imei = bytes_of(ue->imeisv, 14);
    place->software = bytes_of(ue->imeisv + 14, len - 14);
    place->information = (struct s6a_terminal_information){
        .imei = &place->imei,
        .software_version = len == 16 ? &place->software : NULL,
    };
    return &place->information;
}

int mme_s6a_update_location(struct mme_ue *ue, bool initial_attach, struct emm_failure *failure)
{
    struct terminal terminal;
    struct s6a_ulr request = {
        .terminal_information = terminal_of(ue, &terminal),
        .rat_type = S6A_RAT_EUTRAN,
        .ulr_flags = S6A_ULR_S6A_INDICATOR | S6A_ULR_SINGLE_REGISTRATION |
                     (initial_attach ? S6A_ULR_INITIAL_ATTACH : 0),
        .visited_plmn_id = visited_plmn(ue),
    };
    struct s6a_ula answer = {0};

    memcpy(request.imsi, ue->imsi, sizeof(request.imsi));
    /* From here on the HSS may have us as the serving node, whatever becomes of its answer. */
    ue->hss_knows_us = true;
    int err = ask(ue, &s6a_ulr_message, &request, &answer, failure);
    if (err < 0) {
        ue->hss_knows_us = err == -ECANCELED || err == -ETIMEDOUT;
        return err;
    }
    ue->hss_is_unconfirmed = false;
    if (!answer.subscription_data)
        return ue->subscription ? 0
                                : fail(failure, EMM_CAUSE_NETWORK_FAILURE,
                                       "the HSS sent no subscription data", -EBADMSG);
    err = mme_subscription_take(ue, answer.subscription_data, true);
    if (err == -ENOENT)
        return fail(failure, EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA,
                    "the subscription has no APN", -EACCES);
    return err == 0 ? 0
                    : fail(failure, EMM_CAUSE_CONGESTION, "no memory for the subscription", err);
}

void mme_s6a_purge(struct mme_ue *ue)
{
    struct s6a_pur request = {.pur_flags = &(uint32_t){S6A_PUR_UE_PURGED_IN_MME}};
    struct s6a_pua answer = {0};

    if (!mme.config.purge_on_detach || !ue->imsi[0])
        return;
    memcpy(request.imsi, ue->imsi, sizeof(request.imsi));
    int err = diameter_request(mme.s6a, &s6a_pur_message, &request, &answer, 0);
    if (err < 0)
        log_debug("Purge-UE: %s", strerror(-err));
}

void mme_s6a_notify_reachable(struct mme_ue *ue)
{
    struct emm_failure failure;
    struct s6a_nor request = {
        .nor_flags = &(uint32_t){S6A_NOR_UE_REACHABLE | S6A_NOR_S6A_INDICATOR},
    };
    struct s6a_noa answer = {0};

    memcpy(request.imsi, ue->imsi, sizeof(request.imsi));
    if (ask(ue, &s6a_nor_message, &request, &answer, &failure) == 0)
        ue->hss_wants_reachability = false;
}

void mme_s6a_notify_pgw(struct mme_ue *ue, const struct mme_pdn *pdn)
{
    struct emm_failure failure;
    struct diameter_address address = {0};
    struct s6a_mip6_agent_info agent = {.mip_home_agent_address = {&address, 1}};
    char apn[APN_SIZE] = "";
    struct s6a_nor request = {
        .mip6_agent_info = &agent,
        .context_identifier = &(uint32_t){pdn->context_id},
        .service_selection = &apn,
    };
    struct s6a_noa answer = {0};

    if (pdn->pgw.len == 0)
        return;
    address.family = pdn->pgw.len == 16 ? DIAMETER_ADDRESS_IPV6 : DIAMETER_ADDRESS_IPV4;
    memcpy(&address.ipv6, pdn->pgw.address, pdn->pgw.len == 16 ? 16 : 4);
    memcpy(apn, mme_apn_name(pdn), strlen(mme_apn_name(pdn)) + 1);
    memcpy(request.imsi, ue->imsi, sizeof(request.imsi));
    if (ask(ue, &s6a_nor_message, &request, &answer, &failure) < 0)
        log_debug("Notify: %s", failure.why);
}

/* ---- What the HSS asks (clauses 5.2.1.2, 5.2.2, 5.2.3.2)
 * -------------------------------------------------------------- */

static void answer_cla(struct diameter_exchange *exchange, uint32_t result)
{
    struct diameter_result_place place;
    struct s6a_cla answer = {0};

    diameter_set_result(&answer.head, &place, result);
    diameter_answer(exchange, &answer);
}

/* A subscriber that we do not have is cancelled already. */
static void cancel_location(struct diameter_exchange *exchange, void *message, void *owner)
{
    const struct s6a_clr *request = message;
    struct mme_ue *ue = mme_ue_of_imsi(request->imsi);
    struct mme_event event = {.kind = MME_CANCEL_LOCATION};

    (void)owner;
    answer_cla(exchange, DIAMETER_SUCCESS);
    if (!ue)
        return;
    event.how = (uint8_t)(request->cancellation_type & 0x7f);
    if (request->clr_flags && *request->clr_flags & S6A_CLR_REATTACH_REQUIRED)
        event.how |= MME_CANCEL_AND_REATTACH;
    mme_post(ue, &event);
}

static uint32_t user_state(const struct mme_ue *ue)
{
    if (!ue->is_registered)
        return S6A_DETACHED;
    if (mme_ue_is_connected(ue))
        return S6A_CONNECTED_REACHABLE_FOR_PAGING;
    return ue->is_reachable ? S6A_ATTACHED_REACHABLE_FOR_PAGING
                            : S6A_ATTACHED_NOT_REACHABLE_FOR_PAGING;
}

/* What an IDR asks to be told, with its storage. */
struct told {
    uint32_t state, age, activity, rat, voice;
    struct s6a_mme_user_state mme_state;
    struct s6a_eps_user_state eps_state;
    struct s6a_mme_location_information mme_location;
    struct s6a_eps_location_information eps_location;
};

static void tell(struct mme_ue *ue, uint32_t flags, struct told *told, struct s6a_ida *answer)
{
    uint64_t idle_ms = loop_now_ms() - ue->seen_ms;

    if (flags & S6A_IDR_UE_REACHABILITY)
        ue->hss_wants_reachability = true;
    if (flags & S6A_IDR_EPS_USER_STATE) {
        told->state = user_state(ue);
        told->mme_state.user_state = &told->state;
        told->eps_state.mme_user_state = &told->mme_state;
        answer->eps_user_state = &told->eps_state;
    }
    if (flags & S6A_IDR_EPS_LOCATION) {
        told->age = (uint32_t)(idle_ms / 60000);
        told->mme_location = (struct s6a_mme_location_information){
            .e_utran_cell_global_identity = ue->ecgi.plmn.mnc_digits > 0 ? &ue->ecgi : NULL,
            .tracking_area_identity = &ue->tai,
            .age_of_location_information = &told->age,
        };
        told->eps_location.mme_location_information = &told->mme_location;
        answer->eps_location_information = &told->eps_location;
    }
    if (flags & S6A_IDR_T_ADS) {
        told->activity = (uint32_t)((clock_wall_us() / 1000 - idle_ms) / 1000 + NTP_EPOCH);
        told->rat = S6A_RAT_EUTRAN;
        told->voice = mme.config.ims_voice;
        answer->last_ue_activity_time = &told->activity;
        answer->rat_type = &told->rat;
        answer->ims_voice_over_ps_sessions_supported = &told->voice;
    }
}

static void insert_subscriber_data(struct diameter_exchange *exchange, void *message, void *owner)
{
    const struct s6a_idr *request = message;
    struct mme_ue *ue = mme_ue_of_imsi(request->imsi);
    struct diameter_result_place place;
    struct s6a_ida answer = {0};
    struct told told = {0};
    int err = ue ? mme_subscription_take(ue, &request->subscription_data, false) : -ENOENT;

    (void)owner;
    if (ue && request->idr_flags)
        tell(ue, *request->idr_flags, &told, &answer);
    diameter_set_result(&answer.head, &place,
                        !ue              ? DIAMETER_ERROR_USER_UNKNOWN
                        : err == -ENOMEM ? DIAMETER_OUT_OF_SPACE
                                         : DIAMETER_SUCCESS);
    diameter_answer(exchange, &answer);
    if (ue && err == 0)
        mme_post(ue, &(struct mme_event){.kind = MME_SUBSCRIPTION_CHANGED});
}

static void delete_subscriber_data(struct diameter_exchange *exchange, void *message, void *owner)
{
    const struct s6a_dsr *request = message;
    struct mme_ue *ue = mme_ue_of_imsi(request->imsi);
    struct diameter_result_place place;
    struct s6a_dsa answer = {0};
    int err = ue ? mme_subscription_remove(ue, request) : -ENOENT;

    (void)owner;
    diameter_set_result(&answer.head, &place,
                        !ue              ? DIAMETER_ERROR_USER_UNKNOWN
                        : err == -ENOMEM ? DIAMETER_OUT_OF_SPACE
                                         : DIAMETER_SUCCESS);
    diameter_answer(exchange, &answer);
    if (ue && err == 0)
        mme_post(ue, &(struct mme_event){.kind = MME_SUBSCRIPTION_CHANGED});
}

static bool is_concerned(const struct mme_ue *ue, const struct s6a_rsr *request)
{
    for (size_t i = 0; i < request->user_id.count; i++) {
        struct bytes digits = request->user_id.at[i];
        if (digits.len <= strlen(ue->imsi) && memcmp(ue->imsi, digits.at, digits.len) == 0)
            return true;
    }
    return request->user_id.count == 0;
}

/* The HSS has restarted: its subscribers are told to it again when they are heard (TS 23.007 clause
 * 8). */
static void reset(struct diameter_exchange *exchange, void *message, void *owner)
{
    const struct s6a_rsr *request = message;
    struct diameter_result_place place;
    struct s6a_rsa answer = {0};
    uint32_t at = 0;
    unsigned count = 0;

    (void)owner;
    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue; ue = pool_next(&mme.ues, &at)) {
        if (!ue->hss_knows_us || !is_concerned(ue, request))
            continue;
        ue->hss_is_unconfirmed = true;
        count++;
    }
    diameter_set_result(&answer.head, &place, DIAMETER_SUCCESS);
    diameter_answer(exchange, &answer);
    log_info("the HSS has restarted: %u subscribers will be told to it again when they are heard",
             count);
}

/* ---- The node
 * ------------------------------------------------------------------------------------------------------------
 */

static const struct diameter_service services[] = {
    {&s6a_clr_message, cancel_location},
    {&s6a_idr_message, insert_subscriber_data},
    {&s6a_dsr_message, delete_subscriber_data},
    {&s6a_rsr_message, reset},
};

static void peer_changed(void *owner, struct bytes host, bool up)
{
    (void)owner;
    log_info("HSS %.*s is %s", (int)host.len, (const char *)host.at, up ? "connected" : "lost");
}

int mme_s6a_open(void)
{
    static const struct diameter_node_application applications[] = {
        {DIAMETER_VENDOR_3GPP, DIAMETER_APPLICATION_S6A},
    };
    const struct diameter_node_settings settings = {
        .config = &mme.config.s6a,
        .applications = applications,
        .application_count = 1,
        .services = services,
        .service_count = sizeof(services) / sizeof(services[0]),
        .peer_changed = peer_changed,
    };

    return diameter_node_start(&settings, &mme.s6a);
}

void mme_s6a_close(void (*closed)(void *owner))
{
    if (mme.s6a)
        diameter_node_stop(mme.s6a, DIAMETER_REBOOTING, closed, NULL);
    else
        closed(NULL);
    mme.s6a = NULL;
}
