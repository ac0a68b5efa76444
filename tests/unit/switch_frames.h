/*
 * switch_frames.h -- frames for the switch's tests, one of each kind that rewriting treats
 * differently.
 */
#ifndef STROWGER_TESTS_SWITCH_FRAMES_H
#define STROWGER_TESTS_SWITCH_FRAMES_H

#include "unit.h"
#include "switch/packet.h"

struct frame {
    uint8_t bytes[256];
    size_t len;
};

static inline struct net_address frame_address(const char *text)
{
    struct net_address a = {.family_size = strchr(text, ':') ? 16 : 4};

    assert_int_equal(inet_pton(a.family_size == 16 ? AF_INET6 : AF_INET, text, a.bytes), 1);
    return a;
}

static inline void frame_transport(struct writer *w, uint8_t protocol)
{
    static const uint8_t link[6] = {2, 0, 0, 0, 0, 7};
    struct net_nd nd = {.type = ICMPV6_NEIGHBOUR_SOLICITATION, .has_link_address = true};

    switch (protocol) {
    case IP_UDP:
        net_write_udp(w, 1000, 2000);
        wr_bytes(w, "payload", 7);
        break;
    case IP_TCP:
        wr_u16(w, 1000);
        wr_u16(w, 2000);
        wr_zero(w, 8);
        wr_u16(w, 0x5002); /* SYN */
        wr_zero(w, 6);
        wr_bytes(w, "segment", 7);
        break;
    case IP_SCTP:
        wr_u16(w, 1000);
        wr_u16(w, 2000);
        wr_zero(w, 8);
        wr_bytes(w, "chunk", 5);
        break;
    case IP_ICMP:
        net_write_icmp_echo(w, ICMP_ECHO_REQUEST, 1, 2);
        wr_bytes(w, "ping", 4);
        break;
    default:
        memcpy(nd.link_address, link, 6);
        nd.target = frame_address("fe80::9").v6;
        net_write_nd(w, &nd);
    }
}

/* An IP packet in an Ethernet frame, behind `tags` VLAN tags. */
static inline struct frame frame_ip(uint8_t version, uint8_t protocol, unsigned tags)
{
    static const uint8_t dst[6] = {2, 0, 0, 0, 0, 2}, src[6] = {2, 0, 0, 0, 0, 1};
    struct frame f = {.len = 0};
    struct writer w = writer_of(f.bytes, sizeof(f.bytes));
    struct net_ip ip = {.version = version, .tos = 0x28, .ttl = 64, .protocol = protocol};
    size_t begun;

    wr_bytes(&w, dst, 6);
    wr_bytes(&w, src, 6);
    for (unsigned i = 0; i < tags; i++) {
        wr_u16(&w, ETH_TYPE_VLAN);
        wr_u16(&w, (uint16_t)(0x6000 | (i + 5)));
    }
    wr_u16(&w, version == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
    ip.src = frame_address(version == 4 ? "10.0.0.1" : "fd00::1");
    ip.dst = frame_address(version == 4 ? "10.0.0.2" : "fd00::2");
    begun = net_ip_begin(&w, &ip);
    frame_transport(&w, protocol);
    net_ip_end(&w, begun);
    assert_false(w.bad);
    f.len = wr_len(&w);
    return f;
}

static inline struct frame frame_arp(void)
{
    struct frame f = {.len = 0};
    struct writer w = writer_of(f.bytes, sizeof(f.bytes));
    struct net_arp arp = {.op = ARP_REQUEST, .sha = {2, 0, 0, 0, 0, 1}};

    arp.spa = frame_address("10.0.0.1").v4;
    arp.tpa = frame_address("10.0.0.2").v4;
    net_write_ethernet(&w, (const uint8_t *)"\xff\xff\xff\xff\xff\xff", arp.sha, ETH_TYPE_ARP);
    net_write_arp(&w, &arp);
    f.len = wr_len(&w);
    return f;
}

static inline struct packet *frame_packet(const struct frame *f)
{
    struct packet *p = packet_copy_of(bytes_of(f->bytes, f->len));

    assert_non_null(p);
    packet_enter(p, 1);
    packet_parse(p);
    return p;
}

/* All checksums of the packet are right. */
static inline void frame_checksums_ok(const struct packet *p)
{
    struct net_packet n;

    assert_int_equal(net_read_frame(packet_bytes(p), &n), 0);
    if (n.version == 4)
        assert_int_equal(net_checksum(n.ip.at, (size_t)(n.ip.at[0] & 0xf) * 4), 0);
    if (n.version && !n.fragment)
        assert_true(net_checksum_ok(n.protocol, n.src.bytes, n.dst.bytes, n.src.family_size,
                                    n.transport.at, n.transport.len));
}

#endif
