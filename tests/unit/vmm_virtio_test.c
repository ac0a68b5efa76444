/*
 * vmm_virtio_test.c -- virtio devices over memory registers, driven as a guest's driver would drive
 * them, and as none should.
 */
#include "unit.h"

#include <linux/virtio_mmio.h>
#include <poll.h>

#include "base/base.h"
#include "vmm/event.h"
#include "vmm/virtio_mmio.h"
#include "vmm/virtio_rng.h"

#define MEMORY  (UINT64_C(16) << 20)
#define AT      UINT64_C(0xd0000000)
#define RING    0x10000u /* descriptors; available and used ring a page each after it */
#define BUFFERS 0x100000u
#define ENTRIES 16u

static struct vm_memory memory;
static struct bus bus;
static struct virtio_rng rng;
static struct virtio_mmio transport;
static uint16_t added;

static int set_up(void **state)
{
    (void)state;
    added = 0;
    bus.count = 0;
    memset(&rng, 0, sizeof(rng));
    return loop_init() < 0 || vm_memory_make(&memory, MEMORY) < 0 ||
           virtio_rng_make(&rng, &memory) < 0 ||
           virtio_mmio_add(&transport, &rng.device, &bus, AT) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    virtio_free(&rng.device);
    loop_free();
    vm_memory_free(&memory);
    return 0;
}

/* ---- a driver ---- */

static uint32_t get(uint64_t reg)
{
    uint8_t data[4];

    bus_access(&bus, AT + reg, data, 4, false);
    return (uint32_t)bus_value(data, 4);
}

static void set(uint64_t reg, uint32_t value)
{
    uint8_t data[4];

    bus_answer(data, 4, value);
    bus_access(&bus, AT + reg, data, 4, true);
}

static void accept_features(uint64_t features)
{
    for (uint32_t word = 0; word < 2; word++) {
        set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
        set(VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * word));
    }
}

#define V1       (UINT64_C(1) << VIRTIO_F_VERSION_1)
#define INDIRECT (UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC)

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64 };

static void set_queue(uint32_t queue, uint32_t entries, uint64_t ring)
{
    set(VIRTIO_MMIO_QUEUE_SEL, queue);
    set(VIRTIO_MMIO_QUEUE_NUM, entries);
    set(VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)ring);
    set(VIRTIO_MMIO_QUEUE_DESC_HIGH, (uint32_t)(ring >> 32));
    set(VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)ring + 0x1000);
    set(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, (uint32_t)(ring >> 32));
    set(VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)ring + 0x2000);
    set(VIRTIO_MMIO_QUEUE_USED_HIGH, (uint32_t)(ring >> 32));
    set(VIRTIO_MMIO_QUEUE_READY, 1);
}

static void begin(uint64_t features)
{
    set(VIRTIO_MMIO_STATUS, 0);
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER);
    accept_features(features);
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    memset(vm_memory_at(&memory, RING, 0x3000), 0, 0x3000);
    added = 0;
    set_queue(0, ENTRIES, RING);
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void describe(uint16_t i, uint64_t at, uint32_t len, uint16_t flags, uint16_t next)
{
    struct vring_desc *d = vm_memory_at(&memory, RING, ENTRIES * sizeof(*d));

    d[i] = (struct vring_desc){htole64(at), htole32(len), htole16(flags), htole16(next)};
}

static void offer(uint16_t head)
{
    struct vring_avail *a = vm_memory_at(&memory, RING + 0x1000, 0x1000);

    a->ring[added++ % ENTRIES] = htole16(head);
    __atomic_store_n(&a->idx, htole16(added), __ATOMIC_RELEASE);
    set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
    (void)loop_run_for(5);
}

static const struct vring_used *used(void)
{
    return vm_memory_at(&memory, RING + 0x2000, 0x1000);
}

static bool interrupted(void)
{
    bool is = poll(&(struct pollfd){rng.device.irq, POLLIN, 0}, 1, 0) == 1;

    event_clear(rng.device.irq);
    return is;
}

/* ---- tests ---- */

static void tells_what_it_is(void **state)
{
    (void)state;
    assert_int_equal(get(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
    assert_int_equal(get(VIRTIO_MMIO_VERSION), 2);
    assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_RNG);
    assert_int_equal(get(VIRTIO_MMIO_QUEUE_NUM_MAX), VIRTIO_QUEUE_SIZE);
    set(VIRTIO_MMIO_QUEUE_SEL, 1);
    assert_int_equal(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
    set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
    assert_int_equal(get(VIRTIO_MMIO_DEVICE_FEATURES) & 1, 1);
    set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
    assert_int_equal(get(VIRTIO_MMIO_DEVICE_FEATURES), 0);
    assert_int_equal(get(VIRTIO_MMIO_SHM_LEN_LOW), 0xffffffff);
}

static void fills_buffers(void **state)
{
    static const uint8_t zeroes[64];

    (void)state;
    begin(V1 | INDIRECT);
    assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 1);
    for (uint16_t i = 0; i < 3 * ENTRIES; i++) { /* around the ring, too */
        uint64_t at = BUFFERS + i * 64u;

        describe(i % ENTRIES, at, 64, VRING_DESC_F_WRITE, 0);
        offer(i % ENTRIES);
        assert_int_equal(le16toh(used()->idx), i + 1);
        assert_int_equal(le32toh(used()->ring[i % ENTRIES].id), i % ENTRIES);
        assert_int_equal(le32toh(used()->ring[i % ENTRIES].len), 64);
        assert_memory_not_equal(vm_memory_at(&memory, at, 64), zeroes, 64);
        assert_true(interrupted());
        assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS) & 1, 1);
    }
}

