/*
 * hss_bench.c -- what one AIR and one ULR cost the HSS.
 *
 * Starts an HSS of its own with test SIMs on a free port, plays an MME that keeps many requests
 * outstanding, and prints pairs a second and the HSS's CPU microseconds per pair: first for
 * subscribers that are read from the database and registered for the first time, then for
 * subscribers that are in memory, then for all of them moving to another MME.
 *
 *   hss_bench [SUBSCRIBERS [OUTSTANDING]]      100000 and 200 unless said
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "hss/hss.h"
#include "link/diameter_peer.h"

static char directory[] = "/tmp/strowger-hss-bench-XXXXXX";

static struct {
    struct diameter_node *node;
    unsigned subscribers, outstanding;
    unsigned begun, done, failed;
    bool up;
} bench;

static void peer_changed(void *owner, struct bytes host, bool up)
{
    (void)owner;
    (void)host;
    bench.up = up;
}

static bool succeeds(const struct diameter_message *message, void *request,
                     struct diameter_answer_head *reply)
{
    return diameter_request(bench.node, message, request, reply, 60000) == 0 &&
           diameter_result_of(reply) == DIAMETER_SUCCESS;
}

static void attach_one(unsigned n)
{
    struct s6a_requested_authentication_info info = {0};
    struct s6a_air air = {.requested_eutran_authentication_info = &info,
                          .visited_plmn_id = {1, 1, 2}};
    struct s6a_ulr ulr = {.rat_type = S6A_RAT_EUTRAN,
                          .ulr_flags = S6A_ULR_S6A_INDICATOR | S6A_ULR_INITIAL_ATTACH,
                          .visited_plmn_id = {1, 1, 2}};
    struct s6a_aia aia;
    struct s6a_ula ula;

    snprintf(air.imsi, sizeof(air.imsi), "00101%010u", n);
    memcpy(ulr.imsi, air.imsi, sizeof(ulr.imsi));
    if (!succeeds(&s6a_air_message, &air, &aia.head) ||
        !succeeds(&s6a_ulr_message, &ulr, &ula.head))
        bench.failed++;
}

static void phones(void *argument)
{
    (void)argument;
    while (bench.begun < bench.subscribers) {
        attach_one(++bench.begun);
        bench.done++;
    }
    if (bench.done == bench.subscribers)
        loop_stop(0);
}

/* CPU of the process so far, from /proc, in microseconds. */
static uint64_t cpu_us(pid_t pid)
{
    char path[64];
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (f) {
        if (fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                   &system) != 2)
            user = system = 0;
        fclose(f);
    }
    return (uint64_t)(user + system) * 1000000u / (uint64_t)sysconf(_SC_CLK_TCK);
}

static int run(const char *what, const char *mme, uint16_t port, pid_t hss)
{
    const struct diameter_node_application s6a = {DIAMETER_VENDOR_3GPP, DIAMETER_APPLICATION_S6A};
    struct diameter_config config = diameter_config_default();
    struct diameter_peer_config peer = {.host = "hss.bench"};
    struct sockaddr_in *in = (struct sockaddr_in *)&peer.address;
    const struct diameter_node_settings settings = {
        .config = &config,
        .applications = &s6a,
        .application_count = 1,
        .peer_changed = peer_changed,
    };

    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    config.host = mme;
    config.realm = "bench";
    config.peers.at = &peer;
    config.peers.count = 1;
    bench.begun = bench.done = bench.failed = 0;
    if (diameter_node_start(&settings, &bench.node) < 0)
        return -1;
    for (int i = 0; i < 600 && !bench.up; i++)
        loop_run_for(50);
    if (!bench.up)
        return -1;
    uint64_t cpu = cpu_us(hss), start = clock_now_us();
    for (unsigned i = 0; i < bench.outstanding; i++)
        fiber_spawn("phones", phones, NULL);
    loop_run();
    double seconds = (double)(clock_now_us() - start) / 1e6;
    printf("%-34s %8.0f a second  %6.1f us CPU each  %u failed\n", what, bench.done / seconds,
           (double)(cpu_us(hss) - cpu) / bench.done, bench.failed);
    fflush(stdout);
    diameter_node_free(bench.node);
    bench.up = false;
    return bench.failed ? -1 : 0;
}

static uint16_t free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ||
        getsockname(fd, (struct sockaddr *)&in, &len) < 0)
        in.sin_port = 0;
    close(fd);
    return ntohs(in.sin_port);
}

static int write_configuration(const char *path, uint16_t port)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return -errno;
    fprintf(f,
            "name: bench\nlog: warn\n"
            "hss:\n"
            "  cache_subscribers: %u\n"
            "  test_sims:\n"
            "    - imsi: \"001010000000001\"\n"
            "      count: %u\n"
            "      k: 465b5ce8b199b49faa5f0a2ee238a6bc\n"
            "      opc: cd63cb71954a9f4e48a5994e37a02baf\n"
            "  diameter:\n"
            "    host: hss.bench\n"
            "    realm: bench\n"
            "    accept_unknown_peers: yes\n"
            "    listen:\n"
            "      - address: 127.0.0.1:%u\n",
            bench.subscribers, bench.subscribers, port);
    return fclose(f) == 0 ? 0 : -EIO;
}

static void clean_up(const char *configuration)
{
    static const char *const left[] = {"hss.db", "hss.db-wal", "hss.db-shm", "hss.sock"};
    char path[128];

    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        snprintf(path, sizeof(path), "%s/bench/%s", directory, left[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/bench", directory);
    rmdir(path);
    unlink(configuration);
    rmdir(directory);
}

int main(int argc, char **argv)
{
    char configuration[64];
    uint16_t port = free_port();

    bench.subscribers = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
    bench.outstanding = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 200;
    if (bench.subscribers == 0 || bench.outstanding == 0 || !port || !mkdtemp(directory))
        return 2;
    setenv("STROWGER_RUN", directory, 1);
    snprintf(configuration, sizeof(configuration), "%s/bench.yaml", directory);
    if (write_configuration(configuration, port) < 0)
        return 2;
    pid_t hss = fork();
    if (hss == 0) {
        char *words[] = {"hss", "-c", configuration, NULL};
        _exit(hss_main(3, words));
    }
    if (hss < 0 || loop_init() < 0)
        return 2;
    log_init("bench", LOG_WARN);
    int err = run("AIR + ULR, new subscribers", "one.bench", port, hss);
    if (err == 0)
        err = run("AIR + ULR, known subscribers", "one.bench", port, hss);
    if (err == 0)
        err = run("AIR + ULR, from another MME", "two.bench", port, hss);
    kill(hss, SIGTERM);
    waitpid(hss, NULL, 0);
    loop_free();
    clean_up(configuration);
    return err < 0;
}
