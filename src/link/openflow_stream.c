/*
 * openflow_stream.c -- the connection under an OpenFlow channel: bytes in, bytes out, no messages
 * yet. TCP, or TLS over it.
 *
 * Output lies in a queue (openflow_queue.c). A flush first tries to write at once (uv_try_write(),
 * one writev() for many chunks); what the kernel does not take is left to libuv, and nothing more
 * is tried until that is done, so the order holds. `in_flight` bytes at the head belong to libuv
 * meanwhile. With TLS there are two queues: what is said, and the records that are made of it
 * (`wire`), a few at a time, so that what waits for a slow peer is kept once.
 *
 * Input is read into one buffer in which a whole message always fits; what the user does not use up
 * moves to the front. It may ask not to be given more for as long as much waits to be written: who
 * asks and does not read what he is answered would fill our memory. The stream outlives its close
 * until libuv says so, so the user's functions may close it at any point.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "link/openflow_inner.h"

#define INPUT_SIZE  (256 * 1024) /* four messages of the largest size */
#define FLUSH_PARTS 32           /* chunks that one writev() takes */
#define WIRE_LIMIT  (256 * 1024) /* records that are made before the first are written */

struct openflow_stream {
    uv_tcp_t tcp;
    uv_connect_t connecting;
    struct deferred at_once; /* of a Unix socket: tell that it is connected */
    struct deferred going_on;
    size_t go_on_at; /* paused: bytes that may wait when it reads again */
    bool is_paused;
    uv_write_t writing;
    const struct openflow_stream_user *user;
    void *owner;
    struct openflow_tls_session *tls; /* NULL: TCP alone */
    bool is_closed;
    bool is_connected; /* TCP */
    bool is_ready;     /* for the user's bytes */
    bool is_writing;
    struct openflow_queue said, wire;
    size_t in_flight; /* of the queue that is written, given to libuv */
    uint64_t written;
    size_t input_len;
    uint8_t input[INPUT_SIZE];
};

/* ---- life ---- */

static void closed(uv_handle_t *handle)
{
    struct openflow_stream *stream = handle->data;

    openflow_queue_free(&stream->said);
    openflow_queue_free(&stream->wire);
    openflow_tls_session_free(stream->tls);
    free(stream);
}

static struct openflow_stream *make(const struct openflow_tls *tls, bool accepts,
                                    const struct openflow_stream_user *user, void *owner, int *err)
{
    struct openflow_stream *stream = malloc(sizeof(*stream));

    *err = -ENOMEM;
    if (!stream)
        return NULL;
    memset(stream, 0, offsetof(struct openflow_stream, input));
    stream->user = user;
    stream->owner = owner;
    if (tls && !(stream->tls = openflow_tls_session_new(tls, accepts, &stream->wire))) {
        free(stream);
        return NULL;
    }
    if ((*err = uv_tcp_init(loop_uv(), &stream->tcp)) < 0) {
        openflow_tls_session_free(stream->tls);
        free(stream);
        return NULL;
    }
    stream->tcp.data = stream;
    return stream;
}

/* ---- input ---- */

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct openflow_stream *stream = handle->data;

    (void)suggested;
    if (stream->tls)
        *buf = openflow_tls_room(stream->tls);
    else
        *buf = uv_buf_init((char *)stream->input + stream->input_len,
                           (unsigned)(INPUT_SIZE - stream->input_len));
}

static void deliver(struct openflow_stream *stream)
{
    size_t used = stream->user->received(stream->owner, bytes_of(stream->input, stream->input_len));

    if (stream->is_closed)
        return;
    stream->input_len -= used;
    memmove(stream->input, stream->input + used, stream->input_len);
}

/* One step of the handshake: 0 when it is over, -EAGAIN, or why it failed. */
static int shake_hands(struct openflow_stream *stream)
{
    int err = openflow_tls_handshake(stream->tls);

    if (err == 0) {
        stream->is_ready = true;
        stream->user->changed(stream->owner, 0);
    }
    if (!stream->is_closed)
        openflow_stream_flush(stream); /* our part of it, or the alert that says why not */
    return err;
}

/* Opens the records that are there and gives the user what is in them: -EAGAIN when all is read. */
static int open_records(struct openflow_stream *stream)
{
    int n = 0;

    while (n >= 0 && !stream->is_closed && !stream->is_paused) {
        size_t before = stream->input_len;
        while (stream->input_len < INPUT_SIZE &&
               (n = openflow_tls_read(stream->tls, stream->input + stream->input_len,
                                      INPUT_SIZE - stream->input_len)) > 0)
            stream->input_len += (size_t)n;
        if (stream->input_len > before)
            deliver(stream);
    }
    return n;
}

