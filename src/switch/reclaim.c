/*
 * reclaim.c -- see reclaim.h.
 */
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>

#include "base/base.h"
#include "switch/reclaim.h"

/* ---- grace periods ---- */

/* ThreadSanitizer does not see what liburcu does, so it is told what a grace period means: all that
 * a reader did before it was quiet has happened when the wait is over. */
#if defined(__SANITIZE_THREAD__)
#define TELLS_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TELLS_THREAD_SANITIZER 1
#endif
#endif

#ifdef TELLS_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>

static char quiet;

static void reader_was_here(void)
{
    __tsan_release(&quiet);
}

static void readers_are_through(void)
{
    __tsan_acquire(&quiet);
}
#else
static void reader_was_here(void)
{
}

static void readers_are_through(void)
{
}
#endif

void reclaim_reader_begins(void)
{
    urcu_qsbr_register_thread();
}

void reclaim_reader_ends(void)
{
    reader_was_here();
    urcu_qsbr_unregister_thread();
}

void reclaim_reader_is_quiet(void)
{
    reader_was_here();
    urcu_qsbr_quiescent_state();
}

void reclaim_reader_sleeps(void)
{
    reader_was_here();
    urcu_qsbr_thread_offline();
}

void reclaim_reader_wakes(void)
{
    urcu_qsbr_thread_online();
}

void reclaim_synchronize(void)
{
    urcu_qsbr_synchronize_rcu();
    readers_are_through();
}

/* ---- the queue ---- */

static struct {
    struct reclaim *first, **last;
    size_t count;
    void (*wake)(void);
    void (*look)(void);
} queue = {.last = &queue.first};

void reclaim_later(struct reclaim *reclaim, void (*run)(struct reclaim *reclaim))
{
    reclaim->next = NULL;
    reclaim->run = run;
    *queue.last = reclaim;
    queue.last = &reclaim->next;
    if (queue.count++ == 0 && queue.wake)
        queue.wake();
}

static void grace_period(void)
{
    reclaim_synchronize();
    if (queue.look)
        queue.look();
}

struct parcel {
    struct reclaim reclaim;
    void *at;
    void (*release)(void *at);
};

static void parcel_run(struct reclaim *reclaim)
{
    struct parcel *p = container_of(reclaim, struct parcel, reclaim);

    p->release(p->at);
    free(p);
}

void reclaim_memory(void *at, void (*release)(void *at))
{
    struct parcel *p;

    if (!at)
        return;
    p = malloc(sizeof(*p));
    if (!p) { /* then wait for it here */
        grace_period();
        release(at);
        return;
    }
    p->at = at;
    p->release = release;
    reclaim_later(&p->reclaim, parcel_run);
}

bool reclaim_turn(void)
{
    struct reclaim *at = queue.first;

    if (!at)
        return false;
    queue.first = NULL;
    queue.last = &queue.first;
    queue.count = 0;
    grace_period();
    while (at) {
        struct reclaim *next = at->next;

        at->run(at);
        at = next;
    }
    return queue.first != NULL;
}

void reclaim_all(void)
{
    while (reclaim_turn()) {
    }
}

size_t reclaim_waiting(void)
{
    return queue.count;
}

void reclaim_set_last_look(void (*look)(void))
{
    queue.look = look;
}

void reclaim_set_wake(void (*wake)(void))
{
    queue.wake = wake;
}
