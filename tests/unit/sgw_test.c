/*
 * sgw_test.c -- the S-GW between a fake MME, a fake P-GW and a fake user plane, on loopback: every procedure, every failure on its way, and
 * that nothing is left behind.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/base.h"
#include "fake_user_plane.h"
#include "sgw/context.h"

#define MME  "127.0.27.2"
#define SGW  "127.0.27.3"
#define PGW  "127.0.27.4"
#define ODD  "127.0.27.5"
#define USER "127.0.27.6"
#define IMSI "001010000000001"

static struct fake_user_plane user;

/* The fake MME. */
static struct {
    struct gtpc_endpoint *endpoint;
    uint8_t recovery;
    unsigned notifications, bearer_deletions;
    uint8_t acknowledge; /* cause of the next acknowledgements */
    uint8_t delay;
    bool is_silent;
    uint8_t last_ebi;
    uint8_t last_cause;
} mme;

/* The fake P-GW. */
static struct {
    struct gtpc_endpoint *endpoint;
    uint8_t recovery;
    unsigned creations, deletions, modifications, changes;
    uint8_t refuse; /* cause; 0: accept */
    bool is_silent;
    bool omits_tunnel;
    uint32_t next_teid;
    struct gtpc_f_teid sgw_c, sgw_u;
    char apn[APN_SIZE];
    uint8_t rat_type;
} pgw_fake;

static struct sgw_config config;

static struct sockaddr_storage storage(const char *host)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&storage;

    in->sin_family = AF_INET;
    inet_pton(AF_INET, host, &in->sin_addr);
    return storage;
}

static struct udp_peer *peer(struct gtpc_endpoint *endpoint, const char *host)
{
    struct sockaddr_storage address = storage(host);

    return gtpc_peer(endpoint, (struct sockaddr *)&address);
}

static void mme_request(void *owner, struct udp_peer *from, uint32_t transaction,
                        const struct gtpc_message *request)
{
    (void)owner;
    (void)from;
    if (mme.is_silent) {
        udp_abandon(gtpc_udp(mme.endpoint), transaction);
    } else if (request->header.type == GTPC_DOWNLINK_DATA_NOTIFICATION) {
        struct gtpc_downlink_data_notification_acknowledge answer = {
            .cause = {.value = mme.acknowledge},
            .data_notification_delay = mme.delay ? &mme.delay : NULL};
        mme.notifications++;
        mme.last_ebi = request->downlink_data_notification->ebi.at[0];
        assert_int_equal(request->header.teid, 0x111);
        gtpc_answer(mme.endpoint, transaction, sgw_ue_by_imsi(IMSI) ? sgw_ue_by_imsi(IMSI)->id : 0, &answer);
    } else if (request->header.type == GTPC_DELETE_BEARER_REQUEST) {
        struct gtpc_delete_bearer_response answer = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
                                                     .lbi = request->delete_bearer_request->lbi};
        mme.bearer_deletions++;
        mme.last_ebi = *request->delete_bearer_request->lbi;
        mme.last_cause = request->delete_bearer_request->cause ? request->delete_bearer_request->cause->value : 0;
        gtpc_answer(mme.endpoint, transaction, 0, &answer);
    }
}

static void pgw_accept(struct udp_peer *from, uint32_t transaction,
                       const struct gtpc_create_session_request *request)
{
    struct gtpc_f_teid own = gtpc_own_f_teid(pgw_fake.endpoint, GTPC_S5_S8_PGW_GTP_C, ++pgw_fake.next_teid);
    struct gtpc_f_teid tunnel = {.interface_type = GTPC_S5_S8_PGW_GTP_U,
                                 .has_ipv4 = true,
                                 .teid = 0x5000 + pgw_fake.next_teid,
                                 .ipv4.s_addr = htonl(0x0a000099)};
    struct gtpc_paa paa = {.pdn_type = GTPC_PDN_IPV4, .ipv4.s_addr = htonl(0x0a2d0000 + pgw_fake.next_teid)};
    struct bytes pco = BYTES(0x80, 0, 0x0d, 4, 8, 8, 8, 8);
    struct gtpc_bearer_created created = {
        .ebi = request->bearers.at[0].ebi,
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
        .s5_s8_u_pgw = pgw_fake.omits_tunnel ? NULL : &tunnel,
        .charging_id = &(uint32_t){77},
    };
    struct gtpc_create_session_response response = {
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
        .pgw = &own,
        .paa = &paa,
        .apn_restriction = &(uint8_t){0},
        .ambr = &(struct gtpc_ambr){1000, 2000},
        .pco = &pco,
        .bearers = {&created, 1},
        .recovery = gtpc_recovery_for(from),
    };

    pgw_fake.creations++;
    pgw_fake.sgw_c = request->sender;
    pgw_fake.sgw_u = *request->bearers.at[0].s5_s8_u_sgw;
    memcpy(pgw_fake.apn, request->apn, sizeof(pgw_fake.apn));
    assert_null(request->pgw);
    assert_string_equal(request->imsi, request->imsi);
    gtpc_answer(pgw_fake.endpoint, transaction, request->sender.teid, &response);
}

static void pgw_request(void *owner, struct udp_peer *from, uint32_t transaction,
                        const struct gtpc_message *request)
{
    (void)owner;
    if (pgw_fake.is_silent) {
        udp_abandon(gtpc_udp(pgw_fake.endpoint), transaction);
    } else if (request->header.type == GTPC_CREATE_SESSION_REQUEST && pgw_fake.refuse) {
        gtpc_refuse(pgw_fake.endpoint, transaction, request->create_session_request->sender.teid, pgw_fake.refuse);
    } else if (request->header.type == GTPC_CREATE_SESSION_REQUEST) {
        pgw_accept(from, transaction, request->create_session_request);
    } else if (request->header.type == GTPC_DELETE_SESSION_REQUEST) {
        pgw_fake.deletions++;
        gtpc_refuse(pgw_fake.endpoint, transaction, pgw_fake.sgw_c.teid, GTPC_CAUSE_REQUEST_ACCEPTED);
    } else if (request->header.type == GTPC_MODIFY_BEARER_REQUEST) {
        pgw_fake.modifications++;
        pgw_fake.rat_type = request->modify_bearer_request->rat_type ? *request->modify_bearer_request->rat_type : 0;
        gtpc_refuse(pgw_fake.endpoint, transaction, pgw_fake.sgw_c.teid,
                    pgw_fake.refuse ? pgw_fake.refuse : GTPC_CAUSE_REQUEST_ACCEPTED);
    } else if (request->header.type == GTPC_CHANGE_NOTIFICATION_REQUEST) {
        struct gtpc_change_notification_response response = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};
        pgw_fake.changes++;
        gtpc_answer(pgw_fake.endpoint, transaction, pgw_fake.sgw_c.teid, &response);
    }
}

