/*
 * packet_port_test.c -- TAP, TUN and AF_PACKET ports in a network namespace of their own, against
 * the kernel's stack. Skipped where namespaces are not allowed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"
#include "link/netns.h"
#include "link/packet_port.h"
#include "wire/net/net.h"

static int netns = -1;
static struct netlink nl;

static int set_up(void **state)
{
    (void)state;
    if (!netns_allowed() || access("/dev/net/tun", R_OK | W_OK) < 0)
        return 0;
    netns = netns_new();
    assert_true(netns >= 0);
    assert_int_equal(netlink_open(&nl, netns), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (netns >= 0) {
        netlink_close(&nl);
        close(netns);
    }
    return 0;
}

#define NEEDS_NAMESPACE \
    if (netns < 0)      \
    skip()

static void add_address(const char *interface, const char *address)
{
    struct net_prefix prefix;

    assert_int_equal(net_prefix_parse(address, &prefix), 0);
    assert_int_equal(netlink_add_address(&nl, interface, &prefix), 0);
}

static int udp_socket(void *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*(uint16_t *)port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -errno;
}

static int udp_in_namespace(uint16_t port)
{
    int fd = netns_call(netns, udp_socket, &port);

    assert_true(fd >= 0);
    return fd;
}

static void udp_send(int fd, const char *to, uint16_t port, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    assert_int_equal(inet_pton(AF_INET, to, &address.sin_addr), 1);
    assert_int_equal(
        sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)),
        strlen(text));
}

/* Packets until one has this UDP destination port (the kernel sends router solicitations and the
 * like of its own). */
static bool receive_udp(struct packet_port *p, uint16_t port, uint8_t *at, size_t size, size_t *len,
                        bool frame)
{
    for (int tries = 0; tries < 200; tries++) {
        struct packet_buffer buffer = {at, size, 0};
        struct net_packet packet;
        struct pollfd wait = {p->fd, POLLIN, 0};
        int n = packet_port_receive(p, &buffer, 1);

        assert_true(n >= 0);
        if (n == 0) {
            poll(&wait, 1, 10);
            continue;
        }
        if ((frame ? net_read_frame : net_read_ip)(bytes_of(at, buffer.len), &packet) == 0 &&
            packet.protocol == IP_UDP && packet.dst_port == port) {
            assert_true(net_checksum_ok(IP_UDP, packet.src.bytes, packet.dst.bytes, 4,
                                        packet.transport.at, packet.transport.len));
            *len = buffer.len;
            return true;
        }
    }
    return false;
}

static void a_tun_carries_ip_packets_both_ways(void **state)
{
    struct packet_port p;
    uint8_t bytes[2048];
    char text[16];
    size_t len;
    int fd;

    (void)state;
    NEEDS_NAMESPACE;
    assert_int_equal(packet_port_open(&p, PACKET_PORT_TUN, "tun-a", netns, 1400), 0);
    assert_int_equal(p.mtu, 1400);
    assert_true(p.carrier);
    add_address("tun-a", "10.9.0.1/24");
    fd = udp_in_namespace(7000);
    udp_send(fd, "10.9.0.2", 7001, "hello");
    assert_true(receive_udp(&p, 7001, bytes, sizeof(bytes), &len, false));

    /* Back: the same with the ends swapped. */
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct net_ip ip = {.version = 4, .protocol = IP_UDP};
    assert_int_equal(inet_pton(AF_INET, "10.9.0.2", &ip.src.v4), 1);
    assert_int_equal(inet_pton(AF_INET, "10.9.0.1", &ip.dst.v4), 1);
    ip.src.family_size = ip.dst.family_size = 4;
    size_t begun = net_ip_begin(&w, &ip);
    net_write_udp(&w, 7001, 7000);
    wr_bytes(&w, "back", 4);
    net_ip_end(&w, begun);
    struct packet_buffer buffer = {bytes, sizeof(bytes), wr_len(&w)};
    assert_int_equal(packet_port_send(&p, &buffer, 1), 1);
    assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 4);
    assert_memory_equal(text, "back", 4);

    /* Nothing more; and what is no IP packet is nobody's. */
    assert_int_equal(packet_port_receive(&p, &buffer, 1), 0);
    bytes[0] = 0;
    buffer.len = 1;
    assert_int_equal(packet_port_send(&p, &buffer, 1), 1);
    close(fd);
    packet_port_close(&p);
    assert_int_equal(netlink_index(&nl, "tun-a"), -ENODEV); /* it left with the port */
}

