/*
 * csv.c -- see csv.h. The file is in memory; a line's fields are cut out of a copy of the line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "crypto/crypto.h"
#include "hss/csv.h"

#define MAX_COLUMNS 32
#define MAX_LINE    8192

struct hss_csv {
    const char *file;
    const struct hss_profile *profile;
    void (*complain)(const char *message, void *argument);
    void *argument;
    char *text;
    size_t len;
    size_t at;    /* of the next line */
    size_t first; /* of the first line behind the header */
    size_t line;  /* number of the line read last */
    size_t first_line;
    size_t errors;
    const struct hss_field *columns[MAX_COLUMNS];
    size_t column_count;
    char buffer[MAX_LINE];
    char *fields[MAX_COLUMNS];
    size_t field_count;
};

__attribute__((format(printf, 2, 3))) static void complain(struct hss_csv *csv, const char *format,
                                                           ...)
{
    char message[512];
    struct text t = text_in(message, sizeof(message));
    va_list args;

    if (++csv->errors > CSV_MAX_ERRORS)
        return;
    text_add(&t, "%s:%zu: ", csv->file, csv->line);
    va_start(args, format);
    text_vadd(&t, format, args);
    va_end(args);
    csv->complain(message, csv->argument);
    if (csv->errors == CSV_MAX_ERRORS)
        csv->complain("... more errors are not shown", csv->argument);
}

/* ---- Lines and fields ---- */

/* The next line that says something, in the buffer. 1, 0 at the end, -EINVAL. */
static int take_line(struct hss_csv *csv)
{
    while (csv->at < csv->len) {
        const char *start = csv->text + csv->at;
        const char *newline = memchr(start, '\n', csv->len - csv->at);
        size_t len = newline ? (size_t)(newline - start) : csv->len - csv->at;
        csv->at += len + (newline != NULL);
        csv->line++;
        if (len > 0 && start[len - 1] == '\r')
            len--;
        if (len == 0 || start[0] == '#' || strspn(start, " \t") >= len)
            continue;
        if (len >= sizeof(csv->buffer)) {
            complain(csv, "a line of %zu characters, expected less than %zu", len,
                     sizeof(csv->buffer));
            return -EINVAL;
        }
        if (memchr(start, '\0', len)) {
            complain(csv, "a zero character, expected text");
            return -EINVAL;
        }
        memcpy(csv->buffer, start, len);
        csv->buffer[len] = '\0';
        return 1;
    }
    return 0;
}

static char *trim(char *field)
{
    char *end = field + strlen(field);

    while (end > field && strchr(" \t", end[-1]))
        *--end = '\0';
    return field + strspn(field, " \t");
}

/* Cuts one field off at *at. Quoted: "" stands for a quote inside. NULL when a quote does not end.
 */
static char *cut_field(char **at)
{
    char *from = *at + strspn(*at, " \t");

    if (*from != '"') {
        char *field = *at;
        size_t len = strcspn(field, ",");
        *at = field[len] ? field + len + 1 : NULL;
        field[len] = '\0';
        return trim(field);
    }
    char *to = from, *p = from + 1;
    for (;; p++) {
        if (*p == '\0')
            return NULL;
        if (*p == '"' && p[1] == '"')
            p++;
        else if (*p == '"')
            break;
        *to++ = *p;
    }
    p += 1 + strspn(p + 1, " \t");
    if (*p != '\0' && *p != ',')
        return NULL;
    *at = *p ? p + 1 : NULL;
    *to = '\0';
    return from;
}

static int cut_line(struct hss_csv *csv)
{
    char *at = csv->buffer;

    csv->field_count = 0;
    while (at) {
        if (csv->field_count == MAX_COLUMNS) {
            complain(csv, "more than %d fields", MAX_COLUMNS);
            return -EINVAL;
        }
        char *field = cut_field(&at);
        if (!field) {
            complain(csv, "field %zu: a quote that does not end", csv->field_count + 1);
            return -EINVAL;
        }
        csv->fields[csv->field_count++] = field;
    }
    return 1;
}

/* ---- Header ---- */

static void expected_columns(struct text *t)
{
    for (size_t i = 0; i < hss_field_count; i++)
        text_add(t, "%s%s", i ? ", " : "", hss_fields[i].name);
}

static int read_header(struct hss_csv *csv)
{
    char names[400];
    struct text t = text_in(names, sizeof(names));

    expected_columns(&t);
    int more = take_line(csv);
    if (more == 0)
        complain(csv, "no header line, expected one with names of columns (%s)", names);
    if (more <= 0 || cut_line(csv) < 0)
        return -EINVAL;
    for (size_t i = 0; i < csv->field_count; i++) {
        const struct hss_field *field = hss_field_find(csv->fields[i]);
        if (!field) {
            complain(csv, "'%.40s' is no column, expected one of %s", csv->fields[i], names);
            return -EINVAL;
        }
        for (size_t k = 0; k < i; k++) {
            if (csv->columns[k] == field) {
                complain(csv, "column %s twice", field->name);
                return -EINVAL;
            }
        }
        csv->columns[csv->column_count++] = field;
    }
    csv->first = csv->at;
    csv->first_line = csv->line;
    return 0;
}

