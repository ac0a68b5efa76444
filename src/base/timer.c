/*
 * timer.c -- the wheel of timer.h.
 *
 * Level 0 has a slot per millisecond for the next 64 ms, level 1 a slot per 64 ms, and so on: six
 * levels reach two years. A timer hangs in the level that its distance asks for; when the time
 * reaches a slot of a higher level, its timers move down. A timer due beyond the reach waits in the
 * last slot and is sorted in again.
 */
#include "base/timer.h"

#define SLOT_BITS 6
#define SLOT_MASK 63u

static unsigned level_of(uint64_t distance)
{
    unsigned level = 0;

    while (level < TIMER_LEVELS - 1 && distance >> (SLOT_BITS * (level + 1)) != 0)
        level++;
    return level;
}

static void hang(struct timer_wheel *wheel, struct timer *timer)
{
    const uint64_t reach = (UINT64_C(1) << (SLOT_BITS * TIMER_LEVELS)) - 1;
    uint64_t distance = timer->due_ms - wheel->now_ms;
    uint64_t due = distance > reach ? wheel->now_ms + reach : timer->due_ms;
    unsigned level = level_of(due - wheel->now_ms);
    unsigned slot = (unsigned)(due >> (SLOT_BITS * level)) & SLOT_MASK;
    struct timer **head = &wheel->slots[level][slot];

    timer->next = *head;
    if (timer->next)
        timer->next->link = &timer->next;
    timer->link = head;
    *head = timer;
    wheel->used[level] |= UINT64_C(1) << slot;
}

void timer_wheel_start(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms)
{
    timer_wheel_stop(wheel, timer);
    /* A slot that is being emptied now is not looked at again: the earliest is the next tick. */
    timer->due_ms = due_ms > wheel->now_ms ? due_ms : wheel->now_ms + 1;
    hang(wheel, timer);
}

void timer_wheel_stop(struct timer_wheel *wheel, struct timer *timer)
{
    if (!timer->link)
        return;
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    /* If the slot became empty, its bit goes: the link then points into the wheel's own array. */
    struct timer **first = &wheel->slots[0][0];
    if (!timer->next && timer->link >= first &&
        timer->link < first + (size_t)TIMER_LEVELS * TIMER_SLOTS) {
        size_t index = (size_t)(timer->link - first);
        wheel->used[index / TIMER_SLOTS] &= ~(UINT64_C(1) << index % TIMER_SLOTS);
    }
    timer->link = NULL;
    timer->next = NULL;
}

/* Empties a slot and gives its timers as a list that stopping a timer may still unhook from. */
static void detach(struct timer_wheel *wheel, unsigned level, unsigned slot, struct timer **list)
{
    *list = wheel->slots[level][slot];
    if (*list)
        (*list)->link = list;
    wheel->slots[level][slot] = NULL;
    wheel->used[level] &= ~(UINT64_C(1) << slot);
}

static struct timer *pop(struct timer **list)
{
    struct timer *timer = *list;

    *list = timer->next;
    if (timer->next)
        timer->next->link = list;
    timer->next = NULL;
    timer->link = NULL;
    return timer;
}

/* Brings down the timers of the higher levels whose slot begins at the wheel's time. */
static void cascade(struct timer_wheel *wheel)
{
    for (unsigned level = 1; level < TIMER_LEVELS; level++) {
        if (wheel->now_ms & ((UINT64_C(1) << (SLOT_BITS * level)) - 1))
            return;
        struct timer *list;
        detach(wheel, level, (unsigned)(wheel->now_ms >> (SLOT_BITS * level)) & SLOT_MASK, &list);
        while (list)
            hang(wheel, pop(&list));
    }
}

static void fire_slot(struct timer_wheel *wheel)
{
    struct timer *list;

    detach(wheel, 0, (unsigned)wheel->now_ms & SLOT_MASK, &list);
    while (list) {
        struct timer *timer = pop(&list);
        timer->fire(timer);
    }
}

void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    while (wheel->now_ms < now_ms) {
        uint64_t next = timer_wheel_next_ms(wheel);
        wheel->now_ms = next < now_ms ? next : now_ms;
        cascade(wheel);
        fire_slot(wheel);
    }
}

uint64_t timer_wheel_next_ms(const struct timer_wheel *wheel)
{
    uint64_t next = UINT64_MAX;

    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        unsigned shift = SLOT_BITS * level;
        uint64_t here = wheel->now_ms >> shift;
        if (wheel->used[level] == 0)
            continue;
        /* Rotate so that bit 0 is the slot after the present one; the present slot itself is a turn
         * away. */
        unsigned turn = (unsigned)(here + 1) & SLOT_MASK;
        uint64_t used = wheel->used[level];
        uint64_t ahead = turn ? used >> turn | used << (64 - turn) : used;
        uint64_t at = (here + 1 + (unsigned)__builtin_ctzll(ahead)) << shift;
        next = at < next ? at : next;
    }
    return next;
}
