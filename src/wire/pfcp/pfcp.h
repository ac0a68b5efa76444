/*
 * pfcp.h -- the Packet Forwarding Control Protocol (TS 29.244, Release 15), by which a gateway's
 * control plane tells a user plane what to do with packets.
 *
 * The control plane (S-GW, P-GW) and the user plane (our controller's user-plane application) first
 * set up an *association* (node-related messages, clause 7.4). Then each PDN connection is a
 * *session* (clause 7.5): a set of rules that the control plane creates, updates and removes by ids
 * of its own choosing:
 *
 *     PDR  which packets: source interface, local F-TEID, UE address, SDF filters; by precedence
 *      |-> FAR  what to do: drop, forward (with an outer header), buffer (BAR: how) and notify
 *      |-> QER  gates and maximum rates
 *      `-> URR  what to count, and when to report it
 *
 * A session has two endpoint ids, the F-SEIDs: requests carry the SEID of the side that receives
 * them.
 *
 * Messages are the C structs below, made from tables (wire/tlv.h): a mandatory element lies inline,
 * an optional or conditional one is a pointer (NULL when absent), a repeated one a LIST_OF().
 * Numbers are in host byte order, in_addr and in6_addr in network order. Sets of flags have octet 5
 * of the specification's figure in their low 8 bits, octet 6 in the next. Views (struct bytes) of a
 * decoded message point into the received datagram.
 *
 * The codec does no I/O and keeps no state: any thread. Who sends when, retransmits and matches
 * answers is link/udp_request.h.
 */
#ifndef STROWGER_WIRE_PFCP_PFCP_H
#define STROWGER_WIRE_PFCP_PFCP_H

#include "wire/pfcp/pfcp_values.h"

#define PFCP_PORT    8805 /* UDP (clause 4.2.2) */
#define PFCP_VERSION 1

/* Largest message this implementation builds or takes. */
#define PFCP_MESSAGE_SIZE 16384

/* Clause 7.3. */
enum pfcp_message_type {
    PFCP_HEARTBEAT_REQUEST = 1,
    PFCP_HEARTBEAT_RESPONSE = 2,
    PFCP_PFD_MANAGEMENT_REQUEST = 3,
    PFCP_PFD_MANAGEMENT_RESPONSE = 4,
    PFCP_ASSOCIATION_SETUP_REQUEST = 5,
    PFCP_ASSOCIATION_SETUP_RESPONSE = 6,
    PFCP_ASSOCIATION_UPDATE_REQUEST = 7,
    PFCP_ASSOCIATION_UPDATE_RESPONSE = 8,
    PFCP_ASSOCIATION_RELEASE_REQUEST = 9,
    PFCP_ASSOCIATION_RELEASE_RESPONSE = 10,
    PFCP_VERSION_NOT_SUPPORTED_RESPONSE = 11,
    PFCP_NODE_REPORT_REQUEST = 12,
    PFCP_NODE_REPORT_RESPONSE = 13,
    PFCP_SESSION_SET_DELETION_REQUEST = 14,
    PFCP_SESSION_SET_DELETION_RESPONSE = 15,
    PFCP_SESSION_ESTABLISHMENT_REQUEST = 50,
    PFCP_SESSION_ESTABLISHMENT_RESPONSE = 51,
    PFCP_SESSION_MODIFICATION_REQUEST = 52,
    PFCP_SESSION_MODIFICATION_RESPONSE = 53,
    PFCP_SESSION_DELETION_REQUEST = 54,
    PFCP_SESSION_DELETION_RESPONSE = 55,
    PFCP_SESSION_REPORT_REQUEST = 56,
    PFCP_SESSION_REPORT_RESPONSE = 57,
};

/* Clause 7.5.2.2, table 7.5.2.2-2. */
struct pfcp_pdi {
    uint8_t source_interface;
    struct pfcp_f_teid *local_f_teid;
    struct bytes *network_instance;
    struct pfcp_ue_ip_address *ue_ip_address;
    LIST_OF(struct pfcp_sdf_filter) sdf_filter;
    struct bytes *application_id;
    LIST_OF(uint8_t) qfi;
    uint8_t *interface_type;
};

