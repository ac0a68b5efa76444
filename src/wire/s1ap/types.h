/*
 * types.h -- inside this room: how the tables of S1AP's types and messages are written, and the
 * types that more than one file uses. The C structs are in ies.h and messages.h.
 */
#ifndef STROWGER_WIRE_S1AP_TYPES_H
#define STROWGER_WIRE_S1AP_TYPES_H

#include "wire/s1ap/aper_type.h"
#include "wire/s1ap/s1ap.h"

/* ---- types: the object is s1ap_type_NAME; `asn` is the specification's name ---- */

#define INTEGER_OF(name_of, asn, c_type, from, to, is_extensible)              \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_integer,        \
                                                  .name = asn,                 \
                                                  .size = sizeof(c_type),      \
                                                  .extensible = is_extensible, \
                                                  .lower = from,               \
                                                  .upper = to}
#define INTEGER(name_of, asn, c_type, from, to)     INTEGER_OF(name_of, asn, c_type, from, to, false)
#define INTEGER_EXT(name_of, asn, c_type, from, to) INTEGER_OF(name_of, asn, c_type, from, to, true)

/* Strings of fixed size n that are numbers in C. */
#define BITS_OF(name_of, asn, c_type, n, is_extensible)                        \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_bits,           \
                                                  .name = asn,                 \
                                                  .size = sizeof(c_type),      \
                                                  .extensible = is_extensible, \
                                                  .lower = n,                  \
                                                  .upper = n}
#define BITS(name_of, asn, c_type, n)     BITS_OF(name_of, asn, c_type, n, false)
#define BITS_EXT(name_of, asn, c_type, n) BITS_OF(name_of, asn, c_type, n, true)
#define OCTETS_NUMBER(name_of, asn, c_type, n)     \
    const struct aper_type s1ap_type_##name_of = { \
        .ops = &aper_octets_number, .name = asn, .size = sizeof(c_type), .lower = n, .upper = n}

/* OCTET STRING (SIZE (from..to)) as struct bytes, BIT STRING as struct s1ap_bit_string. */
#define OCTETS(name_of, asn, from, to)                                          \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_octet_string,    \
                                                  .name = asn,                  \
                                                  .size = sizeof(struct bytes), \
                                                  .lower = from,                \
                                                  .upper = to}
#define BIT_STRING(name_of, asn, from, to)                                                \
    const struct aper_type s1ap_type_##name_of = {.ops = &s1ap_bit_string_ops,            \
                                                  .name = asn,                            \
                                                  .size = sizeof(struct s1ap_bit_string), \
                                                  .lower = from,                          \
                                                  .upper = to}

/* SEQUENCE with "..." and iE-Extensions, as nearly all are; PLAIN: without iE-Extensions. */
#define SEQUENCE(name_of, asn, c_type, fields_of, extensions_of)                  \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_sequence,          \
                                                  .name = asn,                    \
                                                  .size = sizeof(c_type),         \
                                                  .extensible = true,             \
                                                  .count = APER_COUNT(fields_of), \
                                                  .fields = fields_of,            \
                                                  .extensions = &(extensions_of)}
#define SEQUENCE_PLAIN(name_of, asn, c_type, fields_of)                           \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_sequence,          \
                                                  .name = asn,                    \
                                                  .size = sizeof(c_type),         \
                                                  .extensible = true,             \
                                                  .count = APER_COUNT(fields_of), \
                                                  .fields = fields_of}
/* NAME_extensions of NAME_rows. */
#define EXTENSIONS(name_of)                                                    \
    static const struct aper_container name_of##_extensions = {name_of##_rows, \
                                                               APER_COUNT(name_of##_rows)}
extern const struct aper_container s1ap_no_extensions;

/* CHOICE with "..." after the first `root_count` alternatives. */
#define CHOICE_EXT(name_of, asn, c_type, fields_of, root_count)                   \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_choice,            \
                                                  .name = asn,                    \
                                                  .size = sizeof(c_type),         \
                                                  .extensible = true,             \
                                                  .count = APER_COUNT(fields_of), \
                                                  .root = root_count,             \
                                                  .fields = fields_of}

