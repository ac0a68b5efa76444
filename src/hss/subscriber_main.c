/*
 * subscriber_main.c -- `strowger subscriber`: the operator's hand on the subscribers.
 *
 * When the network's HSS runs it is asked through its control socket, so that what it holds in
 * memory stays right and MMEs learn of the change; otherwise its database file is opened. Both
 * sides are a struct target, which can list, get, put and delete; the verbs do not know which it
 * is.
 *
 * Keys are read and never shown.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "crypto/crypto.h"
#include "hss/csv.h"
#include "hss/hss.h"
#include "hss/server.h"

#define PIECE     1000 /* records in one request, or one page of a list */
#define PATH_SIZE 600

struct options {
    const char *config;
    const char *database;
    const char *network;
    bool json;
    bool replace;
    struct hss_draft draft; /* what `add` sets */
    json_t *fields;         /* the same as texts */
};

/* Where the subscribers are. */
struct target {
    bool running;
    char socket[PATH_SIZE]; /* of the running HSS */
    char database[PATH_SIZE];
    struct hss_store *store;
    struct hss_profile profile;
    struct config *config; /* owns the profile's text */
};

__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("strowger subscriber: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return -1;
}

/* ---- Finding the HSS ---- */

static bool answers(const char *socket)
{
    json_t *process = access(socket, F_OK) == 0 ? control_get_json(socket, "/process") : NULL;

    json_decref(process);
    return process != NULL;
}

/* The one HSS that runs on this machine. 0, -ENOENT, -EEXIST (several). */
static int find_running(char *socket, size_t size)
{
    char base[PATH_SIZE], candidate[PATH_SIZE + 300];
    int found = 0;

    if (process_run_dir("x", false, base, sizeof(base)) < 0)
        return -ENOENT;
    base[strlen(base) - 2] = '\0';
    DIR *directory = opendir(base);
    if (!directory)
        return -ENOENT;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(candidate, sizeof(candidate), "%s/%s/hss.sock", base, entry->d_name);
        if (strlen(candidate) < size && answers(candidate)) {
            strcpy(socket, candidate);
            found++;
        }
    }
    closedir(directory);
    return found == 0 ? -ENOENT : found > 1 ? -EEXIST : 0;
}

static int read_configuration(struct target *target, const char *file)
{
    struct hss_config hss;
    char run_directory[PATH_SIZE - 20];

    target->config = config_load(file);
    if (!target->config || config_read(target->config, "hss", &hss_config_schema, &hss) < 0)
        return -1;
    if (process_run_dir(process_network_name(target->config), false, run_directory,
                        sizeof(run_directory)) < 0)
        return fail("the path of the run directory is too long");
    target->profile = hss.profile;
    snprintf(target->socket, sizeof(target->socket), "%s/hss.sock", run_directory);
    if (hss_database_path(&hss, run_directory, target->database, sizeof(target->database)) < 0)
        return fail("the path of the database is too long");
    if (strcmp(hss.database, ":memory:") == 0)
        target->database[0] = '\0';
    return 0;
}

static int open_database(struct target *target, bool make)
{
    char reason[256];
    struct text why = text_in(reason, sizeof(reason));

    if (target->database[0] == '\0')
        return fail("the HSS does not run, and keeps its subscribers in memory only");
    if (!make && access(target->database, F_OK) < 0)
        return fail("there is no database %s (the HSS does not run either)", target->database);
    if (store_open(target->database, &target->store, &why) < 0)
        return fail("the database %s cannot be opened: %s", target->database, reason);
    return 0;
}

/* `make`: a database that is not there may be made. */
static int open_target(struct target *target, const struct options *options, bool make)
{
    char run_directory[PATH_SIZE - 20];

    *target = (struct target){.profile = hss_profile_default};
    if (options->database) {
        snprintf(target->database, sizeof(target->database), "%s", options->database);
        return open_database(target, make);
    }
    if (options->config) {
        if (read_configuration(target, options->config) < 0)
            return -1;
        target->running = answers(target->socket);
        return target->running ? 0 : open_database(target, make);
    }
    if (options->network) {
        if (process_run_dir(options->network, false, run_directory, sizeof(run_directory)) < 0)
            return fail("the path of the run directory is too long");
        snprintf(target->socket, sizeof(target->socket), "%s/hss.sock", run_directory);
        target->running = answers(target->socket);
        return target->running ? 0 : fail("no HSS runs in network %s", options->network);
    }
    int err = find_running(target->socket, sizeof(target->socket));
    target->running = err == 0;
    if (err == -EEXIST)
        return fail("several networks have an HSS; say which: --network NAME or -c FILE");
    if (err < 0)
        return fail(
            "no HSS runs here; say -c FILE (the network's configuration) or --database FILE");
    return 0;
}

