/*
 * supervisor.c -- starts the functions of a network, each in its namespace, and keeps them running.
 *
 * A child is this same program with the function's verb. It is up when its control socket answers.
 * When it ends without having been told to, it is started again after a delay that doubles until it
 * stays up. Order does not matter: every function copes with peers that are not there yet.
 *
 * What children write goes line by line into the network's log file, and to our own output as far
 * as that is wanted.
 *
 * The end: the lab first, so that its phones see a working network to the last; then all others at
 * once; who does not end in time is killed. Children die with this process, however it dies
 * (PR_SET_PDEATHSIG), and what they leave behind becomes ours to end (PR_SET_CHILD_SUBREAPER; see
 * up.c).
 *
 * One loop, one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "manager/inner.h"

#define PROBE_MS       20    /* between looks whether a control socket is there */
#define STAYED_UP_MS   30000 /* then the restart delay begins anew */
#define START_ATTEMPTS 3     /* of a function that was never up */
#define LAB_GRACE_MS   1500
#define GRACE_MS       3000
#define LINE_SIZE      1024
#define LOG_FILE       "log"

enum child_state { WAITING, STARTING, UP, ENDED };

static const char *const state_names[] = {"waiting", "starting", "up", "ended"};

struct child {
    const struct manager_function *function;
    const char *place;
    enum child_state state;
    pid_t pid; /* 0: does not run */
    bool was_up;
    unsigned starts;
    uint32_t delay_ms;
    int status; /* of its last end, as from waitpid() */
    uint64_t started_us, up_us;
    struct timer again; /* to start it again, or to probe it */
    uv_poll_t *probe;
    int probe_fd;
    uv_poll_t *output;
    int output_fd;
    size_t line_len;
    char line[LINE_SIZE];
    char last_line[LINE_SIZE]; /* it said, in case it does not come up */
};

static struct {
    const struct supervisor_options *options;
    struct child *children;
    size_t count;
    uint64_t started_us;
    bool ready;
    bool stopping;
    int result;
    uv_signal_t terminate, interrupt, child_ended;
    struct timer start_limit, stop_limit;
    struct deferred stop_soon;
    FILE *log;
    uint64_t log_len;
} supervisor;

static void start_child(struct child *child);
static void begin_stop(void);

/* ---- output ---- */

static void open_log(void)
{
    char path[RUN_PATH_SIZE];

    snprintf(path, sizeof(path), "%s/" LOG_FILE, supervisor.options->directory);
    supervisor.log = fopen(path, "ae");
    supervisor.log_len = 0;
}

static void rotate_log(void)
{
    char path[RUN_PATH_SIZE], old[RUN_PATH_SIZE];

    if (!supervisor.log || supervisor.log_len < supervisor.options->config->log_bytes)
        return;
    snprintf(path, sizeof(path), "%s/" LOG_FILE, supervisor.options->directory);
    snprintf(old, sizeof(old), "%s/" LOG_FILE ".1", supervisor.options->directory);
    fclose(supervisor.log);
    rename(path, old);
    open_log();
}

static void write_log(const char *line)
{
    if (!supervisor.log)
        return;
    int n = fprintf(supervisor.log, "%s\n", line);
    fflush(supervisor.log);
    supervisor.log_len += n > 0 ? (uint64_t)n : 0;
    rotate_log();
}

/* "15:04:26.987 mme        warn  ..." */
static bool is_log_line(const char *line)
{
    return strlen(line) > 24 && line[2] == ':' && line[5] == ':' && line[8] == '.' &&
           line[12] == ' ';
}

static bool is_warning(const char *line)
{
    return is_log_line(line) && (strstr(line, " warn  ") || strstr(line, " error "));
}

static void log_head(struct text *t, const char *name, const char *level)
{
    uint64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm at;

    localtime_r(&seconds, &at);
    text_add(t, "%02d:%02d:%02d.%03u %-10s %-5s ", at.tm_hour, at.tm_min, at.tm_sec,
             (unsigned)(now_us / 1000 % 1000), name, level);
}

