/*
 * vmm_vcpu_test.c -- processors that run small kernels on this machine's KVM: exits, pausing in the
 * middle of them, state read and written back, reset. Skipped where there is no KVM.
 */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "vmm/boot.h"
#include "vmm/vcpu_state.h"
#include "vmm_guest.h"

#define MEMORY    (UINT64_C(16) << 20)
#define COUNT_AT  0x200000u
#define ODD_PORT  0x300u
#define ODD_PLACE UINT64_C(0xd0000000)

static const struct kvm_host *host;
static struct vm_memory memory;
static struct kvm_vm vm;
static struct vcpus vcpus;
static struct bus ports, addresses;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t written, writes, value_read;

/* Reads count up, so that one that is lost or done twice shows. */
static void on_read(void *device, uint64_t offset, uint8_t *data, unsigned size)
{
    (void)device;
    (void)offset;
    bus_answer(data, size, ++value_read);
}

static void on_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    (void)device;
    (void)offset;
    written = bus_value(data, size);
    writes++;
}

static int set_up(void **state)
{
    static const struct bus_region port = {ODD_PORT, 4, on_read, on_write, NULL, &lock};
    static const struct bus_region place = {ODD_PLACE, 8, on_read, on_write, NULL, &lock};

    (void)state;
    ports.count = addresses.count = 0;
    written = writes = value_read = 0;
    return host && (vm_memory_make(&memory, MEMORY) < 0 || kvm_vm_make(&vm, host, &memory) < 0 ||
                    bus_add(&ports, &port) < 0 || bus_add(&addresses, &place) < 0);
}

static int tear_down(void **state)
{
    (void)state;
    if (host) {
        vcpus_free(&vcpus);
        kvm_vm_free(&vm);
        vm_memory_free(&memory);
    }
    return 0;
}

static struct vcpu_entry load(const uint8_t *code, size_t size)
{
    struct boot_files files = {guest_kernel(code, size), -1, ""};
    struct vcpu_entry entry;
    char why[200];

    assert_int_equal(boot_load(&memory, &files, &entry, why, sizeof(why)), 0);
    close(files.kernel);
    return entry;
}

static void start(const uint8_t *code, size_t size, unsigned count)
{
    struct vcpu_entry entry = load(code, size);

    assert_int_equal(vcpus_make(&vcpus, &vm, count, &ports, &addresses), 0);
    assert_int_equal(vcpus_reset(&vcpus, &entry), 0);
    assert_int_equal(vcpus_start(&vcpus), 0);
    vcpus_resume(&vcpus);
}

#define START(code, count)                \
    do {                                  \
        if (!host)                        \
            skip();                       \
        start(code, sizeof(code), count); \
    } while (0)

static bool comes_to(_Atomic uint64_t *number, uint64_t least)
{
    for (int tries = 0; tries < 5000 && *number < least; tries++)
        usleep(1000);
    return *number >= least;
}

static _Atomic uint64_t *counter(void)
{
    return vm_memory_at(&memory, COUNT_AT, 8);
}

/* mov dx, ODD_PORT; mov eax, 0x1234; out dx, ax; then the same by memory; then halt. */
static const uint8_t writes_twice[] = {
    0x66, 0xba, 0x00, 0x03, 0xb8, 0x34, 0x12, 0x00, 0x00, 0x66, 0xef, 0xbb, 0x00,
    0x00, 0x00, 0xd0, 0xb8, 0x78, 0x56, 0x34, 0x12, 0x89, 0x03, 0xf4, 0xeb, 0xfd,
};

static void exits_reach_devices(void **state)
{
    (void)state;
    START(writes_twice, 1);
    assert_true(comes_to(&writes, 2));
    assert_int_equal(written, 0x12345678);
    assert_int_equal(vcpus.at[0].port_exits, 1);
    assert_int_equal(vcpus.at[0].memory_exits, 1);
}

