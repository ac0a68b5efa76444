/*
 * handover_messages.c -- the messages of handover, path switch and status transfer (messages.h) as
 * tables; see messages.c.
 */
#include "wire/s1ap/types.h"

#define CONTAINER(name) const struct aper_container s1ap_ies_##name = {name, APER_COUNT(name)}

/* ---- 0 Handover Preparation ---- */

static const struct aper_row handover_required[] = {
    M(s1ap_handover_required, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_handover_required, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_handover_required, handover_type, HANDOVER_TYPE, REJECT, handover_type),
    M(s1ap_handover_required, cause, CAUSE, IGNORE, cause),
    M(s1ap_handover_required, target_id, TARGET_ID, REJECT, target_id),
    O(s1ap_handover_required, direct_forwarding_path_availability,
      DIRECT_FORWARDING_PATH_AVAILABILITY, IGNORE, flag),
    O(s1ap_handover_required, srvcc_ho_indication, SRVCC_HO_INDICATION, REJECT,
      srvcc_ho_indication),
    M(s1ap_handover_required, source_to_target_transparent_container,
      SOURCE_TO_TARGET_TRANSPARENT_CONTAINER, REJECT, octets),
    O(s1ap_handover_required, source_to_target_transparent_container_secondary,
      SOURCE_TO_TARGET_TRANSPARENT_CONTAINER_SECONDARY, REJECT, octets),
    O(s1ap_handover_required, ms_classmark_2, MS_CLASSMARK_2, REJECT, octets),
    O(s1ap_handover_required, ms_classmark_3, MS_CLASSMARK_3, IGNORE, octets),
    O(s1ap_handover_required, csg_id, CSG_ID, REJECT, csg_id),
    O(s1ap_handover_required, cell_access_mode, CELL_ACCESS_MODE, REJECT, flag),
    O(s1ap_handover_required, ps_service_not_available, PS_SERVICE_NOT_AVAILABLE, IGNORE, flag),
};
CONTAINER(handover_required);

