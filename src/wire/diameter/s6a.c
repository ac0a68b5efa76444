/*
 * s6a.c -- the tables of S6a: TS 29.272 clause 7.2 (messages) and clause 7.3 (grouped AVPs), in
 * their order.
 *
 * Mandatory is what the ABNF has in <> or {}, optional what it has in [], a list what it has behind
 * a star. Where the specification allows a list without bound, the bound here is far beyond what a
 * network uses.
 */
#include "wire/diameter/avp.h"

/* A grouped AVP: rows, group and type in one go; NAME is the struct's name without s6a_. */
#define GROUPED(NAME)                                                                      \
    static const struct wire_group NAME##_group = DIAMETER_GROUP(s6a_##NAME, NAME##_rows); \
    static const struct wire_type NAME##_type = WIRE_GROUP_TYPE(s6a_##NAME, &NAME##_group)

static const struct wire_ie supported_features_rows[] = {
    DIAMETER_MANDATORY(s6a_supported_features, vendor_id, AVP_VENDOR_ID, &diameter_unsigned32_type),
    DIAMETER_MANDATORY(s6a_supported_features, feature_list_id, AVP_FEATURE_LIST_ID,
                       &diameter_unsigned32_type),
    DIAMETER_MANDATORY(s6a_supported_features, feature_list, AVP_FEATURE_LIST,
                       &diameter_unsigned32_type),
};
GROUPED(supported_features);

static const struct wire_ie terminal_information_rows[] = {
    DIAMETER_OPTIONAL(s6a_terminal_information, imei, AVP_IMEI, &diameter_utf8_type),
    DIAMETER_OPTIONAL(s6a_terminal_information, meid, AVP_3GPP2_MEID, &diameter_octets_type),
    DIAMETER_OPTIONAL(s6a_terminal_information, software_version, AVP_SOFTWARE_VERSION,
                      &diameter_utf8_type),
};
GROUPED(terminal_information);

static const struct wire_ie requested_authentication_info_rows[] = {
    DIAMETER_OPTIONAL(s6a_requested_authentication_info, number_of_requested_vectors,
                      AVP_NUMBER_OF_REQUESTED_VECTORS, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_requested_authentication_info, immediate_response_preferred,
                      AVP_IMMEDIATE_RESPONSE_PREFERRED, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_requested_authentication_info, re_synchronization_info,
                      AVP_RE_SYNCHRONIZATION_INFO, &diameter_resync_type),
};
GROUPED(requested_authentication_info);

static const struct wire_ie e_utran_vector_rows[] = {
    DIAMETER_OPTIONAL(s6a_e_utran_vector, item_number, AVP_ITEM_NUMBER, &diameter_unsigned32_type),
    DIAMETER_MANDATORY(s6a_e_utran_vector, rand, AVP_RAND, &diameter_secret16_type),
    DIAMETER_MANDATORY(s6a_e_utran_vector, xres, AVP_XRES, &diameter_secret_type),
    DIAMETER_MANDATORY(s6a_e_utran_vector, autn, AVP_AUTN, &diameter_secret16_type),
    DIAMETER_MANDATORY(s6a_e_utran_vector, kasme, AVP_KASME, &diameter_secret32_type),
};
GROUPED(e_utran_vector);

static const struct wire_ie authentication_info_rows[] = {
    DIAMETER_LIST(s6a_authentication_info, e_utran_vector, AVP_E_UTRAN_VECTOR, &e_utran_vector_type,
                  32),
};
GROUPED(authentication_info);

static const struct wire_ie ambr_rows[] = {
    DIAMETER_MANDATORY(s6a_ambr, max_requested_bandwidth_ul, AVP_MAX_REQUESTED_BANDWIDTH_UL,
                       &diameter_unsigned32_type),
    DIAMETER_MANDATORY(s6a_ambr, max_requested_bandwidth_dl, AVP_MAX_REQUESTED_BANDWIDTH_DL,
                       &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_ambr, extended_max_requested_bw_ul, AVP_EXTENDED_MAX_REQUESTED_BW_UL,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_ambr, extended_max_requested_bw_dl, AVP_EXTENDED_MAX_REQUESTED_BW_DL,
                      &diameter_unsigned32_type),
};
GROUPED(ambr);

