/*
 * openflow_channel_test.c -- channels over loopback: both roles against each other, and a raw TCP
 * peer that cuts, delays and breaks what it sends.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fiber.h"
#include "base/loop.h"
#include "link/openflow_channel.h"

/* What one side saw. */
struct seen {
    struct openflow_channel *channel;
    unsigned ups, downs, fails, messages;
    int reason;
    struct openflow_header last;
    size_t bytes;
    bool answers; /* replies to requests as a switch would */
    bool closes;  /* closes its channel when a message comes */
};

static struct seen controller, client;
static struct openflow_listener *listener;

static void came_up(struct openflow_channel *channel)
{
    struct seen *seen = openflow_channel_context(channel);

    seen->channel = channel;
    seen->ups++;
}

static void send_small(struct openflow_channel *channel, uint8_t type, uint32_t xid, size_t body)
{
    struct writer w = openflow_reserve(channel, OPENFLOW_HEADER_SIZE + body);

    openflow_header_put(&w, OPENFLOW_1_3, type, (uint16_t)(OPENFLOW_HEADER_SIZE + body), xid);
    for (size_t i = 0; i < body; i++)
        wr_u8(&w, (uint8_t)i);
    assert_int_equal(openflow_commit(channel, &w), 0);
}

/* A multipart reply of which more may follow. */
static void send_part(struct openflow_channel *channel, uint32_t xid, bool more)
{
    struct writer w = openflow_reserve(channel, 20);

    openflow_header_put(&w, OPENFLOW_1_3, 19, 20, xid);
    wr_u16(&w, 1);
    wr_u16(&w, more);
    wr_zero(&w, 8);
    openflow_commit(channel, &w);
}

static void got(struct openflow_channel *channel, const struct openflow_header *header,
                struct bytes message)
{
    struct seen *seen = openflow_channel_context(channel);

    seen->messages++;
    seen->last = *header;
    seen->bytes += message.len;
    assert_int_equal(message.len, header->length);
    if (seen->closes) {
        openflow_close(channel);
        seen->channel = NULL;
        return;
    }
    if (!seen->answers)
        return;
    if (header->type == 20)
        send_small(channel, 21, header->xid, 0);
    if (header->type == 5)
        send_small(channel, 6, header->xid, 24);
    if (header->type == 18)
        for (int i = 2; i >= 0; i--)
            send_part(channel, header->xid, i > 0);
    if (header->type == 7)
        send_small(channel, 1, header->xid, 68);
}

static void went_down(struct openflow_channel *channel, int reason)
{
    struct seen *seen = openflow_channel_context(channel);

    seen->downs++;
    seen->reason = reason;
    seen->channel = NULL;
}

static const struct openflow_user user = {came_up, got, went_down};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int set_up_with(struct openflow_options options)
{
    struct sockaddr_in address = loopback(0);

    memset(&controller, 0, sizeof(controller));
    memset(&client, 0, sizeof(client));
    assert_int_equal(loop_init(), 0);
    options.user = &user;
    options.context = &controller;
    assert_int_equal(openflow_listen(&listener, (struct sockaddr *)&address, &options), 0);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with((struct openflow_options){.echo_interval_ms = 50});
}

/* For who must not be late by an interval, on a machine that has other things to do. */
static int set_up_patient(void **state)
{
    (void)state;
    return set_up_with((struct openflow_options){.echo_interval_ms = 250});
}

static int tear_down(void **state)
{
    (void)state;
    openflow_listener_close(listener);
    loop_run_for(20);
    loop_free();
    fiber_free_stacks();
    return 0;
}

/* Runs the loop until *what reaches `n`, or twenty seconds are over. */
static void run_until(const unsigned *what, unsigned n)
{
    for (int i = 0; i < 4000 && *what < n; i++)
        loop_run_for(5);
    assert_int_equal(*what, n);
}

static struct openflow_channel *connect_client(void)
{
    struct sockaddr_in address = loopback(openflow_listener_port(listener));
    struct openflow_options options = {.user = &user, .context = &client, .echo_interval_ms = 50};
    struct openflow_channel *channel;

    assert_int_equal(openflow_connect(&channel, (struct sockaddr *)&address, &options), 0);
    run_until(&client.ups, client.ups + 1);
    run_until(&controller.ups, client.ups);
    return channel;
}

