/*
 * ofctl.c -- see ofctl.h: the verbs of `strowger switch`, their options, and how a target is found.
 *
 * A target is an address (tcp:HOST:PORT, HOST:PORT, unix:PATH) or the name of a function of a
 * running network: its control socket tells at which addresses the switch listens.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/un.h>

#include "switch/ofctl.h"

#define COUNT(a)        (sizeof(a) / sizeof((a)[0]))
#define TIMEOUT_MS      10000
#define SOCKET_PATH_MAX 400

static const struct verb {
    const char *name;
    const char *arguments;
    const char *summary;
    int least, most;                                    /* arguments behind the target */
    int (*run)(struct ofctl *c, int argc, char **argv); /* NULL: trace, or */
    /* what asks a running switch at its control socket */
    int (*ask)(const struct ofctl_options *options, const char *socket, int argc, char **argv);
} verbs[] = {
    {"show", "", "features, configuration, ports", 0, 0, ofctl_show, NULL},
    {"dump-desc", "", "who made it", 0, 0, ofctl_dump_desc, NULL},
    {"dump-ports", "[PORT]", "counters of ports", 0, 1, ofctl_dump_ports, NULL},
    {"dump-tables", "", "tables that are in use", 0, 0, ofctl_dump_tables, NULL},
    {"dump-flows", "[MATCH]", "flows; MATCH may have table=, cookie=, out_port=, out_group=", 0, 1,
     ofctl_dump_flows, NULL},
    {"dump-aggregate", "[MATCH]", "how many flows, packets, octets", 0, 1, ofctl_dump_aggregate,
     NULL},
    {"add-flow", "FLOW", "add a flow: \"priority=5,ip,in_port=1,actions=output:2\"", 1, 1,
     ofctl_add_flow, NULL},
    {"add-flows", "FILE|-", "add the flows of a file, one a line", 1, 1, ofctl_add_flows, NULL},
    {"mod-flows", "FLOW", "give flows other actions", 1, 1, ofctl_mod_flows, NULL},
    {"del-flows", "[FLOW]", "take flows out", 0, 1, ofctl_del_flows, NULL},
    {"replace-flows", "FILE|-", "make the flows those of a file", 1, 1, ofctl_replace_flows, NULL},
    {"diff-flows", "FILE|-", "what replace-flows would change; exit code 2 if something", 1, 1,
     ofctl_diff_flows, NULL},
    {"dump-groups", "", "groups and their buckets", 0, 0, ofctl_dump_groups, NULL},
    {"dump-group-stats", "[GROUP]", "counters of groups", 0, 1, ofctl_dump_group_stats, NULL},
    {"add-group", "GROUP", "add a group: \"group_id=1,type=all,bucket=output:1,bucket=output:2\"",
     1, 1, ofctl_add_group, NULL},
    {"mod-group", "GROUP", "give a group other buckets", 1, 1, ofctl_mod_group, NULL},
    {"del-groups", "[GROUP]", "take out a group, or all", 0, 1, ofctl_del_groups, NULL},
    {"dump-meters", "", "meters and their bands", 0, 0, ofctl_dump_meters, NULL},
    {"meter-stats", "[METER]", "counters of meters", 0, 1, ofctl_meter_stats, NULL},
    {"add-meter", "METER", "add a meter: \"meter=1,kbps,bands=type=drop,rate=1000\"", 1, 1,
     ofctl_add_meter, NULL},
    {"mod-meter", "METER", "give a meter other bands", 1, 1, ofctl_mod_meter, NULL},
    {"del-meters", "[METER]", "take out a meter, or all", 0, 1, ofctl_del_meters, NULL},
    {"mod-port", "PORT WORD", "up, down, [no-]receive, [no-]forward, [no-]packet-in", 2, 2,
     ofctl_mod_port, NULL},
    {"packet-out", "PACKET", "\"in_port=1,packet=HEX,actions=output:2\"", 1, 1, ofctl_packet_out,
     NULL},
    {"monitor", "", "packet-ins, port status, flows that go (--count N ends it)", 0, 0,
     ofctl_monitor, NULL},
    {"get-role", "", "our role, and the generation", 0, 0, ofctl_get_role, NULL},
    {"set-role", "ROLE [GENERATION]", "equal, master, slave: is it granted?", 1, 2, ofctl_set_role,
     NULL},
    {"ping", "", "echo round trips (--count N)", 0, 0, ofctl_ping, NULL},
    {"probe", "", "is there an OpenFlow switch? (an echo)", 0, 0, ofctl_ping, NULL},
    {"trace", "MATCH|--packet HEX", "a packet through the tables, with the reason of each decision",
     1, 3, NULL, NULL},
    {"add-port", "KEY=VALUE ...", "a port more: name=vm7 type=vhost-user socket=/run/vm7.sock", 1,
     24, NULL, ofctl_add_port},
    {"del-port", "NAME", "a port less; flows that name it stay", 1, 1, NULL, ofctl_del_port},
    {"mirror", "[WORD ...] FILE|-",
     "packets as they pass, as pcapng: port=NAME direction=in|out|both drops snaplen=N count=N "
     "seconds=N",
     1, 16, NULL, ofctl_mirror},
    {"drops", "[SECONDS]", "why packets are dropped now: by port, table and flow (5 s)", 0, 1, NULL,
     ofctl_drops},
};

