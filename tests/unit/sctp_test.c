/*
 * sctp_test.c -- two ends of SCTP in one process, over raw IP and over UDP: what they say to each
 * other, what loss, silence, a restart and hostile packets do to them. The kernel's SCTP is tested
 * the same way where there is one.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "link/sctp.h"
#include "link/sctp_inner.h"
#include "link/sctp_path.h"

#define PORT 36499

enum { SERVER, CLIENT };

/* What one end has seen. */
struct end {
    struct sctp_association *association;
    unsigned ups, downs, writables, messages;
    enum sctp_down reason;
    struct sctp_message last;
    uint8_t bytes[70000];
    uint32_t next[16]; /* expected number per stream, of numbered messages */
    unsigned out_of_order;
    bool echoes;
    bool numbered;
};

static struct {
    struct sctp_settings settings;
    struct sctp_listener *listener;
    struct end end[2];
    struct end *other_clients; /* for the test of the bound */
    uint32_t random;
} t;

/* ---- handlers ---- */

static struct end *end_of(void *owner)
{
    return owner;
}

static void on_up(struct sctp_association *a, void *owner)
{
    struct end *e = end_of(owner);

    e->association = a;
    e->ups++;
}

static void on_message(struct sctp_association *a, void *owner, const struct sctp_message *m)
{
    struct end *e = end_of(owner);

    e->messages++;
    e->last = *m;
    assert_true(m->payload.len <= sizeof(e->bytes));
    memcpy(e->bytes, m->payload.at, m->payload.len);
    e->last.payload.at = e->bytes;
    if (e->echoes)
        assert_int_equal(sctp_send(a, m->stream, m->ppid, m->payload), 0);
    if (e->numbered) {
        uint32_t number;
        memcpy(&number, m->payload.at, sizeof(number));
        if (number != e->next[m->stream]++)
            e->out_of_order++;
    }
}

static void on_writable(struct sctp_association *a, void *owner)
{
    (void)a;
    end_of(owner)->writables++;
}

static void on_down(struct sctp_association *a, void *owner, enum sctp_down reason)
{
    struct end *e = end_of(owner);

    if (e->association == a)
        e->association = NULL;
    e->downs++;
    e->reason = reason;
}

static const struct sctp_handler handler = {on_up, on_message, on_writable, on_down};

/* ---- set-up ---- */

static struct sockaddr_in address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void begin(enum sctp_carrier carrier)
{
    memset(&t, 0, sizeof(t));
    t.random = 1;
    t.settings = sctp_settings_default();
    t.settings.carrier = carrier;
    t.settings.rto_initial_ms = 100;
    t.settings.rto_min_ms = 50;
    t.settings.rto_max_ms = 200;
    t.settings.heartbeat_ms = 300;
    t.settings.max_retransmissions = 4;
    t.settings.init_attempts = 3;
}

static int setup_usrsctp(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP);

    begin(SCTP_CARRIER_USRSCTP);
    if (fd >= 0)
        close(fd);
    else
        t.settings.carrier = SCTP_CARRIER_AUTO; /* marks: skip */
    return loop_init();
}

static int setup_udp(void **state)
{
    (void)state;
    begin(SCTP_CARRIER_UDP);
    return loop_init();
}

static int setup_kernel(void **state)
{
    (void)state;
    begin(sctp_carrier_find() == SCTP_CARRIER_KERNEL ? SCTP_CARRIER_KERNEL : SCTP_CARRIER_AUTO);
    return loop_init();
}

static int teardown(void **state)
{
    (void)state;
    sctp_path_drop = NULL;
    sctp_free();
    assert_int_equal(sctp_counters().associations, 0);
    loop_free();
    free(t.other_clients);
    return 0;
}

#define NEEDS_CARRIER()                          \
    if (t.settings.carrier == SCTP_CARRIER_AUTO) \
    skip()

static bool both_up(void)
{
    return t.end[SERVER].ups > 0 && t.end[CLIENT].ups > 0;
}

static bool both_down(void)
{
    return t.end[SERVER].downs > 0 && t.end[CLIENT].downs > 0;
}

static bool client_down(void)
{
    return t.end[CLIENT].downs > 0;
}

static bool server_down(void)
{
    return t.end[SERVER].downs > 0;
}

