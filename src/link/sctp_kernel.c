/*
 * sctp_kernel.c -- SCTP by the kernel's own sockets (RFC 6458), one-to-one style, without libsctp:
 * everything needed is setsockopt(), sendmsg() and recvmsg().
 *
 * Each association is a socket on the loop. Messages go out with an SCTP_SNDINFO control message
 * and come in with an SCTP_RCVINFO one; association changes come as notifications between them. As
 * in sctp_usrsctp.c, Nagle's algorithm is on while more messages follow and off for the last one,
 * so that the messages of a turn bundle.
 *
 * One thread: the loop's.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sctp.h> /* needs the above */

#include "base/log.h"
#include "link/sctp_inner.h"

#define BUFFER_BYTES (64 * 1024) /* longer messages come in pieces */
#define BACKLOG      128
#define READS        64 /* per turn and association, so that others get theirs */

static void set(int fd, int option, const void *value, socklen_t len)
{
    if (setsockopt(fd, IPPROTO_SCTP, option, value, len) < 0)
        log_debug("sctp: option %d: %s", option, strerror(errno));
}

static void set_no_delay(int fd, bool no_delay)
{
    const int value = no_delay;

    set(fd, SCTP_NODELAY, &value, sizeof(value));
}

static void configure(int fd, int family, const struct sctp_settings *settings)
{
    const struct sctp_event event = {.se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
    const struct sctp_initmsg init = {.sinit_num_ostreams = settings->streams,
                                      .sinit_max_instreams = settings->streams,
                                      .sinit_max_attempts = settings->init_attempts,
                                      .sinit_max_init_timeo = (uint16_t)settings->rto_max_ms};
    const struct sctp_rtoinfo rto = {.srto_initial = settings->rto_initial_ms,
                                     .srto_min = settings->rto_min_ms,
                                     .srto_max = settings->rto_max_ms};
    const struct sctp_assocparams assoc = {.sasoc_asocmaxrxt = settings->max_retransmissions};
    const struct sctp_sack_info sack = {.sack_delay = settings->sack_delay_ms,
                                        .sack_freq = settings->sack_frequency};
    struct sctp_paddrparams path = {.spp_hbinterval = settings->heartbeat_ms,
                                    .spp_pathmaxrxt = settings->max_retransmissions,
                                    .spp_flags = SPP_HB_ENABLE};
    const int on = 1, tos = settings->dscp << 2;

    if (settings->mtu != 0) {
        path.spp_pathmtu = settings->mtu;
        path.spp_flags |= SPP_PMTUD_DISABLE;
    }
    set(fd, SCTP_EVENT, &event, sizeof(event));
    set(fd, SCTP_INITMSG, &init, sizeof(init));
    set(fd, SCTP_RTOINFO, &rto, sizeof(rto));
    set(fd, SCTP_ASSOCINFO, &assoc, sizeof(assoc));
    set(fd, SCTP_DELAYED_SACK, &sack, sizeof(sack));
    set(fd, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
    set(fd, SCTP_RECVRCVINFO, &on, sizeof(on));
    set_no_delay(fd, true);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
    } else {
        (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
    }
}

static int open_socket(int family, const struct sctp_settings *settings)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);

    if (fd < 0)
        return -errno;
    configure(fd, family, settings);
    return fd;
}

static void take_local_address(int fd, union sctp_address *local)
{
    socklen_t len = sizeof(*local);

    (void)getsockname(fd, &local->any, &len);
}

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

/* A poll handle for the socket; NULL when memory is out. */
static uv_poll_t *poll_new(int fd, void *data)
{
    uv_poll_t *poll = malloc(sizeof(*poll));

    if (!poll)
        return NULL;
    if (uv_poll_init(loop_uv(), poll, fd) < 0) {
        free(poll);
        return NULL;
    }
    poll->data = data;
    return poll;
}

static void poll_close(uv_poll_t **poll, int *fd)
{
    if (*poll) {
        uv_poll_stop(*poll);
        uv_close((uv_handle_t *)*poll, poll_closed);
    }
    if (*fd >= 0)
        close(*fd);
    *poll = NULL;
    *fd = -1;
}

