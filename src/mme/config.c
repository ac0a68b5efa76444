/*
 * config.c -- the keys of the section `mme:`: names, defaults, bounds, and what they mean.
 *
 * The tables are the reference: `strowger mme --reference` prints them. What involves more than one
 * key is checked in mme_config_check().
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "link/sctp.h"
#include "mme/config.h"
#include "mme/context.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Types of values that only this room has
 * --------------------------------------------------------- */

static const char *const carrier_names[] = {"auto", "kernel", "usrsctp", "udp", NULL};
static const char *const integrity_names[] = {"EIA0", "EIA1", "EIA2", "EIA3", NULL};
static const char *const ciphering_names[] = {"EEA0", "EEA1", "EEA2", "EEA3", NULL};

/* ---- Tables
 * --------------------------------------------------------------------------------------------- */

#define SCHEMA(variable, struct_type, title, text)                                      \
    static const struct config_schema variable = {.name = (title),                      \
                                                  .help = (text),                       \
                                                  .fields = variable##_fields,          \
                                                  .count = COUNT_OF(variable##_fields), \
                                                  .size = sizeof(struct struct_type)}

static const struct config_field area_schema_fields[] = {
    CONFIG_FIELD(struct mme_area_config, plmn, &config_plmn, "the network the areas belong to",
                 .required = true),
    CONFIG_LIST_OF(struct mme_area_config, tacs, &config_uint,
                   "tracking area codes; a phone gets all of them as its TAI list",
                   .required = true, .min = 0, .max = 65535),
};
SCHEMA(area_schema, mme_area_config, "tracking_areas", "registration areas");

static const struct config_field s1ap_schema_fields[] = {
    CONFIG_LIST_OF(struct mme_s1ap_config, listen, &config_endpoint,
                   "where eNodeBs connect to, one or more (port 36412)", .required = true),
    CONFIG_FIELD(struct mme_s1ap_config, carrier, &config_enum,
                 "whose SCTP: the kernel's, ours over raw IP, ours over UDP", .fallback = "auto",
                 .more = carrier_names),
    CONFIG_FIELD(struct mme_s1ap_config, udp_port, &config_uint, "our port when SCTP runs over UDP",
                 .fallback = "9899", .min = 0, .max = 65535),
    CONFIG_FIELD(struct mme_s1ap_config, streams, &config_uint, "SCTP streams per association",
                 .fallback = "30", .min = 2, .max = 1024),
    CONFIG_FIELD_CALLED(struct mme_s1ap_config, "heartbeat", heartbeat_ms, &config_duration,
                        "between SCTP heartbeats of an idle association", .fallback = "2s",
                        .min = 100, .max = 600000),
    CONFIG_FIELD_CALLED(struct mme_s1ap_config, "max_message", max_message_bytes, &config_size,
                        "a longer S1AP message ends the association", .fallback = "64k",
                        .min = 1024, .max = 1048576),
    CONFIG_FIELD_CALLED(struct mme_s1ap_config, "send_queue", send_queue_bytes, &config_size,
                        "bytes that may wait for an eNodeB that does not read", .fallback = "4M",
                        .min = 65536, .max = 268435456),
};
SCHEMA(s1ap_schema, mme_s1ap_config, "s1ap", "S1-MME: towards the eNodeBs");

static const struct config_field pgw_schema_fields[] = {
    CONFIG_FIELD(struct mme_pgw_config, address, &path_address_type, "its S5/S8 address (GTP-C)",
                 .required = true),
    CONFIG_FIELD(struct mme_pgw_config, apn, &config_string, "only for this APN"),
};
SCHEMA(pgw_schema, mme_pgw_config, "pgw", "packet gateways");

static const struct config_field security_schema_fields[] = {
    CONFIG_LIST_OF(struct mme_security_config, integrity, &config_enum,
                   "integrity algorithms, best first (EIA2, EIA1, EIA3)", .more = integrity_names),
    CONFIG_LIST_OF(struct mme_security_config, ciphering, &config_enum,
                   "ciphering algorithms, best first (EEA2, EEA1, EEA3, EEA0)",
                   .more = ciphering_names),
    CONFIG_FIELD(struct mme_security_config, authenticate_always, &config_bool,
                 "authenticate at every attach, also one with a valid security context",
                 .fallback = "no"),
    CONFIG_FIELD(struct mme_security_config, request_imeisv, &config_bool,
                 "ask for the IMEISV with Security Mode Command", .fallback = "yes"),
    CONFIG_FIELD(struct mme_security_config, new_guti_after_paging, &config_bool,
                 "a GUTI that was sent through the air in paging is used once", .fallback = "no"),
};
SCHEMA(security_schema, mme_security_config, "security", "NAS security");

#define TIMER(timer, text, value)                                                             \
    CONFIG_FIELD_CALLED(struct mme_timers_config, #timer, timer##_ms, &config_duration, text, \
                        .fallback = (value), .min = 1, .max = 86400000)
#define TIMER_OR_NONE(timer, text, value)                                                     \
    CONFIG_FIELD_CALLED(struct mme_timers_config, #timer, timer##_ms, &config_duration, text, \
                        .fallback = (value), .min = 0, .max = 11160000)

static const struct config_field timers_schema_fields[] = {
    TIMER(t3413, "paging", "2s"),
    TIMER(t3422, "Detach Request", "6s"),
    TIMER(t3450, "Attach Accept, TAU Accept, GUTI Reallocation Command", "6s"),
    TIMER(t3460, "Authentication Request, Security Mode Command", "6s"),
    TIMER(t3470, "Identity Request", "6s"),
    TIMER(t3485, "Activate ... EPS Bearer Context Request", "8s"),
    TIMER(t3486, "Modify EPS Bearer Context Request", "8s"),
    TIMER(t3489, "ESM Information Request", "4s"),
    TIMER(t3495, "Deactivate EPS Bearer Context Request", "8s"),
    TIMER_OR_NONE(t3412, "periodic tracking area update; 0: never", "54min"),
    TIMER_OR_NONE(t3402, "before a new attempt after failures; 0: the phone's 12 min", "0"),
    TIMER_OR_NONE(t3346, "back-off that congestion tells phones", "60s"),
    TIMER_OR_NONE(mobile_reachable, "until an idle phone is not paged any more; 0: T3412 + 4 min",
                  "0"),
    TIMER_OR_NONE(implicit_detach, "from then on until it is detached; 0: T3412 + 4 min", "0"),
    TIMER(s1_response, "for an eNodeB's answer", "10s"),
};
SCHEMA(timers_schema, mme_timers_config, "timers", "TS 24.301 clause 10");

static const struct config_field limits_schema_fields[] = {
    CONFIG_FIELD(struct mme_limits_config, max_enbs, &config_uint, "eNodeBs", .fallback = "1024",
                 .min = 1, .max = 65535),
    CONFIG_FIELD(struct mme_limits_config, max_ues, &config_uint, "phones, idle ones included",
                 .fallback = "1000000", .min = 1, .max = 8000000),
    CONFIG_FIELD(struct mme_limits_config, max_procedures, &config_uint,
                 "procedures at a time; beyond it attaches are refused and eNodeBs told to bar",
                 .fallback = "20000", .min = 1, .max = 1000000),
    CONFIG_FIELD_CALLED(
        struct mme_limits_config, "max_radio_capability", max_radio_capability_bytes, &config_size,
        "a longer UE radio capability is not kept", .fallback = "8k", .min = 0, .max = 65536),
};
SCHEMA(limits_schema, mme_limits_config, "limits", "how much we take on");

static const struct config_field paging_schema_fields[] = {
    CONFIG_FIELD(struct mme_paging_config, attempts, &config_uint, "times a phone is paged in all",
                 .fallback = "4", .min = 1, .max = 16),
    CONFIG_FIELD(struct mme_paging_config, last_enb_first, &config_bool,
                 "page first only where the phone was last seen", .fallback = "yes"),
};
SCHEMA(paging_schema, mme_paging_config, "paging", "finding idle phones");

static const struct config_field network_name_schema_fields[] = {
    CONFIG_FIELD(struct mme_network_name_config, full_name, &config_string,
                 "shown by phones (EMM Information)"),
    CONFIG_FIELD(struct mme_network_name_config, short_name, &config_string, "where room is short"),
};
SCHEMA(network_name_schema, mme_network_name_config, "network_name", "the network's name");

static const struct config_field mme_schema_fields[] = {
    CONFIG_FIELD(struct mme_config, name, &config_string, "told to eNodeBs (MME Name)",
                 .fallback = "strowger"),
    CONFIG_FIELD(struct mme_config, mme_group_id, &config_uint, "MMEGI", .fallback = "1", .min = 0,
                 .max = 65535),
    CONFIG_FIELD(struct mme_config, mme_code, &config_uint, "MMEC", .fallback = "1", .min = 0,
                 .max = 255),
    CONFIG_FIELD(struct mme_config, relative_capacity, &config_uint,
                 "our share of new phones among the MMEs of a pool", .fallback = "255", .min = 0,
                 .max = 255),
    CONFIG_LIST_OF_SECTIONS(struct mme_config, tracking_areas, &area_schema, "what we serve",
                            .required = true),
    CONFIG_SUBSECTION(struct mme_config, s1ap, &s1ap_schema, "towards the eNodeBs"),
    CONFIG_SUBSECTION(struct mme_config, s6a, &diameter_config_schema, "towards the HSS"),
    CONFIG_SUBSECTION(struct mme_config, s11, &gtpc_path_config_schema, "towards the S-GW"),
    CONFIG_LIST_OF(struct mme_config, sgw, &path_address_type,
                   "S11 addresses of the S-GWs, used in turn", .required = true),
    CONFIG_LIST_OF_SECTIONS(struct mme_config, pgw, &pgw_schema, "P-GWs; the first that fits",
                            .required = true),
    CONFIG_SUBSECTION(struct mme_config, security, &security_schema, "NAS security"),
    CONFIG_SUBSECTION(struct mme_config, timers, &timers_schema, "timers"),
    CONFIG_SUBSECTION(struct mme_config, limits, &limits_schema, "limits"),
    CONFIG_SUBSECTION(struct mme_config, paging, &paging_schema, "paging"),
    CONFIG_SUBSECTION(struct mme_config, network_name, &network_name_schema, "network name"),
    CONFIG_FIELD(struct mme_config, ims_voice, &config_bool,
                 "tell phones that IMS voice over PS works here", .fallback = "no"),
    CONFIG_FIELD(struct mme_config, purge_on_detach, &config_bool,
                 "tell the HSS when a phone is forgotten (Purge-UE)", .fallback = "yes"),
    CONFIG_FIELD(struct mme_config, notify_pgw, &config_bool,
                 "tell the HSS the P-GW in use (Notify), for handover to other accesses",
                 .fallback = "no"),
    CONFIG_FIELD(struct mme_config, emergency_reject_cause, &config_uint,
                 "EMM cause for emergency attaches, which are not supported", .fallback = "8",
                 .min = 2, .max = 111),
    CONFIG_FIELD(struct mme_config, log_success, &config_bool,
                 "a log line for every success, not only a few per second", .fallback = "no"),
};

const struct config_schema mme_config_schema = {
    .name = "mme",
    .help = "mobility management entity",
    .fields = mme_schema_fields,
    .count = COUNT_OF(mme_schema_fields),
    .size = sizeof(struct mme_config),
};

/* ---- What a table cannot check
 * ---------------------------------------------------------------------------- */

/* Errors go to the file's line when there is a file. */
#define REFUSE(key, ...)                                      \
    do {                                                      \
        if (file)                                             \
            config_complain(file, "mme", (key), __VA_ARGS__); \
        else                                                  \
            log_error("mme." key ": " __VA_ARGS__);           \
        return -EINVAL;                                       \
    } while (0)

static int check_areas(struct config *file, const struct mme_config *config)
{
    size_t plmns = 0;

    if (config->tracking_areas.count == 0 || config->tracking_areas.count > MME_MAX_AREAS)
        REFUSE("tracking_areas", "expected 1 to %d areas, found %zu", MME_MAX_AREAS,
               config->tracking_areas.count);
    for (size_t i = 0; i < config->tracking_areas.count; i++) {
        const struct mme_area_config *area = &config->tracking_areas.at[i];
        bool seen = false;
        if (area->tacs.count == 0 || area->tacs.count > MME_MAX_AREA_TACS)
            REFUSE("tracking_areas", "an area has 1 to %d TACs (a TAI list holds no more), not %zu",
                   MME_MAX_AREA_TACS, area->tacs.count);
        for (size_t j = 0; j < i; j++)
            seen |= plmn_equal(&area->plmn, &config->tracking_areas.at[j].plmn);
        plmns += !seen;
    }
    if (plmns > MME_MAX_PLMNS)
        REFUSE("tracking_areas", "more than %d PLMNs", MME_MAX_PLMNS);
    return 0;
}

static int check_algorithms(struct config *file, struct mme_config *config)
{
    static uint8_t integrity[] = {EPS_ALGORITHM_AES, EPS_ALGORITHM_SNOW_3G, EPS_ALGORITHM_ZUC};
    static uint8_t ciphering[] = {EPS_ALGORITHM_AES, EPS_ALGORITHM_SNOW_3G, EPS_ALGORITHM_ZUC,
                                  EPS_ALGORITHM_NULL};
    struct mme_security_config *security = &config->security;

    if (security->integrity.count == 0) {
        security->integrity.at = integrity;
        security->integrity.count = COUNT_OF(integrity);
    }
    if (security->ciphering.count == 0) {
        security->ciphering.at = ciphering;
        security->ciphering.count = COUNT_OF(ciphering);
    }
    /* TS 33.401 clause 5.1.4.1: NULL integrity is for emergency calls without a SIM only. */
    for (size_t i = 0; i < security->integrity.count; i++) {
        if (security->integrity.at[i] == EPS_ALGORITHM_NULL)
            REFUSE("security", "EIA0 protects nothing and is not allowed; use EIA1, EIA2 or EIA3");
    }
    return 0;
}

int mme_config_check(struct config *file, struct mme_config *config)
{
    if (check_areas(file, config) < 0 || check_algorithms(file, config) < 0)
        return -EINVAL;
    if (config->s1ap.listen.count == 0 || config->s1ap.listen.count > MME_MAX_LISTENERS)
        REFUSE("s1ap", "expected 1 to %d addresses to listen on", MME_MAX_LISTENERS);
    if (config->sgw.count == 0 || config->sgw.count > MME_MAX_GATEWAYS)
        REFUSE("sgw", "expected 1 to %d S-GW addresses", MME_MAX_GATEWAYS);
    if (config->pgw.count == 0 || config->pgw.count > MME_MAX_GATEWAYS)
        REFUSE("pgw", "expected 1 to %d P-GWs", MME_MAX_GATEWAYS);
    if (strlen(config->name) == 0 || strlen(config->name) > 150)
        REFUSE("name", "an MME name has 1 to 150 characters (TS 36.413 clause 9.2.3.11)");
    if (config->timers.mobile_reachable_ms == 0)
        config->timers.mobile_reachable_ms = config->timers.t3412_ms + 4 * 60 * 1000;
    if (config->timers.implicit_detach_ms == 0)
        config->timers.implicit_detach_ms = config->timers.t3412_ms + 4 * 60 * 1000;
    return 0;
}

/* ---- Timers
 * --------------------------------------------------------------------------------------------------
 */

/* TS 24.301 tables 10.2.2 and 10.3.2: a message is sent again at each expiry but the last. T3413's
 * are the paging attempts, which the operator chooses. */
static const struct {
    const char *name;
    size_t offset;
    unsigned attempts;
} timers[MME_TIMERS] = {
    [MME_T3413] = {"T3413", offsetof(struct mme_timers_config, t3413_ms), 0},
    [MME_T3422] = {"T3422", offsetof(struct mme_timers_config, t3422_ms), 5},
    [MME_T3450] = {"T3450", offsetof(struct mme_timers_config, t3450_ms), 5},
    [MME_T3460] = {"T3460", offsetof(struct mme_timers_config, t3460_ms), 5},
    [MME_T3470] = {"T3470", offsetof(struct mme_timers_config, t3470_ms), 5},
    [MME_T3485] = {"T3485", offsetof(struct mme_timers_config, t3485_ms), 5},
    [MME_T3486] = {"T3486", offsetof(struct mme_timers_config, t3486_ms), 5},
    [MME_T3489] = {"T3489", offsetof(struct mme_timers_config, t3489_ms), 3},
    [MME_T3495] = {"T3495", offsetof(struct mme_timers_config, t3495_ms), 5},
};

uint32_t mme_timer_ms(enum mme_timer timer)
{
    const uint8_t *base = (const uint8_t *)&mme.config.timers;
    uint32_t ms;

    memcpy(&ms, base + timers[timer].offset, sizeof(ms));
    return ms;
}

const char *mme_timer_name(enum mme_timer timer)
{
    return timers[timer].name;
}

unsigned mme_timer_attempts(enum mme_timer timer)
{
    return timer == MME_T3413 ? mme.config.paging.attempts : timers[timer].attempts;
}