/* Lets the loop turn until it is so, or too long. */
static bool until(bool (*is_so)(void), unsigned limit_ms)
{
    uint64_t end = clock_now_us() + limit_ms * 1000ull;

    while (!is_so() && clock_now_us() < end)
        loop_run_for(2);
    return is_so();
}

static void listen_here(void)
{
    struct sockaddr_in at = address(PORT);

    assert_int_equal(
        sctp_listen((struct sockaddr *)&at, &t.settings, &handler, &t.end[SERVER], &t.listener), 0);
}

static void connect_from(uint16_t port)
{
    struct sockaddr_in from = address(port), to = address(PORT);

    assert_int_equal(sctp_connect((struct sockaddr *)&from, (struct sockaddr *)&to, &t.settings,
                                  &handler, &t.end[CLIENT], &t.end[CLIENT].association),
                     0);
}

static void connect_both(void)
{
    listen_here();
    connect_from(0);
    assert_true(until(both_up, 2000));
}

static uint32_t random_number(void)
{
    t.random = t.random * 1664525u + 1013904223u;
    return t.random >> 8;
}

/* ---- the normal case ---- */

static bool echo_is_back(void)
{
    return t.end[CLIENT].messages > 0;
}

static void messages_keep_bytes_stream_and_ppid(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    static const uint8_t hello[] = {0, 1, 2, 250, 0};

    connect_both();
    struct sctp_association *a = t.end[CLIENT].association;
    assert_int_equal(sctp_streams(a), 16);
    t.end[SERVER].echoes = true;
    assert_int_equal(sctp_send(a, 15, SCTP_PPID_S1AP, bytes_of(hello, sizeof(hello))), 0);
    assert_true(until(echo_is_back, 2000));
    const struct sctp_message *m = &t.end[CLIENT].last;
    assert_int_equal(m->payload.len, sizeof(hello));
    assert_memory_equal(m->payload.at, hello, sizeof(hello));
    assert_int_equal(m->stream, 15);
    assert_int_equal(m->ppid, SCTP_PPID_S1AP);
    assert_int_equal(t.end[SERVER].messages, 1);
}

static void both_ends_know_each_other(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    connect_both();
    struct sctp_association *s = t.end[SERVER].association, *c = t.end[CLIENT].association;
    assert_string_equal(sctp_peer_name(c), "127.0.0.1:36499");
    const struct sockaddr_in *client_end =
        (const struct sockaddr_in *)(const void *)sctp_local_address(c);
    const struct sockaddr_in *as_seen =
        (const struct sockaddr_in *)(const void *)sctp_peer_address(s);
    assert_int_equal(client_end->sin_port, as_seen->sin_port);
    assert_int_equal(as_seen->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(sctp_counters().associations, 2);
}

static void sending_says_what_is_wrong(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    static uint8_t big[70000];

    listen_here();
    connect_from(0);
    assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("x", 1)), -ENOTCONN);
    assert_true(until(both_up, 2000));
    struct sctp_association *a = t.end[CLIENT].association;
    assert_int_equal(sctp_send(a, 16, 18, bytes_of("x", 1)), -EINVAL);
    assert_int_equal(sctp_send(a, 0, 18, bytes_of("x", 0)), -EINVAL);
    assert_int_equal(sctp_send(a, 0, 18, bytes_of(big, t.settings.max_message_bytes + 1)),
                     -EMSGSIZE);
}

static bool big_is_back(void)
{
    return t.end[CLIENT].messages == 2;
}

static void a_message_may_be_larger_than_a_packet(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    static uint8_t big[65536];

    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 7 + i / 256);
    connect_both();
    t.end[SERVER].echoes = true;
    struct sctp_association *a = t.end[CLIENT].association;
    assert_int_equal(sctp_send(a, 1, 18, bytes_of(big, sizeof(big))), 0);
    assert_int_equal(sctp_send(a, 1, 18, bytes_of(big, 20001)), 0);
    assert_true(until(big_is_back, 5000));
    assert_int_equal(t.end[CLIENT].last.payload.len, 20001);
    assert_memory_equal(t.end[CLIENT].bytes, big,
                        sizeof(big)); /* the first lies under the second */
}

static void messages_of_one_turn_share_packets(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    connect_both();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip(); /* it does not tell us its packets */
    loop_run_for(50);
    uint64_t before = sctp_counters().packets_out;
    for (int i = 0; i < 50; i++)
        assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("0123456789", 10)),
                         0);
    loop_run_for(50);
    assert_int_equal(t.end[SERVER].messages, 50);
    assert_in_range(sctp_counters().packets_out - before, 1, 8);
}

