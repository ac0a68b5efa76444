/*
 * sctp_bench.c -- what SCTP associations carry: round trips one after the other, many under way,
 * over one association and over many, and one-way throughput; with the CPU time that a message
 * costs at each end.
 *
 *   sctp_bench [auto|kernel|usrsctp|udp] [SECONDS] [MTU]
 *
 * Client and server (a child) are in two network namespaces joined by a veth pair, where that is
 * allowed; else both are on the loopback. Sending and answering a message counts as one round trip;
 * its CPU time is given per round trip and end.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "link/netns.h"
#include "link/sctp.h"

#define PORT             36412
#define PPID_ECHO        1
#define PPID_SINK        2
#define MAX_ASSOCIATIONS 1000

struct run {
    const char *what;
    size_t message_bytes;
    unsigned associations;
    unsigned window; /* messages under way per association; 0: one way, as many as go */
};

static struct {
    struct sctp_settings settings;
    struct sockaddr_in server;
    int server_netns, client_netns; /* -1: none */
    unsigned seconds;
    const struct run *run;
    unsigned up;
    uint64_t sent, answered;
    double cpu_at_start;
    struct sctp_counters at_start;
    struct timer end;
    struct client {
        struct sctp_association *association;
        unsigned under_way;
    } clients[MAX_ASSOCIATIONS];
} bench;

static uint8_t payload[65536];

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void nothing(struct sctp_association *a, void *owner)
{
    (void)a;
    (void)owner;
}

/* ---- the server ---- */

static void server_message(struct sctp_association *a, void *owner, const struct sctp_message *m)
{
    (void)owner;
    if (bench.up++ == 0) {
        bench.cpu_at_start = cpu_seconds();
        bench.at_start = sctp_counters(); /* the parent's earlier runs are in there */
    }
    if (m->ppid == PPID_ECHO)
        sctp_send(a, m->stream, m->ppid, m->payload);
}

static void server_down(struct sctp_association *a, void *owner, enum sctp_down reason)
{
    (void)a;
    (void)owner;
    (void)reason;
    if (sctp_counters().associations == 1)
        loop_stop(0);
}

static const struct sctp_handler server = {nothing, server_message, nothing, server_down};

static int serve(void)
{
    struct sctp_listener *listener;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (bench.server_netns >= 0)
        netns_enter(bench.server_netns);
    loop_init();
    int err =
        sctp_listen((struct sockaddr *)&bench.server, &bench.settings, &server, NULL, &listener);
    if (err < 0) {
        fprintf(stderr, "listen: %s\n", strerror(-err));
        return 1;
    }
    loop_run();
    struct sctp_counters c = sctp_counters();
    uint64_t messages = c.messages_in - bench.at_start.messages_in;
    printf(" %7.2f %8.1f\n", 1e6 * (cpu_seconds() - bench.cpu_at_start) / (double)messages,
           (double)messages / (double)(c.packets_in - bench.at_start.packets_in));
    fflush(stdout);
    sctp_free();
    loop_free();
    return 0;
}

/* ---- the client ---- */

static void send_more(struct client *c)
{
    const struct run *run = bench.run;
    uint32_t ppid = run->window ? PPID_ECHO : PPID_SINK;

    while (run->window == 0 || c->under_way < run->window) {
        if (sctp_send(c->association, (uint16_t)(bench.sent % 4), ppid,
                      bytes_of(payload, run->message_bytes)) < 0)
            return;
        bench.sent++;
        c->under_way++;
    }
}

static void time_is_up(struct timer *timer)
{
    const struct run *run = bench.run;
    struct sctp_counters c = sctp_counters();
    uint64_t count = run->window ? bench.answered : c.messages_out - bench.at_start.messages_out;

    (void)timer;
    printf("%-28s %5u %6zu %9.0f %7.2f %8.1f", run->what, run->associations, run->message_bytes,
           (double)count / bench.seconds,
           1e6 * (cpu_seconds() - bench.cpu_at_start) / (double)count,
           (double)(c.messages_out - bench.at_start.messages_out) /
               (double)(c.packets_out - bench.at_start.packets_out));
    fflush(stdout);
    for (unsigned i = 0; i < run->associations; i++)
        sctp_abort(bench.clients[i].association);
    loop_stop(0);
}

static void client_up(struct sctp_association *a, void *owner)
{
    (void)a;
    (void)owner;
    if (++bench.up < bench.run->associations)
        return;
    bench.cpu_at_start = cpu_seconds();
    bench.at_start = sctp_counters();
    timer_start(&bench.end, bench.seconds * 1000, time_is_up);
    for (unsigned i = 0; i < bench.run->associations; i++)
        send_more(&bench.clients[i]);
}

