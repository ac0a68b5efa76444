/*
 * cache.h -- subscribers in memory, their sequence numbers, and what of them has to be written.
 *
 * A subscriber is read from the store when it is first asked for and stays in memory, up to a
 * number of subscribers; then the one that was not used for longest goes. What changes (sequence
 * number, location) is written together, in one transaction every commit_ms, so that thousands of
 * requests a second cost the disk a few commits.
 *
 * Sequence numbers (TS 33.102 annex C.1, C.3). SQN = SEQ (43 bits) || IND (5 bits). Each vector
 * takes the next SEQ of its subscriber; IND is that of the node that asked, so that the SIM keeps
 * the vectors of several MMEs apart (C.1.2.2, C.3.4). An SQN that was handed out must never be
 * handed out again, whatever happens to this process or machine; yet most subscribers need no write
 * at all, as follows. Each run of the HSS has a number, which is on disk before the run serves
 * anybody. A subscriber's row holds the SEQ that was known to be used, and the number of the run in
 * which it was written; in that run, and in each run after it, up to SEQ_WINDOW numbers may have
 * been taken without a write. So run r begins for a row (seq, r0) at seq + (r - r0) * SEQ_WINDOW,
 * and may take SEQ_WINDOW numbers before the row has to be written again, which is done when half
 * of them are used. Numbers are skipped by this, never repeated: a SIM accepts a SEQ that is up to
 * 2^28 ahead (C.2.1), enough for four million restarts of the HSS.
 */
#ifndef STROWGER_HSS_CACHE_H
#define STROWGER_HSS_CACHE_H

#include "base/map.h"
#include "base/timer.h"
#include "hss/store.h"

#define SQN_IND_BITS 5
#define SQN_INDS     (1u << SQN_IND_BITS)
#define SEQ_WINDOW   64u
#define SEQ_MAX      ((UINT64_C(1) << 43) - 1)
#define SEQ_DELTA    (UINT64_C(1) << 28) /* how far ahead of its own a SIM accepts (C.3.2) */

/* A subscriber in memory: valid until the next call into the cache from the loop, that is within
 * one dispatch. */
struct hss_entry {
    struct hss_entry *older, *newer; /* by last use */
    struct hss_entry *next_dirty;
    struct hss_subscriber *record; /* only as many APNs as there are */
    uint64_t seq;                  /* the last one handed out */
    uint64_t seq_limit;            /* the last one that may be, before the row is written */
    bool queued;                   /* in the list of those to be written */
    bool sqn_dirty, location_dirty;
    bool leaving; /* goes when it is written */
};

struct hss_cache {
    struct hss_store *store;
    uint32_t run;
    uint32_t limit, count; /* without those that are leaving */
    uint32_t leaving_count;
    uint32_t commit_ms;
    struct map by_imsi;
    struct hss_entry *oldest, *newest;
    struct hss_entry *dirty;
    uint32_t dirty_count;
    struct timer timer;
    uint64_t hits, misses, commits, rows_written, failures;
};

void cache_init(struct hss_cache *cache, struct hss_store *store, uint32_t run, uint32_t limit,
                uint32_t commit_ms);
/* Writes what is to be written and frees all. */
void cache_free(struct hss_cache *cache);

/* The subscriber; 0, -ENOENT, or why the store cannot be read. */
int cache_get(struct hss_cache *cache, const char *imsi, struct hss_entry **entry);

/* Takes the next SEQ, on disk where that is needed first; -EIO and others when it cannot be: then
 * no vector may be made. -ERANGE at the end of all numbers. */
int cache_next_seq(struct hss_cache *cache, struct hss_entry *entry, uint64_t *seq);

/* The SIM has told its own SEQ (resynchronisation): goes on from there, on disk at once. */
int cache_set_seq(struct hss_cache *cache, struct hss_entry *entry, uint64_t seq);

void cache_set_location(struct hss_cache *cache, struct hss_entry *entry, uint32_t mme,
                        bool purged);

/* Writes what is to be written now. */
int cache_flush(struct hss_cache *cache);

/* The row is about to change, or has: writes what is known here (first), and forgets it. */
int cache_forget(struct hss_cache *cache, const char *imsi);

#endif
