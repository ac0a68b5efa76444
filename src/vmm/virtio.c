/*
 * virtio.c -- see virtio.h.
 */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "vmm/event.h"
#include "vmm/virtio.h"

#define COMMON_FEATURES                                                           \
    (UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX | \
     UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC)

/* ---- queues ---- */

void virtio_set_ready(struct virtio_device *d, unsigned queue, bool ready)
{
    struct virtio_queue *q = &d->queues[queue];
    struct vhost_vring_addr at = {
        .desc_user_addr = q->desc, .avail_user_addr = q->avail, .used_user_addr = q->used};

    q->ready = false;
    q->ring.placed = false;
    if (!ready || q->size == 0 || q->size > VIRTIO_QUEUE_SIZE || (q->size & (q->size - 1)))
        return;
    q->ring.num = q->size;
    q->ring.features = d->negotiated;
    q->ring.enabled = true;
    at.flags = 1U << VHOST_VRING_F_LOG;
    at.log_guest_addr = q->used;
    q->ready = vring_place(&q->ring, &d->memory->map, &at) == 0;
}

/* A driver that has begun finds the queue at its begin, and one that was restored where it was. */
static void start_queues(struct virtio_device *d)
{
    for (unsigned i = 0; i < d->queue_count; i++) {
        struct virtio_queue *q = &d->queues[i];

        if (!q->ready)
            continue;
        q->ring.features = d->negotiated;
        vring_start(&q->ring, &d->memory->map, 0);
        (void)vring_kicks(&q->ring, &d->memory->map, true);
        event_signal(q->ring.kick);
    }
}

static void reset_queues(struct virtio_device *d)
{
    for (unsigned i = 0; i < d->queue_count; i++) {
        struct virtio_queue *q = &d->queues[i];

        q->ready = false;
        q->ring.placed = false;
        q->ring.enabled = false;
        q->size = VIRTIO_QUEUE_SIZE;
        q->desc = q->avail = q->used = 0;
        atomic_store(&q->ring.fault, VRING_OK);
    }
}

void virtio_kick(struct virtio_device *d, unsigned queue)
{
    if (queue < d->queue_count)
        event_signal(d->queues[queue].ring.kick);
}

void virtio_wake(struct virtio_device *d)
{
    if (!virtio_is_live(d))
        return;
    for (unsigned i = 0; i < d->queue_count; i++)
        event_signal(d->queues[i].ring.kick);
    event_signal(d->irq);
}

static void on_kick(uv_poll_t *watch, int status, int events)
{
    struct virtio_device *d = watch->data;
    unsigned queue = 0;

    (void)status;
    (void)events;
    while (&d->queues[queue].watch != watch)
        queue++;
    event_clear(d->queues[queue].ring.kick);
    virtio_lock(d);
    if (virtio_is_live(d) && d->queues[queue].ready)
        d->type->kick(d, queue);
    virtio_unlock(d);
}

/* ---- status (clauses 2.1 and 3.1.1) ---- */

static void reset(struct virtio_device *d)
{
    if (d->type->reset)
        d->type->reset(d);
    reset_queues(d);
    d->negotiated = 0;
    d->status = 0;
    d->config_changed = false;
}

void virtio_set_status(struct virtio_device *d, uint8_t status)
{
    uint8_t set = status & (uint8_t)~d->status;

    if (status == 0) {
        reset(d);
        return;
    }
    /* The driver takes a set of features that it was offered, or is not believed. */
    if (set & VIRTIO_CONFIG_S_FEATURES_OK &&
        (d->negotiated & ~d->offered || !virtio_has(d, VIRTIO_F_VERSION_1)))
        status &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
    if (set & VIRTIO_CONFIG_S_DRIVER_OK && !(status & VIRTIO_CONFIG_S_FEATURES_OK))
        status &= (uint8_t)~VIRTIO_CONFIG_S_DRIVER_OK;
    d->status = status | (d->status & VIRTIO_CONFIG_S_NEEDS_RESET);
    if (!(set & status & VIRTIO_CONFIG_S_DRIVER_OK))
        return;
    start_queues(d);
    if (d->type->activate)
        d->type->activate(d);
}

void virtio_accept(struct virtio_device *d, unsigned word, uint32_t features)
{
    uint64_t mask;

    if (word > 1 || d->status & VIRTIO_CONFIG_S_FEATURES_OK)
        return;
    mask = UINT64_C(0xffffffff) << 32 * word;
    d->negotiated = (d->negotiated & ~mask) | (uint64_t)features << 32 * word;
}

void virtio_config_changed(struct virtio_device *d)
{
    d->generation++;
    d->config_changed = true;
    if (d->status & VIRTIO_CONFIG_S_DRIVER_OK)
        event_signal(d->irq);
}

static void on_trouble(uv_poll_t *watch, int status, int events)
{
    struct virtio_device *d = watch->data;

    (void)status;
    (void)events;
    event_clear(d->trouble);
    virtio_lock(d);
    for (unsigned i = 0; i < d->queue_count; i++) {
        int fault = atomic_load(&d->queues[i].ring.fault);

        if (fault == VRING_OK || d->status & VIRTIO_CONFIG_S_NEEDS_RESET)
            continue;
        log_warn("%s: the guest broke queue %u: %s", d->type->name, i, vring_fault_names[fault]);
        d->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
        virtio_config_changed(d);
    }
    virtio_unlock(d);
}

void virtio_read_from(const void *config, size_t of, uint32_t offset, uint8_t *data, unsigned size)
{
    memset(data, 0, size);
    if (offset < of)
        memcpy(data, (const uint8_t *)config + offset, size < of - offset ? size : of - offset);
}

/* ---- making ---- */

static int watch(struct virtio_device *d, uv_poll_t *watch, int fd, uv_poll_cb call)
{
    int err;

    if (fd < 0)
        return -errno;
    if ((err = uv_poll_init(loop_uv(), watch, fd)) < 0)
        return err;
    watch->data = d;
    return uv_poll_start(watch, UV_READABLE, call);
}

int virtio_make(struct virtio_device *d, const struct virtio_type *type, unsigned queues,
                const struct vm_memory *memory)
{
    pthread_mutexattr_t recursive;
    int err;

    d->type = type;
    d->memory = memory;
    d->offered = COMMON_FEATURES | type->features;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&d->lock, &recursive);
    d->irq = event_make();
    d->trouble = event_make();
    if (d->irq < 0)
        return -errno;
    if ((err = watch(d, &d->trouble_watch, d->trouble, on_trouble)) < 0)
        return err;
    for (unsigned i = 0; i < queues; i++) {
        struct virtio_queue *q = &d->queues[i];

        q->ring.kick = event_make();
        q->ring.call = d->irq;
        q->ring.error = -1;
        q->ring.trouble = d->trouble;
        d->queue_count = i + 1;
        if ((err = watch(d, &q->watch, q->ring.kick, on_kick)) < 0)
            return err;
    }
    reset_queues(d);
    return 0;
}

void virtio_free(struct virtio_device *d)
{
    for (unsigned i = 0; i < d->queue_count; i++) {
        uv_poll_stop(&d->queues[i].watch);
        event_free(&d->queues[i].ring.kick);
    }
    uv_poll_stop(&d->trouble_watch);
    event_free(&d->irq);
    event_free(&d->trouble);
}
