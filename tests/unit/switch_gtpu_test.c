/*
 * switch_gtpu_test.c -- the GTP-U ports on loopback: an eNodeB's socket on one side, flows on the
 * other.
 *
 * The switch is 127.0.77.1, the eNodeB 127.0.77.2, both at port 2152. Datagrams on loopback are
 * there when sendto() returns, so the test calls the port's reader and never waits.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch_frames.h"
#include "base/loop.h"
#include "switch/change.h"
#include "wire/gtp/gtpu.h"

#define SWITCH "127.0.77.1"
#define ENB    "127.0.77.2"

static struct datapath dp;
static struct port *gtpu, *signal_port, *sink;
static struct packet *caught[8];
static size_t caught_count;
static struct switch_port_config gtpu_config = {
    .name = "gtpu", .type = SWITCH_PORT_GTPU, .udp_port = 2152};
static struct switch_port_config signal_config = {.name = "gtpu-signal",
                                                  .type = SWITCH_PORT_GTPU_SIGNAL};
static int enb = -1;

static void catch (struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    for (unsigned i = 0; i < count; i++) {
        assert_true(caught_count < 8);
        caught[caught_count++] = packets[i];
    }
}

static const struct port_driver sink_driver = {.name = "sink", .send = catch};

static int set_up(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(GTPU_PORT)};

    (void)state;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, 0), 0);
    change_listen(NULL);
    gtpu_limit_error_indications(3);
    memset(&gtpu_counters, 0, sizeof(gtpu_counters));
    assert_int_equal(inet_pton(AF_INET, SWITCH, &gtpu_config.address), 1);
    assert_int_equal(port_open(&dp, &gtpu_config, 1, &gtpu), 0);
    assert_int_equal(port_open(&dp, &signal_config, 2, &signal_port), 0);
    sink = port_new(&dp, &sink_driver, NULL, 3);
    assert_non_null(sink);
    port_publish(sink);
    enb = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, ENB, &address.sin_addr), 1);
    assert_int_equal(bind(enb, (struct sockaddr *)&address, sizeof(address)), 0);
    return 0;
}

static void forget(void)
{
    while (caught_count)
        packet_free(caught[--caught_count]);
}

static int tear_down(void **state)
{
    (void)state;
    forget();
    close(enb);
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

static void enb_send(const void *at, size_t len)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(GTPU_PORT)};

    assert_int_equal(inet_pton(AF_INET, SWITCH, &to.sin_addr), 1);
    assert_int_equal(sendto(enb, at, len, 0, (struct sockaddr *)&to, sizeof(to)), len);
    (void)gtpu->driver->poll(dp.workers[0], gtpu, 0);
    worker_flush(dp.workers[0]);
}

/* A datagram for the eNodeB; 0 when there is none. */
static size_t enb_receive(uint8_t *at, size_t size)
{
    ssize_t n = recv(enb, at, size, MSG_DONTWAIT);

    assert_true(n >= 0 || errno == EAGAIN);
    return n > 0 ? (size_t)n : 0;
}

/* A user's UDP packet behind `header`'s bytes. */
static size_t g_pdu(uint8_t *at, const void *header, size_t header_len)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    size_t len = f.len - ETH_HEADER_SIZE;

    memcpy(at, header, header_len);
    memcpy(at + header_len, f.bytes + ETH_HEADER_SIZE, len);
    at[2] = 0;
    at[3] = (uint8_t)(header_len - 8 + len);
    return header_len + len;
}

static const uint8_t plain[] = {0x30, 255, 0, 0, 0, 0, 0, 0x11};

