/*
 * up.c -- `strowger up` and `strowger down`.
 *
 * Two processes stand behind a network. The one that the user started is the keeper: it makes the
 * namespaces and links, starts the supervisor (supervisor.c) as its child, shows what goes on, and
 * when the supervisor has ended, in whatever way, it ends what is left of the functions, takes back
 * what was changed on the host and removes the run directory. If the keeper itself is killed the
 * supervisor hears of it and does the same before it ends. So one of the two may be killed (even by
 * SIGKILL) and nothing stays behind.
 *
 * A lock file in the run directory, held by both, keeps a network from being started twice.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "manager/inner.h"

#define CONNECT_WAIT_MS 5000 /* for functions to find each other */
#define CONNECT_POLL_MS 20
#define LOCK_WAIT_MS    4000 /* for a network that is just being taken down */
#define DOWN_WAIT_MS    15000
#define POLL_MS         100
#define REDRAW_MS       1000
#define ORPHAN_ROUNDS   50
#define READY_SIZE      2200

struct options {
    const char *file;
    const char *name;
    const char *log_level;
    const char *scenario; /* "" for the first one */
    bool run;
    bool detach;
    bool without_lab;
};

/* What the keeper and the supervisor hold in common. */
static struct {
    struct options options;
    char file[PATH_MAX];
    char directory[RUN_PATH_SIZE];
    int lock;
    struct config *config;
    struct manager_config manager;
    struct network network;
    bool base_is_ours; /* the directory above it was made by us */
    pid_t supervisor;  /* in the keeper */
    volatile sig_atomic_t asked_to_stop;
} up;

static const char help[] =
    "Starts a network: its namespaces and links, and every function that has a section in the "
    "file; keeps them\n"
    "running until Ctrl-C or `strowger down`, and leaves nothing behind.\n\n"
    "Usage: strowger up FILE [options]\n\n"
    "  -d, --detach           return when all functions are up; they go on in the background\n"
    "  -r, --run[=SCENARIO]   let the lab run a scenario (the first one if none is named), tell "
    "what happens,\n"
    "                         end the network; exit code 0 only if all of it worked\n"
    "      --no-lab           without the lab, when real eNodeBs are there\n"
    "  -n, --name NAME        name of the network, instead of `name:` in the file\n"
    "      --log LEVEL        error, warn, info or debug, for all functions\n"
    "  -h, --help             this text\n\n"
    "As an ordinary user it needs user namespaces; as root it can use the machine's interfaces "
    "(see `network:`\n"
    "in the file).\n\n"
    "Examples:\n"
    "  strowger up examples/operator.yaml\n"
    "  strowger up examples/operator.yaml --run\n"
    "  sudo strowger up examples/ran.yaml --detach\n";

/* 0: go on; 1: done; -1: wrong usage. */
static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"detach", no_argument, NULL, 'd'},
                                          {"run", optional_argument, NULL, 'r'},
                                          {"no-lab", no_argument, NULL, 'L'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"log", required_argument, NULL, 'l'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "dr::n:h", longs, NULL)) != -1) {
        switch (c) {
        case 'd':
            o->detach = true;
            break;
        case 'r':
            o->run = true;
            o->scenario = optarg;
            break;
        case 'L':
            o->without_lab = true;
            break;
        case 'n':
            o->name = optarg;
            break;
        case 'l':
            o->log_level = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return 1;
        default:
            return -1;
        }
    }
    if (optind + 1 > argc || optind + 2 < argc ||
        (optind + 2 == argc && !(o->run && !o->scenario))) {
        fprintf(stderr,
                "usage: strowger up FILE [--run[=SCENARIO]] [--detach] [--no-lab] (see --help)\n");
        return -1;
    }
    o->file = argv[optind];
    if (optind + 2 == argc) /* up FILE --run SCENARIO */
        o->scenario = argv[optind + 1];
    if (o->run && (o->detach || o->without_lab)) {
        fprintf(stderr, "strowger up: --run does not go with --detach or --no-lab\n");
        return -1;
    }
    return 0;
}

