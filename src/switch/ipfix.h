/*
 * ipfix.h -- what passes through the switch, reported as flows to a collector (IPFIX, RFC 7011).
 *
 * Of the packets that come in by a port, each worker picks one at random out of each `sampling`
 * (n-out-of-N sampling, RFC 5475 clause 5.2.2.1, with n = 1), notes what became of it, and puts a
 * summary into a ring of its own. The loop's thread adds summaries of the same flow up: addresses,
 * protocol, ports, incoming port, VLAN, tunnel, and whether it was dropped. A flow is reported when
 * it was silent for the idle timeout, has gone on for the active timeout since its last report, was
 * ended by TCP, or must give its place to another. Octets are those of IP packets; a packet that
 * senders left to be cut counts as its segments. What is no IP is not reported.
 *
 * The numbers are of the sampled packets: a collector multiplies by the sampling's population,
 * which it is told by an options template.
 *
 * Threads: ipfix_sample(), ipfix_note_*() and ipfix_take() are for workers, all else for the loop's
 * thread. The sampler is found as mirrors are (mirror.h).
 */
#ifndef STROWGER_SWITCH_IPFIX_H
#define STROWGER_SWITCH_IPFIX_H

#include "switch/worker.h"
#include "wire/ipfix/ipfix.h"

struct ipfix_sampler;

/* A packet, summed up. The flow's octets and packets are the packet's. */
struct ipfix_sample {
    struct ipfix_flow flow;
    uint64_t time_us; /* monotonic */
};

/* ---- workers ---- */

/* The packet has just come in, and its key is read. True when it is one of the sample: `sample` is
 * filled then. */
bool ipfix_sample(struct ipfix_sampler *sampler, struct worker *w, const struct port *in,
                  const struct packet *p, struct ipfix_sample *sample);

/* It leaves by this port, the first of several. */
static inline void ipfix_note_output(struct ipfix_sample *sample, uint32_t port)
{
    sample->flow.forwarding = IPFIX_FORWARDED;
    if (sample->flow.out_port == 0)
        sample->flow.out_port = port;
}

/* It was dropped, or a copy of it. */
void ipfix_note_drop(struct ipfix_sample *sample, enum drop_reason why);

/* Their fate is known. */
void ipfix_take(struct ipfix_sampler *sampler, struct worker *w, const struct ipfix_sample *samples,
                size_t count);

/* ---- the loop's thread ---- */

/* Begins, if the configuration names a collector. `domain` is for when it names none. 0 or negative
 * errno. */
int ipfix_open(struct datapath *dp, const struct switch_ipfix_config *config, uint32_t domain);
/* Reports all flows, and ends; no worker runs any more. */
void ipfix_close(void);
/* Adds up what workers have noted. */
void ipfix_take_samples(void);

/* For `show switch ipfix`. */
struct ipfix_counts {
    uint64_t samples, samples_lost, flows_reported, messages, messages_lost;
    uint32_t flows; /* held now */
    bool on;
};
struct ipfix_counts ipfix_count(void);

/* ---- the cache of flows (ipfix_cache.c) ---- */

struct ipfix_cache;

/* At most `room` flows; `report` is called with each that is to be reported, with start_ms and
 * end_ms in the samples' clock. NULL when memory is out. */
struct ipfix_cache *ipfix_cache_new(uint32_t room, uint32_t active_ms, uint32_t idle_ms,
                                    void (*report)(const struct ipfix_flow *flow));
void ipfix_cache_free(struct ipfix_cache *cache);
void ipfix_cache_add(struct ipfix_cache *cache, const struct ipfix_sample *sample);
/* Reports what has timed out; once a second or so. */
void ipfix_cache_expire(struct ipfix_cache *cache, uint64_t now_us);
/* Reports all and forgets them. */
void ipfix_cache_flush(struct ipfix_cache *cache);
uint32_t ipfix_cache_count(const struct ipfix_cache *cache);

#endif
