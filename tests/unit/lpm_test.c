/*
 * lpm_test.c -- longest-prefix match against a model that is a plain list of prefixes: random ones
 * come, go and are looked up, for keys of many lengths, with memory that runs out, and with a
 * reader in a thread of its own.
 *
 * The source is compiled into the test, so that its malloc() can be one that fails when told to.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "unit.h"

static int allocations_left = -1; /* -1: as many as there are */

static void *scarce_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return malloc(size);
}

static void *scarce_calloc(size_t count, size_t size)
{
    return allocations_left == 0 ? NULL : calloc(count, size);
}

#define malloc scarce_malloc
#define calloc scarce_calloc
#include "switch/lpm.c"
#undef malloc
#undef calloc

static uint64_t rng = 88172645463325252ull;

static uint64_t random_next(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)((random_next() >> 11) % n);
}

/* ---- the model ---- */

#define MODEL_MAX 3000

struct entry {
    uint8_t key[16];
    unsigned len;
    void *value; /* NULL: free */
};

static struct entry model[MODEL_MAX];
static size_t model_count;
static uintptr_t last_value;

static bool begins_with(const uint8_t *key, const uint8_t *prefix, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        if ((key[i / 8] ^ prefix[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

static struct entry *model_find(const uint8_t *key, unsigned len)
{
    for (size_t i = 0; i < MODEL_MAX; i++)
        if (model[i].value && model[i].len == len && begins_with(key, model[i].key, len))
            return &model[i];
    return NULL;
}

static unsigned model_matches(const uint8_t *key, void **values)
{
    void *by_len[LPM_MAX_MATCHES] = {0};
    unsigned found = 0;

    for (size_t i = 0; i < MODEL_MAX; i++)
        if (model[i].value && begins_with(key, model[i].key, model[i].len))
            by_len[model[i].len] = model[i].value;
    for (unsigned len = LPM_MAX_MATCHES; len-- > 0;)
        if (by_len[len])
            values[found++] = by_len[len];
    return found;
}

static void model_set(const uint8_t *key, unsigned len, void *value)
{
    struct entry *e = model_find(key, len);

    for (size_t i = 0; !e && i < MODEL_MAX; i++)
        if (!model[i].value) {
            e = &model[i];
            model_count++;
        }
    assert_non_null(e);
    memcpy(e->key, key, 16);
    e->len = len;
    e->value = value;
}

static void model_clear(void)
{
    memset(model, 0, sizeof(model));
    model_count = 0;
}

/* Keys that share long beginnings, part early and late, and are sometimes at random. */
static void random_key(uint8_t key[16])
{
    static const uint8_t common[16] = {10, 45, 0, 0, 0, 0, 0, 0, 0xff};

    memcpy(key, common, 16);
    for (unsigned changes = random_below(4); changes > 0; changes--)
        key[random_below(16)] ^= (uint8_t)(1u << random_below(8));
    if (random_below(8) == 0)
        for (unsigned i = random_below(16); i < 16; i++)
            key[i] = (uint8_t)random_next();
    key[random_below(5)] = (uint8_t)random_below(6);
}

static void compare(const struct lpm *lpm, const uint8_t *key)
{
    void *expected[LPM_MAX_MATCHES], *found[LPM_MAX_MATCHES];
    unsigned n = model_matches(key, expected);

    assert_ptr_equal(lpm_lookup(lpm, key), n ? expected[0] : NULL);
    assert_int_equal(lpm_matches(lpm, key, found, LPM_MAX_MATCHES), n);
    assert_memory_equal(found, expected, n * sizeof(found[0]));
    if (n > 1) {
        memset(found, 0, sizeof(found));
        assert_int_equal(lpm_matches(lpm, key, found, 1), 1);
        assert_ptr_equal(found[0], expected[0]);
        assert_null(found[1]);
    }
}

static void compare_burst(const struct lpm *lpm)
{
    uint8_t keys[LPM_BURST][16];
    const uint8_t *at[LPM_BURST] = {0};
    void *values[LPM_BURST] = {0};
    unsigned n = random_below(LPM_BURST + 1);

    for (unsigned i = 0; i < n; i++) {
        random_key(keys[i]);
        at[i] = keys[i];
    }
    lpm_lookup_burst(lpm, at, values, n);
    for (unsigned i = 0; i < n; i++)
        assert_ptr_equal(values[i], lpm_lookup(lpm, keys[i]));
}

static void compare_all(const struct lpm *lpm)
{
    assert_int_equal(lpm_count(lpm), model_count);
    for (size_t i = 0; i < MODEL_MAX; i++)
        if (model[i].value) {
            assert_ptr_equal(lpm_get(lpm, model[i].key, model[i].len), model[i].value);
            compare(lpm, model[i].key);
        }
}

static void add_random(struct lpm *lpm, unsigned key_bits)
{
    void *value = (void *)++last_value;
    uint8_t key[16];
    unsigned len = random_below(4) ? random_below(key_bits + 1) : key_bits;

    random_key(key);
    if (lpm_set(lpm, key, len, value) == 0) {
        model_set(key, len, value);
        return;
    }
    assert_int_equal(allocations_left, 0);
}

static void remove_random(struct lpm *lpm, unsigned key_bits)
{
    struct entry *e = &model[random_below(MODEL_MAX)];
    uint8_t key[16];
    unsigned len = random_below(key_bits + 1);

    if (e->value) {
        assert_ptr_equal(lpm_remove(lpm, e->key, e->len), e->value);
        assert_null(lpm_remove(lpm, e->key, e->len));
        assert_null(lpm_get(lpm, e->key, e->len));
        e->value = NULL;
        model_count--;
        return;
    }
    random_key(key);
    if (!model_find(key, len))
        assert_null(lpm_remove(lpm, key, len));
}

static void remove_all(struct lpm *lpm)
{
    for (size_t i = 0; i < MODEL_MAX; i++)
        if (model[i].value) {
            assert_ptr_equal(lpm_remove(lpm, model[i].key, model[i].len), model[i].value);
            model[i].value = NULL;
            model_count--;
        }
    assert_int_equal(lpm_count(lpm), 0);
}

/* Adds more than it removes, then the other way round, then all go. Returns how often memory was
 * missing. */
static void run_random(unsigned key_bits, unsigned changes, bool scarce)
{
    struct lpm *lpm = lpm_new(key_bits, NULL, NULL);
    size_t empty = lpm_bytes(lpm);

    for (unsigned i = 0; i < changes; i++) {
        bool grow = i < changes / 2;
        uint8_t key[16];

        /* The array of jumps, which so few prefixes would not get: it goes by itself. */
        if (i % 512 == 0 && !lpm->jumps && key_bits > JUMP_BITS)
            jumps_begin(lpm);
        allocations_left = scarce && random_below(2) ? (int)random_below(4) : -1;
        if (random_below(3) ? grow && model_count < MODEL_MAX : !grow && model_count < MODEL_MAX)
            add_random(lpm, key_bits);
        else
            remove_random(lpm, key_bits);
        random_key(key);
        compare(lpm, key);
        if (i % 16 == 0)
            compare_burst(lpm);
        if (i % (changes / 4) == 0)
            compare_all(lpm);
    }
    allocations_left = -1;
    compare_all(lpm);
    remove_all(lpm);
    if (!scarce) /* nothing is left behind */
        assert_int_equal(lpm_bytes(lpm), empty);
    lpm_free(lpm);
    model_clear();
}

static void says_what_the_model_says(void **state)
{
    static const unsigned key_bits[] = {1, 5, 6, 7, 12, 15, 16, 17, 22, 24, 32, 48, 64, 65, 127};

    (void)state;
    for (size_t i = 0; i < sizeof(key_bits) / sizeof(key_bits[0]); i++)
        run_random(key_bits[i], 2000, false);
    run_random(32, 12000, false);
    run_random(128, 12000, false);
}

static void survives_missing_memory(void **state)
{
    (void)state;
    run_random(12, 2000, true);
    run_random(32, 6000, true);
    run_random(128, 6000, true);
}

static void finds_the_ends(void **state)
{
    static const unsigned key_bits[] = {32, 128};
    uint8_t zero[16] = {0}, ones_[16];
    int a, b, c, d;

    (void)state;
    memset(ones_, 0xff, sizeof(ones_));
    for (size_t i = 0; i < 2; i++) {
        unsigned bits = key_bits[i];
        struct lpm *lpm = lpm_new(bits, NULL, NULL);
        uint8_t one[16] = {0};
        void *found[4];

        one[bits / 8 - 1] = 1;
        assert_null(lpm_lookup(lpm, zero));
        assert_int_equal(lpm_set(lpm, zero, 0, &a), 0);
        assert_ptr_equal(lpm_lookup(lpm, ones_), &a);
        assert_int_equal(lpm_set(lpm, ones_, bits, &b), 0);
        assert_int_equal(lpm_set(lpm, zero, bits, &c), 0);
        assert_int_equal(lpm_set(lpm, zero, bits - 1, &d), 0);
        assert_ptr_equal(lpm_lookup(lpm, ones_), &b);
        assert_ptr_equal(lpm_lookup(lpm, zero), &c);
        assert_ptr_equal(lpm_lookup(lpm, one), &d);
        assert_int_equal(lpm_matches(lpm, zero, found, 4), 3);
        assert_ptr_equal(found[0], &c);
        assert_ptr_equal(found[1], &d);
        assert_ptr_equal(found[2], &a);
        assert_int_equal(lpm_matches(lpm, zero, found, 0), 0);
        /* A prefix that is there gets another value without memory. */
        allocations_left = 0;
        assert_int_equal(lpm_set(lpm, ones_, bits, &a), 0);
        allocations_left = -1;
        assert_ptr_equal(lpm_lookup(lpm, ones_), &a);
        assert_int_equal(lpm_count(lpm), 4);
        lpm_free(lpm);
    }
}

static void refuses_what_makes_no_sense(void **state)
{
    struct lpm *lpm = lpm_new(32, NULL, NULL);
    uint8_t key[16] = {0};
    int a;

    (void)state;
    assert_null(lpm_new(0, NULL, NULL));
    assert_null(lpm_new(129, NULL, NULL));
    assert_int_equal(lpm_set(lpm, key, 33, &a), -EINVAL);
    assert_int_equal(lpm_set(lpm, key, 32, NULL), -EINVAL);
    assert_null(lpm_remove(lpm, key, 33));
    assert_null(lpm_get(lpm, key, 33));
    assert_int_equal(lpm_count(lpm), 0);
    lpm_free(lpm);
    lpm_free(NULL);
    for (allocations_left = 0; allocations_left < 2; allocations_left++) {
        int given = allocations_left;

        assert_null(lpm_new(32, NULL, NULL));
        allocations_left = given;
    }
    allocations_left = -1;
}

/* Every number of allocations that a change can be short of, on a way that is a long run. */
static void fails_whole(void **state)
{
    uint8_t near[16] = {0}, far[16] = {0};
    int a, b;

    (void)state;
    far[9] = 1;
    for (int given = 0;; given++) {
        struct lpm *lpm = lpm_new(128, NULL, NULL);
        size_t before;
        int err;

        assert_int_equal(lpm_set(lpm, near, 128, &a), 0);
        before = lpm_bytes(lpm);
        allocations_left = given;
        err = lpm_set(lpm, far, 128, &b);
        allocations_left = -1;
        assert_ptr_equal(lpm_lookup(lpm, near), &a);
        if (err == 0) {
            assert_ptr_equal(lpm_lookup(lpm, far), &b);
            assert_true(given >= 4);
            lpm_free(lpm);
            return;
        }
        assert_int_equal(err, -ENOMEM);
        assert_int_equal(lpm_bytes(lpm), before);
        assert_null(lpm_lookup(lpm, far));
        lpm_free(lpm);
    }
}

/* Host routes far apart cost a few nodes each, not one for every six bits. */
static void memory_follows_the_number_of_prefixes(void **state)
{
    struct lpm *lpm = lpm_new(128, NULL, NULL);
    size_t before = lpm_bytes(lpm);
    uint8_t key[16] = {0x20, 0x01, 0x0d, 0xb8};
    int a;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        for (int at = 4; at < 16; at++)
            key[at] = (uint8_t)random_next();
        assert_int_equal(lpm_set(lpm, key, 128, &a), 0);
    }
    assert_true(lpm_bytes(lpm) - before < 1000 * 160);
    lpm_free(lpm);
}

/* ---- many prefixes, and the array of jumps ---- */

static void index_key(uint32_t i, uint8_t key[4])
{
    uint32_t v = i * 2654435761u; /* odd: each i another key */

    for (int at = 0; at < 4; at++)
        key[at] = (uint8_t)(v >> (24 - 8 * at));
}

static void many_come_and_go(void **state)
{
    enum { MANY = 20000 };
    struct lpm *lpm = lpm_new(32, NULL, NULL);
    size_t empty = lpm_bytes(lpm);
    static uint8_t keys[MANY][4];
    static const uint8_t zero[4];

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        index_key(i, keys[i]);
        assert_int_equal(lpm_set(lpm, keys[i], 32, keys[i]), 0);
    }
    assert_non_null(lpm->jumps);
    for (uint32_t i = 0; i < MANY; i += 4) {
        const uint8_t *at[4] = {keys[i], keys[i + 1], keys[i + 2], keys[i + 3]};
        void *values[4];

        lpm_lookup_burst(lpm, at, values, 4);
        for (uint32_t j = 0; j < 4; j++) {
            assert_ptr_equal(lpm_lookup(lpm, at[j]), at[j]);
            assert_ptr_equal(values[j], at[j]);
        }
    }
    assert_int_equal(lpm_set(lpm, zero, 0, &empty), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_ptr_equal(lpm_remove(lpm, keys[i], 32), keys[i]);
        assert_ptr_equal(lpm_lookup(lpm, keys[i]), &empty);
    }
    assert_null(lpm->jumps);
    assert_ptr_equal(lpm_remove(lpm, zero, 0), &empty);
    assert_int_equal(lpm_bytes(lpm), empty);
    lpm_free(lpm);
}

/* ---- a reader at the same time ---- */

/* The writer frees what is retired once the reader has begun another lookup: the reader counts the
 * points at which it holds nothing. */
enum { HELD_MAX = 64 };

static struct {
    struct lpm *lpm;
    unsigned quiescent; /* by the reader */
    bool stop;
    void *held[HELD_MAX];
    unsigned held_count;
} shared;

static void free_held(void)
{
    unsigned seen = __atomic_load_n(&shared.quiescent, __ATOMIC_ACQUIRE);

    /* Two: the first can have been on its way already. */
    while (__atomic_load_n(&shared.quiescent, __ATOMIC_ACQUIRE) - seen < 2)
        sched_yield();
    while (shared.held_count > 0)
        free(shared.held[--shared.held_count]);
}

static void hold(void *context, void *memory)
{
    (void)context;
    if (shared.held_count == HELD_MAX)
        free_held();
    shared.held[shared.held_count++] = memory;
}

/* Values are addresses into this, by length: all that a lookup may find for a key is the value of a
 * length that the key's own prefix can have, and the default is always there. */
static int lengths[33];

static void *reader(void *unused)
{
    uint64_t x = 1;

    (void)unused;
    while (!__atomic_load_n(&shared.stop, __ATOMIC_RELAXED)) {
        uint8_t key[4];
        const uint8_t *keys[1] = {key};
        void *value, *burst_value, *all[LPM_MAX_MATCHES];
        unsigned n;

        x = x * 6364136223846793005u + 1442695040888963407u;
        index_key((uint32_t)(x >> 33) % 8000, key);
        value = lpm_lookup(shared.lpm, key);
        lpm_lookup_burst(shared.lpm, keys, &burst_value, 1);
        n = lpm_matches(shared.lpm, key, all, LPM_MAX_MATCHES);
        if (!value || !burst_value || n == 0 || all[n - 1] != (void *)&lengths[0])
            return (void *)"a lookup did not find the default";
        for (unsigned i = 1; i < n; i++)
            if ((int *)all[i - 1] <= (int *)all[i])
                return "matches are not longest first";
        __atomic_fetch_add(&shared.quiescent, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void readers_go_on_while_it_changes(void **state)
{
    enum { CHANGES = 60000 };
    uint8_t key[4] = {0};
    pthread_t thread;
    void *failure;

    (void)state;
    shared.lpm = lpm_new(32, hold, NULL);
    assert_int_equal(lpm_set(shared.lpm, key, 0, &lengths[0]), 0);
    assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
    for (uint32_t i = 0; i < CHANGES; i++) {
        unsigned len = 1 + random_below(32);

        index_key(random_below(8000), key);
        /* More come than go, then the other way round: the array of jumps comes and goes too. */
        if (random_below(4) ? i < CHANGES / 2 : i >= CHANGES / 2)
            assert_int_equal(lpm_set(shared.lpm, key, len, &lengths[len]), 0);
        else
            lpm_remove(shared.lpm, key, len);
    }
    __atomic_store_n(&shared.stop, true, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(thread, &failure), 0);
    if (failure)
        fail_msg("%s", (const char *)failure);
    while (shared.held_count > 0)
        free(shared.held[--shared.held_count]);
    lpm_free(shared.lpm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_ends),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(says_what_the_model_says),
        cmocka_unit_test(survives_missing_memory),
        cmocka_unit_test(fails_whole),
        cmocka_unit_test(memory_follows_the_number_of_prefixes),
        cmocka_unit_test(many_come_and_go),
        cmocka_unit_test(readers_go_on_while_it_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
