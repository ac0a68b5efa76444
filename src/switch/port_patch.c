/*
 * port_patch.c -- two ports of the switch joined to each other: what is output to one enters the
 * tables by the other, as if it had come by a wire, without leaving the worker.
 *
 * The peer is looked up by name for each burst's packets the first time and by number after that:
 * ports may come and go in any order. Flows can send packets round and round, and multiply them on
 * the way; between two ends of a burst packets cross patches PATCH_DEPTH times, then they are
 * dropped.
 */
#include "switch/worker.h"

#define PATCH_DEPTH 64u

/* p->private holds the peer's number, once it was found. */
static struct port *peer_of(struct port *p)
{
    const char *name = p->config->peer;
    uintptr_t known = (uintptr_t)__atomic_load_n(&p->private, __ATOMIC_RELAXED);
    struct port *peer = known ? datapath_port(p->dp, (uint32_t)known) : NULL;

    if (peer && strcmp(peer->name, name) == 0)
        return peer;
    for (uint32_t i = 1; i < MAX_PORTS; i++) {
        peer = datapath_port(p->dp, i);
        if (!peer || peer->driver != p->driver || strcmp(peer->name, name) != 0)
            continue;
        __atomic_store_n(&p->private, (void *)(uintptr_t)i, __ATOMIC_RELAXED);
        return peer;
    }
    return NULL;
}

static unsigned cross(struct worker *w, struct port *p, struct port *peer, struct packet **packets,
                      unsigned count)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++) {
        struct packet *packet = packets[i];

        if (packet->len > p->mtu + (uint32_t)ETH_HEADER_SIZE + VLAN_TAG_SIZE * packet->vlan_tags) {
            port_lose_out(w, p, PORT_DROP_TOO_LARGE, packet);
            packet_free(packet);
            continue;
        }
        port_count_out(w, p, packet->len);
        port_count_in(w, peer, packet->len);
        packet_enter(packet, peer->number);
        packets[kept++] = packet;
    }
    return kept;
}

static void drop_all(struct worker *w, struct port *p, struct packet **packets, unsigned count,
                     enum port_drop why)
{
    for (unsigned i = 0; i < count; i++)
        port_lose_out(w, p, why, packets[i]);
    packets_free(packets, count);
}

/* The burst that this may be part of goes on with its own version. */
static void patch_send(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    struct port *peer = peer_of(p);
    uint64_t version = w->version;

    if (!peer) {
        drop_all(w, p, packets, count, PORT_DROP_NO_PEER);
        return;
    }
    if (w->depth >= PATCH_DEPTH) {
        drop_all(w, p, packets, count, PORT_DROP_LOOP);
        return;
    }
    w->depth++;
    count = cross(w, p, peer, packets, count);
    for (unsigned done = 0; done < count; done += BURST)
        pipeline_burst(w, peer, packets + done, count - done < BURST ? count - done : BURST);
    w->version = version;
}

static int patch_open(struct port *p)
{
    p->mtu = p->config->mtu ? p->config->mtu : UINT16_MAX;
    return 0;
}

const struct port_driver patch_driver = {
    .name = "patch",
    .open = patch_open,
    .send = patch_send,
};
