/*
 * bus.c -- see bus.h.
 */
#include <errno.h>
#include <string.h>

#include "vmm/bus.h"

/* The first region that ends behind `at`. */
static unsigned first_after(const struct bus *bus, uint64_t at)
{
    unsigned from = 0, to = bus->count;

    while (from < to) {
        unsigned middle = (from + to) / 2;
        const struct bus_region *r = &bus->regions[middle];

        if (at - r->at < r->size || at < r->at)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

int bus_add(struct bus *bus, const struct bus_region *region)
{
    unsigned i = first_after(bus, region->at);

    if (bus->count == BUS_REGIONS)
        return -ENOSPC;
    if (i < bus->count && bus->regions[i].at < region->at + region->size)
        return -EEXIST;
    memmove(&bus->regions[i + 1], &bus->regions[i], (bus->count - i) * sizeof(*region));
    bus->regions[i] = *region;
    bus->count++;
    return 0;
}

void bus_remove(struct bus *bus, uint64_t at)
{
    unsigned i = first_after(bus, at);

    if (i == bus->count || bus->regions[i].at != at)
        return;
    bus->count--;
    memmove(&bus->regions[i], &bus->regions[i + 1], (bus->count - i) * sizeof(struct bus_region));
}

void bus_access(const struct bus *bus, uint64_t at, uint8_t *data, unsigned size, bool is_write)
{
    unsigned i = first_after(bus, at);
    const struct bus_region *r = &bus->regions[i];

    if (i == bus->count || at < r->at || size > r->size - (at - r->at)) {
        if (!is_write)
            memset(data, 0xff, size);
        return;
    }
    pthread_mutex_lock(r->lock);
    if (is_write)
        r->write(r->device, at - r->at, data, size);
    else
        r->read(r->device, at - r->at, data, size);
    pthread_mutex_unlock(r->lock);
}
