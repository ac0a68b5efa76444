/*
 * port.h -- ports: where packets come in and go out.
 *
 * A port has a number and a name, what OpenFlow says of it, and statistics. What is behind it (an
 * interface, a tunnel, a VM) is a struct port_driver. A driver has one or more receive queues, each
 * with a descriptor; the worker that a queue belongs to (worker.h) waits for it and calls poll(),
 * which takes bursts and hands them to the pipeline. Any worker may send.
 *
 * Opening and closing is for the loop's thread; a port that is closed has been taken away from the
 * workers before. Statistics are kept per worker and added up by who asks.
 */
#ifndef STROWGER_SWITCH_PORT_H
#define STROWGER_SWITCH_PORT_H

#include "switch/counter.h"
#include "switch/packet.h"
#include "switch/switch.h"
#include "wire/openflow/openflow.h"

#define PORT_RX_QUEUES    16 /* at most */
#define PORT_DROP_REASONS 16

struct datapath;
struct port;
struct underlay;
struct worker;

struct port_driver {
    const char *name;
    /* poll() finds out in memory that nothing came: a busy worker calls it all the time, not only
     * when a descriptor is readable. */
    bool in_memory;
    /* Opens what config says; sets p->queues and p->queue_fds (-1: a queue that no descriptor calls
     * for, so that its worker never sleeps), p->mac, p->mtu, p->state. 0 or negative errno. */
    int (*open)(struct port *p);
    void (*close)(struct port *p);
    /* Reads from a queue and hands what came to pipeline_burst(). True when there may be more. When
     * the worker waits (w->waits), the queue's descriptor is readable afterwards if there is more,
     * and becomes so when more comes. NULL: nothing ever comes. */
    bool (*poll)(struct worker *w, struct port *p, unsigned queue);
    /* Sends; counts; takes the packets over. None of them is unfinished in a way that the port did
     * not say it could do. */
    void (*send)(struct worker *w, struct port *p, struct packet **packets, unsigned count);
    /* A packet for which table 0 had no flow; it stays the caller's. May be NULL. */
    void (*unmatched)(struct worker *w, struct port *p, const struct packet *packet);
    /* Reads link state and MTU again; true when something changed. In the loop's thread. May be
     * NULL. */
    bool (*refresh)(struct port *p);
};

/* Why the port could not send or take a packet, beside the data path's reasons. */
enum port_drop {
    PORT_DROP_QUEUE,     /* the kernel's queue was full */
    PORT_DROP_NO_TUNNEL, /* no tun_dst */
    PORT_DROP_NOT_IP,    /* a tunnel or TUN carries IP only */
    PORT_DROP_TOO_LARGE,
    PORT_DROP_MALFORMED,    /* came in, but is no GTP-U, or cut */
    PORT_DROP_NO_SIGNAL,    /* a GTP-U message that is no G-PDU, and no gtpu-signal port */
    PORT_DROP_NO_NEIGHBOUR, /* nobody is at the next hop's address, or there is no next hop */
    PORT_DROP_NO_UNDERLAY,  /* the port that the tunnel goes by is closed or down */
    PORT_DROP_FRAGMENT,     /* did not fit and could not be cut, or fragments that do not match */
    PORT_DROP_CHECKSUM,     /* of an outer header */
    PORT_DROP_CONGESTION,   /* marked outside, and its sender would not know the mark: RFC 6040 */
    PORT_DROP_LOOP,         /* went round through patch ports or tunnels to ourselves */
    PORT_DROP_NO_PEER,      /* the other end of a patch is not open */
    PORT_DROP_KERNEL,       /* came in, and the kernel had no room for it: we were too slow */
    PORT_DROP_UNFINISHED,   /* was to be cut, and is not as its sender said */
    PORT_DROP_DISABLED,     /* came in by a queue that is switched off */
    PORT_DROPS
};

extern const char *const port_drop_names[PORT_DROPS];

/* One worker's. */
struct port_counters {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors,
        tx_errors;
    uint64_t drops[PORT_DROP_REASONS]; /* by enum drop_reason: packets that came in here */
    uint64_t own_drops[PORT_DROPS];
} __attribute__((aligned(64)));

