/*
 * traffic.c -- sends packets into one interface and counts what comes out of another.
 *
 *   traffic TX RX SHAPE RULES BYTES [DST_MAC LOCAL REMOTE]
 *
 * TX and RX are NETNS/INTERFACE; SHAPE and RULES say which rules (rules.h) the packets meet: each
 * for another, in a random order that repeats. BYTES is the length of the frame, or of the user's
 * packet in a tunnel (shape decap), whose outer addresses are given. Commands come on standard
 * input, an answer in one line for each:
 *
 *   run RATE WARM_MS MS      RATE packets a second (0: as fast as it goes), measured for MS
 *                            -> packets sent, packets received, seconds
 *   share RATE WARM_MS MS    the same, but leaves the processor to others between packets
 *   latency RATE MS          one packet at a time, with the time in it
 *                            -> packets sent and received, p50, p99, p99.9, maximum in microseconds
 *
 * Packets are counted by the interfaces, and what arrives is for nobody, so the receiver costs next
 * to nothing: the kernel drops it. A veth pair delivers in the sender's context: this process's
 * core also bears the first part of the reception (softirq, XDP, the copy to the switch's socket),
 * the switch's core the rest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rules.h"
#include "sender.h"

#define BATCH        SENDER_BATCH
#define UNDER_WAY_NS 2000000 /* what is still in the switch then is late, not lost */
#define OUTER        36      /* IPv4, UDP, GTP-U */

/* What differs between packets. */
struct flow {
    union {
        struct {
            uint32_t src, dst;
            uint16_t src_port, dst_port;
        };
        uint32_t teid;
    };
    uint16_t checksum; /* of the IP header with these addresses */
};

struct end {
    char netns[64], interface[IFNAMSIZ];
    int counters; /* /proc/net/dev of the namespace */
};

static struct {
    struct end tx, rx;
    int home; /* the namespace that we come from */
    enum shape shape;
    struct flow *flows;
    uint32_t count, next;
    size_t frame_len;
    uint8_t frame[SENDER_FRAME_ROOM]; /* that all are made from */
} t;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "traffic: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- packets ---- */

static uint16_t checksum_of(const void *at, size_t len)
{
    const uint8_t *p = at;
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t) ~(sum + (sum >> 16)));
}

static void put_ip(uint8_t *at, size_t len, uint32_t src, uint32_t dst)
{
    struct iphdr ip = {.version = 4,
                       .ihl = 5,
                       .tot_len = htons((uint16_t)len),
                       .ttl = 64,
                       .protocol = IPPROTO_UDP,
                       .saddr = src,
                       .daddr = dst};

    ip.check = checksum_of(&ip, sizeof(ip));
    memcpy(at, &ip, sizeof(ip));
}

static void put_udp(uint8_t *at, size_t len, uint16_t src, uint16_t dst)
{
    struct udphdr udp = {
        .uh_sport = htons(src), .uh_dport = htons(dst), .uh_ulen = htons((uint16_t)len)};

    memcpy(at, &udp, sizeof(udp));
}

/* The frame that all packets are made from. To a port that is no tunnel it goes with an address
 * that nobody has, so that only the switch takes it. */
static void make_frame(uint8_t *at, size_t bytes, char **outer)
{
    static const uint8_t nobody[] = {2, 0, 0, 0, 0, 0x98, 2, 0, 0, 0, 0, 0x97, 8, 0};
    unsigned mac[6];

    memcpy(at, nobody, sizeof(nobody));
    at += sizeof(nobody);
    t.frame_len = bytes;
    if (outer) {
        if (sscanf(outer[0], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                   &mac[5]) != 6)
            fail("%s is not an Ethernet address", outer[0]);
        for (int i = 0; i < 6; i++)
            at[i - (int)sizeof(nobody)] = (uint8_t)mac[i];
        t.frame_len = sizeof(nobody) + OUTER + bytes;
        put_ip(at, OUTER + bytes, inet_addr(outer[1]), inet_addr(outer[2]));
        put_udp(at + 20, OUTER - 20 + bytes, 2152, 2152);
        at[28] = 0x30; /* GTP-U: version 1, G-PDU */
        at[29] = 0xff;
        at[30] = (uint8_t)(bytes >> 8);
        at[31] = (uint8_t)bytes;
        at += OUTER;
    } else {
        bytes -= sizeof(nobody);
    }
    put_ip(at, bytes, htonl(0x0a000001), htonl(0x0b000001));
    put_udp(at + 20, bytes - 20, 1, 2);
}

