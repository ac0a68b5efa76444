/*
 * switch.h -- an OpenFlow 1.3.5 switch: the door of the room.
 *
 * `strowger switch` forwards packets between its ports by the flow tables that controllers fill:
 * 255 tables, groups, meters, tunnel metadata. It is the user plane of the gateways: GTP-U is a
 * port like any other, and which TEID goes where is a flow. Without a controller it goes on with
 * the flows it has (fail-secure), or is a learning Ethernet switch meanwhile (fail-standalone, when
 * the configuration says so); a controller that comes back finds its flows.
 *
 * Inside: conn*.c speak OpenFlow, change*.c carry out what controllers want, table*.c hold the
 * rules and find them, pipeline.c takes packets through the tables, port*.c move them, worker.c has
 * the threads that do so. The loop's thread speaks to controllers and makes changes; data-path
 * threads read what it publishes, one version at a time, without locks (RCU). A barrier waits until
 * all of them have read the newest, so it is exact.
 *
 * What a controller has to know
 * -----------------------------
 *
 * Ports are found by name in OFPMP_PORT_DESC; their numbers stand in the configuration, or are
 * given in its order. The example network has
 *
 *   gtpu          G-PDUs of tunnels (S1-U, S5-U, X2-U)
 *   gtpu-signal   every other GTP-U message, in and out
 *   sgi           the internet side: a TAP (Ethernet) or TUN (IP) interface
 *
 * gtpu, as Open vSwitch's port of type gtpu (key=flow, remote_ip=flow). A received G-PDU enters
 * table 0 without its tunnel header, with in_port = gtpu, tun_id = TEID, tun_src = who sent it,
 * tun_dst = our address, tun_gtpu_flags and tun_gtpu_msgtype (255), and zero Ethernet addresses
 * before the user's packet (eth_type 0x0800 or 0x86dd), so that rules are the same as for Ethernet
 * ports. Output to gtpu takes the Ethernet header off and sends the packet in a G-PDU with TEID
 * tun_id to tun_dst, from the port's own address; the DSCP of the packet is copied outside. A
 * packet without tun_dst, or that is no IP packet, is dropped and counted. From gtpu to gtpu is
 * OFPP_IN_PORT.
 *
 *   uplink     in_port=gtpu,tun_id=0x11 actions=set_field:MAC->eth_dst,output:sgi
 *   downlink   ip,in_port=sgi,ip_dst=10.45.0.2
 *              actions=set_field:0x22->tun_id,set_field:10.0.0.2->tun_dst,output:gtpu
 *
 * (Ethernet addresses need to be set only if sgi is a TAP.)
 *
 * gtpu-signal, as Open vSwitch's second gtpu port with packet_type=ptap. Error Indication, End
 * Marker, Echo Response and Supported Extension Headers Notification enter table 0 as the whole
 * outer frame: Ethernet (addresses zero), IPv4, UDP, GTP-U; with in_port = gtpu-signal, tun_id =
 * the TEID of the GTP-U header (for an Error Indication that is 0: the TEID that it is about is in
 * its information element), tun_src, tun_dst and tun_gtpu_msgtype. A controller that wants them
 * installs
 *
 *   table=0 in_port=gtpu-signal actions=controller
 *
 * and finds them in PACKET_INs. (Matching tun_gtpu_msgtype works here, but not in Open vSwitch:
 * match the port.) To send a message it sends a PACKET_OUT with the same kind of frame, Ethernet +
 * IPv4 + UDP + GTP-U, and the action output:gtpu-signal: the switch sends the UDP payload to the
 * frame's IPv4 destination, port 2152 unless the frame says another, from its own address; Ethernet
 * addresses, IPv4 source and checksums are not looked at. With Open vSwitch the same frame, with
 * addresses filled in, goes in a PACKET_OUT to the bridge that holds the physical port. A message
 * sent after packets (also after PACKET_OUTs of buffered packets) leaves after them: an End Marker
 * is last.
 *
 * vxlan (RFC 7348), as Open vSwitch's port with key=flow, remote_ip=flow: tun_id is the VNI,
 * tun_src and tun_dst are as for gtpu, the inner Ethernet frame is the packet.
 *
 * Where a tunnel may not cut packets (`pmtu: drop`), one that does not fit is answered to its
 * sender: ICMP Fragmentation Needed or Packet Too Big enters table 0 with in_port = the tunnel,
 * tun_id and tun_src = the packet's tun_id and tun_dst, tun_gtpu_msgtype 0.
 *
 * What the switch does by itself: it answers Echo Request. It sends Error Indication for a G-PDU
 * that no flow of table 0 matches (at most error_indications_per_second), unless table 0 is empty:
 * a switch that was not told anything yet does not know that a tunnel does not exist. A controller
 * that installs a lowest-priority `in_port=gtpu actions=controller` takes that over, as it must
 * with Open vSwitch. A G-PDU with an extension header that must be understood and is not known gets
 * Supported Extension Headers Notification.
 *
 * Buffers: an output to the controller with a max_len other than OFPCML_NO_BUFFER keeps the packet
 * (packet_buffers of them, for a second at least) and sends that much of it with a buffer_id;
 * tun_* fields are kept with it. A controller that wants whole packets asks for OFPCML_NO_BUFFER,
 * as Strowger's own does. PACKET_OUT may set tun_id, tun_dst and registers with set_field before
 * output, or send the packet through the tables with output:TABLE (in_port as given). Group buckets
 * see the pipeline fields as they are at that point. Fields tun_*, reg0..reg15 and metadata are
 * sent in PACKET_IN when not zero.
 *
 * Bundles (ONF extension 230): all or nothing, in order; flow, group, port and meter mods and
 * packet-outs. A packet sees all of a bundle or nothing of it. The reply to a commit, like a
 * barrier reply, says that it has happened.
 *
 * Flow mods that stay cheap whatever the number of flows: add, strict modify and delete; non-strict
 * modify and delete whose match names the same fields under the same masks as the flows do; delete
 * and modify by an exact cookie (cookie_mask all ones). Others walk the table.
 *
 * A restarted switch has no flows: it comes with the same datapath id, and OFPMP_DESC's serial_num
 * holds a number that is new with each start. A switch that only lost its connection keeps flows,
 * groups, meters and counters.
 */
