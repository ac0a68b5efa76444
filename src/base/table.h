/*
 * table.h -- JSON for people: a list of objects as a table, an object as lines of names and values.
 *
 * Columns stand in the order in which keys first appear; numbers are aligned to the right. A value
 * that is absent or null shows as "-", a list of scalars with commas, what is nested deeper as
 * JSON.
 */
#ifndef STROWGER_BASE_TABLE_H
#define STROWGER_BASE_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct table_style {
    bool colour;    /* heads in bold */
    unsigned width; /* lines are cut to so many columns; 0: never */
};

/* The style for this stream: colour and the terminal's width when it is a terminal. */
struct table_style table_style_of(FILE *to);

/* Prints any JSON value; an empty list as "none". */
void table_print(FILE *to, const json_t *value, struct table_style style);

#endif
