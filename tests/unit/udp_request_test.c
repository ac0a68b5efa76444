/*
 * udp_request_test.c -- the request layer on loopback, with a small protocol of its own: type (1),
 * sequence number (3), payload. The other end is a bare socket, so that the test can lose, repeat,
 * delay and forge.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "base/base.h"
#include "link/udp_request.h"

#define PORT 39151

enum { REQUEST = 1, ANSWER = 2, PROBE = 3, PROBE_ANSWER = 4, NOTICE = 5 };

static int toy_head(struct bytes datagram, struct udp_head *head)
{
    struct reader r = reader_of_bytes(datagram);

    head->type = rd_u8(&r);
    head->sequence = rd_u24(&r);
    head->length = datagram.len;
    if (r.bad || head->type > NOTICE)
        return -EBADMSG;
    head->role = head->type == NOTICE ? UDP_ROLE_NOTIFICATION
                 : head->type & 1     ? UDP_ROLE_REQUEST
                                      : UDP_ROLE_ANSWER;
    head->answers = (uint8_t)(head->type - 1);
    if (head->role == UDP_ROLE_ANSWER && rd_left(&r) >= 2 && r.at[0] == '+')
        head->length = datagram.len - rd_left(&r) + 1; /* a piggybacked message follows */
    return 0;
}

static void toy_probe(void *owner, struct writer *w, uint32_t sequence)
{
    (void)owner;
    wr_u8(w, PROBE);
    wr_u24(w, sequence);
}

static const struct udp_protocol toy = {
    .name = "toy",
    .trace = TRACE_GTPC,
    .port = PORT,
    .sequence_mask = 0xffffff,
    .recovery_bits = 8,
    .head = toy_head,
    .write_probe = toy_probe,
};

/* What the handler has seen. */
static struct {
    struct udp_endpoint *endpoint;
    unsigned requests, notices, malformed, probes, restarts, downs, ups;
    uint32_t transaction;
    bool answer_at_once;
} seen;

static void on_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                       const struct udp_head *head, struct bytes datagram)
{
    (void)owner;
    (void)peer;
    (void)datagram;
    if (transaction == 0) {
        seen.notices++;
        return;
    }
    seen.requests++;
    seen.transaction = transaction;
    if (seen.answer_at_once) {
        uint8_t answer[5] = {(uint8_t)(head->type + 1), (uint8_t)(head->sequence >> 16),
                             (uint8_t)(head->sequence >> 8), (uint8_t)head->sequence, 'A'};
        assert_int_equal(udp_answer(seen.endpoint, transaction, bytes_of(answer, sizeof(answer))),
                         0);
        assert_int_equal(udp_answer(seen.endpoint, transaction, bytes_of(answer, sizeof(answer))),
                         -ENOENT);
    }
}

static void on_malformed(void *owner, const struct sockaddr *from, struct bytes datagram, int error)
{
    (void)owner;
    (void)from;
    (void)datagram;
    assert_int_equal(error, -EBADMSG);
    seen.malformed++;
}

/* The payload's first octet is the recovery number. */
static void on_probe_answered(void *owner, struct udp_peer *peer, struct bytes datagram)
{
    (void)owner;
    seen.probes++;
    if (datagram.len > 4)
        udp_peer_note_recovery(peer, datagram.at[4], true);
}

static void on_restarted(void *owner, struct udp_peer *peer)
{
    (void)owner;
    (void)peer;
    seen.restarts++;
}

static void on_down(void *owner, struct udp_peer *peer)
{
    (void)owner;
    assert_false(udp_peer_is_up(peer));
    seen.downs++;
}

static void on_up(void *owner, struct udp_peer *peer)
{
    (void)owner;
    assert_true(udp_peer_is_up(peer));
    seen.ups++;
}

static const struct udp_handler handler = {
    .request = on_request,
    .malformed = on_malformed,
    .probe_answered = on_probe_answered,
    .peer_restarted = on_restarted,
    .peer_down = on_down,
    .peer_up = on_up,
};

static struct sockaddr_in address(const char *host, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, host, &in.sin_addr);
    return in;
}

