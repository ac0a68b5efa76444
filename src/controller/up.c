/*
 * up.c -- the user plane application as a whole: control planes come (PFCP associations, TS 29.244
 * clause 6.2), a switch comes, and what they say is handed on: PFCP session requests to session.c,
 * packets from the switch to whom they concern.
 *
 * When a control plane says by its recovery time stamp, or by a new association, that it has
 * started anew, its old sessions are removed. Our own restart shows in our time stamp the same way;
 * what is left in the switch from before is resync.c's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controller/up.h"

#define UP_FEATURES    (PFCP_UP_FTUP | PFCP_UP_EMPU | PFCP_UP_DDND)
#define PURGE_AT_ONCE  4096
#define PURGE_PAUSE_MS 20
#define ARENA_LIMIT    ((size_t)4 * 1024 * 1024)

struct up_context up;

/* ---- nodes ---- */

static struct up_node *node_of(const struct udp_peer *peer)
{
    uint32_t id = udp_peer_id(peer);

    for (unsigned i = 0; i < UP_MAX_NODES; i++)
        if (up.nodes[i].is_associated && up.nodes[i].peer == id)
            return &up.nodes[i];
    return NULL;
}

static struct up_node *free_node(void)
{
    for (unsigned i = 0; i < UP_MAX_NODES; i++)
        if (!up.nodes[i].is_associated && up.nodes[i].sessions == 0)
            return &up.nodes[i];
    return NULL;
}

/* Removes sessions of control planes that have gone, so many at a time that those who stay do not
 * notice. */
static void purge_some(struct timer *timer)
{
    struct up_session *session;
    uint32_t id = 0;
    unsigned purged = 0;

    while ((session = pool_next(&up.sessions, &id))) {
        if (up.nodes[session->node].is_associated || session->is_deleting)
            continue;
        if (purged == PURGE_AT_ONCE || !up_has_room()) {
            timer_start(timer, PURGE_PAUSE_MS, purge_some);
            return;
        }
        up_session_purge(id);
        purged++;
    }
}

/* Its slot is free when its sessions are gone from the switch too. */
static void forget_node(struct up_node *node)
{
    struct udp_peer *peer = udp_peer_get(pfcp_udp(up.pfcp), node->peer);

    node->is_associated = false;
    if (peer)
        udp_peer_release(peer);
    purge_some(&up.purge);
}

static void keep_node_id(struct up_node *node, const struct pfcp_node_id *id)
{
    node->id = *id;
    if (id->type == PFCP_NODE_ID_FQDN && id->fqdn.len <= sizeof(node->fqdn)) {
        memcpy(node->fqdn, id->fqdn.at, id->fqdn.len);
        node->id.fqdn = bytes_of(node->fqdn, id->fqdn.len);
    } else if (id->type == PFCP_NODE_ID_FQDN) {
        node->id.fqdn = bytes_of(node->fqdn, 0);
    }
}

/* Clause 6.2.6.2: an association that is set up again replaces the old one and its sessions. */
static void association_setup(struct udp_peer *peer, uint32_t transaction,
                              const struct pfcp_association_setup_request *request)
{
    struct up_node *node = node_of(peer);
    struct pfcp_user_plane_ip_resource_information resource = {.has_ipv4 = true,
                                                               .ipv4 = up.env.address};
    uint32_t features = UP_FEATURES;

    if (node)
        forget_node(node);
    if (!(node = free_node())) {
        pfcp_refuse(up.pfcp, transaction, 0, PFCP_CAUSE_NO_RESOURCES_AVAILABLE, 0);
        return;
    }
    *node = (struct up_node){
        .is_associated = true, .peer = udp_peer_id(peer), .since_us = clock_wall_us()};
    keep_node_id(node, &request->node_id);
    node->features = request->cp_function_features ? *request->cp_function_features : 0;
    udp_peer_use(peer);
    log_info("association with control plane %s", udp_peer_name(peer));
    struct pfcp_association_setup_response answer = {
        .node_id = pfcp_own_node_id(up.pfcp),
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .recovery_time_stamp = pfcp_own_recovery(up.pfcp),
        .up_function_features = &features,
        .user_plane_ip_resource_information = {&resource, 1},
    };
    pfcp_answer(up.pfcp, transaction, 0, &answer);
}

static void association_update(struct up_node *node, uint32_t transaction,
                               const struct pfcp_association_update_request *request)
{
    struct pfcp_association_update_response answer = {.node_id = pfcp_own_node_id(up.pfcp),
                                                      .cause = PFCP_CAUSE_REQUEST_ACCEPTED};

    if (request->cp_function_features)
        node->features = *request->cp_function_features;
    pfcp_answer(up.pfcp, transaction, 0, &answer);
}

