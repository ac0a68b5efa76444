/*
 * sgw_world.c -- see sgw_world.h.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/base.h"
#include "sgw_world.h"

struct fake_user_plane user;

struct fake_mme mme;

struct fake_pgw pgw_fake;

struct sgw_config sgw_test_config;

static struct sockaddr_storage storage(const char *host)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&storage;

    in->sin_family = AF_INET;
    inet_pton(AF_INET, host, &in->sin_addr);
    return storage;
}

struct udp_peer *peer(struct gtpc_endpoint *endpoint, const char *host)
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
        assert_int_equal(request->header.teid, MME_TEID);
        gtpc_answer(mme.endpoint, transaction, sgw_ue_by_imsi(IMSI) ? sgw_ue_by_imsi(IMSI)->id : 0,
                    &answer);
    } else if (request->header.type == GTPC_DELETE_BEARER_REQUEST) {
        struct gtpc_delete_bearer_response answer = {
            .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
            .lbi = request->delete_bearer_request->lbi};
        mme.bearer_deletions++;
        mme.last_ebi = *request->delete_bearer_request->lbi;
        mme.last_cause = request->delete_bearer_request->cause
                             ? request->delete_bearer_request->cause->value
                             : 0;
        gtpc_answer(mme.endpoint, transaction, 0, &answer);
    }
}

static void pgw_accept(struct udp_peer *from, uint32_t transaction,
                       const struct gtpc_create_session_request *request)
{
    struct gtpc_f_teid own =
        gtpc_own_f_teid(pgw_fake.endpoint, GTPC_S5_S8_PGW_GTP_C, ++pgw_fake.next_teid);
    struct gtpc_f_teid tunnel = {.interface_type = GTPC_S5_S8_PGW_GTP_U,
                                 .has_ipv4 = true,
                                 .teid = 0x5000 + pgw_fake.next_teid,
                                 .ipv4.s_addr = htonl(0x0a000099)};
    struct gtpc_paa paa = {.pdn_type = GTPC_PDN_IPV4,
                           .ipv4.s_addr = htonl(0x0a2d0000 + pgw_fake.next_teid)};
    struct bytes pco = BYTES(0x80, 0, 0x0d, 4, 8, 8, 8, 8);
    struct gtpc_bearer_created created = {
        .ebi = request->bearers.at[0].ebi,
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
        .s5_s8_u_pgw = pgw_fake.omits_tunnel ? NULL : &tunnel,
        .charging_id = &(uint32_t){77},
    };
    struct gtpc_create_session_response response = {
        .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
        .change_reporting_action = pgw_fake.wants_location ? &(uint8_t){1} : NULL,
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
    gtpc_answer(pgw_fake.endpoint, transaction, request->sender.teid, &response);
}

static void pgw_request(void *owner, struct udp_peer *from, uint32_t transaction,
                        const struct gtpc_message *request)
{
    (void)owner;
    if (pgw_fake.is_silent) {
        udp_abandon(gtpc_udp(pgw_fake.endpoint), transaction);
    } else if (request->header.type == GTPC_CREATE_SESSION_REQUEST && pgw_fake.refuse) {
        gtpc_refuse(pgw_fake.endpoint, transaction, request->create_session_request->sender.teid,
                    pgw_fake.refuse);
    } else if (request->header.type == GTPC_CREATE_SESSION_REQUEST) {
        pgw_accept(from, transaction, request->create_session_request);
    } else if (request->header.type == GTPC_DELETE_SESSION_REQUEST) {
        pgw_fake.deletions++;
        gtpc_refuse(pgw_fake.endpoint, transaction, pgw_fake.sgw_c.teid,
                    GTPC_CAUSE_REQUEST_ACCEPTED);
    } else if (request->header.type == GTPC_MODIFY_BEARER_REQUEST) {
        pgw_fake.modifications++;
        pgw_fake.rat_type = request->modify_bearer_request->rat_type
                                ? *request->modify_bearer_request->rat_type
                                : 0;
        gtpc_refuse(pgw_fake.endpoint, transaction, pgw_fake.sgw_c.teid,
                    pgw_fake.refuse ? pgw_fake.refuse : GTPC_CAUSE_REQUEST_ACCEPTED);
    } else if (request->header.type == GTPC_CHANGE_NOTIFICATION_REQUEST) {
        struct gtpc_change_notification_response response = {
            .cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED}};
        pgw_fake.changes++;
        gtpc_answer(pgw_fake.endpoint, transaction, pgw_fake.sgw_c.teid, &response);
    }
}

const struct gtpc_handler fake_mme_handler = {.request = mme_request};
static const struct gtpc_handler pgw_handler = {.request = pgw_request};

void open_peer(struct gtpc_endpoint **endpoint, const char *host, uint8_t recovery,
               const struct gtpc_handler *handler)
{
    struct udp_settings settings = udp_settings_default();
    struct sockaddr_storage address = storage(host);

    settings.timeout_ms = 400; /* the S-GW's own retransmissions are to be over before */
    settings.probe_interval_ms = 0;
    assert_int_equal(
        gtpc_open((struct sockaddr *)&address, &settings, recovery, 0, handler, NULL, endpoint), 0);
}

void open_mme(uint8_t recovery)
{
    mme.recovery = recovery;
    mme.acknowledge = GTPC_CAUSE_REQUEST_ACCEPTED;
    open_peer(&mme.endpoint, MME, recovery, &fake_mme_handler);
}

