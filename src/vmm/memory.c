/*
 * memory.c -- see memory.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/memory.h"

static void add_region(struct vm_memory *m, uint64_t guest, uint64_t offset, uint64_t size)
{
    if (size)
        m->map.regions[m->map.count++] = (struct guest_region){
            .guest = guest, .user = guest, .size = size, .at = m->at + offset};
}

int vm_memory_make(struct vm_memory *m, uint64_t size)
{
    uint64_t low;

    *m = (struct vm_memory){.fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                            .size = size};
    if (m->fd < 0 || ftruncate(m->fd, (off_t)size) < 0)
        return -errno;
    m->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->fd, 0);
    if (m->at == MAP_FAILED) {
        m->at = NULL;
        return -errno;
    }
    (void)madvise(m->at, size, MADV_HUGEPAGE); /* as shmem_enabled allows */
    (void)madvise(m->at, size, MADV_DONTDUMP);
    low = vm_memory_low(m);
    add_region(m, 0, 0, low);
    add_region(m, MEMORY_HOLE_END, low, size - low);
    return 0;
}

void vm_memory_free(struct vm_memory *m)
{
    if (m->at)
        munmap(m->at, m->size);
    if (m->fd >= 0)
        close(m->fd);
    *m = (struct vm_memory){.fd = -1};
}

bool vm_memory_put(const struct vm_memory *m, uint64_t guest, const void *from, uint64_t size)
{
    void *to = vm_memory_at(m, guest, size);

    if (!to)
        return false;
    memcpy(to, from, size);
    vhost_memory_log(&m->map, guest, size);
    return true;
}
