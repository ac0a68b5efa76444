/*
 * port_gtpu.c -- GTP-U tunnels as a port (TS 29.281 release 15; switch.h tells what controllers see
 * of it).
 *
 * One UDP port at the configured address carries two ports: gtpu, whose packets are the users'
 * (G-PDU), and gtpu-signal, whose packets are all other messages as whole outer frames. tunnel.h
 * brings its datagrams. Headers are taken off and put on in place: 14 bytes of Ethernet before the
 * user's packet in the switch, 8 bytes of GTP-U outside.
 *
 * What the endpoint owes its peers without asking a controller is done here: Echo Response
 * (clause 7.2.2), Error Indication for unknown TEIDs (clause 7.3.1), Supported Extension Headers
 * Notification (clause 7.2.3). All are bounded: an answer to each request, the others at most so
 * many a second.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/loop.h"
#include "switch/tunnel.h"
#include "wire/gtp/gtp.h"

#define OUTER_SIZE  (ETH_HEADER_SIZE + IPV4_MIN_SIZE + UDP_SIZE)
#define ANSWER_SIZE 64

_Static_assert(OUTER_SIZE <= PACKET_HEADROOM, "an outer header fits before a message");

struct gtpu {
    struct tunnel tunnel; /* its port: the users' */
    struct port *signal;
};

struct gtpu_counters gtpu_counters;

static struct {
    uint32_t per_second;
} limit = {100};

void gtpu_limit_error_indications(uint32_t per_second)
{
    limit.per_second = per_second;
}

/* ---- answers ---- */

static void answer(struct worker *w, struct gtpu *g, const struct sockaddr_in *to,
                   const struct writer *message)
{
    if (!message->bad)
        tunnel_answer(w, &g->tunnel, to, wr_view(message));
}

static bool may_answer(struct gtpu *g, uint64_t now_us)
{
    return tunnel_may_answer(&g->tunnel, limit.per_second, now_us);
}

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void answer_echo(struct worker *worker, struct gtpu *g, const struct sockaddr_in *from,
                        const struct gtpu_header *h)
{
    uint8_t buffer[ANSWER_SIZE];
    struct writer w = writer_of(buffer, sizeof(buffer));

    count(&gtpu_counters.echo_requests);
    gtpu_write_echo_response(&w, h->sequence);
    answer(worker, g, from, &w);
}

/* A table that holds nothing knows nothing: after a restart no tunnel is denied before a controller
 * spoke. What no peer sent (tell_too_large() in underlay.c) is no reason either. */
static void gtpu_unmatched(struct worker *worker, struct port *p, const struct packet *packet)
{
    struct gtpu *g = p->private;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(GTPU_PORT)};
    struct gtpu_error_indication error = {.teid = (uint32_t)of_key_get(&packet->key, OF_TUNNEL_ID)};
    uint8_t buffer[ANSWER_SIZE];
    struct writer w = writer_of(buffer, sizeof(buffer));

    if (!tables_know_anything(&p->dp->tables) || packet->key.tun_gtpu_msgtype != GTPU_G_PDU)
        return;
    if (!may_answer(g, worker->now_us)) {
        count(&gtpu_counters.error_indications_suppressed);
        return;
    }
    to.sin_addr.s_addr = packet->key.tun_src;
    error.ipv4.s_addr = packet->key.tun_dst;
    count(&gtpu_counters.error_indications_sent);
    gtpu_write_error_indication(&w, &error);
    answer(worker, g, &to, &w);
}

/* Headers that an LTE gateway may meet and may do without: PDCP numbers matter to eNodeBs, the 5G
 * container to a UPF. */
static const uint8_t known_extensions[] = {
    GTPU_LONG_PDCP_PDU_NUMBER_OPTIONAL, GTPU_SERVICE_CLASS_INDICATOR, GTPU_UDP_PORT,
    GTPU_LONG_PDCP_PDU_NUMBER,          GTPU_PDU_SESSION_CONTAINER,   GTPU_PDCP_PDU_NUMBER,
};

static bool extension_is_known(uint8_t type)
{
    return memchr(known_extensions, type, sizeof(known_extensions));
}

static void notify_extensions(struct worker *worker, struct gtpu *g, const struct sockaddr_in *from,
                              const struct gtpu_header *h)
{
    uint8_t buffer[ANSWER_SIZE];
    struct writer w = writer_of(buffer, sizeof(buffer));

    if (!may_answer(g, clock_now_us()))
        return;
    count(&gtpu_counters.notifications_sent);
    gtpu_write_supported_extension_headers(&w, h->has_sequence ? h->sequence : 0,
                                           bytes_of(known_extensions, sizeof(known_extensions)));
    answer(worker, g, from, &w);
}

/* ---- receiving ---- */

static void set_tunnel(struct gtpu *g, struct packet *p, const struct sockaddr_in *from,
                       uint32_t teid, uint8_t flags, uint8_t type)
{
    p->key.tunnel_id = htobe64(teid);
    p->key.tun_src = from->sin_addr.s_addr;
    p->key.tun_dst = g->tunnel.local.sin_addr.s_addr;
    p->key.tun_gtpu_flags = flags;
    p->key.tun_gtpu_msgtype = type;
}

