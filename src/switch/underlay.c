/*
 * underlay.c -- see underlay.h.
 *
 * The port that packets go by is looked up by number for each, as it may be closed before the
 * tunnels are. What is not met with every packet (fragments, neighbours that change) takes a mutex.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/loop.h"
#include "switch/neighbour.h"
#include "switch/reclaim.h"
#include "switch/underlay.h"
#include "wire/net/fragment.h"

#define OUTER_SIZE      (ETH_HEADER_SIZE + IPV4_MIN_SIZE + UDP_SIZE)
#define FIRST_PORT      49152 /* of a flow's source ports: RFC 7348 clause 5, RFC 6335 */
#define TTL             64
#define DEFAULT_MTU     1500
#define LEAST_MTU       576 /* less is not believed: RFC 791's least for hosts */
#define PATHS           256u
#define PATH_LIFE       75u /* in units of PATH_UNIT_US: 10 minutes (RFC 1191 clause 6.3) */
#define PATH_UNIT_US    UINT64_C(8000000)
#define TICK_MS         100
#define REASSEMBLIES    64
#define REASSEMBLY_US   UINT64_C(30000000)
#define LOCAL_DEPTH     64
#define ICMP_NEEDED     4 /* code: fragmentation needed and DF set */
#define ICMP_ERROR_SIZE 8
#define TOO_LARGE_TOLD  100 /* a second */

/* What one worker has. */
struct underlay_worker {
    struct tunnel_burst burst;
    uint16_t next_id;
} __attribute__((aligned(64)));

struct underlay {
    struct underlay *next; /* of the same port */
    struct underlay *next_of_all;
    char port_name[OFP_NAME_SIZE];
    struct datapath *dp;
    uint32_t port_number;
    uint16_t generation;
    be32 address, mask, gateway;
    uint8_t mac[6];
    struct tunnel *tunnels[UNDERLAY_TUNNELS];
    struct neighbour_table *neighbours;
    pthread_mutex_t reassembly_lock;
    struct net_reassembly *reassembly;
    uint64_t paths[PATHS]; /* address, MTU (16 bits), time of end (16 bits, in PATH_UNIT_US) */
    struct timer timer;
    struct underlay_worker *workers;
};

static struct underlay *all; /* the loop's thread's */

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct port *port_of(const struct underlay *u)
{
    struct port *p = datapath_port(u->dp, __atomic_load_n(&u->port_number, __ATOMIC_RELAXED));

    return p && p->generation == __atomic_load_n(&u->generation, __ATOMIC_RELAXED) ? p : NULL;
}

static bool is_on_link(const struct underlay *u, be32 address)
{
    return ((address ^ u->address) & u->mask) == 0;
}

/* Of one host, and not us. */
static bool is_somebody(const struct underlay *u, be32 address)
{
    uint8_t first = (uint8_t)(ntohl(address) >> 24);

    return first != 0 && first != 127 && first < 224 && address != u->address &&
           (!is_on_link(u, address) || u->mask == UINT32_MAX || u->mask == htonl(0xfffffffe) ||
            (address | u->mask) != UINT32_MAX);
}

/* ---- path MTU ---- */

static uint64_t *path_of(struct underlay *u, be32 address)
{
    return &u->paths[(uint32_t)(address * 0x9e3779b1u) >> 24 & (PATHS - 1)];
}

static size_t path_mtu(struct underlay *u, const struct port *port, be32 address, uint64_t now_us)
{
    uint64_t word = __atomic_load_n(path_of(u, address), __ATOMIC_RELAXED);
    size_t mtu = port->mtu ? port->mtu : DEFAULT_MTU, told = word >> 16 & 0xffff;
    uint16_t left = (uint16_t)(word - now_us / PATH_UNIT_US);

    if (word >> 32 == address && left <= PATH_LIFE && told < mtu)
        return told;
    return mtu;
}

static void path_note(struct underlay *u, be32 address, uint16_t mtu, uint64_t now_us)
{
    uint64_t word = (uint64_t)address << 32 | (uint64_t)(mtu < LEAST_MTU ? LEAST_MTU : mtu) << 16;

    word |= (uint16_t)(now_us / PATH_UNIT_US + PATH_LIFE);
    __atomic_store_n(path_of(u, address), word, __ATOMIC_RELAXED);
}

/* ---- frames of our own ---- */

