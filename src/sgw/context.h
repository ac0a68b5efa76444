/*
 * context.h -- inside the room: phones, their PDN connections and bearers, and the S-GW's one
 * context.
 *
 * A phone (struct sgw_ue) has an MME, which knows it by our S11 TEID: the phone's pool id. Its PDN
 * connections (struct sgw_session) each have a P-GW, which knows it by our S5 TEID: the session's
 * pool id, and a user plane, to which it is one PFCP session. A session has bearers (struct
 * sgw_bearer), each with two tunnels that end at the user plane: S1-U and S5-U.
 *
 * What the user plane should do (`downlink` of a bearer, the far ends of its tunnels) is always
 * known here; program.c makes the user plane agree. So a user plane that has lost its sessions is
 * given them again from here.
 *
 * Contexts refer to each other by id. Per phone with one session and one bearer: about 400 bytes.
 */
#ifndef STROWGER_SGW_CONTEXT_H
#define STROWGER_SGW_CONTEXT_H

#include "link/gtpc_mailbox.h"
#include "link/gtpc_path.h"
#include "link/user_planes.h"
#include "sgw/sgw.h"

#define SGW_APN_SIZE    32 /* for people: longer ones are cut */
#define SGW_MAX_BEARERS 11 /* of a phone: EPS bearer ids 5..15 */

/* One end of a GTP-U tunnel. */
struct sgw_tunnel_end {
    uint32_t teid;
    bool is_set;
    bool is_ipv6;
    union {
        struct in_addr ipv4;
        struct in6_addr ipv6;
    };
};

/* What happens to packets for the phone. */
enum sgw_downlink {
    SGW_DOWNLINK_HOLD,    /* kept, in silence: no eNodeB yet */
    SGW_DOWNLINK_FORWARD, /* to the eNodeB */
    SGW_DOWNLINK_NOTIFY,  /* kept, and we are told: the phone is idle */
    SGW_DOWNLINK_DROP,    /* the phone is suspended (TS 23.272) */
};

struct sgw_bearer {
    uint32_t id;
    uint32_t session;
    uint32_t next; /* of the session */
    uint8_t ebi;
    uint8_t qci;
    struct gtpc_arp arp;
    /* of its rules in the user plane: PDRs and FARs 2n-1 (uplink) and 2n (downlink) */
    uint8_t number;
    uint8_t downlink;                 /* enum sgw_downlink */
    bool is_stale;                    /* the user plane has not been told yet */
    bool has_moved;                   /* to another eNodeB: the old one gets an End Marker */
    struct sgw_tunnel_end s1_u, s5_u; /* at our user plane: what eNodeB and P-GW send to */
    struct sgw_tunnel_end enb, pgw;   /* what we send to */
};

struct sgw_session {
    uint32_t id; /* our S5 TEID, and in our SEID */
    uint32_t ue;
    uint32_t next; /* of the phone */
    uint32_t bearers;
    uint32_t pgw; /* udp_peer_id() on S5; 0: not asked yet */
    uint32_t pgw_teid;
    uint64_t up_seid; /* the user plane's; 0: it has no session */
    uint8_t plane;
    uint8_t default_ebi;
    uint8_t rat_type;    /* enum gtpc_rat_type, as the P-GW knows it */
    bool is_established; /* the P-GW has it */
    bool pgw_is_lost;    /* the P-GW has it no more */
    bool wants_location; /* the P-GW wants to know where the phone is (Change Reporting Action) */
    char apn[SGW_APN_SIZE];
};

struct sgw_ue {
    uint32_t id;  /* our S11 TEID */
    uint32_t mme; /* udp_peer_id() on S11 */
    uint32_t mme_teid;
    uint32_t sessions;
    struct gtpc_mailbox mailbox;
    uint8_t notification_delay; /* wished by the MME, in units of 50 ms */
    uint64_t paged_ms;          /* when a Downlink Data Notification went out; 0: none is */
    bool is_orphan;             /* its MME has forgotten it */
    bool needs_repair;
    bool tunnel_is_lost; /* its eNodeB said that it does not know a tunnel */
    char imsi[IMSI_SIZE];
};

