/*
 * store.h -- subscribers on disk: one SQLite file.
 *
 * The file's form has a version (PRAGMA user_version). Opening a file of an older version brings it
 * up to date, step by step, each in a transaction; a file of a newer one is refused. Writing is in
 * WAL mode: readers do not wait, and a commit is one append.
 *
 * What a transaction survives: one begun with `to_disk` has reached the disk when its commit
 * returns (synchronous=FULL), which sequence numbers need; of others a crash of this process loses
 * nothing, and a power failure may lose the last ones, which locations bear (see s6a.h, Reset).
 *
 * Writes outside store_begin() ... store_commit() are transactions of their own. One thread. All
 * functions give 0 or a negative errno: -ENOENT, -EEXIST, -EBUSY (another process writes), -EIO;
 * the reason is in store_error().
 */
#ifndef STROWGER_HSS_STORE_H
#define STROWGER_HSS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hss/record.h"

struct hss_store;

/* Opens the file, makes it (mode 0600) where there is none, and brings it up to date. ":memory:" is
 * a store that is gone at the end. -ENOTSUP: made by a newer version; -EINVAL: no database. On
 * failure `why` says what is wrong. */
int store_open(const char *path, struct hss_store **store, struct text *why);
void store_close(struct hss_store *store);
const char *store_error(const struct hss_store *store);

/* A run of the HSS: counts it, on disk, and tells whether the one before had ended in order. */
int store_begin_run(struct hss_store *store, uint32_t *run, bool *was_orderly);
int store_end_run(struct hss_store *store);
/* The number of the last run. */
uint32_t store_run(const struct hss_store *store);

int store_begin(struct hss_store *store, bool to_disk);
int store_commit(struct hss_store *store);
void store_rollback(struct hss_store *store);

int store_get(struct hss_store *store, const char *imsi, struct hss_subscriber *subscriber);
/* Writes the whole record. -EEXIST when it is there and `replace` is false. Replacing keeps the
 * location, and the sequence number too when the keys stay the same and the record does not give
 * one. */
int store_put(struct hss_store *store, const struct hss_subscriber *subscriber, bool replace);
int store_delete(struct hss_store *store, const char *imsi);

int store_set_sqn(struct hss_store *store, const char *imsi, uint64_t sqn, uint32_t run);
int store_set_location(struct hss_store *store, const char *imsi, uint32_t mme, bool purged);

int store_count(struct hss_store *store, uint64_t *count);
/* Subscribers with an IMSI after `after` (""), in order, at most `limit`, until `each` returns
 * false. */
int store_list(struct hss_store *store, const char *after, size_t limit,
               bool (*each)(const struct hss_subscriber *subscriber, void *argument),
               void *argument);

/* MMEs have numbers in the store, from 1. Finds, or adds. */
int store_mme(struct hss_store *store, struct bytes host, struct bytes realm, uint32_t *mme);
int store_list_mmes(struct hss_store *store,
                    void (*each)(uint32_t mme, const char *host, const char *realm, void *argument),
                    void *argument);

/* The steps from version to version, for tests too: runs steps[user_version .. count), each in a
 * transaction. */
struct sqlite3;
int store_migrate(struct sqlite3 *database, const char *const *steps, size_t count,
                  struct text *why);

#endif
