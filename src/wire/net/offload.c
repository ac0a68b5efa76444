/*
 * offload.c -- completing checksums (RFC 1071) and cutting large packets into TCP segments (RFC
 * 9293) or UDP datagrams.
 *
 * Each segment is the large packet's headers with a part of its payload. What differs from segment
 * to segment: the IP lengths, IPv4's identification and checksum; TCP's sequence number, the flags
 * that belong to the first or the last, the urgent pointer; UDP's length; the transport's checksum.
 */
#include <errno.h>

#include "wire/net/offload.h"

#define TCP_FIN 0x001
#define TCP_SYN 0x002
#define TCP_RST 0x004
#define TCP_PSH 0x008
#define TCP_URG 0x020
#define TCP_CWR 0x080

int net_link_size(struct bytes frame, uint16_t *type)
{
    struct reader r = reader_of_bytes(frame);

    rd_skip(&r, ETH_HEADER_SIZE - 2);
    *type = rd_u16(&r);
    while (*type == ETH_TYPE_VLAN || *type == ETH_TYPE_SERVICE_VLAN) {
        rd_skip(&r, 2);
        *type = rd_u16(&r);
    }
    return r.bad ? -EBADMSG : (int)(r.at - frame.at);
}

static be16 finish_nonzero(uint32_t sum)
{
    be16 finished = net_sum_finish(sum);

    return finished ? finished : 0xffff;
}

int net_checksum_complete(uint8_t *bytes, size_t len, size_t checksum_start, size_t checksum_offset)
{
    be16 sum;

    if (checksum_start > len || checksum_offset > len - checksum_start ||
        len - checksum_start - checksum_offset < sizeof(sum))
        return -EBADMSG;
    sum = finish_nonzero(net_sum(bytes + checksum_start, len - checksum_start, 0));
    memcpy(bytes + checksum_start + checksum_offset, &sum, sizeof(sum));
    return 0;
}

/* ---- reading the large packet ---- */

/* The transport segment; `ip` is what is left of the frame from the network layer on. */
static int read_ipv4(struct net_segments *s, struct bytes ip, struct bytes *transport)
{
    const struct ipv4_header *header = (const void *)ip.at;
    size_t size, total;

    if (ip.len < IPV4_MIN_SIZE)
        return -EBADMSG;
    size = ipv4_header_size(header);
    total = ntohs(header->total_length);
    if (size < IPV4_MIN_SIZE || total < size || total > ip.len)
        return -EBADMSG;
    if (ntohs(header->fragment) & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK))
        return -EBADMSG;
    s->protocol = header->protocol;
    s->pseudo = net_sum_pseudo(&header->src, &header->dst, 4, s->protocol, 0);
    *transport = bytes_of(ip.at + size, total - size);
    return 0;
}

/* *routed: the header's destination is not the last one, which the pseudo header has (RFC 8200
 * clause 8.1). */
static int read_ipv6(struct net_segments *s, struct bytes ip, struct bytes *transport, bool *routed)
{
    const struct ipv6_header *header = (const void *)ip.at;
    bool fragment = false, later = false;
    struct reader r;

    if (ip.len < IPV6_SIZE || ntohs(header->payload_length) > ip.len - IPV6_SIZE)
        return -EBADMSG;
    r = reader_of(ip.at + IPV6_SIZE, ntohs(header->payload_length));
    s->protocol = header->next_header;
    for (;;) {
        bool routing = s->protocol == IP_ROUTING;
        const uint8_t *extension = r.at;

        if (!net_ipv6_extension(&r, &s->protocol, &fragment, &later))
            break;
        *routed |= routing && extension[3] != 0; /* segments left */
    }
    s->pseudo = net_sum_pseudo(header->src, header->dst, 16, s->protocol, 0);
    *transport = rd_rest(&r);
    return r.bad || fragment ? -EBADMSG : 0;
}

/* The size of the transport's header, or -EBADMSG. */
static int read_tcp(struct bytes transport)
{
    const struct tcp_header *tcp = (const void *)transport.at;
    size_t size;

    if (transport.len < TCP_MIN_SIZE)
        return -EBADMSG;
    size = (size_t)(ntohs(tcp->offset_flags) >> 12) * 4;
    if (size < TCP_MIN_SIZE || size > transport.len)
        return -EBADMSG;
    /* What opens or breaks a connection is one segment by nature. */
    if (ntohs(tcp->offset_flags) & (TCP_SYN | TCP_RST))
        return -EBADMSG;
    return (int)size;
}

static int read_udp(struct bytes transport)
{
    const struct udp_header *udp = (const void *)transport.at;

    if (transport.len < UDP_SIZE || ntohs(udp->length) != transport.len)
        return -EBADMSG;
    return UDP_SIZE;
}

/* What each kind of large packet has to be. */
static const struct {
    uint8_t version; /* 0: either */
    uint8_t protocol;
    uint8_t checksum_offset;
    int (*read)(struct bytes transport);
} kinds[] = {
    [NET_GSO_TCPV4] = {4, IP_TCP, offsetof(struct tcp_header, checksum), read_tcp},
    [NET_GSO_TCPV6] = {6, IP_TCP, offsetof(struct tcp_header, checksum), read_tcp},
    [NET_GSO_UDP] = {0, IP_UDP, offsetof(struct udp_header, checksum), read_udp},
};

