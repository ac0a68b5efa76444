/*
 * mirror.c -- see mirror.h.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/base.h"
#include "switch/mirror.h"
#include "wire/openflow/flow_text.h"
#include "wire/pcapng.h"

#define STATISTICS_ROOM 512u /* of the buffer, for each interface's last word */
#define COMMENT_SIZE    512

/* What a worker tells beside the packet's bytes, which follow. */
struct mirror_entry {
    uint64_t time_us;        /* monotonic */
    const struct flow *flow; /* that dropped it; NULL: none */
    uint32_t len, captured;
    uint16_t port, generation;
    uint8_t what;     /* enum mirror_what */
    uint8_t reason;   /* enum drop_reason, or DROP_REASONS + enum port_drop */
    uint8_t table_id; /* NO_TABLE: none */
};

/* A port as the stream knows it. */
struct mirror_interface {
    uint16_t generation;
    bool known;
    uint32_t index;
    uint64_t shown;
    uint64_t unsent; /* lost because the reader was slow */
};

struct mirror {
    struct reclaim reclaim;
    struct datapath *dp;
    struct mirror_options options;
    struct mirror_ring *rings;        /* by worker */
    uint64_t (*ring_lost)[MAX_PORTS]; /* by worker, who counts */
    struct lookers *farewell;         /* to be published when it goes */

    /* the loop's thread's own */
    uint64_t to_wall_us; /* from the monotonic clock */
    struct mirror_interface interfaces[MAX_PORTS];
    uint32_t interface_count;
    uint8_t *out;
    size_t room;       /* of it */
    size_t begin, end; /* of what was not sent yet */
    uv_poll_t poll;
    int fd;
    int events;    /* that poll waits for */
    bool ending;   /* it is not published any more */
    bool complete; /* all is in `out` */
    bool gone;     /* the reader */
    void (*closed)(void *context);
    void *context;
};

static struct {
    struct mirror *at[MIRRORS_MAX];
    unsigned count;
    struct deferred take;
} all;

/* ---- who looks on ---- */

/* Publishes another set in place of the one that is, which is freed a grace period later. */
static void lookers_publish(struct datapath *dp, struct lookers *next)
{
    struct lookers *before = dp->lookers;

    next->what = 0;
    for (unsigned i = 0; i < next->mirror_count; i++)
        next->what |= next->mirrors[i]->options.what;
    if (next->mirror_count == 0 && !next->sampler) {
        free(next);
        next = NULL;
    }
    __atomic_store_n(&dp->lookers, next, __ATOMIC_RELEASE);
    reclaim_memory(before, free);
}

static void lookers_copy(struct lookers *to, const struct lookers *from)
{
    *to = from ? *from : (struct lookers){0};
}

int lookers_set_sampler(struct datapath *dp, struct ipfix_sampler *sampler)
{
    struct lookers *next = malloc(sizeof(*next));

    if (!next)
        return -ENOMEM;
    lookers_copy(next, dp->lookers);
    next->sampler = sampler;
    lookers_publish(dp, next);
    return 0;
}

static void lookers_remove(struct mirror *m)
{
    struct lookers *next = m->farewell;
    unsigned kept = 0;

    m->farewell = NULL;
    lookers_copy(next, m->dp->lookers);
    for (unsigned i = 0; i < next->mirror_count; i++)
        if (next->mirrors[i] != m)
            next->mirrors[kept++] = next->mirrors[i];
    next->mirror_count = kept;
    lookers_publish(m->dp, next);
}

/* ---- workers ---- */

static void take_deferred(struct deferred *deferred)
{
    (void)deferred;
    mirrors_take();
}

void lookers_wake(struct worker *w)
{
    if (w->index == 0)
        loop_defer(&all.take, take_deferred);
    else
        w->noted = true;
}

static bool shows(const struct mirror *m, enum mirror_what what, uint32_t port)
{
    return (m->options.what & what) &&
           (!m->options.some_ports || (m->options.ports[port / 64] >> port % 64 & 1));
}

