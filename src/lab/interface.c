/*
 * interface.c -- a phone's IP: a TUN interface in a network namespace of its own.
 *
 * The namespace is made with the phone and stays; the interface comes with the attach and goes with
 * the detach. IPv4 comes from NAS. For IPv6 NAS gives the interface identifier only: the phone
 * takes it as link-local address, solicits routers over the bearer, and makes its global address
 * from the prefix advertised (TS 23.401 clause 5.3.1.2.2, RFC 4861). A packet that the phone sends
 * while idle waits for the service request.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/inner.h"
#include "wire/net/net.h"

#define PACKET_SIZE     2048
#define SOLICITATIONS   3
#define SOLICITATION_MS 1000
#define BURST           16
#define INTERFACE       "lte0"

static void connect_for_data(void *argument)
{
    struct phone *phone = argument;

    fiber_set_subject(phone->imsi);
    int result = phone_service_request(phone, false);
    if (result != 0 && result != -EISCONN && result != -EBUSY)
        log_warn("service request failed (%d)", result);
}

static void wait_for_connection(struct phone *phone, struct bytes packet)
{
    struct phone_tun *tun = phone->tun;
    const size_t room = sizeof(tun->waiting) / sizeof(tun->waiting[0]);

    if (tun->waiting_count == room)
        return;
    uint8_t *copy = malloc(packet.len);
    if (!copy)
        return;
    memcpy(copy, packet.at, packet.len);
    tun->waiting[tun->waiting_count].at = copy;
    tun->waiting[tun->waiting_count++].len = packet.len;
    if (!phone->busy && phone->state == PHONE_REGISTERED && phone->enb_ue_s1ap_id == 0)
        fiber_spawn("service request", connect_for_data, phone);
}

void phone_flush_waiting(struct phone *phone)
{
    struct phone_tun *tun = phone->tun;

    for (unsigned i = 0; tun && i < tun->waiting_count; i++) {
        enb_uplink_data(phone, bytes_of(tun->waiting[i].at, tun->waiting[i].len));
        free(tun->waiting[i].at);
    }
    if (tun)
        tun->waiting_count = 0;
}

/* The kernel's own solicitations and multicast chatter do not wake an idle phone. */
static bool is_chatter(struct bytes packet)
{
    struct net_packet p;

    return net_read_ip(packet, &p) < 0 || (p.version == 6 && p.dst.bytes[0] == 0xff) ||
           (p.version == 4 && p.dst.bytes[0] >= 224);
}

static void on_packets(uv_poll_t *poll, int status, int events)
{
    struct phone_tun *tun = poll->data;
    static uint8_t rooms[BURST][PACKET_SIZE];
    struct packet_buffer buffers[BURST];

    (void)events;
    if (status < 0)
        return;
    for (int i = 0; i < BURST; i++)
        buffers[i] = (struct packet_buffer){rooms[i], PACKET_SIZE, 0};
    int count = packet_port_receive(&tun->port, buffers, BURST);
    for (int i = 0; i < count; i++) {
        struct bytes packet = bytes_of(buffers[i].at, buffers[i].len);
        if (is_chatter(packet))
            continue;
        if (tun->phone->enb_ue_s1ap_id == 0 || !enb_uplink_data(tun->phone, packet))
            wait_for_connection(tun->phone, packet);
    }
}

static int add_address(struct netlink *nl, int family, const void *address, uint8_t length)
{
    struct net_prefix prefix = {.family = family, .length = length};
    struct net_prefix everywhere = {.family = family};

    memcpy(prefix.bytes, address, family == AF_INET ? 4 : 16);
    int err = netlink_add_address(nl, INTERFACE, &prefix);
    return err < 0 ? err : netlink_add_route(nl, &everywhere, NULL, INTERFACE);
}

/* ---- IPv6 ---- */

static struct in6_addr link_local(const struct phone *phone)
{
    struct in6_addr address = {.s6_addr = {0xfe, 0x80}};

    memcpy(&address.s6_addr[8], phone->interface_id, 8);
    return address;
}

