/*
 * map.h -- from a 64-bit key to a 64-bit value: IMSI to context id, TEID to session id, address to
 * peer.
 *
 * Open addressing with linear probing; the hash is keyed with a random number per map, so that a
 * peer who chooses keys cannot choose collisions. Any key is allowed. Grows by doubling; never
 * shrinks. One thread.
 */
#ifndef STROWGER_BASE_MAP_H
#define STROWGER_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry;

struct map {
    struct map_entry *entries;
    uint64_t seed;
    size_t size;  /* a power of two, or 0 before the first use */
    size_t count; /* keys in it */
};

void map_init(struct map *map);
void map_free(struct map *map);

/* Sets or replaces. 0 or -ENOMEM. A value of 0 is allowed but map_get() cannot tell it from
 * absence. */
int map_set(struct map *map, uint64_t key, uint64_t value);

/* The value, or 0 when the key is not there. */
uint64_t map_get(const struct map *map, uint64_t key);

bool map_find(const struct map *map, uint64_t key, uint64_t *value);

/* True when the key was there. */
bool map_remove(struct map *map, uint64_t key);

/* Walks over all entries: start with *at == 0; false at the end. The map stays as it is meanwhile.
 */
bool map_next(const struct map *map, size_t *at, uint64_t *key, uint64_t *value);

/* A keyed hash of bytes as a map key, for keys longer than 64 bits; the caller compares the real
 * key. */
uint64_t map_hash_bytes(const void *at, size_t len, uint64_t seed);

#endif
