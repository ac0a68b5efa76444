/*
 * mme_state_test.c -- what the MME shows of itself, and what an operator can ask of it. No key is
 * ever shown.
 */
#include "mme_world.h"

#include "base/control.h"
#include "base/process.h"
#include "mme/life.h"
#include "mme/s1.h"
#include "mme/ue.h"

#define IMSI "001010000000001"

static struct sctp_association *enb;
static struct phone phone;
static const char *asked_imsi, *asked_limit, *asked_reattach;

/* The query of a request, without the HTTP around it (linked with --wrap). */
const char *__wrap_control_argument(const struct control_request *request, const char *name);
const char *__wrap_control_argument(const struct control_request *request, const char *name)
{
    (void)request;
    if (strcmp(name, "imsi") == 0)
        return asked_imsi;
    if (strcmp(name, "limit") == 0)
        return asked_limit;
    return strcmp(name, "reattach") == 0 ? asked_reattach : NULL;
}

static int setup(void **state)
{
    world_setup(state);
    asked_imsi = asked_limit = asked_reattach = NULL;
    enb = enb_up(17, 2);
    phone_init(&phone, IMSI, enb);
    return 0;
}

static json_t *view(const char *what)
{
    struct control_request request = {.method = "GET", .path = "/state"};

    return mme_state(what, &request);
}

/* The first row of a view, which has this many; the caller's to release. */
static json_t *first_row(const char *what, size_t count)
{
    json_t *list = view(what);
    json_t *row;

    assert_int_equal(json_array_size(list), count);
    row = json_incref(json_array_get(list, 0));
    json_decref(list);
    return row;
}

static const char *text_at(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    assert_non_null(text);
    return text;
}

static long long number_at(const json_t *row, const char *key)
{
    assert_true(json_is_integer(json_object_get(row, key)));
    return json_integer_value(json_object_get(row, key));
}

/* ---- Views
 * ------------------------------------------------------------------------------------------------
 */

static void test_each_view_is_told(void **state)
{
    (void)state;
    for (const struct process_view *v = mme_views; v->what; v++) {
        json_t *shown = view(v->what);
        assert_true(json_is_array(shown));
        json_decref(shown);
    }
    assert_null(view("weather"));
}

static void test_enbs(void **state)
{
    (void)state;
    phone_attach(&phone);
    json_t *row = first_row("enbs", 1);
    assert_int_equal(number_at(row, "enb_id"), 17);
    assert_string_equal(text_at(row, "name"), "cell");
    assert_string_equal(text_at(row, "plmn"), "00101");
    assert_string_equal(text_at(row, "state"), "up");
    assert_int_equal(number_at(row, "phones"), 1);
    json_t *areas = json_object_get(row, "tracking_areas");
    assert_string_equal(json_string_value(json_array_get(areas, 0)), "00101-2");
    json_decref(row);
    /* One that has not set up yet. */
    fake_enb_connect();
    json_decref(first_row("enbs", 2));
}

static void test_subscriber_through_its_life(void **state)
{
    (void)state;
    phone_attach_request(&phone);
    json_t *row = first_row("subscribers", 1);
    assert_string_equal(text_at(row, "state"), "attach");
    assert_true(json_is_null(json_object_get(row, "guti")));
    json_decref(row);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);

    row = first_row("subscribers", 1);
    assert_string_equal(text_at(row, "imsi"), IMSI);
    assert_string_equal(text_at(row, "state"), "connected");
    assert_string_equal(text_at(row, "enb"),
                        mme_enb_title(mme_enb_get(phone_context(&phone)->last_enb)));
    assert_int_equal(number_at(row, "tac"), phone.tac);
    json_t *addresses = json_object_get(row, "ip");
    assert_int_equal(json_array_size(addresses), 1);
    char guti[64];
    snprintf(guti, sizeof(guti), "00101-2-3-%08x", phone.guti.m_tmsi);
    assert_string_equal(text_at(row, "guti"), guti);
    json_decref(row);

    phone_idle(&phone);
    row = first_row("subscribers", 1);
    assert_string_equal(text_at(row, "state"), "idle");
    json_decref(row);
    phone_context(&phone)->is_reachable = false;
    row = first_row("subscribers", 1);
    assert_string_equal(text_at(row, "state"), "not reachable");
    json_decref(row);
}

/* Its eNodeB is gone: the place is where it was, the eNodeB is none. */
static void test_subscriber_without_enb(void **state)
{
    (void)state;
    phone_attach(&phone);
    fake_enb_lose(enb);
    json_t *row = first_row("subscribers", 1);
    assert_true(json_is_null(json_object_get(row, "enb")));
    assert_int_equal(number_at(row, "tac"), phone.tac);
    json_decref(row);
}

static void test_one_subscriber_in_full(void **state)
{
    struct phone other;

    (void)state;
    phone_attach(&phone);
    phone_init(&other, "001010000000002", enb);
    phone_attach(&other);
    json_decref(first_row("subscribers", 2));
    asked_limit = "1";
    json_decref(first_row("subscribers", 1));
    asked_limit = NULL;
    asked_imsi = other.imsi;
    json_t *row = first_row("subscribers", 1);
    assert_string_equal(text_at(row, "imsi"), other.imsi);
    assert_string_equal(text_at(row, "integrity"), "EIA2");
    const struct nas_security_context *security = &phone_context(&other)->security;
    assert_int_equal(number_at(row, "uplink_nas_count"), security->ul_count);
    json_t *pdn = json_array_get(json_object_get(row, "pdn_connections"), 0);
    assert_string_equal(text_at(pdn, "apn"), "internet");
    assert_int_equal(number_at(pdn, "ebi"), 5);
    assert_non_null(json_object_get(pdn, "ipv4"));
    json_decref(row);
}

