/*
 * switches.c -- switches come, are asked who they are, and go; switches.h tells the rest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "controller/switches.h"

#define HANDSHAKE_MS  5000
#define SMALL_MESSAGE 1024
#define ARENA_LIMIT                                                                               \
    ((size_t)4 * 1024 * 1024) /* of one decoded message: a reply of 64 KB has 1,300 flows at most \
                               */

static struct {
    struct openflow_listener *listener;
    const struct controller_application *const *applications;
    struct controller_switch *first;
    struct arena arena; /* of the message that is handled */
    /* of a multipart reply, which a fiber may look at while a message is handled */
    struct arena part_arena;
} registry;

enum { CONNECTS, LOSSES, HANDSHAKE_FAILURES, PACKET_INS, ERRORS, BROKEN, SWITCHES, METRICS };

static uint64_t count_switches(void)
{
    uint64_t n = 0;

    for (struct controller_switch *sw = registry.first; sw; sw = sw->next)
        n += sw->is_ready;
    return n;
}

static struct metric metrics[METRICS] = {
    [CONNECTS] = {"strowger_controller_switch_connects_total", NULL, "Switches that connected",
                  METRIC_COUNTER},
    [LOSSES] = {"strowger_controller_switch_losses_total", NULL, "Connections to switches lost",
                METRIC_COUNTER},
    [HANDSHAKE_FAILURES] = {"strowger_controller_switch_handshake_failures_total", NULL,
                            "Switches that did not answer as they must", METRIC_COUNTER},
    [PACKET_INS] = {"strowger_controller_packet_in_total", NULL, "Packets from switches",
                    METRIC_COUNTER},
    [ERRORS] = {"strowger_controller_openflow_errors_total", NULL, "OpenFlow errors from switches",
                METRIC_COUNTER},
    [BROKEN] = {"strowger_controller_openflow_malformed_total", NULL,
                "OpenFlow messages that do not decode", METRIC_COUNTER},
    [SWITCHES] = {"strowger_controller_switches", NULL, "Switches that are ready", METRIC_GAUGE,
                  count_switches},
};

struct controller_switch *switches_next(const struct controller_switch *sw)
{
    return sw ? sw->next : registry.first;
}

const struct of_port *switch_port_named(const struct controller_switch *sw, const char *name)
{
    for (size_t i = 0; i < sw->port_count; i++)
        if (strcmp(sw->ports[i].name, name) == 0)
            return &sw->ports[i];
    return NULL;
}

const struct of_port *switch_port_numbered(const struct controller_switch *sw, uint32_t number)
{
    for (size_t i = 0; i < sw->port_count; i++)
        if (sw->ports[i].port_no == number)
            return &sw->ports[i];
    return NULL;
}

int switch_send(struct controller_switch *sw, const struct of_message *message)
{
    /* What a controller sends is small, but for packets. */
    size_t room =
        SMALL_MESSAGE + (message->type == OFPT_PACKET_OUT ? message->packet_out.data.len : 0);
    struct writer w = openflow_reserve(sw->channel, room);

    of_encode(&w, message);
    return openflow_commit(sw->channel, &w);
}

/* ---- multipart requests ---- */

struct parts {
    void (*part)(void *context, const struct of_multipart *reply);
    void *context;
    int error;
};

static void decode_part(void *context, const struct openflow_header *header, struct bytes message)
{
    struct parts *parts = context;
    struct of_message m;
    of_error why;

    (void)header;
    arena_reset(&registry.part_arena);
    if (of_decode(&m, message, &registry.part_arena, &why) < 0) {
        metric_add(&metrics[BROKEN], 1);
        parts->error = -EBADMSG;
        return;
    }
    if (m.type == OFPT_MULTIPART_REPLY && parts->part)
        parts->part(parts->context, &m.multipart_reply);
}

