/*
 * s6a.h -- the messages between MME and HSS (TS 29.272), Diameter application 16777251.
 *
 * Part of the door diameter.h; include that. A struct per message, with the AVPs in the order of
 * clause 7.2; a pointer is NULL when the AVP is absent. IMSI, MSISDN and APN are C texts, so that a
 * message built from them needs no storage of its own. What the structs leave out is in the codec's
 * dictionary: it is accepted and ignored, as are AVPs without the M bit that nobody knows.
 */
#ifndef STROWGER_WIRE_DIAMETER_S6A_H
#define STROWGER_WIRE_DIAMETER_S6A_H

#ifndef STROWGER_WIRE_DIAMETER_DIAMETER_H
#error "include wire/diameter/diameter.h"
#endif

/* Clause 7.2.2. */
enum s6a_command {
    S6A_UPDATE_LOCATION = 316,
    S6A_CANCEL_LOCATION = 317,
    S6A_AUTHENTICATION_INFORMATION = 318,
    S6A_INSERT_SUBSCRIBER_DATA = 319,
    S6A_DELETE_SUBSCRIBER_DATA = 320,
    S6A_PURGE_UE = 321,
    S6A_RESET = 322,
    S6A_NOTIFY = 323,
};

#define S6A_MAX_APNS       50 /* APN-Configurations per subscriber that are read */
#define S6A_MAX_VECTORS    5  /* E-UTRAN-Vectors per answer (clause 5.2.3.1.3) */
#define S6A_MAX_SUPPORTED  8
#define S6A_MAX_USER_IDS   1024
#define S6A_MAX_ZONE_CODES 10
#define S6A_MAX_EQUIVALENT 16

/* ---- Grouped AVPs ---- */

/* Supported-Features (TS 29.229 clause 6.3.29). Feature-List-ID 1 and 2 are those of clause 7.3.10.
 */
struct s6a_supported_features {
    uint32_t vendor_id;
    uint32_t feature_list_id;
    uint32_t feature_list;
};

/* Feature-List-ID 1: the bits this core knows (table 7.3.10/1). */
#define S6A_FEATURE_ODB_ALL_APN     (1u << 0)
#define S6A_FEATURE_ODB_HPLMN_APN   (1u << 1)
#define S6A_FEATURE_ODB_VPLMN_APN   (1u << 2)
#define S6A_FEATURE_REGIONAL        (1u << 9) /* RegSub */
#define S6A_FEATURE_TRACE           (1u << 10)
#define S6A_FEATURE_STATE_RETRIEVAL (1u << 28) /* State/Location-Information-Retrieval */

/* Clause 7.3.3. */
struct s6a_terminal_information {
    struct bytes *imei;             /* 14 digits */
    struct bytes *meid;             /* 3GPP2-MEID */
    struct bytes *software_version; /* 2 digits */
};

/* Re-Synchronization-Info (clause 7.3.15): RAND that was sent, and the SIM's AUTS. */
struct s6a_resynchronization_info {
    uint8_t rand[16];
    uint8_t auts[14];
};

/* Requested-EUTRAN-Authentication-Info, Requested-UTRAN-GERAN-Authentication-Info
 * (clauses 7.3.11, 7.3.12). */
struct s6a_requested_authentication_info {
    uint32_t *number_of_requested_vectors;
    uint32_t *immediate_response_preferred; /* its presence is the information */
    struct s6a_resynchronization_info *re_synchronization_info;
};

/* Clause 7.3.18. Never printed. */
struct s6a_e_utran_vector {
    uint32_t *item_number; /* the order in which vectors are to be used */
    uint8_t rand[16];
    struct bytes xres; /* 4 to 16 octets */
    uint8_t autn[16];
    uint8_t kasme[32];
};

/* Clause 7.3.17. */
struct s6a_authentication_info {
    LIST_OF(struct s6a_e_utran_vector) e_utran_vector;
};

