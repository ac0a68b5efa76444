/*
 * run.h -- how a phone's procedures run: at most one at a time, each a function in a fiber.
 *
 * What: everything that can happen to a phone is an event: a NAS message, an S1AP message, a
 * request of the S-GW or the HSS, a timer, the loss of its S1 connection. mme_post() brings it to
 * the phone:
 *
 *   no procedure runs          the procedure that belongs to the event is started (table in run.c)
 *   the procedure waits for it it goes on, at once, inside mme_post()
 *   otherwise                  collision.c says, as the specifications do: the event has precedence
 * and the procedure is aborted; it waits in the mailbox until the procedure ends; or it is ignored
 *
 * A procedure waits in mme_wait() (or in what is built on it: emm_ask(), mme_page() ...), in a
 * Diameter request or in a GTP request. When it is aborted, mme_wait() and Diameter requests return
 * -ECANCELED; a GTP request is first brought to its end, so that it is known what the S-GW holds.
 * The procedure then returns; what must not be left behind is cleared away in one place, settle()
 * in run.c.
 *
 * An event and what it points to are valid until the receiver's next wait. Loop's thread only.
 */
#ifndef STROWGER_MME_RUN_H
#define STROWGER_MME_RUN_H

#include "base/fiber.h"
#include "mme/context.h"

/* Everything that can happen to a phone. */
enum mme_event_kind {
    MME_NOTHING,
    /* EMM messages that begin something */
    MME_ATTACH_REQUEST,
    MME_DETACH_REQUEST,
    MME_TRACKING_AREA_UPDATE_REQUEST,
    MME_SERVICE_REQUEST,
    MME_EXTENDED_SERVICE_REQUEST,
    /* EMM messages that answer */
    MME_ATTACH_COMPLETE,
    MME_DETACH_ACCEPT,
    MME_TRACKING_AREA_UPDATE_COMPLETE,
    MME_GUTI_REALLOCATION_COMPLETE,
    MME_IDENTITY_RESPONSE,
    MME_AUTHENTICATION_RESPONSE,
    MME_AUTHENTICATION_FAILURE,
    MME_SECURITY_MODE_COMPLETE,
    MME_SECURITY_MODE_REJECT,
    /* ESM messages that begin something */
    MME_PDN_CONNECTIVITY_REQUEST,
    MME_PDN_DISCONNECT_REQUEST,
    MME_BEARER_RESOURCE_REQUEST, /* allocation or modification */
    /* ESM messages that answer */
    MME_DEFAULT_BEARER_ACCEPT,
    MME_DEFAULT_BEARER_REJECT,
    MME_DEDICATED_BEARER_ACCEPT,
    MME_DEDICATED_BEARER_REJECT,
    MME_MODIFY_BEARER_ACCEPT,
    MME_MODIFY_BEARER_REJECT,
    MME_DEACTIVATE_BEARER_ACCEPT,
    MME_ESM_INFORMATION_RESPONSE,
    /* S1AP */
    MME_CONTEXT_SETUP_RESPONSE,
    MME_CONTEXT_SETUP_FAILURE,
    MME_E_RAB_SETUP_RESPONSE,
    MME_E_RAB_MODIFY_RESPONSE,
    MME_E_RAB_RELEASE_RESPONSE,
    MME_E_RAB_RELEASE_INDICATION,
    MME_CONTEXT_RELEASE_REQUEST,
    MME_PATH_SWITCH_REQUEST,
    MME_HANDOVER_REQUIRED,
    MME_HANDOVER_REQUEST_ACKNOWLEDGE,
    MME_HANDOVER_FAILURE,
    MME_HANDOVER_NOTIFY,
    MME_HANDOVER_CANCEL,
    MME_ENB_STATUS_TRANSFER,
    MME_S1_LOST,
    /* S11 */
    MME_DOWNLINK_DATA_NOTIFICATION,
    MME_CREATE_BEARER_REQUEST,
    MME_UPDATE_BEARER_REQUEST,
    MME_DELETE_BEARER_REQUEST,
    MME_SGW_RESTARTED,
    /* S6a, the operator, ourselves */
    MME_CANCEL_LOCATION,
    MME_SUBSCRIPTION_CHANGED,
    MME_DETACH_WANTED,
    MME_IMPLICIT_DETACH,
    MME_SUPERSEDED,
    MME_EVENTS
};

_Static_assert(MME_EVENTS <= 64, "a set of events is a uint64_t");

/* Sets of events, for mme_wait(). */
#define MME_SET(kind) (UINT64_C(1) << (kind))

struct mme_event {
    enum mme_event_kind kind;
    uint32_t s1;  /* the connection it came on; 0: on none */
    uint32_t enb; /* MME_PATH_SWITCH_REQUEST: who sent it; it has no connection yet */
    union {
        const struct nas_message *nas;
        const struct s1ap_pdu *s1ap;
        const struct gtpc_message *gtpc;
    };
    struct bytes raw;     /* the NAS message in plain, or the S1AP message, as it was received */
    uint32_t transaction; /* of a request on S11 */
    uint8_t how;          /* MME_CANCEL_LOCATION: enum s6a_cancellation_type, perhaps with
                             MME_CANCEL_AND_REATTACH; MME_DETACH_WANTED, MME_SGW_RESTARTED: enum
                             nas_detach_type_downlink */
    bool is_secured;      /* a NAS message: its MAC was correct */
    uint32_t nas_count;   /* and its NAS COUNT */
};