/* The other end. */
static int bare_socket(const char *host)
{
    struct sockaddr_in in = address(host, PORT);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

static void bare_send(int fd, const char *to, const void *at, size_t len)
{
    struct sockaddr_in in = address(to, PORT);

    assert_int_equal(sendto(fd, at, len, 0, (struct sockaddr *)&in, sizeof(in)), len);
}

/* One datagram, running the loop until it is there; 0 after `ms` without one. */
static size_t bare_receive(int fd, uint8_t *to, size_t size, uint64_t ms)
{
    for (uint64_t until = clock_now_us() / 1000 + ms;;) {
        ssize_t n = recv(fd, to, size, 0);
        if (n >= 0)
            return (size_t)n;
        if (clock_now_us() / 1000 >= until)
            return 0;
        loop_run_for(2);
    }
}

static int bare; /* 127.0.0.12 */

static int set_up_with(uint32_t timeout_ms, uint8_t attempts, uint32_t probe_ms, uint32_t table)
{
    struct udp_settings settings = udp_settings_default();
    struct sockaddr_in local = address(unit_host(11), 0);

    memset(&seen, 0, sizeof(seen));
    settings.timeout_ms = timeout_ms;
    settings.attempts = attempts;
    settings.probe_interval_ms = probe_ms;
    settings.max_calls = settings.max_transactions = table;
    settings.max_peers = 4;
    if (loop_init() < 0)
        return -1;
    bare = bare_socket(unit_host(12));
    return udp_endpoint_open((struct sockaddr *)&local, &toy, &settings, &handler, NULL,
                             &seen.endpoint);
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with(20, 3, 0, 64);
}

static int tear_down(void **state)
{
    (void)state;
    if (seen.endpoint)
        udp_endpoint_close(seen.endpoint);
    close(bare);
    loop_run_for(1);
    loop_free();
    fiber_free_stacks();
    return fiber_count() == 0 ? 0 : -1;
}

static struct udp_peer *peer(const char *host)
{
    struct sockaddr_in in = address(host, 0);
    struct udp_peer *found = udp_peer_at(seen.endpoint, (struct sockaddr *)&in);

    assert_non_null(found);
    return found;
}

/* A fiber that asks once. */
struct asker {
    struct fiber *fiber;
    uint32_t sequence;
    int err;
    bool done;
    char answer[8];
};

static void ask(void *argument)
{
    struct asker *asker = argument;
    uint8_t datagram[5] = {REQUEST, 0, 0, 0, 'Q'};
    struct bytes answer = {0};

    asker->fiber = fiber_self();
    fiber_set_subject("001010000000001");
    asker->sequence = udp_next_sequence(seen.endpoint);
    datagram[1] = (uint8_t)(asker->sequence >> 16);
    datagram[2] = (uint8_t)(asker->sequence >> 8);
    datagram[3] = (uint8_t)asker->sequence;
    asker->err = udp_request(peer(unit_host(12)), REQUEST, asker->sequence,
                             bytes_of(datagram, sizeof(datagram)), &answer);
    if (asker->err == 0)
        memcpy(asker->answer, answer.at + 4, answer.len - 4 < 7 ? answer.len - 4 : 7);
    asker->done = true;
}

static void an_answer_ends_the_wait(void **state)
{
    (void)state;
    struct asker asker = {0};
    uint8_t datagram[64];

    fiber_spawn("ask", ask, &asker);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
    assert_false(asker.done);
    datagram[0] = ANSWER;
    memcpy(datagram + 4, "hello", 5);
    bare_send(bare, unit_host(11), datagram, 9);
    loop_run_for(5);
    assert_true(asker.done);
    assert_int_equal(asker.err, 0);
    assert_string_equal(asker.answer, "hello");
    assert_int_equal(udp_counters(seen.endpoint).calls, 0);
    assert_int_equal(udp_counters(seen.endpoint).retransmissions, 0);
    /* the same answer again is late */
    bare_send(bare, unit_host(11), datagram, 9);
    loop_run_for(5);
    assert_int_equal(udp_counters(seen.endpoint).late_answers, 1);
}

static void a_lost_request_is_sent_again_unchanged(void **state)
{
    (void)state;
    struct asker asker = {0};
    uint8_t first[64], second[64];

    fiber_spawn("ask", ask, &asker);
    assert_int_equal(bare_receive(bare, first, sizeof(first), 500), 5);
    assert_int_equal(bare_receive(bare, second, sizeof(second), 500), 5);
    assert_memory_equal(first, second, 5);
    second[0] = ANSWER;
    bare_send(bare, unit_host(11), second, 5);
    loop_run_for(5);
    assert_true(asker.done);
    assert_int_equal(asker.err, 0);
    assert_int_equal(udp_counters(seen.endpoint).retransmissions, 1);
}

static void silence_ends_after_all_attempts(void **state)
{
    (void)state;
    struct asker asker = {0};
    uint8_t datagram[64];
    unsigned count = 0;

    fiber_spawn("ask", ask, &asker);
    while (bare_receive(bare, datagram, sizeof(datagram), 100) > 0)
        count++;
    assert_int_equal(count, 3);
    assert_true(asker.done);
    assert_int_equal(asker.err, -ETIMEDOUT);
    assert_int_equal(udp_counters(seen.endpoint).timeouts, 1);
    assert_int_equal(udp_counters(seen.endpoint).calls, 0);
}

static void only_the_right_answer_counts(void **state)
{
    (void)state;
    struct asker asker = {0};
    uint8_t datagram[64];
    int stranger = bare_socket(unit_host(13));

    fiber_spawn("ask", ask, &asker);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
    datagram[0] = ANSWER;
    bare_send(stranger, unit_host(11), datagram, 5); /* from another host */
    datagram[0] = PROBE_ANSWER;
    bare_send(bare, unit_host(11), datagram, 5); /* of another kind */
    datagram[0] = ANSWER;
    datagram[3] ^= 1;
    bare_send(bare, unit_host(11), datagram, 5); /* of another number */
    loop_run_for(5);
    assert_false(asker.done);
    assert_int_equal(udp_counters(seen.endpoint).late_answers, 3);
    datagram[3] ^= 1;
    bare_send(bare, unit_host(11), datagram, 5);
    loop_run_for(5);
    assert_true(asker.done);
    assert_int_equal(asker.err, 0);
    close(stranger);
}

static void a_cancelled_fiber_leaves_nothing_behind(void **state)
{
    (void)state;
    struct asker asker = {0};
    uint8_t datagram[64];

    fiber_spawn("ask", ask, &asker);
    fiber_cancel(asker.fiber);
    assert_true(asker.done);
    assert_int_equal(asker.err, -ECANCELED);
    assert_int_equal(udp_counters(seen.endpoint).calls, 0);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5); /* it was under way */
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 60),
                     0); /* and is not sent again */
}

