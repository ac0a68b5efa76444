/*
 * match.c -- the field table and what follows from it: keys, matches, OXM (OpenFlow 1.3.5
 * clause 7.2.3).
 *
 * An OXM is a header (class, field, has-mask bit, length) and the value, and if the bit is set a
 * mask as long as the value. Class 0xffff carries a 4-byte experimenter number in front of the
 * value, counted in the length. A match is a list of OXMs behind a 4-byte header, padded to 8
 * bytes. A field may appear once, and only behind the fields that say that the packet has it
 * (clause 7.2.3.6).
 */
#include "wire/openflow/openflow.h"
#include "wire/openflow/oxm.h"

#define OXM_CLASS_EXPERIMENTER 0xffff

enum { M = 1, W = 2, P = 4 }; /* the flags of fields.def */

const struct of_field of_fields[OF_FIELD_COUNT] = {
#define OF_FIELD(id, name_, alias_, class_, number_, bytes_, bits_, flags, requires, print_, \
                 member)                                                                     \
    [OF_##id] = {.name = (name_),                                                            \
                 .alias = (alias_),                                                          \
                 .oxm_class = (class_),                                                      \
                 .number = (number_),                                                        \
                 .bytes = (bytes_),                                                          \
                 .bits = (bits_),                                                            \
                 .maskable = ((flags)&M) != 0,                                               \
                 .writable = ((flags)&W) != 0,                                               \
                 .pipeline = ((flags)&P) != 0,                                               \
                 .prerequisite = OF_REQUIRES_##requires,                                     \
                 .print = OF_PRINT_##print_,                                                 \
                 .offset = offsetof(struct of_key, member)},
#include "wire/openflow/fields.def"
#undef OF_FIELD
};

const struct of_field *of_field_by_oxm(uint16_t oxm_class, uint8_t number, uint32_t experimenter)
{
    if (oxm_class == OXM_CLASS_EXPERIMENTER && experimenter != OF_EXPERIMENTER_NICIRA)
        return NULL;
    switch ((uint32_t)oxm_class << 8 | number) {
#define OF_FIELD(id, name_, alias_, class_, number_, ...) \
    case (uint32_t)(class_) << 8 | (number_):             \
        return &of_fields[OF_##id];
#include "wire/openflow/fields.def"
#undef OF_FIELD
    /* Other numbers that peers use for fields of the table. */
    case 0x000110: /* NXM_NX_TUN_ID */
        return &of_fields[OF_TUNNEL_ID];
    case 0x80002a: /* OXM_OF_TCP_FLAGS of OpenFlow 1.5 */
        return &of_fields[OF_TCP_FLAGS];
    default:
        return NULL;
    }
}

const struct of_field *of_field_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < OF_FIELD_COUNT; i++) {
        const struct of_field *f = &of_fields[i];

        if ((strlen(f->name) == len && memcmp(f->name, name, len) == 0) ||
            (strlen(f->alias) == len && memcmp(f->alias, name, len) == 0))
            return f;
    }
    return NULL;
}

/* ---- prerequisites ---- */

#define ETH_IPV4 0x0800
#define ETH_IPV6 0x86dd

/* What each prerequisite asks of a key; 0: does not matter. */
static const struct prerequisite {
    uint16_t eth_type, or_eth_type;
    uint8_t ip_proto;
    uint8_t icmp_type, or_icmp_type;
} prerequisites[] = {
    [OF_REQUIRES_PBB] = {0x88e7, 0x88e7, 0, 0, 0},
    [OF_REQUIRES_MPLS] = {0x8847, 0x8848, 0, 0, 0},
    [OF_REQUIRES_IP] = {ETH_IPV4, ETH_IPV6, 0, 0, 0},
    [OF_REQUIRES_IPV4] = {ETH_IPV4, ETH_IPV4, 0, 0, 0},
    [OF_REQUIRES_IPV6] = {ETH_IPV6, ETH_IPV6, 0, 0, 0},
    [OF_REQUIRES_ARP] = {0x0806, 0x0806, 0, 0, 0},
    [OF_REQUIRES_TCP] = {ETH_IPV4, ETH_IPV6, 6, 0, 0},
    [OF_REQUIRES_UDP] = {ETH_IPV4, ETH_IPV6, 17, 0, 0},
    [OF_REQUIRES_SCTP] = {ETH_IPV4, ETH_IPV6, 132, 0, 0},
    [OF_REQUIRES_ICMPV4] = {ETH_IPV4, ETH_IPV4, 1, 0, 0},
    [OF_REQUIRES_ICMPV6] = {ETH_IPV6, ETH_IPV6, 58, 0, 0},
    [OF_REQUIRES_ND] = {ETH_IPV6, ETH_IPV6, 58, 135, 136},
    [OF_REQUIRES_ND_SLL] = {ETH_IPV6, ETH_IPV6, 58, 135, 135},
    [OF_REQUIRES_ND_TLL] = {ETH_IPV6, ETH_IPV6, 58, 136, 136},
};

