/*
 * manager.h -- a whole network from one file: the door of the manager.
 *
 * `strowger up FILE` makes the namespaces and links of the file, starts a process for each function
 * that has a section in it, keeps them running, and takes everything away at the end. The other
 * verbs ask the running network: what runs (status), what a function knows (show), what it said
 * (log), which messages passed (trace); and run programs inside it (exec).
 *
 * Which functions there are is told by main.c, once, so that this room needs to know none of them.
 */
#ifndef STROWGER_MANAGER_MANAGER_H
#define STROWGER_MANAGER_MANAGER_H

#include <stddef.h>

/* How one sees that a function has found the peers without which it cannot serve: the answer to a
 * GET has a key that is true, or a number above 0, or a text that holds `text`; in a list one such
 * row is enough. */
struct manager_sign {
    const char *target; /* "/state?what=peers" */
    const char *key;
    const char *text;      /* NULL: any value that is not false, 0 or empty */
    const char *waits_for; /* until then: "the HSS" */
};

/* A function that is run as a process: its verb, which is also the name of its section in the file.
 */
struct manager_function {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *const *more_sections; /* it reads besides its own; NULL, or NULL ends it */
    struct manager_sign ready;        /* target NULL: as soon as it is up */
};

/* The table must stay. In the order in which they are shown. */
void manager_set_functions(const struct manager_function *functions, size_t count);

int up_main(int argc, char **argv);
int down_main(int argc, char **argv);
int check_main(int argc, char **argv);
int status_main(int argc, char **argv);
int show_main(int argc, char **argv);
int log_main(int argc, char **argv);
int trace_main(int argc, char **argv);
int exec_main(int argc, char **argv);

#endif
