/*
 * switch_finish_test.c -- packets that are not finished: rewritten on their way, and finished for
 * ports that can not do it, so that what leaves is what a card would have sent.
 */
#include <stdlib.h>

#include "switch_frames.h"
#include "base/loop.h"
#include "switch/change.h"

#define SENT    64
#define PAYLOAD 10000
#define MSS     1400

static struct datapath dp;
static struct port *from, *to;
static struct packet *sent[SENT];
static size_t sent_count;

static void keep(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    for (unsigned i = 0; i < count; i++) {
        assert_true(sent_count < SENT);
        sent[sent_count++] = packets[i];
    }
}

static const struct port_driver driver = {.name = "memory", .send = keep};

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, 0), 0);
    from = port_new(&dp, &driver, NULL, 1);
    to = port_new(&dp, &driver, NULL, 2);
    assert_true(from && to);
    port_publish(from);
    port_publish(to);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (sent_count)
        packet_free(sent[--sent_count]);
    change_remove_all_flows(&dp);
    datapath_free(&dp);
    loop_free();
    return 0;
}

static void add_flow(struct of_action *actions, size_t count)
{
    struct of_instruction in = {.type = OFPIT_APPLY_ACTIONS, .actions = {actions, count}};
    struct of_flow_mod mod = {
        .command = OFPFC_ADD, .priority = 1, .buffer_id = OFP_NO_BUFFER, .instructions = {&in, 1}};
    struct transaction t;

    of_match_set(&mod.match, OF_ETH_TYPE, ETH_TYPE_IPV4);
    of_match_set(&mod.match, OF_IP_PROTO, IP_TCP);
    change_begin(&t, &dp);
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    change_commit(&t);
    change_settle();
}

/* A TCP packet of PAYLOAD bytes as a local sender hands it over: the sum of its pseudo header where
 * the checksum will be. */
static struct packet *large_packet(void)
{
    static uint8_t frame[ETH_HEADER_SIZE + 40 + PAYLOAD];
    static const uint8_t dst[6] = {2, 0, 0, 0, 0, 2}, src[6] = {2, 0, 0, 0, 0, 1};
    struct writer w = writer_of(frame, sizeof(frame));
    struct net_ip ip = {.version = 4, .ttl = 64, .protocol = IP_TCP};
    uint8_t pseudo[12] = {
        10, 0, 0, 1, 10, 0, 0, 2, 0, IP_TCP, (20 + PAYLOAD) >> 8, (20 + PAYLOAD) & 0xff};
    struct packet *p;
    size_t begun;
    be16 sum;

    wr_bytes(&w, dst, 6);
    wr_bytes(&w, src, 6);
    wr_u16(&w, ETH_TYPE_IPV4);
    ip.src = frame_address("10.0.0.1");
    ip.dst = frame_address("10.0.0.2");
    begun = net_ip_begin(&w, &ip);
    wr_u16(&w, 1000);
    wr_u16(&w, 2000);
    wr_u32(&w, 77);
    wr_u32(&w, 0);
    wr_u16(&w, 0x5018);
    wr_zero(&w, 6);
    for (unsigned i = 0; i < PAYLOAD; i++)
        wr_u8(&w, (uint8_t)(i * 31));
    net_ip_end(&w, begun);
    assert_false(w.bad);
    sum = (be16)~net_checksum(pseudo, sizeof(pseudo));
    memcpy(frame + ETH_HEADER_SIZE + 36, &sum, 2);
    p = packet_copy_of(bytes_of(frame, sizeof(frame)));
    assert_non_null(p);
    p->offload = (struct offload){.needs_checksum = true,
                                  .gso_type = OFFLOAD_GSO_TCPV4,
                                  .csum_start = ETH_HEADER_SIZE + 20,
                                  .csum_offset = 16,
                                  .gso_size = MSS};
    packet_enter(p, 1);
    return p;
}

static void run(struct packet *p)
{
    pipeline_burst(dp.workers[0], from, &p, 1);
    worker_flush(dp.workers[0]);
}

