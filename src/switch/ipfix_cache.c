/*
 * ipfix_cache.c -- the flows of ipfix.h that were not reported yet.
 *
 * A hash table over a fixed number of entries, which also hang in a list by when they were last
 * seen: the idle ones are at its head, and so is the one that must go when there is no room.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "switch/ipfix.h"

#define ENDED_MS 2000 /* that a connection's last packets may come after its FIN */
#define TCP_FIN  0x01
#define TCP_RST  0x04

struct entry_flow {
    TAILQ_ENTRY(entry_flow) by_age;
    struct entry_flow *next; /* of the same bucket, or free */
    struct ipfix_flow flow;
    uint64_t hash;
    bool ended;
};

struct ipfix_cache {
    struct entry_flow *entries, *free;
    struct entry_flow **buckets;
    uint32_t mask, count;
    uint32_t active_ms, idle_ms;
    TAILQ_HEAD(, entry_flow) seen; /* longest ago first */
    void (*report)(const struct ipfix_flow *flow);
};

struct ipfix_cache *ipfix_cache_new(uint32_t room, uint32_t active_ms, uint32_t idle_ms,
                                    void (*report)(const struct ipfix_flow *flow))
{
    struct ipfix_cache *c = calloc(1, sizeof(*c));
    uint32_t buckets = 1;

    while (buckets < room)
        buckets *= 2;
    if (c) {
        c->entries = calloc(room, sizeof(*c->entries));
        c->buckets = calloc(buckets, sizeof(struct entry_flow *));
    }
    if (!c || !c->entries || !c->buckets) {
        ipfix_cache_free(c);
        return NULL;
    }
    c->mask = buckets - 1;
    c->active_ms = active_ms;
    c->idle_ms = idle_ms;
    c->report = report;
    TAILQ_INIT(&c->seen);
    for (uint32_t i = 0; i < room; i++) {
        c->entries[i].next = c->free;
        c->free = &c->entries[i];
    }
    return c;
}

void ipfix_cache_free(struct ipfix_cache *c)
{
    if (!c)
        return;
    free(c->entries);
    free(c->buckets);
    free(c);
}

uint32_t ipfix_cache_count(const struct ipfix_cache *c)
{
    return c->count;
}

/* What makes two packets one flow, and nothing else of them. */
struct flow_key {
    uint8_t source[16], destination[16];
    uint64_t tunnel_id;
    uint32_t in_port;
    uint16_t source_port, destination_port, icmp, vlan;
    uint8_t protocol, ip_version, tunnel, forwarding;
};
_Static_assert(sizeof(struct flow_key) == 56, "no bytes between members: it is compared as memory");

static struct flow_key key_of(const struct ipfix_flow *f)
{
    struct flow_key k = {.tunnel_id = f->tunnel_id,
                         .in_port = f->in_port,
                         .source_port = f->source_port,
                         .destination_port = f->destination_port,
                         .icmp = f->icmp,
                         .vlan = f->vlan,
                         .protocol = f->protocol,
                         .ip_version = f->ip_version,
                         .tunnel = f->tunnel,
                         .forwarding = f->forwarding};

    memcpy(k.source, f->source, sizeof(k.source));
    memcpy(k.destination, f->destination, sizeof(k.destination));
    return k;
}

static uint64_t hash_of(const struct flow_key *key)
{
    uint64_t words[sizeof(*key) / 8], h = 0x9e3779b97f4a7c15ull;

    memcpy(words, key, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        h = (h ^ words[i]) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    return h;
}

static struct entry_flow *find(const struct ipfix_cache *c, const struct flow_key *key,
                               uint64_t hash)
{
    for (struct entry_flow *e = c->buckets[hash & c->mask]; e; e = e->next) {
        struct flow_key other;

        if (e->hash != hash)
            continue;
        other = key_of(&e->flow);
        if (memcmp(&other, key, sizeof(other)) == 0)
            return e;
    }
    return NULL;
}

/* Reports it; it stays, with nothing counted. */
static void report(struct ipfix_cache *c, struct entry_flow *e, enum ipfix_end_reason why)
{
    e->flow.end_reason = (uint8_t)why;
    if (e->flow.packets)
        c->report(&e->flow);
    e->flow.octets = e->flow.packets = 0;
    e->flow.tcp_flags = 0;
}

static void report_and_forget(struct ipfix_cache *c, struct entry_flow *e,
                              enum ipfix_end_reason why)
{
    struct entry_flow **at = &c->buckets[e->hash & c->mask];

    report(c, e, why);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    TAILQ_REMOVE(&c->seen, e, by_age);
    e->next = c->free;
    c->free = e;
    c->count--;
}

static struct entry_flow *add(struct ipfix_cache *c, const struct ipfix_flow *flow, uint64_t hash)
{
    struct entry_flow *e;

    if (!c->free)
        report_and_forget(c, TAILQ_FIRST(&c->seen), IPFIX_NO_ROOM);
    e = c->free;
    c->free = e->next;
    e->flow = *flow;
    e->flow.octets = e->flow.packets = 0;
    e->flow.tcp_flags = 0;
    e->hash = hash;
    e->ended = false;
    e->next = c->buckets[hash & c->mask];
    c->buckets[hash & c->mask] = e;
    TAILQ_INSERT_TAIL(&c->seen, e, by_age);
    c->count++;
    return e;
}

void ipfix_cache_add(struct ipfix_cache *c, const struct ipfix_sample *sample)
{
    const struct flow_key key = key_of(&sample->flow);
    const uint64_t hash = hash_of(&key), now_ms = sample->time_us / 1000;
    struct entry_flow *e = find(c, &key, hash);

    if (!e)
        e = add(c, &sample->flow, hash);
    if (e->flow.packets == 0)
        e->flow.start_ms = now_ms;
    e->flow.end_ms = now_ms;
    e->flow.octets += sample->flow.octets;
    e->flow.packets += sample->flow.packets;
    e->flow.tcp_flags |= sample->flow.tcp_flags;
    if (sample->flow.out_port)
        e->flow.out_port = sample->flow.out_port;
    e->ended |= sample->flow.tcp_flags & (TCP_FIN | TCP_RST);
    TAILQ_REMOVE(&c->seen, e, by_age);
    TAILQ_INSERT_TAIL(&c->seen, e, by_age);
    if (now_ms - e->flow.start_ms >= c->active_ms)
        report(c, e, IPFIX_ACTIVE);
}

void ipfix_cache_expire(struct ipfix_cache *c, uint64_t now_us)
{
    const uint64_t now_ms = now_us / 1000;

    for (struct entry_flow *e = TAILQ_FIRST(&c->seen), *next; e; e = next) {
        uint64_t silent_ms = now_ms > e->flow.end_ms ? now_ms - e->flow.end_ms : 0;

        next = TAILQ_NEXT(e, by_age);
        if (e->ended && silent_ms >= ENDED_MS)
            report_and_forget(c, e, IPFIX_ENDED);
        else if (silent_ms >= c->idle_ms)
            report_and_forget(c, e, IPFIX_IDLE);
        else if (e->flow.packets && now_ms >= e->flow.start_ms + c->active_ms)
            report(c, e, IPFIX_ACTIVE);
    }
}

void ipfix_cache_flush(struct ipfix_cache *c)
{
    while (!TAILQ_EMPTY(&c->seen))
        report_and_forget(c, TAILQ_FIRST(&c->seen), IPFIX_FORCED);
}
