/*
 * nas_emm.c -- the tables of EPS mobility management messages: TS 24.301 clause 8.2, one row per
 * information element in the order of the clause's table, with its length there (less tag and
 * length octets).
 *
 * "Spare half octet" has no row: the encoder leaves the upper half zero.
 */
#include "wire/nas/nas_table.h"

#define NO_LIMIT 0xffff

/* Names of message structs, where rows would else not fit a line. */
#define TAU_ACCEPT               nas_tracking_area_update_accept
#define TAU_REQUEST              nas_tracking_area_update_request
#define CP_SERVICE_REQUEST       nas_control_plane_service_request
#define EXTENDED_SERVICE_REQUEST nas_extended_service_request
#define SECURITY_MODE_COMMAND    nas_security_mode_command

// clang-format off
static const struct nas_ie attach_accept[] = { /* 8.2.1 */
    M_LOW  (nas_attach_accept, eps_attach_result),
    M_V    (nas_attach_accept, t3412_value, nas_timer, 1),
    M_LV   (nas_attach_accept, tai_list, nas_tai_list_type, 6, 96),
    M_LV_E (nas_attach_accept, esm_message_container, nas_esm_message, 3, NO_LIMIT),
    O_TLV  (nas_attach_accept, 0x50, guti, nas_eps_identity, 11, 11),
    O_TV   (nas_attach_accept, 0x13, lai, nas_lai_type, 5),
    O_TLV  (nas_attach_accept, 0x23, ms_identity, nas_mobile_identity, 5, 8),
    O_TV   (nas_attach_accept, 0x53, emm_cause, nas_emm_cause_type, 1),
    O_TV   (nas_attach_accept, 0x17, t3402_value, nas_timer, 1),
    O_TV   (nas_attach_accept, 0x59, t3423_value, nas_timer, 1),
    O_TLV  (nas_attach_accept, 0x4a, equivalent_plmns, nas_plmn_list_type, 3, 45),
    O_TLV  (nas_attach_accept, 0x34, emergency_number_list, wire_bytes, 3, 48),
    O_TLV  (nas_attach_accept, 0x64, eps_network_feature_support,
            nas_eps_network_feature_support_type, 1, 2),
    O_HALF (nas_attach_accept, 0xf0, additional_update_result),
    O_TLV  (nas_attach_accept, 0x5e, t3412_extended_value, nas_timer3, 1, 1),
    O_TLV  (nas_attach_accept, 0x6a, t3324_value, nas_timer, 1, 1),
    O_TLV  (nas_attach_accept, 0x6e, extended_drx_parameters, wire_bytes, 1, 1),
    O_TLV  (nas_attach_accept, 0x65, dcn_id, wire_u16, 2, 2),
    O_HALF (nas_attach_accept, 0xe0, sms_services_status),
    O_HALF (nas_attach_accept, 0xd0, non_3gpp_nw_provided_policies),
    O_TLV  (nas_attach_accept, 0x6b, t3448_value, nas_timer, 1, 1),
    O_HALF (nas_attach_accept, 0xc0, network_policy),
    O_TLV  (nas_attach_accept, 0x6c, t3447_value, nas_timer3, 1, 1),
    O_TLV_E(nas_attach_accept, 0x7a, extended_emergency_number_list, wire_bytes, 4, NO_LIMIT),
    O_TLV_E(nas_attach_accept, 0x7c, ciphering_key_data, wire_bytes, 32, 2288),
};

static const struct nas_ie attach_complete[] = { /* 8.2.2 */
    M_LV_E (nas_attach_complete, esm_message_container, nas_esm_message, 3, NO_LIMIT),
};

static const struct nas_ie attach_reject[] = { /* 8.2.3 */
    M_V    (nas_attach_reject, emm_cause, nas_emm_cause_type, 1),
    O_TLV_E(nas_attach_reject, 0x78, esm_message_container, nas_esm_message, 3, NO_LIMIT),
    O_TLV  (nas_attach_reject, 0x5f, t3346_value, nas_timer, 1, 1),
    O_TLV  (nas_attach_reject, 0x16, t3402_value, nas_timer, 1, 1),
    O_HALF (nas_attach_reject, 0xa0, extended_emm_cause),
};

