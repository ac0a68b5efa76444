/*
 * net_fragment_test.c -- packets cut and put together again in every order, with duplicates,
 * losses, overlaps and strangers' fragments between; and the messages that tell a sender its packet
 * is too large. Checksums are added up by the test itself.
 */
#include <errno.h>
#include <stdlib.h>

#include "unit.h"
#include "wire/net/fragment.h"

#define PACKET_MAX 65535
#define PIECES_MAX 64
#define TIMEOUT_US 1000000

static uint64_t rng = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 11) % n);
}

static uint32_t add_words(uint32_t sum, const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += (uint32_t)(i % 2 ? at[i] : at[i] << 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static uint16_t get_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put_16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* ---- packets ---- */

/* IPv4: a copied option, one that is not, no operation. */
static const uint8_t options[12] = {0x94, 4, 0, 0, 7, 3, 4, 1, 0x88, 4, 0, 9};
static const uint8_t later_options[8] = {0x94, 4, 0, 0, 0x88, 4, 0, 9};

enum shape { PLAIN_4, OPTIONS_4, PLAIN_6, EXTENDED_6, SHAPES };

static uint8_t packet[PACKET_MAX + 100];
static size_t packet_len, header_len;

static void build_ipv4(struct writer *w, bool with_options, uint16_t id)
{
    wr_u8(w, with_options ? 0x48 : 0x45);
    wr_u8(w, 0x02); /* capable of congestion marks */
    wr_u16(w, 0);
    wr_u16(w, id);
    wr_u16(w, 0);
    wr_u8(w, 64);
    wr_u8(w, IP_UDP);
    wr_u16(w, 0);
    wr_u32(w, 0x0a000001);
    wr_u32(w, 0x0a000002);
    wr_bytes(w, options, with_options ? sizeof(options) : 0);
}

static void build_ipv6(struct writer *w, bool extended)
{
    static const uint8_t hop_by_hop[8] = {IP_ROUTING, 0, 5, 2, 0, 0, 1, 0};
    static const uint8_t routing[8] = {IP_DESTINATION_OPTIONS, 0, 253};
    static const uint8_t destination[8] = {IP_UDP, 0, 1, 4};

    wr_u32(w, 0x60200000);
    wr_u16(w, 0);
    wr_u8(w, extended ? IP_HOP_BY_HOP : IP_UDP);
    wr_u8(w, 64);
    wr_u64(w, 0xfd00000000000000);
    wr_u64(w, 1);
    wr_u64(w, 0xfd00000000000000);
    wr_u64(w, 2);
    if (!extended)
        return;
    wr_bytes(w, hop_by_hop, 8);
    wr_bytes(w, routing, 8);
    wr_bytes(w, destination, 8); /* which is cut like payload */
}

static void build(enum shape shape, uint16_t id, size_t payload)
{
    struct writer w = writer_of(packet, sizeof(packet));
    bool v4 = shape <= OPTIONS_4;

    if (v4)
        build_ipv4(&w, shape == OPTIONS_4, id);
    else
        build_ipv6(&w, shape == EXTENDED_6);
    header_len = wr_len(&w);
    for (size_t i = 0; i < payload; i++)
        wr_u8(&w, (uint8_t)(i * 13 + i / 256 + id));
    assert_false(w.bad);
    packet_len = wr_len(&w);
    put_16(packet + (v4 ? 2 : 4), v4 ? packet_len : packet_len - IPV6_SIZE);
    if (v4)
        put_16(packet + 10, (uint16_t)~add_words(0, packet, header_len));
}

/* ---- pieces ---- */

static uint8_t pieces[PIECES_MAX][9100];
static size_t piece_len[PIECES_MAX];
static unsigned piece_count;

static void cut(size_t mtu, uint32_t id)
{
    struct net_fragments f;
    int len;

    piece_count = 0;
    assert_int_equal(net_fragments_begin(&f, bytes_of(packet, packet_len), 0, mtu, id), 0);
    for (;;) {
        assert_true(piece_count < PIECES_MAX);
        len = net_fragments_next(&f, pieces[piece_count], sizeof(pieces[0]));
        assert_true(len >= 0);
        if (len == 0)
            return;
        assert_true((size_t)len <= mtu);
        piece_len[piece_count++] = (size_t)len;
    }
}

static struct bytes piece(unsigned i)
{
    return bytes_of(pieces[i], piece_len[i]);
}

static void check_piece_ipv4(unsigned i, enum shape shape, size_t *at)
{
    const uint8_t *p = pieces[i];
    size_t size = shape == PLAIN_4 ? 20 : (i == 0 ? 32 : 28);
    bool last = i + 1 == piece_count;

    assert_int_equal(p[0], 0x40 | size / 4);
    assert_int_equal(get_16(p + 2), piece_len[i]);
    assert_int_equal(get_16(p + 4), get_16(packet + 4));
    assert_int_equal(get_16(p + 6), (last ? 0 : 0x2000) | *at / 8);
    assert_int_equal(add_words(0, p, size), 0xffff);
    assert_memory_equal(p + 12, packet + 12, 8);
    if (shape == OPTIONS_4)
        assert_memory_equal(p + 20, i == 0 ? options : later_options, size - 20);
    assert_memory_equal(p + size, packet + header_len + *at, piece_len[i] - size);
    *at += piece_len[i] - size;
}

static void check_piece_ipv6(unsigned i, enum shape shape, size_t *at)
{
    const uint8_t *p = pieces[i];
    size_t size = shape == PLAIN_6 ? 40 : 56, next_at = shape == PLAIN_6 ? 6 : 48;
    bool last = i + 1 == piece_count;

    assert_int_equal(get_16(p + 4), piece_len[i] - 40);
    assert_int_equal(p[next_at], IP_FRAGMENT);
    assert_int_equal(p[size], packet[next_at]);
    assert_int_equal(p[size + 1], 0);
    assert_int_equal(get_16(p + size + 2), *at | !last);
    assert_memory_equal(p + size + 4, "\x12\x34\x56\x78", 4);
    assert_memory_equal(p + size + 8, packet + size + *at, piece_len[i] - size - 8);
    *at += piece_len[i] - size - 8;
}

static void fragments_are_those_of_the_standards(void **state)
{
    static const size_t mtus[] = {1280, 1281, 1500, 9000};
    static const size_t payloads[] = {1600, 2000, 2960, 2961, 8952, 20000};

    (void)state;
    for (unsigned mix = 0; mix < SHAPES * 4 * 6; mix++) {
        enum shape shape = mix % SHAPES;
        size_t mtu = mtus[mix / SHAPES % 4], at = 0;

        build(shape, 77, payloads[mix / SHAPES / 4]);
        if (packet_len <= mtu)
            continue;
        cut(mtu, 0x12345678);
        assert_true(piece_count > 1);
        for (unsigned i = 0; i < piece_count; i++) {
            if (shape <= OPTIONS_4)
                check_piece_ipv4(i, shape, &at);
            else
                check_piece_ipv6(i, shape, &at);
        }
        assert_int_equal(at, packet_len - (shape == EXTENDED_6 ? 56 : header_len));
    }
}

static void what_fits_comes_out_as_it_is(void **state)
{
    (void)state;
    for (enum shape shape = 0; shape < SHAPES; shape++)
        for (size_t payload = 0; payload < 3; payload++) {
            build(shape, 1, payload);
            packet[6] |= shape <= OPTIONS_4 ? 0x40 : 0;
            cut(packet_len, 0);
            assert_int_equal(piece_count, 1);
            assert_int_equal(piece_len[0], packet_len);
            assert_memory_equal(pieces[0], packet, packet_len);
        }
}

static void the_link_header_goes_with_each(void **state)
{
    uint8_t frame[2000], out[700];
    struct net_fragments f;
    int len, count = 0;

    (void)state;
    for (enum shape shape = 0; shape < SHAPES; shape++) {
        build(shape, 1, 1200);
        memset(frame, 0xab, 18);
        memcpy(frame + 18, packet, packet_len);
        memset(frame + 18 + packet_len, 0xee, 4); /* padding, which does not */
        assert_int_equal(net_fragments_begin(&f, bytes_of(frame, 18 + packet_len + 4), 18, 600, 5),
                         0);
        assert_int_equal(net_fragments_next(&f, out, 100), -EMSGSIZE);
        for (count = 0; (len = net_fragments_next(&f, out, sizeof(out))) > 0; count++) {
            assert_true(len <= 618);
            assert_memory_equal(out, frame, 18);
            assert_int_equal(out[18] >> 4, shape <= OPTIONS_4 ? 4 : 6);
        }
        assert_int_equal(len, 0);
        assert_int_equal(count, 3);
    }
}

static void what_may_not_be_cut_is_not(void **state)
{
    struct net_fragments f;
    struct bytes b;

    (void)state;
    build(PLAIN_4, 1, 2000);
    b = bytes_of(packet, packet_len);
    packet[6] = 0x40;
    assert_int_equal(net_fragments_begin(&f, b, 0, 1500, 0), -EMSGSIZE);
    packet[6] = 0;
    assert_int_equal(net_fragments_begin(&f, b, 0, 27, 0), -EMSGSIZE);
    assert_int_equal(net_fragments_begin(&f, b, 0, 28, 0), 0);
    packet[6] = 0x20; /* itself a fragment, of a length that is no multiple of 8: 2000 is one */
    assert_int_equal(net_fragments_begin(&f, b, 0, 1500, 0), 0);
    packet[3]--;
    assert_int_equal(net_fragments_begin(&f, b, 0, 1500, 0), -EBADMSG);
    build(OPTIONS_4, 1, 2000);
    packet[21] = 0xff; /* an option's length */
    assert_int_equal(net_fragments_begin(&f, bytes_of(packet, packet_len), 0, 1500, 0), -EBADMSG);
    packet[21] = 1;
    assert_int_equal(net_fragments_begin(&f, bytes_of(packet, packet_len), 0, 1500, 0), -EBADMSG);
    build(PLAIN_6, 1, 2000);
    packet[6] = IP_FRAGMENT;
    assert_int_equal(net_fragments_begin(&f, bytes_of(packet, packet_len), 0, 1500, 0), -EBADMSG);
    assert_int_equal(net_fragments_begin(&f, bytes_of(packet, packet_len), packet_len, 1500, 0),
                     -EBADMSG);
}

/* A fragment that meets a smaller MTU is cut again, and all together are still the packet. */
static void fragments_are_cut_again(void **state)
{
    static uint8_t first[3][9100];
    static uint8_t original[4000];
    size_t first_len[3];
    struct net_reassembly *r = net_reassembly_new(1, 65535, TIMEOUT_US);
    struct bytes whole = {0};
    unsigned count;
    size_t len;
    int done = 0;

    (void)state;
    build(OPTIONS_4, 9, 3800);
    memcpy(original, packet, packet_len);
    len = packet_len;
    cut(1500, 0);
    count = piece_count;
    assert_int_equal(count, 3);
    memcpy(first, pieces, sizeof(first));
    memcpy(first_len, piece_len, sizeof(first_len));
    for (unsigned i = 0; i < count; i++) {
        memcpy(packet, first[i], first_len[i]);
        packet_len = first_len[i];
        cut(500, 0);
        for (unsigned j = 0; j < piece_count; j++) {
            assert_int_equal(done, 0);
            done = net_reassemble(r, piece(j), 1, &whole);
        }
    }
    assert_int_equal(done, 1);
    assert_int_equal(whole.len, len);
    assert_memory_equal(whole.at, original, len);
    net_reassembly_free(r);
}

/* ---- putting together ---- */

static void shuffle(unsigned *order, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        order[i] = i;
    for (unsigned i = n; i > 1; i--) {
        unsigned j = random_below(i), was = order[i - 1];

        order[i - 1] = order[j];
        order[j] = was;
    }
}

static void put_together_in_any_order(void **state)
{
    struct net_reassembly *r = net_reassembly_new(4, 65535, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        unsigned order[PIECES_MAX] = {0};

        build(round % SHAPES, (uint16_t)round, 1600 + random_below(10000));
        cut(576 + random_below(900), round);
        shuffle(order, piece_count);
        for (unsigned i = 0; i < piece_count; i++) {
            struct bytes next = piece(order[i]);
            int done = net_reassemble(r, next, round * 10, &whole);

            assert_int_equal(done, i + 1 == piece_count);
            if (!done && random_below(4) == 0) /* once more: ignored */
                assert_int_equal(net_reassemble(r, next, round * 10, &whole), 0);
        }
        assert_int_equal(whole.len, packet_len);
        assert_memory_equal(whole.at, packet, packet_len);
    }
    assert_int_equal(net_reassembly_counters(r)->whole, 400);
    assert_int_equal(net_reassembly_counters(r)->refused, 0);
    assert_int_equal(net_reassembly_counters(r)->evicted, 0);
    net_reassembly_free(r);
}

static void whole_packets_pass(void **state)
{
    struct net_reassembly *r = net_reassembly_new(1, 65535, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    for (enum shape shape = 0; shape < SHAPES; shape++) {
        build(shape, 1, 100);
        assert_int_equal(net_reassemble(r, bytes_of(packet, packet_len), 1, &whole), 1);
        assert_ptr_equal(whole.at, packet);
        assert_int_equal(whole.len, packet_len);
    }
    assert_int_equal(net_reassembly_counters(r)->whole, 0);
    net_reassembly_free(r);
}

/* RFC 6946: it is put together at once, though others of its id wait. */
static void atomic_fragments_stand_alone(void **state)
{
    static const uint8_t header[8] = {IP_UDP, 0, 0, 0, 0, 0, 0, 7};
    struct net_reassembly *r = net_reassembly_new(1, 65535, TIMEOUT_US);
    uint8_t atomic[200];
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_6, 1, 3000);
    cut(1500, 7);
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), 0);
    build(PLAIN_6, 1, 100);
    memcpy(atomic, packet, 40);
    memcpy(atomic + 40, header, 8);
    memcpy(atomic + 48, packet + 40, 100);
    atomic[6] = IP_FRAGMENT;
    put_16(atomic + 4, 108);
    assert_int_equal(net_reassemble(r, bytes_of(atomic, 148), 1, &whole), 1);
    assert_int_equal(whole.len, packet_len);
    assert_memory_equal(whole.at, packet, packet_len);
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), 0);
    assert_int_equal(net_reassemble(r, piece(2), 1, &whole), 1);
    net_reassembly_free(r);
}

