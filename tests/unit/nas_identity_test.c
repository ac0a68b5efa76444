/*
 * nas_identity_test.c -- identities, areas and lists of them: hand-made octets both ways, and every
 * count.
 */
#include "unit.h"

#include "nas_sample.h"

static bool decode(const struct wire_type *type, struct bytes octets, void *value)
{
    struct reader r = reader_of_bytes(octets);
    struct wire_context context = {0};

    memset(value, 0, type->size);
    type->decode(type, &r, value, &context);
    return !r.bad;
}

static bool decode_hex(const struct wire_type *type, const char *digits, void *value)
{
    static uint8_t octets[256];
    int n = hex_parse(digits, octets, sizeof(octets));

    assert_true(n >= 0);
    return decode(type, bytes_of(octets, (size_t)n), value);
}

static bool encodes_to(const struct wire_type *type, const void *value, const char *digits)
{
    uint8_t out[256], expected[256];
    struct writer w = writer_of(out, sizeof(out));
    int n = hex_parse(digits, expected, sizeof(expected));

    type->encode(type, &w, value);
    return !w.bad && wr_len(&w) == (size_t)n && memcmp(out, expected, (size_t)n) == 0;
}

static bool can_be_coded(const struct wire_type *type, const void *value)
{
    uint8_t out[256];
    struct writer w = writer_of(out, sizeof(out));

    type->encode(type, &w, value);
    return !w.bad;
}

static void check_printed(const struct wire_type *type, const void *value, const char *expected)
{
    char printed[512];
    struct text t = text_in(printed, sizeof(printed));

    type->print(type, &t, value);
    assert_string_equal(printed, expected);
}

static void identities_both_ways(void **state)
{
    (void)state;
    static const struct {
        const struct wire_type *type;
        const char *hex;
        enum nas_identity_kind kind;
        const char *printed;
    } sets[] = {
        {&nas_eps_identity, "0910101032547698", NAS_IDENTITY_IMSI, "imsi:001010123456789"},
        {&nas_eps_identity, "01101010325476f8", NAS_IDENTITY_IMSI, "imsi:00101012345678"},
        {&nas_eps_identity, "011010f0", NAS_IDENTITY_IMSI, "imsi:001010"},
        {&nas_eps_identity, "3b45129673840327", NAS_IDENTITY_IMEI, "imei:354216937483072"},
        {&nas_eps_identity, "f613005480010142000005", NAS_IDENTITY_GUTI,
         "guti:310450-8001-01-42000005"},
        {&nas_mobile_identity, "0910101032547698", NAS_IDENTITY_IMSI, "imsi:001010123456789"},
        {&nas_mobile_identity, "3a45129673840327", NAS_IDENTITY_IMEI, "imei:354216937483072"},
        {&nas_mobile_identity, "3345129673840327f1", NAS_IDENTITY_IMEISV,
         "imeisv:3542169374830721"},
        {&nas_mobile_identity, "f4c0ffee01", NAS_IDENTITY_TMSI, "tmsi:c0ffee01"},
        {&nas_mobile_identity, "2501020300f11000", NAS_IDENTITY_TMGI, "tmgi:2501020300f11000"},
        {&nas_mobile_identity, "000000", NAS_IDENTITY_NONE, "none:000000"},
    };

    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct nas_identity identity;
        assert_true(decode_hex(sets[i].type, sets[i].hex, &identity));
        assert_int_equal(identity.kind, sets[i].kind);
        check_printed(sets[i].type, &identity, sets[i].printed);
        assert_true(encodes_to(sets[i].type, &identity, sets[i].hex));
    }
}

