/*
 * nas_security.c -- see nas_security.h. TS 24.301 clauses 4.4.3 to 4.4.5 and 9.5.
 *
 * A NAS COUNT has 24 bits: the sequence number that travels is its low octet (five bits in a
 * Service Request). The receiver takes the smallest COUNT that ends in what it received and is not
 * below the one it expects next, and the MAC tells whether that guess is right. A message that was
 * received before thus always gets a COUNT that it was not made with, and fails: that is the replay
 * protection.
 */
#include <errno.h>

#include "wire/nas/nas.h"

#define SECURITY_SHIFT       4
#define SEQUENCE_BITS        8
#define SHORT_SEQUENCE_BITS  5
#define SERVICE_REQUEST_SIZE 4
#define NAS_BEARER           0 /* clause 4.4.3.1: the bearer identity of NAS */

int nas_security_start(struct nas_security_context *c, const uint8_t kasme[32], uint8_t ksi,
                       unsigned eea, unsigned eia)
{
    struct nas_security_context fresh = {.ksi = ksi, .eea = (uint8_t)eea, .eia = (uint8_t)eia};

    if (eea > EPS_ALGORITHM_ZUC || eia > EPS_ALGORITHM_ZUC)
        return -ENOTSUP;
    memcpy(fresh.kasme, kasme, sizeof(fresh.kasme));
    int err = kdf_algorithm_key(kasme, KDF_NAS_ENC, eea, fresh.k_nas_enc);
    if (!err)
        err = kdf_algorithm_key(kasme, KDF_NAS_INT, eia, fresh.k_nas_int);
    if (!err)
        *c = fresh;
    crypto_wipe(&fresh, sizeof(fresh));
    return err;
}

int nas_header_read(struct bytes pdu, struct nas_header *header)
{
    struct reader r = reader_of_bytes(pdu);
    uint8_t first = rd_u8(&r);

    *header = (struct nas_header){.protocol = first & 15, .inner = pdu};
    if (header->protocol == NAS_PROTOCOL_ESM)
        return pdu.len >= 3 ? 0 : -EBADMSG;
    if (header->protocol != NAS_PROTOCOL_EMM)
        return -EBADMSG;
    header->security = first >> SECURITY_SHIFT;
    if (header->security == NAS_PLAIN)
        return pdu.len >= 2 ? 0 : -EBADMSG;
    if (header->security >= NAS_SERVICE_REQUEST_HEADER) {
        uint8_t octet = rd_u8(&r);
        header->security = NAS_SERVICE_REQUEST_HEADER;
        header->ksi = octet >> SHORT_SEQUENCE_BITS;
        header->sequence_number = octet & ((1 << SHORT_SEQUENCE_BITS) - 1);
        header->mac = rd_u16(&r);
        return r.bad ? -EBADMSG : 0;
    }
    header->mac = rd_u32(&r);
    header->sequence_number = rd_u8(&r);
    header->inner = rd_rest(&r);
    /* The shortest message within has a protocol and a type. */
    return header->security <= NAS_INTEGRITY_PARTLY_CIPHERED && header->inner.len >= 2 ? 0
                                                                                       : -EBADMSG;
}

static uint32_t *next_count(struct nas_security_context *c, enum eps_direction direction)
{
    return direction == EPS_UPLINK ? &c->ul_count : &c->dl_count;
}

static bool is_ciphered(unsigned security)
{
    return security == NAS_INTEGRITY_CIPHERED || security == NAS_INTEGRITY_CIPHERED_NEW;
}

/* The MAC over octets as they travel. */
static int make_mac(const struct nas_security_context *c, enum eps_direction direction,
                    uint32_t count, struct bytes octets, uint8_t mac[4])
{
    struct eps_key_stream stream = {c->k_nas_int, count, NAS_BEARER, direction};

    return eps_eia(c->eia, &stream, octets.at, octets.len * 8, mac);
}

static int cipher(const struct nas_security_context *c, enum eps_direction direction,
                  uint32_t count, struct bytes in, uint8_t *out)
{
    struct eps_key_stream stream = {c->k_nas_enc, count, NAS_BEARER, direction};

    return eps_eea(c->eea, &stream, in.at, out, in.len * 8);
}

/* Finishes a message whose plain text is in place behind the room for the header. */
static int protect_in_place(struct nas_security_context *c, enum eps_direction direction,
                            enum nas_security_header header, uint8_t *octets, size_t plain_len)
{
    uint32_t *count = next_count(c, direction);
    uint8_t *mac = octets + 1, *sequence = octets + 5, *payload = octets + NAS_SECURITY_HEADER_SIZE;
    int err = 0;

    octets[0] = (uint8_t)(header << SECURITY_SHIFT | NAS_PROTOCOL_EMM);
    *sequence = (uint8_t)*count;
    if (is_ciphered(header))
        err = cipher(c, direction, *count, bytes_of(payload, plain_len), payload);
    if (!err)
        err = make_mac(c, direction, *count, bytes_of(sequence, 1 + plain_len), mac);
    if (!err)
        (*count)++;
    return err;
}