#ifndef STROWGER_SWITCH_SWITCH_H
#define STROWGER_SWITCH_SWITCH_H

#include <sys/socket.h>

#include "base/config.h"
#include "link/openflow_tls.h"

/* `strowger switch`. */
int switch_main(int argc, char **argv);

/* The section `switch:`; for `strowger check` and for who starts it. */
extern const struct config_schema switch_config_schema;

enum switch_port_type {
    SWITCH_PORT_TAP,
    SWITCH_PORT_TUN,
    SWITCH_PORT_PACKET,
    SWITCH_PORT_XDP,
    SWITCH_PORT_GTPU,
    SWITCH_PORT_GTPU_SIGNAL,
    SWITCH_PORT_VXLAN,
    SWITCH_PORT_PATCH,
    SWITCH_PORT_VHOST_USER,
    SWITCH_PORT_DPDK,
};

/* Who listens at a vhost-user socket: we, or the hypervisor. */
enum switch_vhost_mode { SWITCH_VHOST_SERVER, SWITCH_VHOST_CLIENT };

/* What a tunnel does with a packet that does not fit its path. */
enum switch_pmtu { SWITCH_PMTU_FRAGMENT, SWITCH_PMTU_DROP };

struct switch_port_config {
    const char *name;      /* as in OFPMP_PORT_DESC, at most 15 characters */
    uint32_t number;       /* 0: the next that is free */
    uint32_t type;         /* enum switch_port_type */
    const char *interface; /* tap, tun, packet; the port's name when not given */
    const char
        *netns; /* where the interface lives (netns_named()); the switch's own when not given */
    uint32_t xdp_mode;      /* xdp: enum xdp_mode */
    uint16_t mtu;           /* tap, tun: 0 leaves it; tunnels: of inner packets, 0: any; vhost-user:
                               0: 1500, unless the hypervisor says another; dpdk: 0: the driver's */
    struct in_addr address; /* tunnels; gtpu-signal has that of the gtpu port before it */
    uint16_t udp_port;      /* 0: 2152 of gtpu, 4789 of vxlan */
    const char *underlay;   /* tunnels: the port that they go by; NULL: the kernel's UDP */
    uint8_t prefix;         /* with an underlay: which addresses are on its link, */
    struct in_addr gateway; /* and who has the others; 0: nobody */
    uint8_t pmtu;           /* enum switch_pmtu */
    bool checksum;          /* outer UDP has one */
    struct in_addr remote;  /* vxlan: where packets without tun_dst go; 0: nowhere */
    const char *peer;       /* patch: the port at the other end */
    const char *socket;     /* vhost-user: path of the Unix socket */
    uint8_t mode;           /* vhost-user: enum switch_vhost_mode */
    uint8_t queues;         /* vhost-user: queue pairs; dpdk: receive queues */
    const char *device;     /* dpdk: PCI address, or virtual device with arguments */
};

/* Who is told of the flows that pass (ipfix.h). */
struct switch_ipfix_config {
    struct sockaddr_storage collector;                        /* AF_UNSPEC: nobody */
    uint32_t sampling;                                        /* one packet in so many */
    uint32_t active_timeout, idle_timeout, template_interval; /* ms */
    uint32_t cache;                                           /* flows */
    uint32_t domain;                                          /* 0: the datapath id's low bits */
    struct {
        const char **at;
        size_t count;
    } ports; /* none: all */
};

/* Without a controller: go on with the flows, or be a learning Ethernet switch (clause 6.3.3). */
enum switch_fail_mode { SWITCH_FAIL_SECURE, SWITCH_FAIL_STANDALONE };

struct switch_dpdk_config {
    struct {
        const char **at;
        size_t count;
    } arguments; /* of DPDK's own, behind ours */
};

struct switch_config {
    uint64_t datapath_id;
    struct {
        struct openflow_endpoint *at;
        size_t count;
    } controllers; /* to connect to */
    struct {
        struct openflow_endpoint *at;
        size_t count;
    } listen;                       /* for controllers and tools that connect to us */
    struct openflow_tls_config tls; /* for those of them that are ssl: */
    uint8_t auxiliary;              /* connections to each controller besides the main one */
    uint8_t fail_mode;              /* enum switch_fail_mode */
    struct {
        struct switch_port_config *at;
        size_t count;
    } ports;
    struct switch_dpdk_config dpdk;
    uint32_t threads;   /* of the data path */
    uint32_t busy_us;   /* how long one looks for packets before it sleeps */
    uint32_t max_flows; /* per table */
    uint32_t max_groups, max_meters;
    uint32_t packet_buffers;
    uint32_t probe_interval; /* ms of silence before an echo request, and again before a connection
                                is given up */
    uint32_t reconnect_max;  /* ms between attempts to connect, at most */
    uint32_t error_indications_per_second;
    struct switch_ipfix_config ipfix;
};

#endif
