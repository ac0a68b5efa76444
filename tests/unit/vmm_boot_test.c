/*
 * vmm_boot_test.c -- kernels and tables in a guest's memory: where things are put, and what is
 * refused. iasl, where it is installed, says whether the DSDT is what ACPI wants.
 */
#include "unit.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "vmm/acpi.h"
#include "vmm/board.h"
#include "vmm/boot.h"
#include "vmm_guest.h"

static struct vm_memory memory;
static char why[200];
static uint8_t image[GUEST_IMAGE_ROOM];

#define MIB (UINT64_C(1) << 20)

static int set_up(void **state)
{
    (void)state;
    why[0] = 0;
    return vm_memory_make(&memory, 64 * MIB);
}

static int tear_down(void **state)
{
    (void)state;
    vm_memory_free(&memory);
    return 0;
}

static int load(int kernel, int initrd, const char *line, struct vcpu_entry *entry)
{
    struct boot_files files = {kernel, initrd, line};
    int err = boot_load(&memory, &files, entry, why, sizeof(why));

    close(kernel);
    return err;
}

static uint32_t word(uint64_t at)
{
    uint32_t value;

    memcpy(&value, vm_memory_at(&memory, at, 4), 4);
    return value;
}

static void loads_a_bzimage_and_its_initrd(void **state)
{
    static const uint8_t code[] = {0xf4, 0xeb, 0xfd};
    int initrd = guest_file("initial", 7);
    struct vcpu_entry entry;
    uint8_t *zero;

    (void)state;
    assert_int_equal(load(guest_kernel(code, sizeof(code)), initrd, "a line", &entry), 0);
    assert_int_equal(entry.mode, VCPU_LONG);
    assert_int_equal(entry.ip, GUEST_KERNEL_AT + 0x200);
    assert_memory_equal(vm_memory_at(&memory, entry.ip, 3), code, 3);
    zero = vm_memory_at(&memory, entry.rsi, 4096);
    assert_int_equal(zero[0x210], 0xff);
    assert_string_equal((char *)vm_memory_at(&memory, word(entry.rsi + 0x228), 7), "a line");
    assert_int_equal(word(entry.rsi + 0x21c), 7);
    assert_int_equal(word(entry.rsi + 0x218) % 4096, 0);
    assert_memory_equal(vm_memory_at(&memory, word(entry.rsi + 0x218), 7), "initial", 7);
    assert_int_equal(zero[0x1e8], 4); /* memory map */
    assert_int_equal(word(VCPU_PAGE_TABLES) & 0xfff, 3);
    close(initrd);
}

static void memory_above_the_hole_is_told(void **state)
{
    static const uint8_t code[] = {0xf4};
    struct vcpu_entry entry;
    uint64_t piece[2];

    (void)state;
    vm_memory_free(&memory);
    assert_int_equal(vm_memory_make(&memory, 5 * 1024 * MIB), 0);
    assert_int_equal(load(guest_kernel(code, sizeof(code)), -1, "", &entry), 0);
    assert_int_equal(*(uint8_t *)vm_memory_at(&memory, entry.rsi + 0x1e8, 1), 5);
    memcpy(piece, vm_memory_at(&memory, entry.rsi + 0x2d0 + 4 * 20, 16), 16);
    assert_true(piece[0] == MEMORY_HOLE_END && piece[1] == 5 * 1024 * MIB - MEMORY_HOLE);
}

static void memory_is_only_where_it_is(void **state)
{
    (void)state;
    assert_non_null(vm_memory_at(&memory, 64 * MIB - 1, 1));
    assert_null(vm_memory_at(&memory, 64 * MIB - 1, 2));
    assert_null(vm_memory_at(&memory, 64 * MIB, 1));
    assert_null(vm_memory_at(&memory, MEMORY_HOLE_END, 1));
    assert_null(vm_memory_at(&memory, UINT64_MAX, 2));
    assert_null(vm_memory_at(&memory, 0, UINT64_MAX));
    vm_memory_free(&memory);
    assert_int_equal(vm_memory_make(&memory, 4096 * MIB), 0);
    assert_non_null(vm_memory_at(&memory, MEMORY_HOLE - 8, 8));
    assert_null(vm_memory_at(&memory, MEMORY_HOLE - 8, 9)); /* goes on above the hole, not in it */
    assert_null(vm_memory_at(&memory, MEMORY_HOLE, 1));
    assert_ptr_equal(vm_memory_at(&memory, MEMORY_HOLE_END, 8), memory.at + MEMORY_HOLE);
    assert_non_null(vm_memory_at(&memory, MEMORY_HOLE_END + 1024 * MIB - 8, 8));
    assert_null(vm_memory_at(&memory, MEMORY_HOLE_END + 1024 * MIB - 8, 9));
}