static void packets_are_told_apart(void **state)
{
    struct net_reassembly *r = net_reassembly_new(8, 65535, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_4, 1, 2000);
    cut(1500, 0);
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), 0);
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t places[] = {5, 9, 15, 19}; /* id, protocol, source, destination */

        pieces[1][places[i]] ^= 1;
        assert_int_equal(net_reassemble(r, piece(1), 1, &whole), 0);
        pieces[1][places[i]] ^= 1;
    }
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), 1);
    net_reassembly_free(r);
}

/* RFC 5722: with one overlap all is lost, what comes later too, until the time is over. */
static void overlaps_refuse_the_packet(void **state)
{
    (void)state;
    for (enum shape shape = 0; shape < SHAPES; shape++)
        for (int kind = 0; kind < 3; kind++) {
            struct net_reassembly *r = net_reassembly_new(2, 65535, TIMEOUT_US);
            bool v4 = shape <= OPTIONS_4;
            size_t offset_at;
            struct bytes whole = {0};

            build(shape, 3, 4000);
            cut(1280, 3);
            offset_at = v4 ? 6 : (shape == PLAIN_6 ? 42 : 58);
            assert_int_equal(net_reassemble(r, piece(0), 1, &whole), 0);
            memcpy(pieces[60], pieces[kind == 2 ? 0 : 1], 1280);
            piece_len[60] = piece_len[kind == 2 ? 0 : 1];
            if (kind == 0) /* begins before the first has ended */
                put_16(pieces[60] + offset_at, get_16(pieces[60] + offset_at) - (v4 ? 1u : 8u));
            else if (kind == 1) /* lies within the first */
                put_16(pieces[60] + offset_at, v4 ? 0x2001 : 0x0009);
            else /* is the first with other bytes */
                pieces[60][piece_len[60] - 1] ^= 1;
            assert_int_equal(net_reassemble(r, piece(60), 2, &whole), -EBADMSG);
            for (unsigned i = 0; i < piece_count; i++)
                assert_int_equal(net_reassemble(r, piece(i), 3, &whole), -EBADMSG);
            assert_int_equal(net_reassembly_counters(r)->refused, 1);
            for (unsigned i = 0; i < piece_count; i++)
                assert_int_equal(net_reassemble(r, piece(i), 1 + TIMEOUT_US, &whole),
                                 i + 1 == piece_count);
            assert_int_equal(net_reassembly_counters(r)->timed_out, 0);
            net_reassembly_free(r);
        }
}

