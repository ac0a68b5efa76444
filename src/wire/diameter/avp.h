/*
 * avp.h -- the AVPs: names, codes, vendors, flags, and how their data formats are coded. For the
 * tables of base.c and s6a.c; not part of the door.
 *
 * AVP_... expands to the first five members of a struct wire_ie: name, code, vendor, instance,
 * flags to send. The flags are those of RFC 6733 clause 4.5 and TS 29.272 tables 7.3.1/1
 * and 7.3.1/2; AVPs re-used from other specifications have the M bit where TS 29.272 says "must
 * set".
 */
#ifndef STROWGER_WIRE_DIAMETER_AVP_H
#define STROWGER_WIRE_DIAMETER_AVP_H

#include "wire/diameter/diameter.h"

#define IETF_M 0, 0, DIAMETER_AVP_MANDATORY
#define IETF_O 0, 0, 0
#define TGPP_M DIAMETER_VENDOR_3GPP, 0, DIAMETER_AVP_VENDOR | DIAMETER_AVP_MANDATORY
#define TGPP_O DIAMETER_VENDOR_3GPP, 0, DIAMETER_AVP_VENDOR

/* RFC 6733 and other RFCs. */
#define AVP_USER_NAME                      "User-Name", 1, IETF_M
#define AVP_PROXY_STATE                    "Proxy-State", 33, IETF_M
#define AVP_HOST_IP_ADDRESS                "Host-IP-Address", 257, IETF_M
#define AVP_AUTH_APPLICATION_ID            "Auth-Application-Id", 258, IETF_M
#define AVP_ACCT_APPLICATION_ID            "Acct-Application-Id", 259, IETF_M
#define AVP_VENDOR_SPECIFIC_APPLICATION_ID "Vendor-Specific-Application-Id", 260, IETF_M
#define AVP_REDIRECT_HOST_USAGE            "Redirect-Host-Usage", 261, IETF_M
#define AVP_REDIRECT_MAX_CACHE_TIME        "Redirect-Max-Cache-Time", 262, IETF_M
#define AVP_SESSION_ID                     "Session-Id", 263, IETF_M
#define AVP_ORIGIN_HOST                    "Origin-Host", 264, IETF_M
#define AVP_SUPPORTED_VENDOR_ID            "Supported-Vendor-Id", 265, IETF_M
#define AVP_VENDOR_ID                      "Vendor-Id", 266, IETF_M
#define AVP_FIRMWARE_REVISION              "Firmware-Revision", 267, IETF_O
#define AVP_RESULT_CODE                    "Result-Code", 268, IETF_M
#define AVP_PRODUCT_NAME                   "Product-Name", 269, IETF_O
#define AVP_DISCONNECT_CAUSE               "Disconnect-Cause", 273, IETF_M
#define AVP_AUTH_SESSION_STATE             "Auth-Session-State", 277, IETF_M
#define AVP_ORIGIN_STATE_ID                "Origin-State-Id", 278, IETF_M
#define AVP_FAILED_AVP                     "Failed-AVP", 279, IETF_M
#define AVP_PROXY_HOST                     "Proxy-Host", 280, IETF_M
#define AVP_ERROR_MESSAGE                  "Error-Message", 281, IETF_O
#define AVP_ROUTE_RECORD                   "Route-Record", 282, IETF_M
#define AVP_DESTINATION_REALM              "Destination-Realm", 283, IETF_M
#define AVP_PROXY_INFO                     "Proxy-Info", 284, IETF_M
#define AVP_REDIRECT_HOST                  "Redirect-Host", 292, IETF_M
#define AVP_DESTINATION_HOST               "Destination-Host", 293, IETF_M
#define AVP_ERROR_REPORTING_HOST           "Error-Reporting-Host", 294, IETF_O
#define AVP_ORIGIN_REALM                   "Origin-Realm", 296, IETF_M
#define AVP_EXPERIMENTAL_RESULT            "Experimental-Result", 297, IETF_M
#define AVP_EXPERIMENTAL_RESULT_CODE       "Experimental-Result-Code", 298, IETF_M
#define AVP_INBAND_SECURITY_ID             "Inband-Security-Id", 299, IETF_M
#define AVP_DRMP                           "DRMP", 301, IETF_O
#define AVP_MIP_HOME_AGENT_ADDRESS         "MIP-Home-Agent-Address", 334, IETF_M
#define AVP_MIP_HOME_AGENT_HOST            "MIP-Home-Agent-Host", 348, IETF_M
#define AVP_MIP6_AGENT_INFO                "MIP6-Agent-Info", 486, IETF_M
#define AVP_SERVICE_SELECTION              "Service-Selection", 493, IETF_M
#define AVP_OC_SUPPORTED_FEATURES          "OC-Supported-Features", 621, IETF_O
#define AVP_OC_OLR                         "OC-OLR", 623, IETF_O
#define AVP_LOAD                           "Load", 650, IETF_O