#define MME_CANCEL_AND_REATTACH 0x80

/* A procedure, by its name in the specifications. */
enum mme_procedure {
    MME_ATTACH,
    MME_UE_DETACH,
    MME_NETWORK_DETACH,
    MME_TRACKING_AREA_UPDATE,
    MME_UE_SERVICE_REQUEST,
    MME_NETWORK_SERVICE_REQUEST,
    MME_S1_RELEASE,
    MME_PATH_SWITCH,
    MME_HANDOVER,
    MME_PDN_CONNECTIVITY,
    MME_PDN_DISCONNECT,
    MME_BEARER_RESOURCE,
    MME_CREATE_BEARER,
    MME_UPDATE_BEARER,
    MME_DELETE_BEARER,
    MME_E_RAB_RELEASE,
    MME_SUBSCRIPTION_CHANGE,
    MME_CLEARING,
    MME_PROCEDURES
};

const char *mme_procedure_name(enum mme_procedure procedure);
const char *mme_event_name(enum mme_event_kind kind);

/* A procedure that runs; lies on its fiber's stack. */
struct mme_run {
    struct fiber *fiber;
    struct await await;
    uint64_t wanted; /* what mme_wait() waits for */
    enum mme_procedure procedure;
    enum mme_event_kind begun_by;
    uint32_t begun_on;     /* S1 connection */
    uint64_t request_hash; /* of the NAS message that began it: a repetition has the same */
    bool is_cancelled;     /* it is to end; nothing is delivered to it any more */
    bool is_in_diameter;   /* its wait is a Diameter request */
    struct nas_security_context *new_security; /* becomes current with Security Mode Complete */
    /* why the S1 connection is released if the phone is not registered in the end */
    struct s1ap_cause release_cause;
    uint64_t began_us;
    struct mme_mail *mail, **mail_end;
    unsigned mail_count;
};

#define MME_MAX_MAIL 16

void mme_post(struct mme_ue *ue, const struct mme_event *event);

/* Waits in the running procedure for one of a set of events. 0, -ETIMEDOUT, or -ECANCELED when the
 * procedure is to end. An X2 or S1 handover that happens meanwhile is carried out inside. */
int mme_wait(struct mme_ue *ue, uint64_t wanted, uint32_t timeout_ms,
             const struct mme_event **event);

/* The procedure received what is the next one's to handle: it is the first to run when this one has
 * ended. */
void mme_put_back(struct mme_ue *ue, const struct mme_event *event);

/* -ECANCELED when the running procedure is to end, else 0. */
int mme_check(const struct mme_ue *ue);

/* True when something waits in the mailbox. */
bool mme_has_mail(const struct mme_ue *ue);

/* Ends all procedures, for the end of the process. */
void mme_run_cancel_all(void);

/* What an event does to a procedure that does not wait for it (collision.c). */
enum mme_collision {
    MME_ABORT,  /* the procedure ends, then the event is handled */
    MME_DEFER,  /* the event is handled when the procedure has ended */
    MME_IGNORE, /* the event is dropped */
};

enum mme_collision mme_collide(const struct mme_run *run, const struct mme_event *event);

/* The procedures (each in the file of its name). They run in the phone's fiber and report their own
 * outcome. */
void mme_attach(struct mme_ue *ue, const struct mme_event *event);
void mme_ue_detach(struct mme_ue *ue, const struct mme_event *event);
void mme_network_detach(struct mme_ue *ue, const struct mme_event *event);
void mme_implicit_detach(struct mme_ue *ue, const struct mme_event *event);
void mme_cancel_location(struct mme_ue *ue, const struct mme_event *event);
void mme_sgw_restarted(struct mme_ue *ue, const struct mme_event *event);
void mme_tracking_area_update(struct mme_ue *ue, const struct mme_event *event);
void mme_service_request(struct mme_ue *ue, const struct mme_event *event);
void mme_extended_service_request(struct mme_ue *ue, const struct mme_event *event);
void mme_network_service_request(struct mme_ue *ue, const struct mme_event *event);
void mme_s1_release_procedure(struct mme_ue *ue, const struct mme_event *event);
void mme_path_switch(struct mme_ue *ue, const struct mme_event *event);
void mme_handover(struct mme_ue *ue, const struct mme_event *event);
void mme_pdn_connectivity(struct mme_ue *ue, const struct mme_event *event);
void mme_pdn_disconnect(struct mme_ue *ue, const struct mme_event *event);
void mme_bearer_resource(struct mme_ue *ue, const struct mme_event *event);
void mme_create_bearer(struct mme_ue *ue, const struct mme_event *event);
void mme_update_bearer(struct mme_ue *ue, const struct mme_event *event);
void mme_delete_bearer(struct mme_ue *ue, const struct mme_event *event);
void mme_e_rab_release_indication(struct mme_ue *ue, const struct mme_event *event);
void mme_subscription_changed(struct mme_ue *ue, const struct mme_event *event);
void mme_clear(struct mme_ue *ue, const struct mme_event *event);

#endif
