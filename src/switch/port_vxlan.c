/*
 * port_vxlan.c -- VXLAN tunnels as a port (RFC 7348): Ethernet frames in UDP, by a network number
 * of 24 bits (VNI), which is tun_id.
 *
 * The header is 8 bytes: flags, of which one says that there is a VNI; 3 reserved bytes; the VNI;
 * one more reserved byte. A sender leaves reserved bits zero and a receiver does not look at them
 * (clause 5); a datagram without a VNI is dropped. tunnel.h brings the datagrams.
 */
#include <errno.h>
#include <stdlib.h>

#include "switch/tunnel.h"

#define VXLAN_PORT        4789
#define VXLAN_HEADER_SIZE 8
#define VXLAN_HAS_VNI     0x08

_Static_assert(ETH_HEADER_SIZE + IPV4_MIN_SIZE + UDP_SIZE + VXLAN_HEADER_SIZE + 3 * VLAN_TAG_SIZE <=
                   PACKET_HEADROOM,
               "outer headers fit before a frame");

struct vxlan {
    struct tunnel tunnel;
    be32 remote; /* of packets that say none; 0: there is none */
};

/* Where the frame's IP header begins, behind at most two tags; the length when there is none. */
static size_t find_ip(const uint8_t *frame, size_t len)
{
    size_t at = ETH_HEADER_SIZE;

    for (int tags = 0; at <= len; tags++, at += VLAN_TAG_SIZE) {
        uint16_t type = (uint16_t)(frame[at - 2] << 8 | frame[at - 1]);

        if (type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6)
            return at;
        if (tags == 2 || (type != ETH_TYPE_VLAN && type != ETH_TYPE_SERVICE_VLAN))
            break;
    }
    return len;
}

static bool take_frame(struct worker *w, struct tunnel *t, struct packet *p,
                       const struct tunnel_peer *from)
{
    const uint8_t *at = p->data;
    size_t ip;
    uint32_t vni;

    port_count_in(w, t->port, p->len);
    if (p->len < VXLAN_HEADER_SIZE + ETH_HEADER_SIZE || !(at[0] & VXLAN_HAS_VNI)) {
        port_drop_in(w, t->port, PORT_DROP_MALFORMED);
        return false;
    }
    vni = (uint32_t)at[4] << 16 | (uint32_t)at[5] << 8 | at[6];
    packet_pull(p, VXLAN_HEADER_SIZE);
    ip = find_ip(p->data, p->len);
    if (!tunnel_take_ecn(p->data + ip, p->len - ip, from->ecn)) {
        port_drop_in(w, t->port, PORT_DROP_CONGESTION);
        return false;
    }
    packet_enter(p, t->port->number);
    p->key.tunnel_id = htobe64(vni);
    p->key.tun_src = from->address.sin_addr.s_addr;
    p->key.tun_dst = t->local.sin_addr.s_addr;
    return true;
}

static void vxlan_take(struct worker *w, struct tunnel *t, struct tunnel_burst *b, struct packet *p,
                       const struct tunnel_peer *from)
{
    if (take_frame(w, t, p, from))
        tunnel_burst_add(w, b, t->port, p);
    else
        packet_free(p);
}

static bool vxlan_poll(struct worker *w, struct port *p, unsigned queue)
{
    return tunnel_poll(w, p->private, p->queue_fds[queue]);
}

static void put_header(uint8_t *at, uint32_t vni)
{
    at[0] = VXLAN_HAS_VNI;
    at[1] = at[2] = at[3] = 0;
    at[4] = (uint8_t)(vni >> 16);
    at[5] = (uint8_t)(vni >> 8);
    at[6] = (uint8_t)vni;
    at[7] = 0;
}

static void vxlan_send(struct worker *w, struct port *p, struct packet **packets, unsigned queued)
{
    struct vxlan *v = p->private;
    struct tunnel_out out;

    tunnel_out_begin(&out, w, &v->tunnel, p);
    for (unsigned i = 0; i < queued; i++) {
        struct packet *packet = packets[i];
        struct tunnel_datagram d = {
            .packet = packet,
            .at = packet->data - VXLAN_HEADER_SIZE,
            .len = VXLAN_HEADER_SIZE + (size_t)packet->len,
            .to = packet->key.tun_dst ? packet->key.tun_dst : v->remote,
            .port = v->tunnel.local.sin_port,
            .tos = (uint8_t)(packet->key.ip_dscp << 2 | packet->key.ip_ecn),
            .inner = true,
        };

        if (!d.to) {
            tunnel_out_drop(&out, packet, PORT_DROP_NO_TUNNEL);
        } else if (packet->data - packet->buffer < VXLAN_HEADER_SIZE ||
                   packet->len > p->mtu + (uint32_t)ETH_HEADER_SIZE) {
            tunnel_out_drop(&out, packet, PORT_DROP_TOO_LARGE);
        } else {
            put_header(d.at, (uint32_t)of_key_get(&packet->key, OF_TUNNEL_ID) & 0xffffff);
            tunnel_out_add(&out, &d);
        }
    }
    tunnel_out_end(&out);
}

static int vxlan_open(struct port *p)
{
    struct vxlan *v = calloc(1, sizeof(*v));
    int err;

    if (!v)
        return -ENOMEM;
    v->tunnel.take = vxlan_take;
    v->tunnel.header_size = VXLAN_HEADER_SIZE;
    v->tunnel.ethernet = true;
    v->remote = p->config->remote.s_addr;
    p->private = v;
    if ((err = tunnel_open(&v->tunnel, p, VXLAN_PORT)) < 0)
        free(v);
    return err;
}

static void vxlan_close(struct port *p)
{
    struct vxlan *v = p->private;

    tunnel_close(&v->tunnel);
    free(v);
}

const struct port_driver vxlan_driver = {
    .name = "vxlan",
    .open = vxlan_open,
    .close = vxlan_close,
    .poll = vxlan_poll,
    .send = vxlan_send,
};
