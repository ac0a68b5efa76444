/*
 * pcapng.c -- see pcapng.h.
 */
#include <string.h>

#include "wire/pcapng.h"

#define SECTION_HEADER   0x0a0d0d0a
#define BYTE_ORDER_MAGIC 0x1a2b3c4d

/* Options of blocks. */
enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_INTERFACE_NAME = 2,
    OPTION_PACKET_FLAGS = 2,
    OPTION_RECEIVED = 4,
    OPTION_DROPPED = 5,
};

static void put16(struct writer *w, uint16_t value)
{
    wr_bytes(w, &value, sizeof(value));
}

static void put32(struct writer *w, uint32_t value)
{
    wr_bytes(w, &value, sizeof(value));
}

static void put_padding(struct writer *w, size_t len)
{
    wr_zero(w, -len & 3);
}

static void put_option(struct writer *w, uint16_t code, const void *value, size_t len)
{
    put16(w, code);
    put16(w, (uint16_t)len);
    wr_bytes(w, value, len);
    put_padding(w, len);
}

static void put_comment(struct writer *w, const char *comment)
{
    if (comment && *comment)
        put_option(w, OPTION_COMMENT, comment, strnlen(comment, PCAPNG_COMMENT_MAX));
}

/* Begins a block; its end fills both lengths in. */
static size_t block_begin(struct writer *w, uint32_t type)
{
    size_t at = wr_len(w);

    put32(w, type);
    put32(w, 0);
    return at;
}

static void block_end(struct writer *w, size_t at)
{
    uint32_t len = (uint32_t)(wr_len(w) - at + sizeof(len));

    put32(w, len);
    if (!w->bad)
        memcpy(w->start + at + 4, &len, sizeof(len));
}

void pcapng_section(struct writer *w)
{
    size_t at = block_begin(w, SECTION_HEADER);

    put32(w, BYTE_ORDER_MAGIC);
    put16(w, 1); /* version 1.0 */
    put16(w, 0);
    put32(w, UINT32_MAX); /* length of the section: not told */
    put32(w, UINT32_MAX);
    block_end(w, at);
}

void pcapng_interface(struct writer *w, uint16_t link_type, uint32_t snaplen, const char *name)
{
    size_t at = block_begin(w, PCAPNG_INTERFACE_BLOCK);

    put16(w, link_type);
    put16(w, 0);
    put32(w, snaplen);
    if (name) {
        put_option(w, OPTION_INTERFACE_NAME, name, strlen(name));
        put_option(w, OPTION_END, NULL, 0);
    }
    block_end(w, at);
}

void pcapng_packet(struct writer *w, const struct pcapng_packet *p)
{
    size_t at = block_begin(w, PCAPNG_PACKET), captured = p->head.len + p->body.len;
    const uint32_t flags = p->direction;

    put32(w, p->interface);
    put32(w, (uint32_t)(p->time_us >> 32));
    put32(w, (uint32_t)p->time_us);
    put32(w, (uint32_t)captured);
    put32(w, p->len ? p->len : (uint32_t)captured);
    wr_view_of(w, p->head);
    wr_view_of(w, p->body);
    put_padding(w, captured);
    put_comment(w, p->comment);
    if (flags)
        put_option(w, OPTION_PACKET_FLAGS, &flags, sizeof(flags));
    if (flags || (p->comment && *p->comment))
        put_option(w, OPTION_END, NULL, 0);
    block_end(w, at);
}

void pcapng_statistics(struct writer *w, uint32_t interface, uint64_t time_us, uint64_t received,
                       uint64_t dropped, const char *comment)
{
    size_t at = block_begin(w, PCAPNG_STATISTICS);

    put32(w, interface);
    put32(w, (uint32_t)(time_us >> 32));
    put32(w, (uint32_t)time_us);
    put_comment(w, comment);
    put_option(w, OPTION_RECEIVED, &received, sizeof(received));
    put_option(w, OPTION_DROPPED, &dropped, sizeof(dropped));
    put_option(w, OPTION_END, NULL, 0);
    block_end(w, at);
}

/* ---- reading ---- */

static uint32_t get32(struct reader *r)
{
    uint32_t value = 0;

    rd_bytes(r, &value, sizeof(value));
    return value;
}

static uint16_t get16(struct reader *r)
{
    uint16_t value = 0;

    rd_bytes(r, &value, sizeof(value));
    return value;
}

/* The next option; false at their end. */
static bool next_option(struct reader *r, uint16_t *code, struct bytes *value)
{
    uint16_t len;

    if (rd_left(r) < 4)
        return false;
    *code = get16(r);
    len = get16(r);
    *value = rd_view(r, len);
    rd_skip(r, -(size_t)len & 3);
    return !r->bad && *code != OPTION_END;
}

/* A block's body, if it is one of this type. */
static struct reader body_of(struct bytes block, uint32_t type)
{
    struct reader r = reader_of_bytes(block);

    if (get32(&r) != type || get32(&r) != block.len || block.len < 12)
        rd_fail(&r);
    return rd_sub(&r, block.len - 12);
}

bool pcapng_read_packet(struct bytes block, struct pcapng_packet *p, struct bytes *comment)
{
    struct reader r = body_of(block, PCAPNG_PACKET);
    struct bytes value;
    uint32_t captured;
    uint16_t code;

    *p = (struct pcapng_packet){.interface = get32(&r)};
    *comment = bytes_of(NULL, 0);
    p->time_us = (uint64_t)get32(&r) << 32;
    p->time_us |= get32(&r);
    captured = get32(&r);
    p->len = get32(&r);
    p->body = rd_view(&r, captured);
    rd_skip(&r, -(size_t)captured & 3);
    while (next_option(&r, &code, &value))
        if (code == OPTION_COMMENT)
            *comment = value;
        else if (code == OPTION_PACKET_FLAGS && value.len == 4)
            p->direction = value.at[0] & 3;
    return !r.bad;
}

bool pcapng_read_statistics(struct bytes block, uint64_t *dropped, struct bytes *comment)
{
    struct reader r = body_of(block, PCAPNG_STATISTICS);
    struct bytes value;
    uint16_t code;

    *dropped = 0;
    *comment = bytes_of(NULL, 0);
    rd_skip(&r, 12);
    while (next_option(&r, &code, &value))
        if (code == OPTION_COMMENT)
            *comment = value;
        else if (code == OPTION_DROPPED && value.len == sizeof(*dropped))
            memcpy(dropped, value.at, sizeof(*dropped));
    return !r.bad;
}