static void association_release(struct up_node *node, uint32_t transaction)
{
    struct pfcp_association_release_response answer = {pfcp_own_node_id(up.pfcp),
                                                       PFCP_CAUSE_REQUEST_ACCEPTED};

    log_info("association released: %u sessions end", node->sessions);
    forget_node(node);
    pfcp_answer(up.pfcp, transaction, 0, &answer);
}

/* ---- requests ---- */

static void session_request(struct up_node *node, struct udp_peer *peer, uint32_t transaction,
                            const struct pfcp_message *request)
{
    uint32_t id;

    if (request->header.type == PFCP_SESSION_ESTABLISHMENT_REQUEST) {
        up_session_establishment(node, peer, transaction, request->body);
        return;
    }
    struct up_session *session = up_session_of(node, request->header.seid, &id);
    if (!session) {
        up_count(UP_REFUSED);
        pfcp_refuse(up.pfcp, transaction, 0, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND, 0);
    } else if (request->header.type == PFCP_SESSION_MODIFICATION_REQUEST) {
        up_session_modification(id, session, peer, transaction, request->body);
    } else if (request->header.type == PFCP_SESSION_DELETION_REQUEST) {
        up_session_deletion(id, session, transaction);
    } else {
        pfcp_refuse(up.pfcp, transaction, session->cp_seid, PFCP_CAUSE_SERVICE_NOT_SUPPORTED, 0);
    }
}

static void take_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                         const struct pfcp_message *request)
{
    struct up_node *node = node_of(peer);
    uint8_t type = request->header.type;

    (void)owner;
    if (type == PFCP_ASSOCIATION_SETUP_REQUEST) {
        association_setup(peer, transaction, request->body);
    } else if (!node) {
        /* Nothing is done for strangers (clause 6.2.6.1). */
        const struct pfcp_session_establishment_request *m = request->body;
        uint64_t seid = type == PFCP_SESSION_ESTABLISHMENT_REQUEST ? m->cp_f_seid.seid : 0;
        pfcp_refuse(up.pfcp, transaction, seid, PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION, 0);
    } else if (type == PFCP_ASSOCIATION_UPDATE_REQUEST) {
        association_update(node, transaction, request->body);
    } else if (type == PFCP_ASSOCIATION_RELEASE_REQUEST) {
        association_release(node, transaction);
    } else if (request->header.has_seid) {
        session_request(node, peer, transaction, request);
    } else {
        pfcp_refuse(up.pfcp, transaction, 0, PFCP_CAUSE_SERVICE_NOT_SUPPORTED, 0);
    }
}

static const char *subject_of(void *owner, const struct pfcp_message *request)
{
    const struct pfcp_session_establishment_request *m = request->body;

    (void)owner;
    if (request->header.type == PFCP_SESSION_ESTABLISHMENT_REQUEST)
        return m->user_id ? m->user_id->imsi : "";
    if (!request->header.has_seid || request->header.seid >> 32 != up.seid_high)
        return "";
    struct up_session *session = up_session_get((uint32_t)request->header.seid);
    return session ? session->imsi : "";
}

static uint64_t peer_seid(void *owner, const struct pfcp_message *request)
{
    struct up_session *session = NULL;

    (void)owner;
    if (request->header.has_seid && request->header.seid >> 32 == up.seid_high)
        session = up_session_get((uint32_t)request->header.seid);
    return session ? session->cp_seid : 0;
}

/* Told before the request that showed it is handled. */
static void node_restarted(void *owner, struct udp_peer *peer)
{
    struct up_node *node = node_of(peer);

    (void)owner;
    if (node) {
        log_warn("control plane %s has started anew: its %u sessions end", udp_peer_name(peer),
                 node->sessions);
        forget_node(node);
    }
}

static const struct pfcp_handler pfcp_handler = {
    .request = take_request,
    .subject = subject_of,
    .peer_seid = peer_seid,
    .peer_restarted = node_restarted,
};

/* ---- the switch ---- */

/* Fills the view from the switch's ports; false when the tunnel port is not there. */
static bool look_at_ports(const struct controller_switch *sw)
{
    const struct of_port *gtpu = switch_port_named(sw, up.config->gtpu.port);
    const struct of_port *signal = switch_port_named(sw, up.config->gtpu.signal_port);

    if (!gtpu)
        return false;
    up.view.gtpu_port = gtpu->port_no;
    up.has_signal_port = signal != NULL;
    up.signal_port = signal ? signal->port_no : 0;
    for (unsigned i = 0; i < up.config->sgi.count; i++) {
        const struct of_port *port = switch_port_named(sw, up.config->sgi.at[i].port);
        up_exits[i].has_port = port != NULL;
        up_exits[i].port = port ? port->port_no : 0;
        up.view.exit_ports[i] = port ? port->port_no : OFPP_UNSET;
    }
    return true;
}

