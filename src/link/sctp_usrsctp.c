/*
 * sctp_usrsctp.c -- SCTP in this process: usrsctp (RFC 9260 and extensions) driven from our loop,
 * over the raw IP or UDP sockets of sctp_path.c.
 *
 * usrsctp runs without threads of its own: packets go in by usrsctp_conninput(), come out of
 * packet_out(), time is told by usrsctp_handle_timers(). Inside any of these it may call upcall();
 * that only notes that a socket has something for us. The notes are worked through when usrsctp has
 * returned, so no owner's code runs inside it.
 *
 * Its sockets are of the one-to-one style and non-blocking. What is switched off -- AUTH, ASCONF,
 * stream reconfiguration, partial reliability, ECN -- S1AP and Diameter have no use for, and what
 * is not there cannot be attacked.
 *
 * Bundling: with NODELAY off usrsctp keeps small messages while data is in flight, with NODELAY on
 * it sends everything at once. A turn's messages are therefore given to it with NODELAY off and the
 * last one with NODELAY on.
 *
 * One thread: the loop's.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <usrsctp.h>

#include "base/log.h"
#include "link/sctp_path.h"

#define TICK_MS         10 /* usrsctp's own grain */
#define IDLE_TICK_MS    1000
#define BUFFER_BYTES    (256 * 1024) /* for one piece of a message; longer ones come in pieces */
#define SOCKET_BYTES    (512 * 1024) /* receive window, and what the stack holds to send */
#define BACKLOG         128
#define PORT_TRIES      32
#define FIRST_FREE_PORT 49152 /* dynamic ports, RFC 6335 clause 6 */
#define FINISH_TRIES    100

/* The process's one context of usrsctp. */
static struct {
    bool running;
    bool at_exit_is_set;
    bool inside; /* usrsctp is on the stack: notes are worked through by whoever called it */
    struct timer tick;
    uint64_t ticked_ms;
    size_t sockets;
    struct deferred work;
    struct sctp_note *notes, **notes_end;
    uint8_t *buffer;
} stack;

/* ---- notes ---- */

static void note(struct sctp_note *n)
{
    if (n->queued)
        return;
    n->queued = true;
    n->next = NULL;
    *stack.notes_end = n;
    stack.notes_end = &n->next;
}

static void note_forget(struct sctp_note *n)
{
    if (!n->queued)
        return;
    struct sctp_note **at = &stack.notes;
    while (*at && *at != n)
        at = &(*at)->next;
    if (*at) {
        *at = n->next;
        if (!n->next)
            stack.notes_end = at;
    }
    n->queued = false;
}

static void work_through_notes(void)
{
    while (stack.notes) {
        struct sctp_note *n = stack.notes;
        stack.notes = n->next;
        if (!stack.notes)
            stack.notes_end = &stack.notes;
        n->queued = false;
        n->look(n);
    }
}

static void deferred_work(struct deferred *deferred)
{
    (void)deferred;
    work_through_notes();
}

/* usrsctp says that a socket has news. */
static void upcall(struct socket *socket, void *argument, int flags)
{
    (void)socket;
    (void)flags;
    note(argument);
    if (!stack.inside)
        loop_defer(&stack.work, deferred_work);
}

/* ---- time and packets ---- */

static void tell_time(void)
{
    uint64_t now = loop_now_ms();
    uint64_t elapsed = now - stack.ticked_ms;

    stack.ticked_ms = now;
    stack.inside = true;
    usrsctp_handle_timers((uint32_t)elapsed);
    stack.inside = false;
    work_through_notes();
}

static void tick(struct timer *timer)
{
    tell_time();
    timer_start(timer, stack.sockets > 0 ? TICK_MS : IDLE_TICK_MS, tick);
}

/* A socket more: time must run at full pace from now on, and usrsctp must not take the last second
 * for its first. */
static void count_socket(void)
{
    if (stack.sockets++ > 0)
        return;
    tell_time();
    timer_start(&stack.tick, TICK_MS, tick);
}

