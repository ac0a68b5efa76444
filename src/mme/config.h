/*
 * config.h -- the section `mme:` of the configuration file, as a struct.
 *
 * Read once at the start; lists and strings belong to the struct config they were read from.
 * Durations are milliseconds. Included by the rooms' own files; the table of keys is
 * mme_config_schema, which `strowger check` and `strowger mme --reference` use too.
 */
#ifndef STROWGER_MME_CONFIG_H
#define STROWGER_MME_CONFIG_H

#include "base/config.h"
#include "link/diameter_peer.h"
#include "link/path_config.h"
#include "wire/ids.h"
#include "wire/nas/nas.h"

/* A registration area: a phone that registers in one of its TACs gets all of them as its TAI list.
 */
struct mme_area_config {
    struct plmn plmn;
    struct {
        uint16_t *at;
        size_t count;
    } tacs;
};

#define MME_MAX_AREAS      64
#define MME_MAX_AREA_TACS  NAS_TAI_LIST_MAX
#define MME_MAX_LISTENERS  8
#define MME_MAX_GATEWAYS   16
#define MME_MAX_ALGORITHMS 4
#define MME_MAX_PLMNS      32 /* in a Served GUMMEIs item (TS 36.413 maxnoofPLMNsPerMME) */

/* What TS 36.412 leaves to the operator. */
struct mme_s1ap_config {
    struct {
        struct sockaddr_storage *at;
        size_t count;
    } listen;
    uint8_t carrier; /* enum sctp_carrier */
    uint16_t udp_port;
    uint16_t streams;
    uint32_t heartbeat_ms;
    uint64_t max_message_bytes;
    uint64_t send_queue_bytes;
};

struct mme_pgw_config {
    struct sockaddr_storage address;
    const char *apn; /* only for this APN; NULL: for all */
};

struct mme_security_config {
    struct {
        uint8_t *at;
        size_t count;
    } integrity, ciphering; /* enum eps_algorithm, best first */
    bool authenticate_always;
    bool request_imeisv;
    bool new_guti_after_paging;
};

/* TS 24.301 tables 10.2.2 and 10.3.2. Timers that supervise a message to the phone come first;
 * emm.h has their repetitions. */
enum mme_timer {
    MME_T3413, /* paging */
    MME_T3422, /* detach */
    MME_T3450, /* attach accept, tracking area update accept, GUTI reallocation */
    MME_T3460, /* authentication, security mode */
    MME_T3470, /* identification */
    MME_T3485, /* activation of a bearer */
    MME_T3486, /* modification of a bearer */
    MME_T3489, /* ESM information */
    MME_T3495, /* deactivation of a bearer */
    MME_TIMERS
};

struct mme_timers_config {
    uint32_t t3413_ms, t3422_ms, t3450_ms, t3460_ms, t3470_ms, t3485_ms, t3486_ms, t3489_ms,
        t3495_ms;
    uint32_t t3412_ms;            /* periodic tracking area update; 0: never */
    uint32_t t3402_ms;            /* 0: the phone's default */
    uint32_t t3346_ms;            /* back-off at congestion */
    uint32_t mobile_reachable_ms; /* 0: T3412 + 4 min */
    uint32_t implicit_detach_ms;  /* 0: T3412 + 4 min */
    uint32_t s1_response_ms;      /* for an eNodeB's answer */
};

struct mme_limits_config {
    uint32_t max_enbs;
    uint32_t max_ues;
    uint32_t max_procedures;
    uint64_t max_radio_capability_bytes;
};

struct mme_paging_config {
    uint8_t attempts;
    bool last_enb_first;
};

struct mme_network_name_config {
    const char *full_name;
    const char *short_name;
};

struct mme_config {
    const char *name;
    uint16_t mme_group_id;
    uint8_t mme_code;
    uint8_t relative_capacity;
    struct {
        struct mme_area_config *at;
        size_t count;
    } tracking_areas;
    struct mme_s1ap_config s1ap;
    struct diameter_config s6a;
    struct gtpc_path_config s11;
    struct {
        struct sockaddr_storage *at;
        size_t count;
    } sgw;
    struct {
        struct mme_pgw_config *at;
        size_t count;
    } pgw;
    struct mme_security_config security;
    struct mme_timers_config timers;
    struct mme_limits_config limits;
    struct mme_paging_config paging;
    struct mme_network_name_config network_name;
    bool ims_voice;
    bool purge_on_detach;
    bool notify_pgw;
    uint8_t emergency_reject_cause;
    bool log_success; /* a line for each procedure that succeeded; else a few per second */
};

extern const struct config_schema mme_config_schema;

/* Checks what a table of keys cannot, and fills in lists that the file leaves out. `config` NULL:
 * the errors are logged (tests). 0 or -EINVAL. */
int mme_config_check(struct config *file, struct mme_config *config);

/* What a NAS timer is called and what it is set to. */
uint32_t mme_timer_ms(enum mme_timer timer);
const char *mme_timer_name(enum mme_timer timer);

/* How often a message is sent in all, at most, before the procedure gives up. */
unsigned mme_timer_attempts(enum mme_timer timer);

#endif
