/*
 * manager_test.c -- a network of two small functions and a lab, from up to down: this program is at
 * the same time the test, `strowger` with its verbs, and each of the functions (the supervisor
 * starts /proc/self/exe again).
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "link/netns.h"
#include "manager/manager.h"
#include "manager/inner.h"

/* ---- the functions ---- */

static struct {
    uint32_t number;
    bool fails;
    uint32_t lives_ms;
} toy;

static const struct config_field toy_fields[] = {
    {.name = "number",
     .help = "any",
     .type = &config_uint,
     .offset = 0,
     .size = 4,
     .max = 100,
     .fallback = "7"},
    {.name = "fails",
     .help = "at start",
     .type = &config_bool,
     .offset = 4,
     .size = 1,
     .fallback = "no"},
    {.name = "lives",
     .help = "so long",
     .type = &config_duration,
     .offset = 8,
     .size = 4,
     .fallback = "0s"},
};
static const struct config_schema toy_schema = {"toy", "a toy", toy_fields, 3, sizeof(toy)};
static struct timer toy_end;

static void toy_dies(struct timer *timer)
{
    (void)timer;
    abort();
}

static int toy_start(struct config *config)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = 1},
                       there = {.sin_family = AF_INET, .sin_port = 2};

    (void)config;
    if (toy.fails) {
        log_error("the toy is broken");
        return -EINVAL;
    }
    if (toy.lives_ms)
        timer_start(&toy_end, toy.lives_ms, toy_dies);
    trace_message(TRACE_S1AP, true, (struct sockaddr *)&here, (struct sockaddr *)&there,
                  "001010000000001", bytes_of("\x00\x11", 2));
    log_info("the toy has number %u", toy.number);
    return 0;
}

static json_t *toy_state(const char *what, const struct control_request *request)
{
    (void)request;
    if (!what)
        return json_pack("{s:i,s:i}", "number", (int)toy.number, "calls_total", 3);
    if (strcmp(what, "rows") == 0)
        return json_pack("[{s:s,s:i}]", "name", "row", "pid", (int)getpid());
    return NULL;
}

static const struct process_view toy_views[] = {{"rows", "some rows"}, {NULL, NULL}};

static int toy_main(int argc, char **argv)
{
    static struct process process = {
        .summary = "a toy", .start = toy_start, .state = toy_state, .views = toy_views};

    process.name =
        argv[0]; /* "alpha" or "beta"; started as "strowger alpha", the verb is argv[0] here */
    process.sections[0] = (struct process_section){argv[0], &toy_schema, &toy};
    return process_main(&process, argc, argv);
}

/* A lab whose scenarios are called "good" and "bad" and last two questions. */
static struct {
    bool good;
    int asked;
} scenario;

static void scenario_start(const struct control_request *request, struct control_answer *answer)
{
    const char *name = control_argument(request, "name");

    scenario.good = !name || strcmp(name, "good") == 0;
    if (name && !scenario.good && strcmp(name, "bad") != 0)
        control_refuse(answer, 404, "the lab has no scenario '%s'", name);
    else
        answer->json = json_object();
}

static void scenario_progress(const struct control_request *request, struct control_answer *answer)
{
    (void)request;
    scenario.asked++;
    answer->json = json_pack("{s:b,s:b,s:[s],s:[{s:s,s:i}]}", "running", scenario.asked < 2, "ok",
                             scenario.good, "lines",
                             scenario.asked == 1 ? "a phone attached" : "a phone detached", "steps",
                             "step", "attach", "failed", 0);
}

static const struct control_route scenario_routes[] = {{"POST", "/scenario", scenario_start},
                                                       {"GET", "/scenario", scenario_progress}};

static int lab_main(int argc, char **argv)
{
    static const struct process process = {.name = "lab",
                                           .summary = "a lab",
                                           .sections = {{"lab", &toy_schema, &toy}},
                                           .start = toy_start,
                                           .state = toy_state,
                                           .routes = scenario_routes,
                                           .route_count = 2};

    return process_main(&process, argc, argv);
}

