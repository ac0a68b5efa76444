/*
 * gtpc_types.c -- the values that GTPv2-C elements carry (TS 29.274 clause 8): how each is read,
 * written and printed.
 *
 * A value may be longer than this release knows, as later ones append fields: what is left over is
 * ignored. It may not be shorter. Bits marked spare are ignored and sent as 0.
 */
#include "wire/gtp/gtpc_inner.h"
#include "wire/gtp/pco.h"

/* Digits: IMSI, MSISDN, MEI (clauses 8.3, 8.11, 8.10). */
DECODER(decode_digits)
{
    UNUSED(context);
    rd_tbcd(r, value, type->size);
    if (*(const char *)value == '\0')
        rd_fail(r);
}

ENCODER(encode_digits)
{
    UNUSED(type);
    wr_tbcd(w, value);
}

PRINTER(print_string)
{
    UNUSED(type);
    text_add(t, "%s", (const char *)value);
}

#define DIGITS(size_of)                                                                        \
    {                                                                                          \
        .name = "digits", .size = (size_of), .decode = decode_digits, .encode = encode_digits, \
        .print = print_string                                                                  \
    }

const struct wire_type gtpc_imsi = DIGITS(IMSI_SIZE);
const struct wire_type gtpc_msisdn = DIGITS(MSISDN_SIZE);
const struct wire_type gtpc_mei = DIGITS(IMEI_SIZE);

/* Clause 8.6. */
DECODER(decode_apn)
{
    UNUSED(context);
    rd_apn(r, value, type->size);
    if (*(const char *)value == '\0')
        rd_fail(r);
}

ENCODER(encode_apn)
{
    UNUSED(type);
    wr_apn(w, value);
}

const struct wire_type gtpc_apn = {.name = "apn",
                                   .size = APN_SIZE,
                                   .decode = decode_apn,
                                   .encode = encode_apn,
                                   .print = print_string};

/* Clause 8.4: two octets, or six with the offending element's type, a length of 0 and its instance.
 */
enum { CAUSE_CS = 0x01, CAUSE_BCE = 0x02, CAUSE_PCE = 0x04 };

DECODER(decode_cause)
{
    struct gtpc_cause *cause = value;
    uint8_t flags;

    UNUSED(type);
    UNUSED(context);
    cause->value = rd_u8(r);
    flags = rd_u8(r);
    cause->is_remote = flags & CAUSE_CS;
    cause->bearer_context_error = flags & CAUSE_BCE;
    cause->pdn_connection_error = flags & CAUSE_PCE;
    if (rd_left(r) < 4)
        return;
    cause->has_offending = true;
    cause->offending_type = rd_u8(r);
    rd_u16(r);
    cause->offending_instance = rd_u8(r) & 15;
}

ENCODER(encode_cause)
{
    const struct gtpc_cause *cause = value;

    UNUSED(type);
    wr_u8(w, cause->value);
    wr_u8(w, (uint8_t)((cause->is_remote ? CAUSE_CS : 0) |
                       (cause->bearer_context_error ? CAUSE_BCE : 0) |
                       (cause->pdn_connection_error ? CAUSE_PCE : 0)));
    if (!cause->has_offending)
        return;
    wr_u8(w, cause->offending_type);
    wr_u16(w, 0);
    wr_u8(w, cause->offending_instance & 15);
}

PRINTER(print_cause)
{
    const struct gtpc_cause *cause = value;
    const char *name = gtpc_cause_name(cause->value);

    UNUSED(type);
    text_add(t, "%u", cause->value);
    if (name)
        text_add(t, "(%s)", name);
    if (cause->is_remote)
        text_add(t, ",remote");
    if (cause->has_offending)
        text_add(t, ",offending=%u/%u", cause->offending_type, cause->offending_instance);
}

const struct wire_type gtpc_cause_type = TYPE(struct gtpc_cause, cause);

