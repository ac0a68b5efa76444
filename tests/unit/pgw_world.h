/*
 * pgw_world.h -- a whole P-GW on loopback, between S-GWs that ask and a user plane that obeys or
 * does not: what the tests of the P-GW share.
 */
#ifndef STROWGER_TESTS_PGW_WORLD_H
#define STROWGER_TESTS_PGW_WORLD_H

#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/base.h"
#include "fake_user_plane.h"
#include "link/gtpc_path.h"
#include "pgw/context.h"

#define PGW        unit_host(1)
#define SGW        unit_host(2)
#define OTHER_SGW  unit_host(3)
#define USER_PLANE unit_host(4)

#define PHONE       "001010000000001"
#define OTHER_PHONE "001010000000002"
#define V4_CAPACITY 5 /* of the APN "v4": a /29 */

/* ---- The P-GW under test ---- */

static struct config_prefix4 internet4[1], v4[1];
static struct config_prefix6 internet6[1], v6[1];
static struct sockaddr_storage name_servers[2], planes[1];
static struct pgw_apn_config apns[3];
static struct pgw_config config;
static struct fake_user_plane plane;

static inline struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *in = (void *)&storage;
    struct sockaddr_in6 *in6 = (void *)&storage;

    if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
        in->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
        in6->sin6_family = AF_INET6;
    return storage;
}

static inline struct config_prefix4 prefix4(const char *text, uint8_t length)
{
    struct config_prefix4 prefix = {.length = length};

    assert_int_equal(inet_pton(AF_INET, text, &prefix.address), 1);
    return prefix;
}

static inline struct config_prefix6 prefix6(const char *text, uint8_t length)
{
    struct config_prefix6 prefix = {.length = length};

    assert_int_equal(inet_pton(AF_INET6, text, &prefix.address), 1);
    return prefix;
}

static inline void make_config(void)
{
    internet4[0] = prefix4("10.45.0.0", 16);
    internet6[0] = prefix6("fd00:45::", 48);
    v4[0] = prefix4("10.46.0.0", 29);
    v6[0] = prefix6("fd00:46::", 60);
    name_servers[0] = address("10.99.0.1");
    name_servers[1] = address("fd00:99::1");
    planes[0] = address(USER_PLANE);
    apns[0] = (struct pgw_apn_config){.name = "internet",
                                      .ipv4_pools = {internet4, 1},
                                      .ipv6_pools = {internet6, 1},
                                      .dns = {name_servers, 2},
                                      .mtu = 1400};
    apns[1] = (struct pgw_apn_config){.name = "v4",
                                      .ipv4_pools = {v4, 1},
                                      .mtu = 1400,
                                      .ambr = {.uplink_bps = 1000000, .downlink_bps = 2000000},
                                      .network_instance = "lan"};
    apns[2] = (struct pgw_apn_config){.name = "v6", .ipv6_pools = {v6, 1}, .mtu = 1400};
    config = (struct pgw_config){
        .s5 = {.address = address(PGW),
               .t3_response_ms = 20,
               .n3_requests = 3,
               .echo_interval_ms = 40},
        .sxb = {.address = address(PGW),
                .user_planes = {planes, 1},
                .t1_ms = 20,
                .n1 = 3,
                .heartbeat_ms = 40,
                .retry_ms = 20,
                .teid_range_bits = 1},
        .apns = {apns, 3},
        .max_sessions = 64,
        .max_procedures = 32,
        .path_hold_ms = 100,
    };
}

#define WAIT(condition)                               \
    do {                                              \
        for (int i = 0; i < 800 && !(condition); i++) \
            loop_run_for(2);                          \
        assert_true(condition);                       \
    } while (0)

/* ---- The S-GWs ---- */

struct fake_sgw {
    const char *host;
    struct gtpc_endpoint *gtpc;
    uint8_t recovery;
    unsigned deletions; /* Delete Bearer Requests */
    uint8_t deletion_cause, deletion_lbi;
    uint32_t deletion_teid;
    bool is_mute;
};

