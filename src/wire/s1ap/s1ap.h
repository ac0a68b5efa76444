/*
 * s1ap.h -- S1AP, the control protocol between eNodeB and MME (TS 36.413, release 16): the door of
 * this room.
 *
 * What: every message of every procedure as a C struct (messages.h, interface_messages.h, ies.h),
 * decoded from and encoded to ALIGNED PER (X.691), both directions, so that MME and emulated eNodeB
 * share one codec. The private message (procedure 39), which has no standard content, is the only
 * one left out.
 *
 * How: each message is a table of rows {id, criticality, presence, type, offset}; one walker
 * decodes, encodes and prints them all. Decoding also judges the message as clause 10 asks and says
 * what the receiver has to do about it (struct s1ap_report), with the Criticality Diagnostics ready
 * to be sent.
 *
 * Receiving:
 *     struct s1ap_pdu pdu;
 *     struct s1ap_report report;
 *     switch (s1ap_decode(bytes, &arena, &pdu, &report)) ...
 *     if (report.verdict == S1AP_PROCEED && pdu.message == S1AP_INITIAL_UE_MESSAGE)
 *         ... pdu.initial_ue_message->nas_pdu ...
 *
 * Sending:
 *     struct s1ap_downlink_nas_transport m = {
 *         .mme_ue_s1ap_id = 1, .enb_ue_s1ap_id = 2, .nas_pdu = nas};
 *     err = s1ap_encode_downlink_nas_transport(&writer, &m);
 *
 * Memory: decoded structs lie in the arena, octet strings in the received bytes (in the arena only
 * where PER had fragmented them); both must outlive the message. No allocation, no I/O, no state:
 * any thread.
 */
#ifndef STROWGER_WIRE_S1AP_S1AP_H
#define STROWGER_WIRE_S1AP_S1AP_H

#include "base/arena.h"
#include "base/text.h"
#include "wire/s1ap/interface_messages.h"
#include "wire/s1ap/messages.h"

