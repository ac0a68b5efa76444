/*
 * allocator.h -- TEIDs and meter ids: numbers that somebody outside remembers.
 *
 * A TEID is drawn from a counter that starts at a random number in every life of the controller, so
 * that a phone's old tunnel does not become somebody else's after a restart; TEIDs that are in use,
 * also by flows of an earlier life, are skipped. The map tells whose a TEID is. Meter ids are small
 * numbers, used again lowest first. One thread.
 */
#ifndef STROWGER_CONTROLLER_ALLOCATOR_H
#define STROWGER_CONTROLLER_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct up_teids {
    struct map owners; /* TEID to session id; UP_TEID_* below */
    uint32_t next;
};

#define UP_TEID_FREE     0                /* nobody's */
#define UP_TEID_RESERVED UINT32_MAX       /* a flow of an earlier life uses it */
#define UP_TEID_TAKEN    (UINT32_MAX - 1) /* given out, its session is not known yet */

void up_teids_init(struct up_teids *teids, uint32_t first);
void up_teids_free(struct up_teids *teids);

/* A TEID that nobody uses, never 0; 0 when there is no memory. It is TAKEN. */
uint32_t up_teid_choose(struct up_teids *teids);

/* Takes this very TEID. 0; -EADDRINUSE when a session has it (a reserved one may be claimed);
 * -ENOMEM. */
int up_teid_claim(struct up_teids *teids, uint32_t teid);

/* Tells whose it is. */
void up_teid_assign(struct up_teids *teids, uint32_t teid, uint32_t session);

/* The session, or 0 when it is no session's. */
uint32_t up_teid_owner(const struct up_teids *teids, uint32_t teid);

void up_teid_release(struct up_teids *teids, uint32_t teid);

/* Marks a TEID that nobody has as used by an old flow; up_teids_forget_reserved() ends that for
 * all. */
void up_teid_reserve(struct up_teids *teids, uint32_t teid);
void up_teids_forget_reserved(struct up_teids *teids);

struct up_meters {
    uint64_t *used; /* a bit per id; used or reserved */
    uint64_t *reserved;
    uint32_t first, limit; /* ids first..limit-1 */
    uint32_t lowest;       /* no free id below */
    uint32_t count;
};

/* Ids first..limit-1. 0 or -ENOMEM. */
int up_meters_init(struct up_meters *meters, uint32_t first, uint32_t limit);
void up_meters_free(struct up_meters *meters);

/* 0 when all are used. */
uint32_t up_meter_take(struct up_meters *meters);
void up_meter_release(struct up_meters *meters, uint32_t id);

/* A meter of an earlier life: not to be given out until forgotten. False when it is one of ours. */
bool up_meter_reserve(struct up_meters *meters, uint32_t id);
bool up_meter_is_reserved(const struct up_meters *meters, uint32_t id);
void up_meters_forget_reserved(struct up_meters *meters);

#endif
