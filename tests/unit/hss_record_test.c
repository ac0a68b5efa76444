/*
 * hss_record_test.c -- subscriber records from texts: what is accepted, what is refused and with
 * which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hss/record.h"

#define IMSI "001010000000001"
#define K    "465b5ce8b199b49faa5f0a2ee238a6bc"
#define OP   "cdc202d5123e20f62b6d676ac72cb318" /* TS 35.208 test set 1 */
#define OPC  "cd63cb71954a9f4e48a5994e37a02baf"

static char reason[300];

/* Sets one field of an empty draft; the reason when that fails, "" otherwise. */
static const char *set(struct hss_draft *draft, const char *name, const char *text)
{
    struct text why = text_in(reason, sizeof(reason));
    const struct hss_field *field = hss_field_find(name);

    assert_non_null(field);
    bool good = hss_draft_set(draft, field, text, &why);
    assert_int_equal(good, reason[0] == '\0');
    return reason;
}

static struct hss_draft complete(void)
{
    struct hss_draft draft = {0};

    assert_string_equal(set(&draft, "imsi", IMSI), "");
    assert_string_equal(set(&draft, "K", K), "");
    assert_string_equal(set(&draft, "opc", OPC), "");
    return draft;
}

static const char *finish(struct hss_draft *draft)
{
    struct text why = text_in(reason, sizeof(reason));

    (void)hss_draft_finish(draft, &hss_profile_default, &why);
    return reason;
}

static void smallest_record(void **state)
{
    (void)state;
    struct hss_draft d = complete();

    assert_string_equal(finish(&d), "");
    const struct hss_subscriber *s = &d.subscriber;
    assert_string_equal(s->imsi, IMSI);
    assert_int_equal(s->k[0], 0x46);
    assert_int_equal(s->opc[15], 0xaf);
    assert_int_equal(s->amf, 0x8000);
    assert_int_equal(s->sqn, 0);
    assert_false(s->sqn_given);
    assert_int_equal(s->apn_count, 1);
    assert_string_equal(s->apns[0].name, "internet");
    assert_int_equal(s->apns[0].pdn_type, S6A_PDN_IPV4V6);
    assert_int_equal(s->apns[0].qci, 9);
    assert_int_equal(s->apns[0].arp_priority, 8);
    assert_false(s->apns[0].may_pre_empt);
    assert_true(s->apns[0].may_be_pre_empted);
    assert_int_equal(s->ambr_ul, 1000000000);
    assert_int_equal(s->apns[0].ambr_dl, 1000000000);
}

static void op_becomes_opc(void **state)
{
    (void)state;
    struct hss_draft d = {0};
    uint8_t opc[16];

    set(&d, "imsi", IMSI);
    set(&d, "k", K);
    set(&d, "op", OP);
    assert_string_equal(finish(&d), "");
    assert_int_equal(hex_parse(OPC, opc, 16), 16);
    assert_memory_equal(d.subscriber.opc, opc, 16);
}

static void all_fields(void **state)
{
    (void)state;
    struct hss_draft d = complete();

    set(&d, "amf", "B9b9");
    set(&d, "sqn", "FF9BB4D0B607");
    set(&d, "msisdn", "+491711234567");
    set(&d, "ambr_ul", "50M");
    set(&d, "ambr_dl", "6G");
    set(&d, "status", "barred");
    set(&d, "access_restriction", "0x10");
    set(&d, "rfsp", "7");
    set(&d, "rau_tau_timer", "3240");
    set(&d, "apns",
        "internet/ipv4v6/10.45.0.7/2001:db8::7/qci=8/arp=2/ul=1M/dl=2M/preempt/fixed;"
        "ims.example/ipv6 corp/ipv4;*");
    assert_string_equal(finish(&d), "");
    const struct hss_subscriber *s = &d.subscriber;
    assert_int_equal(s->amf, 0xb9b9);
    assert_true(s->sqn == UINT64_C(0xff9bb4d0b607));
    assert_true(s->sqn_given);
    assert_string_equal(s->msisdn, "491711234567");
    assert_int_equal(s->ambr_ul, 50000000);
    assert_true(s->ambr_dl == UINT64_C(6000000000));
    assert_true(s->barred);
    assert_int_equal(s->access_restriction, 16);
    assert_int_equal(s->rfsp, 7);
    assert_int_equal(s->rau_tau_timer_s, 3240);
    assert_int_equal(s->apn_count, 4);
    const struct hss_apn *a = &s->apns[0];
    assert_true(a->has_ipv4 && a->has_ipv6 && a->may_pre_empt && !a->may_be_pre_empted);
    assert_int_equal(a->ipv6.s6_addr[15], 7);
    assert_int_equal(a->qci, 8);
    assert_int_equal(a->arp_priority, 2);
    assert_int_equal(a->ambr_ul, 1000000);
    assert_int_equal(s->apns[1].pdn_type, S6A_PDN_IPV6);
    assert_string_equal(s->apns[3].name, "*");
    assert_int_equal(s->apns[3].ambr_ul, 50000000);

    /* Printed as it can be read again. */
    char printed[4096];
    struct text t = text_in(printed, sizeof(printed));
    hss_print_apns(&t, s);
    struct hss_draft again = complete();
    assert_string_equal(set(&again, "apns", printed), "");
    assert_string_equal(finish(&again), "");
    assert_memory_equal(again.subscriber.apns, s->apns, 4 * sizeof(struct hss_apn));
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *field, *text, *reason;
    } wrong[] = {
        {"imsi", "12345", "imsi: '12345', expected 6 to 15 digits"},
        {"imsi", "0010100000000001", "imsi: '0010100000000001', expected 6 to 15 digits"},
        {"imsi", "00101000000000x", "imsi: '00101000000000x', expected 6 to 15 digits"},
        {"k", "465b", "k: 4 characters, expected 32 hexadecimal digits"},
        {"k", "465b5ce8b199b49faa5f0a2ee238a6bz",
         "k: other characters, expected 32 hexadecimal digits"},
        {"k", "46 5b 5c e8 b1 99 b4 9f aa 5f 0a",
         "k: other characters, expected 32 hexadecimal digits"},
        {"opc", OPC "00", "opc: 34 characters, expected 32 hexadecimal digits"},
        {"amf", "80000", "amf: '80000', expected 4 hexadecimal digits"},
        {"sqn", "1234567890123", "sqn: '1234567890123', expected 1 to 12 hexadecimal digits"},
        {"sqn", "0x12", "sqn: '0x12', expected 1 to 12 hexadecimal digits"},
        {"msisdn", "+", "msisdn: '+', expected up to 15 digits"},
        {"msisdn", "1234567890123456", "msisdn: '1234567890123456', expected up to 15 digits"},
        {"ambr_ul", "fast", "ambr_ul: 'fast', expected a bit rate (100k, 50M, 1G)"},
        {"status", "maybe", "status: 'maybe', expected granted or barred"},
        {"rfsp", "257", "rfsp: '257', expected a number (1..256), 0 for none"},
        {"rau_tau_timer", "-1",
         "rau_tau_timer: '-1', expected seconds (up to 10 days), 0 for the MME's own"},
    };
    struct hss_draft d = {0};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_string_equal(set(&d, wrong[i].field, wrong[i].text), wrong[i].reason);
    assert_null(hss_field_find("key"));
}

