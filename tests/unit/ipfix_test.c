/*
 * ipfix_test.c -- the bytes of IPFIX messages, read back by the templates that they bring.
 */
#include "unit.h"

#include "wire/ipfix/ipfix.h"

#define TEMPLATES_MAX 8
#define FIELDS_MAX    32

/* What a collector has learned. */
static struct template
{
    uint16_t id, count;
    struct {
        uint16_t element, size;
    } fields[FIELDS_MAX];
}
templates[TEMPLATES_MAX];
static size_t template_count;

static void learn(struct reader *set, bool options)
{
    while (rd_left(set)) {
        struct template *t = &templates[template_count++];

        assert_true(template_count <= TEMPLATES_MAX);
        t->id = rd_u16(set);
        t->count = rd_u16(set);
        assert_true(t->count <= FIELDS_MAX);
        if (options)
            assert_int_equal(rd_u16(set), 1); /* scopes */
        for (size_t i = 0; i < t->count; i++) {
            t->fields[i].element = rd_u16(set);
            t->fields[i].size = rd_u16(set);
        }
        assert_false(set->bad);
    }
}

/* The next set, after the header was looked at. */
static struct reader next_set(struct reader *r, uint16_t *id)
{
    uint16_t len;

    *id = rd_u16(r);
    len = rd_u16(r);
    return rd_sub(r, len - 4u);
}

static struct reader header_of(struct bytes message, uint32_t sequence)
{
    struct reader r = reader_of_bytes(message);

    assert_int_equal(rd_u16(&r), 10);
    assert_int_equal(rd_u16(&r), message.len);
    assert_int_equal(rd_u32(&r), 1700000000);
    assert_int_equal(rd_u32(&r), sequence);
    assert_int_equal(rd_u32(&r), 77);
    return r;
}

/* The value of an element in the record that begins here, which is not passed. */
static struct bytes value_of(const struct reader *set, uint16_t template_id, uint16_t element)
{
    struct reader r = *set;

    for (size_t i = 0; i < template_count; i++)
        for (size_t f = 0; templates[i].id == template_id && f < templates[i].count; f++) {
            struct bytes value = rd_view(&r, templates[i].fields[f].size);

            if (templates[i].fields[f].element == element) {
                assert_false(r.bad);
                return value;
            }
        }
    fail_msg("template %u has no element %u", template_id, element);
    return bytes_of(NULL, 0);
}

static uint64_t number_of(const struct reader *set, uint16_t template_id, uint16_t element)
{
    struct bytes value = value_of(set, template_id, element);
    struct reader r = reader_of_bytes(value);

    return rd_uint(&r, value.len);
}

static int learn_all(void **state)
{
    uint8_t buffer[IPFIX_MESSAGE_MAX];
    struct ipfix_message m;
    struct reader r;

    (void)state;
    template_count = 0;
    ipfix_begin(&m, buffer, sizeof(buffer));
    assert_true(ipfix_add_templates(&m));
    ipfix_end(&m, 77, 5, 1700000000);
    assert_int_equal(m.records, 0);
    r = header_of(ipfix_bytes(&m), 5);
    while (rd_left(&r)) {
        uint16_t id;
        struct reader set = next_set(&r, &id);

        assert_true(id == 2 || id == 3);
        learn(&set, id == 3);
    }
    assert_int_equal(template_count, 7);
    return 0;
}

static struct ipfix_flow sample_flow(void)
{
    struct ipfix_flow f = {.ip_version = 4,
                           .protocol = 6,
                           .forwarding = IPFIX_FORWARDED,
                           .end_reason = IPFIX_ENDED,
                           .source = {10, 0, 0, 1},
                           .destination = {10, 0, 0, 2},
                           .source_port = 1000,
                           .destination_port = 80,
                           .tcp_flags = 0x13,
                           .vlan = 5,
                           .in_port = 1,
                           .out_port = 70000,
                           .octets = UINT64_C(0x100000002),
                           .packets = 9,
                           .start_ms = 1700000000123,
                           .end_ms = 1700000001123,
                           .selector = 1};
    return f;
}

