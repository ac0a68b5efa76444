/*
 * pgw.c -- the P-GW as a process: its doors open and close, and it can be looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "link/restart_counter.h"
#include "pgw/context.h"

struct pgw_context pgw;

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

static int open_doors(const struct restart_counter *counter)
{
    const struct pgw_config *config = pgw.config;
    struct udp_settings settings = gtpc_path_settings(&config->s5);
    int err = gtpc_open((const struct sockaddr *)(const void *)&config->s5.address, &settings,
                        counter->gtp, 0, &pgw_s5_handler, NULL, &pgw.s5);

    if (err < 0) {
        log_error("cannot open S5: %s", uv_strerror(err));
        return err;
    }
    err = user_planes_open(&config->sxb, counter->pfcp_time, config->max_sessions, 0,
                           &pgw_planes_handler, NULL, &pgw.planes);
    if (err < 0)
        log_error("cannot open Sxb: %s", uv_strerror(err));
    return err;
}

int pgw_start(const struct pgw_config *config, const char *counter_file)
{
    struct restart_counter counter;
    int err = restart_counter_next(counter_file, &counter);

    if (err < 0) {
        log_error("cannot keep the restart counter in %s: %s", counter_file, uv_strerror(err));
        return err;
    }
    pgw = (struct pgw_context){
        .config = config, .seid_high = counter.pfcp_time, .last_charging_id = counter.pfcp_time};
    pgw_metrics_init();
    err = pgw_contexts_open();
    if (err == 0)
        err = open_doors(&counter);
    if (err == 0)
        err = metric_register(pgw.metrics, PGW_METRICS);
    if (err < 0)
        pgw_stop();
    return err;
}

void pgw_stop(void)
{
    pgw.is_stopping = true;
    timer_stop(&pgw.path_timer);
    timer_stop(&pgw.repair_timer);
    if (pgw.sweeper)
        fiber_cancel(pgw.sweeper);
    /* First all waits end, then the doors go: a procedure may still answer at one when another has
     * ended its wait. */
    if (pgw.s5)
        udp_endpoint_stop(gtpc_udp(pgw.s5));
    if (pgw.planes && user_planes_pfcp(pgw.planes))
        udp_endpoint_stop(pfcp_udp(user_planes_pfcp(pgw.planes)));
    if (pgw.planes)
        user_planes_close(pgw.planes);
    if (pgw.s5)
        gtpc_close(pgw.s5);
    pgw.planes = NULL;
    pgw.s5 = NULL;
    pgw_contexts_close();
}

/* ---- State ---- */

static json_t *address_json(int family, const void *address)
{
    char line[INET6_ADDRSTRLEN];

    return json_string(inet_ntop(family, address, line, sizeof(line)));
}

static json_t *end_json(const struct pgw_tunnel_end *end)
{
    char address[INET6_ADDRSTRLEN], line[INET6_ADDRSTRLEN + 16];

    if (!end->is_set)
        return json_null();
    inet_ntop(end->is_ipv6 ? AF_INET6 : AF_INET, &end->ipv6, address, sizeof(address));
    snprintf(line, sizeof(line), "%s/%#x", address, end->teid);
    return json_string(line);
}

static json_t *session_json(const struct pgw_session *session)
{
    const struct pgw_ue *ue = pgw_ue_get(session->ue);
    const struct udp_peer *sgw = udp_peer_get(gtpc_udp(pgw.s5), session->sgw);
    bool has4 = session->pdn_type != GTPC_PDN_IPV6, has6 = session->pdn_type != GTPC_PDN_IPV4;

    return json_pack(
        "{s:s,s:s,s:s,s:i,s:i,s:o,s:o,s:i,s:i,s:s,s:o,s:o,s:s,s:I,s:I}", "imsi", ue->imsi, "msisdn",
        ue->msisdn, "apn", pgw_session_apn(session)->config->name, "bearer", session->ebi, "qci",
        session->qci, "ipv4", has4 ? address_json(AF_INET, &session->ipv4) : json_null(), "ipv6",
        has6 ? address_json(AF_INET6, &session->ipv6) : json_null(), "uplink_kbps",
        (int)session->ambr.uplink_kbps, "downlink_kbps", (int)session->ambr.downlink_kbps, "sgw",
        sgw ? udp_peer_name(sgw) : "", "s5_u", end_json(&session->s5_u), "sgw_u",
        end_json(&session->sgw_u), "user_plane", user_plane_name(pgw.planes, session->plane),
        "charging_id", (json_int_t)session->charging_id, "seconds",
        (json_int_t)(clock_wall_us() / 1000000 - session->began_s));
}

#define MAX_ROWS 1000

