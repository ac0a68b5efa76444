/*
 * diameter.h -- the door of the Diameter codec: RFC 6733 base protocol, and S6a of TS 29.272 (in
 * s6a.h).
 *
 * A message is a 20-octet header and a row of AVPs. Every command is a C struct and a table of its
 * AVPs (tlv.h tells how tables work); struct diameter_message names the table, the command code,
 * the application and the answer that belongs to a request. What all requests of an application
 * have in common comes first in the struct, as struct diameter_request_head; of an answer, struct
 * diameter_answer_head. So routing, errors and transactions need to know nothing of the command.
 *
 * Texts (identities, Session-Id) are struct bytes: views into the received message, or of the
 * caller's text. Numbers are in host byte order. Decoding takes memory from the given arena only;
 * nothing here does I/O or has state. Any thread.
 *
 * Result codes: enum diameter_result holds the codes of Result-Code as they are, and those of
 * Experimental-Result as vendor * 10000 + code, so that one number tells the outcome: 5001 is the
 * base protocol's AVP_UNSUPPORTED, DIAMETER_3GPP(5001) is 3GPP's USER_UNKNOWN.
 */
#ifndef STROWGER_WIRE_DIAMETER_DIAMETER_H
#define STROWGER_WIRE_DIAMETER_DIAMETER_H

#include <netinet/in.h>

#include "wire/ids.h"
#include "wire/tlv.h"

#define DIAMETER_PORT        3868 /* TCP and SCTP (RFC 6733 clause 11.4) */
#define DIAMETER_VERSION     1
#define DIAMETER_HEADER_SIZE 20

/* Vendor ids (IANA private enterprise numbers). */
#define DIAMETER_VENDOR_3GPP 10415

/* Application ids. */
#define DIAMETER_APPLICATION_BASE  0u
#define DIAMETER_APPLICATION_S6A   16777251u
#define DIAMETER_APPLICATION_RELAY 0xffffffffu

/* Header flags (RFC 6733 clause 3). */
#define DIAMETER_FLAG_REQUEST       0x80
#define DIAMETER_FLAG_PROXIABLE     0x40
#define DIAMETER_FLAG_ERROR         0x20
#define DIAMETER_FLAG_RETRANSMITTED 0x10

/* AVP flags (clause 4.1). */
#define DIAMETER_AVP_VENDOR    0x80
#define DIAMETER_AVP_MANDATORY 0x40
#define DIAMETER_AVP_PROTECTED 0x20

/* Command codes of the base protocol; those of S6a are in s6a.h. */
enum diameter_command {
    DIAMETER_CAPABILITIES_EXCHANGE = 257,
    DIAMETER_DEVICE_WATCHDOG = 280,
    DIAMETER_DISCONNECT_PEER = 282,
};

#define DIAMETER_3GPP(code) (DIAMETER_VENDOR_3GPP * 10000 + (code))

