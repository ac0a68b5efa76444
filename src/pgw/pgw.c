/*
 * pgw.c -- the P-GW's process: opens and closes its doors, and shows what is inside.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "link/restart_counter.h"
#include "pgw/context.h"

#define DEFAULT_LIMIT 1000 /* sessions in an answer unless asked for more */

struct pgw_context pgw;

static uint64_t count_sessions(void)
{
    return pgw.sessions.count;
}

static uint64_t count_procedures(void)
{
    return pgw.procedures;
}

static const struct metric metrics[PGW_METRICS] = {
    [PGW_CREATED] = {"strowger_pgw_sessions_created_total", NULL, "PDN connections created", METRIC_COUNTER, NULL, 0},
    [PGW_CREATE_REFUSED] = {"strowger_pgw_sessions_refused_total", NULL, "Create Session Requests refused",
                            METRIC_COUNTER, NULL, 0},
    [PGW_REPLACED] = {"strowger_pgw_sessions_replaced_total", NULL, "Sessions replaced by a new request for the same bearer",
                      METRIC_COUNTER, NULL, 0},
    [PGW_MODIFIED] = {"strowger_pgw_sessions_modified_total", NULL, "Modify Bearer Requests done", METRIC_COUNTER, NULL, 0},
    [PGW_DELETED] = {"strowger_pgw_sessions_deleted_total", "by=\"sgw\"", "Sessions deleted", METRIC_COUNTER, NULL, 0},
    [PGW_DELETED_BY_US] = {"strowger_pgw_sessions_deleted_total", "by=\"operator\"", NULL, METRIC_COUNTER, NULL, 0},
    [PGW_SGW_LOSSES] = {"strowger_pgw_sessions_lost_total", NULL, "Sessions given up because their S-GW failed",
                        METRIC_COUNTER, NULL, 0},
    [PGW_POOL_EXHAUSTED] = {"strowger_pgw_pool_exhausted_total", NULL, "Requests refused for want of an address",
                            METRIC_COUNTER, NULL, 0},
    [PGW_ERROR_INDICATIONS] = {"strowger_pgw_error_indications_total", NULL, "Tunnels that the S-GW said not to know",
                               METRIC_COUNTER, NULL, 0},
    [PGW_CONGESTION] = {"strowger_pgw_congestion_total", NULL, "Requests refused because too many procedures run",
                        METRIC_COUNTER, NULL, 0},
    [PGW_MAILBOX_FULL] = {"strowger_pgw_mailbox_full_total", NULL, "Requests dropped because a session had too many",
                          METRIC_COUNTER, NULL, 0},
    [PGW_RESTORED] = {"strowger_pgw_sessions_restored_total", "outcome=\"success\"",
                      "Sessions established again in a user plane", METRIC_COUNTER, NULL, 0},
    [PGW_RESTORE_FAILED] = {"strowger_pgw_sessions_restored_total", "outcome=\"failure\"", NULL, METRIC_COUNTER, NULL, 0},
    [PGW_UPLINK_BYTES] = {"strowger_pgw_volume_bytes_total", "direction=\"uplink\"", "Volume reported by user planes",
                          METRIC_COUNTER, NULL, 0},
    [PGW_DOWNLINK_BYTES] = {"strowger_pgw_volume_bytes_total", "direction=\"downlink\"", NULL, METRIC_COUNTER, NULL, 0},
    [PGW_SESSIONS] = {"strowger_pgw_sessions", NULL, "PDN connections now", METRIC_GAUGE, count_sessions, 0},
    [PGW_PROCEDURES] = {"strowger_pgw_procedures", NULL, "Procedures under way", METRIC_GAUGE, count_procedures, 0},
};

void pgw_log_success(const char *format, ...)
{
    char line[200];
    va_list args;

    if (!pgw.config->log_success)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log_info("%s", line);
}

/* ---- doors ---- */

static int fail(const char *what, int err)
{
    log_error("%s: %s", what, strerror(-err));
    pgw_stop();
    return err;
}