static void closing_ends_all_waits(void **state)
{
    (void)state;
    struct asker askers[3] = {{0}};

    for (size_t i = 0; i < 3; i++)
        fiber_spawn("ask", ask, &askers[i]);
    assert_int_equal(udp_counters(seen.endpoint).calls, 3);
    udp_endpoint_close(seen.endpoint);
    seen.endpoint = NULL;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(askers[i].err, -ECANCELED);
}

static void too_many_requests_are_refused(void **state)
{
    (void)state;
    static struct asker askers[70];

    memset(askers, 0, sizeof(askers));
    for (size_t i = 0; i < 70; i++)
        fiber_spawn("ask", ask, &askers[i]);
    for (size_t i = 0; i < 70; i++)
        assert_int_equal(askers[i].err, i < 64 ? 0 : -ENOBUFS);
    loop_run_for(150);
    for (size_t i = 0; i < 70; i++)
        assert_true(askers[i].done);
}

static void a_request_that_comes_twice_is_done_once_and_answered_twice(void **state)
{
    (void)state;
    uint8_t request[5] = {REQUEST, 0, 0, 7, 'x'}, datagram[64];

    seen.answer_at_once = true;
    bare_send(bare, unit_host(11), request, 5);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
    assert_memory_equal(datagram,
                        "\x02\0\0\x07"
                        "A",
                        5);
    bare_send(bare, unit_host(11), request, 5);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
    assert_memory_equal(datagram,
                        "\x02\0\0\x07"
                        "A",
                        5);
    assert_int_equal(seen.requests, 1);
    assert_int_equal(udp_counters(seen.endpoint).duplicates, 1);
    /* another number, or the same from another port, is another request */
    request[3] = 8;
    bare_send(bare, unit_host(11), request, 5);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
    assert_int_equal(seen.requests, 2);
    int other_port = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in in = address(unit_host(12), 0);
    assert_int_equal(bind(other_port, (struct sockaddr *)&in, sizeof(in)), 0);
    bare_send(other_port, unit_host(11), request, 5);
    assert_int_equal(bare_receive(other_port, datagram, sizeof(datagram), 500),
                     5); /* to where it came from */
    assert_int_equal(seen.requests, 3);
    close(other_port);
}

