/*
 * reassembly.c -- putting fragments together (fragment.h has the sources).
 *
 * A fixed table of packets, each with a buffer for its payload and, before it, room for its
 * header, so that a packet that is complete lies in one piece. Every fragment's range is kept: a
 * fragment that came already is ignored, one that overlaps another makes the whole packet refused,
 * and what comes for it afterwards too, until its time is over. The table is searched from end to
 * end: it is small, and fragments are rare.
 */
#include <errno.h>
#include <stdlib.h>

#include "wire/net/fragment.h"

#define HEADER_ROOM 256 /* an IPv4 header, or IPv6's with what each fragment has before its own */
#define ECN_NOT     0   /* RFC 3168 clause 5: not capable of it, */
#define ECN_CE      3   /* and congestion experienced */

/* A fragment, taken apart. */
struct fragment {
    uint8_t src[16], dst[16];
    uint32_t id;
    uint8_t version, ecn;
    uint8_t protocol; /* IPv4: of the packet; IPv6: what the fragment header says is next */
    bool more;
    uint32_t from, to;     /* its payload's place in the packet's */
    struct bytes header;   /* what is before the fragment header, or the IPv4 header */
    size_t next_header_at; /* IPv6: in `header` */
    struct bytes data;
};

struct range {
    uint16_t from, to;
};

/* A packet of which fragments have come. */
struct partial {
    bool used, refused;
    uint8_t version, protocol; /* IPv6: protocol is of the first fragment */
    uint8_t ecn_seen;          /* 1 << each */
    uint32_t id;
    uint8_t src[16], dst[16];
    uint64_t started_us;
    uint32_t header_size; /* 0: the first fragment has not come */
    uint32_t next_header_at;
    uint32_t received, end; /* bytes; the highest that came */
    uint32_t total;         /* 0: the last fragment has not come */
    uint32_t count;
    struct range ranges[NET_REASSEMBLY_MAX_FRAGMENTS];
    uint8_t *data; /* with HEADER_ROOM before it */
};

struct net_reassembly {
    struct net_reassembly_counters counters;
    uint64_t timeout_us;
    size_t largest;
    uint8_t *memory;
    unsigned size;
    struct partial packets[]; /* one more than `size`: for fragments that are whole packets */
};

struct net_reassembly *net_reassembly_new(unsigned packets, size_t largest, uint64_t timeout_us)
{
    struct net_reassembly *r;
    size_t room;

    if (largest > UINT16_MAX)
        largest = UINT16_MAX;
    room = HEADER_ROOM + largest;
    r = calloc(1, sizeof(*r) + (packets + (size_t)1) * sizeof(r->packets[0]));
    if (!r)
        return NULL;
    r->memory = calloc(packets + (size_t)1, room);
    if (!r->memory) {
        free(r);
        return NULL;
    }
    r->timeout_us = timeout_us;
    r->largest = largest;
    r->size = packets;
    for (unsigned i = 0; i <= packets; i++)
        r->packets[i].data = r->memory + i * room + HEADER_ROOM;
    return r;
}

void net_reassembly_free(struct net_reassembly *r)
{
    if (r)
        free(r->memory);
    free(r);
}

const struct net_reassembly_counters *net_reassembly_counters(const struct net_reassembly *r)
{
    return &r->counters;
}

/* ---- reading a fragment ---- */

/* Both: 1 it is a fragment, 0 it is a whole packet, or -EBADMSG. */
static int read_ipv4(struct bytes packet, struct fragment *f)
{
    const struct ipv4_header *ip = (const void *)packet.at;
    size_t size, total;
    uint16_t fragment;

    if (packet.len < IPV4_MIN_SIZE)
        return -EBADMSG;
    size = ipv4_header_size(ip);
    total = ntohs(ip->total_length);
    if (size < IPV4_MIN_SIZE || total < size || total > packet.len)
        return -EBADMSG;
    fragment = ntohs(ip->fragment);
    if ((fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) == 0)
        return 0;
    memcpy(f->src, &ip->src, 4);
    memcpy(f->dst, &ip->dst, 4);
    f->id = ntohs(ip->id);
    f->version = 4;
    f->ecn = ip->tos & 3;
    f->protocol = ip->protocol;
    f->more = fragment & IPV4_MORE_FRAGMENTS;
    f->from = (fragment & IPV4_OFFSET_MASK) * 8u;
    f->header = bytes_of(packet.at, size);
    f->data = bytes_of(packet.at + size, total - size);
    return 1;
}

/* The first fragment has all headers up to the transport's (RFC 7112), so that nobody on the way
 * can be deceived. */
