/*
 * usim_test.c -- the card in the emulated phone: accepts once, refuses replays, tells MAC from sync
 * failure.
 */
#include "unit.h"

#include "lab/inner.h"

static const struct milenage secrets = {.k = {0x46, 0x5b, 0x5c, 0xe8, 0xb1, 0x99, 0xb4, 0x9f, 0xaa,
                                              0x5f, 0x0a, 0x2e, 0xe2, 0x38, 0xa6, 0xbc},
                                        .opc = {0xcd, 0x63, 0xcb, 0x71, 0x95, 0x4a, 0x9f, 0x4e,
                                                0x48, 0xa5, 0x99, 0x4e, 0x37, 0xa0, 0x2b, 0xaf}};

static struct milenage_vector vector_for(uint64_t sqn, uint16_t amf)
{
    static const uint8_t rand[16] = {1, 2, 3};
    struct milenage_vector vector;

    assert_int_equal(milenage_make(&secrets, rand, sqn, amf, &vector), 0);
    return vector;
}

static enum usim_result try(struct usim *usim, const struct milenage_vector *v, uint8_t auts[14])
{
    struct milenage_vector found;

    enum usim_result result = usim_authenticate(usim, v->rand, v->autn, &found, auts);
    if (result == USIM_ACCEPTED) {
        assert_memory_equal(found.res, v->res, 8);
        assert_memory_equal(found.ck, v->ck, 16);
        assert_memory_equal(found.ik, v->ik, 16);
    }
    return result;
}

static void a_vector_is_accepted_once(void **state)
{
    (void)state;
    struct usim usim = {.secrets = secrets};
    struct milenage_vector v = vector_for(32, 0x8000);
    uint8_t auts[14];
    uint64_t sqn;

    assert_int_equal(try(&usim, &v, auts), USIM_ACCEPTED);
    assert_int_equal(try(&usim, &v, auts), USIM_SYNC_FAILURE);
    /* AUTS tells the HSS where the card is. */
    assert_int_equal(milenage_auts_open(&secrets, v.rand, auts, &sqn), 0);
    assert_int_equal(sqn, 32);
    v = vector_for(64, 0x8000);
    assert_int_equal(try(&usim, &v, auts), USIM_ACCEPTED);
}

static void a_jump_too_far_is_refused(void **state)
{
    (void)state;
    struct usim usim = {.secrets = secrets};
    struct milenage_vector v = vector_for(UINT64_C(1) << 40, 0x8000);
    uint8_t auts[14];

    assert_int_equal(try(&usim, &v, auts), USIM_SYNC_FAILURE);
}

static void a_wrong_key_is_a_mac_failure(void **state)
{
    (void)state;
    struct usim usim = {.secrets = secrets};
    struct milenage_vector v = vector_for(32, 0x8000);
    uint8_t auts[14];

    usim.secrets.k[0] ^= 1;
    assert_int_equal(try(&usim, &v, auts), USIM_MAC_FAILURE);
    usim.secrets.k[0] ^= 1;
    v.autn[15] ^= 1;
    assert_int_equal(try(&usim, &v, auts), USIM_MAC_FAILURE);
    assert_int_equal(usim.sqn, 0);
}

static void a_vector_for_other_access_is_refused(void **state)
{
    (void)state;
    struct usim usim = {.secrets = secrets};
    struct milenage_vector v = vector_for(32, 0);
    uint8_t auts[14];

    assert_int_equal(try(&usim, &v, auts), USIM_NOT_EPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_is_accepted_once),
        cmocka_unit_test(a_jump_too_far_is_refused),
        cmocka_unit_test(a_wrong_key_is_a_mac_failure),
        cmocka_unit_test(a_vector_for_other_access_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
