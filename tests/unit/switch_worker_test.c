/*
 * switch_worker_test.c -- how a data-path thread looks after its queues: called by a descriptor,
 * busy for a while before it sleeps, and never asleep with a queue that nothing calls for.
 *
 * The ports are the test's: what is said to be there is a number, and poll() takes it all.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "switch_frames.h"
#include "base/log.h"
#include "base/loop.h"
#include "switch/reclaim.h"
#include "switch/worker.h"

#define PATIENCE_MS 60000 /* of a loaded machine */
#define LONG_US     600000000u

static struct datapath dp;

/* A queue: `there` packets to come in; `polls` and `waiting_polls` count how often it was looked
 * at. One in memory calls only when it was last looked at by a worker that waits, as a guest's ring
 * does. */
static struct {
    unsigned there, came;
    bool calls;
    uint64_t polls, waiting_polls;
    int fd;
} queue[3];

static bool fake_poll(struct worker *w, struct port *p, unsigned q)
{
    struct port_counters *c = port_counters_of(w, p);
    uint64_t calls;
    unsigned n;

    assert_int_equal(q, 0);
    if (p->driver->in_memory)
        __atomic_store_n(&queue[p->number].calls, w->waits, __ATOMIC_SEQ_CST);
    if (queue[p->number].fd >= 0 && w->waits)
        (void)!read(queue[p->number].fd, &calls, sizeof(calls));
    n = __atomic_exchange_n(&queue[p->number].there, 0, __ATOMIC_SEQ_CST);
    counter_add(&c->rx_packets, n);
    counter_add(w->waits ? &queue[p->number].waiting_polls : &queue[p->number].polls, 1);
    __atomic_add_fetch(&queue[p->number].came, n, __ATOMIC_RELEASE);
    return false;
}

static const struct port_driver asked_driver = {.name = "asked", .poll = fake_poll};
static const struct port_driver memory_driver = {
    .name = "memory", .in_memory = true, .poll = fake_poll};

static struct port *add(uint32_t number, const struct port_driver *driver, bool called)
{
    struct port *p = port_new(&dp, driver, NULL, number);

    assert_non_null(p);
    memset(&queue[number], 0, sizeof(queue[number]));
    queue[number].calls = true;
    queue[number].fd = called ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
    p->queues = 1;
    p->queue_fds[0] = queue[number].fd;
    port_publish(p);
    assert_int_equal(workers_add_port(&dp, p), 0);
    return p;
}

static void drop(struct port *p)
{
    int fd = queue[p->number].fd;

    port_close(p);
    if (fd >= 0)
        close(fd);
}

static void begin(uint32_t busy_us)
{
    log_init("test", LOG_ERROR);
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, 1), 0);
    assert_int_equal(workers_start(&dp, 1, busy_us, NULL), 0);
}

static void end(void)
{
    workers_stop(&dp);
    datapath_free(&dp);
    reclaim_all();
    loop_free();
}