static void close_target(struct target *target)
{
    store_close(target->store);
    if (target->config)
        config_free(target->config);
}

/* ---- Asking the running HSS ---- */

/* The answer, or NULL with *status telling the HTTP status (0: nobody answered) and `why` the
 * reason. */
static json_t *ask(const struct target *target, const char *method, const char *path,
                   const char *body, int *status, struct text *why)
{
    char *answer = NULL;
    size_t len = 0;

    *status = 0;
    int err = control_call(target->socket, method, path, body, &answer, &len, status);
    json_t *json = err == 0 ? json_loadb(answer, len, 0, NULL) : NULL;
    free(answer);
    if (err < 0)
        text_add(why, "the HSS does not answer: %s", strerror(-err));
    if (err == 0 && *status == 200 && json)
        return json;
    const char *said = json_string_value(json_object_get(json, "error"));
    if (err == 0)
        text_add(why, "%s", said ? said : "the HSS gave no answer that can be read");
    if (*status == 200)
        *status = 0;
    json_decref(json);
    return NULL;
}

/* ---- What a target can do ---- */

struct mme_name {
    uint32_t mme;
    char host[HSS_IDENTITY_SIZE];
};

static void match_mme(uint32_t mme, const char *host, const char *realm, void *argument)
{
    struct mme_name *name = argument;

    (void)realm;
    if (mme == name->mme)
        snprintf(name->host, sizeof(name->host), "%s", host);
}

static json_t *record_of(const struct target *target, const struct hss_subscriber *subscriber)
{
    struct mme_name name = {.mme = subscriber->mme};

    if (name.mme)
        (void)store_list_mmes(target->store, match_mme, &name);
    return hss_record_to_json(subscriber, name.host);
}

struct page {
    const struct target *target;
    json_t *list;
};

static bool add_to_page(const struct hss_subscriber *subscriber, void *argument)
{
    struct page *page = argument;

    return json_array_append_new(page->list, record_of(page->target, subscriber)) == 0;
}

/* The next page behind `after`; NULL after saying why. */
static json_t *list_page(const struct target *target, const char *after)
{
    char path[100], reason[300];
    struct text why = text_in(reason, sizeof(reason));
    int status;

    if (target->running) {
        snprintf(path, sizeof(path), "/subscribers?limit=%d&after=%s", PIECE, after);
        json_t *list = ask(target, "GET", path, NULL, &status, &why);
        if (!list)
            fail("%s", reason);
        return list;
    }
    struct page page = {target, json_array()};
    if (store_list(target->store, after, PIECE, add_to_page, &page) == 0)
        return page.list;
    fail("the database: %s", store_error(target->store));
    json_decref(page.list);
    return NULL;
}

static json_t *get_one(const struct target *target, const char *imsi)
{
    char path[100], reason[300];
    struct text why = text_in(reason, sizeof(reason));
    struct hss_subscriber subscriber;
    int status;

    if (target->running) {
        snprintf(path, sizeof(path), "/subscribers/%s", imsi);
        json_t *one = ask(target, "GET", path, NULL, &status, &why);
        if (!one)
            fail("%s", reason);
        return one;
    }
    int err = store_get(target->store, imsi, &subscriber);
    json_t *one = err == 0 ? record_of(target, &subscriber) : NULL;
    crypto_wipe(&subscriber, offsetof(struct hss_subscriber, msisdn));
    if (err == -ENOENT)
        fail("there is no subscriber %s", imsi);
    else if (err < 0)
        fail("the database: %s", store_error(target->store));
    return one;
}

static int delete_one(const struct target *target, const char *imsi)
{
    char path[100], reason[300];
    struct text why = text_in(reason, sizeof(reason));
    int status;

    if (target->running) {
        snprintf(path, sizeof(path), "/subscribers/%s", imsi);
        json_t *answer = ask(target, "DELETE", path, NULL, &status, &why);
        json_decref(answer);
        return answer ? 0 : fail("%s", reason);
    }
    int err = store_delete(target->store, imsi);
    if (err == -ENOENT)
        return fail("there is no subscriber %s", imsi);
    return err < 0 ? fail("the database: %s", store_error(target->store)) : 0;
}

/* Records as texts, to the running HSS. 0, or -1 with *index of the first that was refused and
 * `why`. */
static int post(const struct target *target, const json_t *list, bool replace, size_t *index,
                struct text *why)
{
    char *body = json_dumps(list, JSON_COMPACT);
    char *answer = NULL;
    size_t len = 0;
    int status = 0;

