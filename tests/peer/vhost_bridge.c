/*
 * vhost_bridge.c -- joins the network devices of two virtual machines: what one sends the other
 * receives, offloads included.
 *
 *   vhost_bridge [-c] SOCKET [-c] SOCKET     -c: the hypervisor listens at the socket, not we
 *
 * One thread does everything: it sleeps until a control socket or a kick descriptor is readable. At
 * SIGTERM it prints the counters of both devices.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "link/vhost_user.h"

#define BURST 32
#define ROOM  70000

struct side {
    struct vhost_user *device;
    int kick; /* of the guest's transmit queue, or -1 */
    struct side *other;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void on_kick(void *context, unsigned queue, int fd)
{
    struct side *side = context;

    if (queue == 1)
        side->kick = fd;
}

static const struct vhost_user_events events = {.kick = on_kick};

static void forward(struct side *from, struct vhost_packet *packets)
{
    unsigned n;

    vhost_drain(from->device, 1);
    while ((n = vhost_receive(from->device, 0, packets, BURST)) > 0)
        (void)vhost_send(from->other->device, 0, packets, n);
}

static void run(struct side sides[2], struct vhost_packet *packets)
{
    while (!stopped) {
        struct pollfd wait[4];

        for (unsigned i = 0; i < 2; i++) {
            wait[i] = (struct pollfd){.fd = vhost_user_fd(sides[i].device), .events = POLLIN};
            wait[2 + i] = (struct pollfd){.fd = sides[i].kick, .events = POLLIN};
        }
        if (poll(wait, 4, -1) < 0)
            continue;
        for (unsigned i = 0; i < 2; i++) {
            if (wait[i].revents)
                vhost_user_readable(sides[i].device);
            if (wait[2 + i].revents)
                forward(&sides[i], packets);
        }
    }
}

static void print_counters(const struct side *side, unsigned number)
{
    const struct vring_counters *rx = vhost_user_counters(side->device, 1);
    const struct vring_counters *tx = vhost_user_counters(side->device, 0);

    printf("device %u: %llu packets %llu bytes from the guest, %llu packets %llu bytes to it, "
           "%llu + %llu notifications, features 0x%llx\n",
           number, (unsigned long long)rx->packets, (unsigned long long)rx->bytes,
           (unsigned long long)tx->packets, (unsigned long long)tx->bytes,
           (unsigned long long)rx->notifications, (unsigned long long)tx->notifications,
           (unsigned long long)vhost_user_features(side->device));
}

/* The next socket of the arguments. 0 or negative errno. */
static int open_side(struct side *side, char ***argument)
{
    bool connect = **argument && strcmp(**argument, "-c") == 0;
    struct vhost_user_config config = {
        .queue_pairs = 2, .connect = connect, .events = &events, .context = side};
    int err;

    *argument += connect;
    config.path = **argument ? *(*argument)++ : "";
    err = vhost_user_open(&side->device, &config);
    if (err < 0)
        fprintf(stderr, "vhost_bridge: %s: %s\n", config.path, strerror(-err));
    return err;
}

int main(int argc, char **argv)
{
    static uint8_t buffers[BURST][ROOM];
    static const struct sigaction action = {.sa_handler = on_signal};
    struct side sides[2] = {{.kick = -1, .other = &sides[1]}, {.kick = -1, .other = &sides[0]}};
    struct vhost_packet packets[BURST];
    char **argument = argv + 1;

    if (argc < 3) {
        fprintf(stderr, "usage: vhost_bridge [-c] SOCKET [-c] SOCKET\n");
        return 2;
    }
    log_init("bridge", LOG_INFO);
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &action, NULL);
    for (unsigned i = 0; i < BURST; i++)
        packets[i] = (struct vhost_packet){.at = buffers[i], .room = ROOM};
    if (open_side(&sides[0], &argument) < 0 || open_side(&sides[1], &argument) < 0) {
        vhost_user_close(sides[0].device);
        return 1;
    }
    run(sides, packets);
    for (unsigned i = 0; i < 2; i++) {
        print_counters(&sides[i], i);
        vhost_user_close(sides[i].device);
    }
    return 0;
}
