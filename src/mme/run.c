/*
 * run.c -- see run.h. The phone's fiber: begins with an event, carries out the procedure that
 * belongs to it, then what came into the mailbox meanwhile, and ends when nothing is left. A
 * context whose phone is not registered in the end goes with it.
 *
 *        event                                  event           event that collides
 *          | no procedure runs                    | awaited       |
 *          v                                      v               v
 *     +- fiber ---------------------------------------------------------------+
 *     |  carry_out: procedure ... mme_wait ..... goes on .... abort / mail    |
 *     |  settle:    what the phone does not need any more is given back      |
 *     |  mail?      carry_out again                                           |
 *     +-----------------------------------------------------------------------+
 *
 * Mail keeps the message as bytes and decodes it again, as the decoded one is gone with the
 * dispatch that brought it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/run.h"
#include "mme/s11.h"
#include "mme/s1.h"
#include "mme/s6a.h"
#include "mme/ue.h"

#define MAIL_ARENA_LIMIT (256 * 1024)

/* ---- What belongs to an event
 * --------------------------------------------------------------------------- */

/* Where an event's message comes from: how mail decodes it again. */
enum source { FROM_NOWHERE, FROM_NAS, FROM_S1AP, FROM_S11 };

struct event_row {
    const char *name;
    enum source source;
    enum mme_procedure procedure; /* when the phone is at rest */
    void (*carry_out)(struct mme_ue *ue, const struct mme_event *event); /* NULL: nothing */
};