static void both_sides_come_up(void **state)
{
    struct openflow_channel *channel = connect_client();

    (void)state;
    assert_int_equal(openflow_channel_version(channel), OPENFLOW_1_3);
    assert_int_equal(openflow_channel_version(controller.channel), OPENFLOW_1_3);
    send_small(channel, 10, 7, 100);
    send_small(controller.channel, 14, 8, 200);
    run_until(&controller.messages, 1);
    run_until(&client.messages, 1);
    assert_int_equal(controller.last.type, 10);
    assert_int_equal(controller.last.xid, 7);
    assert_int_equal(client.last.length, 208);
    /* Silence for several intervals: both keep it alive by echo. */
    loop_run_for(220);
    assert_int_equal(controller.downs + client.downs, 0);
    assert_int_equal(controller.messages + client.messages, 2);
    openflow_close(channel);
    run_until(&controller.downs, 1);
    assert_int_equal(controller.reason, -ECONNRESET);
    assert_int_equal(client.downs, 0);
}

static void a_lost_connection_comes_back(void **state)
{
    struct openflow_channel *channel = connect_client();

    (void)state;
    openflow_close(controller.channel);
    run_until(&client.downs, 1);
    run_until(&client.ups, 2);
    run_until(&controller.ups, 2);
    assert_true(openflow_channel_is_up(channel));
    openflow_drop(channel, -EPROTO);
    assert_int_equal(client.downs, 2);
    assert_int_equal(client.reason, -EPROTO);
    run_until(&client.ups, 3);
    openflow_close(channel);
}

/* ---- requests that wait ---- */

static int results[6];
static unsigned parts, finished;

static void count_part(void *context, const struct openflow_header *header, struct bytes message)
{
    assert_ptr_equal(context, &parts);
    assert_int_equal(header->type, 19);
    assert_int_equal(message.len, 20);
    parts++;
}

static const uint8_t features_request[] = {4, 5, 0, 8, 0, 0, 0, 0};
static const uint8_t config_request[] = {4, 7, 0, 8, 0, 0, 0, 0};
static const uint8_t multipart_request[] = {4, 18, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};

static void ask(void *argument)
{
    struct openflow_channel *channel = argument;
    struct openflow_header header;
    struct bytes answer;

    results[0] = openflow_barrier(channel, 1000);
    results[1] = openflow_request(channel, bytes_of(features_request, 8), 1000, &header, &answer);
    assert_int_equal(header.type, 6);
    assert_int_equal(answer.len, 32);
    results[2] = openflow_request(channel, bytes_of(config_request, 8), 1000, &header, &answer);
    assert_int_equal(header.type, 1);
    results[3] = openflow_multipart_request(channel, bytes_of(multipart_request, 16), 1000,
                                            count_part, &parts);
    finished++;
}

static void fibers_wait_for_their_answers(void **state)
{
    struct openflow_channel *channel = connect_client();

    (void)state;
    client.answers = true;
    parts = finished = 0;
    memset(results, 1, sizeof(results));
    fiber_spawn("ask", ask, controller.channel);
    fiber_spawn("ask too", ask, controller.channel);
    run_until(&finished, 2);
    for (int i = 0; i < 4; i++)
        assert_int_equal(results[i], 0);
    assert_int_equal(parts, 6);
    openflow_close(channel);
}

static void ask_the_silent(void *argument)
{
    struct openflow_channel *channel = argument;

    results[0] = openflow_barrier(channel, 20);
    results[1] = openflow_barrier(channel, 60000); /* until the connection is lost */
    results[2] = openflow_barrier(channel, 1000);
    finished++;
}

static void waits_end_with_the_reason(void **state)
{
    struct openflow_channel *channel = connect_client();

    (void)state;
    finished = 0;
    fiber_spawn("ask", ask_the_silent, channel);
    loop_run_for(40);
    assert_int_equal(results[0], -ETIMEDOUT);
    assert_int_equal(finished, 0);
    openflow_drop(channel, -EPROTO);
    run_until(&finished, 1);
    assert_int_equal(results[1], -EPROTO);
    assert_int_equal(results[2], -ENOTCONN);
    openflow_close(channel);
}

static struct openflow_pending late;
static int late_error;

static void answered(struct openflow_pending *pending, int error,
                     const struct openflow_header *header, struct bytes message, bool more)
{
    (void)header;
    (void)message;
    assert_ptr_equal(pending, &late);
    assert_false(more);
    late_error = error;
}

