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

/* A function that is run as a process: its verb, which is also the name of its section in the file.
 */
struct manager_function {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *const *more_sections; /* it reads besides its own; NULL, or NULL ends it */
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
