/*
 * fragment.c -- cutting packets into fragments and telling a sender that its packet is too large
 * (fragment.h has the sources). Putting them together is in reassembly.c.
 */
#include <errno.h>

#include "wire/net/fragment.h"

/* ---- cutting ---- */

/* The options that go into every fragment: those with the copied flag (RFC 791 clause 3.1). */
static int copy_options(struct net_fragments *f, struct bytes options)
{
    struct reader r = reader_of_bytes(options);
    struct writer w = writer_of(f->later_header, sizeof(f->later_header));

    wr_bytes(&w, f->head.at + f->link, IPV4_MIN_SIZE);
    while (rd_left(&r) > 0) {
        const uint8_t *option = r.at;
        uint8_t type = rd_u8(&r), len;

        if (type == 0) /* end of options */
            break;
        if (type == 1) /* no operation */
            continue;
        len = rd_u8(&r);
        if (r.bad || len < 2)
            return -EBADMSG;
        rd_skip(&r, len - 2u);
        if (!r.bad && type & 0x80)
            wr_bytes(&w, option, len);
    }
    wr_zero(&w, -wr_len(&w) % 4);
    f->later_size = wr_len(&w);
    f->later_header[0] = (uint8_t)(0x40 | f->later_size / 4);
    return r.bad || w.bad ? -EBADMSG : 0;
}

static int begin_ipv4(struct net_fragments *f, struct bytes frame)
{
    const struct ipv4_header *ip = (const void *)(frame.at + f->link);
    size_t left = frame.len - f->link, size, total;
    uint16_t fragment;

    if (left < IPV4_MIN_SIZE)
        return -EBADMSG;
    size = ipv4_header_size(ip);
    total = ntohs(ip->total_length);
    if (size < IPV4_MIN_SIZE || total < size || total > left)
        return -EBADMSG;
    fragment = ntohs(ip->fragment);
    f->head = bytes_of(frame.at, f->link + size);
    f->rest = bytes_of(frame.at + f->head.len, total - size);
    f->more = fragment & IPV4_MORE_FRAGMENTS;
    f->offset = fragment & IPV4_OFFSET_MASK;
    if (f->offset * 8u + total > UINT16_MAX || (f->more && f->rest.len % 8 != 0))
        return -EBADMSG;
    f->whole = total <= f->mtu;
    if (f->whole)
        return 0;
    if (fragment & IPV4_DONT_FRAGMENT || f->mtu < size + 8)
        return -EMSGSIZE;
    return copy_options(f, bytes_of(frame.at + f->link + IPV4_MIN_SIZE, size - IPV4_MIN_SIZE));
}

/* Each fragment has the headers that routers on the way look at: up to the routing header, or else
 * the hop-by-hop options (RFC 8200 clause 4.5). */
static int begin_ipv6(struct net_fragments *f, struct bytes frame)
{
    const struct ipv6_header *ip = (const void *)(frame.at + f->link);
    size_t left = frame.len - f->link, payload, next_header_at;
    bool fragment = false, later = false;
    struct reader r;
    uint8_t type;

    if (left < IPV6_SIZE || ntohs(ip->payload_length) > left - IPV6_SIZE)
        return -EBADMSG;
    payload = ntohs(ip->payload_length);
    f->ipv6 = true;
    f->head = bytes_of(frame.at, f->link + IPV6_SIZE);
    f->next_header_at = f->link + offsetof(struct ipv6_header, next_header);
    r = reader_of(frame.at + f->head.len, payload);
    for (type = ip->next_header;;) {
        bool each = type == IP_HOP_BY_HOP || type == IP_ROUTING;

        next_header_at = (size_t)(r.at - frame.at);
        if (!net_ipv6_extension(&r, &type, &fragment, &later))
            break;
        if (!each)
            continue;
        f->next_header_at = next_header_at;
        f->head.len = (size_t)(r.at - frame.at);
    }
    if (r.bad || fragment)
        return -EBADMSG;
    f->rest = bytes_of(frame.at + f->head.len, f->link + IPV6_SIZE + payload - f->head.len);
    f->whole = IPV6_SIZE + payload <= f->mtu;
    if (!f->whole && f->mtu < f->head.len - f->link + IPV6_FRAGMENT_SIZE + 8)
        return -EMSGSIZE;
    return 0;
}

