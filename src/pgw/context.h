/*
 * context.h -- inside the room: phones, their PDN connections, the packet data networks, and the
 * P-GW's one context.
 *
 * A phone (struct pgw_ue) is known by its IMSI. Its PDN connections (struct pgw_session) are each
 * known to an S-GW by our S5 TEID, the session's pool id, and are one PFCP session each at a user
 * plane. A session has one bearer, the default one: dedicated bearers come with a PCRF.
 *
 * What the user plane should do is always known here (program.c), so one that has lost its sessions
 * is given them again. Contexts refer to each other by id. Per phone with one session: about 450
 * bytes.
 */
#ifndef STROWGER_PGW_CONTEXT_H
#define STROWGER_PGW_CONTEXT_H

#include "link/gtpc_mailbox.h"
#include "link/gtpc_path.h"
#include "link/user_planes.h"
#include "pgw/address_pool.h"
#include "pgw/pgw.h"

#define PGW_MAX_APNS  64
#define PGW_MAX_POOLS 16 /* of one APN */

/* A packet data network at work. */
struct pgw_apn {
    const struct pgw_apn_config *config;
    size_t pool_count;
    struct address_pool pools[PGW_MAX_POOLS];
    bool has_ipv4, has_ipv6;
    struct pco_offer offer; /* without the phone's address */
    uint32_t sessions;
};

/* The far end of a tunnel, or ours. */
struct pgw_tunnel_end {
    uint32_t teid;
    bool is_set;
    bool is_ipv6;
    union {
        struct in_addr ipv4;
        struct in6_addr ipv6;
    };
};

struct pgw_session {
    uint32_t id; /* our S5 TEID, and in our SEID */
    uint32_t ue;
    uint32_t next; /* of the phone */
    uint32_t sgw;  /* udp_peer_id() on S5 */
    uint32_t sgw_teid;
    uint32_t charging_id;
    uint64_t up_seid;                      /* the user plane's; 0: it has no session */
    uint64_t began_s;                      /* wall clock */
    uint64_t uplink_bytes, downlink_bytes; /* reported until now */
    uint8_t plane;
    uint8_t apn; /* its place in the configuration */
    uint8_t ebi;
    uint8_t pdn_type; /* enum gtpc_pdn_type: what it has got */
    uint8_t rat_type;
    bool is_established; /* the S-GW has been told of it */
    bool sgw_is_lost;    /* the S-GW has it no more */
    bool is_stale;       /* the user plane has not been told the newest */
    bool has_moved;      /* to another S-GW: the old one gets an End Marker */
    struct in_addr ipv4;
    struct in6_addr ipv6;       /* prefix and interface identifier */
    struct pgw_tunnel_end s5_u; /* at our user plane */
    struct pgw_tunnel_end sgw_u;
    struct gtpc_ambr ambr;
    uint8_t qci;
    struct gtpc_arp arp;
};

struct pgw_ue {
    uint32_t id;
    uint32_t sessions;
    struct gtpc_mailbox mailbox;
    bool needs_repair;
    char imsi[IMSI_SIZE];
    char msisdn[MSISDN_SIZE];
};

enum pgw_metric {
    PGW_CREATED,
    PGW_CREATE_REFUSED,
    PGW_MODIFIED,
    PGW_DELETED,
    PGW_DELETED_BY_US,
    PGW_REPLACED,
    PGW_SGW_LOSSES,
    PGW_ERROR_INDICATIONS,
    PGW_RESTORED,
    PGW_RESTORE_FAILED,
    PGW_CONGESTION,
    PGW_MAILBOX_FULL,
    PGW_UPLINK_BYTES,
    PGW_DOWNLINK_BYTES,
    PGW_UES,
    PGW_SESSIONS,
    PGW_ADDRESSES_IPV4,
    PGW_ADDRESSES_IPV6,
    PGW_PROCEDURES,
    PGW_GTPC_RETRANSMISSIONS,
    PGW_PFCP_RETRANSMISSIONS,
    PGW_GTPC_TIMEOUTS,
    PGW_PFCP_TIMEOUTS,
    PGW_GTPC_DUPLICATES,
    PGW_PFCP_DUPLICATES,
    PGW_GTPC_MALFORMED,
    PGW_PFCP_MALFORMED,
    PGW_GTPC_REFUSED,
    PGW_PFCP_REFUSED,
    PGW_METRICS
};

struct pgw_context {
    const struct pgw_config *config;
    struct gtpc_endpoint *s5;
    struct user_planes *planes;
    uint32_t seid_high;        /* SEIDs of an earlier life find nothing */
    uint32_t last_charging_id; /* counts up from the time of start */
    size_t apn_count;
    struct pgw_apn apns[PGW_MAX_APNS];
    struct pool ues, sessions;
    struct map ue_by_imsi;
    struct arena arena; /* messages that are decoded a second time, until the next wait */
    uint32_t procedures;
    struct timer path_timer, repair_timer;
    struct fiber *sweeper; /* NULL: nothing to be repaired */
    bool repair_again;
    bool is_stopping;
    uint32_t repairs; /* phones in repair now */
    struct await repair_done;
    struct metric metrics[PGW_METRICS];
};

extern struct pgw_context pgw;

static inline void pgw_count(enum pgw_metric metric)
{
    metric_add(&pgw.metrics[metric], 1);
}

/* ---- metrics.c ---- */
void pgw_metrics_init(void);
uint64_t pgw_addresses_in_use(bool is_ipv6);

