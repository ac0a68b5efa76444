/*
 * net.h -- Ethernet, VLAN, ARP, IPv4, IPv6, ICMP, UDP, TCP, SCTP headers and their checksums: the
 * door of the room.
 *
 * Three ways to look at a packet. Packed structs lie over the bytes for who rewrites packets in
 * place (the switch). net_read_frame() and net_read_ip() take a packet apart into a struct
 * net_packet for who wants to know what it is (the lab's phones, traces, tests). net_ip_begin() and
 * net_ip_end() build one, with lengths and checksums filled in.
 *
 * Sources: IEEE 802.3, 802.1Q; RFC 791, 8200, 792, 4443, 768, 9293, 9260; RFC 1071 and 1624
 * (checksum); RFC 826 (ARP); RFC 4861 (neighbour discovery). Members of the packed structs are in
 * network order (be16, be32); everything else is in host order, addresses excepted. No I/O, no
 * state, no allocation: any thread.
 */
#ifndef STROWGER_WIRE_NET_NET_H
#define STROWGER_WIRE_NET_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/cursor.h"
#include "base/text.h"

typedef uint16_t be16; /* in network order */
typedef uint32_t be32;

#define ETH_HEADER_SIZE 14
#define VLAN_TAG_SIZE   4
#define IPV4_MIN_SIZE   20
#define IPV6_SIZE       40
#define UDP_SIZE        8
#define TCP_MIN_SIZE    20
#define SCTP_SIZE       12

enum eth_type {
    ETH_TYPE_IPV4 = 0x0800,
    ETH_TYPE_ARP = 0x0806,
    ETH_TYPE_VLAN = 0x8100,
    ETH_TYPE_IPV6 = 0x86dd,
    ETH_TYPE_MPLS = 0x8847,
    ETH_TYPE_MPLS_MULTICAST = 0x8848,
    ETH_TYPE_SERVICE_VLAN = 0x88a8,
    ETH_TYPE_LLDP = 0x88cc,
    ETH_TYPE_PBB = 0x88e7,
};

enum ip_protocol {
    IP_HOP_BY_HOP = 0,
    IP_ICMP = 1,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_ROUTING = 43,
    IP_FRAGMENT = 44,
    IP_ESP = 50,
    IP_AH = 51,
    IP_ICMPV6 = 58,
    IP_NO_NEXT_HEADER = 59,
    IP_DESTINATION_OPTIONS = 60,
    IP_SCTP = 132,
};

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_DESTINATION_UNREACHABLE = 3,
    ICMP_ECHO_REQUEST = 8,
    ICMP_TIME_EXCEEDED = 11,
};

enum icmpv6_type {
    ICMPV6_DESTINATION_UNREACHABLE = 1,
    ICMPV6_PACKET_TOO_BIG = 2,
    ICMPV6_ECHO_REQUEST = 128,
    ICMPV6_ECHO_REPLY = 129,
    ICMPV6_ROUTER_SOLICITATION = 133,
    ICMPV6_ROUTER_ADVERTISEMENT = 134,
    ICMPV6_NEIGHBOUR_SOLICITATION = 135,
    ICMPV6_NEIGHBOUR_ADVERTISEMENT = 136,
};

/* ---- headers as they lie in a packet ---- */

struct eth_header {
    uint8_t dst[6], src[6];
    be16 type;
} __attribute__((packed));

struct vlan_tag { /* behind the addresses and the tag's type */
    be16 tci;     /* 3 bits priority, 1 bit drop eligible, 12 bits id */
    be16 type;    /* of what follows */
} __attribute__((packed));

struct arp_header { /* of Ethernet and IPv4 */
    be16 hardware, protocol;
    uint8_t hardware_size, protocol_size;
    be16 op;
    uint8_t sha[6];
    be32 spa;
    uint8_t tha[6];
    be32 tpa;
} __attribute__((packed));

