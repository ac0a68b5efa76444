/*
 * port_interface.h -- what ports on network interfaces have in common: where the interface lives,
 * and what it says of itself. For port_tap.c, port_packet.c and port_xdp.c.
 */
#ifndef STROWGER_SWITCH_PORT_INTERFACE_H
#define STROWGER_SWITCH_PORT_INTERFACE_H

#include "link/packet_port.h"
#include "switch/worker.h"

/* The begin of what such a driver has as p->private. */
struct interface {
    struct packet_port watch;
};

/* A driver's own struct, that begins with a struct interface; and the namespace where the
 * interface is (-1: ours). NULL, with *err, when memory is out or the namespace is not there. */
void *interface_new(struct port *p, size_t size, int *netns, int *err);
const char *interface_name(const struct port *p);
/* Reads address, MTU and state, for the first time. 0 or negative errno. */
int interface_watch(struct port *p, int netns);
/* struct port_driver's refresh(). */
bool interface_refresh(struct port *p);
/* Ends watching, and frees p->private. */
void interface_free(struct port *p);

#endif