static void client_message(struct sctp_association *a, void *owner, const struct sctp_message *m)
{
    struct client *c = owner;

    (void)a;
    (void)m;
    bench.answered++;
    c->under_way--;
    send_more(c);
}

static void client_writable(struct sctp_association *a, void *owner)
{
    (void)a;
    send_more(owner);
}

static void client_down(struct sctp_association *a, void *owner, enum sctp_down reason)
{
    (void)owner;
    fprintf(stderr, "%s: %s\n", sctp_peer_name(a), sctp_down_text(reason));
    loop_stop(-EPIPE);
}

static const struct sctp_handler client = {client_up, client_message, client_writable, client_down};

static int measure(const struct run *run)
{
    pid_t pid = fork();
    int err = 0;

    if (pid == 0) {
        bench.up = 0;
        _exit(serve());
    }
    usleep(100000);
    bench.run = run;
    bench.up = 0;
    bench.sent = bench.answered = 0;
    memset(bench.clients, 0, sizeof(bench.clients));
    loop_init();
    for (unsigned i = 0; i < run->associations && err == 0; i++)
        err = sctp_connect(NULL, (struct sockaddr *)&bench.server, &bench.settings, &client,
                           &bench.clients[i], &bench.clients[i].association);
    if (err == 0)
        err = loop_run();
    else
        fprintf(stderr, "connect: %s\n", strerror(-err));
    sctp_free();
    loop_free();
    waitpid(pid, NULL, 0);
    return err;
}

/* Two namespaces with 10.98.0.1 and 10.98.0.2. */
static int make_network(uint32_t mtu)
{
    struct netlink c, s;
    struct net_prefix client_address, server_address;

    if (!netns_allowed() && netns_become_root() < 0)
        return -EPERM;
    net_prefix_parse("10.98.0.1/24", &server_address);
    net_prefix_parse("10.98.0.2/24", &client_address);
    bench.server_netns = netns_new();
    bench.client_netns = netns_new();
    if (bench.server_netns < 0 || bench.client_netns < 0 ||
        netlink_open(&c, bench.client_netns) < 0 || netlink_open(&s, bench.server_netns) < 0)
        return -EPERM;
    int err = netlink_add_veth(&c, "client", "server", bench.server_netns);
    err = err < 0 ? err : netlink_set_mtu(&c, "client", mtu);
    err = err < 0 ? err : netlink_set_mtu(&s, "server", mtu);
    err = err < 0 ? err : netlink_add_address(&c, "client", &client_address);
    err = err < 0 ? err : netlink_add_address(&s, "server", &server_address);
    err = err < 0 ? err : netlink_set_up(&c, "client");
    err = err < 0 ? err : netlink_set_up(&s, "server");
    netlink_close(&c);
    netlink_close(&s);
    bench.server.sin_addr.s_addr = server_address.v4.s_addr;
    return err < 0 ? err : netns_enter(bench.client_netns);
}

int main(int argc, char **argv)
{
    static const struct run runs[] = {
        {"round trips, 1 under way", 120, 1, 1},
        {"round trips, 16 under way", 120, 1, 16},
        {"round trips, 256 under way", 120, 1, 256},
        {"round trips, 2 under way", 120, 100, 2},
        {"round trips, 2 under way", 120, 1000, 2},
        {"one way", 120, 1, 0},
        {"one way", 8000, 1, 0},
    };
    uint32_t mtu = argc > 3 ? (uint32_t)atoi(argv[3]) : 1500;
    int err = 0;

    bench.settings = sctp_settings_default();
    bench.seconds = argc > 2 && atoi(argv[2]) > 0 ? (unsigned)atoi(argv[2]) : 2;
    bench.server = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bench.server_netns = bench.client_netns = -1;
    if (argc > 1 && sctp_carrier_parse(argv[1], &bench.settings.carrier) < 0) {
        fprintf(stderr, "usage: sctp_bench [auto|kernel|usrsctp|udp] [SECONDS] [MTU]\n");
        return 2;
    }
    bool veth = make_network(mtu) == 0;
    if (bench.settings.carrier == SCTP_CARRIER_AUTO)
        bench.settings.carrier = sctp_carrier_find();
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("SCTP carrier %s, %s, MTU %u\n", sctp_carrier_name(bench.settings.carrier),
           veth ? "two namespaces over veth" : "loopback", mtu);
    printf("%-28s %5s %6s %9s %7s %8s %7s %8s\n", "", "assoc", "bytes", "per s", "us CPU",
           "msgs/pkt", "us CPU", "msgs/pkt");
    printf("%-28s %5s %6s %9s %16s %16s\n", "", "", "", "", "client", "server");
    for (size_t i = 0; i < sizeof(runs) / sizeof(*runs) && err == 0; i++)
        err = measure(&runs[i]);
    return err < 0;
}
