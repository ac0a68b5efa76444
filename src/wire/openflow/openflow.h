/*
 * openflow.h -- OpenFlow 1.3.5 (ONF TS-023) on the wire: the door of the room.
 *
 * One C struct per message, one table of rows per struct (messages.c): the rows decode, encode and
 * print it. The constants carry the specification's names and values; clause numbers are those
 * of 1.3.5. Beyond the standard: the ONF's extensions that extensions.c names, and the Open vSwitch
 * fields and register actions that fields.def and enum of_action_type name.
 *
 * A decoder takes memory from the arena it is given; views (struct bytes) point into the received
 * message. Numbers are in host order, except the values of match fields, which are as on the wire
 * (see match.h). No I/O, no state: any thread.
 *
 *   struct of_message m = {.type = OFPT_FLOW_MOD, .xid = xid, .flow_mod = {...}};
 *   of_encode(&writer, &m);
 *
 *   int err = of_decode(&m, bytes, &arena, &why); // why: the OpenFlow error that answers it
 *   of_print(&text, &m);
 */
#ifndef STROWGER_WIRE_OPENFLOW_OPENFLOW_H
#define STROWGER_WIRE_OPENFLOW_OPENFLOW_H

#include "base/arena.h"
#include "base/cursor.h"
#include "base/text.h"
#include "wire/openflow/constants.h"
#include "wire/openflow/match.h"

/* "BAD_MATCH/BAD_PREREQ" and the like; numbers for what is unknown. */
void of_print_error(struct text *t, of_error error);

/* ---- actions and instructions (clauses 7.2.4, 7.2.5) ---- */

enum of_action_type {
    OFPAT_OUTPUT = 0,
    OFPAT_COPY_TTL_OUT = 11,
    OFPAT_COPY_TTL_IN = 12,
    OFPAT_SET_MPLS_TTL = 15,
    OFPAT_DEC_MPLS_TTL = 16,
    OFPAT_PUSH_VLAN = 17,
    OFPAT_POP_VLAN = 18,
    OFPAT_PUSH_MPLS = 19,
    OFPAT_POP_MPLS = 20,
    OFPAT_SET_QUEUE = 21,
    OFPAT_GROUP = 22,
    OFPAT_SET_NW_TTL = 23,
    OFPAT_DEC_NW_TTL = 24,
    OFPAT_SET_FIELD = 25,
    OFPAT_PUSH_PBB = 26,
    OFPAT_POP_PBB = 27,
    OFPAT_EXPERIMENTER = 0xffff,
    /* Open vSwitch's, experimenter actions on the wire (NXAST_REG_MOVE, NXAST_REG_LOAD). */
    OF_NX_REG_MOVE = 0x10006,
    OF_NX_REG_LOAD = 0x10007,
};

struct of_action {
    uint32_t type; /* enum of_action_type */
    union {
        struct {
            uint32_t port;
            uint16_t max_len; /* of a packet-in, for OFPP_CONTROLLER */
        } output;
        uint32_t group_id;
        uint32_t queue_id;
        uint16_t ethertype; /* PUSH_*, POP_MPLS */
        uint8_t ttl;        /* SET_NW_TTL, SET_MPLS_TTL */
        struct {
            enum of_field_id field;
            uint8_t value[16]; /* the field's bytes, network order */
        } set_field;
        struct {
            enum of_field_id field;
            uint8_t offset, n_bits; /* bits of the field, from the least significant */
            uint64_t value;
        } reg_load;
        struct {
            enum of_field_id from, to;
            uint16_t from_offset, to_offset, n_bits;
        } reg_move;
    };
};

struct of_actions {
    struct of_action *at;
    size_t count;
};

enum ofp_instruction_type {
    OFPIT_GOTO_TABLE = 1,
    OFPIT_WRITE_METADATA = 2,
    OFPIT_WRITE_ACTIONS = 3,
    OFPIT_APPLY_ACTIONS = 4,
    OFPIT_CLEAR_ACTIONS = 5,
    OFPIT_METER = 6,
    OFPIT_EXPERIMENTER = 0xffff,
};

struct of_instruction {
    uint16_t type; /* enum ofp_instruction_type */
    union {
        uint8_t table_id;
        struct {
            uint64_t metadata, mask;
        } write_metadata;
        struct of_actions actions; /* WRITE_ACTIONS, APPLY_ACTIONS */
        uint32_t meter_id;
    };
};

struct of_instructions {
    struct of_instruction *at;
    size_t count;
};

