/*
 * dpdk_device.h -- network devices that DPDK drives, without the kernel: cards and their virtual
 * functions by PCI address, and DPDK's own virtual devices.
 *
 * DPDK is a library with memory, threads and a command line of its own, once for a process:
 * dpdk_start(). A device's queues are polled; nothing can be waited for. Frames are copied: out of
 * DPDK's buffers when they come, into them when they go, so that neither side's memory is held by
 * the other, and a card's DMA goes to DPDK's memory alone.
 *
 * Threads: starting, opening, closing and status are for one thread, the loop's. A receive queue is
 * one thread's at a time; a send queue, too: the caller guards it when several use it. Threads make
 * themselves known to DPDK at their first call, as far as it has room for them.
 *
 * Built without DPDK (-Ddpdk=disabled), dpdk_absent.c is in place: dpdk_is_built says so, and
 * nothing opens.
 */
#ifndef STROWGER_LINK_DPDK_DEVICE_H
#define STROWGER_LINK_DPDK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DPDK_BURST  32u
#define DPDK_QUEUES 64u /* at most, in each direction */

extern const bool dpdk_is_built;

/* Starts DPDK with such arguments, behind our own: no devices but those that are opened, no
 * telemetry, one core, warnings only. The second time it does nothing, and says what came of the
 * first. The calling thread keeps the cores it may run on. 0 or negative errno; the log says why.
 */
int dpdk_start(const char *const *arguments, size_t count);

struct dpdk_device;

struct dpdk_device_config {
    const char *device; /* "0000:03:00.1", or driver name, number and arguments:
                           "net_af_packet0,iface=eth1" */
    unsigned rx_queues; /* 0: 1; fewer if the device has not so many */
    unsigned tx_queues; /* likewise */
    uint16_t mtu;       /* 0: the driver's */
};

struct dpdk_device_status {
    uint8_t mac[6];
    uint16_t mtu;
    bool up;
    unsigned rx_queues, tx_queues;
    bool sums, cuts;  /* TCP's and UDP's checksums; TCP into segments */
    uint32_t longest; /* frame that can be sent, when it need not fit the MTU */
    uint64_t lost;    /* frames that came and had no room, in all */
    const char *driver;
};

/* 0 or negative errno: -ENODEV (there is none), -EBUSY (it is open), ...; the log says why. */
int dpdk_device_open(struct dpdk_device **device, const struct dpdk_device_config *config);
/* No other thread is in the device. */
void dpdk_device_close(struct dpdk_device *device);
void dpdk_device_status(const struct dpdk_device *device, struct dpdk_device_status *status);

/* A frame in DPDK's memory. */
struct dpdk_frame {
    void *mbuf;
    uint32_t len; /* of the copy */
};

/* Frames that came, at most DPDK_BURST. Each must be given to dpdk_take(), which copies its `len`
 * bytes to `to` (NULL: it is not wanted) and frees it. */
unsigned dpdk_receive(struct dpdk_device *device, unsigned queue, struct dpdk_frame *frames,
                      unsigned n);
void dpdk_take(struct dpdk_frame *frame, uint8_t *to);

/* A frame to send, and what the device shall do for it (only what its status says it does). */
struct dpdk_packet {
    const uint8_t *at;
    uint32_t len;
    bool sum;            /* the checksum of TCP or UDP is missing */
    bool udp, ipv6;      /* of that packet */
    uint16_t l2, l3, l4; /* bytes of its headers up to IP, of IP, of TCP */
    uint16_t gso_size;   /* TCP payload of a segment; 0: it is one */
};

/* Copies and sends. How many, from the first on, were taken: fewer when the queue is full or
 * buffers are out. */
unsigned dpdk_send(struct dpdk_device *device, unsigned queue, const struct dpdk_packet *packets,
                   unsigned n);

#endif
