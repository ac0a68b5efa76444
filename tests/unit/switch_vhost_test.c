/*
 * switch_vhost_test.c -- vhost-user ports with two data-path threads: two model guests, each behind
 * a port, and flows that join them; a third port keeps what is sent to it.
 *
 * Port 1 listens, and guest 1 connects; port 2 connects to guest 2. A port has two queue pairs. The
 * test is the loop's thread, the hypervisors and the guests.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "switch_frames.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/vhost_socket.h"
#include "switch/change.h"
#include "switch/reclaim.h"
#include "switch/worker.h"
#include "vhost_guest.h"

#define BIT(n)     (1ULL << (n))
#define HEADER     ((uint32_t)sizeof(struct virtio_net_hdr_v1))
#define THREADS    2
#define PATIENCE   60000 /* ms, of a loaded machine */
#define RECEIVE_AT 128   /* index of the first receive buffer; transmitted ones are before */
#define MSS        1400
#define PAYLOAD    10000

enum request {
    GET_FEATURES = 1,
    SET_FEATURES = 2,
    SET_OWNER = 3,
    SET_MEM_TABLE = 5,
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    SET_VRING_KICK = 12,
    SET_VRING_CALL = 13,
    GET_PROTOCOL_FEATURES = 15,
    SET_PROTOCOL_FEATURES = 16,
    SET_VRING_ENABLE = 18,
    SEND_RARP = 19,
    NET_SET_MTU = 20,
};

#define F_LOG_ALL           BIT(26)
#define F_PROTOCOL_FEATURES BIT(30)
#define OFFLOADS_TO_GUEST \
    (BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6))

static struct datapath dp;
static struct port *ports[3], *kept_port;
static struct switch_port_config configs[3];
static struct guest guests[3];
static char paths[3][64];
static int listener;
static unsigned changes;

/* ---- a port that keeps ---- */

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    size_t count, bytes, longest;
    uint8_t last[64];
} kept;

