/*
 * messages.h -- the S1AP messages about one phone (TS 36.413 clause 9.1 and 9.3.3, release 16), and
 * Paging; one struct each in the order of their procedure codes. interface_messages.h holds the
 * others. Part of the door s1ap.h; ies.h tells the conventions.
 */
#ifndef STROWGER_WIRE_S1AP_MESSAGES_H
#define STROWGER_WIRE_S1AP_MESSAGES_H

#include "wire/s1ap/ies.h"

/* ---- 0 Handover Preparation ---- */

struct s1ap_handover_required {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    enum s1ap_handover_type handover_type;
    struct s1ap_cause cause;
    struct s1ap_target_id target_id;
    enum s1ap_true *direct_forwarding_path_availability;
    enum s1ap_srvcc_ho_indication *srvcc_ho_indication;
    struct bytes source_to_target_transparent_container;
    struct bytes *source_to_target_transparent_container_secondary;
    struct bytes *ms_classmark_2;
    struct bytes *ms_classmark_3;
    uint32_t *csg_id;
    enum s1ap_true *cell_access_mode;
    enum s1ap_true *ps_service_not_available;
};

struct s1ap_handover_command {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    enum s1ap_handover_type handover_type;
    struct bytes *nas_security_parameters_from_e_utran; /* to UTRAN or GERAN */
    LIST_OF(struct s1ap_e_rab_data_forwarding) e_rab_subject_to_data_forwarding_list;
    LIST_OF(struct s1ap_e_rab_item) e_rab_to_release_list;
    struct bytes target_to_source_transparent_container;
    struct bytes *target_to_source_transparent_container_secondary;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_handover_preparation_failure {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 1 Handover Resource Allocation ---- */

struct s1ap_handover_request {
    uint32_t mme_ue_s1ap_id;
    enum s1ap_handover_type handover_type;
    struct s1ap_cause cause;
    struct s1ap_ue_aggregate_maximum_bitrate ue_aggregate_maximum_bitrate;
    LIST_OF(struct s1ap_e_rab_to_be_setup_ho) e_rab_to_be_setup_list;
    struct bytes source_to_target_transparent_container;
    struct s1ap_ue_security_capabilities ue_security_capabilities;
    struct s1ap_handover_restriction_list *handover_restriction_list;
    struct s1ap_trace_activation *trace_activation;
    struct s1ap_request_type *request_type;
    enum s1ap_true *srvcc_operation_possible;
    struct s1ap_security_context security_context;
    struct bytes *nas_security_parameters_to_e_utran; /* from UTRAN or GERAN */
    uint32_t *csg_id;
    enum s1ap_csg_membership_status *csg_membership_status;
    struct gummei *gummei;
    uint32_t *mme_ue_s1ap_id_2;
    enum s1ap_true *management_based_mdt_allowed;
    LIST_OF(struct plmn) management_based_mdt_plmn_list;
    uint64_t *masked_imeisv;
    struct s1ap_expected_ue_behaviour *expected_ue_behaviour;
    struct s1ap_prose_authorized *prose_authorized;
    enum s1ap_true *ue_user_plane_ciot_support_indicator;
    struct s1ap_v2x_services_authorized *v2x_services_authorized;
    uint64_t *ue_sidelink_aggregate_maximum_bitrate;
    enum s1ap_true *enhanced_coverage_restricted;
    struct s1ap_ue_security_capabilities *nr_ue_security_capabilities;
    enum s1ap_ce_mode_b_restricted *ce_mode_b_restricted;
    enum s1ap_authorized *aerial_ue_subscription_information;
    enum s1ap_true *pending_data_indication;
    struct s1ap_subscription_based_ue_differentiation_info
        *subscription_based_ue_differentiation_info;
    uint32_t *additional_rrm_priority_index;
};

struct s1ap_handover_request_acknowledge {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_admitted) e_rab_admitted_list;
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_setup_list;
    struct bytes target_to_source_transparent_container;
    uint32_t *csg_id;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    enum s1ap_true *cell_access_mode;
    enum s1ap_true *ce_mode_b_support_indicator;
};

struct s1ap_handover_failure {
    uint32_t mme_ue_s1ap_id;
    struct s1ap_cause cause;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 2 Handover Notification ---- */

struct s1ap_handover_notify {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct ecgi eutran_cgi;
    struct tai tai;
    struct s1ap_tunnel_information *tunnel_information_for_bbf;
    struct bytes *lhn_id;
    struct s1ap_nr_cgi *ps_cell_information;
};

/* ---- 3 Path Switch Request ---- */

struct s1ap_path_switch_request {
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_tunnel) e_rab_to_be_switched_dl_list;
    uint32_t source_mme_ue_s1ap_id;
    struct ecgi eutran_cgi;
    struct tai tai;
    struct s1ap_ue_security_capabilities ue_security_capabilities;
    uint32_t *csg_id;
    enum s1ap_true *cell_access_mode;
    struct gummei *source_mme_gummei;
    enum s1ap_csg_membership_status *csg_membership_status;
    struct s1ap_tunnel_information *tunnel_information_for_bbf;
    struct bytes *lhn_id;
    enum s1ap_rrc_establishment_cause *rrc_resume_cause;
    struct s1ap_ue_security_capabilities *nr_ue_security_capabilities;
    struct s1ap_nr_cgi *ps_cell_information;
};

struct s1ap_path_switch_request_acknowledge {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_ue_aggregate_maximum_bitrate *ue_aggregate_maximum_bitrate;
    LIST_OF(struct s1ap_e_rab_tunnel) e_rab_to_be_switched_ul_list;
    LIST_OF(struct s1ap_e_rab_item) e_rab_to_be_released_list;
    struct s1ap_security_context security_context;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    uint32_t *mme_ue_s1ap_id_2;
    enum s1ap_csg_membership_status *csg_membership_status;
    struct s1ap_prose_authorized *prose_authorized;
    enum s1ap_true *ue_user_plane_ciot_support_indicator;
    struct s1ap_v2x_services_authorized *v2x_services_authorized;
    uint64_t *ue_sidelink_aggregate_maximum_bitrate;
    enum s1ap_true *enhanced_coverage_restricted;
    struct s1ap_ue_security_capabilities *nr_ue_security_capabilities;
    enum s1ap_ce_mode_b_restricted *ce_mode_b_restricted;
    enum s1ap_authorized *aerial_ue_subscription_information;
    enum s1ap_true *pending_data_indication;
    struct s1ap_subscription_based_ue_differentiation_info
        *subscription_based_ue_differentiation_info;
    struct s1ap_handover_restriction_list *handover_restriction_list;
    uint32_t *additional_rrm_priority_index;
};

struct s1ap_path_switch_request_failure {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 4 Handover Cancel ---- */

struct s1ap_handover_cancel {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
};

struct s1ap_handover_cancel_acknowledge {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 5 to 8 E-RAB management ---- */

struct s1ap_e_rab_setup_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_ue_aggregate_maximum_bitrate *ue_aggregate_maximum_bitrate;
    LIST_OF(struct s1ap_e_rab_to_be_setup) e_rab_to_be_setup_list; /* each with a NAS PDU */
};

struct s1ap_e_rab_setup_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_tunnel) e_rab_setup_list;
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_setup_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_e_rab_modify_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_ue_aggregate_maximum_bitrate *ue_aggregate_maximum_bitrate;
    LIST_OF(struct s1ap_e_rab_to_be_modified) e_rab_to_be_modified_list;
    enum s1ap_true *secondary_rat_data_usage_request;
};