static void a_duplicate_of_a_request_in_progress_waits_for_its_answer(void **state)
{
    (void)state;
    uint8_t request[5] = {REQUEST, 0, 0, 7, 'x'}, datagram[64];

    bare_send(bare, unit_host(11), request, 5);
    bare_send(bare, unit_host(11), request, 5);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 20), 0);
    assert_int_equal(seen.requests, 1);
    request[0] = ANSWER;
    assert_int_equal(udp_answer(seen.endpoint, seen.transaction, bytes_of(request, 5)), 0);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 20), 0);
}

static void an_abandoned_request_is_new_when_it_comes_again(void **state)
{
    (void)state;
    uint8_t request[5] = {REQUEST, 0, 0, 7, 'x'};

    bare_send(bare, unit_host(11), request, 5);
    loop_run_for(5);
    udp_abandon(seen.endpoint, seen.transaction);
    assert_int_equal(udp_answer(seen.endpoint, seen.transaction, bytes_of(request, 5)), -ENOENT);
    bare_send(bare, unit_host(11), request, 5);
    loop_run_for(5);
    assert_int_equal(seen.requests, 2);
}

static void remembered_answers_are_forgotten(void **state)
{
    (void)state;
    uint8_t request[5] = {REQUEST, 0, 0, 7, 'x'};

    seen.answer_at_once = true;
    bare_send(bare, unit_host(11), request, 5);
    loop_run_for(5);
    assert_int_equal(udp_counters(seen.endpoint).transactions, 1);
    loop_run_for(1100); /* 4 x 20 ms, and the sweep's half second twice */
    assert_int_equal(udp_counters(seen.endpoint).transactions, 0);
    bare_send(bare, unit_host(11), request, 5);
    loop_run_for(5);
    assert_int_equal(seen.requests, 2);
}

static void a_full_table_forgets_answers_and_refuses_requests(void **state)
{
    (void)state;
    uint8_t request[5] = {REQUEST, 0, 0, 0, 'x'};

    seen.answer_at_once = true;
    for (unsigned i = 0; i < 100; i++) {
        request[3] = (uint8_t)i;
        bare_send(bare, unit_host(11), request, 5);
    }
    loop_run_for(10);
    assert_int_equal(seen.requests, 100); /* old answers made room */
    assert_int_equal(udp_counters(seen.endpoint).transactions, 64);
    seen.answer_at_once = false;
    for (unsigned i = 0; i < 100; i++) {
        request[2] = 1;
        request[3] = (uint8_t)i;
        bare_send(bare, unit_host(11), request, 5);
    }
    loop_run_for(10);
    assert_int_equal(seen.requests, 164); /* work in progress does not */
    assert_int_equal(udp_counters(seen.endpoint).refused, 36);
}

static void notices_and_rubbish(void **state)
{
    (void)state;
    uint8_t notice[5] = {NOTICE, 0, 0, 7, 'x'}, rubbish[5] = {99, 0, 0, 7, 'x'};
    static uint8_t huge[UDP_REQUEST_MAX_DATAGRAM + 1] = {REQUEST};

    bare_send(bare, unit_host(11), notice, 5);
    bare_send(bare, unit_host(11), rubbish, 5);
    bare_send(bare, unit_host(11), rubbish, 0);
    bare_send(bare, unit_host(11), huge, sizeof(huge));
    loop_run_for(10);
    assert_int_equal(seen.notices, 1);
    assert_int_equal(seen.malformed, 2);
    assert_int_equal(udp_counters(seen.endpoint).malformed, 3);
    struct sockaddr_in to = address(unit_host(12), PORT);
    assert_int_equal(
        udp_notify(seen.endpoint, (struct sockaddr *)&to, bytes_of(huge, sizeof(huge))), -EMSGSIZE);
    assert_int_equal(udp_notify(seen.endpoint, (struct sockaddr *)&to, bytes_of(notice, 5)), 0);
    assert_int_equal(bare_receive(bare, huge, sizeof(huge), 500), 5);
}

