/*
 * pfcp_path_test.c -- a control plane and a user plane on loopback: associations that come up, are
 * lost and are renewed; requests that are answered, refused and broken.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "base/base.h"
#include "link/pfcp_association.h"

#define CONTROL unit_host(11)
#define USER    unit_host(12)
#define ODD     unit_host(13)

static struct {
    struct pfcp_endpoint *endpoint;
    struct pfcp_association *association;
    unsigned ups, restarts, downs;
} control;

static struct {
    struct pfcp_endpoint *endpoint;
    unsigned associations, sessions, restarts;
    uint8_t refuse; /* an association with this cause */
} user;

static struct sockaddr_in address(const char *host)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    inet_pton(AF_INET, host, &in.sin_addr);
    return in;
}

/* The control plane's handlers */
static void control_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                            const struct pfcp_message *request)
{
    (void)owner;
    (void)peer;
    assert_int_equal(request->header.type, PFCP_SESSION_REPORT_REQUEST);
    pfcp_refuse(control.endpoint, transaction, 0, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND, 0);
}

static void control_restarted(void *owner, struct udp_peer *peer)
{
    (void)owner;
    (void)peer;
    if (control.association)
        pfcp_association_peer_restarted(control.association);
}

static void control_down(void *owner, struct udp_peer *peer)
{
    (void)owner;
    (void)peer;
    if (control.association)
        pfcp_association_peer_down(control.association);
}

static const struct pfcp_handler control_handler = {
    .request = control_request, .peer_restarted = control_restarted, .peer_down = control_down};

static void association_up(void *owner, struct pfcp_association *association, bool restarted)
{
    (void)owner;
    assert_true(pfcp_association_is_up(association));
    control.ups++;
    control.restarts += restarted;
}

static void association_down(void *owner, struct pfcp_association *association)
{
    (void)owner;
    assert_false(pfcp_association_is_up(association));
    control.downs++;
}

static const struct pfcp_association_handler association_handler = {association_up,
                                                                    association_down};

/* The user plane's */
static void accept_association(struct pfcp_endpoint *endpoint, uint32_t transaction)
{
    struct pfcp_user_plane_ip_resource_information resources[] = {
        {.has_ipv4 = true,
         .teid_range_bits = 3,
         .teid_range = 0x20,
         .ipv4.s_addr = htonl(0x0a000001)},
        {.has_ipv4 = true,
         .has_source_interface = true,
         .source_interface = PFCP_INTERFACE_CORE,
         .ipv4.s_addr = htonl(0x0a000002)},
    };
    uint32_t features = PFCP_UP_EMPU;
    struct pfcp_association_setup_response response = {
        .node_id = pfcp_own_node_id(endpoint),
        .cause = PFCP_CAUSE_REQUEST_ACCEPTED,
        .recovery_time_stamp = pfcp_own_recovery(endpoint),
        .up_function_features = &features,
        .user_plane_ip_resource_information = {resources, 2},
    };

    user.associations++;
    assert_int_equal(pfcp_answer(endpoint, transaction, 0, &response), 0);
}

static void user_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                         const struct pfcp_message *request)
{
    (void)owner;
    (void)peer;
    if (request->header.type == PFCP_ASSOCIATION_SETUP_REQUEST && !user.refuse) {
        accept_association(user.endpoint, transaction);
    } else if (request->header.type == PFCP_SESSION_ESTABLISHMENT_REQUEST) {
        const struct pfcp_session_establishment_request *body = request->body;
        struct pfcp_f_seid f_seid = pfcp_own_f_seid(user.endpoint, 0x99);
        struct pfcp_session_establishment_response response = {
            .node_id = pfcp_own_node_id(user.endpoint), .cause = 1, .up_f_seid = &f_seid};
        user.sessions++;
        assert_int_equal(pfcp_answer(user.endpoint, transaction, body->cp_f_seid.seid, &response),
                         0);
    } else {
        pfcp_refuse(user.endpoint, transaction, 0,
                    user.refuse ? user.refuse : PFCP_CAUSE_SERVICE_NOT_SUPPORTED, 0);
    }
}

