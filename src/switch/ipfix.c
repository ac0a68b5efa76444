/*
 * ipfix.c -- see ipfix.h: picking packets, and sending reports.
 */
#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "switch/ipfix.h"
#include "switch/mirror.h"

#define EXPIRE_MS   1000
#define SAMPLE_RING (1u << 18) /* bytes, for each worker */

/* One worker's chance. */
struct chance {
    uint64_t random; /* state of a xorshift generator, never 0 */
    uint32_t left;   /* packets of this window, that still come */
    uint32_t until;  /* packets before the one that is taken; UINT32_MAX: it was */
} __attribute__((aligned(64)));

struct ipfix_sampler {
    struct mirror_ring *rings; /* by worker */
    uint32_t population;
    uint64_t ports[MAX_PORTS / 64]; /* whose packets are looked at */
    struct chance chances[COUNTER_OWNERS];
};

static struct {
    const struct switch_ipfix_config *config;
    struct datapath *dp;
    struct ipfix_sampler *sampler;
    struct ipfix_cache *cache;
    struct ipfix_message message;
    uint8_t buffer[IPFIX_MESSAGE_MAX];
    uint64_t to_wall_ms; /* from the monotonic clock */
    uint64_t templates_ms;
    uint32_t domain, sequence;
    int fd;
    struct timer timer;
    struct ipfix_counts counts;
} exporter = {.fd = -1};

/* ---- workers ---- */

static uint64_t next_random(struct chance *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random;
}

static bool is_chosen(const struct ipfix_sampler *s, struct chance *c)
{
    bool chosen;

    if (s->population == 1)
        return true;
    if (c->left == 0) {
        c->left = s->population;
        c->until = (uint32_t)((next_random(c) >> 32) * s->population >> 32);
    }
    c->left--;
    chosen = c->until == 0;
    c->until--;
    return chosen;
}

/* The packet as its segments will be: each has the headers again. */
static void count_octets(struct ipfix_flow *f, const struct packet *p)
{
    const struct offload *o = &p->offload;
    uint32_t headers;

    f->packets = 1;
    f->octets = p->l3_len;
    if (o->gso_type == OFFLOAD_GSO_NONE || o->gso_size == 0 || o->header_len <= p->l3)
        return;
    headers = (uint32_t)o->header_len - p->l3;
    if (p->l3_len <= headers)
        return;
    f->packets = (p->l3_len - headers + o->gso_size - 1u) / o->gso_size;
    f->octets += (f->packets - 1) * headers;
}

static enum ipfix_tunnel tunnel_of(const struct port *in)
{
    if (in->driver == &gtpu_driver || in->driver == &gtpu_signal_driver)
        return IPFIX_GTPU;
    return in->driver == &vxlan_driver ? IPFIX_VXLAN : IPFIX_NO_TUNNEL;
}

static void describe(struct ipfix_flow *f, const struct port *in, const struct packet *p)
{
    const struct of_key *k = &p->key;
    bool v6 = k->eth_type == htons(0x86dd);

    *f = (struct ipfix_flow){.ip_version = v6 ? 6 : 4,
                             .tunnel = (uint8_t)tunnel_of(in),
                             .protocol = k->ip_proto,
                             .forwarding = IPFIX_CONSUMED,
                             .vlan = ntohs(k->vlan_vid) & 0xfff,
                             .in_port = in->number,
                             .selector = IPFIX_SELECTOR};
    if (f->tunnel != IPFIX_NO_TUNNEL)
        f->tunnel_id = be64toh(k->tunnel_id);
    if (v6) {
        memcpy(f->source, k->ipv6_src, 16);
        memcpy(f->destination, k->ipv6_dst, 16);
    } else {
        memcpy(f->source, &k->ipv4_src, 4);
        memcpy(f->destination, &k->ipv4_dst, 4);
    }
    if (k->ip_proto == IP_ICMP || k->ip_proto == IP_ICMPV6)
        f->icmp = (uint16_t)(k->icmp_type << 8 | k->icmp_code);
    else
        f->source_port = ntohs(k->l4_src), f->destination_port = ntohs(k->l4_dst);
    if (k->ip_proto == IP_TCP)
        f->tcp_flags = ntohs(k->tcp_flags);
    count_octets(f, p);
}