static const struct wire_ie allocation_retention_priority_rows[] = {
    DIAMETER_MANDATORY(s6a_allocation_retention_priority, priority_level, AVP_PRIORITY_LEVEL,
                       &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_allocation_retention_priority, pre_emption_capability,
                      AVP_PRE_EMPTION_CAPABILITY, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_allocation_retention_priority, pre_emption_vulnerability,
                      AVP_PRE_EMPTION_VULNERABILITY, &diameter_unsigned32_type),
};
GROUPED(allocation_retention_priority);

static const struct wire_ie eps_subscribed_qos_profile_rows[] = {
    DIAMETER_MANDATORY(s6a_eps_subscribed_qos_profile, qos_class_identifier,
                       AVP_QOS_CLASS_IDENTIFIER, &diameter_unsigned32_type),
    DIAMETER_MANDATORY(s6a_eps_subscribed_qos_profile, allocation_retention_priority,
                       AVP_ALLOCATION_RETENTION_PRIORITY, &allocation_retention_priority_type),
};
GROUPED(eps_subscribed_qos_profile);

static const struct wire_ie mip_home_agent_host_rows[] = {
    DIAMETER_MANDATORY(s6a_mip_home_agent_host, destination_realm, AVP_DESTINATION_REALM,
                       &diameter_identity_type),
    DIAMETER_MANDATORY(s6a_mip_home_agent_host, destination_host, AVP_DESTINATION_HOST,
                       &diameter_identity_type),
};
GROUPED(mip_home_agent_host);

static const struct wire_ie mip6_agent_info_rows[] = {
    DIAMETER_LIST(s6a_mip6_agent_info, mip_home_agent_address, AVP_MIP_HOME_AGENT_ADDRESS,
                  &diameter_address_type, 2),
    DIAMETER_OPTIONAL(s6a_mip6_agent_info, mip_home_agent_host, AVP_MIP_HOME_AGENT_HOST,
                      &mip_home_agent_host_type),
};
GROUPED(mip6_agent_info);

static const struct wire_ie specific_apn_info_rows[] = {
    DIAMETER_MANDATORY(s6a_specific_apn_info, service_selection, AVP_SERVICE_SELECTION,
                       &diameter_apn_type),
    DIAMETER_MANDATORY(s6a_specific_apn_info, mip6_agent_info, AVP_MIP6_AGENT_INFO,
                       &mip6_agent_info_type),
    DIAMETER_OPTIONAL(s6a_specific_apn_info, visited_network_identifier,
                      AVP_VISITED_NETWORK_IDENTIFIER, &diameter_octets_type),
};
GROUPED(specific_apn_info);

static const struct wire_ie apn_configuration_rows[] = {
    DIAMETER_MANDATORY(s6a_apn_configuration, context_identifier, AVP_CONTEXT_IDENTIFIER,
                       &diameter_unsigned32_type),
    DIAMETER_LIST(s6a_apn_configuration, served_party_ip_address, AVP_SERVED_PARTY_IP_ADDRESS,
                  &diameter_address_type, 2),
    DIAMETER_MANDATORY(s6a_apn_configuration, pdn_type, AVP_PDN_TYPE, &s6a_enum_pdn),
    DIAMETER_MANDATORY(s6a_apn_configuration, service_selection, AVP_SERVICE_SELECTION,
                       &diameter_apn_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, eps_subscribed_qos_profile,
                      AVP_EPS_SUBSCRIBED_QOS_PROFILE, &eps_subscribed_qos_profile_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, vplmn_dynamic_address_allowed,
                      AVP_VPLMN_DYNAMIC_ADDRESS_ALLOWED, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, mip6_agent_info, AVP_MIP6_AGENT_INFO,
                      &mip6_agent_info_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, visited_network_identifier,
                      AVP_VISITED_NETWORK_IDENTIFIER, &diameter_octets_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, pdn_gw_allocation_type, AVP_PDN_GW_ALLOCATION_TYPE,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, charging_characteristics,
                      AVP_3GPP_CHARGING_CHARACTERISTICS, &diameter_utf8_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, ambr, AVP_AMBR, &ambr_type),
    DIAMETER_LIST(s6a_apn_configuration, specific_apn_info, AVP_SPECIFIC_APN_INFO,
                  &specific_apn_info_type, S6A_MAX_APNS),
    DIAMETER_OPTIONAL(s6a_apn_configuration, apn_oi_replacement, AVP_APN_OI_REPLACEMENT,
                      &diameter_utf8_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, sipto_permission, AVP_SIPTO_PERMISSION,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_apn_configuration, lipa_permission, AVP_LIPA_PERMISSION,
                      &diameter_unsigned32_type),
};
GROUPED(apn_configuration);

