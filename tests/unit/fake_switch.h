/*
 * fake_switch.h -- an OpenFlow switch for tests of the controller: flow tables as a list, packets
 * by hand.
 *
 * It answers the handshake, keeps flows and meters as they are told, takes frames through its
 * tables, sends PACKET_IN, and writes down what it was told in order. It can hold its barrier
 * replies back, and refuse flows.
 */
#ifndef STROWGER_TESTS_FAKE_SWITCH_H
#define STROWGER_TESTS_FAKE_SWITCH_H

#include "link/openflow_channel.h"
#include "wire/net/net.h"
#include "wire/openflow/openflow.h"

#define FAKE_GTPU   2
#define FAKE_SIGNAL 3
#define FAKE_SGI    1

#define FAKE_MAX_FLOWS 4096

struct fake_flow {
    uint8_t table;
    uint16_t priority, hard_timeout;
    uint64_t cookie, packets, bytes;
    struct of_match match;
    uint8_t instructions[256];
    size_t instructions_len;
};

struct fake_meter {
    uint32_t id, rate;
    uint16_t flags;
};

struct fake_switch {
    struct openflow_channel *channel;
    uint64_t datapath_id;
    bool has_meters;
    struct fake_flow flows[FAKE_MAX_FLOWS];
    unsigned flow_count;
    struct fake_meter meters[256];
    unsigned meter_count;
    bool holds_barriers;
    uint32_t held[64];
    unsigned held_count;
    of_error refuses;      /* what the next flow mods get; 0: they are taken */
    unsigned refuse_after; /* flow mods that are still taken before that */
    unsigned flow_mods, meter_mods, barriers, packet_outs, flow_dumps;
    /* What was sent out of a port last, by a packet-out or by the tables. */
    struct {
        uint32_t port;
        uint32_t tun_id;
        struct in_addr tun_dst;
        uint8_t eth_dst[6];
        size_t len;
        uint8_t frame[2048];
    } out;
    unsigned outs;
    char log[65536]; /* "flow packet-out barrier ..." */
};

extern struct fake_switch fake;

/* Connects to a controller on this port of the loopback. The tables are as before (all zero at
 * first). */
void fake_connect(uint16_t port);
void fake_disconnect(void);
void fake_forget(void); /* as if started anew */

void fake_release_barriers(void);

/* Takes a frame in at a port through the tables; returns the port it left by, OFPP_CONTROLLER, or 0
 * when dropped. */
uint32_t fake_receive(uint32_t in_port, uint32_t tun_id, const char *tun_src, struct bytes frame);

/* A signalling message as a whole frame from this address. */
void fake_signal(const char *from, uint16_t port, struct bytes gtpu);

/* Frames: Ethernet + IP + UDP with `len` bytes of payload that begin with `mark`. */
struct bytes fake_udp4(const char *src, const char *dst, uint8_t mark, size_t len);
struct bytes fake_frame_to(const uint8_t *mac, struct bytes frame);

/* How many flows have this cookie, or match this line of a table. */
unsigned fake_flows_with_cookie(uint64_t cookie);
const struct fake_flow *fake_find(uint8_t table, const char *match);
void fake_print(void);

#endif
