/*
 * pfcp_types.h -- inside the room: the kinds of values that PFCP's elements hold (TS 29.244
 * clause 8.2), for the rows of pfcp_tables.c.
 */
#ifndef STROWGER_WIRE_PFCP_PFCP_TYPES_H
#define STROWGER_WIRE_PFCP_PFCP_TYPES_H

#include "wire/pfcp/pfcp.h"

/* Values of one octet: numbers with names, and the low bits that count. */
extern const struct wire_type pfcp_cause_value, pfcp_interface, pfcp_outer_header_removal,
    pfcp_pdn_type, pfcp_interface_type;

/* Sets of flags, in one octet (uint8_t) or several (uint32_t). */
extern const struct wire_type pfcp_apply_action, pfcp_report_type, pfcp_node_report_type,
    pfcp_smreq_flags, pfcp_srrsp_flags, pfcp_measurement_method, pfcp_reporting_triggers,
    pfcp_usage_report_trigger, pfcp_up_function_features, pfcp_cp_function_features,
    pfcp_octet_flags;

extern const struct wire_type pfcp_node_id, pfcp_f_seid, pfcp_f_teid, pfcp_ue_ip_address,
    pfcp_sdf_filter, pfcp_outer_header_creation, pfcp_gate_status, pfcp_bit_rates, pfcp_volume,
    pfcp_dropped_dl_traffic_threshold, pfcp_downlink_data_service_information, pfcp_failed_rule_id,
    pfcp_remote_gtp_u_peer, pfcp_user_plane_ip_resource_information, pfcp_user_id, pfcp_timer,
    pfcp_forwarding_policy, pfcp_suggested_packet_count;

/* The wire_type pfcp_X of struct pfcp_X with the functions X_decode, X_encode and X_print. */
#define VALUE_TYPE(type_name)                                                           \
    const struct wire_type pfcp_##type_name = {.name = #type_name,                      \
                                               .size = sizeof(struct pfcp_##type_name), \
                                               .decode = type_name##_decode,            \
                                               .encode = type_name##_encode,            \
                                               .print = type_name##_print}

/* An element's type and length (clause 8.1.1), for the walker. */
extern const struct tlv_format pfcp_format;

/* One row per message type, with holes. */
struct pfcp_message_row {
    const char *name;
    const struct wire_group *group; /* NULL: a hole */
    bool is_request;
};

const struct pfcp_message_row *pfcp_message_row(uint8_t type);

#endif
