/*
 * rewrite.c -- changing a packet's headers: set_field, push and pop, TTLs (OpenFlow 1.3.5
 * clauses 5.12 and 7.2.4.7).
 *
 * Where a field lies in a packet is a row of a table: from which layer, at which offset, how many
 * bits, and whether the IP header's or the transport's checksum covers it. Checksums are updated,
 * not computed again (RFC 1624), so a packet that was damaged before stays recognisably so; only
 * SCTP's CRC must be computed over the whole. Key and packet change together. What changes which
 * headers there are (eth_type, ip_proto, tags) has the packet parsed again.
 */
#include "switch/packet.h"

enum layer { NOWHERE, L2, VLAN, L3, L4, ND_OPTION };

struct place {
    uint8_t layer;
    uint8_t offset;
    uint8_t bytes; /* of the number in the packet that holds the field; 0: the field's own bytes */
    uint8_t shift; /* of the field in that number */
    bool ip_checksum; /* IPv4's header checksum covers it */
    bool l4_checksum; /* the transport's covers it, itself or in the pseudo header */
    bool parse;       /* other fields depend on it */
};

static const struct place places[OF_FIELD_COUNT] = {
    [OF_ETH_DST] = {L2, 0},
    [OF_ETH_SRC] = {L2, 6},
    [OF_ETH_TYPE] = {L3, 0, .parse = true}, /* the two bytes before L3, see place_of() */
    [OF_VLAN_VID] = {VLAN, 0, 2, 0},
    [OF_VLAN_PCP] = {VLAN, 0, 2, 13},
    [OF_PBB_ISID] = {L3, 1},
    [OF_PBB_UCA] = {L3, 0, 1, 3},
    [OF_MPLS_LABEL] = {L3, 0, 4, 12},
    [OF_MPLS_TC] = {L3, 0, 4, 9},
    [OF_MPLS_BOS] = {L3, 0, 4, 8},
    [OF_IP_DSCP] = {L3, 1, 1, 2, .ip_checksum = true},
    [OF_IP_ECN] = {L3, 1, 1, 0, .ip_checksum = true},
    [OF_IP_PROTO] = {L3, 9, .ip_checksum = true, .parse = true},
    [OF_IP_TTL] = {L3, 8, .ip_checksum = true},
    [OF_IPV4_SRC] = {L3, 12, .ip_checksum = true, .l4_checksum = true},
    [OF_IPV4_DST] = {L3, 16, .ip_checksum = true, .l4_checksum = true},
    [OF_IPV6_SRC] = {L3, 8, .l4_checksum = true},
    [OF_IPV6_DST] = {L3, 24, .l4_checksum = true},
    [OF_IPV6_FLABEL] = {L3, 0, 4, 0},
    [OF_TCP_SRC] = {L4, 0, .l4_checksum = true},
    [OF_TCP_DST] = {L4, 2, .l4_checksum = true},
    [OF_UDP_SRC] = {L4, 0, .l4_checksum = true},
    [OF_UDP_DST] = {L4, 2, .l4_checksum = true},
    [OF_SCTP_SRC] = {L4, 0, .l4_checksum = true},
    [OF_SCTP_DST] = {L4, 2, .l4_checksum = true},
    [OF_ICMPV4_TYPE] = {L4, 0, .l4_checksum = true},
    [OF_ICMPV4_CODE] = {L4, 1, .l4_checksum = true},
    [OF_ICMPV6_TYPE] = {L4, 0, .l4_checksum = true, .parse = true},
    [OF_ICMPV6_CODE] = {L4, 1, .l4_checksum = true, .parse = true},
    [OF_ND_TARGET] = {L4, 8, .l4_checksum = true},
    [OF_ND_SLL] = {ND_OPTION, 0, .l4_checksum = true},
    [OF_ND_TLL] = {ND_OPTION, 0, .l4_checksum = true},
    [OF_ARP_OP] = {L3, 6},
    [OF_ARP_SHA] = {L3, 8},
    [OF_ARP_SPA] = {L3, 14},
    [OF_ARP_THA] = {L3, 18},
    [OF_ARP_TPA] = {L3, 24},
};

/* IPv6 has some of them elsewhere. */
static const struct place ipv6_places[] = {
    [0] = {L3, 0, 2, 6}, /* DSCP, in the traffic class */
    [1] = {L3, 0, 2, 4}, /* ECN */
    [2] = {L3, 6, .parse = true},
    [3] = {L3, 7},
};