/* RFC 6733 clause 7.1, TS 29.272 clause 7.4. */
enum diameter_result {
    DIAMETER_RESULT_ABSENT = 0, /* the answer tells none */
    DIAMETER_SUCCESS = 2001,
    DIAMETER_LIMITED_SUCCESS = 2002,
    /* Protocol errors: answers with the E bit. */
    DIAMETER_COMMAND_UNSUPPORTED = 3001,
    DIAMETER_UNABLE_TO_DELIVER = 3002,
    DIAMETER_REALM_NOT_SERVED = 3003,
    DIAMETER_TOO_BUSY = 3004,
    DIAMETER_LOOP_DETECTED = 3005,
    DIAMETER_REDIRECT_INDICATION = 3006,
    DIAMETER_APPLICATION_UNSUPPORTED = 3007,
    DIAMETER_INVALID_HDR_BITS = 3008,
    DIAMETER_INVALID_AVP_BITS = 3009,
    DIAMETER_UNKNOWN_PEER = 3010,
    /* Transient failures. */
    DIAMETER_AUTHENTICATION_REJECTED = 4001,
    DIAMETER_OUT_OF_SPACE = 4002,
    DIAMETER_ELECTION_LOST = 4003,
    /* Permanent failures. */
    DIAMETER_AVP_UNSUPPORTED = 5001,
    DIAMETER_UNKNOWN_SESSION_ID = 5002,
    DIAMETER_AUTHORIZATION_REJECTED = 5003,
    DIAMETER_INVALID_AVP_VALUE = 5004,
    DIAMETER_MISSING_AVP = 5005,
    DIAMETER_RESOURCES_EXCEEDED = 5006,
    DIAMETER_CONTRADICTING_AVPS = 5007,
    DIAMETER_AVP_NOT_ALLOWED = 5008,
    DIAMETER_AVP_OCCURS_TOO_MANY_TIMES = 5009,
    DIAMETER_NO_COMMON_APPLICATION = 5010,
    DIAMETER_UNSUPPORTED_VERSION = 5011,
    DIAMETER_UNABLE_TO_COMPLY = 5012,
    DIAMETER_INVALID_BIT_IN_HEADER = 5013,
    DIAMETER_INVALID_AVP_LENGTH = 5014,
    DIAMETER_INVALID_MESSAGE_LENGTH = 5015,
    DIAMETER_INVALID_AVP_BIT_COMBO = 5016,
    DIAMETER_NO_COMMON_SECURITY = 5017,
    /* Experimental-Result of 3GPP: TS 29.272 clauses 7.4.3 and 7.4.4. */
    DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE = DIAMETER_3GPP(4181),
    DIAMETER_ERROR_CAMEL_SUBSCRIPTION_PRESENT = DIAMETER_3GPP(4182),
    DIAMETER_ERROR_USER_UNKNOWN = DIAMETER_3GPP(5001),
    DIAMETER_ERROR_ROAMING_NOT_ALLOWED = DIAMETER_3GPP(5004),
    DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION = DIAMETER_3GPP(5420),
    DIAMETER_ERROR_RAT_NOT_ALLOWED = DIAMETER_3GPP(5421),
    DIAMETER_ERROR_EQUIPMENT_UNKNOWN = DIAMETER_3GPP(5422),
    DIAMETER_ERROR_UNKNOWN_SERVING_NODE = DIAMETER_3GPP(5423),
};

/* "DIAMETER_SUCCESS", "DIAMETER_ERROR_USER_UNKNOWN"; "?" for codes not in the list. */
const char *diameter_result_name(uint32_t result);

/* True for success (2xxx), base or vendor's. */
static inline bool diameter_result_is_success(uint32_t result)
{
    return result % 10000 / 1000 == 2;
}

/* True for the codes that are told in an answer with the E bit (3xxx of the base protocol,
 * clause 7.1.3). */
static inline bool diameter_result_is_protocol_error(uint32_t result)
{
    return result / 1000 == 3;
}

/* A view of a C text; NULL gives the empty view. */
static inline struct bytes diameter_text_of(const char *text)
{
    return bytes_of(text, text ? strlen(text) : 0);
}

/* DiameterIdentities and realms are domain names: compared without regard to case (clause 4.3.1).
 */
bool diameter_identity_equal(struct bytes a, struct bytes b);

/* ---- Header ---- */

struct diameter_header {
    uint8_t version;
    uint8_t flags;
    uint32_t length;  /* of the whole message, header included */
    uint32_t command; /* 24 bits */
    uint32_t application;
    uint32_t hop_by_hop;
    uint32_t end_to_end;
};

/* Reads the header; the reader is bad when fewer than DIAMETER_HEADER_SIZE octets are there.
 * Nothing is judged. */
struct diameter_header diameter_read_header(struct reader *r);

static inline bool diameter_is_request(const struct diameter_header *header)
{
    return header->flags & DIAMETER_FLAG_REQUEST;
}

/* ---- Values of more than one command ---- */

/* Address (clause 4.3.1): IANA address family and the address in network byte order. */
struct diameter_address {
    uint16_t family; /* 1: IPv4, 2: IPv6; DIAMETER_ADDRESS_... */
    union {
        struct in_addr ipv4;
        struct in6_addr ipv6;
    };
};

#define DIAMETER_ADDRESS_IPV4 1
#define DIAMETER_ADDRESS_IPV6 2

/* Vendor-Specific-Application-Id (clause 6.11). RFC 3588 allowed several Vendor-Ids. */
struct diameter_vendor_application {
    LIST_OF(uint32_t) vendor_id;
    uint32_t *auth_application_id;
    uint32_t *acct_application_id;
};