static const struct event_row events[MME_EVENTS] = {
    [MME_NOTHING] = {"nothing", FROM_NOWHERE, MME_CLEARING, NULL},
    [MME_ATTACH_REQUEST] = {"attach request", FROM_NAS, MME_ATTACH, mme_attach},
    [MME_DETACH_REQUEST] = {"detach request", FROM_NAS, MME_UE_DETACH, mme_ue_detach},
    [MME_TRACKING_AREA_UPDATE_REQUEST] = {"tracking area update request", FROM_NAS,
                                          MME_TRACKING_AREA_UPDATE, mme_tracking_area_update},
    [MME_SERVICE_REQUEST] = {"service request", FROM_NAS, MME_UE_SERVICE_REQUEST,
                             mme_service_request},
    [MME_EXTENDED_SERVICE_REQUEST] = {"extended service request", FROM_NAS, MME_UE_SERVICE_REQUEST,
                                      mme_extended_service_request},
    [MME_ATTACH_COMPLETE] = {"attach complete", FROM_NAS, MME_CLEARING, NULL},
    [MME_DETACH_ACCEPT] = {"detach accept", FROM_NAS, MME_CLEARING, NULL},
    [MME_TRACKING_AREA_UPDATE_COMPLETE] = {"tracking area update complete", FROM_NAS, MME_CLEARING,
                                           NULL},
    [MME_GUTI_REALLOCATION_COMPLETE] = {"GUTI reallocation complete", FROM_NAS, MME_CLEARING, NULL},
    [MME_IDENTITY_RESPONSE] = {"identity response", FROM_NAS, MME_CLEARING, NULL},
    [MME_AUTHENTICATION_RESPONSE] = {"authentication response", FROM_NAS, MME_CLEARING, NULL},
    [MME_AUTHENTICATION_FAILURE] = {"authentication failure", FROM_NAS, MME_CLEARING, NULL},
    [MME_SECURITY_MODE_COMPLETE] = {"security mode complete", FROM_NAS, MME_CLEARING, NULL},
    [MME_SECURITY_MODE_REJECT] = {"security mode reject", FROM_NAS, MME_CLEARING, NULL},
    [MME_PDN_CONNECTIVITY_REQUEST] = {"PDN connectivity request", FROM_NAS, MME_PDN_CONNECTIVITY,
                                      mme_pdn_connectivity},
    [MME_PDN_DISCONNECT_REQUEST] = {"PDN disconnect request", FROM_NAS, MME_PDN_DISCONNECT,
                                    mme_pdn_disconnect},
    [MME_BEARER_RESOURCE_REQUEST] = {"bearer resource request", FROM_NAS, MME_BEARER_RESOURCE,
                                     mme_bearer_resource},
    [MME_DEFAULT_BEARER_ACCEPT] = {"activate default bearer accept", FROM_NAS, MME_CLEARING, NULL},
    [MME_DEFAULT_BEARER_REJECT] = {"activate default bearer reject", FROM_NAS, MME_CLEARING, NULL},
    [MME_DEDICATED_BEARER_ACCEPT] = {"activate dedicated bearer accept", FROM_NAS, MME_CLEARING,
                                     NULL},
    [MME_DEDICATED_BEARER_REJECT] = {"activate dedicated bearer reject", FROM_NAS, MME_CLEARING,
                                     NULL},
    [MME_MODIFY_BEARER_ACCEPT] = {"modify bearer accept", FROM_NAS, MME_CLEARING, NULL},
    [MME_MODIFY_BEARER_REJECT] = {"modify bearer reject", FROM_NAS, MME_CLEARING, NULL},
    [MME_DEACTIVATE_BEARER_ACCEPT] = {"deactivate bearer accept", FROM_NAS, MME_CLEARING, NULL},
    [MME_ESM_INFORMATION_RESPONSE] = {"ESM information response", FROM_NAS, MME_CLEARING, NULL},
    [MME_CONTEXT_SETUP_RESPONSE] = {"initial context setup response", FROM_S1AP, MME_CLEARING,
                                    NULL},
    [MME_CONTEXT_SETUP_FAILURE] = {"initial context setup failure", FROM_S1AP, MME_CLEARING, NULL},
    [MME_E_RAB_SETUP_RESPONSE] = {"E-RAB setup response", FROM_S1AP, MME_CLEARING, NULL},
    [MME_E_RAB_MODIFY_RESPONSE] = {"E-RAB modify response", FROM_S1AP, MME_CLEARING, NULL},
    [MME_E_RAB_RELEASE_RESPONSE] = {"E-RAB release response", FROM_S1AP, MME_CLEARING, NULL},
    [MME_E_RAB_RELEASE_INDICATION] = {"E-RAB release indication", FROM_S1AP, MME_E_RAB_RELEASE,
                                      mme_e_rab_release_indication},
    [MME_CONTEXT_RELEASE_REQUEST] = {"UE context release request", FROM_S1AP, MME_S1_RELEASE,
                                     mme_s1_release_procedure},
    [MME_PATH_SWITCH_REQUEST] = {"path switch request", FROM_S1AP, MME_PATH_SWITCH,
                                 mme_path_switch},
    [MME_HANDOVER_REQUIRED] = {"handover required", FROM_S1AP, MME_HANDOVER, mme_handover},
    [MME_HANDOVER_REQUEST_ACKNOWLEDGE] = {"handover request acknowledge", FROM_S1AP, MME_CLEARING,
                                          NULL},
    [MME_HANDOVER_FAILURE] = {"handover failure", FROM_S1AP, MME_CLEARING, NULL},
    [MME_HANDOVER_NOTIFY] = {"handover notify", FROM_S1AP, MME_CLEARING, NULL},
    [MME_HANDOVER_CANCEL] = {"handover cancel", FROM_S1AP, MME_HANDOVER, mme_handover},
    [MME_ENB_STATUS_TRANSFER] = {"eNB status transfer", FROM_S1AP, MME_CLEARING, NULL},
    [MME_S1_LOST] = {"loss of the S1 connection", FROM_NOWHERE, MME_S1_RELEASE,
                     mme_s1_release_procedure},
    [MME_DOWNLINK_DATA_NOTIFICATION] = {"downlink data notification", FROM_S11,
                                        MME_NETWORK_SERVICE_REQUEST, mme_network_service_request},
    [MME_CREATE_BEARER_REQUEST] = {"create bearer request", FROM_S11, MME_CREATE_BEARER,
                                   mme_create_bearer},
    [MME_UPDATE_BEARER_REQUEST] = {"update bearer request", FROM_S11, MME_UPDATE_BEARER,
                                   mme_update_bearer},
    [MME_DELETE_BEARER_REQUEST] = {"delete bearer request", FROM_S11, MME_DELETE_BEARER,
                                   mme_delete_bearer},
    [MME_SGW_RESTARTED] = {"restart of the S-GW", FROM_NOWHERE, MME_NETWORK_DETACH,
                           mme_sgw_restarted},
    [MME_CANCEL_LOCATION] = {"cancel location", FROM_NOWHERE, MME_NETWORK_DETACH,
                             mme_cancel_location},
    [MME_SUBSCRIPTION_CHANGED] = {"change of subscription", FROM_NOWHERE, MME_SUBSCRIPTION_CHANGE,
                                  mme_subscription_changed},
    [MME_DETACH_WANTED] = {"detach by the operator", FROM_NOWHERE, MME_NETWORK_DETACH,
                           mme_network_detach},
    [MME_IMPLICIT_DETACH] = {"implicit detach timer", FROM_NOWHERE, MME_NETWORK_DETACH,
                             mme_implicit_detach},
    [MME_SUPERSEDED] = {"attach elsewhere", FROM_NOWHERE, MME_CLEARING, mme_clear},
};