static void contradictions_refuse_the_packet(void **state)
{
    struct net_reassembly *r = net_reassembly_new(4, 65535, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_4, 3, 4000); /* three pieces */
    cut(1500, 0);
    assert_int_equal(piece_count, 3);
    /* Two ends. */
    assert_int_equal(net_reassemble(r, piece(2), 1, &whole), 0);
    pieces[1][6] &= 0x1f;
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), -EBADMSG);
    /* An end before what has come. */
    build(PLAIN_4, 4, 4000);
    cut(1500, 0);
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), 0);
    pieces[0][6] = 0;
    pieces[0][7] = 1;
    put_16(pieces[0] + 2, 100);
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), -EBADMSG);
    /* Something behind the end. */
    build(PLAIN_4, 5, 4000);
    cut(1500, 0);
    assert_int_equal(net_reassemble(r, piece(2), 1, &whole), 0);
    put_16(pieces[1] + 6, 0x2000 | 600);
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), -EBADMSG);
    assert_int_equal(net_reassembly_counters(r)->refused, 3);
    net_reassembly_free(r);
}

static void malformed_fragments_are_refused(void **state)
{
    struct net_reassembly *r = net_reassembly_new(1, 4000, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_4, 3, 3000);
    cut(1500, 0);
    put_16(pieces[0] + 2, 1499); /* not a multiple of 8 */
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), -EBADMSG);
    put_16(pieces[0] + 2, 20); /* nothing */
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), -EBADMSG);
    put_16(pieces[1] + 6, 0x1fff); /* beyond 65535 bytes */
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), -EBADMSG);
    assert_int_equal(net_reassembly_counters(r)->refused, 0);
    put_16(pieces[1] + 6, 0x2000 | 400); /* beyond what this table takes */
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), -EBADMSG);
    assert_int_equal(net_reassembly_counters(r)->refused, 1);
    /* IPv6: the first does not reach the transport header. */
    build(EXTENDED_6, 3, 3000);
    cut(1500, 0);
    put_16(pieces[0] + 4, 32); /* options of which half are there: 8 bytes of fragment, no UDP */
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), -EBADMSG);
    /* Cut anywhere, in memory of that size. */
    build(EXTENDED_6, 3, 3000);
    cut(1500, 0);
    for (size_t len = 0; len < piece_len[0]; len++) {
        uint8_t *copy = malloc(len ? len : 1);

        memcpy(copy, pieces[0], len);
        assert_int_equal(net_reassemble(r, bytes_of(copy, len), 1, &whole), -EBADMSG);
        free(copy);
    }
    net_reassembly_free(r);
}

