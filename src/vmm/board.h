/*
 * board.h -- what else is on a PC's board that a guest asks for: its clock, its power.
 *
 * Clock: an MC146818 at ports 0x70 and 0x71 that tells the host's time (UTC), and can not be set:
 * guests have kvm-clock, and write the time back when they shut down. Its alarm is not there.
 *
 * Power: four ports, as the ACPI tables tell (acpi.h): sleep control, sleep status, reset, and the
 * events that wait. The guest switching itself off and asking for a reset is told by an eventfd to
 * the loop's thread; the power button is an event to the guest.
 *
 * Debug port 0x80 (POST codes) and the ones that PCs are used to reset by (0x64, 0xcf9) are here,
 * too.
 */
#ifndef STROWGER_VMM_BOARD_H
#define STROWGER_VMM_BOARD_H

#include <pthread.h>

#include "vmm/bus.h"

#define POWER_PORT  0x600u
#define POWER_RESET 2u /* from there: writing 1 resets */
#define POWER_GSI   5u

enum board_event { BOARD_NOTHING, BOARD_OFF, BOARD_RESET };
enum board_notice { BOARD_BUTTON = 1, BOARD_GENERATION = 2 }; /* to the guest */

struct board {
    pthread_mutex_t lock;
    int irq;      /* eventfd: a notice waits for the guest */
    int event_fd; /* readable: `event` is set */
    enum board_event event;
    /* state */
    uint8_t clock_index, notices;
};

/* 0 or negative errno. */
int board_make(struct board *board);
void board_free(struct board *board);
void board_reset(struct board *board);
int board_add(struct board *board, struct bus *ports);

/* Tells the guest. */
void board_notify(struct board *board, enum board_notice notice);

/* What the guest asked for since the last call. */
enum board_event board_take_event(struct board *board);

#endif