static void user_restarted(void *owner, struct udp_peer *peer)
{
    (void)owner;
    (void)peer;
    user.restarts++;
}

static const struct pfcp_handler user_handler = {.request = user_request,
                                                 .peer_restarted = user_restarted};

static struct udp_settings fast(void)
{
    struct udp_settings settings = udp_settings_default();

    settings.timeout_ms = 15;
    settings.attempts = 2;
    settings.probe_interval_ms = 30;
    return settings;
}

static void open_user_plane(uint32_t recovery)
{
    struct udp_settings settings = fast();
    struct sockaddr_in local = address(USER);

    settings.probe_interval_ms = 0;
    assert_int_equal(pfcp_open((struct sockaddr *)&local, &settings, recovery, &user_handler, NULL,
                               &user.endpoint),
                     0);
}

static void close_user_plane(void)
{
    if (user.endpoint)
        pfcp_close(user.endpoint);
    user.endpoint = NULL;
}

static int set_up(void **state)
{
    struct udp_settings settings = fast();
    struct sockaddr_in local = address(CONTROL), to = address(USER);

    (void)state;
    memset(&control, 0, sizeof(control));
    memset(&user, 0, sizeof(user));
    if (loop_init() < 0)
        return -1;
    open_user_plane(1000);
    if (pfcp_open((struct sockaddr *)&local, &settings, 5000, &control_handler, NULL,
                  &control.endpoint) < 0)
        return -1;
    control.association =
        pfcp_associate(control.endpoint, (struct sockaddr *)&to, 20, &association_handler, NULL);
    return control.association ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (control.association)
        pfcp_association_end(control.association);
    pfcp_close(control.endpoint);
    close_user_plane();
    loop_run_for(1);
    loop_free();
    fiber_free_stacks();
    return fiber_count() == 0 ? 0 : -1;
}

static void wait_until(const unsigned *counter, unsigned value)
{
    for (int i = 0; i < 400 && *counter < value; i++)
        loop_run_for(2);
    assert_int_equal(*counter, value);
}

static void an_association_comes_up(void **state)
{
    (void)state;
    wait_until(&control.ups, 1);
    assert_int_equal(user.associations, 1);
    assert_int_equal(control.restarts, 0);
    assert_int_equal(pfcp_association_features(control.association), PFCP_UP_EMPU);
    const struct pfcp_resource *access =
        pfcp_association_resource(control.association, PFCP_INTERFACE_ACCESS);
    const struct pfcp_resource *core =
        pfcp_association_resource(control.association, PFCP_INTERFACE_CORE);
    assert_int_equal(access->teid_range_bits, 3);
    assert_int_equal(access->teid_range, 0x20);
    assert_int_equal(ntohl(access->ipv4.s_addr), 0x0a000001);
    assert_int_equal(ntohl(core->ipv4.s_addr), 0x0a000002);
    loop_run_for(100); /* heartbeats keep it */
    assert_int_equal(control.downs, 0);
    assert_true(udp_counters(pfcp_udp(control.endpoint)).probes > 1);
}

static void it_is_tried_until_it_is_accepted(void **state)
{
    (void)state;
    user.refuse = PFCP_CAUSE_NO_RESOURCES_AVAILABLE;
    loop_run_for(60);
    assert_int_equal(control.ups, 0);
    user.refuse = 0;
    wait_until(&control.ups, 1);
}

static void it_is_tried_until_there_is_somebody(void **state)
{
    (void)state;
    close_user_plane();
    loop_run_for(100);
    open_user_plane(1000);
    wait_until(&control.ups, 1);
}

static void a_user_plane_that_starts_anew_is_noticed(void **state)
{
    (void)state;
    wait_until(&control.ups, 1);
    close_user_plane();
    open_user_plane(2000);
    wait_until(&control.ups, 2);
    assert_int_equal(control.restarts, 1);
    assert_int_equal(control.downs, 1);
    assert_int_equal(user.associations, 2);
}

