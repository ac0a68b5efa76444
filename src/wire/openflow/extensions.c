/*
 * extensions.c -- the rows of what OpenFlow 1.3 has as extensions: flow monitors (ONF extension
 * 187), role status (191), vacancy events (192), and Open vSwitch's way to set asynchronous
 * configuration for messages that 1.3.5 does not know.
 *
 * All of these became part of OpenFlow 1.4 and have its bodies, except flow monitors: there the
 * extension follows Open vSwitch's older message, and Open vSwitch's encoding is what is spoken
 * here, as it is the one that exists. codec.c knows the experimenter numbers around the bodies.
 */
#include "wire/openflow/oxm.h"
#include "wire/openflow/rows.h"

/* ---- flow monitors: requests ---- */

#define REQUEST_FIXED 16 /* bytes before the match */

/* The extension's text has the bare fields of a match, Open vSwitch a whole match with type and
 * length; both are understood. `length` is what the request told: without padding. */
static of_error decode_monitor_match(struct reader *r, uint16_t length, struct of_match *match,
                                     struct arena *arena)
{
    size_t padding = (8 - length % 8u) % 8, told;
    struct reader body, whole;
    uint8_t *copy;
    struct writer w;

    if (length > rd_left(r))
        return OFPBMC_BAD_LEN;
    body = rd_sub(r, length);
    rd_skip(r, padding < rd_left(r) ? padding : rd_left(r));
    told = rd_left(&body) >= 4 ? (size_t)body.at[2] << 8 | body.at[3] : 0;
    if (rd_left(&body) >= 4 && body.at[0] == 0 && body.at[1] == OFPMT_OXM && told >= 4 &&
        told <= length && (told + 7) / 8 == (length + 7u) / 8) {
        body.end = body.at + told; /* the padding may be told or not: it is made anew */
        rd_skip(&body, 4);
    }
    copy = arena_alloc(arena, rd_left(&body) + 12);
    if (!copy)
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    w = writer_of(copy, rd_left(&body) + 12);
    wr_u16(&w, OFPMT_OXM);
    wr_u16(&w, (uint16_t)(rd_left(&body) + 4));
    wr_view_of(&w, bytes_of(body.at, rd_left(&body)));
    wr_zero(&w, (8 - wr_len(&w) % 8) % 8);
    whole = reader_of_bytes(wr_view(&w));
    return of_decode_match(&whole, match);
}

static of_error decode_monitor(struct reader *r, struct of_flow_monitor_request *q,
                               struct arena *arena)
{
    uint16_t length;

    q->id = rd_u32(r);
    q->flags = rd_u16(r);
    length = rd_u16(r);
    q->out_port = rd_u32(r);
    q->table_id = rd_u8(r);
    q->zeros = rd_u24(r);
    return r->bad ? (of_error)OFPBRC_BAD_LEN : decode_monitor_match(r, length, &q->match, arena);
}

static of_error monitors_decode(struct reader *r, void *value, struct arena *arena)
{
    struct of_multipart *mp = value;
    size_t most = rd_left(r) / REQUEST_FIXED;

    mp->flow_monitors.count = 0;
    mp->flow_monitors.at = arena_array(arena, most + 1, sizeof(*mp->flow_monitors.at));
    if (!mp->flow_monitors.at)
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    while (rd_left(r) > 0) {
        of_error error =
            rd_left(r) < REQUEST_FIXED
                ? (of_error)OFPBRC_BAD_LEN
                : decode_monitor(r, &mp->flow_monitors.at[mp->flow_monitors.count], arena);

        if (error)
            return error;
        mp->flow_monitors.count++;
    }
    return 0;
}

/* The match with its padding; how long it is without goes to where `length_at` says. */
static void encode_sized_match(struct writer *w, const struct of_match *match, size_t length_at)
{
    size_t start = wr_len(w);
    struct bytes written;

    of_encode_match(w, match);
    written = wr_view(w);
    if (!w->bad)
        wr_patch_u16(w, length_at, (uint16_t)(written.at[start + 2] << 8 | written.at[start + 3]));
}

static void monitors_encode(struct writer *w, const void *value)
{
    const struct of_multipart *mp = value;

    for (size_t i = 0; i < mp->flow_monitors.count; i++) {
        const struct of_flow_monitor_request *q = &mp->flow_monitors.at[i];
        size_t length_at;

        wr_u32(w, q->id);
        wr_u16(w, q->flags);
        length_at = wr_len(w);
        wr_u16(w, 0);
        wr_u32(w, q->out_port);
        wr_u8(w, q->table_id);
        wr_zero(w, 3);
        encode_sized_match(w, &q->match, length_at);
    }
}

