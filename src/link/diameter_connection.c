/*
 * diameter_connection.c -- from bytes to messages and back, over TCP and SCTP (RFC 6733
 * clause 2.1).
 *
 * Input: TCP's bytes are read into the connection's buffer and messages are handed up where they
 * lie; only the beginning of a message whose rest has not come is moved to the buffer's front.
 * Bytes that cannot be the begin of a message (another version, a length that is too small, no
 * multiple of four, or beyond max_message_bytes) end the connection: there is no way to find the
 * next message. An SCTP message holds one Diameter message.
 *
 * Output: messages are encoded straight into `out`. At the end of the turn one write takes all of
 * it. What the kernel does not take waits: for TCP in `flight` while `out` collects on, for SCTP in
 * `out`. A peer that does not read is not read from either once max_queue_bytes wait for it, until
 * half of them have left; so memory is bounded by what we had accepted.
 *
 * SCTP: all messages go on stream 0. Order is then kept across CEA, requests and DPR, which
 * clause 2.1.1 asks for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "link/diameter_inner.h"

#define FIRST_BUFFER_SIZE 16384u
#define IDLE_BUFFER_SIZE  (256u * 1024u)
#define USUAL_MESSAGE     2048u
#define GENTLE_CLOSE_MS   1000u
#define BACKLOG           128
#define LENGTH_BYTES      4   /* version and length: enough to know how much will come */
#define SPARE_CONNECTIONS 16u /* accepted, not yet known as a peer's */

static const struct diameter_carrier tcp_carrier, sctp_carrier;

