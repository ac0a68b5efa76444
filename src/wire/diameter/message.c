/*
 * message.c -- whole Diameter messages: header, finding the table, decoding, errors, scanning (RFC
 * 6733 clauses 3, 6, 7).
 *
 * diameter_scan() looks once over the top-level AVPs and remembers where those lie that every node
 * needs, whatever the command: a message can be routed, matched, refused and traced without its
 * table. diameter_decode() then fills the command's struct, in the function that handles it.
 */
#include <errno.h>

#include "wire/diameter/avp.h"

#define LENGTH_OFFSET 1

/* Application and command are known together: few applications, few commands each. */
static const struct {
    uint32_t application;
    const struct diameter_message_table *table;
} applications[] = {
    {DIAMETER_APPLICATION_BASE, &diameter_base_messages},
    {DIAMETER_APPLICATION_S6A, &s6a_messages},
};
#define APPLICATIONS (sizeof(applications) / sizeof(applications[0]))

const struct diameter_message *diameter_message_find(uint32_t application, uint32_t command,
                                                     bool request)
{
    for (size_t a = 0; a < APPLICATIONS; a++) {
        const struct diameter_message_table *table = applications[a].table;
        if (applications[a].application != application)
            continue;
        for (size_t i = 0; i < table->count; i++) {
            const struct diameter_message *message = table->messages[i];
            if (message->command == command && (message->answer != NULL) == request)
                return message;
        }
    }
    return NULL;
}

bool diameter_application_is_known(uint32_t application)
{
    for (size_t a = 0; a < APPLICATIONS; a++) {
        if (applications[a].application == application)
            return true;
    }
    return false;
}

static const struct wire_type *type_in_group(const struct wire_group *group, uint32_t vendor,
                                             uint32_t code)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        if (row->id == code && row->vendor == vendor)
            return row->type;
        const struct wire_type *inner =
            row->type->group ? type_in_group(row->type->group, vendor, code) : NULL;
        if (inner)
            return inner;
    }
    return NULL;
}

const struct wire_type *diameter_type_of(uint32_t vendor, uint32_t code)
{
    for (size_t a = 0; a < APPLICATIONS; a++) {
        const struct diameter_message_table *table = applications[a].table;
        for (size_t i = 0; i < table->count; i++) {
            const struct wire_type *type = type_in_group(table->messages[i]->group, vendor, code);
            if (type)
                return type;
        }
    }
    return NULL;
}

/* ---- Header ---- */

struct diameter_header diameter_read_header(struct reader *r)
{
    struct diameter_header header;

    header.version = rd_u8(r);
    header.length = rd_u24(r);
    header.flags = rd_u8(r);
    header.command = rd_u24(r);
    header.application = rd_u32(r);
    header.hop_by_hop = rd_u32(r);
    header.end_to_end = rd_u32(r);
    return header;
}

static void write_header(struct writer *w, const struct diameter_header *header)
{
    wr_u8(w, DIAMETER_VERSION);
    wr_u24(w, 0);
    wr_u8(w, header->flags);
    wr_u24(w, header->command);
    wr_u32(w, header->application);
    wr_u32(w, header->hop_by_hop);
    wr_u32(w, header->end_to_end);
}

static void write_length(struct writer *w, size_t start)
{
    size_t len = wr_len(w) - start;

    if (len > 0xffffff)
        wr_fail(w);
    wr_patch_u24(w, start + LENGTH_OFFSET, (uint32_t)len);
}

void diameter_encode(struct writer *w, const struct diameter_message *message,
                     const struct diameter_header *header, const void *value)
{
    struct diameter_header complete = *header;
    size_t start = wr_len(w);

    complete.command = message->command;
    complete.application = message->application;
    complete.flags |= message->flags;
    write_header(w, &complete);
    tlv_encode(message->group, w, value);
    write_length(w, start);
}

/* True for the answers of clause 7.2. The base protocol's own answers keep their form. */
static bool is_error_form(const struct diameter_message *message,
                          const struct diameter_header *header)
{
    return !message->answer && header->flags & DIAMETER_FLAG_ERROR &&
           message->application != DIAMETER_APPLICATION_BASE;
}

int diameter_decode(const struct diameter_message *message, struct bytes whole, void *value,
                    struct wire_context *context)
{
    struct reader r = reader_of_bytes(whole);
    struct diameter_header header = diameter_read_header(&r);

