/*
 * vring.c -- see vring.h: a ring's begin, kicks, and requests as most devices have them. Those of
 * network devices are in vring_net.c.
 */
#include "link/vring_inner.h"

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
    [VRING_TOO_MANY] = "more buffers than the device takes at once",
};

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

/* ---- requests ---- */

/* One buffer, in as many pieces as it has of our memory. */
static enum vring_fault add_buffer(const struct guest_memory *m, struct vring_request *r,
                                   struct vring_desc d)
{
    bool in = d.flags & VRING_DESC_F_WRITE;

    while (d.len > 0) {
        size_t run = d.len;
        uint8_t *at = vhost_memory_at(m, d.addr, &run);
        unsigned i = r->out_count + r->in_count;

        if (!at)
            return VRING_BAD_ADDRESS;
        if (i == VRING_PIECES)
            return VRING_TOO_MANY;
        r->pieces[i] = (struct iovec){at, run};
        r->guest[i] = d.addr;
        *(in ? &r->in_count : &r->out_count) += 1;
        *(in ? &r->in_size : &r->out_size) += run;
        d.addr += run;
        d.len -= (uint32_t)run;
    }
    return VRING_OK;
}

static enum vring_fault take_chain(struct virtqueue *q, const struct guest_memory *m,
                                   struct vring_request *r)
{
    struct chain c = chain_at(q, m, r->head, 0);
    struct vring_desc d;
    enum vring_fault fault;

    c.both = true;
    r->out_count = r->in_count = 0;
    r->out_size = r->in_size = 0;
    while (c.more)
        if ((fault = chain_next(&c, &d)) != VRING_OK || (fault = add_buffer(m, r, d)) != VRING_OK)
            return fault;
    return VRING_OK;
}

bool vring_take(struct virtqueue *q, const struct guest_memory *m, struct vring_request *r)
{
    enum vring_fault fault;
    int n;

    if (!is_usable(q) || !q->enabled || (n = waiting(q, __ATOMIC_ACQUIRE)) < 0)
        return false;
    if (n == 0 && !(wants_kicks(q) && ask_for_kick(q, m, q->next_avail)))
        return false;
    r->head = avail_head(q, q->next_avail);
    if ((fault = take_chain(q, m, r)) != VRING_OK) {
        fail(q, fault);
        return false;
    }
    q->next_avail++;
    return true;
}

void vring_give(struct virtqueue *q, const struct guest_memory *m, const struct vring_request *r,
                size_t written)
{
    uint16_t old = q->next_used;
    size_t left = written;

    if (!is_usable(q))
        return;
    for (unsigned i = r->out_count; i < r->out_count + r->in_count && left > 0; i++) {
        size_t n = left < r->pieces[i].iov_len ? left : r->pieces[i].iov_len;

        vhost_memory_log(m, r->guest[i], n);
        left -= n;
    }
    put_used(q, r->head, (uint32_t)written);
    give_back(q, m, old);
}
