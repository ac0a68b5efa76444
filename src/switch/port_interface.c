/*
 * port_interface.c -- see port_interface.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "link/netns.h"
#include "switch/port_interface.h"

const char *interface_name(const struct port *p)
{
    return p->config->interface ? p->config->interface : p->config->name;
}

void *interface_new(struct port *p, size_t size, int *netns, int *err)
{
    const char *name = p->config->netns;
    struct interface *i;

    *netns = -1;
    if (name && *name && (*netns = netns_named(name)) < 0) {
        log_error("switch.ports: %s: no network namespace \"%s\" was handed to this process",
                  p->name, name);
        *err = *netns;
        return NULL;
    }
    i = calloc(1, size);
    if (!i) {
        *err = -ENOMEM;
        return NULL;
    }
    i->watch.fd = i->watch.control = -1;
    p->private = i;
    return i;
}

static void interface_note(struct port *p)
{
    const struct interface *i = p->private;

    p->mtu = i->watch.mtu;
    p->state = i->watch.carrier ? 0 : OFPPS_LINK_DOWN;
}

int interface_watch(struct port *p, int netns)
{
    struct interface *i = p->private;
    int err =
        packet_port_open(&i->watch, PACKET_PORT_WATCH, interface_name(p), netns, p->config->mtu);

    if (err < 0)
        return err;
    memcpy(p->mac, i->watch.mac, sizeof(p->mac));
    interface_note(p);
    return 0;
}

bool interface_refresh(struct port *p)
{
    struct interface *i = p->private;

    if (!packet_port_refresh(&i->watch))
        return false;
    interface_note(p);
    return true;
}

void interface_free(struct port *p)
{
    struct interface *i = p->private;

    packet_port_close(&i->watch);
    free(i);
    p->private = NULL;
}
