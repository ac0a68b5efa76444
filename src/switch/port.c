/*
 * port.c -- what all ports have in common: opening, polling, queues of what is to be sent.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/loop.h"
#include "switch/datapath.h"

const char *const port_drop_names[PORT_DROPS] = {
    "queue_full", "no_tunnel", "not_ip", "too_large", "malformed", "no_signal_port",
};

/* Ports that have packets queued; written at the end of a burst. */
static struct {
    struct port *unsent;
} ports;

static const struct port_driver *const drivers[] = {
    [SWITCH_PORT_TAP] = &interface_driver,           [SWITCH_PORT_TUN] = &interface_driver,
    [SWITCH_PORT_PACKET] = &interface_driver,        [SWITCH_PORT_GTPU] = &gtpu_driver,
    [SWITCH_PORT_GTPU_SIGNAL] = &gtpu_signal_driver,
};

static void port_readable(uv_poll_t *poll, int status, int events);

/* A socket's error (its interface went down) is taken, and the socket polled again; what has no
 * such error is gone for good, as a TAP whose interface was deleted. Controllers hear of either by
 * port_refresh(). */
static void port_poll_again(struct port *port)
{
    int error;
    socklen_t size = sizeof(error);

    uv_poll_stop(&port->poll);
    if (getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
        uv_poll_start(&port->poll, UV_READABLE, port_readable);
}

static void port_readable(uv_poll_t *poll, int status, int events)
{
    struct port *port = poll->data;

    (void)events;
    if (status < 0) {
        port_poll_again(port);
        return;
    }
    port->driver->readable(port);
    ports_flush();
}

static int port_start_polling(struct port *port)
{
    int err;

    if (port->fd < 0)
        return 0;
    if ((err = uv_poll_init(loop_uv(), &port->poll, port->fd)) < 0)
        return err;
    port->poll.data = port;
    port->polling = true;
    return uv_poll_start(&port->poll, UV_READABLE, port_readable);
}

int port_open(struct datapath *dp, const struct switch_port_config *config, uint32_t number,
              struct port **port)
{
    struct port *p;
    int err;

    if (number == 0 || number >= MAX_PORTS || dp->ports[number])
        return -EINVAL;
    p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->dp = dp;
    p->config = config;
    p->driver = drivers[config->type];
    p->number = number;
    p->fd = -1;
    p->created_us = clock_now_us();
    strncpy(p->name, config->name, sizeof(p->name) - 1);
    if ((err = p->driver->open(p)) == 0 && (err = port_start_polling(p)) < 0)
        p->driver->close(p);
    if (err < 0) {
        free(p);
        return err;
    }
    dp->ports[number] = p;
    if (port)
        *port = p;
    return 0;
}

static void port_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void port_empty_queue(struct port *port)
{
    for (unsigned i = 0; i < port->queued; i++)
        packet_free(port->queue[i]);
    port->queued = 0;
}

void port_close(struct port *port)
{
    ports_flush();
    port_empty_queue(port);
    port->dp->ports[port->number] = NULL;
    if (port->polling)
        uv_poll_stop(&port->poll);
    port->driver->close(port);
    if (port->polling)
        uv_close((uv_handle_t *)&port->poll, port_closed);
    else
        free(port);
}

void port_send(struct port *port)
{
    if (port->queued)
        port->driver->send(port);
    port_empty_queue(port);
}

bool port_output(struct port *port, struct packet *packet)
{
    if ((port->ofp_config & (OFPPC_PORT_DOWN | OFPPC_NO_FWD)) || (port->state & OFPPS_LINK_DOWN)) {
        port->counters.tx_dropped++;
        packet_free(packet);
        return false;
    }
    if (port->queued == PORT_QUEUE)
        port_send(port);
    port->queue[port->queued++] = packet;
    if (!port->unsent) {
        port->unsent = true;
        port->next_unsent = ports.unsent;
        ports.unsent = port;
    }
    return true;
}

void ports_flush(void)
{
    while (ports.unsent) {
        struct port *port = ports.unsent;

        ports.unsent = port->next_unsent;
        port->unsent = false;
        port_send(port);
    }
}

void port_describe(const struct port *port, struct of_port *desc)
{
    memset(desc, 0, sizeof(*desc));
    desc->port_no = port->number;
    memcpy(desc->hw_addr, port->mac, sizeof(desc->hw_addr));
    memcpy(desc->name, port->name, sizeof(desc->name));
    desc->config = port->ofp_config;
    desc->state = port->state | (port_is_live(port) ? OFPPS_LIVE : 0);
    desc->curr = OFPPF_10GB_FD | OFPPF_COPPER;
    desc->curr_speed = desc->max_speed = 10000000;
}
