/*
 * gtpc_path_test.c -- two GTP-C endpoints, and a bare socket for what no endpoint would send, on
 * loopback.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "base/base.h"
#include "link/gtpc_path.h"

#define MME unit_host(11)
#define SGW unit_host(12)
#define ODD unit_host(13)

struct node {
    struct gtpc_endpoint *endpoint;
    unsigned requests, notifications, restarts, downs;
    uint32_t transaction;
    uint8_t last_type;
    char subject[IMSI_SIZE];
};

static struct node mme, sgw;
static int bare;

static void on_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                       const struct gtpc_message *request)
{
    struct node *node = owner;
    struct gtpc_create_session_response response = {
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};

    node->last_type = request->header.type;
    node->transaction = transaction;
    if (transaction == 0) {
        node->notifications++;
        return;
    }
    node->requests++;
    if (request->header.type == GTPC_CREATE_SESSION_REQUEST) {
        response.recovery = gtpc_recovery_for(peer);
        assert_string_equal(request->create_session_request->apn, "internet");
        assert_int_equal(gtpc_answer(node->endpoint, transaction,
                                     request->create_session_request->sender.teid, &response),
                         0);
        assert_int_equal(gtpc_answer(node->endpoint, transaction, 1, &response), -ENOENT);
    } else if (request->header.type == GTPC_DELETE_SESSION_REQUEST) {
        assert_int_equal(gtpc_refuse(node->endpoint, transaction, 0, GTPC_CAUSE_CONTEXT_NOT_FOUND),
                         0);
    }
}

static const char *subject(void *owner, const struct gtpc_message *request)
{
    struct node *node = owner;

    (void)request;
    return node->subject;
}

static uint32_t peer_teid(void *owner, const struct gtpc_message *request)
{
    (void)owner;
    return request->header.teid == 0x77 ? 0x99 : 0;
}

static void on_restarted(void *owner, struct udp_peer *peer)
{
    (void)peer;
    ((struct node *)owner)->restarts++;
}

static void on_down(void *owner, struct udp_peer *peer)
{
    (void)peer;
    ((struct node *)owner)->downs++;
}

static const struct gtpc_handler handler = {
    .request = on_request,
    .subject = subject,
    .peer_teid = peer_teid,
    .peer_restarted = on_restarted,
    .peer_down = on_down,
};

static struct sockaddr_in address(const char *host)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    inet_pton(AF_INET, host, &in.sin_addr);
    return in;
}

static void open_node(struct node *node, const char *host, uint8_t recovery)
{
    struct udp_settings settings = udp_settings_default();
    struct sockaddr_in local = address(host);

    *node = (struct node){0};
    settings.timeout_ms = 20;
    settings.probe_interval_ms = 40;
    assert_int_equal(gtpc_open((struct sockaddr *)&local, &settings, recovery, GTPC_NODE_PRN,
                               &handler, node, &node->endpoint),
                     0);
}

static void close_node(struct node *node)
{
    if (node->endpoint)
        gtpc_close(node->endpoint);
    node->endpoint = NULL;
}

static int set_up(void **state)
{
    struct sockaddr_in odd = address(ODD);

    (void)state;
    if (loop_init() < 0)
        return -1;
    open_node(&mme, MME, 10);
    open_node(&sgw, SGW, 20);
    odd.sin_port = htons(GTPC_PORT);
    bare = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    return bind(bare, (struct sockaddr *)&odd, sizeof(odd));
}

static int tear_down(void **state)
{
    (void)state;
    close_node(&mme);
    close_node(&sgw);
    close(bare);
    trace_free();
    loop_run_for(1);
    loop_free();
    fiber_free_stacks();
    return fiber_count() == 0 ? 0 : -1;
}

static struct udp_peer *peer(struct node *node, const char *host)
{
    struct sockaddr_in in = address(host);

    return gtpc_peer(node->endpoint, (struct sockaddr *)&in);
}

struct asker {
    struct udp_peer *peer;
    uint8_t type;
    int err;
    bool done;
    uint8_t cause;
    uint32_t teid;
    bool has_recovery;
};

static void ask(void *argument)
{
    struct asker *asker = argument;
    struct gtpc_bearer_to_be_created bearer = {.ebi = 5};
    struct gtpc_create_session_request create = {
        .imsi = "001010000000001",
        .rat_type = GTPC_RAT_EUTRAN,
        .sender = gtpc_own_f_teid(mme.endpoint, GTPC_S11_MME_GTP_C, 0x4711),
        .apn = "internet",
        .bearers = {&bearer, 1},
        .recovery = gtpc_recovery_for(asker->peer),
    };
    struct gtpc_delete_session_request delete = {0};
    const void *body =
        asker->type == GTPC_CREATE_SESSION_REQUEST ? (void *)&create : (void *)&delete;
    struct gtpc_message *answer;

    asker->has_recovery = create.recovery != NULL;
    fiber_set_subject("001010000000001");
    asker->err = gtpc_request(asker->peer, 0x55, asker->type, body, &answer);
    if (asker->err == 0) {
        asker->cause =
            ((const struct gtpc_cause *)gtpc_find_value(answer, GTPC_IE_CAUSE, 0))->value;
        asker->teid = answer->header.teid;
    }
    asker->done = true;
}

static struct asker asked(const char *host, uint8_t type)
{
    struct asker asker = {.peer = peer(&mme, host), .type = type};

    fiber_spawn("ask", ask, &asker);
    for (int i = 0; i < 100 && !asker.done; i++)
        loop_run_for(2);
    assert_true(asker.done);
    return asker;
}

static void requests_are_answered_and_refused(void **state)
{
    (void)state;
    struct asker asker = asked(SGW, GTPC_CREATE_SESSION_REQUEST);

    assert_int_equal(asker.err, 0);
    assert_int_equal(asker.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(asker.teid, 0x4711);
    asker = asked(SGW, GTPC_DELETE_SESSION_REQUEST);
    assert_int_equal(asker.err, 0);
    assert_int_equal(asker.cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(asker.teid, 0);
}

static void recovery_is_told_at_first_contact(void **state)
{
    (void)state;
    uint32_t recovery;

    assert_true(asked(SGW, GTPC_CREATE_SESSION_REQUEST).has_recovery);
    assert_false(asked(SGW, GTPC_CREATE_SESSION_REQUEST).has_recovery);
    assert_true(udp_peer_recovery(peer(&mme, SGW), &recovery));
    assert_int_equal(recovery, 20);
    assert_true(udp_peer_recovery(peer(&sgw, MME), &recovery));
    assert_int_equal(recovery, 10);
}

static void a_peer_that_restarts_is_noticed(void **state)
{
    (void)state;
    asked(SGW, GTPC_CREATE_SESSION_REQUEST);
    close_node(&sgw);
    open_node(&sgw, SGW, 21);
    assert_int_equal(mme.restarts, 0);
    asked(SGW, GTPC_CREATE_SESSION_REQUEST);
    assert_int_equal(mme.restarts, 1);
    /* and by Echo when nothing is asked */
    udp_peer_use(peer(&mme, SGW));
    close_node(&sgw);
    open_node(&sgw, SGW, 22);
    loop_run_for(80);
    assert_int_equal(mme.restarts, 2);
    assert_int_equal(gtpc_peer_features(peer(&mme, SGW)), GTPC_NODE_PRN);
    assert_int_equal(gtpc_peer_features(peer(&sgw, MME)), GTPC_NODE_PRN);
}

