/*
 * hss_s6a_test.c -- the HSS as MMEs and the operator see it: S6a over loopback with two MMEs, and
 * the control socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "hss/server.h"

#define IMSI  "001010000000001"
#define OTHER "001010000000002"

static char directory[] = "/tmp/strowger-hss-test-XXXXXX";
static char database[64], control[64];
static struct hss *hss;
static struct diameter_listen_config hss_listen;
static uint16_t hss_port;
static struct milenage sim;

/* An MME, and what the HSS has told it by itself. */
static struct mme {
    const char *host;
    struct diameter_config config;
    struct diameter_peer_config peer;
    struct diameter_node *node;
    bool up;
    unsigned clrs, idrs, rsrs;
    uint32_t cancellation_type;
    char imsi[IMSI_SIZE];
    char apn[APN_SIZE];
} one, two;

#define RUN_UNTIL(condition)                                      \
    do {                                                          \
        for (int turn_ = 0; turn_ < 400 && !(condition); turn_++) \
            loop_run_for(5);                                      \
        assert_true(condition);                                   \
    } while (0)

/* ---- MMEs ---- */

static void answer(struct diameter_exchange *exchange, void *message)
{
    struct diameter_result_place place;

    diameter_set_result(message, &place, DIAMETER_SUCCESS);
    assert_int_equal(diameter_answer(exchange, message), 0);
}

static void handle_clr(struct diameter_exchange *exchange, void *request, void *owner)
{
    struct mme *mme = owner;
    const struct s6a_clr *clr = request;
    struct s6a_cla cla = {0};

    mme->clrs++;
    mme->cancellation_type = clr->cancellation_type;
    memcpy(mme->imsi, clr->imsi, IMSI_SIZE);
    answer(exchange, &cla);
}

static void handle_idr(struct diameter_exchange *exchange, void *request, void *owner)
{
    struct mme *mme = owner;
    const struct s6a_idr *idr = request;
    struct s6a_ida ida = {0};

    mme->idrs++;
    memcpy(mme->imsi, idr->imsi, IMSI_SIZE);
    memcpy(
        mme->apn,
        idr->subscription_data.apn_configuration_profile->apn_configuration.at[0].service_selection,
        APN_SIZE);
    answer(exchange, &ida);
}

static void handle_rsr(struct diameter_exchange *exchange, void *request, void *owner)
{
    struct mme *mme = owner;
    struct s6a_rsa rsa = {0};

    (void)request;
    mme->rsrs++;
    answer(exchange, &rsa);
}

static void mme_changed(void *owner, struct bytes host, bool up)
{
    (void)host;
    ((struct mme *)owner)->up = up;
}

static void start_mme(struct mme *mme, const char *host)
{
    static const struct diameter_node_application s6a[] = {
        {DIAMETER_VENDOR_3GPP, DIAMETER_APPLICATION_S6A}};
    static const struct diameter_service services[] = {{&s6a_clr_message, handle_clr},
                                                       {&s6a_idr_message, handle_idr},
                                                       {&s6a_rsr_message, handle_rsr}};

    *mme = (struct mme){.host = host, .config = diameter_config_default()};
    struct sockaddr_in *in = (struct sockaddr_in *)&mme->peer.address;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons(hss_port);
    mme->peer.host = "hss.test";
    mme->config.host = host;
    mme->config.realm = "test";
    mme->config.reconnect_ms = 100;
    mme->config.peers.at = &mme->peer;
    mme->config.peers.count = 1;
    const struct diameter_node_settings settings = {
        .config = &mme->config,
        .applications = s6a,
        .application_count = 1,
        .services = services,
        .service_count = 3,
        .owner = mme,
        .peer_changed = mme_changed,
    };
    assert_int_equal(diameter_node_start(&settings, &mme->node), 0);
    RUN_UNTIL(mme->up);
}

/* ---- The HSS ---- */