static int may_protect(struct nas_security_context *c, enum eps_direction direction,
                       enum nas_security_header header)
{
    if (header < NAS_INTEGRITY || header > NAS_INTEGRITY_CIPHERED_NEW)
        return -EINVAL;
    return *next_count(c, direction) < NAS_COUNT_LIMIT ? 0 : -EOVERFLOW;
}

int nas_protect(struct nas_security_context *c, enum eps_direction direction,
                enum nas_security_header header, struct bytes plain, struct writer *w)
{
    int err = may_protect(c, direction, header);

    if (err)
        return err;
    uint8_t *octets = wr_take(w, NAS_SECURITY_HEADER_SIZE + plain.len);
    if (!octets)
        return -ENOSPC;
    memmove(octets + NAS_SECURITY_HEADER_SIZE, plain.at, plain.len);
    return protect_in_place(c, direction, header, octets, plain.len);
}

int nas_encode_protected(struct nas_security_context *c, enum nas_security_header header,
                         const struct nas_message *message, struct writer *w)
{
    int err = may_protect(c, message->direction, header);

    if (err)
        return err;
    uint8_t *octets = wr_take(w, NAS_SECURITY_HEADER_SIZE);
    size_t start = wr_len(w);
    nas_encode(w, message);
    if (w->bad)
        return -ENOSPC;
    return protect_in_place(c, message->direction, header, octets, wr_len(w) - start);
}

int nas_protect_service_request(struct nas_security_context *c, struct writer *w, uint32_t *count)
{
    uint8_t mac[4];

    if (c->ul_count >= NAS_COUNT_LIMIT)
        return -EOVERFLOW;
    uint8_t *octets = wr_take(w, SERVICE_REQUEST_SIZE);
    if (!octets)
        return -ENOSPC;
    octets[0] = NAS_SERVICE_REQUEST_HEADER << SECURITY_SHIFT | NAS_PROTOCOL_EMM;
    octets[1] = (uint8_t)((c->ksi & 7) << SHORT_SEQUENCE_BITS |
                          (c->ul_count & ((1 << SHORT_SEQUENCE_BITS) - 1)));
    int err = make_mac(c, EPS_UPLINK, c->ul_count, bytes_of(octets, 2), mac);
    if (err)
        return err;
    memcpy(octets + 2, mac + 2, 2); /* the two last octets: clause 9.9.3.28 */
    *count = c->ul_count++;
    return 0;
}

/* The smallest COUNT from `expected` on whose low `bits` bits are `sequence_number`. */
static uint32_t estimate(uint32_t expected, uint8_t sequence_number, unsigned bits)
{
    uint32_t mask = (1u << bits) - 1;
    uint32_t count = (expected & ~mask) | sequence_number;

    return count < expected ? count + mask + 1 : count;
}

/* With EIA0 there is nothing to protect the COUNT: it follows what is received (TS 33.401
 * clause 5.1.4.1). */
static uint32_t count_of(const struct nas_security_context *c, uint32_t expected,
                         const struct nas_header *h)
{
    unsigned bits = h->security == NAS_SERVICE_REQUEST_HEADER ? SHORT_SEQUENCE_BITS : SEQUENCE_BITS;
    uint32_t count = estimate(expected, h->sequence_number, bits);

    if (c->eia == EPS_ALGORITHM_NULL && count >= NAS_COUNT_LIMIT)
        count = h->sequence_number;
    return count;
}

static int check(const struct nas_security_context *c, enum eps_direction direction, uint32_t count,
                 const struct nas_header *h, struct bytes pdu)
{
    bool is_short = h->security == NAS_SERVICE_REQUEST_HEADER;
    struct bytes covered =
        is_short ? bytes_of(pdu.at, 2)
                 : bytes_of(h->inner.at - 1, h->inner.len + 1); /* from the sequence number on */
    const uint8_t *received = is_short ? pdu.at + 2 : pdu.at + 1;
    uint8_t mac[4];

    if (count >= NAS_COUNT_LIMIT)
        return -EACCES;
    int err = make_mac(c, direction, count, covered, mac);
    if (err)
        return err;
    return crypto_equal(is_short ? mac + 2 : mac, received, is_short ? 2 : 4) ? 0 : -EACCES;
}

int nas_unprotect(struct nas_security_context *c, enum eps_direction direction, struct bytes pdu,
                  struct arena *arena, struct nas_opened *opened)
{
    uint32_t *expected = next_count(c, direction);
    struct nas_header h;
    int err = nas_header_read(pdu, &h);

    if (err)
        return err;
    if (h.security == NAS_PLAIN)
        return -EBADMSG;
    if (h.security == NAS_INTEGRITY_PARTLY_CIPHERED)
        return -ENOTSUP;
    uint32_t count = count_of(c, *expected, &h);
    if ((err = check(c, direction, count, &h, pdu)) < 0)
        return err;
    *opened = (struct nas_opened){.plain = h.inner, .count = count, .security = h.security};
    if (is_ciphered(h.security) && c->eea != EPS_ALGORITHM_NULL) {
        uint8_t *plain = arena_alloc(arena, h.inner.len);
        if (!plain)
            return -ENOMEM;
        if ((err = cipher(c, direction, count, h.inner, plain)) < 0)
            return err;
        opened->plain = bytes_of(plain, h.inner.len);
    }
    *expected = count + 1;
    return 0;
}