static void received_tls(struct openflow_stream *stream, size_t n)
{
    int err = openflow_tls_received(stream->tls, n);

    if (err == 0 && !stream->is_ready)
        err = shake_hands(stream);
    if (err == 0)
        err = open_records(stream);
    if (!stream->is_closed && err < 0 && err != -EAGAIN)
        stream->user->changed(stream->owner, err);
}

static void received(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf);

/* Gives the user what lies there since the pause began, and reads on, unless he pauses again. */
static void go_on(struct deferred *deferred)
{
    struct openflow_stream *stream = container_of(deferred, struct openflow_stream, going_on);
    int err = 0;

    stream->is_paused = false;
    deliver(stream);
    if (stream->tls && !stream->is_closed)
        err = open_records(stream);
    if (err >= 0 || err == -EAGAIN)
        err = 0;
    if (err == 0 && !stream->is_closed && !stream->is_paused)
        err = uv_read_start((uv_stream_t *)&stream->tcp, give_buffer, received);
    if (!stream->is_closed && err < 0)
        stream->user->changed(stream->owner, err);
}

void openflow_stream_pause(struct openflow_stream *stream, size_t until)
{
    stream->is_paused = true;
    stream->go_on_at = until;
    uv_read_stop((uv_stream_t *)&stream->tcp);
}

static void received(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
    struct openflow_stream *stream = handle->data;

    (void)buf;
    if (stream->is_closed || n == 0)
        return;
    if (n < 0) {
        if (stream->tls)
            openflow_tls_ended(stream->tls);
        stream->user->changed(stream->owner, n == UV_EOF ? -ECONNRESET : (int)n);
    } else if (stream->tls) {
        received_tls(stream, (size_t)n);
    } else {
        stream->input_len += (size_t)n;
        deliver(stream);
    }
}

/* ---- coming and going ---- */

static int begin_reading(struct openflow_stream *stream)
{
    uv_tcp_nodelay(&stream->tcp, 1);
    stream->is_connected = true;
    stream->is_ready = !stream->tls;
    return uv_read_start((uv_stream_t *)&stream->tcp, give_buffer, received);
}

static void connected(uv_connect_t *request, int status)
{
    struct openflow_stream *stream = request->handle->data;

    if (stream->is_closed)
        return;
    if (status == 0)
        status = begin_reading(stream);
    if (status == 0 && stream->tls) {
        status = shake_hands(stream);
        if (status == 0 || status == -EAGAIN)
            return;
    }
    stream->user->changed(stream->owner, status);
}

/* Our address for a connection; its port is the kernel's to choose. */
static int bind_to(struct openflow_stream *stream, const struct sockaddr *from)
{
    struct sockaddr_in6 address = {.sin6_family = AF_UNSPEC};

    memcpy(&address, from,
           from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    address.sin6_port = 0; /* in the same place for IPv4 */
    return uv_tcp_bind(&stream->tcp, (struct sockaddr *)&address, 0);
}

/* At the end of the turn in which a Unix socket was connected. */
static void connected_at_once(struct deferred *deferred)
{
    struct openflow_stream *stream = container_of(deferred, struct openflow_stream, at_once);

    stream->connecting.handle = (uv_stream_t *)&stream->tcp;
    connected(&stream->connecting, 0);
}

/* A Unix socket: another kind of address, the same kind of stream. It connects at once or not. */
static int connect_unix(struct openflow_stream *stream, const struct sockaddr *to)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int err = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, to, sizeof(struct sockaddr_un)) < 0)
        err = -errno;
    if (err == 0)
        err = uv_tcp_open(&stream->tcp, fd);
    if (err < 0) {
        close(fd);
        return err;
    }
    loop_defer(&stream->at_once, connected_at_once);
    return 0;
}

struct openflow_stream *openflow_stream_connect(const struct sockaddr *to,
                                                const struct sockaddr *from,
                                                const struct openflow_tls *tls,
                                                const struct openflow_stream_user *user,
                                                void *owner, int *err)
{
    struct openflow_stream *stream = make(tls, false, user, owner, err);

    if (!stream)
        return NULL;
    if (from)
        *err = bind_to(stream, from);
    if (*err == 0 && to->sa_family == AF_UNIX)
        *err = connect_unix(stream, to);
    else if (*err == 0)
        *err = uv_tcp_connect(&stream->connecting, &stream->tcp, to, connected);
    if (*err < 0) {
        openflow_stream_close(stream);
        return NULL;
    }
    return stream;
}

