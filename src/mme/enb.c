/*
 * enb.c -- eNodeBs and the S1 interface as a whole (TS 36.413 clause 8.7): S1 Setup, eNB
 * Configuration Update, Reset, Error Indication, Overload, Configuration Transfer, and the SCTP
 * association below them (TS 36.412).
 *
 * An eNodeB is an association. Until its S1 Setup has succeeded it may say nothing else. When the
 * association ends, or the eNodeB starts anew, all its connections are lost, and each phone's
 * procedure learns of it as of any other event.
 *
 * The loop's thread; called by the SCTP layer and by dispatch.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/trace.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/ue.h"

#define SPARE_ASSOCIATIONS 16 /* beyond the limit, to be told that it is reached */
#define MESSAGE_SIZE       (96 * 1024)

/* ---- Names
 * ------------------------------------------------------------------------------------------------
 */

const char *mme_enb_title(const struct mme_enb *enb)
{
    static char title[224];
    struct text t = text_in(title, sizeof(title));

    if (enb->is_set_up) {
        text_add(&t, "eNodeB ");
        text_plmn(&t, &enb->global_id.plmn);
        text_add(&t, "-%u", enb->global_id.enb_id.id);
        if (enb->name[0])
            text_add(&t, " (%s)", enb->name);
    } else {
        text_add(&t, "eNodeB at %s",
                 enb->association ? sctp_peer_name(enb->association) : "a lost association");
    }
    return title;
}

struct mme_enb *mme_enb_of_global_id(const struct s1ap_global_enb_id *id)
{
    uint32_t at = 0;

    for (struct mme_enb *enb = pool_next(&mme.enbs, &at); enb; enb = pool_next(&mme.enbs, &at)) {
        if (enb->is_set_up && plmn_equal(&enb->global_id.plmn, &id->plmn) &&
            enb->global_id.enb_id.kind == id->enb_id.kind &&
            enb->global_id.enb_id.id == id->enb_id.id)
            return enb;
    }
    return NULL;
}

/* ---- Sending
 * ------------------------------------------------------------------------------------------------
 */

static int send_bytes(struct mme_enb *enb, uint16_t stream, struct bytes message,
                      const char *subject)
{
    static struct log_limit limit;

    if (!enb->association)
        return -ENOTCONN;
    int err = sctp_send(enb->association, stream, SCTP_PPID_S1AP, message);
    if (err < 0) {
        metric_add(&mme_counters[MME_S1AP_SEND_FAILURES], 1);
        log_limited(&limit, LOG_WARN, "%s: an S1AP message could not be sent: %s",
                    mme_enb_title(enb),
                    err == -EAGAIN ? "it does not read fast enough (raise mme.s1ap.send_queue?)"
                                   : strerror(-err));
        return err;
    }
    enb->messages_out++;
    metric_add(&mme_counters[MME_S1AP_OUT], 1);
    if (trace_is_on())
        trace_message(TRACE_S1AP, true, sctp_local_address(enb->association),
                      sctp_peer_address(enb->association), subject, message);
    return 0;
}

int mme_enb_send(struct mme_enb *enb, uint16_t stream, enum s1ap_message message, const void *body,
                 const char *subject)
{
    static uint8_t buffer[MESSAGE_SIZE];
    static struct log_limit limit;
    struct writer w = writer_of(buffer, sizeof(buffer));
    int err = s1ap_encode(&w, message, body);

    if (err < 0) {
        metric_add(&mme_counters[MME_S1AP_SEND_FAILURES], 1);
        log_limited(&limit, LOG_ERROR, "%s cannot be encoded: %s", s1ap_message_name(message),
                    strerror(-err));
        return err;
    }
    return send_bytes(enb, stream, wr_view(&w), subject);
}

unsigned mme_enb_broadcast(unsigned area, uint32_t only, struct bytes encoded, const char *subject)
{
    uint32_t at = 0;
    unsigned sent = 0;

    for (struct mme_enb *enb = pool_next(&mme.enbs, &at); enb; enb = pool_next(&mme.enbs, &at)) {
        if (!enb->is_set_up || !(enb->areas & UINT64_C(1) << area) || (only && enb->id != only))
            continue;
        sent += send_bytes(enb, 0, encoded, subject) == 0;
    }
    return sent;
}