static socklen_t address_size(const struct sockaddr *address)
{
    return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

static void connection_lost(struct diameter_connection *c)
{
    if (c->closed)
        return;
    if (c->peer)
        peer_connection_lost(c);
    connection_close(c, false);
}

/* ---- Input ---- */

static void garbage(struct diameter_connection *c, const char *what)
{
    static struct log_limit limit;

    diameter_count(DIAMETER_GARBAGE, 1);
    log_limited(&limit, LOG_WARN, "Diameter: %s from %.*s; connection closed", what,
                c->peer ? (int)strlen(c->peer->host) : 12,
                c->peer ? c->peer->host : "unknown peer");
    connection_lost(c);
}

/* The length of the message that begins here; 0 when more bytes are needed to know, -1 when it can
 * be none. */
static long message_length(const struct diameter_connection *c, struct bytes b)
{
    if (b.len < LENGTH_BYTES)
        return 0;
    size_t len = (size_t)b.at[1] << 16 | (size_t)b.at[2] << 8 | b.at[3];
    if (b.at[0] != DIAMETER_VERSION || len < DIAMETER_HEADER_SIZE || len % 4 != 0 ||
        len > c->node->config->max_message_bytes)
        return -1;
    return (long)len;
}

/* Hands up all messages that are whole. */
static void take_messages(struct diameter_connection *c)
{
    size_t at = 0;

    while (at < c->in_len && !c->closed && !c->ending && !c->paused) {
        struct bytes rest = bytes_of(c->in + at, c->in_len - at);
        long len = message_length(c, rest);
        if (len < 0) {
            garbage(c, "bytes that are no Diameter message");
            return;
        }
        if (len == 0 || (size_t)len > rest.len)
            break;
        at += (size_t)len;
        node_receive(c, bytes_of(rest.at, (size_t)len));
    }
    if (c->closed || at == 0)
        return;
    c->in_len -= at;
    memmove(c->in, c->in + at, c->in_len);
}

/* ---- Output ---- */

size_t connection_queued(const struct diameter_connection *c)
{
    return c->out_len + c->flight_len;
}

static void flush(struct deferred *deferred)
{
    struct diameter_connection *c = container_of(deferred, struct diameter_connection, flush);

    if (c->up)
        c->carrier->flush(c);
}

/* Something has left, or the end of the turn has come. */
static void after_flush(struct diameter_connection *c)
{
    size_t queued = connection_queued(c);

    if (c->closed)
        return;
    if (c->ending && queued == 0) {
        connection_close(c, false);
        return;
    }
    if (queued == 0 && c->out_size > IDLE_BUFFER_SIZE) {
        free(c->out);
        c->out = NULL;
        c->out_size = 0;
    }
    if (c->paused && queued <= c->node->config->max_queue_bytes / 2) {
        c->paused = false;
        c->carrier->pause(c, false);
        take_messages(c);
    }
}

struct writer connection_writer(struct diameter_connection *c, size_t size)
{
    if (c->out_size - c->out_len < size) {
        size_t larger = c->out_size ? c->out_size : FIRST_BUFFER_SIZE;
        while (larger - c->out_len < size)
            larger *= 2;
        uint8_t *out = realloc(c->out, larger);
        if (!out)
            return writer_of(NULL, 0);
        c->out = out;
        c->out_size = larger;
    }
    return writer_of(c->out + c->out_len, c->out_size - c->out_len);
}

void connection_commit(struct diameter_connection *c, const struct writer *w, const char *subject)
{
    struct bytes message = wr_view(w);

    c->out_len += message.len;
    diameter_count(DIAMETER_MESSAGES_OUT, 1);
    diameter_count(DIAMETER_BYTES_OUT, message.len);
    if (trace_is_on())
        trace_message(TRACE_DIAMETER, true, (const struct sockaddr *)&c->local,
                      (const struct sockaddr *)&c->remote, subject, message);
    loop_defer(&c->flush, flush);
    if (!c->paused && connection_queued(c) > c->node->config->max_queue_bytes) {
        c->paused = true;
        c->carrier->pause(c, true);
    }
}

/* Answers to what was accepted may still be queued beyond the limit at which we stop reading. */
static bool is_writable(const struct diameter_connection *c)
{
    return !c->closed && !c->ending && c->up &&
           connection_queued(c) <= 2 * c->node->config->max_queue_bytes;
}

int connection_send(struct diameter_connection *c, const struct diameter_message *message,
                    const struct diameter_header *header, const void *value, const char *subject)
{
    if (!is_writable(c))
        return c->closed ? -ENOTCONN : -ENOBUFS;
    for (size_t size = USUAL_MESSAGE; size / 4 < c->node->config->max_message_bytes; size *= 4) {
        struct writer w = connection_writer(c, size);
        diameter_encode(&w, message, header, value);
        if (!w.bad && wr_len(&w) <= c->node->config->max_message_bytes) {
            connection_commit(c, &w, subject);
            return 0;
        }
    }
    return -EMSGSIZE;
}

int connection_refuse(struct diameter_connection *c, const struct diameter_envelope *request,
                      const struct diameter_refusal *refusal)
{
    /* Session-Id, Proxy-Info and the failed AVP are all parts of the request. */
    size_t size = USUAL_MESSAGE + 2 * request->avps.len;

    if (!is_writable(c))
        return c->closed ? -ENOTCONN : -ENOBUFS;
    struct writer w = connection_writer(c, size);
    diameter_encode_refusal(&w, request, refusal);
    if (w.bad)
        return -EMSGSIZE;
    connection_commit(c, &w, NULL);
    return 0;
}

/* ---- Life ---- */

static void let_go(uv_handle_t *handle)
{
    struct diameter_connection *c = handle->data;

    free(c->in);
    free(c->out);
    free(c->flight);
    free(c);
}

static struct diameter_connection *connection_new(struct diameter_node *node,
                                                  const struct diameter_carrier *carrier)
{
    struct diameter_connection *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->node = node;
    c->carrier = carrier;
    /* SCTP has no use for the handle but its end, which is when all that runs now has returned. */
    if (uv_tcp_init(loop_uv(), &c->tcp) < 0) {
        free(c);
        return NULL;
    }
    c->tcp.data = c;
    c->next = node->connections;
    c->link = &node->connections;
    if (c->next)
        c->next->link = &c->next;
    node->connections = c;
    node->connection_count++;
    return c;
}

static void too_slow(struct timer *timer)
{
    struct diameter_connection *c = container_of(timer, struct diameter_connection, timer);

    connection_lost(c);
}

void connection_close(struct diameter_connection *c, bool gently)
{
    if (c->closed)
        return;
    if (c->peer)
        c->peer = NULL;
    if (gently && c->up && connection_queued(c) > 0) {
        c->ending = true;
        timer_start(&c->timer, GENTLE_CLOSE_MS, too_slow);
        return;
    }
    c->closed = true;
    timer_stop(&c->timer);
    loop_defer_cancel(&c->flush);
    service_forget_connection(c);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->node->connection_count--;
    c->carrier->close(c);
    uv_close((uv_handle_t *)&c->tcp, let_go);
}

/* An accepted connection has to say who it is, soon. */
static void await_cer(struct diameter_connection *c)
{
    c->up = true;
    c->last_received_ms = loop_now_ms();
    timer_start(&c->timer, c->node->config->connect_timeout_ms, too_slow);
}

static bool may_accept(const struct diameter_node *node)
{
    return !node->stopping && node->connection_count < node->config->max_peers + SPARE_CONNECTIONS;
}

struct diameter_connection *connection_open(struct diameter_node *node, struct diameter_peer *peer,
                                            enum diameter_transport transport,
                                            const struct sockaddr *remote)
{
    struct diameter_connection *c =
        connection_new(node, transport == DIAMETER_SCTP ? &sctp_carrier : &tcp_carrier);

    if (!c)
        return NULL;
    c->initiator = true;
    memcpy(&c->remote, remote, address_size(remote));
    if (c->carrier->connect(c) < 0) {
        connection_close(c, false);
        return NULL;
    }
    c->peer = peer;
    return c;
}

/* ---- TCP ---- */

static void tcp_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct diameter_connection *c = handle->data;
    long len = message_length(c, bytes_of(c->in, c->in_len));
    size_t size = c->in_size ? c->in_size : FIRST_BUFFER_SIZE;

    (void)suggested;
    while (size == c->in_len || (len > 0 && size < (size_t)len))
        size *= 2;
    if (size != c->in_size) {
        uint8_t *in = realloc(c->in, size);
        if (!in) {
            *buffer = uv_buf_init(NULL, 0); /* libuv reports ENOBUFS to tcp_read() */
            return;
        }
        c->in = in;
        c->in_size = size;
    }
    *buffer = uv_buf_init((char *)c->in + c->in_len, (unsigned)(c->in_size - c->in_len));
}

