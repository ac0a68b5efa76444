/*
 * sgi.c -- the links behind the exits: we are a router there.
 *
 * On an Ethernet link the controller answers for the switch: ARP (RFC 826) and neighbour
 * solicitations (RFC 4861) for our own address and for phones that have a session, so it does not
 * matter whether the neighbour routes the phones' addresses to us or thinks they are on the link.
 * And it learns the next hop: it asks by ARP or neighbour solicitation, again until it is answered,
 * then now and then, and listens to what the next hop says by itself. A new or changed address is
 * one changed flow in the exit's table.
 */
#include <stdio.h>
#include <string.h>

#include "controller/up.h"

#define ASK_FIRST_MS 20    /* while the next hop is unknown: soon again, */
#define ASK_LAST_MS  1000  /* and then slower and slower */
#define REFRESH_MS   30000 /* while it is known */
#define FRAME_SIZE   256

struct up_exit up_exits[UP_MAX_EXITS];

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool has_address6(const struct in6_addr *a)
{
    return memcmp(a, &in6addr_any, sizeof(*a)) != 0;
}

/* Ours, unless configured: locally administered, from the switch and the exit's place. */
static void make_mac(unsigned number, uint8_t mac[6])
{
    const char *told = up.config->sgi.at[number].mac;

    if (told && hex_parse(told, mac, 6) == 6)
        return;
    mac[0] = 0x02;
    mac[1] = 0x53; /* S */
    mac[2] = (uint8_t)(up.sw->datapath_id >> 16);
    mac[3] = (uint8_t)(up.sw->datapath_id >> 8);
    mac[4] = (uint8_t)up.sw->datapath_id;
    mac[5] = (uint8_t)number;
}

static void send_frame(unsigned number, const struct writer *w)
{
    struct of_action out = of_output(up_exits[number].port);

    if (!w->bad)
        up_packet_out(&out, 1, wr_view(w));
}

static void send_arp(unsigned number, const uint8_t to[6], const struct net_arp *arp)
{
    uint8_t frame[FRAME_SIZE];
    struct writer w = writer_of(frame, sizeof(frame));

    net_write_ethernet(&w, to, up_exits[number].mac, ETH_TYPE_ARP);
    net_write_arp(&w, arp);
    send_frame(number, &w);
}

static void send_nd(unsigned number, const uint8_t to[6], const struct in6_addr *src,
                    const struct in6_addr *dst, const struct net_nd *nd)
{
    uint8_t frame[FRAME_SIZE];
    struct writer w = writer_of(frame, sizeof(frame));
    struct net_ip ip = {.version = 6,
                        .ttl = 255, /* RFC 4861: proves that it comes from this link */
                        .protocol = IP_ICMPV6,
                        .src = net_address_v6(src),
                        .dst = net_address_v6(dst)};

    net_write_ethernet(&w, to, up_exits[number].mac, ETH_TYPE_IPV6);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_nd(&w, nd);
    net_ip_end(&w, begun);
    send_frame(number, &w);
}

/* ---- the next hop ---- */

static void ask_by_arp(unsigned number)
{
    const struct controller_sgi_config *sgi = &up.config->sgi.at[number];
    struct net_arp arp = {.op = ARP_REQUEST, .spa = sgi->address, .tpa = sgi->next_hop};

    memcpy(arp.sha, up_exits[number].mac, 6);
    send_arp(number, broadcast, &arp);
}

/* RFC 4861 clause 4.3: to the solicited-node multicast address. */
static void ask_by_nd(unsigned number)
{
    const struct controller_sgi_config *sgi = &up.config->sgi.at[number];
    struct net_nd nd = {
        .type = ICMPV6_NEIGHBOUR_SOLICITATION, .target = sgi->next_hop6, .has_link_address = true};
    struct in6_addr dst = {.s6_addr = {0xff, 0x02, [11] = 1, [12] = 0xff}};
    uint8_t to[6] = {0x33, 0x33, 0xff};

    memcpy(dst.s6_addr + 13, sgi->next_hop6.s6_addr + 13, 3);
    memcpy(to + 3, sgi->next_hop6.s6_addr + 13, 3);
    memcpy(nd.link_address, up_exits[number].mac, 6);
    send_nd(number, to, &sgi->address6, &dst, &nd);
}

