/*
 * match.h -- match fields, keys, and the match of a flow (OpenFlow 1.3.5 clause 7.2.3).
 *
 * fields.def has one row per field; from it come the enum below, struct of_field (what a decoder, a
 * printer, a matcher and set_field need to know) and the OXM codec. A packet's headers and pipeline
 * values lie in one flat struct of_key; a match is two of them, value and mask, and a bit per field
 * that it names. Everything in a key is in network byte order, exactly as on the wire, so that
 * reading an OXM is a copy and matching is comparing words; the accessors below take and give
 * host-order numbers.
 *
 * No I/O, no state, no allocation: any thread.
 */
#ifndef STROWGER_WIRE_OPENFLOW_MATCH_H
#define STROWGER_WIRE_OPENFLOW_MATCH_H

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/cursor.h"
#include "base/text.h"

enum of_field_id {
#define OF_FIELD(id, ...) OF_##id,
#include "wire/openflow/fields.def"
#undef OF_FIELD
    OF_FIELD_COUNT
};
_Static_assert(OF_FIELD_COUNT <= 64, "a set of fields is one 64-bit word");

#define OF_FIELD_BIT(id) (UINT64_C(1) << (id))

/* OFPVID_*: vlan_vid has one bit more than a VLAN id, telling that there is a tag at all. */
#define OFPVID_PRESENT 0x1000u
#define OFPVID_NONE    0x0000u

/* OFPIEH_*: bits of ipv6_exthdr. */
enum of_ipv6_exthdr {
    OFPIEH_NONEXT = 1 << 0,
    OFPIEH_ESP = 1 << 1,
    OFPIEH_AUTH = 1 << 2,
    OFPIEH_DEST = 1 << 3,
    OFPIEH_FRAG = 1 << 4,
    OFPIEH_ROUTER = 1 << 5,
    OFPIEH_HOP = 1 << 6,
    OFPIEH_UNREP = 1 << 7,
    OFPIEH_UNSEQ = 1 << 8,
};

/* Bits of ip_frag (Open vSwitch's nw_frag): a fragment; and not the first one. */
#define OF_FRAG_ANY   1u
#define OF_FRAG_LATER 2u

/* Headers and pipeline values of one packet, in network byte order, zero where the packet has no
 * such header. The order keeps what is matched together in the same words. */
struct of_key {
    uint32_t in_port, in_phy_port;
    uint64_t metadata;
    uint64_t tunnel_id;
    uint32_t tun_src, tun_dst;
    uint8_t tun_gtpu_flags, tun_gtpu_msgtype;
    uint16_t eth_type;
    uint16_t vlan_vid; /* OFPVID_PRESENT | id, or 0 */
    uint8_t vlan_pcp;
    uint8_t ip_frag;
    uint8_t eth_dst[6], eth_src[6];
    uint8_t ip_proto, ip_dscp, ip_ecn, ip_ttl; /* ip_dscp is the 6-bit value */
    uint32_t ipv4_src, ipv4_dst;
    uint16_t l4_src, l4_dst; /* TCP, UDP or SCTP ports */
    uint8_t icmp_type, icmp_code;
    uint16_t tcp_flags;
    uint8_t ipv6_src[16], ipv6_dst[16];
    uint32_t ipv6_flabel;
    uint16_t ipv6_exthdr;
    uint16_t arp_op;
    uint32_t arp_spa, arp_tpa;
    uint8_t nd_target[16];
    uint8_t nd_sll[6], arp_sha[6], arp_tha[6], nd_tll[6];
    uint32_t mpls_label;
    uint8_t mpls_tc, mpls_bos, pbb_uca, zero;
    uint8_t pbb_isid[3], zero2[5];
    uint32_t reg[16];
};
_Static_assert(sizeof(struct of_key) % 8 == 0, "keys are compared by 64-bit words");
#define OF_KEY_WORDS (sizeof(struct of_key) / 8)

/* What must be matched before a field may be (clause 7.2.3.6). */
enum of_prerequisite {
    OF_REQUIRES_NONE,
    OF_REQUIRES_IN_PORT,
    OF_REQUIRES_VLAN,
    OF_REQUIRES_PBB,
    OF_REQUIRES_MPLS,
    OF_REQUIRES_IP,
    OF_REQUIRES_IPV4,
    OF_REQUIRES_IPV6,
    OF_REQUIRES_ARP,
    OF_REQUIRES_TCP,
    OF_REQUIRES_UDP,
    OF_REQUIRES_SCTP,
    OF_REQUIRES_ICMPV4,
    OF_REQUIRES_ICMPV6,
    OF_REQUIRES_ND,
    OF_REQUIRES_ND_SLL,
    OF_REQUIRES_ND_TLL,
};