/* ---- what is left behind, and its removal ---- */

static void empty_directory(const char *path)
{
    struct dirent *entry;
    DIR *dir = opendir(path);

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

/* Ends all processes that have become ours because their parents died. */
static void end_orphans(void)
{
    char path[64], pids[4096];

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    for (int round = 0; round < ORPHAN_ROUNDS; round++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, pids, sizeof(pids) - 1);
        if (fd >= 0)
            close(fd);
        pids[n > 0 ? n : 0] = '\0';
        for (char *at = pids, *end; *at; at = end) {
            long pid = strtol(at, &end, 10);
            if (end == at)
                break;
            kill((pid_t)pid, SIGKILL);
        }
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0)
            return; /* no children left */
        usleep(10000);
    }
}

static void clean_up(void)
{
    char base[RUN_PATH_SIZE];

    end_orphans();
    network_undo(&up.network);
    empty_directory(up.directory);
    rmdir(up.directory);
    if (up.base_is_ours && client_base_directory(base, sizeof(base)) == 0)
        rmdir(base); /* unless another network is up */
    close(up.lock);
}

/* ---- only once ---- */

static pid_t pid_of_running(void)
{
    json_t *state = client_get(up.directory, "manager", "/state", NULL);
    pid_t pid = (pid_t)json_integer_value(json_object_get(state, "pid"));

    json_decref(state);
    return pid;
}

static int take_lock(const char *name)
{
    char path[RUN_PATH_SIZE + 8];
    struct stat held, there;

    snprintf(path, sizeof(path), "%s/lock", up.directory);
    for (int waited = 0;; waited += POLL_MS) {
        int err = process_run_dir(name, true, up.directory, sizeof(up.directory));
        if (err < 0)
            return err;
        up.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (up.lock < 0)
            return -errno;
        bool locked = flock(up.lock, LOCK_EX | LOCK_NB) == 0;
        /* The one who had it may have removed the file meanwhile: then ours is a lock on nothing.
         */
        if (locked && fstat(up.lock, &held) == 0 && stat(path, &there) == 0 &&
            held.st_ino == there.st_ino)
            return 0;
        close(up.lock);
        if (waited >= LOCK_WAIT_MS || (!locked && pid_of_running() > 0))
            return -EALREADY;
        usleep(POLL_MS * 1000);
    }
}

/* What a network leaves that was killed altogether. */
static void remove_stale_files(void)
{
    struct dirent *entry;
    DIR *dir = opendir(up.directory);

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, "lock") != 0 && entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

/* ---- preparing ---- */

/* Children and namespaces change who we are: the place of the run directory is fixed before. */
static int fix_run_directory(const char *name)
{
    char base[RUN_PATH_SIZE];

    int err = process_run_dir(name, false, up.directory, sizeof(up.directory));
    if (err == 0)
        err = client_base_directory(base, sizeof(base));
    up.base_is_ours = err == 0 && access(base, F_OK) < 0;
    if (err == 0 && setenv("STROWGER_RUN", base, 1) < 0)
        err = -errno;
    return err;
}

static bool may_make_network(void)
{
    if (!network_has_namespaces(&up.network) && !network_touches_host(&up.network))
        return true;
    if (netns_allowed())
        return true;
    if (geteuid() == 0) {
        fprintf(stderr, "strowger: this root may not make network namespaces (a container without "
                        "CAP_SYS_ADMIN?)\n");
        return false;
    }
    if (network_touches_host(&up.network)) {
        fprintf(
            stderr,
            "strowger: %s uses this machine's interfaces (`network:`), which only root may change: "
            "start it with sudo\n",
            up.options.file);
        return false;
    }
    int err = netns_become_root();
    if (err < 0)
        fprintf(stderr,
                "strowger: an ordinary user may not make network namespaces on this system (%s).\n"
                "Start it with sudo, or allow user namespaces: sysctl "
                "kernel.unprivileged_userns_clone=1, "
                "user.max_user_namespaces > 0\n",
                strerror(-err));
    return err == 0;
}

