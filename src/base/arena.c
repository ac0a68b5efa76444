/*
 * arena.c -- see arena.h. A chunk is 16 KiB or as large as the one object that needs more.
 */
#include <stdlib.h>

#include "base/arena.h"

#define CHUNK_SIZE ((size_t)16384)
#define ALIGNMENT  ((size_t)16)

struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t size;
    _Alignas(16) uint8_t data[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_free(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        free(chunk);
    }
    a->used = 0;
}

void arena_reset(struct arena *a)
{
    while (a->chunks && a->chunks->next) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        free(chunk);
    }
    if (a->chunks)
        a->chunks->used = 0;
    a->used = 0;
}

static struct arena_chunk *add_chunk(struct arena *a, size_t size)
{
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + room);

    if (!chunk)
        return NULL;
    chunk->next = a->chunks;
    chunk->used = 0;
    chunk->size = room;
    a->chunks = chunk;
    return chunk;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > a->limit - a->used)
        return NULL;
    size_t step = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (step > a->limit - a->used)
        step = size; /* the last object before the limit need not be padded */

    struct arena_chunk *chunk = a->chunks;
    size_t from = chunk ? (chunk->used + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : 0;
    if (!chunk || from > chunk->size || size > chunk->size - from) {
        chunk = add_chunk(a, size);
        if (!chunk)
            return NULL;
        from = 0;
    }
    chunk->used = from + size;
    a->used += step;
    return memset(chunk->data + from, 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return arena_alloc(a, total);
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
    uint8_t *copy = arena_alloc(a, b.len);

    if (!copy)
        return bytes_of(NULL, 0);
    if (b.len > 0)
        memcpy(copy, b.at, b.len);
    return bytes_of(copy, b.len);
}
