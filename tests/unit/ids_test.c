/*
 * ids_test.c -- PLMN, TBCD and APN octets as TS 23.003 and TS 24.008 have them.
 */
#include "unit.h"

#include <errno.h>

#include "wire/ids.h"

static void plmn_octets(void **state)
{
    (void)state;
    static const struct {
        const char *digits;
        const char *octets;
    } cases[] = {{"00101", "\x00\xf1\x10"},
                 {"001001", "\x00\x11\x00"},
                 {"310-410", "\x13\x00\x14"},
                 {"26201", "\x62\xf2\x10"},
                 {"999-99", "\x99\xf9\x99"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t room[3];
        struct writer w = writer_of(room, 3);
        struct plmn plmn, back;
        assert_int_equal(plmn_parse(cases[i].digits, &plmn), 0);
        wr_plmn(&w, &plmn);
        assert_memory_equal(room, cases[i].octets, 3);
        struct reader r = reader_of(room, 3);
        back = rd_plmn(&r);
        assert_true(plmn_equal(&plmn, &back) && !r.bad);
    }
    struct reader bad = reader_of("\x0a\xf1\x10", 3);
    rd_plmn(&bad);
    assert_true(bad.bad);
    struct plmn none;
    assert_int_equal(plmn_parse("0010", &none), -EINVAL);
    assert_int_equal(plmn_parse("0010101", &none), -EINVAL);
    assert_int_equal(plmn_parse("00a01", &none), -EINVAL);
}

static void tbcd_digits(void **state)
{
    (void)state;
    uint8_t room[8];
    char digits[IMSI_SIZE];
    struct writer w = writer_of(room, sizeof(room));

    wr_tbcd(&w, "001010123456789");
    assert_memory_equal(room, "\x00\x01\x01\x21\x43\x65\x87\xf9", 8);
    struct reader r = reader_of(room, 8);
    rd_tbcd(&r, digits, sizeof(digits));
    assert_false(r.bad);
    assert_string_equal(digits, "001010123456789");

    static const struct {
        const char *octets;
        size_t len;
    } refused[] = {
        {"\x1a", 1}, {"\xa1", 1}, {"\xf1\x22", 2}, {"\x11\x11\x11\x11\x11\x11\x11\x11", 8}};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        r = reader_of(refused[i].octets, refused[i].len);
        rd_tbcd(&r, digits, sizeof(digits));
        assert_true(r.bad);
    }
    wr_tbcd(&w, "1x");
    assert_true(w.bad);
}

static void apn_labels(void **state)
{
    (void)state;
    uint8_t room[32];
    char apn[APN_SIZE];
    struct writer w = writer_of(room, sizeof(room));

    wr_apn(&w, "internet.mnc001");
    assert_memory_equal(room, "\x08internet\x06mnc001", 16);
    struct reader r = reader_of(room, 16);
    rd_apn(&r, apn, sizeof(apn));
    assert_string_equal(apn, "internet.mnc001");
    static const char *const refused[] = {"\x09internet", "\x01 ", "\x40x"};
    for (size_t i = 0; i < 3; i++) {
        r = reader_of(refused[i], strlen(refused[i]));
        rd_apn(&r, apn, sizeof(apn));
        assert_true(r.bad);
        assert_string_equal(apn, "");
    }
    r = reader_of("\x00", 1);
    rd_apn(&r, apn, sizeof(apn));
    assert_true(r.bad);
    r = reader_of(room, 16);
    char tiny[10];
    rd_apn(&r, tiny, sizeof(tiny));
    assert_true(r.bad);
    wr_apn(&w, "a..b");
    assert_true(w.bad);
}

static void imsis(void **state)
{
    (void)state;
    assert_true(imsi_is_valid("001010000000001"));
    assert_false(imsi_is_valid(""));
    assert_false(imsi_is_valid("0010100000000012"));
    assert_false(imsi_is_valid("00101000000000x"));
    assert_true(imsi_key("0101000001") != imsi_key("101000001"));
    assert_int_equal(imsi_plmn("001010000000001", 2).mnc, 1);
    assert_int_equal(imsi_plmn("310410000000001", 3).mnc, 410);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plmn_octets),
        cmocka_unit_test(tbcd_digits),
        cmocka_unit_test(apn_labels),
        cmocka_unit_test(imsis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
