/*
 * packet_port.h -- ports for whole packets: TAP, TUN and AF_PACKET.
 *
 * A packet port is a non-blocking file descriptor that takes and gives frames (TAP, AF_PACKET) or
 * IP packets (TUN), in the network namespace where its interface lives, which need not be the
 * caller's. The switch forwards through them, the lab gives each phone a TUN of its own (addresses
 * and routes: link/netns.h). The caller waits for the descriptor in its loop and calls
 * packet_port_receive() until it returns less than asked.
 *
 * AF_PACKET hides a VLAN tag from the data and does not see what segmentation offload has not cut
 * yet: the port puts the tag back in, ignores what it sent itself, and switches off the offloads
 * that make frames larger than the interface's MTU. No state but the port's: any thread that owns
 * it.
 */
#ifndef STROWGER_LINK_PACKET_PORT_H
#define STROWGER_LINK_PACKET_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <net/if.h>

enum packet_port_kind {
    PACKET_PORT_TAP,    /* Ethernet frames; makes the interface */
    PACKET_PORT_TUN,    /* IP packets; makes the interface */
    PACKET_PORT_PACKET, /* Ethernet frames of an interface that exists */
    PACKET_PORT_WATCH,  /* none at all (fd is -1): to know MTU, carrier and address of an interface
                           whose packets come by other ways */
};

struct packet_port {
    enum packet_port_kind kind;
    int fd;         /* -1 when closed */
    int ifindex;    /* in its namespace */
    int control;    /* a socket in the interface's namespace, to ask about it */
    uint16_t mtu;   /* as last read */
    bool carrier;   /* as last read */
    uint8_t mac[6]; /* of the interface; zero for TUN */
    char name[IFNAMSIZ];
};

#define PACKET_PORT_BURST 32

/* What was longer than `size` - 4 (room for a VLAN tag) is received with len 0: the caller counts
 * and forgets it. */
struct packet_buffer {
    uint8_t *at; /* where the bytes are, or shall go */
    size_t size; /* room, when receiving */
    size_t len;  /* of the packet */
};

/* Opens a port on `interface` in the namespace `netns`, a descriptor (-1: the caller's own; see
 * link/netns.h), which is not needed afterwards. A TAP or TUN interface is made if it is not there,
 * leaves with the port, is brought up, and gets `mtu` unless 0. 0 or negative errno (-ENODEV: no
 * such interface, -EPERM: not allowed). */
int packet_port_open(struct packet_port *p, enum packet_port_kind kind, const char *interface,
                     int netns, uint16_t mtu);
void packet_port_close(struct packet_port *p);

/* Up to `count` packets (at most PACKET_PORT_BURST) that are there; fills at[i].len. The number (0:
 * none now) or negative errno (-ENETDOWN: the interface is down or gone). */
int packet_port_receive(struct packet_port *p, struct packet_buffer *buffers, int count);

/* Sends; returns how many were taken (those after are dropped by the port's full queue) or negative
 * errno. */
int packet_port_send(struct packet_port *p, const struct packet_buffer *buffers, int count);

/* Reads MTU and carrier again; true when one of them changed. */
bool packet_port_refresh(struct packet_port *p);

#endif
