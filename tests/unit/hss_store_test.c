/*
 * hss_store_test.c -- the database: records, replacing, runs, versions, and several processes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "hss/store.h"

static char directory[] = "/tmp/strowger-store-test-XXXXXX";
static char path[64];
static char reason[300];

static struct hss_store *open_store(const char *at)
{
    struct text why = text_in(reason, sizeof(reason));
    struct hss_store *store = NULL;

    (void)store_open(at, &store, &why);
    return store;
}

static struct hss_subscriber sample(const char *imsi)
{
    struct hss_subscriber s = {
        .amf = 0x8000,
        .sqn = UINT64_C(0x7fffffffffe0),
        .sqn_run = 99, /* not what is written: the store knows its run */
        .msisdn = "49171",
        .barred = true,
        .access_restriction = UINT32_MAX,
        .rfsp = 5,
        .rau_tau_timer_s = 3240,
        .ambr_ul = UINT64_C(10000000000),
        .ambr_dl = 1,
        .apn_count = 2,
        .apns = {{.name = "internet",
                  .pdn_type = S6A_PDN_IPV4V6,
                  .qci = 9,
                  .arp_priority = 8,
                  .may_be_pre_empted = true,
                  .has_ipv4 = true,
                  .has_ipv6 = true,
                  .ambr_ul = 7,
                  .ambr_dl = UINT64_C(20000000000)},
                 {.name = "ims",
                  .pdn_type = S6A_PDN_IPV4,
                  .qci = 5,
                  .arp_priority = 1,
                  .may_pre_empt = true}},
    };

    strcpy(s.imsi, imsi);
    memset(s.k, 0xaa, sizeof(s.k));
    memset(s.opc, 0xbb, sizeof(s.opc));
    memset(&s.apns[0].ipv4, 1, sizeof(s.apns[0].ipv4));
    memset(&s.apns[0].ipv6, 2, sizeof(s.apns[0].ipv6));
    return s;
}