static void put_ethernet(const struct underlay *u, uint8_t *at, const uint8_t dst[6], uint16_t type)
{
    memcpy(at, dst, 6);
    memcpy(at + 6, u->mac, 6);
    at[12] = (uint8_t)(type >> 8);
    at[13] = (uint8_t)type;
}

static void send_arp(struct worker *w, struct underlay *u, const uint8_t dst[6],
                     const struct net_arp *arp)
{
    struct port *port = port_of(u);
    struct packet *p = port ? packet_new() : NULL;
    struct writer writer;

    if (!p)
        return;
    writer = writer_of(p->data, PACKET_ROOM);
    net_write_ethernet(&writer, dst, u->mac, ETH_TYPE_ARP);
    net_write_arp(&writer, arp);
    wr_zero(&writer, 60 - wr_len(&writer)); /* the least that Ethernet carries */
    p->len = (uint32_t)wr_len(&writer);
    packet_enter(p, 0);
    packet_parse(p);
    (void)worker_output(w, port, p);
}

static void ask(struct worker *w, struct underlay *u, be32 address, const uint8_t dst[6])
{
    struct net_arp arp = {.op = ARP_REQUEST, .spa.s_addr = u->address, .tpa.s_addr = address};

    memcpy(arp.sha, u->mac, 6);
    send_arp(w, u, dst, &arp);
}

/* Cuts what is larger than the path. */
static unsigned put_fragments(struct worker *w, struct port *port, const struct packet *whole,
                              size_t mtu)
{
    struct net_fragments f;
    unsigned count = 0;
    int len;

    if (net_fragments_begin(&f, packet_bytes(whole), ETH_HEADER_SIZE, mtu, 0) < 0)
        return 0;
    for (;; count++) {
        struct packet *p = packet_new_for(mtu + ETH_HEADER_SIZE);

        if (!p)
            return 0;
        len = net_fragments_next(&f, p->data, p->room);
        if (len <= 0) {
            packet_free(p);
            return len < 0 ? 0 : count;
        }
        p->len = (uint32_t)len;
        packet_enter(p, 0);
        packet_parse(p);
        (void)worker_output(w, port, p);
    }
}

/* What ports may want to know of a frame that does not come from the tables. The rest of the key
 * stays the inner packet's: who spreads frames over queues by it keeps flows together. */
static void note_layers(struct packet *p)
{
    p->l3 = ETH_HEADER_SIZE;
    p->l4 = ETH_HEADER_SIZE + IPV4_MIN_SIZE;
    p->l3_len = (uint16_t)(p->len - ETH_HEADER_SIZE);
    p->nd_option = 0;
    p->vlan_tags = 0;
    p->key.eth_type = htons(ETH_TYPE_IPV4);
    p->key.in_port = 0;
}

/* The tunnel's port that a packet of ours is counted by; NULL: it is not a tunnel's. */
static struct port *counting_port(const struct underlay *u, const struct packet *p)
{
    return datapath_port(u->dp, ntohl(p->key.in_port));
}

static void count_drop(struct worker *w, const struct underlay *u, const struct packet *p,
                       enum port_drop why)
{
    struct port *port = counting_port(u, p);

    if (port)
        port_lose_out(w, port, why, p);
}

/* A whole frame but for the receiver's link address. */
static void put_packet(struct worker *w, struct underlay *u, struct packet *p, const uint8_t mac[6])
{
    const struct ipv4_header *ip = (const void *)(p->data + ETH_HEADER_SIZE);
    struct port *port = port_of(u), *counts = counting_port(u, p);
    enum port_drop why = PORT_DROP_NO_UNDERLAY;
    uint32_t len = p->len - OUTER_SIZE;
    bool sent;
    size_t mtu;

    if (!port) {
        count_drop(w, u, p, PORT_DROP_NO_UNDERLAY);
        packet_free(p);
        return;
    }
    memcpy(p->data, mac, 6);
    mtu = path_mtu(u, port, ip->dst, w->now_us);
    if (p->len <= mtu + ETH_HEADER_SIZE) {
        note_layers(p);
        sent = worker_output(w, port, p);
    } else {
        why = PORT_DROP_FRAGMENT;
        sent = put_fragments(w, port, p, mtu) > 0;
        packet_free(p);
    }
    if (counts && sent)
        port_count_out(w, counts, len);
    else if (counts)
        port_drop_out(w, counts, why);
}

