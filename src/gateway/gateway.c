/*
 * gateway.c -- see gateway.h: starts two functions in one process and shows both.
 *
 * The views of a function are found behind its name: `sgw-sessions` is the S-GW's `sessions`.
 * Metrics need no care: their names begin with strowger_sgw_ and strowger_pgw_.
 */
#include <errno.h>
#include <stdio.h>

#include "gateway/gateway.h"

static bool is_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
    const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

    if (a->ss_family != b->ss_family)
        return false;
    return a->ss_family == AF_INET ? a4->sin_addr.s_addr == b4->sin_addr.s_addr
                                   : IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
}

static bool is_free(struct config *file, const char *key, const struct sockaddr_storage *ours,
                    const struct sockaddr_storage *theirs, const char *whose)
{
    if (!is_same_host(ours, theirs))
        return true;
    if (file)
        config_complain(file, "pgw", key, "the address is %s's: give the P-GW another", whose);
    else
        log_error("pgw.%s: the address is %s's: give the P-GW another", key, whose);
    return false;
}

int gateway_config_check(struct config *file, const struct sgw_config *sgw_config,
                         const struct pgw_config *pgw_config)
{
    const struct sockaddr_storage *s5 = &pgw_config->s5.address;
    bool good = is_free(file, "s5", s5, &sgw_config->s5.address, "sgw.s5") &&
                is_free(file, "s5", s5, &sgw_config->s11.address, "sgw.s11");

    good &= is_free(file, "sxb", &pgw_config->sxb.address, &sgw_config->sxa.address, "sgw.sxa");
    return pgw_config_check(file, pgw_config) == 0 && good ? 0 : -EINVAL;
}

int gateway_start(const struct sgw_config *sgw_config, const struct pgw_config *pgw_config,
                  const char *directory, const char *name)
{
    char of_sgw[512], of_pgw[512];

    snprintf(of_sgw, sizeof(of_sgw), "%s/%s.sgw.restarts", directory ? directory : "", name);
    snprintf(of_pgw, sizeof(of_pgw), "%s/%s.pgw.restarts", directory ? directory : "", name);
    int err = pgw_start(pgw_config, directory ? of_pgw : NULL);
    if (err < 0)
        return err;
    err = sgw_start(sgw_config, directory ? of_sgw : NULL);
    if (err < 0)
        pgw_stop();
    return err;
}

/* The S-GW first: what it still says to the P-GW finds it there. */
void gateway_stop(void)
{
    sgw_stop();
    pgw_stop();
}

json_t *gateway_state(const char *what, const struct control_request *request)
{
    static const struct {
        char name[4];
        json_t *(*state)(const char *what, const struct control_request *request);
    } functions[] = {{"sgw", sgw_state}, {"pgw", pgw_state}};

    if (!what)
        return json_pack("{s:o,s:o}", "sgw", sgw_state(NULL, request), "pgw",
                         pgw_state(NULL, request));
    for (size_t i = 0; i < 2; i++) {
        if (strncmp(what, functions[i].name, 3) != 0)
            continue;
        if (what[3] == '\0')
            return functions[i].state(NULL, request);
        if (what[3] == '-' && what[4] != '\0')
            return functions[i].state(what + 4, request);
    }
    return NULL;
}

/* ---- The process ---- */

static struct sgw_config sgw_config_of_process;
static struct pgw_config pgw_config_of_process;

static int start(struct config *config)
{
    int err = gateway_config_check(config, &sgw_config_of_process, &pgw_config_of_process);

    if (err < 0)
        return err;
    return gateway_start(&sgw_config_of_process, &pgw_config_of_process, process_directory(),
                         process_instance());
}

static void stop(void)
{
    gateway_stop();
    process_stopped();
}

int gateway_main(int argc, char **argv)
{
    static const struct process_view views[] = {
        {"sgw", "the S-GW's summary"},
        {"sgw-sessions", "its PDN connections and their tunnels; ?imsi= for one phone"},
        {"sgw-peers", "MMEs, P-GWs and user planes, and whether they answer"},
        {"pgw", "the P-GW's summary"},
        {"pgw-sessions", "its PDN connections and their addresses; ?imsi= for one phone"},
        {"pgw-pools", "address pools and how full they are"},
        {"pgw-peers", "S-GWs and user planes, and whether they answer"},
        {NULL, NULL},
    };
    const struct process process = {
        .name = "gateway",
        .summary = "Serving Gateway and PDN Gateway, control planes, in one process",
        .examples = "  strowger gateway -c examples/operator.yaml   # instead of sgw and pgw\n",
        .sections = {{"sgw", &sgw_config_schema, &sgw_config_of_process},
                     {"pgw", &pgw_config_schema, &pgw_config_of_process}},
        .start = start,
        .stop = stop,
        .state = gateway_state,
        .views = views,
        .routes = pgw_routes,
        .route_count = pgw_route_count,
    };

    return process_main(&process, argc, argv);
}