/* mov ebx, COUNT_AT; again: inc qword [rbx]; jmp again */
static const uint8_t counts[] = {0xbb, 0x00, 0x00, 0x20, 0x00, 0x48, 0xff, 0x03, 0xeb, 0xfb};

static void stands_still_while_paused(void **state)
{
    (void)state;
    START(counts, 1);
    for (int round = 0; round < 50; round++) {
        uint64_t before = *counter();

        assert_true(comes_to(counter(), before + 1));
        vcpus_pause(&vcpus);
        before = *counter();
        usleep(2000);
        assert_int_equal(*counter(), before);
        vcpus_resume(&vcpus);
    }
}

/* mov dx, ODD_PORT; mov ebx, COUNT_AT; again: in eax, dx; inc qword [rbx]; cmp eax, [rbx]; je
 * again; then tells by writing 1, and halts: a read that was lost or done twice. */
static const uint8_t reads_and_counts[] = {
    0x66, 0xba, 0x00, 0x03, 0xbb, 0x00, 0x00, 0x20, 0x00, 0xed, 0x48, 0xff, 0x03,
    0x3b, 0x03, 0x74, 0xf8, 0xb8, 0x01, 0x00, 0x00, 0x00, 0xef, 0xf4, 0xeb, 0xfd,
};

/* Paused between any two instructions, its state taken out and put back each time. */
static void no_exit_is_left_half_done(void **state)
{
    struct vcpu_state *s = malloc(host ? vcpu_state_size(host) : 1);
    const char *what = "";

    (void)state;
    assert_non_null(s);
    if (!host)
        free(s);
    START(reads_and_counts, 1);
    for (int round = 0; round < 100; round++) {
        uint64_t before = *counter();

        assert_true(comes_to(counter(), before + 1));
        vcpus_pause(&vcpus);
        if (vcpu_state_get(&vcpus.at[0], s, &what) < 0 ||
            vcpu_state_set(&vcpus.at[0], s, &what) < 0)
            fail_msg("%s: %s", what, strerror(errno));
        vcpus_resume(&vcpus);
    }
    vcpus_pause(&vcpus);
    assert_int_equal(writes, 0);
    free(s);
}

static void a_reset_begins_anew(void **state)
{
    struct vcpu_entry entry;

    (void)state;
    START(counts, 2); /* the second waits to be started, and is no hindrance */
    for (int round = 0; round < 5; round++) {
        assert_true(comes_to(counter(), 1));
        vcpus_pause(&vcpus);
        entry = load(counts, sizeof(counts));
        *counter() = 0;
        assert_int_equal(vcpus_reset(&vcpus, &entry), 0);
        vcpus_resume(&vcpus);
    }
    assert_true(comes_to(counter(), 1));
}

/* lidt of nothing, then ud2: an exception that can not be delivered, three times over. */
static const uint8_t falls[] = {0x6a, 0x00, 0x6a, 0x00, 0x0f, 0x01, 0x1c, 0x24, 0x0f, 0x0b};

static void a_triple_fault_is_told(void **state)
{
    (void)state;
    START(falls, 1);
    assert_int_equal(poll(&(struct pollfd){vcpus.event_fd, POLLIN, 0}, 1, 5000), 1);
    assert_true(atomic_load(&vcpus.event) == VCPU_SHUTDOWN ||
                atomic_load(&vcpus.event) == VCPU_FAILED);
    vcpus_pause(&vcpus); /* does not wait for one that can not go on */
}

static void ends_in_any_state(void **state)
{
    (void)state;
    START(counts, VCPUS_MAX);
    vcpus_pause(&vcpus);
    vcpus_resume(&vcpus);
    vcpus_pause(&vcpus); /* and tear_down() frees what is paused */
}

int main(void)
{
    char why[200];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exits_reach_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stands_still_while_paused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_exit_is_left_half_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_triple_fault_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_in_any_state, set_up, tear_down),
    };

    host = kvm_host_open(why, sizeof(why));
    if (!host)
        print_message("skipped: %s\n", why);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
