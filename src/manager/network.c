/*
 * network.c -- see network.h. Schema and checks first, then what makes each kind of thing, then
 * what takes it back.
 *
 * Order of making: namespaces, links, taps, the host's interfaces, routes, NAT. Only changes to the
 * host are remembered: everything else is inside namespaces, or hangs on one, and goes with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "manager/network.h"

/* ---- schema ---- */

static bool parse_prefix(const struct config_field *field, const char *text, void *value,
                         struct text *why)
{
    (void)field;
    (void)why;
    return net_prefix_parse(text, value) == 0;
}

static const struct config_type type_prefix = {"an address with its length, such as 10.0.0.1/24",
                                               parse_prefix};

static const char *const tap_kinds[] = {"tap", "tun", NULL};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct config_field namespace_fields[] = {
    CONFIG_FIELD(struct network_namespace, name, &config_string,
                 "by which the rest of the file calls it", .required = true),
    CONFIG_LIST_OF(struct network_namespace, functions, &config_string, "functions that run in it"),
    CONFIG_LIST_OF(struct network_namespace, addresses, &type_prefix, "on its loopback interface"),
    CONFIG_FIELD(struct network_namespace, forward, &config_bool,
                 "does it route between its interfaces", .fallback = "no"),
};
static const struct config_schema namespace_schema = {"namespace", "a network of its own",
                                                      namespace_fields, COUNT(namespace_fields),
                                                      sizeof(struct network_namespace)};

static const struct config_field link_fields[] = {
    CONFIG_FIELD(struct network_link, name, &config_string, "of the interface at both ends",
                 .required = true),
    CONFIG_LIST_OF(struct network_link, between, &config_string, "the two namespaces",
                   .required = true),
    CONFIG_LIST_OF(struct network_link, addresses, &type_prefix, "one for each end, in that order"),
    CONFIG_FIELD(struct network_link, mtu, &config_uint, "bytes a packet may have",
                 .fallback = "1500", .min = 576, .max = 65535),
};
static const struct config_schema link_schema = {"link", "a cable between two namespaces",
                                                 link_fields, COUNT(link_fields),
                                                 sizeof(struct network_link)};

static const struct config_field tap_fields[] = {
    CONFIG_FIELD(struct network_tap, name, &config_string, "of the interface", .required = true),
    CONFIG_FIELD(struct network_tap, namespace, &config_string, "where it is",
                 .fallback = NETWORK_HOST),
    CONFIG_FIELD(struct network_tap, kind, &config_enum, "tap carries Ethernet, tun carries IP",
                 .fallback = "tap", .more = tap_kinds),
    CONFIG_LIST_OF(struct network_tap, addresses, &type_prefix, "the kernel's, on this side"),
    CONFIG_FIELD(struct network_tap, mtu, &config_uint, "bytes a packet may have",
                 .fallback = "1500", .min = 576, .max = 65535),
};
static const struct config_schema tap_schema = {
    "tap", "an interface with a process at its other end", tap_fields, COUNT(tap_fields),
    sizeof(struct network_tap)};

static const struct config_field interface_fields[] = {
    CONFIG_FIELD(struct network_interface, name, &config_string,
                 "of an interface that this machine has", .required = true),
    CONFIG_FIELD(struct network_interface, namespace, &config_string,
                 "where it is wanted; host: where it is", .fallback = NETWORK_HOST),
    CONFIG_LIST_OF(struct network_interface, addresses, &type_prefix,
                   "to give it, besides those it has"),
    CONFIG_FIELD(struct network_interface, mtu, &config_uint, "0: as it is", .fallback = "0",
                 .min = 0, .max = 65535),
};
static const struct config_schema interface_schema = {"interface", "an interface of this machine",
                                                      interface_fields, COUNT(interface_fields),
                                                      sizeof(struct network_interface)};

static const struct config_field route_fields[] = {
    CONFIG_FIELD(struct network_route, namespace, &config_string, "where",
                 .fallback = NETWORK_HOST),
    CONFIG_FIELD(struct network_route, to, &type_prefix, "destination, 0.0.0.0/0 for all",
                 .required = true),
    CONFIG_FIELD(struct network_route, via, &type_prefix, "next router"),
    CONFIG_FIELD(struct network_route, interface, &config_string, "interface, needed without via"),
};
static const struct config_schema route_schema = {
    "route", "a route", route_fields, COUNT(route_fields), sizeof(struct network_route)};

