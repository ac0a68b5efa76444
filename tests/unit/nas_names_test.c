/*
 * nas_names_test.c -- names of causes and messages, and the messages of TS 24.301 clauses 4.4.4.2
 * and 4.4.4.3.
 */
#include "unit.h"

#include "wire/nas/nas.h"

static void causes_have_names(void **state)
{
    (void)state;
    assert_string_equal(nas_emm_cause_name(EMM_CAUSE_CONGESTION), "congestion");
    assert_string_equal(nas_emm_cause_name(EMM_CAUSE_SEVERE_NETWORK_FAILURE),
                        "severe network failure");
    assert_string_equal(nas_esm_cause_name(ESM_CAUSE_MISSING_OR_UNKNOWN_APN),
                        "missing or unknown apn");
    assert_string_equal(nas_emm_cause_name(96), "invalid mandatory information");
    assert_string_equal(nas_esm_cause_name(101), "message not compatible with the protocol state");
    assert_string_equal(nas_esm_cause_name(111), "protocol error, unspecified");
    static const uint8_t unknown[] = {0, 1, 4, 43, 94, 102, 110, 114, 255};
    for (unsigned i = 0; i < sizeof(unknown); i++)
        assert_string_equal(nas_emm_cause_name(unknown[i]), "unknown");
    for (unsigned cause = 0; cause < 256; cause++) {
        assert_non_null(nas_emm_cause_name((uint8_t)cause));
        assert_non_null(nas_esm_cause_name((uint8_t)cause));
    }
}

static void messages_have_names(void **state)
{
    (void)state;
    assert_string_equal(nas_message_name(NAS_SERVICE_REQUEST), "service request");
    assert_string_equal(nas_message_name(NAS_PDN_CONNECTIVITY_REQUEST), "pdn connectivity request");
    assert_string_equal(nas_message_name((enum nas_message_type)0x47), "unknown");
}

static bool uplink(enum nas_message_type type)
{
    struct nas_identity_response response = {.mobile_identity = {.kind = NAS_IDENTITY_IMSI}};

    return nas_is_acceptable_unprotected(
        &(struct nas_message){.type = type, .direction = EPS_UPLINK, .body = &response});
}

static void the_mme_takes_some_messages_unprotected(void **state)
{
    (void)state;
    static const enum nas_message_type taken[] = {
        NAS_ATTACH_REQUEST,
        NAS_IDENTITY_RESPONSE,
        NAS_AUTHENTICATION_RESPONSE,
        NAS_AUTHENTICATION_FAILURE,
        NAS_SECURITY_MODE_REJECT,
        NAS_DETACH_REQUEST,
        NAS_DETACH_ACCEPT,
        NAS_TRACKING_AREA_UPDATE_REQUEST,
        NAS_SERVICE_REQUEST,
        NAS_EXTENDED_SERVICE_REQUEST,
        NAS_CONTROL_PLANE_SERVICE_REQUEST,
    };

    for (unsigned type = 0; type < 256; type++) {
        bool expected = false;
        for (unsigned i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
            expected |= taken[i] == type;
        assert_int_equal(uplink((enum nas_message_type)type), expected);
    }
    struct nas_identity_response response = {.mobile_identity = {.kind = NAS_IDENTITY_IMEI}};
    struct nas_message m = {.type = NAS_IDENTITY_RESPONSE, .identity_response = &response};
    assert_false(nas_is_acceptable_unprotected(&m));
    m.body = NULL;
    assert_false(nas_is_acceptable_unprotected(&m));
}

static void the_phone_takes_rejects_unless_about_csg(void **state)
{
    (void)state;
    struct nas_attach_reject reject = {.emm_cause = EMM_CAUSE_PLMN_NOT_ALLOWED};
    struct nas_identity_request request = {NAS_ASK_IMSI};
    struct nas_message m = {
        .type = NAS_ATTACH_REJECT, .direction = EPS_DOWNLINK, .attach_reject = &reject};

    assert_true(nas_is_acceptable_unprotected(&m));
    reject.emm_cause = EMM_CAUSE_NOT_AUTHORIZED_FOR_CSG;
    assert_false(nas_is_acceptable_unprotected(&m));
    m = (struct nas_message){
        .type = NAS_IDENTITY_REQUEST, .direction = EPS_DOWNLINK, .identity_request = &request};
    assert_true(nas_is_acceptable_unprotected(&m));
    request.identity_type = NAS_ASK_IMEISV;
    assert_false(nas_is_acceptable_unprotected(&m));
    m = (struct nas_message){.type = NAS_SECURITY_MODE_COMMAND, .direction = EPS_DOWNLINK};
    assert_false(nas_is_acceptable_unprotected(&m));
    m.type = NAS_AUTHENTICATION_REQUEST;
    assert_true(nas_is_acceptable_unprotected(&m));
    m.direction = EPS_UPLINK;
    assert_false(nas_is_acceptable_unprotected(&m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes_have_names),
        cmocka_unit_test(messages_have_names),
        cmocka_unit_test(the_mme_takes_some_messages_unprotected),
        cmocka_unit_test(the_phone_takes_rejects_unless_about_csg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