static void takes_chains_of_both_directions(void **state)
{
    struct vring_desc *table = vm_memory_at(&memory, BUFFERS, 4096);

    (void)state;
    begin(V1 | INDIRECT);
    describe(0, BUFFERS, 16, VRING_DESC_F_NEXT, 1); /* to be read: not this device's business */
    describe(1, BUFFERS + 4096, 8, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2);
    describe(2, BUFFERS + 8192, 8, VRING_DESC_F_WRITE, 0);
    offer(0);
    assert_int_equal(le32toh(used()->ring[0].len), 16);
    table[0] =
        (struct vring_desc){htole64(BUFFERS + 12288), htole32(32), htole16(VRING_DESC_F_WRITE), 0};
    describe(3, BUFFERS, sizeof(*table), VRING_DESC_F_INDIRECT, 0);
    offer(3);
    assert_int_equal(le32toh(used()->ring[1].len), 32);
}

static void a_reset_begins_anew(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        begin(V1);
        describe(0, BUFFERS, 64, VRING_DESC_F_WRITE, 0);
        offer(0);
        assert_int_equal(le16toh(used()->idx), 1);
        set(VIRTIO_MMIO_STATUS, 0);
        assert_int_equal(get(VIRTIO_MMIO_STATUS), 0);
        assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
        offer(0); /* to nobody */
        assert_int_equal(le16toh(used()->idx), 1);
    }
}

static void features_are_agreed_or_not(void **state)
{
    (void)state;
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER);
    accept_features(0); /* a legacy driver */
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    assert_int_equal(get(VIRTIO_MMIO_STATUS) & FEATURES_OK, 0);
    accept_features(V1 | UINT64_C(1) << 63); /* one that was not offered */
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    assert_int_equal(get(VIRTIO_MMIO_STATUS) & FEATURES_OK, 0);
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK); /* without agreement */
    assert_int_equal(get(VIRTIO_MMIO_STATUS) & DRIVER_OK, 0);
    accept_features(V1);
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    assert_int_equal(get(VIRTIO_MMIO_STATUS) & FEATURES_OK, FEATURES_OK);
    accept_features(V1 | INDIRECT); /* too late */
    assert_true(rng.device.negotiated == V1);
}

static void queues_that_can_not_be_are_not_ready(void **state)
{
    static const struct {
        uint32_t entries;
        uint64_t ring;
    } bad[] = {{0, RING},
               {3, RING},
               {VIRTIO_QUEUE_SIZE * 2, RING},
               {ENTRIES, MEMORY},
               {ENTRIES, RING + 1},
               {ENTRIES, MEMORY - 16},
               {ENTRIES, 1ull << 63}};

    (void)state;
    begin(V1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set(VIRTIO_MMIO_STATUS, 0);
        set_queue(0, bad[i].entries, bad[i].ring);
        assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
    }
    set_queue(17, ENTRIES, RING);
    assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
    set(VIRTIO_MMIO_QUEUE_NOTIFY, 17);
    set(VIRTIO_MMIO_QUEUE_NOTIFY, UINT32_MAX);
    (void)loop_run_for(2);
}

static void a_broken_queue_needs_a_reset(void **state)
{
    (void)state;
    begin(V1);
    describe(0, BUFFERS, 8, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
    describe(1, BUFFERS, 8, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 0); /* a ring of descriptors */
    offer(0);
    (void)loop_run_for(5);
    assert_int_equal(get(VIRTIO_MMIO_STATUS) & NEEDS_RESET, NEEDS_RESET);
    assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG,
                     VIRTIO_MMIO_INT_CONFIG);
    assert_true(interrupted());
    set(VIRTIO_MMIO_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    assert_int_equal(get(VIRTIO_MMIO_STATUS) & NEEDS_RESET, NEEDS_RESET); /* stays until reset */
    begin(V1);
    assert_int_equal(get(VIRTIO_MMIO_STATUS) & NEEDS_RESET, 0);
    describe(0, BUFFERS, 8, VRING_DESC_F_WRITE, 0);
    offer(0);
    assert_int_equal(le16toh(used()->idx), 1);
}

/* All registers, all sizes, any value, in any order. */
static void any_access_is_survived(void **state)
{
    static const unsigned sizes[] = {1, 2, 4, 8};
    uint32_t seed = 1;
    uint8_t data[8];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        unsigned size = sizes[seed >> 8 & 3];
        uint64_t at = (seed >> 10) % (VIRTIO_MMIO_SIZE - size);

        if (seed & 1)
            at = (at & 0xfc) % 0x100; /* most often where registers are */
        memset(data, (int)(seed >> 4), sizeof(data));
        bus_access(&bus, AT + at, data, size, seed & 2);
        seed = seed * 1664525u + 1013904223u;
        if (i % 1000 == 0)
            (void)loop_run_for(1);
    }
    begin(V1);
    describe(0, BUFFERS, 8, VRING_DESC_F_WRITE, 0);
    offer(0);
    assert_int_equal(le16toh(used()->idx), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fills_buffers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_chains_of_both_directions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(features_are_agreed_or_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queues_that_can_not_be_are_not_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_queue_needs_a_reset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_access_is_survived, set_up, tear_down),
    };

    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