static void wait_for(struct worker *w, struct underlay *u, struct packet *p, be32 next_hop)
{
    uint8_t mac[6];

    switch (neighbour_wait(u->neighbours, next_hop, p, w->now_us)) {
    case NEIGHBOUR_ASK:
        ask(w, u, next_hop, everybody);
        return;
    case NEIGHBOUR_WAITS:
        return;
    case NEIGHBOUR_FOUND:
        if (neighbour_find(u->neighbours, next_hop, w->now_us, mac) != NEIGHBOUR_UNKNOWN) {
            put_packet(w, u, p, mac);
            return;
        }
        break;
    case NEIGHBOUR_REFUSED:
        break;
    }
    count_drop(w, u, p, PORT_DROP_NO_NEIGHBOUR);
    packet_free(p);
}

static void route(struct worker *w, struct underlay *u, struct packet *p, be32 to)
{
    be32 next_hop = is_on_link(u, to) ? to : u->gateway;
    enum neighbour_answer answer;
    uint8_t mac[6];

    if (!next_hop || !is_somebody(u, to)) {
        count_drop(w, u, p, PORT_DROP_NO_NEIGHBOUR);
        packet_free(p);
        return;
    }
    answer = neighbour_find(u->neighbours, next_hop, w->now_us, mac);
    if (answer == NEIGHBOUR_UNKNOWN) {
        wait_for(w, u, p, next_hop);
        return;
    }
    if (answer == NEIGHBOUR_STALE && neighbour_may_probe(u->neighbours, next_hop, w->now_us))
        ask(w, u, next_hop, mac);
    put_packet(w, u, p, mac);
}

/* ---- what tunnels send ---- */

static void put_ip(struct worker *w, struct underlay *u, uint8_t *at, size_t payload, be32 to,
                   uint8_t protocol, uint8_t tos, bool whole)
{
    uint16_t id = u->workers[w->index].next_id++;
    struct ipv4_header *ip = (void *)at;

    ip->version_ihl = 0x45;
    ip->tos = tos;
    ip->total_length = htons((uint16_t)(IPV4_MIN_SIZE + payload));
    /* each worker has its own, that are not another's */
    ip->id = htons((uint16_t)(id * u->dp->worker_count + w->index));
    ip->fragment = htons(whole ? IPV4_DONT_FRAGMENT : 0);
    ip->ttl = TTL;
    ip->protocol = protocol;
    ip->checksum = 0;
    ip->src = u->address;
    ip->dst = to;
    ip->checksum = net_checksum(ip, IPV4_MIN_SIZE);
}

/* By which a receiver spreads flows over its queues. */
static be16 source_port(const struct tunnel_datagram *d)
{
    uint64_t of_flow =
        d->src_port ? 0 : (uint64_t)packet_flow_hash(d->packet) * (65536 - FIRST_PORT) >> 32;

    return htons(d->src_port ? d->src_port : (uint16_t)(FIRST_PORT + of_flow));
}

static void put_udp(const struct underlay *u, uint8_t *at, const struct tunnel_datagram *d,
                    bool checksum)
{
    struct udp_header *udp = (void *)at;

    udp->src = source_port(d);
    udp->dst = d->port;
    udp->length = htons((uint16_t)(UDP_SIZE + d->len));
    udp->checksum = 0;
    if (checksum)
        (void)net_fill_checksum(IP_UDP, &u->address, &d->to, 4, at, UDP_SIZE + d->len);
}

static struct tunnel *tunnel_at(const struct underlay *u, be16 udp_port)
{
    for (unsigned i = 0; i < UNDERLAY_TUNNELS; i++) {
        struct tunnel *t = __atomic_load_n(&u->tunnels[i], __ATOMIC_ACQUIRE);

        if (t && t->local.sin_port == udp_port)
            return t;
    }
    return NULL;
}

/* From us to us: never leaves the switch. */
static void send_to_ourselves(struct worker *w, struct underlay *u, struct port *port,
                              const struct tunnel_datagram *d)
{
    struct tunnel *t = tunnel_at(u, d->port);
    struct tunnel_peer from = {.address = {.sin_family = AF_INET,
                                           .sin_port = source_port(d),
                                           .sin_addr.s_addr = u->address}};
    struct tunnel_burst b = {.count = 0};

    if (!t || ++w->depth > LOCAL_DEPTH) {
        port_drop_out(w, port, t ? PORT_DROP_LOOP : PORT_DROP_NO_NEIGHBOUR);
        packet_free(d->packet);
        return;
    }
    port_count_out(w, port, (uint32_t)d->len);
    d->packet->data = d->at;
    d->packet->len = (uint32_t)d->len;
    t->take(w, t, &b, d->packet, &from);
    tunnel_burst_run(w, &b);
}

