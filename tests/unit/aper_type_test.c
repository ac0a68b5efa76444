/*
 * aper_type_test.c -- the table walker on small types made for it, each encoding worked out by
 * hand.
 */
#include "unit.h"

#include "wire/s1ap/aper_type.h"

static uint8_t buffer[1000];
static struct arena arena;

static int init_arena(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct aper_decoder decoder_of(const char *hex)
{
    static uint8_t octets[200];
    int len = hex_parse(hex, octets, sizeof(octets));

    assert_true(len >= 0);
    arena_reset(&arena);
    return (struct aper_decoder){.in = aper_reader_of(bytes_of(octets, (size_t)len), &arena)};
}

static void assert_encoding(const struct aper_type *type, const void *value, const char *hex)
{
    char digits[200];
    struct text t = text_in(digits, sizeof(digits));
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);

    aper_encode(&out, type, value);
    assert_false(w.bad);
    text_hex(&t, wr_view(&w));
    assert_string_equal(digits, hex);
}

static void assert_refused(const struct aper_type *type, const void *value)
{
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);

    aper_encode(&out, type, value);
    assert_true(out.refused && w.bad);
}

static void assert_prints(const struct aper_type *type, const void *value, const char *expected)
{
    char line[200];
    struct text t = text_in(line, sizeof(line));

    aper_print(&t, type, value);
    assert_string_equal(line, expected);
}

static const char *const colour_names[] = {"red", "green", "blue", "violet"};
static const struct aper_type colour = {.ops =
                                            &aper_enumerated, /* {red, green, ..., blue, violet} */
                                        .name = "Colour",
                                        .size = 4,
                                        .extensible = true,
                                        .count = 4,
                                        .root = 2,
                                        .names = colour_names};
static const struct aper_type level = {.ops = &aper_integer, /* INTEGER (1..8, ...) */
                                       .name = "Level",
                                       .size = 1,
                                       .extensible = true,
                                       .lower = 1,
                                       .upper = 8};
static const struct aper_type label = {.ops = &aper_octet_string, /* OCTET STRING (SIZE (1..4)) */
                                       .name = "Label",
                                       .size = sizeof(struct bytes),
                                       .lower = 1,
                                       .upper = 4};
static const struct aper_type levels = {.ops = &aper_sequence_of, /* SIZE (0..3) */
                                        .name = "Levels",
                                        .size = sizeof(aper_list),
                                        .lower = 0,
                                        .upper = 3,
                                        .element = &level};

struct thing {
    unsigned colour;
    uint8_t *level;
    LIST_OF(uint8_t) levels;
    struct bytes *label; /* in iE-Extensions, id 300 */
};

static const struct aper_field thing_fields[] = {
    APER_FIELD(thing, colour, colour),
    APER_FIELD_OPTIONAL(thing, level, level),
    APER_FIELD_OPTIONAL_LIST(thing, levels, levels),
};
static const struct aper_row thing_rows[] = {APER_ROW_OPTIONAL(thing, label, 300, 1, label)};
static const struct aper_container thing_extensions = {thing_rows, 1};
static const struct aper_type thing_type = {.ops = &aper_sequence,
                                            .name = "Thing",
                                            .size = sizeof(struct thing),
                                            .extensible = true,
                                            .count = 3,
                                            .fields = thing_fields,
                                            .extensions = &thing_extensions};

static void enumerations(void **state)
{
    unsigned v = 0;

    (void)state;
    assert_encoding(&colour, &(unsigned){1}, "40");       /* 0 1 */
    assert_encoding(&colour, &(unsigned){3}, "81");       /* 1 0 000001 */
    assert_encoding(&colour, &(unsigned){200}, "c001c6"); /* 1 1, 198 */
    assert_prints(&colour, &(unsigned){3}, "violet");
    assert_prints(&colour, &(unsigned){9}, "unknown-9");

    struct aper_decoder d = decoder_of("81");
    aper_decode(&d, &colour, &v);
    assert_int_equal(v, 3);
    assert_false(d.not_understood || d.in.r.bad);
    d = decoder_of("85"); /* the sixth extension value: a later release */
    aper_decode(&d, &colour, &v);
    assert_int_equal(v, 7);
    assert_true(d.not_understood);
    assert_false(d.in.r.bad);
    d = decoder_of("c004ffffffff"); /* no enumeration has so many values */
    aper_decode(&d, &colour, &v);
    assert_true(d.in.r.bad);
}