/* Every message: X(struct name without s1ap_, enumeration constant without S1AP_). */
#define S1AP_MESSAGES(X)                                                                    \
    X(handover_required, HANDOVER_REQUIRED)                                                 \
    X(handover_command, HANDOVER_COMMAND)                                                   \
    X(handover_preparation_failure, HANDOVER_PREPARATION_FAILURE)                           \
    X(handover_request, HANDOVER_REQUEST)                                                   \
    X(handover_request_acknowledge, HANDOVER_REQUEST_ACKNOWLEDGE)                           \
    X(handover_failure, HANDOVER_FAILURE)                                                   \
    X(handover_notify, HANDOVER_NOTIFY)                                                     \
    X(path_switch_request, PATH_SWITCH_REQUEST)                                             \
    X(path_switch_request_acknowledge, PATH_SWITCH_REQUEST_ACKNOWLEDGE)                     \
    X(path_switch_request_failure, PATH_SWITCH_REQUEST_FAILURE)                             \
    X(handover_cancel, HANDOVER_CANCEL)                                                     \
    X(handover_cancel_acknowledge, HANDOVER_CANCEL_ACKNOWLEDGE)                             \
    X(e_rab_setup_request, E_RAB_SETUP_REQUEST)                                             \
    X(e_rab_setup_response, E_RAB_SETUP_RESPONSE)                                           \
    X(e_rab_modify_request, E_RAB_MODIFY_REQUEST)                                           \
    X(e_rab_modify_response, E_RAB_MODIFY_RESPONSE)                                         \
    X(e_rab_release_command, E_RAB_RELEASE_COMMAND)                                         \
    X(e_rab_release_response, E_RAB_RELEASE_RESPONSE)                                       \
    X(e_rab_release_indication, E_RAB_RELEASE_INDICATION)                                   \
    X(initial_context_setup_request, INITIAL_CONTEXT_SETUP_REQUEST)                         \
    X(initial_context_setup_response, INITIAL_CONTEXT_SETUP_RESPONSE)                       \
    X(initial_context_setup_failure, INITIAL_CONTEXT_SETUP_FAILURE)                         \
    X(paging, PAGING)                                                                       \
    X(downlink_nas_transport, DOWNLINK_NAS_TRANSPORT)                                       \
    X(initial_ue_message, INITIAL_UE_MESSAGE)                                               \
    X(uplink_nas_transport, UPLINK_NAS_TRANSPORT)                                           \
    X(reset, RESET)                                                                         \
    X(reset_acknowledge, RESET_ACKNOWLEDGE)                                                 \
    X(error_indication, ERROR_INDICATION)                                                   \
    X(nas_non_delivery_indication, NAS_NON_DELIVERY_INDICATION)                             \
    X(s1_setup_request, S1_SETUP_REQUEST)                                                   \
    X(s1_setup_response, S1_SETUP_RESPONSE)                                                 \
    X(s1_setup_failure, S1_SETUP_FAILURE)                                                   \
    X(ue_context_release_request, UE_CONTEXT_RELEASE_REQUEST)                               \
    X(downlink_s1_cdma2000_tunnelling, DOWNLINK_S1_CDMA2000_TUNNELLING)                     \
    X(uplink_s1_cdma2000_tunnelling, UPLINK_S1_CDMA2000_TUNNELLING)                         \
    X(ue_context_modification_request, UE_CONTEXT_MODIFICATION_REQUEST)                     \
    X(ue_context_modification_response, UE_CONTEXT_MODIFICATION_RESPONSE)                   \
    X(ue_context_modification_failure, UE_CONTEXT_MODIFICATION_FAILURE)                     \
    X(ue_capability_info_indication, UE_CAPABILITY_INFO_INDICATION)                         \
    X(ue_context_release_command, UE_CONTEXT_RELEASE_COMMAND)                               \
    X(ue_context_release_complete, UE_CONTEXT_RELEASE_COMPLETE)                             \
    X(enb_status_transfer, ENB_STATUS_TRANSFER)                                             \
    X(mme_status_transfer, MME_STATUS_TRANSFER)                                             \
    X(deactivate_trace, DEACTIVATE_TRACE)                                                   \
    X(trace_start, TRACE_START)                                                             \
    X(trace_failure_indication, TRACE_FAILURE_INDICATION)                                   \
    X(enb_configuration_update, ENB_CONFIGURATION_UPDATE)                                   \
    X(enb_configuration_update_acknowledge, ENB_CONFIGURATION_UPDATE_ACKNOWLEDGE)           \
    X(enb_configuration_update_failure, ENB_CONFIGURATION_UPDATE_FAILURE)                   \
    X(mme_configuration_update, MME_CONFIGURATION_UPDATE)                                   \
    X(mme_configuration_update_acknowledge, MME_CONFIGURATION_UPDATE_ACKNOWLEDGE)           \
    X(mme_configuration_update_failure, MME_CONFIGURATION_UPDATE_FAILURE)                   \
    X(location_reporting_control, LOCATION_REPORTING_CONTROL)                               \
    X(location_reporting_failure_indication, LOCATION_REPORTING_FAILURE_INDICATION)         \
    X(location_report, LOCATION_REPORT)                                                     \
    X(overload_start, OVERLOAD_START)                                                       \
    X(overload_stop, OVERLOAD_STOP)                                                         \
    X(write_replace_warning_request, WRITE_REPLACE_WARNING_REQUEST)                         \
    X(write_replace_warning_response, WRITE_REPLACE_WARNING_RESPONSE)                       \
    X(enb_direct_information_transfer, ENB_DIRECT_INFORMATION_TRANSFER)                     \
    X(mme_direct_information_transfer, MME_DIRECT_INFORMATION_TRANSFER)                     \
    X(enb_configuration_transfer, ENB_CONFIGURATION_TRANSFER)                               \
    X(mme_configuration_transfer, MME_CONFIGURATION_TRANSFER)                               \
    X(cell_traffic_trace, CELL_TRAFFIC_TRACE)                                               \
    X(kill_request, KILL_REQUEST)                                                           \
    X(kill_response, KILL_RESPONSE)                                                         \
    X(downlink_ue_associated_lppa_transport, DOWNLINK_UE_ASSOCIATED_LPPA_TRANSPORT)         \
    X(uplink_ue_associated_lppa_transport, UPLINK_UE_ASSOCIATED_LPPA_TRANSPORT)             \
    X(downlink_non_ue_associated_lppa_transport, DOWNLINK_NON_UE_ASSOCIATED_LPPA_TRANSPORT) \
    X(uplink_non_ue_associated_lppa_transport, UPLINK_NON_UE_ASSOCIATED_LPPA_TRANSPORT)     \
    X(ue_radio_capability_match_request, UE_RADIO_CAPABILITY_MATCH_REQUEST)                 \
    X(ue_radio_capability_match_response, UE_RADIO_CAPABILITY_MATCH_RESPONSE)               \
    X(pws_restart_indication, PWS_RESTART_INDICATION)                                       \
    X(e_rab_modification_indication, E_RAB_MODIFICATION_INDICATION)                         \
    X(e_rab_modification_confirm, E_RAB_MODIFICATION_CONFIRM)                               \
    X(pws_failure_indication, PWS_FAILURE_INDICATION)                                       \
    X(reroute_nas_request, REROUTE_NAS_REQUEST)                                             \
    X(ue_context_modification_indication, UE_CONTEXT_MODIFICATION_INDICATION)               \
    X(ue_context_modification_confirm, UE_CONTEXT_MODIFICATION_CONFIRM)                     \
    X(connection_establishment_indication, CONNECTION_ESTABLISHMENT_INDICATION)             \
    X(ue_context_suspend_request, UE_CONTEXT_SUSPEND_REQUEST)                               \
    X(ue_context_suspend_response, UE_CONTEXT_SUSPEND_RESPONSE)                             \
    X(ue_context_resume_request, UE_CONTEXT_RESUME_REQUEST)                                 \
    X(ue_context_resume_response, UE_CONTEXT_RESUME_RESPONSE)                               \
    X(ue_context_resume_failure, UE_CONTEXT_RESUME_FAILURE)                                 \
    X(nas_delivery_indication, NAS_DELIVERY_INDICATION)                                     \
    X(retrieve_ue_information, RETRIEVE_UE_INFORMATION)                                     \
    X(ue_information_transfer, UE_INFORMATION_TRANSFER)                                     \
    X(enb_cp_relocation_indication, ENB_CP_RELOCATION_INDICATION)                           \
    X(mme_cp_relocation_indication, MME_CP_RELOCATION_INDICATION)                           \
    X(secondary_rat_data_usage_report_message, SECONDARY_RAT_DATA_USAGE_REPORT_MESSAGE)

