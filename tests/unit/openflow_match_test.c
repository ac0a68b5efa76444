/*
 * openflow_match_test.c -- fields, matches and OXMs: bytes as OpenFlow 1.3.5 clause 7.2.3 has them,
 * errors, text.
 */
#include "unit.h"

#include "wire/openflow/openflow.h"

static of_error decode_hex(const char *hex, struct of_match *m)
{
    uint8_t bytes[512];
    int len = hex_parse(hex, bytes, sizeof(bytes));
    struct reader r = reader_of(bytes, (size_t)len);

    assert_true(len >= 0);
    return of_decode_match(&r, m);
}

static void check_text(const char *in, const char *out)
{
    struct of_match m;
    char buffer[512];
    struct text t = text_in(buffer, sizeof(buffer));
    const char *bad = "";

    if (of_parse_match(&m, in, strlen(in), &bad) < 0)
        fail_msg("%s: not understood at %s", in, bad);
    of_print_match(&t, &m);
    assert_string_equal(buffer, out);
}

static void table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < OF_FIELD_COUNT; i++) {
        const struct of_field *f = &of_fields[i];

        assert_true(f->bits > 0 && f->bits <= f->bytes * 8 && f->bytes <= 16);
        assert_true(f->offset + f->bytes <= sizeof(struct of_key));
        assert_ptr_equal(of_field_by_oxm(f->oxm_class, f->number, OF_EXPERIMENTER_NICIRA), f);
        assert_ptr_equal(of_field_by_name(f->name, strlen(f->name)), f);
    }
    assert_null(of_field_by_oxm(0x8000, 62, 0));
    assert_null(of_field_by_oxm(0xffff, 16, 1));
    assert_ptr_equal(of_field_by_oxm(0x0001, 16, 0), &of_fields[OF_TUNNEL_ID]);
    assert_null(of_field_by_name("no", 2));
}

static void match_has_the_bytes_of_the_standard(void **state)
{
    /* The uplink rule: in_port=2, tunnel_id=0x11, eth_type IPv4, ipv4_dst 10.45.0.0/16. */
    static const char hex[] =
        "0001 0030 8000 0004 00000002 8000 4c08 0000000000000011 8000 0a02 0800"
        "8000 1908 0a2d0000 ffff0000";
    struct of_match m = {0};
    struct in_addr net = {htonl(0x0a2d0000)};
    uint8_t wire[64], expected[64];
    struct writer w = writer_of(wire, sizeof(wire));
    int len = hex_parse(hex, expected, sizeof(expected));

    (void)state;
    of_match_set(&m, OF_IN_PORT, 2);
    of_match_set(&m, OF_TUNNEL_ID, 0x11);
    of_match_set(&m, OF_ETH_TYPE, 0x0800);
    of_match_ipv4(&m, OF_IPV4_DST, net, 16);
    of_encode_match(&w, &m);
    /* 4 + 8 + 12 + 6 + 12 = 42 bytes and padding to 48; the length does not count the padding. */
    expected[3] = 42;
    assert_int_equal(len, 42);
    assert_int_equal(wr_len(&w), 48);
    assert_memory_equal(wire, expected, 42);
    assert_false(w.bad);

    struct of_match back;
    struct reader r = reader_of(wire, 48);
    assert_int_equal(of_decode_match(&r, &back), 0);
    assert_true(of_match_equal(&m, &back));
    assert_int_equal(m.fields, back.fields);
    assert_int_equal(rd_left(&r), 0);
}

static void experimenter_fields_carry_their_number(void **state)
{
    struct of_match m = {0}, back;
    uint8_t wire[64];
    struct writer w = writer_of(wire, sizeof(wire));

    (void)state;
    of_match_set(&m, OF_TUN_GTPU_MSGTYPE, 254);
    of_match_set(&m, OF_TUN_SRC, 0x0a000002);
    of_encode_match(&w, &m);
    assert_int_equal(of_decode_match(&(struct reader){wire, wire + wr_len(&w), false}, &back), 0);
    assert_true(of_match_equal(&m, &back));
    /* NXM_NX_TUN_IPV4_SRC first, then class 0xffff, field 16, 5 bytes: 0x00002320 and the type. */
    const uint8_t expected[] = {0, 1,    0,    21, 0, 1, 62, 4,    10,   0,  0,
                                2, 0xff, 0xff, 32, 5, 0, 0,  0x23, 0x20, 254};
    assert_memory_equal(wire, expected, sizeof(expected));
}

