/*
 * switch_dpdk_test.c -- ports that DPDK drives, on its virtual devices, without huge pages: a ring
 * that gives back what is sent, a file of frames, and a source without end.
 *
 * Port 1 is the device, port 2 keeps what a flow sends there. The test is the loop's thread, and
 * sends as worker 0.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "switch_frames.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/dpdk_device.h"
#include "switch/change.h"
#include "switch/reclaim.h"
#include "switch/worker.h"

#define PATIENCE_MS 60000 /* of a loaded machine */
#define KEEP        256

static const char *const arguments[] = {"--no-huge", "-m", "128", "--no-pci"};
static struct datapath dp;
static struct switch_port_config config;
static struct port *device, *keeper;

/* ---- a port that keeps ---- */

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    size_t count;
    struct frame_kept {
        uint8_t bytes[4096];
        size_t len;
    } frames[KEEP];
} kept;

static void keep(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    pthread_mutex_lock(&kept_lock);
    for (unsigned i = 0; i < count; i++, kept.count++) {
        struct frame_kept *to = &kept.frames[kept.count % KEEP];

        to->len = packets[i]->len;
        memcpy(to->bytes, packets[i]->data, to->len < sizeof(to->bytes) ? to->len : 0);
    }
    pthread_mutex_unlock(&kept_lock);
    packets_free(packets, count);
}

static size_t kept_count(void)
{
    size_t count;

    pthread_mutex_lock(&kept_lock);
    count = kept.count;
    pthread_mutex_unlock(&kept_lock);
    return count;
}

static const struct port_driver keeping = {.name = "memory", .send = keep};

#define WAIT_UNTIL(condition)                            \
    do {                                                 \
        bool met = false;                                \
        for (int ms = 0; ms < PATIENCE_MS && !met; ms++) \
            if (!(met = (condition)))                    \
                usleep(1000);                            \
        assert_true(met);                                \
    } while (0)

/* ---- the world ---- */

static void join(uint32_t from, uint32_t to)
{
    struct of_action action = {.type = OFPAT_OUTPUT, .output = {.port = to}};
    struct of_instruction in = {.type = OFPIT_APPLY_ACTIONS, .actions = {&action, 1}};
    struct of_flow_mod mod = {
        .command = OFPFC_ADD, .priority = 1, .buffer_id = OFP_NO_BUFFER, .instructions = {&in, 1}};
    struct transaction t;

    of_match_set(&mod.match, OF_IN_PORT, from);
    change_begin(&t, &dp);
    assert_int_equal(change_flow_mod(&t, &mod), 0);
    change_commit(&t);
    change_settle();
}

static int set_up(void **state)
{
    (void)state;
    memset(&kept, 0, sizeof(kept));
    log_init("test", LOG_ERROR);
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, 2), 0);
    dp.dpdk_arguments = arguments;
    dp.dpdk_argument_count = sizeof(arguments) / sizeof(arguments[0]);
    change_listen(NULL);
    assert_int_equal(workers_start(&dp, 2, 0, NULL), 0);
    keeper = port_new(&dp, &keeping, NULL, 2);
    assert_non_null(keeper);
    port_publish(keeper);
    join(1, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (dp.ports[1])
        port_close(device);
    port_close(keeper);
    workers_stop(&dp);
    change_remove_all_flows(&dp);
    datapath_free(&dp);
    reclaim_all();
    loop_free();
    return 0;
}

static int open_queues(const char *name, uint8_t queues)
{
    config = (struct switch_port_config){
        .name = "device", .type = SWITCH_PORT_DPDK, .device = name, .queues = queues};
    return port_open(&dp, &config, 1, &device);
}

static int open_device(const char *name)
{
    return open_queues(name, 1);
}

static void must_open(const char *name)
{
    if (!dpdk_is_built)
        skip();
    assert_int_equal(open_device(name), 0);
}

/* ---- a ring that gives back what is sent ---- */

static void give(struct packet *p)
{
    packet_enter(p, 2);
    packet_parse(p);
    assert_true(worker_output(dp.workers[0], device, p));
    worker_flush(dp.workers[0]);
}

static struct packet *packet_of(const struct frame *f)
{
    struct packet *p = packet_copy_of(bytes_of(f->bytes, f->len));

