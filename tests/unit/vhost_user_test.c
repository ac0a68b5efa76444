/*
 * vhost_user_test.c -- the vhost-user protocol against a model of a hypervisor, over a Unix socket.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"
#include "base/log.h"
#include "link/vhost_socket.h"
#include "link/vhost_user.h"
#include "vhost_guest.h"

#define BIT(n) (1ULL << (n))
#define HEADER ((uint32_t)sizeof(struct virtio_net_hdr_v1))
#define BURST  32

enum request {
    GET_FEATURES = 1,
    SET_FEATURES,
    SET_OWNER,
    RESET_OWNER,
    SET_MEM_TABLE,
    SET_LOG_BASE,
    SET_LOG_FD,
    SET_VRING_NUM,
    SET_VRING_ADDR,
    SET_VRING_BASE,
    GET_VRING_BASE,
    SET_VRING_KICK,
    SET_VRING_CALL,
    SET_VRING_ERR,
    GET_PROTOCOL_FEATURES,
    SET_PROTOCOL_FEATURES,
    GET_QUEUE_NUM,
    SET_VRING_ENABLE,
    SEND_RARP,
    NET_SET_MTU,
    GET_MAX_MEM_SLOTS = 36,
    ADD_MEM_REG,
    REM_MEM_REG,
    SET_STATUS,
    GET_STATUS,
};

#define NEED_REPLY          VHOST_HEADER_NEED_REPLY
#define F_LOG_ALL           BIT(26)
#define F_PROTOCOL_FEATURES BIT(30)
#define P_REPLY_ACK         BIT(3)

static struct guest guest;
static struct vhost_user *device;
static char path[64];
static struct vhost_packet packets[BURST];
static unsigned changes, quiesced;
static int kicks[GUEST_QUEUES];
static uint8_t announced[6];
static void (*during_quiesce)(void);

static void on_quiesce(void *context)
{
    (void)context;
    quiesced++;
    if (during_quiesce)
        during_quiesce();
}

static void on_kick(void *context, unsigned queue, int fd)
{
    (void)context;
    assert_true(queue < GUEST_QUEUES);
    assert_true((kicks[queue] < 0) != (fd < 0));
    kicks[queue] = fd;
}

static void on_changed(void *context)
{
    (void)context;
    changes++;
}

static void on_announce(void *context, const uint8_t mac[6])
{
    (void)context;
    memcpy(announced, mac, 6);
}

static const struct vhost_user_events events = {on_quiesce, on_kick, on_changed, on_announce};

static void open_device(bool connect, unsigned pairs)
{
    struct vhost_user_config config = {
        .path = path, .connect = connect, .queue_pairs = pairs, .events = &events};

    assert_int_equal(vhost_user_open(&device, &config), 0);
}

static int set_up(void **state)
{
    (void)state;
    log_init("test", LOG_ERROR);
    snprintf(path, sizeof(path), "/tmp/vhost_user_test.%d", (int)getpid());
    guest_init(&guest, GUEST_NUM);
    changes = quiesced = 0;
    during_quiesce = NULL;
    for (unsigned i = 0; i < GUEST_QUEUES; i++)
        kicks[i] = -1;
    for (unsigned i = 0; i < BURST; i++)
        packets[i] = (struct vhost_packet){.at = malloc(70000), .room = 70000};
    device = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vhost_user_close(device);
    guest_free(&guest);
    for (unsigned i = 0; i < BURST; i++)
        free(packets[i].at);
    assert_true(access(path, F_OK) < 0);
    return 0;
}

/* ---- the hypervisor ---- */

static void say(uint32_t request, uint32_t flags, const void *payload, uint32_t size)
{
    guest_say(&guest, request, flags, payload, size, NULL, 0);
    vhost_user_readable(device);
}

static void say_u64(uint32_t request, uint64_t v)
{
    say(request, 0, &v, sizeof(v));
}

static void say_state(uint32_t request, uint32_t index, uint32_t num)
{
    uint32_t state[2] = {index, num};

    say(request, 0, state, sizeof(state));
}

