/*
 * types_ue.c -- S1AP's types about one phone (TS 36.413 clause 9.3.4, release 16): E-RABs,
 * subscription and policy, trace, location, paging. See types.c.
 */
#include "wire/s1ap/types.h"

/* ---- E-RABs ---- */

static const struct aper_field allocation_and_retention_priority_fields[] = {
    F(s1ap_allocation_and_retention_priority, priority_level, priority_level),
    F(s1ap_allocation_and_retention_priority, pre_emption_capability, pre_emption_capability),
    F(s1ap_allocation_and_retention_priority, pre_emption_vulnerability, pre_emption_vulnerability),
};
static SEQUENCE(allocation_and_retention_priority, "AllocationAndRetentionPriority",
                struct s1ap_allocation_and_retention_priority,
                allocation_and_retention_priority_fields, s1ap_no_extensions);

static const struct aper_field gbr_qos_information_fields[] = {
    F(s1ap_gbr_qos_information, maximum_bitrate_downlink, bit_rate),
    F(s1ap_gbr_qos_information, maximum_bitrate_uplink, bit_rate),
    F(s1ap_gbr_qos_information, guaranteed_bitrate_downlink, bit_rate),
    F(s1ap_gbr_qos_information, guaranteed_bitrate_uplink, bit_rate),
};
static const struct aper_row gbr_qos_information_rows[] = {
    O(s1ap_gbr_qos_information, extended_maximum_bitrate_downlink,
      EXTENDED_E_RAB_MAXIMUM_BITRATE_DL, IGNORE, extended_bit_rate),
    O(s1ap_gbr_qos_information, extended_maximum_bitrate_uplink, EXTENDED_E_RAB_MAXIMUM_BITRATE_UL,
      IGNORE, extended_bit_rate),
    O(s1ap_gbr_qos_information, extended_guaranteed_bitrate_downlink,
      EXTENDED_E_RAB_GUARANTEED_BITRATE_DL, IGNORE, extended_bit_rate),
    O(s1ap_gbr_qos_information, extended_guaranteed_bitrate_uplink,
      EXTENDED_E_RAB_GUARANTEED_BITRATE_UL, IGNORE, extended_bit_rate),
};
EXTENSIONS(gbr_qos_information);
static SEQUENCE(gbr_qos_information, "GBR-QosInformation", struct s1ap_gbr_qos_information,
                gbr_qos_information_fields, gbr_qos_information_extensions);

static const struct aper_field qos_fields[] = {
    F(s1ap_e_rab_level_qos_parameters, qci, qci),
    F(s1ap_e_rab_level_qos_parameters, allocation_retention_priority,
      allocation_and_retention_priority),
    F_OPT(s1ap_e_rab_level_qos_parameters, gbr_qos_information, gbr_qos_information),
};
static const struct aper_row qos_rows[] = {
    O(s1ap_e_rab_level_qos_parameters, downlink_packet_loss_rate, DOWNLINK_PACKET_LOSS_RATE, IGNORE,
      packet_loss_rate),
    O(s1ap_e_rab_level_qos_parameters, uplink_packet_loss_rate, UPLINK_PACKET_LOSS_RATE, IGNORE,
      packet_loss_rate),
};
EXTENSIONS(qos);
SEQUENCE(qos, "E-RABLevelQoSParameters", struct s1ap_e_rab_level_qos_parameters, qos_fields,
         qos_extensions);

/* E-RABToBeSetupItemCtxtSUReq and ...BearerSUReq differ in whether the NAS PDU may be absent. */
static const struct aper_field to_be_setup_context_fields[] = {
    F(s1ap_e_rab_to_be_setup, e_rab_id, e_rab_id),
    F(s1ap_e_rab_to_be_setup, qos, qos),
    F(s1ap_e_rab_to_be_setup, transport_layer_address, transport_layer_address),
    F(s1ap_e_rab_to_be_setup, gtp_teid, gtp_teid),
    F_OPT(s1ap_e_rab_to_be_setup, nas_pdu, octets),
};
static const struct aper_type s1ap_type_octets_behind_pointer = {.ops = &s1ap_octets_pointer_ops,
                                                                 .name = "NAS-PDU",
                                                                 .size = sizeof(struct bytes *),
                                                                 .upper = APER_UNBOUNDED};
