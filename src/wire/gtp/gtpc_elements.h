/*
 * gtpc_elements.h -- the information elements of GTPv2-C (TS 29.274 clause 8): their numbers, and
 * the C structs of their values. Part of the door wire/gtp/gtp.h; gtpc.h has the messages that are
 * made of them.
 *
 * Numbers are in host byte order, in_addr and in6_addr in network order.
 */
#ifndef STROWGER_WIRE_GTP_GTPC_ELEMENTS_H
#define STROWGER_WIRE_GTP_GTPC_ELEMENTS_H

#include <netinet/in.h>

#include "wire/ids.h"
#include "wire/tlv.h"

/* Information element types (clause 8.1), as callers need them for offending elements. */
enum gtpc_ie_type {
    GTPC_IE_IMSI = 1,
    GTPC_IE_CAUSE = 2,
    GTPC_IE_RECOVERY = 3,
    GTPC_IE_APN = 71,
    GTPC_IE_AMBR = 72,
    GTPC_IE_EBI = 73,
    GTPC_IE_IP_ADDRESS = 74,
    GTPC_IE_MEI = 75,
    GTPC_IE_MSISDN = 76,
    GTPC_IE_INDICATION = 77,
    GTPC_IE_PCO = 78,
    GTPC_IE_PAA = 79,
    GTPC_IE_BEARER_QOS = 80,
    GTPC_IE_FLOW_QOS = 81,
    GTPC_IE_RAT_TYPE = 82,
    GTPC_IE_SERVING_NETWORK = 83,
    GTPC_IE_BEARER_TFT = 84,
    GTPC_IE_TAD = 85,
    GTPC_IE_ULI = 86,
    GTPC_IE_F_TEID = 87,
    GTPC_IE_DELAY_VALUE = 92,
    GTPC_IE_BEARER_CONTEXT = 93,
    GTPC_IE_CHARGING_ID = 94,
    GTPC_IE_CHARGING_CHARACTERISTICS = 95,
    GTPC_IE_TRACE_INFORMATION = 96,
    GTPC_IE_BEARER_FLAGS = 97,
    GTPC_IE_PDN_TYPE = 99,
    GTPC_IE_PTI = 100,
    GTPC_IE_HOP_COUNTER = 113,
    GTPC_IE_UE_TIME_ZONE = 114,
    GTPC_IE_PORT_NUMBER = 126,
    GTPC_IE_APN_RESTRICTION = 127,
    GTPC_IE_SELECTION_MODE = 128,
    GTPC_IE_CHANGE_REPORTING_ACTION = 131,
    GTPC_IE_FQ_CSID = 132,
    GTPC_IE_NODE_TYPE = 135,
    GTPC_IE_FQDN = 136,
    GTPC_IE_UCI = 145,
    GTPC_IE_CSG_INFORMATION_REPORTING_ACTION = 146,
    GTPC_IE_LDN = 151,
    GTPC_IE_NODE_FEATURES = 152,
    GTPC_IE_THROTTLING = 154,
    GTPC_IE_ARP = 155,
    GTPC_IE_EPC_TIMER = 156,
    GTPC_IE_SIGNALLING_PRIORITY_INDICATION = 157,
    GTPC_IE_ADDITIONAL_PCO = 163,
    GTPC_IE_ULI_TIMESTAMP = 170,
    GTPC_IE_RAN_NAS_CAUSE = 172,
    GTPC_IE_PAGING_AND_SERVICE_INFORMATION = 186,
    GTPC_IE_INTEGER_NUMBER = 187,
    GTPC_IE_EXTENDED_PCO = 197,
    GTPC_IE_SECONDARY_RAT_USAGE_DATA_REPORT = 201,
    GTPC_IE_PRIVATE_EXTENSION = 255,
};

/* Clause 8.4. */
enum gtpc_cause_value {
    GTPC_CAUSE_LOCAL_DETACH = 2,
    GTPC_CAUSE_COMPLETE_DETACH = 3,
    GTPC_CAUSE_RAT_CHANGED_TO_NON_3GPP = 4,
    GTPC_CAUSE_ISR_DEACTIVATION = 5,
    GTPC_CAUSE_ERROR_INDICATION_RECEIVED = 6, /* from RNC, eNodeB, S4-SGSN, MME */
    GTPC_CAUSE_IMSI_DETACH_ONLY = 7,
    GTPC_CAUSE_REACTIVATION_REQUESTED = 8,
    GTPC_CAUSE_PDN_RECONNECTION_DISALLOWED = 9, /* to this APN */
    GTPC_CAUSE_ACCESS_CHANGED_TO_3GPP = 10,
    GTPC_CAUSE_PDN_CONNECTION_INACTIVITY = 11,
    GTPC_CAUSE_PGW_NOT_RESPONDING = 12,
    GTPC_CAUSE_NETWORK_FAILURE = 13,
    GTPC_CAUSE_QOS_PARAMETER_MISMATCH = 14,

