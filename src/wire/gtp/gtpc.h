/*
 * gtpc.h -- GTPv2-C (TS 29.274, Release 15): sessions and bearers between MME, S-GW and P-GW (S11,
 * S5/S8).
 *
 * A message is a header (type, length, the receiver's TEID, a sequence number) and information
 * elements of type, length, instance, value. The instance tells elements of one type apart: in a
 * Create Session Request, F-TEID instance 0 is the sender's and instance 1 the P-GW's.
 *
 * Here a message is a C struct made from a table (wire/tlv.h): a mandatory element lies inline, an
 * optional or conditional one is a pointer (NULL when absent), a repeated one a LIST_OF(). Fields
 * have the specification's names. Texts (IMSI, APN, digits) are NUL-terminated and point to whole
 * buffers of IMSI_SIZE, APN_SIZE ... when decoded; for building any string will do. Numbers are in
 * host byte order, in_addr and in6_addr in network order. Views (struct bytes) of a decoded message
 * point into the received datagram.
 *
 * Building a request:
 *
 *     uint64_t flags = GTPC_OI;
 *     struct gtpc_delete_session_request request = {.lbi = &ebi, .indication = &flags};
 *     gtpc_encode(&w, &header, &request);
 *
 * What GTP retransmits and how answers find their requests is link/gtpc_path.h. The codec does no
 * I/O and keeps no state: any thread.
 */
#ifndef STROWGER_WIRE_GTP_GTPC_H
#define STROWGER_WIRE_GTP_GTPC_H

#include "wire/gtp/gtpc_elements.h"

#define GTPC_PORT 2123

/* The largest message this implementation builds. */
#define GTPC_MESSAGE_SIZE 4096

/* Clause 6.1. */
enum gtpc_message_type {
    GTPC_ECHO_REQUEST = 1,
    GTPC_ECHO_RESPONSE = 2,
    GTPC_VERSION_NOT_SUPPORTED = 3,
    GTPC_CREATE_SESSION_REQUEST = 32,
    GTPC_CREATE_SESSION_RESPONSE = 33,
    GTPC_MODIFY_BEARER_REQUEST = 34,
    GTPC_MODIFY_BEARER_RESPONSE = 35,
    GTPC_DELETE_SESSION_REQUEST = 36,
    GTPC_DELETE_SESSION_RESPONSE = 37,
    GTPC_CHANGE_NOTIFICATION_REQUEST = 38,
    GTPC_CHANGE_NOTIFICATION_RESPONSE = 39,
    GTPC_MODIFY_BEARER_COMMAND = 64,
    GTPC_MODIFY_BEARER_FAILURE_INDICATION = 65,
    GTPC_DELETE_BEARER_COMMAND = 66,
    GTPC_DELETE_BEARER_FAILURE_INDICATION = 67,
    GTPC_BEARER_RESOURCE_COMMAND = 68,
    GTPC_BEARER_RESOURCE_FAILURE_INDICATION = 69,
    GTPC_DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION = 70,
    GTPC_STOP_PAGING_INDICATION = 73,
    GTPC_CREATE_BEARER_REQUEST = 95,
    GTPC_CREATE_BEARER_RESPONSE = 96,
    GTPC_UPDATE_BEARER_REQUEST = 97,
    GTPC_UPDATE_BEARER_RESPONSE = 98,
    GTPC_DELETE_BEARER_REQUEST = 99,
    GTPC_DELETE_BEARER_RESPONSE = 100,
    GTPC_SUSPEND_NOTIFICATION = 162,
    GTPC_SUSPEND_ACKNOWLEDGE = 163,
    GTPC_RESUME_NOTIFICATION = 164,
    GTPC_RESUME_ACKNOWLEDGE = 165,
    GTPC_RELEASE_ACCESS_BEARERS_REQUEST = 170,
    GTPC_RELEASE_ACCESS_BEARERS_RESPONSE = 171,
    GTPC_DOWNLINK_DATA_NOTIFICATION = 176,
    GTPC_DOWNLINK_DATA_NOTIFICATION_ACKNOWLEDGE = 177,
    GTPC_PGW_RESTART_NOTIFICATION = 179,
    GTPC_PGW_RESTART_NOTIFICATION_ACKNOWLEDGE = 180,
    GTPC_MODIFY_ACCESS_BEARERS_REQUEST = 211,
    GTPC_MODIFY_ACCESS_BEARERS_RESPONSE = 212,
};

