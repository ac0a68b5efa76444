/*
 * address_pool.c -- see address_pool.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "pgw/address_pool.h"

#define WORD_BITS 64u

static int init(struct address_pool *pool, uint32_t size, uint32_t first, uint32_t last)
{
    pool->size = size;
    pool->first = pool->next = first;
    pool->last = last;
    pool->used = calloc((size + WORD_BITS - 1) / WORD_BITS, sizeof(*pool->used));
    return pool->used ? 0 : -ENOMEM;
}

int address_pool_init4(struct address_pool *pool, const struct config_prefix4 *prefix)
{
    uint32_t base = ntohl(prefix->address.s_addr);

    *pool = (struct address_pool){.base4 = prefix->address};
    if (prefix->length < 8)
        return -E2BIG;
    if (prefix->length > 30)
        return -EINVAL;
    uint32_t size = UINT32_C(1) << (32 - prefix->length);
    if (base & (size - 1))
        return -EINVAL;
    return init(pool, size, 2, size - 2);
}

/* The first 64 bits as a number. */
static uint64_t prefix_of(const struct in6_addr *address)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number = number << 8 | address->s6_addr[i];
    return number;
}

int address_pool_init6(struct address_pool *pool, const struct config_prefix6 *prefix)
{
    *pool = (struct address_pool){.base6 = prefix->address, .is_ipv6 = true};
    if (prefix->length < 40)
        return -E2BIG;
    if (prefix->length > 63)
        return -EINVAL;
    uint32_t size = UINT32_C(1) << (64 - prefix->length);
    if (prefix_of(&prefix->address) & (size - 1))
        return -EINVAL;
    for (int i = 8; i < 16; i++)
        if (prefix->address.s6_addr[i])
            return -EINVAL;
    return init(pool, size, 1, size - 1);
}

void address_pool_free(struct address_pool *pool)
{
    free(pool->used);
    pool->used = NULL;
}

static bool is_used(const struct address_pool *pool, uint32_t number)
{
    return pool->used[number / WORD_BITS] >> number % WORD_BITS & 1;
}

static void set_used(struct address_pool *pool, uint32_t number, bool used)
{
    uint64_t bit = UINT64_C(1) << number % WORD_BITS;

    if (used)
        pool->used[number / WORD_BITS] |= bit;
    else
        pool->used[number / WORD_BITS] &= ~bit;
    pool->in_use += used ? 1u : -1u;
}

/* The first free number in from..to; `to` + 1 when there is none. Goes by whole words where they
 * are full. */
static uint32_t find_free(const struct address_pool *pool, uint32_t from, uint32_t to)
{
    for (uint32_t number = from; number <= to; number++) {
        if (number % WORD_BITS == 0 && pool->used[number / WORD_BITS] == UINT64_MAX)
            number += WORD_BITS - 1;
        else if (!is_used(pool, number))
            return number;
    }
    return to + 1;
}

static bool take(struct address_pool *pool, uint32_t *number)
{
    *number = find_free(pool, pool->next, pool->last);
    if (*number > pool->last) {
        *number = find_free(pool, pool->first, pool->last);
        if (*number > pool->last)
            return false;
    }
    set_used(pool, *number, true);
    pool->next = *number == pool->last ? pool->first : *number + 1;
    return true;
}

static bool claim(struct address_pool *pool, uint32_t number)
{
    if (number < pool->first || number > pool->last || is_used(pool, number))
        return false;
    set_used(pool, number, true);
    return true;
}

static void give_back(struct address_pool *pool, uint32_t number)
{
    if (number < pool->size && is_used(pool, number))
        set_used(pool, number, false);
}

static uint64_t number4(const struct address_pool *pool, struct in_addr address)
{
    return (uint64_t)ntohl(address.s_addr) - ntohl(pool->base4.s_addr);
}

static uint64_t number6(const struct address_pool *pool, const struct in6_addr *address)
{
    return prefix_of(address) - prefix_of(&pool->base6);
}

bool address_pool_take4(struct address_pool *pool, struct in_addr *address)
{
    uint32_t number;

    if (pool->is_ipv6 || !take(pool, &number))
        return false;
    address->s_addr = htonl(ntohl(pool->base4.s_addr) + number);
    return true;
}

bool address_pool_take6(struct address_pool *pool, struct in6_addr *prefix)
{
    uint32_t number;

    if (!pool->is_ipv6 || !take(pool, &number))
        return false;
    uint64_t bits = prefix_of(&pool->base6) + number;
    *prefix = (struct in6_addr){0};
    for (int i = 7; i >= 0; i--, bits >>= 8)
        prefix->s6_addr[i] = (uint8_t)bits;
    return true;
}

bool address_pool_has4(const struct address_pool *pool, struct in_addr address)
{
    return !pool->is_ipv6 && number4(pool, address) < pool->size;
}

bool address_pool_has6(const struct address_pool *pool, const struct in6_addr *address)
{
    return pool->is_ipv6 && number6(pool, address) < pool->size;
}

bool address_pool_claim4(struct address_pool *pool, struct in_addr address)
{
    return address_pool_has4(pool, address) && claim(pool, (uint32_t)number4(pool, address));
}

bool address_pool_claim6(struct address_pool *pool, const struct in6_addr *address)
{
    return address_pool_has6(pool, address) && claim(pool, (uint32_t)number6(pool, address));
}

void address_pool_give_back4(struct address_pool *pool, struct in_addr address)
{
    if (address_pool_has4(pool, address))
        give_back(pool, (uint32_t)number4(pool, address));
}

void address_pool_give_back6(struct address_pool *pool, const struct in6_addr *address)
{
    if (address_pool_has6(pool, address))
        give_back(pool, (uint32_t)number6(pool, address));
}

uint32_t address_pool_capacity(const struct address_pool *pool)
{
    return pool->last - pool->first + 1;
}
