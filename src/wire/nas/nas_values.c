/*
 * nas_values.c -- the simpler kinds of values: octets, causes, timers, capabilities, PDN address,
 * access point name, network name and time (TS 24.301 clause 9.9, TS 24.008 clause 10.5).
 */
#include <arpa/inet.h>

#include "wire/nas/nas_table.h"

/* A kind of value from its three functions, which are static here. */
#define TYPE(variable, text_name, c_type, prefix)                 \
    const struct wire_type variable = {.name = text_name,         \
                                       .size = sizeof(c_type),    \
                                       .decode = prefix##_decode, \
                                       .encode = prefix##_encode, \
                                       .print = prefix##_print}

/* ---- Octets and numbers -------------------------------------------------- */

static void octets_decode(const struct wire_type *type, struct reader *r, void *value,
                          struct wire_context *context)
{
    (void)context;
    rd_bytes(r, value, type->size);
}

static void octets_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    wr_bytes(w, value, type->size);
}

static void octets_print(const struct wire_type *type, struct text *t, const void *value)
{
    text_hex(t, bytes_of(value, type->size));
}

TYPE(nas_octets16, "octets", uint8_t[16], octets);

/* A message within another: a view; nas_print() looks inside when it can. */
static void view_decode(const struct wire_type *type, struct reader *r, void *value,
                        struct wire_context *context)
{
    (void)type;
    (void)context;
    *(struct bytes *)value = rd_rest(r);
}

static void view_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_view_of(w, *(const struct bytes *)value);
}

static void view_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_hex(t, *(const struct bytes *)value);
}

TYPE(nas_esm_message, "ESM message container", struct bytes, view);

static void pco_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    nas_pco_print(t, *(const struct bytes *)value);
}

static void tft_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    nas_tft_print(t, *(const struct bytes *)value);
}

/* PCO and TFT are passed on as they are: what they hold is checked where it is used. */
const struct wire_type nas_pco = {.name = "protocol configuration options",
                                  .size = sizeof(struct bytes),
                                  .decode = view_decode,
                                  .encode = view_encode,
                                  .print = pco_print};
const struct wire_type nas_tft_type = {.name = "traffic flow template",
                                       .size = sizeof(struct bytes),
                                       .decode = view_decode,
                                       .encode = view_encode,
                                       .print = tft_print};

static void octet_decode(const struct wire_type *type, struct reader *r, void *value,
                         struct wire_context *context)
{
    (void)type;
    (void)context;
    *(uint8_t *)value = rd_u8(r);
}

static void octet_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_u8(w, *(const uint8_t *)value);
}

static void emm_cause_print(const struct wire_type *type, struct text *t, const void *value)
{
    uint8_t cause = *(const uint8_t *)value;

    (void)type;
    text_add(t, "%u(%s)", cause, nas_emm_cause_name(cause));
}

static void esm_cause_print(const struct wire_type *type, struct text *t, const void *value)
{
    uint8_t cause = *(const uint8_t *)value;

    (void)type;
    text_add(t, "%u(%s)", cause, nas_esm_cause_name(cause));
}

static void print_seconds(struct text *t, uint32_t seconds)
{
    if (seconds == NAS_TIMER_DEACTIVATED)
        text_add(t, "deactivated");
    else
        text_add(t, "%us", seconds);
}

static void timer_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    print_seconds(t, nas_gprs_timer_seconds(*(const uint8_t *)value));
}

static void timer3_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    print_seconds(t, nas_gprs_timer3_seconds(*(const uint8_t *)value));
}

#define OCTET_TYPE(variable, text_name, print_function)        \
    const struct wire_type variable = {.name = text_name,      \
                                       .size = 1,              \
                                       .decode = octet_decode, \
                                       .encode = octet_encode, \
                                       .print = print_function}

OCTET_TYPE(nas_emm_cause_type, "EMM cause", emm_cause_print);
OCTET_TYPE(nas_esm_cause_type, "ESM cause", esm_cause_print);
OCTET_TYPE(nas_timer, "GPRS timer", timer_print);
OCTET_TYPE(nas_timer3, "GPRS timer 3", timer3_print);

/* Octet 3 has identities 0 to 7, octet 4 has 8 to 15: the low octet first. */
static void bearer_status_decode(const struct wire_type *type, struct reader *r, void *value,
                                 struct wire_context *context)
{
    uint8_t low = rd_u8(r);

    (void)type;
    (void)context;
    *(uint16_t *)value = (uint16_t)(rd_u8(r) << 8 | low);
}

static void bearer_status_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    uint16_t status = *(const uint16_t *)value;

    (void)type;
    wr_u8(w, (uint8_t)status);
    wr_u8(w, (uint8_t)(status >> 8));
}

