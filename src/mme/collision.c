/*
 * collision.c -- what happens when something comes for a phone whose procedure does not wait for it
 * (TS 24.301 clauses 5.5.1.2.7, 5.5.2.2.4, 5.5.2.3.4, 5.5.3.2.7, 5.6.1.6, 6.5.1.7; TS 36.413
 * clause 8.3).
 *
 * The first row that fits says it. The table decides between whole procedures; what a procedure can
 * make use of it waits for (mme_wait()), and then no row is asked: Attach waits for a TAU Request
 * beside Attach Complete, paging for any first message of the phone, the network's detach for the
 * phone's own.
 */
#include "mme/emm.h"
#include "mme/run.h"

#define P(procedure) (UINT32_C(1) << (procedure))
#define ANY          UINT32_MAX

/* Procedures that end by themselves at once, or must not be cut short. */
#define SHORT (P(MME_S1_RELEASE) | P(MME_CLEARING) | P(MME_E_RAB_RELEASE))

/* Procedures of single bearers: the phone is registered and connected. */
#define OF_BEARERS                                                              \
    (P(MME_PDN_CONNECTIVITY) | P(MME_PDN_DISCONNECT) | P(MME_BEARER_RESOURCE) | \
     P(MME_CREATE_BEARER) | P(MME_UPDATE_BEARER) | P(MME_DELETE_BEARER) |       \
     P(MME_SUBSCRIPTION_CHANGE))

/* When a row holds. */
enum condition {
    ALWAYS,
    SAME_CONNECTION, /* the event came on the connection that the procedure began on */
    REPEATED,        /* and it is the very message that began it */
    INACTIVITY,      /* the eNodeB saw no traffic (else it lost the phone) */
};