struct s1ap_e_rab_modify_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(uint8_t) e_rab_modify_list; /* E-RAB ids */
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_modify_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
};

struct s1ap_e_rab_release_command {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_ue_aggregate_maximum_bitrate *ue_aggregate_maximum_bitrate;
    LIST_OF(struct s1ap_e_rab_item) e_rab_to_be_released_list;
    struct bytes *nas_pdu;
};

struct s1ap_e_rab_release_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(uint8_t) e_rab_release_list; /* E-RAB ids */
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_release_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    struct s1ap_user_location_information *user_location_information;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
};

struct s1ap_e_rab_release_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_item) e_rab_released_list;
    struct s1ap_user_location_information *user_location_information;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
};

/* ---- 9 Initial Context Setup ---- */

struct s1ap_initial_context_setup_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_ue_aggregate_maximum_bitrate ue_aggregate_maximum_bitrate;
    LIST_OF(struct s1ap_e_rab_to_be_setup) e_rab_to_be_setup_list;
    struct s1ap_ue_security_capabilities ue_security_capabilities;
    struct s1ap_security_key security_key;
    struct s1ap_trace_activation *trace_activation;
    struct s1ap_handover_restriction_list *handover_restriction_list;
    struct bytes *ue_radio_capability;
    uint16_t *subscriber_profile_id_for_rfp; /* 1..256 */
    enum s1ap_cs_fallback_indicator *cs_fallback_indicator;
    enum s1ap_true *srvcc_operation_possible;
    enum s1ap_csg_membership_status *csg_membership_status;
    struct s1ap_lai *registered_lai;
    struct gummei *gummei;
    uint32_t *mme_ue_s1ap_id_2;
    enum s1ap_true *management_based_mdt_allowed;
    LIST_OF(struct plmn) management_based_mdt_plmn_list;
    enum s1ap_restriction *additional_cs_fallback_indicator;
    uint64_t *masked_imeisv;
    struct s1ap_expected_ue_behaviour *expected_ue_behaviour;
    struct s1ap_prose_authorized *prose_authorized;
    enum s1ap_true *ue_user_plane_ciot_support_indicator;
    struct s1ap_v2x_services_authorized *v2x_services_authorized;
    uint64_t *ue_sidelink_aggregate_maximum_bitrate;
    enum s1ap_true *enhanced_coverage_restricted;
    struct s1ap_ue_security_capabilities *nr_ue_security_capabilities;
    enum s1ap_ce_mode_b_restricted *ce_mode_b_restricted;
    enum s1ap_authorized *aerial_ue_subscription_information;
    enum s1ap_true *pending_data_indication;
    struct s1ap_subscription_based_ue_differentiation_info
        *subscription_based_ue_differentiation_info;
    uint32_t *additional_rrm_priority_index;
};

