/*
 * store.c -- see store.h. Every statement is prepared once, by its row in `statements`, and used
 * again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "hss/store.h"

#define BUSY_MS 2000

/* What leads from version n to version n + 1. Never change one that was released; add another. */
static const char *const migrations[] = {
    /* 0 -> 1 */
    "CREATE TABLE subscriber ("
    "  imsi TEXT PRIMARY KEY NOT NULL,"
    "  k BLOB NOT NULL,"
    "  opc BLOB NOT NULL,"
    "  amf INTEGER NOT NULL,"
    "  sqn INTEGER NOT NULL,"
    "  sqn_run INTEGER NOT NULL," /* the run in which sqn was written */
    "  msisdn TEXT NOT NULL,"
    "  barred INTEGER NOT NULL,"
    "  access_restriction INTEGER NOT NULL,"
    "  rfsp INTEGER NOT NULL,"
    "  rau_tau_timer_s INTEGER NOT NULL,"
    "  ambr_ul INTEGER NOT NULL,"
    "  ambr_dl INTEGER NOT NULL,"
    "  mme INTEGER NOT NULL DEFAULT 0,"
    "  purged INTEGER NOT NULL DEFAULT 0"
    ") WITHOUT ROWID;"
    "CREATE TABLE apn ("
    "  imsi TEXT NOT NULL,"
    "  context INTEGER NOT NULL,"
    "  name TEXT NOT NULL,"
    "  pdn_type INTEGER NOT NULL,"
    "  qci INTEGER NOT NULL,"
    "  arp_priority INTEGER NOT NULL,"
    "  may_pre_empt INTEGER NOT NULL,"
    "  may_be_pre_empted INTEGER NOT NULL,"
    "  ipv4 BLOB,"
    "  ipv6 BLOB,"
    "  ambr_ul INTEGER NOT NULL,"
    "  ambr_dl INTEGER NOT NULL,"
    "  PRIMARY KEY (imsi, context)"
    ") WITHOUT ROWID;"
    "CREATE TABLE mme ("
    "  id INTEGER PRIMARY KEY,"
    "  host TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    "  realm TEXT NOT NULL"
    ");"
    "CREATE TABLE run ("
    "  number INTEGER NOT NULL," /* runs of the HSS so far */
    "  orderly INTEGER NOT NULL" /* the last one has ended in order */
    ");"
    "INSERT INTO run VALUES (0, 1);",
};

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    GET,
    GET_APNS,
    INSERT,
    REPLACE,
    INSERT_APN,
    DELETE_APNS,
    DELETE,
    SET_SQN,
    SET_LOCATION,
    COUNT,
    LIST,
    GET_MME,
    ADD_MME,
    LIST_MMES,
    GET_RUN,
    BEGIN_RUN,
    END_RUN,
    STATEMENTS
};

#define COLUMNS                                                                                    \
    "imsi, k, opc, amf, sqn, sqn_run, msisdn, barred, access_restriction, rfsp, rau_tau_timer_s, " \
    "ambr_ul, ambr_dl"

static const char *const statements[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [GET] = "SELECT " COLUMNS ", mme, purged FROM subscriber WHERE imsi = ?",
    [GET_APNS] =
        "SELECT name, pdn_type, qci, arp_priority, may_pre_empt, may_be_pre_empted, ipv4, ipv6,"
        " ambr_ul, ambr_dl FROM apn WHERE imsi = ? ORDER BY context",
    [INSERT] = "INSERT INTO subscriber (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [REPLACE] =
        "INSERT INTO subscriber (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (imsi) DO UPDATE SET"
        " sqn = iif(?14 OR k != excluded.k OR opc != excluded.opc, excluded.sqn, sqn),"
        " sqn_run = iif(?14 OR k != excluded.k OR opc != excluded.opc, excluded.sqn_run, sqn_run),"
        " k=excluded.k, opc=excluded.opc, amf=excluded.amf, msisdn=excluded.msisdn,"
        " barred=excluded.barred, access_restriction=excluded.access_restriction,"
        " rfsp=excluded.rfsp, rau_tau_timer_s=excluded.rau_tau_timer_s,"
        " ambr_ul=excluded.ambr_ul, ambr_dl=excluded.ambr_dl",
    [INSERT_APN] = "INSERT INTO apn VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    [DELETE_APNS] = "DELETE FROM apn WHERE imsi = ?",
    [DELETE] = "DELETE FROM subscriber WHERE imsi = ?",
    [SET_SQN] = "UPDATE subscriber SET sqn = ?, sqn_run = ? WHERE imsi = ?",
    [SET_LOCATION] = "UPDATE subscriber SET mme = ?, purged = ? WHERE imsi = ?",
    [COUNT] = "SELECT count(*) FROM subscriber",
    [LIST] = "SELECT imsi FROM subscriber WHERE imsi > ? ORDER BY imsi LIMIT ?",
    [GET_MME] = "SELECT id FROM mme WHERE host = ?",
    [ADD_MME] = "INSERT INTO mme (host, realm) VALUES (?, ?)",
    [LIST_MMES] = "SELECT id, host, realm FROM mme ORDER BY id",
    [GET_RUN] = "SELECT number, orderly FROM run",
    [BEGIN_RUN] = "UPDATE run SET number = number + 1, orderly = 0",
    [END_RUN] = "UPDATE run SET orderly = 1",
};

