/*
 * virtio_net.h -- the guest's network card: virtio 1.2 clause 5.1, behind it a TAP interface.
 *
 * Checksums and segmentation are left to who comes after (offloads), in both directions: TCP
 * crosses in packets of up to 64 KiB. A packet that finds no buffer in the guest waits, and the
 * interface is not read meanwhile: the kernel's queue is the buffer.
 */
#ifndef STROWGER_VMM_VIRTIO_NET_H
#define STROWGER_VMM_VIRTIO_NET_H

#include <linux/virtio_net.h>

#include "link/tap_queue.h"
#include "vmm/virtio.h"

#define VIRTIO_NET_BURST 16u

struct virtio_net {
    struct virtio_device device;
    struct virtio_net_config config;
    struct tap_queue tap;
    uv_poll_t tap_watch;
    bool is_watched;
    uint8_t *room;               /* for VIRTIO_NET_BURST packets */
    struct vhost_packet waiting; /* len 0: none; its bytes are at the begin of `room` */
};

/* The card with this Ethernet address, at the TAP interface `interface` (made when it is not there;
 * -1 or a network namespace's descriptor). 0 or negative errno; virtio_net_free() in any case. */
int virtio_net_make(struct virtio_net *net, const struct vm_memory *memory, const char *interface,
                    int netns, const uint8_t mac[6]);
void virtio_net_free(struct virtio_net *net);

#endif
