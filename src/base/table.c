/*
 * table.c -- see table.h. A table is laid out in two passes: all cells to text, with the widest of
 * each column; then the lines. Cells are counted in characters (UTF-8), not bytes.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/table.h"

#define GAP 2 /* blanks between columns */

struct cell {
    char *text; /* malloc'ed */
    bool number;
};

struct column {
    const char *key;
    size_t width;
    bool right; /* all cells are numbers */
};

struct table {
    struct column *columns;
    size_t column_count;
    struct cell *cells; /* row by row */
    size_t row_count;
};

struct table_style table_style_of(FILE *to)
{
    struct winsize size;
    int fd = fileno(to);

    if (fd < 0 || !isatty(fd))
        return (struct table_style){false, 0};
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        size.ws_col = 0;
    return (struct table_style){true, size.ws_col};
}

/* ---- values as text ---- */

static char *list_text(const json_t *list);

static char *scalar_text(const json_t *value)
{
    char buffer[64];

    switch (json_typeof(value)) {
    case JSON_STRING:
        return strdup(json_string_length(value) > 0 ? json_string_value(value) : "-");
    case JSON_INTEGER:
        snprintf(buffer, sizeof(buffer), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return strdup(buffer);
    case JSON_REAL:
        snprintf(buffer, sizeof(buffer), "%.3f", json_real_value(value));
        return strdup(buffer);
    case JSON_TRUE:
        return strdup("yes");
    case JSON_FALSE:
        return strdup("no");
    case JSON_ARRAY:
        return list_text(value);
    case JSON_OBJECT:
        return json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER);
    case JSON_NULL:
        break;
    }
    return strdup("-");
}

static char *value_text(const json_t *value)
{
    char *text = value ? scalar_text(value) : strdup("-");

    for (char *c = text; c && *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' '; /* a name from a peer must not steer the terminal */
    }
    return text;
}

static bool is_flat(const json_t *list)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        if (json_is_object(item) || json_is_array(item))
            return false;
    }
    return true;
}

static char *list_text(const json_t *list)
{
    char *joined = NULL;
    size_t size, i;
    json_t *item;

    if (!is_flat(list))
        return json_dumps(list, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (json_array_size(list) == 0)
        return strdup("-");
    FILE *to = open_memstream(&joined, &size);
    if (!to)
        return NULL;
    json_array_foreach(list, i, item)
    {
        char *text = scalar_text(item);
        fprintf(to, "%s%s", i > 0 ? "," : "", text ? text : "");
        free(text);
    }
    fclose(to);
    return joined;
}

/* ---- widths ---- */

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80; /* not a continuation byte */
    return n;
}

/* Writes at most `room` characters. */
static void put_cut(FILE *to, const char *text, size_t room)
{
    for (; *text; text++) {
        if (((unsigned char)*text & 0xc0) != 0x80 && room-- == 0)
            return;
        fputc(*text, to);
    }
}

/* One line, cut to the style's width. */
struct line {
    FILE *to;
    size_t left; /* characters that still fit */
};

static void line_add(struct line *line, const char *text)
{
    size_t n = characters(text);

    put_cut(line->to, text, line->left);
    line->left -= n < line->left ? n : line->left;
}

static void line_pad(struct line *line, size_t n)
{
    for (; n > 0 && line->left > 0; n--, line->left--)
        fputc(' ', line->to);
}

static struct line line_begin(FILE *to, struct table_style style)
{
    return (struct line){to, style.width ? style.width : SIZE_MAX};
}

/* ---- tables ---- */

static int add_columns_of(struct table *t, const json_t *row)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        size_t i = 0;
        while (i < t->column_count && strcmp(t->columns[i].key, key) != 0)
            i++;
        if (i < t->column_count)
            continue;
        struct column *grown = realloc(t->columns, (t->column_count + 1) * sizeof(*grown));
        if (!grown)
            return -1;
        t->columns = grown;
        t->columns[t->column_count++] = (struct column){key, characters(key), true};
    }
    return 0;
}

