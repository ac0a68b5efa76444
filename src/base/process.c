/*
 * process.c -- the frame of every function; process.h tells what it does.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/process.h"
#include "base/trace.h"

#define DEFAULT_TRACE_BYTES ((size_t)8 * 1024 * 1024)
#define TRACE_PAGE          2000 /* records in one answer */
#define METRICS_SIZE        ((size_t)256 * 1024)
#define MAX_SECTIONS        (sizeof(((struct process *)0)->sections) / sizeof(struct process_section))

static struct {
    const struct process *process;
    const char *name;
    char directory[256];
    uv_signal_t terminate, interrupt;
    struct timer grace;
    uint64_t started_us;
    bool stopping;
} self;

struct options {
    const char *file;
    const char *name;
    const char *log;
    bool check;
    bool reference;
};

static void print_help(const struct process *p)
{
    printf("%s\n\nUsage: strowger %s -c FILE [options]\n\n"
           "  -c, --config FILE   the network's configuration (sections:",
           p->summary, p->name);
    for (size_t i = 0; i < MAX_SECTIONS && p->sections[i].name; i++)
        printf(" %s:", p->sections[i].name);
    printf(")\n"
           "      --name NAME     name of this instance, when there are several (default %s)\n"
           "      --log LEVEL     error, warn, info or debug\n"
           "      --check         read the configuration, say what is wrong, and end\n"
           "      --reference     print every key of the section and end\n"
           "  -h, --help          this text\n",
           p->name);
    if (p->views) {
        printf("\n`strowger show %s` and its views:\n", p->name);
        for (size_t i = 0; p->views[i].what; i++)
            printf("  %-18s  %s\n", p->views[i].what, p->views[i].help);
    }
    if (p->examples)
        printf("\nExamples:\n%s", p->examples);
}

/* 0: go on; 1: done; -1: wrong usage. */
static int read_options(const struct process *p, int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"log", required_argument, NULL, 'l'},
                                          {"check", no_argument, NULL, 'k'},
                                          {"reference", no_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            options->file = optarg;
            break;
        case 'n':
            options->name = optarg;
            break;
        case 'l':
            options->log = optarg;
            break;
        case 'k':
            options->check = true;
            break;
        case 'r':
            options->reference = true;
            break;
        case 'h':
            print_help(p);
            return 1;
        default:
            return -1;
        }
    }
    if (!options->file && !options->reference) {
        fprintf(stderr, "strowger %s: no configuration; say -c FILE (see --help)\n", p->name);
        return -1;
    }
    return 0;
}

static int print_reference(const struct process *p)
{
    char *buffer = malloc(METRICS_SIZE);

    if (!buffer)
        return 1;
    struct text t = text_in(buffer, METRICS_SIZE);
    for (size_t i = 0; i < MAX_SECTIONS && p->sections[i].name; i++)
        config_print_reference(p->sections[i].schema, &t);
    fputs(buffer, stdout);
    free(buffer);
    return 0;
}

static void answer_state(const struct control_request *request, struct control_answer *answer)
{
    const char *what = control_argument(request, "what");
    json_t *state = self.process->state ? self.process->state(what, request) : NULL;

    if (state)
        answer->json = state;
    else
        control_refuse(answer, 404, "%s has no view '%s'", self.name, what ? what : "");
}

static void answer_metrics(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    answer->text = malloc(METRICS_SIZE);
    if (!answer->text) {
        control_refuse(answer, 503, "out of memory");
        return;
    }
    struct text t = text_in(answer->text, METRICS_SIZE);
    metric_print(&t);
    answer->text_len = t.len;
    answer->content_type = "text/plain; version=0.0.4";
}

static void add_line(const char *line, void *argument)
{
    json_array_append_new(argument, json_string(line));
}

static void answer_log(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    answer->json = json_array();
    log_recent(add_line, answer->json);
}

static void answer_trace(const struct control_request *request, struct control_answer *answer)
{
    const char *after = control_argument(request, "after");

    answer->json = trace_json(after ? strtoull(after, NULL, 10) : 0,
                              control_argument(request, "imsi"), TRACE_PAGE);
}

static void answer_process(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    answer->json = json_pack("{s:s,s:s,s:s,s:i,s:f}", "name", self.name, "function",
                             self.process->name, "version", STROWGER_VERSION, "pid", (int)getpid(),
                             "uptime_s", (double)(clock_now_us() - self.started_us) / 1e6);
}

static void answer_views(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    answer->json = json_array();
    for (size_t i = 0; self.process->views && self.process->views[i].what; i++)
        json_array_append_new(answer->json,
                              json_pack("{s:s,s:s}", "what", self.process->views[i].what, "help",
                                        self.process->views[i].help));
}

static const struct control_route common_routes[] = {
    {"GET", "/state", answer_state},     {"GET", "/metrics", answer_metrics},
    {"GET", "/log", answer_log},         {"GET", "/trace", answer_trace},
    {"GET", "/process", answer_process}, {"GET", "/views", answer_views},
};

void process_stopped(void)
{
    loop_stop(0);
}