static void integers_with_extension(void **state)
{
    uint8_t v = 0;

    (void)state;
    assert_encoding(&level, &(uint8_t){8}, "70");     /* 0 111 */
    assert_encoding(&level, &(uint8_t){9}, "800109"); /* 1, one octet */
    assert_encoding(&level, &(uint8_t){200}, "800200c8");
    struct aper_decoder d = decoder_of("800200c8");
    aper_decode(&d, &level, &v);
    assert_int_equal(v, 200);
    d = decoder_of("80020100"); /* 256 has no place in the struct */
    aper_decode(&d, &level, &v);
    assert_true(d.not_understood && !d.in.r.bad);
    d = decoder_of("8001ff"); /* -1 */
    aper_decode(&d, &level, &v);
    assert_true(d.not_understood && !d.in.r.bad);
}

static void sequences(void **state)
{
    uint8_t three[] = {1, 2, 3};
    struct thing all = {.colour = 0,
                        .level = &(uint8_t){5},
                        .levels = {three, 3},
                        .label = &(struct bytes){(const uint8_t *)"ab", 2}};
    struct thing little = {.colour = 1};
    struct thing got = {0};

    (void)state;
    /* not extended 0, optional 0 0, extensions 0, green 0 1 */
    assert_encoding(&thing_type, &little, "04");
    /* 0 1 1 1, red 0 0, level 0 100, count 11, levels 0 000 0 001 0 010; extensions: count - 1, id
     * 300, ignore, open type of 3: length 01 of 2 bits, "ab" */
    assert_encoding(&thing_type, &all,
                    "713012"
                    "0000"
                    "012c"
                    "40"
                    "03"
                    "406162");
    assert_prints(&thing_type, &all, "{colour=red level=5 levels=[1 2 3] label=6162}");

    struct aper_decoder d = decoder_of("713012 0000 012c 40 03 406162");
    aper_decode(&d, &thing_type, &got);
    assert_false(d.in.r.bad || d.not_understood);
    assert_int_equal(*got.level, 5);
    assert_int_equal(got.levels.count, 3);
    assert_int_equal(got.levels.at[2], 3);
    assert_int_equal(got.label->len, 2);

    /* Extended: 1 000 0 1, then 0 000000 and 1 (one addition, present), aligned: 2 octets. */
    d = decoder_of("8404 02aabb");
    got = (struct thing){0};
    aper_decode(&d, &thing_type, &got);
    assert_false(d.in.r.bad);
    assert_int_equal(got.colour, 1);
    assert_int_equal(rd_left(&d.in.r), 0);
}

static void lists_have_bounds(void **state)
{
    uint8_t four[] = {1, 2, 3, 4};
    LIST_OF(uint8_t) list = {four, 4};

    (void)state;
    assert_refused(&levels, &list);
    list.count = 0;
    assert_encoding(&levels, &list, "00");
}

static void choices(void **state)
{
    struct pick {
        unsigned kind;
        uint8_t level;
        unsigned colour;
    } v = {0};
    static const struct aper_field alternatives[] = {
        {"level", &level, offsetof(struct pick, level), 1, APER_MANDATORY},
        {"colour", &colour, offsetof(struct pick, colour), 4, APER_MANDATORY},
    };
    static const struct aper_type pick = {.ops = &aper_choice, /* {level, ..., colour} */
                                          .name = "Pick",
                                          .size = sizeof(struct pick),
                                          .extensible = true,
                                          .count = 2,
                                          .root = 1,
                                          .fields = alternatives};

    (void)state;
    assert_encoding(&pick, &(struct pick){0, 8, 0}, "38");     /* 0, no index, 0 111 */
    assert_encoding(&pick, &(struct pick){1, 0, 1}, "800140"); /* 1 0 000000, open type: 0 1 */
    assert_prints(&pick, &(struct pick){1, 0, 1}, "colour:green");
    assert_prints(&pick, &(struct pick){5, 0, 0}, "unknown-5");
    assert_refused(&pick, &(struct pick){2, 0, 0});

    struct aper_decoder d = decoder_of("800140");
    aper_decode(&d, &pick, &v);
    assert_true(v.kind == 1 && v.colour == 1 && !d.in.r.bad && !d.not_understood);
    d = decoder_of("8102aabb"); /* the second extension: not known, passed over */
    aper_decode(&d, &pick, &v);
    assert_true(v.kind == 2 && !d.in.r.bad && d.not_understood);
    assert_int_equal(rd_left(&d.in.r), 0);
    d = decoder_of("8000"); /* the open type of a known one is too short for it */
    aper_decode(&d, &pick, &v);
    assert_true(d.in.r.bad);
}

