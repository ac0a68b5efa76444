/*
 * kvm.h -- the kernel's half of a virtual machine: linux/kvm.h, Documentation/virt/kvm/api.rst.
 *
 * Opens /dev/kvm once for the process and finds out what it can; makes a VM with memory and an
 * interrupt controller. The in-kernel one is used, and no PIT: a guest that finds ACPI's
 * reduced-hardware profile does not look for one. Memory is given before the controller is made:
 * the other order costs 5 ms.
 */
#ifndef STROWGER_VMM_KVM_H
#define STROWGER_VMM_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/memory.h"

#define KVM_CPUID_MAX 160

struct kvm_host {
    int fd;
    size_t run_size;   /* of what a vCPU shares with us */
    size_t xsave_size; /* of a vCPU's extended state */
    bool xsave2, tsc_deadline;
    struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[KVM_CPUID_MAX];
    } cpuid; /* what it can give a guest */
};

/* The interrupt controllers: 8259 (two) and I/O APIC. */
#define KVM_CHIPS 3

struct kvm_vm {
    const struct kvm_host *host;
    int fd;
    struct kvm_irqchip power_on[KVM_CHIPS]; /* as KVM made them */
};

/* Of the process; NULL and the reason in `why` when there is no KVM that can be used. */
const struct kvm_host *kvm_host_open(char *why, size_t size);

/* A VM with this memory and interrupt controllers. 0 or negative errno. */
int kvm_vm_make(struct kvm_vm *vm, const struct kvm_host *host, const struct vm_memory *memory);
void kvm_vm_free(struct kvm_vm *vm);

/* The interrupt controllers' state, and theirs after power-on. 0 or negative errno. */
int kvm_vm_get_chips(const struct kvm_vm *vm, struct kvm_irqchip chips[KVM_CHIPS]);
int kvm_vm_set_chips(const struct kvm_vm *vm, const struct kvm_irqchip chips[KVM_CHIPS]);
int kvm_vm_reset(const struct kvm_vm *vm);

/* The interrupt `gsi` is raised when the eventfd `fd` is written. 0 or negative errno. */
int kvm_vm_irqfd(struct kvm_vm *vm, int fd, unsigned gsi, bool on);

/* A write of the 32-bit `value` to the address signals the eventfd, and is no exit. 0 or negative
 * errno. */
int kvm_vm_ioeventfd(struct kvm_vm *vm, uint64_t at, uint32_t value, int fd, bool on);

#endif