/* The checksum field's own opinion on the pseudo header, less the length that it counts. */
static uint32_t pseudo_of_field(struct bytes transport, size_t offset)
{
    be32 length = htonl((uint32_t)transport.len);

    return net_sum(transport.at + offset, 2, (uint16_t)net_sum_finish(net_sum(&length, 4, 0)));
}

static int read_checksum(struct net_segments *s, const struct net_offload *offload,
                         struct bytes transport, bool routed)
{
    size_t offset = kinds[offload->gso].checksum_offset;

    s->has_checksum = true;
    if (!offload->partial) {
        if (routed)
            return -EBADMSG; /* nobody knows the pseudo header */
        if (s->protocol == IP_UDP)
            s->has_checksum = net_sum(transport.at + offset, 2, 0) != 0;
        return 0;
    }
    if (offload->checksum_start != s->transport || offload->checksum_offset != offset)
        return -EBADMSG;
    if (routed)
        s->pseudo = pseudo_of_field(transport, offset);
    return 0;
}

int net_segments_begin(struct net_segments *s, struct bytes frame, size_t link,
                       const struct net_offload *offload)
{
    struct bytes ip, transport;
    bool routed = false;
    uint8_t version;
    int err;

    *s = (struct net_segments){.network = link, .gso_size = offload->gso_size};
    if (offload->gso < NET_GSO_TCPV4 || offload->gso > NET_GSO_UDP)
        return -EBADMSG;
    if (link >= frame.len || offload->gso_size < NET_MIN_GSO_SIZE)
        return -EBADMSG;
    ip = bytes_of(frame.at + link, frame.len - link);
    version = ip.at[0] >> 4;
    if (version != 4 && version != 6)
        return -EBADMSG;
    err = version == 4 ? read_ipv4(s, ip, &transport) : read_ipv6(s, ip, &transport, &routed);
    if (err < 0)
        return err;
    if (s->protocol != kinds[offload->gso].protocol ||
        (kinds[offload->gso].version && version != kinds[offload->gso].version))
        return -EBADMSG;
    if ((err = kinds[offload->gso].read(transport)) < 0)
        return err;
    s->transport = (size_t)(transport.at - frame.at);
    s->headers = bytes_of(frame.at, s->transport + (size_t)err);
    s->rest = bytes_of(transport.at + err, transport.len - (size_t)err);
    s->count = (unsigned)((s->rest.len + s->gso_size - 1) / s->gso_size);
    s->count += s->count == 0;
    s->largest = s->headers.len + (s->rest.len < s->gso_size ? s->rest.len : s->gso_size);
    return read_checksum(s, offload, transport, routed);
}

/* ---- writing segments ---- */

static void write_network(const struct net_segments *s, uint8_t *at, size_t len)
{
    struct ipv4_header *ip = (void *)at;
    struct ipv6_header *ip6 = (void *)at;

    if (at[0] >> 4 == 6) {
        ip6->payload_length = htons((uint16_t)(len - IPV6_SIZE));
        return;
    }
    ip->total_length = htons((uint16_t)len);
    ip->id = htons((uint16_t)(ntohs(ip->id) + s->next));
    ip->checksum = 0;
    ip->checksum = net_checksum(ip, ipv4_header_size(ip));
}

static void write_tcp(const struct net_segments *s, struct tcp_header *tcp)
{
    uint32_t before = s->next * (uint32_t)s->gso_size;
    uint16_t flags = ntohs(tcp->offset_flags), urgent = ntohs(tcp->urgent);

    if (s->next > 0)
        flags &= (uint16_t)~TCP_CWR;
    if (s->next + 1 < s->count)
        flags &= (uint16_t) ~(TCP_FIN | TCP_PSH);
    if (flags & TCP_URG) { /* the pointer counts from the segment's own sequence number */
        if (urgent <= before)
            flags &= before ? (uint16_t)~TCP_URG : 0xffff;
        tcp->urgent = htons(urgent > before ? (uint16_t)(urgent - before) : 0);
    }
    tcp->offset_flags = htons(flags);
    tcp->sequence = htonl(ntohl(tcp->sequence) + before);
}

static void write_transport(const struct net_segments *s, uint8_t *at, size_t len)
{
    struct tcp_header *tcp = (void *)at;
    struct udp_header *udp = (void *)at;
    be32 length = htonl((uint32_t)len);
    uint32_t sum = net_sum(&length, sizeof(length), s->pseudo);

    if (s->protocol == IP_TCP) {
        write_tcp(s, tcp);
        tcp->checksum = 0;
        tcp->checksum = net_sum_finish(net_sum(at, len, sum));
        return;
    }
    udp->length = htons((uint16_t)len);
    udp->checksum = 0;
    if (s->has_checksum)
        udp->checksum = finish_nonzero(net_sum(at, len, sum));
}

int net_segments_next(struct net_segments *s, uint8_t *to, size_t room)
{
    size_t payload = s->rest.len < s->gso_size ? s->rest.len : s->gso_size;
    size_t len = s->headers.len + payload;

    if (s->next == s->count)
        return 0;
    if (len > room)
        return -EMSGSIZE;
    memcpy(to, s->headers.at, s->headers.len);
    memcpy(to + s->headers.len, s->rest.at, payload);
    write_network(s, to + s->network, len - s->network);
    write_transport(s, to + s->transport, len - s->transport);
    s->rest = bytes_of(s->rest.at + payload, s->rest.len - payload);
    s->next++;
    return (int)len;
}