static const struct gtpc_handler mme_handler = {.request = mme_request};
static const struct gtpc_handler pgw_handler = {.request = pgw_request};

static void open_peer(struct gtpc_endpoint **endpoint, const char *host, uint8_t recovery,
                      const struct gtpc_handler *handler)
{
    struct udp_settings settings = udp_settings_default();
    struct sockaddr_storage address = storage(host);

    settings.timeout_ms = 400; /* the S-GW's own retransmissions are to be over before */
    settings.probe_interval_ms = 0;
    assert_int_equal(gtpc_open((struct sockaddr *)&address, &settings, recovery, 0, handler, NULL, endpoint), 0);
}

static void open_mme(uint8_t recovery)
{
    mme.recovery = recovery;
    mme.acknowledge = GTPC_CAUSE_REQUEST_ACCEPTED;
    open_peer(&mme.endpoint, MME, recovery, &mme_handler);
}

static void open_pgw(uint8_t recovery)
{
    pgw_fake.recovery = recovery;
    open_peer(&pgw_fake.endpoint, PGW, recovery, &pgw_handler);
}

static struct sockaddr_storage user_planes[1];

static int set_up_with(const char *s5)
{
    memset(&mme, 0, sizeof(mme));
    memset(&pgw_fake, 0, sizeof(pgw_fake));
    if (loop_init() < 0)
        return -1;
    user_planes[0] = storage(USER);
    config = (struct sgw_config){
        .s11 = {.address = storage(SGW), .t3_response_ms = 30, .n3_requests = 3, .echo_interval_ms = 60},
        .s5 = {.address = storage(s5), .t3_response_ms = 30, .n3_requests = 3, .echo_interval_ms = 60},
        .sxa = {.address = storage(SGW),
                .user_planes = {user_planes, 1},
                .t1_ms = 30,
                .n1 = 3,
                .heartbeat_ms = 50,
                .retry_ms = 30,
                .teid_range_bits = 1},
        .max_ues = 4000,
        .max_sessions = 4000,
        .max_procedures = 1000,
        .path_hold_ms = 200,
    };
    fake_user_plane_open(&user, USER, 1000);
    open_mme(10);
    open_pgw(20);
    return 0;
}

static int start(void)
{
    if (sgw_start(&config, NULL) < 0)
        return -1;
    for (int i = 0; i < 200 && !user_plane_is_up(sgw.planes, 0); i++)
        loop_run_for(2);
    return user_plane_is_up(sgw.planes, 0) ? 0 : -1;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with(SGW) < 0 ? -1 : start();
}

static int set_up_two_addresses(void **state)
{
    (void)state;
    return set_up_with("127.0.27.8") < 0 ? -1 : start();
}

static int set_up_choosing(void **state)
{
    (void)state;
    if (set_up_with(SGW) < 0)
        return -1;
    user.chooses = true;
    return start();
}

static int tear_down(void **state)
{
    (void)state;
    sgw_stop();
    metric_forget_all();
    fake_user_plane_close(&user);
    if (mme.endpoint)
        gtpc_close(mme.endpoint);
    if (pgw_fake.endpoint)
        gtpc_close(pgw_fake.endpoint);
    loop_run_for(1);
    loop_free();
    fiber_free_stacks();
    return fiber_count() == 0 ? 0 : -1;
}

static void settle(void)
{
    loop_run_for(15);
}

static void wait_for(const unsigned *counter, unsigned value)
{
    for (int i = 0; i < 500 && *counter < value; i++)
        loop_run_for(2);
    assert_int_equal(*counter, value);
}

/* ---- What the MME asks ---- */

struct asked {
    struct gtpc_endpoint *endpoint;
    uint8_t type;
    uint32_t teid;
    const void *body;
    bool done;
    int err;
    uint8_t datagram[2048];
    struct gtpc_message answer;
    struct arena arena;
    uint8_t cause;
};

static void ask_fiber(void *argument)
{
    struct asked *asked = argument;
    struct gtpc_message *answer;

    asked->err = gtpc_request(peer(asked->endpoint, SGW), asked->teid, asked->type, asked->body, &answer);
    if (asked->err == 0) {
        size_t len = answer->datagram.len;
        memcpy(asked->datagram, answer->datagram.at, len);
        assert_int_equal(gtpc_decode(bytes_of(asked->datagram, len), &asked->arena, &asked->answer), 0);
        asked->cause = ((const struct gtpc_cause *)gtpc_find_value(&asked->answer, GTPC_IE_CAUSE, 0))->value;
    }
    asked->done = true;
}

static struct asked last; /* the answer to the last request */

static void ask_begin(struct asked *asked, struct gtpc_endpoint *endpoint, uint8_t type, uint32_t teid,
                      const void *body)
{
    arena_free(&asked->arena);
    *asked = (struct asked){.endpoint = endpoint, .type = type, .teid = teid, .body = body};
    arena_init(&asked->arena, 65536);
    fiber_spawn("ask", ask_fiber, asked);
}

static uint8_t ask_of(struct gtpc_endpoint *endpoint, uint8_t type, uint32_t teid, const void *body)
{
    ask_begin(&last, endpoint, type, teid, body);
    for (int i = 0; i < 1000 && !last.done; i++)
        loop_run_for(1);
    assert_true(last.done);
    return last.err == 0 ? last.cause : 0;
}

static uint8_t ask(uint8_t type, uint32_t teid, const void *body)
{
    return ask_of(mme.endpoint, type, teid, body);
}