    if (!body) {
        text_add(why, "out of memory");
        return -1;
    }
    int err =
        control_call(target->socket, "POST", replace ? "/subscribers?replace=1" : "/subscribers",
                     body, &answer, &len, &status);
    crypto_wipe(body, strlen(body));
    free(body);
    json_t *json = err == 0 ? json_loadb(answer, len, 0, NULL) : NULL;
    free(answer);
    if (err < 0 || status != 200) {
        const char *said = json_string_value(json_object_get(json, "error"));
        text_add(why, "%s", err < 0 ? strerror(-err) : said ? said : "no answer that can be read");
        *index = (size_t)json_integer_value(json_object_get(json, "index"));
    }
    json_decref(json);
    return err < 0 || status != 200 ? -1 : 0;
}

/* ---- add, del, show, list ---- */

static int add(struct options *options, const char *const *words, int count)
{
    char reason[300];
    struct text why = text_in(reason, sizeof(reason));
    struct target target = {0};
    size_t index;
    int err;

    if (count != 1)
        return fail("add: one IMSI is expected");
    if (!hss_draft_set(&options->draft, hss_field_find("imsi"), words[0], &why))
        return fail("%s", reason);
    json_object_set_new(options->fields, "imsi", json_string(words[0]));
    if (open_target(&target, options, true) < 0) {
        close_target(&target);
        return -1;
    }
    if (!hss_draft_finish(&options->draft, &target.profile, &why)) {
        err = fail("%s", reason);
    } else if (target.running) {
        json_t *list = json_pack("[O]", options->fields);
        err = post(&target, list, options->replace, &index, &why);
        if (err < 0)
            fail("%s%s", reason,
                 strstr(reason, "there already") ? " (change it with --replace)" : "");
        json_decref(list);
    } else {
        err = store_put(target.store, &options->draft.subscriber, options->replace);
        if (err == -EEXIST)
            fail("subscriber %s is there already (change it with --replace)", words[0]);
        else if (err < 0)
            fail("the database: %s", store_error(target.store));
    }
    if (err == 0)
        printf("subscriber %s written\n", words[0]);
    close_target(&target);
    return err;
}

static int delete (struct options *options, const char *const *words, int count)
{
    struct target target = {0};
    int err = 0;

    if (count == 0)
        return fail("del: an IMSI is expected");
    if (open_target(&target, options, false) < 0) {
        close_target(&target);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (!imsi_is_valid(words[i]))
            err = fail("'%.40s' is no IMSI (6 to 15 digits)", words[i]);
        else if (delete_one(&target, words[i]) < 0)
            err = -1;
        else
            printf("subscriber %s deleted\n", words[i]);
    }
    close_target(&target);
    return err;
}

static void print_record(const json_t *record)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)record, key, value)
    {
        if (json_is_string(value))
            printf("%-18s  %s\n", key, json_string_value(value));
        else if (json_is_integer(value))
            printf("%-18s  %lld\n", key, (long long)json_integer_value(value));
        else
            printf("%-18s  %s\n", key, json_is_true(value) ? "yes" : "no");
    }
}

static int show(struct options *options, const char *const *words, int count)
{
    struct target target = {0};
    json_t *one = NULL;

    if (count != 1 || !imsi_is_valid(words[0]))
        return fail("show: one IMSI (6 to 15 digits) is expected");
    if (open_target(&target, options, false) == 0)
        one = get_one(&target, words[0]);
    if (one && options->json) {
        json_dumpf(one, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (one) {
        print_record(one);
    }
    json_decref(one);
    close_target(&target);
    return one ? 0 : -1;
}

static const char *text_at(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));

    return text && text[0] ? text : "-";
}

static void print_page(const json_t *page, bool json, bool first)
{
    for (size_t i = 0; i < json_array_size(page); i++) {
        const json_t *one = json_array_get(page, i);
        if (json) {
            char *line = json_dumps(one, JSON_COMPACT);
            printf("%s%s", first && i == 0 ? "\n" : ",\n", line ? line : "null");
            free(line);
        } else {
            printf("%-16s %-16s %-8s %-32s %s\n", text_at(one, "imsi"), text_at(one, "msisdn"),
                   text_at(one, "status"), text_at(one, "mme"), text_at(one, "apns"));
        }
    }
}

