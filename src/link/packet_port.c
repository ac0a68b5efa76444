/*
 * packet_port.c -- see packet_port.h. Linux: tun(4), packet(7), ethtool's ioctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/netns.h"
#include "link/packet_port.h"
#include "wire/net/net.h"

/* What runs inside the interface's namespace. */
struct opening {
    struct packet_port *port;
    uint16_t mtu;
};

static int ask(struct packet_port *p, unsigned long what, struct ifreq *request)
{
    memset(request, 0, sizeof(*request));
    memcpy(request->ifr_name, p->name, sizeof(p->name));
    return ioctl(p->control, what, request) < 0 ? -errno : 0;
}

bool packet_port_refresh(struct packet_port *p)
{
    uint16_t mtu = p->mtu;
    bool carrier = p->carrier;
    struct ifreq request;

    if (ask(p, SIOCGIFMTU, &request) == 0)
        p->mtu = request.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)request.ifr_mtu;
    p->carrier = ask(p, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) &&
                 (request.ifr_flags & IFF_RUNNING);
    return mtu != p->mtu || carrier != p->carrier;
}

static int bring_up(struct packet_port *p, uint16_t mtu)
{
    struct ifreq request;
    int err;

    if (mtu) {
        memset(&request, 0, sizeof(request));
        memcpy(request.ifr_name, p->name, sizeof(p->name));
        request.ifr_mtu = mtu;
        if (ioctl(p->control, SIOCSIFMTU, &request) < 0)
            return -errno;
    }
    if ((err = ask(p, SIOCGIFFLAGS, &request)) < 0)
        return err;
    if (request.ifr_flags & IFF_UP)
        return 0;
    request.ifr_flags |= IFF_UP;
    return ioctl(p->control, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* ---- TAP and TUN ---- */

static int open_tun(struct packet_port *p, uint16_t mtu)
{
    struct ifreq request = {.ifr_flags = IFF_NO_PI};

    request.ifr_flags |= p->kind == PACKET_PORT_TAP ? IFF_TAP : IFF_TUN;
    memcpy(request.ifr_name, p->name, sizeof(p->name));
    p->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (p->fd < 0)
        return -errno;
    if (ioctl(p->fd, TUNSETIFF, &request) < 0)
        return -errno;
    return bring_up(p, mtu);
}

/* ---- AF_PACKET ---- */

/* Frames must come as they were on the wire: no segments glued together. An interface that can not
 * do so anyway says no, which is as good. */
static void offloads_off(struct packet_port *p)
{
    static const uint32_t commands[] = {ETHTOOL_SGRO, ETHTOOL_STSO, ETHTOOL_SGSO};
    struct ethtool_value value = {.data = 0};
    struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
    struct ifreq request;

    memset(&request, 0, sizeof(request));
    memcpy(request.ifr_name, p->name, sizeof(p->name));
    request.ifr_data = (char *)&value;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        value.cmd = commands[i];
        (void)ioctl(p->control, SIOCETHTOOL, &request);
    }
    request.ifr_data = (char *)&flags;
    if (ioctl(p->control, SIOCETHTOOL, &request) == 0 && (flags.data & ETH_FLAG_LRO)) {
        flags.cmd = ETHTOOL_SFLAGS;
        flags.data &= ~(uint32_t)ETH_FLAG_LRO;
        (void)ioctl(p->control, SIOCETHTOOL, &request);
    }
}

static int open_packet(struct packet_port *p)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct packet_mreq everything = {.mr_type = PACKET_MR_PROMISC};
    int one = 1, room = 4 << 20;
    struct ifreq request;
    int err;

    if ((err = ask(p, SIOCGIFINDEX, &request)) < 0)
        return err;
    address.sll_ifindex = everything.mr_ifindex = request.ifr_ifindex;
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   0); /* silent until it is bound */
    if (p->fd < 0)
        return -errno;
    offloads_off(p);
    if (setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
        setsockopt(p->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
        setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &everything, sizeof(everything)) < 0)
        return -errno;
    (void)setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    (void)setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    if (bind(p->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return bring_up(p, 0);
}

static int open_kind(struct packet_port *p, uint16_t mtu)
{
    switch (p->kind) {
    case PACKET_PORT_PACKET:
        return open_packet(p);
    case PACKET_PORT_WATCH:
        return bring_up(p, mtu);
    default:
        return open_tun(p, mtu);
    }
}

static int open_here(void *argument)
{
    struct opening *opening = argument;
    struct packet_port *p = opening->port;
    struct ifreq request;
    int err;

    p->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (p->control < 0)
        return -errno;
    if ((err = open_kind(p, opening->mtu)) < 0)
        return err;
    if (ask(p, SIOCGIFINDEX, &request) == 0)
        p->ifindex = request.ifr_ifindex;
    if (p->kind != PACKET_PORT_TUN && ask(p, SIOCGIFHWADDR, &request) == 0)
        memcpy(p->mac, request.ifr_hwaddr.sa_data, sizeof(p->mac));
    packet_port_refresh(p);
    return 0;
}

int packet_port_open(struct packet_port *p, enum packet_port_kind kind, const char *interface,
                     int netns, uint16_t mtu)
{
    struct opening opening = {p, mtu};
    int err;

    memset(p, 0, sizeof(*p));
    p->kind = kind;
    p->fd = p->control = -1;
    if (strlen(interface) >= sizeof(p->name))
        return -ENAMETOOLONG;
    memcpy(p->name, interface, strlen(interface) + 1);
    err = netns_call(netns, open_here, &opening);
    if (err < 0)
        packet_port_close(p);
    return err;
}

void packet_port_close(struct packet_port *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->control >= 0)
        close(p->control);
    p->fd = p->control = -1;
}