/* A G-PDU becomes the Ethernet frame that the tables see; the 14 bytes before the user's packet are
 * the tunnel's. */
static bool take_user_packet(struct worker *w, struct gtpu *g, struct packet *p,
                             const struct tunnel_peer *from, struct bytes payload, uint32_t teid)
{
    uint8_t flags = p->data[0], version = payload.len ? payload.at[0] >> 4 : 0;
    size_t before = (size_t)(payload.at - p->data);

    port_count_in(w, g->tunnel.port, p->len);
    if (version != 4 && version != 6) {
        port_drop_in(w, g->tunnel.port, PORT_DROP_NOT_IP);
        return false;
    }
    p->data += before;
    p->len = (uint32_t)payload.len;
    if (!tunnel_take_ecn(p->data, p->len, from->ecn)) {
        port_drop_in(w, g->tunnel.port, PORT_DROP_CONGESTION);
        return false;
    }
    if (!packet_push(p, ETH_HEADER_SIZE))
        return false;
    memset(p->data, 0, 12);
    p->data[12] = version == 4 ? 0x08 : 0x86;
    p->data[13] = version == 4 ? 0x00 : 0xdd;
    packet_enter(p, g->tunnel.port->number);
    set_tunnel(g, p, &from->address, teid, flags, GTPU_G_PDU);
    return true;
}

/* Another message becomes a whole outer frame. */
static void take_signal(struct worker *worker, struct gtpu *g, struct packet *p,
                        const struct sockaddr_in *from, const struct gtpu_header *h)
{
    static const uint8_t nobody[6];
    uint8_t flags = p->data[0], *message = p->data;
    size_t len = p->len;
    struct net_ip ip = {.version = 4, .protocol = IP_UDP};
    struct writer w;

    count(&gtpu_counters.signals_in);
    if (!g->signal || !packet_push(p, OUTER_SIZE)) {
        port_drop_in(worker, g->tunnel.port, PORT_DROP_NO_SIGNAL);
        packet_free(p);
        return;
    }
    port_count_in(worker, g->signal, (uint32_t)len);
    ip.src = net_address_v4(from->sin_addr);
    ip.dst = net_address_v4(g->tunnel.local.sin_addr);
    w = writer_of(p->data, OUTER_SIZE + len);
    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV4);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, ntohs(from->sin_port), ntohs(g->tunnel.local.sin_port));
    w.at = message + len; /* the message lies there already */
    net_ip_end(&w, begun);
    packet_enter(p, g->signal->number);
    set_tunnel(g, p, from, h->teid, flags, h->type);
    pipeline_burst(worker, g->signal, &p, 1);
}

/* Anything that is no plain G-PDU. True when it is a user's packet after all, with optional header
 * octets; otherwise it was dealt with. What came before it goes first: an End Marker stays behind
 * the packets that it ends. */
static bool take_other(struct worker *w, struct gtpu *g, struct tunnel_burst *b, struct packet *p,
                       const struct sockaddr_in *from, struct gtpu_header *h)
{
    if (gtpu_read(packet_bytes(p), h) < 0) {
        port_drop_in(w, g->tunnel.port, PORT_DROP_MALFORMED);
    } else if (gtpu_unsupported_extension(h, extension_is_known)) {
        notify_extensions(w, g, from, h);
    } else if (h->type == GTPU_G_PDU) {
        return true;
    } else if (h->type == GTPU_ECHO_REQUEST) {
        answer_echo(w, g, from, h);
    } else {
        tunnel_burst_run(w, b);
        take_signal(w, g, p, from, h);
        return false;
    }
    packet_free(p);
    return false;
}

static void gtpu_take(struct worker *w, struct tunnel *t, struct tunnel_burst *b, struct packet *p,
                      const struct tunnel_peer *from)
{
    struct gtpu *g = (struct gtpu *)t;
    const uint8_t *at = p->data;
    struct bytes payload;
    struct gtpu_header h;
    uint32_t teid;

    if (p->len >= GTPU_HEADER_SIZE && at[0] == 0x30 && at[1] == GTPU_G_PDU &&
        (size_t)(at[2] << 8 | at[3]) == p->len - GTPU_HEADER_SIZE) {
        payload = bytes_of(at + GTPU_HEADER_SIZE, p->len - GTPU_HEADER_SIZE);
        teid = (uint32_t)at[4] << 24 | (uint32_t)at[5] << 16 | (uint32_t)at[6] << 8 | at[7];
    } else if (take_other(w, g, b, p, &from->address, &h)) {
        payload = h.payload;
        teid = h.teid;
    } else {
        return;
    }
    if (take_user_packet(w, g, p, from, payload, teid))
        tunnel_burst_add(w, b, t->port, p);
    else
        packet_free(p);
}

static bool gtpu_poll(struct worker *w, struct port *p, unsigned queue)
{
    return tunnel_poll(w, p->private, p->queue_fds[queue]);
}

/* ---- sending ---- */