static const struct manager_function functions[] = {
    {"alpha", toy_main, NULL, {"/state?what=rows", "name", "row", "a row"}},
    {"beta", toy_main, NULL, {"/state", "number", NULL, "a number"}},
    {"lab", lab_main, NULL, {NULL}},
};

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} verbs[] = {
    {"alpha", toy_main}, {"beta", toy_main},    {"lab", lab_main},     {"up", up_main},
    {"down", down_main}, {"check", check_main}, {"show", show_main},   {"status", status_main},
    {"log", log_main},   {"exec", exec_main},   {"trace", trace_main},
};

/* ---- running verbs ---- */

static char directory[] = "/tmp/strowger-test-XXXXXX";
static char output[65536]; /* of the last verb, both streams */

static void write_file(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Starts `strowger WORDS`, with "%/" in the words standing for the test's directory; its output
 * goes into a file. */
static pid_t start(const char *words)
{
    char line[512], log[128], *argv[16] = {(char *)"strowger"};
    struct text t = text_in(line, sizeof(line));
    int argc = 1;

    for (const char *c = words; *c; c++)
        text_add(&t, "%s", c[0] == '%' && c[1] == '/' ? directory : (char[]){*c, 0});
    for (char *word = strtok(line, " "); word && argc < 15; word = strtok(NULL, " "))
        argv[argc++] = word;
    snprintf(log, sizeof(log), "%s/output", directory);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        close(fd);
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    return pid;
}

static int finish(pid_t pid)
{
    char log[128];
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    snprintf(log, sizeof(log), "%s/output", directory);
    FILE *file = fopen(log, "r");
    output[file ? fread(output, 1, sizeof(output) - 1, file) : 0] = '\0';
    if (file)
        fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(const char *words)
{
    return finish(start(words));
}

static bool says(const char *what)
{
    if (strstr(output, what))
        return true;
    print_message("expected '%s' in:\n%s\n", what, output);
    return false;
}

/* ---- networks ---- */

static const char plain[] = "name: plain\n"
                            "alpha:\n  number: 5\n"
                            "beta: {}\n";

static const char spaces[] =
    "name: spaces\n"
    "network:\n"
    "  namespaces:\n"
    "    - {name: core, functions: [alpha], addresses: [10.7.7.7/32]}\n"
    "    - {name: ran, functions: [beta, lab]}\n"
    "  links:\n"
    "    - {name: s1, between: [core, ran], addresses: [10.7.1.1/24, 10.7.1.2/24], mtu: 9000}\n"
    "  routes:\n"
    "    - {namespace: ran, to: 10.7.7.7/32, via: 10.7.1.1}\n"
    "alpha: {}\n"
    "beta: {}\n"
    "lab: {}\n";

static bool nothing_is_left(void)
{
    char path[128];
    struct stat s;

    snprintf(path, sizeof(path), "%s/run", directory);
    if (stat(path, &s) == 0) {
        print_message("%s is still there\n", path);
        return false;
    }
    return true;
}

static bool gone_within(unsigned limit_ms)
{
    char path[128];
    struct stat s;

    snprintf(path, sizeof(path), "%s/run", directory);
    for (unsigned waited = 0; waited < limit_ms; waited += 20) {
        if (stat(path, &s) < 0)
            return true;
        usleep(20000);
    }
    return false;
}

static json_t *status_json(void)
{
    assert_int_equal(run("status --json"), 0);
    json_t *json = json_loads(output, 0, NULL);
    assert_non_null(json);
    return json;
}

static json_int_t pid_of(const char *function)
{
    json_t *json = status_json(), *row;
    json_int_t pid = 0;
    size_t i;

    json_array_foreach(json_object_get(json, "functions"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "function")), function) == 0)
            pid = json_integer_value(json_object_get(row, "pid"));
    }
    json_decref(json);
    return pid;
}