/* The inner packet's sender wants to be told rather than have it cut. */
static bool may_not_be_cut(const struct packet *p)
{
    const struct ipv4_header *ip = (const void *)(p->data + p->l3);

    if (!p->l3_len)
        return false;
    if (p->key.eth_type == htons(ETH_TYPE_IPV6))
        return true;
    return p->key.eth_type == htons(ETH_TYPE_IPV4) && (ip->fragment & htons(IPV4_DONT_FRAGMENT));
}

/* The link header of an answer to the inner packet. */
static void write_answer_link(struct writer *writer, const struct tunnel *t, const struct packet *p)
{
    static const uint8_t nobody[6];

    if (!t->ethernet) {
        net_write_ethernet(writer, nobody, nobody, ntohs(p->key.eth_type));
        return;
    }
    wr_bytes(writer, p->data + 6, 6);
    wr_bytes(writer, p->data, 6);
    wr_bytes(writer, p->data + 12, p->l3 - 12u);
}

/* Tells the inner packet's sender, through the tables, as if the receiver had (RFC 4459 clause
 * 3.2): it comes in by the tunnel, with the packet's tunnel id and no GTP-U message type. */
static void tell_too_large(struct worker *w, struct underlay *u, struct tunnel *t,
                           const struct tunnel_datagram *d, size_t mtu)
{
    const struct packet *p = d->packet;
    struct bytes inner = bytes_of(p->data + p->l3, p->l3_len);
    size_t over = IPV4_MIN_SIZE + UDP_SIZE + t->header_size + (t->ethernet ? p->l3 : 0);
    struct tunnel_burst b = {.count = 0};
    struct packet *answer;
    struct writer writer;
    int err;

    if (!tunnel_may_answer(t, TOO_LARGE_TOLD, w->now_us) || !(answer = packet_new()))
        return;
    writer = writer_of(answer->data, PACKET_ROOM);
    write_answer_link(&writer, t, p);
    if (p->key.eth_type == htons(ETH_TYPE_IPV4)) {
        struct in_addr from = {p->key.ipv4_dst};

        err = net_write_fragmentation_needed(&writer, inner, from, (uint16_t)(mtu - over));
    } else {
        struct in6_addr from;

        memcpy(&from, p->data + p->l3 + offsetof(struct ipv6_header, dst), sizeof(from));
        err = net_write_packet_too_big(&writer, inner, &from,
                                       mtu - over < IPV6_MIN_MTU ? IPV6_MIN_MTU
                                                                 : (uint32_t)(mtu - over));
    }
    if (err < 0) {
        packet_free(answer);
        return;
    }
    answer->len = (uint32_t)wr_len(&writer);
    packet_enter(answer, t->port->number);
    answer->key.tunnel_id = p->key.tunnel_id;
    answer->key.tun_src = d->to;
    answer->key.tun_dst = u->address;
    tunnel_burst_add(w, &b, t->port, answer);
    tunnel_burst_run(w, &b);
}

void underlay_send(struct worker *w, struct tunnel *t, struct port *port,
                   const struct tunnel_datagram *d)
{
    const struct switch_port_config *c = t->port->config;
    struct underlay *u = t->underlay;
    struct packet *p = d->packet;
    struct port *by = port_of(u);
    size_t mtu = by ? path_mtu(u, by, d->to, w->now_us) : DEFAULT_MTU;
    bool whole = d->inner && c->pmtu == SWITCH_PMTU_DROP && may_not_be_cut(p);

    if (d->to == u->address) {
        send_to_ourselves(w, u, port, d);
        return;
    }
    if ((size_t)(d->at - p->buffer) < OUTER_SIZE ||
        d->len + IPV4_MIN_SIZE + UDP_SIZE > UINT16_MAX ||
        (whole && d->len + IPV4_MIN_SIZE + UDP_SIZE > mtu)) {
        if (whole && d->len + IPV4_MIN_SIZE + UDP_SIZE > mtu)
            tell_too_large(w, u, t, d, mtu);
        port_drop_out(w, port, PORT_DROP_TOO_LARGE);
        packet_free(p);
        return;
    }
    p->data = d->at - OUTER_SIZE;
    p->len = (uint32_t)(d->len + OUTER_SIZE);
    put_udp(u, d->at - UDP_SIZE, d, c->checksum);
    put_ip(w, u, d->at - UDP_SIZE - IPV4_MIN_SIZE, UDP_SIZE + d->len, d->to, IP_UDP, d->tos, whole);
    put_ethernet(u, p->data, everybody, ETH_TYPE_IPV4);
    p->key.in_port = htonl(port->number);
    route(w, u, p, d->to);
}