static void say_fd(uint32_t request, uint32_t flags, uint64_t v, int fd)
{
    guest_say(&guest, request, flags, &v, sizeof(v), &fd, 1);
    vhost_user_readable(device);
}

static uint64_t hear_u64(uint32_t request)
{
    uint64_t v = 0;

    assert_int_equal(guest_hear(&guest, request, &v, sizeof(v)), sizeof(v));
    return v;
}

static uint64_t ask_u64(uint32_t request)
{
    say(request, 0, NULL, 0);
    return hear_u64(request);
}

static void expect_silence(void)
{
    uint64_t v;

    assert_int_equal(guest_hear(&guest, 0, &v, sizeof(v)), 0);
}

struct table {
    uint32_t count, padding;
    struct {
        uint64_t guest, size, user, offset;
    } regions[8];
};

static struct table good_table(void)
{
    struct table t = {.count = 2};

    for (unsigned i = 0; i < 2; i++) {
        struct guest_region r = guest_region(i);

        t.regions[i].guest = r.guest;
        t.regions[i].size = r.size;
        t.regions[i].user = r.user;
        t.regions[i].offset = (uint64_t)i * GUEST_HALF;
    }
    return t;
}

static void say_table(const struct table *t, uint32_t flags)
{
    int fds[8];

    for (unsigned i = 0; i < 8; i++)
        fds[i] = guest.memfd;
    guest_say(&guest, SET_MEM_TABLE, flags, t, 8 + t->count * 32, fds, t->count);
    vhost_user_readable(device);
}

static void negotiate(uint64_t without)
{
    struct table t = good_table();
    uint64_t features;

    vhost_user_readable(device);
    features = ask_u64(GET_FEATURES) & ~without;
    say_u64(SET_PROTOCOL_FEATURES, ask_u64(GET_PROTOCOL_FEATURES));
    say(SET_OWNER, 0, NULL, 0);
    say_u64(SET_FEATURES, features);
    say_table(&t, NEED_REPLY);
    assert_int_equal(hear_u64(SET_MEM_TABLE), 0);
}

static void start_queue(unsigned i, uint16_t base)
{
    struct vhost_vring_addr addr = guest_ring(&guest, i);

    say_state(SET_VRING_NUM, i, GUEST_NUM);
    say_state(SET_VRING_BASE, i, base);
    say(SET_VRING_ADDR, 0, &addr, sizeof(addr));
    say_fd(SET_VRING_KICK, 0, i, guest.queues[i].kick);
    say_fd(SET_VRING_CALL, 0, i, guest.queues[i].call);
}

static void enable_queue(unsigned i, bool on)
{
    say_state(SET_VRING_ENABLE, i, on);
}

static uint16_t stop_queue(unsigned i)
{
    uint32_t state[2] = {i, 0};

    say(GET_VRING_BASE, 0, state, sizeof(state));
    assert_int_equal(guest_hear(&guest, GET_VRING_BASE, state, sizeof(state)), sizeof(state));
    assert_int_equal(state[0], i);
    return (uint16_t)state[1];
}

static void start_all(unsigned pairs)
{
    for (unsigned i = 0; i < 2 * pairs; i++)
        start_queue(i, guest.queues[i].added);
    for (unsigned i = 0; i < 2 * pairs; i++)
        enable_queue(i, true);
}

/* A guest that is up. */
static void boot(unsigned pairs)
{
    open_device(false, pairs);
    assert_int_equal(guest_connect(&guest, path), 0);
    negotiate(F_LOG_ALL);
    start_all(pairs);
}

static struct vhost_user_status status(void)
{
    struct vhost_user_status s;

    vhost_user_status(device, &s);
    return s;
}

