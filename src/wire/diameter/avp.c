/*
 * avp.c -- AVP header and data formats of Diameter (RFC 6733 clauses 4.1 to 4.4).
 *
 * An AVP is code (32 bits), flags (8), length (24, header and data without padding), the vendor id
 * when the V bit is set, the data, and padding to a multiple of four octets. Unlike GTP and PFCP,
 * Diameter is strict: a fixed-length format must have exactly its length, an unknown AVP with the M
 * bit fails the request, and so does one too many.
 *
 * "Unknown" means not in the dictionary (avp_dictionary.c). What is known is accepted wherever it
 * stands, and ignored where no table has a use for it.
 */
#include <arpa/inet.h>
#include <ctype.h>

#include "wire/diameter/avp.h"

#define AVP_HEADER_SIZE        8
#define AVP_VENDOR_HEADER_SIZE 12
#define LENGTH_OFFSET          5

static size_t padding_of(size_t len)
{
    return (4 - (len & 3)) & 3;
}

static bool take_avp(struct reader *r, struct tlv *avp)
{
    size_t left = rd_left(r);
    const uint8_t *start = r->at;

    avp->whole = bytes_of(start, left < AVP_HEADER_SIZE ? left : AVP_HEADER_SIZE);
    avp->id = rd_u32(r);
    avp->flags = rd_u8(r);
    size_t len = rd_u24(r);
    size_t header = AVP_HEADER_SIZE;
    if (avp->flags & DIAMETER_AVP_VENDOR) {
        avp->vendor = rd_u32(r);
        header = AVP_VENDOR_HEADER_SIZE;
        if (!r->bad)
            avp->whole.len = header;
    }
    if (r->bad || len < header || len > left)
        return false;
    avp->value = rd_view(r, len - header);
    avp->whole = bytes_of(start, len);
    /* The padding of a message's last AVP is forgotten by some; nothing is lost by accepting that.
     */
    size_t padding = padding_of(len);
    rd_skip(r, padding < rd_left(r) ? padding : rd_left(r));
    return true;
}

static size_t open_avp(struct writer *w, const struct wire_ie *row)
{
    size_t opened = wr_len(w);

    wr_u32(w, row->id);
    wr_u8(w, row->flags);
    wr_u24(w, 0);
    if (row->flags & DIAMETER_AVP_VENDOR)
        wr_u32(w, row->vendor);
    return opened;
}

static void close_avp(struct writer *w, size_t opened)
{
    size_t len = wr_len(w) - opened;

    if (len > 0xffffff)
        wr_fail(w);
    wr_patch_u24(w, opened + LENGTH_OFFSET, (uint32_t)len);
    wr_zero(w, padding_of(len));
}

static bool must_understand(const struct tlv *avp)
{
    return avp->flags & DIAMETER_AVP_MANDATORY && !diameter_avp_name(avp->vendor, avp->id);
}

const struct tlv_format diameter_format = {
    .take = take_avp,
    .open = open_avp,
    .close = close_avp,
    .must_understand = must_understand,
    .counts_are_strict = true,
};

bool diameter_identity_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (tolower(a.at[i]) != tolower(b.at[i]))
            return false;
    }
    return true;
}

/* ---- Data formats ---- */

static const struct diameter_format_facts *facts_of(const struct wire_type *type)
{
    return type->more;
}

static void unsigned32_decode(const struct wire_type *type, struct reader *r, void *value,
                              struct wire_context *context)
{
    (void)type;
    (void)context;
    *(uint32_t *)value = rd_u32(r);
    if (rd_left(r) > 0)
        rd_fail(r);
}

static void unsigned32_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_u32(w, *(const uint32_t *)value);
}

static void unsigned32_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct diameter_value_name *name = facts_of(type)->names;
    uint32_t v = *(const uint32_t *)value;

    while (name && name->name && name->value != v)
        name++;
    if (name && name->name)
        text_add(t, "%s(%u)", name->name, v);
    else
        text_add(t, "%u", v);
}

#define UNSIGNED32(type_name, names_of)                                             \
    {                                                                               \
        .name = (type_name), .size = sizeof(uint32_t), .decode = unsigned32_decode, \
        .encode = unsigned32_encode, .print = unsigned32_print,                     \
        .more = &(const struct diameter_format_facts)                               \
        {                                                                           \
            4, 4, (names_of)                                                        \
        }                                                                           \
    }

const struct wire_type diameter_unsigned32_type = UNSIGNED32("Unsigned32", NULL);

static void octets_decode(const struct wire_type *type, struct reader *r, void *value,
                          struct wire_context *context)
{
    const struct diameter_format_facts *facts = facts_of(type);
    struct bytes *bytes = value;

