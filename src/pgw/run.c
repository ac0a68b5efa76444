/*
 * run.c -- what comes for a session, and that it is done one after the other.
 *
 * A request is checked here (do we know its TEID, may this S-GW use it) and then becomes the session's procedure, a function in a
 * fiber. While that runs, what comes for the same session waits in its mailbox; a session at rest has neither fiber nor mail.
 */
#include <errno.h>
#include <stdlib.h>

#include "pgw/context.h"

static const struct {
    uint8_t type; /* enum gtpc_message_type */
    bool may_change_sgw; /* with a Sender F-TEID (TS 29.274 clause 7.2.7) */
    void (*procedure)(struct pgw_session *session, const struct pgw_event *event);
} procedures[] = {
    {GTPC_CREATE_SESSION_REQUEST, false, pgw_create_session},
    {GTPC_MODIFY_BEARER_REQUEST, true, pgw_modify_bearer},
    {GTPC_DELETE_SESSION_REQUEST, false, pgw_delete_session},
    {GTPC_CHANGE_NOTIFICATION_REQUEST, false, pgw_change_notification},
    {GTPC_SUSPEND_NOTIFICATION, false, pgw_suspend},
    {GTPC_RESUME_NOTIFICATION, false, pgw_resume},
    {GTPC_DELETE_BEARER_COMMAND, false, pgw_delete_bearer_command},
    {GTPC_MODIFY_BEARER_COMMAND, false, pgw_modify_bearer_command},
    {GTPC_BEARER_RESOURCE_COMMAND, false, pgw_bearer_resource_command},
};

#define PROCEDURES (sizeof(procedures) / sizeof(procedures[0]))

static size_t procedure_of(uint8_t type)
{
    size_t i = 0;

    while (i < PROCEDURES && procedures[i].type != type)
        i++;
    return i;
}

static void perform(struct pgw_session *session, const struct pgw_event *event)
{
    switch ((enum pgw_event_kind)event->kind) {
    case PGW_EVENT_S5:
        procedures[procedure_of(event->message->header.type)].procedure(session, event);
        break;
    case PGW_EVENT_LOST:
        pgw_lost(session, event);
        break;
    case PGW_EVENT_DISCONNECT:
        pgw_disconnect(session, event);
        break;
    case PGW_EVENT_REPAIR:
        pgw_repair(session, event);
        break;
    }
}

static void perform_mail(struct pgw_session *session, const struct gtpc_mail *mail)
{
    struct pgw_event event = {
        .kind = mail->kind, .peer = mail->peer, .transaction = mail->transaction};
    struct gtpc_message message;

    if (mail->kind == PGW_EVENT_S5) {
        arena_reset(&pgw.arena);
        if (gtpc_decode(bytes_of(mail->content, mail->len), &pgw.arena, &message) < 0)
            return; /* it could be decoded when it came: memory is out */
        event.message = &message;
    }
    perform(session, &event);
}

struct start {
    uint32_t id;
    const struct pgw_event *event;
};

/* A session may be gone after each procedure; its mail went with it. */
static void run(void *argument)
{
    const struct start *start = argument; /* gone after the first wait, and the event with it */
    uint32_t id = start->id;
    struct pgw_session *session = pgw_session_get(id);
    struct gtpc_mail *mail;

    fiber_set_subject(session->imsi);
    session->mailbox.is_busy = true;
    pgw.procedures++;
    perform(session, start->event);
    while ((session = pgw_session_get(id)) && (mail = gtpc_mailbox_take(&session->mailbox))) {
        perform_mail(session, mail);
        free(mail);
    }
    if (session)
        session->mailbox.is_busy = false;
    pgw.procedures--;
}

/* What cannot be taken now is as if it had been lost on the way: the S-GW sends it again. */
static void turn_away(const struct pgw_event *event)
{
    if (event->transaction)
        udp_abandon(gtpc_udp(pgw.s5), event->transaction);
}