/* Segments in order, each right by itself, together the payload. */
static void expect_segments(size_t header)
{
    size_t at = 0;

    assert_int_equal(sent_count, (PAYLOAD + MSS - 1) / MSS);
    for (size_t i = 0; i < sent_count; i++) {
        frame_checksums_ok(sent[i]);
        assert_int_equal(sent[i]->data[header + 7], (uint8_t)(77 + at)); /* the sequence number */
        for (size_t n = header + 20; n < sent[i]->len; n++, at++)
            assert_int_equal(sent[i]->data[n], (uint8_t)(at * 31));
    }
    assert_int_equal(at, PAYLOAD);
}

static void a_large_packet_is_cut_for_who_can_not(void **state)
{
    struct of_action actions[] = {of_set_field(OF_IPV4_DST, 0x0a000063),
                                  of_set_field(OF_TCP_DST, 99), of_output(2)};

    (void)state;
    add_flow(actions, 3);
    run(large_packet());
    expect_segments(ETH_HEADER_SIZE + 20);
    assert_int_equal(of_key_get(&sent[0]->key, OF_IPV4_DST), 0x0a000063);
    assert_int_equal(of_key_get(&sent[3]->key, OF_TCP_DST), 99);
}

static void tags_and_labels_stand_before_each_segment(void **state)
{
    struct of_action actions[] = {
        {.type = OFPAT_PUSH_MPLS, .ethertype = ETH_TYPE_MPLS},
        {.type = OFPAT_PUSH_VLAN, .ethertype = ETH_TYPE_VLAN},
        of_output(2),
    };

    (void)state;
    to->finishes_checksums = to->cuts = true; /* but not behind labels */
    add_flow(actions, 3);
    run(large_packet());
    assert_int_equal(sent_count, (PAYLOAD + MSS - 1) / MSS);
    for (size_t i = 0; i < sent_count; i++) {
        struct packet *p = sent[i];

        assert_int_equal(ntohs(p->key.eth_type), ETH_TYPE_MPLS);
        assert_true(packet_pop_vlan(p));
        assert_true(packet_pop_mpls(p, ETH_TYPE_IPV4));
        frame_checksums_ok(p);
    }
}

static void it_stays_whole_for_who_can(void **state)
{
    struct of_action actions[] = {of_set_field(OF_IPV4_SRC, 0x0a000001), of_output(2)};
    struct of_action tagged[] = {{.type = OFPAT_PUSH_VLAN, .ethertype = ETH_TYPE_VLAN},
                                 of_set_field(OF_IPV4_SRC, 0x0a000009),
                                 of_output(2)};

    (void)state;
    to->finishes_checksums = to->cuts = true;
    add_flow(actions, 2);
    run(large_packet());
    assert_int_equal(sent_count, 1);
    assert_int_equal(sent[0]->len, ETH_HEADER_SIZE + 40 + PAYLOAD);
    assert_true(packet_is_unfinished(sent[0]));
    packet_finish_checksum(sent[0]);
    frame_checksums_ok(sent[0]);
    packet_free(sent[--sent_count]);

    add_flow(tagged, 3);
    run(large_packet());
    assert_int_equal(sent_count, 1);
    assert_int_equal(sent[0]->offload.csum_start, ETH_HEADER_SIZE + 4 + 20);
    packet_finish_checksum(sent[0]);
    frame_checksums_ok(sent[0]);
}

static void what_contradicts_itself_is_dropped(void **state)
{
    struct of_action actions[] = {of_output(2)};
    struct packet *p = large_packet();

    (void)state;
    add_flow(actions, 1);
    p->offload.csum_start = ETH_HEADER_SIZE + 24;
    run(p);
    assert_int_equal(sent_count, 0);
    assert_int_equal(port_count(to).own_drops[PORT_DROP_UNFINISHED], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_large_packet_is_cut_for_who_can_not),
        TEST(tags_and_labels_stand_before_each_segment),
        TEST(it_stays_whole_for_who_can),
        TEST(what_contradicts_itself_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
