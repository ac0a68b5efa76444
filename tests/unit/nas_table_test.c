/*
 * nas_table_test.c -- every row of every NAS table: both directions, whole, element by element, cut
 * at every octet.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "nas_sample.h"

#define NAS_MAX 4096

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

typedef void (*visit)(const struct nas_format *format, unsigned type, enum eps_direction direction);

/* All messages; Detach Request is the one that differs by direction. */
static unsigned for_each_message(visit what)
{
    unsigned visited = 0;

    for (unsigned direction = 0; direction < 2; direction++) {
        for (unsigned type = 0; type < 256; type++) {
            const struct nas_format *format =
                nas_format_of((enum nas_message_type)type, (enum eps_direction)direction);
            if (format) {
                what(format, type, (enum eps_direction)direction);
                arena_reset(&arena);
                visited++;
            }
        }
    }
    return visited;
}

static void check_rows(const struct nas_format *format, unsigned type, enum eps_direction direction)
{
    (void)type;
    (void)direction;
    assert_true(format->mandatory <= format->count);
    for (unsigned i = 0; i < format->count; i++) {
        const struct nas_ie *row = &format->rows[i];
        assert_int_equal(row->size, row->type->size);
        assert_int_equal(nas_is_optional(row), i >= format->mandatory);
        assert_true(row->offset + (nas_is_optional(row) ? sizeof(void *) : row->size) <=
                    format->size);
        assert_true(row->min <= row->max);
        assert_true(row->form != NAS_TV_HALF || ((row->iei & 0x80) && !(row->iei & 15)));
        assert_true(row->form <= NAS_TV_HALF || (row->iei > 0 && row->iei < 0x80));
        assert_true((row->form == NAS_TLV_E) == ((row->iei & 0xf8) == 0x78));
        for (unsigned n = 0; n < i; n++) {
            assert_true(row->iei == 0 || row->iei != format->rows[n].iei);
            assert_string_not_equal(row->name, format->rows[n].name);
            assert_true(row->offset != format->rows[n].offset);
        }
    }
}

static void rows_are_consistent(void **state)
{
    (void)state;
    assert_int_equal(for_each_message(check_rows), 2 * (32 + 27));
}

/* How many optional elements a decoded message has. */
static unsigned present(const struct nas_format *format, const void *body)
{
    unsigned n = 0;

    for (unsigned i = format->mandatory; i < format->count; i++) {
        const void *value;
        memcpy(&value, (const uint8_t *)body + format->rows[i].offset, sizeof(value));
        n += value != NULL;
    }
    return n;
}

static void expect_same_octets(const struct nas_message *m, struct bytes octets)
{
    uint8_t again[NAS_MAX];
    struct writer w = writer_of(again, sizeof(again));

    nas_encode(&w, m);
    assert_false(w.bad);
    assert_int_equal(wr_len(&w), octets.len);
    assert_memory_equal(again, octets.at, octets.len);
}

static void whole(const struct nas_format *format, unsigned type, enum eps_direction direction)
{
    uint8_t octets[NAS_MAX];
    char printed[NAS_MAX * 4];
    struct text t = text_in(printed, sizeof(printed));
    struct nas_message m;
    struct nas_fault fault;

    for (size_t rows = format->mandatory; rows <= format->count; rows++) {
        struct writer w = writer_of(octets, sizeof(octets));
        assert_true(nas_sample(&w, type, direction, rows));
        assert_int_equal(nas_decode(wr_view(&w), direction, &arena, &m, &fault), 0);
        assert_int_equal(m.type, type);
        if (nas_is_esm(m.type)) {
            assert_int_equal(m.ebi, 5);
            assert_int_equal(m.pti, 17);
        }
        if (format->size > 0)
            assert_int_equal(present(format, m.body), rows - format->mandatory);
        expect_same_octets(&m, wr_view(&w));
    }
    nas_print(&t, &m, &arena);
    assert_false(t.cut);
    assert_memory_equal(printed, format->name, strlen(format->name));
    for (unsigned i = 0; i < format->count; i++)
        assert_non_null(strstr(printed, format->rows[i].name));
}

static void every_message_comes_back_as_it_was(void **state)
{
    (void)state;
    for_each_message(whole);
}

/* Each optional element alone, and with an unknown one before it. */
static void alone(const struct nas_format *format, unsigned type, enum eps_direction direction)
{
    static const char *const unknown[] = {"90", "7d000101", "2f0111", "2e00"}; /* of all shapes */

    for (unsigned i = format->mandatory; i < format->count; i++) {
        for (unsigned u = 0; u < 4; u++) {
            uint8_t octets[NAS_MAX], extra[8];
            struct writer w = writer_of(octets, sizeof(octets));
            struct nas_message m;
            struct nas_fault fault;
            int n = hex_parse(unknown[u], extra, sizeof(extra));
            bool known = false;

            for (unsigned k = 0; k < format->count; k++)
                known |= format->rows[k].iei == extra[0];
            nas_sample(&w, type, direction, format->mandatory);
            if (!known)
                wr_bytes(&w, extra, (size_t)n);
            nas_sample_element(&w, &format->rows[i]);
            assert_int_equal(nas_decode(wr_view(&w), direction, &arena, &m, &fault), 0);
            assert_int_equal(present(format, m.body), 1);
        }
    }
}

