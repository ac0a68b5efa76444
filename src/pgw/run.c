/*
 * run.c -- what comes for a phone, and that it is done one after the other.
 *
 * A request is checked here (do we know its TEID, may this peer use it) and then becomes the
 * phone's procedure, a function in a fiber. While that runs, what comes for the same phone waits in
 * its mailbox; a phone at rest has neither fiber nor mail. A phone without sessions is gone when
 * its last procedure ends.
 */
#include <errno.h>
#include <stdlib.h>

#include "pgw/context.h"

static const struct {
    uint8_t type;        /* enum gtpc_message_type */
    bool may_change_sgw; /* with a Sender F-TEID (TS 29.274 clause 7.2.7) */
    void (*procedure)(struct pgw_ue *ue, const struct pgw_event *event);
} procedures[] = {
    {GTPC_CREATE_SESSION_REQUEST, false, pgw_create_session},
    {GTPC_MODIFY_BEARER_REQUEST, true, pgw_modify_bearer},
    {GTPC_DELETE_SESSION_REQUEST, false, pgw_delete_session},
    {GTPC_CHANGE_NOTIFICATION_REQUEST, false, pgw_change_notification},
    {GTPC_SUSPEND_NOTIFICATION, false, pgw_suspend},
    {GTPC_RESUME_NOTIFICATION, false, pgw_resume},
    {GTPC_DELETE_BEARER_COMMAND, false, pgw_refuse_command},
    {GTPC_MODIFY_BEARER_COMMAND, false, pgw_refuse_command},
    {GTPC_BEARER_RESOURCE_COMMAND, false, pgw_refuse_command},
};

#define PROCEDURES (sizeof(procedures) / sizeof(procedures[0]))

static size_t procedure_of(uint8_t type)
{
    size_t i = 0;

    while (i < PROCEDURES && procedures[i].type != type)
        i++;
    return i;
}

static void perform(struct pgw_ue *ue, const struct pgw_event *event)
{
    if (event->kind == PGW_EVENT_ERROR_INDICATION)
        pgw_error_indication(ue, event);
    else if (event->kind == PGW_EVENT_DISCONNECT)
        pgw_disconnect(ue, event);
    else if (event->kind == PGW_EVENT_S5)
        procedures[procedure_of(event->message->header.type)].procedure(ue, event);
}

static void perform_mail(struct pgw_ue *ue, const struct gtpc_mail *mail)
{
    struct pgw_event event = {.kind = mail->kind,
                              .peer = mail->peer,
                              .transaction = mail->transaction,
                              .content = bytes_of(mail->content, mail->len)};
    struct gtpc_message message;

    if (mail->kind == PGW_EVENT_S5) {
        arena_reset(&pgw.arena);
        if (gtpc_decode(event.content, &pgw.arena, &message) < 0)
            return; /* it could be decoded when it came: memory is out */
        event.message = &message;
    }
    perform(ue, &event);
}

struct start {
    struct pgw_ue *ue;
    const struct pgw_event *event;
};

static void run(void *argument)
{
    const struct start *start = argument; /* gone after the first wait, and the event with it */
    struct pgw_ue *ue = start->ue;
    struct gtpc_mail *mail;

    fiber_set_subject(ue->imsi);
    ue->mailbox.is_busy = true;
    pgw.procedures++;
    perform(ue, start->event);
    pgw_repair(ue);
    while ((mail = gtpc_mailbox_take(&ue->mailbox))) {
        perform_mail(ue, mail);
        free(mail);
        pgw_repair(ue);
    }
    ue->mailbox.is_busy = false;
    pgw.procedures--;
    if (ue->sessions == 0)
        pgw_ue_free(ue);
}

/* What cannot be taken now is as if it had been lost on the way: the peer sends it again. */
static void turn_away(const struct pgw_event *event)
{
    if (event->transaction)
        udp_abandon(gtpc_udp(pgw.s5), event->transaction);
}

