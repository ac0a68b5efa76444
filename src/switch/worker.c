/*
 * worker.c -- see worker.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "switch/mirror.h"

#define EVENTS 64
/* Rounds of a busy worker after which epoll is asked for queues that are not in memory. */
#define ASK_EVERY 16

/* ---- what a worker has ---- */

struct worker *worker_new(struct datapath *dp, unsigned index)
{
    struct worker *w = slab_alloc(sizeof(*w));

    if (!w)
        return NULL;
    w->dp = dp;
    w->index = index;
    w->counters = &dp->counters.owners[index];
    w->cache = table_cache_new();
    w->scratch = malloc(WORKER_SCRATCH);
    w->epoll_fd = w->wake_fd = -1;
    w->waits = true;
    if (!w->cache || !w->scratch) {
        worker_free(w);
        return NULL;
    }
    return w;
}

static void ring_drop(struct worker *w)
{
    for (; w->ring && w->ring_tail != w->ring_head; w->ring_tail++)
        packet_free(w->ring[w->ring_tail % PACKET_IN_RING].packet);
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < MAX_PORTS; i++)
        free(w->outgoing[i]);
    ring_drop(w);
    free(w->ring);
    if (w->epoll_fd >= 0)
        close(w->epoll_fd);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    table_cache_free(w->cache);
    free(w->polled);
    free(w->scratch);
    slab_free(w);
}

/* ---- sending ---- */

static struct outgoing *outgoing_for(struct worker *w, struct port *port)
{
    struct outgoing **at = &w->outgoing[port->number];

    if (!*at)
        *at = calloc(1, sizeof(**at));
    if (*at)
        (*at)->port = port;
    return *at;
}

/* Does the port do what is left to do of this packet? */
static bool port_finishes(const struct port *port, const struct packet *p)
{
    bool plain = p->l3 == p->ip_at; /* no labels between, which the kernel would stumble over */

    return !packet_is_unfinished(p) ||
           (plain &&
            (p->offload.gso_type == OFFLOAD_GSO_NONE ? port->finishes_checksums : port->cuts));
}

/* Packets on their way to a port, when some of them must be finished first. */
struct finishing {
    struct worker *w;
    struct port *port;
    unsigned count;
    struct packet *packets[PORT_QUEUE];
};

static void finished_send(struct finishing *f)
{
    if (f->count)
        f->port->driver->send(f->w, f->port, f->packets, f->count);
    f->count = 0;
}

static void finished(struct packet *p, void *context)
{
    struct finishing *f = context;

    if (f->count == PORT_QUEUE)
        finished_send(f);
    f->packets[f->count++] = p;
}

static void finish_and_send(struct worker *w, struct port *port, struct packet **packets,
                            unsigned count)
{
    struct finishing f = {.w = w, .port = port, .count = 0};

    for (unsigned i = 0; i < count; i++)
        if (port_finishes(port, packets[i]))
            finished(packets[i], &f);
        else if (!packet_finish(packets[i], finished, &f))
            port_drop_out(w, port, PORT_DROP_UNFINISHED);
    finished_send(&f);
}

static void outgoing_send(struct worker *w, struct outgoing *out)
{
    const struct lookers *lookers = lookers_of(w->dp);
    unsigned count = out->count;
    struct packet *packets[PORT_QUEUE];
    bool unfinished = false;

    if (count == 0)
        return;
    for (unsigned i = 0; i < count; i++) {
        packets[i] = out->packets[i];
        unfinished |= !port_finishes(out->port, packets[i]);
        if (lookers)
            mirror_see(w, lookers, MIRROR_OUT, out->port, packets[i]);
    }
    out->count = 0; /* a patch port may come back here */
    if (unfinished)
        finish_and_send(w, out->port, packets, count);
    else
        out->port->driver->send(w, out->port, packets, count);
}

void worker_send(struct worker *w, struct port *port)
{
    if (w->outgoing[port->number])
        outgoing_send(w, w->outgoing[port->number]);
}

bool worker_output(struct worker *w, struct port *port, struct packet *p)
{
    if (port_sends(port))
        return worker_queue(w, port, p);
    counter_add(&port_counters_of(w, port)->tx_dropped, 1);
    packet_free(p);
    return false;
}

