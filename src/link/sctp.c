/*
 * sctp.c -- see sctp.h; here is what all carriers have in common: an association's life, its send
 * queue and the calls to its owner.
 *
 * Sending: sctp_send() copies the message into the association's queue and defers flush() to the
 * end of the turn, so that all messages of the turn go to the backend one behind the other and
 * bundle into few packets. When the backend is full the queue keeps the rest until sctp_can_send().
 *
 * One thread: the loop's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "link/sctp.h"
#include "link/sctp_inner.h"

#define QUEUE_KEEP    (16 * 1024) /* an empty queue up to this size keeps its memory */
#define LAST_WORDS_MS 100         /* that a process stays for its associations' ends */
#define DRAIN_MS      10000       /* for what was sent before sctp_shutdown() to reach the peer */

/* The process's one context of this layer. */
static struct {
    struct sctp_association *living;
    struct sctp_association *dead;
    struct sctp_listener *listeners;
    struct deferred bury;
} sctp;

struct sctp_counters sctp_count;

static const char *const carrier_names[] = {
    [SCTP_CARRIER_AUTO] = "auto",
    [SCTP_CARRIER_KERNEL] = "kernel",
    [SCTP_CARRIER_USRSCTP] = "usrsctp",
    [SCTP_CARRIER_UDP] = "udp",
    NULL,
};

const char *sctp_carrier_name(enum sctp_carrier carrier)
{
    return carrier_names[carrier];
}

int sctp_carrier_parse(const char *name, enum sctp_carrier *carrier)
{
    for (size_t i = 0; carrier_names[i]; i++) {
        if (strcmp(name, carrier_names[i]) == 0) {
            *carrier = (enum sctp_carrier)i;
            return 0;
        }
    }
    return -EINVAL;
}

static bool socket_works(int type)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, IPPROTO_SCTP);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

enum sctp_carrier sctp_carrier_find(void)
{
    if (socket_works(SOCK_STREAM))
        return SCTP_CARRIER_KERNEL;
    if (socket_works(SOCK_RAW))
        return SCTP_CARRIER_USRSCTP;
    return SCTP_CARRIER_UDP;
}

struct sctp_settings sctp_settings_default(void)
{
    return (struct sctp_settings){
        .carrier = SCTP_CARRIER_AUTO,
        .streams = 16,
        .max_associations = 1024,
        .max_message_bytes = 64 * 1024,
        .send_queue_bytes = 1024 * 1024,
        .heartbeat_ms = 2000,
        .rto_initial_ms = 500,
        .rto_min_ms = 100,
        .rto_max_ms = 1000,
        .max_retransmissions = 5,
        .init_attempts = 4,
        .sack_delay_ms = 20,
        .sack_frequency = 2,
    };
}

static const struct config_field settings_fields[] = {
    CONFIG_FIELD(struct sctp_settings, carrier, &config_enum,
                 "kernel, usrsctp (raw IP), udp, or what works: auto", .more = carrier_names,
                 .fallback = "auto"),
    CONFIG_FIELD(struct sctp_settings, udp_port, &config_uint,
                 "our UDP port (RFC 6951); 0: 9899 to listen, any to connect", .fallback = "0"),
    CONFIG_FIELD(struct sctp_settings, udp_peer_port, &config_uint, "the peer's UDP port; 0: 9899",
                 .fallback = "0"),
    CONFIG_FIELD(struct sctp_settings, streams, &config_uint, "streams each way", .fallback = "16",
                 .min = 1, .max = 2048),
    CONFIG_FIELD(struct sctp_settings, max_associations, &config_uint, "more are refused",
                 .fallback = "1024", .min = 1, .max = 16000),
    CONFIG_FIELD(struct sctp_settings, max_message_bytes, &config_uint,
                 "a longer message ends the association", .fallback = "65536", .min = 1024,
                 .max = 1 << 20),
    CONFIG_FIELD(struct sctp_settings, send_queue_bytes, &config_uint,
                 "what may wait per association", .fallback = "1048576", .min = 4096,
                 .max = 1 << 28),
    CONFIG_FIELD(struct sctp_settings, heartbeat_ms, &config_duration,
                 "between heartbeats of an idle association", .fallback = "2s", .min = 100,
                 .max = 600000),
    CONFIG_FIELD(struct sctp_settings, rto_initial_ms, &config_duration, "RTO.Initial",
                 .fallback = "500ms", .min = 10, .max = 60000),
    CONFIG_FIELD(struct sctp_settings, rto_min_ms, &config_duration, "RTO.Min", .fallback = "100ms",
                 .min = 10, .max = 60000),
    CONFIG_FIELD(struct sctp_settings, rto_max_ms, &config_duration, "RTO.Max", .fallback = "1s",
                 .min = 10, .max = 60000),
    CONFIG_FIELD(struct sctp_settings, max_retransmissions, &config_uint, "Association.Max.Retrans",
                 .fallback = "5", .min = 1, .max = 100),
    CONFIG_FIELD(struct sctp_settings, init_attempts, &config_uint, "Max.Init.Retransmits",
                 .fallback = "4", .min = 1, .max = 100),
    CONFIG_FIELD(struct sctp_settings, sack_delay_ms, &config_duration,
                 "how long an acknowledgement may wait", .fallback = "20ms", .min = 1, .max = 500),
    CONFIG_FIELD(struct sctp_settings, sack_frequency, &config_uint,
                 "packets that one acknowledgement answers", .fallback = "2", .min = 1, .max = 16),
    CONFIG_FIELD(struct sctp_settings, mtu, &config_uint, "of the link; 0: the route's",
                 .fallback = "0"),
    CONFIG_FIELD(struct sctp_settings, dscp, &config_uint, "differentiated services code point",
                 .fallback = "0", .min = 0, .max = 63),
};