static int packet_out(void *address, void *packet, size_t len, uint8_t tos, uint8_t dont_fragment)
{
    (void)tos;
    (void)dont_fragment;
    sctp_path_output((uint32_t)(uintptr_t)address - 1, packet, len);
    return 0;
}

static void *address_of(uint32_t remote)
{
    return (void *)(uintptr_t)(remote + 1); /* NULL would be the wildcard */
}

static void packet_in(uint32_t remote, struct bytes packet)
{
    stack.inside = true;
    usrsctp_conninput(address_of(remote), packet.at, packet.len, 0);
    stack.inside = false;
    work_through_notes();
}

static void new_remote(uint32_t remote)
{
    usrsctp_register_address(address_of(remote));
}

static void at_exit(void)
{
    if (stack.running)
        sctp_last_words();
}

static void start(void)
{
    if (stack.running)
        return;
    if (!stack.at_exit_is_set)
        stack.at_exit_is_set = atexit(at_exit) == 0;
    stack.running = true;
    stack.notes_end = &stack.notes;
    stack.buffer = malloc(BUFFER_BYTES);
    usrsctp_init_nothreads(0, packet_out, NULL);
    usrsctp_enable_crc32c_offload(); /* sctp_path.c does it */
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_pr_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_reconfig_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    stack.ticked_ms = loop_now_ms();
    sctp_path_init(packet_in, new_remote);
    timer_start(&stack.tick, IDLE_TICK_MS, tick);
}

/* ---- sockets ---- */

static void set(struct socket *s, int option, const void *value, socklen_t len)
{
    if (usrsctp_setsockopt(s, IPPROTO_SCTP, option, value, len) < 0)
        log_debug("sctp: option %d: %s", option, strerror(errno));
}