static void closing_cancels_who_waits(void **state)
{
    struct openflow_channel *channel = connect_client();

    (void)state;
    late = (struct openflow_pending){.answered = answered};
    late_error = 1;
    assert_int_equal(openflow_pending_add(channel, &late, 77), 0);
    openflow_close(channel);
    assert_int_equal(late_error, -ECANCELED);
    openflow_pending_cancel(&late); /* harmless */
}

static void a_callback_may_close_its_channel(void **state)
{
    struct openflow_channel *channel = connect_client();

    (void)state;
    client.closes = true;
    for (int i = 0; i < 10; i++)
        send_small(controller.channel, 10, 1, 0);
    run_until(&client.messages, 1);
    run_until(&controller.downs, 1);
    assert_int_equal(client.messages, 1);
    (void)channel;
}

/* ---- the queue ---- */

static void a_full_queue_refuses(void **state)
{
    (void)state;
    struct openflow_channel *channel = connect_client();
    size_t sent = 0;
    uint8_t *big = calloc(1, 60000);
    big[0] = OPENFLOW_1_3;
    big[1] = 10;
    big[2] = 60000 >> 8;
    big[3] = 60000 & 0xff;

    /* Within one turn nothing is written: the default limit of 32 MiB is reached. */
    while (openflow_send(channel, bytes_of(big, 60000)) == 0)
        sent++;
    assert_int_equal(openflow_send(channel, bytes_of(big, 60000)), -ENOBUFS);
    assert_in_range(sent, 500, 560);
    assert_int_equal(openflow_channel_queued(channel), sent * 60000);
    /* All of it arrives, in order, and the queue takes more again. */
    run_until(&controller.messages, (unsigned)sent);
    assert_int_equal(controller.bytes, sent * 60000);
    for (int i = 0; i < 400 && openflow_channel_queued(channel); i++)
        loop_run_for(5); /* the other side may read before we hear that it was written */
    assert_int_equal(openflow_channel_queued(channel), 0);
    assert_int_equal(openflow_send(channel, bytes_of(big, 60000)), 0);
    run_until(&controller.messages, (unsigned)sent + 1);
    free(big);
    openflow_close(channel);
}

static void a_message_too_long_for_its_room_is_not_sent(void **state)
{
    struct openflow_channel *channel = connect_client();
    struct writer w = openflow_reserve(channel, 10);

    (void)state;
    wr_u64(&w, 1);
    wr_u64(&w, 1);
    assert_int_equal(openflow_commit(channel, &w), -EMSGSIZE);
    assert_int_equal(openflow_channel_queued(channel), 0);
    /* A reservation not committed leaves no trace. */
    w = openflow_reserve(channel, 100);
    wr_zero(&w, 50);
    send_small(channel, 10, 3, 0);
    run_until(&controller.messages, 1);
    assert_int_equal(controller.last.length, 8);
    openflow_close(channel);
    w = openflow_reserve(controller.channel, 8);
    assert_false(w.bad);
}

/* ---- a raw peer ---- */

static int raw_connect(void)
{
    struct sockaddr_in address = loopback(openflow_listener_port(listener));
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    loop_run_for(10);
    return fd;
}

static void raw_send(int fd, const void *at, size_t len)
{
    assert_int_equal(write(fd, at, len), len);
    loop_run_for(5);
}

/* The next bytes from the channel; -1 when it closed. */
static ssize_t raw_read(int fd, uint8_t *at, size_t size)
{
    for (int i = 0; i < 100; i++) {
        ssize_t n = read(fd, at, size);
        if (n > 0)
            return n;
        if (n == 0 || errno != EAGAIN)
            return -1;
        loop_run_for(5);
    }
    return 0;
}

static const uint8_t hello_plain[] = {4, 0, 0, 8, 0, 0, 0, 1};

