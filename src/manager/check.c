/*
 * check.c -- `strowger check FILE`: is this configuration right?
 *
 * The manager's own sections are read here; each function's section is read by the function itself
 * (its verb with
 * --check), so what is said is what it would say when it is started. Errors go to standard error as
 * FILE:LINE: section.key: what is wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/inner.h"

#define MAX_SECTIONS 64

bool check_has_function(const struct config *config, const struct manager_function *function)
{
    /* A function that reads another one's section does its work as well: the other is not run
     * beside it. */
    for (size_t i = 0; i < manager_function_count; i++) {
        const char *const *more = manager_functions[i].more_sections;
        for (; more && *more; more++) {
            if (strcmp(*more, function->name) == 0 && config_has(config, manager_functions[i].name))
                return false;
        }
    }
    return config_has(config, function->name);
}

/* Every top-level key that somebody reads. */
static void known_sections(const char *known[MAX_SECTIONS])
{
    static const char *const common[] = {"name", "log", "trace", "network", "manager"};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        known[n++] = common[i];
    for (size_t i = 0; i < manager_function_count && n < MAX_SECTIONS - 2; i++) {
        const char *const *more = manager_functions[i].more_sections;
        known[n++] = manager_functions[i].name;
        for (; more && *more && n < MAX_SECTIONS - 2; more++)
            known[n++] = *more;
    }
    known[n] = NULL;
}

static int check_function(const struct manager_function *function, const char *file)
{
    char name[64], c[] = "-c", path[RUN_PATH_SIZE * 4], check[] = "--check";
    char *argv[] = {name, c, path, check, NULL};

    snprintf(name, sizeof(name), "%s", function->name);
    if (snprintf(path, sizeof(path), "%s", file) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    return function->main(4, argv) == 0 ? 0 : -EINVAL;
}

/* A function named in network.namespaces that does not exist, or has no section, would silently not
 * run. */
static int check_places(struct config *config, const struct network *network)
{
    size_t before = config_error_count(config);

    for (size_t i = 0; i < network->namespaces.count; i++) {
        const struct network_namespace *ns = &network->namespaces.at[i];
        for (size_t f = 0; f < ns->functions.count; f++) {
            const char *name = ns->functions.at[f];
            const struct manager_function *function = manager_find_function(name);
            if (!function)
                config_complain(config, "network", "namespaces", "%s: there is no function '%s'",
                                ns->name, name);
            else if (!check_has_function(config, function))
                config_complain(config, "network", "namespaces",
                                "%s: '%s' is to run here, but the file has no section '%s:'",
                                ns->name, name, name);
        }
    }
    return config_error_count(config) > before ? -EINVAL : 0;
}

int check_file(const char *file, struct config *config, struct manager_config *manager,
               struct network *network)
{
    const char *known[MAX_SECTIONS];
    size_t functions = 0;
    int err = 0;

    known_sections(known);
    if (config_check_sections(config, known) < 0)
        err = -EINVAL;
    if (config_read(config, "manager", &manager_schema, manager) < 0)
        err = -EINVAL;
    if (config_read(config, "network", &network_schema, network) < 0)
        err = -EINVAL;
    else if (network_check(config, network) < 0)
        err = -EINVAL;
    if (check_places(config, network) < 0)
        err = -EINVAL;
    for (size_t i = 0; i < manager_function_count; i++) {
        const struct manager_function *function = &manager_functions[i];
        if (!check_has_function(config, function))
            continue;
        functions++;
        if (check_function(function, file) < 0)
            err = -EINVAL;
    }
    if (functions == 0) {
        fprintf(stderr, "%s: there is no function in it (a section such as 'mme:')\n", file);
        err = -EINVAL;
    }
    return err;
}

int check_main(int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct manager_config manager;
    struct network network;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c != 'h')
            return 2;
        printf("Says what is wrong with a configuration file, at which line, and what was "
               "expected.\n\n"
               "Usage: strowger check FILE\n\n"
               "All keys of a function's section: strowger FUNCTION --reference\n\n"
               "Examples:\n"
               "  strowger check examples/operator.yaml\n");
        return 0;
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: strowger check FILE\n");
        return 2;
    }
    const char *file = argv[optind];
    struct config *config = config_load(file);
    if (!config)
        return 1;
    int err = check_file(file, config, &manager, &network);
    config_free(config);
    if (err == 0)
        printf("%s is right.\n", file);
    return err < 0;
}
