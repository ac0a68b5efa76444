/*
 * flows.h -- a session's rules as OpenFlow flows and meters: the heart of the user plane, without
 * I/O and without state.
 *
 * The tables (docs/controller.md has the drawing):
 *
 *     0  INGRESS   what a port gives: G-PDUs by tunnel (PDRs with an F-TEID); and ports that lead
 *                  to other tables
 *     1  DOWNLINK  packets from an exit, by the phone's address (PDRs of a P-GW)
 *     2  LOCAL     the other gateway, when S-GW and P-GW are both in this switch: PDRs with an
 *                  F-TEID, reached by setting tun_id and going on to this table, instead of putting
 *                  a tunnel header on and taking it off
 *    10+ EXIT      one per exit (SGi): the next hop's addresses, and out
 *
 * Flows are kept small (struct up_flow) and compared as bytes; only when one is sent it becomes an
 * OpenFlow message. A match says which flow it is, an action what it does: a change of rules is the
 * difference of two lists.
 *
 * Priorities: a PDR's precedence, inverted and doubled, so that behind each PDR there is room for
 * the clamp that silences a phone whose buffer is full; what is never a PDR lies above and below.
 *
 * Cookies: application (8 bits), epoch of the controller's life (16), kind (8), session id or index
 * (32). All flows of a session have the same cookie, so one message removes them.
 */
#ifndef STROWGER_CONTROLLER_FLOWS_H
#define STROWGER_CONTROLLER_FLOWS_H

#include "controller/rules.h"
#include "wire/openflow/openflow.h"

enum up_table {
    UP_TABLE_INGRESS = 0,
    UP_TABLE_DOWNLINK = 1,
    UP_TABLE_LOCAL = 2,
    UP_TABLE_EXIT = 10,
};

#define UP_MAX_EXITS 16

#define UP_PRIORITY_CONTROL 0xf800 /* a phone's router solicitations and the like */
#define UP_PRIORITY_FIRST   0xf000 /* precedence 0; each step takes two off */
#define UP_PRIORITY_LAST    0x1000 /* any precedence beyond */
#define UP_PRIORITY_PORT    0x0100 /* ports that lead to another table */
#define UP_PRIORITY_MISS    0x0001

#define UP_APPLICATION 0x55

enum up_cookie_kind {
    UP_COOKIE_FIXED = 0,   /* the pipeline's own flows; the number is an index */
    UP_COOKIE_SESSION = 1, /* a session's */
    UP_COOKIE_CLAMP = 2,   /* a drop flow that goes by itself */
};

static inline uint64_t up_cookie(uint16_t epoch, enum up_cookie_kind kind, uint32_t number)
{
    return (uint64_t)UP_APPLICATION << 56 | (uint64_t)epoch << 40 | (uint64_t)kind << 32 | number;
}

#define UP_COOKIE_APPLICATION(cookie) ((uint8_t)((cookie) >> 56))
#define UP_COOKIE_EPOCH(cookie)       ((uint16_t)((cookie) >> 40))
#define UP_COOKIE_KIND(cookie)        ((uint8_t)((cookie) >> 32))
#define UP_COOKIE_NUMBER(cookie)      ((uint32_t)(cookie))
#define UP_COOKIE_APPLICATION_MASK    (UINT64_C(0xff) << 56)

/* Meters of the pipeline's own: what may come to the controller. Sessions' meters begin behind
 * them. */
enum up_fixed_meter {
    UP_METER_BUFFERED = 1, /* packets for sleeping phones */
    UP_METER_CONTROL = 2,  /* ARP, neighbour discovery, GTP-U signalling */
    UP_METER_UNKNOWN = 3,  /* unknown tunnels */
    UP_METER_FIRST = 16,
};

/* Members are ordered so that there is no padding, and unused ones are zero: two matches are equal
 * when their bytes are. */
