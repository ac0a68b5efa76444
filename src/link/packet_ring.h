/*
 * packet_ring.h -- an interface's frames by AF_PACKET, many at a time and without a copy of ours.
 *
 * The kernel writes frames into blocks of a ring we map (TPACKET_V3) and hands a block over when it
 * is full or a millisecond old. We read them where they lie: a burst is valid until it is released.
 * Segmentation and checksum offload come through intact (PACKET_VNET_HDR): a TCP super-frame of 64
 * KiB is one frame with a struct offload. The VLAN tag the kernel keeps apart is put back. Sending
 * is sendmmsg() past the queueing discipline, with the same offload.
 *
 * Several rings of one interface share its flows (PACKET_FANOUT_HASH): each frame comes to one of
 * them, those of a flow always to the same. An interface that is all ours goes faster by
 * link/xdp_queue.h; this one leaves the stack its copy, as packet sockets do.
 *
 * Each ring: one thread; sending may come from others when the caller guards it (it shares nothing
 * with receiving). See packet(7), Documentation/networking/packet_mmap.rst.
 */
#ifndef STROWGER_LINK_PACKET_RING_H
#define STROWGER_LINK_PACKET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>

#include "link/offload.h"

#define PACKET_RING_BURST 64

/* A frame, received or to be sent. Received: `at` may be written, and 64 bytes before it too. */
struct packet_ring_frame {
    uint8_t *at;
    uint32_t len;
    struct offload offload;
};

struct packet_ring {
    int fd; /* for epoll; -1 when closed */
    int ifindex;
    char name[IFNAMSIZ];
    uint8_t *blocks;       /* PACKET_RING_BLOCKS of them */
    unsigned block;        /* the one we read */
    unsigned left;         /* frames of it not given out yet */
    unsigned idle;         /* receives that gave nothing, in all */
    uint8_t *next;         /* the first of them; NULL: the block is the kernel's */
    uint64_t dropped_here; /* cut off, or with an untrue header */
    uint64_t dropped_kernel;
};

/* Opens a ring on `interface` in the namespace `netns` (-1: here), which is not needed afterwards.
 * `group` NULL: it gets all frames. Otherwise the ring shares them with the others of the group:
 * *group is 0 before the first and then names the group (in that namespace). 0 or negative errno
 * (-ENODEV, -EPERM, -ENOMEM). */
int packet_ring_open(struct packet_ring *r, const char *interface, int netns, uint32_t *group);
void packet_ring_close(struct packet_ring *r);

/* Up to n frames that are there; 0: none now. They stay until packet_ring_release(), which must be
 * called before the next receive. -ENETDOWN: the interface is down (it may come back) or gone;
 * noticed within 64 empty calls. */
int packet_ring_receive(struct packet_ring *r, struct packet_ring_frame *frames, unsigned n);
void packet_ring_release(struct packet_ring *r);

/* Sends; how many were taken (what is too long for the interface or untrue of itself is taken and
 * lost), or negative errno. */
int packet_ring_send(struct packet_ring *r, const struct packet_ring_frame *frames, unsigned n);

/* Frames lost so far: the ring was full, or the frame larger than a block or malformed. */
uint64_t packet_ring_dropped(struct packet_ring *r);

#endif
