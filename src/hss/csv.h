/*
 * csv.h -- subscribers from a CSV file (RFC 4180): the first line names the columns, which are the
 * fields of record.h.
 *
 * Columns may come in any order; those that are missing take the default profile. Lines that are
 * empty or begin with '#' are skipped. Fields may be quoted. Every wrong line is reported as
 * FILE:LINE: what was found, what was expected.
 */
#ifndef STROWGER_HSS_CSV_H
#define STROWGER_HSS_CSV_H

#include "hss/record.h"

#define CSV_MAX_ERRORS 20

struct hss_csv;

/* Reads the whole file into memory and its header line. 0, or negative errno after calling
 * `complain`. */
int csv_open(const char *file, const struct hss_profile *profile,
             void (*complain)(const char *message, void *argument), void *argument,
             struct hss_csv **csv);
void csv_close(struct hss_csv *csv);

/* The next record. 1: there is one; 0: the end; -EINVAL: a line was wrong, and has been complained
 * of: go on with the next. */
int csv_next(struct hss_csv *csv, struct hss_subscriber *subscriber);

/* The same, as texts by field name: what the control socket takes. NULL at the end. Call only for a
 * file without errors. */
json_t *csv_next_json(struct hss_csv *csv);

/* Begins again behind the header line. */
void csv_rewind(struct hss_csv *csv);

/* The line of the record given last; and errors so far. */
size_t csv_line(const struct hss_csv *csv);
size_t csv_errors(const struct hss_csv *csv);

/* Reads all of it: complains of wrong lines and of IMSIs that come twice. The number of records, or
 * -EINVAL. */
long csv_check(struct hss_csv *csv);

#endif