static void solicit_routers(struct phone *phone)
{
    static const struct in6_addr all_routers = {.s6_addr = {0xff, 2, [15] = 2}};
    struct in6_addr source = link_local(phone);
    uint8_t room[128];
    struct writer w = writer_of(room, sizeof(room));
    struct net_ip ip = {.version = 6,
                        .ttl = 255,
                        .protocol = IP_ICMPV6,
                        .src = net_address_v6(&source),
                        .dst = net_address_v6(&all_routers)};
    struct net_nd nd = {.type = ICMPV6_ROUTER_SOLICITATION};

    size_t begun = net_ip_begin(&w, &ip);
    net_write_nd(&w, &nd);
    net_ip_end(&w, begun);
    enb_uplink_data(phone, wr_view(&w));
}

/* Takes the prefix of a Router Advertisement; true when the packet was one. */
static bool take_advertisement(struct phone *phone, struct bytes packet)
{
    struct net_packet p;
    struct net_nd nd;

    if (net_read_ip(packet, &p) < 0 || p.protocol != IP_ICMPV6 ||
        p.icmp_type != ICMPV6_ROUTER_ADVERTISEMENT || p.ttl != 255 ||
        net_read_nd(p.transport, &nd) < 0)
        return false;
    if (!nd.has_prefix || !nd.prefix.autonomous || nd.prefix.length != 64)
        return true;
    phone->ipv6 = nd.prefix.prefix;
    memcpy(&phone->ipv6.s6_addr[8], phone->interface_id, 8);
    phone->has_ipv6 = true;
    await_deliver(&phone->router_advertisement, NULL);
    return true;
}

static int configure_ipv6(struct phone *phone, struct netlink *nl)
{
    for (unsigned i = 0; i < SOLICITATIONS && !phone->has_ipv6; i++) {
        solicit_routers(phone);
        if (!phone->has_ipv6)
            await(&phone->router_advertisement, SOLICITATION_MS, NULL);
    }
    return phone->has_ipv6 ? add_address(nl, AF_INET6, &phone->ipv6, 64) : -ETIMEDOUT;
}

/* ---- up and down ---- */

int phone_interface_up(struct phone *phone)
{
    struct phone_tun *tun = phone->tun;
    struct netlink nl;

    phone_interface_down(phone);
    if (tun->netns < 0) {
        tun->netns = netns_new();
        if (tun->netns < 0)
            return tun->netns;
    }
    uint16_t mtu = phone->mtu ? phone->mtu : lab.config.mtu;
    int err = packet_port_open(&tun->port, PACKET_PORT_TUN, INTERFACE, tun->netns, mtu);
    if (err < 0) {
        log_error("no TUN interface: %s%s", strerror(-err),
                  err == -EACCES || err == -EPERM
                      ? " (/dev/net/tun must be readable and writable for you)"
                      : "");
        return err;
    }
    tun->poll = malloc(sizeof(*tun->poll));
    if (!tun->poll) {
        packet_port_close(&tun->port);
        return -ENOMEM;
    }
    tun->open = true;
    uv_poll_init(loop_uv(), tun->poll, tun->port.fd);
    tun->poll->data = tun;
    uv_poll_start(tun->poll, UV_READABLE, on_packets);
    err = netlink_open(&nl, tun->netns);
    if (err < 0)
        return err;
    if (phone->pdn_type != NAS_PDN_IPV6)
        err = add_address(&nl, AF_INET, &phone->ipv4, 32);
    if (err == 0 && phone->pdn_type != NAS_PDN_IPV4)
        err = configure_ipv6(phone, &nl);
    netlink_close(&nl);
    return err;
}

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

void phone_interface_down(struct phone *phone)
{
    struct phone_tun *tun = phone->tun;

    if (!tun || !tun->open)
        return;
    for (unsigned i = 0; i < tun->waiting_count; i++)
        free(tun->waiting[i].at);
    tun->waiting_count = 0;
    uv_close((uv_handle_t *)tun->poll, free_poll);
    packet_port_close(&tun->port);
    tun->open = false;
}

void phone_interface_free(struct phone *phone)
{
    phone_interface_down(phone);
    if (phone->tun && phone->tun->netns >= 0)
        close(phone->tun->netns);
    free(phone->tun);
    phone->tun = NULL;
}

void phone_downlink_data(struct phone *phone, struct bytes packet)
{
    phone->packets_down++;
    if (take_advertisement(phone, packet) || !phone->tun || !phone->tun->open)
        return;
    struct packet_buffer buffer = {(uint8_t *)(uintptr_t)packet.at, packet.len, packet.len};
    packet_port_send(&phone->tun->port, &buffer, 1);
}
