/*
 * nas_message.h -- the messages of EPS mobility management (TS 24.301 clause 8.2) and EPS session
 * management (clause 8.3).
 *
 * Included by nas.h; other rooms include that one.
 *
 * One struct per message, in the specification's order and with its names. A mandatory element is
 * inline, an optional or conditional one a pointer that is NULL when absent. Half-octet elements
 * are a uint8_t of 0 to 15. `struct bytes` elements are views: of the received message, or of what
 * the sender gives.
 */
#ifndef STROWGER_WIRE_NAS_NAS_MESSAGE_H
#define STROWGER_WIRE_NAS_NAS_MESSAGE_H

#include "crypto/crypto.h"
#include "wire/nas/nas_ie.h"

/* Clause 9.8. EMM types are below 0x80, ESM types above, so one enum serves both. Service Request
 * has no message type on the wire; here it has that of its security header. */
enum nas_message_type {
    NAS_SERVICE_REQUEST = 0x0c,

    NAS_ATTACH_REQUEST = 0x41,
    NAS_ATTACH_ACCEPT = 0x42,
    NAS_ATTACH_COMPLETE = 0x43,
    NAS_ATTACH_REJECT = 0x44,
    NAS_DETACH_REQUEST = 0x45,
    NAS_DETACH_ACCEPT = 0x46,
    NAS_TRACKING_AREA_UPDATE_REQUEST = 0x48,
    NAS_TRACKING_AREA_UPDATE_ACCEPT = 0x49,
    NAS_TRACKING_AREA_UPDATE_COMPLETE = 0x4a,
    NAS_TRACKING_AREA_UPDATE_REJECT = 0x4b,
    NAS_EXTENDED_SERVICE_REQUEST = 0x4c,
    NAS_CONTROL_PLANE_SERVICE_REQUEST = 0x4d,
    NAS_SERVICE_REJECT = 0x4e,
    NAS_SERVICE_ACCEPT = 0x4f,
    NAS_GUTI_REALLOCATION_COMMAND = 0x50,
    NAS_GUTI_REALLOCATION_COMPLETE = 0x51,
    NAS_AUTHENTICATION_REQUEST = 0x52,
    NAS_AUTHENTICATION_RESPONSE = 0x53,
    NAS_AUTHENTICATION_REJECT = 0x54,
    NAS_IDENTITY_REQUEST = 0x55,
    NAS_IDENTITY_RESPONSE = 0x56,
    NAS_AUTHENTICATION_FAILURE = 0x5c,
    NAS_SECURITY_MODE_COMMAND = 0x5d,
    NAS_SECURITY_MODE_COMPLETE = 0x5e,
    NAS_SECURITY_MODE_REJECT = 0x5f,
    NAS_EMM_STATUS = 0x60,
    NAS_EMM_INFORMATION = 0x61,
    NAS_DOWNLINK_NAS_TRANSPORT = 0x62,
    NAS_UPLINK_NAS_TRANSPORT = 0x63,
    NAS_CS_SERVICE_NOTIFICATION = 0x64,
    NAS_DOWNLINK_GENERIC_NAS_TRANSPORT = 0x68,
    NAS_UPLINK_GENERIC_NAS_TRANSPORT = 0x69,

