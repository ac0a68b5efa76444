/*
 * datapath.h -- what a packet meets on its way: tables, groups, meters, ports.
 *
 * The data path knows nothing of OpenFlow channels. It takes packets from ports (or one from a
 * PACKET_OUT), takes them through the tables and gives them to ports; what goes to a controller
 * goes through `packet_in`, and what no flow of table 0 matched goes to the port that it came from,
 * if that wants to know. Changes to it are made by transactions (change.h).
 *
 * Threads: workers (worker.h) read and forward; the loop's thread changes, and is itself worker 0
 * for PACKET_OUTs. What workers read is published by one pointer or one version, and stays until
 * all have passed a quiescent state (reclaim.h). In a burst a worker sees one version of flows,
 * groups and meters.
 */
#ifndef STROWGER_SWITCH_DATAPATH_H
#define STROWGER_SWITCH_DATAPATH_H

#include "base/map.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/table.h"

#define MAX_PORTS   1024 /* port numbers are below */
#define GROUP_DEPTH 8    /* of groups in buckets of groups */
#define GROUP_STEPS 4096 /* buckets that a packet goes through for one group in its actions */

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
_Static_assert(DROP_REASONS <= PORT_DROP_REASONS, "a port counts them all");

extern const char *const drop_reason_names[DROP_REASONS];

/* ---- groups and meters: found by id, one version of each ---- */

/* The head of a group or meter. A newer version hides an older one, which stays until nobody can
 * read it. */
struct entry {
    struct reclaim reclaim; /* of its end */
    struct reclaim settle;  /* both may be queued: one that came and was replaced in one turn */
    struct entry_index *index;
    struct entry *older;
    uint64_t from; /* the version in which it came */
    uint32_t id;
    bool gone; /* there is none from this version on */
};

struct entry_table;

/* What workers find entries by. */
struct entry_index {
    struct entry_table *table;
    uint32_t used;
};

/* The entry in this version, or NULL. */
struct entry *entry_find(const struct entry_index *index, uint32_t id, uint64_t version);
/* A new version of it; the entry's id, from and gone are set. 0 or -ENOMEM. */
int entry_push(struct entry_index *index, struct entry *entry);
/* Takes the newest version back, before it was published: it may be freed a grace period later. */
void entry_pop(struct entry *entry);
/* It was published and a grace period is over: forgets the older one, and the id when this says
 * that it is gone; then it may be freed a grace period later. */
void entry_settle(struct entry *entry);
void entry_index_free(struct entry_index *index);

struct bucket {
    struct of_bucket config; /* actions point into the group's memory */
    struct op *ops;          /* they, in the order of an action set */
    uint32_t op_count;
    uint32_t counter;
};

struct group {
    struct entry entry;
    struct counters *counters;
    uint32_t id;
    uint8_t type;  /* enum ofp_group_type */
    uint32_t refs; /* flows that name it */
    uint32_t counter;
    bool owns_counter; /* what took its place has it if not */
    uint64_t created_us;
    uint64_t walk; /* the last search for loops that met it, and how deep: change_group.c */
    unsigned walk_depth;
    uint32_t bucket_count;
    struct bucket buckets[]; /* their actions and ops lie behind */
};

struct band {
    struct of_meter_band config;
    uint64_t burst; /* in the meter's units of time: as much as may come at once */
    uint64_t full;  /* the time at which it will be empty again: shared by all workers */
    uint32_t counter;
};

struct meter {
    struct entry entry;
    struct counters *counters;
    uint32_t id;
    uint16_t flags; /* enum ofp_meter_flags */
    uint32_t refs;
    uint32_t counter;
    uint64_t created_us;
    uint32_t band_count;
    struct band bands[];
};

struct worker;
struct mac_table;

