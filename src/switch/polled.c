/*
 * polled.c -- see polled.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "switch/polled.h"
#include "switch/reclaim.h"

static const struct polled none;

const struct polled *polled_now(struct polled *const *at)
{
    const struct polled *list = __atomic_load_n(at, __ATOMIC_ACQUIRE);

    return list ? list : &none;
}

static struct polled *list_for(unsigned count)
{
    return calloc(1, sizeof(struct polled) + count * sizeof(struct polled_queue));
}

static void append(struct polled *list, struct polled_queue queue)
{
    list->queues[list->count++] = queue;
    list->of[queue.how]++;
}

static void publish(struct polled **at, struct polled *list)
{
    struct polled *old = *at;

    __atomic_store_n(at, list, __ATOMIC_RELEASE);
    if (old)
        reclaim_memory(old, free);
}

int polled_add(struct polled **at, uint64_t token, enum polled_how how)
{
    const struct polled *old = polled_now(at);
    struct polled *list = list_for(old->count + 1);

    if (!list)
        return -ENOMEM;
    for (unsigned i = 0; i < old->count; i++)
        append(list, old->queues[i]);
    append(list, (struct polled_queue){token, how});
    publish(at, list);
    return 0;
}

void polled_remove(struct polled **at, uint64_t token, uint64_t mask)
{
    const struct polled *old = polled_now(at);
    struct polled *list = list_for(old->count);

    if (!list)
        return;
    for (unsigned i = 0; i < old->count; i++)
        if ((old->queues[i].token ^ token) & mask)
            append(list, old->queues[i]);
    publish(at, list);
}