static const struct aper_field to_be_setup_fields[] = {
    F(s1ap_e_rab_to_be_setup, e_rab_id, e_rab_id),
    F(s1ap_e_rab_to_be_setup, qos, qos),
    F(s1ap_e_rab_to_be_setup, transport_layer_address, transport_layer_address),
    F(s1ap_e_rab_to_be_setup, gtp_teid, gtp_teid),
    F(s1ap_e_rab_to_be_setup, nas_pdu, octets_behind_pointer),
};
static const struct aper_row to_be_setup_rows[] = {
    O(s1ap_e_rab_to_be_setup, correlation_id, CORRELATION_ID, IGNORE, correlation_id),
    O(s1ap_e_rab_to_be_setup, sipto_correlation_id, SIPTO_CORRELATION_ID, IGNORE, correlation_id),
    O(s1ap_e_rab_to_be_setup, non_ip, BEARER_TYPE, REJECT, flag),
};
EXTENSIONS(to_be_setup);
static SEQUENCE(to_be_setup_context, "E-RABToBeSetupItemCtxtSUReq", struct s1ap_e_rab_to_be_setup,
                to_be_setup_context_fields, to_be_setup_extensions);
static SEQUENCE(to_be_setup, "E-RABToBeSetupItemBearerSUReq", struct s1ap_e_rab_to_be_setup,
                to_be_setup_fields, to_be_setup_extensions);
ITEM(to_be_setup_context_item, E_RAB_TO_BE_SETUP_ITEM_CTXT_SU_REQ, REJECT, to_be_setup_context);
ITEM(to_be_setup_item, E_RAB_TO_BE_SETUP_ITEM_BEARER_SU_REQ, REJECT, to_be_setup);
ITEM_LIST(e_rab_to_be_setup_context_list, "E-RABToBeSetupListCtxtSUReq", to_be_setup_context_item,
          1, 256);
ITEM_LIST(e_rab_to_be_setup_list, "E-RABToBeSetupListBearerSUReq", to_be_setup_item, 1, 256);

static const struct aper_field to_be_setup_ho_fields[] = {
    F(s1ap_e_rab_to_be_setup_ho, e_rab_id, e_rab_id),
    F(s1ap_e_rab_to_be_setup_ho, transport_layer_address, transport_layer_address),
    F(s1ap_e_rab_to_be_setup_ho, gtp_teid, gtp_teid),
    F(s1ap_e_rab_to_be_setup_ho, qos, qos),
};
static const struct aper_row to_be_setup_ho_rows[] = {
    O(s1ap_e_rab_to_be_setup_ho, data_forwarding_not_possible, DATA_FORWARDING_NOT_POSSIBLE, IGNORE,
      flag),
    O(s1ap_e_rab_to_be_setup_ho, non_ip, BEARER_TYPE, REJECT, flag),
};
EXTENSIONS(to_be_setup_ho);
static SEQUENCE(to_be_setup_ho, "E-RABToBeSetupItemHOReq", struct s1ap_e_rab_to_be_setup_ho,
                to_be_setup_ho_fields, to_be_setup_ho_extensions);
ITEM(to_be_setup_ho_item, E_RAB_TO_BE_SETUP_ITEM_HO_REQ, REJECT, to_be_setup_ho);
ITEM_LIST(e_rab_to_be_setup_ho_list, "E-RABToBeSetupListHOReq", to_be_setup_ho_item, 1, 256);

/* One SEQUENCE under seven names. */
static const struct aper_field tunnel_fields[] = {
    F(s1ap_e_rab_tunnel, e_rab_id, e_rab_id),
    F(s1ap_e_rab_tunnel, transport_layer_address, transport_layer_address),
    F(s1ap_e_rab_tunnel, gtp_teid, gtp_teid),
};
static SEQUENCE(tunnel, "E-RABSetupItemBearerSURes", struct s1ap_e_rab_tunnel, tunnel_fields,
                s1ap_no_extensions);
