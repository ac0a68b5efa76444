/*
 * main.c -- strowger VERB: finds the room and calls its door.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "controller/controller.h"
#include "gateway/gateway.h"
#include "hss/hss.h"
#include "lab/lab.h"
#include "manager/manager.h"
#include "mme/mme.h"
#include "pgw/pgw.h"
#include "sgw/sgw.h"
#include "switch/switch.h"
#include "vmm/vmm.h"

struct verb {
    const char *name;
    int (*main)(int argc, char **argv); /* NULL: a heading of the help */
    const char *summary;
};

static const struct verb verbs[] = {
    {NULL, NULL, "A whole network"},
    {"up", up_main, "start the network of a file; --run lets its lab show that it works"},
    {"down", down_main, "end it"},
    {"check", check_main, "say what is wrong with a file, at which line"},
    {"status", status_main, "what runs, and how it is"},
    {"show", show_main, "what a function knows: subscribers, sessions, flows"},
    {"subscriber", subscriber_main, "add, delete, list and import subscribers (SIMs)"},
    {"exec", exec_main, "run a program inside the network, or as a phone"},
    {"log", log_main, "what the functions have said"},
    {"trace", trace_main, "which messages have passed, as a ladder or for Wireshark"},
    {NULL, NULL, "Virtual machines"},
    {"vm", vm_main, "run unmodified operating systems on KVM"},
    {NULL, NULL, "One function, alone"},
    {"hss", hss_main, "home subscriber server: who may use the network, and their keys"},
    {"mme", mme_main, "mobility management entity: attach, paging, tracking"},
    {"sgw", sgw_main, "serving gateway, control plane"},
    {"pgw", pgw_main, "packet data network gateway, control plane: addresses"},
    {"gateway", gateway_main, "serving and packet data network gateway in one process"},
    {"controller", controller_main, "SDN controller: the gateways' user plane as flows"},
    {"switch", switch_main, "OpenFlow switch with GTP-U tunnels"},
    {"lab", lab_main, "eNodeBs and phones in software"},
};

/* The gateway is S-GW and P-GW in one process: where the file has a section `gateway:`, it runs in
 * their place. */
static const char *const gateway_sections[] = {"sgw", "pgw", NULL};

/* In the order in which a network's functions are shown, with the sign by which each has what it
 * needs. */
static const struct manager_function functions[] = {
    {"hss", hss_main, NULL, {NULL}},
    {"mme", mme_main, NULL, {"/state?what=peers", "state", "Open", "the HSS"}},
    {"sgw", sgw_main, NULL, {"/state", "user_planes_up", NULL, "its user plane"}},
    {"pgw", pgw_main, NULL, {"/state", "user_planes_up", NULL, "its user plane"}},
    {"gateway",
     gateway_main,
     gateway_sections,
     {"/state?what=pgw", "user_planes_up", NULL, "its user plane"}},
    {"controller", controller_main, NULL, {"/state", "ready", NULL, "the switch and its next hop"}},
    {"switch", switch_main, NULL, {NULL}},
    {"lab", lab_main, NULL, {"/state", "enbs_up", NULL, "the MME"}},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void print_help(FILE *to)
{
    fprintf(to,
            "strowger %s: a mobile operator, its network and its tools in one program.\n\n"
            "Usage: strowger VERB [...]        strowger VERB --help tells more\n",
            STROWGER_VERSION);
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (verbs[i].name)
            fprintf(to, "  %-11s %s\n", verbs[i].name, verbs[i].summary);
        else
            fprintf(to, "\n%s\n", verbs[i].summary);
    }
    fprintf(to, "\nTo begin:\n"
                "  strowger up examples/operator.yaml --run\n");
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (verbs[i].name && strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *nearest = NULL;
    unsigned least = 3; /* farther away is no misspelling */

    for (size_t i = 0; i < COUNT(verbs); i++) {
        unsigned d = verbs[i].name ? word_distance(name, verbs[i].name) : WORD_DISTANCE_FAR;
        if (d < least) {
            least = d;
            nearest = verbs[i].name;
        }
    }
    if (nearest)
        fprintf(stderr, "strowger: there is no verb '%s'; did you mean '%s'?\n", name, nearest);
    else
        fprintf(stderr, "strowger: there is no verb '%s' (see strowger --help)\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    manager_set_functions(functions, COUNT(functions));
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (strcmp(name, "help") == 0 && argc == 2)) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        printf("strowger %s\n", STROWGER_VERSION);
        return 0;
    }
    if (strcmp(name, "help") == 0) { /* strowger help VERB */
        char help[] = "--help";
        char *arguments[] = {argv[2], help, NULL};
        const struct verb *about = find_verb(argv[2]);
        return about ? about->main(2, arguments) : unknown_verb(argv[2]);
    }
    const struct verb *verb = find_verb(name);
    return verb ? verb->main(argc - 1, argv + 1) : unknown_verb(name);
}
