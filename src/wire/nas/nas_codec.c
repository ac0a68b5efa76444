/*
 * nas_codec.c -- decoding, encoding and printing of any plain NAS message by its table
 * (nas_table.h).
 *
 * The mandatory part is read straight through and ends in a fault at the first thing that is wrong.
 * The rest is a run of elements, each found by its tag among the rows that follow the one found
 * last, as senders keep to the table's order. What is not found there is unknown, repeated or out
 * of sequence, and is stepped over (TS 24.301 clauses 7.6.1 to 7.6.3) by the length that its row
 * gives or that TS 24.007 clause 11.2.4 lets one know from the tag alone.
 *
 * Called by the MME and the phones for each message, and for messages within messages by
 * nas_print().
 */
#include <errno.h>

#include "wire/nas/nas_table.h"

#define EPS_BEARER_SHIFT    4
#define SECURITY_TYPE_SHIFT 4

const struct nas_format *nas_format_of(enum nas_message_type type, enum eps_direction direction)
{
    return nas_is_esm(type) ? nas_esm_format(type) : nas_emm_format(type, direction);
}

const char *nas_message_name(enum nas_message_type type)
{
    const struct nas_format *format = nas_format_of(type, EPS_UPLINK);

    if (type == NAS_SERVICE_REQUEST)
        return "service request";
    return format ? format->name : "unknown";
}

/* ---- Decoding ------------------------------------------------------------ */

struct decoder {
    struct reader r;
    struct wire_context context;
    struct nas_message *message;
    struct nas_fault *fault;
    uint8_t protocol;
    uint8_t halves; /* the octet whose lower half was read last */
};

static int fail(struct decoder *d, uint8_t cause, uint8_t iei, const char *ie)
{
    *d->fault = (struct nas_fault){.cause = cause, .protocol = d->protocol, .iei = iei, .ie = ie};
    return -EBADMSG;
}

static int out_of_memory(struct decoder *d)
{
    *d->fault = (struct nas_fault){.cause = EMM_CAUSE_PROTOCOL_ERROR, .protocol = d->protocol};
    return -ENOMEM;
}

/* False when the value is shorter than its element may be or is not one the specification allows.
 * What goes beyond the greatest length is not looked at (TS 24.007 clause 11.4.2). */
static bool decode_value(struct decoder *d, const struct nas_ie *row, struct bytes octets,
                         void *value)
{
    struct reader inner = reader_of(octets.at, octets.len < row->max ? octets.len : row->max);

    if (octets.len < row->min)
        return false;
    row->type->decode(row->type, &inner, value, &d->context);
    return !inner.bad;
}

/* The value of a mandatory element; `half` is where half an octet is put to be read as one. */
static struct bytes take_mandatory(struct decoder *d, const struct nas_ie *row, uint8_t *half)
{
    switch (row->form) {
    case NAS_V_LOW:
        d->halves = rd_u8(&d->r);
        *half = d->halves & 15;
        return bytes_of(half, 1);
    case NAS_V_HIGH:
        *half = d->halves >> 4;
        return bytes_of(half, 1);
    case NAS_LV:
        return rd_view(&d->r, rd_u8(&d->r));
    case NAS_LV_E:
        return rd_view(&d->r, rd_u16(&d->r));
    default:
        return rd_view(&d->r, row->min);
    }
}

static int decode_mandatory(struct decoder *d, const struct nas_format *format)
{
    uint8_t *body = d->message->body;

    for (const struct nas_ie *row = format->rows; row < format->rows + format->mandatory; row++) {
        uint8_t half;
        struct bytes octets = take_mandatory(d, row, &half);
        if (d->r.bad || !decode_value(d, row, octets, body + row->offset))
            return fail(d, EMM_CAUSE_INVALID_MANDATORY_INFORMATION, 0, row->name);
    }
    return 0;
}

/* The row of a tag, `from` first; *index is where it was found. */
static const struct nas_ie *find_optional(const struct nas_format *format, uint8_t iei, size_t from,
                                          size_t *index)
{
    for (size_t i = from; i < format->count; i++) {
        if (format->rows[i].iei == iei) {
            *index = i;
            return &format->rows[i];
        }
    }
    for (size_t i = format->mandatory; i < from; i++) {
        if (format->rows[i].iei == iei) {
            *index = i;
            return &format->rows[i];
        }
    }
    return NULL;
}