ITEM(setup_item, E_RAB_SETUP_ITEM_BEARER_SU_RES, IGNORE, tunnel);
ITEM(setup_context_item, E_RAB_SETUP_ITEM_CTXT_SU_RES, IGNORE, tunnel);
ITEM(switched_dl_item, E_RAB_TO_BE_SWITCHED_DL_ITEM, REJECT, tunnel);
ITEM(switched_ul_item, E_RAB_TO_BE_SWITCHED_UL_ITEM, IGNORE, tunnel);
ITEM(modified_indication_item, E_RAB_TO_BE_MODIFIED_ITEM_BEARER_MOD_IND, REJECT, tunnel);
ITEM(not_modified_indication_item, E_RAB_NOT_TO_BE_MODIFIED_ITEM_BEARER_MOD_IND, REJECT, tunnel);
ITEM_LIST(e_rab_setup_list, "E-RABSetupListBearerSURes", setup_item, 1, 256);
ITEM_LIST(e_rab_setup_context_list, "E-RABSetupListCtxtSURes", setup_context_item, 1, 256);
ITEM_LIST(e_rab_to_be_switched_dl_list, "E-RABToBeSwitchedDLList", switched_dl_item, 1, 256);
ITEM_LIST(e_rab_to_be_switched_ul_list, "E-RABToBeSwitchedULList", switched_ul_item, 1, 256);
ITEM_LIST(e_rab_to_be_modified_indication_list, "E-RABToBeModifiedListBearerModInd",
          modified_indication_item, 1, 256);
ITEM_LIST(e_rab_not_to_be_modified_indication_list, "E-RABNotToBeModifiedListBearerModInd",
          not_modified_indication_item, 1, 256);

static const struct aper_field to_be_modified_fields[] = {
    F(s1ap_e_rab_to_be_modified, e_rab_id, e_rab_id),
    F(s1ap_e_rab_to_be_modified, qos, qos),
    F(s1ap_e_rab_to_be_modified, nas_pdu, octets),
};
static const struct aper_field transport_information_fields[] = {
    F(s1ap_transport_information, transport_layer_address, transport_layer_address),
    F(s1ap_transport_information, ul_gtp_teid, gtp_teid),
};
static SEQUENCE_PLAIN(transport_information, "TransportInformation",
                      struct s1ap_transport_information, transport_information_fields);
static const struct aper_row to_be_modified_rows[] = {
    O(s1ap_e_rab_to_be_modified, transport_information, TRANSPORT_INFORMATION, REJECT,
      transport_information),
};
EXTENSIONS(to_be_modified);
static SEQUENCE(to_be_modified, "E-RABToBeModifiedItemBearerModReq",
                struct s1ap_e_rab_to_be_modified, to_be_modified_fields, to_be_modified_extensions);
ITEM(to_be_modified_item, E_RAB_TO_BE_MODIFIED_ITEM_BEARER_MOD_REQ, REJECT, to_be_modified);
ITEM_LIST(e_rab_to_be_modified_list, "E-RABToBeModifiedListBearerModReq", to_be_modified_item, 1,
          256);

/* Nothing but the id: E-RABModifyItem and E-RABReleaseItem. */
static const struct aper_field e_rab_id_item_fields[] = {
    ONLY("e_rab_id", uint8_t, e_rab_id),
};
static SEQUENCE(e_rab_id_item, "E-RABModifyItemBearerModRes", uint8_t, e_rab_id_item_fields,
                s1ap_no_extensions);
ITEM(modify_item, E_RAB_MODIFY_ITEM_BEARER_MOD_RES, IGNORE, e_rab_id_item);
ITEM(modify_confirm_item, E_RAB_MODIFY_ITEM_BEARER_MOD_CONF, IGNORE, e_rab_id_item);
ITEM(release_item, E_RAB_RELEASE_ITEM_BEARER_REL_COMP, IGNORE, e_rab_id_item);
ITEM_LIST(e_rab_modify_list, "E-RABModifyListBearerModRes", modify_item, 1, 256);
ITEM_LIST(e_rab_modify_confirm_list, "E-RABModifyListBearerModConf", modify_confirm_item, 1, 256);
ITEM_LIST(e_rab_release_list, "E-RABReleaseListBearerRelComp", release_item, 1, 256);

static const struct aper_field e_rab_item_fields[] = {
    F(s1ap_e_rab_item, e_rab_id, e_rab_id),
    F(s1ap_e_rab_item, cause, cause),
};
static SEQUENCE(e_rab_item_value, "E-RABItem", struct s1ap_e_rab_item, e_rab_item_fields,
                s1ap_no_extensions);
