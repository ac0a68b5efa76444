/*
 * netlink.c -- see netns.h: interfaces, addresses and routes by rtnetlink (rtnetlink(7)).
 *
 * A request is a header, a fixed struct by kind, and attributes, some of which hold attributes; the
 * kernel answers each with an acknowledgement that holds an errno. Requests are built in a buffer
 * on the stack and answered before the call returns.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/netns.h"

/* A request under construction. */
struct request {
    union {
        struct nlmsghdr header;
        uint8_t bytes[1024];
    };
    bool full;
};

/* ---- building ---- */

static void *request_take(struct request *r, size_t len)
{
    size_t at = NLMSG_ALIGN(r->header.nlmsg_len);

    if (r->full || at + NLMSG_ALIGN(len) > sizeof(r->bytes)) {
        r->full = true;
        return NULL;
    }
    r->header.nlmsg_len = (uint32_t)(at + len);
    return r->bytes + at;
}

static void request_begin(struct request *r, uint16_t type, uint16_t flags, const void *fixed,
                          size_t len)
{
    memset(r, 0, sizeof(*r));
    r->header.nlmsg_len = NLMSG_HDRLEN;
    r->header.nlmsg_type = type;
    r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    void *at = request_take(r, len);
    memcpy(at, fixed, len);
}

/* An attribute; returns its offset, for nest_end(). */
static size_t put(struct request *r, uint16_t type, const void *value, size_t len)
{
    size_t offset = NLMSG_ALIGN(r->header.nlmsg_len);
    struct rtattr *a = request_take(r, RTA_LENGTH(len));

    if (!a)
        return 0;
    a->rta_type = type;
    a->rta_len = (uint16_t)RTA_LENGTH(len);
    if (len > 0)
        memcpy(RTA_DATA(a), value, len);
    return offset;
}

static void put_u32(struct request *r, uint16_t type, uint32_t value)
{
    put(r, type, &value, sizeof(value));
}

static void put_text(struct request *r, uint16_t type, const char *value)
{
    put(r, type, value, strlen(value) + 1);
}

/* The attribute that began at `offset` holds all that was put since. */
static void nest_end(struct request *r, size_t offset)
{
    if (r->full)
        return;
    struct rtattr *a = (struct rtattr *)(void *)(r->bytes + offset);
    a->rta_len = (uint16_t)(r->header.nlmsg_len - offset);
}

/* ---- talking ---- */

static int open_here(void *argument)
{
    struct netlink *nl = argument;
    struct sockaddr_nl local = {.nl_family = AF_NETLINK};

    nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (nl->fd < 0)
        return -errno;
    if (bind(nl->fd, (struct sockaddr *)&local, sizeof(local)) < 0) {
        int err = -errno;
        netlink_close(nl);
        return err;
    }
    return 0;
}

int netlink_open(struct netlink *nl, int netns)
{
    *nl = (struct netlink){.fd = -1};
    return netns_call(netns, open_here, nl);
}

void netlink_close(struct netlink *nl)
{
    if (nl->fd >= 0)
        close(nl->fd);
    nl->fd = -1;
}

/* Sends the request and reads answers up to its acknowledgement. `each` sees messages that are
 * none. */
static int talk(struct netlink *nl, struct request *r,
                void (*each)(const struct nlmsghdr *message, void *argument), void *argument)
{
    _Alignas(struct nlmsghdr) uint8_t buffer[16384];

    if (r->full)
        return -EMSGSIZE;
    r->header.nlmsg_seq = ++nl->sequence;
    if (send(nl->fd, r->bytes, r->header.nlmsg_len, 0) < 0)
        return -errno;
    for (;;) {
        ssize_t n = recv(nl->fd, buffer, sizeof(buffer), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EPIPE;
        size_t left = (size_t)n;
        const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)buffer;
        for (; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
            if (m->nlmsg_seq != nl->sequence)
                continue;
            if (m->nlmsg_type == NLMSG_ERROR)
                return ((const struct nlmsgerr *)NLMSG_DATA(m))->error;
            if (each)
                each(m, argument);
        }
    }
}

static int ask(struct netlink *nl, struct request *r)
{
    return talk(nl, r, NULL, NULL);
}

/* ---- interfaces ---- */

static bool name_fits(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len < IFNAMSIZ;
}

