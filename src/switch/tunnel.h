/*
 * tunnel.h -- what tunnel ports (port_gtpu.c, port_vxlan.c) have in common: UDP over IPv4, to many
 * peers, from one address.
 *
 * A tunnel's datagrams go by one of two ways, and its port need not know which. Without
 * `underlay:` they go by the kernel's sockets: recvmmsg() and sendmmsg(), as many sockets as there
 * are workers; which of them a packet reaches, the kernel decides by its addresses and ports, so a
 * peer's packets stay in order. With it, they go by another port of this switch (underlay.h), and
 * no socket is there at all.
 *
 * Opening and closing is for the loop's thread, all else for any worker.
 */
#ifndef STROWGER_SWITCH_TUNNEL_H
#define STROWGER_SWITCH_TUNNEL_H

#include <sys/socket.h>

#include "switch/worker.h"

struct tunnel;
struct underlay;

/* Where a datagram came from. */
struct tunnel_peer {
    struct sockaddr_in address;
    uint8_t ecn; /* of the outer header; 0 when it is not known */
};

/* What was taken out of tunnels in one burst, before it enters the tables. */
struct tunnel_burst {
    struct port *port;
    struct packet *packets[BURST];
    size_t count;
};

void tunnel_burst_add(struct worker *w, struct tunnel_burst *b, struct port *port,
                      struct packet *p);
void tunnel_burst_run(struct worker *w, struct tunnel_burst *b);

/* A datagram's payload; the packet is the port's now. What goes into the tables is added to the
 * burst. */
typedef void tunnel_take_fn(struct worker *w, struct tunnel *t, struct tunnel_burst *b,
                            struct packet *p, const struct tunnel_peer *from);

struct tunnel {
    struct port *port;
    struct sockaddr_in local;
    tunnel_take_fn *take;
    size_t header_size;        /* of the tunnel's own header, between UDP and the inner packet */
    bool ethernet;             /* the inner packet has its link header */
    struct underlay *underlay; /* NULL: the kernel's sockets, */
    int fd;                    /* of which this one sends */
    uint64_t full; /* time at which all answers that hostile packets could cause may be given again;
                      by all workers */
};

/* By p->config; sets p->queues, p->queue_fds, p->mtu. 0 or negative errno. */
int tunnel_open(struct tunnel *t, struct port *p, uint16_t udp_port);
void tunnel_close(struct tunnel *t);

/* Of the kernel's sockets: see struct port_driver. */
bool tunnel_poll(struct worker *w, struct tunnel *t, int fd);

/* Sends this message, which stays the caller's. */
void tunnel_answer(struct worker *w, struct tunnel *t, const struct sockaddr_in *to,
                   struct bytes message);

/* Whether an answer may be given that nobody is owed: so many a second; up to a second's worth at
 * once. */
bool tunnel_may_answer(struct tunnel *t, uint32_t per_second, uint64_t now_us);

/* Gives what the outer header tells of congestion to the inner packet, from its IP header on (RFC
 * 6040 clause 4.2). False: it must be dropped. */
bool tunnel_take_ecn(uint8_t *ip, size_t len, uint8_t outer);

/* ---- sending ---- */

/* A datagram that is to be sent. */
struct tunnel_datagram {
    struct packet *packet;
    uint8_t *at; /* the payload: in the packet */
    size_t len;
    be32 to;
    be16 port;
    uint8_t tos;       /* of the inner packet */
    bool inner;        /* a packet of somebody's, not a message of the tunnel's own */
    uint16_t src_port; /* with an underlay: sockets have one. Host order; 0: by the inner packet */
};

/* Begins a burst that `port` counts; its datagrams follow, each with its packet, which the tunnel
 * takes over; tunnel_out_end() sees that they are sent. */
struct tunnel_out {
    struct worker *w;
    struct tunnel *tunnel;
    struct port *port;
    unsigned count;
    struct tunnel_datagram datagrams[PORT_QUEUE];
};

static inline void tunnel_out_begin(struct tunnel_out *out, struct worker *w, struct tunnel *t,
                                    struct port *port)
{
    out->w = w;
    out->tunnel = t;
    out->port = port;
    out->count = 0;
}

static inline void tunnel_out_add(struct tunnel_out *out, const struct tunnel_datagram *d)
{
    out->datagrams[out->count++] = *d;
}

void tunnel_out_end(struct tunnel_out *out);

/* Drops what can not be sent. */
static inline void tunnel_out_drop(struct tunnel_out *out, struct packet *p, enum port_drop why)
{
    port_drop_out(out->w, out->port, why);
    packet_free(p);
}

#endif
