/*
 * diameter_peer_test.c -- Diameter nodes over loopback: two of ours with each other, and one of
 * ours with a raw socket that behaves well, badly, or not at all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "link/diameter_peer.h"
#include "link/sctp.h"

/* ---- Nodes ---- */

static const struct diameter_node_application s6a[] = {
    {DIAMETER_VENDOR_3GPP, DIAMETER_APPLICATION_S6A}};

/* What a test's nodes have seen. */
static struct {
    unsigned served;
    unsigned ups, downs;
    bool hold; /* answer later: keep the exchange */
    struct diameter_exchange *held;
    uint32_t sleep_ms;
    char last_session[128];
} seen;

struct served {
    struct diameter_exchange *exchange;
    char imsi[IMSI_SIZE];
};

static int answer_air(struct diameter_exchange *exchange, const char *imsi)
{
    struct s6a_e_utran_vector vector = {.xres = bytes_of("12345678", 8)};
    struct s6a_authentication_info info = {.e_utran_vector = {&vector, 1}};
    struct s6a_aia aia = {0};
    struct diameter_result_place place;

    memset(vector.rand, imsi[14], sizeof(vector.rand));
    aia.authentication_info = &info;
    diameter_set_result(&aia.head, &place, DIAMETER_SUCCESS);
    return diameter_answer(exchange, &aia);
}

static void sleep_and_answer(void *argument)
{
    struct served served = *(struct served *)argument;

    assert_int_equal(fiber_sleep(seen.sleep_ms), 0);
    (void)answer_air(served.exchange, served.imsi);
}

static void handle_air(struct diameter_exchange *exchange, void *request, void *owner)
{
    const struct s6a_air *air = request;
    struct served served = {.exchange = exchange};

    (void)owner;
    seen.served++;
    snprintf(seen.last_session, sizeof(seen.last_session), "%.*s", (int)air->head.session_id.len,
             (const char *)air->head.session_id.at);
    memcpy(served.imsi, air->imsi, sizeof(served.imsi));
    if (seen.hold)
        seen.held = exchange;
    else if (seen.sleep_ms > 0)
        fiber_spawn("answer", sleep_and_answer, &served);
    else
        assert_int_equal(answer_air(exchange, air->imsi), 0);
}

static void handle_pur(struct diameter_exchange *exchange, void *request, void *owner)
{
    (void)request;
    (void)owner;
    seen.served++;
    diameter_refuse(exchange, DIAMETER_ERROR_USER_UNKNOWN, "who?");
}

static const struct diameter_service services[] = {{&s6a_air_message, handle_air},
                                                   {&s6a_pur_message, handle_pur}};

static void peer_changed(void *owner, struct bytes host, bool up)
{
    (void)owner;
    (void)host;
    if (up)
        seen.ups++;
    else
        seen.downs++;
}

/* A node's configuration with room for what it points to. */
struct setup {
    struct diameter_config config;
    struct diameter_listen_config listen;
    struct diameter_peer_config peers[2];
    struct diameter_node *node;
};

static struct sockaddr_storage loopback(uint16_t port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&address;

    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons(port);
    return address;
}

static void prepare(struct setup *s, const char *host)
{
    *s = (struct setup){.config = diameter_config_default()};
    s->config.host = host;
    s->config.realm = "test";
    s->config.reconnect_ms = 300;
    s->config.connect_timeout_ms = 1000;
    s->config.request_timeout_ms = 500;
    s->config.peers.at = s->peers;
}

static void add_peer(struct setup *s, const char *host, uint16_t port)
{
    struct diameter_peer_config *peer = &s->peers[s->config.peers.count++];

    peer->host = host;
    if (port)
        peer->address = loopback(port);
}

static void listens(struct setup *s, uint16_t port)
{
    s->listen.address = loopback(port);
    s->config.listen.at = &s->listen;
    s->config.listen.count = 1;
}

static int start(struct setup *s)
{
    const struct diameter_node_settings settings = {
        .config = &s->config,
        .applications = s6a,
        .application_count = 1,
        .services = services,
        .service_count = 2,
        .owner = s,
        .peer_changed = peer_changed,
    };

    return diameter_node_start(&settings, &s->node);
}

static uint16_t port_of(const struct setup *s)
{
    struct sockaddr_storage address;

    assert_int_equal(diameter_node_address(s->node, 0, &address), 0);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* Runs the loop until the condition holds, at most two seconds. */
#define RUN_UNTIL(condition)                                      \
    do {                                                          \
        for (int turn_ = 0; turn_ < 400 && !(condition); turn_++) \
            loop_run_for(5);                                      \
        assert_true(condition);                                   \
    } while (0)

static struct setup hss, mme;

/* An HSS that listens, and accepts the peers "mme.test" and "raw.test". */
static void start_hss(void)
{
    prepare(&hss, "hss.test");
    listens(&hss, 0);
    add_peer(&hss, "mme.test", 0);
    add_peer(&hss, "raw.test", 0);
    assert_int_equal(start(&hss), 0);
}

static void start_mme(uint16_t port)
{
    prepare(&mme, "mme.test");
    add_peer(&mme, "hss.test", port);
    assert_int_equal(start(&mme), 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof(seen));
    hss.node = mme.node = NULL;
    log_init("test", LOG_ERROR);
    return loop_init();
}

static int tear_down(void **state)
{
    (void)state;
    if (mme.node)
        diameter_node_free(mme.node);
    if (hss.node)
        diameter_node_free(hss.node);
    metric_forget_all();
    sctp_free();
    loop_free();
    fiber_free_stacks();
    return 0;
}

/* ---- A fiber that asks ---- */

struct question {
    struct diameter_node *node;
    const char *imsi;
    uint32_t timeout_ms;
    struct fiber *fiber;
    int err;
    uint32_t result;
    uint8_t first;
    bool done;
};

static void ask_air(void *argument)
{
    struct question *q = argument;
    struct s6a_air air = {.visited_plmn_id = {1, 1, 2}};
    struct s6a_aia aia;

    strcpy(air.imsi, q->imsi);
    q->err = diameter_request(q->node, &s6a_air_message, &air, &aia, q->timeout_ms);
    assert_int_equal(air.head.session_id.len, 0);
    if (q->err == 0) {
        q->result = diameter_result_of(&aia.head);
        if (aia.authentication_info)
            q->first = aia.authentication_info->e_utran_vector.at[0].rand[0];
    }
    q->done = true;
}

static void ask_pur(void *argument)
{
    struct question *q = argument;
    struct s6a_pur pur = {0};
    struct s6a_pua pua;

    strcpy(pur.imsi, q->imsi);
    q->err = diameter_request(q->node, &s6a_pur_message, &pur, &pua, 0);
    if (q->err == 0)
        q->result = diameter_result_of(&pua.head);
    q->done = true;
}

static struct question question(const char *imsi)
{
    return (struct question){.node = mme.node, .imsi = imsi};
}

/* ---- A raw peer ---- */

struct raw {
    int fd;
    uint8_t in[1 << 18];
    size_t len;
    struct bytes message; /* the last one taken */
    uint8_t taken[1 << 16];
};

static struct raw raw, raw2;

static void raw_connect(struct raw *r, uint16_t port)
{
    struct sockaddr_storage to = loopback(port);

    r->len = 0;
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(r->fd >= 0);
    assert_int_equal(connect(r->fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in)), 0);
}

