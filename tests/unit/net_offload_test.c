/*
 * net_offload_test.c -- what a network card would have done, checked field by field: every mixture
 * of tags, network headers and transports is cut, each segment is verified by sums of the test's
 * own, and the payloads must add up to what was cut. And: offload data and packets that lie.
 */
#include <errno.h>
#include <stdlib.h>

#include "unit.h"
#include "wire/net/offload.h"

#define FRAME_MAX 66000

static uint64_t rng = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 11) % n);
}

/* ---- sums of the test's own: RFC 1071, sixteen bits at a time ---- */

static uint32_t add_words(uint32_t sum, const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += (uint32_t)(i % 2 ? at[i] : at[i] << 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint32_t add_pseudo(const uint8_t *src, const uint8_t *dst, size_t size, uint8_t protocol,
                           size_t len)
{
    uint8_t tail[4] = {(uint8_t)(len >> 8), (uint8_t)len, 0, protocol};

    return add_words(add_words(add_words(0, src, size), dst, size), tail, 4);
}

static uint16_t get_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get_32(const uint8_t *at)
{
    return (uint32_t)get_16(at) << 16 | get_16(at + 2);
}

static void put_16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* ---- large packets ---- */

enum network { PLAIN_4, OPTIONS_4, PLAIN_6, EXTENDED_6, ROUTED_6, NETWORKS };

struct large {
    unsigned tags; /* VLAN */
    bool bare;     /* no Ethernet */
    enum network network;
    uint8_t protocol;
    uint16_t flags, urgent; /* TCP */
    size_t payload;
    /* filled in: */
    uint8_t frame[FRAME_MAX];
    size_t len, network_at, transport_at, payload_at;
    const uint8_t *src, *dst; /* of the pseudo header */
    size_t address_size;
    struct net_offload offload;
};

static bool is_v4(const struct large *l)
{
    return l->network <= OPTIONS_4;
}

static void write_link(struct large *l, struct writer *w)
{
    static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

    if (l->bare)
        return;
    wr_bytes(w, addresses, 12);
    for (unsigned i = 0; i < l->tags; i++) {
        wr_u16(w, i + 1 < l->tags ? ETH_TYPE_SERVICE_VLAN : ETH_TYPE_VLAN);
        wr_u16(w, (uint16_t)(0x6000 | (100 + i)));
    }
    wr_u16(w, is_v4(l) ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
}

static void write_ipv4(struct large *l, struct writer *w)
{
    static const uint8_t options[8] = {0x94, 4, 0, 0, 1, 1, 1, 0};
    size_t size = l->network == OPTIONS_4 ? 28 : 20;

    wr_u8(w, (uint8_t)(0x40 | size / 4));
    wr_u8(w, 0x2a);
    wr_u16(w, 0);      /* total length */
    wr_u16(w, 0xfffe); /* id: wraps in the third segment */
    wr_u16(w, 0x4000);
    wr_u8(w, 61);
    wr_u8(w, l->protocol);
    wr_u16(w, 0xdead); /* checksum: nobody relies on it */
    l->src = w->at;
    wr_u32(w, 0x0a000001);
    l->dst = w->at;
    wr_u32(w, 0xc0a80102);
    wr_bytes(w, options, size - 20);
    l->address_size = 4;
}

static void write_ipv6(struct large *l, struct writer *w)
{
    static const uint8_t hop_by_hop[8] = {IP_ROUTING, 0, 5, 2, 0, 0, 1, 0};
    static const uint8_t destination[16] = {0, 1, 1, 12};
    bool extended = l->network != PLAIN_6;

    wr_u32(w, 0x6a0abcde);
    wr_u16(w, 0);
    wr_u8(w, extended ? IP_HOP_BY_HOP : l->protocol);
    wr_u8(w, 62);
    l->src = w->at;
    wr_u64(w, 0x20010db800000001);
    wr_u64(w, 1);
    l->dst = w->at;
    wr_u64(w, 0x20010db800000002);
    wr_u64(w, 2);
    l->address_size = 16;
    if (!extended)
        return;
    wr_bytes(w, hop_by_hop, 8);
    wr_u8(w, IP_DESTINATION_OPTIONS); /* a routing header of type 0 with one address */
    wr_u8(w, 2);
    wr_u8(w, 0);
    wr_u8(w, l->network == ROUTED_6);
    wr_u32(w, 0);
    if (l->network == ROUTED_6)
        l->dst = w->at;
    wr_u64(w, 0x20010db800000003);
    wr_u64(w, 3);
    wr_u8(w, l->protocol);
    wr_bytes(w, destination + 1, 15);
}

static void write_transport(struct large *l, struct writer *w)
{
    static const uint8_t timestamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};

    wr_u16(w, 1234);
    wr_u16(w, 80);
    if (l->protocol == IP_UDP) {
        wr_u16(w, (uint16_t)(UDP_SIZE + l->payload));
        wr_u16(w, 0);
        return;
    }
    wr_u32(w, 0xffffff00); /* the sequence number wraps */
    wr_u32(w, 0x01020304);
    wr_u16(w, (uint16_t)(8 << 12 | l->flags));
    wr_u16(w, 501);
    wr_u16(w, 0);
    wr_u16(w, l->urgent);
    wr_bytes(w, timestamps, 12);
}

static size_t checksum_at(const struct large *l)
{
    return l->transport_at + (l->protocol == IP_TCP ? 16 : 6);
}

/* As a guest leaves it: lengths of the whole, the pseudo header's sum as checksum. */
static void build(struct large *l, uint16_t gso_size)
{
    struct writer w = writer_of(l->frame, sizeof(l->frame));
    uint8_t *ip;

    write_link(l, &w);
    l->network_at = wr_len(&w);
    if (is_v4(l))
        write_ipv4(l, &w);
    else
        write_ipv6(l, &w);
    l->transport_at = wr_len(&w);
    write_transport(l, &w);
    l->payload_at = wr_len(&w);
    for (size_t i = 0; i < l->payload; i++)
        wr_u8(&w, (uint8_t)(i * 7 + i / 256));
    assert_false(w.bad);
    l->len = wr_len(&w);
    ip = l->frame + l->network_at;
    put_16(ip + (is_v4(l) ? 2 : 4), l->len - l->network_at - (is_v4(l) ? 0 : IPV6_SIZE));
    put_16(l->frame + checksum_at(l),
           add_pseudo(l->src, l->dst, l->address_size, l->protocol, l->len - l->transport_at));
    l->offload = (struct net_offload){
        .partial = true,
        .checksum_start = (uint16_t)l->transport_at,
        .checksum_offset = l->protocol == IP_TCP ? 16 : 6,
        .gso = l->protocol == IP_UDP ? NET_GSO_UDP : (is_v4(l) ? NET_GSO_TCPV4 : NET_GSO_TCPV6),
        .gso_size = gso_size,
    };
}

/* ---- segments ---- */

static void check_network(const struct large *l, const uint8_t *segment, size_t len, unsigned index)
{
    const uint8_t *ip = segment + l->network_at, *was = l->frame + l->network_at;
    size_t size = l->transport_at - l->network_at, ip_len = len - l->network_at;

    assert_memory_equal(segment, l->frame, l->network_at);
    if (!is_v4(l)) {
        assert_int_equal(get_16(ip + 4), ip_len - IPV6_SIZE);
        assert_memory_equal(ip, was, 4);
        assert_memory_equal(ip + 6, was + 6, size - 6);
        return;
    }
    assert_int_equal(get_16(ip + 2), ip_len);
    assert_int_equal(get_16(ip + 4), (uint16_t)(0xfffe + index));
    assert_int_equal(add_words(0, ip, size), 0xffff);
    assert_memory_equal(ip, was, 2);
    assert_memory_equal(ip + 6, was + 6, 4);
    assert_memory_equal(ip + 12, was + 12, size - 12);
}

static void check_tcp(const struct large *l, const uint8_t *tcp, unsigned index, unsigned count)
{
    size_t before = (size_t)index * l->offload.gso_size;
    uint16_t flags = l->flags;

    if (index > 0)
        flags &= (uint16_t)~0x80;
    if (index + 1 < count)
        flags &= (uint16_t)~0x09;
    if (flags & 0x20 && index > 0 && l->urgent <= before)
        flags &= (uint16_t)~0x20;
    assert_memory_equal(tcp, l->frame + l->transport_at, 4);
    assert_int_equal(get_32(tcp + 4), (uint32_t)(0xffffff00 + before));
    assert_int_equal(get_32(tcp + 8), 0x01020304);
    assert_int_equal(get_16(tcp + 12), 8 << 12 | flags);
    assert_int_equal(get_16(tcp + 14), 501);
    assert_int_equal(get_16(tcp + 18), flags & 0x20 ? l->urgent - before : 0);
    assert_memory_equal(tcp + 20, l->frame + l->transport_at + 20, 12);
}

static void check_segment(const struct large *l, const uint8_t *segment, size_t len, unsigned index,
                          unsigned count)
{
    const uint8_t *transport = segment + l->transport_at;
    size_t transport_len = len - l->transport_at;
    uint32_t pseudo = add_pseudo(l->src, l->dst, l->address_size, l->protocol, transport_len);

    check_network(l, segment, len, index);
    if (l->protocol == IP_TCP) {
        check_tcp(l, transport, index, count);
    } else {
        assert_memory_equal(transport, l->frame + l->transport_at, 4);
        assert_int_equal(get_16(transport + 4), transport_len);
        assert_int_not_equal(get_16(transport + 6), 0);
    }
    assert_int_equal(add_words(pseudo, transport, transport_len), 0xffff);
}

static void cut(struct large *l)
{
    static uint8_t segment[FRAME_MAX];
    struct net_segments s;
    size_t at = l->payload_at, largest = 0;
    unsigned index = 0, count;
    int len;

    assert_int_equal(net_segments_begin(&s, bytes_of(l->frame, l->len), l->network_at, &l->offload),
                     0);
    count = s.count;
    while ((len = net_segments_next(&s, segment, sizeof(segment))) > 0) {
        size_t size = (size_t)len - l->payload_at;

        if (index + 1 < count)
            assert_int_equal(size, l->offload.gso_size);
        check_segment(l, segment, (size_t)len, index, count);
        assert_memory_equal(segment + l->payload_at, l->frame + at, size);
        at += size;
        index++;
        if ((size_t)len > largest)
            largest = (size_t)len;
    }
    assert_int_equal(len, 0);
    assert_int_equal(at, l->len);
    assert_int_equal(index, count);
    assert_int_equal(largest, s.largest);
    assert_int_equal(net_segments_next(&s, segment, sizeof(segment)), 0);
}

static struct large large;

static void every_mixture_is_cut_right(void **state)
{
    static const size_t payloads[] = {0, 1, 8, 9, 1399, 1400, 1401, 2800, 20011, 65000};
    static const uint16_t flags[] = {0x010, 0x0d9, 0x119, 0x039};

    (void)state;
    for (unsigned mix = 0; mix < 4 * NETWORKS * 2 * 4 * 10; mix++) {
        unsigned link = mix % 4, rest = mix / 4;

        large.bare = link == 3;
        large.tags = link % 3;
        large.network = rest % NETWORKS;
        rest /= NETWORKS;
        large.protocol = rest % 2 ? IP_TCP : IP_UDP;
        rest /= 2;
        large.flags = flags[rest % 4];
        large.urgent = large.flags & 0x20 ? 2000 : 0;
        large.payload = payloads[rest / 4];
        build(&large, 1400);
        cut(&large);
        build(&large, 536);
        cut(&large);
        if (large.payload > 3000)
            continue;
        build(&large, NET_MIN_GSO_SIZE);
        cut(&large);
    }
}

static void udp_without_a_checksum_stays_so(void **state)
{
    uint8_t segment[2000];
    struct net_segments s;

    (void)state;
    large = (struct large){.protocol = IP_UDP, .payload = 3000};
    build(&large, 1000);
    large.offload.partial = false;
    put_16(large.frame + checksum_at(&large), 0);
    assert_int_equal(
        net_segments_begin(&s, bytes_of(large.frame, large.len), large.network_at, &large.offload),
        0);
    while (net_segments_next(&s, segment, sizeof(segment)) > 0)
        assert_int_equal(get_16(segment + checksum_at(&large)), 0);
    /* One that has a whole checksum gets whole ones. */
    put_16(large.frame + checksum_at(&large), 0x1234);
    cut(&large);
}

static void padding_is_left_out(void **state)
{
    struct net_segments s;
    uint8_t segment[2000];

    (void)state;
    large = (struct large){.protocol = IP_TCP, .payload = 3000, .flags = 0x18};
    build(&large, 1000);
    memset(large.frame + large.len, 0xee, 10);
    assert_int_equal(net_segments_begin(&s, bytes_of(large.frame, large.len + 10), large.network_at,
                                        &large.offload),
                     0);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.largest, large.payload_at + 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(net_segments_next(&s, segment, sizeof(segment)), s.largest);
    assert_int_equal(net_segments_next(&s, segment, sizeof(segment)), 0);
}

static void what_does_not_fit_is_not_written(void **state)
{
    struct net_segments s;
    uint8_t segment[1200];

    (void)state;
    large = (struct large){.protocol = IP_TCP, .payload = 1500, .flags = 0x18};
    build(&large, 1000);
    assert_int_equal(
        net_segments_begin(&s, bytes_of(large.frame, large.len), large.network_at, &large.offload),
        0);
    assert_int_equal(net_segments_next(&s, segment, s.largest - 1), -EMSGSIZE);
    assert_int_equal(net_segments_next(&s, segment, s.largest), s.largest);
    check_segment(&large, segment, s.largest, 0, 2);
}

/* ---- lies ---- */

static int begin(const struct large *l)
{
    struct net_segments s;

    return net_segments_begin(&s, bytes_of(l->frame, l->len), l->network_at, &l->offload);
}

static void offload_data_that_lies_is_refused(void **state)
{
    (void)state;
    for (unsigned network = 0; network < NETWORKS; network++)
        for (unsigned tcp = 0; tcp < 2; tcp++) {
            struct net_offload right;

            large = (struct large){.network = network,
                                   .protocol = tcp ? IP_TCP : IP_UDP,
                                   .payload = 3000,
                                   .flags = 0x10};
            build(&large, 1000);
            right = large.offload;
            assert_int_equal(begin(&large), 0);
            for (int kind = -1; kind < 6; kind++) {
                large.offload.gso = (enum net_gso)kind;
                assert_int_equal(begin(&large), (int)right.gso == kind ? 0 : -EBADMSG);
            }
            large.offload = right;
            large.offload.checksum_start += 2;
            assert_int_equal(begin(&large), -EBADMSG);
            large.offload = right;
            large.offload.checksum_offset ^= 2;
            assert_int_equal(begin(&large), -EBADMSG);
            large.offload = right;
            large.offload.gso_size = NET_MIN_GSO_SIZE - 1;
            assert_int_equal(begin(&large), -EBADMSG);
            large.offload.gso_size = 0;
            assert_int_equal(begin(&large), -EBADMSG);
            large.offload = right;
            large.offload.partial = false; /* whose last destination nobody knows then */
            assert_int_equal(begin(&large), network == ROUTED_6 ? -EBADMSG : 0);
        }
}

/* One byte of a good packet changed so that it contradicts itself. */
static void refuse_with(size_t at, uint8_t value)
{
    uint8_t was = large.frame[at];

    assert_int_equal(begin(&large), 0);
    large.frame[at] = value;
    assert_int_equal(begin(&large), -EBADMSG);
    large.frame[at] = was;
}

static void packets_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    large = (struct large){.protocol = IP_TCP, .payload = 3000, .flags = 0x10};
    build(&large, 1000);
    refuse_with(large.network_at, 0x44);     /* a header of 16 bytes */
    refuse_with(large.network_at, 0x75);     /* version */
    refuse_with(large.network_at + 2, 0xff); /* total length */
    refuse_with(large.network_at + 6, 0x20); /* more fragments */
    refuse_with(large.network_at + 7, 1);    /* a later fragment */
    refuse_with(large.network_at + 9, IP_UDP);
    refuse_with(large.transport_at + 12, 0x40); /* data offset */
    refuse_with(large.transport_at + 13, 0x02); /* SYN */
    refuse_with(large.transport_at + 13, 0x14); /* RST */
    large = (struct large){.protocol = IP_UDP, .payload = 3000};
    build(&large, 1000);
    refuse_with(large.transport_at + 5, 1); /* length */
    large = (struct large){.protocol = IP_UDP, .network = EXTENDED_6, .payload = 3000};
    build(&large, 1000);
    refuse_with(large.network_at + 6, IP_FRAGMENT);
    refuse_with(large.network_at + 6, IP_NO_NEXT_HEADER);
    refuse_with(large.network_at + 5, 0xff);
    refuse_with(large.network_at + IPV6_SIZE + 1, 0xff); /* an extension header's length */
}

/* Cut at every length, in memory of exactly that size. */
static void cut_packets_are_refused(void **state)
{
    (void)state;
    for (unsigned network = 0; network < NETWORKS; network++) {
        large = (struct large){
            .network = network, .protocol = IP_TCP, .tags = 1, .payload = 20, .flags = 0x10};
        build(&large, 8);
        for (size_t len = 0; len <= large.len; len++) {
            uint8_t *copy = malloc(len ? len : 1);
            struct net_segments s;
            uint16_t type;

            memcpy(copy, large.frame, len);
            assert_int_equal(
                net_segments_begin(&s, bytes_of(copy, len), large.network_at, &large.offload),
                len == large.len ? 0 : -EBADMSG);
            assert_int_equal(net_link_size(bytes_of(copy, len), &type),
                             len < large.network_at ? -EBADMSG : (int)large.network_at);
            free(copy);
        }
    }
}

/* Whatever is changed: refused, or cut into what was promised. */
static void random_lies_do_no_harm(void **state)
{
    static uint8_t segment[FRAME_MAX];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct net_segments s;
        unsigned segments = 0;
        int len;

        large = (struct large){.network = random_below(NETWORKS),
                               .protocol = random_below(2) ? IP_TCP : IP_UDP,
                               .payload = random_below(300),
                               .flags = 0x10};
        build(&large, (uint16_t)(8 + random_below(64)));
        for (unsigned lies = random_below(3); lies > 0; lies--)
            large.frame[large.network_at + random_below(100) % (large.len - large.network_at)] =
                (uint8_t)random_below(256);
        if (net_segments_begin(&s, bytes_of(large.frame, large.len), large.network_at,
                               &large.offload) < 0)
            continue;
        while ((len = net_segments_next(&s, segment, s.largest)) > 0)
            segments++;
        assert_int_equal(len, 0);
        assert_int_equal(segments, s.count);
    }
}

