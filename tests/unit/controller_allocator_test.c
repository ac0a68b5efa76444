/*
 * controller_allocator_test.c -- TEIDs and meter ids: unique, claimed, reserved, given back.
 */
#include "unit.h"

#include <errno.h>

#include "controller/allocator.h"

static void teids_are_drawn_in_turn_and_never_zero(void **state)
{
    struct up_teids teids;

    (void)state;
    up_teids_init(&teids, UINT32_MAX - 1);
    assert_int_equal(up_teid_choose(&teids), UINT32_MAX - 1);
    assert_int_equal(up_teid_choose(&teids), UINT32_MAX);
    assert_int_equal(up_teid_choose(&teids), 1);
    assert_int_equal(up_teid_owner(&teids, 1), 0); /* taken, but nobody's yet */
    up_teid_assign(&teids, 1, 77);
    assert_int_equal(up_teid_owner(&teids, 1), 77);
    up_teid_assign(&teids, 500, 77);
    assert_int_equal(up_teid_owner(&teids, 500), 0); /* never taken */
    up_teid_release(&teids, 1);
    assert_int_equal(up_teid_owner(&teids, 1), 0);
    up_teids_free(&teids);
}

static void teids_in_use_are_skipped_and_not_claimed(void **state)
{
    struct up_teids teids;

    (void)state;
    up_teids_init(&teids, 10);
    assert_int_equal(up_teid_claim(&teids, 11), 0);
    assert_int_equal(up_teid_claim(&teids, 11), -EADDRINUSE);
    assert_int_equal(up_teid_claim(&teids, 0), -EADDRINUSE);
    up_teid_reserve(&teids, 12);
    up_teid_reserve(&teids, 11); /* somebody's already: no change */
    up_teid_reserve(&teids, 0);
    assert_int_equal(up_teid_choose(&teids), 10);
    assert_int_equal(up_teid_choose(&teids), 13);
    /* A reserved one may be claimed by its name: a session that is established again. */
    assert_int_equal(up_teid_claim(&teids, 12), 0);
    assert_int_equal(up_teid_claim(&teids, 12), -EADDRINUSE);
    up_teid_reserve(&teids, 14);
    up_teids_forget_reserved(&teids);
    assert_int_equal(up_teid_choose(&teids), 14);
    assert_int_equal(up_teid_claim(&teids, 11), -EADDRINUSE);
    up_teids_free(&teids);
}

static void meters_are_lowest_first_and_bounded(void **state)
{
    struct up_meters meters;

    (void)state;
    assert_int_equal(up_meters_init(&meters, 16, 100), 0);
    for (uint32_t i = 16; i < 100; i++)
        assert_int_equal(up_meter_take(&meters), i);
    assert_int_equal(up_meter_take(&meters), 0);
    assert_int_equal(meters.count, 84);
    up_meter_release(&meters, 70);
    up_meter_release(&meters, 20);
    up_meter_release(&meters, 20);
    up_meter_release(&meters, 3);
    up_meter_release(&meters, 5000);
    assert_int_equal(up_meter_take(&meters), 20);
    assert_int_equal(up_meter_take(&meters), 70);
    assert_int_equal(up_meter_take(&meters), 0);
    up_meters_free(&meters);
}

static void strange_meters_are_kept_apart(void **state)
{
    struct up_meters meters;

    (void)state;
    assert_int_equal(up_meters_init(&meters, 16, 200), 0);
    assert_int_equal(up_meter_take(&meters), 16);
    assert_false(up_meter_reserve(&meters, 16)); /* ours */
    assert_true(up_meter_reserve(&meters, 17));
    assert_true(up_meter_reserve(&meters, 17));
    assert_true(up_meter_reserve(&meters, 9999));
    assert_true(up_meter_is_reserved(&meters, 17));
    assert_int_equal(up_meter_take(&meters), 18);
    up_meter_release(&meters, 17); /* not ours to release */
    assert_int_equal(up_meter_take(&meters), 19);
    up_meters_forget_reserved(&meters);
    assert_false(up_meter_is_reserved(&meters, 17));
    assert_int_equal(up_meter_take(&meters), 17);
    assert_int_equal(up_meter_take(&meters), 20);
    up_meters_free(&meters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(teids_are_drawn_in_turn_and_never_zero),
        cmocka_unit_test(teids_in_use_are_skipped_and_not_claimed),
        cmocka_unit_test(meters_are_lowest_first_and_bounded),
        cmocka_unit_test(strange_meters_are_kept_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
