/*
 * map.c -- see map.h. Entries are 24 bytes; at most three quarters of the places are used. Removal
 * shifts the following entries back, so there are no tombstones and look-ups never slow down with
 * age.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/map.h"

#define FIRST_SIZE 16u

struct map_entry {
    uint64_t key;
    uint64_t value;
    bool used;
};

void map_init(struct map *map)
{
    *map = (struct map){0};
    /* Without a seed the map still works; only chosen collisions become possible. */
    if (getrandom(&map->seed, sizeof(map->seed), GRND_NONBLOCK) != (ssize_t)sizeof(map->seed))
        map->seed = (uintptr_t)map;
}

void map_free(struct map *map)
{
    free(map->entries);
    *map = (struct map){.seed = map->seed};
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t map_hash_bytes(const void *at, size_t len, uint64_t seed)
{
    const unsigned char *p = at;
    uint64_t hash = mix(seed ^ len);

    while (len > 0) {
        uint64_t word = 0;
        size_t n = len < 8 ? len : 8;
        memcpy(&word, p, n);
        hash = mix(hash ^ word);
        p += n;
        len -= n;
    }
    return hash;
}

static size_t home(const struct map *map, uint64_t key)
{
    return mix(key ^ map->seed) & (map->size - 1);
}

/* The place of the key, or the free place where it would go. The map has a free place at least. */
static size_t place_of(const struct map *map, uint64_t key)
{
    size_t i = home(map, key);

    while (map->entries[i].used && map->entries[i].key != key)
        i = (i + 1) & (map->size - 1);
    return i;
}

static int grow(struct map *map)
{
    struct map old = *map;
    size_t size = old.size ? old.size * 2 : FIRST_SIZE;
    struct map_entry *entries = calloc(size, sizeof(*entries));

    if (!entries)
        return -ENOMEM;
    map->entries = entries;
    map->size = size;
    for (size_t i = 0; i < old.size; i++) {
        if (old.entries[i].used)
            map->entries[place_of(map, old.entries[i].key)] = old.entries[i];
    }
    free(old.entries);
    return 0;
}

int map_set(struct map *map, uint64_t key, uint64_t value)
{
    if (map->count + 1 > map->size / 4 * 3 && grow(map) < 0 && map->count + 1 >= map->size)
        return -ENOMEM;
    struct map_entry *entry = &map->entries[place_of(map, key)];
    if (!entry->used)
        map->count++;
    *entry = (struct map_entry){key, value, true};
    return 0;
}

bool map_find(const struct map *map, uint64_t key, uint64_t *value)
{
    if (map->size == 0)
        return false;
    const struct map_entry *entry = &map->entries[place_of(map, key)];
    if (entry->used)
        *value = entry->value;
    return entry->used;
}

uint64_t map_get(const struct map *map, uint64_t key)
{
    uint64_t value = 0;

    (void)map_find(map, key, &value);
    return value;
}

bool map_remove(struct map *map, uint64_t key)
{
    if (map->size == 0)
        return false;
    size_t mask = map->size - 1;
    size_t hole = place_of(map, key);
    if (!map->entries[hole].used)
        return false;
    for (size_t i = (hole + 1) & mask; map->entries[i].used; i = (i + 1) & mask) {
        /* An entry may fill the hole unless its home lies cyclically behind the hole. */
        size_t from_home = (i - home(map, map->entries[i].key)) & mask;
        if (from_home >= ((i - hole) & mask)) {
            map->entries[hole] = map->entries[i];
            hole = i;
        }
    }
    map->entries[hole].used = false;
    map->count--;
    return true;
}

bool map_next(const struct map *map, size_t *at, uint64_t *key, uint64_t *value)
{
    while (*at < map->size) {
        const struct map_entry *entry = &map->entries[(*at)++];
        if (entry->used) {
            *key = entry->key;
            *value = entry->value;
            return true;
        }
    }
    return false;
}
