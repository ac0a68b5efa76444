/*
 * inner.h -- what the manager's files share.
 */
#ifndef STROWGER_MANAGER_INNER_H
#define STROWGER_MANAGER_INNER_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/base.h"
#include "manager/manager.h"
#include "manager/network.h"
#include "base/table.h"

#define RUN_PATH_SIZE 300

/* ---- manager.c: the table of functions ---- */

extern const struct manager_function *manager_functions;
extern size_t manager_function_count;

const struct manager_function *manager_find_function(const char *name);

/* The section `manager:`. */
struct manager_config {
    bool restart;
    uint32_t restart_delay_ms, restart_delay_max_ms;
    uint32_t start_timeout_ms;
    uint64_t log_bytes;
};

extern const struct config_schema manager_schema;

/* ---- check.c ---- */

/* Reads and checks the whole file as `strowger check` does, printing what is wrong. Fills what the
 * manager needs of it. 0 or -EINVAL. */
int check_file(const char *file, struct config *config, struct manager_config *manager,
               struct network *network);

/* Does the network of the file have this function? */
bool check_has_function(const struct config *config, const struct manager_function *function);

/* ---- client.c: finding what runs ---- */

/* The directory in which networks have theirs. */
int client_base_directory(char *path, size_t size);

/* The run directory of the network `wanted`, or of the only one that is up when it is NULL. Prints
 * why not; 0 or negative errno. */
int client_find_network(const char *wanted, char *directory, size_t size);

/* GET from a function's (or the manager's) socket in the directory. NULL when nobody answers or it
 * refuses; then, if `why` is not NULL, it says why. */
json_t *client_get(const char *directory, const char *function, const char *target,
                   struct text *why);

/* Names of all control sockets in the directory ("manager" excluded), as a JSON list. */
json_t *client_functions(const char *directory);

/* What the function still waits for before it can serve ("the HSS"); NULL when it is ready. */
const char *client_waits_for(const char *directory, const struct manager_function *function);

/* ---- supervisor.c: the process that keeps the functions running ---- */

enum output {
    OUTPUT_QUIET,    /* only the log file */
    OUTPUT_WARNINGS, /* and what is wrong, and what starts and ends */
    OUTPUT_ALL,      /* and all that functions say */
};

struct supervisor_options {
    const char *file;      /* absolute */
    const char *name;      /* of the network */
    const char *directory; /* its run directory */
    const char *log_level; /* NULL: as the file says */
    bool without_lab;
    enum output output;
    int ready_fd; /* "R" is written when all functions are up; else the reason why not */
    const struct manager_config *config;
    const struct network *network;
    const struct config *file_config;
};

/* Runs until SIGTERM, SIGINT or POST /down; returns the exit code. */
int supervisor_run(const struct supervisor_options *options);

/* ---- status.c ---- */

/* Everything about a network as JSON: the manager's state with each function's summary added. NULL
 * when it is down. */
json_t *status_collect(const char *directory);
void status_print(FILE *to, const json_t *status, struct table_style style);
/* Draws status and the last log lines over what it drew before. */
void status_redraw(FILE *to, const char *directory);

/* ---- log.c ---- */

/* The last lines of the log of the network, at most `count`. */
void log_print_last(FILE *to, const char *directory, size_t count, unsigned width);

/* ---- helpers ---- */

/* "1.2 s", "3 min", "2 h". */
void text_duration(struct text *t, double seconds);

#endif