/* TS 24.007 clause 11.2.4: how an unknown element can be stepped over. */
static enum nas_form form_of_tag(uint8_t octet)
{
    if (octet & 0x80)
        return NAS_TV_HALF;
    return (octet & 0x78) == 0x78 ? NAS_TLV_E : NAS_TLV;
}

/* The value behind a tag that was taken. */
static struct bytes take_optional(struct decoder *d, enum nas_form form, size_t fixed,
                                  uint8_t *half)
{
    switch (form) {
    case NAS_TV_HALF:
        *half &= 15;
        return bytes_of(half, 1);
    case NAS_TV:
        return rd_view(&d->r, fixed);
    case NAS_TLV_E:
        return rd_view(&d->r, rd_u16(&d->r));
    default:
        return rd_view(&d->r, rd_u8(&d->r));
    }
}

/* Clause 7.7.1: what is syntactically incorrect is treated as not present. */
static int decode_optional(struct decoder *d, const struct nas_ie *row, struct bytes octets)
{
    uint8_t *field = (uint8_t *)d->message->body + row->offset;
    void *value = arena_alloc(d->context.arena, row->type->size);

    if (!value)
        return out_of_memory(d);
    if (decode_value(d, row, octets, value))
        memcpy(field, &value, sizeof(value));
    return 0;
}

static int decode_rest(struct decoder *d, const struct nas_format *format)
{
    size_t next = format->mandatory, index = 0;

    while (rd_left(&d->r) > 0) {
        uint8_t octet = rd_u8(&d->r);
        uint8_t iei = octet & 0x80 ? octet & 0xf0 : octet;
        const struct nas_ie *row = find_optional(format, iei, next, &index);
        bool expected = row && index >= next;
        enum nas_form form = row ? (enum nas_form)row->form : form_of_tag(octet);
        struct bytes octets = take_optional(d, form, row ? row->min : 0, &octet);

        if (!expected && (iei & 0xf0) == 0) /* comprehension required: clauses 7.5.1, 7.6 */
            return fail(d, EMM_CAUSE_INVALID_MANDATORY_INFORMATION, iei, row ? row->name : NULL);
        if (d->r.bad) /* it says it is longer than the message: it and all behind it are not there
                       */
            return 0;
        if (!expected)
            continue;
        int err = decode_optional(d, row, octets);
        if (err)
            return err;
        next = index + 1;
    }
    return 0;
}

/* The four octets of clause 8.2.25. */
static int decode_service_request(struct decoder *d)
{
    struct nas_service_request *request = arena_alloc(d->context.arena, sizeof(*request));

    d->message->type = NAS_SERVICE_REQUEST;
    if (!request)
        return out_of_memory(d);
    uint8_t octet = rd_u8(&d->r);
    request->ksi = octet >> 5;
    request->sequence_number = octet & 31;
    request->short_mac = rd_u16(&d->r);
    if (d->r.bad)
        return fail(d, 0, 0, NULL);
    d->message->service_request = request;
    return 0;
}

static int decode_body(struct decoder *d)
{
    const struct nas_format *format = nas_format_of(d->message->type, d->message->direction);

    if (!format)
        return fail(d, EMM_CAUSE_MESSAGE_TYPE_NON_EXISTENT, 0, NULL);
    if (format->size == 0)
        return 0;
    d->message->body = arena_alloc(d->context.arena, format->size);
    if (!d->message->body)
        return out_of_memory(d);
    int err = decode_mandatory(d, format);
    return err ? err : decode_rest(d, format);
}

/* Clause 9.2 to 9.8: what comes before the elements. A message too short to have a type, or of
 * another protocol, is ignored (clauses 7.2, 7.3). */
