/*
 * gateway.h -- S-GW and P-GW in one process (TS 23.401 clause 4.4.3.1: "the Serving GW and the PDN
 * GW may be implemented in one physical node"): the door of the room.
 *
 * A network that has its gateways at one place saves a process. It is configuration only: both
 * functions run as they are, with the sections `sgw:` and `pgw:` of the same file, and talk to each
 * other on S5 by the loopback sockets. Each has its own addresses, its own associations with the
 * user planes and its own restart counter, so a peer cannot tell the difference.
 */
#ifndef STROWGER_GATEWAY_GATEWAY_H
#define STROWGER_GATEWAY_GATEWAY_H

#include "pgw/pgw.h"
#include "sgw/sgw.h"

/* `strowger gateway`. */
int gateway_main(int argc, char **argv);

/* What both together need, and neither sees alone: addresses of their own. Complains at the file's
 * lines (`file` NULL: to the log). 0 or -EINVAL. */
int gateway_config_check(struct config *file, const struct sgw_config *sgw_config,
                         const struct pgw_config *pgw_config);

/* Both or none. Restart counters are kept in `directory` (NULL: from the clock) as
 * NAME.sgw.restarts and NAME.pgw.restarts. 0 or a negative errno with the reason logged. The
 * configurations must stay. */
int gateway_start(const struct sgw_config *sgw_config, const struct pgw_config *pgw_config,
                  const char *directory, const char *name);
void gateway_stop(void);

/* Views: NULL (the summaries of both), "sgw", "sgw-sessions" and all others of sgw_state(), "pgw",
 * "pgw-pools" and all others of pgw_state(); NULL for what neither has. */
json_t *gateway_state(const char *what, const struct control_request *request);

#endif
