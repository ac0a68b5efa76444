/*
 * counter.c -- see counter.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "switch/counter.h"

#define SMALL_PAGES ((size_t)2 << 20)

#define RESERVED (COUNTER_MOST * sizeof(struct counter))

int counters_init(struct counters *counters, unsigned owners)
{
    memset(counters, 0, sizeof(*counters));
    for (unsigned i = 0; i < owners && i < COUNTER_OWNERS; i++) {
        void *at = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (at == MAP_FAILED) {
            counters_free(counters);
            return -ENOMEM;
        }
        /* Few counters need few pages; many, large ones. */
        (void)madvise((uint8_t *)at + SMALL_PAGES, RESERVED - SMALL_PAGES, MADV_HUGEPAGE);
        counters->owners[i].at = at;
        counters->owner_count++;
    }
    return 0;
}

void counters_free(struct counters *counters)
{
    for (unsigned i = 0; i < counters->owner_count; i++)
        munmap(counters->owners[i].at, RESERVED);
    free(counters->free);
    memset(counters, 0, sizeof(*counters));
}

/* Room to take every number back, so that counter_free() can not fail. */
static int grow_free(struct counters *counters)
{
    uint32_t size = counters->free_size ? counters->free_size * 2 : 256;
    uint32_t *free_list = realloc(counters->free, size * sizeof(*free_list));

    if (!free_list)
        return -ENOMEM;
    counters->free = free_list;
    counters->free_size = size;
    return 0;
}

int counter_new(struct counters *counters, uint32_t *number)
{
    int err;

    if (counters->free_count) {
        *number = counters->free[--counters->free_count];
        for (unsigned i = 0; i < counters->owner_count; i++)
            *counter_of(&counters->owners[i], *number) = (struct counter){0, 0};
        return 0;
    }
    if (counters->fresh == COUNTER_MOST)
        return -ENOMEM;
    if (counters->fresh >= counters->free_size && (err = grow_free(counters)) < 0)
        return err;
    *number = counters->fresh++;
    return 0;
}

void counter_free(struct counters *counters, uint32_t number)
{
    counters->free[counters->free_count++] = number;
}

struct counter counter_sum(const struct counters *counters, uint32_t number)
{
    struct counter sum = {0, 0};

    for (unsigned i = 0; i < counters->owner_count; i++) {
        const struct counter *c = counter_of(&counters->owners[i], number);

        sum.packets += __atomic_load_n(&c->packets, __ATOMIC_RELAXED);
        sum.bytes += __atomic_load_n(&c->bytes, __ATOMIC_RELAXED);
    }
    return sum;
}
