/*
 * pgw.h -- the PDN Gateway's control plane (TS 23.401 clause 4.4.3.3): the door of the room.
 *
 * The P-GW gives a phone its address in a packet data network and is where its packets leave the
 * operator's network. It talks GTPv2-C with S-GWs (S5) and tells its user planes by PFCP (Sxb)
 * which packets are whose, how fast, and to count them.
 *
 * Inside:
 *
 *     pgw.c             start, stop, state, metrics        context.h/.c    phones and their
 * sessions run.c             one procedure at a time per phone  address_pool.c  addresses and
 * prefixes create_session.c  a new PDN connection               program.c       what the user plane
 * is told change_session.c  all that changes or ends one       repair.c        peers that fail or
 * restart config.c          the section `pgw:`
 *
 * One loop, one thread. docs/pgw.md has the configuration and the limits.
 */
#ifndef STROWGER_PGW_PGW_H
#define STROWGER_PGW_PGW_H

#include "base/base.h"
#include "link/path_config.h"

/* `strowger pgw`. */
int pgw_main(int argc, char **argv);

struct pgw_ambr_config {
    uint64_t uplink_bps, downlink_bps; /* 0: no limit of ours */
};

/* A packet data network. Lists of addresses hold both families. */
struct pgw_apn_config {
    const char *name; /* the network identifier, without operator identifier; "*": any other */
    struct {
        struct config_prefix4 *at;
        size_t count;
    } ipv4_pools;
    struct {
        struct config_prefix6 *at;
        size_t count;
    } ipv6_pools;
    struct {
        struct sockaddr_storage *at;
        size_t count;
    } dns, p_cscf;
    uint16_t mtu;
    struct pgw_ambr_config ambr;  /* at most, whatever the subscription says */
    const char *network_instance; /* as the user plane knows it; NULL: the name */
};

struct pgw_config {
    struct gtpc_path_config s5;
    struct pfcp_path_config sxb;
    struct {
        struct pgw_apn_config *at;
        size_t count;
    } apns;
    uint32_t max_sessions;
    uint32_t max_procedures; /* that run at the same time; more are refused */
    uint32_t path_hold_ms;   /* how long contexts outlive an S-GW that does not answer */
    bool log_success;        /* a line for each session created and deleted */
};

/* The section `pgw:`; for `strowger check`. */
extern const struct config_schema pgw_config_schema;

/* What more than one key is needed to see; complains at the file's lines (`file` NULL: to the log).
 * 0 or -EINVAL. */
int pgw_config_check(struct config *file, const struct pgw_config *config);

/* The parts of a process, for one that is more than a P-GW (the gateway); as sgw_start(),
 * sgw_stop(), sgw_state(). */
int pgw_start(const struct pgw_config *config, const char *counter_file);
void pgw_stop(void);

/* Views: NULL (a summary), "sessions", "pools", "peers"; NULL for others. */
json_t *pgw_state(const char *what, const struct control_request *request);

/* DELETE /sessions/IMSI. */
extern const struct control_route pgw_routes[];
extern const size_t pgw_route_count;

#endif
