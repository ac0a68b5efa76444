/*
 * switch_ipfix_test.c -- flows from packets: what is one flow, when it is reported, and what stands
 * in the report; the chance by which packets are chosen is seen from outside, by its reports.
 */
#include "switch_frames.h"

#include <unistd.h>

#include "base/base.h"
#include "switch/ipfix.h"
#include "switch/mirror.h"
#include "switch/slab.h"

#define REPORTS 64

static struct ipfix_flow reported[REPORTS];
static size_t report_count;

static void note(const struct ipfix_flow *flow)
{
    assert_true(report_count < REPORTS);
    reported[report_count++] = *flow;
}

static struct ipfix_sample sample_at(uint64_t ms, uint16_t port)
{
    struct ipfix_sample s = {.time_us = ms * 1000,
                             .flow = {.ip_version = 4,
                                      .protocol = IP_UDP,
                                      .source = {10, 0, 0, 1},
                                      .source_port = port,
                                      .forwarding = IPFIX_FORWARDED,
                                      .octets = 100,
                                      .packets = 1}};
    return s;
}

static int begin(void **state)
{
    report_count = 0;
    *state = ipfix_cache_new(4, 60000, 15000, note);
    return *state ? 0 : -1;
}

static int end(void **state)
{
    ipfix_cache_free(*state);
    return 0;
}

static void packets_of_a_flow_add_up(void **state)
{
    struct ipfix_cache *c = *state;
    struct ipfix_sample a = sample_at(1000, 1), b = sample_at(2000, 2);

    ipfix_cache_add(c, &a);
    ipfix_cache_add(c, &b);
    a.time_us = 3000000;
    a.flow.out_port = 2;
    ipfix_cache_add(c, &a);
    assert_int_equal(ipfix_cache_count(c), 2);
    ipfix_cache_expire(c, 16999000);
    assert_int_equal(report_count, 0);
    ipfix_cache_expire(c, 17000000);
    assert_int_equal(report_count, 1);
    assert_int_equal(reported[0].source_port, 2);
    ipfix_cache_flush(c);
    assert_int_equal(report_count, 2);
    assert_int_equal(reported[0].end_reason, IPFIX_IDLE);
    assert_int_equal(reported[1].end_reason, IPFIX_FORCED);
    assert_int_equal(reported[1].packets, 2);
    assert_int_equal(reported[1].octets, 200);
    assert_int_equal(reported[1].start_ms, 1000);
    assert_int_equal(reported[1].end_ms, 3000);
    assert_int_equal(reported[1].out_port, 2);
    assert_int_equal(ipfix_cache_count(c), 0);
}

static void what_tells_flows_apart(void **state)
{
    struct ipfix_cache *c = *state;
    struct ipfix_sample s = sample_at(1000, 1);

    ipfix_cache_add(c, &s);
    s.flow.vlan = 5;
    ipfix_cache_add(c, &s);
    s.flow.tunnel_id = 7;
    ipfix_cache_add(c, &s);
    s.flow.forwarding = IPFIX_DROPPED;
    ipfix_cache_add(c, &s);
    s.flow.tcp_flags = 2; /* this does not, and these do not */
    s.flow.out_port = 3;
    ipfix_cache_add(c, &s);
    assert_int_equal(ipfix_cache_count(c), 4);
}

static void a_long_flow_is_told_in_parts(void **state)
{
    struct ipfix_cache *c = *state;
    struct ipfix_sample s;

    for (uint64_t ms = 0; ms <= 70000; ms += 10000) {
        s = sample_at(ms, 1);
        ipfix_cache_add(c, &s);
    }
    assert_int_equal(report_count, 1);
    assert_int_equal(reported[0].end_reason, IPFIX_ACTIVE);
    assert_int_equal(reported[0].packets, 7);
    ipfix_cache_flush(c);
    assert_int_equal(reported[1].packets, 1);
    assert_int_equal(reported[1].start_ms, 70000);
}

static void tcp_ends_a_flow(void **state)
{
    struct ipfix_cache *c = *state;
    struct ipfix_sample s = sample_at(1000, 1);

    s.flow.tcp_flags = 0x11;
    ipfix_cache_add(c, &s);
    s.flow.tcp_flags = 0x10;
    s.time_us += 500000;
    ipfix_cache_add(c, &s); /* the last acknowledgement */
    ipfix_cache_expire(c, 2000000);
    assert_int_equal(report_count, 0);
    ipfix_cache_expire(c, 4000000);
    assert_int_equal(report_count, 1);
    assert_int_equal(reported[0].end_reason, IPFIX_ENDED);
    assert_int_equal(reported[0].tcp_flags, 0x11);
    assert_int_equal(reported[0].packets, 2);
}

static void the_longest_silent_makes_room(void **state)
{
    struct ipfix_cache *c = *state;

    for (uint16_t port = 1; port <= 6; port++) {
        struct ipfix_sample s = sample_at(port, port);

        ipfix_cache_add(c, &s);
    }
    assert_int_equal(ipfix_cache_count(c), 4);
    assert_int_equal(report_count, 2);
    assert_int_equal(reported[1].source_port, 2);
    assert_int_equal(reported[1].end_reason, IPFIX_NO_ROOM);
}

/* ---- packets of a switch, by the exporter ---- */

