/*
 * match_text.c -- matches as people write them: "ip,in_port=2,tun_id=0x11,ip_dst=10.45.0.0/16".
 *
 * The language is that of ovs-ofctl (ovs-fields(7)), as far as the field table goes: words like
 * `tcp6` stand for the fields that make them up, `dl_vlan=5` for a vlan_vid with its present bit.
 * Printing uses the same words, so what is printed can be read back, here and by ovs-ofctl.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/openflow/openflow.h"

/* Protocol words; longer ones first, so that printing takes the one that says most. */
static const struct word {
    const char *name;
    uint16_t eth_type;
    uint8_t ip_proto; /* 0: none */
} words[] = {
    {"tcp", 0x0800, 6},   {"udp", 0x0800, 17},  {"sctp", 0x0800, 132},  {"icmp", 0x0800, 1},
    {"tcp6", 0x86dd, 6},  {"udp6", 0x86dd, 17}, {"sctp6", 0x86dd, 132}, {"icmp6", 0x86dd, 58},
    {"ip", 0x0800, 0},    {"ipv6", 0x86dd, 0},  {"arp", 0x0806, 0},     {"mpls", 0x8847, 0},
    {"mplsm", 0x8848, 0},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static const char *const frag_names[] = {"no", "first", "", "later"};

/* ---- printing ---- */

static void print_mac(struct text *t, const uint8_t *at)
{
    text_add(t, "%02x:%02x:%02x:%02x:%02x:%02x", at[0], at[1], at[2], at[3], at[4], at[5]);
}

static uint64_t number_of(const uint8_t *at, size_t bytes)
{
    struct reader r = reader_of(at, bytes);

    return rd_uint(&r, bytes <= 8 ? bytes : 8);
}

void of_print_value(struct text *t, const struct of_field *f, const void *value)
{
    char address[INET6_ADDRSTRLEN];
    uint64_t number = number_of(value, f->bytes);

    switch (f->print) {
    case OF_PRINT_HEX:
        text_add(t, "%s%llx", number ? "0x" : "", (unsigned long long)number);
        break;
    case OF_PRINT_DECIMAL:
        text_add(t, "%llu", (unsigned long long)number);
        break;
    case OF_PRINT_PORT:
        of_print_port(t, (uint32_t)number);
        break;
    case OF_PRINT_MAC:
        print_mac(t, value);
        break;
    case OF_PRINT_IPV4:
    case OF_PRINT_IPV6:
        text_add(t, "%s",
                 inet_ntop(f->bytes == 4 ? AF_INET : AF_INET6, value, address, sizeof(address)));
        break;
    case OF_PRINT_FRAG:
        text_add(t, "%s", frag_names[number & 3]);
        break;
    }
}

/* The prefix length of a mask of ones from the left, or -1. */
static int prefix_of(const uint8_t *mask, size_t bytes)
{
    int length = 0;

    for (size_t i = 0; i < bytes * 8; i++) {
        bool one = mask[i / 8] & 0x80 >> i % 8;

        if (one && length != (int)i)
            return -1;
        length += one;
    }
    return length;
}

static void print_mask(struct text *t, const struct of_field *f, const uint8_t *mask)
{
    uint64_t all = f->bits >= 64 ? UINT64_MAX : (UINT64_C(1) << f->bits) - 1;
    bool address = f->print == OF_PRINT_IPV4 || f->print == OF_PRINT_IPV6;
    int prefix = address ? prefix_of(mask, f->bytes) : -1;

    if (f->bytes <= 8 ? number_of(mask, f->bytes) == all : prefix == 128)
        return;
    text_add(t, "/");
    if (prefix >= 0)
        text_add(t, "%d", prefix);
    else if (f->print == OF_PRINT_MAC || address)
        of_print_value(t, f, mask);
    else
        text_add(t, "0x%llx", (unsigned long long)number_of(mask, f->bytes));
}

void of_print_field(struct text *t, const struct of_field *f, const void *value, const void *mask)
{
    uint16_t vid;

    if (f == &of_fields[OF_VLAN_VID] && number_of(mask, 2) == 0x1fff) {
        vid = (uint16_t)number_of(value, 2);
        if (vid & OFPVID_PRESENT) {
            text_add(t, "dl_vlan=%u", vid & 0xfffu);
            return;
        }
    }
    text_add(t, "%s=", f->name);
    of_print_value(t, f, value);
    if (mask && f->print != OF_PRINT_FRAG)
        print_mask(t, f, mask);
}

static const struct word *word_for(const struct of_match *m)
{
    if (!of_match_has(m, OF_ETH_TYPE))
        return NULL;
    for (size_t i = 0; i < WORDS; i++)
        if (words[i].eth_type == ntohs(m->value.eth_type) &&
            (words[i].ip_proto == 0 ||
             (of_match_has(m, OF_IP_PROTO) && words[i].ip_proto == m->value.ip_proto)))
            return &words[i];
    return NULL;
}

void of_print_match(struct text *t, const struct of_match *m)
{
    const struct word *word = word_for(m);
    uint64_t left = m->fields;
    const char *comma = "";

    if (word) {
        text_add(t, "%s", word->name);
        left &= ~OF_FIELD_BIT(OF_ETH_TYPE);
        left &= word->ip_proto ? ~OF_FIELD_BIT(OF_IP_PROTO) : UINT64_MAX;
        comma = ",";
    }
    for (; left; left &= left - 1) {
        const struct of_field *f = &of_fields[__builtin_ctzll(left)];

        text_add(t, "%s", comma);
        of_print_field(t, f, of_key_const_at(&m->value, f), of_key_const_at(&m->mask, f));
        comma = ",";
    }
}

/* ---- parsing ---- */

static int parse_mac(const char *s, uint8_t *out)
{
    unsigned b[6];
    char rest;

    if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &rest) !=
        6)
        return -1;
    for (size_t i = 0; i < 6; i++)
        out[i] = (uint8_t)b[i];
    return 0;
}

