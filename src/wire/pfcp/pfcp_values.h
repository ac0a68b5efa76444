/*
 * pfcp_values.h -- the kinds of values that PFCP's elements hold (TS 29.244 clause 8): numbers,
 * flags, addresses, endpoint ids. Included by pfcp.h, the room's door, whose head tells the
 * conventions.
 */
#ifndef STROWGER_WIRE_PFCP_PFCP_VALUES_H
#define STROWGER_WIRE_PFCP_PFCP_VALUES_H

#include <netinet/in.h>

#include "wire/ids.h"
#include "wire/tlv.h"

/* Information element types that callers name (in offending_ie, for instance); clause 8.1.2. */
enum pfcp_ie_type {
    PFCP_IE_CREATE_PDR = 1,
    PFCP_IE_PDI = 2,
    PFCP_IE_CREATE_FAR = 3,
    PFCP_IE_FORWARDING_PARAMETERS = 4,
    PFCP_IE_CREATE_URR = 6,
    PFCP_IE_CREATE_QER = 7,
    PFCP_IE_CREATED_PDR = 8,
    PFCP_IE_UPDATE_PDR = 9,
    PFCP_IE_UPDATE_FAR = 10,
    PFCP_IE_UPDATE_FORWARDING_PARAMETERS = 11,
    PFCP_IE_UPDATE_BAR_IN_REPORT_RESPONSE = 12,
    PFCP_IE_UPDATE_URR = 13,
    PFCP_IE_UPDATE_QER = 14,
    PFCP_IE_REMOVE_PDR = 15,
    PFCP_IE_REMOVE_FAR = 16,
    PFCP_IE_REMOVE_URR = 17,
    PFCP_IE_REMOVE_QER = 18,
    PFCP_IE_CAUSE = 19,
    PFCP_IE_SOURCE_INTERFACE = 20,
    PFCP_IE_F_TEID = 21,
    PFCP_IE_NETWORK_INSTANCE = 22,
    PFCP_IE_SDF_FILTER = 23,
    PFCP_IE_APPLICATION_ID = 24,
    PFCP_IE_GATE_STATUS = 25,
    PFCP_IE_MBR = 26,
    PFCP_IE_GBR = 27,
    PFCP_IE_QER_CORRELATION_ID = 28,
    PFCP_IE_PRECEDENCE = 29,
    PFCP_IE_TRANSPORT_LEVEL_MARKING = 30,
    PFCP_IE_VOLUME_THRESHOLD = 31,
    PFCP_IE_TIME_THRESHOLD = 32,
    PFCP_IE_MONITORING_TIME = 33,
    PFCP_IE_SUBSEQUENT_VOLUME_THRESHOLD = 34,
    PFCP_IE_SUBSEQUENT_TIME_THRESHOLD = 35,
    PFCP_IE_INACTIVITY_DETECTION_TIME = 36,
    PFCP_IE_REPORTING_TRIGGERS = 37,
    PFCP_IE_REPORT_TYPE = 39,
    PFCP_IE_OFFENDING_IE = 40,
    PFCP_IE_FORWARDING_POLICY = 41,
    PFCP_IE_DESTINATION_INTERFACE = 42,
    PFCP_IE_UP_FUNCTION_FEATURES = 43,
    PFCP_IE_APPLY_ACTION = 44,
    PFCP_IE_DOWNLINK_DATA_SERVICE_INFORMATION = 45,
    PFCP_IE_DOWNLINK_DATA_NOTIFICATION_DELAY = 46,
    PFCP_IE_DL_BUFFERING_DURATION = 47,
    PFCP_IE_DL_BUFFERING_SUGGESTED_PACKET_COUNT = 48,
    PFCP_IE_PFCPSMREQ_FLAGS = 49,
    PFCP_IE_PFCPSRRSP_FLAGS = 50,
    PFCP_IE_LOAD_CONTROL_INFORMATION = 51,
    PFCP_IE_SEQUENCE_NUMBER = 52,
    PFCP_IE_METRIC = 53,
    PFCP_IE_OVERLOAD_CONTROL_INFORMATION = 54,
    PFCP_IE_TIMER = 55,
    PFCP_IE_PDR_ID = 56,
    PFCP_IE_F_SEID = 57,
    PFCP_IE_APPLICATION_IDS_PFDS = 58,
    PFCP_IE_NODE_ID = 60,
    PFCP_IE_MEASUREMENT_METHOD = 62,
    PFCP_IE_USAGE_REPORT_TRIGGER = 63,
    PFCP_IE_MEASUREMENT_PERIOD = 64,
    PFCP_IE_FQ_CSID = 65,
    PFCP_IE_VOLUME_MEASUREMENT = 66,
    PFCP_IE_DURATION_MEASUREMENT = 67,
    PFCP_IE_TIME_OF_FIRST_PACKET = 69,
    PFCP_IE_TIME_OF_LAST_PACKET = 70,
    PFCP_IE_QUOTA_HOLDING_TIME = 71,
    PFCP_IE_DROPPED_DL_TRAFFIC_THRESHOLD = 72,
    PFCP_IE_VOLUME_QUOTA = 73,
    PFCP_IE_TIME_QUOTA = 74,
    PFCP_IE_START_TIME = 75,
    PFCP_IE_END_TIME = 76,
    PFCP_IE_QUERY_URR = 77,
    PFCP_IE_USAGE_REPORT_IN_MODIFICATION = 78,
    PFCP_IE_USAGE_REPORT_IN_DELETION = 79,
    PFCP_IE_USAGE_REPORT_IN_REPORT = 80,
    PFCP_IE_URR_ID = 81,
    PFCP_IE_LINKED_URR_ID = 82,
    PFCP_IE_DOWNLINK_DATA_REPORT = 83,
    PFCP_IE_OUTER_HEADER_CREATION = 84,
    PFCP_IE_CREATE_BAR = 85,
    PFCP_IE_UPDATE_BAR = 86,
    PFCP_IE_REMOVE_BAR = 87,
    PFCP_IE_BAR_ID = 88,
    PFCP_IE_CP_FUNCTION_FEATURES = 89,
    PFCP_IE_USAGE_INFORMATION = 90,
    PFCP_IE_UE_IP_ADDRESS = 93,
    PFCP_IE_OUTER_HEADER_REMOVAL = 95,
    PFCP_IE_RECOVERY_TIME_STAMP = 96,
    PFCP_IE_ERROR_INDICATION_REPORT = 99,
    PFCP_IE_MEASUREMENT_INFORMATION = 100,
    PFCP_IE_NODE_REPORT_TYPE = 101,
    PFCP_IE_USER_PLANE_PATH_FAILURE_REPORT = 102,
    PFCP_IE_REMOTE_GTP_U_PEER = 103,
    PFCP_IE_UR_SEQN = 104,
    PFCP_IE_ACTIVATE_PREDEFINED_RULES = 106,
    PFCP_IE_DEACTIVATE_PREDEFINED_RULES = 107,
    PFCP_IE_FAR_ID = 108,
    PFCP_IE_QER_ID = 109,
    PFCP_IE_OCI_FLAGS = 110,
    PFCP_IE_PFCP_ASSOCIATION_RELEASE_REQUEST = 111,
    PFCP_IE_GRACEFUL_RELEASE_PERIOD = 112,
    PFCP_IE_PDN_TYPE = 113,
    PFCP_IE_FAILED_RULE_ID = 114,
    PFCP_IE_USER_PLANE_IP_RESOURCE_INFORMATION = 116,
    PFCP_IE_USER_PLANE_INACTIVITY_TIMER = 117,
    PFCP_IE_RQI = 123,
    PFCP_IE_QFI = 124,
    PFCP_IE_QUERY_URR_REFERENCE = 125,
    PFCP_IE_ADDITIONAL_USAGE_REPORTS_INFORMATION = 126,
    PFCP_IE_TRAFFIC_ENDPOINT_ID = 131,
    PFCP_IE_SUGGESTED_BUFFERING_PACKETS_COUNT = 140,
    PFCP_IE_USER_ID = 141,
    PFCP_IE_3GPP_INTERFACE_TYPE = 160,
};