/* ---- ends ---- */

static void shutdown_delivers_first(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    connect_both();
    for (int i = 0; i < 100; i++)
        assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("bye", 3)), 0);
    sctp_shutdown(t.end[CLIENT].association);
    assert_true(until(server_down, 2000));
    assert_int_equal(t.end[SERVER].messages, 100);
    assert_int_equal(t.end[SERVER].reason, SCTP_DOWN_SHUTDOWN);
    assert_int_equal(t.end[CLIENT].downs, 0);
    loop_run_for(50);
    assert_int_equal(sctp_counters().associations, 0);
}

static void abort_reaches_the_peer(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    connect_both();
    sctp_abort(t.end[SERVER].association);
    assert_true(until(client_down, 2000));
    assert_int_equal(t.end[CLIENT].reason, SCTP_DOWN_ABORT);
    assert_int_equal(t.end[SERVER].downs, 0);
}

static void nobody_there_is_unreachable(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    connect_from(0);
    assert_true(until(client_down, 3000));
    assert_true(t.end[CLIENT].reason == SCTP_DOWN_UNREACHABLE ||
                t.end[CLIENT].reason == SCTP_DOWN_ABORT);
    assert_int_equal(t.end[CLIENT].ups, 0);
}

static bool drop_all(struct bytes packet)
{
    (void)packet;
    return true;
}

static void silence_is_noticed(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    connect_both();
    sctp_path_drop = drop_all;
    uint64_t start = clock_now_us();
    assert_true(until(both_down, 6000));
    assert_int_equal(t.end[CLIENT].reason, SCTP_DOWN_LOST);
    assert_int_equal(t.end[SERVER].reason, SCTP_DOWN_LOST);
    assert_in_range((clock_now_us() - start) / 1000, 300, 5000);
}

static void a_peer_that_starts_anew_is_a_new_association(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    listen_here();
    t.settings.udp_port = 9898; /* else the client would come from another one */
    connect_from(50123);
    assert_true(until(both_up, 2000));
    struct sctp_association *old = t.end[SERVER].association;
    sctp_path_drop = drop_all; /* its ABORT is not heard: as if it had crashed */
    sctp_abort(t.end[CLIENT].association);
    loop_run_for(5);
    sctp_path_drop = NULL;
    t.end[CLIENT].ups = 0;
    connect_from(50123);
    assert_true(until(server_down, 2000));
    assert_int_equal(t.end[SERVER].reason, SCTP_DOWN_RESTART);
    assert_true(until(both_up, 2000));
    assert_int_equal(t.end[SERVER].ups, 2);
    assert_non_null(t.end[SERVER].association);
    assert_ptr_not_equal(t.end[SERVER].association, old);
    t.end[SERVER].echoes = true;
    assert_int_equal(sctp_send(t.end[CLIENT].association, 2, 18, bytes_of("again", 5)), 0);
    assert_true(until(echo_is_back, 2000));
}

static unsigned clients_up(void)
{
    unsigned n = 0;

    for (int i = 0; i < 5; i++)
        n += t.other_clients[i].ups > 0 && t.other_clients[i].downs == 0;
    return n;
}

static bool all_decided(void)
{
    unsigned n = 0;

    for (int i = 0; i < 5; i++)
        n += t.other_clients[i].downs > 0;
    return n == 3 && clients_up() == 2;
}

static void more_than_the_bound_are_refused(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    struct sockaddr_in to = address(PORT);

    t.settings.max_associations = 2;
    t.other_clients = calloc(5, sizeof(struct end));
    uint64_t refused = sctp_counters().refused;
    listen_here();
    for (int i = 0; i < 5; i++) {
        struct end *e = &t.other_clients[i];
        assert_int_equal(
            sctp_connect(NULL, (struct sockaddr *)&to, &t.settings, &handler, e, &e->association),
            0);
    }
    assert_true(until(all_decided, 3000));
    assert_int_equal(sctp_counters().refused - refused, 3);
}

static void a_listener_may_close_before_its_associations(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    connect_both();
    sctp_listener_close(t.listener);
    t.end[SERVER].echoes = true;
    assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("still", 5)), 0);
    assert_true(until(echo_is_back, 2000));
}

