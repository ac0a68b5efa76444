/*
 * port_xdp.c -- ports on interfaces that exist, by AF_XDP (link/xdp_queue.h): past the kernel's
 * stack, and without a copy where the driver can.
 *
 * The packet pool's memory is what all XDP queues receive into and send from: a packet that comes
 * in by one and leaves by another stays where it is. Packets are lent to the kernel: empty ones to
 * receive into, others until they have left; who has a packet stands in it, so that a port that
 * closes gets all of its back.
 *
 * Every receive queue of the interface is opened, and belongs to a worker. Any worker may send, by
 * the queue of its own number; a queue's sending side is guarded, as the loop's thread (PACKET_OUT)
 * and, with fewer queues than workers, others come there, too: one uncontended lock for a burst.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "link/xdp_queue.h"
#include "switch/port_interface.h"

#define BURSTS_PER_TURN 4   /* then other ports have their turn */
#define LENT            512 /* packets that a queue has to receive into */
#define LEND_AT_ONCE    64u

struct xdp_side {
    struct xdp_queue queue;
    unsigned lent; /* to receive into; the worker's own */
    pthread_spinlock_t sending;
};

struct xdp {
    struct interface interface;
    struct xdp_side sides[PORT_RX_QUEUES];
};

static void xdp_close(struct port *p)
{
    struct xdp *x = p->private;

    for (unsigned q = 0; q < p->queues; q++) {
        xdp_queue_close(&x->sides[q].queue);
        pthread_spin_destroy(&x->sides[q].sending);
    }
    packets_take_back(p->generation);
    interface_free(p);
}

static int open_queues(struct port *p, int netns)
{
    struct xdp *x = p->private;
    struct xdp_area area = {(void *)(uintptr_t)packet_pool_memory().at, packet_pool_memory().len,
                            PACKET_CHUNK, 0};
    int wanted = xdp_queue_count(interface_name(p), netns);

    if (wanted < 0)
        return wanted;
    while (p->queues < (unsigned)wanted && p->queues < PORT_RX_QUEUES) {
        struct xdp_side *side = &x->sides[p->queues];
        int err = xdp_queue_open(&side->queue, interface_name(p), netns, p->queues,
                                 (enum xdp_mode)p->config->xdp_mode, &area);

        if (err < 0)
            return err;
        pthread_spin_init(&side->sending, PTHREAD_PROCESS_PRIVATE);
        p->queue_fds[p->queues++] = side->queue.fd;
    }
    log_info("port %s: AF_XDP, %u queue%s, %s%s", p->name, p->queues, p->queues == 1 ? "" : "s",
             x->sides[0].queue.mode == XDP_MODE_GENERIC ? "generic" : "native",
             x->sides[0].queue.zero_copy ? ", zero-copy" : "");
    return 0;
}

/* Packets for the kernel to receive into. */
static void lend(struct port *p, struct xdp_side *side)
{
    while (side->lent < LENT) {
        uint64_t addresses[LEND_AT_ONCE];
        struct packet *packets[LEND_AT_ONCE];
        unsigned n = 0, taken;

        while (n < LEND_AT_ONCE && (packets[n] = packet_new())) {
            packets[n]->lent_to = p->generation;
            addresses[n] = packet_offset(packets[n]);
            n++;
        }
        taken = n ? xdp_queue_fill(&side->queue, addresses, n) : 0;
        side->lent += taken;
        for (unsigned i = taken; i < n; i++) {
            packets[i]->lent_to = 0;
            packet_free(packets[i]);
        }
        if (taken < LEND_AT_ONCE)
            return;
    }
}

static int xdp_open(struct port *p)
{
    struct xdp *x;
    int netns, err;

    if ((err = packet_pool_init(PACKET_POOL_DEFAULT)) < 0)
        return err;
    if (!(x = interface_new(p, sizeof(*x), &netns, &err)))
        return err;
    if ((err = interface_watch(p, netns)) < 0 || (err = open_queues(p, netns)) < 0) {
        xdp_close(p);
        return err;
    }
    for (unsigned q = 0; q < p->queues; q++)
        lend(p, &x->sides[q]);
    return 0;
}