static const struct nas_ie attach_request[] = { /* 8.2.4 */
    M_LOW  (nas_attach_request, eps_attach_type),
    M_HIGH (nas_attach_request, nas_ksi),
    M_LV   (nas_attach_request, eps_mobile_identity, nas_eps_identity, 4, 11),
    M_LV   (nas_attach_request, ue_network_capability, nas_ue_network_capability_type, 2, 13),
    M_LV_E (nas_attach_request, esm_message_container, nas_esm_message, 3, NO_LIMIT),
    O_TV   (nas_attach_request, 0x19, old_p_tmsi_signature, wire_u24, 3),
    O_TLV  (nas_attach_request, 0x50, additional_guti, nas_eps_identity, 11, 11),
    O_TV   (nas_attach_request, 0x52, last_visited_registered_tai, nas_tai, 5),
    O_TV   (nas_attach_request, 0x5c, drx_parameter, wire_u16, 2),
    O_TLV  (nas_attach_request, 0x31, ms_network_capability, nas_ms_network_capability_type, 2, 8),
    O_TV   (nas_attach_request, 0x13, old_lai, nas_lai_type, 5),
    O_HALF (nas_attach_request, 0x90, tmsi_status),
    O_TLV  (nas_attach_request, 0x11, ms_classmark_2, wire_bytes, 3, 3),
    O_TLV  (nas_attach_request, 0x20, ms_classmark_3, wire_bytes, 0, 32),
    O_TLV  (nas_attach_request, 0x40, supported_codecs, wire_bytes, 3, 255),
    O_HALF (nas_attach_request, 0xf0, additional_update_type),
    O_TLV  (nas_attach_request, 0x5d, voice_domain_preference, wire_u8, 1, 1),
    O_HALF (nas_attach_request, 0xd0, device_properties),
    O_HALF (nas_attach_request, 0xe0, old_guti_type),
    O_HALF (nas_attach_request, 0xc0, ms_network_feature_support),
    O_TLV  (nas_attach_request, 0x10, tmsi_based_nri_container, wire_bytes, 2, 2),
    O_TLV  (nas_attach_request, 0x6a, t3324_value, nas_timer, 1, 1),
    O_TLV  (nas_attach_request, 0x5e, t3412_extended_value, nas_timer3, 1, 1),
    O_TLV  (nas_attach_request, 0x6e, extended_drx_parameters, wire_bytes, 1, 1),
    O_TLV  (nas_attach_request, 0x6f, ue_additional_security_capability, wire_u32, 4, 4),
    O_TLV  (nas_attach_request, 0x6d, ue_status, wire_u8, 1, 1),
    O_TV   (nas_attach_request, 0x17, additional_information_requested, wire_u8, 1),
    O_TLV  (nas_attach_request, 0x32, n1_ue_network_capability, wire_bytes, 1, 13),
};

static const struct nas_ie authentication_failure[] = { /* 8.2.5 */
    M_V    (nas_authentication_failure, emm_cause, nas_emm_cause_type, 1),
    O_TLV  (nas_authentication_failure, 0x30, authentication_failure_parameter, wire_bytes, 14, 14),
};

static const struct nas_ie authentication_request[] = { /* 8.2.7 */
    M_LOW  (nas_authentication_request, nas_ksi),
    M_V    (nas_authentication_request, rand, nas_octets16, 16),
    M_LV   (nas_authentication_request, autn, nas_octets16, 16, 16),
};

static const struct nas_ie authentication_response[] = { /* 8.2.8 */
    M_LV   (nas_authentication_response, res, wire_bytes, 4, 16),
};

static const struct nas_ie cs_service_notification[] = { /* 8.2.9 */
    M_V    (nas_cs_service_notification, paging_identity, wire_u8, 1),
    O_TLV  (nas_cs_service_notification, 0x60, cli, wire_bytes, 1, 12),
    O_TV   (nas_cs_service_notification, 0x61, ss_code, wire_u8, 1),
    O_TV   (nas_cs_service_notification, 0x62, lcs_indicator, wire_u8, 1),
    O_TLV  (nas_cs_service_notification, 0x63, lcs_client_identity, wire_bytes, 1, 255),
};

static const struct nas_ie detach_request_uplink[] = { /* 8.2.11.1 */
    M_LOW  (nas_detach_request_uplink, detach_type),
    M_HIGH (nas_detach_request_uplink, nas_ksi),
    M_LV   (nas_detach_request_uplink, eps_mobile_identity, nas_eps_identity, 4, 11),
};

static const struct nas_ie detach_request_downlink[] = { /* 8.2.11.2 */
    M_LOW  (nas_detach_request_downlink, detach_type),
    O_TV   (nas_detach_request_downlink, 0x53, emm_cause, nas_emm_cause_type, 1),
};

