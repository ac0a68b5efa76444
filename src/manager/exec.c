/*
 * exec.c -- `strowger exec NAME COMMAND`: runs a program as one part of the network sees the world:
 * in one of its namespaces, or in a phone's.
 *
 * Namespaces have no names in the system. The manager and the lab tell a path for each,
 * /proc/PID/fd/N, that leads to it; when an ordinary user's network lives in a user namespace that
 * is entered first.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager/inner.h"

static const char help[] = "Runs a program inside the running network.\n\n"
                           "Usage: strowger exec [-n NETWORK] NAME COMMAND [ARGUMENT ...]\n\n"
                           "NAME is a namespace of the network (`strowger exec --list`), or a "
                           "phone of the lab: phone1, or\n"
                           "its IMSI.\n\n"
                           "Examples:\n"
                           "  strowger exec phone1 ping 10.99.0.1\n"
                           "  strowger exec core ss -lnp\n"
                           "  strowger exec internet tcpdump -ni any\n";

static void list_names(FILE *to, const char *directory)
{
    json_t *manager = client_get(directory, "manager", "/state", NULL);
    json_t *phones = client_get(directory, "lab", "/state?what=phones", NULL);
    size_t i;
    json_t *row;

    json_array_foreach(json_object_get(manager, "namespaces"), i, row)
        fprintf(to, "%s\n", json_string_value(json_object_get(row, "name")));
    json_array_foreach(phones, i, row)
    {
        const char *path = json_string_value(json_object_get(row, "netns"));
        if (path && path[0])
            fprintf(to, "%s (%s)\n", json_string_value(json_object_get(row, "name")),
                    json_string_value(json_object_get(row, "imsi")));
    }
    json_decref(manager);
    json_decref(phones);
}

static bool is_called(const json_t *row, const char *key, const char *name)
{
    const char *value = json_string_value(json_object_get(row, key));

    return value && strcmp(value, name) == 0;
}

/* The path of the namespace in the rows, found by one of two keys. */
static int find_path(const json_t *rows, const char *name, const char *path_key, char *path,
                     size_t size)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        const char *found = json_string_value(json_object_get(row, path_key));
        if (!is_called(row, "name", name) && !is_called(row, "imsi", name))
            continue;
        if (!found || !found[0])
            return -ENXIO;
        snprintf(path, size, "%s", found);
        return 0;
    }
    return -ENOENT;
}

static int find_namespace(const char *directory, const char *name, char *path, size_t size,
                          int *manager_pid)
{
    json_t *manager = client_get(directory, "manager", "/state", NULL);

    *manager_pid = (int)json_integer_value(json_object_get(manager, "pid"));
    int err = find_path(json_object_get(manager, "namespaces"), name, "path", path, size);
    json_decref(manager);
    if (err != -ENOENT)
        return err;
    json_t *phones = client_get(directory, "lab", "/state?what=phones&limit=1000000", NULL);
    err = find_path(phones, name, "netns", path, size);
    json_decref(phones);
    return err;
}

/* Enters the manager's user namespace if it has one of its own. */
static int enter_user_namespace(int manager_pid)
{
    char path[64];
    struct stat ours, theirs;

    snprintf(path, sizeof(path), "/proc/%d/ns/user", manager_pid);
    if (stat("/proc/self/ns/user", &ours) < 0 || stat(path, &theirs) < 0)
        return -errno;
    if (ours.st_ino == theirs.st_ino)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 || setns(fd, CLONE_NEWUSER) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return err;
}

static int enter(const char *path, int manager_pid)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int err = enter_user_namespace(manager_pid);
    if (err == 0)
        err = netns_enter(fd);
    close(fd);
    return err;
}

static int run(const char *directory, const char *name, char **command)
{
    char path[128];
    int manager_pid;

    int err = find_namespace(directory, name, path, sizeof(path), &manager_pid);
    if (err == -ENOENT) {
        fprintf(stderr, "strowger: there is no namespace or phone '%s'. There are:\n", name);
        list_names(stderr, directory);
        return 1;
    }
    if (err == -ENXIO)
        fprintf(stderr,
                "strowger: phone %s has no network interface of its own (`tun: yes` in `lab:`)\n",
                name);
    else if (err == 0)
        err = enter(path, manager_pid);
    if (err < 0) {
        if (err != -ENXIO)
            fprintf(stderr, "strowger: cannot enter '%s': %s%s\n", name, strerror(-err),
                    err == -EPERM || err == -EACCES ? " (it belongs to another user: sudo?)" : "");
        return 1;
    }
    execvp(command[0], command);
    fprintf(stderr, "strowger: %s: %s\n", command[0], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

int exec_main(int argc, char **argv)
{
    static const struct option longs[] = {{"list", no_argument, NULL, 'l'},
                                          {"network", required_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    char directory[RUN_PATH_SIZE];
    const char *network = NULL;
    bool list = false;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "+n:h", longs, NULL)) != -1) {
        switch (c) {
        case 'l':
            list = true;
            break;
        case 'n':
            network = optarg;
            break;
        default:
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (!list && optind + 2 > argc) {
        fputs(help, stderr);
        return 2;
    }
    if (client_find_network(network, directory, sizeof(directory)) < 0)
        return 1;
    if (list) {
        list_names(stdout, directory);
        return 0;
    }
    return run(directory, argv[optind], argv + optind + 1);
}
