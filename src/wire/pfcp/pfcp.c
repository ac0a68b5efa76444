/*
 * pfcp.c -- header, whole messages, and the answers that faults ask for (TS 29.244 clauses 7.2
 * and 7.6).
 *
 * The header is 8 octets for node messages and 16 with a SEID:
 *
 *      1   | version (3) | spare (3) | MP | S |
 *      2   | message type                     |
 *      3-4 | length of what follows           |
 *          | SEID (8 octets), if S            |
 *          | sequence number (3 octets)       |
 *          | message priority, if MP | spare  |
 *
 * An element is a type and a length of 16 bits each; types from 32768 are vendors' and begin with
 * an enterprise id. All that is unknown is skipped (clause 7.6.6: comprehension is not required).
 */
#include <errno.h>

#include "wire/pfcp/pfcp_types.h"

#define FLAG_S                0x01
#define FLAG_MP               0x02
#define VENDOR_SPECIFIC       0x8000
#define FIRST_SESSION_MESSAGE 50 /* clause 7.3: from here on with a SEID */

static bool take_element(struct reader *r, struct tlv *element)
{
    const uint8_t *start = r->at;

    *element = (struct tlv){.id = rd_u16(r)};
    element->value = rd_view(r, rd_u16(r));
    if (r->bad)
        return false;
    if (element->id & VENDOR_SPECIFIC) {
        struct reader value = reader_of_bytes(element->value);
        element->vendor = rd_u16(&value);
        if (value.bad) {
            rd_fail(r);
            return false;
        }
        element->value = rd_rest(&value);
    }
    element->whole = bytes_of(start, (size_t)(r->at - start));
    return true;
}

static size_t open_element(struct writer *w, const struct wire_ie *row)
{
    wr_u16(w, (uint16_t)row->id);
    wr_u16(w, 0);
    return wr_len(w);
}

static void close_element(struct writer *w, size_t opened)
{
    size_t len = wr_len(w) - opened;

    if (w->bad || len > UINT16_MAX)
        wr_fail(w);
    else
        wr_patch_u16(w, opened - 2, (uint16_t)len);
}

const struct tlv_format pfcp_format = {.take = take_element,
                                       .open = open_element,
                                       .close = close_element,
                                       .optional_may_be_broken = true};

int pfcp_read_header(struct reader *r, struct pfcp_header *header)
{
    uint8_t flags = rd_u8(r);

    *header = (struct pfcp_header){.version = flags >> 5,
                                   .has_seid = flags & FLAG_S,
                                   .has_priority = flags & FLAG_MP,
                                   .type = rd_u8(r),
                                   .length = rd_u16(r)};
    if (r->bad)
        return -EBADMSG;
    struct reader rest = rd_sub(r, header->length);
    *r = rest;
    header->seid = header->has_seid ? rd_u64(r) : 0;
    header->sequence = rd_u24(r);
    uint8_t last = rd_u8(r);
    header->priority = header->has_priority ? last >> 4 : 0;
    if (header->version != PFCP_VERSION)
        return -EPROTONOSUPPORT;
    return r->bad ? -EBADMSG : 0;
}

const struct wire_group *pfcp_group(uint8_t type)
{
    const struct pfcp_message_row *row = pfcp_message_row(type);

    return row ? row->group : NULL;
}

const char *pfcp_message_name(uint8_t type)
{
    const struct pfcp_message_row *row = pfcp_message_row(type);

    return row ? row->name : NULL;
}

bool pfcp_is_request(uint8_t type)
{
    const struct pfcp_message_row *row = pfcp_message_row(type);

    return row && row->is_request;
}

int pfcp_decode(struct bytes datagram, struct arena *arena, struct pfcp_header *header, void **body,
                struct wire_fault *fault)
{
    struct reader r = reader_of_bytes(datagram);
    struct wire_context context = {.arena = arena};
    int err;

    *body = NULL;
    *fault = (struct wire_fault){0};
    if ((err = pfcp_read_header(&r, header)) < 0)
        return err;
    const struct wire_group *group = pfcp_group(header->type);
    if (!group)
        return -EOPNOTSUPP;
    /* A session message without a SEID, or the other way round, belongs to no known format. */
    if (header->has_seid != (header->type >= FIRST_SESSION_MESSAGE))
        return -EBADMSG;
    if (!(*body = arena_alloc(arena, group->size)))
        return -ENOMEM;
    err = tlv_decode(group, &r, *body, &context);
    *fault = context.fault;
    return err;
}

enum pfcp_cause pfcp_fault_cause(const struct wire_fault *fault)
{
    switch (fault->kind) {
    case WIRE_FAULT_NONE:
        return PFCP_CAUSE_REQUEST_ACCEPTED;
    case WIRE_FAULT_MISSING:
        return PFCP_CAUSE_MANDATORY_IE_MISSING;
    case WIRE_FAULT_LENGTH:
        return PFCP_CAUSE_INVALID_LENGTH;
    case WIRE_FAULT_NO_MEMORY:
        return PFCP_CAUSE_NO_RESOURCES_AVAILABLE;
    default:
        return PFCP_CAUSE_MANDATORY_IE_INCORRECT;
    }
}

int pfcp_encode(struct writer *w, const struct pfcp_header *header, const void *body)
{
    const struct wire_group *group = pfcp_group(header->type);
    bool has_seid = header->type >= FIRST_SESSION_MESSAGE;
    size_t start = wr_len(w);

    if (!group || (!body && group->count > 0)) {
        wr_fail(w);
        return -EINVAL;
    }
    wr_u8(w, (uint8_t)(PFCP_VERSION << 5 | (header->has_priority ? FLAG_MP : 0) |
                       (has_seid ? FLAG_S : 0)));
    wr_u8(w, header->type);
    wr_u16(w, 0);
    size_t counted = wr_len(w);
    if (has_seid)
        wr_u64(w, header->seid);
    wr_u24(w, header->sequence);
    wr_u8(w, header->has_priority ? (uint8_t)(header->priority << 4) : 0);
    tlv_encode(group, w, body);
    size_t len = wr_len(w) - counted;
    if (w->bad || len > UINT16_MAX) {
        wr_fail(w);
        return -EMSGSIZE;
    }
    wr_patch_u16(w, start + 2, (uint16_t)len);
    return 0;
}

void pfcp_print(struct text *t, const struct pfcp_header *header, const void *body)
{
    const struct pfcp_message_row *row = pfcp_message_row(header->type);

    if (row)
        text_add(t, "%s", row->name);
    else
        text_add(t, "message type %u", header->type);
    if (header->has_seid || header->type >= FIRST_SESSION_MESSAGE)
        text_add(t, " seid=0x%llx", (unsigned long long)header->seid);
    text_add(t, " seq=%u", header->sequence);
    if (row && body && row->group->count > 0) {
        text_add(t, " ");
        tlv_print(row->group, t, body);
    }
}