    if (r.bad) {
        memset(value, 0, message->group->size);
        return -EBADMSG;
    }
    context->lenient = !diameter_is_request(&header);
    if (is_error_form(message, &header)) {
        memset(value, 0, message->group->size);
        return tlv_decode(&diameter_error_answer_group, &r, value, context);
    }
    return tlv_decode(message->group, &r, value, context);
}

/* ---- Results ---- */

static uint32_t experimental_number(uint32_t vendor, uint32_t code)
{
    /* A code that does not fit below the next vendor's is not one of the four-digit classes of
     * clause 7.1. */
    return code < 10000 && vendor < UINT32_MAX / 10000 ? vendor * 10000 + code : code;
}

uint32_t diameter_result_of(const struct diameter_answer_head *head)
{
    if (head->experimental_result)
        return experimental_number(head->experimental_result->vendor_id,
                                   head->experimental_result->code);
    return head->result_code ? *head->result_code : DIAMETER_RESULT_ABSENT;
}

void diameter_set_result(struct diameter_answer_head *head, struct diameter_result_place *place,
                         uint32_t result)
{
    head->result_code = NULL;
    head->experimental_result = NULL;
    if (result < 10000) {
        place->code = result;
        head->result_code = &place->code;
        return;
    }
    place->experimental.vendor_id = result / 10000;
    place->experimental.code = result % 10000;
    head->experimental_result = &place->experimental;
}

uint32_t diameter_fault_result(const struct wire_fault *fault)
{
    const struct wire_type *type;
    const struct diameter_format_facts *facts;
    size_t len;

    switch (fault->kind) {
    case WIRE_FAULT_MISSING:
        return DIAMETER_MISSING_AVP;
    case WIRE_FAULT_LENGTH:
        return DIAMETER_INVALID_AVP_LENGTH;
    case WIRE_FAULT_UNKNOWN:
        return DIAMETER_AVP_UNSUPPORTED;
    case WIRE_FAULT_TOO_MANY:
        return DIAMETER_AVP_OCCURS_TOO_MANY_TIMES;
    case WIRE_FAULT_NO_MEMORY:
        return DIAMETER_OUT_OF_SPACE;
    case WIRE_FAULT_VALUE:
        /* Wrong for its format's length, or of the right length and not allowed? */
        type = diameter_type_of(fault->vendor, fault->id);
        facts = type && !type->group ? type->more : NULL;
        len = fault->whole.len - (fault->vendor ? 12 : 8);
        if (facts && (len < facts->min || (facts->max > 0 && len > facts->max)))
            return DIAMETER_INVALID_AVP_LENGTH;
        return DIAMETER_INVALID_AVP_VALUE;
    default:
        return DIAMETER_UNABLE_TO_COMPLY;
    }
}

/* Clause 7.5: an AVP with the offender's header and as many zero octets as its format needs at
 * least. */
static struct bytes example_avp(const struct wire_fault *fault, struct arena *arena)
{
    const struct wire_type *type = diameter_type_of(fault->vendor, fault->id);
    const struct diameter_format_facts *facts = type && !type->group ? type->more : NULL;
    size_t len = (fault->vendor ? 12u : 8u) + (facts ? facts->min : 0u);
    size_t padded = (len + 3) & ~(size_t)3;
    uint8_t *at = arena_alloc(arena, padded);

    if (!at)
        return bytes_of(NULL, 0);
    struct writer w = writer_of(at, padded);
    wr_u32(&w, fault->id);
    wr_u8(&w, DIAMETER_AVP_MANDATORY | (fault->vendor ? DIAMETER_AVP_VENDOR : 0));
    wr_u24(&w, (uint32_t)len);
    if (fault->vendor)
        wr_u32(&w, fault->vendor);
    return bytes_of(at, padded);
}

struct bytes diameter_fault_avp(const struct wire_fault *fault, struct arena *arena)
{
    struct bytes whole = fault->whole;

    if (fault->kind == WIRE_FAULT_NONE || fault->kind == WIRE_FAULT_NO_MEMORY)
        return bytes_of(NULL, 0);
    if (fault->kind == WIRE_FAULT_MISSING || fault->kind == WIRE_FAULT_LENGTH)
        return example_avp(fault, arena);
    uint8_t *at = arena_alloc(arena, (whole.len + 3) & ~(size_t)3);
    if (!at)
        return bytes_of(NULL, 0);
    if (whole.len > 0)
        memcpy(at, whole.at, whole.len);
    return bytes_of(at, (whole.len + 3) & ~(size_t)3);
}

