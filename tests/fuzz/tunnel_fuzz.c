/*
 * tunnel_fuzz.c -- hostile frames at a tunnel's underlay: the input is a row of chunks, each a byte
 * that says what it is, two bytes of length, and bytes. Chunks are whole frames, or what is put
 * behind headers that are right: an IP packet's payload, a UDP payload for GTP-U or VXLAN, a
 * fragment; or a packet that is to be sent into a tunnel.
 */
#include <stdlib.h>

#include "base/loop.h"
#include "switch/change.h"
#include "switch/underlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define US   0x0a090001
#define PEER 0x0a090002
#define POOL 512 /* small: it is made anew for each input */

enum what { FRAME, ARP, IP, GTPU, VXLAN, FRAGMENT, SEND_GTPU, SEND_VXLAN, KINDS };

static const uint8_t our_mac[6] = {2, 0, 0, 0, 9, 1}, peer_mac[6] = {2, 0, 0, 0, 9, 2};
static struct datapath dp;
static struct port *wire, *gtpu, *vxlan;
static struct switch_port_config wire_config = {.name = "wire", .type = SWITCH_PORT_PACKET},
                                 gtpu_config = {.name = "gtpu",
                                                .type = SWITCH_PORT_GTPU,
                                                .underlay = "wire",
                                                .prefix = 24},
                                 vxlan_config = {.name = "vxlan",
                                                 .type = SWITCH_PORT_VXLAN,
                                                 .underlay = "wire",
                                                 .prefix = 24,
                                                 .pmtu = SWITCH_PMTU_DROP,
                                                 .checksum = true},
                                 signal_config = {.name = "signal",
                                                  .type = SWITCH_PORT_GTPU_SIGNAL};

static void forget(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    packets_free(packets, count);
}

static const struct port_driver driver = {.name = "nowhere", .send = forget};

static void flow(uint32_t in_port, uint32_t to)
{
    struct of_action output = of_output(to);
    struct of_instruction in = {.type = OFPIT_APPLY_ACTIONS, .actions = {&output, 1}};
    struct of_flow_mod mod = {.priority = 1, .buffer_id = OFP_NO_BUFFER, .instructions = {&in, 1}};
    struct transaction t;

    of_match_set(&mod.match, OF_IN_PORT, in_port);
    change_begin(&t, &dp);
    if (change_flow_mod(&t, &mod) == 0)
        change_commit(&t);
    else
        change_rollback(&t);
}

static void start(void)
{
    if (packet_pool_init(POOL) < 0 || datapath_init(&dp, 1, 64, 0) < 0)
        abort();
    wire = port_new(&dp, &driver, &wire_config, 1);
    memcpy(wire->mac, our_mac, 6);
    wire->mtu = 600;
    port_publish(wire);
    gtpu_config.address.s_addr = vxlan_config.address.s_addr = htonl(US);
    if (port_open(&dp, &gtpu_config, 2, &gtpu) < 0 ||
        port_open(&dp, &vxlan_config, 3, &vxlan) < 0 || port_open(&dp, &signal_config, 4, NULL) < 0)
        abort();
    flow(2, 3);
    flow(3, 2);
    flow(4, OFPP_IN_PORT);
}

static void end(void)
{
    worker_flush(dp.workers[0]);
    change_remove_all_flows(&dp);
    for (uint32_t i = MAX_PORTS; i-- > 1;)
        if (dp.ports[i])
            port_close(dp.ports[i]);
    datapath_free(&dp);
}

static void enter_by(struct port *port, struct bytes frame)
{
    struct packet *p = packet_copy_of(frame);

    if (!p)
        return;
    packet_enter(p, port->number);
    pipeline_burst(dp.workers[0], port, &p, 1);
    worker_flush(dp.workers[0]);
}

static void send_by(struct port *port, struct bytes frame)
{
    struct packet *p = packet_copy_of(frame);

    if (!p)
        return;
    packet_enter(p, 0);
    packet_parse(p);
    p->key.tun_dst = htonl(frame.len & 1 ? PEER : US);
    if (p->len >= ETH_HEADER_SIZE)
        (void)worker_output(dp.workers[0], port, p);
    else
        packet_free(p);
    worker_flush(dp.workers[0]);
}

static void enter_ip(enum what what, struct bytes payload)
{
    static uint8_t buffer[70000];
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct net_ip ip = {.version = 4, .protocol = IP_UDP, .src.v4.s_addr = htonl(PEER)};
    struct ipv4_header *header = (void *)(buffer + ETH_HEADER_SIZE);
    size_t begun;

    ip.src.family_size = ip.dst.family_size = 4;
    ip.dst.v4.s_addr = htonl(US);
    if (what == IP && payload.len)
        ip.protocol = payload.at[0] & 1 ? IP_UDP : IP_ICMP;
    net_write_ethernet(&w, our_mac, peer_mac, ETH_TYPE_IPV4);
    begun = net_ip_begin(&w, &ip);
    if (what == GTPU || what == VXLAN)
        net_write_udp(&w, 2152, what == GTPU ? 2152 : 4789);
    wr_view_of(&w, payload);
    net_ip_end(&w, begun);
    if (what == FRAGMENT && payload.len >= 2) {
        header->fragment = htons((uint16_t)(payload.at[0] & 0x20 ? IPV4_MORE_FRAGMENTS : 0) |
                                 (payload.at[1] & 0x3f));
        header->checksum = 0;
        header->checksum = net_checksum(header, IPV4_MIN_SIZE);
    }
    if (!w.bad)
        enter_by(wire, wr_view(&w));
}

static void enter_arp(struct bytes payload)
{
    uint8_t buffer[64];
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct net_arp arp = {.op = ARP_REQUEST, .sha = {2, 0, 0, 0, 9, 2}};

    arp.tpa.s_addr = htonl(US);
    arp.spa.s_addr = htonl(PEER);
    if (payload.len >= 3) {
        arp.op = payload.at[0] & 3;
        arp.spa.s_addr ^= htonl(payload.at[1]);
        arp.tpa.s_addr ^= htonl(payload.at[2] & 1);
    }
    net_write_ethernet(&w, our_mac, peer_mac, ETH_TYPE_ARP);
    net_write_arp(&w, &arp);
    enter_by(wire, wr_view(&w));
}

static void chunk_run(enum what what, struct bytes chunk)
{
    if (what == FRAME)
        enter_by(wire, chunk);
    else if (what == ARP)
        enter_arp(chunk);
    else if (what == SEND_GTPU || what == SEND_VXLAN)
        send_by(what == SEND_GTPU ? gtpu : vxlan, chunk);
    else
        enter_ip(what, chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);

    if (!loop_uv())
        (void)loop_init();
    start();
    while (rd_left(&r) >= 3) {
        uint8_t what = rd_u8(&r);
        size_t len = rd_u16(&r);

        chunk_run(what % KINDS, rd_view(&r, len < rd_left(&r) ? len : rd_left(&r)));
    }
    end();
    return 0;
}
