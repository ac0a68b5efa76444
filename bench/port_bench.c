/*
 * port_bench.c -- what a packet costs at each kind of port: an echo on one end of a veth pair.
 *
 * One thread receives at `b` and sends back; another sends 60-byte frames from `a` as fast as it
 * can. Printed: packets echoed a second, the echo thread's own CPU time for each (its inverse is
 * what the port could do were the sender no limit), what was offered, and the median time of a lone
 * packet there and back, with the echo asleep in poll() until it comes.
 *
 * Usage: port_bench [SECONDS]      as root; in namespaces of its own
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "link/netns.h"
#include "link/packet_port.h"
#include "link/packet_ring.h"
#include "link/xdp_queue.h"

#define BURST      32
#define CHUNK      2048
#define CHUNKS     4096
#define FRAME      60
#define ROUNDTRIPS 300

enum kind { PORT, RING, XDP_GENERIC, XDP_NATIVE, KINDS };

static const char *const names[KINDS] = {"recvmmsg, sendmmsg", "TPACKET_V3, sendmmsg",
                                         "AF_XDP generic", "AF_XDP native"};

struct echo {
    enum kind kind;
    int fd;
    struct packet_port port;
    struct packet_ring ring;
    struct xdp_queue queue;
    struct xdp_area area;
    uint64_t free[CHUNKS]; /* addresses of chunks that nobody has */
    unsigned free_count;
    uint8_t buffers[BURST][CHUNK];
    _Atomic bool stop;
    _Atomic uint64_t packets;
    double cpu_seconds;
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned echo_port(struct echo *e)
{
    struct packet_buffer buffers[BURST];
    int n;

    for (int i = 0; i < BURST; i++)
        buffers[i] = (struct packet_buffer){e->buffers[i], CHUNK, 0};
    n = packet_port_receive(&e->port, buffers, BURST);
    return n > 0 ? (unsigned)packet_port_send(&e->port, buffers, n) : 0;
}

static unsigned echo_ring(struct echo *e)
{
    struct packet_ring_frame frames[BURST];
    int n = packet_ring_receive(&e->ring, frames, BURST);
    int sent = n > 0 ? packet_ring_send(&e->ring, frames, (unsigned)n) : 0;

    packet_ring_release(&e->ring);
    return sent > 0 ? (unsigned)sent : 0;
}

static unsigned echo_xdp(struct echo *e)
{
    struct xdp_frame frames[BURST];
    unsigned sent = 0, lent;
    int n;

    lent = xdp_queue_fill(&e->queue, e->free, e->free_count);
    e->free_count -= lent;
    memmove(e->free, e->free + lent, e->free_count * sizeof(e->free[0]));
    n = xdp_queue_receive(&e->queue, frames, BURST);
    if (n > 0)
        sent = xdp_queue_send(&e->queue, frames, (unsigned)n);
    for (int i = (int)sent; i < n; i++)
        e->free[e->free_count++] = frames[i].address;
    if (e->queue.sending)
        (void)xdp_queue_kick(&e->queue);
    e->free_count +=
        xdp_queue_completed(&e->queue, e->free + e->free_count, CHUNKS - e->free_count);
    return sent;
}

static void *run_echo(void *argument)
{
    struct echo *e = argument;
    double begun = seconds_of(CLOCK_THREAD_CPUTIME_ID);

    while (!e->stop) {
        unsigned n = e->kind == PORT ? echo_port(e) : e->kind == RING ? echo_ring(e) : echo_xdp(e);
        struct pollfd wait = {e->fd, POLLIN, 0};
        if (n == 0)
            poll(&wait, 1, 10);
        e->packets += n;
    }
    e->cpu_seconds = seconds_of(CLOCK_THREAD_CPUTIME_ID) - begun;
    return NULL;
}