/* ---- Life
 * -----------------------------------------------------------------------------------------------------
 */

static void lose_all_connections(struct mme_enb *enb)
{
    while (enb->first_s1)
        mme_s1_lose(mme_s1_get(enb->first_s1));
}

static void enb_free(struct mme_enb *enb)
{
    enb->is_set_up = false;
    enb->association = NULL;
    lose_all_connections(enb);
    free(enb->tais);
    pool_delete(&mme.enbs, enb->id);
}

static struct mme_enb *enb_of_owner(void *owner)
{
    return mme_enb_get((uint32_t)(uintptr_t)owner);
}

static void association_up(struct sctp_association *association, void *owner)
{
    uint32_t id;
    struct mme_enb *enb = pool_new(&mme.enbs, &id);

    (void)owner;
    if (!enb) {
        sctp_set_owner(association, NULL);
        sctp_abort(association);
        return;
    }
    enb->id = id;
    enb->association = association;
    enb->since_ms = loop_now_ms();
    sctp_set_owner(association, (void *)(uintptr_t)id);
    log_debug("%s connected", mme_enb_title(enb));
}

static void association_message(struct sctp_association *association, void *owner,
                                const struct sctp_message *message)
{
    struct mme_enb *enb = enb_of_owner(owner);

    (void)association;
    if (!enb)
        return;
    enb->messages_in++;
    mme_dispatch(enb, message->payload);
}

static void association_writable(struct sctp_association *association, void *owner)
{
    /* What did not fit is lost: NAS sends again by its own timers. */
    (void)association;
    (void)owner;
}

static void association_down(struct sctp_association *association, void *owner,
                             enum sctp_down reason)
{
    struct mme_enb *enb = enb_of_owner(owner);

    (void)association;
    if (!enb)
        return;
    if (enb->is_set_up)
        log_info("%s is gone: %s; %u phones were connected", mme_enb_title(enb),
                 sctp_down_text(reason), enb->s1_count);
    enb_free(enb);
}

static const struct sctp_handler handler = {
    .up = association_up,
    .message = association_message,
    .writable = association_writable,
    .down = association_down,
};

int mme_enb_listen(void)
{
    const struct mme_s1ap_config *config = &mme.config.s1ap;
    struct sctp_settings settings = sctp_settings_default();

    settings.carrier = config->carrier;
    settings.udp_port = config->udp_port;
    settings.streams = config->streams;
    settings.heartbeat_ms = config->heartbeat_ms;
    settings.max_message_bytes = (uint32_t)config->max_message_bytes;
    settings.send_queue_bytes = (uint32_t)config->send_queue_bytes;
    settings.max_associations = mme.config.limits.max_enbs + SPARE_ASSOCIATIONS;
    pool_init(&mme.enbs, sizeof(struct mme_enb), settings.max_associations);
    for (size_t i = 0; i < config->listen.count; i++) {
        int err = sctp_listen((const struct sockaddr *)&config->listen.at[i], &settings, &handler,
                              NULL, &mme.listeners[i]);
        if (err < 0) {
            log_error("mme.s1ap.listen[%zu]: cannot listen for eNodeBs: %s%s", i, strerror(-err),
                      err == -EADDRNOTAVAIL ? " (give an interface of this machine that address)"
                      : err == -EPERM       ? " (raw sockets need root, or set carrier: udp)"
                                            : "");
            return err;
        }
    }
    return 0;
}

void mme_enb_close(void)
{
    uint32_t at = 0;

    for (size_t i = 0; i < MME_MAX_LISTENERS; i++) {
        if (mme.listeners[i])
            sctp_listener_close(mme.listeners[i]);
        mme.listeners[i] = NULL;
    }
    for (struct mme_enb *enb = pool_next(&mme.enbs, &at); enb; enb = pool_next(&mme.enbs, &at)) {
        struct sctp_association *association = enb->association;
        enb_free(enb);
        if (association)
            sctp_shutdown(association);
    }
}

