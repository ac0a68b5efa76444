/*
 * metric.c -- see metric.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/loop.h"
#include "base/metric.h"

#define MAX_TABLES     32
#define MAX_HISTOGRAMS 32

static struct {
    struct {
        struct metric *rows;
        size_t count;
    } tables[MAX_TABLES];
    size_t table_count;
    struct histogram *histograms[MAX_HISTOGRAMS];
    size_t histogram_count;
} metrics;

void histogram_observe(struct histogram *histogram, uint64_t duration_us)
{
    unsigned bucket = duration_us <= 1 ? 0 : 64u - (unsigned)__builtin_clzll(duration_us - 1);

    histogram->buckets[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]++;
    histogram->count++;
    histogram->sum_us += duration_us;
}

uint64_t histogram_quantile_us(const struct histogram *histogram, double fraction)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * fraction);
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && seen >= wanted)
            return UINT64_C(1) << i;
    }
    return 0;
}

int metric_register(struct metric *table, size_t count)
{
    if (metrics.table_count == MAX_TABLES)
        return -ENOSPC;
    metrics.tables[metrics.table_count].rows = table;
    metrics.tables[metrics.table_count++].count = count;
    return 0;
}

int histogram_register(struct histogram *histogram)
{
    if (metrics.histogram_count == MAX_HISTOGRAMS)
        return -ENOSPC;
    metrics.histograms[metrics.histogram_count++] = histogram;
    return 0;
}

void metric_forget_all(void)
{
    metrics.table_count = 0;
    metrics.histogram_count = 0;
}

static void print_head(struct text *t, const char *name, const char *help, const char *type)
{
    text_add(t, "# HELP %s %s\n# TYPE %s %s\n", name, help ? help : name, name, type);
}

static void print_table(struct text *t, const struct metric *rows, size_t count)
{
    static const char *const kinds[] = {"counter", "gauge"};

    for (size_t i = 0; i < count; i++) {
        const struct metric *m = &rows[i];
        if (!m->name)
            continue;
        if (i == 0 || !rows[i - 1].name || strcmp(rows[i - 1].name, m->name) != 0)
            print_head(t, m->name, m->help, kinds[m->kind]);
        text_add(t, "%s", m->name);
        if (m->labels)
            text_add(t, "{%s}", m->labels);
        text_add(t, " %llu\n", (unsigned long long)(m->read ? m->read() : m->value));
    }
}

static void print_histogram(struct text *t, const struct histogram *h)
{
    uint64_t sum = 0;

    print_head(t, h->name, h->help, "histogram");
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        sum += h->buckets[i];
        text_add(t, "%s_bucket{le=\"%g\"} %llu\n", h->name, (double)(UINT64_C(1) << i) / 1e6,
                 (unsigned long long)sum);
    }
    text_add(t, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %g\n%s_count %llu\n", h->name,
             (unsigned long long)h->count, h->name, (double)h->sum_us / 1e6, h->name,
             (unsigned long long)h->count);
}

static uint64_t resident_bytes(void)
{
    unsigned long long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f)
        return 0;
    if (fscanf(f, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void print_process(struct text *t)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    print_head(t, "process_cpu_seconds_total", "User and system CPU time", "counter");
    text_add(t, "process_cpu_seconds_total %.6f\n",
             (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    print_head(t, "process_resident_memory_bytes", "Resident memory", "gauge");
    text_add(t, "process_resident_memory_bytes %llu\n", (unsigned long long)resident_bytes());
    print_head(t, "strowger_fibers", "Procedures under way", "gauge");
    text_add(t, "strowger_fibers %zu\n", fiber_count());
}

void metric_print(struct text *t)
{
    for (size_t i = 0; i < metrics.table_count; i++)
        print_table(t, metrics.tables[i].rows, metrics.tables[i].count);
    for (size_t i = 0; i < metrics.histogram_count; i++)
        print_histogram(t, metrics.histograms[i]);
    print_process(t);
}