int nas_decode(struct bytes plain, enum eps_direction direction, struct arena *arena,
               struct nas_message *message, struct nas_fault *fault)
{
    struct decoder d = {.r = reader_of_bytes(plain),
                        .context = {.arena = arena},
                        .message = message,
                        .fault = fault};
    uint8_t first = rd_u8(&d.r), upper = first >> 4;

    d.protocol = first & 15;
    *message = (struct nas_message){.direction = direction};
    *fault = (struct nas_fault){0};
    if (d.protocol == NAS_PROTOCOL_EMM && upper >= NAS_SERVICE_REQUEST_HEADER)
        return decode_service_request(&d);
    if (d.protocol == NAS_PROTOCOL_ESM) {
        message->ebi = upper;
        message->pti = rd_u8(&d.r);
    } else if (d.protocol != NAS_PROTOCOL_EMM || upper != NAS_PLAIN) {
        return fail(&d, 0, 0, NULL);
    }
    message->type = (enum nas_message_type)rd_u8(&d.r);
    if (d.r.bad)
        return fail(&d, 0, 0, NULL);
    if (nas_is_esm(message->type) != (d.protocol == NAS_PROTOCOL_ESM))
        return fail(&d, EMM_CAUSE_MESSAGE_TYPE_NON_EXISTENT, 0, NULL);
    return decode_body(&d);
}

/* ---- Encoding ------------------------------------------------------------ */

/* Where the value is, or NULL when it is not there. */
static const void *value_of(const struct nas_ie *row, const void *body)
{
    const uint8_t *field = (const uint8_t *)body + row->offset;
    const void *value = field;

    if (nas_is_optional(row))
        memcpy(&value, field, sizeof(value));
    return value;
}

static uint8_t encode_half(const struct nas_ie *row, const void *value, struct writer *w)
{
    uint8_t octet = *(const uint8_t *)value;

    if (octet > 15)
        wr_fail(w);
    return row->form == NAS_V_HIGH ? (uint8_t)(octet << 4) : octet;
}

/* The length, if the form has one, is filled into its room when the value is written. */
static void encode_value(struct writer *w, const struct nas_ie *row, const void *value, size_t room)
{
    size_t start = wr_len(w);

    wr_zero(w, room);
    row->type->encode(row->type, w, value);
    if (w->bad)
        return;
    size_t length = wr_len(w) - start - room;
    if (length < row->min || length > row->max || (room == 1 && length > 255)) {
        wr_fail(w);
        return;
    }
    if (room == 1)
        wr_patch_u8(w, start, (uint8_t)length);
    else if (room == 2)
        wr_patch_u16(w, start, (uint16_t)length);
}

static size_t length_octets(const struct nas_ie *row)
{
    if (row->form == NAS_LV_E || row->form == NAS_TLV_E)
        return 2;
    return row->form == NAS_LV || row->form == NAS_TLV ? 1 : 0;
}

static void encode_element(struct writer *w, const struct nas_ie *row, const void *value)
{
    switch (row->form) {
    case NAS_V_LOW:
        wr_u8(w, encode_half(row, value, w));
        return;
    case NAS_V_HIGH:
        if (wr_len(w) > 0 && !w->bad)
            w->at[-1] |= encode_half(row, value, w);
        return;
    case NAS_TV_HALF:
        wr_u8(w, row->iei | encode_half(row, value, w));
        return;
    default:
        break;
    }
    if (nas_is_optional(row))
        wr_u8(w, row->iei);
    encode_value(w, row, value, length_octets(row));
}

static void encode_service_request(struct writer *w, const struct nas_service_request *request)
{
    wr_u8(w, NAS_SERVICE_REQUEST_HEADER << SECURITY_TYPE_SHIFT | NAS_PROTOCOL_EMM);
    if (!request) {
        wr_fail(w);
        return;
    }
    wr_u8(w, (uint8_t)(request->ksi << 5 | (request->sequence_number & 31)));
    wr_u16(w, request->short_mac);
}

