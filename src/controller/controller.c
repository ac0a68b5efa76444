/*
 * controller.c -- the process: configuration, start, stop, views.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controller/up.h"
#include "link/path_config.h"

static struct controller_config config;
static struct openflow_tls *tls; /* NULL: switches come by TCP alone */

static const char *const signalling_names[] = {"port", "socket", NULL};

static const struct config_field gtpu_fields[] = {
#define FIELD(member, type, help, ...) \
    CONFIG_FIELD(struct controller_gtpu_config, member, type, help, __VA_ARGS__)
    FIELD(port, &config_string, "the switch's port for tunnels", .fallback = "gtpu"),
    FIELD(signal_port, &config_string, "the switch's port for all other GTP-U messages",
          .fallback = "gtpu-signal"),
    FIELD(address, &config_ipv4, "the tunnels' address: that of the switch's port",
          .required = true),
    FIELD(signalling, &config_enum,
          "how GTP-U messages leave: by the switch's `port`, or from a UDP `socket` (stock Open "
          "vSwitch)",
          .fallback = "port", .more = signalling_names),
    FIELD(s5_from_network, &config_bool, "S5-U packets also come from other S-GWs and P-GWs",
          .fallback = "false"),
#undef FIELD
};

static const struct config_schema gtpu_schema = {"gtpu", "tunnels", gtpu_fields,
                                                 sizeof(gtpu_fields) / sizeof(gtpu_fields[0]),
                                                 sizeof(struct controller_gtpu_config)};

static const struct config_field sgi_fields[] = {
#define FIELD(member, type, help, ...) \
    CONFIG_FIELD(struct controller_sgi_config, member, type, help, __VA_ARGS__)
    FIELD(network_instance, &config_string,
          "as the P-GW names it, mostly the APN; \"*\": any other", .fallback = "*"),
    FIELD(port, &config_string, "the switch's port", .fallback = "sgi"),
    FIELD(ethernet, &config_bool,
          "the port carries Ethernet (a TAP or a network card), not bare IP (a TUN)",
          .fallback = "true"),
    FIELD(address, &config_ipv4, "ours on that link, answered by ARP"),
    FIELD(address6, &config_ipv6, "ours on that link, answered by neighbour discovery"),
    FIELD(next_hop, &config_ipv4, "the router on that link, found by ARP"),
    FIELD(next_hop6, &config_ipv6,
          "the router on that link, found by neighbour discovery when there is no next_hop"),
    FIELD(mac, &config_string, "our Ethernet address there; made up when not given"),
#undef FIELD
};

static const struct config_schema sgi_schema = {
    "sgi", "ways out to packet data networks", sgi_fields,
    sizeof(sgi_fields) / sizeof(sgi_fields[0]), sizeof(struct controller_sgi_config)};

static const struct config_field buffer_fields[] = {
#define FIELD(member, type, help, ...) \
    CONFIG_FIELD(struct controller_buffer_config, member, type, help, __VA_ARGS__)
    FIELD(packets, &config_uint, "packets kept for a phone that sleeps", .fallback = "32", .min = 1,
          .max = 10000),
    FIELD(bytes, &config_size, "bytes kept for a phone that sleeps", .fallback = "64k"),
    FIELD(total, &config_size, "bytes kept for all phones", .fallback = "64M"),
    CONFIG_FIELD_CALLED(struct controller_buffer_config, "clamp", clamp_ms, &config_duration,
                        "how long a phone whose buffer is full is silenced in the switch",
                        .fallback = "2s"),
    FIELD(packet_rate, &config_uint, "packets per second to the controller, for all phones",
          .fallback = "20000", .min = 1, .max = 10000000),
#undef FIELD
};

static const struct config_schema buffer_schema = {
    "buffer", "packets for phones that sleep", buffer_fields,
    sizeof(buffer_fields) / sizeof(buffer_fields[0]), sizeof(struct controller_buffer_config)};

