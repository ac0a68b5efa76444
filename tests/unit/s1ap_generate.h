/*
 * s1ap_generate.h -- random valid S1AP messages, made by walking the same tables as the codec.
 *
 * Every component, alternative, optional part and bound of every message is reached by chance, so a
 * round trip over some thousand messages touches every row.
 */
#ifndef STROWGER_TESTS_S1AP_GENERATE_H
#define STROWGER_TESTS_S1AP_GENERATE_H

#include "wire/s1ap/procedures.h"

struct s1ap_generator {
    uint64_t state; /* of the pseudo-random numbers, not 0 */
    struct arena *arena;
    unsigned few;      /* out of 8 optional parts, so many are there */
    bool long_strings; /* sometimes longer than a fragment of PER */
    bool plain;        /* nothing behind an extension marker, nothing opaque */
};

/* A random body for `message`, in the arena; NULL when that is full. */
void *s1ap_generate(struct s1ap_generator *g, enum s1ap_message message);

/* A random value of any type; `value` is zeroed. */
void s1ap_generate_value(struct s1ap_generator *g, const struct aper_type *type, void *value);

uint64_t s1ap_generate_number(struct s1ap_generator *g, uint64_t lower, uint64_t upper);

#endif