/* ---- reading ---- */

static uint16_t outgoing_streams(int fd)
{
    struct sctp_status status = {0};
    socklen_t len = sizeof(status);

    return getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &len) < 0 ? 1 : status.sstat_outstrms;
}

static enum sctp_down reason_of(int error)
{
    switch (error) {
    case ECONNRESET:
    case ECONNREFUSED:
        return SCTP_DOWN_ABORT;
    case 0:
    case EPIPE:
    case ENOTCONN:
    case ESHUTDOWN:
        return SCTP_DOWN_SHUTDOWN;
    default:
        return SCTP_DOWN_LOST;
    }
}

static void notified(struct sctp_association *a, const uint8_t *at, size_t len)
{
    struct sctp_assoc_change change;

    if (len < sizeof(change))
        return;
    memcpy(&change, at, sizeof(change));
    if (change.sac_type != SCTP_ASSOC_CHANGE)
        return;
    switch (change.sac_state) {
    case SCTP_COMM_UP:
        take_local_address(a->fd, &a->local);
        sctp_is_up(a, change.sac_outbound_streams);
        break;
    case SCTP_RESTART:
        sctp_restarted(a, change.sac_outbound_streams);
        break;
    case SCTP_SHUTDOWN_COMP:
        sctp_is_down(a, SCTP_DOWN_SHUTDOWN);
        break;
    case SCTP_CANT_STR_ASSOC:
        sctp_is_down(a, change.sac_error ? SCTP_DOWN_ABORT : SCTP_DOWN_UNREACHABLE);
        break;
    default: /* SCTP_COMM_LOST; the error is the cause of the peer's ABORT, or the socket's */
        sctp_is_down(a,
                     len > sizeof(change) || change.sac_error ? SCTP_DOWN_ABORT : SCTP_DOWN_LOST);
    }
}

static struct sctp_rcvinfo received_info(struct msghdr *msg)
{
    struct sctp_rcvinfo info = {0};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == IPPROTO_SCTP && c->cmsg_type == SCTP_RCVINFO)
            memcpy(&info, CMSG_DATA(c), sizeof(info));
    }
    return info;
}

/* Reads one message, piece of one, or notification. False when there is nothing more. */
static bool read_one(struct sctp_association *a)
{
    static uint8_t buffer[BUFFER_BYTES];
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct sctp_rcvinfo))];
    struct iovec part = {buffer, sizeof(buffer)};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};

    ssize_t n = recvmsg(a->fd, &msg, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n <= 0) {
        sctp_is_down(a, reason_of(n < 0 ? errno : 0));
    } else if (msg.msg_flags & MSG_NOTIFICATION) {
        notified(a, buffer, (size_t)n);
    } else {
        struct sctp_rcvinfo info = received_info(&msg);
        sctp_received(a, info.rcv_sid, ntohl(info.rcv_ppid), bytes_of(buffer, (size_t)n),
                      msg.msg_flags & MSG_EOR);
    }
    return true;
}

static void association_event(uv_poll_t *poll, int status, int events);

static void watch(struct sctp_association *a)
{
    uv_poll_start(a->poll, UV_READABLE | (a->blocked ? UV_WRITABLE : 0), association_event);
}

static void association_event(uv_poll_t *poll, int status, int events)
{
    struct sctp_association *a = poll->data;

    (void)status;
    for (int i = 0; i < READS && a->poll == poll && read_one(a); i++)
        ;
    if (a->poll != poll || !(events & UV_WRITABLE))
        return;
    sctp_can_send(a);
    watch(a);
}

/* ---- the backend's calls ---- */

