/*
 * vcpu_state.h -- what a processor is: its CPUID, and all that KVM lets us read and write of it.
 *
 * The parts are a table (vcpu_state.c) in the order in which they must be read and, which is
 * another, written: one part's ioctl changes what another's means. A processor's state after
 * power-on is kept, and a reset is its return. Only for a processor that is paused, or has no
 * thread yet.
 */
#ifndef STROWGER_VMM_VCPU_STATE_H
#define STROWGER_VMM_VCPU_STATE_H

#include "vmm/vcpu.h"

#define VCPU_MSRS 256

struct vcpu_state {
    struct kvm_mp_state mp_state;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xcrs xcrs;
    struct kvm_debugregs debugregs;
    struct kvm_lapic_state lapic;
    struct kvm_vcpu_events events;
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entries[VCPU_MSRS];
    } msrs;
    uint8_t xsave[]; /* vcpu_xsave_size() */
};

/* What the processor tells of itself. 0 or negative errno. */
int vcpu_set_cpuid(struct vcpu *vcpu, const struct kvm_host *host);

/* Bytes of a struct vcpu_state on this host. */
size_t vcpu_state_size(const struct kvm_host *host);

/* Reads and writes all of it. 0 or negative errno; `what` is the part that failed. */
int vcpu_state_get(struct vcpu *vcpu, struct vcpu_state *state, const char **what);
int vcpu_state_set(struct vcpu *vcpu, const struct vcpu_state *state, const char **what);

#endif