/* Of one phone (?imsi=...), else the first MAX_ROWS. */
static json_t *sessions_json(const struct control_request *request)
{
    const char *imsi = request ? control_argument(request, "imsi") : NULL;
    json_t *rows = json_array();
    struct pgw_session *session;
    uint32_t id = 0;

    while ((session = pool_next(&pgw.sessions, &id)) && json_array_size(rows) < MAX_ROWS)
        if (!imsi || strcmp(imsi, pgw_ue_get(session->ue)->imsi) == 0)
            json_array_append_new(rows, session_json(session));
    return rows;
}

static json_t *pools_json(void)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < pgw.apn_count; i++)
        for (size_t k = 0; k < pgw.apns[i].pool_count; k++) {
            const struct address_pool *pool = &pgw.apns[i].pools[k];
            json_array_append_new(
                rows, json_pack("{s:s,s:o,s:i,s:i}", "apn", pgw.apns[i].config->name, "from",
                                pool->is_ipv6 ? address_json(AF_INET6, &pool->base6)
                                              : address_json(AF_INET, &pool->base4),
                                "in_use", (int)pool->in_use, "capacity",
                                (int)address_pool_capacity(pool)));
        }
    return rows;
}

static void add_peers(json_t *rows, struct udp_endpoint *endpoint, const char *interface)
{
    struct udp_peer *peer;
    uint32_t id = 0;

    while ((peer = udp_peer_next(endpoint, &id))) {
        uint32_t recovery = 0;
        bool has_recovery = udp_peer_recovery(peer, &recovery);
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:i,s:o,s:i}", "interface", interface,
                                              "peer", udp_peer_name(peer), "state",
                                              udp_peer_is_up(peer) ? "up" : "down", "contexts",
                                              (int)udp_peer_users(peer), "restarts",
                                              has_recovery ? json_integer(recovery) : json_null(),
                                              "silent_s", (int)(udp_peer_silent_ms(peer) / 1000)));
    }
}

static json_t *peers_json(void)
{
    json_t *rows = json_array();

    add_peers(rows, gtpc_udp(pgw.s5), "S5");
    add_peers(rows, pfcp_udp(user_planes_pfcp(pgw.planes)), "Sxb");
    return rows;
}

static json_t *summary_json(void)
{
    size_t up = 0;

    for (size_t i = 0; i < user_planes_count(pgw.planes); i++)
        up += user_plane_is_up(pgw.planes, (uint8_t)i);
    return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "phones", (int)pgw.ues.count, "sessions",
                     (int)pgw.sessions.count, "ipv4_in_use", (int)pgw_addresses_in_use(false),
                     "ipv6_in_use", (int)pgw_addresses_in_use(true), "procedures",
                     (int)pgw.procedures, "user_planes", (int)user_planes_count(pgw.planes),
                     "user_planes_up", (int)up);
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

/* ---- Commands ---- */

#define SESSIONS_PATH "/sessions/"

/* DELETE /sessions/IMSI: all PDN connections of the phone end; the phone may set them up again. */
static void end_sessions(const struct control_request *request, struct control_answer *answer)
{
    const char *imsi = request->path + strlen(SESSIONS_PATH);
    struct pgw_ue *ue = imsi_is_valid(imsi) ? pgw_ue_by_imsi(imsi) : NULL;

    if (!ue) {
        control_refuse(answer, 404, "%s has no session here", imsi);
        return;
    }
    pgw_post(ue, &(struct pgw_event){.kind = PGW_EVENT_DISCONNECT});
    answer->status = 202;
    answer->json = json_pack("{s:s}", "ended", imsi);
}

const struct control_route pgw_routes[] = {{"DELETE", SESSIONS_PATH, end_sessions}};
const size_t pgw_route_count = sizeof(pgw_routes) / sizeof(pgw_routes[0]);

/* ---- The process ---- */

static struct pgw_config config_of_process;

static int start(struct config *config)
{
    char path[512];
    int err = pgw_config_check(config, &config_of_process);

    if (err < 0)
        return err;
    snprintf(path, sizeof(path), "%s/%s.restarts", process_directory(), process_instance());
    return pgw_start(&config_of_process, path);
}

static void stop(void)
{
    pgw_stop();
    process_stopped();
}

int pgw_main(int argc, char **argv)
{
    static const struct process_view views[] = {
        {"sessions", "PDN connections and their addresses; ?imsi= for one phone"},
        {"pools", "address pools and how full they are"},
        {"peers", "S-GWs and user planes, and whether they answer"},
        {NULL, NULL},
    };
    static const struct process process = {
        .name = "pgw",
        .summary = "the PDN Gateway's control plane",
        .examples = "  strowger pgw -c examples/operator.yaml\n",
        .sections = {{"pgw", &pgw_config_schema, &config_of_process}},
        .start = start,
        .stop = stop,
        .state = pgw_state,
        .views = views,
        .routes = pgw_routes,
        .route_count = 1,
    };

    return process_main(&process, argc, argv);
}