/* ---- ARP ---- */

static void learn(struct worker *w, struct underlay *u, const struct net_arp *arp, bool create)
{
    struct packet *released[NEIGHBOUR_WAITING];
    unsigned count;

    if (!is_on_link(u, arp->spa.s_addr) || !is_somebody(u, arp->spa.s_addr) || (arp->sha[0] & 1) ||
        memcmp(arp->sha, "\0\0\0\0\0\0", 6) == 0)
        return;
    count = neighbour_learn(u->neighbours, arp->spa.s_addr, arp->sha, create, w->now_us, released);
    for (unsigned i = 0; i < count; i++)
        put_packet(w, u, released[i], arp->sha);
}

static void answer_arp(struct worker *w, struct underlay *u, const struct net_arp *request)
{
    struct net_arp arp = {.op = ARP_REPLY, .spa.s_addr = u->address, .tpa = request->spa};

    if (request->sha[0] & 1)
        return;
    memcpy(arp.sha, u->mac, 6);
    memcpy(arp.tha, request->sha, 6);
    send_arp(w, u, request->sha, &arp);
}

/* True when it was for us. */
static bool take_arp(struct worker *w, struct underlay *u, const struct packet *p)
{
    bool to_us = memcmp(p->data, u->mac, 6) == 0;
    struct net_arp arp;
    uint8_t mac[6];

    if (net_read_arp(bytes_of(p->data + ETH_HEADER_SIZE, p->len - ETH_HEADER_SIZE), &arp) < 0)
        return false;
    if (arp.tpa.s_addr == u->address && arp.op == ARP_REQUEST &&
        (to_us || memcmp(p->data, everybody, 6) == 0)) {
        learn(w, u, &arp, true);
        answer_arp(w, u, &arp);
        return true;
    }
    if (arp.tpa.s_addr == u->address && arp.op == ARP_REPLY && to_us) {
        learn(w, u, &arp, false);
        return true;
    }
    /* said to others: only what we know already can change (RFC 826) */
    if (neighbour_find(u->neighbours, arp.spa.s_addr, w->now_us, mac) != NEIGHBOUR_UNKNOWN)
        learn(w, u, &arp, false);
    return false;
}

/* ---- ICMP ---- */

static void answer_icmp_echo(struct worker *w, struct underlay *u, struct packet *p, size_t header)
{
    struct ipv4_header *ip = (void *)(p->data + ETH_HEADER_SIZE);
    uint8_t *icmp = p->data + ETH_HEADER_SIZE + header, mac[6], tos = ip->tos;
    size_t len = p->len - ETH_HEADER_SIZE - header;
    be32 to = ip->src;

    memcpy(mac, p->data + 6, 6);
    icmp[0] = ICMP_ECHO_REPLY;
    (void)net_fill_checksum(IP_ICMP, NULL, NULL, 0, icmp, len);
    packet_pull(p, header - IPV4_MIN_SIZE); /* without the request's options */
    put_ip(w, u, icmp - IPV4_MIN_SIZE, len, to, IP_ICMP, tos, false);
    put_ethernet(u, p->data, mac, ETH_TYPE_IPV4);
    p->key.in_port = 0;
    put_packet(w, u, p, mac);
}

/* A router could not send on what we sent: believed when the header that it quotes is one of our
 * tunnels' (RFC 1191 clause 4). */
