/*
 * status.c -- `strowger status`: which functions run, how they are, and what they say of themselves
 * in a few numbers.
 *
 * A function's own answer to GET /state is its summary: subscribers, sessions, peers, whatever it
 * counts. It is shown as it comes; rates are the differences between two looks at what counts up
 * (names that end in _total).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager/inner.h"

#define REDRAW_S  1
#define LOG_LINES 8
#define MAX_SEEN  64

/* What a function was like when we last looked, for rates. */
struct seen {
    char name[32];
    uint64_t at_us;
    double cpu_s;
    json_t *summary;
};

static struct {
    struct seen functions[MAX_SEEN];
    size_t count;
    unsigned drawn; /* lines on the screen that are ours */
} view;

static struct seen *seen_of(const char *name)
{
    for (size_t i = 0; i < view.count; i++) {
        if (strcmp(view.functions[i].name, name) == 0)
            return &view.functions[i];
    }
    if (view.count == MAX_SEEN)
        return NULL;
    struct seen *seen = &view.functions[view.count++];
    snprintf(seen->name, sizeof(seen->name), "%s", name);
    return seen;
}

/* CPU seconds and resident bytes of a process, from /proc/PID/stat (proc(5)). */
static bool process_usage(int pid, double *cpu_s, double *resident)
{
    char path[64], line[1024];
    unsigned long user, system;
    long pages;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, line, sizeof(line) - 1);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    const char *after_name = strrchr(line, ')'); /* the name may hold blanks */
    if (!after_name ||
        sscanf(after_name + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d "
               "%*u %*u %ld",
               &user, &system, &pages) != 3)
        return false;
    *cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    *resident = (double)pages * (double)sysconf(_SC_PAGESIZE);
    return true;
}

static bool ends_in_total(const char *key)
{
    size_t len = strlen(key);

    return len > 6 && strcmp(key + len - 6, "_total") == 0;
}

/* For each ..._total of the summary, how much a second since the last look. */
static void add_rates(json_t *row, json_t *summary, struct seen *seen, double elapsed_s)
{
    json_t *rates = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(summary, key, value)
    {
        const json_t *before = json_object_get(seen->summary, key);
        char name[64];
        if (!ends_in_total(key) || !json_is_number(value) || !json_is_number(before) ||
            elapsed_s <= 0)
            continue;
        snprintf(name, sizeof(name), "%.*s_per_s", (int)strlen(key) - 6, key);
        json_object_set_new(
            rates, name,
            json_real((json_number_value(value) - json_number_value(before)) / elapsed_s));
    }
    if (json_object_size(rates) > 0)
        json_object_set_new(row, "rates", rates);
    else
        json_decref(rates);
}

static void add_function(json_t *row, const char *directory)
{
    const char *name = json_string_value(json_object_get(row, "function"));
    int pid = (int)json_integer_value(json_object_get(row, "pid"));
    struct seen *seen = name ? seen_of(name) : NULL;
    double cpu_s, resident, elapsed_s = json_number_value(json_object_get(row, "since_s")),
                            cpu_before = 0;
    uint64_t now_us = clock_now_us();

    if (!seen)
        return;
    if (seen->at_us > 0) {
        elapsed_s = (double)(now_us - seen->at_us) / 1e6;
        cpu_before = seen->cpu_s;
    }
    if (pid > 0 && process_usage(pid, &cpu_s, &resident)) {
        if (cpu_s < cpu_before) /* another process than last time */
            cpu_before = 0;
        json_object_set_new(row, "cpu_percent",
                            json_real(elapsed_s > 0 ? 100 * (cpu_s - cpu_before) / elapsed_s : 0));
        json_object_set_new(row, "memory_bytes", json_integer((json_int_t)resident));
        seen->cpu_s = cpu_s;
    }
    const char *state = json_string_value(json_object_get(row, "state"));
    json_t *summary =
        state && strcmp(state, "up") == 0 ? client_get(directory, name, "/state", NULL) : NULL;
    if (summary) {
        json_object_set(row, "summary", summary);
        add_rates(row, summary, seen, elapsed_s);
    }
    const struct manager_function *function = manager_find_function(name);
    const char *waits_for = summary && function ? client_waits_for(directory, function) : NULL;
    if (waits_for)
        json_object_set_new(row, "waits_for", json_string(waits_for));
    json_decref(seen->summary);
    seen->summary = summary;
    seen->at_us = now_us;
}

json_t *status_collect(const char *directory)
{
    json_t *status = client_get(directory, "manager", "/state", NULL);
    const json_t *functions = json_object_get(status, "functions");
    size_t i;
    json_t *row;

    json_array_foreach(functions, i, row) add_function(row, directory);
    return status;
}

/* ---- for people ---- */

/* "12 enbs, 3 registered": the scalars of the summary that count now, then the rates. */
static void text_summary(struct text *t, const json_t *row)
{
    json_t *summary = json_object_get(row, "summary"), *rates = json_object_get(row, "rates");
    const char *key;
    json_t *value;

    json_object_foreach(summary, key, value)
    {
        if (ends_in_total(key) ||
            (!json_is_number(value) && !json_is_boolean(value) && !json_is_string(value)))
            continue;
        size_t begin = t->len + (t->len ? 2 : 0);
        if (json_is_integer(value))
            text_add(t, "%s%s %" JSON_INTEGER_FORMAT, t->len ? ", " : "", key,
                     json_integer_value(value));
        else if (json_is_real(value))
            text_add(t, "%s%s %.1f", t->len ? ", " : "", key, json_real_value(value));
        else if (json_is_boolean(value))
            text_add(t, "%s%s %s", t->len ? ", " : "", key, json_is_true(value) ? "yes" : "no");
        else
            text_add(t, "%s%s %s", t->len ? ", " : "", key, json_string_value(value));
        for (char *c = t->at + (begin < t->len ? begin : t->len); *c; c++)
            *c = *c == '_' ? ' ' : *c;
    }
    json_object_foreach(rates, key, value)
    {
        if (json_real_value(value) >= 0.05)
            text_add(t, "%s%.1f %.*s/s", t->len ? ", " : "", json_real_value(value),
                     (int)strlen(key) - 6, key);
    }
}

