/*
 * tap_queue.h -- one of several queues of a TAP or TUN interface, with offloads.
 *
 * Where link/packet_port.h is one descriptor with plain packets, here an interface has as many
 * queues as threads serve it (IFF_MULTI_QUEUE): each is opened by the same name, the kernel sends a
 * flow's packets to one of them, and the interface leaves with the last. A packet comes and goes
 * with a struct offload (IFF_VNET_HDR), so that the stack at the other side hands over and takes
 * TCP super-frames of 64 KiB, not summed yet.
 *
 * Each queue: one thread; sending may come from others, as it is a single write.
 */
#ifndef STROWGER_LINK_TAP_QUEUE_H
#define STROWGER_LINK_TAP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>

#include "link/offload.h"

/* Room for the longest packet with a VLAN tag; one byte more than that tells that none was cut. */
#define TAP_QUEUE_ROOM (65535 + 18 + 1)

struct tap_queue {
    int fd; /* for epoll; -1 when closed */
    int ifindex;
    bool offloads; /* the kernel gives super-frames and open checksums */
    char name[IFNAMSIZ];
};

/* Opens one more queue of `interface` in the namespace `netns` (-1: here), with Ethernet frames
 * (`ethernet`) or IP packets. The first makes the interface, which is brought up and gets `mtu`
 * unless 0. 0 or negative errno (-EPERM, -EBUSY: it is an interface of one queue, which somebody
 * has, -E2BIG: more queues than the kernel has). */
int tap_queue_open(struct tap_queue *q, bool ethernet, const char *interface, int netns,
                   uint16_t mtu);
void tap_queue_close(struct tap_queue *q);

/* A packet into `at`; its length, 0 when none is there, -EMSGSIZE or -EBADMSG when one was lost as
 * it did not fit or its offload was untrue, -ENETDOWN when the interface is down or gone. */
int tap_queue_receive(struct tap_queue *q, uint8_t *at, size_t size, struct offload *offload);

/* 0, -EAGAIN when the queue is full, -EINVAL or -EBADMSG for what is no packet or has an untrue
 * offload, -ENETDOWN as above. */
int tap_queue_send(struct tap_queue *q, const uint8_t *at, size_t len,
                   const struct offload *offload);

#endif
