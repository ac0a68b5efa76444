/*
 * vmm_bus_test.c -- which device an address belongs to.
 */
#include "unit.h"

#include <errno.h>

#include "vmm/bus.h"

struct device {
    uint64_t offset;
    uint64_t value;
    unsigned size, reads, writes;
};

static void on_read(void *device, uint64_t offset, uint8_t *data, unsigned size)
{
    struct device *d = device;

    d->offset = offset;
    d->size = size;
    d->reads++;
    bus_answer(data, size, d->value);
}

static void on_write(void *device, uint64_t offset, const uint8_t *data, unsigned size)
{
    struct device *d = device;

    d->offset = offset;
    d->size = size;
    d->writes++;
    d->value = bus_value(data, size);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int add(struct bus *bus, struct device *d, uint64_t at, uint64_t size)
{
    struct bus_region region = {at, size, on_read, on_write, d, &lock};

    return bus_add(bus, &region);
}

static void finds_the_device_at_each_address(void **state)
{
    struct bus bus = {.count = 0};
    struct device d[4] = {{.value = 0x11}, {.value = 0x2222}, {.value = 0x33}, {.value = 0x44}};
    uint8_t data[8];

    (void)state;
    assert_int_equal(add(&bus, &d[2], 0x600, 4), 0); /* in no order */
    assert_int_equal(add(&bus, &d[0], 0x70, 2), 0);
    assert_int_equal(add(&bus, &d[3], 0xcf9, 1), 0);
    assert_int_equal(add(&bus, &d[1], 0x3f8, 8), 0);
    bus_access(&bus, 0x71, data, 1, false);
    assert_int_equal(data[0], 0x11);
    assert_int_equal(d[0].offset, 1);
    bus_access(&bus, 0x3fe, data, 2, false);
    assert_int_equal(data[0] | data[1] << 8, 0x2222);
    assert_int_equal(d[1].offset, 6);
    memcpy(data, "\x78\x56\x34\x12", 4);
    bus_access(&bus, 0x600, data, 4, true);
    assert_int_equal(d[2].value, 0x12345678);
    bus_access(&bus, 0xcf9, data, 1, false);
    assert_int_equal(data[0], 0x44);
}

static void answers_for_nobody(void **state)
{
    struct bus bus = {.count = 0};
    struct device d = {.value = 0};
    static const uint64_t nowhere[] = {0, 0x6f, 0x72, 0x1000, UINT64_MAX};
    uint8_t data[8];

    (void)state;
    assert_int_equal(add(&bus, &d, 0x70, 2), 0);
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        memset(data, 0, sizeof(data));
        bus_access(&bus, nowhere[i], data, 4, false);
        assert_memory_equal(data, "\xff\xff\xff\xff\0\0\0\0", 8);
        bus_access(&bus, nowhere[i], data, 4, true);
    }
    bus_access(&bus, 0x71, data, 2, false); /* runs over the end */
    assert_memory_equal(data, "\xff\xff", 2);
    assert_int_equal(d.reads + d.writes, 0);
}

static void has_one_device_at_a_place(void **state)
{
    struct bus bus = {.count = 0};
    struct device d = {.value = 0};

    (void)state;
    assert_int_equal(add(&bus, &d, 0x100, 0x10), 0);
    assert_int_equal(add(&bus, &d, 0x100, 0x10), -EEXIST);
    assert_int_equal(add(&bus, &d, 0xf8, 0x10), -EEXIST);
    assert_int_equal(add(&bus, &d, 0x10f, 1), -EEXIST);
    assert_int_equal(add(&bus, &d, 0x110, 1), 0);
    assert_int_equal(add(&bus, &d, 0xf0, 0x10), 0);
    bus_remove(&bus, 0x104); /* no region begins there */
    assert_int_equal(bus.count, 3);
    bus_remove(&bus, 0x100);
    assert_int_equal(bus.count, 2);
    assert_int_equal(add(&bus, &d, 0x100, 0x10), 0);
    for (uint64_t i = bus.count; i < BUS_REGIONS; i++)
        assert_int_equal(add(&bus, &d, 0x1000 * i, 1), 0);
    assert_int_equal(add(&bus, &d, 0x9000000, 1), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_device_at_each_address),
        cmocka_unit_test(answers_for_nobody),
        cmocka_unit_test(has_one_device_at_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