static bool make_network(void)
{
    char buffer[512];
    struct text why = text_in(buffer, sizeof(buffer));

    if (!may_make_network())
        return false;
    if (network_make(&up.network, up.options.name, &why) == 0)
        return true;
    fprintf(stderr, "strowger: cannot make the network of %s: %s\n", up.options.file, buffer);
    return false;
}

static int prepare(void)
{
    struct options *o = &up.options;

    if (!realpath(o->file, up.file)) {
        fprintf(stderr, "strowger: %s: %s\n", o->file, strerror(errno));
        return 2;
    }
    up.config = config_load(o->file);
    if (!up.config)
        return 2;
    if (check_file(o->file, up.config, &up.manager, &up.network) < 0) {
        fprintf(stderr, "strowger: nothing was started, because of what is wrong in %s\n", o->file);
        return 2;
    }
    log_init("manager", LOG_INFO);
    if (!o->name)
        o->name = process_network_name(up.config);
    int err = fix_run_directory(o->name);
    if (err == 0)
        err = take_lock(o->name);
    if (err == -EALREADY)
        fprintf(
            stderr,
            "strowger: the network '%s' is up already (pid %d); end it with: strowger down %s\n",
            o->name, (int)pid_of_running(), o->name);
    else if (err < 0)
        fprintf(stderr, "strowger: run directory %s: %s\n", up.directory, strerror(-err));
    if (err < 0)
        return 1;
    remove_stale_files();
    return 0;
}

/* ---- the supervisor's process ---- */

static _Noreturn void be_supervisor(pid_t keeper, int ready_fd, enum output output)
{
    struct supervisor_options options = {
        .file = up.file,
        .name = up.options.name,
        .directory = up.directory,
        .log_level = up.options.log_level,
        .without_lab = up.options.without_lab,
        .output = output,
        .ready_fd = ready_fd,
        .config = &up.manager,
        .network = &up.network,
        .file_config = up.config,
    };

    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    setpgid(0, 0); /* Ctrl-C goes to the keeper, which passes it on */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int result = getppid() == keeper ? supervisor_run(&options) : 1;
    if (getppid() != keeper)
        clean_up(); /* the keeper is no more */
    exit(result);
}

/* ---- the keeper ---- */

static void on_signal(int number)
{
    up.asked_to_stop = 1;
    if (up.supervisor > 0)
        kill(up.supervisor, number);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Waits until all functions are up. On failure the reason is in `why`. */
static bool wait_until_ready(int fd, char why[READY_SIZE])
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, why + len, READY_SIZE - 1 - len)) > 0 || (n < 0 && errno == EINTR))
        len += n > 0 ? (size_t)n : 0;
    close(fd);
    why[len] = '\0';
    if (strcmp(why, "R") == 0)
        return true;
    if (len == 0)
        snprintf(why, READY_SIZE, "the supervisor has ended");
    return false;
}