/* Clause 8.7. */
DECODER(decode_ambr)
{
    struct gtpc_ambr *ambr = value;

    UNUSED(type);
    UNUSED(context);
    ambr->uplink_kbps = rd_u32(r);
    ambr->downlink_kbps = rd_u32(r);
}

ENCODER(encode_ambr)
{
    const struct gtpc_ambr *ambr = value;

    UNUSED(type);
    wr_u32(w, ambr->uplink_kbps);
    wr_u32(w, ambr->downlink_kbps);
}

PRINTER(print_ambr)
{
    const struct gtpc_ambr *ambr = value;

    UNUSED(type);
    text_add(t, "%u/%ukbps", ambr->uplink_kbps, ambr->downlink_kbps);
}

const struct wire_type gtpc_ambr_type = TYPE(struct gtpc_ambr, ambr);

/* Numbers in the low bits of an octet; how many bits is in `more` (clauses 8.8, 8.34, 8.58). */
DECODER(decode_bits)
{
    UNUSED(context);
    *(uint8_t *)value = rd_u8(r) & *(const uint8_t *)type->more;
}

ENCODER(encode_bits)
{
    wr_u8(w, *(const uint8_t *)value & *(const uint8_t *)type->more);
}

PRINTER(print_bits)
{
    UNUSED(type);
    text_add(t, "%u", *(const uint8_t *)value);
}

#define BITS(mask)                                                               \
    {                                                                            \
        .name = "bits", .size = 1, .decode = decode_bits, .encode = encode_bits, \
        .print = print_bits, .more = &(const uint8_t)                            \
        {                                                                        \
            mask                                                                 \
        }                                                                        \
    }

const struct wire_type gtpc_nibble = BITS(0x0f);
const struct wire_type gtpc_pdn_type_type = BITS(0x07);
const struct wire_type gtpc_selection_mode_type = BITS(0x03);

/* Clause 8.12: as many octets as the sender's release has; the first eight are kept. */
static const struct {
    uint64_t flag;
    const char *name;
} indication_names[] = {
    {GTPC_DAF, "DAF"},
    {GTPC_DTF, "DTF"},
    {GTPC_HI, "HI"},
    {GTPC_DFI, "DFI"},
    {GTPC_OI, "OI"},
    {GTPC_ISRSI, "ISRSI"},
    {GTPC_ISRAI, "ISRAI"},
    {GTPC_SGWCI, "SGWCI"},
    {GTPC_SQCI, "SQCI"},
    {GTPC_UIMSI, "UIMSI"},
    {GTPC_CFSI, "CFSI"},
    {GTPC_CRSI, "CRSI"},
    {GTPC_P, "P"},
    {GTPC_PT, "PT"},
    {GTPC_SI, "SI"},
    {GTPC_MSV, "MSV"},
    {GTPC_RETLOC, "RetLoc"},
    {GTPC_PBIC, "PBIC"},
    {GTPC_SRNI, "SRNI"},
    {GTPC_S6AF, "S6AF"},
    {GTPC_S4AF, "S4AF"},
    {GTPC_MBMDT, "MBMDT"},
    {GTPC_ISRAU, "ISRAU"},
    {GTPC_CCRSI, "CCRSI"},
    {GTPC_CPRAI, "CPRAI"},
    {GTPC_ARRL, "ARRL"},
    {GTPC_PPOF, "PPOF"},
    {GTPC_PPON_PPEI, "PPON"},
    {GTPC_PPSI, "PPSI"},
    {GTPC_CSFBI, "CSFBI"},
    {GTPC_CLII, "CLII"},
    {GTPC_CPSR, "CPSR"},
    {GTPC_NSI, "NSI"},
    {GTPC_UASI, "UASI"},
    {GTPC_DTCI, "DTCI"},
    {GTPC_BDWI, "BDWI"},
    {GTPC_PSCI, "PSCI"},
    {GTPC_PCRI, "PCRI"},
    {GTPC_AOSI, "AOSI"},
    {GTPC_AOPI, "AOPI"},
    {GTPC_ROAAI, "ROAAI"},
    {GTPC_EPCOSI, "EPCOSI"},
    {GTPC_CPOPCI, "CPOPCI"},
    {GTPC_PMTSMI, "PMTSMI"},
    {GTPC_S11TF, "S11TF"},
    {GTPC_PNSI, "PNSI"},
    {GTPC_UNACCSI, "UNACCSI"},
    {GTPC_WPMSI, "WPMSI"},
};

