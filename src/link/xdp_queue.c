/*
 * xdp_queue.c -- see xdp_queue.h. Linux: Documentation/networking/af_xdp.rst.
 *
 * The rings are libxdp's; the program is ours, as libxdp's own would be pinned in a file system and
 * outlive us.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "link/netns.h"
#include "link/xdp_queue.h"

#define MAX_QUEUES  4096
#define EMPTY_CALLS 64 /* between two looks whether the interface is still there */

/* ---- the program on an interface ---- */

struct xdp_program {
    struct xdp_program *next;
    dev_t namespace_device; /* the interface: its namespace */
    ino_t namespace_inode;
    int ifindex; /* and its index there */
    enum xdp_mode mode;
    unsigned queues; /* users */
    int map, fd, link;
};

static struct {
    pthread_mutex_t lock;
    struct xdp_program *first;
} programs = {PTHREAD_MUTEX_INITIALIZER, NULL};

/* return bpf_redirect_map(&map, context->rx_queue_index, XDP_PASS) */
static int load_program(int map)
{
    const struct bpf_insn code[] = {
        {.code = BPF_LDX | BPF_MEM | BPF_W,
         .dst_reg = BPF_REG_2,
         .src_reg = BPF_REG_1,
         .off = offsetof(struct xdp_md, rx_queue_index)},
        {.code = BPF_LD | BPF_DW | BPF_IMM,
         .dst_reg = BPF_REG_1,
         .src_reg = BPF_PSEUDO_MAP_FD,
         .imm = map},
        {.code = 0}, /* the second half of the former */
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
        {.code = BPF_JMP | BPF_EXIT},
    };

    return bpf_prog_load(BPF_PROG_TYPE_XDP, "strowger_xdp", "Apache-2.0", code,
                         sizeof(code) / sizeof(code[0]), NULL);
}

static void close_program(struct xdp_program *p)
{
    if (p->link >= 0) {
        (void)bpf_link_detach(p->link);
        close(p->link);
    }
    if (p->fd >= 0)
        close(p->fd);
    if (p->map >= 0)
        close(p->map);
    free(p);
}

static int attach_program(struct xdp_program *p)
{
    LIBBPF_OPTS(bpf_link_create_opts, options,
                .flags = p->mode == XDP_MODE_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);

    p->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "strowger_xsk", sizeof(int), sizeof(int),
                            MAX_QUEUES, NULL);
    if (p->map < 0)
        return p->map;
    p->fd = load_program(p->map);
    if (p->fd < 0)
        return p->fd;
    p->link = bpf_link_create(p->fd, p->ifindex, BPF_XDP, &options);
    return p->link < 0 ? p->link : 0;
}

/* An interface that was deleted takes the attachment with it; its number may come again. */
static bool is_attached(const struct xdp_program *p)
{
    struct bpf_link_info info = {0};
    uint32_t size = sizeof(info);

    return bpf_obj_get_info_by_fd(p->link, &info, &size) == 0 &&
           info.xdp.ifindex == (uint32_t)p->ifindex;
}

static struct xdp_program *find_program(const struct stat *here, int ifindex)
{
    for (struct xdp_program *p = programs.first; p; p = p->next)
        if (p->ifindex == ifindex && p->namespace_inode == here->st_ino &&
            p->namespace_device == here->st_dev && is_attached(p))
            return p;
    return NULL;
}

static int make_program(const struct stat *here, int ifindex, enum xdp_mode mode,
                        struct xdp_program **made)
{
    struct xdp_program *p = calloc(1, sizeof(*p));
    int err;

    if (!p)
        return -ENOMEM;
    *p = (struct xdp_program){.namespace_device = here->st_dev,
                              .namespace_inode = here->st_ino,
                              .ifindex = ifindex,
                              .mode = mode,
                              .map = -1,
                              .fd = -1,
                              .link = -1};
    if ((err = attach_program(p)) < 0) {
        close_program(p);
        return err;
    }
    p->next = programs.first;
    programs.first = p;
    *made = p;
    return 0;
}