static int setup(void **state)
{
    (void)state;
    write_file("plain.yaml", plain);
    write_file("spaces.yaml", spaces);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (!nothing_is_left())
        run("down");
    return nothing_is_left() ? 0 : -1;
}

/* ---- check ---- */

static void a_right_file_is_right(void **state)
{
    (void)state;
    assert_int_equal(run("check %/plain.yaml"), 0);
    assert_true(says("is right"));
    assert_int_equal(run("check %/spaces.yaml"), 0);
}

static void a_wrong_file_is_told_by_line(void **state)
{
    (void)state;
    write_file("wrong.yaml",
               "name: wrong\n"
               "network:\n"
               "  namespaces:\n"
               "    - {name: core, functions: [alpha, gamma]}\n"
               "    - {name: ran, functions: [alpha, lab], addresses: [10.0.0.1/40]}\n"
               "alpha:\n"
               "  number: 101\n"
               "  nummer: 3\n"
               "delta: {}\n");
    assert_int_equal(run("check %/wrong.yaml"), 1);
    assert_true(says("wrong.yaml:7: alpha.number: 101"));
    assert_true(says("wrong.yaml:8: alpha: no such key 'nummer'"));
    assert_true(says("10.0.0.1/40 is not an address with its length"));
    assert_true(says("wrong.yaml:9: no such key 'delta'"));
    assert_int_equal(run("up %/wrong.yaml"), 2);
    assert_true(says("nothing was started"));
    assert_int_equal(run("check %/not-there.yaml"), 1);
}

static void what_only_the_whole_shows_is_told(void **state)
{
    (void)state;
    write_file("wrong.yaml", "network:\n"
                             "  namespaces:\n"
                             "    - {name: core, functions: [alpha, gamma]}\n"
                             "    - {name: core, functions: [lab]}\n"
                             "    - {name: host}\n"
                             "    - {name: ran, functions: [alpha]}\n"
                             "  links:\n"
                             "    - {name: s1, between: [core, moon]}\n"
                             "    - {name: s2, between: [core]}\n"
                             "    - {name: s3, between: [core, ran], addresses: [10.0.0.1/24]}\n"
                             "    - {name: s4, between: [ran, ran]}\n"
                             "  routes:\n"
                             "    - {to: 10.0.0.0/8}\n"
                             "alpha: {}\n");
    assert_int_equal(run("check %/wrong.yaml"), 1);
    assert_true(says("there is no function 'gamma'"));
    assert_true(says("two namespaces are called 'core'"));
    assert_true(says("the file has no section 'lab:'"));
    assert_true(says("'host' is the namespace strowger is started in"));
    assert_true(says("alpha is to run in 'core' and in 'ran'"));
    assert_true(says("there is no namespace 'moon'"));
    assert_true(says("s2: a link is between two namespaces, not 1"));
    assert_true(says("s3: 1 addresses for two ends"));
    assert_true(says("s4: both ends are in 'ran'"));
    assert_true(says("a route needs 'via' or 'interface'"));
}

/* ---- up and down ---- */

static void up_detached_answers_and_goes_down(void **state)
{
    (void)state;
    assert_int_equal(run("up %/plain.yaml --detach"), 0);
    assert_true(says("The network 'plain' is up"));

    assert_int_equal(run("status"), 0);
    assert_true(says("Network plain"));
    assert_true(says("number 5"));
    assert_int_equal(run("show alpha"), 0);
    assert_true(says("number       5"));
    assert_int_equal(run("show alpha rows"), 0);
    assert_true(says("NAME "));
    assert_true(says("\nrow "));
    assert_int_equal(run("show alpha rows --json"), 0);
    assert_true(says("\"name\": \"row\""));
    assert_int_equal(run("show alpha nonsense"), 1);
    assert_true(says("some rows"));
    assert_int_equal(run("show gamma"), 1);
    assert_true(says("alpha beta"));
    assert_int_equal(run("log alpha"), 0);
    assert_true(says("the toy has number 5"));
    assert_int_equal(run("log"), 0);
    assert_true(says("the toy has number 7"));
    assert_int_equal(run("trace"), 0);
    assert_true(says("S1-MME"));
    assert_true(says("001010000000001"));
    assert_int_equal(run("trace --imsi 12x"), 2);
    assert_int_equal(run("exec host true"), 0);
    assert_int_equal(run("exec moon true"), 1);
    assert_true(says("there is no namespace or phone 'moon'"));

    assert_int_equal(run("up %/plain.yaml"), 1);
    assert_true(says("is up already"));
    assert_int_equal(run("down"), 0);
    assert_true(nothing_is_left());
    assert_int_equal(run("down"), 1);
    assert_true(says("no network is up"));
}

