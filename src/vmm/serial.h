/*
 * serial.h -- a serial port: 16550A, as PC kernels know it.
 *
 * What the guest writes goes into a buffer that the loop's thread empties; while that is full, the
 * transmitter is busy, as behind a slow modem. What comes in from outside waits in another one
 * until the guest reads it. The interrupt is an edge at each new reason, by irqfd.
 */
#ifndef STROWGER_VMM_SERIAL_H
#define STROWGER_VMM_SERIAL_H

#include <pthread.h>

#include "vmm/bus.h"

#define SERIAL_PORT  0x3f8u
#define SERIAL_PORTS 8u
#define SERIAL_GSI   4u
#define SERIAL_ROOM  16384u /* bytes that may wait in each direction; a power of two */

struct serial_ring {
    uint32_t head, tail; /* count up; modulo SERIAL_ROOM they are places */
    uint8_t at[SERIAL_ROOM];
};

struct serial {
    pthread_mutex_t lock;
    int irq;  /* eventfd of the interrupt */
    int wake; /* eventfd: there is output, or room for input; for the loop's thread */
    /* state */
    uint8_t ier, lcr, mcr, scratch, fcr;
    uint16_t divisor;
    bool thr_empty_pending; /* an interrupt that was not asked about */
    struct serial_ring in, out;
};

/* 0 or negative errno. */
int serial_make(struct serial *serial);
void serial_free(struct serial *serial);
void serial_reset(struct serial *serial);
int serial_add(struct serial *serial, struct bus *ports);

/* What the guest wrote: up to `size` bytes, taken out; their number. */
size_t serial_take(struct serial *serial, uint8_t *at, size_t size);

/* Bytes for the guest; how many fit. */
size_t serial_put(struct serial *serial, const uint8_t *at, size_t size);

#endif