    NAS_ACTIVATE_DEFAULT_BEARER_REQUEST = 0xc1,
    NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT = 0xc2,
    NAS_ACTIVATE_DEFAULT_BEARER_REJECT = 0xc3,
    NAS_ACTIVATE_DEDICATED_BEARER_REQUEST = 0xc5,
    NAS_ACTIVATE_DEDICATED_BEARER_ACCEPT = 0xc6,
    NAS_ACTIVATE_DEDICATED_BEARER_REJECT = 0xc7,
    NAS_MODIFY_BEARER_REQUEST = 0xc9,
    NAS_MODIFY_BEARER_ACCEPT = 0xca,
    NAS_MODIFY_BEARER_REJECT = 0xcb,
    NAS_DEACTIVATE_BEARER_REQUEST = 0xcd,
    NAS_DEACTIVATE_BEARER_ACCEPT = 0xce,
    NAS_PDN_CONNECTIVITY_REQUEST = 0xd0,
    NAS_PDN_CONNECTIVITY_REJECT = 0xd1,
    NAS_PDN_DISCONNECT_REQUEST = 0xd2,
    NAS_PDN_DISCONNECT_REJECT = 0xd3,
    NAS_BEARER_RESOURCE_ALLOCATION_REQUEST = 0xd4,
    NAS_BEARER_RESOURCE_ALLOCATION_REJECT = 0xd5,
    NAS_BEARER_RESOURCE_MODIFICATION_REQUEST = 0xd6,
    NAS_BEARER_RESOURCE_MODIFICATION_REJECT = 0xd7,
    NAS_ESM_INFORMATION_REQUEST = 0xd9,
    NAS_ESM_INFORMATION_RESPONSE = 0xda,
    NAS_ESM_NOTIFICATION = 0xdb,
    NAS_ESM_DUMMY = 0xdc,
    NAS_ESM_STATUS = 0xe8,
    NAS_REMOTE_UE_REPORT = 0xe9,
    NAS_REMOTE_UE_REPORT_RESPONSE = 0xea,
    NAS_ESM_DATA_TRANSPORT = 0xeb,
};

/* EMM causes: clause 9.9.3.9. */
enum nas_emm_cause {
    EMM_CAUSE_IMSI_UNKNOWN_IN_HSS = 2,
    EMM_CAUSE_ILLEGAL_UE = 3,
    EMM_CAUSE_IMEI_NOT_ACCEPTED = 5,
    EMM_CAUSE_ILLEGAL_ME = 6,
    EMM_CAUSE_EPS_SERVICES_NOT_ALLOWED = 7,
    EMM_CAUSE_EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED = 8,
    EMM_CAUSE_UE_IDENTITY_CANNOT_BE_DERIVED = 9,
    EMM_CAUSE_IMPLICITLY_DETACHED = 10,
    EMM_CAUSE_PLMN_NOT_ALLOWED = 11,
    EMM_CAUSE_TRACKING_AREA_NOT_ALLOWED = 12,
    EMM_CAUSE_ROAMING_NOT_ALLOWED_IN_TRACKING_AREA = 13,
    EMM_CAUSE_EPS_SERVICES_NOT_ALLOWED_IN_PLMN = 14,
    EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA = 15,
    EMM_CAUSE_MSC_TEMPORARILY_NOT_REACHABLE = 16,
    EMM_CAUSE_NETWORK_FAILURE = 17,
    EMM_CAUSE_CS_DOMAIN_NOT_AVAILABLE = 18,
    EMM_CAUSE_ESM_FAILURE = 19,
    EMM_CAUSE_MAC_FAILURE = 20,
    EMM_CAUSE_SYNCH_FAILURE = 21,
    EMM_CAUSE_CONGESTION = 22,
    EMM_CAUSE_UE_SECURITY_CAPABILITIES_MISMATCH = 23,
    EMM_CAUSE_SECURITY_MODE_REJECTED = 24,
    EMM_CAUSE_NOT_AUTHORIZED_FOR_CSG = 25,
    EMM_CAUSE_NON_EPS_AUTHENTICATION_UNACCEPTABLE = 26,
    EMM_CAUSE_REDIRECTION_TO_5GCN_REQUIRED = 31,
    EMM_CAUSE_REQUESTED_SERVICE_NOT_AUTHORIZED_IN_PLMN = 35,
    EMM_CAUSE_CS_SERVICE_TEMPORARILY_NOT_AVAILABLE = 39,
    EMM_CAUSE_NO_EPS_BEARER_CONTEXT_ACTIVATED = 40,
    EMM_CAUSE_SEVERE_NETWORK_FAILURE = 42,
    EMM_CAUSE_SEMANTICALLY_INCORRECT_MESSAGE = 95,
    EMM_CAUSE_INVALID_MANDATORY_INFORMATION = 96,
    EMM_CAUSE_MESSAGE_TYPE_NON_EXISTENT = 97,
    EMM_CAUSE_MESSAGE_TYPE_NOT_COMPATIBLE_WITH_STATE = 98,
    EMM_CAUSE_INFORMATION_ELEMENT_NON_EXISTENT = 99,
    EMM_CAUSE_CONDITIONAL_IE_ERROR = 100,
    EMM_CAUSE_MESSAGE_NOT_COMPATIBLE_WITH_STATE = 101,
    EMM_CAUSE_PROTOCOL_ERROR = 111,
};

