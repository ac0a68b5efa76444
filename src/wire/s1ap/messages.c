/*
 * messages.c -- the messages of messages.h as tables: one row per IE, in the order, with the
 * presence and the criticality of TS 36.413 clause 9.3.3 (release 16). Conditional IEs are optional
 * here; whether they should be there is the procedure's business.
 */
#include "wire/s1ap/types.h"

#define CONTAINER(name) const struct aper_container s1ap_ies_##name = {name, APER_COUNT(name)}

/* ---- 5 to 8 E-RAB management ---- */

static const struct aper_row e_rab_setup_request[] = {
    M(s1ap_e_rab_setup_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_e_rab_setup_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    O(s1ap_e_rab_setup_request, ue_aggregate_maximum_bitrate, UE_AGGREGATE_MAXIMUM_BITRATE, REJECT,
      ue_aggregate_maximum_bitrate),
    ML(s1ap_e_rab_setup_request, e_rab_to_be_setup_list, E_RAB_TO_BE_SETUP_LIST_BEARER_SU_REQ,
       REJECT, e_rab_to_be_setup_list),
};
CONTAINER(e_rab_setup_request);

static const struct aper_row e_rab_setup_response[] = {
    M(s1ap_e_rab_setup_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_e_rab_setup_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    OL(s1ap_e_rab_setup_response, e_rab_setup_list, E_RAB_SETUP_LIST_BEARER_SU_RES, IGNORE,
       e_rab_setup_list),
    OL(s1ap_e_rab_setup_response, e_rab_failed_to_setup_list,
       E_RAB_FAILED_TO_SETUP_LIST_BEARER_SU_RES, IGNORE, e_rab_list),
    O(s1ap_e_rab_setup_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(e_rab_setup_response);

static const struct aper_row e_rab_modify_request[] = {
    M(s1ap_e_rab_modify_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_e_rab_modify_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    O(s1ap_e_rab_modify_request, ue_aggregate_maximum_bitrate, UE_AGGREGATE_MAXIMUM_BITRATE, REJECT,
      ue_aggregate_maximum_bitrate),
    ML(s1ap_e_rab_modify_request, e_rab_to_be_modified_list,
       E_RAB_TO_BE_MODIFIED_LIST_BEARER_MOD_REQ, REJECT, e_rab_to_be_modified_list),
    O(s1ap_e_rab_modify_request, secondary_rat_data_usage_request, SECONDARY_RAT_DATA_USAGE_REQUEST,
      IGNORE, flag),
};
CONTAINER(e_rab_modify_request);

static const struct aper_row e_rab_modify_response[] = {
    M(s1ap_e_rab_modify_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_e_rab_modify_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    OL(s1ap_e_rab_modify_response, e_rab_modify_list, E_RAB_MODIFY_LIST_BEARER_MOD_RES, IGNORE,
       e_rab_modify_list),
    OL(s1ap_e_rab_modify_response, e_rab_failed_to_modify_list, E_RAB_FAILED_TO_MODIFY_LIST, IGNORE,
       e_rab_list),
    O(s1ap_e_rab_modify_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    OL(s1ap_e_rab_modify_response, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
};
CONTAINER(e_rab_modify_response);

static const struct aper_row e_rab_release_command[] = {
    M(s1ap_e_rab_release_command, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_e_rab_release_command, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    O(s1ap_e_rab_release_command, ue_aggregate_maximum_bitrate, UE_AGGREGATE_MAXIMUM_BITRATE,
      REJECT, ue_aggregate_maximum_bitrate),
    ML(s1ap_e_rab_release_command, e_rab_to_be_released_list, E_RAB_TO_BE_RELEASED_LIST, IGNORE,
       e_rab_list),
    O(s1ap_e_rab_release_command, nas_pdu, NAS_PDU, IGNORE, octets),
};
CONTAINER(e_rab_release_command);

static const struct aper_row e_rab_release_response[] = {
    M(s1ap_e_rab_release_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_e_rab_release_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    OL(s1ap_e_rab_release_response, e_rab_release_list, E_RAB_RELEASE_LIST_BEARER_REL_COMP, IGNORE,
       e_rab_release_list),
    OL(s1ap_e_rab_release_response, e_rab_failed_to_release_list, E_RAB_FAILED_TO_RELEASE_LIST,
       IGNORE, e_rab_list),
    O(s1ap_e_rab_release_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_e_rab_release_response, user_location_information, USER_LOCATION_INFORMATION, IGNORE,
      user_location_information),
    OL(s1ap_e_rab_release_response, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
};
CONTAINER(e_rab_release_response);

static const struct aper_row e_rab_release_indication[] = {
    M(s1ap_e_rab_release_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_e_rab_release_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    ML(s1ap_e_rab_release_indication, e_rab_released_list, E_RAB_RELEASED_LIST, IGNORE, e_rab_list),
    O(s1ap_e_rab_release_indication, user_location_information, USER_LOCATION_INFORMATION, IGNORE,
      user_location_information),
    OL(s1ap_e_rab_release_indication, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
};
CONTAINER(e_rab_release_indication);

/* ---- 9 Initial Context Setup ---- */

static const struct aper_row initial_context_setup_request[] = {
    M(s1ap_initial_context_setup_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_initial_context_setup_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_initial_context_setup_request, ue_aggregate_maximum_bitrate,
      UE_AGGREGATE_MAXIMUM_BITRATE, REJECT, ue_aggregate_maximum_bitrate),
    ML(s1ap_initial_context_setup_request, e_rab_to_be_setup_list,
       E_RAB_TO_BE_SETUP_LIST_CTXT_SU_REQ, REJECT, e_rab_to_be_setup_context_list),
    M(s1ap_initial_context_setup_request, ue_security_capabilities, UE_SECURITY_CAPABILITIES,
      REJECT, ue_security_capabilities),
    M(s1ap_initial_context_setup_request, security_key, SECURITY_KEY, REJECT, security_key),
    O(s1ap_initial_context_setup_request, trace_activation, TRACE_ACTIVATION, IGNORE,
      trace_activation),
    O(s1ap_initial_context_setup_request, handover_restriction_list, HANDOVER_RESTRICTION_LIST,
      IGNORE, handover_restriction_list),
    O(s1ap_initial_context_setup_request, ue_radio_capability, UE_RADIO_CAPABILITY, IGNORE, octets),
    O(s1ap_initial_context_setup_request, subscriber_profile_id_for_rfp,
      SUBSCRIBER_PROFILE_ID_FOR_RFP, IGNORE, subscriber_profile_id_for_rfp),
    O(s1ap_initial_context_setup_request, cs_fallback_indicator, CS_FALLBACK_INDICATOR, REJECT,
      cs_fallback_indicator),
    O(s1ap_initial_context_setup_request, srvcc_operation_possible, SRVCC_OPERATION_POSSIBLE,
      IGNORE, flag),
    O(s1ap_initial_context_setup_request, csg_membership_status, CSG_MEMBERSHIP_STATUS, IGNORE,
      csg_membership_status),
    O(s1ap_initial_context_setup_request, registered_lai, REGISTERED_LAI, IGNORE, lai),
    O(s1ap_initial_context_setup_request, gummei, GUMMEI, IGNORE, gummei),
    O(s1ap_initial_context_setup_request, mme_ue_s1ap_id_2, MME_UE_S1AP_ID_2, IGNORE,
      mme_ue_s1ap_id),
    O(s1ap_initial_context_setup_request, management_based_mdt_allowed,
      MANAGEMENT_BASED_MDT_ALLOWED, IGNORE, flag),
    OL(s1ap_initial_context_setup_request, management_based_mdt_plmn_list,
       MANAGEMENT_BASED_MDT_PLMN_LIST, IGNORE, mdt_plmn_list),
    O(s1ap_initial_context_setup_request, additional_cs_fallback_indicator,
      ADDITIONAL_CS_FALLBACK_INDICATOR, IGNORE, restriction),
    O(s1ap_initial_context_setup_request, masked_imeisv, MASKED_IMEISV, IGNORE, masked_imeisv),
    O(s1ap_initial_context_setup_request, expected_ue_behaviour, EXPECTED_UE_BEHAVIOUR, IGNORE,
      expected_ue_behaviour),
    O(s1ap_initial_context_setup_request, prose_authorized, PROSE_AUTHORIZED, IGNORE,
      prose_authorized),
    O(s1ap_initial_context_setup_request, ue_user_plane_ciot_support_indicator,
      UE_USER_PLANE_CIOT_SUPPORT_INDICATOR, IGNORE, flag),
    O(s1ap_initial_context_setup_request, v2x_services_authorized, V2X_SERVICES_AUTHORIZED, IGNORE,
      v2x_services_authorized),
    O(s1ap_initial_context_setup_request, ue_sidelink_aggregate_maximum_bitrate,
      UE_SIDELINK_AGGREGATE_MAXIMUM_BITRATE, IGNORE, ue_sidelink_aggregate_maximum_bitrate),
    O(s1ap_initial_context_setup_request, enhanced_coverage_restricted,
      ENHANCED_COVERAGE_RESTRICTED, IGNORE, flag),
    O(s1ap_initial_context_setup_request, nr_ue_security_capabilities, NR_UE_SECURITY_CAPABILITIES,
      IGNORE, ue_security_capabilities),
    O(s1ap_initial_context_setup_request, ce_mode_b_restricted, CE_MODE_B_RESTRICTED, IGNORE,
      ce_mode_b_restricted),
    O(s1ap_initial_context_setup_request, aerial_ue_subscription_information,
      AERIAL_UE_SUBSCRIPTION_INFORMATION, IGNORE, aerial_ue_subscription_information),
    O(s1ap_initial_context_setup_request, pending_data_indication, PENDING_DATA_INDICATION, IGNORE,
      flag),
    O(s1ap_initial_context_setup_request, subscription_based_ue_differentiation_info,
      SUBSCRIPTION_BASED_UE_DIFFERENTIATION_INFO, IGNORE,
      subscription_based_ue_differentiation_info),
    O(s1ap_initial_context_setup_request, additional_rrm_priority_index,
      ADDITIONAL_RRM_PRIORITY_INDEX, IGNORE, additional_rrm_priority_index),
};
CONTAINER(initial_context_setup_request);

static const struct aper_row initial_context_setup_response[] = {
    M(s1ap_initial_context_setup_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_initial_context_setup_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    ML(s1ap_initial_context_setup_response, e_rab_setup_list, E_RAB_SETUP_LIST_CTXT_SU_RES, IGNORE,
       e_rab_setup_context_list),
    OL(s1ap_initial_context_setup_response, e_rab_failed_to_setup_list,
       E_RAB_FAILED_TO_SETUP_LIST_CTXT_SU_RES, IGNORE, e_rab_list),
    O(s1ap_initial_context_setup_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(initial_context_setup_response);

static const struct aper_row initial_context_setup_failure[] = {
    M(s1ap_initial_context_setup_failure, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_initial_context_setup_failure, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    M(s1ap_initial_context_setup_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_initial_context_setup_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(initial_context_setup_failure);

/* ---- 10 Paging ---- */

static const struct aper_row paging[] = {
    M(s1ap_paging, ue_identity_index_value, UE_IDENTITY_INDEX_VALUE, IGNORE,
      ue_identity_index_value),
    M(s1ap_paging, ue_paging_id, UE_PAGING_ID, IGNORE, ue_paging_id),
    O(s1ap_paging, paging_drx, PAGING_DRX, IGNORE, paging_drx),
    M(s1ap_paging, cn_domain, CN_DOMAIN, IGNORE, cn_domain),
    ML(s1ap_paging, tai_list, TAI_LIST, IGNORE, tai_list),
    OL(s1ap_paging, csg_id_list, CSG_ID_LIST, IGNORE, csg_id_list),
    O(s1ap_paging, paging_priority, PAGING_PRIORITY, IGNORE, paging_priority),
    O(s1ap_paging, ue_radio_capability_for_paging, UE_RADIO_CAPABILITY_FOR_PAGING, IGNORE, octets),
    O(s1ap_paging, assistance_data_for_paging, ASSISTANCE_DATA_FOR_PAGING, IGNORE,
      assistance_data_for_paging),
    O(s1ap_paging, paging_edrx_information, PAGING_EDRX_INFORMATION, IGNORE,
      paging_edrx_information),
    O(s1ap_paging, extended_ue_identity_index_value, EXTENDED_UE_IDENTITY_INDEX_VALUE, IGNORE,
      extended_ue_identity_index_value),
    O(s1ap_paging, nb_iot_paging_edrx_information, NB_IOT_PAGING_EDRX_INFORMATION, IGNORE,
      nb_iot_paging_edrx_information),
    O(s1ap_paging, nb_iot_ue_identity_index_value, NB_IOT_UE_IDENTITY_INDEX_VALUE, IGNORE,
      nb_iot_ue_identity_index_value),
    O(s1ap_paging, enhanced_coverage_restricted, ENHANCED_COVERAGE_RESTRICTED, IGNORE, flag),
    O(s1ap_paging, ce_mode_b_restricted, CE_MODE_B_RESTRICTED, IGNORE, ce_mode_b_restricted),
};
CONTAINER(paging);

/* ---- 11 to 13, 16 NAS transport ---- */

static const struct aper_row downlink_nas_transport[] = {
    M(s1ap_downlink_nas_transport, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_downlink_nas_transport, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_downlink_nas_transport, nas_pdu, NAS_PDU, REJECT, octets),
    O(s1ap_downlink_nas_transport, handover_restriction_list, HANDOVER_RESTRICTION_LIST, IGNORE,
      handover_restriction_list),
    O(s1ap_downlink_nas_transport, subscriber_profile_id_for_rfp, SUBSCRIBER_PROFILE_ID_FOR_RFP,
      IGNORE, subscriber_profile_id_for_rfp),
    O(s1ap_downlink_nas_transport, srvcc_operation_possible, SRVCC_OPERATION_POSSIBLE, IGNORE,
      flag),
    O(s1ap_downlink_nas_transport, ue_radio_capability, UE_RADIO_CAPABILITY, IGNORE, octets),
    O(s1ap_downlink_nas_transport, dl_nas_pdu_delivery_ack_request, DL_NAS_PDU_DELIVERY_ACK_REQUEST,
      IGNORE, flag),
    O(s1ap_downlink_nas_transport, enhanced_coverage_restricted, ENHANCED_COVERAGE_RESTRICTED,
      IGNORE, flag),
    O(s1ap_downlink_nas_transport, nr_ue_security_capabilities, NR_UE_SECURITY_CAPABILITIES, IGNORE,
      ue_security_capabilities),
    O(s1ap_downlink_nas_transport, ce_mode_b_restricted, CE_MODE_B_RESTRICTED, IGNORE,
      ce_mode_b_restricted),
    O(s1ap_downlink_nas_transport, ue_capability_info_request, UE_CAPABILITY_INFO_REQUEST, IGNORE,
      flag),
    O(s1ap_downlink_nas_transport, end_indication, END_INDICATION, IGNORE, end_indication),
    O(s1ap_downlink_nas_transport, pending_data_indication, PENDING_DATA_INDICATION, IGNORE, flag),
    O(s1ap_downlink_nas_transport, subscription_based_ue_differentiation_info,
      SUBSCRIPTION_BASED_UE_DIFFERENTIATION_INFO, IGNORE,
      subscription_based_ue_differentiation_info),
    O(s1ap_downlink_nas_transport, additional_rrm_priority_index, ADDITIONAL_RRM_PRIORITY_INDEX,
      IGNORE, additional_rrm_priority_index),
};
CONTAINER(downlink_nas_transport);

static const struct aper_row initial_ue_message[] = {
    M(s1ap_initial_ue_message, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_initial_ue_message, nas_pdu, NAS_PDU, REJECT, octets),
    M(s1ap_initial_ue_message, tai, TAI, REJECT, tai),
    M(s1ap_initial_ue_message, eutran_cgi, EUTRAN_CGI, IGNORE, ecgi),
    M(s1ap_initial_ue_message, rrc_establishment_cause, RRC_ESTABLISHMENT_CAUSE, IGNORE,
      rrc_establishment_cause),
    O(s1ap_initial_ue_message, s_tmsi, S_TMSI, REJECT, s_tmsi),
    O(s1ap_initial_ue_message, csg_id, CSG_ID, REJECT, csg_id),
    O(s1ap_initial_ue_message, gummei, GUMMEI, REJECT, gummei),
    O(s1ap_initial_ue_message, cell_access_mode, CELL_ACCESS_MODE, REJECT, flag),
    O(s1ap_initial_ue_message, gw_transport_layer_address, GW_TRANSPORT_LAYER_ADDRESS, IGNORE,
      transport_layer_address),
    O(s1ap_initial_ue_message, relay_node_indicator, RELAY_NODE_INDICATOR, REJECT, flag),
    O(s1ap_initial_ue_message, gummei_type, GUMMEI_TYPE, IGNORE, gummei_type),
    O(s1ap_initial_ue_message, tunnel_information_for_bbf, TUNNEL_INFORMATION_FOR_BBF, IGNORE,
      tunnel_information),
    O(s1ap_initial_ue_message, sipto_l_gw_transport_layer_address,
      SIPTO_L_GW_TRANSPORT_LAYER_ADDRESS, IGNORE, transport_layer_address),
    O(s1ap_initial_ue_message, lhn_id, LHN_ID, IGNORE, lhn_id),
    O(s1ap_initial_ue_message, mme_group_id, MME_GROUP_ID, IGNORE, mme_group_id),
    O(s1ap_initial_ue_message, ue_usage_type, UE_USAGE_TYPE, IGNORE, ue_usage_type),
    O(s1ap_initial_ue_message, ce_mode_b_support_indicator, CE_MODE_B_SUPPORT_INDICATOR, IGNORE,
      flag),
    O(s1ap_initial_ue_message, dcn_id, DCN_ID, IGNORE, dcn_id),
    O(s1ap_initial_ue_message, coverage_level, COVERAGE_LEVEL, IGNORE, flag),
    O(s1ap_initial_ue_message, ue_application_layer_measurement_capability,
      UE_APPLICATION_LAYER_MEASUREMENT_CAPABILITY, IGNORE,
      ue_application_layer_measurement_capability),
    O(s1ap_initial_ue_message, edt_session, EDT_SESSION, IGNORE, flag),
};
CONTAINER(initial_ue_message);

static const struct aper_row uplink_nas_transport[] = {
    M(s1ap_uplink_nas_transport, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_uplink_nas_transport, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_uplink_nas_transport, nas_pdu, NAS_PDU, REJECT, octets),
    M(s1ap_uplink_nas_transport, eutran_cgi, EUTRAN_CGI, IGNORE, ecgi),
    M(s1ap_uplink_nas_transport, tai, TAI, IGNORE, tai),
    O(s1ap_uplink_nas_transport, gw_transport_layer_address, GW_TRANSPORT_LAYER_ADDRESS, IGNORE,
      transport_layer_address),
    O(s1ap_uplink_nas_transport, sipto_l_gw_transport_layer_address,
      SIPTO_L_GW_TRANSPORT_LAYER_ADDRESS, IGNORE, transport_layer_address),
    O(s1ap_uplink_nas_transport, lhn_id, LHN_ID, IGNORE, lhn_id),
    O(s1ap_uplink_nas_transport, ps_cell_information, PS_CELL_INFORMATION, IGNORE,
      ps_cell_information),
};
CONTAINER(uplink_nas_transport);

static const struct aper_row nas_non_delivery_indication[] = {
    M(s1ap_nas_non_delivery_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_nas_non_delivery_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_nas_non_delivery_indication, nas_pdu, NAS_PDU, IGNORE, octets),
    M(s1ap_nas_non_delivery_indication, cause, CAUSE, IGNORE, cause),
};
CONTAINER(nas_non_delivery_indication);

/* ---- 18, 23 UE Context Release ---- */

static const struct aper_row ue_context_release_request[] = {
    M(s1ap_ue_context_release_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_ue_context_release_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_ue_context_release_request, cause, CAUSE, IGNORE, cause),
    O(s1ap_ue_context_release_request, gw_context_release_indication, GW_CONTEXT_RELEASE_INDICATION,
      REJECT, flag),
    OL(s1ap_ue_context_release_request, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
};
CONTAINER(ue_context_release_request);

static const struct aper_row ue_context_release_command[] = {
    M(s1ap_ue_context_release_command, ue_s1ap_ids, UE_S1AP_IDS, REJECT, ue_s1ap_ids),
    M(s1ap_ue_context_release_command, cause, CAUSE, IGNORE, cause),
};
CONTAINER(ue_context_release_command);

static const struct aper_row ue_context_release_complete[] = {
    M(s1ap_ue_context_release_complete, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_ue_context_release_complete, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    O(s1ap_ue_context_release_complete, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_ue_context_release_complete, user_location_information, USER_LOCATION_INFORMATION,
      IGNORE, user_location_information),
    O(s1ap_ue_context_release_complete, information_on_recommended_cells_and_enbs_for_paging,
      INFORMATION_ON_RECOMMENDED_CELLS_AND_ENBS_FOR_PAGING, IGNORE, information_for_paging),
    O(s1ap_ue_context_release_complete, cell_identifier_and_ce_level_for_ce_capable_ues,
      CELL_IDENTIFIER_AND_CE_LEVEL_FOR_CE_CAPABLE_UES, IGNORE, ce_capable_cell),
    OL(s1ap_ue_context_release_complete, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
    O(s1ap_ue_context_release_complete, time_since_secondary_node_release,
      TIME_SINCE_SECONDARY_NODE_RELEASE, IGNORE, timestamp),
};
CONTAINER(ue_context_release_complete);

/* ---- 19, 20 S1 CDMA2000 tunnelling ---- */

static const struct aper_row downlink_s1_cdma2000_tunnelling[] = {
    M(s1ap_downlink_s1_cdma2000_tunnelling, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_downlink_s1_cdma2000_tunnelling, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    OL(s1ap_downlink_s1_cdma2000_tunnelling, e_rab_subject_to_data_forwarding_list,
       E_RAB_SUBJECT_TO_DATA_FORWARDING_LIST, IGNORE, e_rab_subject_to_data_forwarding_list),
    O(s1ap_downlink_s1_cdma2000_tunnelling, cdma2000_ho_status, CDMA2000_HO_STATUS, IGNORE,
      cdma2000_ho_status),
    M(s1ap_downlink_s1_cdma2000_tunnelling, cdma2000_rat_type, CDMA2000_RAT_TYPE, REJECT,
      cdma2000_rat_type),
    M(s1ap_downlink_s1_cdma2000_tunnelling, cdma2000_pdu, CDMA2000_PDU, REJECT, octets),
};
CONTAINER(downlink_s1_cdma2000_tunnelling);

static const struct aper_row uplink_s1_cdma2000_tunnelling[] = {
    M(s1ap_uplink_s1_cdma2000_tunnelling, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_uplink_s1_cdma2000_tunnelling, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_uplink_s1_cdma2000_tunnelling, cdma2000_rat_type, CDMA2000_RAT_TYPE, REJECT,
      cdma2000_rat_type),
    M(s1ap_uplink_s1_cdma2000_tunnelling, cdma2000_sector_id, CDMA2000_SECTOR_ID, REJECT, octets),
    O(s1ap_uplink_s1_cdma2000_tunnelling, cdma2000_ho_required_indication,
      CDMA2000_HO_REQUIRED_INDICATION, IGNORE, flag),
    O(s1ap_uplink_s1_cdma2000_tunnelling, cdma2000_one_x_srvcc_info, CDMA2000_ONE_X_SRVCC_INFO,
      REJECT, cdma2000_one_x_srvcc_info),
    O(s1ap_uplink_s1_cdma2000_tunnelling, cdma2000_one_x_rand, CDMA2000_ONE_X_RAND, REJECT, octets),
    M(s1ap_uplink_s1_cdma2000_tunnelling, cdma2000_pdu, CDMA2000_PDU, REJECT, octets),
    O(s1ap_uplink_s1_cdma2000_tunnelling, eutran_round_trip_delay_estimation_info,
      EUTRAN_ROUND_TRIP_DELAY_ESTIMATION_INFO, IGNORE, eutran_round_trip_delay_estimation_info),
};
CONTAINER(uplink_s1_cdma2000_tunnelling);

/* ---- 21 UE Context Modification ---- */

static const struct aper_row ue_context_modification_request[] = {
    M(s1ap_ue_context_modification_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_ue_context_modification_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    O(s1ap_ue_context_modification_request, security_key, SECURITY_KEY, REJECT, security_key),
    O(s1ap_ue_context_modification_request, subscriber_profile_id_for_rfp,
      SUBSCRIBER_PROFILE_ID_FOR_RFP, IGNORE, subscriber_profile_id_for_rfp),
    O(s1ap_ue_context_modification_request, ue_aggregate_maximum_bitrate,
      UE_AGGREGATE_MAXIMUM_BITRATE, IGNORE, ue_aggregate_maximum_bitrate),
    O(s1ap_ue_context_modification_request, cs_fallback_indicator, CS_FALLBACK_INDICATOR, REJECT,
      cs_fallback_indicator),
    O(s1ap_ue_context_modification_request, ue_security_capabilities, UE_SECURITY_CAPABILITIES,
      REJECT, ue_security_capabilities),
    O(s1ap_ue_context_modification_request, csg_membership_status, CSG_MEMBERSHIP_STATUS, IGNORE,
      csg_membership_status),
    O(s1ap_ue_context_modification_request, registered_lai, REGISTERED_LAI, IGNORE, lai),
    O(s1ap_ue_context_modification_request, additional_cs_fallback_indicator,
      ADDITIONAL_CS_FALLBACK_INDICATOR, IGNORE, restriction),
    O(s1ap_ue_context_modification_request, prose_authorized, PROSE_AUTHORIZED, IGNORE,
      prose_authorized),
    O(s1ap_ue_context_modification_request, srvcc_operation_possible, SRVCC_OPERATION_POSSIBLE,
      IGNORE, flag),
    O(s1ap_ue_context_modification_request, srvcc_operation_not_possible,
      SRVCC_OPERATION_NOT_POSSIBLE, IGNORE, flag),
    O(s1ap_ue_context_modification_request, v2x_services_authorized, V2X_SERVICES_AUTHORIZED,
      IGNORE, v2x_services_authorized),
    O(s1ap_ue_context_modification_request, ue_sidelink_aggregate_maximum_bitrate,
      UE_SIDELINK_AGGREGATE_MAXIMUM_BITRATE, IGNORE, ue_sidelink_aggregate_maximum_bitrate),
    O(s1ap_ue_context_modification_request, nr_ue_security_capabilities,
      NR_UE_SECURITY_CAPABILITIES, IGNORE, ue_security_capabilities),
    O(s1ap_ue_context_modification_request, aerial_ue_subscription_information,
      AERIAL_UE_SUBSCRIPTION_INFORMATION, IGNORE, aerial_ue_subscription_information),
    O(s1ap_ue_context_modification_request, additional_rrm_priority_index,
      ADDITIONAL_RRM_PRIORITY_INDEX, IGNORE, additional_rrm_priority_index),
};
CONTAINER(ue_context_modification_request);

static const struct aper_row ue_context_modification_response[] = {
    M(s1ap_ue_context_modification_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE,
      mme_ue_s1ap_id),
    M(s1ap_ue_context_modification_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE,
      enb_ue_s1ap_id),
    O(s1ap_ue_context_modification_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(ue_context_modification_response);

static const struct aper_row ue_context_modification_failure[] = {
    M(s1ap_ue_context_modification_failure, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_ue_context_modification_failure, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    M(s1ap_ue_context_modification_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_ue_context_modification_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(ue_context_modification_failure);

/* ---- 22 UE Capability Info Indication ---- */

static const struct aper_row ue_capability_info_indication[] = {
    M(s1ap_ue_capability_info_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_ue_capability_info_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_ue_capability_info_indication, ue_radio_capability, UE_RADIO_CAPABILITY, IGNORE, octets),
    O(s1ap_ue_capability_info_indication, ue_radio_capability_for_paging,
      UE_RADIO_CAPABILITY_FOR_PAGING, IGNORE, octets),
    O(s1ap_ue_capability_info_indication, ue_application_layer_measurement_capability,
      UE_APPLICATION_LAYER_MEASUREMENT_CAPABILITY, IGNORE,
      ue_application_layer_measurement_capability),
    O(s1ap_ue_capability_info_indication, lte_m_indication, LTE_M_INDICATION, IGNORE, flag),
};
CONTAINER(ue_capability_info_indication);

/* ---- 26 to 28, 42 Trace ---- */

static const struct aper_row deactivate_trace[] = {
    M(s1ap_deactivate_trace, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_deactivate_trace, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_deactivate_trace, e_utran_trace_id, E_UTRAN_TRACE_ID, IGNORE, e_utran_trace_id),
};
CONTAINER(deactivate_trace);

static const struct aper_row trace_start[] = {
    M(s1ap_trace_start, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_trace_start, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_trace_start, trace_activation, TRACE_ACTIVATION, IGNORE, trace_activation),
};
CONTAINER(trace_start);

static const struct aper_row trace_failure_indication[] = {
    M(s1ap_trace_failure_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_trace_failure_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_trace_failure_indication, e_utran_trace_id, E_UTRAN_TRACE_ID, IGNORE, e_utran_trace_id),
    M(s1ap_trace_failure_indication, cause, CAUSE, IGNORE, cause),
};
CONTAINER(trace_failure_indication);

static const struct aper_row cell_traffic_trace[] = {
    M(s1ap_cell_traffic_trace, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_cell_traffic_trace, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_cell_traffic_trace, e_utran_trace_id, E_UTRAN_TRACE_ID, IGNORE, e_utran_trace_id),
    M(s1ap_cell_traffic_trace, eutran_cgi, EUTRAN_CGI, IGNORE, ecgi),
    M(s1ap_cell_traffic_trace, trace_collection_entity_ip_address,
      TRACE_COLLECTION_ENTITY_IP_ADDRESS, IGNORE, transport_layer_address),
    O(s1ap_cell_traffic_trace, privacy_indicator, PRIVACY_INDICATOR, IGNORE, privacy_indicator),
};
CONTAINER(cell_traffic_trace);

/* ---- 31 to 33 Location reporting ---- */

static const struct aper_row location_reporting_control[] = {
    M(s1ap_location_reporting_control, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_location_reporting_control, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_location_reporting_control, request_type, REQUEST_TYPE, IGNORE, request_type),
};
CONTAINER(location_reporting_control);

static const struct aper_row location_reporting_failure_indication[] = {
    M(s1ap_location_reporting_failure_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT,
      mme_ue_s1ap_id),
    M(s1ap_location_reporting_failure_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT,
      enb_ue_s1ap_id),
    M(s1ap_location_reporting_failure_indication, cause, CAUSE, IGNORE, cause),
};
CONTAINER(location_reporting_failure_indication);

static const struct aper_row location_report[] = {
    M(s1ap_location_report, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_location_report, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_location_report, eutran_cgi, EUTRAN_CGI, IGNORE, ecgi),
    M(s1ap_location_report, tai, TAI, IGNORE, tai),
    M(s1ap_location_report, request_type, REQUEST_TYPE, IGNORE, request_type),
    O(s1ap_location_report, ps_cell_information, PS_CELL_INFORMATION, IGNORE, ps_cell_information),
};
CONTAINER(location_report);

/* ---- 44, 45 UE-associated LPPa transport ---- */

static const struct aper_row downlink_ue_associated_lppa_transport[] = {
    M(s1ap_downlink_ue_associated_lppa_transport, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT,
      mme_ue_s1ap_id),
    M(s1ap_downlink_ue_associated_lppa_transport, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT,
      enb_ue_s1ap_id),
    M(s1ap_downlink_ue_associated_lppa_transport, routing_id, ROUTING_ID, REJECT, routing_id),
    M(s1ap_downlink_ue_associated_lppa_transport, lppa_pdu, LPPA_PDU, REJECT, octets),
};
CONTAINER(downlink_ue_associated_lppa_transport);

static const struct aper_row uplink_ue_associated_lppa_transport[] = {
    M(s1ap_uplink_ue_associated_lppa_transport, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT,
      mme_ue_s1ap_id),
    M(s1ap_uplink_ue_associated_lppa_transport, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT,
      enb_ue_s1ap_id),
    M(s1ap_uplink_ue_associated_lppa_transport, routing_id, ROUTING_ID, REJECT, routing_id),
    M(s1ap_uplink_ue_associated_lppa_transport, lppa_pdu, LPPA_PDU, REJECT, octets),
};
CONTAINER(uplink_ue_associated_lppa_transport);

/* ---- 48 UE Radio Capability Match ---- */

static const struct aper_row ue_radio_capability_match_request[] = {
    M(s1ap_ue_radio_capability_match_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT,
      mme_ue_s1ap_id),
    M(s1ap_ue_radio_capability_match_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT,
      enb_ue_s1ap_id),
    O(s1ap_ue_radio_capability_match_request, ue_radio_capability, UE_RADIO_CAPABILITY, IGNORE,
      octets),
};
CONTAINER(ue_radio_capability_match_request);

static const struct aper_row ue_radio_capability_match_response[] = {
    M(s1ap_ue_radio_capability_match_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE,
      mme_ue_s1ap_id),
    M(s1ap_ue_radio_capability_match_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE,
      enb_ue_s1ap_id),
    M(s1ap_ue_radio_capability_match_response, voice_support_match_indicator,
      VOICE_SUPPORT_MATCH_INDICATOR, REJECT, voice_support_match_indicator),
    O(s1ap_ue_radio_capability_match_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(ue_radio_capability_match_response);

/* ---- 50 E-RAB Modification Indication ---- */

static const struct aper_row e_rab_modification_indication[] = {
    M(s1ap_e_rab_modification_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_e_rab_modification_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    ML(s1ap_e_rab_modification_indication, e_rab_to_be_modified_list,
       E_RAB_TO_BE_MODIFIED_LIST_BEARER_MOD_IND, REJECT, e_rab_to_be_modified_indication_list),
    OL(s1ap_e_rab_modification_indication, e_rab_not_to_be_modified_list,
       E_RAB_NOT_TO_BE_MODIFIED_LIST_BEARER_MOD_IND, REJECT,
       e_rab_not_to_be_modified_indication_list),
    O(s1ap_e_rab_modification_indication, csg_membership_info, CSG_MEMBERSHIP_INFO, REJECT,
      csg_membership_info),
    O(s1ap_e_rab_modification_indication, tunnel_information_for_bbf, TUNNEL_INFORMATION_FOR_BBF,
      IGNORE, tunnel_information),
    OL(s1ap_e_rab_modification_indication, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
    O(s1ap_e_rab_modification_indication, user_location_information, USER_LOCATION_INFORMATION,
      IGNORE, user_location_information),
};
CONTAINER(e_rab_modification_indication);

static const struct aper_row e_rab_modification_confirm[] = {
    M(s1ap_e_rab_modification_confirm, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_e_rab_modification_confirm, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    OL(s1ap_e_rab_modification_confirm, e_rab_modify_list, E_RAB_MODIFY_LIST_BEARER_MOD_CONF,
       IGNORE, e_rab_modify_confirm_list),
    OL(s1ap_e_rab_modification_confirm, e_rab_failed_to_modify_list,
       E_RAB_FAILED_TO_MODIFY_LIST_BEARER_MOD_CONF, IGNORE, e_rab_list),
    OL(s1ap_e_rab_modification_confirm, e_rab_to_be_released_list,
       E_RAB_TO_BE_RELEASED_LIST_BEARER_MOD_CONF, IGNORE, e_rab_list),
    O(s1ap_e_rab_modification_confirm, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_e_rab_modification_confirm, csg_membership_status, CSG_MEMBERSHIP_STATUS, IGNORE,
      csg_membership_status),
};
CONTAINER(e_rab_modification_confirm);

/* ---- 52 Reroute NAS Request, 57 NAS Delivery Indication ---- */

static const struct aper_row reroute_nas_request[] = {
    M(s1ap_reroute_nas_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    O(s1ap_reroute_nas_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_reroute_nas_request, s1_message, S1_MESSAGE, REJECT, octets),
    M(s1ap_reroute_nas_request, mme_group_id, MME_GROUP_ID, REJECT, mme_group_id),
    O(s1ap_reroute_nas_request, additional_guti, ADDITIONAL_GUTI, IGNORE, additional_guti),
    O(s1ap_reroute_nas_request, ue_usage_type, UE_USAGE_TYPE, IGNORE, ue_usage_type),
};
CONTAINER(reroute_nas_request);

static const struct aper_row nas_delivery_indication[] = {
    M(s1ap_nas_delivery_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_nas_delivery_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
};
CONTAINER(nas_delivery_indication);

/* ---- 53 UE Context Modification Indication ---- */

static const struct aper_row ue_context_modification_indication[] = {
    M(s1ap_ue_context_modification_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT,
      mme_ue_s1ap_id),
    M(s1ap_ue_context_modification_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT,
      enb_ue_s1ap_id),
    O(s1ap_ue_context_modification_indication, csg_membership_info, CSG_MEMBERSHIP_INFO, REJECT,
      csg_membership_info),
};
CONTAINER(ue_context_modification_indication);

static const struct aper_row ue_context_modification_confirm[] = {
    M(s1ap_ue_context_modification_confirm, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_ue_context_modification_confirm, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    O(s1ap_ue_context_modification_confirm, csg_membership_status, CSG_MEMBERSHIP_STATUS, IGNORE,
      csg_membership_status),
    O(s1ap_ue_context_modification_confirm, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(ue_context_modification_confirm);

/* ---- 54 to 56, 58 to 61 cellular IoT ---- */

static const struct aper_row connection_establishment_indication[] = {
    M(s1ap_connection_establishment_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE,
      mme_ue_s1ap_id),
    M(s1ap_connection_establishment_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE,
      enb_ue_s1ap_id),
    O(s1ap_connection_establishment_indication, ue_radio_capability, UE_RADIO_CAPABILITY, IGNORE,
      octets),
    O(s1ap_connection_establishment_indication, enhanced_coverage_restricted,
      ENHANCED_COVERAGE_RESTRICTED, IGNORE, flag),
    O(s1ap_connection_establishment_indication, dl_cp_security_information,
      DL_CP_SECURITY_INFORMATION, IGNORE, dl_cp_security_information),
    O(s1ap_connection_establishment_indication, ce_mode_b_restricted, CE_MODE_B_RESTRICTED, IGNORE,
      ce_mode_b_restricted),
    O(s1ap_connection_establishment_indication, end_indication, END_INDICATION, IGNORE,
      end_indication),
    O(s1ap_connection_establishment_indication, subscription_based_ue_differentiation_info,
      SUBSCRIPTION_BASED_UE_DIFFERENTIATION_INFO, IGNORE,
      subscription_based_ue_differentiation_info),
    O(s1ap_connection_establishment_indication, ue_level_qos_parameters, UE_LEVEL_QOS_PARAMETERS,
      IGNORE, qos),
};
CONTAINER(connection_establishment_indication);

static const struct aper_row ue_context_suspend_request[] = {
    M(s1ap_ue_context_suspend_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_ue_context_suspend_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    O(s1ap_ue_context_suspend_request, information_on_recommended_cells_and_enbs_for_paging,
      INFORMATION_ON_RECOMMENDED_CELLS_AND_ENBS_FOR_PAGING, IGNORE, information_for_paging),
    O(s1ap_ue_context_suspend_request, cell_identifier_and_ce_level_for_ce_capable_ues,
      CELL_IDENTIFIER_AND_CE_LEVEL_FOR_CE_CAPABLE_UES, IGNORE, ce_capable_cell),
    OL(s1ap_ue_context_suspend_request, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
    O(s1ap_ue_context_suspend_request, user_location_information, USER_LOCATION_INFORMATION, IGNORE,
      user_location_information),
    O(s1ap_ue_context_suspend_request, time_since_secondary_node_release,
      TIME_SINCE_SECONDARY_NODE_RELEASE, IGNORE, timestamp),
};
CONTAINER(ue_context_suspend_request);

static const struct aper_row ue_context_suspend_response[] = {
    M(s1ap_ue_context_suspend_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_ue_context_suspend_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    O(s1ap_ue_context_suspend_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_ue_context_suspend_response, security_context, SECURITY_CONTEXT, REJECT,
      security_context),
};
CONTAINER(ue_context_suspend_response);

static const struct aper_row ue_context_resume_request[] = {
    M(s1ap_ue_context_resume_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_ue_context_resume_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    OL(s1ap_ue_context_resume_request, e_rab_failed_to_resume_list,
       E_RAB_FAILED_TO_RESUME_LIST_RESUME_REQ, REJECT, e_rab_failed_to_resume_request_list),
    O(s1ap_ue_context_resume_request, rrc_resume_cause, RRC_RESUME_CAUSE, IGNORE,
      rrc_establishment_cause),
};
CONTAINER(ue_context_resume_request);

static const struct aper_row ue_context_resume_response[] = {
    M(s1ap_ue_context_resume_response, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_ue_context_resume_response, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    OL(s1ap_ue_context_resume_response, e_rab_failed_to_resume_list,
       E_RAB_FAILED_TO_RESUME_LIST_RESUME_RES, REJECT, e_rab_failed_to_resume_response_list),
    O(s1ap_ue_context_resume_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_ue_context_resume_response, security_context, SECURITY_CONTEXT, REJECT,
      security_context),
    O(s1ap_ue_context_resume_response, pending_data_indication, PENDING_DATA_INDICATION, IGNORE,
      flag),
};
CONTAINER(ue_context_resume_response);

static const struct aper_row ue_context_resume_failure[] = {
    M(s1ap_ue_context_resume_failure, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_ue_context_resume_failure, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    M(s1ap_ue_context_resume_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_ue_context_resume_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(ue_context_resume_failure);

static const struct aper_row retrieve_ue_information[] = {
    M(s1ap_retrieve_ue_information, s_tmsi, S_TMSI, REJECT, s_tmsi),
};
CONTAINER(retrieve_ue_information);

static const struct aper_row ue_information_transfer[] = {
    M(s1ap_ue_information_transfer, s_tmsi, S_TMSI, REJECT, s_tmsi),
    O(s1ap_ue_information_transfer, ue_level_qos_parameters, UE_LEVEL_QOS_PARAMETERS, IGNORE, qos),
    O(s1ap_ue_information_transfer, ue_radio_capability, UE_RADIO_CAPABILITY, IGNORE, octets),
    O(s1ap_ue_information_transfer, subscription_based_ue_differentiation_info,
      SUBSCRIPTION_BASED_UE_DIFFERENTIATION_INFO, IGNORE,
      subscription_based_ue_differentiation_info),
    O(s1ap_ue_information_transfer, pending_data_indication, PENDING_DATA_INDICATION, IGNORE, flag),
};
CONTAINER(ue_information_transfer);

static const struct aper_row enb_cp_relocation_indication[] = {
    M(s1ap_enb_cp_relocation_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_enb_cp_relocation_indication, s_tmsi, S_TMSI, REJECT, s_tmsi),
    M(s1ap_enb_cp_relocation_indication, eutran_cgi, EUTRAN_CGI, IGNORE, ecgi),
    M(s1ap_enb_cp_relocation_indication, tai, TAI, IGNORE, tai),
    M(s1ap_enb_cp_relocation_indication, ul_cp_security_information, UL_CP_SECURITY_INFORMATION,
      REJECT, ul_cp_security_information),
};
CONTAINER(enb_cp_relocation_indication);

static const struct aper_row mme_cp_relocation_indication[] = {
    M(s1ap_mme_cp_relocation_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_mme_cp_relocation_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
};
CONTAINER(mme_cp_relocation_indication);

/* ---- 62 Secondary RAT Data Usage Report ---- */

static const struct aper_row secondary_rat_data_usage_report_message[] = {
    M(s1ap_secondary_rat_data_usage_report_message, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE,
      mme_ue_s1ap_id),
    M(s1ap_secondary_rat_data_usage_report_message, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE,
      enb_ue_s1ap_id),
    ML(s1ap_secondary_rat_data_usage_report_message, secondary_rat_data_usage_report_list,
       SECONDARY_RAT_DATA_USAGE_REPORT_LIST, IGNORE, secondary_rat_data_usage_report_list),
    O(s1ap_secondary_rat_data_usage_report_message, handover_flag, HANDOVER_FLAG, IGNORE, flag),
    O(s1ap_secondary_rat_data_usage_report_message, user_location_information,
      USER_LOCATION_INFORMATION, IGNORE, user_location_information),
    O(s1ap_secondary_rat_data_usage_report_message, time_since_secondary_node_release,
      TIME_SINCE_SECONDARY_NODE_RELEASE, IGNORE, timestamp),
};
CONTAINER(secondary_rat_data_usage_report_message);
