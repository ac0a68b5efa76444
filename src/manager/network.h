/*
 * network.h -- the section `network:` of a configuration file, and making it real. Inner header of
 * the manager.
 *
 *   network:
 *     namespaces:                 # each a network of its own; `host` is where strowger was started
 *       - name: core
 *         functions: [hss, mme, sgw, pgw, controller, switch]   # run here; those named nowhere run
 * on the host addresses: [10.0.0.1/32, 10.0.0.2/32]                 # on its loopback
 *       - name: internet
 *         forward: yes              # routes between its interfaces
 *     links:                      # veth pairs
 *       - {name: s1, between: [core, ran], addresses: [10.0.1.1/24, 10.0.1.2/24], mtu: 9000}
 *     taps:                       # interfaces whose other end is a process, such as the switch's
 * SGi port
 *       - {name: sgi, namespace: internet, kind: tap, addresses: [10.45.0.1/16]}
 *     interfaces:                 # of the machine, used or moved into a namespace
 *       - {name: enp3s0, namespace: host, addresses: [192.168.10.1/24]}
 *     routes:
 *       - {namespace: ran, to: 10.0.0.0/24, via: 10.0.1.1}
 *     nat:                        # what comes from `source` leaves by `interface` with that
 * interface's address
 *       - {namespace: host, source: 10.45.0.0/16, interface: enp1s0}
 *
 * Namespaces are anonymous and vanish with those who hold them. What is changed on the host is
 * remembered, to be undone by network_undo().
 */
#ifndef STROWGER_MANAGER_NETWORK_H
#define STROWGER_MANAGER_NETWORK_H

#include "base/config.h"
#include "link/netns.h"

#define NETWORK_HOST "host"

#define NETWORK_LIST(type) \
    struct {               \
        type *at;          \
        size_t count;      \
    }

struct network_namespace {
    const char *name;
    NETWORK_LIST(const char *) functions;
    NETWORK_LIST(struct net_prefix) addresses;
    bool forward;
    int fd; /* once made */
};

struct network_link {
    const char *name;                          /* of the interface, at both ends */
    NETWORK_LIST(const char *) between;        /* two namespaces */
    NETWORK_LIST(struct net_prefix) addresses; /* none, or one per end */
    uint32_t mtu;
};

struct network_tap {
    const char *name;
    const char *namespace;
    uint32_t kind; /* 0 tap, 1 tun */
    NETWORK_LIST(struct net_prefix) addresses;
    uint32_t mtu;
};

struct network_interface {
    const char *name;
    const char *namespace;
    NETWORK_LIST(struct net_prefix) addresses;
    uint32_t mtu; /* 0: as it is */
};

struct network_route {
    const char *namespace;
    struct net_prefix to;
    struct net_prefix via; /* family 0: none */
    const char *interface; /* NULL: found by `via` */
};

struct network_nat {
    const char *namespace;
    struct net_prefix source;
    const char *interface; /* it leaves by */
};

struct network {
    NETWORK_LIST(struct network_namespace) namespaces;
    NETWORK_LIST(struct network_link) links;
    NETWORK_LIST(struct network_tap) taps;
    NETWORK_LIST(struct network_interface) interfaces;
    NETWORK_LIST(struct network_route) routes;
    NETWORK_LIST(struct network_nat) nat;

    const char *name;               /* of the network, for names on the host */
    int host;                       /* descriptor of the namespace we were started in, once made */
    struct network_change *changes; /* on the host, latest first */
};

extern const struct config_schema network_schema;

/* What the schema cannot see: names that exist, ends of links, functions in two places. Prints
 * errors; 0 or -EINVAL. */
int network_check(struct config *config, const struct network *network);

/* Does it need namespaces of our own; does it change the host? */
bool network_has_namespaces(const struct network *network);
bool network_touches_host(const struct network *network);

/* Makes it all. 0 or negative errno; then `why` says what failed, and network_undo() is to be
 * called all the same. */
int network_make(struct network *network, const char *name, struct text *why);

/* Takes back what was changed on the host; closes the namespaces. May be called in another process
 * than make's. */
void network_undo(struct network *network);

/* The namespace a function runs in. */
const char *network_place_of(const struct network *network, const char *function);

/* The descriptor of a namespace by name, `host` included; -ENOENT. */
int network_descriptor(const struct network *network, const char *name);

#endif
