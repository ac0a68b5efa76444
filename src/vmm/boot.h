/*
 * boot.h -- putting a kernel into a guest's memory, as its boot loader would.
 *
 * Two kinds of kernel: a bzImage is started at its 64-bit entry (Linux, Documentation/arch/x86/
 * boot.rst, "64-bit Boot Protocol"), an ELF image at the 32-bit entry that its Xen note names (PVH:
 * xen/include/public/arch-x86/hvm/start_info.h). Both are files from anywhere: each number in them
 * is checked before it is believed.
 *
 * Where things are, below 1 MiB: GDT 0x500, zero page 0x7000 (or PVH's start_info), page tables
 * 0x9000, command line 0x20000, ACPI tables 0xe0000. The kernel is at 1 MiB or where it says, the
 * initrd at the end of what is below the hole.
 */
#ifndef STROWGER_VMM_BOOT_H
#define STROWGER_VMM_BOOT_H

#include <stddef.h>

#include "vmm/memory.h"
#include "vmm/vcpu.h"

#define BOOT_COMMAND_LINE_MAX 2048

struct boot_files {
    int kernel; /* descriptors; initrd -1: none */
    int initrd;
    const char *command_line;
};

/* Loads them and says where the first processor begins. 0, or negative errno with the reason in
 * `why`. The ACPI tables must be written apart (acpi.h). */
int boot_load(const struct vm_memory *memory, const struct boot_files *files,
              struct vcpu_entry *entry, char *why, size_t why_size);

#endif
