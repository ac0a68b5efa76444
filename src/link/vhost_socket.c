/*
 * vhost_socket.c -- see vhost_socket.h.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "link/vhost_socket.h"

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int unix_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

int vhost_socket_also(struct vhost_socket *s, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* ---- listening ---- */

/* True when the file is a socket that nobody listens at any more. */
static bool is_stale(const struct vhost_socket *s)
{
    int fd = unix_socket();
    bool stale = fd >= 0 &&
                 connect(fd, (const struct sockaddr *)&s->address, sizeof(s->address)) < 0 &&
                 errno == ECONNREFUSED;

    close_fd(&fd);
    return stale;
}

static int start_listening(struct vhost_socket *s)
{
    const struct sockaddr *address = (const struct sockaddr *)&s->address;

    s->listener = unix_socket();
    if (s->listener < 0)
        return s->listener;
    if (is_stale(s))
        unlink(s->address.sun_path);
    if (bind(s->listener, address, sizeof(s->address)) < 0) {
        int err = -errno;

        close_fd(&s->listener); /* the file is not ours to remove */
        return err;
    }
    if (listen(s->listener, 4) < 0)
        return -errno;
    return vhost_socket_also(s, s->listener);
}

/* One front end at a time: who comes while there is one waits until it has gone. */
static void accept_one(struct vhost_socket *s)
{
    int fd;

    if (s->fd >= 0)
        return;
    fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (vhost_socket_also(s, fd) < 0) {
        close(fd);
        return;
    }
    s->fd = fd;
    (void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listener, NULL);
}

/* ---- connecting ---- */

static void retry_after(struct vhost_socket *s, unsigned ms)
{
    struct itimerspec when = {.it_value = {ms / 1000, ms % 1000 * 1000000L}};

    if (ms == 0)
        when.it_value.tv_nsec = 1;
    (void)timerfd_settime(s->retry, 0, &when, NULL);
}

static void retry_later(struct vhost_socket *s)
{
    retry_after(s, s->retry_ms);
    s->retry_ms = s->retry_ms * 2 < VHOST_RETRY_MAX_MS ? s->retry_ms * 2 : VHOST_RETRY_MAX_MS;
}

static void connect_when_due(struct vhost_socket *s)
{
    uint64_t expired;
    int fd;

    if (read(s->retry, &expired, sizeof(expired)) < 0 || s->fd >= 0)
        return;
    fd = unix_socket();
    if (fd >= 0 && connect(fd, (struct sockaddr *)&s->address, sizeof(s->address)) == 0 &&
        vhost_socket_also(s, fd) == 0) {
        s->fd = fd;
        return;
    }
    close_fd(&fd);
    retry_later(s);
}

static int start_connecting(struct vhost_socket *s)
{
    s->retry = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (s->retry < 0)
        return -errno;
    retry_after(s, 0);
    return vhost_socket_also(s, s->retry);
}

/* ---- both ---- */

int vhost_socket_open(struct vhost_socket *s, const char *path, bool connect)
{
    size_t len = strlen(path);
    int err;

    memset(s, 0, sizeof(*s));
    s->listener = s->retry = s->fd = s->epoll = -1;
    s->connect = connect;
    s->retry_ms = VHOST_RETRY_MIN_MS;
    s->address.sun_family = AF_UNIX;
    if (len == 0 || len >= sizeof(s->address.sun_path))
        return -ENAMETOOLONG;
    memcpy(s->address.sun_path, path, len + 1);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0)
        return -errno;
    err = connect ? start_connecting(s) : start_listening(s);
    if (err < 0)
        vhost_socket_close(s);
    return err;
}

void vhost_socket_close(struct vhost_socket *s)
{
    vhost_socket_done(s);
    close_fd(&s->fd);
    close_fd(&s->retry);
    if (s->listener >= 0)
        unlink(s->address.sun_path);
    close_fd(&s->listener);
    close_fd(&s->epoll);
}

void vhost_socket_advance(struct vhost_socket *s)
{
    if (s->connect)
        connect_when_due(s);
    else
        accept_one(s);
}

void vhost_socket_drop(struct vhost_socket *s)
{
    vhost_socket_done(s);
    close_fd(&s->fd);
    if (s->connect)
        retry_later(s);
    else
        (void)vhost_socket_also(s, s->listener);
}

/* ---- messages ---- */

void vhost_socket_done(struct vhost_socket *s)
{
    for (unsigned i = 0; i < s->in.fd_count; i++)
        close_fd(&s->in.fds[i]);
    s->in.fd_count = 0;
    s->have = 0;
}

union fd_room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(VHOST_MESSAGE_FDS * sizeof(int))];
};

/* Keeps the descriptors that came; false when there are more than any message has. */
static bool keep_fds(struct vhost_message *in, struct msghdr *message)
{
    bool kept = !(message->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (in->fd_count < VHOST_MESSAGE_FDS) {
                in->fds[in->fd_count++] = fd;
                continue;
            }
            close(fd);
            kept = false;
        }
    }
    return kept;
}

/* Up to `size` more bytes of the message: how many, 0 when there are none now, or negative. */
static int read_some(struct vhost_socket *s, size_t size)
{
    struct iovec iov = {s->have < sizeof(s->in.header)
                            ? (uint8_t *)&s->in.header + s->have
                            : s->in.payload + (s->have - sizeof(s->in.header)),
                        size};
    union fd_room room;
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room)};
    ssize_t n = recvmsg(s->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (!keep_fds(&s->in, &message))
        return -EBADMSG;
    if (n == 0)
        return -ECONNRESET;
    s->have += (size_t)n;
    return (int)n;
}

static bool header_is_good(const struct vhost_header *h)
{
    return (h->flags & VHOST_HEADER_VERSION_MASK) == VHOST_HEADER_VERSION &&
           !(h->flags & VHOST_HEADER_REPLY) && h->size <= VHOST_MESSAGE_PAYLOAD;
}

int vhost_socket_read(struct vhost_socket *s)
{
    const size_t header = sizeof(s->in.header);
    int n = 1;

    while (s->have < header && n > 0)
        n = read_some(s, header - s->have);
    if (s->have < header)
        return n;
    if (!header_is_good(&s->in.header))
        return -EBADMSG;
    while (s->have < header + s->in.header.size && n > 0)
        n = read_some(s, header + s->in.header.size - s->have);
    if (s->have < header + s->in.header.size)
        return n;
    s->retry_ms = VHOST_RETRY_MIN_MS;
    return 1;
}

int vhost_socket_reply(struct vhost_socket *s, const void *payload, uint32_t size)
{
    struct vhost_header h = {s->in.header.request, VHOST_HEADER_VERSION | VHOST_HEADER_REPLY, size};
    struct iovec iov[2] = {{&h, sizeof(h)}, {(void *)(uintptr_t)payload, size}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t n = sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    /* A front end that lets its answers pile up is as good as gone. */
    return n < 0 ? -errno : (size_t)n == sizeof(h) + size ? 0 : -EPIPE;
}
