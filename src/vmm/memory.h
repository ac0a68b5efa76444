/*
 * memory.h -- a guest's physical memory.
 *
 * One memfd, mapped once. The guest sees it in two pieces: below MEMORY_HOLE, and what is left from
 * 4 GiB on; between them are devices. So a guest-physical address is one comparison away from ours,
 * and a vhost-user process or a clone can have the whole of it by one descriptor.
 *
 * Devices find what a guest names by vm_memory_at(), which gives nothing outside of the guest's
 * memory; queues look through `map`, the same two pieces (link/vhost_memory.h), and mark there what
 * they write.
 *
 * Any thread may look; making and freeing is for the loop's.
 */
#ifndef STROWGER_VMM_MEMORY_H
#define STROWGER_VMM_MEMORY_H

#include "link/vhost_memory.h"

#define MEMORY_HOLE     UINT64_C(0xc0000000) /* begins here, ... */
#define MEMORY_HOLE_END UINT64_C(0x100000000)
#define MEMORY_PAGE     4096u

struct vm_memory {
    int fd;
    uint8_t *at;
    uint64_t size;
    struct guest_memory map;
};

/* `size` bytes, a multiple of 2 MiB, that read as zero; pages are taken when they are touched, in
 * huge ones where the kernel has them. 0 or negative errno; vm_memory_free() in any case. */
int vm_memory_make(struct vm_memory *memory, uint64_t size);
void vm_memory_free(struct vm_memory *memory);

/* How much of it is below the hole. */
static inline uint64_t vm_memory_low(const struct vm_memory *memory)
{
    return memory->size < MEMORY_HOLE ? memory->size : MEMORY_HOLE;
}

/* `size` bytes from the guest-physical address on, or NULL when not all of them are memory. */
static inline void *vm_memory_at(const struct vm_memory *memory, uint64_t guest, uint64_t size)
{
    uint64_t low = vm_memory_low(memory), high = memory->size - low;

    if (guest < low)
        return size <= low - guest ? memory->at + guest : NULL;
    guest -= MEMORY_HOLE_END; /* wraps around for what is in the hole */
    return guest < high && size <= high - guest ? memory->at + low + guest : NULL;
}

/* Copies bytes into the guest; false when they do not fit. */
bool vm_memory_put(const struct vm_memory *memory, uint64_t guest, const void *from, uint64_t size);

#endif