static const char *const procedure_names[MME_PROCEDURES] = {
    [MME_ATTACH] = "attach",
    [MME_UE_DETACH] = "detach",
    [MME_NETWORK_DETACH] = "network detach",
    [MME_TRACKING_AREA_UPDATE] = "tracking area update",
    [MME_UE_SERVICE_REQUEST] = "service request",
    [MME_NETWORK_SERVICE_REQUEST] = "network service request",
    [MME_S1_RELEASE] = "S1 release",
    [MME_PATH_SWITCH] = "path switch",
    [MME_HANDOVER] = "handover",
    [MME_PDN_CONNECTIVITY] = "PDN connectivity",
    [MME_PDN_DISCONNECT] = "PDN disconnect",
    [MME_BEARER_RESOURCE] = "bearer resource request",
    [MME_CREATE_BEARER] = "create bearer",
    [MME_UPDATE_BEARER] = "update bearer",
    [MME_DELETE_BEARER] = "delete bearer",
    [MME_E_RAB_RELEASE] = "E-RAB release",
    [MME_SUBSCRIPTION_CHANGE] = "subscription change",
    [MME_CLEARING] = "clearing",
};

/* Carried out inside the wait of whatever runs: the phone only changes the cell, and what it was
 * asked still stands. */
#define INTERRUPTS (MME_SET(MME_PATH_SWITCH_REQUEST) | MME_SET(MME_HANDOVER_REQUIRED))

const char *mme_procedure_name(enum mme_procedure procedure)
{
    return procedure_names[procedure];
}

const char *mme_event_name(enum mme_event_kind kind)
{
    return events[kind].name;
}

/* ---- Mail
 * ---------------------------------------------------------------------------------------------------
 */

struct mme_mail {
    struct mme_mail *next;
    struct mme_event event;
    struct arena arena;
    union {
        struct nas_message nas;
        struct s1ap_pdu s1ap;
        struct gtpc_message gtpc;
    };
    struct s1ap_report report;
    size_t len;
    uint8_t bytes[];
};

/* Refuses what somebody waits for an answer to. */
static void turn_away(const struct mme_event *event)
{
    metric_add(&mme_counters[MME_MAIL_OVERFLOWS], 1);
    if (events[event->kind].source == FROM_S11)
        mme_s11_turn_away(event);
}

static struct mme_mail *mail_of(const struct mme_event *event)
{
    static uint8_t buffer[GTPC_MESSAGE_SIZE];
    struct bytes bytes = event->raw;

