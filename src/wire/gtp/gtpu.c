/*
 * gtpu.c -- see gtpu.h.
 *
 * Information elements of path messages come in two shapes (TS 29.281 clause 8.1): types below 128
 * have a fixed length and no length field, the others have one of 16 bits, except for the Extension
 * Header Type List, whose length is one octet.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "wire/gtp/gtpu.h"

/* First octet of the header: version 1, PT 1 (GTP, not GTP'). */
#define FLAGS_MASK    0xf0
#define FLAGS_GTPV1   0x30
#define FLAG_E        0x04
#define FLAG_S        0x02
#define FLAG_PN       0x01
#define OPTIONAL_SIZE 4

enum {
    IE_RECOVERY = 14,
    IE_TEID_DATA_I = 16,
    IE_PEER_ADDRESS = 133,
    IE_EXTENSION_HEADER_TYPE_LIST = 141,
};

bool gtpu_next_extension(uint8_t *type, struct bytes *chain, struct gtpu_extension *extension)
{
    if (*type == GTPU_NO_MORE_EXTENSION_HEADERS || chain->len < 4)
        return false;
    size_t size = (size_t)chain->at[0] * 4;
    if (size == 0 || size > chain->len)
        return false;
    extension->type = *type;
    extension->content = bytes_of(chain->at + 1, size - 2);
    *type = chain->at[size - 1];
    *chain = bytes_of(chain->at + size, chain->len - size);
    return true;
}

/* Takes the chain that begins with `type` from the reader; empty, and the reader bad, when it is
 * broken. */
static struct bytes take_extensions(struct reader *r, uint8_t type)
{
    const uint8_t *start = r->at;

    while (type != GTPU_NO_MORE_EXTENSION_HEADERS) {
        size_t size = (size_t)rd_u8(r) * 4;
        if (size == 0) {
            rd_fail(r);
            break;
        }
        rd_skip(r, size - 2);
        type = rd_u8(r);
    }
    return r->bad ? bytes_of(NULL, 0) : bytes_of(start, (size_t)(r->at - start));
}

int gtpu_read(struct bytes datagram, struct gtpu_header *header)
{
    struct reader r = reader_of_bytes(datagram);
    uint8_t flags = rd_u8(&r);

    *header = (struct gtpu_header){.type = rd_u8(&r)};
    size_t length = rd_u16(&r);
    header->teid = rd_u32(&r);
    if (r.bad)
        return -EBADMSG;
    if ((flags & FLAGS_MASK) != FLAGS_GTPV1)
        return -EPROTONOSUPPORT;
    struct reader body = rd_sub(&r, length);
    if (flags & (FLAG_E | FLAG_S | FLAG_PN)) {
        uint16_t sequence = rd_u16(&body);
        uint8_t n_pdu = rd_u8(&body);
        uint8_t next = rd_u8(&body);
        header->has_sequence = flags & FLAG_S;
        header->sequence = header->has_sequence ? sequence : 0;
        header->has_n_pdu = flags & FLAG_PN;
        header->n_pdu = header->has_n_pdu ? n_pdu : 0;
        header->first_extension = flags & FLAG_E ? next : GTPU_NO_MORE_EXTENSION_HEADERS;
        header->extensions = take_extensions(&body, header->first_extension);
    }
    header->payload = rd_rest(&body);
    return body.bad ? -EBADMSG : 0;
}

uint8_t gtpu_unsupported_extension(const struct gtpu_header *header, bool (*known)(uint8_t type))
{
    uint8_t type = header->first_extension;
    struct bytes chain = header->extensions;
    struct gtpu_extension extension;

    while (gtpu_next_extension(&type, &chain, &extension))
        if (gtpu_extension_is_required(extension.type) && !known(extension.type))
            return extension.type;
    return 0;
}