static void records(void **state)
{
    (void)state;
    struct hss_store *store = open_store(":memory:");
    struct hss_subscriber s = sample("001010000000001"), back;
    uint64_t count;

    assert_int_equal(store_get(store, s.imsi, &back), -ENOENT);
    assert_int_equal(store_put(store, &s, false), 0);
    assert_int_equal(store_put(store, &s, false), -EEXIST);
    memset(&back, 0xff, sizeof(back));
    assert_int_equal(store_get(store, s.imsi, &back), 0);
    assert_string_equal(back.imsi, s.imsi);
    assert_memory_equal(back.k, s.k, 16);
    assert_memory_equal(back.opc, s.opc, 16);
    assert_true(back.sqn == s.sqn);
    assert_int_equal(back.sqn_run, 0);
    assert_string_equal(back.msisdn, s.msisdn);
    assert_true(back.barred);
    assert_int_equal(back.access_restriction, UINT32_MAX);
    assert_true(back.ambr_ul == s.ambr_ul);
    assert_int_equal(back.mme, 0);
    assert_int_equal(back.apn_count, 2);
    assert_memory_equal(&back.apns[0].ipv6, &s.apns[0].ipv6, 16);
    assert_true(back.apns[0].has_ipv4 && !back.apns[1].has_ipv4 && !back.apns[1].has_ipv6);
    assert_true(back.apns[0].ambr_dl == s.apns[0].ambr_dl);
    assert_string_equal(back.apns[1].name, "ims");
    assert_true(back.apns[1].may_pre_empt && !back.apns[1].may_be_pre_empted);

    assert_int_equal(store_count(store, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(store_delete(store, s.imsi), 0);
    assert_int_equal(store_delete(store, s.imsi), -ENOENT);
    assert_int_equal(store_get(store, s.imsi, &back), -ENOENT);
    /* Its APNs went with it: the same IMSI can come again. */
    s.apn_count = 1;
    assert_int_equal(store_put(store, &s, false), 0);
    assert_int_equal(store_get(store, s.imsi, &back), 0);
    assert_int_equal(back.apn_count, 1);
    store_close(store);
}

static void replacing(void **state)
{
    (void)state;
    struct hss_store *store = open_store(":memory:");
    struct hss_subscriber s = sample("001010000000001"), back;
    uint32_t mme;

    assert_int_equal(store_put(store, &s, true), 0);
    assert_int_equal(store_mme(store, diameter_text_of("mme.test"), diameter_text_of("test"), &mme),
                     0);
    assert_int_equal(store_set_location(store, s.imsi, mme, false), 0);
    assert_int_equal(store_set_sqn(store, s.imsi, 6400, 3), 0);

    /* The same keys: sequence number and location stay, the rest is new. */
    s.apn_count = 1;
    s.rfsp = 9;
    s.sqn = 0;
    assert_int_equal(store_put(store, &s, true), 0);
    assert_int_equal(store_get(store, s.imsi, &back), 0);
    assert_int_equal(back.sqn, 6400);
    assert_int_equal(back.sqn_run, 3);
    assert_int_equal(back.mme, mme);
    assert_int_equal(back.rfsp, 9);
    assert_int_equal(back.apn_count, 1);

    /* A sequence number that was given counts. */
    s.sqn = 32;
    s.sqn_given = true;
    assert_int_equal(store_put(store, &s, true), 0);
    assert_int_equal(store_get(store, s.imsi, &back), 0);
    assert_int_equal(back.sqn, 32);

    /* Other keys: a new SIM, a new count. */
    assert_int_equal(store_set_sqn(store, s.imsi, 6400, 3), 0);
    s.sqn = 0;
    s.sqn_given = false;
    s.k[3] ^= 1;
    assert_int_equal(store_put(store, &s, true), 0);
    assert_int_equal(store_get(store, s.imsi, &back), 0);
    assert_int_equal(back.sqn, 0);
    assert_memory_equal(back.k, s.k, 16);
    store_close(store);
}

static bool count_one(const struct hss_subscriber *subscriber, void *argument)
{
    size_t *seen = argument;

    assert_int_equal(subscriber->imsi[14], '1' + (int)*seen);
    return ++*seen < 3;
}

static void listing_and_transactions(void **state)
{
    (void)state;
    struct hss_store *store = open_store(":memory:");
    struct hss_subscriber s = sample("001010000000001");
    size_t seen = 0;
    uint64_t count;

    assert_int_equal(store_begin(store, true), 0);
    for (int i = 0; i < 5; i++) {
        s.imsi[14] = (char)('5' - i);
        assert_int_equal(store_put(store, &s, false), 0);
    }
    assert_int_equal(store_commit(store), 0);
    assert_int_equal(store_list(store, "", 100, count_one, &seen), 0);
    assert_int_equal(seen, 3);
    seen = 1;
    assert_int_equal(store_list(store, "001010000000001", 1, count_one, &seen), 0);
    assert_int_equal(seen, 2);

    assert_int_equal(store_begin(store, false), 0);
    assert_int_equal(store_delete(store, "001010000000001"), 0);
    s.imsi[14] = '2';
    assert_int_equal(store_put(store, &s, false), -EEXIST);
    store_rollback(store);
    assert_int_equal(store_count(store, &count), 0);
    assert_int_equal(count, 5);
    store_close(store);
}

static unsigned mmes_listed;

static void note_mme(uint32_t mme, const char *host, const char *realm, void *argument)
{
    (void)argument;
    mmes_listed++;
    assert_int_equal(mme, mmes_listed);
    assert_string_equal(realm, "test");
    assert_string_equal(host, mme == 1 ? "a.test" : "b.test");
}

static void mmes(void **state)
{
    (void)state;
    struct hss_store *store = open_store(":memory:");
    struct bytes realm = diameter_text_of("test");
    uint32_t a, b, again;

    assert_int_equal(store_mme(store, diameter_text_of("a.test"), realm, &a), 0);
    assert_int_equal(store_mme(store, diameter_text_of("b.test"), realm, &b), 0);
    assert_int_equal(store_mme(store, diameter_text_of("A.TEST"), realm, &again), 0);
    assert_int_equal(a, again);
    assert_int_not_equal(a, b);
    mmes_listed = 0;
    assert_int_equal(store_list_mmes(store, note_mme, NULL), 0);
    assert_int_equal(mmes_listed, 2);
    store_close(store);
}

static void runs(void **state)
{
    (void)state;
    struct hss_subscriber s = sample("001010000000001"), back;
    struct hss_store *store = open_store(path);
    uint32_t run;
    bool orderly;
    struct stat file;

    assert_non_null(store);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(store_begin_run(store, &run, &orderly), 0);
    assert_int_equal(run, 1);
    assert_true(orderly);
    assert_int_equal(store_put(store, &s, false), 0);
    store_close(store); /* cut off */

    store = open_store(path);
    assert_int_equal(store_run(store), 1);
    assert_int_equal(store_begin_run(store, &run, &orderly), 0);
    assert_int_equal(run, 2);
    assert_false(orderly);
    assert_int_equal(store_get(store, s.imsi, &back), 0);
    assert_int_equal(back.sqn_run, 1);
    assert_int_equal(store_end_run(store), 0);
    store_close(store);

    store = open_store(path);
    assert_int_equal(store_begin_run(store, &run, &orderly), 0);
    assert_int_equal(run, 3);
    assert_true(orderly);
    store_close(store);
    unlink(path);
}

static void another_process_writes(void **state)
{
    (void)state;
    struct hss_store *one = open_store(path), *two = open_store(path);
    struct hss_subscriber s = sample("001010000000001"), back;

    assert_int_equal(store_begin(one, false), 0);
    assert_int_equal(store_put(one, &s, false), 0);
    assert_int_equal(store_get(two, s.imsi, &back), -ENOENT); /* readers do not wait */
    assert_int_equal(store_begin(two, false), -EBUSY);        /* writers do, and give up */
    assert_int_equal(store_commit(one), 0);
    assert_int_equal(store_get(two, s.imsi, &back), 0);
    store_close(one);
    store_close(two);
    unlink(path);
}

static void versions(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);",
        "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7;",
        "INSERT INTO a VALUES (2, 8); SELECT nonsense FROM nowhere;",
    };
    struct text why = text_in(reason, sizeof(reason));
    sqlite3 *db;
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(store_migrate(db, steps, 1, &why), 0);
    assert_int_equal(store_migrate(db, steps, 2, &why), 0);
    assert_int_equal(store_migrate(db, steps, 2, &why), 0); /* nothing left to do */
    assert_string_equal(reason, "");
    sqlite3_prepare_v2(db, "SELECT x, y FROM a", -1, &s, NULL);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(s, 1), 7);
    sqlite3_finalize(s);

    /* A step that fails changes nothing. */
    assert_true(store_migrate(db, steps, 3, &why) < 0);
    assert_non_null(strstr(reason, "cannot be brought to version 3: "));
    sqlite3_prepare_v2(db, "SELECT count(*) FROM a", -1, &s, NULL);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(s, 0), 1);
    sqlite3_finalize(s);

    /* From the future. */
    why = text_in(reason, sizeof(reason));
    assert_int_equal(store_migrate(db, steps, 1, &why), -ENOTSUP);
    assert_string_equal(reason, "it has version 2, and this program knows versions up to 1");
    sqlite3_close(db);
}

static void wrong_files(void **state)
{
    (void)state;
    FILE *f = fopen(path, "w");

    for (int i = 0; i < 200; i++)
        fputs("this is no database\n", f);
    fclose(f);
    assert_null(open_store(path));
    assert_non_null(strstr(reason, "not a database"));
    unlink(path);
    reason[0] = '\0';
    assert_null(open_store("/nowhere/at/all.db"));
    assert_non_null(strstr(reason, "unable to open"));

    /* A database of a newer version is left alone. */
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_null(open_store(path));
    assert_non_null(strstr(reason, "it has version 99"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(replacing),
        cmocka_unit_test(listing_and_transactions),
        cmocka_unit_test(mmes),
        cmocka_unit_test(runs),
        cmocka_unit_test(another_process_writes),
        cmocka_unit_test(versions),
        cmocka_unit_test(wrong_files),
    };

    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof(path), "%s/hss.db", directory);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