/* ESM causes: clause 9.9.4.4. */
enum nas_esm_cause {
    ESM_CAUSE_OPERATOR_DETERMINED_BARRING = 8,
    ESM_CAUSE_INSUFFICIENT_RESOURCES = 26,
    ESM_CAUSE_MISSING_OR_UNKNOWN_APN = 27,
    ESM_CAUSE_UNKNOWN_PDN_TYPE = 28,
    ESM_CAUSE_USER_AUTHENTICATION_FAILED = 29,
    ESM_CAUSE_REJECTED_BY_GATEWAY = 30,
    ESM_CAUSE_REJECTED = 31,
    ESM_CAUSE_SERVICE_OPTION_NOT_SUPPORTED = 32,
    ESM_CAUSE_SERVICE_OPTION_NOT_SUBSCRIBED = 33,
    ESM_CAUSE_SERVICE_OPTION_OUT_OF_ORDER = 34,
    ESM_CAUSE_PTI_ALREADY_IN_USE = 35,
    ESM_CAUSE_REGULAR_DEACTIVATION = 36,
    ESM_CAUSE_EPS_QOS_NOT_ACCEPTED = 37,
    ESM_CAUSE_NETWORK_FAILURE = 38,
    ESM_CAUSE_REACTIVATION_REQUESTED = 39,
    ESM_CAUSE_SEMANTIC_ERROR_IN_TFT = 41,
    ESM_CAUSE_SYNTACTICAL_ERROR_IN_TFT = 42,
    ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY = 43,
    ESM_CAUSE_SEMANTIC_ERRORS_IN_PACKET_FILTERS = 44,
    ESM_CAUSE_SYNTACTICAL_ERRORS_IN_PACKET_FILTERS = 45,
    ESM_CAUSE_PTI_MISMATCH = 47,
    ESM_CAUSE_LAST_PDN_DISCONNECTION_NOT_ALLOWED = 49,
    ESM_CAUSE_PDN_TYPE_IPV4_ONLY_ALLOWED = 50,
    ESM_CAUSE_PDN_TYPE_IPV6_ONLY_ALLOWED = 51,
    ESM_CAUSE_SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED = 52,
    ESM_CAUSE_ESM_INFORMATION_NOT_RECEIVED = 53,
    ESM_CAUSE_PDN_CONNECTION_DOES_NOT_EXIST = 54,
    ESM_CAUSE_MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED = 55,
    ESM_CAUSE_COLLISION_WITH_NETWORK_INITIATED_REQUEST = 56,
    ESM_CAUSE_PDN_TYPE_IPV4V6_ONLY_ALLOWED = 57,
    ESM_CAUSE_PDN_TYPE_NON_IP_ONLY_ALLOWED = 58,
    ESM_CAUSE_UNSUPPORTED_QCI_VALUE = 59,
    ESM_CAUSE_BEARER_HANDLING_NOT_SUPPORTED = 60,
    ESM_CAUSE_MAXIMUM_NUMBER_OF_BEARERS_REACHED = 65,
    ESM_CAUSE_APN_NOT_SUPPORTED_IN_RAT_AND_PLMN = 66,
    ESM_CAUSE_INVALID_PTI_VALUE = 81,
    ESM_CAUSE_SEMANTICALLY_INCORRECT_MESSAGE = 95,
    ESM_CAUSE_INVALID_MANDATORY_INFORMATION = 96,
    ESM_CAUSE_MESSAGE_TYPE_NON_EXISTENT = 97,
    ESM_CAUSE_MESSAGE_TYPE_NOT_COMPATIBLE_WITH_STATE = 98,
    ESM_CAUSE_INFORMATION_ELEMENT_NON_EXISTENT = 99,
    ESM_CAUSE_CONDITIONAL_IE_ERROR = 100,
    ESM_CAUSE_MESSAGE_NOT_COMPATIBLE_WITH_STATE = 101,
    ESM_CAUSE_PROTOCOL_ERROR = 111,
    ESM_CAUSE_APN_RESTRICTION_VALUE_INCOMPATIBLE = 112,
    ESM_CAUSE_MULTIPLE_ACCESSES_NOT_ALLOWED = 113,
};