    (void)context;
    *bytes = rd_rest(r);
    if (bytes->len < facts->min || (facts->max > 0 && bytes->len > facts->max))
        rd_fail(r);
}

static void octets_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_view_of(w, *(const struct bytes *)value);
}

static void octets_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_hex(t, *(const struct bytes *)value);
}

static void utf8_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_escaped(t, *(const struct bytes *)value);
}

static void secret_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    (void)value;
    text_add(t, "(secret)");
}

#define OCTETS(type_name, print_with, at_least, at_most)                            \
    {                                                                               \
        .name = (type_name), .size = sizeof(struct bytes), .decode = octets_decode, \
        .encode = octets_encode, .print = (print_with),                             \
        .more = &(const struct diameter_format_facts)                               \
        {                                                                           \
            (at_least), (at_most), NULL                                             \
        }                                                                           \
    }

const struct wire_type diameter_octets_type = OCTETS("OctetString", octets_print, 0, 0);
const struct wire_type diameter_utf8_type = OCTETS("UTF8String", utf8_print, 0, 0);
const struct wire_type diameter_identity_type = OCTETS("DiameterIdentity", utf8_print, 1, 0);
const struct wire_type diameter_secret_type = OCTETS("secret", secret_print, 4, 16);

/* An array of octets that lies in the struct as it does in the AVP. */
static void array_decode(const struct wire_type *type, struct reader *r, void *value,
                         struct wire_context *context)
{
    (void)context;
    if (rd_left(r) != type->size)
        rd_fail(r);
    rd_bytes(r, value, type->size);
}

static void array_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    wr_bytes(w, value, type->size);
}

#define SECRET(type_name, octets)                                                              \
    {                                                                                          \
        .name = (type_name), .size = (octets), .decode = array_decode, .encode = array_encode, \
        .print = secret_print, .more = &(const struct diameter_format_facts)                   \
        {                                                                                      \
            (octets), (octets), NULL                                                           \
        }                                                                                      \
    }

const struct wire_type diameter_secret16_type = SECRET("secret of 16 octets", 16);
const struct wire_type diameter_secret32_type = SECRET("secret of 32 octets", 32);
const struct wire_type diameter_resync_type =
    SECRET("RAND and AUTS", sizeof(struct s6a_resynchronization_info));

static void address_decode(const struct wire_type *type, struct reader *r, void *value,
                           struct wire_context *context)
{
    struct diameter_address *address = value;

    (void)type;
    (void)context;
    address->family = rd_u16(r);
    if (address->family == DIAMETER_ADDRESS_IPV4)
        rd_bytes(r, &address->ipv4, sizeof(address->ipv4));
    else if (address->family == DIAMETER_ADDRESS_IPV6)
        rd_bytes(r, &address->ipv6, sizeof(address->ipv6));
    else
        rd_skip(r, rd_left(r)); /* a family we cannot use (E.164 ...) is no error */
    if (rd_left(r) > 0)
        rd_fail(r);
}

static void address_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct diameter_address *address = value;

    (void)type;
    wr_u16(w, address->family);
    if (address->family == DIAMETER_ADDRESS_IPV4)
        wr_bytes(w, &address->ipv4, sizeof(address->ipv4));
    else if (address->family == DIAMETER_ADDRESS_IPV6)
        wr_bytes(w, &address->ipv6, sizeof(address->ipv6));
    else
        wr_fail(w);
}

static void address_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct diameter_address *address = value;
    char printed[INET6_ADDRSTRLEN];

    (void)type;
    if (address->family == DIAMETER_ADDRESS_IPV4)
        text_add(t, "%s", inet_ntop(AF_INET, &address->ipv4, printed, sizeof(printed)));
    else if (address->family == DIAMETER_ADDRESS_IPV6)
        text_add(t, "%s", inet_ntop(AF_INET6, &address->ipv6, printed, sizeof(printed)));
    else
        text_add(t, "family %u", address->family);
}

const struct wire_type diameter_address_type = {
    .name = "Address",
    .size = sizeof(struct diameter_address),
    .decode = address_decode,
    .encode = address_encode,
    .print = address_print,
    .more = &(const struct diameter_format_facts){6, 18, NULL},
};

/* ---- What 3GPP puts into texts and octet strings ---- */

static void c_text_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_add(t, "%s", (const char *)value);
}

static void c_text_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_bytes(w, value, strlen(value));
}

/* User-Name on S6a is the IMSI as digits (TS 29.272 clause 7.3.1, TS 23.003 clause 2.2). */
static void imsi_decode(const struct wire_type *type, struct reader *r, void *value,
                        struct wire_context *context)
{
    char *imsi = value;
    size_t len = rd_left(r);