static void interrupting_up_takes_everything_away(void **state)
{
    (void)state;
    pid_t pid = start("up %/plain.yaml");

    for (int i = 0; i < 200 && run("show alpha") != 0; i++)
        usleep(20000);
    kill(pid, SIGINT);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(nothing_is_left());
}

static void a_function_that_lacks_a_peer_is_told(void **state)
{
    (void)state;
    write_file("broken.yaml", "name: broken\nbeta: {number: 0}\n");
    assert_int_equal(run("up %/broken.yaml -d"), 0);
    assert_true(says("beta still waits for a number"));
    assert_int_equal(run("status"), 0);
    assert_true(says("waits for a number"));
    assert_int_equal(run("down"), 0);
}

static void a_function_that_dies_is_started_again(void **state)
{
    (void)state;
    assert_int_equal(run("up %/plain.yaml -d"), 0);
    json_int_t first = pid_of("beta"), second = first;
    assert_true(first > 1);
    kill((pid_t)first, SIGKILL);
    for (int i = 0; i < 100 && (second == first || second == 0); i++) {
        usleep(20000);
        second = pid_of("beta");
    }
    assert_int_not_equal(second, first);
    for (int i = 0; i < 100 && run("show beta") != 0; i++)
        usleep(20000);
    assert_int_equal(run("show beta"), 0);
    assert_int_equal(run("log"), 0);
    assert_true(says("beta has ended (killed by signal 9"));
    assert_int_equal(run("down"), 0);
}

static void killing_the_supervisor_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(run("up %/plain.yaml -d"), 0);
    json_t *json = status_json();
    json_int_t pid = json_integer_value(json_object_get(json, "pid")), alpha = pid_of("alpha");
    json_decref(json);
    kill((pid_t)pid, SIGKILL);
    assert_true(gone_within(5000));
    assert_int_equal(kill((pid_t)alpha, 0), -1);
}

static void killing_the_keeper_leaves_nothing(void **state)
{
    (void)state;
    pid_t pid = start("up %/plain.yaml");
    json_int_t alpha = 0;

    for (int i = 0; i < 200 && run("show alpha") != 0; i++)
        usleep(20000);
    alpha = pid_of("alpha");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(gone_within(6000));
    assert_int_equal(kill((pid_t)alpha, 0), -1);
}

static void a_function_that_cannot_start_ends_it_all(void **state)
{
    (void)state;
    write_file("broken.yaml", "name: broken\nalpha: {}\nbeta: {fails: yes}\n");
    assert_int_equal(run("up %/broken.yaml"), 1);
    assert_true(says("beta did not come up (exit code 1). It said:"));
    assert_true(says("the toy is broken"));
    assert_true(nothing_is_left());
    assert_int_equal(run("up %/broken.yaml --detach"), 1);
    assert_true(says("the toy is broken"));
    assert_true(gone_within(2000));
}

