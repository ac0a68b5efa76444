/*
 * metrics.c -- what the P-GW counts, in the words of Prometheus.
 */
#include "pgw/context.h"

static uint64_t read_ues(void)
{
    return pgw.ues.count;
}

static uint64_t read_sessions(void)
{
    return pgw.sessions.count;
}

static uint64_t read_procedures(void)
{
    return pgw.procedures;
}

uint64_t pgw_addresses_in_use(bool is_ipv6)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < pgw.apn_count; i++)
        for (size_t k = 0; k < pgw.apns[i].pool_count; k++)
            if (pgw.apns[i].pools[k].is_ipv6 == is_ipv6)
                sum += pgw.apns[i].pools[k].in_use;
    return sum;
}

static uint64_t read_ipv4(void)
{
    return pgw_addresses_in_use(false);
}

static uint64_t read_ipv6(void)
{
    return pgw_addresses_in_use(true);
}

/* What the request layer counts, of all doors of a protocol. */
static struct udp_counters gtpc_counters(void)
{
    struct udp_counters sum = pgw.s5 ? udp_counters(gtpc_udp(pgw.s5)) : (struct udp_counters){0};

    return sum;
}

static struct udp_counters pfcp_counters(void)
{
    return pgw.planes ? udp_counters(pfcp_udp(user_planes_pfcp(pgw.planes)))
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
        .name = "strowger_pgw_" name_of, .labels = (labels_of), .help = (help_of), \
        .kind = METRIC_COUNTER, .read = (read_of)                                  \
    }
#define COUNTER(name_of, labels_of, help_of)                                       \
    {                                                                              \
        .name = "strowger_pgw_" name_of, .labels = (labels_of), .help = (help_of), \
        .kind = METRIC_COUNTER                                                     \
    }
#define GAUGE(name_of, labels_of, help_of, read_of)                                \
    {                                                                              \
        .name = "strowger_pgw_" name_of, .labels = (labels_of), .help = (help_of), \
        .kind = METRIC_GAUGE, .read = (read_of)                                    \
    }

static const struct metric table[PGW_METRICS] = {
    [PGW_CREATED] =
        COUNTER("create_session_total", "outcome=\"accepted\"", "Create Session Requests"),
    [PGW_CREATE_REFUSED] = COUNTER("create_session_total", "outcome=\"refused\"", NULL),
    [PGW_MODIFIED] = COUNTER("modify_bearer_total", NULL, "Modify Bearer Requests"),
    [PGW_DELETED] = COUNTER("delete_session_total", "by=\"sgw\"", "sessions deleted"),
    [PGW_DELETED_BY_US] = COUNTER("delete_session_total", "by=\"pgw\"", NULL),
    [PGW_REPLACED] =
        COUNTER("replaced_total", NULL, "sessions asked for anew while they were there"),
    [PGW_SGW_LOSSES] =
        COUNTER("sgw_losses_total", NULL, "sessions dropped because their S-GW had forgotten them"),
    [PGW_ERROR_INDICATIONS] =
        COUNTER("error_indications_total", NULL, "tunnels that the S-GW had forgotten"),
    [PGW_RESTORED] = COUNTER("restored_total", "outcome=\"done\"",
                             "sessions given again to a user plane that had lost them"),
    [PGW_RESTORE_FAILED] = COUNTER("restored_total", "outcome=\"failed\"", NULL),
    [PGW_CONGESTION] =
        COUNTER("congestion_total", NULL, "requests refused because too many procedures ran"),
    [PGW_MAILBOX_FULL] = COUNTER("mailbox_full_total", NULL,
                                 "requests dropped because too many waited for one phone"),
    [PGW_UPLINK_BYTES] =
        COUNTER("bytes_total", "direction=\"uplink\"", "volume of the sessions that have ended"),
    [PGW_DOWNLINK_BYTES] = COUNTER("bytes_total", "direction=\"downlink\"", NULL),
    [PGW_UES] = GAUGE("ues", NULL, "phones", read_ues),
    [PGW_SESSIONS] = GAUGE("sessions", NULL, "PDN connections", read_sessions),
    [PGW_ADDRESSES_IPV4] =
        GAUGE("addresses", "family=\"ipv4\"", "addresses and prefixes in use", read_ipv4),
    [PGW_ADDRESSES_IPV6] = GAUGE("addresses", "family=\"ipv6\"", NULL, read_ipv6),
    [PGW_PROCEDURES] = GAUGE("procedures", NULL, "procedures that run now", read_procedures),
    [PGW_GTPC_RETRANSMISSIONS] = READ("udp_retransmissions_total", "protocol=\"gtpc\"",
                                      "requests sent again", read_gtpc_retransmissions),
    [PGW_PFCP_RETRANSMISSIONS] =
        READ("udp_retransmissions_total", "protocol=\"pfcp\"", NULL, read_pfcp_retransmissions),
    [PGW_GTPC_TIMEOUTS] = READ("udp_timeouts_total", "protocol=\"gtpc\"",
                               "requests that never got an answer", read_gtpc_timeouts),
    [PGW_PFCP_TIMEOUTS] = READ("udp_timeouts_total", "protocol=\"pfcp\"", NULL, read_pfcp_timeouts),
    [PGW_GTPC_DUPLICATES] = READ("udp_duplicates_total", "protocol=\"gtpc\"",
                                 "requests that came again", read_gtpc_duplicates),
    [PGW_PFCP_DUPLICATES] =
        READ("udp_duplicates_total", "protocol=\"pfcp\"", NULL, read_pfcp_duplicates),
    [PGW_GTPC_MALFORMED] = READ("udp_malformed_total", "protocol=\"gtpc\"",
                                "messages that could not be read", read_gtpc_malformed),
    [PGW_PFCP_MALFORMED] =
        READ("udp_malformed_total", "protocol=\"pfcp\"", NULL, read_pfcp_malformed),
    [PGW_GTPC_REFUSED] = READ("udp_refused_total", "protocol=\"gtpc\"",
                              "requests dropped because a table was full", read_gtpc_refused),
    [PGW_PFCP_REFUSED] = READ("udp_refused_total", "protocol=\"pfcp\"", NULL, read_pfcp_refused),
};

void pgw_metrics_init(void)
{
    memcpy(pgw.metrics, table, sizeof(table));
}
