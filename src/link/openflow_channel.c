/*
 * openflow_channel.c -- messages on a stream: framing, HELLO, echo, transaction ids, reconnecting
 * (OpenFlow 1.3.5 clause 6). The header tells what a channel is; the bytes are openflow_stream.c's
 * business, the answers openflow_request.c's.
 *
 * A channel's life:
 *
 *     openflow_connect() --> waiting for TCP, TLS --> HELLO sent, waiting for theirs --> up -->
 * lost ^                                                             |
 *                                +----------------- after a pause, doubled each time ----------+
 *
 * A listener's channel begins with HELLO, or with TLS, and ends when it is lost. A channel is held
 * by who works on it (`held`): what the user's functions close is freed when the last holder lets
 * go.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/trace.h"
#include "link/openflow_inner.h"

#define ECHO_INTERVAL_MS   5000
#define RECONNECT_FIRST_MS 100
#define RECONNECT_MAX_MS   8000
#define QUEUE_LIMIT        (32u * 1024 * 1024)
#define LISTEN_BACKLOG     64
#define NAME_SIZE          64
#define PROBLEM_SIZE       320
#define SETUP_MS           10000 /* for TCP and TLS together, and for HELLO, at most */

/* What is looked at here; the names of everything else are wire/openflow's. */
enum { HELLO = 0, ERROR = 1, ECHO_REQUEST = 2, ECHO_REPLY = 3 };
enum { HELLO_ELEMENT_VERSION_BITMAP = 1 };
enum { HELLO_FAILED = 0, BAD_REQUEST = 1 };
enum { INCOMPATIBLE = 0, BAD_VERSION = 0 };
#define ERROR_SIZE 12 /* of an error message without data */
#define QUOTED     64 /* octets of a message that an error quotes (clause 7.4.4) */

enum channel_state {
    CHANNEL_CLOSED,
    CHANNEL_PAUSED,
    CHANNEL_CONNECTING,
    CHANNEL_HELLO,
    CHANNEL_UP
};

struct openflow_channel {
    enum channel_state state;
    unsigned held;
    struct openflow_options options;
    struct openflow_listener *listener;    /* NULL: connects */
    struct openflow_channel *next, **link; /* of the listener's list */
    struct openflow_stream *stream;        /* in CONNECTING, HELLO and UP */
    struct sockaddr_storage address;       /* to connect to */
    struct sockaddr_storage from;          /* ours, to connect from */
    struct sockaddr_storage local, peer;
    char problem[PROBLEM_SIZE]; /* the last that was logged since the channel was up */
    uint8_t version;            /* agreed on; 0 before */
    uint32_t xid;
    uint32_t pause_ms;  /* before the next attempt */
    struct timer timer; /* keepalive, or the pause */
    uint64_t heard_ms;  /* when something was last received, or the channel came up */
    uint64_t up_ms;     /* when it came up */
    uint64_t written;   /* what the stream had taken when keepalive() last looked */
    bool has_backlog;   /* and whether more waited then */
    bool is_probed;     /* an ECHO_REQUEST is out */
    struct deferred flush;
    const char *subject;
    char name[NAME_SIZE];
    struct openflow_pendings pendings;
};

struct openflow_listener {
    uv_tcp_t tcp;
    struct openflow_options options;
    struct openflow_channel *channels;
    size_t count;
};

static void lost(struct openflow_channel *channel, int reason);
static void keepalive(struct timer *timer);

static void hold(struct openflow_channel *channel)
{
    channel->held++;
}

/* Not inlined: gcc 12 then takes a second holder for one that comes after the end. Clang's analyzer
 * cannot count holders either, and is not shown the end. */
__attribute__((noinline)) static void let_go(struct openflow_channel *channel)
{
#ifndef __clang_analyzer__
    if (--channel->held == 0)
        free(channel);
#else
    --channel->held;
#endif
}

/* Why there is no channel, in the log; for one that connects again and again, once. */
static void problem(struct openflow_channel *channel, const char *words)
{
    static struct log_limit limit;

    if (strcmp(channel->problem, words) == 0)
        return;
    snprintf(channel->problem, sizeof(channel->problem), "%s", words);
    log_limited(&limit, LOG_WARN, "openflow: %s: %s", openflow_channel_peer(channel), words);
}

/* ---- writing ---- */

static void flush_now(struct deferred *deferred)
{
    struct openflow_channel *channel = container_of(deferred, struct openflow_channel, flush);

    if (channel->stream)
        openflow_stream_flush(channel->stream);
}

