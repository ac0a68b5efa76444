/*
 * sgw.c -- the S-GW as a process: its doors open and close, and it can be looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "link/restart_counter.h"
#include "sgw/context.h"

struct sgw_context sgw;

void sgw_log_success(const char *format, ...)
{
    char line[200];
    va_list args;

    if (!sgw.config->log_success)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log_info("%s", line);
}

static const struct sockaddr *address_of(const struct sockaddr_storage *address)
{
    return (const struct sockaddr *)(const void *)address;
}

static bool is_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
    const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

    if (a->ss_family != b->ss_family)
        return false;
    return a->ss_family == AF_INET ? a4->sin_addr.s_addr == b4->sin_addr.s_addr
                                   : IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
}

static int open_gtpc(const char *what, const struct gtpc_path_config *config, uint8_t recovery,
                     const struct gtpc_handler *handler, struct gtpc_endpoint **endpoint)
{
    struct udp_settings settings = gtpc_path_settings(config);
    int err = gtpc_open(address_of(&config->address), &settings, recovery, GTPC_NODE_MABR, handler,
                        endpoint, endpoint);

    if (err < 0)
        log_error("cannot open %s: %s", what, uv_strerror(err));
    return err;
}

static int open_doors(const struct restart_counter *counter)
{
    const struct sgw_config *config = sgw.config;
    int err = open_gtpc("S11", &config->s11, counter->gtp, &sgw_s11_handler, &sgw.s11);

    if (err < 0)
        return err;
    if (is_same_host(&config->s11.address, &config->s5.address))
        sgw.s5 = sgw.s11;
    else
        err = open_gtpc("S5", &config->s5, counter->gtp, &sgw_s5_handler, &sgw.s5);
    if (err < 0)
        return err;
    err = user_planes_open(&config->sxa, counter->pfcp_time, config->max_sessions, 1,
                           &sgw_planes_handler, NULL, &sgw.planes);
    if (err < 0)
        log_error("cannot open Sxa: %s", uv_strerror(err));
    return err;
}

int sgw_start(const struct sgw_config *config, const char *counter_file)
{
    struct restart_counter counter;
    int err = restart_counter_next(counter_file, &counter);

    if (err < 0) {
        log_error("cannot keep the restart counter in %s: %s", counter_file, uv_strerror(err));
        return err;
    }
    sgw = (struct sgw_context){.config = config, .seid_high = counter.pfcp_time};
    sgw_metrics_init();
    err = sgw_contexts_open();
    if (err == 0)
        err = open_doors(&counter);
    if (err == 0)
        err = metric_register(sgw.metrics, SGW_METRICS);
    if (err < 0)
        sgw_stop();
    return err;
}

void sgw_stop(void)
{
    sgw.is_stopping = true;
    timer_stop(&sgw.path_timer);
    timer_stop(&sgw.repair_timer);
    if (sgw.sweeper)
        fiber_cancel(sgw.sweeper);
    /* First all waits end, then the doors go: a procedure may still answer at one when another has
     * ended its wait. */
    if (sgw.s11)
        udp_endpoint_stop(gtpc_udp(sgw.s11));
    if (sgw.s5)
        udp_endpoint_stop(gtpc_udp(sgw.s5));
    if (sgw.planes && user_planes_pfcp(sgw.planes))
        udp_endpoint_stop(pfcp_udp(user_planes_pfcp(sgw.planes)));
    if (sgw.planes)
        user_planes_close(sgw.planes);
    if (sgw.s5 && sgw.s5 != sgw.s11)
        gtpc_close(sgw.s5);
    if (sgw.s11)
        gtpc_close(sgw.s11);
    sgw.planes = NULL;
    sgw.s5 = sgw.s11 = NULL;
    sgw_contexts_close();
}

/* ---- State ---- */

static json_t *end_json(const struct sgw_tunnel_end *end)
{
    char address[INET6_ADDRSTRLEN], line[INET6_ADDRSTRLEN + 16];

    if (!end->is_set)
        return json_null();
    inet_ntop(end->is_ipv6 ? AF_INET6 : AF_INET, &end->ipv6, address, sizeof(address));
    snprintf(line, sizeof(line), "%s/%#x", address, end->teid);
    return json_string(line);
}