/* ---- messages for people ---- */

int ofctl_fail(const char *format, ...)
{
    char buffer[1024];
    struct text t = text_in(buffer, sizeof(buffer));
    va_list arguments;

    va_start(arguments, format);
    text_vadd(&t, format, arguments);
    va_end(arguments);
    fflush(stdout);
    fprintf(stderr, "strowger: %s\n", buffer);
    return 1;
}

int ofctl_fail_at(const struct ofctl *c, const struct of_parser *p, const char *text, size_t len,
                  uint32_t line)
{
    size_t before = p->at >= text && p->at <= text + len ? (size_t)(p->at - text) : 0;

    fflush(stdout);
    if (c->file && line)
        fprintf(stderr, "%s:%u: %s\n", c->file, line, p->why);
    else
        fprintf(stderr, "strowger: %s\n", p->why);
    fprintf(stderr, "  %.*s\n  %*s^", (int)len, text, (int)before, "");
    for (size_t i = 1; i < p->len; i++)
        fputc('~', stderr);
    fputc('\n', stderr);
    return 1;
}

void ofctl_print_help(FILE *to)
{
    fprintf(to,
            "\nTools for any OpenFlow 1.3 switch: strowger switch VERB TARGET [...]\n"
            "  TARGET is tcp:HOST:PORT, HOST:PORT, unix:PATH, or the name of a running switch\n\n");
    for (size_t i = 0; i < COUNT(verbs); i++)
        fprintf(to, "  %-16s %-18s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].summary);
    fprintf(to,
            "\n"
            "  --json           dumps as JSON\n"
            "  --names          ports by name, in what is written and what is read\n"
            "  --bundle         all changes or none, in one atomic bundle\n"
            "  --strict         mod-flows, del-flows: the one flow with this match and priority\n"
            "  --count N        monitor, ping: end after N\n"
            "  --timeout S      for the connection and each answer (10 s)\n"
            "  -n NETWORK       where TARGET is the name of a switch\n");
}

static const struct verb *find_verb(const char *word)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(verbs[i].name, word) == 0)
            return &verbs[i];
    return NULL;
}

bool ofctl_is_verb(const char *word)
{
    return find_verb(word) != NULL;
}

int ofctl_unknown(const char *word)
{
    const char *nearest = NULL;
    unsigned least = 4;

    for (size_t i = 0; i < COUNT(verbs); i++) {
        unsigned d = word_distance(word, verbs[i].name);

        if (d < least) {
            least = d;
            nearest = verbs[i].name;
        }
    }
    ofctl_fail("switch: there is no verb '%s'%s%s%s", word, nearest ? "; did you mean '" : "",
               nearest ? nearest : " (see strowger switch --help)", nearest ? "'?" : "");
    return 2;
}

/* ---- targets ---- */

/* Does somebody answer at NETWORK's control socket for this function? */
static bool answers(const char *directory, const char *function, char *path, size_t size)
{
    json_t *state = NULL;
    int n = snprintf(path, size, "%s/%s.sock", directory, function);

    if (n > 0 && (size_t)n < size)
        state = control_get_json(path, "/state");
    json_decref(state);
    return state != NULL;
}