static struct writer reserve(struct openflow_channel *channel, size_t size)
{
    struct writer w = writer_of(NULL, 0);

    if (channel->stream &&
        openflow_stream_queued(channel->stream) + size <= channel->options.queue_limit) {
        uint8_t *at = openflow_stream_reserve(channel->stream, size);
        if (at)
            return writer_of(at, size);
    }
    wr_fail(&w);
    return w;
}

/* Every message of what was written, to the trace. */
static void trace_all(struct openflow_channel *channel, bool sent, struct bytes bytes)
{
    while (bytes.len >= OPENFLOW_HEADER_SIZE) {
        size_t length = openflow_header_of(bytes.at).length;
        if (length < OPENFLOW_HEADER_SIZE || length > bytes.len)
            return;
        trace_message(TRACE_OPENFLOW, sent, (struct sockaddr *)&channel->local,
                      (struct sockaddr *)&channel->peer, channel->subject,
                      bytes_of(bytes.at, length));
        bytes = bytes_of(bytes.at + length, bytes.len - length);
    }
}

static int commit(struct openflow_channel *channel, const struct writer *w)
{
    if (w->bad)
        return w->start ? -EMSGSIZE : -ENOBUFS;
    if (wr_len(w) == 0)
        return 0;
    if (trace_is_on())
        trace_all(channel, true, wr_view(w));
    openflow_stream_commit(channel->stream, wr_len(w));
    loop_defer(&channel->flush, flush_now);
    return 0;
}

struct writer openflow_reserve(struct openflow_channel *channel, size_t size)
{
    if (channel->state == CHANNEL_UP)
        return reserve(channel, size);
    struct writer w = writer_of(NULL, 0);
    wr_fail(&w);
    return w;
}

int openflow_commit(struct openflow_channel *channel, const struct writer *w)
{
    if (channel->state != CHANNEL_UP)
        return -ENOTCONN;
    return commit(channel, w);
}

int openflow_send(struct openflow_channel *channel, struct bytes message)
{
    struct writer w = openflow_reserve(channel, message.len);

    wr_view_of(&w, message);
    return openflow_commit(channel, &w);
}

void openflow_header_put(struct writer *w, uint8_t version, uint8_t type, uint16_t length,
                         uint32_t xid)
{
    wr_u8(w, version);
    wr_u8(w, type);
    wr_u16(w, length);
    wr_u32(w, xid);
}

struct openflow_header openflow_header_of(const uint8_t *at)
{
    struct reader r = reader_of(at, OPENFLOW_HEADER_SIZE);

    return (struct openflow_header){rd_u8(&r), rd_u8(&r), rd_u16(&r), rd_u32(&r)};
}

/* An error with `data` (clause 7.4.4), before or after the HELLOs. */
static void send_error(struct openflow_channel *channel, uint8_t version, uint32_t xid,
                       uint16_t type, uint16_t code, struct bytes data)
{
    size_t length = ERROR_SIZE + data.len;
    struct writer w = reserve(channel, length);

    openflow_header_put(&w, version, ERROR, (uint16_t)length, xid);
    wr_u16(&w, type);
    wr_u16(&w, code);
    wr_bytes(&w, data.at, data.len);
    commit(channel, &w);
}

/* ---- HELLO (clauses 6.3.1 and 7.5.1) ---- */

static uint8_t highest(uint32_t versions)
{
    return versions ? (uint8_t)(31 - __builtin_clz(versions)) : 0;
}

static void send_hello(struct openflow_channel *channel)
{
    struct writer w = reserve(channel, 16);

    openflow_header_put(&w, highest(channel->options.versions), HELLO, 16,
                        openflow_channel_xid(channel));
    wr_u16(&w, HELLO_ELEMENT_VERSION_BITMAP);
    wr_u16(&w, 8);
    wr_u32(&w, channel->options.versions);
    commit(channel, &w);
}

/* Which versions a HELLO leaves to choose from: those of its bitmap; without one the smaller of the
 * two headers' versions, which both sides say they speak. */
