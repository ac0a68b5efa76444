/*
 * switch_tunnel_test.c -- tunnels that go by a port of the switch: a memory port is the underlay,
 * and the test is everybody else on its link.
 *
 * We are 10.9.0.1 behind port 1, a gtpu (port 2) and a vxlan (port 3) share the address; 10.9.0.2
 * is a peer on the link, 10.9.0.254 the gateway; port 4 is where users are. Time is the worker's,
 * set by each burst, and the neighbour table is asked about later times through underlay_tick().
 */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch_frames.h"
#include "base/loop.h"
#include "switch/change.h"
#include "switch/neighbour.h"
#include "switch/underlay.h"
#include "wire/gtp/gtpu.h"
#include "wire/net/fragment.h"

#define US      "10.9.0.1"
#define PEER    "10.9.0.2"
#define GATEWAY "10.9.0.254"
#define FAR     "192.0.2.7"

static const uint8_t our_mac[6] = {2, 0, 0, 0, 9, 1}, peer_mac[6] = {2, 0, 0, 0, 9, 2},
                     everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct caught {
    struct packet *at[128];
    size_t count;
};

static struct datapath dp;
static struct port *wire, *gtpu, *vxlan, *users, *patch_a, *patch_b;
static struct caught on_wire, at_users;
static struct switch_port_config wire_config = {.name = "wire", .type = SWITCH_PORT_PACKET},
                                 gtpu_config, vxlan_config, a_config, b_config;

static void catch_wire(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    struct caught *c = p == wire ? &on_wire : &at_users;

    (void)w;
    for (unsigned i = 0; i < count; i++) {
        assert_true(c->count < 128);
        c->at[c->count++] = packets[i];
    }
}

static const struct port_driver memory_driver = {.name = "memory", .send = catch_wire};

static void forget(struct caught *c)
{
    while (c->count)
        packet_free(c->at[--c->count]);
}

static struct port *memory_port(const struct switch_port_config *config, uint32_t number)
{
    struct port *p = port_new(&dp, &memory_driver, config, number);

    assert_non_null(p);
    p->mtu = 1500;
    port_publish(p);
    return p;
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, 0), 0);
    change_listen(NULL);
    gtpu_limit_error_indications(3);
    wire = memory_port(&wire_config, 1);
    memcpy(wire->mac, our_mac, 6);
    gtpu_config = (struct switch_port_config){.name = "gtpu",
                                              .type = SWITCH_PORT_GTPU,
                                              .underlay = "wire",
                                              .address = frame_address(US).v4,
                                              .prefix = 24,
                                              .gateway = frame_address(GATEWAY).v4};
    vxlan_config = gtpu_config;
    vxlan_config.name = "vxlan";
    vxlan_config.type = SWITCH_PORT_VXLAN;
    assert_int_equal(port_open(&dp, &gtpu_config, 2, &gtpu), 0);
    assert_int_equal(port_open(&dp, &vxlan_config, 3, &vxlan), 0);
    users = memory_port(NULL, 4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    forget(&on_wire);
    forget(&at_users);
    change_remove_all_flows(&dp);
    datapath_free(&dp);
    loop_free();
    return 0;
}

static void flow(uint16_t priority, const char *match, struct of_action *actions, size_t count)
{
    struct of_instruction in = {.type = OFPIT_APPLY_ACTIONS, .actions = {actions, count}};
    struct of_flow_mod mod = {
        .priority = priority, .buffer_id = OFP_NO_BUFFER, .instructions = {&in, 1}};
    struct transaction t;
    const char *bad;

    assert_int_equal(of_parse_match(&mod.match, match, strlen(match), &bad), 0);
    change_begin(&t, &dp);
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    change_commit(&t);
}

#define FLOW(priority, match, ...)                           \
    flow(priority, match, (struct of_action[]){__VA_ARGS__}, \
         sizeof((struct of_action[]){__VA_ARGS__}) / sizeof(struct of_action))

static void enter_by(struct port *port, struct bytes frame)
{
    struct packet *p = packet_copy_of(frame);

    assert_non_null(p);
    packet_enter(p, port->number);
    pipeline_burst(dp.workers[0], port, &p, 1);
    worker_flush(dp.workers[0]);
}

static void from_wire(struct bytes frame)
{
    enter_by(wire, frame);
}

/* ---- frames ---- */

struct big {
    uint8_t bytes[12000];
    size_t len;
};

static struct bytes view(const struct big *f)
{
    return bytes_of(f->bytes, f->len);
}

static struct bytes frame_view(const struct frame *f)
{
    return bytes_of(f->bytes, f->len);
}

static struct big arp(uint16_t op, const char *from, const uint8_t mac[6], const char *to,
                      const uint8_t dst[6])
{
    struct big f;
    struct writer w = writer_of(f.bytes, sizeof(f.bytes));
    struct net_arp a = {.op = op, .spa = frame_address(from).v4, .tpa = frame_address(to).v4};

    memcpy(a.sha, mac, 6);
    net_write_ethernet(&w, dst, mac, ETH_TYPE_ARP);
    net_write_arp(&w, &a);
    f.len = wr_len(&w);
    return f;
}

static struct big datagram(const char *from, uint16_t port, uint8_t tos, struct bytes payload)
{
    struct big f;
    struct writer w = writer_of(f.bytes, sizeof(f.bytes));
    struct net_ip ip = {.version = 4,
                        .protocol = IP_UDP,
                        .tos = tos,
                        .src = frame_address(from),
                        .dst = frame_address(US)};
    size_t begun;

