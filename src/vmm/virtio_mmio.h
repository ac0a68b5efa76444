/*
 * virtio_mmio.h -- a virtio device behind memory registers: virtio 1.2 clause 4.2.
 *
 * One page of registers and one interrupt; the guest is told by ACPI (acpi.h). A write of
 * QueueNotify is no exit: KVM signals the queue's eventfd.
 *
 * The register InterruptStatus always says that queues have been used: rings interrupt by an
 * eventfd that KVM takes in by itself, so nobody is there to note it, and a driver that looks in
 * vain loses nothing but that look.
 */
#ifndef STROWGER_VMM_VIRTIO_MMIO_H
#define STROWGER_VMM_VIRTIO_MMIO_H

#include "vmm/bus.h"
#include "vmm/kvm.h"
#include "vmm/virtio.h"

#define VIRTIO_MMIO_SIZE 0x1000u

struct virtio_mmio {
    struct virtio_device *device;
    uint32_t device_features_sel, driver_features_sel, queue_sel;
};

/* Puts the device's registers at this address. 0 or negative errno. */
int virtio_mmio_add(struct virtio_mmio *transport, struct virtio_device *device, struct bus *memory,
                    uint64_t at);

/* Has KVM raise this interrupt for the device, and signal its queues when the guest kicks them. 0
 * or negative errno. */
int virtio_mmio_wire(struct virtio_mmio *transport, struct kvm_vm *vm, uint64_t at, unsigned gsi);

#endif