struct hss_store {
    sqlite3 *db;
    sqlite3_stmt *prepared[STATEMENTS];
    uint32_t run;
    bool to_disk; /* what synchronous is set to: FULL, else NORMAL */
};

static int error_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EACCES;
    default:
        return -EIO;
    }
}

const char *store_error(const struct hss_store *store)
{
    return sqlite3_errmsg(store->db);
}

/* A statement, reset, with nothing bound yet. */
static sqlite3_stmt *use(struct hss_store *store, enum statement which)
{
    sqlite3_stmt *s = store->prepared[which];

    sqlite3_reset(s);
    return s;
}

static void bind_text(sqlite3_stmt *s, int n, const char *text)
{
    sqlite3_bind_text(s, n, text, -1, SQLITE_STATIC);
}

/* Runs a statement that gives no rows (or whose rows nobody wants) to its end. */
static int finish(sqlite3_stmt *s)
{
    int result;

    do
        result = sqlite3_step(s);
    while (result == SQLITE_ROW);
    sqlite3_reset(s);
    return error_of(result);
}

static int run(struct hss_store *store, enum statement which)
{
    return finish(use(store, which));
}

/* ---- Opening ---- */

static int query_number(sqlite3 *db, const char *sql, int *number)
{
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

    if (result == SQLITE_OK)
        result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *number = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return error_of(result);
}

static int execute(sqlite3 *db, const char *sql)
{
    return error_of(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int step_up(sqlite3 *db, const char *step, size_t version)
{
    char set_version[64];

    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %zu", version);
    int err = execute(db, "BEGIN EXCLUSIVE");
    if (err == 0)
        err = execute(db, step);
    if (err == 0)
        err = execute(db, set_version);
    if (err == 0)
        err = execute(db, "COMMIT");
    if (err < 0)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

int store_migrate(sqlite3 *database, const char *const *steps, size_t count, struct text *why)
{
    int version = 0;

    int err = query_number(database, "PRAGMA user_version", &version);
    if (err < 0) {
        text_add(why, "%s", sqlite3_errmsg(database));
        return -EINVAL;
    }
    if (version < 0 || (size_t)version > count) {
        text_add(why, "it has version %d, and this program knows versions up to %zu", version,
                 count);
        return -ENOTSUP;
    }
    for (size_t v = (size_t)version; v < count; v++) {
        err = step_up(database, steps[v], v + 1);
        if (err < 0) {
            text_add(why, "cannot be brought to version %zu: %s", v + 1, sqlite3_errmsg(database));
            return err;
        }
    }
    return 0;
}

static int prepare(struct hss_store *store)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        int result = sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                        &store->prepared[i], NULL);
        if (result != SQLITE_OK)
            return error_of(result);
    }
    return 0;
}

static int read_run(struct hss_store *store, bool *orderly)
{
    sqlite3_stmt *s = use(store, GET_RUN);
    int result = sqlite3_step(s);

    if (result == SQLITE_ROW) {
        store->run = (uint32_t)sqlite3_column_int64(s, 0);
        if (orderly)
            *orderly = sqlite3_column_int(s, 1);
    }
    sqlite3_reset(s);
    return result == SQLITE_ROW ? 0 : -EIO;
}