static const struct aper_row handover_command[] = {
    M(s1ap_handover_command, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_handover_command, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_handover_command, handover_type, HANDOVER_TYPE, REJECT, handover_type),
    O(s1ap_handover_command, nas_security_parameters_from_e_utran,
      NAS_SECURITY_PARAMETERS_FROM_E_UTRAN, REJECT, octets),
    OL(s1ap_handover_command, e_rab_subject_to_data_forwarding_list,
       E_RAB_SUBJECT_TO_DATA_FORWARDING_LIST, IGNORE, e_rab_subject_to_data_forwarding_list),
    OL(s1ap_handover_command, e_rab_to_release_list, E_RAB_TO_RELEASE_LIST_HO_CMD, IGNORE,
       e_rab_list),
    M(s1ap_handover_command, target_to_source_transparent_container,
      TARGET_TO_SOURCE_TRANSPARENT_CONTAINER, REJECT, octets),
    O(s1ap_handover_command, target_to_source_transparent_container_secondary,
      TARGET_TO_SOURCE_TRANSPARENT_CONTAINER_SECONDARY, REJECT, octets),
    O(s1ap_handover_command, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(handover_command);

static const struct aper_row handover_preparation_failure[] = {
    M(s1ap_handover_preparation_failure, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_handover_preparation_failure, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    M(s1ap_handover_preparation_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_handover_preparation_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(handover_preparation_failure);

/* ---- 1 Handover Resource Allocation ---- */

static const struct aper_row handover_request[] = {
    M(s1ap_handover_request, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_handover_request, handover_type, HANDOVER_TYPE, REJECT, handover_type),
    M(s1ap_handover_request, cause, CAUSE, IGNORE, cause),
    M(s1ap_handover_request, ue_aggregate_maximum_bitrate, UE_AGGREGATE_MAXIMUM_BITRATE, REJECT,
      ue_aggregate_maximum_bitrate),
    ML(s1ap_handover_request, e_rab_to_be_setup_list, E_RAB_TO_BE_SETUP_LIST_HO_REQ, REJECT,
       e_rab_to_be_setup_ho_list),
    M(s1ap_handover_request, source_to_target_transparent_container,
      SOURCE_TO_TARGET_TRANSPARENT_CONTAINER, REJECT, octets),
    M(s1ap_handover_request, ue_security_capabilities, UE_SECURITY_CAPABILITIES, REJECT,
      ue_security_capabilities),
    O(s1ap_handover_request, handover_restriction_list, HANDOVER_RESTRICTION_LIST, IGNORE,
      handover_restriction_list),
    O(s1ap_handover_request, trace_activation, TRACE_ACTIVATION, IGNORE, trace_activation),
    O(s1ap_handover_request, request_type, REQUEST_TYPE, IGNORE, request_type),
    O(s1ap_handover_request, srvcc_operation_possible, SRVCC_OPERATION_POSSIBLE, IGNORE, flag),
    M(s1ap_handover_request, security_context, SECURITY_CONTEXT, REJECT, security_context),
    O(s1ap_handover_request, nas_security_parameters_to_e_utran, NAS_SECURITY_PARAMETERS_TO_E_UTRAN,
      REJECT, octets),
    O(s1ap_handover_request, csg_id, CSG_ID, REJECT, csg_id),
    O(s1ap_handover_request, csg_membership_status, CSG_MEMBERSHIP_STATUS, IGNORE,
      csg_membership_status),
    O(s1ap_handover_request, gummei, GUMMEI, IGNORE, gummei),
    O(s1ap_handover_request, mme_ue_s1ap_id_2, MME_UE_S1AP_ID_2, IGNORE, mme_ue_s1ap_id),
    O(s1ap_handover_request, management_based_mdt_allowed, MANAGEMENT_BASED_MDT_ALLOWED, IGNORE,
      flag),
    OL(s1ap_handover_request, management_based_mdt_plmn_list, MANAGEMENT_BASED_MDT_PLMN_LIST,
       IGNORE, mdt_plmn_list),
    O(s1ap_handover_request, masked_imeisv, MASKED_IMEISV, IGNORE, masked_imeisv),
    O(s1ap_handover_request, expected_ue_behaviour, EXPECTED_UE_BEHAVIOUR, IGNORE,
      expected_ue_behaviour),
    O(s1ap_handover_request, prose_authorized, PROSE_AUTHORIZED, IGNORE, prose_authorized),
    O(s1ap_handover_request, ue_user_plane_ciot_support_indicator,
      UE_USER_PLANE_CIOT_SUPPORT_INDICATOR, IGNORE, flag),
    O(s1ap_handover_request, v2x_services_authorized, V2X_SERVICES_AUTHORIZED, IGNORE,
      v2x_services_authorized),
    O(s1ap_handover_request, ue_sidelink_aggregate_maximum_bitrate,
      UE_SIDELINK_AGGREGATE_MAXIMUM_BITRATE, IGNORE, ue_sidelink_aggregate_maximum_bitrate),
    O(s1ap_handover_request, enhanced_coverage_restricted, ENHANCED_COVERAGE_RESTRICTED, IGNORE,
      flag),
    O(s1ap_handover_request, nr_ue_security_capabilities, NR_UE_SECURITY_CAPABILITIES, IGNORE,
      ue_security_capabilities),
    O(s1ap_handover_request, ce_mode_b_restricted, CE_MODE_B_RESTRICTED, IGNORE,
      ce_mode_b_restricted),
    O(s1ap_handover_request, aerial_ue_subscription_information, AERIAL_UE_SUBSCRIPTION_INFORMATION,
      IGNORE, aerial_ue_subscription_information),
    O(s1ap_handover_request, pending_data_indication, PENDING_DATA_INDICATION, IGNORE, flag),
    O(s1ap_handover_request, subscription_based_ue_differentiation_info,
      SUBSCRIPTION_BASED_UE_DIFFERENTIATION_INFO, IGNORE,
      subscription_based_ue_differentiation_info),
    O(s1ap_handover_request, additional_rrm_priority_index, ADDITIONAL_RRM_PRIORITY_INDEX, IGNORE,
      additional_rrm_priority_index),
};
CONTAINER(handover_request);

static const struct aper_row handover_request_acknowledge[] = {
    M(s1ap_handover_request_acknowledge, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_handover_request_acknowledge, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    ML(s1ap_handover_request_acknowledge, e_rab_admitted_list, E_RAB_ADMITTED_LIST, IGNORE,
       e_rab_admitted_list),
    OL(s1ap_handover_request_acknowledge, e_rab_failed_to_setup_list,
       E_RAB_FAILED_TO_SETUP_LIST_HO_REQ_ACK, IGNORE, e_rab_failed_to_setup_ho_list),
    M(s1ap_handover_request_acknowledge, target_to_source_transparent_container,
      TARGET_TO_SOURCE_TRANSPARENT_CONTAINER, REJECT, octets),
    O(s1ap_handover_request_acknowledge, csg_id, CSG_ID, IGNORE, csg_id),
    O(s1ap_handover_request_acknowledge, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_handover_request_acknowledge, cell_access_mode, CELL_ACCESS_MODE, IGNORE, flag),
    O(s1ap_handover_request_acknowledge, ce_mode_b_support_indicator, CE_MODE_B_SUPPORT_INDICATOR,
      IGNORE, flag),
};
CONTAINER(handover_request_acknowledge);

static const struct aper_row handover_failure[] = {
    M(s1ap_handover_failure, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_handover_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_handover_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(handover_failure);

/* ---- 2 Handover Notification ---- */

static const struct aper_row handover_notify[] = {
    M(s1ap_handover_notify, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_handover_notify, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_handover_notify, eutran_cgi, EUTRAN_CGI, IGNORE, ecgi),
    M(s1ap_handover_notify, tai, TAI, IGNORE, tai),
    O(s1ap_handover_notify, tunnel_information_for_bbf, TUNNEL_INFORMATION_FOR_BBF, IGNORE,
      tunnel_information),
    O(s1ap_handover_notify, lhn_id, LHN_ID, IGNORE, lhn_id),
    O(s1ap_handover_notify, ps_cell_information, PS_CELL_INFORMATION, IGNORE, ps_cell_information),
};
CONTAINER(handover_notify);

/* ---- 3 Path Switch Request ---- */

static const struct aper_row path_switch_request[] = {
    M(s1ap_path_switch_request, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    ML(s1ap_path_switch_request, e_rab_to_be_switched_dl_list, E_RAB_TO_BE_SWITCHED_DL_LIST, REJECT,
       e_rab_to_be_switched_dl_list),
    M(s1ap_path_switch_request, source_mme_ue_s1ap_id, SOURCE_MME_UE_S1AP_ID, REJECT,
      mme_ue_s1ap_id),
    M(s1ap_path_switch_request, eutran_cgi, EUTRAN_CGI, IGNORE, ecgi),
    M(s1ap_path_switch_request, tai, TAI, IGNORE, tai),
    M(s1ap_path_switch_request, ue_security_capabilities, UE_SECURITY_CAPABILITIES, IGNORE,
      ue_security_capabilities),
    O(s1ap_path_switch_request, csg_id, CSG_ID, IGNORE, csg_id),
    O(s1ap_path_switch_request, cell_access_mode, CELL_ACCESS_MODE, IGNORE, flag),
    O(s1ap_path_switch_request, source_mme_gummei, SOURCE_MME_GUMMEI, IGNORE, gummei),
    O(s1ap_path_switch_request, csg_membership_status, CSG_MEMBERSHIP_STATUS, IGNORE,
      csg_membership_status),
    O(s1ap_path_switch_request, tunnel_information_for_bbf, TUNNEL_INFORMATION_FOR_BBF, IGNORE,
      tunnel_information),
    O(s1ap_path_switch_request, lhn_id, LHN_ID, IGNORE, lhn_id),
    O(s1ap_path_switch_request, rrc_resume_cause, RRC_RESUME_CAUSE, IGNORE,
      rrc_establishment_cause),
    O(s1ap_path_switch_request, nr_ue_security_capabilities, NR_UE_SECURITY_CAPABILITIES, IGNORE,
      ue_security_capabilities),
    O(s1ap_path_switch_request, ps_cell_information, PS_CELL_INFORMATION, IGNORE,
      ps_cell_information),
};
CONTAINER(path_switch_request);

static const struct aper_row path_switch_request_acknowledge[] = {
    M(s1ap_path_switch_request_acknowledge, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_path_switch_request_acknowledge, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    O(s1ap_path_switch_request_acknowledge, ue_aggregate_maximum_bitrate,
      UE_AGGREGATE_MAXIMUM_BITRATE, IGNORE, ue_aggregate_maximum_bitrate),
    OL(s1ap_path_switch_request_acknowledge, e_rab_to_be_switched_ul_list,
       E_RAB_TO_BE_SWITCHED_UL_LIST, IGNORE, e_rab_to_be_switched_ul_list),
    OL(s1ap_path_switch_request_acknowledge, e_rab_to_be_released_list, E_RAB_TO_BE_RELEASED_LIST,
       IGNORE, e_rab_list),
    M(s1ap_path_switch_request_acknowledge, security_context, SECURITY_CONTEXT, REJECT,
      security_context),
    O(s1ap_path_switch_request_acknowledge, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
    O(s1ap_path_switch_request_acknowledge, mme_ue_s1ap_id_2, MME_UE_S1AP_ID_2, IGNORE,
      mme_ue_s1ap_id),
    O(s1ap_path_switch_request_acknowledge, csg_membership_status, CSG_MEMBERSHIP_STATUS, IGNORE,
      csg_membership_status),
    O(s1ap_path_switch_request_acknowledge, prose_authorized, PROSE_AUTHORIZED, IGNORE,
      prose_authorized),
    O(s1ap_path_switch_request_acknowledge, ue_user_plane_ciot_support_indicator,
      UE_USER_PLANE_CIOT_SUPPORT_INDICATOR, IGNORE, flag),
    O(s1ap_path_switch_request_acknowledge, v2x_services_authorized, V2X_SERVICES_AUTHORIZED,
      IGNORE, v2x_services_authorized),
    O(s1ap_path_switch_request_acknowledge, ue_sidelink_aggregate_maximum_bitrate,
      UE_SIDELINK_AGGREGATE_MAXIMUM_BITRATE, IGNORE, ue_sidelink_aggregate_maximum_bitrate),
    O(s1ap_path_switch_request_acknowledge, enhanced_coverage_restricted,
      ENHANCED_COVERAGE_RESTRICTED, IGNORE, flag),
    O(s1ap_path_switch_request_acknowledge, nr_ue_security_capabilities,
      NR_UE_SECURITY_CAPABILITIES, IGNORE, ue_security_capabilities),
    O(s1ap_path_switch_request_acknowledge, ce_mode_b_restricted, CE_MODE_B_RESTRICTED, IGNORE,
      ce_mode_b_restricted),
    O(s1ap_path_switch_request_acknowledge, aerial_ue_subscription_information,
      AERIAL_UE_SUBSCRIPTION_INFORMATION, IGNORE, aerial_ue_subscription_information),
    O(s1ap_path_switch_request_acknowledge, pending_data_indication, PENDING_DATA_INDICATION,
      IGNORE, flag),
    O(s1ap_path_switch_request_acknowledge, subscription_based_ue_differentiation_info,
      SUBSCRIPTION_BASED_UE_DIFFERENTIATION_INFO, IGNORE,
      subscription_based_ue_differentiation_info),
    O(s1ap_path_switch_request_acknowledge, handover_restriction_list, HANDOVER_RESTRICTION_LIST,
      IGNORE, handover_restriction_list),
    O(s1ap_path_switch_request_acknowledge, additional_rrm_priority_index,
      ADDITIONAL_RRM_PRIORITY_INDEX, IGNORE, additional_rrm_priority_index),
};
CONTAINER(path_switch_request_acknowledge);

static const struct aper_row path_switch_request_failure[] = {
    M(s1ap_path_switch_request_failure, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_path_switch_request_failure, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    M(s1ap_path_switch_request_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_path_switch_request_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(path_switch_request_failure);

/* ---- 4 Handover Cancel ---- */

static const struct aper_row handover_cancel[] = {
    M(s1ap_handover_cancel, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_handover_cancel, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_handover_cancel, cause, CAUSE, IGNORE, cause),
};
CONTAINER(handover_cancel);

static const struct aper_row handover_cancel_acknowledge[] = {
    M(s1ap_handover_cancel_acknowledge, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    M(s1ap_handover_cancel_acknowledge, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    O(s1ap_handover_cancel_acknowledge, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(handover_cancel_acknowledge);

/* ---- 24, 25 Status Transfer ---- */

static const struct aper_row enb_status_transfer[] = {
    M(s1ap_enb_status_transfer, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_enb_status_transfer, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_enb_status_transfer, enb_status_transfer_transparent_container,
      ENB_STATUS_TRANSFER_TRANSPARENT_CONTAINER, REJECT, opaque),
};
CONTAINER(enb_status_transfer);

static const struct aper_row mme_status_transfer[] = {
    M(s1ap_mme_status_transfer, mme_ue_s1ap_id, MME_UE_S1AP_ID, REJECT, mme_ue_s1ap_id),
    M(s1ap_mme_status_transfer, enb_ue_s1ap_id, ENB_UE_S1AP_ID, REJECT, enb_ue_s1ap_id),
    M(s1ap_mme_status_transfer, enb_status_transfer_transparent_container,
      ENB_STATUS_TRANSFER_TRANSPARENT_CONTAINER, REJECT, opaque),
};
CONTAINER(mme_status_transfer);
