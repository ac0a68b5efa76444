/*
 * port_gtpu.c -- GTP-U tunnels as a port (TS 29.281 release 15; switch.h tells what controllers see
 * of it).
 *
 * One UDP socket at the configured address carries two ports: gtpu, whose packets are the users'
 * (G-PDU), and gtpu-signal, whose packets are all other messages as whole outer frames. A burst is
 * one recvmmsg() and one sendmmsg(). Headers are taken off and put on in place: 14 bytes of
 * Ethernet before the user's packet in the switch, 8 bytes of GTP-U outside.
 *
 * What the endpoint owes its peers without asking a controller is done here: Echo Response
 * (clause 7.2.2), Error Indication for unknown TEIDs (clause 7.3.1), Supported Extension Headers
 * Notification (clause 7.2.3). All are bounded: an answer to each request, the others at most so
 * many a second.
 *
 * With several workers there are as many sockets at the address; which of them a packet reaches,
 * the kernel decides by its addresses and ports, so a peer's packets stay in order. Any worker
 * sends by the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "switch/worker.h"
#include "wire/gtp/gtp.h"

#define OUTER_SIZE      (ETH_HEADER_SIZE + IPV4_MIN_SIZE + UDP_SIZE)
#define BURSTS_PER_TURN 8
#define ANSWER_SIZE     64

_Static_assert(OUTER_SIZE <= PACKET_HEADROOM, "an outer header fits before a message");

struct gtpu {
    struct port *user, *signal;
    int fd; /* to send by */
    struct sockaddr_in local;
    uint64_t full; /* time at which all answers that hostile packets could cause may be given again;
                      by all workers */
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
    if (message->bad)
        return;
    if (sendto(g->fd, message->start, wr_len(message), MSG_DONTWAIT, (const struct sockaddr *)to,
               sizeof(*to)) < 0)
        counter_add(&port_counters_of(w, g->user)->tx_errors, 1);
}

/* Up to a second's worth may be given at once. */
static bool may_answer(struct gtpu *g, uint64_t now_us)
{
    uint64_t full = __atomic_load_n(&g->full, __ATOMIC_RELAXED), next;

    if (limit.per_second == 0)
        return false;
    do {
        next = (full > now_us ? full : now_us) + 1000000 / limit.per_second;
        if (next - now_us > 1000000)
            return false;
    } while (!__atomic_compare_exchange_n(&g->full, &full, next, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
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
 * spoke. */
static void gtpu_unmatched(struct worker *worker, struct port *p, const struct packet *packet)
{
    struct gtpu *g = p->private;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(GTPU_PORT)};
    struct gtpu_error_indication error = {.teid = (uint32_t)of_key_get(&packet->key, OF_TUNNEL_ID)};
    uint8_t buffer[ANSWER_SIZE];
    struct writer w = writer_of(buffer, sizeof(buffer));

    if (!tables_know_anything(&p->dp->tables))
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
    p->key.tun_dst = g->local.sin_addr.s_addr;
    p->key.tun_gtpu_flags = flags;
    p->key.tun_gtpu_msgtype = type;
}

/* A G-PDU becomes the Ethernet frame that the tables see; the 14 bytes before the user's packet are
 * the tunnel's. */
static bool take_user_packet(struct worker *w, struct gtpu *g, struct packet *p,
                             const struct sockaddr_in *from, struct bytes payload, uint32_t teid)
{
    uint8_t flags = p->data[0], version = payload.len ? payload.at[0] >> 4 : 0;
    size_t before = (size_t)(payload.at - p->data);

    port_count_in(w, g->user, p->len);
    if (version != 4 && version != 6) {
        port_drop_in(w, g->user, PORT_DROP_NOT_IP);
        return false;
    }
    p->data += before;
    p->len = (uint32_t)payload.len;
    if (!packet_push(p, ETH_HEADER_SIZE))
        return false;
    memset(p->data, 0, 12);
    p->data[12] = version == 4 ? 0x08 : 0x86;
    p->data[13] = version == 4 ? 0x00 : 0xdd;
    packet_enter(p, g->user->number);
    set_tunnel(g, p, from, teid, flags, GTPU_G_PDU);
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
        port_drop_in(worker, g->user, PORT_DROP_NO_SIGNAL);
        packet_free(p);
        return;
    }
    port_count_in(worker, g->signal, (uint32_t)len);
    ip.src = net_address_v4(from->sin_addr);
    ip.dst = net_address_v4(g->local.sin_addr);
    w = writer_of(p->data, OUTER_SIZE + len);
    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV4);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, ntohs(from->sin_port), ntohs(g->local.sin_port));
    w.at = message + len; /* the message lies there already */
    net_ip_end(&w, begun);
    packet_enter(p, g->signal->number);
    set_tunnel(g, p, from, h->teid, flags, h->type);
    pipeline_burst(worker, g->signal, &p, 1);
}