ITEM(e_rab_item, E_RAB_ITEM, IGNORE, e_rab_item_value);
ITEM(failed_to_setup_ho_item, E_RAB_FAILED_TO_SETUP_ITEM_HO_REQ_ACK, IGNORE, e_rab_item_value);
ITEM(failed_to_resume_request_item, E_RAB_FAILED_TO_RESUME_ITEM_RESUME_REQ, REJECT,
     e_rab_item_value);
ITEM(failed_to_resume_response_item, E_RAB_FAILED_TO_RESUME_ITEM_RESUME_RES, REJECT,
     e_rab_item_value);
ITEM_LIST(e_rab_list, "E-RABList", e_rab_item, 1, 256);
ITEM_LIST(e_rab_failed_to_setup_ho_list, "E-RABFailedtoSetupListHOReqAck", failed_to_setup_ho_item,
          1, 256);
ITEM_LIST(e_rab_failed_to_resume_request_list, "E-RABFailedToResumeListResumeReq",
          failed_to_resume_request_item, 1, 256);
ITEM_LIST(e_rab_failed_to_resume_response_list, "E-RABFailedToResumeListResumeRes",
          failed_to_resume_response_item, 1, 256);

static const struct aper_field admitted_fields[] = {
    F(s1ap_e_rab_admitted, e_rab_id, e_rab_id),
    F(s1ap_e_rab_admitted, transport_layer_address, transport_layer_address),
    F(s1ap_e_rab_admitted, gtp_teid, gtp_teid),
    F_OPT(s1ap_e_rab_admitted, dl_transport_layer_address, transport_layer_address),
    F_OPT(s1ap_e_rab_admitted, dl_gtp_teid, gtp_teid),
    F_OPT(s1ap_e_rab_admitted, ul_transport_layer_address, transport_layer_address),
    F_OPT(s1ap_e_rab_admitted, ul_gtp_teid, gtp_teid),
};
static SEQUENCE(admitted, "E-RABAdmittedItem", struct s1ap_e_rab_admitted, admitted_fields,
                s1ap_no_extensions);
ITEM(admitted_item, E_RAB_ADMITTED_ITEM, IGNORE, admitted);
ITEM_LIST(e_rab_admitted_list, "E-RABAdmittedList", admitted_item, 1, 256);

static const struct aper_field data_forwarding_fields[] = {
    F(s1ap_e_rab_data_forwarding, e_rab_id, e_rab_id),
    F_OPT(s1ap_e_rab_data_forwarding, dl_transport_layer_address, transport_layer_address),
    F_OPT(s1ap_e_rab_data_forwarding, dl_gtp_teid, gtp_teid),
    F_OPT(s1ap_e_rab_data_forwarding, ul_transport_layer_address, transport_layer_address),
    F_OPT(s1ap_e_rab_data_forwarding, ul_gtp_teid, gtp_teid),
};
static SEQUENCE(data_forwarding, "E-RABDataForwardingItem", struct s1ap_e_rab_data_forwarding,
                data_forwarding_fields, s1ap_no_extensions);
ITEM(data_forwarding_item, E_RAB_DATA_FORWARDING_ITEM, IGNORE, data_forwarding);
ITEM_LIST(e_rab_subject_to_data_forwarding_list, "E-RABSubjecttoDataForwardingList",
          data_forwarding_item, 1, 256);

static const struct aper_field usage_report_fields[] = {
    F(s1ap_e_rab_usage_report, start_timestamp, timestamp),
    F(s1ap_e_rab_usage_report, end_timestamp, timestamp),
    F(s1ap_e_rab_usage_report, usage_count_ul, usage_count),
    F(s1ap_e_rab_usage_report, usage_count_dl, usage_count),
};
static SEQUENCE(usage_report, "E-RABUsageReportItem", struct s1ap_e_rab_usage_report,
                usage_report_fields, s1ap_no_extensions);
ITEM(usage_report_item, E_RAB_USAGE_REPORT_ITEM, IGNORE, usage_report);
static ITEM_LIST(usage_report_list, "E-RABUsageReportList", usage_report_item, 1, 2);

static const struct aper_field secondary_rat_fields[] = {
    F(s1ap_secondary_rat_data_usage_report, e_rab_id, e_rab_id),
    F(s1ap_secondary_rat_data_usage_report, secondary_rat_type, secondary_rat_type),
    F_LIST(s1ap_secondary_rat_data_usage_report, e_rab_usage_reports, usage_report_list),
};
static SEQUENCE(secondary_rat, "SecondaryRATDataUsageReportItem",
                struct s1ap_secondary_rat_data_usage_report, secondary_rat_fields,
                s1ap_no_extensions);
