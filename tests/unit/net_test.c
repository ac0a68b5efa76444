/*
 * net_test.c -- checksums against the vectors of their RFCs, headers read and built, neighbours,
 * LLDP; everything cut at every length.
 */
#include <errno.h>
#include <stdlib.h>

#include "unit.h"
#include "wire/net/lldp.h"
#include "wire/net/net.h"

static struct net_address v4(const char *text)
{
    struct in_addr a;

    assert_int_equal(inet_pton(AF_INET, text, &a), 1);
    return net_address_v4(a);
}

static struct net_address v6(const char *text)
{
    struct in6_addr a;

    assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
    return net_address_v6(&a);
}

static void checksums_are_those_of_the_standards(void **state)
{
    static const uint8_t rfc1071[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint8_t data[64];
    be16 sum, expected;

    (void)state;
    assert_int_equal(ntohs(net_checksum(rfc1071, sizeof(rfc1071))), (uint16_t)~0xddf2);
    assert_int_equal(net_crc32c("123456789", 9), 0xe3069283);
    memset(data, 0, 32);
    assert_int_equal(net_crc32c(data, 32), 0x8a9136aa); /* RFC 3720 appendix B.4 */

    /* An updated sum is the sum of the updated bytes, whatever changed. */
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 11);
    sum = net_checksum(data, sizeof(data));
    for (uint8_t round = 0; round < 100; round++) {
        uint8_t was[4];
        size_t at = (size_t)round % 15 * 4;

        memcpy(was, data + at, 4);
        data[at] = round;
        data[at + 3] ^= 0xff;
        net_checksum_replace(&sum, was, data + at, 4);
        expected = net_checksum(data, sizeof(data));
        assert_true(sum == expected || (uint16_t)(sum ^ expected) == 0xffff);
    }
    /* An odd length counts its last byte as the upper half. */
    assert_int_equal(net_checksum("\x12\x34\x56", 3), net_checksum("\x12\x34\x56\x00", 4));
}

static size_t build(uint8_t *at, uint8_t version, uint8_t protocol, const void *payload, size_t len)
{
    struct writer w = writer_of(at, 512);
    struct net_ip ip = {.version = version, .tos = 0xb8, .protocol = protocol};
    size_t begun;

    ip.src = version == 4 ? v4("10.0.0.1") : v6("fd00::1");
    ip.dst = version == 4 ? v4("10.0.0.2") : v6("fd00::2");
    begun = net_ip_begin(&w, &ip);
    if (protocol == IP_UDP)
        net_write_udp(&w, 1000, 2000);
    else if (protocol == IP_ICMP || protocol == IP_ICMPV6)
        net_write_icmp_echo(&w, protocol == IP_ICMP ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST, 7,
                            8);
    else
        wr_zero(&w, protocol == IP_TCP ? TCP_MIN_SIZE : SCTP_SIZE);
    wr_bytes(&w, payload, len);
    net_ip_end(&w, begun);
    assert_false(w.bad);
    return wr_len(&w);
}

static void what_is_built_is_read(void **state)
{
    static const struct {
        uint8_t version, protocol;
    } kinds[] = {{4, IP_UDP},  {6, IP_UDP},  {4, IP_ICMP}, {6, IP_ICMPV6},
                 {4, IP_SCTP}, {6, IP_SCTP}, {4, IP_TCP},  {6, IP_TCP}};
    uint8_t bytes[512];

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = build(bytes, kinds[i].version, kinds[i].protocol, "hello", 5);
        struct net_packet p;

        assert_int_equal(net_read_ip(bytes_of(bytes, len), &p), 0);
        assert_int_equal(p.version, kinds[i].version);
        assert_int_equal(p.protocol, kinds[i].protocol);
        assert_int_equal(p.tos, 0xb8);
        assert_int_equal(p.ttl, 64);
        assert_true(net_checksum_ok(p.protocol, p.src.bytes, p.dst.bytes, p.src.family_size,
                                    p.transport.at, p.transport.len));
        bytes[len - 1] ^= 1;
        assert_false(net_checksum_ok(p.protocol, p.src.bytes, p.dst.bytes, p.src.family_size,
                                     p.transport.at, p.transport.len));
        if (kinds[i].version == 4)
            assert_int_equal(net_checksum(bytes, IPV4_MIN_SIZE), 0);
        if (kinds[i].protocol == IP_UDP) {
            assert_int_equal(p.src_port, 1000);
            assert_int_equal(p.dst_port, 2000);
            assert_int_equal(p.payload.len, 5);
        }
    }
}