/* A line that a child wrote. */
static void child_said(struct child *child, const char *line)
{
    char buffer[LINE_SIZE + 64];
    struct text t = text_in(buffer, sizeof(buffer));

    if (line[0] == '\0')
        return;
    snprintf(child->last_line, sizeof(child->last_line), "%s", line);
    if (!is_log_line(line))
        log_head(&t, child->function->name,
                 "-"); /* a sanitizer's report, the C library's last words */
    text_add(&t, "%s", line);
    write_log(buffer);
    if (supervisor.options->output == OUTPUT_ALL ||
        (supervisor.options->output == OUTPUT_WARNINGS && is_warning(buffer)))
        printf("%s\n", buffer);
}

/* What the manager itself has to say. */
__attribute__((format(printf, 3, 4))) static void say(const char *level, const char *who,
                                                      const char *format, ...)
{
    char what[LINE_SIZE], buffer[LINE_SIZE + 64];
    struct text t = text_in(buffer, sizeof(buffer));
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    log_head(&t, "manager", level);
    text_add(&t, "%s %s", who, what);
    write_log(buffer);
    if (supervisor.options->output == OUTPUT_ALL)
        printf("%s\n", buffer);
    else if (supervisor.options->output == OUTPUT_WARNINGS)
        printf("%7.3f s  %-16s %s\n", (double)(clock_now_us() - supervisor.started_us) / 1e6, who,
               what);
}

static void drain(struct child *child)
{
    char room[4096];
    ssize_t n;

    while ((n = read(child->output_fd, room, sizeof(room))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            bool full = child->line_len + 1 == sizeof(child->line);
            if (room[i] != '\n' && !full) {
                child->line[child->line_len++] = room[i];
                continue;
            }
            child->line[child->line_len] = '\0';
            child->line_len = 0;
            child_said(child, child->line);
            if (full && room[i] != '\n')
                child->line[child->line_len++] = room[i];
        }
    }
}

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void poll_end(uv_poll_t **poll, int *fd)
{
    if (*poll) {
        uv_poll_stop(*poll);
        uv_close((uv_handle_t *)*poll, handle_closed);
        close(*fd);
    }
    *poll = NULL;
    *fd = -1;
}

static int poll_begin(uv_poll_t **poll, int *to, int fd, void *data, uv_poll_cb callback)
{
    *poll = malloc(sizeof(**poll));
    if (!*poll || uv_poll_init(loop_uv(), *poll, fd) < 0) {
        free(*poll);
        *poll = NULL;
        close(fd);
        return -ENOMEM;
    }
    *to = fd;
    (*poll)->data = data;
    return uv_poll_start(*poll, UV_READABLE, callback);
}

static void on_output(uv_poll_t *poll, int status, int events)
{
    struct child *child = poll->data;

    (void)status;
    (void)events;
    drain(child);
    if (child->pid == 0) /* the last words are read */
        poll_end(&child->output, &child->output_fd);
}

/* ---- is it up? ---- */

static void report_ready(const char *message)
{
    if (supervisor.options->ready_fd >= 0 && !supervisor.ready) {
        ssize_t n = write(supervisor.options->ready_fd, message, strlen(message));
        (void)n; /* who waits for it may have gone */
        close(supervisor.options->ready_fd);
    }
    supervisor.ready = true;
}

__attribute__((format(printf, 1, 2))) static void fail_start(const char *format, ...)
{
    char why[LINE_SIZE * 2];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    supervisor.result = 1;
    say("error", "start failed:", "%s", why);
    report_ready(why);
    begin_stop();
}

static void look_whether_all_are_up(void)
{
    for (size_t i = 0; i < supervisor.count; i++) {
        if (!supervisor.children[i].was_up)
            return;
    }
    timer_stop(&supervisor.start_limit);
    report_ready("R");
}

static void start_took_too_long(struct timer *timer)
{
    char names[256];
    struct text t = text_in(names, sizeof(names));

    (void)timer;
    for (size_t i = 0; i < supervisor.count; i++) {
        if (!supervisor.children[i].was_up)
            text_add(&t, "%s%s", t.len ? ", " : "", supervisor.children[i].function->name);
    }
    fail_start("not up after %u ms: %s (see strowger log)",
               supervisor.options->config->start_timeout_ms, names);
}

static void probe(struct timer *timer);