static struct fake_sgw sgw, other_sgw;
static uint32_t sgw_timeout_ms;

static inline void sgw_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                               const struct gtpc_message *message)
{
    struct fake_sgw *at = owner;

    (void)peer;
    assert_int_equal(message->header.type, GTPC_DELETE_BEARER_REQUEST);
    const struct gtpc_delete_bearer_request *request = message->delete_bearer_request;
    at->deletions++;
    at->deletion_cause = request->cause ? request->cause->value : 0;
    at->deletion_lbi = request->lbi ? *request->lbi : 0;
    at->deletion_teid = message->header.teid;
    struct gtpc_delete_bearer_response response = {.cause = {.value = GTPC_CAUSE_REQUEST_ACCEPTED},
                                                   .lbi = request->lbi};
    if (at->is_mute)
        udp_abandon(gtpc_udp(at->gtpc), transaction);
    else
        gtpc_answer(at->gtpc, transaction, 0x77, &response);
}

static const struct gtpc_handler sgw_handler = {.request = sgw_request};

static inline void open_sgw(struct fake_sgw *at)
{
    struct udp_settings settings = udp_settings_default();
    struct sockaddr_storage local = address(at->host);

    settings.timeout_ms = sgw_timeout_ms;
    settings.attempts = 4;
    settings.probe_interval_ms = 0;
    assert_int_equal(gtpc_open((struct sockaddr *)&local, &settings, at->recovery, 0, &sgw_handler,
                               at, &at->gtpc),
                     0);
}

static inline void close_sgw(struct fake_sgw *at)
{
    if (at->gtpc)
        gtpc_close(at->gtpc);
    at->gtpc = NULL;
}

/* ---- Asking ---- */

struct asker {
    struct fake_sgw *from;
    uint32_t teid;
    enum gtpc_message_type type;
    const void *body;
    /* the outcome */
    bool is_done;
    int err;
    uint32_t answer_teid;
    uint8_t answer_type;
    struct gtpc_cause cause;
    uint32_t pgw_teid, s5_u_teid, charging_id;
    struct in_addr s5_u;
    struct gtpc_paa paa;
    struct gtpc_ambr ambr;
    struct gtpc_bearer_qos qos;
    bool has_ambr, has_recovery, has_bearer, has_msisdn, has_qos;
    uint8_t bearer_cause;
    size_t pco_len;
    uint8_t pco[PCO_MAX_SIZE];
};

static inline void note_creation(struct asker *asker,
                                 const struct gtpc_create_session_response *response)
{
    asker->cause = response->cause;
    if (!gtpc_cause_is_accepted(response->cause.value))
        return;
    assert_non_null(response->pgw);
    assert_non_null(response->paa);
    assert_int_equal(response->bearers.count, 1);
    const struct gtpc_bearer_created *bearer = &response->bearers.at[0];
    assert_non_null(bearer->s5_s8_u_pgw);
    assert_non_null(bearer->charging_id);
    assert_int_equal(response->pgw->interface_type, GTPC_S5_S8_PGW_GTP_C);
    assert_int_equal(bearer->s5_s8_u_pgw->interface_type, GTPC_S5_S8_PGW_GTP_U);
    asker->pgw_teid = response->pgw->teid;
    asker->s5_u_teid = bearer->s5_s8_u_pgw->teid;
    asker->s5_u = bearer->s5_s8_u_pgw->ipv4;
    asker->charging_id = *bearer->charging_id;
    asker->paa = *response->paa;
    asker->bearer_cause = bearer->cause.value;
    if ((asker->has_ambr = response->ambr))
        asker->ambr = *response->ambr;
    if ((asker->has_qos = bearer->qos))
        asker->qos = *bearer->qos;
    asker->has_recovery = response->recovery;
    if (response->pco) {
        asker->pco_len = response->pco->len;
        memcpy(asker->pco, response->pco->at, response->pco->len);
    }
}