static void versions_are_agreed_on(void **state)
{
    static const struct {
        const char *what;
        uint8_t hello[32];
        size_t len;
    } cases[] = {
        {"1.3, no bitmap", {4, 0, 0, 8, 0, 0, 0, 1}, 8},
        {"1.5, no bitmap: it speaks all below, and the smaller counts",
         {6, 0, 0, 8, 0, 0, 0, 1},
         8},
        {"a version that does not exist yet", {0x7f, 0, 0, 8, 0, 0, 0, 1}, 8},
        {"a bitmap of 1.3", {4, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x10}, 16},
        {"1.0, 1.3 and 1.5, between elements that nobody knows",
         {6, 0, 0, 32, 0, 0, 0, 1,    0, 9, 0, 6, 1, 2, 0, 0,
          0, 1, 0, 8,  0, 0, 0, 0x52, 0, 9, 0, 5, 1, 0, 0, 0},
         32},
        {"a bitmap of two words",
         {6, 0, 0, 24, 0, 0, 0, 1, 0, 1, 0, 12, 0, 0, 0, 0x50, 0, 0, 0, 1, 0, 0, 0, 0},
         24},
        {"the bitmap counts, whatever the header says",
         {1, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x12},
         16},
        {"an element cut short is no bitmap", {4, 0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 4}, 12},
        {"an element longer than the message", {4, 0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 99}, 12},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t out[256];
        int fd = raw_connect();
        assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
        assert_memory_equal(out, "\x04\x00\x00\x10", 4);
        assert_memory_equal(out + 8, "\x00\x01\x00\x08\x00\x00\x00\x10", 8);
        raw_send(fd, cases[i].hello, cases[i].len);
        if (controller.ups != i + 1)
            fail_msg("%s: not agreed on", cases[i].what);
        assert_int_equal(openflow_channel_version(controller.channel), OPENFLOW_1_3);
        close(fd);
        run_until(&controller.downs, i + 1);
    }
}