struct s1ap_initial_context_setup_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_tunnel) e_rab_setup_list;
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_setup_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_initial_context_setup_failure {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 10 Paging ---- */

struct s1ap_paging {
    uint16_t ue_identity_index_value; /* IMSI mod 1024: s1ap_ue_identity_index_value() */
    struct s1ap_ue_paging_id ue_paging_id;
    enum s1ap_paging_drx *paging_drx;
    enum s1ap_cn_domain cn_domain;
    LIST_OF(struct tai) tai_list; /* 1..256 */
    LIST_OF(uint32_t) csg_id_list;
    enum s1ap_paging_priority *paging_priority;
    struct bytes *ue_radio_capability_for_paging;
    struct s1ap_assistance_data_for_paging *assistance_data_for_paging;
    struct s1ap_paging_edrx_information *paging_edrx_information;
    uint16_t *extended_ue_identity_index_value; /* IMSI mod 16384, 14 bits */
    struct s1ap_nb_iot_paging_edrx_information *nb_iot_paging_edrx_information;
    uint16_t *nb_iot_ue_identity_index_value; /* IMSI mod 4096, 12 bits */
    enum s1ap_true *enhanced_coverage_restricted;
    enum s1ap_ce_mode_b_restricted *ce_mode_b_restricted;
};

/* ---- 11 to 13, 16 NAS transport ---- */

struct s1ap_downlink_nas_transport {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes nas_pdu;
    struct s1ap_handover_restriction_list *handover_restriction_list;
    uint16_t *subscriber_profile_id_for_rfp;
    enum s1ap_true *srvcc_operation_possible;
    struct bytes *ue_radio_capability;
    enum s1ap_true *dl_nas_pdu_delivery_ack_request;
    enum s1ap_true *enhanced_coverage_restricted;
    struct s1ap_ue_security_capabilities *nr_ue_security_capabilities;
    enum s1ap_ce_mode_b_restricted *ce_mode_b_restricted;
    enum s1ap_true *ue_capability_info_request;
    enum s1ap_end_indication *end_indication;
    enum s1ap_true *pending_data_indication;
    struct s1ap_subscription_based_ue_differentiation_info
        *subscription_based_ue_differentiation_info;
    uint32_t *additional_rrm_priority_index;
};

struct s1ap_initial_ue_message {
    uint32_t enb_ue_s1ap_id;
    struct bytes nas_pdu;
    struct tai tai;
    struct ecgi eutran_cgi;
    enum s1ap_rrc_establishment_cause rrc_establishment_cause;
    struct s1ap_s_tmsi *s_tmsi;
    uint32_t *csg_id;
    struct gummei *gummei;
    enum s1ap_true *cell_access_mode;
    struct bytes *gw_transport_layer_address;
    enum s1ap_true *relay_node_indicator;
    enum s1ap_gummei_type *gummei_type;
    struct s1ap_tunnel_information *tunnel_information_for_bbf;
    struct bytes *sipto_l_gw_transport_layer_address;
    struct bytes *lhn_id; /* 32..256 octets */
    uint16_t *mme_group_id;
    uint8_t *ue_usage_type;
    enum s1ap_true *ce_mode_b_support_indicator;
    uint16_t *dcn_id;
    enum s1ap_true *coverage_level; /* extended coverage */
    uint8_t *ue_application_layer_measurement_capability;
    enum s1ap_true *edt_session;
};

struct s1ap_uplink_nas_transport {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes nas_pdu;
    struct ecgi eutran_cgi;
    struct tai tai;
    struct bytes *gw_transport_layer_address;
    struct bytes *sipto_l_gw_transport_layer_address;
    struct bytes *lhn_id;
    struct s1ap_nr_cgi *ps_cell_information;
};

struct s1ap_nas_non_delivery_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes nas_pdu;
    struct s1ap_cause cause;
};