int pgw_start(const struct pgw_config *config, const char *counter_file)
{
    struct restart_counter counter;
    struct udp_settings settings = gtpc_path_settings(&config->s5);

    pgw = (struct pgw_context){.config = config};
    memcpy(pgw.metrics, metrics, sizeof(metrics));
    metric_register(pgw.metrics, PGW_METRICS);
    trace_set_printer(TRACE_GTPC, gtpc_trace_printer);
    int err = pgw_config_check(NULL, config);
    if (err < 0)
        return err;
    err = restart_counter_next(counter_file, &counter);
    if (err < 0)
        return fail("the restart counter cannot be kept", err);
    pgw.seid_high = counter.pfcp_time;
    err = pgw_contexts_open();
    if (err < 0)
        return fail("address pools", err);
    err = gtpc_open((const struct sockaddr *)&config->s5.address, &settings, counter.gtp, 0,
                    &pgw_s5_handler, NULL, &pgw.s5);
    if (err < 0)
        return fail("S5 cannot be opened (pgw.s5.address)", err);
    err = user_planes_open(&config->sxb, counter.pfcp_time, config->max_sessions, 0,
                           &pgw_planes_handler, NULL, &pgw.planes);
    if (err < 0)
        return fail("Sxb cannot be opened (pgw.sxb)", err);
    return 0;
}

void pgw_stop(void)
{
    timer_stop(&pgw.path_timer);
    if (pgw.s5)
        gtpc_close(pgw.s5);
    if (pgw.planes)
        user_planes_close(pgw.planes);
    pgw_contexts_close();
    pgw.s5 = NULL;
    pgw.planes = NULL;
}

/* ---- views ---- */

static json_t *session_json(const struct pgw_session *session)
{
    char v4[INET_ADDRSTRLEN] = "", v6[INET6_ADDRSTRLEN + 4] = "";
    struct udp_peer *sgw = pgw_session_sgw(session);

    if (session->has_ipv4)
        inet_ntop(AF_INET, &session->ipv4, v4, sizeof(v4));
    if (session->has_ipv6) {
        struct in6_addr prefix = session->ipv6;
        memset(&prefix.s6_addr[8], 0, 8);
        inet_ntop(AF_INET6, &prefix, v6, sizeof(v6));
        strcat(v6, "/64");
    }
    return json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I}", "imsi", session->imsi, "apn",
                     session->apn < PGW_MAX_APNS ? pgw.apns[session->apn].config->name : "", "ebi",
                     (int)session->ebi, "ipv4", v4, "ipv6", v6, "sgw", sgw ? udp_peer_name(sgw) : "", "user_plane",
                     user_plane_name(pgw.planes, session->plane), "uplink_kbps",
                     (json_int_t)session->uplink_kbps, "downlink_kbps", (json_int_t)session->downlink_kbps,
                     "uplink_bytes", (json_int_t)session->uplink_bytes, "downlink_bytes",
                     (json_int_t)session->downlink_bytes);
}

static json_t *sessions_json(const struct control_request *request)
{
    const char *imsi = control_argument(request, "imsi");
    const char *limit_text = control_argument(request, "limit");
    size_t limit = limit_text ? strtoul(limit_text, NULL, 10) : DEFAULT_LIMIT;
    json_t *rows = json_array();
    struct pgw_session *session;
    uint32_t id = 0;

    while (json_array_size(rows) < limit && (session = pool_next(&pgw.sessions, &id))) {
        if (!imsi || strcmp(imsi, session->imsi) == 0)
            json_array_append_new(rows, session_json(session));
    }
    return rows;
}

static void add_pool(json_t *rows, const char *apn, const char *kind, const struct pgw_pool *pool)
{
    if (pool->size > 0)
        json_array_append_new(rows, json_pack("{s:s,s:s,s:I,s:I}", "apn", apn, "pool", kind, "size",
                                              (json_int_t)pool->size, "used", (json_int_t)pool->used));
}

static json_t *pools_json(void)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < pgw.config->apns.count; i++) {
        const struct pgw_apn *apn = &pgw.apns[i];
        add_pool(rows, apn->config->name, "ipv4", &apn->ipv4);
        add_pool(rows, apn->config->name, "ipv4_static", &apn->ipv4_static);
        add_pool(rows, apn->config->name, "ipv6", &apn->ipv6);
    }
    return rows;
}

