/*
 * switch_packet_test.c -- what the key says of a frame, and that after any rewriting the key is
 * what a fresh look at the frame says and every checksum is right.
 */
#include <stdlib.h>

#include "switch_frames.h"

static void keys_say_what_is_there(void **state)
{
    struct frame f = frame_ip(4, IP_TCP, 1);
    struct packet *p = frame_packet(&f);

    (void)state;
    assert_int_equal(of_key_get(&p->key, OF_IN_PORT), 1);
    assert_int_equal(of_key_get(&p->key, OF_ETH_DST), 0x020000000002);
    assert_int_equal(of_key_get(&p->key, OF_ETH_TYPE), 0x0800);
    assert_int_equal(of_key_get(&p->key, OF_VLAN_VID), 0x1005);
    assert_int_equal(of_key_get(&p->key, OF_VLAN_PCP), 3);
    assert_int_equal(of_key_get(&p->key, OF_IP_DSCP), 10);
    assert_int_equal(of_key_get(&p->key, OF_IP_ECN), 0);
    assert_int_equal(of_key_get(&p->key, OF_IPV4_SRC), 0x0a000001);
    assert_int_equal(of_key_get(&p->key, OF_TCP_DST), 2000);
    assert_int_equal(of_key_get(&p->key, OF_TCP_FLAGS), 2);
    assert_int_equal(p->l3, 18);
    assert_int_equal(p->l4, 38);
    packet_free(p);

    f = frame_ip(6, IP_ICMPV6, 0);
    p = frame_packet(&f);
    assert_int_equal(of_key_get(&p->key, OF_ICMPV6_TYPE), 135);
    assert_int_equal(of_key_get(&p->key, OF_ND_SLL), 0x020000000007);
    assert_int_equal(p->key.nd_target[15], 9);
    packet_free(p);

    f = frame_arp();
    p = frame_packet(&f);
    assert_int_equal(of_key_get(&p->key, OF_ARP_OP), 1);
    assert_int_equal(of_key_get(&p->key, OF_ARP_TPA), 0x0a000002);
    packet_free(p);
}

static void fragments_have_no_ports(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct packet *p;

    (void)state;
    f.bytes[20] = 0x20; /* more fragments, offset 0 */
    p = frame_packet(&f);
    assert_int_equal(of_key_get(&p->key, OF_IP_FRAG), OF_FRAG_ANY);
    assert_int_equal(of_key_get(&p->key, OF_UDP_DST), 2000);
    packet_free(p);
    f.bytes[21] = 5;
    p = frame_packet(&f);
    assert_int_equal(of_key_get(&p->key, OF_IP_FRAG), OF_FRAG_ANY | OF_FRAG_LATER);
    assert_int_equal(of_key_get(&p->key, OF_UDP_DST), 0);
    packet_free(p);
}