/* ---- 18, 23 UE Context Release ---- */

struct s1ap_ue_context_release_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
    enum s1ap_true *gw_context_release_indication;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
};

struct s1ap_ue_context_release_command {
    struct s1ap_ue_s1ap_ids ue_s1ap_ids;
    struct s1ap_cause cause;
};

struct s1ap_ue_context_release_complete {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    struct s1ap_user_location_information *user_location_information;
    struct s1ap_information_for_paging *information_on_recommended_cells_and_enbs_for_paging;
    struct s1ap_ce_capable_cell *cell_identifier_and_ce_level_for_ce_capable_ues;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
    uint32_t *time_since_secondary_node_release;
};

/* ---- 19, 20 S1 CDMA2000 tunnelling ---- */

struct s1ap_downlink_s1_cdma2000_tunnelling {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_data_forwarding) e_rab_subject_to_data_forwarding_list;
    enum s1ap_cdma2000_ho_status *cdma2000_ho_status;
    enum s1ap_cdma2000_rat_type cdma2000_rat_type;
    struct bytes cdma2000_pdu;
};

struct s1ap_uplink_s1_cdma2000_tunnelling {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    enum s1ap_cdma2000_rat_type cdma2000_rat_type;
    struct bytes cdma2000_sector_id;
    enum s1ap_true *cdma2000_ho_required_indication;
    struct s1ap_cdma2000_one_x_srvcc_info *cdma2000_one_x_srvcc_info;
    struct bytes *cdma2000_one_x_rand;
    struct bytes cdma2000_pdu;
    uint16_t *eutran_round_trip_delay_estimation_info; /* 0..2047 */
};

