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

#include "sgw/context.h"

static const struct {
    uint8_t type; /* enum gtpc_message_type */
    bool from_pgw;
    bool may_change_mme; /* with a Sender F-TEID (TS 29.274 clause 7.2.7) */
    void (*procedure)(struct sgw_ue *ue, const struct sgw_event *event);
} procedures[] = {
    {GTPC_CREATE_SESSION_REQUEST, false, false, sgw_create_session},
    {GTPC_MODIFY_BEARER_REQUEST, false, true, sgw_modify_bearer},
    {GTPC_MODIFY_ACCESS_BEARERS_REQUEST, false, true, sgw_modify_access_bearers},
    {GTPC_RELEASE_ACCESS_BEARERS_REQUEST, false, false, sgw_release_access_bearers},
    {GTPC_DELETE_SESSION_REQUEST, false, true, sgw_delete_session},
    {GTPC_CHANGE_NOTIFICATION_REQUEST, false, false, sgw_change_notification},
    {GTPC_SUSPEND_NOTIFICATION, false, false, sgw_suspend},
    {GTPC_RESUME_NOTIFICATION, false, false, sgw_resume},
    {GTPC_DELETE_BEARER_COMMAND, false, false, sgw_refuse_command},
    {GTPC_MODIFY_BEARER_COMMAND, false, false, sgw_refuse_command},
    {GTPC_BEARER_RESOURCE_COMMAND, false, false, sgw_refuse_command},
    {GTPC_DELETE_BEARER_REQUEST, true, false, sgw_delete_bearer},
};

#define PROCEDURES (sizeof(procedures) / sizeof(procedures[0]))

static size_t procedure_of(uint8_t type)
{
    size_t i = 0;

    while (i < PROCEDURES && procedures[i].type != type)
        i++;
    return i;
}

static struct gtpc_endpoint *endpoint_of(uint8_t kind)
{
    return kind == SGW_EVENT_S5 ? sgw.s5 : sgw.s11;
}

static void perform(struct sgw_ue *ue, const struct sgw_event *event)
{
    if (event->kind == SGW_EVENT_ERROR_INDICATION)
        sgw_error_indication(ue, event);
    else if (event->message)
        procedures[procedure_of(event->message->header.type)].procedure(ue, event);
}

static void perform_mail(struct sgw_ue *ue, const struct gtpc_mail *mail)
{
    struct sgw_event event = {.kind = mail->kind,
                              .peer = mail->peer,
                              .transaction = mail->transaction,
                              .content = bytes_of(mail->content, mail->len)};
    struct gtpc_message message;

    if (mail->kind == SGW_EVENT_S11 || mail->kind == SGW_EVENT_S5) {
        arena_reset(&sgw.arena);
        if (gtpc_decode(event.content, &sgw.arena, &message) < 0)
            return; /* it could be decoded when it came: memory is out */
        event.message = &message;
    }
    perform(ue, &event);
}

struct start {
    struct sgw_ue *ue;
    const struct sgw_event *event;
};

static void run(void *argument)
{
    const struct start *start = argument; /* gone after the first wait, and the event with it */
    struct sgw_ue *ue = start->ue;
    struct gtpc_mail *mail;

    fiber_set_subject(ue->imsi);
    ue->mailbox.is_busy = true;
    sgw.procedures++;
    perform(ue, start->event);
    sgw_repair(ue);
    while ((mail = gtpc_mailbox_take(&ue->mailbox))) {
        perform_mail(ue, mail);
        free(mail);
        sgw_repair(ue);
    }
    ue->mailbox.is_busy = false;
    sgw.procedures--;
    if (ue->sessions == 0)
        sgw_ue_free(ue);
}

/* What cannot be taken now is as if it had been lost on the way: the peer sends it again. */
static void turn_away(const struct sgw_event *event)
{
    if (event->transaction)
        udp_abandon(gtpc_udp(endpoint_of(event->kind)), event->transaction);
}

void sgw_post(struct sgw_ue *ue, const struct sgw_event *event)
{
    if (ue->mailbox.is_busy) {
        struct bytes content = event->message ? event->message->datagram : event->content;
        if (gtpc_mailbox_put(&ue->mailbox, event->kind, event->peer, event->transaction, content))
            return;
        sgw_count(SGW_MAILBOX_FULL);
        turn_away(event);
        return;
    }
    struct start start = {ue, event};
    if (!fiber_spawn("sgw", run, &start)) {
        turn_away(event);
        if (ue->sessions == 0)
            sgw_ue_free(ue);
    }
}