/* ---- Overload (clauses 8.7.6, 8.7.7)
 * -------------------------------------------------------------------------------- */

static void tell_overload(struct mme_enb *enb, bool start)
{
    struct s1ap_overload_start begin = {
        .overload_response = {.overload_action = S1AP_REJECT_RRC_CR_SIGNALLING},
    };
    struct s1ap_overload_stop end = {0};

    if (start)
        mme_enb_send(enb, 0, S1AP_OVERLOAD_START, &begin, "");
    else
        mme_enb_send(enb, 0, S1AP_OVERLOAD_STOP, &end, "");
}

void mme_overload_check(void)
{
    uint32_t limit = mme.config.limits.max_procedures;
    uint32_t at = 0;
    bool was = mme.is_overloaded;

    if (mme.runs >= limit)
        mme.is_overloaded = true;
    else if (mme.runs < limit / 2 + 1)
        mme.is_overloaded = false;
    if (was == mme.is_overloaded)
        return;
    log_warn("%s: %u procedures under way, limit %u (mme.limits.max_procedures)",
             mme.is_overloaded ? "overload begins" : "overload is over", mme.runs, limit);
    for (struct mme_enb *enb = pool_next(&mme.enbs, &at); enb; enb = pool_next(&mme.enbs, &at)) {
        if (enb->is_set_up)
            tell_overload(enb, mme.is_overloaded);
    }
}

/* ---- S1 Setup (clause 8.7.3)
 * ------------------------------------------------------------------------------------ */

/* What the eNodeB broadcasts, compared with what we serve. */
struct coverage {
    uint64_t areas;
    struct tai *tais; /* malloc'ed */
    size_t count;
    bool plmn_is_served;
    struct tai example; /* of what it broadcasts, for the log */
};

static bool plmn_is_served(const struct plmn *plmn)
{
    for (size_t i = 0; i < mme.config.tracking_areas.count; i++) {
        if (plmn_equal(plmn, &mme.config.tracking_areas.at[i].plmn))
            return true;
    }
    return false;
}

static int take_coverage(const struct s1ap_supported_ta *tas, size_t ta_count, struct coverage *c)
{
    size_t most = 0;

    *c = (struct coverage){0};
    for (size_t i = 0; i < ta_count; i++)
        most += tas[i].broadcast_plmns.count;
    c->tais = calloc(most ? most : 1, sizeof(*c->tais));
    if (!c->tais)
        return -ENOMEM;
    for (size_t i = 0; i < ta_count; i++) {
        for (size_t j = 0; j < tas[i].broadcast_plmns.count; j++) {
            struct tai tai = {.plmn = tas[i].broadcast_plmns.at[j], .tac = tas[i].tac};
            int area = mme_area_of(&tai);
            c->example = tai;
            c->plmn_is_served |= plmn_is_served(&tai.plmn);
            if (area < 0)
                continue;
            c->areas |= UINT64_C(1) << area;
            c->tais[c->count++] = tai;
        }
    }
    return 0;
}

static const char *mismatch_text(const struct coverage *c)
{
    static char line[192];
    struct text t = text_in(line, sizeof(line));

    text_add(&t, "it broadcasts PLMN ");
    text_plmn(&t, &c->example.plmn);
    if (c->plmn_is_served)
        text_add(&t, " with TAC %u, and no such TAC is in mme.tracking_areas", c->example.tac);
    else
        text_add(&t, ", which is not in mme.tracking_areas");
    return line;
}

/* Clause 8.7.3.4 names a cause for a PLMN that is not served; for a TAC there is none of its own.
 */
static struct s1ap_cause mismatch_cause(const struct coverage *c)
{
    return s1ap_cause_misc(c->plmn_is_served ? S1AP_MISC_UNSPECIFIED : S1AP_MISC_UNKNOWN_PLMN);
}