int switch_multipart(struct controller_switch *sw, const struct of_multipart *request,
                     int timeout_ms, void (*part)(void *context, const struct of_multipart *reply),
                     void *context)
{
    uint8_t buffer[1024];
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct of_message m = {.type = OFPT_MULTIPART_REQUEST, .multipart_request = *request};
    struct parts parts = {part, context, 0};

    of_encode(&w, &m);
    if (w.bad)
        return -EMSGSIZE;
    int err = openflow_multipart_request(sw->channel, wr_view(&w), timeout_ms, decode_part, &parts);
    return err < 0 ? err : parts.error;
}

/* ---- the handshake ---- */

static int ask_features(struct controller_switch *sw)
{
    uint8_t request[OPENFLOW_HEADER_SIZE];
    struct writer w = writer_of(request, sizeof(request));
    struct openflow_header header;
    struct bytes answer;
    struct of_message m = {.type = OFPT_FEATURES_REQUEST};
    of_error why;

    of_encode(&w, &m);
    int err = openflow_request(sw->channel, wr_view(&w), HANDSHAKE_MS, &header, &answer);
    if (err < 0)
        return err;
    arena_reset(&registry.part_arena);
    if (of_decode(&m, answer, &registry.part_arena, &why) < 0 || m.type != OFPT_FEATURES_REPLY)
        return -EPROTO;
    sw->datapath_id = m.features.datapath_id;
    sw->n_tables = m.features.n_tables;
    sw->auxiliary_id = m.features.auxiliary_id;
    return 0;
}

static void take_description(void *context, const struct of_multipart *reply)
{
    struct controller_switch *sw = context;

    if (reply->type != OFPMP_DESC || !reply->desc)
        return;
    snprintf(sw->description, sizeof(sw->description), "%.40s %.50s", reply->desc->hw_desc,
             reply->desc->sw_desc);
    snprintf(sw->serial, sizeof(sw->serial), "%.31s", reply->desc->serial_num);
    sw->is_open_vswitch = strcmp(reply->desc->hw_desc, "Open vSwitch") == 0;
}

static void put_port(struct controller_switch *sw, const struct of_port *port)
{
    struct of_port *known = (struct of_port *)(uintptr_t)switch_port_numbered(sw, port->port_no);

    if (!known) {
        struct of_port *more = sw->port_count < SWITCH_MAX_PORTS
                                   ? realloc(sw->ports, (sw->port_count + 1) * sizeof(*more))
                                   : NULL;
        if (!more)
            return;
        sw->ports = more;
        known = &sw->ports[sw->port_count++];
    }
    *known = *port;
}

static void remove_port(struct controller_switch *sw, uint32_t number)
{
    struct of_port *port = (struct of_port *)(uintptr_t)switch_port_numbered(sw, number);

    if (port)
        *port = sw->ports[--sw->port_count];
}

static void take_ports(void *context, const struct of_multipart *reply)
{
    if (reply->type != OFPMP_PORT_DESC)
        return;
    for (size_t i = 0; i < reply->ports.count; i++)
        put_port(context, &reply->ports.at[i]);
}

static void take_meter_features(void *context, const struct of_multipart *reply)
{
    struct controller_switch *sw = context;

    if (reply->type == OFPMP_METER_FEATURES)
        sw->max_meters = reply->meter_features.max_meter;
}

static int learn(struct controller_switch *sw)
{
    struct of_multipart request = {.type = OFPMP_DESC};
    int err;

    if ((err = switch_multipart(sw, &request, HANDSHAKE_MS, take_description, sw)) < 0 &&
        err != -EREMOTEIO)
        return err;
    request.type = OFPMP_PORT_DESC;
    if ((err = switch_multipart(sw, &request, HANDSHAKE_MS, take_ports, sw)) < 0)
        return err;
    /* A switch without meters answers with an error, which is an answer too. */
    request.type = OFPMP_METER_FEATURES;
    err = switch_multipart(sw, &request, HANDSHAKE_MS, take_meter_features, sw);
    return err == -EREMOTEIO ? 0 : err;
}

