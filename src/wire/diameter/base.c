/*
 * base.c -- the tables of the base protocol's own messages (RFC 6733 clauses 5.3, 5.4, 5.5, 7.2)
 * and of the grouped AVPs that all applications use. Read with the ABNF of those clauses beside it;
 * the order is theirs.
 */
#include "wire/diameter/avp.h"

#define MAX_ADDRESSES    16
#define MAX_APPLICATIONS 64

static const struct wire_ie vendor_application_rows[] = {
    DIAMETER_LIST(diameter_vendor_application, vendor_id, AVP_VENDOR_ID, &diameter_unsigned32_type,
                  MAX_APPLICATIONS),
    DIAMETER_OPTIONAL(diameter_vendor_application, auth_application_id, AVP_AUTH_APPLICATION_ID,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(diameter_vendor_application, acct_application_id, AVP_ACCT_APPLICATION_ID,
                      &diameter_unsigned32_type),
};
static const struct wire_group vendor_application_group =
    DIAMETER_GROUP(diameter_vendor_application, vendor_application_rows);
const struct wire_type diameter_vendor_application_type =
    WIRE_GROUP_TYPE(diameter_vendor_application, &vendor_application_group);

static const struct wire_ie experimental_result_rows[] = {
    DIAMETER_MANDATORY(diameter_experimental_result, vendor_id, AVP_VENDOR_ID,
                       &diameter_unsigned32_type),
    DIAMETER_MANDATORY(diameter_experimental_result, code, AVP_EXPERIMENTAL_RESULT_CODE,
                       &diameter_experimental_code_type),
};
static const struct wire_group experimental_result_group =
    DIAMETER_GROUP(diameter_experimental_result, experimental_result_rows);
const struct wire_type diameter_experimental_result_type =
    WIRE_GROUP_TYPE(diameter_experimental_result, &experimental_result_group);

/* What CER and CEA both tell, behind the sender's identity. */
#define APPLICATIONS(S)                                                                           \
    DIAMETER_LIST(S, supported_vendor_id, AVP_SUPPORTED_VENDOR_ID, &diameter_unsigned32_type,     \
                  MAX_APPLICATIONS),                                                              \
        DIAMETER_LIST(S, auth_application_id, AVP_AUTH_APPLICATION_ID, &diameter_unsigned32_type, \
                      MAX_APPLICATIONS),                                                          \
        DIAMETER_LIST(S, inband_security_id, AVP_INBAND_SECURITY_ID, &diameter_unsigned32_type,   \
                      MAX_APPLICATIONS),                                                          \
        DIAMETER_LIST(S, acct_application_id, AVP_ACCT_APPLICATION_ID, &diameter_unsigned32_type, \
                      MAX_APPLICATIONS),                                                          \
        DIAMETER_LIST(S, vendor_application, AVP_VENDOR_SPECIFIC_APPLICATION_ID,                  \
                      &diameter_vendor_application_type, MAX_APPLICATIONS),                       \
        DIAMETER_OPTIONAL(S, firmware_revision, AVP_FIRMWARE_REVISION, &diameter_unsigned32_type)

static const struct wire_ie cer_rows[] = {
    DIAMETER_MANDATORY(diameter_capabilities, origin_host, AVP_ORIGIN_HOST,
                       &diameter_identity_type),
    DIAMETER_MANDATORY(diameter_capabilities, origin_realm, AVP_ORIGIN_REALM,
                       &diameter_identity_type),
    DIAMETER_LIST_MANDATORY(diameter_capabilities, host_ip_address, AVP_HOST_IP_ADDRESS,
                            &diameter_address_type, MAX_ADDRESSES),
    DIAMETER_MANDATORY(diameter_capabilities, vendor_id, AVP_VENDOR_ID, &diameter_unsigned32_type),
    DIAMETER_MANDATORY(diameter_capabilities, product_name, AVP_PRODUCT_NAME, &diameter_utf8_type),
    DIAMETER_OPTIONAL(diameter_capabilities, origin_state_id, AVP_ORIGIN_STATE_ID,
                      &diameter_unsigned32_type),
    APPLICATIONS(diameter_capabilities),
};
static const struct wire_group cer_group = DIAMETER_GROUP(diameter_capabilities, cer_rows);

static const struct wire_ie cea_rows[] = {
    DIAMETER_MANDATORY(diameter_cea, result_code, AVP_RESULT_CODE, &diameter_result_code_type),
    DIAMETER_MANDATORY(diameter_cea, origin_host, AVP_ORIGIN_HOST, &diameter_identity_type),
    DIAMETER_MANDATORY(diameter_cea, origin_realm, AVP_ORIGIN_REALM, &diameter_identity_type),
    DIAMETER_LIST(diameter_cea, host_ip_address, AVP_HOST_IP_ADDRESS, &diameter_address_type,
                  MAX_ADDRESSES),
    DIAMETER_OPTIONAL(diameter_cea, vendor_id, AVP_VENDOR_ID, &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(diameter_cea, product_name, AVP_PRODUCT_NAME, &diameter_utf8_type),
    DIAMETER_OPTIONAL(diameter_cea, origin_state_id, AVP_ORIGIN_STATE_ID,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(diameter_cea, error_message, AVP_ERROR_MESSAGE, &diameter_utf8_type),
    DIAMETER_OPTIONAL(diameter_cea, failed_avp, AVP_FAILED_AVP, &diameter_octets_type),
    APPLICATIONS(diameter_cea),
};
static const struct wire_group cea_group = DIAMETER_GROUP(diameter_cea, cea_rows);

static const struct wire_ie dwr_rows[] = {
    DIAMETER_MANDATORY(diameter_dwr, origin_host, AVP_ORIGIN_HOST, &diameter_identity_type),
    DIAMETER_MANDATORY(diameter_dwr, origin_realm, AVP_ORIGIN_REALM, &diameter_identity_type),
    DIAMETER_OPTIONAL(diameter_dwr, origin_state_id, AVP_ORIGIN_STATE_ID,
                      &diameter_unsigned32_type),
};
static const struct wire_group dwr_group = DIAMETER_GROUP(diameter_dwr, dwr_rows);

static const struct wire_ie dpr_rows[] = {
    DIAMETER_MANDATORY(diameter_dpr, origin_host, AVP_ORIGIN_HOST, &diameter_identity_type),
    DIAMETER_MANDATORY(diameter_dpr, origin_realm, AVP_ORIGIN_REALM, &diameter_identity_type),
    DIAMETER_MANDATORY(diameter_dpr, disconnect_cause, AVP_DISCONNECT_CAUSE,
                       &diameter_disconnect_cause_type),
};
static const struct wire_group dpr_group = DIAMETER_GROUP(diameter_dpr, dpr_rows);

static const struct wire_ie peer_answer_rows[] = {
    DIAMETER_MANDATORY(diameter_peer_answer, result_code, AVP_RESULT_CODE,
                       &diameter_result_code_type),
    DIAMETER_MANDATORY(diameter_peer_answer, origin_host, AVP_ORIGIN_HOST, &diameter_identity_type),
    DIAMETER_MANDATORY(diameter_peer_answer, origin_realm, AVP_ORIGIN_REALM,
                       &diameter_identity_type),
    DIAMETER_OPTIONAL(diameter_peer_answer, error_message, AVP_ERROR_MESSAGE, &diameter_utf8_type),
    DIAMETER_OPTIONAL(diameter_peer_answer, failed_avp, AVP_FAILED_AVP, &diameter_octets_type),
    DIAMETER_OPTIONAL(diameter_peer_answer, origin_state_id, AVP_ORIGIN_STATE_ID,
                      &diameter_unsigned32_type),
};
static const struct wire_group peer_answer_group =
    DIAMETER_GROUP(diameter_peer_answer, peer_answer_rows);

/* The struct is the head itself: a group of one member. */
struct error_answer {
    struct diameter_answer_head head;
};

static const struct wire_ie error_answer_rows[] = {
    DIAMETER_OPTIONAL(error_answer, head.vendor_application, AVP_VENDOR_SPECIFIC_APPLICATION_ID,
                      &diameter_vendor_application_type),
    DIAMETER_MANDATORY(error_answer, head.origin_host, AVP_ORIGIN_HOST, &diameter_identity_type),
    DIAMETER_MANDATORY(error_answer, head.origin_realm, AVP_ORIGIN_REALM, &diameter_identity_type),
    DIAMETER_OPTIONAL(error_answer, head.result_code, AVP_RESULT_CODE, &diameter_result_code_type),
    DIAMETER_OPTIONAL(error_answer, head.experimental_result, AVP_EXPERIMENTAL_RESULT,
                      &diameter_experimental_result_type),
    DIAMETER_OPTIONAL(error_answer, head.origin_state_id, AVP_ORIGIN_STATE_ID,
                      &diameter_unsigned32_type),
    DIAMETER_OPTIONAL(error_answer, head.auth_session_state, AVP_AUTH_SESSION_STATE,
                      &diameter_session_state_type),
    DIAMETER_OPTIONAL(error_answer, head.error_message, AVP_ERROR_MESSAGE, &diameter_utf8_type),
    DIAMETER_OPTIONAL(error_answer, head.error_reporting_host, AVP_ERROR_REPORTING_HOST,
                      &diameter_identity_type),
    DIAMETER_LIST(error_answer, head.failed_avp, AVP_FAILED_AVP, &diameter_octets_type,
                  DIAMETER_MAX_FAILED),
    DIAMETER_LIST(error_answer, head.proxy_info, AVP_PROXY_INFO, &diameter_octets_type,
                  DIAMETER_MAX_PROXIES),
};
const struct wire_group diameter_error_answer_group =
    DIAMETER_GROUP(error_answer, error_answer_rows);

#define REQUEST(abbreviation, name_of, code, rows, answer_to)                                     \
    {                                                                                             \
        .name = (abbreviation), .long_name = (name_of), .application = DIAMETER_APPLICATION_BASE, \
        .command = (code), .flags = DIAMETER_FLAG_REQUEST, .group = (rows), .answer = (answer_to) \
    }
#define ANSWER(abbreviation, name_of, code, rows)                                                 \
    {                                                                                             \
        .name = (abbreviation), .long_name = (name_of), .application = DIAMETER_APPLICATION_BASE, \
        .command = (code), .group = (rows)                                                        \
    }

const struct diameter_message diameter_cea_message =
    ANSWER("CEA", "Capabilities-Exchange-Answer", DIAMETER_CAPABILITIES_EXCHANGE, &cea_group);
const struct diameter_message diameter_cer_message =
    REQUEST("CER", "Capabilities-Exchange-Request", DIAMETER_CAPABILITIES_EXCHANGE, &cer_group,
            &diameter_cea_message);
const struct diameter_message diameter_dwa_message =
    ANSWER("DWA", "Device-Watchdog-Answer", DIAMETER_DEVICE_WATCHDOG, &peer_answer_group);
const struct diameter_message diameter_dwr_message = REQUEST(
    "DWR", "Device-Watchdog-Request", DIAMETER_DEVICE_WATCHDOG, &dwr_group, &diameter_dwa_message);
const struct diameter_message diameter_dpa_message =
    ANSWER("DPA", "Disconnect-Peer-Answer", DIAMETER_DISCONNECT_PEER, &peer_answer_group);
const struct diameter_message diameter_dpr_message = REQUEST(
    "DPR", "Disconnect-Peer-Request", DIAMETER_DISCONNECT_PEER, &dpr_group, &diameter_dpa_message);

static const struct diameter_message *const messages[] = {
    &diameter_cer_message, &diameter_cea_message, &diameter_dwr_message,
    &diameter_dwa_message, &diameter_dpr_message, &diameter_dpa_message,
};
const struct diameter_message_table diameter_base_messages = {messages, sizeof(messages) /
                                                                            sizeof(messages[0])};
