/*
 * pool.c -- see pool.h. A place is a header (generation, in-use mark, free link) and the object
 * behind it. The free list is a queue, so that a place rests as long as possible before its id's
 * place is used again.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define CHUNK_OBJECTS 256u
#define INDEX_BITS    24
#define INDEX_MASK    ((UINT32_C(1) << INDEX_BITS) - 1)

struct slot {
    uint32_t next_free; /* index + 1 of the next free place; 0: none */
    uint8_t generation;
    bool used;
    _Alignas(16) unsigned char object[];
};

void pool_init(struct pool *pool, size_t object_size, uint32_t limit)
{
    size_t size = sizeof(struct slot) + object_size;

    *pool = (struct pool){
        .slot_size = (size + 15) & ~(size_t)15,
        .limit = limit < POOL_MAX_LIMIT ? limit : POOL_MAX_LIMIT,
    };
}

void pool_free(struct pool *pool)
{
    for (uint32_t i = 0; i * CHUNK_OBJECTS < pool->made; i++)
        free(pool->chunks[i]);
    free(pool->chunks);
    pool_init(pool, 0, 0);
}

static struct slot *slot_at(const struct pool *pool, uint32_t index)
{
    unsigned char *chunk = pool->chunks[index / CHUNK_OBJECTS];
    return (struct slot *)(void *)(chunk + index % CHUNK_OBJECTS * pool->slot_size);
}

/* Index 0 is used too: ids are index + 1 in the low bits, so that no id is 0. */
static uint32_t id_of(const struct slot *slot, uint32_t index)
{
    return (uint32_t)slot->generation << INDEX_BITS | (index + 1);
}

static bool make_place(struct pool *pool, uint32_t *index)
{
    if (pool->made >= pool->limit)
        return false;
    if (pool->made % CHUNK_OBJECTS == 0) {
        size_t n = pool->made / CHUNK_OBJECTS;
        void **chunks = realloc(pool->chunks, (n + 1) * sizeof(*chunks));
        if (!chunks)
            return false;
        pool->chunks = chunks;
        chunks[n] = aligned_alloc(16, CHUNK_OBJECTS * pool->slot_size);
        if (!chunks[n])
            return false;
        memset(chunks[n], 0, CHUNK_OBJECTS * pool->slot_size);
    }
    *index = pool->made++;
    return true;
}

static bool take_free(struct pool *pool, uint32_t *index)
{
    if (pool->free_first == 0)
        return false;
    *index = pool->free_first - 1;
    pool->free_first = slot_at(pool, *index)->next_free;
    if (pool->free_first == 0)
        pool->free_last = 0;
    return true;
}

void *pool_new(struct pool *pool, uint32_t *id)
{
    uint32_t index;

    if (!take_free(pool, &index) && !make_place(pool, &index))
        return NULL;
    struct slot *slot = slot_at(pool, index);
    slot->used = true;
    slot->next_free = 0;
    memset(slot->object, 0, pool->slot_size - sizeof(struct slot));
    pool->count++;
    *id = id_of(slot, index);
    return slot->object;
}

static struct slot *find(const struct pool *pool, uint32_t id, uint32_t *index)
{
    uint32_t number = id & INDEX_MASK;

    if (number == 0 || number > pool->made)
        return NULL;
    *index = number - 1;
    struct slot *slot = slot_at(pool, *index);
    return slot->used && slot->generation == id >> INDEX_BITS ? slot : NULL;
}

void *pool_get(const struct pool *pool, uint32_t id)
{
    uint32_t index;
    struct slot *slot = find(pool, id, &index);

    return slot ? slot->object : NULL;
}

void pool_delete(struct pool *pool, uint32_t id)
{
    uint32_t index;
    struct slot *slot = find(pool, id, &index);

    if (!slot)
        return;
    slot->used = false;
    slot->generation++;
    slot->next_free = 0;
    if (pool->free_last)
        slot_at(pool, pool->free_last - 1)->next_free = index + 1;
    else
        pool->free_first = index + 1;
    pool->free_last = index + 1;
    pool->count--;
}

void *pool_next(const struct pool *pool, uint32_t *id)
{
    /* The low bits of an id are its index + 1: the index to look at next. */
    for (uint32_t index = *id & INDEX_MASK; index < pool->made; index++) {
        struct slot *slot = slot_at(pool, index);
        if (slot->used) {
            *id = id_of(slot, index);
            return slot->object;
        }
    }
    *id = 0;
    return NULL;
}