/* Clause 7.3.41; bit/s. The extended values (kbit/s) are for more than 4,294,967,295 bit/s. */
struct s6a_ambr {
    uint32_t max_requested_bandwidth_ul;
    uint32_t max_requested_bandwidth_dl;
    uint32_t *extended_max_requested_bw_ul;
    uint32_t *extended_max_requested_bw_dl;
};

/* The rate in bit/s, whichever way it was told. */
uint64_t s6a_ambr_ul(const struct s6a_ambr *ambr);
uint64_t s6a_ambr_dl(const struct s6a_ambr *ambr);

/* Allocation-Retention-Priority (TS 29.212 clause 5.3.32). Absent values have the defaults of
 * clauses 5.3.46 and 5.3.47: no pre-emption capability, vulnerable. */
#define S6A_PRE_EMPTION_CAPABILITY_ENABLED     0
#define S6A_PRE_EMPTION_CAPABILITY_DISABLED    1
#define S6A_PRE_EMPTION_VULNERABILITY_ENABLED  0
#define S6A_PRE_EMPTION_VULNERABILITY_DISABLED 1

struct s6a_allocation_retention_priority {
    uint32_t priority_level; /* 1..15 */
    uint32_t *pre_emption_capability;
    uint32_t *pre_emption_vulnerability;
};

/* Clause 7.3.37. */
struct s6a_eps_subscribed_qos_profile {
    uint32_t qos_class_identifier;
    struct s6a_allocation_retention_priority allocation_retention_priority;
};

/* MIP6-Agent-Info (RFC 5447): the PDN GW's address or name (clause 7.3.45). */
struct s6a_mip6_agent_info {
    LIST_OF(struct diameter_address) mip_home_agent_address; /* at most 2 */
    struct s6a_mip_home_agent_host {
        struct bytes destination_realm;
        struct bytes destination_host;
    } * mip_home_agent_host;
};

/* Clause 7.3.82: the PDN GW in use for one APN of a wildcard. */
struct s6a_specific_apn_info {
    char service_selection[APN_SIZE];
    struct s6a_mip6_agent_info mip6_agent_info;
    struct bytes *visited_network_identifier;
};

/* Clause 7.3.62. */
enum s6a_pdn_type {
    S6A_PDN_IPV4 = 0,
    S6A_PDN_IPV6 = 1,
    S6A_PDN_IPV4V6 = 2,
    S6A_PDN_IPV4_OR_IPV6 = 3,
};

/* Clause 7.3.35. */
struct s6a_apn_configuration {
    uint32_t context_identifier;
    LIST_OF(struct diameter_address)
    served_party_ip_address;          /* static addresses: at most one of each family */
    uint32_t pdn_type;                /* enum s6a_pdn_type */
    char service_selection[APN_SIZE]; /* network identifier with dots, or "*" */
    struct s6a_eps_subscribed_qos_profile *eps_subscribed_qos_profile;
    uint32_t *vplmn_dynamic_address_allowed;
    struct s6a_mip6_agent_info *mip6_agent_info;
    struct bytes *visited_network_identifier;
    uint32_t *pdn_gw_allocation_type; /* 0: static, 1: dynamic */
    struct bytes *charging_characteristics;
    struct s6a_ambr *ambr;
    LIST_OF(struct s6a_specific_apn_info) specific_apn_info;
    struct bytes *apn_oi_replacement;
    uint32_t *sipto_permission;
    uint32_t *lipa_permission;
};

/* Clause 7.3.34. context_identifier is that of the default APN. */
#define S6A_ALL_APN_CONFIGURATIONS_INCLUDED            0
#define S6A_MODIFIED_ADDED_APN_CONFIGURATIONS_INCLUDED 1

struct s6a_apn_configuration_profile {
    uint32_t context_identifier;
    uint32_t all_apn_configurations_included_indicator;
    LIST_OF(struct s6a_apn_configuration) apn_configuration;
};

/* Subscriber-Status (clause 7.3.29). */
#define S6A_SERVICE_GRANTED             0
#define S6A_OPERATOR_DETERMINED_BARRING 1

/* Network-Access-Mode (clause 7.3.21). */
#define S6A_PACKET_AND_CIRCUIT 0
#define S6A_ONLY_PACKET        2

