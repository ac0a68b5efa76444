/*
 * subscription.c -- a subscriber's data as the HSS sends it (TS 29.272 clause 7.3.2), kept once for
 * all subscribers that have the same (shared.h).
 *
 * The kept form is a struct mme_subscription: fixed fields and a row per APN.
 * Insert-Subscriber-Data and Delete-Subscriber-Data make a new one from the former.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mme/s6a.h"
#include "mme/ue.h"

/* Room for a subscription being built. */
#define DRAFT_SIZE (sizeof(struct mme_subscription) + S6A_MAX_APNS * sizeof(struct mme_apn))

struct place {
    _Alignas(16) uint8_t bytes[DRAFT_SIZE];
};

/* Defaults of a bearer for which the subscription says nothing (TS 23.401 clause 4.7.3: a default
 * bearer is non-GBR). */
#define DEFAULT_QCI          9
#define DEFAULT_ARP_PRIORITY 15

static struct mme_subscription *begin(const struct mme_ue *ue, bool is_whole, struct place *place)
{
    memset(place->bytes, 0,
           sizeof(struct mme_subscription)); /* a row is cleared when it is taken */
    if (!is_whole && ue->subscription)
        memcpy(place->bytes, ue->subscription->bytes, ue->subscription->len);
    return (struct mme_subscription *)(void *)place->bytes;
}

static int finish(struct mme_ue *ue, const struct mme_subscription *draft)
{
    size_t len =
        offsetof(struct mme_subscription, apns) + draft->apn_count * sizeof(draft->apns[0]);
    const struct mme_shared *shared = mme_share(draft, len);

    if (!shared)
        return -ENOMEM;
    mme_unshare(ue->subscription);
    ue->subscription = shared;
    return draft->apn_count > 0 ? 0 : -ENOENT;
}

static void take_qos(struct mme_apn *apn, const struct s6a_eps_subscribed_qos_profile *profile)
{
    const struct s6a_allocation_retention_priority *arp;

    apn->qci = DEFAULT_QCI;
    apn->arp_priority = DEFAULT_ARP_PRIORITY;
    apn->may_be_pre_empted = true;
    if (!profile)
        return;
    arp = &profile->allocation_retention_priority;
    apn->qci = (uint8_t)profile->qos_class_identifier;
    if (arp->priority_level >= 1 && arp->priority_level <= 15)
        apn->arp_priority = (uint8_t)arp->priority_level;
    apn->may_pre_empt = arp->pre_emption_capability &&
                        *arp->pre_emption_capability == S6A_PRE_EMPTION_CAPABILITY_ENABLED;
    apn->may_be_pre_empted =
        !arp->pre_emption_vulnerability ||
        *arp->pre_emption_vulnerability == S6A_PRE_EMPTION_VULNERABILITY_ENABLED;
}

static uint32_t kbps(uint64_t bits_per_second)
{
    uint64_t k = bits_per_second / 1000;

    return k > UINT32_MAX ? UINT32_MAX : (uint32_t)k;
}

static void take_addresses(struct mme_apn *apn, const struct s6a_apn_configuration *from)
{
    for (size_t i = 0; i < from->served_party_ip_address.count; i++) {
        const struct diameter_address *address = &from->served_party_ip_address.at[i];
        if (address->family == DIAMETER_ADDRESS_IPV4) {
            apn->has_ipv4 = true;
            apn->ipv4 = address->ipv4;
        } else if (address->family == DIAMETER_ADDRESS_IPV6) {
            apn->has_ipv6 = true;
            apn->ipv6 = address->ipv6;
        }
    }
    if (!from->mip6_agent_info || from->mip6_agent_info->mip_home_agent_address.count == 0)
        return;
    const struct diameter_address *pgw = &from->mip6_agent_info->mip_home_agent_address.at[0];
    apn->pgw_len = pgw->family == DIAMETER_ADDRESS_IPV4   ? 4
                   : pgw->family == DIAMETER_ADDRESS_IPV6 ? 16
                                                          : 0;
    memcpy(apn->pgw, &pgw->ipv6, apn->pgw_len);
}

static void take_apn(struct mme_subscription *draft, const struct s6a_apn_configuration *from)
{
    struct mme_apn *apn = NULL;

    for (uint32_t i = 0; i < draft->apn_count && !apn; i++) {
        if (draft->apns[i].context_id == from->context_identifier)
            apn = &draft->apns[i];
    }
    if (!apn) {
        if (draft->apn_count == S6A_MAX_APNS)
            return;
        apn = &draft->apns[draft->apn_count++];
    }
    memset(apn, 0, sizeof(*apn));
    apn->context_id = from->context_identifier;
    snprintf(apn->name, sizeof(apn->name), "%s", from->service_selection);
    apn->pdn_type = (uint8_t)from->pdn_type;
    take_qos(apn, from->eps_subscribed_qos_profile);
    if (from->ambr) {
        apn->ambr_ul_kbps = kbps(s6a_ambr_ul(from->ambr));
        apn->ambr_dl_kbps = kbps(s6a_ambr_dl(from->ambr));
    }
    take_addresses(apn, from);
}

