/*
 * pfcp_association.h -- a control plane's hold on one user plane (TS 29.244 clause 6.2.6).
 *
 * pfcp_associate() sends Association Setup Request to a user plane until it is accepted, then
 * watches it by Heartbeats. The owner hears up() with what the user plane can do and which tunnel
 * addresses it lends, and down() when it stops answering. When the user plane has started anew
 * (another recovery time stamp) up() comes again with `restarted`: all its sessions are gone and
 * are to be established anew.
 *
 * The loop's thread only; callbacks run in the association's fiber and may not wait.
 */
#ifndef STROWGER_LINK_PFCP_ASSOCIATION_H
#define STROWGER_LINK_PFCP_ASSOCIATION_H

#include "link/pfcp_path.h"

#define PFCP_MAX_RESOURCES 4

/* Tunnel addresses lent by the user plane (User Plane IP Resource Information, clause 8.2.82). */
struct pfcp_resource {
    bool has_ipv4, has_ipv6;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    uint8_t teid_range_bits; /* of the TEID, the first bits are fixed ... */
    uint8_t teid_range;      /* ... to these */
    bool has_source_interface;
    uint8_t source_interface; /* for tunnels from this side only */
};

struct pfcp_association;

struct pfcp_association_handler {
    void (*up)(void *owner, struct pfcp_association *association, bool restarted);
    void (*down)(void *owner, struct pfcp_association *association);
};

/* Begins; `retry_ms` between attempts. NULL when memory is out or the peer table full. The handler
 * must stay. */
struct pfcp_association *pfcp_associate(struct pfcp_endpoint *endpoint,
                                        const struct sockaddr *user_plane, uint32_t retry_ms,
                                        const struct pfcp_association_handler *handler,
                                        void *owner);

/* Ends it without a word to the peer; the handle is gone. Not from a callback. */
void pfcp_association_end(struct pfcp_association *association);

bool pfcp_association_is_up(const struct pfcp_association *association);
struct udp_peer *pfcp_association_peer(const struct pfcp_association *association);
uint32_t pfcp_association_features(const struct pfcp_association *association); /* PFCP_UP_... */

/* The resource for tunnels whose packets come from `source_interface` (PFCP_INTERFACE_...); NULL
 * when none was lent. */
const struct pfcp_resource *pfcp_association_resource(const struct pfcp_association *association,
                                                      uint8_t source_interface);

/* For the endpoint's handler: the control plane passes on what its PFCP handler hears about this
 * peer. */
void pfcp_association_peer_restarted(struct pfcp_association *association);
void pfcp_association_peer_down(struct pfcp_association *association);

#endif
