/*
 * aper_test.c -- ALIGNED PER bits against encodings worked out by hand from X.691.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "wire/s1ap/aper.h"

static uint8_t buffer[300000];

/* What a test wrote, as hexadecimal digits. */
static void assert_hex(const struct writer *w, const char *expected)
{
    char digits[200];
    struct text t = text_in(digits, sizeof(digits));

    assert_false(w->bad);
    text_hex(&t, wr_view(w));
    assert_string_equal(digits, expected);
}

/* A number behind one bit, so that alignment shows. */
static void constrained_numbers(void **state)
{
    static const struct {
        uint64_t lower, upper, v;
        const char *hex;
    } cases[] = {
        {5, 5, 5, "80"},         /* one value: nothing */
        {0, 1, 1, "c0"},         /* a bit */
        {0, 7, 5, "d0"},         /* 101 */
        {3, 6, 4, "a0"},         /* 01 of 0..3 */
        {1, 16, 16, "f8"},       /* 1111 */
        {0, 254, 0xaa, "d500"},  /* 255 values: a bit-field */
        {0, 255, 0xaa, "80aa"},  /* 256: an aligned octet */
        {1, 256, 256, "80ff"},   /* the same, from 1 */
        {0, 256, 256, "800100"}, /* 257: two aligned octets */
        {0, 65535, 0x1234, "801234"},
        {1, 65535, 1, "800000"},
        {0, 65536, 0, "8000"},               /* 1 octet of up to 3: 00 */
        {0, 16777215, 0x012345, "c0012345"}, /* 3 octets: 10 */
        {0, 16777215, 0x80, "8080"},
        {0, 4294967295, 0xffffffff, "e0ffffffff"},
        {0, 10000000000, 1000000000, "b03b9aca00"},    /* 4 of up to 5 octets: 011 */
        {0, 10000000000, 10000000000, "c002540be400"}, /* 5: 100 */
        {10000000001, 4000000000000, 10000000001, "8000"},
        {0, UINT64_MAX, UINT64_MAX, "f0ffffffffffffffff"}, /* 8 of 8: 111 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct writer w = writer_of(buffer, sizeof(buffer));
        struct aper_writer out = aper_writer_of(&w);
        aper_write_bits(&out, 1, 1);
        aper_write_number(&out, cases[i].v, cases[i].lower, cases[i].upper);
        assert_hex(&w, cases[i].hex);

        struct aper_reader in = aper_reader_of(wr_view(&w), NULL);
        assert_int_equal(aper_read_bits(&in, 1), 1);
        assert_true(aper_read_number(&in, cases[i].lower, cases[i].upper) == cases[i].v);
        assert_false(in.r.bad);
        assert_int_equal(rd_left(&in.r), 0);
    }
}

static void numbers_outside_their_bounds(void **state)
{
    (void)state;
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);
    aper_write_number(&out, 8, 0, 7);
    assert_true(out.refused && w.bad);

    /* 0..5 in three bits leaves 6 and 7 unused; 3 is no length of a number up to 2^24 - 1. */
    struct aper_reader in = aper_reader_of(bytes_of("\xc0", 1), NULL);
    assert_int_equal(aper_read_number(&in, 0, 5), 0);
    assert_true(in.r.bad);
    in = aper_reader_of(bytes_of("\xc0\x00\x00\x00\x00", 5), NULL);
    (void)aper_read_number(&in, 0, 16777215);
    assert_true(in.r.bad);
    in = aper_reader_of(bytes_of("", 0), NULL);
    (void)aper_read_number(&in, 0, 1);
    assert_true(in.r.bad);
}

static void bits_across_octets(void **state)
{
    (void)state;
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);
    aper_write_bits(&out, 5, 3);
    aper_write_bits(&out, 0x1ff, 9);
    aper_write_bits(&out, 0, 0);
    aper_write_bits(&out, 0x123456789abcdef0, 64);
    assert_hex(&w, "bff123456789abcdef00");

    struct aper_reader in = aper_reader_of(wr_view(&w), NULL);
    assert_int_equal(aper_read_bits(&in, 3), 5);
    assert_int_equal(aper_read_bits(&in, 9), 0x1ff);
    assert_int_equal(aper_read_bits(&in, 0), 0);
    assert_true(aper_read_bits(&in, 64) == 0x123456789abcdef0);
    assert_int_equal(aper_read_bits(&in, 4), 0);
    assert_false(in.r.bad);
    (void)aper_read_bits(&in, 1);
    assert_true(in.r.bad);
    in = aper_reader_of(bytes_of("", 0), NULL); /* no bit wants no octet */
    assert_int_equal(aper_read_bits(&in, 0), 0);
    assert_false(in.r.bad);
}