static void start_hss(void)
{
    struct sockaddr_storage address;
    struct sockaddr_in *in = (struct sockaddr_in *)&hss_listen.address;

    hss = hss_running();
    hss->config = (struct hss_config){
        .diameter = diameter_config_default(),
        .profile = hss_profile_default,
        .cache_subscribers = 1000,
        .commit_ms = 20,
    };
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons(hss_port);
    hss->config.diameter.host = "hss.test";
    hss->config.diameter.realm = "test";
    hss->config.diameter.accept_unknown_peers = true;
    hss->config.diameter.listen.at = &hss_listen;
    hss->config.diameter.listen.count = 1;
    assert_int_equal(hss_open(hss, database), 0);
    assert_int_equal(hss_serve(hss), 0);
    assert_int_equal(diameter_node_address(hss->node, 0, &address), 0);
    hss_port = ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void stop_hss(void)
{
    diameter_node_free(hss->node);
    hss_close(hss);
}

static void add(const char *imsi, const char *apns)
{
    struct hss_draft draft = {0};
    char reason[300];
    struct text why = text_in(reason, sizeof(reason));

    strcpy(draft.subscriber.imsi, imsi);
    memcpy(draft.subscriber.k, sim.k, 16);
    memcpy(draft.subscriber.opc, sim.opc, 16);
    draft.has_k = draft.has_opc = true;
    assert_true(hss_draft_set(&draft, hss_field_find("msisdn"), "491711234567", &why));
    assert_true(hss_draft_set(&draft, hss_field_find("apns"), apns, &why));
    assert_true(hss_draft_set(&draft, hss_field_find("rau_tau_timer"), "3240", &why));
    assert_true(hss_draft_finish(&draft, &hss_profile_default, &why));
    assert_int_equal(store_put(hss->store, &draft.subscriber, false), 0);
}

static int set_up(void **state)
{
    (void)state;
    log_init("test", LOG_ERROR);
    if (loop_init() < 0)
        return -1;
    hss_port = 0;
    memset(sim.k, 0x11, sizeof(sim.k));
    memset(sim.opc, 0x22, sizeof(sim.opc));
    start_hss();
    add(IMSI, "internet/ipv4v6/10.45.0.7/qci=8/arp=3/ul=50M/dl=6G;ims/ipv4/qci=5/preempt/fixed");
    start_mme(&one, "one.test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (one.node)
        diameter_node_free(one.node);
    if (two.node)
        diameter_node_free(two.node);
    one.node = two.node = NULL;
    stop_hss();
    metric_forget_all();
    loop_free();
    fiber_free_stacks();
    unlink(database);
    return 0;
}

/* ---- Asking as an MME: each runs `check` in the fiber, where the answer is valid ---- */

struct ask {
    struct mme *mme;
    const struct diameter_message *message;
    void *request;
    void (*check)(void *answer);
    uint32_t result;
    bool done;
};

static void run_ask(void *argument)
{
    struct ask *ask = argument;
    void *reply = calloc(1, ask->message->answer->group->size);

    int err = diameter_request(ask->mme->node, ask->message, ask->request, reply, 0);
    assert_int_equal(err, 0);
    ask->result = diameter_result_of(reply);
    if (ask->check)
        ask->check(reply);
    free(reply);
    ask->done = true;
}

static uint32_t ask(struct mme *mme, const struct diameter_message *message, void *request,
                    void (*check)(void *answer))
{
    struct ask a = {.mme = mme, .message = message, .request = request, .check = check};

    fiber_spawn("ask", run_ask, &a);
    RUN_UNTIL(a.done);
    return a.result;
}

static struct s6a_ulr ulr(const char *imsi)
{
    struct s6a_ulr request = {.rat_type = S6A_RAT_EUTRAN,
                              .ulr_flags = S6A_ULR_S6A_INDICATOR | S6A_ULR_INITIAL_ATTACH,
                              .visited_plmn_id = {1, 1, 2}};

    strcpy(request.imsi, imsi);
    return request;
}

static uint32_t update(struct mme *mme, const char *imsi)
{
    struct s6a_ulr request = ulr(imsi);

    return ask(mme, &s6a_ulr_message, &request, NULL);
}

/* ---- Authentication ---- */

static unsigned vectors_seen;
static uint64_t last_sqn;

static void check_vectors(void *reply)
{
    const struct s6a_aia *aia = reply;
    static const uint8_t sn_id[3] = {0x00, 0xf1, 0x10};

    assert_non_null(aia->authentication_info);
    vectors_seen = (unsigned)aia->authentication_info->e_utran_vector.count;
    for (unsigned i = 0; i < vectors_seen; i++) {
        const struct s6a_e_utran_vector *v = &aia->authentication_info->e_utran_vector.at[i];
        struct milenage_vector opened;
        uint64_t sqn;
        uint8_t kasme[32];
        assert_int_equal(milenage_autn_open(&sim, v->rand, v->autn, &opened, &sqn, NULL), 0);
        assert_true(sqn > last_sqn);
        last_sqn = sqn;
        assert_int_equal(v->xres.len, 8);
        assert_memory_equal(v->xres.at, opened.res, 8);
        assert_int_equal(kdf_kasme(opened.ck, opened.ik, sn_id, v->autn, kasme), 0);
        assert_memory_equal(kasme, v->kasme, 32);
        if (vectors_seen > 1)
            assert_int_equal(*v->item_number, i + 1);
        else
            assert_null(v->item_number);
    }
}

static void check_no_vectors(void *reply)
{
    assert_null(((struct s6a_aia *)reply)->authentication_info);
}

static struct s6a_air air(const char *imsi, struct s6a_requested_authentication_info *info)
{
    struct s6a_air request = {.requested_eutran_authentication_info = info,
                              .visited_plmn_id = {1, 1, 2}};

    strcpy(request.imsi, imsi);
    return request;
}

static void authentication(void **state)
{
    (void)state;
    uint32_t number = 3;
    struct s6a_requested_authentication_info info = {0};
    struct s6a_air request = air(IMSI, &info);

    last_sqn = 0;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    assert_int_equal(vectors_seen, 1);
    info.number_of_requested_vectors = &number;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    assert_int_equal(vectors_seen, 3);
    number = 4000000000u;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    assert_int_equal(vectors_seen, S6A_MAX_VECTORS);
    number = 0;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    assert_int_equal(vectors_seen, 1);

    request = air(OTHER, &info);
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_no_vectors),
                     DIAMETER_ERROR_USER_UNKNOWN);
    add(OTHER, "none");
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_no_vectors),
                     DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION);
    request = air(IMSI, NULL);
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_no_vectors),
                     DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE);
}