    net_write_ethernet(&w, our_mac, peer_mac, ETH_TYPE_IPV4);
    begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, 50000, port);
    wr_view_of(&w, payload);
    net_ip_end(&w, begun);
    assert_false(w.bad);
    f.len = wr_len(&w);
    return f;
}

static struct big vxlan_of(uint32_t vni, uint8_t tos, struct bytes inner)
{
    struct big f;
    struct writer w = writer_of(f.bytes, sizeof(f.bytes));

    wr_u32(&w, 0x08000000);
    wr_u32(&w, vni << 8);
    wr_view_of(&w, inner);
    return datagram(PEER, 4789, tos, wr_view(&w));
}

/* A user's UDP packet with so many bytes of payload. */
static struct big user_packet(uint8_t version, uint8_t tos, size_t payload)
{
    static const uint8_t dst[6] = {2, 0, 0, 0, 0, 2}, src[6] = {2, 0, 0, 0, 0, 1};
    struct big f;
    struct writer w = writer_of(f.bytes, sizeof(f.bytes));
    struct net_ip ip = {.version = version, .protocol = IP_UDP, .tos = tos};
    size_t begun;

    ip.src = frame_address(version == 4 ? "10.45.0.1" : "fd00::1");
    ip.dst = frame_address(version == 4 ? "10.45.0.2" : "fd00::2");
    net_write_ethernet(&w, dst, src, version == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
    begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, 1000, 2000);
    for (size_t i = 0; i < payload; i++)
        wr_u8(&w, (uint8_t)i);
    net_ip_end(&w, begun);
    assert_false(w.bad);
    f.len = wr_len(&w);
    return f;
}

static void set_df(struct big *f, bool df)
{
    struct ipv4_header *ip = (void *)(f->bytes + ETH_HEADER_SIZE);

    ip->fragment = htons(df ? IPV4_DONT_FRAGMENT : 0);
    ip->checksum = 0;
    ip->checksum = net_checksum(ip, IPV4_MIN_SIZE);
}

static void peer_is_known(void)
{
    struct big f = arp(ARP_REQUEST, PEER, peer_mac, US, everybody);

    from_wire(view(&f));
    forget(&on_wire);
}

static struct net_packet sent(size_t nth)
{
    struct net_packet n;

    assert_true(nth < on_wire.count);
    assert_int_equal(net_read_frame(packet_bytes(on_wire.at[nth]), &n), 0);
    if (n.version)
        frame_checksums_ok(on_wire.at[nth]);
    return n;
}

static void to_vxlan(void)
{
    FLOW(1, "in_port=4", of_set_field(OF_TUNNEL_ID, 0x123456), of_set_field(OF_TUN_DST, 0x0a090002),
         of_output(3));
}

/* ---- ARP ---- */

static void who_asks_for_us_is_answered_and_known(void **state)
{
    struct big f = arp(ARP_REQUEST, PEER, peer_mac, US, everybody);
    struct net_packet n;
    struct net_arp a;

    (void)state;
    from_wire(view(&f));
    assert_int_equal(on_wire.count, 1);
    n = sent(0);
    assert_memory_equal(n.eth_dst, peer_mac, 6);
    assert_memory_equal(n.eth_src, our_mac, 6);
    assert_int_equal(net_read_arp(bytes_of(on_wire.at[0]->data + 14, on_wire.at[0]->len - 14), &a),
                     0);
    assert_int_equal(a.op, ARP_REPLY);
    assert_memory_equal(a.sha, our_mac, 6);
    assert_int_equal(a.spa.s_addr, frame_address(US).v4.s_addr);
    assert_int_equal(a.tpa.s_addr, frame_address(PEER).v4.s_addr);
    forget(&on_wire);
    to_vxlan();
    f = user_packet(4, 0, 10);
    enter_by(users, view(&f)); /* nobody is asked */
    assert_int_equal(on_wire.count, 1);
    assert_memory_equal(sent(0).eth_dst, peer_mac, 6);
}

static void packets_wait_until_the_neighbour_answers(void **state)
{
    struct big f = user_packet(4, 0, 10), reply = arp(ARP_REPLY, PEER, peer_mac, US, our_mac);
    struct net_arp a;

    (void)state;
    to_vxlan();
    for (unsigned i = 0; i < NEIGHBOUR_WAITING + 3; i++)
        enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 1); /* one question */
    assert_int_equal(net_read_arp(bytes_of(on_wire.at[0]->data + 14, on_wire.at[0]->len - 14), &a),
                     0);
    assert_int_equal(a.op, ARP_REQUEST);
    assert_int_equal(a.tpa.s_addr, frame_address(PEER).v4.s_addr);
    assert_memory_equal(on_wire.at[0]->data, everybody, 6);
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_NO_NEIGHBOUR], 3);
    forget(&on_wire);
    from_wire(view(&reply));
    assert_int_equal(on_wire.count, NEIGHBOUR_WAITING);
    assert_int_equal(port_count(vxlan).tx_packets, NEIGHBOUR_WAITING);
    for (unsigned i = 0; i < NEIGHBOUR_WAITING; i++)
        assert_memory_equal(sent(i).eth_dst, peer_mac, 6);
}

