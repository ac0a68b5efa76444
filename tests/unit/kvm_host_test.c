/*
 * kvm_host_test.c -- what `strowger vm` takes for granted of a machine's KVM, each with a guest of
 * a few instructions: exits for ports and memory, interrupts by irqfd, ioeventfd, the dirty log,
 * all state moved into another VM, and the ways to make a vCPU stop. Where one of these fails the
 * hypervisor's own tests cannot hold, and this says which. Skipped where there is no /dev/kvm.
 *
 * A guest starts in 64-bit mode with 4 GiB mapped one to one: tables from 0x1000, GDT at 0x7000,
 * IDT at 0x8000, the stack below 0xc000, the code at 0x10000. The lines with times are for the
 * reader; nothing depends on them.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { RAM = 4 << 20, CODE = 0x10000, STACK = 0xc000, VECTOR = 0x40, CPUIDS = 256, MSRS = 1024 };
enum { MMIO = 0xd0000000u, APIC = 0xfee00000u };
enum { PORT_STEP = 0x10, PORT_DONE, PORT_VALUE, PORT_INTERRUPT, PORT_EVENT };

/* The guests. Ports and addresses are those above. */
__asm__(".pushsection .rodata\n"
        "guests:\n"
        "guest_ports: mov $1000, %ecx\n"
        "1: out %al, $0x10\n dec %ecx\n jnz 1b\n out %al, $0x11\n hlt\n"
        "guest_mmio: mov $0xd0000000, %ebx\n movl $0x12345678, (%rbx)\n"
        "mov 4(%rbx), %eax\n out %eax, $0x12\n hlt\n"
        "guest_waits: mov $0xfee000f0, %ebx\n movl $0x1ff, (%rbx)\n out %al, $0x11\n"
        "1: sti\n hlt\n jmp 1b\n"
        "guest_spins: mov $0xfee000f0, %ebx\n movl $0x1ff, (%rbx)\n out %al, $0x11\n sti\n"
        "1: pause\n jmp 1b\n"
        "guest_handler: push %rbx\n mov $0xfee000b0, %ebx\n movl $0, (%rbx)\n out %al, $0x13\n"
        "pop %rbx\n iretq\n"
        "guest_dirties: mov $0x100000, %ebx\n movb $1, 0x3000(%rbx)\n movb $1, 0x5000(%rbx)\n"
        "out %al, $0x11\n movb $1, 0x7000(%rbx)\n out %al, $0x11\n hlt\n"
        "guest_counts: xor %eax, %eax\n xor %r12d, %r12d\n"
        "1: inc %eax\n add %eax, %r12d\n mov %r12d, %edx\n"
        "out %eax, $0x12\n xchg %eax, %edx\n out %eax, $0x12\n xchg %eax, %edx\n jmp 1b\n"
        "guest_events: out %al, $0x14\n out %al, $0x11\n hlt\n"
        "guests_end:\n"
        ".popsection\n");
extern const char guests[], guests_end[], guest_ports[], guest_mmio[], guest_waits[], guest_spins[],
    guest_handler[], guest_dirties[], guest_counts[], guest_events[];

enum irqchip { NO_IRQCHIP, SPLIT, WHOLE };

struct machine {
    int vm, cpu;
    enum irqchip irqchip;
    uint8_t *ram;
    struct kvm_run *run;
    size_t run_size;
};

static int kvm = -1;

#define NEEDS_KVM() \
    if (kvm < 0)    \
    skip()

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* An ioctl that must work, named when it does not. */
static int call(int fd, unsigned long request, const char *name, void *argument)
{
    int n = ioctl(fd, request, argument);

    if (n < 0)
        fail_msg("%s: %s", name, strerror(errno));
    return n;
}
#define CALL(fd, request, argument) call(fd, request, #request, argument)

/* ---- a machine ---- */

static uint64_t address_of(const char *guest)
{
    return CODE + (uint64_t)(guest - guests);
}

static void put64(struct machine *m, uint64_t at, uint64_t value)
{
    memcpy(m->ram + at, &value, sizeof(value));
}