/* ---- full queues ---- */

static bool everything_arrived(void)
{
    return t.end[SERVER].messages == t.end[CLIENT].messages;
}

static void a_full_queue_says_so_and_says_when_it_is_not(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    static uint8_t kilobyte[1024];
    unsigned sent = 0;
    int err = 0;

    t.settings.send_queue_bytes = 100 * 1024;
    connect_both();
    while (err == 0 && sent < 10000) {
        err = sctp_send(t.end[CLIENT].association, 0, 18, bytes_of(kilobyte, sizeof(kilobyte)));
        sent += err == 0;
    }
    assert_int_equal(err, -EAGAIN);
    assert_in_range(sent, 90, 100);
    assert_in_range(sctp_queued_bytes(t.end[CLIENT].association), 90 * 1024, 100 * 1024);
    assert_int_equal(t.end[CLIENT].writables, 0);
    t.end[CLIENT].messages = sent; /* to be compared with what the server gets */
    assert_true(until(everything_arrived, 3000));
    assert_int_equal(t.end[CLIENT].writables, 1);
    assert_int_equal(sctp_queued_bytes(t.end[CLIENT].association), 0);
}

static bool drop_data(struct bytes packet)
{
    return packet.at[12] == 0 /* DATA first */;
}

/* The transport takes half a megabyte, our queue the rest; nothing is lost when the way opens
 * again. */
static void what_waits_is_bounded_and_not_lost(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    static uint8_t kilobyte[1024];
    unsigned sent = 0;

    t.settings.send_queue_bytes = 100 * 1024;
    t.settings.max_retransmissions = 50;
    connect_both();
    sctp_path_drop = drop_data;
    for (int turn = 0; turn < 100; turn++) {
        while (sctp_send(t.end[CLIENT].association, 0, 18, bytes_of(kilobyte, sizeof(kilobyte))) ==
               0)
            sent++;
        loop_run_for(1);
    }
    assert_in_range(sent, 500, 1000);
    sctp_path_drop = NULL;
    t.end[CLIENT].messages = sent;
    assert_true(until(everything_arrived, 5000));
}

static void shutdown_of_a_stuck_association_ends_by_itself(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    connect_both();
    sctp_path_drop = drop_all;
    sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("x", 1));
    sctp_shutdown(t.end[CLIENT].association);
    loop_run_for(3000);
    assert_int_equal(sctp_counters().associations, 0);
    assert_int_equal(t.end[CLIENT].downs, 0);
}

/* ---- loss ---- */

static bool drop_some(struct bytes packet)
{
    (void)packet;
    return random_number() % 100 < 10;
}

#define NUMBERED 3000

static bool numbered_arrived(void)
{
    return t.end[SERVER].messages == NUMBERED && t.end[CLIENT].messages == NUMBERED;
}

static void loss_costs_time_but_neither_messages_nor_order(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    t.settings.max_retransmissions = 20;
    connect_both();
    sctp_path_drop = drop_some;
    for (int side = 0; side < 2; side++)
        t.end[side].numbered = true;
    uint32_t number[2][16] = {0};
    for (int i = 0; i < NUMBERED; i++) {
        for (int side = 0; side < 2; side++) {
            uint8_t body[400];
            uint16_t stream = (uint16_t)(random_number() % 16);
            memset(body, i, sizeof(body));
            memcpy(body, &number[side][stream], 4);
            number[side][stream]++;
            while (sctp_send(t.end[side].association, stream, 18,
                             bytes_of(body, 4 + random_number() % 396)) == -EAGAIN)
                loop_run_for(1);
        }
    }
    assert_true(until(numbered_arrived, 20000));
    assert_int_equal(t.end[SERVER].out_of_order, 0);
    assert_int_equal(t.end[CLIENT].out_of_order, 0);
}

/* ---- the wire ---- */

static uint8_t first_packet[2000];
static size_t first_packet_len;

static bool keep_first(struct bytes packet)
{
    if (first_packet_len == 0 && packet.len <= sizeof(first_packet)) {
        memcpy(first_packet, packet.at, packet.len);
        first_packet_len = packet.len;
    }
    return false;
}

/* Bit by bit, from the polynomial of RFC 9260 appendix A. */
static uint32_t slow_crc32c(const uint8_t *at, size_t len)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    return ~crc;
}

