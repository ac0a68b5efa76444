/*
 * pcapng.h -- capture files as Wireshark reads them (draft-ietf-opsawg-pcapng): written into
 * memory, a block at a time, and read back.
 *
 * A file is a row of blocks, each with its length at both ends, padded to 32 bits: one section
 * header, the interfaces, the packets, and at the end what each interface lost. Numbers are in host
 * byte order, which the first block tells. Pure functions, any thread.
 */
#ifndef STROWGER_WIRE_PCAPNG_H
#define STROWGER_WIRE_PCAPNG_H

#include "base/cursor.h"

#define PCAPNG_ETHERNET  1   /* link types */
#define PCAPNG_UPPER_PDU 252 /* WIRESHARK_UPPER_PDU */

#define PCAPNG_BLOCK_HEAD      8 /* type and length, of any block */
#define PCAPNG_INTERFACE_BLOCK 1 /* types of blocks */
#define PCAPNG_STATISTICS      5
#define PCAPNG_PACKET          6
#define PCAPNG_COMMENT_MAX     1024 /* of a comment; the rest is cut */
#define PCAPNG_PACKET_HEAD     28   /* bytes of a packet's block before the packet */
#define PCAPNG_OVERHEAD        (PCAPNG_COMMENT_MAX + 64) /* of a packet's block, at most */

/* Which way a packet went by its interface (epb_flags). */
enum pcapng_direction { PCAPNG_UNKNOWN, PCAPNG_IN, PCAPNG_OUT };

struct pcapng_packet {
    uint32_t interface; /* counted from 0 in the order in which they were described */
    uint64_t time_us;   /* since 1970 */
    struct bytes head;  /* bytes that come before those of */
    struct bytes body;
    uint32_t len; /* of the packet on the wire; 0: as many bytes as there are here */
    enum pcapng_direction direction;
    const char *comment; /* or NULL */
};

/* The first block. */
void pcapng_section(struct writer *w);
/* An interface; `name` may be NULL, `snaplen` 0: no limit. Times are in microseconds. */
void pcapng_interface(struct writer *w, uint16_t link_type, uint32_t snaplen, const char *name);
void pcapng_packet(struct writer *w, const struct pcapng_packet *packet);
/* At the end: what came by an interface, and how much of that was lost. */
void pcapng_statistics(struct writer *w, uint32_t interface, uint64_t time_us, uint64_t received,
                       uint64_t dropped, const char *comment);

/* A packet from its whole block, as pcapng_packet() wrote it; *body and the comment are views.
 * False when it is none. */
bool pcapng_read_packet(struct bytes block, struct pcapng_packet *packet, struct bytes *comment);
/* The same of statistics: *dropped is 0 when they do not tell. */
bool pcapng_read_statistics(struct bytes block, uint64_t *dropped, struct bytes *comment);

#endif