    GTPC_CAUSE_REQUEST_ACCEPTED = 16, /* the first of the acceptances */
    GTPC_CAUSE_REQUEST_ACCEPTED_PARTIALLY = 17,
    GTPC_CAUSE_NEW_PDN_TYPE_NETWORK_PREFERENCE = 18,
    GTPC_CAUSE_NEW_PDN_TYPE_SINGLE_ADDRESS = 19,

    GTPC_CAUSE_CONTEXT_NOT_FOUND = 64, /* the first of the rejections */
    GTPC_CAUSE_INVALID_MESSAGE_FORMAT = 65,
    GTPC_CAUSE_VERSION_NOT_SUPPORTED_BY_NEXT_PEER = 66,
    GTPC_CAUSE_INVALID_LENGTH = 67,
    GTPC_CAUSE_SERVICE_NOT_SUPPORTED = 68,
    GTPC_CAUSE_MANDATORY_IE_INCORRECT = 69,
    GTPC_CAUSE_MANDATORY_IE_MISSING = 70,
    GTPC_CAUSE_SYSTEM_FAILURE = 72,
    GTPC_CAUSE_NO_RESOURCES_AVAILABLE = 73,
    GTPC_CAUSE_SEMANTIC_ERROR_IN_TFT = 74,
    GTPC_CAUSE_SYNTACTIC_ERROR_IN_TFT = 75,
    GTPC_CAUSE_SEMANTIC_ERRORS_IN_PACKET_FILTERS = 76,
    GTPC_CAUSE_SYNTACTIC_ERRORS_IN_PACKET_FILTERS = 77,
    GTPC_CAUSE_MISSING_OR_UNKNOWN_APN = 78,
    GTPC_CAUSE_GRE_KEY_NOT_FOUND = 80,
    GTPC_CAUSE_RELOCATION_FAILURE = 81,
    GTPC_CAUSE_DENIED_IN_RAT = 82,
    GTPC_CAUSE_PREFERRED_PDN_TYPE_NOT_SUPPORTED = 83,
    GTPC_CAUSE_ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED = 84,
    GTPC_CAUSE_UE_CONTEXT_WITHOUT_TFT_ALREADY_ACTIVATED = 85,
    GTPC_CAUSE_PROTOCOL_TYPE_NOT_SUPPORTED = 86,
    GTPC_CAUSE_UE_NOT_RESPONDING = 87,
    GTPC_CAUSE_UE_REFUSES = 88,
    GTPC_CAUSE_SERVICE_DENIED = 89,
    GTPC_CAUSE_UNABLE_TO_PAGE_UE = 90,
    GTPC_CAUSE_NO_MEMORY_AVAILABLE = 91,
    GTPC_CAUSE_USER_AUTHENTICATION_FAILED = 92,
    GTPC_CAUSE_APN_ACCESS_DENIED_NO_SUBSCRIPTION = 93,
    GTPC_CAUSE_REQUEST_REJECTED = 94, /* reason not specified */
    GTPC_CAUSE_P_TMSI_SIGNATURE_MISMATCH = 95,
    GTPC_CAUSE_IMSI_IMEI_NOT_KNOWN = 96,
    GTPC_CAUSE_SEMANTIC_ERROR_IN_TAD = 97,
    GTPC_CAUSE_SYNTACTIC_ERROR_IN_TAD = 98,
    GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING = 100,
    GTPC_CAUSE_COLLISION_WITH_NETWORK_INITIATED_REQUEST = 101,
    GTPC_CAUSE_UNABLE_TO_PAGE_UE_DUE_TO_SUSPENSION = 102,
    GTPC_CAUSE_CONDITIONAL_IE_MISSING = 103,
    GTPC_CAUSE_APN_RESTRICTION_TYPE_INCOMPATIBLE = 104,
    GTPC_CAUSE_INVALID_OVERALL_LENGTH =
        105, /* of triggered response and piggybacked initial message */
    GTPC_CAUSE_DATA_FORWARDING_NOT_SUPPORTED = 106,
    GTPC_CAUSE_INVALID_REPLY_FROM_REMOTE_PEER = 107,
    GTPC_CAUSE_FALLBACK_TO_GTPV1 = 108,
    GTPC_CAUSE_INVALID_PEER = 109,
    GTPC_CAUSE_TEMPORARILY_REJECTED_HANDOVER_IN_PROGRESS = 110,
    GTPC_CAUSE_MODIFICATIONS_NOT_LIMITED_TO_S1_U_BEARERS = 111,
    GTPC_CAUSE_PMIPV6_REASON = 112,
    GTPC_CAUSE_APN_CONGESTION = 113,
    GTPC_CAUSE_BEARER_HANDLING_NOT_SUPPORTED = 114,
    GTPC_CAUSE_UE_ALREADY_RE_ATTACHED = 115,
    GTPC_CAUSE_MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED = 116, /* for a given APN */
    GTPC_CAUSE_TARGET_ACCESS_RESTRICTED = 117,
    GTPC_CAUSE_REFUSES_DUE_TO_VPLMN_POLICY = 119,
    GTPC_CAUSE_GTP_C_ENTITY_CONGESTION = 120,
    GTPC_CAUSE_LATE_OVERLAPPING_REQUEST = 121,
    GTPC_CAUSE_TIMED_OUT_REQUEST = 122,
    GTPC_CAUSE_UE_NOT_REACHABLE_POWER_SAVING = 123,
    GTPC_CAUSE_RELOCATION_FAILURE_NAS_REDIRECTION = 124,
    GTPC_CAUSE_UE_NOT_AUTHORISED = 125, /* by OCS or external AAA server */
    GTPC_CAUSE_MULTIPLE_ACCESSES_NOT_ALLOWED = 126,
    GTPC_CAUSE_REJECTED_DUE_TO_UE_CAPABILITY = 127,
    GTPC_CAUSE_S1_U_PATH_FAILURE = 128,
};

