/*
 * ports.h -- the switch's ports as a whole: those of the configuration, and those that come and go
 * while it runs.
 *
 * OpenFlow has no message that makes a port; ours come by the control socket:
 *
 *   POST /ports           {"name": "vm7", "type": "vhost-user", "socket": "/run/vm7.sock"}
 *   POST /ports/remove    {"name": "vm7"}
 *
 * The first has the keys of `switch.ports` and is read and checked as those are. Controllers hear
 * PORT_STATUS (OpenFlow 1.3.5 clause 7.4.3). What refers to a port that goes stays: flows drop
 * (no_port), a patch has no peer, a tunnel no underlay, until a port of that name or number is
 * there again. All in the loop's thread.
 */
#ifndef STROWGER_SWITCH_PORTS_H
#define STROWGER_SWITCH_PORTS_H

#include "base/control.h"
#include "switch/port.h"

/* Opens those of the configuration, and looks after link states from then on. 0 or negative errno,
 * with the reason logged. */
int ports_open(void);
void ports_close(void);

/* A port's link went up or down. */
void ports_changed(struct port *port);

void ports_add_request(const struct control_request *request, struct control_answer *answer);
void ports_remove_request(const struct control_request *request, struct control_answer *answer);

#endif
