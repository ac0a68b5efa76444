/*
 * ies.h -- the values that S1AP messages are made of (TS 36.413 clause 9.2 and 9.3.4, release 16).
 * Part of the door s1ap.h.
 *
 * Conventions of all structs here and in s1ap.h:
 *   a mandatory component lies inline;
 *   an optional one is a pointer, NULL when absent: into the arena after decoding, to the caller's
 * value (a compound literal does) when building; a list is LIST_OF(); an optional list is absent
 * when its count is 0; octet strings of variable length are views (struct bytes), after decoding
 * into the message; bit strings of up to 64 bits are numbers, first bit = most significant of the n
 * bits; TEID, TAC, LAC, M-TMSI, MME group id and code are numbers in host order; a transport layer
 * address is a view of 4 (IPv4), 16 (IPv6) or 20 (IPv4, IPv6) octets, network order; the only value
 * of one-valued enumerations ("true", "supported", ...) is S1AP_TRUE: presence tells all;
 *   enumerations that may be extended keep an unknown value as the number that follows the known
 * ones.
 */
#ifndef STROWGER_WIRE_S1AP_IES_H
#define STROWGER_WIRE_S1AP_IES_H

#include "base/cursor.h"
#include "wire/ids.h"
#include "wire/s1ap/enums.h"
#include "wire/tlv.h" /* LIST_OF */

/* ---- small values ---- */

/* `value` is of the enumeration that `group` names. */
struct s1ap_cause {
    enum s1ap_cause_group group;
    unsigned value;
};

static inline struct s1ap_cause s1ap_cause_radio_network(enum s1ap_cause_radio_network value)
{
    return (struct s1ap_cause){S1AP_CAUSE_RADIO_NETWORK, value};
}

static inline struct s1ap_cause s1ap_cause_transport(enum s1ap_cause_transport value)
{
    return (struct s1ap_cause){S1AP_CAUSE_TRANSPORT, value};
}

static inline struct s1ap_cause s1ap_cause_nas(enum s1ap_cause_nas value)
{
    return (struct s1ap_cause){S1AP_CAUSE_NAS, value};
}

static inline struct s1ap_cause s1ap_cause_protocol(enum s1ap_cause_protocol value)
{
    return (struct s1ap_cause){S1AP_CAUSE_PROTOCOL, value};
}

static inline struct s1ap_cause s1ap_cause_misc(enum s1ap_cause_misc value)
{
    return (struct s1ap_cause){S1AP_CAUSE_MISC, value};
}

struct s1ap_bit_string {
    const uint8_t *at; /* (bits + 7) / 8 octets, first bit = most significant of the first octet */
    uint32_t bits;
};

struct s1ap_s_tmsi {
    uint8_t mme_code;
    uint32_t m_tmsi;
};

struct s1ap_lai {
    struct plmn plmn;
    uint16_t lac;
};

struct s1ap_cgi {
    struct plmn plmn;
    uint16_t lac;
    uint16_t ci;
    uint8_t *rac;
};

enum s1ap_enb_id_kind {                          /* CHOICE ENB-ID: how many bits the id has */
                        S1AP_ENB_ID_MACRO,       /* 20 */
                        S1AP_ENB_ID_HOME,        /* 28 */
                        S1AP_ENB_ID_SHORT_MACRO, /* 18, extension */
                        S1AP_ENB_ID_LONG_MACRO,  /* 21, extension */
};

struct s1ap_enb_id {
    enum s1ap_enb_id_kind kind;
    uint32_t id;
};

struct s1ap_global_enb_id {
    struct plmn plmn;
    struct s1ap_enb_id enb_id;
};

/* gNB-ID and En-gNB-ID: a bit string of 22 to 32 bits. */
struct s1ap_gnb_id {
    uint32_t id;
    uint8_t bits;
};

struct s1ap_5gs_tai {
    struct plmn plmn;
    uint32_t tac; /* 24 bits */
};