static const struct wire_ie apn_configuration_profile_rows[] = {
    DIAMETER_MANDATORY(s6a_apn_configuration_profile, context_identifier, AVP_CONTEXT_IDENTIFIER,
                       &diameter_unsigned32_type),
    DIAMETER_MANDATORY(s6a_apn_configuration_profile, all_apn_configurations_included_indicator,
                       AVP_ALL_APN_CONFIGURATIONS_INCLUDED_INDICATOR, &diameter_unsigned32_type),
    DIAMETER_LIST_MANDATORY(s6a_apn_configuration_profile, apn_configuration, AVP_APN_CONFIGURATION,
                            &apn_configuration_type, S6A_MAX_APNS),
};
GROUPED(apn_configuration_profile);

static const struct wire_ie subscription_data_rows[] = {
    DIAMETER_OPTIONAL(s6a_subscription_data, subscriber_status, AVP_SUBSCRIBER_STATUS,
                      &s6a_enum_subscriber_status),
    DIAMETER_OPTIONAL(s6a_subscription_data, msisdn, AVP_MSISDN, &diameter_msisdn_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, a_msisdn, AVP_A_MSISDN, &diameter_msisdn_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, stn_sr, AVP_STN_SR, &diameter_octets_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, ics_indicator, AVP_ICS_INDICATOR,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, network_access_mode, AVP_NETWORK_ACCESS_MODE,
                      &s6a_enum_network_access),
    DIAMETER_OPTIONAL(s6a_subscription_data, operator_determined_barring,
                      AVP_OPERATOR_DETERMINED_BARRING, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, hplmn_odb, AVP_HPLMN_ODB, &diameter_unsigned32_type),
    DIAMETER_LIST(s6a_subscription_data, regional_subscription_zone_code,
                  AVP_REGIONAL_SUBSCRIPTION_ZONE_CODE, &diameter_octets_type, S6A_MAX_ZONE_CODES),
    DIAMETER_OPTIONAL(s6a_subscription_data, access_restriction_data, AVP_ACCESS_RESTRICTION_DATA,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, apn_oi_replacement, AVP_APN_OI_REPLACEMENT,
                      &diameter_utf8_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, charging_characteristics,
                      AVP_3GPP_CHARGING_CHARACTERISTICS, &diameter_utf8_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, ambr, AVP_AMBR, &ambr_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, apn_configuration_profile,
                      AVP_APN_CONFIGURATION_PROFILE, &apn_configuration_profile_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, rat_frequency_selection_priority_id,
                      AVP_RAT_FREQUENCY_SELECTION_PRIORITY_ID, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, roaming_restricted_due_to_unsupported_feature,
                      AVP_ROAMING_RESTRICTED_DUE_TO_UNSUPPORTED_FEATURE, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, subscribed_periodic_rau_tau_timer,
                      AVP_SUBSCRIBED_PERIODIC_RAU_TAU_TIMER, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, mps_priority, AVP_MPS_PRIORITY,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, subscription_data_flags, AVP_SUBSCRIPTION_DATA_FLAGS,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, ue_usage_type, AVP_UE_USAGE_TYPE,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_subscription_data, core_network_restrictions,
                      AVP_CORE_NETWORK_RESTRICTIONS, &diameter_unsigned32_type),
};
GROUPED(subscription_data);