/* Operator-Determined-Barring (clause 7.3.30). */
#define S6A_ODB_ALL_PACKET            (1u << 0)
#define S6A_ODB_ROAMER_VPLMN_TO_HPLMN (1u << 1)
#define S6A_ODB_ROAMER_IN_VPLMN       (1u << 2)

/* Access-Restriction-Data (clause 7.3.31): what is not allowed. */
#define S6A_UTRAN_NOT_ALLOWED      (1u << 0)
#define S6A_GERAN_NOT_ALLOWED      (1u << 1)
#define S6A_WB_E_UTRAN_NOT_ALLOWED (1u << 4)
#define S6A_NB_IOT_NOT_ALLOWED     (1u << 6)

/* Clause 7.3.2. */
struct s6a_subscription_data {
    uint32_t *subscriber_status;
    char (*msisdn)[MSISDN_SIZE];
    char (*a_msisdn)[MSISDN_SIZE];
    struct bytes *stn_sr;
    uint32_t *ics_indicator;
    uint32_t *network_access_mode;
    uint32_t *operator_determined_barring;
    uint32_t *hplmn_odb;
    LIST_OF(struct bytes) regional_subscription_zone_code;
    uint32_t *access_restriction_data;
    struct bytes *apn_oi_replacement;
    struct bytes *charging_characteristics;
    struct s6a_ambr *ambr; /* of the UE */
    struct s6a_apn_configuration_profile *apn_configuration_profile;
    uint32_t *rat_frequency_selection_priority_id; /* RFSP */
    uint32_t *roaming_restricted_due_to_unsupported_feature;
    uint32_t *subscribed_periodic_rau_tau_timer; /* seconds */
    uint32_t *mps_priority;
    uint32_t *subscription_data_flags;
    uint32_t *ue_usage_type;
    uint32_t *core_network_restrictions;
};

/* User-State (clause 7.3.114). */
enum s6a_user_state {
    S6A_DETACHED = 0,
    S6A_ATTACHED_NOT_REACHABLE_FOR_PAGING = 1,
    S6A_ATTACHED_REACHABLE_FOR_PAGING = 2,
    S6A_CONNECTED_NOT_REACHABLE_FOR_PAGING = 3,
    S6A_CONNECTED_REACHABLE_FOR_PAGING = 4,
};

/* Clauses 7.3.110, 7.3.112. */
struct s6a_mme_user_state {
    uint32_t *user_state;
};

struct s6a_eps_user_state {
    struct s6a_mme_user_state *mme_user_state;
};

/* Clauses 7.3.111, 7.3.115. */
struct s6a_mme_location_information {
    struct ecgi *e_utran_cell_global_identity;
    struct tai *tracking_area_identity;
    uint32_t *current_location_retrieved;  /* 0: active location retrieval */
    uint32_t *age_of_location_information; /* minutes */
};

struct s6a_eps_location_information {
    struct s6a_mme_location_information *mme_location_information;
};

/* ---- Authentication-Information (clause 7.2.5) ---- */

struct s6a_air {
    struct diameter_request_head head;
    char imsi[IMSI_SIZE]; /* User-Name */
    LIST_OF(struct s6a_supported_features) supported_features;
    struct s6a_requested_authentication_info *requested_eutran_authentication_info;
    struct s6a_requested_authentication_info *requested_utran_geran_authentication_info;
    struct plmn visited_plmn_id;
    uint32_t *air_flags;
};

struct s6a_aia {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t *error_diagnostic;
    struct s6a_authentication_info *authentication_info;
    uint32_t *ue_usage_type;
};

/* ---- Update-Location (clause 7.2.3) ---- */

/* RAT-Type (TS 29.212 clause 5.3.31). */
#define S6A_RAT_EUTRAN        1004
#define S6A_RAT_EUTRAN_NB_IOT 1005