struct s1ap_nr_cgi { /* also PSCellInformation, whose only component it is */
    struct plmn plmn;
    uint64_t nr_cell_identity; /* 36 bits */
};

struct s1ap_supported_ta {
    uint16_t tac;
    LIST_OF(struct plmn) broadcast_plmns; /* 1..6 */
    enum s1ap_true *nb_iot;               /* RAT-Type */
};

struct s1ap_served_gummei {
    LIST_OF(struct plmn) served_plmns;  /* 1..32 */
    LIST_OF(uint16_t) served_group_ids; /* 1..65535 */
    LIST_OF(uint8_t) served_mmecs;      /* 1..256 */
    enum s1ap_gummei_type *gummei_type;
};

struct s1ap_served_dcn {
    uint16_t dcn_id;
    uint8_t relative_dcn_capacity;
};

struct s1ap_connected_en_gnb {
    struct s1ap_gnb_id en_gnb_id;
    LIST_OF(struct s1ap_supported_ta) supported_tas;
};

struct s1ap_user_location_information {
    struct ecgi eutran_cgi;
    struct tai tai;
    struct s1ap_nr_cgi *ps_cell_information;
};

struct s1ap_csg_membership_info {
    enum s1ap_csg_membership_status csg_membership_status;
    uint32_t csg_id;                  /* 27 bits */
    enum s1ap_true *cell_access_mode; /* hybrid */
    struct plmn *plmn;
};

struct s1ap_criticality_diagnostics_ie {
    enum s1ap_criticality ie_criticality;
    uint16_t ie_id;
    enum s1ap_type_of_error type_of_error;
};

struct s1ap_criticality_diagnostics {
    uint8_t *procedure_code;
    enum s1ap_form *triggering_message;
    enum s1ap_criticality *procedure_criticality;
    LIST_OF(struct s1ap_criticality_diagnostics_ie) ies; /* up to 256 */
};

enum s1ap_ue_s1ap_ids_kind {
    S1AP_UE_S1AP_ID_PAIR,
    S1AP_MME_UE_S1AP_ID_ONLY,
};

struct s1ap_ue_s1ap_ids {
    enum s1ap_ue_s1ap_ids_kind kind;
    uint32_t mme_ue_s1ap_id;
    uint32_t enb_ue_s1ap_id; /* of a pair */
};

struct s1ap_ue_associated_logical_s1_connection {
    uint32_t *mme_ue_s1ap_id;
    uint32_t *enb_ue_s1ap_id;
};

enum s1ap_reset_kind {
    S1AP_RESET_S1_INTERFACE,
    S1AP_RESET_PART_OF_S1_INTERFACE,
};

struct s1ap_reset_type {
    enum s1ap_reset_kind kind;
    enum s1ap_true reset_all; /* of the S1 interface: its only value */
    LIST_OF(struct s1ap_ue_associated_logical_s1_connection) part; /* 1..256 */
};

enum s1ap_ue_paging_id_kind {
    S1AP_PAGE_BY_S_TMSI,
    S1AP_PAGE_BY_IMSI,
};

struct s1ap_ue_paging_id {
    enum s1ap_ue_paging_id_kind kind;
    struct s1ap_s_tmsi s_tmsi;
    char imsi[IMSI_SIZE];
};

struct s1ap_additional_guti {
    struct gummei gummei;
    uint32_t m_tmsi;
};

/* ---- security, subscription, policy ---- */

/* First bit: EEA1 / EIA1, second EEA2 / EIA2, third EEA3 / EIA3 (clause 9.2.1.40). */
struct s1ap_ue_security_capabilities {
    uint16_t encryption_algorithms;
    uint16_t integrity_protection_algorithms;
};

/* The second octet group of the NAS UE network capability (TS 24.301 clause 9.9.3.34: EEA0 in the
 * first bit) in the form of S1AP, which has no bit for algorithm 0. */
static inline uint16_t s1ap_algorithms(uint8_t nas_octet)
{
    return (uint16_t)((nas_octet & 0x7f) << 9);
}