/* ---- 21 UE Context Modification ---- */

struct s1ap_ue_context_modification_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_security_key *security_key;
    uint16_t *subscriber_profile_id_for_rfp;
    struct s1ap_ue_aggregate_maximum_bitrate *ue_aggregate_maximum_bitrate;
    enum s1ap_cs_fallback_indicator *cs_fallback_indicator;
    struct s1ap_ue_security_capabilities *ue_security_capabilities;
    enum s1ap_csg_membership_status *csg_membership_status;
    struct s1ap_lai *registered_lai;
    enum s1ap_restriction *additional_cs_fallback_indicator;
    struct s1ap_prose_authorized *prose_authorized;
    enum s1ap_true *srvcc_operation_possible;
    enum s1ap_true *srvcc_operation_not_possible;
    struct s1ap_v2x_services_authorized *v2x_services_authorized;
    uint64_t *ue_sidelink_aggregate_maximum_bitrate;
    struct s1ap_ue_security_capabilities *nr_ue_security_capabilities;
    enum s1ap_authorized *aerial_ue_subscription_information;
    uint32_t *additional_rrm_priority_index;
};

struct s1ap_ue_context_modification_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_ue_context_modification_failure {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 22 UE Capability Info Indication ---- */

struct s1ap_ue_capability_info_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes ue_radio_capability;
    struct bytes *ue_radio_capability_for_paging;
    uint8_t *ue_application_layer_measurement_capability;
    enum s1ap_true *lte_m_indication;
};

/* ---- 24, 25 Status Transfer ---- */

struct s1ap_enb_status_transfer {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes enb_status_transfer_transparent_container; /* as encoded; see s1ap_value */
};

struct s1ap_mme_status_transfer {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes enb_status_transfer_transparent_container;
};

/* ---- 26 to 28, 42 Trace ---- */

struct s1ap_deactivate_trace {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    uint8_t e_utran_trace_id[8];
};

struct s1ap_trace_start {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_trace_activation trace_activation;
};

struct s1ap_trace_failure_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    uint8_t e_utran_trace_id[8];
    struct s1ap_cause cause;
};

struct s1ap_cell_traffic_trace {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    uint8_t e_utran_trace_id[8];
    struct ecgi eutran_cgi;
    struct bytes trace_collection_entity_ip_address;
    enum s1ap_privacy_indicator *privacy_indicator;
};

/* ---- 31 to 33 Location reporting ---- */

struct s1ap_location_reporting_control {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_request_type request_type;
};

struct s1ap_location_reporting_failure_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
};

struct s1ap_location_report {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct ecgi eutran_cgi;
    struct tai tai;
    struct s1ap_request_type request_type;
    struct s1ap_nr_cgi *ps_cell_information;
};

/* ---- 44, 45 UE-associated LPPa transport ---- */

struct s1ap_downlink_ue_associated_lppa_transport {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    uint8_t routing_id;
    struct bytes lppa_pdu;
};

struct s1ap_uplink_ue_associated_lppa_transport {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    uint8_t routing_id;
    struct bytes lppa_pdu;
};

/* ---- 48 UE Radio Capability Match ---- */

struct s1ap_ue_radio_capability_match_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes *ue_radio_capability;
};

struct s1ap_ue_radio_capability_match_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    enum s1ap_authorized voice_support_match_indicator;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 50 E-RAB Modification Indication ---- */

struct s1ap_e_rab_modification_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_tunnel) e_rab_to_be_modified_list;
    LIST_OF(struct s1ap_e_rab_tunnel) e_rab_not_to_be_modified_list;
    struct s1ap_csg_membership_info *csg_membership_info;
    struct s1ap_tunnel_information *tunnel_information_for_bbf;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
    struct s1ap_user_location_information *user_location_information;
};

