/*
 * virtio_net.c -- see virtio_net.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "vmm/virtio_net.h"

enum { RECEIVE, SEND, QUEUES };

#define FEATURE(name) (UINT64_C(1) << VIRTIO_NET_F_##name)

static struct virtio_net *net_of(struct virtio_device *d)
{
    return container_of(d, struct virtio_net, device);
}

/* ---- to the guest ---- */

static void on_tap(uv_poll_t *watch, int status, int events);

static void watch_tap(struct virtio_net *n, bool on)
{
    if (on == n->is_watched || n->tap.fd < 0)
        return;
    if (on)
        (void)uv_poll_start(&n->tap_watch, UV_READABLE, on_tap);
    else
        uv_poll_stop(&n->tap_watch);
    n->is_watched = on;
}

/* Takes a packet from the interface; false when there is none. */
static bool take(struct virtio_net *n, struct vhost_packet *p)
{
    struct virtio_net_hdr header;
    struct offload offload;

    for (;;) {
        int len = tap_queue_receive(&n->tap, p->at, p->room, &offload);

        if (len > 0 && offload_to_virtio(&offload, p->at, (size_t)len, &header) == 0) {
            p->len = (size_t)len;
            p->offload = vhost_offload_of(&header);
            return true;
        }
        if (len <= 0 && len != -EMSGSIZE && len != -EBADMSG) /* those were lost */
            return false;
    }
}

/* As much as there is and fits. */
static void deliver(struct virtio_net *n)
{
    struct virtqueue *q = &n->device.queues[RECEIVE].ring;

    n->waiting.at = n->room;
    n->waiting.room = TAP_QUEUE_ROOM;
    for (unsigned i = 0; i < 4 * VIRTIO_NET_BURST; i++) {
        if (n->waiting.len == 0 && !take(n, &n->waiting))
            break;
        if (vring_send(q, &n->device.memory->map, &n->waiting, 1) == 0)
            break;
        n->waiting.len = 0;
    }
    watch_tap(n, n->waiting.len == 0); /* else its kick will tell of room */
}

static void on_tap(uv_poll_t *watch, int status, int events)
{
    struct virtio_net *n = watch->data;

    (void)status;
    (void)events;
    virtio_lock(&n->device);
    if (virtio_is_live(&n->device) && n->device.queues[RECEIVE].ready)
        deliver(n);
    else
        watch_tap(n, false);
    virtio_unlock(&n->device);
}

/* ---- from the guest ---- */

static void send_all(struct virtio_net *n)
{
    struct virtqueue *q = &n->device.queues[SEND].ring;
    struct vhost_packet packets[VIRTIO_NET_BURST];
    unsigned count;

    for (unsigned i = 0; i < VIRTIO_NET_BURST; i++) {
        packets[i].at = n->room + (1 + i) * (size_t)TAP_QUEUE_ROOM;
        packets[i].room = TAP_QUEUE_ROOM;
    }
    while ((count = vring_receive(q, &n->device.memory->map, packets, VIRTIO_NET_BURST)) > 0)
        for (unsigned i = 0; i < count; i++) {
            struct virtio_net_hdr header = vhost_offload_header(&packets[i].offload);
            struct offload o;

            if (offload_from_virtio(&o, &header, packets[i].at, packets[i].len) == 0)
                (void)tap_queue_send(&n->tap, packets[i].at, packets[i].len,
                                     &o); /* a full interface loses it, as a wire does */
        }
}

static void kick(struct virtio_device *d, unsigned queue)
{
    if (queue == RECEIVE)
        deliver(net_of(d));
    else
        send_all(net_of(d));
}

static void read_config(struct virtio_device *d, uint32_t offset, uint8_t *data, unsigned size)
{
    virtio_read_from(&net_of(d)->config, sizeof(struct virtio_net_config), offset, data, size);
}

static void reset(struct virtio_device *d)
{
    net_of(d)->waiting.len = 0;
}

static const struct virtio_type type = {
    .name = "net",
    .id = VIRTIO_ID_NET,
    .features = FEATURE(CSUM) | FEATURE(GUEST_CSUM) | FEATURE(HOST_TSO4) | FEATURE(HOST_TSO6) |
                FEATURE(GUEST_TSO4) | FEATURE(GUEST_TSO6) | FEATURE(MRG_RXBUF) | FEATURE(MAC) |
                FEATURE(STATUS),
    .config_read = read_config,
    .reset = reset,
    .kick = kick,
};

int virtio_net_make(struct virtio_net *n, const struct vm_memory *memory, const char *interface,
                    int netns, const uint8_t mac[6])
{
    int err;

    n->tap.fd = -1;
    if ((err = virtio_make(&n->device, &type, QUEUES, memory)) < 0)
        return err;
    memcpy(n->config.mac, mac, 6);
    n->config.status = htole16(VIRTIO_NET_S_LINK_UP);
    if (!(n->room = malloc((1 + VIRTIO_NET_BURST) * (size_t)TAP_QUEUE_ROOM)))
        return -ENOMEM;
    if ((err = tap_queue_open(&n->tap, true, interface, netns, 0)) < 0 ||
        (err = uv_poll_init(loop_uv(), &n->tap_watch, n->tap.fd)) < 0)
        return err;
    n->tap_watch.data = n;
    return 0;
}

void virtio_net_free(struct virtio_net *n)
{
    watch_tap(n, false);
    if (n->tap.fd >= 0)
        tap_queue_close(&n->tap);
    free(n->room);
    virtio_free(&n->device);
}
