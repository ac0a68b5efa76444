/*
 * codec.c -- walks the tables of messages.c: decodes, encodes and prints every message.
 *
 * Errors of the decoder are those that OpenFlow answers with (clause 7.4.4). What is too short or
 * too long is BAD_REQUEST/BAD_LEN; a match, action or instruction has errors of its own.
 */
#include <errno.h>

#include "wire/openflow/layout.h"

/* What experimenter messages and multiparts are to us. Numbers of the ONF are ten times the
 * extension's, and further; for vacancy events (192) nobody has published any, so 1920 and 1921 are
 * ours, with the bodies of OpenFlow 1.4. */
struct extension {
    uint16_t type; /* ours */
    uint32_t experimenter, exp_type;
};

static const struct extension message_extensions[] = {
    {OFPT_ONF_BUNDLE_CONTROL, OF_EXPERIMENTER_ONF, 2300},
    {OFPT_ONF_BUNDLE_ADD, OF_EXPERIMENTER_ONF, 2301},
    {OFPT_ONF_FLOW_MONITOR_CANCEL, OF_EXPERIMENTER_ONF, 1870},
    {OFPT_ONF_FLOW_MONITOR_PAUSED, OF_EXPERIMENTER_ONF, 1871},
    {OFPT_ONF_FLOW_MONITOR_RESUMED, OF_EXPERIMENTER_ONF, 1872},
    {OFPT_ONF_ROLE_STATUS, OF_EXPERIMENTER_ONF, 1911},
    {OFPT_ONF_TABLE_MOD, OF_EXPERIMENTER_ONF, 1920},
    {OFPT_ONF_TABLE_STATUS, OF_EXPERIMENTER_ONF, 1921},
    {OFPT_NX_SET_ASYNC_CONFIG2, OF_EXPERIMENTER_NICIRA, 27},
};
static const struct extension multipart_extensions[] = {
    {OFPMP_ONF_FLOW_MONITOR, OF_EXPERIMENTER_ONF, 1870},
    {OFPMP_ONF_TABLE_DESC, OF_EXPERIMENTER_ONF, 1920},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* By what stands on the wire, which is taken then; or NULL. */
static const struct extension *read_extension(const struct extension *at, size_t count,
                                              struct reader *r)
{
    struct reader look = *r;
    uint32_t experimenter = rd_u32(&look), exp_type = rd_u32(&look);

    for (size_t i = 0; i < count && !look.bad; i++)
        if (at[i].experimenter == experimenter && at[i].exp_type == exp_type) {
            *r = look;
            return &at[i];
        }
    return NULL;
}

static const struct extension *find_extension(const struct extension *at, size_t count,
                                              uint16_t type)
{
    for (size_t i = 0; i < count; i++)
        if (at[i].type == type)
            return &at[i];
    return NULL;
}

/* ---- numbers in C integers ---- */

static void put_number(void *at, size_t size, uint64_t value)
{
    switch (size) {
    case 1:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(uint64_t *)at = value;
    }
}

static uint64_t get_number(const void *at, size_t size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

/* The C form of every list. */
struct list {
    void *at;
    size_t count;
};

/* ---- decoding ---- */

/* Bytes of the parts that have a fixed length. */
static size_t fixed_length(const struct layout *layout)
{
    size_t length = 0;

    for (size_t i = 0; i < layout->count; i++) {
        const struct row *row = &layout->rows[i];

        if (row->kind == ROW_MAC)
            length += 6;
        else if (row->kind == ROW_STRUCT)
            length += fixed_length(row->element);
        else if (row->kind != ROW_MATCH)
            length += row->wire;
    }
    return length;
}

/* Takes the next element of a list; its reader is bad when it does not fit. */
static struct reader next_element(const struct layout *element, struct reader *r)
{
    size_t length = fixed_length(element);
    struct reader body, look = *r;

    if (element->has_length) {
        size_t told;

        rd_skip(&look, element->length_at);
        told = rd_u16(&look);
        if (told < length || look.bad)
            told = rd_left(r) + 1;
        length = told;
    }
    body = rd_sub(r, length);
    if (element->align && !body.bad) {
        size_t padding = (element->align - length % element->align) % element->align;

        rd_skip(r, padding < rd_left(r) ? padding : rd_left(r));
    }
    return body;
}

static of_error decode_list(const struct layout *element, struct reader *r, struct list *list,
                            struct arena *arena)
{
    of_error bad_length = element->bad ? element->bad : (of_error)OFPBRC_BAD_LEN;
    size_t count = 0;

    for (struct reader look = *r; rd_left(&look) > 0; count++)
        if (next_element(element, &look).bad)
            return bad_length;
    list->count = 0;
    list->at = count ? arena_array(arena, count, element->size) : NULL;
    if (count && !list->at)
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    for (; list->count < count; list->count++) {
        struct reader body = next_element(element, r);
        of_error error = of_decode_layout(element, &body,
                                          (uint8_t *)list->at + list->count * element->size, arena);

        if (error)
            return error;
        if (rd_left(&body) > 0)
            return bad_length;
    }
    return 0;
}

static of_error decode_sized_actions(struct reader *r, size_t size, void *value,
                                     struct arena *arena)
{
    struct reader body = rd_sub(r, size);

    if (body.bad)
        return OFPBRC_BAD_LEN;
    return of_decode_actions(&body, value, arena);
}

static of_error decode_row(const struct row *row, struct reader *r, void *value, size_t *size,
                           struct arena *arena)
{
    void **pointer = value;
    const uint8_t *p;

    switch (row->kind) {
    case ROW_UINT:
        put_number(value, row->size, rd_uint(r, row->wire));
        return 0;
    case ROW_MAC:
        rd_bytes(r, value, 6);
        return 0;
    case ROW_TEXT:
        p = rd_take(r, row->wire);
        if (p)
            memcpy(value, p, row->size - 1u);
        return 0;
    case ROW_SIZE:
        *size = rd_u16(r);
        return 0;
    case ROW_MATCH:
        return r->bad ? (of_error)OFPBRC_BAD_LEN : of_decode_match(r, value);
    case ROW_SIZED_ACTIONS:
        return decode_sized_actions(r, *size, value, arena);
    case ROW_ACTIONS:
        return of_decode_actions(r, value, arena);
    case ROW_INSTRUCTIONS:
        return of_decode_instructions(r, value, arena);
    case ROW_REST:
        *(struct bytes *)value = rd_rest(r);
        return 0;
    case ROW_IGNORE:
        rd_rest(r);
        return 0;
    case ROW_LIST:
        return decode_list(row->element, r, value, arena);
    case ROW_STRUCT:
        return of_decode_layout(row->element, r, value, arena);
    case ROW_POINTER:
        *pointer = arena_alloc(arena, row->element->size);
        return *pointer ? of_decode_layout(row->element, r, *pointer, arena)
                        : (of_error)OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    case ROW_SPECIAL:
        return row->special->decode(r, value, arena);
    default: /* ROW_PAD, ROW_LENGTH */
        rd_skip(r, row->wire);
        return 0;
    }
}

of_error of_decode_layout(const struct layout *layout, struct reader *r, void *to,
                          struct arena *arena)
{
    size_t size = 0;

    for (size_t i = 0; i < layout->count; i++) {
        const struct row *row = &layout->rows[i];
        of_error error = decode_row(row, r, (uint8_t *)to + row->offset, &size, arena);

        if (r->bad)
            return OFPBRC_BAD_LEN;
        if (error)
            return error;
    }
    return 0;
}

static of_error decode_multipart(struct of_message *m, struct reader *r, struct arena *arena)
{
    struct of_multipart *mp = &m->multipart_request; /* the reply lies in the same place */
    const struct extension *extension = NULL;
    const struct multipart_row *row;
    const struct layout *body;
    of_error error = of_decode_layout(&of_multipart_header, r, mp, arena);

    if (error)
        return error;
    if (mp->type == OFPMP_EXPERIMENTER)
        extension = read_extension(multipart_extensions, COUNT(multipart_extensions), r);
    else if (mp->type >= OFPMP_ONF_FLOW_MONITOR)
        return OFPBRC_BAD_MULTIPART;
    if (extension)
        mp->type = extension->type;
    row = of_multipart_row(mp->type);
    if (!row)
        return OFPBRC_BAD_MULTIPART;
    body = m->type == OFPT_MULTIPART_REQUEST ? row->request : row->reply;
    return body ? of_decode_layout(body, r, mp, arena) : 0;
}

/* Known extensions' messages get types of their own; others stay as they are. */
static of_error decode_experimenter(struct of_message *m, struct reader *r, struct arena *arena)
{
    const struct extension *extension =
        read_extension(message_extensions, COUNT(message_extensions), r);
    const struct layout *layout;

    if (extension)
        m->type = (uint8_t)extension->type;
    layout = of_message_row(m->type)->layout;
    return layout ? of_decode_layout(layout, r, &m->hello, arena) : 0;
}

static of_error decode_body(struct of_message *m, struct reader *r, struct arena *arena)
{
    const struct message_row *row = of_message_row(m->type);

    if (!row || m->type >= OFPT_ONF_BUNDLE_CONTROL)
        return OFPBRC_BAD_TYPE;
    if (m->type == OFPT_EXPERIMENTER)
        return decode_experimenter(m, r, arena);
    if (m->type == OFPT_MULTIPART_REQUEST || m->type == OFPT_MULTIPART_REPLY)
        return decode_multipart(m, r, arena);
    return row->layout ? of_decode_layout(row->layout, r, &m->hello, arena) : 0;
}

int of_decode(struct of_message *m, struct bytes wire, struct arena *arena, of_error *why)
{
    struct reader r = reader_of_bytes(wire);
    uint16_t length;

    memset(m, 0, sizeof(*m));
    m->version = rd_u8(&r);
    m->type = rd_u8(&r);
    length = rd_u16(&r);
    m->xid = rd_u32(&r);
    *why = 0;
    if (r.bad || length != wire.len)
        *why = OFPBRC_BAD_LEN;
    else if (m->type == OFPT_HELLO && m->version < 32)
        m->hello.versions = UINT32_C(1) << m->version;
    else if (m->version != OFP_VERSION && m->type != OFPT_ERROR)
        *why = OFPBRC_BAD_VERSION;
    if (!*why)
        *why = decode_body(m, &r, arena);
    if (!*why && rd_left(&r) > 0)
        *why = OFPBRC_BAD_LEN;
    return *why ? -EBADMSG : 0;
}

/* ---- encoding ---- */

static void encode_list(const struct layout *element, struct writer *w, const struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        of_encode_layout(element, w, (const uint8_t *)list->at + i * element->size);
}

static void encode_row(const struct row *row, struct writer *w, const void *value)
{
    const struct of_actions *actions = value;
    const uint8_t *text = value;

    switch (row->kind) {
    case ROW_UINT:
        wr_uint(w, get_number(value, row->size), row->wire);
        break;
    case ROW_MAC:
        wr_bytes(w, value, 6);
        break;
    case ROW_TEXT:
        wr_bytes(w, text, strnlen(value, row->size - 1u));
        wr_zero(w, row->wire - strnlen(value, row->size - 1u));
        break;
    case ROW_MATCH:
        of_encode_match(w, value);
        break;
    case ROW_SIZED_ACTIONS:
    case ROW_ACTIONS:
        of_encode_actions(w, actions->at, actions->count);
        break;
    case ROW_INSTRUCTIONS:
        of_encode_instructions(w, value);
        break;
    case ROW_REST:
        wr_view_of(w, *(const struct bytes *)value);
        break;
    case ROW_LIST:
        encode_list(row->element, w, value);
        break;
    case ROW_STRUCT:
        of_encode_layout(row->element, w, value);
        break;
    case ROW_POINTER:
        of_encode_layout(row->element, w, *(const void *const *)value);
        break;
    case ROW_SPECIAL:
        row->special->encode(w, value);
        break;
    case ROW_IGNORE:
        break;
    default: /* ROW_PAD; ROW_LENGTH and ROW_SIZE are filled in later */
        wr_zero(w, row->wire);
    }
}

void of_encode_layout(const struct layout *layout, struct writer *w, const void *from)
{
    size_t start = wr_len(w), size_at = 0, length;

    for (size_t i = 0; i < layout->count; i++) {
        const struct row *row = &layout->rows[i];
        size_t before = wr_len(w);

        if (row->kind == ROW_SIZE)
            size_at = before;
        encode_row(row, w, (const uint8_t *)from + row->offset);
        if (row->kind == ROW_SIZED_ACTIONS)
            wr_patch_u16(w, size_at, (uint16_t)(wr_len(w) - before));
    }
    length = wr_len(w) - start;
    if (layout->has_length) {
        if (length > UINT16_MAX)
            wr_fail(w);
        wr_patch_u16(w, start + layout->length_at, (uint16_t)length);
    }
    if (layout->align)
        wr_zero(w, (layout->align - length % layout->align) % layout->align);
}

static void encode_header(struct writer *w, uint8_t version, uint8_t type, uint32_t xid)
{
    wr_u8(w, version ? version : OFP_VERSION);
    wr_u8(w, type);
    wr_u16(w, 0);
    wr_u32(w, xid);
}

static void encode_length(struct writer *w, size_t start)
{
    size_t length = wr_len(w) - start;

    if (length > OFP_MAX_MESSAGE)
        wr_fail(w);
    wr_patch_u16(w, start + 2, (uint16_t)length);
}

static void encode_extension(struct writer *w, const struct extension *extension)
{
    wr_u32(w, extension->experimenter);
    wr_u32(w, extension->exp_type);
}

/* Type and flags, and for extensions what they are. */
static void encode_multipart_header(struct writer *w, uint16_t type, uint16_t flags)
{
    const struct extension *extension =
        find_extension(multipart_extensions, COUNT(multipart_extensions), type);

    wr_u16(w, extension ? (uint16_t)OFPMP_EXPERIMENTER : type);
    wr_u16(w, flags);
    wr_zero(w, 4);
    if (extension)
        encode_extension(w, extension);
}

static void encode_multipart(struct writer *w, const struct of_message *m)
{
    const struct of_multipart *mp = &m->multipart_request; /* the reply lies in the same place */
    const struct multipart_row *row = of_multipart_row(mp->type);
    const struct layout *body;

    if (!row) {
        wr_fail(w);
        return;
    }
    encode_multipart_header(w, mp->type, mp->flags);
    body = m->type == OFPT_MULTIPART_REQUEST ? row->request : row->reply;
    if (body)
        of_encode_layout(body, w, mp);
}

void of_encode(struct writer *w, const struct of_message *m)
{
    const struct message_row *row = of_message_row(m->type);
    const struct extension *extension =
        find_extension(message_extensions, COUNT(message_extensions), m->type);
    size_t start = wr_len(w);

    if (!row) {
        wr_fail(w);
        return;
    }
    encode_header(w, m->version, extension ? OFPT_EXPERIMENTER : m->type, m->xid);
    if (extension)
        encode_extension(w, extension);
    if (row->layout == &of_multipart_header)
        encode_multipart(w, m);
    else if (row->layout)
        of_encode_layout(row->layout, w, &m->hello);
    encode_length(w, start);
}

void of_encode_error(struct writer *w, uint32_t xid, of_error error, struct bytes request)
{
    struct of_message m = {.type = OFPT_ERROR, .xid = xid};

    m.error.type = OF_ERROR_TYPE(error);
    m.error.code = OF_ERROR_CODE(error);
    m.error.experimenter =
        m.error.code < OF_FIRST_ONF_ERROR ? OF_EXPERIMENTER_NICIRA : OF_EXPERIMENTER_ONF;
    m.error.data = bytes_of(request.at, request.len < 64 ? request.len : 64);
    of_encode(w, &m);
}

/* ---- long multipart replies ---- */

const struct layout *of_list_element(const struct layout *layout)
{
    return layout && layout->count == 1 && layout->rows[0].kind == ROW_LIST
               ? layout->rows[0].element
               : NULL;
}

static void multipart_start(struct of_multipart_writer *mw)
{
    mw->w = writer_of(mw->buffer, OFP_MAX_MESSAGE);
    encode_header(&mw->w, 0, OFPT_MULTIPART_REPLY, mw->xid);
    encode_multipart_header(&mw->w, mw->type, 0);
    mw->empty = wr_len(&mw->w);
}

static void multipart_emit(struct of_multipart_writer *mw, uint16_t flags)
{
    wr_patch_u16(&mw->w, OFP_HEADER_SIZE + 2, flags);
    encode_length(&mw->w, 0);
    mw->emit(mw->context, wr_view(&mw->w));
}

void of_multipart_begin(struct of_multipart_writer *mw, uint8_t *buffer, uint32_t xid,
                        uint16_t type, void (*emit)(void *context, struct bytes message),
                        void *context)
{
    mw->buffer = buffer;
    mw->xid = xid;
    mw->type = type;
    mw->emit = emit;
    mw->context = context;
    multipart_start(mw);
}

void of_multipart_add(struct of_multipart_writer *mw, const void *entry)
{
    const struct layout *element = of_list_element(of_multipart_row(mw->type)->reply);
    struct writer before = mw->w;

    of_encode_layout(element, &mw->w, entry);
    if (!mw->w.bad)
        return;
    mw->w = before;
    if (wr_len(&mw->w) > mw->empty) {
        multipart_emit(mw, OFPMPF_REPLY_MORE);
        multipart_start(mw);
        before = mw->w;
        of_encode_layout(element, &mw->w, entry);
        if (mw->w.bad) /* larger than any message: it can not be told */
            mw->w = before;
    }
}

void of_multipart_end(struct of_multipart_writer *mw)
{
    multipart_emit(mw, 0);
}

/* ---- printing ---- */

static void print_number(const struct row *row, struct text *t, uint64_t value)
{
    text_add(t, " %s=", row->name);
    for (size_t i = 0; row->names && row->names[i]; i++)
        if (i == value) {
            text_add(t, "%s", row->names[i]);
            return;
        }
    if (row->print == PRINT_PORT)
        of_print_port(t, (uint32_t)value);
    else
        text_add(t, row->print == PRINT_HEX ? "0x%llx" : "%llu", (unsigned long long)value);
}

static void print_list(const struct row *row, struct text *t, const struct list *list)
{
    text_add(t, " %s=[", row->name);
    for (size_t i = 0; i < list->count; i++) {
        text_add(t, "%s{", i ? ", " : "");
        of_print_layout(row->element, t, (const uint8_t *)list->at + i * row->element->size);
        text_add(t, " }");
    }
    text_add(t, "]");
}

static void print_row(const struct row *row, struct text *t, const void *value)
{
    const struct bytes *rest = value;
    const uint8_t *mac = value;
    uint64_t number;

    switch (row->kind) {
    case ROW_UINT:
        number = get_number(value, row->size);
        if (row->print != PRINT_NEVER && !(row->hides && number == row->usual))
            print_number(row, t, number);
        break;
    case ROW_MAC:
        text_add(t, " %s=%02x:%02x:%02x:%02x:%02x:%02x", row->name, mac[0], mac[1], mac[2], mac[3],
                 mac[4], mac[5]);
        break;
    case ROW_TEXT:
        text_add(t, " %s=\"", row->name);
        text_escaped(t, bytes_of(value, strnlen(value, row->size)));
        text_add(t, "\"");
        break;
    case ROW_MATCH:
        text_add(t, " ");
        of_print_match(t, value);
        break;
    case ROW_SIZED_ACTIONS:
    case ROW_ACTIONS:
        text_add(t, " actions=");
        of_print_actions(t, value);
        break;
    case ROW_INSTRUCTIONS:
        text_add(t, " actions=");
        of_print_instructions(t, value);
        break;
    case ROW_REST:
        if (rest->len)
            text_add(t, " %s=%zu bytes", row->name, rest->len);
        break;
    case ROW_LIST:
        print_list(row, t, value);
        break;
    case ROW_STRUCT:
        of_print_layout(row->element, t, value);
        break;
    case ROW_POINTER:
        of_print_layout(row->element, t, *(const void *const *)value);
        break;
    case ROW_SPECIAL:
        row->special->print(t, value);
        break;
    }
}

void of_print_layout(const struct layout *layout, struct text *t, const void *from)
{
    for (size_t i = 0; i < layout->count; i++)
        print_row(&layout->rows[i], t, (const uint8_t *)from + layout->rows[i].offset);
}

void of_print(struct text *t, const struct of_message *m)
{
    const struct message_row *row = of_message_row(m->type);
    const struct multipart_row *mp;
    const struct layout *body;

    text_add(t, "%s", of_type_name(m->type));
    if (!row || !row->layout)
        return;
    if (row->layout != &of_multipart_header) {
        of_print_layout(row->layout, t, &m->hello);
        return;
    }
    mp = of_multipart_row(m->multipart_request.type);
    text_add(t, " %s", mp ? mp->name : "unknown");
    of_print_layout(row->layout, t, &m->multipart_request);
    body = !mp ? NULL : m->type == OFPT_MULTIPART_REQUEST ? mp->request : mp->reply;
    if (body)
        of_print_layout(body, t, &m->multipart_request);
}

#define PRINT_ARENA (4u << 20)

void of_print_wire(struct bytes message, struct text *t)
{
    struct arena arena;
    struct of_message m;
    of_error why;

    arena_init(&arena, PRINT_ARENA);
    if (of_decode(&m, message, &arena, &why) == 0) {
        of_print(t, &m);
    } else {
        text_add(t, "%s, malformed: ", of_type_name(m.type));
        of_print_error(t, why);
    }
    arena_free(&arena);
}