static int list(struct options *options, const char *const *words, int count)
{
    struct target target = {0};
    char after[IMSI_SIZE] = "";
    bool first = true;
    int err = 0;

    (void)words;
    if (count != 0)
        return fail("list: no more words are expected");
    if (open_target(&target, options, false) < 0) {
        close_target(&target);
        return -1;
    }
    if (options->json)
        printf("[");
    else
        printf("%-16s %-16s %-8s %-32s %s\n", "IMSI", "MSISDN", "STATUS", "MME", "APNS");
    for (size_t n = PIECE; n == PIECE; first = false) {
        json_t *page = list_page(&target, after);
        n = json_array_size(page);
        if (!page)
            err = -1;
        if (n > 0)
            snprintf(after, sizeof(after), "%s", text_at(json_array_get(page, n - 1), "imsi"));
        print_page(page, options->json, first);
        json_decref(page);
    }
    if (options->json)
        printf("\n]\n");
    close_target(&target);
    return err;
}

/* ---- import ---- */

static void complain(const char *message, void *argument)
{
    (void)argument;
    fprintf(stderr, "%s\n", message);
}

static void progress(long done, long all)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%ld of %ld%s", done, all, done == all ? "\n" : "");
}

/* All or nothing: one transaction. */
static int import_to_file(struct target *target, struct hss_csv *csv, const char *file,
                          bool replace)
{
    struct hss_subscriber subscriber;
    int wrong = 0, err = store_begin(target->store, true);

    while (err == 0 && csv_next(csv, &subscriber) > 0) {
        err = store_put(target->store, &subscriber, replace);
        if (err != -EEXIST)
            continue;
        err = 0;
        if (++wrong <= CSV_MAX_ERRORS)
            fprintf(stderr,
                    "%s:%zu: imsi: %s is in the database already (change it with --replace)\n",
                    file, csv_line(csv), subscriber.imsi);
    }
    if (err == 0 && wrong == 0 && store_commit(target->store) == 0)
        return 0;
    if (err < 0 || wrong == 0)
        fail("the database: %s", store_error(target->store));
    store_rollback(target->store);
    return fail("nothing was imported");
}

/* In pieces, each of which is all or nothing, so that the HSS can serve in between. */
static int import_to_running(struct target *target, struct hss_csv *csv, const char *file,
                             bool replace, long all)
{
    char reason[300];
    size_t lines[PIECE], index = 0;
    long done = 0;

    while (done < all) {
        struct text why = text_in(reason, sizeof(reason));
        json_t *piece = json_array();
        size_t n = 0;
        for (json_t *one; n < PIECE && (one = csv_next_json(csv)) != NULL; n++) {
            lines[n] = csv_line(csv);
            json_array_append_new(piece, one);
        }
        int err = n > 0 ? post(target, piece, replace, &index, &why) : 0;
        json_decref(piece);
        if (err < 0) {
            fprintf(stderr, "%s:%zu: %s\n", file, lines[index < n ? index : 0], reason);
            return fail("%ld of %ld were imported", done, all);
        }
        if (n == 0)
            break;
        done += (long)n;
        progress(done, all);
    }
    return 0;
}

static int import(struct options *options, const char *const *words, int count)
{
    struct target target = {0};
    struct hss_csv *csv = NULL;
    uint64_t before_us = clock_now_us();

    if (count != 1)
        return fail("import: one FILE.csv is expected");
    if (open_target(&target, options, true) < 0 ||
        csv_open(words[0], &target.profile, complain, NULL, &csv) < 0) {
        close_target(&target);
        return -1;
    }
    long all = csv_check(csv);
    int err = all < 0          ? fail("nothing was imported")
              : target.running ? import_to_running(&target, csv, words[0], options->replace, all)
                               : import_to_file(&target, csv, words[0], options->replace);
    if (err == 0)
        printf("%ld subscribers imported in %.1f s\n", all,
               (double)(clock_now_us() - before_us) / 1e6);
    csv_close(csv);
    close_target(&target);
    return err;
}

/* ---- The command line ---- */

static const struct verb {
    const char *name;
    int (*run)(struct options *options, const char *const *words, int count);
    const char *usage;
    const char *help;
} verbs[] = {
    {"add", add, "add IMSI --k K --opc OPC [--FIELD VALUE ...] [--replace]",
     "adds one, or changes it with --replace"},
    {"del", delete, "del IMSI ...", "deletes; the MME that has it is told"},
    {"list", list, "list [--json]", "all, in order of IMSI"},
    {"show", show, "show IMSI [--json]", "one"},
    {"import", import, "import FILE.csv [--replace]", "adds all of a file, or none"},
};