/* Bearer contexts: one struct for each message group, as the tables of clause 7.2 have them. `ebi`
 * is the EPS bearer id, 5..15. */
struct gtpc_bearer_to_be_created { /* Create Session Request, table 7.2.1-2 */
    uint8_t ebi;
    const struct bytes *tft;
    const struct gtpc_f_teid *s1_u_enodeb;
    const struct gtpc_f_teid *s4_u_sgsn;
    const struct gtpc_f_teid *s5_s8_u_sgw;
    const struct gtpc_f_teid *s5_s8_u_pgw;
    const struct gtpc_f_teid *s12_rnc;
    struct gtpc_bearer_qos qos;
    const struct gtpc_f_teid *s11_u_mme;
};

struct gtpc_bearer_created { /* Create Session Response, table 7.2.2-2 */
    uint8_t ebi;
    struct gtpc_cause cause;
    const struct gtpc_f_teid *s1_u_sgw;
    const struct gtpc_f_teid *s4_u_sgw;
    const struct gtpc_f_teid *s5_s8_u_pgw;
    const struct gtpc_f_teid *s12_sgw;
    const struct gtpc_bearer_qos *qos;
    const uint32_t *charging_id;
    const uint8_t *bearer_flags;
    const struct gtpc_f_teid *s11_u_sgw;
};

struct gtpc_bearer_to_be_modified { /* Modify Bearer and Modify Access Bearers Request,
                                       table 7.2.7-2 */
    uint8_t ebi;
    const struct gtpc_f_teid *s1_u_enodeb;
    const struct gtpc_f_teid *s5_s8_u_sgw;
    const struct gtpc_f_teid *s12_rnc;
    const struct gtpc_f_teid *s4_u_sgsn;
    const struct gtpc_f_teid *s11_u_mme;
};

struct gtpc_bearer_modified { /* Modify Bearer and Modify Access Bearers Response, table 7.2.8-2 */
    uint8_t ebi;
    struct gtpc_cause cause;
    const struct gtpc_f_teid *s1_u_sgw;
    const struct gtpc_f_teid *s12_sgw;
    const struct gtpc_f_teid *s4_u_sgw;
    const uint32_t *charging_id;
    const uint8_t *bearer_flags;
    const struct gtpc_f_teid *s11_u_sgw;
};

/* To be removed (requests, tables 7.2.1-3 and 7.2.7-3). */
struct gtpc_bearer_to_be_removed {
    uint8_t ebi;
    const struct gtpc_f_teid *s4_u_sgsn;
};

/* With its outcome: marked for removal (tables 7.2.2-3, 7.2.8-3), Delete Bearer Response
 * (7.2.10.2-2), failed bearer contexts (7.2.9.2-2), Update Bearer Response (7.2.16-2), failure
 * indications (7.2.17.2-2). */
struct gtpc_bearer_outcome {
    uint8_t ebi;
    struct gtpc_cause cause;
    const struct bytes *pco;
    const struct gtpc_ran_nas_cause *ran_nas_cause;
};

struct gtpc_bearer_to_be_set_up { /* Create Bearer Request, table 7.2.3-2 */
    uint8_t ebi;
    struct bytes tft;
    const struct gtpc_f_teid *s1_u_sgw;
    const struct gtpc_f_teid *s5_s8_u_pgw;
    const struct gtpc_f_teid *s12_sgw;
    const struct gtpc_f_teid *s4_u_sgw;
    struct gtpc_bearer_qos qos;
    const uint32_t *charging_id;
    const uint8_t *bearer_flags;
    const struct bytes *pco;
};

struct gtpc_bearer_set_up { /* Create Bearer Response, table 7.2.4-2 */
    uint8_t ebi;
    struct gtpc_cause cause;
    const struct gtpc_f_teid *s1_u_enodeb;
    const struct gtpc_f_teid *s1_u_sgw;
    const struct gtpc_f_teid *s5_s8_u_sgw;
    const struct gtpc_f_teid *s5_s8_u_pgw;
    const struct gtpc_f_teid *s12_rnc;
    const struct gtpc_f_teid *s12_sgw;
    const struct bytes *pco;
    const struct gtpc_ran_nas_cause *ran_nas_cause;
};

