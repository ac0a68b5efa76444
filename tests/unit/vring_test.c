/*
 * vring_test.c -- split virtqueues against a model of a driver, honest and hostile.
 */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "unit.h"
#include "vhost_guest.h"

#define BIT(n) (1ULL << (n))
#define HEADER ((uint32_t)sizeof(struct virtio_net_hdr_v1))
#define ROOM   70000
#define BURST  32

#define ALL                                                                                     \
    (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
     BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) |      \
     BIT(VIRTIO_NET_F_GUEST_TSO4))

static struct guest guest;
static struct guest_memory memory;
static struct virtqueue queue;
static struct guest_queue *driver;
static struct vhost_packet packets[BURST];
static int trouble;

static void start(uint64_t features, uint16_t num, uint16_t base)
{
    struct vhost_vring_addr addr;

    for (unsigned i = 0; i < GUEST_QUEUES; i++)
        guest.queues[i].num = num;
    driver = &guest.queues[0];
    driver->added = driver->seen = base;
    driver->avail->idx = driver->used->idx = htole16(base);
    driver->avail->flags = driver->used->flags = 0;
    addr = guest_ring(&guest, 0);
    queue = (struct virtqueue){.num = num,
                               .features = features,
                               .enabled = true,
                               .kick = driver->kick,
                               .call = driver->call,
                               .error = -1,
                               .trouble = trouble};
    atomic_store(&queue.kicks, true);
    assert_int_equal(vring_place(&queue, &memory, &addr), 0);
    vring_start(&queue, &memory, base);
}

static int set_up(void **state)
{
    (void)state;
    guest_init(&guest, GUEST_NUM);
    memset(&memory, 0, sizeof(memory));
    for (unsigned half = 0; half < 2; half++) {
        struct guest_region r = guest_region(half);

        assert_int_equal(vhost_memory_add(&memory, &r, (uint64_t)half * GUEST_HALF, guest.memfd),
                         0);
    }
    for (unsigned i = 0; i < BURST; i++)
        packets[i] = (struct vhost_packet){.at = malloc(ROOM), .room = ROOM};
    trouble = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    start(ALL, GUEST_NUM, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vhost_memory_clear(&memory);
    vhost_memory_clear_log(&memory);
    for (unsigned i = 0; i < BURST; i++)
        free(packets[i].at);
    close(trouble);
    guest_free(&guest);
    return 0;
}

static bool readable(int fd)
{
    uint64_t n;

    return read(fd, &n, sizeof(n)) == sizeof(n);
}

static bool all_are(const uint8_t *at, uint8_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] != value)
            return false;
    return true;
}

static unsigned receive(unsigned n)
{
    return vring_receive(&queue, &memory, packets, n);
}

static void expect_used(uint32_t id, uint32_t len)
{
    uint32_t got_id, got_len;

    assert_true(guest_used(driver, &got_id, &got_len));
    assert_int_equal(got_id, id);
    assert_int_equal(got_len, len);
}

static void expect_no_used(void)
{
    uint32_t id, len;

    assert_false(guest_used(driver, &id, &len));
}

static void put_header(uint64_t at, struct virtio_net_hdr_v1 h)
{
    memcpy(guest_at(&guest, at), &h, sizeof(h));
}

/* ---- from the driver ---- */

static void test_receive(void **state)
{
    (void)state;
    assert_int_equal(receive(BURST), 0);
    for (uint16_t i = 0; i < 3; i++)
        guest_transmit(&guest, driver, i, (uint8_t)(i + 1), 60 + i);
    assert_int_equal(receive(2), 2);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(packets[0].len, 62);
    assert_true(all_are(packets[0].at, 3, 62));
    assert_int_equal(packets[1].len, 61);
    for (uint32_t i = 0; i < 3; i++)
        expect_used(i, 0);
    expect_no_used();
    assert_int_equal(atomic_load(&queue.counters.packets), 3);
    assert_int_equal(atomic_load(&queue.counters.bytes), 60 + 61 + 62);
}

/* Any layout: the header cut anywhere, data in many pieces. */
static void test_receive_pieces(void **state)
{
    uint8_t *at = guest_at(&guest, GUEST_BUFFERS);

    (void)state;
    memset(at, 0, HEADER);
    memset(at + HEADER, 7, 100);
    guest_desc(driver, 9, GUEST_BUFFERS, 5, VRING_DESC_F_NEXT, 3);
    guest_desc(driver, 3, GUEST_BUFFERS + 5, 8, VRING_DESC_F_NEXT, 200);
    guest_desc(driver, 200, GUEST_BUFFERS + 13, HEADER + 100 - 13, 0, 0);
    guest_add(driver, 9);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(packets[0].len, 100);
    assert_true(all_are(packets[0].at, 7, 100));
    expect_used(9, 0);
}

