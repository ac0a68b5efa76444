/*
 * tap_queue_test.c -- TAP queues against a packet ring on the same interface. Skipped where
 * namespaces or /dev/net/tun are not allowed.
 */
#include "veth_world.h"

#include <errno.h>

#include "link/tap_queue.h"

static uint8_t out[70000], in[TAP_QUEUE_ROOM];

static bool allowed(void)
{
    return netns_allowed() && access("/dev/net/tun", R_OK | W_OK) == 0;
}

/* From whichever queue the kernel chose. */
static int receive_from(struct tap_queue *q, struct offload *offload)
{
    for (int tries = 0; tries < 1000; tries++) {
        struct pollfd wait[] = {{q[0].fd, POLLIN, 0}, {q[1].fd, POLLIN, 0}};
        poll(wait, 2, 10);
        for (int k = 0; k < 2; k++) {
            int n = tap_queue_receive(&q[k], in, sizeof(in), offload);
            if (n != 0)
                return n;
        }
    }
    return 0;
}

static void both_ways(struct tap_queue *q, struct packet_ring *ring, size_t len,
                      const struct offload *offload)
{
    struct packet_ring_frame f = {out, (uint32_t)len, *offload};
    struct offload got;

    assert_int_equal(packet_ring_send(ring, &f, 1), 1);
    assert_int_equal(receive_from(q, &got), len);
    assert_memory_equal(in, out, len);
    assert_int_equal(got.gso_type, offload->gso_type);
    assert_int_equal(got.gso_size, offload->gso_size);
    assert_int_equal(got.csum_start, offload->csum_start);
    assert_int_equal(tap_queue_send(&q[len % 2], out, len, offload), 0);
    f = next_of_ring(ring, in, sizeof(in));
    assert_int_equal(f.len, len);
    assert_memory_equal(in, out, len);
    assert_int_equal(f.offload.gso_type, offload->gso_type);
    assert_int_equal(f.offload.gso_size, offload->gso_size);
}

static void two_queues_carry_frames_and_super_frames(void **state)
{
    const struct offload plain = {0};
    unsigned before = open_descriptors();
    struct tap_queue q[2];
    struct packet_ring ring;
    struct netlink nl;
    struct offload tso;
    int netns;

    (void)state;
    if (!allowed())
        skip();
    netns = netns_new();
    assert_int_equal(netns_sysctl(netns, "net/ipv6/conf/default/disable_ipv6", "1"), 0);
    assert_int_equal(netlink_open(&nl, netns), 0);
    assert_int_equal(tap_queue_open(&q[0], true, "tap-q", netns, 1500), 0);
    assert_int_equal(tap_queue_open(&q[1], true, "tap-q", netns, 0), 0);
    assert_true(q[0].offloads);
    assert_int_equal(packet_ring_open(&ring, "tap-q", netns, NULL), 0);
    for (unsigned len = 60; len <= 1514; len += 13) {
        make_frame(out, len, len);
        both_ways(q, &ring, len, &plain);
    }
    tso = make_super_frame(out, 65226);
    both_ways(q, &ring, 65226, &tso);

    tso.csum_start = 65535; /* untrue of it */
    assert_int_equal(tap_queue_send(&q[0], out, 1000, &tso), -EBADMSG);
    packet_ring_close(&ring);
    tap_queue_close(&q[0]);
    assert_true(netlink_index(&nl, "tap-q") > 0);
    tap_queue_close(&q[1]);
    assert_int_equal(netlink_index(&nl, "tap-q"), -ENODEV);
    netlink_close(&nl);
    close(netns);
    assert_int_equal(open_descriptors(), before);
}

static void a_deleted_interface_is_an_error(void **state)
{
    struct offload offload = {0};
    struct tap_queue q;
    struct netlink nl;
    int netns;

    (void)state;
    if (!allowed())
        skip();
    netns = netns_new();
    assert_int_equal(netlink_open(&nl, netns), 0);
    assert_int_equal(tap_queue_open(&q, true, "tap-q", netns, 0), 0);
    assert_int_equal(netlink_delete(&nl, "tap-q"), 0);
    make_frame(out, 60, 1);
    assert_int_equal(tap_queue_receive(&q, in, sizeof(in), &offload), -ENETDOWN);
    offload = (struct offload){0};
    assert_int_equal(tap_queue_send(&q, out, 60, &offload), -ENETDOWN);
    tap_queue_close(&q);
    netlink_close(&nl);
    close(netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_queues_carry_frames_and_super_frames),
        cmocka_unit_test(a_deleted_interface_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