static void raw_send(struct raw *r, struct bytes bytes)
{
    assert_int_equal(send(r->fd, bytes.at, bytes.len, MSG_NOSIGNAL), bytes.len);
}

/* The next message, or false when none comes within a second. */
static bool raw_take(struct raw *r)
{
    for (int turn = 0; turn < 200; turn++) {
        if (r->len >= 4) {
            size_t len = (size_t)r->in[1] << 16 | (size_t)r->in[2] << 8 | r->in[3];
            if (r->len >= len) {
                memcpy(r->taken, r->in, len);
                r->message = bytes_of(r->taken, len);
                r->len -= len;
                memmove(r->in, r->in + len, r->len);
                return true;
            }
        }
        loop_run_for(5);
        ssize_t n = recv(r->fd, r->in + r->len, sizeof(r->in) - r->len, MSG_DONTWAIT);
        if (n > 0)
            r->len += (size_t)n;
        else if (n == 0)
            return false;
    }
    return false;
}

/* True when the other side has closed (what it sent before is read away). */
static bool raw_is_closed(struct raw *r)
{
    for (int turn = 0; turn < 400; turn++) {
        uint8_t away[4096];
        loop_run_for(5);
        ssize_t n = recv(r->fd, away, sizeof(away), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return true;
    }
    return false;
}

static struct diameter_envelope raw_envelope(const struct raw *r)
{
    struct diameter_envelope envelope;

    assert_int_equal(diameter_scan(r->message, &envelope), 0);
    return envelope;
}

static struct bytes encode(const struct diameter_message *message, struct diameter_header header,
                           const void *value)
{
    static uint8_t buffer[4096];
    struct writer w = writer_of(buffer, sizeof(buffer));

    diameter_encode(&w, message, &header, value);
    assert_false(w.bad);
    return wr_view(&w);
}

static struct bytes raw_cer(const char *host, uint32_t application)
{
    static uint32_t vendor = DIAMETER_VENDOR_3GPP;
    struct diameter_address address = {.family = DIAMETER_ADDRESS_IPV4};
    const struct diameter_capabilities cer = {
        .origin_host = diameter_text_of(host),
        .origin_realm = diameter_text_of("test"),
        .host_ip_address = {&address, 1},
        .product_name = diameter_text_of("raw"),
        .vendor_application = {&(struct diameter_vendor_application){
                                   .vendor_id = {&vendor, 1}, .auth_application_id = &application},
                               1},
    };
    return encode(&diameter_cer_message, (struct diameter_header){.hop_by_hop = 7, .end_to_end = 8},
                  &cer);
}

static uint32_t raw_open(struct raw *r, const char *host, uint32_t application)
{
    raw_connect(r, port_of(&hss));
    raw_send(r, raw_cer(host, application));
    assert_true(raw_take(r));
    struct diameter_envelope cea = raw_envelope(r);
    assert_int_equal(cea.header.command, DIAMETER_CAPABILITIES_EXCHANGE);
    assert_int_equal(cea.header.hop_by_hop, 7);
    assert_int_equal(cea.header.end_to_end, 8);
    return cea.result;
}

static struct s6a_air raw_air_message(void)
{
    struct s6a_air air = {
        .head = {.session_id = diameter_text_of("raw.test;1;2"),
                 .auth_session_state = DIAMETER_NO_STATE_MAINTAINED,
                 .origin_host = diameter_text_of("raw.test"),
                 .origin_realm = diameter_text_of("test"),
                 .destination_realm = diameter_text_of("test")},
        .imsi = "001010000000001",
        .visited_plmn_id = {1, 1, 2},
    };
    return air;
}

static struct bytes raw_air(uint32_t hop_by_hop, uint32_t end_to_end, uint8_t flags)
{
    struct s6a_air air = raw_air_message();

    return encode(&s6a_air_message,
                  (struct diameter_header){
                      .flags = flags, .hop_by_hop = hop_by_hop, .end_to_end = end_to_end},
                  &air);
}

/* ---- Requests and answers ---- */

static void request_and_answer(void **state)
{
    (void)state;
    start_hss();
    start_mme(port_of(&hss));
    RUN_UNTIL(seen.ups == 2);
    assert_true(diameter_is_reachable(mme.node, diameter_text_of("hss.test"), bytes_of(NULL, 0)));
    assert_false(diameter_is_reachable(mme.node, diameter_text_of("no.test"), bytes_of(NULL, 0)));

    struct question q = question("001010000000007");
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(q.done);
    assert_int_equal(q.err, 0);
    assert_int_equal(q.result, DIAMETER_SUCCESS);
    assert_int_equal(q.first, '7');
    assert_int_equal(seen.served, 1);
    assert_int_equal(strncmp(seen.last_session, "mme.test;", 9), 0);

    struct question p = question("001010000000008");
    fiber_spawn("ask", ask_pur, &p);
    RUN_UNTIL(p.done);
    assert_int_equal(p.result, DIAMETER_ERROR_USER_UNKNOWN);

    /* In both directions: the HSS asks the MME. */
    struct question back = {.node = hss.node, .imsi = "001010000000009"};
    fiber_spawn("ask", ask_air, &back);
    RUN_UNTIL(back.done);
    assert_int_equal(back.result, DIAMETER_SUCCESS);
    assert_int_equal(back.first, '9');

    json_t *list = diameter_node_state(mme.node);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")),
                        "I-Open");
    json_decref(list);
}