bool ipfix_sample(struct ipfix_sampler *s, struct worker *w, const struct port *in,
                  const struct packet *p, struct ipfix_sample *sample)
{
    uint64_t ports = __atomic_load_n(&s->ports[in->number / 64], __ATOMIC_RELAXED);

    if (!(ports >> in->number % 64 & 1) || !is_chosen(s, &s->chances[w->index]) || p->l3_len == 0)
        return false;
    describe(&sample->flow, in, p);
    sample->time_us = w->now_us;
    return true;
}

void ipfix_note_drop(struct ipfix_sample *sample, enum drop_reason why)
{
    static const uint8_t codes[DROP_REASONS] = {
        [DROP_NO_MATCH] = IPFIX_DROPPED_UNROUTABLE, [DROP_BY_FLOW] = IPFIX_DROPPED_ACL_DENY,
        [DROP_METER] = IPFIX_DROPPED_POLICER,       [DROP_TTL] = IPFIX_DROPPED_BAD_TTL,
        [DROP_FRAGMENT] = IPFIX_DROPPED_ACL,        [DROP_NO_PORT] = IPFIX_DROPPED_BAD_OUTPUT,
    };

    if (sample->flow.forwarding == IPFIX_CONSUMED) /* what was forwarded once is not dropped */
        sample->flow.forwarding = codes[why] ? codes[why] : IPFIX_DROPPED;
}

void ipfix_take(struct ipfix_sampler *s, struct worker *w, const struct ipfix_sample *samples,
                size_t count)
{
    struct mirror_ring *ring = &s->rings[w->index];

    for (size_t i = 0; i < count; i++) {
        struct ipfix_sample *to = mirror_ring_reserve(ring, sizeof(*to));

        if (!to)
            break;
        *to = samples[i];
        mirror_ring_commit(ring);
    }
    lookers_wake(w);
}

/* ---- reports ---- */

static void message_begin(void)
{
    ipfix_begin(&exporter.message, exporter.buffer, sizeof(exporter.buffer));
}

static void message_send(void)
{
    struct bytes b;

    ipfix_end(&exporter.message, exporter.domain, exporter.sequence,
              (uint32_t)(clock_wall_us() / 1000000));
    exporter.sequence += exporter.message.records;
    b = ipfix_bytes(&exporter.message);
    if (send(exporter.fd, b.at, b.len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)b.len)
        exporter.counts.messages++;
    else /* the sequence number shows the collector that it is missing */
        exporter.counts.messages_lost++;
    message_begin();
}

static void send_templates(void)
{
    const struct ipfix_sampling sampling = {.selector = IPFIX_SELECTOR,
                                            .population = exporter.config->sampling,
                                            .space = exporter.config->sampling - 1};

    if (exporter.message.records)
        message_send();
    (void)ipfix_add_templates(&exporter.message);
    (void)ipfix_add_sampling(&exporter.message, &sampling);
    message_send();
    exporter.templates_ms = loop_now_ms();
}

static void report_flow(const struct ipfix_flow *flow)
{
    struct ipfix_flow f = *flow;

    f.start_ms += exporter.to_wall_ms;
    f.end_ms += exporter.to_wall_ms;
    exporter.counts.flows_reported++;
    if (ipfix_add_flow(&exporter.message, &f))
        return;
    message_send();
    (void)ipfix_add_flow(&exporter.message, &f);
}

/* Which ports are looked at: names may have come and gone. */
static void choose_ports(void)
{
    uint64_t ports[MAX_PORTS / 64] = {0};
    size_t count = exporter.config->ports.count;

    for (uint32_t i = 1; i < MAX_PORTS; i++) {
        const struct port *port = datapath_port(exporter.dp, i);
        bool wanted = count == 0;

        for (size_t n = 0; port && n < count; n++)
            wanted |= strcmp(port->name, exporter.config->ports.at[n]) == 0;
        if (wanted)
            ports[i / 64] |= UINT64_C(1) << i % 64;
    }
    for (size_t i = 0; i < MAX_PORTS / 64; i++)
        __atomic_store_n(&exporter.sampler->ports[i], ports[i], __ATOMIC_RELAXED);
}

