/*
 * vhost_user.h -- the network device of a virtual machine, as its back end: vhost-user.
 *
 * A hypervisor (QEMU, or ours) owns the device that the guest sees, and hands the work on its
 * queues to us: over a Unix socket come the guest's memory, the place of each virtqueue (vring.h),
 * and two eventfds for each, one to learn of new buffers (kick), one to interrupt the guest (call).
 * Queue 2 * i of queue pair i is the guest's receive queue, 2 * i + 1 its transmit queue. Features:
 * those of vhost_user.c's tables; live migration works by the dirty log.
 *
 * Two kinds of threads:
 *
 *   the control thread (a loop's)       data threads
 *   vhost_user_open, _close, _readable  vhost_receive, vhost_send, vhost_kicks, vhost_drain
 *   vhost_user_status                   vhost_user_features, _counters (any thread)
 *
 * At most one data thread at a time works one direction of a queue pair. Data threads see the
 * device through one pointer: NULL while there is nothing to do, or while the control thread
 * changes memory or queues. Before a change the control thread takes the pointer away and calls
 * quiesce(), which the owner must not leave before every data thread has left vhost_*() since (as
 * after an RCU grace period, or at once when there is one thread). A data thread needs no lock, and
 * can be late by one burst at most.
 */
#ifndef STROWGER_LINK_VHOST_USER_H
#define STROWGER_LINK_VHOST_USER_H

#include "link/vring.h"

#define VHOST_USER_PAIRS 16

struct vhost_user;

/* All called from within vhost_user_readable() and vhost_user_close(), in the control thread. Each
 * may be NULL. */
struct vhost_user_events {
    /* Returns when no data thread is inside a vhost_*() call that began before. */
    void (*quiesce)(void *context);
    /* From now on `queue` is kicked at `fd`, non-blocking; -1: no longer at the one before, which
     * is still open. The descriptor stays the device's. */
    void (*kick)(void *context, unsigned queue, int fd);
    /* What vhost_user_status() says has changed. */
    void (*changed)(void *context);
    /* The guest was moved here and can not announce itself: somebody shall send a RARP. */
    void (*announce)(void *context, const uint8_t mac[6]);
};

struct vhost_user_config {
    const char *path;     /* of the Unix socket; copied */
    bool connect;         /* the front end listens, we connect; otherwise we listen */
    unsigned queue_pairs; /* at most; 0: 1 */
    uint64_t without;     /* features (bits of virtio) not to offer */
    const struct vhost_user_events *events; /* stays the caller's */
    void *context;
};

struct vhost_user_status {
    bool connected;    /* to a front end */
    bool up;           /* pair 0 works in both directions */
    unsigned pairs;    /* that the guest has enabled: 0..n-1 */
    uint16_t mtu;      /* the guest's, or 0 when not told */
    uint64_t features; /* negotiated */
    unsigned memory_regions;
    bool logging;    /* a migration is under way */
    uint64_t faults; /* queues that stopped as the guest broke their rules, in all */
};

/* _close: after it returns nobody may use the device; data threads have left it for good before.
 * 0 or negative errno: -EINVAL (queue_pairs), -ENAMETOOLONG, -EADDRINUSE, ... */
int vhost_user_open(struct vhost_user **device, const struct vhost_user_config *config);
void vhost_user_close(struct vhost_user *device);

/* The descriptor to wait for; it stays the same. When it is readable, or at any time: _readable().
 */
int vhost_user_fd(const struct vhost_user *device);
void vhost_user_readable(struct vhost_user *device);

void vhost_user_status(const struct vhost_user *device, struct vhost_user_status *status);

/* Negotiated features as bits (0 when none are): what offloads vhost_send() may ask of the guest
 * (VIRTIO_NET_F_GUEST_*). Any thread. */
uint64_t vhost_user_features(const struct vhost_user *device);

/* Counters of a queue, for the device's life; NULL when there is no such queue. Any thread. */
const struct vring_counters *vhost_user_counters(const struct vhost_user *device, unsigned queue);

/* Packets from the guest, as vring_receive(). 0 also when the device is not there now. */
unsigned vhost_receive(struct vhost_user *device, unsigned queue_pair, struct vhost_packet *packets,
                       unsigned n);

/* Packets to the guest, as vring_send(): returns how many were consumed. */
unsigned vhost_send(struct vhost_user *device, unsigned queue_pair,
                    const struct vhost_packet *packets, unsigned n);

/* Whether `queue` shall be kicked when there is something new: to be switched off by who polls. At
 * first a guest's transmit queues are, its receive queues are not. True when something waits now,
 * for which no kick will come. */
bool vhost_kicks(struct vhost_user *device, unsigned queue, bool on);

/* Makes the kick descriptor of `queue` unreadable until the next kick: before vhost_receive(). */
void vhost_drain(struct vhost_user *device, unsigned queue);

#endif