struct s1ap_security_key {
    uint8_t octets[32]; /* KeNB or NH */
};

struct s1ap_security_context {
    uint8_t next_hop_chaining_count; /* 0..7 */
    struct s1ap_security_key next_hop_parameter;
};

struct s1ap_dl_cp_security_information {
    uint16_t dl_nas_mac;
};

struct s1ap_ul_cp_security_information {
    uint16_t ul_nas_mac;
    uint8_t ul_nas_count; /* 5 bits */
};

/* Bits per second. More than 10 Gbit/s needs the extended value as well (release 15). */
struct s1ap_ue_aggregate_maximum_bitrate {
    uint64_t downlink; /* 0..10000000000 */
    uint64_t uplink;
    uint64_t *extended_downlink; /* 10000000001..4000000000000 */
    uint64_t *extended_uplink;
};

struct s1ap_forbidden_tas {
    struct plmn plmn;
    LIST_OF(uint16_t) tacs; /* 1..4096 */
};

struct s1ap_forbidden_las {
    struct plmn plmn;
    LIST_OF(uint16_t) lacs; /* 1..4096 */
};

struct s1ap_cn_type_restriction {
    struct plmn plmn;
    enum s1ap_cn_type cn_type;
};

struct s1ap_handover_restriction_list {
    struct plmn serving_plmn;
    LIST_OF(struct plmn) equivalent_plmns;            /* up to 15 */
    LIST_OF(struct s1ap_forbidden_tas) forbidden_tas; /* up to 16 */
    LIST_OF(struct s1ap_forbidden_las) forbidden_las; /* up to 16 */
    enum s1ap_forbidden_inter_rats *forbidden_inter_rats;
    enum s1ap_true *nr_restriction_in_eps_as_secondary_rat;
    enum s1ap_true *unlicensed_spectrum_restriction;
    LIST_OF(struct s1ap_cn_type_restriction) cn_type_restrictions; /* up to 16 */
    enum s1ap_true *nr_restriction_in_5gs;
    struct plmn *last_ng_ran_plmn;
};

struct s1ap_prose_authorized {
    enum s1ap_authorized *direct_discovery;
    enum s1ap_authorized *direct_communication;
    enum s1ap_authorized *ue_to_network_relaying;
};

struct s1ap_v2x_services_authorized {
    enum s1ap_authorized *vehicle_ue;
    enum s1ap_authorized *pedestrian_ue;
};

struct s1ap_expected_ue_behaviour {
    struct s1ap_expected_ue_activity_behaviour {
        uint8_t *expected_activity_period; /* seconds, 1..181 */
        uint8_t *expected_idle_period;
        unsigned *source; /* 0 subscription information, 1 statistics */
    } * expected_activity;
    unsigned *expected_ho_interval; /* 0 15 s, 30, 60, 90, 120, 180, 6 long time */
};

struct s1ap_subscription_based_ue_differentiation_info {
    unsigned *periodic_communication_indicator; /* 0 periodically, 1 on demand */
    uint16_t *periodic_time;                    /* seconds, 1..3600 */
    struct s1ap_scheduled_communication_time {
        uint8_t *day_of_week;        /* 7 bits */
        uint32_t *time_of_day_start; /* seconds, 0..86399 */
        uint32_t *time_of_day_end;
    } * scheduled_communication_time;
    unsigned *stationary_indication; /* 0 stationary, 1 mobile */
    unsigned *traffic_profile;       /* 0 single packet, 1 dual packets, 2 multiple packets */
    unsigned *battery_indication; /* 0 battery, 1 battery not rechargeable or replaceable, 2 none */
};

struct s1ap_trace_activation {
    uint8_t e_utran_trace_id[8];
    uint8_t interfaces_to_trace; /* bits: S1-MME, X2, Uu, F1-C, E1, ... */
    enum s1ap_trace_depth trace_depth;
    struct bytes trace_collection_entity_ip_address;
    struct bytes *mdt_configuration;        /* as encoded: handed on unread */
    struct bytes *ue_app_layer_meas_config; /* as encoded */
};