/* ---- Envelope ---- */

enum {
    CODE_USER_NAME = 1,
    CODE_SESSION_ID = 263,
    CODE_ORIGIN_HOST = 264,
    CODE_VENDOR_ID = 266,
    CODE_RESULT_CODE = 268,
    CODE_FAILED_AVP = 279,
    CODE_ERROR_MESSAGE = 281,
    CODE_ROUTE_RECORD = 282,
    CODE_DESTINATION_REALM = 283,
    CODE_PROXY_INFO = 284,
    CODE_DESTINATION_HOST = 293,
    CODE_ORIGIN_REALM = 296,
    CODE_EXPERIMENTAL_RESULT = 297,
    CODE_EXPERIMENTAL_RESULT_CODE = 298,
};

static uint32_t scan_experimental(struct bytes group)
{
    struct reader r = reader_of_bytes(group);
    uint32_t vendor = 0, code = 0;

    while (rd_left(&r) > 0) {
        struct tlv avp = {0};
        if (!diameter_format.take(&r, &avp))
            break;
        struct reader value = reader_of_bytes(avp.value);
        if (avp.vendor == 0 && avp.id == CODE_VENDOR_ID)
            vendor = rd_u32(&value);
        else if (avp.vendor == 0 && avp.id == CODE_EXPERIMENTAL_RESULT_CODE)
            code = rd_u32(&value);
    }
    return experimental_number(vendor, code);
}

static void note_avp(struct diameter_envelope *envelope, const struct tlv *avp)
{
    struct reader value = reader_of_bytes(avp->value);

    switch (avp->id) {
    case CODE_SESSION_ID:
        envelope->session_id = avp->value;
        break;
    case CODE_USER_NAME:
        envelope->user_name = avp->value;
        break;
    case CODE_ORIGIN_HOST:
        envelope->origin_host = avp->value;
        break;
    case CODE_ORIGIN_REALM:
        envelope->origin_realm = avp->value;
        break;
    case CODE_DESTINATION_HOST:
        envelope->destination_host = avp->value;
        break;
    case CODE_DESTINATION_REALM:
        envelope->destination_realm = avp->value;
        break;
    case CODE_RESULT_CODE:
        envelope->result = rd_u32(&value);
        break;
    case CODE_EXPERIMENTAL_RESULT:
        envelope->result = scan_experimental(avp->value);
        break;
    case CODE_ROUTE_RECORD:
        envelope->has_route_record = true;
        break;
    case CODE_PROXY_INFO:
        envelope->has_proxy_info = true;
        break;
    default:
        break;
    }
}

int diameter_scan(struct bytes whole, struct diameter_envelope *envelope)
{
    struct reader r = reader_of_bytes(whole);

    *envelope = (struct diameter_envelope){.header = diameter_read_header(&r)};
    if (r.bad)
        return -EBADMSG;
    envelope->avps = bytes_of(r.at, rd_left(&r));
    while (rd_left(&r) > 0) {
        struct tlv avp = {0};
        if (!diameter_format.take(&r, &avp)) {
            envelope->broken = true;
            break;
        }
        if (avp.vendor == 0)
            note_avp(envelope, &avp);
    }
    return 0;
}

bool diameter_has_passed(const struct diameter_envelope *envelope, struct bytes identity)
{
    struct reader r = reader_of_bytes(envelope->avps);

    while (envelope->has_route_record && rd_left(&r) > 0) {
        struct tlv avp = {0};
        if (!diameter_format.take(&r, &avp))
            break;
        if (avp.vendor == 0 && avp.id == CODE_ROUTE_RECORD &&
            diameter_identity_equal(avp.value, identity))
            return true;
    }
    return false;
}

/* ---- Refusals ---- */

static void write_avp(struct writer *w, uint32_t code, uint8_t flags, struct bytes value)
{
    const struct wire_ie row = {.id = code, .flags = flags};
    size_t opened = diameter_format.open(w, &row);

    wr_view_of(w, value);
    diameter_format.close(w, opened);
}