static const struct config_field router_fields[] = {
#define FIELD(member, type, help, ...) \
    CONFIG_FIELD(struct controller_router_config, member, type, help, __VA_ARGS__)
    FIELD(mtu, &config_uint, "of phones' links; 0: not told", .fallback = "1400", .min = 0,
          .max = 65535),
    CONFIG_FIELD_CALLED(struct controller_router_config, "lifetime", lifetime_ms, &config_duration,
                        "of the default router", .fallback = "18h"),
#undef FIELD
};

static const struct config_schema router_schema = {
    "router_advertisement", "for phones with IPv6", router_fields,
    sizeof(router_fields) / sizeof(router_fields[0]), sizeof(struct controller_router_config)};

static const struct config_field user_plane_fields[] = {
#define UP struct controller_user_plane_config
    CONFIG_FIELD(UP, pfcp, &path_address_type,
                 "our address for PFCP: where S-GWs and P-GWs find us", .required = true),
    CONFIG_FIELD(UP, datapath_id, &config_uint,
                 "of the switch to be used; 0: the first that has the ports", .fallback = "0"),
    CONFIG_SUBSECTION(UP, gtpu, &gtpu_schema, "tunnels"),
    CONFIG_LIST_OF_SECTIONS(UP, sgi, &sgi_schema, "ways out to packet data networks"),
    CONFIG_SUBSECTION(UP, buffer, &buffer_schema, "packets for phones that sleep"),
    CONFIG_SUBSECTION(UP, router_advertisement, &router_schema, "for phones with IPv6"),
    CONFIG_FIELD(UP, max_sessions, &config_uint, "PFCP sessions: two for each PDN connection",
                 .fallback = "200000", .min = 1, .max = POOL_MAX_LIMIT),
    CONFIG_FIELD_CALLED(UP, "usage_poll", usage_poll_ms, &config_duration,
                        "how often volumes are compared with their thresholds", .fallback = "10s",
                        .min = 100, .max = 3600000),
    CONFIG_FIELD_CALLED(
        UP, "grace", grace_ms, &config_duration,
        "how long flows of an earlier life of the controller may still carry packets",
        .fallback = "60s"),
    CONFIG_FIELD_CALLED(UP, "t1", t1_ms, &config_duration, "PFCP: until a request is sent again",
                        .fallback = "3s"),
    CONFIG_FIELD(UP, n1, &config_uint, "PFCP: how often a request is sent in all", .fallback = "3",
                 .min = 1, .max = 20),
    CONFIG_FIELD_CALLED(UP, "heartbeat", heartbeat_ms, &config_duration, "PFCP: between heartbeats",
                        .fallback = "10s"),
#undef UP
};

static const struct config_schema user_plane_schema = {
    "user_plane", "the gateways' user plane", user_plane_fields,
    sizeof(user_plane_fields) / sizeof(user_plane_fields[0]),
    sizeof(struct controller_user_plane_config)};

static const struct config_field controller_fields[] = {
    CONFIG_FIELD(struct controller_config, openflow, &openflow_endpoint_type,
                 "where switches find us", .required = true),
    CONFIG_SUBSECTION(struct controller_config, tls, &openflow_tls_config_schema,
                      "certificates, for an ssl: address"),
    CONFIG_FIELD_CALLED(
        struct controller_config, "probe_interval", probe_interval_ms, &config_duration,
        "of silence before a switch is asked, and again before it is given up", .fallback = "5s"),
    CONFIG_SUBSECTION(struct controller_config, user_plane, &user_plane_schema,
                      "the gateways' user plane"),
};

const struct config_schema controller_config_schema = {
    "controller", "the controller of the switches, and the gateways' user plane in them",
    controller_fields, sizeof(controller_fields) / sizeof(controller_fields[0]),
    sizeof(struct controller_config)};