void mme_s1_setup_refuse(struct mme_enb *enb, struct s1ap_cause cause,
                         const struct s1ap_criticality_diagnostics *diagnostics, const char *why)
{
    struct s1ap_s1_setup_failure failure = {
        .cause = cause,
        .time_to_wait = &(enum s1ap_time_to_wait){S1AP_TIME_TO_WAIT_10S},
        .criticality_diagnostics = (struct s1ap_criticality_diagnostics *)(uintptr_t)diagnostics,
    };

    log_warn("S1 Setup of %s refused: %s",
             enb->association ? sctp_peer_name(enb->association) : "eNodeB", why);
    mme_enb_send(enb, 0, S1AP_S1_SETUP_FAILURE, &failure, "");
}

static void accept_setup(struct mme_enb *enb,
                         const struct s1ap_criticality_diagnostics *diagnostics)
{
    struct plmn plmns[MME_MAX_PLMNS];
    size_t plmn_count = 0;
    const struct mme_config *config = &mme.config;

    for (size_t i = 0; i < config->tracking_areas.count; i++) {
        const struct plmn *plmn = &config->tracking_areas.at[i].plmn;
        bool seen = false;
        for (size_t j = 0; j < plmn_count; j++)
            seen |= plmn_equal(plmn, &plmns[j]);
        if (!seen)
            plmns[plmn_count++] = *plmn;
    }
    struct bytes name = bytes_of(config->name, strlen(config->name));
    struct s1ap_served_gummei gummei = {
        .served_plmns = {plmns, plmn_count},
        .served_group_ids = {&(uint16_t){config->mme_group_id}, 1},
        .served_mmecs = {&(uint8_t){config->mme_code}, 1},
    };
    struct s1ap_s1_setup_response response = {
        .mme_name = &name,
        .served_gummeis = {&gummei, 1},
        .relative_mme_capacity = config->relative_capacity,
        .criticality_diagnostics = (struct s1ap_criticality_diagnostics *)(uintptr_t)diagnostics,
    };
    mme_enb_send(enb, 0, S1AP_S1_SETUP_RESPONSE, &response, "");
}

static void copy_name(struct mme_enb *enb, const struct bytes *name)
{
    struct text t = text_in(enb->name, sizeof(enb->name));

    if (name)
        text_escaped(&t, *name);
}

static unsigned set_up_count(void)
{
    uint32_t at = 0;
    unsigned count = 0;

    for (struct mme_enb *enb = pool_next(&mme.enbs, &at); enb; enb = pool_next(&mme.enbs, &at))
        count += enb->is_set_up;
    return count;
}

/* An eNodeB that comes again on a new association before the old one was seen to be dead. */
static void drop_predecessor(struct mme_enb *enb, const struct s1ap_global_enb_id *id)
{
    struct mme_enb *predecessor = mme_enb_of_global_id(id);

    if (!predecessor || predecessor == enb)
        return;
    struct sctp_association *association = predecessor->association;
    log_info("%s came again from another association; the old one is closed",
             mme_enb_title(predecessor));
    enb_free(predecessor);
    if (association)
        sctp_abort(association);
}

void mme_s1_setup(struct mme_enb *enb, const struct s1ap_pdu *pdu, const struct s1ap_report *report)
{
    const struct s1ap_s1_setup_request *request = pdu->s1_setup_request;
    const struct s1ap_criticality_diagnostics *diagnostics =
        report->verdict == S1AP_PROCEED_AND_NOTIFY ? &report->diagnostics : NULL;
    struct coverage coverage;

    /* An eNodeB that sets up anew has forgotten everything (clause 8.7.3.1). */
    lose_all_connections(enb);
    enb->is_set_up = false;
    if (take_coverage(request->supported_tas.at, request->supported_tas.count, &coverage) < 0) {
        mme_s1_setup_refuse(enb, s1ap_cause_misc(S1AP_MISC_CONTROL_PROCESSING_OVERLOAD),
                            diagnostics, "out of memory");
        return;
    }
    if (coverage.count == 0) {
        mme_s1_setup_refuse(enb, mismatch_cause(&coverage), diagnostics, mismatch_text(&coverage));
        free(coverage.tais);
        return;
    }
    drop_predecessor(enb, &request->global_enb_id);
    if (set_up_count() >= mme.config.limits.max_enbs) {
        metric_add(&mme_counters[MME_REFUSED_CONGESTION], 1);
        mme_s1_setup_refuse(enb, s1ap_cause_misc(S1AP_MISC_CONTROL_PROCESSING_OVERLOAD),
                            diagnostics, "mme.limits.max_enbs is reached");
        free(coverage.tais);
        return;
    }
    free(enb->tais);
    enb->tais = coverage.tais;
    enb->tai_count = coverage.count;
    enb->areas = coverage.areas;
    enb->global_id = request->global_enb_id;
    enb->default_paging_drx = request->default_paging_drx;
    copy_name(enb, request->enb_name);
    enb->is_set_up = true;
    accept_setup(enb, diagnostics);
    log_info("%s is up: %zu of its tracking areas are served, relative capacity %u",
             mme_enb_title(enb), enb->tai_count, mme.config.relative_capacity);
    if (mme.is_overloaded)
        tell_overload(enb, true);
}

