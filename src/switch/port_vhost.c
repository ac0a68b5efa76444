/*
 * port_vhost.c -- ports that are network devices of virtual machines: vhost-user
 * (link/vhost_user.h).
 *
 * The loop's thread has the control socket, and changes what workers see after a grace period. A
 * queue pair's transmit queue belongs to one worker, that waits for the guest's kicks: while
 * packets keep coming it does without them and comes back by an eventfd of our own; when none came
 * it asks for them again, unless it looks without being called anyway. Any worker may send, by the
 * pair of its own number; with fewer pairs than workers two meet there, so a pair's sending side is
 * guarded: one uncontended lock for a burst.
 *
 * Guests hand over packets of up to 64 KiB that are not cut and not summed, and take such, as far
 * as they have negotiated it; what a guest does not take is finished here (finish.c).
 *
 * The guest's address is not known; the port's own is made from its name.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "link/vhost_user.h"
#include "switch/reclaim.h"
#include "switch/worker.h"

_Static_assert(PORT_RX_QUEUES <= VHOST_USER_PAIRS, "a port's queues are pairs of the device");

#define BURSTS_PER_TURN 4    /* then other ports have their turn */
#define DEFAULT_MTU     1500 /* when neither guest nor configuration says another */
#define BIT(n)          (1ULL << (n))
#define RARP_TYPE       0x8035 /* of Ethernet: RFC 903 */
#define RARP_REQUEST    3

struct pair {
    pthread_mutex_t sending;
    int again; /* eventfd: to be polled once more */
    /* of the worker that polls */
    bool comes_again;             /* `again` is readable */
    size_t room;                  /* of the spares */
    struct packet *spares[BURST]; /* to receive into; NULL: was used */
    uint64_t too_long, malformed, disabled;
};

struct vhost_port {
    struct port *port;
    struct vhost_user *device;
    uv_poll_t control;
    unsigned pairs; /* that the guest works with; at least 1 */
    uint64_t faults;
    struct pair pair[PORT_RX_QUEUES];
};

/* ---- receiving ---- */

/* Without segmentation offload a guest's frames are as long as its MTU says. */
static size_t room_for(const struct port *p, uint64_t features)
{
    size_t plain = p->mtu + 64u;

    if (features & (BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6)))
        return PACKET_MOST;
    return plain > PACKET_ROOM ? plain : PACKET_ROOM;
}

static void free_spares(struct pair *pair)
{
    for (unsigned i = 0; i < BURST; i++) {
        if (pair->spares[i])
            packet_free(pair->spares[i]);
        pair->spares[i] = NULL;
    }
}

/* Room for a burst; for how many packets there is some. */
static unsigned offer(struct pair *pair, size_t room, struct vhost_packet *frames)
{
    if (pair->room != room)
        free_spares(pair);
    pair->room = room;
    for (unsigned i = 0; i < BURST; i++) {
        if (!pair->spares[i] && !(pair->spares[i] = packet_new_for(room)))
            return i;
        frames[i] = (struct vhost_packet){.at = pair->spares[i]->data, .room = room};
    }
    return BURST;
}

/* A large buffer is left for the next burst when what came would fit a small one. */
static struct packet *take(struct pair *pair, unsigned nth, size_t len)
{
    struct packet *spare = pair->spares[nth], *packet;

    if (len > PACKET_ROOM || packet_is_in_pool(spare)) {
        pair->spares[nth] = NULL;
        packet = spare;
    } else if ((packet = packet_new())) {
        memcpy(packet->data, spare->data, len);
    } else {
        return NULL;
    }
    packet->len = (uint32_t)len;
    return packet;
}

static bool take_offload(struct packet *packet, const struct vhost_offload *o)
{
    const struct virtio_net_hdr header = vhost_offload_header(o);

    return offload_from_virtio(&packet->offload, &header, packet->data, packet->len) == 0;
}

static void drop_in_more(struct worker *w, struct port *p, enum port_drop why, uint64_t total,
                         uint64_t *known)
{
    struct port_counters *c = port_counters_of(w, p);

    counter_add(&c->rx_dropped, total - *known);
    counter_add(&c->own_drops[why], total - *known);
    *known = total;
}