static void synchronisation_failure(void **state)
{
    (void)state;
    struct s6a_resynchronization_info resync;
    struct s6a_requested_authentication_info info = {.re_synchronization_info = &resync};
    struct s6a_air request = air(IMSI, &info);

    memset(resync.rand, 0x44, sizeof(resync.rand));
    assert_int_equal(milenage_auts_make(&sim, resync.rand, UINT64_C(70000) << 5, resync.auts), 0);
    last_sqn = UINT64_C(70000) << 5;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    assert_int_equal(last_sqn >> 5, 70001);
    resync.auts[13] ^= 1;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_no_vectors),
                     DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE);
}

/* ---- Update location ---- */

static void check_profile(void *reply)
{
    const struct s6a_ula *ula = reply;
    const struct s6a_subscription_data *d = ula->subscription_data;

    assert_int_equal(*ula->ula_flags, S6A_ULA_SEPARATION_INDICATION);
    assert_non_null(d);
    assert_int_equal(*d->subscriber_status, S6A_SERVICE_GRANTED);
    assert_string_equal(*d->msisdn, "491711234567");
    assert_int_equal(*d->network_access_mode, S6A_ONLY_PACKET);
    assert_int_equal(*d->subscribed_periodic_rau_tau_timer, 3240);
    assert_int_equal(s6a_ambr_ul(d->ambr), 1000000000);
    assert_null(d->operator_determined_barring);
    assert_null(d->access_restriction_data);
    const struct s6a_apn_configuration_profile *p = d->apn_configuration_profile;
    assert_int_equal(p->context_identifier, 1);
    assert_int_equal(p->all_apn_configurations_included_indicator, 0);
    assert_int_equal(p->apn_configuration.count, 2);
    const struct s6a_apn_configuration *a = &p->apn_configuration.at[0];
    assert_int_equal(a->context_identifier, 1);
    assert_string_equal(a->service_selection, "internet");
    assert_int_equal(a->pdn_type, S6A_PDN_IPV4V6);
    assert_int_equal(a->served_party_ip_address.count, 1);
    assert_int_equal(a->served_party_ip_address.at[0].ipv4.s_addr, htonl(0x0a2d0007));
    assert_int_equal(a->eps_subscribed_qos_profile->qos_class_identifier, 8);
    assert_int_equal(a->eps_subscribed_qos_profile->allocation_retention_priority.priority_level,
                     3);
    assert_int_equal(s6a_ambr_ul(a->ambr), 50000000);
    assert_true(s6a_ambr_dl(a->ambr) == UINT64_C(6000000000));
    a = &p->apn_configuration.at[1];
    assert_int_equal(a->context_identifier, 2);
    assert_string_equal(a->service_selection, "ims");
    const struct s6a_allocation_retention_priority *arp =
        &a->eps_subscribed_qos_profile->allocation_retention_priority;
    assert_int_equal(*arp->pre_emption_capability, S6A_PRE_EMPTION_CAPABILITY_ENABLED);
    assert_int_equal(*arp->pre_emption_vulnerability, S6A_PRE_EMPTION_VULNERABILITY_DISABLED);
}