static void a_packet_of_too_many_fragments_is_refused(void **state)
{
    struct net_reassembly *r = net_reassembly_new(1, 65535, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_4, 3, 8);
    packet_len = 28;
    put_16(packet + 2, 28);
    for (unsigned i = 0; i < 100; i++) {
        put_16(packet + 6, 0x2000 | i * 2);
        assert_int_equal(net_reassemble(r, bytes_of(packet, packet_len), 1, &whole),
                         i < NET_REASSEMBLY_MAX_FRAGMENTS ? 0 : -EBADMSG);
    }
    net_reassembly_free(r);
}

static void late_fragments_begin_anew(void **state)
{
    struct net_reassembly *r = net_reassembly_new(2, 65535, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_4, 3, 2000);
    cut(1500, 0);
    assert_int_equal(net_reassemble(r, piece(0), 5, &whole), 0);
    assert_int_equal(net_reassemble(r, piece(1), 5 + TIMEOUT_US, &whole), 0);
    assert_int_equal(net_reassembly_counters(r)->timed_out, 1);
    assert_int_equal(net_reassemble(r, piece(0), 4 + 2 * TIMEOUT_US, &whole), 1);
    net_reassembly_free(r);
}

/* One pair's packets that are never complete do not push out another's. */
static void a_flood_pushes_out_its_own(void **state)
{
    enum { PLACES = 8 };
    struct net_reassembly *r = net_reassembly_new(PLACES, 3000, TIMEOUT_US);
    static uint8_t flood[100];
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_4, 1, 80);
    memcpy(flood, packet, 100);
    flood[15] = 99; /* another source */
    put_16(flood + 6, 0x2000);
    build(PLAIN_4, 3, 2000);
    cut(1500, 0);
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), 0);
    for (unsigned i = 0; i < 1000; i++) {
        put_16(flood + 4, i);
        assert_int_equal(net_reassemble(r, bytes_of(flood, 100), 2 + i, &whole), 0);
    }
    assert_int_equal(net_reassembly_counters(r)->evicted, 1000 - (PLACES - 1));
    assert_int_equal(net_reassemble(r, piece(1), 2000, &whole), 1);
    /* Nor does it keep a new one out, of whoever is the oldest. */
    put_16(flood + 4, 2000);
    assert_int_equal(net_reassemble(r, bytes_of(flood, 100), 2001, &whole), 0);
    assert_int_equal(net_reassemble(r, piece(0), 2002, &whole), 0);
    assert_int_equal(net_reassemble(r, piece(1), 2003, &whole), 1);
    net_reassembly_free(r);
}