struct ipv4_header {
    uint8_t version_ihl;
    uint8_t tos;
    be16 total_length;
    be16 id;
    be16 fragment; /* 3 bits flags, 13 bits offset in units of 8 */
    uint8_t ttl;
    uint8_t protocol;
    be16 checksum;
    be32 src, dst;
} __attribute__((packed));

#define IPV4_DONT_FRAGMENT  0x4000
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK    0x1fff

static inline size_t ipv4_header_size(const struct ipv4_header *ip)
{
    return (size_t)(ip->version_ihl & 0xf) * 4;
}

struct ipv6_header {
    be32 version_class_label; /* 4 bits version, 8 traffic class, 20 flow label */
    be16 payload_length;
    uint8_t next_header;
    uint8_t hop_limit;
    uint8_t src[16], dst[16];
} __attribute__((packed));

struct udp_header {
    be16 src, dst, length, checksum;
} __attribute__((packed));

struct tcp_header {
    be16 src, dst;
    be32 sequence, acknowledged;
    be16 offset_flags; /* 4 bits data offset in words, 12 bits flags */
    be16 window, checksum, urgent;
} __attribute__((packed));

struct sctp_header {
    be16 src, dst;
    be32 verification_tag;
    be32 checksum; /* CRC32c, least significant byte first */
} __attribute__((packed));

struct icmp_header { /* also ICMPv6 */
    uint8_t type, code;
    be16 checksum;
} __attribute__((packed));

/* ---- checksums ---- */

/* Adds bytes to a one's complement sum (RFC 1071); every run but the last must have an even length.
 */
uint32_t net_sum(const void *at, size_t len, uint32_t sum);
/* The sum folded and complemented, ready to be stored. */
be16 net_sum_finish(uint32_t sum);
static inline be16 net_checksum(const void *at, size_t len)
{
    return net_sum_finish(net_sum(at, len, 0));
}

/* The pseudo headers (RFC 768, RFC 8200 clause 8.1); addresses of 4 or 16 bytes. */
uint32_t net_sum_pseudo(const void *src, const void *dst, size_t address_size, uint8_t protocol,
                        uint32_t length);

/* Corrects a checksum for `len` (even) bytes that changed at an even offset (RFC 1624 equation 3).
 */
void net_checksum_replace(be16 *checksum, const void *old_bytes, const void *new_bytes, size_t len);

/* CRC32c as SCTP has it (RFC 9260 appendix A), as a host-order number to be stored little endian.
 */
uint32_t net_crc32c(const void *at, size_t len);

/* Fills in the checksum of a whole transport segment whose checksum field is found by its protocol
 * (TCP, UDP, SCTP, ICMP, ICMPv6). A UDP sum of 0 becomes 0xffff. False when the segment is too
 * short or the protocol has no checksum. */
bool net_fill_checksum(uint8_t protocol, const void *src, const void *dst, size_t address_size,
                       uint8_t *segment, size_t len);
/* Checks it; true for protocols that have none, and for UDP over IPv4 without one. */
bool net_checksum_ok(uint8_t protocol, const void *src, const void *dst, size_t address_size,
                     const uint8_t *segment, size_t len);

/* ---- reading ---- */

struct net_address {
    uint8_t family_size; /* 4 or 16 */
    union {
        struct in_addr v4;
        struct in6_addr v6;
        uint8_t bytes[16];
    };
};

struct net_packet {
    bool has_ethernet;
    uint8_t eth_dst[6], eth_src[6];
    bool has_vlan;
    uint16_t vlan_tci;
    uint16_t eth_type;
    /* of IP: */
    uint8_t version;     /* 4, 6, or 0: no IP */
    uint8_t tos;         /* or traffic class */
    uint8_t ttl;         /* or hop limit */
    uint8_t protocol;    /* behind IPv6 extension headers */
    bool fragment;       /* a part of a packet; */
    bool later_fragment; /* not the first: `transport` is data */
    struct net_address src, dst;
    struct bytes ip;        /* header and payload, without link padding */
    struct bytes transport; /* the payload of IP */
    /* of TCP, UDP, SCTP: */
    uint16_t src_port, dst_port;
    uint16_t tcp_flags;
    /* of ICMP, ICMPv6: */
    uint8_t icmp_type, icmp_code;
    struct bytes payload; /* behind the transport header */
};