static void run_has_the_lab_s_result(void **state)
{
    (void)state;
    write_file("lab.yaml", "name: lab\nalpha: {}\nlab: {}\n");
    assert_int_equal(run("up %/lab.yaml --run"), 0);
    assert_true(says("a phone attached"));
    assert_true(says("a phone detached"));
    assert_true(nothing_is_left());
    assert_int_equal(run("up %/lab.yaml --run bad"), 1);
    assert_int_equal(run("up %/lab.yaml --run=none"), 1);
    assert_true(says("the lab has no scenario 'none'"));
    assert_int_equal(run("up %/plain.yaml --run"), 1);
    assert_true(says("no section 'lab:'"));
    assert_true(nothing_is_left());
}

static void without_the_lab(void **state)
{
    (void)state;
    write_file("lab.yaml", "name: lab\nalpha: {}\nlab: {}\n");
    assert_int_equal(run("up %/lab.yaml --no-lab --detach"), 0);
    assert_int_equal(pid_of("lab"), 0);
    assert_int_equal(run("down lab"), 0);
}

static void functions_live_in_their_namespaces(void **state)
{
    (void)state;
    bool allowed = netns_allowed();
    if (!allowed && geteuid() == 0)
        skip();
    int result = run("up %/spaces.yaml -d");
    if (result != 0 && strstr(output, "may not make network namespaces"))
        skip();
    if (result != 0)
        print_message("%s\n", output);
    assert_int_equal(result, 0);
    assert_int_equal(run("exec core cat /proc/net/route"), 0);
    assert_true(says("s1"));
    assert_int_equal(run("exec ran ping -n -c 1 -W 2 10.7.7.7"), 0);
    assert_int_equal(run("exec --list"), 0);
    assert_true(says("core\nran\nhost"));
    assert_int_equal(run("down"), 0);
}

static void usage_errors_are_two(void **state)
{
    (void)state;
    assert_int_equal(run("up"), 2);
    assert_int_equal(run("up %/plain.yaml --no-such-option"), 2);
    assert_int_equal(run("up a b c"), 2);
    assert_int_equal(run("up %/plain.yaml --run --detach"), 2);
    assert_int_equal(run("check"), 2);
    assert_int_equal(run("exec"), 2);
    assert_int_equal(run("down a b"), 2);
    static const char *const all[] = {"up",   "down", "check", "status",
                                      "show", "log",  "exec",  "trace"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char words[32];
        snprintf(words, sizeof(words), "%s --help", all[i]);
        assert_int_equal(run(words), 0);
        assert_true(says("Examples:"));
    }
}

static int test_all(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(usage_errors_are_two, setup, teardown),
        cmocka_unit_test_setup_teardown(a_right_file_is_right, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_file_is_told_by_line, setup, teardown),
        cmocka_unit_test_setup_teardown(what_only_the_whole_shows_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(up_detached_answers_and_goes_down, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupting_up_takes_everything_away, setup, teardown),
        cmocka_unit_test_setup_teardown(a_function_that_lacks_a_peer_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_function_that_dies_is_started_again, setup, teardown),
        cmocka_unit_test_setup_teardown(killing_the_supervisor_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(killing_the_keeper_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_function_that_cannot_start_ends_it_all, setup, teardown),
        cmocka_unit_test_setup_teardown(run_has_the_lab_s_result, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_lab, setup, teardown),
        cmocka_unit_test_setup_teardown(functions_live_in_their_namespaces, setup, teardown),
    };
    char run_directory[128], file[128];
    static const char *const files[] = {"plain.yaml",  "spaces.yaml", "wrong.yaml",
                                        "broken.yaml", "lab.yaml",    "output"};

    if (!mkdtemp(directory))
        return 1;
    snprintf(run_directory, sizeof(run_directory), "%s/run", directory);
    setenv("STROWGER_RUN", run_directory, 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(file, sizeof(file), "%s/%s", directory, files[i]);
        unlink(file);
    }
    rmdir(directory);
    return failed;
}

int main(int argc, char **argv)
{
    manager_set_functions(functions, sizeof(functions) / sizeof(functions[0]));
    for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].main(argc - 1, argv + 1);
    }
    return argc > 1 ? 2 : test_all();
}
