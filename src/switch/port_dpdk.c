/*
 * port_dpdk.c -- ports on devices that DPDK drives (link/dpdk_device.h): cards, virtual functions,
 * DPDK's virtual devices.
 *
 * Nothing calls for a receive queue, so the worker that has one never sleeps. Any worker sends, by
 * the queue of its own number; a device that has fewer send queues than there are workers has two
 * of them meet there, so each is guarded: one uncontended lock for a burst.
 *
 * A packet is copied when it comes and when it goes. What its sender left to be done is the
 * device's work as far as it does such, for IP behind Ethernet and at most one tag; the rest is
 * finished here (finish.c).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "link/dpdk_device.h"
#include "switch/worker.h"

#define BURSTS_PER_TURN 4 /* then other ports have their turn */
#define TAGS            2 /* that a frame may have beyond the MTU */

_Static_assert(BURST <= DPDK_BURST, "a burst of ours is one of DPDK's");

struct dpdk_port {
    struct dpdk_device *device;
    unsigned tx_queues;
    bool sums, cuts;
    uint32_t longest;
    pthread_spinlock_t sending[DPDK_QUEUES];
};

/* ---- receiving ---- */

static struct packet *take(struct worker *w, struct port *p, struct dpdk_frame *frame)
{
    struct packet *packet = packet_new_for(frame->len);

    if (!packet) {
        port_drop_in(w, p, frame->len > PACKET_MOST ? PORT_DROP_TOO_LARGE : PORT_DROP_QUEUE);
        dpdk_take(frame, NULL);
        return NULL;
    }
    packet->len = frame->len;
    dpdk_take(frame, packet->data);
    port_count_in(w, p, packet->len);
    packet_enter(packet, p->number);
    return packet;
}

static unsigned dpdk_burst(struct worker *w, struct port *p, unsigned queue)
{
    struct dpdk_port *d = p->private;
    struct dpdk_frame frames[BURST];
    struct packet *packets[BURST];
    unsigned n = dpdk_receive(d->device, queue, frames, BURST);
    size_t count = 0;

    for (unsigned i = 0; i < n; i++)
        if ((packets[count] = take(w, p, &frames[i])))
            count++;
    if (count)
        pipeline_burst(w, p, packets, count);
    return n;
}

static bool dpdk_poll(struct worker *w, struct port *p, unsigned queue)
{
    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (dpdk_burst(w, p, queue) < BURST)
            return false;
        worker_flush(w);
    }
    return true;
}

/* ---- sending ---- */

struct batch {
    struct worker *w;
    struct port *port;
    unsigned count;
    struct packet *packets[PORT_QUEUE];
};

/* Is what is left to be done of it what the device does, and is the packet as simple as that? */
static bool device_finishes(const struct dpdk_port *d, const struct packet *p)
{
    const struct offload *o = &p->offload;
    bool ipv4 = p->key.eth_type == htons(ETH_TYPE_IPV4);
    bool tcp = p->key.ip_proto == IP_TCP && o->csum_offset == offsetof(struct tcp_header, checksum);
    bool udp = p->key.ip_proto == IP_UDP && o->csum_offset == offsetof(struct udp_header, checksum);
    size_t ip = ipv4 ? IPV4_MIN_SIZE : IPV6_SIZE;

    if (!packet_is_unfinished(p))
        return true;
    if (!(ipv4 || p->key.eth_type == htons(ETH_TYPE_IPV6)) || !(tcp || udp) || p->vlan_tags > 1 ||
        p->l3 != p->ip_at || p->l4 != o->csum_start || p->l4 != p->l3 + ip)
        return false;
    if (o->gso_type == OFFLOAD_GSO_NONE)
        return d->sums;
    return d->cuts && tcp && !o->ecn &&
           o->gso_type == (ipv4 ? OFFLOAD_GSO_TCPV4 : OFFLOAD_GSO_TCPV6);
}

static struct dpdk_packet describe(const struct packet *p)
{
    struct dpdk_packet frame = {.at = p->data, .len = p->len};

    if (!packet_is_unfinished(p))
        return frame;
    frame.sum = true;
    frame.udp = p->key.ip_proto == IP_UDP;
    frame.ipv6 = p->key.eth_type == htons(ETH_TYPE_IPV6);
    frame.l2 = p->l3;
    frame.l3 = (uint16_t)(p->l4 - p->l3);
    if (p->offload.gso_type != OFFLOAD_GSO_NONE) {
        frame.gso_size = p->offload.gso_size;
        frame.l4 = (uint16_t)(p->offload.header_len - p->l4);
    }
    return frame;
}