static void checksum_is_crc32c(void **state)
{
    (void)state;
    static const char digits[] = "123456789"; /* 0xe3069283, the usual check value */
    uint8_t bytes[300];
    const uint32_t check = htole32(0xe3069283);

    assert_int_equal(sctp_crc32c(digits, 9), check);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 31);
    for (size_t len = 0; len < sizeof(bytes); len++)
        assert_int_equal(sctp_crc32c(bytes, len), htole32(slow_crc32c(bytes, len)));
}

/* A peer takes the addresses in INIT for ours: there must be none, for the source address to count
 * (RFC 9260 clause 5.1.2). */
static void init_names_no_address(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    first_packet_len = 0;
    sctp_path_drop = keep_first;
    connect_both();
    struct reader r = reader_of(first_packet, first_packet_len);
    assert_int_equal(rd_u16(&r),
                     ntohs(((const struct sockaddr_in *)(const void *)sctp_local_address(
                                t.end[CLIENT].association))
                               ->sin_port));
    assert_int_equal(rd_u16(&r), PORT);
    assert_int_equal(rd_u32(&r), 0);
    rd_skip(&r, 4);
    assert_int_equal(rd_u8(&r), 1); /* INIT */
    rd_skip(&r, 3);
    assert_int_not_equal(rd_u32(&r), 0); /* initiate tag */
    assert_true(rd_u32(&r) >= 65536);    /* window */
    assert_int_equal(rd_u16(&r), 16);    /* outgoing streams */
    assert_int_equal(rd_u16(&r), 16);    /* incoming ones at most */
    rd_skip(&r, 4);
    while (rd_left(&r) >= 4) {
        uint16_t type = rd_u16(&r), len = rd_u16(&r);
        assert_int_not_equal(type, 5);  /* IPv4 address */
        assert_int_not_equal(type, 6);  /* IPv6 address */
        assert_int_not_equal(type, 11); /* host name */
        rd_skip(&r, (size_t)(len - 4 + 3) & ~(size_t)3);
    }
    assert_false(r.bad);
}

/* ---- hostile packets ---- */

/* Sends bytes as an SCTP packet from an address of our own, with the right checksum when `right`.
 */
static void throw_packet(int fd, uint8_t *packet, size_t len, bool right)
{
    struct sockaddr_in to = address(t.settings.carrier == SCTP_CARRIER_UDP ? SCTP_UDP_PORT : 0);

    if (right && len >= 12) {
        memset(packet + 8, 0, 4);
        uint32_t sum = sctp_crc32c(packet, len);
        memcpy(packet + 8, &sum, 4);
    }
    (void)sendto(fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to));
}

static int open_thrower(const char *from)
{
    bool udp = t.settings.carrier == SCTP_CARRIER_UDP;
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC,
                    udp ? IPPROTO_UDP : IPPROTO_SCTP);

    inet_pton(AF_INET, from, &at.sin_addr);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static void to_our_port(uint8_t *packet, size_t len)
{
    if (len < 4)
        return;
    packet[2] = PORT >> 8;
    packet[3] = PORT & 0xff;
}

static void garbage_is_counted_and_forgotten(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    uint8_t packet[600];

    connect_both();
    uint64_t bad = sctp_counters().bad_packets;
    int fd = open_thrower("127.0.0.3");
    for (int i = 0; i < 3000; i++) {
        size_t len = random_number() % sizeof(packet);
        for (size_t k = 0; k < len; k++)
            packet[k] = (uint8_t)random_number();
        to_our_port(packet, len);
        if (len > 12)
            packet[12] =
                (uint8_t)(random_number() % 20); /* a chunk type that exists, more often than not */
        throw_packet(fd, packet, len, i % 4 != 0);
        if (i % 50 == 0)
            loop_run_for(1);
    }
    loop_run_for(20);
    close(fd);
    assert_true(sctp_counters().bad_packets > bad + 500);
    assert_int_equal(t.end[SERVER].downs, 0);
    assert_int_equal(t.end[CLIENT].downs, 0);
    t.end[SERVER].echoes = true;
    assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("alive", 5)), 0);
    assert_true(until(echo_is_back, 2000));
}

/* Packets of a real association, cut and changed, from its own address. */
static uint8_t kept[64][2000];
static size_t kept_len[64];
static unsigned kept_count;

