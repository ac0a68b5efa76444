/*
 * fiber_test.c -- timers, the loop's end of turn, and procedures that wait.
 */
#include "unit.h"

#include <errno.h>

#include "base/fiber.h"
#include "base/loop.h"

static int setup(void **state)
{
    (void)state;
    return loop_init();
}

static int teardown(void **state)
{
    (void)state;
    loop_free();
    assert_int_equal(fiber_count(), 0);
    fiber_free_stacks();
    assert_int_equal(fiber_stack_count(), 0);
    return 0;
}

/* ---- the wheel, with a time of its own ---- */

static uint64_t wheel_time_ms;
static unsigned fired;

struct stamped {
    struct timer timer;
    uint64_t fired_ms;
};

static void stamp(struct timer *timer)
{
    container_of(timer, struct stamped, timer)->fired_ms = wheel_time_ms;
    fired++;
}

static void wheel_fires_each_timer_when_it_is_due(void **state)
{
    (void)state;
    enum { TIMERS = 2000 };
    static struct stamped timers[TIMERS];
    struct timer_wheel wheel = {.now_ms = 12345};
    uint32_t random = 7;

    fired = 0;
    wheel_time_ms = wheel.now_ms;
    for (int i = 0; i < TIMERS; i++) {
        random = random * 1664525u + 1013904223u;
        uint64_t delay = random >> (8 + random % 20); /* from milliseconds to hours */
        timers[i].timer.fire = stamp;
        timer_wheel_start(&wheel, &timers[i].timer, wheel.now_ms + delay);
    }
    /* Every third is stopped. */
    for (int i = 0; i < TIMERS; i += 3)
        timer_wheel_stop(&wheel, &timers[i].timer);
    while ((wheel_time_ms = timer_wheel_next_ms(&wheel)) != UINT64_MAX)
        timer_wheel_advance(&wheel, wheel_time_ms);
    for (int i = 0; i < TIMERS; i++) {
        if (i % 3 == 0)
            assert_int_equal(timers[i].fired_ms, 0);
        else
            assert_int_equal(timers[i].fired_ms, timers[i].timer.due_ms);
        assert_false(timer_is_running(&timers[i].timer));
    }
    assert_int_equal(fired, TIMERS - (TIMERS + 2) / 3);
}

static void wheel_takes_steps_of_any_length(void **state)
{
    (void)state;
    struct timer_wheel wheel = {.now_ms = 63};
    struct stamped near = {.timer.fire = stamp}, far = {.timer.fire = stamp};

    fired = 0;
    timer_wheel_start(&wheel, &near.timer, 64);
    timer_wheel_start(&wheel, &far.timer, UINT64_C(1) << 40); /* beyond the wheel's reach */
    wheel_time_ms = 1000000;
    timer_wheel_advance(&wheel, wheel_time_ms);
    assert_int_equal(fired, 1);
    assert_true(timer_is_running(&far.timer));
    timer_wheel_advance(&wheel, (UINT64_C(1) << 40) - 1);
    assert_int_equal(fired, 1);
    timer_wheel_advance(&wheel, UINT64_C(1) << 40);
    assert_int_equal(fired, 2);
}

static struct stamped *victim;

static void stop_the_other(struct timer *timer)
{
    (void)timer;
    if (victim)
        timer_stop(&victim->timer);
    fired++;
}

static void a_timer_may_stop_another_of_the_same_tick(void **state)
{
    (void)state;
    struct stamped a = {0}, b = {0};

    /* Whichever fires first stops the other. */
    fired = 0;
    victim = &a;
    timer_start(&b.timer, 3, stop_the_other);
    timer_start(&a.timer, 3, stamp);
    loop_run_for(20);
    assert_in_range(fired, 1, 2);
    assert_false(timer_is_running(&a.timer));
    assert_false(timer_is_running(&b.timer));
    victim = NULL;
}

/* ---- the end of the turn ---- */

static unsigned deferred_runs;
static struct deferred once, twice;

static void run_twice(struct deferred *d)
{
    (void)d;
    deferred_runs += 10;
}

static void run_once(struct deferred *d)
{
    (void)d;
    deferred_runs++;
    loop_defer(&twice, run_twice);
}

static void deferred_work_runs_once_and_may_defer_more(void **state)
{
    (void)state;
    struct deferred never = {0};

    deferred_runs = 0;
    loop_defer(&once, run_once);
    loop_defer(&once, run_once);
    loop_defer(&never, run_once);
    loop_defer_cancel(&never);
    loop_run_for(5);
    assert_int_equal(deferred_runs, 11);
}

/* ---- fibers ---- */

struct steps {
    struct await await;
    int results[4];
    void *values[4];
    int count;
};

static void wait_three_times(void *argument)
{
    struct steps *s = argument;

    for (int i = 0; i < 3; i++) {
        s->results[i] = await(&s->await, 10, &s->values[i]);
        s->count++;
    }
}

