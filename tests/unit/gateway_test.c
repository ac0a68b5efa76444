/*
 * gateway_test.c -- S-GW and P-GW in one process: an MME's request goes through both and back.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_user_plane.h"
#include "gateway/gateway.h"
#include "link/gtpc_path.h"

#define SGW        unit_host(1)
#define PGW        unit_host(2)
#define MME        unit_host(3)
#define USER_PLANE unit_host(4)

static const char file[] = "sgw:\n"
                           "  s11: {address: %s}\n"
                           "  s5: {address: %s}\n"
                           "  sxa: {address: %s, user_planes: [%s]}\n"
                           "pgw:\n"
                           "  s5: {address: %s}\n"
                           "  sxb: {address: %s, user_planes: [%s]}\n"
                           "  apns:\n"
                           "    - name: internet\n"
                           "      ipv4_pools: [10.45.0.0/16]\n"
                           "      ipv6_pools: [\"fd00:45::/48\"]\n"
                           "      dns: [10.99.0.1]\n";

static struct config *config;
static struct sgw_config sgw_config;
static struct pgw_config pgw_config;
static struct fake_user_plane plane;
static struct gtpc_endpoint *mme;
static char directory[] = "/tmp/strowger-gateway-XXXXXX";

static int read_config(const char *s5, const char *sxb)
{
    char text[1024];
    int len = snprintf(text, sizeof(text), file, SGW, SGW, SGW, USER_PLANE, s5, sxb, USER_PLANE);

    config = config_parse("gateway.yaml", text, (size_t)len);
    if (!config || config_read(config, "sgw", &sgw_config_schema, &sgw_config) < 0)
        return -EINVAL;
    return config_read(config, "pgw", &pgw_config_schema, &pgw_config);
}

static void mme_request(void *owner, struct udp_peer *peer, uint32_t transaction,
                        const struct gtpc_message *message)
{
    (void)owner;
    (void)peer;
    (void)transaction;
    (void)message;
    fail();
}

static const struct gtpc_handler mme_handler = {.request = mme_request};

static struct sockaddr_in address(const char *host)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    inet_pton(AF_INET, host, &in.sin_addr);
    return in;
}

static bool is_up(const char *what)
{
    json_t *view = gateway_state(what, NULL);
    bool up = json_integer_value(json_object_get(view, "user_planes_up")) == 1;

    json_decref(view);
    return up;
}

static int set_up(void **state)
{
    struct udp_settings settings = udp_settings_default();
    struct sockaddr_in local = address(MME);

    (void)state;
    if (loop_init() < 0 || !mkdtemp(directory) || read_config(PGW, PGW) < 0)
        return -1;
    fake_user_plane_open(&plane, USER_PLANE, 1000);
    if (gateway_config_check(config, &sgw_config, &pgw_config) < 0 ||
        gateway_start(&sgw_config, &pgw_config, directory, "gateway") < 0)
        return -1;
    if (gtpc_open((struct sockaddr *)&local, &settings, 1, 0, &mme_handler, NULL, &mme) < 0)
        return -1;
    for (int i = 0; i < 500 && !(is_up("sgw") && is_up("pgw")); i++)
        loop_run_for(2);
    return is_up("sgw") && is_up("pgw") ? 0 : -1;
}

static int tear_down(void **state)
{
    char path[64];

    (void)state;
    gateway_stop();
    gtpc_close(mme);
    fake_user_plane_close(&plane);
    loop_run_for(2);
    loop_free();
    metric_forget_all();
    fiber_free_stacks();
    config_free(config);
    snprintf(path, sizeof(path), "%s/gateway.sgw.restarts", directory);
    bool both = unlink(path) == 0;
    snprintf(path, sizeof(path), "%s/gateway.pgw.restarts", directory);
    both &= unlink(path) == 0;
    both &= rmdir(directory) == 0;
    return both && fiber_count() == 0 ? 0 : -1;
}

struct asker {
    uint32_t teid;
    uint8_t type;
    const void *body;
    bool is_done;
    uint8_t cause;
    uint32_t sgw_teid;
    struct gtpc_paa paa;
};

static void ask_in_fiber(void *argument)
{
    struct asker *asker = argument;
    struct sockaddr_in to = address(SGW);
    struct gtpc_message *answer;
    int err = gtpc_request(gtpc_peer(mme, (struct sockaddr *)&to), asker->teid, asker->type,
                           asker->body, &answer);

    asker->is_done = true;
    if (err < 0)
        return;
    asker->cause = ((const struct gtpc_cause *)gtpc_find_value(answer, GTPC_IE_CAUSE, 0))->value;
    if (asker->type != GTPC_CREATE_SESSION_REQUEST || !gtpc_cause_is_accepted(asker->cause))
        return;
    asker->sgw_teid = answer->create_session_response->sender->teid;
    asker->paa = *answer->create_session_response->paa;
}

static struct asker ask(struct asker asker)
{
    assert_non_null(fiber_spawn("ask", ask_in_fiber, &asker));
    for (int i = 0; i < 500 && !asker.is_done; i++)
        loop_run_for(2);
    assert_true(asker.is_done);
    return asker;
}

static size_t rows_of(const char *what)
{
    json_t *view = gateway_state(what, NULL);
    size_t count = json_array_size(view);

    json_decref(view);
    return count;
}

static void a_session_goes_through_both(void **state)
{
    (void)state;
    uint8_t pdn_type = GTPC_PDN_IPV4V6, lbi = 5;
    uint64_t dual = GTPC_DAF, pass_on = GTPC_OI;
    struct gtpc_paa paa = {.pdn_type = pdn_type, .prefix_bits = 64};
    struct gtpc_ambr ambr = {1000, 1000};
    struct gtpc_f_teid pgw_end = {
        .interface_type = GTPC_S5_S8_PGW_GTP_C, .has_ipv4 = true, .ipv4 = address(PGW).sin_addr};
    struct gtpc_bearer_to_be_created bearer = {.ebi = 5, .qos = {.qci = 9}};
    struct gtpc_create_session_request creation = {
        .imsi = "001010000000001",
        .rat_type = GTPC_RAT_EUTRAN,
        .indication = &dual,
        .sender = {.interface_type = GTPC_S11_MME_GTP_C,
                   .has_ipv4 = true,
                   .teid = 77,
                   .ipv4 = address(MME).sin_addr},
        .pgw = &pgw_end,
        .apn = "internet",
        .pdn_type = &pdn_type,
        .paa = &paa,
        .ambr = &ambr,
        .bearers = {&bearer, 1},
    };
    struct gtpc_delete_session_request deletion = {.lbi = &lbi, .indication = &pass_on};
    struct asker made = ask((struct asker){.type = GTPC_CREATE_SESSION_REQUEST, .body = &creation});

    assert_int_equal(made.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(ntohl(made.paa.ipv4.s_addr), 0x0a2d0002);
    assert_int_equal(plane.count, 2); /* the S-GW's and the P-GW's */
    assert_int_equal(rows_of("sgw-sessions"), 1);
    assert_int_equal(rows_of("pgw-sessions"), 1);
    assert_int_equal(rows_of("pgw-pools"), 2);
    assert_int_equal(ask((struct asker){.teid = made.sgw_teid,
                                        .type = GTPC_DELETE_SESSION_REQUEST,
                                        .body = &deletion})
                         .cause,
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(plane.count, 0);
    assert_int_equal(rows_of("sgw-sessions"), 0);
    assert_int_equal(rows_of("pgw-sessions"), 0);
}