static void gtpu_send(struct worker *w, struct port *p, struct packet **packets, unsigned queued)
{
    struct gtpu *g = p->private;
    struct tunnel_out out;

    tunnel_out_begin(&out, w, &g->tunnel, p);
    for (unsigned i = 0; i < queued; i++) {
        struct packet *packet = packets[i];
        struct tunnel_datagram d = {
            .packet = packet,
            .at = packet->data + packet->l3 - GTPU_HEADER_SIZE,
            .len = GTPU_HEADER_SIZE + (size_t)packet->l3_len,
            .to = packet->key.tun_dst,
            .port = htons(GTPU_PORT),
            .tos = (uint8_t)(packet->key.ip_dscp << 2 | packet->key.ip_ecn),
            .inner = true,
        };

        if (!packet->l3_len) {
            tunnel_out_drop(&out, packet, PORT_DROP_NOT_IP);
        } else if (!d.to) {
            tunnel_out_drop(&out, packet, PORT_DROP_NO_TUNNEL);
        } else if (packet->l3_len > p->mtu) {
            tunnel_out_drop(&out, packet, PORT_DROP_TOO_LARGE);
        } else {
            gtpu_write_g_pdu_header(d.at, (uint32_t)of_key_get(&packet->key, OF_TUNNEL_ID),
                                    packet->l3_len);
            tunnel_out_add(&out, &d);
        }
    }
    tunnel_out_end(&out);
}

/* Users' packets that were sent before go first. */
static void signal_send(struct worker *w, struct port *p, struct packet **packets, unsigned queued)
{
    struct gtpu *g = p->private;
    struct tunnel_out out;

    worker_send(w, g->tunnel.port);
    tunnel_out_begin(&out, w, &g->tunnel, p);
    for (unsigned i = 0; i < queued; i++) {
        struct packet *packet = packets[i];
        size_t header = (size_t)packet->l4 + UDP_SIZE - packet->l3;
        struct tunnel_datagram d = {
            .packet = packet,
            .at = packet->data + packet->l3 + header,
            .len = packet->l3_len - header,
            .to = packet->key.ipv4_dst,
            .port = packet->key.l4_dst ? packet->key.l4_dst : htons(GTPU_PORT),
            .src_port = ntohs(g->tunnel.local.sin_port),
        };

        if (packet->key.eth_type != htons(ETH_TYPE_IPV4) || packet->key.ip_proto != IP_UDP ||
            !packet->l4 || packet->l3_len < header) {
            tunnel_out_drop(&out, packet, PORT_DROP_NOT_IP);
            continue;
        }
        count(&gtpu_counters.signals_out);
        tunnel_out_add(&out, &d);
    }
    tunnel_out_end(&out);
}

/* ---- opening ---- */

/* The signal port of a gtpu port that is gone. */
static void take_orphan(struct port *p, struct gtpu *g)
{
    for (size_t i = 0; i < MAX_PORTS && !g->signal; i++) {
        struct port *signal = p->dp->ports[i];

        if (signal && signal->driver == &gtpu_signal_driver && !signal->private) {
            g->signal = signal;
            __atomic_store_n(&signal->private, g, __ATOMIC_RELEASE);
        }
    }
}

static int gtpu_open(struct port *p)
{
    struct gtpu *g = calloc(1, sizeof(*g));
    int err;

    if (!g)
        return -ENOMEM;
    g->tunnel.take = gtpu_take;
    g->tunnel.header_size = GTPU_HEADER_SIZE;
    p->private = g;
    if ((err = tunnel_open(&g->tunnel, p, GTPU_PORT)) < 0) {
        free(g);
        return err;
    }
    take_orphan(p, g);
    return 0;
}

static void gtpu_close(struct port *p)
{
    struct gtpu *g = p->private;

    if (g->signal)
        __atomic_store_n(&g->signal->private, NULL, __ATOMIC_RELAXED);
    tunnel_close(&g->tunnel);
    reclaim_synchronize(); /* who sent by the signal port */
    free(g);
}

/* It belongs to the gtpu port that has none yet. */
static int signal_open(struct port *p)
{
    for (size_t i = 0; i < MAX_PORTS; i++) {
        struct port *user = p->dp->ports[i];
        struct gtpu *g = user && user->driver == &gtpu_driver ? user->private : NULL;

        if (g && !g->signal) {
            g->signal = p;
            p->private = g;
            return 0;
        }
    }
    log_error("switch.ports: %s: there is no port of type gtpu for it", p->name);
    return -EINVAL;
}

static void signal_close(struct port *p)
{
    struct gtpu *g = p->private;

    if (g)
        g->signal = NULL;
}

static void signal_send_if_open(struct worker *w, struct port *p, struct packet **packets,
                                unsigned queued)
{
    if (p->private)
        signal_send(w, p, packets, queued);
    else
        packets_free(packets, queued);
}

const struct port_driver gtpu_driver = {
    .name = "gtpu",
    .open = gtpu_open,
    .close = gtpu_close,
    .poll = gtpu_poll,
    .send = gtpu_send,
    .unmatched = gtpu_unmatched,
};

const struct port_driver gtpu_signal_driver = {
    .name = "gtpu_signal",
    .open = signal_open,
    .close = signal_close,
    .send = signal_send_if_open,
};