static const struct config_field nat_fields[] = {
    CONFIG_FIELD(struct network_nat, namespace, &config_string, "where", .fallback = NETWORK_HOST),
    CONFIG_FIELD(struct network_nat, source, &type_prefix,
                 "whose packets get another source address", .required = true),
    CONFIG_FIELD(struct network_nat, interface, &config_string, "they leave by", .required = true),
};
static const struct config_schema nat_schema = {"nat", "source address translation", nat_fields,
                                                COUNT(nat_fields), sizeof(struct network_nat)};

static const struct config_field network_fields[] = {
    CONFIG_LIST_OF_SECTIONS(struct network, namespaces, &namespace_schema, "networks of their own"),
    CONFIG_LIST_OF_SECTIONS(struct network, links, &link_schema, "cables between them"),
    CONFIG_LIST_OF_SECTIONS(struct network, taps, &tap_schema, "interfaces served by a function"),
    CONFIG_LIST_OF_SECTIONS(struct network, interfaces, &interface_schema,
                            "this machine's interfaces"),
    CONFIG_LIST_OF_SECTIONS(struct network, routes, &route_schema, "routes"),
    CONFIG_LIST_OF_SECTIONS(struct network, nat, &nat_schema, "source address translation"),
};
const struct config_schema network_schema = {"network", "namespaces, links, addresses and routes",
                                             network_fields, COUNT(network_fields),
                                             sizeof(struct network)};

/* ---- checks ---- */

static const struct network_namespace *find_namespace(const struct network *n, const char *name)
{
    for (size_t i = 0; i < n->namespaces.count; i++) {
        if (strcmp(n->namespaces.at[i].name, name) == 0)
            return &n->namespaces.at[i];
    }
    return NULL;
}

static void check_place(struct config *c, const struct network *n, const char *list,
                        const char *what, const char *place)
{
    if (strcmp(place, NETWORK_HOST) != 0 && !find_namespace(n, place))
        config_complain(c, "network", list, "%s: there is no namespace '%s' (and it is not 'host')",
                        what, place);
}

static void check_name(struct config *c, const char *list, const char *name)
{
    if (name[0] == '\0' || strlen(name) >= IFNAMSIZ || strpbrk(name, "/ :,=\"'\n\t;{}"))
        config_complain(
            c, "network", list,
            "'%s' is no name for an interface or namespace (1 to 15 letters, digits, - and _)",
            name);
}

static void check_names(struct config *c, const struct network *n)
{
    for (size_t i = 0; i < n->namespaces.count; i++)
        check_name(c, "namespaces", n->namespaces.at[i].name);
    for (size_t i = 0; i < n->links.count; i++)
        check_name(c, "links", n->links.at[i].name);
    for (size_t i = 0; i < n->taps.count; i++)
        check_name(c, "taps", n->taps.at[i].name);
    for (size_t i = 0; i < n->interfaces.count; i++)
        check_name(c, "interfaces", n->interfaces.at[i].name);
    for (size_t i = 0; i < n->nat.count; i++)
        check_name(c, "nat", n->nat.at[i].interface);
}

static void check_namespaces(struct config *c, const struct network *n)
{
    for (size_t i = 0; i < n->namespaces.count; i++) {
        const struct network_namespace *ns = &n->namespaces.at[i];
        if (strcmp(ns->name, NETWORK_HOST) == 0)
            config_complain(c, "network", "namespaces",
                            "'host' is the namespace strowger is started in; "
                            "it needs no entry");
        if (find_namespace(n, ns->name) != ns)
            config_complain(c, "network", "namespaces", "two namespaces are called '%s'", ns->name);
        for (size_t f = 0; f < ns->functions.count; f++) {
            const char *place = network_place_of(n, ns->functions.at[f]);
            if (strcmp(place, ns->name) != 0)
                config_complain(c, "network", "namespaces", "%s is to run in '%s' and in '%s'",
                                ns->functions.at[f], place, ns->name);
        }
    }
}

