/*
 * rules.h -- the rules of one PFCP session: what it wants done, and nothing about how.
 *
 * A session's PDRs, FARs, QERs and URRs (TS 29.244 clause 5.2) lie in one block of memory that is
 * never changed once it is made: a modification makes a new block from the old one and the request,
 * or says why it cannot. So a change is all or nothing, the difference between two blocks is what
 * the switch must be told, and going back is putting the old pointer back. The exception are the
 * counters of URRs and what the flow counters said last, which are only ever added to.
 *
 * TEIDs and meter ids are taken from the allocators of the environment when a block is made and
 * given back with up_rules_free(): those that another block still uses stay.
 */
#ifndef STROWGER_CONTROLLER_RULES_H
#define STROWGER_CONTROLLER_RULES_H

#include "controller/allocator.h"
#include "controller/filter.h"

/* Bounds of one session; more is refused with "No resources available". */
#define UP_MAX_PDRS         32
#define UP_MAX_FARS         32
#define UP_MAX_QERS         16
#define UP_MAX_URRS         16
#define UP_MAX_FILTERS      64
#define UP_MAX_QERS_PER_PDR 4
#define UP_MAX_URRS_PER_PDR 4
#define UP_MAX_END_MARKERS  8

#define UP_NO_EXIT      0xff /* no network instance was told */
#define UP_UNKNOWN_EXIT 0xfe /* one was told, and nobody knows it */
#define UP_NOT_TOLD     0xff
#define UP_S5_S8_U      1 /* 3GPP interface type (TS 29.244 R16 clause 8.2.118) */

/* What rules need to know of the world. */
struct up_environment {
    struct in_addr address; /* of our F-TEIDs */
    struct up_teids *teids;
    struct up_meters *meters;
    bool s5_from_network;
    /* The index of the exit (SGi) for a network instance, or UP_UNKNOWN_EXIT. NULL asks for the one
     * to be used when none is told. */
    uint8_t (*exit_of)(void *context, const struct bytes *network_instance);
    void *context;
};

struct up_pdr {
    uint16_t id;
    uint8_t source_interface; /* enum pfcp_interface */
    uint8_t interface_type;   /* or UP_NOT_TOLD */
    uint32_t precedence;
    uint32_t far_id;
    uint32_t teid; /* of our F-TEID */
    /* is_chosen: the TEID was taken from the allocator for the control plane */
    bool has_far, has_teid, is_chosen;
    bool has_choose_id;
    uint8_t choose_id;
    bool has_ue4, has_ue6, ue_is_destination;
    uint8_t ue6_prefix;
    uint8_t exit; /* of its network instance, or UP_*_EXIT */
    uint8_t filter_first, filter_count;
    uint8_t qer_count, urr_count;
    struct in_addr ue4;
    struct in6_addr ue6;
    uint32_t qer_id[UP_MAX_QERS_PER_PDR];
    uint32_t urr_id[UP_MAX_URRS_PER_PDR];
    uint64_t counted; /* bytes that its flows had counted when last asked */
};

struct up_far {
    uint32_t id;
    uint8_t action;      /* PFCP_APPLY_* */
    uint8_t destination; /* enum pfcp_interface, or UP_NOT_TOLD */
    uint8_t exit;        /* of its network instance, or UP_*_EXIT */
    bool has_outer;
    uint32_t teid;
    struct in_addr address;
};

struct up_qer {
    uint32_t id;
    bool uplink_closed, downlink_closed, has_rates;
    uint32_t uplink_kbps, downlink_kbps;
    uint32_t uplink_meter, downlink_meter; /* 0: none */
};

struct up_urr {
    uint32_t id;
    uint8_t method;    /* PFCP_MEASURE_* */
    uint32_t triggers; /* PFCP_TRIGGER_* */
    uint32_t period_s;
    uint32_t time_threshold_s;
    struct pfcp_volume threshold;
    /* counted since the last report */
    uint64_t uplink, downlink;
    uint64_t since_s; /* when that was, wall clock */
    uint32_t next_seqn;
};