static struct place place_of(const struct packet *p, enum of_field_id id)
{
    if (p->key.eth_type != htons(ETH_TYPE_IPV6))
        return places[id];
    switch (id) {
    case OF_IP_DSCP:
        return ipv6_places[0];
    case OF_IP_ECN:
        return ipv6_places[1];
    case OF_IP_PROTO:
        return ipv6_places[2];
    case OF_IP_TTL:
        return ipv6_places[3];
    default:
        return places[id];
    }
}

/* The offset of the place in the packet, or 0 when the packet has no such layer (but L2 is at 0).
 */
static bool locate(const struct packet *p, const struct place *place, enum of_field_id id,
                   size_t *at)
{
    switch (place->layer) {
    case L2:
        *at = place->offset;
        return true;
    case VLAN:
        *at = ETH_HEADER_SIZE;
        return p->vlan_tags > 0;
    case L3:
        *at = id == OF_ETH_TYPE ? p->l3 - 2u : p->l3 + (size_t)place->offset;
        return p->valid;
    case L4:
        *at = p->l4 + (size_t)place->offset;
        return p->l4 != 0;
    default:
        *at = p->nd_option;
        return p->nd_option != 0;
    }
}

/* ---- checksums ---- */

/* Where the transport's checksum lies: 0 when it has none that is updated. */
static size_t transport_checksum_at(const struct packet *p)
{
    be16 sum;

    if (!p->l4)
        return 0;
    switch (p->key.ip_proto) {
    case IP_TCP:
        return p->l4 + 16u;
    case IP_UDP:
        memcpy(&sum, p->data + p->l4 + 6, 2);
        return sum ? p->l4 + 6u : 0; /* a sender that wants none gets none */
    case IP_ICMP:
    case IP_ICMPV6:
        return p->l4 + 2u;
    default:
        return 0;
    }
}

static void update_checksum(struct packet *p, size_t sum_at, const uint8_t *was, size_t from,
                            size_t len)
{
    be16 sum;

    memcpy(&sum, p->data + sum_at, 2);
    net_checksum_replace(&sum, was, p->data + from, len);
    if (sum == 0 && p->key.ip_proto == IP_UDP && sum_at == p->l4 + 6u)
        sum = 0xffff;
    memcpy(p->data + sum_at, &sum, 2);
}

/* An unfinished packet has the sum of its pseudo header there, as it is, not complemented, and what
 * is behind does not count yet. */
static bool is_partial(const struct packet *p)
{
    return packet_is_unfinished(p) && p->offload.csum_start == p->l4;
}

static void update_partial(struct packet *p, size_t sum_at, const uint8_t *was, const uint8_t *is,
                           size_t len)
{
    be16 sum;

    memcpy(&sum, p->data + sum_at, 2);
    sum = (be16)~sum;
    net_checksum_replace(&sum, was, is, len);
    sum = (be16)~sum;
    memcpy(p->data + sum_at, &sum, 2);
}

static void update_sctp(struct packet *p)
{
    if (p->l4 && p->key.ip_proto == IP_SCTP)
        net_fill_checksum(IP_SCTP, NULL, NULL, 0, p->data + p->l4,
                          (size_t)(p->l3 + p->l3_len - p->l4));
}

/* Puts bytes into the packet and corrects the checksums that cover them. Sums go by pairs of bytes
 * from the start of the IP header, which every header behind it is aligned with. */
static void put(struct packet *p, const struct place *place, size_t at, const uint8_t *bytes,
                size_t len)
{
    uint8_t was[24];
    size_t from = at - ((at - p->l3) & 1);
    size_t pairs = (at + len - from + 1) & ~(size_t)1;
    bool icmpv4 = p->key.ip_proto == IP_ICMP && place->layer == L3; /* has no pseudo header */
    size_t l4_at = place->l4_checksum && !icmpv4 ? transport_checksum_at(p) : 0;

    memcpy(was, p->data + from, pairs);
    memcpy(p->data + at, bytes, len);
    if (place->ip_checksum)
        update_checksum(p, p->l3 + 10u, was, from, pairs);
    if (l4_at && is_partial(p) && place->layer == L3)
        update_partial(p, l4_at, was, p->data + from, pairs);
    else if (l4_at && !is_partial(p))
        update_checksum(p, l4_at, was, from, pairs);
    if (place->l4_checksum && place->layer != L3)
        update_sctp(p);
}