/* Builders, for lists like (struct of_action[]){of_set_u64(OF_TUNNEL_ID, teid), of_output(port)}.
 */
static inline struct of_action of_output(uint32_t port)
{
    return (struct of_action){.type = OFPAT_OUTPUT, .output = {port, OFPCML_NO_BUFFER}};
}

static inline struct of_action of_to_group(uint32_t group_id)
{
    return (struct of_action){.type = OFPAT_GROUP, .group_id = group_id};
}

/* set_field of a field of up to 8 bytes, value in host order. */
struct of_action of_set_field(enum of_field_id field, uint64_t value);
/* The same with the field's bytes in network order (addresses). */
struct of_action of_set_field_bytes(enum of_field_id field, const void *value);

/* ---- messages ---- */

struct of_hello {
    uint32_t versions; /* bit n: version n; from the version bitmap, or from the header's version
                          when there is none */
};

struct of_error_message {
    uint16_t type, code;   /* code is exp_type when type is OFPET_EXPERIMENTER */
    uint32_t experimenter; /* then */
    struct bytes data;     /* at least 64 bytes of the request */
};

struct of_echo {
    struct bytes data;
};

/* What no table knows: other experimenters' messages. */
struct of_experimenter {
    uint32_t experimenter;
    uint32_t exp_type;
    struct bytes data;
};

struct of_features_reply {
    uint64_t datapath_id;
    uint32_t n_buffers;
    uint8_t n_tables;
    uint8_t auxiliary_id;
    uint32_t capabilities; /* enum ofp_capabilities */
};

struct of_switch_config {
    uint16_t flags; /* enum ofp_config_flags */
    uint16_t miss_send_len;
};

struct of_packet_in {
    uint32_t buffer_id;
    uint16_t total_len;
    uint8_t reason; /* enum ofp_packet_in_reason */
    uint8_t table_id;
    uint64_t cookie;
    struct of_match match; /* in_port and the other pipeline fields */
    struct bytes data;
};

struct of_packet_out {
    uint32_t buffer_id;
    uint32_t in_port;
    struct of_actions actions;
    struct bytes data;
};

struct of_flow_removed {
    uint64_t cookie;
    uint16_t priority;
    uint8_t reason; /* enum ofp_flow_removed_reason */
    uint8_t table_id;
    uint32_t duration_s, duration_ns;
    uint16_t idle_timeout, hard_timeout;
    uint64_t packet_count, byte_count;
    struct of_match match;
};

struct of_flow_mod {
    uint64_t cookie, cookie_mask;
    uint8_t table_id;
    uint8_t command;                     /* enum ofp_flow_mod_command */
    uint16_t idle_timeout, hard_timeout; /* seconds; 0: none */
    uint16_t priority;
    uint32_t buffer_id;           /* OFP_NO_BUFFER */
    uint32_t out_port, out_group; /* filters of delete; OFPP_ANY, OFPG_ANY */
    uint16_t flags;               /* enum ofp_flow_mod_flags */
    struct of_match match;
    struct of_instructions instructions;
};

struct of_bucket {
    uint16_t weight;                  /* select groups */
    uint32_t watch_port, watch_group; /* fast failover; OFPP_ANY, OFPG_ANY */
    struct of_actions actions;
};

struct of_buckets {
    struct of_bucket *at;
    size_t count;
};

struct of_group_mod {
    uint16_t command; /* enum ofp_group_mod_command */
    uint8_t type;     /* enum ofp_group_type */
    uint32_t group_id;
    struct of_buckets buckets;
};

struct of_port {
    uint32_t port_no;
    uint8_t hw_addr[6];
    char name[OFP_NAME_SIZE];
    uint32_t config;                            /* enum ofp_port_config */
    uint32_t state;                             /* enum ofp_port_state */
    uint32_t curr, advertised, supported, peer; /* enum ofp_port_features */
    uint32_t curr_speed, max_speed;             /* kbit/s */
};

struct of_ports {
    struct of_port *at;
    size_t count;
};

struct of_port_status {
    uint8_t reason; /* enum ofp_port_reason */
    struct of_port desc;
};

struct of_port_mod {
    uint32_t port_no;
    uint8_t hw_addr[6];
    uint32_t config, mask;
    uint32_t advertise;
};

struct of_property {
    uint16_t type;
    struct bytes data;
};

struct of_properties {
    struct of_property *at;
    size_t count;
};

struct of_table_mod {
    uint8_t table_id;
    uint32_t config;                 /* enum ofp_table_config */
    struct of_properties properties; /* ONF_TABLE_MOD alone: enum ofp_table_mod_prop_type */
};

