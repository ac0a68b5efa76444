/*
 * vhost_socket.h -- the control socket of a vhost-user back end: connecting, and whole messages.
 *
 * The back end either listens, and one front end at a time may connect, or it connects to a front
 * end that listens, and tries again with growing pauses when that is not there. Everything that may
 * happen (a connection, a message, the end of a pause) makes one descriptor readable, an epoll; the
 * owner may add descriptors of its own. Nothing blocks.
 *
 * Belongs to vhost_user.c and its thread. vhost-user protocol: "Message specification". All numbers
 * of the protocol are in the machine's own byte order.
 */
#ifndef STROWGER_LINK_VHOST_SOCKET_H
#define STROWGER_LINK_VHOST_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#define VHOST_MESSAGE_FDS     8   /* regions of a memory table */
#define VHOST_MESSAGE_PAYLOAD 320 /* more than the longest: a memory table of 8 regions */
#define VHOST_RETRY_MIN_MS    100
#define VHOST_RETRY_MAX_MS    5000

struct vhost_header {
    uint32_t request;
    uint32_t flags;
    uint32_t size; /* of the payload */
};

#define VHOST_HEADER_VERSION      0x1
#define VHOST_HEADER_VERSION_MASK 0x3
#define VHOST_HEADER_REPLY        0x4
#define VHOST_HEADER_NEED_REPLY   0x8

struct vhost_message {
    struct vhost_header header;
    uint8_t payload[VHOST_MESSAGE_PAYLOAD];
    int fds[VHOST_MESSAGE_FDS]; /* who keeps one puts -1 in its place; the rest is closed */
    unsigned fd_count;
};

struct vhost_socket {
    struct sockaddr_un address;
    bool connect;
    int epoll;
    int listener; /* -1 when connecting */
    int retry;    /* timerfd; -1 when listening */
    int fd;       /* the connection, or -1 */
    unsigned retry_ms;
    struct vhost_message in;
    size_t have; /* bytes of it */
};

/* Listens at, or begins connecting to, the Unix socket `path`. A file there that nobody listens at
 * is replaced. 0 or negative errno (-ENAMETOOLONG, -EADDRINUSE, ...). */
int vhost_socket_open(struct vhost_socket *s, const char *path, bool connect);
void vhost_socket_close(struct vhost_socket *s);

/* Makes the socket's epoll readable when `fd` is. 0 or negative errno. */
int vhost_socket_also(struct vhost_socket *s, int fd);

/* Accepts, or connects, when it is time to; afterwards s->fd tells. */
void vhost_socket_advance(struct vhost_socket *s);

/* 1: s->in is a whole message, until the next call or vhost_socket_done(). 0: not yet. Negative
 * errno: the connection is of no use any more (-ECONNRESET: closed, -EBADMSG: no vhost-user). */
int vhost_socket_read(struct vhost_socket *s);

/* Forgets the message, and closes what descriptors of it were not taken. */
void vhost_socket_done(struct vhost_socket *s);

/* Sends `size` bytes as answer to the message s->in. 0 or negative errno. */
int vhost_socket_reply(struct vhost_socket *s, const void *payload, uint32_t size);

/* Ends the connection, and begins to wait for the next. */
void vhost_socket_drop(struct vhost_socket *s);

#endif
