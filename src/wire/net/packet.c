/*
 * packet.c -- taking packets apart and building them: Ethernet, VLAN, IPv4, IPv6 with extension
 * headers, transports.
 */
#include <errno.h>

#include "wire/net/net.h"

/* ---- reading ---- */

static void read_transport(struct net_packet *p)
{
    struct reader r = reader_of_bytes(p->transport);

    p->payload = p->transport;
    if (p->later_fragment)
        return;
    switch (p->protocol) {
    case IP_TCP:
        p->src_port = rd_u16(&r);
        p->dst_port = rd_u16(&r);
        rd_skip(&r, 8);
        p->tcp_flags = rd_u16(&r);
        rd_skip(&r, 6);
        rd_skip(&r, (p->tcp_flags >> 12) > 5 ? ((p->tcp_flags >> 12) - 5u) * 4 : 0);
        p->tcp_flags &= 0xfff;
        break;
    case IP_UDP:
        p->src_port = rd_u16(&r);
        p->dst_port = rd_u16(&r);
        rd_skip(&r, 4);
        break;
    case IP_SCTP:
        p->src_port = rd_u16(&r);
        p->dst_port = rd_u16(&r);
        rd_skip(&r, 8);
        break;
    case IP_ICMP:
    case IP_ICMPV6:
        p->icmp_type = rd_u8(&r);
        p->icmp_code = rd_u8(&r);
        rd_skip(&r, 2);
        break;
    default:
        return;
    }
    if (!r.bad)
        p->payload = rd_rest(&r);
    else
        p->src_port = p->dst_port = p->tcp_flags = 0;
}

static int read_ipv4(struct bytes packet, struct net_packet *p)
{
    const struct ipv4_header *ip = (const void *)packet.at;
    size_t header, total;
    uint16_t fragment;

    if (packet.len < IPV4_MIN_SIZE)
        return -EBADMSG;
    header = ipv4_header_size(ip);
    total = ntohs(ip->total_length);
    if (header < IPV4_MIN_SIZE || total < header || total > packet.len)
        return -EBADMSG;
    fragment = ntohs(ip->fragment);
    p->version = 4;
    p->tos = ip->tos;
    p->ttl = ip->ttl;
    p->protocol = ip->protocol;
    p->fragment = fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK);
    p->later_fragment = fragment & IPV4_OFFSET_MASK;
    p->src.family_size = p->dst.family_size = 4;
    memcpy(&p->src.v4, &ip->src, 4);
    memcpy(&p->dst.v4, &ip->dst, 4);
    p->ip = bytes_of(packet.at, total);
    p->transport = bytes_of(packet.at + header, total - header);
    return 0;
}

bool net_ipv6_extension(struct reader *r, uint8_t *next, bool *fragment, bool *later_fragment)
{
    size_t units = 8;
    uint8_t type = *next, length;

    if (type != IP_HOP_BY_HOP && type != IP_ROUTING && type != IP_DESTINATION_OPTIONS &&
        type != IP_FRAGMENT && type != IP_AH)
        return false;
    *next = rd_u8(r);
    length = rd_u8(r);
    if (type == IP_FRAGMENT) {
        uint16_t offset = rd_u16(r);

        rd_skip(r, 4);
        *fragment = true;
        *later_fragment = offset & 0xfff8;
        return !r->bad;
    }
    units = type == IP_AH ? (length + 2u) * 4 : (length + 1u) * 8;
    rd_skip(r, units - 2);
    return !r->bad;
}

static int read_ipv6(struct bytes packet, struct net_packet *p)
{
    const struct ipv6_header *ip = (const void *)packet.at;
    struct reader r;
    size_t payload;

    if (packet.len < IPV6_SIZE)
        return -EBADMSG;
    payload = ntohs(ip->payload_length);
    if (payload > packet.len - IPV6_SIZE)
        return -EBADMSG;
    p->version = 6;
    p->tos = (uint8_t)(ntohl(ip->version_class_label) >> 20);
    p->ttl = ip->hop_limit;
    p->protocol = ip->next_header;
    p->src.family_size = p->dst.family_size = 16;
    memcpy(&p->src.v6, ip->src, 16);
    memcpy(&p->dst.v6, ip->dst, 16);
    p->ip = bytes_of(packet.at, IPV6_SIZE + payload);
    r = reader_of(packet.at + IPV6_SIZE, payload);
    while (!p->later_fragment &&
           net_ipv6_extension(&r, &p->protocol, &p->fragment, &p->later_fragment)) {
    }
    if (r.bad)
        return -EBADMSG;
    p->transport = rd_rest(&r);
    return 0;
}

static int read_ip(struct bytes packet, struct net_packet *p)
{
    int err = -EBADMSG;

    if (packet.len == 0)
        return err;
    if (packet.at[0] >> 4 == 4)
        err = read_ipv4(packet, p);
    else if (packet.at[0] >> 4 == 6)
        err = read_ipv6(packet, p);
    if (err == 0)
        read_transport(p);
    return err;
}

int net_read_ip(struct bytes packet, struct net_packet *p)
{
    memset(p, 0, sizeof(*p));
    return read_ip(packet, p);
}

