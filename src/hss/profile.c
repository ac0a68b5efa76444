/*
 * profile.c -- what an MME is told of a subscriber: Subscription-Data (TS 29.272 clause 7.3.2).
 *
 * The first APN of a record is the default one; Context-Identifiers count from 1 in the record's
 * order.
 */
#include "hss/server.h"

/* Rates above 2^32 - 1 bit/s are told in kbit/s by the extended AVPs, with the plain ones at their
 * maximum (clause 7.3.41). */
static struct s6a_ambr ambr_of(uint64_t ul, uint64_t dl, uint32_t extended[2])
{
    struct s6a_ambr ambr = {
        .max_requested_bandwidth_ul = ul < UINT32_MAX ? (uint32_t)ul : UINT32_MAX,
        .max_requested_bandwidth_dl = dl < UINT32_MAX ? (uint32_t)dl : UINT32_MAX,
    };

    extended[0] = (uint32_t)(ul / 1000);
    extended[1] = (uint32_t)(dl / 1000);
    if (ul > UINT32_MAX)
        ambr.extended_max_requested_bw_ul = &extended[0];
    if (dl > UINT32_MAX)
        ambr.extended_max_requested_bw_dl = &extended[1];
    return ambr;
}

static void fill_apn(const struct hss_apn *apn, uint32_t context, struct hss_apn_place *place,
                     struct s6a_apn_configuration *configuration)
{
    size_t addresses = 0;

    place->may_pre_empt = apn->may_pre_empt ? S6A_PRE_EMPTION_CAPABILITY_ENABLED
                                            : S6A_PRE_EMPTION_CAPABILITY_DISABLED;
    place->may_be_pre_empted = apn->may_be_pre_empted ? S6A_PRE_EMPTION_VULNERABILITY_ENABLED
                                                      : S6A_PRE_EMPTION_VULNERABILITY_DISABLED;
    place->qos = (struct s6a_eps_subscribed_qos_profile){
        .qos_class_identifier = apn->qci,
        .allocation_retention_priority = {.priority_level = apn->arp_priority,
                                          .pre_emption_capability = &place->may_pre_empt,
                                          .pre_emption_vulnerability = &place->may_be_pre_empted},
    };
    place->ambr = ambr_of(apn->ambr_ul, apn->ambr_dl, place->extended);
    if (apn->has_ipv4)
        place->addresses[addresses++] =
            (struct diameter_address){.family = DIAMETER_ADDRESS_IPV4, .ipv4 = apn->ipv4};
    if (apn->has_ipv6)
        place->addresses[addresses++] =
            (struct diameter_address){.family = DIAMETER_ADDRESS_IPV6, .ipv6 = apn->ipv6};
    *configuration = (struct s6a_apn_configuration){
        .context_identifier = context,
        .served_party_ip_address = {place->addresses, addresses},
        .pdn_type = apn->pdn_type,
        .eps_subscribed_qos_profile = &place->qos,
        .ambr = &place->ambr,
    };
    memcpy(configuration->service_selection, apn->name, sizeof(apn->name));
}

struct s6a_subscription_data *hss_subscription_data(const struct hss_subscriber *subscriber,
                                                    struct hss_profile_place *place)
{
    struct s6a_subscription_data *data = &place->data;

    place->status = subscriber->barred ? S6A_OPERATOR_DETERMINED_BARRING : S6A_SERVICE_GRANTED;
    place->access_mode = S6A_ONLY_PACKET;
    place->restriction = subscriber->access_restriction;
    place->rfsp = subscriber->rfsp;
    place->timer = subscriber->rau_tau_timer_s;
    place->odb = S6A_ODB_ALL_PACKET;
    place->ambr = ambr_of(subscriber->ambr_ul, subscriber->ambr_dl, place->extended);
    memcpy(place->msisdn, subscriber->msisdn, sizeof(place->msisdn));
    for (size_t i = 0; i < subscriber->apn_count; i++)
        fill_apn(&subscriber->apns[i], (uint32_t)i + 1, &place->apns[i], &place->configurations[i]);
    place->profile = (struct s6a_apn_configuration_profile){
        .context_identifier = 1,
        .all_apn_configurations_included_indicator = S6A_ALL_APN_CONFIGURATIONS_INCLUDED,
        .apn_configuration = {place->configurations, subscriber->apn_count},
    };
    *data = (struct s6a_subscription_data){
        .subscriber_status = &place->status,
        .msisdn = place->msisdn[0] ? &place->msisdn : NULL,
        .network_access_mode = &place->access_mode,
        .operator_determined_barring = subscriber->barred ? &place->odb : NULL,
        .access_restriction_data = subscriber->access_restriction ? &place->restriction : NULL,
        .ambr = &place->ambr,
        .apn_configuration_profile = subscriber->apn_count > 0 ? &place->profile : NULL,
        .rat_frequency_selection_priority_id = subscriber->rfsp ? &place->rfsp : NULL,
        .subscribed_periodic_rau_tau_timer = subscriber->rau_tau_timer_s ? &place->timer : NULL,
    };
    return data;
}