/* ---- eNB Configuration Update (clause 8.7.4)
 * ---------------------------------------------------------------------- */

void mme_enb_configuration_update_refuse(struct mme_enb *enb, struct s1ap_cause cause,
                                         const struct s1ap_criticality_diagnostics *diagnostics)
{
    struct s1ap_enb_configuration_update_failure failure = {
        .cause = cause,
        .criticality_diagnostics = (struct s1ap_criticality_diagnostics *)(uintptr_t)diagnostics,
    };

    mme_enb_send(enb, 0, S1AP_ENB_CONFIGURATION_UPDATE_FAILURE, &failure, "");
}

void mme_enb_configuration_update(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                                  const struct s1ap_report *report)
{
    const struct s1ap_enb_configuration_update *update = pdu->enb_configuration_update;
    struct s1ap_criticality_diagnostics diagnostics = report->diagnostics;
    bool tell = report->verdict == S1AP_PROCEED_AND_NOTIFY;
    struct coverage coverage = {0};

    if (update->supported_tas.count > 0) {
        int err = take_coverage(update->supported_tas.at, update->supported_tas.count, &coverage);
        if (err < 0 || coverage.count == 0) {
            if (err == 0)
                log_warn("%s: configuration update refused: %s", mme_enb_title(enb),
                         mismatch_text(&coverage));
            mme_enb_configuration_update_refuse(
                enb,
                err < 0 ? s1ap_cause_misc(S1AP_MISC_CONTROL_PROCESSING_OVERLOAD)
                        : mismatch_cause(&coverage),
                tell ? &diagnostics : NULL);
            free(coverage.tais);
            return;
        }
        free(enb->tais);
        enb->tais = coverage.tais;
        enb->tai_count = coverage.count;
        enb->areas = coverage.areas;
    }
    if (update->enb_name)
        copy_name(enb, update->enb_name);
    if (update->default_paging_drx)
        enb->default_paging_drx = *update->default_paging_drx;
    log_info("%s has a new configuration: %zu tracking areas are served", mme_enb_title(enb),
             enb->tai_count);
    struct s1ap_enb_configuration_update_acknowledge acknowledge = {
        .criticality_diagnostics = tell ? &diagnostics : NULL,
    };
    mme_enb_send(enb, 0, S1AP_ENB_CONFIGURATION_UPDATE_ACKNOWLEDGE, &acknowledge, "");
}

/* ---- Reset (clause 8.7.1)
 * ------------------------------------------------------------------------------------------ */

/* The connection that an item of a Reset or an Error Indication means; NULL when the ids fit none
 * of this eNodeB's. */
static struct mme_s1 *connection_of(const struct mme_enb *enb, const uint32_t *mme_ue_s1ap_id,
                                    const uint32_t *enb_ue_s1ap_id)
{
    struct mme_s1 *s1 = mme_ue_s1ap_id   ? mme_s1_get(*mme_ue_s1ap_id)
                        : enb_ue_s1ap_id ? mme_s1_of_enb(enb, *enb_ue_s1ap_id)
                                         : NULL;

    if (!s1 || s1->enb != enb->id)
        return NULL;
    return enb_ue_s1ap_id && s1->enb_ue_s1ap_id != *enb_ue_s1ap_id ? NULL : s1;
}