/* The table of an indirect descriptor, at `at`. */
static void table_desc(uint64_t at, unsigned i, uint64_t addr, uint32_t len, uint16_t flags,
                       uint16_t next)
{
    struct vring_desc d = {htole64(addr), htole32(len), htole16(flags), htole16(next)};

    memcpy(guest_at(&guest, at) + i * sizeof(d), &d, sizeof(d));
}

static void test_receive_indirect(void **state)
{
    uint64_t table = GUEST_FRAME + 4; /* need not be aligned */

    (void)state;
    memset(guest_at(&guest, GUEST_BUFFERS), 0, HEADER);
    memset(guest_at(&guest, GUEST_BUFFERS) + HEADER, 5, 50);
    table_desc(table, 0, GUEST_BUFFERS + HEADER, 25, VRING_DESC_F_NEXT, 2);
    table_desc(table, 2, GUEST_BUFFERS + HEADER + 25, 25, 0, 0);
    guest_desc(driver, 0, GUEST_BUFFERS, HEADER, VRING_DESC_F_NEXT, 1);
    guest_desc(driver, 1, table, 3 * 16, VRING_DESC_F_INDIRECT, 0);
    guest_add(driver, 0);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(packets[0].len, 50);
    assert_true(all_are(packets[0].at, 5, 50));
}

/* A buffer that begins in one region and ends in the next. */
static void test_receive_across_regions(void **state)
{
    uint64_t at = GUEST_BASE + GUEST_HALF - 40;

    (void)state;
    memset(guest_at(&guest, at), 0, HEADER);
    memset(guest_at(&guest, at) + HEADER, 8, 100);
    guest_desc(driver, 0, at, HEADER + 100, 0, 0);
    guest_add(driver, 0);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(packets[0].len, 100);
    assert_true(all_are(packets[0].at, 8, 100));
}