static void make_flow(struct flow *f, uint32_t i)
{
    struct rule r = rule_make(t.shape, i);
    struct iphdr ip;

    if (t.shape == SHAPE_DECAP) {
        f->teid = htonl(r.teid);
        return;
    }
    if (t.shape == SHAPE_PREFIX && r.length < 32) /* some host there */
        r.dst |= (uint32_t)random() & ((1u << (32 - r.length)) - 1);
    f->src = htonl(r.src);
    f->dst = htonl(r.dst);
    f->src_port = htons(r.src_port);
    f->dst_port = htons(r.dst_port);
    memcpy(&ip, t.frame + ETH_HLEN, sizeof(ip));
    ip.saddr = f->src;
    ip.daddr = f->dst;
    ip.check = 0;
    f->checksum = checksum_of(&ip, sizeof(ip));
}

static void make_flows(uint32_t count)
{
    t.count = count;
    t.flows = calloc(count, sizeof(*t.flows));
    if (!t.flows)
        fail("no memory");
    for (uint32_t i = 0; i < count; i++)
        make_flow(&t.flows[i], i);
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t j = (uint32_t)random() % (i + 1);
        struct flow other = t.flows[i];

        t.flows[i] = t.flows[j];
        t.flows[j] = other;
    }
}

static void dress(uint8_t *frame)
{
    const struct flow *f = &t.flows[t.next];

    t.next = t.next + 1 == t.count ? 0 : t.next + 1;
    if (t.shape == SHAPE_DECAP) {
        memcpy(frame + ETH_HLEN + 32, &f->teid, 4);
        return;
    }
    memcpy(frame + ETH_HLEN + 10, &f->checksum, 2);
    memcpy(frame + ETH_HLEN + 12, &f->src, 12); /* both addresses and both ports */
}

/* ---- interfaces ---- */

static void enter(const char *netns)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "/run/netns/%s", netns);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
        fail("namespace %s: %s", netns, strerror(errno));
    close(fd);
}

static void leave(void)
{
    if (setns(t.home, CLONE_NEWNET) < 0)
        fail("no way back from a namespace: %s", strerror(errno));
}

static int open_receiver(const char *interface)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex(interface)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1, room = 8 << 20;

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0)
        fail("%s: %s", interface, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    return fd;
}

static void open_end(struct end *e, const char *where)
{
    if (sscanf(where, "%63[^/]/%15s", e->netns, e->interface) != 2)
        fail("%s is not NETNS/INTERFACE", where);
    enter(e->netns);
    e->counters = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
    leave();
    if (e->counters < 0)
        fail("/proc/net/dev: %s", strerror(errno));
}

/* Packets that the interface has received (field 1) or sent (field 9). */
static uint64_t count_of(const struct end *e, int field)
{
    char text[8192], *at;
    ssize_t n = pread(e->counters, text, sizeof(text) - 1, 0);
    char name[IFNAMSIZ + 2];

    text[n > 0 ? n : 0] = 0;
    snprintf(name, sizeof(name), "%s:", e->interface);
    at = strstr(text, name);
    if (!at)
        fail("%s is gone", e->interface);
    at += strlen(name);
    for (int i = 0; i < field; i++)
        strtoull(at, &at, 10);
    return strtoull(at, NULL, 10);
}

/* ---- sending ---- */

static void send_batch(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        dress(sender_frame(i));
    sender_send(count);
}

/* Sends at that rate until then; what could not be sent in time is not made up for. */
static void send_until(uint64_t end, double rate, bool sharing)
{
    uint64_t from = now_ns(), now, sent = 0;

    while ((now = now_ns()) < end) {
        uint64_t due = rate > 0 ? (uint64_t)((double)(now - from) * rate / 1e9) : sent + BATCH;

        if (due > sent + BATCH)
            sent = due - BATCH;
        if (due > sent) {
            send_batch((unsigned)(due - sent));
            sent = due;
        }
        if (sharing)
            sched_yield();
    }
}

