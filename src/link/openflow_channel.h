/*
 * openflow_channel.h -- the connection between an OpenFlow switch and its controller
 * (OpenFlow 1.3.5 clause 6).
 *
 * A channel is a TCP connection, or one of TLS (openflow_tls.h), on which both sides first say
 * HELLO, agree on a version, and then exchange messages that each begin with the same 8 bytes:
 * version, type, length, transaction id (xid). The channel does what both sides need and nothing
 * that depends on a message's contents:
 *
 *   - cuts the byte stream into messages (a malformed length ends the connection),
 *   - HELLO with version bitmap, HELLO_FAILED when there is no version in common (clause 6.3.1),
 *   - answers ECHO_REQUEST, and sends its own when the peer has been silent (clause 6.3.2),
 *   - gives out transaction ids and brings an answer to the one who waits for it: a fiber in
 *     openflow_request(), or an openflow_pending with a function,
 *   - collects what is to be sent and writes it once at the end of a loop turn, with one writev();
 *     the queue is bounded, and refuses what is too much,
 *   - connects again with growing pauses (the switch's side),
 *   - limits the time for connection, TLS handshake and HELLO,
 *   - shows every message to the trace, as it is without TLS.
 *
 * Everything else goes to the user's `receive`. Two roles: openflow_listen() for a controller, one
 * channel per switch that connects; openflow_connect() for a switch, one channel for good that is
 * up and down.
 *
 * One thread: the loop's. Ownership: a channel is owned by the caller of openflow_connect(), or by
 * the listener until it is down; openflow_close() may be called anywhere, also from the channel's
 * own callbacks.
 */
#ifndef STROWGER_LINK_OPENFLOW_CHANNEL_H
#define STROWGER_LINK_OPENFLOW_CHANNEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/cursor.h"

#define OPENFLOW_PORT         6653
#define OPENFLOW_HEADER_SIZE  8
#define OPENFLOW_MESSAGE_SIZE 65535 /* the length field has 16 bits */

/* Wire versions, and their bits in a set of versions (clause 7.5.1: bit n is version n). */
#define OPENFLOW_1_3            4
#define OPENFLOW_VERSION_BIT(v) (UINT32_C(1) << (v))

/* Channels that one listener has at most; further ones are refused. */
#define OPENFLOW_MAX_CHANNELS 256

struct openflow_channel;
struct openflow_listener;
struct openflow_tls;

/* The first 8 bytes of every message (clause 7.1.1). */
struct openflow_header {
    uint8_t version;
    uint8_t type;
    uint16_t length; /* of the whole message */
    uint32_t xid;
};

/* What the channel calls. All run in the loop's thread, outside fibers (unless they themselves
 * continue one). */
struct openflow_user {
    /* HELLOs are exchanged: messages may be sent. May be NULL. */
    void (*up)(struct openflow_channel *channel);

    /* A message that is not HELLO, echo, or the answer to a pending request. `message` is whole,
     * header included, and valid during the call. */
    void (*receive)(struct openflow_channel *channel, const struct openflow_header *header,
                    struct bytes message);

    /* The connection is lost or could not be made (reason: a negative errno; -ECONNRESET when the
     * peer closed, -ETIMEDOUT when it stopped answering, -EPROTO when it broke the protocol or
     * there was no common version). All pending requests have been failed before. A listener's
     * channel is gone after this call; a connecting one will try again. Called only for a channel
     * that was up, or for a listener's channel that up() was called for. */
    void (*down)(struct openflow_channel *channel, int reason);

    /* An attempt to connect has not led to up(); another follows. Not for a listener's channels.
     * May be NULL. */
    void (*failed)(struct openflow_channel *channel, int reason);
};

struct openflow_options {
    const struct openflow_user *user; /* must outlive the channel */
    void *context;                    /* for openflow_channel_context() */
    const struct openflow_tls *tls;   /* NULL: TCP alone; must outlive the channel */
    /* connecting: our own address, of which the port is not used; NULL: any. Copied. */
    const struct sockaddr *from;
    uint32_t versions; /* 0: OPENFLOW_VERSION_BIT(OPENFLOW_1_3) */
    /* 0: 5000; silence before an ECHO_REQUEST, and again before giving up; and how long TCP with
     * TLS, and then HELLO, may take (10 s at most) */
    uint32_t echo_interval_ms;
    /* 0: 8000; connecting: the pause grows from 100 ms to this, and begins anew when a connection
     * has lasted longer than that */
    uint32_t reconnect_max_ms;
    size_t queue_limit; /* 0: 32 MiB; bytes that may wait to be written */
    /* 0: never; while more bytes than that wait to be written nothing is read, until they are half
     * as many. For the one side that answers: two that do this may wait for each other. */
    size_t pause_at;
};

/* A controller's side: takes connections at this address (port 0: any; see
 * openflow_listener_port()). The options are copied and are those of every channel. 0 or a negative
 * errno. */
int openflow_listen(struct openflow_listener **listener, const struct sockaddr *address,
                    const struct openflow_options *options);

uint16_t openflow_listener_port(const struct openflow_listener *listener);

/* Stops listening and closes all its channels, without calling down(). */
void openflow_listener_close(struct openflow_listener *listener);