static void test_receive_large(void **state)
{
    const uint32_t len = 65550;

    (void)state;
    put_header(GUEST_BUFFERS, (struct virtio_net_hdr_v1){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                                         .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                                         .hdr_len = htole16(54),
                                                         .gso_size = htole16(1448),
                                                         .csum_start = htole16(34),
                                                         .csum_offset = htole16(16)});
    memset(guest_at(&guest, GUEST_BUFFERS) + HEADER, 6, len);
    guest_desc(driver, 0, GUEST_BUFFERS, HEADER + len, 0, 0);
    guest_add(driver, 0);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(packets[0].len, len);
    assert_true(all_are(packets[0].at, 6, len));
    assert_int_equal(packets[0].offload.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(packets[0].offload.gso_size, 1448);
    assert_int_equal(packets[0].offload.hdr_len, 54);
    assert_int_equal(packets[0].offload.csum_start, 34);
    assert_int_equal(packets[0].offload.csum_offset, 16);
}

static void test_receive_drops(void **state)
{
    static const struct virtio_net_hdr_v1 bad[] = {
        {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 60, .csum_offset = 3},
        {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 0xffff, .csum_offset = 0xffff},
        {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 100},
        {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4},
    };

    (void)state;
    packets[0].room = 63;
    guest_transmit(&guest, driver, 0, 1, 64); /* does not fit */
    guest_transmit(&guest, driver, 1, 2, 63); /* does */
    assert_int_equal(receive(1), 1);
    assert_true(all_are(packets[0].at, 2, 63));
    assert_int_equal(atomic_load(&queue.counters.dropped_long), 1);
    packets[0].room = ROOM;
    guest_desc(driver, 2, GUEST_BUFFERS, HEADER - 1, 0, 0); /* no whole header */
    guest_add(driver, 2);
    guest_desc(driver, 3, GUEST_BUFFERS, HEADER, 0, 0); /* and nothing else */
    guest_add(driver, 3);
    assert_int_equal(receive(BURST), 0);
    assert_int_equal(atomic_load(&queue.counters.dropped_malformed), 2);
    for (uint16_t i = 0; i < 4; i++) {
        guest_transmit(&guest, driver, i, 3, 64);
        put_header(GUEST_BUFFERS + i * 4096ULL, bad[i]);
    }
    guest_transmit(&guest, driver, 4, 4, 64);
    put_header(GUEST_BUFFERS + 4 * 4096,
               (struct virtio_net_hdr_v1){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                          .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
                                          .gso_size = htole16(1000)});
    assert_int_equal(receive(BURST), 0);
    assert_int_equal(atomic_load(&queue.counters.dropped_malformed), 6);
    assert_int_equal(atomic_load(&queue.counters.dropped_offload), 1);
    for (unsigned i = 0; i < 9; i++)
        expect_used(i < 4 ? i : i - 4, 0);
    expect_no_used();
    assert_int_equal(atomic_load(&queue.fault), VRING_OK);
}

/* A legacy driver without mergeable buffers has a header of 10 bytes. */
static void test_legacy_header(void **state)
{
    (void)state;
    start(0, GUEST_NUM, 0);
    guest_desc(driver, 0, GUEST_BUFFERS, sizeof(struct virtio_net_hdr) + 70, 0, 0);
    memset(guest_at(&guest, GUEST_BUFFERS), 0, sizeof(struct virtio_net_hdr));
    guest_add(driver, 0);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(packets[0].len, 70);
    start(0, GUEST_NUM, 0);
    guest_provide(driver, 0, 1000);
    assert_int_equal(vring_send(&queue, &memory, packets, 1), 1);
    expect_used(0, sizeof(struct virtio_net_hdr) + 70);
}

static void test_disabled(void **state)
{
    (void)state;
    queue.enabled = false;
    guest_transmit(&guest, driver, 0, 1, 64);
    guest_transmit(&guest, driver, 1, 1, 64);
    assert_int_equal(receive(BURST), 0);
    expect_used(0, 0);
    expect_used(1, 0);
    assert_int_equal(atomic_load(&queue.counters.dropped_disabled), 2);
    packets[0].len = 64;
    assert_int_equal(vring_send(&queue, &memory, packets, 1), 0);
}

/* ---- to the driver ---- */

static void fill_packet(unsigned i, uint8_t fill, size_t len)
{
    memset(packets[i].at, fill, len);
    packets[i].len = len;
    packets[i].offload = (struct vhost_offload){0};
}

static unsigned send_packets(unsigned n)
{
    return vring_send(&queue, &memory, packets, n);
}

static uint16_t num_buffers(uint16_t i)
{
    struct virtio_net_hdr_v1 h;

    memcpy(&h, guest_at(&guest, GUEST_BUFFERS + i * 4096ULL), sizeof(h));
    return le16toh(h.num_buffers);
}

static void test_send(void **state)
{
    (void)state;
    fill_packet(0, 9, 60);
    fill_packet(1, 8, 1514);
    assert_int_equal(send_packets(2), 0); /* no buffers yet */
    for (uint16_t i = 0; i < 2; i++)
        guest_provide(driver, i, 1600);
    packets[1].offload = (struct vhost_offload){
        VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, 54, 1448, 34, 16};
    assert_int_equal(send_packets(2), 2);
    expect_used(0, HEADER + 60);
    expect_used(1, HEADER + 1514);
    assert_int_equal(num_buffers(0), 1);
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + HEADER), 9, 60));
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + 4096 + HEADER), 8, 1514));
    assert_int_equal(guest_at(&guest, GUEST_BUFFERS + 4096)[1], VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(guest_at(&guest, GUEST_BUFFERS + 4096)[6], 34);
}

static void test_send_merged(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 2; i++)
        guest_provide(driver, i, 1000);
    fill_packet(0, 4, 2500);
    fill_packet(1, 5, 900);
    assert_int_equal(send_packets(2), 0); /* two are not enough for the first */
    expect_no_used();
    guest_provide(driver, 2, 1000);
    guest_provide(driver, 3, 1000);
    assert_int_equal(send_packets(2), 2);
    expect_used(0, 1000);
    expect_used(1, 1000);
    expect_used(2, HEADER + 500);
    expect_used(3, HEADER + 900);
    assert_int_equal(num_buffers(0), 3);
    assert_int_equal(num_buffers(3), 1);
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + HEADER), 4, 1000 - HEADER));
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + 4096), 4, 1000));
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + 8192), 4, 500 + HEADER));
}

