/*
 * interface_messages.c -- the messages of interface_messages.h as tables; see messages.c.
 */
#include "wire/s1ap/types.h"

#define CONTAINER(name) const struct aper_container s1ap_ies_##name = {name, APER_COUNT(name)}

/* ---- 14 Reset, 15 Error Indication ---- */

static const struct aper_row reset[] = {
    M(s1ap_reset, cause, CAUSE, IGNORE, cause),
    M(s1ap_reset, reset_type, RESET_TYPE, REJECT, reset_type),
};
CONTAINER(reset);

static const struct aper_row reset_acknowledge[] = {
    OL(s1ap_reset_acknowledge, ue_associated_logical_s1_connection_list,
       UE_ASSOCIATED_LOGICAL_S1_CONNECTION_LIST_RES_ACK, IGNORE, connections_acknowledged),
    O(s1ap_reset_acknowledge, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(reset_acknowledge);

static const struct aper_row error_indication[] = {
    O(s1ap_error_indication, mme_ue_s1ap_id, MME_UE_S1AP_ID, IGNORE, mme_ue_s1ap_id),
    O(s1ap_error_indication, enb_ue_s1ap_id, ENB_UE_S1AP_ID, IGNORE, enb_ue_s1ap_id),
    O(s1ap_error_indication, cause, CAUSE, IGNORE, cause),
    O(s1ap_error_indication, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_error_indication, s_tmsi, S_TMSI, IGNORE, s_tmsi),
};
CONTAINER(error_indication);

/* ---- 17 S1 Setup ---- */

static const struct aper_row s1_setup_request[] = {
    M(s1ap_s1_setup_request, global_enb_id, GLOBAL_ENB_ID, REJECT, global_enb_id),
    O(s1ap_s1_setup_request, enb_name, ENB_NAME, IGNORE, name),
    ML(s1ap_s1_setup_request, supported_tas, SUPPORTED_TAS, REJECT, supported_tas),
    M(s1ap_s1_setup_request, default_paging_drx, DEFAULT_PAGING_DRX, IGNORE, paging_drx),
    OL(s1ap_s1_setup_request, csg_id_list, CSG_ID_LIST, REJECT, csg_id_list),
    O(s1ap_s1_setup_request, ue_retention_information, UE_RETENTION_INFORMATION, IGNORE, flag),
    O(s1ap_s1_setup_request, nb_iot_default_paging_drx, NB_IOT_DEFAULT_PAGING_DRX, IGNORE,
      nb_iot_default_paging_drx),
    OL(s1ap_s1_setup_request, connected_en_gnb_list, CONNECTED_EN_GNB_LIST, IGNORE,
       connected_en_gnb_list),
};
CONTAINER(s1_setup_request);

static const struct aper_row s1_setup_response[] = {
    O(s1ap_s1_setup_response, mme_name, MME_NAME, IGNORE, name),
    ML(s1ap_s1_setup_response, served_gummeis, SERVED_GUMMEIS, REJECT, served_gummeis),
    M(s1ap_s1_setup_response, relative_mme_capacity, RELATIVE_MME_CAPACITY, IGNORE,
      relative_mme_capacity),
    O(s1ap_s1_setup_response, mme_relay_support_indicator, MME_RELAY_SUPPORT_INDICATOR, IGNORE,
      flag),
    O(s1ap_s1_setup_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
    O(s1ap_s1_setup_response, ue_retention_information, UE_RETENTION_INFORMATION, IGNORE, flag),
    OL(s1ap_s1_setup_response, served_dcns, SERVED_DCNS, IGNORE, served_dcns),
};
CONTAINER(s1_setup_response);

static const struct aper_row s1_setup_failure[] = {
    M(s1ap_s1_setup_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_s1_setup_failure, time_to_wait, TIME_TO_WAIT, IGNORE, time_to_wait),
    O(s1ap_s1_setup_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(s1_setup_failure);

/* ---- 29 eNB Configuration Update, 30 MME Configuration Update ---- */

static const struct aper_row enb_configuration_update[] = {
    O(s1ap_enb_configuration_update, enb_name, ENB_NAME, IGNORE, name),
    OL(s1ap_enb_configuration_update, supported_tas, SUPPORTED_TAS, REJECT, supported_tas),
    OL(s1ap_enb_configuration_update, csg_id_list, CSG_ID_LIST, REJECT, csg_id_list),
    O(s1ap_enb_configuration_update, default_paging_drx, DEFAULT_PAGING_DRX, IGNORE, paging_drx),
    O(s1ap_enb_configuration_update, nb_iot_default_paging_drx, NB_IOT_DEFAULT_PAGING_DRX, IGNORE,
      nb_iot_default_paging_drx),
    OL(s1ap_enb_configuration_update, connected_en_gnb_to_add_list, CONNECTED_EN_GNB_TO_ADD_LIST,
       IGNORE, connected_en_gnb_list),
    OL(s1ap_enb_configuration_update, connected_en_gnb_to_remove_list,
       CONNECTED_EN_GNB_TO_REMOVE_LIST, IGNORE, connected_en_gnb_list),
};
CONTAINER(enb_configuration_update);

static const struct aper_row enb_configuration_update_acknowledge[] = {
    O(s1ap_enb_configuration_update_acknowledge, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(enb_configuration_update_acknowledge);

static const struct aper_row enb_configuration_update_failure[] = {
    M(s1ap_enb_configuration_update_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_enb_configuration_update_failure, time_to_wait, TIME_TO_WAIT, IGNORE, time_to_wait),
    O(s1ap_enb_configuration_update_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(enb_configuration_update_failure);

static const struct aper_row mme_configuration_update[] = {
    O(s1ap_mme_configuration_update, mme_name, MME_NAME, IGNORE, name),
    OL(s1ap_mme_configuration_update, served_gummeis, SERVED_GUMMEIS, REJECT, served_gummeis),
    O(s1ap_mme_configuration_update, relative_mme_capacity, RELATIVE_MME_CAPACITY, REJECT,
      relative_mme_capacity),
    OL(s1ap_mme_configuration_update, served_dcns, SERVED_DCNS, IGNORE, served_dcns),
};
CONTAINER(mme_configuration_update);

static const struct aper_row mme_configuration_update_acknowledge[] = {
    O(s1ap_mme_configuration_update_acknowledge, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(mme_configuration_update_acknowledge);

static const struct aper_row mme_configuration_update_failure[] = {
    M(s1ap_mme_configuration_update_failure, cause, CAUSE, IGNORE, cause),
    O(s1ap_mme_configuration_update_failure, time_to_wait, TIME_TO_WAIT, IGNORE, time_to_wait),
    O(s1ap_mme_configuration_update_failure, criticality_diagnostics, CRITICALITY_DIAGNOSTICS,
      IGNORE, criticality_diagnostics),
};
CONTAINER(mme_configuration_update_failure);

/* ---- 34, 35 Overload ---- */

static const struct aper_row overload_start[] = {
    M(s1ap_overload_start, overload_response, OVERLOAD_RESPONSE, REJECT, overload_response),
    OL(s1ap_overload_start, gummei_list, GUMMEI_LIST, IGNORE, gummei_list),
    O(s1ap_overload_start, traffic_load_reduction_indication, TRAFFIC_LOAD_REDUCTION_INDICATION,
      IGNORE, traffic_load_reduction_indication),
};
CONTAINER(overload_start);

static const struct aper_row overload_stop[] = {
    OL(s1ap_overload_stop, gummei_list, GUMMEI_LIST, IGNORE, gummei_list),
};
CONTAINER(overload_stop);

/* ---- 36, 43, 49, 51 Public warning ---- */

static const struct aper_row write_replace_warning_request[] = {
    M(s1ap_write_replace_warning_request, message_identifier, MESSAGE_IDENTIFIER, REJECT,
      message_identifier),
    M(s1ap_write_replace_warning_request, serial_number, SERIAL_NUMBER, REJECT, serial_number),
    O(s1ap_write_replace_warning_request, warning_area_list, WARNING_AREA_LIST, IGNORE,
      warning_area_list),
    M(s1ap_write_replace_warning_request, repetition_period, REPETITION_PERIOD, REJECT,
      repetition_period),
    O(s1ap_write_replace_warning_request, extended_repetition_period, EXTENDED_REPETITION_PERIOD,
      REJECT, extended_repetition_period),
    M(s1ap_write_replace_warning_request, number_of_broadcast_request, NUMBER_OF_BROADCAST_REQUEST,
      REJECT, number_of_broadcasts),
    O(s1ap_write_replace_warning_request, warning_type, WARNING_TYPE, IGNORE, warning_type),
    O(s1ap_write_replace_warning_request, warning_security_info, WARNING_SECURITY_INFO, IGNORE,
      warning_security_info),
    O(s1ap_write_replace_warning_request, data_coding_scheme, DATA_CODING_SCHEME, IGNORE,
      data_coding_scheme),
    O(s1ap_write_replace_warning_request, warning_message_contents, WARNING_MESSAGE_CONTENTS,
      IGNORE, warning_message_contents),
    O(s1ap_write_replace_warning_request, concurrent_warning_message_indicator,
      CONCURRENT_WARNING_MESSAGE_INDICATOR, REJECT, only_flag),
    O(s1ap_write_replace_warning_request, warning_area_coordinates, WARNING_AREA_COORDINATES,
      IGNORE, warning_area_coordinates),
};
CONTAINER(write_replace_warning_request);

static const struct aper_row write_replace_warning_response[] = {
    M(s1ap_write_replace_warning_response, message_identifier, MESSAGE_IDENTIFIER, REJECT,
      message_identifier),
    M(s1ap_write_replace_warning_response, serial_number, SERIAL_NUMBER, REJECT, serial_number),
    O(s1ap_write_replace_warning_response, broadcast_completed_area_list,
      BROADCAST_COMPLETED_AREA_LIST, IGNORE, broadcast_completed_area_list),
    O(s1ap_write_replace_warning_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(write_replace_warning_response);

static const struct aper_row kill_request[] = {
    M(s1ap_kill_request, message_identifier, MESSAGE_IDENTIFIER, REJECT, message_identifier),
    M(s1ap_kill_request, serial_number, SERIAL_NUMBER, REJECT, serial_number),
    O(s1ap_kill_request, warning_area_list, WARNING_AREA_LIST, IGNORE, warning_area_list),
    O(s1ap_kill_request, kill_all_warning_messages, KILL_ALL_WARNING_MESSAGES, REJECT, only_flag),
};
CONTAINER(kill_request);

static const struct aper_row kill_response[] = {
    M(s1ap_kill_response, message_identifier, MESSAGE_IDENTIFIER, REJECT, message_identifier),
    M(s1ap_kill_response, serial_number, SERIAL_NUMBER, REJECT, serial_number),
    O(s1ap_kill_response, broadcast_cancelled_area_list, BROADCAST_CANCELLED_AREA_LIST, IGNORE,
      broadcast_cancelled_area_list),
    O(s1ap_kill_response, criticality_diagnostics, CRITICALITY_DIAGNOSTICS, IGNORE,
      criticality_diagnostics),
};
CONTAINER(kill_response);

static const struct aper_row pws_restart_indication[] = {
    ML(s1ap_pws_restart_indication, ecgi_list, ECGI_LIST_FOR_RESTART, REJECT, restart_ecgi_list),
    M(s1ap_pws_restart_indication, global_enb_id, GLOBAL_ENB_ID, REJECT, global_enb_id),
    ML(s1ap_pws_restart_indication, tai_list, TAI_LIST_FOR_RESTART, REJECT, restart_tai_list),
    OL(s1ap_pws_restart_indication, emergency_area_id_list, EMERGENCY_AREA_ID_LIST_FOR_RESTART,
       REJECT, restart_emergency_area_id_list),
};
CONTAINER(pws_restart_indication);

static const struct aper_row pws_failure_indication[] = {
    ML(s1ap_pws_failure_indication, pws_failed_ecgi_list, PWS_FAILED_ECGI_LIST, REJECT,
       restart_ecgi_list),
    M(s1ap_pws_failure_indication, global_enb_id, GLOBAL_ENB_ID, REJECT, global_enb_id),
};
CONTAINER(pws_failure_indication);

/* ---- 37, 38, 40, 41 Information and configuration transfer ---- */

static const struct aper_row enb_direct_information_transfer[] = {
    M(s1ap_enb_direct_information_transfer, inter_system_information_transfer_type,
      INTER_SYSTEM_INFORMATION_TRANSFER_TYPE_EDT, REJECT, opaque),
};
CONTAINER(enb_direct_information_transfer);

static const struct aper_row mme_direct_information_transfer[] = {
    M(s1ap_mme_direct_information_transfer, inter_system_information_transfer_type,
      INTER_SYSTEM_INFORMATION_TRANSFER_TYPE_MDT, REJECT, opaque),
};
CONTAINER(mme_direct_information_transfer);

static const struct aper_row enb_configuration_transfer[] = {
    O(s1ap_enb_configuration_transfer, son_configuration_transfer, SON_CONFIGURATION_TRANSFER_ECT,
      IGNORE, opaque),
    O(s1ap_enb_configuration_transfer, en_dc_son_configuration_transfer,
      EN_DC_SON_CONFIGURATION_TRANSFER_ECT, IGNORE, opaque),
};
CONTAINER(enb_configuration_transfer);

static const struct aper_row mme_configuration_transfer[] = {
    O(s1ap_mme_configuration_transfer, son_configuration_transfer, SON_CONFIGURATION_TRANSFER_MCT,
      IGNORE, opaque),
    O(s1ap_mme_configuration_transfer, en_dc_son_configuration_transfer,
      EN_DC_SON_CONFIGURATION_TRANSFER_MCT, IGNORE, opaque),
};
CONTAINER(mme_configuration_transfer);

/* ---- 46, 47 non UE-associated LPPa transport ---- */

static const struct aper_row downlink_non_ue_associated_lppa_transport[] = {
    M(s1ap_downlink_non_ue_associated_lppa_transport, routing_id, ROUTING_ID, REJECT, routing_id),
    M(s1ap_downlink_non_ue_associated_lppa_transport, lppa_pdu, LPPA_PDU, REJECT, octets),
};
CONTAINER(downlink_non_ue_associated_lppa_transport);

static const struct aper_row uplink_non_ue_associated_lppa_transport[] = {
    M(s1ap_uplink_non_ue_associated_lppa_transport, routing_id, ROUTING_ID, REJECT, routing_id),
    M(s1ap_uplink_non_ue_associated_lppa_transport, lppa_pdu, LPPA_PDU, REJECT, octets),
};
CONTAINER(uplink_non_ue_associated_lppa_transport);
