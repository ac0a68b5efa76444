/*
 * ipfix.h -- IP Flow Information Export, version 10 of NetFlow (RFC 7011): what an exporter sends.
 *
 * A message begins with a header and has sets: of templates, which tell what records look like, and
 * of records. Templates are rows of a table in ipfix.c: an information element (IANA's registry,
 * RFC 7012), its size, and where its value lies in struct ipfix_flow. Over UDP nobody answers, so
 * templates are sent again and again. Pure functions, any thread.
 *
 *   struct ipfix_message m;
 *   ipfix_begin(&m, buffer, size);
 *   ipfix_add_templates(&m);
 *   ipfix_add_flow(&m, &flow) ...   false: the message is full
 *   ipfix_end(&m, domain, sequence, now);   send ipfix_bytes(&m); sequence += m.records
 */
#ifndef STROWGER_WIRE_IPFIX_IPFIX_H
#define STROWGER_WIRE_IPFIX_IPFIX_H

#include "base/cursor.h"

#define IPFIX_VERSION     10
#define IPFIX_PORT        4739
#define IPFIX_MESSAGE_MAX 1400 /* bytes: a datagram that no link cuts */
#define IPFIX_SELECTOR    1    /* our one selector's id */

/* Why a flow is reported (IE 136). */
enum ipfix_end_reason {
    IPFIX_IDLE = 1,
    IPFIX_ACTIVE = 2, /* it goes on, but its active timeout has passed */
    IPFIX_ENDED = 3,  /* TCP's FIN or RST was seen */
    IPFIX_FORCED = 4, /* the exporter ends */
    IPFIX_NO_ROOM = 5
};

/* What became of a packet (IE 89; RFC 7270 clause 4.12): two bits of status, six of reason. */
enum ipfix_forwarding {
    IPFIX_FORWARDED = 64,
    IPFIX_DROPPED = 128,
    IPFIX_DROPPED_ACL_DENY = 129,
    IPFIX_DROPPED_ACL = 130,
    IPFIX_DROPPED_UNROUTABLE = 131,
    IPFIX_DROPPED_BAD_TTL = 137,
    IPFIX_DROPPED_POLICER = 138,
    IPFIX_DROPPED_BAD_OUTPUT = 142,
    IPFIX_CONSUMED = 192
};

/* Of which kind the tunnel is that the packet came out of. */
enum ipfix_tunnel { IPFIX_NO_TUNNEL, IPFIX_VXLAN, IPFIX_GTPU, IPFIX_TUNNELS };

/* A flow, or what is new of it. Numbers in host order; addresses as on the wire, IPv4's in the
 * first four bytes. */
struct ipfix_flow {
    uint8_t ip_version; /* 4 or 6: with the tunnel it chooses the template */
    uint8_t tunnel;     /* enum ipfix_tunnel */
    uint8_t protocol;
    uint8_t forwarding; /* enum ipfix_forwarding */
    uint8_t end_reason; /* enum ipfix_end_reason */
    uint8_t source[16], destination[16];
    uint16_t source_port, destination_port;
    uint16_t icmp; /* type and code */
    uint16_t tcp_flags;
    uint16_t vlan;              /* 0: untagged */
    uint32_t in_port, out_port; /* 0: not known */
    uint64_t tunnel_id;
    uint64_t octets, packets;
    uint64_t start_ms, end_ms; /* since 1970 */
    uint16_t selector;
};

/* One random packet out of each `population`. */
struct ipfix_sampling {
    uint16_t selector;
    uint32_t population;
    uint32_t space; /* population - 1 */
};

struct ipfix_message {
    struct writer w;
    size_t set;       /* offset of the set that is open; 0: none */
    uint16_t set_id;  /* of it */
    uint32_t records; /* of data, in this message: by so much the sequence number grows */
};

/* `size` bytes of room, IPFIX_MESSAGE_MAX or what the path carries. */
void ipfix_begin(struct ipfix_message *m, void *buffer, size_t size);
/* All templates. False when they do not fit. */
bool ipfix_add_templates(struct ipfix_message *m);
/* A data record: false when the message is full, which is as it was before. */
bool ipfix_add_flow(struct ipfix_message *m, const struct ipfix_flow *flow);
/* How packets are chosen, by the options template (RFC 5477 clause 6.5.2). */
bool ipfix_add_sampling(struct ipfix_message *m, const struct ipfix_sampling *sampling);
/* Fills the header in. `sequence`: data records sent before this message. */
void ipfix_end(struct ipfix_message *m, uint32_t domain, uint32_t sequence, uint32_t time_s);

static inline struct bytes ipfix_bytes(const struct ipfix_message *m)
{
    return wr_view(&m->w);
}

#endif