    if (events[event->kind].source == FROM_S11) {
        struct writer w = writer_of(buffer, sizeof(buffer));
        if (gtpc_encode(&w, &event->gtpc->header, event->gtpc->body) < 0)
            return NULL;
        bytes = wr_view(&w);
    }
    struct mme_mail *mail = calloc(1, sizeof(*mail) + bytes.len);
    if (!mail)
        return NULL;
    arena_init(&mail->arena, MAIL_ARENA_LIMIT);
    mail->event = *event;
    mail->len = bytes.len;
    if (bytes.len > 0)
        memcpy(mail->bytes, bytes.at, bytes.len);
    mail->event.raw = bytes_of(mail->bytes, mail->len);
    return mail;
}

static void mail_free(struct mme_mail *mail)
{
    arena_free(&mail->arena);
    free(mail);
}

static void put(struct mme_run *run, const struct mme_event *event, bool in_front)
{
    struct mme_mail *mail = run->mail_count < MME_MAX_MAIL ? mail_of(event) : NULL;

    if (!mail) {
        turn_away(event);
        return;
    }
    run->mail_count++;
    if (in_front) {
        mail->next = run->mail;
        run->mail = mail;
        if (!mail->next)
            run->mail_end = &mail->next;
    } else {
        *run->mail_end = mail;
        run->mail_end = &mail->next;
    }
}

/* Takes the first mail of a set of events; NULL when there is none. */
static struct mme_mail *take(struct mme_run *run, uint64_t kinds)
{
    for (struct mme_mail **link = &run->mail; *link; link = &(*link)->next) {
        struct mme_mail *mail = *link;
        if (!(kinds & MME_SET(mail->event.kind)))
            continue;
        *link = mail->next;
        if (!mail->next)
            run->mail_end = link;
        mail->next = NULL;
        run->mail_count--;
        return mail;
    }
    return NULL;
}

/* Decodes it again. It could be decoded before; only memory can be lacking now. */
static int open_mail(struct mme_mail *mail)
{
    struct bytes bytes = bytes_of(mail->bytes, mail->len);
    struct nas_fault fault;
    int err = 0;

    switch (events[mail->event.kind].source) {
    case FROM_NAS:
        err = nas_decode(bytes, EPS_UPLINK, &mail->arena, &mail->nas, &fault);
        mail->event.nas = &mail->nas;
        break;
    case FROM_S1AP:
        err = s1ap_decode(bytes, &mail->arena, &mail->s1ap, &mail->report);
        mail->event.s1ap = &mail->s1ap;
        break;
    case FROM_S11:
        err = gtpc_decode(bytes, &mail->arena, &mail->gtpc);
        mail->event.gtpc = &mail->gtpc;
        break;
    case FROM_NOWHERE:
        break;
    }
    return err;
}

bool mme_has_mail(const struct mme_ue *ue)
{
    return ue->run && ue->run->mail;
}

void mme_put_back(struct mme_ue *ue, const struct mme_event *event)
{
    put(ue->run, event, true);
}

/* True when something in the mailbox came on this connection: it is still needed. */
static bool mail_is_from(const struct mme_run *run, uint32_t s1)
{
    for (const struct mme_mail *mail = run->mail; mail; mail = mail->next) {
        if (mail->event.s1 == s1)
            return true;
    }
    return false;
}

/* ---- The fiber
 * ------------------------------------------------------------------------------------------------
 */

/* What must be true of a phone at rest is made true, whatever the procedure did and however it
 * ended. */
static void settle_registered(struct mme_ue *ue)
{
    const struct mme_s1 *s1 = mme_s1_of(ue);

    /* A connection without bearers that nobody has a use for any more (TS 23.401 clause 5.3.3.1,
     * note). */
    if (s1 && !s1->context_is_set_up && !mme_has_mail(ue))
        mme_s1_release(mme_s1_of(ue), ue->run->release_cause);
    else if (s1 && s1->context_is_set_up)
        mme_give_up_failed_bearers(ue);
    if (!mme_ue_is_connected(ue) && ue->has_access_bearers)
        mme_release_access_bearers(ue);
    if (!mme_ue_is_connected(ue))
        mme_ue_is_idle_now(ue);
    /* A phone without PDN connection is nowhere; it is told to come again. */
    if (!ue->pdns && !ue->sessions_are_lost)
        mme_put_back(ue, &(struct mme_event){.kind = MME_DETACH_WANTED,
                                             .how = NAS_DETACH_REATTACH_REQUIRED});
}

