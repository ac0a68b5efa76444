/*
 * vhost_user.c -- see vhost_user.h. The vhost-user protocol, as QEMU's documentation
 * interop/vhost-user has it ("Message types"); its words are used: the front end is the hypervisor,
 * we are the back end.
 *
 * One table has a row for each request: how long it is, whether it changes what data threads see,
 * and who handles it. What the front end said of a queue is kept in struct setup as it said it;
 * publish() makes virtqueues of that, against the memory there is then, and shows them to the data
 * threads. So a new memory table moves working queues without any further word about them.
 *
 * A request that can not be followed is answered with a failure if the front end asked for an
 * answer (REPLY_ACK); if it did not, the two sides would go on with different ideas, and the
 * connection is ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "link/vhost_socket.h"
#include "link/vhost_user.h"

#define BIT(n)            (1ULL << (n))
#define QUEUES_MAX        (2 * VHOST_USER_PAIRS)
#define MESSAGES_A_TURN   64
#define TABLE_REGIONS_MAX VHOST_MESSAGE_FDS

/* Bits of the features that are vhost's own. */
#define F_LOG_ALL           26 /* VHOST_F_LOG_ALL */
#define F_PROTOCOL_FEATURES 30 /* VHOST_USER_F_PROTOCOL_FEATURES */

#define FEATURES                                                                                \
    (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ANY_LAYOUT) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |    \
     BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_CSUM) |      \
     BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | \
     BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_MQ) |       \
     BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT(VIRTIO_NET_F_MTU) | BIT(F_LOG_ALL) |                \
     BIT(F_PROTOCOL_FEATURES))

enum protocol_feature {
    P_MQ = 0,
    P_LOG_SHMFD = 1,
    P_RARP = 2,
    P_REPLY_ACK = 3,
    P_NET_MTU = 4,
    P_CONFIGURE_MEM_SLOTS = 15,
    P_STATUS = 16,
};

#define PROTOCOL_FEATURES                                                             \
    (BIT(P_MQ) | BIT(P_LOG_SHMFD) | BIT(P_RARP) | BIT(P_REPLY_ACK) | BIT(P_NET_MTU) | \
     BIT(P_CONFIGURE_MEM_SLOTS) | BIT(P_STATUS))

/* A queue as the front end described it. */
struct setup {
    struct vhost_vring_addr addr;
    bool addressed; /* addr was told */
    uint16_t num;
    uint16_t base;
    bool started; /* between SET_VRING_KICK and GET_VRING_BASE */
    bool fresh;   /* begins at base when it is next published */
    bool enabled;
    bool kick_told;  /* the owner waits for kicks */
    bool unplaced;   /* was logged */
    bool fault_told; /* was logged */
    int kick, call, error;
};

/* What data threads see. */
struct live {
    struct guest_memory memory;
    struct virtqueue queues[QUEUES_MAX];
};

struct vhost_user {
    _Atomic(struct live *) shown; /* &live, or NULL: hands off */
    struct live live;
    struct setup setups[QUEUES_MAX];
    unsigned pairs;
    uint64_t offered;
    _Atomic uint64_t features;
    uint64_t protocol;
    uint64_t status;
    uint16_t mtu;
    int trouble; /* eventfd: a queue has a fault */
    uint64_t faults;
    bool answered;
    struct vhost_user_status told; /* what the owner knows */
    struct vhost_socket socket;
    const struct vhost_user_events *events;
    void *context;
};

static uint64_t features(const struct vhost_user *d)
{
    return atomic_load_explicit(&d->features, memory_order_relaxed);
}

