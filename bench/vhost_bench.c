/*
 * vhost_bench.c -- packets a second that one core moves from a guest's transmit ring and into its
 * receive ring, the driver's half included: both halves in one thread, nothing but copies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "link/vring.h"

#define NUM   256
#define BURST 32
#define SIZE  (4 << 20)
#define USER  0x700000000000ULL

static uint8_t *memory;

static struct virtqueue queue_at(const struct guest_memory *m, uint64_t at)
{
    struct virtqueue q = {
        .num = NUM, .enabled = true, .kick = -1, .call = -1, .error = -1, .trouble = -1};
    struct vhost_vring_addr addr = {.desc_user_addr = USER + at,
                                    .avail_user_addr = USER + at + 0x4000,
                                    .used_user_addr = USER + at + 0x8000};

    q.features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_NET_F_MRG_RXBUF |
                 1ULL << VIRTIO_RING_F_EVENT_IDX;
    if (vring_place(&q, m, &addr) < 0)
        abort();
    vring_start(&q, m, 0);
    return q;
}

static void make_available(struct virtqueue *q, uint16_t *next, unsigned n)
{
    for (unsigned i = 0; i < n; i++, ++*next)
        q->avail->ring[*next % NUM] = *next % NUM;
    __atomic_store_n(&q->avail->idx, *next, __ATOMIC_RELEASE);
}

static void measure(const struct guest_memory *m, uint32_t len)
{
    static uint8_t buffers[BURST][2048];
    struct virtqueue tx, rx;
    struct vhost_packet packets[BURST];
    uint16_t tx_next = 0, rx_next = 0;
    uint64_t packets_moved = 0, begin;

    memset(memory, 0, SIZE);
    tx = queue_at(m, 0);
    rx = queue_at(m, 0x10000);
    for (unsigned i = 0; i < BURST; i++)
        packets[i] = (struct vhost_packet){.at = buffers[i], .room = sizeof(buffers[i])};
    for (unsigned i = 0; i < NUM; i++) {
        tx.desc[i] = (struct vring_desc){0x100000 + i * 2048ULL, len + 12, 0, 0};
        rx.desc[i] = (struct vring_desc){0x200000 + i * 2048ULL, 2048, VRING_DESC_F_WRITE, 0};
    }
    begin = clock_now_us();
    while (clock_now_us() - begin < 2000000)
        for (unsigned i = 0; i < 100; i++) {
            make_available(&tx, &tx_next, BURST);
            make_available(&rx, &rx_next, BURST);
            packets_moved += vring_send(&rx, m, packets, vring_receive(&tx, m, packets, BURST));
        }
    printf("%4u bytes: %6.2f million packets/s from one ring to the other, %5.1f Gbit/s\n", len,
           (double)packets_moved / 2e6, (double)packets_moved * len * 8 / 2e9);
}

int main(void)
{
    struct guest_memory m = {.count = 1};

    memory = calloc(1, SIZE);
    if (!memory)
        return 1;
    m.regions[0] = (struct guest_region){.user = USER, .size = SIZE, .at = memory};
    measure(&m, 64);
    measure(&m, 1500);
    free(memory);
    return 0;
}