/* Clause 8.2.1. */
enum pfcp_cause {
    PFCP_CAUSE_REQUEST_ACCEPTED = 1,
    PFCP_CAUSE_REQUEST_REJECTED = 64, /* reason not specified */
    PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND = 65,
    PFCP_CAUSE_MANDATORY_IE_MISSING = 66,
    PFCP_CAUSE_CONDITIONAL_IE_MISSING = 67,
    PFCP_CAUSE_INVALID_LENGTH = 68,
    PFCP_CAUSE_MANDATORY_IE_INCORRECT = 69,
    PFCP_CAUSE_INVALID_FORWARDING_POLICY = 70,
    PFCP_CAUSE_INVALID_F_TEID_ALLOCATION_OPTION = 71,
    PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION = 72,
    PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE = 73,
    PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION = 74,
    PFCP_CAUSE_NO_RESOURCES_AVAILABLE = 75,
    PFCP_CAUSE_SERVICE_NOT_SUPPORTED = 76,
    PFCP_CAUSE_SYSTEM_FAILURE = 77,
    PFCP_CAUSE_REDIRECTION_REQUESTED = 78,
};

/* Source interface and destination interface (clauses 8.2.2, 8.2.24). */
enum pfcp_interface {
    PFCP_INTERFACE_ACCESS = 0,
    PFCP_INTERFACE_CORE = 1,
    PFCP_INTERFACE_SGI_LAN = 2,
    PFCP_INTERFACE_CP_FUNCTION = 3,
    PFCP_INTERFACE_LI_FUNCTION = 4, /* destination only */
};