static void every_element_is_found_alone_and_behind_unknown_ones(void **state)
{
    (void)state;
    for_each_message(alone);
}

/* Cut short anywhere: either a fault in the mandatory part, or a message with fewer elements. */
static void cut(const struct nas_format *format, unsigned type, enum eps_direction direction)
{
    uint8_t octets[NAS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    unsigned before = 0;

    nas_sample(&w, type, direction, format->count);
    for (size_t len = 0; len < wr_len(&w); len++) {
        /* In memory of its own, so that a read past the end is seen. */
        uint8_t *copy = malloc(len > 0 ? len : 1);
        struct nas_message m;
        struct nas_fault fault;
        assert_non_null(copy);
        memcpy(copy, octets, len);
        int err = nas_decode(bytes_of(copy, len), direction, &arena, &m, &fault);
        if (err == 0 && format->size > 0) {
            char printed[NAS_MAX * 2];
            struct text t = text_in(printed, sizeof(printed));
            unsigned now = present(format, m.body);
            assert_true(now >= before);
            before = now;
            nas_print(&t, &m, &arena);
        } else if (err != 0) {
            assert_true(fault.cause == 0 || fault.cause == EMM_CAUSE_INVALID_MANDATORY_INFORMATION);
            assert_true((fault.cause == 0) ==
                        (len < (nas_is_esm((enum nas_message_type)type) ? 3u : 2u)));
        }
        free(copy);
        arena_reset(&arena);
    }
}

static void every_message_may_be_cut_anywhere(void **state)
{
    (void)state;
    for_each_message(cut);
}

/* A writer too small at any size goes bad and is not overrun. */
static void tight(const struct nas_format *format, unsigned type, enum eps_direction direction)
{
    uint8_t octets[NAS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    struct nas_message m;
    struct nas_fault fault;

    nas_sample(&w, type, direction, format->count);
    assert_int_equal(nas_decode(wr_view(&w), direction, &arena, &m, &fault), 0);
    for (size_t size = 0; size <= wr_len(&w); size++) {
        uint8_t *room = malloc(size > 0 ? size : 1);
        assert_non_null(room);
        struct writer small = writer_of(room, size);
        nas_encode(&small, &m);
        assert_int_equal(small.bad, size < wr_len(&w));
        free(room);
    }
}

static void every_message_fits_or_is_refused(void **state)
{
    (void)state;
    for_each_message(tight);
}

/* The arena's limit ends decoding with -ENOMEM, wherever it is reached. */
static void starved(const struct nas_format *format, unsigned type, enum eps_direction direction)
{
    uint8_t octets[NAS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    int err = -1;

    if (format->size == 0)
        return;
    nas_sample(&w, type, direction, format->count);
    for (size_t limit = 0; err != 0; limit += 8) {
        struct arena small;
        struct nas_message m;
        struct nas_fault fault;
        arena_init(&small, limit);
        err = nas_decode(wr_view(&w), direction, &small, &m, &fault);
        assert_true(err == 0 || err == -ENOMEM);
        if (err)
            assert_int_equal(fault.cause, EMM_CAUSE_PROTOCOL_ERROR);
        arena_free(&small);
        assert_true(limit < 1 << 16);
    }
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    for_each_message(starved);
}

/* With NAS_SEEDS=directory in the environment every sample is written there, as the fuzzer takes
 * it: how tests/fuzz/corpus/nas_fuzz was made. */
static void seed(const struct nas_format *format, unsigned type, enum eps_direction direction)
{
    uint8_t octets[NAS_MAX];
    char path[512];
    struct writer w = writer_of(octets, sizeof(octets));

    if (direction == EPS_DOWNLINK && type != NAS_DETACH_REQUEST)
        return;
    wr_u8(&w, (uint8_t)direction);
    nas_sample(&w, type, direction, format->count);
    snprintf(path, sizeof(path), "%s/%02x-%u", getenv("NAS_SEEDS"), type, (unsigned)direction);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(octets, 1, wr_len(&w), f), wr_len(&w));
    assert_int_equal(fclose(f), 0);
}

static void seeds_are_written_when_asked_for(void **state)
{
    (void)state;
    if (getenv("NAS_SEEDS"))
        for_each_message(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_consistent),
        cmocka_unit_test(every_message_comes_back_as_it_was),
        cmocka_unit_test(every_element_is_found_alone_and_behind_unknown_ones),
        cmocka_unit_test(every_message_may_be_cut_anywhere),
        cmocka_unit_test(every_message_fits_or_is_refused),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(seeds_are_written_when_asked_for),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