/* A packet each way through a pair. */
static void expect_traffic(unsigned pair)
{
    struct guest_queue *rx = &guest.queues[2 * pair], *tx = &guest.queues[2 * pair + 1];
    uint32_t id, len;

    guest_transmit(&guest, tx, 5, 0x11, 80);
    assert_int_equal(vhost_receive(device, pair, packets, BURST), 1);
    assert_int_equal(packets[0].len, 80);
    assert_int_equal(packets[0].at[79], 0x11);
    assert_true(guest_used(tx, &id, &len));
    guest_provide(rx, 6, 200);
    assert_int_equal(vhost_send(device, pair, packets, 1), 1);
    assert_true(guest_used(rx, &id, &len));
    assert_int_equal(id, 6);
    assert_int_equal(len, HEADER + 80);
    assert_int_equal(*guest_at(&guest, GUEST_BUFFERS + 6 * 4096 + HEADER + 79), 0x11);
}

static void expect_no_traffic(unsigned pair)
{
    assert_int_equal(vhost_receive(device, pair, packets, BURST), 0);
    packets[0].len = 60;
    assert_int_equal(vhost_send(device, pair, packets, 1), 0);
}

/* ---- tests ---- */

static void test_negotiation(void **state)
{
    (void)state;
    open_device(false, 2);
    assert_false(status().connected);
    assert_int_equal(guest_connect(&guest, path), 0);
    negotiate(BIT(VIRTIO_NET_F_HOST_TSO6) | F_LOG_ALL);
    assert_int_equal(ask_u64(GET_QUEUE_NUM), 2);
    assert_true(status().connected);
    assert_int_equal(status().memory_regions, 2);
    assert_true(status().features & BIT(VIRTIO_NET_F_MRG_RXBUF));
    assert_true(status().features & BIT(VIRTIO_NET_F_MQ));
    assert_false(vhost_user_features(device) & BIT(VIRTIO_NET_F_HOST_TSO6));
    assert_false(status().up);
    expect_no_traffic(0);
    start_all(1);
    assert_true(status().up);
    assert_int_equal(status().pairs, 1);
    expect_traffic(0);
    expect_no_traffic(1);
    expect_no_traffic(2);
    assert_true(changes > 0);
}

static void test_multiqueue(void **state)
{
    (void)state;
    boot(2);
    assert_int_equal(status().pairs, 2);
    expect_traffic(0);
    expect_traffic(1);
    enable_queue(2, false); /* the guest uses one pair now */
    enable_queue(3, false);
    assert_int_equal(status().pairs, 1);
    expect_no_traffic(1);
    expect_traffic(0);
    enable_queue(2, true);
    enable_queue(3, true);
    expect_traffic(1);
    assert_int_equal(atomic_load(&vhost_user_counters(device, 0)->packets), 2);
    assert_null(vhost_user_counters(device, 4));
}

static void test_kicks(void **state)
{
    struct pollfd wait;

    (void)state;
    boot(1);
    wait = (struct pollfd){.fd = kicks[1], .events = POLLIN};
    assert_true(kicks[1] >= 0);
    vhost_drain(device, 1);
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_false(vhost_kicks(device, 1, false));
    guest_transmit(&guest, &guest.queues[1], 0, 1, 64);
    assert_true(vhost_kicks(device, 1, true));
    assert_int_equal(write(guest.queues[1].kick, &(uint64_t){1}, 8), 8);
    assert_int_equal(poll(&wait, 1, 0), 1);
    vhost_drain(device, 1);
    assert_int_equal(vhost_receive(device, 0, packets, BURST), 1);
    assert_int_equal(poll(&wait, 1, 0), 0);
    enable_queue(1, true); /* something changed: look again */
    assert_int_equal(poll(&wait, 1, 0), 1);
    assert_int_equal(stop_queue(1), 1);
    assert_int_equal(kicks[1], -1);
    assert_int_equal(kicks[0] >= 0, 1);
}

static void test_stop_and_go(void **state)
{
    (void)state;
    boot(1);
    expect_traffic(0);
    expect_traffic(0);
    assert_int_equal(stop_queue(0), 2);
    assert_int_equal(stop_queue(1), 2);
    assert_false(status().up);
    expect_no_traffic(0);
    start_all(1);
    expect_traffic(0);
    assert_int_equal(stop_queue(1), 3);
    assert_int_equal(stop_queue(1), 3); /* stopped already */
    start_queue(1, 3);
    expect_traffic(0);
}