/* What is wrong with a bzImage, and a word of what is said. */
static const struct {
    unsigned at;
    uint64_t value;
    unsigned bytes;
    const char *said;
} wrong[] = {
    {0x1fe, 0, 2, "neither"},
    {0x202, 0, 4, "neither"},
    {0x206, 0x20b, 2, "64-bit entry"},
    {0x236, 0, 2, "64-bit entry"},
    {GUEST_SETUP, 0xff, 1, "cut short"},
    {0x260, 0x7fffffff, 4, "needs"},
    {0x258, UINT64_MAX - 8, 8, "needs"},
    {0x238, 2, 4, "command line"},
};

static void refuses_a_bad_bzimage(void **state)
{
    static const uint8_t code[] = {0xf4};
    struct vcpu_entry entry;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        size_t size = guest_image(image, code, sizeof(code));

        guest_put(image, wrong[i].at, wrong[i].value, wrong[i].bytes);
        assert_int_equal(load(guest_file(image, size), -1, "too long", &entry), -EINVAL);
        if (!strstr(why, wrong[i].said))
            fail_msg("case %zu: %s", i, why);
    }
    assert_int_equal(load(guest_file("", 0), -1, "", &entry), -EINVAL);
    assert_non_null(strstr(why, "too short"));
}

static void refuses_what_does_not_fit(void **state)
{
    static const uint8_t code[] = {0xf4};
    struct vcpu_entry entry;
    int initrd = memfd_create("initrd", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(ftruncate(initrd, 64 * MIB - 4096), 0);
    assert_int_equal(load(guest_kernel(code, sizeof(code)), initrd, "", &entry), -EINVAL);
    assert_non_null(strstr(why, "do not fit"));
    assert_int_equal(ftruncate(initrd, 0), 0);
    assert_int_equal(load(guest_kernel(code, sizeof(code)), initrd, "", &entry), -EINVAL);
    assert_non_null(strstr(why, "empty"));
    close(initrd);
}

/* ---- PVH ---- */

struct elf {
    Elf64_Ehdr head;
    Elf64_Phdr parts[2];
    struct {
        Elf64_Nhdr head;
        char name[4];
        uint32_t entry;
    } note;
    uint8_t code[16];
};

static struct elf good_elf(void)
{
    struct elf e = {
        .head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
                 .e_machine = EM_X86_64,
                 .e_phoff = offsetof(struct elf, parts),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .parts = {{.p_type = PT_NOTE,
                   .p_offset = offsetof(struct elf, note),
                   .p_filesz = sizeof(e.note)},
                  {.p_type = PT_LOAD,
                   .p_offset = offsetof(struct elf, code),
                   .p_filesz = 16,
                   .p_memsz = 4096,
                   .p_paddr = 0x200000}},
        .note = {{4, 4, 18}, "Xen", 0x200004},
        .code = {1, 2, 3},
    };

    return e;
}

static void loads_an_elf_kernel(void **state)
{
    struct elf e = good_elf();
    int initrd = guest_file("initial", 7);
    struct vcpu_entry entry;

    (void)state;
    memset(vm_memory_at(&memory, 0x200000, 4096), 0xee, 4096); /* of a run before */
    assert_int_equal(load(guest_file(&e, sizeof(e)), initrd, "pvh", &entry), 0);
    assert_int_equal(entry.mode, VCPU_PROTECTED);
    assert_int_equal(entry.ip, 0x200004);
    assert_memory_equal(vm_memory_at(&memory, 0x200000, 4), "\1\2\3", 4);
    assert_int_equal(word(0x200ffc), 0); /* cleared behind the file's part */
    assert_int_equal(word(entry.rbx), 0x336ec578);
    assert_int_equal(word(entry.rbx + 12), 1);
    assert_memory_equal(vm_memory_at(&memory, word(word(entry.rbx + 16)), 7), "initial", 7);
    assert_string_equal((char *)vm_memory_at(&memory, word(entry.rbx + 24), 4), "pvh");
    close(initrd);
}

static void refuses_a_bad_elf(void **state)
{
    static const struct {
        size_t at;
        uint64_t value;
        unsigned bytes;
        const char *said;
    } bad[] = {
        {offsetof(struct elf, head.e_machine), EM_AARCH64, 2, "x86-64"},
        {offsetof(struct elf, head.e_phnum), 0xffff, 2, "headers"},
        {offsetof(struct elf, head.e_phoff), UINT64_MAX, 8, "headers"},
        {offsetof(struct elf, note.head.n_type), 1, 4, "PVH"},
        {offsetof(struct elf, note.head.n_namesz), 0xfffffff0, 4, "PVH"},
        {offsetof(struct elf, note.head.n_descsz), 0xfffffff0, 4, "PVH"},
        {offsetof(struct elf, parts[1].p_paddr), 0x1000, 8, "does not fit"},
        {offsetof(struct elf, parts[1].p_paddr), UINT64_MAX - 100, 8, "does not fit"},
        {offsetof(struct elf, parts[1].p_memsz), UINT64_MAX - 0x200000, 8, "does not fit"},
        {offsetof(struct elf, parts[1].p_memsz), 8, 8, "does not fit"},
        {offsetof(struct elf, parts[1].p_offset), 1 << 20, 8, "cut short"},
    };
    struct vcpu_entry entry;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct elf e = good_elf();

        guest_put((uint8_t *)&e, (unsigned)bad[i].at, bad[i].value, bad[i].bytes);
        assert_int_equal(load(guest_file(&e, sizeof(e)), -1, "", &entry), -EINVAL);
        if (!strstr(why, bad[i].said))
            fail_msg("case %zu: %s", i, why);
    }
}