static void broken_matches_give_the_exact_error(void **state)
{
    static const struct {
        const char *hex;
        of_error error;
    } cases[] = {
        {"0001 0004 00000000", 0},
        {"0000 0004 00000000", OFPBMC_BAD_TYPE},
        {"0001 0003 00000000", OFPBMC_BAD_LEN},
        {"0001 0010 00000000", OFPBMC_BAD_LEN},
        {"0001 000c 8000 00 05 00000001 00000000", OFPBMC_BAD_LEN},   /* OXM too long */
        {"0001 000c 8000 00 03 000001 00 00000000", OFPBMC_BAD_LEN},  /* wrong for in_port */
        {"0001 000c 8000 7c 04 00000001 00000000", OFPBMC_BAD_FIELD}, /* field 62 */
        {"0001 000c 7777 00 04 00000001 00000000", OFPBMC_BAD_FIELD}, /* class */
        {"0001 0010 8000 01 08 00000001 ffffffff", OFPBMC_BAD_MASK},  /* in_port under a mask */
        {"0001 0014 8000 00 04 00000001 8000 00 04 00000001 00000000", OFPBMC_DUP_FIELD},
        {"0001 000c 8000 16 04 0a000001 00000000", OFPBMC_BAD_PREREQ}, /* ipv4_src alone */
        {"0001 000a 8000 0c 02 2000 000000000000", OFPBMC_BAD_VALUE},  /* vlan_vid of 14 bits */
        {"0001 000a 8000 0c 02 0005 000000000000", OFPBMC_BAD_VALUE},  /* without present bit */
        {"0001 000c 8000 0d 04 1005 1000 00000000", OFPBMC_BAD_WILDCARDS},
        {"0001 000c 8000 0d 04 0060 00f0 00000000",
         0}, /* bits of an id, whether there is a tag or not */
        {"0001 000c 8000 0d 04 1000 1000 00000000", 0},                   /* any tag */
        {"0001 000f 8000 0a 02 0800 8000 10 01 40 00", OFPBMC_BAD_VALUE}, /* ip_dscp of 7 bits */
        {"0001 000f 8000 0a02 0806 8000 1401 06 00", OFPBMC_BAD_PREREQ},  /* ip_proto of ARP */
    };
    struct of_match m;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (decode_hex(cases[i].hex, &m) != cases[i].error)
            fail_msg("%s", cases[i].hex);
}

static void a_mask_of_zeros_says_nothing(void **state)
{
    struct of_match m;

    (void)state;
    assert_int_equal(decode_hex("0001 0018 8000 05 10 0000000000000000 0000000000000000", &m), 0);
    assert_int_equal(m.fields, 0);
    assert_int_equal(decode_hex("0001 0014 8000 07 0c 000000000000 000000000000 00000000", &m), 0);
    assert_int_equal(m.fields, 0);
}

static void text_goes_both_ways(void **state)
{
    (void)state;
    check_text("", "");
    check_text("in_port=2,tun_id=0x11", "in_port=2,tun_id=0x11");
    check_text("ip,nw_dst=10.45.0.0/16,in_port=1", "ip,in_port=1,ip_dst=10.45.0.0/16");
    check_text("tcp,tcp_dst=80,ip_src=10.0.0.1", "tcp,ip_src=10.0.0.1,tcp_dst=80");
    check_text("udp6,ipv6_dst=fd00::/64,udp_src=53", "udp6,ipv6_dst=fd00::/64,udp_src=53");
    check_text("dl_vlan=5,dl_vlan_pcp=3", "dl_vlan=5,vlan_pcp=3");
    check_text("vlan_vid=0x1000/0x1000", "vlan_vid=0x1000/0x1000");
    check_text("dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
               "eth_dst=01:00:00:00:00:00/01:00:00:00:00:00");
    check_text("arp,arp_op=1,arp_tpa=10.0.0.1", "arp,arp_op=1,arp_tpa=10.0.0.1");
    check_text("in_port=LOCAL,metadata=0x10/0xff,reg3=7",
               "in_port=LOCAL,metadata=0x10/0xff,reg3=0x7");
    check_text("ip,nw_frag=later", "ip,ip_frag=later");
    check_text("icmp6,icmpv6_type=135,nd_target=fe80::1",
               "icmp6,icmpv6_type=135,nd_target=fe80::1");
}

static void text_that_is_wrong_is_refused(void **state)
{
    static const char *const wrong[] = {
        "nonsense",
        "in_port",
        "in_port=",
        "in_port=5000000000",
        "ip_dst=10.0.0.1",
        "ip,ip_dst=10.0.0.300",
        "ip,ip_dst=10.0.0.0/33",
        "eth_dst=00:11:22:33:44",
        "in_port=1/1",
        "tcp,udp_dst=5",
        "dl_vlan=4096",
        "tun_id=-1",
    };
    struct of_match m;
    const char *bad;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        bad = NULL;
        if (of_parse_match(&m, wrong[i], strlen(wrong[i]), &bad) == 0 || !bad)
            fail_msg("accepted: %s", wrong[i]);
    }
}

static void matches_cover_keys(void **state)
{
    struct of_match m = {0};
    struct of_key key = {0};

    (void)state;
    of_match_set(&m, OF_ETH_TYPE, 0x0800);
    of_match_set_masked(&m, OF_IPV4_DST, 0x0a2d0000, 0xffff0000);
    assert_false(of_match_covers(&m, &key));
    of_key_set(&key, OF_ETH_TYPE, 0x0800);
    of_key_set(&key, OF_IPV4_DST, 0x0a2dffff);
    assert_true(of_match_covers(&m, &key));
    assert_int_equal(of_key_get(&key, OF_IPV4_DST), 0x0a2dffff);
    of_key_set(&key, OF_IPV4_DST, 0x0a2e0000);
    assert_false(of_match_covers(&m, &key));
    of_key_set(&key, OF_PBB_ISID, 0x123456);
    assert_int_equal(of_key_get(&key, OF_PBB_ISID), 0x123456);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(match_has_the_bytes_of_the_standard),
        cmocka_unit_test(experimenter_fields_carry_their_number),
        cmocka_unit_test(broken_matches_give_the_exact_error),
        cmocka_unit_test(a_mask_of_zeros_says_nothing),
        cmocka_unit_test(text_goes_both_ways),
        cmocka_unit_test(text_that_is_wrong_is_refused),
        cmocka_unit_test(matches_cover_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