void gtpu_write(struct writer *w, const struct gtpu_header *header, size_t length)
{
    bool has_extensions = header->first_extension != GTPU_NO_MORE_EXTENSION_HEADERS;
    uint8_t flags = FLAGS_GTPV1;

    flags |= has_extensions ? FLAG_E : 0;
    flags |= header->has_sequence ? FLAG_S : 0;
    flags |= header->has_n_pdu ? FLAG_PN : 0;
    if (flags != FLAGS_GTPV1)
        length += OPTIONAL_SIZE + header->extensions.len;
    if (length > UINT16_MAX) {
        wr_fail(w);
        return;
    }
    wr_u8(w, flags);
    wr_u8(w, header->type);
    wr_u16(w, (uint16_t)length);
    wr_u32(w, header->teid);
    if (flags == FLAGS_GTPV1)
        return;
    wr_u16(w, header->sequence);
    wr_u8(w, header->n_pdu);
    wr_u8(w, header->first_extension);
    wr_view_of(w, header->extensions);
}

static void write_path_message(struct writer *w, uint8_t type, uint16_t sequence, struct bytes body)
{
    struct gtpu_header header = {.type = type, .has_sequence = true, .sequence = sequence};

    gtpu_write(w, &header, body.len);
    wr_view_of(w, body);
}

void gtpu_write_echo_request(struct writer *w, uint16_t sequence)
{
    write_path_message(w, GTPU_ECHO_REQUEST, sequence, bytes_of(NULL, 0));
}

void gtpu_write_echo_response(struct writer *w, uint16_t sequence)
{
    static const uint8_t recovery[] = {IE_RECOVERY, 0};

    write_path_message(w, GTPU_ECHO_RESPONSE, sequence, bytes_of(recovery, sizeof(recovery)));
}

void gtpu_write_error_indication(struct writer *w, const struct gtpu_error_indication *error)
{
    uint8_t port[4] = {1, (uint8_t)(error->udp_port >> 8), (uint8_t)error->udp_port, 0};
    struct gtpu_header header = {.type = GTPU_ERROR_INDICATION, .has_sequence = true};
    size_t address_size = error->is_ipv6 ? sizeof(error->ipv6) : sizeof(error->ipv4);

    if (error->udp_port) {
        header.first_extension = GTPU_UDP_PORT;
        header.extensions = bytes_of(port, sizeof(port));
    }
    gtpu_write(w, &header, 5 + 3 + address_size);
    wr_u8(w, IE_TEID_DATA_I);
    wr_u32(w, error->teid);
    wr_u8(w, IE_PEER_ADDRESS);
    wr_u16(w, (uint16_t)address_size);
    if (error->is_ipv6)
        wr_bytes(w, &error->ipv6, address_size);
    else
        wr_bytes(w, &error->ipv4, address_size);
}

/* Lengths of the elements without a length field. */
static size_t fixed_length(uint8_t type)
{
    return type == IE_RECOVERY ? 1 : type == IE_TEID_DATA_I ? 4 : 0;
}

/* Finds an element; an empty view when it is not there or something before it is broken. */
static struct bytes find_element(struct bytes body, uint8_t wanted)
{
    struct reader r = reader_of_bytes(body);

    while (rd_left(&r) > 0) {
        uint8_t type = rd_u8(&r);
        size_t length = type >= 128 ? 0 : fixed_length(type);
        if (type < 128 && length == 0)
            break; /* of unknown length: nothing behind it can be found */
        if (type >= 128)
            length = type == IE_EXTENSION_HEADER_TYPE_LIST ? rd_u8(&r) : rd_u16(&r);
        struct bytes value = rd_view(&r, length);
        if (r.bad)
            break;
        if (type == wanted)
            return value;
    }
    return bytes_of(NULL, 0);
}

int gtpu_read_error_indication(const struct gtpu_header *header,
                               struct gtpu_error_indication *error)
{
    struct bytes teid = find_element(header->payload, IE_TEID_DATA_I);
    struct bytes address = find_element(header->payload, IE_PEER_ADDRESS);
    uint8_t type = header->first_extension;
    struct bytes chain = header->extensions;
    struct gtpu_extension extension;