static void accept_one(struct sctp_listener *l, int fd, const union sctp_address *peer)
{
    struct sctp_association *a = sctp_accepted(l, peer);

    if (!a) {
        const struct linger none = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none,
                         sizeof(none)); /* close() then sends ABORT */
        close(fd);
        return;
    }
    configure(fd, l->local.any.sa_family, &l->settings);
    take_local_address(fd, &a->local);
    a->fd = fd;
    a->poll = poll_new(fd, a);
    if (!a->poll) {
        sctp_is_down(a, SCTP_DOWN_LOST);
        return;
    }
    watch(a);
    /* COMM_UP was told before the socket was ours. */
    sctp_is_up(a, outgoing_streams(fd));
}

static void listener_event(uv_poll_t *poll, int status, int events)
{
    struct sctp_listener *l = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < READS && l->poll == poll; i++) {
        union sctp_address peer;
        socklen_t len = sizeof(peer);
        int fd = accept4(l->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        accept_one(l, fd, &peer);
    }
}

static int kernel_listen(struct sctp_listener *l)
{
    l->fd = open_socket(l->local.any.sa_family, &l->settings);
    if (l->fd < 0)
        return l->fd;
    int err = 0;
    if (bind(l->fd, &l->local.any, sctp_address_len(&l->local)) < 0 || listen(l->fd, BACKLOG) < 0)
        err = -errno;
    if (err == 0 && !(l->poll = poll_new(l->fd, l)))
        err = -ENOMEM;
    if (err < 0) {
        poll_close(&l->poll, &l->fd);
        return err;
    }
    take_local_address(l->fd, &l->local);
    uv_poll_start(l->poll, UV_READABLE, listener_event);
    return 0;
}

static void kernel_unlisten(struct sctp_listener *l)
{
    poll_close(&l->poll, &l->fd);
}

static int kernel_connect(struct sctp_association *a)
{
    bool bound = !sctp_address_is_wildcard(&a->local) || sctp_address_port(&a->local) != 0;
    int err = 0;

    a->fd = open_socket(a->peer.any.sa_family, &a->settings);
    if (a->fd < 0)
        return a->fd;
    if (bound && bind(a->fd, &a->local.any, sctp_address_len(&a->local)) < 0)
        err = -errno;
    else if (connect(a->fd, &a->peer.any, sctp_address_len(&a->peer)) < 0 && errno != EINPROGRESS)
        err = -errno;
    else if (!(a->poll = poll_new(a->fd, a)))
        err = -ENOMEM;
    if (err < 0) {
        poll_close(&a->poll, &a->fd);
        return err;
    }
    watch(a);
    return 0;
}

static int kernel_send(struct sctp_association *a, const struct sctp_outgoing *head,
                       const uint8_t *payload, bool more)
{
    const struct sctp_sndinfo info = {.snd_sid = head->stream, .snd_ppid = htonl(head->ppid)};
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(info))] = {0};
    struct iovec part = {(void *)(uintptr_t)payload, head->len};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    *c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_SCTP, SCTP_SNDINFO};
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    if (a->corked != more)
        set_no_delay(a->fd, !more);
    a->corked = more;
    if (sendmsg(a->fd, &msg, MSG_NOSIGNAL) >= 0)
        return 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return -errno;
    a->blocked = true;
    watch(a);
    return -EAGAIN;
}

static void kernel_shutdown(struct sctp_association *a)
{
    if (shutdown(a->fd, SHUT_WR) < 0)
        log_debug("sctp: shutdown of %s: %s", a->name, strerror(errno));
}

static void kernel_release(struct sctp_association *a, bool abort)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (abort && a->fd >= 0)
        (void)setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    poll_close(&a->poll, &a->fd);
}

static void kernel_move(struct sctp_association *from, struct sctp_association *to)
{
    to->fd = from->fd;
    to->poll = from->poll;
    to->poll->data = to;
    to->local = from->local;
    to->corked = from->corked;
    from->fd = -1;
    from->poll = NULL;
    watch(to);
}

const struct sctp_backend sctp_kernel_backend = {
    .listen = kernel_listen,
    .unlisten = kernel_unlisten,
    .connect = kernel_connect,
    .send = kernel_send,
    .shutdown = kernel_shutdown,
    .release = kernel_release,
    .move = kernel_move,
};