static void grace_is_over(struct timer *timer)
{
    (void)timer;
    process_stopped();
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)signal;
    (void)number;
    if (self.stopping || !self.process->stop) {
        process_stopped();
        return;
    }
    self.stopping = true;
    timer_start(&self.grace, STOP_GRACE_MS, grace_is_over);
    self.process->stop();
}

static int make_directory(const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    return 0;
}

int process_run_dir(const char *network, bool create, char *path, size_t size)
{
    const char *given = getenv("STROWGER_RUN");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char base[200];
    int n;

    if (given && given[0])
        n = snprintf(base, sizeof(base), "%s", given);
    else if (geteuid() == 0)
        n = snprintf(base, sizeof(base), "/run/strowger");
    else if (runtime && runtime[0])
        n = snprintf(base, sizeof(base), "%s/strowger", runtime);
    else
        n = snprintf(base, sizeof(base), "/tmp/strowger-%u", (unsigned)geteuid());
    if (n < 0 || (size_t)n >= sizeof(base))
        return -ENAMETOOLONG;
    n = snprintf(path, size, "%s/%s", base, network && network[0] ? network : "default");
    if (n < 0 || (size_t)n >= size)
        return -ENAMETOOLONG;
    if (!create)
        return 0;
    int err = make_directory(base);
    return err < 0 ? err : make_directory(path);
}

const char *process_instance(void)
{
    return self.name;
}

const char *process_directory(void)
{
    return self.directory;
}

const char *process_network_name(const struct config *config)
{
    const char *name = config_scalar(config, "name");

    return name && name[0] ? name : "default";
}

static int read_config(const struct process *p, struct config *config)
{
    int err = 0;

    for (size_t i = 0; i < MAX_SECTIONS && p->sections[i].name; i++) {
        if (config_read(config, p->sections[i].name, p->sections[i].schema, p->sections[i].out) < 0)
            err = -EINVAL;
    }
    return err;
}

static int init_log(const struct config *config, const struct options *options)
{
    const char *wanted = options->log ? options->log : config_scalar(config, "log");
    enum log_level level = LOG_INFO;

    if (wanted && log_level_parse(wanted, &level) < 0) {
        fprintf(stderr, "%s: log: %s is none of: error warn info debug\n", config_file(config),
                wanted);
        return -EINVAL;
    }
    log_init(self.name, level);
    return 0;
}

static int init_trace(struct config *config)
{
    const char *wanted = config_scalar(config, "trace");
    const struct config_field field = {.name = "trace", .size = sizeof(uint64_t)};
    char buffer[100];
    struct text why = text_in(buffer, sizeof(buffer));
    uint64_t bytes = DEFAULT_TRACE_BYTES;

    if (wanted && strcmp(wanted, "off") == 0)
        bytes = 0;
    else if (wanted && !config_size.parse(&field, wanted, &bytes, &why)) {
        config_complain(config, "trace", NULL, "%s is neither %s nor 'off'", wanted,
                        config_size.expected);
        return -EINVAL;
    }
    return trace_init(bytes);
}

static int open_control(const struct process *p, const struct config *config)
{
    char path[sizeof(self.directory) + 80];

    int err =
        process_run_dir(process_network_name(config), true, self.directory, sizeof(self.directory));
    if (err < 0) {
        log_error("cannot make the run directory %s: %s", self.directory, strerror(-err));
        return err;
    }
    snprintf(path, sizeof(path), "%s/%s.sock", self.directory, self.name);
    control_add_routes(common_routes, sizeof(common_routes) / sizeof(common_routes[0]));
    if (p->routes)
        control_add_routes(p->routes, p->route_count);
    err = control_open(path);
    if (err == -EADDRINUSE)
        log_error("%s runs already in this network (its control socket %s answers)", self.name,
                  path);
    else if (err < 0)
        log_error("cannot open the control socket %s: %s", path, strerror(-err));
    return err;
}

static int run(const struct process *p, struct config *config)
{
    int err = loop_init();

    if (err < 0)
        return 1;
    self.started_us = clock_now_us();
    signal(SIGPIPE, SIG_IGN);
    uv_signal_init(loop_uv(), &self.terminate);
    uv_signal_start(&self.terminate, on_signal, SIGTERM);
    uv_signal_init(loop_uv(), &self.interrupt);
    uv_signal_start(&self.interrupt, on_signal, SIGINT);
    err = open_control(p, config);
    if (err == 0)
        err = p->start(config);
    int result = err == 0 ? loop_run() : 1;
    control_close();
    timer_stop(&self.grace);
    return result;
}

int process_main(const struct process *process, int argc, char **argv)
{
    struct options options = {.name = process->name};
    int done = read_options(process, argc, argv, &options);

    if (done != 0)
        return done < 0 ? 2 : 0;
    if (options.reference)
        return print_reference(process);
    self.process = process;
    self.name = options.name;
    struct config *config = config_load(options.file);
    if (!config)
        return 2;
    int result = 2;
    if (init_log(config, &options) == 0 && read_config(process, config) == 0 &&
        init_trace(config) == 0)
        result = options.check ? 0 : run(process, config);
    trace_free();
    config_free(config);
    return result;
}
