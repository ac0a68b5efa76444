/*
 * values.c -- the S1AP values that have a C form of their own (types.h): identities in telephony
 * digits, IP addresses, bit strings of variable length.
 *
 * Where PER can carry more than the specification's text gives a meaning to (a PLMN with the digit
 * 13, an address of 5 bits), the value is "not understood": the IE is handled by its criticality
 * (clause 10.3.1).
 */
#include <arpa/inet.h>

#include "wire/s1ap/types.h"

/* ---- PLMN identity (clause 9.2.3.8): OCTET STRING (SIZE (3)) ---- */

static void plmn_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    struct reader octets = reader_of_bytes(aper_read_octets(&d->in, 3, 3, false));

    (void)type;
    *(struct plmn *)value = rd_plmn(&octets);
    if (octets.bad)
        d->not_understood = true;
}

static void plmn_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    const struct plmn *plmn = value;
    bool valid = plmn->mcc <= 999 && ((plmn->mnc_digits == 2 && plmn->mnc <= 99) ||
                                      (plmn->mnc_digits == 3 && plmn->mnc <= 999));

    (void)type;
    if (!valid) {
        aper_refuse(out);
        return;
    }
    aper_write_align(out);
    wr_plmn(out->w, plmn);
}

static void plmn_print(struct text *t, const struct aper_type *type, const void *value)
{
    (void)type;
    text_plmn(t, value);
}

const struct aper_ops s1ap_plmn_ops = {"PLMN", plmn_decode, plmn_encode, plmn_print};

/* ---- IMSI (clause 9.2.3.11): OCTET STRING (SIZE (3..8)) ---- */

static void imsi_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    struct bytes b = aper_read_octets(&d->in, type->lower, type->upper, false);
    struct reader octets = reader_of_bytes(b);

    if (d->in.r.bad)
        return;
    rd_tbcd(&octets, value, IMSI_SIZE);
    if (octets.bad || !imsi_is_valid(value))
        d->not_understood = true;
}

static void imsi_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));

    if (!imsi_is_valid(value)) {
        aper_refuse(out);
        return;
    }
    wr_tbcd(&w, value);
    aper_write_octets(out, wr_view(&w), type->lower, type->upper, false);
}

static void imsi_print(struct text *t, const struct aper_type *type, const void *value)
{
    (void)type;
    text_add(t, "%s", (const char *)value);
}

const struct aper_ops s1ap_imsi_ops = {"IMSI", imsi_decode, imsi_encode, imsi_print};

/* ---- transport layer address (clause 9.2.2.1): BIT STRING (SIZE (1..160, ...)) ---- */

static bool is_address(size_t octets)
{
    return octets == 4 || octets == 16 || octets == 20;
}

static void address_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    size_t bits;
    struct bytes b = aper_read_bit_string(&d->in, type->lower, type->upper, true, &bits);

    if (bits % 8 == 0 && is_address(b.len))
        *(struct bytes *)value = b;
    else
        d->not_understood = true;
}

static void address_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    const struct bytes *b = value;

    if (is_address(b->len))
        aper_write_bit_string(out, b->at, b->len * 8, type->lower, type->upper, true);
    else
        aper_refuse(out);
}

static void address_print(struct text *t, const struct aper_type *type, const void *value)
{
    const struct bytes *b = value;
    char text[INET6_ADDRSTRLEN];

    (void)type;
    if (b->len == 4 || b->len == 20)
        text_add(t, "%s", inet_ntop(AF_INET, b->at, text, sizeof(text)));
    if (b->len == 20)
        text_add(t, "+");
    if (b->len == 16 || b->len == 20)
        text_add(t, "%s", inet_ntop(AF_INET6, b->at + b->len - 16, text, sizeof(text)));
}

const struct aper_ops s1ap_address_ops = {"address", address_decode, address_encode, address_print};

/* ---- gNB id: BIT STRING (SIZE (22..32)), extensible in En-gNB-ID ---- */

static void gnb_id_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    struct s1ap_gnb_id *gnb = value;
    size_t bits;
    struct bytes b =
        aper_read_bit_string(&d->in, type->lower, type->upper, type->extensible, &bits);
    struct aper_reader first = aper_reader_of(b, NULL);

    if (d->in.r.bad)
        return;
    if (bits < type->lower || bits > type->upper) {
        d->not_understood = true;
        return;
    }
    gnb->bits = (uint8_t)bits;
    gnb->id = (uint32_t)aper_read_bits(&first, (unsigned)bits);
}

static void gnb_id_encode(struct aper_writer *out, const struct aper_type *type, const void *value)
{
    const struct s1ap_gnb_id *gnb = value;
    uint8_t octets[4] = {0};
    struct writer w = writer_of(octets, sizeof(octets));
    struct aper_writer bits = aper_writer_of(&w);

    if (gnb->bits < type->lower || gnb->bits > type->upper ||
        (gnb->bits < 32 && gnb->id >> gnb->bits != 0)) {
        aper_refuse(out);
        return;
    }
    aper_write_bits(&bits, gnb->id, gnb->bits);
    aper_write_bit_string(out, octets, gnb->bits, type->lower, type->upper, type->extensible);
}

static void gnb_id_print(struct text *t, const struct aper_type *type, const void *value)
{
    const struct s1ap_gnb_id *gnb = value;

    (void)type;
    text_add(t, "0x%x/%u", gnb->id, gnb->bits);
}

const struct aper_ops s1ap_gnb_id_ops = {"gNB id", gnb_id_decode, gnb_id_encode, gnb_id_print};

/* ---- long bit strings ---- */

static void bit_string_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    struct s1ap_bit_string *string = value;
    size_t bits;

    string->at = aper_read_bit_string(&d->in, type->lower, type->upper, false, &bits).at;
    string->bits = (uint32_t)bits;
}

static void bit_string_encode(struct aper_writer *out, const struct aper_type *type,
                              const void *value)
{
    const struct s1ap_bit_string *string = value;

    aper_write_bit_string(out, string->at, string->bits, type->lower, type->upper, false);
}

static void bit_string_print(struct text *t, const struct aper_type *type, const void *value)
{
    (void)type;
    text_add(t, "[%u bits]", ((const struct s1ap_bit_string *)value)->bits);
}

const struct aper_ops s1ap_bit_string_ops = {"bit string", bit_string_decode, bit_string_encode,
                                             bit_string_print};

/* ---- a mandatory OCTET STRING where the C struct has a pointer ---- */

static void octets_pointer_decode(struct aper_decoder *d, const struct aper_type *type, void *value)
{
    struct bytes *b = arena_alloc(d->in.arena, sizeof(*b));

    if (!b) {
        d->in.no_memory = true;
        rd_fail(&d->in.r);
        return;
    }
    *b = aper_read_octets(&d->in, type->lower, type->upper, false);
    *(struct bytes **)value = b;
}

static void octets_pointer_encode(struct aper_writer *out, const struct aper_type *type,
                                  const void *value)
{
    const struct bytes *b = *(struct bytes *const *)value;

    if (b)
        aper_write_octets(out, *b, type->lower, type->upper, false);
    else
        aper_refuse(out);
}

static void octets_pointer_print(struct text *t, const struct aper_type *type, const void *value)
{
    const struct bytes *b = *(struct bytes *const *)value;

    if (b)
        aper_octet_string.print(t, type, b);
}

const struct aper_ops s1ap_octets_pointer_ops = {"OCTET STRING", octets_pointer_decode,
                                                 octets_pointer_encode, octets_pointer_print};