/* What the device dropped since we last looked. */
static void note_drops(struct worker *w, struct port *p, unsigned queue)
{
    struct vhost_port *v = p->private;
    struct pair *pair = &v->pair[queue];
    const struct vring_counters *c = vhost_user_counters(v->device, 2 * queue + 1);

    drop_in_more(w, p, PORT_DROP_TOO_LARGE, c->dropped_long, &pair->too_long);
    drop_in_more(w, p, PORT_DROP_MALFORMED, c->dropped_malformed + c->dropped_offload,
                 &pair->malformed);
    drop_in_more(w, p, PORT_DROP_DISABLED, c->dropped_disabled, &pair->disabled);
}

/* One burst; returns how many packets came. */
static unsigned vhost_burst(struct worker *w, struct port *p, unsigned queue)
{
    struct vhost_port *v = p->private;
    struct pair *pair = &v->pair[queue];
    struct vhost_packet frames[BURST];
    struct packet *packets[BURST];
    unsigned n = offer(pair, room_for(p, vhost_user_features(v->device)), frames);
    size_t count = 0;

    n = vhost_receive(v->device, queue, frames, n);
    for (unsigned i = 0; i < n; i++) {
        struct packet *packet = take(pair, i, frames[i].len);

        if (!packet || !take_offload(packet, &frames[i].offload)) {
            port_drop_in(w, p, packet ? PORT_DROP_MALFORMED : PORT_DROP_QUEUE);
            if (packet)
                packet_free(packet);
            continue;
        }
        port_count_in(w, p, packet->len);
        packet_enter(packet, p->number);
        packets[count++] = packet;
    }
    note_drops(w, p, queue);
    if (count)
        pipeline_burst(w, p, packets, count);
    return n;
}

static void come_again(struct pair *pair, bool again)
{
    uint64_t one = 1;

    if (pair->comes_again == again)
        return;
    pair->comes_again = again;
    if (again)
        (void)!write(pair->again, &one, sizeof(one));
    else
        (void)!read(pair->again, &one, sizeof(one));
}

/* Kicks that came before are forgotten, and what comes from now on is told of; what came in between
 * is not. */
static bool vhost_wait(struct vhost_port *v, unsigned queue)
{
    vhost_drain(v->device, 2 * queue + 1);
    come_again(&v->pair[queue], vhost_kicks(v->device, 2 * queue + 1, true));
    return v->pair[queue].comes_again;
}

static bool vhost_poll(struct worker *w, struct port *p, unsigned queue)
{
    struct vhost_port *v = p->private;

    (void)vhost_kicks(v->device, 2 * queue + 1, false);
    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (vhost_burst(w, p, queue) < BURST)
            return w->waits && vhost_wait(v, queue);
        worker_flush(w);
    }
    if (w->waits)
        come_again(&v->pair[queue], true);
    return true;
}

/* ---- sending ---- */

/* What goes to the guest at once. */
struct batch {
    struct worker *w;
    struct port *port;
    unsigned count;
    struct packet *packets[PORT_QUEUE];
};

/* Can the guest do what is left to be done? */
static bool guest_takes(uint64_t features, const struct packet *p)
{
    uint64_t needs = BIT(VIRTIO_NET_F_GUEST_CSUM);

    if (!packet_is_unfinished(p))
        return true;
    if (p->offload.gso_type == OFFLOAD_GSO_TCPV4)
        needs |= BIT(VIRTIO_NET_F_GUEST_TSO4);
    else if (p->offload.gso_type == OFFLOAD_GSO_TCPV6)
        needs |= BIT(VIRTIO_NET_F_GUEST_TSO6);
    else if (p->offload.gso_type != OFFLOAD_GSO_NONE)
        return false;
    if (p->offload.ecn)
        needs |= BIT(VIRTIO_NET_F_GUEST_ECN);
    return (features & needs) == needs;
}

/* False when the packet is not what its offload says. */
static bool make_frame(const struct packet *p, struct vhost_packet *frame)
{
    struct virtio_net_hdr h;

    if (offload_to_virtio(&p->offload, p->data, p->len, &h) < 0)
        return false;
    *frame = (struct vhost_packet){.at = p->data, .len = p->len, .offload = vhost_offload_of(&h)};
    return true;
}

/* What the device counts of a receive queue of the guest. */
struct sent {
    uint64_t packets, bytes, too_long, refused;
};

static struct sent sent_now(const struct vhost_port *v, unsigned pair)
{
    const struct vring_counters *c = vhost_user_counters(v->device, 2 * pair);

