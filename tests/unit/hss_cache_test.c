/*
 * hss_cache_test.c -- subscribers in memory: who stays and who goes, what is written when, and that
 * no sequence number is ever handed out twice, wherever the process is cut off.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "hss/cache.h"

static char directory[] = "/tmp/strowger-cache-test-XXXXXX";
static char path[64];
static struct hss_store *store;
static struct hss_cache cache;

static const char *imsi_of(unsigned n)
{
    static char imsi[IMSI_SIZE];

    snprintf(imsi, sizeof(imsi), "00101%010u", n);
    return imsi;
}

/* One run of the HSS. */
static uint32_t begin(uint32_t limit)
{
    char reason[200];
    struct text why = text_in(reason, sizeof(reason));
    bool orderly;
    uint32_t run;

    assert_int_equal(store_open(path, &store, &why), 0);
    assert_int_equal(store_begin_run(store, &run, &orderly), 0);
    cache_init(&cache, store, run, limit, 20);
    return run;
}

static void end(void)
{
    cache_free(&cache);
    assert_int_equal(store_end_run(store), 0);
    store_close(store);
}

/* The process dies: what is in memory is gone. */
static void cut_off(void)
{
    while (cache.dirty) { /* as if it had never been */
        cache.dirty->sqn_dirty = cache.dirty->location_dirty = cache.dirty->queued = false;
        struct hss_entry *next = cache.dirty->next_dirty;
        cache.dirty->next_dirty = NULL;
        cache.dirty = next;
    }
    for (struct hss_entry *e = cache.oldest; e; e = e->newer)
        e->sqn_dirty = e->location_dirty = false;
    cache_free(&cache);
    store_close(store);
}

static void add(unsigned n, uint64_t sqn)
{
    struct hss_subscriber s = {.amf = 0x8000, .sqn = sqn, .apn_count = 1, .apns = {{.name = "a"}}};

    strcpy(s.imsi, imsi_of(n));
    assert_int_equal(store_put(store, &s, true), 0);
}

static struct hss_entry *get(unsigned n)
{
    struct hss_entry *entry = NULL;

    assert_int_equal(cache_get(&cache, imsi_of(n), &entry), 0);
    assert_string_equal(entry->record->imsi, imsi_of(n));
    return entry;
}

static uint64_t next(unsigned n)
{
    uint64_t seq = 0;

    assert_int_equal(cache_next_seq(&cache, get(n), &seq), 0);
    return seq;
}

static int set_up(void **state)
{
    (void)state;
    return loop_init();
}

static int tear_down(void **state)
{
    (void)state;
    loop_free();
    unlink(path);
    return 0;
}

static void hits_and_misses(void **state)
{
    (void)state;
    struct hss_entry *entry;

    begin(10);
    add(1, 0);
    assert_int_equal(cache_get(&cache, imsi_of(2), &entry), -ENOENT);
    get(1);
    get(1);
    assert_int_equal(cache.misses, 2);
    assert_int_equal(cache.hits, 1);
    assert_int_equal(cache.count, 1);
    end();
}

static void first_numbers(void **state)
{
    (void)state;
    begin(10);
    add(1, 0);
    add(2, (UINT64_C(1000) << SQN_IND_BITS) | 7);
    assert_int_equal(next(1), 1); /* an import of this very run goes on exactly */
    assert_int_equal(next(1), 2);
    assert_int_equal(next(2), 1001);
    /* No row was written for that. */
    loop_run_for(40);
    assert_int_equal(cache.rows_written, 0);
    end();
}

/* Never the same number again, whenever the process is cut off, and however often. */
static void never_twice(void **state)
{
    (void)state;
    uint64_t last = 0;

    begin(10);
    add(1, 0);
    cut_off();
    for (unsigned run = 0; run < 60; run++) {
        begin(10);
        /* 0, 1, 10, 40, 70, 200 vectors, with and without time to write them. */
        static const unsigned counts[] = {0, 1, 10, 40, 70, 200};
        for (unsigned i = 0; i < counts[run % 6]; i++) {
            uint64_t seq = next(1);
            assert_true(seq > last);
            last = seq;
            if (run % 3 == 0 && i % 20 == 0)
                loop_run_for(25);
        }
        if (run % 5 == 4)
            end();
        else
            cut_off();
    }
    /* Numbers are skipped, but not wasted: a window at most for each run. */
    assert_true(last < 60 / 6 * (1 + 10 + 40 + 70 + 200) + 61 * SEQ_WINDOW);
}

static void written_before_the_window_ends(void **state)
{
    (void)state;
    begin(10);
    add(1, 0);
    for (unsigned i = 0; i < SEQ_WINDOW / 2; i++)
        next(1);
    assert_int_equal(cache.dirty_count, 0);
    next(1);
    assert_int_equal(cache.dirty_count, 1);
    loop_run_for(40);
    assert_int_equal(cache.dirty_count, 0);
    assert_int_equal(cache.commits, 1);
    struct hss_subscriber s;
    assert_int_equal(store_get(store, imsi_of(1), &s), 0);
    assert_int_equal(s.sqn >> SQN_IND_BITS, SEQ_WINDOW / 2 + 1);
    assert_int_equal(s.sqn_run, cache.run);

    /* In one turn beyond the window: written in between, without waiting for the timer. */
    for (unsigned i = 0; i < 3 * SEQ_WINDOW; i++)
        next(1);
    assert_true(cache.commits >= 3);
    end();
}