static inline void note_modification(struct asker *asker,
                                     const struct gtpc_modify_bearer_response *response)
{
    asker->cause = response->cause;
    asker->has_msisdn = response->msisdn;
    asker->has_recovery = response->recovery;
    if ((asker->has_bearer = response->bearers.count > 0)) {
        asker->bearer_cause = response->bearers.at[0].cause.value;
        if (response->bearers.at[0].charging_id)
            asker->charging_id = *response->bearers.at[0].charging_id;
    }
}

static inline void ask_in_fiber(void *argument)
{
    struct asker *asker = argument;
    struct sockaddr_storage to = address(PGW);
    struct udp_peer *pgw_peer = gtpc_peer(asker->from->gtpc, (struct sockaddr *)&to);
    struct gtpc_message *answer;

    asker->err = gtpc_request(pgw_peer, asker->teid, asker->type, asker->body, &answer);
    asker->is_done = true;
    if (asker->err < 0)
        return;
    asker->answer_teid = answer->header.teid;
    asker->answer_type = answer->header.type;
    if (answer->header.type == GTPC_CREATE_SESSION_RESPONSE)
        note_creation(asker, answer->create_session_response);
    else if (answer->header.type == GTPC_MODIFY_BEARER_RESPONSE)
        note_modification(asker, answer->modify_bearer_response);
    else
        asker->cause = *(const struct gtpc_cause *)gtpc_find_value(answer, GTPC_IE_CAUSE, 0);
}

static inline void begin(struct asker *asker)
{
    if (!asker->from)
        asker->from = &sgw;
    asker->is_done = false;
    assert_non_null(fiber_spawn("ask", ask_in_fiber, asker));
}

static inline struct asker ask(struct asker asker)
{
    begin(&asker);
    WAIT(asker.is_done);
    assert_int_equal(asker.err, 0);
    return asker;
}

/* A Create Session Request and what its pointers point to. */
struct creation {
    struct gtpc_create_session_request request;
    struct gtpc_bearer_to_be_created bearers[2];
    struct gtpc_f_teid s5_u;
    struct gtpc_paa paa;
    struct gtpc_ambr ambr;
    uint8_t pdn_type;
    uint64_t indication;
};

static inline struct gtpc_f_teid f_teid(uint8_t interface_type, uint32_t teid, const char *host)
{
    struct gtpc_f_teid end = {.interface_type = interface_type, .teid = teid, .has_ipv4 = true};

    assert_int_equal(inet_pton(AF_INET, host, &end.ipv4), 1);
    return end;
}

static inline void prepare(struct creation *c, const char *imsi, const char *apn, uint8_t pdn_type)
{
    *c = (struct creation){
        .s5_u = f_teid(GTPC_S5_S8_SGW_GTP_U, 0x5000, "10.0.0.9"),
        .paa = {.pdn_type = pdn_type, .prefix_bits = pdn_type == GTPC_PDN_IPV4 ? 0 : 64},
        .ambr = {5000, 9000},
        .pdn_type = pdn_type,
        .indication = GTPC_DAF,
    };
    c->bearers[0] = (struct gtpc_bearer_to_be_created){
        .ebi = 5, .s5_s8_u_sgw = &c->s5_u, .qos = {.qci = 9, .arp = {.priority_level = 8}}};
    c->bearers[1] = c->bearers[0];
    c->bearers[1].ebi = 6;
    c->request = (struct gtpc_create_session_request){
        .imsi = imsi,
        .msisdn = "491710000001",
        .rat_type = GTPC_RAT_EUTRAN,
        .indication = &c->indication,
        .sender = f_teid(GTPC_S5_S8_SGW_GTP_C, 0x1234, SGW),
        .pdn_type = &c->pdn_type,
        .paa = &c->paa,
        .ambr = &c->ambr,
        .bearers = {c->bearers, 1},
    };
    snprintf(c->request.apn, sizeof(c->request.apn), "%s", apn);
}

