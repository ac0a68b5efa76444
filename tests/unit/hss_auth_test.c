/*
 * hss_auth_test.c -- the HSS's vectors as a SIM sees them, and resynchronisation (TS 33.102
 * clause 6.3).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base.h"
#include "crypto/crypto.h"
#include "hss/auth.h"

#define IMSI "001010000000001"

static struct hss_store *store;
static struct hss_cache cache;
static struct milenage sim;
static const struct plmn plmn = {1, 1, 2};

static int set_up(void **state)
{
    char reason[200];
    struct text why = text_in(reason, sizeof(reason));
    struct hss_subscriber s = {
        .imsi = IMSI, .amf = 0x0000, .apn_count = 1, .apns = {{.name = "a"}}};
    uint32_t run;
    bool orderly;

    (void)state;
    memset(sim.k, 0x11, sizeof(sim.k));
    memset(sim.opc, 0x22, sizeof(sim.opc));
    memcpy(s.k, sim.k, 16);
    memcpy(s.opc, sim.opc, 16);
    if (loop_init() < 0 || store_open(":memory:", &store, &why) < 0 ||
        store_begin_run(store, &run, &orderly) < 0 || store_put(store, &s, false) < 0)
        return -1;
    cache_init(&cache, store, run, 10, 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cache_free(&cache);
    store_close(store);
    loop_free();
    return 0;
}

static struct hss_entry *entry(void)
{
    struct hss_entry *e = NULL;

    assert_int_equal(cache_get(&cache, IMSI, &e), 0);
    return e;
}

/* Opens a vector as the SIM does, and checks all of it. The SQN. */
static uint64_t open_vector(const struct hss_vector *vector)
{
    struct milenage_vector opened;
    uint64_t sqn;
    uint16_t amf;
    uint8_t kasme[32];
    static const uint8_t sn_id[3] = {0x00, 0xf1, 0x10};

    assert_int_equal(milenage_autn_open(&sim, vector->rand, vector->autn, &opened, &sqn, &amf), 0);
    assert_int_equal(amf, 0x8000); /* the separation bit is set whatever the record says */
    assert_memory_equal(opened.res, vector->xres, 8);
    assert_int_equal(kdf_kasme(opened.ck, opened.ik, sn_id, vector->autn, kasme), 0);
    assert_memory_equal(kasme, vector->kasme, 32);
    return sqn;
}

static void vectors(void **state)
{
    (void)state;
    struct hss_vector v[3];
    uint64_t sqn[3];

    assert_int_equal(auth_vectors(&cache, entry(), &plmn, 7, v, 3), 0);
    for (int i = 0; i < 3; i++) {
        sqn[i] = open_vector(&v[i]);
        assert_int_equal(sqn[i] % SQN_INDS, 7);
        assert_int_equal(sqn[i] >> SQN_IND_BITS, i + 1);
    }
    assert_memory_not_equal(v[0].rand, v[1].rand, 16);
    /* Another MME has another IND, and the SEQ goes on. */
    assert_int_equal(auth_vectors(&cache, entry(), &plmn, 33, v, 1), 0);
    assert_int_equal(open_vector(&v[0]), (4 << SQN_IND_BITS) | 1);
}

static void wrong_plmn(void **state)
{
    (void)state;
    struct hss_vector v;
    const struct plmn wrong = {1000, 1, 2};

    assert_int_equal(auth_vectors(&cache, entry(), &wrong, 0, &v, 1), -EINVAL);
}

static struct s6a_resynchronization_info auts_for(uint64_t sqn_ms)
{
    struct s6a_resynchronization_info info;

    memset(info.rand, 0x33, sizeof(info.rand));
    assert_int_equal(milenage_auts_make(&sim, info.rand, sqn_ms, info.auts), 0);
    return info;
}

static uint64_t next_seq(void)
{
    struct hss_vector v;

    assert_int_equal(auth_vectors(&cache, entry(), &plmn, 0, &v, 1), 0);
    return open_vector(&v) >> SQN_IND_BITS;
}

static void resynchronisation(void **state)
{
    (void)state;
    struct s6a_resynchronization_info info = auts_for(UINT64_C(100000) << SQN_IND_BITS | 9);

    /* The SIM is ahead: go on behind it. */
    assert_int_equal(next_seq(), 1);
    assert_int_equal(auth_resynchronise(&cache, entry(), &info), 0);
    assert_int_equal(next_seq(), 100001);

    /* The SIM is behind, and would accept our next: nothing changes (the AUTS of an attacker who
     * kept it does not set us back). */
    info = auts_for(UINT64_C(50) << SQN_IND_BITS);
    assert_int_equal(auth_resynchronise(&cache, entry(), &info), 0);
    assert_int_equal(next_seq(), 100002);

    /* Equal: our next is above it. */
    info = auts_for(UINT64_C(100002) << SQN_IND_BITS | 31);
    assert_int_equal(auth_resynchronise(&cache, entry(), &info), 0);
    assert_int_equal(next_seq(), 100003);

    /* So far behind that it would refuse all of ours: back to it. */
    assert_int_equal(cache_set_seq(&cache, entry(), UINT64_C(1) << 40), 0);
    info = auts_for(UINT64_C(77) << SQN_IND_BITS);
    assert_int_equal(auth_resynchronise(&cache, entry(), &info), 0);
    assert_int_equal(next_seq(), 78);
}

static void wrong_mac_s(void **state)
{
    (void)state;
    struct s6a_resynchronization_info info = auts_for(UINT64_C(100000) << SQN_IND_BITS);

    for (size_t i = 0; i < sizeof(info.auts); i++) {
        info.auts[i] ^= 1;
        assert_int_equal(auth_resynchronise(&cache, entry(), &info), -EACCES);
        info.auts[i] ^= 1;
    }
    info.rand[0] ^= 1; /* of another RAND */
    assert_int_equal(auth_resynchronise(&cache, entry(), &info), -EACCES);
    assert_int_equal(next_seq(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vectors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_plmn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resynchronisation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_mac_s, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