static struct gtpc_f_teid pgw_address(void)
{
    struct gtpc_f_teid f_teid = {.interface_type = GTPC_S5_S8_PGW_GTP_C, .has_ipv4 = true};

    inet_pton(AF_INET, PGW, &f_teid.ipv4);
    return f_teid;
}

/* A Create Session Request as an attach has it; valid until the next call. */
static struct gtpc_create_session_request *creation(const char *imsi, uint8_t ebi)
{
    static struct gtpc_create_session_request request;
    static struct gtpc_bearer_to_be_created bearer;
    static struct gtpc_f_teid pgw;
    static uint8_t pdn_type = GTPC_PDN_IPV4, recovery;
    static struct gtpc_paa paa = {.pdn_type = GTPC_PDN_IPV4};
    static struct bytes pco;

    pgw = pgw_address();
    recovery = mme.recovery;
    pco = bytes_of("\x80\x00\x0d\x00", 4);
    bearer = (struct gtpc_bearer_to_be_created){.ebi = ebi, .qos = {.arp = {.priority_level = 9}, .qci = 9}};
    request = (struct gtpc_create_session_request){
        .imsi = imsi,
        .rat_type = GTPC_RAT_EUTRAN,
        .sender = gtpc_own_f_teid(mme.endpoint, GTPC_S11_MME_GTP_C, 0x111),
        .pgw = &pgw,
        .apn = "internet",
        .pdn_type = &pdn_type,
        .paa = &paa,
        .pco = &pco,
        .bearers = {&bearer, 1},
        .recovery = &recovery,
    };
    return &request;
}

/* Creates a session and returns our S11 TEID. */
static uint32_t attach(const char *imsi)
{
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(imsi, 5)), GTPC_CAUSE_REQUEST_ACCEPTED);
    return last.answer.create_session_response->sender->teid;
}

static uint8_t modify_to(uint32_t teid, uint8_t ebi, uint32_t enb_teid, const char *enb)
{
    struct gtpc_f_teid f_teid = {.interface_type = GTPC_S1_U_ENODEB, .has_ipv4 = true, .teid = enb_teid};
    struct gtpc_bearer_to_be_modified bearer = {.ebi = ebi, .s1_u_enodeb = &f_teid};
    struct gtpc_modify_bearer_request request = {.bearers = {&bearer, 1}};

    inet_pton(AF_INET, enb, &f_teid.ipv4);
    return ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request);
}

static uint8_t release(uint32_t teid)
{
    struct gtpc_release_access_bearers_request request = {0};

    return ask(GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &request);
}

static uint8_t detach(uint32_t teid, uint8_t ebi)
{
    uint64_t flags = GTPC_OI;
    struct gtpc_delete_session_request request = {.lbi = &ebi, .indication = &flags};

    return ask(GTPC_DELETE_SESSION_REQUEST, teid, &request);
}

static void nothing_is_left(void)
{
    settle();
    assert_int_equal(sgw.ues.count, 0);
    assert_int_equal(sgw.sessions.count, 0);
    assert_int_equal(sgw.bearers.count, 0);
    assert_int_equal(sgw.ue_by_imsi.count, 0);
    assert_int_equal(sgw.procedures, 0);
    assert_int_equal(user.count, 0);
    assert_int_equal(user_plane_sessions(sgw.planes, 0), 0);
    assert_int_equal(udp_peer_users(peer(sgw.s11, MME)), 0);
    assert_int_equal(udp_peer_users(peer(sgw.s5, PGW)), 0);
}

/* ---- Tests ---- */

static void an_attach(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    const struct gtpc_create_session_response *response = last.answer.create_session_response;
    struct fake_session *session = fake_session_of(&user, IMSI);

    assert_int_equal(last.answer.header.teid, 0x111);
    assert_int_equal(response->sender->interface_type, GTPC_S11_S4_SGW_GTP_C);
    assert_int_equal(response->pgw->teid, 1);
    assert_int_equal(ntohl(response->paa->ipv4.s_addr), 0x0a2d0001);
    assert_int_equal(response->ambr->downlink_kbps, 2000);
    assert_int_equal(*response->apn_restriction, 0);
    assert_true(bytes_equal(*response->pco, BYTES(0x80, 0, 0x0d, 4, 8, 8, 8, 8)));
    assert_int_equal(response->bearers.count, 1);
    assert_int_equal(response->bearers.at[0].ebi, 5);
    assert_int_equal(response->bearers.at[0].s1_u_sgw->interface_type, GTPC_S1_U_SGW);
    assert_int_equal(response->bearers.at[0].s5_s8_u_pgw->teid, 0x5001);
    /* what the P-GW saw */
    assert_string_equal(pgw_fake.apn, "internet");
    assert_int_equal(pgw_fake.sgw_c.interface_type, GTPC_S5_S8_SGW_GTP_C);
    assert_int_equal(pgw_fake.sgw_u.interface_type, GTPC_S5_S8_SGW_GTP_U);
    /* what the user plane was told */
    assert_int_equal(user.count, 1);
    assert_int_equal(user.establishments, 1);
    assert_int_equal(user.modifications, user.chooses ? 1 : 0);
    assert_int_equal(fake_pdr(session, 1)->source, PFCP_INTERFACE_ACCESS);
    assert_int_equal(fake_pdr(session, 1)->teid, response->bearers.at[0].s1_u_sgw->teid);
    assert_int_equal(fake_pdr(session, 2)->source, PFCP_INTERFACE_CORE);
    assert_int_equal(fake_pdr(session, 2)->teid, pgw_fake.sgw_u.teid);
    assert_true(fake_pdr(session, 1)->teid != fake_pdr(session, 2)->teid);
    assert_int_equal(fake_far(session, 1)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 1)->destination, PFCP_INTERFACE_CORE);
    assert_int_equal(fake_far(session, 1)->teid, 0x5001);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF);
    /* in its range */
    assert_int_equal(fake_pdr(session, 1)->teid >> 29, fake_pdr(session, 2)->teid >> 29);

    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.header.teid, 0x111);
    assert_int_equal(last.answer.modify_bearer_response->bearers.at[0].cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.modify_bearer_response->bearers.at[0].s1_u_sgw->teid, fake_pdr(session, 1)->teid);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 2)->destination, PFCP_INTERFACE_ACCESS);
    assert_int_equal(fake_far(session, 2)->teid, 0xe1);
    assert_int_equal(session->end_markers, 0);
    assert_int_equal(pgw_fake.modifications, 0); /* nothing that the P-GW has to know */
    /* the same again changes nothing */
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(user.modifications, user.chooses ? 2 : 1);

    assert_int_equal(detach(teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.deletions, 1);
    nothing_is_left();
}