/* ---- EMM ----------------------------------------------------------------- */

struct nas_attach_accept { /* 8.2.1 */
    uint8_t eps_attach_result;
    uint8_t t3412_value; /* GPRS timer */
    struct nas_tai_list tai_list;
    struct bytes esm_message_container;
    struct nas_identity *guti;
    struct nas_lai *lai;
    struct nas_identity *ms_identity;
    uint8_t *emm_cause;
    uint8_t *t3402_value; /* GPRS timer */
    uint8_t *t3423_value; /* GPRS timer */
    struct nas_plmn_list *equivalent_plmns;
    struct bytes *emergency_number_list;
    struct nas_eps_network_feature_support *eps_network_feature_support;
    uint8_t *additional_update_result;
    uint8_t *t3412_extended_value; /* GPRS timer 3 */
    uint8_t *t3324_value;          /* GPRS timer 2 */
    struct bytes *extended_drx_parameters;
    uint16_t *dcn_id;
    uint8_t *sms_services_status;
    uint8_t *non_3gpp_nw_provided_policies;
    uint8_t *t3448_value; /* GPRS timer 2 */
    uint8_t *network_policy;
    uint8_t *t3447_value; /* GPRS timer 3 */
    struct bytes *extended_emergency_number_list;
    struct bytes *ciphering_key_data;
};

struct nas_attach_complete { /* 8.2.2 */
    struct bytes esm_message_container;
};

struct nas_attach_reject { /* 8.2.3 */
    uint8_t emm_cause;
    struct bytes *esm_message_container;
    uint8_t *t3346_value; /* GPRS timer 2 */
    uint8_t *t3402_value; /* GPRS timer 2 */
    uint8_t *extended_emm_cause;
};

struct nas_attach_request { /* 8.2.4 */
    uint8_t eps_attach_type;
    uint8_t nas_ksi;
    struct nas_identity eps_mobile_identity;
    struct nas_ue_network_capability ue_network_capability;
    struct bytes esm_message_container;
    uint32_t *old_p_tmsi_signature;
    struct nas_identity *additional_guti;
    struct tai *last_visited_registered_tai;
    uint16_t *drx_parameter;
    struct nas_ms_network_capability *ms_network_capability;
    struct nas_lai *old_lai;
    uint8_t *tmsi_status;
    struct bytes *ms_classmark_2;
    struct bytes *ms_classmark_3;
    struct bytes *supported_codecs;
    uint8_t *additional_update_type;
    uint8_t *voice_domain_preference;
    uint8_t *device_properties;
    uint8_t *old_guti_type;
    uint8_t *ms_network_feature_support;
    struct bytes *tmsi_based_nri_container;
    uint8_t *t3324_value;          /* GPRS timer 2 */
    uint8_t *t3412_extended_value; /* GPRS timer 3 */
    struct bytes *extended_drx_parameters;
    uint32_t *ue_additional_security_capability; /* 5G-EA, 5G-IA */
    uint8_t *ue_status;
    uint8_t *additional_information_requested;
    struct bytes *n1_ue_network_capability;
};

struct nas_authentication_failure { /* 8.2.5 */
    uint8_t emm_cause;
    struct bytes *authentication_failure_parameter; /* AUTS, 14 octets */
};

struct nas_authentication_request { /* 8.2.7 */
    uint8_t nas_ksi;
    uint8_t rand[16];
    uint8_t autn[16];
};

struct nas_authentication_response { /* 8.2.8 */
    struct bytes res;                /* 4 to 16 octets */
};

struct nas_cs_service_notification { /* 8.2.9 */
    uint8_t paging_identity;         /* 0: IMSI, 1: TMSI */
    struct bytes *cli;
    uint8_t *ss_code;
    uint8_t *lcs_indicator;
    struct bytes *lcs_client_identity;
};

struct nas_detach_request_uplink { /* 8.2.11.1: from the UE */
    uint8_t detach_type;           /* with NAS_DETACH_SWITCH_OFF */
    uint8_t nas_ksi;
    struct nas_identity eps_mobile_identity;
};

struct nas_detach_request_downlink { /* 8.2.11.2: from the network */
    uint8_t detach_type;
    uint8_t *emm_cause;
};