static void on_answer(uv_poll_t *poll, int status, int events)
{
    struct child *child = poll->data;
    char byte;

    (void)status;
    (void)events;
    bool answered = recv(child->probe_fd, &byte, 1, 0) == 1;
    poll_end(&child->probe, &child->probe_fd);
    if (child->state != STARTING)
        return;
    if (!answered) { /* it had opened its door and failed behind it */
        timer_start(&child->again, PROBE_MS, probe);
        return;
    }
    child->state = UP;
    child->up_us = clock_now_us();
    say("info", child->function->name, "is up in %s (pid %d, %.0f ms)", child->place,
        (int)child->pid, (double)(child->up_us - child->started_us) / 1e3);
    if (!child->was_up) {
        child->was_up = true;
        look_whether_all_are_up();
    }
}

/* Asks the child's control socket anything at all; its first byte of answer says that it has
 * started. */
static bool ask(struct child *child)
{
    static const char request[] = "GET /process HTTP/1.0\r\n\r\n";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int n = snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s.sock", supervisor.options->directory,
                     child->function->name);

    if (n >= (int)sizeof(at.sun_path))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
        close(fd);
        return false;
    }
    return poll_begin(&child->probe, &child->probe_fd, fd, child, on_answer) == 0;
}

static void probe(struct timer *timer)
{
    struct child *child = container_of(timer, struct child, again);

    if (child->state == STARTING && !ask(child))
        timer_start(&child->again, PROBE_MS, probe);
}

/* ---- beginning and end of a child ---- */

/* In the child: into its namespace, its output to us, and on with the function. */
static _Noreturn void become(const struct child *child, int output)
{
    const struct supervisor_options *o = supervisor.options;
    const struct network *network = o->network;
    int nothing = open("/dev/null", O_RDONLY);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid(); /* the terminal's Ctrl-C is for the manager alone */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    for (size_t i = 0; i < network->namespaces.count; i++)
        fcntl(network->namespaces.at[i].fd, F_SETFD, 0);
    fcntl(network->host, F_SETFD, 0);
    int place = network_descriptor(network, child->place);
    if (place < 0 || netns_enter(place) < 0) {
        dprintf(STDERR_FILENO, "cannot enter the namespace %s: %s\n", child->place,
                strerror(errno));
        _exit(126);
    }
    const char *name = child->function->name;
    execl("/proc/self/exe", "strowger", name, "-c", o->file, o->log_level ? "--log" : NULL,
          o->log_level, NULL);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", name, strerror(errno));
    _exit(127);
}

static void start_again(struct timer *timer)
{
    start_child(container_of(timer, struct child, again));
}

static void start_child(struct child *child)
{
    int ends[2];
    pid_t parent = getpid();

    child->state = STARTING;
    child->started_us = clock_now_us();
    child->starts++;
    child->line_len = 0;
    poll_end(&child->output, &child->output_fd);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        fail_start("no pipe for %s: %s", child->function->name, strerror(errno));
        return;
    }
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0) {
        if (getppid() != parent)
            _exit(125);
        become(child, ends[1]);
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (child->pid < 0) {
        child->pid = 0;
        close(ends[0]);
        fail_start("no process for %s: %s", child->function->name, strerror(errno));
        return;
    }
    poll_begin(&child->output, &child->output_fd, ends[0], child, on_output);
    timer_start(&child->again, PROBE_MS, probe);
}

static void text_status(struct text *t, int status)
{
    if (WIFSIGNALED(status))
        text_add(t, "killed by signal %d (%s)%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                 WCOREDUMP(status) ? ", core dumped" : "");
    else
        text_add(t, "exit code %d", WEXITSTATUS(status));
}

/* It ended although nobody asked it to. */
static void decide_on_restart(struct child *child, const char *how)
{
    const struct manager_config *config = supervisor.options->config;
    bool stayed = child->up_us > child->started_us &&
                  clock_now_us() - child->up_us > STAYED_UP_MS * UINT64_C(1000);

    if (!child->was_up && (child->starts >= START_ATTEMPTS || WEXITSTATUS(child->status) == 2)) {
        fail_start("%s did not come up (%s). It said: %s", child->function->name, how,
                   child->last_line[0] ? child->last_line : "nothing");
        return;
    }
    if (!config->restart && child->was_up) {
        say("error", child->function->name, "has ended (%s) and is not started again", how);
        return;
    }
    child->delay_ms =
        stayed || child->delay_ms == 0 ? config->restart_delay_ms : child->delay_ms * 2;
    if (child->delay_ms > config->restart_delay_max_ms)
        child->delay_ms = config->restart_delay_max_ms;
    say("error", child->function->name, "has ended (%s); starting it again in %u ms", how,
        child->delay_ms);
    child->state = WAITING;
    timer_start(&child->again, child->delay_ms, start_again);
}

static bool all_have_ended(void)
{
    for (size_t i = 0; i < supervisor.count; i++) {
        if (supervisor.children[i].pid != 0)
            return false;
    }
    return true;
}

static void child_has_ended(struct child *child, int status)
{
    char how[128];
    struct text t = text_in(how, sizeof(how));

    child->pid = 0;
    child->status = status;
    child->state = ENDED;
    timer_stop(&child->again);
    poll_end(&child->probe, &child->probe_fd);
    if (child->output)
        drain(child);
    poll_end(&child->output, &child->output_fd);
    text_status(&t, status);
    if (!supervisor.stopping)
        decide_on_restart(child, how);
    else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM)
        say("error", child->function->name, "has ended badly: %s", how);
}

