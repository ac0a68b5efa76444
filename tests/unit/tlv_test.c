/*
 * tlv_test.c -- the walker behind the message tables, with a small protocol of its own: tag (1),
 * length (1), value.
 */
#include "unit.h"

#include <errno.h>

#include "wire/tlv.h"

static bool take(struct reader *r, struct tlv *element)
{
    const uint8_t *start = r->at;

    element->id = rd_u8(r);
    element->value = rd_view(r, rd_u8(r));
    element->whole = bytes_of(start, (size_t)(r->at - start));
    return !r->bad;
}

static size_t open_element(struct writer *w, const struct wire_ie *row)
{
    wr_u8(w, (uint8_t)row->id);
    wr_u8(w, 0);
    return wr_len(w);
}

static void close_element(struct writer *w, size_t opened)
{
    wr_patch_u8(w, opened - 1, (uint8_t)(wr_len(w) - opened));
}

static bool must_understand(const struct tlv *element)
{
    return element->id & 0x80;
}

static const struct tlv_format lenient = {.take = take,
                                          .open = open_element,
                                          .close = close_element,
                                          .must_understand = must_understand,
                                          .optional_may_be_broken = true};
static const struct tlv_format strict = {
    .take = take, .open = open_element, .close = close_element, .counts_are_strict = true};

struct inner {
    uint16_t number;
    const struct inner *deeper;
};

struct message {
    uint32_t id;
    const uint16_t *optional;
    LIST_OF(uint8_t) list;
    LIST_OF(struct inner) groups;
    struct bytes tail;
};

extern const struct wire_type inner_type;

static const struct wire_ie inner_rows[] = {
    {"number", 1, 0, 0, 0, WIRE_MANDATORY, offsetof(struct inner, number), 0, &wire_u16},
    {"deeper", 2, 0, 0, 0, WIRE_OPTIONAL, offsetof(struct inner, deeper), 0, &inner_type},
};
static const struct wire_group inner_group = {"inner", inner_rows, 2, sizeof(struct inner),
                                              &lenient};
const struct wire_type inner_type = WIRE_GROUP_TYPE(inner, &inner_group);

#define MESSAGE_ROWS                                                                               \
    {"id", 1, 0, 0, 0, WIRE_MANDATORY, offsetof(struct message, id), 0, &wire_u24},                \
        {"optional", 2, 0, 0, 0, WIRE_OPTIONAL, offsetof(struct message, optional), 0, &wire_u16}, \
        {"list", 3, 0, 0, 0, WIRE_LIST, offsetof(struct message, list), 3, &wire_u8},              \
        {"group", 4, 0, 0, 0, WIRE_LIST, offsetof(struct message, groups), 4, &inner_type},        \
        {"tail", 5, 0, 0, 0, WIRE_MANDATORY, offsetof(struct message, tail), 0, &wire_ascii},

static const struct wire_ie rows[] = {MESSAGE_ROWS};
static const struct wire_group group = {"message", rows, 5, sizeof(struct message), &lenient};
static const struct wire_group strict_group = {"message", rows, 5, sizeof(struct message), &strict};

static struct arena arena;

static int decode(const struct wire_group *how, const char *at, size_t len, struct message *m,
                  struct wire_fault *fault)
{
    struct wire_context context = {.arena = &arena};
    struct reader r = reader_of(at, len);

    arena_reset(&arena);
    int err = tlv_decode(how, &r, m, &context);
    *fault = context.fault;
    return err;
}

static const char whole[] = "\x01\x03\x00\x01\x02"
                            "\x02\x02\x12\x34"
                            "\x03\x01\x07"
                            "\x03\x01\x08"
                            "\x04\x0a\x01\x02\x00\x05\x02\x04\x01\x02\x00\x06"
                            "\x05\x02hi";
#define WHOLE_LEN (sizeof(whole) - 1)

static void a_message_is_decoded_printed_and_encoded_by_its_table(void **state)
{
    (void)state;
    struct message m;
    struct wire_fault fault;
    uint8_t room[100];
    char words[200];
    struct writer w = writer_of(room, sizeof(room));
    struct text t = text_in(words, sizeof(words));

    assert_int_equal(decode(&group, whole, WHOLE_LEN, &m, &fault), 0);
    assert_int_equal(m.id, 0x102);
    assert_int_equal(*m.optional, 0x1234);
    assert_int_equal(m.list.count, 2);
    assert_int_equal(m.list.at[1], 8);
    assert_int_equal(m.groups.count, 1);
    assert_int_equal(m.groups.at[0].deeper->number, 6);
    tlv_print(&group, &t, &m);
    assert_string_equal(words, "id=258 optional=4660 list=7 list=8 "
                               "group={number=5 deeper={number=6}} tail=hi");
    tlv_encode(&group, &w, &m);
    assert_true(bytes_equal(wr_view(&w), bytes_of(whole, WHOLE_LEN)));
}