void pgw_post(struct pgw_session *session, const struct pgw_event *event)
{
    if (session->mailbox.is_busy) {
        struct bytes content = event->message ? event->message->datagram : bytes_of(NULL, 0);
        if (gtpc_mailbox_put(&session->mailbox, event->kind, event->peer, event->transaction, content))
            return;
        pgw_count(PGW_MAILBOX_FULL);
        turn_away(event);
        return;
    }
    struct start start = {session->id, event};
    if (fiber_spawn("pgw", run, &start))
        return;
    turn_away(event);
    if (!session->is_answered)
        pgw_session_free(session);
}

static void refuse_create(uint32_t transaction, uint32_t teid, struct gtpc_cause cause)
{
    pgw_count(PGW_CREATE_REFUSED);
    gtpc_refuse_with(pgw.s5, transaction, teid, &cause);
}

/* A session for a first request. One that exists for the same phone and linked bearer is an earlier life of it (TS 29.274
 * clause 7.2.1): it goes in silence. */
static struct pgw_session *session_to_create(uint32_t transaction, const struct gtpc_message *message)
{
    const struct gtpc_create_session_request *request = message->create_session_request;
    uint32_t teid = request->sender.teid;

    if (!request->imsi || !imsi_is_valid(request->imsi) || request->bearers.count == 0) {
        refuse_create(transaction, teid,
                      (struct gtpc_cause){.value = GTPC_CAUSE_CONDITIONAL_IE_MISSING,
                                          .has_offending = true,
                                          .offending_type = request->bearers.count == 0
                                                                ? GTPC_IE_BEARER_CONTEXT
                                                                : GTPC_IE_IMSI});
        return NULL;
    }
    uint8_t ebi = request->bearers.at[0].ebi & 15;
    struct pgw_session *before = pgw_session_find(request->imsi, ebi);
    if (before) {
        pgw_count(PGW_REPLACED);
        pgw_post(before, &(struct pgw_event){.kind = PGW_EVENT_LOST});
    }
    struct pgw_session *session = pgw_session_new(request->imsi, ebi);
    if (!session)
        refuse_create(transaction, teid, (struct gtpc_cause){.value = GTPC_CAUSE_NO_RESOURCES_AVAILABLE});
    return session;
}

static struct pgw_session *session_of(const struct udp_peer *peer, const struct gtpc_message *message,
                                      bool may_change_sgw)
{
    struct pgw_session *session = pgw_session_get(message->header.teid);
    bool is_its_sgw = session && session->sgw == udp_peer_id(peer);

    if (session && !is_its_sgw && may_change_sgw && gtpc_find_value(message, GTPC_IE_F_TEID, 0))
        return session;
    return is_its_sgw ? session : NULL;
}

static void receive(void *owner, struct udp_peer *peer, uint32_t transaction,
                    const struct gtpc_message *message)
{
    size_t i = procedure_of(message->header.type);
    struct pgw_event event = {
        .kind = PGW_EVENT_S5, .peer = udp_peer_id(peer), .transaction = transaction, .message = message};
    struct pgw_session *session;

    (void)owner;
    if (i == PROCEDURES) {
        if (transaction)
            gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
        return;
    }
    if (pgw.procedures >= pgw.config->max_procedures) {
        pgw_count(PGW_CONGESTION);
        gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_GTP_C_ENTITY_CONGESTION);
        return;
    }
    if (message->header.type == GTPC_CREATE_SESSION_REQUEST)
        session = session_to_create(transaction, message);
    else if (!(session = session_of(peer, message, procedures[i].may_change_sgw)))
        gtpc_refuse(pgw.s5, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    if (session)
        pgw_post(session, &event);
}

static const char *subject(void *owner, const struct gtpc_message *message)
{
    struct pgw_session *session = pgw_session_get(message->header.teid);

    (void)owner;
    if (message->header.type == GTPC_CREATE_SESSION_REQUEST && message->create_session_request->imsi)
        return message->create_session_request->imsi;
    return session ? session->imsi : "";
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
