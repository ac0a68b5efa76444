/*
 * counter.h -- packets and bytes, counted by many threads without meeting.
 *
 * What is counted (flows, groups, buckets, meters, bands) has a number. Each thread that counts (an
 * owner) has a counter under each number for itself alone, in memory that is reserved once and used
 * as far as numbers go. Who wants to know adds them up; he sees what each thread had counted a
 * moment ago, and all of it once the threads have ended their bursts.
 *
 * Numbers are given out, and owners added, by the thread that changes the data path.
 */
#ifndef STROWGER_SWITCH_COUNTER_H
#define STROWGER_SWITCH_COUNTER_H

#include <stdint.h>

#define COUNTER_OWNERS 64
#define COUNTER_MOST   (1u << 26) /* numbers */

struct counter {
    uint64_t packets, bytes;
};

struct counter_owner {
    struct counter *at; /* by number */
};

struct counters {
    struct counter_owner owners[COUNTER_OWNERS];
    unsigned owner_count;
    uint32_t fresh; /* numbers from here on were never given out */
    uint32_t *free; /* given back */
    uint32_t free_count, free_size;
};

/* 0 or -ENOMEM. All owners must be there before the first number is given out. */
int counters_init(struct counters *counters, unsigned owners);
void counters_free(struct counters *counters);

/* A number whose counters are zero. 0 or -ENOMEM. */
int counter_new(struct counters *counters, uint32_t *number);
/* After a grace period: nobody counts there any more. */
void counter_free(struct counters *counters, uint32_t number);

/* The sum over all owners. */
struct counter counter_sum(const struct counters *counters, uint32_t number);

static inline struct counter *counter_of(const struct counter_owner *owner, uint32_t number)
{
    return &owner->at[number];
}

/* Others read while the owner writes: whole words, in no order. */
static inline void counter_add(uint64_t *at, uint64_t n)
{
    __atomic_store_n(at, *at + n, __ATOMIC_RELAXED);
}

static inline void counter_count(const struct counter_owner *owner, uint32_t number, uint64_t bytes)
{
    struct counter *c = counter_of(owner, number);

    counter_add(&c->packets, 1);
    counter_add(&c->bytes, bytes);
}

#endif