struct up_bar {
    bool exists;
    uint8_t id;
    uint8_t delay;   /* of the notification, in units of 50 ms */
    uint8_t packets; /* suggested to be buffered; 0: not told */
};

struct up_rules {
    uint8_t pdr_count, far_count, qer_count, urr_count, filter_count;
    struct up_bar bar;
    struct up_pdr *pdrs; /* all in this one block */
    struct up_far *fars;
    struct up_qer *qers;
    struct up_urr *urrs;
    struct up_filter *filters;
};

/* Why a request cannot be obeyed (clause 7.6). */
struct up_refusal {
    enum pfcp_cause cause;
    uint16_t offending_ie; /* 0: none */
    bool has_rule;
    struct pfcp_failed_rule_id rule;
};

/* What a modification asks besides new rules. */
struct up_orders {
    struct {
        uint32_t teid;
        struct in_addr address;
    } end_markers[UP_MAX_END_MARKERS]; /* old tunnels to be ended */
    uint8_t end_marker_count;
    bool drop_buffered;
    bool query_all;
    uint32_t query[UP_MAX_URRS];
    uint8_t query_count;
};

/* The rules of a new session; NULL with *why filled. */
struct up_rules *up_rules_establish(const struct up_environment *env,
                                    const struct pfcp_session_establishment_request *request,
                                    uint64_t now_s, struct up_refusal *why);

/* The rules after a modification; NULL with *why filled. `old` stays as it is. */
struct up_rules *up_rules_modify(const struct up_environment *env, const struct up_rules *old,
                                 const struct pfcp_session_modification_request *request,
                                 uint64_t now_s, struct up_orders *orders, struct up_refusal *why);

/* Frees a block, and gives back its TEIDs and meters that `keeper` (may be NULL) does not use too.
 */
void up_rules_free(const struct up_environment *env, struct up_rules *rules,
                   const struct up_rules *keeper);

/* True when a PDR has this TEID. */
bool up_rules_use_teid(const struct up_rules *rules, uint32_t teid);

/* Gives back what up_rules_free() does, without freeing. */
void up_rules_give_back(const struct up_environment *env, const struct up_rules *rules,
                        const struct up_rules *keeper);

const struct up_pdr *up_pdr_of(const struct up_rules *rules, uint16_t id);
const struct up_far *up_far_of(const struct up_rules *rules, uint32_t id);
const struct up_qer *up_qer_of(const struct up_rules *rules, uint32_t id);
struct up_urr *up_urr_of(const struct up_rules *rules, uint32_t id);

/* The FAR of a PDR; NULL when it has none. */
static inline const struct up_far *up_pdr_far(const struct up_rules *rules,
                                              const struct up_pdr *pdr)
{
    return pdr->has_far ? up_far_of(rules, pdr->far_id) : NULL;
}

/* Packets from the phone. */
static inline bool up_pdr_is_uplink(const struct up_pdr *pdr)
{
    return pdr->source_interface == PFCP_INTERFACE_ACCESS;
}

/* The exit of packets that a FAR forwards without an outer header: its own network instance's, else
 * its PDR's, else the environment's default. UP_UNKNOWN_EXIT: none. */
uint8_t up_exit_of(const struct up_environment *env, const struct up_pdr *pdr,
                   const struct up_far *far);

/* The exit that a downlink PDR without a tunnel takes its packets from. */
uint8_t up_entry_of(const struct up_environment *env, const struct up_pdr *pdr);

/* True when a packet (without outer headers) that came in this tunnel (teid) or from an exit (teid
 * 0) is one of the PDR's. */
bool up_pdr_matches(const struct up_rules *rules, const struct up_pdr *pdr, uint32_t teid,
                    const struct net_packet *packet);

#endif