static void note_path_mtu(struct worker *w, struct underlay *u, const uint8_t *icmp, size_t len)
{
    const struct ipv4_header *ip = (const void *)(icmp + ICMP_ERROR_SIZE);
    const struct udp_header *udp;
    size_t header;

    if (len < ICMP_ERROR_SIZE + IPV4_MIN_SIZE + UDP_SIZE)
        return;
    header = ipv4_header_size(ip);
    if (ip->version_ihl >> 4 != 4 || header < IPV4_MIN_SIZE || ip->src != u->address ||
        ip->protocol != IP_UDP || len < ICMP_ERROR_SIZE + header + UDP_SIZE)
        return;
    udp = (const void *)(icmp + ICMP_ERROR_SIZE + header);
    if (tunnel_at(u, udp->dst) && (ntohs(udp->src) >= FIRST_PORT || tunnel_at(u, udp->src)))
        path_note(u, ip->dst, (uint16_t)(icmp[6] << 8 | icmp[7]), w->now_us);
}

/* Returns the packet if it goes on. */
static struct packet *take_icmp(struct worker *w, struct underlay *u, struct port *in,
                                struct packet *p, size_t header)
{
    const uint8_t *icmp = p->data + ETH_HEADER_SIZE + header;
    size_t len = p->len - ETH_HEADER_SIZE - header;
    bool echo, needed;

    if (len < ICMP_ERROR_SIZE)
        return p;
    echo = icmp[0] == ICMP_ECHO_REQUEST && icmp[1] == 0;
    needed = icmp[0] == ICMP_DESTINATION_UNREACHABLE && icmp[1] == ICMP_NEEDED;
    if (!echo && !needed)
        return p;
    if (net_checksum(icmp, len) != 0) {
        port_lose_in(w, in, PORT_DROP_CHECKSUM, p);
        packet_free(p);
    } else if (echo) {
        answer_icmp_echo(w, u, p, header);
    } else {
        note_path_mtu(w, u, icmp, len);
        packet_free(p);
    }
    return NULL;
}

/* ---- UDP ---- */

static struct packet *take_udp(struct worker *w, struct underlay *u, struct port *in,
                               struct packet *p, size_t header)
{
    const struct ipv4_header *ip = (const void *)(p->data + ETH_HEADER_SIZE);
    const struct udp_header *udp = (const void *)(p->data + ETH_HEADER_SIZE + header);
    size_t room = p->len - ETH_HEADER_SIZE - header, len;
    struct tunnel_peer from = {.address = {.sin_family = AF_INET}};
    struct tunnel *t;

    if (room < UDP_SIZE || (len = ntohs(udp->length)) < UDP_SIZE || len > room) {
        port_lose_in(w, in, PORT_DROP_MALFORMED, p);
        packet_free(p);
        return NULL;
    }
    if (!(t = tunnel_at(u, udp->dst)))
        return p;
    if (!net_checksum_ok(IP_UDP, &ip->src, &ip->dst, 4, (const void *)udp, len)) {
        port_lose_in(w, t->port, PORT_DROP_CHECKSUM, p);
        packet_free(p);
        return NULL;
    }
    from.address.sin_addr.s_addr = ip->src;
    from.address.sin_port = udp->src;
    from.ecn = ip->tos & 3;
    packet_pull(p, ETH_HEADER_SIZE + header + UDP_SIZE);
    p->len = (uint32_t)(len - UDP_SIZE);
    t->take(w, t, &u->workers[w->index].burst, p, &from);
    return NULL;
}

/* ---- IP ---- */

static struct packet *whole_packet(const struct packet *fragment, struct bytes ip, uint32_t in_port)
{
    struct packet *p = packet_new_for(ETH_HEADER_SIZE + ip.len);

    if (!p)
        return NULL;
    memcpy(p->data, fragment->data, ETH_HEADER_SIZE);
    memcpy(p->data + ETH_HEADER_SIZE, ip.at, ip.len);
    p->len = (uint32_t)(ETH_HEADER_SIZE + ip.len);
    packet_enter(p, in_port);
    packet_parse(p);
    return p;
}

/* Takes a fragment; the packet that it completes, or NULL. */
static struct packet *reassemble(struct worker *w, struct underlay *u, struct port *in,
                                 struct packet *p)
{
    struct packet *whole = NULL;
    struct bytes ip;
    int got;

    pthread_mutex_lock(&u->reassembly_lock);
    got =
        net_reassemble(u->reassembly, bytes_of(p->data + ETH_HEADER_SIZE, p->len - ETH_HEADER_SIZE),
                       w->now_us, &ip);
    if (got > 0)
        whole = whole_packet(p, ip, in->number);
    pthread_mutex_unlock(&u->reassembly_lock);
    if (got < 0 || (got > 0 && !whole))
        port_lose_in(w, in, PORT_DROP_FRAGMENT, p);
    packet_free(p);
    return whole;
}