/* The queues of a front end without protocol features work at once. */
static void test_old_front_end(void **state)
{
    struct table t = good_table();

    (void)state;
    open_device(false, 1);
    assert_int_equal(guest_connect(&guest, path), 0);
    vhost_user_readable(device);
    say_u64(SET_FEATURES, BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF));
    say_table(&t, 0);
    expect_silence();
    start_queue(0, 0);
    start_queue(1, 0);
    assert_true(status().up);
    expect_traffic(0);
}

static void test_refusals(void **state)
{
    struct table t = good_table();
    struct vhost_vring_addr addr = guest_ring(&guest, 0);

    (void)state;
    boot(1);
    addr.index = 2;
    say(SET_VRING_ADDR, NEED_REPLY, &addr, sizeof(addr));
    assert_int_equal(hear_u64(SET_VRING_ADDR), 1);
    say(SET_VRING_NUM, NEED_REPLY, (uint32_t[]){0, 100}, 8); /* not a power of two */
    assert_int_equal(hear_u64(SET_VRING_NUM), 1);
    say(SET_VRING_NUM, NEED_REPLY, (uint32_t[]){0, 65536}, 8);
    assert_int_equal(hear_u64(SET_VRING_NUM), 1);
    say(SET_VRING_BASE, NEED_REPLY, (uint32_t[]){0, 65536}, 8);
    assert_int_equal(hear_u64(SET_VRING_BASE), 1);
    say(SET_VRING_ENABLE, NEED_REPLY, (uint32_t[]){7, 1}, 8);
    assert_int_equal(hear_u64(SET_VRING_ENABLE), 1);
    say(SET_FEATURES, NEED_REPLY, &(uint64_t){BIT(63)}, 8);
    assert_int_equal(hear_u64(SET_FEATURES), 1);
    say(SET_FEATURES, NEED_REPLY, &(uint32_t){1}, 4); /* too short */
    assert_int_equal(hear_u64(SET_FEATURES), 1);
    say(99, NEED_REPLY, NULL, 0);
    assert_int_equal(hear_u64(99), 1);
    say_fd(SET_VRING_KICK, NEED_REPLY, 9, guest.queues[0].kick);
    assert_int_equal(hear_u64(SET_VRING_KICK), 1);
    say_fd(SET_VRING_CALL, NEED_REPLY, 0x100, guest.queues[0].call); /* says there is none */
    assert_int_equal(hear_u64(SET_VRING_CALL), 1);
    say(SET_VRING_CALL, NEED_REPLY, &(uint64_t){0}, 8); /* there is none */
    assert_int_equal(hear_u64(SET_VRING_CALL), 1);
    say_fd(SET_VRING_CALL, NEED_REPLY, 0, guest.fd); /* a socket could block */
    assert_int_equal(hear_u64(SET_VRING_CALL), 1);
    expect_traffic(0);
    t.regions[1].offset = GUEST_SIZE;
    say_table(&t, NEED_REPLY);
    assert_int_equal(hear_u64(SET_MEM_TABLE), 1);
    expect_no_traffic(0); /* there is no memory now */
    t = good_table();
    say_table(&t, NEED_REPLY);
    assert_int_equal(hear_u64(SET_MEM_TABLE), 0);
    expect_traffic(0);
    guest_say(&guest, SET_MEM_TABLE, NEED_REPLY, &t, 8 + 64, NULL, 0); /* no descriptors */
    vhost_user_readable(device);
    assert_int_equal(hear_u64(SET_MEM_TABLE), 1);
}

static void expect_ended(const char *why)
{
    uint64_t v;

    print_message("# %s\n", why);
    vhost_user_readable(device);
    assert_false(status().connected);
    expect_no_traffic(0);
    while (recv(guest.fd, &v, sizeof(v), MSG_DONTWAIT) > 0)
        continue;
    assert_int_equal(guest_hear(&guest, 0, &v, sizeof(v)), -1);
    assert_int_equal(guest_connect(&guest, path), 0);
    negotiate(F_LOG_ALL);
    start_all(1);
    expect_traffic(0);
}