/* 3GPP, re-used: TS 29.061, 29.212, 29.214, 29.229, 29.329, 29.128. */
#define AVP_3GPP_CHARGING_CHARACTERISTICS "3GPP-Charging-Characteristics", 13, TGPP_M
#define AVP_EXTERNAL_IDENTIFIER           "External-Identifier", 28, TGPP_O
#define AVP_MAX_REQUESTED_BANDWIDTH_DL    "Max-Requested-Bandwidth-DL", 515, TGPP_M
#define AVP_MAX_REQUESTED_BANDWIDTH_UL    "Max-Requested-Bandwidth-UL", 516, TGPP_M
#define AVP_EXTENDED_MAX_REQUESTED_BW_DL  "Extended-Max-Requested-BW-DL", 554, TGPP_O
#define AVP_EXTENDED_MAX_REQUESTED_BW_UL  "Extended-Max-Requested-BW-UL", 555, TGPP_O
#define AVP_VISITED_NETWORK_IDENTIFIER    "Visited-Network-Identifier", 600, TGPP_M
#define AVP_SUPPORTED_FEATURES            "Supported-Features", 628, TGPP_O
#define AVP_FEATURE_LIST_ID               "Feature-List-ID", 629, TGPP_O
#define AVP_FEATURE_LIST                  "Feature-List", 630, TGPP_O
#define AVP_MSISDN                        "MSISDN", 701, TGPP_M
#define AVP_SERVED_PARTY_IP_ADDRESS       "Served-Party-IP-Address", 848, TGPP_M
#define AVP_QOS_CLASS_IDENTIFIER          "QoS-Class-Identifier", 1028, TGPP_M
#define AVP_RAT_TYPE                      "RAT-Type", 1032, TGPP_M
#define AVP_ALLOCATION_RETENTION_PRIORITY "Allocation-Retention-Priority", 1034, TGPP_M
#define AVP_PRIORITY_LEVEL                "Priority-Level", 1046, TGPP_M
#define AVP_PRE_EMPTION_CAPABILITY        "Pre-emption-Capability", 1047, TGPP_M
#define AVP_PRE_EMPTION_VULNERABILITY     "Pre-emption-Vulnerability", 1048, TGPP_M

/* 3GPP TS 29.272. */
#define AVP_SUBSCRIPTION_DATA    "Subscription-Data", 1400, TGPP_M
#define AVP_TERMINAL_INFORMATION "Terminal-Information", 1401, TGPP_M
#define AVP_IMEI                 "IMEI", 1402, TGPP_M
#define AVP_SOFTWARE_VERSION     "Software-Version", 1403, TGPP_M
#define AVP_QOS_SUBSCRIBED       "QoS-Subscribed", 1404, TGPP_M
#define AVP_ULR_FLAGS            "ULR-Flags", 1405, TGPP_M
#define AVP_ULA_FLAGS            "ULA-Flags", 1406, TGPP_M
#define AVP_VISITED_PLMN_ID      "Visited-PLMN-Id", 1407, TGPP_M
#define AVP_REQUESTED_EUTRAN_AUTHENTICATION_INFO \
    "Requested-EUTRAN-Authentication-Info", 1408, TGPP_M
#define AVP_REQUESTED_UTRAN_GERAN_AUTHENTICATION_INFO \
    "Requested-UTRAN-GERAN-Authentication-Info", 1409, TGPP_M
