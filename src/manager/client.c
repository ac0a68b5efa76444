/*
 * client.c -- how the verbs find the running network they are about, and talk to it.
 *
 * Each network has a directory under the base directory (see base/process.h) with a control socket
 * per function and one of the manager. A network whose manager does not answer is not up.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/inner.h"

int client_base_directory(char *path, size_t size)
{
    int err = process_run_dir("x", false, path, size);

    if (err < 0)
        return err;
    *strrchr(path, '/') = '\0';
    return 0;
}

static int socket_path(const char *directory, const char *function, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s.sock", directory, function);

    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static bool is_up(const char *directory)
{
    json_t *state = client_get(directory, "manager", "/state", NULL);

    json_decref(state);
    return state != NULL;
}

/* Finds the only network that is up. 0, -ENOENT, or -EEXIST when there are more: their names are
 * then in `names`. */
static int find_only(const char *base, char *directory, size_t size, struct text *names)
{
    unsigned found = 0;
    struct dirent *entry;
    DIR *dir = opendir(base);

    while (dir && (entry = readdir(dir))) {
        char path[RUN_PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", base, entry->d_name) >= (int)sizeof(path) ||
            !is_up(path))
            continue;
        text_add(names, "%s%s", found ? ", " : "", entry->d_name);
        if (found++ == 0)
            snprintf(directory, size, "%s", path);
    }
    if (dir)
        closedir(dir);
    return found == 1 ? 0 : found == 0 ? -ENOENT : -EEXIST;
}

int client_find_network(const char *wanted, char *directory, size_t size)
{
    char base[RUN_PATH_SIZE], buffer[512];
    struct text names = text_in(buffer, sizeof(buffer));

    if (wanted) {
        int err = process_run_dir(wanted, false, directory, size);
        if (err == 0 && !is_up(directory))
            err = -ENOENT;
        if (err < 0)
            fprintf(stderr, "strowger: no network '%s' is up (start it: strowger up FILE)\n",
                    wanted);
        return err;
    }
    int err = client_base_directory(base, sizeof(base));
    if (err == 0)
        err = find_only(base, directory, size, &names);
    if (err == -EEXIST)
        fprintf(stderr, "strowger: several networks are up (%s): say which with -n NAME\n", buffer);
    else if (err < 0)
        fprintf(stderr, "strowger: no network is up (start one: strowger up FILE)\n");
    return err;
}

json_t *client_get(const char *directory, const char *function, const char *target,
                   struct text *why)
{
    char path[RUN_PATH_SIZE], *body = NULL;
    size_t len = 0;
    int status = 0;
    json_t *json = NULL;

    int err = socket_path(directory, function, path, sizeof(path));
    if (err == 0)
        err = control_call(path, "GET", target, NULL, &body, &len, &status);
    if (err == 0)
        json = json_loadb(body, len, JSON_DECODE_ANY, NULL);
    free(body);
    if (err < 0 && why)
        text_add(why, "%s does not answer (%s)", function, strerror(-err));
    if (json && status != 200) {
        const char *error = json_string_value(json_object_get(json, "error"));
        if (why)
            text_add(why, "%s", error ? error : "refused");
        json_decref(json);
        return NULL;
    }
    if (err == 0 && !json && why)
        text_add(why, "%s gave an answer that is no JSON", function);
    return json;
}

static int by_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

json_t *client_functions(const char *directory)
{
    json_t *names = json_array();
    char *found[64];
    size_t count = 0;
    struct dirent *entry;
    DIR *dir = opendir(directory);

    while (dir && (entry = readdir(dir)) && count < 64) {
        char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".sock") != 0 || strcmp(entry->d_name, "manager.sock") == 0)
            continue;
        char *name = strndup(entry->d_name, (size_t)(dot - entry->d_name));
        if (name)
            found[count++] = name;
    }
    if (dir)
        closedir(dir);
    qsort(found, count, sizeof(found[0]), by_order);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(names, json_string(found[i]));
        free(found[i]);
    }
    return names;
}

static bool sign_holds(const json_t *value, const struct manager_sign *sign)
{
    const char *text = json_string_value(value);

    if (sign->text)
        return text && strstr(text, sign->text);
    return json_is_true(value) || json_number_value(value) > 0 || (text && text[0]);
}

const char *client_waits_for(const char *directory, const struct manager_function *function)
{
    const struct manager_sign *sign = &function->ready;
    size_t i;
    json_t *row;

    if (!sign->target)
        return NULL;
    json_t *answer = client_get(directory, function->name, sign->target, NULL);
    bool ready = sign_holds(json_object_get(answer, sign->key), sign);
    json_array_foreach(answer, i, row) ready |= sign_holds(json_object_get(row, sign->key), sign);
    json_decref(answer);
    return ready ? NULL : sign->waits_for;
}