static void settle(struct mme_ue *ue)
{
    struct mme_run *run = ue->run;

    if (ue->is_registered) {
        settle_registered(ue);
        return;
    }
    if (mme_ue_is_connected(ue) && !mail_is_from(run, ue->s1))
        mme_s1_release(mme_s1_of(ue), run->release_cause);
    mme_delete_all_sessions(ue);
    if (ue->hss_knows_us && !ue->is_superseded && !mme_has_mail(ue))
        mme_s6a_purge(ue);
    ue->hss_knows_us = false;
}

/* The event's connection becomes the phone's; false when the connection is gone meanwhile, and the
 * event with it. */
static bool take_connection(struct mme_ue *ue, const struct mme_event *event)
{
    if (event->s1 == 0)
        return true;
    struct mme_s1 *s1 = mme_s1_get(event->s1);
    if (!s1 || s1->is_releasing || (s1->ue && s1->ue != ue->id))
        return false;
    mme_s1_bind(s1, ue);
    return true;
}

static void carry_out(struct mme_ue *ue, const struct mme_event *event)
{
    struct mme_run *run = ue->run;
    const struct event_row *row = &events[event->kind];

    run->procedure = row->procedure;
    run->begun_by = event->kind;
    run->begun_on = event->s1;
    run->request_hash = row->source == FROM_NAS ? mme_request_hash(event->raw) : 0;
    run->is_cancelled = false;
    run->new_security = NULL;
    run->release_cause = s1ap_cause_nas(S1AP_NAS_NORMAL_RELEASE);
    run->began_us = clock_now_us();
    fiber_set_subject(mme_ue_subject(ue));
    if (!row->carry_out)
        metric_add(&mme_counters[MME_NAS_UNEXPECTED], 1);
    else if (take_connection(ue, event))
        row->carry_out(ue, event);
    else
        turn_away(event);
    if (!mme.is_stopping)
        settle(ue);
}

static void carry_out_mail(struct mme_ue *ue, struct mme_mail *mail)
{
    if (open_mail(mail) == 0)
        carry_out(ue, &mail->event);
    else
        turn_away(&mail->event);
    mail_free(mail);
}

struct beginning {
    struct mme_ue *ue;
    const struct mme_event *event;
};

static void ue_main(void *argument)
{
    const struct beginning *beginning = argument;
    struct mme_ue *ue = beginning->ue;
    struct mme_run run = {.fiber = fiber_self()};

    run.mail_end = &run.mail;
    ue->run = &run;
    mme.runs++;
    mme_overload_check();
    carry_out(ue, beginning->event);
    for (;;) {
        struct mme_mail *mail = take(&run, UINT64_MAX);
        if (!mail)
            break;
        if (mme.is_stopping)
            mail_free(mail);
        else
            carry_out_mail(ue, mail);
    }
    ue->run = NULL;
    mme.runs--;
    mme_overload_check();
    if (ue->is_registered || mme.is_stopping)
        return;
    if (mme_ue_is_connected(ue))
        mme_s1_release(mme_s1_of(ue), run.release_cause);
    mme_ue_free(ue);
}

static void begin(struct mme_ue *ue, const struct mme_event *event)
{
    struct beginning beginning = {ue, event};
    static struct log_limit limit;

    if (!events[event->kind].carry_out) {
        metric_add(&mme_counters[MME_NAS_UNEXPECTED], 1);
        return;
    }
    if (fiber_spawn("mme", ue_main, &beginning))
        return;
    log_limited(&limit, LOG_ERROR, "no memory for a procedure: %s dropped",
                events[event->kind].name);
    turn_away(event);
    if (!ue->is_registered) {
        if (mme_ue_is_connected(ue))
            mme_s1_release(mme_s1_of(ue), s1ap_cause_misc(S1AP_MISC_CONTROL_PROCESSING_OVERLOAD));
        mme_ue_free(ue);
    }
}

