/*
 * s6a.c -- what MMEs ask: authentication information, update location, purge, notify (TS 29.272
 * clauses 5.2.1 to 5.2.5).
 *
 * Every request is answered within its dispatch: subscribers are in memory, or a moment away in the
 * store. Each procedure is a function that returns the result, in the order of its clause; the
 * handler around it builds the answer.
 */
#include <errno.h>

#include "crypto/crypto.h"
#include "hss/server.h"

static void log_refusal(const char *what, const char *imsi, uint32_t result)
{
    static struct log_limit limit;

    log_limited(
        &limit, LOG_INFO, "%s: %s refused: %s%s", imsi, what, diameter_result_name(result),
        result == DIAMETER_ERROR_USER_UNKNOWN ? " (add it: strowger subscriber add IMSI ...)" : "");
}

static void answer(struct diameter_exchange *exchange, void *message, uint32_t result)
{
    struct diameter_result_place place;

    diameter_set_result(message, &place, result);
    (void)diameter_answer(exchange, message); /* when the MME is gone, nobody wants it */
}

/* The subscriber, or the result that tells why not. */
static uint32_t find(struct hss *hss, const char *imsi, uint32_t when_broken,
                     struct hss_entry **entry)
{
    int err = cache_get(&hss->cache, imsi, entry);

    if (err == -ENOENT)
        return DIAMETER_ERROR_USER_UNKNOWN;
    return err < 0 ? when_broken : DIAMETER_SUCCESS;
}

/* ---- Authentication information retrieval (clause 5.2.3.1) ---- */

static uint32_t authenticate(struct hss *hss, const struct s6a_air *air, struct hss_vector *vectors,
                             size_t *count)
{
    const struct s6a_requested_authentication_info *wanted =
        air->requested_eutran_authentication_info;
    struct hss_entry *entry;
    uint32_t mme;

    uint32_t result = find(hss, air->imsi, DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE, &entry);
    if (result != DIAMETER_SUCCESS)
        return result;
    if (entry->record->apn_count == 0)
        return DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION;
    if (!wanted || hss_mme_number(hss, air->head.origin_host, air->head.origin_realm, &mme) < 0)
        return DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE; /* only UTRAN or GERAN vectors are wanted
                                                          */
    if (wanted->re_synchronization_info) {
        int err = auth_resynchronise(&hss->cache, entry, wanted->re_synchronization_info);
        hss_count(err < 0 ? HSS_RESYNCS_REFUSED : HSS_RESYNCS);
        if (err < 0)
            return DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE;
    }
    size_t asked = wanted->number_of_requested_vectors ? *wanted->number_of_requested_vectors : 1;
    *count = asked == 0 ? 1 : asked < S6A_MAX_VECTORS ? asked : S6A_MAX_VECTORS;
    if (auth_vectors(&hss->cache, entry, &air->visited_plmn_id, mme, vectors, *count) < 0)
        return DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE;
    return DIAMETER_SUCCESS;
}

static void handle_air(struct diameter_exchange *exchange, void *request, void *owner)
{
    struct s6a_air *air = request;
    struct hss_vector vectors[S6A_MAX_VECTORS];
    struct s6a_e_utran_vector told[S6A_MAX_VECTORS];
    uint32_t numbers[S6A_MAX_VECTORS];
    struct s6a_authentication_info info = {.e_utran_vector = {told, 0}};
    struct s6a_aia aia = {0};
    size_t count = 0;

    uint32_t result = authenticate(owner, air, vectors, &count);
    hss_count(result == DIAMETER_SUCCESS ? HSS_AIR : HSS_AIR_REFUSED);
    if (result == DIAMETER_SUCCESS) {
        for (size_t i = 0; i < count; i++) {
            /* Item-Number orders several vectors (clause 7.3.23). */
            numbers[i] = (uint32_t)i + 1;
            told[i].item_number = count > 1 ? &numbers[i] : NULL;
            told[i].xres = bytes_of(vectors[i].xres, sizeof(vectors[i].xres));
            memcpy(told[i].rand, vectors[i].rand, sizeof(told[i].rand));
            memcpy(told[i].autn, vectors[i].autn, sizeof(told[i].autn));
            memcpy(told[i].kasme, vectors[i].kasme, sizeof(told[i].kasme));
        }
        info.e_utran_vector.count = count;
        aia.authentication_info = &info;
        metric_add(&hss_metrics[HSS_VECTORS], count);
    } else {
        log_refusal("authentication", air->imsi, result);
    }
    answer(exchange, &aia, result);
    crypto_wipe(vectors, sizeof(vectors));
    crypto_wipe(told, sizeof(told));
}

/* ---- Update location (clause 5.2.1.1) ---- */

static bool may_register_in(const struct hss *hss, const struct plmn *plmn)
{
    for (size_t i = 0; i < hss->config.plmns.count; i++) {
        if (plmn_equal(&hss->config.plmns.at[i], plmn))
            return true;
    }
    return hss->config.plmns.count == 0;
}

static bool rat_is_allowed(const struct hss_subscriber *subscriber, uint32_t rat)
{
    if (rat == S6A_RAT_EUTRAN)
        return !(subscriber->access_restriction & S6A_WB_E_UTRAN_NOT_ALLOWED);
    if (rat == S6A_RAT_EUTRAN_NB_IOT)
        return !(subscriber->access_restriction & S6A_NB_IOT_NOT_ALLOWED);
    return false;
}

