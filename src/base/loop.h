/*
 * loop.h -- the one event loop of a process (libuv), its clock and its end-of-turn work.
 *
 * A turn of the loop: wait for input, handle all that came, run what was deferred, wait again. Work
 * that is cheaper done once for many messages (one write for all answers, one barrier for all flow
 * changes) is deferred to the end of the turn. Everything here belongs to the loop's thread.
 */
#ifndef STROWGER_BASE_LOOP_H
#define STROWGER_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/timer.h"

/* Makes the process's loop. 0 or a negative errno. */
int loop_init(void);

/* Closes what is left on the loop and forgets it; for the end of a process and for tests. */
void loop_free(void);

/* Runs until loop_stop(); returns the value that it was given. */
int loop_run(void);

/* Runs turns until loop_stop() or until `ms` milliseconds have passed, for tests: true when
 * stopped. */
bool loop_run_for(uint64_t ms);

/* For tests and fuzzers: as if `ms` milliseconds had passed without input. Timers fire, nobody
 * waits. */
void loop_skip(uint64_t ms);

/* Ends loop_run() after this turn. */
void loop_stop(int result);

uv_loop_t *loop_uv(void);

/* Milliseconds of the monotonic clock at the begin of this turn. */
uint64_t loop_now_ms(void);

/* Microseconds of the monotonic clock, and of the wall clock since 1970, read now. */
uint64_t clock_now_us(void);
uint64_t clock_wall_us(void);

/* Work for the end of this turn; a member of what it belongs to. */
struct deferred {
    struct deferred *next;
    void (*run)(struct deferred *deferred);
    bool queued;
};

/* Runs `run` once at the end of this turn, before the loop waits; does nothing when already queued.
 * Work deferred by deferred work still runs in this turn. */
void loop_defer(struct deferred *deferred, void (*run)(struct deferred *deferred));

/* Takes it back; needed before its memory goes. */
void loop_defer_cancel(struct deferred *deferred);

#endif