static void take_interface(const struct nlmsghdr *message, void *argument)
{
    struct netlink_interface *interface = argument;
    const struct ifinfomsg *link = NLMSG_DATA(message);
    int left = (int)IFLA_PAYLOAD(message);

    if (message->nlmsg_type != RTM_NEWLINK)
        return;
    interface->index = link->ifi_index;
    interface->up = link->ifi_flags & IFF_UP;
    for (struct rtattr *a = IFLA_RTA(link); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == IFLA_MTU && RTA_PAYLOAD(a) >= sizeof(interface->mtu))
            memcpy(&interface->mtu, RTA_DATA(a), sizeof(interface->mtu));
    }
}

int netlink_look(struct netlink *nl, const char *name, struct netlink_interface *interface)
{
    const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
    struct request r;

    *interface = (struct netlink_interface){.index = -ENODEV};
    if (!name_fits(name))
        return -ENODEV;
    request_begin(&r, RTM_GETLINK, 0, &any, sizeof(any));
    put_text(&r, IFLA_IFNAME, name);
    return talk(nl, &r, take_interface, interface);
}

int netlink_index(struct netlink *nl, const char *name)
{
    struct netlink_interface interface;
    int err = netlink_look(nl, name, &interface);

    return err < 0 ? err : interface.index;
}

int netlink_add_veth(struct netlink *nl, const char *name, const char *peer_name, int peer_netns)
{
    const struct ifinfomsg none = {.ifi_family = AF_UNSPEC};
    struct request r;

    if (!name_fits(name) || !name_fits(peer_name))
        return -EINVAL;
    request_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &none, sizeof(none));
    put_text(&r, IFLA_IFNAME, name);
    size_t info = put(&r, IFLA_LINKINFO, NULL, 0);
    put_text(&r, IFLA_INFO_KIND, "veth");
    size_t data = put(&r, IFLA_INFO_DATA, NULL, 0);
    size_t peer = put(&r, VETH_INFO_PEER, &none, sizeof(none));
    put_text(&r, IFLA_IFNAME, peer_name);
    if (peer_netns >= 0)
        put_u32(&r, IFLA_NET_NS_FD, (uint32_t)peer_netns);
    nest_end(&r, peer);
    nest_end(&r, data);
    nest_end(&r, info);
    return ask(nl, &r);
}

int netlink_add_dummy(struct netlink *nl, const char *name)
{
    const struct ifinfomsg none = {.ifi_family = AF_UNSPEC};
    struct request r;

    if (!name_fits(name))
        return -EINVAL;
    request_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &none, sizeof(none));
    put_text(&r, IFLA_IFNAME, name);
    size_t info = put(&r, IFLA_LINKINFO, NULL, 0);
    put_text(&r, IFLA_INFO_KIND, "dummy");
    nest_end(&r, info);
    return ask(nl, &r);
}

/* A request about an interface that exists, by name. */
static int begin_about(struct netlink *nl, struct request *r, uint16_t type, const char *name,
                       uint32_t flags, uint32_t change)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_flags = flags, .ifi_change = change};

    link.ifi_index = netlink_index(nl, name);
    if (link.ifi_index < 0)
        return link.ifi_index;
    request_begin(r, type, 0, &link, sizeof(link));
    return 0;
}

int netlink_delete(struct netlink *nl, const char *name)
{
    struct request r;
    int err = begin_about(nl, &r, RTM_DELLINK, name, 0, 0);

    return err < 0 ? err : ask(nl, &r);
}

int netlink_move(struct netlink *nl, const char *name, int netns)
{
    struct request r;
    int err = begin_about(nl, &r, RTM_NEWLINK, name, 0, 0);

    if (err < 0)
        return err;
    put_u32(&r, IFLA_NET_NS_FD, (uint32_t)netns);
    return ask(nl, &r);
}

int netlink_set_up(struct netlink *nl, const char *name)
{
    struct request r;
    int err = begin_about(nl, &r, RTM_NEWLINK, name, IFF_UP, IFF_UP);

    return err < 0 ? err : ask(nl, &r);
}

int netlink_set_down(struct netlink *nl, const char *name)
{
    struct request r;
    int err = begin_about(nl, &r, RTM_NEWLINK, name, 0, IFF_UP);

    return err < 0 ? err : ask(nl, &r);
}