/* The protocol stands in the pseudo header, as the lower half of a pair. */
static void move_protocol(struct packet *p, uint8_t protocol)
{
    const uint8_t was[2] = {0, p->key.ip_proto}, is[2] = {0, protocol};
    size_t at = p->key.ip_proto == IP_ICMP ? 0 : transport_checksum_at(p);
    be16 sum;

    if (!at)
        return;
    if (is_partial(p)) {
        update_partial(p, at, was, is, sizeof(was));
        return;
    }
    memcpy(&sum, p->data + at, 2);
    net_checksum_replace(&sum, was, is, sizeof(was));
    memcpy(p->data + at, &sum, 2);
}

/* ---- set_field ---- */

static uint64_t number_at(const uint8_t *at, size_t bytes)
{
    struct reader r = reader_of(at, bytes);

    return rd_uint(&r, bytes);
}

bool packet_set_field(struct packet *p, enum of_field_id id, const uint8_t *value)
{
    const struct of_field *f = &of_fields[id];
    struct place place = place_of(p, id);
    uint8_t bytes[16];
    size_t at, len = place.bytes ? place.bytes : f->bytes;

    if (f->pipeline) {
        memcpy(of_key_at(&p->key, f), value, f->bytes);
        return true;
    }
    if (!of_field_allowed(f, &p->key) || !locate(p, &place, id, &at) || at + len > p->len)
        return false;
    if (place.bytes) {
        unsigned bits = id == OF_VLAN_VID ? 12 : f->bits; /* the present bit is not in the packet */
        uint64_t mask = ((UINT64_C(1) << bits) - 1) << place.shift;
        uint64_t number = (number_at(p->data + at, len) & ~mask) |
                          (number_at(value, f->bytes) << place.shift & mask);
        struct writer w = writer_of(bytes, sizeof(bytes));

        wr_uint(&w, number, len);
    } else {
        memcpy(bytes, value, len);
    }
    if (id == OF_IP_PROTO)
        move_protocol(p, *value);
    put(p, &place, at, bytes, len);
    memcpy(of_key_at(&p->key, f), value, f->bytes);
    if (id == OF_VLAN_VID)
        p->key.vlan_vid |= htons(OFPVID_PRESENT);
    if (place.parse)
        packet_parse(p);
    return true;
}

/* ---- tags ---- */

/* Makes room of n bytes at `at`, moving what is before; taking out is the reverse. */
static bool insert(struct packet *p, size_t at, size_t n)
{
    uint8_t *was = p->data;

    if (p->len + n > p->room + PACKET_HEADROOM || !packet_push(p, n))
        return false;
    memmove(was - n, was, at);
    packet_shift_offload(p, (int)n);
    return true;
}

/* No Ethernet frame is shorter than 60 bytes without its checksum (IEEE 802.3 clause 3.2.8); one
 * from which a tag was taken may have become so. */
#define LEAST_FRAME 60

static void pad(struct packet *p)
{
    if (p->len >= LEAST_FRAME)
        return;
    memset(p->data + p->len, 0, LEAST_FRAME - p->len);
    p->len = LEAST_FRAME;
}

static void take_out(struct packet *p, size_t at, size_t n)
{
    memmove(p->data + n, p->data, at);
    packet_pull(p, n);
    packet_shift_offload(p, -(int)n);
    pad(p);
}

static void put_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* The new tag has the values of the outer one that was there, or zeros (clause 5.12.1). */
bool packet_push_vlan(struct packet *p, uint16_t ethertype)
{
    uint16_t tci = (uint16_t)(p->key.vlan_pcp << 13 | (ntohs(p->key.vlan_vid) & 0xfff));

    if (p->len < ETH_HEADER_SIZE || !insert(p, 12, VLAN_TAG_SIZE))
        return false;
    put_u16(p->data + 12, ethertype);
    put_u16(p->data + 14, tci);
    packet_parse(p);
    return true;
}

bool packet_pop_vlan(struct packet *p)
{
    if (p->vlan_tags == 0)
        return false;
    take_out(p, 12, VLAN_TAG_SIZE);
    packet_parse(p);
    return true;
}

/* The new label has the values of the one below, else TTL and class from the IP header
 * (clause 5.12.1). */
bool packet_push_mpls(struct packet *p, uint16_t ethertype)
{
    uint16_t below = ntohs(p->key.eth_type);
    bool mpls = below == ETH_TYPE_MPLS || below == ETH_TYPE_MPLS_MULTICAST;
    uint32_t entry = (uint32_t)p->key.ip_ttl | 1u << 8;

    if (p->len < p->l3 || (mpls && !p->valid))
        return false;
    if (mpls)
        entry = (uint32_t)number_at(p->data + p->l3, 4) & ~(1u << 8);
    if (!insert(p, p->l3, 4))
        return false;
    entry = htonl(entry);
    memcpy(p->data + p->l3, &entry, 4);
    put_u16(p->data + p->l3 - 2, ethertype);
    packet_parse(p);
    return true;
}