static void delivery_is_direct(void **state)
{
    (void)state;
    struct steps s = {0};
    int message;

    assert_false(await_deliver(&s.await, &message));
    assert_non_null(fiber_spawn("three", wait_three_times, &s));
    assert_true(await_has_waiter(&s.await));
    assert_int_equal(s.count, 0);
    assert_true(await_deliver(&s.await, &message));
    assert_int_equal(s.count, 1);
    assert_ptr_equal(s.values[0], &message);
    assert_true(await_fail(&s.await, -EPIPE));
    assert_int_equal(s.count, 2);
    loop_run_for(50);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.results[0], 0);
    assert_int_equal(s.results[1], -EPIPE);
    assert_int_equal(s.results[2], -ETIMEDOUT);
    assert_false(await_has_waiter(&s.await));
    assert_int_equal(fiber_count(), 0);
}

static void cancel_ends_one_wait(void **state)
{
    (void)state;
    struct steps s = {0};
    struct fiber *fiber = fiber_spawn("three", wait_three_times, &s);

    fiber_cancel(fiber);
    assert_int_equal(s.results[0], -ECANCELED);
    assert_true(await_deliver(&s.await, NULL));
    assert_int_equal(s.results[1], 0);
    fiber_cancel(fiber);
    assert_int_equal(s.results[2], -ECANCELED);
}

struct self_canceling {
    int first, second;
};

static void cancel_oneself(void *argument)
{
    struct self_canceling *s = argument;

    fiber_cancel(fiber_self());
    s->first = fiber_sleep(1000);
    s->second = fiber_sleep(1);
    fiber_set_subject("001010000000001");
    assert_string_equal(fiber_subject(NULL), "001010000000001");
}

static void cancel_while_running_hits_the_next_wait(void **state)
{
    (void)state;
    struct self_canceling s = {1, 1};

    fiber_spawn("self", cancel_oneself, &s);
    assert_int_equal(s.first, -ECANCELED);
    loop_run_for(20);
    assert_int_equal(s.second, 0);
    assert_string_equal(fiber_subject(NULL), "");
}

static struct await relay_a, relay_b;

static void relay_last(void *argument)
{
    void *value;

    assert_int_equal(await(&relay_b, -1, &value), 0);
    *(int *)argument += *(int *)value;
}

static void relay_first(void *argument)
{
    void *value;

    (void)argument;
    assert_int_equal(await(&relay_a, -1, &value), 0);
    /* A fiber delivers to another: nested resumption. */
    assert_true(await_deliver(&relay_b, value));
}

static void fibers_wake_fibers(void **state)
{
    (void)state;
    int sum = 0, value = 42;

    fiber_spawn("last", relay_last, &sum);
    fiber_spawn("first", relay_first, NULL);
    assert_int_equal(fiber_count(), 2);
    assert_true(await_deliver(&relay_a, &value));
    assert_int_equal(sum, 42);
    assert_int_equal(fiber_count(), 0);
}

static void second_waiter(void *argument)
{
    *(int *)argument = await(&relay_a, -1, NULL);
}

static void one_waiter_per_place(void **state)
{
    (void)state;
    int first = 1, second = 1;

    fiber_spawn("one", second_waiter, &first);
    fiber_spawn("two", second_waiter, &second);
    assert_int_equal(second, -EBUSY);
    assert_true(await_fail(&relay_a, -EIO));
    assert_int_equal(first, -EIO);
    assert_int_equal(await(&relay_a, 0, NULL), -EINVAL); /* not in a fiber */
}

static unsigned finished;

static void sleep_a_little(void *argument)
{
    volatile char deep[16384];

    deep[0] = (char)(uintptr_t)argument;
    deep[sizeof(deep) - 1] = deep[0];
    fiber_sleep((uintptr_t)argument % 7);
    assert_int_equal(deep[0], deep[sizeof(deep) - 1]);
    finished++;
}

static void thousands_sleep_at_once_and_stacks_are_used_again(void **state)
{
    (void)state;
    finished = 0;
    for (int round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < 2000; i++)
            assert_non_null(fiber_spawn("many", sleep_a_little, (void *)i));
        loop_run_for(50);
        assert_int_equal(fiber_count(), 0);
    }
    assert_int_equal(finished, 6000);
    assert_in_range(fiber_stack_count(), 1, 1024);
}

static uint64_t slept_ms;

static void measure_sleep(void *argument)
{
    uint64_t before = clock_now_us();

    (void)argument;
    fiber_sleep(20);
    slept_ms = (clock_now_us() - before) / 1000;
    loop_stop(7);
}

static void the_loop_ends_with_its_result(void **state)
{
    (void)state;
    fiber_spawn("sleeper", measure_sleep, NULL);
    assert_int_equal(loop_run(), 7);
    assert_in_range(slept_ms, 18, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wheel_fires_each_timer_when_it_is_due),
        TEST(wheel_takes_steps_of_any_length),
        TEST(a_timer_may_stop_another_of_the_same_tick),
        TEST(deferred_work_runs_once_and_may_defer_more),
        TEST(delivery_is_direct),
        TEST(cancel_ends_one_wait),
        TEST(cancel_while_running_hits_the_next_wait),
        TEST(fibers_wake_fibers),
        TEST(one_waiter_per_place),
        TEST(thousands_sleep_at_once_and_stacks_are_used_again),
        TEST(the_loop_ends_with_its_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