#define AVP_NUMBER_OF_REQUESTED_VECTORS  "Number-Of-Requested-Vectors", 1410, TGPP_M
#define AVP_RE_SYNCHRONIZATION_INFO      "Re-Synchronization-Info", 1411, TGPP_M
#define AVP_IMMEDIATE_RESPONSE_PREFERRED "Immediate-Response-Preferred", 1412, TGPP_M
#define AVP_AUTHENTICATION_INFO          "Authentication-Info", 1413, TGPP_M
#define AVP_E_UTRAN_VECTOR               "E-UTRAN-Vector", 1414, TGPP_M
#define AVP_UTRAN_VECTOR                 "UTRAN-Vector", 1415, TGPP_M
#define AVP_GERAN_VECTOR                 "GERAN-Vector", 1416, TGPP_M
#define AVP_NETWORK_ACCESS_MODE          "Network-Access-Mode", 1417, TGPP_M
#define AVP_HPLMN_ODB                    "HPLMN-ODB", 1418, TGPP_M
#define AVP_ITEM_NUMBER                  "Item-Number", 1419, TGPP_M
#define AVP_CANCELLATION_TYPE            "Cancellation-Type", 1420, TGPP_M
#define AVP_DSR_FLAGS                    "DSR-Flags", 1421, TGPP_M
#define AVP_DSA_FLAGS                    "DSA-Flags", 1422, TGPP_M
#define AVP_CONTEXT_IDENTIFIER           "Context-Identifier", 1423, TGPP_M
#define AVP_SUBSCRIBER_STATUS            "Subscriber-Status", 1424, TGPP_M
#define AVP_OPERATOR_DETERMINED_BARRING  "Operator-Determined-Barring", 1425, TGPP_M
#define AVP_ACCESS_RESTRICTION_DATA      "Access-Restriction-Data", 1426, TGPP_M
#define AVP_APN_OI_REPLACEMENT           "APN-OI-Replacement", 1427, TGPP_M
#define AVP_ALL_APN_CONFIGURATIONS_INCLUDED_INDICATOR \
    "All-APN-Configurations-Included-Indicator", 1428, TGPP_M
#define AVP_APN_CONFIGURATION_PROFILE           "APN-Configuration-Profile", 1429, TGPP_M
#define AVP_APN_CONFIGURATION                   "APN-Configuration", 1430, TGPP_M
#define AVP_EPS_SUBSCRIBED_QOS_PROFILE          "EPS-Subscribed-QoS-Profile", 1431, TGPP_M
#define AVP_VPLMN_DYNAMIC_ADDRESS_ALLOWED       "VPLMN-Dynamic-Address-Allowed", 1432, TGPP_M
#define AVP_STN_SR                              "STN-SR", 1433, TGPP_M
#define AVP_ALERT_REASON                        "Alert-Reason", 1434, TGPP_M
#define AVP_AMBR                                "AMBR", 1435, TGPP_M
#define AVP_CSG_SUBSCRIPTION_DATA               "CSG-Subscription-Data", 1436, TGPP_M
#define AVP_PDN_GW_ALLOCATION_TYPE              "PDN-GW-Allocation-Type", 1438, TGPP_M
#define AVP_RAT_FREQUENCY_SELECTION_PRIORITY_ID "RAT-Frequency-Selection-Priority-ID", 1440, TGPP_M
#define AVP_IDA_FLAGS                           "IDA-Flags", 1441, TGPP_M
#define AVP_PUA_FLAGS                           "PUA-Flags", 1442, TGPP_M
#define AVP_NOR_FLAGS                           "NOR-Flags", 1443, TGPP_M
#define AVP_USER_ID                             "User-Id", 1444, TGPP_O
#define AVP_REGIONAL_SUBSCRIPTION_ZONE_CODE     "Regional-Subscription-Zone-Code", 1446, TGPP_M
#define AVP_RAND                                "RAND", 1447, TGPP_M
#define AVP_XRES                                "XRES", 1448, TGPP_M
#define AVP_AUTN                                "AUTN", 1449, TGPP_M
#define AVP_KASME                               "KASME", 1450, TGPP_M
#define AVP_PDN_TYPE                            "PDN-Type", 1456, TGPP_M
#define AVP_ROAMING_RESTRICTED_DUE_TO_UNSUPPORTED_FEATURE \
    "Roaming-Restricted-Due-To-Unsupported-Feature", 1457, TGPP_M