struct s1ap_request_type {
    enum s1ap_event_type event_type;
    enum s1ap_true report_area; /* ecgi */
    enum s1ap_true *include_ps_cell;
};

struct s1ap_tunnel_information {
    struct bytes transport_layer_address;
    uint16_t *udp_port_number;
};

struct s1ap_paging_edrx_information {
    unsigned paging_edrx_cycle; /* 0 half a hyperframe, 1, 2, 4, 6, 8, 10, 12, 14, 16, 32, 64, 128,
                                   13: 256 */
    unsigned *paging_time_window; /* (n + 1) * 1.28 s */
};

struct s1ap_nb_iot_paging_edrx_information {
    unsigned paging_edrx_cycle; /* 0: 2 hyperframes, 4, 6, 8, 10, 12, 14, 16, 32, 64 ... 13: 1024 */
    unsigned *paging_time_window; /* (n + 1) * 2.56 s */
};

/* ---- paging assistance ---- */

struct s1ap_recommended_cell {
    struct ecgi eutran_cgi;
    uint16_t *time_stayed_in_cell; /* seconds, 0..4095 */
};

enum s1ap_mme_paging_target_kind {
    S1AP_PAGING_TARGET_ENB,
    S1AP_PAGING_TARGET_TAI,
};

struct s1ap_mme_paging_target { /* also RecommendedENBItem, whose only component it is */
    enum s1ap_mme_paging_target_kind kind;
    struct s1ap_global_enb_id global_enb_id;
    struct tai tai;
};

struct s1ap_information_for_paging {
    LIST_OF(struct s1ap_recommended_cell) recommended_cells; /* 1..16 */
    LIST_OF(struct s1ap_mme_paging_target) recommended_enbs; /* 1..16 */
};

struct s1ap_ce_capable_cell {
    struct ecgi global_cell_id;
    struct bytes ce_level; /* TS 36.331 */
};

struct s1ap_paging_attempt_information {
    uint8_t paging_attempt_count;               /* 1..16 */
    uint8_t intended_number_of_paging_attempts; /* 1..16 */
    enum s1ap_next_paging_area_scope *next_paging_area_scope;
};

struct s1ap_recommended_cells {
    LIST_OF(struct s1ap_recommended_cell) cells; /* 1..16 */
};

struct s1ap_assistance_data_for_paging {
    struct s1ap_recommended_cells *recommended_cells;
    struct s1ap_ce_capable_cell *ce_capable_cell;
    struct s1ap_paging_attempt_information *paging_attempt;
};

/* ---- E-RABs ---- */

struct s1ap_allocation_and_retention_priority {
    uint8_t priority_level; /* 1 highest .. 14 lowest, 15 no priority */
    enum s1ap_pre_emption_capability pre_emption_capability;
    enum s1ap_pre_emption_vulnerability pre_emption_vulnerability;
};

struct s1ap_gbr_qos_information { /* bits per second, as in the aggregate maximum bitrate */
    uint64_t maximum_bitrate_downlink;
    uint64_t maximum_bitrate_uplink;
    uint64_t guaranteed_bitrate_downlink;
    uint64_t guaranteed_bitrate_uplink;
    uint64_t *extended_maximum_bitrate_downlink;
    uint64_t *extended_maximum_bitrate_uplink;
    uint64_t *extended_guaranteed_bitrate_downlink;
    uint64_t *extended_guaranteed_bitrate_uplink;
};

struct s1ap_e_rab_level_qos_parameters {
    uint8_t qci;
    struct s1ap_allocation_and_retention_priority allocation_retention_priority;
    struct s1ap_gbr_qos_information *gbr_qos_information;
    uint16_t *downlink_packet_loss_rate; /* 0..1000 */
    uint16_t *uplink_packet_loss_rate;
};