static void small_and_unconstrained_numbers(void **state)
{
    static const struct {
        uint64_t v;
        const char *small, *unconstrained;
    } cases[] = {
        {0, "00", "0100"},
        {5, "0a", "0105"},
        {63, "7e", "013f"},
        {64, "800140", "0140"},
        {127, "80017f", "017f"},
        {128, "800180", "020080"}, /* the sign wants a bit */
        {65536, "8003010000", "03010000"},
        {UINT64_MAX, "8008ffffffffffffffff", "0900ffffffffffffffff"},
    };
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct writer w = writer_of(buffer, sizeof(buffer));
        struct aper_writer out = aper_writer_of(&w);
        aper_write_small(&out, cases[i].v);
        assert_hex(&w, cases[i].small);
        struct aper_reader in = aper_reader_of(wr_view(&w), NULL);
        assert_true(aper_read_small(&in) == cases[i].v);

        w = writer_of(buffer, sizeof(buffer));
        out = aper_writer_of(&w);
        aper_write_unconstrained(&out, cases[i].v);
        assert_hex(&w, cases[i].unconstrained);
        in = aper_reader_of(wr_view(&w), NULL);
        assert_true(aper_read_unconstrained(&in, &v));
        assert_true(v == cases[i].v && !in.r.bad);
    }
    struct aper_reader in = aper_reader_of(bytes_of("\x01\xff", 2), NULL); /* -1 */
    assert_false(aper_read_unconstrained(&in, &v));
    assert_false(in.r.bad);
    in = aper_reader_of(bytes_of("\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00", 10), NULL); /* 2^64 */
    assert_false(aper_read_unconstrained(&in, &v));
    assert_false(in.r.bad);
    in = aper_reader_of(bytes_of("\x00", 1), NULL); /* no octets at all */
    assert_false(aper_read_unconstrained(&in, &v));
    assert_true(in.r.bad);
}

static void octet_strings(void **state)
{
    static const struct {
        const char *octets;
        uint64_t lower, upper;
        bool extensible;
        const char *hex; /* behind one bit */
    } cases[] = {
        {"", 0, 0, false, "80"},
        {"\x12", 1, 1, false, "8900"}, /* up to 16 bits, fixed: not aligned */
        {"\x12\x34", 2, 2, false, "891a00"},
        {"\x12\x34\x56", 3, 3, false, "80123456"}, /* aligned */
        {"abc", 1, 4, false, "c0616263"},          /* length 10 of 2 bits */
        {"abc", 0, APER_UNBOUNDED, false, "8003616263"},
        {"", 0, APER_UNBOUNDED, false, "8000"},
        {"ab", 1, 150, true, "80406162"},     /* extension bit 0, length 1 in 8 bits */
        {"abcd", 1, 3, true, "c00461626364"}, /* extension bit 1, length without bounds */
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes b = bytes_of(cases[i].octets, strlen(cases[i].octets));
        struct writer w = writer_of(buffer, sizeof(buffer));
        struct aper_writer out = aper_writer_of(&w);
        aper_write_bits(&out, 1, 1);
        aper_write_octets(&out, b, cases[i].lower, cases[i].upper, cases[i].extensible);
        assert_hex(&w, cases[i].hex);

        struct aper_reader in = aper_reader_of(wr_view(&w), &arena);
        (void)aper_read_bits(&in, 1);
        struct bytes again =
            aper_read_octets(&in, cases[i].lower, cases[i].upper, cases[i].extensible);
        assert_false(in.r.bad);
        assert_true(bytes_equal(again, b));
    }
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);
    aper_write_octets(&out, bytes_of("abcd", 4), 1, 3, false);
    assert_true(out.refused);
    arena_free(&arena);
}

