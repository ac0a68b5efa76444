/*
 * switches.h -- the registry of switches, and the applications that stand on it.
 *
 * A switch that connects is asked who it is (OpenFlow 1.3.5 clause 7.3.1), what it is made of
 * (descriptions, ports, meters) and told to send whole packets; then it is ready and the
 * applications hear of it. Ports are kept up to date by PORT_STATUS. A switch is known by its
 * datapath id: when one connects that is still there, the old connection was dead and is dropped.
 * An auxiliary connection (clause 6.3.7) is bound to the switch's main connection: what comes by it
 * is the switch's, it is not shown as a switch of its own, and it ends with the main connection.
 * Links between switches will be found by LLDP from here; so far every switch stands alone.
 *
 * PACKET_IN, FLOW_REMOVED and errors go to the application whose number is the first byte of the
 * flow's cookie; errors, which have no cookie, are offered to all.
 */
#ifndef STROWGER_CONTROLLER_SWITCHES_H
#define STROWGER_CONTROLLER_SWITCHES_H

#include <jansson.h>

#include "base/metric.h"
#include "link/openflow_channel.h"
#include "wire/openflow/openflow.h"

#define SWITCH_MAX_PORTS 1024

struct controller_switch {
    struct openflow_channel *channel;
    struct controller_switch *next;
    uint64_t datapath_id;
    uint8_t auxiliary_id; /* not 0: no switch, but another connection of one; never ready */
    uint8_t n_tables;
    uint32_t max_meters; /* 0: none */
    bool is_ready;
    bool is_open_vswitch; /* counts and port types differ in places; see usage.c */
    char description[96], serial[32];
    uint64_t since_us; /* wall clock */
    struct fiber *handshake;
    struct of_port *ports;
    size_t port_count;
};

struct controller_application {
    uint8_t number; /* the first byte of its cookies */
    void (*switch_ready)(struct controller_switch *sw);
    void (*switch_gone)(struct controller_switch *sw);
    void (*ports_changed)(struct controller_switch *sw);
    void (*packet_in)(struct controller_switch *sw, const struct of_packet_in *packet_in);
    void (*flow_removed)(struct controller_switch *sw, const struct of_flow_removed *removed);
    /* True when the error was an answer to something of this application's. */
    bool (*error)(struct controller_switch *sw, uint32_t xid, of_error error);
};

/* Listens, with TLS unless `tls` is NULL. The applications (NULL ends them) and `tls` stay. 0 or a
 * negative errno. */
int switches_open(const struct sockaddr *address, const struct openflow_tls *tls,
                  uint32_t probe_interval_ms,
                  const struct controller_application *const *applications);
void switches_close(void);

/* The port that listens, for tests. */
uint16_t switches_listening_port(void);

/* Walks: NULL gives the first. */
struct controller_switch *switches_next(const struct controller_switch *sw);

/* A port by name or number; NULL: there is none. */
const struct of_port *switch_port_named(const struct controller_switch *sw, const char *name);
const struct of_port *switch_port_numbered(const struct controller_switch *sw, uint32_t number);

/* Encodes and queues one message. 0 or as openflow_commit(). */
int switch_send(struct controller_switch *sw, const struct of_message *message);

/* Asks with a multipart request of this type and waits in the fiber; `part` gets every decoded
 * reply. 0, -EREMOTEIO for an error answer, or as openflow_multipart_request(). */
int switch_multipart(struct controller_switch *sw, const struct of_multipart *request,
                     int timeout_ms, void (*part)(void *context, const struct of_multipart *reply),
                     void *context);

json_t *switches_state(void);
json_t *switches_ports_state(void);

#endif