static void every_truncation_is_a_fault(void **state)
{
    (void)state;
    struct message m;
    struct wire_fault fault;

    for (size_t len = 0; len < WHOLE_LEN; len++) {
        assert_int_equal(decode(&group, whole, len, &m, &fault), -EBADMSG);
        assert_int_not_equal(fault.kind, WIRE_FAULT_NONE);
    }
}

static void faults_tell_the_element(void **state)
{
    (void)state;
    static const struct {
        const struct wire_group *how;
        const char *at;
        size_t len;
        enum wire_fault_kind kind;
        uint32_t id;
    } cases[] = {
        {&group, "\x05\x00", 2, WIRE_FAULT_MISSING, 1},
        {&group, "\x01\x02\x00\x00\x05\x00", 6, WIRE_FAULT_VALUE, 1},
        {&group, "\x01\x03\x00\x00\x00\x05\x00\x81\x00", 9, WIRE_FAULT_UNKNOWN, 0x81},
        {&group, "\x01\x03\x00\x00\x00\x05\x00\x06\x09", 9, WIRE_FAULT_LENGTH, 6},
        /* what is missing inside a group is told, not the group */
        {&group, "\x01\x03\x00\x00\x00\x04\x00\x05\x00", 9, WIRE_FAULT_MISSING, 1},
        {&strict_group, "\x01\x03\x00\x00\x00\x05\x00\x05\x00", 9, WIRE_FAULT_TOO_MANY, 5},
        {&strict_group, "\x01\x03\x00\x00\x00\x02\x01\x00\x05\x00", 10, WIRE_FAULT_VALUE, 2},
    };
    struct message m;
    struct wire_fault fault;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(decode(cases[i].how, cases[i].at, cases[i].len, &m, &fault), -EBADMSG);
        assert_int_equal(fault.kind, cases[i].kind);
        assert_int_equal(fault.id, cases[i].id);
    }
}

static void the_lenient_pass_over_what_they_may(void **state)
{
    (void)state;
    struct message m;
    struct wire_fault fault;
    /* An unknown element, a broken optional one, a repeated one, more list elements than fit. */
    static const char odd[] = "\x01\x03\x00\x00\x09"
                              "\x01\x03\x00\x00\x0a"
                              "\x09\x01x"
                              "\x02\x01\x00"
                              "\x03\x01\x01"
                              "\x03\x01\x02"
                              "\x03\x01\x03"
                              "\x03\x01\x04"
                              "\x05\x00";

    assert_int_equal(decode(&group, odd, sizeof(odd) - 1, &m, &fault), 0);
    assert_int_equal(m.id, 9);
    assert_null(m.optional);
    assert_int_equal(m.list.count, 3);
    assert_int_equal(m.list.at[2], 3);
}

static void depth_and_memory_are_bounded(void **state)
{
    (void)state;
    char deep[256] = "\x01\x03\x00\x00\x01\x05\x00";
    size_t len = 7, levels = 20;
    struct message m;
    struct wire_fault fault;

    /* inner{number, deeper{number, deeper{...}}} */
    deep[len++] = 4;
    deep[len++] = (char)(levels * 6 - 2);
    for (size_t i = 0; i < levels; i++) {
        memcpy(deep + len, "\x01\x02\x00\x00", 4);
        len += 4;
        if (i + 1 < levels) {
            deep[len++] = 2;
            deep[len++] = (char)((levels - i - 1) * 6 - 2);
        }
    }
    /* inner is lenient: cut off */
    assert_int_equal(decode(&strict_group, deep, len, &m, &fault), 0);
    unsigned found = 0;
    for (const struct inner *i = m.groups.at; i; i = i->deeper)
        found++;
    assert_in_range(found, 1, 9);

    struct arena small = {.limit = 8};
    struct wire_context context = {.arena = &small};
    struct reader r = reader_of(whole, WHOLE_LEN);
    assert_int_equal(tlv_decode(&group, &r, &m, &context), -ENOMEM);
    arena_free(&small);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 65536);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_decoded_printed_and_encoded_by_its_table),
        cmocka_unit_test(every_truncation_is_a_fault),
        cmocka_unit_test(faults_tell_the_element),
        cmocka_unit_test(the_lenient_pass_over_what_they_may),
        cmocka_unit_test(depth_and_memory_are_bounded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