static bool headers_complete(struct bytes data, uint8_t type)
{
    struct reader r = reader_of_bytes(data);
    bool fragment = false, later = false;

    while (net_ipv6_extension(&r, &type, &fragment, &later)) {
    }
    return !r.bad && !fragment && (type == IP_NO_NEXT_HEADER || rd_left(&r) > 0);
}

static int read_ipv6_fragment(struct reader *r, struct fragment *f)
{
    uint16_t offset;

    f->protocol = rd_u8(r);
    rd_skip(r, 1);
    offset = rd_u16(r);
    f->id = rd_u32(r);
    f->data = rd_rest(r);
    f->from = offset & 0xfff8;
    f->more = offset & 1;
    if (r->bad || f->header.len > HEADER_ROOM)
        return -EBADMSG;
    return f->from > 0 || headers_complete(f->data, f->protocol) ? 1 : -EBADMSG;
}

static int read_ipv6(struct bytes packet, struct fragment *f)
{
    const struct ipv6_header *ip = (const void *)packet.at;
    bool fragment = false, later = false;
    struct reader r;
    uint8_t type;

    if (packet.len < IPV6_SIZE || ntohs(ip->payload_length) > packet.len - IPV6_SIZE)
        return -EBADMSG;
    memcpy(f->src, ip->src, 16);
    memcpy(f->dst, ip->dst, 16);
    f->version = 6;
    f->ecn = ntohl(ip->version_class_label) >> 20 & 3;
    f->next_header_at = offsetof(struct ipv6_header, next_header);
    r = reader_of(packet.at + IPV6_SIZE, ntohs(ip->payload_length));
    for (type = ip->next_header; type != IP_FRAGMENT;) {
        size_t at = (size_t)(r.at - packet.at);

        if (!net_ipv6_extension(&r, &type, &fragment, &later))
            return r.bad ? -EBADMSG : 0;
        f->next_header_at = at;
    }
    f->header = bytes_of(packet.at, (size_t)(r.at - packet.at));
    return read_ipv6_fragment(&r, f);
}

/* What holds for both. */
static int read_fragment(struct bytes packet, struct fragment *f)
{
    int is = -EBADMSG;

    memset(f, 0, sizeof(*f));
    if (packet.len > 0 && packet.at[0] >> 4 == 4)
        is = read_ipv4(packet, f);
    else if (packet.len > 0 && packet.at[0] >> 4 == 6)
        is = read_ipv6(packet, f);
    if (is <= 0)
        return is;
    f->to = f->from + (uint32_t)f->data.len;
    if (f->data.len == 0 || f->to > UINT16_MAX || (f->more && f->data.len % 8 != 0))
        return -EBADMSG;
    return 1;
}

/* ---- the table ---- */

static bool same_pair(const struct partial *p, const struct fragment *f)
{
    return p->version == f->version && memcmp(p->src, f->src, sizeof(p->src)) == 0 &&
           memcmp(p->dst, f->dst, sizeof(p->dst)) == 0;
}

/* RFC 791 tells packets apart by their protocol too, RFC 8200 does not. */
static bool same_packet(const struct partial *p, const struct fragment *f)
{
    return p->id == f->id && same_pair(p, f) && (f->version == 6 || p->protocol == f->protocol);
}

static void let_time_out(struct net_reassembly *r, struct partial *p, uint64_t now_us)
{
    if (!p->used || now_us - p->started_us < r->timeout_us)
        return;
    p->used = false;
    r->counters.timed_out += !p->refused;
}

/* A place for a new packet; if there is none, one of those that are there loses its own. */
static struct partial *make_room(struct net_reassembly *r, const struct fragment *f)
{
    struct partial *oldest = NULL, *oldest_of_pair = NULL;
    unsigned of_pair = 0;

    for (struct partial *p = r->packets; p < r->packets + r->size; p++) {
        if (!p->used)
            return p;
        if (!oldest || p->started_us < oldest->started_us)
            oldest = p;
        if (!same_pair(p, f))
            continue;
        of_pair++;
        if (!oldest_of_pair || p->started_us < oldest_of_pair->started_us)
            oldest_of_pair = p;
    }
    if (!oldest)
        return NULL;
    if (oldest_of_pair && of_pair >= r->size / 4)
        oldest = oldest_of_pair;
    r->counters.evicted += !oldest->refused;
    return oldest;
}

static void begin(struct partial *p, const struct fragment *f, uint64_t now_us)
{
    uint8_t *data = p->data;

    *p = (struct partial){.used = true,
                          .version = f->version,
                          .protocol = f->protocol,
                          .id = f->id,
                          .started_us = now_us,
                          .data = data};
    memcpy(p->src, f->src, sizeof(p->src));
    memcpy(p->dst, f->dst, sizeof(p->dst));
}