static const struct wire_ie equivalent_plmn_list_rows[] = {
    DIAMETER_LIST_MANDATORY(s6a_equivalent_plmn_list, visited_plmn_id, AVP_VISITED_PLMN_ID,
                            &diameter_plmn_type, S6A_MAX_EQUIVALENT),
};
GROUPED(equivalent_plmn_list);

static const struct wire_ie mme_user_state_rows[] = {
    DIAMETER_OPTIONAL(s6a_mme_user_state, user_state, AVP_USER_STATE, &s6a_enum_user_state),
};
GROUPED(mme_user_state);

static const struct wire_ie eps_user_state_rows[] = {
    DIAMETER_OPTIONAL(s6a_eps_user_state, mme_user_state, AVP_MME_USER_STATE, &mme_user_state_type),
};
GROUPED(eps_user_state);

static const struct wire_ie mme_location_information_rows[] = {
    DIAMETER_OPTIONAL(s6a_mme_location_information, e_utran_cell_global_identity,
                      AVP_E_UTRAN_CELL_GLOBAL_IDENTITY, &diameter_ecgi_type),
    DIAMETER_OPTIONAL(s6a_mme_location_information, tracking_area_identity,
                      AVP_TRACKING_AREA_IDENTITY, &diameter_tai_type),
    DIAMETER_OPTIONAL(s6a_mme_location_information, current_location_retrieved,
                      AVP_CURRENT_LOCATION_RETRIEVED, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(s6a_mme_location_information, age_of_location_information,
                      AVP_AGE_OF_LOCATION_INFORMATION, &diameter_unsigned32_type),
};
GROUPED(mme_location_information);

static const struct wire_ie eps_location_information_rows[] = {
    DIAMETER_OPTIONAL(s6a_eps_location_information, mme_location_information,
                      AVP_MME_LOCATION_INFORMATION, &mme_location_information_type),
};
GROUPED(eps_location_information);

/* ---- Messages ---- */

#define IMSI(S) DIAMETER_MANDATORY(S, imsi, AVP_USER_NAME, &diameter_imsi_type)
#define SUPPORTED_FEATURES(S)                                                              \
    DIAMETER_LIST(S, supported_features, AVP_SUPPORTED_FEATURES, &supported_features_type, \
                  S6A_MAX_SUPPORTED)
#define OPTIONAL_NUMBER(S, member, avp)                                              \
    {                                                                                \
        avp, WIRE_OPTIONAL, offsetof(struct S, member), 0, &diameter_unsigned32_type \
    }

static const struct wire_ie air_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_air),
    IMSI(s6a_air),
    SUPPORTED_FEATURES(s6a_air),
    DIAMETER_OPTIONAL(s6a_air, requested_eutran_authentication_info,
                      AVP_REQUESTED_EUTRAN_AUTHENTICATION_INFO,
                      &requested_authentication_info_type),
    DIAMETER_OPTIONAL(s6a_air, requested_utran_geran_authentication_info,
                      AVP_REQUESTED_UTRAN_GERAN_AUTHENTICATION_INFO,
                      &requested_authentication_info_type),
    DIAMETER_MANDATORY(s6a_air, visited_plmn_id, AVP_VISITED_PLMN_ID, &diameter_plmn_type),
    OPTIONAL_NUMBER(s6a_air, air_flags, AVP_AIR_FLAGS),
    DIAMETER_REQUEST_TAIL(s6a_air),
};

static const struct wire_ie aia_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_aia),
    DIAMETER_OPTIONAL(s6a_aia, error_diagnostic, AVP_ERROR_DIAGNOSTIC, &s6a_enum_error_diagnostic),
    SUPPORTED_FEATURES(s6a_aia),
    DIAMETER_OPTIONAL(s6a_aia, authentication_info, AVP_AUTHENTICATION_INFO,
                      &authentication_info_type),
    OPTIONAL_NUMBER(s6a_aia, ue_usage_type, AVP_UE_USAGE_TYPE),
    DIAMETER_ANSWER_TAIL(s6a_aia),
};

