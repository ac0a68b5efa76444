/*
 * ofctl_print.c -- see ofctl.h: rows of output.
 *
 * One dump, three forms: lines as ovs-ofctl writes them when the output goes to a file or a pipe,
 * tables on a terminal, JSON when asked for. Rows are written as they come; a table is laid out by
 * batches, so the largest dump needs little memory.
 */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "switch/ofctl.h"

#define BATCH 1000 /* rows of a table that are laid out together */

struct ofctl_rows ofctl_rows_begin(struct ofctl *c)
{
    struct ofctl_rows rows = {.c = c};

    rows.form = c->options.json ? ROWS_JSON : isatty(fileno(c->out)) ? ROWS_TABLE : ROWS_LINES;
    if (rows.form == ROWS_TABLE)
        rows.batch = json_array();
    if (rows.form == ROWS_JSON)
        fputc('[', c->out);
    return rows;
}

static void print_batch(struct ofctl_rows *rows)
{
    table_print(rows->c->out, rows->batch, table_style_of(rows->c->out));
    json_array_clear(rows->batch);
}

/* " name=value, name=value". */
static void print_line(FILE *to, const json_t *row)
{
    const char *key, *comma = " ";
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        fprintf(to, "%s%s=", comma, key);
        if (json_is_string(value))
            fputs(json_string_value(value), to);
        else if (json_is_real(value))
            fprintf(to, "%.3fs", json_real_value(value));
        else
            json_dumpf(value, to, JSON_ENCODE_ANY | JSON_COMPACT);
        comma = ", ";
    }
    fputc('\n', to);
}

void ofctl_row(struct ofctl_rows *rows, json_t *row, const char *line)
{
    FILE *to = rows->c->out;

    switch (rows->form) {
    case ROWS_JSON:
        fputs(rows->count ? ",\n " : "\n ", to);
        json_dumpf(row, to, JSON_PRESERVE_ORDER);
        break;
    case ROWS_TABLE:
        json_array_append(rows->batch, row);
        if (json_array_size(rows->batch) == BATCH)
            print_batch(rows);
        break;
    case ROWS_LINES:
        if (line)
            fprintf(to, " %s\n", line);
        else
            print_line(to, row);
        break;
    }
    rows->count++;
    json_decref(row);
}

void ofctl_line(struct ofctl_rows *rows, const char *line)
{
    fputc(' ', rows->c->out);
    fputs(line, rows->c->out);
    fputc('\n', rows->c->out);
    rows->count++;
}

void ofctl_rows_end(struct ofctl_rows *rows)
{
    if (rows->form == ROWS_JSON)
        fputs(rows->count ? "\n]\n" : "]\n", rows->c->out);
    if (rows->form == ROWS_TABLE && (json_array_size(rows->batch) > 0 || rows->count == 0))
        print_batch(rows);
    json_decref(rows->batch);
}

void ofctl_object(struct ofctl *c, json_t *object)
{
    if (c->options.json) {
        json_dumpf(object, c->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fputc('\n', c->out);
    } else {
        table_print(c->out, object, table_style_of(c->out));
    }
    json_decref(object);
}

/* ---- names of ports ---- */

static const char *name_of(const struct ofctl *c, unsigned long number)
{
    for (size_t i = 0; i < c->ports.count; i++)
        if (c->ports.at[i].port_no == number)
            return c->ports.at[i].name;
    return NULL;
}

/* The words behind which our printers write a port. */
static size_t port_word(const char *at)
{
    static const char *const words[] = {"output:", "in_port=", "watch_port:"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return strlen(words[i]);
    return 0;
}

const char *ofctl_named(const struct ofctl *c, const char *text, char *to, size_t size)
{
    struct text t = text_in(to, size);

    if (!c->options.names)
        return text;
    while (*text) {
        size_t word = port_word(text);
        const char *name = NULL;
        char *end = NULL;

        if (word && isdigit((unsigned char)text[word]))
            name = name_of(c, strtoul(text + word, &end, 10));
        if (name) {
            text_add(&t, "%.*s%.*s", (int)word, text, OFP_NAME_SIZE, name);
            text = end;
        } else {
            text_add(&t, "%c", *text++);
        }
    }
    return to;
}