    (void)context;
    if (len >= type->size) {
        rd_fail(r);
        return;
    }
    rd_bytes(r, imsi, len);
    imsi[len] = '\0';
    if (!imsi_is_valid(imsi)) {
        rd_fail(r);
        imsi[0] = '\0';
    }
}

const struct wire_type diameter_imsi_type = {
    .name = "IMSI",
    .size = IMSI_SIZE,
    .decode = imsi_decode,
    .encode = c_text_encode,
    .print = c_text_print,
    .more = &(const struct diameter_format_facts){0, 0, NULL},
};

/* MSISDN (TS 29.329 clause 6.3.2): telephony BCD without a type-of-number octet. */
static void msisdn_decode(const struct wire_type *type, struct reader *r, void *value,
                          struct wire_context *context)
{
    (void)context;
    rd_tbcd(r, value, type->size);
}

static void msisdn_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_tbcd(w, value);
}

const struct wire_type diameter_msisdn_type = {
    .name = "MSISDN",
    .size = MSISDN_SIZE,
    .decode = msisdn_decode,
    .encode = msisdn_encode,
    .print = c_text_print,
    .more = &(const struct diameter_format_facts){0, 0, NULL},
};

/* Service-Selection (clause 7.3.36): the network identifier as text, or "*" for any. */
static void apn_decode(const struct wire_type *type, struct reader *r, void *value,
                       struct wire_context *context)
{
    char *apn = value;
    size_t len = rd_left(r);

    (void)context;
    if (len == 0 || len >= type->size) {
        rd_fail(r);
        return;
    }
    rd_bytes(r, apn, len);
    apn[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)apn[i]) && !strchr("-._*", apn[i])) {
            rd_fail(r);
            apn[0] = '\0';
            return;
        }
    }
}

const struct wire_type diameter_apn_type = {
    .name = "APN",
    .size = APN_SIZE,
    .decode = apn_decode,
    .encode = c_text_encode,
    .print = c_text_print,
    .more = &(const struct diameter_format_facts){0, 0, NULL},
};

static void plmn_decode(const struct wire_type *type, struct reader *r, void *value,
                        struct wire_context *context)
{
    (void)type;
    (void)context;
    *(struct plmn *)value = rd_plmn(r);
    if (rd_left(r) > 0)
        rd_fail(r);
}

static void plmn_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_plmn(w, value);
}

static void plmn_print(const struct wire_type *type, struct text *t, const void *value)
{
    (void)type;
    text_plmn(t, value);
}

const struct wire_type diameter_plmn_type = {
    .name = "PLMN",
    .size = sizeof(struct plmn),
    .decode = plmn_decode,
    .encode = plmn_encode,
    .print = plmn_print,
    .more = &(const struct diameter_format_facts){3, 3, NULL},
};

/* Tracking-Area-Identity (clause 7.3.118): as TS 29.118 clause 9.4.21a has it, PLMN and TAC. */
static void tai_decode(const struct wire_type *type, struct reader *r, void *value,
                       struct wire_context *context)
{
    struct tai *tai = value;

    (void)type;
    (void)context;
    tai->plmn = rd_plmn(r);
    tai->tac = rd_u16(r);
    if (rd_left(r) > 0)
        rd_fail(r);
}

static void tai_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct tai *tai = value;

    (void)type;
    wr_plmn(w, &tai->plmn);
    wr_u16(w, tai->tac);
}

static void tai_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct tai *tai = value;

    (void)type;
    text_plmn(t, &tai->plmn);
    text_add(t, "-%u", tai->tac);
}

const struct wire_type diameter_tai_type = {
    .name = "TAI",
    .size = sizeof(struct tai),
    .decode = tai_decode,
    .encode = tai_encode,
    .print = tai_print,
    .more = &(const struct diameter_format_facts){5, 5, NULL},
};

/* E-UTRAN-Cell-Global-Identity (clause 7.3.117): PLMN and 28 bits. */
static void ecgi_decode(const struct wire_type *type, struct reader *r, void *value,
                        struct wire_context *context)
{
    struct ecgi *ecgi = value;

    (void)type;
    (void)context;
    ecgi->plmn = rd_plmn(r);
    ecgi->cell_id = rd_u32(r) & 0x0fffffff;
    if (rd_left(r) > 0)
        rd_fail(r);
}

static void ecgi_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct ecgi *ecgi = value;

    (void)type;
    wr_plmn(w, &ecgi->plmn);
    wr_u32(w, ecgi->cell_id & 0x0fffffff);
}