static void a_phone_sleeps_and_is_called(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    fake_report_data(&user, session); /* late: it is connected */
    settle();
    assert_int_equal(mme.notifications, 0);
    assert_int_equal(release(teid), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    assert_int_equal(mme.last_ebi, 5);
    settle();
    assert_int_equal(user.report_answers, 2);
    fake_report_data(&user, session); /* it is being called already */
    settle();
    assert_int_equal(mme.notifications, 1);
    assert_int_equal(modify_to(teid, 5, 0xe2, "10.0.0.8"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 2)->teid, 0xe2);
    assert_int_equal(session->end_markers, 0); /* it came from nowhere */
    release(teid);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 2);
    detach(teid, 5);
    nothing_is_left();
}

static void the_mme_delays_notifications(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    release(teid);
    mme.delay = 4;
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    settle();
    assert_int_equal(session->delay, 4);
    detach(teid, 5);
    nothing_is_left();
}

static void a_phone_that_is_not_found(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);
    struct gtpc_downlink_data_notification_failure_indication failure = {
        .cause = {.value = GTPC_CAUSE_UE_NOT_RESPONDING}};

    release(teid);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    settle();
    assert_int_equal(session->drops, 0);
    gtpc_notify(peer(mme.endpoint, SGW), teid, GTPC_DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION, &failure);
    settle();
    assert_int_equal(session->drops, 1);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    fake_report_data(&user, session); /* the next packet calls again */
    wait_for(&mme.notifications, 2);
    detach(teid, 5);
    nothing_is_left();
}

static void an_mme_that_cannot_page(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    release(teid);
    mme.acknowledge = GTPC_CAUSE_UNABLE_TO_PAGE_UE;
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    settle();
    assert_int_equal(session->drops, 1);
    /* one that does not know the phone: its sessions are void */
    mme.acknowledge = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    fake_report_data(&user, session);
    wait_for(&pgw_fake.deletions, 1);
    nothing_is_left();
}

static void an_mme_that_is_silent(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    release(teid);
    mme.is_silent = true;
    fake_report_data(&user, session);
    loop_run_for(40);
    /* the phone's own Service Request does not wait for the acknowledgement */
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    mme.is_silent = false;
    loop_run_for(120);
    detach(teid, 5);
    nothing_is_left();
}

static void a_move_to_another_enodeb_ends_the_old_tunnel(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    modify_to(teid, 5, 0xe2, "10.0.0.8");
    assert_int_equal(session->end_markers, 1);
    assert_int_equal(fake_far(session, 2)->teid, 0xe2);
    modify_to(teid, 5, 0xe3, "10.0.0.8");
    assert_int_equal(session->end_markers, 2);
    detach(teid, 5);
}

static void two_pdn_connections(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct gtpc_create_session_request *second = creation(IMSI, 6);

    strcpy(second->apn, "ims");
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, teid, second), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.create_session_response->sender->teid, teid);
    assert_int_equal(user.count, 2);
    /* all bearers at once */
    struct gtpc_f_teid enb = {.interface_type = GTPC_S1_U_ENODEB, .has_ipv4 = true, .teid = 0xe1, .ipv4.s_addr = 9};
    struct gtpc_bearer_to_be_modified bearers[] = {{.ebi = 5, .s1_u_enodeb = &enb},
                                                   {.ebi = 6, .s1_u_enodeb = &enb},
                                                   {.ebi = 9, .s1_u_enodeb = &enb}};
    struct gtpc_modify_access_bearers_request all = {.bearers = {bearers, 3}};
    assert_int_equal(ask(GTPC_MODIFY_ACCESS_BEARERS_REQUEST, teid, &all), GTPC_CAUSE_REQUEST_ACCEPTED_PARTIALLY);
    assert_int_equal(last.answer.modify_access_bearers_response->bearers.at[2].cause.value,
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(fake_far(fake_session_at(&user, 0), 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(fake_session_at(&user, 1), 2)->action, PFCP_APPLY_FORW);
    release(teid);
    assert_int_equal(fake_far(fake_session_at(&user, 0), 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    assert_int_equal(fake_far(fake_session_at(&user, 1), 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    assert_int_equal(detach(teid, 6), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(sgw.ues.count, 1);
    assert_int_equal(detach(teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    nothing_is_left();
}

static void deletions(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    uint64_t scope = GTPC_SI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request all = {.indication = &scope}, local = {.lbi = &ebi}, nobody = {0};

    assert_int_equal(detach(teid, 6), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(detach(teid + 1, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(ask(GTPC_DELETE_SESSION_REQUEST, teid, &nobody), GTPC_CAUSE_CONDITIONAL_IE_MISSING);
    assert_int_equal(last.answer.delete_session_response->cause.offending_type, GTPC_IE_EBI);
    assert_int_equal(ask(GTPC_DELETE_SESSION_REQUEST, teid, &local), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.deletions, 0); /* no OI: the P-GW keeps it */
    nothing_is_left();
    teid = attach(IMSI);
    assert_int_equal(ask(GTPC_DELETE_SESSION_REQUEST, teid, &all), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.deletions, 0);
    nothing_is_left();
    /* a P-GW that does not answer does not keep the session here */
    teid = attach(IMSI);
    pgw_fake.is_silent = true;
    assert_int_equal(detach(teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    nothing_is_left();
}

static void the_pgw_refuses(void **state)
{
    (void)state;
    pgw_fake.refuse = GTPC_CAUSE_MISSING_OR_UNKNOWN_APN;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)), GTPC_CAUSE_MISSING_OR_UNKNOWN_APN);
    assert_true(last.answer.create_session_response->cause.is_remote);
    assert_int_equal(last.answer.header.teid, 0x111);
    assert_int_equal(user.establishments, 0);
    assert_int_equal(pgw_fake.deletions, 0);
    nothing_is_left();
}

static void the_pgw_is_silent(void **state)
{
    (void)state;
    pgw_fake.is_silent = true;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)), GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING);
    nothing_is_left();
}

static void the_pgw_answers_nonsense(void **state)
{
    (void)state;
    pgw_fake.omits_tunnel = true;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_INVALID_REPLY_FROM_REMOTE_PEER);
    settle();
    assert_int_equal(pgw_fake.deletions, 1); /* what it has made is taken down */
    nothing_is_left();
}

static void the_user_plane_refuses(void **state)
{
    (void)state;
    user.refuse = PFCP_CAUSE_NO_RESOURCES_AVAILABLE;
    user.refusals = 1;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)), GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(pgw_fake.deletions, 1);
    user.refuse = PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE;
    user.refusals = 1;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)), GTPC_CAUSE_SYSTEM_FAILURE);
    assert_int_equal(pgw_fake.deletions, 2);
    nothing_is_left();
    /* at Modify Bearer: refused, and told again the next time */
    uint32_t teid = attach(IMSI);
    user.refusals = 1;
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_SYSTEM_FAILURE);
    assert_int_equal(last.answer.modify_bearer_response->bearers.at[0].cause.value, GTPC_CAUSE_SYSTEM_FAILURE);
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->teid, 0xe1);
    detach(teid, 5);
    nothing_is_left();
}

