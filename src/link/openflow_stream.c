/*
 * openflow_stream.c -- the TCP connection under an OpenFlow channel: bytes in, bytes out, no
 * messages yet.
 *
 * Output lies in a chain of chunks, filled at the tail by reserve and commit and written from the
 * head. A flush first tries to write at once (uv_try_write(), one writev() for the whole chain);
 * what the kernel does not take is left to libuv, and nothing more is tried until that is done, so
 * the order holds. `in_flight` bytes at the head belong to libuv meanwhile; chunks do not move.
 *
 * Input is read into one buffer in which a whole message always fits; what the user does not use up
 * moves to the front. The stream outlives its close until libuv says so, so the user's functions
 * may close it at any point.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link/openflow_inner.h"

#define CHUNK_SIZE  (64 * 1024 - 64)
#define INPUT_SIZE  (256 * 1024) /* four messages of the largest size */
#define FLUSH_PARTS 32           /* chunks that one writev() takes */

struct openflow_chunk {
    struct openflow_chunk *next;
    size_t from, to, size; /* from..to is to be written */
    uint8_t bytes[];
};

struct openflow_stream {
    uv_tcp_t tcp;
    uv_connect_t connecting;
    uv_write_t writing;
    const struct openflow_stream_user *user;
    void *owner;
    bool is_closed;
    bool is_connected;
    bool is_writing;
    struct openflow_chunk *head, *tail;
    size_t queued;    /* bytes in the chain */
    size_t in_flight; /* of these, given to libuv */
    uint64_t written;
    size_t input_len;
    uint8_t input[INPUT_SIZE];
};

static void free_chunks(struct openflow_chunk *chunk)
{
    while (chunk) {
        struct openflow_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

static void closed(uv_handle_t *handle)
{
    struct openflow_stream *stream = handle->data;

    free_chunks(stream->head);
    free(stream);
}

static struct openflow_stream *make(const struct openflow_stream_user *user, void *owner, int *err)
{
    struct openflow_stream *stream = malloc(sizeof(*stream));

    if (!stream) {
        *err = -ENOMEM;
        return NULL;
    }
    memset(stream, 0, offsetof(struct openflow_stream, input));
    stream->user = user;
    stream->owner = owner;
    if ((*err = uv_tcp_init(loop_uv(), &stream->tcp)) < 0) {
        free(stream);
        return NULL;
    }
    stream->tcp.data = stream;
    return stream;
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct openflow_stream *stream = handle->data;

    (void)suggested;
    buf->base = (char *)stream->input + stream->input_len;
    buf->len = INPUT_SIZE - stream->input_len;
}

static void received(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
    struct openflow_stream *stream = handle->data;

    (void)buf;
    if (stream->is_closed || n == 0)
        return;
    if (n < 0) {
        stream->user->changed(stream->owner, n == UV_EOF ? -ECONNRESET : (int)n);
        return;
    }
    stream->input_len += (size_t)n;
    size_t used = stream->user->received(stream->owner, bytes_of(stream->input, stream->input_len));
    if (stream->is_closed)
        return;
    stream->input_len -= used;
    memmove(stream->input, stream->input + used, stream->input_len);
}

static int begin_reading(struct openflow_stream *stream)
{
    uv_tcp_nodelay(&stream->tcp, 1);
    stream->is_connected = true;
    return uv_read_start((uv_stream_t *)&stream->tcp, give_buffer, received);
}

static void connected(uv_connect_t *request, int status)
{
    struct openflow_stream *stream = request->handle->data;

    if (stream->is_closed)
        return;
    if (status == 0)
        status = begin_reading(stream);
    stream->user->changed(stream->owner, status);
}

struct openflow_stream *openflow_stream_connect(const struct sockaddr *to,
                                                const struct openflow_stream_user *user,
                                                void *owner, int *err)
{
    struct openflow_stream *stream = make(user, owner, err);

    if (!stream)
        return NULL;
    if ((*err = uv_tcp_connect(&stream->connecting, &stream->tcp, to, connected)) < 0) {
        openflow_stream_close(stream);
        return NULL;
    }
    return stream;
}

struct openflow_stream *openflow_stream_accept(uv_stream_t *listening,
                                               const struct openflow_stream_user *user, void *owner,
                                               int *err)
{
    struct openflow_stream *stream = make(user, owner, err);

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
    stream->is_closed = true;
    uv_close((uv_handle_t *)&stream->tcp, closed);
}

uint8_t *openflow_stream_reserve(struct openflow_stream *stream, size_t size)
{
    struct openflow_chunk *tail = stream->tail;

    if (tail && tail->size - tail->to >= size)
        return tail->bytes + tail->to;
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct openflow_chunk *chunk = malloc(sizeof(*chunk) + room);
    if (!chunk)
        return NULL;
    *chunk = (struct openflow_chunk){.size = room};
    if (tail)
        tail->next = chunk;
    else
        stream->head = chunk;
    stream->tail = chunk;
    return chunk->bytes;
}

void openflow_stream_commit(struct openflow_stream *stream, size_t size)
{
    stream->tail->to += size;
    stream->queued += size;
}

size_t openflow_stream_queued(const struct openflow_stream *stream)
{
    return stream->queued;
}

uint64_t openflow_stream_written(const struct openflow_stream *stream)
{
    /* libuv tells of a write when all of it is done; what it still has to do shows how far it is.
     */
    size_t left = uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);

    return stream->written + (stream->in_flight > left ? stream->in_flight - left : 0);
}

/* Takes n written bytes off the head. The last chunk stays, empty, for the next messages. */
static void consume(struct openflow_stream *stream, size_t n)
{
    stream->queued -= n;
    stream->written += n;
    while (stream->head) {
        struct openflow_chunk *head = stream->head;
        size_t part = head->to - head->from < n ? head->to - head->from : n;
        head->from += part;
        n -= part;
        if (head->from < head->to)
            return;
        if (head == stream->tail) {
            head->from = head->to = 0;
            return;
        }
        stream->head = head->next;
        free(head);
    }
}

static unsigned gather(const struct openflow_stream *stream, uv_buf_t *parts, size_t *total)
{
    unsigned n = 0;

    *total = 0;
    for (struct openflow_chunk *c = stream->head; c && n < FLUSH_PARTS; c = c->next) {
        if (c->from == c->to)
            continue;
        parts[n++] = uv_buf_init((char *)c->bytes + c->from, (unsigned)(c->to - c->from));
        *total += c->to - c->from;
    }
    return n;
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
    consume(stream, stream->in_flight);
    stream->in_flight = 0;
    openflow_stream_flush(stream);
}

void openflow_stream_flush(struct openflow_stream *stream)
{
    uv_buf_t parts[FLUSH_PARTS];
    uv_stream_t *handle = (uv_stream_t *)&stream->tcp;
    size_t total;

    if (stream->is_closed || !stream->is_connected)
        return;
    while (!stream->is_writing && stream->queued > 0) {
        unsigned n = gather(stream, parts, &total);
        int done = uv_try_write(handle, parts, n);
        if (done > 0)
            consume(stream, (size_t)done);
        if (done > 0 && (size_t)done == total)
            continue;
        /* A broken connection shows here and again when reading; the reader tells. */
        if (done < 0 && done != UV_EAGAIN)
            return;
        n = gather(stream, parts, &stream->in_flight);
        if (uv_write(&stream->writing, handle, parts, n, written) < 0) {
            stream->in_flight = 0;
            return;
        }
        stream->is_writing = true;
    }
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