static void nothing_without_the_disk(void **state)
{
    (void)state;
    struct hss_store *other;
    char reason[200];
    struct text why = text_in(reason, sizeof(reason));
    uint64_t seq;

    begin(10);
    add(1, 0);
    struct hss_entry *entry = get(1);
    for (unsigned i = 0; i < SEQ_WINDOW; i++)
        next(1);
    /* Somebody holds the database: no number, rather than one that might come again. */
    assert_int_equal(store_open(path, &other, &why), 0);
    assert_int_equal(store_begin(other, false), 0);
    log_init("test", LOG_ERROR);
    assert_int_equal(cache_next_seq(&cache, entry, &seq), -EBUSY);
    assert_int_equal(cache.failures, 1);
    store_rollback(other);
    store_close(other);
    assert_int_equal(cache_next_seq(&cache, entry, &seq), 0);
    assert_int_equal(seq, SEQ_WINDOW + 1);
    end();
}

static void end_of_numbers(void **state)
{
    (void)state;
    uint64_t seq;

    begin(10);
    add(1, (SEQ_MAX - 1) << SQN_IND_BITS);
    assert_int_equal(cache_next_seq(&cache, get(1), &seq), 0);
    assert_true(seq == SEQ_MAX);
    assert_int_equal(cache_next_seq(&cache, get(1), &seq), -ERANGE);
    assert_int_equal(cache_set_seq(&cache, get(1), SEQ_MAX + 1), -ERANGE);
    end();
}

static void set_by_the_sim(void **state)
{
    (void)state;
    begin(10);
    add(1, 0);
    next(1);
    assert_int_equal(cache_set_seq(&cache, get(1), 5000), 0);
    assert_int_equal(next(1), 5001);
    cut_off(); /* that was on disk at once */
    begin(10);
    assert_true(next(1) > 5001);
    /* Back, too: what the SIM says counts. */
    assert_int_equal(cache_set_seq(&cache, get(1), 100), 0);
    assert_int_equal(next(1), 101);
    end();
}

static void locations(void **state)
{
    (void)state;
    struct hss_subscriber s;

    begin(10);
    add(1, 0);
    cache_set_location(&cache, get(1), 3, false);
    assert_int_equal(store_get(store, imsi_of(1), &s), 0);
    assert_int_equal(s.mme, 0);
    loop_run_for(40);
    assert_int_equal(store_get(store, imsi_of(1), &s), 0);
    assert_int_equal(s.mme, 3);
    /* The same again costs nothing. */
    cache_set_location(&cache, get(1), 3, false);
    assert_int_equal(cache.dirty_count, 0);
    cache_set_location(&cache, get(1), 3, true);
    end();
    begin(10);
    assert_true(get(1)->record->purged);
    end();
}

static void oldest_go(void **state)
{
    (void)state;
    begin(3);
    for (unsigned n = 1; n <= 5; n++)
        add(n, 0);
    get(1);
    get(2);
    get(3);
    get(1);
    get(4); /* 2 is the oldest */
    assert_int_equal(cache.count, 3);
    uint64_t misses = cache.misses;
    get(1);
    assert_int_equal(cache.misses, misses);
    get(2);
    assert_int_equal(cache.misses, misses + 1);
    assert_int_equal(cache.count, 3);
    end();
}

/* One with a change goes when it is written; asked for again before, it stays. */
static void changed_ones_go_later(void **state)
{
    (void)state;
    begin(2);
    for (unsigned n = 1; n <= 6; n++)
        add(n, 0);
    uint64_t one = next(1), two = next(2);
    get(3);
    get(4);
    assert_int_equal(cache.count, 2);
    assert_int_equal(cache.leaving_count, 2);
    struct hss_entry *again = get(1);
    assert_int_equal(cache.leaving_count, 1); /* 2; and 3, which had no change, has gone for it */
    assert_int_equal(again->seq, one);
    loop_run_for(40);
    assert_int_equal(cache.leaving_count, 0);
    assert_int_equal(cache.count, 2);
    /* What was written is what is read again. */
    assert_true(next(2) > two);
    assert_true(next(1) > one);
    end();
}

static void many_through_a_small_cache(void **state)
{
    (void)state;
    static uint64_t last[2000];

    begin(50);
    assert_int_equal(store_begin(store, false), 0);
    for (unsigned n = 0; n < 2000; n++)
        add(n, 0);
    assert_int_equal(store_commit(store), 0);
    srand(3);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned n = (unsigned)rand() % 2000;
        uint64_t seq = next(n);
        assert_true(seq > last[n]);
        last[n] = seq;
        assert_true(cache.count <= 50);
        assert_true(cache.leaving_count <= 4097);
        if (i % 1000 == 0)
            loop_run_for(25);
    }
    end();
    begin(50);
    for (unsigned n = 0; n < 2000; n++)
        assert_true(next(n) > last[n]);
    end();
}

static void forgetting(void **state)
{
    (void)state;
    struct hss_subscriber s;

    begin(10);
    add(1, 0);
    uint64_t seq = next(1);
    assert_int_equal(cache_forget(&cache, imsi_of(1)), 0);
    assert_int_equal(cache.count, 0);
    assert_int_equal(store_get(store, imsi_of(1), &s), 0);
    assert_int_equal(s.sqn >> SQN_IND_BITS, seq);
    assert_int_equal(next(1), seq + 1);
    assert_int_equal(cache_forget(&cache, imsi_of(2)), 0);
    cache_set_location(&cache, get(1), 1, false);
    assert_int_equal(cache_forget(&cache, imsi_of(1)), 0);
    assert_int_equal(cache_forget(&cache, imsi_of(1)), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hits_and_misses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(never_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(written_before_the_window_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_without_the_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(end_of_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(set_by_the_sim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(locations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(oldest_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_ones_go_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_through_a_small_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgetting, set_up, tear_down),
    };

    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof(path), "%s/hss.db", directory);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
