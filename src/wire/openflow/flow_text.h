/*
 * flow_text.h -- flows, groups, meters and actions as people write them.
 *
 * The language is that of ovs-ofctl (ovs-actions(7), ovs-ofctl(8)):
 *
 *   table=0,priority=100,ip,ip_dst=10.45.0.0/16,actions=set_field:0x11->tun_id,dec_ttl,output:2
 *   group_id=1,type=select,bucket=weight:2,actions=output:1,bucket=weight:1,actions=output:2
 *   meter=1,pktps,burst,bands=type=drop,rate=1000,burst_size=100
 *
 * What of_print_actions(), of_print_instructions(), of_print_group() and of_print_meter() write
 * reads back to the same. Ports may be written by name when the parser is given the switch's ports.
 *
 * Lists come from the parser's arena. No I/O, no state: any thread.
 */
#ifndef STROWGER_WIRE_OPENFLOW_FLOW_TEXT_H
#define STROWGER_WIRE_OPENFLOW_FLOW_TEXT_H

#include "wire/openflow/openflow.h"

#define OF_FLOW_TEXT_PRIORITY 32768 /* of a flow that does not say */

struct of_parser {
    struct arena *arena;          /* for lists; the caller's */
    const struct of_ports *ports; /* whose names are understood; NULL: numbers alone */
    /* After -EINVAL: the part of the text that was not understood, and what was expected there.
     * `at` points into the text given. */
    const char *at;
    size_t len;
    char why[240];
};

/* All of these: 0; -EINVAL with the parser's `at`, `len` and `why`; -ENOMEM when the arena is
 * exhausted. The text is `len` characters at `s`, without terminator. */

/* A port: a number, one of the reserved names in any case, or a port's name. */
int of_parse_port(struct of_parser *p, const char *s, size_t len, uint32_t *port);

/* A match with the words that ovs-ofctl prints beside our own: tp_dst, vlan_tci, nw_tos ... */
int of_parse_flow_match(struct of_parser *p, const char *s, size_t len, struct of_match *match);

/* "drop", or actions separated by commas. */
int of_parse_actions(struct of_parser *p, const char *s, size_t len, struct of_actions *actions);

/* Actions and instructions, in the order of the text. */
int of_parse_instructions(struct of_parser *p, const char *s, size_t len,
                          struct of_instructions *instructions);

/* Which parts a flow's text has. */
enum of_flow_text {
    OF_FLOW_WITH_ACTIONS,    /* actions= must be there */
    OF_FLOW_WITHOUT_ACTIONS, /* they must not: a filter or a delete */
};

/* A flow mod but for its command, which stays as it was unless the text begins with "add",
 * "modify", "modify_strict", "delete" or "delete_strict" (for these two no actions are asked for).
 * What a dump tells beside (duration=, n_packets=, n_bytes=, idle_age=, hard_age=) is passed over.
 */
int of_parse_flow(struct of_parser *p, const char *s, size_t len, enum of_flow_text what,
                  struct of_flow_mod *mod);

/* A group mod, a meter mod, but for the command. */
int of_parse_group(struct of_parser *p, const char *s, size_t len, struct of_group_mod *mod);
int of_parse_meter(struct of_parser *p, const char *s, size_t len, struct of_meter_mod *mod);

/* "table=0,priority=100,ip,in_port=1 actions=output:2", with cookie, timeouts and flags where they
 * are not zero. */
void of_print_flow(struct text *t, const struct of_flow_mod *mod);
/* "group_id=1,type=all,bucket=actions=output:1". */
void of_print_group(struct text *t, uint32_t id, uint8_t type, const struct of_buckets *buckets);
/* "meter=1 kbps bands=type=drop rate=1000". */
void of_print_meter(struct text *t, uint32_t id, uint16_t flags,
                    const struct of_meter_bands *bands);
const char *of_group_type_name(uint8_t type);

#endif
