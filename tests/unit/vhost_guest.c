/*
 * vhost_guest.c -- see vhost_guest.h.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"
#include "link/vhost_socket.h"
#include "vhost_guest.h"

static const uint64_t user_of_half[2] = {0x7f0000000000, 0x7e0000000000};

void guest_init(struct guest *g, uint16_t num)
{
    memset(g, 0, sizeof(*g));
    g->fd = -1;
    g->memfd = memfd_create("guest", MFD_CLOEXEC);
    assert_true(g->memfd >= 0);
    assert_int_equal(ftruncate(g->memfd, GUEST_SIZE), 0);
    g->memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->memfd, 0);
    assert_ptr_not_equal(g->memory, MAP_FAILED);
    for (unsigned i = 0; i < GUEST_QUEUES; i++) {
        struct guest_queue *q = &g->queues[i];

        q->num = num;
        q->at = GUEST_BASE + i * 0x10000ULL;
        q->desc = (void *)guest_at(g, q->at);
        q->avail = (void *)guest_at(g, q->at + 0x4000);
        q->used = (void *)guest_at(g, q->at + 0x8000);
        q->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        q->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    }
}

void guest_free(struct guest *g)
{
    guest_hang_up(g);
    for (unsigned i = 0; i < GUEST_QUEUES; i++) {
        close(g->queues[i].kick);
        close(g->queues[i].call);
    }
    munmap(g->memory, GUEST_SIZE);
    close(g->memfd);
}

uint8_t *guest_at(struct guest *g, uint64_t guest)
{
    assert_true(guest >= GUEST_BASE && guest < GUEST_BASE + GUEST_SIZE);
    return g->memory + (guest - GUEST_BASE);
}

uint64_t guest_user(uint64_t guest)
{
    uint64_t inside = guest - GUEST_BASE;

    return user_of_half[inside / GUEST_HALF] + inside % GUEST_HALF;
}

struct guest_region guest_region(unsigned half)
{
    return (struct guest_region){.guest = GUEST_BASE + (uint64_t)half * GUEST_HALF,
                                 .user = user_of_half[half],
                                 .size = GUEST_HALF};
}

struct vhost_vring_addr guest_ring(struct guest *g, unsigned queue)
{
    uint64_t at = g->queues[queue].at;

    return (struct vhost_vring_addr){.index = queue,
                                     .desc_user_addr = guest_user(at),
                                     .avail_user_addr = guest_user(at + 0x4000),
                                     .used_user_addr = guest_user(at + 0x8000)};
}

/* ---- the driver ---- */

void guest_desc(struct guest_queue *q, uint16_t i, uint64_t addr, uint32_t len, uint16_t flags,
                uint16_t next)
{
    q->desc[i] = (struct vring_desc){htole64(addr), htole32(len), htole16(flags), htole16(next)};
}

void guest_add(struct guest_queue *q, uint16_t head)
{
    q->avail->ring[q->added++ % q->num] = htole16(head);
    __atomic_store_n(&q->avail->idx, htole16(q->added), __ATOMIC_SEQ_CST);
}

bool guest_used(struct guest_queue *q, uint32_t *id, uint32_t *len)
{
    const struct vring_used_elem *e = &q->used->ring[q->seen % q->num];

    if (le16toh(__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE)) == q->seen)
        return false;
    *id = le32toh(e->id);
    *len = le32toh(e->len);
    q->seen++;
    return true;
}

void guest_transmit(struct guest *g, struct guest_queue *q, uint16_t i, uint8_t fill, uint32_t len)
{
    uint64_t at = GUEST_BUFFERS + i * 4096ULL;

    memset(guest_at(g, at), 0, sizeof(struct virtio_net_hdr_v1));
    memset(guest_at(g, at) + sizeof(struct virtio_net_hdr_v1), fill, len);
    guest_desc(q, i, at, (uint32_t)sizeof(struct virtio_net_hdr_v1) + len, 0, 0);
    guest_add(q, i);
}

void guest_provide(struct guest_queue *q, uint16_t i, uint32_t len)
{
    guest_desc(q, i, GUEST_BUFFERS + i * 4096ULL, len, VRING_DESC_F_WRITE, 0);
    guest_add(q, i);
}

bool guest_interrupted(struct guest_queue *q)
{
    uint64_t n;

    return read(q->call, &n, sizeof(n)) == sizeof(n);
}

/* ---- the hypervisor ---- */

int guest_connect(struct guest *g, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    guest_hang_up(g);
    g->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(g->fd >= 0);
    return connect(g->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

void guest_hang_up(struct guest *g)
{
    if (g->fd >= 0)
        close(g->fd);
    g->fd = -1;
}

void guest_say(struct guest *g, uint32_t request, uint32_t flags, const void *payload,
               uint32_t size, const int *fds, unsigned fd_count)
{
    struct vhost_header h = {request, VHOST_HEADER_VERSION | flags, size};
    struct iovec iov[2] = {{&h, sizeof(h)}, {(void *)(uintptr_t)payload, size}};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(16 * sizeof(int))];
    } room = {.bytes = {0}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};

    assert_true(fd_count <= 16);
    if (fd_count > 0) {
        message.msg_control = &room;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        room.header.cmsg_level = SOL_SOCKET;
        room.header.cmsg_type = SCM_RIGHTS;
        room.header.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&room.header), fds, fd_count * sizeof(int));
    }
    (void)sendmsg(g->fd, &message, MSG_NOSIGNAL);
}

int guest_hear(struct guest *g, uint32_t request, void *payload, uint32_t size)
{
    struct vhost_header h;
    ssize_t n = recv(g->fd, &h, sizeof(h), MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (n == 0)
        return -1;
    assert_int_equal(n, sizeof(h));
    assert_int_equal(h.request, request);
    assert_int_equal(h.flags, VHOST_HEADER_VERSION | VHOST_HEADER_REPLY);
    assert_true(h.size <= size);
    assert_int_equal(recv(g->fd, payload, h.size, MSG_DONTWAIT), h.size);
    return (int)h.size;
}