static void check_no_profile(void *reply)
{
    const struct s6a_ula *ula = reply;

    assert_non_null(ula->ula_flags);
    assert_null(ula->subscription_data);
}

static void update_location(void **state)
{
    (void)state;
    struct s6a_ulr request = ulr(IMSI);

    assert_int_equal(ask(&one, &s6a_ulr_message, &request, check_profile), DIAMETER_SUCCESS);
    request.ulr_flags |= S6A_ULR_SKIP_SUBSCRIBER_DATA;
    assert_int_equal(ask(&one, &s6a_ulr_message, &request, check_no_profile), DIAMETER_SUCCESS);
    assert_int_equal(update(&one, OTHER), DIAMETER_ERROR_USER_UNKNOWN);
    assert_int_equal(one.clrs, 0);
}

static void check_odb(void *reply)
{
    const struct s6a_ula *ula = reply;

    assert_int_equal(*ula->error_diagnostic, S6A_ODB_ALL_APN);
    assert_null(ula->subscription_data);
}

static void check_barred(void *reply)
{
    const struct s6a_ula *ula = reply;

    assert_int_equal(*ula->subscription_data->subscriber_status, S6A_OPERATOR_DETERMINED_BARRING);
    assert_int_equal(*ula->subscription_data->operator_determined_barring, S6A_ODB_ALL_PACKET);
    assert_int_equal(ula->supported_features.at[0].feature_list, S6A_FEATURE_ODB_ALL_APN);
}

static void update_location_refused(void **state)
{
    (void)state;
    struct s6a_ulr request = ulr(IMSI);
    struct hss_entry *entry;
    static struct plmn home = {1, 1, 2};

    request.rat_type = 1000; /* UTRAN */
    assert_int_equal(ask(&one, &s6a_ulr_message, &request, NULL), DIAMETER_ERROR_RAT_NOT_ALLOWED);
    request.rat_type = S6A_RAT_EUTRAN;
    assert_int_equal(cache_get(&hss->cache, IMSI, &entry), 0);
    entry->record->access_restriction = S6A_WB_E_UTRAN_NOT_ALLOWED;
    assert_int_equal(ask(&one, &s6a_ulr_message, &request, NULL), DIAMETER_ERROR_RAT_NOT_ALLOWED);
    entry->record->access_restriction = 0;

    hss->config.plmns.at = &home;
    hss->config.plmns.count = 1;
    request.visited_plmn_id = (struct plmn){1, 1, 3}; /* 001/001 is not 001/01 */
    assert_int_equal(ask(&one, &s6a_ulr_message, &request, NULL),
                     DIAMETER_ERROR_ROAMING_NOT_ALLOWED);
    request.visited_plmn_id = home;

    entry->record->barred = true;
    assert_int_equal(ask(&one, &s6a_ulr_message, &request, check_odb),
                     DIAMETER_ERROR_ROAMING_NOT_ALLOWED);
    struct s6a_supported_features features = {DIAMETER_VENDOR_3GPP, 1, S6A_FEATURE_ODB_ALL_APN};
    request.supported_features.at = &features;
    request.supported_features.count = 1;
    assert_int_equal(ask(&one, &s6a_ulr_message, &request, check_barred), DIAMETER_SUCCESS);

    add(OTHER, "none");
    assert_int_equal(update(&one, OTHER), DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION);
}

