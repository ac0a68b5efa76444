/*
 * paging.c -- a packet for a phone that sleeps (TS 23.401 clause 5.3.4.3 steps 2 to 4; TS 29.274
 * clause 7.2.11).
 *
 * The user plane keeps the packet and reports it; the MME is sent a Downlink Data Notification and
 * pages the phone. This does not run as the phone's procedure: the phone may answer before the MME
 * has acknowledged, and its Modify Bearer must not wait. Per phone one notification is out at a
 * time; the user plane reports again when it wants another.
 */
#include <errno.h>

#include "sgw/context.h"

/* An MME that has acknowledged and then says nothing more is told again when the user plane reports
 * again. */
#define PAGED_MS 10000

static bool is_idle(const struct sgw_session *session)
{
    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);

    while (bearer && bearer->downlink != SGW_DOWNLINK_NOTIFY)
        bearer = sgw_bearer_get(bearer->next);
    return bearer;
}

/* The MME's word on it. `session` is still there and idle. */
static void take_acknowledge(struct sgw_ue *ue, struct sgw_session *session,
                             const struct gtpc_downlink_data_notification_acknowledge *answer)
{
    uint8_t cause = answer->cause.value;

    if (gtpc_cause_is_accepted(cause)) {
        uint8_t delay = answer->data_notification_delay ? *answer->data_notification_delay
                                                        : ue->notification_delay;
        if (delay != ue->notification_delay) {
            ue->notification_delay = delay;
            sgw_program_delay(session, delay);
        }
        return;
    }
    ue->paged_ms = 0;
    sgw_count(SGW_NOTIFICATIONS_REFUSED);
    log_info("downlink data notification refused: %s", gtpc_cause_name(cause));
    if (cause == GTPC_CAUSE_CONTEXT_NOT_FOUND) {
        /* The MME does not know this phone: its sessions are void. */
        ue->is_orphan = ue->needs_repair = true;
        sgw_post(ue, &(struct sgw_event){.kind = SGW_EVENT_REPAIR});
    } else if (cause != GTPC_CAUSE_TEMPORARILY_REJECTED_HANDOVER_IN_PROGRESS) {
        sgw_program_drop_buffered(session);
    }
}

static void notify(void *argument)
{
    struct sgw_session *session = argument;
    uint32_t session_id = session->id, ue_id = session->ue;
    struct sgw_ue *ue = sgw_ue_get(ue_id);
    const struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
    struct udp_peer *mme = udp_peer_get(gtpc_udp(sgw.s11), ue->mme);
    uint8_t ebi = bearer->ebi;
    struct gtpc_arp arp = bearer->arp;
    struct gtpc_cause lost = {.value = GTPC_CAUSE_ERROR_INDICATION_RECEIVED};
    struct gtpc_downlink_data_notification request = {
        /* The MME may still take the phone for connected (TS 23.007 clause 22). */
        .cause = ue->tunnel_is_lost ? &lost : NULL,
        .ebi = {&ebi, 1},
        .arp = &arp,
    };
    struct gtpc_message *answer;

    fiber_set_subject(ue->imsi);
    ue->paged_ms = loop_now_ms();
    sgw.procedures++;
    sgw_count(SGW_NOTIFICATIONS);
    int err =
        mme ? gtpc_request(mme, ue->mme_teid, GTPC_DOWNLINK_DATA_NOTIFICATION, &request, &answer)
            : -ENOENT;
    sgw.procedures--;
    ue = sgw_ue_get(ue_id);
    session = sgw_session_get(session_id);
    if (!ue)
        return;
    if (err < 0) {
        ue->paged_ms = 0;
        sgw_count(SGW_NOTIFICATIONS_REFUSED);
        log_warn("the MME did not acknowledge a downlink data notification: %s", uv_strerror(err));
    } else if (session && is_idle(session)) {
        take_acknowledge(ue, session, answer->downlink_data_notification_acknowledge);
    }
}

void sgw_downlink_data_report(struct sgw_session *session)
{
    const struct sgw_ue *ue = sgw_ue_get(session->ue);

    sgw_count(SGW_DATA_REPORTS);
    bool is_paged = ue->paged_ms && loop_now_ms() - ue->paged_ms < PAGED_MS;
    if (is_paged || ue->is_orphan || !is_idle(session))
        return;
    if (sgw.procedures < sgw.config->max_procedures)
        fiber_spawn("sgw paging", notify, session);
    else
        sgw_count(SGW_CONGESTION);
}

struct failure {
    struct sgw_ue *ue;
};

static void drop_buffered(void *argument)
{
    const struct failure *failure = argument;
    uint32_t ue_id = failure->ue->id, id = failure->ue->sessions;

    fiber_set_subject(failure->ue->imsi);
    while (id && sgw_ue_get(ue_id)) {
        struct sgw_session *session = sgw_session_get(id);
        if (!session)
            return; /* it went in the wait: its packets too */
        id = session->next;
        if (is_idle(session))
            sgw_program_drop_buffered(session);
    }
}

/* The phone did not answer: what is kept for it is of no use (clause 7.2.11.3). */
void sgw_downlink_data_failure(struct sgw_ue *ue, const struct gtpc_message *message)
{
    uint8_t cause = message->downlink_data_notification_failure_indication->cause.value;
    struct failure failure = {ue};

    ue->paged_ms = 0;
    sgw_count(SGW_PAGING_FAILURES);
    sgw_log_success("the phone was not found: %s",
                    gtpc_cause_name(cause) ? gtpc_cause_name(cause) : "unknown cause");
    fiber_spawn("sgw paging", drop_buffered, &failure);
}