static int set_to_disk(struct hss_store *store, bool to_disk)
{
    int err = execute(store->db, to_disk ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");

    if (err == 0)
        store->to_disk = to_disk;
    return err;
}

int store_open(const char *path, struct hss_store **out, struct text *why)
{
    struct hss_store *store = calloc(1, sizeof(*store));
    mode_t before = umask(0077); /* keys are in it */
    int err = -ENOMEM;

    if (store)
        err = error_of(sqlite3_open_v2(
            path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
            NULL));
    if (err == 0) {
        sqlite3_busy_timeout(store->db, BUSY_MS);
        err = execute(store->db, "PRAGMA journal_mode=WAL");
    }
    if (err < 0)
        text_add(why, "%s", store && store->db ? sqlite3_errmsg(store->db) : strerror(-err));
    else
        err = store_migrate(store->db, migrations, sizeof(migrations) / sizeof(migrations[0]), why);
    umask(before);
    if (err == 0 && (err = prepare(store)) < 0)
        text_add(why, "%s", sqlite3_errmsg(store->db));
    if (err == 0 && (err = read_run(store, NULL)) < 0)
        text_add(why, "its table `run` is empty");
    if (err == 0)
        err = set_to_disk(store, false);
    if (err < 0) {
        store_close(store);
        return err;
    }
    *out = store;
    return 0;
}

void store_close(struct hss_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(store->prepared[i]);
    sqlite3_close(store->db);
    free(store);
}

/* ---- Transactions ---- */

int store_begin(struct hss_store *store, bool to_disk)
{
    int err = to_disk != store->to_disk ? set_to_disk(store, to_disk) : 0;

    return err < 0 ? err : run(store, BEGIN);
}

int store_commit(struct hss_store *store)
{
    int err = run(store, COMMIT);

    if (err < 0)
        store_rollback(store);
    return err;
}

void store_rollback(struct hss_store *store)
{
    (void)run(store, ROLLBACK);
}

int store_begin_run(struct hss_store *store, uint32_t *number, bool *was_orderly)
{
    int err = store_begin(store, true);

    if (err < 0)
        return err;
    err = read_run(store, was_orderly);
    if (err == 0)
        err = run(store, BEGIN_RUN);
    if (err == 0)
        err = read_run(store, NULL);
    if (err < 0) {
        store_rollback(store);
        return err;
    }
    *number = store->run;
    return store_commit(store);
}

int store_end_run(struct hss_store *store)
{
    return run(store, END_RUN);
}

uint32_t store_run(const struct hss_store *store)
{
    return store->run;
}

/* ---- Subscribers ---- */

static void column_text(sqlite3_stmt *s, int n, char *to, size_t size)
{
    const unsigned char *text = sqlite3_column_text(s, n);

    snprintf(to, size, "%s", text ? (const char *)text : "");
}

/* False when the column is not a blob of exactly this size (NULL: no value). */
static bool column_blob(sqlite3_stmt *s, int n, void *to, size_t size)
{
    const void *blob = sqlite3_column_blob(s, n);

    if (!blob || (size_t)sqlite3_column_bytes(s, n) != size)
        return false;
    memcpy(to, blob, size);
    return true;
}

static int get_apns(struct hss_store *store, struct hss_subscriber *subscriber)
{
    sqlite3_stmt *s = use(store, GET_APNS);
    int result;

    bind_text(s, 1, subscriber->imsi);
    while ((result = sqlite3_step(s)) == SQLITE_ROW && subscriber->apn_count < HSS_MAX_APNS) {
        struct hss_apn *apn = &subscriber->apns[subscriber->apn_count++];
        *apn = (struct hss_apn){
            .pdn_type = (uint8_t)sqlite3_column_int(s, 1),
            .qci = (uint8_t)sqlite3_column_int(s, 2),
            .arp_priority = (uint8_t)sqlite3_column_int(s, 3),
            .may_pre_empt = sqlite3_column_int(s, 4),
            .may_be_pre_empted = sqlite3_column_int(s, 5),
            .ambr_ul = (uint64_t)sqlite3_column_int64(s, 8),
            .ambr_dl = (uint64_t)sqlite3_column_int64(s, 9),
        };
        column_text(s, 0, apn->name, sizeof(apn->name));
        apn->has_ipv4 = column_blob(s, 6, &apn->ipv4, sizeof(apn->ipv4));
        apn->has_ipv6 = column_blob(s, 7, &apn->ipv6, sizeof(apn->ipv6));
    }
    sqlite3_reset(s);
    return error_of(result);
}

int store_get(struct hss_store *store, const char *imsi, struct hss_subscriber *subscriber)
{
    sqlite3_stmt *s = use(store, GET);

    bind_text(s, 1, imsi);
    int result = sqlite3_step(s);
    if (result != SQLITE_ROW) {
        sqlite3_reset(s);
        return result == SQLITE_DONE ? -ENOENT : error_of(result);
    }
    memset(subscriber, 0, offsetof(struct hss_subscriber, apns));
    column_text(s, 0, subscriber->imsi, sizeof(subscriber->imsi));
    bool whole = column_blob(s, 1, subscriber->k, sizeof(subscriber->k)) &&
                 column_blob(s, 2, subscriber->opc, sizeof(subscriber->opc));
    subscriber->amf = (uint16_t)sqlite3_column_int(s, 3);
    subscriber->sqn = (uint64_t)sqlite3_column_int64(s, 4);
    subscriber->sqn_run = (uint32_t)sqlite3_column_int64(s, 5);
    column_text(s, 6, subscriber->msisdn, sizeof(subscriber->msisdn));
    subscriber->barred = sqlite3_column_int(s, 7);
    subscriber->access_restriction = (uint32_t)sqlite3_column_int64(s, 8);
    subscriber->rfsp = (uint32_t)sqlite3_column_int64(s, 9);
    subscriber->rau_tau_timer_s = (uint32_t)sqlite3_column_int64(s, 10);
    subscriber->ambr_ul = (uint64_t)sqlite3_column_int64(s, 11);
    subscriber->ambr_dl = (uint64_t)sqlite3_column_int64(s, 12);
    subscriber->mme = (uint32_t)sqlite3_column_int64(s, 13);
    subscriber->purged = sqlite3_column_int(s, 14);
    sqlite3_reset(s);
    if (!whole)
        return -EIO;
    return get_apns(store, subscriber);
}

static int put_apns(struct hss_store *store, const struct hss_subscriber *subscriber)
{
    for (size_t i = 0; i < subscriber->apn_count; i++) {
        const struct hss_apn *apn = &subscriber->apns[i];
        sqlite3_stmt *s = use(store, INSERT_APN);
        bind_text(s, 1, subscriber->imsi);
        sqlite3_bind_int64(s, 2, (sqlite3_int64)i + 1);
        bind_text(s, 3, apn->name);
        sqlite3_bind_int(s, 4, apn->pdn_type);
        sqlite3_bind_int(s, 5, apn->qci);
        sqlite3_bind_int(s, 6, apn->arp_priority);
        sqlite3_bind_int(s, 7, apn->may_pre_empt);
        sqlite3_bind_int(s, 8, apn->may_be_pre_empted);
        sqlite3_bind_blob(s, 9, apn->has_ipv4 ? &apn->ipv4 : NULL, sizeof(apn->ipv4),
                          SQLITE_STATIC);
        sqlite3_bind_blob(s, 10, apn->has_ipv6 ? &apn->ipv6 : NULL, sizeof(apn->ipv6),
                          SQLITE_STATIC);
        sqlite3_bind_int64(s, 11, (sqlite3_int64)apn->ambr_ul);
        sqlite3_bind_int64(s, 12, (sqlite3_int64)apn->ambr_dl);
        int err = finish(s);
        if (err < 0)
            return err;
    }
    return 0;
}

static int put_all(struct hss_store *store, const struct hss_subscriber *subscriber, bool replace)
{
    sqlite3_stmt *s = use(store, replace ? REPLACE : INSERT);

    bind_text(s, 1, subscriber->imsi);
    sqlite3_bind_blob(s, 2, subscriber->k, sizeof(subscriber->k), SQLITE_STATIC);
    sqlite3_bind_blob(s, 3, subscriber->opc, sizeof(subscriber->opc), SQLITE_STATIC);
    sqlite3_bind_int(s, 4, subscriber->amf);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)subscriber->sqn);
    sqlite3_bind_int64(s, 6, store->run);
    bind_text(s, 7, subscriber->msisdn);
    sqlite3_bind_int(s, 8, subscriber->barred);
    sqlite3_bind_int64(s, 9, subscriber->access_restriction);
    sqlite3_bind_int64(s, 10, subscriber->rfsp);
    sqlite3_bind_int64(s, 11, subscriber->rau_tau_timer_s);
    sqlite3_bind_int64(s, 12, (sqlite3_int64)subscriber->ambr_ul);
    sqlite3_bind_int64(s, 13, (sqlite3_int64)subscriber->ambr_dl);
    if (replace)
        sqlite3_bind_int(s, 14, subscriber->sqn_given);
    int err = finish(s);
    if (err == 0 && replace) {
        s = use(store, DELETE_APNS);
        bind_text(s, 1, subscriber->imsi);
        err = finish(s);
    }
    return err < 0 ? err : put_apns(store, subscriber);
}

