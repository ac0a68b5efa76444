/*
 * nas_identity.c -- who and where: mobile identities (TS 24.301 clause 9.9.3.12, TS 24.008
 * clause 10.5.1.4), tracking area lists (clause 9.9.3.33), location areas and PLMN lists.
 *
 * Digits of an identity lie two to an octet; the first shares its octet with the type and a bit
 * that says whether their number is odd. That bit, the filler and the number of digits must fit
 * together, or the identity is refused: a phone's identity is a key into the subscriber tables, and
 * there is no reason to guess.
 */
#include "wire/nas/nas_table.h"

#define ODD 8 /* in the first octet */
#define FILLER                                                                                   \
    0xf0 /* upper half of the last octet when the number is even; of the first when there are no \
            digits */

/* Types of identity on the wire; what 2, 3 and 6 mean depends on the element. */
enum coded_identity { CODED_NONE, CODED_IMSI, CODED_IMEI, CODED_IMEISV, CODED_TMSI, CODED_TMGI };
enum coded_eps_identity { CODED_EPS_IMEI = 3, CODED_EPS_GUTI = 6 };

static void put_digit(struct reader *r, char *digits, size_t size, size_t *n, unsigned digit)
{
    if (digit > 9 || *n + 1 >= size) {
        rd_fail(r);
        return;
    }
    digits[(*n)++] = (char)('0' + digit);
}

/* The digits that begin in the upper half of `first`. */
static void rd_digits(struct reader *r, uint8_t first, char *digits, size_t size, size_t least)
{
    bool odd = first & ODD;
    size_t n = 0;

    put_digit(r, digits, size, &n, first >> 4);
    while (rd_left(r) > 0) {
        uint8_t octet = rd_u8(r);
        put_digit(r, digits, size, &n, octet & 15);
        if (rd_left(r) > 0 || odd)
            put_digit(r, digits, size, &n, octet >> 4);
        else if ((octet & FILLER) != FILLER)
            rd_fail(r);
    }
    digits[n] = '\0';
    if (n < least || (n % 2 == 1) != odd)
        rd_fail(r);
}

static void wr_digits(struct writer *w, uint8_t type, const char *digits, size_t least, size_t most)
{
    size_t n = strspn(digits, "0123456789");

    if (digits[n] != '\0' || n < least || n > most) {
        wr_fail(w);
        return;
    }
    wr_u8(w, (uint8_t)((digits[0] - '0') << 4 | (n % 2 ? ODD : 0) | type));
    for (size_t i = 1; i < n; i += 2) {
        uint8_t high = i + 1 < n ? (uint8_t)((digits[i + 1] - '0') << 4) : FILLER;
        wr_u8(w, high | (uint8_t)(digits[i] - '0'));
    }
}

#define IMSI_LEAST    6
#define IMSI_MOST     15
#define IMEI_DIGITS   15
#define IMEISV_DIGITS 16

static void rd_guti(struct reader *r, struct guti *guti)
{
    guti->gummei.plmn = rd_plmn(r);
    guti->gummei.mme_group_id = rd_u16(r);
    guti->gummei.mme_code = rd_u8(r);
    guti->m_tmsi = rd_u32(r);
}

static void wr_guti(struct writer *w, const struct guti *guti)
{
    wr_plmn(w, &guti->gummei.plmn);
    wr_u16(w, guti->gummei.mme_group_id);
    wr_u8(w, guti->gummei.mme_code);
    wr_u32(w, guti->m_tmsi);
}

static void eps_identity_decode(const struct wire_type *type, struct reader *r, void *value,
                                struct wire_context *context)
{
    struct nas_identity *identity = value;
    uint8_t first = rd_u8(r);