static void copy(struct worker *w, struct mirror *m, const struct mirror_entry *about,
                 const struct packet *p)
{
    uint32_t captured = p->len < m->options.snaplen ? p->len : m->options.snaplen;
    struct mirror_entry *e =
        mirror_ring_reserve(&m->rings[w->index], (uint32_t)sizeof(*e) + captured);

    if (!e) {
        counter_add(&m->ring_lost[w->index][about->port], 1);
        return;
    }
    *e = *about;
    e->len = p->len;
    e->captured = captured;
    memcpy(e + 1, p->data, captured);
    mirror_ring_commit(&m->rings[w->index]);
}

static void see(struct worker *w, const struct lookers *lookers, const struct port *port,
                struct mirror_entry about, const struct packet *p)
{
    if (!(lookers->what & about.what))
        return;
    about.time_us = w->now_us;
    about.port = (uint16_t)port->number;
    about.generation = port->generation;
    for (unsigned i = 0; i < lookers->mirror_count; i++)
        if (shows(lookers->mirrors[i], about.what, port->number))
            copy(w, lookers->mirrors[i], &about, p);
    lookers_wake(w);
}

void mirror_see(struct worker *w, const struct lookers *lookers, enum mirror_what what,
                const struct port *port, const struct packet *p)
{
    see(w, lookers, port, (struct mirror_entry){.what = what, .table_id = NO_TABLE}, p);
}

void mirror_see_drop(struct worker *w, const struct lookers *lookers, const struct port *in,
                     const struct packet *p, enum drop_reason why, uint8_t table_id,
                     const struct rule *rule)
{
    struct mirror_entry about = {.what = MIRROR_DROPS,
                                 .reason = (uint8_t)why,
                                 .table_id = rule || why == DROP_NO_MATCH ? table_id : NO_TABLE,
                                 .flow = rule ? flow_of(rule) : NULL};

    see(w, lookers, in, about, p);
}

static void see_port_drop(struct worker *w, const struct port *port, const struct packet *p,
                          enum port_drop why)
{
    const struct lookers *lookers = lookers_of(w->dp);
    struct mirror_entry about = {
        .what = MIRROR_DROPS, .reason = (uint8_t)(DROP_REASONS + why), .table_id = NO_TABLE};

    if (lookers)
        see(w, lookers, port, about, p);
}

void port_lose_out(struct worker *w, struct port *port, enum port_drop why,
                   const struct packet *packet)
{
    see_port_drop(w, port, packet, why);
    port_drop_out(w, port, why);
}

void port_lose_in(struct worker *w, struct port *port, enum port_drop why,
                  const struct packet *packet)
{
    see_port_drop(w, port, packet, why);
    port_drop_in(w, port, why);
}

/* ---- the stream ---- */

static void watch_stream(struct mirror *m);
static void mirror_end(struct mirror *m);

static void on_poll_closed(uv_handle_t *handle)
{
    struct mirror *m = handle->data;

    mirror_rings_free(m->rings, m->dp->worker_count);
    free(m->ring_lost);
    free(m->out);
    free(m);
}

/* The last of it. */
static void mirror_close(struct mirror *m)
{
    for (unsigned i = 0; i < all.count; i++)
        if (all.at[i] == m)
            all.at[i] = all.at[--all.count];
    if (all.count == 0)
        reclaim_set_last_look(NULL);
    free(m->farewell);
    uv_close((uv_handle_t *)&m->poll, on_poll_closed);
    if (m->closed)
        m->closed(m->context);
}

/* Sends what the stream takes. Closes the mirror when that was all of it. */
static void flush(struct mirror *m)
{
    while (m->begin < m->end && !m->gone) {
        ssize_t n = send(m->fd, m->out + m->begin, m->end - m->begin, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0)
            m->begin += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            m->gone = true;
    }
    if (m->gone) {
        m->begin = m->end;
        mirror_end(m);
    }
    if (m->begin == m->end)
        m->begin = m->end = 0;
    if (m->complete && m->end == 0)
        mirror_close(m);
    else
        watch_stream(m);
}

/* A writer into `out` for that many bytes; one without room when too much waits for the reader. */
static struct writer out_writer(struct mirror *m, size_t size)
{
    if (m->begin && m->room - m->end < size) {
        memmove(m->out, m->out + m->begin, m->end - m->begin);
        m->end -= m->begin;
        m->begin = 0;
    }
    return writer_of(m->out + m->end, size <= m->room - m->end ? size : 0);
}

static bool out_written(struct mirror *m, const struct writer *w)
{
    if (!w->bad)
        m->end += wr_len(w);
    return !w->bad;
}