#define AVP_TRACE_DATA             "Trace-Data", 1458, TGPP_M
#define AVP_TRACE_REFERENCE        "Trace-Reference", 1459, TGPP_M
#define AVP_GPRS_SUBSCRIPTION_DATA "GPRS-Subscription-Data", 1467, TGPP_M
#define AVP_3GPP2_MEID             "3GPP2-MEID", 1471, TGPP_M
#define AVP_SPECIFIC_APN_INFO      "Specific-APN-Info", 1472, TGPP_M
#define AVP_LCS_INFO               "LCS-Info", 1473, TGPP_M
#define AVP_GMLC_NUMBER            "GMLC-Number", 1474, TGPP_M
#define AVP_SS_CODE                "SS-Code", 1476, TGPP_M
#define AVP_TELESERVICE_LIST       "Teleservice-List", 1486, TGPP_M
#define AVP_TS_CODE                "TS-Code", 1487, TGPP_M
#define AVP_CALL_BARRING_INFO      "Call-Barring-Info", 1488, TGPP_M
#define AVP_SGSN_NUMBER            "SGSN-Number", 1489, TGPP_M
#define AVP_IDR_FLAGS              "IDR-Flags", 1490, TGPP_M
#define AVP_ICS_INDICATOR          "ICS-Indicator", 1491, TGPP_O
#define AVP_IMS_VOICE_OVER_PS_SESSIONS_SUPPORTED \
    "IMS-Voice-Over-PS-Sessions-Supported", 1492, TGPP_O
#define AVP_HOMOGENEOUS_SUPPORT_OF_IMS_VOICE \
    "Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions", 1493, TGPP_O
#define AVP_LAST_UE_ACTIVITY_TIME             "Last-UE-Activity-Time", 1494, TGPP_O
#define AVP_EPS_USER_STATE                    "EPS-User-State", 1495, TGPP_O
#define AVP_EPS_LOCATION_INFORMATION          "EPS-Location-Information", 1496, TGPP_O
#define AVP_MME_USER_STATE                    "MME-User-State", 1497, TGPP_O
#define AVP_USER_STATE                        "User-State", 1499, TGPP_O
#define AVP_MME_LOCATION_INFORMATION          "MME-Location-Information", 1600, TGPP_O
#define AVP_E_UTRAN_CELL_GLOBAL_IDENTITY      "E-UTRAN-Cell-Global-Identity", 1602, TGPP_O
#define AVP_TRACKING_AREA_IDENTITY            "Tracking-Area-Identity", 1603, TGPP_O
#define AVP_CURRENT_LOCATION_RETRIEVED        "Current-Location-Retrieved", 1610, TGPP_O
#define AVP_AGE_OF_LOCATION_INFORMATION       "Age-Of-Location-Information", 1611, TGPP_O
#define AVP_ACTIVE_APN                        "Active-APN", 1612, TGPP_O
#define AVP_SIPTO_PERMISSION                  "SIPTO-Permission", 1613, TGPP_O
#define AVP_ERROR_DIAGNOSTIC                  "Error-Diagnostic", 1614, TGPP_O
#define AVP_UE_SRVCC_CAPABILITY               "UE-SRVCC-Capability", 1615, TGPP_O
#define AVP_MPS_PRIORITY                      "MPS-Priority", 1616, TGPP_O
#define AVP_LIPA_PERMISSION                   "LIPA-Permission", 1618, TGPP_O
#define AVP_SUBSCRIBED_PERIODIC_RAU_TAU_TIMER "Subscribed-Periodic-RAU-TAU-Timer", 1619, TGPP_O
#define AVP_PUR_FLAGS                         "PUR-Flags", 1635, TGPP_O
#define AVP_EQUIVALENT_PLMN_LIST              "Equivalent-PLMN-List", 1637, TGPP_O
#define AVP_CLR_FLAGS                         "CLR-Flags", 1638, TGPP_O
#define AVP_A_MSISDN                          "A-MSISDN", 1643, TGPP_O
#define AVP_SUBSCRIPTION_DATA_FLAGS           "Subscription-Data-Flags", 1654, TGPP_O
#define AVP_RESET_ID                          "Reset-ID", 1670, TGPP_O
#define AVP_AIR_FLAGS                         "AIR-Flags", 1679, TGPP_O
#define AVP_UE_USAGE_TYPE                     "UE-Usage-Type", 1680, TGPP_O
#define AVP_CORE_NETWORK_RESTRICTIONS         "Core-Network-Restrictions", 1704, TGPP_O

