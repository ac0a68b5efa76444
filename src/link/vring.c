/*
 * vring.c -- see vring.h.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "link/vring.h"

#define HEADER_MAX sizeof(struct virtio_net_hdr_v1)

const char *const vring_fault_names[VRING_FAULTS] = {
    [VRING_OK] = "none",
    [VRING_AVAIL_JUMP] = "more buffers available than the ring has entries",
    [VRING_BAD_INDEX] = "a descriptor beyond its table",
    [VRING_LOOP] = "a chain longer than its table",
    [VRING_BAD_INDIRECT] = "a bad indirect table",
    [VRING_ZERO_LENGTH] = "a buffer of no length",
    [VRING_DIRECTION] = "a buffer of the wrong direction",
    [VRING_BAD_ADDRESS] = "an address outside of the guest's memory",
    [VRING_NO_HEADER] = "no room for a header",
};

static bool has(const struct virtqueue *q, unsigned feature)
{
    return q->features >> feature & 1;
}

/* Only one thread adds. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* Without VERSION_1 and MRG_RXBUF the header lacks num_buffers (clause 5.1.6.1). */
static size_t header_size(const struct virtqueue *q)
{
    return has(q, VIRTIO_F_VERSION_1) || has(q, VIRTIO_NET_F_MRG_RXBUF)
               ? sizeof(struct virtio_net_hdr_v1)
               : sizeof(struct virtio_net_hdr);
}

/* ---- the three parts ---- */

static uint16_t *used_event(const struct virtqueue *q)
{
    return &q->avail->ring[q->num];
}

static uint16_t *avail_event(const struct virtqueue *q)
{
    return (uint16_t *)(void *)&q->used->ring[q->num];
}

static uint16_t avail_index(const struct virtqueue *q, int order)
{
    return le16toh(order == __ATOMIC_SEQ_CST ? __atomic_load_n(&q->avail->idx, __ATOMIC_SEQ_CST)
                                             : __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE));
}

static uint16_t avail_head(const struct virtqueue *q, uint16_t index)
{
    return le16toh(__atomic_load_n(&q->avail->ring[index & (q->num - 1)], __ATOMIC_RELAXED));
}

/* Marks `size` bytes of the used ring from `offset`. */
static void log_used(const struct virtqueue *q, const struct guest_memory *m, size_t offset,
                     size_t size)
{
    if (q->log_used)
        vhost_memory_log(m, q->log_guest + offset, size);
}

static void fail(struct virtqueue *q, enum vring_fault fault)
{
    static const uint64_t one = 1;

    atomic_store_explicit(&q->fault, (int)fault, memory_order_relaxed);
    if (q->error >= 0)
        (void)!write(q->error, &one, sizeof(one));
    if (q->trouble >= 0)
        (void)!write(q->trouble, &one, sizeof(one));
}

static bool is_usable(const struct virtqueue *q)
{
    return q->placed && atomic_load_explicit(&q->fault, memory_order_relaxed) == VRING_OK;
}

static bool wants_kicks(const struct virtqueue *q)
{
    return atomic_load_explicit(&q->kicks, memory_order_relaxed);
}

/* The number of chains that wait, or -1 and a fault. */
static int waiting(struct virtqueue *q, int order)
{
    uint16_t n = (uint16_t)(avail_index(q, order) - q->next_avail);

    if (n <= q->num)
        return n;
    fail(q, VRING_AVAIL_JUMP);
    return -1;
}

