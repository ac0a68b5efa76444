/*
 * cursor_test.c -- reading and writing at, before and past every bound.
 */
#include "unit.h"

#include "base/cursor.h"

static const uint8_t sample[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void numbers_are_big_endian(void **state)
{
    (void)state;
    struct reader r = reader_of(sample, sizeof(sample));

    assert_int_equal(rd_u8(&r), 0x01);
    assert_int_equal(rd_u16(&r), 0x0203);
    assert_int_equal(rd_u24(&r), 0x040506);
    assert_int_equal(rd_left(&r), 3);
    assert_int_equal(rd_peek(&r), 7);
    assert_int_equal(rd_uint(&r, 3), 0x070809);
    assert_false(r.bad);
    assert_int_equal(rd_peek(&r), 0);
    assert_false(r.bad);
}

static void past_the_end_is_zero_and_sticky(void **state)
{
    (void)state;
    struct reader r = reader_of(sample, 3);

    assert_int_equal(rd_u32(&r), 0);
    assert_true(r.bad);
    assert_int_equal(rd_left(&r), 0);
    assert_int_equal(rd_u8(&r), 0); /* there would be a byte: but bad is for good */
    uint8_t copy[4] = {9, 9, 9, 9};
    rd_bytes(&r, copy, 4);
    assert_int_equal(copy[0] | copy[3], 0);
    assert_null(rd_view(&r, 1).at);
}

static void every_width_refuses_one_byte_less(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 9; n++) {
        for (size_t left = 0; left <= 8; left++) {
            struct reader r = reader_of(sample, left);
            rd_uint(&r, n);
            assert_int_equal(r.bad, n > left || n > 8);
        }
    }
}

static void a_sub_reader_keeps_to_its_part(void **state)
{
    (void)state;
    struct reader r = reader_of(sample, sizeof(sample));
    struct reader inner = rd_sub(&r, 2);

    assert_int_equal(rd_u16(&inner), 0x0102);
    assert_int_equal(rd_u8(&inner), 0);
    assert_true(inner.bad);
    assert_false(r.bad);
    assert_int_equal(rd_u8(&r), 3);
    rd_join(&r, &inner);
    assert_true(r.bad);
    struct reader none = rd_sub(&r, 1);
    assert_true(none.bad);
}

static void huge_lengths_do_not_wrap(void **state)
{
    (void)state;
    struct reader r = reader_of(sample, sizeof(sample));
    uint8_t room[4];
    struct writer w = writer_of(room, sizeof(room));

    assert_null(rd_take(&r, SIZE_MAX));
    assert_null(wr_take(&w, SIZE_MAX));
    assert_true(r.bad && w.bad);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    uint8_t room[32];
    struct writer w = writer_of(room, sizeof(room));

    wr_u8(&w, 0xab);
    wr_u16(&w, 0x1234);
    wr_u24(&w, 0x56789a);
    wr_u32(&w, 0xdeadbeef);
    wr_u64(&w, UINT64_C(0x0123456789abcdef));
    wr_bytes(&w, "xyz", 3);
    wr_zero(&w, 2);
    assert_int_equal(wr_len(&w), 23);
    struct reader r = reader_of_bytes(wr_view(&w));
    assert_int_equal(rd_u8(&r), 0xab);
    assert_int_equal(rd_u16(&r), 0x1234);
    assert_int_equal(rd_u24(&r), 0x56789a);
    assert_int_equal(rd_u32(&r), 0xdeadbeef);
    assert_true(rd_u64(&r) == UINT64_C(0x0123456789abcdef));
    assert_true(bytes_equal(rd_view(&r, 3), bytes_of("xyz", 3)));
    assert_int_equal(rd_u16(&r), 0);
    assert_false(r.bad);
}

static void a_full_writer_is_bad_and_writes_nothing_more(void **state)
{
    (void)state;
    uint8_t room[4] = {0, 0, 0, 0x77};
    struct writer w = writer_of(room, 3);

    wr_u16(&w, 0x0102);
    wr_u16(&w, 0x0304);
    assert_true(w.bad);
    wr_u8(&w, 5);
    assert_int_equal(wr_len(&w), 2);
    assert_int_equal(room[2], 0);
    assert_int_equal(room[3], 0x77);
}

static void patches_stay_inside_what_was_written(void **state)
{
    (void)state;
    uint8_t room[8];
    struct writer w = writer_of(room, sizeof(room));

    wr_zero(&w, 4);
    wr_patch_u16(&w, 1, 0xbeef);
    assert_memory_equal(room, "\0\xbe\xef\0", 4);
    wr_patch_u24(&w, 1, 0x010203);
    assert_memory_equal(room, "\0\1\2\3", 4);
    assert_false(w.bad);
    wr_patch_u32(&w, 1, 1);
    assert_true(w.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(past_the_end_is_zero_and_sticky),
        cmocka_unit_test(every_width_refuses_one_byte_less),
        cmocka_unit_test(a_sub_reader_keeps_to_its_part),
        cmocka_unit_test(huge_lengths_do_not_wrap),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_full_writer_is_bad_and_writes_nothing_more),
        cmocka_unit_test(patches_stay_inside_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
