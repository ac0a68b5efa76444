/*
 * loop.c -- see loop.h. The process's one context of the loop lives here: the libuv loop, the timer
 * wheel with the one libuv timer that drives it, and the list of deferred work.
 *
 * Deferred work runs twice a turn, right before the wait (uv_prepare) and right behind it
 * (uv_check), so what input handlers deferred is done before anything else, and what timers
 * deferred before the loop sleeps.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"

static struct {
    uv_loop_t uv;
    uv_timer_t wheel_timer;
    uv_prepare_t before_wait;
    uv_check_t after_wait;
    struct timer_wheel wheel;
    uint64_t skipped_ms; /* by loop_skip() */
    uint64_t armed_ms;   /* what wheel_timer is set to; UINT64_MAX: not running */
    struct deferred *deferred;
    struct deferred **deferred_end;
    int result;
    bool ready;
    bool stopping;
} loop;

uv_loop_t *loop_uv(void)
{
    return &loop.uv;
}

uint64_t loop_now_ms(void)
{
    return uv_now(&loop.uv) + loop.skipped_ms;
}

static uint64_t read_clock_us(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t clock_now_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

void loop_defer(struct deferred *deferred, void (*run)(struct deferred *deferred))
{
    if (deferred->queued)
        return;
    deferred->queued = true;
    deferred->run = run;
    deferred->next = NULL;
    *loop.deferred_end = deferred;
    loop.deferred_end = &deferred->next;
}

void loop_defer_cancel(struct deferred *deferred)
{
    if (!deferred->queued)
        return;
    for (struct deferred **at = &loop.deferred; *at; at = &(*at)->next) {
        if (*at != deferred)
            continue;
        *at = deferred->next;
        if (!deferred->next)
            loop.deferred_end = at;
        break;
    }
    deferred->queued = false;
}

static void run_deferred(void)
{
    while (loop.deferred) {
        struct deferred *first = loop.deferred;
        loop.deferred = first->next;
        if (!loop.deferred)
            loop.deferred_end = &loop.deferred;
        first->queued = false;
        first->run(first);
    }
}

static void wheel_due(uv_timer_t *timer)
{
    (void)timer;
    loop.armed_ms = UINT64_MAX;
    timer_wheel_advance(&loop.wheel, loop_now_ms());
}

static void arm_wheel(void)
{
    uint64_t next = timer_wheel_next_ms(&loop.wheel);
    uint64_t now = loop_now_ms();

    if (next == loop.armed_ms)
        return;
    loop.armed_ms = next;
    if (next == UINT64_MAX)
        uv_timer_stop(&loop.wheel_timer);
    else
        uv_timer_start(&loop.wheel_timer, wheel_due, next > now ? next - now : 0, 0);
}

static void before_wait(uv_prepare_t *handle)
{
    (void)handle;
    run_deferred();
    arm_wheel();
}

static void after_wait(uv_check_t *handle)
{
    (void)handle;
    run_deferred();
}

int loop_init(void)
{
    memset(&loop, 0, sizeof(loop));
    int err = uv_loop_init(&loop.uv);
    if (err < 0)
        return err;
    uv_timer_init(&loop.uv, &loop.wheel_timer);
    uv_prepare_init(&loop.uv, &loop.before_wait);
    uv_check_init(&loop.uv, &loop.after_wait);
    uv_prepare_start(&loop.before_wait, before_wait);
    uv_check_start(&loop.after_wait, after_wait);
    loop.deferred_end = &loop.deferred;
    loop.armed_ms = UINT64_MAX;
    loop.wheel.now_ms = uv_now(&loop.uv);
    loop.ready = true;
    return 0;
}

static void close_handle(uv_handle_t *handle, void *argument)
{
    (void)argument;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_free(void)
{
    if (!loop.ready)
        return;
    uv_walk(&loop.uv, close_handle, NULL);
    uv_run(&loop.uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop.uv);
    loop.ready = false;
}

int loop_run(void)
{
    loop.stopping = false;
    loop.result = 0;
    while (!loop.stopping)
        uv_run(&loop.uv, UV_RUN_ONCE);
    return loop.result;
}

/* The limit of loop_run_for(). */
struct limit {
    struct timer timer;
    bool reached;
};

static void time_is_up(struct timer *timer)
{
    container_of(timer, struct limit, timer)->reached = true;
}

bool loop_run_for(uint64_t ms)
{
    struct limit limit = {0};

    loop.stopping = false;
    uv_update_time(&loop.uv);
    timer_start(&limit.timer, ms, time_is_up);
    while (!loop.stopping && !limit.reached)
        uv_run(&loop.uv, UV_RUN_ONCE);
    timer_stop(&limit.timer);
    return loop.stopping;
}

void loop_skip(uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        loop.skipped_ms++;
        timer_wheel_advance(&loop.wheel, loop_now_ms());
        run_deferred();
    }
}

void loop_stop(int result)
{
    loop.stopping = true;
    loop.result = result;
    uv_stop(&loop.uv);
}

void timer_start(struct timer *timer, uint64_t delay_ms, void (*fire)(struct timer *timer))
{
    uint64_t now = loop_now_ms();

    timer->fire = fire;
    timer_wheel_start(&loop.wheel, timer,
                      delay_ms > UINT64_MAX / 2 ? UINT64_MAX / 2 : now + delay_ms);
}

void timer_stop(struct timer *timer)
{
    timer_wheel_stop(&loop.wheel, timer);
}