/* ---- Events
 * -------------------------------------------------------------------------------------------------------
 */

/* Not one handover inside another. */
static bool may_interrupt(const struct mme_run *run, const struct mme_event *event)
{
    return INTERRUPTS & MME_SET(event->kind) && run->procedure != MME_HANDOVER &&
           run->procedure != MME_PATH_SWITCH;
}

static void deliver(struct mme_ue *ue, const struct mme_event *event)
{
    struct mme_run *run = ue->run;

    run->wanted = 0;
    await_deliver(&run->await, (void *)(uintptr_t)event);
}

static void cancel(struct mme_run *run)
{
    run->is_cancelled = true;
    if (await_has_waiter(&run->await))
        await_fail(&run->await, -ECANCELED);
    else if (run->is_in_diameter)
        fiber_cancel(run->fiber);
}

static void ignore(struct mme_ue *ue, const struct mme_event *event)
{
    const struct event_row *row = &events[event->kind];

    if (!row->carry_out)
        metric_add(&mme_counters[MME_NAS_UNEXPECTED], 1);
    else if (row->source == FROM_S11)
        mme_s11_turn_away(event);
    else if (row->source == FROM_NAS)
        take_connection(
            ue, event); /* the phone is where it was heard last; what is repeated goes there */
}

void mme_post(struct mme_ue *ue, const struct mme_event *event)
{
    struct mme_run *run = ue->run;

    if (!run) {
        begin(ue, event);
        return;
    }
    if (!run->is_cancelled && run->wanted & MME_SET(event->kind)) {
        if (take_connection(ue, event))
            deliver(ue, event);
        return;
    }
    if (!run->is_cancelled && run->wanted && may_interrupt(run, event)) {
        deliver(ue, event);
        return;
    }
    switch (mme_collide(run, event)) {
    case MME_ABORT:
        if (events[event->kind].carry_out && event->kind != MME_S1_LOST)
            put(run, event, true);
        if (!run->is_cancelled)
            cancel(run);
        break;
    case MME_DEFER:
        put(run, event, false);
        break;
    case MME_IGNORE:
        ignore(ue, event);
        break;
    }
}

/* A handover in the middle of something else. */
static void interrupt(struct mme_ue *ue, const struct mme_event *event)
{
    struct mme_run *run = ue->run;
    enum mme_procedure procedure = run->procedure;

    run->procedure = events[event->kind].procedure;
    events[event->kind].carry_out(ue, event);
    run->procedure = procedure;
}

static void interrupt_by_mail(struct mme_ue *ue)
{
    struct mme_mail *mail;

    if (ue->run->procedure == MME_HANDOVER || ue->run->procedure == MME_PATH_SWITCH)
        return;
    while ((mail = take(ue->run, INTERRUPTS)) != NULL) {
        if (open_mail(mail) == 0)
            interrupt(ue, &mail->event);
        mail_free(mail);
    }
}

int mme_wait(struct mme_ue *ue, uint64_t wanted, uint32_t timeout_ms,
             const struct mme_event **event)
{
    struct mme_run *run = ue->run;
    uint64_t end = loop_now_ms() + timeout_ms;

    for (;;) {
        interrupt_by_mail(ue);
        if (run->is_cancelled)
            return -ECANCELED;
        uint64_t now = loop_now_ms();
        if (now >= end && timeout_ms > 0)
            return -ETIMEDOUT;
        void *value;
        run->wanted = wanted;
        int err = await(&run->await, (int)(end - now), &value);
        run->wanted = 0;
        if (err < 0)
            return run->is_cancelled ? -ECANCELED : err;
        *event = value;
        if (wanted & MME_SET((*event)->kind))
            return 0;
        interrupt(ue, *event);
    }
}

int mme_check(const struct mme_ue *ue)
{
    return ue->run->is_cancelled ? -ECANCELED : 0;
}

void mme_run_cancel_all(void)
{
    uint32_t at = 0;

    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue; ue = pool_next(&mme.ues, &at)) {
        if (ue->run && !ue->run->is_cancelled)
            cancel(ue->run);
    }
}