static void a_peer_that_is_gone_is_noticed(void **state)
{
    (void)state;
    udp_peer_use(peer(&mme, SGW));
    close_node(&sgw);
    for (int i = 0; i < 100 && mme.downs == 0; i++)
        loop_run_for(5);
    assert_int_equal(mme.downs, 1);
    assert_int_equal(asked(SGW, GTPC_CREATE_SESSION_REQUEST).err, -ETIMEDOUT);
    open_node(&sgw, SGW, 21);
    assert_int_equal(asked(SGW, GTPC_CREATE_SESSION_REQUEST).err, 0);
    assert_true(udp_peer_is_up(peer(&mme, SGW)));
}

/* What the bare socket sends to the S-GW, and what comes back. */
static size_t exchange(struct bytes datagram, uint8_t *answer, size_t size)
{
    struct sockaddr_in to = address(SGW);

    to.sin_port = htons(GTPC_PORT);
    assert_int_equal(sendto(bare, datagram.at, datagram.len, 0, (struct sockaddr *)&to, sizeof(to)),
                     datagram.len);
    loop_run_for(5);
    ssize_t n = recv(bare, answer, size, 0);
    return n < 0 ? 0 : (size_t)n;
}

static void an_echo_is_answered(void **state)
{
    (void)state;
    uint8_t answer[64];
    size_t len = exchange(BYTES(0x40, 1, 0, 9, 0, 0, 5, 0, 3, 0, 1, 0, 7), answer, sizeof(answer));

    assert_true(bytes_equal(bytes_of(answer, len),
                            BYTES(0x40, 2, 0, 14, 0, 0, 5, 0, 3, 0, 1, 0, 20, 152, 0, 1, 0, 1)));
    exchange(BYTES(0x40, 1, 0, 9, 0, 0, 6, 0, 3, 0, 1, 0, 8), answer, sizeof(answer));
    assert_int_equal(sgw.restarts, 1);
}