bool of_field_allowed(const struct of_field *f, const struct of_key *key)
{
    const struct prerequisite *p = &prerequisites[f->prerequisite];
    uint16_t eth_type = ntohs(key->eth_type);

    switch (f->prerequisite) {
    case OF_REQUIRES_NONE:
        return true;
    case OF_REQUIRES_IN_PORT:
        return key->in_port != 0;
    case OF_REQUIRES_VLAN:
        return key->vlan_vid & htons(OFPVID_PRESENT);
    default:
        return (eth_type == p->eth_type || eth_type == p->or_eth_type) &&
               (p->ip_proto == 0 || key->ip_proto == p->ip_proto) &&
               (p->icmp_type == 0 || key->icmp_type == p->icmp_type ||
                key->icmp_type == p->or_icmp_type);
    }
}

/* ---- keys ---- */

uint64_t of_key_get(const struct of_key *key, enum of_field_id id)
{
    const struct of_field *f = &of_fields[id];
    struct reader r = reader_of(of_key_const_at(key, f), f->bytes);

    return rd_uint(&r, f->bytes <= 8 ? f->bytes : 8);
}

void of_key_set(struct of_key *key, enum of_field_id id, uint64_t value)
{
    const struct of_field *f = &of_fields[id];
    struct writer w = writer_of(of_key_at(key, f), f->bytes);

    wr_uint(&w, value, f->bytes <= 8 ? f->bytes : 8);
}

/* The bits that the field has, in network order. */
static void field_ones(const struct of_field *f, uint8_t *ones)
{
    unsigned unused = f->bytes * 8u - f->bits;

    for (unsigned i = 0; i < f->bytes; i++) {
        unsigned skip = unused > i * 8 ? unused - i * 8 : 0;

        ones[i] = skip >= 8 ? 0 : (uint8_t)(0xff >> skip);
    }
}

/* True when a has no bit that b does not have. */
static bool bits_within(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (a[i] & ~b[i])
            return false;
    return true;
}

static bool bits_are_zero(const uint8_t *a, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (a[i])
            return false;
    return true;
}

bool of_field_value_ok(const struct of_field *f, const uint8_t *value)
{
    uint8_t ones[16];

    field_ones(f, ones);
    return bits_within(value, ones, f->bytes);
}

/* ---- building a match ---- */

void of_match_set_bytes(struct of_match *m, enum of_field_id id, const void *value,
                        const void *mask)
{
    const struct of_field *f = &of_fields[id];
    uint8_t *v = of_key_at(&m->value, f), *k = of_key_at(&m->mask, f);

    field_ones(f, k);
    for (size_t i = 0; i < f->bytes; i++) {
        if (mask)
            k[i] &= ((const uint8_t *)mask)[i];
        v[i] = ((const uint8_t *)value)[i] & k[i];
    }
    m->fields |= OF_FIELD_BIT(id);
}

void of_match_set_masked(struct of_match *m, enum of_field_id id, uint64_t value, uint64_t mask)
{
    size_t bytes = of_fields[id].bytes <= 8 ? of_fields[id].bytes : 8;
    uint8_t v[16] = {0}, k[16] = {0};
    struct writer wv = writer_of(v, sizeof(v)), wk = writer_of(k, sizeof(k));

    wr_uint(&wv, value, bytes);
    wr_uint(&wk, mask, bytes);
    of_match_set_bytes(m, id, v, k);
}

void of_match_set(struct of_match *m, enum of_field_id id, uint64_t value)
{
    of_match_set_masked(m, id, value, UINT64_MAX);
}

static void prefix_mask(uint8_t *mask, size_t bytes, unsigned prefix)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned bits = prefix > i * 8 ? prefix - (unsigned)i * 8 : 0;

        mask[i] = bits >= 8 ? 0xff : (uint8_t) ~(0xff >> bits);
    }
}

void of_match_ipv4(struct of_match *m, enum of_field_id id, struct in_addr address, unsigned prefix)
{
    uint8_t mask[4];

    prefix_mask(mask, sizeof(mask), prefix);
    of_match_set_bytes(m, id, &address, mask);
}

void of_match_ipv6(struct of_match *m, enum of_field_id id, const struct in6_addr *address,
                   unsigned prefix)
{
    uint8_t mask[16];

    prefix_mask(mask, sizeof(mask), prefix);
    of_match_set_bytes(m, id, address, mask);
}

bool of_match_equal(const struct of_match *a, const struct of_match *b)
{
    return memcmp(&a->mask, &b->mask, sizeof(a->mask)) == 0 &&
           memcmp(&a->value, &b->value, sizeof(a->value)) == 0;
}

bool of_match_covers(const struct of_match *m, const struct of_key *key)
{
    const uint64_t *value = (const void *)&m->value, *mask = (const void *)&m->mask;
    const uint64_t *words = (const void *)key;

    for (size_t i = 0; i < OF_KEY_WORDS; i++)
        if ((words[i] & mask[i]) != value[i])
            return false;
    return true;
}

/* ---- OXM ---- */