static void every_number_of_digits_is_right_or_refused(void **state)
{
    (void)state;
    for (unsigned n = 0; n <= 20; n++) {
        struct nas_identity identity = {.kind = NAS_IDENTITY_IMSI}, again;
        uint8_t out[16];
        struct writer w = writer_of(out, sizeof(out));
        char digits[24] = {0};

        for (unsigned i = 0; i < n; i++)
            digits[i] = (char)('0' + (i + 1) % 10);
        memcpy(identity.imsi, digits, n < IMSI_SIZE ? n : IMSI_SIZE - 1);
        if (n >= IMSI_SIZE)
            continue;
        nas_eps_identity.encode(&nas_eps_identity, &w, &identity);
        assert_int_equal(w.bad, n < 6);
        if (!w.bad) {
            assert_true(decode(&nas_eps_identity, wr_view(&w), &again));
            assert_string_equal(again.imsi, digits);
            out[0] ^= 8; /* the wrong parity */
            assert_false(decode(&nas_eps_identity, wr_view(&w), &again));
        }
    }
}

static void broken_identities_are_refused(void **state)
{
    (void)state;
    static const char *const eps[] = {
        "",
        "f6",
        "f613005480010142",
        "f6ff005480010142000005",
        "00",
        "02101010325476",
        "04c0ffee01",
        "f510",
        "07",
        "0910101032547a98",
        "a910101032547698",
        "0910101032547698 12",
        "03101010325476f8",
    };
    static const char *const mobile[] = {
        "", "f4", "f4c0ff", "06", "07", "3345129673840327", "3b45129673840327f1"};
    struct nas_identity identity;

    for (unsigned i = 0; i < sizeof(eps) / sizeof(eps[0]); i++)
        assert_false(decode_hex(&nas_eps_identity, eps[i], &identity));
    for (unsigned i = 0; i < sizeof(mobile) / sizeof(mobile[0]); i++)
        assert_false(decode_hex(&nas_mobile_identity, mobile[i], &identity));
    identity = (struct nas_identity){.kind = NAS_IDENTITY_TMSI};
    assert_false(can_be_coded(&nas_eps_identity, &identity));
    identity = (struct nas_identity){.kind = NAS_IDENTITY_GUTI};
    assert_false(can_be_coded(&nas_mobile_identity, &identity));
    identity = (struct nas_identity){.kind = NAS_IDENTITY_IMSI, .imsi = "00101x123456789"};
    assert_false(can_be_coded(&nas_eps_identity, &identity));
    identity = (struct nas_identity){.kind = NAS_IDENTITY_IMEI, .imei = "35421693748307"};
    assert_false(can_be_coded(&nas_eps_identity, &identity));
}

static void no_identity_has_three_octets(void **state)
{
    (void)state;
    struct nas_identity identity = {.kind = NAS_IDENTITY_NONE};

    assert_true(encodes_to(&nas_mobile_identity, &identity, "000000"));
}

/* ---- Lists --------------------------------------------------------------- */

static void lists_of_tracking_areas_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        unsigned count;
        const char *printed;
    } sets[] = {
        {"0000f1100007", 1, "00101-0007"},
        {"0200f110000700080100", 3, "00101-0007,00101-0008,00101-0100"},
        {"2200f110ffff", 3, "00101-ffff,00101-0000,00101-0001"},
        {"4100f110000700f1200007", 2, "00101-0007,00102-0007"},
        /* several partial lists, also of the same kind where one would do */
        {"0000f11000070000f1100008", 2, "00101-0007,00101-0008"},
        {"2100f11000072000f11000094000f1200001", 4, "00101-0007,00101-0008,00101-0009,00102-0001"},
    };

    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct nas_tai_list list;
        assert_true(decode_hex(&nas_tai_list_type, sets[i].hex, &list));
        assert_int_equal(list.count, sets[i].count);
        check_printed(&nas_tai_list_type, &list, sets[i].printed);
        assert_true(encodes_to(&nas_tai_list_type, &list, sets[i].hex));
    }
}