/* ---- checksums ---- */

static void partial_checksums_become_whole(void **state)
{
    (void)state;
    for (unsigned network = 0; network < NETWORKS; network++)
        for (unsigned tcp = 0; tcp < 2; tcp++)
            for (size_t payload = 0; payload < 70; payload++) {
                uint32_t pseudo;

                large = (struct large){
                    .network = network, .protocol = tcp ? IP_TCP : IP_UDP, .payload = payload};
                build(&large, 0);
                assert_int_equal(net_checksum_complete(large.frame, large.len,
                                                       large.offload.checksum_start,
                                                       large.offload.checksum_offset),
                                 0);
                pseudo = add_pseudo(large.src, large.dst, large.address_size, large.protocol,
                                    large.len - large.transport_at);
                assert_int_equal(add_words(pseudo, large.frame + large.transport_at,
                                           large.len - large.transport_at),
                                 0xffff);
            }
}

static void a_sum_of_zero_is_never_written(void **state)
{
    uint8_t datagram[10] = {0};

    (void)state;
    /* All words sum to 0xffff, so the checksum would be 0. */
    datagram[0] = 0xff;
    datagram[1] = 0xff;
    assert_int_equal(net_checksum_complete(datagram, sizeof(datagram), 0, 6), 0);
    assert_int_equal(get_16(datagram + 6), 0xffff);
}

