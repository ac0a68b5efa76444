/*
 * mme_config_test.c -- the section `mme:`: defaults, and what is wrong said with the reason.
 */
#include "mme_world.h"

#include <errno.h>

#define REST                                  \
    "  s1ap: {listen: ['127.0.0.1:36412']}\n" \
    "  s11: {}\n"                             \
    "  sgw: [127.0.0.3]\n"                    \
    "  pgw: [{address: 127.0.0.4}]\n"
#define AREA "  tracking_areas: [{plmn: '00101', tacs: [1]}]\n"

static struct config *file; /* owns the texts and lists of the last one checked */

static int check(const char *text)
{
    struct mme_config config;

    config_free(file);
    file = config_parse("test", text, strlen(text));
    assert_non_null(file);
    int err = config_read(file, "mme", &mme_config_schema, &config);
    if (err == 0)
        err = mme_config_check(file, &config);
    mme.config = config;
    return err;
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(check("mme:\n" AREA REST), 0);
    assert_int_equal(mme.config.relative_capacity, 255);
    assert_int_equal(mme.config.security.integrity.count, 3);
    assert_int_equal(mme.config.security.integrity.at[0], EPS_ALGORITHM_AES);
    assert_int_equal(mme.config.security.ciphering.count, 4);
    assert_int_equal(mme.config.timers.t3412_ms, 54 * 60 * 1000);
    assert_int_equal(mme.config.timers.mobile_reachable_ms, 58 * 60 * 1000);
    assert_int_equal(mme.config.timers.implicit_detach_ms, 58 * 60 * 1000);
    assert_int_equal(mme_timer_ms(MME_T3460), 6000);
    assert_int_equal(mme_timer_attempts(MME_T3460), 5);
    assert_int_equal(mme_timer_attempts(MME_T3489), 3);
    assert_int_equal(mme_timer_attempts(MME_T3413), 4);
    assert_string_equal(mme_timer_name(MME_T3450), "T3450");
    assert_true(mme.config.purge_on_detach);
    assert_true(mme.config.paging.last_enb_first);
}

static void test_values(void **state)
{
    (void)state;
    assert_int_equal(check("mme:\n" AREA REST
                           "  security: {integrity: [EIA3, EIA1], ciphering: [EEA0]}\n"
                           "  timers: {t3412: 10min, t3460: 3s, mobile_reachable: 1h}\n"
                           "  paging: {attempts: 2, last_enb_first: no}\n"
                           "  network_name: {full_name: Strowger}\n"),
                     0);
    assert_int_equal(mme.config.security.integrity.at[0], EPS_ALGORITHM_ZUC);
    assert_int_equal(mme.config.security.ciphering.at[0], EPS_ALGORITHM_NULL);
    assert_int_equal(mme_timer_ms(MME_T3460), 3000);
    assert_int_equal(mme.config.timers.mobile_reachable_ms, 3600000);
    assert_int_equal(mme_timer_attempts(MME_T3413), 2);
}

/* Errors go to standard error; here only that they are errors. */
static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(check("mme:\n" REST), -EINVAL);
    assert_int_equal(check("mme:\n  tracking_areas: []\n" REST), -EINVAL);
    assert_int_equal(check("mme:\n  tracking_areas: [{plmn: '1', tacs: [1]}]\n" REST), -EINVAL);
    assert_int_equal(check("mme:\n  tracking_areas: [{plmn: '00101', tacs: [70000]}]\n" REST),
                     -EINVAL);
    assert_int_equal(check("mme:\n  tracking_areas: [{plmn: '00101', tacs: []}]\n" REST), -EINVAL);
    assert_int_equal(
        check("mme:\n  tracking_areas: [{plmn: '00101', tacs: [1,2,3,4,5,6,7,8,9,10,11,12,13,"
              "14,15,16,17]}]\n" REST),
        -EINVAL);
    assert_int_equal(check("mme:\n" AREA REST "  security: {integrity: [EIA0]}\n"), -EINVAL);
    assert_int_equal(check("mme:\n" AREA REST "  security: {integrity: [EIA9]}\n"), -EINVAL);
    assert_int_equal(check("mme:\n" AREA REST "  timers: {t3412: 5h}\n"), -EINVAL);
    assert_int_equal(check("mme:\n" AREA REST "  name: ''\n"), -EINVAL);
    assert_int_equal(check("mme:\n" AREA REST "  no_such_key: 1\n"), -EINVAL);
    assert_int_equal(check("mme:\n" AREA "  s1ap: {listen: []}\n  s11: {}\n  sgw: [1.1.1.1]\n"
                           "  pgw: [{address: 1.1.1.1}]\n"),
                     -EINVAL);
}

static int free_file(void **state)
{
    (void)state;
    config_free(file);
    file = NULL;
    return 0;
}

static void test_reference(void **state)
{
    static char text[32768];
    struct text t = text_in(text, sizeof(text));

    (void)state;
    config_print_reference(&mme_config_schema, &t);
    assert_false(t.cut);
    assert_non_null(strstr(text, "tracking_areas"));
    assert_non_null(strstr(text, "t3413"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_reference),
    };

    return cmocka_run_group_tests(tests, NULL, free_file);
}
