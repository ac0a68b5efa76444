/*
 * pgw_pool_test.c -- address pools: every address once, reserved ones never, the last given back comes last.
 */
#include "unit.h"

#include <errno.h>

#include "pgw/context.h"

static void every_place_is_given_once(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {4, 63, 64, 65, 256, 1000};

    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct pgw_pool pool;
        static bool given[1000];
        uint32_t place;
        memset(given, 0, sizeof(given));
        assert_int_equal(pgw_pool_open(&pool, sizes[s], 2, 1), 0);
        for (uint32_t i = 0; i < sizes[s] - 3; i++) {
            assert_int_equal(pgw_pool_take(&pool, &place), 0);
            assert_in_range(place, 2, sizes[s] - 2);
            assert_false(given[place]);
            given[place] = true;
        }
        assert_int_equal(pgw_pool_take(&pool, &place), -ENOSPC);
        assert_int_equal(pool.used, sizes[s] - 3);
        pgw_pool_give_back(&pool, 2);
        pgw_pool_give_back(&pool, 2); /* twice is as once */
        assert_int_equal(pgw_pool_take(&pool, &place), 0);
        assert_int_equal(place, 2);
        pgw_pool_close(&pool);
    }
}

static void a_place_rests_as_long_as_possible(void **state)
{
    (void)state;
    struct pgw_pool pool;
    uint32_t first, next;

    assert_int_equal(pgw_pool_open(&pool, 128, 0, 0), 0);
    assert_int_equal(pgw_pool_take(&pool, &first), 0);
    for (int i = 0; i < 126; i++) {
        pgw_pool_give_back(&pool, first);
        assert_int_equal(pgw_pool_take(&pool, &next), 0);
        assert_int_not_equal(next, first);
        first = next;
    }
    pgw_pool_close(&pool);
}

static void this_very_place(void **state)
{
    (void)state;
    struct pgw_pool pool;

    assert_int_equal(pgw_pool_open(&pool, 16, 1, 1), 0);
    assert_int_equal(pgw_pool_take_this(&pool, 5), 0);
    assert_int_equal(pgw_pool_take_this(&pool, 5), -EADDRINUSE);
    assert_int_equal(pgw_pool_take_this(&pool, 0), -EADDRINUSE);
    assert_int_equal(pgw_pool_take_this(&pool, 16), -EADDRNOTAVAIL);
    pgw_pool_close(&pool);
    uint32_t place;
    assert_int_equal(pgw_pool_take(&pool, &place), -ENOSPC);
}

static void apns_are_found_with_or_without_operator(void **state)
{
    (void)state;
    struct pgw_apn_config apns[] = {{.name = "internet"}, {.name = "ims"}};
    struct pgw_config config = {.apns = {apns, 2}};

    pgw.config = &config;
    assert_int_equal(pgw_apn_find("internet"), 0);
    assert_int_equal(pgw_apn_find("IMS"), 1);
    assert_int_equal(pgw_apn_find("ims.mnc001.mcc001.gprs"), 1);
    assert_int_equal(pgw_apn_find("other"), -ENOENT);
    apns[1].name = "*";
    assert_int_equal(pgw_apn_find("other"), 1);
    assert_int_equal(pgw_apn_find("internet"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_is_given_once),
        cmocka_unit_test(a_place_rests_as_long_as_possible),
        cmocka_unit_test(this_very_place),
        cmocka_unit_test(apns_are_found_with_or_without_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
