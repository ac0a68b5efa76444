/*
 * config.c -- the keys of the section `sgw:`. The tables are the reference: `strowger sgw
 * --reference` prints them.
 */
#include "sgw/sgw.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct config_field fields[] = {
    CONFIG_SUBSECTION(struct sgw_config, s11, &gtpc_path_config_schema, "towards MMEs (GTPv2-C)"),
    CONFIG_SUBSECTION(struct sgw_config, s5, &gtpc_path_config_schema,
                      "towards P-GWs (GTPv2-C); may have the address of s11"),
    CONFIG_SUBSECTION(struct sgw_config, sxa, &pfcp_sxa_config_schema,
                      "towards user planes (PFCP)"),
    CONFIG_FIELD(struct sgw_config, max_ues, &config_uint, "phones at most", .fallback = "1000000",
                 .min = 1, .max = 4000000),
    CONFIG_FIELD(struct sgw_config, max_sessions, &config_uint, "PDN connections at most",
                 .fallback = "2000000", .min = 1, .max = 4000000),
    CONFIG_FIELD(struct sgw_config, max_procedures, &config_uint,
                 "procedures at the same time; more requests are refused (GTP-C Entity Congestion)",
                 .fallback = "20000", .min = 1, .max = 1000000),
    CONFIG_FIELD_CALLED(struct sgw_config, "path_hold", path_hold_ms, &config_duration,
                        "how long contexts outlive a peer that does not answer", .fallback = "5min",
                        .min = 100, .max = 86400000),
    CONFIG_FIELD(struct sgw_config, log_success, &config_bool,
                 "a log line for each session created and deleted", .fallback = "false"),
};

const struct config_schema sgw_config_schema = {
    .name = "sgw",
    .help = "the Serving Gateway's control plane",
    .fields = fields,
    .count = COUNT(fields),
    .size = sizeof(struct sgw_config),
};