    (void)type;
    (void)context;
    switch (first & 7) {
    case CODED_IMSI:
        identity->kind = NAS_IDENTITY_IMSI;
        rd_digits(r, first, identity->imsi, sizeof(identity->imsi), IMSI_LEAST);
        break;
    case CODED_EPS_IMEI:
        identity->kind = NAS_IDENTITY_IMEI;
        rd_digits(r, first, identity->imei, IMEI_DIGITS + 1, IMEI_DIGITS);
        break;
    case CODED_EPS_GUTI:
        identity->kind = NAS_IDENTITY_GUTI;
        rd_guti(r, &identity->guti);
        break;
    default:
        rd_fail(r);
    }
}

static void eps_identity_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_identity *identity = value;

    (void)type;
    switch (identity->kind) {
    case NAS_IDENTITY_IMSI:
        wr_digits(w, CODED_IMSI, identity->imsi, IMSI_LEAST, IMSI_MOST);
        break;
    case NAS_IDENTITY_IMEI:
        wr_digits(w, CODED_EPS_IMEI, identity->imei, IMEI_DIGITS, IMEI_DIGITS);
        break;
    case NAS_IDENTITY_GUTI:
        wr_u8(w, FILLER | CODED_EPS_GUTI);
        wr_guti(w, &identity->guti);
        break;
    default:
        wr_fail(w);
    }
}

static void identity_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_identity *identity = value;

    (void)type;
    switch (identity->kind) {
    case NAS_IDENTITY_IMSI:
        text_add(t, "imsi:%s", identity->imsi);
        break;
    case NAS_IDENTITY_IMEI:
        text_add(t, "imei:%s", identity->imei);
        break;
    case NAS_IDENTITY_IMEISV:
        text_add(t, "imeisv:%s", identity->imei);
        break;
    case NAS_IDENTITY_TMSI:
        text_add(t, "tmsi:%08x", identity->tmsi);
        break;
    case NAS_IDENTITY_GUTI:
        text_add(t, "guti:");
        text_plmn(t, &identity->guti.gummei.plmn);
        text_add(t, "-%04x-%02x-%08x", identity->guti.gummei.mme_group_id,
                 identity->guti.gummei.mme_code, identity->guti.m_tmsi);
        break;
    default:
        text_add(t, identity->kind == NAS_IDENTITY_TMGI ? "tmgi:" : "none:");
        text_hex(t, identity->octets);
    }
}

const struct wire_type nas_eps_identity = {.name = "EPS mobile identity",
                                           .size = sizeof(struct nas_identity),
                                           .decode = eps_identity_decode,
                                           .encode = eps_identity_encode,
                                           .print = identity_print};

static void identity_decode(const struct wire_type *type, struct reader *r, void *value,
                            struct wire_context *context)
{
    struct nas_identity *identity = value;
    struct reader whole = *r;
    uint8_t first = rd_u8(r);

    (void)type;
    (void)context;
    switch (first & 7) {
    case CODED_IMSI:
        identity->kind = NAS_IDENTITY_IMSI;
        rd_digits(r, first, identity->imsi, sizeof(identity->imsi), IMSI_LEAST);
        break;
    case CODED_IMEI:
        identity->kind = NAS_IDENTITY_IMEI;
        rd_digits(r, first, identity->imei, IMEI_DIGITS + 1, IMEI_DIGITS);
        break;
    case CODED_IMEISV:
        identity->kind = NAS_IDENTITY_IMEISV;
        rd_digits(r, first, identity->imei, IMEISV_DIGITS + 1, IMEISV_DIGITS);
        break;
    case CODED_TMSI:
        identity->kind = NAS_IDENTITY_TMSI;
        identity->tmsi = rd_u32(r);
        break;
    case CODED_TMGI:
    case CODED_NONE:
        identity->kind = first & 7 ? NAS_IDENTITY_TMGI : NAS_IDENTITY_NONE;
        identity->octets = rd_rest(&whole);
        break;
    default:
        rd_fail(r);
    }
}