static const struct wire_ie ulr_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_ulr),
    IMSI(s6a_ulr),
    SUPPORTED_FEATURES(s6a_ulr),
    DIAMETER_OPTIONAL(s6a_ulr, terminal_information, AVP_TERMINAL_INFORMATION,
                      &terminal_information_type),
    DIAMETER_MANDATORY(s6a_ulr, rat_type, AVP_RAT_TYPE, &s6a_enum_rat),
    DIAMETER_MANDATORY(s6a_ulr, ulr_flags, AVP_ULR_FLAGS, &diameter_unsigned32_type),
    OPTIONAL_NUMBER(s6a_ulr, ue_srvcc_capability, AVP_UE_SRVCC_CAPABILITY),
    DIAMETER_MANDATORY(s6a_ulr, visited_plmn_id, AVP_VISITED_PLMN_ID, &diameter_plmn_type),
    OPTIONAL_NUMBER(s6a_ulr, homogeneous_support_of_ims_voice,
                    AVP_HOMOGENEOUS_SUPPORT_OF_IMS_VOICE),
    DIAMETER_OPTIONAL(s6a_ulr, equivalent_plmn_list, AVP_EQUIVALENT_PLMN_LIST,
                      &equivalent_plmn_list_type),
    DIAMETER_REQUEST_TAIL(s6a_ulr),
};

static const struct wire_ie ula_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_ula),
    DIAMETER_OPTIONAL(s6a_ula, error_diagnostic, AVP_ERROR_DIAGNOSTIC, &s6a_enum_error_diagnostic),
    SUPPORTED_FEATURES(s6a_ula),
    OPTIONAL_NUMBER(s6a_ula, ula_flags, AVP_ULA_FLAGS),
    DIAMETER_OPTIONAL(s6a_ula, subscription_data, AVP_SUBSCRIPTION_DATA, &subscription_data_type),
    DIAMETER_ANSWER_TAIL(s6a_ula),
};

static const struct wire_ie clr_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_clr),
    IMSI(s6a_clr),
    SUPPORTED_FEATURES(s6a_clr),
    DIAMETER_MANDATORY(s6a_clr, cancellation_type, AVP_CANCELLATION_TYPE, &s6a_enum_cancellation),
    OPTIONAL_NUMBER(s6a_clr, clr_flags, AVP_CLR_FLAGS),
    DIAMETER_REQUEST_TAIL(s6a_clr),
};

static const struct wire_ie cla_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_cla),
    SUPPORTED_FEATURES(s6a_cla),
    DIAMETER_ANSWER_TAIL(s6a_cla),
};

static const struct wire_ie idr_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_idr),
    IMSI(s6a_idr),
    SUPPORTED_FEATURES(s6a_idr),
    DIAMETER_MANDATORY(s6a_idr, subscription_data, AVP_SUBSCRIPTION_DATA, &subscription_data_type),
    OPTIONAL_NUMBER(s6a_idr, idr_flags, AVP_IDR_FLAGS),
    DIAMETER_REQUEST_TAIL(s6a_idr),
};

static const struct wire_ie ida_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_ida),
    SUPPORTED_FEATURES(s6a_ida),
    OPTIONAL_NUMBER(s6a_ida, ims_voice_over_ps_sessions_supported,
                    AVP_IMS_VOICE_OVER_PS_SESSIONS_SUPPORTED),
    OPTIONAL_NUMBER(s6a_ida, last_ue_activity_time, AVP_LAST_UE_ACTIVITY_TIME),
    DIAMETER_OPTIONAL(s6a_ida, rat_type, AVP_RAT_TYPE, &s6a_enum_rat),
    OPTIONAL_NUMBER(s6a_ida, ida_flags, AVP_IDA_FLAGS),
    DIAMETER_OPTIONAL(s6a_ida, eps_user_state, AVP_EPS_USER_STATE, &eps_user_state_type),
    DIAMETER_OPTIONAL(s6a_ida, eps_location_information, AVP_EPS_LOCATION_INFORMATION,
                      &eps_location_information_type),
    DIAMETER_ANSWER_TAIL(s6a_ida),
};