const struct config_schema sctp_settings_schema = {
    .name = "sctp",
    .help = "SCTP associations",
    .fields = settings_fields,
    .count = sizeof(settings_fields) / sizeof(*settings_fields),
    .size = sizeof(struct sctp_settings),
};

const char *sctp_down_text(enum sctp_down reason)
{
    static const char *const texts[] = {
        [SCTP_DOWN_SHUTDOWN] = "peer shut down", [SCTP_DOWN_ABORT] = "peer aborted",
        [SCTP_DOWN_LOST] = "peer lost",          [SCTP_DOWN_UNREACHABLE] = "peer unreachable",
        [SCTP_DOWN_RESTART] = "peer restarted",  [SCTP_DOWN_MISBEHAVED] = "peer broke the protocol",
    };
    return texts[reason];
}

/* ---- addresses ---- */

bool sctp_address_set(union sctp_address *to, const struct sockaddr *from)
{
    memset(to, 0, sizeof(*to));
    if (from->sa_family == AF_INET)
        memcpy(&to->v4, from, sizeof(to->v4));
    else if (from->sa_family == AF_INET6)
        memcpy(&to->v6, from, sizeof(to->v6));
    else
        return false;
    return true;
}

socklen_t sctp_address_len(const union sctp_address *a)
{
    return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

uint16_t sctp_address_port(const union sctp_address *a)
{
    return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

void sctp_address_set_port(union sctp_address *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET)
        a->v4.sin_port = htons(port);
    else
        a->v6.sin6_port = htons(port);
}

bool sctp_address_is_wildcard(const union sctp_address *a)
{
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == INADDR_ANY;
    return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

static void name_peer(struct sctp_association *a)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (a->peer.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->peer.v4.sin_addr, host, sizeof(host));
        snprintf(a->name, sizeof(a->name), "%s:%u", host, sctp_address_port(&a->peer));
    } else {
        inet_ntop(AF_INET6, &a->peer.v6.sin6_addr, host, sizeof(host));
        snprintf(a->name, sizeof(a->name), "[%s]:%u", host, sctp_address_port(&a->peer));
    }
}

/* ---- the send queue ---- */

static size_t queue_bytes(const struct sctp_queue *q)
{
    return q->end - q->begin;
}

static void queue_free(struct sctp_queue *q)
{
    free(q->at);
    *q = (struct sctp_queue){0};
}

/* Room for `need` more bytes at the end. 0 or -ENOMEM. */
static int queue_make_room(struct sctp_queue *q, size_t need)
{
    if (q->size - q->end >= need)
        return 0;
    size_t held = queue_bytes(q);
    if (q->begin > 0 && q->size - held >= need) {
        memmove(q->at, q->at + q->begin, held);
        q->begin = 0;
        q->end = held;
        return 0;
    }
    size_t size = q->size ? q->size : 2048;
    while (size - held < need)
        size *= 2;
    uint8_t *at = malloc(size);
    if (!at)
        return -ENOMEM;
    if (held > 0)
        memcpy(at, q->at + q->begin, held);
    free(q->at);
    *q = (struct sctp_queue){at, size, 0, held, q->messages};
    return 0;
}