ITEM(secondary_rat_item, SECONDARY_RAT_DATA_USAGE_REPORT_ITEM, IGNORE, secondary_rat);
ITEM_LIST(secondary_rat_data_usage_report_list, "SecondaryRATDataUsageReportList",
          secondary_rat_item, 1, 256);

/* ---- subscription and policy ---- */

static const struct aper_field ue_aggregate_maximum_bitrate_fields[] = {
    F(s1ap_ue_aggregate_maximum_bitrate, downlink, bit_rate),
    F(s1ap_ue_aggregate_maximum_bitrate, uplink, bit_rate),
};
static const struct aper_row ue_aggregate_maximum_bitrate_rows[] = {
    O(s1ap_ue_aggregate_maximum_bitrate, extended_downlink,
      EXTENDED_UE_AGGREGATE_MAXIMUM_BIT_RATE_DL, IGNORE, extended_bit_rate),
    O(s1ap_ue_aggregate_maximum_bitrate, extended_uplink, EXTENDED_UE_AGGREGATE_MAXIMUM_BIT_RATE_UL,
      IGNORE, extended_bit_rate),
};
EXTENSIONS(ue_aggregate_maximum_bitrate);
SEQUENCE(ue_aggregate_maximum_bitrate, "UEAggregateMaximumBitrate",
         struct s1ap_ue_aggregate_maximum_bitrate, ue_aggregate_maximum_bitrate_fields,
         ue_aggregate_maximum_bitrate_extensions);

static const struct aper_field ue_sidelink_aggregate_maximum_bitrate_fields[] = {
    ONLY("bit_rate", uint64_t, bit_rate),
};
SEQUENCE(ue_sidelink_aggregate_maximum_bitrate, "UESidelinkAggregateMaximumBitrate", uint64_t,
         ue_sidelink_aggregate_maximum_bitrate_fields, s1ap_no_extensions);

static LIST(equivalent_plmns, "EPLMNs", plmn, 1, 15);
static LIST(forbidden_tacs, "ForbiddenTACs", tac, 1, 4096);
static LIST(forbidden_lacs, "ForbiddenLACs", lac, 1, 4096);

static const struct aper_field forbidden_tas_item_fields[] = {
    F(s1ap_forbidden_tas, plmn, plmn),
    F_LIST(s1ap_forbidden_tas, tacs, forbidden_tacs),
};
static SEQUENCE(forbidden_tas_item, "ForbiddenTAs-Item", struct s1ap_forbidden_tas,
                forbidden_tas_item_fields, s1ap_no_extensions);
static LIST(forbidden_tas, "ForbiddenTAs", forbidden_tas_item, 1, 16);

static const struct aper_field forbidden_las_item_fields[] = {
    F(s1ap_forbidden_las, plmn, plmn),
    F_LIST(s1ap_forbidden_las, lacs, forbidden_lacs),
};
static SEQUENCE(forbidden_las_item, "ForbiddenLAs-Item", struct s1ap_forbidden_las,
                forbidden_las_item_fields, s1ap_no_extensions);
static LIST(forbidden_las, "ForbiddenLAs", forbidden_las_item, 1, 16);

static const struct aper_field cn_type_restriction_fields[] = {
    F(s1ap_cn_type_restriction, plmn, plmn),
    F(s1ap_cn_type_restriction, cn_type, cn_type),
};
static SEQUENCE(cn_type_restriction, "CNTypeRestrictions-Item", struct s1ap_cn_type_restriction,
                cn_type_restriction_fields, s1ap_no_extensions);
static LIST(cn_type_restrictions, "CNTypeRestrictions", cn_type_restriction, 1, 16);