static void monitors_print(struct text *t, const void *value)
{
    const struct of_multipart *mp = value;

    for (size_t i = 0; i < mp->flow_monitors.count; i++) {
        const struct of_flow_monitor_request *q = &mp->flow_monitors.at[i];

        text_add(t, " {id=%u flags=0x%x table=%u out_port=", q->id, q->flags, q->table_id);
        of_print_port(t, q->out_port);
        text_add(t, " ");
        of_print_match(t, &q->match);
        text_add(t, "}");
    }
}

static const struct special monitors_special = {monitors_decode, monitors_encode, monitors_print};
static const struct row flow_monitors_rows[] = {SPECIAL(of_multipart, monitors_special)};
const struct layout of_flow_monitors_body = LAYOUT(flow_monitors_rows, of_multipart);

static const struct row monitor_cancel_rows[] = {
    {.name = "id", .kind = ROW_UINT, .wire = 4, .offset = 0, .size = 4},
};
const struct layout of_monitor_cancel_layout = {
    .rows = monitor_cancel_rows, .count = COUNT(monitor_cancel_rows), .size = 4};

/* ---- flow monitors: updates ---- */

static of_error update_decode(struct reader *r, void *value, struct arena *arena)
{
    struct of_flow_update *u = value;
    uint16_t length;
    of_error error;

    if (u->event == ONFFME_ABBREV) {
        u->xid = rd_u32(r);
        return r->bad ? OFPBRC_BAD_LEN : 0;
    }
    u->reason = rd_u16(r);
    u->priority = rd_u16(r);
    u->idle_timeout = rd_u16(r);
    u->hard_timeout = rd_u16(r);
    length = rd_u16(r);
    u->table_id = rd_u8(r);
    rd_skip(r, 1);
    u->cookie = rd_u64(r);
    if (r->bad)
        return OFPBRC_BAD_LEN;
    error = decode_monitor_match(r, length, &u->match, arena);
    return error ? error : of_decode_instructions(r, &u->instructions, arena);
}

static void update_encode(struct writer *w, const void *value)
{
    const struct of_flow_update *u = value;
    size_t length_at;

    if (u->event == ONFFME_ABBREV) {
        wr_u32(w, u->xid);
        return;
    }
    wr_u16(w, u->reason);
    wr_u16(w, u->priority);
    wr_u16(w, u->idle_timeout);
    wr_u16(w, u->hard_timeout);
    length_at = wr_len(w);
    wr_u16(w, 0);
    wr_u8(w, u->table_id);
    wr_zero(w, 1);
    wr_u64(w, u->cookie);
    encode_sized_match(w, &u->match, length_at);
    of_encode_instructions(w, &u->instructions);
}

static void update_print(struct text *t, const void *value)
{
    const struct of_flow_update *u = value;

    if (u->event == ONFFME_ABBREV) {
        text_add(t, " xid=0x%x", u->xid);
        return;
    }
    if (u->event == ONFFME_DELETED)
        text_add(t, " reason=%u", u->reason);
    text_add(t, " table=%u priority=%u cookie=0x%llx ", u->table_id, u->priority,
             (unsigned long long)u->cookie);
    of_print_match(t, &u->match);
    text_add(t, " actions=");
    of_print_instructions(t, &u->instructions);
}

static const struct special update_special = {update_decode, update_encode, update_print};
static const struct row flow_update_rows[] = {
    LENGTH,
    NUMBER(of_flow_update, event, 2, NAMED("added", "deleted", "modified", "abbrev")),
    SPECIAL(of_flow_update, update_special),
};
static const struct layout flow_update =
    LAYOUT(flow_update_rows, of_flow_update, .has_length = true);
static const struct row flow_updates_rows[] = {
    PART(of_multipart, flow_updates, ROW_LIST, .element = &flow_update)};
const struct layout of_flow_updates_body = LAYOUT(flow_updates_rows, of_multipart);

/* ---- role status (extension 191; OpenFlow 1.4 clause 7.4.4) ---- */

static const struct row role_status_rows[] = {
    NUMBER(of_role_status, role, 4, NAMED("nochange", "equal", "master", "slave")),
    NUMBER(of_role_status, reason, 1, NAMED("master_request", "config", "experimenter")),
    PAD(3),
    NUMBER(of_role_status, generation_id, 8),
    {.kind = ROW_IGNORE},
};
const struct layout of_role_status_layout = LAYOUT(role_status_rows, of_role_status);

