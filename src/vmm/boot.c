/*
 * boot.c -- see boot.h.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/acpi.h"
#include "vmm/board.h"
#include "vmm/boot.h"

#define ZERO_PAGE    0x7000u
#define PVH_MODULES  0x7100u
#define PVH_MAP      0x7200u
#define COMMAND_LINE 0x20000u
#define LOW_END      0x9fc00u  /* of what is usable below the legacy video memory */
#define KERNEL_AT    0x100000u /* 1 MiB */

#define RESET_VECTOR 0xffff0u
#define HUGE_PAGE    0x200000u

struct loader {
    const struct vm_memory *memory;
    const struct boot_files *files;
    struct vcpu_entry *entry;
    char *why;
    size_t why_size;
    uint64_t initrd_at, initrd_size;
    uint64_t kernel_end; /* what the kernel needs for itself */
};

__attribute__((format(printf, 2, 3))) static int refuse(struct loader *l, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(l->why, l->why_size, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* `size` bytes at `offset` of the file, into the guest's memory. */
static int load(struct loader *l, int fd, uint64_t offset, uint64_t guest, uint64_t size)
{
    uint8_t *to = vm_memory_at(l->memory, guest, size);

    if (!to)
        return refuse(l, "0x%llx bytes at 0x%llx do not fit the guest's memory",
                      (unsigned long long)size, (unsigned long long)guest);
    while (size > 0) {
        ssize_t n = pread(fd, to, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return refuse(l, "%s", n < 0 ? strerror(errno) : "the file is cut short");
        to += n;
        offset += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return 0;
}

static uint64_t file_size(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* ---- the memory map ---- */

enum { E820_USABLE = 1, E820_RESERVED = 2 };

struct __attribute__((packed)) e820 {
    uint64_t at, size;
    uint32_t type;
};

static unsigned memory_map(const struct vm_memory *memory, struct e820 map[5])
{
    uint64_t low = vm_memory_low(memory);
    unsigned n = 0;

    map[n++] = (struct e820){0, LOW_END, E820_USABLE};
    map[n++] = (struct e820){LOW_END, 0xa0000 - LOW_END, E820_RESERVED};
    map[n++] = (struct e820){ACPI_AT, KERNEL_AT - ACPI_AT, E820_RESERVED};
    map[n++] = (struct e820){KERNEL_AT, low - KERNEL_AT, E820_USABLE};
    if (memory->size > low)
        map[n++] = (struct e820){MEMORY_HOLE_END, memory->size - low, E820_USABLE};
    return n;
}

/* ---- initrd ---- */

/* At the end of memory below the hole and below `limit`, behind the kernel. */
static int load_initrd(struct loader *l, uint64_t limit)
{
    uint64_t end = vm_memory_low(l->memory);

    if (l->files->initrd < 0)
        return 0;
    if (end > limit)
        end = limit;
    l->initrd_size = file_size(l->files->initrd);
    if (l->initrd_size == 0)
        return refuse(l, "the initrd is empty");
    if (l->initrd_size > end || end - l->initrd_size < l->kernel_end)
        return refuse(l, "kernel and initrd (%llu MiB) do not fit %llu MiB of memory",
                      (unsigned long long)(l->initrd_size >> 20),
                      (unsigned long long)(l->memory->size >> 20));
    l->initrd_at = (end - l->initrd_size) & ~(uint64_t)(MEMORY_PAGE - 1);
    return load(l, l->files->initrd, 0, l->initrd_at, l->initrd_size);
}

/* `most`: what the kernel takes, without the terminator. */
static int put_command_line(struct loader *l, size_t most)
{
    size_t len = strlen(l->files->command_line);

    if (len > most || len >= BOOT_COMMAND_LINE_MAX)
        return refuse(l, "the command line has %zu characters, and this kernel takes %zu", len,
                      most < BOOT_COMMAND_LINE_MAX - 1 ? most : BOOT_COMMAND_LINE_MAX - 1);
    return vm_memory_put(l->memory, COMMAND_LINE, l->files->command_line, len + 1) ? 0 : -ENOMEM;
}

/* ---- bzImage ---- */

/* The setup header, at 0x1f1 of the file and of the zero page. */
struct __attribute__((packed)) setup {
    uint8_t setup_sects;
    uint16_t root_flags;
    uint32_t syssize;
    uint16_t ram_size, vid_mode, root_dev, boot_flag, jump;
    uint32_t header;
    uint16_t version;
    uint32_t realmode_swtch;
    uint16_t start_sys_seg, kernel_version;
    uint8_t type_of_loader, loadflags;
    uint16_t setup_move_size;
    uint32_t code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
    uint16_t heap_end_ptr;
    uint8_t ext_loader_ver, ext_loader_type;
    uint32_t cmd_line_ptr, initrd_addr_max, kernel_alignment;
    uint8_t relocatable_kernel, min_alignment;
    uint16_t xloadflags;
    uint32_t cmdline_size, hardware_subarch;
    uint64_t hardware_subarch_data;
    uint32_t payload_offset, payload_length;
    uint64_t setup_data, pref_address;
    uint32_t init_size;
};

#define SETUP_AT       0x1f1
#define SETUP_MAGIC    0x53726448u /* HdrS */
#define SETUP_VERSION  0x20c       /* the first with a 64-bit entry */
#define XLF_KERNEL_64  1
#define ENTRY_64       0x200
#define ZERO_PAGE_RSDP 0x70
#define ZERO_PAGE_E820 0x2d0
#define E820_COUNT     0x1e8

/* Descriptors that the boot protocol asks for: code 0x10, data 0x18. */
static const uint64_t gdt[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};

/* 4 GiB, 1:1, in pages of 2 MiB: a page of the highest level, one of the next, four below. */
static bool put_page_tables(const struct vm_memory *memory)
{
    uint64_t *top = vm_memory_at(memory, VCPU_PAGE_TABLES, 6 * MEMORY_PAGE);
    uint64_t *next, *last;

    if (!top)
        return false;
    memset(top, 0, 2 * MEMORY_PAGE);
    next = top + 512;
    last = next + 512;
    top[0] = (VCPU_PAGE_TABLES + MEMORY_PAGE) | 3;
    for (unsigned i = 0; i < 4; i++)
        next[i] = (VCPU_PAGE_TABLES + (2 + i) * MEMORY_PAGE) | 3;
    for (uint64_t i = 0; i < 4 * 512; i++)
        last[i] = i * HUGE_PAGE | 0x83;
    return true;
}

static int put_zero_page(struct loader *l, const struct setup *from)
{
    uint8_t *page = vm_memory_at(l->memory, ZERO_PAGE, MEMORY_PAGE);
    struct setup setup = *from;
    struct e820 map[5];
    uint64_t rsdp = ACPI_AT;

    memset(page, 0, MEMORY_PAGE);
    setup.type_of_loader = 0xff;
    setup.cmd_line_ptr = COMMAND_LINE;
    setup.ramdisk_image = (uint32_t)l->initrd_at;
    setup.ramdisk_size = (uint32_t)l->initrd_size;
    memcpy(page + SETUP_AT, &setup, sizeof(setup));
    page[E820_COUNT] = (uint8_t)memory_map(l->memory, map);
    memcpy(page + ZERO_PAGE_E820, map, page[E820_COUNT] * sizeof(map[0]));
    memcpy(page + ZERO_PAGE_RSDP, &rsdp, sizeof(rsdp));
    return vm_memory_put(l->memory, VCPU_GDT, gdt, sizeof(gdt)) && put_page_tables(l->memory)
               ? 0
               : -ENOMEM;
}

static int load_bzimage(struct loader *l, const struct setup *setup)
{
    uint64_t at = setup->relocatable_kernel ? KERNEL_AT : setup->pref_address;
    uint64_t from = ((setup->setup_sects ? setup->setup_sects : 4u) + 1) * 512u;
    uint64_t size = file_size(l->files->kernel);
    int err;

    if (setup->version < SETUP_VERSION || !(setup->xloadflags & XLF_KERNEL_64))
        return refuse(l, "the kernel has no 64-bit entry (boot protocol %x.%02x)",
                      setup->version >> 8, setup->version & 0xff);
    if (from >= size)
        return refuse(l, "the kernel is cut short");
    size -= from;
    l->kernel_end = (at > setup->pref_address ? at : setup->pref_address) + setup->init_size;
    if (l->kernel_end < at + size)
        l->kernel_end = at + size;
    if (setup->pref_address > l->memory->size || l->kernel_end > vm_memory_low(l->memory))
        return refuse(l, "the kernel needs %llu MiB of memory to begin with",
                      (unsigned long long)(l->kernel_end >> 20) + 1);
    if ((err = load(l, l->files->kernel, from, at, size)) < 0 ||
        (err = load_initrd(l, (uint64_t)setup->initrd_addr_max + 1)) < 0 ||
        (err = put_command_line(l, setup->cmdline_size)) < 0 || (err = put_zero_page(l, setup)) < 0)
        return err;
    *l->entry = (struct vcpu_entry){.mode = VCPU_LONG, .ip = at + ENTRY_64, .rsi = ZERO_PAGE};
    return 0;
}

/* ---- ELF with a PVH entry ---- */

#define PVH_NOTE  18u /* XEN_ELFNOTE_PHYS32_ENTRY */
#define PVH_MAGIC 0x336ec578u
#define PARTS_MAX 64u

struct pvh_start_info {
    uint32_t magic, version, flags, modules;
    uint64_t modules_at, command_line_at, rsdp_at, map_at;
    uint32_t map_entries, reserved;
};

struct pvh_module {
    uint64_t at, size, command_line_at, reserved;
};

struct pvh_map_entry {
    uint64_t at, size;
    uint32_t type, reserved;
};

/* The entry that a segment of notes names; false when it names none. */
static bool find_pvh_note(struct loader *l, const Elf64_Phdr *part, uint64_t *entry)
{
    uint8_t notes[4096];
    size_t size = part->p_filesz < sizeof(notes) ? part->p_filesz : sizeof(notes), at = 0;
    ssize_t n = pread(l->files->kernel, notes, size, (off_t)part->p_offset);

    for (size = n < 0 ? 0 : (size_t)n; at + sizeof(Elf64_Nhdr) <= size;) {
        Elf64_Nhdr note;
        size_t name = at + sizeof(note), value;

        memcpy(&note, notes + at, sizeof(note));
        if (note.n_namesz > size || note.n_descsz > size)
            return false;
        value = name + ((note.n_namesz + 3u) & ~3u);
        at = value + ((note.n_descsz + 3u) & ~3u);
        if (at > size)
            return false;
        if (note.n_type == PVH_NOTE && note.n_namesz == 4 && memcmp(notes + name, "Xen", 4) == 0 &&
            (note.n_descsz == 4 || note.n_descsz == 8)) {
            *entry = 0;
            memcpy(entry, notes + value, note.n_descsz);
            return true;
        }
    }
    return false;
}

static int load_part(struct loader *l, const Elf64_Phdr *part)
{
    uint64_t end = part->p_paddr + part->p_memsz;
    int err;

    if (part->p_memsz == 0)
        return 0;
    if (part->p_filesz > part->p_memsz || part->p_paddr < KERNEL_AT || end < part->p_paddr ||
        !vm_memory_at(l->memory, part->p_paddr, part->p_memsz))
        return refuse(l, "a part of the kernel, 0x%llx bytes at 0x%llx, does not fit the memory",
                      (unsigned long long)part->p_memsz, (unsigned long long)part->p_paddr);
    if ((err = load(l, l->files->kernel, part->p_offset, part->p_paddr, part->p_filesz)) < 0)
        return err;
    memset(vm_memory_at(l->memory, part->p_paddr + part->p_filesz, part->p_memsz - part->p_filesz),
           0, part->p_memsz - part->p_filesz);
    if (end > l->kernel_end)
        l->kernel_end = end;
    return 0;
}

static void put_start_info(struct loader *l)
{
    struct pvh_module module = {.at = l->initrd_at, .size = l->initrd_size};
    struct pvh_map_entry entries[5];
    struct e820 map[5];
    struct pvh_start_info info = {
        .magic = PVH_MAGIC,
        .version = 1,
        .modules = l->initrd_size > 0,
        .modules_at = PVH_MODULES,
        .command_line_at = COMMAND_LINE,
        .rsdp_at = ACPI_AT,
        .map_at = PVH_MAP,
        .map_entries = memory_map(l->memory, map),
    };

    for (unsigned i = 0; i < info.map_entries; i++)
        entries[i] = (struct pvh_map_entry){map[i].at, map[i].size, map[i].type, 0};
    (void)vm_memory_put(l->memory, ZERO_PAGE, &info, sizeof(info)); /* memory is larger than that */
    (void)vm_memory_put(l->memory, PVH_MODULES, &module, sizeof(module));
    (void)vm_memory_put(l->memory, PVH_MAP, entries, info.map_entries * sizeof(entries[0]));
    (void)vm_memory_put(l->memory, VCPU_GDT, gdt, sizeof(gdt));
}

static int load_elf(struct loader *l, const Elf64_Ehdr *elf)
{
    Elf64_Phdr parts[PARTS_MAX];
    uint64_t entry = 0;
    bool found = false;
    int err;

    if (elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_ident[EI_DATA] != ELFDATA2LSB ||
        elf->e_machine != EM_X86_64)
        return refuse(l, "the kernel is an ELF file, but not of x86-64");
    if (elf->e_phentsize != sizeof(parts[0]) || elf->e_phnum == 0 || elf->e_phnum > PARTS_MAX ||
        pread(l->files->kernel, parts, elf->e_phnum * sizeof(parts[0]), (off_t)elf->e_phoff) !=
            (ssize_t)(elf->e_phnum * sizeof(parts[0])))
        return refuse(l, "the kernel's ELF program headers are not there");
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        if (parts[i].p_type == PT_NOTE && !found)
            found = find_pvh_note(l, &parts[i], &entry);
        if (parts[i].p_type == PT_LOAD && (err = load_part(l, &parts[i])) < 0)
            return err;
    }
    if (!found)
        return refuse(l, "the kernel is an ELF file without a PVH entry (CONFIG_PVH)");
    if ((err = load_initrd(l, UINT32_MAX)) < 0 ||
        (err = put_command_line(l, BOOT_COMMAND_LINE_MAX - 1)) < 0)
        return err;
    put_start_info(l);
    *l->entry = (struct vcpu_entry){.mode = VCPU_PROTECTED, .ip = entry, .rbx = ZERO_PAGE};
    return 0;
}

/* ---- either ---- */

/* What a PC's firmware has where a processor begins: a kernel that finds no other way to restart
 * the machine (Linux without EFI, on reduced hardware) jumps there in real mode. Ours asks the
 * board for a reset. */
static void put_reset_vector(const struct vm_memory *memory)
{
    static const uint8_t code[] = {
        0xba,
        (POWER_PORT + POWER_RESET) & 0xff,
        (POWER_PORT + POWER_RESET) >> 8, /* mov dx, port */
        0xb0,
        1,    /* mov al, 1 */
        0xee, /* out dx, al */
        0xf4,
        0xeb,
        0xfd, /* hlt, again */
    };

    (void)vm_memory_put(memory, RESET_VECTOR, code, sizeof(code)); /* memory is larger than that */
}

int boot_load(const struct vm_memory *memory, const struct boot_files *files,
              struct vcpu_entry *entry, char *why, size_t why_size)
{
    struct loader l = {
        .memory = memory, .files = files, .entry = entry, .why = why, .why_size = why_size};
    union {
        Elf64_Ehdr elf;
        struct {
            uint8_t before[SETUP_AT];
            struct setup setup;
        } __attribute__((packed)) bzimage;
    } head = {.bzimage = {.before = {0}}};

    put_reset_vector(memory);
    if (pread(files->kernel, &head, sizeof(head), 0) < (ssize_t)sizeof(head.elf))
        return refuse(&l, "the kernel is no kernel: it is too short");
    if (memcmp(head.elf.e_ident, ELFMAG, SELFMAG) == 0)
        return load_elf(&l, &head.elf);
    if (head.bzimage.setup.boot_flag == 0xaa55 && head.bzimage.setup.header == SETUP_MAGIC) {
        struct setup setup = head.bzimage.setup;

        return load_bzimage(&l, &setup);
    }
    return refuse(&l, "the kernel is neither a bzImage nor an ELF file");
}