#define MANY 500

static void many_at_once_and_late(void **state)
{
    (void)state;
    static struct question many[MANY];
    static char imsi[MANY][IMSI_SIZE];

    start_hss();
    start_mme(port_of(&hss));
    RUN_UNTIL(seen.ups == 2);
    seen.sleep_ms = 20;
    for (int i = 0; i < MANY; i++) {
        snprintf(imsi[i], IMSI_SIZE, "00101%010d", i);
        many[i] = question(imsi[i]);
        fiber_spawn("ask", ask_air, &many[i]);
    }
    RUN_UNTIL(seen.served == MANY);
    for (int i = 0; i < MANY; i++)
        RUN_UNTIL(many[i].done);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(many[i].result, DIAMETER_SUCCESS);
        assert_int_equal(many[i].first, imsi[i][14]);
    }
}

static void nobody_there(void **state)
{
    (void)state;
    prepare(&mme, "mme.test");
    assert_int_equal(start(&mme), 0);
    struct question q = question("001010000000007");
    fiber_spawn("ask", ask_air, &q);
    assert_true(q.done);
    assert_int_equal(q.err, -EHOSTUNREACH);
}

static void timeout_and_late_answer(void **state)
{
    (void)state;
    start_hss();
    start_mme(port_of(&hss));
    RUN_UNTIL(seen.ups == 2);
    seen.hold = true;
    struct question q = question("001010000000007");
    q.timeout_ms = 50;
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(q.done);
    assert_int_equal(q.err, -ETIMEDOUT);
    assert_non_null(seen.held);
    assert_int_equal(answer_air(seen.held, "001010000000007"), 0);
    loop_run_for(50);
    /* The late answer went nowhere, and the connection is as good as before. */
    seen.hold = false;
    q.done = false;
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(q.done);
    assert_int_equal(q.err, 0);
}

static void cancelled(void **state)
{
    (void)state;
    start_hss();
    start_mme(port_of(&hss));
    RUN_UNTIL(seen.ups == 2);
    seen.hold = true;
    struct question q = question("001010000000007");
    q.fiber = fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(seen.held != NULL);
    fiber_cancel(q.fiber);
    assert_true(q.done);
    assert_int_equal(q.err, -ECANCELED);
    assert_int_equal(answer_air(seen.held, "001010000000007"), 0);
    loop_run_for(20);

    /* The node goes while a request waits, and while an exchange is open. */
    seen.held = NULL;
    q.done = false;
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(seen.held != NULL);
    diameter_node_free(mme.node);
    mme.node = NULL;
    assert_true(q.done);
    assert_int_equal(q.err, -ECANCELED);
    RUN_UNTIL(seen.downs == 1);
    assert_int_equal(answer_air(seen.held, "001010000000007"), -ENOTCONN);
}

static void exchange_survives_the_node(void **state)
{
    (void)state;
    start_hss();
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    seen.hold = true;
    raw_send(&raw, raw_air(1, 1, 0));
    RUN_UNTIL(seen.held != NULL);
    diameter_node_free(hss.node);
    hss.node = NULL;
    assert_null(diameter_exchange_node(seen.held));
    assert_int_equal(answer_air(seen.held, "001010000000007"), -ENOTCONN);
    close(raw.fd);
}

static void bounded_outstanding(void **state)
{
    (void)state;
    start_hss();
    prepare(&mme, "mme.test");
    mme.config.max_outstanding = 2;
    add_peer(&mme, "hss.test", port_of(&hss));
    assert_int_equal(start(&mme), 0);
    RUN_UNTIL(seen.ups == 2);
    seen.sleep_ms = 20;
    struct question q[3] = {question("001010000000001"), question("001010000000002"),
                            question("001010000000003")};
    for (int i = 0; i < 3; i++)
        fiber_spawn("ask", ask_air, &q[i]);
    assert_true(q[2].done);
    assert_int_equal(q[2].err, -ENOBUFS);
    RUN_UNTIL(q[0].done && q[1].done);
    assert_int_equal(q[0].err, 0);
    assert_int_equal(q[1].err, 0);
}

static void bounded_pending(void **state)
{
    (void)state;
    prepare(&hss, "hss.test");
    listens(&hss, 0);
    add_peer(&hss, "raw.test", 0);
    hss.config.max_pending = 1;
    assert_int_equal(start(&hss), 0);
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    seen.hold = true;
    raw_send(&raw, raw_air(1, 1, 0));
    raw_send(&raw, raw_air(2, 2, 0));
    assert_true(raw_take(&raw));
    assert_int_equal(raw_envelope(&raw).result, DIAMETER_TOO_BUSY);
    assert_int_equal(raw_envelope(&raw).header.hop_by_hop, 2);
    assert_int_equal(diameter_refuse(seen.held, DIAMETER_UNABLE_TO_COMPLY, NULL), 0);
    assert_true(raw_take(&raw));
    assert_int_equal(raw_envelope(&raw).header.hop_by_hop, 1);
    close(raw.fd);
}

/* ---- Capabilities ---- */

static void unknown_peer_and_application(void **state)
{
    (void)state;
    start_hss();
    assert_int_equal(raw_open(&raw, "stranger.test", DIAMETER_APPLICATION_S6A),
                     DIAMETER_UNKNOWN_PEER);
    assert_true(raw_envelope(&raw).header.flags & DIAMETER_FLAG_ERROR);
    assert_true(raw_is_closed(&raw));
    close(raw.fd);
    assert_int_equal(raw_open(&raw, "raw.test", 4), DIAMETER_NO_COMMON_APPLICATION);
    assert_true(raw_is_closed(&raw));
    close(raw.fd);
    assert_int_equal(raw_open(&raw, "hss.test", DIAMETER_APPLICATION_S6A), DIAMETER_UNKNOWN_PEER);
    close(raw.fd);
    assert_int_equal(seen.ups, 0);
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_RELAY), DIAMETER_SUCCESS);
    assert_int_equal(seen.ups, 1);
    close(raw.fd);
    RUN_UNTIL(seen.downs == 1);
}