int net_fragments_begin(struct net_fragments *f, struct bytes frame, size_t link, size_t mtu,
                        uint32_t id)
{
    *f = (struct net_fragments){.link = link, .mtu = mtu, .id = id};
    if (link >= frame.len)
        return -EBADMSG;
    if (frame.at[link] >> 4 == 4)
        return begin_ipv4(f, frame);
    return frame.at[link] >> 4 == 6 ? begin_ipv6(f, frame) : -EBADMSG;
}

/* How much payload the next fragment takes behind `header` bytes. */
static size_t next_size(const struct net_fragments *f, size_t header)
{
    size_t room = f->mtu - header;

    return f->rest.len <= room ? f->rest.len : room & ~(size_t)7;
}

/* Both return how much payload they wrote. */
static size_t write_ipv4(const struct net_fragments *f, struct writer *w)
{
    struct bytes header = bytes_of(f->head.at + f->link, f->head.len - f->link);
    struct ipv4_header *ip = (void *)w->at;
    uint16_t fragment = (uint16_t)(f->offset + f->at / 8);
    size_t size;

    if (f->at > 0)
        header = bytes_of(f->later_header, f->later_size);
    size = next_size(f, header.len);
    if (f->more || size < f->rest.len)
        fragment |= IPV4_MORE_FRAGMENTS;
    wr_view_of(w, header);
    wr_bytes(w, f->rest.at, size);
    if (w->bad)
        return 0;
    ip->total_length = htons((uint16_t)(header.len + size));
    ip->fragment = htons(fragment);
    ip->checksum = 0;
    ip->checksum = net_checksum(ip, header.len);
    return size;
}

static size_t write_ipv6(const struct net_fragments *f, struct writer *w)
{
    struct bytes header = bytes_of(f->head.at + f->link, f->head.len - f->link);
    struct ipv6_header *ip = (void *)w->at;
    size_t size = next_size(f, header.len + IPV6_FRAGMENT_SIZE);

    wr_view_of(w, header);
    wr_u8(w, f->head.at[f->next_header_at]);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(f->at | (size < f->rest.len)));
    wr_u32(w, f->id);
    wr_bytes(w, f->rest.at, size);
    if (w->bad)
        return 0;
    ip->payload_length = htons((uint16_t)(header.len - IPV6_SIZE + IPV6_FRAGMENT_SIZE + size));
    wr_patch_u8(w, f->next_header_at, IP_FRAGMENT);
    return size;
}

int net_fragments_next(struct net_fragments *f, uint8_t *to, size_t room)
{
    struct writer w = writer_of(to, room);
    size_t written = f->rest.len;

    if (f->done)
        return 0;
    wr_bytes(&w, f->head.at, f->whole ? f->head.len : f->link);
    if (f->whole)
        wr_view_of(&w, f->rest);
    else
        written = f->ipv6 ? write_ipv6(f, &w) : write_ipv4(f, &w);
    if (w.bad)
        return -EMSGSIZE;
    f->at += written;
    f->rest = bytes_of(f->rest.at + written, f->rest.len - written);
    f->done = f->rest.len == 0;
    return (int)wr_len(&w);
}

/* ---- telling the sender ---- */

#define ICMP_FRAGMENTATION_NEEDED 4    /* a code of destination unreachable */
#define ICMP_ERROR_SIZE           8    /* of the header: type, code, checksum, and the MTU */
#define ICMP_ERROR_TOS            0xc0 /* RFC 1812 clause 4.3.2.5: internetwork control */
#define ICMPV6_REDIRECT           137

static bool icmp_is_error(uint8_t type)
{
    return type == ICMP_DESTINATION_UNREACHABLE || type == 4 /* source quench */ ||
           type == 5 /* redirect */ || type == ICMP_TIME_EXCEEDED ||
           type == 12 /* parameter problem */;
}

/* Host order. 0/8 and 127/8 are nobody's on a link; from 224 on it is many or nobody. */
static bool is_one_host(uint32_t address)
{
    uint32_t first = address >> 24;

    return first != 0 && first != 127 && first < 224;
}

static bool may_answer_ipv4(const struct ipv4_header *ip, struct bytes packet)
{
    size_t size = ipv4_header_size(ip);

    if (ntohs(ip->fragment) & IPV4_OFFSET_MASK)
        return false;
    if (!is_one_host(ntohl(ip->src)) || !is_one_host(ntohl(ip->dst)))
        return false;
    return ip->protocol != IP_ICMP || (packet.len > size && !icmp_is_error(packet.at[size]));
}

