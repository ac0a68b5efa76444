/*
 * up.h -- inside the room: the user plane application's one context, and what its parts offer each
 * other.
 *
 * A session of the control plane is a struct up_session in a pool; its rules (rules.h) become flows
 * (flows.h) of one switch. What is wanted is always known here; the switch is made to agree: by
 * every change (commit.c), and as a whole when it connects (resync.c).
 */
#ifndef STROWGER_CONTROLLER_UP_H
#define STROWGER_CONTROLLER_UP_H

#include <jansson.h>

#include "base/base.h"
#include "controller/controller.h"
#include "controller/flows.h"
#include "controller/switches.h"
#include "link/pfcp_path.h"
#include "link/restart_counter.h"

struct up_buffer;
struct up_usage;

/* A control plane that has an association with us. */
struct up_node {
    bool is_associated;
    uint32_t peer; /* udp_peer_id() */
    struct pfcp_node_id id;
    uint8_t fqdn[256];
    uint8_t features; /* PFCP_CP_* */
    uint32_t sessions;
    uint64_t since_us;
};

#define UP_MAX_NODES 64

struct up_session {
    uint8_t node;      /* index of its struct up_node */
    bool is_deleting;  /* gone for the control plane, still in the switch */
    bool needs_repair; /* the switch refused a change: see resync.c */
    uint32_t peer;     /* where reports go: udp_peer_id() of the CP F-SEID's address */
    uint64_t cp_seid;
    uint64_t changed_ms; /* when its rules last changed */
    uint64_t error_ms;   /* when an Error Indication was last reported; 0: never */
    struct up_rules *rules;
    struct up_buffer *buffer; /* NULL: no packets wait */
    struct up_usage *usage;   /* NULL: no URRs */
    char imsi[IMSI_SIZE];
};

/* One PFCP request on its way through the switch. */
enum up_change_kind { UP_ESTABLISH, UP_MODIFY, UP_DELETE };

struct up_change {
    enum up_change_kind kind;
    uint32_t transaction; /* of PFCP; 0: nobody waits for an answer */
    uint32_t session;
    uint32_t xid; /* of all OpenFlow messages that belong to it */
    of_error error;
    bool has_failed;
    struct up_rules *before; /* to go back to; freed when the switch has confirmed */
    const struct up_rules
        *after;               /* to see whether another change has followed; never looked into */
    struct up_orders *orders; /* NULL: nothing special */
    uint64_t began_us;
};

enum up_metric {
    UP_ESTABLISHED,
    UP_MODIFIED,
    UP_DELETED,
    UP_REFUSED,
    UP_SESSIONS,
    UP_FLOW_MODS,
    UP_METER_MODS,
    UP_BARRIERS,
    UP_BUFFERED,
    UP_BUFFER_DROPS,
    UP_BUFFER_SENT,
    UP_BUFFER_BYTES,
    UP_CLAMPS,
    UP_DATA_REPORTS,
    UP_USAGE_REPORTS,
    UP_ERROR_REPORTS,
    UP_REPORT_FAILURES,
    UP_END_MARKERS,
    UP_ERROR_INDICATIONS_SENT,
    UP_ERROR_INDICATIONS_RECEIVED,
    UP_ECHOES,
    UP_ROUTER_ADVERTISEMENTS,
    UP_NEIGHBOUR_ANSWERS,
    UP_STRAY_PACKETS,
    UP_RESYNC_REPAIRED,
    UP_RESYNC_REMOVED,
    UP_METRICS
};

struct up_context {
    const struct controller_user_plane_config *config;
    struct pfcp_endpoint *pfcp;
    struct controller_switch *sw; /* NULL: none, or not one that has the ports */
    struct up_switch_view view;
    uint32_t signal_port;
    bool has_signal_port;
    struct up_environment env;
    struct up_teids teids;
    struct up_meters meters;
    struct pool sessions;
    struct map by_ue4;    /* a phone's address to its session: for ARP */
    struct map by_ue6;    /* the first 64 bits of its prefix */
    struct map by_remote; /* tunnels that sessions send in: up_remote_key() to session, for Error
                             Indications */
    struct up_node nodes[UP_MAX_NODES];
    uint16_t epoch;     /* in cookies */
    uint32_t seid_high; /* in SEIDs: those of an earlier life find nothing */
    uint64_t started_ms;
    bool accepts; /* the switch is ready for new sessions */
    struct timer purge;
    struct up_flow scratch[2][UP_MAX_FLOWS]; /* for one call each; too large for a fiber's stack */
    struct arena arena;                      /* of a counters' reply */
    struct histogram answer_time;
    struct metric metrics[UP_METRICS];
};

