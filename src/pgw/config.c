/*
 * config.c -- the keys of the section `pgw:`. The tables are the reference: `strowger pgw
 * --reference` prints them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "pgw/context.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct config_field ambr_fields[] = {
    CONFIG_FIELD_CALLED(struct pgw_ambr_config, "uplink", uplink_bps, &config_bitrate,
                        "from the phones", .fallback = "0"),
    CONFIG_FIELD_CALLED(struct pgw_ambr_config, "downlink", downlink_bps, &config_bitrate,
                        "to the phones", .fallback = "0"),
};

static const struct config_schema ambr_schema = {.name = "ambr",
                                                 .help = "limits of APN-AMBR",
                                                 .fields = ambr_fields,
                                                 .count = COUNT(ambr_fields),
                                                 .size = sizeof(struct pgw_ambr_config)};

static const struct config_field apn_fields[] = {
    CONFIG_FIELD(struct pgw_apn_config, name, &config_string,
                 "the APN's network identifier; \"*\" for any other", .required = true),
    CONFIG_LIST_OF(struct pgw_apn_config, ipv4_pools, &config_prefix4,
                   "addresses for phones (10.45.0.0/16); none: no IPv4 here"),
    CONFIG_LIST_OF(
        struct pgw_apn_config, ipv6_pools, &config_prefix6,
        "prefixes of which each phone gets a /64 (2001:db8:45::/48); none: no IPv6 here"),
    CONFIG_LIST_OF(struct pgw_apn_config, dns, &path_address_type,
                   "name servers, up to two of each family"),
    CONFIG_LIST_OF(struct pgw_apn_config, p_cscf, &path_address_type,
                   "P-CSCFs, up to two of each family"),
    CONFIG_FIELD(struct pgw_apn_config, mtu, &config_uint, "of the phone's link, told in PCO",
                 .fallback = "1400", .min = 1280, .max = 65535),
    CONFIG_SUBSECTION(struct pgw_apn_config, ambr, &ambr_schema,
                      "the highest APN-AMBR, whatever the subscription says; 0: as subscribed"),
    CONFIG_FIELD(struct pgw_apn_config, network_instance, &config_string,
                 "what the user plane calls this network; default: the APN's name"),
};

static const struct config_schema apn_schema = {.name = "apns",
                                                .help = "packet data networks",
                                                .fields = apn_fields,
                                                .count = COUNT(apn_fields),
                                                .size = sizeof(struct pgw_apn_config)};

static const struct config_field fields[] = {
    CONFIG_SUBSECTION(struct pgw_config, s5, &gtpc_path_config_schema, "towards S-GWs (GTPv2-C)"),
    CONFIG_SUBSECTION(struct pgw_config, sxb, &pfcp_sxb_config_schema,
                      "towards user planes (PFCP)"),
    CONFIG_LIST_OF_SECTIONS(struct pgw_config, apns, &apn_schema, "packet data networks",
                            .required = true),
    CONFIG_FIELD(struct pgw_config, max_sessions, &config_uint, "PDN connections at most",
                 .fallback = "2000000", .min = 1, .max = 4000000),
    CONFIG_FIELD(struct pgw_config, max_procedures, &config_uint,
                 "procedures at the same time; more requests are refused (GTP-C Entity Congestion)",
                 .fallback = "20000", .min = 1, .max = 1000000),
    CONFIG_FIELD_CALLED(struct pgw_config, "path_hold", path_hold_ms, &config_duration,
                        "how long contexts outlive an S-GW that does not answer",
                        .fallback = "5min", .min = 100, .max = 86400000),
    CONFIG_FIELD(struct pgw_config, log_success, &config_bool,
                 "a log line for each session created and deleted", .fallback = "false"),
};

const struct config_schema pgw_config_schema = {
    .name = "pgw",
    .help = "the PDN Gateway's control plane",
    .fields = fields,
    .count = COUNT(fields),
    .size = sizeof(struct pgw_config),
};

static void complain(struct config *file, const char *apn, const char *what)
{
    if (file)
        config_complain(file, "pgw", "apns", "%s: %s", apn, what);
    else
        log_error("pgw.apns: %s: %s", apn, what);
}

/* What is wrong with a prefix; NULL: nothing. */
static const char *why_not(int error, bool is_ipv6)
{
    if (error == -E2BIG)
        return is_ipv6 ? "an ipv6_pools prefix is too short (at most a /40)"
                       : "an ipv4_pools prefix is too short (at most a /8)";
    if (error == -EINVAL)
        return is_ipv6 ? "an ipv6_pools entry is not a prefix of /40 to /63 with zeros behind it"
                       : "an ipv4_pools entry is not a prefix of /8 to /30 with zeros behind it";
    return error ? "no memory for the address pools" : NULL;
}

/* Pools of both families, of all APNs: each must be a pool, and none may hold another's addresses.
 */
static bool check_pools(struct config *file, const struct pgw_config *config)
{
    struct pgw_apn apns[PGW_MAX_APNS] = {0};
    bool good = true;

    for (size_t i = 0; i < config->apns.count; i++) {
        bool is_ipv6 = false;
        int err = pgw_apn_open(&apns[i], &config->apns.at[i], &is_ipv6);
        const char *why = why_not(err, is_ipv6);
        if (why)
            complain(file, config->apns.at[i].name, why);
        good &= !why;
    }
    for (size_t i = 0; good && i < config->apns.count; i++) {
        for (size_t k = 0; k <= i; k++) {
            if (!pgw_apns_overlap(&apns[i], &apns[k]))
                continue;
            complain(file, config->apns.at[i].name, "a pool has addresses of another pool");
            good = false;
        }
    }
    for (size_t i = 0; i < config->apns.count; i++)
        pgw_apn_close(&apns[i]);
    return good;
}

int pgw_config_check(struct config *file, const struct pgw_config *config)
{
    bool good = true;

    if (config->apns.count > PGW_MAX_APNS) {
        complain(file, config->apns.at[PGW_MAX_APNS].name, "too many APNs (at most 64)");
        return -EINVAL;
    }
    for (size_t i = 0; i < config->apns.count; i++) {
        const struct pgw_apn_config *apn = &config->apns.at[i];
        if (apn->ipv4_pools.count + apn->ipv6_pools.count == 0) {
            complain(file, apn->name, "no addresses: give ipv4_pools, ipv6_pools or both");
            good = false;
        }
        if (apn->ipv4_pools.count + apn->ipv6_pools.count > PGW_MAX_POOLS) {
            complain(file, apn->name, "too many pools (at most 16)");
            return -EINVAL;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcasecmp(apn->name, config->apns.at[k].name) != 0)
                continue;
            complain(file, apn->name, "is there twice");
            good = false;
        }
    }
    return check_pools(file, config) && good ? 0 : -EINVAL;
}