static const struct wire_ie dsr_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_dsr),
    IMSI(s6a_dsr),
    SUPPORTED_FEATURES(s6a_dsr),
    DIAMETER_MANDATORY(s6a_dsr, dsr_flags, AVP_DSR_FLAGS, &diameter_unsigned32_type),
    DIAMETER_LIST(s6a_dsr, context_identifier, AVP_CONTEXT_IDENTIFIER, &diameter_unsigned32_type,
                  S6A_MAX_APNS),
    DIAMETER_LIST(s6a_dsr, regional_subscription_zone_code, AVP_REGIONAL_SUBSCRIPTION_ZONE_CODE,
                  &diameter_octets_type, S6A_MAX_ZONE_CODES),
    DIAMETER_REQUEST_TAIL(s6a_dsr),
};

static const struct wire_ie dsa_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_dsa),
    SUPPORTED_FEATURES(s6a_dsa),
    OPTIONAL_NUMBER(s6a_dsa, dsa_flags, AVP_DSA_FLAGS),
    DIAMETER_ANSWER_TAIL(s6a_dsa),
};

static const struct wire_ie pur_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_pur),
    IMSI(s6a_pur),
    OPTIONAL_NUMBER(s6a_pur, pur_flags, AVP_PUR_FLAGS),
    SUPPORTED_FEATURES(s6a_pur),
    DIAMETER_OPTIONAL(s6a_pur, eps_location_information, AVP_EPS_LOCATION_INFORMATION,
                      &eps_location_information_type),
    DIAMETER_REQUEST_TAIL(s6a_pur),
};

static const struct wire_ie pua_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_pua),
    SUPPORTED_FEATURES(s6a_pua),
    OPTIONAL_NUMBER(s6a_pua, pua_flags, AVP_PUA_FLAGS),
    DIAMETER_ANSWER_TAIL(s6a_pua),
};

static const struct wire_ie rsr_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_rsr),
    SUPPORTED_FEATURES(s6a_rsr),
    DIAMETER_LIST(s6a_rsr, user_id, AVP_USER_ID, &diameter_utf8_type, S6A_MAX_USER_IDS),
    DIAMETER_REQUEST_TAIL(s6a_rsr),
};

static const struct wire_ie rsa_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_rsa),
    SUPPORTED_FEATURES(s6a_rsa),
    DIAMETER_ANSWER_TAIL(s6a_rsa),
};

static const struct wire_ie nor_rows[] = {
    DIAMETER_REQUEST_HEAD(s6a_nor),
    IMSI(s6a_nor),
    SUPPORTED_FEATURES(s6a_nor),
    DIAMETER_OPTIONAL(s6a_nor, terminal_information, AVP_TERMINAL_INFORMATION,
                      &terminal_information_type),
    DIAMETER_OPTIONAL(s6a_nor, mip6_agent_info, AVP_MIP6_AGENT_INFO, &mip6_agent_info_type),
    DIAMETER_OPTIONAL(s6a_nor, visited_network_identifier, AVP_VISITED_NETWORK_IDENTIFIER,
                      &diameter_octets_type),
    OPTIONAL_NUMBER(s6a_nor, context_identifier, AVP_CONTEXT_IDENTIFIER),
    DIAMETER_OPTIONAL(s6a_nor, service_selection, AVP_SERVICE_SELECTION, &diameter_apn_type),
    OPTIONAL_NUMBER(s6a_nor, alert_reason, AVP_ALERT_REASON),
    OPTIONAL_NUMBER(s6a_nor, ue_srvcc_capability, AVP_UE_SRVCC_CAPABILITY),
    OPTIONAL_NUMBER(s6a_nor, nor_flags, AVP_NOR_FLAGS),
    OPTIONAL_NUMBER(s6a_nor, homogeneous_support_of_ims_voice,
                    AVP_HOMOGENEOUS_SUPPORT_OF_IMS_VOICE),
    DIAMETER_REQUEST_TAIL(s6a_nor),
};

static const struct wire_ie noa_rows[] = {
    DIAMETER_ANSWER_HEAD(s6a_noa),
    SUPPORTED_FEATURES(s6a_noa),
    DIAMETER_ANSWER_TAIL(s6a_noa),
};

