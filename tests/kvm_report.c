/*
 * kvm_report.c -- what /dev/kvm can do, one `name number` on each line, for tests/peer/rig_test.py
 * and for who wonders why a feature of the hypervisor is off on some machine. The numbers are what
 * KVM_CHECK_EXTENSION says (Documentation/virt/kvm/api.rst 4.4); where a VM matters, it is asked of
 * a VM.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

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

enum { RAM = 2 << 20, CODE = 0x10000, STACK = 0xc000, CPUIDS = 256 };

__asm__(".pushsection .rodata\n"
        "guest: mov $0x11000, %esi\n mov $5, %ecx\n movd %ecx, %xmm1\n paddd %xmm1, %xmm1\n"
        "xor %eax, %eax\n xor %edx, %edx\n movd %xmm1, %ebx\n lock cmpxchg16b (%rsi)\n"
        "mov (%rsi), %al\n out %al, $0x10\n"
        "guest_end: .popsection\n");
extern const char guest[], guest_end[];

/* 64-bit mode with the first 2 MiB mapped one to one: Intel SDM volume 3, 4.5 and 3.4.5. */
static int set_registers(int cpu)
{
    struct kvm_segment code = {
        .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
    struct kvm_regs regs = {.rip = CODE, .rsp = STACK, .rflags = 2};
    struct kvm_sregs s;

    if (ioctl(cpu, KVM_GET_SREGS, &s) < 0)
        return -1;
    s.cs = code;
    s.ds = s.es = s.fs = s.gs = s.ss = data;
    s.cr3 = 0x1000;
    s.cr4 = 1 << 5 | 1 << 9; /* PAE, OSFXSR */
    s.cr0 = 0x80000033;      /* PG, NE, ET, MP, PE */
    s.efer = 0x500;          /* LME, LMA */
    return ioctl(cpu, KVM_SET_SREGS, &s) < 0 || ioctl(cpu, KVM_SET_REGS, &regs) < 0 ? -1 : 0;
}

static int set_cpuid(int kvm, int cpu)
{
    static union {
        struct kvm_cpuid2 head;
        char room[sizeof(struct kvm_cpuid2) + CPUIDS * sizeof(struct kvm_cpuid_entry2)];
    } ids = {.head.nent = CPUIDS};

    return ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &ids) < 0 || ioctl(cpu, KVM_SET_CPUID2, &ids) < 0
               ? -1
               : 0;
}

/* Whether the guest came to its end with the right result. */
static int plain_guests(int kvm, int vm)
{
    static const struct {
        size_t at;
        unsigned long entry;
    } tables[] = {{0x1000, 0x2003}, {0x2000, 0x3003}, {0x3000, 0x83}};
    char *ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region slot = {.memory_size = RAM,
                                               .userspace_addr = (unsigned long)ram};
    struct kvm_run *run = MAP_FAILED;
    int cpu = -1;

    if (ram == MAP_FAILED)
        return 0;
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        memcpy(ram + tables[i].at, &tables[i].entry, sizeof(tables[i].entry));
    memcpy(ram + CODE, guest, (size_t)(guest_end - guest));
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) == 0)
        cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (cpu >= 0)
        run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
                   MAP_SHARED, cpu, 0);
    if (run == MAP_FAILED || set_cpuid(kvm, cpu) < 0 || set_registers(cpu) < 0 ||
        ioctl(cpu, KVM_RUN, 0) < 0)
        return 0;
    return run->exit_reason == KVM_EXIT_IO && run->io.port == 0x10 &&
           *((char *)run + run->io.data_offset) == 10;
}

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
    printf("plain_guests %d\n", plain_guests(kvm, vm));
    return 0;
}