static void the_user_plane_is_slow_or_silent(void **state)
{
    (void)state;
    user.ignored = 2; /* two of three attempts */
    uint32_t teid = attach(IMSI);
    assert_int_equal(user.establishments, 1);
    detach(teid, 5);
    user.ignored = 3;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)), GTPC_CAUSE_SYSTEM_FAILURE);
    nothing_is_left();
}

static void there_is_no_user_plane(void **state)
{
    (void)state;
    fake_user_plane_close(&user);
    for (int i = 0; i < 300 && user_plane_is_up(sgw.planes, 0); i++)
        loop_run_for(2);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)), GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(pgw_fake.creations, 0);
    assert_int_equal(sgw.ues.count, 0);
}

static void requests_that_lack_something(void **state)
{
    (void)state;
    struct gtpc_create_session_request *request = creation(IMSI, 5);

    request->imsi = NULL;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request), GTPC_CAUSE_CONDITIONAL_IE_MISSING);
    assert_int_equal(last.answer.create_session_response->cause.offending_type, GTPC_IE_IMSI);
    request = creation("12", 5);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request), GTPC_CAUSE_MANDATORY_IE_INCORRECT);
    request = creation(IMSI, 5);
    request->pgw = NULL;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request), GTPC_CAUSE_CONDITIONAL_IE_MISSING);
    assert_int_equal(last.answer.create_session_response->cause.offending_type, GTPC_IE_F_TEID);
    assert_int_equal(last.answer.create_session_response->cause.offending_instance, 1);
    request = creation(IMSI, 3);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request), GTPC_CAUSE_MANDATORY_IE_INCORRECT);
    request = creation(IMSI, 5);
    request->sender.has_ipv4 = false;
    request->sender.has_ipv6 = true;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request), GTPC_CAUSE_INVALID_PEER);
    request = creation(IMSI, 5);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0x12345, request), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    nothing_is_left();
}

