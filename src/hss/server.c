/*
 * server.c -- the HSS as a process: its section of the configuration, start and end, state,
 * metrics.
 *
 * At start the database is opened and brought up to date, this run is counted in it (see cache.h),
 * the CSV file of `import` is taken in, and the Diameter node is opened. When the run before did
 * not end in order, the locations of its last moments may be lost; so every MME that is known is
 * sent a Reset when it connects (TS 23.007 clause 10, TS 29.272 clause 5.2.4), and asks again for
 * its subscribers when they next show themselves.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hss/hss.h"
#include "hss/server.h"

#define MAX_MMES 4096u /* that ever asked */

/* The process's one context. */
static struct hss hss;

struct hss *hss_running(void)
{
    return &hss;
}

/* ---- Configuration ---- */

static bool parse_apns(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    struct hss_draft draft = {0};

    (void)field;
    (void)value;
    return hss_draft_set(&draft, hss_field_find("apns"), text, why);
}

static const struct config_type apns_type = {"APNs (internet/ipv4v6/qci=9;ims)", parse_apns, true};

static const struct config_field profile_fields[] = {
    CONFIG_FIELD(struct hss_profile, apns, &apns_type,
                 "NAME/TYPE/qci=N/...;..., the first by default", .fallback = "internet/ipv4v6"),
    CONFIG_FIELD(struct hss_profile, ambr_ul, &config_bitrate, "uplink of a phone",
                 .fallback = "1G"),
    CONFIG_FIELD(struct hss_profile, ambr_dl, &config_bitrate, "downlink of a phone",
                 .fallback = "1G"),
};
static const struct config_schema profile_schema = {
    "profile", "what a subscriber has whose record tells nothing", profile_fields,
    sizeof(profile_fields) / sizeof(profile_fields[0]), sizeof(struct hss_profile)};

static const struct config_field test_sims_fields[] = {
    CONFIG_FIELD(struct hss_test_sims, imsi, &config_imsi, "IMSI of the first", .required = true),
    CONFIG_FIELD(struct hss_test_sims, count, &config_uint, "how many, with consecutive IMSIs",
                 .fallback = "1", .min = 1, .max = 10000000),
    CONFIG_FIELD(struct hss_test_sims, k, &config_string, "K, 32 hexadecimal digits",
                 .required = true),
    CONFIG_FIELD(struct hss_test_sims, op, &config_string, "OP, 32 hexadecimal digits, or"),
    CONFIG_FIELD(struct hss_test_sims, opc, &config_string, "OPc, 32 hexadecimal digits"),
    CONFIG_FIELD(struct hss_test_sims, apns, &apns_type, "APNs; the profile's if left out"),
};
static const struct config_schema test_sims_schema = {
    "test_sims", "a run of SIMs with one key", test_sims_fields,
    sizeof(test_sims_fields) / sizeof(test_sims_fields[0]), sizeof(struct hss_test_sims)};

static const struct config_field hss_fields_of_config[] = {
    CONFIG_SUBSECTION(struct hss_config, diameter, &diameter_config_schema, "S6a",
                      .required = true),
    CONFIG_FIELD(struct hss_config, database, &config_string,
                 "SQLite file; relative to the network's run directory", .fallback = "hss.db"),
    CONFIG_FIELD(struct hss_config, import, &config_string,
                 "CSV file of subscribers to add at start; relative to this file"),
    CONFIG_LIST_OF_SECTIONS(struct hss_config, test_sims, &test_sims_schema,
                            "runs of SIMs with one key, for tests and load"),
    CONFIG_LIST_OF(struct hss_config, plmns, &config_plmn,
                   "networks where subscribers may register; none: all"),
    CONFIG_SUBSECTION(struct hss_config, profile, &profile_schema,
                      "what a subscriber has whose record tells nothing"),
    CONFIG_FIELD(struct hss_config, cache_subscribers, &config_uint, "subscribers kept in memory",
                 .fallback = "200000", .min = 1, .max = 100000000),
    CONFIG_FIELD_CALLED(struct hss_config, "commit", commit_ms, &config_duration,
                        "changes are written together this often", .fallback = "500ms", .min = 1,
                        .max = 60000),
};
const struct config_schema hss_config_schema = {
    "hss", "the Home Subscriber Server", hss_fields_of_config,
    sizeof(hss_fields_of_config) / sizeof(hss_fields_of_config[0]), sizeof(struct hss_config)};