static void ask(struct timer *timer)
{
    struct up_exit *exit = container_of(timer, struct up_exit, timer);
    unsigned number = (unsigned)(exit - up_exits);
    const struct controller_sgi_config *sgi = &up.config->sgi.at[number];

    if (!up.sw || !exit->has_port)
        return;
    if (sgi->next_hop.s_addr)
        ask_by_arp(number);
    else if (has_address6(&sgi->next_hop6))
        ask_by_nd(number);
    if (exit->knows_next_hop)
        exit->ask_ms = REFRESH_MS;
    else if (exit->ask_ms == 0 || exit->ask_ms >= ASK_LAST_MS)
        exit->ask_ms = exit->ask_ms == 0 ? ASK_FIRST_MS : ASK_LAST_MS;
    else
        exit->ask_ms *= 2;
    timer_start(timer, exit->ask_ms, ask);
}

static void learn_next_hop(unsigned number, const uint8_t mac[6])
{
    struct up_exit *exit = &up_exits[number];
    struct up_fixed_flow flow;

    exit->learnt_ms = loop_now_ms();
    if (exit->knows_next_hop && memcmp(exit->next_hop, mac, 6) == 0)
        return;
    if (mac[0] & 1)
        return; /* no single neighbour has a group address */
    memcpy(exit->next_hop, mac, 6);
    exit->knows_next_hop = true;
    log_info("%s: the next hop is at %02x:%02x:%02x:%02x:%02x:%02x", up.config->sgi.at[number].port,
             mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    for (unsigned i = 0; up.sw && up_fixed_flow(i, &flow); i++) {
        if (flow.number != UP_FIXED_EXIT + 16 * number + UP_EXIT_OUT4 &&
            flow.number != UP_FIXED_EXIT + 16 * number + UP_EXIT_OUT6)
            continue;
        struct of_message m = {.type = OFPT_FLOW_MOD, .xid = openflow_channel_xid(up.sw->channel)};
        m.flow_mod = flow.mod;
        switch_send(up.sw, &m);
    }
}

/* ---- neighbours ask ---- */

/* Ours to answer for: our own address, or a phone's behind this exit. */
static bool answers_for4(unsigned number, struct in_addr address)
{
    const struct controller_sgi_config *sgi = &up.config->sgi.at[number];

    return (sgi->address.s_addr && address.s_addr == sgi->address.s_addr) ||
           map_get(&up.by_ue4, address.s_addr) != 0;
}

static bool answers_for6(unsigned number, const struct in6_addr *address)
{
    const struct controller_sgi_config *sgi = &up.config->sgi.at[number];
    struct reader r = reader_of(address, 8);

    return (has_address6(&sgi->address6) &&
            memcmp(address, &sgi->address6, sizeof(*address)) == 0) ||
           map_get(&up.by_ue6, rd_u64(&r)) != 0;
}

static void arp_received(unsigned number, struct bytes payload)
{
    const struct controller_sgi_config *sgi = &up.config->sgi.at[number];
    struct net_arp arp;

    if (net_read_arp(payload, &arp) < 0)
        return;
    if (sgi->next_hop.s_addr && arp.spa.s_addr == sgi->next_hop.s_addr)
        learn_next_hop(number, arp.sha);
    if (arp.op != ARP_REQUEST || arp.spa.s_addr == arp.tpa.s_addr || !answers_for4(number, arp.tpa))
        return;
    struct net_arp reply = {.op = ARP_REPLY, .spa = arp.tpa, .tpa = arp.spa};
    memcpy(reply.sha, up_exits[number].mac, 6);
    memcpy(reply.tha, arp.sha, 6);
    send_arp(number, arp.sha, &reply);
    up_count(UP_NEIGHBOUR_ANSWERS);
}

static void nd_received(unsigned number, const struct net_packet *packet)
{
    const struct controller_sgi_config *sgi = &up.config->sgi.at[number];
    const struct in6_addr *from = &packet->src.v6;
    struct net_nd nd;

    if (packet->ttl != 255 || net_read_nd(packet->transport, &nd) < 0)
        return;
    const uint8_t *mac = nd.has_link_address ? nd.link_address : packet->eth_src;
    bool is_next_hop = !sgi->next_hop.s_addr && has_address6(&sgi->next_hop6);
    if (nd.type == ICMPV6_NEIGHBOUR_ADVERTISEMENT) {
        if (is_next_hop && memcmp(&nd.target, &sgi->next_hop6, sizeof(nd.target)) == 0)
            learn_next_hop(number, mac);
        return;
    }
    /* From "::" it is somebody who looks whether the address is free (RFC 4862): not of a phone's.
     */
    if (nd.type != ICMPV6_NEIGHBOUR_SOLICITATION || !has_address6(from) ||
        !answers_for6(number, &nd.target))
        return;
    struct net_nd reply = {.type = ICMPV6_NEIGHBOUR_ADVERTISEMENT,
                           .target = nd.target,
                           .router = true,
                           .solicited = true,
                           .override = true,
                           .has_link_address = true};
    memcpy(reply.link_address, up_exits[number].mac, 6);
    send_nd(number, mac, &nd.target, from, &reply);
    up_count(UP_NEIGHBOUR_ANSWERS);
}

void up_sgi_packet_in(unsigned exit, enum up_fixed_exit what, const struct of_packet_in *packet_in)
{
    struct net_packet packet;

    if (net_read_frame(packet_in->data, &packet) < 0)
        return;
    if (what == UP_EXIT_ARP && packet_in->data.len > ETH_HEADER_SIZE)
        arp_received(exit, bytes_of(packet_in->data.at + ETH_HEADER_SIZE,
                                    packet_in->data.len - ETH_HEADER_SIZE));
    else if (packet.version == 6 && packet.protocol == IP_ICMPV6)
        nd_received(exit, &packet);
}

/* ---- start and stop ---- */

void up_sgi_start(void)
{
    for (unsigned i = 0; i < up.config->sgi.count; i++) {
        struct up_exit *exit = &up_exits[i];
        make_mac(i, exit->mac);
        exit->ask_ms = 0;
        if (exit->has_port && up.config->sgi.at[i].ethernet)
            timer_start(&exit->timer, 1, ask);
    }
}

bool up_sgi_is_ready(void)
{
    for (unsigned i = 0; i < up.config->sgi.count; i++) {
        const struct controller_sgi_config *sgi = &up.config->sgi.at[i];
        bool has_next_hop = sgi->next_hop.s_addr || has_address6(&sgi->next_hop6);
        if (sgi->ethernet && has_next_hop && !up_exits[i].knows_next_hop)
            return false;
    }
    return true;
}

/* What is known of the next hops stays known. */
void up_sgi_stop(void)
{
    for (unsigned i = 0; i < UP_MAX_EXITS; i++)
        timer_stop(&up_exits[i].timer);
}

static void put_mac(char text[18], const uint8_t mac[6])
{
    snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
}

json_t *up_sgi_state(void)
{
    json_t *all = json_array();

    for (unsigned i = 0; i < up.config->sgi.count; i++) {
        const struct controller_sgi_config *sgi = &up.config->sgi.at[i];
        const struct up_exit *exit = &up_exits[i];
        char own[18], next[18] = "-", address[INET_ADDRSTRLEN];
        put_mac(own, exit->mac);
        if (exit->knows_next_hop)
            put_mac(next, exit->next_hop);
        json_array_append_new(
            all, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "network_instance", sgi->network_instance,
                           "port", sgi->port, "state", exit->has_port ? "up" : "no port", "address",
                           inet_ntop(AF_INET, &sgi->address, address, sizeof(address)), "mac", own,
                           "next_hop_mac", next));
    }
    return all;
}