static bool is_wanted(const struct controller_switch *sw)
{
    return up.config->datapath_id == 0 || up.config->datapath_id == sw->datapath_id;
}

static void take_switch(struct controller_switch *sw)
{
    uint32_t limit = sw->max_meters < (1u << 20) ? sw->max_meters + 1 : 1u << 20;

    if (up.sw || !is_wanted(sw) || !look_at_ports(sw))
        return;
    up.view.has_meters = sw->max_meters > UP_METER_FIRST;
    if (up.view.has_meters && !up.meters.used &&
        up_meters_init(&up.meters, UP_METER_FIRST, limit) < 0)
        up.view.has_meters = false;
    up.env.meters = up.view.has_meters ? &up.meters : NULL;
    up.sw = sw;
    if (up.config->sgi.count > 0 && !up_exits[0].has_port)
        log_warn("switch %llx has no port %s", (unsigned long long)sw->datapath_id,
                 up.config->sgi.at[0].port);
    up_resync_start();
    up_sgi_start();
}

static void switch_gone(struct controller_switch *sw)
{
    if (sw != up.sw)
        return;
    up.sw = NULL;
    up.accepts = false;
    up_sgi_stop();
    up_resync_switch_gone();
    up_commit_switch_gone();
    /* Another switch may stand by. */
    for (struct controller_switch *other = switches_next(NULL); other; other = switches_next(other))
        if (other->is_ready)
            take_switch(other);
}

static bool view_equal(const struct up_switch_view *a, const struct up_switch_view *b)
{
    return a->gtpu_port == b->gtpu_port && a->has_meters == b->has_meters &&
           memcmp(a->exit_ports, b->exit_ports, sizeof(a->exit_ports)) == 0;
}

/* Port numbers are in flows: when one changes, all is compared. A port that has come up may lead to
 * a next hop. */
static void ports_changed(struct controller_switch *sw)
{
    struct up_switch_view before = up.view;
    bool had_signal = up.has_signal_port;

    if (!up.sw) {
        take_switch(sw);
        return;
    }
    if (sw != up.sw || !look_at_ports(sw))
        return;
    if (!view_equal(&before, &up.view) || had_signal != up.has_signal_port)
        up_resync_start();
    up_sgi_start();
}

static void fixed_packet_in(uint32_t number, const struct of_packet_in *packet_in)
{
    if (number == UP_FIXED_SIGNAL)
        up_signal_packet_in(packet_in);
    else if (number == UP_FIXED_UNKNOWN_TUNNEL)
        up_unknown_tunnel(packet_in);
    else if (number == UP_FIXED_LOCAL_MISS)
        up_local_miss(packet_in);
    else if (number >= UP_FIXED_EXIT && (number - UP_FIXED_EXIT) / 16 < up.config->sgi.count)
        up_sgi_packet_in((number - UP_FIXED_EXIT) / 16,
                         (enum up_fixed_exit)((number - UP_FIXED_EXIT) % 16), packet_in);
}

/* The session's PDR that a packet belongs to: the first by precedence that takes it. */
static const struct up_pdr *pdr_of_packet(const struct up_rules *rules, uint32_t teid,
                                          const struct net_packet *packet)
{
    const struct up_pdr *best = NULL;

    for (unsigned i = 0; i < rules->pdr_count; i++) {
        const struct up_pdr *pdr = &rules->pdrs[i];
        if (up_pdr_matches(rules, pdr, teid, packet) &&
            (!best || pdr->precedence < best->precedence))
            best = pdr;
    }
    return best;
}

/* A session's flow sent it here: it is to be buffered, or says something to its router. The rules
 * may have changed since: then it goes as they say now. */
