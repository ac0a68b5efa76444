/*
 * nas.h -- the door of the NAS room: EPS mobility and session management messages, TS 24.301
 * (Release 15).
 *
 * A received NAS PDU goes through two steps. nas_unprotect() (nas_security.h) checks and deciphers
 * it when it is protected; nas_decode() turns the plain message into a struct of nas_message.h,
 * found through the union in struct nas_message. To send, fill such a struct, nas_encode() it and
 * nas_protect() the result.
 *
 *     struct nas_message m;
 *     struct nas_fault fault;
 *     if (nas_decode(plain, EPS_UPLINK, arena, &m, &fault) < 0)
 *         return answer_fault(ue, &m, &fault);
 *     if (m.type == NAS_ATTACH_REQUEST)
 *         attach(ue, m.attach_request);
 *
 * Each message is a table (nas_table.h) with one row per information element; decoder, encoder,
 * printer and tests walk the same rows. A mandatory element lies inline in the message struct, an
 * optional one is a pointer that is NULL when absent. Decoded structs live in the arena of the
 * dispatch, views (struct bytes) in the received PDU.
 *
 * How errors are met (clause 7.5 to 7.7): an unknown, repeated or out-of-sequence optional element
 * is skipped; an optional element that is syntactically incorrect is treated as not present; a
 * mandatory one that is missing or incorrect, or an unknown one marked "comprehension required",
 * ends in a fault with cause #96; an unknown message type in a fault with #97. An element longer
 * than this release knows is no error.
 *
 * No state, no I/O; any thread.
 */
#ifndef STROWGER_WIRE_NAS_NAS_H
#define STROWGER_WIRE_NAS_NAS_H

#include "wire/nas/nas_ie.h"
#include "wire/nas/nas_message.h"
#include "wire/nas/nas_security.h"

#define NAS_PROTOCOL_ESM 2
#define NAS_PROTOCOL_EMM 7
#define NAS_MESSAGE_MAX  2048 /* octets; larger than any message but those that carry user data */

/* Why decoding stopped. */
struct nas_fault {
    /* For EMM STATUS, ESM STATUS or the procedure's reject; the numbers are the same in both. 0:
     * the message is to be ignored without an answer (clauses 7.2, 7.3). */
    uint8_t cause;
    uint8_t protocol; /* NAS_PROTOCOL_EMM or NAS_PROTOCOL_ESM: whose status it would be */
    uint8_t iei;      /* of the element at fault; 0 for one without */
    const char *ie;   /* its name, or NULL */
};

/* Decodes a plain message or a Service Request that came from `direction`. 0, or -EBADMSG / -ENOMEM
 * with *fault filled in; `message` then still holds protocol, type, EBI and PTI as far as they were
 * there. */
int nas_decode(struct bytes plain, enum eps_direction direction, struct arena *arena,
               struct nas_message *message, struct nas_fault *fault);

/* Writes the message, plain. The writer goes bad when it does not fit, when the type is unknown or
 * a value cannot be coded. */
void nas_encode(struct writer *w, const struct nas_message *message);

/* "attach request: eps_attach_type=1 ..." on one line. Messages in containers are decoded and
 * printed in braces when there is an arena, as hexadecimal digits when it is NULL. */
void nas_print(struct text *t, const struct nas_message *message, struct arena *arena);

/* The same for a PDU as it travels, for the trace: shows the security header, and the message when
 * it is not ciphered (or ciphered with EEA0 is not known: pass the deciphered message instead). */
void nas_print_pdu(struct text *t, struct bytes pdu, enum eps_direction direction,
                   struct arena *arena);

/* The same from a PDU alone, by direction, for trace_set_printers(TRACE_NAS, ...). */
void nas_trace_uplink(struct bytes pdu, struct text *t);
void nas_trace_downlink(struct bytes pdu, struct text *t);

/* Names as in the specification, in lower case ("attach request", "congestion"); "unknown" for
 * others. */
const char *nas_message_name(enum nas_message_type type);
const char *nas_emm_cause_name(uint8_t cause);
const char *nas_esm_cause_name(uint8_t cause);

#endif