/* The largest packet in the smallest buffers: one more than header each. */
static void test_send_many_merged(void **state)
{
    uint32_t id, len, total = 0;
    unsigned chains = 0;

    (void)state;
    for (uint16_t i = 0; i < GUEST_NUM; i++)
        guest_provide(driver, i, HEADER + 1);
    fill_packet(0, 4, GUEST_NUM * (HEADER + 1) - HEADER + 1);
    assert_int_equal(send_packets(1), 0); /* one byte too long for all of them */
    expect_no_used();
    packets[0].len--;
    assert_int_equal(send_packets(1), 1);
    while (guest_used(driver, &id, &len)) {
        chains++;
        total += len;
    }
    assert_int_equal(chains, GUEST_NUM);
    assert_int_equal(total, packets[0].len + HEADER);
    assert_int_equal(num_buffers(0), GUEST_NUM);
}

/* The field that is known last may be in two buffers, and in two regions. */
static void test_send_split_header(void **state)
{
    uint64_t at = GUEST_BASE + GUEST_HALF - 11;

    (void)state;
    memset(guest_at(&guest, at), 0xee, 100);
    guest_desc(driver, 0, at, 40, VRING_DESC_F_WRITE, 0);
    guest_add(driver, 0);
    guest_desc(driver, 1, GUEST_BUFFERS, 11, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2);
    guest_desc(driver, 2, GUEST_BUFFERS + 4096, 100, VRING_DESC_F_WRITE, 0);
    guest_add(driver, 1);
    fill_packet(0, 3, 50);
    assert_int_equal(send_packets(1), 1);
    expect_used(0, 40);
    expect_used(1, HEADER + 50 - 40);
    assert_int_equal(guest_at(&guest, at)[10], 2);
    assert_int_equal(guest_at(&guest, at)[11], 0);
    assert_true(all_are(guest_at(&guest, at) + 12, 3, 28));
    assert_int_equal(guest_at(&guest, at)[40], 0xee);
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS), 3, 11));
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + 4096), 3, 11));
}

static void test_send_drops(void **state)
{
    (void)state;
    start(ALL & ~BIT(VIRTIO_NET_F_MRG_RXBUF), GUEST_NUM, 0);
    for (uint16_t i = 0; i < 2; i++)
        guest_provide(driver, i, 100);
    fill_packet(0, 1, 89); /* one byte too long */
    fill_packet(1, 2, 88);
    fill_packet(2, 3, 60);
    packets[2].offload.gso_type = VIRTIO_NET_HDR_GSO_TCPV6; /* the guest can not */
    fill_packet(3, 4, 60);
    assert_int_equal(send_packets(4), 4);
    expect_used(0, 100);
    expect_used(1, HEADER + 60);
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + HEADER), 2, 88));
    assert_true(all_are(guest_at(&guest, GUEST_BUFFERS + 4096 + HEADER), 4, 60));
    assert_int_equal(num_buffers(0), 1);
    assert_int_equal(atomic_load(&queue.counters.dropped_long), 1);
    assert_int_equal(atomic_load(&queue.counters.dropped_offload), 1);
    assert_int_equal(atomic_load(&queue.counters.packets), 2);
}

/* ---- indices and notifications ---- */

static void test_wrap(void **state)
{
    (void)state;
    start(ALL | BIT(VIRTIO_RING_F_EVENT_IDX), 8, 65530);
    for (unsigned round = 0; round < 5; round++) {
        for (uint16_t i = 0; i < 8; i++)
            guest_transmit(&guest, driver, i, (uint8_t)i, 64);
        assert_int_equal(receive(BURST), 8);
        for (uint32_t i = 0; i < 8; i++)
            expect_used(i, 0);
    }
    assert_int_equal(le16toh(driver->used->idx), (uint16_t)(65530 + 40));
}

/* In a used ring that says more was done than the base does, the ring is right. */
static void test_start_where_used_ring_is(void **state)
{
    (void)state;
    start(ALL, 8, 5);
    vring_start(&queue, &memory, 3);
    assert_int_equal(queue.next_avail, 5);
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_int_equal(receive(BURST), 1);
}

static void test_interrupt_flag(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 5; i++)
        guest_transmit(&guest, driver, i, 1, 64);
    assert_int_equal(receive(BURST), 5);
    assert_int_equal(atomic_load(&queue.counters.notifications), 1);
    assert_true(guest_interrupted(driver));
    driver->avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_int_equal(receive(BURST), 1);
    assert_false(guest_interrupted(driver));
}

static void test_interrupt_event(void **state)
{
    uint16_t *used_event;

    (void)state;
    start(ALL | BIT(VIRTIO_RING_F_EVENT_IDX), GUEST_NUM, 0);
    used_event = &driver->avail->ring[GUEST_NUM];
    *used_event = htole16(100);
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_int_equal(receive(BURST), 1);
    assert_true(guest_interrupted(driver)); /* the first always */
    *used_event = htole16(3);
    for (uint16_t i = 1; i < 3; i++) {
        guest_transmit(&guest, driver, i, 1, 64);
        assert_int_equal(receive(BURST), 1);
        assert_false(guest_interrupted(driver));
    }
    guest_transmit(&guest, driver, 3, 1, 64); /* entry 3 is used now */
    assert_int_equal(receive(BURST), 1);
    assert_true(guest_interrupted(driver));
}