static void who_never_answers_is_asked_with_pauses_and_given_up(void **state)
{
    struct big f = user_packet(4, 0, 10);
    struct underlay *u = ((struct tunnel *)vxlan->private)->underlay;
    uint64_t now, step = NEIGHBOUR_FIRST_US;

    (void)state;
    to_vxlan();
    enter_by(users, view(&f));
    now = dp.workers[0]->now_us;
    for (unsigned tries = 1; tries < NEIGHBOUR_TRIES; tries++, step *= 2) {
        forget(&on_wire);
        underlay_tick(u, now + step - 1);
        assert_int_equal(on_wire.count, 0);
        now += step;
        underlay_tick(u, now);
        assert_int_equal(on_wire.count, 1);
    }
    forget(&on_wire);
    underlay_tick(u, now + step);
    assert_int_equal(on_wire.count, 0);
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_NO_NEIGHBOUR], 1);
}

static void strangers_do_not_fill_the_table(void **state)
{
    struct neighbour_table *t = neighbour_table_new();
    struct packet *released[NEIGHBOUR_WAITING];
    uint8_t mac[6];
    unsigned known = 0;

    (void)state;
    assert_non_null(t);
    assert_int_equal(neighbour_learn(t, htonl(0x0a000001), peer_mac, false, 1, released), 0);
    assert_int_equal(neighbour_find(t, htonl(0x0a000001), 1, mac), NEIGHBOUR_UNKNOWN);
    for (uint32_t i = 0; i < 100000; i++)
        (void)neighbour_learn(t, htonl(0x0b000000 + i), peer_mac, true, 1, released);
    for (uint32_t i = 0; i < 100000; i++)
        known += neighbour_find(t, htonl(0x0b000000 + i), 1, mac) == NEIGHBOUR_KNOWN;
    assert_in_range(known, 1, NEIGHBOURS);
    neighbour_table_free(t);
}

static void what_is_known_is_asked_again_and_forgotten(void **state)
{
    struct neighbour_table *t = neighbour_table_new();
    struct packet *released[NEIGHBOUR_WAITING];
    be32 address = htonl(0x0a090002);
    uint64_t now = 1000000;
    uint8_t mac[6];

    (void)state;
    (void)neighbour_learn(t, address, peer_mac, true, now, released);
    assert_int_equal(neighbour_find(t, address, now, mac), NEIGHBOUR_KNOWN);
    assert_memory_equal(mac, peer_mac, 6);
    assert_false(neighbour_may_probe(t, address, now));
    now += NEIGHBOUR_REACHABLE_US;
    for (unsigned i = 0; i < NEIGHBOUR_TRIES; i++, now += 4 * NEIGHBOUR_FIRST_US) {
        assert_int_equal(neighbour_find(t, address, now, mac), NEIGHBOUR_STALE);
        assert_true(neighbour_may_probe(t, address, now));
        assert_false(neighbour_may_probe(t, address, now)); /* not twice at once */
    }
    assert_false(neighbour_may_probe(t, address, now));
    assert_int_equal(neighbour_find(t, address, now, mac), NEIGHBOUR_UNKNOWN);
    neighbour_table_free(t);
}

#define STRANGERS 20000u

struct reading {
    struct neighbour_table *table;
    bool done;
    unsigned known, wrong;
};

static void mac_of(uint32_t nth, uint8_t mac[6])
{
    be32 word = htonl(nth * 2654435761u);

    mac[0] = 2;
    mac[1] = 0;
    memcpy(mac + 2, &word, 4);
}

static void *read_neighbours(void *arg)
{
    struct reading *r = arg;
    uint8_t mac[6], expected[6];

    while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE))
        for (uint32_t i = 0; i < STRANGERS; i++) {
            if (neighbour_find(r->table, htonl(0x0b000000 + i), 1, mac) == NEIGHBOUR_UNKNOWN)
                continue;
            mac_of(i, expected);
            r->known++;
            r->wrong += memcmp(mac, expected, 6) != 0;
        }
    return NULL;
}

/* Places change hands all the time: whoever reads meanwhile finds nobody, or the right one. */
static void readers_never_see_half_a_neighbour(void **state)
{
    struct reading r = {.table = neighbour_table_new()};
    struct packet *p = packet_new(), *released[NEIGHBOUR_WAITING];
    pthread_t reader;
    uint8_t mac[6];

    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, read_neighbours, &r), 0);
    for (uint32_t i = 0; i < 10 * STRANGERS; i++) {
        be32 address = htonl(0x0b000000 + i % STRANGERS);

        mac_of(i % STRANGERS, mac);
        if (neighbour_wait(r.table, address, p, i) == NEIGHBOUR_ASK) {
            assert_int_equal(neighbour_learn(r.table, address, mac, false, i, released), 1);
            assert_ptr_equal(released[0], p);
        }
    }
    __atomic_store_n(&r.done, true, __ATOMIC_RELEASE);
    pthread_join(reader, NULL);
    assert_int_equal(r.wrong, 0);
    packet_free(p);
    neighbour_table_free(r.table);
}