of_error of_decode_oxm(struct reader *r, struct oxm *oxm)
{
    uint16_t oxm_class = rd_u16(r);
    uint8_t number = rd_u8(r);
    uint8_t length = rd_u8(r);
    struct reader body = rd_sub(r, length);
    uint32_t experimenter = oxm_class == OXM_CLASS_EXPERIMENTER ? rd_u32(&body) : 0;

    oxm->has_mask = number & 1;
    oxm->known = of_field_by_oxm(oxm_class, number >> 1, experimenter);
    oxm->value = rd_rest(&body);
    oxm->mask = bytes_of(NULL, 0);
    if (r->bad || body.bad)
        return OFPBMC_BAD_LEN;
    if (!oxm->known)
        return OFPBMC_BAD_FIELD;
    if (oxm->value.len != (size_t)oxm->known->bytes << oxm->has_mask)
        return OFPBMC_BAD_LEN;
    if (oxm->has_mask) {
        oxm->value.len = oxm->known->bytes;
        oxm->mask = bytes_of(oxm->value.at + oxm->known->bytes, oxm->known->bytes);
    }
    return 0;
}

void of_encode_oxm(struct writer *w, const struct of_field *f, const uint8_t *value,
                   const uint8_t *mask)
{
    bool experimenter = f->oxm_class == OXM_CLASS_EXPERIMENTER;

    wr_u16(w, f->oxm_class);
    wr_u8(w, (uint8_t)(f->number << 1 | (mask ? 1 : 0)));
    wr_u8(w, (uint8_t)(f->bytes * (mask ? 2 : 1) + (experimenter ? 4 : 0)));
    if (experimenter)
        wr_u32(w, OF_EXPERIMENTER_NICIRA);
    if (value)
        wr_bytes(w, value, f->bytes);
    if (mask)
        wr_bytes(w, mask, f->bytes);
}

/* What a value of vlan_vid may be (clause 7.2.3.7): no tag at all; or some id of a tag. An id
 * without the present bit is neither, unless the mask leaves that bit out. */
static bool vlan_vid_ok(const struct oxm *oxm)
{
    uint16_t vid = (uint16_t)(oxm->value.at[0] << 8 | oxm->value.at[1]);
    bool asks = !oxm->has_mask || oxm->mask.at[0] & OFPVID_PRESENT >> 8;

    return vid == OFPVID_NONE || (vid & OFPVID_PRESENT) || !asks;
}

static of_error add_oxm(struct of_match *m, const struct oxm *oxm)
{
    const struct of_field *f = oxm->known;
    enum of_field_id id = of_field_id(f);

    if (of_match_has(m, id))
        return OFPBMC_DUP_FIELD;
    if (oxm->has_mask && !f->maskable)
        return OFPBMC_BAD_MASK;
    if (!of_field_value_ok(f, oxm->value.at) || (id == OF_VLAN_VID && !vlan_vid_ok(oxm)))
        return OFPBMC_BAD_VALUE;
    if (oxm->has_mask && !bits_within(oxm->value.at, oxm->mask.at, f->bytes))
        return OFPBMC_BAD_WILDCARDS;
    if (!of_field_allowed(f, &m->value))
        return OFPBMC_BAD_PREREQ;
    if (oxm->has_mask && bits_are_zero(oxm->mask.at, f->bytes))
        return 0; /* says nothing */
    of_match_set_bytes(m, id, oxm->value.at, oxm->mask.at);
    return 0;
}

of_error of_decode_match(struct reader *r, struct of_match *m)
{
    uint16_t type = rd_u16(r);
    uint16_t length = rd_u16(r);
    size_t padding = (8 - length % 8) % 8;
    struct reader body;

    memset(m, 0, sizeof(*m));
    if (r->bad || length < 4 || (size_t)length - 4 + padding > rd_left(r))
        return OFPBMC_BAD_LEN;
    if (type != OFPMT_OXM)
        return OFPBMC_BAD_TYPE;
    body = rd_sub(r, length - 4u);
    rd_skip(r, padding);
    while (rd_left(&body) > 0) {
        struct oxm oxm;
        of_error error = of_decode_oxm(&body, &oxm);

        if (!error)
            error = add_oxm(m, &oxm);
        if (error)
            return error;
    }
    return 0;
}

void of_encode_match(struct writer *w, const struct of_match *m)
{
    size_t start = wr_len(w);
    size_t length;

    wr_u16(w, OFPMT_OXM);
    wr_u16(w, 0);
    for (uint64_t left = m->fields; left; left &= left - 1) {
        const struct of_field *f = &of_fields[__builtin_ctzll(left)];
        const uint8_t *mask = of_key_const_at(&m->mask, f);
        uint8_t ones[16];

        field_ones(f, ones);
        of_encode_oxm(w, f, of_key_const_at(&m->value, f),
                      memcmp(mask, ones, f->bytes) == 0 ? NULL : mask);
    }
    length = wr_len(w) - start;
    wr_patch_u16(w, start + 2, (uint16_t)length);
    wr_zero(w, (8 - length % 8) % 8);
}
