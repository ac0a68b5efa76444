/*
 * vhost_memory.h -- a guest's memory as its hypervisor lends it to us.
 *
 * A region is a run of guest-physical addresses behind a file descriptor that we map. The same
 * bytes have three addresses: the guest's (`guest`, used in descriptors), the hypervisor's own
 * (`user`, used for ring addresses in vhost-user messages), and ours (`at`). Nothing a guest names
 * is touched before vhost_memory_at() found it inside a region; a buffer that runs over the end of
 * one region goes on in the next, or is refused.
 *
 * The dirty log (VHOST_F_LOG_ALL) is a bitmap with one bit for each 4096 bytes of guest-physical
 * address space that the hypervisor shares while it migrates the guest: who writes guest memory
 * sets the bit after the write.
 *
 * The map changes only while no data thread can see it (see vhost_user.h); looking up and logging
 * is for any thread. The hypervisor must not shorten the file afterwards (a memfd of QEMU's is
 * sealed against that): a guest can not.
 */
#ifndef STROWGER_LINK_VHOST_MEMORY_H
#define STROWGER_LINK_VHOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VHOST_MEMORY_REGIONS 32
#define VHOST_LOG_PAGE       4096

struct guest_region {
    uint64_t guest; /* guest-physical address */
    uint64_t user;  /* in the hypervisor's address space */
    uint64_t size;
    uint8_t *at; /* here */
    void *map;   /* the whole mapping */
    size_t map_size;
};

struct guest_memory {
    unsigned count;
    struct guest_region regions[VHOST_MEMORY_REGIONS];
    uint8_t *log; /* NULL: no log */
    size_t log_size;
    void *log_map;
    size_t log_map_size;
    bool logging; /* VHOST_F_LOG_ALL is negotiated */
};

/* Maps `region` (its guest, user and size) at `offset` of the file `fd`, which stays the caller's.
 * 0, or -EINVAL (empty, wraps around, beyond the end of the file), -ENOSPC, or what mmap said. */
int vhost_memory_add(struct guest_memory *m, const struct guest_region *region, uint64_t offset,
                     int fd);

/* Unmaps the region with these three values. 0 or -ENOENT. */
int vhost_memory_remove(struct guest_memory *m, const struct guest_region *region);

/* Unmaps all regions; the log stays. */
void vhost_memory_clear(struct guest_memory *m);

/* Maps the dirty log: `size` bytes at `offset` of `fd`, which stays the caller's. 0 or negative
 * errno; then there is no log. */
int vhost_memory_set_log(struct guest_memory *m, uint64_t size, uint64_t offset, int fd);
void vhost_memory_clear_log(struct guest_memory *m);

/* Where the guest-physical address `guest` is, and in *run (at most as it was) how many bytes from
 * there belong to the same region. NULL when it is in none. */
static inline uint8_t *vhost_memory_at(const struct guest_memory *m, uint64_t guest, size_t *run)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct guest_region *r = &m->regions[i];
        uint64_t inside = guest - r->guest;

        if (inside >= r->size)
            continue;
        if (*run > r->size - inside)
            *run = r->size - inside;
        return r->at + inside;
    }
    return NULL;
}

/* All `size` bytes from the hypervisor's address `user`, when one region holds them; else NULL. */
void *vhost_memory_of_user(const struct guest_memory *m, uint64_t user, size_t size);

/* Copy between here and guest-physical memory; false when a byte of it is in no region (part may
 * have been copied). */
bool vhost_memory_read(const struct guest_memory *m, void *to, uint64_t guest, size_t size);
bool vhost_memory_write(const struct guest_memory *m, uint64_t guest, const void *from,
                        size_t size);

/* Marks guest-physical bytes as written, when the log is on. */
void vhost_memory_mark(const struct guest_memory *m, uint64_t guest, size_t size);

static inline void vhost_memory_log(const struct guest_memory *m, uint64_t guest, size_t size)
{
    if (m->logging && m->log)
        vhost_memory_mark(m, guest, size);
}

#endif