    assert_non_null(p);
    return p;
}

static void frames_come_back_as_they_were(void **state)
{
    static const uint8_t protocols[] = {IP_UDP, IP_TCP, IP_SCTP};
    size_t sent = 0;

    (void)state;
    must_open("net_ring0");
    assert_true(port_is_live(device));
    for (unsigned tags = 0; tags <= 2; tags++)
        for (unsigned i = 0; i < sizeof(protocols); i++) {
            struct frame f = frame_ip(6, protocols[i], tags);

            give(packet_of(&f));
            sent++;
            WAIT_UNTIL(kept_count() == sent);
            assert_int_equal(kept.frames[sent - 1].len, f.len < 60 ? 60 : f.len);
            assert_memory_equal(kept.frames[sent - 1].bytes, f.bytes, f.len);
        }
    assert_int_equal(port_count(device).tx_packets, sent);
    assert_int_equal(port_count(device).rx_packets, sent);
    assert_int_equal(dp.workers[device->queue_workers[0]]->waits, 0);
}

static void many_frames_are_all_counted(void **state)
{
    struct frame f = frame_ip(4, IP_UDP, 0);
    struct port_counters c;

    (void)state;
    must_open("net_ring1");
    for (unsigned i = 0; i < 20000; i++) {
        struct packet *p = packet_of(&f);

        packet_enter(p, 2);
        packet_parse(p);
        assert_true(worker_output(dp.workers[0], device, p));
    }
    worker_flush(dp.workers[0]);
    c = port_count(device);
    assert_int_equal(c.tx_packets + c.own_drops[PORT_DROP_QUEUE], 20000);
    WAIT_UNTIL(kept_count() == c.tx_packets);
}

static void what_does_not_fit_is_dropped(void **state)
{
    uint8_t *bytes = calloc(1, 9000);

    (void)state;
    if (dpdk_is_built) {
        must_open("net_ring2");
        memset(bytes, 2, 14);
        give(packet_copy_of(bytes_of(bytes, device->mtu + 14u + 8u)));
        WAIT_UNTIL(kept_count() == 1);
        assert_int_equal(kept.frames[0].len, device->mtu + 22u);
        give(packet_copy_of(bytes_of(bytes, device->mtu + 14u + 9u)));
        assert_int_equal(port_count(device).own_drops[PORT_DROP_TOO_LARGE], 1);
    }
    free(bytes);
    if (!dpdk_is_built)
        skip();
}

/* The ring's driver has no offloads: what comes out is cut, and has its checksums. */
static void what_is_unfinished_is_finished(void **state)
{
    enum { HEADERS = ETH_HEADER_SIZE + IPV4_MIN_SIZE + TCP_MIN_SIZE, MSS = 1000, DATA = 3500 };
    struct frame f = frame_ip(4, IP_TCP, 0);
    struct packet *p;
    struct ipv4_header *ip;
    size_t bytes = 0;

    (void)state;
    must_open("net_ring3");
    p = packet_new_for(HEADERS + DATA);
    assert_non_null(p);
    memset(p->data, 0x5a, HEADERS + DATA);
    memcpy(p->data, f.bytes, HEADERS);
    p->data[ETH_HEADER_SIZE + IPV4_MIN_SIZE + 13] = 0x10; /* ACK, no SYN, which is not cut */
    ip = (void *)(p->data + ETH_HEADER_SIZE);
    ip->total_length = htons(IPV4_MIN_SIZE + TCP_MIN_SIZE + DATA);
    p->len = HEADERS + DATA;
    p->offload = (struct offload){.needs_checksum = true,
                                  .gso_type = OFFLOAD_GSO_TCPV4,
                                  .csum_start = ETH_HEADER_SIZE + IPV4_MIN_SIZE,
                                  .csum_offset = 16,
                                  .gso_size = MSS,
                                  .header_len = HEADERS};
    p->ip_at = ETH_HEADER_SIZE;
    give(p);
    WAIT_UNTIL(kept_count() == 4);
    for (unsigned i = 0; i < 4; i++) {
        const struct ipv4_header *out = (const void *)(kept.frames[i].bytes + ETH_HEADER_SIZE);

        bytes += kept.frames[i].len - HEADERS;
        assert_int_equal(ntohs(out->total_length) + ETH_HEADER_SIZE, kept.frames[i].len);
        assert_true(net_checksum_ok(IP_TCP, &out->src, &out->dst, 4, (const uint8_t *)(out + 1),
                                    kept.frames[i].len - ETH_HEADER_SIZE - IPV4_MIN_SIZE));
    }
    assert_int_equal(bytes, DATA);
}

