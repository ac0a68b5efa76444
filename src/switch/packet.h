/*
 * packet.h -- a packet on its way through the switch.
 *
 * A packet owns a buffer with room before the frame, so that headers are put on and taken off in
 * place: a G-PDU becomes an Ethernet frame, and that a G-PDU again, without moving the user's
 * bytes. With it go its key (headers and pipeline fields as OpenFlow sees them) and where its
 * layers begin.
 *
 * Packets come from one pool of the process and belong to one holder at a time: a burst that was
 * received, or a port's queue of what is to be sent. The pool's buffers are one stretch of memory,
 * cut into chunks of a page, so that AF_XDP sockets can have the kernel read and write them where
 * they are. A frame that is larger than a chunk has a buffer of its own. Each thread keeps some
 * free packets for itself and shares the rest in batches, so that a packet may be freed by another
 * thread than took it, and a lock is met once in many packets.
 */
#ifndef STROWGER_SWITCH_PACKET_H
#define STROWGER_SWITCH_PACKET_H

#include "link/offload.h"
#include "wire/net/net.h"
#include "wire/openflow/openflow.h"

#define PACKET_CHUNK    4096u /* of the pool's memory: a page, as AF_XDP wants it */
#define PACKET_HEADROOM 256u  /* for outer headers and tags, and what AF_XDP keeps for itself */
#define PACKET_TAILROOM 16u
#define PACKET_ROOM     (PACKET_CHUNK - PACKET_HEADROOM - PACKET_TAILROOM) /* of a chunk's frame */
#define PACKET_MOST     (68u << 10) /* of any frame: 64 KiB that segmentation offload left whole */

struct packet {
    uint8_t *data; /* the Ethernet header */
    uint32_t len;
    uint32_t room;      /* of the frame, from the headroom's end */
    uint16_t lent_to;   /* generation of the port whose kernel has the buffer; 0: nobody */
    uint8_t *buffer;    /* the headroom's begin */
    uint16_t l3;        /* offset of what eth_type says; 0 before packet_parse() */
    uint16_t l4;        /* offset of the transport header; 0: none, or in another fragment */
    uint16_t l3_len;    /* of the IP packet as it says itself, 0: no IP */
    uint16_t nd_option; /* offset of the link address of neighbour discovery; 0: none */
    uint8_t vlan_tags;
    bool valid;             /* headers are whole as far as they go */
    uint16_t ip_at;         /* of a packet with offload: where the IP header is that it speaks of */
    struct offload offload; /* what its sender left to be done */
    struct of_key key;
};

/* Makes the pool: at most so many packets at a time, those with large buffers not counted. Without
 * it, the first packet makes one of PACKET_POOL_DEFAULT. 0 or -ENOMEM. */
#define PACKET_POOL_DEFAULT 16384u
int packet_pool_init(unsigned packets);
/* Frees the pool. All packets must be back, and other threads have said packet_thread_done(). */
void packet_pool_free(void);
/* Gives the calling thread's free packets back. */
void packet_thread_done(void);

/* An empty packet with data at the headroom's end and PACKET_ROOM bytes for its frame, or NULL when
 * the pool is empty. Its key is not initialised. */
struct packet *packet_new(void);
/* The same with room for a frame of `size` bytes, up to PACKET_MOST. */
struct packet *packet_new_for(size_t size);
void packet_free(struct packet *p);
static inline void packets_free(struct packet **packets, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        packet_free(packets[i]);
}
struct packet *packet_clone(const struct packet *p);

/* The pool's memory, and which packet has its buffer at an offset of it: for AF_XDP, which speaks
 * of packets by the place of their bytes. NULL for an offset outside. */
struct bytes packet_pool_memory(void);
struct packet *packet_at_offset(uint64_t offset);
static inline uint64_t packet_offset(const struct packet *p)
{
    return (uint64_t)(p->data - packet_pool_memory().at);
}
/* Has all packets back that are lent to this port: its kernel has let go of them. */
void packets_take_back(uint16_t lent_to);

static inline bool packet_is_in_pool(const struct packet *p)
{
    return p->room == PACKET_ROOM;
}

/* A copy of these bytes; NULL when they do not fit. */
struct packet *packet_copy_of(struct bytes frame);

/* Bytes before data, taken into (or out of) the packet: data and len move. False when there is not
 * that much room. */
static inline bool packet_push(struct packet *p, size_t n)
{
    if ((size_t)(p->data - p->buffer) < n)
        return false;
    p->data -= n;
    p->len += (uint32_t)n;
    return true;
}

static inline void packet_pull(struct packet *p, size_t n)
{
    p->data += n;
    p->len -= (uint32_t)n;
}

static inline struct bytes packet_bytes(const struct packet *p)
{
    return bytes_of(p->data, p->len);
}

/* Forgets the pipeline fields, too: a packet that enters the switch here. */
static inline void packet_enter(struct packet *p, uint32_t in_port)
{
    memset(&p->key, 0, sizeof(p->key));
    p->key.in_port = htonl(in_port);
}

/* Reads the headers into the key; the pipeline fields stay. */
void packet_parse(struct packet *p);

/* ---- what senders left to be done (finish.c) ---- */

static inline bool packet_is_unfinished(const struct packet *p)
{
    return p->offload.needs_checksum;
}

/* The front grew by `bytes`, or shrank: tags that were pushed or popped. */
static inline void packet_shift_offload(struct packet *p, int bytes)
{
    if (packet_is_unfinished(p)) {
        (void)offload_shift(&p->offload, bytes);
        p->ip_at = (uint16_t)(p->ip_at + bytes);
    }
}

/* Fills the checksum in. The packet may still be larger than its segments shall be. */
void packet_finish_checksum(struct packet *p);

/* Cuts a packet into its segments, with checksums, and hands each to `each`, which takes it over;
 * a packet that is none of many has its checksum filled in. Takes the packet over. False when it
 * contradicts itself or memory is out: (part of) it is lost. */
bool packet_finish(struct packet *p, void (*each)(struct packet *segment, void *context),
                   void *context);

/* Hash of the addresses and ports of a packet, for select groups. */
uint32_t packet_flow_hash(const struct packet *p);

/* ---- rewriting (rewrite.c): packet, key and checksums ---- */

/* False when the packet has no such header (nothing happened). */
bool packet_set_field(struct packet *p, enum of_field_id id, const uint8_t *value);
bool packet_push_vlan(struct packet *p, uint16_t ethertype);
bool packet_pop_vlan(struct packet *p);
bool packet_push_mpls(struct packet *p, uint16_t ethertype);
bool packet_pop_mpls(struct packet *p, uint16_t ethertype);
bool packet_push_pbb(struct packet *p, uint16_t ethertype);
bool packet_pop_pbb(struct packet *p);
bool packet_set_nw_ttl(struct packet *p, uint8_t ttl);
bool packet_set_mpls_ttl(struct packet *p, uint8_t ttl);
/* False when the TTL is spent: 0 or 1. Packets without TTL are left alone. */
bool packet_dec_nw_ttl(struct packet *p);
bool packet_dec_mpls_ttl(struct packet *p);
void packet_copy_ttl_out(struct packet *p);
void packet_copy_ttl_in(struct packet *p);

#endif