struct gtpc_bearer_to_be_updated { /* Update Bearer Request, table 7.2.15-2 */
    uint8_t ebi;
    const struct bytes *tft;
    const struct gtpc_bearer_qos *qos;
    const uint8_t *bearer_flags;
    const struct bytes *pco;
};

struct gtpc_bearer_of_command { /* Modify and Delete Bearer Command, tables 7.2.14-2, 7.2.17.1-2 */
    uint8_t ebi;
    const struct gtpc_bearer_qos *qos;
    const uint8_t *bearer_flags;
    const struct gtpc_ran_nas_cause *ran_nas_cause;
};

/* The messages, with clause numbers. */
struct gtpc_echo { /* request and response, 7.1.1, 7.1.2 */
    uint8_t recovery;
    const uint8_t *node_features;
};

struct gtpc_create_session_request { /* 7.2.1 */
    const char *imsi;                /* IMSI_SIZE */
    const char *msisdn;              /* MSISDN_SIZE */
    const char *mei;                 /* IMEI_SIZE */
    const struct gtpc_uli *uli;
    const struct plmn *serving_network;
    uint8_t rat_type;
    const uint64_t *indication; /* GTPC_... flags */
    struct gtpc_f_teid sender;
    const struct gtpc_f_teid *pgw;
    char apn[APN_SIZE];
    const uint8_t *selection_mode;
    const uint8_t *pdn_type;
    const struct gtpc_paa *paa;
    const uint8_t *maximum_apn_restriction;
    const struct gtpc_ambr *ambr;
    const uint8_t *lbi;
    const struct bytes *pco;
    LIST_OF(struct gtpc_bearer_to_be_created) bearers;
    LIST_OF(struct gtpc_bearer_to_be_removed) bearers_to_be_removed;
    const struct bytes *trace_information;
    const uint8_t *recovery;
    const struct gtpc_fq_csid *mme_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const struct gtpc_ue_time_zone *ue_time_zone;
    const struct bytes *uci;
    const uint16_t *charging_characteristics;
    const struct bytes *mme_ldn;
    const struct bytes *sgw_ldn;
    const uint8_t *signalling_priority_indication;
    const struct gtpc_ip_address *mme_identifier;
    const struct bytes *additional_pco;
    const struct bytes *extended_pco;
};

struct gtpc_create_session_response { /* 7.2.2 */
    struct gtpc_cause cause;
    const uint8_t *change_reporting_action;
    const uint8_t *csg_information_reporting_action;
    const struct gtpc_f_teid *sender;
    const struct gtpc_f_teid *pgw;
    const struct gtpc_paa *paa;
    const uint8_t *apn_restriction;
    const struct gtpc_ambr *ambr;
    const uint8_t *lbi;
    const struct bytes *pco;
    LIST_OF(struct gtpc_bearer_created) bearers;
    LIST_OF(struct gtpc_bearer_outcome) bearers_marked_for_removal;
    const uint8_t *recovery;
    const struct bytes *charging_gateway_name;
    const struct gtpc_ip_address *charging_gateway_address;
    const struct gtpc_fq_csid *pgw_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const struct bytes *sgw_ldn;
    const struct bytes *pgw_ldn;
    const struct gtpc_epc_timer *pgw_back_off_time;
    const struct bytes *additional_pco;
    const uint64_t *indication;
    const uint32_t *charging_id; /* of the PDN connection */
    const struct bytes *extended_pco;
};

struct gtpc_modify_bearer_request { /* 7.2.7 */
    const char *mei;
    const struct gtpc_uli *uli;
    const struct plmn *serving_network;
    const uint8_t *rat_type;
    const uint64_t *indication;
    const struct gtpc_f_teid *sender;
    const struct gtpc_ambr *ambr;
    const uint8_t *delay_downlink_packet_notification; /* units of 50 ms */
    LIST_OF(struct gtpc_bearer_to_be_modified) bearers;
    LIST_OF(struct gtpc_bearer_to_be_removed) bearers_to_be_removed;
    const uint8_t *recovery;
    const struct gtpc_ue_time_zone *ue_time_zone;
    const struct gtpc_fq_csid *mme_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const struct bytes *uci;
    const struct bytes *mme_ldn;
    const struct bytes *sgw_ldn;
    const struct gtpc_ip_address *mme_identifier;
    const char *imsi;
};

