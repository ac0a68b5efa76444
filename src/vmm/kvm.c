/*
 * kvm.c -- see kvm.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/kvm.h"

/* Below 4 GiB, where no memory and no device is: three pages that Intel's processors want. */
#define IDENTITY_MAP UINT64_C(0xfffbc000)
#define TSS          0xfffbd000ul

static const struct {
    int capability;
    const char *name;
} needed[] = {
    {KVM_CAP_IRQCHIP, "interrupt controllers"},
    {KVM_CAP_USER_MEMORY, "user memory"},
    {KVM_CAP_SET_TSS_ADDR, "TSS address"},
    {KVM_CAP_EXT_CPUID, "CPUID"},
    {KVM_CAP_IRQFD, "irqfd"},
    {KVM_CAP_IOEVENTFD, "ioeventfd"},
    {KVM_CAP_IMMEDIATE_EXIT, "immediate exit"},
    {KVM_CAP_SIGNAL_MSI, "MSI"},
};

static bool lacks_something(int fd, char *why, size_t size)
{
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (ioctl(fd, KVM_CHECK_EXTENSION, needed[i].capability) <= 0) {
            snprintf(why, size, "this kernel's KVM has no %s", needed[i].name);
            return true;
        }
    return false;
}

static int host_open(struct kvm_host *host, char *why, size_t size)
{
    int xsave2;

    host->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (host->fd < 0) {
        snprintf(why, size, "/dev/kvm: %s%s", strerror(errno),
                 errno == EACCES ? " (be a member of the group kvm)"
                 : errno == ENOENT
                     ? " (load kvm-intel or kvm-amd; is virtualization switched off in "
                       "the firmware?)"
                     : "");
        return -errno;
    }
    if (ioctl(host->fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
        snprintf(why, size, "/dev/kvm speaks another version than %d", KVM_API_VERSION);
        return -EPROTO;
    }
    if (lacks_something(host->fd, why, size))
        return -ENOTSUP;
    host->run_size = (size_t)ioctl(host->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    xsave2 = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
    host->xsave2 = xsave2 > 0;
    host->xsave_size = xsave2 > 0 ? (size_t)xsave2 : sizeof(struct kvm_xsave);
    host->tsc_deadline = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    host->cpuid.head.nent = KVM_CPUID_MAX;
    if (ioctl(host->fd, KVM_GET_SUPPORTED_CPUID, &host->cpuid) < 0) {
        snprintf(why, size, "what KVM can give a guest is not to be had: %s", strerror(errno));
        return -errno;
    }
    return 0;
}

const struct kvm_host *kvm_host_open(char *why, size_t size)
{
    static struct kvm_host host = {.fd = -1};

    if (host.fd < 0 && host_open(&host, why, size) < 0) {
        if (host.fd >= 0)
            close(host.fd);
        host.fd = -1;
        return NULL;
    }
    return &host;
}

static int set_memory(int fd, const struct vm_memory *memory)
{
    for (unsigned i = 0; i < memory->map.count; i++) {
        const struct guest_region *r = &memory->map.regions[i];
        struct kvm_userspace_memory_region region = {
            .slot = i,
            .guest_phys_addr = r->guest,
            .memory_size = r->size,
            .userspace_addr = (uint64_t)(uintptr_t)r->at,
        };

        if (ioctl(fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
            return -errno;
    }
    return 0;
}

int kvm_vm_make(struct kvm_vm *vm, const struct kvm_host *host, const struct vm_memory *memory)
{
    uint64_t identity_map = IDENTITY_MAP;
    int err;

    *vm = (struct kvm_vm){.host = host, .fd = ioctl(host->fd, KVM_CREATE_VM, 0)};
    if (vm->fd < 0)
        return -errno;
    if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
        ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS) < 0)
        return -errno;
    if ((err = set_memory(vm->fd, memory)) < 0)
        return err;
    if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
        return -errno;
    return kvm_vm_get_chips(vm, vm->power_on);
}

int kvm_vm_get_chips(const struct kvm_vm *vm, struct kvm_irqchip chips[KVM_CHIPS])
{
    for (unsigned i = 0; i < KVM_CHIPS; i++) {
        chips[i].chip_id = i;
        if (ioctl(vm->fd, KVM_GET_IRQCHIP, &chips[i]) < 0)
            return -errno;
    }
    return 0;
}

int kvm_vm_set_chips(const struct kvm_vm *vm, const struct kvm_irqchip chips[KVM_CHIPS])
{
    for (unsigned i = 0; i < KVM_CHIPS; i++)
        if (ioctl(vm->fd, KVM_SET_IRQCHIP, &chips[i]) < 0)
            return -errno;
    return 0;
}

int kvm_vm_reset(const struct kvm_vm *vm)
{
    return kvm_vm_set_chips(vm, vm->power_on);
}

void kvm_vm_free(struct kvm_vm *vm)
{
    if (vm->fd >= 0)
        close(vm->fd);
    vm->fd = -1;
}

int kvm_vm_irqfd(struct kvm_vm *vm, int fd, unsigned gsi, bool on)
{
    struct kvm_irqfd irqfd = {
        .fd = (uint32_t)fd, .gsi = gsi, .flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN};

    return ioctl(vm->fd, KVM_IRQFD, &irqfd) < 0 ? -errno : 0;
}

int kvm_vm_ioeventfd(struct kvm_vm *vm, uint64_t at, uint32_t value, int fd, bool on)
{
    struct kvm_ioeventfd event = {
        .addr = at,
        .len = 4,
        .datamatch = value,
        .fd = fd,
        .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | (on ? 0u : KVM_IOEVENTFD_FLAG_DEASSIGN),
    };

    return ioctl(vm->fd, KVM_IOEVENTFD, &event) < 0 ? -errno : 0;
}