/* The supervisor's exit code, if it has ended; -1 while it runs. */
static int supervisor_result(bool wait)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(up.supervisor, &status, wait ? 0 : WNOHANG)) < 0 && errno == EINTR)
        ;
    if (pid == 0)
        return -1;
    up.supervisor = 0;
    if (pid < 0)
        return 1;
    if (WIFSIGNALED(status))
        fprintf(stderr, "strowger: the supervisor was killed by signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int end_supervisor(void)
{
    if (up.supervisor <= 0)
        return 0;
    kill(up.supervisor, SIGTERM);
    return supervisor_result(true);
}

static void print_new_lines(const json_t *progress, size_t *printed)
{
    const json_t *lines = json_object_get(progress, "lines");
    size_t i;
    json_t *line;

    json_array_foreach(lines, i, line)
    {
        printf("%s\n", json_string_value(line));
        (*printed)++;
    }
    fflush(stdout);
}

/* Starts the scenario; false after saying why not. */
static bool start_scenario(void)
{
    char path[RUN_PATH_SIZE + 16], target[256], *body = NULL;
    size_t len;
    int status = 0;

    snprintf(path, sizeof(path), "%s/lab.sock", up.directory);
    snprintf(target, sizeof(target), "/scenario%s%s", up.options.scenario ? "?name=" : "",
             up.options.scenario ? up.options.scenario : "");
    int err = control_call(path, "POST", target, "", &body, &len, &status);
    json_t *answer = err == 0 ? json_loadb(body, len, 0, NULL) : NULL;
    const char *error = json_string_value(json_object_get(answer, "error"));
    if (err < 0)
        fprintf(stderr, "strowger: the lab does not answer: %s\n", strerror(-err));
    else if (status != 200)
        fprintf(stderr, "strowger: %s\n", error ? error : "the lab refused the scenario");
    json_decref(answer);
    free(body);
    return err == 0 && status == 200;
}

/* The first function that still waits for a peer, and for whom; NULL when there is none. */
static const struct manager_function *first_that_waits(const char **waits_for)
{
    for (size_t i = 0; i < manager_function_count; i++) {
        const struct manager_function *function = &manager_functions[i];
        bool runs = check_has_function(up.config, function) &&
                    !(up.options.without_lab && strcmp(function->name, "lab") == 0);
        if (runs && (*waits_for = client_waits_for(up.directory, function)))
            return function;
    }
    return NULL;
}

/* All processes are up; they find each other now. A network in which one does not is told and used
 * all the same: the peer may be somebody else's, and come later. */
static void wait_until_connected(void)
{
    const struct manager_function *waiting = NULL;
    const char *waits_for = NULL;

    for (unsigned waited = 0; waited < CONNECT_WAIT_MS && !up.asked_to_stop;
         waited += CONNECT_POLL_MS) {
        waiting = first_that_waits(&waits_for);
        if (!waiting)
            return;
        usleep(CONNECT_POLL_MS * 1000);
    }
    if (waiting && !up.asked_to_stop)
        fprintf(stderr, "strowger: %s still waits for %s\n", waiting->name, waits_for);
}

/* Lets the lab run and tells what happens. Exit code. */
static int run_scenario(void)
{
    size_t printed = 0;
    bool running = true, ok = false;

    if (!check_has_function(up.config, manager_find_function("lab"))) {
        fprintf(stderr, "strowger: %s has no section 'lab:', so there is nothing to run\n",
                up.options.file);
        return 1;
    }
    if (!start_scenario())
        return 1;
    while (running && !up.asked_to_stop) {
        char target[64];
        snprintf(target, sizeof(target), "/scenario?after=%zu", printed);
        json_t *progress = client_get(up.directory, "lab", target, NULL);
        if (!progress) {
            fprintf(stderr, "strowger: the lab has ended in the middle of the scenario\n");
            return 1;
        }
        print_new_lines(progress, &printed);
        running = json_is_true(json_object_get(progress, "running"));
        ok = json_is_true(json_object_get(progress, "ok"));
        json_decref(progress);
        if (running)
            usleep(POLL_MS * 1000);
    }
    return ok ? 0 : 1;
}

/* Shows the status until the network ends. Exit code. */
static int watch(enum output output)
{
    int result = -1;
    unsigned waited = REDRAW_MS;

    while ((result = supervisor_result(false)) < 0) {
        if (output == OUTPUT_QUIET && !up.options.detach && waited >= REDRAW_MS) {
            status_redraw(stdout, up.directory);
            waited = 0;
        }
        usleep(POLL_MS * 1000);
        waited += POLL_MS;
    }
    return result;
}

static int keep(int ready_fd, enum output output, int parent_fd)
{
    char why[READY_SIZE];
    int result;

    bool ready = wait_until_ready(ready_fd, why);
    if (ready && (up.options.run || up.options.detach))
        wait_until_connected();
    if (!ready && !up.asked_to_stop)
        fprintf(stderr, "strowger: %s\n", why);
    if (parent_fd >= 0) { /* tell the one who waits for --detach */
        ssize_t n = write(parent_fd, why, strlen(why));
        (void)n;
        close(parent_fd);
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(nothing, STDERR_FILENO); /* the terminal is somebody else's now */
    }
    if (!ready) {
        end_supervisor();
        result = up.asked_to_stop ? 0 : 1;
    } else if (up.options.run) {
        result = run_scenario();
        end_supervisor();
    } else {
        result = watch(output);
    }
    return result;
}

/* Into the background. The descriptor to report to, in the background process; the foreground one
 * waits and exits. */
static int detach(void)
{
    int ends[2];
    char why[READY_SIZE];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0) {
        close(ends[1]);
        bool ready = wait_until_ready(ends[0], why);
        if (ready)
            printf("The network '%s' is up (strowger status, strowger down).\n", up.options.name);
        fflush(NULL);
        _exit(ready ? 0 : 1);
    }
    close(ends[0]);
    setsid();
    return ends[1];
}