/* HELLO_FAILED, INCOMPATIBLE, with the transaction id of their HELLO and words; then the end. */
static void no_common_version_is_hello_failed(void **state)
{
    static const struct {
        uint8_t hello[16];
        size_t len;
        const char *words;
    } cases[] = {
        {{1, 0, 0, 8, 0, 0, 0, 9}, 8, "offered 1.0; spoken here 1.3"},
        {{3, 0, 0, 8, 0, 0, 0, 9}, 8, "offered 1.2; spoken here 1.3"},
        {{1, 0, 0, 16, 0, 0, 0, 7, 0, 1, 0, 8, 0, 0, 0, 0x02}, 16, "offered 1.0; spoken here 1.3"},
        {{6, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x40}, 16, "offered 1.5; spoken here 1.3"},
        {{6, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x62},
         16,
         "offered 1.0, 1.4, 1.5; spoken here 1.3"},
        {{6, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0}, 16, "offered none; spoken here 1.3"},
        {{0, 0, 0, 8, 0, 0, 0, 1}, 8, "offered 0.x; spoken here 1.3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const char begin[] = "no OpenFlow version in common: ";
        uint8_t out[256];
        char words[128];
        int fd = raw_connect();
        assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
        raw_send(fd, cases[i].hello, cases[i].len);
        size_t len = (size_t)snprintf(words, sizeof(words), "%s%s", begin, cases[i].words);
        assert_int_equal(raw_read(fd, out, sizeof(out)), 12 + len);
        assert_memory_equal(out, "\x04\x01\x00", 3);
        assert_int_equal(out[3], 12 + len);
        assert_memory_equal(out + 4, cases[i].hello + 4, 4);
        assert_memory_equal(out + 8, "\x00\x00\x00\x00", 4);
        assert_memory_equal(out + 12, words, len);
        assert_int_equal(raw_read(fd, out, sizeof(out)), -1);
        close(fd);
    }
    assert_int_equal(controller.ups + controller.downs, 0);
}

/* Of the versions that we speak the highest that they speak; without a bitmap no other than the
 * smaller of the two, though both may speak lower ones (clause 6.3.1). */
static void several_versions_are_chosen_from(void **state)
{
    static const struct {
        uint8_t hello[16];
        size_t len;
        uint8_t version; /* 0: HELLO_FAILED */
    } cases[] = {
        {{6, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x52}, 16, 4},
        {{1, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x02}, 16, 1},
        {{1, 0, 0, 8, 0, 0, 0, 1}, 8, 1},
        {{3, 0, 0, 8, 0, 0, 0, 1}, 8, 0},
        {{6, 0, 0, 8, 0, 0, 0, 1}, 8, 4},
    };

    openflow_listener_close(listener);
    struct sockaddr_in address = loopback(0);
    struct openflow_options options = {.user = &user,
                                       .context = &controller,
                                       .versions = OPENFLOW_VERSION_BIT(1) |
                                                   OPENFLOW_VERSION_BIT(OPENFLOW_1_3)};
    (void)state;
    assert_int_equal(openflow_listen(&listener, (struct sockaddr *)&address, &options), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned ups = controller.ups, downs = controller.downs;
        uint8_t out[256];
        int fd = raw_connect();
        assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
        assert_memory_equal(out + 12, "\x00\x00\x00\x12", 4);
        raw_send(fd, cases[i].hello, cases[i].len);
        assert_int_equal(controller.ups, ups + (cases[i].version > 0));
        if (cases[i].version)
            assert_int_equal(openflow_channel_version(controller.channel), cases[i].version);
        close(fd);
        run_until(&controller.downs, downs + (cases[i].version > 0));
    }
}

/* They found none: their error ends it, whatever version it is written in. */
static void their_hello_failed_ends_it(void **state)
{
    static const uint8_t failed[] = {6, 1, 0, 15, 0, 0, 0, 1, 0, 0, 0, 0, 'n', 'o', '\n'};
    static const uint8_t hello[] = {6, 0, 0, 8, 0, 0, 0, 1};

    (void)state;
    int fd = raw_connect();
    raw_send(fd, failed, sizeof(failed));
    uint8_t out[256];
    assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
    assert_int_equal(raw_read(fd, out, sizeof(out)), -1);
    close(fd);
    assert_int_equal(controller.ups, 0);
    fd = raw_connect();
    raw_send(fd, hello, sizeof(hello));
    assert_int_equal(controller.ups, 1);
    raw_send(fd, failed, sizeof(failed));
    assert_int_equal(controller.downs, 1);
    assert_int_equal(controller.reason, -EPROTO);
    assert_int_equal(controller.messages, 0);
    close(fd);
}

static void tls_is_no_openflow(void **state)
{
    /* As much as an OpenFlow message with this head is not whole. */
    static const uint8_t client_hello[] = {22, 3, 1, 2, 0, 1, 0, 1};
    uint8_t out[256];
    int fd = raw_connect();

    (void)state;
    raw_send(fd, client_hello, sizeof(client_hello));
    assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
    assert_int_equal(raw_read(fd, out, sizeof(out)), -1);
    assert_int_equal(controller.ups, 0);
    close(fd);
}

static void what_is_no_hello_ends_it(void **state)
{
    static const uint8_t no_hello[] = {4, 5, 0, 8, 0, 0, 0, 1};
    static const uint8_t short_length[] = {4, 0, 0, 8, 0, 0, 0, 1, 4, 2, 0, 7, 0, 0, 0, 1};
    uint8_t out[256];

    (void)state;
    int fd = raw_connect();
    raw_send(fd, no_hello, sizeof(no_hello));
    assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
    assert_int_equal(raw_read(fd, out, sizeof(out)), -1);
    close(fd);
    fd = raw_connect();
    raw_send(fd, short_length, sizeof(short_length));
    assert_int_equal(controller.ups, 1);
    assert_int_equal(controller.downs, 1);
    assert_int_equal(controller.reason, -EPROTO);
    close(fd);
}

/* A message byte by byte, then many in one piece with the last one cut. */
static void pieces_make_messages(void **state)
{
    static const uint8_t message[] = {4, 10, 0, 12, 0, 0, 0, 5, 1, 2, 3, 4};
    uint8_t many[sizeof(message) * 100];

    (void)state;
    int fd = raw_connect();
    raw_send(fd, hello_plain, sizeof(hello_plain));
    for (size_t i = 0; i < sizeof(message); i++) {
        assert_int_equal(controller.messages, 0);
        raw_send(fd, message + i, 1);
    }
    assert_int_equal(controller.messages, 1);
    for (size_t i = 0; i < 100; i++)
        memcpy(many + i * sizeof(message), message, sizeof(message));
    raw_send(fd, many, sizeof(many) - 1);
    assert_int_equal(controller.messages, 100);
    raw_send(fd, many, 1);
    /* The missing byte was the first of a message: 4 where the payload's last should be. */
    assert_int_equal(controller.messages, 101);
    assert_int_equal(controller.bytes, 101 * sizeof(message));
    close(fd);
}

static void echoes_are_answered_with_their_data(void **state)
{
    static const uint8_t echo[] = {4, 2, 0, 11, 9, 8, 7, 6, 'a', 'b', 'c'};
    static const uint8_t other_version[] = {1, 18, 0, 8, 0, 0, 0, 3};
    uint8_t out[256];

    (void)state;
    int fd = raw_connect();
    raw_send(fd, hello_plain, sizeof(hello_plain));
    assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
    raw_send(fd, echo, sizeof(echo));
    assert_int_equal(raw_read(fd, out, sizeof(out)), 11);
    assert_int_equal(out[1], 3);
    assert_memory_equal(out + 4, echo + 4, 7);
    /* A message of a version that was not agreed on: BAD_REQUEST/BAD_VERSION with the message
     * quoted. */
    raw_send(fd, other_version, sizeof(other_version));
    assert_int_equal(raw_read(fd, out, sizeof(out)), 20);
    assert_memory_equal(out, "\x04\x01\x00\x14\x00\x00\x00\x03\x00\x01\x00\x00", 12);
    assert_memory_equal(out + 12, other_version, 8);
    assert_int_equal(controller.messages, 0);
    close(fd);
}

static void silence_ends_it(void **state)
{
    uint8_t out[256];

    (void)state;
    /* One that never says HELLO, and one that does not answer an echo. */
    int mute = raw_connect();
    int fd = raw_connect();
    raw_send(fd, hello_plain, sizeof(hello_plain));
    assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
    assert_int_equal(raw_read(fd, out, sizeof(out)), 8);
    assert_int_equal(out[1], 2);
    run_until(&controller.downs, 1);
    assert_int_equal(controller.reason, -ETIMEDOUT);
    assert_int_equal(raw_read(mute, out, sizeof(out)), 16);
    assert_int_equal(raw_read(mute, out, sizeof(out)), -1);
    assert_int_equal(controller.ups, 1);
    close(fd);
    close(mute);
}

/* It takes what waits for it more slowly than echoes are answered; it is given up only when it
 * takes nothing any more. */
static void a_slow_peer_is_not_a_dead_one(void **state)
{
    static uint8_t out[65536];
    uint8_t *big = calloc(1, 60000);

    (void)state;
    int fd = raw_connect();
    raw_send(fd, hello_plain, sizeof(hello_plain));
    assert_int_equal(controller.ups, 1);
    big[0] = OPENFLOW_1_3;
    big[1] = 10;
    big[2] = 60000 >> 8;
    big[3] = 60000 & 0xff;
    for (int i = 0; i < 400; i++)
        assert_int_equal(openflow_send(controller.channel, bytes_of(big, 60000)), 0);
    for (int i = 0; i < 40; i++) {
        for (int part = 0; part < 4; part++)
            (void)!read(fd, out, sizeof(out));
        loop_run_for(50);
    }
    assert_int_equal(controller.downs, 0); /* eight intervals have passed */
    assert_true(openflow_channel_queued(controller.channel) > 0);
    run_until(&controller.downs, 1);
    assert_int_equal(controller.reason, -ETIMEDOUT);
    free(big);
    close(fd);
}

/* ---- a raw controller ---- */

static int raw_listen(uint16_t *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *port = ntohs(address.sin_port);
    return fd;
}

static int raw_accept(int listening)
{
    for (int i = 0; i < 4000; i++) {
        int fd = accept(listening, NULL, NULL);
        if (fd >= 0) {
            fcntl(fd, F_SETFL, O_NONBLOCK);
            return fd;
        }
        loop_run_for(5);
    }
    fail_msg("nobody connects");
    return -1;
}

static void did_not_come_up(struct openflow_channel *channel, int reason)
{
    struct seen *seen = openflow_channel_context(channel);

    seen->fails++;
    seen->reason = reason;
}

static const struct openflow_user switch_user = {came_up, got, went_down, did_not_come_up};

static struct openflow_channel *connect_to(uint16_t port, uint32_t echo_ms, uint32_t reconnect_ms)
{
    struct sockaddr_in address = loopback(port);
    struct openflow_options options = {.user = &switch_user,
                                       .context = &client,
                                       .echo_interval_ms = echo_ms,
                                       .reconnect_max_ms = reconnect_ms};
    struct openflow_channel *channel;

    assert_int_equal(openflow_connect(&channel, (struct sockaddr *)&address, &options), 0);
    return channel;
}

/* An echo after one interval of silence; given up after another; connected to again. */
static void a_silent_controller_is_given_up(void **state)
{
    uint8_t out[256];
    uint16_t port;
    int listening = raw_listen(&port);
    struct openflow_channel *channel = connect_to(port, 100, 100);

    (void)state;
    int fd = raw_accept(listening);
    uint64_t begin = loop_now_ms();
    raw_send(fd, hello_plain, sizeof(hello_plain));
    run_until(&client.ups, 1);
    assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
    assert_int_equal(raw_read(fd, out, sizeof(out)), 8);
    assert_int_equal(out[1], 2);
    run_until(&client.downs, 1);
    assert_true(loop_now_ms() - begin >= 200);
    assert_int_equal(client.reason, -ETIMEDOUT);
    assert_int_equal(client.fails, 0);
    int again = raw_accept(listening);
    raw_send(again, hello_plain, sizeof(hello_plain));
    run_until(&client.ups, 2);
    openflow_close(channel);
    close(fd);
    close(again);
    close(listening);
}

/* The pause doubles and is bounded: 100, 200, 200 ... ms. Without a bound the tenth attempt would
 * come after 51 s. Not even a controller that says HELLO before it closes is connected to faster.
 */
static void attempts_are_paused(void **state)
{
    uint64_t times[10];
    uint16_t port;
    int listening = raw_listen(&port);
    struct openflow_channel *channel = connect_to(port, 5000, 200);

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        int fd = raw_accept(listening);
        times[i] = loop_now_ms();
        if (i % 2) {
            raw_send(fd, hello_plain, sizeof(hello_plain));
            run_until(&client.ups, i / 2 + 1);
        }
        close(fd);
    }
    run_until(&client.downs, 5);
    assert_int_equal(client.fails, 5);
    for (unsigned i = 2; i < 10; i++)
        assert_true(times[i] - times[i - 1] >= 200);
    assert_true(times[9] - times[0] < 20000);
    openflow_close(channel);
    close(listening);
}