static uint32_t versions_offered(const struct openflow_header *header, struct bytes message,
                                 uint8_t own)
{
    struct reader r = reader_of_bytes(message);

    rd_skip(&r, OPENFLOW_HEADER_SIZE);
    while (rd_left(&r) >= 4) {
        uint16_t type = rd_u16(&r);
        uint16_t length = rd_u16(&r);
        if (length < 4)
            break;
        struct reader element = rd_sub(&r, length - 4u);
        uint32_t bitmap = rd_u32(&element);
        if (type == HELLO_ELEMENT_VERSION_BITMAP && !element.bad)
            return bitmap;
        size_t padding = (8u - length % 8u) % 8;
        rd_skip(&r, padding < rd_left(&r) ? padding : rd_left(&r));
    }
    return OPENFLOW_VERSION_BIT(header->version < own ? header->version : own);
}

static void add_versions(struct text *t, uint32_t versions)
{
    static const char *const names[] = {"0.x", "1.0", "1.1", "1.2", "1.3", "1.4", "1.5"};
    const char *comma = "";

    for (uint32_t i = 0; i < 32; i++) {
        if (!(versions >> i & 1))
            continue;
        if (i < sizeof(names) / sizeof(names[0]))
            text_add(t, "%s%s", comma, names[i]);
        else
            text_add(t, "%s0x%02x", comma, i);
        comma = ", ";
    }
    if (!versions)
        text_add(t, "none");
}

/* Says what was offered and what is spoken here, to the peer and to the log. */
static void refuse_versions(struct openflow_channel *channel, uint32_t xid, uint32_t offered)
{
    char words[256];
    struct text t = text_in(words, sizeof(words));

    text_add(&t, "no OpenFlow version in common: offered ");
    add_versions(&t, offered);
    text_add(&t, "; spoken here ");
    add_versions(&t, channel->options.versions);
    send_error(channel, highest(channel->options.versions), xid, HELLO_FAILED, INCOMPATIBLE,
               bytes_of(words, t.len));
    problem(channel, words);
    lost(channel, -EPROTO);
}

static void hello_received(struct openflow_channel *channel, const struct openflow_header *header,
                           struct bytes message)
{
    uint32_t offered = versions_offered(header, message, highest(channel->options.versions));
    uint32_t common = channel->options.versions & offered;

    if (header->type != HELLO) {
        problem(channel, "the first message is no HELLO");
        lost(channel, -EPROTO);
        return;
    }
    if (!common) {
        refuse_versions(channel, header->xid, offered);
        return;
    }
    channel->version = highest(common);
    channel->state = CHANNEL_UP;
    channel->up_ms = loop_now_ms();
    channel->heard_ms = loop_now_ms();
    channel->problem[0] = '\0';
    timer_start(&channel->timer, channel->options.echo_interval_ms, keepalive);
    if (channel->options.user->up)
        channel->options.user->up(channel);
}

/* The peer found no version in common, or did not like the HELLO; it ends the connection, and so do
 * we. */
static void hello_failed(struct openflow_channel *channel, struct bytes message)
{
    char words[PROBLEM_SIZE];
    struct text t = text_in(words, sizeof(words));

    text_add(&t, "it refuses our HELLO: ");
    text_escaped(&t, bytes_of(message.at + ERROR_SIZE, message.len - ERROR_SIZE));
    problem(channel, words);
    lost(channel, -EPROTO);
}

static bool is_hello_failed(const struct openflow_header *header, struct bytes message)
{
    return header->type == ERROR && message.len >= ERROR_SIZE && message.at[8] == 0 &&
           message.at[9] == HELLO_FAILED;
}

/* ---- receiving ---- */

static void echo_requested(struct openflow_channel *channel, struct bytes message)
{
    struct writer w = reserve(channel, message.len);

    wr_view_of(&w, message);
    if (!w.bad)
        wr_patch_u8(&w, 1, ECHO_REPLY);
    commit(channel, &w);
}

static void message_received(struct openflow_channel *channel, const struct openflow_header *header,
                             struct bytes message)
{
    if (trace_is_on())
        trace_all(channel, false, message);
    if (is_hello_failed(header, message)) {
        hello_failed(channel, message);
        return;
    }
    if (channel->state == CHANNEL_HELLO) {
        hello_received(channel, header, message);
        return;
    }
    if (header->version != channel->version && header->type != HELLO) {
        if (header->type != ERROR)
            send_error(channel, channel->version, header->xid, BAD_REQUEST, BAD_VERSION,
                       bytes_of(message.at, message.len < QUOTED ? message.len : QUOTED));
        return;
    }
    if (header->type == ECHO_REQUEST) {
        echo_requested(channel, message);
        return;
    }
    if (header->type == HELLO || openflow_pendings_answer(&channel->pendings, header, message))
        return;
    if (header->type != ECHO_REPLY) /* one of ours, by which we see that the peer is there */
        channel->options.user->receive(channel, header, message);
}