static const char *peer_name(struct gtpc_endpoint *endpoint, uint32_t id)
{
    const struct udp_peer *peer = udp_peer_get(gtpc_udp(endpoint), id);

    return peer ? udp_peer_name(peer) : "";
}

static json_t *bearer_json(const struct sgw_ue *ue, const struct sgw_session *session,
                           const struct sgw_bearer *bearer)
{
    static const char *const states[] = {"no eNodeB yet", "connected", "idle", "suspended"};

    return json_pack(
        "{s:s,s:s,s:i,s:i,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "imsi", ue->imsi, "apn", session->apn,
        "bearer", bearer->ebi, "qci", bearer->qci, "state", states[bearer->downlink], "mme",
        peer_name(sgw.s11, ue->mme), "pgw", peer_name(sgw.s5, session->pgw), "user_plane",
        user_plane_name(sgw.planes, session->plane), "s1_u", end_json(&bearer->s1_u), "enodeb",
        end_json(&bearer->enb), "s5_u", end_json(&bearer->s5_u), "pgw_u", end_json(&bearer->pgw));
}

#define MAX_ROWS 1000

/* Of one phone (?imsi=...), else the first MAX_ROWS. */
static json_t *sessions_json(const struct control_request *request)
{
    const char *imsi = request ? control_argument(request, "imsi") : NULL;
    json_t *rows = json_array();
    struct sgw_session *session;
    uint32_t id = 0;

    while ((session = pool_next(&sgw.sessions, &id)) && json_array_size(rows) < MAX_ROWS) {
        const struct sgw_ue *ue = sgw_ue_get(session->ue);
        struct sgw_bearer *bearer = sgw_bearer_get(session->bearers);
        for (; bearer && (!imsi || strcmp(imsi, ue->imsi) == 0);
             bearer = sgw_bearer_get(bearer->next))
            json_array_append_new(rows, bearer_json(ue, session, bearer));
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

    add_peers(rows, gtpc_udp(sgw.s11), sgw.s5 == sgw.s11 ? "S11/S5" : "S11");
    if (sgw.s5 != sgw.s11)
        add_peers(rows, gtpc_udp(sgw.s5), "S5");
    add_peers(rows, pfcp_udp(user_planes_pfcp(sgw.planes)), "Sxa");
    return rows;
}

static json_t *summary_json(void)
{
    size_t up = 0;

    for (size_t i = 0; i < user_planes_count(sgw.planes); i++)
        up += user_plane_is_up(sgw.planes, (uint8_t)i);
    return json_pack("{s:i,s:i,s:i,s:i,s:i}", "phones", (int)sgw.ues.count, "sessions",
                     (int)sgw.sessions.count, "procedures", (int)sgw.procedures, "user_planes",
                     (int)user_planes_count(sgw.planes), "user_planes_up", (int)up);
}

json_t *sgw_state(const char *what, const struct control_request *request)
{
    if (!what)
        return summary_json();
    if (strcmp(what, "sessions") == 0)
        return sessions_json(request);
    if (strcmp(what, "peers") == 0)
        return peers_json();
    return NULL;
}

/* ---- The process ---- */

static struct sgw_config config_of_process;

static int start(struct config *config)
{
    char path[512];

    (void)config;
    snprintf(path, sizeof(path), "%s/%s.restarts", process_directory(), process_instance());
    return sgw_start(&config_of_process, path);
}

static void stop(void)
{
    sgw_stop();
    process_stopped();
}

int sgw_main(int argc, char **argv)
{
    static const struct process_view views[] = {
        {"sessions", "PDN connections and their tunnels; ?imsi= for one phone"},
        {"peers", "MMEs, P-GWs and user planes, and whether they answer"},
        {NULL, NULL},
    };
    static const struct process process = {
        .name = "sgw",
        .summary = "the Serving Gateway's control plane",
        .examples = "  strowger sgw -c examples/operator.yaml\n",
        .sections = {{"sgw", &sgw_config_schema, &config_of_process}},
        .start = start,
        .stop = stop,
        .state = sgw_state,
        .views = views,
    };

    return process_main(&process, argc, argv);
}