/* The users' packets of one burst, before they enter the tables. */
struct burst {
    struct packet *packets[BURST];
    size_t count;
};

static void burst_run(struct worker *w, struct gtpu *g, struct burst *b)
{
    if (b->count)
        pipeline_burst(w, g->user, b->packets, b->count);
    b->count = 0;
}

/* Anything that is no plain G-PDU. True when it is a user's packet after all, with optional header
 * octets; otherwise it was dealt with. What came before it goes first: an End Marker stays behind
 * the packets that it ends. */
static bool take_other(struct worker *w, struct gtpu *g, struct burst *b, struct packet *p,
                       const struct sockaddr_in *from, struct gtpu_header *h)
{
    if (gtpu_read(packet_bytes(p), h) < 0) {
        port_drop_in(w, g->user, PORT_DROP_MALFORMED);
    } else if (gtpu_unsupported_extension(h, extension_is_known)) {
        notify_extensions(w, g, from, h);
    } else if (h->type == GTPU_G_PDU) {
        return true;
    } else if (h->type == GTPU_ECHO_REQUEST) {
        answer_echo(w, g, from, h);
    } else {
        burst_run(w, g, b);
        take_signal(w, g, p, from, h);
        return false;
    }
    packet_free(p);
    return false;
}

static void take(struct worker *w, struct gtpu *g, struct burst *b, struct packet *p,
                 const struct sockaddr_in *from)
{
    const uint8_t *at = p->data;
    struct bytes payload;
    struct gtpu_header h;
    uint32_t teid;

    if (p->len >= GTPU_HEADER_SIZE && at[0] == 0x30 && at[1] == GTPU_G_PDU &&
        (size_t)(at[2] << 8 | at[3]) == p->len - GTPU_HEADER_SIZE) {
        payload = bytes_of(at + GTPU_HEADER_SIZE, p->len - GTPU_HEADER_SIZE);
        teid = (uint32_t)at[4] << 24 | (uint32_t)at[5] << 16 | (uint32_t)at[6] << 8 | at[7];
    } else if (take_other(w, g, b, p, from, &h)) {
        payload = h.payload;
        teid = h.teid;
    } else {
        return;
    }
    if (take_user_packet(w, g, p, from, payload, teid))
        b->packets[b->count++] = p;
    else
        packet_free(p);
}

static int gtpu_burst(struct worker *w, struct gtpu *g, int fd)
{
    struct packet *packets[BURST];
    struct mmsghdr messages[BURST];
    struct sockaddr_in from[BURST];
    struct iovec iov[BURST];
    struct burst b = {.count = 0};
    int room = 0, n;

    for (; room < (int)BURST && (packets[room] = packet_new()); room++) {
        iov[room] = (struct iovec){packets[room]->data, PACKET_ROOM};
        messages[room].msg_hdr = (struct msghdr){.msg_name = &from[room],
                                                 .msg_namelen = sizeof(from[room]),
                                                 .msg_iov = &iov[room],
                                                 .msg_iovlen = 1};
    }
    n = room ? recvmmsg(fd, messages, (unsigned)room, MSG_DONTWAIT, NULL) : 0;
    for (int i = 0; i < room; i++) {
        if (i >= n) {
            packet_free(packets[i]);
        } else if (messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            port_drop_in(w, g->user, PORT_DROP_TOO_LARGE);
            packet_free(packets[i]);
        } else {
            packets[i]->len = messages[i].msg_len;
            take(w, g, &b, packets[i], &from[i]);
        }
    }
    burst_run(w, g, &b);
    return n;
}

static bool gtpu_poll(struct worker *w, struct port *p, unsigned queue)
{
    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (gtpu_burst(w, p->private, p->queue_fds[queue]) < (int)BURST)
            return false;
        worker_flush(w);
    }
    return true;
}

/* ---- sending ---- */

union control_room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

struct datagrams {
    struct mmsghdr messages[PORT_QUEUE];
    struct sockaddr_in to[PORT_QUEUE];
    struct iovec iov[PORT_QUEUE];
    union control_room control[PORT_QUEUE];
    int count;
};

static void add_outgoing(struct datagrams *out, uint8_t *at, size_t len, be32 address, be16 port,
                         uint8_t tos)
{
    int i = out->count++;
    struct msghdr *m = &out->messages[i].msg_hdr;

    out->to[i] =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = address};
    out->iov[i] = (struct iovec){at, len};
    *m = (struct msghdr){.msg_name = &out->to[i],
                         .msg_namelen = sizeof(out->to[i]),
                         .msg_iov = &out->iov[i],
                         .msg_iovlen = 1};
    if (tos) {
        struct cmsghdr *c = &out->control[i].header;
        int value = tos;

        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_TOS;
        c->cmsg_len = CMSG_LEN(sizeof(value));
        memcpy(CMSG_DATA(c), &value, sizeof(value));
        m->msg_control = c;
        m->msg_controllen = sizeof(out->control[i]);
    }
}

