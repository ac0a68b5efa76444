/*
 * pool.h -- contexts found by id.
 *
 * A subscriber, a session, a peer lives in a pool and is referred to by a 32-bit id, never by a
 * pointer that outlives the call. An id holds the place (24 bits) and the generation of that place
 * (8 bits), so an id kept too long, or made up by a peer, finds nothing rather than somebody else.
 * An id is never 0 and may be used on the wire (TEID, MME-UE-S1AP-ID); check there that the peer is
 * the one that may use it.
 *
 * Objects do not move; memory comes in chunks and is used again, last freed last used, so that a
 * stale id stays stale as long as possible. A pool has a limit: a full pool says NULL and the
 * caller refuses with the specification's cause. One thread.
 */
#ifndef STROWGER_BASE_POOL_H
#define STROWGER_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_MAX_LIMIT ((UINT32_C(1) << 24) - 1)

struct pool {
    size_t slot_size;
    uint32_t limit; /* objects at most */
    uint32_t count; /* objects in use */
    uint32_t made;  /* places that exist */
    uint32_t free_first, free_last;
    void **chunks;
};

/* A pool of at most `limit` (up to POOL_MAX_LIMIT) objects of `object_size` bytes. Takes memory as
 * it grows. */
void pool_init(struct pool *pool, size_t object_size, uint32_t limit);

/* Frees all memory; what the objects own must have been released. */
void pool_free(struct pool *pool);

/* A zeroed object and its id; NULL when the pool is full or memory is out. */
void *pool_new(struct pool *pool, uint32_t *id);

/* The object with this id, or NULL: any number may be asked for. */
void *pool_get(const struct pool *pool, uint32_t id);

/* Ends the object's life; a stale id is ignored. */
void pool_delete(struct pool *pool, uint32_t id);

/* Walks over all objects: start with *id == 0; each call sets *id to the next object's id and
 * returns it, NULL at the end. Objects may be deleted, the current one included, between calls. */
void *pool_next(const struct pool *pool, uint32_t *id);

#endif
