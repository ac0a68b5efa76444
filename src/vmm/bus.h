/*
 * bus.h -- where in I/O and memory space a device answers.
 *
 * A region is a run of ports or guest-physical addresses and the device behind it. A vCPU's exit
 * names an address; bus_access() finds the region (a sorted array, halved) and calls it under the
 * device's lock, in the vCPU's thread. What nobody answers reads as all ones and takes any write,
 * as on a real bus.
 *
 * Regions are added and taken away while no vCPU runs, or under the machine's pause.
 */
#ifndef STROWGER_VMM_BUS_H
#define STROWGER_VMM_BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus_region {
    uint64_t at, size;
    /* `size` is 1, 2, 4 or 8 bytes, all within the region; `offset` counts from its begin. The
     * value is little-endian in memory, as the guest's. */
    void (*read)(void *device, uint64_t offset, uint8_t *data, unsigned size);
    void (*write)(void *device, uint64_t offset, const uint8_t *data, unsigned size);
    void *device;
    pthread_mutex_t *lock; /* of the device */
};

#define BUS_REGIONS 128

struct bus {
    unsigned count;
    struct bus_region regions[BUS_REGIONS];
};

/* 0, -EEXIST (something is there), -ENOSPC. The region is copied. */
int bus_add(struct bus *bus, const struct bus_region *region);
void bus_remove(struct bus *bus, uint64_t at);

/* A guest reads or writes. */
void bus_access(const struct bus *bus, uint64_t at, uint8_t *data, unsigned size, bool is_write);

/* The value of a guest's write, and putting one into what it reads. */
static inline uint64_t bus_value(const uint8_t *data, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = size; i-- > 0;)
        value = value << 8 | data[i];
    return value;
}

static inline void bus_answer(uint8_t *data, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++, value >>= 8)
        data[i] = (uint8_t)value;
}

#endif