struct gtpc_modify_bearer_response { /* 7.2.8 */
    struct gtpc_cause cause;
    const char *msisdn;
    const uint8_t *lbi;
    const struct gtpc_ambr *ambr;
    const uint8_t *apn_restriction;
    const struct bytes *pco;
    LIST_OF(struct gtpc_bearer_modified) bearers;
    LIST_OF(struct gtpc_bearer_outcome) bearers_marked_for_removal;
    const uint8_t *change_reporting_action;
    const struct bytes *charging_gateway_name;
    const struct gtpc_ip_address *charging_gateway_address;
    const struct gtpc_fq_csid *pgw_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const uint8_t *recovery;
    const struct bytes *sgw_ldn;
    const struct bytes *pgw_ldn;
    const uint64_t *indication;
    const uint32_t *charging_id;
};

struct gtpc_delete_session_request { /* 7.2.9.1 */
    const struct gtpc_cause *cause;
    const uint8_t *lbi;
    const struct gtpc_uli *uli;
    const uint64_t *indication;
    const struct bytes *pco;
    const uint8_t *originating_node;
    const struct gtpc_f_teid *sender;
    const struct gtpc_ue_time_zone *ue_time_zone;
    const uint32_t *uli_timestamp;
    const struct gtpc_ran_nas_cause *ran_nas_cause;
    const struct bytes *extended_pco;
};

struct gtpc_delete_session_response { /* 7.2.10.1 */
    struct gtpc_cause cause;
    const uint8_t *recovery;
    const struct bytes *pco;
    const uint64_t *indication;
    const struct bytes *extended_pco;
};

struct gtpc_change_notification_request { /* 7.3.14 */
    const char *imsi;
    const char *mei;
    const uint64_t *indication;
    uint8_t rat_type;
    const struct gtpc_uli *uli;
    const struct bytes *uci;
    const struct gtpc_ip_address *pgw;
    const uint8_t *lbi;
};

struct gtpc_change_notification_response { /* 7.3.15 */
    const char *imsi;
    const char *mei;
    struct gtpc_cause cause;
    const uint8_t *change_reporting_action;
    const uint8_t *csg_information_reporting_action;
};

struct gtpc_modify_bearer_command { /* 7.2.14.1 */
    struct gtpc_ambr ambr;
    struct gtpc_bearer_of_command bearer;
    const struct gtpc_f_teid *sender;
};

struct gtpc_modify_bearer_failure_indication { /* 7.2.14.2 */
    struct gtpc_cause cause;
    const uint8_t *recovery;
    const uint64_t *indication;
};

struct gtpc_delete_bearer_command { /* 7.2.17.1 */
    LIST_OF(struct gtpc_bearer_of_command) bearers;
    const struct gtpc_uli *uli;
    const uint32_t *uli_timestamp;
    const struct gtpc_ue_time_zone *ue_time_zone;
    const struct gtpc_f_teid *sender;
};

struct gtpc_delete_bearer_failure_indication { /* 7.2.17.2 */
    struct gtpc_cause cause;
    LIST_OF(struct gtpc_bearer_outcome) bearers;
    const uint8_t *recovery;
    const uint64_t *indication;
};

struct gtpc_bearer_resource_command { /* 7.2.5 */
    uint8_t lbi;
    uint8_t pti;
    const struct gtpc_flow_qos *flow_qos;
    struct bytes tad;
    const uint8_t *rat_type;
    const struct plmn *serving_network;
    const struct gtpc_uli *uli;
    const uint8_t *ebi;
    const uint64_t *indication;
    const struct bytes *pco;
    const struct gtpc_f_teid *sender;
};

struct gtpc_bearer_resource_failure_indication { /* 7.2.6 */
    struct gtpc_cause cause;
    uint8_t lbi;
    uint8_t pti;
    const uint64_t *indication;
    const uint8_t *recovery;
};