static void keep(struct worker *w, struct port *p, struct packet **packets, unsigned count)
{
    (void)w;
    (void)p;
    pthread_mutex_lock(&kept_lock);
    for (unsigned i = 0; i < count; i++) {
        kept.count++;
        kept.bytes += packets[i]->len;
        if (packets[i]->len > kept.longest)
            kept.longest = packets[i]->len;
        memcpy(kept.last, packets[i]->data, packets[i]->len < 64 ? packets[i]->len : 64);
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

static const struct port_driver keeper = {.name = "memory", .send = keep};

/* ---- the world ---- */

static void on_port_changed(struct port *port)
{
    (void)port;
    changes++;
}

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

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int set_up_with(uint32_t busy_us)
{
    log_init("test", LOG_ERROR);
    memset(&kept, 0, sizeof(kept));
    changes = 0;
    assert_int_equal(loop_init(), 0);
    assert_int_equal(datapath_init(&dp, 3, 100, THREADS), 0);
    change_listen(NULL);
    dp.port_changed = on_port_changed;
    assert_int_equal(workers_start(&dp, THREADS, busy_us, NULL), 0);
    for (uint32_t i = 1; i <= 2; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/tmp/switch_vhost_test.%d.%u", (int)getpid(), i);
        configs[i] =
            (struct switch_port_config){.name = i == 1 ? "one" : "two",
                                        .type = SWITCH_PORT_VHOST_USER,
                                        .socket = paths[i],
                                        .mode = i == 1 ? SWITCH_VHOST_SERVER : SWITCH_VHOST_CLIENT,
                                        .queues = 2};
        guest_init(&guests[i], GUEST_NUM);
        if (i == 2)
            listener = listen_at(paths[2]);
        assert_int_equal(port_open(&dp, &configs[i], i, &ports[i]), 0);
    }
    kept_port = port_new(&dp, &keeper, NULL, 3);
    assert_non_null(kept_port);
    port_publish(kept_port);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with(0);
}

/* Threads that look without being called, and sleep now and then. */
static int set_up_busy(void **state)
{
    (void)state;
    return set_up_with(300);
}

static int tear_down(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 2; i++) {
        if (dp.ports[i])
            port_close(ports[i]);
        guest_free(&guests[i]);
    }
    close(listener);
    unlink(paths[2]);
    assert_int_equal(access(paths[1], F_OK), -1);
    workers_stop(&dp);
    change_remove_all_flows(&dp);
    datapath_free(&dp);
    loop_free();
    return 0;
}

/* The loop's turns, until something is so. */
#define WAIT_UNTIL(condition)                         \
    do {                                              \
        bool met = false;                             \
        for (int ms = 0; ms < PATIENCE && !met; ms++) \
            if (!(met = (condition)))                 \
                loop_run_for(1);                      \
        assert_true(met);                             \
    } while (0)

/* ---- hypervisors ---- */

static void say(struct guest *g, uint32_t request, const void *payload, uint32_t size)
{
    guest_say(g, request, 0, payload, size, NULL, 0);
}

static void say_state(struct guest *g, uint32_t request, uint32_t index, uint32_t num)
{
    uint32_t state[2] = {index, num};

    say(g, request, state, sizeof(state));
}

static uint64_t ask(struct guest *g, uint32_t request)
{
    uint64_t v = 0;
    int n = 0;

    say(g, request, NULL, 0);
    for (int waited = 0; waited < PATIENCE && n == 0; waited++) {
        loop_run_for(1);
        n = guest_hear(g, request, &v, sizeof(v));
    }
    assert_int_equal(n, sizeof(v));
    return v;
}

static void say_memory(struct guest *g)
{
    struct {
        uint32_t count, padding;
        struct {
            uint64_t guest, size, user, offset;
        } regions[2];
    } table = {.count = 2};
    int fds[2] = {g->memfd, g->memfd};

    for (unsigned i = 0; i < 2; i++) {
        struct guest_region r = guest_region(i);

        table.regions[i].guest = r.guest;
        table.regions[i].size = r.size;
        table.regions[i].user = r.user;
        table.regions[i].offset = (uint64_t)i * GUEST_HALF;
    }
    guest_say(g, SET_MEM_TABLE, 0, &table, sizeof(table), fds, 2);
}

static void start_queue(struct guest *g, unsigned i)
{
    struct vhost_vring_addr addr = guest_ring(g, i);
    uint64_t index = i;

    say_state(g, SET_VRING_NUM, i, GUEST_NUM);
    say_state(g, SET_VRING_BASE, i, g->queues[i].seen);
    say(g, SET_VRING_ADDR, &addr, sizeof(addr));
    guest_say(g, SET_VRING_KICK, 0, &index, sizeof(index), &g->queues[i].kick, 1);
    guest_say(g, SET_VRING_CALL, 0, &index, sizeof(index), &g->queues[i].call, 1);
    say_state(g, SET_VRING_ENABLE, i, 1);
}

/* Guest `i` connects, or is connected to. */
static void meet(uint32_t i)
{
    struct guest *g = &guests[i];

    if (i == 1) {
        assert_int_equal(guest_connect(g, paths[i]), 0);
        return;
    }
    guest_hang_up(g);
    WAIT_UNTIL((g->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0);
}

static bool is_up(uint32_t i)
{
    return port_is_live(ports[i]);
}

/* A hypervisor comes, and starts so many pairs. */
static void boot(uint32_t i, unsigned pairs, uint64_t without)
{
    struct guest *g = &guests[i];
    uint64_t features, protocol;

    meet(i);
    features = ask(g, GET_FEATURES) & ~(F_LOG_ALL | without);
    assert_true(features & F_PROTOCOL_FEATURES);
    protocol = ask(g, GET_PROTOCOL_FEATURES);
    say(g, SET_PROTOCOL_FEATURES, &protocol, sizeof(protocol));
    say(g, SET_OWNER, NULL, 0);
    say(g, SET_FEATURES, &features, sizeof(features));
    say_memory(g);
    for (unsigned q = 0; q < 2 * pairs; q++)
        start_queue(g, q);
    assert_int_equal(ask(g, GET_FEATURES) & features, features); /* all of it was heard */
    assert_true(is_up(i));
}

/* ---- guests ---- */

static void kick(struct guest_queue *q)
{
    static const uint64_t one = 1;

    assert_int_equal(write(q->kick, &one, sizeof(one)), sizeof(one));
}

/* How many frames the pair takes now. */
static unsigned room_to_transmit(uint32_t i, unsigned pair)
{
    struct guest_queue *tx = &guests[i].queues[2 * pair + 1];
    uint32_t id, used;

    while (guest_used(tx, &id, &used))
        continue;
    return RECEIVE_AT - (uint16_t)(tx->added - tx->seen);
}

/* So many frames by a pair, from the buffers before RECEIVE_AT. */
static void transmit(uint32_t i, unsigned pair, unsigned count, uint8_t fill, uint32_t len)
{
    struct guest_queue *tx = &guests[i].queues[2 * pair + 1];

    assert_true(room_to_transmit(i, pair) >= count);
    for (unsigned n = 0; n < count; n++)
        guest_transmit(&guests[i], tx, tx->added % RECEIVE_AT, fill, len);
    kick(tx);
}

static void provide(uint32_t i, unsigned pair, unsigned count)
{
    struct guest_queue *rx = &guests[i].queues[2 * pair];

    for (unsigned n = 0; n < count; n++)
        guest_provide(rx, RECEIVE_AT + rx->added % RECEIVE_AT, 4096);
}

/* All receive buffers that are free are given to the device. */
static void refill(uint32_t i)
{
    for (unsigned pair = 0; pair < 2; pair++) {
        const struct guest_queue *rx = &guests[i].queues[2 * pair];

        provide(i, pair, RECEIVE_AT - (uint16_t)(rx->added - rx->seen));
    }
}

/* A frame that came by any pair; its address, or NULL. *len without the header. */
static const uint8_t *received(uint32_t i, uint32_t *len)
{
    for (unsigned pair = 0; pair < 2; pair++) {
        uint32_t id;

        if (!guest_used(&guests[i].queues[2 * pair], &id, len))
            continue;
        assert_true(id >= RECEIVE_AT && *len >= HEADER);
        *len -= HEADER;
        return guest_at(&guests[i], GUEST_BUFFERS + id * 4096ULL) + HEADER;
    }
    return NULL;
}

/* Frames arrive at guest `i`, in any order of pairs. */
static void expect_frames(uint32_t i, unsigned count, uint8_t fill, uint32_t len)
{
    for (unsigned n = 0; n < count; n++) {
        const uint8_t *at = NULL;
        uint32_t got = 0;

        WAIT_UNTIL((at = received(i, &got)) != NULL);
        assert_int_equal(got, len);
        assert_int_equal(at[0], fill);
        assert_int_equal(at[len - 1], fill);
    }
}

static void expect_both_ways(void)
{
    for (uint32_t i = 1; i <= 2; i++) {
        provide(3 - i, 0, 1);
        provide(3 - i, 1, 1);
        transmit(i, 0, 1, (uint8_t)(0x10 + 2 * i), 100);
        expect_frames(3 - i, 1, (uint8_t)(0x10 + 2 * i), 100);
    }
}

static void boot_both(void)
{
    boot(1, 2, 0);
    boot(2, 2, 0);
    join(1, 2);
    join(2, 1);
}

static struct port_counters counters(uint32_t i)
{
    return port_count(ports[i]);
}

/* ---- tests ---- */

static void test_states(void **state)
{
    uint64_t mtu = 9000;
    struct of_port desc;

    (void)state;
    assert_false(is_up(1));
    assert_false(is_up(2));
    assert_int_equal(ports[1]->mac[0] & 3, 2); /* local, of one station */
    assert_memory_not_equal(ports[1]->mac, ports[2]->mac, 6);
    assert_int_equal(ports[1]->queues, 2);
    boot(1, 1, 0);
    assert_int_equal(changes, 1);
    assert_int_equal(ports[1]->mtu, 1500);
    port_describe(ports[1], &desc);
    assert_true(desc.state & OFPPS_LIVE);
    say(&guests[1], NET_SET_MTU, &mtu, sizeof(mtu));
    WAIT_UNTIL(ports[1]->mtu == 9000);
    assert_int_equal(changes, 2);
    guest_hang_up(&guests[1]);
    WAIT_UNTIL(!is_up(1));
    assert_int_equal(changes, 3);
}

static void test_bad_sockets(void **state)
{
    struct switch_port_config bad = configs[1];
    struct port *port;

    (void)state;
    assert_int_equal(port_open(&dp, &bad, 7, &port), -EADDRINUSE);
    bad.socket = NULL;
    assert_int_equal(port_open(&dp, &bad, 7, &port), -EINVAL);
    bad = configs[1];
    bad.queues = PORT_RX_QUEUES + 1;
    assert_int_equal(port_open(&dp, &bad, 7, &port), -EINVAL);
    assert_null(dp.ports[7]);
}

static void test_both_ways(void **state)
{
    (void)state;
    boot_both();
    for (unsigned i = 0; i < 20; i++)
        expect_both_ways();
    assert_int_equal(counters(1).rx_packets, 20);
    assert_int_equal(counters(1).rx_bytes, 2000);
    assert_int_equal(counters(1).tx_packets, 20);
    assert_int_equal(counters(2).tx_bytes, 2000);
    assert_int_equal(counters(1).rx_dropped + counters(1).tx_dropped, 0);
}

/* The pairs' queues belong to two workers; nothing is lost or stuck in more than a turn's worth. */
static void test_pairs(void **state)
{
    (void)state;
    boot_both();
    assert_int_not_equal(ports[1]->queue_workers[0], ports[1]->queue_workers[1]);
    for (unsigned round = 0; round < 20; round++) {
        refill(2);
        transmit(1, 0, RECEIVE_AT / 2, 0x31, 300);
        transmit(1, 1, RECEIVE_AT / 2, 0x31, 300);
        expect_frames(2, RECEIVE_AT, 0x31, 300);
    }
    for (unsigned round = 0; round < 5; round++) { /* more than a worker takes in a turn */
        refill(2);
        transmit(1, 0, RECEIVE_AT, 0x32, 64);
        expect_frames(2, RECEIVE_AT, 0x32, 64);
    }
    assert_int_equal(counters(1).rx_packets, 25 * RECEIVE_AT);
    assert_int_equal(counters(2).tx_packets, 25 * RECEIVE_AT);
}

/* A guest without receive buffers: what is for it is dropped, and counted. */
static void test_full(void **state)
{
    (void)state;
    boot_both();
    provide(2, 0, 4);
    provide(2, 1, 4);
    transmit(1, 0, 100, 0x41, 80);
    WAIT_UNTIL(counters(2).tx_packets + counters(2).own_drops[PORT_DROP_QUEUE] == 100);
    assert_int_equal(counters(2).tx_packets, 4);
    assert_int_equal(counters(2).tx_dropped, 96);
    expect_frames(2, 4, 0x41, 80);
}

static void test_bad_packets(void **state)
{
    struct guest_queue *tx = &guests[1].queues[1];
    struct virtio_net_hdr_v1 h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = htole16(99)};

    (void)state;
    boot(1, 1, BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6));
    join(1, 3);
    memcpy(guest_at(&guests[1], GUEST_BUFFERS), &h, sizeof(h));
    guest_desc(tx, 0, GUEST_BUFFERS, HEADER + 100, 0, 0); /* a checksum beyond its end */
    guest_add(tx, 0);
    kick(tx);
    WAIT_UNTIL(counters(1).own_drops[PORT_DROP_MALFORMED] == 1);
    transmit(1, 0, 1, 0x51, PACKET_ROOM + 1);
    WAIT_UNTIL(counters(1).own_drops[PORT_DROP_TOO_LARGE] == 1);
    say_state(&guests[1], SET_VRING_ENABLE, 1, 0);
    (void)ask(&guests[1], GET_FEATURES);
    assert_false(is_up(1));
    transmit(1, 0, 1, 0x51, 100);
    WAIT_UNTIL(counters(1).own_drops[PORT_DROP_DISABLED] == 1);
    assert_int_equal(counters(1).rx_dropped, 3);
    assert_int_equal(counters(1).rx_packets, 0);
    assert_int_equal(kept_count(), 0);
}

