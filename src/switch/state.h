/*
 * state.h -- what the switch shows of itself: JSON for `strowger show switch`, metrics.
 */
#ifndef STROWGER_SWITCH_STATE_H
#define STROWGER_SWITCH_STATE_H

#include "base/process.h"

json_t *state_json(const char *what, const struct control_request *request);
extern const struct process_view state_views[];

/* Registers the metrics. */
void state_register(void);

#endif