void pgw_post(struct pgw_ue *ue, const struct pgw_event *event)
{
    if (ue->mailbox.is_busy) {
        struct bytes content = event->message ? event->message->datagram : event->content;
        if (gtpc_mailbox_put(&ue->mailbox, event->kind, event->peer, event->transaction, content))
            return;
        pgw_count(PGW_MAILBOX_FULL);
        turn_away(event);
        return;
    }
    struct start start = {ue, event};
    if (!fiber_spawn("pgw", run, &start)) {
        turn_away(event);
        if (ue->sessions == 0)
            pgw_ue_free(ue);
    }
}

/* The phone that a request names by its IMSI. NULL: refused. */
static struct pgw_ue *ue_to_create_for(uint32_t transaction, const struct gtpc_message *message)
{
    const struct gtpc_create_session_request *request = message->create_session_request;
    struct gtpc_cause cause = {.value = GTPC_CAUSE_CONDITIONAL_IE_MISSING,
                               .has_offending = true,
                               .offending_type = GTPC_IE_IMSI};
    struct pgw_ue *ue = NULL;

    if (request->imsi && !imsi_is_valid(request->imsi)) {
        cause.value = GTPC_CAUSE_MANDATORY_IE_INCORRECT;
    } else if (request->imsi) {
        ue = pgw_ue_by_imsi(request->imsi);
        if (!ue)
            ue = pgw_ue_new(request->imsi);
        cause = (struct gtpc_cause){.value = GTPC_CAUSE_NO_RESOURCES_AVAILABLE};
    }
    if (!ue) {
        pgw_count(PGW_CREATE_REFUSED);
        gtpc_refuse_with(pgw.s5, transaction, request->sender.teid, &cause);
    }
    return ue;
}

/* The phone of the session whose S-GW may say this. */
static struct pgw_ue *ue_of_sgw(const struct udp_peer *peer, const struct gtpc_message *message,
                                bool may_change_sgw)
{
    struct pgw_session *session = pgw_session_get(message->header.teid);

    if (!session || session->sgw_is_lost)
        return NULL;
    if (session->sgw != udp_peer_id(peer) &&
        !(may_change_sgw && gtpc_find_value(message, GTPC_IE_F_TEID, 0)))
        return NULL;
    return pgw_ue_get(session->ue);
}

static void receive(void *owner, struct udp_peer *peer, uint32_t transaction,
                    const struct gtpc_message *message)
{
    size_t i = procedure_of(message->header.type);
    struct pgw_event event = {.kind = PGW_EVENT_S5,
                              .peer = udp_peer_id(peer),
                              .transaction = transaction,
                              .message = message};
    bool is_creation = message->header.type == GTPC_CREATE_SESSION_REQUEST;

    (void)owner;
    if (transaction == 0)
        return; /* a notification; none is for us */
    if (i == PROCEDURES) {
        gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
        return;
    }
    if (is_creation &&
        pgw.procedures >= pgw.config->max_procedures) { /* what ends sessions is taken */
        pgw_count(PGW_CONGESTION);
        gtpc_refuse(pgw.s5, transaction, message->create_session_request->sender.teid,
                    GTPC_CAUSE_GTP_C_ENTITY_CONGESTION);
        return;
    }
    struct pgw_ue *ue = is_creation ? ue_to_create_for(transaction, message)
                                    : ue_of_sgw(peer, message, procedures[i].may_change_sgw);
    if (ue)
        pgw_post(ue, &event);
    else if (!is_creation)
        gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
}

static const char *subject(void *owner, const struct gtpc_message *message)
{
    struct pgw_session *session = pgw_session_get(message->header.teid);
    struct pgw_ue *ue = session ? pgw_ue_get(session->ue) : NULL;

    (void)owner;
    return ue ? ue->imsi : "";
}

static uint32_t peer_teid(void *owner, const struct gtpc_message *message)
{
    struct pgw_session *session = pgw_session_get(message->header.teid);

    (void)owner;
    return session ? session->sgw_teid : 0;
}

const struct gtpc_handler pgw_s5_handler = {
    .request = receive,
    .subject = subject,
    .peer_teid = peer_teid,
    .peer_restarted = pgw_peer_restarted,
    .peer_down = pgw_peer_down,
};
