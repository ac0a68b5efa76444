/*
 * nas_esm.c -- the tables of EPS session management messages: TS 24.301 clause 8.3, one row per
 * information element in the order of the clause's table, with its length there (less tag and
 * length octets).
 */
#include "wire/nas/nas_table.h"

#define NO_LIMIT 0xffff

/* Names of message structs, where rows would else not fit a line. */
#define DEFAULT_REQUEST      nas_activate_default_bearer_request
#define DEDICATED_REQUEST    nas_activate_dedicated_bearer_request
#define ALLOCATION_REQUEST   nas_bearer_resource_allocation_request
#define MODIFICATION_REQUEST nas_bearer_resource_modification_request
#define REMOTE_UE_REPORT     nas_remote_ue_report

// clang-format off
static const struct nas_ie bearer_accept[] = { /* 8.3.1, 8.3.16 */
    O_TLV  (nas_bearer_accept, 0x27, pco, nas_pco, 1, 251),
    O_TLV  (nas_bearer_accept, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV_E(nas_bearer_accept, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie bearer_reject[] = { /* 8.3.2, 8.3.17 */
    M_V    (nas_bearer_reject, esm_cause, nas_esm_cause_type, 1),
    O_TLV  (nas_bearer_reject, 0x27, pco, nas_pco, 1, 251),
    O_TLV  (nas_bearer_reject, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV_E(nas_bearer_reject, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie activate_dedicated_bearer_request[] = { /* 8.3.3 */
    M_LOW  (DEDICATED_REQUEST, linked_ebi),
    M_LV   (DEDICATED_REQUEST, eps_qos, nas_eps_qos_type, 1, 13),
    M_LV   (DEDICATED_REQUEST, tft, nas_tft_type, 1, 255),
    O_TLV  (DEDICATED_REQUEST, 0x5d, transaction_identifier, wire_bytes, 1, 2),
    O_TLV  (DEDICATED_REQUEST, 0x30, negotiated_qos, wire_bytes, 12, 20),
    O_TV   (DEDICATED_REQUEST, 0x32, negotiated_llc_sapi, wire_u8, 1),
    O_HALF (DEDICATED_REQUEST, 0x80, radio_priority),
    O_TLV  (DEDICATED_REQUEST, 0x34, packet_flow_identifier, wire_u8, 1, 1),
    O_TLV  (DEDICATED_REQUEST, 0x27, pco, nas_pco, 1, 251),
    O_HALF (DEDICATED_REQUEST, 0xc0, wlan_offload_indication),
    O_TLV  (DEDICATED_REQUEST, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV_E(DEDICATED_REQUEST, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
    O_TLV  (DEDICATED_REQUEST, 0x5c, extended_eps_qos, wire_bytes, 10, 10),
};

static const struct nas_ie pco_only[] = { /* 8.3.4, 8.3.11 */
    O_TLV  (nas_pco_only, 0x27, pco, nas_pco, 1, 251),
    O_TLV_E(nas_pco_only, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie pco_reject[] = { /* 8.3.5, 8.3.21 */
    M_V    (nas_pco_reject, esm_cause, nas_esm_cause_type, 1),
    O_TLV  (nas_pco_reject, 0x27, pco, nas_pco, 1, 251),
    O_TLV_E(nas_pco_reject, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie activate_default_bearer_request[] = { /* 8.3.6 */
    M_LV   (DEFAULT_REQUEST, eps_qos, nas_eps_qos_type, 1, 13),
    M_LV   (DEFAULT_REQUEST, apn, nas_apn_type, 1, 100),
    M_LV   (DEFAULT_REQUEST, pdn_address, nas_pdn_address_type, 5, 13),
    O_TLV  (DEFAULT_REQUEST, 0x5d, transaction_identifier, wire_bytes, 1, 2),
    O_TLV  (DEFAULT_REQUEST, 0x30, negotiated_qos, wire_bytes, 12, 20),
    O_TV   (DEFAULT_REQUEST, 0x32, negotiated_llc_sapi, wire_u8, 1),
    O_HALF (DEFAULT_REQUEST, 0x80, radio_priority),
    O_TLV  (DEFAULT_REQUEST, 0x34, packet_flow_identifier, wire_u8, 1, 1),
    O_TLV  (DEFAULT_REQUEST, 0x5e, apn_ambr, nas_apn_ambr_type, 2, 6),
    O_TV   (DEFAULT_REQUEST, 0x58, esm_cause, nas_esm_cause_type, 1),
    O_TLV  (DEFAULT_REQUEST, 0x27, pco, nas_pco, 1, 251),
    O_HALF (DEFAULT_REQUEST, 0xb0, connectivity_type),
    O_HALF (DEFAULT_REQUEST, 0xc0, wlan_offload_indication),
    O_TLV  (DEFAULT_REQUEST, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV  (DEFAULT_REQUEST, 0x66, header_compression_configuration, wire_bytes, 3, 255),
    O_HALF (DEFAULT_REQUEST, 0x90, control_plane_only_indication),
    O_TLV_E(DEFAULT_REQUEST, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
    O_TLV  (DEFAULT_REQUEST, 0x6e, serving_plmn_rate_control, wire_u16, 2, 2),
    O_TLV  (DEFAULT_REQUEST, 0x5f, extended_apn_ambr, wire_bytes, 6, 6),
};

static const struct nas_ie request_reject[] = { /* 8.3.7, 8.3.9, 8.3.19 */
    M_V    (nas_request_reject, esm_cause, nas_esm_cause_type, 1),
    O_TLV  (nas_request_reject, 0x27, pco, nas_pco, 1, 251),
    O_TLV  (nas_request_reject, 0x37, back_off_timer_value, nas_timer3, 1, 1),
    O_TLV  (nas_request_reject, 0x6b, re_attempt_indicator, wire_u8, 1, 1),
    O_TLV  (nas_request_reject, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV_E(nas_request_reject, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie bearer_resource_allocation_request[] = { /* 8.3.8 */
    M_LOW  (ALLOCATION_REQUEST, linked_ebi),
    M_LV   (ALLOCATION_REQUEST, traffic_flow_aggregate, nas_tft_type, 1, 255),
    M_LV   (ALLOCATION_REQUEST, required_traffic_flow_qos, nas_eps_qos_type, 1, 13),
    O_TLV  (ALLOCATION_REQUEST, 0x27, pco, nas_pco, 1, 251),
    O_HALF (ALLOCATION_REQUEST, 0xc0, device_properties),
    O_TLV  (ALLOCATION_REQUEST, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV_E(ALLOCATION_REQUEST, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
    O_TLV  (ALLOCATION_REQUEST, 0x5c, extended_eps_qos, wire_bytes, 10, 10),
};

static const struct nas_ie bearer_resource_modification_request[] = { /* 8.3.10 */
    M_LOW  (MODIFICATION_REQUEST, ebi_for_packet_filter),
    M_LV   (MODIFICATION_REQUEST, traffic_flow_aggregate, nas_tft_type, 1, 255),
    O_TLV  (MODIFICATION_REQUEST, 0x5b, required_traffic_flow_qos, nas_eps_qos_type, 1, 13),
    O_TV   (MODIFICATION_REQUEST, 0x58, esm_cause, nas_esm_cause_type, 1),
    O_TLV  (MODIFICATION_REQUEST, 0x27, pco, nas_pco, 1, 251),
    O_HALF (MODIFICATION_REQUEST, 0xc0, device_properties),
    O_TLV  (MODIFICATION_REQUEST, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV  (MODIFICATION_REQUEST, 0x66, header_compression_configuration, wire_bytes, 3, 255),
    O_TLV_E(MODIFICATION_REQUEST, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
    O_TLV  (MODIFICATION_REQUEST, 0x5c, extended_eps_qos, wire_bytes, 10, 10),
};

static const struct nas_ie deactivate_bearer_request[] = { /* 8.3.12 */
    M_V    (nas_deactivate_bearer_request, esm_cause, nas_esm_cause_type, 1),
    O_TLV  (nas_deactivate_bearer_request, 0x27, pco, nas_pco, 1, 251),
    O_TLV  (nas_deactivate_bearer_request, 0x37, t3396_value, nas_timer3, 1, 1),
    O_HALF (nas_deactivate_bearer_request, 0xc0, wlan_offload_indication),
    O_TLV  (nas_deactivate_bearer_request, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV_E(nas_deactivate_bearer_request, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie esm_information_response[] = { /* 8.3.14 */
    O_TLV  (nas_esm_information_response, 0x28, apn, nas_apn_type, 1, 100),
    O_TLV  (nas_esm_information_response, 0x27, pco, nas_pco, 1, 251),
    O_TLV_E(nas_esm_information_response, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie cause_only[] = { /* 8.3.15 */
    M_V    (nas_esm_cause_only, esm_cause, nas_esm_cause_type, 1),
};

static const struct nas_ie modify_bearer_request[] = { /* 8.3.18 */
    O_TLV  (nas_modify_bearer_request, 0x5b, new_eps_qos, nas_eps_qos_type, 1, 13),
    O_TLV  (nas_modify_bearer_request, 0x36, tft, nas_tft_type, 1, 255),
    O_TLV  (nas_modify_bearer_request, 0x30, new_qos, wire_bytes, 12, 20),
    O_TV   (nas_modify_bearer_request, 0x32, negotiated_llc_sapi, wire_u8, 1),
    O_HALF (nas_modify_bearer_request, 0x80, radio_priority),
    O_TLV  (nas_modify_bearer_request, 0x34, packet_flow_identifier, wire_u8, 1, 1),
    O_TLV  (nas_modify_bearer_request, 0x5e, apn_ambr, nas_apn_ambr_type, 2, 6),
    O_TLV  (nas_modify_bearer_request, 0x27, pco, nas_pco, 1, 251),
    O_HALF (nas_modify_bearer_request, 0xc0, wlan_offload_indication),
    O_TLV  (nas_modify_bearer_request, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV  (nas_modify_bearer_request, 0x66, header_compression_configuration, wire_bytes, 3, 255),
    O_TLV_E(nas_modify_bearer_request, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
    O_TLV  (nas_modify_bearer_request, 0x5f, extended_apn_ambr, wire_bytes, 6, 6),
    O_TLV  (nas_modify_bearer_request, 0x5c, extended_eps_qos, wire_bytes, 10, 10),
};

static const struct nas_ie notification[] = { /* 8.3.18A */
    M_LV   (nas_esm_notification, notification_indicator, wire_u8, 1, 1),
};

static const struct nas_ie pdn_connectivity_request[] = { /* 8.3.20 */
    M_LOW  (nas_pdn_connectivity_request, request_type),
    M_HIGH (nas_pdn_connectivity_request, pdn_type),
    O_HALF (nas_pdn_connectivity_request, 0xd0, esm_information_transfer_flag),
    O_TLV  (nas_pdn_connectivity_request, 0x28, apn, nas_apn_type, 1, 100),
    O_TLV  (nas_pdn_connectivity_request, 0x27, pco, nas_pco, 1, 251),
    O_HALF (nas_pdn_connectivity_request, 0xc0, device_properties),
    O_TLV  (nas_pdn_connectivity_request, 0x33, nbifom_container, wire_bytes, 1, 255),
    O_TLV  (nas_pdn_connectivity_request, 0x66, header_compression_configuration,
            wire_bytes, 3, 255),
    O_TLV_E(nas_pdn_connectivity_request, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie pdn_disconnect_request[] = { /* 8.3.22 */
    M_LOW  (nas_pdn_disconnect_request, linked_ebi),
    O_TLV  (nas_pdn_disconnect_request, 0x27, pco, nas_pco, 1, 251),
    O_TLV_E(nas_pdn_disconnect_request, 0x7b, extended_pco, nas_pco, 1, NO_LIMIT),
};

static const struct nas_ie remote_ue_report[] = { /* 8.3.23 */
    O_TLV_E(REMOTE_UE_REPORT, 0x79, remote_ue_context_connected, wire_bytes, 0, NO_LIMIT),
    O_TLV_E(REMOTE_UE_REPORT, 0x7a, remote_ue_context_disconnected, wire_bytes, 0, NO_LIMIT),
    O_TLV  (REMOTE_UE_REPORT, 0x6f, prose_key_management_function_address, wire_bytes, 1, 17),
};

static const struct nas_ie esm_data_transport[] = { /* 8.3.25 */
    M_LV_E (nas_esm_data_transport, user_data_container, wire_bytes, 0, NO_LIMIT),
    O_HALF (nas_esm_data_transport, 0xf0, release_assistance_indication),
};

#define FIRST NAS_ACTIVATE_DEFAULT_BEARER_REQUEST
#define AT(type) [NAS_##type - FIRST]

static const struct nas_format formats[] = {
    AT(ACTIVATE_DEFAULT_BEARER_REQUEST) =
        FORMAT("activate default eps bearer context request",
               nas_activate_default_bearer_request, activate_default_bearer_request, 3),
    AT(ACTIVATE_DEFAULT_BEARER_ACCEPT) =
        FORMAT("activate default eps bearer context accept", nas_pco_only, pco_only, 0),
    AT(ACTIVATE_DEFAULT_BEARER_REJECT) =
        FORMAT("activate default eps bearer context reject", nas_pco_reject, pco_reject, 1),
    AT(ACTIVATE_DEDICATED_BEARER_REQUEST) =
        FORMAT("activate dedicated eps bearer context request",
               nas_activate_dedicated_bearer_request, activate_dedicated_bearer_request, 3),
    AT(ACTIVATE_DEDICATED_BEARER_ACCEPT) =
        FORMAT("activate dedicated eps bearer context accept", nas_bearer_accept, bearer_accept, 0),
    AT(ACTIVATE_DEDICATED_BEARER_REJECT) =
        FORMAT("activate dedicated eps bearer context reject", nas_bearer_reject, bearer_reject, 1),
    AT(MODIFY_BEARER_REQUEST) =
        FORMAT("modify eps bearer context request", nas_modify_bearer_request,
               modify_bearer_request, 0),
    AT(MODIFY_BEARER_ACCEPT) =
        FORMAT("modify eps bearer context accept", nas_bearer_accept, bearer_accept, 0),
    AT(MODIFY_BEARER_REJECT) =
        FORMAT("modify eps bearer context reject", nas_bearer_reject, bearer_reject, 1),
    AT(DEACTIVATE_BEARER_REQUEST) =
        FORMAT("deactivate eps bearer context request",
               nas_deactivate_bearer_request, deactivate_bearer_request, 1),
    AT(DEACTIVATE_BEARER_ACCEPT) =
        FORMAT("deactivate eps bearer context accept", nas_pco_only, pco_only, 0),
    AT(PDN_CONNECTIVITY_REQUEST) =
        FORMAT("pdn connectivity request", nas_pdn_connectivity_request,
               pdn_connectivity_request, 2),
    AT(PDN_CONNECTIVITY_REJECT) =
        FORMAT("pdn connectivity reject", nas_request_reject, request_reject, 1),
    AT(PDN_DISCONNECT_REQUEST) =
        FORMAT("pdn disconnect request", nas_pdn_disconnect_request, pdn_disconnect_request, 1),
    AT(PDN_DISCONNECT_REJECT) = FORMAT("pdn disconnect reject", nas_pco_reject, pco_reject, 1),
    AT(BEARER_RESOURCE_ALLOCATION_REQUEST) =
        FORMAT("bearer resource allocation request",
               nas_bearer_resource_allocation_request, bearer_resource_allocation_request, 3),
    AT(BEARER_RESOURCE_ALLOCATION_REJECT) =
        FORMAT("bearer resource allocation reject", nas_request_reject, request_reject, 1),
    AT(BEARER_RESOURCE_MODIFICATION_REQUEST) =
        FORMAT("bearer resource modification request",
               nas_bearer_resource_modification_request, bearer_resource_modification_request, 2),
    AT(BEARER_RESOURCE_MODIFICATION_REJECT) =
        FORMAT("bearer resource modification reject", nas_request_reject, request_reject, 1),
    AT(ESM_INFORMATION_REQUEST) = FORMAT_EMPTY("esm information request"),
    AT(ESM_INFORMATION_RESPONSE) =
        FORMAT("esm information response", nas_esm_information_response,
               esm_information_response, 0),
    AT(ESM_NOTIFICATION) = FORMAT("notification", nas_esm_notification, notification, 1),
    AT(ESM_DUMMY) = FORMAT_EMPTY("esm dummy message"),
    AT(ESM_STATUS) = FORMAT("esm status", nas_esm_cause_only, cause_only, 1),
    AT(REMOTE_UE_REPORT) = FORMAT("remote ue report", nas_remote_ue_report, remote_ue_report, 0),
    AT(REMOTE_UE_REPORT_RESPONSE) = FORMAT_EMPTY("remote ue report response"),
    AT(ESM_DATA_TRANSPORT) =
        FORMAT("esm data transport", nas_esm_data_transport, esm_data_transport, 1),
};
// clang-format on

const struct nas_format *nas_esm_format(unsigned type)
{
    if (type < FIRST || type - FIRST >= sizeof(formats) / sizeof(formats[0]))
        return NULL;
    return formats[type - FIRST].name ? &formats[type - FIRST] : NULL;
}