struct up_match {
    uint32_t in_port;         /* 0: any */
    uint32_t tunnel;          /* TEID; 0: any */
    uint8_t src[16], dst[16]; /* IPv4 in the first 4 bytes */
    uint8_t src_prefix, dst_prefix;
    uint8_t version;                  /* 4, 6; 0: any packet */
    uint8_t protocol;                 /* 0: any */
    uint16_t src_port, src_port_mask; /* mask 0: any */
    uint16_t dst_port, dst_port_mask;
    uint16_t priority;
    uint8_t table;
    uint8_t dscp; /* 0x80 | value; 0: any */
};

enum up_action_kind {
    UP_DROP,
    UP_TO_TUNNEL,      /* encapsulate, out of the tunnel port */
    UP_BACK_TO_TUNNEL, /* the same for a packet that came from that port (OFPP_IN_PORT) */
    UP_TO_LOCAL,       /* to the other gateway in this switch */
    UP_TO_EXIT,        /* to the exit's table */
    UP_TO_CONTROLLER,
};

struct up_action {
    uint8_t kind;     /* enum up_action_kind */
    uint8_t exit;     /* TO_EXIT: its index */
    uint16_t pdr_id;  /* for counting; no part of what the switch is told */
    uint32_t tunnel;  /* TEID for *_TUNNEL and TO_LOCAL */
    uint32_t address; /* network order: for *_TUNNEL */
    uint32_t meter;   /* 0: none */
};

struct up_flow {
    struct up_match match;
    struct up_action action;
};

/* The switch, as far as flows depend on it. */
struct up_switch_view {
    uint32_t gtpu_port;
    uint32_t exit_ports[UP_MAX_EXITS];
    bool has_meters;
};

/* A session has at most this many flows. */
#define UP_MAX_FLOWS 256

/* The flows of a session. Returns how many, or -E2BIG. `rules` NULL: none. */
int up_flows_of(const struct up_environment *env, const struct up_switch_view *view,
                const struct up_rules *rules, struct up_flow flows[UP_MAX_FLOWS]);

bool up_match_equal(const struct up_match *a, const struct up_match *b);

/* True when the switch must be told the same. */
bool up_action_equal(const struct up_action *a, const struct up_action *b);

/* Calls `put` for every flow of `to` that `from` does not have alike, then `take` for those of
 * `from` whose match is not in `to`. */
void up_flows_difference(const struct up_flow *from, int from_count, const struct up_flow *to,
                         int to_count, void (*put)(void *context, const struct up_flow *flow),
                         void (*take)(void *context, const struct up_flow *flow), void *context);

/* The meters that a session needs: calls `put` (with is_new) for those new or with another rate,
 * `take` for those not needed any more. */
void up_meters_difference(const struct up_rules *from, const struct up_rules *to,
                          void (*put)(void *context, uint32_t meter, uint32_t kbps, bool is_new),
                          void (*take)(void *context, uint32_t meter), void *context);

/* The clamp of a flow: the same match one priority higher. */
struct up_match up_clamp_of(const struct up_match *match);

/* As OpenFlow. The actions and instructions are in `space`, which the message points to. */
struct up_flow_space {
    struct of_action actions[4];
    struct of_instruction instructions[3];
};

void up_flow_mod(const struct up_switch_view *view, const struct up_flow *flow, uint8_t command,
                 uint64_t cookie, struct of_flow_mod *mod, struct up_flow_space *space);

void up_match_to_of(const struct up_match *match, struct of_match *of);

/* Whether a flow that a switch reported has this match and action. */
bool up_flow_is(const struct up_flow *flow, uint8_t table, uint16_t priority,
                const struct of_match *match);
bool up_flow_does(const struct up_switch_view *view, const struct up_flow *flow,
                  const struct of_instructions *instructions);

/* "table=0 priority=61185 in_port=1,tun_id=0x11 actions=...", as ovs-ofctl would write it. */
void up_flow_print(const struct up_switch_view *view, struct text *t, const struct up_flow *flow);

#endif
