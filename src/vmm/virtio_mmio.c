/*
 * virtio_mmio.c -- see virtio_mmio.h.
 */
#include <linux/virtio_mmio.h>

#include "vmm/virtio_mmio.h"

#define MAGIC   0x74726976u /* "virt" */
#define VERSION 2u
#define VENDOR  0x57525453u /* "STRW" */

static struct virtio_queue *selected(const struct virtio_mmio *t)
{
    return t->queue_sel < t->device->queue_count ? &t->device->queues[t->queue_sel] : NULL;
}

static uint32_t interrupt_status(const struct virtio_device *d)
{
    return VIRTIO_MMIO_INT_VRING | (d->config_changed ? VIRTIO_MMIO_INT_CONFIG : 0u);
}

static uint32_t read_register(const struct virtio_mmio *t, uint64_t offset)
{
    const struct virtio_device *d = t->device;
    const struct virtio_queue *q = selected(t);

    switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE:
        return MAGIC;
    case VIRTIO_MMIO_VERSION:
        return VERSION;
    case VIRTIO_MMIO_DEVICE_ID:
        return d->type->id;
    case VIRTIO_MMIO_VENDOR_ID:
        return VENDOR;
    case VIRTIO_MMIO_DEVICE_FEATURES:
        return t->device_features_sel < 2 ? (uint32_t)(d->offered >> 32 * t->device_features_sel)
                                          : 0;
    case VIRTIO_MMIO_QUEUE_NUM_MAX:
        return q ? VIRTIO_QUEUE_SIZE : 0;
    case VIRTIO_MMIO_QUEUE_READY:
        return q && q->ready;
    case VIRTIO_MMIO_INTERRUPT_STATUS:
        return interrupt_status(d);
    case VIRTIO_MMIO_STATUS:
        return d->status;
    case VIRTIO_MMIO_CONFIG_GENERATION:
        return d->generation;
    case VIRTIO_MMIO_SHM_LEN_LOW:
    case VIRTIO_MMIO_SHM_LEN_HIGH:
        return 0xffffffff; /* no such region */
    default:
        return 0;
    }
}

static void on_read(void *device, uint64_t offset, uint8_t *data, unsigned size)
{
    struct virtio_mmio *t = device;

    if (offset >= VIRTIO_MMIO_CONFIG)
        t->device->type->config_read(t->device, (uint32_t)(offset - VIRTIO_MMIO_CONFIG), data,
                                     size);
    else
        bus_answer(data, size, size == 4 ? read_register(t, offset) : 0);
}

static void set_low(uint64_t *address, uint32_t value)
{
    *address = (*address & ~UINT64_C(0xffffffff)) | value;
}

static void set_high(uint64_t *address, uint32_t value)
{
    *address = (*address & 0xffffffff) | (uint64_t)value << 32;
}

/* Where a queue is, as long as it is not in use. */
static void write_queue(struct virtio_mmio *t, uint64_t offset, uint32_t value)
{
    struct virtio_queue *q = selected(t);

    if (!q)
        return;
    if (offset == VIRTIO_MMIO_QUEUE_READY) {
        virtio_set_ready(t->device, t->queue_sel, value & 1);
        return;
    }
    if (q->ready)
        return;
    switch (offset) {
    case VIRTIO_MMIO_QUEUE_NUM:
        q->size = value <= VIRTIO_QUEUE_SIZE ? (uint16_t)value : 0;
        break;
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
        set_low(&q->desc, value);
        break;
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
        set_high(&q->desc, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
        set_low(&q->avail, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
        set_high(&q->avail, value);
        break;
    case VIRTIO_MMIO_QUEUE_USED_LOW:
        set_low(&q->used, value);
        break;
    case VIRTIO_MMIO_QUEUE_USED_HIGH:
        set_high(&q->used, value);
        break;
    default:
        break;
    }
}

static void write_register(struct virtio_mmio *t, uint64_t offset, uint32_t value)
{
    struct virtio_device *d = t->device;

    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
        t->device_features_sel = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
        t->driver_features_sel = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES:
        virtio_accept(d, t->driver_features_sel, value);
        break;
    case VIRTIO_MMIO_QUEUE_SEL:
        t->queue_sel = value;
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY:
        virtio_kick(d, value);
        break;
    case VIRTIO_MMIO_INTERRUPT_ACK:
        if (value & VIRTIO_MMIO_INT_CONFIG)
            d->config_changed = false;
        break;
    case VIRTIO_MMIO_STATUS:
        virtio_set_status(d, (uint8_t)value);
        break;
    default:
        write_queue(t, offset, value);
    }
}

static void on_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    struct virtio_mmio *t = device;
    struct virtio_device *d = t->device;

    if (offset < VIRTIO_MMIO_CONFIG && size == 4)
        write_register(t, offset, (uint32_t)bus_value(data, size));
    else if (offset >= VIRTIO_MMIO_CONFIG && d->type->config_write)
        d->type->config_write(d, (uint32_t)(offset - VIRTIO_MMIO_CONFIG), data, size);
}

int virtio_mmio_add(struct virtio_mmio *t, struct virtio_device *d, struct bus *memory, uint64_t at)
{
    struct bus_region region = {.at = at,
                                .size = VIRTIO_MMIO_SIZE,
                                .read = on_read,
                                .write = on_write,
                                .device = t,
                                .lock = &d->lock};

    *t = (struct virtio_mmio){.device = d};
    return bus_add(memory, &region);
}

int virtio_mmio_wire(struct virtio_mmio *t, struct kvm_vm *vm, uint64_t at, unsigned gsi)
{
    struct virtio_device *d = t->device;

    for (unsigned i = 0; i < d->queue_count; i++) {
        int err =
            kvm_vm_ioeventfd(vm, at + VIRTIO_MMIO_QUEUE_NOTIFY, i, d->queues[i].ring.kick, true);

        if (err < 0)
            return err;
    }
    return kvm_vm_irqfd(vm, d->irq, gsi, true);
}