static void test_kicks(void **state)
{
    const uint16_t *avail_event;

    (void)state;
    assert_int_equal(driver->used->flags, 0);
    assert_false(vring_kicks(&queue, &memory, false));
    assert_int_equal(le16toh(driver->used->flags), VRING_USED_F_NO_NOTIFY);
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_true(vring_kicks(&queue, &memory, true)); /* one waits that nobody told of */
    assert_int_equal(driver->used->flags, 0);
    assert_int_equal(receive(BURST), 1);

    start(ALL | BIT(VIRTIO_RING_F_EVENT_IDX), GUEST_NUM, 10);
    avail_event = (const uint16_t *)(const void *)&driver->used->ring[GUEST_NUM];
    assert_int_equal(le16toh(*avail_event), 10);
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(le16toh(*avail_event), 11); /* the next one kicks */
    assert_false(vring_kicks(&queue, &memory, false));
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_int_equal(receive(BURST), 1);
    assert_int_equal(le16toh(*avail_event), 11); /* stays behind */
}

/* A sender that waits for buffers is told of those after the ones it has seen. */
static void test_kicks_when_sending(void **state)
{
    const uint16_t *avail_event;

    (void)state;
    start(ALL | BIT(VIRTIO_RING_F_EVENT_IDX), GUEST_NUM, 0);
    avail_event = (const uint16_t *)(const void *)&driver->used->ring[GUEST_NUM];
    for (uint16_t i = 0; i < 2; i++)
        guest_provide(driver, i, 100);
    fill_packet(0, 1, 250);
    assert_int_equal(send_packets(1), 0);
    assert_int_equal(le16toh(*avail_event), 2);
    guest_provide(driver, 2, 100);
    assert_int_equal(send_packets(1), 1);
}

/* What takes too long is done in parts, without the driver's help. */
static void test_budget(void **state)
{
    unsigned got, calls = 0, total = 0;

    (void)state;
    start(ALL, 1024, 0);
    memset(guest_at(&guest, GUEST_BUFFERS), 0, 2048);
    for (uint16_t i = 0; i < 1024; i++)
        guest_desc(driver, i, GUEST_BUFFERS + i, 1, i < 1023 ? VRING_DESC_F_NEXT : 0, i + 1);
    for (unsigned i = 0; i < 20; i++)
        guest_add(driver, 0);
    while (readable(driver->kick))
        continue;
    do {
        got = receive(BURST);
        total += got;
        calls++;
    } while (readable(driver->kick));
    assert_int_equal(total, 20);
    assert_int_equal(calls, 3);
}

/* ---- the dirty log ---- */

static bool logged(uint64_t guest_address)
{
    uint64_t page = guest_address / VHOST_LOG_PAGE;

    return memory.log[page / 8] >> page % 8 & 1;
}

static unsigned count_logged(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < memory.log_size; i++)
        n += (unsigned)__builtin_popcount(memory.log[i]);
    return n;
}

static void test_log(void **state)
{
    struct vhost_vring_addr addr = guest_ring(&guest, 0);
    size_t size = (GUEST_BUFFERS + 2 * 4096) / VHOST_LOG_PAGE / 8 + 1;

    (void)state;
    assert_int_equal(vhost_memory_set_log(&memory, size, GUEST_SIZE - 4096, guest.memfd), 0);
    memory.logging = true;
    addr.flags = 1U << VHOST_VRING_F_LOG;
    addr.log_guest_addr = driver->at + 0x8000;
    assert_int_equal(vring_place(&queue, &memory, &addr), 0);
    guest_desc(driver, 0, GUEST_BUFFERS + 4000, 500, VRING_DESC_F_WRITE, 0);
    guest_add(driver, 0);
    fill_packet(0, 1, 60); /* 72 bytes with the header: within the first page only */
    assert_int_equal(send_packets(1), 1);
    assert_true(logged(GUEST_BUFFERS));
    assert_false(logged(GUEST_BUFFERS + 4096));
    assert_true(logged(driver->at + 0x8000));
    assert_int_equal(count_logged(), 2);
    guest_add(driver, 0);
    fill_packet(0, 1, 200);
    assert_int_equal(send_packets(1), 1);
    assert_true(logged(GUEST_BUFFERS + 4096));
    guest_provide(driver, 200, 500); /* beyond the log */
    assert_int_equal(send_packets(1), 1);
    assert_int_equal(count_logged(), 3);
}

