/*
 * filter.c -- reading and applying SDF filters; filter.h tells what they are.
 *
 * The grammar that is read (TS 29.212 clause 5.4.2 restricts RFC 6733's):
 *
 *     permit (out|in) PROTOCOL from END to END        PROTOCOL: a number, or "ip" for any
 *     END: (any | assigned | ADDRESS[/LENGTH]) [PORT | PORT-PORT]
 *
 * Inverted addresses ("!"), port lists and options are refused rather than half obeyed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/filter.h"

#define WORD_SIZE 64

/* The next word of the line; empty at its end. False when it is too long to be one. */
static bool take_word(struct reader *r, char word[WORD_SIZE])
{
    size_t n = 0;

    while (rd_peek(r) == ' ' && rd_left(r) > 0)
        rd_skip(r, 1);
    while (rd_left(r) > 0 && rd_peek(r) != ' ' && rd_peek(r) != '\0') {
        if (n == WORD_SIZE - 1)
            return false;
        word[n++] = (char)rd_u8(r);
    }
    word[n] = '\0';
    return true;
}

static bool parse_number(const char *text, unsigned long max, unsigned long *number)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    *number = strtoul(text, &end, 10);
    return *end == '\0' && *number <= max;
}

/* ADDRESS[/LENGTH]; the version of both ends must agree. */
static int parse_address(char *text, struct up_filter_end *end, uint8_t *version)
{
    char *slash = strchr(text, '/');
    uint8_t found = strchr(text, ':') ? 6 : 4;
    unsigned long length = found == 4 ? 32 : 128;

    if (text[0] == '!')
        return -ENOTSUP;
    if (slash) {
        *slash = '\0';
        if (!parse_number(slash + 1, length, &length))
            return -EINVAL;
    }
    if (inet_pton(found == 4 ? AF_INET : AF_INET6, text, &end->address) != 1)
        return -EINVAL;
    if (*version != 0 && *version != found)
        return -EINVAL;
    *version = found;
    end->prefix = (uint8_t)length;
    /* Bits beyond the length do not count, and must be zero where a switch compares. */
    for (unsigned bit = end->prefix; bit < 128; bit++)
        end->address.s6_addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return 0;
}

static int parse_ports(char *text, struct up_filter_end *end)
{
    char *dash = strchr(text, '-');
    unsigned long low, high;

    if (strchr(text, ','))
        return -ENOTSUP;
    if (dash)
        *dash = '\0';
    if (!parse_number(text, UINT16_MAX, &low) ||
        !parse_number(dash ? dash + 1 : text, UINT16_MAX, &high) || low > high)
        return -EINVAL;
    end->port_low = (uint16_t)low;
    end->port_high = (uint16_t)high;
    return 0;
}

/* An END; leaves the word behind it in `word`. */
static int parse_end(struct reader *r, char word[WORD_SIZE], struct up_filter_end *end,
                     uint8_t *version)
{
    int err;

    end->port_low = 0;
    end->port_high = UINT16_MAX;
    if (!take_word(r, word))
        return -EINVAL;
    if (strcmp(word, "any") != 0 && strcmp(word, "assigned") != 0 &&
        (err = parse_address(word, end, version)) < 0)
        return err;
    if (!take_word(r, word))
        return -EINVAL;
    if (word[0] < '0' || word[0] > '9')
        return 0;
    if ((err = parse_ports(word, end)) < 0)
        return err;
    return take_word(r, word) ? 0 : -EINVAL;
}

static int parse_line(struct bytes line, struct up_filter *filter)
{
    struct reader r = reader_of_bytes(line);
    char word[WORD_SIZE];
    unsigned long protocol = 0;
    int err;

    if (!take_word(&r, word) || strcmp(word, "permit") != 0 || !take_word(&r, word))
        return -EINVAL;
    bool out = strcmp(word, "out") == 0;
    if ((!out && strcmp(word, "in") != 0) || !take_word(&r, word))
        return -EINVAL;
    if (strcmp(word, "ip") != 0 && !parse_number(word, UINT8_MAX, &protocol))
        return -EINVAL;
    filter->protocol = (uint8_t)protocol;
    if (!take_word(&r, word) || strcmp(word, "from") != 0)
        return -EINVAL;
    if ((err = parse_end(&r, word, out ? &filter->remote : &filter->local, &filter->version)) < 0)
        return err;
    if (strcmp(word, "to") != 0)
        return -EINVAL;
    if ((err = parse_end(&r, word, out ? &filter->local : &filter->remote, &filter->version)) < 0)
        return err;
    return word[0] == '\0' ? 0 : -ENOTSUP;
}

int up_filter_read(const struct pfcp_sdf_filter *sdf, struct up_filter *filter)
{
    int err = 0;

    *filter = (struct up_filter){.remote.port_high = UINT16_MAX, .local.port_high = UINT16_MAX};
    if (sdf->has_security_parameter_index || sdf->has_flow_label)
        return -ENOTSUP;
    if (sdf->has_filter_id)
        filter->id = sdf->filter_id;
    if (sdf->has_tos_traffic_class) {
        filter->tos_mask = (uint8_t)sdf->tos_traffic_class;
        filter->tos = (uint8_t)(sdf->tos_traffic_class >> 8) & filter->tos_mask;
        if (filter->tos_mask != 0 && filter->tos_mask != 0xfc)
            return -ENOTSUP;
    }
    if (sdf->has_flow_description)
        err = parse_line(sdf->flow_description, filter);
    /* Ports are those of a transport protocol; "ip" with ports would need two flows each: TCP and
     * UDP. */
    if (err == 0 && !(up_ports_any(&filter->remote) && up_ports_any(&filter->local)) &&
        filter->protocol != IP_TCP && filter->protocol != IP_UDP && filter->protocol != IP_SCTP)
        return -ENOTSUP;
    return err;
}

bool up_prefix_equal(const void *a, const void *b, unsigned bits)
{
    const uint8_t *x = a, *y = b;

    if (memcmp(x, y, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || ((x[bits / 8] ^ y[bits / 8]) & (0xff00u >> bits % 8) & 0xff) == 0;
}

static bool end_matches(const struct up_filter_end *end, const struct net_address *address,
                        uint16_t port)
{
    return up_prefix_equal(&end->address, address->bytes, end->prefix) &&
           (up_ports_any(end) || (port >= end->port_low && port <= end->port_high));
}

bool up_filter_matches(const struct up_filter *filter, bool downlink,
                       const struct net_packet *packet)
{
    const struct up_filter_end *src = downlink ? &filter->remote : &filter->local;
    const struct up_filter_end *dst = downlink ? &filter->local : &filter->remote;

    if (filter->version != 0 && filter->version != packet->version)
        return false;
    if (filter->protocol != 0 && filter->protocol != packet->protocol)
        return false;
    if ((packet->tos & filter->tos_mask) != filter->tos)
        return false;
    return end_matches(src, &packet->src, packet->src_port) &&
           end_matches(dst, &packet->dst, packet->dst_port);
}

unsigned up_port_masks(uint16_t low, uint16_t high, struct up_port_mask masks[UP_MAX_PORT_MASKS])
{
    uint32_t at = low, end = (uint32_t)high + 1;
    unsigned n = 0;

    /* The largest aligned block that begins here and does not go past the end, again and again. */
    while (at < end) {
        uint32_t block = at == 0 ? 0x10000 : at & -at;
        while (block > end - at)
            block /= 2;
        masks[n++] = (struct up_port_mask){(uint16_t)at, (uint16_t) ~(block - 1)};
        at += block;
    }
    return n;
}
