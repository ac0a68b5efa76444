/*
 * datapath.c -- groups and meters (OpenFlow 1.3.5 clauses 5.6 and 5.7), and the data path as a
 * whole.
 */
#include <stdlib.h>

#include "switch/datapath.h"

void datapath_init(struct datapath *dp, uint64_t seed, uint32_t max_flows)
{
    memset(dp, 0, sizeof(*dp));
    tables_init(&dp->tables, seed, max_flows);
    map_init(&dp->groups);
    map_init(&dp->meters);
    dp->drops = calloc(1, sizeof(*dp->drops));
}

void datapath_set_standalone(struct datapath *dp, bool standalone)
{
    dp->standalone = standalone;
}

static void free_values(struct map *map)
{
    size_t at = 0;
    uint64_t key, value;

    while (map_next(map, &at, &key, &value))
        free((void *)(uintptr_t)value);
    map_free(map);
}

void datapath_free(struct datapath *dp)
{
    for (size_t i = 0; i < MAX_PORTS; i++)
        if (dp->ports[i])
            port_close(dp->ports[i]);
    tables_free(&dp->tables);
    free_values(&dp->groups);
    free_values(&dp->meters);
    free(dp->drops);
    packet_pool_free();
}

/* ---- groups ---- */

struct group *group_new(const struct of_group_mod *mod, uint64_t now_us)
{
    size_t actions = 0;
    struct of_action *at;
    struct group *group;

    for (size_t i = 0; i < mod->buckets.count; i++)
        actions += mod->buckets.at[i].actions.count;
    group = calloc(1, sizeof(*group) + mod->buckets.count * sizeof(struct bucket) +
                          actions * sizeof(*at));
    if (!group)
        return NULL;
    group->id = mod->group_id;
    group->type = mod->type;
    group->created_us = now_us;
    group->bucket_count = (uint32_t)mod->buckets.count;
    at = (struct of_action *)&group->buckets[group->bucket_count];
    for (size_t i = 0; i < mod->buckets.count; i++) {
        struct of_bucket *b = &group->buckets[i].config;

        *b = mod->buckets.at[i];
        if (b->actions.count)
            memcpy(at, b->actions.at, b->actions.count * sizeof(*at));
        b->actions.at = at;
        at += b->actions.count;
        group->total_weight += b->weight;
    }
    return group;
}

/* Clause 5.6.1: a group is live when one of its buckets is. */
static bool group_is_live(const struct datapath *dp, uint32_t id, unsigned depth)
{
    const struct group *group = datapath_group(dp, id);

    for (uint32_t i = 0; group && i < group->bucket_count; i++)
        if (bucket_is_live(dp, &group->buckets[i].config, depth))
            return true;
    return false;
}

bool bucket_is_live(const struct datapath *dp, const struct of_bucket *bucket, unsigned depth)
{
    if (bucket->watch_port == OFPP_ANY && bucket->watch_group == OFPG_ANY)
        return true;
    if (bucket->watch_port != OFPP_ANY && port_is_live(datapath_port(dp, bucket->watch_port)))
        return true;
    return bucket->watch_group != OFPG_ANY && depth < GROUP_DEPTH &&
           group_is_live(dp, bucket->watch_group, depth + 1);
}

/* ---- meters ---- */

/* A bucket of tokens per band. In kbit/s, a token is a thousandth of a bit, so that a microsecond
 * brings `rate` tokens; in packets/s, a millionth of a packet, with the same effect. */
#define TOKENS_PER_BIT    1000u
#define TOKENS_PER_PACKET 1000000u
#define LONGEST_FILL_US   10000000u /* longer pauses fill no more: keeps the product in 64 bits */
#define LEAST_BURST_BITS  UINT64_C(16000) /* a full Ethernet frame must pass */

static uint64_t band_burst(uint16_t flags, const struct of_meter_band *band)
{
    uint64_t tenth =
        (uint64_t)band->rate * 100000; /* what 100 ms bring: the burst when none was given */

    if (flags & OFPMF_PKTPS)
        return flags & OFPMF_BURST         ? (uint64_t)band->burst_size * TOKENS_PER_PACKET
               : tenth < TOKENS_PER_PACKET ? TOKENS_PER_PACKET
                                           : tenth;
    if (flags & OFPMF_BURST)
        return (uint64_t)band->burst_size * 1000 * TOKENS_PER_BIT;
    return tenth < LEAST_BURST_BITS * TOKENS_PER_BIT ? LEAST_BURST_BITS * TOKENS_PER_BIT : tenth;
}

struct meter *meter_new(const struct of_meter_mod *mod, uint64_t now_us)
{
    struct meter *meter = calloc(1, sizeof(*meter) + mod->bands.count * sizeof(struct band));

    if (!meter)
        return NULL;
    meter->id = mod->meter_id;
    meter->flags = mod->flags;
    meter->created_us = meter->filled_us = now_us;
    meter->band_count = (uint32_t)mod->bands.count;
    for (size_t i = 0; i < mod->bands.count; i++) {
        struct band *band = &meter->bands[i];

        band->config = mod->bands.at[i];
        band->tokens = band->burst = band_burst(mod->flags, &band->config);
    }
    return meter;
}

/* RFC 2597: assured forwarding classes 1 to 4 have drop precedences 1 to 3 in bits 1 and 2. */
static void remark(struct packet *p, uint8_t prec_level)
{
    uint8_t class = p->key.ip_dscp >> 3, precedence = p->key.ip_dscp >> 1 & 3, dscp;

    if (!p->l3_len || class < 1 || class > 4 || precedence == 0 || (p->key.ip_dscp & 1))
        return;
    precedence = precedence + prec_level > 3 ? 3 : (uint8_t)(precedence + prec_level);
    dscp = (uint8_t)(class << 3 | precedence << 1);
    packet_set_field(p, OF_IP_DSCP, &dscp);
}

bool meter_apply(struct meter *meter, struct packet *p, uint64_t now_us)
{
    uint64_t elapsed = now_us - meter->filled_us;
    uint64_t cost =
        meter->flags & OFPMF_PKTPS ? TOKENS_PER_PACKET : (uint64_t)p->len * 8 * TOKENS_PER_BIT;
    struct band *hit = NULL;

    if (elapsed > LONGEST_FILL_US)
        elapsed = LONGEST_FILL_US;
    meter->filled_us = now_us;
    meter->packets++;
    meter->bytes += p->len;
    for (uint32_t i = 0; i < meter->band_count; i++) {
        struct band *band = &meter->bands[i];

        band->tokens += elapsed * band->config.rate;
        if (band->tokens > band->burst)
            band->tokens = band->burst;
        if (band->tokens >= cost)
            band->tokens -= cost;
        else if (!hit ||
                 band->config.rate > hit->config.rate) /* clause 5.7.1: the highest rate exceeded */
            hit = band;
    }
    if (!hit)
        return true;
    hit->packets++;
    hit->bytes += p->len;
    if (hit->config.type == OFPMBT_DROP)
        return false;
    remark(p, hit->config.prec_level);
    return true;
}