static void session_packet_in(uint32_t id, const struct of_packet_in *packet_in)
{
    struct up_session *session = up_session_get(id);
    uint32_t teid = packet_in->table_id == UP_TABLE_DOWNLINK
                        ? 0
                        : (uint32_t)of_match_get(&packet_in->match, OF_TUNNEL_ID);
    struct net_packet packet;

    if (!session || net_read_frame(packet_in->data, &packet) < 0)
        return;
    if (packet.version == 6 && (packet.dst.bytes[0] & 0xfe) == 0xfe) {
        for (unsigned i = 0; i < session->rules->pdr_count; i++)
            if (session->rules->pdrs[i].has_teid && session->rules->pdrs[i].teid == teid) {
                up_router_packet_in(id, session, &session->rules->pdrs[i], &packet);
                return;
            }
        return;
    }
    const struct up_pdr *pdr = pdr_of_packet(session->rules, teid, &packet);
    if (pdr)
        up_forward(id, session, pdr, packet_in->data);
    else
        up_count(UP_STRAY_PACKETS);
}

static void packet_in(struct controller_switch *sw, const struct of_packet_in *packet_in)
{
    uint8_t kind = UP_COOKIE_KIND(packet_in->cookie);

    if (sw != up.sw || UP_COOKIE_EPOCH(packet_in->cookie) != up.epoch) {
        up_count(UP_STRAY_PACKETS);
        return;
    }
    if (kind == UP_COOKIE_FIXED)
        fixed_packet_in(UP_COOKIE_NUMBER(packet_in->cookie), packet_in);
    else if (kind == UP_COOKIE_SESSION)
        session_packet_in(UP_COOKIE_NUMBER(packet_in->cookie), packet_in);
}

static bool openflow_error(struct controller_switch *sw, uint32_t xid, of_error error)
{
    return sw == up.sw && up_commit_error(xid, error);
}

const struct controller_application up_application = {
    .number = UP_APPLICATION,
    .switch_ready = take_switch,
    .switch_gone = switch_gone,
    .ports_changed = ports_changed,
    .packet_in = packet_in,
    .error = openflow_error,
};

/* ---- start and stop ---- */

static uint8_t exit_of(void *context, const struct bytes *network_instance)
{
    uint8_t any = UP_UNKNOWN_EXIT;

    (void)context;
    if (!network_instance)
        return up.config->sgi.count > 0 ? 0 : UP_UNKNOWN_EXIT;
    for (unsigned i = 0; i < up.config->sgi.count; i++) {
        const char *name = up.config->sgi.at[i].network_instance;
        if (strcmp(name, "*") == 0)
            any = (uint8_t)i;
        else if (strlen(name) == network_instance->len &&
                 memcmp(name, network_instance->at, network_instance->len) == 0)
            return (uint8_t)i;
    }
    return any;
}

static int open_pfcp(const char *restart_file)
{
    struct udp_settings settings = udp_settings_default();
    struct restart_counter restarts;
    int err = restart_counter_next(restart_file, &restarts);

    if (err < 0)
        log_warn("the time of start cannot be kept in %s: %s", restart_file, strerror(-err));
    up.epoch = (uint16_t)restarts.pfcp_time;
    settings.timeout_ms = up.config->t1_ms;
    settings.attempts = up.config->n1;
    settings.probe_interval_ms = up.config->heartbeat_ms;
    return pfcp_open((const struct sockaddr *)&up.config->pfcp, &settings, restarts.pfcp_time,
                     &pfcp_handler, &up, &up.pfcp);
}

int up_open(const struct controller_user_plane_config *config, const char *restart_file)
{
    uint32_t random[2];
    int err;

    memset(&up, 0, sizeof(up));
    up.config = config;
    up.started_ms = loop_now_ms();
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return -errno;
    up.seid_high = random[0] | 1;
    up_teids_init(&up.teids, random[1]);
    up.env = (struct up_environment){.address = config->gtpu.address,
                                     .teids = &up.teids,
                                     .s5_from_network = config->gtpu.s5_from_network,
                                     .exit_of = exit_of};
    pool_init(&up.sessions, sizeof(struct up_session), config->max_sessions);
    map_init(&up.by_ue4);
    map_init(&up.by_ue6);
    map_init(&up.by_remote);
    arena_init(&up.arena, ARENA_LIMIT);
    up_state_open();
    if ((err = up_signal_open()) < 0)
        return err;
    return open_pfcp(restart_file);
}

void up_close(void)
{
    struct up_session *session;
    uint32_t id = 0;

    timer_stop(&up.purge);
    up_sgi_stop();
    up_resync_stop();
    up_commit_free();
    if (up.pfcp)
        pfcp_close(up.pfcp);
    up.pfcp = NULL;
    up_signal_close();
    while ((session = pool_next(&up.sessions, &id)))
        up_session_end(id, session);
    pool_free(&up.sessions);
    up_teids_free(&up.teids);
    up_meters_free(&up.meters);
    map_free(&up.by_ue4);
    map_free(&up.by_ue6);
    map_free(&up.by_remote);
    arena_free(&up.arena);
}
