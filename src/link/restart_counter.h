/*
 * restart_counter.h -- a number that tells one life of a process from the next (TS 23.007 clause
 * 18, TS 29.244 clause 6.2.2).
 *
 * Peers learn from it that a function has started anew and lost its contexts. So it must change at
 * every start, also after a crash, and is kept in a file: GTP's counter counts up (8 bits), PFCP's
 * time stamp is the time of start, moved on by a second when the clock did not move since the last
 * start.
 */
#ifndef STROWGER_LINK_RESTART_COUNTER_H
#define STROWGER_LINK_RESTART_COUNTER_H

#include <stdint.h>

struct restart_counter {
    uint8_t gtp;        /* Recovery */
    uint32_t pfcp_time; /* Recovery Time Stamp, seconds since 1900 */
};

/* Reads the file, counts up, and writes it back before returning (to another name first, then
 * renamed and synchronised). A file that is not there begins at a number taken from the clock; a
 * damaged one too. `path` NULL: from the clock only. 0 or a negative errno when it cannot be kept.
 */
int restart_counter_next(const char *path, struct restart_counter *counter);

#endif