static void ipv6_extension_headers_have_bits(void **state)
{
    /* hop-by-hop, routing, destination options, no next header; then out of order, then twice. */
    static const struct {
        uint8_t chain[6];
        uint16_t bits;
    } cases[] = {
        {{IP_NO_NEXT_HEADER}, OFPIEH_NONEXT},
        {{IP_HOP_BY_HOP, IP_ROUTING, IP_DESTINATION_OPTIONS, IP_NO_NEXT_HEADER},
         OFPIEH_HOP | OFPIEH_ROUTER | OFPIEH_DEST | OFPIEH_NONEXT},
        {{IP_ROUTING, IP_HOP_BY_HOP, IP_NO_NEXT_HEADER},
         OFPIEH_ROUTER | OFPIEH_HOP | OFPIEH_UNSEQ | OFPIEH_NONEXT},
        {{IP_ROUTING, IP_ROUTING, IP_NO_NEXT_HEADER}, OFPIEH_ROUTER | OFPIEH_UNREP | OFPIEH_NONEXT},
        {{IP_DESTINATION_OPTIONS, IP_ROUTING, IP_DESTINATION_OPTIONS, IP_UDP},
         OFPIEH_DEST | OFPIEH_ROUTER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame f = frame_ip(6, IP_UDP, 0);
        const uint8_t *chain = cases[i].chain;
        uint8_t *at = f.bytes + ETH_HEADER_SIZE;
        size_t headers = 0;
        struct packet *p;

        at[6] = chain[0];
        while (chain[headers] != IP_NO_NEXT_HEADER && chain[headers] != IP_UDP) {
            memset(at + IPV6_SIZE + headers * 8, 0, 8);
            at[IPV6_SIZE + headers * 8] = chain[headers + 1];
            headers++;
        }
        at[5] = (uint8_t)(headers * 8 + 8);
        f.len = ETH_HEADER_SIZE + IPV6_SIZE + headers * 8 + 8;
        p = frame_packet(&f);
        assert_int_equal(of_key_get(&p->key, OF_IPV6_EXTHDR), cases[i].bits);
        packet_free(p);
    }
}

static void check_agreement(struct packet *p)
{
    struct of_key key = p->key;

    packet_parse(p);
    assert_memory_equal(&key, &p->key, sizeof(key));
    frame_checksums_ok(p);
}

/* Every field that may be written, in every kind of frame that has it. */
static void set_field_keeps_packet_key_and_checksums_together(void **state)
{
    struct frame frames[24];
    size_t count = 0, done = 0;

    (void)state;
    for (unsigned tags = 0; tags < 3; tags++) {
        static const uint8_t v4[] = {IP_TCP, IP_UDP, IP_SCTP, IP_ICMP},
                             v6[] = {IP_TCP, IP_UDP, IP_ICMPV6};

        for (size_t i = 0; i < sizeof(v4); i++)
            frames[count++] = frame_ip(4, v4[i], tags);
        for (size_t i = 0; i < sizeof(v6); i++)
            frames[count++] = frame_ip(6, v6[i], tags);
    }
    frames[count++] = frame_arp();
    for (size_t i = 0; i < count; i++)
        for (enum of_field_id id = OF_ETH_DST; id < OF_FIELD_COUNT; id++) {
            struct packet *p = frame_packet(&frames[i]);
            uint8_t value[16];
            bool structure = id == OF_ETH_TYPE || id == OF_IP_PROTO || id == OF_ICMPV6_TYPE ||
                             id == OF_ICMPV6_CODE;

            for (size_t b = 0; b < sizeof(value); b++)
                value[b] = (uint8_t)(0x5a + b);
            if (of_fields[id].bits < 8)
                value[0] &= (uint8_t)((1u << of_fields[id].bits) - 1);
            if (id == OF_VLAN_VID)
                value[0] = 0x1a;
            if (id == OF_IPV6_FLABEL)
                value[0] = value[1] = 0;
            if (of_fields[id].writable && packet_set_field(p, id, value) && !structure) {
                assert_memory_equal(of_key_const_at(&p->key, &of_fields[id]), value,
                                    of_fields[id].bytes);
                check_agreement(p);
                done++;
            }
            packet_free(p);
        }
    assert_true(done > 200); /* so many fields in so many frames */
}

static void a_udp_checksum_of_zero_stays(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct packet *p;

    (void)state;
    memset(f.bytes + 40, 0, 2);
    p = frame_packet(&f);
    assert_true(packet_set_field(p, OF_UDP_DST, (const uint8_t *)"\x12\x34"));
    assert_memory_equal(p->data + 40, "\0\0", 2);
    assert_memory_equal(p->data + 36, "\x12\x34", 2);
    packet_free(p);
}

static void fields_that_are_not_there_are_not_set(void **state)
{
    struct frame f = frame_arp();
    struct packet *p = frame_packet(&f);

    (void)state;
    assert_false(packet_set_field(p, OF_IPV4_DST, (const uint8_t *)"\1\2\3\4"));
    assert_false(packet_set_field(p, OF_TCP_DST, (const uint8_t *)"\1\2"));
    assert_false(packet_set_field(p, OF_VLAN_VID, (const uint8_t *)"\x10\1"));
    assert_false(packet_set_field(p, OF_MPLS_LABEL, (const uint8_t *)"\0\0\0\1"));
    assert_true(packet_set_field(p, OF_TUNNEL_ID, (const uint8_t *)"\0\0\0\0\0\0\0\x11"));
    assert_int_equal(of_key_get(&p->key, OF_TUNNEL_ID), 0x11);
    assert_memory_equal(p->data, f.bytes, f.len);
    packet_free(p);
}

static void tags_come_and_go(void **state)
{
    struct frame f = frame_ip(4, IP_TCP, 1);
    struct packet *p = frame_packet(&f);

    (void)state;
    assert_true(packet_push_vlan(p, ETH_TYPE_SERVICE_VLAN));
    assert_int_equal(p->len, f.len + 4);
    assert_memory_equal(p->data + 12, "\x88\xa8\x60\x05\x81\x00\x60\x05\x08\x00", 10);
    assert_int_equal(p->vlan_tags, 2);
    check_agreement(p);
    assert_true(packet_pop_vlan(p));
    assert_memory_equal(p->data, f.bytes, f.len);
    assert_true(packet_pop_vlan(p));
    assert_false(packet_pop_vlan(p));
    assert_int_equal(p->key.vlan_vid, 0);
    check_agreement(p);
    packet_free(p);
}

static void labels_come_and_go(void **state)
{
    struct frame f = frame_ip(4, IP_TCP, 0);
    struct packet *p = frame_packet(&f);

    (void)state;
    assert_true(packet_push_mpls(p, ETH_TYPE_MPLS));
    assert_memory_equal(p->data + 12, "\x88\x47\x00\x00\x01\x40",
                        6); /* bottom of stack, TTL 64 from IP */
    assert_true(packet_set_field(p, OF_MPLS_LABEL, (const uint8_t *)"\0\x01\x23\x45"));
    assert_true(packet_set_field(p, OF_MPLS_TC, (const uint8_t *)"\5"));
    assert_int_equal(of_key_get(&p->key, OF_MPLS_LABEL), 0x12345);
    assert_int_equal(of_key_get(&p->key, OF_MPLS_BOS), 1);
    assert_true(packet_push_mpls(p, ETH_TYPE_MPLS));
    assert_int_equal(of_key_get(&p->key, OF_MPLS_LABEL), 0x12345);
    assert_int_equal(of_key_get(&p->key, OF_MPLS_BOS), 0);
    assert_true(packet_dec_mpls_ttl(p));
    packet_copy_ttl_in(p);
    assert_int_equal(p->data[p->l3 + 7], 63); /* the inner label's */
    assert_true(packet_pop_mpls(p, ETH_TYPE_MPLS));
    packet_copy_ttl_in(p); /* into IP, with its checksum */
    assert_true(packet_pop_mpls(p, ETH_TYPE_IPV4));
    assert_int_equal(of_key_get(&p->key, OF_IP_TTL), 63);
    check_agreement(p);
    assert_false(packet_pop_mpls(p, ETH_TYPE_IPV4));
    packet_free(p);
}

static void service_frames_come_and_go(void **state)
{
    struct frame f = frame_ip(4, IP_TCP, 1);
    struct packet *p = frame_packet(&f);

    (void)state;
    assert_true(packet_push_pbb(p, ETH_TYPE_PBB));
    assert_int_equal(p->len, f.len + 18);
    assert_int_equal(of_key_get(&p->key, OF_ETH_TYPE), ETH_TYPE_PBB);
    assert_true(packet_set_field(p, OF_PBB_ISID, (const uint8_t *)"\x12\x34\x56"));
    assert_true(packet_set_field(p, OF_PBB_UCA, (const uint8_t *)"\1"));
    assert_memory_equal(p->data + 14, "\x68\x12\x34\x56", 4);
    check_agreement(p);
    assert_true(packet_pop_pbb(p));
    assert_memory_equal(p->data, f.bytes, f.len);
    packet_free(p);
}

static void ttl_ends_at_one(void **state)
{
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct frame f = frame_ip(version, IP_UDP, 0);
        struct packet *p = frame_packet(&f);

        (void)state;
        assert_true(packet_dec_nw_ttl(p));
        assert_int_equal(of_key_get(&p->key, OF_IP_TTL), 63);
        check_agreement(p);
        assert_true(packet_set_nw_ttl(p, 1));
        check_agreement(p);
        assert_false(packet_dec_nw_ttl(p));
        packet_free(p);
    }
}

