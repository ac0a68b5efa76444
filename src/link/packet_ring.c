/*
 * packet_ring.c -- see packet_ring.h.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/netns.h"
#include "link/packet_ring.h"

#define BLOCKS       32
#define BLOCK_SIZE   (256U << 10)
#define RESERVE      64 /* room before each frame, for who prepends to it */
#define RETIRE_MS    1
#define EMPTY_CALLS  64 /* between two looks whether the interface is still there */
#define VLAN_BYTES   4
#define MEMORY       ((size_t)BLOCKS * BLOCK_SIZE)
#define GROUP_EXISTS 0x10000U /* so that a group's number is never 0 */

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING /* younger than the oldest headers we build with */
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

/* ---- opening ---- */

struct opening {
    struct packet_ring *ring;
    uint32_t *group;
};

static int set(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* Until it has joined its group, a ring would get what others get, too: it hears nothing. */
static int deafen(int fd)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    const struct sock_fprog program = {.len = 1, .filter = &nothing};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int join_group(int fd, uint32_t *group)
{
    uint32_t flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
    uint32_t value = *group & 0xffff;
    socklen_t size = sizeof(value);
    int err;

    if (*group == 0)
        flags |= PACKET_FANOUT_FLAG_UNIQUEID;
    if ((err = set(fd, PACKET_FANOUT, (int)(flags << 16 | value))) < 0)
        return err;
    if (*group == 0) {
        if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, &size) < 0)
            return -errno;
        *group = GROUP_EXISTS | (value & 0xffff);
    }
    return 0;
}

