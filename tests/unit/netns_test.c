/*
 * netns_test.c -- namespaces, veth pairs, addresses and routes, seen through sockets. Runs as root,
 * and as an ordinary user where user namespaces are allowed; else it is skipped.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/netns.h"

static bool allowed;

#define NEEDS_NAMESPACES() \
    if (!allowed)          \
    skip()

/* ---- text ---- */

static void prefixes_are_parsed_and_printed(void **state)
{
    (void)state;
    static const char *const good[] = {"10.0.0.1/24", "0.0.0.0/0", "fd00::1/64", "::/0",
                                       "10.45.0.2/32"};
    static const char *const bad[] = {"",
                                      "10.0.0",
                                      "10.0.0.1/33",
                                      "10.0.0.1/",
                                      "10.0.0.1/-1",
                                      "10.0.0.1/24x",
                                      "fd00::1/129",
                                      "fd00::zz",
                                      "host/8",
                                      "10.0.0.1/ 8"};
    struct net_prefix p;
    char buffer[64];

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct text t = text_in(buffer, sizeof(buffer));
        assert_int_equal(net_prefix_parse(good[i], &p), 0);
        text_net_prefix(&t, &p);
        assert_string_equal(buffer, good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(net_prefix_parse(bad[i], &p), -EINVAL);
    assert_int_equal(net_prefix_parse("192.0.2.7", &p), 0);
    assert_int_equal(p.length, 32);
}

static struct net_prefix prefix(const char *text)
{
    struct net_prefix p;

    assert_int_equal(net_prefix_parse(text, &p), 0);
    return p;
}

/* ---- names from the manager ---- */

static void named_namespaces_come_from_the_environment(void **state)
{
    (void)state;
    char value[64];
    int fd = netns_current();

    assert_true(fd >= 0);
    snprintf(value, sizeof(value), "core=%d,ran=99999,x=abc,internet=%d", fd, fd);
    setenv(NETNS_ENVIRONMENT, value, 1);
    assert_int_equal(netns_named("core"), fd);
    assert_int_equal(netns_named("internet"), fd);
    assert_int_equal(netns_named("ran"), -ENOENT); /* no such descriptor */
    assert_int_equal(netns_named("x"), -ENOENT);
    assert_int_equal(netns_named("inter"), -ENOENT);
    assert_int_equal(netns_named("ore"), -ENOENT);
    unsetenv(NETNS_ENVIRONMENT);
    assert_int_equal(netns_named("core"), -ENOENT);
    close(fd);
}

/* ---- networks ---- */

static int open_udp(void *argument)
{
    const struct sockaddr_in *at = argument;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static struct sockaddr_in udp_address(const char *host, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    assert_int_equal(inet_pton(AF_INET, host, &a.sin_addr), 1);
    return a;
}

static bool arrives(int to)
{
    struct pollfd p = {to, POLLIN, 0};
    char byte;

    return poll(&p, 1, 1000) == 1 && recv(to, &byte, 1, 0) == 1;
}

/* left 10.9.0.1 --- 10.9.0.2 right, with 10.9.9.9 on right's loopback, reached by a route. */
static void two_namespaces_talk_over_veth(void **state)
{
    (void)state;
    NEEDS_NAMESPACES();
    int left = netns_new(), right = netns_new();
    struct netlink l, r;
    struct net_prefix a = prefix("10.9.0.1/24"), b = prefix("10.9.0.2/24"),
                      far = prefix("10.9.9.9/32");

    assert_true(left >= 0 && right >= 0);
    assert_int_equal(netlink_open(&l, left), 0);
    assert_int_equal(netlink_open(&r, right), 0);
    assert_int_equal(netlink_add_veth(&l, "s1", "s1-far", right), 0);
    assert_int_equal(netlink_add_veth(&l, "s1", "other", right), -EEXIST);
    assert_true(netlink_index(&l, "s1") > 0);
    assert_int_equal(netlink_index(&l, "s1-far"), -ENODEV);
    assert_true(netlink_index(&r, "s1-far") > 0);
    assert_int_equal(netlink_add_address(&l, "s1", &a), 0);
    assert_int_equal(netlink_add_address(&l, "s1", &a), 1); /* there already */
    assert_int_equal(netlink_add_address(&r, "s1-far", &b), 0);
    assert_int_equal(netlink_add_address(&r, "lo", &far), 0);
    assert_int_equal(netlink_set_mtu(&l, "s1", 9000), 0);
    assert_int_equal(netlink_set_mtu(&r, "s1-far", 9000), 0);
    struct netlink_interface look;
    assert_int_equal(netlink_look(&l, "s1", &look), 0);
    assert_false(look.up);
    assert_int_equal(look.mtu, 9000);
    assert_int_equal(netlink_look(&l, "s2", &look), -ENODEV);
    assert_int_equal(netlink_set_up(&l, "s1"), 0);
    assert_int_equal(netlink_set_up(&r, "s1-far"), 0);
    assert_int_equal(netlink_look(&l, "s1", &look), 0);
    assert_true(look.up);
    assert_int_equal(netns_checksum_offload_off(left, "s1"), 0);
    assert_int_equal(netlink_add_route(&l, &far, &b, NULL), 0);
    assert_int_equal(netlink_add_route(&l, &far, &b, NULL), 0); /* replaces */

    struct sockaddr_in here = udp_address("10.9.0.1", 7000), there = udp_address("10.9.9.9", 7001);
    int from = netns_call(left, open_udp, &here), to = netns_call(right, open_udp, &there);
    assert_true(from >= 0 && to >= 0);
    assert_int_equal(sendto(from, "x", 1, 0, (struct sockaddr *)&there, sizeof(there)), 1);
    assert_true(arrives(to));

    assert_int_equal(netlink_delete_route(&l, &far, &b, NULL), 0);
    assert_int_equal(sendto(from, "x", 1, 0, (struct sockaddr *)&there, sizeof(there)), -1);
    assert_int_equal(netlink_delete(&l, "s1"), 0);
    assert_int_equal(netlink_index(&r, "s1-far"), -ENODEV);
    close(from);
    close(to);
    netlink_close(&l);
    netlink_close(&r);
    close(left);
    close(right);
}

static void interfaces_move_and_hold_ipv6(void **state)
{
    (void)state;
    NEEDS_NAMESPACES();
    int left = netns_new(), right = netns_new();
    struct netlink l, r;
    struct net_prefix six = prefix("fd00:9::1/64"), all = prefix("::/0"),
                      next = prefix("fd00:9::2");

    assert_int_equal(netlink_open(&l, left), 0);
    assert_int_equal(netlink_open(&r, right), 0);
    int err = netlink_add_dummy(&l, "anchor");
    if (err == -EOPNOTSUPP) /* a kernel without that module */
        err = netlink_add_veth(&l, "anchor", "buoy", -1);
    assert_int_equal(err, 0);
    assert_int_equal(netlink_move(&l, "anchor", right), 0);
    assert_int_equal(netlink_index(&l, "anchor"), -ENODEV);
    assert_int_equal(netlink_set_up(&r, "anchor"), 0);
    assert_int_equal(netlink_add_address(&r, "anchor", &six), 0);
    assert_int_equal(netlink_add_route(&r, &all, &next, "anchor"), 0);
    assert_int_equal(netlink_delete_address(&r, "anchor", &six), 0);
    assert_int_equal(netlink_delete_address(&r, "anchor", &six), -EADDRNOTAVAIL);
    assert_int_equal(netlink_set_down(&r, "anchor"), 0);
    assert_int_equal(netlink_set_up(&r, "nothing"), -ENODEV);
    assert_int_equal(netlink_add_dummy(&r, "a-name-that-is-too-long"), -EINVAL);
    netlink_close(&l);
    netlink_close(&r);
    close(left);
    close(right);
}

static int read_forwarding(void *argument)
{
    char value = '?';
    int fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);

    (void)argument;
    assert_int_equal(read(fd, &value, 1), 1);
    close(fd);
    return value - '0';
}

static void settings_stay_in_their_namespace(void **state)
{
    (void)state;
    NEEDS_NAMESPACES();
    int home_before = netns_call(-1, read_forwarding, NULL);
    int fd = netns_new();

    assert_int_equal(netns_sysctl(fd, "net/ipv4/ip_forward", "1"), 0);
    assert_int_equal(netns_call(fd, read_forwarding, NULL), 1);
    assert_int_equal(netns_call(-1, read_forwarding, NULL), home_before);
    assert_int_equal(netns_sysctl(fd, "net/ipv4/no_such_thing", "1"), -ENOENT);
    close(fd);
}

static void nft_accepts_a_script(void **state)
{
    (void)state;
    NEEDS_NAMESPACES();
    int fd = netns_new();

    int err = netns_nft(fd, "table ip test {\n chain c {\n type nat hook postrouting priority "
                            "100\n masquerade\n }\n}\n");
    if (err == -ENOENT) {
        close(fd);
        skip();
    }
    assert_int_equal(err, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_are_parsed_and_printed),
        cmocka_unit_test(named_namespaces_come_from_the_environment),
        cmocka_unit_test(two_namespaces_talk_over_veth),
        cmocka_unit_test(interfaces_move_and_hold_ipv6),
        cmocka_unit_test(settings_stay_in_their_namespace),
        cmocka_unit_test(nft_accepts_a_script),
    };

    allowed = netns_allowed() || (netns_become_root() == 0 && netns_allowed());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