static const struct nas_ie nas_transport[] = { /* 8.2.12, 8.2.30 */
    M_LV   (nas_nas_transport, nas_message_container, wire_bytes, 2, 251),
};

static const struct nas_ie emm_information[] = { /* 8.2.13 */
    O_TLV  (nas_emm_information, 0x43, full_name, nas_network_name_type, 1, 255),
    O_TLV  (nas_emm_information, 0x45, short_name, nas_network_name_type, 1, 255),
    O_TV   (nas_emm_information, 0x46, local_time_zone, wire_u8, 1),
    O_TV   (nas_emm_information, 0x47, universal_time_and_local_time_zone, nas_time_type, 7),
    O_TLV  (nas_emm_information, 0x49, network_daylight_saving_time, wire_u8, 1, 1),
};

static const struct nas_ie cause_only[] = { /* 8.2.14, 8.2.22 */
    M_V    (nas_emm_cause_only, emm_cause, nas_emm_cause_type, 1),
};

static const struct nas_ie extended_service_request[] = { /* 8.2.15 */
    M_LOW  (EXTENDED_SERVICE_REQUEST, service_type),
    M_HIGH (EXTENDED_SERVICE_REQUEST, nas_ksi),
    M_LV   (EXTENDED_SERVICE_REQUEST, m_tmsi, nas_mobile_identity, 5, 5),
    O_HALF (EXTENDED_SERVICE_REQUEST, 0xb0, csfb_response),
    O_TLV  (EXTENDED_SERVICE_REQUEST, 0x57, eps_bearer_context_status, nas_bearer_status, 2, 2),
    O_HALF (EXTENDED_SERVICE_REQUEST, 0xd0, device_properties),
};

static const struct nas_ie guti_reallocation_command[] = { /* 8.2.16 */
    M_LV   (nas_guti_reallocation_command, guti, nas_eps_identity, 11, 11),
    O_TLV  (nas_guti_reallocation_command, 0x54, tai_list, nas_tai_list_type, 6, 96),
    O_TLV  (nas_guti_reallocation_command, 0x65, dcn_id, wire_u16, 2, 2),
};

static const struct nas_ie identity_request[] = { /* 8.2.18 */
    M_LOW  (nas_identity_request, identity_type),
};

static const struct nas_ie identity_response[] = { /* 8.2.19 */
    M_LV   (nas_identity_response, mobile_identity, nas_mobile_identity, 3, 9),
};

static const struct nas_ie security_mode_command[] = { /* 8.2.20 */
    M_LOW  (SECURITY_MODE_COMMAND, selected_eia),
    M_HIGH (SECURITY_MODE_COMMAND, selected_eea),
    M_LOW  (SECURITY_MODE_COMMAND, nas_ksi),
    M_LV   (SECURITY_MODE_COMMAND, replayed_ue_security_capabilities,
            nas_ue_security_capability_type, 2, 5),
    O_HALF (SECURITY_MODE_COMMAND, 0xc0, imeisv_request),
    O_TV   (SECURITY_MODE_COMMAND, 0x55, replayed_nonce_ue, wire_u32, 4),
    O_TV   (SECURITY_MODE_COMMAND, 0x56, nonce_mme, wire_u32, 4),
    O_TLV  (SECURITY_MODE_COMMAND, 0x4f, hash_mme, wire_bytes, 8, 8),
    O_TLV  (SECURITY_MODE_COMMAND, 0x6f, replayed_ue_additional_security_capability,
            wire_u32, 4, 4),
};

static const struct nas_ie security_mode_complete[] = { /* 8.2.21 */
    O_TLV  (nas_security_mode_complete, 0x23, imeisv, nas_mobile_identity, 9, 9),
    O_TLV_E(nas_security_mode_complete, 0x79, replayed_nas_message_container,
            wire_bytes, 0, NO_LIMIT),
};

static const struct nas_ie service_reject[] = { /* 8.2.24 */
    M_V    (nas_service_reject, emm_cause, nas_emm_cause_type, 1),
    O_TV   (nas_service_reject, 0x5b, t3442_value, nas_timer, 1),
    O_TLV  (nas_service_reject, 0x5f, t3346_value, nas_timer, 1, 1),
    O_TLV  (nas_service_reject, 0x6b, t3448_value, nas_timer, 1, 1),
};