static void partial_lists_begin_where_they_must(void **state)
{
    (void)state;
    const struct plmn one = {1, 1, 2}, other = {1, 2, 2};
    struct nas_tai_list list = {
        .count = 3, .at = {{.tai = {one, 1}}, {.tai = {other, 2}}, {.tai = {other, 3}}}};

    assert_true(encodes_to(&nas_tai_list_type, &list, "0000f1100001 0100f12000020003"));
    for (unsigned i = 0; i < 3; i++)
        list.at[i].list = NAS_TAIS_CONSECUTIVE;
    assert_true(encodes_to(&nas_tai_list_type, &list, "2000f1100001 2100f1200002"));
    list.at[2].tai.tac = 4;
    assert_true(encodes_to(&nas_tai_list_type, &list, "2000f1100001 2000f1200002 2000f1200004"));
    for (unsigned i = 0; i < 3; i++)
        list.at[i].list = NAS_TAIS_OF_SEVERAL_PLMNS;
    assert_true(encodes_to(&nas_tai_list_type, &list, "4200f110000100f120000200f1200004"));
}

static void sixteen_areas_are_the_most(void **state)
{
    (void)state;
    struct nas_tai_list list;
    uint8_t octets[120] = {15, 0x00, 0xf1, 0x10};

    for (unsigned i = 0; i < 16; i++)
        octets[5 + 2 * i] = (uint8_t)i;
    assert_true(decode(&nas_tai_list_type, bytes_of(octets, 36), &list));
    assert_int_equal(list.count, 16);
    octets[0] = 31; /* "other values are interpreted as 16" */
    assert_true(decode(&nas_tai_list_type, bytes_of(octets, 36), &list));
    assert_int_equal(list.count, 16);
    memcpy(octets + 36, "\x00\x00\xf1\x10\x00\x63", 6); /* a seventeenth is not kept */
    assert_true(decode(&nas_tai_list_type, bytes_of(octets, 42), &list));
    assert_int_equal(list.count, 16);
    assert_int_equal(list.at[15].tai.tac, 15);
    assert_true(can_be_coded(&nas_tai_list_type, &list));
    list.count = 17;
    assert_false(can_be_coded(&nas_tai_list_type, &list));
    list.count = 0;
    assert_false(can_be_coded(&nas_tai_list_type, &list));
    list.count = 1;
    list.at[0].list = 3;
    assert_false(can_be_coded(&nas_tai_list_type, &list));
    assert_false(decode_hex(&nas_tai_list_type, "6000f1100007",
                            &list)); /* a kind of list that is not defined */
    assert_false(
        decode_hex(&nas_tai_list_type, "0100f1100007", &list)); /* one area less than it says */
    assert_false(decode_hex(&nas_tai_list_type, "", &list));
}

static void other_areas(void **state)
{
    (void)state;
    struct nas_plmn_list list;
    struct nas_lai lai;

    assert_true(decode_hex(&nas_plmn_list_type, "00f110 00f120 130054", &list));
    assert_int_equal(list.count, 3);
    check_printed(&nas_plmn_list_type, &list, "00101,00102,310450");
    assert_true(encodes_to(&nas_plmn_list_type, &list, "00f11000f120130054"));
    list.count = 16;
    assert_false(can_be_coded(&nas_plmn_list_type, &list));
    assert_false(decode_hex(&nas_plmn_list_type, "00f11f", &list));
    assert_true(decode_hex(&nas_lai_type, "130054fffe", &lai));
    check_printed(&nas_lai_type, &lai, "310450-fffe");
    assert_false(decode_hex(&nas_lai_type, "130054ff", &lai));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_both_ways),
        cmocka_unit_test(every_number_of_digits_is_right_or_refused),
        cmocka_unit_test(broken_identities_are_refused),
        cmocka_unit_test(no_identity_has_three_octets),
        cmocka_unit_test(lists_of_tracking_areas_both_ways),
        cmocka_unit_test(partial_lists_begin_where_they_must),
        cmocka_unit_test(sixteen_areas_are_the_most),
        cmocka_unit_test(other_areas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
