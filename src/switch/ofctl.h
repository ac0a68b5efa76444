/*
 * ofctl.h -- `strowger switch VERB TARGET ...`: tools that speak OpenFlow 1.3 to any switch.
 *
 * A verb is a row of a table in ofctl.c and a function that runs in a fiber with a channel that is
 * up: it sends requests, waits for answers, and returns the exit code. What several verbs need is
 * here: requests, dumps that come in parts, changes that are sent one behind the other with their
 * errors found by transaction id, and rows of output as lines, tables or JSON.
 *
 *   ofctl.c          the verbs, options, targets
 *   ofctl_session.c  the channel: requests, dumps, errors
 *   ofctl_change.c   flows, groups, meters, ports: what changes a switch
 *   ofctl_dump.c     what shows it
 *   ofctl_diff.c     a switch beside a file
 *   ofctl_monitor.c  what the switch tells by itself; packets out; echoes; `trace`
 *   ofctl_print.c    rows
 *   ofctl_mirror.c   packets as they pass, from the control socket of a switch of ours
 *   ofctl_drops.c    why it drops packets
 *   ofctl_ports.c    ports that come and go
 *
 * Inner header of the switch. One process, one loop, one fiber.
 */
#ifndef STROWGER_SWITCH_OFCTL_H
#define STROWGER_SWITCH_OFCTL_H

#include <jansson.h>
#include <stdio.h>

#include "base/base.h"
#include "base/table.h"
#include "link/openflow_channel.h"
#include "wire/openflow/flow_text.h"

/* Is the word one of the verbs? */
bool ofctl_is_verb(const char *word);
/* argv[0] is the verb. Returns the exit code. */
int ofctl_main(int argc, char **argv);
/* Says that there is no such verb; the exit code. */
int ofctl_unknown(const char *word);
/* The verbs, for --help. */
void ofctl_print_help(FILE *to);

struct ofctl_options {
    const char *network; /* of a TARGET that is a function's name; NULL: the one that runs */
    bool json, names, bundle, strict;
    uint32_t timeout_ms; /* for the connection and for each answer */
    uint64_t count;      /* monitor, ping: ends after so many; 0: never, or 4 */
};

struct ofctl_sent {
    uint32_t xid, line;
};

struct ofctl {
    struct ofctl_options options;
    const char *target;
    struct openflow_channel *channel;
    struct await up;
    bool is_up;
    int down;                /* why it is not, negative errno */
    struct arena arena;      /* of one answer, or one line */
    struct arena port_arena; /* of the ports, */
    struct of_ports ports;   /* which are asked for when names are wanted */
    uint8_t *buffer;         /* OFP_MAX_MESSAGE bytes to encode in */
    FILE *out;

    /* Messages that the switch sends by itself; NULL: they are not looked at. */
    void (*receive)(struct ofctl *c, const struct of_message *m);

    /* Changes that were sent and not yet confirmed. */
    const char *file; /* where they come from; NULL: the command line */
    struct ofctl_sent *sent;
    size_t sent_count, sent_room;
    uint32_t bundle_id; /* 0: no bundle */
    uint64_t refused;   /* of them, by the switch */
};

/* Says what is wrong, on stderr, with the program's name before it. Returns 1, an exit code. */
__attribute__((format(printf, 1, 2))) int ofctl_fail(const char *format, ...);
/* The same for a text that was not understood: shows it with the part underlined. `line` 0: none.
 */
int ofctl_fail_at(const struct ofctl *c, const struct of_parser *p, const char *text, size_t len,
                  uint32_t line);

/* ---- ofctl_session.c; 0, or an exit code after saying what went wrong ---- */

int ofctl_connect(struct ofctl *c, const struct sockaddr *address);
void ofctl_close(struct ofctl *c);

/* Sends a message and waits for its answer, which is decoded into the arena (that is reset
 * first). */
int ofctl_request(struct ofctl *c, struct of_message *m, struct of_message *answer);

/* Asks for something that comes in parts; `each` is called with every part. It may not wait. */
int ofctl_dump(struct ofctl *c, const struct of_multipart *request,
               void (*each)(void *context, const struct of_multipart *part), void *context);

/* Learns the ports, for names. */
int ofctl_learn_ports(struct ofctl *c);
struct of_parser ofctl_parser(struct ofctl *c);