static inline bool gtpc_cause_is_accepted(uint8_t value)
{
    return value >= GTPC_CAUSE_REQUEST_ACCEPTED && value < GTPC_CAUSE_CONTEXT_NOT_FOUND;
}

/* Interface types of F-TEIDs (clause 8.22). */
enum gtpc_interface_type {
    GTPC_S1_U_ENODEB = 0,
    GTPC_S1_U_SGW = 1,
    GTPC_S12_RNC = 2,
    GTPC_S12_SGW = 3,
    GTPC_S5_S8_SGW_GTP_U = 4,
    GTPC_S5_S8_PGW_GTP_U = 5,
    GTPC_S5_S8_SGW_GTP_C = 6,
    GTPC_S5_S8_PGW_GTP_C = 7,
    GTPC_S11_MME_GTP_C = 10,
    GTPC_S11_S4_SGW_GTP_C = 11,
    GTPC_S10_MME_GTP_C = 12,
    GTPC_S3_MME_GTP_C = 13,
    GTPC_S3_SGSN_GTP_C = 14,
    GTPC_S4_SGSN_GTP_U = 15,
    GTPC_S4_SGW_GTP_U = 16,
    GTPC_S4_SGSN_GTP_C = 17,
    GTPC_S16_SGSN_GTP_C = 18,
    GTPC_ENODEB_DL_DATA_FORWARDING = 19,
    GTPC_ENODEB_UL_DATA_FORWARDING = 20,
    GTPC_SGW_DL_DATA_FORWARDING = 23,
    GTPC_SGW_UL_DATA_FORWARDING = 28,
    GTPC_S11_U_MME = 38,
    GTPC_S11_U_SGW = 39,
};

/* Clause 8.17. */
enum gtpc_rat_type {
    GTPC_RAT_UTRAN = 1,
    GTPC_RAT_GERAN = 2,
    GTPC_RAT_WLAN = 3,
    GTPC_RAT_GAN = 4,
    GTPC_RAT_HSPA_EVOLUTION = 5,
    GTPC_RAT_EUTRAN = 6,
    GTPC_RAT_VIRTUAL = 7,
    GTPC_RAT_EUTRAN_NB_IOT = 8,
    GTPC_RAT_LTE_M = 9,
    GTPC_RAT_NR = 10,
};

/* Clauses 8.14, 8.34. */
enum gtpc_pdn_type {
    GTPC_PDN_IPV4 = 1,
    GTPC_PDN_IPV6 = 2,
    GTPC_PDN_IPV4V6 = 3,
    GTPC_PDN_NON_IP = 4,
};

/* Clause 8.58. */
enum gtpc_selection_mode {
    GTPC_SELECTION_SUBSCRIPTION_VERIFIED = 0,
    GTPC_SELECTION_MS_NOT_VERIFIED = 1,
    GTPC_SELECTION_NETWORK_NOT_VERIFIED = 2,
};

