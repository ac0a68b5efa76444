/*
 * vring.h -- split virtqueues, seen from the device (virtio 1.2 clause 2.7).
 *
 * The driver (a guest) puts chains of buffers into the available ring, the device takes them in
 * that order and gives them back in the used ring. Network devices (clause 5.1.6) use
 * vring_receive() and vring_send(), which copy packets; after those a queue is always in step:
 * what was taken is given back before the call returns, so its whole state is one index. Other
 * devices use vring_take() and vring_give(), with as many requests under way as they like.
 *
 * The other side is hostile. Each descriptor is copied once and only the copy is believed; a chain
 * is no longer than its table; every address goes through vhost_memory_at(). What breaks the rules
 * of the ring itself (enum vring_fault) stops the queue until the hypervisor starts it anew, as
 * nothing that follows could be trusted to mean what it says. A packet that is only bad in itself
 * (too long, a header that contradicts it) is dropped and counted.
 *
 * Threads: vring_place and vring_start are for the one that owns the queue while
 * no data thread can see it; vring_receive, vring_send, vring_take, vring_give and vring_kicks are
 * for one data thread at a time; the counters and the fault can be read by any. Ordering: the index
 * of the available ring is loaded with acquire, that of the used ring stored with release; where
 * both sides must see each other's store (notifications), both are sequentially consistent.
 */
#ifndef STROWGER_LINK_VRING_H
#define STROWGER_LINK_VRING_H

#include <stdatomic.h>
#include <sys/uio.h>
#include <linux/vhost_types.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "link/vhost_memory.h"

#define VRING_SIZE_MAX     32768 /* clause 2.7 */
#define VRING_INDIRECT_MAX 1024  /* descriptors in one indirect table */
#define VRING_STEPS        8192  /* a call ends after the packet with this descriptor */

/* The fields of struct virtio_net_hdr (clause 5.1.6), in host byte order. */
struct vhost_offload {
    uint8_t flags;    /* VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_DATA_VALID */
    uint8_t gso_type; /* VIRTIO_NET_HDR_GSO_* */
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
};

static inline struct vhost_offload vhost_offload_of(const struct virtio_net_hdr *h)
{
    return (struct vhost_offload){h->flags,    h->gso_type,   h->hdr_len,
                                  h->gso_size, h->csum_start, h->csum_offset};
}

static inline struct virtio_net_hdr vhost_offload_header(const struct vhost_offload *o)
{
    return (struct virtio_net_hdr){.flags = o->flags,
                                   .gso_type = o->gso_type,
                                   .hdr_len = o->hdr_len,
                                   .gso_size = o->gso_size,
                                   .csum_start = o->csum_start,
                                   .csum_offset = o->csum_offset};
}

/* A frame. Receiving: `at` and `room` are the caller's, `len` and `offload` are filled in. Sending:
 * `len` bytes at `at` go out, `room` is not looked at. */
struct vhost_packet {
    uint8_t *at;
    size_t room;
    size_t len;
    struct vhost_offload offload;
};

enum vring_fault {
    VRING_OK,
    VRING_AVAIL_JUMP,   /* more available than the ring has entries */
    VRING_BAD_INDEX,    /* a descriptor that is beyond its table */
    VRING_LOOP,         /* a chain longer than its table */
    VRING_BAD_INDIRECT, /* a table that is no table, or inside another, or was not negotiated */
    VRING_ZERO_LENGTH,
    VRING_DIRECTION,   /* a buffer to be written where one is to be read, or the reverse */
    VRING_BAD_ADDRESS, /* outside of the guest's memory */
    VRING_NO_HEADER,   /* no room for a header in the first chain */
    VRING_TOO_MANY,    /* pieces in one chain: more than VRING_PIECES */
    VRING_FAULTS
};

extern const char *const vring_fault_names[VRING_FAULTS];

