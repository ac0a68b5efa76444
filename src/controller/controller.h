/*
 * controller.h -- the central controller of the OpenFlow switches, and the gateways' user plane
 * that it programs into them: the door of the room.
 *
 * `strowger controller` listens for switches (OpenFlow 1.3) and keeps a registry of them: datapath
 * id, features, ports. On that registry stand applications; each owns the flows whose cookie begins
 * with its number. The first is the *user plane*: a PFCP server (TS 29.244) towards S-GWs (Sxa) and
 * P-GWs (Sxb), whose sessions become flows in a switch with a GTP-U port.
 *
 * Inside:
 *
 *     controller.c   start, stop, state, views
 *     switches.c     the registry: handshake, ports, whom a message concerns
 *     up.c           the user plane as a whole: associations, the switch, packets
 *     session.c      PFCP sessions and their answers
 *     commit.c       one barrier for the changes of many sessions
 *     rules.c        a session's PDRs, FARs, QERs, URRs; draft.c makes them     (pure)
 *     filter.c       SDF filters                                                (pure)
 *     flows.c        rules to flows, and the difference of two lists of flows   (pure)
 *     pipeline.c     the flows that are always there
 *     allocator.c    TEIDs and meter ids
 *     buffer.c       packets for phones that sleep
 *     forward.c      packets that the controller itself sends on
 *     report.c       what control planes are told by themselves
 *     usage.c        URRs: volumes from flow counters
 *     sgi.c          the links behind the exits: ARP, neighbour discovery, next hops
 *     signal.c       GTP-U's own messages: Echo, Error Indication, End Marker
 *     router.c       what phones with IPv6 ask their router
 *     resync.c       a switch that comes back, flows of an earlier life of ours
 *     state.c        metrics and views
 *
 * One loop, one thread. docs/controller.md has the tables' drawing, the configuration and the
 * limits.
 */
#ifndef STROWGER_CONTROLLER_CONTROLLER_H
#define STROWGER_CONTROLLER_CONTROLLER_H

#include "base/config.h"
#include "link/openflow_tls.h"

/* `strowger controller`. */
int controller_main(int argc, char **argv);

/* The section `controller:`; for `strowger check` and for who starts it. */
extern const struct config_schema controller_config_schema;

/* How GTP-U path messages leave: through the switch's signalling port, or from a UDP socket of
 * ours. */
enum controller_signalling { CONTROLLER_SIGNALLING_PORT, CONTROLLER_SIGNALLING_SOCKET };

struct controller_gtpu_config {
    const char *port;        /* the switch's port for G-PDUs */
    const char *signal_port; /* its port for all other GTP-U messages */
    struct in_addr address;  /* of our F-TEIDs */
    uint8_t signalling;      /* enum controller_signalling */
    bool s5_from_network;    /* S5-U packets also come from other S-GWs and P-GWs */
};

/* One way out of the user plane: a packet data network behind a switch port. */
struct controller_sgi_config {
    const char *network_instance; /* as PFCP names it (an APN); "*": any other */
    const char *port;             /* the switch's port */
    bool ethernet;                /* the port carries Ethernet (TAP, NIC), else bare IP (TUN) */
    struct in_addr address;       /* ours on that link; answered by ARP */
    struct in6_addr address6;
    struct in_addr next_hop; /* the router on that link */
    struct in6_addr next_hop6;
    const char *mac; /* ours; made from the datapath id and the port when not given */
};

struct controller_buffer_config {
    uint32_t packets;     /* per session, unless a BAR suggests another number */
    uint64_t bytes;       /* per session */
    uint64_t total;       /* of all sessions */
    uint32_t clamp_ms;    /* how long a phone whose buffer is full is dropped in the switch */
    uint32_t packet_rate; /* packets per second to the controller, for all phones together */
};

struct controller_router_config {
    uint16_t mtu; /* in Router Advertisements; 0: no option */
    uint32_t lifetime_ms;
};

struct controller_user_plane_config {
    struct sockaddr_storage pfcp; /* where S-GWs and P-GWs find us */
    uint64_t datapath_id;         /* of the switch to be used; 0: the first that has the ports */
    struct controller_gtpu_config gtpu;
    struct {
        struct controller_sgi_config *at;
        size_t count;
    } sgi;
    struct controller_buffer_config buffer;
    struct controller_router_config router_advertisement;
    uint32_t max_sessions;
    uint32_t usage_poll_ms; /* how often volumes are compared with their thresholds */
    /* how long flows of an earlier life of the controller may still carry packets */
    uint32_t grace_ms;
    uint32_t t1_ms; /* PFCP: until a request is sent again */
    uint8_t n1;     /* PFCP: how often it is sent in all */
    uint32_t heartbeat_ms;
};

struct controller_config {
    struct openflow_endpoint openflow; /* where switches find us */
    struct openflow_tls_config tls;    /* when that is ssl: */
    uint32_t probe_interval_ms; /* of silence before an echo request, and again before a switch is
                                   given up */
    struct controller_user_plane_config user_plane;
};

#endif