/* Experimental-Result (clause 7.6). */
struct diameter_experimental_result {
    uint32_t vendor_id;
    uint32_t code;
};

/* Session-state value that S6a uses in all its messages (TS 29.272 clause 7.1.4). */
#define DIAMETER_STATE_MAINTAINED    0
#define DIAMETER_NO_STATE_MAINTAINED 1

/* ---- What the messages of an application have in common ---- */

/* First member of every request struct. link/diameter_peer fills what the sender leaves empty:
 * session_id, vendor_application, auth_session_state, origin and, from the routing configuration,
 * destination_realm. */
struct diameter_request_head {
    struct bytes session_id;
    struct diameter_vendor_application *vendor_application;
    uint32_t auth_session_state;
    struct bytes origin_host, origin_realm;
    struct bytes *destination_host; /* NULL: any server of the realm */
    struct bytes destination_realm;
    /* contents of each Proxy-Info, to be sent back as they are (clause 6.2) */
    LIST_OF(struct bytes) proxy_info;
    LIST_OF(struct bytes) route_record;
};

/* First member of every answer struct. Exactly one of result_code and experimental_result is
 * present in a correct answer; diameter_result_of() and diameter_set_result() hide the difference.
 */
struct diameter_answer_head {
    struct bytes session_id;
    struct diameter_vendor_application *vendor_application;
    uint32_t *result_code;
    struct diameter_experimental_result *experimental_result;
    uint32_t *auth_session_state;
    struct bytes origin_host, origin_realm;
    uint32_t *origin_state_id;
    struct bytes *error_message;
    struct bytes *error_reporting_host;
    LIST_OF(struct bytes) failed_avp; /* contents of each Failed-AVP: one or more AVPs */
    LIST_OF(struct bytes) proxy_info;
};

/* The outcome in one number; DIAMETER_RESULT_ABSENT when the answer tells none. */
uint32_t diameter_result_of(const struct diameter_answer_head *head);

/* Storage for diameter_set_result(), which must live as long as the answer. */
struct diameter_result_place {
    uint32_t code;
    struct diameter_experimental_result experimental;
};

void diameter_set_result(struct diameter_answer_head *head, struct diameter_result_place *place,
                         uint32_t result);

/* ---- Messages ---- */

/* One command as request or as answer. */
struct diameter_message {
    const char *name;      /* as the specification abbreviates it: "AIR" */
    const char *long_name; /* "Authentication-Information-Request" */
    uint32_t application;
    uint32_t command;
    uint8_t flags; /* R and P as they are to be sent */
    const struct wire_group *group;
    const struct diameter_message *answer; /* of a request; NULL in an answer */
};

/* The command's request or answer, or NULL when this codec does not know it. */
const struct diameter_message *diameter_message_find(uint32_t application, uint32_t command,
                                                     bool request);

/* True when the codec knows commands of this application. */
bool diameter_application_is_known(uint32_t application);

/* Writes a whole message: header (version, length, command and application are set here) and AVPs.
 * The writer must stand at a multiple of four octets; what does not fit makes it bad. */
void diameter_encode(struct writer *w, const struct diameter_message *message,
                     const struct diameter_header *header, const void *value);

/* Decodes the AVPs of a whole message into *value (message->group->size bytes). An answer with the
 * E bit has the form of clause 7.2: then only its head is filled and the rest of *value is zero. 0,
 * -EBADMSG or -ENOMEM with the first fault in context->fault; what could be decoded is. In answers,
 * unlike requests, unknown AVPs with the M bit and AVPs that occur too often are no fault: nobody
 * could be told. */
int diameter_decode(const struct diameter_message *message, struct bytes whole, void *value,
                    struct wire_context *context);

/* Result-Code for a fault of a request (clause 7.1.5). */
uint32_t diameter_fault_result(const struct wire_fault *fault);

/* The contents of Failed-AVP for a fault (clause 7.5): the offending AVP, or an example of a
 * missing one. {NULL, 0} when there is nothing to tell or no memory. */
struct bytes diameter_fault_avp(const struct wire_fault *fault, struct arena *arena);