/* ---- containers ---- */

struct note {
    uint8_t level;       /* id 1, mandatory, reject */
    unsigned colour;     /* id 2, mandatory, ignore */
    struct bytes *label; /* id 3 */
};

static const struct aper_row note_rows[] = {
    APER_ROW(note, level, 1, 0, level),
    APER_ROW(note, colour, 2, 1, colour),
    APER_ROW_OPTIONAL(note, label, 3, 1, label),
};
static const struct aper_container note = {note_rows, 3};

static void containers(void **state)
{
    struct note v = {.level = 2, .colour = 1};
    struct note got = {0};
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);
    char digits[100], line[100];
    struct text t = text_in(digits, sizeof(digits)), u = text_in(line, sizeof(line));
    uint64_t lacking;

    (void)state;
    aper_encode_container(&out, &note, &v);
    text_hex(&t, wr_view(&w));
    assert_string_equal(digits, "0002"
                                "0001"
                                "00"
                                "01"
                                "10"
                                "0002"
                                "40"
                                "01"
                                "40");

    struct aper_decoder d = decoder_of(digits);
    aper_decode_container(&d, &note, &got, &lacking);
    assert_true(!d.in.r.bad && !d.disordered && lacking == 0 && d.fault_count == 0);
    assert_true(got.level == 2 && got.colour == 1 && !got.label);
    aper_print_container(&u, &note, &got);
    assert_string_equal(line, "level=2 colour=green");
}

static void faults_in_containers(void **state)
{
    struct note got = {0};
    uint64_t lacking;

    (void)state;
    /* id 9 of criticality notify is unknown; id 1 is missing, id 2 has a value of a later release.
     */
    struct aper_decoder d = decoder_of("0002 0009 80 01 00 0002 40 01 85");
    aper_decode_container(&d, &note, &got, &lacking);
    assert_false(d.in.r.bad);
    assert_int_equal(lacking, 3);
    assert_int_equal(d.fault_count, 3);
    assert_true(d.faults[0].id == 9 && d.faults[0].criticality == 2 && !d.faults[0].missing);
    assert_true(d.faults[1].id == 2 && d.faults[1].criticality == 1 && !d.faults[1].missing);
    assert_true(d.faults[2].id == 1 && d.faults[2].criticality == 0 && d.faults[2].missing);
    assert_int_equal(got.colour, 7); /* kept, as it is mandatory */

    d = decoder_of("0003 0002 40 01 40 0001 00 01 10 0001 00 01 70"); /* order; and 1 twice */
    aper_decode_container(&d, &note, &got, &lacking);
    assert_true(d.disordered && !d.in.r.bad && lacking == 0);
    assert_int_equal(got.level, 2);

    d = decoder_of("0001 0001 c0 01 10"); /* criticality 3 */
    aper_decode_container(&d, &note, &got, &lacking);
    assert_true(d.in.r.bad);
    d = decoder_of("ffff 0001 00 01 10"); /* 65535 IEs announced */
    aper_decode_container(&d, &note, &got, &lacking);
    assert_true(d.in.r.bad);
}

static void tiny_texts_do_not_overflow(void **state)
{
    uint8_t three[] = {1, 2, 3};
    struct thing all = {.level = &(uint8_t){5}, .levels = {three, 3}};
    char line[64];

    (void)state;
    for (size_t size = 1; size < sizeof(line); size++) {
        struct text t = text_in(line, size);
        aper_print(&t, &thing_type, &all);
        assert_true(t.len < size && line[t.len] == '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enumerations),
        cmocka_unit_test(integers_with_extension),
        cmocka_unit_test(sequences),
        cmocka_unit_test(lists_have_bounds),
        cmocka_unit_test(choices),
        cmocka_unit_test(containers),
        cmocka_unit_test(faults_in_containers),
        cmocka_unit_test(tiny_texts_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, init_arena, free_arena);
}