static json_t *row_for_people(const json_t *row)
{
    char since[32], memory[32], cpu[32], summary[400];
    struct text t = text_in(since, sizeof(since)), m = text_in(memory, sizeof(memory)),
                c = text_in(cpu, sizeof(cpu)), s = text_in(summary, sizeof(summary));
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *last_end = json_string_value(json_object_get(row, "last_end"));
    const char *waits_for = json_string_value(json_object_get(row, "waits_for"));
    bool up = state && strcmp(state, "up") == 0;

    text_duration(&t, json_number_value(json_object_get(row, "since_s")));
    text_add(&m, "%.1f MB", json_number_value(json_object_get(row, "memory_bytes")) / 1e6);
    text_add(&c, "%.1f %%", json_number_value(json_object_get(row, "cpu_percent")));
    if (waits_for)
        text_add(&s, "waits for %s", waits_for);
    text_summary(&s, row);
    if (!up && last_end && last_end[0])
        text_add(&s, "%s%s", s.len ? "; " : "", last_end);
    return json_pack(
        "{s:O,s:O,s:O,s:O,s:s,s:s,s:s,s:O,s:s}", "function", json_object_get(row, "function"),
        "state", json_object_get(row, "state"), "namespace", json_object_get(row, "namespace"),
        "pid", json_object_get(row, "pid"), "since", since, "cpu", up ? cpu : "-", "memory",
        up ? memory : "-", "restarts", json_object_get(row, "restarts"), "summary", summary);
}

void status_print(FILE *to, const json_t *status, struct table_style style)
{
    char up[32];
    struct text t = text_in(up, sizeof(up));
    json_t *rows = json_array();
    size_t i;
    json_t *row;

    text_duration(&t, json_number_value(json_object_get(status, "uptime_s")));
    json_array_foreach(json_object_get(status, "functions"), i, row)
        json_array_append_new(rows, row_for_people(row));
    fprintf(to, "Network %s (%s), up for %s\n\n",
            json_string_value(json_object_get(status, "network")),
            json_string_value(json_object_get(status, "file")), up);
    table_print(to, rows, style);
    json_decref(rows);
}

/* Draws over what was drawn before: up by so many lines, each line cleared to its end, the rest of
 * the screen cleared. */
void status_redraw(FILE *to, const char *directory)
{
    struct table_style style = table_style_of(to);
    char *picture = NULL;
    size_t size;

    json_t *status = status_collect(directory);
    FILE *draw = status ? open_memstream(&picture, &size) : NULL;
    if (!draw) {
        json_decref(status);
        return;
    }
    status_print(draw, status, style);
    fprintf(draw, "\n");
    log_print_last(draw, directory, LOG_LINES, style.width);
    fprintf(draw, "\nCtrl-C ends the network.\n");
    fclose(draw);
    if (view.drawn > 0)
        fprintf(to, "\033[%uA\r", view.drawn);
    view.drawn = 0;
    for (const char *c = picture; *c; c++) {
        if (*c == '\n') {
            fputs("\033[K", to);
            view.drawn++;
        }
        fputc(*c, to);
    }
    fputs("\033[J", to);
    fflush(to);
    free(picture);
    json_decref(status);
}

/* ---- the verb ---- */

static const char help[] =
    "Shows the functions of the running network and what they are busy with.\n\n"
    "Usage: strowger status [options]\n\n"
    "  -f, --follow       again and again\n"
    "      --json         as JSON\n"
    "  -n, --network NAME when several networks are up\n\n"
    "Examples:\n"
    "  strowger status\n"
    "  strowger status --json | jq '.functions[] | .function, .summary'\n";

static int print_once(const char *directory, bool json)
{
    json_t *status = status_collect(directory);

    if (!status) {
        fprintf(stderr, "strowger: the network has ended\n");
        return 1;
    }
    if (json)
        json_dumpf(status, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    else
        status_print(stdout, status, table_style_of(stdout));
    if (json)
        printf("\n");
    fflush(stdout);
    json_decref(status);
    return 0;
}

int status_main(int argc, char **argv)
{
    static const struct option longs[] = {{"follow", no_argument, NULL, 'f'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"network", required_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    char directory[RUN_PATH_SIZE];
    const char *network = NULL;
    bool follow = false, json = false;
    int c, result;

    optind = 1;
    while ((c = getopt_long(argc, argv, "fn:h", longs, NULL)) != -1) {
        switch (c) {
        case 'f':
            follow = true;
            break;
        case 'j':
            json = true;
            break;
        case 'n':
            network = optarg;
            break;
        default:
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (client_find_network(network, directory, sizeof(directory)) < 0)
        return 1;
    while ((result = print_once(directory, json)) == 0 && follow) {
        sleep(REDRAW_S);
        if (!json)
            printf("\n");
    }
    return result;
}