extern struct up_context up;

/* Wall clock, seconds. */
static inline uint64_t up_now_s(void)
{
    return clock_wall_us() / 1000000;
}

static inline void up_count(enum up_metric metric)
{
    metric_add(&up.metrics[metric], 1);
}

/* ---- up.c: the whole ---- */

int up_open(const struct controller_user_plane_config *config, const char *restart_file);
void up_close(void);
extern const struct controller_application up_application;

/* ---- session.c: PFCP sessions ---- */

void up_session_establishment(struct up_node *node, struct udp_peer *peer, uint32_t transaction,
                              const struct pfcp_session_establishment_request *request);
void up_session_modification(uint32_t id, struct up_session *session, const struct udp_peer *peer,
                             uint32_t transaction,
                             const struct pfcp_session_modification_request *request);
void up_session_deletion(uint32_t id, struct up_session *session, uint32_t transaction);

/* The session that this node may mean by a SEID. */
struct up_session *up_session_of(const struct up_node *node, uint64_t seid, uint32_t *id);

/* Frees it; nothing more is said to the switch. */
void up_session_end(uint32_t id, struct up_session *session);

static inline uint64_t up_seid(uint32_t session)
{
    return (uint64_t)up.seid_high << 32 | session;
}

/* The session, unless it is being deleted. */
struct up_session *up_session_get(uint32_t id);

/* The switch has confirmed (or refused) a change: answers, and lets go what was before. */
void up_change_done(struct up_change *change);

/* Ends a session by ourselves: its flows go, the control plane is not asked. */
void up_session_purge(uint32_t id);

static inline uint64_t up_remote_key(uint32_t teid, struct in_addr address)
{
    return (uint64_t)address.s_addr << 32 | teid;
}

/* Where reports of a session go; NULL: the peer is forgotten. */
struct udp_peer *up_session_peer(const struct up_session *session);

/* ---- report.c: Session Report Requests, each in a fiber of its own ---- */

void up_report_downlink_data(uint32_t session, uint16_t pdr_id);
void up_report_usage(uint32_t session, uint32_t urr_id, uint32_t trigger);
void up_report_error_indication(uint32_t session, uint32_t teid, struct in_addr address);

/* ---- commit.c: many changes, one barrier ---- */

/* A new change with a transaction id of its own. Valid until the next call; its messages are sent
 * with its xid. NULL: too many are in progress, or no memory. */
struct up_change *up_change_begin(enum up_change_kind kind, uint32_t session, uint32_t transaction);

/* The change with this transaction id that is still in progress, or NULL. */
struct up_change *up_change_find(uint32_t xid);

/* True when a further change can be carried. */
bool up_has_room(void);

/* The flows and meters that must change from one block of rules to the other (either may be NULL).
 */
void up_send_difference(uint32_t session, uint32_t xid, const struct up_rules *from,
                        const struct up_rules *to);

/* Removes all flows of a session with one message, then its meters. */
void up_send_removal(uint32_t session, uint32_t xid, const struct up_rules *rules);

void up_send_flow(const struct up_flow *flow, uint8_t command, uint64_t cookie, uint32_t xid);
void up_send_meter(uint32_t meter, uint16_t command, uint32_t rate, uint16_t flags, uint32_t xid);

/* An error answers the messages with this xid; true when it was a change's. */
bool up_commit_error(uint32_t xid, of_error error);

/* The switch is gone: what is in progress ends. */
void up_commit_switch_gone(void);
void up_commit_free(void);

/* ---- pipeline.c: flows that are always there ---- */

enum up_fixed {
    UP_FIXED_SIGNAL = 1,     /* GTP-U messages that are no G-PDUs */
    UP_FIXED_UNKNOWN_TUNNEL, /* G-PDUs of no session */
    UP_FIXED_LOCAL_MISS,     /* ... inside the switch */
    UP_FIXED_EXIT = 0x100,   /* + 16 * exit + enum up_fixed_exit */
};

enum up_fixed_exit {
    UP_EXIT_IN,
    UP_EXIT_ARP,
    UP_EXIT_SOLICITATION,
    UP_EXIT_ADVERTISEMENT,
    UP_EXIT_OUT4,
    UP_EXIT_OUT6
};

