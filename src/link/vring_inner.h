/*
 * vring_inner.h -- the ring itself, for vring.c and what reads or fills its chains (vring_net.c).
 *
 * Inline, as a network device meets them with every packet. vring.h has what is promised.
 */
#ifndef STROWGER_LINK_VRING_INNER_H
#define STROWGER_LINK_VRING_INNER_H

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "link/vring.h"

static inline bool has(const struct virtqueue *q, unsigned feature)
{
    return q->features >> feature & 1;
}

/* Only one thread adds. */
static inline void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* ---- the three parts ---- */

static inline uint16_t *used_event(const struct virtqueue *q)
{
    return &q->avail->ring[q->num];
}

static inline uint16_t *avail_event(const struct virtqueue *q)
{
    return (uint16_t *)(void *)&q->used->ring[q->num];
}

static inline uint16_t avail_index(const struct virtqueue *q, int order)
{
    return le16toh(order == __ATOMIC_SEQ_CST ? __atomic_load_n(&q->avail->idx, __ATOMIC_SEQ_CST)
                                             : __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE));
}

static inline uint16_t avail_head(const struct virtqueue *q, uint16_t index)
{
    return le16toh(__atomic_load_n(&q->avail->ring[index & (q->num - 1)], __ATOMIC_RELAXED));
}

/* Marks `size` bytes of the used ring from `offset`. */
static inline void log_used(const struct virtqueue *q, const struct guest_memory *m, size_t offset,
                            size_t size)
{
    if (q->log_used)
        vhost_memory_log(m, q->log_guest + offset, size);
}

static inline void fail(struct virtqueue *q, enum vring_fault fault)
{
    static const uint64_t one = 1;

    atomic_store_explicit(&q->fault, (int)fault, memory_order_relaxed);
    if (q->error >= 0)
        (void)!write(q->error, &one, sizeof(one));
    if (q->trouble >= 0)
        (void)!write(q->trouble, &one, sizeof(one));
}

static inline bool is_usable(const struct virtqueue *q)
{
    return q->placed && atomic_load_explicit(&q->fault, memory_order_relaxed) == VRING_OK;
}

static inline bool wants_kicks(const struct virtqueue *q)
{
    return atomic_load_explicit(&q->kicks, memory_order_relaxed);
}

/* The number of chains that wait, or -1 and a fault. */
static inline int waiting(struct virtqueue *q, int order)
{
    uint16_t n = (uint16_t)(avail_index(q, order) - q->next_avail);

    if (n <= q->num)
        return n;
    fail(q, VRING_AVAIL_JUMP);
    return -1;
}

/* ---- notifications (clauses 2.7.7 and 2.7.10) ---- */

/* Asks for a kick with the next buffer after those before `seen`, an index of the available ring.
 * True when there is one already. */
static inline bool ask_for_kick(struct virtqueue *q, const struct guest_memory *m, uint16_t seen)
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
static inline void kick_ourselves(const struct virtqueue *q)
{
    static const uint64_t one = 1;

    if (q->kick >= 0)
        (void)!write(q->kick, &one, sizeof(one));
}

static inline bool wants_interrupt(struct virtqueue *q, uint16_t old)
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
static inline void give_back(struct virtqueue *q, const struct guest_memory *m, uint16_t old)
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

static inline void put_used(struct virtqueue *q, uint16_t head, uint32_t len)
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
    bool both;      /* first come those to be read (clause 2.7.4.2) */
};

static inline struct chain chain_at(const struct virtqueue *q, const struct guest_memory *m,
                                    uint16_t head, uint16_t write)
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
static inline struct vring_desc copy_of(const uint8_t *at)
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
static inline enum vring_fault enter_table(struct chain *c, const struct vring_desc *d)
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
static inline enum vring_fault chain_next(struct chain *c, struct vring_desc *d)
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
    if (c->both && d->flags & VRING_DESC_F_WRITE)
        c->write = VRING_DESC_F_WRITE;
    if ((d->flags & VRING_DESC_F_WRITE) != c->write)
        return VRING_DIRECTION;
    c->more = d->flags & VRING_DESC_F_NEXT;
    c->next = d->next;
    return VRING_OK;
}

#endif
