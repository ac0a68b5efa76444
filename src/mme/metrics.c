/*
 * metrics.c -- see metrics.h. Outcomes are one table of procedure by outcome; its labels are
 * written at the start.
 *
 * A line per outcome is what an operator reads, and at thousands of attaches a second what nobody
 * can: successes are therefore limited to a few lines a second (mme.log_success), and every line
 * that was left out is counted in the next. Failures are limited per procedure and outcome, as a
 * broken eNodeB or a dead HSS repeats one failure without end.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "mme/metrics.h"
#include "mme/ue.h"

static uint64_t read_ues(void)
{
    return mme.ues.count;
}

static uint64_t read_connected(void)
{
    return mme.s1s.count;
}

static uint64_t read_enbs(void)
{
    return mme.enbs.count;
}

static uint64_t read_runs(void)
{
    return mme.runs;
}

static uint64_t read_shared(void)
{
    return mme_shared_bytes();
}

#define COUNTER(name_of, help_of)                                                  \
    {                                                                              \
        .name = "strowger_mme_" name_of, .help = (help_of), .kind = METRIC_COUNTER \
    }
#define GAUGE(name_of, help_of, read_of)                                          \
    {                                                                             \
        .name = "strowger_mme_" name_of, .help = (help_of), .kind = METRIC_GAUGE, \
        .read = (read_of)                                                         \
    }

struct metric mme_counters[MME_COUNTERS] = {
    [MME_S1AP_IN] = COUNTER("s1ap_received_total", "S1AP messages received"),
    [MME_S1AP_OUT] = COUNTER("s1ap_sent_total", "S1AP messages sent"),
    [MME_S1AP_SEND_FAILURES] =
        COUNTER("s1ap_send_failures_total", "S1AP messages that could not be sent"),
    [MME_S1AP_MALFORMED] =
        COUNTER("s1ap_malformed_total", "S1AP messages that were not as TS 36.413 wants them"),
    [MME_ERROR_INDICATIONS_SENT] =
        COUNTER("error_indications_sent_total", "Error Indications sent"),
    [MME_ERROR_INDICATIONS_RECEIVED] =
        COUNTER("error_indications_received_total", "Error Indications received"),
    [MME_NAS_IN] = COUNTER("nas_received_total", "NAS messages received"),
    [MME_NAS_OUT] = COUNTER("nas_sent_total", "NAS messages sent"),
    [MME_NAS_MALFORMED] =
        COUNTER("nas_malformed_total", "NAS messages that were not as TS 24.301 wants them"),
    [MME_NAS_MAC_FAILURES] = COUNTER("nas_mac_failures_total", "NAS messages with a wrong MAC"),
    [MME_NAS_UNPROTECTED] =
        COUNTER("nas_unprotected_total", "NAS messages discarded because they were not protected"),
    [MME_NAS_NOT_DELIVERED] = COUNTER("nas_not_delivered_total", "NAS Non Delivery Indications"),
    [MME_NAS_REPETITIONS] = COUNTER("nas_retransmissions_total", "NAS messages sent again"),
    [MME_NAS_UNEXPECTED] =
        COUNTER("nas_unexpected_total", "NAS messages that nobody waited for, dropped"),
    [MME_PAGING_SENT] = COUNTER("paging_sent_total", "Paging messages sent, one per eNodeB"),
    [MME_PAGING_UNANSWERED] = COUNTER("paging_unanswered_total", "pagings that found nobody"),
    [MME_AUTHENTICATION_FAILURES] =
        COUNTER("authentication_failures_total", "authentications that failed"),
    [MME_SYNCH_FAILURES] = COUNTER("synch_failures_total", "sequence number resynchronisations"),
    [MME_REFUSED_CONGESTION] =
        COUNTER("refused_congestion_total", "requests refused because a limit was reached"),
    [MME_MAIL_OVERFLOWS] =
        COUNTER("mailbox_overflows_total", "events dropped because a phone's mailbox was full"),
    [MME_GAUGE_ENBS] = GAUGE("enbs", "SCTP associations with eNodeBs", read_enbs),
    [MME_GAUGE_UES] = GAUGE("ues", "contexts of phones", read_ues),
    [MME_GAUGE_REGISTERED] = {.name = "strowger_mme_registered",
                              .help = "phones in EMM-REGISTERED",
                              .kind = METRIC_GAUGE},
    [MME_GAUGE_CONNECTED] = GAUGE("connected", "S1 connections", read_connected),
    [MME_GAUGE_PROCEDURES] = GAUGE("procedures", "procedures under way", read_runs),
    [MME_GAUGE_SHARED_BYTES] =
        GAUGE("shared_bytes", "memory for subscriptions and radio capabilities", read_shared),
};

static struct metric outcomes[MME_PROCEDURES * MME_OUTCOMES];
static char labels[MME_PROCEDURES * MME_OUTCOMES][96];
static struct log_limit limits[MME_PROCEDURES * MME_OUTCOMES];
static struct histogram attach_time = {
    .name = "strowger_mme_attach_seconds",
    .help = "from Attach Request to the end of a successful attach",
};
static struct histogram service_request_time = {
    .name = "strowger_mme_service_request_seconds",
    .help = "from Service Request to the end of a successful service request",
};

static const char *const outcome_names[] = {"succeeded", "rejected", "failed", "aborted"};
static const enum log_level levels[] = {LOG_INFO, LOG_INFO, LOG_WARN, LOG_INFO};

void mme_metrics_start(void)
{
    for (unsigned i = 0; i < MME_PROCEDURES * MME_OUTCOMES; i++) {
        snprintf(labels[i], sizeof(labels[i]), "procedure=\"%s\",outcome=\"%s\"",
                 mme_procedure_name(i / MME_OUTCOMES), outcome_names[i % MME_OUTCOMES]);
        outcomes[i] = (struct metric){
            .name = "strowger_mme_procedures_total",
            .labels = labels[i],
            .help = "procedures by how they ended",
            .kind = METRIC_COUNTER,
        };
    }
    for (unsigned i = 0; i < MME_COUNTERS; i++)
        mme_counters[i].value = 0;
    memset(limits, 0, sizeof(limits));
    metric_register(mme_counters, MME_COUNTERS);
    metric_register(outcomes, MME_PROCEDURES * MME_OUTCOMES);
    histogram_register(&attach_time);
    histogram_register(&service_request_time);
}

void mme_count_registered(int change)
{
    mme_counters[MME_GAUGE_REGISTERED].value += (uint64_t)(int64_t)change;
}

uint64_t mme_outcome_count(enum mme_procedure procedure, enum mme_outcome outcome)
{
    return outcomes[procedure * MME_OUTCOMES + outcome].value;
}

static unsigned row_of(const struct mme_ue *ue, enum mme_outcome outcome)
{
    return ue->run->procedure * MME_OUTCOMES + outcome;
}

static bool is_every_one_told(enum mme_outcome outcome)
{
    return mme.config.log_success && outcome == MME_SUCCEEDED;
}

bool mme_outcome_is_told(const struct mme_ue *ue, enum mme_outcome outcome)
{
    const struct log_limit *limit = &limits[row_of(ue, outcome)];

    if (!log_is_on(levels[outcome]))
        return false;
    return is_every_one_told(outcome) || limit->spoken < LOG_BURST ||
           limit->second != clock_now_us() / 1000000;
}

void mme_outcome(const struct mme_ue *ue, enum mme_outcome outcome, const char *format, ...)
{
    const struct mme_run *run = ue->run;
    unsigned row = row_of(ue, outcome);
    char line[256];
    struct text t = text_in(line, sizeof(line));

    outcomes[row].value++;
    if (outcome == MME_SUCCEEDED && run->procedure == MME_ATTACH)
        histogram_observe(&attach_time, clock_now_us() - run->began_us);
    if (outcome == MME_SUCCEEDED && run->procedure == MME_UE_SERVICE_REQUEST)
        histogram_observe(&service_request_time, clock_now_us() - run->began_us);
    if (!mme_outcome_is_told(ue, outcome)) {
        limits[row].left_out++;
        return;
    }
    va_list args;
    va_start(args, format);
    text_vadd(&t, format, args);
    va_end(args);
    const char *name = mme_procedure_name(run->procedure);
    if (is_every_one_told(outcome))
        log_info("%s %s: %s", name, outcome_names[outcome], line);
    else
        log_limited(&limits[row], levels[outcome], "%s %s: %s", name, outcome_names[outcome], line);
}
