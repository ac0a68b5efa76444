/*
 * xdp_queue.h -- frames past the kernel's stack: a queue of an interface as an AF_XDP socket.
 *
 * A queue works on the caller's packet memory, cut into chunks: the caller lends chunks to the
 * kernel (fill), gets them back with frames in them (receive), hands out frames (send) and gets
 * those chunks back when they have left (completed). An address is a byte offset in the area; a
 * frame begins anywhere in its chunk. The same area may serve any number of queues of any
 * interfaces, so a frame is forwarded from one to the other without a copy of ours.
 *
 * The first queue of an interface attaches a program of five instructions, which gives each receive
 * queue's frames to the socket on it and leaves queues without one to the kernel; the last one
 * detaches it. It is attached by a link that belongs to the process: whatever way a process ends,
 * the kernel takes everything with it, and there are no leftovers to look for.
 *
 * What XDP does not carry: segmentation and checksum offload. A frame longer than a chunk is lost
 * (and counted as dropped), a checksum the sender left open stays open. On a real card neither
 * happens once receive offloads (GRO-HW, LRO) are off. On veth the peer must have its checksum
 * offload off (netns_checksum_offload_off()) and, in generic mode, its segmentation offload; native
 * mode has the kernel switch the peer's segmentation off. VLAN tags are in the bytes, except those
 * a card strips in native mode (switch off its rxvlan). Native mode on veth needs nothing of the
 * peer: attaching makes this end's NAPI, which receiving needs, and sending goes through an skb.
 *
 * Threads: each queue one thread; sending may come from others when the caller guards it (fill and
 * receive use other rings than send and completed). Opening and closing: any thread.
 */
#ifndef STROWGER_LINK_XDP_QUEUE_H
#define STROWGER_LINK_XDP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>
#include <xdp/xsk.h>

#define XDP_QUEUE_RING 2048 /* entries of each of the four rings */

enum xdp_mode {
    XDP_MODE_AUTO,    /* native, zero-copy where the driver can; otherwise generic */
    XDP_MODE_NATIVE,  /* in the driver */
    XDP_MODE_GENERIC, /* in the stack's first step: every interface */
};

/* The caller's packet memory. It begins on a page, and the chunk size is a power of two from 2048
 * to the page size. `headroom`: bytes left free before a received frame, beside the 256 XDP takes
 * anyway. */
struct xdp_area {
    void *base;
    size_t size;
    uint32_t chunk_size, headroom;
};

struct xdp_frame {
    uint64_t address; /* of the first byte, in the area */
    uint32_t len;
};

struct xdp_queue_counts {
    uint64_t receive_dropped;      /* longer than a chunk, and other reasons of the kernel's */
    uint64_t receive_ring_full;    /* we were too slow */
    uint64_t receive_fill_empty;   /* we lent too few chunks */
    uint64_t send_invalid;         /* addresses or lengths outside of the area */
    uint64_t receive_fill_invalid; /* likewise of chunks lent */
};

struct xdp_program;

struct xdp_queue {
    int fd;             /* for epoll (EPOLLIN); -1 when closed */
    int error;          /* negative errno: the interface is gone */
    uint32_t queue;     /* of the interface */
    enum xdp_mode mode; /* what it came to */
    bool zero_copy;
    char name[IFNAMSIZ];
    unsigned idle;    /* receives in a row that gave nothing */
    unsigned sending; /* frames sent and not completed */
    struct xsk_ring_prod fill, tx;
    struct xsk_ring_cons rx, completion;
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    struct xdp_program *program; /* shared by the interface's queues */
};

/* How many receive queues the interface in the namespace `netns` (-1: here) has: at least 1, or
 * -ENODEV and the like. */
int xdp_queue_count(const char *interface, int netns);

/* Opens receive and send queue number `queue`. `netns` is not needed afterwards; the area must
 * outlive the queue. 0 or negative errno, of which the log says what to do: -EPERM (not
 * privileged), -EOPNOTSUPP (no such mode here), -ENOBUFS (locked memory exhausted), -EBUSY (the
 * queue is taken), -EEXIST (the interface has another XDP program), -EINVAL (no such queue, or an
 * area that does not do), -ENODEV. */
int xdp_queue_open(struct xdp_queue *q, const char *interface, int netns, uint32_t queue,
                   enum xdp_mode mode, const struct xdp_area *area);

/* All chunks are the caller's again. A closed queue may be closed again. */
void xdp_queue_close(struct xdp_queue *q);

/* Lends chunks, by any address in them; how many were taken (the ring holds XDP_QUEUE_RING). */
unsigned xdp_queue_fill(struct xdp_queue *q, const uint64_t *addresses, unsigned n);

/* Received frames, at most n; 0: none now. -ENETDOWN: the interface is gone (noticed within 64
 * empty calls), close the queue. */
int xdp_queue_receive(struct xdp_queue *q, struct xdp_frame *frames, unsigned n);

/* Queues frames to be sent; how many were taken. They leave at the next kick. */
unsigned xdp_queue_send(struct xdp_queue *q, const struct xdp_frame *frames, unsigned n);

/* Has the kernel send, if it waits to be told. 0 (what it could not take yet stays queued: kick
 * again later while `sending` is not 0), or -ENETDOWN: the interface is down or gone. */
int xdp_queue_kick(struct xdp_queue *q);

/* Chunks whose frames have left, by the addresses they were sent with. */
unsigned xdp_queue_completed(struct xdp_queue *q, uint64_t *addresses, unsigned n);

/* What the kernel counted since the queue was opened. 0 or negative errno. */
int xdp_queue_statistics(const struct xdp_queue *q, struct xdp_queue_counts *counts);

#endif
