/*
 * sctp_path.c -- see sctp_path.h: SCTP packets in and out of raw IP sockets (protocol 132) and UDP
 * sockets (RFC 6951), many per system call, and the table of remotes.
 *
 * Input: recvmmsg() -> checksum -> is the port ours? -> whose address is it? -> usrsctp. Output:
 * usrsctp -> checksum
 * -> the path's batch -> sendmmsg() at the end of the turn. A packet that the kernel does not take
 * is lost, as any packet may be.
 *
 * Raw sockets: the kernel gives every SCTP packet of an address to every raw socket bound to it.
 * Two processes on one address therefore see each other's packets; that is why a packet for a port
 * that is not ours is passed over in silence (RFC 9260 clause 8.4 would have it answered with
 * ABORT).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <usrsctp.h>
#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#include "base/log.h"
#include "base/map.h"
#include "link/sctp_path.h"

#define PACKET_MAX        65536
#define IN_BATCH          32 /* packets per recvmmsg() */
#define IN_ROUNDS         8  /* recvmmsg() per turn of the loop, so that others get theirs */
#define OUT_BATCH         64 /* packets per sendmmsg() */
#define OUT_BYTES         (192 * 1024) /* of them together; at least PACKET_MAX */
#define SOCKET_BUFFER     (4 * 1024 * 1024)
#define COMMON_HEADER     12 /* RFC 9260 clause 3.1 */
#define CHUNK_HEADER      4  /* clause 3.2 */
#define CHUNK_INIT        1
#define CHUNK_COOKIE_ECHO 10
/* An address is left for another one of the same peer when nothing came from it for so long. */
#define SILENCE_MS 3000

