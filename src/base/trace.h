/*
 * trace.h -- every message of a process, kept for the question "why did it fail?".
 *
 * The link layers hand each message that goes in or out to trace_message(): protocol, direction,
 * both addresses, the subject (IMSI) if it is known, and the bytes. A ring of bounded size keeps
 * the newest. Recording is a copy of the bytes and nothing else; decoding into words happens when
 * somebody asks, with the printer that the protocol's room registered.
 *
 * A subject that is only learnt later (a GUTI nobody knew, an answer that named the subscriber) is
 * told by trace_alias(): messages recorded under the old name are then found under the new one.
 *
 * One thread. Secrets: what the bytes hold is what was on the wire; NAS in clear is recorded by the
 * MME as separate entries of TRACE_NAS, only while tracing is on.
 */
#ifndef STROWGER_BASE_TRACE_H
#define STROWGER_BASE_TRACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/cursor.h"
#include "base/text.h"

enum trace_protocol {
    TRACE_S1AP,
    TRACE_NAS, /* deciphered, between MME and phone */
    TRACE_DIAMETER,
    TRACE_GTPC,
    TRACE_GTPU,
    TRACE_PFCP,
    TRACE_OPENFLOW,
    TRACE_PROTOCOLS
};

/* Turns tracing on with a ring of this many bytes; 0 turns it off. 0 or -ENOMEM. */
int trace_init(size_t ring_bytes);
void trace_free(void);
bool trace_is_on(void);

/* Records a message. `subject` NULL means the running fiber's (fiber_subject()). `local` and `peer`
 * may be NULL where the transport has no address. */
void trace_message(enum trace_protocol protocol, bool sent, const struct sockaddr *local,
                   const struct sockaddr *peer, const char *subject, struct bytes message);

/* What was recorded under `subject` also belongs to `name`. */
void trace_alias(const char *subject, const char *name);

/* The function that tells a message in one line, its name first ("attach request ..."). Each room
 * registers those of the protocols that it speaks; they run when somebody asks. Secrets are never
 * told. */
typedef void (*trace_printer)(struct bytes message, struct text *t);
void trace_set_printer(enum trace_protocol protocol, trace_printer printer);
/* For a protocol in which the same bytes mean another thing in the other direction (NAS). */
void trace_set_printers(enum trace_protocol protocol, trace_printer sent, trace_printer received);

const char *trace_protocol_name(enum trace_protocol protocol);

/* One record as it is handed out. Addresses have family AF_UNSPEC when unknown. */
struct trace_record {
    uint64_t sequence; /* counts up from 1 in this process */
    uint64_t time_us;  /* wall clock, since 1970 */
    enum trace_protocol protocol;
    bool sent;
    struct sockaddr_storage local, peer;
    char subject[24];
    struct bytes message; /* a view into the ring: valid during the call */
};

/* Calls `each` for every record with sequence > after, oldest first, whose subject is `subject` or
 * an alias of it (NULL: all), until it returns false. Subjects are given resolved. */
void trace_each(uint64_t after, const char *subject,
                bool (*each)(const struct trace_record *record, void *argument), void *argument);

/* The records as a JSON array: [{"sequence":, "time_us":, "protocol": "S1AP", "sent":, "local":
 * "127.0.0.1:36412", "peer":, "imsi":, "text": "...", "hex": "..."}]; what GET /trace answers. */
json_t *trace_json(uint64_t after, const char *subject, size_t at_most);

#endif