/* What routing, matching and tracing need of any message, whatever its command and however broken.
 * Views are empty when the AVP is not there. */
struct diameter_envelope {
    struct diameter_header header;
    struct bytes session_id;
    struct bytes user_name; /* on S6a: the IMSI */
    struct bytes origin_host, origin_realm;
    struct bytes destination_host, destination_realm;
    uint32_t result; /* as enum diameter_result; 0: none */
    bool has_route_record, has_proxy_info;
    bool broken; /* an AVP's length ran past the end: the scan ended there */
    struct bytes avps;
};

/* 0, or -EBADMSG when it is not even a header. `whole` is exactly one message. */
int diameter_scan(struct bytes whole, struct diameter_envelope *envelope);

/* True when one of the Route-Records is `identity` (loop detection, clause 6.1.3). */
bool diameter_has_passed(const struct diameter_envelope *envelope, struct bytes identity);

/* Writes the answer of clause 7.2 to any request, without knowing its command: Session-Id and
 * Proxy-Info of the request, origin, result and, if not empty, Error-Message and Failed-AVP
 * contents. */
struct diameter_refusal {
    struct bytes origin_host, origin_realm;
    uint32_t result;
    struct bytes error_message;
    struct bytes failed_avp;
};

void diameter_encode_refusal(struct writer *w, const struct diameter_envelope *request,
                             const struct diameter_refusal *refusal);

/* One line for a person: "AIR Session-Id=... User-Name=... ". Keys and vectors are not shown. Takes
 * its memory from the given arena. */
void diameter_print(struct bytes whole, struct text *t, struct arena *arena);

/* ---- Base protocol (RFC 6733 clauses 5.3 to 5.5) ---- */

/* Capabilities-Exchange-Request; the answer has the result in front. */
struct diameter_capabilities {
    struct bytes origin_host, origin_realm;
    LIST_OF(struct diameter_address) host_ip_address;
    uint32_t vendor_id;
    struct bytes product_name;
    uint32_t *origin_state_id;
    LIST_OF(uint32_t) supported_vendor_id;
    LIST_OF(uint32_t) auth_application_id;
    LIST_OF(uint32_t) inband_security_id;
    LIST_OF(uint32_t) acct_application_id;
    LIST_OF(struct diameter_vendor_application) vendor_application;
    uint32_t *firmware_revision;
};

/* In a CEA with an error the sender may leave out nearly everything; hence host_ip_address,
 * vendor_id and product_name are not asked for when decoding it. */
struct diameter_cea {
    uint32_t result_code;
    struct bytes origin_host, origin_realm;
    LIST_OF(struct diameter_address) host_ip_address;
    uint32_t *vendor_id;
    struct bytes *product_name;
    uint32_t *origin_state_id;
    struct bytes *error_message;
    struct bytes *failed_avp;
    LIST_OF(uint32_t) supported_vendor_id;
    LIST_OF(uint32_t) auth_application_id;
    LIST_OF(uint32_t) inband_security_id;
    LIST_OF(uint32_t) acct_application_id;
    LIST_OF(struct diameter_vendor_application) vendor_application;
    uint32_t *firmware_revision;
};

/* Device-Watchdog-Request. */
struct diameter_dwr {
    struct bytes origin_host, origin_realm;
    uint32_t *origin_state_id;
};

/* Clause 5.4.3. */
enum diameter_disconnect_cause {
    DIAMETER_REBOOTING = 0,
    DIAMETER_BUSY = 1,
    DIAMETER_DO_NOT_WANT_TO_TALK_TO_YOU = 2,
};

struct diameter_dpr {
    struct bytes origin_host, origin_realm;
    uint32_t disconnect_cause;
};

/* Device-Watchdog-Answer and Disconnect-Peer-Answer. */
struct diameter_peer_answer {
    uint32_t result_code;
    struct bytes origin_host, origin_realm;
    struct bytes *error_message;
    struct bytes *failed_avp;
    uint32_t *origin_state_id;
};

extern const struct diameter_message diameter_cer_message, diameter_cea_message;
extern const struct diameter_message diameter_dwr_message, diameter_dwa_message;
extern const struct diameter_message diameter_dpr_message, diameter_dpa_message;

#include "wire/diameter/s6a.h"

#endif