int vring_place(struct virtqueue *q, const struct guest_memory *m,
                const struct vhost_vring_addr *addr)
{
    size_t num = q->num;

    q->placed = false;
    if (num == 0 || addr->desc_user_addr % VRING_DESC_ALIGN_SIZE ||
        addr->avail_user_addr % VRING_AVAIL_ALIGN_SIZE ||
        addr->used_user_addr % VRING_USED_ALIGN_SIZE)
        return -EINVAL;
    q->desc = vhost_memory_of_user(m, addr->desc_user_addr, num * sizeof(struct vring_desc));
    q->avail = vhost_memory_of_user(m, addr->avail_user_addr, 6 + num * sizeof(uint16_t));
    q->used =
        vhost_memory_of_user(m, addr->used_user_addr, 6 + num * sizeof(struct vring_used_elem));
    if (!q->desc || !q->avail || !q->used || (uintptr_t)q->desc % VRING_DESC_ALIGN_SIZE ||
        (uintptr_t)q->avail % VRING_AVAIL_ALIGN_SIZE || (uintptr_t)q->used % VRING_USED_ALIGN_SIZE)
        return -EINVAL;
    q->log_used = addr->flags & 1U << VHOST_VRING_F_LOG;
    q->log_guest = addr->log_guest_addr;
    q->placed = true;
    return 0;
}

void vring_start(struct virtqueue *q, const struct guest_memory *m, uint16_t base)
{
    q->next_used = le16toh(__atomic_load_n(&q->used->idx, __ATOMIC_RELAXED));
    q->next_avail = base == q->next_used ? base : q->next_used;
    q->signalled_valid = false;
    atomic_store_explicit(&q->fault, VRING_OK, memory_order_relaxed);
    (void)vring_kicks(q, m, wants_kicks(q));
}

/* ---- notifications (clauses 2.7.7 and 2.7.10) ---- */

/* Asks for a kick with the next buffer after those before `seen`, an index of the available ring.
 * True when there is one already. */
static bool ask_for_kick(struct virtqueue *q, const struct guest_memory *m, uint16_t seen)
{
    if (has(q, VIRTIO_RING_F_EVENT_IDX)) {
        __atomic_store_n(avail_event(q), htole16(seen), __ATOMIC_SEQ_CST);
        log_used(q, m, (size_t)((uint8_t *)avail_event(q) - (uint8_t *)q->used), sizeof(uint16_t));
    } else {
        __atomic_store_n(&q->used->flags, 0, __ATOMIC_SEQ_CST);
        log_used(q, m, 0, sizeof(q->used->flags));
    }
    return waiting(q, __ATOMIC_SEQ_CST) > (uint16_t)(seen - q->next_avail);
}

/* Makes our own kick descriptor readable: there is more to do later. */
static void kick_ourselves(const struct virtqueue *q)
{
    static const uint64_t one = 1;

    if (q->kick >= 0)
        (void)!write(q->kick, &one, sizeof(one));
}

bool vring_kicks(struct virtqueue *q, const struct guest_memory *m, bool on)
{
    atomic_store_explicit(&q->kicks, on, memory_order_relaxed);
    if (!is_usable(q))
        return false;
    if (on)
        return ask_for_kick(q, m, q->next_avail);
    if (!has(q, VIRTIO_RING_F_EVENT_IDX)) { /* else the event index just stays behind */
        __atomic_store_n(&q->used->flags, htole16(VRING_USED_F_NO_NOTIFY), __ATOMIC_RELAXED);
        log_used(q, m, 0, sizeof(q->used->flags));
    }
    return waiting(q, __ATOMIC_ACQUIRE) > 0;
}

static bool wants_interrupt(struct virtqueue *q, uint16_t old)
{
    if (!has(q, VIRTIO_RING_F_EVENT_IDX))
        return !(le16toh(__atomic_load_n(&q->avail->flags, __ATOMIC_SEQ_CST)) &
                 VRING_AVAIL_F_NO_INTERRUPT);
    if (q->signalled_valid)
        old = q->signalled;
    q->signalled = q->next_used;
    if (!q->signalled_valid)
        return q->signalled_valid = true;
    return vring_need_event(le16toh(__atomic_load_n(used_event(q), __ATOMIC_SEQ_CST)), q->next_used,
                            old);
}