enum s1ap_message {
    S1AP_NO_MESSAGE, /* could not be told, or is of an unknown procedure */
#define S1AP_MESSAGE_CONSTANT(name, NAME) S1AP_##NAME,
    S1AP_MESSAGES(S1AP_MESSAGE_CONSTANT)
#undef S1AP_MESSAGE_CONSTANT
        S1AP_MESSAGE_COUNT,
};

/* A decoded message. `message` says which pointer may be used. */
struct s1ap_pdu {
    enum s1ap_message message;
    enum s1ap_form form;
    uint8_t procedure_code;
    enum s1ap_criticality criticality; /* of the procedure, as the sender gave it */
    uint64_t lacking;                  /* see s1ap_lacks() */
    union {
        const void *body;
#define S1AP_MESSAGE_POINTER(name, NAME) const struct s1ap_##name *name;
        S1AP_MESSAGES(S1AP_MESSAGE_POINTER)
#undef S1AP_MESSAGE_POINTER
    };
};

/* What clause 10 asks of the receiver. */
enum s1ap_verdict {
    S1AP_PROCEED, /* nothing to report */

    /* Execute the procedure with what was understood, and tell the sender: diagnostics in the
     * response message of the procedure if it has one, else an Error Indication (clause 10.3.4.2,
     * ignore and notify). */
    S1AP_PROCEED_AND_NOTIFY,

    /* Execute nothing. An initiating message is answered with the unsuccessful outcome if the
     * procedure has one (with cause and diagnostics) and what it needs is there, else with an Error
     * Indication; a response counts as an unsuccessful end of the procedure and is not answered
     * (clauses 10.3.4.2, 10.3.5, 10.3.6). */
    S1AP_REJECT,

    /* The message could not be decoded or belongs to no known procedure: send an Error Indication
     * with cause and diagnostics, do nothing else (clauses 10.2, 10.3.4.1). */
    S1AP_ERROR,

    S1AP_DROP, /* do nothing: an unknown procedure that may be ignored, a broken Error Indication */
};

struct s1ap_report {
    enum s1ap_verdict verdict;
    struct s1ap_cause cause; /* a protocol cause; meaningless with S1AP_PROCEED and S1AP_DROP */

    /* What to report: the list lies in the arena. For a response message of the same procedure only
     * the list is wanted; the Error Indication adds procedure and message (clause 9.2.1.21). */
    struct s1ap_criticality_diagnostics diagnostics;
    struct s1ap_criticality_diagnostics error_indication_diagnostics;
    unsigned ignored; /* IEs not understood or missing, and of criticality ignore */

    uint8_t procedure_code; /* what error_indication_diagnostics points to */
    enum s1ap_form form;
    enum s1ap_criticality procedure_criticality;
};

/* Decodes one message. `pdu` and `report` are always filled as far as the message could be read,
 * `report` must stay in place as long as its diagnostics are used. Returns
 * - 0 for a known message: report->verdict says whether it may be executed
 * - -EBADMSG for a transfer syntax error
 * - -ENOTSUP for an unknown procedure, or a form that the procedure does not have
 * - -ENOMEM when the arena's limit was reached (verdict S1AP_DROP, cause: processing overload) */
int s1ap_decode(struct bytes message, struct arena *arena, struct s1ap_pdu *pdu,
                struct s1ap_report *report);

/* True if the mandatory IE `ie_id` was not there or not understood, so that its inline value means
 * nothing. With verdict S1AP_PROCEED or S1AP_PROCEED_AND_NOTIFY that can be so only for IEs of
 * criticality ignore or notify. A value that was there but not fully understood (unknown
 * enumeration value) is kept all the same. */