/* RFC 3168 clause 5.3. */
static void congestion_marks_are_kept(void **state)
{
    struct net_reassembly *r = net_reassembly_new(2, 3000, TIMEOUT_US);
    struct bytes whole = {0};

    (void)state;
    build(PLAIN_4, 3, 2000);
    cut(1500, 0);
    pieces[1][1] = 3;
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), 0);
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), 1);
    assert_int_equal(whole.at[1], 3);
    assert_int_equal(add_words(0, whole.at, 20), 0xffff);
    pieces[0][1] = 0;
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), 0);
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), -EBADMSG);
    build(PLAIN_6, 3, 2000);
    cut(1500, 0);
    pieces[1][1] |= 0x30;
    assert_int_equal(net_reassemble(r, piece(0), 1, &whole), 0);
    assert_int_equal(net_reassemble(r, piece(1), 1, &whole), 1);
    assert_int_equal(whole.at[1], 0x30);
    net_reassembly_free(r);
}

/* ---- telling the sender ---- */

static const struct in_addr from4 = {0x0100640a}; /* in memory 10.100.0.1 */

static void fragmentation_needed_is_told(void **state)
{
    uint8_t out[600];

    (void)state;
    for (size_t payload = 0; payload < 2000; payload += 97) {
        struct writer w = writer_of(out, sizeof(out));
        size_t quoted;

        build(payload % 2 ? OPTIONS_4 : PLAIN_4, 3, payload);
        quoted = packet_len < 548 ? packet_len : 548;
        assert_int_equal(
            net_write_fragmentation_needed(&w, bytes_of(packet, packet_len + 5), from4, 1400), 0);
        assert_int_equal(wr_len(&w), 28 + quoted);
        assert_int_equal(get_16(out + 2), wr_len(&w));
        assert_int_equal(add_words(0, out, 20), 0xffff);
        assert_int_equal(out[9], IP_ICMP);
        assert_memory_equal(out + 12, &from4, 4);
        assert_memory_equal(out + 16, packet + 12, 4);
        assert_memory_equal(out + 20, "\x03\x04", 2);
        assert_int_equal(get_16(out + 24), 0);
        assert_int_equal(get_16(out + 26), 1400);
        assert_int_equal(add_words(0, out + 20, wr_len(&w) - 20), 0xffff);
        assert_memory_equal(out + 28, packet, quoted);
    }
}