/* Several statements as one: within the caller's transaction, or in one of their own. */
static int begin_own(struct hss_store *store, bool *own)
{
    *own = sqlite3_get_autocommit(store->db);
    return *own ? store_begin(store, false) : 0;
}

static int end_own(struct hss_store *store, bool own, int err)
{
    if (!own)
        return err;
    if (err == 0)
        return store_commit(store);
    store_rollback(store);
    return err;
}

int store_put(struct hss_store *store, const struct hss_subscriber *subscriber, bool replace)
{
    bool own;
    int err = begin_own(store, &own);

    return err < 0 ? err : end_own(store, own, put_all(store, subscriber, replace));
}

int store_delete(struct hss_store *store, const char *imsi)
{
    bool own;
    int err = begin_own(store, &own);

    if (err < 0)
        return err;
    sqlite3_stmt *s = use(store, DELETE);
    bind_text(s, 1, imsi);
    err = finish(s);
    if (err == 0 && sqlite3_changes(store->db) == 0)
        err = -ENOENT;
    if (err == 0) {
        s = use(store, DELETE_APNS);
        bind_text(s, 1, imsi);
        err = finish(s);
    }
    return end_own(store, own, err);
}

int store_set_sqn(struct hss_store *store, const char *imsi, uint64_t sqn, uint32_t in_run)
{
    sqlite3_stmt *s = use(store, SET_SQN);

    sqlite3_bind_int64(s, 1, (sqlite3_int64)sqn);
    sqlite3_bind_int64(s, 2, in_run);
    bind_text(s, 3, imsi);
    return finish(s);
}