bool s1ap_lacks(const struct s1ap_pdu *pdu, uint16_t ie_id);

/* The ids a message is about, wherever it has them; NULL when it has none (or they were lacking).
 */
const uint32_t *s1ap_mme_ue_s1ap_id(const struct s1ap_pdu *pdu);
const uint32_t *s1ap_enb_ue_s1ap_id(const struct s1ap_pdu *pdu);

/* True if the initiating message's procedure has a response / an unsuccessful outcome. */
bool s1ap_has_response(uint8_t procedure_code);
bool s1ap_has_failure(uint8_t procedure_code);

/* The diagnostics for the response to the message: NULL when there is nothing to list. */
const struct s1ap_criticality_diagnostics *
s1ap_response_diagnostics(const struct s1ap_report *report);

/* The Error Indication that reports `report` about `pdu`: points into both, to be encoded while
 * they live. */
struct s1ap_error_indication s1ap_error_indication_of(const struct s1ap_pdu *pdu,
                                                      const struct s1ap_report *report);

/* Encodes a message; `body` is its struct. 0, or -EINVAL when a value is outside its range,
 * -ENOBUFS when it does not fit; then the writer is bad. */
int s1ap_encode(struct writer *w, enum s1ap_message message, const void *body);

#define S1AP_MESSAGE_ENCODER(name, NAME)                                                      \
    static inline int s1ap_encode_##name(struct writer *w, const struct s1ap_##name *message) \
    {                                                                                         \
        return s1ap_encode(w, S1AP_##NAME, message);                                          \
    }
S1AP_MESSAGES(S1AP_MESSAGE_ENCODER)
#undef S1AP_MESSAGE_ENCODER

/* What some IEs carry inside an octet string or unread, for those who look inside (the eNodeB; the
 * MME, for the target of a configuration transfer). */
#define S1AP_VALUES(X)                                                        \
    X(source_enb_to_target_enb_container, SOURCE_ENB_TO_TARGET_ENB_CONTAINER) \
    X(target_enb_to_source_enb_container, TARGET_ENB_TO_SOURCE_ENB_CONTAINER) \
    X(enb_status_transfer_container, ENB_STATUS_TRANSFER_CONTAINER)           \
    X(son_configuration_transfer, SON_CONFIGURATION_TRANSFER)

enum s1ap_value {
#define S1AP_VALUE_CONSTANT(name, NAME) S1AP_VALUE_##NAME,
    S1AP_VALUES(S1AP_VALUE_CONSTANT)
#undef S1AP_VALUE_CONSTANT
        S1AP_VALUE_COUNT,
};

/* 0, -EBADMSG or -ENOMEM; `to` is the value's struct, zeroed first. */
int s1ap_decode_value(struct bytes encoded, struct arena *arena, enum s1ap_value value, void *to);
int s1ap_encode_value(struct writer *w, enum s1ap_value value, const void *from);

#define S1AP_VALUE_CODEC(name, NAME)                                                       \
    static inline int s1ap_decode_##name(struct bytes encoded, struct arena *arena,        \
                                         struct s1ap_##name *to)                           \
    {                                                                                      \
        return s1ap_decode_value(encoded, arena, S1AP_VALUE_##NAME, to);                   \
    }                                                                                      \
    static inline int s1ap_encode_##name(struct writer *w, const struct s1ap_##name *from) \
    {                                                                                      \
        return s1ap_encode_value(w, S1AP_VALUE_##NAME, from);                              \
    }
S1AP_VALUES(S1AP_VALUE_CODEC)
#undef S1AP_VALUE_CODEC

/* One line: the message's name and all it says (`Initial UE Message enb_ue_s1ap_id=1 nas_pdu=[23
 * octets] ...`). Keys are never printed. */
void s1ap_print(struct text *t, const struct s1ap_pdu *pdu);
void s1ap_print_message(struct text *t, enum s1ap_message message, const void *body);
void s1ap_print_report(struct text *t, const struct s1ap_report *report);
void s1ap_print_cause(struct text *t, const struct s1ap_cause *cause);

/* The same from a message's bytes, for trace_set_printer(TRACE_S1AP, ...). */
void s1ap_trace_printer(struct bytes message, struct text *t);

const char *s1ap_message_name(enum s1ap_message message); /* "Initial UE Message" */
const char *s1ap_procedure_name(uint8_t procedure_code);  /* "S1 Setup" */
const char *s1ap_verdict_name(enum s1ap_verdict verdict);

/* UE Identity Index value of Paging: IMSI mod 1024 (clause 9.2.3.10); also mod 4096 (NB-IoT) and
 * 16384 (eDRX). `imsi` is digits. */
uint16_t s1ap_ue_identity_index_value(const char *imsi, unsigned modulus);

#endif
