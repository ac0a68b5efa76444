/*
 * sgw.h -- the Serving Gateway's control plane (TS 23.401 clause 4.4.3.2): the door of the room.
 *
 * The S-GW stands between the MME (S11) and the P-GW (S5), both GTPv2-C, and tells its user planes
 * by PFCP (Sxa) what to do with packets: pass them while the phone is connected, keep them and say
 * so while it sleeps.
 *
 * Inside:
 *
 *     sgw.c             start, stop, state, metrics        context.h/.c  phones, sessions, bearers
 *     run.c             one procedure at a time per phone  program.c     what the user plane is
 * told create_session.c  attach, further PDN connections    repair.c      peers that fail or
 * restart bearers.c         connected, idle, suspended, and requests that are passed on
 *     delete_session.c  by the MME, by the P-GW            paging.c      downlink data for a
 * sleeper
 *
 * One loop, one thread. docs/sgw.md has the configuration and the limits.
 */
#ifndef STROWGER_SGW_SGW_H
#define STROWGER_SGW_SGW_H

#include "base/base.h"
#include "link/path_config.h"

/* `strowger sgw`. */
int sgw_main(int argc, char **argv);

struct sgw_config {
    struct gtpc_path_config s11;
    struct gtpc_path_config s5; /* may be the same address: then one socket serves both */
    struct pfcp_path_config sxa;
    uint32_t max_ues;
    uint32_t max_sessions;
    uint32_t max_procedures; /* that run at the same time; more are refused */
    uint32_t path_hold_ms;   /* how long contexts outlive a peer that does not answer */
    bool log_success;        /* a line for each session created and deleted */
};

/* The section `sgw:`; for `strowger check`. */
extern const struct config_schema sgw_config_schema;

/* The parts of a process, for one that is more than an S-GW (the gateway): opens all doors, with a
 * restart counter in `counter_file` (NULL: from the clock); 0 or negative errno with the reason
 * logged. The configuration must stay. */
int sgw_start(const struct sgw_config *config, const char *counter_file);

/* Closes all doors and forgets all contexts. */
void sgw_stop(void);

/* Views of GET /state: NULL (a summary), "sessions", "peers"; NULL for others. */
json_t *sgw_state(const char *what, const struct control_request *request);

#endif