struct pfcp_create_pdr {
    uint16_t pdr_id;
    uint32_t precedence; /* lower is applied first */
    struct pfcp_pdi pdi;
    uint8_t *outer_header_removal;
    uint32_t *far_id;
    LIST_OF(uint32_t) urr_id;
    LIST_OF(uint32_t) qer_id;
    LIST_OF(struct bytes) activate_predefined_rules;
};

struct pfcp_created_pdr {
    uint16_t pdr_id;
    struct pfcp_f_teid *local_f_teid;
};

struct pfcp_update_pdr {
    uint16_t pdr_id;
    uint8_t *outer_header_removal;
    uint32_t *precedence;
    struct pfcp_pdi *pdi;
    uint32_t *far_id;
    LIST_OF(uint32_t) urr_id;
    LIST_OF(uint32_t) qer_id;
    LIST_OF(struct bytes) activate_predefined_rules;
    LIST_OF(struct bytes) deactivate_predefined_rules;
};

/* Clause 7.5.2.3. */
struct pfcp_forwarding_parameters {
    uint8_t destination_interface;
    struct bytes *network_instance;
    struct pfcp_outer_header_creation *outer_header_creation;
    uint16_t *transport_level_marking;
    struct bytes *forwarding_policy;
    uint8_t *interface_type;
};

struct pfcp_create_far {
    uint32_t far_id;
    uint8_t apply_action;
    struct pfcp_forwarding_parameters *forwarding_parameters;
    uint8_t *bar_id;
};

/* Clause 7.5.4.3. */
struct pfcp_update_forwarding_parameters {
    uint8_t *destination_interface;
    struct bytes *network_instance;
    struct pfcp_outer_header_creation *outer_header_creation;
    uint16_t *transport_level_marking;
    struct bytes *forwarding_policy;
    uint8_t *pfcpsmreq_flags; /* SNDEM */
    uint8_t *interface_type;
};

struct pfcp_update_far {
    uint32_t far_id;
    uint8_t *apply_action;
    struct pfcp_update_forwarding_parameters *update_forwarding_parameters;
    uint8_t *bar_id;
};

/* Clause 7.5.2.4. Times are in seconds; monitoring_time is a time of day (see pfcp_time). */
struct pfcp_create_urr {
    uint32_t urr_id;
    uint8_t measurement_method;
    uint32_t reporting_triggers;
    uint32_t *measurement_period;
    struct pfcp_volume *volume_threshold;
    struct pfcp_volume *volume_quota;
    uint32_t *time_threshold;
    uint32_t *time_quota;
    uint32_t *quota_holding_time;
    struct pfcp_dropped_dl_traffic_threshold *dropped_dl_traffic_threshold;
    uint32_t *monitoring_time;
    struct pfcp_volume *subsequent_volume_threshold;
    uint32_t *subsequent_time_threshold;
    uint32_t *inactivity_detection_time;
    LIST_OF(uint32_t) linked_urr_id;
    uint8_t *measurement_information;
};

struct pfcp_update_urr {
    uint32_t urr_id;
    uint8_t *measurement_method;
    uint32_t *reporting_triggers;
    uint32_t *measurement_period;
    struct pfcp_volume *volume_threshold;
    struct pfcp_volume *volume_quota;
    uint32_t *time_threshold;
    uint32_t *time_quota;
    uint32_t *quota_holding_time;
    struct pfcp_dropped_dl_traffic_threshold *dropped_dl_traffic_threshold;
    uint32_t *monitoring_time;
    struct pfcp_volume *subsequent_volume_threshold;
    uint32_t *subsequent_time_threshold;
    uint32_t *inactivity_detection_time;
    LIST_OF(uint32_t) linked_urr_id;
    uint8_t *measurement_information;
};

/* Clause 7.5.2.5. */
struct pfcp_create_qer {
    uint32_t qer_id;
    uint32_t *qer_correlation_id;
    struct pfcp_gate_status gate_status;
    struct pfcp_bit_rates *maximum_bit_rate;
    struct pfcp_bit_rates *guaranteed_bit_rate;
    uint8_t *qfi;
    uint8_t *reflective_qos;
};