static const struct nas_ie tracking_area_update_accept[] = { /* 8.2.26 */
    M_LOW  (TAU_ACCEPT, eps_update_result),
    O_TV   (TAU_ACCEPT, 0x5a, t3412_value, nas_timer, 1),
    O_TLV  (TAU_ACCEPT, 0x50, guti, nas_eps_identity, 11, 11),
    O_TLV  (TAU_ACCEPT, 0x54, tai_list, nas_tai_list_type, 6, 96),
    O_TLV  (TAU_ACCEPT, 0x57, eps_bearer_context_status, nas_bearer_status, 2, 2),
    O_TV   (TAU_ACCEPT, 0x13, lai, nas_lai_type, 5),
    O_TLV  (TAU_ACCEPT, 0x23, ms_identity, nas_mobile_identity, 5, 8),
    O_TV   (TAU_ACCEPT, 0x53, emm_cause, nas_emm_cause_type, 1),
    O_TV   (TAU_ACCEPT, 0x17, t3402_value, nas_timer, 1),
    O_TV   (TAU_ACCEPT, 0x59, t3423_value, nas_timer, 1),
    O_TLV  (TAU_ACCEPT, 0x4a, equivalent_plmns, nas_plmn_list_type, 3, 45),
    O_TLV  (TAU_ACCEPT, 0x34, emergency_number_list, wire_bytes, 3, 48),
    O_TLV  (TAU_ACCEPT, 0x64, eps_network_feature_support,
            nas_eps_network_feature_support_type, 1, 2),
    O_HALF (TAU_ACCEPT, 0xf0, additional_update_result),
    O_TLV  (TAU_ACCEPT, 0x5e, t3412_extended_value, nas_timer3, 1, 1),
    O_TLV  (TAU_ACCEPT, 0x6a, t3324_value, nas_timer, 1, 1),
    O_TLV  (TAU_ACCEPT, 0x6e, extended_drx_parameters, wire_bytes, 1, 1),
    O_TLV  (TAU_ACCEPT, 0x68, header_compression_configuration_status, wire_bytes, 2, 2),
    O_TLV  (TAU_ACCEPT, 0x65, dcn_id, wire_u16, 2, 2),
    O_HALF (TAU_ACCEPT, 0xe0, sms_services_status),
    O_HALF (TAU_ACCEPT, 0xd0, non_3gpp_nw_provided_policies),
    O_TLV  (TAU_ACCEPT, 0x6b, t3448_value, nas_timer, 1, 1),
    O_HALF (TAU_ACCEPT, 0xc0, network_policy),
    O_TLV  (TAU_ACCEPT, 0x6c, t3447_value, nas_timer3, 1, 1),
    O_TLV_E(TAU_ACCEPT, 0x7a, extended_emergency_number_list, wire_bytes, 4, NO_LIMIT),
    O_TLV_E(TAU_ACCEPT, 0x7c, ciphering_key_data, wire_bytes, 32, 2288),
};

static const struct nas_ie tracking_area_update_reject[] = { /* 8.2.28 */
    M_V    (nas_tracking_area_update_reject, emm_cause, nas_emm_cause_type, 1),
    O_TLV  (nas_tracking_area_update_reject, 0x5f, t3346_value, nas_timer, 1, 1),
    O_HALF (nas_tracking_area_update_reject, 0xa0, extended_emm_cause),
};

