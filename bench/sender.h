/*
 * sender.h -- frames out of an interface, as cheaply as the kernel lets a program send them.
 *
 * By AF_XDP in copy mode, which spares most of what a packet costs in sendmmsg(); where the kernel
 * has no AF_XDP by an AF_PACKET socket that bypasses the qdisc. Both need nothing of the interface,
 * and the other end of a veth pair sees no difference. One thread.
 */
#ifndef STROWGER_BENCH_SENDER_H
#define STROWGER_BENCH_SENDER_H

#include <stddef.h>
#include <stdint.h>

#define SENDER_BATCH      64
#define SENDER_FRAME_ROOM 2048

/* Opens it in the network namespace that the thread is in. All frames have this length. 0 or
 * negative errno. */
int sender_open(const char *interface, size_t frame_len);

/* Frame number i (below SENDER_BATCH) of the next batch, to be filled: it holds what an earlier
 * batch left in it, or zeros. */
uint8_t *sender_frame(unsigned i);

/* Sends that batch. What the interface refuses is lost, as its counters tell. */
void sender_send(unsigned count);

/* Every frame that sender_frame() will ever give. */
void sender_fill(const uint8_t *frame);

#endif