static void a_piggybacked_message_is_taken_too(void **state)
{
    (void)state;
    struct asker asker = {0};
    uint8_t datagram[64];

    fiber_spawn("ask", ask, &asker);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
    datagram[0] = ANSWER;
    memcpy(datagram + 4, "+\x01\0\0\x09", 5);
    bare_send(bare, unit_host(11), datagram, 9);
    loop_run_for(5);
    assert_true(asker.done);
    assert_string_equal(asker.answer, "+");
    assert_int_equal(seen.requests, 1);
}

static void many_at_once(void **state)
{
    (void)state;
    static struct asker askers[60];
    uint8_t datagram[64];

    memset(askers, 0, sizeof(askers));
    for (size_t i = 0; i < 60; i++)
        fiber_spawn("ask", ask, &askers[i]);
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 5);
        datagram[0] = ANSWER;
        bare_send(bare, unit_host(11), datagram, 5);
    }
    loop_run_for(10);
    for (size_t i = 0; i < 60; i++)
        assert_true(askers[i].done && askers[i].err == 0);
}

static void restarts_are_noticed(void **state)
{
    (void)state;
    struct udp_peer *other = peer(unit_host(12));
    uint32_t recovery;
    uint8_t datagram[64];

    assert_false(udp_peer_recovery(other, &recovery));
    assert_false(udp_peer_note_recovery(other, 250, false)); /* the first one says nothing */
    assert_false(udp_peer_note_recovery(other, 250, false));
    assert_true(udp_peer_note_recovery(other, 251, false));
    assert_true(udp_peer_note_recovery(other, 3, false)); /* it wraps around */
    assert_int_equal(seen.restarts, 2);
    /* an older one is checked with a probe before it is believed */
    assert_false(udp_peer_note_recovery(other, 1, false));
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 4);
    assert_int_equal(datagram[0], PROBE);
    datagram[0] = PROBE_ANSWER;
    datagram[4] = 3;
    bare_send(bare, unit_host(11), datagram, 5);
    loop_run_for(5);
    assert_int_equal(seen.restarts, 2); /* an old message: nothing happened */
    assert_false(udp_peer_note_recovery(other, 1, false));
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 4);
    datagram[0] = PROBE_ANSWER;
    datagram[4] = 1;
    bare_send(bare, unit_host(11), datagram, 5);
    loop_run_for(5);
    assert_int_equal(seen.restarts, 3); /* it did lose count */
    assert_true(udp_peer_recovery(other, &recovery));
    assert_int_equal(recovery, 1);
}

static void peers_in_use_are_probed(void **state)
{
    (void)state;
    uint8_t datagram[64];
    struct udp_peer *other = peer(unit_host(12));

    udp_peer_use(other);
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 500), 4);
    assert_int_equal(datagram[0], PROBE);
    datagram[0] = PROBE_ANSWER;
    bare_send(bare, unit_host(11), datagram, 4);
    loop_run_for(5);
    assert_int_equal(seen.probes, 1);
    /* silence: three attempts each, told once */
    while (seen.downs == 0)
        loop_run_for(5);
    loop_run_for(100);
    assert_int_equal(seen.downs, 1);
    assert_false(udp_peer_is_up(other));
    /* any message brings it back */
    bare_send(bare, unit_host(11), (uint8_t[]){NOTICE, 0, 0, 1}, 4);
    loop_run_for(5);
    assert_int_equal(seen.ups, 1);
    /* nobody uses it: silence again */
    udp_peer_release(other);
    while (bare_receive(bare, datagram, sizeof(datagram), 60) > 0)
        ;
    assert_int_equal(bare_receive(bare, datagram, sizeof(datagram), 100), 0);
}

static int set_up_probing(void **state)
{
    (void)state;
    return set_up_with(10, 3, 30, 64);
}