/* Looks through all networks for a function of this name. The number found; the path of the
 * first. */
static unsigned search(const char *base, const char *function, char *path, size_t size)
{
    DIR *dir = opendir(base);
    struct dirent *entry;
    unsigned found = 0;

    while (dir && (entry = readdir(dir))) {
        char directory[SOCKET_PATH_MAX], candidate[SOCKET_PATH_MAX];

        if (entry->d_name[0] == '.' ||
            snprintf(directory, sizeof(directory), "%s/%s", base, entry->d_name) >=
                (int)sizeof(directory) ||
            !answers(directory, function, candidate, sizeof(candidate)))
            continue;
        if (found++ == 0)
            snprintf(path, size, "%s", candidate);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* The control socket of a running function. 0, or 1 after saying why not. */
static int find_socket(const struct ofctl_options *o, const char *function, char *path, size_t size)
{
    char directory[SOCKET_PATH_MAX];
    unsigned found;
    int err = process_run_dir(o->network ? o->network : "x", false, directory, sizeof(directory));

    if (err < 0)
        return ofctl_fail("%s", strerror(-err));
    if (o->network) {
        found = answers(directory, function, path, size);
    } else {
        *strrchr(directory, '/') = '\0';
        found = search(directory, function, path, size);
    }
    if (found == 0)
        return ofctl_fail(
            "'%s' is no address (tcp:HOST:PORT, HOST:PORT, unix:PATH), and no switch of "
            "this name runs",
            function);
    if (found > 1)
        return ofctl_fail("several networks have '%s': say which with -n NETWORK", function);
    return 0;
}

static bool parse_address(const char *text, struct sockaddr_storage *address)
{
    static const char local_host[] = "localhost:";
    const struct config_field field = {.name = "target"};
    char buffer[256], refusal[256];
    struct text whole = text_in(buffer, sizeof(buffer)), why = text_in(refusal, sizeof(refusal));
    struct sockaddr_un *local = (struct sockaddr_un *)address;

    memset(address, 0, sizeof(*address));
    if (strncmp(text, "unix:", 5) == 0 && strlen(text) < sizeof(local->sun_path)) {
        local->sun_family = AF_UNIX;
        strcpy(local->sun_path, text + 5);
        return true;
    }
    if (strncmp(text, "tcp:", 4) == 0)
        text += 4;
    if (strncmp(text, local_host, sizeof(local_host) - 1) == 0)
        text_add(&whole, "127.0.0.1:%s", text + sizeof(local_host) - 1);
    else
        text_add(&whole, "%s", text);
    if (!strchr(text, ':') || text[strlen(text) - 1] == ']')
        text_add(&whole, ":%d", OPENFLOW_PORT);
    return config_endpoint.parse(&field, buffer, address, &why);
}

/* Where the running switch listens, by its state. */
static int ask_for_address(const char *socket, const char *function,
                           struct sockaddr_storage *address)
{
    json_t *state = control_get_json(socket, "/state");
    const char *text = json_string_value(json_array_get(json_object_get(state, "listen"), 0));
    bool found = text && parse_address(text, address);

    json_decref(state);
    if (!found)
        return ofctl_fail("'%s' listens at no address: give it one in its file (switch: listen: "
                          "[127.0.0.1:6654])",
                          function);
    return 0;
}

static int find_target(const struct ofctl_options *o, const char *target,
                       struct sockaddr_storage *address)
{
    char socket[SOCKET_PATH_MAX];

    if (parse_address(target, address))
        return 0;
    if (find_socket(o, target, socket, sizeof(socket)) != 0)
        return 1;
    return ask_for_address(socket, target, address);
}

/* ---- running a verb ---- */

struct job {
    struct ofctl c;
    const struct verb *verb;
    struct sockaddr_storage address;
    int argc;
    char **argv;
};

static void run_in_fiber(void *argument)
{
    struct job *job = argument;
    int code = ofctl_connect(&job->c, (struct sockaddr *)&job->address);

    if (code == 0 && job->c.options.names)
        code = ofctl_learn_ports(&job->c);
    if (code == 0)
        code = job->verb->run(&job->c, job->argc, job->argv);
    ofctl_close(&job->c);
    loop_stop(code);
}

static int run(struct job *job)
{
    int code;

    log_init("ofctl", LOG_ERROR);
    if (loop_init() < 0)
        return ofctl_fail("no event loop");
    if (!fiber_spawn("ofctl", run_in_fiber, job))
        return ofctl_fail("no memory");
    code = loop_run();
    loop_free();
    fiber_free_stacks();
    if (fflush(stdout) != 0)
        return ofctl_fail("the output could not be written: %s", strerror(errno));
    return code;
}

static int usage(const struct verb *verb)
{
    fprintf(stderr,
            "Usage: strowger switch %s TARGET %s\n  %s\n(strowger switch --help tells more)\n",
            verb->name, verb->arguments, verb->summary);
    return 2;
}

/* The value of an option that is a number. */
static bool take_number(const char *text, uint64_t max, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    if (end == text || *end || *text == '-' || errno || *number > max) {
        ofctl_fail("'%s' is not a number up to %llu", text, (unsigned long long)max);
        return false;
    }
    return true;
}

/* True when the options are understood. `packet` is trace's own. */
static bool take_options(int argc, char **argv, struct ofctl_options *o, char **packet)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"names", no_argument, NULL, 'N'},
                                          {"bundle", no_argument, NULL, 'b'},
                                          {"strict", no_argument, NULL, 's'},
                                          {"count", required_argument, NULL, 'c'},
                                          {"timeout", required_argument, NULL, 't'},
                                          {"network", required_argument, NULL, 'n'},
                                          {"packet", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
    uint64_t number = 0;
    bool good = true;
    int option;

    optind = 1;
    while (good && (option = getopt_long(argc, argv, "n:", longs, NULL)) != -1) {
        o->json |= option == 'j';
        o->names |= option == 'N';
        o->bundle |= option == 'b';
        o->strict |= option == 's';
        if (option == 'n')
            o->network = optarg;
        if (option == 'p')
            *packet = optarg;
        if (option == 'c' && (good = take_number(optarg, UINT32_MAX, &number)))
            o->count = number;
        if (option == 't' && (good = take_number(optarg, 86400, &number)))
            o->timeout_ms = (uint32_t)number * 1000;
        good &= option != '?';
    }
    return good;
}

static int run_trace(const struct verb *verb, const struct ofctl_options *o, char *packet, int argc,
                     char **argv)
{
    char socket[SOCKET_PATH_MAX];
    char *arguments[] = {packet, argc > 1 ? argv[1] : NULL};

    if (argc < 1 || argc > 2 || (argc == 1 && !packet))
        return usage(verb);
    if (find_socket(o, argv[0], socket, sizeof(socket)) != 0)
        return 1;
    return ofctl_trace(o, socket, 2, arguments);
}

/* A verb for a switch of ours, at its control socket. */
static int run_ask(const struct verb *verb, const struct ofctl_options *o, int argc, char **argv)
{
    char socket[SOCKET_PATH_MAX];
    struct sockaddr_storage address;

    if (argc < 1 || argc - 1 < verb->least || argc - 1 > verb->most)
        return usage(verb);
    if (parse_address(argv[0], &address))
        return ofctl_fail("%s: this asks a Strowger switch by its name, not by an address",
                          verb->name);
    if (find_socket(o, argv[0], socket, sizeof(socket)) != 0)
        return 1;
    return verb->ask(o, socket, argc - 1, argv + 1);
}

int ofctl_main(int argc, char **argv)
{
    static struct job job;
    const struct verb *verb = find_verb(argv[0]);
    char *packet = NULL;

    job.c.options.timeout_ms = TIMEOUT_MS;
    if (!take_options(argc, argv, &job.c.options, &packet))
        return usage(verb);
    argc -= optind;
    argv += optind;
    if (verb->ask && !packet)
        return run_ask(verb, &job.c.options, argc, argv);
    if (!verb->run && !verb->ask)
        return run_trace(verb, &job.c.options, packet, argc, argv);
    if (argc < 1 || argc - 1 < verb->least || argc - 1 > verb->most || packet || !verb->run)
        return usage(verb);
    if (find_target(&job.c.options, argv[0], &job.address) != 0)
        return 1;
    job.c.target = argv[0];
    job.c.out = stdout;
    job.verb = verb;
    job.argc = argc - 1;
    job.argv = argv + 1;
    return run(&job);
}