struct pfcp_update_qer {
    uint32_t qer_id;
    uint32_t *qer_correlation_id;
    struct pfcp_gate_status *gate_status;
    struct pfcp_bit_rates *maximum_bit_rate;
    struct pfcp_bit_rates *guaranteed_bit_rate;
    uint8_t *qfi;
    uint8_t *reflective_qos;
};

/* Clauses 7.5.2.6, 7.5.4.11. The delay is in units of 50 ms. */
struct pfcp_create_bar {
    uint8_t bar_id;
    uint8_t *downlink_data_notification_delay;
    uint8_t *suggested_buffering_packets_count;
};

/* Clause 7.5.9.2: in a Session Report Response. */
struct pfcp_update_bar_in_report_response {
    uint8_t bar_id;
    uint8_t *downlink_data_notification_delay;
    struct pfcp_timer *dl_buffering_duration;
    uint16_t *dl_buffering_suggested_packet_count;
    uint8_t *suggested_buffering_packets_count;
};

/* Clauses 7.5.4.6 to 7.5.4.9 and 7.5.4.10: groups that name one rule. */
struct pfcp_remove_pdr {
    uint16_t pdr_id;
};

struct pfcp_remove_far {
    uint32_t far_id;
};

struct pfcp_remove_urr {
    uint32_t urr_id;
};

struct pfcp_remove_qer {
    uint32_t qer_id;
};

struct pfcp_remove_bar {
    uint8_t bar_id;
};

struct pfcp_query_urr {
    uint32_t urr_id;
};

/* Clauses 7.5.5.2, 7.5.7.2, 7.5.8.3. */
struct pfcp_usage_report {
    uint32_t urr_id;
    uint32_t ur_seqn;
    uint32_t usage_report_trigger;
    uint32_t *start_time;
    uint32_t *end_time;
    struct pfcp_volume *volume_measurement;
    uint32_t *duration_measurement; /* seconds */
    uint32_t *time_of_first_packet;
    uint32_t *time_of_last_packet;
    uint8_t *usage_information;
    uint32_t *query_urr_reference;
};

/* Clause 7.5.8.2. */
struct pfcp_downlink_data_report {
    LIST_OF(uint16_t) pdr_id;
    LIST_OF(struct pfcp_downlink_data_service_information) downlink_data_service_information;
};

/* Clause 7.5.8.4: the peer's tunnel endpoints that it says it does not know. */
struct pfcp_error_indication_report {
    LIST_OF(struct pfcp_f_teid) remote_f_teid;
};

/* Clause 7.4.5.1.2. */
struct pfcp_user_plane_path_failure_report {
    LIST_OF(struct pfcp_remote_gtp_u_peer) remote_gtp_u_peer;
};

/* Tables 7.5.3.3-1 and 7.5.3.4-1. */
struct pfcp_load_control_information {
    uint32_t sequence_number;
    uint8_t metric; /* percent */
};

struct pfcp_overload_control_information {
    uint32_t sequence_number;
    uint8_t metric; /* percent by which to reduce */
    struct pfcp_timer period_of_validity;
    uint8_t *oci_flags;
};

/* Node related messages (clause 7.4). Time stamps are pfcp_time(). */
struct pfcp_heartbeat_request {
    uint32_t recovery_time_stamp;
};

struct pfcp_heartbeat_response {
    uint32_t recovery_time_stamp;
};

struct pfcp_pfd_management_request {
    LIST_OF(struct bytes) application_pfds; /* not looked into */
};

struct pfcp_pfd_management_response {
    uint8_t cause;
    uint16_t *offending_ie;
};

struct pfcp_association_setup_request {
    struct pfcp_node_id node_id;
    uint32_t recovery_time_stamp;
    uint32_t *up_function_features;
    uint8_t *cp_function_features;
    LIST_OF(struct pfcp_user_plane_ip_resource_information) user_plane_ip_resource_information;
};

struct pfcp_association_setup_response {
    struct pfcp_node_id node_id;
    uint8_t cause;
    uint32_t recovery_time_stamp;
    uint32_t *up_function_features;
    uint8_t *cp_function_features;
    LIST_OF(struct pfcp_user_plane_ip_resource_information) user_plane_ip_resource_information;
};

