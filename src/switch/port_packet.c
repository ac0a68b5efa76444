/*
 * port_packet.c -- ports on interfaces that exist, by AF_PACKET (link/packet_ring.h).
 *
 * With several workers there are as many rings, over which the kernel spreads the interface's
 * flows. What a local sender did not cut and sum comes so, and leaves so by ports that can do the
 * same.
 */
#include <errno.h>
#include <stdlib.h>

#include "link/packet_ring.h"
#include "switch/port_interface.h"

#define BURSTS_PER_TURN 4 /* then other ports have their turn */
_Static_assert(PORT_QUEUE <= PACKET_RING_BURST, "a queue is one system call");

struct ring_port {
    struct interface interface;
    struct packet_ring rings[PORT_RX_QUEUES];
};

static void ring_close(struct port *p)
{
    struct ring_port *r = p->private;

    for (unsigned q = 0; q < p->queues; q++)
        packet_ring_close(&r->rings[q]);
    interface_free(p);
}

static int open_rings(struct port *p, int netns)
{
    struct ring_port *r = p->private;
    unsigned wanted = p->dp->worker_count > 2 ? p->dp->worker_count - 1 : 1;
    uint32_t group = 0;

    while (p->queues < wanted && p->queues < PORT_RX_QUEUES) {
        struct packet_ring *ring = &r->rings[p->queues];
        int err = packet_ring_open(ring, interface_name(p), netns, wanted > 1 ? &group : NULL);

        if (err < 0)
            return err;
        p->queue_fds[p->queues++] = ring->fd;
    }
    p->finishes_checksums = p->cuts = true;
    return 0;
}

static int ring_open(struct port *p)
{
    int netns, err;

    if (!interface_new(p, sizeof(struct ring_port), &netns, &err))
        return err;
    if ((err = interface_watch(p, netns)) < 0 || (err = open_rings(p, netns)) < 0) {
        ring_close(p);
        return err;
    }
    return 0;
}

/* A frame out of the ring; NULL when no buffer was to be had. */
static struct packet *take(struct worker *w, struct port *p, const struct packet_ring_frame *f)
{
    struct packet *packet = packet_copy_of(bytes_of(f->at, f->len));

    if (!packet) {
        port_drop_in(w, p, PORT_DROP_QUEUE);
        return NULL;
    }
    packet->offload = f->offload;
    port_count_in(w, p, packet->len);
    packet_enter(packet, p->number);
    return packet;
}

/* How many frames came. */
static int ring_burst(struct worker *w, struct port *p, struct packet_ring *ring)
{
    struct packet_ring_frame frames[BURST];
    struct packet *packets[BURST];
    int n = packet_ring_receive(ring, frames, BURST);
    size_t count = 0;

    for (int i = 0; i < n; i++)
        if ((packets[count] = take(w, p, &frames[i])))
            count++;
    if (n > 0)
        packet_ring_release(ring);
    if (count)
        pipeline_burst(w, p, packets, count);
    return n;
}

static bool ring_poll(struct worker *w, struct port *p, unsigned queue)
{
    struct ring_port *r = p->private;

    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (ring_burst(w, p, &r->rings[queue]) <= 0)
            return false;
        worker_flush(w);
    }
    return true;
}

static void ring_send(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    struct ring_port *r = p->private;
    struct packet_ring_frame frames[PORT_QUEUE];
    int sent;

    frames[0].at = NULL;
    for (unsigned i = 0; i < count; i++)
        frames[i] =
            (struct packet_ring_frame){packets[i]->data, packets[i]->len, packets[i]->offload};
    sent = packet_ring_send(&r->rings[w->index % p->queues], frames, count);
    for (unsigned i = 0; i < count; i++) {
        if ((int)i < sent)
            port_count_out(w, p, packets[i]->len);
        else
            port_lose_out(w, p, PORT_DROP_QUEUE, packets[i]);
    }
    if (sent < 0)
        counter_add(&port_counters_of(w, p)->tx_errors, 1);
    packets_free(packets, count);
}

/* What the kernel lost since the last look is the port's loss, too. */
static bool ring_refresh(struct port *p)
{
    struct ring_port *r = p->private;
    uint64_t lost = 0;

    for (unsigned q = 0; q < p->queues; q++)
        lost += packet_ring_dropped(&r->rings[q]);
    port_note_kernel_loss(p, lost);
    return interface_refresh(p);
}

const struct port_driver packet_driver = {
    .name = "packet",
    .in_memory = true,
    .open = ring_open,
    .close = ring_close,
    .poll = ring_poll,
    .send = ring_send,
    .refresh = ring_refresh,
};