static void assert_apns_refused(const char *text, const char *said)
{
    struct hss_draft d = {0};

    assert_ptr_equal(strstr(set(&d, "apns", text), said), reason + strlen("apns: "));
}

static void apn_refusals(void **state)
{
    (void)state;
    char many[400] = "";

    assert_apns_refused("inter net/ipv5", "'ipv5' of APN net");
    assert_apns_refused("in_ter..net", "'in_ter..net' is no access point name");
    assert_apns_refused("a/qci=0", "'qci=0' of APN a");
    assert_apns_refused("a/qci=255", "'qci=255' of APN a");
    assert_apns_refused("a/arp=16", "'arp=16' of APN a");
    assert_apns_refused("a/10.45.0.256", "'10.45.0.256' of APN a");
    assert_apns_refused("a/ipv6/10.45.0.1", "the static address of APN a does not fit its type");
    assert_apns_refused("a/ipv4/2001:db8::1", "the static address of APN a does not fit its type");
    assert_apns_refused("a;A", "APN a twice");
    for (int i = 0; i < HSS_MAX_APNS + 1; i++)
        sprintf(many + strlen(many), "apn%d;", i);
    assert_apns_refused(many, "more than 16 APNs");
}

static void no_eps_subscription(void **state)
{
    (void)state;
    struct hss_draft d = complete();

    set(&d, "apns", "none");
    assert_string_equal(finish(&d), "");
    assert_int_equal(d.subscriber.apn_count, 0);
}

static void incomplete(void **state)
{
    (void)state;
    struct hss_draft d = {0};

    assert_string_equal(finish(&d), "imsi: missing, expected 6 to 15 digits");
    set(&d, "imsi", IMSI);
    assert_string_equal(finish(&d), "k: missing, expected 32 hexadecimal digits");
    set(&d, "k", K);
    assert_string_equal(finish(&d), "op or opc: missing, expected 32 hexadecimal digits");
    set(&d, "opc", OPC);
    set(&d, "op", OP);
    assert_string_equal(finish(&d), "op and opc: both are given, expected one of them");
}

static void json(void **state)
{
    (void)state;
    struct hss_subscriber s;
    struct text why = text_in(reason, sizeof(reason));
    json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "imsi", IMSI, "k", K, "opc", OPC, "apns",
                               "ims/ipv4/10.0.0.1");

    assert_true(hss_record_from_json(object, &hss_profile_default, &s, &why));
    json_t *shown = hss_record_to_json(&s, "mme.test");
    char *text = json_dumps(shown, 0);
    assert_non_null(strstr(text, "\"apns\": \"ims/ipv4/10.0.0.1/qci=9/arp=8/ul=1G/dl=1G\""));
    assert_non_null(strstr(text, "mme.test"));
    /* No secret, whatever its name or form. */
    assert_null(strstr(text, "465b"));
    assert_null(strstr(text, "cd63"));
    assert_null(json_object_get(shown, "k"));
    assert_null(json_object_get(shown, "opc"));
    assert_null(json_object_get(shown, "sqn"));
    free(text);
    json_decref(shown);

    json_object_set_new(object, "colour", json_string("red"));
    assert_false(hss_record_from_json(object, &hss_profile_default, &s, &why));
    assert_string_equal(reason, "'colour': there is no such field");
    json_object_del(object, "colour");
    json_object_set_new(object, "rfsp", json_integer(3));
    why = text_in(reason, sizeof(reason));
    assert_false(hss_record_from_json(object, &hss_profile_default, &s, &why));
    assert_string_equal(reason, "'rfsp': expected a text");
    why = text_in(reason, sizeof(reason));
    json_t *array = json_array();
    assert_false(hss_record_from_json(array, &hss_profile_default, &s, &why));
    json_decref(array);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_record), cmocka_unit_test(op_becomes_opc),
        cmocka_unit_test(all_fields),      cmocka_unit_test(refusals),
        cmocka_unit_test(apn_refusals),    cmocka_unit_test(no_eps_subscription),
        cmocka_unit_test(incomplete),      cmocka_unit_test(json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