/* Intel SDM volume 3, 4.5 (tables), 3.4.5 (descriptors), 6.14.1 (64-bit gates) */
static void fill_ram(struct machine *m)
{
    uint64_t handler = address_of(guest_handler);
    uint64_t gate =
        (handler & 0xffff) | 8 << 16 | (uint64_t)0x8e00 << 32 | (handler >> 16 & 0xffff) << 48;

    put64(m, 0x1000, 0x2000 | 3);
    for (uint64_t i = 0; i < 4; i++)
        put64(m, 0x2000 + 8 * i, (0x3000 + 0x1000 * i) | 3);
    for (uint64_t i = 0; i < 2048; i++)
        put64(m, 0x3000 + 8 * i, i << 21 | 0x83);
    put64(m, 0x7008, 0x00af9b000000ffff);
    put64(m, 0x7010, 0x00cf93000000ffff);
    put64(m, 0x8000 + 16 * VECTOR, gate);
    memcpy(m->ram + CODE, guests, (size_t)(guests_end - guests));
}

static void set_cpuid(int cpu)
{
    struct kvm_cpuid2 *ids = calloc(1, sizeof(*ids) + CPUIDS * sizeof(ids->entries[0]));

    assert_non_null(ids);
    ids->nent = CPUIDS;
    CALL(kvm, KVM_GET_SUPPORTED_CPUID, ids);
    CALL(cpu, KVM_SET_CPUID2, ids);
    free(ids);
}