/* Initial Context Setup Request and E-RAB Setup Request (where nas_pdu must be there). */
struct s1ap_e_rab_to_be_setup {
    uint8_t e_rab_id; /* 0..15 */
    struct s1ap_e_rab_level_qos_parameters qos;
    struct bytes transport_layer_address;
    uint32_t gtp_teid;
    struct bytes *nas_pdu;
    uint32_t *correlation_id;
    uint32_t *sipto_correlation_id;
    enum s1ap_true *non_ip; /* BearerType */
};

/* Handover Request. */
struct s1ap_e_rab_to_be_setup_ho {
    uint8_t e_rab_id;
    struct bytes transport_layer_address;
    uint32_t gtp_teid;
    struct s1ap_e_rab_level_qos_parameters qos;
    enum s1ap_true *data_forwarding_not_possible;
    enum s1ap_true *non_ip;
};

/* What the other side's tunnel endpoint is: E-RAB Setup and Initial Context Setup Response, Path
 * Switch Request (DL) and Acknowledge (UL), E-RAB Modification Indication. */
struct s1ap_e_rab_tunnel {
    uint8_t e_rab_id;
    struct bytes transport_layer_address;
    uint32_t gtp_teid;
};

/* Handover Request Acknowledge. */
struct s1ap_e_rab_admitted {
    uint8_t e_rab_id;
    struct bytes transport_layer_address;
    uint32_t gtp_teid;
    struct bytes *dl_transport_layer_address;
    uint32_t *dl_gtp_teid;
    struct bytes *ul_transport_layer_address;
    uint32_t *ul_gtp_teid;
};

/* Handover Command. */
struct s1ap_e_rab_data_forwarding {
    uint8_t e_rab_id;
    struct bytes *dl_transport_layer_address;
    uint32_t *dl_gtp_teid;
    struct bytes *ul_transport_layer_address;
    uint32_t *ul_gtp_teid;
};

struct s1ap_transport_information {
    struct bytes transport_layer_address;
    uint32_t ul_gtp_teid;
};

struct s1ap_e_rab_to_be_modified {
    uint8_t e_rab_id;
    struct s1ap_e_rab_level_qos_parameters qos;
    struct bytes nas_pdu;
    struct s1ap_transport_information *transport_information;
};

/* E-RABList and all its kin: what failed, or is to be released, and why. */
struct s1ap_e_rab_item {
    uint8_t e_rab_id;
    struct s1ap_cause cause;
};

struct s1ap_e_rab_usage_report {
    uint32_t start_timestamp; /* NTP seconds (TS 36.413 clause 9.2.1.125) */
    uint32_t end_timestamp;
    uint64_t usage_count_ul; /* octets */
    uint64_t usage_count_dl;
};

struct s1ap_secondary_rat_data_usage_report {
    uint8_t e_rab_id;
    enum s1ap_secondary_rat_type secondary_rat_type;
    LIST_OF(struct s1ap_e_rab_usage_report) e_rab_usage_reports; /* 1..2 */
};

/* ---- handover targets and containers ---- */

struct s1ap_target_enb_id { /* TargeteNB-ID and SourceeNB-ID */
    struct s1ap_global_enb_id global_enb_id;
    struct tai selected_tai;
};

struct s1ap_target_rnc_id {
    struct s1ap_lai lai;
    uint8_t *rac;
    uint16_t rnc_id; /* 12 bits */
    uint16_t *extended_rnc_id;
};

enum s1ap_global_ran_node_id_kind {
    S1AP_RAN_NODE_GNB,
    S1AP_RAN_NODE_NG_ENB,
};

struct s1ap_global_ran_node_id {
    enum s1ap_global_ran_node_id_kind kind;
    struct s1ap_global_gnb_id {
        struct plmn plmn;
        struct s1ap_gnb_id_choice {
            unsigned kind; /* 0: gnb_id */
            struct s1ap_gnb_id gnb_id;
        } gnb_id;
    } gnb;
    struct s1ap_global_enb_id ng_enb;
};

