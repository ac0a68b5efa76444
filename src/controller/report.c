/*
 * report.c -- telling the control plane what happened to a session (TS 29.244 clause 7.5.8):
 * downlink data for a phone that sleeps, usage, an Error Indication from the other end of a tunnel.
 * Each report is a procedure of its own: build, send, wait for the answer, act on it; it runs in a
 * fiber that lives only that long.
 */
#include <errno.h>
#include <stdlib.h>

#include "controller/up.h"

#define MAX_REPORTS 2048 /* in progress; each has a fiber */

struct report {
    uint32_t session;
    uint8_t type; /* PFCP_REPORT_* */
    uint16_t pdr_id;
    uint32_t urr_id, trigger;
    uint32_t teid;
    struct in_addr address;
};

static unsigned in_progress;

/* Sends the report and waits. 0, -ENOENT when the session is gone, -EREMOTEIO when it was refused,
 * or as pfcp_request(). *flags are those of the answer. */
static int send_report(const struct report *report,
                       const struct pfcp_session_report_request *request, uint8_t *flags)
{
    struct up_session *session = up_session_get(report->session);
    struct udp_peer *peer = session ? up_session_peer(session) : NULL;
    struct pfcp_message *answer;

    *flags = 0;
    if (!peer)
        return -ENOENT;
    fiber_set_subject(session->imsi);
    int err = pfcp_request(peer, session->cp_seid, PFCP_SESSION_REPORT_REQUEST, request, &answer);
    if (err < 0)
        return err;
    if (answer->header.type != PFCP_SESSION_REPORT_RESPONSE)
        return -EBADMSG;
    const struct pfcp_session_report_response *response = answer->body;
    if (response->pfcpsrrsp_flags)
        *flags = *response->pfcpsrrsp_flags;
    /* The control plane does not know this session any more: nobody would ever delete it
     * (clause 5.18). */
    if (response->cause == PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND) {
        up_session_purge(report->session);
        return -ENOENT;
    }
    return response->cause == PFCP_CAUSE_REQUEST_ACCEPTED ? 0 : -EREMOTEIO;
}

static int report_downlink_data(const struct report *report)
{
    uint16_t pdr_id = report->pdr_id;
    struct pfcp_downlink_data_report data = {.pdr_id = {&pdr_id, 1}};
    struct pfcp_session_report_request request = {.report_type = PFCP_REPORT_DLDR,
                                                  .downlink_data_report = &data};
    uint8_t flags;
    int err = send_report(report, &request, &flags);

    up_buffer_reported(report->session, err, flags & PFCP_SRRSP_DROBU);
    return err;
}

static int report_usage(const struct report *report)
{
    struct up_session *session = up_session_get(report->session);
    struct up_urr *urr = session ? up_urr_of(session->rules, report->urr_id) : NULL;
    struct pfcp_usage_report usage;
    struct up_usage_space space;
    struct pfcp_session_report_request request = {.report_type = PFCP_REPORT_USAR,
                                                  .usage_report = {&usage, 1}};
    uint8_t flags;

    if (!urr)
        return -ENOENT;
    uint64_t uplink = urr->uplink, downlink = urr->downlink, since_s = urr->since_s;
    up_usage_report(urr, report->trigger, &usage, &space);
    int err = send_report(report, &request, &flags);
    /* What nobody was told is told with the next report. */
    session = err < 0 ? up_session_get(report->session) : NULL;
    urr = session ? up_urr_of(session->rules, report->urr_id) : NULL;
    if (urr) {
        urr->uplink += uplink;
        urr->downlink += downlink;
        urr->since_s = since_s;
    }
    return err;
}

static int report_error_indication(const struct report *report)
{
    struct pfcp_f_teid remote = {.has_ipv4 = true, .teid = report->teid, .ipv4 = report->address};
    struct pfcp_error_indication_report error = {.remote_f_teid = {&remote, 1}};
    struct pfcp_session_report_request request = {.report_type = PFCP_REPORT_ERIR,
                                                  .error_indication_report = &error};
    uint8_t flags;

    return send_report(report, &request, &flags);
}

static void run(void *argument)
{
    static struct log_limit limit;
    struct report report = *(struct report *)argument;
    int err;

    free(argument);
    if (report.type == PFCP_REPORT_DLDR)
        err = report_downlink_data(&report);
    else if (report.type == PFCP_REPORT_USAR)
        err = report_usage(&report);
    else
        err = report_error_indication(&report);
    in_progress--;
    if (err < 0 && err != -ENOENT && err != -ECANCELED) {
        up_count(UP_REPORT_FAILURES);
        log_limited(&limit, LOG_WARN, "a session report was not accepted: %s", strerror(-err));
    }
}

static void start(const struct report *report)
{
    struct report *copy = in_progress < MAX_REPORTS ? malloc(sizeof(*copy)) : NULL;

    if (copy) {
        *copy = *report;
        in_progress++;
        if (fiber_spawn("session report", run, copy))
            return;
        in_progress--;
        free(copy);
    }
    up_count(UP_REPORT_FAILURES);
    if (report->type == PFCP_REPORT_DLDR)
        up_buffer_reported(report->session, -EAGAIN, false);
}

void up_report_downlink_data(uint32_t session, uint16_t pdr_id)
{
    up_count(UP_DATA_REPORTS);
    start(&(struct report){.session = session, .type = PFCP_REPORT_DLDR, .pdr_id = pdr_id});
}

void up_report_usage(uint32_t session, uint32_t urr_id, uint32_t trigger)
{
    up_count(UP_USAGE_REPORTS);
    start(&(struct report){
        .session = session, .type = PFCP_REPORT_USAR, .urr_id = urr_id, .trigger = trigger});
}

void up_report_error_indication(uint32_t session, uint32_t teid, struct in_addr address)
{
    up_count(UP_ERROR_REPORTS);
    start(&(struct report){
        .session = session, .type = PFCP_REPORT_ERIR, .teid = teid, .address = address});
}
