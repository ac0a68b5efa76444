/*
 * reclaim.h -- memory that data-path threads may still read.
 *
 * The data path is read without locks (liburcu, QSBR flavour): a thread that found a flow may look
 * at it until the end of its burst. What was taken out of reach is therefore freed one grace period
 * later: when every thread has ended a burst, or sleeps. The one thread that changes things queues
 * what is to be done then, and once in a turn of the loop waits for the grace period and does it,
 * however much has come together.
 *
 * What is done may queue more (a flow is first taken out of its chain, then freed): it has its turn
 * after the next grace period.
 */
#ifndef STROWGER_SWITCH_RECLAIM_H
#define STROWGER_SWITCH_RECLAIM_H

#include <stdbool.h>
#include <stddef.h>

/* A member of what is reclaimed. */
struct reclaim {
    struct reclaim *next;
    void (*run)(struct reclaim *reclaim);
};

void reclaim_later(struct reclaim *reclaim, void (*run)(struct reclaim *reclaim));

/* Memory without such a member: given to `release` (free(), slab_free()) one grace period later. */
void reclaim_memory(void *at, void (*release)(void *at));

/* Waits for a grace period and does what was queued before. True when there is more. */
bool reclaim_turn(void);

/* Until nothing is queued. */
void reclaim_all(void);

/* Waits for a grace period: who reads from now on reads what is published now. */
void reclaim_synchronize(void);

/* ---- the readers' own: threads of the data path ---- */

void reclaim_reader_begins(void);
void reclaim_reader_ends(void);
/* It holds nothing that it found. */
void reclaim_reader_is_quiet(void);
/* The same until it is awake: nobody waits for it. */
void reclaim_reader_sleeps(void);
void reclaim_reader_wakes(void);

/* ---- the changing thread ---- */

/* How many wait. */
size_t reclaim_waiting(void);

/* Called after each grace period, before what was queued is done: the last moment at which what was
 * taken out of reach can be looked at. NULL: nobody. */
void reclaim_set_last_look(void (*look)(void));

/* Called when something is queued and nothing was; NULL: nobody. */
void reclaim_set_wake(void (*wake)(void));

#endif