int hss_database_path(const struct hss_config *config, const char *run_directory, char *path,
                      size_t size)
{
    bool relative = config->database[0] != '/' && config->database[0] != ':';
    int n = snprintf(path, size, "%s%s%s", relative ? run_directory : "", relative ? "/" : "",
                     config->database);

    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* ---- MMEs ---- */

struct hss_mme *hss_mme(const struct hss *h, uint32_t mme)
{
    return mme > 0 && mme < h->mme_count && h->mmes[mme].host ? &h->mmes[mme] : NULL;
}

static int add_mme(struct hss *h, uint32_t mme, struct bytes host, struct bytes realm)
{
    if (mme > MAX_MMES)
        return -ENOSPC;
    if (mme >= h->mme_count) {
        struct hss_mme *larger = realloc(h->mmes, (mme + 1) * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        memset(larger + h->mme_count, 0, (mme + 1 - h->mme_count) * sizeof(*larger));
        h->mmes = larger;
        h->mme_count = mme + 1;
    }
    struct hss_mme *place = &h->mmes[mme];
    if (place->host)
        return 0;
    place->host = strndup((const char *)host.at, host.len);
    place->realm = strndup((const char *)realm.at, realm.len);
    return place->host && place->realm ? 0 : -ENOMEM;
}

static uint32_t find_mme(const struct hss *h, struct bytes host)
{
    for (uint32_t i = 1; i < h->mme_count; i++) {
        if (h->mmes[i].host && diameter_identity_equal(diameter_text_of(h->mmes[i].host), host))
            return i;
    }
    return 0;
}

int hss_mme_number(struct hss *h, struct bytes host, struct bytes realm, uint32_t *mme)
{
    *mme = find_mme(h, host);
    if (*mme)
        return 0;
    if (h->mme_count > MAX_MMES || host.len >= HSS_IDENTITY_SIZE || realm.len >= HSS_IDENTITY_SIZE)
        return -ENOSPC;
    int err = store_mme(h->store, host, realm, mme);
    return err < 0 ? err : add_mme(h, *mme, host, realm);
}

static void know_mme(uint32_t mme, const char *host, const char *realm, void *argument)
{
    const bool *reset_due = argument;

    if (add_mme(&hss, mme, diameter_text_of(host), diameter_text_of(realm)) == 0)
        hss.mmes[mme].reset_due = *reset_due;
}

static void peer_changed(void *owner, struct bytes host, bool up)
{
    struct hss *h = owner;
    uint32_t mme = up ? find_mme(h, host) : 0;

    if (mme && h->mmes[mme].reset_due)
        hss_send_rsr(h, mme);
}

/* ---- Metrics ---- */

#define READER(name, expression) \
    static uint64_t name(void)   \
    {                            \
        return (expression);     \
    }
READER(read_cached, hss.cache.count)
READER(read_hits, hss.cache.hits)
READER(read_misses, hss.cache.misses)
READER(read_commits, hss.cache.commits)
READER(read_rows, hss.cache.rows_written)
READER(read_failures, hss.cache.failures)

#define REQUESTS "strowger_hss_requests_total"

struct metric hss_metrics[HSS_METRICS] = {
    [HSS_AIR] = {REQUESTS, "command=\"AIR\",outcome=\"success\"", "Requests of MMEs",
                 METRIC_COUNTER},
    [HSS_AIR_REFUSED] = {REQUESTS, "command=\"AIR\",outcome=\"refused\"", NULL, METRIC_COUNTER},
    [HSS_ULR] = {REQUESTS, "command=\"ULR\",outcome=\"success\"", NULL, METRIC_COUNTER},
    [HSS_ULR_REFUSED] = {REQUESTS, "command=\"ULR\",outcome=\"refused\"", NULL, METRIC_COUNTER},
    [HSS_PUR] = {REQUESTS, "command=\"PUR\",outcome=\"\"", NULL, METRIC_COUNTER},
    [HSS_NOR] = {REQUESTS, "command=\"NOR\",outcome=\"\"", NULL, METRIC_COUNTER},
    [HSS_VECTORS] = {"strowger_hss_vectors_total", NULL, "Authentication vectors made",
                     METRIC_COUNTER},
    [HSS_RESYNCS] = {"strowger_hss_resynchronisations_total", "outcome=\"success\"",
                     "Synchronisation failures told by SIMs", METRIC_COUNTER},
    [HSS_RESYNCS_REFUSED] = {"strowger_hss_resynchronisations_total", "outcome=\"refused\"", NULL,
                             METRIC_COUNTER},
    [HSS_CLR] = {"strowger_hss_sent_total", "command=\"CLR\"", "Requests to MMEs", METRIC_COUNTER},
    [HSS_IDR] = {"strowger_hss_sent_total", "command=\"IDR\"", NULL, METRIC_COUNTER},
    [HSS_RSR] = {"strowger_hss_sent_total", "command=\"RSR\"", NULL, METRIC_COUNTER},
    [HSS_TO_MME_FAILED] = {"strowger_hss_sent_failed_total", NULL,
                           "Requests to MMEs that failed or were not sent", METRIC_COUNTER},
    [HSS_SUBSCRIBERS_CACHED] = {"strowger_hss_cached_subscribers", NULL, "Subscribers in memory",
                                METRIC_GAUGE, .read = read_cached},
    [HSS_CACHE_HITS] = {"strowger_hss_cache_hits_total", NULL, "Subscribers found in memory",
                        METRIC_COUNTER, .read = read_hits},
    [HSS_CACHE_MISSES] = {"strowger_hss_cache_misses_total", NULL,
                          "Subscribers read from the database", METRIC_COUNTER,
                          .read = read_misses},
    [HSS_COMMITS] = {"strowger_hss_commits_total", NULL, "Transactions written", METRIC_COUNTER,
                     .read = read_commits},
    [HSS_ROWS_WRITTEN] = {"strowger_hss_rows_written_total", NULL, "Subscribers' rows written",
                          METRIC_COUNTER, .read = read_rows},
    [HSS_STORE_FAILURES] = {"strowger_hss_store_failures_total", NULL,
                            "Transactions that could not be written", METRIC_COUNTER,
                            .read = read_failures},
};

/* ---- State ---- */

static bool state_one(const struct hss_subscriber *subscriber, void *argument)
{
    const struct hss_mme *mme = hss_mme(&hss, subscriber->mme);
    json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:b}", "imsi", subscriber->imsi, "msisdn",
                            subscriber->msisdn, "status", subscriber->barred ? "barred" : "granted",
                            "mme", mme ? mme->host : "", "purged", subscriber->purged);

    return json_array_append_new(argument, one) == 0;
}

