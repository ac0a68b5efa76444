/*
 * path_config.c -- see path_config.h.
 */
#include <arpa/inet.h>
#include <string.h>

#include "link/path_config.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool parse_address(const struct config_field *field, const char *text, void *value,
                          struct text *why)
{
    struct sockaddr_in *v4 = value;
    struct sockaddr_in6 *v6 = value;

    (void)field;
    (void)why;
    memset(value, 0, sizeof(struct sockaddr_storage));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        v4->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        v6->sin6_family = AF_INET6;
    else
        return false;
    return true;
}

const struct config_type path_address_type = {"an IPv4 or IPv6 address", parse_address};

static const struct config_field gtpc_fields[] = {
    CONFIG_FIELD(struct gtpc_path_config, address, &path_address_type, "our address",
                 .required = true),
    CONFIG_FIELD_CALLED(struct gtpc_path_config, "t3_response", t3_response_ms, &config_duration,
                        "until a request is sent again", .fallback = "3s", .min = 10, .max = 60000),
    CONFIG_FIELD(struct gtpc_path_config, n3_requests, &config_uint, "how often it is sent in all",
                 .fallback = "3", .min = 1, .max = 10),
    CONFIG_FIELD_CALLED(struct gtpc_path_config, "echo_interval", echo_interval_ms,
                        &config_duration, "between Echo Requests to a peer in use; 0: none",
                        .fallback = "60s", .min = 0, .max = 3600000),
};

const struct config_schema gtpc_path_config_schema = {.name = "gtpc",
                                                      .help = "a GTP-C path",
                                                      .fields = gtpc_fields,
                                                      .count = COUNT(gtpc_fields),
                                                      .size = sizeof(struct gtpc_path_config)};

/* `range`: S-GWs take the lower half of the TEIDs and P-GWs the upper one unless the file says
 * otherwise, so that one of each can share a user plane as they are. */
#define PFCP_FIELDS(range)                                                                        \
    CONFIG_FIELD(struct pfcp_path_config, address, &path_address_type,                            \
                 "our address, which is our node id", .required = true),                          \
        CONFIG_LIST_OF(struct pfcp_path_config, user_planes, &path_address_type,                  \
                       "where the user planes are (port 8805)", .required = true),                \
        CONFIG_FIELD_CALLED(struct pfcp_path_config, "t1", t1_ms, &config_duration,               \
                            "until a request is sent again", .fallback = "1s", .min = 10,         \
                            .max = 60000),                                                        \
        CONFIG_FIELD(struct pfcp_path_config, n1, &config_uint, "how often it is sent in all",    \
                     .fallback = "3", .min = 1, .max = 10),                                       \
        CONFIG_FIELD_CALLED(struct pfcp_path_config, "heartbeat", heartbeat_ms, &config_duration, \
                            "between heartbeats", .fallback = "5s", .min = 100, .max = 600000),   \
        CONFIG_FIELD_CALLED(struct pfcp_path_config, "retry", retry_ms, &config_duration,         \
                            "between attempts to associate with a user plane that refuses",       \
                            .fallback = "1s", .min = 10, .max = 600000),                          \
        CONFIG_FIELD(struct pfcp_path_config, gtpu, &config_ipv4,                                 \
                     "tunnel address of user planes that do not tell theirs"),                    \
        CONFIG_FIELD(struct pfcp_path_config, teid_range_bits, &config_uint,                      \
                     "our TEIDs begin with this many fixed bits, unless the user plane says",     \
                     .fallback = "1", .min = 0, .max = 7),                                        \
        CONFIG_FIELD(struct pfcp_path_config, teid_range, &config_uint,                           \
                     "the first octet of our TEIDs, of which teid_range_bits count",              \
                     .fallback = (range), .min = 0, .max = 255)

static const struct config_field sxa_fields[] = {PFCP_FIELDS("0")};
static const struct config_field sxb_fields[] = {PFCP_FIELDS("128")};

#define PFCP_SCHEMA(rows)                                                     \
    {                                                                         \
        .name = "pfcp", .help = "PFCP towards user planes", .fields = (rows), \
        .count = COUNT(rows), .size = sizeof(struct pfcp_path_config)         \
    }

const struct config_schema pfcp_sxa_config_schema = PFCP_SCHEMA(sxa_fields);
const struct config_schema pfcp_sxb_config_schema = PFCP_SCHEMA(sxb_fields);

struct udp_settings gtpc_path_settings(const struct gtpc_path_config *config)
{
    struct udp_settings settings = udp_settings_default();

    settings.timeout_ms = config->t3_response_ms;
    settings.attempts = config->n3_requests;
    settings.probe_interval_ms = config->echo_interval_ms;
    return settings;
}

struct udp_settings pfcp_path_settings(const struct pfcp_path_config *config)
{
    struct udp_settings settings = udp_settings_default();

    settings.timeout_ms = config->t1_ms;
    settings.attempts = config->n1;
    settings.probe_interval_ms = config->heartbeat_ms;
    return settings;
}