/* ---- context.c ---- */

/* The pools of an APN. As address_pool_init4(); *is_ipv6 says of which family the wrong one is.
 * Close it also after an error. */
int pgw_apn_open(struct pgw_apn *apn, const struct pgw_apn_config *config, bool *is_ipv6);
void pgw_apn_close(struct pgw_apn *apn);

/* True when a pool of `a` has addresses of another pool, of `b` or (a == b) of itself. */
bool pgw_apns_overlap(const struct pgw_apn *a, const struct pgw_apn *b);

/* The network that an APN names, with or without operator identifier (TS 23.003 clause 9.1.2);
 * NULL: none. */
struct pgw_apn *pgw_apn_named(const char *apn);

int pgw_contexts_open(void);
void pgw_contexts_close(void);

struct pgw_ue *pgw_ue_get(uint32_t id);
struct pgw_ue *pgw_ue_by_imsi(const char *imsi);
struct pgw_ue *pgw_ue_new(const char *imsi);
void pgw_ue_free(struct pgw_ue *ue);

struct pgw_session *pgw_session_get(uint32_t id);

/* A session with a place in a user plane. NULL: too many, or no user plane is up. */
struct pgw_session *pgw_session_new(struct pgw_ue *ue, struct pgw_apn *apn);

/* Frees it with its addresses, here only. */
void pgw_session_free(struct pgw_session *session);
void pgw_session_set_sgw(struct pgw_session *session, struct udp_peer *sgw, uint32_t teid);

/* The session with this bearer. */
struct pgw_session *pgw_ue_session(const struct pgw_ue *ue, uint8_t ebi);

struct pgw_apn *pgw_session_apn(const struct pgw_session *session);

/* Addresses for the session's PDN type: those asked for (static ones, from the subscription), else
 * any. False: none are left, or the one asked for is not ours to give or is somebody's; *cause
 * tells. What was taken goes with the session. */
bool pgw_take_addresses(struct pgw_session *session, const struct gtpc_paa *wanted,
                        enum gtpc_cause_value *cause);

struct pgw_tunnel_end pgw_end_of_gtpc(const struct gtpc_f_teid *f_teid);
struct pgw_tunnel_end pgw_end_of_pfcp(const struct pfcp_f_teid *f_teid);
struct gtpc_f_teid pgw_end_to_gtpc(const struct pgw_tunnel_end *end, uint8_t interface_type);
bool pgw_ends_equal(const struct pgw_tunnel_end *a, const struct pgw_tunnel_end *b);

/* ---- run.c ---- */

/* What a procedure is started with. It and the message are valid until the procedure's first wait.
 */
struct pgw_event {
    uint8_t kind; /* enum pgw_event_kind */
    uint32_t peer;
    uint32_t transaction;
    const struct gtpc_message *message;
    struct bytes content; /* of the kinds that are no GTP-C message */
};

enum pgw_event_kind {
    PGW_EVENT_S5,
    PGW_EVENT_ERROR_INDICATION, /* content: struct pgw_forgotten */
    PGW_EVENT_DISCONNECT,       /* the operator ends all sessions of the phone */
    PGW_EVENT_REPAIR,           /* not kept: a procedure ends with the repair that is needed */
};

/* The far end of a tunnel of this session has forgotten it. */
struct pgw_forgotten {
    uint32_t session;
    struct pgw_tunnel_end end;
};

/* Brings an event to a phone: starts its procedure, or keeps it until the present one has ended. */
void pgw_post(struct pgw_ue *ue, const struct pgw_event *event);

extern const struct gtpc_handler pgw_s5_handler;

/* ---- The procedures; each runs in the phone's fiber ---- */
void pgw_create_session(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_modify_bearer(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_delete_session(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_change_notification(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_suspend(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_resume(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_refuse_command(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_error_indication(struct pgw_ue *ue, const struct pgw_event *event);
void pgw_disconnect(struct pgw_ue *ue, const struct pgw_event *event);

/* At the end of a phone's procedures: mends what was found broken meanwhile. */
void pgw_repair(struct pgw_ue *ue);

/* ---- change_session.c: parts of procedures ---- */

/* Deletes the session in the user plane, counts its volume, and frees it. */
void pgw_drop_session(struct pgw_session *session, const char *why);

/* The same, and the S-GW is told (Delete Bearer Request). */
void pgw_end_session(struct pgw_session *session, enum gtpc_cause_value cause);

/* ---- program.c: the user plane; in a fiber ---- */

/* Makes the user plane do what the session says. 0, or: -ENETUNREACH, -ETIMEDOUT, -ENOSPC, -EPROTO.
 */
int pgw_program(struct pgw_session *session);

/* Deletes the PFCP session; the user plane need not be there. What it counted is in the session. */
void pgw_program_nothing(struct pgw_session *session);

uint64_t pgw_seid(const struct pgw_session *session);
struct pgw_session *pgw_session_by_seid(uint64_t seid);

extern const struct user_planes_handler pgw_planes_handler;

/* ---- repair.c ---- */
void pgw_peer_restarted(void *owner, struct udp_peer *peer);
void pgw_peer_down(void *owner, struct udp_peer *peer);
void pgw_plane_up(void *owner, uint8_t plane, bool restarted);

/* Something could not be told to the user plane: it is tried again in a while. */
void pgw_repair_later(struct pgw_ue *ue);

/* A log line for what happens often when it is wanted. */
__attribute__((format(printf, 1, 2))) void pgw_log_success(const char *format, ...);

#endif
