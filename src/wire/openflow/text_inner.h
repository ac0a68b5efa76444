/*
 * text_inner.h -- between flow_text.c (actions and instructions), flow_line.c (matches and flows)
 * and group_text.c (groups and meters): texts cut into parts.
 */
#ifndef STROWGER_WIRE_OPENFLOW_TEXT_INNER_H
#define STROWGER_WIRE_OPENFLOW_TEXT_INNER_H

#include <strings.h>

#include "wire/openflow/flow_text.h"

struct part {
    const char *at;
    size_t len;
};

/* Says what is wrong with the part; returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int of_text_bad(struct of_parser *p, struct part part,
                                                      const char *format, ...);

/* Takes the next part off what is left; false at the end. Commas and blanks separate, but not in
 * brackets. */
bool of_text_next(struct part *left, struct part *part);

bool of_text_is(struct part part, const char *word);
/* "word=argument", "word:argument", "word(argument)". */
bool of_text_argument(struct part part, const char *word, struct part *argument);

/* 0 or -EINVAL, as of_text_bad(). */
int of_text_number(struct of_parser *p, struct part part, uint64_t max, uint64_t *number);
int of_text_masked(struct of_parser *p, struct part part, uint64_t *value, uint64_t *mask);

#endif