    return (struct sent){c->packets, c->bytes, c->dropped_long, c->dropped_offload};
}

static void drop_out_many(struct worker *w, struct port *p, enum port_drop why, uint64_t n)
{
    struct port_counters *c = port_counters_of(w, p);

    counter_add(&c->tx_dropped, n);
    counter_add(&c->own_drops[why], n);
}

static void send_frames(struct worker *w, struct port *p, const struct vhost_packet *frames,
                        unsigned n)
{
    struct vhost_port *v = p->private;
    unsigned pair = w->index % __atomic_load_n(&v->pairs, __ATOMIC_RELAXED), consumed;
    struct port_counters *c = port_counters_of(w, p);
    struct sent before, after;

    pthread_mutex_lock(&v->pair[pair].sending);
    before = sent_now(v, pair);
    consumed = vhost_send(v->device, pair, frames, n);
    after = sent_now(v, pair);
    pthread_mutex_unlock(&v->pair[pair].sending);
    counter_add(&c->tx_packets, after.packets - before.packets);
    counter_add(&c->tx_bytes, after.bytes - before.bytes);
    drop_out_many(w, p, PORT_DROP_TOO_LARGE, after.too_long - before.too_long);
    drop_out_many(w, p, PORT_DROP_UNFINISHED, after.refused - before.refused);
    drop_out_many(w, p, PORT_DROP_QUEUE, n - consumed);
}

static void send_batch(struct batch *b)
{
    struct vhost_packet frames[PORT_QUEUE];
    unsigned n = 0;

    for (unsigned i = 0; i < b->count; i++) {
        if (make_frame(b->packets[i], &frames[n]))
            n++;
        else
            port_drop_out(b->w, b->port, PORT_DROP_UNFINISHED);
    }
    if (n)
        send_frames(b->w, b->port, frames, n);
    packets_free(b->packets, b->count);
    b->count = 0;
}

static void add_to_batch(struct packet *p, void *context)
{
    struct batch *b = context;

    if (b->count == PORT_QUEUE)
        send_batch(b);
    b->packets[b->count++] = p;
}

static void vhost_output(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    struct vhost_port *v = p->private;
    uint64_t features = vhost_user_features(v->device);
    struct batch b = {.w = w, .port = p, .count = 0};

    for (unsigned i = 0; i < count; i++)
        if (guest_takes(features, packets[i]))
            add_to_batch(packets[i], &b);
        else if (!packet_finish(packets[i], add_to_batch, &b))
            port_drop_out(w, p, PORT_DROP_UNFINISHED);
    send_batch(&b);
}

/* ---- control ---- */

static void on_quiesce(void *context)
{
    (void)context;
    reclaim_synchronize();
}

/* A guest's transmit queues kick us; its receive queues are not waited for. */
static void on_kick(void *context, unsigned queue, int fd)
{
    struct vhost_port *v = context;
    int err;

    if (queue % 2 == 0)
        return;
    if ((err = worker_wait_for(v->port->dp, v->port, queue / 2, fd)) < 0)
        log_warn("port %s: queue %u can not be waited for: %s", v->port->name, queue,
                 uv_strerror(err));
}

static void on_changed(void *context)
{
    struct vhost_port *v = context;
    struct port *p = v->port;
    struct vhost_user_status s;
    uint16_t mtu = p->mtu;
    uint32_t state;

    vhost_user_status(v->device, &s);
    __atomic_store_n(&v->pairs, s.pairs ? s.pairs : 1, __ATOMIC_RELAXED);
    counter_add(&p->counters[0].rx_errors, s.faults - v->faults);
    v->faults = s.faults;
    state = s.up ? 0 : OFPPS_LINK_DOWN;
    if (s.up)
        mtu = s.mtu ? s.mtu : p->config->mtu ? p->config->mtu : DEFAULT_MTU;
    if (state == p->state && mtu == p->mtu)
        return;
    p->state = state;
    p->mtu = mtu;
    if (p->dp->port_changed)
        p->dp->port_changed(p);
}

/* The guest was moved here and says nothing: a reverse ARP request with its address tells everybody
 * where it is, as if it came from it. */