static bool ipv4_is_sound(const struct underlay *u, const struct packet *p)
{
    const struct ipv4_header *ip = (const void *)(p->data + ETH_HEADER_SIZE);
    size_t room = p->len - ETH_HEADER_SIZE, header;

    if (room < IPV4_MIN_SIZE)
        return false;
    header = ipv4_header_size(ip);
    return ip->version_ihl >> 4 == 4 && header >= IPV4_MIN_SIZE &&
           ntohs(ip->total_length) >= header && ntohs(ip->total_length) <= room &&
           net_checksum(ip, header) == 0 && is_somebody(u, ip->src);
}

static struct packet *take_ipv4(struct worker *w, struct underlay *u, struct port *in,
                                struct packet *p)
{
    const struct ipv4_header *ip = (const void *)(p->data + ETH_HEADER_SIZE);
    uint8_t protocol;
    size_t header;

    if (!ipv4_is_sound(u, p)) {
        port_lose_in(w, in, PORT_DROP_MALFORMED, p);
        packet_free(p);
        return NULL;
    }
    protocol = ip->protocol;
    if (protocol != IP_UDP && protocol != IP_ICMP)
        return p;
    if (ip->fragment & htons(IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) {
        if (!(p = reassemble(w, u, in, p)))
            return NULL;
        ip = (const void *)(p->data + ETH_HEADER_SIZE);
    }
    p->len = ETH_HEADER_SIZE + ntohs(ip->total_length); /* without the link's padding */
    header = ipv4_header_size(ip);
    return protocol == IP_UDP ? take_udp(w, u, in, p, header) : take_icmp(w, u, in, p, header);
}

struct packet *underlay_take(struct worker *w, struct port *in, struct packet *p)
{
    const struct of_key *k = &p->key;

