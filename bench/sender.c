/*
 * sender.c -- see sender.h. AF_XDP's rings are used as the kernel documents them
 * (Documentation/networking/af_xdp.rst), without a library: only the sending half is needed.
 *
 * The kernel has copied a frame once it has taken its descriptor, so frames are used again in the
 * order of the ring; the completion ring is emptied only to make room.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sender.h"

#define RING 2048 /* descriptors, and frames */

struct ring {
    uint32_t *producer, *consumer;
    void *entries;
};

static struct {
    int fd;
    size_t len;
    uint8_t *frames;
    bool xdp;
    uint32_t next; /* frame */
    struct ring tx, completion;
    struct mmsghdr messages[SENDER_BATCH];
    struct iovec iov[SENDER_BATCH];
} s;

/* ---- AF_XDP ---- */

static int map_ring(struct ring *ring, const struct xdp_ring_offset *offset, size_t entry,
                    off_t page)
{
    uint8_t *at = mmap(NULL, offset->desc + RING * entry, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, s.fd, page);

    if (at == MAP_FAILED)
        return -errno;
    ring->producer = (uint32_t *)(void *)(at + offset->producer);
    ring->consumer = (uint32_t *)(void *)(at + offset->consumer);
    ring->entries = at + offset->desc;
    return 0;
}

static int open_xdp(const char *interface)
{
    struct xdp_umem_reg memory = {.addr = (uint64_t)(uintptr_t)s.frames,
                                  .len = (uint64_t)RING * SENDER_FRAME_ROOM,
                                  .chunk_size = SENDER_FRAME_ROOM};
    struct sockaddr_xdp at = {
        .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY, .sxdp_ifindex = if_nametoindex(interface)};
    struct xdp_mmap_offsets offsets;
    socklen_t size = sizeof(offsets);
    int ring = RING, err;

    s.fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s.fd < 0)
        return -errno;
    if (setsockopt(s.fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof(memory)) < 0 ||
        setsockopt(s.fd, SOL_XDP, XDP_UMEM_FILL_RING, &ring, sizeof(ring)) < 0 ||
        setsockopt(s.fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &ring, sizeof(ring)) < 0 ||
        setsockopt(s.fd, SOL_XDP, XDP_TX_RING, &ring, sizeof(ring)) < 0 ||
        getsockopt(s.fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) < 0)
        return -errno;
    err = map_ring(&s.tx, &offsets.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
    if (err == 0)
        err = map_ring(&s.completion, &offsets.cr, sizeof(uint64_t),
                       (off_t)XDP_UMEM_PGOFF_COMPLETION_RING);
    if (err == 0 && bind(s.fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        err = -errno;
    return err;
}

static void send_xdp(unsigned count)
{
    struct xdp_desc *entries = s.tx.entries;
    uint32_t last = *s.tx.producer + count;

    for (uint32_t i = last - count; i != last; i++)
        entries[i % RING] = (struct xdp_desc){.addr = (uint64_t)(i % RING) * SENDER_FRAME_ROOM,
                                              .len = (uint32_t)s.len};
    __atomic_store_n(s.tx.producer, last, __ATOMIC_RELEASE);
    while (__atomic_load_n(s.tx.consumer, __ATOMIC_ACQUIRE) != last) {
        ssize_t n = sendto(s.fd, NULL, 0, MSG_DONTWAIT, NULL, 0);

        __atomic_store_n(s.completion.consumer,
                         __atomic_load_n(s.completion.producer, __ATOMIC_ACQUIRE),
                         __ATOMIC_RELEASE);
        if (n < 0 && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
            break;
    }
    s.next = last % RING;
}

/* ---- AF_PACKET ---- */

static int open_packet(const char *interface)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int)if_nametoindex(interface)};
    int one = 1, room = 8 << 20;

    s.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s.fd < 0 || bind(s.fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        setsockopt(s.fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0)
        return -errno;
    (void)setsockopt(s.fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    for (unsigned i = 0; i < SENDER_BATCH; i++) {
        s.iov[i] = (struct iovec){s.frames + (size_t)i * SENDER_FRAME_ROOM, s.len};
        s.messages[i].msg_hdr = (struct msghdr){.msg_iov = &s.iov[i], .msg_iovlen = 1};
    }
    return 0;
}

static void send_packet(unsigned count)
{
    unsigned done = 0;

    while (done < count) {
        int n = sendmmsg(s.fd, s.messages + done, count - done, 0);

        done += n > 0 ? (unsigned)n : 1;
    }
}

/* ---- either ---- */

int sender_open(const char *interface, size_t frame_len)
{
    s.len = frame_len;
    s.frames = mmap(NULL, (size_t)RING * SENDER_FRAME_ROOM, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (s.frames == MAP_FAILED)
        return -errno;
    s.xdp = open_xdp(interface) == 0;
    if (s.xdp)
        return 0;
    if (s.fd >= 0)
        close(s.fd);
    return open_packet(interface);
}

uint8_t *sender_frame(unsigned i)
{
    return s.frames + (size_t)((s.next + i) % RING) * SENDER_FRAME_ROOM;
}

void sender_send(unsigned count)
{
    if (s.xdp)
        send_xdp(count);
    else
        send_packet(count);
}

void sender_fill(const uint8_t *frame)
{
    for (size_t i = 0; i < RING; i++)
        memcpy(s.frames + i * SENDER_FRAME_ROOM, frame, SENDER_FRAME_ROOM);
}