struct datapath {
    struct tables tables;
    struct counters counters;
    struct entry_index group_index, meter_index; /* for workers */
    struct map groups;                           /* id to struct group *: those alive */
    struct map meters;
    struct port *ports[MAX_PORTS]; /* by number; NULL: none */
    struct port *drops;            /* counts for packets that came from no port */
    uint16_t fragments;            /* enum ofp_config_flags */
    bool standalone;               /* no controller: forwards as OFPP_NORMAL does */
    struct mac_table *macs;        /* what OFPP_NORMAL learned */
    struct lookers *lookers;       /* who looks on (mirror.h); NULL: nobody */
    struct worker *workers[COUNTER_OWNERS];
    unsigned worker_count;             /* worker 0 included */
    const char *const *dpdk_arguments; /* for the first dpdk port (dpdk_start()) */
    size_t dpdk_argument_count;

    /* A packet for the controllers; it stays the caller's. `cookie` is that of the flow, `max_len`
     * that of the output action; of an invalid TTL nothing. In the loop's thread. False when nobody
     * took it. */
    bool (*packet_in)(const struct packet *packet, uint8_t reason, uint8_t table_id,
                      uint64_t cookie, uint16_t max_len);
    /* The port's state or MTU is another; for drivers that need not be asked (refresh). In the
     * loop's thread; may be NULL. */
    void (*port_changed)(struct port *port);
};

/* With worker 0, and counters for `threads` more. 0 or -ENOMEM. */
int datapath_init(struct datapath *dp, uint64_t seed, uint32_t max_flows, unsigned threads);
/* Threads must have ended. */
void datapath_free(struct datapath *dp);

/* Without a controller that it could reach, and told so (fail-standalone, clause 6.3.3), the switch
 * is a learning Ethernet switch; else it is what its tables make it. */
void datapath_set_standalone(struct datapath *dp, bool standalone);

static inline struct port *datapath_port(const struct datapath *dp, uint32_t number)
{
    return number < MAX_PORTS ? __atomic_load_n(&dp->ports[number], __ATOMIC_ACQUIRE) : NULL;
}

static inline uint64_t datapath_version(const struct datapath *dp)
{
    return __atomic_load_n(&dp->tables.version, __ATOMIC_ACQUIRE);
}

/* In the version that is worked on: for the loop's thread. */
static inline struct group *datapath_group(const struct datapath *dp, uint32_t id)
{
    return (struct group *)(uintptr_t)map_get(&dp->groups, id);
}

static inline struct meter *datapath_meter(const struct datapath *dp, uint32_t id)
{
    return (struct meter *)(uintptr_t)map_get(&dp->meters, id);
}

/* Groups and meters from their messages; NULL when memory is out. */
struct group *group_new(struct datapath *dp, const struct of_group_mod *mod, uint64_t now_us);
struct meter *meter_new(struct datapath *dp, const struct of_meter_mod *mod, uint64_t now_us);
void group_free(struct group *group);
void meter_free(struct meter *meter);

/* The counter of one group is the other's from now on. */
void group_take_counter(struct group *to, struct group *from);
void group_give_counter_back(struct group *from, struct group *to);

/* False when the packet must be dropped; may change its DSCP. */
bool meter_apply(struct worker *w, struct meter *meter, struct packet *p);

/* True when the bucket's watched port or group is live, or it watches nothing. Looks at no more
 * than *steps buckets of watched groups, and takes them off: what is not found by then is not live.
 */
bool bucket_is_live(const struct datapath *dp, uint64_t version, const struct of_bucket *bucket,
                    unsigned *steps);

/* ---- OFPP_NORMAL (normal.c) ---- */

struct mac_table *mac_table_new(void);
/* Learns where the packet's sender is, and says which port its receiver is at: 0 when that is not
 * known. */
uint32_t mac_table_learn_and_find(struct mac_table *macs, const struct packet *p, uint64_t now_us);

/* ---- the pipeline (pipeline.c); each takes the packets over ---- */

/* At most BURST packets that came in by one port; their pipeline fields are set (packet_enter() and
 * the port's own). Call worker_flush() when all bursts are through. */
void pipeline_burst(struct worker *w, struct port *in, struct packet **packets, size_t count);

/* A PACKET_OUT. */
void pipeline_packet_out(struct worker *w, struct packet *p, const struct of_actions *actions);

#endif