static bool keep_many(struct bytes packet)
{
    if (kept_count < 64 && packet.len <= sizeof(kept[0]) && packet.at[2] == PORT >> 8 &&
        packet.at[3] == (PORT & 0xff)) {
        memcpy(kept[kept_count], packet.at, packet.len);
        kept_len[kept_count++] = packet.len;
    }
    return false;
}

static void mutilated_packets_do_not_crash(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    uint8_t packet[2000];

    kept_count = 0;
    sctp_path_drop = keep_many;
    connect_both();
    t.end[SERVER].echoes = true;
    for (int i = 0; i < 40; i++) {
        sctp_send(t.end[CLIENT].association, (uint16_t)(i % 16), 18, bytes_of("some message", 12));
        loop_run_for(1);
    }
    sctp_path_drop = NULL;
    int fd = open_thrower("127.0.0.1");
    for (unsigned round = 0; round < 3000; round++) {
        unsigned which = random_number() % kept_count;
        size_t len = kept_len[which];
        memcpy(packet, kept[which], len);
        if (round % 3 == 0)
            len = 12 + random_number() % (len - 11);
        for (unsigned n = random_number() % 4; n > 0; n--)
            packet[12 + random_number() % (len > 12 ? len - 12 : 1)] = (uint8_t)random_number();
        throw_packet(fd, packet, len, true);
        if (round % 50 == 0)
            loop_run_for(1);
    }
    loop_run_for(50);
    close(fd);
    /* The association may have been ended by a forged but valid packet; the server must still
     * serve. */
    memset(&t.end[CLIENT], 0, sizeof(t.end[CLIENT]));
    t.end[SERVER].ups = 0;
    connect_from(0);
    assert_true(until(both_up, 3000));
}

/* INITs from more addresses than there are places for the unproven: an honest peer still gets in.
 */
static void an_init_flood_locks_nobody_out(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    if (t.settings.carrier == SCTP_CARRIER_KERNEL)
        skip();
    uint8_t init[32] = {0x12, 0x34, PORT >> 8, PORT & 0xff};

    listen_here();
    init[12] = 1; /* INIT */
    init[15] = 20;
    memcpy(init + 16, "\1\2\3\4\0\1\0\0\0\12\0\12\0\0\0\1", 16);
    for (int i = 0; i < 2 * REMOTE_SPARE; i++) {
        char from[20];
        snprintf(from, sizeof(from), "127.1.%d.%d", i / 250, 1 + i % 250);
        int fd = open_thrower(from);
        throw_packet(fd, init, sizeof(init), true);
        close(fd);
        if (i % 25 == 0)
            loop_run_for(1);
    }
    connect_from(0);
    assert_true(until(both_up, 3000));
    assert_int_equal(sctp_counters().associations, 2);
}

static void too_long_a_message_ends_the_association(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    static uint8_t long_message[40000];

    t.settings.max_message_bytes = 30000;
    listen_here();
    t.settings.max_message_bytes = 65536;
    connect_from(0);
    assert_true(until(both_up, 2000));
    assert_int_equal(
        sctp_send(t.end[CLIENT].association, 0, 18, bytes_of(long_message, sizeof(long_message))),
        0);
    assert_true(until(both_down, 3000));
    assert_int_equal(t.end[SERVER].reason, SCTP_DOWN_MISBEHAVED);
    assert_int_equal(t.end[CLIENT].reason, SCTP_DOWN_ABORT);
    assert_int_equal(t.end[SERVER].messages, 0);
}

/* A NAT between the two: after `switch_over` the client's packets come from another port. */
static struct {
    int inside, outside[2];
    bool second;
    struct sockaddr_in client;
} nat;

static void nat_pump(void)
{
    uint8_t packet[4000];
    struct sockaddr_in server = address(SCTP_UDP_PORT);
    socklen_t len = sizeof(nat.client);
    ssize_t n;

    while ((n = recvfrom(nat.inside, packet, sizeof(packet), MSG_DONTWAIT,
                         (struct sockaddr *)&nat.client, &len)) > 0)
        (void)sendto(nat.outside[nat.second], packet, (size_t)n, 0, (struct sockaddr *)&server,
                     sizeof(server));
    for (int i = 0; i < 2; i++) {
        while ((n = recv(nat.outside[i], packet, sizeof(packet), MSG_DONTWAIT)) > 0)
            if (i == nat.second) /* the old mapping is gone */
                (void)sendto(nat.inside, packet, (size_t)n, 0, (struct sockaddr *)&nat.client,
                             sizeof(nat.client));
    }
}