static void ecgi_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct ecgi *ecgi = value;

    (void)type;
    text_plmn(t, &ecgi->plmn);
    text_add(t, "-%07x", ecgi->cell_id);
}

const struct wire_type diameter_ecgi_type = {
    .name = "ECGI",
    .size = sizeof(struct ecgi),
    .decode = ecgi_decode,
    .encode = ecgi_encode,
    .print = ecgi_print,
    .more = &(const struct diameter_format_facts){7, 7, NULL},
};

/* ---- Values with names ---- */

static const struct diameter_value_name disconnect_causes[] = {
    {DIAMETER_REBOOTING, "REBOOTING"},
    {DIAMETER_BUSY, "BUSY"},
    {DIAMETER_DO_NOT_WANT_TO_TALK_TO_YOU, "DO_NOT_WANT_TO_TALK_TO_YOU"},
    {0, NULL},
};
static const struct diameter_value_name session_states[] = {
    {DIAMETER_STATE_MAINTAINED, "STATE_MAINTAINED"},
    {DIAMETER_NO_STATE_MAINTAINED, "NO_STATE_MAINTAINED"},
    {0, NULL},
};
static const struct diameter_value_name rat_types[] = {
    {1000, "UTRAN"},
    {1001, "GERAN"},
    {S6A_RAT_EUTRAN, "EUTRAN"},
    {S6A_RAT_EUTRAN_NB_IOT, "EUTRAN-NB-IoT"},
    {0, NULL},
};
static const struct diameter_value_name pdn_types[] = {
    {S6A_PDN_IPV4, "IPv4"},
    {S6A_PDN_IPV6, "IPv6"},
    {S6A_PDN_IPV4V6, "IPv4v6"},
    {S6A_PDN_IPV4_OR_IPV6, "IPv4_OR_IPv6"},
    {0, NULL},
};
static const struct diameter_value_name cancellation_types[] = {
    {S6A_MME_UPDATE_PROCEDURE, "MME_UPDATE_PROCEDURE"},
    {S6A_SGSN_UPDATE_PROCEDURE, "SGSN_UPDATE_PROCEDURE"},
    {S6A_SUBSCRIPTION_WITHDRAWAL, "SUBSCRIPTION_WITHDRAWAL"},
    {S6A_UPDATE_PROCEDURE_IWF, "UPDATE_PROCEDURE_IWF"},
    {S6A_INITIAL_ATTACH_PROCEDURE, "INITIAL_ATTACH_PROCEDURE"},
    {0, NULL},
};
static const struct diameter_value_name subscriber_statuses[] = {
    {S6A_SERVICE_GRANTED, "SERVICE_GRANTED"},
    {S6A_OPERATOR_DETERMINED_BARRING, "OPERATOR_DETERMINED_BARRING"},
    {0, NULL},
};
static const struct diameter_value_name network_access_modes[] = {
    {S6A_PACKET_AND_CIRCUIT, "PACKET_AND_CIRCUIT"},
    {S6A_ONLY_PACKET, "ONLY_PACKET"},
    {0, NULL},
};
static const struct diameter_value_name error_diagnostics[] = {
    {S6A_GPRS_DATA_SUBSCRIBED, "GPRS_DATA_SUBSCRIBED"},
    {S6A_NO_GPRS_DATA_SUBSCRIBED, "NO_GPRS_DATA_SUBSCRIBED"},
    {S6A_ODB_ALL_APN, "ODB_ALL_APN"},
    {S6A_ODB_HPLMN_APN, "ODB_HPLMN_APN"},
    {S6A_ODB_VPLMN_APN, "ODB_VPLMN_APN"},
    {0, NULL},
};
static const struct diameter_value_name user_states[] = {
    {S6A_DETACHED, "DETACHED"},
    {S6A_ATTACHED_NOT_REACHABLE_FOR_PAGING, "ATTACHED_NOT_REACHABLE_FOR_PAGING"},
    {S6A_ATTACHED_REACHABLE_FOR_PAGING, "ATTACHED_REACHABLE_FOR_PAGING"},
    {S6A_CONNECTED_NOT_REACHABLE_FOR_PAGING, "CONNECTED_NOT_REACHABLE_FOR_PAGING"},
    {S6A_CONNECTED_REACHABLE_FOR_PAGING, "CONNECTED_REACHABLE_FOR_PAGING"},
    {0, NULL},
};