static inline struct asker send_creation(const struct creation *c)
{
    return ask((struct asker){.type = GTPC_CREATE_SESSION_REQUEST, .body = &c->request});
}

static inline struct asker create(const char *imsi, const char *apn, uint8_t pdn_type)
{
    struct creation c;

    prepare(&c, imsi, apn, pdn_type);
    struct asker asker = send_creation(&c);
    assert_true(gtpc_cause_is_accepted(asker.cause.value));
    return asker;
}

static inline uint8_t delete_session(uint32_t teid, uint8_t lbi)
{
    struct gtpc_delete_session_request request = {.lbi = &lbi};

    return ask((struct asker){.teid = teid, .type = GTPC_DELETE_SESSION_REQUEST, .body = &request})
        .cause.value;
}

/* ---- What is left ---- */

static inline uint32_t addresses_in_use(void)
{
    uint32_t count = 0;

    for (size_t i = 0; i < pgw.apn_count; i++)
        for (size_t k = 0; k < pgw.apns[i].pool_count; k++)
            count += pgw.apns[i].pools[k].in_use;
    return count;
}

static inline void assert_nothing_is_left(void)
{
    WAIT(pgw.procedures == 0);
    assert_int_equal(pgw.sessions.count, 0);
    assert_int_equal(pgw.ues.count, 0);
    assert_int_equal(addresses_in_use(), 0);
    assert_int_equal(user_plane_sessions(pgw.planes, 0), 0);
    for (size_t i = 0; i < pgw.apn_count; i++)
        assert_int_equal(pgw.apns[i].sessions, 0);
    struct udp_peer *peer;
    uint32_t id = 0;
    while ((peer = udp_peer_next(gtpc_udp(pgw.s5), &id)))
        assert_int_equal(udp_peer_users(peer), 0);
    assert_int_equal(plane.count, 0);
}

static inline uint64_t counted(enum pgw_metric metric)
{
    return pgw.metrics[metric].value;
}

static inline int set_up(void **state)
{
    (void)state;
    make_config();
    sgw_timeout_ms = 150;
    memset(&sgw, 0, sizeof(sgw));
    memset(&other_sgw, 0, sizeof(other_sgw));
    sgw.host = SGW;
    other_sgw.host = OTHER_SGW;
    sgw.recovery = other_sgw.recovery = 7;
    if (loop_init() < 0)
        return -1;
    fake_user_plane_open(&plane, USER_PLANE, 1000);
    open_sgw(&sgw);
    open_sgw(&other_sgw);
    if (pgw_config_check(NULL, &config) < 0 || pgw_start(&config, NULL) < 0)
        return -1;
    for (int i = 0; i < 500 && !user_plane_is_up(pgw.planes, 0); i++)
        loop_run_for(2);
    return user_plane_is_up(pgw.planes, 0) ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    pgw_stop();
    close_sgw(&sgw);
    close_sgw(&other_sgw);
    fake_user_plane_close(&plane);
    loop_run_for(2);
    loop_free();
    metric_forget_all();
    fiber_free_stacks();
    return fiber_count() == 0 ? 0 : -1;
}

static inline struct gtpc_modify_bearer_request
relocation(struct gtpc_bearer_to_be_modified *bearer, struct gtpc_f_teid *tunnel,
           struct gtpc_f_teid *sender)
{
    *tunnel = f_teid(GTPC_S5_S8_SGW_GTP_U, 0x6000, "10.0.0.10");
    *sender = f_teid(GTPC_S5_S8_SGW_GTP_C, 0x4321, OTHER_SGW);
    *bearer = (struct gtpc_bearer_to_be_modified){.ebi = 5, .s5_s8_u_sgw = tunnel};
    return (struct gtpc_modify_bearer_request){.sender = sender, .bearers = {bearer, 1}};
}

static inline void name_phone(char *imsi, unsigned n)
{
    snprintf(imsi, IMSI_SIZE, "00101%010u", n);
}

#endif
