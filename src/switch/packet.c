/*
 * packet.c -- the pool of packets, and reading a frame into a key (OpenFlow 1.3.5 clause 5.3 and
 * figure 4).
 *
 * The key says what matching sees: the outermost VLAN tag, the outermost MPLS label, the IP header
 * behind tags, and the transport header unless this is a later fragment. A header that is cut or
 * contradicts itself leaves its fields zero.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "switch/packet.h"

/* ---- pool ---- */

#define CACHE_SIZE  256 /* free packets that a thread keeps */
#define CACHE_BATCH 128 /* how many it takes from the others or gives them */

static struct {
    pthread_mutex_t lock;
    struct packet *packets; /* one for each chunk */
    uint8_t *memory;
    struct packet **free; /* a stack, under the lock */
    unsigned count, free_count;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static __thread struct {
    struct packet *at[CACHE_SIZE];
    unsigned count;
} cache;

/* Under the lock. */
static int pool_make(unsigned packets)
{
    size_t size = (size_t)packets * PACKET_CHUNK;
    uint8_t *memory;

    if (pool.packets)
        return 0;
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    pool.packets = calloc(packets, sizeof(*pool.packets));
    pool.free = calloc(packets, sizeof(struct packet *));
    if (!pool.packets || !pool.free) {
        munmap(memory, size);
        free(pool.packets);
        free(pool.free);
        pool.packets = NULL;
        return -ENOMEM;
    }
    pool.memory = memory;
    pool.count = pool.free_count = packets;
    for (unsigned i = 0; i < packets; i++) {
        pool.packets[i].buffer = memory + (size_t)i * PACKET_CHUNK;
        pool.packets[i].room = PACKET_ROOM;
        pool.free[packets - 1 - i] = &pool.packets[i];
    }
    return 0;
}

int packet_pool_init(unsigned packets)
{
    int err;

    pthread_mutex_lock(&pool.lock);
    err = pool_make(packets);
    pthread_mutex_unlock(&pool.lock);
    return err;
}

void packet_pool_free(void)
{
    if (!pool.packets)
        return;
    munmap(pool.memory, (size_t)pool.count * PACKET_CHUNK);
    free(pool.packets);
    free(pool.free);
    pool.packets = NULL;
    pool.free = NULL;
    pool.memory = NULL;
    pool.count = pool.free_count = cache.count = 0;
}

static void cache_fill(void)
{
    pthread_mutex_lock(&pool.lock);
    if (!pool.packets)
        (void)pool_make(PACKET_POOL_DEFAULT);
    while (cache.count < CACHE_BATCH && pool.free_count)
        cache.at[cache.count++] = pool.free[--pool.free_count];
    pthread_mutex_unlock(&pool.lock);
}

static void cache_drain(unsigned keep)
{
    pthread_mutex_lock(&pool.lock);
    while (cache.count > keep)
        pool.free[pool.free_count++] = cache.at[--cache.count];
    pthread_mutex_unlock(&pool.lock);
}

void packet_thread_done(void)
{
    if (cache.count)
        cache_drain(0);
}

static inline void packet_empty(struct packet *p)
{
    p->data = p->buffer + PACKET_HEADROOM;
    p->len = 0;
    p->offload = (struct offload){0};
}

struct packet *packet_new(void)
{
    struct packet *p;

    if (cache.count == 0)
        cache_fill();
    if (cache.count == 0)
        return NULL;
    p = cache.at[--cache.count];
    packet_empty(p);
    return p;
}

struct packet *packet_new_for(size_t size)
{
    struct packet *p;

    if (size <= PACKET_ROOM)
        return packet_new();
    if (size > PACKET_MOST)
        return NULL;
    p = malloc(sizeof(*p) + PACKET_HEADROOM + size + PACKET_TAILROOM);
    if (!p)
        return NULL;
    p->buffer = (uint8_t *)(p + 1);
    p->room = (uint32_t)size;
    packet_empty(p);
    return p;
}

static void pool_put(struct packet *p)
{
    if (cache.count == CACHE_SIZE)
        cache_drain(CACHE_SIZE - CACHE_BATCH);
    cache.at[cache.count++] = p;
}

void packet_free(struct packet *p)
{
    if (packet_is_in_pool(p))
        pool_put(p);
    else
        free(p);
}

struct bytes packet_pool_memory(void)
{
    return bytes_of(pool.memory, (size_t)pool.count * PACKET_CHUNK);
}

struct packet *packet_at_offset(uint64_t offset)
{
    uint64_t nth = offset / PACKET_CHUNK;

