/*
 * config.c -- the keys of the section `lab:`.
 */
#include "lab/config.h"
#include "lab/lab.h"

static const char *const carriers[] = {"auto", "kernel", "usrsctp", "udp", NULL};
static const char *const pdn_types[] = {"ipv4", "ipv6", "ipv4v6", NULL};
static const char *const expectations[] = {"success", "reject", NULL};

const char *const lab_action_names[] = {
    [LAB_ATTACH] = "attach", [LAB_DETACH] = "detach",
    [LAB_IDLE] = "idle",     [LAB_SERVICE_REQUEST] = "service-request",
    [LAB_TAU] = "tau",       [LAB_MOVE] = "move",
    [LAB_REBOOT] = "reboot", [LAB_PING] = "ping",
    [LAB_PAGE] = "page",     [LAB_THROUGHPUT] = "throughput",
    [LAB_SLEEP] = "sleep",   [LAB_ACTIONS] = NULL,
};

#define ENB(member, type, help, ...) \
    CONFIG_FIELD(struct lab_enb_config, member, type, help, __VA_ARGS__)

static const struct config_field enb_fields[] = {
    ENB(name, &config_string, "name the eNodeB tells the MME", .required = true),
    ENB(id, &config_uint, "macro eNodeB id, 20 bits", .required = true, .max = 0xfffff),
    ENB(plmn, &config_plmn, "network it broadcasts", .required = true),
    ENB(tac, &config_uint, "tracking area code", .required = true, .max = 65535),
    ENB(s1ap, &config_endpoint, "own SCTP address; port 0 for any", .required = true),
    ENB(mme, &config_endpoint, "the MME's SCTP address", .required = true),
    ENB(carrier, &config_enum, "how SCTP travels", .fallback = "auto", .more = carriers),
    ENB(udp_port, &config_uint, "own port of SCTP over UDP; 0 for any", .fallback = "0"),
    ENB(mme_udp_port, &config_uint, "the MME's port of SCTP over UDP", .fallback = "9899"),
    ENB(gtpu, &config_ipv4, "own address for GTP-U", .required = true),
};
static const struct config_schema enb_schema = {"enb", "an emulated eNodeB", enb_fields,
                                                sizeof(enb_fields) / sizeof(enb_fields[0]),
                                                sizeof(struct lab_enb_config)};

#define PHONES(member, type, help, ...) \
    CONFIG_FIELD(struct lab_phones_config, member, type, help, __VA_ARGS__)

static const struct config_field phones_fields[] = {
    PHONES(imsi, &config_imsi, "IMSI of the first", .required = true),
    PHONES(count, &config_uint, "how many, with consecutive IMSIs", .fallback = "1", .min = 1,
           .max = 1000000),
    PHONES(k, &config_hex, "K, 32 hexadecimal digits", .required = true),
    PHONES(op, &config_string, "OP, 32 hexadecimal digits"),
    PHONES(opc, &config_string, "OPc, 32 hexadecimal digits"),
    PHONES(imeisv, &config_string, "IMEISV, 16 digits", .fallback = "3534900698733190"),
    PHONES(apn, &config_string, "APN to ask for; the subscription's default if left out"),
    PHONES(pdn_type, &config_enum, "address family", .fallback = "ipv4", .more = pdn_types),
    PHONES(tun, &config_bool, "give each a namespace with a TUN interface", .fallback = "no"),
    PHONES(enb, &config_string, "name of their eNodeB; spread over all if left out"),
};
static const struct config_schema phones_schema = {"phones", "emulated phones", phones_fields,
                                                   sizeof(phones_fields) / sizeof(phones_fields[0]),
                                                   sizeof(struct lab_phones_config)};

#define STEP(member, type, help, ...) \
    CONFIG_FIELD(struct lab_step_config, member, type, help, __VA_ARGS__)

static const struct config_field step_fields[] = {
    CONFIG_FIELD_CALLED(struct lab_step_config, "do", action, &config_enum, "what happens",
                        .required = true, .more = lab_action_names),
    STEP(phones, &config_string, "which: all, 1-3,7", .fallback = "all"),
    STEP(rate, &config_uint, "operations per second; 0: as fast as the window allows",
         .fallback = "0"),
    STEP(window, &config_uint, "operations under way at once", .fallback = "64", .min = 1,
         .max = 10000),
    STEP(to, &config_string, "address to ping or to measure against"),
    STEP(count, &config_uint, "echo requests", .fallback = "3", .min = 1, .max = 1000),
    STEP(seconds, &config_uint, "length of a throughput test", .fallback = "1", .min = 1,
         .max = 3600),
    CONFIG_FIELD_CALLED(struct lab_step_config, "duration", duration_ms, &config_duration,
                        "of a sleep", .fallback = "1s"),
    STEP(expect, &config_enum, "what is to come out", .fallback = "success", .more = expectations),
};
static const struct config_schema step_schema = {"step", "a step", step_fields,
                                                 sizeof(step_fields) / sizeof(step_fields[0]),
                                                 sizeof(struct lab_step_config)};

static const struct config_field scenario_fields[] = {
    CONFIG_FIELD(struct lab_scenario_config, name, &config_string, "name for --run",
                 .required = true),
    CONFIG_FIELD(struct lab_scenario_config, about, &config_string, "one line about it",
                 .fallback = ""),
    CONFIG_LIST_OF_SECTIONS(struct lab_scenario_config, steps, &step_schema,
                            "what happens, in order", .required = true),
};
static const struct config_schema scenario_schema = {
    "scenario", "a scenario", scenario_fields, sizeof(scenario_fields) / sizeof(scenario_fields[0]),
    sizeof(struct lab_scenario_config)};

static const struct config_field lab_fields[] = {
    CONFIG_LIST_OF_SECTIONS(struct lab_config, enbs, &enb_schema, "emulated eNodeBs"),
    CONFIG_LIST_OF_SECTIONS(struct lab_config, phones, &phones_schema, "emulated phones"),
    CONFIG_LIST_OF_SECTIONS(struct lab_config, scenarios, &scenario_schema, "what they can do"),
    CONFIG_FIELD(struct lab_config, mtu, &config_uint,
                 "of the phones' TUN unless the network tells one", .fallback = "1400", .min = 1280,
                 .max = 9000),
};

const struct config_schema lab_config_schema = {"lab", "emulated eNodeBs and phones", lab_fields,
                                                sizeof(lab_fields) / sizeof(lab_fields[0]),
                                                sizeof(struct lab_config)};
