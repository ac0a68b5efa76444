/*
 * tunnel.c -- see tunnel.h: the kernel's sockets, and what does not depend on the way.
 */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "switch/tunnel.h"
#include "switch/underlay.h"

#define BURSTS_PER_TURN 8

/* ---- bursts ---- */

/* The pipeline may come back here by patch ports: it finds the burst empty. And this may be within
 * another burst, which goes on with the version that it began with. */
void tunnel_burst_run(struct worker *w, struct tunnel_burst *b)
{
    struct packet *packets[BURST];
    uint64_t version = w->version;
    size_t count = b->count;

    if (count == 0)
        return;
    memcpy(packets, b->packets, count * sizeof(struct packet *));
    b->count = 0;
    pipeline_burst(w, b->port, packets, count);
    w->version = version;
}

void tunnel_burst_add(struct worker *w, struct tunnel_burst *b, struct port *port, struct packet *p)
{
    if (b->count == BURST || (b->count && b->port != port))
        tunnel_burst_run(w, b);
    b->port = port;
    b->packets[b->count++] = p;
}

/* ---- congestion marks ---- */

enum ecn { NOT_ECT, ECT_1, ECT_0, CE };

/* By inner and outer mark (RFC 6040 figure 4); 4: drop. */
static const uint8_t inner_mark[4][4] = {
    [NOT_ECT] = {NOT_ECT, NOT_ECT, NOT_ECT, 4},
    [ECT_1] = {ECT_1, ECT_1, ECT_1, CE},
    [ECT_0] = {ECT_0, ECT_1, ECT_0, CE},
    [CE] = {CE, CE, CE, CE},
};

bool tunnel_take_ecn(uint8_t *ip, size_t len, uint8_t outer)
{
    uint8_t version = len >= IPV4_MIN_SIZE ? ip[0] >> 4 : 0, inner, mark;

    if (version != 4 && version != 6)
        return true;
    inner = version == 4 ? ip[1] & 3 : ip[1] >> 4 & 3;
    mark = inner_mark[inner][outer & 3];
    if (mark == 4)
        return false;
    if (mark == inner)
        return true;
    if (version == 6) {
        ip[1] = (uint8_t)((ip[1] & 0xcf) | mark << 4);
    } else {
        struct ipv4_header *h = (void *)ip;
        uint8_t was[2] = {ip[0], ip[1]};
        be16 checksum = h->checksum;

        ip[1] = (uint8_t)((ip[1] & 0xfc) | mark);
        net_checksum_replace(&checksum, was, ip, 2);
        h->checksum = checksum;
    }
    return true;
}

