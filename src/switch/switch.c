/*
 * switch.c -- the process: configuration, start and end, ports' link states.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/base.h"
#include "link/dpdk_device.h"
#include "switch/conn.h"
#include "switch/explain.h"
#include "switch/ipfix.h"
#include "switch/mirror.h"
#include "switch/ofctl.h"
#include "switch/state.h"

#define REFRESH_MS    500         /* between looks at the ports' link states */
#define MESSAGE_ARENA (64u << 20) /* of one decoded message */

/* ---- configuration ---- */

static const char *const port_types[] = {"tap",        "tun",         "packet", "xdp",
                                         "gtpu",       "gtpu-signal", "vxlan",  "patch",
                                         "vhost-user", "dpdk",        NULL};

/* As enum xdp_mode. */
static const char *const xdp_modes[] = {"auto", "native", "generic", NULL};

/* As enum switch_vhost_mode. */
static const char *const vhost_modes[] = {"server", "client", NULL};

static const char *const pmtu_modes[] = {"fragment", "drop", NULL};

static const char *const fail_modes[] = {"secure", "standalone", NULL};

static const struct config_field port_fields[] = {
    CONFIG_FIELD(struct switch_port_config, name, &config_string,
                 "as controllers see it, up to 15 characters", .required = true),
    CONFIG_FIELD(struct switch_port_config, number, &config_uint,
                 "of the port in OpenFlow; the next that is free", .fallback = "0", .min = 0,
                 .max = MAX_PORTS - 1),
    CONFIG_FIELD(struct switch_port_config, type, &config_enum,
                 "tap or tun: an interface of its own; packet: one that exists, by AF_PACKET; xdp: "
                 "by AF_XDP; gtpu: tunnels; "
                 "gtpu-signal: their other messages; vxlan: tunnels of Ethernet; patch: another "
                 "port of this switch; vhost-user: a virtual machine's device; dpdk: a device "
                 "that DPDK drives (builds with -Ddpdk=enabled)",
                 .required = true, .more = port_types),
    CONFIG_FIELD(struct switch_port_config, interface, &config_string,
                 "the interface's name; the port's when left out"),
    CONFIG_FIELD(struct switch_port_config, netns, &config_string,
                 "the network where the interface is; the switch's own"),
    CONFIG_FIELD(struct switch_port_config, xdp_mode, &config_enum,
                 "xdp: native in the driver, generic in the kernel's stack, or what is to be had",
                 .fallback = "auto", .more = xdp_modes),
    CONFIG_FIELD(struct switch_port_config, mtu, &config_uint,
                 "of a tap or tun, 0 leaves it as it is; of a tunnel's packets, 0: any",
                 .fallback = "0", .min = 0, .max = 9200),
    CONFIG_FIELD(struct switch_port_config, address, &config_ipv4,
                 "gtpu, vxlan: our end of the tunnels"),
    CONFIG_FIELD(struct switch_port_config, udp_port, &config_uint,
                 "gtpu, vxlan: where we listen; 0: 2152 and 4789", .fallback = "0", .min = 0,
                 .max = 65535),
    CONFIG_FIELD(struct switch_port_config, underlay, &config_string,
                 "gtpu, vxlan: the port that the tunnels go by, one before; left out: the kernel"),
    CONFIG_FIELD(struct switch_port_config, prefix, &config_uint,
                 "with underlay: how many bits of the address its link's hosts share",
                 .fallback = "24", .min = 0, .max = 32),
    CONFIG_FIELD(struct switch_port_config, gateway, &config_ipv4,
                 "with underlay: who forwards to other hosts"),
    CONFIG_FIELD(struct switch_port_config, pmtu, &config_enum,
                 "with underlay: fragment cuts the outer packet that does not fit; drop tells the "
                 "inner one's sender, if that may not be cut",
                 .fallback = "fragment", .more = pmtu_modes),
    CONFIG_FIELD(struct switch_port_config, checksum, &config_bool,
                 "with underlay: outer UDP has a checksum", .fallback = "false"),
    CONFIG_FIELD(struct switch_port_config, remote, &config_ipv4,
                 "vxlan: where packets go whose tun_dst is not set"),
    CONFIG_FIELD(struct switch_port_config, peer, &config_string, "patch: the other end"),
    CONFIG_FIELD(struct switch_port_config, socket, &config_string,
                 "vhost-user: path of the Unix socket"),
    CONFIG_FIELD(struct switch_port_config, mode, &config_enum,
                 "vhost-user: server listens at the socket, client connects to a hypervisor that "
                 "does",
                 .fallback = "server", .more = vhost_modes),
    CONFIG_FIELD(struct switch_port_config, queues, &config_uint,
                 "vhost-user: queue pairs that the guest may use; dpdk: receive queues",
                 .fallback = "1", .min = 1, .max = PORT_RX_QUEUES),
    CONFIG_FIELD(struct switch_port_config, device, &config_string,
                 "dpdk: PCI address of a card or virtual function, or a virtual device such as "
                 "net_af_packet0,iface=eth1"),
};