/* The message with as much of the packet as it takes: 0 or -EMSGSIZE. */
static int write_error(struct writer *w, const struct net_ip *ip, struct icmp_header icmp,
                       uint32_t mtu, struct bytes quoted)
{
    struct writer tried = *w;
    size_t begun = net_ip_begin(&tried, ip);

    wr_u8(&tried, icmp.type);
    wr_u8(&tried, icmp.code);
    wr_u16(&tried, 0);
    wr_u32(&tried, mtu);
    wr_view_of(&tried, quoted);
    net_ip_end(&tried, begun);
    if (tried.bad)
        return -EMSGSIZE;
    *w = tried;
    return 0;
}

static struct bytes quote(struct bytes packet, size_t total, size_t most)
{
    size_t len = packet.len < total ? packet.len : total;

    return bytes_of(packet.at, len < most ? len : most);
}

int net_write_fragmentation_needed(struct writer *w, struct bytes packet, struct in_addr from,
                                   uint16_t mtu)
{
    const struct ipv4_header *ip = (const void *)packet.at;
    struct net_ip outer = {.version = 4, .tos = ICMP_ERROR_TOS, .protocol = IP_ICMP};
    struct icmp_header icmp = {ICMP_DESTINATION_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, 0};
    struct in_addr sender;
    size_t size;

    if (packet.len < IPV4_MIN_SIZE || packet.at[0] >> 4 != 4)
        return -EBADMSG;
    size = ipv4_header_size(ip);
    if (size < IPV4_MIN_SIZE || size > packet.len || ntohs(ip->total_length) < size)
        return -EBADMSG;
    if (!may_answer_ipv4(ip, packet))
        return -EINVAL;
    memcpy(&sender, &ip->src, sizeof(sender));
    outer.src = net_address_v4(from);
    outer.dst = net_address_v4(sender);
    return write_error(w, &outer, icmp, mtu,
                       quote(packet, ntohs(ip->total_length),
                             IPV4_LEAST_REASSEMBLY - IPV4_MIN_SIZE - ICMP_ERROR_SIZE));
}

/* The packet is no later fragment, and no ICMPv6 message that may not be answered (RFC 4443 clause
 * 2.4 e). 0, -EINVAL or -EBADMSG. */
static int may_answer_ipv6(const struct ipv6_header *ip, struct bytes packet)
{
    struct reader r = reader_of(packet.at + IPV6_SIZE, packet.len - IPV6_SIZE);
    bool fragment = false, later = false;
    uint8_t type = ip->next_header, message;
    struct in6_addr src;

    memcpy(&src, ip->src, sizeof(src));
    if (IN6_IS_ADDR_UNSPECIFIED(&src) || IN6_IS_ADDR_LOOPBACK(&src) || IN6_IS_ADDR_MULTICAST(&src))
        return -EINVAL;
    while (!later && net_ipv6_extension(&r, &type, &fragment, &later)) {
    }
    if (r.bad)
        return -EBADMSG;
    if (later)
        return -EINVAL;
    message = rd_u8(&r);
    if (type == IP_ICMPV6 && (r.bad || message < ICMPV6_ECHO_REQUEST || message == ICMPV6_REDIRECT))
        return -EINVAL;
    return 0;
}

int net_write_packet_too_big(struct writer *w, struct bytes packet, const struct in6_addr *from,
                             uint32_t mtu)
{
    const struct ipv6_header *ip = (const void *)packet.at;
    struct net_ip outer = {.version = 6, .protocol = IP_ICMPV6};
    struct icmp_header icmp = {ICMPV6_PACKET_TOO_BIG, 0, 0};
    struct in6_addr sender;
    int err;

    if (packet.len < IPV6_SIZE || packet.at[0] >> 4 != 6)
        return -EBADMSG;
    if ((err = may_answer_ipv6(ip, packet)) < 0)
        return err;
    memcpy(&sender, ip->src, sizeof(sender));
    outer.src = net_address_v6(from);
    outer.dst = net_address_v6(&sender);
    return write_error(w, &outer, icmp, mtu,
                       quote(packet, IPV6_SIZE + (size_t)ntohs(ip->payload_length),
                             IPV6_MIN_MTU - IPV6_SIZE - ICMP_ERROR_SIZE));
}
