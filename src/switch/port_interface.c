/*
 * port_interface.c -- ports on network interfaces: TAP, TUN, AF_PACKET (link/packet_port.h).
 *
 * A TUN carries IP packets without Ethernet. In the switch they have an Ethernet header with zero
 * addresses, put on and taken off here, so that the same flows work whatever the port is.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "link/netns.h"
#include "link/packet_port.h"
#include "switch/worker.h"

_Static_assert(BURST <= PACKET_PORT_BURST, "a burst is one system call");

#define BURSTS_PER_TURN 4 /* then other ports have their turn */

static const uint8_t kinds[] = {
    [SWITCH_PORT_TAP] = PACKET_PORT_TAP,
    [SWITCH_PORT_TUN] = PACKET_PORT_TUN,
    [SWITCH_PORT_PACKET] = PACKET_PORT_PACKET,
};

static void interface_note(struct port *p)
{
    struct packet_port *interface = p->private;

    p->mtu = interface->mtu;
    p->state = interface->carrier ? 0 : OFPPS_LINK_DOWN;
}

static int interface_open(struct port *p)
{
    const struct switch_port_config *c = p->config;
    struct packet_port *interface = calloc(1, sizeof(*interface));
    int netns = -1, err;

    if (!interface)
        return -ENOMEM;
    if (c->netns && *c->netns && (netns = netns_named(c->netns)) < 0) {
        log_error("switch.ports: %s: no network namespace \"%s\" was handed to this process",
                  c->name, c->netns);
        free(interface);
        return netns;
    }
    err = packet_port_open(interface, kinds[c->type], c->interface ? c->interface : c->name, netns,
                           c->mtu);
    if (err < 0) {
        free(interface);
        return err;
    }
    p->private = interface;
    p->queues = 1;
    p->queue_fds[0] = interface->fd;
    memcpy(p->mac, interface->mac, sizeof(p->mac));
    interface_note(p);
    return 0;
}

static void interface_close(struct port *p)
{
    packet_port_close(p->private);
    free(p->private);
}

static bool is_tun(const struct port *p)
{
    return p->config->type == SWITCH_PORT_TUN;
}

/* A jumbo frame and its tags need more than a chunk. */
static size_t frame_room(const struct port *p)
{
    return p->mtu + 64u > PACKET_ROOM ? p->mtu + 64u : PACKET_ROOM;
}

/* Puts an Ethernet header of zeros and the packet's type before an IP packet. */
static bool dress(struct packet *p)
{
    uint8_t version = p->len ? p->data[0] >> 4 : 0;

    if ((version != 4 && version != 6) || !packet_push(p, ETH_HEADER_SIZE))
        return false;
    memset(p->data, 0, 12);
    p->data[12] = version == 4 ? 0x08 : 0x86;
    p->data[13] = version == 4 ? 0x00 : 0xdd;
    return true;
}

/* One burst; returns how many packets came. */
static int interface_burst(struct worker *w, struct port *p)
{
    struct packet *packets[BURST];
    struct packet_buffer buffers[BURST];
    size_t good = 0;
    int room = 0, n;

    for (; room < (int)BURST && (packets[room] = packet_new_for(frame_room(p))); room++)
        buffers[room] = (struct packet_buffer){packets[room]->data, packets[room]->room, 0};
    n = packet_port_receive(p->private, buffers, room);
    for (int i = 0; i < room; i++) {
        struct packet *packet = packets[i];
        size_t len = i < n ? buffers[i].len : 0;

        packet->len = (uint32_t)len;
        if (len == 0 || (is_tun(p) && !dress(packet))) {
            if (i < n)
                port_drop_in(w, p, len ? PORT_DROP_NOT_IP : PORT_DROP_TOO_LARGE);
            packet_free(packet);
            continue;
        }
        port_count_in(w, p, packet->len);
        packet_enter(packet, p->number);
        packets[good++] = packet;
    }
    if (good)
        pipeline_burst(w, p, packets, good);
    return n;
}

static bool interface_poll(struct worker *w, struct port *p, unsigned queue)
{
    (void)queue;
    for (int i = 0; i < BURSTS_PER_TURN; i++) {
        if (interface_burst(w, p) < (int)BURST)
            return false;
        worker_flush(w);
    }
    return true;
}

static void interface_send(struct worker *w, struct port *p, struct packet **packets,
                           unsigned queued)
{
    struct packet_buffer buffers[PORT_QUEUE];
    int count = 0, sent;

    for (unsigned i = 0; i < queued; i++) {
        struct packet *packet = packets[i];
        size_t skip = is_tun(p) ? packet->l3 : 0, len = is_tun(p) ? packet->l3_len : packet->len;

        if (len == 0)
            port_drop_out(w, p, PORT_DROP_NOT_IP);
        else
            buffers[count++] = (struct packet_buffer){packet->data + skip, len, len};
    }
    sent = count ? packet_port_send(p->private, buffers, count) : 0;
    for (int i = 0; i < count; i++) {
        if (i < sent)
            port_count_out(w, p, (uint32_t)buffers[i].len);
        else
            port_drop_out(w, p, PORT_DROP_QUEUE);
    }
    if (sent < 0)
        counter_add(&port_counters_of(w, p)->tx_errors, 1);
    packets_free(packets, queued);
}

static bool interface_refresh(struct port *p)
{
    if (!packet_port_refresh(p->private))
        return false;
    interface_note(p);
    return true;
}

const struct port_driver interface_driver = {
    .name = "interface",
    .open = interface_open,
    .close = interface_close,
    .poll = interface_poll,
    .send = interface_send,
    .refresh = interface_refresh,
};