static void on_announce(void *context, const uint8_t mac[6])
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct vhost_port *v = context;
    struct worker *w = v->port->dp->workers[0];
    uint8_t frame[60];
    struct writer to = writer_of(frame, sizeof(frame));
    struct packet *packet;

    net_write_ethernet(&to, everybody, mac, RARP_TYPE);
    wr_u16(&to, 1); /* Ethernet */
    wr_u16(&to, ETH_TYPE_IPV4);
    wr_u8(&to, 6);
    wr_u8(&to, 4);
    wr_u16(&to, RARP_REQUEST);
    for (unsigned i = 0; i < 2; i++) { /* sender, target */
        wr_bytes(&to, mac, 6);
        wr_zero(&to, 4);
    }
    wr_zero(&to, sizeof(frame) - wr_len(&to));
    if (to.bad || !(packet = packet_copy_of(wr_view(&to))))
        return;
    packet_enter(packet, v->port->number);
    pipeline_burst(w, v->port, &packet, 1);
    worker_flush(w);
}

static const struct vhost_user_events events = {on_quiesce, on_kick, on_changed, on_announce};

static void on_readable(uv_poll_t *control, int status, int happened)
{
    (void)status;
    (void)happened;
    vhost_user_readable(container_of(control, struct vhost_port, control)->device);
}

/* ---- opening and closing ---- */

static void vhost_free(struct vhost_port *v)
{
    for (unsigned i = 0; i < PORT_RX_QUEUES; i++)
        pthread_mutex_destroy(&v->pair[i].sending);
    free(v);
}

static void on_closed(uv_handle_t *handle)
{
    vhost_free(container_of((uv_poll_t *)handle, struct vhost_port, control));
}

/* All but the loop's handle and its memory. */
static void vhost_shut(struct port *p)
{
    struct vhost_port *v = p->private;

    vhost_user_close(v->device);
    for (unsigned i = 0; i < p->queues; i++) {
        close(v->pair[i].again);
        free_spares(&v->pair[i]);
    }
    p->private = NULL;
}

static void vhost_close(struct port *p)
{
    struct vhost_port *v = p->private;

    uv_poll_stop(&v->control);
    vhost_shut(p);
    uv_close((uv_handle_t *)&v->control, on_closed);
}

static struct vhost_port *vhost_new(struct port *p)
{
    struct vhost_port *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    v->port = p;
    v->pairs = 1;
    for (unsigned i = 0; i < PORT_RX_QUEUES; i++)
        pthread_mutex_init(&v->pair[i].sending, NULL);
    p->private = v;
    return v;
}

static int open_device(struct port *p)
{
    struct vhost_port *v = p->private;
    const struct switch_port_config *c = p->config;
    unsigned pairs = c->queues ? c->queues : 1;
    const struct vhost_user_config config = {.path = c->socket,
                                             .connect = c->mode == SWITCH_VHOST_CLIENT,
                                             .queue_pairs = pairs,
                                             .events = &events,
                                             .context = v};
    int err;

    if (!c->socket || pairs > PORT_RX_QUEUES)
        return -EINVAL;
    for (; p->queues < pairs; p->queues++) {
        int again = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

        if (again < 0)
            return -errno;
        v->pair[p->queues].again = p->queue_fds[p->queues] = again;
    }
    if ((err = vhost_user_open(&v->device, &config)) < 0 ||
        (err = uv_poll_init(loop_uv(), &v->control, vhost_user_fd(v->device))) < 0)
        return err;
    uv_poll_start(&v->control, UV_READABLE, on_readable);
    return 0;
}

/* Locally administered: 02:76 and four bytes that are the name's. */
static void make_address(struct port *p)
{
    uint64_t hash = map_hash_bytes(p->name, strlen(p->name), 0);

    p->mac[0] = 0x02;
    p->mac[1] = 0x76;
    memcpy(p->mac + 2, &hash, 4);
}

static int vhost_open(struct port *p)
{
    struct vhost_port *v = vhost_new(p);
    int err;

    if (!v)
        return -ENOMEM;
    if ((err = open_device(p)) < 0) {
        vhost_shut(p);
        vhost_free(v);
        return err;
    }
    make_address(p);
    p->mtu = p->config->mtu ? p->config->mtu : DEFAULT_MTU;
    p->state = OFPPS_LINK_DOWN;
    p->finishes_checksums = p->cuts = true;
    return 0;
}

const struct port_driver vhost_driver = {
    .name = "vhost-user",
    .in_memory = true,
    .open = vhost_open,
    .close = vhost_close,
    .poll = vhost_poll,
    .send = vhost_output,
};
