/*
 * filter.h -- SDF filters: which of a phone's packets a PDR is about (TS 29.244 clause 8.2.5,
 * TS 29.212 clause 5.4.2).
 *
 * A filter is a line in the language of RFC 6733 clause 4.3.1, "permit out ip from 192.0.2.1 to
 * assigned 5060", written for the downlink: "from" is the remote end, "to" the phone. Here it is
 * kept as remote and local end, so that it can be turned either way. No state: any thread.
 */
#ifndef STROWGER_CONTROLLER_FILTER_H
#define STROWGER_CONTROLLER_FILTER_H

#include <netinet/in.h>

#include "base/text.h"
#include "wire/net/net.h"
#include "wire/pfcp/pfcp.h"

struct up_filter_end {
    struct in6_addr address;      /* IPv4: in the first 4 bytes */
    uint8_t prefix;               /* significant bits; 0: any */
    uint16_t port_low, port_high; /* 0..65535: any */
};

struct up_filter {
    uint32_t id;      /* SDF filter id (bidirectional); 0: none */
    uint8_t version;  /* 4, 6, or 0: both */
    uint8_t protocol; /* 0: any */
    uint8_t tos;      /* IPv4 TOS or traffic class, under the mask */
    uint8_t tos_mask; /* 0, or 0xfc: the DSCP, which is what a switch can match */
    struct up_filter_end remote, local;
};

/* Reads a filter. 0, -EINVAL: not of this language, or -ENOTSUP: more than a switch can match
 * (lists of ports, SPI, flow label, options). */
int up_filter_read(const struct pfcp_sdf_filter *sdf, struct up_filter *filter);

/* True when ports are named. */
static inline bool up_ports_any(const struct up_filter_end *end)
{
    return end->port_low == 0 && end->port_high == UINT16_MAX;
}

/* A packet to the phone (downlink) or from it. */
bool up_filter_matches(const struct up_filter *filter, bool downlink,
                       const struct net_packet *packet);

/* A range of ports as values under masks; a range needs at most this many. */
#define UP_MAX_PORT_MASKS 30

struct up_port_mask {
    uint16_t value, mask;
};

unsigned up_port_masks(uint16_t low, uint16_t high, struct up_port_mask masks[UP_MAX_PORT_MASKS]);

/* True when the first `bits` bits are equal. */
bool up_prefix_equal(const void *a, const void *b, unsigned bits);

#endif