struct pfcp_association_update_request {
    struct pfcp_node_id node_id;
    uint32_t *up_function_features;
    uint8_t *cp_function_features;
    uint8_t *association_release_request; /* SARR */
    struct pfcp_timer *graceful_release_period;
    LIST_OF(struct pfcp_user_plane_ip_resource_information) user_plane_ip_resource_information;
};

struct pfcp_association_update_response {
    struct pfcp_node_id node_id;
    uint8_t cause;
    uint32_t *up_function_features;
    uint8_t *cp_function_features;
};

struct pfcp_association_release_request {
    struct pfcp_node_id node_id;
};

struct pfcp_association_release_response {
    struct pfcp_node_id node_id;
    uint8_t cause;
};

/* Only a header (clause 7.4.4.7). */
struct pfcp_version_not_supported_response {
    uint8_t nothing;
};

struct pfcp_node_report_request {
    struct pfcp_node_id node_id;
    uint8_t node_report_type;
    struct pfcp_user_plane_path_failure_report *user_plane_path_failure_report;
};

struct pfcp_node_report_response {
    struct pfcp_node_id node_id;
    uint8_t cause;
    uint16_t *offending_ie;
};

struct pfcp_session_set_deletion_request {
    struct pfcp_node_id node_id;
    LIST_OF(struct bytes) fq_csid; /* as received */
};

struct pfcp_session_set_deletion_response {
    struct pfcp_node_id node_id;
    uint8_t cause;
    uint16_t *offending_ie;
};

/* Session related messages (clause 7.5). */
struct pfcp_session_establishment_request {
    struct pfcp_node_id node_id;
    struct pfcp_f_seid cp_f_seid;
    LIST_OF(struct pfcp_create_pdr) create_pdr;
    LIST_OF(struct pfcp_create_far) create_far;
    LIST_OF(struct pfcp_create_urr) create_urr;
    LIST_OF(struct pfcp_create_qer) create_qer;
    struct pfcp_create_bar *create_bar;
    uint8_t *pdn_type;
    uint32_t *user_plane_inactivity_timer; /* seconds */
    struct pfcp_user_id *user_id;
};

struct pfcp_session_establishment_response {
    struct pfcp_node_id node_id;
    uint8_t cause;
    uint16_t *offending_ie;
    struct pfcp_f_seid *up_f_seid;
    LIST_OF(struct pfcp_created_pdr) created_pdr;
    struct pfcp_load_control_information *load_control_information;
    struct pfcp_overload_control_information *overload_control_information;
    struct pfcp_failed_rule_id *failed_rule_id;
};

struct pfcp_session_modification_request {
    struct pfcp_f_seid *cp_f_seid;
    LIST_OF(struct pfcp_remove_pdr) remove_pdr;
    LIST_OF(struct pfcp_remove_far) remove_far;
    LIST_OF(struct pfcp_remove_urr) remove_urr;
    LIST_OF(struct pfcp_remove_qer) remove_qer;
    struct pfcp_remove_bar *remove_bar;
    LIST_OF(struct pfcp_create_pdr) create_pdr;
    LIST_OF(struct pfcp_create_far) create_far;
    LIST_OF(struct pfcp_create_urr) create_urr;
    LIST_OF(struct pfcp_create_qer) create_qer;
    struct pfcp_create_bar *create_bar;
    LIST_OF(struct pfcp_update_pdr) update_pdr;
    LIST_OF(struct pfcp_update_far) update_far;
    LIST_OF(struct pfcp_update_urr) update_urr;
    LIST_OF(struct pfcp_update_qer) update_qer;
    struct pfcp_create_bar *update_bar;
    uint8_t *pfcpsmreq_flags;
    LIST_OF(struct pfcp_query_urr) query_urr;
    uint32_t *user_plane_inactivity_timer;
    uint32_t *query_urr_reference;
};

struct pfcp_session_modification_response {
    uint8_t cause;
    uint16_t *offending_ie;
    LIST_OF(struct pfcp_created_pdr) created_pdr;
    struct pfcp_load_control_information *load_control_information;
    struct pfcp_overload_control_information *overload_control_information;
    LIST_OF(struct pfcp_usage_report) usage_report;
    struct pfcp_failed_rule_id *failed_rule_id;
    uint16_t *additional_usage_reports_information;
};

