/*
 * net_offload_fuzz.c -- any bytes as a packet with offload data: completed, cut into segments, cut
 * into fragments, put together, answered. The first bytes say how.
 */
#include <stdlib.h>

#include "wire/net/fragment.h"
#include "wire/net/offload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t out[70000];

/* Cuts are limited: one input can stand for thousands of segments. */
static void segment(struct bytes frame, const struct net_offload *offload)
{
    struct net_segments s;
    uint16_t type;
    int link = net_link_size(frame, &type);

    if (link < 0 || net_segments_begin(&s, frame, (size_t)link, offload) < 0)
        return;
    for (int i = 0; i < 100; i++)
        if (net_segments_next(&s, out, s.largest < sizeof(out) ? s.largest : sizeof(out)) <= 0)
            return;
}

static void fragment(struct bytes packet, uint16_t mtu)
{
    struct net_reassembly *r = net_reassembly_new(2, 65535, 100);
    struct net_fragments f;
    struct bytes whole;
    int len;

    if (!r)
        return;
    (void)net_reassemble(r, packet, 1, &whole);
    if (net_fragments_begin(&f, packet, 0, mtu, 1) == 0)
        for (int i = 0; i < 100 && (len = net_fragments_next(&f, out, sizeof(out))) > 0; i++)
            (void)net_reassemble(r, bytes_of(out, (size_t)len), 2, &whole);
    net_reassembly_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct in6_addr from6;
    static const struct in_addr from4;
    struct reader r = reader_of(data, size);
    struct net_offload offload = {.partial = rd_u8(&r) & 1, .gso = rd_u8(&r) % 4};
    struct writer w = writer_of(out, sizeof(out));
    struct bytes frame;
    uint16_t mtu;

    offload.gso_size = rd_u16(&r);
    offload.checksum_start = rd_u16(&r);
    offload.checksum_offset = rd_u16(&r);
    mtu = rd_u16(&r);
    frame = rd_rest(&r);
    if (r.bad || frame.len == 0 || frame.len > sizeof(out))
        return 0;
    segment(frame, &offload);
    fragment(frame, mtu);
    (void)net_write_fragmentation_needed(&w, frame, from4, mtu);
    (void)net_write_packet_too_big(&w, frame, &from6, mtu);
    memcpy(out, frame.at, frame.len);
    (void)net_checksum_complete(out, frame.len, offload.checksum_start, offload.checksum_offset);
    return 0;
}