static void test_reconnect(void **state)
{
    (void)state;
    boot_both();
    expect_both_ways();
    for (unsigned round = 0; round < 6; round++) {
        uint32_t i = 1 + round % 2;

        guest_free(&guests[i]);
        guest_init(&guests[i], GUEST_NUM);
        WAIT_UNTIL(!is_up(i));
        assert_int_equal(ports[i]->also_fds[0], -1);
        boot(i, 1 + round / 2 % 2, 0);
        expect_both_ways();
    }
    assert_int_equal(counters(1).rx_errors, 0);
}

/* Guests that go while both workers send and receive as fast as they can. */
static void test_vanish(void **state)
{
    (void)state;
    boot_both();
    for (unsigned round = 0; round < 30; round++) {
        uint32_t gone = 1 + round % 2;

        for (unsigned n = 0; n < 20; n++) {
            uint32_t len;

            for (uint32_t i = 1; i <= 2; i++) {
                while (received(i, &len))
                    continue;
                refill(i);
                for (unsigned pair = 0; pair < 2; pair++)
                    transmit(i, pair, room_to_transmit(i, pair), 0x61, 200);
            }
        }
        guest_free(&guests[gone]);
        guest_init(&guests[gone], GUEST_NUM);
        WAIT_UNTIL(!is_up(gone));
        boot(gone, 2, 0);
    }
    assert_true(counters(1).rx_packets > 0 && counters(2).tx_packets > 0);
}

