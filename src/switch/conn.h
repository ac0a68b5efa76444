/*
 * conn.h -- OpenFlow connections of the switch, for the room's own files.
 *
 * conn.c has the connections, who may do what (roles) and who hears of what (asynchronous
 * configuration); conn_requests.c the requests that are answered at once; conn_multipart.c the
 * statistics; conn_bundle.c bundles. All connections see one data path. One thread: the loop's.
 */
#ifndef STROWGER_SWITCH_CONN_H
#define STROWGER_SWITCH_CONN_H

#include "link/openflow_channel.h"
#include "switch/change.h"

#define MAX_BUNDLES      64 /* per connection */
#define MAX_BUNDLE_BYTES (64u << 20)
#define PACKET_IN_QUEUE  (4u << 20) /* bytes that may wait for a slow controller */
#define MISS_SEND_LEN    128
#define MAX_AUXILIARY    16 /* connections to one controller */

struct bundle;

struct conn {
    struct conn *next;
    struct openflow_channel *channel;
    /* An auxiliary connection (clause 6.3.7) belongs to a main one, and has its role, its
     * asynchronous configuration and its miss_send_len; what changes them on one connection changes
     * them on all of that controller. NULL: this is a main connection. */
    struct conn *main;
    uint8_t auxiliary_id; /* 0: main */
    const struct openflow_endpoint *to;
    bool connecting; /* we connect, again and again; else somebody connected to us */
    bool tried;      /* the controller was lost, or did not answer, since the switch started */
    bool up;
    uint32_t role; /* enum ofp_controller_role */
    struct of_async_config async;
    uint16_t miss_send_len;
    struct bundle *bundles;
    uint32_t bundle_count;
    uint64_t up_since_us;
    uint64_t messages, packet_ins, packet_ins_dropped, errors;
};

/* The one context of the process. */
struct switch_context {
    struct switch_config config;
    struct datapath dp;
    struct conn *conns;
    struct arena arena;   /* of one message */
    struct arena scratch; /* of one flow in an answer */
    uint64_t generation;  /* of roles (clause 6.3.6) */
    bool generation_known;
    char serial[32]; /* new with each start */
    uint64_t started_us;
    uint8_t *buffer; /* OFP_MAX_MESSAGE bytes, for replies that grow */
    struct {
        uint64_t flow_mods, group_mods, meter_mods, packet_outs, packet_ins, packet_ins_dropped,
            errors, bundles, bundles_failed, flows_removed;
    } counters;
};

extern struct switch_context sw;

/* Opens the connections that the configuration names. 0 or negative errno. */
int conns_open(void);
void conns_close(void);

/* Sends a message of at most `size` bytes; its xid is set by the caller. */
void conn_send(struct conn *c, const struct of_message *m, size_t size);
void conn_error(struct conn *c, uint32_t xid, of_error error, struct bytes request);

/* To all who want it. */
void conns_port_status(struct port *port, uint8_t reason);

/* One request. What it returns, unless 0, is sent as an error. */
of_error conn_request(struct conn *c, const struct of_message *m);
of_error conn_multipart(struct conn *c, const struct of_message *m);
of_error conn_bundle_control(struct conn *c, const struct of_message *m);
of_error conn_bundle_add(struct conn *c, const struct of_message *m);
void conn_drop_bundles(struct conn *c);

/* A request that changes the data path, in a transaction. */
of_error apply_change(struct transaction *t, const struct of_message *m);
/* Checks a PACKET_OUT, and sends it. */
of_error packet_out_check(const struct of_packet_out *out);
of_error packet_out(const struct of_packet_out *out);

/* Has what PACKET_OUTs gave to ports sent at the end of this turn. */
void flush_later(void);

#endif
