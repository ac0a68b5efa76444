/*
 * offload.h -- what a sender left for a card to do, beside the packet.
 *
 * Between virtual interfaces a TCP stream travels as packets of up to 64 KiB whose checksum is not
 * filled in: a card would cut and sum them, and where no card follows nobody needs to. TAP queues
 * and packet rings say so with a struct virtio_net_hdr (virtio 1.2 clause 5.1.6) before the bytes;
 * here is the same in words of our own, checked against the packet it speaks of, so that who acts
 * on it cannot be led outside of the packet. XDP queues carry none of this (link/xdp_queue.h).
 *
 * Pure functions, any thread.
 */
#ifndef STROWGER_LINK_OFFLOAD_H
#define STROWGER_LINK_OFFLOAD_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/virtio_net.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4 /* younger than the oldest headers we build with */
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum offload_gso {
    OFFLOAD_GSO_NONE = VIRTIO_NET_HDR_GSO_NONE,
    OFFLOAD_GSO_TCPV4 = VIRTIO_NET_HDR_GSO_TCPV4,
    OFFLOAD_GSO_TCPV6 = VIRTIO_NET_HDR_GSO_TCPV6,
    OFFLOAD_GSO_UDP_L4 = VIRTIO_NET_HDR_GSO_UDP_L4,
};

/* All zero: a plain packet. Numbers are bytes, host order; starts count from the packet's first
 * byte. */
struct offload {
    bool needs_checksum;  /* the sum from csum_start to the end is missing at csum_offset behind */
    bool ecn;             /* of TCP: CWR is set in the first segment only */
    uint8_t gso_type;     /* enum offload_gso */
    uint16_t csum_start;  /* of TCP's or UDP's header */
    uint16_t csum_offset; /* of the checksum in that header */
    uint16_t gso_size;    /* payload bytes of each segment */
    uint16_t header_len;  /* of all headers up to the payload; 0 without gso_type */
};

/* Is it true of this packet: does all that it names lie inside? Fills header_len from the packet
 * where it is to be cut, as senders' own numbers are but a hint. 0 or -EBADMSG. */
static inline int offload_check(struct offload *o, const uint8_t *packet, size_t len)
{
    size_t header;
    bool udp = o->gso_type == OFFLOAD_GSO_UDP_L4;

    o->header_len = 0;
    if (o->needs_checksum && (size_t)o->csum_start + o->csum_offset + 2 > len)
        return -EBADMSG;
    if (o->gso_type == OFFLOAD_GSO_NONE)
        return 0;
    if (!udp && o->gso_type != OFFLOAD_GSO_TCPV4 && o->gso_type != OFFLOAD_GSO_TCPV6)
        return -EBADMSG;
    if (!o->needs_checksum || o->gso_size == 0 || o->csum_offset != (udp ? 6 : 16))
        return -EBADMSG;
    if ((size_t)o->csum_start + (udp ? 8 : 20) > len)
        return -EBADMSG;
    header = udp ? 8 : (size_t)(packet[o->csum_start + 12] >> 4) * 4;
    if (header < (udp ? 8 : 20) || o->csum_start + header > len ||
        o->csum_start + header > UINT16_MAX)
        return -EBADMSG;
    o->header_len = (uint16_t)(o->csum_start + header);
    return 0;
}

/* From the header that came with a packet (in host byte order, as the kernel's sockets have it). 0
 * or -EBADMSG, and then `o` says a plain packet, which this is not: drop it. */
static inline int offload_from_virtio(struct offload *o, const struct virtio_net_hdr *h,
                                      const uint8_t *packet, size_t len)
{
    *o = (struct offload){0};
    if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return 0;
    o->needs_checksum = h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    o->csum_start = h->csum_start;
    o->csum_offset = h->csum_offset;
    o->ecn = h->gso_type & VIRTIO_NET_HDR_GSO_ECN;
    o->gso_type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    o->gso_size = h->gso_type ? h->gso_size : 0;
    if (offload_check(o, packet, len) == 0)
        return 0;
    *o = (struct offload){0};
    return -EBADMSG;
}

/* The header to send with the packet. 0, or -EBADMSG when `o` is not true of it. */
static inline int offload_to_virtio(const struct offload *o, const uint8_t *packet, size_t len,
                                    struct virtio_net_hdr *h)
{
    struct offload checked = *o;

    memset(h, 0, sizeof(*h));
    if (!o->needs_checksum && o->gso_type == OFFLOAD_GSO_NONE)
        return 0;
    if (offload_check(&checked, packet, len) < 0)
        return -EBADMSG;
    h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    h->csum_start = checked.csum_start;
    h->csum_offset = checked.csum_offset;
    if (checked.gso_type == OFFLOAD_GSO_NONE)
        return 0;
    h->gso_type = checked.gso_type | (checked.ecn ? VIRTIO_NET_HDR_GSO_ECN : 0);
    h->gso_size = checked.gso_size;
    h->hdr_len = checked.header_len;
    return 0;
}

/* The packet's front grew by `bytes` (a VLAN tag put in) or shrank (negative). False when it does
 * not fit any more. */
static inline bool offload_shift(struct offload *o, int bytes)
{
    int start = o->csum_start + bytes, header = o->header_len + bytes;

    if (!o->needs_checksum)
        return true;
    if (start < 0 || start > UINT16_MAX || header > UINT16_MAX)
        return false;
    o->csum_start = (uint16_t)start;
    if (o->header_len)
        o->header_len = (uint16_t)header;
    return true;
}

#endif
