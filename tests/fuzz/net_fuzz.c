/*
 * net_fuzz.c -- any bytes as a frame, an IP packet, ARP, neighbour discovery and LLDP.
 */
#include "wire/net/lldp.h"
#include "wire/net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    char buffer[512];
    struct text t = text_in(buffer, sizeof(buffer));
    struct net_packet p;
    struct net_arp arp;
    struct net_nd nd;
    struct lldp lldp;

    if (net_read_frame(in, &p) == 0) {
        net_print_packet(&t, &p);
        if (p.version)
            (void)net_checksum_ok(p.protocol, p.src.bytes, p.dst.bytes, p.src.family_size,
                                  p.transport.at, p.transport.len);
        if (p.eth_type == ETH_TYPE_ARP)
            (void)net_read_arp(p.payload, &arp);
        if (p.protocol == IP_ICMPV6)
            (void)net_read_nd(p.transport, &nd);
        if (p.eth_type == ETH_TYPE_LLDP && lldp_read(p.payload, &lldp) == 0)
            lldp_print(&t, &lldp);
    }
    (void)net_read_ip(in, &p);
    (void)net_read_nd(in, &nd);
    if (lldp_read(in, &lldp) == 0)
        lldp_print(&t, &lldp);
    return 0;
}
