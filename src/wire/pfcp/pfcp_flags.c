/*
 * pfcp_flags.c -- the two kinds of value that most PFCP elements are (TS 29.244 clause 8.2): an
 * octet whose low bits are a number with names, and a set of flags. One set of functions each, and
 * a row of names per element.
 */
#include "wire/pfcp/pfcp_types.h"

/* A number in one octet. */
struct enumeration {
    uint8_t mask;
    uint8_t count;
    const char *const *names; /* NULL entries have no name */
};

static void enum_decode(const struct wire_type *type, struct reader *r, void *value,
                        struct wire_context *context)
{
    const struct enumeration *e = type->more;

    (void)context;
    *(uint8_t *)value = rd_u8(r) & e->mask;
}

static void enum_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    (void)type;
    wr_u8(w, *(const uint8_t *)value);
}

static void enum_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct enumeration *e = type->more;
    uint8_t v = *(const uint8_t *)value;

    if (v < e->count && e->names[v])
        text_add(t, "%s", e->names[v]);
    else
        text_add(t, "%u", v);
}

#define ENUMERATION(type_name, octet_mask, ...)                                                   \
    static const char *const type_name##_names[] = {__VA_ARGS__};                                 \
    static const struct enumeration type_name##_enumeration = {                                   \
        octet_mask, sizeof(type_name##_names) / sizeof(type_name##_names[0]), type_name##_names}; \
    const struct wire_type type_name = {.name = #type_name,                                       \
                                        .size = sizeof(uint8_t),                                  \
                                        .decode = enum_decode,                                    \
                                        .encode = enum_encode,                                    \
                                        .print = enum_print,                                      \
                                        .more = &type_name##_enumeration}

ENUMERATION(pfcp_interface, 0x0f, "access", "core", "sgi-lan", "cp-function", "li-function");
ENUMERATION(pfcp_outer_header_removal, 0xff, "gtp-u/udp/ipv4", "gtp-u/udp/ipv6", "udp/ipv4",
            "udp/ipv6", "ipv4", "ipv6", "gtp-u/udp/ip");
ENUMERATION(pfcp_pdn_type, 0x07, NULL, "ipv4", "ipv6", "ipv4v6", "non-ip", "ethernet");
ENUMERATION(pfcp_interface_type, 0x3f, "s1-u", "s5/s8-u", "s4-u", "s11-u", "s12", "gn/gp-u",
            "s2a-u", "s2b-u", "enb-dl-forwarding", "enb-ul-forwarding", "sgw-dl-forwarding", "n3",
            "n3-trusted", "n3-untrusted", "n3-forwarding", "n9", "sgi", "n6", "n19", "s8-u",
            "gp-u");
ENUMERATION(pfcp_cause_value, 0xff, [PFCP_CAUSE_REQUEST_ACCEPTED] = "Request accepted",
            [PFCP_CAUSE_REQUEST_REJECTED] = "Request rejected",
            [PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND] = "Session context not found",
            [PFCP_CAUSE_MANDATORY_IE_MISSING] = "Mandatory IE missing",
            [PFCP_CAUSE_CONDITIONAL_IE_MISSING] = "Conditional IE missing",
            [PFCP_CAUSE_INVALID_LENGTH] = "Invalid length",
            [PFCP_CAUSE_MANDATORY_IE_INCORRECT] = "Mandatory IE incorrect",
            [PFCP_CAUSE_INVALID_FORWARDING_POLICY] = "Invalid Forwarding Policy",
            [PFCP_CAUSE_INVALID_F_TEID_ALLOCATION_OPTION] = "Invalid F-TEID allocation option",
            [PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION] = "No established PFCP Association",
            [PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE] = "Rule creation/modification Failure",
            [PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION] = "PFCP entity in congestion",
            [PFCP_CAUSE_NO_RESOURCES_AVAILABLE] = "No resources available",
            [PFCP_CAUSE_SERVICE_NOT_SUPPORTED] = "Service not supported",
            [PFCP_CAUSE_SYSTEM_FAILURE] = "System failure",
            [PFCP_CAUSE_REDIRECTION_REQUESTED] = "Redirection requested");

const char *pfcp_cause_name(uint8_t cause)
{
    const struct enumeration *e = pfcp_cause_value.more;

    return cause < e->count ? e->names[cause] : NULL;
}

/* A set of flags in `least` to sizeof(value) octets; octet 5 is the lowest. `written` octets are
 * sent, more when a higher flag is set. */
struct flag_set {
    uint8_t least;
    uint8_t written;
    uint8_t count;
    const char *const *names;
};

static uint32_t flags_load(const struct wire_type *type, const void *value)
{
    return type->size == 1 ? *(const uint8_t *)value : *(const uint32_t *)value;
}

static void flags_decode(const struct wire_type *type, struct reader *r, void *value,
                         struct wire_context *context)
{
    const struct flag_set *set = type->more;
    uint32_t flags = 0;

    (void)context;
    for (size_t i = 0; i < type->size && (i < set->least || rd_left(r) > 0); i++)
        flags |= (uint32_t)rd_u8(r) << (8 * i);
    if (type->size == 1)
        *(uint8_t *)value = (uint8_t)flags;
    else
        *(uint32_t *)value = flags;
}

static void flags_encode(const struct wire_type *type, struct writer *w, const void *value)
{
    const struct flag_set *set = type->more;
    uint32_t flags = flags_load(type, value);

    for (size_t i = 0; i < type->size && (i < set->written || flags >> (8 * i)); i++)
        wr_u8(w, (uint8_t)(flags >> (8 * i)));
}

static void flags_print(const struct wire_type *type, struct text *t, const void *value)
{
    const struct flag_set *set = type->more;
    uint32_t flags = flags_load(type, value);
    const char *between = "";

    if (flags == 0)
        text_add(t, "none");
    for (unsigned bit = 0; bit < 32; bit++) {
        if (!(flags & UINT32_C(1) << bit))
            continue;
        if (bit < set->count)
            text_add(t, "%s%s", between, set->names[bit]);
        else
            text_add(t, "%sbit%u", between, bit);
        between = "|";
    }
}

#define FLAG_SET(type_name, ctype, least, written, ...)                           \
    static const char *const type_name##_names[] = {__VA_ARGS__};                 \
    static const struct flag_set type_name##_set = {                              \
        least, written, sizeof(type_name##_names) / sizeof(type_name##_names[0]), \
        type_name##_names};                                                       \
    const struct wire_type type_name = {.name = #type_name,                       \
                                        .size = sizeof(ctype),                    \
                                        .decode = flags_decode,                   \
                                        .encode = flags_encode,                   \
                                        .print = flags_print,                     \
                                        .more = &type_name##_set}

FLAG_SET(pfcp_apply_action, uint8_t, 1, 1, "DROP", "FORW", "BUFF", "NOCP", "DUPL");
FLAG_SET(pfcp_report_type, uint8_t, 1, 1, "DLDR", "USAR", "ERIR", "UPIR");
FLAG_SET(pfcp_node_report_type, uint8_t, 1, 1, "UPFR");
FLAG_SET(pfcp_smreq_flags, uint8_t, 1, 1, "DROBU", "SNDEM", "QAURR");
FLAG_SET(pfcp_srrsp_flags, uint8_t, 1, 1, "DROBU");
FLAG_SET(pfcp_measurement_method, uint8_t, 1, 1, "DURAT", "VOLUM", "EVENT");
FLAG_SET(pfcp_reporting_triggers, uint32_t, 2, 2, "PERIO", "VOLTH", "TIMTH", "QUHTI", "START",
         "STOPT", "DROTH", "LIUSA", "VOLQU", "TIMQU", "ENVCL", "MACAR", "EVETH", "EVEQU");
FLAG_SET(pfcp_usage_report_trigger, uint32_t, 2, 3, "PERIO", "VOLTH", "TIMTH", "QUHTI", "START",
         "STOPT", "DROTH", "IMMER", "VOLQU", "TIMQU", "LIUSA", "TERMR", "MONIT", "ENVCL", "MACAR",
         "EVETH", "EVEQU");
FLAG_SET(pfcp_up_function_features, uint32_t, 1, 2, "BUCP", "DDND", "DLBD", "TRST", "FTUP", "PFDM",
         "HEEU", "TREU", "EMPU", "PDIU", "UDBC", "QUOAC", "TRACE", "FRRT", "PFDE", "EPFAR");
FLAG_SET(pfcp_cp_function_features, uint8_t, 1, 1, "LOAD", "OVRL");
FLAG_SET(pfcp_octet_flags, uint8_t, 1, 1, "1", "2", "4", "8", "16", "32", "64", "128");
