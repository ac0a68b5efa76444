/*
 * nas_table.h -- NAS messages as tables: what nas_codec.c walks; nas_emm.c and nas_esm.c hold the
 * rows.
 *
 * For this room and its tests. The forms are those of TS 24.007 clause 11.2.1.1: value (V), length
 * and value (LV), tag and value (TV), tag, length and value (TLV), and with two-octet lengths
 * (LV-E, TLV-E). Two half-octet values share an octet, the first of them in bits 1 to 4.
 */
#ifndef STROWGER_WIRE_NAS_NAS_TABLE_H
#define STROWGER_WIRE_NAS_NAS_TABLE_H

#include "wire/nas/nas.h"

enum nas_form {
    NAS_V_LOW,  /* half an octet, bits 1 to 4 */
    NAS_V_HIGH, /* the other half of the octet of the row before */
    NAS_V,
    NAS_LV,
    NAS_LV_E,
    NAS_TV_HALF, /* tag in the upper half of the value's octet */
    NAS_TV,
    NAS_TLV,
    NAS_TLV_E,
};

struct nas_ie {
    const char *name;
    uint8_t iei;       /* 0 for mandatory rows; x0 for NAS_TV_HALF */
    uint8_t form;      /* enum nas_form */
    uint16_t offset;   /* of the value, or of the pointer to it when optional */
    uint16_t size;     /* of the C value; the same as the type's */
    uint16_t min, max; /* octets of value; a longer one is no error (TS 24.007 clause 11.4.2) */
    const struct wire_type *type;
};

struct nas_format {
    const char *name;
    const struct nas_ie *rows; /* mandatory ones first, in the order of the specification */
    uint8_t count;
    uint8_t mandatory;
    uint16_t size; /* of the message struct; 0 when the message has no elements */
};

static inline bool nas_is_optional(const struct nas_ie *row)
{
    return row->form >= NAS_TV_HALF;
}

/* The table of a message, or NULL when there is none of this type in this direction. */
const struct nas_format *nas_format_of(enum nas_message_type type, enum eps_direction direction);
const struct nas_format *nas_emm_format(unsigned type, enum eps_direction direction);
const struct nas_format *nas_esm_format(unsigned type);

/* Rows, for the tables: the message struct, the element, its type, its length. */
#define MANDATORY(form, message, field, type, min, max)                                         \
    {                                                                                           \
#field, 0, form, offsetof(struct message, field), sizeof(((struct message *)0)->field), \
            min, max, &type                                                                     \
    }
#define OPTIONAL(form, message, iei, field, type, min, max)                                        \
    {                                                                                              \
#field, iei, form, offsetof(struct message, field), sizeof(*((struct message *)0)->field), \
            min, max, &type                                                                        \
    }
// clang-format off
#define M_LOW(message, field)              MANDATORY(NAS_V_LOW, message, field, wire_u8, 1, 1)
#define M_HIGH(message, field)             MANDATORY(NAS_V_HIGH, message, field, wire_u8, 1, 1)
#define M_V(message, field, type, n)       MANDATORY(NAS_V, message, field, type, n, n)
#define M_LV(message, field, type, a, b)   MANDATORY(NAS_LV, message, field, type, a, b)
#define M_LV_E(message, field, type, a, b) MANDATORY(NAS_LV_E, message, field, type, a, b)
#define O_HALF(message, iei, field) \
    OPTIONAL(NAS_TV_HALF, message, iei, field, wire_u8, 1, 1)
#define O_TV(message, iei, field, type, n) OPTIONAL(NAS_TV, message, iei, field, type, n, n)
#define O_TLV(message, iei, field, type, a, b) \
    OPTIONAL(NAS_TLV, message, iei, field, type, a, b)
#define O_TLV_E(message, iei, field, type, a, b) \
    OPTIONAL(NAS_TLV_E, message, iei, field, type, a, b)
// clang-format on

#define FORMAT(name, message, rows, mandatory)                                          \
    {                                                                                   \
        name, rows, sizeof(rows) / sizeof((rows)[0]), mandatory, sizeof(struct message) \
    }
#define FORMAT_EMPTY(name)  \
    {                       \
        name, NULL, 0, 0, 0 \
    }

/* Kinds of values. */
extern const struct wire_type nas_octets16; /* RAND, AUTN: 16 octets in place */
extern const struct wire_type nas_timer;    /* GPRS timer, GPRS timer 2 */
extern const struct wire_type nas_timer3;
extern const struct wire_type nas_emm_cause_type;
extern const struct wire_type nas_esm_cause_type;
extern const struct wire_type nas_eps_identity; /* EPS mobile identity */
extern const struct wire_type nas_mobile_identity;
extern const struct wire_type nas_tai;
extern const struct wire_type nas_tai_list_type;
extern const struct wire_type nas_lai_type;
extern const struct wire_type nas_plmn_list_type;
extern const struct wire_type nas_ue_network_capability_type;
extern const struct wire_type nas_ms_network_capability_type;
extern const struct wire_type nas_ue_security_capability_type;
extern const struct wire_type nas_eps_network_feature_support_type;
extern const struct wire_type nas_bearer_status;
extern const struct wire_type nas_pdn_address_type;
extern const struct wire_type nas_eps_qos_type;
extern const struct wire_type nas_apn_ambr_type;
extern const struct wire_type nas_apn_type;
extern const struct wire_type nas_network_name_type;
extern const struct wire_type nas_time_type;
extern const struct wire_type nas_pco;         /* struct bytes, looked into only to print */
extern const struct wire_type nas_tft_type;    /* struct bytes, likewise */
extern const struct wire_type nas_esm_message; /* struct bytes: an ESM message container */

#endif