/* A switch's side: connects, now and again until openflow_close(); the address may be that of a
 * Unix socket, too. 0 or a negative errno (not for a
 * refused connection, which is tried again). */
int openflow_connect(struct openflow_channel **channel, const struct sockaddr *address,
                     const struct openflow_options *options);

/* Ends the channel, without calling down(). Pending requests fail with -ECANCELED. What was sent in
 * this turn is still tried to be written. */
void openflow_close(struct openflow_channel *channel);

/* Ends the connection as if it were lost (down() is called with `reason`); a connecting channel
 * tries again. */
void openflow_drop(struct openflow_channel *channel, int reason);

/* The user's own pointer; openflow_channel_set_context() replaces the options' one. */
void *openflow_channel_context(const struct openflow_channel *channel);
void openflow_channel_set_context(struct openflow_channel *channel, void *context);

bool openflow_channel_is_up(const struct openflow_channel *channel);

/* The version agreed on; 0 before. */
uint8_t openflow_channel_version(const struct openflow_channel *channel);

bool openflow_channel_is_tls(const struct openflow_channel *channel);

/* Our address of the connection; the family is AF_UNSPEC before there is one. */
const struct sockaddr *openflow_channel_local(const struct openflow_channel *channel);

/* The peer as text, "127.0.0.1:40000". */
const char *openflow_channel_peer(const struct openflow_channel *channel);

/* Names the channel for log and trace ("dpid 1"); copied, cut to 31 characters. The peer's address
 * until then. */
void openflow_channel_set_name(struct openflow_channel *channel, const char *name);

/* Whom the messages sent from now on are about, for the trace: an IMSI, or NULL for the running
 * fiber's subject. Not copied. */
void openflow_channel_set_subject(struct openflow_channel *channel, const char *subject);

/* Bytes that wait to be written. A producer of what may be lost (PACKET_IN) looks here before it
 * adds more. */
size_t openflow_channel_queued(const struct openflow_channel *channel);

/* The next transaction id; never 0. */
uint32_t openflow_channel_xid(struct openflow_channel *channel);

/* Building a message straight in the output queue: reserve room for at most `size` bytes (up to
 * OPENFLOW_MESSAGE_SIZE each, several messages may lie in one reservation), write, commit. The
 * writer is bad from birth when the queue is at its limit or the channel is not up. One reservation
 * at a time; a reservation that is not committed is given back by the next. openflow_commit()
 * returns 0, or -ENOBUFS / -EMSGSIZE when the writer is bad: then nothing was sent. */
struct writer openflow_reserve(struct openflow_channel *channel, size_t size);
int openflow_commit(struct openflow_channel *channel, const struct writer *w);

/* The same with a message that lies ready. 0, -ENOBUFS or -ENOTCONN. */
int openflow_send(struct openflow_channel *channel, struct bytes message);

/* Somebody who waits for the answers with one xid. A member of the waiter's struct; it must stay
 * until the last call of `answered`, or openflow_pending_cancel(). */
struct openflow_pending {
    struct openflow_pending *next;
    struct openflow_pending **link; /* NULL: not pending */
    uint32_t xid;
    /* error is 0 and the message is the answer (which may be an ERROR message: look at
     * header->type); or error is why there will be none (header is NULL). With `more`, a multipart
     * reply, others follow (clause 7.3.5); without, it is the last call and the pending may be used
     * or freed. */
    void (*answered)(struct openflow_pending *pending, int error,
                     const struct openflow_header *header, struct bytes message, bool more);
};

/* Before the request with this xid is committed, or after, but in the same turn. Returns 0, or
 * -ENOTCONN when the channel is not up. */
int openflow_pending_add(struct openflow_channel *channel, struct openflow_pending *pending,
                         uint32_t xid);
void openflow_pending_cancel(struct openflow_pending *pending);

/* Sends a message (its xid is overwritten with a new one) and waits in the fiber for the answer,
 * which is valid until the fiber's next wait. 0 (an ERROR message is an answer too), -ETIMEDOUT,
 * -ECANCELED, -ENOTCONN, -ENOBUFS or the reason why the channel went down. For a multipart request
 * it is the first reply. */
int openflow_request(struct openflow_channel *channel, struct bytes message, int timeout_ms,
                     struct openflow_header *header, struct bytes *answer);

/* The same for a multipart request: `part` is called with every reply in turn until the one without
 * MORE (clause 7.3.5); it runs in the receive chain, not in the fiber, and may not wait. An ERROR
 * answer gives -EREMOTEIO, after `part` was called with it. timeout_ms is for the whole. */
int openflow_multipart_request(struct openflow_channel *channel, struct bytes message,
                               int timeout_ms,
                               void (*part)(void *context, const struct openflow_header *header,
                                            struct bytes message),
                               void *context);

/* Sends BARRIER_REQUEST and waits for the reply: 0 or as openflow_request(). */
int openflow_barrier(struct openflow_channel *channel, int timeout_ms);

/* Puts all 8 bytes; for who builds messages without a codec. */
void openflow_header_put(struct writer *w, uint8_t version, uint8_t type, uint16_t length,
                         uint32_t xid);

#endif
