/*
 * virtio.h -- a virtio device (OASIS virtio 1.2, clauses 2 and 3), apart from how the guest reaches
 * it.
 *
 * Three parts: the transport (virtio_mmio.h, virtio_pci.h) has the guest's registers; this one
 * keeps status, features and queues, in the order that clause 3.1 asks for; the type (disk,
 * network, ...) does the work, and is a struct virtio_type.
 *
 * Threads: registers are written by vCPUs, the work is done in the loop's thread; both hold the
 * device's lock. A kick is an eventfd that KVM signals without an exit; the loop's thread calls the
 * type's kick(). The interrupt is an eventfd that KVM takes in.
 *
 * A guest that breaks the rules of a queue has that queue stopped and DEVICE_NEEDS_RESET set; it
 * can start again.
 */
#ifndef STROWGER_VMM_VIRTIO_H
#define STROWGER_VMM_VIRTIO_H

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <uv.h>

#include "link/vring.h"
#include "vmm/memory.h"

#define VIRTIO_QUEUES     16
#define VIRTIO_QUEUE_SIZE 256 /* entries, at most */

struct virtio_device;

struct virtio_type {
    const char *name;
    uint16_t id;       /* VIRTIO_ID_* */
    uint64_t features; /* beside those of all devices */
    /* The device's configuration, `size` bytes within it, little-endian; a write may be NULL: there
     * is nothing to be written. */
    void (*config_read)(struct virtio_device *d, uint32_t offset, uint8_t *data, unsigned size);
    void (*config_write)(struct virtio_device *d, uint32_t offset, const uint8_t *data,
                         unsigned size);
    /* The driver is ready: queues are placed. In a vCPU's thread. May be NULL. */
    void (*activate)(struct virtio_device *d);
    /* As after power-on; what is under way is over when it returns. May be NULL. */
    void (*reset)(struct virtio_device *d);
    /* The driver has given buffers. In the loop's thread. */
    void (*kick)(struct virtio_device *d, unsigned queue);
};

struct virtio_queue {
    struct virtqueue ring;
    uint64_t desc, avail, used; /* guest-physical, as the driver says */
    uint16_t size;
    bool ready;
    uv_poll_t watch; /* of ring.kick */
};

struct virtio_device {
    const struct virtio_type *type;
    const struct vm_memory *memory;
    pthread_mutex_t lock; /* recursive */
    unsigned queue_count;
    struct virtio_queue queues[VIRTIO_QUEUES];
    uint64_t offered, negotiated;
    uint8_t status;
    bool config_changed; /* and the driver was not told yet */
    uint32_t generation; /* of the configuration */
    int irq;             /* eventfd of the interrupt */
    int trouble;         /* eventfd: a queue has broken */
    uv_poll_t trouble_watch;
};

/* Of this type with so many queues, working for the guest with this memory. 0 or negative errno;
 * virtio_free() in any case. In the loop's thread, as the next. */
int virtio_make(struct virtio_device *d, const struct virtio_type *type, unsigned queues,
                const struct vm_memory *memory);
void virtio_free(struct virtio_device *d);

static inline void virtio_lock(struct virtio_device *d)
{
    pthread_mutex_lock(&d->lock);
}

static inline void virtio_unlock(struct virtio_device *d)
{
    pthread_mutex_unlock(&d->lock);
}

/* The driver is done with setting up, and nothing has gone wrong. */
static inline bool virtio_is_live(const struct virtio_device *d)
{
    return d->status & VIRTIO_CONFIG_S_DRIVER_OK && !(d->status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static inline bool virtio_has(const struct virtio_device *d, unsigned feature)
{
    return d->negotiated >> feature & 1;
}

/* ---- for transports, under the lock ---- */

void virtio_set_status(struct virtio_device *d, uint8_t status);
/* 32 bits of the features that the driver accepts. */
void virtio_accept(struct virtio_device *d, unsigned word, uint32_t features);
/* Of a queue that is set up: enabled, or not. */
void virtio_set_ready(struct virtio_device *d, unsigned queue, bool ready);
/* For kicks that come as an exit. */
void virtio_kick(struct virtio_device *d, unsigned queue);

/* ---- for types, under the lock ---- */

/* Tells the driver that the configuration is another. */
void virtio_config_changed(struct virtio_device *d);

/* A config_read() for a struct of `of` bytes that holds the configuration. */
void virtio_read_from(const void *config, size_t of, uint32_t offset, uint8_t *data, unsigned size);

/* All queues are looked at again, and the driver looks at all of its own: after a restore. */
void virtio_wake(struct virtio_device *d);

#endif