static json_t *state_subscribers(const struct control_request *request)
{
    const char *after = control_argument(request, "after");
    json_t *list = json_array();

    (void)cache_flush(&hss.cache);
    (void)store_list(hss.store, after ? after : "", 1000, state_one, list);
    return list;
}

static json_t *state_summary(void)
{
    uint64_t count = 0;

    (void)store_count(hss.store, &count);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "subscribers", (json_int_t)count,
                     "in_memory", (json_int_t)hss.cache.count, "to_be_written",
                     (json_int_t)hss.cache.dirty_count, "vectors",
                     (json_int_t)hss_metrics[HSS_VECTORS].value, "run", (json_int_t)hss.cache.run,
                     "peers", diameter_node_state(hss.node));
}

static json_t *state(const char *what, const struct control_request *request)
{
    if (!what || strcmp(what, "summary") == 0)
        return state_summary();
    if (strcmp(what, "peers") == 0)
        return diameter_node_state(hss.node);
    if (strcmp(what, "subscribers") == 0)
        return state_subscribers(request);
    return NULL;
}

/* ---- Start and end ---- */

int hss_open(struct hss *h, const char *database)
{
    char reason[256];
    struct text why = text_in(reason, sizeof(reason));
    uint32_t run = 0;

    (void)metric_register(hss_metrics, HSS_METRICS);
    int err = store_open(database, &h->store, &why);
    if (err < 0) {
        log_error("the database %s cannot be opened: %s", database, reason);
        return err;
    }
    err = store_begin_run(h->store, &run, &h->was_orderly);
    if (err < 0) {
        log_error("the database %s cannot be written: %s", database, store_error(h->store));
        return err;
    }
    cache_init(&h->cache, h->store, run, h->config.cache_subscribers, h->config.commit_ms);
    log_info("database %s, run %u%s", database, run,
             h->was_orderly ? "" : " (the one before was cut off)");
    bool reset_due = !h->was_orderly;
    return store_list_mmes(h->store, know_mme, &reset_due);
}

