/*
 * vring_net.c -- see vring.h: packets out of, and into, the chains of a network device (virtio 1.2
 * clause 5.1.6).
 */
#include "link/vring_inner.h"

#define HEADER_MAX sizeof(struct virtio_net_hdr_v1)

/* Without VERSION_1 and MRG_RXBUF the header lacks num_buffers (clause 5.1.6.1). */
static size_t header_size(const struct virtqueue *q)
{
    return has(q, VIRTIO_F_VERSION_1) || has(q, VIRTIO_NET_F_MRG_RXBUF)
               ? sizeof(struct virtio_net_hdr_v1)
               : sizeof(struct virtio_net_hdr);
}

/* ---- from the driver ---- */

static struct vhost_offload read_header(const uint8_t *header)
{
    struct virtio_net_hdr h;

    memcpy(&h, header, sizeof(h));
    return (struct vhost_offload){h.flags,
                                  h.gso_type,
                                  le16toh(h.hdr_len),
                                  le16toh(h.gso_size),
                                  le16toh(h.csum_start),
                                  le16toh(h.csum_offset)};
}

/* A kind of segmentation offload is a feature of its own, one for each direction. */
static bool gso_is_negotiated(const struct virtqueue *q, uint8_t gso_type, bool to_driver)
{
    switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
        return has(q, to_driver ? VIRTIO_NET_F_GUEST_TSO4 : VIRTIO_NET_F_HOST_TSO4);
    case VIRTIO_NET_HDR_GSO_TCPV6:
        return has(q, to_driver ? VIRTIO_NET_F_GUEST_TSO6 : VIRTIO_NET_F_HOST_TSO6);
    default:
        return false;
    }
}

static bool offload_is_negotiated(const struct virtqueue *q, const struct vhost_offload *o,
                                  bool to_driver)
{
    if (o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
        !has(q, to_driver ? VIRTIO_NET_F_GUEST_CSUM : VIRTIO_NET_F_CSUM))
        return false;
    return o->gso_type == VIRTIO_NET_HDR_GSO_NONE || gso_is_negotiated(q, o->gso_type, to_driver);
}