struct gtpc_downlink_data_notification { /* 7.2.11.1 */
    const struct gtpc_cause *cause;
    LIST_OF(uint8_t) ebi;
    const struct gtpc_arp *arp;
    const char *imsi;
    const struct gtpc_f_teid *sender;
    const uint64_t *indication;
    LIST_OF(struct bytes) paging_and_service_information;
};

struct gtpc_downlink_data_notification_acknowledge { /* 7.2.11.2 */
    struct gtpc_cause cause;
    const uint8_t *data_notification_delay; /* units of 50 ms */
    const uint8_t *recovery;
    const struct gtpc_throttling *dl_low_priority_traffic_throttling;
    const char *imsi;
    const struct gtpc_epc_timer *dl_buffering_duration;
    const struct bytes *dl_buffering_suggested_packet_count;
};

struct gtpc_downlink_data_notification_failure_indication { /* 7.2.11.3 */
    struct gtpc_cause cause;
    const uint8_t *originating_node;
    const char *imsi;
};

struct gtpc_stop_paging_indication { /* 7.2.23 */
    const char *imsi;
};

struct gtpc_create_bearer_request { /* 7.2.3 */
    const uint8_t *pti;
    uint8_t lbi;
    const struct bytes *pco;
    LIST_OF(struct gtpc_bearer_to_be_set_up) bearers;
    const struct gtpc_fq_csid *pgw_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const uint8_t *change_reporting_action;
    const uint64_t *indication;
};

struct gtpc_create_bearer_response { /* 7.2.4 */
    struct gtpc_cause cause;
    LIST_OF(struct gtpc_bearer_set_up) bearers;
    const uint8_t *recovery;
    const struct gtpc_fq_csid *mme_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const struct bytes *pco;
    const struct gtpc_ue_time_zone *ue_time_zone;
    const struct gtpc_uli *uli;
};

struct gtpc_update_bearer_request { /* 7.2.15 */
    LIST_OF(struct gtpc_bearer_to_be_updated) bearers;
    const uint8_t *pti;
    const struct bytes *pco;
    struct gtpc_ambr ambr;
    const uint8_t *change_reporting_action;
    const uint64_t *indication;
    const struct gtpc_fq_csid *pgw_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
};

struct gtpc_update_bearer_response { /* 7.2.16 */
    struct gtpc_cause cause;
    LIST_OF(struct gtpc_bearer_outcome) bearers;
    const struct bytes *pco;
    const uint8_t *recovery;
    const struct gtpc_fq_csid *mme_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const uint64_t *indication;
    const struct gtpc_ue_time_zone *ue_time_zone;
    const struct gtpc_uli *uli;
};

struct gtpc_delete_bearer_request { /* 7.2.9.2 */
    const uint8_t *lbi;
    LIST_OF(uint8_t) ebi;
    LIST_OF(struct gtpc_bearer_outcome) failed_bearers;
    const uint8_t *pti;
    const struct bytes *pco;
    const struct gtpc_fq_csid *pgw_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const struct gtpc_cause *cause;
    const uint64_t *indication;
};

struct gtpc_delete_bearer_response { /* 7.2.10.2 */
    struct gtpc_cause cause;
    const uint8_t *lbi;
    LIST_OF(struct gtpc_bearer_outcome) bearers;
    const uint8_t *recovery;
    const struct gtpc_fq_csid *mme_fq_csid;
    const struct gtpc_fq_csid *sgw_fq_csid;
    const struct bytes *pco;
    const struct gtpc_ue_time_zone *ue_time_zone;
    const struct gtpc_uli *uli;
    const uint32_t *uli_timestamp;
};

struct gtpc_suspend_notification { /* 7.4.1 */
    const char *imsi;
    const uint8_t *lbi;
    const uint8_t *originating_node;
    const struct gtpc_ip_address *address;
    const uint16_t *udp_port;
    const uint8_t *hop_counter;
    const struct gtpc_f_teid *sender;
};

struct gtpc_suspend_acknowledge { /* 7.4.2 */
    struct gtpc_cause cause;
};

struct gtpc_resume_notification { /* 7.4.3 */
    const char *imsi;
    const uint8_t *lbi;
    const uint8_t *originating_node;
    const struct gtpc_f_teid *sender;
};

struct gtpc_resume_acknowledge { /* 7.4.4 */
    struct gtpc_cause cause;
};