void nas_encode(struct writer *w, const struct nas_message *message)
{
    const struct nas_format *format = nas_format_of(message->type, message->direction);

    if (message->type == NAS_SERVICE_REQUEST) {
        encode_service_request(w, message->service_request);
        return;
    }
    if (!format || (format->size > 0 && !message->body)) {
        wr_fail(w);
        return;
    }
    if (nas_is_esm(message->type)) {
        wr_u8(w, (uint8_t)(message->ebi << EPS_BEARER_SHIFT | NAS_PROTOCOL_ESM));
        wr_u8(w, message->pti);
    } else {
        wr_u8(w, NAS_PROTOCOL_EMM);
    }
    wr_u8(w, (uint8_t)message->type);
    for (size_t i = 0; i < format->count; i++) {
        const void *value = value_of(&format->rows[i], message->body);
        if (value)
            encode_element(w, &format->rows[i], value);
    }
}

/* ---- Printing ------------------------------------------------------------ */

static void print_inner(struct text *t, struct bytes octets, enum eps_direction direction,
                        struct arena *arena)
{
    struct nas_message inner;
    struct nas_fault fault;

    text_add(t, "{");
    if (nas_decode(octets, direction, arena, &inner, &fault) == 0 && nas_is_esm(inner.type))
        nas_print(t, &inner, NULL); /* nothing within an ESM message is a NAS message */
    else
        text_hex(t, octets);
    text_add(t, "}");
}

void nas_print(struct text *t, const struct nas_message *message, struct arena *arena)
{
    const struct nas_format *format = nas_format_of(message->type, message->direction);

    text_add(t, "%s", nas_message_name(message->type));
    if (message->type == NAS_SERVICE_REQUEST && message->service_request)
        text_add(t, " ksi=%u sequence_number=%u short_mac=%04x", message->service_request->ksi,
                 message->service_request->sequence_number, message->service_request->short_mac);
    if (nas_is_esm(message->type))
        text_add(t, " ebi=%u pti=%u", message->ebi, message->pti);
    for (size_t i = 0; format && message->body && i < format->count; i++) {
        const struct nas_ie *row = &format->rows[i];
        const void *value = value_of(row, message->body);
        if (!value)
            continue;
        text_add(t, " %s=", row->name);
        if (row->type == &nas_esm_message && arena)
            print_inner(t, *(const struct bytes *)value, message->direction, arena);
        else
            row->type->print(row->type, t, value);
    }
}

void nas_print_pdu(struct text *t, struct bytes pdu, enum eps_direction direction,
                   struct arena *arena)
{
    struct nas_header header;
    struct nas_message message;
    struct nas_fault fault;
    struct bytes plain = pdu;

    if (nas_header_read(pdu, &header) < 0) {
        text_add(t, "malformed nas ");
        text_hex(t, pdu);
        return;
    }
    if (header.security != NAS_PLAIN && header.security != NAS_SERVICE_REQUEST_HEADER) {
        text_add(t, "security=%u mac=%08x sequence_number=%u ", header.security, header.mac,
                 header.sequence_number);
        plain = header.inner;
    }
    if (header.security == NAS_INTEGRITY_CIPHERED ||
        header.security == NAS_INTEGRITY_CIPHERED_NEW) {
        text_add(t, "ciphered ");
        text_hex(t, plain);
        return;
    }
    int err = nas_decode(plain, direction, arena, &message, &fault);
    if (message.type == 0) {
        text_hex(t, plain);
        return;
    }
    if (err)
        message.body = NULL; /* half a message would mislead */
    nas_print(t, &message, arena);
    if (err) {
        text_add(t, " fault: cause=%u element=%s ", fault.cause, fault.ie ? fault.ie : "-");
        text_hex(t, plain);
    }
}

#define TRACE_ARENA_LIMIT ((size_t)256 * 1024)

static void trace_pdu(struct bytes pdu, struct text *t, enum eps_direction direction)
{
    struct arena arena;

    arena_init(&arena, TRACE_ARENA_LIMIT);
    nas_print_pdu(t, pdu, direction, &arena);
    arena_free(&arena);
}

void nas_trace_uplink(struct bytes pdu, struct text *t)
{
    trace_pdu(pdu, t, EPS_UPLINK);
}

void nas_trace_downlink(struct bytes pdu, struct text *t)
{
    trace_pdu(pdu, t, EPS_DOWNLINK);
}