static void check_links(struct config *c, const struct network *n)
{
    for (size_t i = 0; i < n->links.count; i++) {
        const struct network_link *l = &n->links.at[i];
        if (l->between.count != 2) {
            config_complain(c, "network", "links", "%s: a link is between two namespaces, not %zu",
                            l->name, l->between.count);
            continue;
        }
        check_place(c, n, "links", l->name, l->between.at[0]);
        check_place(c, n, "links", l->name, l->between.at[1]);
        if (strcmp(l->between.at[0], l->between.at[1]) == 0)
            config_complain(c, "network", "links", "%s: both ends are in '%s'", l->name,
                            l->between.at[0]);
        if (l->addresses.count != 0 && l->addresses.count != 2)
            config_complain(c, "network", "links", "%s: %zu addresses for two ends", l->name,
                            l->addresses.count);
    }
}

int network_check(struct config *c, const struct network *n)
{
    size_t before = config_error_count(c);

    check_names(c, n);
    check_namespaces(c, n);
    check_links(c, n);
    for (size_t i = 0; i < n->taps.count; i++)
        check_place(c, n, "taps", n->taps.at[i].name, n->taps.at[i].namespace);
    for (size_t i = 0; i < n->interfaces.count; i++)
        check_place(c, n, "interfaces", n->interfaces.at[i].name, n->interfaces.at[i].namespace);
    for (size_t i = 0; i < n->nat.count; i++)
        check_place(c, n, "nat", n->nat.at[i].interface, n->nat.at[i].namespace);
    for (size_t i = 0; i < n->routes.count; i++) {
        const struct network_route *r = &n->routes.at[i];
        check_place(c, n, "routes", "a route", r->namespace);
        if (r->via.family == 0 && !r->interface)
            config_complain(c, "network", "routes", "a route needs 'via' or 'interface'");
        if (r->via.family != 0 && r->via.family != r->to.family)
            config_complain(c, "network", "routes",
                            "a route cannot lead from IPv4 to IPv6 or back");
    }
    return config_error_count(c) > before ? -EINVAL : 0;
}

bool network_has_namespaces(const struct network *n)
{
    return n->namespaces.count > 0;
}

static bool is_host(const char *place)
{
    return strcmp(place, NETWORK_HOST) == 0;
}

bool network_touches_host(const struct network *n)
{
    bool touches = n->interfaces.count > 0;

    for (size_t i = 0; i < n->links.count; i++)
        touches |= is_host(n->links.at[i].between.at[0]) || is_host(n->links.at[i].between.at[1]);
    for (size_t i = 0; i < n->taps.count; i++)
        touches |= is_host(n->taps.at[i].namespace);
    for (size_t i = 0; i < n->routes.count; i++)
        touches |= is_host(n->routes.at[i].namespace);
    for (size_t i = 0; i < n->nat.count; i++)
        touches |= is_host(n->nat.at[i].namespace);
    return touches;
}

const char *network_place_of(const struct network *n, const char *function)
{
    for (size_t i = 0; i < n->namespaces.count; i++) {
        const struct network_namespace *ns = &n->namespaces.at[i];
        for (size_t f = 0; f < ns->functions.count; f++) {
            if (strcmp(ns->functions.at[f], function) == 0)
                return ns->name;
        }
    }
    return NETWORK_HOST;
}

int network_descriptor(const struct network *n, const char *name)
{
    const struct network_namespace *ns = find_namespace(n, name);

    if (ns)
        return ns->fd >= 0 ? ns->fd : -ENOENT;
    return is_host(name) && n->host >= 0 ? n->host : -ENOENT;
}

/* ---- changes to the host ---- */

enum change_kind {
    DELETE_INTERFACE,
    DELETE_ADDRESS,
    DELETE_ROUTE,
    DELETE_TABLE,
    FORWARDING_OFF,
    SET_DOWN,
    SET_MTU
};

struct network_change {
    struct network_change *next;
    enum change_kind kind;
    char name[64]; /* interface, nftables table, sysctl */
    struct net_prefix prefix, via;
    uint32_t mtu;
};

static void remember(struct network *n, const char *place, enum change_kind kind, const char *name,
                     const struct net_prefix *prefix, const struct net_prefix *via)
{
    if (!is_host(place))
        return;
    struct network_change *change = calloc(1, sizeof(*change));
    if (!change) {
        log_warn("out of memory: the host's %s will not be restored", name ? name : "route");
        return;
    }
    change->kind = kind;
    snprintf(change->name, sizeof(change->name), "%s", name ? name : "");
    if (prefix)
        change->prefix = *prefix;
    if (via)
        change->via = *via;
    change->next = n->changes;
    n->changes = change;
}