static int parse_number(const char *s, size_t bytes, uint8_t *out)
{
    static const struct {
        const char *name;
        uint32_t port;
    } ports[] = {{"LOCAL", OFPP_LOCAL}, {"CONTROLLER", OFPP_CONTROLLER}, {"IN_PORT", OFPP_IN_PORT}};
    struct writer w = writer_of(out, bytes);
    char *end;
    unsigned long long number = strtoull(s, &end, 0);

    for (size_t i = 0; i < 3; i++)
        if (bytes == 4 && strcmp(s, ports[i].name) == 0) {
            wr_u32(&w, ports[i].port);
            return 0;
        }
    if (end == s || *end || *s == '-' || (bytes < 8 && number >> bytes * 8))
        return -1;
    wr_uint(&w, number, bytes);
    return 0;
}

static int parse_value(const struct of_field *f, const char *s, uint8_t *out)
{
    switch (f->print) {
    case OF_PRINT_MAC:
        return parse_mac(s, out);
    case OF_PRINT_IPV4:
        return inet_pton(AF_INET, s, out) == 1 ? 0 : -1;
    case OF_PRINT_IPV6:
        return inet_pton(AF_INET6, s, out) == 1 ? 0 : -1;
    case OF_PRINT_FRAG:
        for (uint8_t i = 0; i < 4; i++)
            if (i != 2 && strcmp(s, frag_names[i]) == 0) {
                *out = i;
                return 0;
            }
        return -1;
    default:
        return parse_number(s, f->bytes, out);
    }
}

static int parse_mask(const struct of_field *f, const char *s, uint8_t *out)
{
    char *end;
    unsigned long prefix = strtoul(s, &end, 10);
    bool address = f->print == OF_PRINT_IPV4 || f->print == OF_PRINT_IPV6;

    if (!address || *end || end == s)
        return parse_value(f, s, out);
    if (prefix > f->bytes * 8ul)
        return -1;
    for (unsigned i = 0; i < f->bytes * 8u; i++)
        if (i < prefix)
            out[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return 0;
}

int of_parse_field(const struct of_field *f, const char *s, size_t len, void *value, void *mask)
{
    char copy[96];
    char *slash;

    if (len >= sizeof(copy))
        return -EINVAL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    memset(value, 0, f->bytes);
    memset(mask, slash ? 0 : 0xff, f->bytes);
    if (parse_value(f, copy, value) < 0 ||
        (slash && (!f->maskable || parse_mask(f, slash, mask) < 0)))
        return -EINVAL;
    return 0;
}

/* One "name=value" or protocol word. */
static int parse_part(struct of_match *m, const char *s, size_t len)
{
    const char *equals = memchr(s, '=', len);
    size_t name_len = equals ? (size_t)(equals - s) : len;
    const struct of_field *f = of_field_by_name(s, name_len);
    uint8_t value[16], mask[16];

    if (!equals) {
        for (size_t i = 0; i < WORDS; i++) {
            if (strlen(words[i].name) != len || memcmp(words[i].name, s, len) != 0)
                continue;
            of_match_set(m, OF_ETH_TYPE, words[i].eth_type);
            if (words[i].ip_proto)
                of_match_set(m, OF_IP_PROTO, words[i].ip_proto);
            return 0;
        }
        return -EINVAL;
    }
    if (name_len == 7 && memcmp(s, "dl_vlan", 7) == 0) {
        if (of_parse_field(&of_fields[OF_VLAN_VID], equals + 1, len - 8, value, mask) < 0 ||
            value[0] > 0xf)
            return -EINVAL;
        value[0] |= OFPVID_PRESENT >> 8;
        of_match_set_bytes(m, OF_VLAN_VID, value, NULL);
        return 0;
    }
    if (!f || of_parse_field(f, equals + 1, len - name_len - 1, value, mask) < 0)
        return -EINVAL;
    of_match_set_bytes(m, of_field_id(f), value, mask);
    return 0;
}

int of_parse_match(struct of_match *m, const char *s, size_t len, const char **bad)
{
    const char *end = s + len;

    memset(m, 0, sizeof(*m));
    while (s < end) {
        const char *comma = memchr(s, ',', (size_t)(end - s));
        const char *stop = comma ? comma : end;

        if (stop > s && parse_part(m, s, (size_t)(stop - s)) < 0) {
            if (bad)
                *bad = s;
            return -EINVAL;
        }
        s = comma ? comma + 1 : end;
    }
    for (uint64_t left = m->fields; left; left &= left - 1) {
        const struct of_field *f = &of_fields[__builtin_ctzll(left)];

        if (!of_field_allowed(f, &m->value)) {
            if (bad)
                *bad = f->name;
            return -EINVAL;
        }
    }
    return 0;
}
