/*
 * gtpc.c -- GTPv2-C messages: the header (TS 29.274 clause 5), the form of an element
 * (clause 8.2.1), and what the walker of wire/tlv.h does with the tables of gtpc_tables.c.
 *
 * Errors follow clause 7.7: a header that cannot be is dropped by the caller; a body is decoded as
 * far as it goes and the first fault that matters is told, so that a refusal can name the offending
 * element.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "wire/gtp/gtpc_inner.h"

/* First octet: version in bits 8..6, then P (piggybacked), T (TEID), MP (message priority). */
#define VERSION_SHIFT 5
#define VERSION       2
#define FLAG_P        0x10
#define FLAG_T        0x08
#define FLAG_MP       0x04

/* Type and length before what the length counts. */
#define FIXED_SIZE 4

static bool take_element(struct reader *r, struct tlv *element)
{
    const uint8_t *start = r->at;

    element->id = rd_u8(r);
    size_t length = rd_u16(r);
    element->instance = rd_u8(r) & 15;
    element->value = rd_view(r, length);
    if (!r->bad)
        element->whole = bytes_of(start, (size_t)(r->at - start));
    return !r->bad;
}

static size_t open_element(struct writer *w, const struct wire_ie *row)
{
    wr_u8(w, (uint8_t)row->id);
    size_t opened = wr_len(w);
    wr_u16(w, 0);
    wr_u8(w, row->instance);
    return opened;
}

static void close_element(struct writer *w, size_t opened)
{
    size_t length = wr_len(w) - opened - 3;

    if (w->bad)
        return;
    if (length > UINT16_MAX)
        wr_fail(w);
    else
        wr_patch_u16(w, opened, (uint16_t)length);
}

const struct tlv_format gtpc_format = {
    .take = take_element,
    .open = open_element,
    .close = close_element,
    .optional_may_be_broken = true,
};

int gtpc_read_header(struct bytes datagram, struct gtpc_header *header, struct bytes *body,
                     struct bytes *rest)
{
    struct reader r = reader_of_bytes(datagram);
    uint8_t flags = rd_u8(&r);

    *header = (struct gtpc_header){.type = rd_u8(&r)};
    size_t length = rd_u16(&r);
    *body = *rest = bytes_of(NULL, 0);
    if (r.bad)
        return -EBADMSG;
    struct reader message = rd_sub(&r, length);
    header->has_teid = flags & FLAG_T;
    if (header->has_teid)
        header->teid = rd_u32(&message);
    header->sequence = rd_u24(&message);
    uint8_t last = rd_u8(&message);
    header->has_priority = flags & FLAG_MP;
    header->priority = header->has_priority ? last >> 4 : 0;
    if (flags >> VERSION_SHIFT != VERSION)
        return -EPROTONOSUPPORT;
    if (message.bad)
        return -EBADMSG;
    *body = rd_rest(&message);
    if (flags & FLAG_P)
        *rest = rd_rest(&r);
    return 0;
}

const void *gtpc_find_value(const struct gtpc_message *message, uint32_t id, uint8_t instance)
{
    const struct wire_group *group = message->kind->group;

    for (size_t i = 0; group && i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        const uint8_t *field = (const uint8_t *)message->body + row->offset;
        const void *value;
        if (row->id != id || row->instance != instance)
            continue;
        if (row->presence == WIRE_MANDATORY)
            return field;
        memcpy(&value, field, sizeof(value)); /* of a list: its first */
        return value;
    }
    return NULL;
}

int gtpc_decode_body(struct bytes body, struct arena *arena, struct gtpc_message *message)
{
    struct reader r = reader_of_bytes(body);
    struct wire_context context = {.arena = arena};

    message->kind = gtpc_kind(message->header.type);
    if (!message->kind)
        return -EOPNOTSUPP;
    if (!message->kind->group)
        return 0;
    message->body = arena_alloc(arena, message->kind->group->size);
    if (!message->body)
        return -ENOMEM;
    int err = tlv_decode(message->kind->group, &r, message->body, &context);
    message->fault = context.fault;
    message->recovery = err == 0 ? gtpc_find_value(message, GTPC_IE_RECOVERY, 0) : NULL;
    return err == -EBADMSG ? -EINVAL : err;
}

