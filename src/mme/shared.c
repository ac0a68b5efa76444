/*
 * shared.c -- see shared.h. A map from the content's hash to its copy. When two contents have one
 * hash (never, by chance) the second is kept by itself: it is found by nobody else, and nothing
 * breaks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "mme/shared.h"

static struct {
    struct map by_hash; /* to the pointer */
    uint64_t seed;
    size_t count, bytes;
} shared_context;

static struct mme_shared *lookup(uint64_t hash)
{
    return (struct mme_shared *)(uintptr_t)map_get(&shared_context.by_hash, hash);
}

const struct mme_shared *mme_share(const void *bytes, size_t len)
{
    if (shared_context.seed == 0) {
        map_init(&shared_context.by_hash);
        shared_context.seed = shared_context.by_hash.seed | 1;
    }
    uint64_t hash = map_hash_bytes(bytes, len, shared_context.seed);
    struct mme_shared *found = lookup(hash);

    if (found && found->len == len && memcmp(found->bytes, bytes, len) == 0) {
        found->users++;
        return found;
    }
    size_t size = (sizeof(struct mme_shared) + len + 15) & ~(size_t)15;
    struct mme_shared *copy = aligned_alloc(16, size);
    if (!copy)
        return NULL;
    copy->hash = hash;
    copy->users = 1;
    copy->len = (uint32_t)len;
    memcpy(copy->bytes, bytes, len);
    if (!found && map_set(&shared_context.by_hash, hash, (uintptr_t)copy) < 0) {
        free(copy);
        return NULL;
    }
    shared_context.count++;
    shared_context.bytes += size;
    return copy;
}

void mme_unshare(const struct mme_shared *shared)
{
    if (!shared)
        return;
    struct mme_shared *copy = (struct mme_shared *)(uintptr_t)shared;
    if (--copy->users > 0)
        return;
    if (lookup(copy->hash) == copy)
        map_remove(&shared_context.by_hash, copy->hash);
    shared_context.count--;
    shared_context.bytes -= (sizeof(struct mme_shared) + copy->len + 15) & ~(size_t)15;
    free(copy);
}

size_t mme_shared_count(void)
{
    return shared_context.count;
}

size_t mme_shared_bytes(void)
{
    return shared_context.bytes;
}

void mme_shared_free(void)
{
    size_t at = 0;
    uint64_t hash, copy;

    while (map_next(&shared_context.by_hash, &at, &hash, &copy))
        free((void *)(uintptr_t)copy);
    map_free(&shared_context.by_hash);
    memset(&shared_context, 0, sizeof(shared_context));
}
