/*
 * udp_socket.c -- see udp_socket.h.
 *
 * One readable event takes at most a few batches, so that a flood on one socket leaves the loop to
 * others.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "link/udp_socket.h"

#define BATCHES_PER_TURN 4
#define SOCKET_BUFFER    (8 * 1024 * 1024)

struct udp_buffer *udp_buffer_new(struct bytes datagram)
{
    struct udp_buffer *buffer = malloc(sizeof(*buffer) + datagram.len);

    if (!buffer)
        return NULL;
    buffer->users = 1;
    buffer->len = (uint32_t)datagram.len;
    if (datagram.len > 0)
        memcpy(buffer->data, datagram.at, datagram.len);
    return buffer;
}

struct udp_buffer *udp_buffer_use(struct udp_buffer *buffer)
{
    buffer->users++;
    return buffer;
}

void udp_buffer_release(struct udp_buffer *buffer)
{
    if (buffer && --buffer->users == 0)
        free(buffer);
}

bool udp_address_set(union udp_address *address, const struct sockaddr *from)
{
    memset(address, 0, sizeof(*address));
    if (from->sa_family == AF_INET)
        memcpy(&address->in, from, sizeof(address->in));
    else if (from->sa_family == AF_INET6)
        memcpy(&address->in6, from, sizeof(address->in6));
    else
        return false;
    return true;
}

socklen_t udp_address_size(const union udp_address *address)
{
    return address->sa.sa_family == AF_INET6 ? sizeof(address->in6) : sizeof(address->in);
}

uint16_t udp_address_port(const union udp_address *address)
{
    return ntohs(address->sa.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
}

void udp_address_set_port(union udp_address *address, uint16_t port)
{
    if (address->sa.sa_family == AF_INET6)
        address->in6.sin6_port = htons(port);
    else
        address->in.sin_port = htons(port);
}

bool udp_host_equal(const union udp_address *a, const union udp_address *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
           memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
}

bool udp_address_equal(const union udp_address *a, const union udp_address *b)
{
    return udp_host_equal(a, b) && udp_address_port(a) == udp_address_port(b);
}

static void release_sent(struct udp_socket *socket)
{
    for (unsigned i = 0; i < socket->out_count; i++)
        udp_buffer_release(socket->out[i].buffer);
    socket->out_count = 0;
}

/* The kernel stops at the first datagram that it cannot send: that one is lost, as any datagram may
 * be. */
static void send_all(struct udp_socket *socket)
{
    struct mmsghdr messages[UDP_BATCH];
    struct iovec parts[UDP_BATCH];
    unsigned sent = 0;

    for (unsigned i = 0; i < socket->out_count; i++) {
        struct udp_buffer *buffer = socket->out[i].buffer;
        parts[i] = (struct iovec){buffer->data, buffer->len};
        messages[i] =
            (struct mmsghdr){.msg_hdr = {.msg_name = &socket->out[i].to,
                                         .msg_namelen = udp_address_size(&socket->out[i].to),
                                         .msg_iov = &parts[i],
                                         .msg_iovlen = 1}};
    }
    while (sent < socket->out_count) {
        int n = sendmmsg(socket->fd, messages + sent, socket->out_count - sent, MSG_DONTWAIT);
        if (n > 0) {
            sent += (unsigned)n;
            socket->datagrams_out += (unsigned)n;
        } else if (errno != EINTR) {
            sent++;
            socket->send_errors++;
        }
    }
    release_sent(socket);
}

static void flush(struct deferred *deferred)
{
    send_all(container_of(deferred, struct udp_socket, flush));
}

void udp_socket_send(struct udp_socket *socket, const union udp_address *to,
                     struct udp_buffer *buffer)
{
    if (socket->out_count == UDP_BATCH)
        send_all(socket);
    socket->out[socket->out_count].buffer = udp_buffer_use(buffer);
    socket->out[socket->out_count].to = *to;
    socket->out_count++;
    loop_defer(&socket->flush, flush);
}

/* Takes one batch; false when there is no more. */
static bool receive_batch(struct udp_socket *socket)
{
    struct mmsghdr messages[UDP_BATCH];
    struct iovec parts[UDP_BATCH];
    union udp_address from[UDP_BATCH];

    for (unsigned i = 0; i < UDP_BATCH; i++) {
        parts[i] = (struct iovec){socket->in + i * socket->datagram_size, socket->datagram_size};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                   .msg_namelen = sizeof(from[i]),
                                                   .msg_iov = &parts[i],
                                                   .msg_iovlen = 1}};
    }
    int n = recvmmsg(socket->fd, messages, UDP_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        socket->datagrams_in++;
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
            socket->too_large++;
        else
            socket->received(socket, bytes_of(parts[i].iov_base, messages[i].msg_len), &from[i]);
    }
    return n == UDP_BATCH;
}

static void readable(uv_poll_t *poll, int status, int events)
{
    struct udp_socket *socket = container_of(poll, struct udp_socket, poll);

    (void)status;
    (void)events;
    for (int i = 0; i < BATCHES_PER_TURN && receive_batch(socket); i++)
        ;
}

/* Big buffers ride out a burst; without the privilege for them the system's limit has to do. */
static void enlarge_buffers(int fd)
{
    int size = SOCKET_BUFFER;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int bind_to(int fd, union udp_address *local)
{
    socklen_t size = udp_address_size(local);

    if (bind(fd, &local->sa, size) < 0 || getsockname(fd, &local->sa, &size) < 0)
        return -errno;
    return 0;
}

int udp_socket_open(struct udp_socket *socket_of, const struct sockaddr *local,
                    size_t datagram_size)
{
    if (!udp_address_set(&socket_of->local, local))
        return -EAFNOSUPPORT;
    socket_of->fd = socket(local->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_of->fd < 0)
        return -errno;
    enlarge_buffers(socket_of->fd);
    int err = bind_to(socket_of->fd, &socket_of->local);
    if (err < 0)
        goto fail;
    socket_of->datagram_size = datagram_size;
    socket_of->in = malloc(UDP_BATCH * datagram_size);
    if (!socket_of->in) {
        err = -ENOMEM;
        goto fail;
    }
    err = uv_poll_init(loop_uv(), &socket_of->poll, socket_of->fd);
    if (err < 0)
        goto fail_buffer;
    return uv_poll_start(&socket_of->poll, UV_READABLE, readable);

fail_buffer:
    free(socket_of->in);
fail:
    close(socket_of->fd);
    return err;
}

void udp_socket_close(struct udp_socket *socket, uv_close_cb closed)
{
    send_all(socket);
    loop_defer_cancel(&socket->flush);
    uv_poll_stop(&socket->poll);
    close(socket->fd);
    free(socket->in);
    socket->in = NULL;
    uv_close((uv_handle_t *)&socket->poll, closed);
}
