/*
 * gtp_unit.h -- small helpers for the tests of wire/gtp and what stands on it.
 */
#ifndef STROWGER_TESTS_GTP_UNIT_H
#define STROWGER_TESTS_GTP_UNIT_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cursor.h"

/* A view of the octets listed. */
#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A copy in memory of exactly this size, so that AddressSanitizer sees a read past the end; to be
 * freed. */
static inline uint8_t *unit_copy(const void *at, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, at, len);
    return copy;
}

#define UNIT_HOSTS 64

/* The n-th loopback address of this process alone, so that tests may run side by side. */
static inline const char *unit_host(unsigned n)
{
    static char names[UNIT_HOSTS][20];
    unsigned pid = (unsigned)getpid();

    assert_true(n < UNIT_HOSTS);
    snprintf(names[n], sizeof(names[n]), "127.%u.%u.%u", 1 + pid / 256 % 250, pid % 256, n);
    return names[n];
}

#endif