/* ---- auxiliary connections (clause 6.3.7) ---- */

static struct controller_switch *main_connection(uint64_t datapath_id)
{
    for (struct controller_switch *sw = registry.first; sw; sw = sw->next)
        if (sw->auxiliary_id == 0 && sw->datapath_id == datapath_id)
            return sw;
    return NULL;
}

/* Whose messages come by this connection. NULL: its main connection is gone. */
static struct controller_switch *main_of(struct controller_switch *sw)
{
    return sw->auxiliary_id == 0 ? sw : main_connection(sw->datapath_id);
}

static int bind_auxiliary(struct controller_switch *sw)
{
    char name[32];

    if (!main_of(sw)) {
        log_warn("auxiliary connection %u of switch %016" PRIx64
                 ", which has no main connection here, is refused",
                 sw->auxiliary_id, sw->datapath_id);
        return -ENOTCONN;
    }
    log_info("switch %016" PRIx64 " at %s has auxiliary connection %u", sw->datapath_id,
             openflow_channel_peer(sw->channel), sw->auxiliary_id);
    snprintf(name, sizeof(name), "dpid %" PRIx64 " aux %u", sw->datapath_id, sw->auxiliary_id);
    openflow_channel_set_name(sw->channel, name);
    return 0;
}

/* Each drop takes one from the list, wherever it is. */
static void drop_auxiliaries(uint64_t datapath_id)
{
    struct controller_switch *sw = registry.first;

    while (sw) {
        if (sw->auxiliary_id == 0 || sw->datapath_id != datapath_id) {
            sw = sw->next;
            continue;
        }
        openflow_drop(sw->channel, -ECONNRESET);
        sw = registry.first;
    }
}

static void drop_twin(const struct controller_switch *sw)
{
    for (struct controller_switch *other = registry.first; other; other = other->next) {
        if (other != sw && other->is_ready && other->datapath_id == sw->datapath_id) {
            log_warn("switch %016" PRIx64 " has connected again: the old connection is dropped",
                     sw->datapath_id);
            openflow_drop(other->channel, -ECONNRESET);
            return;
        }
    }
}

static void become_ready(struct controller_switch *sw)
{
    char name[32];

    drop_twin(sw);
    log_info("switch %016" PRIx64 " at %s is connected: %s, %zu ports, %u meters", sw->datapath_id,
             openflow_channel_peer(sw->channel), sw->description, sw->port_count, sw->max_meters);
    snprintf(name, sizeof(name), "dpid %" PRIx64, sw->datapath_id);
    openflow_channel_set_name(sw->channel, name);
    /* Whole packets in PACKET_IN, fragments as they are. */
    switch_send(sw, &(struct of_message){.type = OFPT_SET_CONFIG,
                                         .config = {OFPC_FRAG_NORMAL, OFPCML_NO_BUFFER}});
    sw->is_ready = true;
    for (const struct controller_application *const *app = registry.applications; *app; app++)
        if ((*app)->switch_ready)
            (*app)->switch_ready(sw);
}

static void handshake(void *argument)
{
    struct controller_switch *sw = argument;
    int err = ask_features(sw);

    if (err == 0)
        err = sw->auxiliary_id ? bind_auxiliary(sw) : learn(sw);
    sw->handshake = NULL;
    if (err == -ECANCELED)
        return; /* the connection is lost, and the switch is about to be freed */
    if (err < 0) {
        metric_add(&metrics[HANDSHAKE_FAILURES], 1);
        log_warn("switch at %s does not answer as it must: %s", openflow_channel_peer(sw->channel),
                 strerror(-err));
        openflow_drop(sw->channel, err);
        return;
    }
    if (sw->auxiliary_id == 0)
        become_ready(sw);
}

/* ---- what a channel tells ---- */