static int nat_socket(const char *at, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, at, &a.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static bool nat_echo(unsigned messages)
{
    for (int i = 0; i < 1000 && t.end[CLIENT].messages < messages; i++) {
        nat_pump();
        loop_run_for(1);
    }
    return t.end[CLIENT].messages >= messages;
}

static void a_nat_may_change_its_mind(void **state)
{
    (void)state;
    nat.inside = nat_socket("127.0.0.9", SCTP_UDP_PORT);
    nat.outside[0] = nat_socket("127.0.0.10", 0);
    nat.outside[1] = nat_socket("127.0.0.10", 0);
    nat.second = false;
    struct sockaddr_in to = address(PORT);
    inet_pton(AF_INET, "127.0.0.9", &to.sin_addr);

    listen_here();
    t.end[SERVER].echoes = true;
    assert_int_equal(sctp_connect(NULL, (struct sockaddr *)&to, &t.settings, &handler,
                                  &t.end[CLIENT], &t.end[CLIENT].association),
                     0);
    for (int i = 0; i < 1000 && !both_up(); i++) {
        nat_pump();
        loop_run_for(1);
    }
    assert_true(both_up());
    assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("one", 3)), 0);
    assert_true(nat_echo(1));
    nat.second = true;
    assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("two", 3)), 0);
    assert_true(nat_echo(2));
    assert_int_equal(t.end[SERVER].ups, 1);
    assert_int_equal(t.end[SERVER].downs, 0);
    close(nat.inside);
    close(nat.outside[0]);
    close(nat.outside[1]);
}

/* In a process of its own: connects, sends, and ends in the middle of the loop's turn. */
static void live_and_end(bool in_order)
{
    uv_loop_fork(loop_uv());
    usleep(100000); /* for the listener */
    connect_from(0);
    for (int i = 0; i < 1000 && t.end[CLIENT].ups == 0; i++)
        loop_run_for(2);
    for (int i = 0; i < 10; i++)
        sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("last", 4));
    if (in_order)
        sctp_shutdown(t.end[CLIENT].association);
    exit(0);
}

static void a_process_that_ends(bool in_order)
{
    fflush(NULL);
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        live_and_end(in_order);
    listen_here();
    assert_true(until(server_down, 3000));
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void the_end_of_a_process_is_told_to_its_peers(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    a_process_that_ends(false);
    assert_int_equal(t.end[SERVER].reason, SCTP_DOWN_ABORT);
}

static void a_process_stays_for_the_end_in_order(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    a_process_that_ends(true);
    assert_int_equal(t.end[SERVER].reason, SCTP_DOWN_SHUTDOWN);
    assert_int_equal(t.end[SERVER].messages, 10);
}

static void ipv6_works_as_well(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    struct sockaddr_in6 at = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = in6addr_loopback};

    if (sctp_listen((struct sockaddr *)&at, &t.settings, &handler, &t.end[SERVER], &t.listener) ==
        -EADDRNOTAVAIL)
        skip();
    assert_int_equal(sctp_connect(NULL, (struct sockaddr *)&at, &t.settings, &handler,
                                  &t.end[CLIENT], &t.end[CLIENT].association),
                     0);
    assert_true(until(both_up, 2000));
    assert_string_equal(sctp_peer_name(t.end[CLIENT].association), "[::1]:36499");
    t.end[SERVER].echoes = true;
    assert_int_equal(sctp_send(t.end[CLIENT].association, 0, 18, bytes_of("six", 3)), 0);
    assert_true(until(echo_is_back, 2000));
}

static void a_wildcard_listener_answers_from_where_it_was_asked(void **state)
{
    (void)state;
    NEEDS_CARRIER();
    struct sockaddr_in any = address(PORT), to = address(PORT);

    any.sin_addr.s_addr = INADDR_ANY;
    inet_pton(AF_INET, "127.0.0.77", &to.sin_addr);
    assert_int_equal(
        sctp_listen((struct sockaddr *)&any, &t.settings, &handler, &t.end[SERVER], &t.listener),
        0);
    assert_int_equal(sctp_connect(NULL, (struct sockaddr *)&to, &t.settings, &handler,
                                  &t.end[CLIENT], &t.end[CLIENT].association),
                     0);
    assert_true(until(both_up, 2000));
    const struct sockaddr_in *local =
        (const struct sockaddr_in *)(const void *)sctp_local_address(t.end[SERVER].association);
    assert_int_equal(local->sin_addr.s_addr, to.sin_addr.s_addr);
}

