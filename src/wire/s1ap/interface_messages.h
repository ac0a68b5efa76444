/*
 * interface_messages.h -- the S1AP messages about the S1 interface as a whole (TS 36.413 clause 9.1
 * and 9.3.3, release 16): setup, configuration, reset, errors, overload, public warning, transfer
 * between eNodeBs. One struct each in the order of their procedure codes. Part of the door s1ap.h.
 */
#ifndef STROWGER_WIRE_S1AP_INTERFACE_MESSAGES_H
#define STROWGER_WIRE_S1AP_INTERFACE_MESSAGES_H

#include "wire/s1ap/ies.h"

/* ---- 14 Reset, 15 Error Indication ---- */

struct s1ap_reset {
    struct s1ap_cause cause;
    struct s1ap_reset_type reset_type;
};

struct s1ap_reset_acknowledge {
    LIST_OF(struct s1ap_ue_associated_logical_s1_connection)
    ue_associated_logical_s1_connection_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_error_indication {
    uint32_t *mme_ue_s1ap_id;
    uint32_t *enb_ue_s1ap_id;
    struct s1ap_cause *cause;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    struct s1ap_s_tmsi *s_tmsi;
};

/* ---- 17 S1 Setup ---- */

struct s1ap_s1_setup_request {
    struct s1ap_global_enb_id global_enb_id;
    struct bytes *enb_name;                          /* PrintableString, 1..150 */
    LIST_OF(struct s1ap_supported_ta) supported_tas; /* 1..256 */
    enum s1ap_paging_drx default_paging_drx;
    LIST_OF(uint32_t) csg_id_list;
    enum s1ap_true *ue_retention_information;
    enum s1ap_nb_iot_default_paging_drx *nb_iot_default_paging_drx;
    LIST_OF(struct s1ap_connected_en_gnb) connected_en_gnb_list;
};

struct s1ap_s1_setup_response {
    struct bytes *mme_name;
    LIST_OF(struct s1ap_served_gummei) served_gummeis; /* 1..8 */
    uint8_t relative_mme_capacity;
    enum s1ap_true *mme_relay_support_indicator;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
    enum s1ap_true *ue_retention_information;
    LIST_OF(struct s1ap_served_dcn) served_dcns; /* up to 32 */
};

struct s1ap_s1_setup_failure {
    struct s1ap_cause cause;
    enum s1ap_time_to_wait *time_to_wait;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 29 eNB Configuration Update, 30 MME Configuration Update ---- */

struct s1ap_enb_configuration_update {
    struct bytes *enb_name;
    LIST_OF(struct s1ap_supported_ta) supported_tas;
    LIST_OF(uint32_t) csg_id_list;
    enum s1ap_paging_drx *default_paging_drx;
    enum s1ap_nb_iot_default_paging_drx *nb_iot_default_paging_drx;
    LIST_OF(struct s1ap_connected_en_gnb) connected_en_gnb_to_add_list;
    LIST_OF(struct s1ap_connected_en_gnb) connected_en_gnb_to_remove_list;
};

struct s1ap_enb_configuration_update_acknowledge {
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_enb_configuration_update_failure {
    struct s1ap_cause cause;
    enum s1ap_time_to_wait *time_to_wait;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_mme_configuration_update {
    struct bytes *mme_name;
    LIST_OF(struct s1ap_served_gummei) served_gummeis;
    uint8_t *relative_mme_capacity;
    LIST_OF(struct s1ap_served_dcn) served_dcns;
};

struct s1ap_mme_configuration_update_acknowledge {
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_mme_configuration_update_failure {
    struct s1ap_cause cause;
    enum s1ap_time_to_wait *time_to_wait;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

/* ---- 34, 35 Overload ---- */

struct s1ap_overload_response {
    unsigned kind; /* 0: overload_action, the only alternative */
    enum s1ap_overload_action overload_action;
};

struct s1ap_overload_start {
    struct s1ap_overload_response overload_response;
    LIST_OF(struct gummei) gummei_list;         /* up to 256 */
    uint8_t *traffic_load_reduction_indication; /* per cent, 1..99 */
};

struct s1ap_overload_stop {
    LIST_OF(struct gummei) gummei_list;
};

/* ---- 36, 43, 49, 51 Public warning ---- */

struct s1ap_write_replace_warning_request {
    uint16_t message_identifier;
    uint16_t serial_number;
    struct s1ap_warning_area_list *warning_area_list;
    uint16_t repetition_period;           /* seconds, 0..4095 */
    uint32_t *extended_repetition_period; /* seconds, 4096..131071 */
    uint16_t number_of_broadcast_request;
    uint16_t *warning_type;
    struct bytes *warning_security_info; /* 50 octets */
    uint8_t *data_coding_scheme;
    struct bytes *warning_message_contents; /* 1..9600 octets */
    enum s1ap_true *concurrent_warning_message_indicator;
    struct bytes *warning_area_coordinates; /* 1..1024 octets */
};

struct s1ap_write_replace_warning_response {
    uint16_t message_identifier;
    uint16_t serial_number;
    struct s1ap_broadcast_completed_area_list *broadcast_completed_area_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_kill_request {
    uint16_t message_identifier;
    uint16_t serial_number;
    struct s1ap_warning_area_list *warning_area_list;
    enum s1ap_true *kill_all_warning_messages;
};

struct s1ap_kill_response {
    uint16_t message_identifier;
    uint16_t serial_number;
    struct s1ap_broadcast_cancelled_area_list *broadcast_cancelled_area_list;
    struct s1ap_criticality_diagnostics *criticality_diagnostics;
};

struct s1ap_pws_restart_indication {
    LIST_OF(struct ecgi) ecgi_list; /* 1..256 */
    struct s1ap_global_enb_id global_enb_id;
    LIST_OF(struct tai) tai_list;             /* 1..2048 */
    LIST_OF(uint32_t) emergency_area_id_list; /* up to 256, 24 bits */
};

struct s1ap_pws_failure_indication {
    LIST_OF(struct ecgi) pws_failed_ecgi_list; /* 1..256 */
    struct s1ap_global_enb_id global_enb_id;
};

/* ---- 37, 38, 40, 41 Information and configuration transfer ---- */

struct s1ap_enb_direct_information_transfer {
    struct bytes inter_system_information_transfer_type; /* as encoded: handed on unread */
};

struct s1ap_mme_direct_information_transfer {
    struct bytes inter_system_information_transfer_type;
};

struct s1ap_enb_configuration_transfer {
    struct bytes *son_configuration_transfer;       /* as encoded; see s1ap_value */
    struct bytes *en_dc_son_configuration_transfer; /* as encoded */
};

struct s1ap_mme_configuration_transfer {
    struct bytes *son_configuration_transfer;
    struct bytes *en_dc_son_configuration_transfer;
};

/* ---- 46, 47 non UE-associated LPPa transport ---- */

struct s1ap_downlink_non_ue_associated_lppa_transport {
    uint8_t routing_id;
    struct bytes lppa_pdu;
};

struct s1ap_uplink_non_ue_associated_lppa_transport {
    uint8_t routing_id;
    struct bytes lppa_pdu;
};

#endif
