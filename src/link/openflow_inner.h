/*
 * openflow_inner.h -- between openflow_channel.c (channels), openflow_stream.c (the TCP connection
 * and its queue) and openflow_request.c (who waits for which answer).
 */
#ifndef STROWGER_LINK_OPENFLOW_INNER_H
#define STROWGER_LINK_OPENFLOW_INNER_H

#include <uv.h>

#include "base/loop.h"
#include "link/openflow_channel.h"

/* ---- the stream: bytes of one TCP connection ---- */

struct openflow_chunk;
struct openflow_stream;

struct openflow_stream_user {
    /* Something was received; returns how many bytes of it were used up. Not called again once the
     * stream is closed. */
    size_t (*received)(void *owner, struct bytes bytes);
    /* Connected (0), not connected, or lost (negative errno). After an error the stream is still to
     * be closed. */
    void (*changed)(void *owner, int status);
};

/* A stream that connects, or one made from a connection that waits at the listening handle. NULL
 * with *err set. */
struct openflow_stream *openflow_stream_connect(const struct sockaddr *to,
                                                const struct openflow_stream_user *user,
                                                void *owner, int *err);
struct openflow_stream *openflow_stream_accept(uv_stream_t *listening,
                                               const struct openflow_stream_user *user, void *owner,
                                               int *err);

/* Tries to write what waits, then closes; no call of the user's functions after this. */
void openflow_stream_close(struct openflow_stream *stream);

/* Room for `size` bytes at the queue's end, NULL when there is no memory; what was really written
 * there is committed. */
uint8_t *openflow_stream_reserve(struct openflow_stream *stream, size_t size);
void openflow_stream_commit(struct openflow_stream *stream, size_t size);
void openflow_stream_flush(struct openflow_stream *stream);
size_t openflow_stream_queued(const struct openflow_stream *stream);

/* Bytes that the connection has taken so far. */
uint64_t openflow_stream_written(const struct openflow_stream *stream);
void openflow_stream_addresses(const struct openflow_stream *stream, struct sockaddr_storage *local,
                               struct sockaddr_storage *peer);

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