static int map_ring(struct packet_ring *r)
{
    const struct tpacket_req3 request = {.tp_block_size = BLOCK_SIZE,
                                         .tp_block_nr = BLOCKS,
                                         .tp_frame_size = 2048, /* of no meaning here, but asked */
                                         .tp_frame_nr = BLOCKS * (BLOCK_SIZE / 2048),
                                         .tp_retire_blk_tov = RETIRE_MS};
    int err;

    if ((err = set(r->fd, PACKET_VERSION, TPACKET_V3)) < 0 ||
        (err = set(r->fd, PACKET_VNET_HDR, 1)) < 0 ||
        (err = set(r->fd, PACKET_RESERVE, RESERVE)) < 0)
        return err;
    if (setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
        return -errno;
    r->blocks = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (r->blocks == MAP_FAILED) {
        r->blocks = NULL;
        return -errno;
    }
    return 0;
}

static int configure(struct packet_ring *r)
{
    struct packet_mreq everything = {.mr_ifindex = r->ifindex, .mr_type = PACKET_MR_PROMISC};
    int err, room = 4 << 20;

    if ((err = map_ring(r)) < 0 || (err = set(r->fd, PACKET_IGNORE_OUTGOING, 1)) < 0 ||
        (err = set(r->fd, PACKET_QDISC_BYPASS, 1)) < 0)
        return err;
    if (setsockopt(r->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &everything, sizeof(everything)) < 0)
        return -errno;
    (void)setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    return 0;
}

static int open_here(void *argument)
{
    struct opening *opening = argument;
    struct packet_ring *r = opening->ring;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int err, none = 0;

    address.sll_ifindex = r->ifindex = (int)if_nametoindex(r->name);
    if (r->ifindex == 0)
        return -ENODEV;
    r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r->fd < 0)
        return -errno;
    if ((err = configure(r)) < 0 || (err = deafen(r->fd)) < 0)
        return err;
    if (bind(r->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    if (opening->group && (err = join_group(r->fd, opening->group)) < 0)
        return err;
    return setsockopt(r->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) < 0 ? -errno : 0;
}

int packet_ring_open(struct packet_ring *r, const char *interface, int netns, uint32_t *group)
{
    struct opening opening = {r, group};
    int err;

    memset(r, 0, sizeof(*r));
    r->fd = -1;
    if (strlen(interface) >= sizeof(r->name))
        return -ENAMETOOLONG;
    memcpy(r->name, interface, strlen(interface) + 1);
    err = netns_call(netns, open_here, &opening);
    if (err < 0)
        packet_ring_close(r);
    return err;
}

void packet_ring_close(struct packet_ring *r)
{
    if (r->blocks)
        munmap(r->blocks, MEMORY);
    if (r->fd >= 0)
        close(r->fd);
    r->blocks = r->next = NULL;
    r->fd = -1;
}

/* ---- receiving ---- */

static struct tpacket_block_desc *block_of(const struct packet_ring *r)
{
    return (struct tpacket_block_desc *)(r->blocks + (size_t)r->block * BLOCK_SIZE);
}

static int receive_nothing(struct packet_ring *r)
{
    socklen_t size = sizeof(int);
    int error = 0;

    if (r->idle++ % EMPTY_CALLS)
        return 0;
    if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

/* The tag goes where the header for virtio was, which has been read. */
static bool put_tag_back(struct packet_ring_frame *f, const struct tpacket3_hdr *h)
{
    uint16_t tci = (uint16_t)h->hv1.tp_vlan_tci;
    uint16_t tpid = h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid : ETH_P_8021Q;

    if (!(h->tp_status & TP_STATUS_VLAN_VALID))
        return true;
    f->at -= VLAN_BYTES;
    f->len += VLAN_BYTES;
    memmove(f->at, f->at + VLAN_BYTES, 2 * ETH_ALEN);
    f->at[12] = (uint8_t)(tpid >> 8);
    f->at[13] = (uint8_t)tpid;
    f->at[14] = (uint8_t)(tci >> 8);
    f->at[15] = (uint8_t)tci;
    return offload_shift(&f->offload, VLAN_BYTES);
}

static bool read_frame(uint8_t *at, struct packet_ring_frame *f)
{
    const struct tpacket3_hdr *h = (const struct tpacket3_hdr *)at;
    struct virtio_net_hdr header;

    if (h->tp_snaplen != h->tp_len || h->tp_snaplen < ETH_HLEN)
        return false;
    f->at = at + h->tp_mac;
    f->len = h->tp_snaplen;
    memcpy(&header, f->at - sizeof(header), sizeof(header));
    return offload_from_virtio(&f->offload, &header, f->at, f->len) == 0 && put_tag_back(f, h);
}

/* A burst does not go beyond a block, so that one mark releases it. */
int packet_ring_receive(struct packet_ring *r, struct packet_ring_frame *frames, unsigned n)
{
    unsigned given = 0;

    if (!r->next) {
        struct tpacket_block_desc *block = block_of(r);
        if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            return receive_nothing(r);
        r->left = block->hdr.bh1.num_pkts;
        r->next = (uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;
    }
    while (r->left > 0 && given < n) {
        if (read_frame(r->next, &frames[given]))
            given++;
        else
            r->dropped_here++;
        r->next += ((const struct tpacket3_hdr *)r->next)->tp_next_offset;
        r->left--;
    }
    if (given == 0 && r->left == 0)
        packet_ring_release(r);
    return (int)given;
}

void packet_ring_release(struct packet_ring *r)
{
    if (!r->next || r->left > 0)
        return;
    __atomic_store_n(&block_of(r)->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    r->block = (r->block + 1) % BLOCKS;
    r->next = NULL;
}

/* ---- sending ---- */

/* The messages of a burst; how many frames of `frames` they cover: those from the first that is
 * untrue of itself on are left for the next round. */
static unsigned make_messages(const struct packet_ring_frame *frames, unsigned n,
                              struct mmsghdr *messages, struct iovec (*parts)[2],
                              struct virtio_net_hdr *headers)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        const struct packet_ring_frame *f = &frames[i];
        if (offload_to_virtio(&f->offload, f->at, f->len, &headers[i]) < 0)
            break;
        parts[i][0] = (struct iovec){&headers[i], sizeof(headers[i])};
        parts[i][1] = (struct iovec){f->at, f->len};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = parts[i], .msg_iovlen = 2}};
    }
    return i;
}

static bool is_full(int error)
{
    return error == EAGAIN || error == ENOBUFS;
}

int packet_ring_send(struct packet_ring *r, const struct packet_ring_frame *frames, unsigned n)
{
    struct mmsghdr messages[PACKET_RING_BURST];
    struct iovec parts[PACKET_RING_BURST][2];
    struct virtio_net_hdr headers[PACKET_RING_BURST];
    unsigned sent = 0;

    while (sent < n) {
        unsigned count = n - sent > PACKET_RING_BURST ? PACKET_RING_BURST : n - sent;
        int done;

        count = make_messages(frames + sent, count, messages, parts, headers);
        done = count ? sendmmsg(r->fd, messages, count, MSG_DONTWAIT) : 0;
        if (count == 0 || (done < 0 && (errno == EMSGSIZE || errno == EINVAL)))
            sent++; /* nobody could send this one */
        else if (done <= 0)
            return sent > 0 || is_full(errno) ? (int)sent : errno == ENXIO ? -ENETDOWN : -errno;
        else
            sent += (unsigned)done;
    }
    return (int)sent;
}

uint64_t packet_ring_dropped(struct packet_ring *r)
{
    struct tpacket_stats_v3 s = {0};
    socklen_t size = sizeof(s);

    if (r->fd >= 0 && getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &s, &size) == 0)
        r->dropped_kernel += s.tp_drops;
    return r->dropped_kernel + r->dropped_here;
}
