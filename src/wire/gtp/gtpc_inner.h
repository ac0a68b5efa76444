/*
 * gtpc_inner.h -- what the files of the GTPv2-C codec share: the element format, the value types
 * (gtpc_types.c) and the message tables (gtpc_tables.c). Not for other rooms.
 */
#ifndef STROWGER_WIRE_GTP_GTPC_INNER_H
#define STROWGER_WIRE_GTP_GTPC_INNER_H

#include "wire/gtp/gtpc.h"

/* Type, length, spare and instance, value (clause 8.2.1). */
extern const struct tlv_format gtpc_format;

/* One per kind of value; the C type is in the comment. */
extern const struct wire_type gtpc_imsi;                /* char[IMSI_SIZE] */
extern const struct wire_type gtpc_msisdn;              /* char[MSISDN_SIZE] */
extern const struct wire_type gtpc_mei;                 /* char[IMEI_SIZE] */
extern const struct wire_type gtpc_apn;                 /* char[APN_SIZE] */
extern const struct wire_type gtpc_cause_type;          /* struct gtpc_cause */
extern const struct wire_type gtpc_ambr_type;           /* struct gtpc_ambr */
extern const struct wire_type gtpc_nibble;              /* uint8_t: EBI (the low four bits count) */
extern const struct wire_type gtpc_pdn_type_type;       /* uint8_t: the low three bits */
extern const struct wire_type gtpc_selection_mode_type; /* uint8_t: the low two bits */
extern const struct wire_type gtpc_ip_address_type;     /* struct gtpc_ip_address */
extern const struct wire_type gtpc_indication_type;     /* uint64_t */
extern const struct wire_type gtpc_paa_type;            /* struct gtpc_paa */
extern const struct wire_type gtpc_bearer_qos_type;     /* struct gtpc_bearer_qos */
extern const struct wire_type gtpc_flow_qos_type;       /* struct gtpc_flow_qos */
extern const struct wire_type gtpc_arp_type;            /* struct gtpc_arp */
extern const struct wire_type gtpc_serving_network;     /* struct plmn */
extern const struct wire_type gtpc_uli_type;            /* struct gtpc_uli */
extern const struct wire_type gtpc_f_teid_type;         /* struct gtpc_f_teid */
extern const struct wire_type gtpc_fq_csid_type;        /* struct gtpc_fq_csid */
extern const struct wire_type gtpc_ue_time_zone_type;   /* struct gtpc_ue_time_zone */
extern const struct wire_type gtpc_epc_timer_type;      /* struct gtpc_epc_timer */
extern const struct wire_type gtpc_throttling_type;     /* struct gtpc_throttling */
extern const struct wire_type gtpc_ran_nas_cause_type;  /* struct gtpc_ran_nas_cause */
extern const struct wire_type gtpc_pco_type;            /* struct bytes, printed as containers */

#define UNUSED(x) (void)(x)

/* The shape of the three functions, which many need without all of their arguments. */
#define DECODER(name)                                                             \
    static void name(const struct wire_type *type, struct reader *r, void *value, \
                     struct wire_context *context)
#define ENCODER(name) \
    static void name(const struct wire_type *type, struct writer *w, const void *value)
#define PRINTER(name) \
    static void name(const struct wire_type *type, struct text *t, const void *value)

#define TYPE(c_type, stem)                                                                       \
    {                                                                                            \
        .name = #stem, .size = sizeof(c_type), .decode = decode_##stem, .encode = encode_##stem, \
        .print = print_##stem                                                                    \
    }

#endif
