/*
 * virtio_rng.c -- see virtio_rng.h.
 */
#include <sys/random.h>

#include "vmm/virtio_rng.h"

#define RNG_MOST 65536u /* bytes for one request: a guest asks again */

static size_t fill(const struct vring_request *r)
{
    size_t done = 0;

    for (unsigned i = r->out_count; i < r->out_count + r->in_count && done < RNG_MOST; i++) {
        size_t n = r->pieces[i].iov_len;
        ssize_t got = getrandom(r->pieces[i].iov_base, n < RNG_MOST ? n : RNG_MOST, GRND_NONBLOCK);

        if (got > 0)
            done += (size_t)got;
        if (got != (ssize_t)n)
            break;
    }
    return done;
}

static void kick(struct virtio_device *d, unsigned queue)
{
    struct virtqueue *q = &d->queues[queue].ring;
    struct vring_request r;

    while (vring_take(q, &d->memory->map, &r))
        vring_give(q, &d->memory->map, &r, fill(&r));
}

static void read_config(struct virtio_device *d, uint32_t offset, uint8_t *data, unsigned size)
{
    (void)d;
    virtio_read_from(NULL, 0, offset, data, size);
}

static const struct virtio_type type = {
    .name = "rng",
    .id = VIRTIO_ID_RNG,
    .config_read = read_config,
    .kick = kick,
};

int virtio_rng_make(struct virtio_rng *rng, const struct vm_memory *memory)
{
    return virtio_make(&rng->device, &type, 1, memory);
}