void ipfix_take_samples(void)
{
    if (!exporter.sampler)
        return;
    for (unsigned i = 0; i < exporter.dp->worker_count; i++) {
        struct mirror_ring *ring = &exporter.sampler->rings[i];
        const struct ipfix_sample *sample;

        for (; (sample = mirror_ring_peek(ring)); mirror_ring_release(ring)) {
            ipfix_cache_add(exporter.cache, sample);
            exporter.counts.samples++;
        }
    }
}

static void on_timer(struct timer *timer)
{
    ipfix_take_samples();
    choose_ports();
    if (loop_now_ms() - exporter.templates_ms >= exporter.config->template_interval)
        send_templates();
    ipfix_cache_expire(exporter.cache, clock_now_us());
    if (exporter.message.records)
        message_send();
    timer_start(timer, EXPIRE_MS, on_timer);
}

struct ipfix_counts ipfix_count(void)
{
    struct ipfix_counts c = exporter.counts;

    c.on = exporter.sampler != NULL;
    if (c.on) {
        c.samples_lost = mirror_rings_lost(exporter.sampler->rings, exporter.dp->worker_count);
        c.flows = ipfix_cache_count(exporter.cache);
    }
    return c;
}

/* ---- begin and end ---- */

static struct ipfix_sampler *sampler_new(const struct datapath *dp, uint32_t population)
{
    struct ipfix_sampler *s = aligned_alloc(64, sizeof(*s));

    if (!s)
        return NULL;
    memset(s, 0, sizeof(*s));
    s->population = population;
    s->rings = mirror_rings_new(dp->worker_count, SAMPLE_RING);
    for (unsigned i = 0; i < COUNTER_OWNERS; i++) {
        (void)!getrandom(&s->chances[i].random, sizeof(s->chances[i].random), 0);
        s->chances[i].random |= 1;
    }
    if (!s->rings) {
        free(s);
        return NULL;
    }
    return s;
}

static int connect_collector(const struct sockaddr_storage *to)
{
    socklen_t len =
        to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)to, len) < 0) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}

int ipfix_open(struct datapath *dp, const struct switch_ipfix_config *config, uint32_t domain)
{
    if (config->collector.ss_family == AF_UNSPEC)
        return 0;
    exporter.config = config;
    exporter.dp = dp;
    exporter.sequence = 0;
    exporter.counts = (struct ipfix_counts){0};
    exporter.domain = config->domain ? config->domain : domain;
    exporter.to_wall_ms = (clock_wall_us() - clock_now_us()) / 1000;
    exporter.fd = connect_collector(&config->collector);
    if (exporter.fd < 0) {
        log_error("the IPFIX collector cannot be reached: %s", uv_strerror(exporter.fd));
        return exporter.fd;
    }
    exporter.sampler = sampler_new(dp, config->sampling);
    exporter.cache =
        ipfix_cache_new(config->cache, config->active_timeout, config->idle_timeout, report_flow);
    if (!exporter.sampler || !exporter.cache)
        return -ENOMEM;
    message_begin();
    choose_ports();
    send_templates();
    timer_start(&exporter.timer, EXPIRE_MS, on_timer);
    return lookers_set_sampler(dp, exporter.sampler);
}

void ipfix_close(void)
{
    if (exporter.fd < 0)
        return;
    timer_stop(&exporter.timer);
    if (exporter.sampler && exporter.cache) {
        (void)lookers_set_sampler(exporter.dp, NULL);
        reclaim_all();
        ipfix_take_samples();
        ipfix_cache_flush(exporter.cache);
        if (exporter.message.records)
            message_send();
    }
    if (exporter.sampler) {
        mirror_rings_free(exporter.sampler->rings, exporter.dp->worker_count);
        free(exporter.sampler);
    }
    ipfix_cache_free(exporter.cache);
    close(exporter.fd);
    exporter.sampler = NULL;
    exporter.cache = NULL;
    exporter.fd = -1;
}