    return nth < pool.count ? &pool.packets[nth] : NULL;
}

void packets_take_back(uint16_t lent_to)
{
    for (unsigned i = 0; i < pool.count; i++)
        if (pool.packets[i].lent_to == lent_to) {
            pool.packets[i].lent_to = 0;
            pool_put(&pool.packets[i]);
        }
}

struct packet *packet_clone(const struct packet *p)
{
    struct packet *c = packet_new_for(p->len);

    if (!c)
        return NULL;
    memcpy((uint8_t *)c + offsetof(struct packet, l3),
           (const uint8_t *)p + offsetof(struct packet, l3),
           sizeof(*p) - offsetof(struct packet, l3));
    c->len = p->len;
    memcpy(c->data, p->data, p->len);
    return c;
}

struct packet *packet_copy_of(struct bytes frame)
{
    struct packet *p = packet_new_for(frame.len);

    if (!p)
        return NULL;
    if (frame.len)
        memcpy(p->data, frame.at, frame.len);
    p->len = (uint32_t)frame.len;
    return p;
}

/* ---- parsing ---- */

/* The key's packet part lies around its pipeline part; only what a packet may leave behind is
 * cleared. */
static void clear_headers(struct of_key *k)
{
    memset(&k->eth_type, 0, offsetof(struct of_key, reg) - offsetof(struct of_key, eth_type));
}

static void parse_transport(struct packet *p, struct of_key *k, size_t len)
{
    const uint8_t *at = p->data + p->l4;
    size_t least = k->ip_proto == IP_TCP    ? TCP_MIN_SIZE
                   : k->ip_proto == IP_UDP  ? UDP_SIZE
                   : k->ip_proto == IP_SCTP ? SCTP_SIZE
                                            : 4;

    if (len < least) {
        p->l4 = 0;
        return;
    }
    switch (k->ip_proto) {
    case IP_TCP:
        memcpy(&k->tcp_flags, at + 12, 2);
        k->tcp_flags &= htons(0x0fff);
        /* fall through */
    case IP_UDP:
    case IP_SCTP:
        memcpy(&k->l4_src, at, 2);
        memcpy(&k->l4_dst, at + 2, 2);
        break;
    case IP_ICMP:
    case IP_ICMPV6:
        k->icmp_type = at[0];
        k->icmp_code = at[1];
        break;
    }
}

/* Neighbour solicitation and advertisement: the target and the first link address option (RFC 4861
 * clause 4.6.1). */
static void parse_nd(struct packet *p, struct of_key *k, size_t len)
{
    struct reader r = reader_of(p->data + p->l4, len);
    uint8_t wanted = k->icmp_type == ICMPV6_NEIGHBOUR_SOLICITATION ? 1 : 2;

    if ((k->icmp_type != ICMPV6_NEIGHBOUR_SOLICITATION &&
         k->icmp_type != ICMPV6_NEIGHBOUR_ADVERTISEMENT) ||
        k->icmp_code != 0 || len < 24)
        return;
    rd_skip(&r, 8);
    rd_bytes(&r, k->nd_target, 16);
    while (rd_left(&r) >= 8) {
        uint8_t type = r.at[0];
        size_t size = (size_t)r.at[1] * 8;

        if (size == 0)
            return;
        if (type == wanted && size == 8) {
            if (r.at + 2 - p->data > UINT16_MAX)
                return;
            p->nd_option = (uint16_t)(r.at + 2 - p->data);
            memcpy(wanted == 1 ? k->nd_sll : k->nd_tll, r.at + 2, 6);
            return;
        }
        rd_skip(&r, size);
    }
}

static void parse_ipv4(struct packet *p, struct of_key *k)
{
    const struct ipv4_header *ip = (const void *)(p->data + p->l3);
    size_t room = p->len - p->l3, header, total;
    uint16_t fragment;

    if (room < IPV4_MIN_SIZE)
        return;
    header = ipv4_header_size(ip);
    total = ntohs(ip->total_length);
    if (ip->version_ihl >> 4 != 4 || header < IPV4_MIN_SIZE || total < header || total > room)
        return;
    p->l3_len = (uint16_t)total;
    p->valid = true;
    k->ip_dscp = ip->tos >> 2;
    k->ip_ecn = ip->tos & 3;
    k->ip_ttl = ip->ttl;
    k->ip_proto = ip->protocol;
    k->ipv4_src = ip->src;
    k->ipv4_dst = ip->dst;
    fragment = ntohs(ip->fragment);
    if (fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK))
        k->ip_frag = OF_FRAG_ANY | (fragment & IPV4_OFFSET_MASK ? OF_FRAG_LATER : 0);
    if (k->ip_frag & OF_FRAG_LATER)
        return;
    p->l4 = (uint16_t)(p->l3 + header);
    parse_transport(p, k, total - header);
}