static void bearer_status_print(const struct wire_type *type, struct text *t, const void *value)
{
    const char *between = "";

    (void)type;
    for (unsigned ebi = 0; ebi < 16; ebi++) {
        if (*(const uint16_t *)value & NAS_BEARER_BIT(ebi)) {
            text_add(t, "%s%u", between, ebi);
            between = ",";
        }
    }
}

TYPE(nas_bearer_status, "EPS bearer context status", uint16_t, bearer_status);

/* ---- Timers -------------------------------------------------------------- */

/* Seconds of one unit, by the three upper bits; 0 stands for "deactivated". */
static const uint32_t timer_units[8] = {2,  60, 360, 60,
                                        60, 60, 60,  0}; /* unknown units are minutes */
static const uint32_t timer3_units[8] = {600, 3600, 36000, 2, 30, 60, 1152000, 0};

static uint32_t timer_seconds(const uint32_t units[8], uint8_t octet)
{
    uint32_t unit = units[octet >> 5];

    return unit == 0 ? NAS_TIMER_DEACTIVATED : unit * (octet & 31);
}

#define LARGEST_NUMBER 31
#define DEACTIVATED    0xe0

/* The shortest duration that can be said and is not below the one asked for; the finest unit that
 * says it. */
static uint8_t timer_octet(const uint32_t units[8], uint32_t seconds)
{
    uint32_t best = UINT32_MAX, longest = 0;
    uint8_t octet = 0, octet_of_longest = 0;

    if (seconds == NAS_TIMER_DEACTIVATED)
        return DEACTIVATED;
    for (unsigned u = 0; u < 8 && units[u] > 0; u++) {
        uint32_t number = seconds / units[u] + (seconds % units[u] > 0);
        if (units[u] * LARGEST_NUMBER > longest) {
            longest = units[u] * LARGEST_NUMBER;
            octet_of_longest = (uint8_t)(u << 5 | LARGEST_NUMBER);
        }
        if (number <= LARGEST_NUMBER && number * units[u] < best) {
            best = number * units[u];
            octet = (uint8_t)(u << 5 | number);
        }
    }
    return best == UINT32_MAX ? octet_of_longest : octet;
}

uint32_t nas_gprs_timer_seconds(uint8_t octet)
{
    return timer_seconds(timer_units, octet);
}

uint8_t nas_gprs_timer(uint32_t seconds)
{
    return timer_octet(timer_units, seconds);
}

uint32_t nas_gprs_timer3_seconds(uint8_t octet)
{
    return timer_seconds(timer3_units, octet);
}

uint8_t nas_gprs_timer3(uint32_t seconds)
{
    return timer_octet(timer3_units, seconds);
}

/* ---- Capabilities -------------------------------------------------------- */

/* All four structs begin with the number of octets, and the octets follow. */
static void capability_decode(const struct wire_type *type, struct reader *r, void *value,
                              struct wire_context *context)
{
    uint8_t *len = value;
    size_t most = type->size - 1;

    (void)context;
    *len = (uint8_t)(rd_left(r) < most ? rd_left(r) : most);
    rd_bytes(r, len + 1, *len);
}

static void capability_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const uint8_t *len = value;

    if (*len > type->size - 1)
        wr_fail(w);
    else
        wr_bytes(w, len + 1, *len);
}

static void capability_print(const struct wire_type *type, struct text *t, const void *value)
{
    const uint8_t *len = value;

    text_hex(t, bytes_of(len + 1, *len < type->size ? *len : type->size - 1));
}

#define CAPABILITY(variable, text_name, structure)              \
    _Static_assert(offsetof(struct structure, len) == 0 &&      \
                       offsetof(struct structure, octets) == 1, \
                   "the length, then the octets");              \
    TYPE(variable, text_name, struct structure, capability)

CAPABILITY(nas_ue_network_capability_type, "UE network capability", nas_ue_network_capability);
CAPABILITY(nas_ms_network_capability_type, "MS network capability", nas_ms_network_capability);
CAPABILITY(nas_ue_security_capability_type, "UE security capability", nas_ue_security_capability);
CAPABILITY(nas_eps_network_feature_support_type, "EPS network feature support",
           nas_eps_network_feature_support);

/* The GEA bits of an MS network capability: GEA1 leads the first octet, GEA2 to GEA7 lie behind the
 * first bit of the second (TS 24.008 table 10.5.142). */
static uint8_t gea_of(const struct nas_ms_network_capability *ms)
{
    return ms && ms->len >= 2 ? (uint8_t)((ms->octets[0] & 0x80) >> 1 | (ms->octets[1] >> 1 & 0x3f))
                              : 0;
}