static void frames_cut_anywhere_are_harmless(void **state)
{
    struct frame frames[] = {frame_ip(4, IP_TCP, 2), frame_ip(6, IP_ICMPV6, 1), frame_arp()};

    (void)state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        for (size_t len = 0; len < frames[i].len; len++) {
            struct frame f = frames[i];
            struct packet *p;
            static const uint8_t value[16] = {0x10};

            f.len = len;
            p = frame_packet(&f);
            for (enum of_field_id id = 0; id < OF_FIELD_COUNT; id++)
                if (of_fields[id].writable)
                    packet_set_field(p, id, value);
            packet_dec_nw_ttl(p);
            packet_push_mpls(p, ETH_TYPE_MPLS);
            packet_copy_ttl_out(p);
            packet_pop_vlan(p);
            packet_push_pbb(p, ETH_TYPE_PBB);
            packet_pop_pbb(p);
            packet_free(p);
        }
}

static int free_pool(void **state)
{
    (void)state;
    packet_pool_free();
    return 0;
}

static struct packet *packet_of_bytes(const uint8_t *at, size_t len)
{
    struct packet *p = packet_copy_of(bytes_of(at, len));

    assert_non_null(p);
    packet_enter(p, 1);
    packet_parse(p);
    return p;
}

/* Guests and TAPs may hand in frames of more than 64 KiB: offsets of 16 bits must not wrap. */
static void frames_of_more_than_64_kib_are_read_within_their_bounds(void **state)
{
    uint8_t *frame = calloc(1, PACKET_MOST);
    struct packet *p;

    (void)state;
    assert_non_null(frame);
    for (size_t at = 0; at + 4 <= PACKET_MOST; at += 4) /* tags without end */
        memcpy(frame + at, "\x81\x00\x00\x07", 4);
    frame[15] = 9; /* the outermost */
    p = packet_of_bytes(frame, PACKET_MOST);
    assert_int_equal(ntohs(p->key.vlan_vid), OFPVID_PRESENT | 9);
    packet_free(p);

    memset(frame, 0, PACKET_MOST);
    memcpy(frame + 12, "\x86\xdd\x60\0\0\0\xff\xff\x3c\x40", 10); /* 65,575 bytes in all */
    for (size_t at = 54; at + 2056 < PACKET_MOST; at += 2048)
        memcpy(frame + at, "\x3c\xff", 2); /* destination options, long ones */
    p = packet_of_bytes(frame, 14 + 40 + 65535);
    assert_int_equal(p->l4, 0);
    packet_free(p);

    memcpy(frame + 12, "\x86\xdd\x60\0\0\0\xff\xd7\x3c\x40", 10); /* 65,535 in all */
    memcpy(frame + 54 + 31 * 2048, "\x3c\xfc", 2);
    memcpy(frame + 54 + 31 * 2048 + 2024, "\x11\0", 2); /* UDP's header begins behind 65,535 */
    p = packet_of_bytes(frame, 14 + 40 + 65495);
    assert_true(p->l4 == 0 || p->l4 > 60000);
    packet_free(p);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_say_what_is_there),
        cmocka_unit_test(fragments_have_no_ports),
        cmocka_unit_test(ipv6_extension_headers_have_bits),
        cmocka_unit_test(set_field_keeps_packet_key_and_checksums_together),
        cmocka_unit_test(a_udp_checksum_of_zero_stays),
        cmocka_unit_test(fields_that_are_not_there_are_not_set),
        cmocka_unit_test(tags_come_and_go),
        cmocka_unit_test(labels_come_and_go),
        cmocka_unit_test(service_frames_come_and_go),
        cmocka_unit_test(ttl_ends_at_one),
        cmocka_unit_test(frames_cut_anywhere_are_harmless),
        cmocka_unit_test(frames_of_more_than_64_kib_are_read_within_their_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, free_pool);
}