/* Request and answer of one command; all are proxiable. */
#define COMMAND(REQUEST, ANSWER, request_name, answer_name, long_request, long_answer, code)     \
    static const struct wire_group REQUEST##_group =                                             \
        DIAMETER_GROUP(s6a_##REQUEST, REQUEST##_rows);                                           \
    static const struct wire_group ANSWER##_group = DIAMETER_GROUP(s6a_##ANSWER, ANSWER##_rows); \
    const struct diameter_message s6a_##ANSWER##_message = {                                     \
        .name = (answer_name),                                                                   \
        .long_name = (long_answer),                                                              \
        .application = DIAMETER_APPLICATION_S6A,                                                 \
        .command = (code),                                                                       \
        .flags = DIAMETER_FLAG_PROXIABLE,                                                        \
        .group = &ANSWER##_group,                                                                \
    };                                                                                           \
    const struct diameter_message s6a_##REQUEST##_message = {                                    \
        .name = (request_name),                                                                  \
        .long_name = (long_request),                                                             \
        .application = DIAMETER_APPLICATION_S6A,                                                 \
        .command = (code),                                                                       \
        .flags = DIAMETER_FLAG_REQUEST | DIAMETER_FLAG_PROXIABLE,                                \
        .group = &REQUEST##_group,                                                               \
        .answer = &s6a_##ANSWER##_message,                                                       \
    }

COMMAND(air, aia, "AIR", "AIA", "Authentication-Information-Request",
        "Authentication-Information-Answer", S6A_AUTHENTICATION_INFORMATION);
COMMAND(ulr, ula, "ULR", "ULA", "Update-Location-Request", "Update-Location-Answer",
        S6A_UPDATE_LOCATION);
COMMAND(clr, cla, "CLR", "CLA", "Cancel-Location-Request", "Cancel-Location-Answer",
        S6A_CANCEL_LOCATION);
COMMAND(idr, ida, "IDR", "IDA", "Insert-Subscriber-Data-Request", "Insert-Subscriber-Data-Answer",
        S6A_INSERT_SUBSCRIBER_DATA);
COMMAND(dsr, dsa, "DSR", "DSA", "Delete-Subscriber-Data-Request", "Delete-Subscriber-Data-Answer",
        S6A_DELETE_SUBSCRIBER_DATA);
COMMAND(pur, pua, "PUR", "PUA", "Purge-UE-Request", "Purge-UE-Answer", S6A_PURGE_UE);
COMMAND(rsr, rsa, "RSR", "RSA", "Reset-Request", "Reset-Answer", S6A_RESET);
COMMAND(nor, noa, "NOR", "NOA", "Notify-Request", "Notify-Answer", S6A_NOTIFY);

static const struct diameter_message *const messages[] = {
    &s6a_air_message, &s6a_aia_message, &s6a_ulr_message, &s6a_ula_message,
    &s6a_clr_message, &s6a_cla_message, &s6a_idr_message, &s6a_ida_message,
    &s6a_dsr_message, &s6a_dsa_message, &s6a_pur_message, &s6a_pua_message,
    &s6a_rsr_message, &s6a_rsa_message, &s6a_nor_message, &s6a_noa_message,
};
const struct diameter_message_table s6a_messages = {messages,
                                                    sizeof(messages) / sizeof(messages[0])};

/* The 32-bit value stands at its maximum when the extended one tells the rate (TS 29.272
 * clause 7.3.41). */
static uint64_t rate_of(uint32_t bits, const uint32_t *extended_kbits)
{
    return extended_kbits && bits == UINT32_MAX ? (uint64_t)*extended_kbits * 1000 : bits;
}

uint64_t s6a_ambr_ul(const struct s6a_ambr *ambr)
{
    return rate_of(ambr->max_requested_bandwidth_ul, ambr->extended_max_requested_bw_ul);
}

uint64_t s6a_ambr_dl(const struct s6a_ambr *ambr)
{
    return rate_of(ambr->max_requested_bandwidth_dl, ambr->extended_max_requested_bw_dl);
}