/* The first octets of a TLS record with a handshake message (RFC 8446 clause 5.1): no OpenFlow
 * message, but a long one if it were taken for it. */
static bool is_tls(struct bytes bytes)
{
    return bytes.len >= 2 && bytes.at[0] == 22 && bytes.at[1] == 3;
}

static size_t bytes_received(void *owner, struct bytes bytes)
{
    struct openflow_channel *channel = owner;
    struct openflow_stream *stream = channel->stream;
    size_t used = 0;

    if (channel->state == CHANNEL_HELLO && is_tls(bytes)) {
        problem(channel, "refused: it speaks TLS; say ssl: here, or tcp: at the other end");
        lost(channel, -EPROTO);
        return 0;
    }
    if (channel->state == CHANNEL_UP) { /* what drips in before does not make it last longer */
        channel->heard_ms = loop_now_ms();
        channel->is_probed = false;
    }
    hold(channel);
    while (bytes.len - used >= OPENFLOW_HEADER_SIZE) {
        struct openflow_header header = openflow_header_of(bytes.at + used);
        if (header.length < OPENFLOW_HEADER_SIZE) {
            log_warn("openflow: %s: a message of %u octets", openflow_channel_peer(channel),
                     header.length);
            lost(channel, -EPROTO);
            break;
        }
        if (bytes.len - used < header.length)
            break;
        message_received(channel, &header, bytes_of(bytes.at + used, header.length));
        used += header.length;
        if (channel->stream != stream)
            break;
        if (channel->options.pause_at &&
            openflow_stream_queued(stream) > channel->options.pause_at) {
            openflow_stream_pause(stream, channel->options.pause_at / 2);
            break;
        }
    }
    let_go(channel);
    return used;
}

/* ---- coming and going ---- */

/* An echo may stand behind much else that the peer is still taking: that it takes it shows that it
 * is there. */
static void look_for_progress(struct openflow_channel *channel)
{
    uint64_t written = channel->stream ? openflow_stream_written(channel->stream) : 0;

    if (channel->has_backlog && written != channel->written) {
        channel->heard_ms = loop_now_ms();
        channel->is_probed = false;
    }
    channel->written = written;
    channel->has_backlog = openflow_channel_queued(channel) > 0;
}

/* The peer did not come so far in time. */
static void setup_takes_too_long(struct timer *timer)
{
    struct openflow_channel *channel = container_of(timer, struct openflow_channel, timer);

    if (channel->state == CHANNEL_HELLO)
        problem(channel, "no HELLO came in time");
    else if (channel->options.tls)
        problem(channel, "the TLS handshake did not end in time");
    lost(channel, -ETIMEDOUT);
}

static void limit_setup(struct openflow_channel *channel)
{
    uint32_t ms = channel->options.echo_interval_ms;

    timer_start(&channel->timer, ms < SETUP_MS ? ms : SETUP_MS, setup_takes_too_long);
}

/* Nothing heard for a while: ask; nothing heard after that either: the peer is gone. */
static void keepalive(struct timer *timer)
{
    struct openflow_channel *channel = container_of(timer, struct openflow_channel, timer);

    look_for_progress(channel);
    uint64_t interval = channel->options.echo_interval_ms;
    uint64_t silent = loop_now_ms() - channel->heard_ms;

    if (silent < interval) {
        timer_start(timer, interval - silent, keepalive);
        return;
    }
    if (channel->is_probed) {
        lost(channel, -ETIMEDOUT);
        return;
    }
    struct writer w = reserve(channel, OPENFLOW_HEADER_SIZE);
    openflow_header_put(&w, channel->version, ECHO_REQUEST, OPENFLOW_HEADER_SIZE,
                        openflow_channel_xid(channel));
    commit(channel, &w);
    channel->is_probed = true;
    timer_start(timer, interval, keepalive);
}

/* TCP stands, and TLS where it is wanted: say HELLO. */
static void connected(struct openflow_channel *channel)
{
    openflow_stream_addresses(channel->stream, &channel->local, &channel->peer);
    channel->state = CHANNEL_HELLO;
    channel->is_probed = false;
    limit_setup(channel);
    send_hello(channel);
}

static void stream_changed(void *owner, int status)
{
    struct openflow_channel *channel = owner;

    if (status == 0) {
        connected(channel);
        return;
    }
    const char *words = openflow_stream_problem(channel->stream);
    if (words[0])
        problem(channel, words);
    lost(channel, status);
}