static void bit_strings(void **state)
{
    static const struct {
        const char *octets;
        size_t bits;
        uint64_t lower, upper;
        bool extensible;
        const char *hex; /* behind one bit, before two */
    } cases[] = {
        {"\xff\x80", 10, 10, 10, false, "ffd8"}, /* 1 1111111110 11 */
        {"\xff\xff", 16, 16, 16, false, "ffffe0"},
        {"\xab\xcd\xe0", 20, 20, 20, false,
         "80abcdec"}, /* aligned; the rest of the octet is used */
        {"\x0a\x09\x00\x01", 32, 1, 160, true, "87c00a090001c0"}, /* 0, then 31 in 8 bits */
        {"\xfc", 6, 22, 32, true, "c006ff"}, /* beyond: length 6, and 11 into its octet */
        {"\xff\xff\xfc", 22, 22, 32, false, "80ffffff"},
    };
    struct arena arena;
    size_t bits;

    (void)state;
    arena_init(&arena, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct writer w = writer_of(buffer, sizeof(buffer));
        struct aper_writer out = aper_writer_of(&w);
        aper_write_bits(&out, 1, 1);
        aper_write_bit_string(&out, (const uint8_t *)cases[i].octets, cases[i].bits, cases[i].lower,
                              cases[i].upper, cases[i].extensible);
        aper_write_bits(&out, 3, 2);
        assert_hex(&w, cases[i].hex);

        struct aper_reader in = aper_reader_of(wr_view(&w), &arena);
        (void)aper_read_bits(&in, 1);
        struct bytes again =
            aper_read_bit_string(&in, cases[i].lower, cases[i].upper, cases[i].extensible, &bits);
        assert_int_equal(bits, cases[i].bits);
        assert_memory_equal(again.at, cases[i].octets, cases[i].bits / 8);
        assert_int_equal(aper_read_bits(&in, 2), 3);
        assert_false(in.r.bad);
    }
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);
    aper_write_fixed_bits(&out, 0x3ff, 10);
    aper_write_fixed_bits(&out, 0x19b01, 20);
    aper_write_fixed_octets(&out, 7, 2);
    aper_write_fixed_octets(&out, 1, 4);
    assert_hex(&w, "ffc019b010007000000001");
    struct aper_reader in = aper_reader_of(wr_view(&w), &arena);
    assert_int_equal(aper_read_fixed_bits(&in, 10), 0x3ff);
    assert_int_equal(aper_read_fixed_bits(&in, 20), 0x19b01);
    assert_int_equal(aper_read_fixed_octets(&in, 2), 7);
    assert_int_equal(aper_read_fixed_octets(&in, 4), 1);
    aper_write_fixed_bits(&out, 4, 2);
    assert_true(out.refused);
    arena_free(&arena);
}