static void broken_requests_get_the_cause_and_the_element(void **state)
{
    (void)state;
    uint8_t answer[64];
    /* Create Session Request with nothing but a sender: RAT type is missing */
    size_t len = exchange(BYTES(0x48, 32, 0, 21, 0, 0, 0, 0, 0, 0, 9, 0, 87, 0, 9, 0, 0x8a, 0, 0,
                                0x12, 0x34, 127, 0, 29, 13),
                          answer, sizeof(answer));

    assert_true(bytes_equal(bytes_of(answer, len), BYTES(0x48, 33, 0, 18, 0, 0, 0x12, 0x34, 0, 0, 9,
                                                         0, 2, 0, 6, 0, 70, 0, 82, 0, 0, 0)));
    assert_int_equal(sgw.requests, 0);
    /* Modify Bearer Request for a TEID of ours, an element running past the end: the context's TEID
     * goes back */
    len = exchange(BYTES(0x48, 34, 0, 13, 0, 0, 0, 0x77, 0, 0, 10, 0, 73, 0, 2, 0, 5), answer,
                   sizeof(answer));
    assert_true(bytes_equal(bytes_of(answer, len), BYTES(0x48, 35, 0, 18, 0, 0, 0, 0x99, 0, 0, 10,
                                                         0, 2, 0, 6, 0, 67, 0, 73, 0, 0, 0)));
}

static void what_cannot_be_understood_is_dropped(void **state)
{
    (void)state;
    uint8_t answer[64];

    assert_int_equal(
        exchange(BYTES(0x48, 250, 0, 8, 0, 0, 0, 0, 0, 0, 9, 0), answer, sizeof(answer)), 0);
    assert_int_equal(
        exchange(BYTES(0x48, 32, 0, 99, 0, 0, 0, 0, 0, 0, 9, 0), answer, sizeof(answer)), 0);
    assert_int_equal(exchange(BYTES(0x48), answer, sizeof(answer)), 0);
    assert_int_equal(exchange(BYTES(0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0), answer, sizeof(answer)),
                     0); /* GTPv1 */
    /* a later version is told which one we have */
    size_t len = exchange(BYTES(0x60, 1, 0, 4, 0, 0, 5, 0), answer, sizeof(answer));
    assert_true(bytes_equal(bytes_of(answer, len), BYTES(0x40, 3, 0, 4, 0, 0, 5, 0)));
}

/* Answers the next request that comes to the bare socket with this type, and octets behind the
 * header. */
static struct asker asked_oddly(uint8_t type, struct bytes elements)
{
    struct asker asker = {.peer = peer(&mme, ODD), .type = GTPC_DELETE_SESSION_REQUEST};
    struct sockaddr_in to = address(MME);
    uint8_t request[256], answer[64];
    struct writer w = writer_of(answer, sizeof(answer));

