/*
 * seed.c -- who is in the database from the start, by configuration: the records of a CSV file
 * (`import`), and runs of SIMs with one key for tests and load (`test_sims`). Subscribers that are
 * there already stay as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hss/csv.h"
#include "hss/server.h"

/* One transaction that adds records. */
struct seeding {
    struct hss_store *store;
    const char *what;
    long added, there;
};

static int begin(struct seeding *s, struct hss *h, const char *what)
{
    *s = (struct seeding){.store = h->store, .what = what};
    return store_begin(h->store, true);
}

static int add(struct seeding *s, const struct hss_subscriber *subscriber)
{
    int err = store_put(s->store, subscriber, false);

    s->added += err == 0;
    s->there += err == -EEXIST;
    return err == -EEXIST ? 0 : err;
}

static int end(struct seeding *s, int err)
{
    if (err == 0)
        err = store_commit(s->store);
    else
        store_rollback(s->store);
    if (err < 0)
        log_error("%s: the database: %s", s->what, store_error(s->store));
    else
        log_info("%s: %ld subscribers added, %ld were there", s->what, s->added, s->there);
    return err;
}

/* ---- a CSV file ---- */

static void complain(const char *message, void *argument)
{
    (void)argument;
    log_error("%s", message);
}

static int import_records(struct hss *h, struct hss_csv *csv)
{
    struct hss_subscriber subscriber;
    struct seeding seeding;
    int err = begin(&seeding, h, "import");

    while (err == 0 && csv_next(csv, &subscriber) > 0)
        err = add(&seeding, &subscriber);
    return end(&seeding, err);
}

/* `import` is relative to the configuration file. */
static int import(struct hss *h, const struct config *config)
{
    const char *slash = strrchr(config_file(config), '/');
    char path[1024];
    struct hss_csv *csv;

    if (!h->config.import || !h->config.import[0])
        return 0;
    if (h->config.import[0] == '/' || !slash)
        snprintf(path, sizeof(path), "%s", h->config.import);
    else
        snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - config_file(config)),
                 config_file(config), h->config.import);
    int err = csv_open(path, &h->config.profile, complain, NULL, &csv);
    if (err < 0)
        return err;
    err = csv_check(csv) < 0 ? -EINVAL : import_records(h, csv);
    csv_close(csv);
    return err;
}

/* ---- test SIMs ---- */

/* The record of the first; the others differ in the IMSI. */
static bool make_record(const struct hss *h, const struct hss_test_sims *sims,
                        struct hss_subscriber *subscriber, struct text *why)
{
    const struct {
        const char *field, *text;
    } fields[] = {{"imsi", sims->imsi},
                  {"k", sims->k},
                  {"op", sims->op},
                  {"opc", sims->opc},
                  {"apns", sims->apns}};
    struct hss_draft draft = {0};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *text = fields[i].text ? fields[i].text : "";
        if (!hss_draft_set(&draft, hss_field_find(fields[i].field), text, why))
            return false;
    }
    if (!hss_draft_finish(&draft, &h->config.profile, why))
        return false;
    *subscriber = draft.subscriber;
    return true;
}

static int add_test_sims(struct hss *h, const struct hss_test_sims *sims)
{
    struct hss_subscriber subscriber;
    struct seeding seeding;
    char reason[256];
    struct text why = text_in(reason, sizeof(reason));

    if (!make_record(h, sims, &subscriber, &why)) {
        log_error("test_sims from %s: %s", sims->imsi, reason);
        return -EINVAL;
    }
    unsigned long long first = strtoull(sims->imsi, NULL, 10);
    int digits = (int)strlen(sims->imsi);
    int err = begin(&seeding, h, "test_sims");
    for (uint32_t i = 0; err == 0 && i < sims->count; i++) {
        snprintf(subscriber.imsi, sizeof(subscriber.imsi), "%0*llu", digits, first + i);
        err = add(&seeding, &subscriber);
    }
    return end(&seeding, err);
}

int hss_seed(struct hss *h, const struct config *config)
{
    int err = import(h, config);

    for (size_t i = 0; err == 0 && i < h->config.test_sims.count; i++)
        err = add_test_sims(h, &h->config.test_sims.at[i]);
    return err;
}