/* The interface's program, attached if need be, with one user more. */
static int take_program(int ifindex, enum xdp_mode mode, struct xdp_program **taken)
{
    struct xdp_program *p;
    struct stat here;
    int err = 0;

    if (stat("/proc/thread-self/ns/net", &here) < 0)
        return -errno;
    pthread_mutex_lock(&programs.lock);
    p = find_program(&here, ifindex);
    if (!p)
        err = make_program(&here, ifindex, mode, &p);
    else if (p->mode != mode)
        err = -EBUSY;
    if (err == 0)
        p->queues++;
    pthread_mutex_unlock(&programs.lock);
    *taken = p;
    return err;
}

static void give_program(struct xdp_program *p)
{
    pthread_mutex_lock(&programs.lock);
    if (--p->queues == 0) {
        struct xdp_program **at = &programs.first;
        while (*at != p)
            at = &(*at)->next;
        *at = p->next;
        close_program(p);
    }
    pthread_mutex_unlock(&programs.lock);
}

/* ---- opening ---- */

struct attempt {
    enum xdp_mode mode;
    bool zero_copy;
};

static const struct attempt attempts[] = {
    {XDP_MODE_NATIVE, true},
    {XDP_MODE_NATIVE, false},
    {XDP_MODE_GENERIC, false},
};

#define ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

static int make_socket(struct xdp_queue *q, bool zero_copy, const struct xdp_area *area)
{
    const struct xsk_umem_config memory = {.fill_size = XDP_QUEUE_RING,
                                           .comp_size = XDP_QUEUE_RING,
                                           .frame_size = area->chunk_size,
                                           .frame_headroom = area->headroom};
    const struct xsk_socket_config config = {
        .rx_size = XDP_QUEUE_RING,
        .tx_size = XDP_QUEUE_RING,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .bind_flags = (uint16_t)(XDP_USE_NEED_WAKEUP | (zero_copy ? XDP_ZEROCOPY : XDP_COPY)),
    };
    int err = xsk_umem__create(&q->umem, area->base, area->size, &q->fill, &q->completion, &memory);

    if (err < 0) {
        q->umem = NULL;
        return err;
    }
    err = xsk_socket__create(&q->socket, q->name, q->queue, q->umem, &q->rx, &q->tx, &config);
    if (err < 0) {
        q->socket = NULL;
        (void)xsk_umem__delete(q->umem);
        q->umem = NULL;
    }
    return err;
}

static void delete_socket(struct xdp_queue *q)
{
    if (q->socket)
        xsk_socket__delete(q->socket);
    if (q->umem)
        (void)xsk_umem__delete(q->umem);
    q->socket = NULL;
    q->umem = NULL;
    q->fd = -1;
}

/* The kernel lets go of a closed socket's queue a moment later, in a work queue. */
static int make_socket_patiently(struct xdp_queue *q, bool zero_copy, const struct xdp_area *area)
{
    const struct timespec moment = {0, 5000000};
    int err = make_socket(q, zero_copy, area);

    for (int tries = 0; err == -EBUSY && tries < 60; tries++) {
        nanosleep(&moment, NULL);
        err = make_socket(q, zero_copy, area);
    }
    return err;
}