static const struct config_schema port_schema = {
    .name = "ports",
    .help = "what packets come in and go out by",
    .fields = port_fields,
    .count = sizeof(port_fields) / sizeof(port_fields[0]),
    .size = sizeof(struct switch_port_config),
};

static const struct config_field dpdk_fields[] = {
    CONFIG_LIST_OF(struct switch_dpdk_config, arguments, &config_string,
                   "DPDK's own: --no-huge, -m 256, --socket-mem ..."),
};

static const struct config_schema dpdk_schema = {
    .name = "dpdk",
    .help = "how DPDK is started, with the first dpdk port",
    .fields = dpdk_fields,
    .count = sizeof(dpdk_fields) / sizeof(dpdk_fields[0]),
    .size = sizeof(struct switch_dpdk_config),
};

static const struct config_field ipfix_fields[] = {
    CONFIG_FIELD(struct switch_ipfix_config, collector, &config_endpoint,
                 "where flows are reported to, by UDP; left out: nowhere"),
    CONFIG_FIELD(struct switch_ipfix_config, sampling, &config_uint,
                 "one packet in so many is looked at, by chance", .fallback = "1", .min = 1,
                 .max = 1 << 24),
    CONFIG_FIELD(struct switch_ipfix_config, active_timeout, &config_duration,
                 "after which a flow that goes on is reported", .fallback = "60s", .min = 1000,
                 .max = 86400000),
    CONFIG_FIELD(struct switch_ipfix_config, idle_timeout, &config_duration,
                 "silence after which a flow has ended", .fallback = "15s", .min = 1000,
                 .max = 86400000),
    CONFIG_FIELD(struct switch_ipfix_config, template_interval, &config_duration,
                 "after which templates are sent again", .fallback = "60s", .min = 1000,
                 .max = 86400000),
    CONFIG_FIELD(struct switch_ipfix_config, cache, &config_uint,
                 "flows that are held at a time; beyond, the longest silent one is reported",
                 .fallback = "16384", .min = 1, .max = 1 << 22),
    CONFIG_FIELD(struct switch_ipfix_config, domain, &config_uint,
                 "observation domain; 0: the low 32 bits of datapath_id", .fallback = "0", .min = 0,
                 .max = UINT32_MAX),
    CONFIG_LIST_OF(struct switch_ipfix_config, ports, &config_string,
                   "whose incoming packets are looked at; left out: all"),
};

static const struct config_schema ipfix_schema = {
    .name = "ipfix",
    .help = "reports of the flows that pass (IPFIX, RFC 7011)",
    .fields = ipfix_fields,
    .count = sizeof(ipfix_fields) / sizeof(ipfix_fields[0]),
    .size = sizeof(struct switch_ipfix_config),
};

static const struct config_field fields[] = {
    CONFIG_FIELD(struct switch_config, datapath_id, &config_uint,
                 "by which controllers know the switch", .fallback = "1"),
    CONFIG_LIST_OF(struct switch_config, controllers, &openflow_endpoint_type,
                   "to connect to, again and again"),
    CONFIG_LIST_OF(struct switch_config, listen, &openflow_endpoint_type,
                   "for controllers and tools that connect to us"),
    CONFIG_SUBSECTION(struct switch_config, tls, &openflow_tls_config_schema,
                      "certificates, for ssl: addresses"),
    CONFIG_FIELD(struct switch_config, auxiliary, &config_uint,
                 "connections to each controller besides the main one, for packets",
                 .fallback = "0", .min = 0, .max = MAX_AUXILIARY),
    CONFIG_FIELD(struct switch_config, fail_mode, &config_enum,
                 "without a controller: secure goes on with the flows, standalone is a learning "
                 "Ethernet switch",
                 .fallback = "secure", .more = fail_modes),
    CONFIG_LIST_OF_SECTIONS(struct switch_config, ports, &port_schema,
                            "what packets come in and go out by"),
    CONFIG_SUBSECTION(struct switch_config, dpdk, &dpdk_schema,
                      "how DPDK is started, with the first dpdk port"),
    CONFIG_FIELD(struct switch_config, threads, &config_uint,
                 "data-path threads; ports' receive queues are spread over them", .fallback = "1",
                 .min = 1, .max = COUNTER_OWNERS - 1),
    CONFIG_FIELD(struct switch_config, busy_us, &config_uint,
                 "microseconds that a thread without packets looks for more before it sleeps",
                 .fallback = "0", .min = 0, .max = 1000000000),
    CONFIG_FIELD(struct switch_config, max_flows, &config_uint, "in each table",
                 .fallback = "2000000", .min = 1, .max = UINT32_MAX),
    CONFIG_FIELD(struct switch_config, max_groups, &config_uint, "in all", .fallback = "65536",
                 .min = 0, .max = 1 << 24),
    CONFIG_FIELD(struct switch_config, max_meters, &config_uint, "in all", .fallback = "65536",
                 .min = 0, .max = 1 << 24),
    CONFIG_FIELD(struct switch_config, packet_buffers, &config_uint,
                 "packets that may wait for a controller's word; 0: none", .fallback = "256",
                 .min = 0, .max = 4096),
    CONFIG_FIELD(struct switch_config, probe_interval, &config_duration,
                 "silence before a controller is probed, and again before it is given up",
                 .fallback = "5s", .min = 100, .max = 3600000),
    CONFIG_FIELD(struct switch_config, reconnect_max, &config_duration,
                 "longest pause between attempts to connect", .fallback = "1s", .min = 100,
                 .max = 600000),
    CONFIG_FIELD(struct switch_config, error_indications_per_second, &config_uint,
                 "GTP-U Error Indications that a gtpu port sends at most", .fallback = "100",
                 .min = 0, .max = 100000),
    CONFIG_SUBSECTION(struct switch_config, ipfix, &ipfix_schema,
                      "reports of the flows that pass (IPFIX)"),
};

