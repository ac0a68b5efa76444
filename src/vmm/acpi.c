/*
 * acpi.c -- see acpi.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/acpi.h"
#include "vmm/aml.h"
#include "vmm/board.h"

#define HEADER_SIZE 36u

struct __attribute__((packed)) header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
};

/* Generic address structure (clause 5.2.3.2). */
struct __attribute__((packed)) address {
    uint8_t space, bits, offset, access;
    uint64_t at;
};

/* Tables are put one behind another. */
struct tables {
    const struct vm_memory *memory;
    uint64_t at, end;
    bool full;
};

static uint8_t sum_of(const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    uint8_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + at[i]);
    return (uint8_t)-sum;
}

/* Completes the header and puts the table into the guest; its address. */
static uint64_t put_table(struct tables *t, void *table, const char *signature, uint8_t revision,
                          size_t size)
{
    struct header *h = table;
    uint64_t at = t->at;

    memcpy(h->signature, signature, 4);
    h->length = (uint32_t)size;
    h->revision = revision;
    memcpy(h->oem_id, "STRWGR", 6);
    memcpy(h->oem_table_id, "STROWGER", 8);
    h->oem_revision = 1;
    memcpy(h->creator_id, "STRW", 4);
    h->creator_revision = 1;
    h->checksum = 0;
    h->checksum = sum_of(table, size);
    if (size > t->end - at || !vm_memory_put(t->memory, at, table, size)) {
        t->full = true;
        return at;
    }
    t->at = (at + size + 63) & ~UINT64_C(63);
    return at;
}

/* ---- FADT (clause 5.2.9) ---- */

enum {
    FADT_WBINVD = 1 << 0,
    FADT_POWER_BUTTON_IS_DEVICE = 1 << 4,
    FADT_SLEEP_BUTTON_IS_DEVICE = 1 << 5,
    FADT_RESET_REGISTER = 1 << 10,
    FADT_HARDWARE_REDUCED = 1 << 20,
};

enum { BOOT_NO_VGA = 1 << 2, BOOT_NO_CMOS_CLOCK = 1 << 5 };

struct __attribute__((packed)) fadt {
    struct header header;
    uint32_t firmware_control, dsdt;
    uint8_t unused_1[65]; /* of hardware that is not reduced: offsets 44 to 108 */
    uint16_t boot_flags;
    uint8_t unused_2;
    uint32_t flags;
    struct address reset_register;
    uint8_t reset_value;
    uint16_t arm_boot_flags;
    uint8_t minor_revision;
    uint64_t x_firmware_control, x_dsdt;
    uint8_t unused_3[96]; /* offsets 148 to 243 */
    struct address sleep_control, sleep_status;
    char hypervisor[8];
};

_Static_assert(sizeof(struct fadt) == 276, "FADT of revision 6");

static struct address port(uint16_t at)
{
    return (struct address){.space = 1, .bits = 8, .access = 1, .at = at};
}

static uint64_t put_fadt(struct tables *t, const struct acpi_machine *m, uint64_t dsdt)
{
    struct fadt fadt = {
        .dsdt = (uint32_t)dsdt,
        .x_dsdt = dsdt,
        .boot_flags = BOOT_NO_VGA,
        .flags = FADT_WBINVD | FADT_POWER_BUTTON_IS_DEVICE | FADT_SLEEP_BUTTON_IS_DEVICE |
                 FADT_RESET_REGISTER | FADT_HARDWARE_REDUCED,
        .reset_register = port((uint16_t)(m->power_port + POWER_RESET)),
        .reset_value = 1,
        .minor_revision = 5,
        .sleep_control = port(m->power_port),
        .sleep_status = port((uint16_t)(m->power_port + 1)),
        .hypervisor = "STROWGER",
    };

    return put_table(t, &fadt, "FACP", 6, sizeof(fadt));
}

/* ---- MADT (clause 5.2.12) ---- */

#define LOCAL_APIC_AT 0xfee00000u
#define IO_APIC_AT    0xfec00000u
#define MADT_CPUS     255u

struct __attribute__((packed)) local_apic {
    uint8_t type, length, uid, id;
    uint32_t flags;
};

struct __attribute__((packed)) io_apic {
    uint8_t type, length, id, reserved;
    uint32_t at, gsi_base;
};

static uint64_t put_madt(struct tables *t, const struct acpi_machine *m)
{
    struct __attribute__((packed)) {
        struct header header;
        uint32_t local_apic_at, flags;
        struct io_apic io_apic;
        struct local_apic cpus[MADT_CPUS];
    } madt = {.local_apic_at = LOCAL_APIC_AT,
              .io_apic = {.type = 1, .length = sizeof(struct io_apic), .at = IO_APIC_AT}};

    for (unsigned i = 0; i < m->cpus; i++)
        madt.cpus[i] = (struct local_apic){
            .length = sizeof(struct local_apic), .uid = (uint8_t)i, .id = (uint8_t)i, .flags = 1};
    return put_table(t, &madt, "APIC", 5,
                     sizeof(madt) - (MADT_CPUS - m->cpus) * sizeof(struct local_apic));
}

/* ---- DSDT: what is on the board ---- */

static aml_mark device(struct aml *a, const char *name, const char *eisa_id)
{
    aml_mark mark = aml_device(a, name);

    aml_name(a, "_HID");
    aml_eisa_id(a, eisa_id);
    return mark;
}

