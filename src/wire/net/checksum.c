/*
 * checksum.c -- the Internet checksum (RFC 1071), its update (RFC 1624), and SCTP's CRC32c (RFC
 * 9260 appendix A).
 */
#include "wire/net/net.h"

uint32_t net_sum(const void *at, size_t len, uint32_t sum)
{
    const uint8_t *p = at;
    uint64_t wide = sum;

    for (; len >= 4; len -= 4, p += 4) {
        uint32_t word;

        memcpy(&word, p, 4);
        wide += word;
    }
    if (len >= 2) {
        uint16_t half;

        memcpy(&half, p, 2);
        wide += half;
        p += 2;
        len -= 2;
    }
    if (len)
        wide += htons((uint16_t)(*p << 8));
    wide = (wide & 0xffffffff) + (wide >> 32);
    return (uint32_t)((wide & 0xffffffff) + (wide >> 32));
}

be16 net_sum_finish(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (be16)~sum;
}

uint32_t net_sum_pseudo(const void *src, const void *dst, size_t address_size, uint8_t protocol,
                        uint32_t length)
{
    be32 tail[2] = {htonl(length), htonl(protocol)};
    uint32_t sum = net_sum(src, address_size, 0);

    return net_sum(tail, sizeof(tail), net_sum(dst, address_size, sum));
}

void net_checksum_replace(be16 *checksum, const void *old_bytes, const void *new_bytes, size_t len)
{
    uint32_t sum = (uint16_t) ~*checksum;

    for (size_t i = 0; i + 1 < len; i += 2) {
        uint16_t was, is;

        memcpy(&was, (const uint8_t *)old_bytes + i, 2);
        memcpy(&is, (const uint8_t *)new_bytes + i, 2);
        sum += (uint16_t)~was;
        sum += is;
    }
    *checksum = net_sum_finish(sum);
}

/* Castagnoli's polynomial, reflected, bit by bit: rewriting SCTP packets is rare in a user plane.
 */
static uint32_t crc_step(uint32_t crc)
{
    for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    return crc;
}

static uint32_t crc_bytes(uint32_t crc, const uint8_t *p, size_t len)
{
    while (len--)
        crc = crc_step((crc ^ *p++) & 0xff) ^ crc >> 8;
    return crc;
}

uint32_t net_crc32c(const void *at, size_t len)
{
    return ~crc_bytes(0xffffffffu, at, len);
}

/* Of a segment, as if its checksum field were zero. */
static uint32_t sctp_crc(const uint8_t *segment, size_t len)
{
    static const uint8_t zero[4];
    uint32_t crc = crc_bytes(0xffffffffu, segment, 8);

    return ~crc_bytes(crc_bytes(crc, zero, 4), segment + SCTP_SIZE, len - SCTP_SIZE);
}

/* Where the checksum lies in the transport header, and how long the header is at least. */
static const struct {
    uint8_t protocol, offset, least;
} places[] = {
    {IP_TCP, 16, TCP_MIN_SIZE},
    {IP_UDP, 6, UDP_SIZE},
    {IP_ICMP, 2, 4},
    {IP_ICMPV6, 2, 4},
};

static uint32_t segment_sum(uint8_t protocol, const void *src, const void *dst, size_t address_size,
                            const uint8_t *segment, size_t len)
{
    uint32_t sum = 0;

    if (protocol != IP_ICMP)
        sum = net_sum_pseudo(src, dst, address_size, protocol, (uint32_t)len);
    return net_sum(segment, len, sum);
}

static void store_crc(uint8_t *segment, size_t len)
{
    uint32_t crc = sctp_crc(segment, len);

    for (int i = 0; i < 4; i++)
        segment[8 + i] = (uint8_t)(crc >> 8 * i);
}

bool net_fill_checksum(uint8_t protocol, const void *src, const void *dst, size_t address_size,
                       uint8_t *segment, size_t len)
{
    if (protocol == IP_SCTP && len >= SCTP_SIZE) {
        store_crc(segment, len);
        return true;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        be16 sum;

        if (places[i].protocol != protocol || len < places[i].least)
            continue;
        memset(segment + places[i].offset, 0, 2);
        sum = net_sum_finish(segment_sum(protocol, src, dst, address_size, segment, len));
        if (protocol == IP_UDP && sum == 0)
            sum = 0xffff;
        memcpy(segment + places[i].offset, &sum, 2);
        return true;
    }
    return false;
}

bool net_checksum_ok(uint8_t protocol, const void *src, const void *dst, size_t address_size,
                     const uint8_t *segment, size_t len)
{
    if (protocol == IP_SCTP && len >= SCTP_SIZE) {
        uint32_t told = 0;

        for (int i = 0; i < 4; i++)
            told |= (uint32_t)segment[8 + i] << 8 * i;
        return sctp_crc(segment, len) == told;
    }
    if (protocol == IP_UDP && address_size == 4 && len >= UDP_SIZE && segment[6] == 0 &&
        segment[7] == 0)
        return true;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (places[i].protocol == protocol)
            return len >= places[i].least &&
                   net_sum_finish(segment_sum(protocol, src, dst, address_size, segment, len)) == 0;
    return true;
}
