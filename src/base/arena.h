/*
 * arena.h -- memory for one dispatch.
 *
 * What a decoder needs while one message is handled comes from an arena: allocation is a pointer
 * that moves, and all of it is taken back at once when the message is done. A decoder takes memory
 * from nowhere else, and an arena has a limit, so no message can make a process grow.
 *
 * The first chunk is kept between dispatches; more chunks appear when a message is large and leave
 * with the reset. Not thread-safe: one arena, one thread.
 */
#ifndef STROWGER_BASE_ARENA_H
#define STROWGER_BASE_ARENA_H

#include <stddef.h>

#include "base/cursor.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first; the oldest stays over a reset */
    size_t used;                /* bytes handed out since the last reset */
    size_t limit;               /* bytes it may hand out between two resets */
};

/* An arena that hands out at most `limit` bytes between resets. Takes no memory before the first
 * use. */
void arena_init(struct arena *a, size_t limit);

/* Gives everything back to the system; the arena may be used again. */
void arena_free(struct arena *a);

/* Ends the life of all that was handed out. */
void arena_reset(struct arena *a);

/* `size` zeroed bytes aligned for any object, or NULL when the limit or the system's memory is
 * exhausted. Belongs to the arena until its next reset. */
void *arena_alloc(struct arena *a, size_t size);

/* The same for an array; NULL also when count * size overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy of the bytes; {NULL, 0} when there is no room. */
struct bytes arena_copy(struct arena *a, struct bytes b);

#endif