/* ---- places ---- */

static void test_place(void **state)
{
    struct vhost_vring_addr good = guest_ring(&guest, 0), bad = good;

    (void)state;
    assert_int_equal(vring_place(&queue, &memory, &good), 0);
    bad.desc_user_addr += 8;
    assert_int_equal(vring_place(&queue, &memory, &bad), -EINVAL);
    assert_int_equal(receive(BURST), 0);
    bad = good;
    bad.avail_user_addr++;
    assert_int_equal(vring_place(&queue, &memory, &bad), -EINVAL);
    bad = good;
    bad.used_user_addr += 2;
    assert_int_equal(vring_place(&queue, &memory, &bad), -EINVAL);
    bad = good;
    bad.used_user_addr = guest_user(GUEST_BASE + GUEST_HALF - 6 - GUEST_NUM * 8); /* exactly */
    bad.used_user_addr -= bad.used_user_addr % 4;
    assert_int_equal(vring_place(&queue, &memory, &bad), 0);
    bad.used_user_addr += 4;
    assert_int_equal(vring_place(&queue, &memory, &bad), -EINVAL);
    bad = good;
    bad.avail_user_addr = UINT64_MAX - 1;
    assert_int_equal(vring_place(&queue, &memory, &bad), -EINVAL);
    queue.num = 0;
    assert_int_equal(vring_place(&queue, &memory, &good), -EINVAL);
}

static void test_memory(void **state)
{
    struct guest_region r = guest_region(0);
    struct guest_memory m = {.count = 0};

    (void)state;
    assert_int_equal(vhost_memory_add(&m, &r, GUEST_HALF + 4096, guest.memfd), -EINVAL);
    assert_int_equal(vhost_memory_add(&m, &r, UINT64_MAX - 100, guest.memfd), -EINVAL);
    assert_int_equal(vhost_memory_add(&m, &r, 0, guest.queues[0].call), -EINVAL);
    r.size = 0;
    assert_int_equal(vhost_memory_add(&m, &r, 0, guest.memfd), -EINVAL);
    r = guest_region(0);
    r.guest = UINT64_MAX - 100;
    assert_int_equal(vhost_memory_add(&m, &r, 0, guest.memfd), -EINVAL);
    r = guest_region(0);
    r.user = UINT64_MAX - 100;
    assert_int_equal(vhost_memory_add(&m, &r, 0, guest.memfd), -EINVAL);
    r = guest_region(0);
    for (unsigned i = 0; i < VHOST_MEMORY_REGIONS; i++) {
        r.guest = (uint64_t)i << 32;
        assert_int_equal(vhost_memory_add(&m, &r, 0, guest.memfd), 0);
    }
    assert_int_equal(vhost_memory_add(&m, &r, 0, guest.memfd), -ENOSPC);
    r.guest = 3ULL << 32;
    assert_int_equal(vhost_memory_remove(&m, &r), 0);
    assert_int_equal(vhost_memory_remove(&m, &r), -ENOENT);
    vhost_memory_clear(&m);
    assert_int_equal(vhost_memory_set_log(&m, 100, GUEST_SIZE, guest.memfd), -EINVAL);
}

/* ---- the hostile driver ---- */

#define N VRING_DESC_F_NEXT
#define W VRING_DESC_F_WRITE
#define I VRING_DESC_F_INDIRECT