/* The phone that a first request names by its IMSI, or one that its TEID names. NULL: refused. */
static struct sgw_ue *ue_to_create_for(const struct udp_peer *peer, uint32_t transaction,
                                       const struct gtpc_message *message)
{
    const struct gtpc_create_session_request *request = message->create_session_request;
    struct gtpc_cause cause = {.value = GTPC_CAUSE_CONDITIONAL_IE_MISSING,
                               .has_offending = true,
                               .offending_type = GTPC_IE_IMSI};
    struct sgw_ue *ue = NULL;

    if (request->imsi && !imsi_is_valid(request->imsi)) {
        cause.value = GTPC_CAUSE_MANDATORY_IE_INCORRECT;
    } else if (request->imsi) {
        cause = (struct gtpc_cause){.value = GTPC_CAUSE_CONTEXT_NOT_FOUND};
        if (message->header.teid == 0) {
            ue = sgw_ue_by_imsi(request->imsi);
            if (!ue)
                ue = sgw_ue_new(request->imsi);
            cause.value = GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
        } else {
            ue = sgw_ue_get(message->header.teid);
            if (ue && (ue->mme != udp_peer_id(peer) || strcmp(ue->imsi, request->imsi) != 0))
                ue = NULL;
        }
    }
    if (!ue) {
        sgw_count(SGW_CREATE_REFUSED);
        gtpc_refuse_with(sgw.s11, transaction, request->sender.teid, &cause);
    }
    return ue;
}

/* The phone whose MME may say this. */
static struct sgw_ue *ue_of_mme(const struct udp_peer *peer, const struct gtpc_message *message,
                                bool may_change_mme)
{
    struct sgw_ue *ue = sgw_ue_get(message->header.teid);
    bool is_its_mme = ue && ue->mme == udp_peer_id(peer) && !ue->is_orphan;

    if (ue && !is_its_mme && may_change_mme && gtpc_find_value(message, GTPC_IE_F_TEID, 0))
        return ue;
    return is_its_mme ? ue : NULL;
}

static struct sgw_ue *ue_of_pgw(const struct udp_peer *peer, const struct gtpc_message *message)
{
    struct sgw_session *session = sgw_session_get(message->header.teid);

    if (!session || session->pgw != udp_peer_id(peer) || session->pgw_is_lost)
        return NULL;
    return sgw_ue_get(session->ue);
}

static void receive(void *owner, struct udp_peer *peer, uint32_t transaction,
                    const struct gtpc_message *message)
{
    size_t i = procedure_of(message->header.type);
    bool from_pgw = i < PROCEDURES && procedures[i].from_pgw;
    struct gtpc_endpoint *endpoint = *(struct gtpc_endpoint **)owner;
    struct sgw_event event = {.kind = from_pgw ? SGW_EVENT_S5 : SGW_EVENT_S11,
                              .peer = udp_peer_id(peer),
                              .transaction = transaction,
                              .message = message};
    struct sgw_ue *ue;

    if (message->header.type == GTPC_DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION) {
        ue = ue_of_mme(peer, message, false);
        if (ue)
            sgw_downlink_data_failure(ue, message);
        return;
    }
    if (i == PROCEDURES) {
        if (transaction)
            gtpc_refuse(endpoint, transaction, 0, GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
        return;
    }
    if (message->header.type == GTPC_CREATE_SESSION_REQUEST &&
        sgw.procedures >= sgw.config->max_procedures) { /* what ends sessions is taken */
        sgw_count(SGW_CONGESTION);
        gtpc_refuse(endpoint, transaction, message->create_session_request->sender.teid,
                    GTPC_CAUSE_GTP_C_ENTITY_CONGESTION);
        return;
    }
    if (message->header.type == GTPC_CREATE_SESSION_REQUEST) {
        ue = ue_to_create_for(peer, transaction, message);
        if (ue)
            sgw_post(ue, &event);
        return;
    }
    ue = from_pgw ? ue_of_pgw(peer, message)
                  : ue_of_mme(peer, message, procedures[i].may_change_mme);
    if (ue)
        sgw_post(ue, &event);
    else
        gtpc_refuse(endpoint, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
}

/* Whom a message is about, whoever sent it. */
static struct sgw_ue *ue_named(const struct gtpc_message *message)
{
    size_t i = procedure_of(message->header.type);

    if (i < PROCEDURES && procedures[i].from_pgw) {
        struct sgw_session *session = sgw_session_get(message->header.teid);
        return session ? sgw_ue_get(session->ue) : NULL;
    }
    return sgw_ue_get(message->header.teid);
}

static const char *subject(void *owner, const struct gtpc_message *message)
{
    struct sgw_ue *ue = ue_named(message);

    (void)owner;
    return ue ? ue->imsi : "";
}

static uint32_t s11_peer_teid(void *owner, const struct gtpc_message *message)
{
    struct sgw_ue *ue = sgw_ue_get(message->header.teid);

    (void)owner;
    return ue ? ue->mme_teid : 0;
}

static uint32_t s5_peer_teid(void *owner, const struct gtpc_message *message)
{
    struct sgw_session *session = sgw_session_get(message->header.teid);

    (void)owner;
    return session ? session->pgw_teid : 0;
}

const struct gtpc_handler sgw_s11_handler = {
    .request = receive,
    .subject = subject,
    .peer_teid = s11_peer_teid,
    .peer_restarted = sgw_peer_restarted,
    .peer_down = sgw_peer_down,
};

const struct gtpc_handler sgw_s5_handler = {
    .request = receive,
    .subject = subject,
    .peer_teid = s5_peer_teid,
    .peer_restarted = sgw_peer_restarted,
    .peer_down = sgw_peer_down,
};