bool worker_queue(struct worker *w, struct port *port, struct packet *p)
{
    struct outgoing *out = outgoing_for(w, port);

    if (!out) {
        counter_add(&port_counters_of(w, port)->tx_dropped, 1);
        packet_free(p);
        return false;
    }
    if (out->count == PORT_QUEUE)
        outgoing_send(w, out);
    out->packets[out->count++] = p;
    if (!out->unsent) {
        out->unsent = true;
        out->next_unsent = w->unsent;
        w->unsent = out;
    }
    return true;
}

void worker_flush(struct worker *w)
{
    w->depth = 0;
    while (w->unsent) {
        struct outgoing *out = w->unsent;

        w->unsent = out->next_unsent;
        out->unsent = false;
        outgoing_send(w, out);
    }
}

struct port_counters *port_counters_of(struct worker *w, struct port *port)
{
    return &port->counters[w->index];
}

struct table_count datapath_table_count(const struct datapath *dp, uint8_t table_id)
{
    struct table_count sum = {0, 0};

    for (unsigned i = 0; i < dp->worker_count; i++) {
        const struct table_count *c = &dp->workers[i]->tables[table_id];

        sum.lookups += __atomic_load_n(&c->lookups, __ATOMIC_RELAXED);
        sum.matches += __atomic_load_n(&c->matches, __ATOMIC_RELAXED);
    }
    return sum;
}

/* ---- packets for controllers ---- */

static struct {
    void (*heard)(void);
} listener;

bool worker_packet_in(struct worker *w, const struct packet *p, uint8_t reason, uint8_t table_id,
                      uint64_t cookie, uint16_t max_len)
{
    uint32_t head = w->ring_head;
    struct pending_packet_in *entry;
    struct packet *copy;

    if (w->index == 0)
        return w->dp->packet_in && w->dp->packet_in(p, reason, table_id, cookie, max_len);
    if (!w->ring || head - __atomic_load_n(&w->ring_tail, __ATOMIC_ACQUIRE) == PACKET_IN_RING ||
        !(copy = packet_clone(p)))
        return false;
    packet_finish_checksum(copy);
    entry = &w->ring[head % PACKET_IN_RING];
    *entry = (struct pending_packet_in){copy, cookie, reason, table_id, max_len};
    __atomic_store_n(&w->ring_head, head + 1, __ATOMIC_RELEASE);
    return true;
}

static void take_packet_ins(struct datapath *dp, struct worker *w)
{
    uint32_t head = __atomic_load_n(&w->ring_head, __ATOMIC_ACQUIRE);

    for (; w->ring_tail != head;
         __atomic_store_n(&w->ring_tail, w->ring_tail + 1, __ATOMIC_RELEASE)) {
        const struct pending_packet_in *e = &w->ring[w->ring_tail % PACKET_IN_RING];
        struct port *in = datapath_port(dp, ntohl(e->packet->key.in_port));

        if (!dp->packet_in ||
            !dp->packet_in(e->packet, e->reason, e->table_id, e->cookie, e->max_len))
            counter_add(
                &port_counters_of(dp->workers[0], in ? in : dp->drops)->drops[DROP_PACKET_IN], 1);
        packet_free(e->packet);
    }
}

void workers_take_packet_ins(struct datapath *dp)
{
    for (unsigned i = 1; i < dp->worker_count; i++)
        if (dp->workers[i]->ring)
            take_packet_ins(dp, dp->workers[i]);
}

/* ---- the thread ---- */

/* Which queue of which port an event is for: not a pointer, as the port may be gone. */
#define TOKEN_WAKE   UINT64_MAX
#define TOKEN_DIRECT (1ULL << 47) /* the queue is also looked at without being asked for */
#define TOKEN_PORT   0xffff0000ffffffffULL

static enum polled_how how_polled(const struct port *port, unsigned queue)
{
    if (port->queue_fds[queue] < 0)
        return POLLED_ALWAYS;
    return port->driver->in_memory ? POLLED_DIRECT : POLLED_ASKED;
}