/* ULR-Flags (clause 7.3.7). */
#define S6A_ULR_SINGLE_REGISTRATION  (1u << 0)
#define S6A_ULR_S6A_INDICATOR        (1u << 1)
#define S6A_ULR_SKIP_SUBSCRIBER_DATA (1u << 2)
#define S6A_ULR_GPRS_SUBSCRIPTION    (1u << 3)
#define S6A_ULR_NODE_TYPE            (1u << 4)
#define S6A_ULR_INITIAL_ATTACH       (1u << 5)

/* Clause 7.3.151. */
struct s6a_equivalent_plmn_list {
    LIST_OF(struct plmn) visited_plmn_id;
};

struct s6a_ulr {
    struct diameter_request_head head;
    char imsi[IMSI_SIZE];
    LIST_OF(struct s6a_supported_features) supported_features;
    struct s6a_terminal_information *terminal_information;
    uint32_t rat_type;
    uint32_t ulr_flags;
    uint32_t *ue_srvcc_capability;
    struct plmn visited_plmn_id;
    uint32_t *homogeneous_support_of_ims_voice;
    struct s6a_equivalent_plmn_list *equivalent_plmn_list;
};

/* ULA-Flags (clause 7.3.8). */
#define S6A_ULA_SEPARATION_INDICATION (1u << 0)

struct s6a_ula {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t *error_diagnostic;
    uint32_t *ula_flags;
    struct s6a_subscription_data *subscription_data;
};

/* Error-Diagnostic (clause 7.3.128). */
#define S6A_GPRS_DATA_SUBSCRIBED    0
#define S6A_NO_GPRS_DATA_SUBSCRIBED 1
#define S6A_ODB_ALL_APN             2
#define S6A_ODB_HPLMN_APN           3
#define S6A_ODB_VPLMN_APN           4

/* ---- Cancel-Location (clause 7.2.7) ---- */

/* Clause 7.3.24. */
enum s6a_cancellation_type {
    S6A_MME_UPDATE_PROCEDURE = 0,
    S6A_SGSN_UPDATE_PROCEDURE = 1,
    S6A_SUBSCRIPTION_WITHDRAWAL = 2,
    S6A_UPDATE_PROCEDURE_IWF = 3,
    S6A_INITIAL_ATTACH_PROCEDURE = 4,
};

/* CLR-Flags (clause 7.3.152). */
#define S6A_CLR_S6A_INDICATOR     (1u << 0)
#define S6A_CLR_REATTACH_REQUIRED (1u << 1)

struct s6a_clr {
    struct diameter_request_head head;
    char imsi[IMSI_SIZE];
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t cancellation_type;
    uint32_t *clr_flags;
};

struct s6a_cla {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
};

/* ---- Insert-Subscriber-Data (clause 7.2.9) ---- */

/* IDR-Flags (clause 7.3.103). */
#define S6A_IDR_UE_REACHABILITY  (1u << 0)
#define S6A_IDR_T_ADS            (1u << 1)
#define S6A_IDR_EPS_USER_STATE   (1u << 2)
#define S6A_IDR_EPS_LOCATION     (1u << 3)
#define S6A_IDR_CURRENT_LOCATION (1u << 4)
#define S6A_IDR_LOCAL_TIME_ZONE  (1u << 5)
#define S6A_IDR_REMOVE_SMS       (1u << 6)
#define S6A_IDR_RAT_TYPE         (1u << 7)

struct s6a_idr {
    struct diameter_request_head head;
    char imsi[IMSI_SIZE];
    LIST_OF(struct s6a_supported_features) supported_features;
    struct s6a_subscription_data subscription_data;
    uint32_t *idr_flags;
};

/* IDA-Flags (clause 7.3.47). */
#define S6A_IDA_NETWORK_NODE_AREA_RESTRICTED (1u << 0)

struct s6a_ida {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t *ims_voice_over_ps_sessions_supported;
    uint32_t *last_ue_activity_time; /* seconds since 1900 (RFC 6733 clause 4.3.1, Time) */
    uint32_t *rat_type;
    uint32_t *ida_flags;
    struct s6a_eps_user_state *eps_user_state;
    struct s6a_eps_location_information *eps_location_information;
};