const struct config_schema switch_config_schema = {
    .name = "switch",
    .help = "an OpenFlow switch: the user plane",
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .size = sizeof(struct switch_config),
};

static bool is_tunnel(const struct switch_port_config *p)
{
    return p->type == SWITCH_PORT_GTPU || p->type == SWITCH_PORT_VXLAN;
}

static const struct switch_port_config *port_named(const struct switch_config *c, size_t count,
                                                   const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(c->ports.at[i].name, name) == 0)
            return &c->ports.at[i];
    return NULL;
}

static void check_underlay(struct config *config, const struct switch_config *c, size_t nth)
{
    const struct switch_port_config *p = &c->ports.at[nth], *by;

    if (!is_tunnel(p)) {
        config_complain(config, "switch", "ports", "%s: only gtpu and vxlan ports have an underlay",
                        p->name);
        return;
    }
    by = port_named(c, nth, p->underlay);
    if (!by)
        config_complain(config, "switch", "ports", "%s: no port before it is named \"%s\"", p->name,
                        p->underlay);
    else if (is_tunnel(by) || by->type == SWITCH_PORT_TUN || by->type == SWITCH_PORT_GTPU_SIGNAL)
        config_complain(config, "switch", "ports",
                        "%s: its underlay \"%s\" must be an Ethernet port, not a %s", p->name,
                        by->name, port_types[by->type]);
    if (p->gateway.s_addr && p->prefix &&
        (ntohl(p->gateway.s_addr ^ p->address.s_addr) >> (32 - p->prefix)) != 0)
        config_complain(config, "switch", "ports", "%s: its gateway is not on its link (prefix %u)",
                        p->name, p->prefix);
    for (size_t i = 0; i < nth; i++) {
        const struct switch_port_config *o = &c->ports.at[i];

        if (o->underlay && *o->underlay && strcmp(o->underlay, p->underlay) == 0 &&
            o->address.s_addr == p->address.s_addr &&
            (o->prefix != p->prefix || o->gateway.s_addr != p->gateway.s_addr))
            config_complain(config, "switch", "ports",
                            "%s and %s share an address, but not prefix and gateway", o->name,
                            p->name);
    }
}

static void check_patch(struct config *config, const struct switch_config *c,
                        const struct switch_port_config *p)
{
    const struct switch_port_config *peer;

    if (!p->peer || !*p->peer) {
        config_complain(config, "switch", "ports", "%s: a patch port needs a peer", p->name);
        return;
    }
    peer = port_named(c, c->ports.count, p->peer);
    if (!peer || peer == p || peer->type != SWITCH_PORT_PATCH || !peer->peer ||
        strcmp(peer->peer, p->name) != 0)
        config_complain(config, "switch", "ports",
                        "%s: its peer \"%s\" must be another patch port whose peer is %s", p->name,
                        p->peer, p->name);
}

static void check_dpdk(struct config *config, const struct switch_port_config *p)
{
    if (!dpdk_is_built)
        config_complain(config, "switch", "ports",
                        "%s: this program has no dpdk ports: build with -Ddpdk=enabled", p->name);
    else if (!p->device || !*p->device)
        config_complain(config, "switch", "ports", "%s: a dpdk port needs a device", p->name);
}

