/*
 * nas_security.h -- EPS NAS security: TS 24.301 clauses 4.4, 9.3.1 and 9.6, TS 33.401 clause 8.
 *
 * Included by nas.h; other rooms include that one.
 *
 * The MME and the phone use the same code: each has one context, sends in one direction and
 * receives in the other. A context holds the keys and the two NAS COUNTs; it is small, as every
 * idle phone keeps one.
 *
 *     first octet  0 0000..0100 | protocol discriminator 7     then MAC (4), sequence number (1),
 * message 1100       | 7   = Service Request        then KSI (3 bits), sequence number (5), short
 * MAC (2)
 *
 * The MAC covers the sequence number and the message as it is sent, that is after ciphering.
 */
#ifndef STROWGER_WIRE_NAS_NAS_SECURITY_H
#define STROWGER_WIRE_NAS_NAS_SECURITY_H

#include "base/arena.h"
#include "crypto/crypto.h"

/* table 9.3.1 */
enum nas_security_header {
    NAS_PLAIN = 0,
    NAS_INTEGRITY = 1,
    NAS_INTEGRITY_CIPHERED = 2,
    NAS_INTEGRITY_NEW = 3,             /* with new EPS security context: Security Mode Command */
    NAS_INTEGRITY_CIPHERED_NEW = 4,    /* with new EPS security context: Security Mode Complete */
    NAS_INTEGRITY_PARTLY_CIPHERED = 5, /* Control Plane Service Request; not supported */
    NAS_SERVICE_REQUEST_HEADER = 12,   /* 13 to 15 are to be taken as 12 */
};

#define NAS_COUNT_LIMIT          (1u << 24) /* a context ends before a NAS COUNT gets here */
#define NAS_SECURITY_HEADER_SIZE 6

/* 76 octets. Wipe with crypto_wipe() when it ends. */
struct nas_security_context {
    uint8_t kasme[32];
    uint8_t k_nas_enc[16];
    uint8_t k_nas_int[16];
    uint32_t ul_count; /* NAS COUNT the next uplink message will have, or at least have */
    uint32_t dl_count;
    uint8_t ksi; /* with NAS_KSI_MAPPED; NAS_KSI_NO_KEY when there is no context */
    uint8_t eea; /* enum eps_algorithm */
    uint8_t eia;
};

/* A new context: derives the two NAS keys from KASME, both counts are zero. -ENOTSUP for algorithms
 * we do not have. */
int nas_security_start(struct nas_security_context *c, const uint8_t kasme[32], uint8_t ksi,
                       unsigned eea, unsigned eia);

/* The outside of a NAS message, for those who must choose a context (or have none). */
struct nas_header {
    uint8_t protocol; /* 7 EMM, 2 ESM */
    uint8_t security; /* enum nas_security_header */
    uint8_t sequence_number;
    uint8_t ksi;        /* Service Request only */
    uint32_t mac;       /* the short MAC of a Service Request */
    struct bytes inner; /* the message within: perhaps ciphered; the whole PDU when it is plain or a
                           Service Request */
};

/* -EBADMSG when it is too short to be a NAS message of its kind, or of no kind. */
int nas_header_read(struct bytes pdu, struct nas_header *header);

/* Protects a plain message to be sent in `direction` and writes it; takes the direction's next NAS
 * COUNT. -EOVERFLOW when the COUNT is used up (authenticate anew), -EINVAL for a header that
 * protects nothing, -ENOSPC when it does not fit. After an error the COUNT is not taken, and what
 * the writer holds is no message. */
int nas_protect(struct nas_security_context *c, enum eps_direction direction,
                enum nas_security_header header, struct bytes plain, struct writer *w);

/* The same for a message yet to be encoded, in the direction it names; encodes into the writer and
 * protects it there. -ENOSPC also when the message cannot be encoded. */
struct nas_message;
int nas_encode_protected(struct nas_security_context *c, enum nas_security_header header,
                         const struct nas_message *message, struct writer *w);

/* Phone: a Service Request with its short MAC; takes an uplink NAS COUNT, which `*count` tells
 * (KeNB is derived with it). Errors as nas_protect(). */
int nas_protect_service_request(struct nas_security_context *c, struct writer *w, uint32_t *count);

struct nas_opened {
    struct bytes plain; /* the message: in the PDU, or deciphered in the arena */
    /* its NAS COUNT: KeNB is derived from the one of Service Request, TAU Request ... */
    uint32_t count;
    uint8_t security; /* enum nas_security_header */
};

/* Checks and deciphers a message received from `direction`. On success its NAS COUNT and all before
 * it are spent. -EACCES when the MAC does not fit (also for a replay), -EBADMSG when malformed or
 * not protected, -ENOTSUP for a partly ciphered one, -ENOMEM. After an error the context is as
 * before. A message whose security header says "not ciphered" is a view into the PDU.
 *
 * With EIA0 (only emergency calls without a SIM) the MAC must be zero and there is no replay
 * protection. */
int nas_unprotect(struct nas_security_context *c, enum eps_direction direction, struct bytes pdu,
                  struct arena *arena, struct nas_opened *opened);

#endif
