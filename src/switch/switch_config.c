/*
 * switch_config.c -- the section `switch:`: its keys, and what only a look at several of them
 * shows. Ports that come while the switch runs are read and checked by the same.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "link/dpdk_device.h"
#include "switch/conn.h"
#include "switch/switch_config.h"

const char *const switch_port_types[] = {"tap",        "tun",         "packet", "xdp",
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
                 .required = true, .more = switch_port_types),
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

static const struct config_field added_fields[] = {
    CONFIG_LIST_OF_SECTIONS(struct switch_config, ports, &port_schema, "that come"),
};

const struct config_schema switch_added_schema = {
    .name = "switch",
    .help = "ports that come later",
    .fields = added_fields,
    .count = sizeof(added_fields) / sizeof(added_fields[0]),
    .size = sizeof(struct switch_config),
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
                        by->name, switch_port_types[by->type]);
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

/* `whole`: no other ports will come, so the peer must be there. */
static void check_patch(struct config *config, const struct switch_config *c,
                        const struct switch_port_config *p, bool whole)
{
    const struct switch_port_config *peer;

    if (!p->peer || !*p->peer) {
        config_complain(config, "switch", "ports", "%s: a patch port needs a peer", p->name);
        return;
    }
    peer = port_named(c, c->ports.count, p->peer);
    if (!peer && !whole)
        return;
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

static void check_numbers(struct config *config, const struct switch_config *c, size_t nth)
{
    const struct switch_port_config *p = &c->ports.at[nth];

    for (size_t j = 0; j < nth; j++) {
        if (strcmp(p->name, c->ports.at[j].name) == 0)
            config_complain(config, "switch", "ports", "two ports are named \"%s\"", p->name);
        if (p->number && p->number == c->ports.at[j].number)
            config_complain(config, "switch", "ports", "two ports have the number %u", p->number);
    }
}

void switch_check_port(struct config *config, const struct switch_config *c, size_t nth, bool whole)
{
    const struct switch_port_config *p = &c->ports.at[nth];

    if (!*p->name || strlen(p->name) >= OFP_NAME_SIZE)
        config_complain(config, "switch", "ports", "port name \"%s\": 1 to %d characters make one",
                        p->name, OFP_NAME_SIZE - 1);
    if (is_tunnel(p) && p->address.s_addr == 0)
        config_complain(config, "switch", "ports", "%s: a %s port needs an address", p->name,
                        switch_port_types[p->type]);
    if (p->underlay && *p->underlay)
        check_underlay(config, c, nth);
    if (p->type == SWITCH_PORT_PATCH)
        check_patch(config, c, p, whole);
    if (p->type == SWITCH_PORT_VHOST_USER && (!p->socket || !*p->socket))
        config_complain(config, "switch", "ports", "%s: a vhost-user port needs a socket", p->name);
    if (p->type == SWITCH_PORT_DPDK)
        check_dpdk(config, p);
    check_numbers(config, c, nth);
}

int switch_check_config(struct config *config, const struct switch_config *c)
{
    size_t before = config_error_count(config);

    if (c->fail_mode == SWITCH_FAIL_STANDALONE && c->controllers.count == 0)
        config_complain(config, "switch", "fail_mode",
                        "standalone is for a switch whose controllers fail, and no controllers are "
                        "given");
    for (size_t i = 0; i < c->ports.count; i++)
        switch_check_port(config, c, i, true);
    check_ipfix(config, c);
    return config_error_count(config) > before ? -EINVAL : 0;
}
