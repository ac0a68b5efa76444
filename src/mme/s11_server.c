/*
 * s11_server.c -- what the S-GW asks of the MME (TS 29.274 clauses 7.2.3, 7.2.9.2, 7.2.11, 7.2.15),
 * and the life of the S11 endpoint.
 *
 * A request names the phone by our TEID, which is the id of its context; it counts only when it
 * comes from the phone's own S-GW. A Downlink Data Notification is acknowledged at once; the others
 * are answered by the phone's procedure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/process.h"
#include "link/restart_counter.h"
#include "mme/metrics.h"
#include "mme/s11.h"
#include "mme/ue.h"

/* ---- Answers
 * ------------------------------------------------------------------------------------------------
 */

void mme_s11_answer(const struct mme_ue *ue, uint32_t transaction, const void *body)
{
    int err = gtpc_answer(mme.s11, transaction, ue->sgw_teid, body);

    if (err < 0)
        log_debug("an answer to the S-GW was not sent: %s", strerror(-err));
}

void mme_s11_refuse(const struct mme_ue *ue, uint32_t transaction, uint8_t gtpc_cause)
{
    gtpc_refuse(mme.s11, transaction, ue->sgw_teid, gtpc_cause);
}

void mme_s11_turn_away(const struct mme_event *event)
{
    if (event->transaction)
        gtpc_refuse(mme.s11, event->transaction, 0, GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
}

/* ---- Requests
 * --------------------------------------------------------------------------------------------------
 */

static struct mme_ue *ue_of_request(const struct udp_peer *peer, const struct gtpc_message *request)
{
    struct mme_ue *ue = mme_ue_get(request->header.teid);

    return ue && ue->is_registered && ue->sgw == udp_peer_id(peer) ? ue : NULL;
}

static void acknowledge_data(const struct mme_ue *ue, uint32_t transaction, uint8_t cause)
{
    const struct gtpc_downlink_data_notification_acknowledge acknowledge = {
        .cause = {.value = cause},
    };

    mme_s11_answer(ue, transaction, &acknowledge);
}

/* TS 23.401 clause 5.3.4.3 step 2b. A phone that has not been heard for so long is not paged. */
static void take_data_notification(struct mme_ue *ue, uint32_t transaction, struct mme_event *event)
{
    bool can_be_paged = mme_ue_is_connected(ue) || ue->is_reachable || ue->run;

    acknowledge_data(ue, transaction,
                     can_be_paged ? GTPC_CAUSE_REQUEST_ACCEPTED : GTPC_CAUSE_UNABLE_TO_PAGE_UE);
    if (!can_be_paged)
        return;
    event->transaction = 0;
    mme_post(ue, event);
}

static void take_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                         const struct gtpc_message *request)
{
    static const struct {
        uint8_t type;
        enum mme_event_kind event;
    } kinds[] = {
        {GTPC_DOWNLINK_DATA_NOTIFICATION, MME_DOWNLINK_DATA_NOTIFICATION},
        {GTPC_CREATE_BEARER_REQUEST, MME_CREATE_BEARER_REQUEST},
        {GTPC_UPDATE_BEARER_REQUEST, MME_UPDATE_BEARER_REQUEST},
        {GTPC_DELETE_BEARER_REQUEST, MME_DELETE_BEARER_REQUEST},
    };
    struct mme_ue *ue = ue_of_request(peer, request);
    struct mme_event event = {.gtpc = request, .transaction = transaction};

    (void)owner;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].type == request->header.type)
            event.kind = kinds[i].event;
    }
    if (event.kind == MME_NOTHING) {
        /* Failure indications and Stop Paging ask for nothing that is not done by timers here. */
        if (transaction)
            gtpc_refuse(mme.s11, transaction, ue ? ue->sgw_teid : 0,
                        GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    } else if (!ue) {
        gtpc_refuse(mme.s11, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    } else if (event.kind == MME_DOWNLINK_DATA_NOTIFICATION) {
        take_data_notification(ue, transaction, &event);
    } else {
        mme_post(ue, &event);
    }
}

/* ---- The S-GW's life (TS 23.007 clauses 14, 18)
 * ----------------------------------------------------------------------- */

static void lose_sessions(struct mme_ue *ue)
{
    struct mme_event event = {
        .kind = MME_SGW_RESTARTED,
        .transaction = ue->sgw_teid, /* so that sessions made since are not taken for lost ones */
        .how = NAS_DETACH_REATTACH_REQUIRED,
    };

    if (ue->run || mme_ue_is_connected(ue)) {
        mme_post(ue, &event);
        return;
    }
    mme_forget_sessions(ue);
    ue->sessions_are_lost = true;
}

static void peer_restarted(void *owner, struct udp_peer *peer)
{
    uint32_t sgw = udp_peer_id(peer), at = 0;
    unsigned count = 0;

    (void)owner;
    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue; ue = pool_next(&mme.ues, &at)) {
        if (ue->sgw != sgw || ue->sgw_teid == 0)
            continue;
        lose_sessions(ue);
        count++;
    }
    log_warn("S-GW %s has restarted: %u phones have lost their sessions and will attach anew",
             udp_peer_name(peer), count);
}

static void peer_down(void *owner, struct udp_peer *peer)
{
    (void)owner;
    log_warn("S-GW %s does not answer: new sessions go to others, if there are any in mme.sgw",
             udp_peer_name(peer));
}

static const char *subject_of(void *owner, const struct gtpc_message *request)
{
    const struct mme_ue *ue = mme_ue_get(request->header.teid);

    (void)owner;
    return ue ? ue->imsi : "";
}

static uint32_t teid_of_peer(void *owner, const struct gtpc_message *request)
{
    const struct mme_ue *ue = mme_ue_get(request->header.teid);

    (void)owner;
    return ue ? ue->sgw_teid : 0;
}

/* ---- The endpoint
 * ---------------------------------------------------------------------------------------------------------
 */

static const struct gtpc_handler handler = {
    .request = take_request,
    .subject = subject_of,
    .peer_teid = teid_of_peer,
    .peer_restarted = peer_restarted,
    .peer_down = peer_down,
};

static uint8_t next_restart_counter(void)
{
    struct restart_counter counter = {0};
    const char *directory = process_directory();
    char path[512];

    snprintf(path, sizeof(path), "%s/mme.restart", directory ? directory : "");
    int err = restart_counter_next(directory ? path : NULL, &counter);
    if (err < 0)
        log_warn("the restart counter cannot be kept in %s: %s", path, strerror(-err));
    return counter.gtp;
}

int mme_s11_open(void)
{
    const struct gtpc_path_config *config = &mme.config.s11;
    struct udp_settings settings = gtpc_path_settings(config);
    int err = gtpc_open((const struct sockaddr *)&config->address, &settings,
                        next_restart_counter(), 0, &handler, NULL, &mme.s11);
    if (err < 0)
        log_error("mme.s11.address: cannot be opened: %s%s", strerror(-err),
                  err == -EADDRNOTAVAIL ? " (give an interface of this machine that address)" : "");
    return err;
}

void mme_s11_close(void)
{
    if (mme.s11)
        gtpc_close(mme.s11);
    mme.s11 = NULL;
}