struct nas_nas_transport { /* 8.2.12 downlink, 8.2.30 uplink */
    struct bytes nas_message_container;
};

struct nas_emm_information { /* 8.2.13 */
    struct nas_network_name *full_name;
    struct nas_network_name *short_name;
    uint8_t *local_time_zone;
    struct nas_time *universal_time_and_local_time_zone;
    uint8_t *network_daylight_saving_time;
};

/* EMM STATUS (8.2.14), SECURITY MODE REJECT (8.2.22). */
struct nas_emm_cause_only {
    uint8_t emm_cause;
};

struct nas_extended_service_request { /* 8.2.15 */
    uint8_t service_type;
    uint8_t nas_ksi;
    struct nas_identity m_tmsi;
    uint8_t *csfb_response;
    uint16_t *eps_bearer_context_status;
    uint8_t *device_properties;
};

struct nas_guti_reallocation_command { /* 8.2.16 */
    struct nas_identity guti;
    struct nas_tai_list *tai_list;
    uint16_t *dcn_id;
};

struct nas_identity_request { /* 8.2.18 */
    uint8_t identity_type;    /* enum nas_identity_type2 */
};

struct nas_identity_response { /* 8.2.19 */
    struct nas_identity mobile_identity;
};

struct nas_security_mode_command { /* 8.2.20 */
    uint8_t selected_eea;          /* of the algorithms octet, 9.9.3.23 */
    uint8_t selected_eia;
    uint8_t nas_ksi;
    struct nas_ue_security_capability replayed_ue_security_capabilities;
    uint8_t *imeisv_request;
    uint32_t *replayed_nonce_ue;
    uint32_t *nonce_mme;
    struct bytes *hash_mme;
    uint32_t *replayed_ue_additional_security_capability;
};

struct nas_security_mode_complete { /* 8.2.21 */
    struct nas_identity *imeisv;
    struct bytes *replayed_nas_message_container;
};

struct nas_service_reject { /* 8.2.24 */
    uint8_t emm_cause;
    uint8_t *t3442_value; /* GPRS timer; goes with cause #39 */
    uint8_t *t3346_value; /* GPRS timer 2 */
    uint8_t *t3448_value; /* GPRS timer 2 */
};

struct nas_service_request { /* 8.2.25 */
    uint8_t ksi;
    uint8_t sequence_number; /* low five bits of the NAS COUNT */
    uint16_t short_mac;
};

struct nas_tracking_area_update_accept { /* 8.2.26 */
    uint8_t eps_update_result;
    uint8_t *t3412_value; /* GPRS timer */
    struct nas_identity *guti;
    struct nas_tai_list *tai_list;
    uint16_t *eps_bearer_context_status;
    struct nas_lai *lai;
    struct nas_identity *ms_identity;
    uint8_t *emm_cause;
    uint8_t *t3402_value; /* GPRS timer */
    uint8_t *t3423_value; /* GPRS timer */
    struct nas_plmn_list *equivalent_plmns;
    struct bytes *emergency_number_list;
    struct nas_eps_network_feature_support *eps_network_feature_support;
    uint8_t *additional_update_result;
    uint8_t *t3412_extended_value; /* GPRS timer 3 */
    uint8_t *t3324_value;          /* GPRS timer 2 */
    struct bytes *extended_drx_parameters;
    struct bytes *header_compression_configuration_status;
    uint16_t *dcn_id;
    uint8_t *sms_services_status;
    uint8_t *non_3gpp_nw_provided_policies;
    uint8_t *t3448_value; /* GPRS timer 2 */
    uint8_t *network_policy;
    uint8_t *t3447_value; /* GPRS timer 3 */
    struct bytes *extended_emergency_number_list;
    struct bytes *ciphering_key_data;
};

struct nas_tracking_area_update_reject { /* 8.2.28 */
    uint8_t emm_cause;
    uint8_t *t3346_value; /* GPRS timer 2 */
    uint8_t *extended_emm_cause;
};