static int fill(struct table *t, const json_t *rows)
{
    size_t r;
    json_t *row;

    json_array_foreach(rows, r, row)
    {
        if (add_columns_of(t, row) < 0)
            return -1;
    }
    t->row_count = json_array_size(rows);
    t->cells = calloc(t->row_count * t->column_count + 1, sizeof(*t->cells));
    if (!t->cells)
        return -1;
    json_array_foreach(rows, r, row)
    {
        for (size_t c = 0; c < t->column_count; c++) {
            struct column *column = &t->columns[c];
            const json_t *value = json_object_get(row, column->key);
            struct cell *cell = &t->cells[r * t->column_count + c];
            cell->text = value_text(value);
            if (!cell->text)
                return -1;
            if (value && !json_is_null(value) && !json_is_number(value))
                column->right = false;
            size_t width = characters(cell->text);
            column->width = width > column->width ? width : column->width;
        }
    }
    return 0;
}

static void put_column(struct line *line, const struct column *column, const char *text, bool last)
{
    size_t fill_with = column->width - characters(text);

    if (column->right)
        line_pad(line, fill_with);
    line_add(line, text);
    if (!last)
        line_pad(line, (column->right ? 0 : fill_with) + GAP);
}

static void put_head(FILE *to, const struct table *t, struct table_style style)
{
    struct line line = line_begin(to, style);

    fputs(style.colour ? "\033[1m" : "", to);
    for (size_t c = 0; c < t->column_count; c++) {
        char head[128];
        snprintf(head, sizeof(head), "%s", t->columns[c].key);
        for (char *at = head; *at; at++)
            *at = *at == '_' ? ' ' : (char)toupper((unsigned char)*at);
        put_column(&line, &t->columns[c], head, c + 1 == t->column_count);
    }
    fputs(style.colour ? "\033[0m\n" : "\n", to);
}

static void print_rows(FILE *to, const json_t *rows, struct table_style style)
{
    struct table t = {0};

    if (fill(&t, rows) == 0) {
        put_head(to, &t, style);
        for (size_t r = 0; r < t.row_count; r++) {
            struct line line = line_begin(to, style);
            for (size_t c = 0; c < t.column_count; c++)
                put_column(&line, &t.columns[c], t.cells[r * t.column_count + c].text,
                           c + 1 == t.column_count);
            fputc('\n', to);
        }
    }
    for (size_t i = 0; t.cells && i < t.row_count * t.column_count; i++)
        free(t.cells[i].text);
    free(t.cells);
    free(t.columns);
}

/* ---- anything ---- */

static bool is_rows(const json_t *value)
{
    size_t i;
    json_t *item;

    if (!json_is_array(value) || json_array_size(value) == 0)
        return false;
    json_array_foreach(value, i, item)
    {
        if (!json_is_object(item))
            return false;
    }
    return true;
}

/* Names and values below each other; what is itself a table, or an object, comes behind, under its
 * name. */
static void print_object(FILE *to, const json_t *object, struct table_style style)
{
    const char *key;
    json_t *value;
    size_t width = 0;
    bool some = false;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!is_rows(value) && !json_is_object(value))
            width = characters(key) > width ? characters(key) : width;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (is_rows(value) || json_is_object(value))
            continue;
        struct line line = line_begin(to, style);
        char *text = value_text(value);
        line_add(&line, key);
        line_pad(&line, width - characters(key) + GAP);
        line_add(&line, text ? text : "");
        fputc('\n', to);
        free(text);
        some = true;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!is_rows(value) && !json_is_object(value))
            continue;
        fprintf(to, "%s%s:\n", some ? "\n" : "", key);
        table_print(to, value, style);
        some = true;
    }
}

void table_print(FILE *to, const json_t *value, struct table_style style)
{
    size_t i;
    json_t *item;

    if (is_rows(value)) {
        print_rows(to, value, style);
    } else if (json_is_object(value)) {
        print_object(to, value, style);
    } else if (json_is_array(value) && json_array_size(value) > 0) {
        json_array_foreach(value, i, item)
        {
            char *text = value_text(item);
            fprintf(to, "%s\n", text ? text : "");
            free(text);
        }
    } else if (json_is_array(value)) {
        fprintf(to, "none\n");
    } else {
        char *text = value_text(value);
        fprintf(to, "%s\n", text ? text : "");
        free(text);
    }
}