/* What of feature list 1 the MME supports. */
static uint32_t features_of(const struct s6a_ulr *ulr)
{
    for (size_t i = 0; i < ulr->supported_features.count; i++) {
        const struct s6a_supported_features *f = &ulr->supported_features.at[i];
        if (f->vendor_id == DIAMETER_VENDOR_3GPP && f->feature_list_id == 1)
            return f->feature_list;
    }
    return 0;
}

static uint32_t update_location(struct hss *hss, const struct s6a_ulr *ulr,
                                struct hss_entry **entry, uint32_t *diagnostic)
{
    uint32_t mme;

    uint32_t result = find(hss, ulr->imsi, DIAMETER_UNABLE_TO_COMPLY, entry);
    if (result != DIAMETER_SUCCESS)
        return result;
    const struct hss_subscriber *subscriber = (*entry)->record;
    if (subscriber->apn_count == 0) {
        *diagnostic = S6A_NO_GPRS_DATA_SUBSCRIBED;
        return DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION;
    }
    if (!rat_is_allowed(subscriber, ulr->rat_type))
        return DIAMETER_ERROR_RAT_NOT_ALLOWED;
    if (!may_register_in(hss, &ulr->visited_plmn_id))
        return DIAMETER_ERROR_ROAMING_NOT_ALLOWED;
    /* An MME that knows barring is told of it; for one that does not, we have to refuse. */
    if (subscriber->barred && !(features_of(ulr) & S6A_FEATURE_ODB_ALL_APN)) {
        *diagnostic = S6A_ODB_ALL_APN;
        return DIAMETER_ERROR_ROAMING_NOT_ALLOWED;
    }
    if (hss_mme_number(hss, ulr->head.origin_host, ulr->head.origin_realm, &mme) < 0)
        return DIAMETER_UNABLE_TO_COMPLY;
    if (subscriber->mme != 0 && subscriber->mme != mme && !subscriber->purged)
        hss_send_clr(hss, ulr->imsi, subscriber->mme, S6A_MME_UPDATE_PROCEDURE);
    cache_set_location(&hss->cache, *entry, mme, false);
    return DIAMETER_SUCCESS;
}

static void handle_ulr(struct diameter_exchange *exchange, void *request, void *owner)
{
    const uint32_t none = UINT32_MAX;
    struct s6a_ulr *ulr = request;
    struct hss_profile_place place;
    struct s6a_supported_features features = {DIAMETER_VENDOR_3GPP, 1, S6A_FEATURE_ODB_ALL_APN};
    struct s6a_ula ula = {0};
    struct hss_entry *entry;
    uint32_t flags = S6A_ULA_SEPARATION_INDICATION, diagnostic = none;

    uint32_t result = update_location(owner, ulr, &entry, &diagnostic);
    hss_count(result == DIAMETER_SUCCESS ? HSS_ULR : HSS_ULR_REFUSED);
    if (result == DIAMETER_SUCCESS) {
        ula.ula_flags = &flags;
        if (!(ulr->ulr_flags & S6A_ULR_SKIP_SUBSCRIBER_DATA))
            ula.subscription_data = hss_subscription_data(entry->record, &place);
        if (ulr->supported_features.count > 0) {
            ula.supported_features.at = &features;
            ula.supported_features.count = 1;
        }
    } else {
        log_refusal("update location", ulr->imsi, result);
        ula.error_diagnostic = diagnostic == none ? NULL : &diagnostic;
    }
    answer(exchange, &ula, result);
}

/* ---- Purge UE (clause 5.2.1.3) ---- */

static void handle_pur(struct diameter_exchange *exchange, void *request, void *owner)
{
    struct hss *hss = owner;
    struct s6a_pur *pur = request;
    struct s6a_pua pua = {0};
    struct hss_entry *entry;
    uint32_t flags = S6A_PUA_FREEZE_M_TMSI, mme = 0;

    uint32_t result = find(hss, pur->imsi, DIAMETER_UNABLE_TO_COMPLY, &entry);
    hss_count(HSS_PUR);
    if (result == DIAMETER_SUCCESS &&
        hss_mme_number(hss, pur->head.origin_host, pur->head.origin_realm, &mme) == 0 &&
        entry->record->mme == mme) {
        /* Only the MME that has it may purge it; another is told yes, and nothing changes. */
        cache_set_location(&hss->cache, entry, mme, true);
        pua.pua_flags = &flags;
    }
    answer(exchange, &pua, result);
}

/* ---- Notification (clause 5.2.5.1) ---- */

static void handle_nor(struct diameter_exchange *exchange, void *request, void *owner)
{
    struct hss *hss = owner;
    struct s6a_nor *nor = request;
    struct s6a_noa noa = {0};
    struct hss_entry *entry;
    uint32_t mme = 0;

    uint32_t result = find(hss, nor->imsi, DIAMETER_UNABLE_TO_COMPLY, &entry);
    hss_count(HSS_NOR);
    if (result == DIAMETER_SUCCESS &&
        (hss_mme_number(hss, nor->head.origin_host, nor->head.origin_realm, &mme) < 0 ||
         entry->record->mme != mme))
        result = DIAMETER_ERROR_UNKNOWN_SERVING_NODE;
    answer(exchange, &noa, result);
}

const struct diameter_service hss_services[] = {
    {&s6a_air_message, handle_air},
    {&s6a_ulr_message, handle_ulr},
    {&s6a_pur_message, handle_pur},
    {&s6a_nor_message, handle_nor},
};
const size_t hss_service_count = sizeof(hss_services) / sizeof(hss_services[0]);