/* ---- Delete-Subscriber-Data (clause 7.2.11) ---- */

/* DSR-Flags (clause 7.3.25). */
#define S6A_DSR_REGIONAL_SUBSCRIPTION     (1u << 0)
#define S6A_DSR_COMPLETE_APN_PROFILE      (1u << 1)
#define S6A_DSR_CHARGING_CHARACTERISTICS  (1u << 2)
#define S6A_DSR_PDN_SUBSCRIPTION_CONTEXTS (1u << 3)
#define S6A_DSR_STN_SR                    (1u << 4)
#define S6A_DSR_APN_OI_REPLACEMENT        (1u << 10)
#define S6A_DSR_SUBSCRIBED_PERIODIC_TIMER (1u << 14)
#define S6A_DSR_MSISDN                    (1u << 23)

struct s6a_dsr {
    struct diameter_request_head head;
    char imsi[IMSI_SIZE];
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t dsr_flags;
    LIST_OF(uint32_t) context_identifier;
    LIST_OF(struct bytes) regional_subscription_zone_code;
};

/* DSA-Flags (clause 7.3.26). */
#define S6A_DSA_NETWORK_NODE_AREA_RESTRICTED (1u << 0)

struct s6a_dsa {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t *dsa_flags;
};

/* ---- Purge-UE (clause 7.2.13) ---- */

/* PUR-Flags (clause 7.3.149). */
#define S6A_PUR_UE_PURGED_IN_MME (1u << 0)

struct s6a_pur {
    struct diameter_request_head head;
    char imsi[IMSI_SIZE];
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t *pur_flags;
    struct s6a_eps_location_information *eps_location_information;
};

/* PUA-Flags (clause 7.3.48). */
#define S6A_PUA_FREEZE_M_TMSI (1u << 0)

struct s6a_pua {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
    uint32_t *pua_flags;
};

/* ---- Reset (clause 7.2.15) ---- */

struct s6a_rsr {
    struct diameter_request_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
    /* leading digits of the IMSIs concerned; none: all of this HSS */
    LIST_OF(struct bytes) user_id;
};

struct s6a_rsa {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
};

/* ---- Notify (clause 7.2.17) ---- */

/* NOR-Flags (clause 7.3.49). */
#define S6A_NOR_SINGLE_REGISTRATION (1u << 0)
#define S6A_NOR_UE_REACHABLE        (1u << 3)
#define S6A_NOR_DELETE_ALL_PDN_GW   (1u << 4)
#define S6A_NOR_READY_FOR_SM        (1u << 6)
#define S6A_NOR_S6A_INDICATOR       (1u << 8)

struct s6a_nor {
    struct diameter_request_head head;
    char imsi[IMSI_SIZE];
    LIST_OF(struct s6a_supported_features) supported_features;
    struct s6a_terminal_information *terminal_information;
    struct s6a_mip6_agent_info *mip6_agent_info; /* the PDN GW in use ... */
    struct bytes *visited_network_identifier;
    uint32_t *context_identifier; /* ... for this APN-Configuration */
    char (*service_selection)[APN_SIZE];
    uint32_t *alert_reason;
    uint32_t *ue_srvcc_capability;
    uint32_t *nor_flags;
    uint32_t *homogeneous_support_of_ims_voice;
};

struct s6a_noa {
    struct diameter_answer_head head;
    LIST_OF(struct s6a_supported_features) supported_features;
};

extern const struct diameter_message s6a_air_message, s6a_aia_message;
extern const struct diameter_message s6a_ulr_message, s6a_ula_message;
extern const struct diameter_message s6a_clr_message, s6a_cla_message;
extern const struct diameter_message s6a_idr_message, s6a_ida_message;
extern const struct diameter_message s6a_dsr_message, s6a_dsa_message;
extern const struct diameter_message s6a_pur_message, s6a_pua_message;
extern const struct diameter_message s6a_rsr_message, s6a_rsa_message;
extern const struct diameter_message s6a_nor_message, s6a_noa_message;

#endif
