/*
 * nas_pco_test.c -- protocol configuration options: what phones ask, what a P-GW answers, and
 * broken ones.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "wire/nas/nas.h"

static uint8_t octets[512];

static struct bytes hex(const char *digits)
{
    int n = hex_parse(digits, octets, sizeof(octets));

    assert_true(n >= 0);
    return bytes_of(octets, (size_t)n);
}

static void a_request_has_its_containers(void **state)
{
    (void)state;
    struct nas_pco_request asked = {.ipcp = true,
                                    .ipcp_id = 7,
                                    .dns_ipv4 = true,
                                    .p_cscf_ipv4 = true,
                                    .p_cscf_ipv6 = true,
                                    .ims_signalling = true,
                                    .bearer_control = true,
                                    .address_via_nas = true,
                                    .ipv4_mtu = true,
                                    .pap = bytes_of("\x01\x05\x00\x08\x01u\x01p", 8)};
    uint8_t out[256], expected[256];
    struct writer w = writer_of(out, sizeof(out));
    int n = hex_parse(
        "80 8021 10 01070010 810600000000 830600000000 c023 08 0105000801750170 000100 000200"
        "000500 000a00 000c00 000d00 001000",
        expected, sizeof(expected));

    nas_pco_write_request(&w, &asked);
    assert_false(w.bad);
    assert_int_equal(wr_len(&w), n);
    assert_memory_equal(out, expected, (size_t)n);
    w = writer_of(out, sizeof(out));
    nas_pco_write_request(&w, &(struct nas_pco_request){0});
    assert_int_equal(wr_len(&w), 1);
    assert_int_equal(out[0], 0x80);
}

static void an_answer_is_read(void **state)
{
    (void)state;
    struct nas_pco_answer a;
    char printed[64];

    assert_int_equal(
        nas_pco_read_answer(hex("80 8021 10 03000010 810608080808 830608080404"
                                "0003 10 20014860486000000000000000008888 0005 01 02"
                                "000d 04 08080808 000d 04 01010101 000c 04 0a000009"
                                "0001 10 20010db8000000000000000000000005 0010 02 0596"),
                            &a),
        0);
    assert_int_equal(a.dns_ipv4_count, 3); /* each once, though told by IPCP and by container */
    assert_string_equal(inet_ntop(AF_INET, &a.dns_ipv4[0], printed, sizeof(printed)), "8.8.8.8");
    assert_string_equal(inet_ntop(AF_INET, &a.dns_ipv4[1], printed, sizeof(printed)), "8.8.4.4");
    assert_string_equal(inet_ntop(AF_INET, &a.dns_ipv4[2], printed, sizeof(printed)), "1.1.1.1");
    assert_int_equal(a.dns_ipv6_count, 1);
    assert_string_equal(inet_ntop(AF_INET6, &a.dns_ipv6[0], printed, sizeof(printed)),
                        "2001:4860:4860::8888");
    assert_int_equal(a.p_cscf_ipv4_count, 1);
    assert_string_equal(inet_ntop(AF_INET, &a.p_cscf_ipv4[0], printed, sizeof(printed)),
                        "10.0.0.9");
    assert_int_equal(a.p_cscf_ipv6_count, 1);
    assert_int_equal(a.ipv4_mtu, 1430);
    /* A refused option has no server. */
    assert_int_equal(nas_pco_read_answer(hex("80 8021 0a 0404000a 810600000000"), &a), 0);
    assert_int_equal(a.dns_ipv4_count, 0);
}

static void broken_options_do_no_harm(void **state)
{
    (void)state;
    static const char *const broken[] = {"", "80 80", "80 8021", "80 8021 10 0100",
                                         "80 000d 05 08080808"};
    static const char *const odd[] = {
        "80 8021 03 010000",
        "80 8021 06 010000068100",
        "80 8021 06 010000068101",
        "80 8021 05 0100000581",
        "80 8021 08 0100000881ff0000",
        "80 c023 01 01",
        "80 c223 00",
        "80 000d 03 080808",
        "80 0010 01 05",
        "80 ffff 00",
        "00",
    };
    struct nas_pco_answer a;
    char printed[256];

    for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct text t = text_in(printed, sizeof(printed));
        assert_int_equal(nas_pco_read_answer(hex(broken[i]), &a), -EBADMSG);
        nas_pco_print(&t, hex(broken[i]));
        assert_non_null(strstr(printed, "broken"));
    }
    for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_int_equal(nas_pco_read_answer(hex(odd[i]), &a), 0);
        assert_int_equal(a.dns_ipv4_count + a.ipv4_mtu, 0);
    }
    struct writer w = writer_of(octets, sizeof(octets));
    nas_pco_add(&w, NAS_PCO_MSISDN, bytes_of(octets, 256));
    assert_true(w.bad);
}

static void more_servers_than_kept_are_left_out(void **state)
{
    (void)state;
    struct nas_pco_answer a;
    uint8_t out[256];
    struct writer w = writer_of(out, sizeof(out));

    nas_pco_begin(&w);
    for (uint8_t i = 0; i < 9; i++)
        nas_pco_add(&w, NAS_PCO_DNS_IPV4, bytes_of((uint8_t[]){10, 0, 0, i}, 4));
    assert_int_equal(nas_pco_read_answer(wr_view(&w), &a), 0);
    assert_int_equal(a.dns_ipv4_count, NAS_PCO_SERVERS_MAX);
}

static void passwords_are_not_printed(void **state)
{
    (void)state;
    char printed[256];
    struct text t = text_in(printed, sizeof(printed));

    nas_pco_print(
        &t, hex("80 c023 08 0105000801750170 000d 04 08080808 000c00 0010 02 0596 abcd 02 0102"
                "0003 10 20010db8000000000000000000000001"));
    assert_string_equal(printed,
                        "{pap:8 octets dns_ipv4:8.8.8.8 p_cscf_ipv4 ipv4_mtu:1430 0xabcd:0102 "
                        "dns_ipv6:2001:db8::1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_containers),
        cmocka_unit_test(an_answer_is_read),
        cmocka_unit_test(broken_options_do_no_harm),
        cmocka_unit_test(more_servers_than_kept_are_left_out),
        cmocka_unit_test(passwords_are_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
