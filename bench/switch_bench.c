/*
 * switch_bench.c -- what the switch's data path costs without any I/O: packets in memory, through
 * the tables, to a port that forgets them; and what a flow mod costs.
 *
 *   switch_bench [SECONDS [RULES]]
 *
 * Uplink: in_port, tun_id -> set tun_id, next table -> tun_id -> output. Downlink: ip, in_port,
 * ip_dst -> set tun_id and tun_dst, output. Each with 1 to 1,000,000 rules, packets for rules in a
 * random order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/loop.h"
#include "switch/change.h"

static struct datapath dp;
static struct port *ports[4];

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void forget(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    packets_free(packets, count);
}

static const struct port_driver driver = {.name = "memory", .send = forget};

static uint64_t random_next(void)
{
    static uint64_t x = 88172645463325252ull;

    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

static void add(uint8_t table, const struct of_match *match, struct of_action *actions,
                size_t count, uint8_t next)
{
    struct of_instruction in[] = {{.type = OFPIT_APPLY_ACTIONS, .actions = {actions, count}},
                                  {.type = OFPIT_GOTO_TABLE, .table_id = next}};
    struct of_flow_mod mod = {.table_id = table,
                              .priority = 100,
                              .buffer_id = OFP_NO_BUFFER,
                              .match = *match,
                              .instructions = {in, next ? 2 : 1}};
    struct transaction t;

    change_begin(&t, &dp);
    if (change_flow_mod(&t, &mod))
        exit(1);
    change_commit(&t);
}

static void fill(uint32_t rules)
{
    uint64_t start = clock_now_us();

    for (uint32_t i = 0; i < rules; i++) {
        struct of_action up[] = {of_set_field(OF_TUNNEL_ID, i + 0x1000000)}, out[] = {of_output(2)};
        struct of_action down[] = {of_set_field(OF_TUNNEL_ID, i),
                                   of_set_field(OF_TUN_DST, 0x0a000001), of_output(1)};
        struct of_match teid = {0}, local = {0}, address = {0};

        of_match_set(&teid, OF_IN_PORT, 1);
        of_match_set(&teid, OF_TUNNEL_ID, i);
        add(0, &teid, up, 1, 1);
        of_match_set(&local, OF_TUNNEL_ID, i + 0x1000000);
        add(1, &local, out, 1, 0);
        of_match_set(&address, OF_IN_PORT, 2);
        of_match_set(&address, OF_ETH_TYPE, ETH_TYPE_IPV4);
        of_match_set(&address, OF_IPV4_DST, 0x0a000000 + i);
        add(0, &address, down, 3, 0);
    }
    change_settle(); /* as the switch does at the end of each turn */
    printf("%8u rules: flow mod %.2f us", rules, (double)(clock_now_us() - start) / (3.0 * rules));
}

static size_t make_frame(uint8_t *at, uint32_t dst)
{
    static const uint8_t nobody[6];
    struct writer w = writer_of(at, 256);
    struct net_ip ip = {.version = 4, .protocol = IP_UDP};
    size_t begun;

    ip.src = net_address_v4((struct in_addr){htonl(0x08080808)});
    ip.dst = net_address_v4((struct in_addr){htonl(dst)});
    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV4);
    begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, 1, 2);
    wr_zero(&w, 22);
    net_ip_end(&w, begun);
    return wr_len(&w);
}

/* A burst of packets as a port would hand it over, each for a rule at random. */
static void make_burst(struct packet **burst, uint32_t rules, bool uplink)
{
    static uint8_t frame[256];
    static size_t len;

    if (len == 0)
        len = make_frame(frame, 0x0a000000);
    for (int i = 0; i < (int)BURST; i++) {
        uint32_t n = (uint32_t)(random_next() % rules);

        burst[i] = packet_copy_of(bytes_of(frame, len));
        if (!uplink) { /* the header checksum is nobody's business here */
            uint32_t dst = htonl(0x0a000000 + n);
            memcpy(burst[i]->data + 30, &dst, 4);
        }
        packet_enter(burst[i], uplink ? 1 : 2);
        burst[i]->key.tunnel_id = uplink ? htobe64(n) : 0;
    }
}

/* Million packets a second from a burst's arrival to the port's send(); making the burst is not
 * counted. */
static double run(uint32_t rules, double seconds, bool uplink)
{
    uint64_t spent_ns = 0, packets = 0;

    do {
        for (int round = 0; round < 256; round++) {
            struct packet *burst[BURST];
            uint64_t start;

            make_burst(burst, rules, uplink);
            start = now_ns();
            pipeline_burst(dp.workers[0], ports[uplink ? 1 : 2], burst, BURST);
            worker_flush(dp.workers[0]);
            spent_ns += now_ns() - start;
            packets += BURST;
        }
    } while ((double)spent_ns < seconds * 1e9);
    return (double)packets * 1000 / (double)spent_ns;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1, 1000, 100000, 1000000};
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    uint32_t only = argc > 2 ? (uint32_t)atol(argv[2]) : 0;

    if (loop_init() < 0)
        return 1;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (only && sizes[i] != only)
            continue;
        if (datapath_init(&dp, 1, UINT32_MAX, 0) < 0)
            return 1;
        for (uint32_t n = 1; n <= 3; n++) {
            ports[n] = port_new(&dp, &driver, NULL, n);
            port_publish(ports[n]);
        }
        fill(sizes[i]);
        printf(", uplink (2 tables) %.2f, downlink (1 table) %.2f million packets/s\n",
               run(sizes[i], seconds, true), run(sizes[i], seconds, false));
        change_remove_all_flows(&dp);
        datapath_free(&dp);
    }
    return 0;
}