/* Clause 9.9.3.36: octets for UTRAN and GERAN algorithms are left out when the UE has none. The bit
 * beside UIA0 is UCS2 support in the one capability and spare in the other. */
struct nas_ue_security_capability
nas_ue_security_capability_of(const struct nas_ue_network_capability *ue,
                              const struct nas_ms_network_capability *ms)
{
    struct nas_ue_security_capability security = {.len = 2,
                                                  .octets = {ue->octets[0], ue->octets[1]}};
    uint8_t gea = gea_of(ms);

    if (ue->len >= 4) {
        security.octets[2] = ue->octets[2];
        security.octets[3] = ue->octets[3] & 0x7f;
    }
    security.octets[4] = gea;
    if (gea)
        security.len = 5;
    else if (security.octets[2] || security.octets[3])
        security.len = 4;
    return security;
}

/* ---- PDN address, access point name -------------------------------------- */

static void pdn_address_decode(const struct wire_type *type, struct reader *r, void *value,
                               struct wire_context *context)
{
    struct nas_pdn_address *address = value;

    (void)type;
    (void)context;
    address->type = rd_u8(r) & 7;
    switch (address->type) {
    case NAS_PDN_IPV4:
        rd_bytes(r, &address->ipv4, 4);
        break;
    case NAS_PDN_IPV6:
        rd_bytes(r, address->interface_id, 8);
        break;
    case NAS_PDN_IPV4V6:
        rd_bytes(r, address->interface_id, 8);
        rd_bytes(r, &address->ipv4, 4);
        break;
    case NAS_PDN_NON_IP: /* followed by four octets without meaning */
        break;
    default:
        rd_fail(r);
    }
}

static void pdn_address_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_pdn_address *address = value;

    (void)type;
    wr_u8(w, address->type);
    switch (address->type) {
    case NAS_PDN_IPV4:
        wr_bytes(w, &address->ipv4, 4);
        break;
    case NAS_PDN_IPV6:
        wr_bytes(w, address->interface_id, 8);
        break;
    case NAS_PDN_IPV4V6:
        wr_bytes(w, address->interface_id, 8);
        wr_bytes(w, &address->ipv4, 4);
        break;
    case NAS_PDN_NON_IP:
        wr_zero(w, 4);
        break;
    default:
        wr_fail(w);
    }
}

static void pdn_address_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_pdn_address *address = value;
    char printed[INET_ADDRSTRLEN];

    (void)type;
    if (address->type & NAS_PDN_IPV4 && address->type != NAS_PDN_NON_IP)
        text_add(t, "%s", inet_ntop(AF_INET, &address->ipv4, printed, sizeof(printed)));
    if (address->type == NAS_PDN_IPV4V6)
        text_add(t, ",");
    if (address->type & NAS_PDN_IPV6) {
        text_add(t, "interface_id:");
        text_hex(t, bytes_of(address->interface_id, 8));
    }
    if (address->type == NAS_PDN_NON_IP)
        text_add(t, "non-ip");
}

TYPE(nas_pdn_address_type, "PDN address", struct nas_pdn_address, pdn_address);

static void apn_decode(const struct wire_type *type, struct reader *r, void *value,
                       struct wire_context *context)
{
    struct nas_apn *apn = value;

    (void)type;
    (void)context;
    rd_apn(r, apn->name, sizeof(apn->name));
}

static void apn_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_apn *apn = value;

    (void)type;
    wr_apn(w, apn->name);
}

static void apn_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_apn *apn = value;

    (void)type;
    text_add(t, "%s", apn->name);
}

TYPE(nas_apn_type, "access point name", struct nas_apn, apn);

/* ---- Network name -------------------------------------------------------- */

#define GSM_ALPHABET 0

/* Septets lie one behind the other from the lowest bit up (TS 23.038 clause 6.1.2.1). Letters,
 * digits and most signs have their ASCII codes there; the few that differ are mapped. */
static uint8_t gsm_of_ascii(char c)
{
    switch (c) {
    case '@':
        return 0x00;
    case '$':
        return 0x02;
    case '_':
        return 0x11;
    default:
        return c >= ' ' && c <= 'z' && !strchr("[\\]^`", c) ? (uint8_t)c : '?';
    }
}

static char ascii_of_gsm(uint8_t septet)
{
    switch (septet) {
    case 0x00:
        return '@';
    case 0x02:
        return '$';
    case 0x11:
        return '_';
    default:
        return septet >= ' ' && septet <= 'z' && !strchr("$@[\\]^_`", septet) ? (char)septet : '?';
    }
}

struct nas_network_name nas_network_name(const char *name, uint8_t *buffer, size_t size)
{
    struct nas_network_name packed = {.coding = GSM_ALPHABET, .text = bytes_of(buffer, 0)};
    size_t bits = 0;