static void test_closed_under_load(void **state)
{
    (void)state;
    boot_both();
    provide(2, 0, RECEIVE_AT);
    for (unsigned pair = 0; pair < 2; pair++)
        transmit(1, pair, RECEIVE_AT, 0x62, 200);
    port_close(ports[1]);
    port_close(ports[2]);
    assert_null(dp.ports[1]);
    loop_run_for(1);
}

/* A queue that the guest breaks: the port goes down, the other guest's goes on. */
static void test_hostile(void **state)
{
    static const struct {
        uint16_t flags;
        uint64_t at;
        uint32_t len;
        uint16_t next;
    } bad[] = {
        {0, GUEST_BASE + GUEST_SIZE, 100, 0},               /* nobody's memory */
        {VRING_DESC_F_WRITE, GUEST_BUFFERS, 100, 0},        /* to be written */
        {VRING_DESC_F_NEXT, GUEST_BUFFERS, 100, 0},         /* round and round */
        {VRING_DESC_F_NEXT, GUEST_BUFFERS, 100, GUEST_NUM}, /* beyond the table */
        {VRING_DESC_F_INDIRECT, GUEST_BUFFERS, 17, 0},      /* no table */
        {0, GUEST_BUFFERS, 0, 0},                           /* nothing */
    };

    (void)state;
    boot_both();
    join(2, 3);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct guest_queue *tx = &guests[1].queues[1];
        size_t before = kept_count();

        guest_desc(tx, 0, bad[i].at, bad[i].len, bad[i].flags, bad[i].next);
        guest_add(tx, 0);
        kick(tx);
        WAIT_UNTIL(!is_up(1));
        assert_int_equal(counters(1).rx_errors, i + 1);
        kick(tx); /* and nothing happens */
        transmit(2, 0, 1, 0x71, 64);
        WAIT_UNTIL(kept_count() == before + 1);
        guest_free(&guests[1]);
        guest_init(&guests[1], GUEST_NUM);
        WAIT_UNTIL(ports[1]->also_fds[0] < 0);
        boot(1, 2, 0);
    }
    join(2, 1);
    expect_both_ways();
}

