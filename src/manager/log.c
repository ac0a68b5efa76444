/*
 * log.c -- `strowger log`: what the functions of the network have said, in the order in which they
 * said it.
 *
 * The supervisor writes all lines into one file in the run directory, and moves that to log.1 when
 * it is large.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/inner.h"

#define NAME_COLUMN   13 /* after "15:04:26.987 " */
#define DEFAULT_LINES 100
#define FOLLOW_US     200000

static const char help[] = "Shows what the functions of the running network have logged.\n\n"
                           "Usage: strowger log [FUNCTION] [options]\n\n"
                           "  -f, --follow       and what they log from now on\n"
                           "  -l, --lines N      of the past (100; 0: none)\n"
                           "  -n, --network NAME when several networks are up\n\n"
                           "Examples:\n"
                           "  strowger log\n"
                           "  strowger log mme -f\n";

static bool is_about(const char *line, const char *function)
{
    size_t len = function ? strlen(function) : 0;

    if (!function)
        return true;
    return strlen(line) > NAME_COLUMN + len && strncmp(line + NAME_COLUMN, function, len) == 0 &&
           line[NAME_COLUMN + len] == ' ';
}

/* The last lines of a file, kept in a ring while it is read. */
struct last {
    char **lines;
    size_t count, next;
};

static void last_read(struct last *last, const char *path, const char *function)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = last->count > 0 ? fopen(path, "re") : NULL;

    while (file && getline(&line, &size, file) > 0) {
        if (!is_about(line, function))
            continue;
        free(last->lines[last->next]);
        last->lines[last->next] = strdup(line);
        last->next = (last->next + 1) % last->count;
    }
    free(line);
    if (file)
        fclose(file);
}

static void last_print(FILE *to, struct last *last, unsigned width)
{
    for (size_t i = 0; i < last->count; i++) {
        char *line = last->lines[(last->next + i) % last->count];
        if (!line)
            continue;
        line[strcspn(line, "\n")] = '\0';
        fprintf(to, "%.*s\n", width ? (int)width : (int)strlen(line), line);
        free(line);
    }
    free(last->lines);
}

static void print_last(FILE *to, const char *directory, const char *function, size_t count,
                       unsigned width)
{
    char path[RUN_PATH_SIZE + 8];
    struct last last = {calloc(count + 1, sizeof(char *)), count, 0};

    if (!last.lines)
        return;
    snprintf(path, sizeof(path), "%s/log.1", directory);
    last_read(&last, path, function);
    snprintf(path, sizeof(path), "%s/log", directory);
    last_read(&last, path, function);
    last_print(to, &last, width);
}

void log_print_last(FILE *to, const char *directory, size_t count, unsigned width)
{
    print_last(to, directory, NULL, count, width);
}

/* Prints what is appended, goes on to the new file when the old one was moved away, ends with the
 * network. */
static int follow(const char *directory, const char *function)
{
    char path[RUN_PATH_SIZE + 8], *line = NULL;
    size_t size = 0;
    struct stat open_one, there;

    snprintf(path, sizeof(path), "%s/log", directory);
    FILE *file = fopen(path, "re");
    if (file)
        fseek(file, 0, SEEK_END);
    while (file) {
        while (getline(&line, &size, file) > 0) {
            if (is_about(line, function))
                fputs(line, stdout);
        }
        fflush(stdout);
        clearerr(file);
        if (stat(path, &there) < 0)
            break; /* the network has ended */
        if (fstat(fileno(file), &open_one) == 0 && open_one.st_ino != there.st_ino) {
            fclose(file);
            file = fopen(path, "re");
        }
        usleep(FOLLOW_US);
    }
    if (file)
        fclose(file);
    free(line);
    return 0;
}

int log_main(int argc, char **argv)
{
    static const struct option longs[] = {{"follow", no_argument, NULL, 'f'},
                                          {"lines", required_argument, NULL, 'l'},
                                          {"network", required_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    char directory[RUN_PATH_SIZE];
    const char *network = NULL;
    bool following = false;
    size_t lines = DEFAULT_LINES;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "fl:n:h", longs, NULL)) != -1) {
        switch (c) {
        case 'f':
            following = true;
            break;
        case 'l':
            lines = strtoul(optarg, NULL, 10);
            lines = lines > 1000000 ? 1000000 : lines;
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
    const char *function = optind < argc ? argv[optind] : NULL;
    print_last(stdout, directory, function, lines, 0);
    fflush(stdout);
    return following ? follow(directory, function) : 0;
}
