/*
 * memory_test.c -- arena, pool and map: limits, reuse, stale ids, hostile keys.
 */
#include "unit.h"

#include <errno.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/pool.h"

static void arena_gives_zeroed_aligned_memory_up_to_its_limit(void **state)
{
    (void)state;
    struct arena a;

    arena_init(&a, 100);
    for (int round = 0; round < 3; round++) {
        uint8_t *p = arena_alloc(&a, 10);
        assert_non_null(p);
        for (int i = 0; i < 10; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, 10);
        void *q = arena_alloc(&a, 50);
        assert_int_equal((uintptr_t)q % 16, 0);
        assert_null(arena_alloc(&a, 60));
        assert_null(arena_array(&a, SIZE_MAX / 2, 3));
        assert_null(arena_alloc(&a, SIZE_MAX));
        arena_reset(&a);
    }
    arena_free(&a);
}

static void arena_serves_objects_larger_than_a_chunk(void **state)
{
    (void)state;
    struct arena a;

    arena_init(&a, 1 << 20);
    for (int i = 0; i < 5; i++) {
        uint8_t *big = arena_alloc(&a, 100000);
        assert_non_null(big);
        big[99999] = 1;
        assert_non_null(arena_alloc(&a, 1));
    }
    struct bytes copy = arena_copy(&a, bytes_of("abc", 3));
    assert_memory_equal(copy.at, "abc", 3);
    arena_free(&a);
}

static void pool_ids_go_stale(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t first, second;

    pool_init(&pool, 24, 10);
    uint8_t *object = pool_new(&pool, &first);
    assert_non_null(object);
    assert_int_not_equal(first, 0);
    object[23] = 1;
    assert_ptr_equal(pool_get(&pool, first), object);
    assert_null(pool_get(&pool, 0));
    assert_null(pool_get(&pool, first + 1));
    assert_null(pool_get(&pool, UINT32_MAX));
    pool_delete(&pool, first);
    assert_null(pool_get(&pool, first));
    pool_delete(&pool, first); /* ignored */
    assert_int_equal(pool.count, 0);
    uint8_t *again = pool_new(&pool, &second);
    assert_ptr_equal(again, object);
    assert_int_equal(again[23], 0);
    assert_int_not_equal(first, second);
    assert_null(pool_get(&pool, first));
    pool_free(&pool);
}

static void pool_refuses_beyond_its_limit_and_walks_over_all(void **state)
{
    (void)state;
    struct pool pool;
    uint32_t ids[600], id = 0;

    pool_init(&pool, sizeof(uint32_t), 600);
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t *object = pool_new(&pool, &ids[i]);
        assert_non_null(object);
        *object = i;
    }
    uint32_t one_more;
    assert_null(pool_new(&pool, &one_more));
    for (uint32_t i = 0; i < 600; i += 2)
        pool_delete(&pool, ids[i]);
    uint32_t seen = 0, *object;
    while ((object = pool_next(&pool, &id))) {
        assert_int_equal(*object % 2, 1);
        assert_ptr_equal(pool_get(&pool, id), object);
        pool_delete(&pool, id);
        seen++;
    }
    assert_int_equal(seen, 300);
    assert_int_equal(pool.count, 0);
    pool_free(&pool);
}

static void map_behaves_like_a_simple_array(void **state)
{
    (void)state;
    enum { KEYS = 512, STEPS = 20000 };
    static uint64_t model[KEYS];
    struct map map;
    uint32_t random = 1;

    map_init(&map);
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525u + 1013904223u;
        uint64_t key = random >> 8 & (KEYS - 1);
        if (random & 0x80000000u) {
            model[key] = step + 1u;
            assert_int_equal(map_set(&map, key << 32, model[key]), 0);
        } else {
            assert_int_equal(map_remove(&map, key << 32), model[key] != 0);
            model[key] = 0;
        }
    }
    size_t there = 0;
    for (uint64_t key = 0; key < KEYS; key++) {
        assert_int_equal(map_get(&map, key << 32), model[key]);
        there += model[key] != 0;
    }
    assert_int_equal(map.count, there);
    size_t at = 0, walked = 0;
    uint64_t key, value;
    while (map_next(&map, &at, &key, &value)) {
        assert_int_equal(value, model[key >> 32]);
        walked++;
    }
    assert_int_equal(walked, there);
    map_free(&map);
}

static void map_tells_zero_from_absent(void **state)
{
    (void)state;
    struct map map;
    uint64_t value = 7;

    map_init(&map);
    assert_false(map_find(&map, 0, &value));
    assert_false(map_remove(&map, 0));
    assert_int_equal(map_set(&map, 0, 0), 0);
    assert_true(map_find(&map, 0, &value));
    assert_int_equal(value, 0);
    map_free(&map);
}

static void hash_of_bytes_depends_on_all(void **state)
{
    (void)state;
    uint8_t bytes[20] = {0};
    uint64_t before = map_hash_bytes(bytes, sizeof(bytes), 1);

    assert_int_equal(before, map_hash_bytes(bytes, sizeof(bytes), 1));
    assert_int_not_equal(before, map_hash_bytes(bytes, sizeof(bytes), 2));
    assert_int_not_equal(before, map_hash_bytes(bytes, sizeof(bytes) - 1, 1));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] ^= 1;
        assert_int_not_equal(before, map_hash_bytes(bytes, sizeof(bytes), 1));
        bytes[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory_up_to_its_limit),
        cmocka_unit_test(arena_serves_objects_larger_than_a_chunk),
        cmocka_unit_test(pool_ids_go_stale),
        cmocka_unit_test(pool_refuses_beyond_its_limit_and_walks_over_all),
        cmocka_unit_test(map_behaves_like_a_simple_array),
        cmocka_unit_test(map_tells_zero_from_absent),
        cmocka_unit_test(hash_of_bytes_depends_on_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
