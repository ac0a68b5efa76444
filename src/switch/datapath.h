/*
 * datapath.h -- what a packet meets on its way: tables, groups, meters, ports.
 *
 * The data path knows nothing of OpenFlow channels. It takes packets from ports (or one from a
 * PACKET_OUT), takes them through the tables and gives them to ports; what goes to a controller
 * goes through `packet_in`, and what no flow of table 0 matched goes to the port that it came from,
 * if that wants to know. Changes to it are made by transactions (change.h).
 *
 * One thread. Packets and changes alternate, never mix.
 */
#ifndef STROWGER_SWITCH_DATAPATH_H
#define STROWGER_SWITCH_DATAPATH_H

#include "base/map.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/table.h"

#define BURST       32
#define MAX_PORTS   1024 /* port numbers are below */
#define GROUP_DEPTH 8    /* of groups in buckets of groups */

/* Why a packet was dropped; counted by the port that it came in by. */
enum drop_reason {
    DROP_NO_MATCH, /* no flow, no table-miss flow */
    DROP_BY_FLOW,  /* a flow without output: the controller wanted it */
    DROP_METER,
    DROP_TTL,
    DROP_FRAGMENT,  /* OFPC_FRAG_DROP */
    DROP_MALFORMED, /* shorter than an Ethernet header */
    DROP_NO_PORT,   /* output to a port that is not there, is down, or is the one it came from */
    DROP_NO_GROUP,  /* a group without a live bucket */
    DROP_PACKET_IN, /* for a controller, and there is none or its queue is full */
    DROP_NO_MEMORY,
    DROP_REASONS
};

extern const char *const drop_reason_names[DROP_REASONS];

struct bucket {
    struct of_bucket config; /* actions point into the group's memory */
    uint64_t packets, bytes;
};

struct group {
    uint32_t id;
    uint8_t type;  /* enum ofp_group_type */
    uint32_t refs; /* flows that name it */
    uint64_t packets, bytes, created_us;
    uint32_t total_weight;
    uint32_t bucket_count;
    struct bucket buckets[]; /* their actions lie behind */
};

struct band {
    struct of_meter_band config;
    uint64_t tokens, burst; /* thousandths of a bit, or millionths of a packet */
    uint64_t packets, bytes;
};

struct meter {
    uint32_t id;
    uint16_t flags; /* enum ofp_meter_flags */
    uint32_t refs;
    uint64_t packets, bytes, created_us, filled_us;
    uint32_t band_count;
    struct band bands[];
};

struct datapath {
    struct tables tables;
    struct map groups; /* id to struct group * */
    struct map meters;
    struct port *ports[MAX_PORTS]; /* by number; NULL: none */
    struct port *drops;            /* counts for packets that came from no port */
    uint16_t fragments;            /* enum ofp_config_flags */
    uint64_t now_us;               /* of this burst */

    /* A packet for the controllers; it stays the caller's. `cookie` is that of the flow. False when
     * nobody took it. `max_len` is that of the output action; of an invalid TTL nothing. */
    bool (*packet_in)(const struct packet *packet, uint8_t reason, uint8_t table_id,
                      uint64_t cookie, uint16_t max_len);
};

void datapath_init(struct datapath *dp, uint64_t seed, uint32_t max_flows);
void datapath_free(struct datapath *dp);

static inline struct port *datapath_port(const struct datapath *dp, uint32_t number)
{
    return number < MAX_PORTS ? dp->ports[number] : NULL;
}

static inline struct group *datapath_group(const struct datapath *dp, uint32_t id)
{
    return (struct group *)(uintptr_t)map_get(&dp->groups, id);
}

static inline struct meter *datapath_meter(const struct datapath *dp, uint32_t id)
{
    return (struct meter *)(uintptr_t)map_get(&dp->meters, id);
}

/* Groups and meters from their messages; NULL when memory is out. Freed with free(). */
struct group *group_new(const struct of_group_mod *mod, uint64_t now_us);
struct meter *meter_new(const struct of_meter_mod *mod, uint64_t now_us);

/* False when the packet must be dropped; may change its DSCP. */
bool meter_apply(struct meter *meter, struct packet *p, uint64_t now_us);

/* True when the bucket's watched port or group is live, or it watches nothing. */
bool bucket_is_live(const struct datapath *dp, const struct of_bucket *bucket, unsigned depth);

/* ---- the pipeline (pipeline.c); each takes the packets over ---- */

/* At most BURST packets that came in by one port; their pipeline fields are set (packet_enter() and
 * the port's own). Call ports_flush() when all bursts are through. */
void pipeline_burst(struct datapath *dp, struct port *in, struct packet **packets, size_t count);

/* A PACKET_OUT. */
void pipeline_packet_out(struct datapath *dp, struct packet *p, const struct of_actions *actions);

#endif