static void a_tap_carries_frames_and_knows_its_link(void **state)
{
    struct packet_port p;

    (void)state;
    NEEDS_NAMESPACE;
    assert_int_equal(packet_port_open(&p, PACKET_PORT_TAP, "tap-a", netns, 0), 0);
    assert_memory_not_equal(p.mac, "\0\0\0\0\0\0", 6);
    assert_int_equal(p.mtu, 1500);
    assert_false(packet_port_refresh(&p));
    assert_int_equal(netlink_set_mtu(&nl, "tap-a", 1300), 0);
    assert_true(packet_port_refresh(&p));
    assert_int_equal(p.mtu, 1300);
    assert_int_equal(netlink_set_down(&nl, "tap-a"), 0);
    assert_true(packet_port_refresh(&p));
    assert_false(p.carrier);
    packet_port_close(&p);
}

static void packet_ports_see_frames_as_on_the_wire(void **state)
{
    struct packet_port a, b;
    uint8_t bytes[2048], out[64];
    struct packet_buffer buffer;
    struct net_packet packet;
    struct writer w = writer_of(out, sizeof(out));
    size_t len;
    int fd, n = 0;

    (void)state;
    NEEDS_NAMESPACE;
    assert_int_equal(netlink_add_veth(&nl, "veth-a", "veth-b", -1), 0);
    assert_int_equal(netlink_set_up(&nl, "veth-a"), 0);
    assert_int_equal(netlink_set_up(&nl, "veth-b"), 0);
    assert_int_equal(packet_port_open(&a, PACKET_PORT_PACKET, "veth-a", netns, 0), 0);
    assert_int_equal(packet_port_open(&b, PACKET_PORT_PACKET, "veth-b", netns, 0), 0);

    /* A tag, which the kernel takes out of the data, is back. (The first frames may be lost: a new
     * interface drops what comes before the kernel has noticed that its link is up.) */
    net_write_ethernet(&w, (const uint8_t *)"\2\0\0\0\0\2", (const uint8_t *)"\2\0\0\0\0\1",
                       ETH_TYPE_VLAN);
    wr_u16(&w, 0x6005);
    wr_u16(&w, 0x1234);
    wr_zero(&w, 42);
    for (int tries = 0; tries < 500; tries++) {
        buffer = (struct packet_buffer){out, sizeof(out), wr_len(&w)};
        assert_int_equal(packet_port_send(&a, &buffer, 1), 1);
        usleep(2000);
        buffer = (struct packet_buffer){bytes, sizeof(bytes), 0};
        while ((n = packet_port_receive(&b, &buffer, 1)) == 1)
            if (net_read_frame(bytes_of(bytes, buffer.len), &packet) == 0 &&
                packet.eth_type == 0x1234)
                break;
        if (n == 1)
            break;
    }
    assert_int_equal(n, 1);
    assert_int_equal(buffer.len, wr_len(&w));
    assert_memory_equal(bytes, out, wr_len(&w));

    /* What a socket sent without a checksum, expecting a card to do it, has one here. */
    add_address("veth-a", "10.8.0.1/24");
    fd = udp_in_namespace(0);
    int yes = 1;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
    udp_send(fd, "10.8.0.255", 7002, "broadcast needs no neighbour");
    assert_true(receive_udp(&b, 7002, bytes, sizeof(bytes), &len, true));
    /* The sender's own port does not see it. */
    for (int tries = 0; tries < 20; tries++) {
        buffer = (struct packet_buffer){bytes, sizeof(bytes), 0};
        while (packet_port_receive(&a, &buffer, 1) == 1) {
            if (net_read_frame(bytes_of(bytes, buffer.len), &packet) == 0)
                assert_false(packet.protocol == IP_UDP && packet.dst_port == 7002);
            buffer.len = 0;
        }
        usleep(500);
    }
    close(fd);
    packet_port_close(&a);
    packet_port_close(&b);
    assert_int_equal(netlink_delete(&nl, "veth-a"), 0);
}

static void what_is_not_there_is_said(void **state)
{
    struct packet_port p;

    (void)state;
    NEEDS_NAMESPACE;
    assert_int_equal(packet_port_open(&p, PACKET_PORT_PACKET, "nowhere", netns, 0), -ENODEV);
    assert_int_equal(p.fd, -1);
    assert_int_equal(packet_port_open(&p, PACKET_PORT_TUN, "a-name-longer-than-15", netns, 0),
                     -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tun_carries_ip_packets_both_ways),
        cmocka_unit_test(a_tap_carries_frames_and_knows_its_link),
        cmocka_unit_test(packet_ports_see_frames_as_on_the_wire),
        cmocka_unit_test(what_is_not_there_is_said),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