/* Vacancy events (OpenFlow 1.4 clauses 7.3.4.1, 7.3.5.16 and 7.4.5). */
struct of_table_desc {
    uint8_t table_id;
    uint32_t config;
    struct of_properties properties;
};

struct of_table_status {
    uint8_t reason; /* enum ofp_table_reason */
    struct of_table_desc desc;
};

/* A table's thresholds in percent of free room; `vacancy` is the present one. */
struct of_vacancy {
    uint8_t down, up, vacancy;
};

struct of_meter_band {
    uint16_t type; /* enum ofp_meter_band_type */
    uint32_t rate, burst_size;
    uint8_t prec_level; /* DSCP_REMARK */
};

struct of_meter_bands {
    struct of_meter_band *at;
    size_t count;
};

struct of_meter_mod {
    uint16_t command; /* enum ofp_meter_mod_command */
    uint16_t flags;   /* enum ofp_meter_flags */
    uint32_t meter_id;
    struct of_meter_bands bands;
};

struct of_role {
    uint32_t role; /* enum ofp_controller_role */
    uint64_t generation_id;
};

struct of_role_status {
    uint32_t role;  /* enum ofp_controller_role */
    uint8_t reason; /* enum ofp_controller_role_reason */
    uint64_t generation_id;
};

/* Bit n: reason n is wanted; [0] as master or equal, [1] as slave. 1.3's messages have the first
 * three; NX_SET_ASYNC_CONFIG2 has any of them, as the properties of 1.4: `given` has a bit for each
 * property type that it named. */
struct of_async_config {
    uint32_t packet_in_mask[2], port_status_mask[2], flow_removed_mask[2], role_status_mask[2],
        table_status_mask[2];
    uint32_t given;
};

struct of_queue {
    uint32_t queue_id, port;
    uint16_t min_rate, max_rate; /* in 1/10 of a percent; 0xffff: not configured */
};

struct of_queue_config {
    uint32_t port;
    struct {
        struct of_queue *at;
        size_t count;
    } queues;
};

/* Extension 230. */
enum ofp_bundle_ctrl_type {
    OFPBCT_OPEN_REQUEST = 0,
    OFPBCT_OPEN_REPLY = 1,
    OFPBCT_CLOSE_REQUEST = 2,
    OFPBCT_CLOSE_REPLY = 3,
    OFPBCT_COMMIT_REQUEST = 4,
    OFPBCT_COMMIT_REPLY = 5,
    OFPBCT_DISCARD_REQUEST = 6,
    OFPBCT_DISCARD_REPLY = 7,
};
enum ofp_bundle_flags { OFPBF_ATOMIC = 1, OFPBF_ORDERED = 2 };

struct of_bundle_control {
    uint32_t bundle_id;
    uint16_t type;  /* enum ofp_bundle_ctrl_type */
    uint16_t flags; /* enum ofp_bundle_flags */
};

struct of_bundle_add {
    uint32_t bundle_id;
    uint16_t flags;
    struct bytes message; /* a whole message, header and all, with the same xid */
};

/* ---- multipart bodies (clause 7.3.5) ---- */

struct of_desc {
    char mfr_desc[256], hw_desc[256], sw_desc[256], serial_num[32], dp_desc[256];
};

struct of_flow_stats_request { /* FLOW and AGGREGATE */
    uint8_t table_id;          /* OFPTT_ALL */
    uint32_t out_port, out_group;
    uint64_t cookie, cookie_mask;
    struct of_match match;
};

struct of_flow_stats {
    uint8_t table_id;
    uint32_t duration_s, duration_ns;
    uint16_t priority, idle_timeout, hard_timeout, flags;
    uint64_t cookie, packet_count, byte_count;
    struct of_match match;
    struct of_instructions instructions;
};

struct of_aggregate_stats {
    uint64_t packet_count, byte_count;
    uint32_t flow_count;
};

struct of_table_stats {
    uint8_t table_id;
    uint32_t active_count;
    uint64_t lookup_count, matched_count;
};

struct of_port_stats {
    uint32_t port_no;
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors,
        tx_errors;
    uint64_t rx_frame_err, rx_over_err, rx_crc_err, collisions;
    uint32_t duration_s, duration_ns;
};

struct of_queue_stats {
    uint32_t port_no, queue_id;
    uint64_t tx_bytes, tx_packets, tx_errors;
    uint32_t duration_s, duration_ns;
};

struct of_bucket_counter {
    uint64_t packet_count, byte_count;
};

