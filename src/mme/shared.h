/*
 * shared.h -- bytes that many phones have in common, kept once.
 *
 * Phones of one model send the same radio capability, subscribers of one tariff have the same
 * subscription, all use the same few APNs. Such content is found by what it is: mme_share() returns
 * the one copy and counts its users. The copy never changes. One thread.
 */
#ifndef STROWGER_MME_SHARED_H
#define STROWGER_MME_SHARED_H

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

struct mme_shared {
    uint64_t hash;
    uint32_t users;
    uint32_t len;
    _Alignas(16) uint8_t bytes[];
};

/* The copy of these bytes; NULL when memory is out. Each call is to be met by a mme_unshare(). */
const struct mme_shared *mme_share(const void *bytes, size_t len);

/* NULL is allowed. */
void mme_unshare(const struct mme_shared *shared);

/* Copies that exist, and the bytes they take. */
size_t mme_shared_count(void);
size_t mme_shared_bytes(void);

/* For the end: what is still there is a leak of ours, and freed with the table of copies. */
void mme_shared_free(void);

static inline struct bytes mme_shared_view(const struct mme_shared *shared)
{
    return shared ? bytes_of(shared->bytes, shared->len) : bytes_of(NULL, 0);
}

#endif
