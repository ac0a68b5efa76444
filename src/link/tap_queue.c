/*
 * tap_queue.c -- see tap_queue.h. Linux: Documentation/networking/tuntap.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "link/netns.h"
#include "link/tap_queue.h"

#ifndef TUN_F_USO4 /* younger than the oldest headers we build with */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

struct opening {
    struct tap_queue *queue;
    bool ethernet;
    uint16_t mtu;
};

/* As much as this kernel can; less is no error, packets then come finished. */
static bool ask_for_offloads(int fd)
{
    static const unsigned long wishes[] = {
        TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
        TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
        TUN_F_CSUM,
    };

    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
        if (ioctl(fd, TUNSETOFFLOAD, wishes[i]) == 0)
            return true;
    return false;
}

static int bring_up(struct tap_queue *q, uint16_t mtu)
{
    struct netlink nl;
    int err = netlink_open(&nl, -1);

    if (err < 0)
        return err;
    if (mtu)
        err = netlink_set_mtu(&nl, q->name, mtu);
    if (err == 0)
        err = netlink_set_up(&nl, q->name);
    if (err == 0)
        err = q->ifindex = netlink_index(&nl, q->name);
    netlink_close(&nl);
    return err < 0 ? err : 0;
}

static int open_here(void *argument)
{
    struct opening *opening = argument;
    struct tap_queue *q = opening->queue;
    struct ifreq request = {.ifr_flags = IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE};
    int size = sizeof(struct virtio_net_hdr);

    request.ifr_flags |= opening->ethernet ? IFF_TAP : IFF_TUN;
    memcpy(request.ifr_name, q->name, sizeof(q->name));
    q->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (q->fd < 0)
        return -errno;
    if (ioctl(q->fd, TUNSETIFF, &request) < 0) {
        if (errno != EINVAL)
            return -errno;
        request.ifr_flags &= ~IFF_MULTI_QUEUE; /* one that somebody made for one queue */
        if (ioctl(q->fd, TUNSETIFF, &request) < 0)
            return -errno;
    }
    if (ioctl(q->fd, TUNSETVNETHDRSZ, &size) < 0)
        return -errno;
    q->offloads = ask_for_offloads(q->fd);
    return bring_up(q, opening->mtu);
}

int tap_queue_open(struct tap_queue *q, bool ethernet, const char *interface, int netns,
                   uint16_t mtu)
{
    struct opening opening = {q, ethernet, mtu};
    int err;

    memset(q, 0, sizeof(*q));
    q->fd = -1;
    if (strlen(interface) >= sizeof(q->name))
        return -ENAMETOOLONG;
    memcpy(q->name, interface, strlen(interface) + 1);
    err = netns_call(netns, open_here, &opening);
    if (err < 0)
        tap_queue_close(q);
    return err;
}

void tap_queue_close(struct tap_queue *q)
{
    if (q->fd >= 0)
        close(q->fd);
    q->fd = -1;
}

/* The kernel's words for an interface that is down, or deleted. */
static int error_of(int error)
{
    return error == EIO || error == EBADFD ? -ENETDOWN : -error;
}

int tap_queue_receive(struct tap_queue *q, uint8_t *at, size_t size, struct offload *offload)
{
    struct virtio_net_hdr header;
    const struct iovec parts[] = {{&header, sizeof(header)}, {at, size}};
    ssize_t n;

    do
        n = readv(q->fd, parts, 2);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : error_of(errno);
    if ((size_t)n < sizeof(header))
        return -EBADMSG;
    n -= (ssize_t)sizeof(header);
    if ((size_t)n >= size)
        return -EMSGSIZE;
    return offload_from_virtio(offload, &header, at, (size_t)n) < 0 ? -EBADMSG : (int)n;
}

int tap_queue_send(struct tap_queue *q, const uint8_t *at, size_t len,
                   const struct offload *offload)
{
    struct virtio_net_hdr header;
    const struct iovec parts[] = {{&header, sizeof(header)}, {(void *)(uintptr_t)at, len}};
    ssize_t n;

    if (offload_to_virtio(offload, at, len, &header) < 0)
        return -EBADMSG;
    do
        n = writev(q->fd, parts, 2);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return 0;
    return errno == ENOBUFS ? -EAGAIN : error_of(errno);
}