static void carriers_have_names(void **state)
{
    (void)state;
    enum sctp_carrier carrier;

    assert_int_equal(sctp_carrier_parse("udp", &carrier), 0);
    assert_int_equal(carrier, SCTP_CARRIER_UDP);
    assert_string_equal(sctp_carrier_name(SCTP_CARRIER_USRSCTP), "usrsctp");
    assert_int_equal(sctp_carrier_parse("tcp", &carrier), -EINVAL);
}

static void an_empty_section_is_the_default(void **state)
{
    (void)state;
    const struct sctp_settings expected = sctp_settings_default();
    struct config *config = config_parse("empty", "name: x\n", 8);
    struct sctp_settings got;

    assert_non_null(config);
    assert_int_equal(config_read(config, "sctp", &sctp_settings_schema, &got), 0);
    assert_int_equal(got.carrier, expected.carrier);
    assert_int_equal(got.udp_port, expected.udp_port);
    assert_int_equal(got.udp_peer_port, expected.udp_peer_port);
    assert_int_equal(got.streams, expected.streams);
    assert_int_equal(got.max_associations, expected.max_associations);
    assert_int_equal(got.max_message_bytes, expected.max_message_bytes);
    assert_int_equal(got.send_queue_bytes, expected.send_queue_bytes);
    assert_int_equal(got.heartbeat_ms, expected.heartbeat_ms);
    assert_int_equal(got.rto_initial_ms, expected.rto_initial_ms);
    assert_int_equal(got.rto_min_ms, expected.rto_min_ms);
    assert_int_equal(got.rto_max_ms, expected.rto_max_ms);
    assert_int_equal(got.max_retransmissions, expected.max_retransmissions);
    assert_int_equal(got.init_attempts, expected.init_attempts);
    assert_int_equal(got.sack_delay_ms, expected.sack_delay_ms);
    assert_int_equal(got.sack_frequency, expected.sack_frequency);
    assert_int_equal(got.mtu, expected.mtu);
    assert_int_equal(got.dscp, expected.dscp);
    config_free(config);
}

#define ON(carrier, test)                                              \
    {                                                                  \
#test " (" #carrier ")", test, setup_##carrier, teardown, NULL \
    }
#define ON_ALL(test)  ON(usrsctp, test), ON(udp, test), ON(kernel, test)
#define ON_OURS(test) ON(usrsctp, test), ON(udp, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carriers_have_names),
        cmocka_unit_test(an_empty_section_is_the_default),
        cmocka_unit_test(checksum_is_crc32c),
        ON_ALL(messages_keep_bytes_stream_and_ppid),
        ON_ALL(both_ends_know_each_other),
        ON_ALL(sending_says_what_is_wrong),
        ON_ALL(a_message_may_be_larger_than_a_packet),
        ON_OURS(messages_of_one_turn_share_packets),
        ON_ALL(shutdown_delivers_first),
        ON_ALL(abort_reaches_the_peer),
        ON_ALL(nobody_there_is_unreachable),
        ON_OURS(silence_is_noticed),
        ON_OURS(a_peer_that_starts_anew_is_a_new_association),
        ON_ALL(more_than_the_bound_are_refused),
        ON_ALL(a_listener_may_close_before_its_associations),
        ON_ALL(a_full_queue_says_so_and_says_when_it_is_not),
        ON_OURS(what_waits_is_bounded_and_not_lost),
        ON_OURS(shutdown_of_a_stuck_association_ends_by_itself),
        ON_OURS(loss_costs_time_but_neither_messages_nor_order),
        ON_OURS(init_names_no_address),
        ON_OURS(garbage_is_counted_and_forgotten),
        ON_OURS(mutilated_packets_do_not_crash),
        ON_OURS(an_init_flood_locks_nobody_out),
        ON_ALL(too_long_a_message_ends_the_association),
        ON(udp, a_nat_may_change_its_mind),
        ON_OURS(the_end_of_a_process_is_told_to_its_peers),
        ON_ALL(a_process_stays_for_the_end_in_order),
        ON_ALL(ipv6_works_as_well),
        ON_ALL(a_wildcard_listener_answers_from_where_it_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