static void a_stranger_cannot_touch_a_phone(void **state)
{
    (void)state;
    struct gtpc_endpoint *odd;
    uint32_t teid = attach(IMSI);
    struct gtpc_release_access_bearers_request release_request = {0};
    uint64_t flags = GTPC_OI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &ebi, .indication = &flags};
    struct gtpc_delete_bearer_request bearer = {.lbi = &ebi};

    open_peer(&odd, ODD, 1, &mme_handler);
    assert_int_equal(ask_of(odd, GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &release_request),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(last.answer.header.teid, 0);
    assert_int_equal(ask_of(odd, GTPC_DELETE_SESSION_REQUEST, teid, &deletion), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(ask_of(odd, GTPC_DELETE_BEARER_REQUEST, fake_session_of(&user, IMSI)->cp_seid & UINT32_MAX,
                            &bearer),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(sgw.sessions.count, 1);
    gtpc_close(odd);
    detach(teid, 5);
}

static void the_mme_changes(void **state)
{
    (void)state;
    struct gtpc_endpoint *odd;
    uint32_t teid = attach(IMSI);

    open_peer(&odd, ODD, 1, &mme_handler);
    struct gtpc_f_teid sender = gtpc_own_f_teid(odd, GTPC_S11_MME_GTP_C, 0x222);
    struct gtpc_modify_bearer_request request = {.sender = &sender};
    assert_int_equal(ask_of(odd, GTPC_MODIFY_BEARER_REQUEST, teid, &request), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.header.teid, 0x222);
    assert_int_equal(release(teid), GTPC_CAUSE_CONTEXT_NOT_FOUND); /* the old one has no say any more */
    assert_int_equal(udp_peer_users(peer(sgw.s11, MME)), 0);
    assert_int_equal(udp_peer_users(peer(sgw.s11, ODD)), 1);
    struct gtpc_release_access_bearers_request release_request = {0};
    assert_int_equal(ask_of(odd, GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &release_request),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    gtpc_close(odd);
}

static void news_for_the_pgw_are_passed_on(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct gtpc_ue_time_zone zone = {0x40, 0};
    uint8_t rat = GTPC_RAT_UTRAN, same = GTPC_RAT_EUTRAN;
    struct gtpc_modify_bearer_request request = {.ue_time_zone = &zone, .rat_type = &rat};
    struct gtpc_modify_bearer_request nothing_new = {.rat_type = &same};
    struct gtpc_change_notification_request change = {.rat_type = GTPC_RAT_EUTRAN};

    assert_int_equal(ask(GTPC_MODIFY_BEARER_REQUEST, teid, &nothing_new), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.modifications, 0);
    assert_int_equal(ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.modifications, 1);
    assert_int_equal(pgw_fake.rat_type, GTPC_RAT_UTRAN);
    pgw_fake.refuse = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    assert_int_equal(ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_true(last.answer.modify_bearer_response->cause.is_remote);
    assert_int_equal(ask(GTPC_CHANGE_NOTIFICATION_REQUEST, teid, &change), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.changes, 1);
    pgw_fake.is_silent = true;
    assert_int_equal(ask(GTPC_CHANGE_NOTIFICATION_REQUEST, teid, &change), GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING);
    pgw_fake.is_silent = false;
    detach(teid, 5);
}

static void suspended_and_resumed(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);
    struct gtpc_suspend_notification suspend = {.imsi = IMSI};
    struct gtpc_resume_notification resume = {.imsi = IMSI};

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    assert_int_equal(ask(GTPC_SUSPEND_NOTIFICATION, teid, &suspend), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_DROP);
    assert_int_equal(ask(GTPC_RESUME_NOTIFICATION, teid, &resume), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    detach(teid, 5);
}

static void what_is_not_supported_is_said(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct gtpc_bearer_of_command bearer = {.ebi = 6};
    struct gtpc_delete_bearer_command deletion = {.bearers = {&bearer, 1}};
    struct gtpc_bearer_resource_command resource = {.lbi = 5, .pti = 9, .tad = BYTES(0)};
    struct gtpc_modify_bearer_command modification = {.bearer = bearer};
    struct gtpc_pgw_restart_notification other = {0};
    struct gtpc_create_session_request *moved = creation("001010000000009", 5);

    assert_int_equal(ask(GTPC_DELETE_BEARER_COMMAND, teid, &deletion), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(last.answer.header.type, GTPC_DELETE_BEARER_FAILURE_INDICATION);
    assert_true(last.answer.header.sequence & GTPC_COMMAND_SEQUENCE);
    assert_int_equal(last.answer.delete_bearer_failure_indication->bearers.at[0].ebi, 6);
    assert_int_equal(ask(GTPC_BEARER_RESOURCE_COMMAND, teid, &resource), GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    assert_int_equal(last.answer.bearer_resource_failure_indication->pti, 9);
    assert_int_equal(ask(GTPC_MODIFY_BEARER_COMMAND, teid, &modification), GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    assert_int_equal(ask(GTPC_PGW_RESTART_NOTIFICATION, teid, &other), GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    ((struct gtpc_f_teid *)(uintptr_t)moved->pgw)->teid = 5; /* a session that another S-GW had */
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, moved), GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    detach(teid, 5);
    nothing_is_left();
}

static void an_attach_anew_makes_the_old_sessions_void(void **state)
{
    (void)state;
    uint32_t before = attach(IMSI);
    uint32_t teid = attach(IMSI);

    assert_int_equal(before, teid); /* the phone is the same */
    assert_int_equal(pgw_fake.deletions, 1);
    assert_int_equal(pgw_fake.creations, 2);
    assert_int_equal(user.count, 1);
    assert_int_equal(sgw.sessions.count, 1);
    /* the same bearer again on the phone's own TEID */
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, teid, creation(IMSI, 5)), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(sgw.sessions.count, 1);
    detach(teid, 5);
    nothing_is_left();
}

static void requests_for_one_phone_are_done_one_after_the_other(void **state)
{
    (void)state;
    static struct asked first, second, third;
    uint32_t teid = attach(IMSI);
    struct gtpc_f_teid enb = {.interface_type = GTPC_S1_U_ENODEB, .has_ipv4 = true, .teid = 0xe1, .ipv4.s_addr = 9};
    struct gtpc_bearer_to_be_modified bearer = {.ebi = 5, .s1_u_enodeb = &enb};
    struct gtpc_modify_bearer_request modification = {.bearers = {&bearer, 1}};
    struct gtpc_release_access_bearers_request release_request = {0};
    uint64_t flags = GTPC_OI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &ebi, .indication = &flags};

    user.ignored = 1; /* the first waits a while */
    ask_begin(&first, mme.endpoint, GTPC_MODIFY_BEARER_REQUEST, teid, &modification);
    ask_begin(&second, mme.endpoint, GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &release_request);
    ask_begin(&third, mme.endpoint, GTPC_DELETE_SESSION_REQUEST, teid, &deletion);
    loop_run_for(10);
    assert_false(first.done || second.done || third.done);
    loop_run_for(100);
    assert_true(first.done && second.done && third.done);
    assert_int_equal(first.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(second.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(third.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    arena_free(&first.arena);
    arena_free(&second.arena);
    arena_free(&third.arena);
    nothing_is_left();
}

static void a_request_behind_the_last_deletion_finds_nothing(void **state)
{
    (void)state;
    static struct asked first, second;
    uint32_t teid = attach(IMSI);
    uint64_t flags = GTPC_OI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &ebi, .indication = &flags};
    struct gtpc_modify_bearer_request modification = {.bearers = {NULL, 0}};

    user.ignored = 1;
    ask_begin(&first, mme.endpoint, GTPC_DELETE_SESSION_REQUEST, teid, &deletion);
    ask_begin(&second, mme.endpoint, GTPC_MODIFY_BEARER_REQUEST, teid, &modification);
    loop_run_for(100);
    assert_int_equal(first.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(second.cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    arena_free(&first.arena);
    arena_free(&second.arena);
    nothing_is_left();
}

static void a_restarted_user_plane_gets_its_sessions_again(void **state)
{
    (void)state;
    uint32_t connected = attach(IMSI), idle = attach("001010000000002");
    struct fake_session before_connected = *fake_session_of(&user, IMSI);
    struct fake_session before_idle = *fake_session_of(&user, "001010000000002");

    modify_to(connected, 5, 0xe1, "10.0.0.7");
    release(idle);
    user.next_seid = 0x8800;
    fake_user_plane_restart(&user);
    for (int i = 0; i < 500 && user.count < 2; i++)
        loop_run_for(2);
    assert_int_equal(user.count, 2);
    struct fake_session *session = fake_session_of(&user, IMSI);
    assert_int_equal(fake_pdr(session, 1)->teid, fake_pdr(&before_connected, 1)->teid);
    assert_int_equal(fake_pdr(session, 2)->teid, fake_pdr(&before_connected, 2)->teid);
    assert_int_equal(session->cp_seid, before_connected.cp_seid);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 2)->teid, 0xe1);
    session = fake_session_of(&user, "001010000000002");
    assert_int_equal(fake_pdr(session, 1)->teid, fake_pdr(&before_idle, 1)->teid);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    settle();
    assert_int_equal(sgw.metrics[SGW_RESTORED].value, 2);
    assert_int_equal(sgw.repairs, 0);
    assert_null(sgw.sweeper);
    assert_int_equal(modify_to(idle, 5, 0xe2, "10.0.0.8"), GTPC_CAUSE_REQUEST_ACCEPTED);
    detach(connected, 5);
    detach(idle, 5);
    nothing_is_left();
}

static void a_user_plane_that_forgot_is_noticed_at_once(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);

    user.forgets = true;
    user.count = 0;
    memset(user.sessions, 0, sizeof(user.sessions));
    (void)modify_to(teid, 5, 0xe1, "10.0.0.7"); /* may be refused ... */
    for (int i = 0; i < 500 && user.count < 1; i++)
        loop_run_for(2);
    settle();
    assert_int_equal(user.associations, 2);
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->teid, 0xe1); /* ... and is done all the same */
    detach(teid, 5);
    nothing_is_left();
}

static void a_session_that_only_the_user_plane_lost(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);

    user.count = 0;
    memset(user.sessions, 0, sizeof(user.sessions));
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(user.count, 1);
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->teid, 0xe1);
    detach(teid, 5);
    nothing_is_left();
}

static void many_sessions_are_restored_a_few_at_a_time(void **state)
{
    (void)state;
    char imsi[IMSI_SIZE];

    for (int i = 0; i < 300; i++) {
        snprintf(imsi, sizeof(imsi), "00101%010u", (unsigned)i % 1000000);
        attach(imsi);
    }
    fake_user_plane_restart(&user);
    for (int i = 0; i < 1000 && user.count < 300; i++)
        loop_run_for(2);
    assert_int_equal(user.count, 300);
    settle();
    assert_int_equal(sgw.metrics[SGW_RESTORED].value, 300);
    assert_int_equal(sgw.metrics[SGW_RESTORE_FAILED].value, 0);
}

static void a_restarted_mme_has_no_phones(void **state)
{
    (void)state;
    attach(IMSI);
    attach("001010000000002");
    gtpc_close(mme.endpoint);
    open_mme(11);
    /* the first word of the new one is an attach of a phone that was there before */
    uint32_t teid = attach(IMSI);
    wait_for(&pgw_fake.deletions, 2);
    settle();
    assert_int_equal(sgw.ues.count, 1);
    assert_int_equal(user.count, 1);
    assert_non_null(sgw_ue_by_imsi(IMSI));
    detach(teid, 5);
    nothing_is_left();
}

static void a_restarted_mme_is_noticed_by_echo(void **state)
{
    (void)state;
    attach(IMSI);
    loop_run_for(100); /* Echo has told its counter */
    gtpc_close(mme.endpoint);
    open_mme(11);
    wait_for(&pgw_fake.deletions, 1);
    nothing_is_left();
}

static void a_restarted_pgw_has_no_sessions(void **state)
{
    (void)state;
    attach(IMSI);
    loop_run_for(100);
    gtpc_close(pgw_fake.endpoint);
    open_pgw(21);
    wait_for(&mme.bearer_deletions, 1);
    assert_int_equal(mme.last_ebi, 5);
    assert_int_equal(mme.last_cause, GTPC_CAUSE_REACTIVATION_REQUESTED);
    settle();
    assert_int_equal(pgw_fake.deletions, 0);
    nothing_is_left();
    uint32_t teid = attach(IMSI); /* and all goes on */
    detach(teid, 5);
}

static void peers_that_are_gone_for_long(void **state)
{
    (void)state;
    attach(IMSI);
    loop_run_for(80);
    gtpc_close(mme.endpoint);
    mme.endpoint = NULL;
    for (int i = 0; i < 700 && sgw.ues.count > 0; i++)
        loop_run_for(5);
    assert_int_equal(pgw_fake.deletions, 1);
    assert_int_equal(sgw.ues.count, 0);
    assert_int_equal(user.count, 0);
    open_mme(10);
}

static void the_pgw_ends_a_session(void **state)
{
    (void)state;
    attach(IMSI);
    uint32_t s5_teid = pgw_fake.sgw_c.teid;
    uint8_t ebi = 5, other = 6;
    struct gtpc_cause cause = {.value = GTPC_CAUSE_REACTIVATION_REQUESTED};
    struct gtpc_delete_bearer_request request = {.lbi = &ebi, .cause = &cause}, wrong = {.lbi = &other};
    struct gtpc_update_bearer_request update = {0};
    struct gtpc_bearer_to_be_updated updated = {.ebi = 5};

    assert_int_equal(ask_of(pgw_fake.endpoint, GTPC_DELETE_BEARER_REQUEST, s5_teid, &wrong),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    update.bearers.at = &updated;
    update.bearers.count = 1;
    assert_int_equal(ask_of(pgw_fake.endpoint, GTPC_UPDATE_BEARER_REQUEST, s5_teid, &update),
                     GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    assert_int_equal(ask_of(pgw_fake.endpoint, GTPC_DELETE_BEARER_REQUEST, s5_teid, &request),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.header.teid, 1);
    assert_int_equal(mme.bearer_deletions, 1);
    assert_int_equal(mme.last_cause, GTPC_CAUSE_REACTIVATION_REQUESTED);
    nothing_is_left();
}

static void the_enodeb_has_forgotten_the_tunnel(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);
    struct in_addr enb;

    inet_pton(AF_INET, "10.0.0.7", &enb);
    modify_to(teid, 5, 0xe1, "10.0.0.7");
    fake_report_error(&user, session, 0xbad, enb); /* not one of ours */
    settle();
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    fake_report_error(&user, session, 0xe1, enb);
    settle();
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    detach(teid, 5);
    nothing_is_left();
}

static void the_pgw_has_forgotten_the_tunnel(void **state)
{
    (void)state;
    attach(IMSI);
    struct in_addr pgw = {htonl(0x0a000099)};

    fake_report_error(&user, fake_session_of(&user, IMSI), 0x5001, pgw);
    wait_for(&mme.bearer_deletions, 1);
    nothing_is_left();
}

static void a_report_about_nothing(void **state)
{
    (void)state;
    attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    session->cp_seid ^= UINT64_C(1) << 40; /* of an earlier life */
    fake_report_data(&user, session);
    settle();
    assert_int_equal(user.report_answers, 0);
    assert_int_equal(mme.notifications, 0);
    session->cp_seid ^= UINT64_C(1) << 40;
}

static void too_many_procedures(void **state)
{
    (void)state;
    static struct asked slow;

    config.max_procedures = 1;
    user.ignored = 1;
    ask_begin(&slow, mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5));
    loop_run_for(10);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation("001010000000002", 5)),
                     GTPC_CAUSE_GTP_C_ENTITY_CONGESTION);
    loop_run_for(60);
    assert_true(slow.done);
    assert_int_equal(slow.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    arena_free(&slow.arena);
}

static void too_many_phones(void **state)
{
    (void)state;
    sgw.ues.limit = 1;
    attach(IMSI);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation("001010000000002", 5)),
                     GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    sgw.ues.limit = 10;
    sgw.sessions.limit = 1;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation("001010000000002", 5)),
                     GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(sgw.ues.count, 1);
    assert_int_equal(user.count, 1);
}

