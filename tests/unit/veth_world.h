/*
 * veth_world.h -- two namespaces joined by a veth pair, "a" and "b", for tests of fast ports; and
 * the frames sent through it.
 */
#ifndef STROWGER_TESTS_VETH_WORLD_H
#define STROWGER_TESTS_VETH_WORLD_H

#include "unit.h"

#include <dirent.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "link/netns.h"
#include "link/packet_ring.h"

struct veth_world {
    int a, b; /* namespaces */
    struct netlink at_a, at_b;
};

static inline void veth_world_make(struct veth_world *w)
{
    w->a = netns_new();
    w->b = netns_new();
    assert_true(w->a >= 0 && w->b >= 0);
    assert_int_equal(netns_sysctl(w->a, "net/ipv6/conf/default/disable_ipv6", "1"), 0);
    assert_int_equal(netns_sysctl(w->b, "net/ipv6/conf/default/disable_ipv6", "1"), 0);
    assert_int_equal(netlink_open(&w->at_a, w->a), 0);
    assert_int_equal(netlink_open(&w->at_b, w->b), 0);
    assert_int_equal(netlink_add_veth(&w->at_a, "a", "b", w->b), 0);
    assert_int_equal(netlink_set_up(&w->at_a, "a"), 0);
    assert_int_equal(netlink_set_up(&w->at_b, "b"), 0);
}

static inline void veth_world_end(struct veth_world *w)
{
    netlink_close(&w->at_a);
    netlink_close(&w->at_b);
    close(w->a);
    close(w->b);
}

/* An experimental Ethernet type, which no stack answers; the rest tells `seed`. */
static inline void make_frame(uint8_t *at, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(i * 7 + seed);
    memset(at, 2, 12);
    at[12] = 0x88;
    at[13] = 0xb5;
}

/* TCP over IPv4 of `len` bytes in all, for a card to cut; needs no true checksum. */
static inline struct offload make_super_frame(uint8_t *at, size_t len)
{
    make_frame(at, len, 1);
    at[12] = 8;
    at[13] = 0;
    memset(at + 14, 0, 40);
    at[14] = 0x45;
    at[16] = (uint8_t)((len - 14) >> 8);
    at[17] = (uint8_t)(len - 14);
    at[22] = 64;
    at[23] = 6;
    at[26] = at[30] = 10;
    at[29] = 1;
    at[33] = 2;
    at[46] = 0x50;
    at[47] = 0x10;
    return (struct offload){.needs_checksum = true,
                            .gso_type = OFFLOAD_GSO_TCPV4,
                            .csum_start = 34,
                            .csum_offset = 16,
                            .gso_size = 1400,
                            .header_len = 54};
}

static inline unsigned open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* The next frame of a ring, copied; it is there within ten seconds. */
static inline struct packet_ring_frame next_of_ring(struct packet_ring *r, uint8_t *bytes,
                                                    size_t size)
{
    struct packet_ring_frame f;

    for (int tries = 0; tries < 1000; tries++) {
        struct pollfd wait = {r->fd, POLLIN, 0};
        int n = packet_ring_receive(r, &f, 1);
        assert_true(n >= 0);
        if (n == 1) {
            assert_true(f.len <= size);
            memcpy(bytes, f.at, f.len);
            f.at = bytes;
            packet_ring_release(r);
            return f;
        }
        packet_ring_release(r);
        poll(&wait, 1, 10);
    }
    fail_msg("no frame came");
    return f;
}

#endif