int netlink_set_mtu(struct netlink *nl, const char *name, uint32_t mtu)
{
    struct request r;
    int err = begin_about(nl, &r, RTM_NEWLINK, name, 0, 0);

    if (err < 0)
        return err;
    put_u32(&r, IFLA_MTU, mtu);
    return ask(nl, &r);
}

/* ---- addresses ---- */

static size_t address_size(const struct net_prefix *p)
{
    return p->family == AF_INET ? 4 : 16;
}

static int change_address(struct netlink *nl, uint16_t type, uint16_t flags, const char *name,
                          const struct net_prefix *address)
{
    int index = netlink_index(nl, name);
    struct ifaddrmsg what = {.ifa_family = (uint8_t)address->family,
                             .ifa_prefixlen = address->length};
    struct request r;

    if (index < 0)
        return index;
    what.ifa_index = (uint32_t)index;
    request_begin(&r, type, flags, &what, sizeof(what));
    put(&r, IFA_LOCAL, address->bytes, address_size(address));
    put(&r, IFA_ADDRESS, address->bytes, address_size(address));
    if (address->family == AF_INET6)
        put_u32(&r, IFA_FLAGS, IFA_F_NODAD);
    return ask(nl, &r);
}

int netlink_add_address(struct netlink *nl, const char *name, const struct net_prefix *address)
{
    int err = change_address(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, name, address);

    return err == -EEXIST ? 1 : err;
}

int netlink_delete_address(struct netlink *nl, const char *name, const struct net_prefix *address)
{
    return change_address(nl, RTM_DELADDR, 0, name, address);
}

/* ---- routes ---- */

static int change_route(struct netlink *nl, uint16_t type, uint16_t flags,
                        const struct net_prefix *destination, const struct net_prefix *gateway,
                        const char *name)
{
    struct rtmsg what = {.rtm_family = (uint8_t)destination->family,
                         .rtm_dst_len = destination->length,
                         .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_STATIC,
                         .rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
                         .rtm_type = RTN_UNICAST};
    struct net_prefix masked = *destination;
    struct request r;
    int index = name ? netlink_index(nl, name) : 0;

    if (index < 0)
        return index;
    if (gateway && gateway->family != destination->family)
        return -EINVAL;
    for (size_t bit = masked.length; bit < address_size(&masked) * 8; bit++)
        masked.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8); /* the kernel refuses host bits */
    request_begin(&r, type, flags, &what, sizeof(what));
    if (destination->length > 0)
        put(&r, RTA_DST, masked.bytes, address_size(&masked));
    if (gateway)
        put(&r, RTA_GATEWAY, gateway->bytes, address_size(gateway));
    if (index > 0)
        put_u32(&r, RTA_OIF, (uint32_t)index);
    return ask(nl, &r);
}

int netlink_add_route(struct netlink *nl, const struct net_prefix *destination,
                      const struct net_prefix *gateway, const char *name)
{
    return change_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, destination, gateway, name);
}

int netlink_delete_route(struct netlink *nl, const struct net_prefix *destination,
                         const struct net_prefix *gateway, const char *name)
{
    return change_route(nl, RTM_DELROUTE, 0, destination, gateway, name);
}

/* ---- prefixes as text ---- */

int net_prefix_parse(const char *text, struct net_prefix *prefix)
{
    char host[INET6_ADDRSTRLEN + 4];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);

    memset(prefix, 0, sizeof(*prefix));
    if (len >= sizeof(host))
        return -EINVAL;
    memcpy(host, text, len);
    host[len] = '\0';
    prefix->family = strchr(host, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(prefix->family, host, prefix->bytes) != 1)
        return -EINVAL;
    unsigned long bits = address_size(prefix) * 8;
    if (slash) {
        char *end;
        if (slash[1] < '0' || slash[1] > '9')
            return -EINVAL;
        unsigned long given = strtoul(slash + 1, &end, 10);
        if (*end != '\0' || given > bits)
            return -EINVAL;
        bits = given;
    }
    prefix->length = (uint8_t)bits;
    return 0;
}

void text_net_prefix(struct text *t, const struct net_prefix *prefix)
{
    char host[INET6_ADDRSTRLEN] = "?";

    inet_ntop(prefix->family, prefix->bytes, host, sizeof(host));
    text_add(t, "%s/%u", host, prefix->length);
}
