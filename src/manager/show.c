/*
 * show.c -- `strowger show FUNCTION [VIEW]`: what a function knows, asked over its control socket.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/inner.h"

static const char help[] = "Shows what a function knows: a summary, or one of its views "
                           "(subscribers, sessions, flows ...).\n\n"
                           "Usage: strowger show FUNCTION [VIEW [KEY=VALUE ...]] [options]\n\n"
                           "      --json         as JSON\n"
                           "  -n, --network NAME when several networks are up\n\n"
                           "Which views there are: strowger show FUNCTION --views\n\n"
                           "Examples:\n"
                           "  strowger show mme\n"
                           "  strowger show mme ues\n"
                           "  strowger show lab phones limit=20\n"
                           "  strowger show switch flows --json\n";

struct options {
    const char *network;
    bool json;
    bool views;
};

/* Adds a query value as a URL wants it. */
static void text_escape(struct text *t, const char *value)
{
    for (; *value; value++) {
        if (isalnum((unsigned char)*value) || strchr("-._~", *value))
            text_add(t, "%c", *value);
        else
            text_add(t, "%%%02X", (unsigned char)*value);
    }
}

static int make_target(struct text *t, int argc, char **argv)
{
    text_add(t, "/state");
    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (i > 0 && !equals) {
            fprintf(stderr, "strowger show: '%s' is not KEY=VALUE\n", argv[i]);
            return -EINVAL;
        }
        text_add(t, "%c", i == 0 ? '?' : '&');
        if (i == 0)
            text_add(t, "what=");
        else
            text_add(t, "%.*s=", (int)(equals - argv[i]), argv[i]);
        text_escape(t, i == 0 ? argv[i] : equals + 1);
    }
    return t->cut ? -ENAMETOOLONG : 0;
}

static void print_views(FILE *to, const char *directory, const char *function)
{
    json_t *views = client_get(directory, function, "/views", NULL);

    if (json_array_size(views) > 0)
        table_print(to, views, table_style_of(to));
    json_decref(views);
}

static int list_functions(FILE *to, const char *directory)
{
    json_t *names = client_functions(directory);
    size_t i;
    json_t *name;

    fprintf(to, "Functions that answer:");
    json_array_foreach(names, i, name) fprintf(to, " %s", json_string_value(name));
    fprintf(to, "\n");
    json_decref(names);
    return 1;
}

static int show(const char *directory, const struct options *o, int argc, char **argv)
{
    char target[512], reason[256];
    struct text t = text_in(target, sizeof(target)), why = text_in(reason, sizeof(reason));

    if (o->views)
        text_add(&t, "/views");
    else if (make_target(&t, argc - 1, argv + 1) < 0)
        return 2;
    json_t *answer = client_get(directory, argv[0], target, &why);
    if (!answer) {
        fprintf(stderr, "strowger: %s\n", reason);
        if (argc > 1)
            print_views(stderr, directory, argv[0]);
        else
            list_functions(stderr, directory);
        return 1;
    }
    if (o->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
        printf("\n");
    } else {
        table_print(stdout, answer, table_style_of(stdout));
    }
    json_decref(answer);
    return 0;
}

int show_main(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"views", no_argument, NULL, 'v'},
                                          {"network", required_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options o = {0};
    char directory[RUN_PATH_SIZE];
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "n:h", longs, NULL)) != -1) {
        switch (c) {
        case 'j':
            o.json = true;
            break;
        case 'v':
            o.views = true;
            break;
        case 'n':
            o.network = optarg;
            break;
        default:
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (client_find_network(o.network, directory, sizeof(directory)) < 0)
        return 1;
    if (optind == argc)
        return list_functions(stderr, directory);
    return show(directory, &o, argc - optind, argv + optind);
}