static void broken_capabilities(void **state)
{
    (void)state;
    start_hss();
    struct bytes cer = raw_cer("raw.test", DIAMETER_APPLICATION_S6A);
    uint8_t copy[512];

    /* Without its last AVP but one there is no Product-Name; here: the mandatory Host-IP-Address is
     * renamed. */
    memcpy(copy, cer.at, cer.len);
    uint8_t *host_ip = memmem(copy, cer.len, "\0\0\1\1\x40", 5);
    assert_non_null(host_ip);
    host_ip[2] = 3; /* 769, without M bit */
    host_ip[4] = 0;
    raw_connect(&raw, port_of(&hss));
    raw_send(&raw, bytes_of(copy, cer.len));
    assert_true(raw_take(&raw));
    struct diameter_cea cea;
    struct arena arena;
    arena_init(&arena, 65536);
    struct wire_context context = {.arena = &arena};
    assert_int_equal(diameter_decode(&diameter_cea_message, raw.message, &cea, &context), 0);
    assert_int_equal(cea.result_code, DIAMETER_MISSING_AVP);
    assert_memory_equal(cea.failed_avp->at, "\0\0\1\1\x40\0\0\x0e", 8);
    assert_true(raw_is_closed(&raw));
    arena_free(&arena);
    close(raw.fd);
}

static void accepts_unknown_of_our_realm(void **state)
{
    (void)state;
    prepare(&hss, "hss.test");
    listens(&hss, 0);
    hss.config.accept_unknown_peers = true;
    hss.config.max_peers = 1;
    assert_int_equal(start(&hss), 0);
    assert_int_equal(raw_open(&raw, "new.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    /* No room for another. */
    assert_int_equal(raw_open(&raw2, "newer.test", DIAMETER_APPLICATION_S6A),
                     DIAMETER_UNABLE_TO_COMPLY);
    close(raw.fd);
    RUN_UNTIL(seen.downs == 1);
    close(raw2.fd);
    assert_int_equal(raw_open(&raw2, "newer.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    close(raw2.fd);
}

static void message_before_capabilities(void **state)
{
    (void)state;
    start_hss();
    raw_connect(&raw, port_of(&hss));
    raw_send(&raw, raw_air(1, 1, 0));
    assert_true(raw_is_closed(&raw));
    close(raw.fd);
    assert_int_equal(seen.served, 0);
}

/* Both connect to each other at the same time: one connection is left, and works both ways. */
static void election(void **state)
{
    (void)state;
    uint16_t mme_port, hss_port;
    struct setup probe;

    prepare(&probe, "p.test");
    listens(&probe, 0);
    assert_int_equal(start(&probe), 0);
    hss_port = port_of(&probe);
    diameter_node_free(probe.node);
    prepare(&mme, "mme.test");
    listens(&mme, 0);
    add_peer(&mme, "hss.test", hss_port);
    assert_int_equal(start(&mme), 0);
    mme_port = port_of(&mme);
    prepare(&hss, "hss.test");
    listens(&hss, hss_port);
    add_peer(&hss, "mme.test", mme_port);
    assert_int_equal(start(&hss), 0);
    RUN_UNTIL(seen.ups >= 2);
    loop_run_for(300);
    assert_int_equal(seen.ups - seen.downs, 2);
    json_t *list = diameter_node_state(mme.node);
    const char *state_name = json_string_value(json_object_get(json_array_get(list, 0), "state"));
    assert_non_null(strstr(state_name, "Open"));
    json_decref(list);
    struct question q = question("001010000000007");
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(q.done);
    assert_int_equal(q.err, 0);
    struct question back = {.node = hss.node, .imsi = "001010000000009"};
    fiber_spawn("ask", ask_air, &back);
    RUN_UNTIL(back.done);
    assert_int_equal(back.err, 0);
}

/* The election, step by step: we have sent our CER when the other side's CER arrives on its own
 * connection. */
static void election_by_hand(const char *name, bool we_win)
{
    struct sockaddr_storage at = loopback(0);
    socklen_t len = sizeof(at);
    int listening = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listening, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(listen(listening, 4), 0);
    getsockname(listening, (struct sockaddr *)&at, &len);
    prepare(&hss, "hss.test");
    listens(&hss, 0);
    add_peer(&hss, name, ntohs(((struct sockaddr_in *)&at)->sin_port));
    assert_int_equal(start(&hss), 0);
    loop_run_for(50);
    raw2.len = 0;
    raw2.fd = accept(listening, NULL, NULL); /* the connection that the node began */
    assert_true(raw_take(&raw2));
    struct diameter_envelope cer = raw_envelope(&raw2);
    assert_int_equal(cer.header.command, DIAMETER_CAPABILITIES_EXCHANGE);
    raw_connect(&raw, port_of(&hss));
    raw_send(&raw, raw_cer(name, DIAMETER_APPLICATION_S6A));
    if (we_win) {
        /* It answers on the other's connection and closes its own. */
        assert_true(raw_take(&raw));
        assert_int_equal(raw_envelope(&raw).result, DIAMETER_SUCCESS);
        assert_true(raw_is_closed(&raw2));
    } else {
        loop_run_for(50);
        assert_int_equal(seen.ups, 0);
        uint32_t vendor = DIAMETER_VENDOR_3GPP, application = DIAMETER_APPLICATION_S6A;
        const struct diameter_cea cea = {
            .result_code = DIAMETER_SUCCESS,
            .origin_host = diameter_text_of(name),
            .origin_realm = diameter_text_of("test"),
            .vendor_application = {&(struct diameter_vendor_application){.vendor_id = {&vendor, 1},
                                                                         .auth_application_id =
                                                                             &application},
                                   1},
        };
        raw_send(&raw2, encode(&diameter_cea_message,
                               (struct diameter_header){.hop_by_hop = cer.header.hop_by_hop,
                                                        .end_to_end = cer.header.end_to_end},
                               &cea));
        assert_true(raw_is_closed(&raw));
    }
    RUN_UNTIL(seen.ups == 1);
    assert_int_equal(seen.downs, 0);
    close(raw.fd);
    close(raw2.fd);
    close(listening);
}

static void election_won(void **state)
{
    (void)state;
    election_by_hand("aaa.test", true);
}

static void election_lost(void **state)
{
    (void)state;
    election_by_hand("zzz.test", false);
}

/* ---- Watchdog, good-bye, coming back ---- */

static void watchdog(void **state)
{
    (void)state;
    prepare(&hss, "hss.test");
    listens(&hss, 0);
    add_peer(&hss, "raw.test", 0);
    hss.config.watchdog_ms = 100;
    assert_int_equal(start(&hss), 0);
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);

    /* Ours is answered. */
    const struct diameter_dwr dwr = {diameter_text_of("raw.test"), diameter_text_of("test"), NULL};
    raw_send(&raw, encode(&diameter_dwr_message,
                          (struct diameter_header){.hop_by_hop = 77, .end_to_end = 78}, &dwr));
    assert_true(raw_take(&raw));
    struct diameter_envelope dwa = raw_envelope(&raw);
    assert_int_equal(dwa.header.command, DIAMETER_DEVICE_WATCHDOG);
    assert_int_equal(dwa.header.hop_by_hop, 77);
    assert_int_equal(dwa.result, DIAMETER_SUCCESS);

    /* Theirs comes after silence; we answer twice, and then no more. */
    for (int i = 0; i < 2; i++) {
        assert_true(raw_take(&raw));
        struct diameter_envelope theirs = raw_envelope(&raw);
        assert_int_equal(theirs.header.command, DIAMETER_DEVICE_WATCHDOG);
        assert_true(diameter_is_request(&theirs.header));
        const struct diameter_peer_answer answer = {.result_code = DIAMETER_SUCCESS,
                                                    .origin_host = diameter_text_of("raw.test"),
                                                    .origin_realm = diameter_text_of("test")};
        raw_send(&raw, encode(&diameter_dwa_message,
                              (struct diameter_header){.hop_by_hop = theirs.header.hop_by_hop,
                                                       .end_to_end = theirs.header.end_to_end},
                              &answer));
    }
    assert_true(raw_take(&raw));
    assert_int_equal(seen.downs, 0);
    assert_true(raw_is_closed(&raw));
    assert_int_equal(seen.downs, 1);
    close(raw.fd);

    /* After such an end it has to answer three DWRs before it is trusted. */
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    json_t *list = diameter_node_state(hss.node);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "watchdog")),
                        "reopen");
    json_decref(list);
    for (int i = 0; i < 3; i++) {
        assert_true(raw_take(&raw));
        struct diameter_envelope theirs = raw_envelope(&raw);
        const struct diameter_peer_answer answer = {.result_code = DIAMETER_SUCCESS,
                                                    .origin_host = diameter_text_of("raw.test"),
                                                    .origin_realm = diameter_text_of("test")};
        raw_send(&raw,
                 encode(&diameter_dwa_message,
                        (struct diameter_header){.hop_by_hop = theirs.header.hop_by_hop}, &answer));
    }
    loop_run_for(30);
    list = diameter_node_state(hss.node);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "watchdog")),
                        "okay");
    json_decref(list);
    close(raw.fd);
}