/* Apply action (clause 8.2.26). */
enum {
    PFCP_APPLY_DROP = 0x01,
    PFCP_APPLY_FORW = 0x02,
    PFCP_APPLY_BUFF = 0x04,
    PFCP_APPLY_NOCP = 0x08,
    PFCP_APPLY_DUPL = 0x10,
};

/* UP function features (clause 8.2.25). */
enum {
    PFCP_UP_BUCP = 0x0001,  /* buffering in the control plane */
    PFCP_UP_DDND = 0x0002,  /* downlink data notification delay */
    PFCP_UP_DLBD = 0x0004,  /* DL buffering duration */
    PFCP_UP_TRST = 0x0008,  /* traffic steering */
    PFCP_UP_FTUP = 0x0010,  /* F-TEIDs are chosen by the user plane */
    PFCP_UP_PFDM = 0x0020,  /* PFD management */
    PFCP_UP_HEEU = 0x0040,  /* header enrichment */
    PFCP_UP_TREU = 0x0080,  /* traffic redirection */
    PFCP_UP_EMPU = 0x0100,  /* End Markers are made by the user plane */
    PFCP_UP_PDIU = 0x0200,  /* traffic endpoints */
    PFCP_UP_UDBC = 0x0400,  /* UL/DL buffering control */
    PFCP_UP_QUOAC = 0x0800, /* actions when the quota is exhausted */
    PFCP_UP_TRACE = 0x1000,
    PFCP_UP_FRRT = 0x2000, /* framed routing */
};

/* CP function features (clause 8.2.58). */
enum {
    PFCP_CP_LOAD = 0x01,
    PFCP_CP_OVRL = 0x02,
};

/* Report type (clause 8.2.21). */
enum {
    PFCP_REPORT_DLDR = 0x01, /* downlink data */
    PFCP_REPORT_USAR = 0x02, /* usage */
    PFCP_REPORT_ERIR = 0x04, /* error indication */
    PFCP_REPORT_UPIR = 0x08, /* user plane inactivity */
};

/* Node report type (clause 8.2.69). */
enum { PFCP_NODE_REPORT_UPFR = 0x01 };

/* PFCPSMReq-Flags (clause 8.2.28), PFCPSRRsp-Flags (8.2.32). */
enum {
    PFCP_SMREQ_DROBU = 0x01, /* drop buffered packets */
    PFCP_SMREQ_SNDEM = 0x02, /* send End Marker packets */
    PFCP_SMREQ_QAURR = 0x04, /* query all URRs */
    PFCP_SRRSP_DROBU = 0x01,
};

