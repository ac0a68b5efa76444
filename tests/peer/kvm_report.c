/*
 * kvm_report.c -- what /dev/kvm can do, one `name number` on each line, for tests/peer/rig_test.py
 * and for who wonders why a feature of the hypervisor is off on some machine. The numbers are what
 * KVM_CHECK_EXTENSION says (Documentation/virt/kvm/api.rst 4.4); where a VM matters, it is asked of
 * a VM.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>

static const struct {
    const char *name;
    long number;
} capabilities[] = {
    {"irqchip", KVM_CAP_IRQCHIP},
    {"split_irqchip", KVM_CAP_SPLIT_IRQCHIP},
    {"irqfd", KVM_CAP_IRQFD},
    {"ioeventfd", KVM_CAP_IOEVENTFD},
    {"immediate_exit", KVM_CAP_IMMEDIATE_EXIT},
    {"user_memory", KVM_CAP_USER_MEMORY},
    {"memory_slots", KVM_CAP_NR_MEMSLOTS},
    {"vcpus", KVM_CAP_NR_VCPUS},
    {"dirty_log_protect2", KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2},
    {"dirty_ring", KVM_CAP_DIRTY_LOG_RING},
    {"xsave2", KVM_CAP_XSAVE2},
    {"xcrs", KVM_CAP_XCRS},
    {"sync_regs", KVM_CAP_SYNC_REGS},
    {"adjust_clock", KVM_CAP_ADJUST_CLOCK},
    {"kvmclock_ctrl", KVM_CAP_KVMCLOCK_CTRL},
    {"tsc_control", KVM_CAP_TSC_CONTROL},
    {"tsc_deadline", KVM_CAP_TSC_DEADLINE_TIMER},
    {"nested_state", KVM_CAP_NESTED_STATE},
    {"smm", KVM_CAP_X86_SMM},
};

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);

    if (vm < 0) {
        perror("/dev/kvm");
        return 1;
    }
    printf("api %d\n", ioctl(kvm, KVM_GET_API_VERSION, 0));
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
        printf("%s %d\n", capabilities[i].name,
               ioctl(vm, KVM_CHECK_EXTENSION, capabilities[i].number));
    return 0;
}
