/*
 * mirror_ring.c -- see mirror_ring.h. Before each entry stands its size, itself included; PASS
 * marks the end of the ring's bytes where no entry fitted.
 */
#include <string.h>

#include "switch/counter.h"
#include "switch/mirror_ring.h"

#define HEAD 8u
#define PASS 0x80000000u

struct mirror_ring *mirror_rings_new(unsigned count, uint32_t size)
{
    struct mirror_ring *rings = aligned_alloc(64, count * sizeof(*rings));

    if (!rings)
        return NULL;
    memset(rings, 0, count * sizeof(*rings));
    for (unsigned i = 0; i < count; i++) {
        rings[i].size = size;
        rings[i].bytes = malloc(size);
        if (!rings[i].bytes) {
            mirror_rings_free(rings, count);
            return NULL;
        }
    }
    return rings;
}

void mirror_rings_free(struct mirror_ring *rings, unsigned count)
{
    for (unsigned i = 0; rings && i < count; i++)
        free(rings[i].bytes);
    free(rings);
}

static uint32_t *head_at(struct mirror_ring *r, uint64_t at)
{
    return (void *)(r->bytes + (at & (r->size - 1)));
}

void *mirror_ring_reserve(struct mirror_ring *r, uint32_t size)
{
    uint32_t whole = HEAD + ((size + 7) & ~7u);
    uint32_t to_end = r->size - (uint32_t)(r->head & (r->size - 1));
    uint64_t used = r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
    uint32_t passed = to_end < whole ? to_end : 0;

    if (used + passed + whole > r->size) {
        counter_add(&r->lost, 1);
        return NULL;
    }
    if (passed) {
        *head_at(r, r->head) = PASS | passed;
        __atomic_store_n(&r->head, r->head + passed, __ATOMIC_RELEASE);
    }
    *head_at(r, r->head) = whole;
    return (uint8_t *)head_at(r, r->head) + HEAD;
}

void mirror_ring_commit(struct mirror_ring *r)
{
    __atomic_store_n(&r->head, r->head + *head_at(r, r->head), __ATOMIC_RELEASE);
}

void mirror_ring_release(struct mirror_ring *r)
{
    uint32_t size = *head_at(r, r->tail) & ~PASS;

    __atomic_store_n(&r->tail, r->tail + size, __ATOMIC_RELEASE);
}

const void *mirror_ring_peek(struct mirror_ring *r)
{
    uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);

    while (r->tail != head) {
        if (!(*head_at(r, r->tail) & PASS))
            return (const uint8_t *)head_at(r, r->tail) + HEAD;
        mirror_ring_release(r);
    }
    return NULL;
}

uint64_t mirror_rings_lost(const struct mirror_ring *rings, unsigned count)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += __atomic_load_n(&rings[i].lost, __ATOMIC_RELAXED);
    return sum;
}