/* Changes: begin, send each, end. `line` of the file is for errors. The end waits until the switch
 * has done all, and tells which was refused first. */
int ofctl_changes_begin(struct ofctl *c);
int ofctl_change(struct ofctl *c, struct of_message *m, uint32_t line);
int ofctl_changes_end(struct ofctl *c);

/* ---- ofctl_print.c ---- */

/* Rows on their way to the output. */
struct ofctl_rows {
    struct ofctl *c;
    enum { ROWS_LINES, ROWS_TABLE, ROWS_JSON } form;
    json_t *batch; /* of a table: what was not printed yet */
    uint64_t count;
};

struct ofctl_rows ofctl_rows_begin(struct ofctl *c);
/* A row, taken over. As a line it is its names and values, unless `line` says it better. */
void ofctl_row(struct ofctl_rows *rows, json_t *row, const char *line);
/* A line alone, when the form is ROWS_LINES: for dumps that need no JSON then. */
void ofctl_line(struct ofctl_rows *rows, const char *line);
void ofctl_rows_end(struct ofctl_rows *rows);
/* One object: names and values, or JSON. Taken over. */
void ofctl_object(struct ofctl *c, json_t *object);

/* Puts the ports' names in place of numbers in a text that our printers made, when names are
 * wanted. `to` has `size` bytes; returns the text to print. */
const char *ofctl_named(const struct ofctl *c, const char *text, char *to, size_t size);

/* ---- the verbs: argv[0] is what stands behind the target ---- */

int ofctl_show(struct ofctl *c, int argc, char **argv);
int ofctl_dump_desc(struct ofctl *c, int argc, char **argv);
int ofctl_dump_ports(struct ofctl *c, int argc, char **argv);
int ofctl_dump_tables(struct ofctl *c, int argc, char **argv);
int ofctl_dump_flows(struct ofctl *c, int argc, char **argv);
int ofctl_dump_aggregate(struct ofctl *c, int argc, char **argv);
int ofctl_dump_groups(struct ofctl *c, int argc, char **argv);
int ofctl_dump_group_stats(struct ofctl *c, int argc, char **argv);
int ofctl_dump_meters(struct ofctl *c, int argc, char **argv);
int ofctl_meter_stats(struct ofctl *c, int argc, char **argv);

int ofctl_add_flow(struct ofctl *c, int argc, char **argv);
int ofctl_add_flows(struct ofctl *c, int argc, char **argv);
int ofctl_mod_flows(struct ofctl *c, int argc, char **argv);
int ofctl_del_flows(struct ofctl *c, int argc, char **argv);
int ofctl_add_group(struct ofctl *c, int argc, char **argv);
int ofctl_mod_group(struct ofctl *c, int argc, char **argv);
int ofctl_del_groups(struct ofctl *c, int argc, char **argv);
int ofctl_add_meter(struct ofctl *c, int argc, char **argv);
int ofctl_mod_meter(struct ofctl *c, int argc, char **argv);
int ofctl_del_meters(struct ofctl *c, int argc, char **argv);
int ofctl_mod_port(struct ofctl *c, int argc, char **argv);

int ofctl_replace_flows(struct ofctl *c, int argc, char **argv);
int ofctl_diff_flows(struct ofctl *c, int argc, char **argv);

int ofctl_monitor(struct ofctl *c, int argc, char **argv);
int ofctl_packet_out(struct ofctl *c, int argc, char **argv);
int ofctl_ping(struct ofctl *c, int argc, char **argv);
int ofctl_get_role(struct ofctl *c, int argc, char **argv);
int ofctl_set_role(struct ofctl *c, int argc, char **argv);

/* ports of a running switch of ours, by its control socket */
int ofctl_add_port(const struct ofctl_options *options, const char *socket, int argc, char **argv);
int ofctl_del_port(const struct ofctl_options *options, const char *socket, int argc, char **argv);

/* `trace`, which asks the running switch at its control socket. */
int ofctl_trace(const struct ofctl_options *options, const char *socket, int argc, char **argv);
/* `mirror` and `drops`, which have it send packets there. */
int ofctl_mirror(const struct ofctl_options *options, const char *socket, int argc, char **argv);
int ofctl_drops(const struct ofctl_options *options, const char *socket, int argc, char **argv);

#endif