int hss_serve(struct hss *h)
{
    static const struct diameter_node_application applications[] = {
        {DIAMETER_VENDOR_3GPP, DIAMETER_APPLICATION_S6A}};
    const struct diameter_node_settings settings = {
        .config = &h->config.diameter,
        .applications = applications,
        .application_count = 1,
        .services = hss_services,
        .service_count = hss_service_count,
        .owner = h,
        .peer_changed = peer_changed,
    };

    int err = diameter_node_start(&settings, &h->node);
    h->served = err == 0;
    return err;
}

void hss_close(struct hss *h)
{
    if (h->store) {
        cache_free(&h->cache);
        /* A run that never served leaves it to the next one to tell MMEs of the one before. */
        if (h->cache.failures == 0 && (h->served || h->was_orderly))
            (void)store_end_run(h->store);
        store_close(h->store);
    }
    for (uint32_t i = 0; i < h->mme_count; i++) {
        free(h->mmes[i].host);
        free(h->mmes[i].realm);
    }
    free(h->mmes);
    memset(h, 0, sizeof(*h));
}

static int start(struct config *config)
{
    char path[1024];

    int err = hss_database_path(&hss.config, process_directory(), path, sizeof(path));
    if (err < 0) {
        log_error("the path of the database is too long");
        return err;
    }
    err = hss_open(&hss, path);
    if (err == 0)
        err = hss_seed(&hss, config);
    return err < 0 ? err : hss_serve(&hss);
}

/* Everything is on disk, and the store says so. */
static void stopped(void *owner)
{
    (void)owner;
    hss.node = NULL;
    process_stopped();
}

static void stop(void)
{
    diameter_node_stop(hss.node, DIAMETER_REBOOTING, stopped, NULL);
}

int hss_main(int argc, char **argv)
{
    static const struct process_view views[] = {
        {"summary", "subscribers, memory, peers"},
        {"peers", "Diameter peers"},
        {"subscribers", "who is registered where"},
        {NULL, NULL},
    };
    const struct process process = {
        .name = "hss",
        .summary = "The Home Subscriber Server: keys, subscriptions and locations (S6a, TS 29.272)",
        .examples = "  strowger hss -c examples/operator.yaml\n"
                    "  strowger subscriber add 001010000000001 --k ... --opc ...\n",
        .sections = {{"hss", &hss_config_schema, &hss.config}},
        .start = start,
        .stop = stop,
        .state = state,
        .views = views,
        .routes = hss_routes,
        .route_count = hss_route_count,
    };

    int result = process_main(&process, argc, argv);
    hss_close(&hss);
    return result;
}