static void test_connection_ends(void **state)
{
    struct vhost_header h = {GET_FEATURES, VHOST_HEADER_VERSION, 0};
    int fds[9];

    (void)state;
    boot(1);
    say_u64(SET_FEATURES, BIT(63));
    expect_ended("a request that can not be followed");
    say(99, 0, NULL, 0);
    expect_ended("an unknown request");
    h.size = VHOST_MESSAGE_PAYLOAD + 1;
    assert_int_equal(send(guest.fd, &h, sizeof(h), 0), sizeof(h));
    expect_ended("too long");
    h.size = 0;
    h.flags = 2;
    assert_int_equal(send(guest.fd, &h, sizeof(h), 0), sizeof(h));
    expect_ended("another version");
    h.flags = VHOST_HEADER_VERSION | VHOST_HEADER_REPLY;
    assert_int_equal(send(guest.fd, &h, sizeof(h), 0), sizeof(h));
    expect_ended("an answer to nothing");
    for (unsigned i = 0; i < 9; i++)
        fds[i] = guest.memfd;
    guest_say(&guest, GET_FEATURES, 0, NULL, 0, fds, 9);
    expect_ended("too many descriptors");
}

/* Messages may come in pieces, and many at once. */
static void test_pieces(void **state)
{
    struct vhost_header h[2] = {{GET_FEATURES, VHOST_HEADER_VERSION, 0},
                                {GET_QUEUE_NUM, VHOST_HEADER_VERSION, 0}};

    (void)state;
    open_device(false, 1);
    assert_int_equal(guest_connect(&guest, path), 0);
    for (size_t i = 0; i < sizeof(h); i++) {
        assert_int_equal(send(guest.fd, (uint8_t *)h + i, 1, 0), 1);
        vhost_user_readable(device);
    }
    assert_true(hear_u64(GET_FEATURES) & F_PROTOCOL_FEATURES);
    assert_int_equal(hear_u64(GET_QUEUE_NUM), 1);
    assert_int_equal(send(guest.fd, h, sizeof(h), 0), sizeof(h));
    vhost_user_readable(device);
    assert_true(hear_u64(GET_FEATURES) & F_PROTOCOL_FEATURES);
    assert_int_equal(hear_u64(GET_QUEUE_NUM), 1);
}

static void test_reconnect(void **state)
{
    struct guest second = {.fd = -1};

    (void)state;
    boot(1);
    expect_traffic(0);
    assert_int_equal(guest_connect(&second, path), 0); /* waits for its turn */
    vhost_user_readable(device);
    expect_traffic(0);
    guest_hang_up(&guest);
    vhost_user_readable(device);
    assert_false(status().up);
    assert_int_equal(kicks[0], -1);
    assert_int_equal(kicks[1], -1);
    expect_no_traffic(0);
    guest.fd = second.fd;
    negotiate(F_LOG_ALL);
    start_all(1);
    expect_traffic(0);
    assert_int_equal(quiesced > 0, 1);
}

/* A guest that dies with packets under way. */
static void test_vanish(void **state)
{
    (void)state;
    boot(1);
    for (uint16_t i = 0; i < BURST; i++)
        guest_transmit(&guest, &guest.queues[1], i, 1, 64);
    assert_int_equal(vhost_receive(device, 0, packets, BURST / 2), BURST / 2);
    guest_hang_up(&guest);
    assert_int_equal(vhost_receive(device, 0, packets, BURST / 4), BURST / 4); /* not seen yet */
    vhost_user_readable(device);
    expect_no_traffic(0);
    assert_int_equal(guest_connect(&guest, path), 0);
    negotiate(F_LOG_ALL);
    start_queue(0, 0);
    start_queue(1, 0); /* the used ring knows better */
    enable_queue(0, true);
    enable_queue(1, true);
    assert_int_equal(vhost_receive(device, 0, packets, BURST), BURST / 4);
}