/* Lengths at which the determinant changes its form (clause 10.9.3.5 to 10.9.3.8). */
static void long_strings_and_fragments(void **state)
{
    static const size_t lengths[] = {0,     1,     127,   128,   16383, 16384,  16385,  32768,
                                     49152, 65535, 65536, 65537, 81920, 131072, 131073, 200000};
    static uint8_t octets[200000];
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t n = lengths[i];
        struct writer w = writer_of(buffer, sizeof(buffer));
        struct aper_writer out = aper_writer_of(&w);
        aper_write_octets(&out, bytes_of(octets, n), 0, APER_UNBOUNDED, false);
        assert_false(w.bad);
        if (n < 128)
            assert_int_equal(buffer[0], n);
        else if (n < 16384)
            assert_int_equal(buffer[0] << 8 | buffer[1], 0x8000 | n);
        else
            assert_int_equal(buffer[0], 0xc0 | (n >= 65536 ? 4 : n / 16384));
        struct aper_reader in = aper_reader_of(wr_view(&w), &arena);
        struct bytes again = aper_read_octets(&in, 0, APER_UNBOUNDED, false);
        assert_false(in.r.bad);
        assert_true(bytes_equal(again, bytes_of(octets, n)));
        assert_int_equal(rd_left(&in.r), 0);

        /* An open type whose content is written in place has the same form. */
        static uint8_t other[300000];
        struct writer v = writer_of(other, sizeof(other));
        struct aper_writer open = aper_writer_of(&v);
        size_t opened = aper_write_open(&open);
        wr_bytes(&v, octets, n);
        aper_write_close(&open, opened);
        if (n > 0) {
            assert_int_equal(wr_len(&v), wr_len(&w));
            assert_memory_equal(other, buffer, wr_len(&w));
        } else {
            assert_int_equal(wr_len(&v), 2); /* the empty encoding is one zero octet */
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static void fragments_that_lie(void **state)
{
    struct arena arena, small;

    (void)state;
    arena_init(&arena, 1 << 20);
    arena_init(&small, 100);
    struct aper_reader in = aper_reader_of(bytes_of("\xc0", 1), &arena); /* no blocks */
    (void)aper_read_open(&in);
    assert_true(in.r.bad);
    in = aper_reader_of(bytes_of("\xc5", 1), &arena); /* five blocks */
    (void)aper_read_open(&in);
    assert_true(in.r.bad);
    in = aper_reader_of(bytes_of("\xc1 and not much more", 17), &arena);
    (void)aper_read_open(&in);
    assert_true(in.r.bad && !in.no_memory);

    memset(buffer, 0, 16386);
    buffer[0] = 0xc1; /* 16384 octets and a rest of 0 */
    in = aper_reader_of(bytes_of(buffer, 16386), &arena);
    assert_int_equal(aper_read_open(&in).len, 16384);
    assert_false(in.r.bad);
    in = aper_reader_of(bytes_of(buffer, 16385), &arena); /* the rest is missing */
    (void)aper_read_open(&in);
    assert_true(in.r.bad);
    in = aper_reader_of(bytes_of(buffer, 16386), &small);
    (void)aper_read_open(&in);
    assert_true(in.r.bad && in.no_memory);
    arena_free(&arena);
    arena_free(&small);
}

static void counts_are_believed_only_if_possible(void **state)
{
    (void)state;
    struct aper_reader in = aper_reader_of(bytes_of("\xff\xff\x00\x00", 4), NULL);
    (void)aper_read_count(&in, 0, 65535);
    assert_true(in.r.bad);
    in = aper_reader_of(bytes_of("\x00\x02\x00\x00", 4), NULL);
    assert_int_equal(aper_read_count(&in, 0, 65535), 2);
    assert_false(in.r.bad);
}

static void additions_are_passed_over(void **state)
{
    (void)state;
    /* Two additions, the second present: 0 000001 01, aligned: an open type of two octets; then
     * 0x55. */
    struct aper_reader in = aper_reader_of(bytes_of("\x02\x80\x02\xaa\xbb\x55", 6), NULL);
    aper_skip_additions(&in);
    assert_false(in.r.bad);
    assert_int_equal(rd_u8(&in.r), 0x55);

    /* 65 additions: 1, aligned length, 65 bits, two of them set. */
    static const char many[] = "\x80\x41\x80\x00\x00\x00\x00\x00\x00\x00\x80\x01\xaa\x01\xbb\x77";
    in = aper_reader_of(bytes_of(many, 16), NULL);
    aper_skip_additions(&in);
    assert_false(in.r.bad);
    assert_int_equal(rd_u8(&in.r), 0x77);

    in = aper_reader_of(bytes_of("\x80\xbf\xff", 3), NULL); /* 16383 additions in no octets */
    aper_skip_additions(&in);
    assert_true(in.r.bad);
}

static void a_full_writer_stays_full(void **state)
{
    uint8_t octets[4];

    (void)state;
    for (size_t size = 0; size <= sizeof(octets); size++) {
        uint8_t *exact = malloc(size > 0 ? size : 1);
        struct writer w = writer_of(exact, size);
        struct aper_writer out = aper_writer_of(&w);
        size_t opened = aper_write_open(&out);
        aper_write_bits(&out, 3, 2);
        aper_write_octets(&out, bytes_of("abcdef", 6), 0, APER_UNBOUNDED, false);
        aper_write_bit_string(&out, (const uint8_t *)"abc", 21, 1, 160, true);
        aper_write_small(&out, 1000);
        aper_write_close(&out, opened);
        assert_true(w.bad);
        assert_false(out.refused);
        assert_true(wr_len(&w) <= size);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constrained_numbers),
        cmocka_unit_test(numbers_outside_their_bounds),
        cmocka_unit_test(bits_across_octets),
        cmocka_unit_test(small_and_unconstrained_numbers),
        cmocka_unit_test(octet_strings),
        cmocka_unit_test(bit_strings),
        cmocka_unit_test(long_strings_and_fragments),
        cmocka_unit_test(fragments_that_lie),
        cmocka_unit_test(counts_are_believed_only_if_possible),
        cmocka_unit_test(additions_are_passed_over),
        cmocka_unit_test(a_full_writer_stays_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
