/*
 * port_tap.c -- ports that make an interface of their own: TAP and TUN (link/tap_queue.h).
 *
 * The interface has a queue for each worker; the kernel spreads what it sends by flow. It hands
 * over packets of up to 64 KiB that are not cut and not summed, and takes such: they are finished
 * here only for ports that can not do the same (finish.c).
 *
 * A TUN carries IP packets without Ethernet. In the switch they have an Ethernet header with zero
 * addresses, put on and taken off here, so that the same flows work whatever the port is.
 */
#include <errno.h>
#include <stdlib.h>

#include "link/tap_queue.h"
#include "switch/port_interface.h"

#define BURSTS_PER_TURN 4 /* then other ports have their turn */

struct tap {
    struct interface interface;
    struct tap_queue queues[PORT_RX_QUEUES];
};

static bool is_tun(const struct port *p)
{
    return p->config->type == SWITCH_PORT_TUN;
}

static void tap_close(struct port *p)
{
    struct tap *t = p->private;

    for (unsigned q = 0; q < p->queues; q++)
        tap_queue_close(&t->queues[q]);
    interface_free(p);
}

static int open_queues(struct port *p, int netns)
{
    struct tap *t = p->private;
    unsigned wanted = p->dp->worker_count > 2 ? p->dp->worker_count - 1 : 1;

    while (p->queues < wanted && p->queues < PORT_RX_QUEUES) {
        struct tap_queue *q = &t->queues[p->queues];
        int err = tap_queue_open(q, !is_tun(p), interface_name(p), netns, p->config->mtu);

        if (err < 0 && p->queues > 0)
            break; /* an interface that somebody made for one queue */
        if (err < 0)
            return err;
        p->queue_fds[p->queues++] = q->fd;
    }
    p->finishes_checksums = p->cuts = t->queues[0].offloads;
    return 0;
}

static int tap_open(struct port *p)
{
    int netns, err;

    if (!interface_new(p, sizeof(struct tap), &netns, &err))
        return err;
    if ((err = open_queues(p, netns)) < 0 || (err = interface_watch(p, netns)) < 0) {
        tap_close(p);
        return err;
    }
    if (is_tun(p))
        memset(p->mac, 0, sizeof(p->mac));
    return 0;
}

/* Puts an Ethernet header of zeros and the packet's type before an IP packet. */
static bool dress(struct packet *p)
{
    uint8_t version = p->len ? p->data[0] >> 4 : 0;

    if ((version != 4 && version != 6) || !packet_push(p, ETH_HEADER_SIZE))
        return false;
    memset(p->data, 0, 12);
    p->data[12] = version == 4 ? 0x08 : 0x86;
    p->data[13] = version == 4 ? 0x00 : 0xdd;
    packet_shift_offload(p, ETH_HEADER_SIZE);
    return true;
}

/* One packet, which may be of any size: read where there is room for the largest, and given a
 * buffer that fits. NULL: none came (*more false), or it was lost. */
static struct packet *take(struct worker *w, struct port *p, struct tap_queue *q, bool *more)
{
    struct offload offload = {0};
    int n = tap_queue_receive(q, w->scratch, TAP_QUEUE_ROOM, &offload);
    struct packet *packet;

    *more = n > 0 || n == -EMSGSIZE || n == -EBADMSG;
    if (n <= 0) {
        if (*more)
            port_drop_in(w, p, n == -EMSGSIZE ? PORT_DROP_TOO_LARGE : PORT_DROP_MALFORMED);
        return NULL;
    }
    packet = packet_copy_of(bytes_of(w->scratch, (size_t)n));
    if (!packet) {
        port_drop_in(w, p, PORT_DROP_QUEUE);
        return NULL;
    }
    packet->offload = offload;
    if (is_tun(p) && !dress(packet)) {
        port_lose_in(w, p, PORT_DROP_NOT_IP, packet);
        packet_free(packet);
        return NULL;
    }
    return packet;
}

/* True when a whole burst came. */
static bool tap_burst(struct worker *w, struct port *p, struct tap_queue *q)
{
    struct packet *packets[BURST];
    bool more = true;
    size_t count = 0;

    for (unsigned i = 0; i < BURST && more; i++) {
        struct packet *packet = take(w, p, q, &more);

        if (!packet)
            continue;
        port_count_in(w, p, packet->len);
        packet_enter(packet, p->number);
        packets[count++] = packet;
    }
    if (count)
        pipeline_burst(w, p, packets, count);
    return more;
}

static bool tap_poll(struct worker *w, struct port *p, unsigned queue)
{
    struct tap *t = p->private;

    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (!tap_burst(w, p, &t->queues[queue]))
            return false;
        worker_flush(w);
    }
    return true;
}

static void send_one(struct worker *w, struct port *p, struct tap_queue *q, struct packet *packet)
{
    size_t skip = is_tun(p) ? packet->l3 : 0, len = is_tun(p) ? packet->l3_len : packet->len;
    int err;

    if (len == 0) {
        port_lose_out(w, p, PORT_DROP_NOT_IP, packet);
        return;
    }
    packet_shift_offload(packet, -(int)skip);
    err = tap_queue_send(q, packet->data + skip, len, &packet->offload);
    if (err == 0)
        port_count_out(w, p, (uint32_t)len);
    else if (err == -EAGAIN)
        port_lose_out(w, p, PORT_DROP_QUEUE, packet);
    else
        counter_add(&port_counters_of(w, p)->tx_errors, 1);
}

static void tap_send(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    struct tap *t = p->private;
    struct tap_queue *q = &t->queues[w->index % p->queues];

    for (unsigned i = 0; i < count; i++)
        send_one(w, p, q, packets[i]);
    packets_free(packets, count);
}

const struct port_driver tap_driver = {
    .name = "tap",
    .open = tap_open,
    .close = tap_close,
    .poll = tap_poll,
    .send = tap_send,
    .refresh = interface_refresh,
};