static void packet_too_big_is_told(void **state)
{
    struct in6_addr from;
    uint8_t out[1300];

    (void)state;
    assert_int_equal(inet_pton(AF_INET6, "fd00::100", &from), 1);
    for (size_t payload = 1; payload < 3000; payload += 97) {
        struct writer w = writer_of(out, sizeof(out));
        uint8_t tail[4] = {0, 0, 0, IP_ICMPV6};
        size_t quoted, len;
        uint32_t sum;

        build(payload % 2 ? EXTENDED_6 : PLAIN_6, 3, payload);
        quoted = packet_len < 1232 ? packet_len : 1232;
        assert_int_equal(net_write_packet_too_big(&w, bytes_of(packet, packet_len), &from, 70000),
                         0);
        len = wr_len(&w);
        assert_int_equal(len, 48 + quoted);
        assert_int_equal(get_16(out + 4), len - 40);
        assert_int_equal(out[6], IP_ICMPV6);
        assert_memory_equal(out + 8, &from, 16);
        assert_memory_equal(out + 24, packet + 8, 16);
        assert_memory_equal(out + 40, "\x02\x00", 2);
        assert_memory_equal(out + 44, "\x00\x01\x11\x70", 4);
        assert_memory_equal(out + 48, packet, quoted);
        put_16(tail, len - 40);
        sum = add_words(add_words(0, out + 8, 32), tail, 4);
        assert_int_equal(add_words(sum, out + 40, len - 40), 0xffff);
    }
}

