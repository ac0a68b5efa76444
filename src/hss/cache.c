/*
 * cache.c -- see cache.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "hss/cache.h"

#define RETRY_MS    1000u /* after a commit that failed */
#define MAX_LEAVING 4096u /* as many that wait to be written may be in memory beyond the limit */

static void commit_time(struct timer *timer);

void cache_init(struct hss_cache *cache, struct hss_store *store, uint32_t run, uint32_t limit,
                uint32_t commit_ms)
{
    *cache = (struct hss_cache){
        .store = store,
        .run = run,
        .limit = limit,
        .commit_ms = commit_ms,
    };
    map_init(&cache->by_imsi);
}

/* ---- By last use ---- */

static void unlink_entry(struct hss_cache *cache, struct hss_entry *entry)
{
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        cache->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        cache->newest = entry->older;
    entry->older = entry->newer = NULL;
}

static void link_newest(struct hss_cache *cache, struct hss_entry *entry)
{
    entry->older = cache->newest;
    entry->newer = NULL;
    if (cache->newest)
        cache->newest->newer = entry;
    else
        cache->oldest = entry;
    cache->newest = entry;
}

static void free_entry(struct hss_entry *entry)
{
    crypto_wipe(entry->record, offsetof(struct hss_subscriber, msisdn));
    free(entry->record);
    free(entry);
}

/* One that is leaving is in the map and in the list of those to be written, but counts no more. */
static void set_leaving(struct hss_cache *cache, struct hss_entry *entry, bool leaving)
{
    if (entry->leaving == leaving)
        return;
    entry->leaving = leaving;
    if (leaving) {
        unlink_entry(cache, entry);
        cache->count--;
        cache->leaving_count++;
    } else {
        link_newest(cache, entry);
        cache->count++;
        cache->leaving_count--;
    }
}

/* It has nothing left to be written. */
static void drop_entry(struct hss_cache *cache, struct hss_entry *entry)
{
    set_leaving(cache, entry, true);
    cache->leaving_count--;
    map_remove(&cache->by_imsi, imsi_key(entry->record->imsi));
    free_entry(entry);
}

/* ---- Writing ---- */

static void queue_write(struct hss_cache *cache, struct hss_entry *entry)
{
    if (entry->queued)
        return;
    entry->queued = true;
    entry->next_dirty = cache->dirty;
    cache->dirty = entry;
    cache->dirty_count++;
    if (!timer_is_running(&cache->timer))
        timer_start(&cache->timer, cache->commit_ms, commit_time);
}

static int write_entry(struct hss_cache *cache, const struct hss_entry *entry)
{
    const char *imsi = entry->record->imsi;
    int err = 0;

    if (entry->sqn_dirty)
        err = store_set_sqn(cache->store, imsi, entry->seq << SQN_IND_BITS, cache->run);
    if (err == 0 && entry->location_dirty)
        err = store_set_location(cache->store, imsi, entry->record->mme, entry->record->purged);
    cache->rows_written++;
    return err;
}

static void wrote_entry(struct hss_entry *entry)
{
    if (entry->sqn_dirty)
        entry->seq_limit = entry->seq + SEQ_WINDOW;
    entry->sqn_dirty = entry->location_dirty = false;
}

static int write_all(struct hss_cache *cache)
{
    bool to_disk = false;

    for (struct hss_entry *e = cache->dirty; e; e = e->next_dirty)
        to_disk |= e->sqn_dirty;
    int err = store_begin(cache->store, to_disk);
    if (err < 0)
        return err;
    for (struct hss_entry *e = cache->dirty; e && err == 0; e = e->next_dirty)
        err = write_entry(cache, e);
    if (err < 0) {
        store_rollback(cache->store);
        return err;
    }
    return store_commit(cache->store);
}

int cache_flush(struct hss_cache *cache)
{
    static struct log_limit limit;

    if (!cache->dirty)
        return 0;
    int err = write_all(cache);
    if (err < 0) {
        cache->failures++;
        log_limited(&limit, LOG_ERROR, "changes of %u subscribers cannot be written: %s",
                    cache->dirty_count, store_error(cache->store));
        return err;
    }
    cache->commits++;
    while (cache->dirty) {
        struct hss_entry *entry = cache->dirty;
        cache->dirty = entry->next_dirty;
        entry->next_dirty = NULL;
        entry->queued = false;
        wrote_entry(entry);
        if (entry->leaving)
            drop_entry(cache, entry);
    }
    cache->dirty_count = 0;
    timer_stop(&cache->timer);
    return 0;
}

static void commit_time(struct timer *timer)
{
    struct hss_cache *cache = container_of(timer, struct hss_cache, timer);

    if (cache_flush(cache) < 0)
        timer_start(&cache->timer, RETRY_MS, commit_time);
}

/* ---- Getting ---- */

/* The oldest go, down to the limit; one with a change, when that is written. */
static void make_room(struct hss_cache *cache)
{
    while (cache->oldest && cache->count > cache->limit) {
        struct hss_entry *entry = cache->oldest;
        if (entry->queued || entry->sqn_dirty || entry->location_dirty) {
            set_leaving(cache, entry, true);
            queue_write(cache, entry);
        } else {
            drop_entry(cache, entry);
        }
    }
    if (cache->leaving_count > MAX_LEAVING)
        (void)cache_flush(cache);
}

