/*
 * vhost_memory.c -- see vhost_memory.h. vhost-user protocol: "Memory region description",
 * "Migration".
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "link/vhost_memory.h"

/* Maps a file from its beginning to offset + size: an offset within a huge page could not be mapped
 * by itself. */
static int map_file(int fd, uint64_t offset, uint64_t size, void **map, size_t *map_size)
{
    struct stat st;
    uint64_t end;

    if (size == 0 || __builtin_add_overflow(offset, size, &end) || end > SIZE_MAX)
        return -EINVAL;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size < 0 || end > (uint64_t)st.st_size)
        return -EINVAL;
    if (st.st_blksize > 0) { /* munmap() of huge pages wants whole ones */
        uint64_t page = (uint64_t)st.st_blksize, over = end % page;

        if (over && end + (page - over) <= (uint64_t)st.st_size)
            end += page - over;
    }
    *map = mmap(NULL, end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (*map == MAP_FAILED)
        return -errno;
    *map_size = end;
    (void)madvise(*map, end, MADV_DONTDUMP);
    return 0;
}

int vhost_memory_add(struct guest_memory *m, const struct guest_region *region, uint64_t offset,
                     int fd)
{
    struct guest_region *r = &m->regions[m->count];
    uint64_t end;
    void *map;
    size_t map_size = 0;
    int err;

    if (m->count == VHOST_MEMORY_REGIONS)
        return -ENOSPC;
    if (__builtin_add_overflow(region->guest, region->size, &end) ||
        __builtin_add_overflow(region->user, region->size, &end))
        return -EINVAL;
    if ((err = map_file(fd, offset, region->size, &map, &map_size)) < 0)
        return err;
    *r = *region;
    r->at = (uint8_t *)map + offset;
    r->map = map;
    r->map_size = map_size;
    m->count++;
    return 0;
}

int vhost_memory_remove(struct guest_memory *m, const struct guest_region *region)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct guest_region *r = &m->regions[i];

        if (r->guest != region->guest || r->user != region->user || r->size != region->size)
            continue;
        munmap(r->map, r->map_size);
        *r = m->regions[--m->count];
        return 0;
    }
    return -ENOENT;
}

void vhost_memory_clear(struct guest_memory *m)
{
    while (m->count > 0) {
        m->count--;
        munmap(m->regions[m->count].map, m->regions[m->count].map_size);
    }
}

int vhost_memory_set_log(struct guest_memory *m, uint64_t size, uint64_t offset, int fd)
{
    int err;

    vhost_memory_clear_log(m);
    if ((err = map_file(fd, offset, size, &m->log_map, &m->log_map_size)) < 0)
        return err;
    m->log = (uint8_t *)m->log_map + offset;
    m->log_size = size;
    return 0;
}

void vhost_memory_clear_log(struct guest_memory *m)
{
    if (m->log)
        munmap(m->log_map, m->log_map_size);
    m->log = NULL;
    m->log_size = 0;
}

void *vhost_memory_of_user(const struct guest_memory *m, uint64_t user, size_t size)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct guest_region *r = &m->regions[i];
        uint64_t inside = user - r->user;

        if (inside < r->size && size <= r->size - inside)
            return r->at + inside;
    }
    return NULL;
}

bool vhost_memory_read(const struct guest_memory *m, void *to, uint64_t guest, size_t size)
{
    uint8_t *next = to;

    while (size > 0) {
        size_t run = size;
        const uint8_t *at = vhost_memory_at(m, guest, &run);

        if (!at)
            return false;
        memcpy(next, at, run);
        next += run;
        guest += run;
        size -= run;
    }
    return true;
}

bool vhost_memory_write(const struct guest_memory *m, uint64_t guest, const void *from, size_t size)
{
    const uint8_t *next = from;

    while (size > 0) {
        size_t run = size;
        uint8_t *at = vhost_memory_at(m, guest, &run);

        if (!at)
            return false;
        memcpy(at, next, run);
        vhost_memory_log(m, guest, run);
        next += run;
        guest += run;
        size -= run;
    }
    return true;
}

/* The bits are the hypervisor's too, which reads and clears them at any time. */
void vhost_memory_mark(const struct guest_memory *m, uint64_t guest, size_t size)
{
    if (size == 0)
        return;
    uint64_t page = guest / VHOST_LOG_PAGE, last = (guest + (size - 1)) / VHOST_LOG_PAGE;

    for (; page <= last && page / 8 < m->log_size; page++)
        __atomic_fetch_or(&m->log[page / 8], (uint8_t)(1U << page % 8), __ATOMIC_RELEASE);
}