struct s1ap_e_rab_modification_confirm {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(uint8_t) e_rab_modify_list; /* E-RAB ids */
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_modify_list;
    LIST_OF(struct s1ap_e_rab_item) e_rab_to_be_released_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    enum s1ap_csg_membership_status *csg_membership_status;
};

/* ---- 52 Reroute NAS Request, 57 NAS Delivery Indication ---- */

struct s1ap_reroute_nas_request {
    uint32_t enb_ue_s1ap_id;
    uint32_t *mme_ue_s1ap_id;
    struct bytes s1_message; /* the Initial UE Message, whole */
    uint16_t mme_group_id;
    struct s1ap_additional_guti *additional_guti;
    uint8_t *ue_usage_type;
};

struct s1ap_nas_delivery_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
};

/* ---- 53 UE Context Modification Indication ---- */

struct s1ap_ue_context_modification_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_csg_membership_info *csg_membership_info;
};

struct s1ap_ue_context_modification_confirm {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    enum s1ap_csg_membership_status *csg_membership_status;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 54 to 56, 58 to 61 cellular IoT ---- */

struct s1ap_connection_establishment_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct bytes *ue_radio_capability;
    enum s1ap_true *enhanced_coverage_restricted;
    struct s1ap_dl_cp_security_information *dl_cp_security_information;
    enum s1ap_ce_mode_b_restricted *ce_mode_b_restricted;
    enum s1ap_end_indication *end_indication;
    struct s1ap_subscription_based_ue_differentiation_info
        *subscription_based_ue_differentiation_info;
    struct s1ap_e_rab_level_qos_parameters *ue_level_qos_parameters;
};

struct s1ap_ue_context_suspend_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_information_for_paging *information_on_recommended_cells_and_enbs_for_paging;
    struct s1ap_ce_capable_cell *cell_identifier_and_ce_level_for_ce_capable_ues;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
    struct s1ap_user_location_information *user_location_information;
    uint32_t *time_since_secondary_node_release;
};

struct s1ap_ue_context_suspend_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    struct s1ap_security_context *security_context;
};

struct s1ap_ue_context_resume_request {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_resume_list;
    enum s1ap_rrc_establishment_cause *rrc_resume_cause;
};

struct s1ap_ue_context_resume_response {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_e_rab_item) e_rab_failed_to_resume_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    struct s1ap_security_context *security_context;
    enum s1ap_true *pending_data_indication;
};

struct s1ap_ue_context_resume_failure {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    struct s1ap_cause cause;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_retrieve_ue_information {
    struct s1ap_s_tmsi s_tmsi;
};

struct s1ap_ue_information_transfer {
    struct s1ap_s_tmsi s_tmsi;
    struct s1ap_e_rab_level_qos_parameters *ue_level_qos_parameters;
    struct bytes *ue_radio_capability;
    struct s1ap_subscription_based_ue_differentiation_info
        *subscription_based_ue_differentiation_info;
    enum s1ap_true *pending_data_indication;
};

struct s1ap_enb_cp_relocation_indication {
    uint32_t enb_ue_s1ap_id;
    struct s1ap_s_tmsi s_tmsi;
    struct ecgi eutran_cgi;
    struct tai tai;
    struct s1ap_ul_cp_security_information ul_cp_security_information;
};

struct s1ap_mme_cp_relocation_indication {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
};

/* ---- 62 Secondary RAT Data Usage Report ---- */

struct s1ap_secondary_rat_data_usage_report_message {
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id;
    LIST_OF(struct s1ap_secondary_rat_data_usage_report) secondary_rat_data_usage_report_list;
    enum s1ap_true *handover_flag;
    struct s1ap_user_location_information *user_location_information;
    uint32_t *time_since_secondary_node_release;
};

#endif