static void check_freeze(void *reply)
{
    assert_int_equal(*((struct s6a_pua *)reply)->pua_flags, S6A_PUA_FREEZE_M_TMSI);
}

static void check_no_freeze(void *reply)
{
    assert_null(((struct s6a_pua *)reply)->pua_flags);
}

static void moving(void **state)
{
    (void)state;
    struct s6a_pur pur = {.imsi = IMSI};
    struct s6a_nor nor = {.imsi = IMSI};

    start_mme(&two, "two.test");
    assert_int_equal(update(&one, IMSI), DIAMETER_SUCCESS);
    assert_int_equal(ask(&two, &s6a_nor_message, &nor, NULL), DIAMETER_ERROR_UNKNOWN_SERVING_NODE);
    assert_int_equal(update(&two, IMSI), DIAMETER_SUCCESS);
    RUN_UNTIL(one.clrs == 1);
    assert_int_equal(one.cancellation_type, S6A_MME_UPDATE_PROCEDURE);
    assert_string_equal(one.imsi, IMSI);
    assert_int_equal(two.clrs, 0);
    assert_int_equal(ask(&two, &s6a_nor_message, &nor, NULL), DIAMETER_SUCCESS);

    /* The old one may not purge it; the new one may. */
    assert_int_equal(ask(&one, &s6a_pur_message, &pur, check_no_freeze), DIAMETER_SUCCESS);
    assert_int_equal(ask(&two, &s6a_pur_message, &pur, check_freeze), DIAMETER_SUCCESS);
    /* Back at the first: nothing to cancel at the second, which has purged it. */
    assert_int_equal(update(&one, IMSI), DIAMETER_SUCCESS);
    loop_run_for(50);
    assert_int_equal(two.clrs, 0);
    strcpy(pur.imsi, OTHER);
    strcpy(nor.imsi, OTHER);
    assert_int_equal(ask(&one, &s6a_pur_message, &pur, NULL), DIAMETER_ERROR_USER_UNKNOWN);
    assert_int_equal(ask(&one, &s6a_nor_message, &nor, NULL), DIAMETER_ERROR_USER_UNKNOWN);
}

/* ---- Restart ---- */

static void restart(void **state)
{
    (void)state;
    struct s6a_requested_authentication_info info = {0};
    struct s6a_air request = air(IMSI, &info);

    assert_int_equal(update(&one, IMSI), DIAMETER_SUCCESS);
    last_sqn = 0;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    loop_run_for(40);

    /* In order: nobody needs to be told, and no number comes again. */
    stop_hss();
    RUN_UNTIL(!one.up);
    start_hss();
    RUN_UNTIL(one.up);
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    loop_run_for(50);
    assert_int_equal(one.rsrs, 0);

    /* Cut off: the MME is told, once. */
    diameter_node_free(hss->node);
    hss->served = false; /* so that hss_close() does not write the orderly end ... */
    hss->was_orderly = false;
    hss_close(hss);
    RUN_UNTIL(!one.up);
    start_hss();
    RUN_UNTIL(one.up);
    RUN_UNTIL(one.rsrs == 1);
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    diameter_node_free(one.node);
    start_mme(&one, "one.test");
    loop_run_for(50);
    assert_int_equal(one.rsrs, 0);

    /* It still knows where the subscriber was. */
    start_mme(&two, "two.test");
    assert_int_equal(update(&two, IMSI), DIAMETER_SUCCESS);
    RUN_UNTIL(one.clrs == 1);
}

/* ---- Control socket ---- */

struct call {
    const char *method, *target, *body;
    char *text;
    int status, err;
    volatile bool done;
};

static void *run_call(void *argument)
{
    struct call *c = argument;
    size_t len;

    c->err = control_call(control, c->method, c->target, c->body, &c->text, &len, &c->status);
    c->done = true;
    return NULL;
}

/* The other side blocks, so it has a thread of its own. */
static json_t *call(const char *method, const char *target, const char *body, int status)
{
    struct call c = {.method = method, .target = target, .body = body};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, run_call, &c), 0);
    while (!c.done)
        loop_run_for(2);
    pthread_join(thread, NULL);
    assert_int_equal(c.err, 0);
    assert_int_equal(c.status, status);
    json_t *json = json_loads(c.text, 0, NULL);
    assert_non_null(json);
    free(c.text);
    return json;
}