static const struct aper_field handover_restriction_list_fields[] = {
    F(s1ap_handover_restriction_list, serving_plmn, plmn),
    F_OPT_LIST(s1ap_handover_restriction_list, equivalent_plmns, equivalent_plmns),
    F_OPT_LIST(s1ap_handover_restriction_list, forbidden_tas, forbidden_tas),
    F_OPT_LIST(s1ap_handover_restriction_list, forbidden_las, forbidden_las),
    F_OPT(s1ap_handover_restriction_list, forbidden_inter_rats, forbidden_inter_rats),
};
static const struct aper_row handover_restriction_list_rows[] = {
    O(s1ap_handover_restriction_list, nr_restriction_in_eps_as_secondary_rat,
      NR_RESTRICTION_IN_EPS_AS_SECONDARY_RAT, IGNORE, flag),
    O(s1ap_handover_restriction_list, unlicensed_spectrum_restriction,
      UNLICENSED_SPECTRUM_RESTRICTION, IGNORE, flag),
    OL(s1ap_handover_restriction_list, cn_type_restrictions, CN_TYPE_RESTRICTIONS, IGNORE,
       cn_type_restrictions),
    O(s1ap_handover_restriction_list, nr_restriction_in_5gs, NR_RESTRICTION_IN_5GS, IGNORE, flag),
    O(s1ap_handover_restriction_list, last_ng_ran_plmn, LAST_NG_RAN_PLMN_IDENTITY, IGNORE, plmn),
};
EXTENSIONS(handover_restriction_list);
SEQUENCE(handover_restriction_list, "HandoverRestrictionList",
         struct s1ap_handover_restriction_list, handover_restriction_list_fields,
         handover_restriction_list_extensions);
LIST(mdt_plmn_list, "MDTPLMNList", plmn, 1, 16);

static const struct aper_field prose_authorized_fields[] = {
    F_OPT(s1ap_prose_authorized, direct_discovery, authorized),
    F_OPT(s1ap_prose_authorized, direct_communication, authorized),
};
static const struct aper_row prose_authorized_rows[] = {
    O(s1ap_prose_authorized, ue_to_network_relaying, PROSE_UE_TO_NETWORK_RELAYING, IGNORE,
      authorized),
};
EXTENSIONS(prose_authorized);
SEQUENCE(prose_authorized, "ProSeAuthorized", struct s1ap_prose_authorized, prose_authorized_fields,
         prose_authorized_extensions);

static const struct aper_field v2x_services_authorized_fields[] = {
    F_OPT(s1ap_v2x_services_authorized, vehicle_ue, authorized),
    F_OPT(s1ap_v2x_services_authorized, pedestrian_ue, authorized),
};
SEQUENCE(v2x_services_authorized, "V2XServicesAuthorized", struct s1ap_v2x_services_authorized,
         v2x_services_authorized_fields, s1ap_no_extensions);

static const struct aper_field expected_activity_fields[] = {
    F_OPT(s1ap_expected_ue_activity_behaviour, expected_activity_period, expected_period),
    F_OPT(s1ap_expected_ue_activity_behaviour, expected_idle_period, expected_period),
    F_OPT(s1ap_expected_ue_activity_behaviour, source, source_of_ue_activity_behaviour),
};
static SEQUENCE(expected_activity, "ExpectedUEActivityBehaviour",
                struct s1ap_expected_ue_activity_behaviour, expected_activity_fields,
                s1ap_no_extensions);
static const struct aper_field expected_ue_behaviour_fields[] = {
    F_OPT(s1ap_expected_ue_behaviour, expected_activity, expected_activity),
    F_OPT(s1ap_expected_ue_behaviour, expected_ho_interval, expected_ho_interval),
};
SEQUENCE(expected_ue_behaviour, "ExpectedUEBehaviour", struct s1ap_expected_ue_behaviour,
         expected_ue_behaviour_fields, s1ap_no_extensions);

static const struct aper_field scheduled_communication_time_fields[] = {
    F_OPT(s1ap_scheduled_communication_time, day_of_week, day_of_week),
    F_OPT(s1ap_scheduled_communication_time, time_of_day_start, time_of_day),
    F_OPT(s1ap_scheduled_communication_time, time_of_day_end, time_of_day),
};
static SEQUENCE(scheduled_communication_time, "ScheduledCommunicationTime",
                struct s1ap_scheduled_communication_time, scheduled_communication_time_fields,
                s1ap_no_extensions);