static const struct openflow_stream_user stream_user = {bytes_received, stream_changed};

static void pause_over(struct timer *timer);

static void pause_before_next(struct openflow_channel *channel)
{
    channel->state = CHANNEL_PAUSED;
    timer_start(&channel->timer, channel->pause_ms, pause_over);
    channel->pause_ms = channel->pause_ms * 2 > channel->options.reconnect_max_ms
                            ? channel->options.reconnect_max_ms
                            : channel->pause_ms * 2;
}

static void try_to_connect(struct openflow_channel *channel)
{
    int err;

    channel->state = CHANNEL_CONNECTING;
    channel->peer = channel->address;
    channel->stream =
        openflow_stream_connect((struct sockaddr *)&channel->address, channel->options.from,
                                channel->options.tls, &stream_user, channel, &err);
    if (channel->stream)
        limit_setup(channel);
    else
        lost(channel, err);
}

static void pause_over(struct timer *timer)
{
    try_to_connect(container_of(timer, struct openflow_channel, timer));
}

/* Lets the stream go. */
static void detach(struct openflow_channel *channel)
{
    loop_defer_cancel(&channel->flush);
    timer_stop(&channel->timer);
    if (channel->stream)
        openflow_stream_close(channel->stream);
    channel->stream = NULL;
    channel->version = 0;
}

static void unlink_channel(struct openflow_channel *channel)
{
    if (!channel->link)
        return;
    *channel->link = channel->next;
    if (channel->next)
        channel->next->link = channel->link;
    channel->link = NULL;
    channel->listener->count--;
}

static void lost(struct openflow_channel *channel, int reason)
{
    const struct openflow_user *user = channel->options.user;
    bool was_up = channel->state == CHANNEL_UP;

    if (channel->state == CHANNEL_CLOSED)
        return;
    if (was_up && loop_now_ms() - channel->up_ms > channel->options.reconnect_max_ms)
        channel->pause_ms = RECONNECT_FIRST_MS;
    hold(channel);
    detach(channel);
    channel->state = CHANNEL_PAUSED;
    openflow_pendings_fail(&channel->pendings, reason);
    if (was_up && channel->state != CHANNEL_CLOSED)
        user->down(channel, reason);
    else if (!was_up && !channel->listener && user->failed)
        user->failed(channel, reason);
    if (channel->state != CHANNEL_CLOSED) {
        if (!channel->listener) {
            pause_before_next(channel);
        } else {
            channel->state = CHANNEL_CLOSED;
            unlink_channel(channel);
            let_go(channel);
        }
    }
    let_go(channel);
}

void openflow_drop(struct openflow_channel *channel, int reason)
{
    if (channel->stream)
        lost(channel, reason);
}

void openflow_close(struct openflow_channel *channel)
{
    if (channel->state == CHANNEL_CLOSED)
        return;
    channel->state = CHANNEL_CLOSED;
    detach(channel);
    unlink_channel(channel);
    openflow_pendings_fail(&channel->pendings, -ECANCELED);
    let_go(channel);
}

static struct openflow_channel *make(const struct openflow_options *options)
{
    struct openflow_channel *channel = calloc(1, sizeof(*channel));

    if (!channel)
        return NULL;
    channel->held = 1;
    channel->options = *options;
    channel->pause_ms = RECONNECT_FIRST_MS;
    return channel;
}

static struct openflow_options with_defaults(const struct openflow_options *options)
{
    struct openflow_options o = *options;

    if (o.versions == 0)
        o.versions = OPENFLOW_VERSION_BIT(OPENFLOW_1_3);
    if (o.echo_interval_ms == 0)
        o.echo_interval_ms = ECHO_INTERVAL_MS;
    if (o.reconnect_max_ms == 0)
        o.reconnect_max_ms = RECONNECT_MAX_MS;
    if (o.queue_limit == 0)
        o.queue_limit = QUEUE_LIMIT;
    return o;
}