DECODER(decode_indication)
{
    uint64_t flags = rd_u8(r);

    UNUSED(type);
    UNUSED(context);
    for (unsigned shift = 8; shift < 64 && rd_left(r) > 0; shift += 8)
        flags |= (uint64_t)rd_u8(r) << shift;
    *(uint64_t *)value = flags;
}

ENCODER(encode_indication)
{
    uint64_t flags = *(const uint64_t *)value;

    UNUSED(type);
    for (unsigned octet = 0; octet < 2 || flags; octet++) {
        wr_u8(w, (uint8_t)flags);
        flags >>= 8;
    }
}

PRINTER(print_indication)
{
    uint64_t flags = *(const uint64_t *)value;
    const char *between = "";

    UNUSED(type);
    for (size_t i = 0; i < sizeof(indication_names) / sizeof(indication_names[0]); i++) {
        if (!(flags & indication_names[i].flag))
            continue;
        text_add(t, "%s%s", between, indication_names[i].name);
        between = ",";
    }
    if (flags >> 48)
        text_add(t, "%s%#llx", between, (unsigned long long)(flags >> 48));
}

const struct wire_type gtpc_indication_type = TYPE(uint64_t, indication);

/* Clauses 8.86, 8.15, 8.16. */
enum { ARP_PCI = 0x40, ARP_PVI = 0x01 };

DECODER(decode_arp)
{
    struct gtpc_arp *arp = value;
    uint8_t octet = rd_u8(r);

    UNUSED(type);
    UNUSED(context);
    arp->priority_level = octet >> 2 & 15;
    arp->pre_emption_capability_disabled = octet & ARP_PCI;
    arp->pre_emption_vulnerability_disabled = octet & ARP_PVI;
}

ENCODER(encode_arp)
{
    const struct gtpc_arp *arp = value;

    UNUSED(type);
    wr_u8(w, (uint8_t)((arp->pre_emption_capability_disabled ? ARP_PCI : 0) |
                       (arp->priority_level & 15) << 2 |
                       (arp->pre_emption_vulnerability_disabled ? ARP_PVI : 0)));
}

PRINTER(print_arp)
{
    const struct gtpc_arp *arp = value;

    UNUSED(type);
    text_add(t, "%u%s%s", arp->priority_level,
             arp->pre_emption_capability_disabled ? "" : ",may-pre-empt",
             arp->pre_emption_vulnerability_disabled ? "" : ",pre-emptable");
}

const struct wire_type gtpc_arp_type = TYPE(struct gtpc_arp, arp);

#define RATE_SIZE 5

DECODER(decode_flow_qos)
{
    struct gtpc_flow_qos *qos = value;

    UNUSED(type);
    UNUSED(context);
    qos->qci = rd_u8(r);
    qos->mbr_uplink_kbps = rd_uint(r, RATE_SIZE);
    qos->mbr_downlink_kbps = rd_uint(r, RATE_SIZE);
    qos->gbr_uplink_kbps = rd_uint(r, RATE_SIZE);
    qos->gbr_downlink_kbps = rd_uint(r, RATE_SIZE);
}

ENCODER(encode_flow_qos)
{
    const struct gtpc_flow_qos *qos = value;

    UNUSED(type);
    wr_u8(w, qos->qci);
    wr_uint(w, qos->mbr_uplink_kbps, RATE_SIZE);
    wr_uint(w, qos->mbr_downlink_kbps, RATE_SIZE);
    wr_uint(w, qos->gbr_uplink_kbps, RATE_SIZE);
    wr_uint(w, qos->gbr_downlink_kbps, RATE_SIZE);
}

