/*
 * vcpu.h -- a guest's processors.
 *
 * Each is a thread that lives in KVM_RUN. What the guest does that is no mere computation comes out
 * as an exit, and is carried out here: ports and device memory by the buses (bus.h), under the
 * device's lock. That the guest wants to be reset, or is beyond help, is told to the loop's thread
 * by an eventfd, and the processor waits for what becomes of it.
 *
 * Stopping (vcpus_pause): a processor stops between two KVM_RUNs, and never with an exit half done:
 * what a port read is to give is only in the guest's register after KVM_RUN was entered again. So
 * it parks when KVM_RUN said EINTR, which the flag immediate_exit and a signal bring about, however
 * they meet with it.
 */
#ifndef STROWGER_VMM_VCPU_H
#define STROWGER_VMM_VCPU_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/kvm.h"

#define VCPUS_MAX 16

/* Why the guest can not go on by itself. */
enum vcpu_event {
    VCPU_NOTHING,
    VCPU_SHUTDOWN, /* triple fault: what a PC takes for a reset */
    VCPU_FAILED,   /* KVM gave up: `why` tells */
};

struct vcpus;
struct vcpu_state;

struct vcpu {
    struct vcpus *all;
    unsigned index;
    int fd;
    struct kvm_run *run;
    pthread_t thread;
    bool started;
    struct vcpu_state *power_on; /* what it was then: vcpu_state.h */
    _Atomic uint64_t exits, port_exits, memory_exits;
};

struct vcpus {
    const struct kvm_host *host;
    unsigned wanted, count; /* the latter are made */
    struct vcpu at[VCPUS_MAX];
    const struct bus *ports, *memory;
    int event_fd; /* readable: look at `event` */
    atomic_int event;
    char why[160];
    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool paused, ending;
    unsigned parked;
};

/* Makes `count` processors of the VM, with their CPUID. 0 or negative errno; vcpus_free() in any
 * case. */
int vcpus_make(struct vcpus *vcpus, struct kvm_vm *vm, unsigned count, const struct bus *ports,
               const struct bus *memory);
/* Ends the threads. */
void vcpus_free(struct vcpus *vcpus);

/* Starts their threads, paused. 0 or negative errno. */
int vcpus_start(struct vcpus *vcpus);

/* When it returns, no processor runs, and none has an exit half done. */
void vcpus_pause(struct vcpus *vcpus);
void vcpus_resume(struct vcpus *vcpus);

/* Where a guest begins. */
enum vcpu_mode {
    VCPU_LONG,      /* 64 bits, memory mapped 1:1 (Linux boot protocol, 64-bit) */
    VCPU_PROTECTED, /* 32 bits, no paging (PVH) */
    VCPU_REAL,      /* at the reset vector, as hardware does: firmware */
};

struct vcpu_entry {
    enum vcpu_mode mode;
    uint64_t ip;
    uint64_t rsi, rbx; /* what they hold */
};

/* Puts all processors into the state after power-on, the first one at the entry; the others wait to
 * be started by it. Only while paused. 0 or negative errno. */
int vcpus_reset(struct vcpus *vcpus, const struct vcpu_entry *entry);

/* Where the first processor finds the tables that the mode VCPU_LONG needs: see boot.c. */
#define VCPU_GDT         0x500u
#define VCPU_PAGE_TABLES 0x9000u

#endif