/* The port in the stream, described when it is new; NULL when there is no room to do so. */
static struct mirror_interface *interface_of(struct mirror *m, uint16_t number, uint16_t generation)
{
    struct mirror_interface *i = &m->interfaces[number];
    const struct port *port = datapath_port(m->dp, number);
    char name[32];
    struct writer w;

    if (i->known && i->generation == generation)
        return i;
    snprintf(name, sizeof(name), "port %u", number);
    w = out_writer(m, STATISTICS_ROOM);
    pcapng_interface(&w, PCAPNG_ETHERNET, m->options.snaplen,
                     port && port->generation == generation && *port->name ? port->name : name);
    if (!out_written(m, &w))
        return NULL;
    *i = (struct mirror_interface){
        .generation = generation, .known = true, .index = m->interface_count++};
    return i;
}

static void describe_drop(const struct mirror *m, const struct mirror_entry *e, struct text *t)
{
    const struct port *port = datapath_port(m->dp, e->port);
    struct of_match match;

    text_add(t, "dropped: reason=%s port=",
             e->reason < DROP_REASONS ? drop_reason_names[e->reason]
                                      : port_drop_names[e->reason - DROP_REASONS]);
    if (port && *port->name)
        text_add(t, "%s", port->name);
    else
        text_add(t, "%u", e->port);
    if (e->table_id != NO_TABLE)
        text_add(t, " table=%u", e->table_id);
    if (e->flow) {
        flow_match(e->flow, &match);
        text_add(t, " cookie=0x%llx flow=priority=%u%s", (unsigned long long)e->flow->cookie,
                 flow_priority(e->flow), match.fields ? "," : "");
        of_print_match(t, &match);
    }
}

static void write_entry(struct mirror *m, const struct mirror_entry *e)
{
    static const enum pcapng_direction directions[] = {
        [MIRROR_IN] = PCAPNG_IN, [MIRROR_OUT] = PCAPNG_OUT, [MIRROR_DROPS] = PCAPNG_UNKNOWN};
    struct mirror_interface *i = interface_of(m, e->port, e->generation);
    char comment[COMMENT_SIZE] = "";
    struct text t = text_in(comment, sizeof(comment));
    struct pcapng_packet packet = {.time_us = e->time_us + m->to_wall_us,
                                   .body = bytes_of(e + 1, e->captured),
                                   .len = e->len,
                                   .direction = directions[e->what],
                                   .comment = comment};
    struct writer w;

    if (!i) {
        m->interfaces[e->port].unsent++;
        return;
    }
    packet.interface = i->index;
    if (e->what == MIRROR_DROPS)
        describe_drop(m, e, &t);
    w = out_writer(m, PCAPNG_OVERHEAD + packet.body.len);
    pcapng_packet(&w, &packet);
    if (out_written(m, &w))
        i->shown++;
    else
        i->unsent++;
}

static void take(struct mirror *m)
{
    for (unsigned i = 0; i < m->dp->worker_count; i++) {
        const struct mirror_entry *e;

        while ((e = mirror_ring_peek(&m->rings[i]))) {
            if (!m->gone)
                write_entry(m, e);
            mirror_ring_release(&m->rings[i]);
        }
    }
}

/* Entries are taken, so that what they point to may go; sending comes later. */
static void last_look(void)
{
    for (unsigned i = 0; i < all.count; i++)
        take(all.at[i]);
}

void mirrors_take(void)
{
    for (unsigned i = all.count; i-- > 0;) { /* one may close */
        take(all.at[i]);
        flush(all.at[i]);
    }
}

/* ---- begin and end ---- */

/* What each port lost; there is always room, as it is added to. */
static void write_statistics(struct mirror *m)
{
    for (uint16_t port = 0; port < MAX_PORTS && !m->gone; port++) {
        struct mirror_interface *i = &m->interfaces[port];
        uint64_t ring = 0, unsent = i->unsent;
        char comment[128];
        struct writer w;

        for (unsigned n = 0; n < m->dp->worker_count; n++)
            ring += m->ring_lost[n][port];
        if (!i->known && ring + unsent == 0 && m->interface_count)
            continue; /* a capture has one interface at least */
        if (!i->known && !(i = interface_of(m, port, i->generation)))
            continue;
        snprintf(comment, sizeof(comment), "lost: ring=%llu reader=%llu", (unsigned long long)ring,
                 (unsigned long long)unsent);
        w = out_writer(m, STATISTICS_ROOM);
        pcapng_statistics(&w, i->index, clock_wall_us(), i->shown + ring + unsent, ring + unsent,
                          comment);
        (void)out_written(m, &w);
    }
}