static const struct aper_field differentiation_fields[] = {
    F_OPT(s1ap_subscription_based_ue_differentiation_info, periodic_communication_indicator,
          periodic_communication_indicator),
    F_OPT(s1ap_subscription_based_ue_differentiation_info, periodic_time, periodic_time),
    F_OPT(s1ap_subscription_based_ue_differentiation_info, scheduled_communication_time,
          scheduled_communication_time),
    F_OPT(s1ap_subscription_based_ue_differentiation_info, stationary_indication,
          stationary_indication),
    F_OPT(s1ap_subscription_based_ue_differentiation_info, traffic_profile, traffic_profile),
    F_OPT(s1ap_subscription_based_ue_differentiation_info, battery_indication, battery_indication),
};
SEQUENCE(subscription_based_ue_differentiation_info, "Subscription-Based-UE-DifferentiationInfo",
         struct s1ap_subscription_based_ue_differentiation_info, differentiation_fields,
         s1ap_no_extensions);

/* ---- trace and location ---- */

static const struct aper_field trace_activation_fields[] = {
    F(s1ap_trace_activation, e_utran_trace_id, e_utran_trace_id),
    F(s1ap_trace_activation, interfaces_to_trace, interfaces_to_trace),
    F(s1ap_trace_activation, trace_depth, trace_depth),
    F(s1ap_trace_activation, trace_collection_entity_ip_address, transport_layer_address),
};
static const struct aper_row trace_activation_rows[] = {
    O(s1ap_trace_activation, mdt_configuration, MDT_CONFIGURATION, IGNORE, opaque),
    O(s1ap_trace_activation, ue_app_layer_meas_config, UE_APP_LAYER_MEAS_CONFIG, IGNORE, opaque),
};
EXTENSIONS(trace_activation);
SEQUENCE(trace_activation, "TraceActivation", struct s1ap_trace_activation, trace_activation_fields,
         trace_activation_extensions);

static const struct aper_field request_type_fields[] = {
    F(s1ap_request_type, event_type, event_type),
    F(s1ap_request_type, report_area, flag),
};
static const struct aper_row request_type_rows[] = {
    O(s1ap_request_type, include_ps_cell, REQUEST_TYPE_ADDITIONAL_INFO, IGNORE, flag),
};
EXTENSIONS(request_type);
SEQUENCE(request_type, "RequestType", struct s1ap_request_type, request_type_fields,
         request_type_extensions);

static const struct aper_field tunnel_information_fields[] = {
    F(s1ap_tunnel_information, transport_layer_address, transport_layer_address),
    F_OPT(s1ap_tunnel_information, udp_port_number, port_number),
};
SEQUENCE(tunnel_information, "TunnelInformation", struct s1ap_tunnel_information,
         tunnel_information_fields, s1ap_no_extensions);

/* ---- paging ---- */

static const struct aper_field paging_edrx_information_fields[] = {
    F(s1ap_paging_edrx_information, paging_edrx_cycle, paging_edrx_cycle),
    F_OPT(s1ap_paging_edrx_information, paging_time_window, paging_time_window),
};
SEQUENCE(paging_edrx_information, "Paging-eDRXInformation", struct s1ap_paging_edrx_information,
         paging_edrx_information_fields, s1ap_no_extensions);

static const struct aper_field nb_iot_paging_edrx_information_fields[] = {
    F(s1ap_nb_iot_paging_edrx_information, paging_edrx_cycle, nb_iot_paging_edrx_cycle),
    F_OPT(s1ap_nb_iot_paging_edrx_information, paging_time_window, paging_time_window),
};
SEQUENCE(nb_iot_paging_edrx_information, "NB-IoT-Paging-eDRXInformation",
         struct s1ap_nb_iot_paging_edrx_information, nb_iot_paging_edrx_information_fields,
         s1ap_no_extensions);

static INTEGER(time_stayed_in_cell, "TimeStayedInCell", uint16_t, 0, 4095);
static const struct aper_field recommended_cell_fields[] = {
    F(s1ap_recommended_cell, eutran_cgi, ecgi),
    F_OPT(s1ap_recommended_cell, time_stayed_in_cell, time_stayed_in_cell),
};
static SEQUENCE(recommended_cell, "RecommendedCellItem", struct s1ap_recommended_cell,
                recommended_cell_fields, s1ap_no_extensions);
ITEM(recommended_cell_item, RECOMMENDED_CELL_ITEM, IGNORE, recommended_cell);
static ITEM_LIST(recommended_cell_list, "RecommendedCellList", recommended_cell_item, 1, 16);