PRINTER(print_flow_qos)
{
    const struct gtpc_flow_qos *qos = value;

    UNUSED(type);
    text_add(t, "qci=%u", qos->qci);
    if (qos->mbr_uplink_kbps || qos->mbr_downlink_kbps)
        text_add(t, ",mbr=%llu/%llukbps", (unsigned long long)qos->mbr_uplink_kbps,
                 (unsigned long long)qos->mbr_downlink_kbps);
    if (qos->gbr_uplink_kbps || qos->gbr_downlink_kbps)
        text_add(t, ",gbr=%llu/%llukbps", (unsigned long long)qos->gbr_uplink_kbps,
                 (unsigned long long)qos->gbr_downlink_kbps);
}

const struct wire_type gtpc_flow_qos_type = TYPE(struct gtpc_flow_qos, flow_qos);

/* An ARP, then as flow QoS. */
DECODER(decode_bearer_qos)
{
    struct gtpc_bearer_qos *qos = value;
    struct gtpc_flow_qos flow;

    decode_arp(type, r, &qos->arp, context);
    decode_flow_qos(type, r, &flow, context);
    qos->qci = flow.qci;
    qos->mbr_uplink_kbps = flow.mbr_uplink_kbps;
    qos->mbr_downlink_kbps = flow.mbr_downlink_kbps;
    qos->gbr_uplink_kbps = flow.gbr_uplink_kbps;
    qos->gbr_downlink_kbps = flow.gbr_downlink_kbps;
}

static struct gtpc_flow_qos flow_of(const struct gtpc_bearer_qos *qos)
{
    return (struct gtpc_flow_qos){qos->qci, qos->mbr_uplink_kbps, qos->mbr_downlink_kbps,
                                  qos->gbr_uplink_kbps, qos->gbr_downlink_kbps};
}

ENCODER(encode_bearer_qos)
{
    const struct gtpc_bearer_qos *qos = value;
    struct gtpc_flow_qos flow = flow_of(qos);

    encode_arp(type, w, &qos->arp);
    encode_flow_qos(type, w, &flow);
}

PRINTER(print_bearer_qos)
{
    const struct gtpc_bearer_qos *qos = value;
    struct gtpc_flow_qos flow = flow_of(qos);

    print_flow_qos(type, t, &flow);
    text_add(t, ",arp=");
    print_arp(type, t, &qos->arp);
}

const struct wire_type gtpc_bearer_qos_type = TYPE(struct gtpc_bearer_qos, bearer_qos);

/* Clause 8.44. */
DECODER(decode_ue_time_zone)
{
    struct gtpc_ue_time_zone *zone = value;

    UNUSED(type);
    UNUSED(context);
    zone->time_zone = rd_u8(r);
    zone->daylight_saving = rd_u8(r) & 3;
}

ENCODER(encode_ue_time_zone)
{
    const struct gtpc_ue_time_zone *zone = value;

    UNUSED(type);
    wr_u8(w, zone->time_zone);
    wr_u8(w, zone->daylight_saving & 3);
}

PRINTER(print_ue_time_zone)
{
    const struct gtpc_ue_time_zone *zone = value;
    unsigned quarters = (zone->time_zone & 7u) * 10 + (zone->time_zone >> 4);

    UNUSED(type);
    text_add(t, "%c%02u:%02u", zone->time_zone & 8 ? '-' : '+', quarters / 4, quarters % 4 * 15);
    if (zone->daylight_saving)
        text_add(t, "+%uh", zone->daylight_saving);
}

const struct wire_type gtpc_ue_time_zone_type = TYPE(struct gtpc_ue_time_zone, ue_time_zone);

/* Clause 8.87. Seconds per unit; the units not listed count as minutes. */
static const uint32_t epc_timer_units[8] = {2, 60, 600, 3600, 36000, 60, 60, UINT32_MAX};

