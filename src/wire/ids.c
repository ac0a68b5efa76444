/*
 * ids.c -- see ids.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "wire/ids.h"

#define NO_DIGIT 0xf

struct plmn rd_plmn(struct reader *r)
{
    const uint8_t *o = rd_take(r, 3);
    struct plmn plmn = {.mnc_digits = 2};

    if (!o)
        return plmn;
    uint8_t mcc1 = o[0] & 15, mcc2 = o[0] >> 4, mcc3 = o[1] & 15;
    uint8_t mnc1 = o[2] & 15, mnc2 = o[2] >> 4, mnc3 = o[1] >> 4;
    if (mcc1 > 9 || mcc2 > 9 || mcc3 > 9 || mnc1 > 9 || mnc2 > 9 ||
        (mnc3 > 9 && mnc3 != NO_DIGIT)) {
        rd_fail(r);
        return plmn;
    }
    plmn.mcc = (uint16_t)(mcc1 * 100 + mcc2 * 10 + mcc3);
    plmn.mnc = (uint16_t)(mnc1 * 10 + mnc2);
    if (mnc3 != NO_DIGIT) {
        plmn.mnc = (uint16_t)(plmn.mnc * 10 + mnc3);
        plmn.mnc_digits = 3;
    }
    return plmn;
}

void wr_plmn(struct writer *w, const struct plmn *plmn)
{
    unsigned mnc = plmn->mnc_digits == 3 ? plmn->mnc / 10 : plmn->mnc;
    unsigned mnc3 = plmn->mnc_digits == 3 ? plmn->mnc % 10u : NO_DIGIT;

    if (plmn->mcc > 999 || mnc > 99) {
        wr_fail(w);
        return;
    }
    wr_u8(w, (uint8_t)(plmn->mcc / 10 % 10 << 4 | plmn->mcc / 100));
    wr_u8(w, (uint8_t)(mnc3 << 4 | plmn->mcc % 10u));
    wr_u8(w, (uint8_t)(mnc % 10 << 4 | mnc / 10));
}

int plmn_parse(const char *digits, struct plmn *plmn)
{
    char all[7];
    size_t n = 0;

    for (const char *p = digits; *p; p++) {
        if (*p == '-' && p == digits + 3)
            continue;
        if (!isdigit((unsigned char)*p) || n == 6)
            return -EINVAL;
        all[n++] = *p;
    }
    if (n < 5)
        return -EINVAL;
    all[n] = '\0';
    plmn->mnc_digits = (uint8_t)(n - 3);
    plmn->mnc = (uint16_t)strtoul(all + 3, NULL, 10);
    all[3] = '\0';
    plmn->mcc = (uint16_t)strtoul(all, NULL, 10);
    return 0;
}

void text_plmn(struct text *t, const struct plmn *plmn)
{
    text_add(t, "%03u%0*u", plmn->mcc, plmn->mnc_digits, plmn->mnc);
}

void rd_tbcd(struct reader *r, char *digits, size_t size)
{
    size_t n = 0;

    digits[0] = '\0';
    while (rd_left(r) > 0) {
        uint8_t octet = rd_u8(r);
        uint8_t low = octet & 15, high = octet >> 4;
        bool last = rd_left(r) == 0;
        if (low > 9 || (high > 9 && !(high == NO_DIGIT && last)) || n + 2 + (high <= 9) > size) {
            rd_fail(r);
            return;
        }
        digits[n++] = (char)('0' + low);
        if (high <= 9)
            digits[n++] = (char)('0' + high);
        digits[n] = '\0';
    }
}

void wr_tbcd(struct writer *w, const char *digits)
{
    for (const char *p = digits; *p; p += 2) {
        uint8_t low = (uint8_t)(p[0] - '0');
        uint8_t high = p[1] ? (uint8_t)(p[1] - '0') : NO_DIGIT;
        if (low > 9 || (high > 9 && high != NO_DIGIT)) {
            wr_fail(w);
            return;
        }
        wr_u8(w, (uint8_t)(high << 4 | low));
        if (!p[1])
            return;
    }
}

bool imsi_is_valid(const char *imsi)
{
    size_t n = strspn(imsi, "0123456789");

    return imsi[n] == '\0' && n >= 6 && n < IMSI_SIZE;
}

uint64_t imsi_key(const char *imsi)
{
    return strtoull(imsi, NULL, 10) | (uint64_t)strlen(imsi) << 56;
}

struct plmn imsi_plmn(const char *imsi, uint8_t mnc_digits)
{
    char digits[7] = {0};
    struct plmn plmn = {.mnc_digits = mnc_digits};

    memcpy(digits, imsi, strnlen(imsi, 3u + mnc_digits));
    if (plmn_parse(digits, &plmn) < 0)
        return (struct plmn){.mnc_digits = mnc_digits};
    return plmn;
}

static bool is_apn_character(uint8_t c)
{
    return isalnum(c) || c == '-' || c == '_';
}

void rd_apn(struct reader *r, char *apn, size_t size)
{
    size_t n = 0;

    apn[0] = '\0';
    while (rd_left(r) > 0) {
        uint8_t len = rd_u8(r);
        const uint8_t *label = rd_take(r, len);
        if (!label || len == 0 || len > 63 || n + len + 2 > size) {
            rd_fail(r);
            break;
        }
        if (n > 0)
            apn[n++] = '.';
        for (size_t i = 0; i < len; i++) {
            if (!is_apn_character(label[i]))
                rd_fail(r);
            apn[n++] = (char)label[i];
        }
        apn[n] = '\0';
    }
    if (r->bad)
        apn[0] = '\0';
}

void wr_apn(struct writer *w, const char *apn)
{
    while (*apn) {
        size_t len = strcspn(apn, ".");
        if (len == 0 || len > 63) {
            wr_fail(w);
            return;
        }
        wr_u8(w, (uint8_t)len);
        wr_bytes(w, apn, len);
        apn += len + (apn[len] == '.');
    }
}

static bool parse_plmn(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    (void)field;
    (void)why;
    return plmn_parse(text, value) == 0;
}

static bool parse_imsi(const struct config_field *field, const char *text, void *value,
                       struct text *why)
{
    (void)why;
    if (!imsi_is_valid(text) || field->size < IMSI_SIZE)
        return false;
    memcpy(value, text, strlen(text) + 1);
    return true;
}

const struct config_type config_plmn = {"a PLMN (MCC and MNC: \"00101\" or 001-01)", parse_plmn,
                                        false};
const struct config_type config_imsi = {"an IMSI (6 to 15 digits)", parse_imsi, false};