/* A queue that the guest breaks stops alone, and is told of once. */
static void test_fault(void **state)
{
    int error = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct pollfd wait = {.fd = -1, .events = POLLIN};
    uint64_t n;

    (void)state;
    boot(1);
    say_fd(SET_VRING_ERR, 0, 1, error);
    guest_add(&guest.queues[1], GUEST_NUM);
    assert_int_equal(vhost_receive(device, 0, packets, BURST), 0);
    assert_int_equal(read(error, &n, sizeof(n)), sizeof(n));
    wait.fd = vhost_user_fd(device);
    assert_int_equal(poll(&wait, 1, 0), 1);
    vhost_user_readable(device);
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_false(status().up);
    guest_provide(&guest.queues[0], 0, 500);
    packets[0].len = 60;
    packets[0].offload = (struct vhost_offload){0};
    assert_int_equal(vhost_send(device, 0, packets, 1), 1);
    (void)stop_queue(1);
    guest.queues[1].added = guest.queues[1].seen = 0;
    guest.queues[1].avail->idx = 0;
    start_queue(1, 0);
    guest.queues[0].seen = 1;
    expect_traffic(0);
    close(error);
}

static void test_memory_changes(void **state)
{
    struct table t = good_table();
    struct {
        uint64_t padding, guest, size, user, offset;
    } region;

    (void)state;
    boot(1);
    t.count = 1; /* the second half goes: the rings are in the first */
    say_table(&t, NEED_REPLY);
    assert_int_equal(hear_u64(SET_MEM_TABLE), 0);
    expect_traffic(0);
    assert_int_equal(status().memory_regions, 1);
    assert_int_equal(ask_u64(GET_MAX_MEM_SLOTS), VHOST_MEMORY_REGIONS);
    memset(&region, 0, sizeof(region));
    memcpy(&region.guest, &good_table().regions[1], 32);
    guest_say(&guest, ADD_MEM_REG, NEED_REPLY, &region, sizeof(region), &guest.memfd, 1);
    vhost_user_readable(device);
    assert_int_equal(hear_u64(ADD_MEM_REG), 0);
    assert_int_equal(status().memory_regions, 2);
    expect_traffic(0);
    say(REM_MEM_REG, NEED_REPLY, &region, sizeof(region));
    assert_int_equal(hear_u64(REM_MEM_REG), 0);
    say(REM_MEM_REG, NEED_REPLY, &region, sizeof(region));
    assert_int_equal(hear_u64(REM_MEM_REG), 1);
    memcpy(&region.guest, &t.regions[0], 32);
    say(REM_MEM_REG, NEED_REPLY, &region, sizeof(region));
    assert_int_equal(hear_u64(REM_MEM_REG), 0);
    expect_no_traffic(0); /* the rings went with it */
    assert_int_equal(kicks[1], -1);
    say_table(&t, NEED_REPLY);
    assert_int_equal(hear_u64(SET_MEM_TABLE), 0);
    expect_traffic(0);
    assert_true(kicks[1] >= 0);
}

/* Migration: the log begins while the queues work. */
static void test_log(void **state)
{
    struct vhost_vring_addr addr = guest_ring(&guest, 1);
    uint64_t log[2] = {4096, GUEST_SIZE - 8192};
    const uint8_t *bits = guest_at(&guest, GUEST_BASE + GUEST_SIZE - 8192);
    uint64_t page = (GUEST_BUFFERS + 6 * 4096) / 4096;

    (void)state;
    boot(1);
    expect_traffic(0);
    assert_int_equal(bits[page / 8], 0);
    guest_say(&guest, SET_LOG_BASE, 0, log, sizeof(log), &guest.memfd, 1);
    vhost_user_readable(device);
    assert_int_equal(hear_u64(SET_LOG_BASE), 0);
    say_fd(SET_LOG_FD, 0, 0, guest.queues[3].call);
    say_u64(SET_FEATURES, ask_u64(GET_FEATURES));
    addr.flags = 1;
    addr.log_guest_addr = guest.queues[1].at + 0x8000;
    say(SET_VRING_ADDR, 0, &addr, sizeof(addr));
    assert_true(status().logging);
    expect_traffic(0);
    assert_int_equal(bits[page / 8], 1 << page % 8);
    page = addr.log_guest_addr / 4096;
    assert_int_equal(bits[page / 8] >> page % 8 & 1, 1);
    say_u64(SET_FEATURES, ask_u64(GET_FEATURES) & ~F_LOG_ALL);
    assert_false(status().logging);
    expect_traffic(0);
    log[1] = GUEST_SIZE - 1024;
    guest_say(&guest, SET_LOG_BASE, NEED_REPLY, log, sizeof(log), &guest.memfd, 1);
    vhost_user_readable(device);
    assert_int_equal(hear_u64(SET_LOG_BASE), 1);
}