struct gtpc_release_access_bearers_request { /* 7.2.21.1 */
    LIST_OF(uint8_t) ebi;                    /* the list of RABs */
    const uint8_t *originating_node;
    const uint64_t *indication;
};

struct gtpc_release_access_bearers_response { /* 7.2.22.1 */
    struct gtpc_cause cause;
    const uint8_t *recovery;
    const uint64_t *indication;
};

struct gtpc_pgw_restart_notification { /* 7.9.5 */
    struct gtpc_ip_address pgw;
    struct gtpc_ip_address sgw;
    const struct gtpc_cause *cause;
};

struct gtpc_pgw_restart_notification_acknowledge { /* 7.9.6 */
    struct gtpc_cause cause;
};

struct gtpc_modify_access_bearers_request { /* 7.2.24 */
    const uint64_t *indication;
    const struct gtpc_f_teid *sender;
    const uint8_t *delay_downlink_packet_notification;
    LIST_OF(struct gtpc_bearer_to_be_modified) bearers;
    LIST_OF(struct gtpc_bearer_to_be_removed) bearers_to_be_removed;
    const uint8_t *recovery;
};

struct gtpc_modify_access_bearers_response { /* 7.2.25 */
    struct gtpc_cause cause;
    LIST_OF(struct gtpc_bearer_modified) bearers;
    LIST_OF(struct gtpc_bearer_outcome) bearers_marked_for_removal;
    const uint8_t *recovery;
    const uint64_t *indication;
};

/* Clause 5.1. Echo and Version Not Supported have no TEID; gtpc_encode() knows. */
struct gtpc_header {
    uint8_t type; /* enum gtpc_message_type */
    bool has_teid;
    bool has_priority;
    uint8_t priority;  /* 0 (highest) .. 15 */
    uint32_t teid;     /* the receiver's; 0 when it is not yet known */
    uint32_t sequence; /* 24 bits; the highest bit belongs to commands (clause 7.6) */
};

#define GTPC_COMMAND_SEQUENCE UINT32_C(0x800000)

/* What role a message has in a transaction (clauses 6.1, 7.6). */
enum gtpc_role {
    GTPC_REQUEST,      /* waits for `answer` */
    GTPC_RESPONSE,     /* answers */
    GTPC_NOTIFICATION, /* nothing comes back (Stop Paging Indication, DDN Failure Indication) */
    GTPC_COMMAND, /* triggers a request of the other side with the same sequence number, or `answer`
                   */
};

struct gtpc_kind {
    const char *name; /* "Create Session Request" */
    uint8_t type;
    uint8_t answer; /* the type that answers; 0: none */
    enum gtpc_role role;
    const struct wire_group *group;
};

/* NULL for a type that is not here. */
const struct gtpc_kind *gtpc_kind(uint8_t type);