static void uplink_comes_out_as_a_frame(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    uint8_t bytes[512];

    (void)state;
    FLOW(1, "ip,in_port=1,tun_id=0x11,tun_src=" ENB ",tun_dst=" SWITCH ",tun_gtpu_msgtype=255",
         of_output(3));
    enb_send(bytes, g_pdu(bytes, plain, sizeof(plain)));
    assert_int_equal(caught_count, 1);
    assert_int_equal(caught[0]->len, f.len);
    assert_memory_equal(caught[0]->data, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0", 14);
    assert_memory_equal(caught[0]->data + 14, f.bytes + 14, f.len - 14);
    assert_int_equal(port_count(gtpu).rx_packets, 1);
}

static void optional_octets_and_extension_headers_are_passed(void **state)
{
    static const uint8_t with_sequence[] = {0x32, 255, 0, 0, 0, 0, 0, 0x11, 0, 5, 0, 0};
    static const uint8_t with_n_pdu[] = {0x31, 255, 0, 0, 0, 0, 0, 0x11, 0, 0, 9, 0};
    static const uint8_t with_container[] = {0x34, 255, 0, 0,    0, 0,    0, 0x11,
                                             0,    0,   0, 0x85, 1, 0x10, 9, 0};
    static const uint8_t with_two[] = {0x36, 255,  0, 0, 0, 0,    0, 0x11, 0, 1,
                                       0,    0xc0, 1, 0, 1, 0x85, 1, 0x10, 9, 0};
    uint8_t bytes[512];

    (void)state;
    FLOW(1, "ip,in_port=1,tun_id=0x11", of_output(3));
    enb_send(bytes, g_pdu(bytes, with_sequence, sizeof(with_sequence)));
    enb_send(bytes, g_pdu(bytes, with_n_pdu, sizeof(with_n_pdu)));
    enb_send(bytes, g_pdu(bytes, with_container, sizeof(with_container)));
    enb_send(bytes, g_pdu(bytes, with_two, sizeof(with_two)));
    assert_int_equal(caught_count, 4);
    for (size_t i = 0; i < 4; i++)
        frame_checksums_ok(caught[i]);
}

static void downlink_goes_into_the_tunnel(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 2); /* tags are left behind */
    struct packet *p = packet_copy_of(bytes_of(f.bytes, f.len));
    uint8_t bytes[512];
    struct gtpu_header h;
    size_t len;

    (void)state;
    FLOW(1, "ip,in_port=3", of_set_field(OF_TUNNEL_ID, 0x01020304),
         of_set_field(OF_TUN_DST, 0x7f004d02), of_output(1));
    packet_enter(p, 3);
    pipeline_burst(dp.workers[0], sink, &p, 1);
    worker_flush(dp.workers[0]);
    len = enb_receive(bytes, sizeof(bytes));
    assert_int_equal(gtpu_read(bytes_of(bytes, len), &h), 0);
    assert_int_equal(h.type, GTPU_G_PDU);
    assert_int_equal(h.teid, 0x01020304);
    assert_int_equal(h.payload.len, f.len - 22);
    assert_memory_equal(h.payload.at, f.bytes + 22, h.payload.len);
    assert_int_equal(port_count(gtpu).tx_packets, 1);
}

static void the_dscp_is_copied_outside(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0); /* DSCP 10: TOS 0x28 */
    struct packet *p = packet_copy_of(bytes_of(f.bytes, f.len));
    uint8_t bytes[512], control[64];
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    int yes = 1;

    (void)state;
    assert_int_equal(setsockopt(enb, IPPROTO_IP, IP_RECVTOS, &yes, sizeof(yes)), 0);
    FLOW(1, "ip,in_port=3", of_set_field(OF_TUN_DST, 0x7f004d02), of_output(1));
    packet_enter(p, 3);
    pipeline_burst(dp.workers[0], sink, &p, 1);
    worker_flush(dp.workers[0]);
    assert_true(recvmsg(enb, &m, MSG_DONTWAIT) > 0);
    assert_non_null(CMSG_FIRSTHDR(&m));
    assert_int_equal(*CMSG_DATA(CMSG_FIRSTHDR(&m)), 0x28);
}

static void what_can_not_be_tunnelled_is_counted(void **state)
{
    struct frame arp = frame_arp(), ip = frame_ip(4, IP_UDP, 0);
    struct packet *p = packet_copy_of(bytes_of(arp.bytes, arp.len));

    (void)state;
    FLOW(1, "", of_output(1));
    packet_enter(p, 3);
    pipeline_burst(dp.workers[0], sink, &p, 1);
    p = packet_copy_of(bytes_of(ip.bytes, ip.len));
    packet_enter(p, 3);
    pipeline_burst(dp.workers[0], sink, &p, 1);
    worker_flush(dp.workers[0]);
    assert_int_equal(port_count(gtpu).own_drops[PORT_DROP_NOT_IP], 1);
    assert_int_equal(port_count(gtpu).own_drops[PORT_DROP_NO_TUNNEL], 1);
}