    memset(buffer, 0, size);
    for (; *name && bits + 7 <= size * 8; name++, bits += 7) {
        unsigned shifted = (unsigned)gsm_of_ascii(*name) << bits % 8;
        buffer[bits / 8] |= (uint8_t)shifted;
        if (shifted > 0xff)
            buffer[bits / 8 + 1] |= (uint8_t)(shifted >> 8);
    }
    packed.text.len = (bits + 7) / 8;
    packed.spare_bits = (uint8_t)(packed.text.len * 8 - bits);
    return packed;
}

static void network_name_decode(const struct wire_type *type, struct reader *r, void *value,
                                struct wire_context *context)
{
    struct nas_network_name *name = value;
    uint8_t octet = rd_u8(r);

    (void)type;
    (void)context;
    name->coding = octet >> 4 & 7;
    name->add_initials = octet & 8;
    name->spare_bits = octet & 7;
    name->text = rd_rest(r);
}

static void network_name_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_network_name *name = value;

    (void)type;
    wr_u8(w, (uint8_t)(0x80 | (name->coding & 7) << 4 | (name->add_initials ? 8 : 0) |
                       (name->spare_bits & 7)));
    wr_view_of(w, name->text);
}

static void network_name_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_network_name *name = value;
    size_t bits = name->text.len * 8;

    (void)type;
    text_add(t, "\"");
    if (name->coding != GSM_ALPHABET) { /* UCS2: Latin letters are readable */
        text_escaped(t, name->text);
        bits = 0;
    }
    bits -= name->spare_bits < bits ? name->spare_bits : bits;
    for (size_t at = 0; at + 7 <= bits; at += 7) {
        unsigned pair = name->text.at[at / 8];
        if (at / 8 + 1 < name->text.len)
            pair |= (unsigned)name->text.at[at / 8 + 1] << 8;
        text_add(t, "%c", ascii_of_gsm(pair >> at % 8 & 0x7f));
    }
    text_add(t, "\"");
}

TYPE(nas_network_name_type, "network name", struct nas_network_name, network_name);

/* ---- Time ---------------------------------------------------------------- */

/* Two digits, the first in the lower half (TS 23.040 clause 9.2.3.11). */
static uint8_t rd_semi_octets(struct reader *r)
{
    uint8_t octet = rd_u8(r);

    if ((octet & 15) > 9 || octet >> 4 > 9)
        rd_fail(r);
    return (uint8_t)((octet & 15) * 10 + (octet >> 4));
}

static void wr_semi_octets(struct writer *w, unsigned number, uint8_t sign)
{
    if (number > 99)
        wr_fail(w);
    wr_u8(w, (uint8_t)(number % 10 << 4 | number / 10 | sign));
}

#define WEST 8 /* the sign of a time zone, in its first digit */

static void time_decode(const struct wire_type *type, struct reader *r, void *value,
                        struct wire_context *context)
{
    struct nas_time *time = value;

    (void)type;
    (void)context;
    time->year = rd_semi_octets(r);
    time->month = rd_semi_octets(r);
    time->day = rd_semi_octets(r);
    time->hour = rd_semi_octets(r);
    time->minute = rd_semi_octets(r);
    time->second = rd_semi_octets(r);
    uint8_t zone = rd_u8(r);
    if (zone >> 4 > 9)
        rd_fail(r);
    int8_t quarters = (int8_t)((zone & 7) * 10 + (zone >> 4));
    time->zone_quarters = zone & WEST ? (int8_t)-quarters : quarters;
}

static void time_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct nas_time *time = value;
    int zone = time->zone_quarters;

    (void)type;
    wr_semi_octets(w, time->year, 0);
    wr_semi_octets(w, time->month, 0);
    wr_semi_octets(w, time->day, 0);
    wr_semi_octets(w, time->hour, 0);
    wr_semi_octets(w, time->minute, 0);
    wr_semi_octets(w, time->second, 0);
    if (zone < -79 || zone > 79)
        wr_fail(w);
    wr_semi_octets(w, (unsigned)(zone < 0 ? -zone : zone), zone < 0 ? WEST : 0);
}

static void time_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct nas_time *time = value;
    int zone = time->zone_quarters < 0 ? -time->zone_quarters : time->zone_quarters;

    (void)type;
    text_add(t, "20%02u-%02u-%02uT%02u:%02u:%02uZ,zone:%c%02d:%02d", time->year, time->month,
             time->day, time->hour, time->minute, time->second, time->zone_quarters < 0 ? '-' : '+',
             zone / 4, zone % 4 * 15);
}

TYPE(nas_time_type, "time zone and time", struct nas_time, time);