bool tunnel_may_answer(struct tunnel *t, uint32_t per_second, uint64_t now_us)
{
    uint64_t full = __atomic_load_n(&t->full, __ATOMIC_RELAXED), next;

    if (per_second == 0)
        return false;
    do {
        next = (full > now_us ? full : now_us) + 1000000 / per_second;
        if (next - now_us > 1000000)
            return false;
    } while (!__atomic_compare_exchange_n(&t->full, &full, next, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

/* ---- receiving by sockets ---- */

static int receive_burst(struct worker *w, struct tunnel *t, int fd)
{
    struct packet *packets[BURST];
    struct mmsghdr messages[BURST];
    struct tunnel_peer from[BURST];
    struct iovec iov[BURST];
    struct tunnel_burst b = {.count = 0};
    int room = 0, n;

    for (; room < (int)BURST && (packets[room] = packet_new()); room++) {
        iov[room] = (struct iovec){packets[room]->data, PACKET_ROOM};
        from[room].ecn = 0;
        messages[room].msg_hdr = (struct msghdr){.msg_name = &from[room].address,
                                                 .msg_namelen = sizeof(from[room].address),
                                                 .msg_iov = &iov[room],
                                                 .msg_iovlen = 1};
    }
    n = room ? recvmmsg(fd, messages, (unsigned)room, MSG_DONTWAIT, NULL) : 0;
    for (int i = 0; i < room; i++) {
        if (i >= n) {
            packet_free(packets[i]);
        } else if (messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
            port_drop_in(w, t->port, PORT_DROP_TOO_LARGE);
            packet_free(packets[i]);
        } else {
            packets[i]->len = messages[i].msg_len;
            t->take(w, t, &b, packets[i], &from[i]);
        }
    }
    tunnel_burst_run(w, &b);
    return n;
}

bool tunnel_poll(struct worker *w, struct tunnel *t, int fd)
{
    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (receive_burst(w, t, fd) < (int)BURST)
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

struct socket_burst {
    struct mmsghdr messages[PORT_QUEUE];
    struct sockaddr_in to[PORT_QUEUE];
    struct iovec iov[PORT_QUEUE];
    union control_room control[PORT_QUEUE];
};

static void fill_message(struct socket_burst *s, unsigned i, const struct tunnel_datagram *d)
{
    struct msghdr *m = &s->messages[i].msg_hdr;

    s->to[i] =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = d->port, .sin_addr.s_addr = d->to};
    s->iov[i] = (struct iovec){d->at, d->len};
    *m = (struct msghdr){.msg_name = &s->to[i],
                         .msg_namelen = sizeof(s->to[i]),
                         .msg_iov = &s->iov[i],
                         .msg_iovlen = 1};
    if (d->tos) {
        struct cmsghdr *c = &s->control[i].header;
        int value = d->tos;

        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_TOS;
        c->cmsg_len = CMSG_LEN(sizeof(value));
        memcpy(CMSG_DATA(c), &value, sizeof(value));
        m->msg_control = c;
        m->msg_controllen = sizeof(s->control[i]);
    }
}

static void send_messages(struct tunnel_out *out, struct socket_burst *s)
{
    struct worker *w = out->w;
    unsigned done = 0;

    while (done < out->count) {
        int n = sendmmsg(out->tunnel->fd, s->messages + done, out->count - done, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
            for (; done < out->count; done++)
                port_drop_out(w, out->port, PORT_DROP_QUEUE);
            return;
        }
        if (n <= 0) { /* no route, not allowed: the first one's fault */
            counter_add(&port_counters_of(w, out->port)->tx_errors, 1);
            done++;
            continue;
        }
        for (int i = 0; i < n; i++)
            port_count_out(w, out->port, (uint32_t)s->iov[done + (unsigned)i].iov_len);
        done += (unsigned)n;
    }
}

void tunnel_out_end(struct tunnel_out *out)
{
    struct socket_burst s;

    if (out->tunnel->underlay) {
        for (unsigned i = 0; i < out->count; i++)
            underlay_send(out->w, out->tunnel, out->port, &out->datagrams[i]);
        return;
    }
    for (unsigned i = 0; i < out->count; i++)
        fill_message(&s, i, &out->datagrams[i]);
    send_messages(out, &s);
    for (unsigned i = 0; i < out->count; i++)
        packet_free(out->datagrams[i].packet);
}

static void answer_by_underlay(struct worker *w, struct tunnel *t, const struct sockaddr_in *to,
                               struct bytes message)
{
    struct packet *p = packet_copy_of(message);
    struct tunnel_datagram d = {.packet = p,
                                .len = message.len,
                                .to = to->sin_addr.s_addr,
                                .port = to->sin_port,
                                .src_port = ntohs(t->local.sin_port)};

    if (!p)
        return;
    d.at = p->data;
    packet_enter(p, 0);
    underlay_send(w, t, t->port, &d);
}

void tunnel_answer(struct worker *w, struct tunnel *t, const struct sockaddr_in *to,
                   struct bytes message)
{
    if (t->underlay)
        answer_by_underlay(w, t, to, message);
    else if (sendto(t->fd, message.at, message.len, MSG_DONTWAIT, (const struct sockaddr *)to,
                    sizeof(*to)) < 0)
        counter_add(&port_counters_of(w, t->port)->tx_errors, 1);
}

/* ---- opening ---- */

static int open_socket(const struct sockaddr_in *local)
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
    if (bind(fd, (const struct sockaddr *)local, sizeof(*local)) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static void close_sockets(struct port *p)
{
    for (unsigned q = 0; q < p->queues; q++)
        close(p->queue_fds[q]);
    p->queues = 0;
}

static int open_sockets(struct tunnel *t, struct port *p)
{
    unsigned threads = p->dp->worker_count - 1;

    do {
        int fd = open_socket(&t->local);

        if (fd < 0) {
            close_sockets(p);
            return fd;
        }
        p->queue_fds[p->queues++] = fd;
    } while (p->queues < threads && p->queues < PORT_RX_QUEUES);
    t->fd = p->queue_fds[0];
    return 0;
}

int tunnel_open(struct tunnel *t, struct port *p, uint16_t udp_port)
{
    const struct switch_port_config *c = p->config;

    t->port = p;
    t->local = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons(c->udp_port ? c->udp_port : udp_port),
                                    .sin_addr = c->address};
    p->mtu = c->mtu ? c->mtu : UINT16_MAX;
    return c->underlay && *c->underlay ? underlay_join(t) : open_sockets(t, p);
}

void tunnel_close(struct tunnel *t)
{
    if (t->underlay)
        underlay_leave(t);
    else
        close_sockets(t->port);
}
