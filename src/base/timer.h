/*
 * timer.h -- timers by the hundred thousand.
 *
 * A timer is a member of the context it belongs to (32 bytes); starting and stopping one costs the
 * same however many run: they hang in a hierarchical wheel with a tick of one millisecond. The loop
 * drives the wheel. A timer fires once, not early, in the loop's thread and outside any fiber's
 * stack; it may be started again from its own function. A context must stop its timers before it
 * goes.
 */
#ifndef STROWGER_BASE_TIMER_H
#define STROWGER_BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The struct that holds a member, from a pointer to the member. */
#define container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct timer {
    struct timer *next;
    struct timer **link; /* what points to this timer; NULL: not running */
    uint64_t due_ms;
    void (*fire)(struct timer *timer);
};

/* Fires `fire` in delay_ms milliseconds of the loop's clock; restarts a running timer. */
void timer_start(struct timer *timer, uint64_t delay_ms, void (*fire)(struct timer *timer));

/* Does nothing when it is not running. */
void timer_stop(struct timer *timer);

static inline bool timer_is_running(const struct timer *timer)
{
    return timer->link != NULL;
}

/* The wheel itself, for the loop and for tests that keep their own time. */
#define TIMER_LEVELS 6
#define TIMER_SLOTS  64

struct timer_wheel {
    uint64_t now_ms;             /* all timers due up to here have fired */
    uint64_t used[TIMER_LEVELS]; /* a bit per slot that holds a timer */
    struct timer *slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timer_wheel_start(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms);
void timer_wheel_stop(struct timer_wheel *wheel, struct timer *timer);

/* Moves the wheel's time forward and fires what is due, in order of due time. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);

/* When the wheel next has something to do, at or before the first timer's due time; UINT64_MAX:
 * never. */
uint64_t timer_wheel_next_ms(const struct timer_wheel *wheel);

#endif
