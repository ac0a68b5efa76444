/*
 * machine.h -- one virtual machine: memory, processors, board, devices.
 *
 * Everything is made in an order that matters little and costs no more than it must, as clones wait
 * for it; then the kernel is loaded and the processors start. All functions here are for the loop's
 * thread. What the guest asks for (reset, power off) and what befalls it is carried out here; when
 * it is over, `ended` is called.
 */
#ifndef STROWGER_VMM_MACHINE_H
#define STROWGER_VMM_MACHINE_H

#include "vmm/board.h"
#include "vmm/boot.h"
#include "vmm/serial.h"
#include "vmm/vcpu.h"
#include "vmm/virtio_mmio.h"
#include "vmm/virtio_net.h"
#include "vmm/virtio_rng.h"
#include "vmm/vm_config.h"

#define MACHINE_DEVICES 18 /* virtio; as many interrupts there are for them */

enum machine_state { MACHINE_CREATED, MACHINE_RUNNING, MACHINE_PAUSED, MACHINE_ENDED };

extern const char *const machine_state_names[];

enum machine_end { MACHINE_OFF, MACHINE_FAILED };

struct machine {
    const struct vm_config *config;
    enum machine_state state;
    struct kvm_vm vm;
    struct vm_memory memory;
    struct bus ports, addresses;
    struct vcpus vcpus;
    struct serial serial;
    struct board board;
    struct virtio_rng rng;
    struct virtio_net nets[VM_NETS];
    unsigned net_count;
    struct virtio_mmio transports[MACHINE_DEVICES];
    unsigned transport_count;
    int kernel, initrd; /* descriptors; kept for a reset */
    uv_poll_t vcpu_watch, board_watch;
    uint64_t started_us; /* monotonic clock, when its first instruction ran */
    uint64_t resets;
    char why[256]; /* what went wrong */
    void (*ended)(struct machine *machine, enum machine_end how);
};

/* Makes what the configuration says, which must stay. 0, or negative errno with the reason in
 * `why`; machine_free() in any case. */
int machine_make(struct machine *machine, const struct vm_config *config);
void machine_free(struct machine *machine);

/* Loads the kernel and starts the guest. 0, or negative errno with the reason in `why`. */
int machine_start(struct machine *machine);

/* 0, or -EINVAL when its state does not allow that. */
int machine_pause(struct machine *machine);
int machine_resume(struct machine *machine);

/* As the button at a PC's front does. */
int machine_reset(struct machine *machine);

/* Presses the power button. */
void machine_press_button(struct machine *machine);

#endif