static void tcp_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct diameter_connection *c = stream->data;

    (void)buffer;
    if (n < 0 || c->ending) {
        if (n < 0)
            connection_lost(c);
        return;
    }
    c->in_len += (size_t)n;
    diameter_count(DIAMETER_BYTES_IN, (uint64_t)n);
    take_messages(c);
}

static void tcp_names(struct diameter_connection *c)
{
    int local_len = sizeof(c->local), remote_len = sizeof(c->remote);

    uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&c->local, &local_len);
    uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&c->remote, &remote_len);
    uv_tcp_nodelay(&c->tcp, 1); /* messages are collected here already */
}

static void tcp_connected(uv_connect_t *request, int status)
{
    struct diameter_connection *c = request->handle->data;

    if (c->closed)
        return;
    if (status < 0 || uv_read_start((uv_stream_t *)&c->tcp, tcp_room, tcp_read) < 0) {
        connection_lost(c);
        return;
    }
    c->up = true;
    c->last_received_ms = loop_now_ms();
    tcp_names(c);
    peer_connected(c);
}

static int tcp_connect(struct diameter_connection *c)
{
    return uv_tcp_connect(&c->connecting, &c->tcp, (const struct sockaddr *)&c->remote,
                          tcp_connected);
}

static void tcp_written(uv_write_t *request, int status);