static void send_all(struct worker *w, struct gtpu *g, struct port *p, struct datagrams *out)
{
    int done = 0;

    while (done < out->count) {
        int n = sendmmsg(g->fd, out->messages + done, (unsigned)(out->count - done), MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
            for (; done < out->count; done++)
                port_drop_out(w, p, PORT_DROP_QUEUE);
            return;
        }
        if (n <= 0) { /* no route, not allowed: the first one's fault */
            counter_add(&port_counters_of(w, p)->tx_errors, 1);
            done++;
            continue;
        }
        for (int i = 0; i < n; i++)
            port_count_out(w, p, (uint32_t)out->iov[done + i].iov_len);
        done += n;
    }
}

static void gtpu_send(struct worker *w, struct port *p, struct packet **packets, unsigned queued)
{
    struct gtpu *g = p->private;
    struct datagrams out;

    out.count = 0;
    for (unsigned i = 0; i < queued; i++) {
        struct packet *packet = packets[i];
        uint8_t *at = packet->data + packet->l3 - GTPU_HEADER_SIZE;

        if (!packet->l3_len) {
            port_drop_out(w, p, PORT_DROP_NOT_IP);
        } else if (!packet->key.tun_dst) {
            port_drop_out(w, p, PORT_DROP_NO_TUNNEL);
        } else {
            gtpu_write_g_pdu_header(at, (uint32_t)of_key_get(&packet->key, OF_TUNNEL_ID),
                                    packet->l3_len);
            add_outgoing(&out, at, GTPU_HEADER_SIZE + (size_t)packet->l3_len, packet->key.tun_dst,
                         htons(GTPU_PORT),
                         (uint8_t)(packet->key.ip_dscp << 2 | packet->key.ip_ecn));
        }
    }
    send_all(w, g, p, &out);
    packets_free(packets, queued);
}

/* Users' packets that were sent before go first. */
static void signal_send(struct worker *w, struct port *p, struct packet **packets, unsigned queued)
{
    struct gtpu *g = p->private;
    struct datagrams out;

    worker_send(w, g->user);
    out.count = 0;
    for (unsigned i = 0; i < queued; i++) {
        struct packet *packet = packets[i];
        size_t header = (size_t)packet->l4 + UDP_SIZE - packet->l3;

        if (packet->key.eth_type != htons(ETH_TYPE_IPV4) || packet->key.ip_proto != IP_UDP ||
            !packet->l4 || packet->l3_len < header) {
            port_drop_out(w, p, PORT_DROP_NOT_IP);
            continue;
        }
        count(&gtpu_counters.signals_out);
        add_outgoing(&out, packet->data + packet->l3 + header, packet->l3_len - header,
                     packet->key.ipv4_dst,
                     packet->key.l4_dst ? packet->key.l4_dst : htons(GTPU_PORT), 0);
    }
    send_all(w, g, p, &out);
    packets_free(packets, queued);
}

/* ---- opening ---- */

static int open_socket(const struct gtpu *g)
{
    int one = 1, room = 4 << 20, never = IP_PMTUDISC_DONT, err;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    /* TS 29.281 clause 4.4.2: what does not fit the path is fragmented outside. */
    (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never));
    if (bind(fd, (const struct sockaddr *)&g->local, sizeof(g->local)) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static void close_sockets(struct port *p)
{
    for (unsigned q = 0; q < p->queues; q++)
        close(p->queue_fds[q]);
}

static int gtpu_open(struct port *p)
{
    struct gtpu *g = calloc(1, sizeof(*g));
    unsigned threads = p->dp->worker_count - 1;

    if (!g)
        return -ENOMEM;
    g->user = p;
    g->local = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(p->config->udp_port ? p->config->udp_port : GTPU_PORT),
        .sin_addr = p->config->address};
    do {
        int fd = open_socket(g);

        if (fd < 0) {
            close_sockets(p);
            free(g);
            return fd;
        }
        p->queue_fds[p->queues++] = fd;
    } while (p->queues < threads && p->queues < PORT_RX_QUEUES);
    g->fd = p->queue_fds[0];
    p->private = g;
    p->mtu = UINT16_MAX;
    return 0;
}

static void gtpu_close(struct port *p)
{
    struct gtpu *g = p->private;

    if (g->signal)
        g->signal->private = NULL;
    close_sockets(p);
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