static int queue_put(struct sctp_queue *q, const struct sctp_outgoing *head, const uint8_t *payload)
{
    int err = queue_make_room(q, sizeof(*head) + head->len);

    if (err < 0)
        return err;
    memcpy(q->at + q->end, head, sizeof(*head));
    memcpy(q->at + q->end + sizeof(*head), payload, head->len);
    q->end += sizeof(*head) + head->len;
    q->messages++;
    return 0;
}

static void queue_drop_first(struct sctp_queue *q, const struct sctp_outgoing *head)
{
    q->begin += sizeof(*head) + head->len;
    q->messages--;
    if (q->messages > 0)
        return;
    q->begin = q->end = 0;
    if (q->size > QUEUE_KEEP)
        queue_free(q);
}

/* ---- life ---- */

static void bury_dead(struct deferred *deferred)
{
    (void)deferred;
    while (sctp.dead) {
        struct sctp_association *a = sctp.dead;
        sctp.dead = a->next;
        free(a);
    }
}

static struct sctp_association *association_new(const struct sctp_backend *backend,
                                                const struct sctp_handler *handler, void *owner,
                                                const struct sctp_settings *settings,
                                                const union sctp_address *peer)
{
    struct sctp_association *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->backend = backend;
    a->handler = handler;
    a->owner = owner;
    a->settings = *settings;
    a->peer = *peer;
    a->fd = -1;
    name_peer(a);
    a->next = sctp.living;
    a->link = &sctp.living;
    if (a->next)
        a->next->link = &a->next;
    sctp.living = a;
    sctp_count.associations++;
    return a;
}

static void listener_free_if_unused(struct sctp_listener *l)
{
    if (l->closed && l->associations == 0)
        free(l);
}

/* Out of the living; its memory stays until the end of the turn. */
static void association_die(struct sctp_association *a)
{
    a->state = SCTP_STATE_DEAD;
    loop_defer_cancel(&a->flush);
    timer_stop(&a->drain);
    queue_free(&a->queue);
    free(a->partial);
    a->partial = NULL;
    *a->link = a->next;
    if (a->next)
        a->next->link = a->link;
    a->next = sctp.dead;
    sctp.dead = a;
    sctp_count.associations--;
    if (a->listener) {
        a->listener->associations--;
        listener_free_if_unused(a->listener);
        a->listener = NULL;
    }
    loop_defer(&sctp.bury, bury_dead);
}

static void association_end(struct sctp_association *a, bool abort)
{
    a->backend->release(a, abort);
    association_die(a);
}

/* ---- what backends report ---- */

struct sctp_association *sctp_accepted(struct sctp_listener *l, const union sctp_address *peer)
{
    struct sctp_association *a = NULL;

    if (!l->closed && l->associations < l->settings.max_associations)
        a = association_new(l->backend, l->handler, l->owner, &l->settings, peer);
    if (!a) {
        sctp_count.refused++;
        return NULL;
    }
    a->listener = l;
    l->associations++;
    return a;
}

void sctp_is_up(struct sctp_association *a, uint16_t streams)
{
    if (a->state != SCTP_STATE_CONNECTING)
        return;
    a->state = SCTP_STATE_UP;
    a->streams = streams;
    a->handler->up(a, a->owner);
}

/* Adds a fragment to what came before; false when the message is too long or memory is out. */
static bool partial_add(struct sctp_association *a, struct bytes fragment)
{
    if (a->partial_len + fragment.len > a->settings.max_message_bytes)
        return false;
    uint8_t *grown = realloc(a->partial, a->partial_len + fragment.len);
    if (!grown)
        return false;
    memcpy(grown + a->partial_len, fragment.at, fragment.len);
    a->partial = grown;
    a->partial_len += fragment.len;
    return true;
}

static void misbehaved(struct sctp_association *a)
{
    const struct sctp_handler *handler = a->handler;
    void *owner = a->owner;
    bool tell = a->state == SCTP_STATE_UP;

    if (tell)
        handler->down(a, owner, SCTP_DOWN_MISBEHAVED);
    if (a->state != SCTP_STATE_DEAD)
        association_end(a, true);
}

void sctp_received(struct sctp_association *a, uint16_t stream, uint32_t ppid,
                   struct bytes fragment, bool last)
{
    if (a->state != SCTP_STATE_UP)
        return;
    bool whole = last && a->partial_len == 0;
    if (whole ? fragment.len > a->settings.max_message_bytes : !partial_add(a, fragment)) {
        misbehaved(a);
        return;
    }
    if (!last)
        return;

