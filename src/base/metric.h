/*
 * metric.h -- numbers to be watched, in the Prometheus text format.
 *
 * A room keeps a table of metrics, registers it once, and counts by index:
 * `metric_add(&mme_metrics[X], 1)` is one addition. Rows of the same name with different labels
 * stand together. A gauge may be read by a function when asked for. Times are histograms in
 * seconds, as Prometheus wants them. One thread.
 */
#ifndef STROWGER_BASE_METRIC_H
#define STROWGER_BASE_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    const char *name;   /* strowger_mme_attach_total */
    const char *labels; /* outcome="accepted", or NULL */
    const char *help;   /* of the first row of a name */
    enum metric_kind kind;
    uint64_t (*read)(void); /* instead of value, or NULL */
    uint64_t value;
};

static inline void metric_add(struct metric *metric, uint64_t n)
{
    metric->value += n;
}

static inline void metric_set(struct metric *metric, uint64_t value)
{
    metric->value = value;
}

#define HISTOGRAM_BUCKETS 24

/* Counts of durations in buckets of powers of two microseconds. */
struct histogram {
    const char *name; /* ends in _seconds */
    const char *help;
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t sum_us;
};

void histogram_observe(struct histogram *histogram, uint64_t duration_us);

/* The duration that a fraction (0..1) of all observations did not exceed, as the upper bound of its
 * bucket. */
uint64_t histogram_quantile_us(const struct histogram *histogram, double fraction);

/* Tables stay where they are until metric_forget_all(). 0 or -ENOSPC. */
int metric_register(struct metric *table, size_t count);
int histogram_register(struct histogram *histogram);
void metric_forget_all(void);

/* Writes all registered metrics and the process's own (CPU seconds, resident memory, fibers, start
 * time). */
void metric_print(struct text *t);

#endif