/* ---- Records ---- */

/* The fields of the next line; as csv_next(). */
static int take_fields(struct hss_csv *csv)
{
    int more = take_line(csv);

    if (more <= 0)
        return more;
    if (cut_line(csv) < 0)
        return -EINVAL;
    if (csv->field_count != csv->column_count) {
        complain(csv, "%zu fields, expected %zu as in the header line", csv->field_count,
                 csv->column_count);
        return -EINVAL;
    }
    return 1;
}

int csv_next(struct hss_csv *csv, struct hss_subscriber *subscriber)
{
    struct hss_draft draft;
    char reason[300];
    struct text why = text_in(reason, sizeof(reason));
    int more = take_fields(csv);

    if (more <= 0)
        return more;
    memset(&draft, 0, sizeof(draft));
    bool good = true;
    for (size_t i = 0; i < csv->column_count && good; i++)
        good = hss_draft_set(&draft, csv->columns[i], csv->fields[i], &why);
    if (!good || !hss_draft_finish(&draft, csv->profile, &why)) {
        complain(csv, "%s", reason);
        return -EINVAL;
    }
    memcpy(subscriber, &draft.subscriber,
           offsetof(struct hss_subscriber, apns) +
               draft.subscriber.apn_count * sizeof(draft.subscriber.apns[0]));
    crypto_wipe(&draft.subscriber.k,
                offsetof(struct hss_subscriber, msisdn) - offsetof(struct hss_subscriber, k));
    return 1;
}

json_t *csv_next_json(struct hss_csv *csv)
{
    if (take_fields(csv) <= 0)
        return NULL;
    json_t *object = json_object();
    for (size_t i = 0; i < csv->column_count; i++) {
        if (csv->fields[i][0])
            json_object_set_new(object, csv->columns[i]->name, json_string(csv->fields[i]));
    }
    return object;
}

void csv_rewind(struct hss_csv *csv)
{
    csv->at = csv->first;
    csv->line = csv->first_line;
}

size_t csv_line(const struct hss_csv *csv)
{
    return csv->line;
}

size_t csv_errors(const struct hss_csv *csv)
{
    return csv->errors;
}

long csv_check(struct hss_csv *csv)
{
    struct hss_subscriber subscriber;
    struct map lines;
    long count = 0;
    int more;

    map_init(&lines);
    csv_rewind(csv);
    while ((more = csv_next(csv, &subscriber)) != 0) {
        if (more < 0)
            continue;
        uint64_t first = map_get(&lines, imsi_key(subscriber.imsi));
        if (first)
            complain(csv, "imsi: %s is on line %llu too", subscriber.imsi,
                     (unsigned long long)first);
        else if (map_set(&lines, imsi_key(subscriber.imsi), csv->line) < 0)
            complain(csv, "out of memory");
        count++;
    }
    map_free(&lines);
    csv_rewind(csv);
    return csv->errors > 0 ? -EINVAL : count;
}

/* ---- The file ---- */

static int read_file(struct hss_csv *csv)
{
    FILE *f = fopen(csv->file, "re");
    size_t size = 0;
    int err = f ? 0 : -errno;

    while (err == 0 && !feof(f)) {
        if (size - csv->len < 65536) {
            size = size ? size * 2 : 1 << 20;
            char *text = realloc(csv->text, size);
            if (!text) {
                err = -ENOMEM;
                break;
            }
            csv->text = text;
        }
        csv->len += fread(csv->text + csv->len, 1, size - csv->len, f);
        if (ferror(f))
            err = -EIO;
    }
    if (f)
        fclose(f);
    return err;
}

int csv_open(const char *file, const struct hss_profile *profile,
             void (*complain_to)(const char *message, void *argument), void *argument,
             struct hss_csv **out)
{
    struct hss_csv *csv = calloc(1, sizeof(*csv));

    if (!csv)
        return -ENOMEM;
    csv->file = file;
    csv->profile = profile;
    csv->complain = complain_to;
    csv->argument = argument;
    int err = read_file(csv);
    if (err < 0)
        complain(csv, "cannot be read: %s", strerror(-err));
    /* The mark that some programs put in front of UTF-8. */
    if (err == 0 && csv->len >= 3 && memcmp(csv->text, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    if (err == 0)
        err = read_header(csv);
    if (err < 0) {
        csv_close(csv);
        return err;
    }
    *out = csv;
    return 0;
}

void csv_close(struct hss_csv *csv)
{
    if (!csv)
        return;
    if (csv->text)
        crypto_wipe(csv->text, csv->len);
    crypto_wipe(csv->buffer, sizeof(csv->buffer));
    free(csv->text);
    free(csv);
}
