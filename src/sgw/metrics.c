/*
 * metrics.c -- what the S-GW counts, in the words of Prometheus.
 */
#include "sgw/context.h"

static uint64_t read_ues(void)
{
    return sgw.ues.count;
}

static uint64_t read_sessions(void)
{
    return sgw.sessions.count;
}

static uint64_t read_procedures(void)
{
    return sgw.procedures;
}

/* What the request layer counts, of all doors of a protocol. */
static struct udp_counters gtpc_counters(void)
{
    struct udp_counters sum = sgw.s11 ? udp_counters(gtpc_udp(sgw.s11)) : (struct udp_counters){0};

    if (sgw.s5 && sgw.s5 != sgw.s11) {
        struct udp_counters s5 = udp_counters(gtpc_udp(sgw.s5));
        sum.retransmissions += s5.retransmissions;
        sum.timeouts += s5.timeouts;
        sum.duplicates += s5.duplicates;
        sum.malformed += s5.malformed;
        sum.refused += s5.refused;
    }
    return sum;
}

static struct udp_counters pfcp_counters(void)
{
    return sgw.planes ? udp_counters(pfcp_udp(user_planes_pfcp(sgw.planes)))
                      : (struct udp_counters){0};
}

static uint64_t read_gtpc_retransmissions(void)
{
    return gtpc_counters().retransmissions;
}

static uint64_t read_gtpc_timeouts(void)
{
    return gtpc_counters().timeouts;
}

static uint64_t read_gtpc_duplicates(void)
{
    return gtpc_counters().duplicates;
}

static uint64_t read_gtpc_malformed(void)
{
    return gtpc_counters().malformed;
}

static uint64_t read_gtpc_refused(void)
{
    return gtpc_counters().refused;
}

static uint64_t read_pfcp_retransmissions(void)
{
    return pfcp_counters().retransmissions;
}

static uint64_t read_pfcp_timeouts(void)
{
    return pfcp_counters().timeouts;
}

static uint64_t read_pfcp_duplicates(void)
{
    return pfcp_counters().duplicates;
}

static uint64_t read_pfcp_malformed(void)
{
    return pfcp_counters().malformed;
}

static uint64_t read_pfcp_refused(void)
{
    return pfcp_counters().refused;
}

#define READ(name_of, labels_of, help_of, read_of)                                 \
    {                                                                              \
        .name = "strowger_sgw_" name_of, .labels = (labels_of), .help = (help_of), \
        .kind = METRIC_COUNTER, .read = (read_of)                                  \
    }
#define COUNTER(name_of, labels_of, help_of)                                       \
    {                                                                              \
        .name = "strowger_sgw_" name_of, .labels = (labels_of), .help = (help_of), \
        .kind = METRIC_COUNTER                                                     \
    }
#define GAUGE(name_of, help_of, read_of)                                          \
    {                                                                             \
        .name = "strowger_sgw_" name_of, .help = (help_of), .kind = METRIC_GAUGE, \
        .read = (read_of)                                                         \
    }

static const struct metric table[SGW_METRICS] = {
    [SGW_CREATED] =
        COUNTER("create_session_total", "outcome=\"accepted\"", "Create Session Requests"),
    [SGW_CREATE_REFUSED] = COUNTER("create_session_total", "outcome=\"refused\"", NULL),
    [SGW_MODIFIED] =
        COUNTER("modify_bearer_total", "outcome=\"accepted\"", "Modify Bearer Requests"),
    [SGW_MODIFY_REFUSED] = COUNTER("modify_bearer_total", "outcome=\"refused\"", NULL),
    [SGW_RELEASED] =
        COUNTER("release_access_bearers_total", NULL, "Release Access Bearers Requests"),
    [SGW_DELETED] = COUNTER("delete_session_total", "by=\"mme\"", "sessions deleted"),
    [SGW_DELETED_BY_PGW] = COUNTER("delete_session_total", "by=\"pgw\"", NULL),
    [SGW_DATA_REPORTS] =
        COUNTER("downlink_data_reports_total", NULL, "reports of packets for idle phones"),
    [SGW_NOTIFICATIONS] =
        COUNTER("downlink_data_notifications_total", NULL, "Downlink Data Notifications sent"),
    [SGW_NOTIFICATIONS_REFUSED] = COUNTER("downlink_data_notifications_refused_total", NULL,
                                          "those that the MME refused or did not answer"),
    [SGW_PAGING_FAILURES] =
        COUNTER("paging_failures_total", NULL, "Downlink Data Notification Failure Indications"),
    [SGW_ERROR_INDICATIONS] =
        COUNTER("error_indications_total", NULL, "tunnels that the far end had forgotten"),
    [SGW_CONGESTION] =
        COUNTER("congestion_total", NULL, "requests refused because too many procedures ran"),
    [SGW_MAILBOX_FULL] = COUNTER("mailbox_full_total", NULL,
                                 "requests dropped because too many waited for one phone"),
    [SGW_RESTORED] = COUNTER("restored_total", "outcome=\"done\"",
                             "sessions given again to a user plane that had lost them"),
    [SGW_RESTORE_FAILED] = COUNTER("restored_total", "outcome=\"failed\"", NULL),
    [SGW_ORPHANS] =
        COUNTER("orphans_total", NULL, "phones dropped because their MME had forgotten them"),
    [SGW_PGW_LOSSES] =
        COUNTER("pgw_losses_total", NULL, "sessions dropped because their P-GW had forgotten them"),
    [SGW_UES] = GAUGE("ues", "phones", read_ues),
    [SGW_SESSIONS] = GAUGE("sessions", "PDN connections", read_sessions),
    [SGW_PROCEDURES] = GAUGE("procedures", "procedures that run now", read_procedures),
    [SGW_GTPC_RETRANSMISSIONS] = READ("udp_retransmissions_total", "protocol=\"gtpc\"",
                                      "requests sent again", read_gtpc_retransmissions),
    [SGW_PFCP_RETRANSMISSIONS] =
        READ("udp_retransmissions_total", "protocol=\"pfcp\"", NULL, read_pfcp_retransmissions),
    [SGW_GTPC_TIMEOUTS] = READ("udp_timeouts_total", "protocol=\"gtpc\"",
                               "requests that never got an answer", read_gtpc_timeouts),
    [SGW_PFCP_TIMEOUTS] = READ("udp_timeouts_total", "protocol=\"pfcp\"", NULL, read_pfcp_timeouts),
    [SGW_GTPC_DUPLICATES] = READ("udp_duplicates_total", "protocol=\"gtpc\"",
                                 "requests that came again", read_gtpc_duplicates),
    [SGW_PFCP_DUPLICATES] =
        READ("udp_duplicates_total", "protocol=\"pfcp\"", NULL, read_pfcp_duplicates),
    [SGW_GTPC_MALFORMED] = READ("udp_malformed_total", "protocol=\"gtpc\"",
                                "messages that could not be read", read_gtpc_malformed),
    [SGW_PFCP_MALFORMED] =
        READ("udp_malformed_total", "protocol=\"pfcp\"", NULL, read_pfcp_malformed),
    [SGW_GTPC_REFUSED] = READ("udp_refused_total", "protocol=\"gtpc\"",
                              "requests dropped because a table was full", read_gtpc_refused),
    [SGW_PFCP_REFUSED] = READ("udp_refused_total", "protocol=\"pfcp\"", NULL, read_pfcp_refused),
};

void sgw_metrics_init(void)
{
    memcpy(sgw.metrics, table, sizeof(table));
}