static void a_field_outside_is_refused(void **state)
{
    uint8_t bytes[20] = {0}, zero[20] = {0};

    (void)state;
    assert_int_equal(net_checksum_complete(bytes, 20, 20, 0), -EBADMSG);
    assert_int_equal(net_checksum_complete(bytes, 20, 21, 0), -EBADMSG);
    assert_int_equal(net_checksum_complete(bytes, 20, 4, 15), -EBADMSG);
    assert_int_equal(net_checksum_complete(bytes, 20, 4, SIZE_MAX), -EBADMSG);
    assert_int_equal(net_checksum_complete(bytes, 20, SIZE_MAX, 4), -EBADMSG);
    assert_int_equal(net_checksum_complete(bytes, 0, 0, 0), -EBADMSG);
    assert_memory_equal(bytes, zero, 20);
    assert_int_equal(net_checksum_complete(bytes, 20, 4, 14), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mixture_is_cut_right),
        cmocka_unit_test(udp_without_a_checksum_stays_so),
        cmocka_unit_test(padding_is_left_out),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(offload_data_that_lies_is_refused),
        cmocka_unit_test(packets_that_contradict_themselves_are_refused),
        cmocka_unit_test(cut_packets_are_refused),
        cmocka_unit_test(random_lies_do_no_harm),
        cmocka_unit_test(partial_checksums_become_whole),
        cmocka_unit_test(a_sum_of_zero_is_never_written),
        cmocka_unit_test(a_field_outside_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
