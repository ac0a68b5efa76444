/*
 * pfcp_tables.c -- every PFCP message and group as rows (TS 29.244 clauses 7.4 and 7.5).
 *
 * Presence: M is mandatory, O everything that may be absent (the specification's C and O; what a
 * condition asks for is checked by who handles the message), L a list that may be empty, LM a list
 * with at least one. The walker of wire/tlv.h does the rest. Lists are bounded by the message's
 * size and the arena's limit.
 */
#include "wire/pfcp/pfcp_types.h"

#define LIST_MAX 1024

#define ROW(presence, ie, owner, field, type, max)                                          \
    {                                                                                       \
#field, PFCP_IE_##ie, 0, 0, 0, presence, offsetof(struct pfcp_##owner, field), max, \
            &(type)                                                                         \
    }
#define M(ie, owner, field, type)  ROW(WIRE_MANDATORY, ie, owner, field, type, 1)
#define O(ie, owner, field, type)  ROW(WIRE_OPTIONAL, ie, owner, field, type, 1)
#define L(ie, owner, field, type)  ROW(WIRE_LIST, ie, owner, field, type, LIST_MAX)
#define LM(ie, owner, field, type) ROW(WIRE_LIST_MANDATORY, ie, owner, field, type, LIST_MAX)

/* From rows named x_rows: the group x_group and, for use in other rows, the type x_type. */
#define GROUP(x)                                                                        \
    static const struct wire_group x##_group = {#x, x##_rows,                           \
                                                sizeof(x##_rows) / sizeof(x##_rows[0]), \
                                                sizeof(struct pfcp_##x), &pfcp_format}
#define GROUPED(x) \
    GROUP(x);      \
    static const struct wire_type x##_type = WIRE_GROUP_TYPE(pfcp_##x, &x##_group)

/* The groups of clause 7.5.2. */
static const struct wire_ie pdi_rows[] = {
    M(SOURCE_INTERFACE, pdi, source_interface, pfcp_interface),
    O(F_TEID, pdi, local_f_teid, pfcp_f_teid),
    O(NETWORK_INSTANCE, pdi, network_instance, wire_ascii),
    O(UE_IP_ADDRESS, pdi, ue_ip_address, pfcp_ue_ip_address),
    L(SDF_FILTER, pdi, sdf_filter, pfcp_sdf_filter),
    O(APPLICATION_ID, pdi, application_id, wire_ascii),
    L(QFI, pdi, qfi, wire_u8),
    O(3GPP_INTERFACE_TYPE, pdi, interface_type, pfcp_interface_type),
};
GROUPED(pdi);

static const struct wire_ie create_pdr_rows[] = {
    M(PDR_ID, create_pdr, pdr_id, wire_u16),
    M(PRECEDENCE, create_pdr, precedence, wire_u32),
    M(PDI, create_pdr, pdi, pdi_type),
    O(OUTER_HEADER_REMOVAL, create_pdr, outer_header_removal, pfcp_outer_header_removal),
    O(FAR_ID, create_pdr, far_id, wire_u32),
    L(URR_ID, create_pdr, urr_id, wire_u32),
    L(QER_ID, create_pdr, qer_id, wire_u32),
    L(ACTIVATE_PREDEFINED_RULES, create_pdr, activate_predefined_rules, wire_ascii),
};
GROUPED(create_pdr);

static const struct wire_ie forwarding_parameters_rows[] = {
    M(DESTINATION_INTERFACE, forwarding_parameters, destination_interface, pfcp_interface),
    O(NETWORK_INSTANCE, forwarding_parameters, network_instance, wire_ascii),
    O(OUTER_HEADER_CREATION, forwarding_parameters, outer_header_creation,
      pfcp_outer_header_creation),
    O(TRANSPORT_LEVEL_MARKING, forwarding_parameters, transport_level_marking, wire_u16),
    O(FORWARDING_POLICY, forwarding_parameters, forwarding_policy, pfcp_forwarding_policy),
    O(3GPP_INTERFACE_TYPE, forwarding_parameters, interface_type, pfcp_interface_type),
};
GROUPED(forwarding_parameters);

static const struct wire_ie create_far_rows[] = {
    M(FAR_ID, create_far, far_id, wire_u32),
    M(APPLY_ACTION, create_far, apply_action, pfcp_apply_action),
    O(FORWARDING_PARAMETERS, create_far, forwarding_parameters, forwarding_parameters_type),
    O(BAR_ID, create_far, bar_id, wire_u8),
};
GROUPED(create_far);

/* What Create URR and Update URR share after the method and the triggers. */
#define URR_ROWS(owner)                                                                  \
    O(MEASUREMENT_PERIOD, owner, measurement_period, wire_u32),                          \
        O(VOLUME_THRESHOLD, owner, volume_threshold, pfcp_volume),                       \
        O(VOLUME_QUOTA, owner, volume_quota, pfcp_volume),                               \
        O(TIME_THRESHOLD, owner, time_threshold, wire_u32),                              \
        O(TIME_QUOTA, owner, time_quota, wire_u32),                                      \
        O(QUOTA_HOLDING_TIME, owner, quota_holding_time, wire_u32),                      \
        O(DROPPED_DL_TRAFFIC_THRESHOLD, owner, dropped_dl_traffic_threshold,             \
          pfcp_dropped_dl_traffic_threshold),                                            \
        O(MONITORING_TIME, owner, monitoring_time, wire_u32),                            \
        O(SUBSEQUENT_VOLUME_THRESHOLD, owner, subsequent_volume_threshold, pfcp_volume), \
        O(SUBSEQUENT_TIME_THRESHOLD, owner, subsequent_time_threshold, wire_u32),        \
        O(INACTIVITY_DETECTION_TIME, owner, inactivity_detection_time, wire_u32),        \
        L(LINKED_URR_ID, owner, linked_urr_id, wire_u32),                                \
        O(MEASUREMENT_INFORMATION, owner, measurement_information, pfcp_octet_flags)

static const struct wire_ie create_urr_rows[] = {
    M(URR_ID, create_urr, urr_id, wire_u32),
    M(MEASUREMENT_METHOD, create_urr, measurement_method, pfcp_measurement_method),
    M(REPORTING_TRIGGERS, create_urr, reporting_triggers, pfcp_reporting_triggers),
    URR_ROWS(create_urr),
};
GROUPED(create_urr);

static const struct wire_ie create_qer_rows[] = {
    M(QER_ID, create_qer, qer_id, wire_u32),
    O(QER_CORRELATION_ID, create_qer, qer_correlation_id, wire_u32),
    M(GATE_STATUS, create_qer, gate_status, pfcp_gate_status),
    O(MBR, create_qer, maximum_bit_rate, pfcp_bit_rates),
    O(GBR, create_qer, guaranteed_bit_rate, pfcp_bit_rates),
    O(QFI, create_qer, qfi, wire_u8),
    O(RQI, create_qer, reflective_qos, wire_u8),
};
GROUPED(create_qer);

static const struct wire_ie create_bar_rows[] = {
    M(BAR_ID, create_bar, bar_id, wire_u8),
    O(DOWNLINK_DATA_NOTIFICATION_DELAY, create_bar, downlink_data_notification_delay, wire_u8),
    O(SUGGESTED_BUFFERING_PACKETS_COUNT, create_bar, suggested_buffering_packets_count, wire_u8),
};
GROUPED(create_bar);

static const struct wire_ie created_pdr_rows[] = {
    M(PDR_ID, created_pdr, pdr_id, wire_u16),
    O(F_TEID, created_pdr, local_f_teid, pfcp_f_teid),
};
GROUPED(created_pdr);

static const struct wire_ie load_control_information_rows[] = {
    M(SEQUENCE_NUMBER, load_control_information, sequence_number, wire_u32),
    M(METRIC, load_control_information, metric, wire_u8),
};
GROUPED(load_control_information);

static const struct wire_ie overload_control_information_rows[] = {
    M(SEQUENCE_NUMBER, overload_control_information, sequence_number, wire_u32),
    M(METRIC, overload_control_information, metric, wire_u8),
    M(TIMER, overload_control_information, period_of_validity, pfcp_timer),
    O(OCI_FLAGS, overload_control_information, oci_flags, pfcp_octet_flags),
};
GROUPED(overload_control_information);

/* The groups of clause 7.5.4. */
static const struct wire_ie update_pdr_rows[] = {
    M(PDR_ID, update_pdr, pdr_id, wire_u16),
    O(OUTER_HEADER_REMOVAL, update_pdr, outer_header_removal, pfcp_outer_header_removal),
    O(PRECEDENCE, update_pdr, precedence, wire_u32),
    O(PDI, update_pdr, pdi, pdi_type),
    O(FAR_ID, update_pdr, far_id, wire_u32),
    L(URR_ID, update_pdr, urr_id, wire_u32),
    L(QER_ID, update_pdr, qer_id, wire_u32),
    L(ACTIVATE_PREDEFINED_RULES, update_pdr, activate_predefined_rules, wire_ascii),
    L(DEACTIVATE_PREDEFINED_RULES, update_pdr, deactivate_predefined_rules, wire_ascii),
};
GROUPED(update_pdr);

static const struct wire_ie update_forwarding_parameters_rows[] = {
    O(DESTINATION_INTERFACE, update_forwarding_parameters, destination_interface, pfcp_interface),
    O(NETWORK_INSTANCE, update_forwarding_parameters, network_instance, wire_ascii),
    O(OUTER_HEADER_CREATION, update_forwarding_parameters, outer_header_creation,
      pfcp_outer_header_creation),
    O(TRANSPORT_LEVEL_MARKING, update_forwarding_parameters, transport_level_marking, wire_u16),
    O(FORWARDING_POLICY, update_forwarding_parameters, forwarding_policy, pfcp_forwarding_policy),
    O(PFCPSMREQ_FLAGS, update_forwarding_parameters, pfcpsmreq_flags, pfcp_smreq_flags),
    O(3GPP_INTERFACE_TYPE, update_forwarding_parameters, interface_type, pfcp_interface_type),
};
GROUPED(update_forwarding_parameters);

static const struct wire_ie update_far_rows[] = {
    M(FAR_ID, update_far, far_id, wire_u32),
    O(APPLY_ACTION, update_far, apply_action, pfcp_apply_action),
    O(UPDATE_FORWARDING_PARAMETERS, update_far, update_forwarding_parameters,
      update_forwarding_parameters_type),
    O(BAR_ID, update_far, bar_id, wire_u8),
};
GROUPED(update_far);

static const struct wire_ie update_urr_rows[] = {
    M(URR_ID, update_urr, urr_id, wire_u32),
    O(MEASUREMENT_METHOD, update_urr, measurement_method, pfcp_measurement_method),
    O(REPORTING_TRIGGERS, update_urr, reporting_triggers, pfcp_reporting_triggers),
    URR_ROWS(update_urr),
};
GROUPED(update_urr);

static const struct wire_ie update_qer_rows[] = {
    M(QER_ID, update_qer, qer_id, wire_u32),
    O(QER_CORRELATION_ID, update_qer, qer_correlation_id, wire_u32),
    O(GATE_STATUS, update_qer, gate_status, pfcp_gate_status),
    O(MBR, update_qer, maximum_bit_rate, pfcp_bit_rates),
    O(GBR, update_qer, guaranteed_bit_rate, pfcp_bit_rates),
    O(QFI, update_qer, qfi, wire_u8),
    O(RQI, update_qer, reflective_qos, wire_u8),
};
GROUPED(update_qer);

static const struct wire_ie remove_pdr_rows[] = {M(PDR_ID, remove_pdr, pdr_id, wire_u16)};
GROUPED(remove_pdr);
static const struct wire_ie remove_far_rows[] = {M(FAR_ID, remove_far, far_id, wire_u32)};
GROUPED(remove_far);
static const struct wire_ie remove_urr_rows[] = {M(URR_ID, remove_urr, urr_id, wire_u32)};
GROUPED(remove_urr);
static const struct wire_ie remove_qer_rows[] = {M(QER_ID, remove_qer, qer_id, wire_u32)};
GROUPED(remove_qer);
static const struct wire_ie remove_bar_rows[] = {M(BAR_ID, remove_bar, bar_id, wire_u8)};
GROUPED(remove_bar);
static const struct wire_ie query_urr_rows[] = {M(URR_ID, query_urr, urr_id, wire_u32)};
GROUPED(query_urr);

/* The groups of clauses 7.5.5, 7.5.7, 7.5.8 and 7.5.9. */
static const struct wire_ie usage_report_rows[] = {
    M(URR_ID, usage_report, urr_id, wire_u32),
    M(UR_SEQN, usage_report, ur_seqn, wire_u32),
    M(USAGE_REPORT_TRIGGER, usage_report, usage_report_trigger, pfcp_usage_report_trigger),
    O(START_TIME, usage_report, start_time, wire_u32),
    O(END_TIME, usage_report, end_time, wire_u32),
    O(VOLUME_MEASUREMENT, usage_report, volume_measurement, pfcp_volume),
    O(DURATION_MEASUREMENT, usage_report, duration_measurement, wire_u32),
    O(TIME_OF_FIRST_PACKET, usage_report, time_of_first_packet, wire_u32),
    O(TIME_OF_LAST_PACKET, usage_report, time_of_last_packet, wire_u32),
    O(USAGE_INFORMATION, usage_report, usage_information, pfcp_octet_flags),
    O(QUERY_URR_REFERENCE, usage_report, query_urr_reference, wire_u32),
};
GROUPED(usage_report);

static const struct wire_ie downlink_data_report_rows[] = {
    LM(PDR_ID, downlink_data_report, pdr_id, wire_u16),
    L(DOWNLINK_DATA_SERVICE_INFORMATION, downlink_data_report, downlink_data_service_information,
      pfcp_downlink_data_service_information),
};
GROUPED(downlink_data_report);

static const struct wire_ie error_indication_report_rows[] = {
    LM(F_TEID, error_indication_report, remote_f_teid, pfcp_f_teid),
};
GROUPED(error_indication_report);

static const struct wire_ie update_bar_in_report_response_rows[] = {
    M(BAR_ID, update_bar_in_report_response, bar_id, wire_u8),
    O(DOWNLINK_DATA_NOTIFICATION_DELAY, update_bar_in_report_response,
      downlink_data_notification_delay, wire_u8),
    O(DL_BUFFERING_DURATION, update_bar_in_report_response, dl_buffering_duration, pfcp_timer),
    O(DL_BUFFERING_SUGGESTED_PACKET_COUNT, update_bar_in_report_response,
      dl_buffering_suggested_packet_count, pfcp_suggested_packet_count),
    O(SUGGESTED_BUFFERING_PACKETS_COUNT, update_bar_in_report_response,
      suggested_buffering_packets_count, wire_u8),
};
GROUPED(update_bar_in_report_response);

/* Node related messages (clause 7.4). */
static const struct wire_ie user_plane_path_failure_report_rows[] = {
    LM(REMOTE_GTP_U_PEER, user_plane_path_failure_report, remote_gtp_u_peer,
       pfcp_remote_gtp_u_peer),
};
GROUPED(user_plane_path_failure_report);

static const struct wire_ie heartbeat_request_rows[] = {
    M(RECOVERY_TIME_STAMP, heartbeat_request, recovery_time_stamp, wire_u32),
};
GROUP(heartbeat_request);

static const struct wire_ie heartbeat_response_rows[] = {
    M(RECOVERY_TIME_STAMP, heartbeat_response, recovery_time_stamp, wire_u32),
};
GROUP(heartbeat_response);

static const struct wire_ie pfd_management_request_rows[] = {
    L(APPLICATION_IDS_PFDS, pfd_management_request, application_pfds, wire_bytes),
};
GROUP(pfd_management_request);

static const struct wire_ie pfd_management_response_rows[] = {
    M(CAUSE, pfd_management_response, cause, pfcp_cause_value),
    O(OFFENDING_IE, pfd_management_response, offending_ie, wire_u16),
};
GROUP(pfd_management_response);

static const struct wire_ie association_setup_request_rows[] = {
    M(NODE_ID, association_setup_request, node_id, pfcp_node_id),
    M(RECOVERY_TIME_STAMP, association_setup_request, recovery_time_stamp, wire_u32),
    O(UP_FUNCTION_FEATURES, association_setup_request, up_function_features,
      pfcp_up_function_features),
    O(CP_FUNCTION_FEATURES, association_setup_request, cp_function_features,
      pfcp_cp_function_features),
    L(USER_PLANE_IP_RESOURCE_INFORMATION, association_setup_request,
      user_plane_ip_resource_information, pfcp_user_plane_ip_resource_information),
};
GROUP(association_setup_request);

static const struct wire_ie association_setup_response_rows[] = {
    M(NODE_ID, association_setup_response, node_id, pfcp_node_id),
    M(CAUSE, association_setup_response, cause, pfcp_cause_value),
    M(RECOVERY_TIME_STAMP, association_setup_response, recovery_time_stamp, wire_u32),
    O(UP_FUNCTION_FEATURES, association_setup_response, up_function_features,
      pfcp_up_function_features),
    O(CP_FUNCTION_FEATURES, association_setup_response, cp_function_features,
      pfcp_cp_function_features),
    L(USER_PLANE_IP_RESOURCE_INFORMATION, association_setup_response,
      user_plane_ip_resource_information, pfcp_user_plane_ip_resource_information),
};
GROUP(association_setup_response);

static const struct wire_ie association_update_request_rows[] = {
    M(NODE_ID, association_update_request, node_id, pfcp_node_id),
    O(UP_FUNCTION_FEATURES, association_update_request, up_function_features,
      pfcp_up_function_features),
    O(CP_FUNCTION_FEATURES, association_update_request, cp_function_features,
      pfcp_cp_function_features),
    O(PFCP_ASSOCIATION_RELEASE_REQUEST, association_update_request, association_release_request,
      pfcp_octet_flags),
    O(GRACEFUL_RELEASE_PERIOD, association_update_request, graceful_release_period, pfcp_timer),
    L(USER_PLANE_IP_RESOURCE_INFORMATION, association_update_request,
      user_plane_ip_resource_information, pfcp_user_plane_ip_resource_information),
};
GROUP(association_update_request);

static const struct wire_ie association_update_response_rows[] = {
    M(NODE_ID, association_update_response, node_id, pfcp_node_id),
    M(CAUSE, association_update_response, cause, pfcp_cause_value),
    O(UP_FUNCTION_FEATURES, association_update_response, up_function_features,
      pfcp_up_function_features),
    O(CP_FUNCTION_FEATURES, association_update_response, cp_function_features,
      pfcp_cp_function_features),
};
GROUP(association_update_response);

static const struct wire_ie association_release_request_rows[] = {
    M(NODE_ID, association_release_request, node_id, pfcp_node_id),
};
GROUP(association_release_request);

static const struct wire_ie association_release_response_rows[] = {
    M(NODE_ID, association_release_response, node_id, pfcp_node_id),
    M(CAUSE, association_release_response, cause, pfcp_cause_value),
};
GROUP(association_release_response);

static const struct wire_ie node_report_request_rows[] = {
    M(NODE_ID, node_report_request, node_id, pfcp_node_id),
    M(NODE_REPORT_TYPE, node_report_request, node_report_type, pfcp_node_report_type),
    O(USER_PLANE_PATH_FAILURE_REPORT, node_report_request, user_plane_path_failure_report,
      user_plane_path_failure_report_type),
};
GROUP(node_report_request);

static const struct wire_ie node_report_response_rows[] = {
    M(NODE_ID, node_report_response, node_id, pfcp_node_id),
    M(CAUSE, node_report_response, cause, pfcp_cause_value),
    O(OFFENDING_IE, node_report_response, offending_ie, wire_u16),
};
GROUP(node_report_response);

static const struct wire_ie session_set_deletion_request_rows[] = {
    M(NODE_ID, session_set_deletion_request, node_id, pfcp_node_id),
    L(FQ_CSID, session_set_deletion_request, fq_csid, wire_bytes),
};
GROUP(session_set_deletion_request);

static const struct wire_ie session_set_deletion_response_rows[] = {
    M(NODE_ID, session_set_deletion_response, node_id, pfcp_node_id),
    M(CAUSE, session_set_deletion_response, cause, pfcp_cause_value),
    O(OFFENDING_IE, session_set_deletion_response, offending_ie, wire_u16),
};
GROUP(session_set_deletion_response);

/* Session related messages (clause 7.5). */
static const struct wire_ie session_establishment_request_rows[] = {
    M(NODE_ID, session_establishment_request, node_id, pfcp_node_id),
    M(F_SEID, session_establishment_request, cp_f_seid, pfcp_f_seid),
    LM(CREATE_PDR, session_establishment_request, create_pdr, create_pdr_type),
    LM(CREATE_FAR, session_establishment_request, create_far, create_far_type),
    L(CREATE_URR, session_establishment_request, create_urr, create_urr_type),
    L(CREATE_QER, session_establishment_request, create_qer, create_qer_type),
    O(CREATE_BAR, session_establishment_request, create_bar, create_bar_type),
    O(PDN_TYPE, session_establishment_request, pdn_type, pfcp_pdn_type),
    O(USER_PLANE_INACTIVITY_TIMER, session_establishment_request, user_plane_inactivity_timer,
      wire_u32),
    O(USER_ID, session_establishment_request, user_id, pfcp_user_id),
};
GROUP(session_establishment_request);

static const struct wire_ie session_establishment_response_rows[] = {
    M(NODE_ID, session_establishment_response, node_id, pfcp_node_id),
    M(CAUSE, session_establishment_response, cause, pfcp_cause_value),
    O(OFFENDING_IE, session_establishment_response, offending_ie, wire_u16),
    O(F_SEID, session_establishment_response, up_f_seid, pfcp_f_seid),
    L(CREATED_PDR, session_establishment_response, created_pdr, created_pdr_type),
    O(LOAD_CONTROL_INFORMATION, session_establishment_response, load_control_information,
      load_control_information_type),
    O(OVERLOAD_CONTROL_INFORMATION, session_establishment_response, overload_control_information,
      overload_control_information_type),
    O(FAILED_RULE_ID, session_establishment_response, failed_rule_id, pfcp_failed_rule_id),
};
GROUP(session_establishment_response);

static const struct wire_ie session_modification_request_rows[] = {
    O(F_SEID, session_modification_request, cp_f_seid, pfcp_f_seid),
    L(REMOVE_PDR, session_modification_request, remove_pdr, remove_pdr_type),
    L(REMOVE_FAR, session_modification_request, remove_far, remove_far_type),
    L(REMOVE_URR, session_modification_request, remove_urr, remove_urr_type),
    L(REMOVE_QER, session_modification_request, remove_qer, remove_qer_type),
    O(REMOVE_BAR, session_modification_request, remove_bar, remove_bar_type),
    L(CREATE_PDR, session_modification_request, create_pdr, create_pdr_type),
    L(CREATE_FAR, session_modification_request, create_far, create_far_type),
    L(CREATE_URR, session_modification_request, create_urr, create_urr_type),
    L(CREATE_QER, session_modification_request, create_qer, create_qer_type),
    O(CREATE_BAR, session_modification_request, create_bar, create_bar_type),
    L(UPDATE_PDR, session_modification_request, update_pdr, update_pdr_type),
    L(UPDATE_FAR, session_modification_request, update_far, update_far_type),
    L(UPDATE_URR, session_modification_request, update_urr, update_urr_type),
    L(UPDATE_QER, session_modification_request, update_qer, update_qer_type),
    O(UPDATE_BAR, session_modification_request, update_bar, create_bar_type),
    O(PFCPSMREQ_FLAGS, session_modification_request, pfcpsmreq_flags, pfcp_smreq_flags),
    L(QUERY_URR, session_modification_request, query_urr, query_urr_type),
    O(USER_PLANE_INACTIVITY_TIMER, session_modification_request, user_plane_inactivity_timer,
      wire_u32),
    O(QUERY_URR_REFERENCE, session_modification_request, query_urr_reference, wire_u32),
};
GROUP(session_modification_request);

static const struct wire_ie session_modification_response_rows[] = {
    M(CAUSE, session_modification_response, cause, pfcp_cause_value),
    O(OFFENDING_IE, session_modification_response, offending_ie, wire_u16),
    L(CREATED_PDR, session_modification_response, created_pdr, created_pdr_type),
    O(LOAD_CONTROL_INFORMATION, session_modification_response, load_control_information,
      load_control_information_type),
    O(OVERLOAD_CONTROL_INFORMATION, session_modification_response, overload_control_information,
      overload_control_information_type),
    L(USAGE_REPORT_IN_MODIFICATION, session_modification_response, usage_report, usage_report_type),
    O(FAILED_RULE_ID, session_modification_response, failed_rule_id, pfcp_failed_rule_id),
    O(ADDITIONAL_USAGE_REPORTS_INFORMATION, session_modification_response,
      additional_usage_reports_information, wire_u16),
};
GROUP(session_modification_response);

static const struct wire_ie session_deletion_response_rows[] = {
    M(CAUSE, session_deletion_response, cause, pfcp_cause_value),
    O(OFFENDING_IE, session_deletion_response, offending_ie, wire_u16),
    O(LOAD_CONTROL_INFORMATION, session_deletion_response, load_control_information,
      load_control_information_type),
    O(OVERLOAD_CONTROL_INFORMATION, session_deletion_response, overload_control_information,
      overload_control_information_type),
    L(USAGE_REPORT_IN_DELETION, session_deletion_response, usage_report, usage_report_type),
};
GROUP(session_deletion_response);

static const struct wire_ie session_report_request_rows[] = {
    M(REPORT_TYPE, session_report_request, report_type, pfcp_report_type),
    O(DOWNLINK_DATA_REPORT, session_report_request, downlink_data_report,
      downlink_data_report_type),
    L(USAGE_REPORT_IN_REPORT, session_report_request, usage_report, usage_report_type),
    O(ERROR_INDICATION_REPORT, session_report_request, error_indication_report,
      error_indication_report_type),
    O(LOAD_CONTROL_INFORMATION, session_report_request, load_control_information,
      load_control_information_type),
    O(OVERLOAD_CONTROL_INFORMATION, session_report_request, overload_control_information,
      overload_control_information_type),
    O(ADDITIONAL_USAGE_REPORTS_INFORMATION, session_report_request,
      additional_usage_reports_information, wire_u16),
};
GROUP(session_report_request);

static const struct wire_ie session_report_response_rows[] = {
    M(CAUSE, session_report_response, cause, pfcp_cause_value),
    O(OFFENDING_IE, session_report_response, offending_ie, wire_u16),
    O(UPDATE_BAR_IN_REPORT_RESPONSE, session_report_response, update_bar,
      update_bar_in_report_response_type),
    O(PFCPSRRSP_FLAGS, session_report_response, pfcpsrrsp_flags, pfcp_srrsp_flags),
};
GROUP(session_report_response);

/* Two messages are only a header. */
static const struct wire_group version_not_supported_response_group = {
    "version_not_supported_response", NULL, 0, sizeof(struct pfcp_version_not_supported_response),
    &pfcp_format};
static const struct wire_group session_deletion_request_group = {
    "session_deletion_request", NULL, 0, sizeof(struct pfcp_session_deletion_request),
    &pfcp_format};

/* Clause 7.3. */
static const struct pfcp_message_row messages[] = {
    [PFCP_HEARTBEAT_REQUEST] = {"Heartbeat Request", &heartbeat_request_group, true},
    [PFCP_HEARTBEAT_RESPONSE] = {"Heartbeat Response", &heartbeat_response_group, false},
    [PFCP_PFD_MANAGEMENT_REQUEST] = {"PFD Management Request", &pfd_management_request_group, true},
    [PFCP_PFD_MANAGEMENT_RESPONSE] = {"PFD Management Response", &pfd_management_response_group,
                                      false},
    [PFCP_ASSOCIATION_SETUP_REQUEST] = {"Association Setup Request",
                                        &association_setup_request_group, true},
    [PFCP_ASSOCIATION_SETUP_RESPONSE] = {"Association Setup Response",
                                         &association_setup_response_group, false},
    [PFCP_ASSOCIATION_UPDATE_REQUEST] = {"Association Update Request",
                                         &association_update_request_group, true},
    [PFCP_ASSOCIATION_UPDATE_RESPONSE] = {"Association Update Response",
                                          &association_update_response_group, false},
    [PFCP_ASSOCIATION_RELEASE_REQUEST] = {"Association Release Request",
                                          &association_release_request_group, true},
    [PFCP_ASSOCIATION_RELEASE_RESPONSE] = {"Association Release Response",
                                           &association_release_response_group, false},
    [PFCP_VERSION_NOT_SUPPORTED_RESPONSE] = {"Version Not Supported Response",
                                             &version_not_supported_response_group, false},
    [PFCP_NODE_REPORT_REQUEST] = {"Node Report Request", &node_report_request_group, true},
    [PFCP_NODE_REPORT_RESPONSE] = {"Node Report Response", &node_report_response_group, false},
    [PFCP_SESSION_SET_DELETION_REQUEST] = {"Session Set Deletion Request",
                                           &session_set_deletion_request_group, true},
    [PFCP_SESSION_SET_DELETION_RESPONSE] = {"Session Set Deletion Response",
                                            &session_set_deletion_response_group, false},
    [PFCP_SESSION_ESTABLISHMENT_REQUEST] = {"Session Establishment Request",
                                            &session_establishment_request_group, true},
    [PFCP_SESSION_ESTABLISHMENT_RESPONSE] = {"Session Establishment Response",
                                             &session_establishment_response_group, false},
    [PFCP_SESSION_MODIFICATION_REQUEST] = {"Session Modification Request",
                                           &session_modification_request_group, true},
    [PFCP_SESSION_MODIFICATION_RESPONSE] = {"Session Modification Response",
                                            &session_modification_response_group, false},
    [PFCP_SESSION_DELETION_REQUEST] = {"Session Deletion Request", &session_deletion_request_group,
                                       true},
    [PFCP_SESSION_DELETION_RESPONSE] = {"Session Deletion Response",
                                        &session_deletion_response_group, false},
    [PFCP_SESSION_REPORT_REQUEST] = {"Session Report Request", &session_report_request_group, true},
    [PFCP_SESSION_REPORT_RESPONSE] = {"Session Report Response", &session_report_response_group,
                                      false},
};

const struct pfcp_message_row *pfcp_message_row(uint8_t type)
{
    if (type >= sizeof(messages) / sizeof(messages[0]) || !messages[type].group)
        return NULL;
    return &messages[type];
}
