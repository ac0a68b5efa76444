/*
 * port.h -- ports: where packets come in and go out.
 *
 * A port has a number and a name, what OpenFlow says of it, counters, and a queue of packets to be
 * sent that is written once per burst. What is behind it (an interface, a tunnel) is a struct
 * port_driver. A driver's descriptor is polled by the loop; when it is readable it takes bursts and
 * hands them to the pipeline.
 *
 * One thread: the loop's.
 */
#ifndef STROWGER_SWITCH_PORT_H
#define STROWGER_SWITCH_PORT_H

#include <uv.h>

#include "switch/packet.h"
#include "switch/switch.h"
#include "wire/openflow/openflow.h"

#define PORT_QUEUE 64 /* packets that wait for the end of a burst */

struct datapath;
struct port;

struct port_driver {
    const char *name;
    /* Opens what config says. 0 or negative errno. The port's descriptor is then p->fd, or -1 for
     * one that shares another's. */
    int (*open)(struct port *p);
    void (*close)(struct port *p);
    /* Reads what is there and hands it to pipeline_burst(). */
    void (*readable)(struct port *p);
    /* Sends all that is queued (p->queue[0..queued)), counts, and leaves the packets to the caller
     * to free. */
    void (*send)(struct port *p);
    /* A packet for which table 0 had no flow; it stays the caller's. May be NULL. */
    void (*unmatched)(struct port *p, const struct packet *packet);
    /* Reads link state and MTU again; true when something changed. May be NULL. */
    bool (*refresh)(struct port *p);
};

struct port_counters {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors,
        tx_errors;
};

/* Why the port could not send a packet, beside the data path's reasons. */
enum port_drop {
    PORT_DROP_QUEUE,     /* the kernel's queue was full */
    PORT_DROP_NO_TUNNEL, /* no tun_dst */
    PORT_DROP_NOT_IP,    /* a tunnel or TUN carries IP only */
    PORT_DROP_TOO_LARGE,
    PORT_DROP_MALFORMED, /* came in, but is no GTP-U, or cut */
    PORT_DROP_NO_SIGNAL, /* a GTP-U message that is no G-PDU, and no gtpu-signal port */
    PORT_DROPS
};

extern const char *const port_drop_names[PORT_DROPS];

struct port {
    struct datapath *dp;
    const struct port_driver *driver;
    const struct switch_port_config *config;
    uint32_t number;
    char name[OFP_NAME_SIZE];
    uint8_t mac[6];
    uint32_t ofp_config; /* enum ofp_port_config */
    uint32_t state;      /* enum ofp_port_state */
    uint16_t mtu;
    uint64_t created_us;
    struct port_counters counters;
    uint64_t drops[16]; /* by enum drop_reason: packets that came in here */
    uint64_t own_drops[PORT_DROPS];
    struct packet *queue[PORT_QUEUE];
    unsigned queued;
    struct port *next_unsent; /* in the list of ports that have something queued */
    bool unsent;
    int fd;
    uv_poll_t poll;
    bool polling;
    void *private; /* the driver's */
};

/* Makes and opens the port; it is in dp->ports[number]. 0 or negative errno. */
int port_open(struct datapath *dp, const struct switch_port_config *config, uint32_t number,
              struct port **port);
void port_close(struct port *port);

/* Takes the packet over. False when the port does not send (it was freed then). */
bool port_output(struct port *port, struct packet *packet);

/* Sends what this port has queued, and what all have. */
void port_send(struct port *port);
void ports_flush(void);

static inline bool port_is_live(const struct port *port)
{
    return port && !(port->state & OFPPS_LINK_DOWN) && !(port->ofp_config & OFPPC_PORT_DOWN);
}

/* What OpenFlow says of it. */
void port_describe(const struct port *port, struct of_port *desc);

static inline void port_count_in(struct port *port, uint32_t bytes)
{
    port->counters.rx_packets++;
    port->counters.rx_bytes += bytes;
}

static inline void port_count_out(struct port *port, uint32_t bytes)
{
    port->counters.tx_packets++;
    port->counters.tx_bytes += bytes;
}

static inline void port_drop_out(struct port *port, enum port_drop why)
{
    port->counters.tx_dropped++;
    port->own_drops[why]++;
}

static inline void port_drop_in(struct port *port, enum port_drop why)
{
    port->counters.rx_dropped++;
    port->own_drops[why]++;
}

/* Drivers. */
extern const struct port_driver interface_driver;   /* TAP, TUN, AF_PACKET: port_interface.c */
extern const struct port_driver gtpu_driver;        /* port_gtpu.c */
extern const struct port_driver gtpu_signal_driver; /* of the gtpu port before it */

/* Counters of all gtpu ports, for metrics. */
struct gtpu_counters {
    uint64_t echo_requests, error_indications_sent, error_indications_suppressed,
        notifications_sent, signals_in, signals_out;
};
extern struct gtpu_counters gtpu_counters;

/* At most so many Error Indications a second leave each gtpu port. */
void gtpu_limit_error_indications(uint32_t per_second);

#endif