/* Publishes the used entries from `old` to next_used, and interrupts the driver. */
static void give_back(struct virtqueue *q, const struct guest_memory *m, uint16_t old)
{
    static const uint64_t one = 1;
    uint16_t first = old & (q->num - 1), n = (uint16_t)(q->next_used - old);
    uint16_t straight = n < q->num - first ? n : (uint16_t)(q->num - first);

    if (n == 0)
        return;
    log_used(q, m, offsetof(struct vring_used, ring) + first * sizeof(struct vring_used_elem),
             straight * sizeof(struct vring_used_elem));
    log_used(q, m, offsetof(struct vring_used, ring),
             (size_t)(n - straight) * sizeof(struct vring_used_elem));
    /* A release to the driver's eyes, and before the look at what it wants. */
    __atomic_store_n(&q->used->idx, htole16(q->next_used), __ATOMIC_SEQ_CST);
    log_used(q, m, offsetof(struct vring_used, idx), sizeof(uint16_t));
    if (!wants_interrupt(q, old) || q->call < 0)
        return;
    count(&q->counters.notifications, 1);
    (void)!write(q->call, &one, sizeof(one));
}

static void put_used(struct virtqueue *q, uint16_t head, uint32_t len)
{
    struct vring_used_elem *e = &q->used->ring[q->next_used++ & (q->num - 1)];

    e->id = htole32(head);
    e->len = htole32(len);
}

/* ---- chains (clause 2.7.5) ---- */

struct chain {
    const struct virtqueue *q;
    const struct guest_memory *m;
    const uint8_t *table;
    uint32_t entries; /* of the table */
    uint32_t left;    /* descriptors that may still come */
    uint16_t next;
    bool more;
    bool indirect;  /* inside an indirect table */
    uint16_t write; /* VRING_DESC_F_WRITE when its buffers are to be written, else 0 */
};

static struct chain chain_at(const struct virtqueue *q, const struct guest_memory *m, uint16_t head,
                             uint16_t write)
{
    return (struct chain){.q = q,
                          .m = m,
                          .table = (const uint8_t *)q->desc,
                          .entries = q->num,
                          .left = q->num,
                          .next = head,
                          .more = true,
                          .write = write};
}

/* The driver may write it meanwhile: one copy, and nothing read twice. The table may not be
 * aligned. */
static struct vring_desc copy_of(const uint8_t *at)
{
    struct vring_desc d;

    memcpy(&d, at, sizeof(d));
    __asm__ volatile("" : "+m"(d) : : "memory");
    d.addr = le64toh(d.addr);
    d.len = le32toh(d.len);
    d.flags = le16toh(d.flags);
    d.next = le16toh(d.next);
    return d;
}

/* Goes on in the indirect table that `d` describes (clause 2.7.5.3). */
static enum vring_fault enter_table(struct chain *c, const struct vring_desc *d)
{
    size_t run = d->len;
    const uint8_t *at;

    if (c->indirect || !has(c->q, VIRTIO_RING_F_INDIRECT_DESC) || d->flags & VRING_DESC_F_NEXT ||
        d->len == 0 || d->len % sizeof(struct vring_desc) ||
        d->len / sizeof(struct vring_desc) > VRING_INDIRECT_MAX)
        return VRING_BAD_INDIRECT;
    at = vhost_memory_at(c->m, d->addr, &run);
    if (!at || run < d->len)
        return VRING_BAD_ADDRESS;
    c->table = at;
    c->entries = c->left = d->len / sizeof(struct vring_desc);
    c->next = 0;
    c->indirect = true;
    return VRING_OK;
}

/* The next buffer of a chain that has `more`. */
static enum vring_fault chain_next(struct chain *c, struct vring_desc *d)
{
    enum vring_fault fault;

    for (;;) {
        if (c->next >= c->entries)
            return VRING_BAD_INDEX;
        if (c->left == 0)
            return VRING_LOOP;
        c->left--;
        *d = copy_of(c->table + c->next * sizeof(*d));
        if (!(d->flags & VRING_DESC_F_INDIRECT))
            break;
        if ((fault = enter_table(c, d)) != VRING_OK)
            return fault;
    }
    if (d->len == 0)
        return VRING_ZERO_LENGTH;
    if ((d->flags & VRING_DESC_F_WRITE) != c->write)
        return VRING_DIRECTION;
    c->more = d->flags & VRING_DESC_F_NEXT;
    c->next = d->next;
    return VRING_OK;
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
