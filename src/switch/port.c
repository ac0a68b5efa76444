/*
 * port.c -- what all ports have in common: opening and closing, statistics, what OpenFlow says of
 * them.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/config.h"
#include "base/log.h"
#include "base/loop.h"
#include "switch/underlay.h"
#include "switch/worker.h"

const char *const port_drop_names[PORT_DROPS] = {
    "queue_full",   "no_tunnel",   "not_ip",     "too_large", "malformed",  "no_signal_port",
    "no_neighbour", "no_underlay", "fragment",   "checksum",  "congestion", "loop",
    "no_peer",      "kernel",      "unfinished", "disabled",
};

static const struct port_driver *const drivers[] = {
    [SWITCH_PORT_TAP] = &tap_driver,          [SWITCH_PORT_TUN] = &tap_driver,
    [SWITCH_PORT_PACKET] = &packet_driver,    [SWITCH_PORT_XDP] = &xdp_driver,
    [SWITCH_PORT_GTPU] = &gtpu_driver,        [SWITCH_PORT_GTPU_SIGNAL] = &gtpu_signal_driver,
    [SWITCH_PORT_VXLAN] = &vxlan_driver,      [SWITCH_PORT_PATCH] = &patch_driver,
    [SWITCH_PORT_VHOST_USER] = &vhost_driver, [SWITCH_PORT_DPDK] = &dpdk_driver,
};

static bool generation_is_used(const struct datapath *dp, uint16_t generation)
{
    for (uint32_t i = 1; i < MAX_PORTS; i++)
        if (dp->ports[i] && dp->ports[i]->generation == generation)
            return true;
    return generation == 0; /* in a packet: lent to nobody */
}

/* Numbers come again after 65,535 ports. */
static uint16_t new_generation(const struct datapath *dp)
{
    static uint16_t last;

    do {
        last++;
    } while (generation_is_used(dp, last));
    return last;
}

struct port *port_new(struct datapath *dp, const struct port_driver *driver,
                      const struct switch_port_config *config, uint32_t number)
{
    struct port *p;

    if (number >= MAX_PORTS || dp->ports[number])
        return NULL;
    p = slab_alloc(sizeof(*p));
    if (!p)
        return NULL;
    p->counters = slab_alloc(dp->worker_count * sizeof(*p->counters));
    if (!p->counters) {
        slab_free(p);
        return NULL;
    }
    p->dp = dp;
    p->config = config;
    p->driver = driver;
    p->number = number;
    p->generation = new_generation(dp);
    p->created_us = clock_now_us();
    for (unsigned q = 0; q < PORT_RX_QUEUES; q++)
        p->queue_fds[q] = p->also_fds[q] = -1;
    if (config)
        strncpy(p->name, config->name, sizeof(p->name) - 1);
    return p;
}

void port_publish(struct port *port)
{
    __atomic_store_n(&port->dp->ports[port->number], port, __ATOMIC_RELEASE);
}

static void port_reclaim(void *at)
{
    struct port *p = at;

    if (p->owner)
        config_free(p->owner);
    slab_free(p->counters);
    slab_free(p);
}

/* No worker finds it any more; those that did are through. */
static void port_forget(struct port *port)
{
    if (port->number)
        __atomic_store_n(&port->dp->ports[port->number], NULL, __ATOMIC_RELEASE);
    workers_remove_port(port->dp, port);
}

int port_open(struct datapath *dp, const struct switch_port_config *config, uint32_t number,
              struct port **port)
{
    struct port *p;
    int err;

    if (number == 0 || number >= MAX_PORTS || dp->ports[number])
        return -EINVAL;
    if (!(p = port_new(dp, drivers[config->type], config, number)))
        return -ENOMEM;
    if ((err = p->driver->open(p)) < 0) {
        port_reclaim(p);
        return err;
    }
    port_publish(p);
    underlay_port_opened(p);
    if ((err = workers_add_port(dp, p)) < 0) {
        port_close(p);
        return err;
    }
    if (port)
        *port = p;
    return 0;
}

void port_close(struct port *port)
{
    worker_flush(port->dp->workers[0]);
    port_forget(port);
    if (port->driver && port->driver->close)
        port->driver->close(port);
    reclaim_memory(port, port_reclaim);
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

void port_note_kernel_loss(struct port *port, uint64_t lost)
{
    struct port_counters *c = &port->counters[0];
    uint64_t more = lost - c->own_drops[PORT_DROP_KERNEL];

    counter_add(&c->rx_dropped, more);
    counter_add(&c->own_drops[PORT_DROP_KERNEL], more);
}

struct port_counters port_count(const struct port *port)
{
    struct port_counters sum = {0};
    uint64_t *to = (void *)&sum;

    for (unsigned i = 0; i < port->dp->worker_count; i++) {
        const uint64_t *from = (const void *)&port->counters[i];

        for (size_t n = 0; n < sizeof(sum) / sizeof(*to); n++)
            to[n] += __atomic_load_n(&from[n], __ATOMIC_RELAXED);
    }
    return sum;
}