static int try_to_open(struct xdp_queue *q, int ifindex, const struct attempt *how,
                       const struct xdp_area *area)
{
    int size = 4 << 20, key = (int)q->queue, err;

    if ((err = take_program(ifindex, how->mode, &q->program)) < 0) {
        q->program = NULL;
        return err;
    }
    err = make_socket_patiently(q, how->zero_copy, area);
    if (err == 0) {
        q->fd = xsk_socket__fd(q->socket);
        err = bpf_map_update_elem(q->program->map, &key, &q->fd, 0);
    }
    if (err < 0) {
        delete_socket(q);
        give_program(q->program);
        q->program = NULL;
        return err;
    }
    if (setsockopt(q->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(q->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    q->mode = how->mode;
    q->zero_copy = how->zero_copy;
    return 0;
}

/* What another way of opening may cure. */
static bool worth_another(int err)
{
    return err == -EOPNOTSUPP || err == -EINVAL || err == -EBUSY || err == -EEXIST ||
           err == -ERANGE || err == -E2BIG;
}

static const char *advice(int err)
{
    static const struct {
        int err;
        const char *text;
    } table[] = {
        {-EPERM, "needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF: run as root"},
        {-EACCES, "needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF: run as root"},
        {-EOPNOTSUPP, "the driver has no such mode: take generic"},
        {-ENOBUFS, "locked memory is exhausted: raise ulimit -l, or run as root"},
        {-EBUSY, "another program has the queue or the interface's XDP: see `ip link`"},
        {-EEXIST, "another XDP program is attached: see `ip link`, `ip link set ... xdp off`"},
        {-EINVAL, "no such queue, or a chunk size, MTU or alignment that XDP cannot do"},
        {-ERANGE, "the MTU is too large for native mode here: lower it, or take generic"},
        {-ENODEV, "there is no such interface"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].err == err)
            return table[i].text;
    return "unexpected";
}

struct opening {
    struct xdp_queue *queue;
    enum xdp_mode mode;
    const struct xdp_area *area;
};

static int open_here(void *argument)
{
    struct opening *opening = argument;
    struct xdp_queue *q = opening->queue;
    int ifindex = (int)if_nametoindex(q->name);
    int err = -EOPNOTSUPP;

    if (ifindex == 0)
        return -ENODEV;
    for (size_t i = 0; i < ATTEMPTS; i++) {
        if (opening->mode != XDP_MODE_AUTO && attempts[i].mode != opening->mode)
            continue;
        err = try_to_open(q, ifindex, &attempts[i], opening->area);
        if (err == 0 || !worth_another(err))
            return err;
    }
    return err;
}

static bool area_does(const struct xdp_area *area)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return area->base && (uintptr_t)area->base % page == 0 && area->chunk_size >= 2048 &&
           area->chunk_size <= page && (area->chunk_size & (area->chunk_size - 1)) == 0 &&
           area->size >= area->chunk_size && area->headroom < area->chunk_size - 256;
}

int xdp_queue_open(struct xdp_queue *q, const char *interface, int netns, uint32_t queue,
                   enum xdp_mode mode, const struct xdp_area *area)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    struct opening opening = {q, mode, area};
    int err = -EINVAL;

    memset(q, 0, sizeof(*q));
    q->fd = -1;
    q->queue = queue;
    if (strlen(interface) >= sizeof(q->name))
        return -ENAMETOOLONG;
    memcpy(q->name, interface, strlen(interface) + 1);
    (void)setrlimit(RLIMIT_MEMLOCK, &unlimited); /* who may not is told by -ENOBUFS, if at all */
    if (queue < MAX_QUEUES && area_does(area))
        err = netns_call(netns, open_here, &opening);
    if (err < 0)
        log_error("xdp: %s queue %u: %s (%s)", interface, queue, strerror(-err), advice(err));
    return err;
}

void xdp_queue_close(struct xdp_queue *q)
{
    int key = (int)q->queue;

    if (q->fd < 0)
        return;
    (void)bpf_map_delete_elem(q->program->map, &key);
    delete_socket(q);
    give_program(q->program);
    q->program = NULL;
}

struct counting {
    const char *interface;
};

static int count_here(void *argument)
{
    const struct counting *counting = argument;
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq request = {.ifr_data = (void *)&channels};
    int fd, count = 1;

    if (if_nametoindex(counting->interface) == 0)
        return -ENODEV;
    if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
        return -errno;
    memcpy(request.ifr_name, counting->interface, strlen(counting->interface) + 1);
    if (ioctl(fd, SIOCETHTOOL, &request) == 0)
        count = (int)(channels.combined_count + channels.rx_count);
    close(fd);
    return count > 0 && count <= MAX_QUEUES ? count : 1;
}

int xdp_queue_count(const char *interface, int netns)
{
    struct counting counting = {interface};

    if (strlen(interface) >= IFNAMSIZ)
        return -ENAMETOOLONG;
    return netns_call(netns, count_here, &counting);
}

/* ---- receiving ---- */

unsigned xdp_queue_fill(struct xdp_queue *q, const uint64_t *addresses, unsigned n)
{
    unsigned room = xsk_prod_nb_free(&q->fill, n);
    uint32_t at;

    if (n > room)
        n = room;
    if (n == 0 || xsk_ring_prod__reserve(&q->fill, n, &at) != n)
        return 0;
    for (unsigned i = 0; i < n; i++)
        *xsk_ring_prod__fill_addr(&q->fill, at + i) = addresses[i];
    xsk_ring_prod__submit(&q->fill, n);
    return n;
}

/* Nothing came: perhaps the kernel waits for us, perhaps nothing will ever come. */
static int receive_nothing(struct xdp_queue *q)
{
    socklen_t size = sizeof(int);
    int error = 0;

    if (q->error < 0)
        return q->error;
    if (xsk_ring_prod__needs_wakeup(&q->fill))
        (void)recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
    if (++q->idle % EMPTY_CALLS == 0 &&
        getsockopt(q->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
        q->error = -error;
    return q->error;
}

int xdp_queue_receive(struct xdp_queue *q, struct xdp_frame *frames, unsigned n)
{
    uint32_t at;
    unsigned there = xsk_ring_cons__peek(&q->rx, n, &at);

    if (there == 0)
        return receive_nothing(q);
    for (unsigned i = 0; i < there; i++) {
        const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, at + i);
        frames[i] = (struct xdp_frame){d->addr, d->len};
    }
    xsk_ring_cons__release(&q->rx, there);
    q->idle = 0;
    return (int)there;
}

/* ---- sending ---- */

unsigned xdp_queue_send(struct xdp_queue *q, const struct xdp_frame *frames, unsigned n)
{
    unsigned room = xsk_prod_nb_free(&q->tx, n);
    uint32_t at;

    if (n > room)
        n = room;
    if (n == 0 || xsk_ring_prod__reserve(&q->tx, n, &at) != n)
        return 0;
    for (unsigned i = 0; i < n; i++)
        *xsk_ring_prod__tx_desc(&q->tx, at + i) =
            (struct xdp_desc){.addr = frames[i].address, .len = frames[i].len};
    xsk_ring_prod__submit(&q->tx, n);
    q->sending += n;
    return n;
}

/* A call sends 32 frames at most in copy mode and says EAGAIN when there are more; it says the same
 * when it is stuck, so the ring tells whether it went on. */
int xdp_queue_kick(struct xdp_queue *q)
{
    uint32_t before = __atomic_load_n(q->tx.consumer, __ATOMIC_ACQUIRE);

    while (q->sending && xsk_ring_prod__needs_wakeup(&q->tx)) {
        uint32_t after;

        if (sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
            return 0;
        if (errno == ENETDOWN || errno == ENXIO)
            return -ENETDOWN;
        after = __atomic_load_n(q->tx.consumer, __ATOMIC_ACQUIRE);
        if (errno != EAGAIN || after == before)
            return 0;
        before = after;
    }
    return 0;
}

unsigned xdp_queue_completed(struct xdp_queue *q, uint64_t *addresses, unsigned n)
{
    uint32_t at;
    unsigned there = xsk_ring_cons__peek(&q->completion, n, &at);

    if (there == 0)
        return 0;
    for (unsigned i = 0; i < there; i++)
        addresses[i] = *xsk_ring_cons__comp_addr(&q->completion, at + i);
    xsk_ring_cons__release(&q->completion, there);
    q->sending -= there < q->sending ? there : q->sending;
    return there;
}

int xdp_queue_statistics(const struct xdp_queue *q, struct xdp_queue_counts *counts)
{
    struct xdp_statistics kernel = {0};
    socklen_t size = sizeof(kernel);

    *counts = (struct xdp_queue_counts){0};
    if (getsockopt(q->fd, SOL_XDP, XDP_STATISTICS, &kernel, &size) < 0)
        return -errno;
    counts->receive_dropped = kernel.rx_dropped;
    counts->receive_ring_full = kernel.rx_ring_full;
    counts->receive_fill_empty = kernel.rx_fill_ring_empty_descs;
    counts->receive_fill_invalid = kernel.rx_invalid_descs;
    counts->send_invalid = kernel.tx_invalid_descs;
    return 0;
}
