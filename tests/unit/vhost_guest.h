/*
 * vhost_guest.h -- the other side, for tests: a guest's memory and the driver's half of its
 * virtqueues, and a hypervisor's half of the vhost-user socket.
 *
 * The memory is a memfd lent as two regions that touch in the guest's addresses and nowhere else.
 * Each queue has 64 KiB at its begin; buffers are wherever a test puts them (guest_at()).
 */
#ifndef STROWGER_TESTS_VHOST_GUEST_H
#define STROWGER_TESTS_VHOST_GUEST_H

#include "link/vring.h"

#define GUEST_SIZE    (8 << 20)
#define GUEST_HALF    (GUEST_SIZE / 2)
#define GUEST_BASE    0x100000ULL /* guest-physical */
#define GUEST_BUFFERS (GUEST_BASE + 0x100000)
#define GUEST_QUEUES  4
#define GUEST_NUM     256
#define GUEST_FRAME   (GUEST_BASE + 0x80000) /* free pages for tables and the like */

struct guest_queue {
    struct vring_desc *desc;
    struct vring_avail *avail;
    struct vring_used *used;
    uint64_t at; /* guest-physical address of desc */
    uint16_t num;
    uint16_t added, seen; /* indices of the available and the used ring */
    int kick, call;
};

struct guest {
    int memfd;
    uint8_t *memory;
    struct guest_queue queues[GUEST_QUEUES];
    int fd; /* of the vhost-user socket, or -1 */
};

void guest_init(struct guest *g, uint16_t num);
void guest_free(struct guest *g);

/* Our address of a guest-physical one. */
uint8_t *guest_at(struct guest *g, uint64_t guest);

/* The hypervisor's address of a guest-physical one. */
uint64_t guest_user(uint64_t guest);
struct guest_region guest_region(unsigned half);
struct vhost_vring_addr guest_ring(struct guest *g, unsigned queue);

/* ---- the driver ---- */

void guest_desc(struct guest_queue *q, uint16_t i, uint64_t addr, uint32_t len, uint16_t flags,
                uint16_t next);
void guest_add(struct guest_queue *q, uint16_t head); /* makes a chain available */
bool guest_used(struct guest_queue *q, uint32_t *id, uint32_t *len);
/* A packet of `len` bytes, all `fill`, in one buffer at GUEST_BUFFERS + i * 4096. */
void guest_transmit(struct guest *g, struct guest_queue *q, uint16_t i, uint8_t fill, uint32_t len);
/* A receive buffer there. */
void guest_provide(struct guest_queue *q, uint16_t i, uint32_t len);
bool guest_interrupted(struct guest_queue *q); /* and takes it back */

/* ---- the hypervisor ---- */

int guest_connect(struct guest *g, const char *path); /* 0 or negative errno */
void guest_hang_up(struct guest *g);
void guest_say(struct guest *g, uint32_t request, uint32_t flags, const void *payload,
               uint32_t size, const int *fds, unsigned fd_count);
/* Without waiting: the size of the answer to `request`, 0 when there is none, -1 when the
 * connection is gone. */
int guest_hear(struct guest *g, uint32_t request, void *payload, uint32_t size);

#endif
