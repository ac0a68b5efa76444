/*
 * addresses.c -- the places of an address pool: a bit each, and a hand that goes round, so that an address that was given back
 * rests as long as possible before somebody else gets it (packets for its last owner may still come).
 */
#include <errno.h>
#include <stdlib.h>

#include "pgw/context.h"

static bool is_taken(const struct pgw_pool *pool, uint32_t place)
{
    return pool->taken[place / 64] >> place % 64 & 1;
}

static void set_taken(struct pgw_pool *pool, uint32_t place)
{
    pool->taken[place / 64] |= UINT64_C(1) << place % 64;
}

int pgw_pool_open(struct pgw_pool *pool, uint32_t size, uint32_t reserved_first, uint32_t reserved_last)
{
    uint32_t words = (size + 63) / 64;

    *pool = (struct pgw_pool){.size = size, .next = reserved_first};
    pool->taken = calloc(words, sizeof(*pool->taken));
    if (!pool->taken)
        return -ENOMEM;
    for (uint32_t i = 0; i < reserved_first && i < size; i++)
        set_taken(pool, i);
    for (uint32_t i = 0; i < reserved_last && i < size; i++)
        set_taken(pool, size - 1 - i);
    /* Bits behind the end look taken, so that the search need not know the end. */
    for (uint32_t i = size; i < words * 64; i++)
        set_taken(pool, i);
    return 0;
}

void pgw_pool_close(struct pgw_pool *pool)
{
    free(pool->taken);
    *pool = (struct pgw_pool){.size = 0};
}

int pgw_pool_take(struct pgw_pool *pool, uint32_t *place)
{
    uint32_t words = (pool->size + 63) / 64;
    uint32_t word = pool->next / 64;

    if (words == 0)
        return -ENOSPC;
    /* The word of the hand is looked at twice: first from the hand on, last from its begin. */
    uint64_t free_bits = ~pool->taken[word] & ~UINT64_C(0) << pool->next % 64;
    for (uint32_t i = 0; i <= words; i++) {
        if (free_bits) {
            *place = word * 64 + (uint32_t)__builtin_ctzll(free_bits);
            set_taken(pool, *place);
            pool->used++;
            pool->next = *place + 1 < pool->size ? *place + 1 : 0;
            return 0;
        }
        word = word + 1 < words ? word + 1 : 0;
        free_bits = ~pool->taken[word];
    }
    return -ENOSPC;
}

int pgw_pool_take_this(struct pgw_pool *pool, uint32_t place)
{
    if (place >= pool->size)
        return -EADDRNOTAVAIL;
    if (is_taken(pool, place))
        return -EADDRINUSE;
    set_taken(pool, place);
    pool->used++;
    return 0;
}

void pgw_pool_give_back(struct pgw_pool *pool, uint32_t place)
{
    if (place >= pool->size || !is_taken(pool, place))
        return;
    pool->taken[place / 64] &= ~(UINT64_C(1) << place % 64);
    pool->used--;
}