struct nas_tracking_area_update_request { /* 8.2.29 */
    uint8_t eps_update_type;              /* with NAS_UPDATE_ACTIVE */
    uint8_t nas_ksi;
    struct nas_identity old_guti;
    uint8_t *non_current_native_nas_ksi;
    uint8_t *gprs_ciphering_key_sequence_number;
    uint32_t *old_p_tmsi_signature;
    struct nas_identity *additional_guti;
    uint32_t *nonce_ue;
    struct nas_ue_network_capability *ue_network_capability;
    struct tai *last_visited_registered_tai;
    uint16_t *drx_parameter;
    uint8_t *ue_radio_capability_information_update_needed;
    uint16_t *eps_bearer_context_status;
    struct nas_ms_network_capability *ms_network_capability;
    struct nas_lai *old_lai;
    uint8_t *tmsi_status;
    struct bytes *ms_classmark_2;
    struct bytes *ms_classmark_3;
    struct bytes *supported_codecs;
    uint8_t *additional_update_type;
    uint8_t *voice_domain_preference;
    uint8_t *old_guti_type;
    uint8_t *device_properties;
    uint8_t *ms_network_feature_support;
    struct bytes *tmsi_based_nri_container;
    uint8_t *t3324_value;          /* GPRS timer 2 */
    uint8_t *t3412_extended_value; /* GPRS timer 3 */
    struct bytes *extended_drx_parameters;
    uint32_t *ue_additional_security_capability;
    uint8_t *ue_status;
    uint8_t *additional_information_requested;
    struct bytes *n1_ue_network_capability;
};

struct nas_generic_nas_transport {          /* 8.2.31 downlink, 8.2.32 uplink */
    uint8_t generic_message_container_type; /* 1: LPP, 2: location services */
    struct bytes generic_message_container;
    struct bytes *additional_information;
};

struct nas_control_plane_service_request { /* 8.2.33 */
    uint8_t control_plane_service_type;
    uint8_t nas_ksi;
    struct bytes *esm_message_container;
    struct bytes *nas_message_container;
    uint16_t *eps_bearer_context_status;
    uint8_t *device_properties;
};

struct nas_service_accept { /* 8.2.34 */
    uint16_t *eps_bearer_context_status;
    uint8_t *t3448_value; /* GPRS timer 2 */
};

/* AUTHENTICATION REJECT, DETACH ACCEPT, GUTI REALLOCATION COMPLETE, TRACKING AREA UPDATE COMPLETE,
 * ESM INFORMATION REQUEST, ESM DUMMY and REMOTE UE REPORT RESPONSE have no elements. */

/* ---- ESM: EPS bearer identity and PTI are in struct nas_message ---------- */

/* ACTIVATE DEDICATED EPS BEARER CONTEXT ACCEPT (8.3.1), MODIFY EPS BEARER CONTEXT ACCEPT (8.3.16).
 */
struct nas_bearer_accept {
    struct bytes *pco;
    struct bytes *nbifom_container;
    struct bytes *extended_pco;
};

/* ACTIVATE DEDICATED EPS BEARER CONTEXT REJECT (8.3.2), MODIFY EPS BEARER CONTEXT REJECT (8.3.17).
 */
struct nas_bearer_reject {
    uint8_t esm_cause;
    struct bytes *pco;
    struct bytes *nbifom_container;
    struct bytes *extended_pco;
};

struct nas_activate_dedicated_bearer_request { /* 8.3.3 */
    uint8_t linked_ebi;
    struct nas_eps_qos eps_qos;
    struct bytes tft;
    struct bytes *transaction_identifier;
    struct bytes *negotiated_qos;
    uint8_t *negotiated_llc_sapi;
    uint8_t *radio_priority;
    uint8_t *packet_flow_identifier;
    struct bytes *pco;
    uint8_t *wlan_offload_indication;
    struct bytes *nbifom_container;
    struct bytes *extended_pco;
    struct bytes *extended_eps_qos;
};

/* ACTIVATE DEFAULT EPS BEARER CONTEXT ACCEPT (8.3.4), DEACTIVATE EPS BEARER CONTEXT ACCEPT
 * (8.3.11). */
struct nas_pco_only {
    struct bytes *pco;
    struct bytes *extended_pco;
};

/* ACTIVATE DEFAULT EPS BEARER CONTEXT REJECT (8.3.5), PDN DISCONNECT REJECT (8.3.21). */
struct nas_pco_reject {
    uint8_t esm_cause;
    struct bytes *pco;
    struct bytes *extended_pco;
};