/* How many came. */
static int xdp_burst(struct worker *w, struct port *p, struct xdp_side *side)
{
    const uint8_t *memory = packet_pool_memory().at;
    struct xdp_frame frames[BURST];
    struct packet *packets[BURST];
    int n = xdp_queue_receive(&side->queue, frames, BURST);
    size_t count = 0;

    for (int i = 0; i < n; i++) {
        struct packet *packet = packet_at_offset(frames[i].address);

        if (!packet)
            continue;
        packet->lent_to = 0;
        packet->data = (uint8_t *)(uintptr_t)memory + frames[i].address;
        packet->len = frames[i].len;
        packet->offload = (struct offload){0};
        port_count_in(w, p, packet->len);
        packet_enter(packet, p->number);
        packets[count++] = packet;
    }
    if (n > 0)
        side->lent -= (unsigned)n;
    if (side->lent < LENT - LEND_AT_ONCE)
        lend(p, side);
    if (count)
        pipeline_burst(w, p, packets, count);
    return n;
}

static bool xdp_poll(struct worker *w, struct port *p, unsigned queue)
{
    struct xdp *x = p->private;

    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (xdp_burst(w, p, &x->sides[queue]) < (int)BURST)
            return false;
        worker_flush(w);
    }
    return true;
}

/* ---- sending ---- */

/* What has left is ours again. */
static void take_completed(struct xdp_side *side)
{
    uint64_t addresses[LEND_AT_ONCE];
    unsigned n;

    while ((n = xdp_queue_completed(&side->queue, addresses, LEND_AT_ONCE)) > 0)
        for (unsigned i = 0; i < n; i++) {
            struct packet *packet = packet_at_offset(addresses[i]);

            if (packet) {
                packet->lent_to = 0;
                packet_free(packet);
            }
        }
}

/* The kernel sends from the pool alone: what has a buffer of its own is copied, if it fits. */
static struct packet *into_pool(struct packet *packet)
{
    struct packet *copy;

    if (packet_is_in_pool(packet))
        return packet;
    copy = packet->len <= PACKET_ROOM ? packet_new() : NULL;
    if (copy) {
        memcpy(copy->data, packet->data, packet->len);
        copy->len = packet->len;
        packet_free(packet);
    }
    return copy;
}

/* Those that can be sent stand at the begin of the list then. */
static unsigned make_frames(struct worker *w, struct port *p, struct packet **packets,
                            unsigned count, struct xdp_frame *frames)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        struct packet *packet = into_pool(packets[i]);

        if (!packet) {
            port_lose_out(w, p, PORT_DROP_TOO_LARGE, packets[i]);
            packet_free(packets[i]);
            continue;
        }
        packet->lent_to = p->generation;
        frames[n] = (struct xdp_frame){packet_offset(packet), packet->len};
        packets[n++] = packet;
    }
    return n;
}

static void xdp_send(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    struct xdp *x = p->private;
    struct xdp_side *side = &x->sides[w->index % p->queues];
    struct xdp_frame frames[PORT_QUEUE];
    unsigned n = make_frames(w, p, packets, count, frames), sent;

    pthread_spin_lock(&side->sending);
    take_completed(side);
    sent = xdp_queue_send(&side->queue, frames, n);
    if (xdp_queue_kick(&side->queue) < 0)
        counter_add(&port_counters_of(w, p)->tx_errors, 1);
    take_completed(side);
    pthread_spin_unlock(&side->sending);
    for (unsigned i = 0; i < n; i++) {
        if (i < sent) {
            port_count_out(w, p, frames[i].len);
        } else {
            port_lose_out(w, p, PORT_DROP_QUEUE, packets[i]);
            packets[i]->lent_to = 0;
            packet_free(packets[i]);
        }
    }
}

/* Frames that the kernel lost are the port's loss, too. */
static bool xdp_refresh(struct port *p)
{
    struct xdp *x = p->private;
    uint64_t lost = 0;

    for (unsigned q = 0; q < p->queues; q++) {
        struct xdp_queue_counts counts;

        if (xdp_queue_statistics(&x->sides[q].queue, &counts) == 0)
            lost += counts.receive_dropped + counts.receive_ring_full + counts.receive_fill_empty;
    }
    port_note_kernel_loss(p, lost);
    return interface_refresh(p);
}

const struct port_driver xdp_driver = {
    .name = "xdp",
    .in_memory = true,
    .open = xdp_open,
    .close = xdp_close,
    .poll = xdp_poll,
    .send = xdp_send,
    .refresh = xdp_refresh,
};
