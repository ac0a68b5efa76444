/*
 * gtpc_tables.c -- the messages of GTPv2-C, one row per information element (TS 29.274 clauses 7.1
 * to 7.9).
 *
 * Elements that a row does not name (Diameter routing names, load and overload control, non-3GPP
 * access ...) are ignored when received, as the specification wants for unknown ones
 * (clause 7.7.10). Presence is that of decoding: a conditional element is optional here, and the
 * function that needs it asks for it.
 */
#include "wire/gtp/gtpc_inner.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Bearers of one message at most: EPS bearer ids are 5..15. */
#define MAX_BEARERS 11

#define ROW(of, field, ie, nth, presence_of, type_of)                                          \
    {                                                                                          \
        .name = #field, .id = GTPC_IE_##ie, .instance = (nth), .presence = WIRE_##presence_of, \
        .offset = offsetof(struct gtpc_##of, field), .type = &(type_of)                        \
    }

#define LIST(of, field, ie, nth, presence_of, type_of)                                         \
    {                                                                                          \
        .name = #field, .id = GTPC_IE_##ie, .instance = (nth), .presence = WIRE_##presence_of, \
        .offset = offsetof(struct gtpc_##of, field), .max = MAX_BEARERS, .type = &(type_of)    \
    }

#define GROUP(of)                         \
    static const struct wire_group of = { \
        .name = #of,                      \
        .rows = of##_rows,                \
        .count = COUNT(of##_rows),        \
        .size = sizeof(struct gtpc_##of), \
        .format = &gtpc_format,           \
    }

/* A bearer context: a group inside a message. */
#define BEARER(of) \
    GROUP(of);     \
    static const struct wire_type of##_type = WIRE_GROUP_TYPE(gtpc_##of, &of)

/* Bearer contexts */
static const struct wire_ie bearer_to_be_created_rows[] = {
    ROW(bearer_to_be_created, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_to_be_created, tft, BEARER_TFT, 0, OPTIONAL, wire_bytes),
    ROW(bearer_to_be_created, s1_u_enodeb, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_created, s4_u_sgsn, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_created, s5_s8_u_sgw, F_TEID, 2, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_created, s5_s8_u_pgw, F_TEID, 3, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_created, s12_rnc, F_TEID, 4, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_created, qos, BEARER_QOS, 0, MANDATORY, gtpc_bearer_qos_type),
    ROW(bearer_to_be_created, s11_u_mme, F_TEID, 7, OPTIONAL, gtpc_f_teid_type),
};
BEARER(bearer_to_be_created);

static const struct wire_ie bearer_created_rows[] = {
    ROW(bearer_created, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_created, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(bearer_created, s1_u_sgw, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_created, s4_u_sgw, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_created, s5_s8_u_pgw, F_TEID, 2, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_created, s12_sgw, F_TEID, 3, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_created, qos, BEARER_QOS, 0, OPTIONAL, gtpc_bearer_qos_type),
    ROW(bearer_created, charging_id, CHARGING_ID, 0, OPTIONAL, wire_u32),
    ROW(bearer_created, bearer_flags, BEARER_FLAGS, 0, OPTIONAL, wire_u8),
    ROW(bearer_created, s11_u_sgw, F_TEID, 6, OPTIONAL, gtpc_f_teid_type),
};
BEARER(bearer_created);

static const struct wire_ie bearer_to_be_modified_rows[] = {
    ROW(bearer_to_be_modified, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_to_be_modified, s1_u_enodeb, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_modified, s5_s8_u_sgw, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_modified, s12_rnc, F_TEID, 2, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_modified, s4_u_sgsn, F_TEID, 3, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_modified, s11_u_mme, F_TEID, 4, OPTIONAL, gtpc_f_teid_type),
};
BEARER(bearer_to_be_modified);

static const struct wire_ie bearer_modified_rows[] = {
    ROW(bearer_modified, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_modified, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(bearer_modified, s1_u_sgw, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_modified, s12_sgw, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_modified, s4_u_sgw, F_TEID, 2, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_modified, charging_id, CHARGING_ID, 0, OPTIONAL, wire_u32),
    ROW(bearer_modified, bearer_flags, BEARER_FLAGS, 0, OPTIONAL, wire_u8),
    ROW(bearer_modified, s11_u_sgw, F_TEID, 3, OPTIONAL, gtpc_f_teid_type),
};
BEARER(bearer_modified);

static const struct wire_ie bearer_to_be_removed_rows[] = {
    ROW(bearer_to_be_removed, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_to_be_removed, s4_u_sgsn, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
};
BEARER(bearer_to_be_removed);

static const struct wire_ie bearer_outcome_rows[] = {
    ROW(bearer_outcome, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_outcome, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(bearer_outcome, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(bearer_outcome, ran_nas_cause, RAN_NAS_CAUSE, 0, OPTIONAL, gtpc_ran_nas_cause_type),
};
BEARER(bearer_outcome);

static const struct wire_ie bearer_to_be_set_up_rows[] = {
    ROW(bearer_to_be_set_up, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_to_be_set_up, tft, BEARER_TFT, 0, MANDATORY, wire_bytes),
    ROW(bearer_to_be_set_up, s1_u_sgw, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_set_up, s5_s8_u_pgw, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_set_up, s12_sgw, F_TEID, 2, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_set_up, s4_u_sgw, F_TEID, 3, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_to_be_set_up, qos, BEARER_QOS, 0, MANDATORY, gtpc_bearer_qos_type),
    ROW(bearer_to_be_set_up, charging_id, CHARGING_ID, 0, OPTIONAL, wire_u32),
    ROW(bearer_to_be_set_up, bearer_flags, BEARER_FLAGS, 0, OPTIONAL, wire_u8),
    ROW(bearer_to_be_set_up, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
};
BEARER(bearer_to_be_set_up);

static const struct wire_ie bearer_set_up_rows[] = {
    ROW(bearer_set_up, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_set_up, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(bearer_set_up, s1_u_enodeb, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_set_up, s1_u_sgw, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_set_up, s5_s8_u_sgw, F_TEID, 2, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_set_up, s5_s8_u_pgw, F_TEID, 3, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_set_up, s12_rnc, F_TEID, 4, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_set_up, s12_sgw, F_TEID, 5, OPTIONAL, gtpc_f_teid_type),
    ROW(bearer_set_up, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(bearer_set_up, ran_nas_cause, RAN_NAS_CAUSE, 0, OPTIONAL, gtpc_ran_nas_cause_type),
};
BEARER(bearer_set_up);

static const struct wire_ie bearer_to_be_updated_rows[] = {
    ROW(bearer_to_be_updated, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_to_be_updated, tft, BEARER_TFT, 0, OPTIONAL, wire_bytes),
    ROW(bearer_to_be_updated, qos, BEARER_QOS, 0, OPTIONAL, gtpc_bearer_qos_type),
    ROW(bearer_to_be_updated, bearer_flags, BEARER_FLAGS, 0, OPTIONAL, wire_u8),
    ROW(bearer_to_be_updated, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
};
BEARER(bearer_to_be_updated);

static const struct wire_ie bearer_of_command_rows[] = {
    ROW(bearer_of_command, ebi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_of_command, qos, BEARER_QOS, 0, OPTIONAL, gtpc_bearer_qos_type),
    ROW(bearer_of_command, bearer_flags, BEARER_FLAGS, 0, OPTIONAL, wire_u8),
    ROW(bearer_of_command, ran_nas_cause, RAN_NAS_CAUSE, 0, OPTIONAL, gtpc_ran_nas_cause_type),
};
BEARER(bearer_of_command);

/* Path management */
static const struct wire_ie echo_rows[] = {
    ROW(echo, recovery, RECOVERY, 0, MANDATORY, wire_u8),
    ROW(echo, node_features, NODE_FEATURES, 0, OPTIONAL, wire_u8),
};
GROUP(echo);

/* Tunnel management */
static const struct wire_ie create_session_request_rows[] = {
    ROW(create_session_request, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
    ROW(create_session_request, msisdn, MSISDN, 0, OPTIONAL, gtpc_msisdn),
    ROW(create_session_request, mei, MEI, 0, OPTIONAL, gtpc_mei),
    ROW(create_session_request, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
    ROW(create_session_request, serving_network, SERVING_NETWORK, 0, OPTIONAL,
        gtpc_serving_network),
    ROW(create_session_request, rat_type, RAT_TYPE, 0, MANDATORY, wire_u8),
    ROW(create_session_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(create_session_request, sender, F_TEID, 0, MANDATORY, gtpc_f_teid_type),
    ROW(create_session_request, pgw, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(create_session_request, apn, APN, 0, MANDATORY, gtpc_apn),
    ROW(create_session_request, selection_mode, SELECTION_MODE, 0, OPTIONAL,
        gtpc_selection_mode_type),
    ROW(create_session_request, pdn_type, PDN_TYPE, 0, OPTIONAL, gtpc_pdn_type_type),
    ROW(create_session_request, paa, PAA, 0, OPTIONAL, gtpc_paa_type),
    ROW(create_session_request, maximum_apn_restriction, APN_RESTRICTION, 0, OPTIONAL, wire_u8),
    ROW(create_session_request, ambr, AMBR, 0, OPTIONAL, gtpc_ambr_type),
    ROW(create_session_request, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    ROW(create_session_request, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    LIST(create_session_request, bearers, BEARER_CONTEXT, 0, LIST_MANDATORY,
         bearer_to_be_created_type),
    LIST(create_session_request, bearers_to_be_removed, BEARER_CONTEXT, 1, LIST,
         bearer_to_be_removed_type),
    ROW(create_session_request, trace_information, TRACE_INFORMATION, 0, OPTIONAL, wire_bytes),
    ROW(create_session_request, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(create_session_request, mme_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_session_request, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_session_request, ue_time_zone, UE_TIME_ZONE, 0, OPTIONAL, gtpc_ue_time_zone_type),
    ROW(create_session_request, uci, UCI, 0, OPTIONAL, wire_bytes),
    ROW(create_session_request, charging_characteristics, CHARGING_CHARACTERISTICS, 0, OPTIONAL,
        wire_u16),
    ROW(create_session_request, mme_ldn, LDN, 0, OPTIONAL, wire_ascii),
    ROW(create_session_request, sgw_ldn, LDN, 1, OPTIONAL, wire_ascii),
    ROW(create_session_request, signalling_priority_indication, SIGNALLING_PRIORITY_INDICATION, 0,
        OPTIONAL, wire_u8),
    ROW(create_session_request, mme_identifier, IP_ADDRESS, 2, OPTIONAL, gtpc_ip_address_type),
    ROW(create_session_request, additional_pco, ADDITIONAL_PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(create_session_request, extended_pco, EXTENDED_PCO, 0, OPTIONAL, wire_bytes),
};
GROUP(create_session_request);

/* The bearer contexts are mandatory in the specification, and yet many refusals come without. */
static const struct wire_ie create_session_response_rows[] = {
    ROW(create_session_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(create_session_response, change_reporting_action, CHANGE_REPORTING_ACTION, 0, OPTIONAL,
        wire_u8),
    ROW(create_session_response, csg_information_reporting_action, CSG_INFORMATION_REPORTING_ACTION,
        0, OPTIONAL, wire_u8),
    ROW(create_session_response, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(create_session_response, pgw, F_TEID, 1, OPTIONAL, gtpc_f_teid_type),
    ROW(create_session_response, paa, PAA, 0, OPTIONAL, gtpc_paa_type),
    ROW(create_session_response, apn_restriction, APN_RESTRICTION, 0, OPTIONAL, wire_u8),
    ROW(create_session_response, ambr, AMBR, 0, OPTIONAL, gtpc_ambr_type),
    ROW(create_session_response, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    ROW(create_session_response, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    LIST(create_session_response, bearers, BEARER_CONTEXT, 0, LIST, bearer_created_type),
    LIST(create_session_response, bearers_marked_for_removal, BEARER_CONTEXT, 1, LIST,
         bearer_outcome_type),
    ROW(create_session_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(create_session_response, charging_gateway_name, FQDN, 0, OPTIONAL, wire_ascii),
    ROW(create_session_response, charging_gateway_address, IP_ADDRESS, 0, OPTIONAL,
        gtpc_ip_address_type),
    ROW(create_session_response, pgw_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_session_response, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_session_response, sgw_ldn, LDN, 0, OPTIONAL, wire_ascii),
    ROW(create_session_response, pgw_ldn, LDN, 1, OPTIONAL, wire_ascii),
    ROW(create_session_response, pgw_back_off_time, EPC_TIMER, 0, OPTIONAL, gtpc_epc_timer_type),
    ROW(create_session_response, additional_pco, ADDITIONAL_PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(create_session_response, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(create_session_response, charging_id, CHARGING_ID, 0, OPTIONAL, wire_u32),
    ROW(create_session_response, extended_pco, EXTENDED_PCO, 0, OPTIONAL, wire_bytes),
};
GROUP(create_session_response);

static const struct wire_ie modify_bearer_request_rows[] = {
    ROW(modify_bearer_request, mei, MEI, 0, OPTIONAL, gtpc_mei),
    ROW(modify_bearer_request, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
    ROW(modify_bearer_request, serving_network, SERVING_NETWORK, 0, OPTIONAL, gtpc_serving_network),
    ROW(modify_bearer_request, rat_type, RAT_TYPE, 0, OPTIONAL, wire_u8),
    ROW(modify_bearer_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(modify_bearer_request, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(modify_bearer_request, ambr, AMBR, 0, OPTIONAL, gtpc_ambr_type),
    ROW(modify_bearer_request, delay_downlink_packet_notification, DELAY_VALUE, 0, OPTIONAL,
        wire_u8),
    LIST(modify_bearer_request, bearers, BEARER_CONTEXT, 0, LIST, bearer_to_be_modified_type),
    LIST(modify_bearer_request, bearers_to_be_removed, BEARER_CONTEXT, 1, LIST,
         bearer_to_be_removed_type),
    ROW(modify_bearer_request, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(modify_bearer_request, ue_time_zone, UE_TIME_ZONE, 0, OPTIONAL, gtpc_ue_time_zone_type),
    ROW(modify_bearer_request, mme_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(modify_bearer_request, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(modify_bearer_request, uci, UCI, 0, OPTIONAL, wire_bytes),
    ROW(modify_bearer_request, mme_ldn, LDN, 0, OPTIONAL, wire_ascii),
    ROW(modify_bearer_request, sgw_ldn, LDN, 1, OPTIONAL, wire_ascii),
    ROW(modify_bearer_request, mme_identifier, IP_ADDRESS, 2, OPTIONAL, gtpc_ip_address_type),
    ROW(modify_bearer_request, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
};
GROUP(modify_bearer_request);

static const struct wire_ie modify_bearer_response_rows[] = {
    ROW(modify_bearer_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(modify_bearer_response, msisdn, MSISDN, 0, OPTIONAL, gtpc_msisdn),
    ROW(modify_bearer_response, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    ROW(modify_bearer_response, ambr, AMBR, 0, OPTIONAL, gtpc_ambr_type),
    ROW(modify_bearer_response, apn_restriction, APN_RESTRICTION, 0, OPTIONAL, wire_u8),
    ROW(modify_bearer_response, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    LIST(modify_bearer_response, bearers, BEARER_CONTEXT, 0, LIST, bearer_modified_type),
    LIST(modify_bearer_response, bearers_marked_for_removal, BEARER_CONTEXT, 1, LIST,
         bearer_outcome_type),
    ROW(modify_bearer_response, change_reporting_action, CHANGE_REPORTING_ACTION, 0, OPTIONAL,
        wire_u8),
    ROW(modify_bearer_response, charging_gateway_name, FQDN, 0, OPTIONAL, wire_ascii),
    ROW(modify_bearer_response, charging_gateway_address, IP_ADDRESS, 0, OPTIONAL,
        gtpc_ip_address_type),
    ROW(modify_bearer_response, pgw_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(modify_bearer_response, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(modify_bearer_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(modify_bearer_response, sgw_ldn, LDN, 0, OPTIONAL, wire_ascii),
    ROW(modify_bearer_response, pgw_ldn, LDN, 1, OPTIONAL, wire_ascii),
    ROW(modify_bearer_response, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(modify_bearer_response, charging_id, CHARGING_ID, 0, OPTIONAL, wire_u32),
};
GROUP(modify_bearer_response);

static const struct wire_ie delete_session_request_rows[] = {
    ROW(delete_session_request, cause, CAUSE, 0, OPTIONAL, gtpc_cause_type),
    ROW(delete_session_request, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    ROW(delete_session_request, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
    ROW(delete_session_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(delete_session_request, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(delete_session_request, originating_node, NODE_TYPE, 0, OPTIONAL, wire_u8),
    ROW(delete_session_request, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(delete_session_request, ue_time_zone, UE_TIME_ZONE, 0, OPTIONAL, gtpc_ue_time_zone_type),
    ROW(delete_session_request, uli_timestamp, ULI_TIMESTAMP, 0, OPTIONAL, wire_u32),
    ROW(delete_session_request, ran_nas_cause, RAN_NAS_CAUSE, 0, OPTIONAL, gtpc_ran_nas_cause_type),
    ROW(delete_session_request, extended_pco, EXTENDED_PCO, 0, OPTIONAL, wire_bytes),
};
GROUP(delete_session_request);

static const struct wire_ie delete_session_response_rows[] = {
    ROW(delete_session_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(delete_session_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(delete_session_response, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(delete_session_response, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(delete_session_response, extended_pco, EXTENDED_PCO, 0, OPTIONAL, wire_bytes),
};
GROUP(delete_session_response);

static const struct wire_ie change_notification_request_rows[] = {
    ROW(change_notification_request, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
    ROW(change_notification_request, mei, MEI, 0, OPTIONAL, gtpc_mei),
    ROW(change_notification_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(change_notification_request, rat_type, RAT_TYPE, 0, MANDATORY, wire_u8),
    ROW(change_notification_request, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
    ROW(change_notification_request, uci, UCI, 0, OPTIONAL, wire_bytes),
    ROW(change_notification_request, pgw, IP_ADDRESS, 0, OPTIONAL, gtpc_ip_address_type),
    ROW(change_notification_request, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
};
GROUP(change_notification_request);

static const struct wire_ie change_notification_response_rows[] = {
    ROW(change_notification_response, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
    ROW(change_notification_response, mei, MEI, 0, OPTIONAL, gtpc_mei),
    ROW(change_notification_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(change_notification_response, change_reporting_action, CHANGE_REPORTING_ACTION, 0, OPTIONAL,
        wire_u8),
    ROW(change_notification_response, csg_information_reporting_action,
        CSG_INFORMATION_REPORTING_ACTION, 0, OPTIONAL, wire_u8),
};
GROUP(change_notification_response);

static const struct wire_ie modify_bearer_command_rows[] = {
    ROW(modify_bearer_command, ambr, AMBR, 0, MANDATORY, gtpc_ambr_type),
    ROW(modify_bearer_command, bearer, BEARER_CONTEXT, 0, MANDATORY, bearer_of_command_type),
    ROW(modify_bearer_command, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
};
GROUP(modify_bearer_command);

static const struct wire_ie modify_bearer_failure_indication_rows[] = {
    ROW(modify_bearer_failure_indication, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(modify_bearer_failure_indication, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(modify_bearer_failure_indication, indication, INDICATION, 0, OPTIONAL,
        gtpc_indication_type),
};
GROUP(modify_bearer_failure_indication);

static const struct wire_ie delete_bearer_command_rows[] = {
    LIST(delete_bearer_command, bearers, BEARER_CONTEXT, 0, LIST_MANDATORY, bearer_of_command_type),
    ROW(delete_bearer_command, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
    ROW(delete_bearer_command, uli_timestamp, ULI_TIMESTAMP, 0, OPTIONAL, wire_u32),
    ROW(delete_bearer_command, ue_time_zone, UE_TIME_ZONE, 0, OPTIONAL, gtpc_ue_time_zone_type),
    ROW(delete_bearer_command, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
};
GROUP(delete_bearer_command);

static const struct wire_ie delete_bearer_failure_indication_rows[] = {
    ROW(delete_bearer_failure_indication, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    LIST(delete_bearer_failure_indication, bearers, BEARER_CONTEXT, 0, LIST, bearer_outcome_type),
    ROW(delete_bearer_failure_indication, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(delete_bearer_failure_indication, indication, INDICATION, 0, OPTIONAL,
        gtpc_indication_type),
};
GROUP(delete_bearer_failure_indication);

static const struct wire_ie bearer_resource_command_rows[] = {
    ROW(bearer_resource_command, lbi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_resource_command, pti, PTI, 0, MANDATORY, wire_u8),
    ROW(bearer_resource_command, flow_qos, FLOW_QOS, 0, OPTIONAL, gtpc_flow_qos_type),
    ROW(bearer_resource_command, tad, TAD, 0, MANDATORY, wire_bytes),
    ROW(bearer_resource_command, rat_type, RAT_TYPE, 0, OPTIONAL, wire_u8),
    ROW(bearer_resource_command, serving_network, SERVING_NETWORK, 0, OPTIONAL,
        gtpc_serving_network),
    ROW(bearer_resource_command, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
    ROW(bearer_resource_command, ebi, EBI, 1, OPTIONAL, gtpc_nibble),
    ROW(bearer_resource_command, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(bearer_resource_command, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(bearer_resource_command, sender, F_TEID, 2, OPTIONAL, gtpc_f_teid_type),
};
GROUP(bearer_resource_command);

static const struct wire_ie bearer_resource_failure_indication_rows[] = {
    ROW(bearer_resource_failure_indication, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(bearer_resource_failure_indication, lbi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(bearer_resource_failure_indication, pti, PTI, 0, MANDATORY, wire_u8),
    ROW(bearer_resource_failure_indication, indication, INDICATION, 0, OPTIONAL,
        gtpc_indication_type),
    ROW(bearer_resource_failure_indication, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
};
GROUP(bearer_resource_failure_indication);

static const struct wire_ie downlink_data_notification_rows[] = {
    ROW(downlink_data_notification, cause, CAUSE, 0, OPTIONAL, gtpc_cause_type),
    LIST(downlink_data_notification, ebi, EBI, 0, LIST, gtpc_nibble),
    ROW(downlink_data_notification, arp, ARP, 0, OPTIONAL, gtpc_arp_type),
    ROW(downlink_data_notification, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
    ROW(downlink_data_notification, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(downlink_data_notification, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    LIST(downlink_data_notification, paging_and_service_information, PAGING_AND_SERVICE_INFORMATION,
         0, LIST, wire_bytes),
};
GROUP(downlink_data_notification);

static const struct wire_ie downlink_data_notification_acknowledge_rows[] = {
    ROW(downlink_data_notification_acknowledge, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(downlink_data_notification_acknowledge, data_notification_delay, DELAY_VALUE, 0, OPTIONAL,
        wire_u8),
    ROW(downlink_data_notification_acknowledge, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(downlink_data_notification_acknowledge, dl_low_priority_traffic_throttling, THROTTLING, 0,
        OPTIONAL, gtpc_throttling_type),
    ROW(downlink_data_notification_acknowledge, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
    ROW(downlink_data_notification_acknowledge, dl_buffering_duration, EPC_TIMER, 0, OPTIONAL,
        gtpc_epc_timer_type),
    ROW(downlink_data_notification_acknowledge, dl_buffering_suggested_packet_count, INTEGER_NUMBER,
        0, OPTIONAL, wire_bytes),
};
GROUP(downlink_data_notification_acknowledge);

static const struct wire_ie downlink_data_notification_failure_indication_rows[] = {
    ROW(downlink_data_notification_failure_indication, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(downlink_data_notification_failure_indication, originating_node, NODE_TYPE, 0, OPTIONAL,
        wire_u8),
    ROW(downlink_data_notification_failure_indication, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
};
GROUP(downlink_data_notification_failure_indication);

static const struct wire_ie stop_paging_indication_rows[] = {
    ROW(stop_paging_indication, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
};
GROUP(stop_paging_indication);

static const struct wire_ie create_bearer_request_rows[] = {
    ROW(create_bearer_request, pti, PTI, 0, OPTIONAL, wire_u8),
    ROW(create_bearer_request, lbi, EBI, 0, MANDATORY, gtpc_nibble),
    ROW(create_bearer_request, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    LIST(create_bearer_request, bearers, BEARER_CONTEXT, 0, LIST_MANDATORY,
         bearer_to_be_set_up_type),
    ROW(create_bearer_request, pgw_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_bearer_request, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_bearer_request, change_reporting_action, CHANGE_REPORTING_ACTION, 0, OPTIONAL,
        wire_u8),
    ROW(create_bearer_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
};
GROUP(create_bearer_request);

static const struct wire_ie create_bearer_response_rows[] = {
    ROW(create_bearer_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    LIST(create_bearer_response, bearers, BEARER_CONTEXT, 0, LIST, bearer_set_up_type),
    ROW(create_bearer_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(create_bearer_response, mme_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_bearer_response, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(create_bearer_response, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(create_bearer_response, ue_time_zone, UE_TIME_ZONE, 0, OPTIONAL, gtpc_ue_time_zone_type),
    ROW(create_bearer_response, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
};
GROUP(create_bearer_response);

static const struct wire_ie update_bearer_request_rows[] = {
    LIST(update_bearer_request, bearers, BEARER_CONTEXT, 0, LIST_MANDATORY,
         bearer_to_be_updated_type),
    ROW(update_bearer_request, pti, PTI, 0, OPTIONAL, wire_u8),
    ROW(update_bearer_request, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(update_bearer_request, ambr, AMBR, 0, MANDATORY, gtpc_ambr_type),
    ROW(update_bearer_request, change_reporting_action, CHANGE_REPORTING_ACTION, 0, OPTIONAL,
        wire_u8),
    ROW(update_bearer_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(update_bearer_request, pgw_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(update_bearer_request, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
};
GROUP(update_bearer_request);

static const struct wire_ie update_bearer_response_rows[] = {
    ROW(update_bearer_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    LIST(update_bearer_response, bearers, BEARER_CONTEXT, 0, LIST, bearer_outcome_type),
    ROW(update_bearer_response, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(update_bearer_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(update_bearer_response, mme_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(update_bearer_response, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(update_bearer_response, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(update_bearer_response, ue_time_zone, UE_TIME_ZONE, 0, OPTIONAL, gtpc_ue_time_zone_type),
    ROW(update_bearer_response, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
};
GROUP(update_bearer_response);

static const struct wire_ie delete_bearer_request_rows[] = {
    ROW(delete_bearer_request, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    LIST(delete_bearer_request, ebi, EBI, 1, LIST, gtpc_nibble),
    LIST(delete_bearer_request, failed_bearers, BEARER_CONTEXT, 0, LIST, bearer_outcome_type),
    ROW(delete_bearer_request, pti, PTI, 0, OPTIONAL, wire_u8),
    ROW(delete_bearer_request, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(delete_bearer_request, pgw_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(delete_bearer_request, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(delete_bearer_request, cause, CAUSE, 0, OPTIONAL, gtpc_cause_type),
    ROW(delete_bearer_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
};
GROUP(delete_bearer_request);

static const struct wire_ie delete_bearer_response_rows[] = {
    ROW(delete_bearer_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(delete_bearer_response, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    LIST(delete_bearer_response, bearers, BEARER_CONTEXT, 0, LIST, bearer_outcome_type),
    ROW(delete_bearer_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(delete_bearer_response, mme_fq_csid, FQ_CSID, 0, OPTIONAL, gtpc_fq_csid_type),
    ROW(delete_bearer_response, sgw_fq_csid, FQ_CSID, 1, OPTIONAL, gtpc_fq_csid_type),
    ROW(delete_bearer_response, pco, PCO, 0, OPTIONAL, gtpc_pco_type),
    ROW(delete_bearer_response, ue_time_zone, UE_TIME_ZONE, 0, OPTIONAL, gtpc_ue_time_zone_type),
    ROW(delete_bearer_response, uli, ULI, 0, OPTIONAL, gtpc_uli_type),
    ROW(delete_bearer_response, uli_timestamp, ULI_TIMESTAMP, 0, OPTIONAL, wire_u32),
};
GROUP(delete_bearer_response);

static const struct wire_ie suspend_notification_rows[] = {
    ROW(suspend_notification, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
    ROW(suspend_notification, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    ROW(suspend_notification, originating_node, NODE_TYPE, 0, OPTIONAL, wire_u8),
    ROW(suspend_notification, address, IP_ADDRESS, 0, OPTIONAL, gtpc_ip_address_type),
    ROW(suspend_notification, udp_port, PORT_NUMBER, 0, OPTIONAL, wire_u16),
    ROW(suspend_notification, hop_counter, HOP_COUNTER, 0, OPTIONAL, wire_u8),
    ROW(suspend_notification, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
};
GROUP(suspend_notification);

static const struct wire_ie suspend_acknowledge_rows[] = {
    ROW(suspend_acknowledge, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
};
GROUP(suspend_acknowledge);

static const struct wire_ie resume_notification_rows[] = {
    ROW(resume_notification, imsi, IMSI, 0, OPTIONAL, gtpc_imsi),
    ROW(resume_notification, lbi, EBI, 0, OPTIONAL, gtpc_nibble),
    ROW(resume_notification, originating_node, NODE_TYPE, 0, OPTIONAL, wire_u8),
    ROW(resume_notification, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
};
GROUP(resume_notification);

static const struct wire_ie resume_acknowledge_rows[] = {
    ROW(resume_acknowledge, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
};
GROUP(resume_acknowledge);

static const struct wire_ie release_access_bearers_request_rows[] = {
    LIST(release_access_bearers_request, ebi, EBI, 0, LIST, gtpc_nibble),
    ROW(release_access_bearers_request, originating_node, NODE_TYPE, 0, OPTIONAL, wire_u8),
    ROW(release_access_bearers_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
};
GROUP(release_access_bearers_request);

static const struct wire_ie release_access_bearers_response_rows[] = {
    ROW(release_access_bearers_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    ROW(release_access_bearers_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(release_access_bearers_response, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
};
GROUP(release_access_bearers_response);

/* Restoration (clause 7.9) */
static const struct wire_ie pgw_restart_notification_rows[] = {
    ROW(pgw_restart_notification, pgw, IP_ADDRESS, 0, MANDATORY, gtpc_ip_address_type),
    ROW(pgw_restart_notification, sgw, IP_ADDRESS, 1, MANDATORY, gtpc_ip_address_type),
    ROW(pgw_restart_notification, cause, CAUSE, 0, OPTIONAL, gtpc_cause_type),
};
GROUP(pgw_restart_notification);

static const struct wire_ie pgw_restart_notification_acknowledge_rows[] = {
    ROW(pgw_restart_notification_acknowledge, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
};
GROUP(pgw_restart_notification_acknowledge);

static const struct wire_ie modify_access_bearers_request_rows[] = {
    ROW(modify_access_bearers_request, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
    ROW(modify_access_bearers_request, sender, F_TEID, 0, OPTIONAL, gtpc_f_teid_type),
    ROW(modify_access_bearers_request, delay_downlink_packet_notification, DELAY_VALUE, 0, OPTIONAL,
        wire_u8),
    LIST(modify_access_bearers_request, bearers, BEARER_CONTEXT, 0, LIST,
         bearer_to_be_modified_type),
    LIST(modify_access_bearers_request, bearers_to_be_removed, BEARER_CONTEXT, 1, LIST,
         bearer_to_be_removed_type),
    ROW(modify_access_bearers_request, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
};
GROUP(modify_access_bearers_request);

static const struct wire_ie modify_access_bearers_response_rows[] = {
    ROW(modify_access_bearers_response, cause, CAUSE, 0, MANDATORY, gtpc_cause_type),
    LIST(modify_access_bearers_response, bearers, BEARER_CONTEXT, 0, LIST, bearer_modified_type),
    LIST(modify_access_bearers_response, bearers_marked_for_removal, BEARER_CONTEXT, 1, LIST,
         bearer_outcome_type),
    ROW(modify_access_bearers_response, recovery, RECOVERY, 0, OPTIONAL, wire_u8),
    ROW(modify_access_bearers_response, indication, INDICATION, 0, OPTIONAL, gtpc_indication_type),
};
GROUP(modify_access_bearers_response);

/* All of them (clause 6.1). A request of type N is answered by N + 1, with few exceptions. */
#define KIND(type_of, name_of, role_of, answer_of, group_of) \
    [GTPC_##type_of] = {                                     \
        .name = (name_of),                                   \
        .type = GTPC_##type_of,                              \
        .answer = (answer_of),                               \
        .role = GTPC_##role_of,                              \
        .group = (group_of),                                 \
    }
#define REQUEST(type_of, name_of, group_of) \
    KIND(type_of, name_of, REQUEST, GTPC_##type_of + 1, group_of)
#define RESPONSE(type_of, name_of, group_of)     KIND(type_of, name_of, RESPONSE, 0, group_of)
#define NOTIFICATION(type_of, name_of, group_of) KIND(type_of, name_of, NOTIFICATION, 0, group_of)
#define COMMAND(type_of, name_of, group_of) \
    KIND(type_of, name_of, COMMAND, GTPC_##type_of + 1, group_of)

static const struct gtpc_kind kinds[256] = {
    REQUEST(ECHO_REQUEST, "Echo Request", &echo),
    RESPONSE(ECHO_RESPONSE, "Echo Response", &echo),
    RESPONSE(VERSION_NOT_SUPPORTED, "Version Not Supported Indication", NULL),
    REQUEST(CREATE_SESSION_REQUEST, "Create Session Request", &create_session_request),
    RESPONSE(CREATE_SESSION_RESPONSE, "Create Session Response", &create_session_response),
    REQUEST(MODIFY_BEARER_REQUEST, "Modify Bearer Request", &modify_bearer_request),
    RESPONSE(MODIFY_BEARER_RESPONSE, "Modify Bearer Response", &modify_bearer_response),
    REQUEST(DELETE_SESSION_REQUEST, "Delete Session Request", &delete_session_request),
    RESPONSE(DELETE_SESSION_RESPONSE, "Delete Session Response", &delete_session_response),
    REQUEST(CHANGE_NOTIFICATION_REQUEST, "Change Notification Request",
            &change_notification_request),
    RESPONSE(CHANGE_NOTIFICATION_RESPONSE, "Change Notification Response",
             &change_notification_response),
    COMMAND(MODIFY_BEARER_COMMAND, "Modify Bearer Command", &modify_bearer_command),
    RESPONSE(MODIFY_BEARER_FAILURE_INDICATION, "Modify Bearer Failure Indication",
             &modify_bearer_failure_indication),
    COMMAND(DELETE_BEARER_COMMAND, "Delete Bearer Command", &delete_bearer_command),
    RESPONSE(DELETE_BEARER_FAILURE_INDICATION, "Delete Bearer Failure Indication",
             &delete_bearer_failure_indication),
    COMMAND(BEARER_RESOURCE_COMMAND, "Bearer Resource Command", &bearer_resource_command),
    RESPONSE(BEARER_RESOURCE_FAILURE_INDICATION, "Bearer Resource Failure Indication",
             &bearer_resource_failure_indication),
    NOTIFICATION(DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION,
                 "Downlink Data Notification Failure Indication",
                 &downlink_data_notification_failure_indication),
    NOTIFICATION(STOP_PAGING_INDICATION, "Stop Paging Indication", &stop_paging_indication),
    REQUEST(CREATE_BEARER_REQUEST, "Create Bearer Request", &create_bearer_request),
    RESPONSE(CREATE_BEARER_RESPONSE, "Create Bearer Response", &create_bearer_response),
    REQUEST(UPDATE_BEARER_REQUEST, "Update Bearer Request", &update_bearer_request),
    RESPONSE(UPDATE_BEARER_RESPONSE, "Update Bearer Response", &update_bearer_response),
    REQUEST(DELETE_BEARER_REQUEST, "Delete Bearer Request", &delete_bearer_request),
    RESPONSE(DELETE_BEARER_RESPONSE, "Delete Bearer Response", &delete_bearer_response),
    REQUEST(SUSPEND_NOTIFICATION, "Suspend Notification", &suspend_notification),
    RESPONSE(SUSPEND_ACKNOWLEDGE, "Suspend Acknowledge", &suspend_acknowledge),
    REQUEST(RESUME_NOTIFICATION, "Resume Notification", &resume_notification),
    RESPONSE(RESUME_ACKNOWLEDGE, "Resume Acknowledge", &resume_acknowledge),
    REQUEST(RELEASE_ACCESS_BEARERS_REQUEST, "Release Access Bearers Request",
            &release_access_bearers_request),
    RESPONSE(RELEASE_ACCESS_BEARERS_RESPONSE, "Release Access Bearers Response",
             &release_access_bearers_response),
    REQUEST(DOWNLINK_DATA_NOTIFICATION, "Downlink Data Notification", &downlink_data_notification),
    RESPONSE(DOWNLINK_DATA_NOTIFICATION_ACKNOWLEDGE, "Downlink Data Notification Acknowledge",
             &downlink_data_notification_acknowledge),
    REQUEST(PGW_RESTART_NOTIFICATION, "PGW Restart Notification", &pgw_restart_notification),
    RESPONSE(PGW_RESTART_NOTIFICATION_ACKNOWLEDGE, "PGW Restart Notification Acknowledge",
             &pgw_restart_notification_acknowledge),
    REQUEST(MODIFY_ACCESS_BEARERS_REQUEST, "Modify Access Bearers Request",
            &modify_access_bearers_request),
    RESPONSE(MODIFY_ACCESS_BEARERS_RESPONSE, "Modify Access Bearers Response",
             &modify_access_bearers_response),
};

const struct gtpc_kind *gtpc_kind(uint8_t type)
{
    return kinds[type].name ? &kinds[type] : NULL;
}
