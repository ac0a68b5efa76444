/*
 * openflow_inner.h -- between openflow_channel.c (channels), openflow_stream.c (the connection),
 * openflow_queue.c (what is to be written), openflow_tls.c (certificates and ciphers) and
 * openflow_request.c (who waits for which answer).
 */
#ifndef STROWGER_LINK_OPENFLOW_INNER_H
#define STROWGER_LINK_OPENFLOW_INNER_H

#include <uv.h>

#include "base/loop.h"
#include "link/openflow_channel.h"

/* ---- the queue ---- */

struct openflow_chunk;

struct openflow_queue {
    struct openflow_chunk *head, *tail;
    size_t len; /* bytes in the chain */
};

/* Room for `size` bytes at the end, NULL when there is no memory; what was really written there is
 * committed. */
uint8_t *openflow_queue_reserve(struct openflow_queue *queue, size_t size);
void openflow_queue_commit(struct openflow_queue *queue, size_t size);

/* Takes n bytes off the head. */
void openflow_queue_consume(struct openflow_queue *queue, size_t n);

/* The first chunks as at most `max` parts of `*total` bytes; returns how many parts. */
unsigned openflow_queue_gather(const struct openflow_queue *queue, uv_buf_t *parts, unsigned max,
                               size_t *total);
void openflow_queue_free(struct openflow_queue *queue);

/* ---- TLS on a stream ---- */

struct openflow_tls;
struct openflow_tls_session;

/* `accepts`: we are the server. Records are written into `wire`. NULL without memory. */
struct openflow_tls_session *openflow_tls_session_new(const struct openflow_tls *tls, bool accepts,
                                                      struct openflow_queue *wire);
void openflow_tls_session_free(struct openflow_tls_session *session);

/* Where what is received next goes, and that n bytes of it came: 0 or -EPROTO. */
uv_buf_t openflow_tls_room(struct openflow_tls_session *session);
int openflow_tls_received(struct openflow_tls_session *session, size_t n);

/* The peer has closed the connection. */
void openflow_tls_ended(struct openflow_tls_session *session);

/* All three: -EAGAIN when more must be received first, or another negative errno for the end. The
 * handshake returns 0 when it is over, the others how many bytes they read or took. */
int openflow_tls_handshake(struct openflow_tls_session *session);
int openflow_tls_read(struct openflow_tls_session *session, uint8_t *to, size_t size);
int openflow_tls_write(struct openflow_tls_session *session, const void *from, size_t size);

/* Says good-bye (close_notify). */
void openflow_tls_end(struct openflow_tls_session *session);

/* What went wrong and what to do about it; "" when nothing did. */
const char *openflow_tls_problem(const struct openflow_tls_session *session);

/* ---- the stream: bytes of one connection ---- */

struct openflow_stream;

struct openflow_stream_user {
    /* Something was received; returns how many bytes of it were used up. Not called again once the
     * stream is closed. */
    size_t (*received)(void *owner, struct bytes bytes);
    /* Ready for bytes (0): connected, and the handshake is over where there is TLS; not connected,
     * or lost (negative errno). After an error the stream is still to be closed. */
    void (*changed)(void *owner, int status);
};

/* A stream that connects (from our address `from`, unless that is NULL), or one made from a
 * connection that waits at the listening handle; with TLS unless `tls` is NULL. An accepted stream
 * without TLS is ready at once, without a call of changed(). NULL with *err set. */
struct openflow_stream *openflow_stream_connect(const struct sockaddr *to,
                                                const struct sockaddr *from,
                                                const struct openflow_tls *tls,
                                                const struct openflow_stream_user *user,
                                                void *owner, int *err);
struct openflow_stream *openflow_stream_accept(uv_stream_t *listening,
                                               const struct openflow_tls *tls,
                                               const struct openflow_stream_user *user, void *owner,
                                               int *err);

/* Tries to write what waits, then closes; no call of the user's functions after this. */
void openflow_stream_close(struct openflow_stream *stream);

/* As of a queue. */
uint8_t *openflow_stream_reserve(struct openflow_stream *stream, size_t size);
void openflow_stream_commit(struct openflow_stream *stream, size_t size);
void openflow_stream_flush(struct openflow_stream *stream);
/* In received(): nothing more is given to the user until no more than so many bytes wait to be
 * written. */
void openflow_stream_pause(struct openflow_stream *stream, size_t until);
size_t openflow_stream_queued(const struct openflow_stream *stream);

/* Bytes that the connection has taken so far. */
uint64_t openflow_stream_written(const struct openflow_stream *stream);
void openflow_stream_addresses(const struct openflow_stream *stream, struct sockaddr_storage *local,
                               struct sockaddr_storage *peer);

/* Why TLS failed; "" when it did not. */
const char *openflow_stream_problem(const struct openflow_stream *stream);

/* ---- the requests ---- */

#define OPENFLOW_PENDING_BUCKETS 256

struct openflow_pendings {
    struct openflow_pending *buckets[OPENFLOW_PENDING_BUCKETS];
    size_t count;
};

struct openflow_pendings *openflow_channel_pendings(struct openflow_channel *channel);

/* Gives the message to who waits for its xid; false when nobody does. */
bool openflow_pendings_answer(struct openflow_pendings *pendings,
                              const struct openflow_header *header, struct bytes message);

/* Ends all waits with an error. */
void openflow_pendings_fail(struct openflow_pendings *pendings, int error);

/* Reads the first 8 bytes of a message. */
struct openflow_header openflow_header_of(const uint8_t *at);

#endif