static void good_bye_from_the_peer(void **state)
{
    (void)state;
    start_hss();
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    const struct diameter_dpr dpr = {diameter_text_of("raw.test"), diameter_text_of("test"),
                                     DIAMETER_REBOOTING};
    raw_send(&raw, encode(&diameter_dpr_message,
                          (struct diameter_header){.hop_by_hop = 5, .end_to_end = 6}, &dpr));
    assert_true(raw_take(&raw));
    assert_int_equal(raw_envelope(&raw).header.command, DIAMETER_DISCONNECT_PEER);
    assert_int_equal(raw_envelope(&raw).result, DIAMETER_SUCCESS);
    RUN_UNTIL(seen.downs == 1);
    close(raw.fd);
    loop_run_for(20);
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    close(raw.fd);
}

static bool has_stopped;

static void note_stopped(void *owner)
{
    assert_ptr_equal(owner, &hss);
    has_stopped = true;
}

static void good_bye_to_the_peer(void **state)
{
    (void)state;
    start_hss();
    start_mme(port_of(&hss));
    RUN_UNTIL(seen.ups == 2);
    has_stopped = false;
    diameter_node_stop(hss.node, DIAMETER_REBOOTING, note_stopped, &hss);
    hss.node = NULL;
    RUN_UNTIL(has_stopped);
    RUN_UNTIL(seen.downs == 1);

    /* Nobody to say good-bye to: stops at once. */
    start_hss();
    has_stopped = false;
    diameter_node_stop(hss.node, DIAMETER_REBOOTING, note_stopped, &hss);
    hss.node = NULL;
    loop_run_for(10);
    assert_true(has_stopped);
}

static void reconnects(void **state)
{
    (void)state;
    start_hss();
    uint16_t port = port_of(&hss);
    start_mme(port);
    RUN_UNTIL(seen.ups == 2);
    seen.hold = true;
    struct question q = question("001010000000007");
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(seen.held != NULL);
    diameter_node_free(hss.node); /* dies without a word */
    hss.node = NULL;
    RUN_UNTIL(q.done);
    assert_int_equal(q.err, -EHOSTUNREACH);
    (void)answer_air(seen.held, "001010000000007");
    loop_run_for(500);
    seen.hold = false;
    prepare(&hss, "hss.test");
    listens(&hss, port);
    add_peer(&hss, "mme.test", 0);
    assert_int_equal(start(&hss), 0);
    RUN_UNTIL(seen.ups == 4);
    q = question("001010000000008");
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(q.done);
    assert_int_equal(q.err, 0);
}

/* ---- Two servers ---- */