static bool fits(const struct port *p, const struct packet *packet)
{
    const struct dpdk_port *d = p->private;
    size_t headers = ETH_HEADER_SIZE + TAGS * VLAN_TAG_SIZE, len = packet->len;

    if (packet->offload.gso_type != OFFLOAD_GSO_NONE)
        len = (size_t)packet->offload.header_len + packet->offload.gso_size;
    return packet->len <= d->longest && len <= p->mtu + headers;
}

static void send_batch(struct batch *b)
{
    struct dpdk_port *d = b->port->private;
    struct dpdk_packet frames[PORT_QUEUE];
    unsigned queue = b->w->index % d->tx_queues, sent;

    if (b->count == 0)
        return;
    for (unsigned i = 0; i < b->count; i++)
        frames[i] = describe(b->packets[i]);
    pthread_spin_lock(&d->sending[queue]);
    sent = dpdk_send(d->device, queue, frames, b->count);
    pthread_spin_unlock(&d->sending[queue]);
    for (unsigned i = 0; i < b->count; i++) {
        if (i < sent)
            port_count_out(b->w, b->port, frames[i].len);
        else
            port_drop_out(b->w, b->port, PORT_DROP_QUEUE);
    }
    packets_free(b->packets, b->count);
    b->count = 0;
}

static void add_to_batch(struct packet *p, void *context)
{
    struct batch *b = context;

    if (!fits(b->port, p)) {
        port_drop_out(b->w, b->port, PORT_DROP_TOO_LARGE);
        packet_free(p);
        return;
    }
    if (b->count == PORT_QUEUE)
        send_batch(b);
    b->packets[b->count++] = p;
}

static void dpdk_output(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    const struct dpdk_port *d = p->private;
    struct batch b = {.w = w, .port = p, .count = 0};

    for (unsigned i = 0; i < count; i++)
        if (device_finishes(d, packets[i]))
            add_to_batch(packets[i], &b);
        else if (!packet_finish(packets[i], add_to_batch, &b))
            port_drop_out(w, p, PORT_DROP_UNFINISHED);
    send_batch(&b);
}

/* ---- opening, closing, what changes ---- */

static bool dpdk_refresh(struct port *p)
{
    const struct dpdk_port *d = p->private;
    struct dpdk_device_status s;
    uint32_t state;
    bool changed;

    dpdk_device_status(d->device, &s);
    state = s.up ? 0 : OFPPS_LINK_DOWN;
    changed = state != p->state || s.mtu != p->mtu;
    p->state = state;
    p->mtu = s.mtu;
    port_note_kernel_loss(p, s.lost);
    return changed;
}

static void dpdk_close(struct port *p)
{
    struct dpdk_port *d = p->private;

    dpdk_device_close(d->device);
    for (unsigned q = 0; q < d->tx_queues; q++)
        pthread_spin_destroy(&d->sending[q]);
    free(d);
    p->private = NULL;
}

static void learn_device(struct port *p)
{
    struct dpdk_port *d = p->private;
    struct dpdk_device_status s;

    dpdk_device_status(d->device, &s);
    d->tx_queues = s.tx_queues;
    d->sums = s.sums;
    d->cuts = s.cuts;
    d->longest = s.longest;
    for (unsigned q = 0; q < d->tx_queues; q++)
        pthread_spin_init(&d->sending[q], PTHREAD_PROCESS_PRIVATE);
    memcpy(p->mac, s.mac, sizeof(p->mac));
    p->queues = s.rx_queues; /* without descriptors */
    p->finishes_checksums = p->cuts = true;
    log_info("port %s: DPDK %s, %u receive and %u send queues%s%s", p->name, s.driver, s.rx_queues,
             s.tx_queues, s.sums ? ", checksums" : "", s.cuts ? ", segmentation" : "");
}

static int dpdk_open(struct port *p)
{
    const struct switch_port_config *c = p->config;
    const struct dpdk_device_config config = {.device = c->device,
                                              .rx_queues = c->queues,
                                              .tx_queues = p->dp->worker_count,
                                              .mtu = c->mtu};
    struct dpdk_port *d;
    int err;

    if (!c->device || c->queues > PORT_RX_QUEUES)
        return -EINVAL;
    if ((err = dpdk_start(p->dp->dpdk_arguments, p->dp->dpdk_argument_count)) < 0)
        return err;
    if (!(d = calloc(1, sizeof(*d))))
        return -ENOMEM;
    if ((err = dpdk_device_open(&d->device, &config)) < 0) {
        free(d);
        return err;
    }
    p->private = d;
    learn_device(p);
    (void)dpdk_refresh(p);
    return 0;
}

const struct port_driver dpdk_driver = {
    .name = "dpdk",
    .in_memory = true,
    .open = dpdk_open,
    .close = dpdk_close,
    .poll = dpdk_poll,
    .send = dpdk_output,
    .refresh = dpdk_refresh,
};