static void came_up(struct openflow_channel *channel)
{
    struct controller_switch *sw = calloc(1, sizeof(*sw));

    if (!sw) {
        openflow_close(channel);
        return;
    }
    metric_add(&metrics[CONNECTS], 1);
    sw->channel = channel;
    sw->since_us = clock_wall_us();
    sw->next = registry.first;
    registry.first = sw;
    openflow_channel_set_context(channel, sw);
    struct fiber *fiber = fiber_spawn("switch handshake", handshake, sw);
    if (!fiber) {
        openflow_drop(channel, -ENOMEM);
        return;
    }
    /* The fiber waits for an answer, or has already failed and taken the switch with it. */
    for (struct controller_switch *known = registry.first; known; known = known->next)
        if (known == sw && !sw->is_ready)
            sw->handshake = fiber;
}

static void went_down(struct openflow_channel *channel, int reason)
{
    struct controller_switch *sw = openflow_channel_context(channel);
    struct controller_switch **at = &registry.first;

    metric_add(&metrics[LOSSES], 1);
    while (*at && *at != sw)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = sw->next;
    if (sw->is_ready) {
        log_warn("switch %016" PRIx64 " is lost: %s", sw->datapath_id, strerror(-reason));
        for (const struct controller_application *const *app = registry.applications; *app; app++)
            if ((*app)->switch_gone)
                (*app)->switch_gone(sw);
    }
    if (sw->handshake)
        fiber_cancel(sw->handshake);
    /* A switch that has connected again has a main connection. */
    if (sw->auxiliary_id == 0 && !main_connection(sw->datapath_id))
        drop_auxiliaries(sw->datapath_id);
    free(sw->ports);
    free(sw);
}

static const struct controller_application *application_of(uint64_t cookie)
{
    for (const struct controller_application *const *app = registry.applications; *app; app++)
        if ((*app)->number == (uint8_t)(cookie >> 56))
            return *app;
    return NULL;
}

static void port_status(struct controller_switch *sw, const struct of_port_status *status)
{
    const struct of_port *port = &status->desc;

    if (status->reason == OFPPR_DELETE)
        remove_port(sw, port->port_no);
    else
        put_port(sw, port);
    if (!sw->is_ready)
        return;
    log_info("switch %016" PRIx64 ": port %u (%s) %s", sw->datapath_id, port->port_no, port->name,
             status->reason == OFPPR_DELETE  ? "is removed"
             : port->state & OFPPS_LINK_DOWN ? "is down"
             : status->reason == OFPPR_ADD   ? "is added"
                                             : "is up");
    for (const struct controller_application *const *app = registry.applications; *app; app++)
        if ((*app)->ports_changed)
            (*app)->ports_changed(sw);
}

static void error_received(struct controller_switch *sw, const struct of_message *m)
{
    static struct log_limit limit;
    of_error error = OF_ERROR(m->error.type, m->error.code);
    char what[80];

    metric_add(&metrics[ERRORS], 1);
    for (const struct controller_application *const *app = registry.applications; *app; app++)
        if ((*app)->error && (*app)->error(sw, m->xid, error))
            return;
    struct text t = text_in(what, sizeof(what));
    of_print_error(&t, error);
    log_limited(&limit, LOG_WARN, "switch %016" PRIx64 " refused a message: %s", sw->datapath_id,
                what);
}

static void packet_in_received(struct controller_switch *sw, const struct of_packet_in *packet_in)
{
    const struct controller_application *app = application_of(packet_in->cookie);

    metric_add(&metrics[PACKET_INS], 1);
    if (sw->is_ready && app && app->packet_in)
        app->packet_in(sw, packet_in);
}

static void received(struct openflow_channel *channel, const struct openflow_header *header,
                     struct bytes message)
{
    struct controller_switch *sw = openflow_channel_context(channel);
    struct of_message m;
    of_error why;

