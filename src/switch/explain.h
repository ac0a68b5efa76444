/*
 * explain.h -- a packet through the tables on paper: which flow it meets in each, why not another,
 * what the actions do, and what becomes of it.
 *
 * Asked for by `strowger switch trace`, at the control socket:
 *
 *   GET /trace-packet?match=MATCH               the packet is the match's values
 *   GET /trace-packet?packet=HEX&match=MATCH    the packet is a frame; the match adds in_port and
 *                                               the other pipeline fields
 *
 *   {"packet": MATCH,
 *    "tables": [{"table": N, "flow": FLOW, "cookie": "0x..",
 *                "passed_over": [{"flow": FLOW, "why": TEXT}, ...],
 *                "steps": [{"what": ACTION, "effect": TEXT, "depth": N}, ...]}, ...],
 *    "outputs": [PORT, ...], "packet_after": MATCH, "verdict": TEXT}
 *
 * 400 with {"error": TEXT} when the request is not understood. The loop's thread; nothing is sent
 * and no flow's counter moves; the tables count a lookup.
 */
#ifndef STROWGER_SWITCH_EXPLAIN_H
#define STROWGER_SWITCH_EXPLAIN_H

#include <jansson.h>

#include "base/control.h"
#include "switch/datapath.h"

/* The object above; NULL when memory is out. */
json_t *explain_packet(struct datapath *dp, const struct of_key *key);

/* The route's handler. */
void explain_request(const struct control_request *request, struct control_answer *answer);

#endif