struct nas_activate_default_bearer_request { /* 8.3.6 */
    struct nas_eps_qos eps_qos;
    struct nas_apn apn;
    struct nas_pdn_address pdn_address;
    struct bytes *transaction_identifier;
    struct bytes *negotiated_qos;
    uint8_t *negotiated_llc_sapi;
    uint8_t *radio_priority;
    uint8_t *packet_flow_identifier;
    struct nas_apn_ambr *apn_ambr;
    uint8_t *esm_cause;
    struct bytes *pco;
    uint8_t *connectivity_type;
    uint8_t *wlan_offload_indication;
    struct bytes *nbifom_container;
    struct bytes *header_compression_configuration;
    uint8_t *control_plane_only_indication;
    struct bytes *extended_pco;
    uint16_t *serving_plmn_rate_control;
    struct bytes *extended_apn_ambr;
};

/* BEARER RESOURCE ALLOCATION REJECT (8.3.7), BEARER RESOURCE MODIFICATION REJECT (8.3.9), PDN
 * CONNECTIVITY REJECT (8.3.19). */
struct nas_request_reject {
    uint8_t esm_cause;
    struct bytes *pco;
    uint8_t *back_off_timer_value; /* GPRS timer 3 */
    uint8_t *re_attempt_indicator;
    struct bytes *nbifom_container;
    struct bytes *extended_pco;
};

struct nas_bearer_resource_allocation_request { /* 8.3.8 */
    uint8_t linked_ebi;
    struct bytes traffic_flow_aggregate;
    struct nas_eps_qos required_traffic_flow_qos;
    struct bytes *pco;
    uint8_t *device_properties;
    struct bytes *nbifom_container;
    struct bytes *extended_pco;
    struct bytes *extended_eps_qos;
};

struct nas_bearer_resource_modification_request { /* 8.3.10 */
    uint8_t ebi_for_packet_filter;
    struct bytes traffic_flow_aggregate;
    struct nas_eps_qos *required_traffic_flow_qos;
    uint8_t *esm_cause;
    struct bytes *pco;
    uint8_t *device_properties;
    struct bytes *nbifom_container;
    struct bytes *header_compression_configuration;
    struct bytes *extended_pco;
    struct bytes *extended_eps_qos;
};

struct nas_deactivate_bearer_request { /* 8.3.12 */
    uint8_t esm_cause;
    struct bytes *pco;
    uint8_t *t3396_value; /* GPRS timer 3 */
    uint8_t *wlan_offload_indication;
    struct bytes *nbifom_container;
    struct bytes *extended_pco;
};

struct nas_esm_information_response { /* 8.3.14 */
    struct nas_apn *apn;
    struct bytes *pco;
    struct bytes *extended_pco;
};

struct nas_esm_cause_only { /* ESM STATUS (8.3.15) */
    uint8_t esm_cause;
};

struct nas_modify_bearer_request { /* 8.3.18 */
    struct nas_eps_qos *new_eps_qos;
    struct bytes *tft;
    struct bytes *new_qos;
    uint8_t *negotiated_llc_sapi;
    uint8_t *radio_priority;
    uint8_t *packet_flow_identifier;
    struct nas_apn_ambr *apn_ambr;
    struct bytes *pco;
    uint8_t *wlan_offload_indication;
    struct bytes *nbifom_container;
    struct bytes *header_compression_configuration;
    struct bytes *extended_pco;
    struct bytes *extended_apn_ambr;
    struct bytes *extended_eps_qos;
};

struct nas_esm_notification { /* 8.3.18A */
    uint8_t notification_indicator;
};

struct nas_pdn_connectivity_request { /* 8.3.20 */
    uint8_t request_type;             /* enum nas_request_type */
    uint8_t pdn_type;                 /* enum nas_pdn_type; as received, so perhaps none of them */
    uint8_t *esm_information_transfer_flag;
    struct nas_apn *apn;
    struct bytes *pco;
    uint8_t *device_properties;
    struct bytes *nbifom_container;
    struct bytes *header_compression_configuration;
    struct bytes *extended_pco;
};

struct nas_pdn_disconnect_request { /* 8.3.22 */
    uint8_t linked_ebi;
    struct bytes *pco;
    struct bytes *extended_pco;
};