static const struct row {
    enum mme_event_kind event;
    uint32_t running;
    enum condition condition;
    enum mme_collision collision;
} rows[] = {
    /* 5.5.1.2.7 d, e: an attach request that differs in no IE is a repetition. Else the former
     * attach is aborted; in 5.5.1.2.7 f the phone has forgotten that it is registered, which ends
     * all else. */
    {MME_ATTACH_REQUEST, P(MME_ATTACH), REPEATED, MME_IGNORE},
    {MME_ATTACH_REQUEST, SHORT, ALWAYS, MME_DEFER},
    {MME_ATTACH_REQUEST, ANY, ALWAYS, MME_ABORT},

    /* 5.5.1.2.7 h, 5.5.3.2.7, 5.6.1.6: detach has precedence over all. */
    {MME_DETACH_REQUEST, P(MME_UE_DETACH), ALWAYS, MME_IGNORE},
    {MME_DETACH_REQUEST, SHORT, ALWAYS, MME_DEFER},
    {MME_DETACH_REQUEST, ANY, ALWAYS, MME_ABORT},

    /* 5.5.3.2.7 c, d: as with attach. 5.5.2.3.4 d: the network's detach goes on and the update is
       ignored. */
    {MME_TRACKING_AREA_UPDATE_REQUEST, P(MME_TRACKING_AREA_UPDATE), REPEATED, MME_IGNORE},
    {MME_TRACKING_AREA_UPDATE_REQUEST, P(MME_NETWORK_DETACH) | P(MME_UE_DETACH), ALWAYS,
     MME_IGNORE},
    {MME_TRACKING_AREA_UPDATE_REQUEST, SHORT | P(MME_PATH_SWITCH) | P(MME_HANDOVER), ALWAYS,
     MME_DEFER},
    {MME_TRACKING_AREA_UPDATE_REQUEST, OF_BEARERS, SAME_CONNECTION, MME_DEFER},
    {MME_TRACKING_AREA_UPDATE_REQUEST, ANY, ALWAYS, MME_ABORT},

    /* 5.6.1.6 d, e; 5.5.2.3.4 c. A service request on another connection says that the phone lost
       the one in use. */
    {MME_SERVICE_REQUEST, P(MME_UE_SERVICE_REQUEST), REPEATED, MME_IGNORE},
    {MME_SERVICE_REQUEST, P(MME_NETWORK_DETACH) | P(MME_UE_DETACH), ALWAYS, MME_IGNORE},
    {MME_SERVICE_REQUEST, SHORT, ALWAYS, MME_DEFER},
    {MME_SERVICE_REQUEST, ANY, ALWAYS, MME_ABORT},
    {MME_EXTENDED_SERVICE_REQUEST, P(MME_UE_SERVICE_REQUEST), REPEATED, MME_IGNORE},
    {MME_EXTENDED_SERVICE_REQUEST, P(MME_NETWORK_DETACH) | P(MME_UE_DETACH), ALWAYS, MME_IGNORE},
    {MME_EXTENDED_SERVICE_REQUEST, SHORT, ALWAYS, MME_DEFER},
    {MME_EXTENDED_SERVICE_REQUEST, ANY, ALWAYS, MME_ABORT},

    /* 6.5.1.7, 6.5.2.6: the phone repeats a request of which it has heard nothing. */
    {MME_PDN_CONNECTIVITY_REQUEST, P(MME_PDN_CONNECTIVITY), REPEATED, MME_IGNORE},
    {MME_PDN_DISCONNECT_REQUEST, P(MME_PDN_DISCONNECT), REPEATED, MME_IGNORE},
    {MME_BEARER_RESOURCE_REQUEST, P(MME_BEARER_RESOURCE), REPEATED, MME_IGNORE},
    {MME_PDN_CONNECTIVITY_REQUEST, ANY, ALWAYS, MME_DEFER},
    {MME_PDN_DISCONNECT_REQUEST, ANY, ALWAYS, MME_DEFER},
    {MME_BEARER_RESOURCE_REQUEST, ANY, ALWAYS, MME_DEFER},

    /* The eNodeB wants to let go of the phone: because nothing happens, which can wait, or because
       it lost it. */
    {MME_CONTEXT_RELEASE_REQUEST, SHORT | P(MME_PATH_SWITCH) | P(MME_HANDOVER), ALWAYS, MME_DEFER},
    {MME_CONTEXT_RELEASE_REQUEST, ANY, INACTIVITY, MME_DEFER},
    {MME_CONTEXT_RELEASE_REQUEST, ANY, ALWAYS, MME_ABORT},
    {MME_E_RAB_RELEASE_INDICATION, ANY, ALWAYS, MME_DEFER},
    {MME_PATH_SWITCH_REQUEST, ANY, ALWAYS, MME_DEFER},
    {MME_HANDOVER_REQUIRED, P(MME_HANDOVER), ALWAYS, MME_IGNORE},
    {MME_HANDOVER_REQUIRED, ANY, ALWAYS, MME_DEFER},
    {MME_HANDOVER_CANCEL, ANY, ALWAYS, MME_DEFER},

    /* Without connection no procedure with the phone goes on; those that do not need it are not
       touched. */
    {MME_S1_LOST, SHORT | P(MME_UE_DETACH) | P(MME_NETWORK_DETACH), ALWAYS, MME_IGNORE},
    {MME_S1_LOST, ANY, ALWAYS, MME_ABORT},

    /* More data for a phone that is being paged needs no more. */
    {MME_DOWNLINK_DATA_NOTIFICATION, P(MME_NETWORK_SERVICE_REQUEST), ALWAYS, MME_IGNORE},
    {MME_DOWNLINK_DATA_NOTIFICATION, ANY, ALWAYS, MME_DEFER},
    {MME_CREATE_BEARER_REQUEST, ANY, ALWAYS, MME_DEFER},
    {MME_UPDATE_BEARER_REQUEST, ANY, ALWAYS, MME_DEFER},
    {MME_DELETE_BEARER_REQUEST, ANY, ALWAYS, MME_DEFER},

    {MME_SUPERSEDED, ANY, ALWAYS, MME_ABORT},
    {MME_CANCEL_LOCATION, SHORT | P(MME_UE_DETACH) | P(MME_NETWORK_DETACH), ALWAYS, MME_DEFER},
    {MME_CANCEL_LOCATION, ANY, ALWAYS, MME_ABORT},
    {MME_SGW_RESTARTED, ANY, ALWAYS, MME_DEFER},
    {MME_SUBSCRIPTION_CHANGED, ANY, ALWAYS, MME_DEFER},
    {MME_DETACH_WANTED, ANY, ALWAYS, MME_DEFER},
    {MME_IMPLICIT_DETACH, ANY, ALWAYS, MME_IGNORE},
};

static bool is_inactivity(const struct s1ap_pdu *pdu)
{
    const struct s1ap_cause *cause = &pdu->ue_context_release_request->cause;

    return cause->group == S1AP_CAUSE_RADIO_NETWORK &&
           cause->value == S1AP_RADIO_NETWORK_USER_INACTIVITY;
}

static bool holds(enum condition condition, const struct mme_run *run,
                  const struct mme_event *event)
{
    switch (condition) {
    case ALWAYS:
        return true;
    case SAME_CONNECTION:
        return event->s1 == run->begun_on;
    case REPEATED:
        return event->s1 == run->begun_on && event->kind == run->begun_by &&
               mme_request_hash(event->raw) == run->request_hash;
    case INACTIVITY:
        return is_inactivity(event->s1ap);
    }
    return false;
}

enum mme_collision mme_collide(const struct mme_run *run, const struct mme_event *event)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        if (row->event == event->kind && row->running & P(run->procedure) &&
            holds(row->condition, run, event))
            return row->collision;
    }
    /* An answer that nobody waits for: late, or repeated. */
    return MME_IGNORE;
}