enum sgw_metric {
    SGW_CREATED,
    SGW_CREATE_REFUSED,
    SGW_MODIFIED,
    SGW_MODIFY_REFUSED,
    SGW_RELEASED,
    SGW_DELETED,
    SGW_DELETED_BY_PGW,
    SGW_DATA_REPORTS,
    SGW_NOTIFICATIONS,
    SGW_NOTIFICATIONS_REFUSED,
    SGW_PAGING_FAILURES,
    SGW_ERROR_INDICATIONS,
    SGW_CONGESTION,
    SGW_MAILBOX_FULL,
    SGW_RESTORED,
    SGW_RESTORE_FAILED,
    SGW_ORPHANS,
    SGW_PGW_LOSSES,
    SGW_UES,
    SGW_SESSIONS,
    SGW_PROCEDURES,
    SGW_GTPC_RETRANSMISSIONS,
    SGW_PFCP_RETRANSMISSIONS,
    SGW_GTPC_TIMEOUTS,
    SGW_PFCP_TIMEOUTS,
    SGW_GTPC_DUPLICATES,
    SGW_PFCP_DUPLICATES,
    SGW_GTPC_MALFORMED,
    SGW_PFCP_MALFORMED,
    SGW_GTPC_REFUSED,
    SGW_PFCP_REFUSED,
    SGW_METRICS
};

struct sgw_context {
    const struct sgw_config *config;
    struct gtpc_endpoint *s11, *s5; /* the same when the addresses are */
    struct user_planes *planes;
    uint32_t seid_high; /* SEIDs of an earlier life find nothing */
    struct pool ues, sessions, bearers;
    struct map ue_by_imsi;
    struct arena arena; /* messages that are decoded a second time, until the next wait */
    uint32_t procedures;
    struct timer path_timer, repair_timer;
    struct fiber *sweeper; /* NULL: nothing to be repaired */
    bool repair_again;
    bool is_stopping;
    uint32_t repairs; /* phones in repair now */
    struct await repair_done;
    struct metric metrics[SGW_METRICS];
};

extern struct sgw_context sgw;

static inline void sgw_count(enum sgw_metric metric)
{
    metric_add(&sgw.metrics[metric], 1);
}

/* ---- metrics.c ---- */
void sgw_metrics_init(void);

/* ---- context.c ---- */

/* Makes pools and maps. 0 or -ENOMEM. */
int sgw_contexts_open(void);
void sgw_contexts_close(void);

struct sgw_ue *sgw_ue_get(uint32_t id);
struct sgw_ue *sgw_ue_by_imsi(const char *imsi);

/* NULL when there are too many. */
struct sgw_ue *sgw_ue_new(const char *imsi);

/* Frees the phone, whose sessions must be gone; mail must have been taken. */
void sgw_ue_free(struct sgw_ue *ue);

/* Counts the phone with its MME. */
void sgw_ue_set_mme(struct sgw_ue *ue, struct udp_peer *mme, uint32_t teid);

struct sgw_session *sgw_session_get(uint32_t id);

/* A session of the phone with a place in a user plane. NULL: too many, or no user plane is up;
 * *cause tells. */
struct sgw_session *sgw_session_new(struct sgw_ue *ue, enum gtpc_cause_value *cause);

/* Frees it and its bearers, here only. */
void sgw_session_free(struct sgw_session *session);

void sgw_session_set_pgw(struct sgw_session *session, struct udp_peer *pgw);

/* A bearer of the session, with tunnels of the user plane (not set when the user plane is to choose
 * them). NULL as above. */
struct sgw_bearer *sgw_bearer_new(struct sgw_session *session, uint8_t ebi,
                                  enum gtpc_cause_value *cause);

struct sgw_bearer *sgw_bearer_get(uint32_t id);

/* The bearer of any session of the phone. */
struct sgw_bearer *sgw_ue_bearer(const struct sgw_ue *ue, uint8_t ebi);

/* The session whose default bearer this is. */
struct sgw_session *sgw_ue_session(const struct sgw_ue *ue, uint8_t default_ebi);