/* Measurement method (clause 8.2.40). */
enum {
    PFCP_MEASURE_DURAT = 0x01,
    PFCP_MEASURE_VOLUM = 0x02,
    PFCP_MEASURE_EVENT = 0x04,
};

/* Reporting triggers (clause 8.2.19): when a URR shall report. */
enum {
    PFCP_TRIGGER_PERIO = 0x0001,
    PFCP_TRIGGER_VOLTH = 0x0002,
    PFCP_TRIGGER_TIMTH = 0x0004,
    PFCP_TRIGGER_QUHTI = 0x0008,
    PFCP_TRIGGER_START = 0x0010,
    PFCP_TRIGGER_STOPT = 0x0020,
    PFCP_TRIGGER_DROTH = 0x0040,
    PFCP_TRIGGER_LIUSA = 0x0080,
    PFCP_TRIGGER_VOLQU = 0x0100,
    PFCP_TRIGGER_TIMQU = 0x0200,
    PFCP_TRIGGER_ENVCL = 0x0400,
};

/* Usage report trigger (clause 8.2.41): why it did. */
enum {
    PFCP_USAGE_PERIO = 0x0001,
    PFCP_USAGE_VOLTH = 0x0002,
    PFCP_USAGE_TIMTH = 0x0004,
    PFCP_USAGE_QUHTI = 0x0008,
    PFCP_USAGE_START = 0x0010,
    PFCP_USAGE_STOPT = 0x0020,
    PFCP_USAGE_DROTH = 0x0040,
    PFCP_USAGE_IMMER = 0x0080, /* asked for in a modification */
    PFCP_USAGE_VOLQU = 0x0100,
    PFCP_USAGE_TIMQU = 0x0200,
    PFCP_USAGE_LIUSA = 0x0400,
    PFCP_USAGE_TERMR = 0x0800, /* the session or the URR ended */
    PFCP_USAGE_MONIT = 0x1000,
    PFCP_USAGE_ENVCL = 0x2000,
};

/* Outer header removal (clause 8.2.64). */
enum pfcp_outer_header_removal {
    PFCP_REMOVE_GTP_U_UDP_IPV4 = 0,
    PFCP_REMOVE_GTP_U_UDP_IPV6 = 1,
    PFCP_REMOVE_UDP_IPV4 = 2,
    PFCP_REMOVE_UDP_IPV6 = 3,
    PFCP_REMOVE_IPV4 = 4,
    PFCP_REMOVE_IPV6 = 5,
    PFCP_REMOVE_GTP_U_UDP_IP = 6,
};

/* Outer header creation description (clause 8.2.56). */
enum {
    PFCP_CREATE_GTP_U_UDP_IPV4 = 0x01,
    PFCP_CREATE_GTP_U_UDP_IPV6 = 0x02,
    PFCP_CREATE_UDP_IPV4 = 0x04,
    PFCP_CREATE_UDP_IPV6 = 0x08,
};

/* PDN type (clause 8.2.79). */
enum pfcp_pdn_type {
    PFCP_PDN_IPV4 = 1,
    PFCP_PDN_IPV6 = 2,
    PFCP_PDN_IPV4V6 = 3,
    PFCP_PDN_NON_IP = 4,
};

/* Clause 8.2.38. The name of an fqdn is in label form (RFC 1035 clause 3.1), without the ending
 * root label. */
enum pfcp_node_id_type {
    PFCP_NODE_ID_IPV4 = 0,
    PFCP_NODE_ID_IPV6 = 1,
    PFCP_NODE_ID_FQDN = 2,
};

struct pfcp_node_id {
    enum pfcp_node_id_type type;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    struct bytes fqdn;
};

/* Clause 8.2.37. */
struct pfcp_f_seid {
    uint64_t seid;
    bool has_ipv4;
    bool has_ipv6;
    struct in_addr ipv4;
    struct in6_addr ipv6;
};

/* Clause 8.2.3. With `choose` the user plane shall assign TEID and address, and has_ipv4/has_ipv6
 * tell which kinds of address are wanted; PDRs with the same choose_id share one F-TEID. */
