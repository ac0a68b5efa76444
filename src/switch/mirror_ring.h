/*
 * mirror_ring.h -- entries of any size from one worker to the loop's thread.
 *
 * One writes, one reads, neither waits: an entry that does not fit is lost, and counted by its
 * writer. An entry is in one piece; where the ring's end leaves too little room for it, the rest is
 * passed over. Each mirror (mirror.h) has one ring per worker, and so has the IPFIX exporter
 * (ipfix.h).
 */
#ifndef STROWGER_SWITCH_MIRROR_RING_H
#define STROWGER_SWITCH_MIRROR_RING_H

#include <stdint.h>
#include <stdlib.h>

struct mirror_ring {
    uint8_t *bytes;
    uint32_t size; /* a power of two */
    uint64_t head __attribute__((aligned(64)));
    uint64_t lost; /* by its writer, for want of room */
    uint64_t tail __attribute__((aligned(64)));
};

/* `count` rings of `size` bytes each (a power of two); NULL when memory is out. */
struct mirror_ring *mirror_rings_new(unsigned count, uint32_t size);
void mirror_rings_free(struct mirror_ring *rings, unsigned count);

/* For the writer: room for an entry (8-byte aligned), to be filled and committed before the next
 * call; NULL when there is none, and that is counted. */
void *mirror_ring_reserve(struct mirror_ring *ring, uint32_t size);
void mirror_ring_commit(struct mirror_ring *ring);

/* For the reader: the oldest entry, valid until it is released; NULL: there is none. */
const void *mirror_ring_peek(struct mirror_ring *ring);
void mirror_ring_release(struct mirror_ring *ring);

/* For the reader, of all rings. */
uint64_t mirror_rings_lost(const struct mirror_ring *rings, unsigned count);

#endif
