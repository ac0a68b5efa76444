/*
 * vring_fuzz.c -- a guest that writes anything into its memory and rings.
 *
 * Input: features, ring size and base, then steps: one byte says what (write memory, move the
 * available index, receive, send, kicks, start again), its operands follow. The memory is small, so
 * that random addresses hit, and lies between unmapped pages.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cursor.h"
#include "link/vring.h"

#define SIZE  16384
#define BASE  0x1000
#define USER  0x700000000000
#define BURST 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct guest_memory memory;
static uint8_t *guest;
static uint8_t buffers[BURST][70000];

static void init(void)
{
    uint8_t *map = mmap(NULL, SIZE + 2 * 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    guest = map + 65536;
    if (map == MAP_FAILED || mprotect(guest, SIZE, PROT_READ | PROT_WRITE) < 0)
        abort();
    memory.count = 2; /* the second half has other addresses of the hypervisor's */
    memory.regions[0] =
        (struct guest_region){.guest = BASE, .user = USER, .size = SIZE / 2, .at = guest};
    memory.regions[1] = (struct guest_region){.guest = BASE + SIZE / 2,
                                              .user = USER + 0x1000000,
                                              .size = SIZE / 2,
                                              .at = guest + SIZE / 2};
    memory.log = malloc(2);
    memory.log_size = 2;
    memory.logging = true;
}

static void work(struct virtqueue *q, struct reader *r)
{
    struct vhost_packet packets[BURST];

    for (unsigned i = 0; i < BURST; i++)
        packets[i] = (struct vhost_packet){.at = buffers[i],
                                           .room = rd_u8(r) & 1 ? sizeof(buffers[i]) : 100,
                                           .len = 60U + i * 1000U};
    if (rd_u8(r) & 1) {
        unsigned n = vring_receive(q, &memory, packets, BURST);

        for (unsigned i = 0; i < n; i++)
            if (packets[i].len == 0 || packets[i].len > packets[i].room)
                abort();
    } else if (vring_send(q, &memory, packets, BURST) > BURST)
        abort();
    if (q->next_avail != q->next_used)
        abort();
}

static void step(struct virtqueue *q, struct reader *r, const struct vhost_vring_addr *addr)
{
    uint8_t what = rd_u8(r);
    size_t at = rd_u16(r) % SIZE, n = what >> 3;

    switch (what & 7) {
    case 0:
    case 1:
    case 2: /* its bytes are its descriptors, rings and tables */
        rd_bytes(r, guest + at, n < SIZE - at ? n : SIZE - at);
        break;
    case 3:
        q->avail->idx = (uint16_t)(q->next_avail + n);
        break;
    case 4:
        (void)vring_kicks(q, &memory, n & 1);
        break;
    case 5:
        if (vring_place(q, &memory, addr) == 0)
            vring_start(q, &memory, (uint16_t)at);
        break;
    default:
        work(q, r);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    struct virtqueue q = {.kick = -1, .call = -1, .error = -1, .trouble = -1};
    struct vhost_vring_addr addr = {.desc_user_addr = USER,
                                    .avail_user_addr = USER + 0x800,
                                    .used_user_addr = USER + 0xc00,
                                    .log_guest_addr = BASE + 0xc00};

    if (!guest)
        init();
    q.features = rd_u64(&r);
    q.num = (uint16_t)(1U << rd_u8(&r) % 7);
    q.enabled = rd_u8(&r) & 7;
    addr.flags = rd_u8(&r);
    atomic_store(&q.kicks, rd_u8(&r) & 1);
    memset(guest, 0, SIZE);
    if (vring_place(&q, &memory, &addr) < 0)
        abort();
    vring_start(&q, &memory, rd_u16(&r));
    while (rd_left(&r) > 0)
        step(&q, &r, &addr);
    return 0;
}