static void the_table_of_peers_keeps_those_in_use(void **state)
{
    (void)state;
    uint32_t in_use = 0, id;

    for (unsigned i = 20; i < 23; i++) {
        struct udp_peer *one = peer(unit_host(i));
        udp_peer_use(one);
        in_use = udp_peer_id(one);
    }
    struct udp_peer *idle = peer(unit_host(30));
    assert_string_equal(udp_peer_name(idle), unit_host(30));
    id = udp_peer_id(idle);
    assert_ptr_equal(udp_peer_get(seen.endpoint, id), idle);
    (void)peer(unit_host(31)); /* takes the idle one's place */
    assert_null(udp_peer_get(seen.endpoint, id));
    udp_peer_use(peer(unit_host(31)));
    struct sockaddr_in one_more = address(unit_host(32), 0);
    assert_null(udp_peer_at(seen.endpoint, (struct sockaddr *)&one_more));
    assert_non_null(udp_peer_get(seen.endpoint, in_use));
    assert_int_equal(udp_counters(seen.endpoint).peers, 4);
    /* a request of a host that finds no place is dropped, not answered wrongly */
    bare_send(bare, unit_host(11), (uint8_t[]){REQUEST, 0, 0, 1}, 4);
    loop_run_for(5);
    assert_int_equal(seen.requests, 0);
    assert_int_equal(udp_counters(seen.endpoint).refused, 1);
}

static void a_stranger_is_told_who_we_are_until_it_is_heard(void **state)
{
    (void)state;
    struct udp_peer *other = peer(unit_host(12));

    assert_true(udp_peer_is_new(other));
    assert_true(udp_peer_is_new(other)); /* what we sent may be lost */
    bare_send(bare, unit_host(11), (uint8_t[]){NOTICE, 0, 0, 1}, 4);
    loop_run_for(5);
    assert_false(udp_peer_is_new(other));
    udp_peer_note_recovery(other, 1, false);
    udp_peer_note_recovery(other, 2, false);
    assert_true(udp_peer_is_new(other)); /* it has forgotten us */
}

static void addresses_that_cannot_be(void **state)
{
    (void)state;
    struct sockaddr unknown = {.sa_family = AF_UNIX};
    struct udp_settings settings = udp_settings_default();
    struct udp_endpoint *endpoint;
    struct sockaddr_in taken = address(unit_host(11), PORT), foreign = address("192.0.2.77", PORT);

    assert_null(udp_peer_at(seen.endpoint, &unknown));
    assert_int_equal(udp_endpoint_open(&unknown, &toy, &settings, &handler, NULL, &endpoint),
                     -EAFNOSUPPORT);
    assert_int_equal(
        udp_endpoint_open((struct sockaddr *)&taken, &toy, &settings, &handler, NULL, &endpoint),
        -EADDRINUSE);
    assert_int_equal(
        udp_endpoint_open((struct sockaddr *)&foreign, &toy, &settings, &handler, NULL, &endpoint),
        -EADDRNOTAVAIL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_ends_the_wait),
        TEST(a_lost_request_is_sent_again_unchanged),
        TEST(silence_ends_after_all_attempts),
        TEST(only_the_right_answer_counts),
        TEST(a_cancelled_fiber_leaves_nothing_behind),
        TEST(closing_ends_all_waits),
        TEST(too_many_requests_are_refused),
        TEST(a_request_that_comes_twice_is_done_once_and_answered_twice),
        TEST(a_duplicate_of_a_request_in_progress_waits_for_its_answer),
        TEST(an_abandoned_request_is_new_when_it_comes_again),
        TEST(remembered_answers_are_forgotten),
        TEST(a_full_table_forgets_answers_and_refuses_requests),
        TEST(notices_and_rubbish),
        TEST(a_piggybacked_message_is_taken_too),
        TEST(many_at_once),
        TEST(restarts_are_noticed),
        cmocka_unit_test_setup_teardown(peers_in_use_are_probed, set_up_probing, tear_down),
        TEST(the_table_of_peers_keeps_those_in_use),
        TEST(a_stranger_is_told_who_we_are_until_it_is_heard),
        TEST(addresses_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