static int open_echo(struct echo *e, int netns)
{
    int err;

    if (e->kind == PORT) {
        err = packet_port_open(&e->port, PACKET_PORT_PACKET, "b", netns, 0);
        e->fd = e->port.fd;
        return err;
    }
    if (e->kind == RING) {
        err = packet_ring_open(&e->ring, "b", netns, NULL);
        e->fd = e->ring.fd;
        return err;
    }
    e->area = (struct xdp_area){.size = (size_t)CHUNKS * CHUNK, .chunk_size = CHUNK};
    e->area.base =
        mmap(NULL, e->area.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (e->area.base == MAP_FAILED)
        return -errno;
    for (e->free_count = 0; e->free_count < CHUNKS; e->free_count++)
        e->free[e->free_count] = (uint64_t)e->free_count * CHUNK;
    err = xdp_queue_open(&e->queue, "b", netns, 0,
                         e->kind == XDP_GENERIC ? XDP_MODE_GENERIC : XDP_MODE_NATIVE, &e->area);
    e->fd = e->queue.fd;
    return err;
}

static void close_echo(struct echo *e)
{
    if (e->kind == PORT)
        packet_port_close(&e->port);
    if (e->kind == RING)
        packet_ring_close(&e->ring);
    if (e->kind == XDP_GENERIC || e->kind == XDP_NATIVE) {
        xdp_queue_close(&e->queue);
        munmap(e->area.base, e->area.size);
    }
}

/* A frame of a protocol that the stacks do not know. */
static void make_frames(struct packet_ring_frame *frames, uint8_t *bytes)
{
    memset(bytes, 0x5a, FRAME);
    memset(bytes, 2, 12);
    bytes[12] = 0x88;
    bytes[13] = 0xb5;
    for (int i = 0; i < BURST; i++)
        frames[i] = (struct packet_ring_frame){.at = bytes, .len = FRAME};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_roundtrip(struct packet_port *sender, const uint8_t *bytes)
{
    double times[ROUNDTRIPS];
    uint8_t back[CHUNK];

    for (int i = 0; i < ROUNDTRIPS; i++) {
        struct packet_buffer out = {(uint8_t *)(uintptr_t)bytes, FRAME, FRAME};
        struct packet_buffer in = {back, sizeof(back), 0};
        struct pollfd wait = {sender->fd, POLLIN, 0};
        double begun;

        while (packet_port_receive(sender, &in, 1) > 0)
            ; /* what the stacks say of their own */
        begun = seconds_of(CLOCK_MONOTONIC);
        packet_port_send(sender, &out, 1);
        poll(&wait, 1, 100);
        times[i] = seconds_of(CLOCK_MONOTONIC) - begun;
        packet_port_receive(sender, &in, 1);
        usleep(200);
    }
    qsort(times, ROUNDTRIPS, sizeof(times[0]), by_value);
    return times[ROUNDTRIPS / 2];
}

static void measure(struct echo *e, int a, double seconds)
{
    struct packet_ring_frame frames[BURST];
    struct packet_ring sender;
    struct packet_port lone;
    uint8_t bytes[FRAME];
    uint64_t offered = 0, echoed;
    pthread_t thread;
    double begun, took, roundtrip = 0;

    make_frames(frames, bytes);
    pthread_create(&thread, NULL, run_echo, e);
    if (packet_port_open(&lone, PACKET_PORT_PACKET, "a", a, 0) == 0) {
        roundtrip = median_roundtrip(&lone, bytes);
        packet_port_close(&lone);
    }
    if (packet_ring_open(&sender, "a", a, NULL) < 0)
        exit(1);
    begun = seconds_of(CLOCK_MONOTONIC);
    while ((took = seconds_of(CLOCK_MONOTONIC) - begun) < seconds)
        for (int i = 0; i < 100; i++) {
            int n = packet_ring_send(&sender, frames, BURST);
            offered += n > 0 ? (uint64_t)n : 0;
        }
    echoed = e->packets;
    e->stop = true;
    pthread_join(thread, NULL);
    packet_ring_close(&sender);
    printf("%-22s %8.0f packets/s  %6.0f ns CPU each  (offered %8.0f/s)  alone %6.0f us\n",
           names[e->kind], (double)echoed / took, e->cpu_seconds * 1e9 / (double)e->packets,
           (double)offered / took, roundtrip * 1e6);
}

static int measure_kind(enum kind kind, double seconds)
{
    struct echo *e = calloc(1, sizeof(*e));
    int a = netns_new(), b = netns_new(), err;
    struct netlink nl, peer;

    if (!e || a < 0 || b < 0 || netlink_open(&nl, a) < 0 || netlink_open(&peer, b) < 0 ||
        netlink_add_veth(&nl, "a", "b", b) < 0 || netlink_set_up(&nl, "a") < 0 ||
        netlink_set_up(&peer, "b") < 0) {
        fprintf(stderr, "port_bench: no namespaces with a veth pair: run as root\n");
        return 1;
    }
    e->kind = kind;
    if ((err = open_echo(e, b)) < 0)
        printf("%-22s %s\n", names[kind], strerror(-err));
    else {
        measure(e, a, seconds);
        close_echo(e);
    }
    netlink_close(&nl);
    netlink_close(&peer);
    close(a);
    close(b);
    free(e);
    return 0;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;

    for (enum kind kind = PORT; kind < KINDS; kind++)
        if (measure_kind(kind, seconds) != 0)
            return 1;
    return 0;
}