static void arp_of_others_goes_on_and_changes_only_who_is_known(void **state)
{
    static const uint8_t moved[6] = {2, 0, 0, 0, 9, 77};
    struct big f = arp(ARP_REQUEST, PEER, moved, PEER, everybody), p = user_packet(4, 0, 1);

    (void)state;
    FLOW(1, "arp", of_output(4));
    to_vxlan();
    from_wire(view(&f));
    assert_int_equal(at_users.count, 1);
    enter_by(users, view(&p));
    assert_int_equal(on_wire.count, 1); /* it was not learned: a question */
    assert_int_equal(sent(0).eth_type, ETH_TYPE_ARP);
    peer_is_known();
    from_wire(view(&f)); /* now it is, and has another address */
    forget(&on_wire);
    enter_by(users, view(&p));
    assert_memory_equal(sent(0).eth_dst, moved, 6);
}

/* ---- out ---- */

static void a_frame_goes_out_in_vxlan(void **state)
{
    struct big f = user_packet(4, 0xb9, 20); /* EF, ECT(1) */
    struct net_packet n;

    (void)state;
    to_vxlan();
    peer_is_known();
    enter_by(users, view(&f));
    n = sent(0);
    assert_int_equal(n.protocol, IP_UDP);
    assert_int_equal(n.tos, 0xb9);
    assert_int_equal(n.ttl, 64);
    assert_int_equal(n.dst_port, 4789);
    assert_in_range(n.src_port, 49152, 65535);
    assert_int_equal(n.src.v4.s_addr, frame_address(US).v4.s_addr);
    assert_int_equal(n.dst.v4.s_addr, frame_address(PEER).v4.s_addr);
    assert_memory_equal(n.payload.at, "\x08\0\0\0\x12\x34\x56\0", 8);
    assert_true(bytes_equal(bytes_of(n.payload.at + 8, n.payload.len - 8), view(&f)));
    assert_memory_equal(n.transport.at + 6, "\0\0", 2); /* no checksum unless wanted */
    vxlan_config.checksum = true;
    enter_by(users, view(&f));
    n = sent(1);
    assert_memory_not_equal(n.transport.at + 6, "\0\0", 2);
}

static void a_fixed_remote_needs_no_tun_dst(void **state)
{
    struct big f = user_packet(4, 0, 20);

    (void)state;
    FLOW(1, "in_port=4", of_output(3));
    enter_by(users, view(&f));
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_NO_TUNNEL], 1);
    port_close(vxlan);
    vxlan_config.remote = frame_address(PEER).v4;
    assert_int_equal(port_open(&dp, &vxlan_config, 3, &vxlan), 0);
    peer_is_known();
    enter_by(users, view(&f));
    assert_int_equal(sent(0).dst.v4.s_addr, frame_address(PEER).v4.s_addr);
}

static void a_user_packet_goes_out_in_gtpu_by_the_gateway(void **state)
{
    static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 9, 0xfe};
    struct big f = user_packet(4, 0x28, 20),
               reply = arp(ARP_REPLY, GATEWAY, gateway_mac, US, our_mac);
    struct gtpu_header h;
    struct net_packet n;

    (void)state;
    FLOW(1, "in_port=4", of_set_field(OF_TUNNEL_ID, 0x22), of_set_field(OF_TUN_DST, 0xc0000207),
         of_output(2));
    enter_by(users, view(&f));
    from_wire(view(&reply));
    assert_int_equal(on_wire.count, 2);
    n = sent(1);
    assert_memory_equal(n.eth_dst, gateway_mac, 6);
    assert_int_equal(n.dst.v4.s_addr, frame_address(FAR).v4.s_addr);
    assert_int_equal(n.tos, 0x28);
    assert_int_equal(gtpu_read(n.payload, &h), 0);
    assert_int_equal(h.teid, 0x22);
    assert_true(bytes_equal(h.payload, bytes_of(f.bytes + 14, f.len - 14)));
}

static void what_does_not_fit_is_cut_and_put_together(void **state)
{
    struct big f = user_packet(4, 0, 9000);
    struct packet *fragments[16];
    size_t count;

    (void)state;
    to_vxlan();
    FLOW(1, "in_port=3,tun_id=0x123456", of_output(4));
    peer_is_known();
    enter_by(users, view(&f));
    count = on_wire.count;
    assert_in_range(count, 7, 8);
    on_wire.count = 0;
    memcpy(fragments, on_wire.at, count * sizeof(struct packet *));
    for (size_t i = 0; i < count; i++) { /* the peer returns them, last one first */
        struct packet *p = fragments[count - 1 - i];
        struct ipv4_header *ip = (void *)(p->data + 14);

        assert_in_range(p->len, 15, 1514);
        assert_int_equal(net_checksum(ip, 20), 0);
        ip->src = frame_address(PEER).v4.s_addr;
        ip->dst = frame_address(US).v4.s_addr;
        ip->checksum = 0;
        ip->checksum = net_checksum(ip, 20);
        memcpy(p->data, our_mac, 6);
        assert_int_equal(at_users.count, 0);
        from_wire(packet_bytes(p));
        packet_free(p);
    }
    assert_int_equal(at_users.count, 1);
    assert_true(bytes_equal(packet_bytes(at_users.at[0]), view(&f)));
    assert_int_equal(port_count(vxlan).tx_packets, 1);
    assert_int_equal(port_count(vxlan).rx_packets, 1);
}