static int tell4(void)
{
    uint8_t out[600];
    struct writer w = writer_of(out, sizeof(out));
    int err = net_write_fragmentation_needed(&w, bytes_of(packet, packet_len), from4, 1400);

    assert_int_equal(wr_len(&w) > 0, err == 0);
    return err;
}

static void some_are_not_told(void **state)
{
    static const uint8_t no_source[] = {0, 127, 224, 240, 255};
    uint8_t out[600];
    struct writer w = writer_of(out, 100);

    (void)state;
    build(PLAIN_4, 3, 200);
    assert_int_equal(tell4(), 0);
    assert_int_equal(net_write_fragmentation_needed(&w, bytes_of(packet, packet_len), from4, 1400),
                     -EMSGSIZE);
    assert_int_equal(wr_len(&w), 0);
    assert_false(w.bad);
    for (size_t i = 0; i < sizeof(no_source); i++) {
        build(PLAIN_4, 3, 200);
        packet[12] = no_source[i];
        assert_int_equal(tell4(), -EINVAL);
        build(PLAIN_4, 3, 200);
        packet[16] = no_source[i];
        assert_int_equal(tell4(), -EINVAL);
    }
    build(PLAIN_4, 3, 200);
    packet[7] = 1; /* a later fragment */
    assert_int_equal(tell4(), -EINVAL);
    packet[7] = 0;
    packet[6] = 0x20; /* the first */
    assert_int_equal(tell4(), 0);
    packet[9] = IP_ICMP;
    for (unsigned type = 0; type < 256; type++) {
        bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;

        packet[20] = (uint8_t)type;
        assert_int_equal(tell4(), error ? -EINVAL : 0);
    }
    for (packet_len = 0; packet_len < 20; packet_len++)
        assert_int_equal(tell4(), -EBADMSG);
}