struct control_buffer {
    _Alignas(struct cmsghdr) uint8_t at[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct sctp_path {
    struct sctp_path *next;
    uint32_t number; /* tells paths apart in keys */
    uint32_t users;  /* listeners, and remotes in use */
    enum sctp_carrier carrier;
    uint16_t udp_port; /* as asked for */
    bool wildcard;
    bool pass_again; /* the batch waits for the end of the deferred work */
    union sctp_address local;
    int fd;
    uv_poll_t *poll;
    uint16_t *ports; /* users per SCTP port */
    struct deferred flush;
    unsigned out_count;
    size_t out_bytes;
    struct mmsghdr out[OUT_BATCH];
    struct iovec out_part[OUT_BATCH];
    union sctp_address out_to[OUT_BATCH];
    struct control_buffer out_control[OUT_BATCH];
    uint8_t out_buffer[OUT_BYTES];
};

struct remote {
    struct sctp_path *path;     /* NULL: the place is empty */
    union sctp_address origin;  /* by which it is found; the port is UDP's, or 0 */
    union sctp_address address; /* where we send: origin, or another one of the same peer */
    union sctp_address local;   /* ours, on a wildcard path */
    uint64_t key;
    uint64_t heard_ms; /* a packet came from `address` */
    uint32_t users;    /* associations */
    uint32_t number;
    struct remote *older, *newer; /* among the unused */
};

/* The process's one context of the paths. */
static struct {
    sctp_path_input input;
    sctp_path_new_remote new_remote;
    struct sctp_path *paths;
    uint32_t paths_made;
    struct remote **remotes; /* [0] is the stranger */
    uint32_t made, room;
    uint32_t unused;
    struct remote *oldest, *newest;
    struct map by_address, by_tag;
    uint8_t *in_buffer; /* IN_BATCH times PACKET_MAX */
    /* the packet in hand */
    struct remote *current;
    const union sctp_address *answer_to; /* its source, when that is not the remote's address */
    uint64_t current_tag;
} path;

bool (*sctp_path_drop)(struct bytes packet);

/* ---- checksum ---- */

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_by_instruction(const uint8_t *at,
                                                                        size_t len)
{
    uint64_t crc = 0xffffffff;

    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    for (; len > 0; at++, len--)
        crc = _mm_crc32_u8((uint32_t)crc, *at);
    return ~(uint32_t)crc;
}

uint32_t sctp_crc32c(const void *at, size_t len)
{
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_by_instruction(at, len);
    return usrsctp_crc32c((void *)(uintptr_t)at, len);
}
#else
uint32_t sctp_crc32c(const void *at, size_t len)
{
    return usrsctp_crc32c((void *)(uintptr_t)at, len);
}
#endif

/* The checksum is computed over the packet with a checksum of zero (RFC 9260 clause 6.8). */
static bool checksum_is_right(uint8_t *packet, size_t len)
{
    uint32_t sum, zero = 0;

    memcpy(&sum, packet + 8, 4);
    memcpy(packet + 8, &zero, 4);
    bool right = sctp_crc32c(packet, len) == sum;
    memcpy(packet + 8, &sum, 4);
    return right;
}

/* ---- remotes ---- */

static uint64_t address_key(const struct sctp_path *p, const union sctp_address *a)
{
    uint8_t flat[22] = {0};
    uint16_t port = sctp_address_port(a);

    memcpy(flat, &p->number, 4);
    memcpy(flat + 4, &port, 2);
    if (a->any.sa_family == AF_INET)
        memcpy(flat + 6, &a->v4.sin_addr, 4);
    else
        memcpy(flat + 6, &a->v6.sin6_addr, 16);
    return map_hash_bytes(flat, sizeof(flat), path.by_address.seed);
}

static bool same_address(const union sctp_address *a, const union sctp_address *b)
{
    if (a->any.sa_family != b->any.sa_family || sctp_address_port(a) != sctp_address_port(b))
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

static void unused_remove(struct remote *r)
{
    *(r->older ? &r->older->newer : &path.oldest) = r->newer;
    *(r->newer ? &r->newer->older : &path.newest) = r->older;
    r->older = r->newer = NULL;
    path.unused--;
}

static void unused_add(struct remote *r)
{
    r->older = path.newest;
    *(path.newest ? &path.newest->newer : &path.oldest) = r;
    path.newest = r;
    path.unused++;
}

/* An empty place that has never been used; NULL when there are enough or memory is out. */
static struct remote *place_new(void)
{
    if (path.made == path.room) {
        uint32_t room = path.room ? path.room * 2 : 64;
        struct remote **grown = realloc(path.remotes, room * sizeof(struct remote *));
        if (!grown)
            return NULL;
        path.remotes = grown;
        path.room = room;
    }
    struct remote *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->number = path.made;
    path.remotes[path.made++] = r;
    path.new_remote(r->number);
    return r;
}

static void place_empty(struct remote *r)
{
    unused_remove(r);
    map_remove(&path.by_address, r->key);
    r->path = NULL;
}

static struct remote *place_take(void)
{
    if (path.unused >= REMOTE_SPARE || path.made >= REMOTE_MAX) {
        struct remote *r = path.oldest;
        if (r)
            place_empty(r);
        return r;
    }
    return place_new();
}

static struct remote *remote_find(const struct sctp_path *p, const union sctp_address *origin)
{
    uint64_t number = map_get(&path.by_address, address_key(p, origin));

    if (number == 0 || number >= path.made)
        return NULL;
    struct remote *r = path.remotes[number];
    return r->path == p && same_address(&r->origin, origin) ? r : NULL;
}

/* A remote, new ones as unused. */
static struct remote *remote_make(struct sctp_path *p, const union sctp_address *origin)
{
    struct remote *r = remote_find(p, origin);

    if (r)
        return r;
    r = place_take();
    if (!r)
        return NULL;
    r->path = p;
    r->origin = r->address = *origin;
    r->local = p->local;
    r->key = address_key(p, origin);
    r->heard_ms = loop_now_ms();
    unused_add(r);
    if (map_set(&path.by_address, r->key, r->number) < 0) {
        place_empty(r);
        return NULL;
    }
    return r;
}

static struct remote *remote_of(uint32_t number)
{
    return path.remotes[number < path.made ? number : REMOTE_STRANGER];
}

void sctp_remote_hold_again(uint32_t number)
{
    struct remote *r = remote_of(number);

    if (r->users++ > 0)
        return;
    unused_remove(r);
    r->path->users++;
}

uint32_t sctp_remote_hold(struct sctp_path *p, const union sctp_address *peer, uint16_t udp_port)
{
    union sctp_address origin = *peer;

    sctp_address_set_port(&origin, p->carrier == SCTP_CARRIER_UDP ? udp_port : 0);
    struct remote *r = remote_make(p, &origin);
    if (!r)
        return 0;
    sctp_remote_hold_again(r->number);
    return r->number;
}

void sctp_remote_release(uint32_t number)
{
    struct remote *r = remote_of(number);

    if (--r->users > 0)
        return;
    r->address = r->origin;
    unused_add(r);
    sctp_path_close(r->path);
}

struct sctp_path *sctp_remote_path(uint32_t number)
{
    return remote_of(number)->path;
}

const union sctp_address *sctp_remote_address(uint32_t number)
{
    return &remote_of(number)->address;
}

union sctp_address sctp_remote_local(uint32_t number)
{
    union sctp_address local = remote_of(number)->local;

    sctp_address_set_port(&local, 0);
    return local;
}

uint16_t sctp_remote_mtu(uint32_t number, uint16_t link_mtu)
{
    const struct remote *r = remote_of(number);
    bool v4 = r->address.any.sa_family == AF_INET;
    int mtu = link_mtu, headers = v4 ? 20 : 40;

    if (mtu == 0) { /* a connected socket knows the route */
        union sctp_address to = r->address;
        socklen_t len = sizeof(mtu);
        int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sctp_address_set_port(&to, SCTP_UDP_PORT);
        if (fd < 0 || connect(fd, &to.any, sctp_address_len(&to)) < 0 ||
            getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &len) < 0)
            mtu = 1280;
        if (fd >= 0)
            close(fd);
        mtu = mtu > REMOTE_LARGEST_MTU ? REMOTE_LARGEST_MTU : mtu;
    }
    if (r->path->carrier == SCTP_CARRIER_UDP)
        headers += 8;
    mtu -= headers;
    return (uint16_t)((mtu < 512 ? 512 : mtu) & ~3);
}

/* ---- verification tags ---- */

/* Of the packet: its verification tag, our port and the path. Tags are random: 32 bits that only
 * the peer knows. */
static uint64_t tag_key(const struct sctp_path *p, const uint8_t *packet)
{
    uint64_t tag = (uint64_t)packet[4] << 24 | packet[5] << 16 | packet[6] << 8 | packet[7];

    return tag << 32 | (uint64_t)(packet[2] << 8 | packet[3]) << 16 | (p->number & 0xffff);
}

uint64_t sctp_path_learn_tag(void)
{
    if (!path.current || path.current->number == REMOTE_STRANGER)
        return 0;
    return map_set(&path.by_tag, path.current_tag, path.current->number) < 0 ? 0 : path.current_tag;
}

void sctp_path_forget_tag(uint64_t key)
{
    map_remove(&path.by_tag, key);
}

uint32_t sctp_path_current(void)
{
    return path.current ? path.current->number : REMOTE_STRANGER;
}

/* ---- input ---- */

/* Whom a packet from an address we do not know belongs to. NULL: drop it. */
static struct remote *newcomer(struct sctp_path *p, const union sctp_address *from,
                               const uint8_t *packet)
{
    uint64_t number = map_get(&path.by_tag, tag_key(p, packet));
    uint8_t chunk = packet[COMMON_HEADER];

    if (number != 0 && number < path.made && path.remotes[number]->path == p)
        return path.remotes[number];
    if (chunk == CHUNK_INIT)
        return remote_make(p, from);
    if (chunk == CHUNK_COOKIE_ECHO)
        return NULL; /* the cookie names the place it was made in, which has another owner by now */
    path.remotes[REMOTE_STRANGER]->path = p;
    return path.remotes[REMOTE_STRANGER];
}

/* The peer speaks from an address that is not the one we send to. With the right tag, a changed UDP
 * port is followed at once (RFC 6951 clause 5.4), another address when the old one has gone silent.
 */
static void consider_moving(struct remote *r, const union sctp_address *from)
{
    union sctp_address moved = r->address;

    if (map_get(&path.by_tag, path.current_tag) != r->number)
        return;
    sctp_address_set_port(&moved, sctp_address_port(from));
    if (same_address(&moved, from) || loop_now_ms() - r->heard_ms > SILENCE_MS)
        r->address = *from;
}

static void packet_in(struct sctp_path *p, const union sctp_address *from,
                      const union sctp_address *to, uint8_t *packet, size_t len)
{
    if (len < COMMON_HEADER + CHUNK_HEADER || !checksum_is_right(packet, len)) {
        sctp_count.bad_packets++;
        return;
    }
    if (p->ports[packet[2] << 8 | packet[3]] == 0)
        return;
    struct remote *r = remote_find(p, from);
    if (!r)
        r = newcomer(p, from, packet);
    if (!r)
        return;

    path.current = r;
    path.current_tag = tag_key(p, packet);
    if (r->number == REMOTE_STRANGER)
        path.answer_to = from;
    else if (!same_address(&r->address, from))
        consider_moving(r, from);
    if (same_address(&r->address, from))
        r->heard_ms = loop_now_ms();
    else
        path.answer_to = from;
    if (p->wildcard)
        r->local = *to;
    sctp_count.packets_in++;
    path.input(r->number, bytes_of(packet, len));
    path.current = NULL;
    path.answer_to = NULL;
}

/* Where the packet was sent to: from the control message, or from a raw IPv4 socket's IP header. */
static void take_destination(const struct msghdr *msg, union sctp_address *to)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR((struct msghdr *)msg, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            to->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = info.ipi_addr};
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            to->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
        }
    }
}