/* Clause 8.83: what an Echo tells about the sender. */
enum {
    GTPC_NODE_PRN = 0x01,  /* supports PGW Restart Notification */
    GTPC_NODE_MABR = 0x02, /* Modify Access Bearers Request */
    GTPC_NODE_NTSR = 0x04, /* network triggered service restoration */
    GTPC_NODE_CIOT = 0x08,
    GTPC_NODE_S1UN = 0x10,
};

/* Indication flags (clause 8.12): octet 5 in bits 0..7, octet 6 in bits 8..15 ... of a uint64_t. */
#define GTPC_INDICATION(octet, bit) (UINT64_C(1) << (((octet)-5) * 8 + (bit)-1))
#define GTPC_DAF                    GTPC_INDICATION(5, 8) /* dual address bearer flag */
#define GTPC_DTF                    GTPC_INDICATION(5, 7) /* direct tunnel */
#define GTPC_HI                     GTPC_INDICATION(5, 6) /* handover indication */
#define GTPC_DFI                    GTPC_INDICATION(5, 5) /* direct forwarding */
#define GTPC_OI                     GTPC_INDICATION(5, 4) /* operation indication: S-GW passes the deletion on */
#define GTPC_ISRSI                  GTPC_INDICATION(5, 3)
#define GTPC_ISRAI                  GTPC_INDICATION(5, 2)
#define GTPC_SGWCI                  GTPC_INDICATION(5, 1) /* S-GW change */
#define GTPC_SQCI                   GTPC_INDICATION(6, 8)
#define GTPC_UIMSI                  GTPC_INDICATION(6, 7) /* unauthenticated IMSI */
#define GTPC_CFSI                   GTPC_INDICATION(6, 6)
#define GTPC_CRSI                   GTPC_INDICATION(6, 5) /* change reporting support */
#define GTPC_P                      GTPC_INDICATION(6, 4)
#define GTPC_PT                     GTPC_INDICATION(6, 3) /* S5/S8 is PMIP */
#define GTPC_SI                     GTPC_INDICATION(6, 2) /* scope: all bearers of the UE */
#define GTPC_MSV                    GTPC_INDICATION(6, 1) /* MS validated */
#define GTPC_RETLOC                 GTPC_INDICATION(7, 8)
#define GTPC_PBIC                   GTPC_INDICATION(7, 7)
#define GTPC_SRNI                   GTPC_INDICATION(7, 6)
#define GTPC_S6AF                   GTPC_INDICATION(7, 5)
#define GTPC_S4AF                   GTPC_INDICATION(7, 4)
#define GTPC_MBMDT                  GTPC_INDICATION(7, 3)
#define GTPC_ISRAU                  GTPC_INDICATION(7, 2)
#define GTPC_CCRSI                  GTPC_INDICATION(7, 1)
#define GTPC_CPRAI                  GTPC_INDICATION(8, 8)
#define GTPC_ARRL                   GTPC_INDICATION(8, 7) /* abnormal release of radio link */
#define GTPC_PPOF                   GTPC_INDICATION(8, 6)
#define GTPC_PPON_PPEI              GTPC_INDICATION(8, 5)
#define GTPC_PPSI                   GTPC_INDICATION(8, 4)
#define GTPC_CSFBI                  GTPC_INDICATION(8, 3)
#define GTPC_CLII                   GTPC_INDICATION(8, 2)
#define GTPC_CPSR                   GTPC_INDICATION(8, 1)
#define GTPC_NSI                    GTPC_INDICATION(9, 8)
#define GTPC_UASI                   GTPC_INDICATION(9, 7)
#define GTPC_DTCI                   GTPC_INDICATION(9, 6)
#define GTPC_BDWI                   GTPC_INDICATION(9, 5)
#define GTPC_PSCI                   GTPC_INDICATION(9, 4)
#define GTPC_PCRI                   GTPC_INDICATION(9, 3)
#define GTPC_AOSI                   GTPC_INDICATION(9, 2)
#define GTPC_AOPI                   GTPC_INDICATION(9, 1)
#define GTPC_ROAAI                  GTPC_INDICATION(10, 8)
#define GTPC_EPCOSI                 GTPC_INDICATION(10, 7)
#define GTPC_CPOPCI                 GTPC_INDICATION(10, 6)
#define GTPC_PMTSMI                 GTPC_INDICATION(10, 5)
#define GTPC_S11TF                  GTPC_INDICATION(10, 4) /* S11-U tunnel */
#define GTPC_PNSI                   GTPC_INDICATION(10, 3)
#define GTPC_UNACCSI                GTPC_INDICATION(10, 2)
#define GTPC_WPMSI                  GTPC_INDICATION(10, 1)