static void the_sender_of_what_may_not_be_cut_is_told(void **state)
{
    struct big f = user_packet(4, 0, 1500), six = user_packet(6, 0, 1500);
    struct net_packet n;

    (void)state;
    vxlan_config.pmtu = gtpu_config.pmtu = SWITCH_PMTU_DROP;
    to_vxlan();
    FLOW(1, "in_port=3,icmp,tun_id=0x123456,tun_src=10.9.0.2", of_output(4));
    FLOW(1, "in_port=3,icmp6", of_output(4));
    peer_is_known();
    set_df(&f, true);
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 0);
    assert_int_equal(at_users.count, 1);
    assert_int_equal(net_read_frame(packet_bytes(at_users.at[0]), &n), 0);
    frame_checksums_ok(at_users.at[0]);
    assert_memory_equal(n.eth_dst, f.bytes + 6, 6);
    assert_int_equal(n.icmp_type, ICMP_DESTINATION_UNREACHABLE);
    assert_int_equal(n.icmp_code, 4);
    assert_int_equal(n.transport.at[6] << 8 | n.transport.at[7], 1500 - 20 - 8 - 8 - 14);
    assert_int_equal(n.dst.v4.s_addr, frame_address("10.45.0.1").v4.s_addr);
    enter_by(users, view(&six));
    assert_int_equal(at_users.count, 2);
    assert_int_equal(net_read_frame(packet_bytes(at_users.at[1]), &n), 0);
    frame_checksums_ok(at_users.at[1]);
    assert_int_equal(n.icmp_type, ICMPV6_PACKET_TOO_BIG);
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_TOO_LARGE], 2);
    f = user_packet(4, 0, 1500); /* this one may be cut */
    set_df(&f, false);
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 2);
    f = user_packet(4, 0, 100); /* and this one fits */
    set_df(&f, true);
    enter_by(users, view(&f));
    assert_memory_equal(on_wire.at[2]->data + 14 + 6, "\x40\0", 2); /* DF */
}

static void no_error_indication_is_sent_for_what_we_said_ourselves(void **state)
{
    struct big f = user_packet(4, 0, 1500);

    (void)state;
    gtpu_config.pmtu = SWITCH_PMTU_DROP;
    FLOW(1, "in_port=4", of_set_field(OF_TUNNEL_ID, 0x22), of_set_field(OF_TUN_DST, 0x0a090002),
         of_output(2));
    peer_is_known();
    set_df(&f, true);
    enter_by(users, view(&f));
    assert_int_equal(port_count(gtpu).drops[DROP_NO_MATCH], 1);
    assert_int_equal(on_wire.count, 0);
}

static struct big icmp_to_us(const char *from, struct bytes message)
{
    struct big f;
    struct writer w = writer_of(f.bytes, sizeof(f.bytes));
    struct net_ip ip = {
        .version = 4, .protocol = IP_ICMP, .src = frame_address(from), .dst = frame_address(US)};
    size_t begun;

    net_write_ethernet(&w, our_mac, peer_mac, ETH_TYPE_IPV4);
    begun = net_ip_begin(&w, &ip);
    wr_view_of(&w, message);
    net_ip_end(&w, begun);
    f.len = wr_len(&w);
    return f;
}

static void routers_say_what_fits_the_path(void **state)
{
    struct big f = user_packet(4, 0, 1200), told;
    uint8_t message[8 + 28] = {3, 4, 0, 0, 0, 0, 1000 >> 8, 1000 & 0xff};

    (void)state;
    to_vxlan();
    peer_is_known();
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 1);
    memcpy(message + 8, on_wire.at[0]->data + 14, 28);
    message[8 + 12 + 3] ^= 1; /* of somebody else's packet: not believed */
    told = icmp_to_us(PEER, bytes_of(message, sizeof(message)));
    from_wire(view(&told));
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 2);
    message[8 + 12 + 3] ^= 1;
    told = icmp_to_us(PEER, bytes_of(message, sizeof(message)));
    from_wire(view(&told));
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 4); /* two fragments */
    assert_true(on_wire.at[2]->len <= 1014);
    message[6] = message[7] = 0; /* less than anybody needs is not believed */
    told = icmp_to_us(PEER, bytes_of(message, sizeof(message)));
    from_wire(view(&told));
    forget(&on_wire);
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 3);
}

/* ---- in ---- */

static void a_frame_comes_in_by_vxlan(void **state)
{
    struct frame inner = frame_ip(4, IP_UDP, 1);
    struct big f = vxlan_of(77, 0, frame_view(&inner));

    (void)state;
    FLOW(1, "in_port=3,tun_id=77,tun_src=" PEER ",tun_dst=" US, of_output(4));
    from_wire(view(&f));
    assert_int_equal(at_users.count, 1);
    assert_true(bytes_equal(packet_bytes(at_users.at[0]), frame_view(&inner)));
}