    *error = (struct gtpu_error_indication){.is_ipv6 = address.len == sizeof(error->ipv6)};
    if (teid.len != 4 || (!error->is_ipv6 && address.len != sizeof(error->ipv4)))
        return -EBADMSG;
    struct reader r = reader_of_bytes(teid);
    error->teid = rd_u32(&r);
    if (error->is_ipv6)
        memcpy(&error->ipv6, address.at, address.len);
    else
        memcpy(&error->ipv4, address.at, address.len);
    while (gtpu_next_extension(&type, &chain, &extension))
        if (extension.type == GTPU_UDP_PORT)
            error->udp_port = (uint16_t)(extension.content.at[0] << 8 | extension.content.at[1]);
    return 0;
}

void gtpu_write_supported_extension_headers(struct writer *w, uint16_t sequence, struct bytes types)
{
    struct gtpu_header header = {.type = GTPU_SUPPORTED_EXTENSION_HEADERS_NOTIFICATION,
                                 .has_sequence = true,
                                 .sequence = sequence};

    if (types.len > UINT8_MAX) {
        wr_fail(w);
        return;
    }
    gtpu_write(w, &header, 2 + types.len);
    wr_u8(w, IE_EXTENSION_HEADER_TYPE_LIST);
    wr_u8(w, (uint8_t)types.len);
    wr_view_of(w, types);
}

int gtpu_read_supported_extension_headers(const struct gtpu_header *header, struct bytes *types)
{
    *types = find_element(header->payload, IE_EXTENSION_HEADER_TYPE_LIST);
    return types->at ? 0 : -EBADMSG;
}

void gtpu_write_end_marker(struct writer *w, uint32_t teid)
{
    gtpu_write(w, &(struct gtpu_header){.type = GTPU_END_MARKER, .teid = teid}, 0);
}

static const struct {
    uint8_t type;
    const char *name;
} names[] = {
    {GTPU_ECHO_REQUEST, "Echo Request"},
    {GTPU_ECHO_RESPONSE, "Echo Response"},
    {GTPU_ERROR_INDICATION, "Error Indication"},
    {GTPU_SUPPORTED_EXTENSION_HEADERS_NOTIFICATION, "Supported Extension Headers Notification"},
    {GTPU_END_MARKER, "End Marker"},
    {GTPU_G_PDU, "G-PDU"},
};

const char *gtpu_message_name(uint8_t type)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].type == type)
            return names[i].name;
    return NULL;
}

void gtpu_print(struct text *t, const struct gtpu_header *header)
{
    const char *name = gtpu_message_name(header->type);
    uint8_t type = header->first_extension;
    struct bytes chain = header->extensions;
    struct gtpu_extension extension;
    struct gtpu_error_indication error;
    char address[INET6_ADDRSTRLEN];

    if (name)
        text_add(t, "%s teid=%#x", name, header->teid);
    else
        text_add(t, "message %u teid=%#x", header->type, header->teid);
    if (header->has_sequence)
        text_add(t, " seq=%u", header->sequence);
    while (gtpu_next_extension(&type, &chain, &extension)) {
        text_add(t, " extension=%#x:", extension.type);
        text_hex(t, extension.content);
    }
    if (header->type == GTPU_ERROR_INDICATION && gtpu_read_error_indication(header, &error) == 0) {
        inet_ntop(error.is_ipv6 ? AF_INET6 : AF_INET,
                  error.is_ipv6 ? (void *)&error.ipv6 : (void *)&error.ipv4, address,
                  sizeof(address));
        text_add(t, " unknown=%#x at=%s", error.teid, address);
    }
    if (header->type == GTPU_G_PDU)
        text_add(t, " length=%zu", header->payload.len);
}

void gtpu_trace_printer(struct bytes datagram, struct text *t)
{
    struct gtpu_header header;

    if (gtpu_read(datagram, &header) < 0)
        text_add(t, "not GTP-U: %zu octets", datagram.len);
    else
        gtpu_print(t, &header);
}
