/*
 * nas_values_test.c -- timers, capabilities, names and times.
 */
#include "unit.h"

#include "nas_sample.h"

static bool decode_hex(const struct wire_type *type, const char *digits, void *value)
{
    static uint8_t octets[256];
    struct wire_context context = {0};
    int n = hex_parse(digits, octets, sizeof(octets));
    struct reader r = reader_of(octets, n > 0 ? (size_t)n : 0);

    memset(value, 0, type->size);
    type->decode(type, &r, value, &context);
    return !r.bad;
}

static void check(const struct wire_type *type, const void *value, const char *digits,
                  const char *printed)
{
    uint8_t out[256], expected[256];
    char text[256];
    struct writer w = writer_of(out, sizeof(out));
    struct text t = text_in(text, sizeof(text));
    int n = hex_parse(digits, expected, sizeof(expected));

    type->encode(type, &w, value);
    assert_false(w.bad);
    assert_int_equal(wr_len(&w), n);
    assert_memory_equal(out, expected, (size_t)n);
    type->print(type, &t, value);
    assert_string_equal(text, printed);
}

/* The tables of TS 24.008 clauses 10.5.7.3 and 10.5.7.4a. */
static void timers_say_seconds(void **state)
{
    (void)state;
    assert_int_equal(nas_gprs_timer_seconds(0x00), 0);
    assert_int_equal(nas_gprs_timer_seconds(0x1f), 62);
    assert_int_equal(nas_gprs_timer_seconds(0x21), 60);
    assert_int_equal(nas_gprs_timer_seconds(0x3e), 1800);
    assert_int_equal(nas_gprs_timer_seconds(0x5f), 11160);
    assert_int_equal(nas_gprs_timer_seconds(0x62), 120); /* undefined units are minutes */
    assert_int_equal(nas_gprs_timer_seconds(0xe0), NAS_TIMER_DEACTIVATED);
    assert_int_equal(nas_gprs_timer3_seconds(0x01), 600);
    assert_int_equal(nas_gprs_timer3_seconds(0x21), 3600);
    assert_int_equal(nas_gprs_timer3_seconds(0x41), 36000);
    assert_int_equal(nas_gprs_timer3_seconds(0x61), 2);
    assert_int_equal(nas_gprs_timer3_seconds(0x81), 30);
    assert_int_equal(nas_gprs_timer3_seconds(0xa1), 60);
    assert_int_equal(nas_gprs_timer3_seconds(0xc1), 320 * 3600);
    assert_int_equal(nas_gprs_timer3_seconds(0xff), NAS_TIMER_DEACTIVATED);
}

static void seconds_find_a_timer(void **state)
{
    (void)state;
    assert_int_equal(nas_gprs_timer(3240), 0x49); /* 54 minutes are nine times six */
    assert_int_equal(nas_gprs_timer(30), 0x0f);
    assert_int_equal(nas_gprs_timer(UINT32_MAX), 0xe0);
    assert_int_equal(nas_gprs_timer(UINT32_MAX - 1), 0x5f); /* cut at the longest */
    assert_int_equal(nas_gprs_timer3(UINT32_MAX - 1), 0xdf);
    for (uint32_t s = 0; s <= 11160; s++) { /* never below, and exact when it can be */
        uint32_t said = nas_gprs_timer_seconds(nas_gprs_timer(s));
        assert_true(said >= s);
        assert_true(said - s < (s <= 62 ? 2u : s <= 1860 ? 60u : 360u));
    }
    for (unsigned octet = 0; octet < 0xe0; octet++) {
        uint32_t s = nas_gprs_timer3_seconds((uint8_t)octet);
        assert_int_equal(nas_gprs_timer3_seconds(nas_gprs_timer3(s)), s);
    }
}

static void security_capabilities_are_replayed(void **state)
{
    (void)state;
    struct nas_ue_network_capability ue = {2, {0xf0, 0x70}};
    struct nas_ms_network_capability ms = {3, {0xe5, 0xe0, 0x34}};
    struct nas_ue_security_capability security = nas_ue_security_capability_of(&ue, NULL);

    assert_int_equal(security.len, 2);
    assert_memory_equal(security.octets, "\xf0\x70", 2);
    ue = (struct nas_ue_network_capability){7, {0xf0, 0xf0, 0xc0, 0xc0, 0x19, 0, 0x80}};
    security = nas_ue_security_capability_of(&ue, NULL);
    assert_int_equal(security.len, 4); /* UCS2 is not a UIA */
    assert_memory_equal(security.octets, "\xf0\xf0\xc0\x40", 4);
    security = nas_ue_security_capability_of(&ue, &ms);
    assert_int_equal(security.len, 5); /* GEA1, and GEA2 to 4 of 1110000 */
    assert_memory_equal(security.octets, "\xf0\xf0\xc0\x40\x70", 5);
    ue.len = 2;
    security = nas_ue_security_capability_of(&ue, &ms);
    assert_memory_equal(security.octets, "\xf0\xf0\x00\x00\x70", 5);
    ms = (struct nas_ms_network_capability){2, {0x65, 0x81}};
    assert_int_equal(nas_ue_security_capability_of(&ue, &ms).octets[4], 0);
    assert_true(nas_supports_algorithm(0x80, 0));
    assert_true(nas_supports_algorithm(0x01, 7));
    assert_false(nas_supports_algorithm(0xff, 8));
}