/* Descriptors from head 4 on, and if `table` a table of two at GUEST_FRAME. */
static const struct hostile {
    const char *what;
    struct vring_desc ring[2];
    struct vring_desc table[2];
    enum vring_fault fault;
    bool sending;
    bool direct_only; /* indirect descriptors were not negotiated */
} hostile[] = {
    {"next beyond the ring", {{GUEST_BUFFERS, 20, N, GUEST_NUM}}, {}, VRING_BAD_INDEX},
    {"loop to itself", {{GUEST_BUFFERS, 20, N, 4}}, {}, VRING_LOOP},
    {"loop of two", {{GUEST_BUFFERS, 20, N, 5}, {GUEST_BUFFERS, 20, N, 4}}, {}, VRING_LOOP},
    {"zero length", {{GUEST_BUFFERS, 20, N, 5}, {GUEST_BUFFERS, 0, 0, 0}}, {}, VRING_ZERO_LENGTH},
    {"written where read", {{GUEST_BUFFERS, 100, W, 0}}, {}, VRING_DIRECTION},
    {"below memory", {{GUEST_BASE - 1, 100, 0, 0}}, {}, VRING_BAD_ADDRESS},
    {"beyond memory", {{GUEST_BASE + GUEST_SIZE - 99, 100, 0, 0}}, {}, VRING_BAD_ADDRESS},
    {"header beyond memory", {{GUEST_BASE + GUEST_SIZE - 5, 100, 0, 0}}, {}, VRING_BAD_ADDRESS},
    {"address that wraps", {{UINT64_MAX - 3, 100, 0, 0}}, {}, VRING_BAD_ADDRESS},
    {"indirect, not negotiated",
     {{GUEST_FRAME, 32, I, 0}},
     {{GUEST_BUFFERS, 100, 0, 0}},
     VRING_BAD_INDIRECT,
     .direct_only = true},
    {"indirect that goes on", {{GUEST_FRAME, 32, I | N, 5}}, {}, VRING_BAD_INDIRECT},
    {"empty table", {{GUEST_FRAME, 0, I, 0}}, {}, VRING_BAD_INDIRECT},
    {"table of 1.5", {{GUEST_FRAME, 24, I, 0}}, {}, VRING_BAD_INDIRECT},
    {"table too long",
     {{GUEST_FRAME, 16 * (VRING_INDIRECT_MAX + 1), I, 0}},
     {},
     VRING_BAD_INDIRECT},
    {"table of 4 GiB", {{GUEST_FRAME, 0xfffffff0, I, 0}}, {}, VRING_BAD_INDIRECT},
    {"table outside", {{GUEST_BASE + GUEST_SIZE - 16, 32, I, 0}}, {}, VRING_BAD_ADDRESS},
    {"table in a table", {{GUEST_FRAME, 32, I, 0}}, {{GUEST_FRAME, 32, I, 0}}, VRING_BAD_INDIRECT},
    {"next beyond the table",
     {{GUEST_FRAME, 32, I, 0}},
     {{GUEST_BUFFERS, 20, N, 2}},
     VRING_BAD_INDEX},
    {"loop in the table",
     {{GUEST_FRAME, 32, I, 0}},
     {{GUEST_BUFFERS, 20, N, 1}, {GUEST_BUFFERS, 20, N, 0}},
     VRING_LOOP},
    {"read where written", {{GUEST_BUFFERS, 100, 0, 0}}, {}, VRING_DIRECTION, .sending = true},
    {"no room for a header", {{GUEST_BUFFERS, 11, W, 0}}, {}, VRING_NO_HEADER, .sending = true},
    {"write beyond memory",
     {{GUEST_BASE + GUEST_SIZE - 20, 100, W, 0}},
     {},
     VRING_BAD_ADDRESS,
     .sending = true},
    {"loop of receive buffers", {{GUEST_BUFFERS, 1, W | N, 4}}, {}, VRING_LOOP, .sending = true},
    {"empty receive buffer", {{GUEST_BUFFERS, 0, W, 0}}, {}, VRING_ZERO_LENGTH, .sending = true},
};

#undef N
#undef W
#undef I

static void expect_stopped(enum vring_fault fault)
{
    assert_int_equal(atomic_load(&queue.fault), fault);
    assert_true(readable(trouble));
    expect_no_used();
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_int_equal(receive(BURST), 0);
    assert_int_equal(send_packets(1), 0);
    assert_false(vring_kicks(&queue, &memory, true));
    assert_false(readable(trouble));
    expect_no_used();
}

static void try_hostile(const struct hostile *h)
{
    start(h->direct_only ? ALL & ~BIT(VIRTIO_RING_F_INDIRECT_DESC) : ALL, GUEST_NUM, 0);
    print_message("# %s\n", h->what);
    memset(guest_at(&guest, GUEST_BUFFERS), 0, 200);
    for (uint16_t i = 0; i < 2; i++) {
        guest_desc(driver, 4 + i, h->ring[i].addr, h->ring[i].len, h->ring[i].flags,
                   h->ring[i].next);
        table_desc(GUEST_FRAME, i, h->table[i].addr, h->table[i].len, h->table[i].flags,
                   h->table[i].next);
    }
    fill_packet(0, 1, 1000);
    fill_packet(1, 2, 1000);
    if (h->sending)
        guest_provide(driver, 0, 2000);
    else
        guest_transmit(&guest, driver, 0, 1, 64);
    guest_add(driver, 4);
    assert_int_equal(h->sending ? send_packets(2) : receive(BURST), 1); /* the good one */
    expect_used(0, h->sending ? HEADER + 1000 : 0);
    expect_stopped(h->fault);
}