/* ---- a file ---- */

static void put32(FILE *f, uint32_t v)
{
    assert_int_equal(fwrite(&v, sizeof(v), 1, f), 1);
}

static void write_file(const char *path, const size_t *lengths, size_t count)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    put32(f, 0xa1b2c3d4);
    put32(f, 4 << 16 | 2);
    put32(f, 0);
    put32(f, 0);
    put32(f, 65535);
    put32(f, 1); /* Ethernet */
    for (size_t i = 0; i < count; i++) {
        put32(f, (uint32_t)i);
        put32(f, 0);
        put32(f, (uint32_t)lengths[i]);
        put32(f, (uint32_t)lengths[i]);
        for (size_t n = 0; n < lengths[i]; n++)
            fputc((int)(n * 7 + i) & 0xff, f);
    }
    fclose(f);
}

/* Frames that DPDK has in several buffers among them. */
static void frames_of_a_file_come_whole(void **state)
{
    static const size_t lengths[] = {64, 2000, 3700, 1514, 3000};
    char path[64], name[128];

    (void)state;
    snprintf(path, sizeof(path), "/tmp/switch_dpdk_test.%d.pcap", (int)getpid());
    snprintf(name, sizeof(name), "net_pcap0,rx_pcap=%s", path);
    if (!dpdk_is_built)
        skip();
    write_file(path, lengths, 5);
    must_open(name);
    WAIT_UNTIL(kept_count() == 5);
    unlink(path);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(kept.frames[i].len, lengths[i]);
        for (size_t n = 0; n < lengths[i]; n++)
            assert_int_equal(kept.frames[i].bytes[n], (uint8_t)(n * 7 + i));
    }
}

/* ---- opening and closing ---- */

static void a_port_closes_under_load_and_opens_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        size_t before = kept_count();

        must_open("net_null0");
        WAIT_UNTIL(kept_count() > before + 10000);
        port_close(device);
        before = kept_count();
        usleep(5000);
        assert_int_equal(kept_count(), before);
    }
}

static void queues_are_spread_over_threads(void **state)
{
    (void)state;
    if (!dpdk_is_built)
        skip();
    assert_int_equal(open_queues("net_null1", 3), 0);
    assert_int_equal(device->queues, 3);
    for (unsigned i = 1; i <= 2; i++) {
        const uint64_t *came = &device->counters[i].rx_packets;

        WAIT_UNTIL(__atomic_load_n(came, __ATOMIC_RELAXED) > 10000);
        assert_false(dp.workers[i]->waits);
    }
    assert_int_equal(device->counters[0].rx_packets, 0);
}

static void what_cannot_be_opened_is_refused(void **state)
{
    struct switch_port_config twice = {
        .name = "twice", .type = SWITCH_PORT_DPDK, .device = "net_ring4", .queues = 1};

    (void)state;
    log_init("test", LOG_ERROR);
    if (!dpdk_is_built) {
        assert_int_equal(open_device("net_null0"), -EOPNOTSUPP);
        return;
    }
    assert_true(open_device("net_nothing0") < 0);
    assert_true(open_device("0000:ff:1f.7") < 0);
    assert_true(open_device("") < 0);
    must_open("net_ring4");
    assert_int_equal(port_open(&dp, &twice, 3, NULL), -EBUSY);
    assert_true(port_is_live(device));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(frames_come_back_as_they_were),  TEST(many_frames_are_all_counted),
        TEST(what_does_not_fit_is_dropped),   TEST(what_is_unfinished_is_finished),
        TEST(frames_of_a_file_come_whole),    TEST(a_port_closes_under_load_and_opens_again),
        TEST(queues_are_spread_over_threads), TEST(what_cannot_be_opened_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