/* What the header says must be true of the packet (clause 5.1.6.2). */
static bool offload_is_sane(const struct vhost_offload *o, size_t len)
{
    if (o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
        (size_t)o->csum_start + o->csum_offset + sizeof(uint16_t) > len)
        return false;
    return o->gso_type == VIRTIO_NET_HDR_GSO_NONE ||
           (o->gso_size > 0 && o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

struct taking {
    uint8_t header[HEADER_MAX];
    size_t header_len;
    bool too_long;
    unsigned steps;
};

/* One buffer of the chain: the rest of the header, then data. */
static enum vring_fault take_buffer(struct virtqueue *q, const struct guest_memory *m,
                                    struct taking *t, struct vhost_packet *p, struct vring_desc d)
{
    size_t missing = header_size(q) - t->header_len;
    size_t n = d.len < missing ? d.len : missing;

    if (n > 0 && !vhost_memory_read(m, t->header + t->header_len, d.addr, n))
        return VRING_BAD_ADDRESS;
    t->header_len += n;
    d.addr += n;
    d.len -= (uint32_t)n;
    if (d.len > p->room - p->len) {
        t->too_long = true;
        return VRING_OK;
    }
    if (d.len > 0 && !vhost_memory_read(m, p->at + p->len, d.addr, d.len))
        return VRING_BAD_ADDRESS;
    p->len += d.len;
    return VRING_OK;
}

/* Copies the chain at `head` into `p`. *good: it is a packet for the caller. */
static enum vring_fault take_packet(struct virtqueue *q, const struct guest_memory *m,
                                    uint16_t head, struct vhost_packet *p, unsigned *steps,
                                    bool *good)
{
    struct chain c = chain_at(q, m, head, 0);
    struct taking t = {.header_len = 0};
    struct vring_desc d;
    enum vring_fault fault;

    *good = false;
    p->len = 0;
    while (c.more && !t.too_long) {
        ++*steps;
        if ((fault = chain_next(&c, &d)) != VRING_OK ||
            (fault = take_buffer(q, m, &t, p, d)) != VRING_OK)
            return fault;
    }
    p->offload = read_header(t.header);
    if (t.too_long)
        count(&q->counters.dropped_long, 1);
    else if (t.header_len < header_size(q) || p->len == 0 || !offload_is_sane(&p->offload, p->len))
        count(&q->counters.dropped_malformed, 1);
    else if (!offload_is_negotiated(q, &p->offload, false))
        count(&q->counters.dropped_offload, 1);
    else
        *good = true;
    return VRING_OK;
}

/* What a disabled queue still has to do: give everything back unseen. */
static void discard(struct virtqueue *q, const struct guest_memory *m)
{
    uint16_t old = q->next_used;
    int n = waiting(q, __ATOMIC_ACQUIRE);

    for (int i = 0; i < n; i++)
        put_used(q, avail_head(q, q->next_avail++), 0);
    if (n > 0)
        count(&q->counters.dropped_disabled, (uint64_t)n);
    give_back(q, m, old);
    if (n >= 0 && wants_kicks(q) && ask_for_kick(q, m, q->next_avail))
        kick_ourselves(q);
}

/* One round over what is available; false when the ring is empty or broken. */
static bool receive_waiting(struct virtqueue *q, const struct guest_memory *m,
                            struct vhost_packet *packets, unsigned n, unsigned *taken,
                            unsigned *steps)
{
    int left = waiting(q, __ATOMIC_ACQUIRE);

    if (left <= 0)
        return false;
    for (; left > 0 && *taken < n && *steps < VRING_STEPS; left--) {
        struct vhost_packet *p = &packets[*taken];
        uint16_t head = avail_head(q, q->next_avail);
        enum vring_fault fault;
        bool good;

        if ((fault = take_packet(q, m, head, p, steps, &good)) != VRING_OK) {
            fail(q, fault);
            return false;
        }
        q->next_avail++;
        put_used(q, head, 0);
        if (!good)
            continue;
        count(&q->counters.packets, 1);
        count(&q->counters.bytes, p->len);
        ++*taken;
    }
    return true;
}

unsigned vring_receive(struct virtqueue *q, const struct guest_memory *m,
                       struct vhost_packet *packets, unsigned n)
{
    uint16_t old = q->next_used;
    unsigned taken = 0, steps = 0;

    if (!is_usable(q))
        return 0;
    if (!q->enabled) {
        discard(q, m);
        return 0;
    }
    while (taken < n && steps < VRING_STEPS) {
        if (receive_waiting(q, m, packets, n, &taken, &steps))
            continue;
        if (!is_usable(q) || !wants_kicks(q) || !ask_for_kick(q, m, q->next_avail))
            break;
    }
    if (steps >= VRING_STEPS && taken < n && wants_kicks(q))
        kick_ourselves(q);
    give_back(q, m, old);
    return taken;
}

/* ---- to the driver ---- */

struct giving {
    const struct vhost_packet *packet;
    uint8_t header[HEADER_MAX];
    size_t header_size;
    size_t done;             /* bytes of header and packet that are written */
    uint8_t *num_buffers[2]; /* where the two bytes of that field went, to be filled in at last */
    uint64_t num_buffers_guest[2];
    uint16_t buffers; /* chains used */
};

static size_t bytes_left(const struct giving *g)
{
    return g->header_size + g->packet->len - g->done;
}

static struct giving giving_of(const struct virtqueue *q, const struct vhost_packet *p)
{
    const struct vhost_offload *o = &p->offload;
    struct virtio_net_hdr_v1 h = {.flags = o->flags, .gso_type = o->gso_type};
    struct giving g = {.packet = p, .header_size = header_size(q)};

    h.hdr_len = htole16(o->hdr_len);
    h.gso_size = htole16(o->gso_size);
    h.csum_start = htole16(o->csum_start);
    h.csum_offset = htole16(o->csum_offset);
    memcpy(g.header, &h, sizeof(h));
    return g;
}

/* Writes what is next of the packet to a run of bytes in our memory, at most `run`; how much. */
static size_t give_run(struct giving *g, uint8_t *at, uint64_t guest, size_t run)
{
    const size_t field = offsetof(struct virtio_net_hdr_v1, num_buffers);
    size_t n;

    if (g->done >= g->header_size) {
        n = run < bytes_left(g) ? run : bytes_left(g);
        memcpy(at, g->packet->at + (g->done - g->header_size), n);
    } else {
        n = run < g->header_size - g->done ? run : g->header_size - g->done;
        memcpy(at, g->header + g->done, n);
        for (size_t i = field; i < g->header_size; i++)
            if (i >= g->done && i < g->done + n) {
                g->num_buffers[i - field] = at + (i - g->done);
                g->num_buffers_guest[i - field] = guest + (i - g->done);
            }
    }
    g->done += n;
    return n;
}

/* Fills one chain; *written is what it holds afterwards. */
static enum vring_fault fill_chain(struct virtqueue *q, const struct guest_memory *m, uint16_t head,
                                   struct giving *g, uint32_t *written, unsigned *steps)
{
    struct chain c = chain_at(q, m, head, VRING_DESC_F_WRITE);
    struct vring_desc d;
    enum vring_fault fault;
    size_t before = g->done;

    while (c.more && bytes_left(g) > 0) {
        ++*steps;
        if ((fault = chain_next(&c, &d)) != VRING_OK)
            return fault;
        while (d.len > 0 && bytes_left(g) > 0) {
            size_t run = d.len;
            uint8_t *at = vhost_memory_at(m, d.addr, &run);

            if (!at)
                return VRING_BAD_ADDRESS;
            run = give_run(g, at, d.addr, run);
            vhost_memory_log(m, d.addr, run);
            d.addr += run;
            d.len -= (uint32_t)run;
        }
    }
    if (g->done < g->header_size)
        return VRING_NO_HEADER;
    *written = (uint32_t)(g->done - before);
    return VRING_OK;
}

static void finish_header(const struct guest_memory *m, const struct giving *g)
{
    uint8_t bytes[2] = {(uint8_t)g->buffers, (uint8_t)(g->buffers >> 8)};

    for (unsigned i = 0; i < 2; i++)
        if (g->num_buffers[i]) {
            *g->num_buffers[i] = bytes[i];
            vhost_memory_log(m, g->num_buffers_guest[i], 1);
        }
}

enum gave { GAVE_PACKET, GAVE_TOO_LONG, GAVE_NO_ROOM, GAVE_FAULT };

/* One packet into as many chains as it needs. *left is how many chains are known to wait. */
static enum gave give_chains(struct virtqueue *q, const struct guest_memory *m, struct giving *g,
                             int *left, unsigned *steps)
{
    while (bytes_left(g) > 0) {
        uint32_t written = 0;
        uint16_t head;
        enum vring_fault fault;

        if (*left == 0) {
            *left = waiting(q, __ATOMIC_ACQUIRE);
            if (*left < 0)
                return GAVE_FAULT;
            if (*left == 0)
                return GAVE_NO_ROOM;
        }
        head = avail_head(q, q->next_avail);
        if ((fault = fill_chain(q, m, head, g, &written, steps)) != VRING_OK) {
            fail(q, fault);
            return GAVE_FAULT;
        }
        if (bytes_left(g) > 0 && !has(q, VIRTIO_NET_F_MRG_RXBUF))
            return GAVE_TOO_LONG;
        put_used(q, head, written);
        q->next_avail++;
        g->buffers++; /* no overflow: a ring has at most 32768 entries */
        --*left;
    }
    finish_header(m, g);
    return GAVE_PACKET;
}

/* As give_chains(), and nothing happened when not all of it did. *seen is the index up to which the
 * available ring was looked at. */
static enum gave give_packet(struct virtqueue *q, const struct guest_memory *m,
                             const struct vhost_packet *p, int *left, unsigned *steps,
                             uint16_t *seen)
{
    uint16_t avail = q->next_avail, used = q->next_used;
    struct giving g = giving_of(q, p);
    enum gave gave = give_chains(q, m, &g, left, steps);

    *seen = q->next_avail;
    if (gave == GAVE_PACKET) {
        count(&q->counters.packets, 1);
        count(&q->counters.bytes, p->len);
        return gave;
    }
    *left = 0; /* ask again */
    q->next_avail = avail;
    q->next_used = used;
    return gave;
}

/* Sends or drops one packet; false when that can not be done now. */
static bool send_one(struct virtqueue *q, const struct guest_memory *m,
                     const struct vhost_packet *p, int *left, unsigned *steps)
{
    enum gave gave;
    uint16_t seen;

    if (!offload_is_negotiated(q, &p->offload, true)) {
        count(&q->counters.dropped_offload, 1);
        return true;
    }
    do
        gave = give_packet(q, m, p, left, steps, &seen);
    while (gave == GAVE_NO_ROOM && *steps < VRING_STEPS && wants_kicks(q) &&
           ask_for_kick(q, m, seen));
    if (gave == GAVE_TOO_LONG)
        count(&q->counters.dropped_long, 1);
    return gave == GAVE_PACKET || gave == GAVE_TOO_LONG;
}

unsigned vring_send(struct virtqueue *q, const struct guest_memory *m,
                    const struct vhost_packet *packets, unsigned n)
{
    uint16_t old = q->next_used;
    unsigned done = 0, steps = 0;
    int left = 0;

    if (!is_usable(q) || !q->enabled)
        return 0;
    while (done < n && steps < VRING_STEPS && send_one(q, m, &packets[done], &left, &steps))
        done++;
    give_back(q, m, old);
    return done;
}