    struct sctp_message message = {fragment, ppid, stream};
    uint8_t *joined = NULL;
    if (!whole) {
        joined = a->partial;
        message.payload = bytes_of(joined, a->partial_len);
        a->partial = NULL;
        a->partial_len = 0;
    }
    sctp_count.messages_in++;
    sctp_count.bytes_in += message.payload.len;
    a->handler->message(a, a->owner, &message);
    free(joined);
}

void sctp_is_down(struct sctp_association *a, enum sctp_down reason)
{
    if (a->state == SCTP_STATE_DEAD)
        return;
    if (a->state == SCTP_STATE_CONNECTING && reason == SCTP_DOWN_LOST)
        reason = SCTP_DOWN_UNREACHABLE;
    if (a->state != SCTP_STATE_DRAINING)
        a->handler->down(a, a->owner, reason);
    if (a->state != SCTP_STATE_DEAD)
        association_end(a, false);
}

void sctp_restarted(struct sctp_association *a, uint16_t streams)
{
    struct sctp_listener *l = a->listener;
    struct sctp_association *twin = NULL;

    if (l && a->state == SCTP_STATE_UP)
        twin = association_new(a->backend, a->handler, l->owner, &a->settings, &a->peer);
    if (twin) {
        twin->listener = l;
        l->associations++;
        a->backend->move(a, twin);
    }
    if (a->state == SCTP_STATE_UP)
        a->handler->down(a, a->owner, SCTP_DOWN_RESTART);
    if (a->state != SCTP_STATE_DEAD)
        association_end(a, true);
    if (twin)
        sctp_is_up(twin, streams);
}

/* ---- sending ---- */

/* Gives the backend what it takes. False when the association has come to its end. */
static bool hand_to_backend(struct sctp_association *a)
{
    struct sctp_outgoing head;

    while (a->queue.messages > 0) {
        const uint8_t *at = a->queue.at + a->queue.begin;
        memcpy(&head, at, sizeof(head));
        int err = a->backend->send(a, &head, at + sizeof(head), a->queue.messages > 1);
        if (err == -EAGAIN) {
            a->blocked = true;
            return true;
        }
        if (err < 0)
            return false; /* the backend reports the end */
        sctp_count.messages_out++;
        sctp_count.bytes_out += head.len;
        queue_drop_first(&a->queue, &head);
    }
    return true;
}

static void flush(struct deferred *deferred)
{
    struct sctp_association *a = container_of(deferred, struct sctp_association, flush);

    if (a->state == SCTP_STATE_CONNECTING || a->state == SCTP_STATE_DEAD || a->blocked)
        return;
    if (!hand_to_backend(a))
        return;
    if (a->state == SCTP_STATE_DRAINING) {
        if (a->queue.messages == 0 && !a->handing_over) {
            a->handing_over = true;
            a->backend->shutdown(a);
        }
        return;
    }
    if (a->owner_waits && queue_bytes(&a->queue) <= a->settings.send_queue_bytes / 2) {
        a->owner_waits = false;
        a->handler->writable(a, a->owner);
    }
}

void sctp_can_send(struct sctp_association *a)
{
    if (!a->blocked)
        return;
    a->blocked = false;
    loop_defer(&a->flush, flush);
}

int sctp_send(struct sctp_association *a, uint16_t stream, uint32_t ppid, struct bytes payload)
{
    if (a->state != SCTP_STATE_UP)
        return -ENOTCONN;
    if (payload.len == 0 || stream >= a->streams)
        return -EINVAL;
    if (payload.len > a->settings.max_message_bytes)
        return -EMSGSIZE;
    size_t need = sizeof(struct sctp_outgoing) + payload.len;
    /* One message always fits into an empty queue, whatever the bound. */
    if (a->queue.messages > 0 && queue_bytes(&a->queue) + need > a->settings.send_queue_bytes) {
        a->owner_waits = true;
        sctp_count.queue_full++;
        return -EAGAIN;
    }
    struct sctp_outgoing head = {(uint32_t)payload.len, ppid, stream};
    int err = queue_put(&a->queue, &head, payload.at);
    if (err < 0)
        return err;
    if (!a->blocked)
        loop_defer(&a->flush, flush);
    return 0;
}

/* The peer takes no data and does not go either. */
static void drained_too_long(struct timer *timer)
{
    association_end(container_of(timer, struct sctp_association, drain), true);
}