static const struct nas_ie tracking_area_update_request[] = { /* 8.2.29 */
    M_LOW  (TAU_REQUEST, eps_update_type),
    M_HIGH (TAU_REQUEST, nas_ksi),
    M_LV   (TAU_REQUEST, old_guti, nas_eps_identity, 11, 11),
    O_HALF (TAU_REQUEST, 0xb0, non_current_native_nas_ksi),
    O_HALF (TAU_REQUEST, 0x80, gprs_ciphering_key_sequence_number),
    O_TV   (TAU_REQUEST, 0x19, old_p_tmsi_signature, wire_u24, 3),
    O_TLV  (TAU_REQUEST, 0x50, additional_guti, nas_eps_identity, 11, 11),
    O_TV   (TAU_REQUEST, 0x55, nonce_ue, wire_u32, 4),
    O_TLV  (TAU_REQUEST, 0x58, ue_network_capability, nas_ue_network_capability_type, 2, 13),
    O_TV   (TAU_REQUEST, 0x52, last_visited_registered_tai, nas_tai, 5),
    O_TV   (TAU_REQUEST, 0x5c, drx_parameter, wire_u16, 2),
    O_HALF (TAU_REQUEST, 0xa0, ue_radio_capability_information_update_needed),
    O_TLV  (TAU_REQUEST, 0x57, eps_bearer_context_status, nas_bearer_status, 2, 2),
    O_TLV  (TAU_REQUEST, 0x31, ms_network_capability, nas_ms_network_capability_type, 2, 8),
    O_TV   (TAU_REQUEST, 0x13, old_lai, nas_lai_type, 5),
    O_HALF (TAU_REQUEST, 0x90, tmsi_status),
    O_TLV  (TAU_REQUEST, 0x11, ms_classmark_2, wire_bytes, 3, 3),
    O_TLV  (TAU_REQUEST, 0x20, ms_classmark_3, wire_bytes, 0, 32),
    O_TLV  (TAU_REQUEST, 0x40, supported_codecs, wire_bytes, 3, 255),
    O_HALF (TAU_REQUEST, 0xf0, additional_update_type),
    O_TLV  (TAU_REQUEST, 0x5d, voice_domain_preference, wire_u8, 1, 1),
    O_HALF (TAU_REQUEST, 0xe0, old_guti_type),
    O_HALF (TAU_REQUEST, 0xd0, device_properties),
    O_HALF (TAU_REQUEST, 0xc0, ms_network_feature_support),
    O_TLV  (TAU_REQUEST, 0x10, tmsi_based_nri_container, wire_bytes, 2, 2),
    O_TLV  (TAU_REQUEST, 0x6a, t3324_value, nas_timer, 1, 1),
    O_TLV  (TAU_REQUEST, 0x5e, t3412_extended_value, nas_timer3, 1, 1),
    O_TLV  (TAU_REQUEST, 0x6e, extended_drx_parameters, wire_bytes, 1, 1),
    O_TLV  (TAU_REQUEST, 0x6f, ue_additional_security_capability, wire_u32, 4, 4),
    O_TLV  (TAU_REQUEST, 0x6d, ue_status, wire_u8, 1, 1),
    O_TV   (TAU_REQUEST, 0x17, additional_information_requested, wire_u8, 1),
    O_TLV  (TAU_REQUEST, 0x32, n1_ue_network_capability, wire_bytes, 1, 13),
};

static const struct nas_ie generic_nas_transport[] = { /* 8.2.31, 8.2.32 */
    M_V    (nas_generic_nas_transport, generic_message_container_type, wire_u8, 1),
    M_LV_E (nas_generic_nas_transport, generic_message_container, wire_bytes, 1, NO_LIMIT),
    O_TLV  (nas_generic_nas_transport, 0x65, additional_information, wire_bytes, 1, 255),
};

static const struct nas_ie control_plane_service_request[] = { /* 8.2.33 */
    M_LOW  (CP_SERVICE_REQUEST, control_plane_service_type),
    M_HIGH (CP_SERVICE_REQUEST, nas_ksi),
    O_TLV_E(CP_SERVICE_REQUEST, 0x78, esm_message_container, nas_esm_message, 0, NO_LIMIT),
    O_TLV  (CP_SERVICE_REQUEST, 0x67, nas_message_container, wire_bytes, 2, 251),
    O_TLV  (CP_SERVICE_REQUEST, 0x57, eps_bearer_context_status, nas_bearer_status, 2, 2),
    O_HALF (CP_SERVICE_REQUEST, 0xd0, device_properties),
};

static const struct nas_ie service_accept[] = { /* 8.2.34 */
    O_TLV  (nas_service_accept, 0x57, eps_bearer_context_status, nas_bearer_status, 2, 2),
    O_TLV  (nas_service_accept, 0x6b, t3448_value, nas_timer, 1, 1),
};

#define FIRST NAS_ATTACH_REQUEST
#define AT(type) [NAS_##type - FIRST]