static size_t address_size(const struct sockaddr *address)
{
    if (address->sa_family == AF_UNIX)
        return sizeof(struct sockaddr_un);
    return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

int openflow_connect(struct openflow_channel **channel, const struct sockaddr *address,
                     const struct openflow_options *options)
{
    struct openflow_options o = with_defaults(options);

    if (!(*channel = make(&o)))
        return -ENOMEM;
    memcpy(&(*channel)->address, address, address_size(address));
    if (o.from) {
        memcpy(&(*channel)->from, o.from, address_size(o.from));
        (*channel)->options.from = (struct sockaddr *)&(*channel)->from;
    }
    try_to_connect(*channel);
    return 0;
}

/* ---- the listener ---- */

static void connection_waits(uv_stream_t *handle, int status)
{
    struct openflow_listener *listener = handle->data;
    int err;

    if (status < 0)
        return;
    struct openflow_channel *channel = make(&listener->options);
    if (!channel)
        return;
    channel->listener = listener;
    channel->stream =
        openflow_stream_accept(handle, listener->options.tls, &stream_user, channel, &err);
    if (!channel->stream || listener->count >= OPENFLOW_MAX_CHANNELS) {
        detach(channel);
        let_go(channel);
        return;
    }
    channel->next = listener->channels;
    channel->link = &listener->channels;
    if (channel->next)
        channel->next->link = &channel->next;
    listener->channels = channel;
    listener->count++;
    if (!channel->options.tls) {
        connected(channel);
        return;
    }
    openflow_stream_addresses(channel->stream, &channel->local, &channel->peer);
    channel->state = CHANNEL_CONNECTING;
    limit_setup(channel);
}

static void listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int openflow_listen(struct openflow_listener **listener, const struct sockaddr *address,
                    const struct openflow_options *options)
{
    struct openflow_listener *l = calloc(1, sizeof(*l));
    int err;

    if (!l)
        return -ENOMEM;
    if ((err = uv_tcp_init(loop_uv(), &l->tcp)) < 0) {
        free(l);
        return err;
    }
    l->tcp.data = l;
    l->options = with_defaults(options);
    err = uv_tcp_bind(&l->tcp, address, 0);
    if (err == 0)
        err = uv_listen((uv_stream_t *)&l->tcp, LISTEN_BACKLOG, connection_waits);
    if (err < 0) {
        uv_close((uv_handle_t *)&l->tcp, listener_closed);
        return err;
    }
    *listener = l;
    return 0;
}

uint16_t openflow_listener_port(const struct openflow_listener *listener)
{
    struct sockaddr_storage address;
    int len = sizeof(address);

    if (uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(((struct sockaddr_in *)&address)->sin_port); /* in the same place for IPv6 */
}

void openflow_listener_close(struct openflow_listener *listener)
{
    while (listener->channels)
        openflow_close(listener->channels);
    uv_close((uv_handle_t *)&listener->tcp, listener_closed);
}

/* ---- what a channel is asked ---- */

void *openflow_channel_context(const struct openflow_channel *channel)
{
    return channel->options.context;
}

void openflow_channel_set_context(struct openflow_channel *channel, void *context)
{
    channel->options.context = context;
}

bool openflow_channel_is_up(const struct openflow_channel *channel)
{
    return channel->state == CHANNEL_UP;
}

uint8_t openflow_channel_version(const struct openflow_channel *channel)
{
    return channel->version;
}

bool openflow_channel_is_tls(const struct openflow_channel *channel)
{
    return channel->options.tls != NULL;
}

const struct sockaddr *openflow_channel_local(const struct openflow_channel *channel)
{
    return (const struct sockaddr *)&channel->local;
}

const char *openflow_channel_peer(const struct openflow_channel *channel)
{
    static char text[INET6_ADDRSTRLEN + 8];
    char address[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&channel->peer;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&channel->peer;

    if (channel->name[0])
        return channel->name;
    if (channel->peer.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof(address));
        snprintf(text, sizeof(text), "[%s]:%u", address, ntohs(v6->sin6_port));
    } else {
        inet_ntop(AF_INET, &v4->sin_addr, address, sizeof(address));
        snprintf(text, sizeof(text), "%s:%u", address, ntohs(v4->sin_port));
    }
    return text;
}

void openflow_channel_set_name(struct openflow_channel *channel, const char *name)
{
    snprintf(channel->name, sizeof(channel->name), "%s", name);
}

void openflow_channel_set_subject(struct openflow_channel *channel, const char *subject)
{
    channel->subject = subject;
}

size_t openflow_channel_queued(const struct openflow_channel *channel)
{
    return channel->stream ? openflow_stream_queued(channel->stream) : 0;
}

uint32_t openflow_channel_xid(struct openflow_channel *channel)
{
    if (++channel->xid == 0)
        channel->xid = 1;
    return channel->xid;
}

struct openflow_pendings *openflow_channel_pendings(struct openflow_channel *channel)
{
    return &channel->pendings;
}