static void test_hostile_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
        try_hostile(&hostile[i]);
}

static void test_hostile_rings(void **state)
{
    (void)state;
    for (unsigned sending = 0; sending < 2; sending++) {
        start(ALL, GUEST_NUM, 0);
        fill_packet(0, 1, 100);
        driver->avail->idx = htole16(GUEST_NUM + 1);
        assert_int_equal(sending ? send_packets(1) : receive(BURST), 0);
        expect_stopped(VRING_AVAIL_JUMP);

        start(ALL, GUEST_NUM, 0);
        fill_packet(0, 1, 100);
        guest_add(driver, 0xffff); /* a head beyond the ring */
        assert_int_equal(sending ? send_packets(1) : receive(BURST), 0);
        expect_stopped(VRING_BAD_INDEX);

        start(ALL, GUEST_NUM, 100); /* backwards */
        driver->avail->idx = htole16(99);
        assert_int_equal(sending ? send_packets(1) : receive(BURST), 0);
        expect_stopped(VRING_AVAIL_JUMP);
    }
    start(ALL, GUEST_NUM, 0);
    queue.enabled = false;
    driver->avail->idx = htole16(GUEST_NUM + 1);
    assert_int_equal(receive(BURST), 0);
    expect_stopped(VRING_AVAIL_JUMP);
    start(ALL, GUEST_NUM, 0); /* and begins anew */
    guest_transmit(&guest, driver, 0, 1, 64);
    assert_int_equal(receive(BURST), 1);
}

/* The device tells the hypervisor, too. */
static void test_error_descriptor(void **state)
{
    int error = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    (void)state;
    queue.error = error;
    driver->avail->idx = htole16(GUEST_NUM + 1);
    assert_int_equal(receive(BURST), 0);
    assert_true(readable(error));
    close(error);
}

#if !defined(__SANITIZE_THREAD__)
static atomic_bool stop_changing;

/* Writes every descriptor over and over, while the device reads it. */
static void *change_descriptors(void *argument)
{
    uint32_t random = 1;

    (void)argument;
    while (!atomic_load_explicit(&stop_changing, memory_order_relaxed)) {
        volatile struct vring_desc *d = &driver->desc[random % 16];

        random = random * 1664525 + 1013904223;
        d->addr = random & 1 ? GUEST_BUFFERS : UINT64_MAX - (random >> 20);
        d->len = random & 2 ? 200 : random >> 4;
        d->flags = (uint16_t)(random & 4 ? 0 : random >> 8);
        d->next = (uint16_t)(random & 8 ? 1 : random >> 12);
    }
    return NULL;
}
#endif

/* Whatever it reads, it stays within what it checked. */
static void test_changing_descriptors(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* a race by intent */
#else
    pthread_t thread;

    atomic_store(&stop_changing, false);
    assert_int_equal(pthread_create(&thread, NULL, change_descriptors, NULL), 0);
    for (unsigned i = 0; i < 20000; i++) {
        start(ALL, 16, 0);
        for (uint16_t head = 0; head < 16; head++)
            guest_add(driver, head);
        fill_packet(0, 1, 1000);
        if (i % 2)
            (void)receive(BURST);
        else
            (void)send_packets(1);
        assert_true((uint16_t)(queue.next_used - queue.next_avail) == 0);
    }
    atomic_store(&stop_changing, true);
    pthread_join(thread, NULL);
#endif
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_receive),
        TEST(test_receive_pieces),
        TEST(test_receive_indirect),
        TEST(test_receive_across_regions),
        TEST(test_receive_large),
        TEST(test_receive_drops),
        TEST(test_legacy_header),
        TEST(test_disabled),
        TEST(test_send),
        TEST(test_send_merged),
        TEST(test_send_many_merged),
        TEST(test_send_split_header),
        TEST(test_send_drops),
        TEST(test_wrap),
        TEST(test_start_where_used_ring_is),
        TEST(test_interrupt_flag),
        TEST(test_interrupt_event),
        TEST(test_kicks),
        TEST(test_kicks_when_sending),
        TEST(test_budget),
        TEST(test_log),
        TEST(test_place),
        TEST(test_memory),
        TEST(test_hostile_chains),
        TEST(test_hostile_rings),
        TEST(test_error_descriptor),
        TEST(test_changing_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