const struct wire_type diameter_disconnect_cause_type = UNSIGNED32("Enumerated", disconnect_causes);
const struct wire_type diameter_session_state_type = UNSIGNED32("Enumerated", session_states);
const struct wire_type s6a_enum_rat = UNSIGNED32("Enumerated", rat_types);
const struct wire_type s6a_enum_pdn = UNSIGNED32("Enumerated", pdn_types);
const struct wire_type s6a_enum_cancellation = UNSIGNED32("Enumerated", cancellation_types);
const struct wire_type s6a_enum_subscriber_status = UNSIGNED32("Enumerated", subscriber_statuses);
const struct wire_type s6a_enum_network_access = UNSIGNED32("Enumerated", network_access_modes);
const struct wire_type s6a_enum_error_diagnostic = UNSIGNED32("Enumerated", error_diagnostics);
const struct wire_type s6a_enum_user_state = UNSIGNED32("Enumerated", user_states);

#define RESULT(code) \
    {                \
        code, #code  \
    }

static const struct diameter_value_name results[] = {
    RESULT(DIAMETER_SUCCESS),
    RESULT(DIAMETER_LIMITED_SUCCESS),
    RESULT(DIAMETER_COMMAND_UNSUPPORTED),
    RESULT(DIAMETER_UNABLE_TO_DELIVER),
    RESULT(DIAMETER_REALM_NOT_SERVED),
    RESULT(DIAMETER_TOO_BUSY),
    RESULT(DIAMETER_LOOP_DETECTED),
    RESULT(DIAMETER_REDIRECT_INDICATION),
    RESULT(DIAMETER_APPLICATION_UNSUPPORTED),
    RESULT(DIAMETER_INVALID_HDR_BITS),
    RESULT(DIAMETER_INVALID_AVP_BITS),
    RESULT(DIAMETER_UNKNOWN_PEER),
    RESULT(DIAMETER_AUTHENTICATION_REJECTED),
    RESULT(DIAMETER_OUT_OF_SPACE),
    RESULT(DIAMETER_ELECTION_LOST),
    RESULT(DIAMETER_AVP_UNSUPPORTED),
    RESULT(DIAMETER_UNKNOWN_SESSION_ID),
    RESULT(DIAMETER_AUTHORIZATION_REJECTED),
    RESULT(DIAMETER_INVALID_AVP_VALUE),
    RESULT(DIAMETER_MISSING_AVP),
    RESULT(DIAMETER_RESOURCES_EXCEEDED),
    RESULT(DIAMETER_CONTRADICTING_AVPS),
    RESULT(DIAMETER_AVP_NOT_ALLOWED),
    RESULT(DIAMETER_AVP_OCCURS_TOO_MANY_TIMES),
    RESULT(DIAMETER_NO_COMMON_APPLICATION),
    RESULT(DIAMETER_UNSUPPORTED_VERSION),
    RESULT(DIAMETER_UNABLE_TO_COMPLY),
    RESULT(DIAMETER_INVALID_BIT_IN_HEADER),
    RESULT(DIAMETER_INVALID_AVP_LENGTH),
    RESULT(DIAMETER_INVALID_MESSAGE_LENGTH),
    RESULT(DIAMETER_INVALID_AVP_BIT_COMBO),
    RESULT(DIAMETER_NO_COMMON_SECURITY),
    RESULT(DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE),
    RESULT(DIAMETER_ERROR_CAMEL_SUBSCRIPTION_PRESENT),
    RESULT(DIAMETER_ERROR_USER_UNKNOWN),
    RESULT(DIAMETER_ERROR_ROAMING_NOT_ALLOWED),
    RESULT(DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION),
    RESULT(DIAMETER_ERROR_RAT_NOT_ALLOWED),
    RESULT(DIAMETER_ERROR_EQUIPMENT_UNKNOWN),
    RESULT(DIAMETER_ERROR_UNKNOWN_SERVING_NODE),
    {0, NULL},
};

const struct wire_type diameter_result_code_type = UNSIGNED32("Result-Code", results);

const char *diameter_result_name(uint32_t result)
{
    for (const struct diameter_value_name *name = results; name->name; name++) {
        if (name->value == result)
            return name->name;
    }
    return "?";
}

/* Experimental-Result-Code is printed as if it were 3GPP's; whose it is stands before it, in
 * Vendor-Id. */
static void experimental_print(const struct wire_type *type, struct text *t, const void *value)
{
    uint32_t code = *(const uint32_t *)value;

    (void)type;
    text_add(t, "%s(%u)", diameter_result_name(DIAMETER_3GPP(code % 10000)), code);
}

const struct wire_type diameter_experimental_code_type = {
    .name = "Experimental-Result-Code",
    .size = sizeof(uint32_t),
    .decode = unsigned32_decode,
    .encode = unsigned32_encode,
    .print = experimental_print,
    .more = &(const struct diameter_format_facts){4, 4, NULL},
};