static struct hss_entry *load(struct hss_cache *cache, const struct hss_subscriber *subscriber)
{
    size_t size =
        offsetof(struct hss_subscriber, apns) + subscriber->apn_count * sizeof(struct hss_apn);
    struct hss_entry *entry = calloc(1, sizeof(*entry));
    struct hss_subscriber *record = entry ? malloc(size) : NULL;
    /* Since the row was written. */
    uint32_t runs = cache->run > subscriber->sqn_run ? cache->run - subscriber->sqn_run : 0;

    if (!record) {
        free(entry);
        return NULL;
    }
    memcpy(record, subscriber, size);
    entry->record = record;
    entry->seq = (subscriber->sqn >> SQN_IND_BITS) + (uint64_t)runs * SEQ_WINDOW;
    entry->seq_limit = entry->seq + SEQ_WINDOW;
    return entry;
}

int cache_get(struct hss_cache *cache, const char *imsi, struct hss_entry **out)
{
    uint64_t key = imsi_key(imsi);
    struct hss_entry *entry = (struct hss_entry *)(uintptr_t)map_get(&cache->by_imsi, key);
    struct hss_subscriber subscriber;

    if (entry) {
        cache->hits++;
        set_leaving(cache, entry, false);
        if (entry != cache->newest) {
            unlink_entry(cache, entry);
            link_newest(cache, entry);
        }
        make_room(cache); /* if it was leaving */
        *out = entry;
        return 0;
    }
    cache->misses++;
    int err = store_get(cache->store, imsi, &subscriber);
    if (err == 0 && !(entry = load(cache, &subscriber)))
        err = -ENOMEM;
    crypto_wipe(&subscriber, offsetof(struct hss_subscriber, msisdn));
    if (err != 0)
        return err;
    if (map_set(&cache->by_imsi, key, (uintptr_t)entry) < 0) {
        free_entry(entry);
        return -ENOMEM;
    }
    link_newest(cache, entry);
    cache->count++;
    make_room(cache);
    *out = entry;
    return 0;
}

/* ---- Sequence numbers ---- */

/* Writes this one subscriber's SEQ now, to the disk. */
static int write_seq(struct hss_cache *cache, struct hss_entry *entry)
{
    static struct log_limit limit;

    int err = store_begin(cache->store, true);
    if (err == 0) {
        err = store_set_sqn(cache->store, entry->record->imsi, entry->seq << SQN_IND_BITS,
                            cache->run);
        if (err < 0)
            store_rollback(cache->store);
        else
            err = store_commit(cache->store);
    }
    if (err < 0) {
        cache->failures++;
        log_limited(&limit, LOG_ERROR, "a sequence number cannot be written: %s",
                    store_error(cache->store));
        return err;
    }
    cache->commits++;
    cache->rows_written++;
    entry->sqn_dirty = false;
    entry->seq_limit = entry->seq + SEQ_WINDOW;
    return 0;
}

int cache_next_seq(struct hss_cache *cache, struct hss_entry *entry, uint64_t *seq)
{
    if (entry->seq >= SEQ_MAX)
        return -ERANGE;
    if (entry->seq >= entry->seq_limit) {
        int err = write_seq(cache, entry);
        if (err < 0)
            return err;
    }
    *seq = ++entry->seq;
    entry->sqn_dirty = true;
    if (entry->seq_limit - entry->seq < SEQ_WINDOW / 2)
        queue_write(cache, entry);
    return 0;
}

int cache_set_seq(struct hss_cache *cache, struct hss_entry *entry, uint64_t seq)
{
    uint64_t before = entry->seq;

    if (seq > SEQ_MAX)
        return -ERANGE;
    entry->seq = seq;
    int err = write_seq(cache, entry);
    if (err < 0)
        entry->seq = before;
    return err;
}

void cache_set_location(struct hss_cache *cache, struct hss_entry *entry, uint32_t mme, bool purged)
{
    if (entry->record->mme == mme && entry->record->purged == purged)
        return;
    entry->record->mme = mme;
    entry->record->purged = purged;
    entry->location_dirty = true;
    queue_write(cache, entry);
}

/* ---- Forgetting ---- */

int cache_forget(struct hss_cache *cache, const char *imsi)
{
    struct hss_entry *entry =
        (struct hss_entry *)(uintptr_t)map_get(&cache->by_imsi, imsi_key(imsi));

    if (!entry)
        return 0;
    if (entry->queued || entry->sqn_dirty || entry->location_dirty) {
        set_leaving(cache, entry, true);
        queue_write(cache, entry);
        return cache_flush(cache);
    }
    drop_entry(cache, entry);
    return 0;
}

void cache_free(struct hss_cache *cache)
{
    for (struct hss_entry *e = cache->newest; e; e = e->older) {
        if (e->sqn_dirty)
            queue_write(cache, e); /* so that fewer numbers are skipped */
    }
    if (cache_flush(cache) < 0)
        log_error("the last changes of %u subscribers are lost", cache->dirty_count);
    timer_stop(&cache->timer);
    while (cache->dirty) {
        struct hss_entry *entry = cache->dirty;
        cache->dirty = entry->next_dirty;
        if (entry->leaving)
            drop_entry(cache, entry);
    }
    while (cache->oldest)
        drop_entry(cache, cache->oldest);
    map_free(&cache->by_imsi);
}