/* Where each extension header stands in the order that RFC 8200 clause 4.1 recommends, and its bit
 * of ipv6_exthdr. Destination options have two places, before routing and last, so their order is
 * never wrong. */
static const struct extension {
    uint8_t type;
    uint8_t order; /* 0: anywhere */
    uint8_t most;  /* times it may appear */
    uint16_t bit;
} extensions[] = {
    {IP_HOP_BY_HOP, 1, 1, OFPIEH_HOP}, {IP_DESTINATION_OPTIONS, 0, 2, OFPIEH_DEST},
    {IP_ROUTING, 2, 1, OFPIEH_ROUTER}, {IP_FRAGMENT, 3, 1, OFPIEH_FRAG},
    {IP_AH, 4, 1, OFPIEH_AUTH},        {IP_ESP, 5, 1, OFPIEH_ESP},
};
#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

struct extension_walk {
    uint16_t bits;
    uint8_t order; /* the highest so far */
    uint8_t seen[EXTENSIONS];
};

static void note_extension(struct extension_walk *walk, uint8_t type)
{
    for (size_t i = 0; i < EXTENSIONS; i++) {
        const struct extension *e = &extensions[i];

        if (e->type != type)
            continue;
        walk->bits |= e->bit;
        if (++walk->seen[i] > e->most)
            walk->bits |= OFPIEH_UNREP;
        if (e->order && e->order < walk->order)
            walk->bits |= OFPIEH_UNSEQ;
        if (e->order > walk->order)
            walk->order = e->order;
    }
}

static void parse_ipv6(struct packet *p, struct of_key *k)
{
    const struct ipv6_header *ip = (const void *)(p->data + p->l3);
    size_t room = p->len - p->l3;
    uint8_t next, class;
    bool fragment = false, later = false;
    struct extension_walk walk = {0};
    struct reader r;

    if (room < IPV6_SIZE || p->data[p->l3] >> 4 != 6 ||
        ntohs(ip->payload_length) > room - IPV6_SIZE ||
        ntohs(ip->payload_length) > UINT16_MAX - IPV6_SIZE)
        return;
    p->l3_len = (uint16_t)(IPV6_SIZE + ntohs(ip->payload_length));
    r = reader_of(p->data + p->l3 + IPV6_SIZE, p->l3_len - IPV6_SIZE);
    class = (uint8_t)(ntohl(ip->version_class_label) >> 20);
    k->ip_dscp = class >> 2;
    k->ip_ecn = class & 3;
    k->ip_ttl = ip->hop_limit;
    k->ipv6_flabel = ip->version_class_label & htonl(0xfffff);
    memcpy(k->ipv6_src, ip->src, 16);
    memcpy(k->ipv6_dst, ip->dst, 16);
    next = ip->next_header;
    for (uint8_t type = next; !later; type = next) {
        note_extension(&walk, type);
        if (!net_ipv6_extension(&r, &next, &fragment, &later))
            break;
    }
    k->ipv6_exthdr = htons((uint16_t)(walk.bits | (next == IP_NO_NEXT_HEADER ? OFPIEH_NONEXT : 0)));
    k->ip_proto = next;
    k->ip_frag = fragment ? OF_FRAG_ANY | (later ? OF_FRAG_LATER : 0) : 0;
    p->valid = !r.bad;
    if (r.bad || later || r.at - p->data > UINT16_MAX)
        return;
    p->l4 = (uint16_t)(r.at - p->data);
    parse_transport(p, k, rd_left(&r));
    if (p->l4 && next == IP_ICMPV6)
        parse_nd(p, k, rd_left(&r));
}

