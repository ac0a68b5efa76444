/*
 * openflow_config.c -- the keys of OpenFlow channels in the configuration file, wherever a
 * function's section has them.
 */
#include <stdio.h>
#include <string.h>

#include "link/openflow_channel.h"
#include "link/openflow_tls.h"

static bool parse_endpoint(const struct config_field *field, const char *text, void *value,
                           struct text *why)
{
    struct openflow_endpoint *endpoint = value;
    char with_port[INET6_ADDRSTRLEN + 16];

    endpoint->is_tls = strncmp(text, "ssl:", 4) == 0;
    if (endpoint->is_tls || strncmp(text, "tcp:", 4) == 0)
        text += 4;
    if (config_endpoint.parse(field, text, &endpoint->address, why))
        return true;
    int len = snprintf(with_port, sizeof(with_port), "%s:%d", text, OPENFLOW_PORT);
    return len < (int)sizeof(with_port) &&
           config_endpoint.parse(field, with_port, &endpoint->address, why);
}

const struct config_type openflow_endpoint_type = {
    "an address and port, with ssl: before it for TLS (127.0.0.1:6653, ssl:127.0.0.1:6653)",
    parse_endpoint, false};

static const struct config_field tls_fields[] = {
    CONFIG_FIELD(struct openflow_tls_config, certificate, &config_string,
                 "PEM file: what we show to the other side"),
    CONFIG_FIELD(struct openflow_tls_config, private_key, &config_string,
                 "PEM file: the certificate's key, without a pass phrase"),
    CONFIG_FIELD(struct openflow_tls_config, ca, &config_string,
                 "PEM file: the authorities that may sign the other side's certificate"),
};

const struct config_schema openflow_tls_config_schema = {
    .name = "tls",
    .help = "certificates, for ssl: addresses",
    .fields = tls_fields,
    .count = sizeof(tls_fields) / sizeof(tls_fields[0]),
    .size = sizeof(struct openflow_tls_config)};