struct sgw_tunnel_end sgw_end_of_gtpc(const struct gtpc_f_teid *f_teid);
struct sgw_tunnel_end sgw_end_of_pfcp(const struct pfcp_f_teid *f_teid);
struct gtpc_f_teid sgw_end_to_gtpc(const struct sgw_tunnel_end *end, uint8_t interface_type);
bool sgw_ends_equal(const struct sgw_tunnel_end *a, const struct sgw_tunnel_end *b);

/* ---- run.c ---- */

/* What a procedure is started with. It and the message are valid until the procedure's first wait.
 */
struct sgw_event {
    uint8_t kind; /* enum sgw_event_kind */
    uint32_t peer;
    uint32_t transaction; /* 0: nobody waits */
    const struct gtpc_message *message;
    struct bytes content; /* of the kinds that are no GTP-C message */
};

enum sgw_event_kind {
    SGW_EVENT_S11,
    SGW_EVENT_S5,
    SGW_EVENT_ERROR_INDICATION, /* content: struct sgw_tunnel_end of an eNodeB or P-GW that has
                                   forgotten it */
    SGW_EVENT_REPAIR,           /* not kept: a procedure ends with the repair that is needed */
};

/* Brings an event to a phone: starts its procedure, or keeps it until the present one has ended. */
void sgw_post(struct sgw_ue *ue, const struct sgw_event *event);

extern const struct gtpc_handler sgw_s11_handler, sgw_s5_handler;

/* ---- The procedures; each runs in the phone's fiber ---- */
void sgw_create_session(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_modify_bearer(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_release_access_bearers(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_modify_access_bearers(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_suspend(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_resume(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_change_notification(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_delete_session(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_delete_bearer(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_refuse_command(struct sgw_ue *ue, const struct sgw_event *event);
void sgw_error_indication(struct sgw_ue *ue, const struct sgw_event *event);

/* At the end of a phone's procedures: mends what was found broken meanwhile. */
void sgw_repair(struct sgw_ue *ue);

/* ---- delete_session.c: parts of procedures ---- */

/* Deletes the session in the user plane and frees it. With `tell_pgw` also at the P-GW, which is
 * waited for. */
void sgw_drop_session(struct sgw_session *session, bool tell_pgw);
void sgw_drop_all_sessions(struct sgw_ue *ue, bool tell_pgw);

/* The P-GW has lost this session: it is freed, and the MME is told to have it set up again. */
void sgw_end_lost_session(struct sgw_ue *ue, struct sgw_session *session);

/* ---- program.c: the user plane; in a fiber ---- */

/* Makes the user plane do what the session's bearers say: establishes its PFCP session if it has
 * none, else tells what is stale. 0, or: -ENETUNREACH (the user plane is not there), -ETIMEDOUT,
 * -ENOSPC (it is full), -EPROTO (it refuses). */
int sgw_program(struct sgw_session *session);

/* Deletes the PFCP session; the user plane need not be there. */
void sgw_program_nothing(struct sgw_session *session);

/* Throws away what the user plane keeps for the phone. */
void sgw_program_drop_buffered(struct sgw_session *session);

/* Tells how long to wait between packet and notification, in units of 50 ms. */
void sgw_program_delay(struct sgw_session *session, uint8_t delay);

uint64_t sgw_seid(const struct sgw_session *session);
struct sgw_session *sgw_session_by_seid(uint64_t seid);

extern const struct user_planes_handler sgw_planes_handler;

/* ---- paging.c ---- */
void sgw_downlink_data_report(struct sgw_session *session);
void sgw_downlink_data_failure(struct sgw_ue *ue, const struct gtpc_message *message);

/* ---- repair.c ---- */
void sgw_peer_restarted(void *owner, struct udp_peer *peer);
void sgw_peer_down(void *owner, struct udp_peer *peer);
void sgw_plane_up(void *owner, uint8_t plane, bool restarted);

/* Something could not be told to the user plane: it is tried again in a while. */
void sgw_repair_later(struct sgw_ue *ue);

/* A log line for what happens often when it is wanted. */
__attribute__((format(printf, 1, 2))) void sgw_log_success(const char *format, ...);

#endif