int gtpc_decode(struct bytes datagram, struct arena *arena, struct gtpc_message *message)
{
    struct bytes body;

    *message = (struct gtpc_message){.datagram = datagram};
    int err = gtpc_read_header(datagram, &message->header, &body, &message->piggybacked);
    return err < 0 ? err : gtpc_decode_body(body, arena, message);
}

/* Echo and Version Not Supported are about the path, not about a tunnel (clause 5.5.1). */
static bool has_teid(uint8_t type)
{
    return type > GTPC_VERSION_NOT_SUPPORTED;
}

/* Returns the offset of the length. */
static size_t write_header(struct writer *w, const struct gtpc_header *header)
{
    wr_u8(w, (uint8_t)(VERSION << VERSION_SHIFT | (has_teid(header->type) ? FLAG_T : 0) |
                       (header->has_priority ? FLAG_MP : 0)));
    wr_u8(w, header->type);
    size_t length_at = wr_len(w);
    wr_u16(w, 0);
    if (has_teid(header->type))
        wr_u32(w, header->teid);
    wr_u24(w, header->sequence & 0xffffff);
    wr_u8(w, header->has_priority ? (uint8_t)(header->priority << 4) : 0);
    return length_at;
}

static int close_message(struct writer *w, size_t length_at)
{
    size_t length = wr_len(w) - length_at - 2;

    if (length > UINT16_MAX)
        wr_fail(w);
    wr_patch_u16(w, length_at, (uint16_t)length);
    return w->bad ? -EMSGSIZE : 0;
}

int gtpc_encode(struct writer *w, const struct gtpc_header *header, const void *body)
{
    const struct gtpc_kind *kind = gtpc_kind(header->type);

    if (!kind) {
        wr_fail(w);
        return -EINVAL;
    }
    size_t length_at = write_header(w, header);
    if (kind->group)
        tlv_encode(kind->group, w, body);
    return close_message(w, length_at);
}

int gtpc_encode_refusal(struct writer *w, const struct gtpc_header *header,
                        const struct gtpc_cause *cause)
{
    static const struct wire_ie row = {.id = GTPC_IE_CAUSE};
    size_t length_at = write_header(w, header);
    size_t opened = open_element(w, &row);

    gtpc_cause_type.encode(&gtpc_cause_type, w, cause);
    close_element(w, opened);
    return close_message(w, length_at);
}

void gtpc_encode_version_not_supported(struct writer *w, uint32_t sequence)
{
    struct gtpc_header header = {.type = GTPC_VERSION_NOT_SUPPORTED, .sequence = sequence};

    gtpc_encode(w, &header, NULL);
}

struct gtpc_cause gtpc_cause_of_fault(const struct wire_fault *fault)
{
    static const uint8_t causes[] = {
        [WIRE_FAULT_NONE] = GTPC_CAUSE_REQUEST_REJECTED,
        [WIRE_FAULT_MISSING] = GTPC_CAUSE_MANDATORY_IE_MISSING,
        [WIRE_FAULT_VALUE] = GTPC_CAUSE_MANDATORY_IE_INCORRECT,
        [WIRE_FAULT_LENGTH] = GTPC_CAUSE_INVALID_LENGTH,
        [WIRE_FAULT_UNKNOWN] = GTPC_CAUSE_INVALID_MESSAGE_FORMAT,
        [WIRE_FAULT_TOO_MANY] = GTPC_CAUSE_INVALID_MESSAGE_FORMAT,
        [WIRE_FAULT_NO_MEMORY] = GTPC_CAUSE_NO_MEMORY_AVAILABLE,
    };
    bool about_element = fault->kind == WIRE_FAULT_MISSING || fault->kind == WIRE_FAULT_VALUE ||
                         fault->kind == WIRE_FAULT_LENGTH;