bool packet_pop_mpls(struct packet *p, uint16_t ethertype)
{
    uint16_t type = ntohs(p->key.eth_type);

    if ((type != ETH_TYPE_MPLS && type != ETH_TYPE_MPLS_MULTICAST) || !p->valid)
        return false;
    take_out(p, p->l3, 4);
    put_u16(p->data + p->l3 - 2, ethertype);
    packet_parse(p);
    return true;
}

/* IEEE 802.1ah: new outer addresses, the I-TAG with service id 0 (or that of the tag below), then
 * the whole frame. */
bool packet_push_pbb(struct packet *p, uint16_t ethertype)
{
    uint8_t addresses[12], isid[3];
    uint8_t pcp = (uint8_t)(p->key.vlan_pcp << 5);

    if (p->len < ETH_HEADER_SIZE)
        return false;
    memcpy(addresses, p->data, 12);
    memcpy(isid, p->key.pbb_isid, 3);
    if (!packet_push(p, 18))
        return false;
    memcpy(p->data, addresses, 12);
    put_u16(p->data + 12, ethertype);
    p->data[14] = pcp;
    memcpy(p->data + 15, isid, 3);
    packet_parse(p);
    return true;
}

bool packet_pop_pbb(struct packet *p)
{
    if (ntohs(p->key.eth_type) != ETH_TYPE_PBB || !p->valid ||
        p->len < p->l3 + 4u + ETH_HEADER_SIZE)
        return false;
    packet_pull(p, p->l3 + 4u);
    pad(p);
    packet_parse(p);
    return true;
}

/* ---- time to live ---- */

bool packet_set_nw_ttl(struct packet *p, uint8_t ttl)
{
    return packet_set_field(p, OF_IP_TTL, &ttl);
}

bool packet_dec_nw_ttl(struct packet *p)
{
    if (!p->l3_len)
        return true;
    if (p->key.ip_ttl <= 1)
        return false;
    packet_set_nw_ttl(p, p->key.ip_ttl - 1);
    return true;
}

static bool is_mpls(const struct packet *p)
{
    uint16_t type = ntohs(p->key.eth_type);

    return (type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MULTICAST) && p->valid;
}

bool packet_set_mpls_ttl(struct packet *p, uint8_t ttl)
{
    if (!is_mpls(p))
        return false;
    p->data[p->l3 + 3] = ttl;
    return true;
}

bool packet_dec_mpls_ttl(struct packet *p)
{
    if (!is_mpls(p))
        return true;
    if (p->data[p->l3 + 3] <= 1)
        return false;
    p->data[p->l3 + 3]--;
    return true;
}

/* The TTL of what the outermost label carries: the next label's, or an IP header's behind the last.
 */
static uint8_t *inner_ttl(struct packet *p, bool *ipv4)
{
    size_t at = p->l3 + 4u;
    bool bottom = p->data[p->l3 + 2] & 1;

    *ipv4 = false;
    if (!bottom)
        return p->len >= at + 4 ? p->data + at + 3 : NULL;
    if (p->len >= at + IPV4_MIN_SIZE && p->data[at] >> 4 == 4) {
        *ipv4 = true;
        return p->data + at + 8;
    }
    return p->len >= at + IPV6_SIZE && p->data[at] >> 4 == 6 ? p->data + at + 7 : NULL;
}

void packet_copy_ttl_out(struct packet *p)
{
    bool ipv4;
    uint8_t *inner = is_mpls(p) ? inner_ttl(p, &ipv4) : NULL;

    if (inner)
        p->data[p->l3 + 3] = *inner;
}

void packet_copy_ttl_in(struct packet *p)
{
    bool ipv4;
    uint8_t *inner = is_mpls(p) ? inner_ttl(p, &ipv4) : NULL;
    uint8_t was[2];

    if (!inner)
        return;
    memcpy(was, inner, 2); /* TTL and protocol: a pair of the checksum */
    *inner = p->data[p->l3 + 3];
    if (ipv4) {
        be16 sum;

        memcpy(&sum, inner + 2, 2);
        net_checksum_replace(&sum, was, inner, 2);
        memcpy(inner + 2, &sum, 2);
    }
}
