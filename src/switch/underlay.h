/*
 * underlay.h -- a host within the switch: an IPv4 address that is reached by one of its ports, for
 * tunnels whose packets shall not go by the kernel.
 *
 * A frame that comes in by that port and is for the address is taken before the tables: ARP is
 * answered and learned from (neighbour.h), ICMP Echo answered, Fragmentation Needed remembered by
 * destination, fragments put together, and UDP to a tunnel's port handed to the tunnel. Everything
 * else goes on through the tables, as if the host were not there. What tunnels send gets IP and UDP
 * headers in the packet's headroom and goes to the port directly, or waits for the next hop's
 * link address.
 *
 * Several tunnels may share an address and port; they differ by UDP port. Joining and leaving is
 * for the loop's thread; everything else is any worker's. Sources: RFC 791, 792, 826, 1122, 1191,
 * 6040 (congestion marks), RFC 4459 and TS 29.281 clause 4.4.2 (what is too large).
 */
#ifndef STROWGER_SWITCH_UNDERLAY_H
#define STROWGER_SWITCH_UNDERLAY_H

#include "switch/tunnel.h"

#define UNDERLAY_TUNNELS 16 /* at one address */

/* The port is open: tunnels whose underlay had its name, and is gone, go by it from now on. */
void underlay_port_opened(struct port *port);

/* By the configuration of t->port. 0; -ENODEV when the port is not open, -EADDRINUSE when another
 * tunnel has the UDP port, -ENOMEM. */
int underlay_join(struct tunnel *t);
/* After the tunnel's port has been taken away from workers. */
void underlay_leave(struct tunnel *t);

/* A frame that came in by `in`, parsed. Returns the packet that goes on through the tables, which
 * can be another one; NULL: it was for us. */
struct packet *underlay_take(struct worker *w, struct port *in, struct packet *p);
/* What was taken by a worker's underlay_take() enters the tables now. */
void underlay_deliver(struct worker *w, struct port *in);

/* Sends a datagram of a tunnel, which `port` counts; takes the packet over. Its key is that of the
 * inner packet. */
void underlay_send(struct worker *w, struct tunnel *t, struct port *port,
                   const struct tunnel_datagram *d);

/* Asks again for neighbours, and drops what waited in vain: called by a timer of the loop's thread
 * as worker 0. */
void underlay_tick(struct underlay *u, uint64_t now_us);

#endif