struct up_fixed_flow {
    uint32_t number;
    struct of_flow_mod mod;
    struct of_action actions[4];
    struct of_instruction instructions[3];
};

/* The flow at this place of the list; false past its end. */
bool up_fixed_flow(unsigned index, struct up_fixed_flow *flow);
void up_send_fixed_flows(void);
bool up_fixed_meter(uint32_t id, uint32_t *rate, uint16_t *flags);

/* ---- sgi.c: the links behind the exits ---- */

struct up_exit {
    uint8_t mac[6];
    bool has_port;
    uint32_t port;
    bool knows_next_hop;
    uint8_t next_hop[6];
    uint64_t learnt_ms;
    uint32_t ask_ms; /* how long ago the last request for the next hop was, when the timer fires */
    struct timer timer; /* next request for the next hop */
};

extern struct up_exit up_exits[UP_MAX_EXITS];

void up_sgi_start(void);
void up_sgi_stop(void);
/* Every way out knows its next hop. */
bool up_sgi_is_ready(void);
void up_sgi_packet_in(unsigned exit, enum up_fixed_exit what, const struct of_packet_in *packet_in);
json_t *up_sgi_state(void);

/* ---- signal.c: GTP-U's own messages; router.c: what phones ask their router ---- */

int up_signal_open(void);
void up_signal_close(void);
void up_signal_packet_in(const struct of_packet_in *packet_in);
void up_unknown_tunnel(const struct of_packet_in *packet_in);
void up_local_miss(const struct of_packet_in *packet_in);
void up_send_end_marker(uint32_t teid, struct in_addr address);
void up_router_packet_in(uint32_t id, const struct up_session *session, const struct up_pdr *pdr,
                         const struct net_packet *packet);

/* ---- forward.c: packets that the controller sends ---- */

/* Sends an IP packet with an Ethernet header (its addresses do not matter) as the rules of this
 * session's PDR say, as the switch would: into a tunnel, on to the other gateway, out of an exit,
 * or into the buffer. */
void up_forward(uint32_t session_id, const struct up_session *session, const struct up_pdr *pdr,
                struct bytes frame);

/* Sends a packet to a phone: by the downlink PDR of this session that takes it. */
void up_send_downlink(uint32_t session_id, const struct up_session *session, struct bytes frame);

void up_packet_out(const struct of_action *actions, size_t count, struct bytes frame);

/* ---- buffer.c: packets for phones that sleep ---- */

/* A packet for a PDR whose FAR says BUFF. */
void up_buffer_add(uint32_t id, struct up_session *session, const struct up_pdr *pdr,
                   struct bytes frame);

/* The rules have changed: packets whose PDR forwards now go out, oldest first; those of PDRs that
 * are gone or drop are dropped; the others stay, and may be reported again. Returns how many went
 * out. */
unsigned up_buffer_review(uint32_t id, struct up_session *session, bool drop_all);
void up_buffer_free(struct up_session *session);
uint32_t up_buffer_count(const struct up_session *session, size_t *bytes);

/* A report was answered, or not. */
void up_buffer_reported(uint32_t id, int error, bool drop);

/* ---- usage.c: URRs ---- */

/* After the rules of a session changed: timers as its URRs ask. */
void up_usage_follow(uint32_t id, struct up_session *session);
void up_usage_free(struct up_session *session);

/* Asks the switch for the counters of this session; they are added to its URRs before the next
 * barrier is answered. `xid` is that of the change that asks: what it removes is counted a last
 * time. */
void up_usage_query(uint32_t id, uint32_t xid);

/* Fills a report and begins a new measurement. `space` holds what it points to. */
struct up_usage_space {
    uint32_t start, end, duration;
    struct pfcp_volume volume;
};
void up_usage_report(struct up_urr *urr, uint32_t trigger, struct pfcp_usage_report *report,
                     struct up_usage_space *space);

/* ---- resync.c ---- */

void up_resync_start(void);
void up_resync_stop(void);
bool up_is_synchronised(void);
void up_resync_switch_gone(void);
void up_repair_later(void);

/* ---- state.c ---- */

/* Registers the metrics. */
void up_state_open(void);

/* Views; imsi NULL: all, as far as the limit of a view goes. */
json_t *up_state_sessions(const char *imsi);
json_t *up_state_flows(const char *imsi);
json_t *up_state_nodes(void);
json_t *up_state_summary(void);

#endif