    (void)header;
    if (!(sw = main_of(sw)))
        return;
    arena_reset(&registry.arena);
    if (of_decode(&m, message, &registry.arena, &why) < 0) {
        metric_add(&metrics[BROKEN], 1);
        return;
    }
    if (m.type == OFPT_PACKET_IN) {
        packet_in_received(sw, &m.packet_in);
    } else if (m.type == OFPT_PORT_STATUS) {
        port_status(sw, &m.port_status);
    } else if (m.type == OFPT_ERROR) {
        error_received(sw, &m);
    } else if (m.type == OFPT_FLOW_REMOVED) {
        const struct controller_application *app = application_of(m.flow_removed.cookie);
        if (sw->is_ready && app && app->flow_removed)
            app->flow_removed(sw, &m.flow_removed);
    }
}

static const struct openflow_user user = {came_up, received, went_down};

int switches_open(const struct sockaddr *address, const struct openflow_tls *tls,
                  uint32_t probe_interval_ms,
                  const struct controller_application *const *applications)
{
    struct openflow_options options = {
        .user = &user, .tls = tls, .echo_interval_ms = probe_interval_ms};

    registry.applications = applications;
    registry.first = NULL;
    arena_init(&registry.arena, ARENA_LIMIT);
    arena_init(&registry.part_arena, ARENA_LIMIT);
    metric_register(metrics, METRICS);
    trace_set_printer(TRACE_OPENFLOW, of_print_wire);
    return openflow_listen(&registry.listener, address, &options);
}

uint16_t switches_listening_port(void)
{
    return openflow_listener_port(registry.listener);
}

void switches_close(void)
{
    if (registry.listener)
        openflow_listener_close(registry.listener);
    registry.listener = NULL;
    while (registry.first) {
        struct controller_switch *sw = registry.first;
        registry.first = sw->next;
        if (sw->handshake)
            fiber_cancel(sw->handshake);
        free(sw->ports);
        free(sw);
    }
    arena_free(&registry.arena);
    arena_free(&registry.part_arena);
}

/* ---- state ---- */

static int count_auxiliaries(const struct controller_switch *sw)
{
    int n = 0;

    for (struct controller_switch *other = registry.first; other; other = other->next)
        n += other->auxiliary_id && other->datapath_id == sw->datapath_id;
    return n;
}

json_t *switches_state(void)
{
    json_t *all = json_array();

    for (struct controller_switch *sw = registry.first; sw; sw = sw->next) {
        char id[20];
        if (sw->auxiliary_id)
            continue;
        snprintf(id, sizeof(id), "%016" PRIx64, sw->datapath_id);
        json_array_append_new(
            all, json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:i,s:i,s:i,s:i}", "datapath", id, "peer",
                           openflow_channel_peer(sw->channel), "auxiliary", count_auxiliaries(sw),
                           "state", sw->is_ready ? "ready" : "handshake", "description",
                           sw->description, "serial", sw->serial, "tables", sw->n_tables, "ports",
                           (int)sw->port_count, "meters", (int)sw->max_meters, "queued_bytes",
                           (int)openflow_channel_queued(sw->channel)));
    }
    return all;
}

json_t *switches_ports_state(void)
{
    json_t *all = json_array();

    for (struct controller_switch *sw = registry.first; sw; sw = sw->next) {
        for (size_t i = 0; i < sw->port_count; i++) {
            const struct of_port *port = &sw->ports[i];
            char id[20], mac[20];
            snprintf(id, sizeof(id), "%016" PRIx64, sw->datapath_id);
            snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", port->hw_addr[0],
                     port->hw_addr[1], port->hw_addr[2], port->hw_addr[3], port->hw_addr[4],
                     port->hw_addr[5]);
            json_array_append_new(all, json_pack("{s:s,s:I,s:s,s:s,s:s}", "datapath", id, "port",
                                                 (json_int_t)port->port_no, "name", port->name,
                                                 "address", mac, "state",
                                                 port->state & OFPPS_LINK_DOWN ? "down" : "up"));
        }
    }
    return all;
}
