/*
 * packet_ring_test.c -- packet rings on both ends of a veth pair. Skipped where namespaces are not
 * allowed.
 */
#include "veth_world.h"

#include <errno.h>

static uint8_t out[70000], in[70000];

#define NEEDS_NAMESPACES() \
    if (!netns_allowed())  \
    skip()

static void send_one(struct packet_ring *r, size_t len, const struct offload *offload)
{
    struct packet_ring_frame f = {out, (uint32_t)len, *offload};

    assert_int_equal(packet_ring_send(r, &f, 1), 1);
}

static void expect(struct packet_ring *r, size_t len, const struct offload *offload)
{
    struct packet_ring_frame f = next_of_ring(r, in, sizeof(in));

    assert_int_equal(f.len, len);
    assert_memory_equal(in, out, len);
    assert_int_equal(f.offload.needs_checksum, offload->needs_checksum);
    assert_int_equal(f.offload.gso_type, offload->gso_type);
    assert_int_equal(f.offload.gso_size, offload->gso_size);
    assert_int_equal(f.offload.csum_start, offload->csum_start);
    assert_int_equal(f.offload.header_len, offload->header_len);
}

static void frames_pass_both_ways_unchanged(void **state)
{
    const struct offload plain = {0};
    struct veth_world w;
    struct packet_ring a, b;
    unsigned before = open_descriptors();

    (void)state;
    NEEDS_NAMESPACES();
    veth_world_make(&w);
    assert_int_equal(packet_ring_open(&a, "a", w.a, NULL), 0);
    assert_int_equal(packet_ring_open(&b, "b", w.b, NULL), 0);
    for (unsigned len = 60; len <= 1514; len++) {
        make_frame(out, len, len);
        send_one(&a, len, &plain);
        expect(&b, len, &plain);
        send_one(&b, len, &plain);
        expect(&a, len, &plain);
    }
    make_frame(out, 104, 3); /* with a VLAN tag */
    memcpy(out + 12, "\x81\x00\x20\x05\x88\xb5", 6);
    send_one(&a, 104, &plain);
    expect(&b, 104, &plain);
    make_frame(out, 2000, 3); /* too long: lost, and said so by nobody */
    send_one(&a, 2000, &plain);
    assert_int_equal(packet_ring_dropped(&b), 0);
    packet_ring_close(&a);
    packet_ring_close(&b);
    veth_world_end(&w);
    assert_int_equal(open_descriptors(), before);
}

static void super_frames_pass_both_ways_uncut(void **state)
{
    struct veth_world w;
    struct packet_ring a, b;
    struct offload tso;

    (void)state;
    NEEDS_NAMESPACES();
    veth_world_make(&w);
    assert_int_equal(packet_ring_open(&a, "a", w.a, NULL), 0);
    assert_int_equal(packet_ring_open(&b, "b", w.b, NULL), 0);
    for (int i = 0; i < 40; i++) { /* more than the ring's blocks */
        tso = make_super_frame(out, 65226);
        send_one(&a, 65226, &tso);
        expect(&b, 65226, &tso);
        send_one(&b, 65226, &tso);
        expect(&a, 65226, &tso);
    }
    packet_ring_close(&a);
    packet_ring_close(&b);
    veth_world_end(&w);
}

static void two_rings_see_each_frame_once(void **state)
{
    struct veth_world w;
    struct packet_ring a, b[2];
    struct offload plain = {0};
    uint32_t group = 0;
    unsigned seen[256] = {0}, ring_of[256] = {0}, each[2] = {0}, total = 0;

    (void)state;
    NEEDS_NAMESPACES();
    veth_world_make(&w);
    assert_int_equal(packet_ring_open(&a, "a", w.a, NULL), 0);
    assert_int_equal(packet_ring_open(&b[0], "b", w.b, &group), 0);
    assert_int_equal(packet_ring_open(&b[1], "b", w.b, &group), 0);
    for (unsigned i = 0; i < 512; i++) { /* 256 flows, by the TCP source port */
        make_super_frame(out, 100);
        out[35] = (uint8_t)i;
        send_one(&a, 100, &plain);
    }
    for (int tries = 0; tries < 1000 && total < 512; tries++) {
        struct pollfd wait[] = {{b[0].fd, POLLIN, 0}, {b[1].fd, POLLIN, 0}};
        poll(wait, 2, 10);
        for (unsigned k = 0; k < 2; k++) {
            struct packet_ring_frame f[16];
            int n = packet_ring_receive(&b[k], f, 16);
            assert_true(n >= 0);
            for (int i = 0; i < n; i++, total++, each[k]++) {
                unsigned flow = f[i].at[35];
                assert_true(seen[flow]++ == 0 || ring_of[flow] == k);
                ring_of[flow] = k;
            }
            packet_ring_release(&b[k]);
        }
    }
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(seen[i], 2);
    assert_true(each[0] > 0 && each[1] > 0);
    packet_ring_close(&a);
    packet_ring_close(&b[0]);
    packet_ring_close(&b[1]);
    veth_world_end(&w);
}

static void a_deleted_interface_is_an_error(void **state)
{
    struct veth_world w;
    struct packet_ring a, b;
    struct packet_ring_frame f = {out, 60, {0}};
    int err = 0;

    (void)state;
    NEEDS_NAMESPACES();
    veth_world_make(&w);
    assert_int_equal(packet_ring_open(&a, "none", w.a, NULL), -ENODEV);
    assert_int_equal(packet_ring_open(&a, "a", w.a, NULL), 0);
    assert_int_equal(packet_ring_open(&b, "b", w.b, NULL), 0);
    make_frame(out, 60, 1);
    for (int i = 0; i < 100; i++)
        assert_int_equal(packet_ring_send(&a, &f, 1), 1);
    assert_int_equal(netlink_delete(&w.at_a, "a"), 0);
    for (int i = 0; i < 1000 && err >= 0; i++) {
        err = packet_ring_receive(&b, &f, 1);
        packet_ring_release(&b);
    }
    assert_int_equal(err, -ENETDOWN);
    f = (struct packet_ring_frame){out, 60, {0}};
    assert_true(packet_ring_send(&a, &f, 1) < 0);
    packet_ring_close(&a);
    packet_ring_close(&b);
    veth_world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_pass_both_ways_unchanged),
        cmocka_unit_test(super_frames_pass_both_ways_uncut),
        cmocka_unit_test(two_rings_see_each_frame_once),
        cmocka_unit_test(a_deleted_interface_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
