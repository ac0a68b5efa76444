/*
 * address_pool_test.c -- addresses are given round about, once each, and come back.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "pgw/address_pool.h"

static struct config_prefix4 prefix4(const char *address, uint8_t length)
{
    struct config_prefix4 prefix = {.length = length};

    assert_int_equal(inet_pton(AF_INET, address, &prefix.address), 1);
    return prefix;
}

static struct config_prefix6 prefix6(const char *address, uint8_t length)
{
    struct config_prefix6 prefix = {.length = length};

    assert_int_equal(inet_pton(AF_INET6, address, &prefix.address), 1);
    return prefix;
}

static void assert_ipv4(struct in_addr address, const char *expected)
{
    char text[INET_ADDRSTRLEN];

    assert_string_equal(inet_ntop(AF_INET, &address, text, sizeof(text)), expected);
}

static void assert_ipv6(const struct in6_addr *address, const char *expected)
{
    char text[INET6_ADDRSTRLEN];

    assert_string_equal(inet_ntop(AF_INET6, address, text, sizeof(text)), expected);
}

static void a_small_pool_is_given_out_and_comes_back(void **state)
{
    (void)state;
    struct config_prefix4 prefix = prefix4("10.0.0.0", 29);
    struct address_pool pool;
    struct in_addr address, second;

    assert_int_equal(address_pool_init4(&pool, &prefix), 0);
    assert_int_equal(address_pool_capacity(&pool), 5);
    assert_true(address_pool_take4(&pool, &address));
    assert_ipv4(address, "10.0.0.2"); /* .0 is the network, .1 the router */
    assert_true(address_pool_take4(&pool, &second));
    assert_ipv4(second, "10.0.0.3");
    address_pool_give_back4(&pool, address);
    for (int i = 4; i <= 6; i++)
        assert_true(address_pool_take4(&pool, &address));
    assert_ipv4(address, "10.0.0.6");
    assert_true(address_pool_take4(&pool, &address)); /* the one that came back, last of all */
    assert_ipv4(address, "10.0.0.2");
    assert_false(address_pool_take4(&pool, &address)); /* .7 is for all */
    assert_int_equal(pool.in_use, 5);
    address_pool_give_back4(&pool, second);
    address_pool_give_back4(&pool, second); /* twice does no harm */
    assert_int_equal(pool.in_use, 4);
    assert_true(address_pool_take4(&pool, &address));
    assert_ipv4(address, "10.0.0.3");
    address_pool_free(&pool);
}

static void an_address_asked_for_is_given_once(void **state)
{
    (void)state;
    struct config_prefix4 prefix = prefix4("10.1.0.0", 24);
    struct address_pool pool;
    struct in_addr wanted, other;

    assert_int_equal(address_pool_init4(&pool, &prefix), 0);
    inet_pton(AF_INET, "10.1.0.2", &wanted);
    inet_pton(AF_INET, "10.1.1.2", &other);
    assert_true(address_pool_claim4(&pool, wanted));
    assert_false(address_pool_claim4(&pool, wanted));
    assert_false(address_pool_claim4(&pool, other)); /* not of this pool */
    assert_false(address_pool_has4(&pool, other));
    assert_true(address_pool_take4(&pool, &other));
    assert_ipv4(other, "10.1.0.3");
    address_pool_give_back4(&pool, wanted);
    assert_true(address_pool_claim4(&pool, wanted));
    inet_pton(AF_INET, "9.255.255.255", &other);
    assert_false(address_pool_has4(&pool, other));
    address_pool_give_back4(&pool, other);
    address_pool_free(&pool);
}