static void terminate_others(struct timer *timer);

static void on_child_ended(uv_signal_t *signal, int number)
{
    int status;
    pid_t pid;

    (void)signal;
    (void)number;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < supervisor.count; i++) {
            if (supervisor.children[i].pid == pid)
                child_has_ended(&supervisor.children[i], status);
        }
    }
    if (!supervisor.stopping)
        return;
    if (all_have_ended())
        loop_stop(0);
    else if (timer_is_running(&supervisor.stop_limit) &&
             supervisor.stop_limit.fire == terminate_others)
        terminate_others(&supervisor.stop_limit); /* goes on when the lab has ended */
}

/* ---- the end ---- */

static void signal_all(int number)
{
    for (size_t i = 0; i < supervisor.count; i++) {
        if (supervisor.children[i].pid > 0)
            kill(supervisor.children[i].pid, number);
    }
}

static void kill_all(struct timer *timer)
{
    (void)timer;
    for (size_t i = 0; i < supervisor.count; i++) {
        if (supervisor.children[i].pid > 0)
            say("warn", supervisor.children[i].function->name, "does not end; it is killed");
    }
    signal_all(SIGKILL);
}

static struct child *find_child(const char *name)
{
    for (size_t i = 0; i < supervisor.count; i++) {
        if (strcmp(supervisor.children[i].function->name, name) == 0)
            return &supervisor.children[i];
    }
    return NULL;
}

static void terminate_others(struct timer *timer)
{
    const struct child *lab = find_child("lab");

    if (timer_is_running(timer) && lab && lab->pid > 0)
        return;
    signal_all(SIGTERM);
    timer_start(&supervisor.stop_limit, GRACE_MS, kill_all);
}

static void begin_stop(void)
{
    struct child *lab = find_child("lab");

    if (supervisor.stopping)
        return;
    supervisor.stopping = true;
    report_ready("stopped before all functions were up");
    timer_stop(&supervisor.start_limit);
    for (size_t i = 0; i < supervisor.count; i++)
        timer_stop(&supervisor.children[i].again);
    if (all_have_ended()) {
        loop_stop(0);
    } else if (lab && lab->pid > 0) {
        kill(lab->pid, SIGTERM);
        timer_start(&supervisor.stop_limit, LAB_GRACE_MS, terminate_others);
    } else {
        terminate_others(&supervisor.stop_limit);
    }
}

static void on_stop_signal(uv_signal_t *signal, int number)
{
    (void)signal;
    (void)number;
    if (supervisor.stopping)
        signal_all(SIGKILL); /* asked twice: at once */
    begin_stop();
}

static void stop_soon(struct deferred *deferred)
{
    (void)deferred;
    begin_stop();
}

/* ---- control ---- */

static json_t *function_json(const struct child *child)
{
    char ended[128] = "";
    struct text t = text_in(ended, sizeof(ended));
    double since =
        (double)(clock_now_us() - (child->state == UP ? child->up_us : child->started_us)) / 1e6;

    if (child->starts > 1 || child->state == ENDED || child->state == WAITING)
        text_status(&t, child->status);
    return json_pack("{s:s,s:s,s:s,s:i,s:f,s:i,s:s}", "function", child->function->name, "state",
                     state_names[child->state], "namespace", child->place, "pid", (int)child->pid,
                     "since_s", since, "restarts", child->starts > 0 ? (int)child->starts - 1 : 0,
                     "last_end", ended);
}