int net_read_frame(struct bytes frame, struct net_packet *p)
{
    struct reader r = reader_of_bytes(frame);

    memset(p, 0, sizeof(*p));
    rd_bytes(&r, p->eth_dst, 6);
    rd_bytes(&r, p->eth_src, 6);
    p->eth_type = rd_u16(&r);
    while (p->eth_type == ETH_TYPE_VLAN || p->eth_type == ETH_TYPE_SERVICE_VLAN) {
        uint16_t tci = rd_u16(&r);

        if (!p->has_vlan)
            p->vlan_tci = tci;
        p->has_vlan = true;
        p->eth_type = rd_u16(&r);
    }
    if (r.bad)
        return -EBADMSG;
    p->has_ethernet = true;
    p->payload = rd_rest(&r);
    if (p->eth_type == ETH_TYPE_IPV4 || p->eth_type == ETH_TYPE_IPV6)
        return read_ip(p->payload, p);
    return 0;
}

/* ---- printing ---- */

static void print_address(struct text *t, const struct net_address *a, uint16_t port)
{
    char buffer[INET6_ADDRSTRLEN];

    text_add(t, "%s",
             inet_ntop(a->family_size == 4 ? AF_INET : AF_INET6, a->bytes, buffer, sizeof(buffer)));
    if (port)
        text_add(t, a->family_size == 4 ? ":%u" : ".%u", port);
}

void net_print_packet(struct text *t, const struct net_packet *p)
{
    static const struct {
        uint8_t protocol;
        const char *name;
    } names[] = {{IP_ICMP, "ICMP"},
                 {IP_TCP, "TCP"},
                 {IP_UDP, "UDP"},
                 {IP_ICMPV6, "ICMPv6"},
                 {IP_SCTP, "SCTP"}};

    if (!p->version) {
        text_add(
            t,
            "%02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x type 0x%04x %zu bytes",
            p->eth_src[0], p->eth_src[1], p->eth_src[2], p->eth_src[3], p->eth_src[4],
            p->eth_src[5], p->eth_dst[0], p->eth_dst[1], p->eth_dst[2], p->eth_dst[3],
            p->eth_dst[4], p->eth_dst[5], p->eth_type, p->payload.len);
        return;
    }
    print_address(t, &p->src, p->src_port);
    text_add(t, " > ");
    print_address(t, &p->dst, p->dst_port);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].protocol == p->protocol) {
            text_add(t, " %s", names[i].name);
            if (p->protocol == IP_ICMP || p->protocol == IP_ICMPV6)
                text_add(t, " %u/%u", p->icmp_type, p->icmp_code);
            text_add(t, " %zu bytes", p->ip.len);
            return;
        }
    text_add(t, " protocol %u %zu bytes", p->protocol, p->ip.len);
}

/* ---- writing ---- */

void net_write_ethernet(struct writer *w, const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
    wr_bytes(w, dst, 6);
    wr_bytes(w, src, 6);
    wr_u16(w, type);
}

size_t net_ip_begin(struct writer *w, const struct net_ip *ip)
{
    size_t begun = wr_len(w);
    uint8_t ttl = ip->ttl ? ip->ttl : 64;

    if (ip->version == 4) {
        wr_u8(w, 0x45);
        wr_u8(w, ip->tos);
        wr_u16(w, 0); /* total length */
        wr_u16(w, 0); /* id: an atomic datagram needs none (RFC 6864) */
        wr_u16(w, IPV4_DONT_FRAGMENT);
        wr_u8(w, ttl);
        wr_u8(w, ip->protocol);
        wr_u16(w, 0); /* checksum */
        wr_bytes(w, &ip->src.v4, 4);
        wr_bytes(w, &ip->dst.v4, 4);
    } else {
        wr_u32(w, UINT32_C(6) << 28 | (uint32_t)ip->tos << 20);
        wr_u16(w, 0); /* payload length */
        wr_u8(w, ip->protocol);
        wr_u8(w, ttl);
        wr_bytes(w, &ip->src.v6, 16);
        wr_bytes(w, &ip->dst.v6, 16);
    }
    return begun;
}

void net_ip_end(struct writer *w, size_t begun)
{
    uint8_t *at = w->start + begun;
    size_t len = wr_len(w) - begun;
    bool v4 = !w->bad && len >= IPV4_MIN_SIZE && at[0] >> 4 == 4;
    size_t header = v4 ? IPV4_MIN_SIZE : IPV6_SIZE;
    uint8_t *src = at + (v4 ? 12 : 8), *dst = src + (v4 ? 4 : 16);
    uint8_t protocol;
    be16 sum;

    if (w->bad || len < header || len > UINT16_MAX) {
        wr_fail(w);
        return;
    }
    wr_patch_u16(w, begun + (v4 ? 2 : 4), (uint16_t)(v4 ? len : len - header));
    protocol = at[v4 ? 9 : 6];
    if (protocol == IP_UDP && len >= header + UDP_SIZE)
        wr_patch_u16(w, begun + header + 4, (uint16_t)(len - header));
    net_fill_checksum(protocol, src, dst, v4 ? 4 : 16, at + header, len - header);
    if (!v4)
        return;
    memset(at + 10, 0, 2);
    sum = net_checksum(at, header);
    memcpy(at + 10, &sum, 2);
}

void net_write_udp(struct writer *w, uint16_t src, uint16_t dst)
{
    wr_u16(w, src);
    wr_u16(w, dst);
    wr_u32(w, 0);
}

void net_write_icmp_echo(struct writer *w, uint8_t type, uint16_t id, uint16_t sequence)
{
    wr_u8(w, type);
    wr_u8(w, 0);
    wr_u16(w, 0);
    wr_u16(w, id);
    wr_u16(w, sequence);
}
