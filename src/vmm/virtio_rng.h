/*
 * virtio_rng.h -- entropy for the guest: virtio 1.2 clause 5.4. Each buffer is filled with bytes of
 * the host's generator (getrandom(2)).
 */
#ifndef STROWGER_VMM_VIRTIO_RNG_H
#define STROWGER_VMM_VIRTIO_RNG_H

#include "vmm/virtio.h"

struct virtio_rng {
    struct virtio_device device;
};

/* 0 or negative errno; virtio_free() of the device in any case. */
int virtio_rng_make(struct virtio_rng *rng, const struct vm_memory *memory);

#endif
