/*
 * fiber.h -- a procedure is one function.
 *
 * A fiber is a function with a stack of its own that can wait in the middle: for an answer, a
 * timer, a message. While it waits the loop goes on. There is one thread; a fiber runs until it
 * waits, and control leaves it nowhere else, so between two waits nothing changes behind its back.
 *
 * The calls in which a fiber waits are await(), fiber_sleep() and what is built on them; by
 * convention such functions end in _wait or take a request. They return 0, or -ETIMEDOUT   nothing
 * came in time -ECANCELED   somebody called fiber_cancel(): the procedure is to unwind other the
 * error that the waker gave.
 *
 * Waking is direct: await_deliver() continues the waiter at once, inside the deliverer's call, and
 * returns when the waiter waits again or has ended. So a message decoded into the arena of one
 * dispatch can be handed over without a copy: it is valid until the fiber's next wait.
 *
 * Stacks are FIBER_STACK_SIZE with a guard page below, pooled. A context at rest owns no fiber.
 */
#ifndef STROWGER_BASE_FIBER_H
#define STROWGER_BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIBER_STACK_SIZE   ((size_t)64 * 1024)
#define FIBER_SUBJECT_SIZE 24

struct fiber;

/* A place where at most one fiber waits. Zero is its resting state. */
struct await {
    struct fiber *waiter;
};

/* Starts a fiber, which runs at once until it first waits; returns it, or NULL when there is no
 * memory (the function was not called). The pointer is good until the function returns. `name` must
 * outlive the fiber. */
struct fiber *fiber_spawn(const char *name, void (*function)(void *argument), void *argument);

/* The fiber that runs now; NULL outside any. */
struct fiber *fiber_self(void);

/* Makes the fiber's present wait, or its next one if it does not wait now, return -ECANCELED, once.
 * When it waits it continues at once, inside this call. */
void fiber_cancel(struct fiber *fiber);

/* Waits here for at most timeout_ms (-1: without limit). On 0, *value is what was delivered (value
 * may be NULL). Only in a fiber, and only one fiber per await: a second one gets -EBUSY. */
int await(struct await *here, int timeout_ms, void **value);

/* Continues the waiter with a value; false when nobody waits. */
bool await_deliver(struct await *there, void *value);

/* Continues the waiter with an error (negative errno); false when nobody waits. */
bool await_fail(struct await *there, int error);

static inline bool await_has_waiter(const struct await *there)
{
    return there->waiter != NULL;
}

/* Waits for ms milliseconds: 0 or -ECANCELED. */
int fiber_sleep(uint64_t ms);

/* Whom the fiber's procedure is about: an IMSI, or a name like "enb 17" until it is known. Log
 * lines and the message trace take it from here. Copied; cut to FIBER_SUBJECT_SIZE - 1.
 * fiber_subject(NULL) asks for the running fiber's; "" when there is none. */
void fiber_set_subject(const char *subject);
const char *fiber_subject(const struct fiber *fiber);

/* Fibers alive now, and stacks that exist. */
size_t fiber_count(void);
size_t fiber_stack_count(void);

/* Frees the pooled stacks; for the end of a process. */
void fiber_free_stacks(void);

#endif