/* Written by the data thread, read by any. */
struct vring_counters {
    _Atomic uint64_t packets, bytes;
    _Atomic uint64_t notifications;     /* the driver was interrupted */
    _Atomic uint64_t dropped_long;      /* did not fit the caller's buffer, or the driver's */
    _Atomic uint64_t dropped_malformed; /* no whole header, or one that contradicts the packet */
    _Atomic uint64_t dropped_offload;   /* asks for what was not negotiated */
    _Atomic uint64_t dropped_disabled;
};

struct virtqueue {
    /* Set before a data thread sees the queue. */
    uint16_t num;      /* entries: a power of two */
    uint64_t features; /* negotiated */
    bool placed;       /* the three parts are mapped */
    bool enabled;      /* otherwise what the driver sends is dropped, and nothing is sent to it */
    struct vring_desc *desc;
    struct vring_avail *avail;
    struct vring_used *used;
    bool log_used;      /* writes to the used ring are logged, as if it were at ... */
    uint64_t log_guest; /* ... this guest-physical address */
    int kick;           /* eventfd that the driver's kicks arrive at, or -1 */
    int call;           /* eventfd to interrupt the driver, or -1 */
    int error;          /* eventfd that tells the hypervisor of a fault, or -1 */
    int trouble;        /* eventfd that tells ourselves of a fault, or -1 */
    /* The data thread's. */
    uint16_t next_avail; /* the first entry of the available ring not yet taken */
    uint16_t next_used;
    uint16_t signalled; /* next_used when the driver was last interrupted */
    bool signalled_valid;
    atomic_bool kicks; /* the driver shall tell of new buffers */
    atomic_int fault;  /* enum vring_fault */
    struct vring_counters counters;
};

/* Finds the three parts of the ring at the hypervisor's addresses; q->num and q->features are set.
 * 0, or -EINVAL (not aligned, or not within one region): then the queue is not placed. */
int vring_place(struct virtqueue *q, const struct guest_memory *m,
                const struct vhost_vring_addr *addr);

/* Begins at `base`, an index of the available ring, on a queue that is placed. As nothing is ever
 * under way between calls, the used ring's own index is believed when it says otherwise. */
void vring_start(struct virtqueue *q, const struct guest_memory *m, uint16_t base);

/* Takes up to n packets that the driver sends, and interrupts it once if it wants to be. Fewer than
 * n: there are no more now, and if kicks are on, q->kick becomes readable when there are. */
unsigned vring_receive(struct virtqueue *q, const struct guest_memory *m,
                       struct vhost_packet *packets, unsigned n);

/* Gives the driver up to n packets in the buffers it has provided, and interrupts it once if it
 * wants to be. How many were consumed (sent, or dropped and counted); those after found no room. */
unsigned vring_send(struct virtqueue *q, const struct guest_memory *m,
                    const struct vhost_packet *packets, unsigned n);

/* A request: buffers to be read, then buffers to be written, as pieces of our memory. */
#define VRING_PIECES 130

struct vring_request {
    uint16_t head;
    unsigned out_count, in_count; /* pieces to be read, and after those to be written */
    size_t out_size, in_size;     /* bytes in each */
    struct iovec pieces[VRING_PIECES];
    uint64_t guest[VRING_PIECES]; /* their guest-physical addresses */
};

/* The next request. False: there is none now, and if kicks are on, q->kick becomes readable when
 * there is. */
bool vring_take(struct virtqueue *q, const struct guest_memory *m, struct vring_request *request);

/* Gives it back with `written` bytes in its writable pieces, and interrupts the driver if it wants
 * to be. The queue must not have been started anew since it was taken. */
void vring_give(struct virtqueue *q, const struct guest_memory *m,
                const struct vring_request *request, size_t written);

/* Switches the driver's kicks on or off. True when buffers are waiting now, for which no kick will
 * come. */
bool vring_kicks(struct virtqueue *q, const struct guest_memory *m, bool on);

#endif