/* SEQUENCE (SIZE (from..to)) OF a type; OF a single container, which ITEM describes. */
#define LIST(name_of, asn, element_of, from, to)                             \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_sequence_of,  \
                                                  .name = asn,               \
                                                  .size = sizeof(aper_list), \
                                                  .lower = from,             \
                                                  .upper = to,               \
                                                  .element = &s1ap_type_##element_of}
#define ITEM_LIST(name_of, asn, item_of, from, to)                             \
    const struct aper_type s1ap_type_##name_of = {.ops = &aper_container_list, \
                                                  .name = asn,                 \
                                                  .size = sizeof(aper_list),   \
                                                  .lower = from,               \
                                                  .upper = to,                 \
                                                  .item = &(item_of)}
#define ITEM(name_of, id_of, criticality_of, type_of)                     \
    static const struct aper_row name_of = {.name = #name_of,             \
                                            .type = &s1ap_type_##type_of, \
                                            .id = S1AP_ID_##id_of,        \
                                            .criticality = S1AP_CRITICALITY_##criticality_of}

/* ---- rows: components of a SEQUENCE, alternatives of a CHOICE ---- */

#define F(struct_name, member, type_of) APER_FIELD(struct_name, member, s1ap_type_##type_of)
#define F_OPT(struct_name, member, type_of) \
    APER_FIELD_OPTIONAL(struct_name, member, s1ap_type_##type_of)
#define F_LIST(struct_name, member, type_of) \
    APER_FIELD_LIST(struct_name, member, s1ap_type_##type_of)
#define F_OPT_LIST(struct_name, member, type_of) \
    APER_FIELD_OPTIONAL_LIST(struct_name, member, s1ap_type_##type_of)
#define ALTERNATIVE(struct_name, print_name, member, type_of) \
    {                                                         \
        .name = print_name, .type = &s1ap_type_##type_of,     \
        .offset = offsetof(struct struct_name, member),       \
        .size = sizeof(((struct struct_name *)NULL)->member)  \
    }
#define ALTERNATIVE_LIST(struct_name, print_name, member, type_of) \
    {                                                              \
        .name = print_name, .type = &s1ap_type_##type_of,          \
        .offset = offsetof(struct struct_name, member),            \
        .size = sizeof(((struct struct_name *)NULL)->member.at[0]) \
    }
/* The only component of a SEQUENCE that has no C struct around it: the value itself. */
#define ONLY(print_name, c_type, type_of)                                        \
    {                                                                            \
        .name = print_name, .type = &s1ap_type_##type_of, .size = sizeof(c_type) \
    }

/* ---- rows: IEs; presence M mandatory, O optional or conditional; ML and OL the same for lists
 * ---- */

#define M(struct_name, member, id_of, criticality_of, type_of)                        \
    APER_ROW(struct_name, member, S1AP_ID_##id_of, S1AP_CRITICALITY_##criticality_of, \
             s1ap_type_##type_of)
#define O(struct_name, member, id_of, criticality_of, type_of)                                 \
    APER_ROW_OPTIONAL(struct_name, member, S1AP_ID_##id_of, S1AP_CRITICALITY_##criticality_of, \
                      s1ap_type_##type_of)
#define ML(struct_name, member, id_of, criticality_of, type_of)                            \
    APER_ROW_LIST(struct_name, member, S1AP_ID_##id_of, S1AP_CRITICALITY_##criticality_of, \
                  s1ap_type_##type_of)
#define OL(struct_name, member, id_of, criticality_of, type_of)  \
    APER_ROW_OPTIONAL_LIST(struct_name, member, S1AP_ID_##id_of, \
                           S1AP_CRITICALITY_##criticality_of, s1ap_type_##type_of)

/* ---- the IEs of every message ---- */

#define CONTAINER_OF_MESSAGE(name_of, NAME) extern const struct aper_container s1ap_ies_##name_of;
S1AP_MESSAGES(CONTAINER_OF_MESSAGE)
#undef CONTAINER_OF_MESSAGE

/* ---- values with a C form of their own (values.c) ---- */

extern const struct aper_ops s1ap_plmn_ops;           /* struct plmn */
extern const struct aper_ops s1ap_imsi_ops;           /* char[IMSI_SIZE] */
extern const struct aper_ops s1ap_address_ops;        /* struct bytes of 4, 16 or 20 octets */
extern const struct aper_ops s1ap_gnb_id_ops;         /* struct s1ap_gnb_id */
extern const struct aper_ops s1ap_bit_string_ops;     /* struct s1ap_bit_string */
extern const struct aper_ops s1ap_octets_pointer_ops; /* struct bytes *, which must not be NULL */

/* ---- types that more than one file uses ---- */

extern const struct aper_type s1ap_type_mme_ue_s1ap_id, s1ap_type_enb_ue_s1ap_id,
    s1ap_type_bit_rate, s1ap_type_extended_bit_rate, s1ap_type_e_rab_id, s1ap_type_qci,
    s1ap_type_priority_level, s1ap_type_packet_loss_rate, s1ap_type_relative_mme_capacity,
    s1ap_type_subscriber_profile_id_for_rfp, s1ap_type_dcn_id, s1ap_type_ue_usage_type,
    s1ap_type_routing_id, s1ap_type_traffic_load_reduction_indication,
    s1ap_type_eutran_round_trip_delay_estimation_info, s1ap_type_usage_count,
    s1ap_type_expected_period, s1ap_type_periodic_time, s1ap_type_time_of_day,
    s1ap_type_paging_attempt_count, s1ap_type_csg_id, s1ap_type_ue_identity_index_value,
    s1ap_type_extended_ue_identity_index_value, s1ap_type_nb_iot_ue_identity_index_value,
    s1ap_type_masked_imeisv, s1ap_type_interfaces_to_trace,
    s1ap_type_ue_application_layer_measurement_capability, s1ap_type_additional_rrm_priority_index,
    s1ap_type_day_of_week, s1ap_type_tac, s1ap_type_lac, s1ap_type_rac, s1ap_type_mme_group_id,
    s1ap_type_gtp_teid, s1ap_type_correlation_id, s1ap_type_port_number, s1ap_type_timestamp,
    s1ap_type_tai, s1ap_type_ecgi, s1ap_type_gummei, s1ap_type_additional_guti, s1ap_type_s_tmsi,
    s1ap_type_lai, s1ap_type_cgi, s1ap_type_global_enb_id, s1ap_type_ps_cell_information,
    s1ap_type_five_gs_tai, s1ap_type_user_location_information, s1ap_type_connections_acknowledged,
    s1ap_type_reset_type, s1ap_type_ue_s1ap_ids, s1ap_type_ue_paging_id, s1ap_type_tai_list,
    s1ap_type_csg_id_list, s1ap_type_csg_membership_info, s1ap_type_supported_tas,
    s1ap_type_served_gummeis, s1ap_type_gummei_list, s1ap_type_served_dcns,
    s1ap_type_connected_en_gnb_list, s1ap_type_overload_response, s1ap_type_cause,
    s1ap_type_criticality_diagnostics, s1ap_type_ue_security_capabilities,
    s1ap_type_security_context, s1ap_type_dl_cp_security_information,
    s1ap_type_ul_cp_security_information, s1ap_type_e_utran_trace_id, s1ap_type_security_key,
    s1ap_type_octets, s1ap_type_lhn_id, s1ap_type_name, s1ap_type_opaque, s1ap_type_plmn,
    s1ap_type_transport_layer_address, s1ap_type_gnb_id, s1ap_type_qos,
    s1ap_type_e_rab_to_be_setup_context_list, s1ap_type_e_rab_to_be_setup_list,
    s1ap_type_e_rab_to_be_setup_ho_list, s1ap_type_e_rab_setup_list,
    s1ap_type_e_rab_setup_context_list, s1ap_type_e_rab_to_be_switched_dl_list,
    s1ap_type_e_rab_to_be_switched_ul_list, s1ap_type_e_rab_to_be_modified_indication_list,
    s1ap_type_e_rab_not_to_be_modified_indication_list, s1ap_type_e_rab_to_be_modified_list,
    s1ap_type_e_rab_modify_list, s1ap_type_e_rab_modify_confirm_list, s1ap_type_e_rab_release_list,
    s1ap_type_e_rab_list, s1ap_type_e_rab_failed_to_setup_ho_list,
    s1ap_type_e_rab_failed_to_resume_request_list, s1ap_type_e_rab_failed_to_resume_response_list,
    s1ap_type_e_rab_admitted_list, s1ap_type_e_rab_subject_to_data_forwarding_list,
    s1ap_type_secondary_rat_data_usage_report_list, s1ap_type_ue_aggregate_maximum_bitrate,
    s1ap_type_ue_sidelink_aggregate_maximum_bitrate, s1ap_type_handover_restriction_list,
    s1ap_type_mdt_plmn_list, s1ap_type_prose_authorized, s1ap_type_v2x_services_authorized,
    s1ap_type_expected_ue_behaviour, s1ap_type_subscription_based_ue_differentiation_info,
    s1ap_type_trace_activation, s1ap_type_request_type, s1ap_type_tunnel_information,
    s1ap_type_paging_edrx_information, s1ap_type_nb_iot_paging_edrx_information,
    s1ap_type_information_for_paging, s1ap_type_ce_capable_cell,
    s1ap_type_assistance_data_for_paging, s1ap_type_target_id,
    s1ap_type_enb_status_transfer_container, s1ap_type_source_enb_to_target_enb_container,
    s1ap_type_target_enb_to_source_enb_container, s1ap_type_son_configuration_transfer,
    s1ap_type_cdma2000_one_x_srvcc_info, s1ap_type_message_identifier, s1ap_type_serial_number,
    s1ap_type_data_coding_scheme, s1ap_type_repetition_period, s1ap_type_extended_repetition_period,
    s1ap_type_number_of_broadcasts, s1ap_type_warning_type, s1ap_type_warning_security_info,
    s1ap_type_warning_message_contents, s1ap_type_warning_area_coordinates,
    s1ap_type_warning_area_list, s1ap_type_broadcast_completed_area_list,
    s1ap_type_broadcast_cancelled_area_list, s1ap_type_restart_ecgi_list,
    s1ap_type_restart_tai_list, s1ap_type_restart_emergency_area_id_list, s1ap_type_flag,
    s1ap_type_only_flag, s1ap_type_criticality, s1ap_type_triggering_message,
    s1ap_type_type_of_error, s1ap_type_cause_radio_network, s1ap_type_cause_transport,
    s1ap_type_cause_nas, s1ap_type_cause_protocol, s1ap_type_cause_misc, s1ap_type_handover_type,
    s1ap_type_rrc_establishment_cause, s1ap_type_cn_domain, s1ap_type_paging_drx,
    s1ap_type_nb_iot_default_paging_drx, s1ap_type_paging_priority, s1ap_type_time_to_wait,
    s1ap_type_overload_action, s1ap_type_pre_emption_capability,
    s1ap_type_pre_emption_vulnerability, s1ap_type_cs_fallback_indicator, s1ap_type_restriction,
    s1ap_type_ce_mode_b_restricted, s1ap_type_csg_membership_status, s1ap_type_gummei_type,
    s1ap_type_forbidden_inter_rats, s1ap_type_cn_type, s1ap_type_trace_depth, s1ap_type_event_type,
    s1ap_type_srvcc_ho_indication, s1ap_type_authorized,
    s1ap_type_aerial_ue_subscription_information, s1ap_type_voice_support_match_indicator,
    s1ap_type_end_indication, s1ap_type_privacy_indicator, s1ap_type_cdma2000_rat_type,
    s1ap_type_cdma2000_ho_status, s1ap_type_secondary_rat_type, s1ap_type_next_paging_area_scope,
    s1ap_type_cell_size, s1ap_type_son_information_request,
    s1ap_type_source_of_ue_activity_behaviour, s1ap_type_expected_ho_interval,
    s1ap_type_periodic_communication_indicator, s1ap_type_stationary_indication,
    s1ap_type_traffic_profile, s1ap_type_battery_indication, s1ap_type_paging_edrx_cycle,
    s1ap_type_nb_iot_paging_edrx_cycle, s1ap_type_paging_time_window;
#endif