static void prefixes_are_whole_64s(void **state)
{
    (void)state;
    struct config_prefix6 prefix = prefix6("2001:db8:45::", 62);
    struct address_pool pool;
    struct in6_addr got, inside;

    assert_int_equal(address_pool_init6(&pool, &prefix), 0);
    assert_int_equal(address_pool_capacity(&pool), 3);
    assert_true(address_pool_take6(&pool, &got));
    assert_ipv6(&got, "2001:db8:45:1::");
    inet_pton(AF_INET6, "2001:db8:45:2:1:2:3:4", &inside);
    assert_true(address_pool_has6(&pool, &inside)); /* the identifier does not matter */
    assert_true(address_pool_claim6(&pool, &inside));
    assert_true(address_pool_take6(&pool, &got));
    assert_ipv6(&got, "2001:db8:45:3::");
    assert_false(address_pool_take6(&pool, &got));
    address_pool_give_back6(&pool, &inside);
    assert_true(address_pool_take6(&pool, &got));
    assert_ipv6(&got, "2001:db8:45:2::");
    inet_pton(AF_INET6, "2001:db8:45:4::", &inside);
    assert_false(address_pool_has6(&pool, &inside));
    address_pool_free(&pool);
}

static void families_do_not_mix(void **state)
{
    (void)state;
    struct config_prefix6 prefix = prefix6("2001:db8::", 48);
    struct address_pool pool;
    struct in_addr ipv4 = {htonl(0x0a000002)};

    assert_int_equal(address_pool_init6(&pool, &prefix), 0);
    assert_false(address_pool_take4(&pool, &ipv4));
    assert_false(address_pool_has4(&pool, ipv4));
    address_pool_free(&pool);
}

static void what_is_no_pool_is_refused(void **state)
{
    (void)state;
    struct address_pool pool;
    struct config_prefix4 short4 = prefix4("10.0.0.0", 7), long4 = prefix4("10.0.0.0", 31),
                          odd4 = prefix4("10.0.0.1", 24), all4 = prefix4("255.255.255.0", 24);
    struct config_prefix6 short6 = prefix6("2001::", 39), long6 = prefix6("2001:db8::", 64),
                          odd6 = prefix6("2001:db8:0:1::", 48), tail6 = prefix6("2001:db8::1", 48);

    assert_int_equal(address_pool_init4(&pool, &short4), -E2BIG);
    assert_int_equal(address_pool_init4(&pool, &long4), -EINVAL);
    assert_int_equal(address_pool_init4(&pool, &odd4), -EINVAL);
    assert_int_equal(address_pool_init6(&pool, &short6), -E2BIG);
    assert_int_equal(address_pool_init6(&pool, &long6), -EINVAL);
    assert_int_equal(address_pool_init6(&pool, &odd6), -EINVAL);
    assert_int_equal(address_pool_init6(&pool, &tail6), -EINVAL);
    assert_int_equal(address_pool_init4(&pool, &all4), 0); /* the end of all addresses */
    struct in_addr address;
    for (int i = 2; i <= 254; i++)
        assert_true(address_pool_take4(&pool, &address));
    assert_ipv4(address, "255.255.255.254");
    assert_false(address_pool_take4(&pool, &address));
    address_pool_free(&pool);
}

static void a_large_pool_stays_fast_when_nearly_full(void **state)
{
    (void)state;
    struct config_prefix4 prefix = prefix4("10.0.0.0", 12);
    struct address_pool pool;
    struct in_addr address, last;

    assert_int_equal(address_pool_init4(&pool, &prefix), 0);
    uint32_t capacity = address_pool_capacity(&pool);
    for (uint32_t i = 0; i < capacity; i++)
        assert_true(address_pool_take4(&pool, &last));
    for (int i = 0; i < 1000; i++) { /* each search goes over a full map, by words */
        address_pool_give_back4(&pool, last);
        assert_true(address_pool_take4(&pool, &address));
        assert_int_equal(address.s_addr, last.s_addr);
    }
    address_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_pool_is_given_out_and_comes_back),
        cmocka_unit_test(an_address_asked_for_is_given_once),
        cmocka_unit_test(prefixes_are_whole_64s),
        cmocka_unit_test(families_do_not_mix),
        cmocka_unit_test(what_is_no_pool_is_refused),
        cmocka_unit_test(a_large_pool_stays_fast_when_nearly_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