static void it_can_be_looked_at(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    static const char *const views[] = {"sessions", "peers"};

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    json_t *summary = sgw_state(NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(summary, "sessions")), 1);
    json_decref(summary);
    for (size_t i = 0; i < 2; i++) {
        json_t *rows = sgw_state(views[i], NULL);
        assert_true(json_array_size(rows) >= 1);
        json_decref(rows);
    }
    json_t *rows = sgw_state("sessions", NULL);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "state")), "connected");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "enodeb")), "10.0.0.7/0xe1");
    json_decref(rows);
    assert_null(sgw_state("nonsense", NULL));
}

/* Stopping while procedures wait at every door: they end, nothing is used after it is gone. */
static void it_can_be_stopped_at_any_time(void **state)
{
    (void)state;
    static struct asked waiting[3];
    char imsi[IMSI_SIZE];

    uint32_t teid = attach(IMSI);
    release(teid);
    mme.is_silent = true;
    fake_report_data(&user, fake_session_of(&user, IMSI));
    pgw_fake.is_silent = true;
    ask_begin(&waiting[0], mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0, creation("001010000000002", 5));
    loop_run_for(5);
    pgw_fake.is_silent = false;
    user.ignored = 1000;
    for (int i = 1; i < 3; i++) {
        snprintf(imsi, sizeof(imsi), "00101%010u", (unsigned)i % 1000000);
        ask_begin(&waiting[i], mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0, creation(imsi, 5));
        loop_run_for(3);
    }
    assert_true(sgw.procedures >= 3);
    sgw_stop();
    assert_int_equal(sgw.procedures, 0);
    gtpc_close(mme.endpoint); /* the askers end as well */
    mme.endpoint = NULL;
    for (int i = 0; i < 3; i++)
        arena_free(&waiting[i].arena);
    open_mme(10);
    mme.is_silent = false;
    assert_int_equal(start(), 0); /* and it starts again */
}

