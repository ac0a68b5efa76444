/*
 * nas_rates_test.c -- bit rates: the corners of the tables of TS 24.301 clauses 9.9.4.2
 * and 9.9.4.3, and every rate that can be said.
 */
#include "unit.h"

#include "nas_sample.h"

static void apn_ambr_corners(void **state)
{
    (void)state;
    static const struct {
        struct nas_apn_ambr ambr;
        uint64_t downlink, uplink;
    } sets[] = {
        {{2, {1, 63}}, 1, 63},
        {{2, {64, 127}}, 64, 568},
        {{2, {128, 254}}, 576, 8640},
        {{2, {255, 255}}, 0, 0},
        {{4, {254, 254, 1, 74}}, 8700, 16000},
        {{4, {254, 254, 75, 186}}, 17000, 128000},
        {{4, {254, 254, 187, 250}}, 130000, 256000},
        {{4, {254, 254, 0, 75}}, 8640, 17000},
        {{6, {254, 254, 0xde, 0xde, 1, 2}}, 456000, 712000},
        {{6, {255, 255, 0, 0, 2, 254}}, 512000, 65024000},
    };

    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        assert_int_equal(nas_apn_ambr_downlink_kbps(&sets[i].ambr), sets[i].downlink);
        assert_int_equal(nas_apn_ambr_uplink_kbps(&sets[i].ambr), sets[i].uplink);
        struct nas_apn_ambr made = nas_apn_ambr(sets[i].downlink, sets[i].uplink);
        assert_int_equal(nas_apn_ambr_downlink_kbps(&made), sets[i].downlink);
        assert_int_equal(nas_apn_ambr_uplink_kbps(&made), sets[i].uplink);
    }
    struct nas_apn_ambr gigabit = nas_apn_ambr(1000000, 500000);
    assert_int_equal(gigabit.len, 6);
    assert_int_equal(nas_apn_ambr_downlink_kbps(&gigabit), 1000000);
    assert_int_equal(nas_apn_ambr_uplink_kbps(&gigabit), 500000);
}

static void no_ambr_is_said_too_low(void **state)
{
    (void)state;
    for (uint64_t kbps = 0; kbps < 70000000; kbps += 1 + kbps / 50) {
        struct nas_apn_ambr made = nas_apn_ambr(kbps, kbps / 2);
        uint64_t said = nas_apn_ambr_downlink_kbps(&made);
        if (kbps <= 65280000) {
            assert_true(said >= kbps);
            assert_true(said - kbps <= 2000);
        }
        assert_true(nas_apn_ambr_uplink_kbps(&made) >= kbps / 2);
        assert_true(made.len == 2 || made.len == 4 || made.len == 6);
    }
    struct nas_apn_ambr most = nas_apn_ambr(UINT64_MAX, UINT64_MAX);
    assert_int_equal(nas_apn_ambr_downlink_kbps(&most), 65280000);
}

static void qos_corners(void **state)
{
    (void)state;
    struct nas_eps_qos qos = {
        .qci = 1, .rate_octets = 12, .rates = {254, 254, 254, 64, 250, 250, 75, 0, 1, 246, 0, 0}};

    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_UPLINK), 260000);
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_DOWNLINK), 10000000);
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_GBR_UPLINK), 17000);
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_GBR_DOWNLINK), 64);
    qos.rate_octets = 8;
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_UPLINK), 256000);
    qos.rate_octets = 4;
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_UPLINK), 8640);
    qos.rate_octets = 0;
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_UPLINK), 0);
}

static void a_voice_bearer_is_built(void **state)
{
    (void)state;
    struct nas_eps_qos qos = nas_eps_qos_gbr(1, (const uint64_t[4]){128, 128, 41, 41});

    assert_int_equal(qos.rate_octets, 4);
    assert_memory_equal(qos.rates, "\x48\x48\x29\x29", 4);
    qos = nas_eps_qos_gbr(2, (const uint64_t[4]){384000, 20000, 64, 0});
    assert_int_equal(qos.rate_octets, 12);
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_UPLINK), 384000);
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_DOWNLINK), 20000);
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_GBR_UPLINK), 64);
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_GBR_DOWNLINK), 0);
    for (uint64_t kbps = 1; kbps <= 10000000; kbps += 1 + kbps / 40) {
        qos = nas_eps_qos_gbr(1, (const uint64_t[4]){kbps, 1, 1, 1});
        uint64_t said = nas_eps_qos_kbps(&qos, NAS_MBR_UPLINK);
        assert_true(said >= kbps && said - kbps < (kbps < 500000 ? 4000u : 100000u));
    }
    qos = nas_eps_qos_gbr(1, (const uint64_t[4]){UINT64_MAX, 1, 1, 1});
    assert_int_equal(nas_eps_qos_kbps(&qos, NAS_MBR_UPLINK), 10000000);
}

static void odd_lengths_keep_whole_sets(void **state)
{
    (void)state;
    uint8_t octets[14] = {9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

    for (size_t len = 1; len <= sizeof(octets); len++) {
        struct reader r = reader_of(octets, len), a = reader_of(octets, len);
        struct wire_context context = {0};
        struct nas_eps_qos qos = {0};
        struct nas_apn_ambr ambr = {0};
        nas_eps_qos_type.decode(&nas_eps_qos_type, &r, &qos, &context);
        assert_int_equal(qos.rate_octets, len >= 13 ? 12 : (len - 1) / 4 * 4);
        nas_apn_ambr_type.decode(&nas_apn_ambr_type, &a, &ambr, &context);
        assert_int_equal(ambr.len, len >= 6 ? 6 : len / 2 * 2);
        assert_false(r.bad || a.bad);
    }
    struct writer w = writer_of(octets, sizeof(octets));
    nas_eps_qos_type.encode(&nas_eps_qos_type, &w, &(struct nas_eps_qos){.rate_octets = 5});
    assert_true(w.bad);
    w = writer_of(octets, sizeof(octets));
    nas_apn_ambr_type.encode(&nas_apn_ambr_type, &w, &(struct nas_apn_ambr){.len = 8});
    assert_true(w.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apn_ambr_corners),
        cmocka_unit_test(no_ambr_is_said_too_low),
        cmocka_unit_test(qos_corners),
        cmocka_unit_test(a_voice_bearer_is_built),
        cmocka_unit_test(odd_lengths_keep_whole_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