static void start_at(struct machine *m, const char *guest)
{
    struct kvm_segment code = {
        .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
    struct kvm_regs regs = {.rip = address_of(guest), .rsp = STACK, .rflags = 2};
    struct kvm_sregs s;

    CALL(m->cpu, KVM_GET_SREGS, &s);
    s.cs = code;
    s.ds = s.es = s.fs = s.gs = s.ss = data;
    s.gdt = (struct kvm_dtable){.base = 0x7000, .limit = 23};
    s.idt = (struct kvm_dtable){.base = 0x8000, .limit = 0xfff};
    s.cr3 = 0x1000;
    s.cr4 = 1 << 5 | 1 << 9; /* PAE, OSFXSR */
    s.cr0 = 0x80000033;      /* PG, NE, ET, MP, PE */
    s.efer = 0x500;          /* LME, LMA */
    CALL(m->cpu, KVM_SET_SREGS, &s);
    CALL(m->cpu, KVM_SET_REGS, &regs);
}

static struct machine create(enum irqchip irqchip, const char *guest, uint32_t memory_flags)
{
    struct machine m = {.irqchip = irqchip};
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};
    struct kvm_userspace_memory_region slot = {.flags = memory_flags, .memory_size = RAM};

    m.vm = CALL(kvm, KVM_CREATE_VM, NULL);
    m.ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(m.ram, MAP_FAILED);
    slot.userspace_addr = (uintptr_t)m.ram;
    CALL(m.vm, KVM_SET_USER_MEMORY_REGION, &slot);
    if (irqchip == WHOLE)
        CALL(m.vm, KVM_CREATE_IRQCHIP, NULL);
    if (irqchip == SPLIT)
        CALL(m.vm, KVM_ENABLE_CAP, &split);
    m.cpu = CALL(m.vm, KVM_CREATE_VCPU, NULL);
    m.run_size = (size_t)CALL(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
    m.run = mmap(NULL, m.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m.cpu, 0);
    assert_ptr_not_equal(m.run, MAP_FAILED);
    set_cpuid(m.cpu);
    fill_ram(&m);
    if (guest)
        start_at(&m, guest);
    return m;
}

static void destroy(struct machine *m)
{
    munmap(m->run, m->run_size);
    close(m->cpu);
    close(m->vm);
    munmap(m->ram, RAM);
}

/* Runs to the next exit, which must be a write to this port; what was written. */
static uint32_t run_to_port(struct machine *m, uint16_t port)
{
    uint32_t value = 0;

    CALL(m->cpu, KVM_RUN, NULL);
    if (m->run->exit_reason != KVM_EXIT_IO)
        fail_msg("exit %u (detail %u) instead of port %#x", m->run->exit_reason,
                 m->run->internal.suberror, port);
    assert_int_equal(m->run->io.port, port);
    assert_int_equal(m->run->io.direction, KVM_EXIT_IO_OUT);
    memcpy(&value, (uint8_t *)m->run + m->run->io.data_offset, m->run->io.size);
    return value;
}

/* ---- exits ---- */

static void vms_are_created(void **state)
{
    static const char *const names[] = {"no irqchip", "split irqchip", "whole irqchip"};

    (void)state;
    NEEDS_KVM();
    for (enum irqchip irqchip = NO_IRQCHIP; irqchip <= WHOLE; irqchip++) {
        double begin = now_us();
        struct machine m = create(irqchip, guest_ports, 0);
        double middle = now_us();

        destroy(&m);
        print_message("# %s: created in %.0f us, closed in %.0f us\n", names[irqchip],
                      middle - begin, now_us() - middle);
    }
}

static void ports_exit(void **state)
{
    struct machine m;
    double begin;

    (void)state;
    NEEDS_KVM();
    m = create(SPLIT, guest_ports, 0);
    begin = now_us();
    for (size_t i = 0; i < 1000; i++)
        run_to_port(&m, PORT_STEP);
    print_message("# %.1f us for each exit by a port\n", (now_us() - begin) / 1000);
    run_to_port(&m, PORT_DONE);
    destroy(&m);
}

static void halt_exits_without_irqchip(void **state)
{
    struct machine m;

    (void)state;
    NEEDS_KVM();
    m = create(NO_IRQCHIP, guest_events, 0);
    run_to_port(&m, PORT_EVENT);
    run_to_port(&m, PORT_DONE);
    CALL(m.cpu, KVM_RUN, NULL);
    assert_int_equal(m.run->exit_reason, KVM_EXIT_HLT);
    destroy(&m);
}

static void memory_exits(void **state)
{
    struct machine m;
    uint32_t value = 0x9abcdef0;

    (void)state;
    NEEDS_KVM();
    m = create(SPLIT, guest_mmio, 0);
    CALL(m.cpu, KVM_RUN, NULL);
    assert_int_equal(m.run->exit_reason, KVM_EXIT_MMIO);
    assert_true(m.run->mmio.is_write && m.run->mmio.phys_addr == MMIO && m.run->mmio.len == 4);
    assert_memory_equal(m.run->mmio.data, "\x78\x56\x34\x12", 4);
    CALL(m.cpu, KVM_RUN, NULL);
    assert_int_equal(m.run->exit_reason, KVM_EXIT_MMIO);
    assert_true(!m.run->mmio.is_write && m.run->mmio.phys_addr == MMIO + 4 && m.run->mmio.len == 4);
    memcpy(m.run->mmio.data, &value, 4);
    assert_int_equal(run_to_port(&m, PORT_VALUE), value);
    destroy(&m);
}

/* ---- events ---- */

static int interrupt_fd(struct machine *m)
{
    struct {
        struct kvm_irq_routing head;
        struct kvm_irq_routing_entry entry;
    } routes = {.head = {.nr = 1},
                .entry = {.gsi = 5,
                          .type = KVM_IRQ_ROUTING_MSI,
                          .u.msi = {.address_lo = APIC, .data = VECTOR}}};
    struct kvm_irqfd irqfd = {.fd = (uint32_t)eventfd(0, EFD_CLOEXEC), .gsi = 5};

    CALL(m->vm, KVM_SET_GSI_ROUTING, &routes);
    CALL(m->vm, KVM_IRQFD, &irqfd);
    return (int)irqfd.fd;
}

static void *ring_later(void *fd)
{
    struct timespec pause = {.tv_nsec = 20000000};
    uint64_t one = 1;

    nanosleep(&pause, NULL);
    if (write(*(int *)fd, &one, sizeof(one)) != sizeof(one))
        abort();
    return NULL;
}

static void interrupts_reach(enum irqchip irqchip, const char *guest, const char *name)
{
    struct machine m = create(irqchip, guest, 0);
    int fd = interrupt_fd(&m);
    uint64_t one = 1;
    double begin;
    pthread_t thread;

    run_to_port(&m, PORT_DONE);
    begin = now_us();
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
        run_to_port(&m, PORT_INTERRUPT);
    }
    print_message("# %.1f us from an interrupt to its handler's exit (%s)\n",
                  (now_us() - begin) / 100, name);
    assert_int_equal(pthread_create(&thread, NULL, ring_later, &fd), 0);
    run_to_port(&m, PORT_INTERRUPT); /* the vCPU halts or spins when it comes */
    pthread_join(thread, NULL);
    close(fd);
    destroy(&m);
}

static void interrupts_come_by_irqfd(void **state)
{
    (void)state;
    NEEDS_KVM();
    interrupts_reach(SPLIT, guest_waits, "split irqchip, halted");
    interrupts_reach(SPLIT, guest_spins, "split irqchip, running");
    interrupts_reach(WHOLE, guest_waits, "whole irqchip, halted");
}

static void writes_ring_ioeventfd(void **state)
{
    struct machine m;
    struct kvm_ioeventfd event = {.addr = PORT_EVENT, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO};
    uint64_t count = 0;

    (void)state;
    NEEDS_KVM();
    m = create(SPLIT, guest_events, 0);
    event.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CALL(m.vm, KVM_IOEVENTFD, &event);
    run_to_port(&m, PORT_DONE);
    assert_int_equal(read(event.fd, &count, sizeof(count)), sizeof(count));
    assert_int_equal(count, 1);
    close(event.fd);
    destroy(&m);
}

