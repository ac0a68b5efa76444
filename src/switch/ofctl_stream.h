/*
 * ofctl_stream.h -- a capture that comes from a running switch, for the verbs that look at it.
 * Inner header of the switch's tools; see ofctl_mirror.c.
 */
#ifndef STROWGER_SWITCH_OFCTL_STREAM_H
#define STROWGER_SWITCH_OFCTL_STREAM_H

#include "base/text.h"
#include "wire/pcapng.h"

struct ofctl_stream {
    /* A packet and any other block, whole; the comment is a view, not terminated. */
    void (*packet)(struct ofctl_stream *s, struct bytes block, const struct pcapng_packet *packet,
                   struct bytes comment);
    void (*other)(struct ofctl_stream *s, struct bytes block);
    void (*batch)(struct ofctl_stream *s); /* what has come was handled; may be NULL */
    uint64_t lost_in_ring, lost_by_reader; /* packets, as the switch told at the end */
    bool ended;                            /* it told: this is all */
};

/* Reads until the switch has sent all: it is told to end by SIGINT, SIGTERM, after `seconds` (0:
 * never), or by ofctl_stream_enough(). 0, or an exit code after saying what went wrong. */
int ofctl_stream_run(struct ofctl_stream *s, const char *socket, const char *target,
                     unsigned seconds);
void ofctl_stream_enough(void);

/* NAME=VALUE for a request's target, escaped (RFC 3986 clause 2.1). */
void ofctl_escape(struct text *t, const char *name, const char *value);

#endif