static void tcp_flush(struct diameter_connection *c)
{
    if (c->flight_len == 0 && c->out_len > 0) {
        uv_buf_t all = uv_buf_init((char *)c->out, (unsigned)c->out_len);
        int n = uv_try_write((uv_stream_t *)&c->tcp, &all, 1);
        diameter_count(DIAMETER_WRITES, 1);
        if (n < 0 && n != UV_EAGAIN) {
            connection_lost(c);
            return;
        }
        size_t done = n > 0 ? (size_t)n : 0;
        if (done == c->out_len) {
            c->out_len = 0;
        } else {
            uint8_t *buffer = c->flight;
            size_t size = c->flight_size;
            c->flight = c->out;
            c->flight_size = c->out_size;
            c->flight_len = c->out_len - done;
            c->out = buffer;
            c->out_size = size;
            c->out_len = 0;
            uv_buf_t rest = uv_buf_init((char *)c->flight + done, (unsigned)c->flight_len);
            if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &rest, 1, tcp_written) < 0) {
                connection_lost(c);
                return;
            }
        }
    }
    after_flush(c);
}

static void tcp_written(uv_write_t *request, int status)
{
    struct diameter_connection *c = request->handle->data;

    c->flight_len = 0;
    if (c->closed)
        return;
    if (status < 0)
        connection_lost(c);
    else
        tcp_flush(c);
}

static void tcp_pause(struct diameter_connection *c, bool paused)
{
    if (paused)
        uv_read_stop((uv_stream_t *)&c->tcp);
    else
        uv_read_start((uv_stream_t *)&c->tcp, tcp_room, tcp_read);
}

static void tcp_close(struct diameter_connection *c)
{
    (void)c; /* connection_close() closes the handle */
}

static const struct diameter_carrier tcp_carrier = {
    .name = "tcp",
    .connect = tcp_connect,
    .flush = tcp_flush,
    .pause = tcp_pause,
    .close = tcp_close,
};

/* ---- SCTP ---- */

static void sctp_names(struct diameter_connection *c)
{
    const struct sockaddr *local = sctp_local_address(c->sctp);
    const struct sockaddr *remote = sctp_peer_address(c->sctp);

    memcpy(&c->local, local, address_size(local));
    memcpy(&c->remote, remote, address_size(remote));
}

static void sctp_client_up(struct sctp_association *association, void *owner)
{
    struct diameter_connection *c = owner;

    (void)association;
    c->up = true;
    c->last_received_ms = loop_now_ms();
    sctp_names(c);
    peer_connected(c);
}

static void sctp_got(struct sctp_association *association, void *owner,
                     const struct sctp_message *message)
{
    struct diameter_connection *c = owner;

    (void)association;
    if (c->ending)
        return;
    diameter_count(DIAMETER_BYTES_IN, message->payload.len);
    if (message_length(c, message->payload) != (long)message->payload.len)
        garbage(c, "an SCTP message that is no Diameter message");
    else
        node_receive(c, message->payload);
}

static void sctp_room(struct sctp_association *association, void *owner)
{
    struct diameter_connection *c = owner;

    (void)association;
    c->carrier->flush(c);
}

static void sctp_ended(struct sctp_association *association, void *owner, enum sctp_down reason)
{
    struct diameter_connection *c = owner;

    (void)association;
    (void)reason;
    c->sctp = NULL;
    connection_lost(c);
}

static const struct sctp_handler sctp_client = {
    .up = sctp_client_up,
    .message = sctp_got,
    .writable = sctp_room,
    .down = sctp_ended,
};

static struct sctp_settings settings_of(const struct diameter_node *node)
{
    struct sctp_settings settings = sctp_settings_default();

    settings.max_associations = node->config->max_peers + SPARE_CONNECTIONS;
    settings.max_message_bytes = (uint32_t)node->config->max_message_bytes;
    return settings;
}

static int sctp_open(struct diameter_connection *c)
{
    struct sctp_settings settings = settings_of(c->node);

    return sctp_connect(NULL, (const struct sockaddr *)&c->remote, &settings, &sctp_client, c,
                        &c->sctp);
}

static void sctp_flush(struct diameter_connection *c)
{
    size_t at = 0;

    while (at < c->out_len) {
        struct bytes rest = bytes_of(c->out + at, c->out_len - at);
        long len = message_length(c, rest);
        int err = len > 0
                      ? sctp_send(c->sctp, 0, SCTP_PPID_DIAMETER, bytes_of(rest.at, (size_t)len))
                      : -EINVAL;
        if (err == -EAGAIN)
            break;
        if (err < 0) {
            connection_lost(c);
            return;
        }
        diameter_count(DIAMETER_WRITES, 1);
        at += (size_t)len;
    }
    if (at > 0) {
        c->out_len -= at;
        memmove(c->out, c->out + at, c->out_len);
    }
    after_flush(c);
}

