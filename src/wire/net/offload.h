/*
 * offload.h -- doing in software what a packet's sender left to a network card: checksums to be
 * completed, large TCP and UDP packets to be cut.
 *
 * A guest or a kernel hands over packets as virtio-net describes them (Virtual I/O Device 1.2
 * clause 5.1.6): with a checksum field that only holds the sum of the pseudo header, and of up to
 * 64 KiB with the size of the segments they stand for. When such a packet leaves by a port whose
 * other side takes them as well, it goes as it is; for every other port it passes here first.
 *
 * Nothing in a packet or its offload data is believed: each length is checked, and what
 * contradicts itself is refused. No I/O, no state, no allocation: any thread.
 */
#ifndef STROWGER_WIRE_NET_OFFLOAD_H
#define STROWGER_WIRE_NET_OFFLOAD_H

#include "wire/net/net.h"

/* The smallest segment size that is believed: what is left of Linux's smallest segment when all TCP
 * options are there. It bounds how many packets one packet can become. */
#define NET_MIN_GSO_SIZE 8

enum net_gso {
    NET_GSO_NONE,
    NET_GSO_TCPV4,
    NET_GSO_TCPV6,
    NET_GSO_UDP, /* over either: datagrams of gso_size */
};

struct net_offload {
    bool partial;             /* the checksum is: */
    uint16_t checksum_start;  /* sum what is behind this many bytes of the frame, */
    uint16_t checksum_offset; /* and store it this many bytes behind that */
    enum net_gso gso;
    uint16_t gso_size; /* bytes of payload in each segment but the last */
};

/* Bytes before the network layer: Ethernet and all its VLAN tags; *type is what follows. -EBADMSG:
 * the frame is cut. */
int net_link_size(struct bytes frame, uint16_t *type);

/* Completes a partial checksum: the field holds the sum of the pseudo header, not complemented. A
 * sum of 0 becomes 0xffff, the same number in one's complement, which UDP wants (RFC 768) and
 * others do not mind. -EBADMSG: the field is not in the packet; nothing was changed. */
int net_checksum_complete(uint8_t *bytes, size_t len, size_t checksum_start,
                          size_t checksum_offset);

/* A large packet and how far it has been cut. */
struct net_segments {
    unsigned count;    /* segments it becomes: at least 1 */
    size_t largest;    /* bytes of the largest, headers and all */
    struct bytes rest; /* payload that is not cut yet */
    /* the cutter's own: */
    struct bytes headers; /* up to the payload */
    size_t network, transport;
    size_t gso_size;
    unsigned next;
    uint32_t pseudo; /* its header's sum, without the length */
    uint8_t protocol;
    bool has_checksum;
};

/* Begins to cut a frame whose network layer begins `link` bytes in (see net_link_size(); 0: it has
 * no link header). The frame must stay as it is meanwhile. -EBADMSG: it is cut off, is a fragment,
 * or is not what its offload data says. Bytes behind the IP packet are left out. */
int net_segments_begin(struct net_segments *s, struct bytes frame, size_t link,
                       const struct net_offload *offload);

/* Writes the next segment, whole and with all its checksums: its length, 0 when there are no more,
 * -EMSGSIZE when it has more than `room` bytes. */
int net_segments_next(struct net_segments *s, uint8_t *to, size_t room);

#endif