static void bursts_keep_their_order_over_tunnels(void **state)
{
    struct big f[3] = {user_packet(4, 0, 11), user_packet(4, 0, 12), user_packet(4, 0, 13)};
    struct packet *burst[3];

    (void)state;
    FLOW(1, "in_port=3", of_output(4));
    for (int i = 0; i < 3; i++) {
        struct big outer = vxlan_of(5, 0, view(&f[i]));

        burst[i] = packet_copy_of(view(&outer));
        packet_enter(burst[i], 1);
    }
    pipeline_burst(dp.workers[0], wire, burst, 3);
    worker_flush(dp.workers[0]);
    assert_int_equal(at_users.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(at_users.at[i]->len, f[i].len);
}

static void congestion_marks_go_inside(void **state)
{
    static const struct {
        uint8_t inner, outer;
        int expected; /* -1: dropped */
    } cases[] = {{0, 0, 0}, {0, 1, 0}, {0, 2, 0}, {0, 3, -1}, {1, 2, 1}, {1, 3, 3},
                 {2, 0, 2}, {2, 1, 1}, {2, 3, 3}, {3, 0, 3},  {3, 1, 3}, {3, 3, 3}};

    (void)state;
    FLOW(1, "in_port=3", of_output(4));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (uint8_t version = 4; version <= 6; version += 2) {
            struct big inner = user_packet(version, cases[i].inner, 4);
            struct big f = vxlan_of(5, cases[i].outer, view(&inner));
            struct net_packet n;

            from_wire(view(&f));
            assert_int_equal(at_users.count, cases[i].expected >= 0);
            if (cases[i].expected >= 0) {
                assert_int_equal(net_read_frame(packet_bytes(at_users.at[0]), &n), 0);
                assert_int_equal(n.tos, cases[i].expected);
                frame_checksums_ok(at_users.at[0]);
            }
            forget(&at_users);
        }
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_CONGESTION], 2);
}

static void gtpu_does_all_that_it_does_over_sockets(void **state)
{
    static const uint8_t echo[] = {0x32, 1, 0, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0};
    struct big inner = user_packet(4, 0, 4), f;
    uint8_t g_pdu[256] = {0x30, 255, 0, 0, 0, 0, 0, 0x11};
    struct gtpu_header h;
    struct net_packet n;

    (void)state;
    peer_is_known();
    f = datagram(PEER, 2152, 0, bytes_of(echo, sizeof(echo)));
    from_wire(view(&f));
    n = sent(0);
    assert_int_equal(n.src_port, 2152);
    assert_int_equal(n.dst_port, 50000);
    assert_int_equal(gtpu_read(n.payload, &h), 0);
    assert_int_equal(h.type, GTPU_ECHO_RESPONSE);
    assert_int_equal(h.sequence, 0x1234);
    FLOW(1, "in_port=2,tun_id=0x11", of_output(4));
    g_pdu[3] = (uint8_t)(inner.len - 14);
    memcpy(g_pdu + 8, inner.bytes + 14, inner.len - 14);
    f = datagram(PEER, 2152, 0, bytes_of(g_pdu, 8 + inner.len - 14));
    from_wire(view(&f));
    assert_int_equal(at_users.count, 1);
    assert_true(bytes_equal(bytes_of(at_users.at[0]->data + 14, at_users.at[0]->len - 14),
                            bytes_of(inner.bytes + 14, inner.len - 14)));
    g_pdu[7] = 0x12; /* nobody's */
    f = datagram(PEER, 2152, 0, bytes_of(g_pdu, 8 + inner.len - 14));
    from_wire(view(&f));
    n = sent(1);
    assert_int_equal(n.dst_port, 2152);
    assert_int_equal(gtpu_read(n.payload, &h), 0);
    assert_int_equal(h.type, GTPU_ERROR_INDICATION);
}

static void what_is_for_ourselves_stays_inside(void **state)
{
    struct big f = user_packet(4, 0, 20);

    (void)state;
    FLOW(1, "in_port=4", of_set_field(OF_TUNNEL_ID, 5), of_set_field(OF_TUN_DST, 0x0a090001),
         of_output(3));
    FLOW(1, "in_port=3,tun_id=5,tun_src=" US, of_output(4));
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 0);
    assert_int_equal(at_users.count, 1);
    assert_true(bytes_equal(packet_bytes(at_users.at[0]), view(&f)));
    FLOW(2, "in_port=3", of_set_field(OF_TUN_DST, 0x0a090001), of_output(OFPP_IN_PORT));
    enter_by(users, view(&f)); /* round and round: ends */
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_LOOP], 1);
}

static void echo_is_answered_and_other_frames_go_on(void **state)
{
    struct big f = icmp_to_us(PEER, bytes_of("\x08\0\0\0\0\1\0\2pingpong", 16));
    struct frame other = frame_ip(4, IP_UDP, 0);
    struct net_packet n;

    (void)state;
    FLOW(1, "in_port=1", of_output(4));
    from_wire(view(&f));
    n = sent(0);
    assert_int_equal(n.icmp_type, ICMP_ECHO_REPLY);
    assert_memory_equal(n.eth_dst, peer_mac, 6);
    assert_int_equal(n.dst.v4.s_addr, frame_address(PEER).v4.s_addr);
    assert_memory_equal(n.transport.at + 4, "\0\1\0\2pingpong", 12);
    assert_int_equal(at_users.count, 0);
    from_wire(frame_view(&other));
    assert_int_equal(at_users.count, 1);
    f = datagram(PEER, 53, 0, bytes_of("x", 1)); /* no tunnel's port */
    from_wire(view(&f));
    assert_int_equal(at_users.count, 2);
    f = vxlan_of(1, 0, frame_view(&other));
    f.bytes[5] ^= 1; /* for another station */
    from_wire(view(&f));
    assert_int_equal(at_users.count, 3);
}