/* Rows of a table for struct S: mandatory inline, optional by pointer, lists. */
#define DIAMETER_MANDATORY(S, member, avp, type_of)                   \
    {                                                                 \
        avp, WIRE_MANDATORY, offsetof(struct S, member), 0, (type_of) \
    }
#define DIAMETER_OPTIONAL(S, member, avp, type_of)                   \
    {                                                                \
        avp, WIRE_OPTIONAL, offsetof(struct S, member), 0, (type_of) \
    }
#define DIAMETER_LIST(S, member, avp, type_of, at_most)                  \
    {                                                                    \
        avp, WIRE_LIST, offsetof(struct S, member), (at_most), (type_of) \
    }
#define DIAMETER_LIST_MANDATORY(S, member, avp, type_of, at_most)                  \
    {                                                                              \
        avp, WIRE_LIST_MANDATORY, offsetof(struct S, member), (at_most), (type_of) \
    }

#define DIAMETER_GROUP(S, rows_of)                                                      \
    {                                                                                   \
        .name = #S, .rows = (rows_of), .count = sizeof(rows_of) / sizeof((rows_of)[0]), \
        .size = sizeof(struct S), .format = &diameter_format                            \
    }

/* AVP header, padding, M bit. */
extern const struct tlv_format diameter_format;

/* What a data format says of its length and of the names of its values; `more` of the types below.
 */
struct diameter_format_facts {
    uint16_t min, max;                       /* octets; max 0: no limit */
    const struct diameter_value_name *names; /* of an Enumerated; NULL ends */
};

struct diameter_value_name {
    uint32_t value;
    const char *name;
};

/* Data formats (RFC 6733 clauses 4.2, 4.3) and those that 3GPP puts into OctetStrings. */
extern const struct wire_type diameter_unsigned32_type;
extern const struct wire_type diameter_octets_type;   /* struct bytes */
extern const struct wire_type diameter_utf8_type;     /* struct bytes, printed as text */
extern const struct wire_type diameter_identity_type; /* struct bytes, not empty */
extern const struct wire_type diameter_address_type;  /* struct diameter_address */
extern const struct wire_type diameter_imsi_type;     /* char[IMSI_SIZE]: digits as UTF8String */
extern const struct wire_type diameter_msisdn_type;   /* char[MSISDN_SIZE]: telephony BCD */
extern const struct wire_type diameter_apn_type;  /* char[APN_SIZE]: UTF8String with dots, or "*" */
extern const struct wire_type diameter_plmn_type; /* struct plmn */
extern const struct wire_type diameter_tai_type;  /* struct tai: 5 octets */
extern const struct wire_type diameter_ecgi_type; /* struct ecgi: 7 octets */
extern const struct wire_type diameter_secret16_type,
    diameter_secret32_type;                         /* uint8_t[16], [32]; not printed */
extern const struct wire_type diameter_secret_type; /* struct bytes, 4 to 16 octets; not printed */
extern const struct wire_type diameter_resync_type; /* struct s6a_resynchronization_info */

/* Enumerated and codes: uint32_t, printed with the name. */
extern const struct wire_type diameter_result_code_type, diameter_experimental_code_type;
extern const struct wire_type diameter_disconnect_cause_type, diameter_session_state_type;
extern const struct wire_type s6a_enum_rat, s6a_enum_pdn, s6a_enum_cancellation,
    s6a_enum_subscriber_status;
extern const struct wire_type s6a_enum_network_access, s6a_enum_error_diagnostic,
    s6a_enum_user_state;

/* Grouped AVPs used by both tables' files. */
extern const struct wire_type diameter_vendor_application_type;
extern const struct wire_type diameter_experimental_result_type;