static void a_user_plane_that_was_only_away_goes_on(void **state)
{
    (void)state;
    wait_until(&control.ups, 1);
    close_user_plane();
    wait_until(&control.downs, 1);
    assert_false(pfcp_association_is_up(control.association));
    open_user_plane(1000); /* the same stamp: it has kept all */
    wait_until(&control.ups, 2);
    assert_int_equal(control.restarts, 0);
    assert_int_equal(user.associations, 1);
}

static void a_control_plane_that_starts_anew_is_noticed(void **state)
{
    struct udp_settings settings = fast();
    struct sockaddr_in local = address(CONTROL), to = address(USER);

    (void)state;
    wait_until(&control.ups, 1);
    pfcp_association_end(control.association);
    pfcp_close(control.endpoint);
    assert_int_equal(pfcp_open((struct sockaddr *)&local, &settings, 5001, &control_handler, NULL,
                               &control.endpoint),
                     0);
    control.association =
        pfcp_associate(control.endpoint, (struct sockaddr *)&to, 20, &association_handler, NULL);
    wait_until(&control.ups, 2);
    assert_int_equal(user.restarts, 1);
}

struct asker {
    uint8_t type;
    const void *body;
    int err;
    uint8_t cause;
    uint64_t seid, up_seid;
    bool done;
};

static void ask(void *argument)
{
    struct asker *asker = argument;
    struct pfcp_message *answer;

    asker->err = pfcp_request(pfcp_association_peer(control.association), 7, asker->type,
                              asker->body, &answer);
    if (asker->err == 0 && asker->type == PFCP_SESSION_ESTABLISHMENT_REQUEST) {
        const struct pfcp_session_establishment_response *response = answer->body;
        asker->cause = response->cause;
        asker->up_seid = response->up_f_seid ? response->up_f_seid->seid : 0;
    } else if (asker->err == 0) {
        asker->cause = ((const struct pfcp_session_deletion_response *)answer->body)->cause;
    }
    if (asker->err == 0)
        asker->seid = answer->header.seid;
    asker->done = true;
}