static void frames_with_tags_and_padding_are_read(void **state)
{
    uint8_t frame[600];
    struct writer w = writer_of(frame, sizeof(frame));
    uint8_t ip[512];
    size_t len = build(ip, 4, IP_UDP, "x", 1);
    struct net_packet p;
    char text[200];
    struct text t = text_in(text, sizeof(text));

    (void)state;
    net_write_ethernet(&w, (const uint8_t *)"\1\2\3\4\5\6", (const uint8_t *)"\7\10\11\12\13\14",
                       ETH_TYPE_SERVICE_VLAN);
    wr_u16(&w, 0x2005);
    wr_u16(&w, ETH_TYPE_VLAN);
    wr_u16(&w, 0x0006);
    wr_u16(&w, ETH_TYPE_IPV4);
    wr_bytes(&w, ip, len);
    wr_zero(&w, 20); /* the link's padding */
    assert_int_equal(net_read_frame(wr_view(&w), &p), 0);
    assert_true(p.has_vlan);
    assert_int_equal(p.vlan_tci, 0x2005);
    assert_int_equal(p.eth_type, ETH_TYPE_IPV4);
    assert_int_equal(p.ip.len, len);
    assert_int_equal(p.payload.len, 1);
    net_print_packet(&t, &p);
    assert_string_equal(text, "10.0.0.1:1000 > 10.0.0.2:2000 UDP 29 bytes");
    for (size_t cut = 0; cut < wr_len(&w) - 20; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);

        memcpy(copy, frame, cut);
        assert_int_equal(net_read_frame(bytes_of(copy, cut), &p), -EBADMSG);
        free(copy);
    }
}

static void ipv6_extensions_are_walked(void **state)
{
    /* hop-by-hop, fragment (offset 0, more), destination options, UDP */
    uint8_t packet[IPV6_SIZE + 8 + 8 + 8 + 8] = {0x60};
    struct net_packet p;
    uint8_t *at = packet + IPV6_SIZE;

    (void)state;
    packet[5] = 32;
    packet[6] = IP_HOP_BY_HOP;
    at[0] = IP_FRAGMENT;
    at[8] = IP_DESTINATION_OPTIONS;
    at[11] = 1; /* more fragments */
    at[16] = IP_UDP;
    at[25] = 53; /* source port 0x0035 */
    assert_int_equal(net_read_ip(bytes_of(packet, sizeof(packet)), &p), 0);
    assert_int_equal(p.protocol, IP_UDP);
    assert_true(p.fragment);
    assert_false(p.later_fragment);
    assert_int_equal(p.src_port, 53);
    at[10] = 1; /* offset 32 units */
    assert_int_equal(net_read_ip(bytes_of(packet, sizeof(packet)), &p), 0);
    assert_true(p.later_fragment);
    assert_int_equal(p.protocol, IP_DESTINATION_OPTIONS);
    assert_int_equal(p.src_port, 0);
    at[1] = 200; /* an extension longer than the packet */
    assert_int_equal(net_read_ip(bytes_of(packet, sizeof(packet)), &p), -EBADMSG);
}

static void contradictions_are_refused(void **state)
{
    uint8_t bytes[512];
    size_t len = build(bytes, 4, IP_UDP, "hello", 5);
    struct net_packet p;

    (void)state;
    bytes[0] = 0x44; /* header shorter than 20 */
    assert_int_equal(net_read_ip(bytes_of(bytes, len), &p), -EBADMSG);
    bytes[0] = 0x4f; /* longer than the packet */
    assert_int_equal(net_read_ip(bytes_of(bytes, len), &p), -EBADMSG);
    bytes[0] = 0x55;
    assert_int_equal(net_read_ip(bytes_of(bytes, len), &p), -EBADMSG);
    bytes[0] = 0x45;
    bytes[3]++; /* total length beyond the end */
    assert_int_equal(net_read_ip(bytes_of(bytes, len), &p), -EBADMSG);
    assert_int_equal(net_read_ip(bytes_of(bytes, 0), &p), -EBADMSG);
}

static void arp_goes_round(void **state)
{
    struct net_arp arp = {.op = ARP_REQUEST,
                          .sha = {2, 0, 0, 0, 0, 1},
                          .spa = v4("10.0.0.1").v4,
                          .tpa = v4("10.0.0.2").v4};
    struct net_arp back;
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof(bytes));

    (void)state;
    net_write_arp(&w, &arp);
    assert_int_equal(wr_len(&w), 28);
    assert_int_equal(net_read_arp(wr_view(&w), &back), 0);
    assert_memory_equal(&arp, &back, sizeof(arp));
    assert_int_equal(net_read_arp(bytes_of(bytes, 27), &back), -EBADMSG);
    bytes[4] = 8;
    assert_int_equal(net_read_arp(wr_view(&w), &back), -EBADMSG);
}