static json_t *namespaces_json(void)
{
    const struct network *network = supervisor.options->network;
    json_t *rows = json_array();

    for (size_t i = 0; i < network->namespaces.count; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), network->namespaces.at[i].fd);
        json_array_append_new(
            rows, json_pack("{s:s,s:s}", "name", network->namespaces.at[i].name, "path", path));
    }
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), network->host);
    json_array_append_new(rows, json_pack("{s:s,s:s}", "name", NETWORK_HOST, "path", path));
    return rows;
}

static void answer_state(const struct control_request *request, struct control_answer *answer)
{
    json_t *functions = json_array();

    (void)request;
    for (size_t i = 0; i < supervisor.count; i++)
        json_array_append_new(functions, function_json(&supervisor.children[i]));
    answer->json =
        json_pack("{s:s,s:s,s:i,s:f,s:b,s:o,s:o}", "network", supervisor.options->name, "file",
                  supervisor.options->file, "pid", (int)getpid(), "uptime_s",
                  (double)(clock_now_us() - supervisor.started_us) / 1e6, "ready", supervisor.ready,
                  "functions", functions, "namespaces", namespaces_json());
}

static void answer_down(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    answer->json = json_pack("{s:i}", "pid", (int)getpid());
    loop_defer(&supervisor.stop_soon, stop_soon);
}

static const struct control_route routes[] = {
    {"GET", "/state", answer_state},
    {"POST", "/down", answer_down},
};

/* ---- the whole ---- */

static int choose_functions(void)
{
    const struct supervisor_options *o = supervisor.options;

    supervisor.children = calloc(manager_function_count + 1, sizeof(struct child));
    if (!supervisor.children)
        return -ENOMEM;
    for (size_t i = 0; i < manager_function_count; i++) {
        const struct manager_function *function = &manager_functions[i];
        if (!check_has_function(o->file_config, function))
            continue;
        if (o->without_lab && strcmp(function->name, "lab") == 0)
            continue;
        supervisor.children[supervisor.count++] = (struct child){
            .function = function,
            .place = network_place_of(o->network, function->name),
            .probe_fd = -1,
            .output_fd = -1,
        };
    }
    return 0;
}

/* Children find their namespaces by these descriptors, which they inherit. */
static void name_namespaces(void)
{
    const struct network *network = supervisor.options->network;
    char value[1024];
    struct text t = text_in(value, sizeof(value));

    for (size_t i = 0; i < network->namespaces.count; i++)
        text_add(&t, "%s=%d,", network->namespaces.at[i].name, network->namespaces.at[i].fd);
    text_add(&t, "%s=%d", NETWORK_HOST, network->host);
    setenv(NETNS_ENVIRONMENT, value, 1);
}

static int open_control(void)
{
    char path[RUN_PATH_SIZE];

    snprintf(path, sizeof(path), "%s/manager.sock", supervisor.options->directory);
    control_add_routes(routes, sizeof(routes) / sizeof(routes[0]));
    return control_open(path);
}

static void watch_signals(void)
{
    uv_signal_init(loop_uv(), &supervisor.terminate);
    uv_signal_start(&supervisor.terminate, on_stop_signal, SIGTERM);
    uv_signal_init(loop_uv(), &supervisor.interrupt);
    uv_signal_start(&supervisor.interrupt, on_stop_signal, SIGINT);
    uv_signal_init(loop_uv(), &supervisor.child_ended);
    uv_signal_start(&supervisor.child_ended, on_child_ended, SIGCHLD);
}

int supervisor_run(const struct supervisor_options *options)
{
    supervisor.options = options;
    supervisor.started_us = clock_now_us();
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (loop_init() < 0 || choose_functions() < 0)
        return 1;
    open_log();
    name_namespaces();
    watch_signals();
    int err = open_control();
    if (err < 0) {
        fail_start("control socket in %s: %s", options->directory, strerror(-err));
        return 1;
    }
    timer_start(&supervisor.start_limit, options->config->start_timeout_ms, start_took_too_long);
    for (size_t i = 0; i < supervisor.count && !supervisor.stopping; i++)
        start_child(&supervisor.children[i]);
    if (!supervisor.stopping || !all_have_ended())
        loop_run();
    control_close();
    loop_free();
    if (supervisor.log)
        fclose(supervisor.log);
    free(supervisor.children);
    return supervisor.result;
}