static void sessions_are_asked_for(void **state)
{
    (void)state;
    struct pfcp_create_far far = {.far_id = 1, .apply_action = PFCP_APPLY_DROP};
    struct pfcp_create_pdr pdr = {.pdr_id = 1, .precedence = 1};
    struct pfcp_session_establishment_request request = {
        .node_id = pfcp_own_node_id(control.endpoint),
        .cp_f_seid = pfcp_own_f_seid(control.endpoint, 0x1234),
        .create_pdr = {&pdr, 1},
        .create_far = {&far, 1},
    };
    struct asker asker = {.type = PFCP_SESSION_ESTABLISHMENT_REQUEST, .body = &request};

    wait_until(&control.ups, 1);
    fiber_spawn("ask", ask, &asker);
    wait_until(&user.sessions, 1);
    loop_run_for(5);
    assert_true(asker.done);
    assert_int_equal(asker.err, 0);
    assert_int_equal(asker.cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(asker.seid, 0x1234);
    assert_int_equal(asker.up_seid, 0x99);

    struct pfcp_session_deletion_request deletion = {0};
    asker = (struct asker){.type = PFCP_SESSION_DELETION_REQUEST, .body = &deletion};
    fiber_spawn("ask", ask, &asker);
    loop_run_for(10);
    assert_true(asker.done);
    assert_int_equal(asker.cause, PFCP_CAUSE_SERVICE_NOT_SUPPORTED);
}

/* What a bare socket sends to the user plane, and what comes back. */
static size_t exchange(struct bytes datagram, uint8_t *answer, size_t size)
{
    struct sockaddr_in to = address(USER), from = address(ODD);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    to.sin_port = htons(PFCP_PORT);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(sendto(fd, datagram.at, datagram.len, 0, (struct sockaddr *)&to, sizeof(to)),
                     datagram.len);
    loop_run_for(5);
    ssize_t n = recv(fd, answer, size, 0);
    close(fd);
    return n < 0 ? 0 : (size_t)n;
}

static void odd_messages(void **state)
{
    (void)state;
    uint8_t own[4];
    struct in_addr user_address = address(USER).sin_addr;
    memcpy(own, &user_address, sizeof(own));
    uint8_t answer[64];
    /* Heartbeat */
    size_t len = exchange(BYTES(0x20, 1, 0, 12, 0, 0, 9, 0, 0, 96, 0, 4, 1, 2, 3, 4), answer,
                          sizeof(answer));
    assert_true(bytes_equal(bytes_of(answer, len),
                            BYTES(0x20, 2, 0, 12, 0, 0, 9, 0, 0, 96, 0, 4, 0, 0, 0x03, 0xe8)));
    /* Association Setup Request without a node id */
    len = exchange(BYTES(0x20, 5, 0, 12, 0, 0, 10, 0, 0, 96, 0, 4, 1, 2, 3, 4), answer,
                   sizeof(answer));
    assert_true(bytes_equal(bytes_of(answer, len),
                            BYTES(0x20, 6, 0, 26, 0, 0, 10, 0, 0, 60, 0, 5, 0, own[0], own[1],
                                  own[2], own[3], 0, 19, 0, 1, 66, 0, 96, 0, 4, 0, 0, 0x03, 0xe8)));
    /* Session Establishment Request with a CP F-SEID and no rules: refused to that SEID, naming
     * Create PDR */
    len = exchange(BYTES(0x21, 50, 0, 38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 60, 0, 5, 0, 127,
                         0, 28, 13, 0, 57, 0, 13, 2, 0, 0, 0, 0, 0, 0, 0, 0x42, 127, 0, 28, 13),
                   answer, sizeof(answer));
    assert_true(len > 16);
    assert_int_equal(answer[1], 51);
    assert_int_equal(answer[11], 0x42);
    /* another version, an unknown type, a length that does not fit */
    len = exchange(BYTES(0x40, 1, 0, 4, 0, 0, 12, 0), answer, sizeof(answer));
    assert_true(bytes_equal(bytes_of(answer, len), BYTES(0x20, 11, 0, 4, 0, 0, 12, 0)));
    assert_int_equal(exchange(BYTES(0x20, 99, 0, 4, 0, 0, 12, 0), answer, sizeof(answer)), 0);
    assert_int_equal(exchange(BYTES(0x20, 1, 0, 5, 0, 0, 12, 0), answer, sizeof(answer)), 0);
}

/* Every request of the protocol can be refused. */
static void refusals_of_all_kinds(void **state)
{
    (void)state;
    static const uint8_t requests[] = {5, 7, 9, 12, 14, 50, 52, 54, 56};

    user.refuse = PFCP_CAUSE_REQUEST_REJECTED;
    for (size_t i = 0; i < sizeof(requests); i++) {
        bool is_session = requests[i] >= 50;
        uint8_t request[] = {is_session ? 0x21 : 0x20,
                             requests[i],
                             0,
                             is_session ? 12 : 4,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             9,
                             0,
                             0,
                             (uint8_t)(20 + i),
                             0};
        uint8_t answer[64];
        if (!is_session)
            memmove(request + 4, request + 12, 4);
        size_t len = exchange(bytes_of(request, is_session ? 16 : 8), answer, sizeof(answer));
        assert_true(len > 8);
        assert_int_equal(answer[1], requests[i] + 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_association_comes_up),
        TEST(it_is_tried_until_it_is_accepted),
        TEST(it_is_tried_until_there_is_somebody),
        TEST(a_user_plane_that_starts_anew_is_noticed),
        TEST(a_user_plane_that_was_only_away_goes_on),
        TEST(a_control_plane_that_starts_anew_is_noticed),
        TEST(sessions_are_asked_for),
        TEST(odd_messages),
        TEST(refusals_of_all_kinds),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