static void print_help(void)
{
    printf("The subscribers of a network's HSS.\n\nUsage:\n");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        printf("  strowger subscriber %-62s  %s\n", verbs[i].usage, verbs[i].help);
    printf("\n"
           "  -c, --config FILE    the network's configuration: its HSS, or, when that does not "
           "run, its database\n"
           "      --network NAME   the running network of this name\n"
           "      --database FILE  a database that no HSS uses now\n"
           "      --json           JSON instead of a table\n"
           "      --replace        change subscribers that are there already\n"
           "  -h, --help           this text\n"
           "  Without -c, --network and --database: the one network that runs here.\n"
           "\nFields, for add (--FIELD VALUE) and as names of columns in the first line of "
           "FILE.csv:\n");
    for (size_t i = 0; i < hss_field_count; i++)
        printf("  %-18s  %s%s\n", hss_fields[i].name, hss_fields[i].expected,
               hss_fields[i].secret ? " (never shown)" : "");
    printf("\nExamples:\n"
           "  strowger subscriber add 001010000000001 --k 465b5ce8b199b49faa5f0a2ee238a6bc \\\n"
           "      --opc cd63cb71954a9f4e48a5994e37a02baf --apns 'internet/ipv4v6;ims/ipv4/qci=5'\n"
           "  strowger subscriber import sims.csv -c operator.yaml\n"
           "  strowger subscriber list --json | jq '.[].imsi'\n"
           "\nFILE.csv:\n"
           "  imsi,k,opc,msisdn,apns\n"
           "  001010000000001,465b5ce8b199b49faa5f0a2ee238a6bc,cd63cb71954a9f4e48a5994e37a02baf,"
           "491710000001,internet/ipv4/10.45.0.7\n");
}

/* One --FIELD VALUE. */
static int set_field(struct options *options, const struct hss_field *field, const char *value)
{
    char reason[300];
    struct text why = text_in(reason, sizeof(reason));

    if (!hss_draft_set(&options->draft, field, value, &why))
        return fail("%s", reason);
    json_object_set_new(options->fields, field->name, json_string(value));
    return 0;
}

enum { OPTION_DATABASE = 1, OPTION_NETWORK, OPTION_JSON, OPTION_REPLACE, OPTION_FIELD };

/* 0: go on; 1: done; -1: wrong. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option fixed[] = {
        {"config", required_argument, NULL, 'c'},
        {"database", required_argument, NULL, OPTION_DATABASE},
        {"network", required_argument, NULL, OPTION_NETWORK},
        {"json", no_argument, NULL, OPTION_JSON},
        {"replace", no_argument, NULL, OPTION_REPLACE},
        {"help", no_argument, NULL, 'h'},
    };
    const size_t n = sizeof(fixed) / sizeof(fixed[0]);
    struct option *longs = calloc(n + hss_field_count + 1, sizeof(*longs));
    int c, err = longs ? 0 : -1;

    optind = 1;
    for (size_t i = 0; longs && i < n; i++)
        longs[i] = fixed[i];
    for (size_t i = 0; longs && i < hss_field_count; i++)
        longs[n + i] =
            (struct option){hss_fields[i].name, required_argument, NULL, OPTION_FIELD + (int)i};
    while (err == 0 && (c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        if (c == 'c')
            options->config = optarg;
        else if (c == 'h')
            err = 1;
        else if (c == OPTION_DATABASE)
            options->database = optarg;
        else if (c == OPTION_NETWORK)
            options->network = optarg;
        else if (c == OPTION_JSON)
            options->json = true;
        else if (c == OPTION_REPLACE)
            options->replace = true;
        else if (c >= OPTION_FIELD && c < OPTION_FIELD + (int)hss_field_count)
            err = set_field(options, &hss_fields[c - OPTION_FIELD], optarg);
        else
            err = -1;
    }
    free(longs);
    return err;
}

int subscriber_main(int argc, char **argv)
{
    struct options options = {.fields = json_object()};
    int read = read_options(argc, argv, &options);
    const char *name = read == 0 && optind < argc ? argv[optind] : NULL;
    const struct verb *verb = NULL;
    int result = 2;

    for (size_t i = 0; name && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            verb = &verbs[i];
    }
    if (read == 1) {
        print_help();
        result = 0;
    } else if (verb) {
        result = verb->run(&options, (const char *const *)argv + optind + 1, argc - optind - 1) < 0;
    } else if (read == 0) {
        fail(name ? "'%s' is none of add, del, list, show, import (see --help)"
                  : "say what to do: add, del, list, show or import (see --help)%s",
             name ? name : "");
    }
    crypto_wipe(&options.draft, sizeof(options.draft));
    json_decref(options.fields);
    return result;
}