static void identity_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_identity *identity = value;

    (void)type;
    switch (identity->kind) {
    case NAS_IDENTITY_IMSI:
        wr_digits(w, CODED_IMSI, identity->imsi, IMSI_LEAST, IMSI_MOST);
        break;
    case NAS_IDENTITY_IMEI:
        wr_digits(w, CODED_IMEI, identity->imei, IMEI_DIGITS, IMEI_DIGITS);
        break;
    case NAS_IDENTITY_IMEISV:
        wr_digits(w, CODED_IMEISV, identity->imei, IMEISV_DIGITS, IMEISV_DIGITS);
        break;
    case NAS_IDENTITY_TMSI:
        wr_u8(w, FILLER | CODED_TMSI);
        wr_u32(w, identity->tmsi);
        break;
    case NAS_IDENTITY_NONE:
        if (identity->octets.len == 0)
            wr_zero(w, 3); /* the length of "no identity" in the EMM identification procedure */
        wr_view_of(w, identity->octets);
        break;
    case NAS_IDENTITY_TMGI:
        wr_view_of(w, identity->octets);
        break;
    default:
        wr_fail(w);
    }
}

const struct wire_type nas_mobile_identity = {.name = "mobile identity",
                                              .size = sizeof(struct nas_identity),
                                              .decode = identity_decode,
                                              .encode = identity_encode,
                                              .print = identity_print};

/* ---- Areas --------------------------------------------------------------- */

static void tai_decode(const struct wire_type *type, struct reader *r, void *value,
                       struct wire_context *context)
{
    struct tai *tai = value;

    (void)type;
    (void)context;
    tai->plmn = rd_plmn(r);
    tai->tac = rd_u16(r);
}

static void tai_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct tai *tai = value;

    (void)type;
    wr_plmn(w, &tai->plmn);
    wr_u16(w, tai->tac);
}

static void text_area(struct text *t, const struct plmn *plmn, uint16_t code)
{
    text_plmn(t, plmn);
    text_add(t, "-%04x", code);
}

static void tai_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct tai *tai = value;

    (void)type;
    text_area(t, &tai->plmn, tai->tac);
}

const struct wire_type nas_tai = {.name = "tracking area identity",
                                  .size = sizeof(struct tai),
                                  .decode = tai_decode,
                                  .encode = tai_encode,
                                  .print = tai_print};

static void lai_decode(const struct wire_type *type, struct reader *r, void *value,
                       struct wire_context *context)
{
    struct nas_lai *lai = value;

    (void)type;
    (void)context;
    lai->plmn = rd_plmn(r);
    lai->lac = rd_u16(r);
}

static void lai_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_lai *lai = value;

    (void)type;
    wr_plmn(w, &lai->plmn);
    wr_u16(w, lai->lac);
}

static void lai_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_lai *lai = value;

    (void)type;
    text_area(t, &lai->plmn, lai->lac);
}

const struct wire_type nas_lai_type = {.name = "location area identification",
                                       .size = sizeof(struct nas_lai),
                                       .decode = lai_decode,
                                       .encode = lai_encode,
                                       .print = lai_print};

/* One partial list: an octet with its kind and how many it has (less one), then what that kind has.
 * Numbers past 16 mean 16; elements past the sixteenth of the whole list are read but not kept
 * (clause 9.9.3.33). */
static void rd_partial_list(struct reader *r, struct nas_tai_list *list)
{
    uint8_t octet = rd_u8(r), kind = octet >> 5 & 3;
    unsigned count = (octet & 31) < NAS_TAI_LIST_MAX ? (octet & 31) + 1u : NAS_TAI_LIST_MAX;
    struct tai tai = {0};

    if (kind > NAS_TAIS_OF_SEVERAL_PLMNS)
        rd_fail(r);
    for (unsigned i = 0; i < count && !r->bad; i++) {
        if (i == 0 || kind == NAS_TAIS_OF_SEVERAL_PLMNS)
            tai.plmn = rd_plmn(r);
        if (i > 0 && kind == NAS_TAIS_CONSECUTIVE)
            tai.tac++;
        else
            tai.tac = rd_u16(r);
        if (list->count < NAS_TAI_LIST_MAX)
            list->at[list->count++] =
                (struct nas_tai_list_element){.tai = tai, .list = kind, .starts = i == 0};
    }
}

