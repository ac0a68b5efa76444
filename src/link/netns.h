/*
 * netns.h -- network namespaces, and the interfaces, addresses and routes in them.
 *
 * What: the networks of examples and tests are made of anonymous network namespaces joined by veth
 * pairs. A namespace is a file descriptor: it lives as long as somebody holds it or runs in it, so
 * nothing is left behind however its users die. What is inside is set up by rtnetlink directly,
 * without `ip`.
 *
 * Who: the manager makes the network of a configuration file; the lab makes a namespace per phone
 * that wants one; a packet port makes its TAP in the namespace it is told. Works as root, and as an
 * ordinary user after netns_become_root() where user namespaces are allowed.
 *
 * All calls block, for microseconds; errors are negative errno. A namespace belongs to a thread:
 * one thread.
 */
#ifndef STROWGER_LINK_NETNS_H
#define STROWGER_LINK_NETNS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* A network address with its length in bits; for an interface address the host bits are kept. */
struct net_prefix {
    int family; /* AF_INET, AF_INET6 */
    union {
        struct in_addr v4;
        struct in6_addr v6;
        uint8_t bytes[16]; /* network order */
    };
    uint8_t length;
};

/* "10.0.0.1/24", "fd00::1/64", "10.0.0.1" (a host). 0 or -EINVAL. */
int net_prefix_parse(const char *text, struct net_prefix *prefix);
void text_net_prefix(struct text *t, const struct net_prefix *prefix);

/* Makes this process root of a new user namespace in which its user and group are 0, so that it may
 * make network namespaces of its own. For an ordinary user; single-threaded processes only. -EPERM:
 * the system does not allow it (kernel.unprivileged_userns_clone, user.max_user_namespaces,
 * AppArmor). */
int netns_become_root(void);

/* May this process make namespaces as it is? */
bool netns_allowed(void);

/* A descriptor (close-on-exec) of the namespace this thread is in, and of a new one with its
 * loopback up; the thread stays where it is. */
int netns_current(void);
int netns_new(void);

/* Moves this thread into the namespace. */
int netns_enter(int netns);

/* Calls `function` in the namespace and comes back; returns what it returned. -1 means: here. */
int netns_call(int netns, int (*function)(void *argument), void *argument);

/* Namespaces by name, handed to functions by the manager: the environment variable STROWGER_NETNS
 * says "core=5,ran=6,internet=7", descriptors that the process inherits. netns_named() gives the
 * descriptor, which stays open and is not to be closed, or -ENOENT. */
#define NETNS_ENVIRONMENT "STROWGER_NETNS"

int netns_named(const char *name);

/* A conversation with the kernel about the interfaces of one namespace. */
struct netlink {
    int fd;
    uint32_t sequence;
};

/* Opens it in the namespace; -1 means: here. */
int netlink_open(struct netlink *nl, int netns);
void netlink_close(struct netlink *nl);

/* The interface's index (> 0), or -ENODEV. */
int netlink_index(struct netlink *nl, const char *name);

struct netlink_interface {
    int index;
    bool up;
    uint32_t mtu;
};

/* How the interface is now; -ENODEV. */
int netlink_look(struct netlink *nl, const char *name, struct netlink_interface *interface);

/* A pair of connected Ethernet interfaces, the second one in `peer_netns` (-1: the same namespace).
 * Both are down. */
int netlink_add_veth(struct netlink *nl, const char *name, const char *peer_name, int peer_netns);

/* An interface that goes nowhere, to hold addresses. */
int netlink_add_dummy(struct netlink *nl, const char *name);

/* Deletes an interface (and a veth's other end). */
int netlink_delete(struct netlink *nl, const char *name);

/* Moves it to another namespace; it arrives down, without addresses. */
int netlink_move(struct netlink *nl, const char *name, int netns);

int netlink_set_up(struct netlink *nl, const char *name);
int netlink_set_down(struct netlink *nl, const char *name);
int netlink_set_mtu(struct netlink *nl, const char *name, uint32_t mtu);

/* Gives the interface an address, or takes it. IPv6 addresses skip duplicate detection and work at
 * once. An address that is there already is no error. */
int netlink_add_address(struct netlink *nl, const char *name, const struct net_prefix *address);
int netlink_delete_address(struct netlink *nl, const char *name, const struct net_prefix *address);

/* A route to `destination` through `gateway` (NULL: on the link) on interface `name` (NULL: found
 * by the gateway's address). Replaces an equal one. */
int netlink_add_route(struct netlink *nl, const struct net_prefix *destination,
                      const struct net_prefix *gateway, const char *name);
int netlink_delete_route(struct netlink *nl, const struct net_prefix *destination,
                         const struct net_prefix *gateway, const char *name);

/* Has the kernel compute checksums in software when packets leave on this interface, as raw readers
 * at the other end of a veth need it. `netns` -1: here. */
int netns_checksum_offload_off(int netns, const char *name);

/* Writes a value under /proc/sys, e.g. "net/ipv4/ip_forward", "1"; the namespace's own value. */
int netns_sysctl(int netns, const char *name, const char *value);

/* Runs `nft -f -` with this script in the namespace. 0, -ENOENT when nft is not installed, -EINVAL
 * when nft refused (its message goes to standard error). */
int netns_nft(int netns, const char *script);

#endif