static void some_are_not_told_of_ipv6(void **state)
{
    static const struct in6_addr from = IN6ADDR_LOOPBACK_INIT;
    uint8_t out[1300];

    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        struct writer w = writer_of(out, sizeof(out));

        build(PLAIN_6, 3, 200);
        packet[6] = IP_ICMPV6;
        packet[40] = (uint8_t)type;
        assert_int_equal(net_write_packet_too_big(&w, bytes_of(packet, packet_len), &from, 1400),
                         type < 128 || type == 137 ? -EINVAL : 0);
    }
    for (unsigned kind = 0; kind < 4; kind++) {
        struct writer w = writer_of(out, sizeof(out));

        build(PLAIN_6, 3, 3000);
        cut(1500, 1);
        if (kind == 1)
            pieces[0][8] = 0xff; /* from multicast */
        if (kind == 2)
            pieces[0][24] = 0xff; /* to multicast: may be told */
        assert_int_equal(net_write_packet_too_big(&w, piece(kind == 3), &from, 1400),
                         kind % 2 ? -EINVAL : 0);
    }
    for (size_t len = 0; len < 64; len++) {
        struct writer w = writer_of(out, sizeof(out));

        build(EXTENDED_6, 3, 0);
        assert_int_equal(packet_len, 64);
        assert_int_equal(net_write_packet_too_big(&w, bytes_of(packet, len), &from, 1400),
                         -EBADMSG);
    }
}

/* Whatever is changed in fragments: nothing is read or written that is not theirs. */
static void random_changes_do_no_harm(void **state)
{
    struct net_reassembly *r = net_reassembly_new(4, 6000, TIMEOUT_US);

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct bytes whole = {0};

        build(random_below(SHAPES), (uint16_t)random_below(4), 200 + random_below(3000));
        cut(200 + random_below(1000), random_below(4));
        for (unsigned i = 0; i < piece_count; i++) {
            struct net_fragments f;
            uint8_t out[1300];

            if (random_below(3) == 0)
                pieces[i][random_below(64)] = (uint8_t)random_below(256);
            if (net_reassemble(r, piece(i), round * 1000, &whole) == 1)
                assert_true(whole.len <= 6000);
            if (net_fragments_begin(&f, piece(i), 0, 100 + random_below(100), 1) == 0)
                while (net_fragments_next(&f, out, sizeof(out)) > 0) {
                }
        }
    }
    net_reassembly_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_are_those_of_the_standards),
        cmocka_unit_test(what_fits_comes_out_as_it_is),
        cmocka_unit_test(the_link_header_goes_with_each),
        cmocka_unit_test(what_may_not_be_cut_is_not),
        cmocka_unit_test(fragments_are_cut_again),
        cmocka_unit_test(put_together_in_any_order),
        cmocka_unit_test(whole_packets_pass),
        cmocka_unit_test(atomic_fragments_stand_alone),
        cmocka_unit_test(packets_are_told_apart),
        cmocka_unit_test(overlaps_refuse_the_packet),
        cmocka_unit_test(contradictions_refuse_the_packet),
        cmocka_unit_test(malformed_fragments_are_refused),
        cmocka_unit_test(a_packet_of_too_many_fragments_is_refused),
        cmocka_unit_test(late_fragments_begin_anew),
        cmocka_unit_test(a_flood_pushes_out_its_own),
        cmocka_unit_test(congestion_marks_are_kept),
        cmocka_unit_test(fragmentation_needed_is_told),
        cmocka_unit_test(packet_too_big_is_told),
        cmocka_unit_test(some_are_not_told),
        cmocka_unit_test(some_are_not_told_of_ipv6),
        cmocka_unit_test(random_changes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
