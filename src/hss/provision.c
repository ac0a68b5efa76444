/*
 * provision.c -- subscribers listed, added, changed and deleted while the HSS runs: its routes on
 * the control socket.
 *
 *   GET    /subscribers?after=IMSI&limit=N   a list, in order of IMSI
 *   GET    /subscribers/IMSI                 one
 *   POST   /subscribers[?replace=1]          a list of records (field names and texts, see
 * record.h): all, or none DELETE /subscribers/IMSI
 *
 * MMEs learn at once: of a changed subscriber by Insert-Subscriber-Data, of a deleted one by
 * Cancel-Location.
 */
#include <errno.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "hss/server.h"

#define DEFAULT_LIMIT 1000
#define MAX_LIMIT     100000
#define PATH          "/subscribers/"

static const char *mme_host(const struct hss *hss, uint32_t mme)
{
    const struct hss_mme *known = hss_mme(hss, mme);

    return known ? known->host : "";
}

static bool list_one(const struct hss_subscriber *subscriber, void *argument)
{
    json_t *one = hss_record_to_json(subscriber, mme_host(hss_running(), subscriber->mme));

    return json_array_append_new(argument, one) == 0;
}

static void store_refused(struct control_answer *answer, const struct hss *hss)
{
    control_refuse(answer, 500, "the database: %s", store_error(hss->store));
}

static void list_subscribers(const struct control_request *request, struct control_answer *answer)
{
    struct hss *hss = hss_running();
    const char *after = control_argument(request, "after");
    const char *limit = control_argument(request, "limit");
    unsigned long n = limit ? strtoul(limit, NULL, 10) : DEFAULT_LIMIT;

    (void)cache_flush(&hss->cache); /* so that the list tells where everybody is now */
    answer->json = json_array();
    if (store_list(hss->store, after ? after : "", n < MAX_LIMIT ? n : MAX_LIMIT, list_one,
                   answer->json) < 0)
        store_refused(answer, hss);
}

/* The IMSI in the path, or NULL with the refusal written. */
static const char *imsi_of(const struct control_request *request, struct control_answer *answer)
{
    const char *imsi = request->path + strlen(PATH);

    if (imsi_is_valid(imsi))
        return imsi;
    control_refuse(answer, 400, "'%.40s' is no IMSI (6 to 15 digits)", imsi);
    return NULL;
}

static void show_subscriber(const struct control_request *request, struct control_answer *answer)
{
    struct hss *hss = hss_running();
    const char *imsi = imsi_of(request, answer);
    struct hss_entry *entry;

    if (!imsi)
        return;
    int err = cache_get(&hss->cache, imsi, &entry);
    if (err == -ENOENT)
        control_refuse(answer, 404, "there is no subscriber %s", imsi);
    else if (err < 0)
        store_refused(answer, hss);
    else
        answer->json = hss_record_to_json(entry->record, mme_host(hss, entry->record->mme));
}

static void delete_subscriber(const struct control_request *request, struct control_answer *answer)
{
    struct hss *hss = hss_running();
    const char *imsi = imsi_of(request, answer);
    struct hss_subscriber subscriber = {0};

    if (!imsi)
        return;
    int err = cache_forget(&hss->cache, imsi);
    if (err == 0)
        err = store_get(hss->store, imsi, &subscriber);
    if (err == 0)
        err = store_delete(hss->store, imsi);
    if (err == -ENOENT) {
        control_refuse(answer, 404, "there is no subscriber %s", imsi);
        return;
    }
    if (err < 0) {
        store_refused(answer, hss);
        return;
    }
    log_info("%s: deleted", imsi);
    if (subscriber.mme != 0 && !subscriber.purged)
        hss_send_clr(hss, imsi, subscriber.mme, S6A_SUBSCRIPTION_WITHDRAWAL);
    crypto_wipe(&subscriber, offsetof(struct hss_subscriber, msisdn));
    answer->json = json_pack("{s:s}", "deleted", imsi);
}

