/*
 * fragment.h -- packets that do not fit the link: cutting them, putting them together, and telling
 * their senders.
 *
 * A tunnel adds 36 bytes and more to packets that may have filled the link without them. The outer
 * packet is then cut by the tunnel's entry (struct net_fragments) and put together by its end
 * (struct net_reassembly); a packet that may not be cut is answered with the largest size that
 * would have passed (net_write_fragmentation_needed(), net_write_packet_too_big()).
 *
 * Sources: RFC 791, RFC 8200 clause 4.5, RFC 5722 (overlaps), RFC 6946 (atomic fragments), RFC 3168
 * clause 5.3 (congestion marks); RFC 792, 1191, 1812 clause 4.3.2 and RFC 4443 clause 3.2.
 * No I/O, no clock; a reassembly has one thread, the others have no state.
 */
#ifndef STROWGER_WIRE_NET_FRAGMENT_H
#define STROWGER_WIRE_NET_FRAGMENT_H

#include "wire/net/net.h"

#define IPV6_FRAGMENT_SIZE    8
#define IPV6_MIN_MTU          1280 /* every link carries it (RFC 8200 clause 5) */
#define IPV4_LEAST_REASSEMBLY 576  /* every host takes it (RFC 791) */

/* ---- cutting ---- */

/* A packet and how far it has been cut. */
struct net_fragments {
    /* the cutter's own: */
    struct bytes head; /* link and network header of the first fragment */
    struct bytes rest; /* payload that is not cut yet, */
    size_t at;         /* and how much is */
    size_t link, mtu;
    size_t next_header_at;    /* IPv6: in `head` */
    uint32_t id;              /* IPv6 */
    uint16_t offset;          /* IPv4: of the packet itself, which can be a fragment */
    bool whole, done, ipv6;   /* whole: it fits */
    bool more;                /* IPv4: it is a fragment itself, not the last */
    size_t later_size;        /* IPv4: of the header of all but the first, */
    uint8_t later_header[60]; /* with the options that go into each */
};

/* Begins to cut a frame whose IP packet begins `link` bytes in, into packets of at most `mtu` bytes
 * of IP; the frame must stay as it is meanwhile. A packet that fits comes out as it is. IPv4 keeps
 * its identification; `id` is for IPv6, where only a packet's sender may cut it. -EMSGSIZE: it does
 * not fit and may not be cut, or the MTU is too small for anything; -EBADMSG: it is cut off or
 * contradicts itself, or is an IPv6 fragment. */
int net_fragments_begin(struct net_fragments *f, struct bytes frame, size_t link, size_t mtu,
                        uint32_t id);

/* Writes the next fragment with its link header: its length; 0 when there are no more, -EMSGSIZE
 * when it has more than `room` bytes. */
int net_fragments_next(struct net_fragments *f, uint8_t *to, size_t room);

/* ---- putting together ---- */

#define NET_REASSEMBLY_MAX_FRAGMENTS 64 /* of one packet */

struct net_reassembly;

struct net_reassembly_counters {
    uint64_t whole;     /* packets put together */
    uint64_t refused;   /* that were malformed, overlapped, or were too large */
    uint64_t timed_out; /* of which some fragments did not come in time */
    uint64_t evicted;   /* that had to go for newer ones */
};

/* For `packets` packets of at most `largest` bytes (up to 65535) at a time, each kept for at most
 * timeout_us from its first fragment on. All its memory is taken here, about `largest` bytes a
 * packet; nobody who sends fragments can make it grow. When it is full, the oldest packet goes,
 * but of a sender and receiver that hold a quarter of it, the oldest of theirs. NULL: no memory. */
struct net_reassembly *net_reassembly_new(unsigned packets, size_t largest, uint64_t timeout_us);
void net_reassembly_free(struct net_reassembly *r);

/* Takes an IP packet, without link header, at the time now_us (of any clock that does not go
 * backwards). 1: *whole is a whole packet: the same, if it is no fragment, or else one that is put
 * together, valid until the next call. 0: there are fragments to come. -EBADMSG: the packet or a
 * fragment is malformed, or its fragments contradict each other, and all of them are dropped,
 * those to come too. */
int net_reassemble(struct net_reassembly *r, struct bytes packet, uint64_t now_us,
                   struct bytes *whole);

const struct net_reassembly_counters *net_reassembly_counters(const struct net_reassembly *r);

/* ---- telling the sender ---- */

/* Writes the IPv4 packet that tells the sender of `packet` (from its IP header on; it may be cut
 * off behind that) that it needs fragmentation to pass a link of `mtu`: ICMP type 3 code 4, from
 * `from`. How often that is done is the caller's to limit. -EINVAL: nobody may be told (RFC 1812
 * clause 4.3.2.7: ICMP errors, later fragments, multicast, broadcast, no source); -EBADMSG: it is
 * no IPv4 packet; -EMSGSIZE: it does not fit in the writer, for which 576 bytes are always enough.
 * On an error nothing was written. */
int net_write_fragmentation_needed(struct writer *w, struct bytes packet, struct in_addr from,
                                   uint16_t mtu);

/* The same for IPv6: Packet Too Big, type 2. It answers multicast too. 1280 bytes are enough. */
int net_write_packet_too_big(struct writer *w, struct bytes packet, const struct in6_addr *from,
                             uint32_t mtu);

#endif
