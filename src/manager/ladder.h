/*
 * ladder.h -- a message's line in the ladder of `strowger trace`: what it is, how it ended, the
 * rest.
 *
 * The functions tell each message in one line of words: its name, then elements as key=value
 * (`Create Session Response teid=0x1 seq=5 cause=16(Request accepted) ...`). Here that line is
 * taken apart again: the elements that say how it ended come first, and what only repeats other
 * columns or tells machines apart is left out unless the whole is wanted. Inner header of the
 * manager; pure.
 */
#ifndef STROWGER_MANAGER_LADDER_H
#define STROWGER_MANAGER_LADDER_H

#include <stdbool.h>

#include "base/text.h"

enum ladder_outcome {
    LADDER_NEUTRAL,
    LADDER_CAUSE, /* gives a reason, but it is no refusal: a release, a detach */
    LADDER_ACCEPTED,
    LADDER_REJECTED,
};

struct ladder_message {
    struct text name;  /* "Create Session Response" */
    struct text cause; /* "cause=16(Request accepted)", or empty */
    struct text rest;
    enum ladder_outcome outcome;
};

/* Takes apart what a function says of a message. The three texts are the caller's buffers; what
 * does not fit is cut. `protocol` as in the trace ("GTPv2"); `whole` leaves nothing out. */
void ladder_read(struct ladder_message *m, const char *protocol, const char *words, bool whole);

const char *ladder_outcome_name(enum ladder_outcome outcome);

#endif
