/*
 * switch.c -- the process: start and end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/base.h"
#include "switch/conn.h"
#include "switch/explain.h"
#include "switch/ipfix.h"
#include "switch/mirror.h"
#include "switch/ofctl.h"
#include "switch/ports.h"
#include "switch/state.h"
#include "switch/switch_config.h"

#define MESSAGE_ARENA (64u << 20) /* of one decoded message */

/* ---- workers ---- */

static uv_async_t heard;

static void take_packet_ins(uv_async_t *async)
{
    (void)async;
    workers_take_packet_ins(&sw.dp);
    mirrors_take();
    ipfix_take_samples();
}

/* In a worker. */
static void wake_loop(void)
{
    (void)uv_async_send(&heard);
}

static void reclaim_now(struct deferred *deferred)
{
    (void)deferred;
    (void)reclaim_turn();
}

/* What was taken out of the data path is freed at the end of the turn. */
static void reclaim_this_turn(void)
{
    static struct deferred reclaim;

    loop_defer(&reclaim, reclaim_now);
}

static int start_workers(void)
{
    int err = uv_async_init(loop_uv(), &heard, take_packet_ins);

    reclaim_set_wake(reclaim_this_turn);
    return err < 0 ? err : workers_start(&sw.dp, sw.config.threads, sw.config.busy_us, wake_loop);
}

/* ---- start and end ---- */

static int make_serial(uint64_t *seed)
{
    uint64_t number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number) ||
        getrandom(seed, sizeof(*seed), 0) != sizeof(*seed))
        return -EIO;
    snprintf(sw.serial, sizeof(sw.serial), "%016llx", (unsigned long long)number);
    return 0;
}

static int start(struct config *config)
{
    uint64_t seed = 0;
    int err = switch_check_config(config, &sw.config);

    if (err == 0)
        err = make_serial(&seed);
    if (err < 0)
        return err;
    sw.started_us = clock_now_us();
    sw.buffer = malloc(OFP_MAX_MESSAGE);
    if (!sw.buffer || packet_buffers_open(sw.config.packet_buffers) < 0)
        return -ENOMEM;
    arena_init(&sw.arena, MESSAGE_ARENA);
    arena_init(&sw.scratch, MESSAGE_ARENA);
    if ((err = datapath_init(&sw.dp, seed, sw.config.max_flows, sw.config.threads)) < 0)
        return err;
    sw.dp.port_changed = ports_changed;
    sw.dp.dpdk_arguments = sw.config.dpdk.arguments.at;
    sw.dp.dpdk_argument_count = sw.config.dpdk.arguments.count;
    change_set_limits(sw.config.max_groups, sw.config.max_meters);
    gtpu_limit_error_indications(sw.config.error_indications_per_second);
    trace_set_printer(TRACE_OPENFLOW, of_print_wire);
    state_register();
    if ((err = start_workers()) < 0 || (err = ports_open()) < 0 ||
        (err = ipfix_open(&sw.dp, &sw.config.ipfix, (uint32_t)sw.config.datapath_id)) < 0 ||
        (err = conns_open()) < 0)
        return err;
    return 0;
}

static void stop(void)
{
    conns_close();
    reclaim_set_wake(NULL);
    ports_close();
    workers_stop(&sw.dp);
    mirrors_close();
    ipfix_close();
    uv_close((uv_handle_t *)&heard, NULL);
    change_remove_all_flows(&sw.dp);
    datapath_free(&sw.dp);
    arena_free(&sw.arena);
    arena_free(&sw.scratch);
    free(sw.buffer);
    packet_buffers_close();
    process_stopped();
}

static void mirror_request(const struct control_request *request, struct control_answer *answer)
{
    mirror_answer(&sw.dp, request, answer);
}

int switch_main(int argc, char **argv)
{
    static const struct control_route routes[] = {{"GET", "/trace-packet", explain_request},
                                                  {"POST", "/ports", ports_add_request},
                                                  {"POST", "/ports/remove", ports_remove_request},
                                                  {"GET", "/mirror", mirror_request}};
    static const struct process process = {
        .name = "switch",
        .summary =
            "An OpenFlow 1.3 switch with GTP-U tunnels: forwards what controllers tell it to.",
        .examples = "  strowger switch -c examples/operator.yaml\n"
                    "  ovs-ofctl -O OpenFlow13 dump-flows tcp:127.0.0.1:6654    (with "
                    "switch.listen: [127.0.0.1:6654])\n",
        .sections = {{"switch", &switch_config_schema, &sw.config}},
        .start = start,
        .stop = stop,
        .state = state_json,
        .views = state_views,
        .routes = routes,
        .route_count = sizeof(routes) / sizeof(routes[0]),
    };

    if (argc > 1 && ofctl_is_verb(argv[1]))
        return ofctl_main(argc - 1, argv + 1);
    if (argc > 1 && argv[1][0] != '-')
        return ofctl_unknown(argv[1]);
    int code = process_main(&process, argc, argv);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        ofctl_print_help(stdout);
    return code;
}