/* ---- offloads ---- */

/* A TCP packet as a guest hands it over, to be cut and summed: in the buffers of three
 * descriptors from 0 on. */
static void transmit_large(uint32_t i, uint8_t version)
{
    struct guest *g = &guests[i];
    struct guest_queue *tx = &g->queues[1];
    uint8_t *at = guest_at(g, GUEST_BUFFERS);
    struct virtio_net_hdr_v1 h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM};
    struct net_ip ip = {.version = version, .ttl = 64, .protocol = IP_TCP};
    uint8_t headers[100], pseudo[40] = {0};
    struct writer w = writer_of(headers, sizeof(headers));
    size_t l4, address = version == 4 ? 4 : 16, begun;
    be16 sum;

    wr_zero(&w, 12);
    headers[5] = 2;
    wr_u16(&w, version == 4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6);
    ip.src = frame_address(version == 4 ? "10.0.0.1" : "fd00::1");
    ip.dst = frame_address(version == 4 ? "10.0.0.2" : "fd00::2");
    begun = net_ip_begin(&w, &ip);
    net_ip_end(&w, begun);
    l4 = wr_len(&w);
    wr_u16(&w, 1000);
    wr_u16(&w, 2000);
    wr_zero(&w, 8);
    wr_u16(&w, 0x5018);
    wr_zero(&w, 6);
    assert_false(w.bad);
    memcpy(at + HEADER, headers, wr_len(&w));
    for (unsigned n = 0; n < PAYLOAD; n++)
        at[HEADER + wr_len(&w) + n] = (uint8_t)(n * 31);
    if (version == 4) {
        at[HEADER + 16] = (20 + 20 + PAYLOAD) >> 8;
        at[HEADER + 17] = (20 + 20 + PAYLOAD) & 0xff;
        memset(at + HEADER + 24, 0, 2);
        sum = net_checksum(at + HEADER + 14, 20);
        memcpy(at + HEADER + 24, &sum, 2);
    } else {
        at[HEADER + 18] = (20 + PAYLOAD) >> 8;
        at[HEADER + 19] = (20 + PAYLOAD) & 0xff;
    }
    memcpy(pseudo, ip.src.bytes, address);
    memcpy(pseudo + address, ip.dst.bytes, address);
    pseudo[2 * address + 1] = IP_TCP;
    pseudo[2 * address + 2] = (20 + PAYLOAD) >> 8;
    pseudo[2 * address + 3] = (20 + PAYLOAD) & 0xff;
    sum = (be16)~net_checksum(pseudo, 2 * address + 4);
    memcpy(at + HEADER + l4 + 16, &sum, 2);
    h.gso_type = version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
    h.hdr_len = htole16((uint16_t)wr_len(&w));
    h.gso_size = htole16(MSS);
    h.csum_start = htole16((uint16_t)l4);
    h.csum_offset = htole16(16);
    memcpy(at, &h, sizeof(h));
    for (uint16_t n = 0; n < 3; n++)
        guest_desc(tx, n, GUEST_BUFFERS + n * 4096ULL,
                   n < 2 ? 4096 : HEADER + (uint32_t)wr_len(&w) + PAYLOAD - 8192,
                   n < 2 ? VRING_DESC_F_NEXT : 0, (uint16_t)(n + 1));
    guest_add(tx, 0);
    kick(tx);
}