/* The rows that all requests and all answers begin and end with. */
#define DIAMETER_REQUEST_HEAD(S)                                                             \
    DIAMETER_MANDATORY(S, head.session_id, AVP_SESSION_ID, &diameter_utf8_type),             \
        DIAMETER_OPTIONAL(S, head.vendor_application, AVP_VENDOR_SPECIFIC_APPLICATION_ID,    \
                          &diameter_vendor_application_type),                                \
        DIAMETER_MANDATORY(S, head.auth_session_state, AVP_AUTH_SESSION_STATE,               \
                           &diameter_session_state_type),                                    \
        DIAMETER_MANDATORY(S, head.origin_host, AVP_ORIGIN_HOST, &diameter_identity_type),   \
        DIAMETER_MANDATORY(S, head.origin_realm, AVP_ORIGIN_REALM, &diameter_identity_type), \
        DIAMETER_OPTIONAL(S, head.destination_host, AVP_DESTINATION_HOST,                    \
                          &diameter_identity_type),                                          \
        DIAMETER_MANDATORY(S, head.destination_realm, AVP_DESTINATION_REALM,                 \
                           &diameter_identity_type)

#define DIAMETER_REQUEST_TAIL(S)                                                       \
    DIAMETER_LIST(S, head.proxy_info, AVP_PROXY_INFO, &diameter_octets_type,           \
                  DIAMETER_MAX_PROXIES),                                               \
        DIAMETER_LIST(S, head.route_record, AVP_ROUTE_RECORD, &diameter_identity_type, \
                      DIAMETER_MAX_PROXIES)

#define DIAMETER_ANSWER_HEAD(S)                                                              \
    DIAMETER_MANDATORY(S, head.session_id, AVP_SESSION_ID, &diameter_utf8_type),             \
        DIAMETER_OPTIONAL(S, head.vendor_application, AVP_VENDOR_SPECIFIC_APPLICATION_ID,    \
                          &diameter_vendor_application_type),                                \
        DIAMETER_OPTIONAL(S, head.result_code, AVP_RESULT_CODE, &diameter_result_code_type), \
        DIAMETER_OPTIONAL(S, head.experimental_result, AVP_EXPERIMENTAL_RESULT,              \
                          &diameter_experimental_result_type),                               \
        DIAMETER_OPTIONAL(S, head.auth_session_state, AVP_AUTH_SESSION_STATE,                \
                          &diameter_session_state_type),                                     \
        DIAMETER_MANDATORY(S, head.origin_host, AVP_ORIGIN_HOST, &diameter_identity_type),   \
        DIAMETER_MANDATORY(S, head.origin_realm, AVP_ORIGIN_REALM, &diameter_identity_type), \
        DIAMETER_OPTIONAL(S, head.origin_state_id, AVP_ORIGIN_STATE_ID,                      \
                          &diameter_unsigned32_type),                                        \
        DIAMETER_OPTIONAL(S, head.error_message, AVP_ERROR_MESSAGE, &diameter_utf8_type),    \
        DIAMETER_OPTIONAL(S, head.error_reporting_host, AVP_ERROR_REPORTING_HOST,            \
                          &diameter_identity_type),                                          \
        DIAMETER_LIST(S, head.failed_avp, AVP_FAILED_AVP, &diameter_octets_type,             \
                      DIAMETER_MAX_FAILED)

#define DIAMETER_ANSWER_TAIL(S) \
    DIAMETER_LIST(S, head.proxy_info, AVP_PROXY_INFO, &diameter_octets_type, DIAMETER_MAX_PROXIES)

#define DIAMETER_MAX_PROXIES 16
#define DIAMETER_MAX_FAILED  16

/* The wire type of an AVP in this codec's tables, for the length of an example value; NULL: not
 * there. */
const struct wire_type *diameter_type_of(uint32_t vendor, uint32_t code);

/* The AVP's name, or NULL when it is not in the dictionary. */
const char *diameter_avp_name(uint32_t vendor, uint32_t code);

/* All commands of one table file. */
struct diameter_message_table {
    const struct diameter_message *const *messages;
    size_t count;
};

extern const struct diameter_message_table diameter_base_messages, s6a_messages;

/* The form of an answer with the E bit (clause 7.2); its struct is struct diameter_answer_head. */
extern const struct wire_group diameter_error_answer_group;

#endif
