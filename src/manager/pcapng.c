/*
 * pcapng.c -- see pcapng.h. Blocks are wire/pcapng.h's; here are the tags of an exported PDU, whose
 * numbers are in network byte order.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "manager/pcapng.h"
#include "wire/pcapng.h"

#define COMMENT_MAX 256
#define HEAD_MAX    256 /* tags in front of the message */

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

static int put(FILE *file, const struct writer *w)
{
    fwrite(wr_view(w).at, 1, wr_len(w), file);
    return ferror(file) || w->bad ? -EIO : 0;
}

int pcapng_begin(FILE *file)
{
    uint8_t blocks[64];
    struct writer w = writer_of(blocks, sizeof(blocks));

    pcapng_section(&w);
    pcapng_interface(&w, PCAPNG_UPPER_PDU, 0, NULL);
    return put(file, &w);
}

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
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

    char comment[COMMENT_MAX + 1];
    struct pcapng_packet packet = {
        .time_us = m->time_us, .head = wr_view(&w), .body = m->message, .comment = comment};
    size_t size = PCAPNG_OVERHEAD + packet.head.len + packet.body.len;
    uint8_t *block = malloc(size);
    if (!block)
        return -ENOMEM;
    snprintf(comment, sizeof(comment), "%s", m->comment ? m->comment : "");
    struct writer out = writer_of(block, size);
    pcapng_packet(&out, &packet);
    int err = put(file, &out);
    free(block);
    return err;
}