static void put_serial(struct aml *a, const struct acpi_machine *m)
{
    struct aml_resources uses = {.len = 0};
    aml_mark mark = device(a, "COM1", "PNP0501");

    aml_name(a, "_UID");
    aml_integer(a, 1);
    aml_use_ports(&uses, m->serial_port, 8);
    aml_use_interrupt(&uses, m->serial_gsi);
    aml_crs(a, &uses);
    aml_end(a, mark);
}

static void put_clock(struct aml *a)
{
    struct aml_resources uses = {.len = 0};
    aml_mark mark = device(a, "RTC_", "PNP0B00");

    aml_use_ports(&uses, 0x70, 2);
    aml_crs(a, &uses);
    aml_end(a, mark);
}

static void put_virtio(struct aml *a, const struct acpi_virtio *v, unsigned nth)
{
    struct aml_resources uses = {.len = 0};
    char name[5];
    aml_mark mark;

    snprintf(name, sizeof(name), "VR%02X", nth & 0xff);
    mark = aml_device(a, name);
    aml_name(a, "_HID");
    aml_string(a, "LNRO0005");
    aml_name(a, "_UID");
    aml_integer(a, nth);
    aml_name(a, "_CCA");
    aml_integer(a, 1);
    aml_use_memory(&uses, v->at, v->size);
    aml_use_interrupt(&uses, v->gsi);
    aml_crs(a, &uses);
    aml_end(a, mark);
}

/* The event device (clause 5.6.9): its interrupt has the guest ask the port which events there
 * are, which forgets them. */
static void put_events(struct aml *a, const struct acpi_machine *m)
{
    struct aml_resources uses = {.len = 0};
    aml_mark mark, method;

    mark = device(a, "PWRB", "PNP0C0C");
    aml_end(a, mark);
    if (m->generation_at) {
        mark = aml_device(a, "VGEN");
        aml_name(a, "_HID");
        aml_string(a, "STRW0001");
        aml_name(a, "_CID");
        aml_string(a, "VM_Gen_Counter");
        aml_name(a, "_DDN");
        aml_string(a, "VM_Gen_Counter");
        aml_name(a, "ADDR");
        method = aml_package(a, 2);
        aml_integer(a, m->generation_at & 0xffffffff);
        aml_integer(a, m->generation_at >> 32);
        aml_end(a, method);
        aml_end(a, mark);
    }
    mark = aml_device(a, "GED_");
    aml_name(a, "_HID");
    aml_string(a, "ACPI0013");
    aml_name(a, "_UID");
    aml_integer(a, 0);
    aml_use_interrupt(&uses, m->power_gsi);
    aml_crs(a, &uses);
    aml_port_field(a, "EVPT", (uint16_t)(m->power_port + 3), "EVNT");
    method = aml_method(a, "_EVT", 1);
    aml_load_local0(a, "EVNT");
    aml_notify_if(a, 1, "\\_SB_.PWRB", 0x80);
    if (m->generation_at)
        aml_notify_if(a, 2, "\\_SB_.VGEN", 0x80);
    aml_end(a, method);
    aml_end(a, mark);
}

static uint64_t put_dsdt(struct tables *t, const struct acpi_machine *m)
{
    static uint8_t buffer[24 * 1024];
    struct aml a = {.at = buffer, .len = HEADER_SIZE, .size = sizeof(buffer)};
    aml_mark scope, package;

    memset(buffer, 0, HEADER_SIZE);
    scope = aml_scope(&a, "\\_SB_");
    put_serial(&a, m);
    put_clock(&a);
    put_events(&a, m);
    for (unsigned i = 0; i < m->virtio_count; i++)
        put_virtio(&a, &m->virtio[i], i);
    aml_end(&a, scope);
    aml_name(&a, "_S5_"); /* soft off: sleep type 5 */
    package = aml_package(&a, 4);
    aml_integer(&a, 5);
    for (unsigned i = 0; i < 3; i++)
        aml_integer(&a, 0);
    aml_end(&a, package);
    t->full |= a.bad;
    return put_table(t, buffer, "DSDT", 6, a.len);
}

/* ---- the root ---- */

struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
};

static void put_root(struct tables *t, uint64_t xsdt)
{
    struct rsdp rsdp = {.revision = 2, .length = sizeof(rsdp), .xsdt = xsdt};

    memcpy(rsdp.signature, "RSD PTR ", 8);
    memcpy(rsdp.oem_id, "STRWGR", 6);
    rsdp.checksum = sum_of(&rsdp, 20);
    rsdp.extended_checksum = sum_of(&rsdp, sizeof(rsdp));
    t->full |= !vm_memory_put(t->memory, ACPI_AT, &rsdp, sizeof(rsdp));
}

int acpi_write(const struct vm_memory *memory, const struct acpi_machine *machine)
{
    struct tables t = {.memory = memory, .at = ACPI_AT + 64, .end = ACPI_AT + ACPI_ROOM};
    struct __attribute__((packed)) {
        struct header header;
        uint64_t tables[2];
    } xsdt = {.tables = {0}};

    xsdt.tables[0] = put_fadt(&t, machine, put_dsdt(&t, machine));
    xsdt.tables[1] = put_madt(&t, machine);
    put_root(&t, put_table(&t, &xsdt, "XSDT", 1, sizeof(xsdt)));
    return t.full ? -ENOSPC : 0;
}