static struct datapath dp;
static struct port *port;
static int collector;

static int exporter_begin(void **state)
{
    static const struct port_driver driver = {.name = "memory"};
    static struct switch_port_config port_config = {.name = "one"};
    static struct switch_ipfix_config config = {.sampling = 10,
                                                .active_timeout = 60000,
                                                .idle_timeout = 15000,
                                                .template_interval = 60000,
                                                .cache = 100};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    (void)state;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 1, 100, 0), 0);
    port = port_new(&dp, &driver, &port_config, 1);
    port_publish(port);
    collector = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(collector, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(collector, (struct sockaddr *)&at, &len), 0);
    memcpy(&config.collector, &at, sizeof(at));
    return ipfix_open(&dp, &config, 99);
}

static int exporter_end(void **state)
{
    (void)state;
    ipfix_close();
    close(collector);
    port_close(port);
    reclaim_all();
    datapath_free(&dp);
    packet_pool_free();
    loop_free();
    return 0;
}

static void come_in(struct frame f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct packet *p = packet_copy_of(bytes_of(f.bytes, f.len));

        packet_enter(p, 1);
        pipeline_burst(dp.workers[0], port, &p, 1);
    }
    ipfix_take_samples();
}

static void one_of_each_ten_is_chosen(void **state)
{
    (void)state;
    come_in(frame_ip(4, IP_UDP, 0), 1000);
    assert_int_equal(ipfix_count().samples, 100);
    assert_int_equal(ipfix_count().flows, 1);
    assert_int_equal(ipfix_count().samples_lost, 0);
}

static void reports_reach_the_collector(void **state)
{
    uint8_t message[2000];
    ssize_t n;
    struct reader r;

    (void)state;
    n = recv(collector, message, sizeof(message), 0); /* templates, at the begin */
    assert_true(n > 100);
    come_in(frame_ip(6, IP_TCP, 1), 20);
    ipfix_close();
    n = recv(collector, message, sizeof(message), 0);
    assert_true(n > 20);
    r = reader_of(message, (size_t)n);
    assert_int_equal(rd_u16(&r), 10);
    assert_int_equal(rd_u16(&r), n);
    (void)rd_u32(&r);
    assert_int_equal(rd_u32(&r), 1); /* the options record came before it */
    assert_int_equal(rd_u32(&r), 99);
    assert_int_equal(rd_u16(&r), 259); /* IPv6, no tunnel */
    (void)rd_u16(&r);
    (void)rd_u64(&r);
    assert_int_equal(rd_u64(&r), 2); /* packets */
    rd_skip(&r, 16);
    assert_int_equal(rd_u32(&r), 1); /* came in by */
    assert_int_equal(rd_u32(&r), 0);
    rd_skip(&r, 2);
    assert_int_equal(rd_u8(&r), IP_TCP);
    assert_int_equal(rd_u8(&r), IPFIX_FORCED);
    assert_int_equal(rd_u8(&r), IPFIX_DROPPED_UNROUTABLE); /* there are no flows */
}

static void a_tunnel_is_told(void **state)
{
    static struct switch_port_config config = {.name = "vx"};
    struct port *tunnel = port_new(&dp, &vxlan_driver, &config, 2);
    struct frame f = frame_ip(4, IP_ICMP, 0);
    uint8_t message[2000];
    struct reader r;
    ssize_t n;

    (void)state;
    assert_true(recv(collector, message, sizeof(message), 0) > 100);
    assert_non_null(tunnel);
    port_publish(tunnel);
    for (unsigned i = 0; i < 10; i++) {
        struct packet *p = packet_copy_of(bytes_of(f.bytes, f.len));

        packet_enter(p, 2);
        p->key.tunnel_id = htobe64(0x5566);
        pipeline_burst(dp.workers[0], tunnel, &p, 1);
    }
    ipfix_close();
    n = recv(collector, message, sizeof(message), 0);
    assert_true(n > 20);
    r = reader_of(message, (size_t)n);
    rd_skip(&r, 16);
    assert_int_equal(rd_u16(&r), 257); /* IPv4 in VXLAN */
    rd_skip(&r, (size_t)n - 16 - 2 - 10);
    assert_int_equal(rd_u16(&r), 0x0800); /* echo request */
    assert_int_equal(rd_u64(&r), UINT64_C(0x0100000000005566));
    __atomic_store_n(&dp.ports[2], NULL, __ATOMIC_RELEASE);
    slab_free(tunnel->counters);
    slab_free(tunnel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packets_of_a_flow_add_up, begin, end),
        cmocka_unit_test_setup_teardown(what_tells_flows_apart, begin, end),
        cmocka_unit_test_setup_teardown(a_long_flow_is_told_in_parts, begin, end),
        cmocka_unit_test_setup_teardown(tcp_ends_a_flow, begin, end),
        cmocka_unit_test_setup_teardown(the_longest_silent_makes_room, begin, end),
        cmocka_unit_test_setup_teardown(one_of_each_ten_is_chosen, exporter_begin, exporter_end),
        cmocka_unit_test_setup_teardown(reports_reach_the_collector, exporter_begin, exporter_end),
        cmocka_unit_test_setup_teardown(a_tunnel_is_told, exporter_begin, exporter_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