static const struct aper_field paging_target_alternatives[] = {
    ALTERNATIVE(s1ap_mme_paging_target, "global_enb_id", global_enb_id, global_enb_id),
    ALTERNATIVE(s1ap_mme_paging_target, "tai", tai, tai),
};
static CHOICE_EXT(paging_target, "MMEPagingTarget", struct s1ap_mme_paging_target,
                  paging_target_alternatives, 2);
static const struct aper_field recommended_enb_fields[] = {
    ONLY("mme_paging_target", struct s1ap_mme_paging_target, paging_target),
};
static SEQUENCE(recommended_enb, "RecommendedENBItem", struct s1ap_mme_paging_target,
                recommended_enb_fields, s1ap_no_extensions);
ITEM(recommended_enb_item, RECOMMENDED_ENB_ITEM, IGNORE, recommended_enb);
static ITEM_LIST(recommended_enb_list, "RecommendedENBList", recommended_enb_item, 1, 16);

/* RecommendedCellsForPaging is a SEQUENCE whose only component is the list, at the start of either
 * struct that has it; AssistanceDataForRecommendedCells is one around it. */
static const struct aper_field recommended_cells_fields[] = {
    F_LIST(s1ap_recommended_cells, cells, recommended_cell_list),
};
static SEQUENCE(recommended_cells, "RecommendedCellsForPaging", struct s1ap_recommended_cells,
                recommended_cells_fields, s1ap_no_extensions);
static const struct aper_field recommended_cells_assistance_fields[] = {
    ONLY("recommended_cells", struct s1ap_recommended_cells, recommended_cells),
};
static SEQUENCE(recommended_cells_assistance, "AssistanceDataForRecommendedCells",
                struct s1ap_recommended_cells, recommended_cells_assistance_fields,
                s1ap_no_extensions);
static const struct aper_field recommended_enbs_fields[] = {
    ONLY("recommended_enbs", struct s1ap_mme_paging_target, recommended_enb_list),
};
static SEQUENCE(recommended_enbs, "RecommendedENBsForPaging", aper_list, recommended_enbs_fields,
                s1ap_no_extensions);
static const struct aper_field information_for_paging_fields[] = {
    F(s1ap_information_for_paging, recommended_cells, recommended_cells),
    F(s1ap_information_for_paging, recommended_enbs, recommended_enbs),
};
SEQUENCE(information_for_paging, "InformationOnRecommendedCellsAndENBsForPaging",
         struct s1ap_information_for_paging, information_for_paging_fields, s1ap_no_extensions);

static const struct aper_field ce_capable_cell_fields[] = {
    F(s1ap_ce_capable_cell, global_cell_id, ecgi),
    F(s1ap_ce_capable_cell, ce_level, octets),
};
SEQUENCE(ce_capable_cell, "CellIdentifierAndCELevelForCECapableUEs", struct s1ap_ce_capable_cell,
         ce_capable_cell_fields, s1ap_no_extensions);
static const struct aper_field ce_capable_assistance_fields[] = {
    ONLY("cell", struct s1ap_ce_capable_cell, ce_capable_cell),
};
static SEQUENCE(ce_capable_assistance, "AssistanceDataForCECapableUEs", struct s1ap_ce_capable_cell,
                ce_capable_assistance_fields, s1ap_no_extensions);

static const struct aper_field paging_attempt_fields[] = {
    F(s1ap_paging_attempt_information, paging_attempt_count, paging_attempt_count),
    F(s1ap_paging_attempt_information, intended_number_of_paging_attempts, paging_attempt_count),
    F_OPT(s1ap_paging_attempt_information, next_paging_area_scope, next_paging_area_scope),
};
static SEQUENCE(paging_attempt, "PagingAttemptInformation", struct s1ap_paging_attempt_information,
                paging_attempt_fields, s1ap_no_extensions);

static const struct aper_field assistance_data_for_paging_fields[] = {
    F_OPT(s1ap_assistance_data_for_paging, recommended_cells, recommended_cells_assistance),
    F_OPT(s1ap_assistance_data_for_paging, ce_capable_cell, ce_capable_assistance),
    F_OPT(s1ap_assistance_data_for_paging, paging_attempt, paging_attempt),
};
SEQUENCE(assistance_data_for_paging, "AssistanceDataForPaging",
         struct s1ap_assistance_data_for_paging, assistance_data_for_paging_fields,
         s1ap_no_extensions);