struct openflow_stream *openflow_stream_accept(uv_stream_t *listening,
                                               const struct openflow_tls *tls,
                                               const struct openflow_stream_user *user, void *owner,
                                               int *err)
{
    struct openflow_stream *stream = make(tls, true, user, owner, err);

    if (!stream)
        return NULL;
    *err = uv_accept(listening, (uv_stream_t *)&stream->tcp);
    if (*err == 0)
        *err = begin_reading(stream);
    if (*err < 0) {
        openflow_stream_close(stream);
        return NULL;
    }
    return stream;
}

void openflow_stream_close(struct openflow_stream *stream)
{
    if (stream->is_closed)
        return;
    openflow_stream_flush(stream);
    if (stream->tls && stream->said.len == 0) {
        openflow_tls_end(stream->tls);
        openflow_stream_flush(stream);
    }
    stream->is_closed = true;
    loop_defer_cancel(&stream->at_once);
    loop_defer_cancel(&stream->going_on);
    uv_close((uv_handle_t *)&stream->tcp, closed);
}

/* ---- output ---- */

uint8_t *openflow_stream_reserve(struct openflow_stream *stream, size_t size)
{
    return openflow_queue_reserve(&stream->said, size);
}

void openflow_stream_commit(struct openflow_stream *stream, size_t size)
{
    openflow_queue_commit(&stream->said, size);
}

size_t openflow_stream_queued(const struct openflow_stream *stream)
{
    return stream->said.len + stream->wire.len;
}

uint64_t openflow_stream_written(const struct openflow_stream *stream)
{
    /* libuv tells of a write when all of it is done; what it still has to do shows how far it is.
     */
    size_t left = uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);

    return stream->written + (stream->in_flight > left ? stream->in_flight - left : 0);
}

/* What is written to the connection. */
static struct openflow_queue *outgoing(struct openflow_stream *stream)
{
    return stream->tls ? &stream->wire : &stream->said;
}

static void written_off(struct openflow_stream *stream, size_t n)
{
    openflow_queue_consume(outgoing(stream), n);
    stream->written += n;
    if (stream->is_paused && openflow_stream_queued(stream) <= stream->go_on_at)
        loop_defer(&stream->going_on, go_on);
}

/* Makes records of what was said. A session that fails here fails again when reading, and the
 * reader tells. */
static void make_records(struct openflow_stream *stream)
{
    uv_buf_t part;
    size_t total;

    while (stream->is_ready && stream->wire.len < WIRE_LIMIT &&
           openflow_queue_gather(&stream->said, &part, 1, &total) == 1) {
        int n = openflow_tls_write(stream->tls, part.base, part.len);
        if (n < 0)
            return;
        openflow_queue_consume(&stream->said, (size_t)n);
    }
}

static void written(uv_write_t *request, int status)
{
    struct openflow_stream *stream = request->handle->data;

    stream->is_writing = false;
    if (stream->is_closed)
        return;
    if (status < 0) {
        stream->user->changed(stream->owner, status);
        return;
    }
    written_off(stream, stream->in_flight);
    stream->in_flight = 0;
    openflow_stream_flush(stream);
}

/* Writes once; false when nothing more can be written now. */
static bool write_some(struct openflow_stream *stream)
{
    uv_buf_t parts[FLUSH_PARTS];
    uv_stream_t *handle = (uv_stream_t *)&stream->tcp;
    size_t total;
    unsigned n = openflow_queue_gather(outgoing(stream), parts, FLUSH_PARTS, &total);

    if (n == 0)
        return false;
    int done = uv_try_write(handle, parts, n);
    if (done > 0)
        written_off(stream, (size_t)done);
    if (done > 0 && (size_t)done == total)
        return true;
    /* A broken connection shows here and again when reading; the reader tells. */
    if (done < 0 && done != UV_EAGAIN)
        return false;
    n = openflow_queue_gather(outgoing(stream), parts, FLUSH_PARTS, &stream->in_flight);
    if (uv_write(&stream->writing, handle, parts, n, written) < 0)
        stream->in_flight = 0;
    else
        stream->is_writing = true;
    return false;
}

void openflow_stream_flush(struct openflow_stream *stream)
{
    if (stream->is_closed || !stream->is_connected || stream->is_writing)
        return;
    do {
        if (stream->tls)
            make_records(stream);
    } while (write_some(stream));
}

const char *openflow_stream_problem(const struct openflow_stream *stream)
{
    return stream->tls ? openflow_tls_problem(stream->tls) : "";
}

void openflow_stream_addresses(const struct openflow_stream *stream, struct sockaddr_storage *local,
                               struct sockaddr_storage *peer)
{
    int len = sizeof(*local);

    memset(local, 0, sizeof(*local));
    memset(peer, 0, sizeof(*peer));
    uv_tcp_getsockname(&stream->tcp, (struct sockaddr *)local, &len);
    len = sizeof(*peer);
    uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)peer, &len);
}