/* Those that an MME has and that have changed. */
struct changed {
    struct {
        char imsi[IMSI_SIZE];
        uint32_t mme;
    } * at;
    size_t count;
};

/* Writes one record. -EINVAL: it is wrong, and `why` says what. */
static int put_one(struct hss *hss, const json_t *object, bool replace, struct changed *changed,
                   struct text *why)
{
    struct hss_subscriber subscriber, before;

    if (!hss_record_from_json(object, &hss->config.profile, &subscriber, why))
        return -EINVAL;
    bool there = replace && store_get(hss->store, subscriber.imsi, &before) == 0;
    int err = store_put(hss->store, &subscriber, replace);
    if (err == -EEXIST)
        text_add(why, "subscriber %s is there already", subscriber.imsi);
    else if (err < 0)
        text_add(why, "%s", store_error(hss->store));
    if (err == 0 && there && before.mme != 0 && !before.purged) {
        memcpy(changed->at[changed->count].imsi, subscriber.imsi, IMSI_SIZE);
        changed->at[changed->count++].mme = before.mme;
    }
    crypto_wipe(&subscriber, offsetof(struct hss_subscriber, msisdn));
    crypto_wipe(&before, offsetof(struct hss_subscriber, msisdn));
    return err;
}

/* What the cache knows of them is written and forgotten first: the rows are about to change. */
static int forget_all(struct hss *hss, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *imsi = json_string_value(json_object_get(json_array_get(list, i), "imsi"));
        int err = imsi && imsi_is_valid(imsi) ? cache_forget(&hss->cache, imsi) : 0;
        if (err < 0)
            return err;
    }
    return 0;
}

static int put_all(struct hss *hss, const json_t *list, bool replace, struct changed *changed,
                   size_t *index, struct text *why)
{
    int err = forget_all(hss, list);
    if (err == 0)
        err = store_begin(hss->store, true);
    if (err < 0) {
        text_add(why, "the database: %s", store_error(hss->store));
        return err;
    }
    for (*index = 0; *index < json_array_size(list); (*index)++) {
        err = put_one(hss, json_array_get(list, *index), replace, changed, why);
        if (err < 0) {
            store_rollback(hss->store);
            return err;
        }
    }
    err = store_commit(hss->store);
    if (err < 0)
        text_add(why, "the database: %s", store_error(hss->store));
    return err;
}

static void post_subscribers(const struct control_request *request, struct control_answer *answer)
{
    struct hss *hss = hss_running();
    const char *replace = control_argument(request, "replace");
    char reason[300];
    struct text why = text_in(reason, sizeof(reason));
    json_error_t wrong;
    json_t *list = json_loadb((const char *)request->body.at, request->body.len, 0, &wrong);
    size_t index = 0;

    if (!json_is_array(list)) {
        control_refuse(answer, 400, "expected a list of records%s%s", list ? "" : ": ",
                       list ? "" : wrong.text);
        json_decref(list);
        return;
    }
    struct changed changed = {.at = calloc(json_array_size(list) + 1, sizeof(*changed.at))};
    int err = changed.at
                  ? put_all(hss, list, replace && strcmp(replace, "1") == 0, &changed, &index, &why)
                  : -ENOMEM;
    if (err < 0) {
        answer->status = err == -EEXIST ? 409 : err == -EINVAL ? 400 : 500;
        answer->json = json_pack("{s:s, s:I}", "error", reason, "index", (json_int_t)index);
    } else {
        log_info("%zu subscribers written", json_array_size(list));
        for (size_t i = 0; i < changed.count; i++)
            hss_send_idr(hss, changed.at[i].imsi, changed.at[i].mme);
        answer->json = json_pack("{s:I}", "written", (json_int_t)json_array_size(list));
    }
    free(changed.at);
    json_decref(list);
}

const struct control_route hss_routes[] = {
    {"GET", "/subscribers", list_subscribers},
    {"POST", "/subscribers", post_subscribers},
    {"GET", PATH, show_subscriber},
    {"DELETE", PATH, delete_subscriber},
};
const size_t hss_route_count = sizeof(hss_routes) / sizeof(hss_routes[0]);