struct pfcp_session_deletion_request {
    uint8_t nothing;
};

struct pfcp_session_deletion_response {
    uint8_t cause;
    uint16_t *offending_ie;
    struct pfcp_load_control_information *load_control_information;
    struct pfcp_overload_control_information *overload_control_information;
    LIST_OF(struct pfcp_usage_report) usage_report;
};

struct pfcp_session_report_request {
    uint8_t report_type;
    struct pfcp_downlink_data_report *downlink_data_report;
    LIST_OF(struct pfcp_usage_report) usage_report;
    struct pfcp_error_indication_report *error_indication_report;
    struct pfcp_load_control_information *load_control_information;
    struct pfcp_overload_control_information *overload_control_information;
    uint16_t *additional_usage_reports_information;
};

struct pfcp_session_report_response {
    uint8_t cause;
    uint16_t *offending_ie;
    struct pfcp_update_bar_in_report_response *update_bar;
    uint8_t *pfcpsrrsp_flags;
};

/* Clause 7.2.2. `length` and `version` are for the reader; pfcp_encode() sets them by itself. */
struct pfcp_header {
    uint8_t version;
    uint8_t type;  /* enum pfcp_message_type */
    bool has_seid; /* pfcp_encode(): set by the type (session messages have one) */
    bool has_priority;
    uint8_t priority; /* 0..15 */
    uint16_t length;
    uint64_t seid;     /* the receiver's */
    uint32_t sequence; /* 24 bits */
};

/* Reads the header. What follows it in the reader, up to the length the header tells, is the body.
 * 0, or: -EBADMSG          too short, or the length does not fit: drop silently (clause 7.6.3 says
 * so) -EPROTONOSUPPORT  another version: answer Version Not Supported (clause 7.6.4.1); version,
 * type and sequence are filled as far as they were there. */
int pfcp_read_header(struct reader *r, struct pfcp_header *header);

/* The table of a message's body, NULL for a type unknown to this release. */
const struct wire_group *pfcp_group(uint8_t type);

/* "Session Establishment Request"; NULL for what this release does not know. */
const char *pfcp_message_name(uint8_t type);
const char *pfcp_cause_name(uint8_t cause);

/* True for the requests this release knows. */
bool pfcp_is_request(uint8_t type);

/* Decodes a whole datagram. *body is the struct of the message's type, allocated in the arena.
 * Returns 0, the errors of pfcp_read_header(), -EOPNOTSUPP for an unknown type (drop,
 * clause 7.6.4.2), -ENOMEM, or -EBADMSG with fault->kind set: then *body holds what could be
 * decoded, and pfcp_fault_cause() tells what to answer. */
int pfcp_decode(struct bytes datagram, struct arena *arena, struct pfcp_header *header, void **body,
                struct wire_fault *fault);

/* The cause for an answer to a message that had this fault (clause 7.6.5), with the offending IE's
 * type in fault->id. */
enum pfcp_cause pfcp_fault_cause(const struct wire_fault *fault);

/* Writes header and body (the struct of header->type; NULL only where the body is empty). Returns
 * 0, -EINVAL for an unknown type or -EMSGSIZE when it does not fit; then the writer is bad. */
int pfcp_encode(struct writer *w, const struct pfcp_header *header, const void *body);

/* One line: `Session Modification Request seid=.. seq=.. update_far={..}`. */
void pfcp_print(struct text *t, const struct pfcp_header *header, const void *body);

/* Time stamps on the wire are seconds since 1900-01-01 (RFC 5905), which roll over in 2036. */
#define PFCP_TIME_OFFSET UINT32_C(2208988800)

static inline uint32_t pfcp_time(uint64_t unix_seconds)
{
    return (uint32_t)(unix_seconds + PFCP_TIME_OFFSET);
}

/* A node id from an address. */
static inline struct pfcp_node_id pfcp_node_id_ipv4(struct in_addr address)
{
    return (struct pfcp_node_id){.type = PFCP_NODE_ID_IPV4, .ipv4 = address};
}

/* Compares type and value. */
bool pfcp_node_id_equal(const struct pfcp_node_id *a, const struct pfcp_node_id *b);

#endif
