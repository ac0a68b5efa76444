/*
 * process.h -- how a function starts, runs and ends.
 *
 * Every network function is one process with one loop: `strowger mme -c FILE` reads the file, fills
 * the function's section, opens the control socket RUN_DIR/mme.sock, calls start(), and runs until
 * SIGTERM or SIGINT, when stop() is called and has STOP_GRACE_MS to say good-bye to peers. The
 * frame gives every function the same options, signals, logs and /state, /metrics, /log, /trace.
 *
 * A room fills a struct process and calls process_main() from its VERB_main().
 */
#ifndef STROWGER_BASE_PROCESS_H
#define STROWGER_BASE_PROCESS_H

#include "base/config.h"
#include "base/control.h"

#define STOP_GRACE_MS 1000

struct process_section {
    const char *name; /* top-level key in the file */
    const struct config_schema *schema;
    void *out; /* the struct it is read into */
};

struct process {
    const char *name;     /* "mme": of the verb, the log and the control socket */
    const char *summary;  /* one line for --help */
    const char *examples; /* lines for --help */
    struct process_section sections[4];
    /* Opens doors and spawns fibers. 0 or a negative errno, with the reason logged. */
    int (*start)(struct config *config);
    /* Says good-bye; calls process_stopped() when done. NULL: nothing to say. */
    void (*stop)(void);
    /* The answer to GET /state?what=WHAT (what is NULL when not given); NULL: no such thing, 404. A
     * list of objects is shown as a table. */
    json_t *(*state)(const char *what, const struct control_request *request);
    /* What `what` may be, with a line of help each; NULL name ends. */
    struct process_view {
        const char *what;
        const char *help;
    } const *views;
    const struct control_route *routes; /* more routes, or NULL */
    size_t route_count;
};

/* Options: -c FILE (required), --name NAME (of the instance: its control socket and its log), --log
 * LEVEL, --check (read the configuration and end), --reference (print all keys and end), --help.
 * Returns the exit code. */
int process_main(const struct process *process, int argc, char **argv);

/* For stop(): all good-byes are said. */
void process_stopped(void);

/* Where control sockets and state files of the network `network` lie: $STROWGER_RUN/NETWORK, else
 * /run/strowger/NETWORK for root, $XDG_RUNTIME_DIR/strowger/NETWORK or /tmp/strowger-UID/NETWORK
 * for others. `network` NULL or "" means "default". The directory is made (mode 0700) when
 * `create`. 0 or negative errno. */
int process_run_dir(const char *network, bool create, char *path, size_t size);

/* The name of this instance: --name, else the process's own. */
const char *process_instance(void);

/* The run directory of this process's network, for files that functions keep (restart counters
 * ...). */
const char *process_directory(void);

/* The file's top-level `name:`, or "default". */
const char *process_network_name(const struct config *config);

#endif