struct nas_remote_ue_report { /* 8.3.23 */
    struct bytes *remote_ue_context_connected;
    struct bytes *remote_ue_context_disconnected;
    struct bytes *prose_key_management_function_address;
};

struct nas_esm_data_transport { /* 8.3.25 */
    struct bytes user_data_container;
    uint8_t *release_assistance_indication;
};

/* ---- Any message --------------------------------------------------------- */

struct nas_message {
    enum nas_message_type type;
    enum eps_direction direction; /* tells the two DETACH REQUESTs apart */
    uint8_t ebi;                  /* EPS bearer identity: ESM only; 0 or 5..15 */
    uint8_t pti; /* procedure transaction identity: ESM only; 0 unassigned, 1..254 */
    union {
        void *body; /* may be NULL for a message without elements */
        struct nas_attach_accept *attach_accept;
        struct nas_attach_complete *attach_complete;
        struct nas_attach_reject *attach_reject;
        struct nas_attach_request *attach_request;
        struct nas_authentication_failure *authentication_failure;
        struct nas_authentication_request *authentication_request;
        struct nas_authentication_response *authentication_response;
        struct nas_cs_service_notification *cs_service_notification;
        struct nas_detach_request_uplink *detach_request_uplink;
        struct nas_detach_request_downlink *detach_request_downlink;
        struct nas_nas_transport *downlink_nas_transport, *uplink_nas_transport;
        struct nas_emm_information *emm_information;
        struct nas_emm_cause_only *emm_status, *security_mode_reject;
        struct nas_extended_service_request *extended_service_request;
        struct nas_guti_reallocation_command *guti_reallocation_command;
        struct nas_identity_request *identity_request;
        struct nas_identity_response *identity_response;
        struct nas_security_mode_command *security_mode_command;
        struct nas_security_mode_complete *security_mode_complete;
        struct nas_service_reject *service_reject;
        struct nas_service_request *service_request;
        struct nas_tracking_area_update_accept *tracking_area_update_accept;
        struct nas_tracking_area_update_reject *tracking_area_update_reject;
        struct nas_tracking_area_update_request *tracking_area_update_request;
        struct nas_generic_nas_transport *downlink_generic_nas_transport,
            *uplink_generic_nas_transport;
        struct nas_control_plane_service_request *control_plane_service_request;
        struct nas_service_accept *service_accept;

        struct nas_bearer_accept *activate_dedicated_bearer_accept, *modify_bearer_accept;
        struct nas_bearer_reject *activate_dedicated_bearer_reject, *modify_bearer_reject;
        struct nas_activate_dedicated_bearer_request *activate_dedicated_bearer_request;
        struct nas_pco_only *activate_default_bearer_accept, *deactivate_bearer_accept;
        struct nas_pco_reject *activate_default_bearer_reject, *pdn_disconnect_reject;
        struct nas_activate_default_bearer_request *activate_default_bearer_request;
        struct nas_request_reject *bearer_resource_allocation_reject,
            *bearer_resource_modification_reject, *pdn_connectivity_reject;
        struct nas_bearer_resource_allocation_request *bearer_resource_allocation_request;
        struct nas_bearer_resource_modification_request *bearer_resource_modification_request;
        struct nas_deactivate_bearer_request *deactivate_bearer_request;
        struct nas_esm_information_response *esm_information_response;
        struct nas_esm_cause_only *esm_status;
        struct nas_modify_bearer_request *modify_bearer_request;
        struct nas_esm_notification *esm_notification;
        struct nas_pdn_connectivity_request *pdn_connectivity_request;
        struct nas_pdn_disconnect_request *pdn_disconnect_request;
        struct nas_remote_ue_report *remote_ue_report;
        struct nas_esm_data_transport *esm_data_transport;
    };
};

static inline bool nas_is_esm(enum nas_message_type type)
{
    return type >= 0x80;
}

/* Clauses 4.4.4.2 and 4.4.4.3: true for a message that its receiver processes although it is not
 * integrity protected or its MAC is wrong, as long as no secure exchange of NAS messages has been
 * established on this signalling connection. Afterwards no such message is processed. Looks at the
 * contents where the clause does: the kind of identity, cause #25. */
bool nas_is_acceptable_unprotected(const struct nas_message *message);

#endif
