/*
 * packet.h -- a packet on its way through the switch.
 *
 * A packet owns a buffer with room before the frame, so that headers are put on and taken off in
 * place: a G-PDU becomes an Ethernet frame, and that a G-PDU again, without moving the user's
 * bytes. With it go its key (headers and pipeline fields as OpenFlow sees them) and where its
 * layers begin.
 *
 * Packets come from a pool and belong to one holder at a time: a burst that was received, or a
 * port's queue of what is to be sent. One thread.
 */
#ifndef STROWGER_SWITCH_PACKET_H
#define STROWGER_SWITCH_PACKET_H

#include "wire/net/net.h"
#include "wire/openflow/openflow.h"

#define PACKET_HEADROOM 128  /* for outer headers and tags */
#define PACKET_ROOM     9344 /* a jumbo frame and its tags */
#define PACKET_TAILROOM 16

struct packet {
    struct packet *next; /* in the pool */
    uint8_t *data;       /* the Ethernet header */
    uint32_t len;
    uint16_t l3;        /* offset of what eth_type says; 0 before packet_parse() */
    uint16_t l4;        /* offset of the transport header; 0: none, or in another fragment */
    uint16_t l3_len;    /* of the IP packet as it says itself, 0: no IP */
    uint16_t nd_option; /* offset of the link address of neighbour discovery; 0: none */
    uint8_t vlan_tags;
    bool valid; /* headers are whole as far as they go */
    struct of_key key;
    uint8_t buffer[PACKET_HEADROOM + PACKET_ROOM + PACKET_TAILROOM];
};

/* An empty packet with data at the headroom's end, or NULL when memory is out. Its key is not
 * initialised. */
struct packet *packet_new(void);
void packet_free(struct packet *p);
struct packet *packet_clone(const struct packet *p);
/* Frees the pool. */
void packet_pool_free(void);

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
