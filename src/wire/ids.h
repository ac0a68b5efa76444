/*
 * ids.h -- the names by which a mobile network knows things (TS 23.003), as every protocol uses
 * them.
 *
 * PLMN, tracking area, GUTI and IMSI travel in S1AP, NAS, GTPv2-C and Diameter alike; here are
 * their C structs and the octet forms that the protocols share. No state: any thread.
 */
#ifndef STROWGER_WIRE_IDS_H
#define STROWGER_WIRE_IDS_H

#include "base/config.h"
#include "base/cursor.h"
#include "base/text.h"

#define IMSI_SIZE   16  /* up to 15 digits and the terminator (TS 23.003 clause 2.2) */
#define IMEI_SIZE   17  /* IMEISV: 16 digits and the terminator (clause 6.2) */
#define MSISDN_SIZE 16  /* up to 15 digits (clause 3.3) */
#define APN_SIZE    101 /* up to 100 octets in label form (clause 9.1), printed with dots */

/* TS 23.003 clause 2.2: 001/01 and 001/001 are different networks, hence the count of digits. */
struct plmn {
    uint16_t mcc;       /* 0..999 */
    uint16_t mnc;       /* 0..999 */
    uint8_t mnc_digits; /* 2 or 3 */
};

/* Tracking area identity (clause 19.4.2.3). */
struct tai {
    struct plmn plmn;
    uint16_t tac;
};

/* E-UTRAN cell global identity (clause 19.6): 20 bits eNodeB, 8 bits cell. */
struct ecgi {
    struct plmn plmn;
    uint32_t cell_id; /* 28 bits */
};

/* Globally unique MME identifier and temporary identity (clause 2.8). */
struct gummei {
    struct plmn plmn;
    uint16_t mme_group_id;
    uint8_t mme_code;
};

struct guti {
    struct gummei gummei;
    uint32_t m_tmsi;
};

static inline bool plmn_equal(const struct plmn *a, const struct plmn *b)
{
    return a->mcc == b->mcc && a->mnc == b->mnc && a->mnc_digits == b->mnc_digits;
}

static inline bool tai_equal(const struct tai *a, const struct tai *b)
{
    return a->tac == b->tac && plmn_equal(&a->plmn, &b->plmn);
}

static inline bool gummei_equal(const struct gummei *a, const struct gummei *b)
{
    return a->mme_group_id == b->mme_group_id && a->mme_code == b->mme_code &&
           plmn_equal(&a->plmn, &b->plmn);
}

/* The three octets of TS 24.008 clause 10.5.1.3. A digit above 9 makes the reader bad, but the
 * octets are taken. */
struct plmn rd_plmn(struct reader *r);
void wr_plmn(struct writer *w, const struct plmn *plmn);

/* "00101" or "001010" style digits (5 or 6), or "001-01". 0 or -EINVAL. */
int plmn_parse(const char *digits, struct plmn *plmn);
void text_plmn(struct text *t, const struct plmn *plmn);

/* Telephony BCD (TS 29.274 clause 8.3 and others): two digits an octet, low nibble first, 0xf
 * fills. Reads all that is left into `digits` (of `size`, terminated). Bad when it is not digits or
 * too long. */
void rd_tbcd(struct reader *r, char *digits, size_t size);
void wr_tbcd(struct writer *w, const char *digits);

/* True for 6 to 15 digits, which every IMSI is. */
bool imsi_is_valid(const char *imsi);

/* An IMSI as a key for struct map: its value as a number; 15 digits fit. The number of digits is
 * mixed in, as leading zeros count. */
uint64_t imsi_key(const char *imsi);

/* The PLMN an IMSI begins with when its MNC has `mnc_digits` digits. */
struct plmn imsi_plmn(const char *imsi, uint8_t mnc_digits);

/* An access point name in label form (TS 23.003 clause 9.1: length, characters ...) as text with
 * dots. Bad when a label runs past the end, is empty, or holds what no APN may. */
void rd_apn(struct reader *r, char *apn, size_t size);
void wr_apn(struct writer *w, const char *apn);

/* How they are written in a configuration: "00101" into a struct plmn; digits into a
 * char[IMSI_SIZE]. */
extern const struct config_type config_plmn;
extern const struct config_type config_imsi;

#endif