/* ---- ACPI ---- */

static uint8_t sum(uint64_t at, uint32_t size)
{
    const uint8_t *b = vm_memory_at(&memory, at, size);
    uint8_t total = 0;

    for (uint32_t i = 0; i < size; i++)
        total = (uint8_t)(total + b[i]);
    return total;
}

/* The address of a table that the XSDT names. */
static uint32_t table(const char *signature)
{
    uint32_t xsdt = word(ACPI_AT + 24);

    for (uint32_t at = xsdt + 36; at < xsdt + word(xsdt + 4); at += 8)
        if (memcmp(vm_memory_at(&memory, word(at), 4), signature, 4) == 0)
            return word(at);
    return 0;
}

static void write_tables(unsigned cpus, unsigned devices)
{
    static struct acpi_virtio virtio[64];
    struct acpi_machine m = {cpus, POWER_PORT, POWER_GSI, 0x3f8, 4, 0x90000, devices, virtio};

    for (unsigned i = 0; i < 64; i++)
        virtio[i] = (struct acpi_virtio){0xd0000000u + i * 0x1000, 0x1000, 16 + i};
    assert_int_equal(acpi_write(&memory, &m), 0);
}

static void writes_tables_that_add_up(void **state)
{
    uint32_t fadt, madt, dsdt;

    (void)state;
    write_tables(16, 18);
    assert_memory_equal(vm_memory_at(&memory, ACPI_AT, 8), "RSD PTR ", 8);
    assert_int_equal(sum(ACPI_AT, 20), 0);
    assert_int_equal(sum(ACPI_AT, 36), 0);
    fadt = table("FACP");
    madt = table("APIC");
    dsdt = word(fadt + 40);
    assert_true(fadt && madt);
    assert_memory_equal(vm_memory_at(&memory, dsdt, 4), "DSDT", 4);
    assert_int_equal(sum(fadt, word(fadt + 4)), 0);
    assert_int_equal(sum(madt, word(madt + 4)), 0);
    assert_int_equal(sum(dsdt, word(dsdt + 4)), 0);
    assert_int_equal(word(madt + 4), 44 + 12 + 16 * 8);
    assert_int_equal(word(fadt + 120), POWER_PORT + POWER_RESET);
}

static void iasl_takes_the_dsdt(void **state)
{
    char path[] = "/tmp/strowger-dsdt-XXXXXX", command[400];
    uint32_t dsdt;
    int fd;

    (void)state;
    if (system("command -v iasl >/dev/null") != 0)
        skip();
    write_tables(2, 18);
    dsdt = word(table("FACP") + 40);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, vm_memory_at(&memory, dsdt, word(dsdt + 4)), word(dsdt + 4)),
                     word(dsdt + 4));
    close(fd);
    snprintf(command, sizeof(command),
             "cd /tmp && iasl -d %s >%s.out 2>&1 && iasl -ve %s.dsl >>%s.out 2>&1 && "
             "grep -q 'VM_Gen_Counter' %s.dsl && grep -q '_S5' %s.dsl",
             path, path, path, path, path, path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "rm -f %s %s.*", path, path);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loads_a_bzimage_and_its_initrd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_above_the_hole_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_is_only_where_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_bad_bzimage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loads_an_elf_kernel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_bad_elf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_tables_that_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(iasl_takes_the_dsdt, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