static void hostile_frames_are_dropped_and_counted(void **state)
{
    struct frame inner = frame_ip(4, IP_UDP, 0);
    struct big good = vxlan_of(1, 0, frame_view(&inner)), f;
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {14, 0x44},      /* header of 16 bytes */
        {14, 0x4f},      /* a header checksum that is wrong */
        {14 + 2, 0xff},  /* longer than it is */
        {14 + 10, 0x55}, /* checksum */
        {14 + 12, 0x7f}, /* from 127/8: checksum wrong, too */
    };

    (void)state;
    FLOW(1, "in_port=3", of_output(4));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        f = good;
        f.bytes[changes[i].at] = changes[i].value;
        from_wire(view(&f));
    }
    f = good;
    f.bytes[14 + 20 + 4] = 0xff; /* UDP length */
    from_wire(view(&f));
    f = good;
    f.bytes[14 + 20 + 4] = f.bytes[14 + 20 + 5] = 0;
    from_wire(view(&f));
    f = good;
    f.bytes[f.len - 1] ^= 1; /* UDP checksum */
    from_wire(view(&f));
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_CHECKSUM], 1);
    f = datagram(US, 4789, 0, bytes_of("x", 1)); /* from ourselves */
    from_wire(view(&f));
    f = datagram("10.9.0.255", 4789, 0, bytes_of("x", 1));
    from_wire(view(&f));
    f = datagram("224.0.0.1", 4789, 0, bytes_of("x", 1));
    from_wire(view(&f));
    f = datagram(PEER, 4789, 0, bytes_of("\x08\0\0\0\0\0\1\0", 8)); /* without a frame */
    from_wire(view(&f));
    f = datagram(PEER, 4789, 0, bytes_of("\0\0\0\0\0\0\1\0aaaaaaaaaaaaaaaa", 24)); /* no I flag */
    from_wire(view(&f));
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_MALFORMED], 2);
    assert_int_equal(at_users.count, 0);
    assert_int_equal(on_wire.count, 0);
    for (size_t len = 0; len < good.len; len++) /* cut anywhere */
        from_wire(bytes_of(good.bytes, len));
    assert_int_equal(at_users.count, 0);
    from_wire(view(&good));
    assert_int_equal(at_users.count, 1);
}

static void fragments_that_lie_do_not_come_through(void **state)
{
    struct frame inner = frame_ip(4, IP_UDP, 0);
    struct big f = vxlan_of(1, 0, frame_view(&inner));
    struct ipv4_header *ip = (void *)(f.bytes + 14);

    (void)state;
    FLOW(1, "in_port=3", of_output(4));
    for (uint32_t i = 0; i < 500; i++) { /* never whole */
        ip->id = htons((uint16_t)i);
        ip->fragment = htons((uint16_t)(IPV4_MORE_FRAGMENTS | (i % 7 * 3)));
        ip->total_length = htons(20 + 24);
        ip->checksum = 0;
        ip->checksum = net_checksum(ip, 20);
        from_wire(bytes_of(f.bytes, 14 + 20 + 24));
    }
    ip->fragment = htons(IPV4_OFFSET_MASK); /* beyond 64 KiB */
    ip->checksum = 0;
    ip->checksum = net_checksum(ip, 20);
    from_wire(bytes_of(f.bytes, 14 + 20 + 24));
    assert_int_equal(at_users.count, 0);
    assert_int_equal(port_count(wire).own_drops[PORT_DROP_FRAGMENT], 1);
}

/* ---- opening, closing, patches ---- */

static void ports_close_in_any_order(void **state)
{
    struct big f = user_packet(4, 0, 20);

    (void)state;
    to_vxlan();
    peer_is_known();
    port_close(gtpu);
    port_close(wire);
    enter_by(users, view(&f));
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_NO_UNDERLAY], 1);
    wire = memory_port(&wire_config, 1); /* another one: not what it went by */
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 0);
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_NO_UNDERLAY], 2);
    underlay_port_opened(wire); /* as port_open() does */
    underlay_port_opened(wire);
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 1);
    from_wire(view(&f)); /* and the way back: not for us, so it goes on */
    port_close(vxlan);
    underlay_port_opened(wire); /* nobody waits for it any more */
    assert_int_equal(port_open(&dp, &vxlan_config, 3, &vxlan), 0);
    vxlan_config.underlay = "nowhere";
    assert_int_not_equal(port_open(&dp, &vxlan_config, 5, NULL), 0);
    vxlan_config.underlay = "wire";
    assert_int_not_equal(port_open(&dp, &vxlan_config, 5, NULL), 0); /* the UDP port is taken */
}

/* Without an underlay: the datagrams are there when sendto() returns. */
static void vxlan_goes_by_the_kernels_sockets_too(void **state)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(4789)}, to = peer;
    struct frame inner = frame_ip(4, IP_UDP, 0);
    uint8_t bytes[512] = {0x08, 0, 0, 0, 0, 0, 77, 0xff};
    struct port *port;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)state;
    a_config = (struct switch_port_config){
        .name = "v", .type = SWITCH_PORT_VXLAN, .address = frame_address("127.0.77.5").v4};
    assert_int_equal(port_open(&dp, &a_config, 10, &port), 0);
    FLOW(1, "in_port=10,tun_id=77,tun_src=127.0.77.6,tun_dst=127.0.77.5", of_output(4));
    FLOW(1, "in_port=4", of_set_field(OF_TUNNEL_ID, 5), of_set_field(OF_TUN_DST, 0x7f004d06),
         of_output(10));
    peer.sin_addr = frame_address("127.0.77.6").v4;
    to.sin_addr = frame_address("127.0.77.5").v4;
    assert_int_equal(bind(fd, (struct sockaddr *)&peer, sizeof(peer)), 0);
    memcpy(bytes + 8, inner.bytes, inner.len);
    assert_int_equal(sendto(fd, bytes, 8 + inner.len, 0, (struct sockaddr *)&to, sizeof(to)),
                     8 + inner.len);
    (void)port->driver->poll(dp.workers[0], port, 0);
    worker_flush(dp.workers[0]);
    assert_int_equal(at_users.count, 1);
    assert_true(bytes_equal(packet_bytes(at_users.at[0]), frame_view(&inner)));
    enter_by(users, frame_view(&inner));
    assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), 8 + inner.len);
    assert_memory_equal(bytes, "\x08\0\0\0\0\0\5\0", 8);
    assert_memory_equal(bytes + 8, inner.bytes, inner.len);
    close(fd);
    port_close(port);
}