struct of_group_stats {
    uint32_t group_id, ref_count;
    uint64_t packet_count, byte_count;
    uint32_t duration_s, duration_ns;
    struct {
        struct of_bucket_counter *at;
        size_t count;
    } buckets;
};

struct of_group_desc {
    uint8_t type;
    uint32_t group_id;
    struct of_buckets buckets;
};

struct of_group_features {
    uint32_t types, capabilities;
    uint32_t max_groups[4], actions[4]; /* by enum ofp_group_type */
};

struct of_band_stats {
    uint64_t packet_band_count, byte_band_count;
};

struct of_meter_stats {
    uint32_t meter_id, flow_count;
    uint64_t packet_in_count, byte_in_count;
    uint32_t duration_s, duration_ns;
    struct {
        struct of_band_stats *at;
        size_t count;
    } bands;
};

struct of_meter_config {
    uint16_t flags;
    uint32_t meter_id;
    struct of_meter_bands bands;
};

struct of_meter_features {
    uint32_t max_meter, band_types, capabilities;
    uint8_t max_bands, max_color;
};

/* Clause 7.3.5.5.2. The body of a property is kept as it is on the wire. */
enum ofp_table_feature_prop_type {
    OFPTFPT_INSTRUCTIONS = 0,
    OFPTFPT_INSTRUCTIONS_MISS = 1,
    OFPTFPT_NEXT_TABLES = 2,
    OFPTFPT_NEXT_TABLES_MISS = 3,
    OFPTFPT_WRITE_ACTIONS = 4,
    OFPTFPT_WRITE_ACTIONS_MISS = 5,
    OFPTFPT_APPLY_ACTIONS = 6,
    OFPTFPT_APPLY_ACTIONS_MISS = 7,
    OFPTFPT_MATCH = 8,
    OFPTFPT_WILDCARDS = 10,
    OFPTFPT_WRITE_SETFIELD = 12,
    OFPTFPT_WRITE_SETFIELD_MISS = 13,
    OFPTFPT_APPLY_SETFIELD = 14,
    OFPTFPT_APPLY_SETFIELD_MISS = 15,
};

struct of_table_features {
    uint8_t table_id;
    char name[32];
    uint64_t metadata_match, metadata_write;
    uint32_t config, max_entries;
    struct of_properties properties;
};

/* Extension 187. */
struct of_flow_monitor_request {
    uint32_t id;
    uint16_t flags;    /* enum ofp_flow_monitor_flags */
    uint32_t out_port; /* OFPP_ANY */
    uint8_t table_id;  /* OFPTT_ALL */
    uint32_t zeros;    /* 3 bytes that must be zero */
    struct of_match match;
};

struct of_flow_update {
    uint16_t event;  /* enum onf_flow_update_event */
    uint32_t xid;    /* ABBREV alone; all others not there */
    uint16_t reason; /* DELETED: enum ofp_flow_removed_reason */
    uint16_t priority, idle_timeout, hard_timeout;
    uint8_t table_id;
    uint64_t cookie;
    struct of_match match;
    struct of_instructions instructions;
};

#define OF_LIST(type)    \
    struct {             \
        struct type *at; \
        size_t count;    \
    }

struct of_multipart {
    uint16_t type;  /* enum ofp_multipart_type */
    uint16_t flags; /* OFPMPF_* */
    union {
        struct of_flow_stats_request flow_request; /* FLOW, AGGREGATE */
        struct {
            uint32_t port_no, queue_id; /* PORT_STATS (port_no), QUEUE */
        } port_request;
        uint32_t group_id;                         /* GROUP */
        uint32_t meter_id;                         /* METER, METER_CONFIG */
        OF_LIST(of_table_features) table_features; /* request and reply */
        struct of_desc *desc;
        OF_LIST(of_flow_stats) flows;
        struct of_aggregate_stats aggregate;
        OF_LIST(of_table_stats) tables;
        OF_LIST(of_port_stats) port_stats;
        OF_LIST(of_queue_stats) queue_stats;
        OF_LIST(of_group_stats) group_stats;
        OF_LIST(of_group_desc) group_desc;
        struct of_group_features group_features;
        OF_LIST(of_meter_stats) meter_stats;
        OF_LIST(of_meter_config) meter_config;
        struct of_meter_features meter_features;
        struct of_ports ports;
        OF_LIST(of_flow_monitor_request) flow_monitors;
        OF_LIST(of_flow_update) flow_updates;
        OF_LIST(of_table_desc) table_descs;
        struct of_experimenter experimenter;
    };
};