    return (struct gtpc_cause){
        .value = causes[fault->kind],
        .has_offending = about_element,
        .offending_type = (uint8_t)fault->id,
        .offending_instance = fault->instance,
    };
}

/* Clause 8.4, table 8.4-1. */
static const char *const cause_names[256] = {
    [GTPC_CAUSE_LOCAL_DETACH] = "Local Detach",
    [GTPC_CAUSE_COMPLETE_DETACH] = "Complete Detach",
    [GTPC_CAUSE_RAT_CHANGED_TO_NON_3GPP] = "RAT changed from 3GPP to Non-3GPP",
    [GTPC_CAUSE_ISR_DEACTIVATION] = "ISR deactivation",
    [GTPC_CAUSE_ERROR_INDICATION_RECEIVED] = "Error Indication received",
    [GTPC_CAUSE_IMSI_DETACH_ONLY] = "IMSI Detach Only",
    [GTPC_CAUSE_REACTIVATION_REQUESTED] = "Reactivation Requested",
    [GTPC_CAUSE_PDN_RECONNECTION_DISALLOWED] = "PDN reconnection to this APN disallowed",
    [GTPC_CAUSE_ACCESS_CHANGED_TO_3GPP] = "Access changed from Non-3GPP to 3GPP",
    [GTPC_CAUSE_PDN_CONNECTION_INACTIVITY] = "PDN connection inactivity timer expires",
    [GTPC_CAUSE_PGW_NOT_RESPONDING] = "PGW not responding",
    [GTPC_CAUSE_NETWORK_FAILURE] = "Network Failure",
    [GTPC_CAUSE_QOS_PARAMETER_MISMATCH] = "QoS parameter mismatch",
    [GTPC_CAUSE_REQUEST_ACCEPTED] = "Request accepted",
    [GTPC_CAUSE_REQUEST_ACCEPTED_PARTIALLY] = "Request accepted partially",
    [GTPC_CAUSE_NEW_PDN_TYPE_NETWORK_PREFERENCE] = "New PDN type due to network preference",
    [GTPC_CAUSE_NEW_PDN_TYPE_SINGLE_ADDRESS] = "New PDN type due to single address bearer only",
    [GTPC_CAUSE_CONTEXT_NOT_FOUND] = "Context Not Found",
    [GTPC_CAUSE_INVALID_MESSAGE_FORMAT] = "Invalid Message Format",
    [GTPC_CAUSE_VERSION_NOT_SUPPORTED_BY_NEXT_PEER] = "Version not supported by next peer",
    [GTPC_CAUSE_INVALID_LENGTH] = "Invalid length",
    [GTPC_CAUSE_SERVICE_NOT_SUPPORTED] = "Service not supported",
    [GTPC_CAUSE_MANDATORY_IE_INCORRECT] = "Mandatory IE incorrect",
    [GTPC_CAUSE_MANDATORY_IE_MISSING] = "Mandatory IE missing",
    [GTPC_CAUSE_SYSTEM_FAILURE] = "System failure",
    [GTPC_CAUSE_NO_RESOURCES_AVAILABLE] = "No resources available",
    [GTPC_CAUSE_SEMANTIC_ERROR_IN_TFT] = "Semantic error in the TFT operation",
    [GTPC_CAUSE_SYNTACTIC_ERROR_IN_TFT] = "Syntactic error in the TFT operation",
    [GTPC_CAUSE_SEMANTIC_ERRORS_IN_PACKET_FILTERS] = "Semantic errors in packet filter(s)",
    [GTPC_CAUSE_SYNTACTIC_ERRORS_IN_PACKET_FILTERS] = "Syntactic errors in packet filter(s)",
    [GTPC_CAUSE_MISSING_OR_UNKNOWN_APN] = "Missing or unknown APN",
    [GTPC_CAUSE_GRE_KEY_NOT_FOUND] = "GRE key not found",
    [GTPC_CAUSE_RELOCATION_FAILURE] = "Relocation failure",
    [GTPC_CAUSE_DENIED_IN_RAT] = "Denied in RAT",
    [GTPC_CAUSE_PREFERRED_PDN_TYPE_NOT_SUPPORTED] = "Preferred PDN type not supported",
    [GTPC_CAUSE_ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED] = "All dynamic addresses are occupied",
    [GTPC_CAUSE_UE_CONTEXT_WITHOUT_TFT_ALREADY_ACTIVATED] =
        "UE context without TFT already activated",
    [GTPC_CAUSE_PROTOCOL_TYPE_NOT_SUPPORTED] = "Protocol type not supported",
    [GTPC_CAUSE_UE_NOT_RESPONDING] = "UE not responding",
    [GTPC_CAUSE_UE_REFUSES] = "UE refuses",
    [GTPC_CAUSE_SERVICE_DENIED] = "Service denied",
    [GTPC_CAUSE_UNABLE_TO_PAGE_UE] = "Unable to page UE",
    [GTPC_CAUSE_NO_MEMORY_AVAILABLE] = "No memory available",
    [GTPC_CAUSE_USER_AUTHENTICATION_FAILED] = "User authentication failed",
    [GTPC_CAUSE_APN_ACCESS_DENIED_NO_SUBSCRIPTION] = "APN access denied - no subscription",
    [GTPC_CAUSE_REQUEST_REJECTED] = "Request rejected",
    [GTPC_CAUSE_P_TMSI_SIGNATURE_MISMATCH] = "P-TMSI Signature mismatch",
    [GTPC_CAUSE_IMSI_IMEI_NOT_KNOWN] = "IMSI/IMEI not known",
    [GTPC_CAUSE_SEMANTIC_ERROR_IN_TAD] = "Semantic error in the TAD operation",
    [GTPC_CAUSE_SYNTACTIC_ERROR_IN_TAD] = "Syntactic error in the TAD operation",
    [GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING] = "Remote peer not responding",
    [GTPC_CAUSE_COLLISION_WITH_NETWORK_INITIATED_REQUEST] =
        "Collision with network initiated request",
    [GTPC_CAUSE_UNABLE_TO_PAGE_UE_DUE_TO_SUSPENSION] = "Unable to page UE due to Suspension",
    [GTPC_CAUSE_CONDITIONAL_IE_MISSING] = "Conditional IE missing",
    [GTPC_CAUSE_APN_RESTRICTION_TYPE_INCOMPATIBLE] = "APN Restriction type incompatible",
    [GTPC_CAUSE_INVALID_OVERALL_LENGTH] =
        "Invalid overall length of response and piggybacked message",
    [GTPC_CAUSE_DATA_FORWARDING_NOT_SUPPORTED] = "Data forwarding not supported",
    [GTPC_CAUSE_INVALID_REPLY_FROM_REMOTE_PEER] = "Invalid reply from remote peer",
    [GTPC_CAUSE_FALLBACK_TO_GTPV1] = "Fallback to GTPv1",
    [GTPC_CAUSE_INVALID_PEER] = "Invalid peer",
    [GTPC_CAUSE_TEMPORARILY_REJECTED_HANDOVER_IN_PROGRESS] =
        "Temporarily rejected due to handover/TAU/RAU procedure in progress",
    [GTPC_CAUSE_MODIFICATIONS_NOT_LIMITED_TO_S1_U_BEARERS] =
        "Modifications not limited to S1-U bearers",
    [GTPC_CAUSE_PMIPV6_REASON] = "Request rejected for a PMIPv6 reason",
    [GTPC_CAUSE_APN_CONGESTION] = "APN Congestion",
    [GTPC_CAUSE_BEARER_HANDLING_NOT_SUPPORTED] = "Bearer handling not supported",
    [GTPC_CAUSE_UE_ALREADY_RE_ATTACHED] = "UE already re-attached",
    [GTPC_CAUSE_MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED] =
        "Multiple PDN connections for a given APN not allowed",
    [GTPC_CAUSE_TARGET_ACCESS_RESTRICTED] = "Target access restricted for the subscriber",
    [GTPC_CAUSE_REFUSES_DUE_TO_VPLMN_POLICY] = "MME/SGSN refuses due to VPLMN Policy",
    [GTPC_CAUSE_GTP_C_ENTITY_CONGESTION] = "GTP-C Entity Congestion",
    [GTPC_CAUSE_LATE_OVERLAPPING_REQUEST] = "Late Overlapping Request",
    [GTPC_CAUSE_TIMED_OUT_REQUEST] = "Timed out Request",
    [GTPC_CAUSE_UE_NOT_REACHABLE_POWER_SAVING] =
        "UE is temporarily not reachable due to power saving",
    [GTPC_CAUSE_RELOCATION_FAILURE_NAS_REDIRECTION] =
        "Relocation failure due to NAS message redirection",
    [GTPC_CAUSE_UE_NOT_AUTHORISED] = "UE not authorised by OCS or external AAA Server",
    [GTPC_CAUSE_MULTIPLE_ACCESSES_NOT_ALLOWED] =
        "Multiple accesses to a PDN connection not allowed",
    [GTPC_CAUSE_REJECTED_DUE_TO_UE_CAPABILITY] = "Request rejected due to UE capability",
    [GTPC_CAUSE_S1_U_PATH_FAILURE] = "S1-U Path Failure",
};