static void echo_is_answered_without_any_flow(void **state)
{
    static const uint8_t request[] = {0x32, 1, 0, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0};
    static const uint8_t response[] = {0x32, 2, 0, 6, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 14, 0};
    uint8_t bytes[512];

    (void)state;
    enb_send(request, sizeof(request));
    assert_int_equal(enb_receive(bytes, sizeof(bytes)), sizeof(response));
    assert_memory_equal(bytes, response, sizeof(response));
    assert_int_equal(gtpu_counters.echo_requests, 1);
}

static void unknown_teids_get_error_indication_but_not_too_many(void **state)
{
    struct gtpu_error_indication error;
    struct gtpu_header h;
    uint8_t bytes[512], packet[512];
    size_t len = g_pdu(packet, plain, sizeof(plain)), answers = 0;

    (void)state;
    enb_send(packet, len); /* nobody has told this switch anything yet */
    assert_int_equal(enb_receive(bytes, sizeof(bytes)), 0);
    FLOW(1, "in_port=1,tun_id=0x12", of_output(3));
    enb_send(packet, len);
    len = enb_receive(bytes, sizeof(bytes));
    assert_int_equal(gtpu_read(bytes_of(bytes, len), &h), 0);
    assert_int_equal(h.type, GTPU_ERROR_INDICATION);
    assert_int_equal(gtpu_read_error_indication(&h, &error), 0);
    assert_int_equal(error.teid, 0x11);
    assert_int_equal(ntohl(error.ipv4.s_addr), 0x7f004d01);
    len = g_pdu(packet, plain, sizeof(plain));
    for (int i = 0; i < 100; i++) {
        enb_send(packet, len);
        answers += enb_receive(bytes, sizeof(bytes)) > 0;
    }
    assert_in_range(answers, 2, 4);
    assert_in_range(gtpu_counters.error_indications_suppressed, 96, 98);
    assert_int_equal(port_count(gtpu).drops[DROP_NO_MATCH], 102);
}

static void other_messages_come_in_whole(void **state)
{
    static const uint8_t end_marker[] = {0x30, 254, 0, 0, 0, 0, 0, 0x22};
    struct net_packet n;

    (void)state;
    FLOW(1, "in_port=2,tun_id=0x22,tun_gtpu_msgtype=254", of_output(3));
    enb_send(end_marker, sizeof(end_marker));
    assert_int_equal(caught_count, 1);
    assert_int_equal(net_read_frame(packet_bytes(caught[0]), &n), 0);
    assert_int_equal(n.protocol, IP_UDP);
    assert_int_equal(n.src_port, GTPU_PORT);
    assert_int_equal(n.dst_port, GTPU_PORT);
    assert_int_equal(ntohl(n.src.v4.s_addr), 0x7f004d02);
    assert_int_equal(ntohl(n.dst.v4.s_addr), 0x7f004d01);
    assert_true(bytes_equal(n.payload, bytes_of(end_marker, sizeof(end_marker))));
    frame_checksums_ok(caught[0]);
}

/* A gtpu port goes, and the signal port is that of the next one. */
static void a_signal_port_outlives_its_gtpu_port(void **state)
{
    static const uint8_t end_marker[] = {0x30, 254, 0, 0, 0, 0, 0, 0x22};

    (void)state;
    FLOW(1, "in_port=2,tun_id=0x22,tun_gtpu_msgtype=254", of_output(3));
    port_close(gtpu);
    assert_int_equal(port_open(&dp, &gtpu_config, 1, &gtpu), 0);
    enb_send(end_marker, sizeof(end_marker));
    assert_int_equal(caught_count, 1);
}

