/*
 * unit.h -- what every unit test includes first: cmocka and the headers it wants before it.
 */
#ifndef STROWGER_TESTS_UNIT_H
#define STROWGER_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
