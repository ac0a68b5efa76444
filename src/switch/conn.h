/*
 * conn.h -- OpenFlow connections of the switch, for the room's own files.
 *
 * conn.c has the connections, who may do what (roles) and who hears of what (asynchronous
 * configuration); conn_requests.c the requests that are answered at once; conn_multipart.c the
 * statistics; conn_tables.c what tables are and how full; conn_bundle.c bundles; conn_monitor.c
 * flow monitors; conn_buffer.c the packets that wait for a controller's word. All connections see
 * one data path. One thread: the loop's.
 */
#ifndef STROWGER_SWITCH_CONN_H
#define STROWGER_SWITCH_CONN_H

#include "link/openflow_channel.h"
#include "switch/change.h"

#define MAX_BUNDLES      64 /* per connection */
#define MAX_BUNDLE_BYTES (64u << 20)
#define ANSWERS_QUEUE    (16u << 20) /* bytes that wait before requests wait, too */
#define PACKET_IN_QUEUE  (4u << 20)  /* bytes that may wait for a slow controller */
#define MISS_SEND_LEN    128
#define MAX_AUXILIARY    16    /* connections to one controller */
#define BUNDLE_IDLE_MS   30000 /* without a message for a bundle, before it is dropped */

struct bundle;
struct watch;

/* The messages of a multipart request that is not whole yet. */
struct multipart_parts {
    uint8_t *at; /* one behind the other; NULL: there is no such request */
    size_t len;
    uint32_t xid;
    uint16_t type;
    struct timer timer;
};

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
    struct watch *watch; /* flow monitors; NULL: it has none */
    struct multipart_parts parts;
    uint64_t up_since_us;
    uint64_t messages, packet_ins, packet_ins_dropped, errors;
};

/* The one context of the process. */
struct switch_context {
    struct switch_config config;
    struct datapath dp;
    struct conn *conns;
    struct arena arena;   /* of one message */
    struct bytes wire;    /* that message as it came */
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

/* True when the connection wants to hear of this: a mask of its asynchronous configuration, and the
 * message's reason. */
bool conn_wants(const struct conn *c, const uint32_t mask[2], uint8_t reason);
/* To all who want it. */
void conns_port_status(struct port *port, uint8_t reason);
/* Takes a role away from a connection, and tells it why (enum ofp_controller_role_reason). */
void conn_demote(struct conn *c, uint8_t reason);

/* One request. What it returns, unless 0, is sent as an error. */
of_error conn_request(struct conn *c, const struct of_message *m);
of_error conn_multipart(struct conn *c, const struct of_message *m);
of_error conn_bundle_control(struct conn *c, const struct of_message *m);
of_error conn_bundle_add(struct conn *c, const struct of_message *m);
void conn_drop_bundles(struct conn *c);

/* conn_multipart.c: begins a reply to m; and forgets a request that is not whole. */
void conn_multipart_begin(struct of_multipart_writer *mw, struct conn *c,
                          const struct of_message *m);
void conn_drop_parts(struct conn *c);

/* conn_tables.c */
of_error conn_table_features(struct conn *c, const struct of_message *m);
of_error conn_table_desc(struct conn *c, const struct of_message *m);
of_error conn_onf_table_mod(struct conn *c, const struct of_message *m);
/* All tables as they are at first. */
void tables_forget_features(void);
/* Tells of vacancy after a flow came or went. */
void tables_flow_changed(const struct flow *flow);

/* conn_monitor.c */
of_error conn_flow_monitor(struct conn *c, const struct of_message *m);
of_error conn_monitor_cancel(struct conn *c, const struct of_message *m);
void conn_drop_monitors(struct conn *c);
/* What is committed from now on is what c asked for with this xid; NULL: nobody's request. */
void monitors_cause(struct conn *c, uint32_t xid);
void monitors_flow_changed(const struct flow *flow, enum flow_event event, uint8_t reason);

/* conn_buffer.c: at most `count` packets. 0 or -ENOMEM. */
int packet_buffers_open(uint32_t count);
void packet_buffers_close(void);
/* Keeps a copy; its id, or OFP_NO_BUFFER when there is no place. */
uint32_t packet_buffer_keep(const struct packet *packet);
/* 0, OFPBRC_BUFFER_UNKNOWN or OFPBRC_BUFFER_EMPTY. */
of_error packet_buffer_check(uint32_t id);
/* The packet, the caller's, with in_port and tunnel fields as it had them; NULL: it is not there,
 * or memory is out. */
struct packet *packet_buffer_take(uint32_t id);
/* The packet through the tables. */
void packet_buffer_release(uint32_t id);

/* A request that changes the data path, in a transaction. */
of_error apply_change(struct transaction *t, const struct of_message *m);
/* What follows when that is committed: the packet of the flow mod's buffer. */
void change_applied(const struct of_message *m);
/* Checks a PACKET_OUT, and sends it. */
of_error packet_out_check(const struct of_packet_out *out);
of_error packet_out(const struct of_packet_out *out);

/* Has what PACKET_OUTs gave to ports sent at the end of this turn. */
void flush_later(void);

#endif