/* ---- vacancy events (extension 192; OpenFlow 1.4 clauses 7.3.4.1, 7.3.5.16, 7.4.5) ---- */

static const struct row onf_table_mod_rows[] = {
    NUMBER(of_table_mod, table_id, 1),
    PAD(3),
    NUMBER(of_table_mod, config, 4, HEX),
    PART(of_table_mod, properties, ROW_LIST, .element = &of_property_layout),
};
const struct layout of_onf_table_mod_layout = LAYOUT(onf_table_mod_rows, of_table_mod);

static const struct row table_desc_rows[] = {
    LENGTH,
    NUMBER(of_table_desc, table_id, 1),
    PAD(1),
    NUMBER(of_table_desc, config, 4, HEX),
    PART(of_table_desc, properties, ROW_LIST, .element = &of_property_layout),
};
static const struct layout table_desc = LAYOUT(table_desc_rows, of_table_desc, .has_length = true);

static const struct row table_descs_rows[] = {
    PART(of_multipart, table_descs, ROW_LIST, .element = &table_desc)};
const struct layout of_table_descs_body = LAYOUT(table_descs_rows, of_multipart);

static const struct row table_status_rows[] = {
    NUMBER(of_table_status, reason, 1, NAMED("0", "1", "2", "vacancy_down", "vacancy_up")),
    PAD(7),
    PART(of_table_status, desc, ROW_STRUCT, .element = &table_desc),
};
const struct layout of_table_status_layout = LAYOUT(table_status_rows, of_table_status);

struct of_property of_vacancy_property(const struct of_vacancy *vacancy, uint8_t room[4])
{
    room[0] = vacancy->down;
    room[1] = vacancy->up;
    room[2] = vacancy->vacancy;
    room[3] = 0;
    return (struct of_property){OFPTMPT_VACANCY, bytes_of(room, 4)};
}

bool of_read_vacancy(const struct of_property *property, struct of_vacancy *vacancy)
{
    if (property->type != OFPTMPT_VACANCY || property->data.len != 4)
        return false;
    *vacancy =
        (struct of_vacancy){property->data.at[0], property->data.at[1], property->data.at[2]};
    return true;
}

/* ---- asynchronous configuration by properties (OpenFlow 1.4 clause 7.3.10) ---- */

/* Even types are the slave's mask, odd ones the master's and equal's, each message two. */
#define ASYNC_MASKS 10

static uint32_t *async_mask(struct of_async_config *c, uint16_t type)
{
    uint32_t *pairs[] = {c->packet_in_mask, c->port_status_mask, c->flow_removed_mask,
                         c->role_status_mask, c->table_status_mask};

    return &pairs[type / 2][type % 2 == 0];
}

static of_error async_decode(struct reader *r, void *value, struct arena *arena)
{
    struct of_async_config *c = value;

    (void)arena;
    while (rd_left(r) > 0) {
        uint16_t type = rd_u16(r), length = rd_u16(r);

        if (r->bad || length < 4 || length - 4u > rd_left(r))
            return OFPTFFC_BAD_LEN;
        if (type >= ASYNC_MASKS)
            return ONF_ASYNC_UNSUPPORTED;
        if (length != 8)
            return OFPTFFC_BAD_LEN;
        *async_mask(c, type) = rd_u32(r);
        c->given |= 1u << type;
    }
    return 0;
}

static void async_encode(struct writer *w, const void *value)
{
    struct of_async_config c = *(const struct of_async_config *)value;

    for (uint16_t type = 0; type < ASYNC_MASKS; type++) {
        if (!(c.given & 1u << type))
            continue;
        wr_u16(w, type);
        wr_u16(w, 8);
        wr_u32(w, *async_mask(&c, type));
    }
}

static void async_print(struct text *t, const void *value)
{
    static const char *const names[] = {"packet_in", "port_status", "flow_removed", "role_status",
                                        "table_status"};
    struct of_async_config c = *(const struct of_async_config *)value;

    for (uint16_t type = 0; type < ASYNC_MASKS; type++)
        if (c.given & 1u << type)
            text_add(t, " %s_%s=0x%x", names[type / 2], type % 2 ? "master" : "slave",
                     *async_mask(&c, type));
}

static const struct special async_special = {async_decode, async_encode, async_print};
static const struct row async_properties_rows[] = {SPECIAL(of_async_config, async_special)};
const struct layout of_async_properties_layout = LAYOUT(async_properties_rows, of_async_config);
