/*
 * restart_counter_test.c -- the number that tells one life of a process from the next.
 */
#include "gtp_unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link/restart_counter.h"

static char directory[] = "/tmp/restart_counter_test.XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/counter", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void every_start_has_another_number(void **state)
{
    (void)state;
    struct restart_counter before, now;

    unlink(path);
    assert_int_equal(restart_counter_next(path, &before), 0);
    for (int i = 0; i < 600; i++) { /* faster than the clock, and round the 8 bits twice */
        assert_int_equal(restart_counter_next(path, &now), 0);
        assert_int_equal(now.gtp, (uint8_t)(before.gtp + 1));
        assert_true((int32_t)(now.pfcp_time - before.pfcp_time) > 0);
        before = now;
    }
}

static void a_damaged_file_begins_anew(void **state)
{
    (void)state;
    struct restart_counter counter, next;
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("strowger restart counter 1: seven", file);
    fclose(file);
    assert_int_equal(restart_counter_next(path, &counter), 0);
    assert_int_equal(restart_counter_next(path, &next), 0);
    assert_int_equal(next.gtp, (uint8_t)(counter.gtp + 1));
}

static void a_place_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    struct restart_counter counter;
    char nowhere[96], *too_long = test_malloc(5000);

    snprintf(nowhere, sizeof(nowhere), "%s/none/counter", directory);
    assert_int_equal(restart_counter_next(nowhere, &counter), -ENOENT);
    memset(too_long, 'x', 4999);
    too_long[4999] = '\0';
    assert_int_equal(restart_counter_next(too_long, &counter), -ENAMETOOLONG);
    test_free(too_long);
    snprintf(nowhere, sizeof(nowhere), "%s/directory", directory);
    assert_int_equal(mkdir(nowhere, 0700), 0);
    assert_true(restart_counter_next(nowhere, &counter) < 0);
    char left[128];
    snprintf(left, sizeof(left), "%s.new", nowhere);
    assert_int_not_equal(access(left, F_OK), 0); /* nothing is left behind */
    rmdir(nowhere);
    assert_int_equal(restart_counter_next(NULL, &counter), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_start_has_another_number),
        cmocka_unit_test(a_damaged_file_begins_anew),
        cmocka_unit_test(a_place_that_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