static void addresses_both_ways(void **state)
{
    (void)state;
    static const char *const sets[][2] = {
        {"010a2d0002", "10.45.0.2"},
        {"020000000000000001", "interface_id:0000000000000001"},
        {"0300000000000000010a2d0002", "10.45.0.2,interface_id:0000000000000001"},
        {"0500000000", "non-ip"},
    };
    static const char *const broken[] = {"",           "00",   "0000000000",
                                         "0400000000", "06",   "07",
                                         "010a2d00",   "0200", "0300000000000000010a2d00"};
    struct nas_pdn_address address;

    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        assert_true(decode_hex(&nas_pdn_address_type, sets[i][0], &address));
        check(&nas_pdn_address_type, &address, sets[i][0], sets[i][1]);
    }
    for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_false(decode_hex(&nas_pdn_address_type, broken[i], &address));
}

static void bearer_status_has_a_bit_per_bearer(void **state)
{
    (void)state;
    uint16_t status;

    assert_true(decode_hex(&nas_bearer_status, "6001", &status));
    assert_int_equal(status, NAS_BEARER_BIT(5) | NAS_BEARER_BIT(6) | NAS_BEARER_BIT(8));
    check(&nas_bearer_status, &status, "6001", "5,6,8");
}

static void names_are_packed(void **state)
{
    (void)state;
    uint8_t buffer[64];
    struct nas_network_name name = nas_network_name("srsRAN", buffer, sizeof(buffer)), again;

    assert_int_equal(name.spare_bits, 6);
    check(&nas_network_name_type, &name, "8673f95c1a7402", "\"srsRAN\"");
    assert_true(decode_hex(&nas_network_name_type, "8673f95c1a7402", &again));
    check(&nas_network_name_type, &again, "8673f95c1a7402", "\"srsRAN\"");
    name = nas_network_name("a@b$c_d {~", buffer,
                            sizeof(buffer)); /* signs elsewhere in the alphabet, and not in it */
    char printed[64];
    struct text t = text_in(printed, sizeof(printed));
    nas_network_name_type.print(&nas_network_name_type, &t, &name);
    assert_string_equal(printed, "\"a@b$c_d ??\"");
    for (size_t size = 0; size <= sizeof(buffer);
         size++) { /* cut to what fits: eight septets in seven octets */
        name = nas_network_name("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
                                "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
                                buffer, size);
        assert_true(name.text.len <= size);
        assert_int_equal((name.text.len * 8 - name.spare_bits) % 7, 0);
    }
    name = nas_network_name("", buffer, sizeof(buffer));
    check(&nas_network_name_type, &name, "80", "\"\"");
    assert_true(decode_hex(&nas_network_name_type, "98 0041 0062", &again));
    assert_true(again.add_initials);
    check(&nas_network_name_type, &again, "9800410062", "\"\\x00A\\x00b\"");
    assert_true(decode_hex(&nas_network_name_type, "87", &again)); /* more spare bits than bits */
    check(&nas_network_name_type, &again, "87", "\"\"");
}

static void times_both_ways(void **state)
{
    (void)state;
    struct nas_time time;

    assert_true(decode_hex(&nas_time_type, "62112231011000", &time));
    check(&nas_time_type, &time, "62112231011000", "2026-11-22T13:10:01Z,zone:+00:00");
    assert_true(decode_hex(&nas_time_type, "6211223101102a", &time));
    assert_int_equal(time.zone_quarters, -22);
    check(&nas_time_type, &time, "6211223101102a", "2026-11-22T13:10:01Z,zone:-05:30");
    assert_false(decode_hex(&nas_time_type, "6a112231011000", &time));
    assert_false(decode_hex(&nas_time_type, "a6112231011000", &time));
    assert_false(decode_hex(&nas_time_type, "621122310110f0", &time));
    assert_false(decode_hex(&nas_time_type, "621122310110", &time));
    uint8_t out[8];
    struct writer w = writer_of(out, sizeof(out));
    nas_time_type.encode(&nas_time_type, &w, &(struct nas_time){.year = 100});
    assert_true(w.bad);
    w = writer_of(out, sizeof(out));
    nas_time_type.encode(&nas_time_type, &w, &(struct nas_time){.zone_quarters = 80});
    assert_true(w.bad);
}

static void access_point_names(void **state)
{
    (void)state;
    struct nas_apn apn;

    assert_true(decode_hex(&nas_apn_type, "08696e7465726e6574 03636f6d", &apn));
    check(&nas_apn_type, &apn, "08696e7465726e657403636f6d", "internet.com");
    assert_false(decode_hex(&nas_apn_type, "09696e7465726e6574", &apn));
    assert_false(decode_hex(&nas_apn_type, "0008696e7465726e6574", &apn));
    assert_false(decode_hex(&nas_apn_type, "04 61 2f 2e 62", &apn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_say_seconds),
        cmocka_unit_test(seconds_find_a_timer),
        cmocka_unit_test(security_capabilities_are_replayed),
        cmocka_unit_test(addresses_both_ways),
        cmocka_unit_test(bearer_status_has_a_bit_per_bearer),
        cmocka_unit_test(names_are_packed),
        cmocka_unit_test(times_both_ways),
        cmocka_unit_test(access_point_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
