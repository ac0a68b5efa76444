/*
 * path_config.h -- the keys of the configuration file that are about GTP-C and PFCP paths, the same
 * in every section that has one.
 */
#ifndef STROWGER_LINK_PATH_CONFIG_H
#define STROWGER_LINK_PATH_CONFIG_H

#include "base/config.h"
#include "link/udp_request.h"

/* struct sockaddr_storage from an IPv4 or IPv6 address without a port (port 0: the protocol's own).
 */
extern const struct config_type path_address_type;

/* `s11:`, `s5:` */
struct gtpc_path_config {
    struct sockaddr_storage address;
    uint32_t t3_response_ms;
    uint8_t n3_requests;
    uint32_t echo_interval_ms;
};

extern const struct config_schema gtpc_path_config_schema;

/* `sxa:` of an S-GW, `sxb:` of a P-GW. */
struct pfcp_path_config {
    struct sockaddr_storage address;
    struct {
        struct sockaddr_storage *at;
        size_t count;
    } user_planes;
    uint32_t t1_ms;
    uint8_t n1;
    uint32_t heartbeat_ms;
    uint32_t retry_ms;
    struct in_addr gtpu; /* for user planes that do not tell their tunnel address */
    /* of our own TEIDs, for user planes that do not tell which are ours ... */
    uint8_t teid_range_bits;
    uint8_t teid_range; /* ... the first octet they begin with */
};

extern const struct config_schema pfcp_sxa_config_schema, pfcp_sxb_config_schema;

struct udp_settings gtpc_path_settings(const struct gtpc_path_config *config);
struct udp_settings pfcp_path_settings(const struct pfcp_path_config *config);

#endif