static uint64_t now(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#define WAIT_UNTIL(condition)                            \
    do {                                                 \
        bool met = false;                                \
        for (int ms = 0; ms < PATIENCE_MS && !met; ms++) \
            if (!(met = (condition)))                    \
                usleep(1000);                            \
        assert_true(met);                                \
    } while (0)

static void put(uint32_t number, unsigned count)
{
    uint64_t one = 1;

    __atomic_store_n(&queue[number].there, count, __ATOMIC_SEQ_CST);
    if (queue[number].fd >= 0 && __atomic_load_n(&queue[number].calls, __ATOMIC_SEQ_CST))
        assert_int_equal(write(queue[number].fd, &one, sizeof(one)), sizeof(one));
}

static unsigned came(uint32_t number)
{
    return __atomic_load_n(&queue[number].came, __ATOMIC_ACQUIRE);
}

/* ---- tests ---- */

static void without_busy_us_a_worker_looks_when_it_is_called(void **state)
{
    struct port *p;
    uint64_t turns;

    (void)state;
    begin(0);
    p = add(1, &memory_driver, true);
    put(1, 5);
    WAIT_UNTIL(came(1) == 5);
    turns = now(&dp.workers[1]->turns);
    usleep(50000);
    assert_in_range(now(&dp.workers[1]->turns), turns, turns + 2); /* it is asleep */
    assert_int_equal(now(&queue[1].polls), 0);
    drop(p);
    end();
}

static void a_queue_without_descriptor_is_polled_for_ever(void **state)
{
    struct port *always, *called;
    uint64_t sleeps, polls;

    (void)state;
    begin(0);
    WAIT_UNTIL(now(&dp.workers[1]->sleeps) > 0);
    always = add(1, &memory_driver, false); /* wakes the sleeper */
    called = add(2, &asked_driver, true);
    put(1, 3);
    WAIT_UNTIL(came(1) == 3);
    sleeps = now(&dp.workers[1]->sleeps);
    polls = now(&queue[1].polls);
    WAIT_UNTIL(now(&queue[1].polls) > polls + 1000);
    put(2, 4); /* and what must be asked for is asked for */
    WAIT_UNTIL(came(2) == 4);
    put(1, 1);
    WAIT_UNTIL(came(1) == 4);
    assert_int_equal(now(&dp.workers[1]->sleeps), sleeps);
    drop(always); /* then the worker sleeps again */
    (void)!read(queue[2].fd, &polls, sizeof(polls));
    WAIT_UNTIL(now(&dp.workers[1]->sleeps) > sleeps);
    put(2, 4);
    WAIT_UNTIL(came(2) == 8);
    drop(called);
    end();
}

static void a_busy_worker_reads_memory_without_being_called(void **state)
{
    struct port *p;

    (void)state;
    begin(LONG_US);
    p = add(1, &memory_driver, true);
    WAIT_UNTIL(now(&queue[1].polls) > 0); /* from now on it does not call */
    for (unsigned i = 1; i <= 10; i++) {
        put(1, 1);
        WAIT_UNTIL(came(1) == i);
    }
    assert_int_equal(now(&queue[1].waiting_polls), 0);
    drop(p);
    end();
}

static void a_busy_worker_asks_for_what_is_not_in_memory(void **state)
{
    struct port *memory, *asked;

    (void)state;
    begin(LONG_US);
    memory = add(1, &memory_driver, true);
    asked = add(2, &asked_driver, true);
    WAIT_UNTIL(now(&queue[1].polls) > 1000);
    assert_int_equal(now(&queue[2].polls), 0);
    put(2, 2);
    WAIT_UNTIL(came(2) == 2);
    put(1, 1);
    WAIT_UNTIL(came(1) == 1);
    drop(memory);
    drop(asked);
    end();
}

static void after_busy_us_it_sleeps_and_nothing_is_lost(void **state)
{
    struct port *p;
    uint64_t sleeps;

    (void)state;
    begin(2000);
    p = add(1, &memory_driver, true);
    for (unsigned i = 1; i <= 200; i++) {
        sleeps = now(&dp.workers[1]->sleeps);
        put(1, 1);
        WAIT_UNTIL(came(1) == i);
        WAIT_UNTIL(i % 2 || now(&dp.workers[1]->sleeps) > sleeps);
        usleep(i % 2 ? 0 : i * 20); /* into its sleep, or just before */
    }
    assert_true(now(&queue[1].polls) > 0);
    drop(p);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_busy_us_a_worker_looks_when_it_is_called),
        cmocka_unit_test(a_queue_without_descriptor_is_polled_for_ever),
        cmocka_unit_test(a_busy_worker_reads_memory_without_being_called),
        cmocka_unit_test(a_busy_worker_asks_for_what_is_not_in_memory),
        cmocka_unit_test(after_busy_us_it_sleeps_and_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