/* No worker is in it any more, and all that they copied was taken. */
static void mirror_complete(struct reclaim *reclaim)
{
    struct mirror *m = container_of(reclaim, struct mirror, reclaim);
    size_t room = m->end + (size_t)MAX_PORTS * 2 * STATISTICS_ROOM;
    uint8_t *larger = room > m->room ? realloc(m->out, room) : NULL;

    if (larger) {
        m->out = larger;
        m->room = room;
    }
    write_statistics(m);
    m->complete = true;
    flush(m);
}

static void mirror_end(struct mirror *m)
{
    if (m->ending)
        return;
    m->ending = true;
    lookers_remove(m);
    reclaim_later(&m->reclaim, mirror_complete);
}

static void on_stream(uv_poll_t *poll, int status, int events)
{
    struct mirror *m = poll->data;
    char ignored[256];

    if (status < 0)
        m->gone = true;
    if (events & UV_READABLE) {
        ssize_t n = recv(m->fd, ignored, sizeof(ignored), MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            m->gone = true;
        if (n == 0)
            mirror_end(m); /* it has enough: what is left will be written, then no more */
    }
    flush(m);
}

static void watch_stream(struct mirror *m)
{
    int events = (m->ending ? 0 : UV_READABLE) | (m->end ? UV_WRITABLE : 0);

    if (m->gone)
        events = 0;
    if (events == m->events)
        return;
    m->events = events;
    if (events)
        (void)uv_poll_start(&m->poll, events, on_stream);
    else
        (void)uv_poll_stop(&m->poll);
}

/* The section, and the ports that are there. */
static void write_head(struct mirror *m)
{
    struct writer w = out_writer(m, STATISTICS_ROOM);

    pcapng_section(&w);
    (void)out_written(m, &w);
    for (uint32_t i = 1; i < MAX_PORTS; i++) {
        const struct port *port = datapath_port(m->dp, i);

        if (port && shows(m, m->options.what, i))
            (void)interface_of(m, (uint16_t)i, port->generation);
    }
}

int mirror_open(struct datapath *dp, const struct mirror_options *options, int fd,
                void (*closed)(void *context), void *context)
{
    struct lookers *next = malloc(sizeof(*next));
    struct mirror *m = calloc(1, sizeof(*m));
    int err = -ENOMEM;

    if (m) {
        *m = (struct mirror){.dp = dp, .options = *options, .fd = fd, .room = MIRROR_UNSENT};
        m->rings = mirror_rings_new(dp->worker_count, MIRROR_RING);
        m->ring_lost = calloc(dp->worker_count, sizeof(*m->ring_lost));
        m->farewell = malloc(sizeof(*m->farewell));
        m->out = malloc(MIRROR_UNSENT);
    }
    if (next && m && m->rings && m->ring_lost && m->farewell && m->out)
        err = all.count < MIRRORS_MAX ? uv_poll_init(loop_uv(), &m->poll, fd) : -EUSERS;
    if (err < 0) {
        if (m) {
            mirror_rings_free(m->rings, dp->worker_count);
            free(m->ring_lost);
            free(m->farewell);
            free(m->out);
        }
        free(m);
        free(next);
        return err;
    }
    m->poll.data = m;
    m->closed = closed;
    m->context = context;
    m->to_wall_us = clock_wall_us() - clock_now_us();
    write_head(m);
    lookers_copy(next, dp->lookers);
    next->mirrors[next->mirror_count++] = m;
    lookers_publish(dp, next);
    all.at[all.count++] = m;
    reclaim_set_last_look(last_look);
    flush(m);
    return 0;
}

unsigned mirror_count(void)
{
    return all.count;
}

void mirrors_close(void)
{
    for (unsigned i = 0; i < all.count; i++)
        mirror_end(all.at[i]);
    reclaim_all();
    while (all.count) {
        struct mirror *m = all.at[0];

        m->gone = m->complete = true;
        flush(m);
    }
    loop_defer_cancel(&all.take);
}