uint32_t gtpc_epc_timer_seconds(struct gtpc_epc_timer timer)
{
    uint32_t unit = epc_timer_units[timer.unit & 7];

    return unit == UINT32_MAX ? UINT32_MAX : unit * (timer.value & 31);
}

struct gtpc_epc_timer gtpc_epc_timer_of(uint32_t seconds)
{
    for (uint8_t unit = 0; unit < 5; unit++) {
        uint64_t value = ((uint64_t)seconds + epc_timer_units[unit] - 1) / epc_timer_units[unit];
        if (value <= 31)
            return (struct gtpc_epc_timer){unit, (uint8_t)value};
    }
    return (struct gtpc_epc_timer){7, 31};
}

DECODER(decode_epc_timer)
{
    struct gtpc_epc_timer *timer = value;
    uint8_t octet = rd_u8(r);

    UNUSED(type);
    UNUSED(context);
    timer->unit = octet >> 5;
    timer->value = octet & 31;
}

ENCODER(encode_epc_timer)
{
    const struct gtpc_epc_timer *timer = value;

    UNUSED(type);
    wr_u8(w, (uint8_t)((timer->unit & 7) << 5 | (timer->value & 31)));
}

PRINTER(print_epc_timer)
{
    uint32_t seconds = gtpc_epc_timer_seconds(*(const struct gtpc_epc_timer *)value);

    UNUSED(type);
    if (seconds == UINT32_MAX)
        text_add(t, "infinite");
    else
        text_add(t, "%us", seconds);
}

const struct wire_type gtpc_epc_timer_type = TYPE(struct gtpc_epc_timer, epc_timer);

/* Clause 8.85. */
DECODER(decode_throttling)
{
    struct gtpc_throttling *throttling = value;

    decode_epc_timer(type, r, &throttling->delay, context);
    throttling->factor = rd_u8(r);
}

ENCODER(encode_throttling)
{
    const struct gtpc_throttling *throttling = value;

    encode_epc_timer(type, w, &throttling->delay);
    wr_u8(w, throttling->factor);
}

PRINTER(print_throttling)
{
    const struct gtpc_throttling *throttling = value;

    text_add(t, "%u%% for ", throttling->factor);
    print_epc_timer(type, t, &throttling->delay);
}

const struct wire_type gtpc_throttling_type = TYPE(struct gtpc_throttling, throttling);

/* Clause 8.103. */
DECODER(decode_ran_nas_cause)
{
    struct gtpc_ran_nas_cause *cause = value;
    uint8_t octet = rd_u8(r);

    UNUSED(type);
    UNUSED(context);
    cause->protocol_type = octet >> 4;
    cause->cause_type = octet & 15;
    cause->cause = rd_rest(r);
}

ENCODER(encode_ran_nas_cause)
{
    const struct gtpc_ran_nas_cause *cause = value;

    UNUSED(type);
    wr_u8(w, (uint8_t)(cause->protocol_type << 4 | (cause->cause_type & 15)));
    wr_view_of(w, cause->cause);
}

PRINTER(print_ran_nas_cause)
{
    const struct gtpc_ran_nas_cause *cause = value;

    UNUSED(type);
    text_add(t, "%u/%u/", cause->protocol_type, cause->cause_type);
    text_hex(t, cause->cause);
}

const struct wire_type gtpc_ran_nas_cause_type = TYPE(struct gtpc_ran_nas_cause, ran_nas_cause);

/* Clause 8.13: octets that only phone and P-GW look into. */
DECODER(decode_pco)
{
    UNUSED(type);
    UNUSED(context);
    *(struct bytes *)value = rd_rest(r);
}

ENCODER(encode_pco)
{
    UNUSED(type);
    wr_view_of(w, *(const struct bytes *)value);
}

PRINTER(print_pco)
{
    UNUSED(type);
    pco_print(t, *(const struct bytes *)value);
}

const struct wire_type gtpc_pco_type = TYPE(struct bytes, pco);
