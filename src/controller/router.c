/*
 * router.c -- what a phone with an IPv6 prefix asks its router (TS 29.061 clause 11.2.1.3, RFC
 * 4861).
 *
 * On the bearer the P-GW is the only neighbour. A router solicitation is answered with an
 * advertisement of the session's prefix, from which the phone makes its address; a solicitation for
 * the router's own link-local address with a neighbour advertisement. Everything else that is sent
 * to link-local or multicast addresses ends here.
 */
#include <string.h>

#include "controller/up.h"

#define FRAME_SIZE 512

/* Ours on every bearer; phones' interface identifiers are given by the network and are never 1
 * (TS 23.401 clause 5.3.1.2.2). */
static const struct in6_addr router_address = {.s6_addr = {0xfe, 0x80, [15] = 1}};
static const struct in6_addr all_nodes = {.s6_addr = {0xff, 0x02, [15] = 1}};

static void send_to_phone(uint32_t id, const struct up_session *session, const struct in6_addr *to,
                          const struct net_nd *nd)
{
    static const uint8_t nobody[6];
    uint8_t frame[FRAME_SIZE];
    struct writer w = writer_of(frame, sizeof(frame));
    struct net_ip ip = {.version = 6,
                        .ttl = 255,
                        .protocol = IP_ICMPV6,
                        .src = net_address_v6(&router_address),
                        .dst = net_address_v6(to)};

    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV6);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_nd(&w, nd);
    net_ip_end(&w, begun);
    if (!w.bad)
        up_send_downlink(id, session, wr_view(&w));
}

static void advertise_router(uint32_t id, const struct up_session *session,
                             const struct up_pdr *pdr, const struct in6_addr *from)
{
    const struct controller_router_config *config = &up.config->router_advertisement;
    uint32_t seconds = config->lifetime_ms / 1000;
    struct net_nd nd = {.type = ICMPV6_ROUTER_ADVERTISEMENT,
                        .hop_limit = 64,
                        .lifetime_s = seconds > UINT16_MAX ? UINT16_MAX : (uint16_t)seconds,
                        .mtu = config->mtu,
                        .has_prefix = true,
                        .prefix = {.prefix = pdr->ue6,
                                   .length = 64,
                                   .on_link = false, /* nobody else is on this link */
                                   .autonomous = true,
                                   .valid_s = UINT32_MAX, /* as long as the bearer */
                                   .preferred_s = UINT32_MAX}};

    memset(nd.prefix.prefix.s6_addr + 8, 0, 8);
    bool is_unspecified = memcmp(from, &in6addr_any, sizeof(*from)) == 0;
    send_to_phone(id, session, is_unspecified ? &all_nodes : from, &nd);
    up_count(UP_ROUTER_ADVERTISEMENTS);
}

static void advertise_neighbour(uint32_t id, const struct up_session *session,
                                const struct in6_addr *from)
{
    struct net_nd nd = {.type = ICMPV6_NEIGHBOUR_ADVERTISEMENT,
                        .target = router_address,
                        .router = true,
                        .solicited = true,
                        .override = true};

    send_to_phone(id, session, from, &nd);
    up_count(UP_NEIGHBOUR_ANSWERS);
}

void up_router_packet_in(uint32_t id, const struct up_session *session, const struct up_pdr *pdr,
                         const struct net_packet *packet)
{
    struct net_nd nd;

    if (!pdr->has_ue6 || packet->protocol != IP_ICMPV6 || packet->ttl != 255 ||
        !net_checksum_ok(IP_ICMPV6, packet->src.bytes, packet->dst.bytes, 16, packet->transport.at,
                         packet->transport.len) ||
        net_read_nd(packet->transport, &nd) < 0)
        return;
    if (nd.type == ICMPV6_ROUTER_SOLICITATION)
        advertise_router(id, session, pdr, &packet->src.v6);
    else if (nd.type == ICMPV6_NEIGHBOUR_SOLICITATION &&
             memcmp(&nd.target, &router_address, sizeof(nd.target)) == 0 &&
             memcmp(&packet->src.v6, &in6addr_any, sizeof(in6addr_any)) != 0)
        advertise_neighbour(id, session, &packet->src.v6);
}