void open_pgw(uint8_t recovery)
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
    sgw_test_config = (struct sgw_config){
        .s11 = {.address = storage(SGW),
                .t3_response_ms = 30,
                .n3_requests = 3,
                .echo_interval_ms = 60},
        .s5 = {.address = storage(s5),
               .t3_response_ms = 30,
               .n3_requests = 3,
               .echo_interval_ms = 60},
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

int start_sgw(void)
{
    if (sgw_start(&sgw_test_config, NULL) < 0)
        return -1;
    for (int i = 0; i < 200 && !user_plane_is_up(sgw.planes, 0); i++)
        loop_run_for(2);
    return user_plane_is_up(sgw.planes, 0) ? 0 : -1;
}

int set_up(void **state)
{
    (void)state;
    return set_up_with(SGW) < 0 ? -1 : start_sgw();
}

int set_up_two_addresses(void **state)
{
    (void)state;
    return set_up_with(unit_host(8)) < 0 ? -1 : start_sgw();
}

int set_up_choosing(void **state)
{
    (void)state;
    if (set_up_with(SGW) < 0)
        return -1;
    user.chooses = true;
    return start_sgw();
}

int tear_down(void **state)
{
    (void)state;
    sgw_stop();
    metric_forget_all();
    fake_user_plane_close(&user);
    if (mme.endpoint)
        gtpc_close(mme.endpoint);
    if (pgw_fake.endpoint)
        gtpc_close(pgw_fake.endpoint);
    arena_free(&last.arena);
    loop_run_for(1);
    loop_free();
    fiber_free_stacks();
    return fiber_count() == 0 ? 0 : -1;
}

void settle(void)
{
    loop_run_for(15);
}

void wait_for(const unsigned *counter, unsigned value)
{
    for (int i = 0; i < 500 && *counter < value; i++)
        loop_run_for(2);
    assert_int_equal(*counter, value);
}

/* ---- What the MME asks ---- */
static void ask_fiber(void *argument)
{
    struct asked *asked = argument;
    struct gtpc_message *answer;

    asked->err =
        gtpc_request(peer(asked->endpoint, SGW), asked->teid, asked->type, asked->body, &answer);
    if (asked->err == 0) {
        size_t len = answer->datagram.len;
        memcpy(asked->datagram, answer->datagram.at, len);
        assert_int_equal(gtpc_decode(bytes_of(asked->datagram, len), &asked->arena, &asked->answer),
                         0);
        asked->cause =
            ((const struct gtpc_cause *)gtpc_find_value(&asked->answer, GTPC_IE_CAUSE, 0))->value;
    }
    asked->done = true;
}

struct asked last;

void ask_begin(struct asked *asked, struct gtpc_endpoint *endpoint, uint8_t type, uint32_t teid,
               const void *body)
{
    arena_free(&asked->arena);
    *asked = (struct asked){.endpoint = endpoint, .type = type, .teid = teid, .body = body};
    arena_init(&asked->arena, 65536);
    fiber_spawn("ask", ask_fiber, asked);
}

uint8_t ask_of(struct gtpc_endpoint *endpoint, uint8_t type, uint32_t teid, const void *body)
{
    ask_begin(&last, endpoint, type, teid, body);
    for (int i = 0; i < 1000 && !last.done; i++)
        loop_run_for(1);
    assert_true(last.done);
    return last.err == 0 ? last.cause : 0;
}

uint8_t ask(uint8_t type, uint32_t teid, const void *body)
{
    return ask_of(mme.endpoint, type, teid, body);
}

static struct gtpc_f_teid pgw_address(void)
{
    struct gtpc_f_teid f_teid = {.interface_type = GTPC_S5_S8_PGW_GTP_C, .has_ipv4 = true};

    inet_pton(AF_INET, PGW, &f_teid.ipv4);
    return f_teid;
}

struct gtpc_create_session_request *creation(const char *imsi, uint8_t ebi)
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
    bearer = (struct gtpc_bearer_to_be_created){.ebi = ebi,
                                                .qos = {.arp = {.priority_level = 9}, .qci = 9}};
    request = (struct gtpc_create_session_request){
        .imsi = imsi,
        .rat_type = GTPC_RAT_EUTRAN,
        .sender = gtpc_own_f_teid(mme.endpoint, GTPC_S11_MME_GTP_C, MME_TEID),
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

uint32_t attach(const char *imsi)
{
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(imsi, 5)),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    return last.answer.create_session_response->sender->teid;
}

uint8_t modify_to(uint32_t teid, uint8_t ebi, uint32_t enb_teid, const char *enb)
{
    struct gtpc_f_teid f_teid = {
        .interface_type = GTPC_S1_U_ENODEB, .has_ipv4 = true, .teid = enb_teid};
    struct gtpc_bearer_to_be_modified bearer = {.ebi = ebi, .s1_u_enodeb = &f_teid};
    struct gtpc_modify_bearer_request request = {.bearers = {&bearer, 1}};

    inet_pton(AF_INET, enb, &f_teid.ipv4);
    return ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request);
}

uint8_t release(uint32_t teid)
{
    struct gtpc_release_access_bearers_request request = {0};

    return ask(GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &request);
}

uint8_t detach(uint32_t teid, uint8_t ebi)
{
    uint64_t flags = GTPC_OI;
    struct gtpc_delete_session_request request = {.lbi = &ebi, .indication = &flags};

    return ask(GTPC_DELETE_SESSION_REQUEST, teid, &request);
}

void nothing_is_left(void)
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
