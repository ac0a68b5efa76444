/*
 * pcapng.c -- see pcapng.h. The format: PCAP Next Generation (draft-ietf-opsawg-pcapng): a file is
 * a row of blocks, each with its length at both ends, padded to 32 bits. Numbers are in host byte
 * order, which the first block tells; those of an exported PDU's tags are in network order.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "manager/pcapng.h"

#define LINKTYPE_UPPER_PDU 252
#define SECTION_HEADER     0x0a0d0d0a
#define INTERFACE          1
#define ENHANCED_PACKET    6
#define BYTE_ORDER_MAGIC   0x1a2b3c4d
#define OPTION_END         0
#define OPTION_COMMENT     1
#define COMMENT_MAX        256
#define HEAD_MAX           256 /* tags in front of the message */

/* Tags of exported PDUs (epan/exported_pdu.h of Wireshark). */
enum {
    TAG_END = 0,
    TAG_DISSECTOR = 12,
    TAG_IPV4_FROM = 20,
    TAG_IPV4_TO = 21,
    TAG_IPV6_FROM = 22,
    TAG_IPV6_TO = 23,
    TAG_PORT_TYPE = 24,
    TAG_PORT_FROM = 25,
    TAG_PORT_TO = 26,
};

static void put32(FILE *file, uint32_t value)
{
    fwrite(&value, sizeof(value), 1, file);
}

static void put16(FILE *file, uint16_t value)
{
    fwrite(&value, sizeof(value), 1, file);
}

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

static void put_padding(FILE *file, size_t len)
{
    static const char zero[4];

    fwrite(zero, 1, padded(len) - len, file);
}

int pcapng_begin(FILE *file)
{
    put32(file, SECTION_HEADER);
    put32(file, 28);
    put32(file, BYTE_ORDER_MAGIC);
    put16(file, 1); /* version 1.0 */
    put16(file, 0);
    put32(file, UINT32_MAX); /* length of the section: not told */
    put32(file, UINT32_MAX);
    put32(file, 28);

    put32(file, INTERFACE);
    put32(file, 20);
    put16(file, LINKTYPE_UPPER_PDU);
    put16(file, 0);
    put32(file, 0); /* no limit to a packet's length; time in microseconds by default */
    put32(file, 20);
    return ferror(file) ? -EIO : 0;
}

static void tag(struct writer *w, uint16_t type, const void *value, size_t len)
{
    wr_u16(w, type);
    wr_u16(w, (uint16_t)padded(len));
    wr_bytes(w, value, len);
    wr_zero(w, padded(len) - len);
}

static void tag_number(struct writer *w, uint16_t type, uint32_t value)
{
    const uint32_t net = htonl(value);

    tag(w, type, &net, sizeof(net));
}

static void tag_address(struct writer *w, const struct sockaddr_storage *address, bool from)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    if (address->ss_family == AF_INET) {
        tag(w, from ? TAG_IPV4_FROM : TAG_IPV4_TO, &v4->sin_addr, 4);
        tag_number(w, from ? TAG_PORT_FROM : TAG_PORT_TO, ntohs(v4->sin_port));
    } else if (address->ss_family == AF_INET6) {
        tag(w, from ? TAG_IPV6_FROM : TAG_IPV6_TO, &v6->sin6_addr, 16);
        tag_number(w, from ? TAG_PORT_FROM : TAG_PORT_TO, ntohs(v6->sin6_port));
    }
}

int pcapng_add(FILE *file, const struct pcapng_message *m)
{
    uint8_t head[HEAD_MAX];
    struct writer w = writer_of(head, sizeof(head));

    tag(&w, TAG_DISSECTOR, m->dissector, strlen(m->dissector));
    tag_address(&w, &m->from, true);
    tag_address(&w, &m->to, false);
    if (m->port_type != PCAPNG_NONE)
        tag_number(&w, TAG_PORT_TYPE, m->port_type);
    tag(&w, TAG_END, NULL, 0);
    if (w.bad)
        return -EINVAL;

    size_t comment = m->comment ? strnlen(m->comment, COMMENT_MAX) : 0;
    size_t packet = wr_len(&w) + m->message.len;
    size_t options = comment ? 4 + padded(comment) + 4 : 0;
    uint32_t block = (uint32_t)(32 + padded(packet) + options);
    put32(file, ENHANCED_PACKET);
    put32(file, block);
    put32(file, 0); /* interface */
    put32(file, (uint32_t)(m->time_us >> 32));
    put32(file, (uint32_t)m->time_us);
    put32(file, (uint32_t)packet);
    put32(file, (uint32_t)packet);
    fwrite(head, 1, wr_len(&w), file);
    fwrite(m->message.at, 1, m->message.len, file);
    put_padding(file, packet);
    if (comment) {
        put16(file, OPTION_COMMENT);
        put16(file, (uint16_t)comment);
        fwrite(m->comment, 1, comment, file);
        put_padding(file, comment);
        put16(file, OPTION_END);
        put16(file, 0);
    }
    put32(file, block);
    return ferror(file) ? -EIO : 0;
}