/* What the rows cannot say. */
static int check(struct config *file)
{
    const struct controller_user_plane_config *u = &config.user_plane;

    if (u->sgi.count > UP_MAX_EXITS)
        config_complain(file, "controller", "user_plane", "%zu entries of sgi are more than %d",
                        u->sgi.count, UP_MAX_EXITS);
    for (size_t i = 0; i < u->sgi.count; i++) {
        const struct controller_sgi_config *sgi = &u->sgi.at[i];
        uint8_t mac[6];
        if (sgi->mac && hex_parse(sgi->mac, mac, sizeof(mac)) != 6)
            config_complain(file, "controller", "user_plane",
                            "sgi[%zu].mac: %s is not an Ethernet address (02:00:00:00:00:01)", i,
                            sgi->mac);
        if (sgi->ethernet && !sgi->next_hop.s_addr &&
            memcmp(&sgi->next_hop6, &in6addr_any, 16) == 0)
            config_complain(file, "controller", "user_plane",
                            "sgi[%zu]: an Ethernet link needs a next_hop (or say ethernet: false)",
                            i);
        if (sgi->next_hop.s_addr && !sgi->address.s_addr)
            config_complain(file, "controller", "user_plane",
                            "sgi[%zu]: a next_hop needs an address to ask from", i);
    }
    return config_error_count(file) ? -EINVAL : 0;
}

static int open_switches(void)
{
    static const struct controller_application *const applications[] = {&up_application, NULL};
    char words[400];
    struct text why = text_in(words, sizeof(words));
    int err = 0;

    if (config.openflow.is_tls && (err = openflow_tls_open(&tls, &config.tls, &why)) < 0) {
        log_error("controller: %s", words);
        return err;
    }
    err = switches_open((const struct sockaddr *)&config.openflow.address, tls,
                        config.probe_interval_ms, applications);
    if (err < 0)
        log_error("OpenFlow does not start: %s", strerror(-err));
    return err;
}

static int start(struct config *file)
{
    char restart_file[512];
    int err;

    if ((err = check(file)) < 0)
        return err;
    snprintf(restart_file, sizeof(restart_file), "%s/controller.restart", process_directory());
    if ((err = up_open(&config.user_plane, restart_file)) < 0) {
        log_error("PFCP does not start: %s", strerror(-err));
        return err;
    }
    return open_switches();
}

static void stop(void)
{
    switches_close();
    openflow_tls_close(tls);
    up_close();
    process_stopped();
}

static json_t *state(const char *what, const struct control_request *request)
{
    const char *imsi = control_argument(request, "imsi");

    if (!what)
        return up_state_summary();
    if (strcmp(what, "switches") == 0)
        return switches_state();
    if (strcmp(what, "ports") == 0)
        return switches_ports_state();
    if (strcmp(what, "sessions") == 0)
        return up_state_sessions(imsi);
    if (strcmp(what, "flows") == 0)
        return up_state_flows(imsi);
    if (strcmp(what, "nodes") == 0)
        return up_state_nodes();
    if (strcmp(what, "exits") == 0)
        return up_sgi_state();
    return NULL;
}

static const struct process_view views[] = {
    {"switches", "switches that are connected"},
    {"ports", "their ports"},
    {"sessions", "PFCP sessions of S-GWs and P-GWs (imsi=...)"},
    {"flows", "the flows that sessions want (imsi=...)"},
    {"nodes", "S-GWs and P-GWs"},
    {"exits", "links to packet data networks and their next hops"},
    {NULL, NULL},
};

int controller_main(int argc, char **argv)
{
    static const struct process process = {
        .name = "controller",
        .summary = "The controller of the OpenFlow switches, and the user plane of S-GWs and P-GWs "
                   "in them.",
        .examples = "  strowger controller -c examples/operator.yaml\n"
                    "  strowger show controller sessions imsi=001010000000001\n",
        .sections = {{"controller", &controller_config_schema, &config}},
        .start = start,
        .stop = stop,
        .state = state,
        .views = views,
    };

    return process_main(&process, argc, argv);
}