struct of_message {
    uint8_t version; /* as received; of_encode() writes OFP_VERSION when 0 */
    uint8_t type;    /* enum ofp_type */
    uint32_t xid;
    union {
        struct of_hello hello;
        struct of_error_message error;
        struct of_echo echo; /* request and reply */
        struct of_experimenter experimenter;
        struct of_features_reply features;
        struct of_switch_config config; /* SET_CONFIG, GET_CONFIG_REPLY */
        struct of_packet_in packet_in;
        struct of_packet_out packet_out;
        struct of_flow_removed flow_removed;
        struct of_flow_mod flow_mod;
        struct of_group_mod group_mod;
        struct of_port_status port_status;
        struct of_port_mod port_mod;
        struct of_table_mod table_mod;
        struct of_meter_mod meter_mod;
        struct of_role role; /* request and reply */
        struct of_async_config async;
        struct of_queue_config queue_config; /* request: port alone */
        struct of_bundle_control bundle_control;
        struct of_bundle_add bundle_add;
        uint32_t monitor_id; /* FLOW_MONITOR_CANCEL */
        struct of_role_status role_status;
        struct of_table_status table_status;
        struct of_multipart multipart_request;
        struct of_multipart multipart_reply;
    };
};

/* Decodes one whole message (`wire.len` bytes, as the header says). 0; -EBADMSG with the error that
 * answers it in *why; -ENOMEM when the arena is exhausted. The header's fields are set in any case
 * if 8 bytes are there. */
int of_decode(struct of_message *m, struct bytes wire, struct arena *arena, of_error *why);

/* Writes the message with its length. What does not fit makes the writer bad. */
void of_encode(struct writer *w, const struct of_message *m);

/* One line: "FLOW_MOD add table=0 priority=100 ip,in_port=2 actions=output:1". */
void of_print(struct text *t, const struct of_message *m);
const char *of_type_name(uint8_t type);
/* The same from the message's bytes, for trace_set_printer(). */
void of_print_wire(struct bytes message, struct text *t);

/* The length field of the header in the first 4 bytes of a stream, or 0 when it is shorter than a
 * header: the stream can not go on. */
static inline size_t of_message_length(const uint8_t header[4])
{
    size_t length = (size_t)header[2] << 8 | header[3];

    return length < OFP_HEADER_SIZE ? 0 : length;
}

/* An error message that answers `request` (clause 7.4.4: at least its first 64 bytes are quoted).
 */
void of_encode_error(struct writer *w, uint32_t xid, of_error error, struct bytes request);

/* A multipart reply that grows entry by entry and is cut into messages of at most 64 KB. `emit`
 * gets each whole message. */
struct of_multipart_writer {
    uint8_t *buffer; /* OFP_MAX_MESSAGE bytes, the caller's */
    struct writer w;
    size_t empty; /* length of a reply without entries */
    uint32_t xid;
    uint16_t type;
    void (*emit)(void *context, struct bytes message);
    void *context;
};

void of_multipart_begin(struct of_multipart_writer *mw, uint8_t *buffer, uint32_t xid,
                        uint16_t type, void (*emit)(void *context, struct bytes message),
                        void *context);
/* One entry of the reply's list: a struct of_flow_stats, of_port ... as the type says. */
void of_multipart_add(struct of_multipart_writer *mw, const void *entry);
void of_multipart_end(struct of_multipart_writer *mw);

/* The parts, for those who keep them. */
void of_encode_match(struct writer *w, const struct of_match *m);
void of_encode_actions(struct writer *w, const struct of_action *at, size_t count);
void of_encode_instructions(struct writer *w, const struct of_instructions *instructions);
of_error of_decode_match(struct reader *r, struct of_match *m);
of_error of_decode_actions(struct reader *r, struct of_actions *actions, struct arena *arena);
of_error of_decode_instructions(struct reader *r, struct of_instructions *instructions,
                                struct arena *arena);

/* The vacancy property and its reading; false when it is no such property. `room` has 4 bytes. */
struct of_property of_vacancy_property(const struct of_vacancy *vacancy, uint8_t room[4]);
bool of_read_vacancy(const struct of_property *property, struct of_vacancy *vacancy);

/* "set_field:0x11->tun_id,output:2", "apply actions and goto" in the style of ovs-ofctl. */
void of_print_port(struct text *t, uint32_t port);
void of_print_actions(struct text *t, const struct of_actions *actions);
void of_print_instructions(struct text *t, const struct of_instructions *instructions);

#endif
