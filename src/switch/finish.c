/*
 * finish.c -- packets that are not finished: what a sender left to a card (link/offload.h).
 *
 * Between virtual interfaces packets come whole that a card would cut, and without the checksum
 * that it would compute. They go through the tables as they are, and out again by a port that can
 * do the same (port.h: finishes_checksums, cuts). For any other port the rest is done here, just
 * before they are sent: the checksum is filled in, a large packet cut into segments
 * (wire/net/offload.h).
 *
 * In whose thread: the worker's.
 */
#include "switch/packet.h"
#include "wire/net/offload.h"

void packet_finish_checksum(struct packet *p)
{
    if (!packet_is_unfinished(p))
        return;
    (void)net_checksum_complete(p->data, p->len, p->offload.csum_start, p->offload.csum_offset);
    p->offload = (struct offload){0};
}

static const enum net_gso kinds[] = {
    [OFFLOAD_GSO_NONE] = NET_GSO_NONE,
    [OFFLOAD_GSO_TCPV4] = NET_GSO_TCPV4,
    [OFFLOAD_GSO_TCPV6] = NET_GSO_TCPV6,
    [OFFLOAD_GSO_UDP_L4] = NET_GSO_UDP,
};

/* Has what the pipeline knows of the packet, but other bytes. */
static struct packet *next_segment(const struct packet *p, struct net_segments *s)
{
    struct packet *segment = packet_new_for(s->largest);
    int len;

    if (!segment)
        return NULL;
    segment->key = p->key;
    len = net_segments_next(s, segment->data, segment->room);
    if (len <= 0) {
        packet_free(segment);
        return NULL;
    }
    segment->len = (uint32_t)len;
    packet_parse(segment);
    return segment;
}

bool packet_finish(struct packet *p, void (*each)(struct packet *segment, void *context),
                   void *context)
{
    const struct net_offload o = {.partial = true,
                                  .checksum_start = p->offload.csum_start,
                                  .checksum_offset = p->offload.csum_offset,
                                  .gso = kinds[p->offload.gso_type],
                                  .gso_size = p->offload.gso_size};
    struct net_segments s;
    bool good;

    if (o.gso == NET_GSO_NONE) {
        packet_finish_checksum(p);
        each(p, context);
        return true;
    }
    good = net_segments_begin(&s, packet_bytes(p), p->ip_at, &o) == 0;
    for (unsigned i = 0; good && i < s.count; i++) {
        struct packet *segment = next_segment(p, &s);

        good = segment != NULL;
        if (good)
            each(segment, context);
    }
    packet_free(p);
    return good;
}