static const struct nas_format formats[] = {
    AT(ATTACH_REQUEST) = FORMAT("attach request", nas_attach_request, attach_request, 5),
    AT(ATTACH_ACCEPT) = FORMAT("attach accept", nas_attach_accept, attach_accept, 4),
    AT(ATTACH_COMPLETE) = FORMAT("attach complete", nas_attach_complete, attach_complete, 1),
    AT(ATTACH_REJECT) = FORMAT("attach reject", nas_attach_reject, attach_reject, 1),
    AT(DETACH_REQUEST) =
        FORMAT("detach request", nas_detach_request_uplink, detach_request_uplink, 3),
    AT(DETACH_ACCEPT) = FORMAT_EMPTY("detach accept"),
    AT(TRACKING_AREA_UPDATE_REQUEST) =
        FORMAT("tracking area update request", nas_tracking_area_update_request,
               tracking_area_update_request, 3),
    AT(TRACKING_AREA_UPDATE_ACCEPT) =
        FORMAT("tracking area update accept", nas_tracking_area_update_accept,
               tracking_area_update_accept, 1),
    AT(TRACKING_AREA_UPDATE_COMPLETE) = FORMAT_EMPTY("tracking area update complete"),
    AT(TRACKING_AREA_UPDATE_REJECT) =
        FORMAT("tracking area update reject", nas_tracking_area_update_reject,
               tracking_area_update_reject, 1),
    AT(EXTENDED_SERVICE_REQUEST) =
        FORMAT("extended service request", nas_extended_service_request,
               extended_service_request, 3),
    AT(CONTROL_PLANE_SERVICE_REQUEST) =
        FORMAT("control plane service request", nas_control_plane_service_request,
               control_plane_service_request, 2),
    AT(SERVICE_REJECT) = FORMAT("service reject", nas_service_reject, service_reject, 1),
    AT(SERVICE_ACCEPT) = FORMAT("service accept", nas_service_accept, service_accept, 0),
    AT(GUTI_REALLOCATION_COMMAND) =
        FORMAT("guti reallocation command", nas_guti_reallocation_command,
               guti_reallocation_command, 1),
    AT(GUTI_REALLOCATION_COMPLETE) = FORMAT_EMPTY("guti reallocation complete"),
    AT(AUTHENTICATION_REQUEST) =
        FORMAT("authentication request", nas_authentication_request, authentication_request, 3),
    AT(AUTHENTICATION_RESPONSE) =
        FORMAT("authentication response", nas_authentication_response, authentication_response, 1),
    AT(AUTHENTICATION_REJECT) = FORMAT_EMPTY("authentication reject"),
    AT(AUTHENTICATION_FAILURE) =
        FORMAT("authentication failure", nas_authentication_failure, authentication_failure, 1),
    AT(IDENTITY_REQUEST) = FORMAT("identity request", nas_identity_request, identity_request, 1),
    AT(IDENTITY_RESPONSE) =
        FORMAT("identity response", nas_identity_response, identity_response, 1),
    AT(SECURITY_MODE_COMMAND) =
        FORMAT("security mode command", nas_security_mode_command, security_mode_command, 4),
    AT(SECURITY_MODE_COMPLETE) =
        FORMAT("security mode complete", nas_security_mode_complete, security_mode_complete, 0),
    AT(SECURITY_MODE_REJECT) = FORMAT("security mode reject", nas_emm_cause_only, cause_only, 1),
    AT(EMM_STATUS) = FORMAT("emm status", nas_emm_cause_only, cause_only, 1),
    AT(EMM_INFORMATION) = FORMAT("emm information", nas_emm_information, emm_information, 0),
    AT(DOWNLINK_NAS_TRANSPORT) =
        FORMAT("downlink nas transport", nas_nas_transport, nas_transport, 1),
    AT(UPLINK_NAS_TRANSPORT) = FORMAT("uplink nas transport", nas_nas_transport, nas_transport, 1),
    AT(CS_SERVICE_NOTIFICATION) =
        FORMAT("cs service notification", nas_cs_service_notification, cs_service_notification, 1),
    AT(DOWNLINK_GENERIC_NAS_TRANSPORT) =
        FORMAT("downlink generic nas transport", nas_generic_nas_transport,
               generic_nas_transport, 2),
    AT(UPLINK_GENERIC_NAS_TRANSPORT) =
        FORMAT("uplink generic nas transport", nas_generic_nas_transport, generic_nas_transport, 2),
};
// clang-format on

static const struct nas_format detach_request_from_network =
    FORMAT("detach request", nas_detach_request_downlink, detach_request_downlink, 1);

const struct nas_format *nas_emm_format(unsigned type, enum eps_direction direction)
{
    if (type == NAS_DETACH_REQUEST && direction == EPS_DOWNLINK)
        return &detach_request_from_network;
    if (type < FIRST || type - FIRST >= sizeof(formats) / sizeof(formats[0]))
        return NULL;
    return formats[type - FIRST].name ? &formats[type - FIRST] : NULL;
}