static void neighbour_discovery_goes_round(void **state)
{
    struct net_nd messages[] = {
        {.type = ICMPV6_ROUTER_SOLICITATION},
        {.type = ICMPV6_ROUTER_ADVERTISEMENT,
         .hop_limit = 64,
         .lifetime_s = 9000,
         .reachable_ms = 1,
         .retransmit_ms = 2,
         .mtu = 1400,
         .has_prefix = true,
         .prefix = {.prefix = v6("2001:db8:1::").v6,
                    .length = 64,
                    .autonomous = true,
                    .valid_s = 0xffffffff,
                    .preferred_s = 0xffffffff},
         .dns_count = 1,
         .dns_lifetime_s = 600,
         .dns = {v6("2001:db8::53").v6}},
        {.type = ICMPV6_NEIGHBOUR_SOLICITATION,
         .target = v6("fe80::1").v6,
         .has_link_address = true,
         .link_address = {2, 0, 0, 0, 0, 1}},
        {.type = ICMPV6_NEIGHBOUR_ADVERTISEMENT,
         .target = v6("fe80::1").v6,
         .router = true,
         .solicited = true,
         .override = true,
         .has_link_address = true,
         .link_address = {2, 0, 0, 0, 0, 2}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        uint8_t bytes[256];
        struct writer w = writer_of(bytes, sizeof(bytes));
        struct net_nd back;

        net_write_nd(&w, &messages[i]);
        assert_false(w.bad);
        assert_int_equal(net_read_nd(wr_view(&w), &back), 0);
        assert_memory_equal(&back, &messages[i], sizeof(back));
        for (size_t cut = 0; cut < wr_len(&w); cut++) {
            uint8_t *copy = malloc(cut ? cut : 1);

            memcpy(copy, bytes, cut);
            (void)net_read_nd(bytes_of(copy, cut), &back);
            free(copy);
        }
    }
    /* An option of length 0 would be read for ever (RFC 4861 clause 4.6). */
    uint8_t endless[] = {133, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    struct net_nd nd;
    assert_int_equal(net_read_nd(bytes_of(endless, sizeof(endless)), &nd), -EBADMSG);
    endless[0] = 128;
    assert_int_equal(net_read_nd(bytes_of(endless, sizeof(endless)), &nd), -EBADMSG);
}

static void lldp_goes_round(void **state)
{
    struct lldp lldp = {.chassis_subtype = LLDP_CHASSIS_LOCAL,
                        .chassis_id = bytes_of("dpid:1", 6),
                        .port_subtype = LLDP_PORT_LOCAL,
                        .port_id = bytes_of("2", 1),
                        .ttl_s = 120,
                        .system_name = bytes_of("sw", 2),
                        .organisation_count = 1};
    struct lldp back;
    uint8_t bytes[600];
    struct writer w = writer_of(bytes, sizeof(bytes));
    char text[100];
    struct text t = text_in(text, sizeof(text));

    (void)state;
    lldp.organisation[0] = (struct lldp_organisation_tlv){0x0026e1, 1, bytes_of("signature", 9)};
    lldp_write(&w, &lldp);
    assert_int_equal(lldp_read(wr_view(&w), &back), 0);
    assert_true(bytes_equal(back.chassis_id, lldp.chassis_id));
    assert_true(bytes_equal(back.port_id, lldp.port_id));
    assert_int_equal(back.ttl_s, 120);
    assert_int_equal(back.organisation_count, 1);
    assert_int_equal(back.organisation[0].oui, 0x0026e1);
    assert_true(bytes_equal(back.organisation[0].value, bytes_of("signature", 9)));
    lldp_print(&t, &back);
    assert_string_equal(text, "chassis 7:dpid:1 port 7:2 ttl 120s name sw");
    for (size_t cut = 0; cut < wr_len(&w); cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);

        memcpy(copy, bytes, cut);
        (void)lldp_read(bytes_of(copy, cut), &back);
        free(copy);
    }
    bytes[0] = 4; /* port ID first */
    assert_int_equal(lldp_read(wr_view(&w), &back), -EBADMSG);
    assert_int_equal(lldp_read(bytes_of(bytes, 0), &back), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_the_standards),
        cmocka_unit_test(what_is_built_is_read),
        cmocka_unit_test(frames_with_tags_and_padding_are_read),
        cmocka_unit_test(ipv6_extensions_are_walked),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(arp_goes_round),
        cmocka_unit_test(neighbour_discovery_goes_round),
        cmocka_unit_test(lldp_goes_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
