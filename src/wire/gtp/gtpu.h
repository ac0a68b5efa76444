/*
 * gtpu.h -- GTP-U (TS 29.281): a user's packet inside UDP, addressed by a 32-bit tunnel endpoint
 * id.
 *
 * A packet begins with 8 octets: flags, message type, length of all that follows them, TEID. If any
 * of the flags E, S, PN is set, 4 more octets follow (sequence number, N-PDU number, next extension
 * header type; clause 5.1), of which only those whose flag is set mean something; with E a chain of
 * extension headers comes behind them (clause 5.2). Then comes the user's packet (G-PDU) or the
 * information elements of a path message.
 *
 * gtpu_read() takes a datagram apart for every use; the data path writes its G-PDUs with
 * gtpu_write_g_pdu_header(), which is 8 octets and no branches.
 */
#ifndef STROWGER_WIRE_GTP_GTPU_H
#define STROWGER_WIRE_GTP_GTPU_H

#include <netinet/in.h>

#include "base/cursor.h"
#include "base/text.h"

#define GTPU_PORT        2152
#define GTPU_HEADER_SIZE 8 /* without the optional octets */

/* Clause 6.1. */
enum gtpu_message_type {
    GTPU_ECHO_REQUEST = 1,
    GTPU_ECHO_RESPONSE = 2,
    GTPU_ERROR_INDICATION = 26,
    GTPU_SUPPORTED_EXTENSION_HEADERS_NOTIFICATION = 31,
    GTPU_END_MARKER = 254,
    GTPU_G_PDU = 255,
};

/* Extension header types (clause 5.2.1, figure 5.2.1-3). */
enum gtpu_extension_type {
    GTPU_NO_MORE_EXTENSION_HEADERS = 0x00,
    GTPU_LONG_PDCP_PDU_NUMBER_OPTIONAL = 0x03,
    GTPU_SERVICE_CLASS_INDICATOR = 0x20,
    GTPU_UDP_PORT = 0x40,
    GTPU_RAN_CONTAINER = 0x81,
    GTPU_LONG_PDCP_PDU_NUMBER = 0x82,
    GTPU_NR_RAN_CONTAINER = 0x84,
    GTPU_PDU_SESSION_CONTAINER = 0x85,
    GTPU_PDCP_PDU_NUMBER = 0xc0,
};

struct gtpu_header {
    uint8_t type; /* enum gtpu_message_type */
    bool has_sequence;
    bool has_n_pdu;
    uint16_t sequence;
    uint8_t n_pdu;
    uint8_t first_extension; /* type of the first extension header; 0: none */
    uint32_t teid;
    struct bytes extensions; /* the chain, see gtpu_next_extension() */
    struct bytes payload;    /* the user's packet, or the information elements */
};

/* One extension header: its content is all but the length octet and the next type. */
struct gtpu_extension {
    uint8_t type;
    struct bytes content;
};

/* Takes a datagram apart; the views point into it. The whole chain of extension headers is checked.
 * 0, or:
 *
 *   -EBADMSG          too short, a length that does not fit, a broken chain: drop
 *   -EPROTONOSUPPORT  not GTPv1 (version, or PT says GTP'): drop */
int gtpu_read(struct bytes datagram, struct gtpu_header *header);

/* Walks the chain: start with *type = header.first_extension and *chain = header.extensions; false
 * at its end. */
bool gtpu_next_extension(uint8_t *type, struct bytes *chain, struct gtpu_extension *extension);

/* The types whose two highest bits say that the endpoint must understand them (clause 5.2.1,
 * figure 5.2.1-2): such a packet is refused with Supported Extension Headers Notification by an
 * endpoint that does not. */
static inline bool gtpu_extension_is_required(uint8_t type)
{
    return type & 0x80;
}

/* The first unknown header of the chain that must be understood; 0 when there is none. `known` is
 * called with each type. */
uint8_t gtpu_unsupported_extension(const struct gtpu_header *header, bool (*known)(uint8_t type));

/* Writes the header for `length` octets of payload that follow. Extensions are written as they are.
 */
void gtpu_write(struct writer *w, const struct gtpu_header *header, size_t length);

/* The 8 octets before a user's packet of `length` octets. */
static inline void gtpu_write_g_pdu_header(uint8_t *at, uint32_t teid, uint16_t length)
{
    at[0] = 0x30; /* version 1, GTP */
    at[1] = GTPU_G_PDU;
    at[2] = (uint8_t)(length >> 8);
    at[3] = (uint8_t)length;
    at[4] = (uint8_t)(teid >> 24);
    at[5] = (uint8_t)(teid >> 16);
    at[6] = (uint8_t)(teid >> 8);
    at[7] = (uint8_t)teid;
}

/* Whole path messages (clauses 7.2, 7.3). Echo and notification have a sequence number and TEID 0.
 */
void gtpu_write_echo_request(struct writer *w, uint16_t sequence);

/* Recovery is there for old peers and always 0 (clause 7.2.2). */
void gtpu_write_echo_response(struct writer *w, uint16_t sequence);

/* "I do not know this TEID": the TEID of the G-PDU and the address it was sent to. `udp_port` is
 * the source port of that G-PDU, sent in a UDP Port extension header; 0 leaves it out. */
struct gtpu_error_indication {
    uint32_t teid;
    bool is_ipv6;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    uint16_t udp_port;
};
void gtpu_write_error_indication(struct writer *w, const struct gtpu_error_indication *error);

/* 0 or -EBADMSG when an element is missing or broken. */
int gtpu_read_error_indication(const struct gtpu_header *header,
                               struct gtpu_error_indication *error);

/* The list of extension header types that the sender supports. */
void gtpu_write_supported_extension_headers(struct writer *w, uint16_t sequence,
                                            struct bytes types);
int gtpu_read_supported_extension_headers(const struct gtpu_header *header, struct bytes *types);

/* No more packets will come on the old path of this tunnel (clause 7.3.2). */
void gtpu_write_end_marker(struct writer *w, uint32_t teid);

/* "G-PDU"; NULL for unknown types. */
const char *gtpu_message_name(uint8_t type);

/* One line, and the same from a datagram for trace_set_printer(TRACE_GTPU, ...). */
void gtpu_print(struct text *t, const struct gtpu_header *header);
void gtpu_trace_printer(struct bytes datagram, struct text *t);

#endif