static void take_back(const struct network_change *change, struct netlink *nl)
{
    char script[128];
    struct text t = text_in(script, sizeof(script));
    int err = 0;

    switch (change->kind) {
    case DELETE_INTERFACE:
        err = netlink_delete(nl, change->name);
        break;
    case DELETE_ADDRESS:
        err = netlink_delete_address(nl, change->name, &change->prefix);
        break;
    case DELETE_ROUTE:
        err = netlink_delete_route(nl, &change->prefix, change->via.family ? &change->via : NULL,
                                   change->name[0] ? change->name : NULL);
        break;
    case DELETE_TABLE:
        text_add(&t, "delete table inet %s\n", change->name);
        err = netns_nft(-1, script);
        break;
    case FORWARDING_OFF:
        err = netns_sysctl(-1, change->name, "0");
        break;
    case SET_DOWN:
        err = netlink_set_down(nl, change->name);
        break;
    case SET_MTU:
        err = netlink_set_mtu(nl, change->name, change->mtu);
        break;
    }
    /* What is gone already went with something else: a route with its interface. */
    if (err < 0 && err != -ENODEV && err != -ESRCH && err != -EADDRNOTAVAIL)
        log_warn("%s could not be restored: %s", change->name, strerror(-err));
}

void network_undo(struct network *n)
{
    struct netlink nl;
    bool open = n->changes && netlink_open(&nl, -1) == 0;

    while (n->changes) {
        struct network_change *change = n->changes;
        n->changes = change->next;
        if (open)
            take_back(change, &nl);
        free(change);
    }
    if (open)
        netlink_close(&nl);
    for (size_t i = 0; i < n->namespaces.count; i++) {
        struct network_namespace *ns = &n->namespaces.at[i];
        if (ns->fd >= 0)
            close(ns->fd);
        ns->fd = -1;
    }
    if (n->host >= 0)
        close(n->host);
    n->host = -1;
}

/* ---- making ---- */

/* Tells once, where it is known what was tried, why it did not work. */
__attribute__((format(printf, 3, 4))) static int told(struct text *why, int err, const char *format,
                                                      ...)
{
    va_list args;

    if (err >= 0)
        return err;
    va_start(args, format);
    text_vadd(why, format, args);
    va_end(args);
    text_add(why, ": %s", strerror(-err));
    return err;
}

static int open_in(struct network *n, const char *place, struct netlink *nl, struct text *why)
{
    int fd = network_descriptor(n, place);

    return told(why, fd < 0 ? fd : netlink_open(nl, fd), "namespace %s", place);
}

static int add_addresses(struct network *n, struct netlink *nl, const char *interface,
                         const char *place, const struct net_prefix *addresses, size_t count,
                         struct text *why)
{
    for (size_t i = 0; i < count; i++) {
        char buffer[64];
        struct text t = text_in(buffer, sizeof(buffer));
        text_net_prefix(&t, &addresses[i]);
        int err = netlink_add_address(nl, interface, &addresses[i]);
        if (err < 0)
            return told(why, err, "giving %s in %s the address %s", interface, place, buffer);
        if (err == 0)
            remember(n, place, DELETE_ADDRESS, interface, &addresses[i], NULL);
    }
    return 0;
}

static int make_namespace(struct network *n, struct network_namespace *ns, struct text *why)
{
    struct netlink nl;

    int fd = netns_new();
    if (fd < 0)
        return told(why, fd, "making the namespace %s", ns->name);
    ns->fd = fd;
    int err = netlink_open(&nl, fd);
    if (err < 0)
        return told(why, err, "namespace %s", ns->name);
    err = add_addresses(n, &nl, "lo", ns->name, ns->addresses.at, ns->addresses.count, why);
    netlink_close(&nl);
    if (err == 0 && ns->forward) {
        err = told(why, netns_sysctl(fd, "net/ipv4/ip_forward", "1"), "forwarding in %s", ns->name);
        (void)netns_sysctl(fd, "net/ipv6/conf/all/forwarding", "1"); /* a kernel may have no IPv6 */
    }
    return err;
}