static enum output output_mode(void)
{
    if (up.options.detach)
        return OUTPUT_QUIET;
    if (up.options.run)
        return OUTPUT_WARNINGS;
    return isatty(STDOUT_FILENO) ? OUTPUT_QUIET : OUTPUT_ALL;
}

/* From here on there is something to be taken back. */
static int make_and_keep(int parent_fd)
{
    enum output output = output_mode();
    pid_t keeper = getpid();
    int ready[2], result = 1;

    if (make_network() && pipe2(ready, O_CLOEXEC) == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        catch_signals();
        fflush(NULL);
        up.supervisor = fork();
        if (up.supervisor == 0) {
            close(ready[0]);
            if (parent_fd >= 0)
                close(parent_fd);
            be_supervisor(keeper, ready[1], output);
        }
        close(ready[1]);
        if (up.options.detach) {
            int nothing = open("/dev/null", O_RDWR);
            dup2(nothing, STDIN_FILENO);
            dup2(nothing, STDOUT_FILENO);
        }
        if (up.supervisor > 0)
            result = keep(ready[0], output, parent_fd);
    }
    clean_up();
    config_free(up.config);
    return result;
}

int up_main(int argc, char **argv)
{
    int parent_fd = -1;

    int done = read_options(argc, argv, &up.options);
    if (done != 0)
        return done < 0 ? 2 : 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    up.network.host = -1;
    int result = prepare();
    if (result != 0) {
        config_free(up.config);
        return result;
    }
    if (up.options.detach) {
        parent_fd = detach();
        if (parent_fd < 0) {
            fprintf(stderr, "strowger: %s\n", strerror(-parent_fd));
            return 1;
        }
    }
    return make_and_keep(parent_fd);
}

/* ---- down ---- */

static const char down_help[] = "Ends a network and waits until nothing is left of it.\n\n"
                                "Usage: strowger down [NAME]\n\n"
                                "Examples:\n"
                                "  strowger down\n"
                                "  strowger down operator\n";

static bool has_gone(const char *directory)
{
    char path[RUN_PATH_SIZE + 8];

    snprintf(path, sizeof(path), "%s/lock", directory);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return true;
    bool gone = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return gone;
}

int down_main(int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    char directory[RUN_PATH_SIZE], path[RUN_PATH_SIZE + 16], *body = NULL;
    size_t len;
    int c, status;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        fputs(down_help, c == 'h' ? stdout : stderr);
        return c == 'h' ? 0 : 2;
    }
    if (optind + 1 < argc) {
        fputs("usage: strowger down [NAME]\n", stderr);
        return 2;
    }
    if (client_find_network(optind < argc ? argv[optind] : NULL, directory, sizeof(directory)) < 0)
        return 1;
    snprintf(path, sizeof(path), "%s/manager.sock", directory);
    int err = control_call(path, "POST", "/down", "", &body, &len, &status);
    free(body);
    for (int waited = 0; err == 0 && waited < DOWN_WAIT_MS; waited += POLL_MS) {
        if (has_gone(directory))
            return 0;
        usleep(POLL_MS * 1000);
    }
    fprintf(stderr, "strowger: the network does not end: %s\n",
            err < 0 ? strerror(-err) : "it still holds its lock");
    return 1;
}