struct s1ap_target_ng_ran_node_id {
    struct s1ap_global_ran_node_id global_ran_node_id;
    struct s1ap_5gs_tai selected_tai;
};

enum s1ap_target_id_kind {
    S1AP_TARGET_ENB,
    S1AP_TARGET_RNC,
    S1AP_TARGET_CGI,
    S1AP_TARGET_NG_RAN_NODE, /* extension */
};

struct s1ap_target_id {
    enum s1ap_target_id_kind kind;
    union {
        struct s1ap_target_enb_id enb;
        struct s1ap_target_rnc_id rnc;
        struct s1ap_cgi cgi;
        struct s1ap_target_ng_ran_node_id ng_ran_node;
    };
};

struct s1ap_count_value {
    uint16_t pdcp_sn; /* 12 bits; extended: 15 bits */
    uint32_t hfn;     /* 20 bits; extended: 17 bits */
};

struct s1ap_count_value_18 {
    uint32_t pdcp_sn; /* 18 bits */
    uint16_t hfn;     /* 14 bits */
};

struct s1ap_bearer_subject_to_status_transfer {
    uint8_t e_rab_id;
    struct s1ap_count_value ul_count;
    struct s1ap_count_value dl_count;
    struct s1ap_bit_string *receive_status_of_ul_pdcp_sdus; /* 4096 bits */
    struct s1ap_count_value *ul_count_extended;
    struct s1ap_count_value *dl_count_extended;
    struct s1ap_bit_string *receive_status_of_ul_pdcp_sdus_extended; /* 1..16384 bits */
    struct s1ap_count_value_18 *ul_count_sn_length_18;
    struct s1ap_count_value_18 *dl_count_sn_length_18;
    struct s1ap_bit_string *receive_status_of_ul_pdcp_sdus_sn_length_18; /* 1..131072 bits */
};

/* ENB-StatusTransfer-TransparentContainer: the MME hands it on as it came. */
struct s1ap_enb_status_transfer_container {
    LIST_OF(struct s1ap_bearer_subject_to_status_transfer) bearers; /* 1..256 */
};

struct s1ap_e_rab_information {
    uint8_t e_rab_id;
    enum s1ap_true *dl_forwarding; /* proposed */
};

enum s1ap_last_visited_cell_kind {
    S1AP_LAST_VISITED_E_UTRAN_CELL,
    S1AP_LAST_VISITED_UTRAN_CELL,
    S1AP_LAST_VISITED_GERAN_CELL,
    S1AP_LAST_VISITED_NG_RAN_CELL, /* extension */
};

struct s1ap_last_visited_cell {
    enum s1ap_last_visited_cell_kind kind;
    struct s1ap_last_visited_e_utran_cell {
        struct ecgi global_cell_id;
        enum s1ap_cell_size cell_size;
        uint16_t time_ue_stayed_in_cell;                       /* seconds, 0..4095 */
        uint16_t *time_ue_stayed_in_cell_enhanced_granularity; /* 0.1 seconds, 0..40950 */
        struct s1ap_cause *ho_cause;
    } e_utran;
    struct bytes other; /* UTRAN (TS 25.413) or NG-RAN (TS 38.413) cell, as encoded there */
    struct s1ap_geran_cell {
        unsigned kind; /* 0: undefined, which is all that is defined */
    } geran;
};

/* SourceeNB-ToTargeteNB-TransparentContainer: inside Source-ToTarget-TransparentContainer of
 * Handover Required and Handover Request when both ends are eNodeBs; the MME does not look into it.
 */