struct port {
    struct datapath *dp;
    const struct port_driver *driver;
    const struct switch_port_config *config;
    struct config *owner; /* of the configuration, of a port that came later; freed with it */
    uint32_t number;
    char name[OFP_NAME_SIZE];
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t ofp_config;    /* enum ofp_port_config */
    uint32_t wanted_config; /* the same as a transaction left it: ofp_config's when it commits */
    uint32_t state;         /* enum ofp_port_state */
    uint64_t created_us;
    struct port_counters *counters; /* by worker */
    bool finishes_checksums, cuts;  /* what it does for packets that are unfinished */
    unsigned queues;                /* that are received from */
    int queue_fds[PORT_RX_QUEUES];
    int also_fds[PORT_RX_QUEUES];          /* that are waited for, too: worker_wait_for() */
    uint8_t queue_workers[PORT_RX_QUEUES]; /* to whom each belongs */
    uint16_t generation;                   /* tells a port from another that had its number */
    struct underlay *underlays; /* addresses of tunnels that are reached by it (underlay.h) */
    void *private;              /* the driver's */
};

/* A port of this driver, not opened, that nobody finds yet; NULL when memory is out or the number
 * is taken. */
struct port *port_new(struct datapath *dp, const struct port_driver *driver,
                      const struct switch_port_config *config, uint32_t number);

/* It is in dp->ports[number] from now on; port_close() undoes it. */
void port_publish(struct port *port);

/* Makes and opens the port, and gives it to the workers. 0 or negative errno. */
int port_open(struct datapath *dp, const struct switch_port_config *config, uint32_t number,
              struct port **port);
/* The port is freed after a grace period. */
void port_close(struct port *port);

static inline bool port_is_live(const struct port *port)
{
    return port && !(port->state & OFPPS_LINK_DOWN) && !(port->ofp_config & OFPPC_PORT_DOWN);
}

/* What OpenFlow says of it. */
void port_describe(const struct port *port, struct of_port *desc);

/* What all workers counted. */
struct port_counters port_count(const struct port *port);

/* The calling worker's counters. */
struct port_counters *port_counters_of(struct worker *w, struct port *port);

static inline void port_count_in(struct worker *w, struct port *port, uint32_t bytes)
{
    struct port_counters *c = port_counters_of(w, port);

    counter_add(&c->rx_packets, 1);
    counter_add(&c->rx_bytes, bytes);
}

static inline void port_count_out(struct worker *w, struct port *port, uint32_t bytes)
{
    struct port_counters *c = port_counters_of(w, port);

    counter_add(&c->tx_packets, 1);
    counter_add(&c->tx_bytes, bytes);
}

static inline void port_drop_out(struct worker *w, struct port *port, enum port_drop why)
{
    struct port_counters *c = port_counters_of(w, port);

    counter_add(&c->tx_dropped, 1);
    counter_add(&c->own_drops[why], 1);
}

static inline void port_drop_in(struct worker *w, struct port *port, enum port_drop why)
{
    struct port_counters *c = port_counters_of(w, port);

    counter_add(&c->rx_dropped, 1);
    counter_add(&c->own_drops[why], 1);
}

/* The same of a packet that is still there as a frame, for mirrors of drops to show (mirror.c); it
 * stays the caller's. */
void port_lose_out(struct worker *w, struct port *port, enum port_drop why,
                   const struct packet *packet);
void port_lose_in(struct worker *w, struct port *port, enum port_drop why,
                  const struct packet *packet);

/* What the kernel lost of what came in, in all. In the loop's thread. */
void port_note_kernel_loss(struct port *port, uint64_t lost);

/* Drivers. */
extern const struct port_driver tap_driver;         /* TAP, TUN: port_tap.c */
extern const struct port_driver packet_driver;      /* AF_PACKET: port_packet.c */
extern const struct port_driver xdp_driver;         /* AF_XDP: port_xdp.c */
extern const struct port_driver gtpu_driver;        /* port_gtpu.c */
extern const struct port_driver gtpu_signal_driver; /* of the gtpu port before it */
extern const struct port_driver vxlan_driver;       /* port_vxlan.c */
extern const struct port_driver patch_driver;       /* port_patch.c */
extern const struct port_driver vhost_driver;       /* vhost-user: port_vhost.c */
extern const struct port_driver dpdk_driver;        /* port_dpdk.c */

/* Counters of all gtpu ports, for metrics. */
struct gtpu_counters {
    uint64_t echo_requests, error_indications_sent, error_indications_suppressed,
        notifications_sent, signals_in, signals_out;
};
extern struct gtpu_counters gtpu_counters;

/* At most so many Error Indications a second leave each gtpu port. */
void gtpu_limit_error_indications(uint32_t per_second);

#endif