void mme_reset(struct mme_enb *enb, const struct s1ap_pdu *pdu, const struct s1ap_report *report)
{
    const struct s1ap_reset *reset = pdu->reset;
    struct s1ap_criticality_diagnostics diagnostics = report->diagnostics;
    struct s1ap_reset_acknowledge acknowledge = {
        .criticality_diagnostics = report->verdict == S1AP_PROCEED_AND_NOTIFY ? &diagnostics : NULL,
    };
    uint32_t before = enb->s1_count;

    if (reset->reset_type.kind == S1AP_RESET_S1_INTERFACE) {
        lose_all_connections(enb);
    } else {
        for (size_t i = 0; i < reset->reset_type.part.count; i++) {
            const struct s1ap_ue_associated_logical_s1_connection *item =
                &reset->reset_type.part.at[i];
            struct mme_s1 *s1 = connection_of(enb, item->mme_ue_s1ap_id, item->enb_ue_s1ap_id);
            if (s1)
                mme_s1_lose(s1);
        }
        /* All that was asked for is acknowledged, known or not (clause 8.7.1.2.2). */
        acknowledge.ue_associated_logical_s1_connection_list.at = reset->reset_type.part.at;
        acknowledge.ue_associated_logical_s1_connection_list.count = reset->reset_type.part.count;
    }
    mme_enb_send(enb, 0, S1AP_RESET_ACKNOWLEDGE, &acknowledge, "");
    log_info("%s reset %u of %u connections", mme_enb_title(enb), before - enb->s1_count, before);
}

/* ---- Error Indication (clauses 8.7.2, 10.6)
 * ------------------------------------------------------------------------- */

static bool is_about_ids(const struct s1ap_cause *cause)
{
    return cause && cause->group == S1AP_CAUSE_RADIO_NETWORK &&
           (cause->value == S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID ||
            cause->value == S1AP_RADIO_NETWORK_UNKNOWN_ENB_UE_S1AP_ID ||
            cause->value == S1AP_RADIO_NETWORK_UNKNOWN_PAIR_UE_S1AP_ID);
}

void mme_error_indication(struct mme_enb *enb, const struct s1ap_pdu *pdu)
{
    static struct log_limit limit;
    const struct s1ap_error_indication *indication = pdu->error_indication;
    struct mme_s1 *s1 = connection_of(enb, indication->mme_ue_s1ap_id, indication->enb_ue_s1ap_id);
    char line[200];
    struct text t = text_in(line, sizeof(line));

    metric_add(&mme_counters[MME_ERROR_INDICATIONS_RECEIVED], 1);
    if (indication->cause)
        s1ap_print_cause(&t, indication->cause);
    log_limited(&limit, LOG_WARN, "%s reports an error: %s", mme_enb_title(enb),
                line[0] ? line : "without cause");
    /* It does not know the connection any more: it does not exist. */
    if (s1 && is_about_ids(indication->cause))
        mme_s1_lose(s1);
}

/* ---- Configuration Transfer (clauses 8.15, 8.16)
 * ---------------------------------------------------------------------- */

/* Hands SON information on to the eNodeB it is for; how eNodeBs learn each other's X2 addresses. */
void mme_enb_configuration_transfer(struct mme_enb *enb, const struct s1ap_pdu *pdu)
{
    const struct s1ap_enb_configuration_transfer *transfer = pdu->enb_configuration_transfer;
    struct s1ap_son_configuration_transfer son;

    if (!transfer->son_configuration_transfer ||
        s1ap_decode_son_configuration_transfer(*transfer->son_configuration_transfer, &mme.arena,
                                               &son) < 0)
        return;
    struct mme_enb *target = mme_enb_of_global_id(&son.target_enb_id.global_enb_id);
    if (!target) {
        log_debug("%s has SON information for an eNodeB that is not here", mme_enb_title(enb));
        return;
    }
    struct s1ap_mme_configuration_transfer onward = {
        .son_configuration_transfer = transfer->son_configuration_transfer,
    };
    mme_enb_send(target, 0, S1AP_MME_CONFIGURATION_TRANSFER, &onward, "");
}