static void failover(void **state)
{
    (void)state;
    static struct setup other;

    start_hss();
    prepare(&other, "other.test");
    listens(&other, 0);
    add_peer(&other, "mme.test", 0);
    assert_int_equal(start(&other), 0);
    prepare(&mme, "mme.test");
    add_peer(&mme, "hss.test", port_of(&hss));
    add_peer(&mme, "other.test", port_of(&other));
    assert_int_equal(start(&mme), 0);
    RUN_UNTIL(seen.ups == 4);

    /* Whichever gets it keeps it and dies; the other answers. */
    seen.hold = true;
    struct question q = question("001010000000007");
    q.timeout_ms = 1500;
    fiber_spawn("ask", ask_air, &q);
    RUN_UNTIL(seen.held != NULL);
    struct setup *first = diameter_exchange_node(seen.held) == hss.node ? &hss : &other;
    struct setup *second = first == &hss ? &other : &hss;
    seen.hold = false;
    diameter_node_free(first->node);
    first->node = NULL;
    RUN_UNTIL(q.done);
    assert_int_equal(q.err, 0);
    assert_int_equal(seen.served, 2);
    (void)answer_air(seen.held, "001010000000007");
    diameter_node_free(second->node);
    second->node = NULL;
}

static void repeated_requests(void **state)
{
    (void)state;
    start_hss();
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    assert_int_equal(raw_open(&raw2, "mme.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    raw_send(&raw, raw_air(100, 1000, 0));
    assert_true(raw_take(&raw));
    uint8_t first[1024];
    size_t len = raw.message.len;
    memcpy(first, raw.message.at, len);

    /* The same again on another connection: the same answer, but for its Hop-by-Hop Identifier. */
    raw_send(&raw2, raw_air(200, 1000, DIAMETER_FLAG_RETRANSMITTED));
    assert_true(raw_take(&raw2));
    assert_int_equal(raw_envelope(&raw2).header.hop_by_hop, 200);
    assert_int_equal(raw2.message.len, len);
    assert_memory_equal(raw2.message.at, first, 12);
    assert_memory_equal(raw2.message.at + 16, first + 16, len - 16);
    assert_int_equal(seen.served, 1);

    /* Without the T bit it is a new request; with it but never seen, too. */
    raw_send(&raw2, raw_air(201, 1000, 0));
    assert_true(raw_take(&raw2));
    assert_int_equal(seen.served, 2);
    raw_send(&raw2, raw_air(202, 1001, DIAMETER_FLAG_RETRANSMITTED));
    assert_true(raw_take(&raw2));
    assert_int_equal(seen.served, 3);

    /* Repeated while it is being handled: answered where it was asked last. */
    seen.hold = true;
    raw_send(&raw, raw_air(300, 2000, 0));
    RUN_UNTIL(seen.held != NULL);
    raw_send(&raw2, raw_air(301, 2000, DIAMETER_FLAG_RETRANSMITTED));
    loop_run_for(30);
    assert_int_equal(seen.served, 4);
    assert_int_equal(answer_air(seen.held, "001010000000001"), 0);
    assert_true(raw_take(&raw2));
    assert_int_equal(raw_envelope(&raw2).header.hop_by_hop, 301);

    /* The memory for answers is a ring: thousands later the first is forgotten, and nothing breaks.
     */
    seen.hold = false;
    for (uint32_t i = 0; i < 20000; i++) {
        raw_send(&raw, raw_air(i, 10000 + i, 0));
        if (i % 50 == 49) {
            for (int k = 0; k < 50; k++)
                assert_true(raw_take(&raw));
        }
    }
    unsigned served = seen.served;
    raw_send(&raw, raw_air(1, 1000, DIAMETER_FLAG_RETRANSMITTED));
    assert_true(raw_take(&raw));
    assert_int_equal(seen.served, served + 1);
    raw_send(&raw, raw_air(1, 10000 + 19999, DIAMETER_FLAG_RETRANSMITTED));
    assert_true(raw_take(&raw));
    assert_int_equal(seen.served, served + 1);
    close(raw.fd);
    close(raw2.fd);
}

/* ---- Refusals ---- */

/* Sends an AIR changed by `change` and gives the answer's result. */
static uint32_t refused(void (*change)(struct s6a_air *air, struct diameter_header *header,
                                       struct diameter_message *message))
{
    struct s6a_air air = raw_air_message();
    struct diameter_header header = {.hop_by_hop = 1, .end_to_end = 2};
    struct diameter_message message = s6a_air_message;

    change(&air, &header, &message);
    raw_send(&raw, encode(&message, header, &air));
    assert_true(raw_take(&raw));
    struct diameter_envelope answer = raw_envelope(&raw);
    assert_false(diameter_is_request(&answer.header));
    assert_int_equal(answer.header.hop_by_hop, 1);
    assert_int_equal(answer.header.end_to_end, 2);
    assert_int_equal(answer.session_id.len, strlen("raw.test;1;2"));
    bool error = answer.header.flags & DIAMETER_FLAG_ERROR;
    assert_int_equal(error, diameter_result_is_protocol_error(answer.result));
    return answer.result;
}

static void change_application(struct s6a_air *air, struct diameter_header *header,
                               struct diameter_message *message)
{
    (void)air;
    (void)header;
    message->application = 16777216;
}

static void change_command(struct s6a_air *air, struct diameter_header *header,
                           struct diameter_message *message)
{
    (void)air;
    (void)header;
    message->command = 999;
}

static void change_host(struct s6a_air *air, struct diameter_header *header,
                        struct diameter_message *message)
{
    static struct bytes host;

    (void)header;
    (void)message;
    host = diameter_text_of("elsewhere.test");
    air->head.destination_host = &host;
}

static void change_realm(struct s6a_air *air, struct diameter_header *header,
                         struct diameter_message *message)
{
    (void)header;
    (void)message;
    air->head.destination_realm = diameter_text_of("elsewhere");
}

static void change_route(struct s6a_air *air, struct diameter_header *header,
                         struct diameter_message *message)
{
    static struct bytes route;

    (void)header;
    (void)message;
    route = diameter_text_of("HSS.test");
    air->head.route_record.at = &route;
    air->head.route_record.count = 1;
}

static void change_error_bit(struct s6a_air *air, struct diameter_header *header,
                             struct diameter_message *message)
{
    (void)air;
    (void)message;
    header->flags |= DIAMETER_FLAG_ERROR;
}

static void change_imsi(struct s6a_air *air, struct diameter_header *header,
                        struct diameter_message *message)
{
    (void)header;
    (void)message;
    strcpy(air->imsi, "12");
}

static void refusals(void **state)
{
    (void)state;
    start_hss();
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    assert_int_equal(refused(change_application), DIAMETER_APPLICATION_UNSUPPORTED);
    assert_int_equal(refused(change_command), DIAMETER_COMMAND_UNSUPPORTED);
    assert_int_equal(refused(change_host), DIAMETER_UNABLE_TO_DELIVER);
    assert_int_equal(refused(change_realm), DIAMETER_REALM_NOT_SERVED);
    assert_int_equal(refused(change_route), DIAMETER_LOOP_DETECTED);
    assert_int_equal(refused(change_error_bit), DIAMETER_INVALID_HDR_BITS);
    assert_int_equal(refused(change_imsi), DIAMETER_INVALID_AVP_VALUE);
    assert_int_equal(seen.served, 0);

    /* An unknown command of the base protocol. */
    struct bytes unknown = raw_air(9, 9, 0);
    uint8_t copy[1024];
    memcpy(copy, unknown.at, unknown.len);
    memset(copy + 5, 0, 7);
    copy[7] = 99;
    raw_send(&raw, bytes_of(copy, unknown.len));
    assert_true(raw_take(&raw));
    assert_int_equal(raw_envelope(&raw).result, DIAMETER_COMMAND_UNSUPPORTED);

    /* The connection is still good. */
    raw_send(&raw, raw_air(3, 3, 0));
    assert_true(raw_take(&raw));
    assert_int_equal(raw_envelope(&raw).result, DIAMETER_SUCCESS);
    close(raw.fd);
}

static void proxy_info_comes_back(void **state)
{
    (void)state;
    struct s6a_air air = raw_air_message();
    struct bytes proxies[2] = {
        bytes_of("\0\0\1\x18\x40\0\0\x0cprox\0\0\0\x21\x40\0\0\x0c-abc", 24),
        bytes_of("\0\0\1\x18\x40\0\0\x0cprxy\0\0\0\x21\x40\0\0\x0c-def", 24)};
    struct arena arena;
    struct s6a_aia aia;

    start_hss();
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    air.head.proxy_info.at = proxies;
    air.head.proxy_info.count = 2;
    raw_send(&raw, encode(&s6a_air_message, (struct diameter_header){0}, &air));
    assert_true(raw_take(&raw));
    arena_init(&arena, 65536);
    struct wire_context context = {.arena = &arena};
    assert_int_equal(diameter_decode(&s6a_aia_message, raw.message, &aia, &context), 0);
    assert_int_equal(aia.head.proxy_info.count, 2);
    assert_true(bytes_equal(aia.head.proxy_info.at[0], proxies[0]));
    assert_true(bytes_equal(aia.head.proxy_info.at[1], proxies[1]));
    arena_free(&arena);
    close(raw.fd);
}

/* ---- Hostile bytes ---- */

static void half_messages(void **state)
{
    (void)state;
    start_hss();
    raw_connect(&raw, port_of(&hss));
    struct bytes cer = raw_cer("raw.test", DIAMETER_APPLICATION_S6A);
    for (size_t i = 0; i < cer.len; i++) {
        raw_send(&raw, bytes_of(cer.at + i, 1));
        if (i % 8 == 0)
            loop_run_for(2);
    }
    assert_true(raw_take(&raw));
    assert_int_equal(raw_envelope(&raw).result, DIAMETER_SUCCESS);

    /* Three and a half messages in one segment, then the rest. */
    struct bytes air = raw_air(1, 1, 0);
    uint8_t batch[4096];
    for (int i = 0; i < 4; i++)
        memcpy(batch + (size_t)i * air.len, air.at, air.len);
    raw_send(&raw, bytes_of(batch, 3 * air.len + air.len / 2));
    for (int i = 0; i < 3; i++)
        assert_true(raw_take(&raw));
    assert_int_equal(seen.served, 3);
    raw_send(&raw, bytes_of(batch + 3 * air.len + air.len / 2, air.len - air.len / 2));
    assert_true(raw_take(&raw));
    assert_int_equal(seen.served, 4);
    close(raw.fd);
}

static void closes_on(struct bytes bytes, bool after_cer)
{
    if (after_cer)
        assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    else
        raw_connect(&raw, port_of(&hss));
    raw_send(&raw, bytes);
    assert_true(raw_is_closed(&raw));
    close(raw.fd);
    loop_run_for(10);
}

static void garbage(void **state)
{
    (void)state;
    uint8_t noise[4096];

    start_hss();
    for (int after = 0; after < 2; after++) {
        closes_on(bytes_of("GET / HTTP/1.1\r\n\r\n", 18), after);
        closes_on(bytes_of("\1\0\0\0", 4), after);       /* length 0 */
        closes_on(bytes_of("\1\0\0\x13", 4), after);     /* less than a header */
        closes_on(bytes_of("\1\0\0\x15", 4), after);     /* no multiple of four */
        closes_on(bytes_of("\1\xff\xff\xfc", 4), after); /* 16 MiB */
        closes_on(bytes_of("\2\0\0\x14", 4), after);     /* another version */
        srand(7);
        for (int n = 0; n < 20; n++) {
            for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (uint8_t)rand();
            noise[0] = (uint8_t)(n | 2);
            closes_on(bytes_of(noise, sizeof(noise)), after);
        }
    }
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    close(raw.fd);
}

/* Messages with good headers and noise for AVPs: every one is answered or ignored. */
static void noise_in_messages(void **state)
{
    (void)state;
    start_hss();
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    srand(11);
    for (int n = 0; n < 500; n++) {
        struct bytes air = raw_air((uint32_t)n, (uint32_t)n, 0);
        uint8_t copy[1024];
        memcpy(copy, air.at, air.len);
        for (int k = 0; k < 1 + n % 7; k++)
            copy[20 + (size_t)rand() % (air.len - 20)] = (uint8_t)rand();
        raw_send(&raw, bytes_of(copy, air.len));
        assert_true(raw_take(&raw));
        assert_int_equal(raw_envelope(&raw).header.hop_by_hop, n);
    }
    close(raw.fd);
}

/* Nobody reads the answers: reading stops, and all of them come when they are wanted. */
static void slow_reader(void **state)
{
    (void)state;
    const uint32_t count = 30000;
    uint32_t sent = 0, got = 0;

    prepare(&hss, "hss.test");
    listens(&hss, 0);
    add_peer(&hss, "raw.test", 0);
    hss.config.max_queue_bytes = 65536;
    assert_int_equal(start(&hss), 0);
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    for (int idle = 0; idle < 50 && sent < count;) {
        struct bytes air = raw_air(sent, sent, 0);
        ssize_t n = send(raw.fd, air.at, air.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            loop_run_for(5);
            idle++;
            continue;
        }
        if ((size_t)n < air.len) { /* the rest must follow, or the stream is broken */
            while ((size_t)n < air.len) {
                loop_run_for(1);
                ssize_t more =
                    send(raw.fd, air.at + n, air.len - (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (more > 0)
                    n += more;
                else
                    break;
            }
            if ((size_t)n < air.len) { /* truly stuck: drain one answer at a time until it fits */
                while ((size_t)n < air.len) {
                    assert_true(raw_take(&raw));
                    got++;
                    ssize_t more =
                        send(raw.fd, air.at + n, air.len - (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
                    n += more > 0 ? more : 0;
                }
            }
        }
        sent++;
    }
    assert_true(seen.served < sent); /* it did stop reading */
    while (got < sent) {
        assert_true(raw_take(&raw));
        got++;
    }
    assert_int_equal(seen.served, sent);
    close(raw.fd);
}

static void silent_connections(void **state)
{
    (void)state;
    prepare(&hss, "hss.test");
    listens(&hss, 0);
    add_peer(&hss, "raw.test", 0);
    hss.config.connect_timeout_ms = 100;
    hss.config.max_peers = 1;
    assert_int_equal(start(&hss), 0);
    int fds[40];
    for (int i = 0; i < 40; i++) {
        raw_connect(&raw, port_of(&hss));
        fds[i] = raw.fd;
    }
    loop_run_for(50);
    /* More than may wait are closed at once, the others when their time is up. */
    uint8_t byte;
    assert_int_equal(recv(fds[39], &byte, 1, MSG_DONTWAIT), 0);
    assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), -1);
    loop_run_for(150);
    assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    assert_int_equal(raw_open(&raw, "raw.test", DIAMETER_APPLICATION_S6A), DIAMETER_SUCCESS);
    close(raw.fd);
}

/* ---- SCTP ---- */

static void over_sctp(void **state)
{
    (void)state;
    prepare(&hss, "hss.test");
    listens(&hss, 38680);
    hss.listen.transport = DIAMETER_SCTP;
    add_peer(&hss, "mme.test", 0);
    if (start(&hss) < 0) {
        hss.node = NULL;
        skip(); /* no SCTP on this machine */
    }
    prepare(&mme, "mme.test");
    add_peer(&mme, "hss.test", 38680);
    mme.peers[0].transport = DIAMETER_SCTP;
    assert_int_equal(start(&mme), 0);
    for (int turn = 0; turn < 400 && seen.ups < 2; turn++)
        loop_run_for(10);
    assert_int_equal(seen.ups, 2);
    static struct question many[50];
    for (int i = 0; i < 50; i++) {
        many[i] = question("001010000000007");
        many[i].timeout_ms = 2000;
        fiber_spawn("ask", ask_air, &many[i]);
    }
    for (int i = 0; i < 50; i++) {
        RUN_UNTIL(many[i].done);
        assert_int_equal(many[i].err, 0);
        assert_int_equal(many[i].first, '7');
    }
}

/* ---- Configuration ---- */

static void configuration(void **state)
{
    (void)state;
    static const char text[] = "diameter:\n"
                               "  host: hss.epc\n"
                               "  realm: epc\n"
                               "  listen:\n"
                               "    - address: 127.0.0.8:3868\n"
                               "    - {address: '[::1]:3868', transport: sctp}\n"
                               "  peers:\n"
                               "    - host: mme.epc\n"
                               "    - {host: other.epc, address: 127.0.0.9:3868}\n"
                               "  watchdog: 10s\n";
    struct config *file = config_parse("text", text, strlen(text));
    struct diameter_config config;
    assert_non_null(file);
    assert_int_equal(config_read(file, "diameter", &diameter_config_schema, &config), 0);
    assert_string_equal(config.host, "hss.epc");
    assert_int_equal(config.listen.count, 2);
    assert_int_equal(config.listen.at[0].transport, DIAMETER_TCP);
    assert_int_equal(config.listen.at[1].transport, DIAMETER_SCTP);
    assert_int_equal(config.peers.count, 2);
    assert_int_equal(config.peers.at[0].address.ss_family, AF_UNSPEC);
    assert_int_equal(config.peers.at[1].address.ss_family, AF_INET);
    assert_int_equal(config.watchdog_ms, 10000);
    struct diameter_config fallback = diameter_config_default();
    assert_int_equal(config.max_outstanding, fallback.max_outstanding);
    assert_int_equal(config.request_timeout_ms, fallback.request_timeout_ms);
    assert_int_equal(config.max_message_bytes, fallback.max_message_bytes);
    assert_int_equal(config.max_queue_bytes, fallback.max_queue_bytes);
    config_free(file);

    /* What cannot start says so. */
    prepare(&mme, "mme.test");
    add_peer(&mme, "mme.test", 1);
    assert_int_equal(start(&mme), -EINVAL);
    mme.node = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(request_and_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_at_once_and_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timeout_and_late_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exchange_survives_the_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounded_outstanding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounded_pending, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_peer_and_application, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_capabilities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(accepts_unknown_of_our_realm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(message_before_capabilities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(election, set_up, tear_down),
        cmocka_unit_test_setup_teardown(election_won, set_up, tear_down),
        cmocka_unit_test_setup_teardown(election_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(watchdog, set_up, tear_down),
        cmocka_unit_test_setup_teardown(good_bye_from_the_peer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(good_bye_to_the_peer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reconnects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeated_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(proxy_info_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(garbage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(noise_in_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slow_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silent_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(over_sctp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(configuration, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