static struct partial *find(struct net_reassembly *r, const struct fragment *f, uint64_t now_us)
{
    struct partial *found = NULL;

    for (struct partial *p = r->packets; p < r->packets + r->size; p++) {
        let_time_out(r, p, now_us);
        if (p->used && same_packet(p, f))
            found = p;
    }
    if (found)
        return found;
    found = make_room(r, f);
    if (found)
        begin(found, f, now_us);
    return found;
}

/* ---- putting together ---- */

/* 0: it is new; 1: it came already; -EBADMSG: it overlaps, or lies where there can be nothing. */
static int place(const struct partial *p, const struct fragment *f)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct range had = p->ranges[i];

        if (had.from == f->from && had.to == f->to)
            return memcmp(p->data + f->from, f->data.at, f->data.len) == 0 ? 1 : -EBADMSG;
        if (f->from < had.to && had.from < f->to)
            return -EBADMSG;
    }
    if (p->count == NET_REASSEMBLY_MAX_FRAGMENTS)
        return -EBADMSG;
    if (!f->more && (p->total || f->to < p->end))
        return -EBADMSG;
    return p->total && f->to > p->total ? -EBADMSG : 0;
}

static void store(struct partial *p, const struct fragment *f)
{
    memcpy(p->data + f->from, f->data.at, f->data.len);
    p->ranges[p->count++] = (struct range){(uint16_t)f->from, (uint16_t)f->to};
    p->received += (uint32_t)f->data.len;
    p->ecn_seen |= (uint8_t)(1u << f->ecn);
    if (f->to > p->end)
        p->end = f->to;
    if (!f->more)
        p->total = f->to;
    if (f->from > 0)
        return;
    memcpy(p->data - f->header.len, f->header.at, f->header.len);
    p->header_size = (uint32_t)f->header.len;
    p->next_header_at = (uint32_t)f->next_header_at;
    p->protocol = f->protocol;
}

static void finish_ipv4(struct partial *p, uint8_t ecn)
{
    struct ipv4_header *ip = (void *)(p->data - p->header_size);

    ip->total_length = htons((uint16_t)(p->header_size + p->total));
    ip->fragment = 0;
    ip->tos |= ecn;
    ip->checksum = 0;
    ip->checksum = net_checksum(ip, p->header_size);
}

static void finish_ipv6(struct partial *p, uint8_t ecn)
{
    uint8_t *header = p->data - p->header_size;
    struct ipv6_header *ip = (void *)header;

    ip->payload_length = htons((uint16_t)(p->header_size - IPV6_SIZE + p->total));
    ip->version_class_label |= htonl((uint32_t)ecn << 20);
    header[p->next_header_at] = p->protocol;
}

/* All has come: 1 or -EBADMSG. A mark of congestion on one fragment is the packet's; but not on one
 * of a sender that knows none. */
static int finish(const struct net_reassembly *r, struct partial *p, struct bytes *whole)
{
    size_t size = p->header_size + p->total;
    size_t counted = p->version == 4 ? size : size - IPV6_SIZE;
    bool marked = p->ecn_seen & 1 << ECN_CE;

    if (size > r->largest || counted > UINT16_MAX || (marked && p->ecn_seen & 1 << ECN_NOT))
        return -EBADMSG;
    if (p->version == 4)
        finish_ipv4(p, marked ? ECN_CE : 0);
    else
        finish_ipv6(p, marked ? ECN_CE : 0);
    *whole = bytes_of(p->data - p->header_size, size);
    return 1;
}

static int add(struct net_reassembly *r, struct partial *p, const struct fragment *f,
               struct bytes *whole)
{
    int placed = p->refused || f->to > r->largest ? -EBADMSG : place(p, f);

    if (placed < 0)
        return placed;
    if (placed == 0)
        store(p, f);
    if (!p->header_size || !p->total || p->received < p->total)
        return 0;
    return finish(r, p, whole);
}

int net_reassemble(struct net_reassembly *r, struct bytes packet, uint64_t now_us,
                   struct bytes *whole)
{
    struct fragment f;
    struct partial *p = &r->packets[r->size];
    int is = read_fragment(packet, &f);

    *whole = packet;
    if (is <= 0)
        return is < 0 ? is : 1;
    if (f.from == 0 && !f.more) /* RFC 6946: it has nothing to do with others of its id */
        begin(p, &f, now_us);
    else
        p = find(r, &f, now_us);
    if (!p)
        return -EBADMSG;
    is = add(r, p, &f, whole);
    if (is < 0) {
        r->counters.refused += !p->refused;
        p->refused = true;
    }
    if (is > 0) {
        r->counters.whole++;
        p->used = false;
    }
    return is;
}