    to.sin_port = htons(GTPC_PORT);
    fiber_spawn("ask", ask, &asker);
    loop_run_for(2);
    assert_true(recv(bare, request, sizeof(request), 0) >= 12);
    bool has_teid = type != GTPC_VERSION_NOT_SUPPORTED;
    wr_u8(&w, has_teid ? 0x48 : 0x40);
    wr_u8(&w, type);
    wr_u16(&w, (uint16_t)((has_teid ? 8 : 4) + elements.len));
    if (has_teid)
        wr_u32(&w, 1);
    wr_bytes(&w, request + 8, 4);
    wr_view_of(&w, elements);
    assert_int_equal(sendto(bare, answer, wr_len(&w), 0, (struct sockaddr *)&to, sizeof(to)),
                     wr_len(&w));
    for (int i = 0; i < 100 && !asker.done; i++)
        loop_run_for(2);
    assert_true(asker.done);
    while (recv(bare, request, sizeof(request), 0) > 0)
        ;
    return asker;
}

static void odd_answers(void **state)
{
    (void)state;
    assert_int_equal(asked_oddly(GTPC_DELETE_SESSION_RESPONSE, BYTES(2, 0, 2, 0, 16, 0)).err, 0);
    assert_int_equal(asked_oddly(GTPC_DELETE_SESSION_RESPONSE, BYTES(3, 0, 1, 0, 1)).err, -EBADMSG);
    assert_int_equal(asked_oddly(GTPC_VERSION_NOT_SUPPORTED, BYTES(0)).err, -EPROTONOSUPPORT);
    assert_int_equal(asked_oddly(GTPC_MODIFY_BEARER_RESPONSE, BYTES(2, 0, 2, 0, 16, 0)).err,
                     -ETIMEDOUT);
}

static void notifications_have_no_transaction(void **state)
{
    (void)state;
    struct gtpc_stop_paging_indication stop = {.imsi = "001010000000001"};

    assert_int_equal(gtpc_notify(peer(&sgw, MME), 5, GTPC_STOP_PAGING_INDICATION, &stop), 0);
    loop_run_for(5);
    assert_int_equal(mme.notifications, 1);
    assert_int_equal(mme.last_type, GTPC_STOP_PAGING_INDICATION);
}

static bool count_subject(const struct trace_record *record, void *argument)
{
    char line[512];
    struct text t = text_in(line, sizeof(line));

    gtpc_trace_printer(record->message, &t);
    assert_non_null(strstr(line, "Create Session"));
    ++*(unsigned *)argument;
    return true;
}

static void messages_are_traced_under_the_imsi(void **state)
{
    (void)state;
    unsigned count = 0;

    assert_int_equal(trace_init(65536), 0);
    asked(SGW, GTPC_CREATE_SESSION_REQUEST);
    trace_each(0, "001010000000001", count_subject, &count);
    assert_int_equal(count, 3); /* request out and in, answer in; the answer out had no fiber */
}

static void peers_by_f_teid(void **state)
{
    (void)state;
    struct gtpc_f_teid own = gtpc_own_f_teid(sgw.endpoint, GTPC_S11_S4_SGW_GTP_C, 5);
    struct gtpc_f_teid ipv6 = {.has_ipv6 = true};

    assert_ptr_equal(gtpc_peer_of(mme.endpoint, &own), peer(&mme, SGW));
    assert_null(gtpc_peer_of(mme.endpoint, &ipv6));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_answered_and_refused),
        TEST(recovery_is_told_at_first_contact),
        TEST(a_peer_that_restarts_is_noticed),
        TEST(a_peer_that_is_gone_is_noticed),
        TEST(an_echo_is_answered),
        TEST(broken_requests_get_the_cause_and_the_element),
        TEST(what_cannot_be_understood_is_dropped),
        TEST(odd_answers),
        TEST(notifications_have_no_transaction),
        TEST(messages_are_traced_under_the_imsi),
        TEST(peers_by_f_teid),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