static void both_are_shown(void **state)
{
    (void)state;
    static const char *const not_there[] = {"", "sgw-", "pgw-nothing", "sgwx", "hss", "pg"};
    json_t *view = gateway_state(NULL, NULL);

    assert_true(json_is_object(json_object_get(view, "sgw")));
    assert_true(json_is_object(json_object_get(view, "pgw")));
    json_decref(view);
    assert_true(rows_of("sgw-peers") > 0);
    assert_true(rows_of("pgw-peers") > 0);
    for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
        assert_null(gateway_state(not_there[i], NULL));

    static char metrics[65536];
    struct text t = text_in(metrics, sizeof(metrics));
    metric_print(&t);
    assert_non_null(strstr(metrics, "strowger_sgw_sessions"));
    assert_non_null(strstr(metrics, "strowger_pgw_sessions"));
}

/* Two functions cannot have one socket. */
static void addresses_must_differ(void **state)
{
    (void)state;
    const struct {
        const char *s5, *sxb;
        int err;
    } cases[] = {{PGW, PGW, 0}, {SGW, PGW, -EINVAL}, {PGW, SGW, -EINVAL}};

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_config(cases[i].s5, cases[i].sxb), 0);
        assert_int_equal(gateway_config_check(NULL, &sgw_config, &pgw_config), cases[i].err);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_goes_through_both, set_up, tear_down),
        cmocka_unit_test(addresses_must_differ),
    };
    const struct CMUnitTest view_tests[] = {
        cmocka_unit_test_setup_teardown(both_are_shown, set_up, tear_down),
    };

    log_init("test", LOG_ERROR);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    strcpy(directory, "/tmp/strowger-gateway-XXXXXX");
    return failed + cmocka_run_group_tests(view_tests, NULL, NULL);
}
