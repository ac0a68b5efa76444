/*
 * vmm_guest.h -- kernels of a few bytes, for tests of the hypervisor: machine code wrapped as a
 * bzImage, which is loaded at 1 MiB and entered at its 64-bit entry.
 */
#ifndef STROWGER_TESTS_VMM_GUEST_H
#define STROWGER_TESTS_VMM_GUEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUEST_KERNEL_AT 0x100000u
#define GUEST_SETUP     0x1f1u

/* A file of these bytes; its descriptor. */
static inline int guest_file(const void *bytes, size_t size)
{
    int fd = memfd_create("guest file", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        return -1;
    return fd;
}

static inline void guest_put(uint8_t *image, unsigned at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        image[at + i] = (uint8_t)(value >> 8 * i);
}

#define GUEST_IMAGE_ROOM 8192u

/* Wraps code in `image` (GUEST_IMAGE_ROOM bytes); the image's size. */
static inline size_t guest_image(uint8_t *image, const uint8_t *code, size_t code_size)
{
    memset(image, 0, GUEST_IMAGE_ROOM);
    image[GUEST_SETUP] = 1;                      /* sector of setup */
    guest_put(image, 0x1fe, 0xaa55, 2);          /* boot flag */
    memcpy(image + 0x202, "HdrS", 4);            /* header */
    guest_put(image, 0x206, 0x20f, 2);           /* version */
    guest_put(image, 0x22c, 0x7fffffff, 4);      /* initrd_addr_max */
    image[0x234] = 1;                            /* relocatable_kernel */
    guest_put(image, 0x236, 1, 2);               /* xloadflags: 64-bit entry */
    guest_put(image, 0x238, 2047, 4);            /* cmdline_size */
    guest_put(image, 0x258, GUEST_KERNEL_AT, 8); /* pref_address */
    guest_put(image, 0x260, 0x10000, 4);         /* init_size */
    memcpy(image + 1024 + 0x200, code, code_size);
    return 1024 + 0x200 + code_size;
}

static inline int guest_kernel(const uint8_t *code, size_t code_size)
{
    uint8_t image[GUEST_IMAGE_ROOM];

    return guest_file(image, guest_image(image, code, code_size));
}

#endif