static void take_profile(struct mme_subscription *draft,
                         const struct s6a_apn_configuration_profile *profile)
{
    if (profile->all_apn_configurations_included_indicator == S6A_ALL_APN_CONFIGURATIONS_INCLUDED) {
        memset(draft->apns, 0, draft->apn_count * sizeof(draft->apns[0]));
        draft->apn_count = 0;
    }
    draft->default_context_id = profile->context_identifier;
    for (size_t i = 0; i < profile->apn_configuration.count; i++)
        take_apn(draft, &profile->apn_configuration.at[i]);
}

int mme_subscription_take(struct mme_ue *ue, const struct s6a_subscription_data *data,
                          bool is_whole)
{
    struct place place;
    struct mme_subscription *head = begin(ue, is_whole, &place);

    if (data->subscriber_status)
        head->is_barred = *data->subscriber_status == S6A_OPERATOR_DETERMINED_BARRING;
    if (data->operator_determined_barring)
        head->barring = *data->operator_determined_barring;
    if (data->access_restriction_data)
        head->access_restriction = *data->access_restriction_data;
    if (data->rat_frequency_selection_priority_id)
        head->rfsp = *data->rat_frequency_selection_priority_id;
    if (data->subscribed_periodic_rau_tau_timer)
        head->periodic_tau_s = *data->subscribed_periodic_rau_tau_timer;
    if (data->ambr) {
        head->ambr_ul = s6a_ambr_ul(data->ambr);
        head->ambr_dl = s6a_ambr_dl(data->ambr);
    }
    if (data->apn_configuration_profile)
        take_profile(head, data->apn_configuration_profile);
    if (data->msisdn)
        memcpy(ue->msisdn, *data->msisdn, sizeof(ue->msisdn));
    return finish(ue, head);
}

static bool is_named(uint32_t context_id, const struct s6a_dsr *request)
{
    for (size_t i = 0; i < request->context_identifier.count; i++) {
        if (request->context_identifier.at[i] == context_id)
            return true;
    }
    return false;
}

int mme_subscription_remove(struct mme_ue *ue, const struct s6a_dsr *request)
{
    struct place place;
    struct mme_subscription *draft = begin(ue, false, &place);
    uint32_t had = draft->apn_count, kept = 0;

    for (uint32_t i = 0; i < had; i++) {
        bool remove = request->dsr_flags & S6A_DSR_COMPLETE_APN_PROFILE ||
                      (request->dsr_flags & S6A_DSR_PDN_SUBSCRIPTION_CONTEXTS &&
                       is_named(draft->apns[i].context_id, request));
        if (!remove)
            draft->apns[kept++] = draft->apns[i];
    }
    memset(&draft->apns[kept], 0, (had - kept) * sizeof(draft->apns[0]));
    draft->apn_count = kept;
    if (request->dsr_flags & S6A_DSR_SUBSCRIBED_PERIODIC_TIMER)
        draft->periodic_tau_s = 0;
    if (request->dsr_flags & S6A_DSR_MSISDN)
        ue->msisdn[0] = '\0';
    int err = finish(ue, draft);
    return err == -ENOENT ? 0 : err;
}

/* ---- Choice of an APN (TS 23.401 clause 5.10.2, TS 23.003 clause 9.1)
 * ------------------------------------------------- */

/* Length of the network identifier: an operator identifier (".mncNNN.mccNNN.gprs") is no part of
 * what is subscribed. */
static size_t network_identifier_length(const char *apn)
{
    static const char pattern[] = ".mnc000.mcc000.gprs";
    size_t len = strlen(apn), tail = sizeof(pattern) - 1;

    if (len <= tail)
        return len;
    for (size_t i = 0; i < tail; i++) {
        char c = apn[len - tail + i];
        bool fits = pattern[i] == '0' ? c >= '0' && c <= '9' : (c | 32) == (pattern[i] | 32);
        if (!fits)
            return len;
    }
    return len - tail;
}

const struct mme_apn *mme_subscription_apn(const struct mme_ue *ue, const char *asked,
                                           char name[APN_SIZE])
{
    const struct mme_subscription *subscription = mme_subscription_of(ue);
    const struct mme_apn *wildcard = NULL;

    for (uint32_t i = 0; subscription && i < subscription->apn_count; i++) {
        const struct mme_apn *apn = &subscription->apns[i];
        size_t len = asked ? network_identifier_length(asked) : 0;
        bool fits = len > 0 ? strlen(apn->name) == len && strncasecmp(apn->name, asked, len) == 0
                            : apn->context_id == subscription->default_context_id;
        if (strcmp(apn->name, "*") == 0) {
            wildcard = apn;
        } else if (fits) {
            memcpy(name, apn->name, APN_SIZE);
            return apn;
        }
    }
    if (!wildcard || !asked || !asked[0])
        return NULL;
    size_t len = network_identifier_length(asked);
    memcpy(name, asked, len);
    name[len] = '\0';
    return wildcard;
}