void sctp_shutdown(struct sctp_association *a)
{
    if (a->state == SCTP_STATE_CONNECTING)
        association_end(a, true);
    if (a->state != SCTP_STATE_UP)
        return;
    a->state = SCTP_STATE_DRAINING;
    timer_start(&a->drain, DRAIN_MS, drained_too_long);
    loop_defer(&a->flush, flush);
}

void sctp_abort(struct sctp_association *a)
{
    if (a->state == SCTP_STATE_CONNECTING || a->state == SCTP_STATE_UP)
        association_end(a, true);
}

/* ---- opening ---- */

static const struct sctp_backend *backend_of(struct sctp_settings *settings)
{
    if (settings->carrier == SCTP_CARRIER_AUTO)
        settings->carrier = sctp_carrier_find();
    return settings->carrier == SCTP_CARRIER_KERNEL ? &sctp_kernel_backend : &sctp_usrsctp_backend;
}

int sctp_listen(const struct sockaddr *local, const struct sctp_settings *settings,
                const struct sctp_handler *handler, void *owner, struct sctp_listener **listener)
{
    struct sctp_listener *l = calloc(1, sizeof(*l));

    *listener = NULL;
    if (!l)
        return -ENOMEM;
    l->handler = handler;
    l->owner = owner;
    l->settings = *settings;
    l->backend = backend_of(&l->settings);
    l->fd = -1;
    int err = sctp_address_set(&l->local, local) ? l->backend->listen(l) : -EAFNOSUPPORT;
    if (err < 0) {
        free(l);
        return err;
    }
    l->next = sctp.listeners;
    l->link = &sctp.listeners;
    if (l->next)
        l->next->link = &l->next;
    sctp.listeners = l;
    *listener = l;
    return 0;
}

void sctp_listener_close(struct sctp_listener *l)
{
    l->backend->unlisten(l);
    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    l->closed = true;
    listener_free_if_unused(l);
}

const struct sockaddr *sctp_listener_address(const struct sctp_listener *l)
{
    return &l->local.any;
}

int sctp_connect(const struct sockaddr *local, const struct sockaddr *peer,
                 const struct sctp_settings *settings, const struct sctp_handler *handler,
                 void *owner, struct sctp_association **association)
{
    struct sctp_settings chosen = *settings;
    const struct sctp_backend *backend = backend_of(&chosen);
    union sctp_address to, from = {.any.sa_family = peer->sa_family};

    *association = NULL;
    if (!sctp_address_set(&to, peer) || (local && !sctp_address_set(&from, local)) ||
        from.any.sa_family != to.any.sa_family)
        return -EAFNOSUPPORT;
    struct sctp_association *a = association_new(backend, handler, owner, &chosen, &to);
    if (!a)
        return -ENOMEM;
    a->local = from;
    int err = backend->connect(a);
    if (err < 0) {
        association_die(a);
        return err;
    }
    *association = a;
    return 0;
}

/* ---- asking ---- */

void sctp_set_owner(struct sctp_association *a, void *owner)
{
    a->owner = owner;
}

uint16_t sctp_streams(const struct sctp_association *a)
{
    return a->streams;
}

const struct sockaddr *sctp_peer_address(const struct sctp_association *a)
{
    return &a->peer.any;
}

const struct sockaddr *sctp_local_address(const struct sctp_association *a)
{
    return &a->local.any;
}

const char *sctp_peer_name(const struct sctp_association *a)
{
    return a->name;
}

size_t sctp_queued_bytes(const struct sctp_association *a)
{
    return queue_bytes(&a->queue);
}

void sctp_last_words(void)
{
    struct sctp_association *next;

    for (struct sctp_association *a = sctp.living; a; a = next) {
        next = a->next;
        if (a->state != SCTP_STATE_DRAINING)
            association_end(a, true);
    }
    for (unsigned waited = 0; sctp.living && waited < LAST_WORDS_MS; waited++) {
        for (struct sctp_association *a = sctp.living; a; a = next) {
            next = a->next;
            flush(&a->flush);
        }
        sctp_usrsctp_turn();
        usleep(1000);
    }
    while (sctp.living)
        association_end(sctp.living, true);
    sctp_usrsctp_turn();
}

void sctp_free(void)
{
    while (sctp.living)
        association_end(sctp.living, true);
    while (sctp.listeners)
        sctp_listener_close(sctp.listeners);
    loop_defer_cancel(&sctp.bury);
    bury_dead(&sctp.bury);
    sctp_usrsctp_free();
}