enum of_field_print {
    OF_PRINT_HEX,
    OF_PRINT_DECIMAL,
    OF_PRINT_PORT,
    OF_PRINT_MAC,
    OF_PRINT_IPV4,
    OF_PRINT_IPV6,
    OF_PRINT_FRAG,
};

struct of_field {
    const char *name;  /* as ovs-ofctl writes it */
    const char *alias; /* another name that is understood; may be "" */
    uint16_t oxm_class;
    uint8_t number;
    uint8_t bytes; /* of the value */
    uint8_t bits;  /* the low bits that may be set */
    bool maskable, writable, pipeline;
    enum of_prerequisite prerequisite;
    enum of_field_print print;
    uint16_t offset; /* in struct of_key */
};

extern const struct of_field of_fields[OF_FIELD_COUNT];

/* The field with this OXM class and number (`experimenter` for class 0xffff), or NULL. */
const struct of_field *of_field_by_oxm(uint16_t oxm_class, uint8_t number, uint32_t experimenter);
/* By name or alias, or NULL. */
const struct of_field *of_field_by_name(const char *name, size_t len);

static inline enum of_field_id of_field_id(const struct of_field *f)
{
    return (enum of_field_id)(f - of_fields);
}

static inline uint8_t *of_key_at(struct of_key *key, const struct of_field *f)
{
    return (uint8_t *)key + f->offset;
}

static inline const uint8_t *of_key_const_at(const struct of_key *key, const struct of_field *f)
{
    return (const uint8_t *)key + f->offset;
}

/* True when prerequisites of the field hold for what `key` says (a packet's key, or a match's
 * values). */
bool of_field_allowed(const struct of_field *f, const struct of_key *key);

/* The value of a field of up to 8 bytes, as a host-order number. */
uint64_t of_key_get(const struct of_key *key, enum of_field_id id);
void of_key_set(struct of_key *key, enum of_field_id id, uint64_t value);

/* ---- the match of a flow ---- */

struct of_match {
    uint64_t fields;     /* OF_FIELD_BIT() of each field it names */
    struct of_key value; /* bits outside the mask are zero */
    struct of_key mask;
};

/* Adds a field (up to 8 bytes; host order), exactly or under a mask. A match starts as all zeros:
 * everything. */
void of_match_set(struct of_match *m, enum of_field_id id, uint64_t value);
void of_match_set_masked(struct of_match *m, enum of_field_id id, uint64_t value, uint64_t mask);
/* Adds a field of any length in network order; mask NULL: exactly. */
void of_match_set_bytes(struct of_match *m, enum of_field_id id, const void *value,
                        const void *mask);
/* The usual ones; addresses in network order as struct in_addr has them. */
void of_match_ipv4(struct of_match *m, enum of_field_id id, struct in_addr address,
                   unsigned prefix);
void of_match_ipv6(struct of_match *m, enum of_field_id id, const struct in6_addr *address,
                   unsigned prefix);

static inline bool of_match_has(const struct of_match *m, enum of_field_id id)
{
    return m->fields & OF_FIELD_BIT(id);
}

static inline uint64_t of_match_get(const struct of_match *m, enum of_field_id id)
{
    return of_key_get(&m->value, id);
}

bool of_match_equal(const struct of_match *a, const struct of_match *b);
/* True when a packet with this key is matched. */
bool of_match_covers(const struct of_match *m, const struct of_key *key);

/* "ip,in_port=2,tun_id=0x11" in the style of ovs-ofctl; nothing for a match of everything. */
void of_print_match(struct text *t, const struct of_match *m);
/* The value alone, and "name=value/mask". */
void of_print_value(struct text *t, const struct of_field *f, const void *value);
void of_print_field(struct text *t, const struct of_field *f, const void *value, const void *mask);
/* Reads that form, `len` characters. 0 or -EINVAL; *bad (may be NULL) then points at the part not
 * understood. */
int of_parse_match(struct of_match *m, const char *s, size_t len, const char **bad);
/* One field's value with optional "/mask". 0 or -EINVAL. */
int of_parse_field(const struct of_field *f, const char *s, size_t len, void *value, void *mask);

#endif