static void check_ipfix(struct config *config, const struct switch_config *c)
{
    for (size_t i = 0; i < c->ipfix.ports.count; i++)
        if (!port_named(c, c->ports.count, c->ipfix.ports.at[i]))
            config_complain(config, "switch", "ipfix", "no port is named \"%s\"",
                            c->ipfix.ports.at[i]);
}

/* What only a look at the whole shows. 0 or -EINVAL. */
static int check_config(struct config *config, const struct switch_config *c)
{
    size_t before = config_error_count(config);

    if (c->fail_mode == SWITCH_FAIL_STANDALONE && c->controllers.count == 0)
        config_complain(config, "switch", "fail_mode",
                        "standalone is for a switch whose controllers fail, and no controllers are "
                        "given");
    for (size_t i = 0; i < c->ports.count; i++) {
        const struct switch_port_config *p = &c->ports.at[i];

        if (strlen(p->name) >= OFP_NAME_SIZE)
            config_complain(config, "switch", "ports",
                            "port name \"%s\" is longer than %d characters", p->name,
                            OFP_NAME_SIZE - 1);
        if (is_tunnel(p) && p->address.s_addr == 0)
            config_complain(config, "switch", "ports", "%s: a %s port needs an address", p->name,
                            port_types[p->type]);
        if (p->underlay && *p->underlay)
            check_underlay(config, c, i);
        if (p->type == SWITCH_PORT_PATCH)
            check_patch(config, c, p);
        if (p->type == SWITCH_PORT_VHOST_USER && (!p->socket || !*p->socket))
            config_complain(config, "switch", "ports", "%s: a vhost-user port needs a socket",
                            p->name);
        if (p->type == SWITCH_PORT_DPDK)
            check_dpdk(config, p);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(p->name, c->ports.at[j].name) == 0)
                config_complain(config, "switch", "ports", "two ports are named \"%s\"", p->name);
            if (p->number && p->number == c->ports.at[j].number)
                config_complain(config, "switch", "ports", "two ports have the number %u",
                                p->number);
        }
    }
    check_ipfix(config, c);
    return config_error_count(config) > before ? -EINVAL : 0;
}

/* ---- ports ---- */

static struct timer refresh;

static void port_changed(struct port *p)
{
    log_info("port %s is %s", p->name, p->state & OFPPS_LINK_DOWN ? "down" : "up");
    conns_port_status(p, OFPPR_MODIFY);
}

static void refresh_ports(struct timer *timer)
{
    for (size_t i = 0; i < MAX_PORTS; i++) {
        struct port *p = sw.dp.ports[i];

        if (p && p->driver->refresh && p->driver->refresh(p))
            port_changed(p);
    }
    timer_start(timer, REFRESH_MS, refresh_ports);
}

static bool number_is_configured(uint32_t number)
{
    for (size_t i = 0; i < sw.config.ports.count; i++)
        if (sw.config.ports.at[i].number == number)
            return true;
    return false;
}

static int open_ports(void)
{
    uint32_t next = 1;

    for (size_t i = 0; i < sw.config.ports.count; i++) {
        const struct switch_port_config *c = &sw.config.ports.at[i];
        uint32_t number = c->number;
        int err;

        while (number == 0 && next < MAX_PORTS && (sw.dp.ports[next] || number_is_configured(next)))
            next++;
        if (number == 0)
            number = next++;
        err = port_open(&sw.dp, c, number, NULL);
        if (err < 0) {
            log_error("port %s does not open: %s", c->name, uv_strerror(err));
            return err;
        }
        log_info("port %u %s is open (%s)", number, c->name, port_types[c->type]);
    }
    return 0;
}

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
    int err = check_config(config, &sw.config);

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
    sw.dp.port_changed = port_changed;
    sw.dp.dpdk_arguments = sw.config.dpdk.arguments.at;
    sw.dp.dpdk_argument_count = sw.config.dpdk.arguments.count;
    change_set_limits(sw.config.max_groups, sw.config.max_meters);
    gtpu_limit_error_indications(sw.config.error_indications_per_second);
    trace_set_printer(TRACE_OPENFLOW, of_print_wire);
    state_register();
    if ((err = start_workers()) < 0 || (err = open_ports()) < 0 ||
        (err = ipfix_open(&sw.dp, &sw.config.ipfix, (uint32_t)sw.config.datapath_id)) < 0 ||
        (err = conns_open()) < 0)
        return err;
    timer_start(&refresh, REFRESH_MS, refresh_ports);
    return 0;
}

static void stop(void)
{
    timer_stop(&refresh);
    conns_close();
    reclaim_set_wake(NULL);
    for (size_t i = 1; i < MAX_PORTS; i++)
        if (sw.dp.ports[i])
            port_close(sw.dp.ports[i]);
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