/* Clause 8.4. `is_remote` (CS): the cause came from a node further on. */
struct gtpc_cause {
    uint8_t value; /* enum gtpc_cause_value */
    bool is_remote;
    bool bearer_context_error;
    bool pdn_connection_error;
    bool has_offending;
    uint8_t offending_type; /* enum gtpc_ie_type */
    uint8_t offending_instance;
};

/* Clause 8.22. */
struct gtpc_f_teid {
    uint8_t interface_type; /* enum gtpc_interface_type */
    bool has_ipv4;
    bool has_ipv6;
    uint32_t teid;
    struct in_addr ipv4;
    struct in6_addr ipv6;
};

/* Clause 8.14. For IPv6 the address is prefix and interface identifier in one. */
struct gtpc_paa {
    uint8_t pdn_type; /* enum gtpc_pdn_type */
    uint8_t prefix_bits;
    struct in_addr ipv4;
    struct in6_addr ipv6;
};

/* Clause 8.7. */
struct gtpc_ambr {
    uint32_t uplink_kbps;
    uint32_t downlink_kbps;
};

/* Clause 8.86, and the first octet of 8.15. As on the wire, a set flag means: may NOT. */
struct gtpc_arp {
    uint8_t priority_level;                  /* 1 (highest) .. 15 */
    bool pre_emption_capability_disabled;    /* PCI */
    bool pre_emption_vulnerability_disabled; /* PVI */
};

/* Clause 8.15; rates in kbit/s, 40 bits on the wire, 0 for a non-GBR bearer. */
struct gtpc_bearer_qos {
    struct gtpc_arp arp;
    uint8_t qci;
    uint64_t mbr_uplink_kbps, mbr_downlink_kbps;
    uint64_t gbr_uplink_kbps, gbr_downlink_kbps;
};

/* Clause 8.16. */
struct gtpc_flow_qos {
    uint8_t qci;
    uint64_t mbr_uplink_kbps, mbr_downlink_kbps;
    uint64_t gbr_uplink_kbps, gbr_downlink_kbps;
};

/* Clause 8.21: which of the places are there is in the has_ fields. */
struct gtpc_area {
    struct plmn plmn;
    uint16_t lac;
    uint16_t code; /* CI, SAC or RAC; none for a LAI */
};

struct gtpc_macro_enodeb_id {
    struct plmn plmn;
    uint32_t id; /* 20 bits; the extended one 21 bits, or 18 when is_short */
    bool is_short;
};

struct gtpc_uli {
    bool has_cgi, has_sai, has_rai, has_tai, has_ecgi, has_lai, has_macro, has_extended_macro;
    struct gtpc_area cgi, sai, rai, lai;
    struct tai tai;
    struct ecgi ecgi;
    struct gtpc_macro_enodeb_id macro, extended_macro;
};

/* Clause 8.44. */
struct gtpc_ue_time_zone {
    uint8_t time_zone;       /* quarters of an hour, semi-octets swapped (TS 23.040) */
    uint8_t daylight_saving; /* 0, 1 or 2 hours */
};

/* Clause 8.87: value times the unit of time. */
struct gtpc_epc_timer {
    uint8_t unit;  /* 0: 2 s, 1: 1 min, 2: 10 min, 3: 1 h, 4: 10 h, 7: infinite */
    uint8_t value; /* 0..31; 0: stopped */
};

/* Seconds; UINT32_MAX for infinite. And the timer nearest at or above. */
uint32_t gtpc_epc_timer_seconds(struct gtpc_epc_timer timer);
struct gtpc_epc_timer gtpc_epc_timer_of(uint32_t seconds);

/* Clause 8.85. */
struct gtpc_throttling {
    struct gtpc_epc_timer delay; /* unit and value */
    uint8_t factor;              /* percent */
};

/* Clause 8.62: a set of PDN connections by the node that handles them. */
#define GTPC_MAX_CSIDS 15
struct gtpc_fq_csid {
    uint8_t node_id_type; /* 0: IPv4, 1: IPv6, 2: PLMN and number */
    uint8_t count;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    uint32_t node_number;
    uint16_t csid[GTPC_MAX_CSIDS];
};

/* Clause 8.9: 4 or 16 octets. */
struct gtpc_ip_address {
    bool is_ipv6;
    struct in_addr ipv4;
    struct in6_addr ipv6;
};

/* Clause 8.103. */
struct gtpc_ran_nas_cause {
    uint8_t protocol_type; /* 1: S1AP, 2: EMM, 3: ESM ... */
    uint8_t cause_type;    /* of S1AP: radio network, transport ... */
    struct bytes cause;
};

#endif