static void run(double rate, unsigned warm_ms, unsigned ms, bool sharing)
{
    uint64_t sent, received, from, end;

    send_until(now_ns() + warm_ms * 1000000ull, rate, sharing);
    from = now_ns();
    received = count_of(&t.rx, 1);
    sent = count_of(&t.tx, 9);
    send_until(from + ms * 1000000ull, rate, sharing);
    end = now_ns();
    while (rate > 0 && now_ns() < end + UNDER_WAY_NS)
        ;
    received = count_of(&t.rx, 1) - received;
    sent = count_of(&t.tx, 9) - sent;
    printf("%llu %llu %.6f\n", (unsigned long long)sent, (unsigned long long)received,
           (double)(end - from) / 1e9);
}

/* ---- latency ---- */

struct samples {
    double *us;
    size_t count, room;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void take_samples(int fd, struct samples *s)
{
    uint8_t frame[SENDER_FRAME_ROOM];
    ssize_t n;

    while ((n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT)) == (ssize_t)t.frame_len) {
        uint64_t then;

        memcpy(&then, frame + n - 8, 8);
        if (s->count < s->room)
            s->us[s->count++] = (double)(now_ns() - then) / 1e3;
    }
}

static double percentile(const struct samples *s, double p)
{
    size_t i = (size_t)((double)s->count * p);

    return s->count == 0 ? 0 : s->us[i < s->count ? i : s->count - 1];
}

static void latency(double rate, unsigned ms)
{
    uint64_t from, end, now, sent = 0;
    struct samples s = {.room = (size_t)(rate * ms / 1e3) + BATCH};
    int fd;

    enter(t.rx.netns);
    fd = open_receiver(t.rx.interface);
    leave();
    s.us = calloc(s.room, sizeof(double));
    if (!s.us)
        fail("no memory");
    from = now_ns();
    end = from + ms * 1000000ull;
    while ((now = now_ns()) < end + 50000000) {
        if (now < end && (double)(now - from) * rate / 1e9 > (double)sent) {
            memcpy(sender_frame(0) + t.frame_len - 8, &now, 8);
            send_batch(1);
            sent++;
        }
        take_samples(fd, &s);
    }
    close(fd);
    qsort(s.us, s.count, sizeof(double), compare);
    printf("%llu %zu %.1f %.1f %.1f %.1f\n", (unsigned long long)sent, s.count, percentile(&s, 0.5),
           percentile(&s, 0.99), percentile(&s, 0.999), percentile(&s, 1));
    free(s.us);
}

/* ---- start ---- */

static void serve(void)
{
    char line[128], what[16];
    unsigned warm, ms;
    double rate;

    while (fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "latency %lf %u", &rate, &ms) == 2)
            latency(rate, ms);
        else if (sscanf(line, "%15s %lf %u %u", what, &rate, &warm, &ms) == 4)
            run(rate, warm, ms, strcmp(what, "share") == 0);
        else
            fail("not understood: %s", line);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    int shape, count, bytes, err;

    if (argc != 6 && argc != 9)
        fail("usage: traffic TX RX SHAPE RULES BYTES [DST_MAC LOCAL REMOTE]");
    shape = shape_named(argv[3]);
    count = atoi(argv[4]);
    bytes = atoi(argv[5]);
    if (shape < 0 || count <= 0 || bytes < 50 || bytes > 1600 ||
        (shape == SHAPE_DECAP) != (argc == 9))
        fail("no such packets");
    t.home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    open_end(&t.tx, argv[1]);
    open_end(&t.rx, argv[2]);
    t.shape = (enum shape)shape;
    make_frame(t.frame, (size_t)bytes, argc == 9 ? argv + 6 : NULL);
    enter(t.tx.netns);
    err = sender_open(t.tx.interface, t.frame_len);
    leave();
    if (err < 0)
        fail("%s: %s", argv[1], strerror(-err));
    sender_fill(t.frame);
    make_flows((uint32_t)count);
    serve();
    return 0;
}