/* A decoded message. The body is one of the structs above, by type. */
struct gtpc_message {
    struct gtpc_header header;
    struct bytes datagram; /* as it was received */
    const struct gtpc_kind *kind;
    union {
        void *body;
        struct gtpc_echo *echo;
        struct gtpc_create_session_request *create_session_request;
        struct gtpc_create_session_response *create_session_response;
        struct gtpc_modify_bearer_request *modify_bearer_request;
        struct gtpc_modify_bearer_response *modify_bearer_response;
        struct gtpc_delete_session_request *delete_session_request;
        struct gtpc_delete_session_response *delete_session_response;
        struct gtpc_change_notification_request *change_notification_request;
        struct gtpc_change_notification_response *change_notification_response;
        struct gtpc_modify_bearer_command *modify_bearer_command;
        struct gtpc_modify_bearer_failure_indication *modify_bearer_failure_indication;
        struct gtpc_delete_bearer_command *delete_bearer_command;
        struct gtpc_delete_bearer_failure_indication *delete_bearer_failure_indication;
        struct gtpc_bearer_resource_command *bearer_resource_command;
        struct gtpc_bearer_resource_failure_indication *bearer_resource_failure_indication;
        struct gtpc_downlink_data_notification *downlink_data_notification;
        struct gtpc_downlink_data_notification_acknowledge *downlink_data_notification_acknowledge;
        struct gtpc_downlink_data_notification_failure_indication
            *downlink_data_notification_failure_indication;
        struct gtpc_stop_paging_indication *stop_paging_indication;
        struct gtpc_create_bearer_request *create_bearer_request;
        struct gtpc_create_bearer_response *create_bearer_response;
        struct gtpc_update_bearer_request *update_bearer_request;
        struct gtpc_update_bearer_response *update_bearer_response;
        struct gtpc_delete_bearer_request *delete_bearer_request;
        struct gtpc_delete_bearer_response *delete_bearer_response;
        struct gtpc_suspend_notification *suspend_notification;
        struct gtpc_suspend_acknowledge *suspend_acknowledge;
        struct gtpc_resume_notification *resume_notification;
        struct gtpc_resume_acknowledge *resume_acknowledge;
        struct gtpc_release_access_bearers_request *release_access_bearers_request;
        struct gtpc_release_access_bearers_response *release_access_bearers_response;
        struct gtpc_pgw_restart_notification *pgw_restart_notification;
        struct gtpc_pgw_restart_notification_acknowledge *pgw_restart_notification_acknowledge;
        struct gtpc_modify_access_bearers_request *modify_access_bearers_request;
        struct gtpc_modify_access_bearers_response *modify_access_bearers_response;
    };
    struct wire_fault fault;  /* when decoding said -EINVAL */
    const uint8_t *recovery;  /* the sender's restart counter when the message has one */
    struct bytes piggybacked; /* a second message in the datagram (clause 5.5.1); empty: none */
};

/* Reads the header of the first message in a datagram; *body is what follows it, *rest the
 * piggybacked message if the header announces one. 0, or:
 *
 *   -EBADMSG          too short, or the length does not fit: discard (clause 7.7.3)
 *   -EPROTONOSUPPORT  another version (clause 7.7.2): lower ones are discarded, higher ones get
 *                     gtpc_encode_version_not_supported(); *header has what could be read */
int gtpc_read_header(struct bytes datagram, struct gtpc_header *header, struct bytes *body,
                     struct bytes *rest);

/* Decodes the first message of a datagram. 0, the errors of gtpc_read_header(), and:
 *   -EOPNOTSUPP  unknown type: discard (clause 7.7.4)
 *   -EINVAL      an element is missing or broken: message->fault says which; all that could be
 * decoded is there -ENOMEM      the arena's limit was reached */
int gtpc_decode(struct bytes datagram, struct arena *arena, struct gtpc_message *message);

/* The same when the header has been read: `message->header` is set. */
int gtpc_decode_body(struct bytes body, struct arena *arena, struct gtpc_message *message);

/* The value of an element of the decoded message by its number, for what is common to many
 * messages; NULL when it is absent or the message has no such element. */
const void *gtpc_find_value(const struct gtpc_message *message, uint32_t id, uint8_t instance);

/* Writes a message. header->has_teid is set by the type. 0, -EINVAL for an unknown type, -EMSGSIZE
 * when it does not fit or a value is not allowed; then the writer is bad. */
int gtpc_encode(struct writer *w, const struct gtpc_header *header, const void *body);

/* A response of which only the cause is known: how requests are refused (clause 7.7). */
int gtpc_encode_refusal(struct writer *w, const struct gtpc_header *header,
                        const struct gtpc_cause *cause);

void gtpc_encode_version_not_supported(struct writer *w, uint32_t sequence);

/* The cause for a request with this fault (clauses 7.7.5 to 7.7.9). */
struct gtpc_cause gtpc_cause_of_fault(const struct wire_fault *fault);

/* "Request accepted"; NULL for unknown values. */
const char *gtpc_cause_name(uint8_t value);
const char *gtpc_message_name(uint8_t type);

/* One line for the trace: `Create Session Request teid=0 seq=7 imsi=001... `. */
void gtpc_print(struct text *t, const struct gtpc_header *header, const void *body);

/* The same from a datagram, for trace_set_printer(TRACE_GTPC, ...). */
void gtpc_trace_printer(struct bytes datagram, struct text *t);

/* An F-TEID with the address of a socket address. */
struct sockaddr;
struct gtpc_f_teid gtpc_f_teid_of(uint8_t interface_type, uint32_t teid,
                                  const struct sockaddr *address);

#endif
