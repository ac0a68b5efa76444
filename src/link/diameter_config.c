/*
 * diameter_config.c -- the keys of a Diameter node in the configuration file, wherever a function's
 * section has them.
 */
#include "link/diameter_peer.h"

static const char *const transport_names[] = {"tcp", "sctp", NULL};

static const struct config_field listen_fields[] = {
    CONFIG_FIELD(struct diameter_listen_config, address, &config_endpoint, "address and port",
                 .required = true),
    CONFIG_FIELD(struct diameter_listen_config, transport, &config_enum, "tcp or sctp",
                 .fallback = "tcp", .more = transport_names),
};
static const struct config_schema listen_schema = {
    "listen", "where peers connect to", listen_fields,
    sizeof(listen_fields) / sizeof(listen_fields[0]), sizeof(struct diameter_listen_config)};

static const struct config_field peer_fields[] = {
    CONFIG_FIELD(struct diameter_peer_config, host, &config_string, "its DiameterIdentity",
                 .required = true),
    CONFIG_FIELD(struct diameter_peer_config, realm, &config_string,
                 "the realm it serves; not given: ours"),
    CONFIG_FIELD(struct diameter_peer_config, address, &config_endpoint,
                 "where to connect; not given: it connects to us"),
    CONFIG_FIELD(struct diameter_peer_config, transport, &config_enum, "tcp or sctp",
                 .fallback = "tcp", .more = transport_names),
};
static const struct config_schema peer_schema = {
    "peer", "a Diameter node that is known by name", peer_fields,
    sizeof(peer_fields) / sizeof(peer_fields[0]), sizeof(struct diameter_peer_config)};

static const struct config_field diameter_fields[] = {
    CONFIG_FIELD(struct diameter_config, host, &config_string,
                 "our DiameterIdentity, a domain name such as hss.epc.example", .required = true),
    CONFIG_FIELD(struct diameter_config, realm, &config_string,
                 "our realm, such as epc.mnc001.mcc001.3gppnetwork.org", .required = true),
    CONFIG_LIST_OF_SECTIONS(struct diameter_config, listen, &listen_schema,
                            "where peers connect to"),
    CONFIG_LIST_OF_SECTIONS(struct diameter_config, peers, &peer_schema, "peers known by name"),
    CONFIG_FIELD(struct diameter_config, accept_unknown_peers, &config_bool,
                 "accept peers of our realm that are not in the list", .fallback = "no"),
    CONFIG_FIELD_CALLED(struct diameter_config, "watchdog", watchdog_ms, &config_duration,
                        "Tw of RFC 3539: silence after which a peer is probed", .fallback = "30s",
                        .min = 100, .max = 3600000),
    CONFIG_FIELD_CALLED(struct diameter_config, "reconnect", reconnect_ms, &config_duration,
                        "Tc of RFC 6733: the longest pause between attempts to connect",
                        .fallback = "30s", .min = 100, .max = 3600000),
    CONFIG_FIELD_CALLED(struct diameter_config, "connect_timeout", connect_timeout_ms,
                        &config_duration, "until a connection must have exchanged capabilities",
                        .fallback = "5s", .min = 100, .max = 600000),
    CONFIG_FIELD_CALLED(struct diameter_config, "request_timeout", request_timeout_ms,
                        &config_duration, "how long an answer is waited for", .fallback = "5s",
                        .min = 10, .max = 600000),
    CONFIG_FIELD(struct diameter_config, max_outstanding, &config_uint,
                 "our requests without answer", .fallback = "16000", .min = 1, .max = 1000000),
    CONFIG_FIELD(struct diameter_config, max_pending, &config_uint,
                 "requests of one connection that are not answered yet", .fallback = "16384",
                 .min = 1, .max = 1000000),
    CONFIG_FIELD(struct diameter_config, max_peers, &config_uint, "peers, unknown ones included",
                 .fallback = "64", .min = 1, .max = 10000),
    CONFIG_FIELD_CALLED(struct diameter_config, "max_message", max_message_bytes, &config_size,
                        "a longer message ends the connection", .fallback = "64k", .min = 1024,
                        .max = 16777212),
    CONFIG_FIELD_CALLED(struct diameter_config, "max_queue", max_queue_bytes, &config_size,
                        "waiting to be sent to a peer, before its requests have to wait",
                        .fallback = "4M", .min = 65536, .max = 1073741824),
};
const struct config_schema diameter_config_schema = {
    "diameter", "Diameter node (RFC 6733)", diameter_fields,
    sizeof(diameter_fields) / sizeof(diameter_fields[0]), sizeof(struct diameter_config)};

struct diameter_config diameter_config_default(void)
{
    return (struct diameter_config){
        .watchdog_ms = 30000,
        .reconnect_ms = 30000,
        .connect_timeout_ms = 5000,
        .request_timeout_ms = 5000,
        .max_outstanding = 16000,
        .max_pending = 16384,
        .max_peers = 64,
        .max_message_bytes = 65536,
        .max_queue_bytes = 4194304,
    };
}
