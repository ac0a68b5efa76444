/*
 * allocator.c -- TEIDs and meter ids; allocator.h tells the idea.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/allocator.h"

void up_teids_init(struct up_teids *teids, uint32_t first)
{
    map_init(&teids->owners);
    teids->next = first;
}

void up_teids_free(struct up_teids *teids)
{
    map_free(&teids->owners);
}

uint32_t up_teid_choose(struct up_teids *teids)
{
    uint64_t owner;
    uint32_t teid;

    /* Sessions are bounded far below 2^32, so a free one comes soon. */
    do {
        teid = teids->next++;
    } while (teid == 0 || map_find(&teids->owners, teid, &owner));
    return map_set(&teids->owners, teid, UP_TEID_TAKEN) < 0 ? 0 : teid;
}

int up_teid_claim(struct up_teids *teids, uint32_t teid)
{
    uint64_t owner;

    if (teid == 0 || (map_find(&teids->owners, teid, &owner) && owner != UP_TEID_RESERVED))
        return -EADDRINUSE;
    return map_set(&teids->owners, teid, UP_TEID_TAKEN);
}

void up_teid_assign(struct up_teids *teids, uint32_t teid, uint32_t session)
{
    uint64_t owner;

    /* Only replaces: needs no memory. */
    if (map_find(&teids->owners, teid, &owner))
        map_set(&teids->owners, teid, session);
}

uint32_t up_teid_owner(const struct up_teids *teids, uint32_t teid)
{
    uint64_t owner = map_get(&teids->owners, teid);

    return owner >= UP_TEID_TAKEN ? 0 : (uint32_t)owner;
}

void up_teid_release(struct up_teids *teids, uint32_t teid)
{
    map_remove(&teids->owners, teid);
}

void up_teid_reserve(struct up_teids *teids, uint32_t teid)
{
    uint64_t owner;

    if (teid != 0 && !map_find(&teids->owners, teid, &owner))
        map_set(&teids->owners, teid, UP_TEID_RESERVED);
}

void up_teids_forget_reserved(struct up_teids *teids)
{
    struct map kept;
    uint64_t teid, owner;
    size_t at = 0;

    map_init(&kept);
    while (map_next(&teids->owners, &at, &teid, &owner)) {
        if (owner == UP_TEID_RESERVED)
            continue;
        if (map_set(&kept, teid, owner) < 0) {
            map_free(&kept); /* no memory: they stay reserved */
            return;
        }
    }
    map_free(&teids->owners);
    teids->owners = kept;
}

#define BITS 64

static size_t words(const struct up_meters *meters)
{
    return (meters->limit + BITS - 1) / BITS;
}

static bool bit_is_set(const uint64_t *bits, uint32_t id)
{
    return bits[id / BITS] >> id % BITS & 1;
}

int up_meters_init(struct up_meters *meters, uint32_t first, uint32_t limit)
{
    *meters = (struct up_meters){.first = first, .limit = limit, .lowest = first};
    meters->used = calloc(words(meters) + 1, sizeof(uint64_t));
    meters->reserved = calloc(words(meters) + 1, sizeof(uint64_t));
    if (!meters->used || !meters->reserved) {
        up_meters_free(meters);
        return -ENOMEM;
    }
    return 0;
}

void up_meters_free(struct up_meters *meters)
{
    free(meters->used);
    free(meters->reserved);
    *meters = (struct up_meters){.used = NULL};
}

uint32_t up_meter_take(struct up_meters *meters)
{
    for (size_t word = meters->lowest / BITS; word < words(meters); word++) {
        uint64_t unused = ~meters->used[word];
        if (word == meters->lowest / BITS)
            unused &= UINT64_MAX << meters->lowest % BITS;
        if (!unused)
            continue;
        uint32_t id = (uint32_t)(word * BITS) + (uint32_t)__builtin_ctzll(unused);
        if (id >= meters->limit)
            break;
        meters->used[word] |= UINT64_C(1) << id % BITS;
        meters->lowest = id + 1;
        meters->count++;
        return id;
    }
    return 0;
}

static bool in_range(const struct up_meters *meters, uint32_t id)
{
    return id >= meters->first && id < meters->limit;
}

void up_meter_release(struct up_meters *meters, uint32_t id)
{
    if (!in_range(meters, id) || !bit_is_set(meters->used, id) || bit_is_set(meters->reserved, id))
        return;
    meters->used[id / BITS] &= ~(UINT64_C(1) << id % BITS);
    meters->count--;
    if (id < meters->lowest)
        meters->lowest = id;
}

bool up_meter_reserve(struct up_meters *meters, uint32_t id)
{
    if (!in_range(meters, id))
        return true;
    if (bit_is_set(meters->used, id))
        return bit_is_set(meters->reserved, id);
    meters->used[id / BITS] |= UINT64_C(1) << id % BITS;
    meters->reserved[id / BITS] |= UINT64_C(1) << id % BITS;
    return true;
}

bool up_meter_is_reserved(const struct up_meters *meters, uint32_t id)
{
    return in_range(meters, id) && bit_is_set(meters->reserved, id);
}

void up_meters_forget_reserved(struct up_meters *meters)
{
    for (size_t word = 0; word < words(meters); word++) {
        meters->used[word] &= ~meters->reserved[word];
        meters->reserved[word] = 0;
    }
    meters->lowest = meters->first;
}