/* ---- receiving ---- */

static int receive_tun(struct packet_port *p, struct packet_buffer *buffers, int count)
{
    for (int i = 0; i < count; i++) {
        ssize_t n = read(p->fd, buffers[i].at, buffers[i].size);

        if (n < 0) {
            if (errno == EINTR) {
                i--;
                continue;
            }
            return i > 0 || errno == EAGAIN ? i : -errno;
        }
        buffers[i].len = (size_t)n < buffers[i].size ? (size_t)n : 0;
    }
    return count;
}

/* A packet from a local sender whose checksum was left to a card that is not there. */
static void finish_checksum(uint8_t *at, size_t len)
{
    struct net_packet packet;
    size_t size;

    if (net_read_frame(bytes_of(at, len), &packet) < 0 || !packet.version || packet.fragment)
        return;
    size = packet.src.family_size;
    net_fill_checksum(packet.protocol, packet.src.bytes, packet.dst.bytes, size,
                      at + (packet.transport.at - at), packet.transport.len);
}

static void put_tag_back(struct packet_buffer *b, const struct tpacket_auxdata *aux)
{
    uint16_t tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETH_P_8021Q;

    memmove(b->at + 16, b->at + 12, b->len - 12);
    b->at[12] = (uint8_t)(tpid >> 8);
    b->at[13] = (uint8_t)tpid;
    b->at[14] = (uint8_t)(aux->tp_vlan_tci >> 8);
    b->at[15] = (uint8_t)aux->tp_vlan_tci;
    b->len += 4;
}

static void repair_frame(struct packet_buffer *b, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct tpacket_auxdata aux;

        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof(aux));
        if (b->len < ETH_HLEN)
            return;
        if (aux.tp_status & TP_STATUS_CSUMNOTREADY)
            finish_checksum(b->at, b->len);
        if (aux.tp_status & TP_STATUS_VLAN_VALID)
            put_tag_back(b, &aux);
    }
}

union control_room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

static int receive_packet(struct packet_port *p, struct packet_buffer *buffers, int count)
{
    struct mmsghdr messages[PACKET_PORT_BURST];
    union control_room control[PACKET_PORT_BURST];
    struct iovec iov[PACKET_PORT_BURST];
    int n;

    for (int i = 0; i < count; i++) {
        iov[i] = (struct iovec){buffers[i].at, buffers[i].size - VLAN_TAG_SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
                                              .msg_iovlen = 1,
                                              .msg_control = &control[i],
                                              .msg_controllen = sizeof(control[i])};
    }
    n = recvmmsg(p->fd, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        bool whole = !(messages[i].msg_hdr.msg_flags & MSG_TRUNC);

        buffers[i].len = whole ? messages[i].msg_len : 0;
        if (whole)
            repair_frame(&buffers[i], &messages[i].msg_hdr);
    }
    return n;
}

int packet_port_receive(struct packet_port *p, struct packet_buffer *buffers, int count)
{
    if (count > PACKET_PORT_BURST)
        count = PACKET_PORT_BURST;
    return p->kind == PACKET_PORT_PACKET ? receive_packet(p, buffers, count)
                                         : receive_tun(p, buffers, count);
}

/* ---- sending ---- */

static int send_tun(struct packet_port *p, const struct packet_buffer *buffers, int count)
{
    for (int i = 0; i < count; i++)
        if (write(p->fd, buffers[i].at, buffers[i].len) < 0 && errno != EINTR) {
            if (errno == EINVAL) /* no IP packet, or no frame: nobody's loss */
                continue;
            return i > 0 || errno == EAGAIN || errno == ENOBUFS ? i
                   : errno == EIO                               ? -ENETDOWN
                                                                : -errno;
        }
    return count;
}

static int send_packet(struct packet_port *p, const struct packet_buffer *buffers, int count)
{
    struct mmsghdr messages[PACKET_PORT_BURST];
    struct iovec iov[PACKET_PORT_BURST];
    int sent = 0;

    while (sent < count) {
        int n = count - sent > PACKET_PORT_BURST ? PACKET_PORT_BURST : count - sent;

        for (int i = 0; i < n; i++) {
            iov[i] = (struct iovec){buffers[sent + i].at, buffers[sent + i].len};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
        }
        n = sendmmsg(p->fd, messages, (unsigned)n, MSG_DONTWAIT);
        if (n < 0 && errno == EMSGSIZE) {
            sent++; /* longer than the MTU: lost, as on any wire */
            continue;
        }
        if (n <= 0)
            return sent > 0 || errno == EAGAIN || errno == ENOBUFS ? sent : -errno;
        sent += n;
    }
    return sent;
}

int packet_port_send(struct packet_port *p, const struct packet_buffer *buffers, int count)
{
    return p->kind == PACKET_PORT_PACKET ? send_packet(p, buffers, count)
                                         : send_tun(p, buffers, count);
}
