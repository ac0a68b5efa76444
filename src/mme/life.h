/*
 * life.h -- beginning and end of the MME, for mme.c and for tests that run it in their own process.
 */
#ifndef STROWGER_MME_LIFE_H
#define STROWGER_MME_LIFE_H

#include <jansson.h>

#include "base/process.h"
#include "mme/context.h"

/* Starts with mme.config, which has been read: opens S11, S6a and S1AP, in this order, so that no
 * eNodeB is let in before there is somebody to ask. 0 or a negative errno with the reason logged.
 */
int mme_start(struct config *file);

/* Ends all doors and procedures; calls `stopped` when the HSS has been told. */
void mme_stop(void (*stopped)(void));

/* Frees all contexts, after that. */
void mme_free(void);

/* GET /state?what=... (state.c). */
json_t *mme_state(const char *what, const struct control_request *request);
extern const struct process_view mme_views[];
extern const struct control_route mme_routes[];
extern const size_t mme_route_count;

#endif
