/*
 * udp_peer.c -- who is at the other end: found by address, probed while in use, watched for
 * restarts (udp_request.h).
 *
 * A peer is a host: requests come from any of its ports, and go to the protocol's. Its recovery
 * number is compared as a serial number, as GTP's has only 8 bits and wraps around (TS 23.007
 * clause 18): up to half of the range ahead is newer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "link/udp_inner.h"

#define PROBE_SIZE 64

static uint64_t host_key(const struct udp_endpoint *endpoint, const union udp_address *address)
{
    uint64_t seed = endpoint->peer_by_host.seed;

    if (address->sa.sa_family == AF_INET6)
        return map_hash_bytes(&address->in6.sin6_addr, sizeof(address->in6.sin6_addr), seed);
    return map_hash_bytes(&address->in.sin_addr, sizeof(address->in.sin_addr), seed);
}

static void forget_peer(struct udp_endpoint *endpoint, struct udp_peer *peer)
{
    uint64_t key = host_key(endpoint, &peer->address);

    timer_stop(&peer->probe_timer);
    if (map_get(&endpoint->peer_by_host, key) == peer->id)
        map_remove(&endpoint->peer_by_host, key);
    pool_delete(&endpoint->peers, peer->id);
}

/* Makes room for one more: the peer that nobody uses and that was silent longest goes. */
static bool forget_silent_peer(struct udp_endpoint *endpoint)
{
    struct udp_peer *silent = NULL, *peer;
    uint32_t id = 0;

    while ((peer = pool_next(&endpoint->peers, &id)))
        if (peer->users == 0 && (!silent || peer->heard_ms < silent->heard_ms))
            silent = peer;
    if (silent)
        forget_peer(endpoint, silent);
    return silent != NULL;
}

static struct udp_peer *new_peer(struct udp_endpoint *endpoint, const union udp_address *address,
                                 uint64_t key)
{
    uint32_t id;
    struct udp_peer *peer = pool_new(&endpoint->peers, &id);

    if (!peer && forget_silent_peer(endpoint))
        peer = pool_new(&endpoint->peers, &id);
    if (!peer)
        return NULL;
    if (map_set(&endpoint->peer_by_host, key, id) < 0) {
        pool_delete(&endpoint->peers, id);
        return NULL;
    }
    peer->endpoint = endpoint;
    peer->id = id;
    peer->address = *address;
    udp_address_set_port(&peer->address, endpoint->protocol->port);
    peer->heard_ms = loop_now_ms();
    const void *host = address->sa.sa_family == AF_INET6 ? (const void *)&address->in6.sin6_addr
                                                         : (const void *)&address->in.sin_addr;
    inet_ntop(address->sa.sa_family, host, peer->name, sizeof(peer->name));
    return peer;
}

struct udp_peer *udp_peer_at(struct udp_endpoint *endpoint, const struct sockaddr *host)
{
    union udp_address address;

    if (!udp_address_set(&address, host))
        return NULL;
    uint64_t key = host_key(endpoint, &address);
    struct udp_peer *peer =
        pool_get(&endpoint->peers, (uint32_t)map_get(&endpoint->peer_by_host, key));
    if (peer && udp_host_equal(&peer->address, &address))
        return peer;
    return new_peer(endpoint, &address, key);
}

uint32_t udp_peer_id(const struct udp_peer *peer)
{
    return peer->id;
}

struct udp_peer *udp_peer_get(struct udp_endpoint *endpoint, uint32_t id)
{
    return pool_get(&endpoint->peers, id);
}

struct udp_peer *udp_peer_next(struct udp_endpoint *endpoint, uint32_t *id)
{
    return pool_next(&endpoint->peers, id);
}

uint32_t udp_peer_users(const struct udp_peer *peer)
{
    return peer->users;
}

const struct sockaddr *udp_peer_address(const struct udp_peer *peer)
{
    return &peer->address.sa;
}

const char *udp_peer_name(const struct udp_peer *peer)
{
    return peer->name;
}

struct udp_endpoint *udp_peer_endpoint(const struct udp_peer *peer)
{
    return peer->endpoint;
}

bool udp_peer_is_up(const struct udp_peer *peer)
{
    return !peer->is_down;
}

uint64_t udp_peer_silent_ms(const struct udp_peer *peer)
{
    return loop_now_ms() - peer->heard_ms;
}

uint32_t *udp_peer_features(struct udp_peer *peer)
{
    return &peer->features;
}

static void probe_due(struct timer *timer)
{
    udp_peer_probe(container_of(timer, struct udp_peer, probe_timer));
}