struct pfcp_f_teid {
    bool has_ipv4;
    bool has_ipv6;
    bool choose;
    bool has_choose_id;
    uint8_t choose_id;
    uint32_t teid;
    struct in_addr ipv4;
    struct in6_addr ipv6;
};

/* Clause 8.2.62. */
struct pfcp_ue_ip_address {
    bool has_ipv4;
    bool has_ipv6;
    bool is_destination; /* S/D: the address is the packet's destination (else its source) */
    bool has_delegation; /* IPv6D */
    bool choose_ipv4;
    bool choose_ipv6;
    /* added to the /64 default prefix: 64 - bits is the delegated prefix */
    uint8_t delegation_bits;
    struct in_addr ipv4;
    struct in6_addr ipv6;
};

/* Clause 8.2.5. */
struct pfcp_sdf_filter {
    bool has_flow_description;
    bool has_tos_traffic_class;
    bool has_security_parameter_index;
    bool has_flow_label;
    bool has_filter_id;
    struct bytes flow_description; /* an IPFilterRule (RFC 6733 clause 4.3.1): "permit out ..." */
    uint16_t tos_traffic_class;    /* value and mask */
    uint32_t security_parameter_index;
    uint32_t flow_label; /* 20 bits */
    uint32_t filter_id;
};

/* Clause 8.2.56. */
struct pfcp_outer_header_creation {
    uint16_t description;
    uint32_t teid;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    uint16_t port;
};

/* Clause 8.2.7. Open gates let packets pass. */
struct pfcp_gate_status {
    bool uplink_closed;
    bool downlink_closed;
};

/* MBR and GBR (clauses 8.2.8, 8.2.9); 40 bits each on the wire. */
struct pfcp_bit_rates {
    uint64_t uplink_kbps;
    uint64_t downlink_kbps;
};

/* Volume threshold, quota and measurement (clauses 8.2.13, 8.2.50, 8.2.44), in bytes. */
struct pfcp_volume {
    bool has_total;
    bool has_uplink;
    bool has_downlink;
    uint64_t total;
    uint64_t uplink;
    uint64_t downlink;
};

/* Clause 8.2.49. */
struct pfcp_dropped_dl_traffic_threshold {
    bool has_packets;
    bool has_bytes;
    uint64_t packets;
    uint64_t bytes;
};

/* Clause 8.2.27. */
struct pfcp_downlink_data_service_information {
    bool has_paging_policy;
    bool has_qfi;
    uint8_t paging_policy; /* the packet's DSCP */
    uint8_t qfi;
};

/* Clause 8.2.80. */
enum pfcp_rule_type {
    PFCP_RULE_PDR = 0,
    PFCP_RULE_FAR = 1,
    PFCP_RULE_QER = 2,
    PFCP_RULE_URR = 3,
    PFCP_RULE_BAR = 4,
};

struct pfcp_failed_rule_id {
    enum pfcp_rule_type type;
    uint32_t id;
};

/* Clause 8.2.71. */
struct pfcp_remote_gtp_u_peer {
    bool has_ipv4;
    bool has_ipv6;
    struct in_addr ipv4;
    struct in6_addr ipv6;
};

/* Clause 8.2.82: a range of TEIDs is 2^(32 - teid_range_bits) ids that begin with the bits in
 * teid_range. */
struct pfcp_user_plane_ip_resource_information {
    bool has_ipv4;
    bool has_ipv6;
    bool has_network_instance;
    bool has_source_interface;
    uint8_t teid_range_bits; /* 0: all TEIDs */
    uint8_t teid_range;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    struct bytes network_instance;
    uint8_t source_interface;
};

/* Clause 8.2.101: whom a session is for, for logs and traces. An empty text is absent. */
struct pfcp_user_id {
    char imsi[IMSI_SIZE];
    char imei[IMEI_SIZE];
    char msisdn[MSISDN_SIZE];
};

/* Clause 8.2.36 and the like: seconds; 0 stops, UINT32_MAX is for ever. */
struct pfcp_timer {
    uint32_t seconds;
};

#endif