/* ---- the dirty log ---- */

static void dirty_pages_are_logged(void **state)
{
    uint64_t bits[RAM / 4096 / 64] = {0}, all[RAM / 4096 / 64];
    struct kvm_enable_cap manual = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = {1}};
    struct kvm_dirty_log log = {.dirty_bitmap = bits};
    struct kvm_clear_dirty_log clear = {.num_pages = RAM / 4096, .dirty_bitmap = all};
    struct kvm_userspace_memory_region slot = {.flags = KVM_MEM_LOG_DIRTY_PAGES,
                                               .memory_size = RAM};
    struct machine m;

    (void)state;
    NEEDS_KVM();
    m = create(SPLIT, guest_dirties, 0);
    CALL(m.vm, KVM_ENABLE_CAP, &manual);
    slot.userspace_addr = (uintptr_t)m.ram;
    CALL(m.vm, KVM_SET_USER_MEMORY_REGION, &slot);
    run_to_port(&m, PORT_DONE);
    for (size_t i = 0; i < 2; i++) { /* reading it does not clear it */
        CALL(m.vm, KVM_GET_DIRTY_LOG, &log);
        assert_true((bits[4] & 0xfe) == (1 << 3 | 1 << 5));
    }
    memcpy(all, bits, sizeof(all));
    CALL(m.vm, KVM_CLEAR_DIRTY_LOG, &clear);
    run_to_port(&m, PORT_DONE);
    CALL(m.vm, KVM_GET_DIRTY_LOG, &log);
    assert_int_equal(bits[4], 1 << 7);
    destroy(&m);
}

/* ---- state ---- */

/* In the order of saving; loading goes by `load`, which is not the same (LAPIC after SREGS, events
 * last). */
static const struct {
    const char *name;
    unsigned long get, set;
    size_t size;
    int load;
} cpu_states[] = {
    {"MP_STATE", KVM_GET_MP_STATE, KVM_SET_MP_STATE, sizeof(struct kvm_mp_state), 0},
    {"REGS", KVM_GET_REGS, KVM_SET_REGS, sizeof(struct kvm_regs), 1},
    {"SREGS", KVM_GET_SREGS, KVM_SET_SREGS, sizeof(struct kvm_sregs), 2},
    {"XSAVE2", KVM_GET_XSAVE2, KVM_SET_XSAVE, 65536, 3},
    {"XCRS", KVM_GET_XCRS, KVM_SET_XCRS, sizeof(struct kvm_xcrs), 4},
    {"DEBUGREGS", KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, sizeof(struct kvm_debugregs), 5},
    {"LAPIC", KVM_GET_LAPIC, KVM_SET_LAPIC, sizeof(struct kvm_lapic_state), 6},
    {"VCPU_EVENTS", KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, sizeof(struct kvm_vcpu_events), 7},
};
enum { STATES = sizeof(cpu_states) / sizeof(*cpu_states) };

static struct kvm_msrs *get_msrs(int cpu)
{
    struct kvm_msr_list *list = calloc(1, sizeof(*list) + MSRS * sizeof(list->indices[0]));
    struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + MSRS * sizeof(msrs->entries[0]));

    assert_true(list && msrs);
    list->nmsrs = MSRS;
    CALL(kvm, KVM_GET_MSR_INDEX_LIST, list);
    for (uint32_t i = 0; i < list->nmsrs; i++)
        msrs->entries[i].index = list->indices[i];
    msrs->nmsrs = list->nmsrs;
    assert_int_equal(CALL(cpu, KVM_GET_MSRS, msrs), list->nmsrs);
    free(list);
    return msrs;
}

/* All that `from` has, into `to`, which was created alike and has not run. */
static void move_state(const struct machine *from, const struct machine *to)
{
    static _Alignas(64) uint8_t kept[STATES][65536];
    struct kvm_clock_data clock;
    struct kvm_msrs *msrs;
    double begin = now_us(), middle;

    for (size_t i = 0; i < STATES; i++)
        call(from->cpu, cpu_states[i].get, cpu_states[i].name, kept[i]);
    msrs = get_msrs(from->cpu);
    CALL(from->vm, KVM_GET_CLOCK, &clock);
    middle = now_us();
    memcpy(to->ram, from->ram, RAM);
    call(to->cpu, KVM_SET_TSC_KHZ, "KVM_SET_TSC_KHZ",
         (void *)(intptr_t)CALL(from->cpu, KVM_GET_TSC_KHZ, NULL));
    for (int load = 0; load < STATES; load++) {
        if (load == STATES - 1)
            assert_int_equal(CALL(to->cpu, KVM_SET_MSRS, msrs), msrs->nmsrs);
        call(to->cpu, cpu_states[load].set, cpu_states[load].name, kept[load]);
    }
    clock.flags = 0;
    CALL(to->vm, KVM_SET_CLOCK, &clock);
    print_message("# state: read in %.0f us, set in %.0f us (with a copy of %d MiB), %u MSRs\n",
                  middle - begin, now_us() - middle, RAM >> 20, msrs->nmsrs);
    free(msrs);
}