static uint64_t event_token(const struct port *port, unsigned queue)
{
    return (uint64_t)port->generation << 48 | (uint64_t)queue << 32 | port->number |
           (how_polled(port, queue) == POLLED_ASKED ? 0 : TOKEN_DIRECT);
}

static uint64_t arrivals(struct worker *w, struct port *port)
{
    const struct port_counters *c = port_counters_of(w, port);

    return c->rx_packets + c->rx_dropped;
}

/* True when something came, or there may be more. */
static bool worker_serve(struct worker *w, uint64_t token)
{
    struct port *port = datapath_port(w->dp, (uint32_t)token);
    uint64_t count, before;
    bool more;

    if (token == TOKEN_WAKE)
        return read(w->wake_fd, &count, sizeof(count)) < 0;
    if (!port || port->generation != token >> 48)
        return false;
    before = arrivals(w, port);
    more = port->driver->poll(w, port, (token & ~TOKEN_DIRECT) >> 32 & 0xffff);
    worker_flush(w);
    return more || arrivals(w, port) != before;
}

/* Asks epoll; -1: until there is something, and asleep it is no reader. `skip`: tokens with a bit
 * of it are not served. True when something came. */
static bool serve_events(struct worker *w, int timeout_ms, uint64_t skip)
{
    struct epoll_event events[EVENTS];
    bool came = false;
    int n;

    if (timeout_ms)
        reclaim_reader_sleeps();
    n = epoll_wait(w->epoll_fd, events, EVENTS, timeout_ms);
    if (timeout_ms)
        reclaim_reader_wakes();
    for (int i = 0; i < n; i++)
        if (events[i].data.u64 == TOKEN_WAKE || !(events[i].data.u64 & skip))
            came |= worker_serve(w, events[i].data.u64);
    return came || (n > 0 && !skip);
}

static bool look_at_all(struct worker *w, const struct polled *list)
{
    bool came = false;

    for (unsigned i = 0; i < list->count; i++)
        if (list->queues[i].how != POLLED_ASKED)
            came |= worker_serve(w, list->queues[i].token);
    return came;
}

/* What calls is served; when nothing does the worker sleeps. */
static void calm_round(struct worker *w, const struct polled *list)
{
    w->idle_since_us = 0;
    if (!w->waits) {
        w->waits = true;
        if (look_at_all(w, list))
            return;
    }
    if (serve_events(w, 0, 0))
        return;
    counter_add(&w->sleeps, 1);
    (void)serve_events(w, -1, 0);
}

/* Queues that are not in memory are asked for all the time when there are no others, or they had
 * something just now. */
static bool ask(struct worker *w, const struct polled *list)
{
    if (!list->of[POLLED_ASKED])
        return false;
    if (!w->asks && list->of[POLLED_ASKED] < list->count && ++w->unasked < ASK_EVERY)
        return false;
    w->unasked = 0;
    return w->asks = serve_events(w, 0, TOKEN_DIRECT);
}

/* False when nothing came for so long that the worker may sleep. */
static bool busy_round(struct worker *w, const struct polled *list)
{
    uint64_t now;
    bool came;

    w->waits = false;
    came = look_at_all(w, list);
    came |= ask(w, list);
    if (came || list->of[POLLED_ALWAYS]) {
        w->idle_since_us = 0;
        return true;
    }
    now = clock_now_us();
    if (w->idle_since_us == 0)
        w->idle_since_us = now;
    return now - w->idle_since_us < w->busy_us;
}

static void worker_round(struct worker *w)
{
    const struct polled *list = polled_now(&w->polled);
    uint32_t before = w->ring_head;

    if (!(w->busy_us || list->of[POLLED_ALWAYS]) || !busy_round(w, list))
        calm_round(w, list);
    counter_add(&w->turns, 1);
    if ((w->ring_head != before || w->noted) && listener.heard)
        listener.heard();
    w->noted = false;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    reclaim_reader_begins();
    while (!__atomic_load_n(&w->stopping, __ATOMIC_ACQUIRE)) {
        worker_round(w);
        reclaim_reader_is_quiet();
    }
    packet_thread_done();
    reclaim_reader_ends();
    return NULL;
}