int store_set_location(struct hss_store *store, const char *imsi, uint32_t mme, bool purged)
{
    sqlite3_stmt *s = use(store, SET_LOCATION);

    sqlite3_bind_int64(s, 1, mme);
    sqlite3_bind_int(s, 2, purged);
    bind_text(s, 3, imsi);
    return finish(s);
}

int store_count(struct hss_store *store, uint64_t *count)
{
    sqlite3_stmt *s = use(store, COUNT);
    int result = sqlite3_step(s);

    if (result == SQLITE_ROW)
        *count = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return error_of(result);
}

int store_list(struct hss_store *store, const char *after, size_t limit,
               bool (*each)(const struct hss_subscriber *subscriber, void *argument),
               void *argument)
{
    sqlite3_stmt *s = use(store, LIST);
    struct hss_subscriber subscriber;
    int result;

    bind_text(s, 1, after);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)limit);
    while ((result = sqlite3_step(s)) == SQLITE_ROW) {
        char imsi[IMSI_SIZE];
        column_text(s, 0, imsi, sizeof(imsi));
        if (store_get(store, imsi, &subscriber) == 0 && !each(&subscriber, argument))
            break;
    }
    sqlite3_reset(s);
    return error_of(result);
}

/* ---- MMEs ---- */

static int find_mme(struct hss_store *store, struct bytes host, uint32_t *mme)
{
    sqlite3_stmt *s = use(store, GET_MME);

    sqlite3_bind_text(s, 1, (const char *)host.at, (int)host.len, SQLITE_STATIC);
    int result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *mme = (uint32_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return result == SQLITE_ROW ? 0 : result == SQLITE_DONE ? -ENOENT : error_of(result);
}

int store_mme(struct hss_store *store, struct bytes host, struct bytes realm, uint32_t *mme)
{
    int err = find_mme(store, host, mme);

    if (err != -ENOENT)
        return err;
    sqlite3_stmt *s = use(store, ADD_MME);
    sqlite3_bind_text(s, 1, (const char *)host.at, (int)host.len, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, (const char *)realm.at, (int)realm.len, SQLITE_STATIC);
    err = finish(s);
    if (err == 0)
        *mme = (uint32_t)sqlite3_last_insert_rowid(store->db);
    return err;
}

int store_list_mmes(struct hss_store *store,
                    void (*each)(uint32_t mme, const char *host, const char *realm, void *argument),
                    void *argument)
{
    sqlite3_stmt *s = use(store, LIST_MMES);
    int result;

    while ((result = sqlite3_step(s)) == SQLITE_ROW)
        each((uint32_t)sqlite3_column_int64(s, 0), (const char *)sqlite3_column_text(s, 1),
             (const char *)sqlite3_column_text(s, 2), argument);
    sqlite3_reset(s);
    return error_of(result);
}
