/*
 * rules.h -- the rules that the switch is measured with, and the packets that meet them.
 *
 * Rule number i of a shape is the same for openflow_pump.c, which puts it into the switch, and for
 * traffic.c, which sends packets for it, so nothing need be passed between them. Rules of a shape
 * are all different, and look random: a number is spread over its range by multiplication with an
 * odd constant, which is one to one modulo a power of two.
 *
 *   forward   in_port=1 -> output:2; one rule only
 *   five      in_port=1, both addresses, protocol, both ports -> output:2
 *   prefix    in_port=1, ip_dst/length, priority = length, lengths as on the internet -> output:2
 *   decap     in_port=3 (tunnels), tun_id -> output:1
 *   encap     in_port=1, ip_dst -> set tun_id and tun_dst, output:3
 *   miss      in_port=1 -> controller; one rule only
 */
#ifndef STROWGER_BENCH_RULES_H
#define STROWGER_BENCH_RULES_H

#include <stdint.h>
#include <string.h>

enum shape {
    SHAPE_FORWARD,
    SHAPE_FIVE,
    SHAPE_PREFIX,
    SHAPE_DECAP,
    SHAPE_ENCAP,
    SHAPE_MISS,
    SHAPES
};

static const char *const shape_names[SHAPES] = {"forward", "five",  "prefix",
                                                "decap",   "encap", "miss"};

struct rule {
    uint32_t teid;     /* decap, encap */
    uint32_t src, dst; /* IPv4, host order; dst is the prefix of a prefix */
    uint16_t src_port, dst_port;
    uint8_t length; /* of the prefix */
};

static inline int shape_named(const char *name)
{
    for (int i = 0; i < SHAPES; i++)
        if (strcmp(name, shape_names[i]) == 0)
            return i;
    return -1;
}

static inline uint32_t spread(uint32_t number, uint32_t bits)
{
    uint32_t all = number * 0x9e3779b1u + 0x7f4a7c15u;

    return bits == 32 ? all : all & ((1u << bits) - 1);
}

/* Of a hundred prefixes, so many have this length; roughly the internet's table. Shares are small
 * enough that a million rules do not use a length up. */
static const struct {
    uint8_t length, share;
} prefix_lengths[] = {{24, 60}, {22, 11}, {23, 10}, {21, 5}, {20, 5},
                      {19, 3},  {18, 2},  {16, 2},  {17, 1}, {32, 1}};

static inline void rule_prefix(struct rule *r, uint32_t i)
{
    uint32_t slot = i % 100;

    for (unsigned n = 0; n < sizeof(prefix_lengths) / sizeof(prefix_lengths[0]); n++) {
        uint32_t share = prefix_lengths[n].share, length = prefix_lengths[n].length;

        if (slot < share) {
            r->length = (uint8_t)length;
            r->dst = spread(i / 100 * share + slot, length) << (32 - length);
            return;
        }
        slot -= share;
    }
}

static inline struct rule rule_make(enum shape shape, uint32_t i)
{
    struct rule r = {.teid = spread(i, 32),
                     .src = 0x0a000000 | spread(i, 24),
                     .dst = 0x0b000000 | spread(i ^ 0x555555, 24),
                     .src_port = (uint16_t)(1024 + i % 50000),
                     .dst_port = (uint16_t)(1024 + spread(i, 24) % 50000)};

    if (shape == SHAPE_PREFIX)
        rule_prefix(&r, i);
    return r;
}

#endif