static json_t *peers_json(void)
{
    json_t *rows = json_array();
    struct udp_peer *peer;
    uint32_t id = 0;

    while ((peer = udp_peer_next(gtpc_udp(pgw.s5), &id)))
        json_array_append_new(rows, json_pack("{s:s,s:s,s:b,s:i}", "interface", "S5", "peer", udp_peer_name(peer),
                                              "up", udp_peer_is_up(peer), "sessions",
                                              (int)udp_peer_users(peer)));
    for (uint8_t i = 0; i < user_planes_count(pgw.planes); i++)
        json_array_append_new(rows, json_pack("{s:s,s:s,s:b,s:i}", "interface", "Sxb", "peer",
                                              user_plane_name(pgw.planes, i), "up",
                                              user_plane_is_up(pgw.planes, i), "sessions",
                                              (int)user_plane_sessions(pgw.planes, i)));
    return rows;
}

static json_t *summary_json(void)
{
    uint32_t planes_up = 0;

    for (uint8_t i = 0; i < user_planes_count(pgw.planes); i++)
        planes_up += user_plane_is_up(pgw.planes, i);
    return json_pack("{s:i,s:i,s:i,s:i}", "sessions", (int)pgw.sessions.count, "procedures",
                     (int)pgw.procedures, "user_planes", (int)user_planes_count(pgw.planes),
                     "user_planes_up", (int)planes_up);
}

json_t *pgw_state(const char *what, const struct control_request *request)
{
    if (!what)
        return summary_json();
    if (strcmp(what, "sessions") == 0)
        return sessions_json(request);
    if (strcmp(what, "pools") == 0)
        return pools_json();
    if (strcmp(what, "peers") == 0)
        return peers_json();
    return NULL;
}

/* DELETE /sessions/IMSI: ends all PDN connections of a subscriber. */
static void answer_disconnect(const struct control_request *request, struct control_answer *answer)
{
    const char *imsi = request->path + strlen("/sessions/");
    struct pgw_session *session;
    uint32_t id = 0;
    int count = 0;

    while ((session = pool_next(&pgw.sessions, &id))) {
        if (strcmp(session->imsi, imsi) != 0)
            continue;
        count++;
        pgw_post(session, &(struct pgw_event){.kind = PGW_EVENT_DISCONNECT});
    }
    if (count == 0)
        control_refuse(answer, 404, "subscriber %s has no PDN connection", imsi);
    else
        answer->json = json_pack("{s:i}", "sessions", count);
}

/* ---- the process ---- */

static struct pgw_config config;

static int start(struct config *file)
{
    char counter_file[300];

    if (pgw_config_check(file, &config) < 0)
        return -EINVAL;
    snprintf(counter_file, sizeof(counter_file), "%s/pgw.restarts", process_directory());
    return pgw_start(&config, counter_file);
}

static void stop(void)
{
    pgw_stop();
    process_stopped();
}

int pgw_main(int argc, char **argv)
{
    static const struct control_route routes[] = {{"DELETE", "/sessions/", answer_disconnect}};
    static const struct process_view views[] = {
        {"sessions", "PDN connections (&imsi=IMSI, &limit=N)"},
        {"pools", "address pools and what of them is used"},
        {"peers", "S-GWs and user planes"},
        {NULL, NULL}};
    static const struct process process = {
        .name = "pgw",
        .summary = "PDN Gateway, control plane: addresses for phones (S5/S8 GTPv2-C, Sxb PFCP).",
        .examples = "  strowger pgw -c examples/operator.yaml\n"
                    "  strowger show pgw sessions\n"
                    "  strowger show pgw pools\n",
        .sections = {{"pgw", &pgw_config_schema, &config}},
        .start = start,
        .stop = stop,
        .state = pgw_state,
        .views = views,
        .routes = routes,
        .route_count = 1,
    };
    return process_main(&process, argc, argv);
}