static void tai_list_decode(const struct wire_type *type, struct reader *r, void *value,
                            struct wire_context *context)
{
    struct nas_tai_list *list = value;

    (void)type;
    (void)context;
    do {
        rd_partial_list(r, list);
    } while (rd_left(r) > 0);
}

/* True when `next` can be in the same partial list as the element before it. */
static bool continues(const struct nas_tai_list_element *before,
                      const struct nas_tai_list_element *next)
{
    if (next->starts || next->list != before->list)
        return false;
    if (next->list == NAS_TAIS_OF_SEVERAL_PLMNS)
        return true;
    return plmn_equal(&before->tai.plmn, &next->tai.plmn) &&
           (next->list == NAS_TAIS_OF_ONE_PLMN || next->tai.tac == (uint16_t)(before->tai.tac + 1));
}

static void wr_partial_list(struct writer *w, const struct nas_tai_list_element *at, unsigned count)
{
    wr_u8(w, (uint8_t)(at->list << 5 | (count - 1)));
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && at->list == NAS_TAIS_CONSECUTIVE)
            break;
        if (i == 0 || at->list == NAS_TAIS_OF_SEVERAL_PLMNS)
            wr_plmn(w, &at[i].tai.plmn);
        wr_u16(w, at[i].tai.tac);
    }
}

static void tai_list_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_tai_list *list = value;

    (void)type;
    if (list->count == 0 || list->count > NAS_TAI_LIST_MAX)
        wr_fail(w);
    for (unsigned i = 0, n; i < list->count && !w->bad; i += n) {
        if (list->at[i].list > NAS_TAIS_OF_SEVERAL_PLMNS)
            wr_fail(w);
        for (n = 1; i + n < list->count && continues(&list->at[i + n - 1], &list->at[i + n]);)
            n++;
        wr_partial_list(w, &list->at[i], n);
    }
}

static void tai_list_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_tai_list *list = value;

    (void)type;
    for (unsigned i = 0; i < list->count; i++) {
        text_add(t, "%s", i > 0 ? "," : "");
        text_area(t, &list->at[i].tai.plmn, list->at[i].tai.tac);
    }
}

const struct wire_type nas_tai_list_type = {.name = "tracking area identity list",
                                            .size = sizeof(struct nas_tai_list),
                                            .decode = tai_list_decode,
                                            .encode = tai_list_encode,
                                            .print = tai_list_print};

static void plmn_list_decode(const struct wire_type *type, struct reader *r, void *value,
                             struct wire_context *context)
{
    struct nas_plmn_list *list = value;

    (void)type;
    (void)context;
    while (rd_left(r) >= 3 && list->count < NAS_PLMN_LIST_MAX)
        list->at[list->count++] = rd_plmn(r);
}

static void plmn_list_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_plmn_list *list = value;

    (void)type;
    if (list->count > NAS_PLMN_LIST_MAX)
        wr_fail(w);
    for (unsigned i = 0; i < list->count && !w->bad; i++)
        wr_plmn(w, &list->at[i]);
}

static void plmn_list_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_plmn_list *list = value;

    (void)type;
    for (unsigned i = 0; i < list->count; i++) {
        text_add(t, "%s", i > 0 ? "," : "");
        text_plmn(t, &list->at[i]);
    }
}

const struct wire_type nas_plmn_list_type = {.name = "PLMN list",
                                             .size = sizeof(struct nas_plmn_list),
                                             .decode = plmn_list_decode,
                                             .encode = plmn_list_encode,
                                             .print = plmn_list_print};