/* 0 or -EBADMSG when a header is cut or contradicts itself. What is no IP is read up to there.
 * Views point into the packet. Checksums are not looked at. */
int net_read_frame(struct bytes frame, struct net_packet *p);
int net_read_ip(struct bytes packet, struct net_packet *p);

/* "10.0.0.1:80 > 10.0.0.2:1024 TCP 60 bytes". */
void net_print_packet(struct text *t, const struct net_packet *p);

/* Takes one IPv6 extension header; *next is its type before and the next one's after. False: it is
 * none. */
bool net_ipv6_extension(struct reader *r, uint8_t *next, bool *fragment, bool *later_fragment);

/* ---- writing ---- */

void net_write_ethernet(struct writer *w, const uint8_t dst[6], const uint8_t src[6],
                        uint16_t type);

struct net_ip {
    uint8_t version; /* 4 or 6 */
    uint8_t tos;
    uint8_t ttl; /* 0: 64 */
    uint8_t protocol;
    struct net_address src, dst;
};

/* Writes the IP header; the payload follows with its transport header, checksum zero; then
 * net_ip_end() with what begin returned fills in lengths, the header's checksum and the
 * transport's. */
size_t net_ip_begin(struct writer *w, const struct net_ip *ip);
void net_ip_end(struct writer *w, size_t begun);

/* Transport headers: UDP's length and all checksums are filled in by net_ip_end(). */
void net_write_udp(struct writer *w, uint16_t src, uint16_t dst);
void net_write_icmp_echo(struct writer *w, uint8_t type, uint16_t id, uint16_t sequence);

static inline struct net_address net_address_v4(struct in_addr a)
{
    return (struct net_address){.family_size = 4, .v4 = a};
}

static inline struct net_address net_address_v6(const struct in6_addr *a)
{
    return (struct net_address){.family_size = 16, .v6 = *a};
}

/* ---- neighbours ---- */

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct net_arp {
    uint16_t op;
    uint8_t sha[6], tha[6];
    struct in_addr spa, tpa;
};

/* The payload of an Ethernet frame of type ARP. -EBADMSG: cut, or not Ethernet and IPv4. */
int net_read_arp(struct bytes payload, struct net_arp *arp);
void net_write_arp(struct writer *w, const struct net_arp *arp);

/* Neighbour discovery (RFC 4861 clause 4): what of its messages and options a gateway and a phone
 * use. */
struct net_prefix_option {
    struct in6_addr prefix;
    uint8_t length;
    bool on_link, autonomous;
    uint32_t valid_s, preferred_s;
};

#define ND_MAX_DNS 4

struct net_nd {
    uint8_t type;                     /* enum icmpv6_type, 133..136 */
    struct in6_addr target;           /* solicitation and advertisement of neighbours */
    bool router, solicited, override; /* neighbour advertisement */
    uint8_t hop_limit;                /* router advertisement: */
    bool managed, other;
    uint16_t lifetime_s;
    uint32_t reachable_ms, retransmit_ms;
    uint32_t mtu; /* 0: no option */
    bool has_prefix;
    struct net_prefix_option prefix; /* the first */
    uint8_t dns_count;               /* RFC 8106 */
    uint32_t dns_lifetime_s;
    struct in6_addr dns[ND_MAX_DNS];
    bool has_link_address;
    uint8_t link_address[6]; /* source or target, as the type has it */
};

/* The whole ICMPv6 message. -EBADMSG: cut, an option of length 0, or not of these types. */
int net_read_nd(struct bytes icmpv6, struct net_nd *nd);
/* The whole ICMPv6 message, checksum zero: between net_ip_begin() (hop limit 255) and net_ip_end().
 */
void net_write_nd(struct writer *w, const struct net_nd *nd);

#endif