/* Proxy-Info goes back as it came, in its order (clause 6.2). */
static void write_proxy_info(struct writer *w, const struct diameter_envelope *request)
{
    struct reader r = reader_of_bytes(request->avps);

    while (request->has_proxy_info && rd_left(&r) > 0) {
        struct tlv avp = {0};
        if (!diameter_format.take(&r, &avp))
            break;
        if (avp.vendor == 0 && avp.id == CODE_PROXY_INFO)
            write_avp(w, CODE_PROXY_INFO, DIAMETER_AVP_MANDATORY, avp.value);
    }
}

static void write_result(struct writer *w, uint32_t result)
{
    uint8_t number[4];
    struct writer n = writer_of(number, sizeof(number));

    if (result < 10000) {
        wr_u32(&n, result);
        write_avp(w, CODE_RESULT_CODE, DIAMETER_AVP_MANDATORY, wr_view(&n));
        return;
    }
    const struct diameter_experimental_result experimental = {result / 10000, result % 10000};
    const struct wire_ie row = {.id = CODE_EXPERIMENTAL_RESULT, .flags = DIAMETER_AVP_MANDATORY};
    size_t opened = diameter_format.open(w, &row);
    diameter_experimental_result_type.encode(&diameter_experimental_result_type, w, &experimental);
    diameter_format.close(w, opened);
}

void diameter_encode_refusal(struct writer *w, const struct diameter_envelope *request,
                             const struct diameter_refusal *refusal)
{
    struct diameter_header header = request->header;
    size_t start = wr_len(w);

    header.flags &= DIAMETER_FLAG_PROXIABLE;
    if (diameter_result_is_protocol_error(refusal->result))
        header.flags |= DIAMETER_FLAG_ERROR;
    write_header(w, &header);
    if (request->session_id.len > 0)
        write_avp(w, CODE_SESSION_ID, DIAMETER_AVP_MANDATORY, request->session_id);
    write_result(w, refusal->result);
    write_avp(w, CODE_ORIGIN_HOST, DIAMETER_AVP_MANDATORY, refusal->origin_host);
    write_avp(w, CODE_ORIGIN_REALM, DIAMETER_AVP_MANDATORY, refusal->origin_realm);
    if (refusal->error_message.len > 0)
        write_avp(w, CODE_ERROR_MESSAGE, 0, refusal->error_message);
    if (refusal->failed_avp.len > 0)
        write_avp(w, CODE_FAILED_AVP, DIAMETER_AVP_MANDATORY, refusal->failed_avp);
    write_proxy_info(w, request);
    write_length(w, start);
}

/* ---- Printing ---- */

static void print_flags(struct text *t, const struct diameter_header *header)
{
    if (header->flags & DIAMETER_FLAG_ERROR)
        text_add(t, " (error)");
    if (header->flags & DIAMETER_FLAG_RETRANSMITTED)
        text_add(t, " (retransmitted)");
}

static void print_fault(struct text *t, const struct wire_fault *fault)
{
    const char *name = diameter_avp_name(fault->vendor, fault->id);

    if (name)
        text_add(t, "(%s: %s) ", diameter_result_name(diameter_fault_result(fault)), name);
    else
        text_add(t, "(%s: AVP %u of vendor %u) ",
                 diameter_result_name(diameter_fault_result(fault)), fault->id, fault->vendor);
}

void diameter_print(struct bytes whole, struct text *t, struct arena *arena)
{
    struct reader r = reader_of_bytes(whole);
    struct diameter_header header = diameter_read_header(&r);
    struct wire_context context = {.arena = arena};

    if (r.bad) {
        text_add(t, "not a Diameter message");
        return;
    }
    const struct diameter_message *message =
        diameter_message_find(header.application, header.command, diameter_is_request(&header));
    if (!message) {
        text_add(t, "command %u of application %u (%s)", header.command, header.application,
                 diameter_is_request(&header) ? "request" : "answer");
        print_flags(t, &header);
        return;
    }
    text_add(t, "%s", message->name);
    print_flags(t, &header);
    text_add(t, " ");
    void *value = arena_alloc(arena, message->group->size);
    if (!value)
        return;
    if (diameter_decode(message, whole, value, &context) < 0)
        print_fault(t, &context.fault);
    tlv_print(is_error_form(message, &header) ? &diameter_error_answer_group : message->group, t,
              value);
}