static void datagram_in(struct sctp_path *p, const struct msghdr *msg, uint8_t *at, size_t len)
{
    union sctp_address from, to = p->local;

    if (!sctp_address_set(&from, msg->msg_name))
        return;
    take_destination(msg, &to);
    if (p->carrier != SCTP_CARRIER_UDP) {
        sctp_address_set_port(&from, 0);
        if (from.any.sa_family == AF_INET) { /* the IP header comes with it */
            size_t header = len > 0 ? (size_t)(at[0] & 0xf) * 4 : 0;
            if (header < sizeof(struct ip) || len < header) {
                sctp_count.bad_packets++;
                return;
            }
            at += header;
            len -= header;
        }
    }
    packet_in(p, &from, &to, at, len);
}

static bool receive_batch(struct sctp_path *p)
{
    struct mmsghdr in[IN_BATCH];
    struct iovec parts[IN_BATCH];
    union sctp_address from[IN_BATCH];
    struct control_buffer control[IN_BATCH];

    for (unsigned i = 0; i < IN_BATCH; i++) {
        parts[i] = (struct iovec){path.in_buffer + (size_t)i * PACKET_MAX, PACKET_MAX};
        in[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                        .msg_namelen = sizeof(from[i]),
                                        .msg_iov = &parts[i],
                                        .msg_iovlen = 1,
                                        .msg_control = p->wildcard ? &control[i] : NULL,
                                        .msg_controllen = p->wildcard ? sizeof(control[i]) : 0};
    }
    int n = recvmmsg(p->fd, in, IN_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        datagram_in(p, &in[i].msg_hdr, parts[i].iov_base, in[i].msg_len);
    return n == IN_BATCH;
}

static void readable(uv_poll_t *poll, int status, int events)
{
    struct sctp_path *p = poll->data;

    (void)status;
    (void)events;
    p->users++; /* a callback may end what held the path */
    for (int round = 0; round < IN_ROUNDS && receive_batch(p); round++)
        ;
    sctp_path_close(p);
}

/* ---- output ---- */

static void send_batch(struct sctp_path *p)
{
    unsigned sent = 0;

    while (sent < p->out_count) {
        int n = sendmmsg(p->fd, p->out + sent, p->out_count - sent, MSG_DONTWAIT);
        sent += n > 0 ? (unsigned)n : 1; /* what the kernel refuses is lost */
    }
    p->out_count = 0;
    p->out_bytes = 0;
}

/* Runs twice in a turn: the first time it steps behind the work that was deferred meanwhile, which
 * will add packets. */
static void flush(struct deferred *deferred)
{
    struct sctp_path *p = container_of(deferred, struct sctp_path, flush);

    if (p->pass_again) {
        p->pass_again = false;
        loop_defer(&p->flush, flush);
        return;
    }
    send_batch(p);
}

static size_t write_source(struct control_buffer *control, const union sctp_address *local)
{
    struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof(*control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    memset(control, 0, sizeof(*control));
    if (local->any.sa_family == AF_INET) {
        struct in_pktinfo info = {.ipi_spec_dst = local->v4.sin_addr};
        *c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
        return CMSG_SPACE(sizeof(info));
    }
    struct in6_pktinfo info = {.ipi6_addr = local->v6.sin6_addr};
    *c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    return CMSG_SPACE(sizeof(info));
}

void sctp_path_output(uint32_t number, const void *packet, size_t len)
{
    struct remote *r = remote_of(number);
    struct sctp_path *p = r->path;
    size_t place = (len + 7) & ~(size_t)7;

    if (!p || place > OUT_BYTES || len < COMMON_HEADER)
        return;
    if (r->number == REMOTE_STRANGER && !path.answer_to)
        return;
    if (p->out_count == OUT_BATCH || p->out_bytes + place > OUT_BYTES)
        send_batch(p);
    unsigned i = p->out_count;
    uint8_t *at = p->out_buffer + p->out_bytes;
    memcpy(at, packet, len);
    memset(at + 8, 0, 4);
    uint32_t sum = sctp_crc32c(at, len);
    memcpy(at + 8, &sum, 4);
    if (sctp_path_drop && sctp_path_drop(bytes_of(at, len)))
        return;

    p->out_to[i] = path.current == r && path.answer_to ? *path.answer_to : r->address;
    p->out_part[i] = (struct iovec){at, len};
    p->out[i].msg_hdr = (struct msghdr){.msg_name = &p->out_to[i],
                                        .msg_namelen = sctp_address_len(&p->out_to[i]),
                                        .msg_iov = &p->out_part[i],
                                        .msg_iovlen = 1};
    if (p->wildcard && !sctp_address_is_wildcard(&r->local)) {
        p->out[i].msg_hdr.msg_controllen = write_source(&p->out_control[i], &r->local);
        p->out[i].msg_hdr.msg_control = &p->out_control[i];
    }
    p->out_count++;
    p->out_bytes += place;
    sctp_count.packets_out++;
    if (!p->flush.queued) {
        p->pass_again = true;
        loop_defer(&p->flush, flush);
    }
}

/* ---- paths ---- */

static void set_option(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof(value)); /* each is a wish */
}

static int socket_open(struct sctp_path *p, uint16_t udp_port, uint8_t dscp)
{
    union sctp_address at = p->local;
    bool v4 = at.any.sa_family == AF_INET, udp = p->carrier == SCTP_CARRIER_UDP;
    socklen_t len = sizeof(at);

    p->fd = socket(at.any.sa_family, (udp ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC | SOCK_NONBLOCK,
                   udp ? IPPROTO_UDP : IPPROTO_SCTP);
    if (p->fd < 0)
        return -errno;
    sctp_address_set_port(&at, udp ? udp_port : 0);
    if (!v4)
        set_option(p->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (bind(p->fd, &at.any, sctp_address_len(&at)) < 0 || getsockname(p->fd, &at.any, &len) < 0)
        return -errno;
    set_option(p->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
    set_option(p->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
    set_option(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
    set_option(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
    if (v4) {
        set_option(p->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
        set_option(p->fd, IPPROTO_IP, IP_PKTINFO, p->wildcard);
        set_option(p->fd, IPPROTO_IP, IP_TOS, dscp << 2);
    } else {
        set_option(p->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
        set_option(p->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, p->wildcard);
        set_option(p->fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
    }
    p->local = at;
    return 0;
}

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static void path_delete(struct sctp_path *p)
{
    for (struct sctp_path **at = &path.paths; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    if (p->out_count > 0)
        send_batch(p); /* the last words: an ABORT, a SHUTDOWN COMPLETE */
    loop_defer_cancel(&p->flush);
    for (uint32_t i = 0; i < path.made; i++) {
        struct remote *r = path.remotes[i];
        if (r->path != p)
            continue;
        if (i == REMOTE_STRANGER)
            r->path = NULL;
        else
            place_empty(r);
        /* an empty place must still be found when one is needed */
        if (i != REMOTE_STRANGER)
            unused_add(r);
    }
    if (p->poll) {
        uv_poll_stop(p->poll);
        uv_close((uv_handle_t *)p->poll, poll_closed);
    }
    if (p->fd >= 0)
        close(p->fd);
    free(p->ports);
    free(p);
}

static struct sctp_path *path_find(enum sctp_carrier carrier, const union sctp_address *local,
                                   uint16_t udp_port)
{
    union sctp_address without_port;

    for (struct sctp_path *p = path.paths; p; p = p->next) {
        without_port = p->local;
        sctp_address_set_port(&without_port, 0);
        if (p->carrier == carrier && p->udp_port == udp_port && same_address(&without_port, local))
            return p;
    }
    return NULL;
}

int sctp_path_open(enum sctp_carrier carrier, const union sctp_address *local, uint16_t udp_port,
                   uint8_t dscp, struct sctp_path **result)
{
    union sctp_address at = *local;

    sctp_address_set_port(&at, 0);
    struct sctp_path *p = path_find(carrier, &at, udp_port);
    if (p) {
        p->users++;
        *result = p;
        return 0;
    }
    p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    *p = (struct sctp_path){.next = path.paths,
                            .number = ++path.paths_made,
                            .users = 1,
                            .carrier = carrier,
                            .udp_port = udp_port,
                            .local = at,
                            .fd = -1};
    p->wildcard = sctp_address_is_wildcard(&at);
    path.paths = p;
    p->ports = calloc(65536, sizeof(*p->ports));
    int err = p->ports ? socket_open(p, udp_port, dscp) : -ENOMEM;
    if (err == 0) {
        p->poll = malloc(sizeof(*p->poll));
        err = p->poll ? uv_poll_init(loop_uv(), p->poll, p->fd) : -ENOMEM;
        if (err < 0) {
            free(p->poll);
            p->poll = NULL;
        }
    }
    if (err != 0) {
        path_delete(p);
        return err;
    }
    p->poll->data = p;
    uv_poll_start(p->poll, UV_READABLE, readable);
    *result = p;
    return 0;
}

void sctp_path_close(struct sctp_path *p)
{
    if (--p->users == 0)
        path_delete(p);
}

void sctp_path_use_port(struct sctp_path *p, uint16_t port)
{
    p->ports[port]++;
}

void sctp_path_unuse_port(struct sctp_path *p, uint16_t port)
{
    p->ports[port]--;
}

void sctp_path_turn(void)
{
    struct sctp_path *next;

    for (struct sctp_path *p = path.paths; p; p = next) {
        p->users++;
        receive_batch(p);
        send_batch(p);
        next = p->next;
        sctp_path_close(p);
    }
}

void sctp_path_init(sctp_path_input input, sctp_path_new_remote new_remote)
{
    path.input = input;
    path.new_remote = new_remote;
    map_init(&path.by_address);
    map_init(&path.by_tag);
    path.in_buffer = malloc((size_t)IN_BATCH * PACKET_MAX);
    place_new(); /* the stranger */
}

void sctp_path_free(void)
{
    while (path.paths)
        path_delete(path.paths);
    for (uint32_t i = 0; i < path.made; i++)
        free(path.remotes[i]);
    free(path.remotes);
    map_free(&path.by_address);
    map_free(&path.by_tag);
    free(path.in_buffer);
    memset(&path, 0, sizeof(path));
}
