/*
 * record.h -- a subscriber as the operator writes it: fields with names, the same in a CSV file's
 * header line, on the command line and in the control socket's JSON.
 *
 * Each field is one row of a table with what is expected of it and a function that reads its text,
 * so every way in says the same about a wrong value. Secrets go in and never come out.
 */
#ifndef STROWGER_HSS_RECORD_H
#define STROWGER_HSS_RECORD_H

#include <jansson.h>
#include <netinet/in.h>

#include "base/text.h"
#include "wire/diameter/diameter.h"

#define HSS_MAX_APNS      16
#define HSS_PDN_TYPES     3 /* as S6A_PDN_...: ipv4, ipv6, ipv4v6 */
#define HSS_DEFAULT_AMF   0x8000
#define HSS_IDENTITY_SIZE 256

/* An access point the subscriber may use; what becomes an APN-Configuration. */
struct hss_apn {
    char name[APN_SIZE]; /* "*": any */
    uint8_t pdn_type;    /* enum s6a_pdn_type */
    uint8_t qci;
    uint8_t arp_priority; /* 1..15 */
    bool may_pre_empt, may_be_pre_empted;
    bool has_ipv4, has_ipv6;
    struct in_addr ipv4;       /* static addresses */
    struct in6_addr ipv6;      /* the prefix's first address */
    uint64_t ambr_ul, ambr_dl; /* bit/s */
};

/* All that is kept about a subscriber. The first APN is the default one. */
struct hss_subscriber {
    char imsi[IMSI_SIZE];
    uint8_t k[16], opc[16];
    uint16_t amf;
    uint64_t sqn;     /* 48 bits: the last one that is known to have been used */
    uint32_t sqn_run; /* the run of the HSS in which that was written, see cache.h */
    bool sqn_given;   /* of a record to be written: sqn is meant, and not only the default */
    char msisdn[MSISDN_SIZE];
    bool barred;
    uint32_t access_restriction; /* Access-Restriction-Data */
    uint32_t rfsp;               /* RAT-Frequency-Selection-Priority-ID; 0: none */
    uint32_t rau_tau_timer_s;    /* Subscribed-Periodic-RAU-TAU-Timer; 0: the MME's own */
    uint64_t ambr_ul, ambr_dl;   /* of the UE, bit/s */

    /* Where it is: an MME by its number in the store, 0 for none. */
    uint32_t mme;
    bool purged;

    size_t apn_count;
    struct hss_apn apns[HSS_MAX_APNS];
};

/* What a new subscriber has where its record tells nothing. */
struct hss_profile {
    const char *apns; /* as in the field `apns` */
    uint64_t ambr_ul, ambr_dl;
};

extern const struct hss_profile hss_profile_default;

/* A record being put together. */
struct hss_draft {
    struct hss_subscriber subscriber;
    uint8_t op[16];
    bool has_k, has_op, has_opc, has_amf, has_apns, has_ambr_ul, has_ambr_dl;
};

struct hss_field {
    const char *name;
    const char *expected;
    bool secret;
    /* Reads the text into the draft; false: it is not what is expected, and `why` may say more. */
    bool (*set)(struct hss_draft *draft, const char *text, struct text *why);
};

extern const struct hss_field hss_fields[];
extern const size_t hss_field_count;

/* The field's row, or NULL. */
const struct hss_field *hss_field_find(const char *name);

/* Sets one field; false, with the reason in `why` ("k: 31 characters, expected 32 hexadecimal
 * digits"). An empty text leaves the field as it is. Secrets are not quoted. */
bool hss_draft_set(struct hss_draft *draft, const struct hss_field *field, const char *text,
                   struct text *why);

/* All fields are set: fills in the profile and OPc, and checks what needs several fields. */
bool hss_draft_finish(struct hss_draft *draft, const struct hss_profile *profile, struct text *why);

/* A JSON object of field names and texts to a complete record. */
bool hss_record_from_json(const json_t *object, const struct hss_profile *profile,
                          struct hss_subscriber *subscriber, struct text *why);

/* The record without secrets, for people and programs. `mme_host` may be NULL. */
json_t *hss_record_to_json(const struct hss_subscriber *subscriber, const char *mme_host);

/* The APNs as the field `apns` has them. */
void hss_print_apns(struct text *t, const struct hss_subscriber *subscriber);

#endif