/* What a phone costs here. */
static void a_phone_is_small(void **state)
{
    (void)state;
    size_t phone = sizeof(struct sgw_ue) + sizeof(struct sgw_session) + sizeof(struct sgw_bearer);

    assert_true(phone + 3 * 16 + 2 * 24 < 1024);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_attach),
        cmocka_unit_test_setup_teardown(an_attach, set_up_two_addresses, tear_down),
        cmocka_unit_test_setup_teardown(an_attach, set_up_choosing, tear_down),
        TEST(a_phone_sleeps_and_is_called),
        TEST(the_mme_delays_notifications),
        TEST(a_phone_that_is_not_found),
        TEST(an_mme_that_cannot_page),
        TEST(an_mme_that_is_silent),
        TEST(a_move_to_another_enodeb_ends_the_old_tunnel),
        TEST(two_pdn_connections),
        TEST(deletions),
        TEST(the_pgw_refuses),
        TEST(the_pgw_is_silent),
        TEST(the_pgw_answers_nonsense),
        TEST(the_user_plane_refuses),
        TEST(the_user_plane_is_slow_or_silent),
        TEST(there_is_no_user_plane),
        TEST(requests_that_lack_something),
        TEST(a_stranger_cannot_touch_a_phone),
        TEST(the_mme_changes),
        TEST(news_for_the_pgw_are_passed_on),
        TEST(suspended_and_resumed),
        TEST(what_is_not_supported_is_said),
        TEST(an_attach_anew_makes_the_old_sessions_void),
        TEST(requests_for_one_phone_are_done_one_after_the_other),
        TEST(a_request_behind_the_last_deletion_finds_nothing),
        TEST(a_restarted_user_plane_gets_its_sessions_again),
        cmocka_unit_test_setup_teardown(a_restarted_user_plane_gets_its_sessions_again, set_up_choosing, tear_down),
        TEST(a_user_plane_that_forgot_is_noticed_at_once),
        TEST(a_session_that_only_the_user_plane_lost),
        TEST(many_sessions_are_restored_a_few_at_a_time),
        TEST(a_restarted_mme_has_no_phones),
        TEST(a_restarted_mme_is_noticed_by_echo),
        TEST(a_restarted_pgw_has_no_sessions),
        TEST(peers_that_are_gone_for_long),
        TEST(the_pgw_ends_a_session),
        TEST(the_enodeb_has_forgotten_the_tunnel),
        TEST(the_pgw_has_forgotten_the_tunnel),
        TEST(a_report_about_nothing),
        TEST(too_many_procedures),
        TEST(too_many_phones),
        TEST(it_can_be_looked_at),
        TEST(it_can_be_stopped_at_any_time),
        cmocka_unit_test(a_phone_is_small),
    };
    log_init("test", LOG_ERROR);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&last.arena);
    return failed;
}