struct s1ap_source_enb_to_target_enb_container {
    struct bytes rrc_container;
    LIST_OF(struct s1ap_e_rab_information) e_rab_information; /* optional */
    struct ecgi target_cell_id;
    uint16_t *subscriber_profile_id_for_rfp;                       /* 1..256 */
    LIST_OF(struct s1ap_last_visited_cell) ue_history_information; /* 1..16 */
    uint32_t *mobility_information;
    struct bytes *ue_history_information_from_the_ue;
    enum s1ap_true *ims_voice_eps_fallback_from_5g;
    uint32_t *additional_rrm_priority_index;
    struct bytes *context_at_source; /* as encoded */
};

struct s1ap_target_enb_to_source_enb_container {
    struct bytes rrc_container;
};

struct s1ap_x2_tnl_configuration_info {
    LIST_OF(struct bytes) enb_x2_transport_layer_addresses;  /* 1..2 */
    struct bytes *enb_x2_extended_transport_layer_addresses; /* as encoded */
    struct bytes *enb_indirect_x2_transport_layer_addresses; /* as encoded */
};

enum s1ap_son_information_kind {
    S1AP_SON_INFORMATION_REQUEST,
    S1AP_SON_INFORMATION_REPLY,
    S1AP_SON_INFORMATION_EXTENSION, /* extension: a SON Information Report */
};

struct s1ap_son_information {
    enum s1ap_son_information_kind kind;
    enum s1ap_son_information_request request;
    struct s1ap_son_information_reply {
        struct s1ap_x2_tnl_configuration_info *x2_tnl_configuration_info;
        struct bytes *time_synchronisation_info;  /* as encoded */
        struct bytes *muting_pattern_information; /* as encoded */
    } reply;
    struct bytes report; /* as encoded */
};

/* Inside the IE of eNB and MME Configuration Transfer, which the MME hands on to the target as it
 * came. */
struct s1ap_son_configuration_transfer {
    struct s1ap_target_enb_id target_enb_id;
    struct s1ap_target_enb_id source_enb_id;
    struct s1ap_son_information son_information;
    struct s1ap_x2_tnl_configuration_info *x2_tnl_configuration_info;
    struct bytes *synchronisation_information; /* as encoded */
};

struct s1ap_cdma2000_one_x_srvcc_info {
    struct bytes meid;
    struct bytes msi;
    struct bytes pilot;
};

/* ---- public warning ---- */

enum s1ap_warning_area_kind { /* all three CHOICEs of areas have these alternatives */
                              S1AP_WARNING_CELLS,
                              S1AP_WARNING_TAIS,
                              S1AP_WARNING_EMERGENCY_AREAS,
};

struct s1ap_warning_area_list {
    enum s1ap_warning_area_kind kind;
    LIST_OF(struct ecgi) cells; /* 1..65535 each */
    LIST_OF(struct tai) tais;
    LIST_OF(uint32_t) emergency_areas; /* 24 bits */
};

struct s1ap_completed_tai {
    struct tai tai;
    LIST_OF(struct ecgi) cells;
};

struct s1ap_completed_emergency_area {
    uint32_t emergency_area_id;
    LIST_OF(struct ecgi) cells;
};

struct s1ap_broadcast_completed_area_list {
    enum s1ap_warning_area_kind kind;
    LIST_OF(struct ecgi) cells;
    LIST_OF(struct s1ap_completed_tai) tais;
    LIST_OF(struct s1ap_completed_emergency_area) emergency_areas;
};

struct s1ap_cancelled_cell {
    struct ecgi ecgi;
    uint16_t number_of_broadcasts;
};

struct s1ap_cancelled_tai {
    struct tai tai;
    LIST_OF(struct s1ap_cancelled_cell) cells;
};

struct s1ap_cancelled_emergency_area {
    uint32_t emergency_area_id;
    LIST_OF(struct s1ap_cancelled_cell) cells;
};

struct s1ap_broadcast_cancelled_area_list {
    enum s1ap_warning_area_kind kind;
    LIST_OF(struct s1ap_cancelled_cell) cells;
    LIST_OF(struct s1ap_cancelled_tai) tais;
    LIST_OF(struct s1ap_cancelled_emergency_area) emergency_areas;
};

#endif
