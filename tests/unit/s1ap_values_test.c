/*
 * s1ap_values_test.c -- values with a C form of their own: PLMN, IMSI, addresses, bit strings.
 */
#include "unit.h"

#include "wire/s1ap/types.h"

static uint8_t buffer[20000];
static char line[200];
static struct arena arena;

static int init_arena(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* Encodes, compares with `hex`, decodes into `again`. */
static void assert_value(const struct aper_type *type, const void *value, void *again,
                         const char *hex)
{
    char digits[100];
    struct text t = text_in(digits, sizeof(digits));
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);

    aper_encode(&out, type, value);
    assert_false(w.bad);
    text_hex(&t, wr_view(&w));
    if (hex)
        assert_string_equal(digits, hex);
    struct aper_decoder d = {.in = aper_reader_of(wr_view(&w), &arena)};
    aper_decode(&d, type, again);
    assert_false(d.in.r.bad || d.not_understood);
    t = text_in(line, sizeof(line));
    aper_print(&t, type, again);
}

static bool refused(const struct aper_type *type, const void *value)
{
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);

    aper_encode(&out, type, value);
    return out.refused;
}

static struct aper_decoder decode(const struct aper_type *type, const char *hex, void *value)
{
    int len = hex_parse(hex, buffer, sizeof(buffer));
    struct aper_decoder d = {.in = aper_reader_of(bytes_of(buffer, (size_t)len), &arena)};

    assert_true(len >= 0);
    aper_decode(&d, type, value);
    return d;
}

static void plmns(void **state)
{
    struct plmn got;

    (void)state;
    assert_value(&s1ap_type_plmn, &(struct plmn){1, 1, 2}, &got, "00f110");
    assert_string_equal(line, "00101");
    assert_value(&s1ap_type_plmn, &(struct plmn){310, 410, 3}, &got, "130014");
    assert_true(got.mcc == 310 && got.mnc == 410 && got.mnc_digits == 3);
    assert_true(refused(&s1ap_type_plmn, &(struct plmn){1000, 1, 2}));
    assert_true(refused(&s1ap_type_plmn, &(struct plmn){1, 100, 2}));
    assert_true(refused(&s1ap_type_plmn, &(struct plmn){1, 1, 4}));
    assert_true(decode(&s1ap_type_plmn, "d0f110", &got).not_understood);
    assert_true(decode(&s1ap_type_plmn, "00f1", &got).in.r.bad);
}

static void paging_identities(void **state)
{
    struct s1ap_ue_paging_id id = {.kind = S1AP_PAGE_BY_IMSI, .imsi = "001010123456789"};
    struct s1ap_ue_paging_id got = {0};

    (void)state;
    /* 0 1, length 8 of 3..8 in three bits: 101; then two digits an octet, a filler at the end */
    assert_value(&s1ap_type_ue_paging_id, &id, &got, "6800010121436587f9");
    assert_string_equal(got.imsi, "001010123456789");
    assert_string_equal(line, "imsi:001010123456789");
    strcpy(id.imsi, "00101");
    assert_true(refused(&s1ap_type_ue_paging_id, &id));
    strcpy(id.imsi, "00101x12345");
    assert_true(refused(&s1ap_type_ue_paging_id, &id));
    assert_true(decode(&s1ap_type_ue_paging_id, "400001a1", &got).not_understood);
}

static void addresses(void **state)
{
    static const uint8_t octets[20] = {10, 9, 0, 1, 0x20, 1, 0xd, 0xb8, [19] = 1};
    struct bytes v4 = {octets, 4}, v6 = {octets + 4, 16}, both = {octets, 20}, got;

    (void)state;
    assert_value(&s1ap_type_transport_layer_address, &v4, &got, "0f800a090001");
    assert_string_equal(line, "10.9.0.1");
    assert_value(&s1ap_type_transport_layer_address, &v6, &got, NULL);
    assert_string_equal(line, "2001:db8::1");
    assert_value(&s1ap_type_transport_layer_address, &both, &got, NULL);
    assert_string_equal(line, "10.9.0.1+2001:db8::1");
    assert_true(bytes_equal(got, both));
    got.len = 3;
    assert_true(refused(&s1ap_type_transport_layer_address, &got));
    assert_true(decode(&s1ap_type_transport_layer_address, "0f000a0900", &got).not_understood);
    assert_true(decode(&s1ap_type_transport_layer_address, "0f800a0900", &got).in.r.bad);
}

static void enb_ids_of_four_lengths(void **state)
{
    static const struct {
        enum s1ap_enb_id_kind kind;
        uint32_t id;
        const char *hex;
    } cases[] = {
        {S1AP_ENB_ID_MACRO, 0xfffff, "0000f11000fffff0"},
        {S1AP_ENB_ID_HOME, 0xfffffff, "0000f11040fffffff0"},
        {S1AP_ENB_ID_SHORT_MACRO, 0x3ffff, "0000f1108003ffffc0"}, /* 1 0 000000, open type */
        {S1AP_ENB_ID_LONG_MACRO, 0x1fffff, "0000f1108103fffff8"},
    };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct s1ap_global_enb_id id = {{1, 1, 2}, {cases[i].kind, cases[i].id}}, got = {0};
        assert_value(&s1ap_type_global_enb_id, &id, &got, cases[i].hex);
        assert_int_equal(got.enb_id.kind, cases[i].kind);
        assert_int_equal(got.enb_id.id, cases[i].id);
        id.enb_id.id++;
        assert_true(refused(&s1ap_type_global_enb_id, &id));
    }
}

static void gnb_ids(void **state)
{
    static const struct aper_type type = {.ops = &s1ap_gnb_id_ops,
                                          .name = "En-gNB-ID",
                                          .size = sizeof(struct s1ap_gnb_id),
                                          .extensible = true,
                                          .lower = 22,
                                          .upper = 32};
    struct s1ap_gnb_id got = {0};

    (void)state;
    assert_value(&type, &(struct s1ap_gnb_id){0x3fffff, 22}, &got, "00fffffc");
    assert_string_equal(line, "0x3fffff/22");
    assert_value(&type, &(struct s1ap_gnb_id){0xffffffff, 32}, &got, "50ffffffff");
    assert_true(refused(&type, &(struct s1ap_gnb_id){0x400000, 22}));
    assert_true(refused(&type, &(struct s1ap_gnb_id){1, 21}));
    assert_true(decode(&type, "8021ffffffffff", &got).not_understood); /* 33 bits */
}

static void security_capabilities_may_grow(void **state)
{
    struct s1ap_ue_security_capabilities got = {0};

    (void)state;
    assert_value(&s1ap_type_ue_security_capabilities,
                 &(struct s1ap_ue_security_capabilities){0xe000, 0xc000}, &got, NULL);
    /* The first one with 24 bits behind its extension marker: the 16 known ones are taken. */
    struct aper_decoder d =
        decode(&s1ap_type_ue_security_capabilities, "2018 e0000f 60 0000", &got);
    assert_false(d.in.r.bad || d.not_understood);
    assert_int_equal(got.encryption_algorithms, 0xe000);
    assert_int_equal(got.integrity_protection_algorithms, 0xc000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plmns),     cmocka_unit_test(paging_identities),
        cmocka_unit_test(addresses), cmocka_unit_test(enb_ids_of_four_lengths),
        cmocka_unit_test(gnb_ids),   cmocka_unit_test(security_capabilities_may_grow),
    };

    return cmocka_run_group_tests(tests, init_arena, free_arena);
}