static void open_patches(void)
{
    a_config = (struct switch_port_config){.name = "a", .type = SWITCH_PORT_PATCH, .peer = "b"};
    b_config = (struct switch_port_config){.name = "b", .type = SWITCH_PORT_PATCH, .peer = "a"};
    assert_int_equal(port_open(&dp, &a_config, 10, &patch_a), 0);
    assert_int_equal(port_open(&dp, &b_config, 11, &patch_b), 0);
}

static void patches_are_joined(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    open_patches();
    FLOW(1, "in_port=4", of_set_field(OF_TUNNEL_ID, 5), of_output(10));
    FLOW(1, "in_port=11,tun_id=0", of_output(4)); /* metadata stays behind */
    enter_by(users, frame_view(&f));
    assert_int_equal(at_users.count, 1);
    assert_true(bytes_equal(packet_bytes(at_users.at[0]), frame_view(&f)));
    assert_int_equal(port_count(patch_a).tx_packets, 1);
    assert_int_equal(port_count(patch_b).rx_packets, 1);
    port_close(patch_b);
    enter_by(users, frame_view(&f));
    assert_int_equal(port_count(patch_a).own_drops[PORT_DROP_NO_PEER], 1);
}

static void what_is_larger_than_the_port_takes_is_dropped(void **state)
{
    struct big fits = user_packet(4, 0, 1000 - 28), f = user_packet(4, 0, 1001 - 28);

    (void)state;
    port_close(vxlan);
    vxlan_config.mtu = 1000;
    assert_int_equal(port_open(&dp, &vxlan_config, 3, &vxlan), 0);
    open_patches();
    patch_a->mtu = 1000;
    to_vxlan();
    peer_is_known();
    enter_by(users, view(&f));
    assert_int_equal(on_wire.count, 0);
    assert_int_equal(port_count(vxlan).own_drops[PORT_DROP_TOO_LARGE], 1);
    enter_by(users, view(&fits));
    assert_int_equal(on_wire.count, 1);
    FLOW(2, "in_port=4", of_output(10));
    FLOW(1, "in_port=11", of_output(4));
    enter_by(users, view(&f));
    enter_by(users, view(&fits));
    assert_int_equal(at_users.count, 1);
    assert_int_equal(port_count(patch_a).own_drops[PORT_DROP_TOO_LARGE], 1);
}

static void loops_of_patches_end(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    open_patches();
    FLOW(1, "in_port=4", of_output(10));
    FLOW(1, "in_port=11", of_output(OFPP_IN_PORT), of_output(10)); /* and grow */
    FLOW(1, "in_port=10", of_output(OFPP_IN_PORT), of_output(11));
    enter_by(users, frame_view(&f));
    assert_true(port_count(patch_a).own_drops[PORT_DROP_LOOP] +
                    port_count(patch_b).own_drops[PORT_DROP_LOOP] >
                0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(who_asks_for_us_is_answered_and_known),
        TEST(packets_wait_until_the_neighbour_answers),
        TEST(who_never_answers_is_asked_with_pauses_and_given_up),
        TEST(strangers_do_not_fill_the_table),
        TEST(what_is_known_is_asked_again_and_forgotten),
        TEST(readers_never_see_half_a_neighbour),
        TEST(arp_of_others_goes_on_and_changes_only_who_is_known),
        TEST(a_frame_goes_out_in_vxlan),
        TEST(a_fixed_remote_needs_no_tun_dst),
        TEST(a_user_packet_goes_out_in_gtpu_by_the_gateway),
        TEST(what_does_not_fit_is_cut_and_put_together),
        TEST(the_sender_of_what_may_not_be_cut_is_told),
        TEST(no_error_indication_is_sent_for_what_we_said_ourselves),
        TEST(routers_say_what_fits_the_path),
        TEST(a_frame_comes_in_by_vxlan),
        TEST(bursts_keep_their_order_over_tunnels),
        TEST(congestion_marks_go_inside),
        TEST(gtpu_does_all_that_it_does_over_sockets),
        TEST(what_is_for_ourselves_stays_inside),
        TEST(echo_is_answered_and_other_frames_go_on),
        TEST(hostile_frames_are_dropped_and_counted),
        TEST(fragments_that_lie_do_not_come_through),
        TEST(ports_close_in_any_order),
        TEST(vxlan_goes_by_the_kernels_sockets_too),
        TEST(patches_are_joined),
        TEST(what_is_larger_than_the_port_takes_is_dropped),
        TEST(loops_of_patches_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