static void test_both_addresses(void **state)
{
    (void)state;
    fake_hss.pdn_type = S6A_PDN_IPV4V6;
    phone.pdn_type = NAS_PDN_IPV4V6;
    phone_attach(&phone);
    json_t *row = first_row("subscribers", 1);
    assert_int_equal(json_array_size(json_object_get(row, "ip")), 2);
    json_decref(row);
    asked_imsi = IMSI;
    row = first_row("subscribers", 1);
    json_t *pdn = json_array_get(json_object_get(row, "pdn_connections"), 0);
    assert_non_null(json_object_get(pdn, "ipv4"));
    assert_non_null(json_object_get(pdn, "ipv6"));
    json_decref(row);
}

/* Nothing that looks like a key is in anything shown. */
static void test_no_keys(void **state)
{
    char key[65];

    (void)state;
    phone_attach(&phone);
    asked_imsi = IMSI;
    for (size_t i = 0; i < 32; i++)
        snprintf(key + 2 * i, 3, "%02x", phone.kasme[i]);
    for (const struct process_view *v = mme_views; v->what; v++) {
        json_t *shown = view(v->what);
        char *text = json_dumps(shown, 0);
        assert_null(strstr(text, "kasme"));
        assert_null(strstr(text, key));
        free(text);
        json_decref(shown);
    }
}

static void test_procedures(void **state)
{
    (void)state;
    json_t *none = view("procedures");
    assert_int_equal(json_array_size(none), 0);
    json_decref(none);
    fake_hss.air = FAKE_WAITS;
    phone_attach_request(&phone);
    json_t *row = first_row("procedures", 1);
    assert_string_equal(text_at(row, "procedure"), "attach");
    assert_string_equal(text_at(row, "waits"), "HSS or S-GW");
    json_decref(row);
    fake_hss.air = FAKE_ANSWERS;
    fake_release();
    phone_expect_authentication(&phone);
    row = first_row("procedures", 1);
    assert_string_equal(text_at(row, "waits"), "phone or eNodeB");
    assert_int_equal(number_at(row, "mail"), 0);
    json_decref(row);
}

static void test_gateways(void **state)
{
    (void)state;
    phone_attach(&phone);
    json_t *row = first_row("gateways", 1);
    assert_string_equal(text_at(row, "state"), "up");
    assert_int_equal(number_at(row, "phones"), 1);
    json_decref(row);
}

static void test_summary(void **state)
{
    struct phone other;

    (void)state;
    phone_attach(&phone);
    phone_init(&other, "001010000000002", enb);
    phone_attach(&other);
    phone_idle(&other);
    json_t *row = view(NULL);
    assert_string_equal(text_at(row, "name"), "test");
    assert_int_equal(number_at(row, "enbs"), 1);
    assert_int_equal(number_at(row, "registered"), 2);
    assert_int_equal(number_at(row, "connected"), 1);
    assert_int_equal(number_at(row, "idle"), 1);
    assert_int_equal(number_at(row, "procedures"), 0);
    assert_false(json_is_true(json_object_get(row, "overloaded")));
    /* The promise: a phone at rest is small. */
    assert_true(number_at(row, "bytes_per_idle_phone") < 600);
    json_decref(row);
}

/* ---- What an operator can ask
 * ---------------------------------------------------------------------------------- */

static int ask(const char *path)
{
    struct control_request request = {.method = "POST", .path = path};
    struct control_answer answer = {.status = 200};

    assert_int_equal(mme_route_count, 1);
    mme_routes[0].handle(&request, &answer);
    json_decref(answer.json);
    free(answer.text);
    return answer.status;
}

static void test_detach(void **state)
{
    (void)state;
    phone_attach(&phone);
    assert_int_equal(ask("/subscribers/" IMSI "/detach"), 200);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type,
                     NAS_DETACH_REATTACH_NOT_REQUIRED);
    phone_send(&phone, NAS_DETACH_ACCEPT, NULL);
    phone_expect_release(&phone);
    assert_int_equal(ask("/subscribers/" IMSI "/detach"), 404);
    expect_nothing_left();
}

static void test_detach_to_come_again(void **state)
{
    (void)state;
    phone_attach(&phone);
    asked_reattach = "yes";
    assert_int_equal(ask("/subscribers/" IMSI "/detach"), 200);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type, NAS_DETACH_REATTACH_REQUIRED);
    phone_send(&phone, NAS_DETACH_ACCEPT, NULL);
    phone_expect_release(&phone);
}

static void test_detach_of_nobody(void **state)
{
    (void)state;
    assert_int_equal(ask("/subscribers/" IMSI "/detach"), 404);
    assert_int_equal(ask("/subscribers/"), 404);
    assert_int_equal(ask("/subscribers/everyone/detach"), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_view_is_told, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_enbs, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_subscriber_through_its_life, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_subscriber_without_enb, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_one_subscriber_in_full, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_both_addresses, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_no_keys, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_procedures, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_gateways, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_summary, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_detach, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_detach_to_come_again, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_detach_of_nobody, setup, world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
