/*
 * kdf_test.c -- key derivation of TS 33.401 annex A. The annex has no test data; the expected
 * values are those other implementations agree on, and each derivation is also done here a second
 * time from the annex's own words.
 */
#include "unit.h"

#include "base/text.h"
#include "crypto/crypto.h"

static void hex(const char *digits, void *to, size_t size)
{
    assert_int_equal(hex_parse(digits, to, size), size);
}

static void check(const uint8_t *value, const char *expected_hex, size_t size)
{
    uint8_t expected[32];

    hex(expected_hex, expected, size);
    assert_memory_equal(value, expected, size);
}

/* The string S of the annex, written out in full, under a key. */
static void by_hand(const char *key_hex, const char *s_hex, uint8_t out[32])
{
    uint8_t key[32], s[64];
    hex(key_hex, key, 32);
    struct bytes piece = bytes_of(s, (size_t)hex_parse(s_hex, s, sizeof(s)));
    assert_int_equal(crypto_hmac_sha256(bytes_of(key, 32), &piece, 1, out), 0);
}

static void kasme(void **state)
{
    (void)state;
    uint8_t ck[16], ik[16], sn_id[3], sqn_xor_ak[6], out[32];

    hex("7bc15d69309cf3ec5d324404edd6f0f9", ck, 16);
    hex("c15d69309cf3ec5d324404edd6f0f97b", ik, 16);
    hex("00f110", sn_id, 3);            /* 001/01 */
    hex("5d69309ce135", sqn_xor_ak, 6); /* 0000000012d9 and 5d69309cf3ec */
    assert_int_equal(kdf_kasme(ck, ik, sn_id, sqn_xor_ak, out), 0);
    check(out, "d5ef4d8f33266902295d42f322a2f2cf11fb2ccc124c09b4d88d361597037990", 32);

    hex("b40ba9a3c58b2a05bbf0d987b21bf8cb", ck, 16);
    hex("f769bcd7510446041276 72711c6d3441", ik, 16);
    hex("024830", sn_id, 3);
    hex("57e67324 5c0d", sqn_xor_ak, 6); /* fd8eef40df7d and aa689c648370 */
    assert_int_equal(kdf_kasme(ck, ik, sn_id, sqn_xor_ak, out), 0);
    check(out, "238e457e0f758badbca8d34bb2612c10428d426757cb5553b2b184fa64bfc549", 32);
}

static void nas_and_enb_keys(void **state)
{
    (void)state;
    uint8_t key[32], out[32], again[32];

    hex("d5ef4d8f33266902295d42f322a2f2cf11fb2ccc124c09b4d88d361597037990", key, 32);
    assert_int_equal(kdf_algorithm_key(key, KDF_NAS_INT, 1, out), 0);
    check(out, "b79408e243dd367dc8c6392295b3b451", 16);
    assert_int_equal(kdf_algorithm_key(key, KDF_NAS_ENC, 2, out), 0);
    by_hand("d5ef4d8f33266902295d42f322a2f2cf11fb2ccc124c09b4d88d361597037990",
            "15 01 0001 02 0001", again);
    assert_memory_equal(out, again + 16, 16);

    hex("6144c681d1bea9dae1b8cf6cd10a686341db8046a1e7a9ab4d1ea0e33c994ac0", key, 32);
    assert_int_equal(kdf_k_enb(key, 0, out), 0);
    check(out, "c4c7bc798ab94e3d354cd6608e79aa92f5569df46519507850051e36f018ca5f", 32);
    assert_int_equal(kdf_k_enb(key, 0x00012345, out), 0);
    by_hand("6144c681d1bea9dae1b8cf6cd10a686341db8046a1e7a9ab4d1ea0e33c994ac0", "11 00012345 0004",
            again);
    assert_memory_equal(out, again, 32);
}

static void access_stratum_keys(void **state)
{
    (void)state;
    uint8_t k_enb[32], out[16];

    hex("c4c7bc798ab94e3d354cd6608e79aa92f5569df46519507850051e36f018ca5f", k_enb, 32);
    assert_int_equal(kdf_algorithm_key(k_enb, KDF_RRC_ENC, 0, out), 0);
    check(out, "86a275788b6f36a5b9b810f5d472a24b", 16);
    assert_int_equal(kdf_algorithm_key(k_enb, KDF_RRC_INT, 2, out), 0);
    check(out, "fa1d6d1940f1d879cf0189342a8d73c2", 16);
    assert_int_equal(kdf_algorithm_key(k_enb, KDF_UP_ENC, 0, out), 0);
    check(out, "9c3c92e1ddc0c8c5706cbb8f955e8263", 16);
    assert_int_equal(kdf_algorithm_key(k_enb, KDF_UP_INT, 2, out), 0);
    check(out, "7716c783a53fd3ee582fc569e9c33ca7", 16);
}

static void handover_keys(void **state)
{
    (void)state;
    const char *kasme_hex = "6144c681d1bea9dae1b8cf6cd10a686341db8046a1e7a9ab4d1ea0e33c994ac0";
    const char *k_enb_hex = "c4c7bc798ab94e3d354cd6608e79aa92f5569df46519507850051e36f018ca5f";
    uint8_t key[32], k_enb[32], out[32], again[32];

    hex(kasme_hex, key, 32);
    hex(k_enb_hex, k_enb, 32);
    assert_int_equal(kdf_nh(key, k_enb, out), 0);
    by_hand(kasme_hex, "12 c4c7bc798ab94e3d354cd6608e79aa92f5569df46519507850051e36f018ca5f 0020",
            again);
    assert_memory_equal(out, again, 32);
    assert_int_equal(kdf_k_enb_star(k_enb, 0x0123, 1575, out), 0);
    by_hand(k_enb_hex, "13 0123 0002 0627 0002", again);
    assert_memory_equal(out, again, 32);
    assert_int_equal(kdf_k_enb_star(k_enb, 0x0123, 66486, out), 0);
    by_hand(k_enb_hex, "13 0123 0002 0103b6 0003", again);
    assert_memory_equal(out, again, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kasme),
        cmocka_unit_test(nas_and_enb_keys),
        cmocka_unit_test(access_stratum_keys),
        cmocka_unit_test(handover_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