/* From a guest to one that takes the same: it stays whole, in as many buffers as it needs. */
static void test_large_stays_whole(void **state)
{
    (void)state;
    boot_both();
    for (uint8_t version = 4; version <= 6; version += 2) {
        const uint32_t frame = version == 4 ? 54 + PAYLOAD : 74 + PAYLOAD;
        struct virtio_net_hdr_v1 h;
        const uint8_t *first = NULL;
        uint32_t len = 0, total;

        provide(2, 0, 4);
        provide(2, 1, 4);
        transmit_large(1, version);
        WAIT_UNTIL((first = received(2, &len)) != NULL);
        memcpy(&h, first - HEADER, sizeof(h));
        assert_int_equal(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
        assert_int_equal(h.gso_type,
                         version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6);
        assert_int_equal(le16toh(h.gso_size), MSS);
        assert_int_equal(le16toh(h.csum_start), version == 4 ? 34 : 54);
        assert_int_equal(le16toh(h.hdr_len), version == 4 ? 54 : 74);
        assert_int_equal(le16toh(h.num_buffers), 3);
        assert_memory_equal(first, guest_at(&guests[1], GUEST_BUFFERS) + HEADER, len);
        for (total = len + HEADER; total < frame + HEADER; total += len + HEADER)
            assert_non_null(received(2, &len)); /* all were given back at once */
        assert_int_equal(total, frame + HEADER);
    }
    assert_int_equal(counters(2).tx_packets, 2);
}

/* To a guest, and to a port, that take no such packets: segments. */
static void test_large_is_cut(void **state)
{
    const unsigned segments = (PAYLOAD + MSS - 1) / MSS;

    (void)state;
    boot(1, 1, 0);
    boot(2, 1, OFFLOADS_TO_GUEST);
    join(1, 2);
    provide(2, 0, segments);
    transmit_large(1, 4);
    for (unsigned i = 0; i < segments; i++) {
        const uint8_t *at = NULL;
        uint32_t len = 0;

        WAIT_UNTIL((at = received(2, &len)) != NULL);
        assert_int_equal(len, 54 + (i + 1 < segments ? MSS : PAYLOAD % MSS));
        assert_int_equal(net_checksum(at + 14, 20), 0);
        assert_int_equal(at[-(int)HEADER], 0); /* flags: nothing is left to do */
        assert_int_equal(at[54], (uint8_t)(i * MSS * 31));
    }
    join(1, 3);
    transmit_large(1, 6);
    WAIT_UNTIL(kept_count() == segments);
    assert_int_equal(kept.longest, 74 + MSS);
    assert_int_equal(kept.bytes, segments * 74 + PAYLOAD);
}

static void test_announce(void **state)
{
    static const uint8_t mac[8] = {2, 0, 0, 0, 0, 9};

    (void)state;
    boot(1, 1, 0);
    join(1, 3);
    say(&guests[1], SEND_RARP, mac, sizeof(mac));
    WAIT_UNTIL(kept_count() == 1);
    assert_int_equal(kept.bytes, 60);
    assert_memory_equal(kept.last + 6, mac, 6);
    assert_memory_equal(kept.last + 12, "\x80\x35\x00\x01\x08\x00\x06\x04\x00\x03", 10);
    assert_memory_equal(kept.last + 22, mac, 6);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define BUSY(f) cmocka_unit_test_setup_teardown(f, set_up_busy, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_states),
        TEST(test_bad_sockets),
        TEST(test_both_ways),
        TEST(test_pairs),
        TEST(test_full),
        TEST(test_bad_packets),
        TEST(test_reconnect),
        TEST(test_vanish),
        TEST(test_closed_under_load),
        TEST(test_hostile),
        TEST(test_large_stays_whole),
        TEST(test_large_is_cut),
        TEST(test_announce),
        BUSY(test_both_ways),
        BUSY(test_pairs),
        BUSY(test_full),
        BUSY(test_reconnect),
        BUSY(test_vanish),
        BUSY(test_closed_under_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