/* Up, with its MTU and the address of this end. Checksums are computed in software: packet sockets
 * at the other end read what a real cable would carry. */
static int prepare_end(struct network *n, const struct network_link *l, size_t end,
                       struct text *why)
{
    const char *place = l->between.at[end];
    struct netlink nl;

    int err = open_in(n, place, &nl, why);
    if (err < 0)
        return err;
    err = netlink_set_mtu(&nl, l->name, l->mtu);
    err = err < 0 ? err : netlink_set_up(&nl, l->name);
    told(why, err, "bringing up %s in %s", l->name, place);
    if (err == 0 && l->addresses.count == 2)
        err = add_addresses(n, &nl, l->name, place, &l->addresses.at[end], 1, why);
    netlink_close(&nl);
    if (err == 0)
        (void)netns_checksum_offload_off(network_descriptor(n, place), l->name);
    return err;
}

static int make_link(struct network *n, const struct network_link *l, struct text *why)
{
    const char *here = l->between.at[0], *there = l->between.at[1];
    struct netlink nl;

    int err = open_in(n, here, &nl, why);
    if (err < 0)
        return err;
    err = netlink_add_veth(&nl, l->name, l->name, network_descriptor(n, there));
    netlink_close(&nl);
    if (err < 0)
        return told(why, err, "making the link %s between %s and %s", l->name, here, there);
    remember(n, is_host(here) ? here : there, DELETE_INTERFACE, l->name, NULL, NULL);
    err = prepare_end(n, l, 0, why);
    return err < 0 ? err : prepare_end(n, l, 1, why);
}

/* A persistent interface, so that it keeps its addresses when the process at its other end dies and
 * returns. */
static int open_tap(void *argument)
{
    const struct network_tap *tap = argument;
    struct ifreq request = {.ifr_flags = (short)((tap->kind == 0 ? IFF_TAP : IFF_TUN) | IFF_NO_PI)};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    int err = 0;

    if (fd < 0)
        return -errno;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", tap->name);
    if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
        err = -errno;
    close(fd);
    return err;
}

static int make_tap(struct network *n, struct network_tap *tap, struct text *why)
{
    struct netlink nl;
    int fd = network_descriptor(n, tap->namespace);

    if (fd < 0)
        return told(why, fd, "namespace %s", tap->namespace);
    int err = netns_call(fd, open_tap, tap);
    if (err == -EACCES || err == -EPERM || err == -ENOENT || err == -ENXIO)
        return told(why, err,
                    "the interface %s needs /dev/net/tun, readable and writable by this user "
                    "(Debian: mode 0666; as root: chmod 666 /dev/net/tun)",
                    tap->name);
    if (err < 0)
        return told(why, err, "making %s in %s", tap->name, tap->namespace);
    remember(n, tap->namespace, DELETE_INTERFACE, tap->name, NULL, NULL);
    err = netlink_open(&nl, fd);
    if (err < 0)
        return told(why, err, "namespace %s", tap->namespace);
    err = netlink_set_mtu(&nl, tap->name, tap->mtu);
    err = err < 0 ? err : netlink_set_up(&nl, tap->name);
    told(why, err, "bringing up %s in %s", tap->name, tap->namespace);
    if (err == 0)
        err = add_addresses(n, &nl, tap->name, tap->namespace, tap->addresses.at,
                            tap->addresses.count, why);
    netlink_close(&nl);
    return err;
}

static int use_interface(struct network *n, const struct network_interface *i, struct text *why)
{
    struct netlink_interface before;
    struct netlink nl;
    int err;

    if (!is_host(i->namespace)) {
        if ((err = open_in(n, NETWORK_HOST, &nl, why)) < 0)
            return err;
        err = netlink_move(&nl, i->name, network_descriptor(n, i->namespace));
        netlink_close(&nl);
        /* The kernel takes hardware back to the host when the namespace goes. */
        if (err < 0)
            return told(why, err, "moving the interface %s to %s", i->name, i->namespace);
    }
    if ((err = open_in(n, i->namespace, &nl, why)) < 0)
        return err;
    err = netlink_look(&nl, i->name, &before);
    if (err == 0 && i->mtu && i->mtu != before.mtu) {
        err = netlink_set_mtu(&nl, i->name, i->mtu);
        remember(n, i->namespace, SET_MTU, i->name, NULL, NULL);
        if (is_host(i->namespace) && n->changes)
            n->changes->mtu = before.mtu;
    }
    if (err == 0 && !before.up) {
        err = netlink_set_up(&nl, i->name);
        remember(n, i->namespace, SET_DOWN, i->name, NULL, NULL);
    }
    told(why, err, "the interface %s in %s", i->name, i->namespace);
    if (err == 0)
        err =
            add_addresses(n, &nl, i->name, i->namespace, i->addresses.at, i->addresses.count, why);
    netlink_close(&nl);
    return err;
}