static void assert_error(json_t *json, const char *error)
{
    assert_string_equal(json_string_value(json_object_get(json, "error")), error);
    json_decref(json);
}

#define KEYS \
    "\"k\":\"11111111111111111111111111111111\",\"opc\":\"22222222222222222222222222222222\""

static void provisioning(void **state)
{
    (void)state;
    assert_int_equal(control_add_routes(hss_routes, hss_route_count), 0);
    assert_int_equal(control_open(control), 0);
    assert_int_equal(update(&one, IMSI), DIAMETER_SUCCESS);

    json_t *json = call("GET", "/subscribers/" IMSI, NULL, 200);
    assert_string_equal(json_string_value(json_object_get(json, "mme")), "one.test");
    assert_null(json_object_get(json, "k"));
    json_decref(json);
    assert_error(call("GET", "/subscribers/" OTHER, NULL, 404), "there is no subscriber " OTHER);
    assert_error(call("GET", "/subscribers/x", NULL, 400), "'x' is no IMSI (6 to 15 digits)");

    /* Add; not twice; all or nothing. */
    json = call("POST", "/subscribers", "[{\"imsi\":\"" OTHER "\"," KEYS "}]", 200);
    json_decref(json);
    json = call("POST", "/subscribers",
                "[{\"imsi\":\"001010000000003\"," KEYS "},{\"imsi\":\"" OTHER "\"," KEYS "}]", 409);
    assert_int_equal(json_integer_value(json_object_get(json, "index")), 1);
    assert_error(json, "subscriber " OTHER " is there already");
    assert_error(call("GET", "/subscribers/001010000000003", NULL, 404),
                 "there is no subscriber 001010000000003");
    assert_error(call("POST", "/subscribers", "[{\"imsi\":\"1\"}]", 400),
                 "imsi: '1', expected 6 to 15 digits");
    json_decref(call("POST", "/subscribers", "{}", 400));
    json_decref(call("POST", "/subscribers", "not json", 400));

    json = call("GET", "/subscribers?limit=1&after=" IMSI, NULL, 200);
    assert_int_equal(json_array_size(json), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "imsi")), OTHER);
    json_decref(json);

    /* A change goes to the MME that has it, and what the cache knew does not come back. */
    struct s6a_requested_authentication_info info = {0};
    struct s6a_air request = air(IMSI, &info);
    last_sqn = 0;
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    uint64_t sqn = last_sqn;
    json_decref(call("POST", "/subscribers?replace=1",
                     "[{\"imsi\":\"" IMSI "\"," KEYS ",\"apns\":\"changed/ipv4\"}]", 200));
    RUN_UNTIL(one.idrs == 1);
    assert_string_equal(one.imsi, IMSI);
    assert_string_equal(one.apn, "changed");
    assert_int_equal(ask(&one, &s6a_air_message, &request, check_vectors), DIAMETER_SUCCESS);
    assert_int_equal(last_sqn >> 5, (sqn >> 5) + 1);

    /* Deleted: its MME is told. */
    json_decref(call("DELETE", "/subscribers/" IMSI, NULL, 200));
    RUN_UNTIL(one.clrs == 1);
    assert_int_equal(one.cancellation_type, S6A_SUBSCRIPTION_WITHDRAWAL);
    assert_error(call("DELETE", "/subscribers/" IMSI, NULL, 404), "there is no subscriber " IMSI);
    assert_int_equal(update(&one, IMSI), DIAMETER_ERROR_USER_UNKNOWN);
    control_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(authentication, set_up, tear_down),
        cmocka_unit_test_setup_teardown(synchronisation_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(update_location, set_up, tear_down),
        cmocka_unit_test_setup_teardown(update_location_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moving, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(provisioning, set_up, tear_down),
    };

    if (!mkdtemp(directory))
        return 1;
    snprintf(database, sizeof(database), "%s/hss.db", directory);
    snprintf(control, sizeof(control), "%s/hss.sock", directory);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char wal[80];
    snprintf(wal, sizeof(wal), "%s-wal", database);
    unlink(wal);
    snprintf(wal, sizeof(wal), "%s-shm", database);
    unlink(wal);
    unlink(control);
    rmdir(directory);
    return failed;
}
