/*
 * offload_test.c -- headers for virtio that are true, and those that would lead outside.
 */
#include "unit.h"

#include <stdlib.h>

#include "link/offload.h"

static uint8_t packet[2000];

static struct virtio_net_hdr true_header(void)
{
    memset(packet, 0, sizeof(packet));
    packet[34 + 12] = 0x80; /* 32 bytes of TCP header */
    return (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                   .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
                                   .hdr_len = 9,
                                   .gso_size = 1400,
                                   .csum_start = 34,
                                   .csum_offset = 16};
}

static void a_true_header_comes_back_with_its_length_corrected(void **state)
{
    struct virtio_net_hdr h = true_header(), back;
    struct offload o;

    (void)state;
    assert_int_equal(offload_from_virtio(&o, &h, packet, sizeof(packet)), 0);
    assert_true(o.needs_checksum && o.ecn);
    assert_int_equal(o.header_len, 66);
    assert_int_equal(offload_to_virtio(&o, packet, sizeof(packet), &back), 0);
    h.hdr_len = 66;
    assert_memory_equal(&h, &back, sizeof(h));
    assert_true(offload_shift(&o, 4));
    assert_int_equal(o.csum_start, 38);
    assert_int_equal(o.header_len, 70);
    assert_false(offload_shift(&o, -39));
}

static void untrue_headers_are_refused(void **state)
{
    struct virtio_net_hdr h;
    struct offload o;

    (void)state;
    h = true_header();
    assert_int_equal(offload_from_virtio(&o, &h, packet, 34 + 31), -EBADMSG);
    assert_false(o.needs_checksum);
    packet[34 + 12] = 0x40;
    assert_int_equal(offload_from_virtio(&o, &h, packet, sizeof(packet)), -EBADMSG);
    h = true_header();
    h.gso_size = 0;
    assert_int_equal(offload_from_virtio(&o, &h, packet, sizeof(packet)), -EBADMSG);
    h = true_header();
    h.flags = 0;
    assert_int_equal(offload_from_virtio(&o, &h, packet, sizeof(packet)), -EBADMSG);
    h = true_header();
    h.gso_type = 7;
    assert_int_equal(offload_from_virtio(&o, &h, packet, sizeof(packet)), -EBADMSG);
    h = (struct virtio_net_hdr){.flags = 1, .csum_start = 65535, .csum_offset = 65535};
    assert_int_equal(offload_from_virtio(&o, &h, packet, sizeof(packet)), -EBADMSG);
}

/* Whatever is accepted lies inside; the sanitizers watch the reads of exactly sized packets. */
static void noise_never_leads_outside(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 200000; i++) {
        size_t len = (size_t)rand() % 120;
        uint8_t *p = malloc(len + 1);
        struct virtio_net_hdr h;
        struct offload o;

        for (size_t k = 0; k < sizeof(h); k++)
            ((uint8_t *)&h)[k] = (uint8_t)rand();
        h.csum_start %= 130;
        h.csum_offset = rand() % 2 ? 16 : 6;
        h.gso_type %= 6;
        memset(p, rand(), len);
        if (offload_from_virtio(&o, &h, p, len) == 0) {
            assert_true(!o.needs_checksum || (size_t)o.csum_start + o.csum_offset + 2 <= len);
            assert_true(o.header_len <= len);
        }
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_header_comes_back_with_its_length_corrected),
        cmocka_unit_test(untrue_headers_are_refused),
        cmocka_unit_test(noise_never_leads_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