static void test_small_requests(void **state)
{
    static const uint8_t mac[8] = {2, 0, 0, 0, 0, 7};

    (void)state;
    boot(1);
    say(SEND_RARP, 0, mac, 8);
    assert_memory_equal(announced, mac, 6);
    say_u64(NET_SET_MTU, 9000);
    assert_int_equal(status().mtu, 9000);
    say(NET_SET_MTU, NEED_REPLY, &(uint64_t){65536}, 8);
    assert_int_equal(hear_u64(NET_SET_MTU), 1);
    say_u64(SET_STATUS, 0xf);
    assert_int_equal(ask_u64(GET_STATUS), 0xf);
    expect_traffic(0);
    say_u64(SET_STATUS, 0);
    expect_no_traffic(0);
    start_all(1);
    expect_traffic(0);
    say(RESET_OWNER, 0, NULL, 0);
    expect_no_traffic(0);
    say(GET_FEATURES, 0, NULL, 0);
    (void)hear_u64(GET_FEATURES);
    expect_silence();
}

/* ---- the other role ---- */

static int listen_at(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, sizeof(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* Works as a loop would until the front end has a connection. */
static void accept_device(int listener)
{
    struct pollfd wait[2] = {{.fd = vhost_user_fd(device), .events = POLLIN},
                             {.fd = listener, .events = POLLIN}};

    while (!(wait[1].revents & POLLIN)) {
        assert_true(poll(wait, 2, 60000) > 0);
        vhost_user_readable(device);
    }
    guest_hang_up(&guest);
    guest.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(guest.fd >= 0);
}

static void test_connecting(void **state)
{
    struct pollfd wait = {.events = POLLIN};
    int listener;

    (void)state;
    open_device(true, 1);
    wait.fd = vhost_user_fd(device);
    for (unsigned i = 0; i < 2; i++) { /* nobody there: each try takes a pause */
        assert_int_equal(poll(&wait, 1, 60000), 1);
        vhost_user_readable(device);
        assert_int_equal(poll(&wait, 1, 0), 0);
        assert_false(status().connected);
    }
    listener = listen_at();
    for (unsigned i = 0; i < 2; i++) {
        accept_device(listener);
        negotiate(F_LOG_ALL);
        start_all(1);
        expect_traffic(0);
        guest_hang_up(&guest);
        vhost_user_readable(device);
        assert_false(status().connected);
    }
    close(listener);
    unlink(path);
}

static void test_socket_files(void **state)
{
    struct vhost_user_config config = {.path = path};
    struct vhost_user *other;
    char long_path[200];
    int listener = listen_at();

    (void)state;
    assert_int_equal(vhost_user_open(&other, &config), -EADDRINUSE); /* somebody listens */
    close(listener);
    open_device(false, 1); /* nobody does any more */
    assert_int_equal(vhost_user_open(&other, &config), -EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
    memset(long_path, 'x', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = 0;
    config.path = long_path;
    assert_int_equal(vhost_user_open(&other, &config), -ENAMETOOLONG);
    config = (struct vhost_user_config){.path = path, .queue_pairs = VHOST_USER_PAIRS + 1};
    assert_int_equal(vhost_user_open(&other, &config), -EINVAL);
}

/* ---- with a data thread ---- */

static atomic_uint worker_turns; /* odd: inside the device */
static atomic_bool worker_stop;
static atomic_uint worker_packets;

static void *work(void *argument)
{
    struct vhost_packet burst[BURST];

    (void)argument;
    for (unsigned i = 0; i < BURST; i++)
        burst[i] = (struct vhost_packet){.at = malloc(2048), .room = 2048};
    while (!atomic_load(&worker_stop)) {
        unsigned n;

        atomic_fetch_add(&worker_turns, 1);
        n = vhost_receive(device, 0, burst, BURST);
        (void)vhost_send(device, 0, burst, n);
        atomic_fetch_add(&worker_turns, 1);
        atomic_fetch_add(&worker_packets, n);
        if (n == 0)
            sched_yield();
    }
    for (unsigned i = 0; i < BURST; i++)
        free(burst[i].at);
    return NULL;
}

/* Until the worker is outside, or has been since. */
static void wait_for_worker(void)
{
    unsigned turns = atomic_load(&worker_turns);

    while (turns % 2 == 1 && atomic_load(&worker_turns) == turns)
        sched_yield();
}

/* Sends and takes back what it can; `sent` is how many packets went out. What the worker could not
 * send back, while the device was hidden, is lost. */
static void drive(unsigned *sent)
{
    struct guest_queue *rx = &guest.queues[0], *tx = &guest.queues[1];
    uint32_t id, len;

    while (guest_used(rx, &id, &len)) {
        assert_int_equal(len, HEADER + 100);
        assert_int_equal(*guest_at(&guest, GUEST_BUFFERS + id * 4096 + HEADER), 0x55);
    }
    while (guest_used(tx, &id, &len))
        continue;
    while ((uint16_t)(rx->added - rx->seen) < 64)
        guest_provide(rx, 64 + rx->added % 64, 1000);
    for (; (uint16_t)(tx->added - tx->seen) < 64; ++*sent)
        guest_transmit(&guest, tx, tx->added % 64, 0x55, 100);
}

static void test_data_thread(void **state)
{
    struct table t = good_table();
    pthread_t thread;
    unsigned sent = 0, rounds = 0;

    (void)state;
    boot(1);
    during_quiesce = wait_for_worker;
    atomic_store(&worker_stop, false);
    atomic_store(&worker_packets, 0);
    assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
    while (rounds < 60 || atomic_load(&worker_packets) < 500) {
        drive(&sent);
        switch (rounds++ % 5) {
        case 0: /* the memory is mapped anew under the rings */
            say_table(&t, NEED_REPLY);
            assert_int_equal(hear_u64(SET_MEM_TABLE), 0);
            break;
        case 1:
            say_fd(SET_VRING_CALL, 0, rounds % 2, guest.queues[rounds % 2].call);
            break;
        case 2:
            start_queue(1, stop_queue(1));
            break;
        case 3:
            if (rounds % 20 == 4) {
                guest_hang_up(&guest);
                vhost_user_readable(device);
                assert_int_equal(guest_connect(&guest, path), 0);
                negotiate(F_LOG_ALL);
                enable_queue(0, true); /* first: a disabled queue loses packets */
                enable_queue(1, true);
                start_queue(0, 0);
                start_queue(1, 0);
            }
            break;
        default:
            sched_yield();
            break;
        }
    }
    while (atomic_load(&worker_packets) < sent)
        sched_yield();
    atomic_store(&worker_stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&worker_packets), sent);
    assert_int_equal(atomic_load(&vhost_user_counters(device, 1)->packets), sent);
    assert_true(quiesced > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_negotiation),
        TEST(test_multiqueue),
        TEST(test_kicks),
        TEST(test_stop_and_go),
        TEST(test_old_front_end),
        TEST(test_refusals),
        TEST(test_connection_ends),
        TEST(test_pieces),
        TEST(test_reconnect),
        TEST(test_vanish),
        TEST(test_fault),
        TEST(test_memory_changes),
        TEST(test_log),
        TEST(test_small_requests),
        TEST(test_connecting),
        TEST(test_socket_files),
        TEST(test_data_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
