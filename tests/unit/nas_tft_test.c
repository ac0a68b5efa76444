/*
 * nas_tft_test.c -- traffic flow templates: a voice bearer's both ways, every operation, and every
 * cut.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/nas/nas.h"

static uint8_t octets[512];

static struct bytes hex(const char *digits)
{
    int n = hex_parse(digits, octets, sizeof(octets));

    assert_true(n >= 0);
    return bytes_of(octets, (size_t)n);
}

static void a_voice_template_both_ways(void **state)
{
    (void)state;
    struct nas_tft tft;
    uint8_t out[128];
    char printed[512];
    struct writer w = writer_of(out, sizeof(out));
    struct text t = text_in(printed, sizeof(printed));

    /* Two filters, one each way: remote address, protocol UDP, ports; a prefix; and parameters. */
    struct bytes value = hex("32 21 fe 11 10 c0a80001ffffffff 30 11 40 c000 50 1388 12 ff 12 21"
                             "20010db800000000000000000000000140 aabb");

    assert_int_equal(nas_tft_decode(value, &tft), 0);
    assert_int_equal(tft.operation, NAS_TFT_CREATE);
    assert_int_equal(tft.filter_count, 2);
    assert_int_equal(tft.filters[0].id, 1);
    assert_int_equal(tft.filters[0].direction, NAS_FILTER_UPLINK);
    assert_int_equal(tft.filters[0].precedence, 0xfe);
    assert_int_equal(tft.filters[1].direction, NAS_FILTER_DOWNLINK);
    assert_true(tft.has_parameters);
    assert_int_equal(tft.parameters.len, 2);
    nas_tft_encode(&w, &tft);
    assert_true(bytes_equal(wr_view(&w), value));
    nas_tft_print(&t, value);
    assert_string_equal(
        printed,
        "{operation:1 1{direction:2 precedence:254 10:c0a80001ffffffff 30:11 40:c000 50:1388} "
        "2{direction:1 precedence:255 21:20010db800000000000000000000000140} "
        "parameters:aabb}");

    struct reader r = reader_of_bytes(tft.filters[0].components);
    static const uint8_t expected[] = {NAS_FILTER_IPV4_REMOTE, NAS_FILTER_PROTOCOL,
                                       NAS_FILTER_LOCAL_PORT, NAS_FILTER_REMOTE_PORT};
    uint8_t component;
    struct bytes part;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(nas_packet_filter_next(&r, &component, &part));
        assert_int_equal(component, expected[i]);
    }
    assert_false(nas_packet_filter_next(&r, &component, &part));
    assert_false(r.bad);

    for (size_t len = 0; len < value.len - 2; len++) { /* cut anywhere but in the parameters */
        uint8_t *copy = malloc(len > 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, value.at, len);
        assert_int_equal(nas_tft_decode(bytes_of(copy, len), &tft), -EBADMSG);
        free(copy);
    }
}

static void every_operation_has_its_filters(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int err;
    } sets[] = {
        {"00", 0},
        {"20", -EBADMSG},
        {"40", 0},
        {"41 01", -EBADMSG},
        {"60", -EBADMSG},
        {"61 31 01 02 30 06", 0},
        {"81 31 01 02 30 06", 0},
        {"a0", -EBADMSG},
        {"a2 01 02", 0},
        {"a2 01", -EBADMSG},
        {"c0", 0},
        {"d0 aabb", 0},
        {"e0", -EBADMSG},
        {"", -EBADMSG},
        {"21 31 01 02 31 06", -EBADMSG},    /* a component that is not defined */
        {"21 31 01 03 30 06 30", -EBADMSG}, /* one without its value */
    };

    for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct nas_tft tft;
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof(out));
        struct bytes value = hex(sets[i].hex);
        assert_int_equal(nas_tft_decode(value, &tft), sets[i].err);
        if (sets[i].err)
            continue;
        nas_tft_encode(&w, &tft);
        assert_true(bytes_equal(wr_view(&w), value));
    }
}

static void what_cannot_be_coded_is_refused(void **state)
{
    (void)state;
    uint8_t out[64];
    struct nas_tft bad[] = {
        {.operation = NAS_TFT_CREATE},
        {.operation = NAS_TFT_CREATE, .filter_count = 16},
        {.operation = 7},
        {.operation = NAS_TFT_CREATE, .filter_count = 1, .filters = {{.components = {out, 256}}}}};

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct writer w = writer_of(out, sizeof(out));
        nas_tft_encode(&w, &bad[i]);
        assert_true(w.bad);
    }
    char printed[64];
    struct text t = text_in(printed, sizeof(printed));
    nas_tft_print(&t, hex("e0"));
    assert_string_equal(printed, "broken:e0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_voice_template_both_ways),
        cmocka_unit_test(every_operation_has_its_filters),
        cmocka_unit_test(what_cannot_be_coded_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
