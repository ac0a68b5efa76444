/*
 * acpi.h -- how a guest finds its hardware: ACPI 6.5, tables RSDP, XSDT, FADT, MADT and DSDT.
 *
 * The hardware-reduced profile: no PIT, no 8259, no power management timer is looked for; events
 * (power button, a new VM generation) come by a generic event device; sleep and reset are registers
 * of one port block (power.h).
 */
#ifndef STROWGER_VMM_ACPI_H
#define STROWGER_VMM_ACPI_H

#include "vmm/memory.h"

#define ACPI_AT   0xe0000u /* the RSDP; the other tables follow */
#define ACPI_ROOM 0x1f000u

/* A virtio device behind a block of memory registers. */
struct acpi_virtio {
    uint32_t at, size;
    uint32_t gsi;
};

struct acpi_machine {
    unsigned cpus;
    uint16_t power_port; /* power.h */
    uint32_t power_gsi;
    uint16_t serial_port;
    uint32_t serial_gsi;
    uint64_t generation_at; /* of the VM generation id; 0: none */
    unsigned virtio_count;
    const struct acpi_virtio *virtio;
};

/* Writes the tables. 0, or -ENOSPC when there are too many devices. */
int acpi_write(const struct vm_memory *memory, const struct acpi_machine *machine);

#endif