const char *gtpc_cause_name(uint8_t value)
{
    return cause_names[value];
}

const char *gtpc_message_name(uint8_t type)
{
    const struct gtpc_kind *kind = gtpc_kind(type);

    return kind ? kind->name : NULL;
}

void gtpc_print(struct text *t, const struct gtpc_header *header, const void *body)
{
    const struct gtpc_kind *kind = gtpc_kind(header->type);

    if (!kind) {
        text_add(t, "message %u seq=%u", header->type, header->sequence);
        return;
    }
    text_add(t, "%s", kind->name);
    if (has_teid(header->type))
        text_add(t, " teid=%#x", header->teid);
    text_add(t, " seq=%u", header->sequence);
    if (kind->group && body) {
        text_add(t, " ");
        tlv_print(kind->group, t, body);
    }
}

#define PRINT_ARENA 65536

void gtpc_trace_printer(struct bytes datagram, struct text *t)
{
    struct gtpc_message message;
    struct arena arena;

    arena_init(&arena, PRINT_ARENA);
    int err = gtpc_decode(datagram, &arena, &message);
    if (err == 0 || err == -EINVAL || err == -EOPNOTSUPP)
        gtpc_print(t, &message.header, message.body);
    else
        text_add(t, "not GTPv2-C: %zu octets", datagram.len);
    if (err == -EINVAL)
        text_add(t, " broken: element %u/%u", message.fault.id, message.fault.instance);
    if (message.piggybacked.len > 0)
        text_add(t, " and a piggybacked message of %zu octets", message.piggybacked.len);
    arena_free(&arena);
}

struct gtpc_f_teid gtpc_f_teid_of(uint8_t interface_type, uint32_t teid,
                                  const struct sockaddr *address)
{
    struct gtpc_f_teid f_teid = {.interface_type = interface_type, .teid = teid};

    if (address->sa_family == AF_INET6) {
        f_teid.has_ipv6 = true;
        f_teid.ipv6 = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    } else {
        f_teid.has_ipv4 = true;
        f_teid.ipv4 = ((const struct sockaddr_in *)(const void *)address)->sin_addr;
    }
    return f_teid;
}