static void configure(struct socket *s, const struct sctp_settings *settings)
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
    const struct sctp_paddrparams path = {.spp_hbinterval = settings->heartbeat_ms,
                                          .spp_pathmaxrxt = settings->max_retransmissions,
                                          .spp_pathmtu =
                                              REMOTE_LARGEST_MTU, /* set_mtu() can only lower it */
                                          .spp_flags = SPP_HB_ENABLE | SPP_PMTUD_DISABLE};
    const uint32_t on = 1;
    const int bytes = SOCKET_BYTES;

    set(s, SCTP_EVENT, &event, sizeof(event));
    set(s, SCTP_INITMSG, &init, sizeof(init));
    set(s, SCTP_RTOINFO, &rto, sizeof(rto));
    set(s, SCTP_ASSOCINFO, &assoc, sizeof(assoc));
    set(s, SCTP_DELAYED_SACK, &sack, sizeof(sack));
    set(s, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
    set(s, SCTP_NODELAY, &on, sizeof(on));
    set(s, SCTP_RECVRCVINFO, &on, sizeof(on));
    usrsctp_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    usrsctp_setsockopt(s, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    usrsctp_set_non_blocking(s, 1);
}

static void set_mtu(struct sctp_association *a)
{
    const struct sockaddr_conn peer = {.sconn_family = AF_CONN,
                                       .sconn_port = htons(sctp_address_port(&a->peer)),
                                       .sconn_addr = address_of(a->remote)};
    struct sctp_paddrparams path = {.spp_pathmtu = sctp_remote_mtu(a->remote, a->settings.mtu),
                                    .spp_flags = SPP_PMTUD_DISABLE};

    memcpy(&path.spp_address, &peer, sizeof(peer));
    set(a->socket, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
}

static int socket_new(const struct sctp_settings *settings, struct socket **result)
{
    struct socket *s = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);

    if (!s)
        return -errno;
    configure(s, settings);
    *result = s;
    return 0;
}

static void socket_close(struct socket *s, bool abort)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (abort) /* close() then sends ABORT */
        usrsctp_setsockopt(s, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    usrsctp_close(s);
}

static int socket_bind(struct socket *s, void *address, uint16_t port)
{
    struct sockaddr_conn at = {
        .sconn_family = AF_CONN, .sconn_port = htons(port), .sconn_addr = address};

    return usrsctp_bind(s, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static uint16_t random_port(void)
{
    uint16_t port = 0;

    if (getrandom(&port, sizeof(port), 0) != sizeof(port))
        port = (uint16_t)clock_now_us();
    return FIRST_FREE_PORT + port % (65536 - FIRST_FREE_PORT);
}

/* Binds to the port, or to any when it is 0, which *port then tells. */
static int socket_bind_any(struct socket *s, void *address, uint16_t *port)
{
    int err = -EADDRINUSE;

    if (*port != 0)
        return socket_bind(s, address, *port);
    for (int i = 0; i < PORT_TRIES && err == -EADDRINUSE; i++) {
        *port = random_port();
        err = socket_bind(s, address, *port);
    }
    return err;
}

/* ---- reading ---- */

/* The stack's error, when an association has failed, as a reason. */
static enum sctp_down reason_of(int error)
{
    switch (error) {
    case ECONNRESET:
    case ECONNREFUSED:
        return SCTP_DOWN_ABORT;
    case 0:
    case EPIPE:
    case ENOTCONN:
        return SCTP_DOWN_SHUTDOWN;
    default:
        return SCTP_DOWN_LOST;
    }
}

/* SCTP_COMM_LOST and SCTP_CANT_STR_ASSOC: the socket's error says who gave up: the peer by its
 * ABORT, or we. */
static enum sctp_down lost_because(struct sctp_association *a)
{
    int error = 0;
    socklen_t len = sizeof(error);

    (void)usrsctp_getsockopt(a->socket, SOL_SOCKET, SO_ERROR, &error, &len);
    return reason_of(error ? error : ETIMEDOUT);
}

static void association_changed(struct sctp_association *a, const struct sctp_assoc_change *change)
{
    switch (change->sac_state) {
    case SCTP_COMM_UP:
        a->tag = sctp_path_learn_tag();
        set_mtu(a);
        sctp_is_up(a, change->sac_outbound_streams);
        break;
    case SCTP_RESTART:
        sctp_path_forget_tag(a->tag);
        a->tag = sctp_path_learn_tag();
        sctp_restarted(a, change->sac_outbound_streams);
        break;
    case SCTP_SHUTDOWN_COMP:
        sctp_is_down(a, SCTP_DOWN_SHUTDOWN);
        break;
    default:
        sctp_is_down(a, lost_because(a));
    }
}

static void notified(struct sctp_association *a, const uint8_t *at, size_t len)
{
    const union sctp_notification *n = (const union sctp_notification *)(const void *)at;

    if (len >= sizeof(n->sn_assoc_change) && n->sn_header.sn_type == SCTP_ASSOC_CHANGE)
        association_changed(a, &n->sn_assoc_change);
}

/* Reads one message, piece of a message or notification. False when there is nothing more. */
static bool read_one(struct sctp_association *a)
{
    struct sctp_rcvinfo info;
    socklen_t from_len = 0, info_len = sizeof(info);
    unsigned kind = SCTP_RECVV_NOINFO;
    int flags = 0;

    ssize_t n = usrsctp_recvv(a->socket, stack.buffer, BUFFER_BYTES, NULL, &from_len, &info,
                              &info_len, &kind, &flags);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS))
        return false;
    if (n <= 0)
        sctp_is_down(a, reason_of(n < 0 ? errno : 0));
    else if (flags & MSG_NOTIFICATION)
        notified(a, stack.buffer, (size_t)n);
    else if (kind == SCTP_RECVV_RCVINFO)
        sctp_received(a, info.rcv_sid, ntohl(info.rcv_ppid), bytes_of(stack.buffer, (size_t)n),
                      flags & MSG_EOR);
    return true;
}

static void look_at_association(struct sctp_note *n)
{
    struct sctp_association *a = container_of(n, struct sctp_association, note);

    while (a->socket && read_one(a))
        ;
    if (a->socket && a->blocked && usrsctp_get_events(a->socket) & SCTP_EVENT_WRITE)
        sctp_can_send(a);
}

static void attach(struct sctp_association *a, struct socket *s, uint32_t remote)
{
    a->socket = s;
    a->remote = remote;
    a->note.look = look_at_association;
    usrsctp_set_upcall(s, upcall, &a->note);
}

/* ---- the backend's calls ---- */

/* The accepted association as ours; it is refused when it is one too many, or when it was made from
 * a cookie for an address that has another owner by now. */
static void accept_one(struct sctp_listener *l, struct socket *s, const struct sockaddr_conn *from)
{
    uint32_t remote = (uint32_t)(uintptr_t)from->sconn_addr - 1;
    struct sctp_association *a = NULL;

    if (remote != REMOTE_STRANGER && remote == sctp_path_current() &&
        sctp_remote_path(remote) == l->path) {
        union sctp_address peer = *sctp_remote_address(remote);
        sctp_address_set_port(&peer, ntohs(from->sconn_port));
        a = sctp_accepted(l, &peer);
    }
    if (!a) {
        socket_close(s, true);
        return;
    }
    sctp_remote_hold_again(remote);
    sctp_path_use_port(l->path, sctp_address_port(&l->local));
    count_socket();
    a->local = sctp_remote_local(remote);
    sctp_address_set_port(&a->local, sctp_address_port(&l->local));
    attach(a, s, remote);
    usrsctp_set_non_blocking(s, 1);
    look_at_association(&a->note);
}

static void look_at_listener(struct sctp_note *n)
{
    struct sctp_listener *l = container_of(n, struct sctp_listener, note);

    while (l->socket) {
        struct sockaddr_conn from;
        socklen_t len = sizeof(from);
        struct socket *s = usrsctp_accept(l->socket, (struct sockaddr *)&from, &len);
        if (!s)
            return;
        accept_one(l, s, &from);
    }
}

static int usrsctp_backend_listen(struct sctp_listener *l)
{
    uint16_t port = sctp_address_port(&l->local);
    uint16_t udp_port = l->settings.udp_port ? l->settings.udp_port : SCTP_UDP_PORT;

    start();
    int err = sctp_path_open(l->settings.carrier, &l->local, udp_port, l->settings.dscp, &l->path);
    if (err < 0)
        return err;
    err = socket_new(&l->settings, &l->socket);
    if (err == 0)
        err = socket_bind_any(l->socket, NULL, &port);
    if (err == 0 && usrsctp_listen(l->socket, BACKLOG) < 0)
        err = -errno;
    if (err < 0) {
        if (l->socket)
            usrsctp_close(l->socket);
        sctp_path_close(l->path);
        return err;
    }
    sctp_address_set_port(&l->local, port);
    sctp_path_use_port(l->path, port);
    l->note.look = look_at_listener;
    usrsctp_set_upcall(l->socket, upcall, &l->note);
    return 0;
}

static void usrsctp_backend_unlisten(struct sctp_listener *l)
{
    note_forget(&l->note);
    usrsctp_close(l->socket);
    l->socket = NULL;
    note_forget(&l->note);
    sctp_path_unuse_port(l->path, sctp_address_port(&l->local));
    sctp_path_close(l->path);
}

static int begin(struct sctp_association *a)
{
    uint16_t port = sctp_address_port(&a->local);
    struct sockaddr_conn to = {.sconn_family = AF_CONN,
                               .sconn_port = htons(sctp_address_port(&a->peer)),
                               .sconn_addr = address_of(a->remote)};
    struct socket *s = NULL;

    int err = socket_new(&a->settings, &s);
    if (err < 0)
        return err;
    err = socket_bind_any(s, address_of(a->remote), &port);
    if (err == 0) {
        attach(a, s, a->remote);
        sctp_address_set_port(&a->local, port);
        sctp_path_use_port(sctp_remote_path(a->remote), port);
        if (usrsctp_connect(s, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS)
            return 0;
        err = -errno;
        sctp_path_unuse_port(sctp_remote_path(a->remote), port);
        a->socket = NULL;
    }
    usrsctp_close(s);
    note_forget(&a->note);
    return err;
}

static int usrsctp_backend_connect(struct sctp_association *a)
{
    uint16_t udp_peer_port = a->settings.udp_peer_port ? a->settings.udp_peer_port : SCTP_UDP_PORT;
    struct sctp_path *path;

    start();
    int err = sctp_path_open(a->settings.carrier, &a->local, a->settings.udp_port, a->settings.dscp,
                             &path);
    if (err < 0)
        return err;
    a->remote = sctp_remote_hold(path, &a->peer, udp_peer_port);
    sctp_path_close(path); /* the remote keeps it */
    if (a->remote == 0)
        return -ENOBUFS;
    count_socket();
    err = begin(a);
    if (err < 0) {
        stack.sockets--;
        sctp_remote_release(a->remote);
    }
    return err;
}

static void cork(struct sctp_association *a, bool corked)
{
    const uint32_t no_delay = !corked;

    if (a->corked == corked)
        return;
    a->corked = corked;
    set(a->socket, SCTP_NODELAY, &no_delay, sizeof(no_delay));
}

static int usrsctp_backend_send(struct sctp_association *a, const struct sctp_outgoing *head,
                                const uint8_t *payload, bool more)
{
    struct sctp_sndinfo info = {.snd_sid = head->stream, .snd_ppid = htonl(head->ppid)};

    cork(a, more);
    stack.inside = true;
    ssize_t n = usrsctp_sendv(a->socket, payload, head->len, NULL, 0, &info, sizeof(info),
                              SCTP_SENDV_SNDINFO, 0);
    int err = n < 0 ? -errno : 0;
    stack.inside = false;
    if (stack.notes)
        loop_defer(&stack.work, deferred_work);
    return err == -EWOULDBLOCK ? -EAGAIN : err;
}

static void usrsctp_backend_shutdown(struct sctp_association *a)
{
    if (usrsctp_shutdown(a->socket, SHUT_WR) < 0)
        log_debug("sctp: shutdown of %s: %s", a->name, strerror(errno));
}

static void usrsctp_backend_release(struct sctp_association *a, bool abort)
{
    if (a->socket) {
        struct socket *s = a->socket;
        struct sctp_path *path = sctp_remote_path(a->remote);
        a->socket = NULL;
        socket_close(s, abort);
        sctp_path_forget_tag(a->tag);
        sctp_path_unuse_port(path, sctp_address_port(&a->local));
        sctp_remote_release(a->remote);
        stack.sockets--;
    }
    note_forget(&a->note);
}

static void usrsctp_backend_move(struct sctp_association *from, struct sctp_association *to)
{
    to->local = from->local;
    to->tag = from->tag;
    attach(to, from->socket, from->remote);
    from->socket = NULL;
    note(&to->note); /* what has come since */
    loop_defer(&stack.work, deferred_work);
}

const struct sctp_backend sctp_usrsctp_backend = {
    .listen = usrsctp_backend_listen,
    .unlisten = usrsctp_backend_unlisten,
    .connect = usrsctp_backend_connect,
    .send = usrsctp_backend_send,
    .shutdown = usrsctp_backend_shutdown,
    .release = usrsctp_backend_release,
    .move = usrsctp_backend_move,
};

void sctp_usrsctp_turn(void)
{
    if (!stack.running)
        return;
    uv_update_time(loop_uv());
    tell_time();
    sctp_path_turn();
}

struct sctp_counters sctp_counters(void)
{
    struct sctp_counters c = sctp_count;
    struct sctpstat stat;

    if (stack.running) {
        usrsctp_get_stat(&stat);
        c.retransmitted = stat.sctps_sendretransdata;
    }
    return c;
}

void sctp_usrsctp_free(void)
{
    if (!stack.running)
        return;
    timer_stop(&stack.tick);
    loop_defer_cancel(&stack.work);
    for (int i = 0; i < FINISH_TRIES && usrsctp_finish() < 0; i++)
        usrsctp_handle_timers(IDLE_TICK_MS);
    sctp_path_free();
    free(stack.buffer);
    bool at_exit_is_set = stack.at_exit_is_set;
    memset(&stack, 0, sizeof(stack));
    stack.at_exit_is_set = at_exit_is_set;
}