/* What came in can go out again: the same kind of frame. */
static void messages_go_out_behind_packets(void **state)
{
    static const uint8_t nobody[6];
    struct of_actions actions = {(struct of_action[]){of_output(2)}, 1};
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct packet *user = packet_copy_of(bytes_of(f.bytes, f.len)), *end;
    uint8_t bytes[512];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct net_ip ip = {.version = 4,
                        .protocol = IP_UDP,
                        .src = frame_address("1.2.3.4"),
                        .dst = frame_address(ENB)};
    struct gtpu_header h;
    size_t begun, len;

    (void)state;
    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV4);
    begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, GTPU_PORT, GTPU_PORT);
    gtpu_write_end_marker(&w, 0x33);
    net_ip_end(&w, begun);
    end = packet_copy_of(wr_view(&w));
    FLOW(1, "in_port=3", of_set_field(OF_TUN_DST, 0x7f004d02), of_set_field(OF_TUNNEL_ID, 0x33),
         of_output(1));
    packet_enter(user, 3);
    pipeline_burst(dp.workers[0], sink, &user, 1);
    packet_enter(end, OFPP_CONTROLLER);
    pipeline_packet_out(dp.workers[0], end, &actions);
    worker_flush(dp.workers[0]);
    len = enb_receive(bytes, sizeof(bytes));
    assert_int_equal(gtpu_read(bytes_of(bytes, len), &h), 0);
    assert_int_equal(h.type, GTPU_G_PDU);
    len = enb_receive(bytes, sizeof(bytes));
    assert_int_equal(gtpu_read(bytes_of(bytes, len), &h), 0);
    assert_int_equal(h.type, GTPU_END_MARKER);
    assert_int_equal(h.teid, 0x33);
    assert_int_equal(port_count(signal_port).tx_packets, 1);
}

static void an_extension_that_must_be_understood_is_refused(void **state)
{
    static const uint8_t header[] = {0x34, 255, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0xfe, 1, 0, 0, 0};
    uint8_t bytes[512];
    struct gtpu_header h;
    size_t len;

    (void)state;
    FLOW(1, "in_port=1", of_output(3));
    enb_send(bytes, g_pdu(bytes, header, sizeof(header)));
    assert_int_equal(caught_count, 0);
    len = enb_receive(bytes, sizeof(bytes));
    assert_int_equal(gtpu_read(bytes_of(bytes, len), &h), 0);
    assert_int_equal(h.type, GTPU_SUPPORTED_EXTENSION_HEADERS_NOTIFICATION);
}

static void malformed_datagrams_are_counted(void **state)
{
    static const struct {
        uint8_t bytes[16];
        size_t len;
    } cases[] = {
        {{0x30, 255, 0, 0}, 4},                             /* cut */
        {{0x30, 255, 0, 9, 0, 0, 0, 1}, 8},                 /* longer than it is */
        {{0x50, 255, 0, 0, 0, 0, 0, 1}, 8},                 /* version 2 */
        {{0x20, 255, 0, 0, 0, 0, 0, 1}, 8},                 /* GTP' */
        {{0x34, 255, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0x85}, 12}, /* extension header missing */
        {{0x34, 255, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 0, 0, 0, 0}, 16}, /* of length 0 */
    };

    (void)state;
    FLOW(1, "", of_output(3));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        enb_send(cases[i].bytes, cases[i].len);
    assert_int_equal(port_count(gtpu).own_drops[PORT_DROP_MALFORMED],
                     sizeof(cases) / sizeof(cases[0]));
    enb_send("\x30\xff\0\0\0\0\0\x11", 8); /* an empty G-PDU carries no IP packet */
    assert_int_equal(port_count(gtpu).own_drops[PORT_DROP_NOT_IP], 1);
    assert_int_equal(caught_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(uplink_comes_out_as_a_frame),
        TEST(optional_octets_and_extension_headers_are_passed),
        TEST(downlink_goes_into_the_tunnel),
        TEST(the_dscp_is_copied_outside),
        TEST(what_can_not_be_tunnelled_is_counted),
        TEST(echo_is_answered_without_any_flow),
        TEST(unknown_teids_get_error_indication_but_not_too_many),
        TEST(other_messages_come_in_whole),
        TEST(a_signal_port_outlives_its_gtpu_port),
        TEST(messages_go_out_behind_packets),
        TEST(an_extension_that_must_be_understood_is_refused),
        TEST(malformed_datagrams_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