static void sctp_pause(struct diameter_connection *c, bool paused)
{
    (void)c; /* an association cannot be held: max_pending bounds what it may leave with us */
    (void)paused;
}

static void sctp_close(struct diameter_connection *c)
{
    if (c->sctp)
        sctp_shutdown(c->sctp);
    c->sctp = NULL;
}

static const struct diameter_carrier sctp_carrier = {
    .name = "sctp",
    .connect = sctp_open,
    .flush = sctp_flush,
    .pause = sctp_pause,
    .close = sctp_close,
};

/* ---- Listening ---- */

struct diameter_listener {
    struct diameter_node *node;
    enum diameter_transport transport;
    uv_tcp_t tcp;
    struct sctp_listener *sctp;
};

static void tcp_accept(uv_stream_t *stream, int status)
{
    struct diameter_listener *listener = stream->data;
    static struct log_limit limit;

    if (status < 0)
        return;
    struct diameter_connection *c = connection_new(listener->node, &tcp_carrier);
    if (!c)
        return;
    int err = uv_accept(stream, (uv_stream_t *)&c->tcp);
    if (err == 0 && !may_accept(listener->node)) {
        log_limited(&limit, LOG_WARN, "Diameter: too many connections; a new one is refused");
        err = -ENOSPC;
    }
    if (err < 0 || uv_read_start((uv_stream_t *)&c->tcp, tcp_room, tcp_read) < 0) {
        connection_close(c, false);
        return;
    }
    tcp_names(c);
    await_cer(c);
}

static void sctp_accept(struct sctp_association *association, void *owner)
{
    struct diameter_listener *listener = owner;
    struct diameter_connection *c =
        may_accept(listener->node) ? connection_new(listener->node, &sctp_carrier) : NULL;

    if (!c) {
        sctp_abort(association);
        return;
    }
    c->sctp = association;
    sctp_set_owner(association, c);
    sctp_names(c);
    await_cer(c);
}

static const struct sctp_handler sctp_server = {
    .up = sctp_accept,
    .message = sctp_got,
    .writable = sctp_room,
    .down = sctp_ended,
};

static void listener_let_go(uv_handle_t *handle)
{
    free(handle->data);
}

int listener_open(struct diameter_node *node, const struct diameter_listen_config *config,
                  struct diameter_listener **listener)
{
    struct diameter_listener *l = calloc(1, sizeof(*l));
    const struct sockaddr *address = (const struct sockaddr *)&config->address;
    int err = l ? uv_tcp_init(loop_uv(), &l->tcp) : -ENOMEM;

    if (err < 0) {
        free(l);
        return err;
    }
    l->node = node;
    l->transport = config->transport;
    l->tcp.data = l;
    if (l->transport == DIAMETER_SCTP) {
        struct sctp_settings settings = settings_of(node);
        err = sctp_listen(address, &settings, &sctp_server, l, &l->sctp);
    } else {
        err = uv_tcp_bind(&l->tcp, address, 0);
        if (err == 0)
            err = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, tcp_accept);
    }
    if (err < 0) {
        listener_close(l);
        return err;
    }
    *listener = l;
    return 0;
}

void listener_close(struct diameter_listener *listener)
{
    if (listener->sctp)
        sctp_listener_close(listener->sctp);
    uv_close((uv_handle_t *)&listener->tcp, listener_let_go);
}

void listener_address(const struct diameter_listener *listener, struct sockaddr_storage *address)
{
    int len = sizeof(*address);

    memset(address, 0, sizeof(*address));
    const struct sockaddr *sctp = listener->sctp ? sctp_listener_address(listener->sctp) : NULL;
    if (sctp)
        memcpy(address, sctp, address_size(sctp));
    else
        uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)address, &len);
}