static void a_flow_reads_as_it_was(void **state)
{
    static const uint8_t from[] = {10, 0, 0, 1};
    uint8_t buffer[IPFIX_MESSAGE_MAX];
    struct ipfix_flow f = sample_flow();
    struct ipfix_message m;
    struct reader r, set;
    uint16_t id;

    (void)state;
    ipfix_begin(&m, buffer, sizeof(buffer));
    assert_true(ipfix_add_flow(&m, &f));
    assert_true(ipfix_add_flow(&m, &f));
    ipfix_end(&m, 77, 0, 1700000000);
    assert_int_equal(m.records, 2);
    r = header_of(ipfix_bytes(&m), 0);
    set = next_set(&r, &id);
    assert_int_equal(rd_left(&r), 0); /* both are in one set */
    assert_int_equal(number_of(&set, id, 1), UINT64_C(0x100000002));
    assert_int_equal(number_of(&set, id, 2), 9);
    assert_int_equal(number_of(&set, id, 14), 70000);
    assert_int_equal(number_of(&set, id, 243), 5);
    assert_int_equal(number_of(&set, id, 136), 3);
    assert_int_equal(number_of(&set, id, 89), 64);
    assert_int_equal(number_of(&set, id, 6), 0x13);
    assert_int_equal(number_of(&set, id, 7), 1000);
    assert_int_equal(number_of(&set, id, 11), 80);
    assert_int_equal(number_of(&set, id, 152), 1700000000123);
    assert_true(bytes_equal(value_of(&set, id, 8), bytes_of(from, 4)));
}

static void versions_and_tunnels_have_templates_of_their_own(void **state)
{
    uint8_t buffer[IPFIX_MESSAGE_MAX];
    struct ipfix_flow f = sample_flow();
    struct ipfix_message m;
    struct reader r, set;
    uint16_t id;

    (void)state;
    ipfix_begin(&m, buffer, sizeof(buffer));
    f.tunnel = IPFIX_GTPU;
    f.tunnel_id = 0xabcdef01;
    assert_true(ipfix_add_flow(&m, &f));
    f.ip_version = 6;
    f.source[15] = 0x42;
    f.tunnel = IPFIX_VXLAN;
    f.tunnel_id = 0x123456;
    f.icmp = 0x8000;
    assert_true(ipfix_add_flow(&m, &f));
    ipfix_end(&m, 77, 0, 1700000000);
    r = header_of(ipfix_bytes(&m), 0);
    set = next_set(&r, &id);
    assert_int_equal(number_of(&set, id, 507), 0xabcdef01);
    set = next_set(&r, &id);
    assert_int_equal(number_of(&set, id, 351), UINT64_C(0x0100000000123456));
    assert_int_equal(value_of(&set, id, 27).at[15], 0x42);
    assert_int_equal(number_of(&set, id, 139), 0x8000);
}

static void sampling_is_told_by_an_option(void **state)
{
    uint8_t buffer[IPFIX_MESSAGE_MAX];
    const struct ipfix_sampling sampling = {.selector = 1, .population = 100, .space = 99};
    struct ipfix_message m;
    struct reader r, set;
    uint16_t id;

    (void)state;
    ipfix_begin(&m, buffer, sizeof(buffer));
    assert_true(ipfix_add_sampling(&m, &sampling));
    ipfix_end(&m, 77, 0, 1700000000);
    assert_int_equal(m.records, 1);
    r = header_of(ipfix_bytes(&m), 0);
    set = next_set(&r, &id);
    assert_int_equal(number_of(&set, id, 302), 1);
    assert_int_equal(number_of(&set, id, 304), 3);
    assert_int_equal(number_of(&set, id, 309), 1);
    assert_int_equal(number_of(&set, id, 310), 100);
    assert_int_equal(number_of(&set, id, 305), 1);
    assert_int_equal(number_of(&set, id, 306), 99);
}

static void a_full_message_stays_whole(void **state)
{
    uint8_t buffer[200];
    struct ipfix_flow f = sample_flow();
    struct ipfix_message m;
    uint32_t records = 0;
    struct reader r;
    uint16_t id;

    (void)state;
    ipfix_begin(&m, buffer, sizeof(buffer));
    while (ipfix_add_flow(&m, &f))
        records++;
    f.ip_version = 6;
    assert_false(ipfix_add_flow(&m, &f)); /* and its set was not begun */
    assert_true(records >= 2);
    ipfix_end(&m, 77, 0, 1700000000);
    assert_int_equal(m.records, records);
    r = header_of(ipfix_bytes(&m), 0);
    (void)next_set(&r, &id);
    assert_false(r.bad);
    assert_int_equal(rd_left(&r), 0);
    ipfix_begin(&m, buffer, 100);
    assert_false(ipfix_add_templates(&m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_flow_reads_as_it_was, learn_all),
        cmocka_unit_test_setup(versions_and_tunnels_have_templates_of_their_own, learn_all),
        cmocka_unit_test_setup(sampling_is_told_by_an_option, learn_all),
        cmocka_unit_test(a_full_message_stays_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