    if (p->vlan_tags)
        return p;
    for (struct underlay *u = __atomic_load_n(&in->underlays, __ATOMIC_ACQUIRE); u;
         u = __atomic_load_n(&u->next, __ATOMIC_ACQUIRE)) {
        if (k->eth_type == htons(ETH_TYPE_ARP)) {
            if (!take_arp(w, u, p))
                continue;
            packet_free(p);
            return NULL;
        }
        if (k->eth_type == htons(ETH_TYPE_IPV4) && p->l3 == ETH_HEADER_SIZE &&
            k->ipv4_dst == u->address && memcmp(p->data, u->mac, 6) == 0)
            return take_ipv4(w, u, in, p);
    }
    return p;
}

void underlay_deliver(struct worker *w, struct port *in)
{
    for (struct underlay *u = __atomic_load_n(&in->underlays, __ATOMIC_ACQUIRE); u;
         u = __atomic_load_n(&u->next, __ATOMIC_ACQUIRE))
        tunnel_burst_run(w, &u->workers[w->index].burst);
}

/* ---- time ---- */

void underlay_tick(struct underlay *u, uint64_t now_us)
{
    struct worker *w = u->dp->workers[0];
    struct neighbour_due due;

    neighbour_tick(u->neighbours, now_us, &due);
    for (unsigned i = 0; i < due.ask_count; i++)
        ask(w, u, due.ask[i], everybody);
    for (unsigned i = 0; i < due.given_up_count; i++) {
        count_drop(w, u, due.given_up[i], PORT_DROP_NO_NEIGHBOUR);
        packet_free(due.given_up[i]);
    }
    if (due.ask_count)
        worker_flush(w);
}

static void tick(struct timer *timer)
{
    underlay_tick(container_of(timer, struct underlay, timer), clock_now_us());
    timer_start(timer, TICK_MS, tick);
}

/* ---- joining and leaving ---- */

static void underlay_free(void *at)
{
    struct underlay *u = at;

    neighbour_table_free(u->neighbours);
    net_reassembly_free(u->reassembly);
    pthread_mutex_destroy(&u->reassembly_lock);
    slab_free(u->workers);
    free(u);
}

/* An interface of somebody else's (the kernel's side of a TAP, a guest) keeps its address, and ours
 * is made of the IP address; a card takes in only what is for its own. */
static void choose_mac(struct underlay *u, const struct port *port)
{
    static const uint8_t none[6];

    if (memcmp(port->mac, none, 6) != 0 &&
        (!port->config || port->config->type != SWITCH_PORT_TAP)) {
        memcpy(u->mac, port->mac, 6);
        return;
    }
    u->mac[0] = 0x02; /* locally administered */
    u->mac[1] = 'S';
    memcpy(u->mac + 2, &u->address, 4);
}

/* Number and generation are two stores: a worker that has one new and one old finds no port. */
static void go_by(struct underlay *u, struct port *port)
{
    choose_mac(u, port);
    __atomic_store_n(&u->port_number, port->number, __ATOMIC_RELAXED);
    __atomic_store_n(&u->generation, port->generation, __ATOMIC_RELAXED);
    u->next = port->underlays;
    __atomic_store_n(&port->underlays, u, __ATOMIC_RELEASE);
}

static struct underlay *underlay_new(const struct switch_port_config *c, struct port *port)
{
    struct underlay *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    pthread_mutex_init(&u->reassembly_lock, NULL);
    u->dp = port->dp;
    memcpy(u->port_name, port->name, sizeof(u->port_name));
    u->address = c->address.s_addr;
    u->mask = c->prefix ? htonl(UINT32_MAX << (32 - c->prefix)) : 0;
    u->gateway = c->gateway.s_addr;
    u->neighbours = neighbour_table_new();
    u->reassembly = net_reassembly_new(REASSEMBLIES, UINT16_MAX, REASSEMBLY_US);
    u->workers = slab_alloc(port->dp->worker_count * sizeof(*u->workers));
    if (!u->neighbours || !u->reassembly || !u->workers) {
        underlay_free(u);
        return NULL;
    }
    u->next_of_all = all;
    all = u;
    go_by(u, port);
    timer_start(&u->timer, TICK_MS, tick);
    return u;
}

void underlay_port_opened(struct port *port)
{
    for (struct underlay *u = all; u; u = u->next_of_all)
        if (u->dp == port->dp && !port_of(u) && strcmp(u->port_name, port->name) == 0)
            go_by(u, port);
}

static void underlay_remove(struct underlay *u)
{
    struct port *port = port_of(u);

    timer_stop(&u->timer);
    for (struct underlay **at = &all; *at; at = &(*at)->next_of_all)
        if (*at == u) {
            *at = u->next_of_all;
            break;
        }
    for (struct underlay **at = port ? &port->underlays : NULL; at && *at; at = &(*at)->next)
        if (*at == u) {
            __atomic_store_n(at, u->next, __ATOMIC_RELEASE);
            break;
        }
    reclaim_memory(u, underlay_free);
}

static struct port *port_named(const struct datapath *dp, const char *name)
{
    for (uint32_t i = 1; i < MAX_PORTS; i++)
        if (dp->ports[i] && strcmp(dp->ports[i]->name, name) == 0)
            return dp->ports[i];
    return NULL;
}

int underlay_join(struct tunnel *t)
{
    const struct switch_port_config *c = t->port->config;
    struct port *port = port_named(t->port->dp, c->underlay);
    struct underlay *u = port ? port->underlays : NULL;

    if (!port) {
        log_error("switch.ports: %s: its underlay \"%s\" is not open", c->name, c->underlay);
        return -ENODEV;
    }
    while (u && u->address != c->address.s_addr)
        u = u->next;
    if (u && tunnel_at(u, t->local.sin_port)) {
        log_error("switch.ports: %s: another tunnel has its address and UDP port", c->name);
        return -EADDRINUSE;
    }
    if (!u && !(u = underlay_new(c, port)))
        return -ENOMEM;
    for (unsigned i = 0; i < UNDERLAY_TUNNELS; i++) {
        if (u->tunnels[i])
            continue;
        t->underlay = u;
        __atomic_store_n(&u->tunnels[i], t, __ATOMIC_RELEASE);
        return 0;
    }
    return -ENOMEM;
}

void underlay_leave(struct tunnel *t)
{
    struct underlay *u = t->underlay;
    bool used = false;

    for (unsigned i = 0; i < UNDERLAY_TUNNELS; i++) {
        if (u->tunnels[i] == t)
            __atomic_store_n(&u->tunnels[i], NULL, __ATOMIC_RELEASE);
        used |= u->tunnels[i] != NULL;
    }
    if (!used)
        underlay_remove(u);
    reclaim_synchronize(); /* the tunnel's memory is freed now */
}