static void parse_arp(struct packet *p, struct of_key *k)
{
    const struct arp_header *arp = (const void *)(p->data + p->l3);

    if (p->len - p->l3 < sizeof(*arp) || arp->hardware != htons(1) ||
        arp->protocol != htons(ETH_TYPE_IPV4) || arp->hardware_size != 6 || arp->protocol_size != 4)
        return;
    p->valid = true;
    k->arp_op = arp->op;
    k->arp_spa = arp->spa;
    k->arp_tpa = arp->tpa;
    memcpy(k->arp_sha, arp->sha, 6);
    memcpy(k->arp_tha, arp->tha, 6);
}

static void parse_mpls(struct packet *p, struct of_key *k)
{
    uint32_t entry;

    if (p->len - p->l3 < 4)
        return;
    p->valid = true;
    memcpy(&entry, p->data + p->l3, 4);
    entry = ntohl(entry);
    k->mpls_label = htonl(entry >> 12);
    k->mpls_tc = entry >> 9 & 7;
    k->mpls_bos = entry >> 8 & 1;
}

/* The I-TAG of IEEE 802.1ah: PCP, DEI, UCA, reserved bits and a 24-bit service id. */
static void parse_pbb(struct packet *p, struct of_key *k)
{
    const uint8_t *at = p->data + p->l3;

    if (p->len - p->l3 < 4)
        return;
    p->valid = true;
    k->pbb_uca = at[0] >> 3 & 1;
    memcpy(k->pbb_isid, at + 1, 3);
}

/* All tags are passed, as far as they can be counted; the outermost is the one that is matched. */
static uint16_t parse_vlan(struct packet *p, struct of_key *k, uint16_t type)
{
    while ((type == ETH_TYPE_VLAN || type == ETH_TYPE_SERVICE_VLAN) && p->vlan_tags < UINT8_MAX &&
           p->len - p->l3 >= VLAN_TAG_SIZE) {
        struct vlan_tag tag;

        memcpy(&tag, p->data + p->l3, sizeof(tag));
        if (p->vlan_tags++ == 0) {
            k->vlan_vid = htons(OFPVID_PRESENT) | (tag.tci & htons(0xfff));
            k->vlan_pcp = (uint8_t)(ntohs(tag.tci) >> 13);
        }
        type = ntohs(tag.type);
        p->l3 += VLAN_TAG_SIZE;
    }
    return type;
}

void packet_parse(struct packet *p)
{
    const struct eth_header *eth = (const void *)p->data;
    struct of_key *k = &p->key;
    uint16_t type;

    clear_headers(k);
    p->l3 = ETH_HEADER_SIZE;
    p->l4 = p->l3_len = p->nd_option = 0;
    p->vlan_tags = 0;
    p->valid = false;
    if (p->len < ETH_HEADER_SIZE)
        return;
    memcpy(k->eth_dst, eth->dst, 6);
    memcpy(k->eth_src, eth->src, 6);
    type = ntohs(eth->type);
    if (type == ETH_TYPE_VLAN || type == ETH_TYPE_SERVICE_VLAN)
        type = parse_vlan(p, k, type);
    k->eth_type = htons(type);
    if (type == ETH_TYPE_IPV4)
        parse_ipv4(p, k);
    else if (type == ETH_TYPE_IPV6)
        parse_ipv6(p, k);
    else if (type == ETH_TYPE_ARP)
        parse_arp(p, k);
    else if (type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MULTICAST)
        parse_mpls(p, k);
    else if (type == ETH_TYPE_PBB)
        parse_pbb(p, k);
    else
        p->valid = true;
}

/* Of all addresses and ports that a packet has: what belongs to one conversation has them in
 * common. */
uint32_t packet_flow_hash(const struct packet *p)
{
    const struct of_key *k = &p->key;
    uint64_t words[9] = {0}, h = 0x9e3779b97f4a7c15ull;

    memcpy(words, k->ipv6_src, 16);
    memcpy(words + 2, k->ipv6_dst, 16);
    memcpy(words + 4, k->eth_dst, 6);
    memcpy(words + 5, k->eth_src, 6);
    words[6] = (uint64_t)k->ipv4_src << 32 | k->ipv4_dst;
    words[7] = (uint64_t)k->arp_spa << 32 | k->arp_tpa;
    words[8] = (uint64_t)k->l4_src << 32 | (uint64_t)k->l4_dst << 16 | k->ip_proto;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        h = (h ^ words[i]) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    return (uint32_t)h;
}