static void schedule_probe(struct udp_peer *peer)
{
    uint32_t interval = peer->endpoint->settings.probe_interval_ms;

    if (peer->users > 0 && interval > 0)
        timer_start(&peer->probe_timer, interval, probe_due);
}

void udp_peer_use(struct udp_peer *peer)
{
    if (peer->users++ == 0)
        schedule_probe(peer);
}

void udp_peer_release(struct udp_peer *peer)
{
    if (peer->users > 0 && --peer->users == 0)
        timer_stop(&peer->probe_timer);
}

void udp_peer_probe(struct udp_peer *peer)
{
    struct udp_endpoint *endpoint = peer->endpoint;
    uint8_t space[PROBE_SIZE];
    struct writer w = writer_of(space, sizeof(space));

    if (pool_get(&endpoint->calls, peer->probe))
        return;
    uint32_t sequence = udp_next_sequence(endpoint);
    endpoint->protocol->write_probe(endpoint->owner, &w, sequence);
    struct udp_head head = {0};
    if (w.bad || endpoint->protocol->head(wr_view(&w), &head) < 0 ||
        udp_call_start(peer, head.type, sequence, wr_view(&w), NULL, &peer->probe) < 0) {
        schedule_probe(peer); /* no room for it now */
        return;
    }
    endpoint->counters.probes++;
    udp_call_send(endpoint, peer->probe);
}

void udp_probe_done(struct udp_endpoint *endpoint, uint32_t id, int error, struct bytes answer)
{
    struct udp_peer *peer = udp_peer_get(endpoint, id);

    if (!peer)
        return;
    peer->probe = 0;
    schedule_probe(peer);
    if (error == 0) {
        endpoint->handler->probe_answered(endpoint->owner, peer, answer);
    } else if (!peer->is_down) {
        peer->is_down = true;
        endpoint->counters.peer_downs++;
        if (endpoint->handler->peer_down)
            endpoint->handler->peer_down(endpoint->owner, peer);
    }
}

void udp_peer_heard(struct udp_peer *peer)
{
    struct udp_endpoint *endpoint = peer->endpoint;

    peer->heard_ms = loop_now_ms();
    if (peer->acquaintance == UDP_TOLD)
        peer->acquaintance = UDP_KNOWN;
    if (!peer->is_down)
        return;
    peer->is_down = false;
    if (endpoint->handler->peer_up)
        endpoint->handler->peer_up(endpoint->owner, peer);
}

void udp_peers_stop(struct udp_endpoint *endpoint)
{
    struct udp_peer *peer;
    uint32_t id = 0;

    while ((peer = pool_next(&endpoint->peers, &id)))
        timer_stop(&peer->probe_timer);
}

bool udp_peer_recovery(const struct udp_peer *peer, uint32_t *recovery)
{
    if (peer->has_recovery)
        *recovery = peer->recovery;
    return peer->has_recovery;
}

/* True when `now` follows `before` in a circle of 2^bits numbers. */
static bool is_newer(uint32_t now, uint32_t before, uint8_t bits)
{
    uint32_t mask = bits >= 32 ? UINT32_MAX : (UINT32_C(1) << bits) - 1;
    uint32_t ahead = (now - before) & mask;

    return ahead != 0 && ahead <= mask / 2;
}

bool udp_peer_note_recovery(struct udp_peer *peer, uint32_t recovery, bool is_probe_answer)
{
    struct udp_endpoint *endpoint = peer->endpoint;

    if (peer->has_recovery && peer->recovery == recovery)
        return false;
    if (!peer->has_recovery) {
        peer->has_recovery = true;
        peer->recovery = recovery;
        return false;
    }
    if (!is_probe_answer &&
        !is_newer(recovery, peer->recovery, endpoint->protocol->recovery_bits)) {
        udp_peer_probe(peer);
        return false;
    }
    peer->recovery = recovery;
    peer->acquaintance = UDP_STRANGER;
    endpoint->counters.peer_restarts++;
    if (endpoint->handler->peer_restarted)
        endpoint->handler->peer_restarted(endpoint->owner, peer);
    return true;
}

bool udp_peer_is_new(struct udp_peer *peer)
{
    if (peer->acquaintance == UDP_STRANGER)
        peer->acquaintance = UDP_TOLD;
    return peer->acquaintance != UDP_KNOWN;
}

void udp_trace_received(const struct udp_peer *peer, const char *subject, struct bytes datagram)
{
    trace_message(peer->endpoint->protocol->trace, false, &peer->endpoint->socket.local.sa,
                  &peer->address.sa, subject, datagram);
}