static int worker_start(struct worker *w)
{
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = TOKEN_WAKE};
    sigset_t all, before;
    char name[16];
    int err;

    w->ring = calloc(PACKET_IN_RING, sizeof(*w->ring));
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!w->ring || w->epoll_fd < 0 || w->wake_fd < 0)
        return -ENOMEM;
    if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &wake) < 0)
        return -errno;
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return -err;
    w->running = true;
    snprintf(name, sizeof(name), "data-path-%u", w->index);
    pthread_setname_np(w->thread, name);
    return 0;
}

int workers_start(struct datapath *dp, unsigned threads, uint32_t busy_us, void (*heard)(void))
{
    listener.heard = heard;
    for (unsigned i = 1; i <= threads && i < dp->worker_count; i++) {
        int err;

        dp->workers[i]->busy_us = busy_us;
        if ((err = worker_start(dp->workers[i])) < 0)
            return err;
    }
    return 0;
}

static void worker_wake(struct worker *w)
{
    static const uint64_t one = 1;

    if (w->running && write(w->wake_fd, &one, sizeof(one)) < 0)
        log_error("a data-path thread is not to be woken");
}

void workers_stop(struct datapath *dp)
{
    for (unsigned i = 1; i < dp->worker_count; i++) {
        struct worker *w = dp->workers[i];

        if (!w || !w->running)
            continue;
        __atomic_store_n(&w->stopping, true, __ATOMIC_RELEASE);
        worker_wake(w);
        pthread_join(w->thread, NULL);
        w->running = false;
    }
    listener.heard = NULL;
}

/* ---- ports and workers ---- */

/* The worker with the fewest queues. */
static unsigned least_worker(const struct datapath *dp)
{
    unsigned load[COUNTER_OWNERS] = {0}, best = 1;

    for (unsigned i = 1; i < MAX_PORTS; i++)
        for (unsigned q = 0; dp->ports[i] && q < dp->ports[i]->queues; q++)
            load[dp->ports[i]->queue_workers[q]]++;
    for (unsigned i = 2; i < dp->worker_count; i++)
        if (load[i] < load[best])
            best = i;
    return best;
}

/* A worker that sleeps learns of a queue that nothing would wake it for. */
static int add_queue(struct worker *w, struct port *port, unsigned q)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = event_token(port, q)};
    int err = polled_add(&w->polled, event.data.u64, how_polled(port, q));

    if (err < 0)
        return err;
    if (port->queue_fds[q] < 0)
        worker_wake(w);
    else if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, port->queue_fds[q], &event) < 0)
        return -errno;
    return 0;
}

int workers_add_port(struct datapath *dp, struct port *port)
{
    if (dp->worker_count < 2)
        return 0;
    for (unsigned q = 0; q < port->queues; q++) {
        unsigned to = least_worker(dp);
        int err;

        port->queue_workers[q] = (uint8_t)to;
        if ((err = add_queue(dp->workers[to], port, q)) < 0)
            return err;
    }
    return 0;
}

int worker_wait_for(struct datapath *dp, struct port *port, unsigned queue, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = event_token(port, queue)};
    int *now = &port->also_fds[queue], epoll = dp->workers[port->queue_workers[queue]]->epoll_fd;

    if (port->queue_workers[queue] == 0)
        return 0;
    if (*now >= 0)
        (void)epoll_ctl(epoll, EPOLL_CTL_DEL, *now, NULL);
    *now = -1;
    if (fd < 0)
        return 0;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    *now = fd;
    return 0;
}

void workers_remove_port(struct datapath *dp, struct port *port)
{
    for (unsigned q = 0; q < port->queues; q++) {
        if (port->queue_workers[q])
            polled_remove(&dp->workers[port->queue_workers[q]]->polled, event_token(port, 0),
                          TOKEN_PORT);
        if (port->queue_workers[q] && port->queue_fds[q] >= 0)
            (void)epoll_ctl(dp->workers[port->queue_workers[q]]->epoll_fd, EPOLL_CTL_DEL,
                            port->queue_fds[q], NULL);
        (void)worker_wait_for(dp, port, q, -1);
    }
    reclaim_synchronize();
}
