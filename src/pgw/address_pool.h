/*
 * address_pool.h -- the addresses of one packet data network.
 *
 * A pool is a range of numbers with one bit each; the next free one behind the last one given is
 * given, so that an address rests as long as possible before somebody else gets it. IPv4: the
 * addresses of a prefix without the network's own, the first host (the router's) and the broadcast
 * address. IPv6: the /64 prefixes inside a shorter one, without the first (the router's).
 *
 * One thread.
 */
#ifndef STROWGER_PGW_ADDRESS_POOL_H
#define STROWGER_PGW_ADDRESS_POOL_H

#include "base/config.h"

/* The largest pool: a /8, or a /40 of IPv6 prefixes. */
#define ADDRESS_POOL_MAX (UINT32_C(1) << 24)

struct address_pool {
    uint64_t *used; /* a bit per number */
    uint32_t size;
    uint32_t first, last; /* numbers that may be given on demand */
    uint32_t next;        /* where the search begins */
    uint32_t in_use;
    struct in_addr base4; /* number 0 */
    struct in6_addr base6;
    bool is_ipv6;
};

/* 0, -ENOMEM, -E2BIG (the prefix is too short), -EINVAL (a prefix too long to hold anything, or
 * bits behind it). */
int address_pool_init4(struct address_pool *pool, const struct config_prefix4 *prefix);
int address_pool_init6(struct address_pool *pool, const struct config_prefix6 *prefix);
void address_pool_free(struct address_pool *pool);

/* Any free one; false when all are in use. The 64 bits of an IPv6 prefix come with zeros behind. */
bool address_pool_take4(struct address_pool *pool, struct in_addr *address);
bool address_pool_take6(struct address_pool *pool, struct in6_addr *prefix);

/* True when the address is in this pool's range. */
bool address_pool_has4(const struct address_pool *pool, struct in_addr address);
bool address_pool_has6(const struct address_pool *pool, const struct in6_addr *address);

/* This one; false when somebody has it, or it is none that may be given. */
bool address_pool_claim4(struct address_pool *pool, struct in_addr address);
bool address_pool_claim6(struct address_pool *pool, const struct in6_addr *address);

void address_pool_give_back4(struct address_pool *pool, struct in_addr address);
void address_pool_give_back6(struct address_pool *pool, const struct in6_addr *address);

/* How many can be given on demand. */
uint32_t address_pool_capacity(const struct address_pool *pool);

#endif