static const char *path(const struct vhost_user *d)
{
    return d->socket.address.sun_path;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- showing the device to the data threads, and taking it away ---- */

/* Afterwards memory and queues are the control thread's. */
static void hide(struct vhost_user *d)
{
    if (atomic_exchange(&d->shown, NULL) && d->events->quiesce)
        d->events->quiesce(d->context);
}

static bool prepare_queue(struct vhost_user *d, unsigned i)
{
    struct setup *s = &d->setups[i];
    struct virtqueue *q = &d->live.queues[i];

    q->placed = false;
    if (!s->started || !s->addressed || s->num == 0)
        return false;
    q->num = s->num;
    q->features = features(d);
    q->enabled = s->enabled;
    q->kick = s->kick;
    q->call = s->call;
    q->error = s->error;
    if (vring_place(q, &d->live.memory, &s->addr) < 0) {
        if (!s->unplaced)
            log_warn("%s: queue %u is not within the guest's memory", path(d), i);
        s->unplaced = true;
        return false;
    }
    s->unplaced = false;
    if (s->fresh) {
        s->fresh = s->fault_told = false;
        vring_start(q, &d->live.memory, s->base);
    }
    return true;
}

/* The owner waits for the kicks of queues that work, and no others. */
static void tell_kick(struct vhost_user *d, unsigned i, bool on)
{
    struct setup *s = &d->setups[i];

    if (s->kick_told == on)
        return;
    s->kick_told = on;
    if (d->events->kick)
        d->events->kick(d->context, i, on ? s->kick : -1);
}

/* Buffers may have come while the queues were hidden: whoever was kicked then saw nothing. */
static void kick_again(struct vhost_user *d, unsigned i)
{
    static const uint64_t one = 1;
    struct virtqueue *q = &d->live.queues[i];

    if (q->placed && q->kick >= 0 && atomic_load_explicit(&q->kicks, memory_order_relaxed))
        (void)!write(q->kick, &one, sizeof(one));
}

static void publish(struct vhost_user *d)
{
    bool any = false;

    if (atomic_load_explicit(&d->shown, memory_order_relaxed))
        return;
    for (unsigned i = 0; i < 2 * d->pairs; i++)
        any |= prepare_queue(d, i);
    if (any)
        atomic_store(&d->shown, &d->live);
    for (unsigned i = 0; i < 2 * d->pairs; i++) {
        tell_kick(d, i, d->live.queues[i].placed && d->setups[i].kick >= 0);
        kick_again(d, i);
    }
}

/* The index at which the queue goes on, wherever that will be. */
static uint16_t stop_queue(struct vhost_user *d, unsigned i)
{
    struct setup *s = &d->setups[i];

    if (s->started && !s->fresh)
        s->base = d->live.queues[i].next_avail;
    s->started = s->fresh = false;
    d->live.queues[i].placed = false;
    tell_kick(d, i, false);
    close_fd(&s->kick);
    return s->base;
}

static void stop_all(struct vhost_user *d)
{
    for (unsigned i = 0; i < QUEUES_MAX; i++) {
        (void)stop_queue(d, i);
        d->setups[i].enabled = false;
    }
}

/* As it was before a front end came; nothing may be shown. */
static void forget(struct vhost_user *d)
{
    stop_all(d);
    for (unsigned i = 0; i < QUEUES_MAX; i++) {
        struct setup *s = &d->setups[i];

        close_fd(&s->call);
        close_fd(&s->error);
        *s = (struct setup){.kick = -1, .call = -1, .error = -1};
    }
    vhost_memory_clear(&d->live.memory);
    vhost_memory_clear_log(&d->live.memory);
    d->live.memory.logging = false;
    atomic_store_explicit(&d->features, 0, memory_order_relaxed);
    d->protocol = d->status = 0;
    d->mtu = 0;
}

/* ---- payloads ---- */

struct vring_state {
    uint32_t index;
    uint32_t num;
};

struct region {
    uint64_t guest;
    uint64_t size;
    uint64_t user;
    uint64_t offset;
};

static uint64_t u64_of(const struct vhost_message *m)
{
    uint64_t v;

    memcpy(&v, m->payload, sizeof(v));
    return v;
}

/* The queue that a struct vring_state is about, or NULL. */
static struct setup *state_of(struct vhost_user *d, const struct vhost_message *m,
                              struct vring_state *state)
{
    memcpy(state, m->payload, sizeof(*state));
    return state->index < 2 * d->pairs ? &d->setups[state->index] : NULL;
}

static int answer(struct vhost_user *d, const void *payload, size_t size)
{
    d->answered = true;
    return vhost_socket_reply(&d->socket, payload, (uint32_t)size);
}

static int answer_u64(struct vhost_user *d, uint64_t v)
{
    return answer(d, &v, sizeof(v));
}

static int take_fd(struct vhost_message *m, unsigned i)
{
    int fd = m->fds[i];

    m->fds[i] = -1;
    return fd;
}

/* ---- features ---- */

static int get_features(struct vhost_user *d, struct vhost_message *m)
{
    (void)m;
    return answer_u64(d, d->offered);
}

static int set_features(struct vhost_user *d, struct vhost_message *m)
{
    uint64_t v = u64_of(m);

    if (v & ~d->offered)
        return -EOPNOTSUPP;
    atomic_store_explicit(&d->features, v, memory_order_relaxed);
    d->live.memory.logging = v & BIT(F_LOG_ALL);
    if (!(v & BIT(F_PROTOCOL_FEATURES))) /* then there is no SET_VRING_ENABLE */
        for (unsigned i = 0; i < QUEUES_MAX; i++)
            d->setups[i].enabled = true;
    return 0;
}

static int get_protocol_features(struct vhost_user *d, struct vhost_message *m)
{
    (void)m;
    return answer_u64(d, PROTOCOL_FEATURES);
}

static int set_protocol_features(struct vhost_user *d, struct vhost_message *m)
{
    if (u64_of(m) & ~PROTOCOL_FEATURES)
        return -EOPNOTSUPP;
    d->protocol = u64_of(m);
    return 0;
}

static int get_queue_num(struct vhost_user *d, struct vhost_message *m)
{
    (void)m;
    return answer_u64(d, d->pairs);
}

static int set_owner(struct vhost_user *d, struct vhost_message *m)
{
    (void)d;
    (void)m;
    return 0;
}

/* No longer sent; it once meant that all queues are to be disabled. */
static int reset_owner(struct vhost_user *d, struct vhost_message *m)
{
    (void)m;
    for (unsigned i = 0; i < QUEUES_MAX; i++)
        d->setups[i].enabled = false;
    return 0;
}

static int set_status(struct vhost_user *d, struct vhost_message *m)
{
    d->status = u64_of(m);
    if (d->status == 0) /* a reset of the device, virtio clause 2.1 */
        stop_all(d);
    return 0;
}

static int get_status(struct vhost_user *d, struct vhost_message *m)
{
    (void)m;
    return answer_u64(d, d->status);
}

static int net_set_mtu(struct vhost_user *d, struct vhost_message *m)
{
    uint64_t v = u64_of(m);

    if (v < 68 || v > UINT16_MAX) /* clause 5.1.4.1 */
        return -EINVAL;
    d->mtu = (uint16_t)v;
    return 0;
}

static int send_rarp(struct vhost_user *d, struct vhost_message *m)
{
    if (d->events->announce)
        d->events->announce(d->context, m->payload);
    return 0;
}

/* ---- memory ---- */

static int add_region(struct vhost_user *d, const uint8_t *payload, int fd)
{
    struct region r;
    struct guest_region region;

    memcpy(&r, payload, sizeof(r));
    region = (struct guest_region){.guest = r.guest, .user = r.user, .size = r.size};
    return vhost_memory_add(&d->live.memory, &region, r.offset, fd);
}

static int set_mem_table(struct vhost_user *d, struct vhost_message *m)
{
    uint32_t count;
    int err = 0;

    memcpy(&count, m->payload, sizeof(count));
    if (count > TABLE_REGIONS_MAX || count != m->fd_count ||
        m->header.size < 8 + count * sizeof(struct region))
        return -EINVAL;
    vhost_memory_clear(&d->live.memory);
    for (uint32_t i = 0; i < count && err == 0; i++)
        err = add_region(d, m->payload + 8 + i * sizeof(struct region), m->fds[i]);
    if (err < 0)
        vhost_memory_clear(&d->live.memory);
    return err;
}

static int get_max_mem_slots(struct vhost_user *d, struct vhost_message *m)
{
    (void)m;
    return answer_u64(d, VHOST_MEMORY_REGIONS);
}

static int add_mem_reg(struct vhost_user *d, struct vhost_message *m)
{
    return m->fd_count == 1 ? add_region(d, m->payload + 8, m->fds[0]) : -EINVAL;
}

static int rem_mem_reg(struct vhost_user *d, struct vhost_message *m)
{
    struct region r;
    struct guest_region region;

    memcpy(&r, m->payload + 8, sizeof(r));
    region = (struct guest_region){.guest = r.guest, .user = r.user, .size = r.size};
    return vhost_memory_remove(&d->live.memory, &region);
}

/* ---- migration ---- */

static int set_log_base(struct vhost_user *d, struct vhost_message *m)
{
    uint64_t log[2]; /* size and offset */
    int err;

    memcpy(log, m->payload, sizeof(log));
    if (!(d->protocol & BIT(P_LOG_SHMFD)) || m->fd_count != 1)
        return -EINVAL;
    if ((err = vhost_memory_set_log(&d->live.memory, log[0], log[1], m->fds[0])) < 0)
        return err;
    return answer_u64(d, 0);
}

/* A descriptor to tell of writes to the log; front ends look at the log by themselves. */
static int set_log_fd(struct vhost_user *d, struct vhost_message *m)
{
    (void)d;
    return m->fd_count == 1 ? 0 : -EINVAL;
}

/* ---- queues ---- */

static int set_vring_num(struct vhost_user *d, struct vhost_message *m)
{
    struct vring_state state;
    struct setup *s = state_of(d, m, &state);

    if (!s || state.num == 0 || state.num > VRING_SIZE_MAX || state.num & (state.num - 1))
        return -EINVAL;
    s->num = (uint16_t)state.num;
    return 0;
}

static int set_vring_addr(struct vhost_user *d, struct vhost_message *m)
{
    struct vhost_vring_addr addr;

    memcpy(&addr, m->payload, sizeof(addr));
    if (addr.index >= 2 * d->pairs)
        return -EINVAL;
    d->setups[addr.index].addr = addr;
    d->setups[addr.index].addressed = true;
    return 0;
}

static int set_vring_base(struct vhost_user *d, struct vhost_message *m)
{
    struct vring_state state;
    struct setup *s = state_of(d, m, &state);

    if (!s || state.num > UINT16_MAX)
        return -EINVAL;
    s->base = (uint16_t)state.num;
    s->fresh = s->started;
    return 0;
}

static int get_vring_base(struct vhost_user *d, struct vhost_message *m)
{
    struct vring_state state;

    if (!state_of(d, m, &state))
        return -EINVAL;
    state.num = stop_queue(d, state.index);
    return answer(d, &state, sizeof(state));
}

static int set_vring_enable(struct vhost_user *d, struct vhost_message *m)
{
    struct vring_state state;
    struct setup *s = state_of(d, m, &state);

    if (!s || state.num > 1)
        return -EINVAL;
    s->enabled = state.num;
    return 0;
}

/* The queue in the low byte; bit 8: no descriptor comes with it. *fd is then -1. What we are to
 * write to, or to read, must not be able to block us. */
static int queue_fd(struct vhost_user *d, struct vhost_message *m, struct setup **s, int *fd)
{
    uint64_t v = u64_of(m);
    struct stat st;

    *fd = -1;
    if ((v & 0xff) >= 2 * d->pairs || m->fd_count != (v & 0x100 ? 0 : 1))
        return -EINVAL;
    *s = &d->setups[v & 0xff];
    if (m->fd_count == 0)
        return 0;
    if (fstat(m->fds[0], &st) < 0 || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
        fcntl(m->fds[0], F_SETFL, O_NONBLOCK) < 0)
        return -EINVAL;
    *fd = take_fd(m, 0);
    return 0;
}

static int set_vring_kick(struct vhost_user *d, struct vhost_message *m)
{
    struct setup *s;
    int fd, err;

    if ((err = queue_fd(d, m, &s, &fd)) < 0)
        return err;
    tell_kick(d, (unsigned)(s - d->setups), false);
    close_fd(&s->kick);
    s->kick = fd;
    s->fresh |= !s->started;
    s->started = true;
    if (!(features(d) & BIT(F_PROTOCOL_FEATURES)))
        s->enabled = true;
    return 0;
}

static int set_vring_call(struct vhost_user *d, struct vhost_message *m)
{
    struct setup *s;
    int fd, err;

    if ((err = queue_fd(d, m, &s, &fd)) < 0)
        return err;
    close_fd(&s->call);
    s->call = fd;
    return 0;
}

static int set_vring_err(struct vhost_user *d, struct vhost_message *m)
{
    struct setup *s;
    int fd, err;

    if ((err = queue_fd(d, m, &s, &fd)) < 0)
        return err;
    close_fd(&s->error);
    s->error = fd;
    return 0;
}

/* ---- requests ---- */

static const struct request {
    const char *name;
    int (*handle)(struct vhost_user *d, struct vhost_message *m);
    uint16_t size; /* of the payload, at least */
    bool changes;  /* what data threads see: it is hidden from them first */
} requests[] = {
    [1] = {"GET_FEATURES", get_features, 0, false},
    [2] = {"SET_FEATURES", set_features, 8, true},
    [3] = {"SET_OWNER", set_owner, 0, false},
    [4] = {"RESET_OWNER", reset_owner, 0, true},
    [5] = {"SET_MEM_TABLE", set_mem_table, 8, true},
    [6] = {"SET_LOG_BASE", set_log_base, 16, true},
    [7] = {"SET_LOG_FD", set_log_fd, 0, false},
    [8] = {"SET_VRING_NUM", set_vring_num, 8, true},
    [9] = {"SET_VRING_ADDR", set_vring_addr, sizeof(struct vhost_vring_addr), true},
    [10] = {"SET_VRING_BASE", set_vring_base, 8, true},
    [11] = {"GET_VRING_BASE", get_vring_base, 8, true},
    [12] = {"SET_VRING_KICK", set_vring_kick, 8, true},
    [13] = {"SET_VRING_CALL", set_vring_call, 8, true},
    [14] = {"SET_VRING_ERR", set_vring_err, 8, true},
    [15] = {"GET_PROTOCOL_FEATURES", get_protocol_features, 0, false},
    [16] = {"SET_PROTOCOL_FEATURES", set_protocol_features, 8, false},
    [17] = {"GET_QUEUE_NUM", get_queue_num, 0, false},
    [18] = {"SET_VRING_ENABLE", set_vring_enable, 8, true},
    [19] = {"SEND_RARP", send_rarp, 8, false},
    [20] = {"NET_SET_MTU", net_set_mtu, 8, false},
    [36] = {"GET_MAX_MEM_SLOTS", get_max_mem_slots, 0, false},
    [37] = {"ADD_MEM_REG", add_mem_reg, 40, true},
    [38] = {"REM_MEM_REG", rem_mem_reg, 40, true},
    [39] = {"SET_STATUS", set_status, 8, true},
    [40] = {"GET_STATUS", get_status, 0, false},
};

static const struct request *request_of(const struct vhost_message *m)
{
    static const struct request unknown = {.name = "an unknown request"};
    uint32_t i = m->header.request;

    return i < sizeof(requests) / sizeof(requests[0]) && requests[i].handle ? &requests[i]
                                                                            : &unknown;
}

/* 0, or negative: the connection can not go on. */
static int handle(struct vhost_user *d, struct vhost_message *m)
{
    const struct request *r = request_of(m);
    bool ack = m->header.flags & VHOST_HEADER_NEED_REPLY && d->protocol & BIT(P_REPLY_ACK);
    int err = -EOPNOTSUPP;

    d->answered = false;
    if (r->handle && m->header.size < r->size)
        err = -EBADMSG;
    else if (r->handle) {
        if (r->changes)
            hide(d);
        err = r->handle(d, m);
    }
    if (err < 0)
        log_warn("%s: %s (%u) was refused: %s", path(d), r->name, m->header.request,
                 strerror(-err));
    if (!ack || d->answered)
        return err;
    return answer_u64(d, err < 0);
}

/* ---- the owner's side ---- */

static bool works(const struct vhost_user *d, unsigned queue)
{
    const struct virtqueue *q = &d->live.queues[queue];

    return q->placed && q->enabled &&
           atomic_load_explicit(&q->fault, memory_order_relaxed) == VRING_OK;
}

void vhost_user_status(const struct vhost_user *d, struct vhost_user_status *status)
{
    bool shown = atomic_load_explicit(&d->shown, memory_order_relaxed);
    unsigned pairs = 0;

    while (shown && pairs < d->pairs && works(d, 2 * pairs) && works(d, 2 * pairs + 1))
        pairs++;
    memset(status, 0, sizeof(*status));
    status->connected = d->socket.fd >= 0;
    status->up = pairs > 0;
    status->pairs = pairs;
    status->mtu = d->mtu;
    status->features = features(d);
    status->memory_regions = d->live.memory.count;
    status->logging = d->live.memory.logging && d->live.memory.log;
    status->faults = d->faults;
}

static bool is_same_status(const struct vhost_user_status *a, const struct vhost_user_status *b)
{
    return a->connected == b->connected && a->up == b->up && a->pairs == b->pairs &&
           a->mtu == b->mtu && a->features == b->features &&
           a->memory_regions == b->memory_regions && a->logging == b->logging;
}

static void tell_changes(struct vhost_user *d)
{
    struct vhost_user_status now;

    vhost_user_status(d, &now);
    if (is_same_status(&now, &d->told))
        return;
    if (now.up != d->told.up)
        log_info("%s: the guest's device is %s", path(d), now.up ? "up" : "down");
    d->told = now;
    if (d->events->changed)
        d->events->changed(d->context);
}

/* Says once of each queue that is broken why. */
static void tell_faults(struct vhost_user *d)
{
    uint64_t count;

    if (read(d->trouble, &count, sizeof(count)) < 0)
        return;
    for (unsigned i = 0; i < 2 * d->pairs; i++) {
        int fault = atomic_load_explicit(&d->live.queues[i].fault, memory_order_relaxed);

        if (fault == VRING_OK || d->setups[i].fault_told)
            continue;
        d->setups[i].fault_told = true;
        d->faults++;
        log_warn("%s: queue %u stops: the guest gave %s", path(d), i, vring_fault_names[fault]);
    }
}

static void disconnect(struct vhost_user *d, int err)
{
    if (err == -ECONNRESET)
        log_info("%s: the hypervisor has left", path(d));
    else
        log_warn("%s: the connection is ended: %s", path(d), strerror(-err));
    hide(d);
    forget(d);
    vhost_socket_drop(&d->socket);
}

void vhost_user_readable(struct vhost_user *d)
{
    int err = 0;

    vhost_socket_advance(&d->socket);
    tell_faults(d);
    for (int i = 0; i < MESSAGES_A_TURN && d->socket.fd >= 0; i++) {
        err = vhost_socket_read(&d->socket);
        if (err == 0)
            break;
        if (err == 1) {
            err = handle(d, &d->socket.in);
            vhost_socket_done(&d->socket);
        }
        if (err < 0)
            disconnect(d, err);
    }
    publish(d);
    tell_changes(d);
}

int vhost_user_fd(const struct vhost_user *d)
{
    return d->socket.epoll;
}

static void init_queues(struct vhost_user *d)
{
    for (unsigned i = 0; i < QUEUES_MAX; i++) {
        struct virtqueue *q = &d->live.queues[i];

        d->setups[i] = (struct setup){.kick = -1, .call = -1, .error = -1};
        q->kick = q->call = q->error = -1;
        q->trouble = d->trouble;
        atomic_init(&q->kicks, i % 2 == 1);
    }
}

int vhost_user_open(struct vhost_user **device, const struct vhost_user_config *config)
{
    static const struct vhost_user_events none;
    struct vhost_user *d;
    int err;

    if (config->queue_pairs > VHOST_USER_PAIRS)
        return -EINVAL;
    d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->pairs = config->queue_pairs ? config->queue_pairs : 1;
    d->offered = FEATURES & ~config->without;
    if (d->pairs == 1)
        d->offered &= ~BIT(VIRTIO_NET_F_MQ);
    d->events = config->events ? config->events : &none;
    d->context = config->context;
    d->trouble = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (d->trouble < 0) {
        free(d);
        return -EMFILE;
    }
    init_queues(d);
    if ((err = vhost_socket_open(&d->socket, config->path, config->connect)) < 0 ||
        (err = vhost_socket_also(&d->socket, d->trouble)) < 0) {
        vhost_user_close(d);
        return err;
    }
    *device = d;
    return 0;
}

void vhost_user_close(struct vhost_user *d)
{
    if (!d)
        return;
    hide(d);
    forget(d);
    vhost_socket_close(&d->socket);
    close_fd(&d->trouble);
    free(d);
}

uint64_t vhost_user_features(const struct vhost_user *d)
{
    return features(d);
}

const struct vring_counters *vhost_user_counters(const struct vhost_user *d, unsigned queue)
{
    return queue < 2 * d->pairs ? &d->live.queues[queue].counters : NULL;
}

/* ---- data threads ---- */

static struct live *look(struct vhost_user *d, unsigned queue)
{
    return queue < 2 * d->pairs ? atomic_load_explicit(&d->shown, memory_order_acquire) : NULL;
}

unsigned vhost_receive(struct vhost_user *d, unsigned queue_pair, struct vhost_packet *packets,
                       unsigned n)
{
    struct live *live = queue_pair < d->pairs ? look(d, 2 * queue_pair + 1) : NULL;

    return live ? vring_receive(&live->queues[2 * queue_pair + 1], &live->memory, packets, n) : 0;
}

unsigned vhost_send(struct vhost_user *d, unsigned queue_pair, const struct vhost_packet *packets,
                    unsigned n)
{
    struct live *live = queue_pair < d->pairs ? look(d, 2 * queue_pair) : NULL;

    return live ? vring_send(&live->queues[2 * queue_pair], &live->memory, packets, n) : 0;
}

bool vhost_kicks(struct vhost_user *d, unsigned queue, bool on)
{
    struct live *live = look(d, queue);

    if (live)
        return vring_kicks(&live->queues[queue], &live->memory, on);
    if (queue < 2 * d->pairs) /* for when it comes */
        atomic_store_explicit(&d->live.queues[queue].kicks, on, memory_order_relaxed);
    return false;
}

void vhost_drain(struct vhost_user *d, unsigned queue)
{
    struct live *live = look(d, queue);
    uint64_t kicks;

    if (live && live->queues[queue].kick >= 0)
        (void)!read(live->queues[queue].kick, &kicks, sizeof(kicks));
}
