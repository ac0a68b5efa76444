/*
 * tools_test.c -- HMAC-SHA-256 against RFC 4231, and the tools for secrets.
 */
#include "unit.h"

#include <errno.h>

#include "base/text.h"
#include "crypto/crypto.h"

static void check_hmac(const char *key_hex, const char *data_hex, const char *expected_hex)
{
    uint8_t key[160], data[160], expected[32], mac[32];
    int key_len = hex_parse(key_hex, key, sizeof(key));
    int data_len = hex_parse(data_hex, data, sizeof(data));
    struct bytes k = bytes_of(key, (size_t)key_len);

    assert_int_equal(hex_parse(expected_hex, expected, 32), 32);
    for (size_t cut = 0; cut <= (size_t)data_len; cut++) { /* in one piece and in any two */
        struct bytes pieces[] = {bytes_of(data, cut), bytes_of(data + cut, (size_t)data_len - cut)};
        assert_int_equal(crypto_hmac_sha256(k, pieces, 2, mac), 0);
        assert_memory_equal(mac, expected, 32);
    }
}

static void hmac_sets(void **state)
{
    (void)state;
    check_hmac("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac("4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char long_key[131 * 2 + 1]; /* longer than a block: it is hashed first */
    for (unsigned i = 0; i < 131 * 2; i++)
        long_key[i] = 'a';
    long_key[131 * 2] = '\0';
    check_hmac(long_key,
               "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20486"
               "17368204b6579"
               "204669727374",
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_refuses_too_many_pieces(void **state)
{
    (void)state;
    struct bytes pieces[9] = {{NULL, 0}};
    uint8_t mac[32];

    assert_int_equal(crypto_hmac_sha256(pieces[0], pieces, 9, mac), -E2BIG);
    assert_int_equal(crypto_hmac_sha256(pieces[0], pieces, 8, mac), 0);
}

static void secrets(void **state)
{
    (void)state;
    uint8_t a[40], b[40];

    assert_int_equal(crypto_random(a, sizeof(a)), 0);
    memcpy(b, a, sizeof(a));
    assert_true(crypto_equal(a, b, sizeof(a)));
    b[39] ^= 1;
    assert_false(crypto_equal(a, b, sizeof(a)));
    assert_true(crypto_equal(a, b, 39));
    assert_int_equal(crypto_random(b, sizeof(b)), 0);
    assert_false(crypto_equal(a, b, sizeof(a)));
    crypto_wipe(a, sizeof(a));
    for (unsigned i = 0; i < sizeof(a); i++)
        assert_int_equal(a[i], 0);
    assert_int_equal(crypto_random(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_sets),
        cmocka_unit_test(hmac_refuses_too_many_pieces),
        cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
