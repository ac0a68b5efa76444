/*
 * neighbour.c -- ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861 clause 4, RFC 8106).
 */
#include <errno.h>

#include "wire/net/net.h"

int net_read_arp(struct bytes payload, struct net_arp *arp)
{
    const struct arp_header *h = (const void *)payload.at;

    if (payload.len < sizeof(*h) || ntohs(h->hardware) != 1 ||
        ntohs(h->protocol) != ETH_TYPE_IPV4 || h->hardware_size != 6 || h->protocol_size != 4)
        return -EBADMSG;
    arp->op = ntohs(h->op);
    memcpy(arp->sha, h->sha, 6);
    memcpy(arp->tha, h->tha, 6);
    memcpy(&arp->spa, &h->spa, 4);
    memcpy(&arp->tpa, &h->tpa, 4);
    return 0;
}

void net_write_arp(struct writer *w, const struct net_arp *arp)
{
    wr_u16(w, 1);
    wr_u16(w, ETH_TYPE_IPV4);
    wr_u8(w, 6);
    wr_u8(w, 4);
    wr_u16(w, arp->op);
    wr_bytes(w, arp->sha, 6);
    wr_bytes(w, &arp->spa, 4);
    wr_bytes(w, arp->tha, 6);
    wr_bytes(w, &arp->tpa, 4);
}

enum nd_option {
    ND_SOURCE_LINK_ADDRESS = 1,
    ND_TARGET_LINK_ADDRESS = 2,
    ND_PREFIX_INFORMATION = 3,
    ND_MTU = 5,
    ND_RECURSIVE_DNS = 25,
};

static void read_prefix(struct reader *r, struct net_nd *nd)
{
    uint8_t flags;

    if (nd->has_prefix)
        return;
    nd->prefix.length = rd_u8(r);
    flags = rd_u8(r);
    nd->prefix.on_link = flags & 0x80;
    nd->prefix.autonomous = flags & 0x40;
    nd->prefix.valid_s = rd_u32(r);
    nd->prefix.preferred_s = rd_u32(r);
    rd_skip(r, 4);
    rd_bytes(r, &nd->prefix.prefix, 16);
    nd->has_prefix = !r->bad && nd->prefix.length <= 128;
}

static void read_dns(struct reader *r, struct net_nd *nd)
{
    rd_skip(r, 2);
    nd->dns_lifetime_s = rd_u32(r);
    while (rd_left(r) >= 16 && nd->dns_count < ND_MAX_DNS)
        rd_bytes(r, &nd->dns[nd->dns_count++], 16);
}

static int read_options(struct reader *r, struct net_nd *nd)
{
    while (rd_left(r) > 0) {
        uint8_t type = rd_u8(r), units = rd_u8(r);
        struct reader body = rd_sub(r, units ? units * 8u - 2 : rd_left(r) + 1);

        if (body.bad)
            return -EBADMSG;
        if (type == ND_SOURCE_LINK_ADDRESS || type == ND_TARGET_LINK_ADDRESS) {
            rd_bytes(&body, nd->link_address, 6);
            nd->has_link_address = !body.bad;
        } else if (type == ND_PREFIX_INFORMATION) {
            read_prefix(&body, nd);
        } else if (type == ND_MTU) {
            rd_skip(&body, 2);
            nd->mtu = rd_u32(&body);
        } else if (type == ND_RECURSIVE_DNS) {
            read_dns(&body, nd);
        }
    }
    return 0;
}

int net_read_nd(struct bytes icmpv6, struct net_nd *nd)
{
    struct reader r = reader_of_bytes(icmpv6);
    uint8_t flags;

    memset(nd, 0, sizeof(*nd));
    nd->type = rd_u8(&r);
    rd_skip(&r, 3); /* code, checksum */
    switch (nd->type) {
    case ICMPV6_ROUTER_SOLICITATION:
        rd_skip(&r, 4);
        break;
    case ICMPV6_ROUTER_ADVERTISEMENT:
        nd->hop_limit = rd_u8(&r);
        flags = rd_u8(&r);
        nd->managed = flags & 0x80;
        nd->other = flags & 0x40;
        nd->lifetime_s = rd_u16(&r);
        nd->reachable_ms = rd_u32(&r);
        nd->retransmit_ms = rd_u32(&r);
        break;
    case ICMPV6_NEIGHBOUR_SOLICITATION:
    case ICMPV6_NEIGHBOUR_ADVERTISEMENT:
        flags = (uint8_t)(rd_u32(&r) >> 24);
        nd->router = flags & 0x80;
        nd->solicited = flags & 0x40;
        nd->override = flags & 0x20;
        rd_bytes(&r, &nd->target, 16);
        break;
    default:
        return -EBADMSG;
    }
    return r.bad ? -EBADMSG : read_options(&r, nd);
}

static void write_options(struct writer *w, const struct net_nd *nd)
{
    if (nd->has_link_address) {
        wr_u8(w, nd->type == ICMPV6_NEIGHBOUR_ADVERTISEMENT ? ND_TARGET_LINK_ADDRESS
                                                            : ND_SOURCE_LINK_ADDRESS);
        wr_u8(w, 1);
        wr_bytes(w, nd->link_address, 6);
    }
    if (nd->mtu) {
        wr_u8(w, ND_MTU);
        wr_u8(w, 1);
        wr_u16(w, 0);
        wr_u32(w, nd->mtu);
    }
    if (nd->has_prefix) {
        wr_u8(w, ND_PREFIX_INFORMATION);
        wr_u8(w, 4);
        wr_u8(w, nd->prefix.length);
        wr_u8(w, (uint8_t)((nd->prefix.on_link ? 0x80 : 0) | (nd->prefix.autonomous ? 0x40 : 0)));
        wr_u32(w, nd->prefix.valid_s);
        wr_u32(w, nd->prefix.preferred_s);
        wr_u32(w, 0);
        wr_bytes(w, &nd->prefix.prefix, 16);
    }
    if (nd->dns_count && nd->dns_count <= ND_MAX_DNS) {
        wr_u8(w, ND_RECURSIVE_DNS);
        wr_u8(w, (uint8_t)(1 + 2 * nd->dns_count));
        wr_u16(w, 0);
        wr_u32(w, nd->dns_lifetime_s);
        wr_bytes(w, nd->dns, nd->dns_count * sizeof(nd->dns[0]));
    }
}

void net_write_nd(struct writer *w, const struct net_nd *nd)
{
    wr_u8(w, nd->type);
    wr_u8(w, 0);
    wr_u16(w, 0);
    if (nd->type == ICMPV6_ROUTER_ADVERTISEMENT) {
        wr_u8(w, nd->hop_limit);
        wr_u8(w, (uint8_t)((nd->managed ? 0x80 : 0) | (nd->other ? 0x40 : 0)));
        wr_u16(w, nd->lifetime_s);
        wr_u32(w, nd->reachable_ms);
        wr_u32(w, nd->retransmit_ms);
    } else if (nd->type == ICMPV6_ROUTER_SOLICITATION) {
        wr_u32(w, 0);
    } else {
        wr_u32(w, (nd->router ? UINT32_C(1) << 31 : 0) | (nd->solicited ? UINT32_C(1) << 30 : 0) |
                      (nd->override ? UINT32_C(1) << 29 : 0));
        wr_bytes(w, &nd->target, 16);
    }
    write_options(w, nd);
}