static void a_refused_connection_is_told(void **state)
{
    uint16_t port;
    int listening = raw_listen(&port);

    (void)state;
    close(listening);
    struct openflow_channel *channel = connect_to(port, 5000, 100);
    run_until(&client.fails, 1);
    assert_int_equal(client.reason, -ECONNREFUSED);
    assert_int_equal(client.ups + client.downs, 0);
    openflow_close(channel);
}

/* A HELLO that drips in, an octet at a time, does not last longer than one that does not come. */
static void a_dripping_hello_is_given_up(void **state)
{
    uint8_t out[256];
    int fd = raw_connect();
    bool ended = false;

    (void)state;
    assert_int_equal(raw_read(fd, out, sizeof(out)), 16);
    for (int i = 0; i < 60000 && !ended; i++) {
        (void)!send(fd, i == 2 ? "\xff" : "\0", 1, MSG_NOSIGNAL);
        loop_run_for(5);
        ssize_t n = read(fd, out, sizeof(out));
        ended = n == 0 || (n < 0 && errno != EAGAIN);
    }
    assert_true(ended);
    assert_int_equal(controller.ups, 0);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_sides_come_up),
        TEST(a_lost_connection_comes_back),
        TEST(fibers_wait_for_their_answers),
        TEST(waits_end_with_the_reason),
        TEST(closing_cancels_who_waits),
        TEST(a_callback_may_close_its_channel),
        TEST(a_full_queue_refuses),
        TEST(a_message_too_long_for_its_room_is_not_sent),
        TEST(versions_are_agreed_on),
        TEST(no_common_version_is_hello_failed),
        TEST(several_versions_are_chosen_from),
        TEST(their_hello_failed_ends_it),
        TEST(tls_is_no_openflow),
        TEST(what_is_no_hello_ends_it),
        TEST(pieces_make_messages),
        TEST(echoes_are_answered_with_their_data),
        TEST(silence_ends_it),
        cmocka_unit_test_setup_teardown(a_slow_peer_is_not_a_dead_one, set_up_patient, tear_down),
        TEST(a_silent_controller_is_given_up),
        TEST(attempts_are_paused),
        TEST(a_refused_connection_is_told),
        TEST(a_dripping_hello_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