static int make_route(struct network *n, const struct network_route *r, struct text *why)
{
    const struct net_prefix *via = r->via.family ? &r->via : NULL;
    char buffer[64];
    struct text t = text_in(buffer, sizeof(buffer));
    struct netlink nl;

    int err = open_in(n, r->namespace, &nl, why);
    if (err < 0)
        return err;
    text_net_prefix(&t, &r->to);
    err = netlink_add_route(&nl, &r->to, via, r->interface);
    netlink_close(&nl);
    if (err == 0)
        remember(n, r->namespace, DELETE_ROUTE, r->interface, &r->to, via);
    return told(why, err, "the route to %s in %s", buffer, r->namespace);
}

static int turn_forwarding_on(struct network *n, const char *place, const char *name)
{
    char path[64], now = '0';

    snprintf(path, sizeof(path), "/proc/sys/%s", name);
    if (is_host(place)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            if (read(fd, &now, 1) != 1)
                now = '0';
            close(fd);
        }
        if (now == '1')
            return 0;
    }
    int err = netns_sysctl(network_descriptor(n, place), name, "1");
    if (err == 0)
        remember(n, place, FORWARDING_OFF, name, NULL, NULL);
    return err;
}

static int make_nat(struct network *n, const struct network_nat *nat, size_t number,
                    struct text *why)
{
    char script[512], table[64], source[64];
    struct text t = text_in(script, sizeof(script)), s = text_in(source, sizeof(source));
    bool v4 = nat->source.family == AF_INET;

    int err = turn_forwarding_on(n, nat->namespace,
                                 v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding");
    if (err < 0)
        return told(why, err, "forwarding in %s", nat->namespace);
    snprintf(table, sizeof(table), "strowger_%.40s_%zu", n->name, number);
    for (char *c = table; *c; c++)
        *c = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ? *c
                                                                                              : '_';
    text_net_prefix(&s, &nat->source);
    text_add(&t,
             "table inet %s {\n chain postrouting {\n  type nat hook postrouting priority 100\n"
             "  %s saddr %s oifname \"%s\" masquerade\n }\n}\n",
             table, v4 ? "ip" : "ip6", source, nat->interface);
    err = netns_nft(network_descriptor(n, nat->namespace), script);
    if (err == -ENOENT)
        return told(why, err,
                    "address translation needs the program nft (Debian package nftables)");
    if (err == 0)
        remember(n, nat->namespace, DELETE_TABLE, table, NULL, NULL);
    return told(why, err, "address translation for %s", source);
}

int network_make(struct network *n, const char *name, struct text *why)
{
    int err = 0;

    n->name = name;
    for (size_t i = 0; i < n->namespaces.count; i++)
        n->namespaces.at[i].fd = -1;
    n->host = netns_current();
    if (n->host < 0)
        return told(why, n->host, "the host's network namespace");
    for (size_t i = 0; i < n->namespaces.count && err == 0; i++)
        err = make_namespace(n, &n->namespaces.at[i], why);
    for (size_t i = 0; i < n->links.count && err == 0; i++)
        err = make_link(n, &n->links.at[i], why);
    for (size_t i = 0; i < n->taps.count && err == 0; i++)
        err = make_tap(n, &n->taps.at[i], why);
    for (size_t i = 0; i < n->interfaces.count && err == 0; i++)
        err = use_interface(n, &n->interfaces.at[i], why);
    for (size_t i = 0; i < n->routes.count && err == 0; i++)
        err = make_route(n, &n->routes.at[i], why);
    for (size_t i = 0; i < n->nat.count && err == 0; i++)
        err = make_nat(n, &n->nat.at[i], i, why);
    return err;
}