static void move_irqchip(const struct machine *from, const struct machine *to)
{
    for (uint32_t id = 0; id < 3; id++) {
        struct kvm_irqchip chip = {.chip_id = id};

        CALL(from->vm, KVM_GET_IRQCHIP, &chip);
        CALL(to->vm, KVM_SET_IRQCHIP, &chip);
    }
}

/* XMM0 is at byte 160 of the area, and bit 1 of the bytes from 512 says that it is there (Intel SDM
 * volume 1, 13.4). */
static uint8_t *vector_register(const struct machine *m, uint8_t area[65536])
{
    CALL(m->cpu, KVM_GET_XSAVE2, area);
    return area + 160;
}

/* A port's exit is finished only by the next KVM_RUN; immediate_exit makes that one return at once.
 */
static void finish_exit(struct machine *m)
{
    m->run->immediate_exit = 1;
    assert_int_equal(ioctl(m->cpu, KVM_RUN, NULL), -1);
    assert_int_equal(errno, EINTR);
    m->run->immediate_exit = 0;
}

static void state_moves_to_another_vm(void **state)
{
    static const uint64_t vector[2] = {0x0123456789abcdef, 0xfedcba9876543210};
    static _Alignas(64) uint8_t area[65536];
    uint32_t sum = 0;

    (void)state;
    NEEDS_KVM();
    for (enum irqchip irqchip = SPLIT; irqchip <= WHOLE; irqchip++) {
        struct machine one = create(irqchip, guest_counts, 0), two = create(irqchip, NULL, 0);

        sum = 0;
        for (uint32_t i = 1; i < 20; i++) {
            struct machine *m = i < 10 ? &one : &two;

            if (i == 10) {
                finish_exit(&one);
                memcpy(vector_register(&one, area), vector, sizeof(vector));
                area[512] |= 2;
                CALL(one.cpu, KVM_SET_XSAVE, area);
                move_state(&one, &two);
                assert_memory_equal(vector_register(&two, area), vector, sizeof(vector));
                if (irqchip == WHOLE)
                    move_irqchip(&one, &two);
            }
            sum += i; /* kept by the guest in r12 */
            assert_int_equal(run_to_port(m, PORT_VALUE), i);
            assert_int_equal(run_to_port(m, PORT_VALUE), sum);
        }
        destroy(&one);
        destroy(&two);
    }
}

/* ---- stopping a vCPU ---- */

static void on_kick(int number)
{
    (void)number;
}

static void *kick_later(void *thread)
{
    struct timespec pause = {.tv_nsec = 20000000};

    nanosleep(&pause, NULL);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

static void signals_stop_a_vcpu(void **state)
{
    const char *const stuck[] = {guest_spins, guest_waits};
    struct sigaction action = {.sa_handler = on_kick};
    pthread_t self = pthread_self(), thread;

    (void)state;
    NEEDS_KVM();
    sigaction(SIGUSR1, &action, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct machine m = create(SPLIT, stuck[i], 0);

        run_to_port(&m, PORT_DONE);
        assert_int_equal(pthread_create(&thread, NULL, kick_later, &self), 0);
        assert_int_equal(ioctl(m.cpu, KVM_RUN, NULL), -1);
        assert_int_equal(errno, EINTR);
        pthread_join(thread, NULL);
        finish_exit(&m);
        destroy(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vms_are_created),
        cmocka_unit_test(ports_exit),
        cmocka_unit_test(halt_exits_without_irqchip),
        cmocka_unit_test(memory_exits),
        cmocka_unit_test(interrupts_come_by_irqfd),
        cmocka_unit_test(writes_ring_ioeventfd),
        cmocka_unit_test(dirty_pages_are_logged),
        cmocka_unit_test(state_moves_to_another_vm),
        cmocka_unit_test(signals_stop_a_vcpu),
    };

    kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    return cmocka_run_group_tests_name("kvm_host", tests, NULL, NULL);
}
