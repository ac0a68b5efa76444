/*
 * mme_attach_test.c -- attach: each step, each way it can fail, each timer (TS 24.301 clauses 5.4
 * and 5.5.1, TS 23.401 clause 5.3.2.1).
 */
#include "mme_world.h"

#include "mme/ue.h"

#define IMSI "001010000000001"

static struct sctp_association *enb;
static struct phone phone;

static int setup(void **state)
{
    world_setup(state);
    enb = enb_up(1, 1);
    phone_init(&phone, IMSI, enb);
    return 0;
}

/* The attach was refused with this cause, and nothing is left. */
static void expect_rejected(uint8_t cause)
{
    phone_expect(&phone, NAS_ATTACH_REJECT);
    assert_int_equal(phone.last_cause, cause);
    phone_expect_release(&phone);
    expect_nothing_left();
}

/* The phone heard nothing but that its connection goes. */
static void expect_dropped(void)
{
    phone_expect_release(&phone);
    enb_expect_nothing(enb);
    expect_nothing_left();
}

static void to_security(void)
{
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
}

static void to_accept(void)
{
    to_security();
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
}

/* ---- Success
 * -------------------------------------------------------------------------------------------- */

static void test_by_imsi(void **state)
{
    (void)state;
    phone_attach(&phone);
    enb_expect_nothing(enb);
    struct mme_ue *ue = phone_context(&phone);
    assert_string_equal(ue->imeisv, "3534900698733190");
    assert_string_equal(ue->msisdn, "491700000001");
    assert_int_equal(fake_hss.ulrs, 1);
    assert_int_equal(fake_hss.last_ulr_flags & S6A_ULR_INITIAL_ATTACH, S6A_ULR_INITIAL_ATTACH);
    assert_int_equal(fake_sgw.creates, 1);
    assert_int_equal(fake_sgw.modifies, 1);
    assert_int_equal(fake_sgw.last_enb_teid, 0x9005);
    assert_string_equal(fake_sgw.last_apn, "internet");
    assert_int_equal(phone.sgw_teid, 0x2001);
    assert_int_equal(ntohl(phone.ipv4.s_addr), 0x0a2d0002);
    assert_int_equal(ue->security.eia, 2);
    assert_int_equal(ue->security.eea, 2);
    assert_int_equal(mme_outcome_count(MME_ATTACH, MME_SUCCEEDED), 1);
    assert_int_equal(mme_counters[MME_GAUGE_REGISTERED].value, 1);
}

/* A phone that we know and whose request is protected by its security context is not authenticated
 * again. */
static void test_by_known_guti(void **state)
{
    uint32_t former;

    (void)state;
    phone_attach(&phone);
    former = phone.guti.m_tmsi;
    phone_idle(&phone);
    phone_attach(&phone);
    assert_int_equal(fake_hss.airs, 1);
    assert_int_equal(fake_hss.ulrs, 1);
    assert_int_equal(fake_sgw.sessions, 1);
    assert_int_equal(fake_sgw.removes, 1);
    assert_int_equal(mme.ues.count, 1);
    assert_int_not_equal(phone.guti.m_tmsi, former);
    assert_int_equal(mme.ue_by_m_tmsi.count, 1);
}

static void test_authenticated_always(void **state)
{
    (void)state;
    mme.config.security.authenticate_always = true;
    phone_attach(&phone);
    phone_idle(&phone);
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    uint8_t former_ksi = phone_context(&phone)->security.ksi;
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
    assert_int_not_equal(phone_context(&phone)->security.ksi, former_ksi);
}

/* A NAS COUNT must never wrap under the same key (TS 24.301 clause 4.4.3.5). */
static void test_with_count_near_its_end(void **state)
{
    (void)state;
    phone_attach(&phone);
    phone_idle(&phone);
    phone.security.ul_count = phone_context(&phone)->security.ul_count = NAS_COUNT_LIMIT - 100;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
    assert_true(phone_context(&phone)->security.ul_count < 100);
}

static void expect_identity_and_go_on(void)
{
    struct nas_identity_response response = {.mobile_identity = {.kind = NAS_IDENTITY_IMSI}};
    const struct nas_message *message = phone_expect(&phone, NAS_IDENTITY_REQUEST);

    assert_int_equal(message->identity_request->identity_type, NAS_ASK_IMSI);
    memcpy(response.mobile_identity.imsi, phone.imsi, sizeof(phone.imsi));
    phone_send(&phone, NAS_IDENTITY_RESPONSE, &response);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);
    assert_true(phone_context(&phone)->is_registered);
}

static void test_by_unknown_guti(void **state)
{
    (void)state;
    phone.has_guti = true;
    phone.guti = (struct guti){.gummei = {{1, 1, 2}, 2, 3}, .m_tmsi = 0xc0ffee00};
    phone_attach_request(&phone);
    expect_identity_and_go_on();
}

static void test_by_guti_of_another_mme(void **state)
{
    (void)state;
    phone_attach(&phone);
    /* Another phone, whose M-TMSI at another MME happens to be the same. */
    struct guti taken = phone.guti;
    phone_init(&phone, "001010000000002", enb);
    phone.has_guti = true;
    phone.guti = taken;
    phone.guti.gummei.mme_code = 99;
    phone_attach_request(&phone);
    expect_identity_and_go_on();
    assert_int_equal(mme.ues.count, 2);
}

static void test_zero_m_tmsi(void **state)
{
    (void)state;
    phone.has_guti = true;
    phone.guti = (struct guti){.gummei = {{1, 1, 2}, 2, 3}};
    phone_attach_request(&phone);
    expect_identity_and_go_on();
}

/* The same subscriber from nowhere, as after a battery change: its former context goes when it has
 * proved who it is, not before. */
static void test_again_by_imsi(void **state)
{
    struct phone again;

    (void)state;
    phone_attach(&phone);
    phone_init(&again, IMSI, enb);
    phone_attach_request(&again);
    phone_expect_authentication(&again);
    assert_true(phone_context(&phone)->is_registered);
    assert_int_equal(mme.ues.count, 2);
    phone_answer_authentication(&again);
    phone_expect_release(&phone);
    assert_int_equal(mme.ues.count, 1);
    assert_int_equal(fake_sgw.sessions, 0);
    phone_expect_security_mode(&again);
    phone_answer_security_mode(&again);
    phone_expect_accept(&again);
    phone_context_setup_response(&again, again.ebi);
    phone_attach_complete(&again);
    assert_true(phone_context(&again)->is_registered);
    assert_int_equal(mme.ues.count, 1);
    assert_int_equal(fake_hss.purs, 0);
}

/* Somebody who only says the IMSI or GUTI of another changes nothing for it. */
static void test_impostor(void **state)
{
    struct phone impostor;
    struct mme_ue *ue;

    (void)state;
    phone_attach(&phone);
    ue = phone_context(&phone);
    phone_init(&impostor, IMSI, enb);
    phone_attach_request(&impostor);
    phone_expect_authentication(&impostor);
    struct nas_authentication_response wrong = {.res = bytes_of("12345678", 8)};
    phone_send(&impostor, NAS_AUTHENTICATION_RESPONSE, &wrong);
    phone_expect(&impostor, NAS_IDENTITY_REQUEST);
    struct nas_identity_response response = {
        .mobile_identity = {.kind = NAS_IDENTITY_IMSI, .imsi = IMSI}};
    phone_send(&impostor, NAS_IDENTITY_RESPONSE, &response);
    phone_expect(&impostor, NAS_AUTHENTICATION_REJECT);
    phone_expect_release(&impostor);

    phone_init(&impostor, IMSI, enb);
    impostor.has_guti = true;
    impostor.guti = phone.guti;
    phone_attach_request(&impostor);
    phone_expect(&impostor, NAS_IDENTITY_REQUEST);
    assert_ptr_equal(phone_context(&phone), ue);
    assert_true(ue->is_registered);
    assert_int_not_equal(ue->s1, 0);
}

static void test_combined(void **state)
{
    (void)state;
    phone.attach_type = NAS_ATTACH_COMBINED;
    to_security();
    phone_answer_security_mode(&phone);
    const struct nas_message *message = phone_expect(&phone, NAS_ATTACH_ACCEPT);
    assert_int_equal(message->attach_accept->eps_attach_result, NAS_ATTACH_RESULT_EPS_ONLY);
    assert_non_null(message->attach_accept->emm_cause);
    assert_int_equal(*message->attach_accept->emm_cause, EMM_CAUSE_CS_DOMAIN_NOT_AVAILABLE);
}

static void test_accept_contents(void **state)
{
    (void)state;
    mme.config.timers.t3402_ms = 120000;
    mme.config.ims_voice = true;
    to_security();
    phone_answer_security_mode(&phone);
    const struct nas_attach_accept *accept = phone_expect(&phone, NAS_ATTACH_ACCEPT)->attach_accept;
    assert_int_equal(accept->tai_list.count, 2);
    assert_int_equal(accept->tai_list.at[0].tai.tac, 1);
    assert_int_equal(accept->tai_list.at[1].tai.tac, 2);
    assert_int_equal(nas_gprs_timer_seconds(accept->t3412_value), 54 * 60);
    assert_int_equal(nas_gprs_timer_seconds(*accept->t3402_value), 120);
    assert_int_equal(accept->guti->guti.gummei.mme_group_id, 2);
    assert_int_equal(accept->guti->guti.gummei.mme_code, 3);
    assert_int_equal(accept->guti->guti.m_tmsi >> 30, 3);
    assert_int_equal(accept->eps_network_feature_support->octets[0], NAS_EPS_FEATURE_IMS_VOICE_S1);
    assert_null(accept->emm_cause);
}

static void test_information_after_attach(void **state)
{
    (void)state;
    mme.config.network_name.full_name = "Strowger";
    phone_attach(&phone);
    const struct nas_message *message = phone_expect(&phone, NAS_EMM_INFORMATION);
    assert_non_null(message->emm_information->full_name);
    assert_non_null(message->emm_information->universal_time_and_local_time_zone);
}

static void test_algorithm_choice(void **state)
{
    static uint8_t integrity[] = {3, 1}, ciphering[] = {0};

    (void)state;
    mme.config.security.integrity.at = integrity;
    mme.config.security.integrity.count = 2;
    mme.config.security.ciphering.at = ciphering;
    mme.config.security.ciphering.count = 1;
    phone.eia = 0x40; /* EIA1 only: the second choice */
    phone_attach(&phone);
    assert_int_equal(phone_context(&phone)->security.eia, 1);
    assert_int_equal(phone_context(&phone)->security.eea, 0);
}

/* ---- Identification
 * -----------------------------------------------------------------------------------------------
 */

static void test_no_identity(void **state)
{
    (void)state;
    phone.has_guti = true;
    phone.guti = (struct guti){.gummei = {{1, 1, 2}, 2, 3}, .m_tmsi = 5};
    phone_attach_request(&phone);
    for (unsigned i = 0; i < 5; i++) {
        phone_expect(&phone, NAS_IDENTITY_REQUEST);
        world_run(14);
    }
    expect_dropped();
    assert_int_equal(mme_outcome_count(MME_ATTACH, MME_FAILED), 1);
}

static void test_wrong_identity(void **state)
{
    struct nas_identity_response response = {
        .mobile_identity = {.kind = NAS_IDENTITY_IMEI, .imei = "353490069873319"}};

    (void)state;
    phone.has_guti = true;
    phone.guti = (struct guti){.gummei = {{1, 1, 2}, 2, 3}, .m_tmsi = 5};
    phone_attach_request(&phone);
    phone_expect(&phone, NAS_IDENTITY_REQUEST);
    phone_send(&phone, NAS_IDENTITY_RESPONSE, &response);
    /* An IMEI where the IMSI was asked for is not accepted unprotected: the request is repeated. */
    world_run(14);
    phone_expect(&phone, NAS_IDENTITY_REQUEST);
}

/* ---- Authentication
 * -----------------------------------------------------------------------------------------------
 */

static void fail_authentication(uint8_t cause, const struct bytes *auts)
{
    struct nas_authentication_failure failure = {
        .emm_cause = cause,
        .authentication_failure_parameter = (struct bytes *)(uintptr_t)auts,
    };

    phone_send(&phone, NAS_AUTHENTICATION_FAILURE, &failure);
}

static void test_synch_failure(void **state)
{
    struct milenage sim;
    uint8_t auts[14];
    struct bytes view = bytes_of(auts, sizeof(auts));

    (void)state;
    memcpy(sim.k, fake_hss.k, 16);
    memcpy(sim.opc, fake_hss.opc, 16);
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    assert_int_equal(milenage_auts_make(&sim, phone.rand, 0x777000, auts), 0);
    fail_authentication(EMM_CAUSE_SYNCH_FAILURE, &view);
    assert_int_equal(fake_hss.resyncs, 1);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    assert_true(phone.sqn > 0x777000);
    phone_expect_security_mode(&phone);
    assert_int_equal(mme_counters[MME_SYNCH_FAILURES].value, 1);
}

/* A SIM that is never satisfied. */
static void test_synch_failure_twice(void **state)
{
    uint8_t auts[14] = {0};
    struct bytes view = bytes_of(auts, sizeof(auts));
    struct nas_identity_response response = {
        .mobile_identity = {.kind = NAS_IDENTITY_IMSI, .imsi = IMSI}};

    (void)state;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    fail_authentication(EMM_CAUSE_SYNCH_FAILURE, &view);
    phone_expect_authentication(&phone);
    fail_authentication(EMM_CAUSE_SYNCH_FAILURE, &view);
    phone_expect(&phone, NAS_IDENTITY_REQUEST);
    phone_send(&phone, NAS_IDENTITY_RESPONSE, &response);
    phone_expect(&phone, NAS_AUTHENTICATION_REJECT);
    expect_dropped();
}

static void test_synch_failure_without_auts(void **state)
{
    (void)state;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    fail_authentication(EMM_CAUSE_SYNCH_FAILURE, NULL);
    phone_expect(&phone, NAS_IDENTITY_REQUEST);
}

/* #20 and #26: the identity is asked for once; it was right, so the SIM is refused. */
static void test_mac_failure(void **state)
{
    struct nas_identity_response response = {
        .mobile_identity = {.kind = NAS_IDENTITY_IMSI, .imsi = IMSI}};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        phone_init(&phone, IMSI, enb);
        phone_attach_request(&phone);
        phone_expect_authentication(&phone);
        fail_authentication(
            i == 0 ? EMM_CAUSE_MAC_FAILURE : EMM_CAUSE_NON_EPS_AUTHENTICATION_UNACCEPTABLE, NULL);
        phone_expect(&phone, NAS_IDENTITY_REQUEST);
        phone_send(&phone, NAS_IDENTITY_RESPONSE, &response);
        phone_expect(&phone, NAS_AUTHENTICATION_REJECT);
        expect_dropped();
    }
    assert_int_equal(mme_counters[MME_AUTHENTICATION_FAILURES].value, 2);
    assert_int_equal(mme_outcome_count(MME_ATTACH, MME_REJECTED), 2);
}

/* The identity was wrong: with the right one the phone passes. */
static void test_corrected_identity(void **state)
{
    struct nas_identity said = {.kind = NAS_IDENTITY_IMSI, .imsi = "001010000000009"};
    struct nas_identity_response response = {
        .mobile_identity = {.kind = NAS_IDENTITY_IMSI, .imsi = IMSI}};

    (void)state;
    phone_attach_request_by(&phone, &said);
    phone_expect_authentication(&phone);
    fail_authentication(EMM_CAUSE_MAC_FAILURE, NULL);
    phone_expect(&phone, NAS_IDENTITY_REQUEST);
    phone_send(&phone, NAS_IDENTITY_RESPONSE, &response);
    phone_expect_authentication(&phone);
    assert_string_equal(fake_hss.last_imsi, IMSI);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
}

static void test_no_authentication_answer(void **state)
{
    (void)state;
    phone_attach_request(&phone);
    for (unsigned i = 0; i < 5; i++) {
        phone_expect_authentication(&phone);
        world_run(14);
    }
    expect_dropped();
}

static void test_hss_refusals(void **state)
{
    static const struct {
        uint32_t result;
        uint8_t cause;
    } rows[] = {
        {DIAMETER_ERROR_USER_UNKNOWN, 8},
        {DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION, 15},
        {DIAMETER_ERROR_RAT_NOT_ALLOWED, 15},
        {DIAMETER_ERROR_ROAMING_NOT_ALLOWED, 11},
        {DIAMETER_AUTHENTICATION_DATA_UNAVAILABLE, 17},
        {DIAMETER_UNABLE_TO_COMPLY, 17},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fake_hss.air = FAKE_REFUSES;
        fake_hss.refusal = rows[i].result;
        phone_init(&phone, IMSI, enb);
        phone_attach_request(&phone);
        expect_rejected(rows[i].cause);

        fake_hss.air = FAKE_ANSWERS;
        fake_hss.ulr = FAKE_REFUSES;
        phone_init(&phone, IMSI, enb);
        to_security();
        phone_answer_security_mode(&phone);
        expect_rejected(rows[i].cause);
        fake_hss.ulr = FAKE_ANSWERS;
    }
}

static void test_hss_troubles(void **state)
{
    static const enum fake_mode modes[] = {FAKE_IS_AWAY, FAKE_IS_SILENT, FAKE_IS_BROKEN};

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        fake_hss.air = modes[i];
        phone_init(&phone, IMSI, enb);
        phone_attach_request(&phone);
        world_run(10);
        expect_rejected(EMM_CAUSE_NETWORK_FAILURE);

        fake_hss.air = FAKE_ANSWERS;
        fake_hss.ulr = modes[i];
        phone_init(&phone, IMSI, enb);
        to_security();
        phone_answer_security_mode(&phone);
        world_run(10);
        expect_rejected(EMM_CAUSE_NETWORK_FAILURE);
        fake_hss.ulr = FAKE_ANSWERS;
    }
}

/* ---- Security mode
 * ---------------------------------------------------------------------------------------------------
 */

static void test_no_common_algorithm(void **state)
{
    (void)state;
    phone.eia = 0x80; /* EIA0 only */
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    expect_rejected(EMM_CAUSE_UE_SECURITY_CAPABILITIES_MISMATCH);
}

static void test_security_mode_reject(void **state)
{
    struct nas_emm_cause_only reject = {.emm_cause = EMM_CAUSE_SECURITY_MODE_REJECTED};

    (void)state;
    to_security();
    phone_send_plain(&phone, NAS_SECURITY_MODE_REJECT, &reject);
    expect_dropped();
}

static void test_no_security_mode_answer(void **state)
{
    (void)state;
    to_security();
    for (unsigned i = 0; i < 4; i++) {
        world_run(14);
        phone_expect_security_mode(&phone);
    }
    world_run(14);
    expect_dropped();
}

/* Security Mode Complete counts only under the new keys. */
static void test_unprotected_security_mode_complete(void **state)
{
    struct nas_security_mode_complete complete = {0};

    (void)state;
    to_security();
    phone_send_plain(&phone, NAS_SECURITY_MODE_COMPLETE, &complete);
    enb_expect_nothing(enb);
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
}

/* ---- ESM information
 * ---------------------------------------------------------------------------------------------------
 */

static void test_esm_information(void **state)
{
    struct nas_apn apn = {.name = "ims.mnc001.mcc001.gprs"};
    struct nas_esm_information_response response = {.apn = &apn};

    (void)state;
    fake_hss.is_second_apn = true;
    phone.has_more = true;
    to_security();
    phone_answer_security_mode(&phone);
    phone_expect(&phone, NAS_ESM_INFORMATION_REQUEST);
    phone_send_esm(&phone, NAS_ESM_INFORMATION_RESPONSE, 0, phone.pti, &response);
    phone_expect_accept(&phone);
    assert_string_equal(fake_sgw.last_apn, "ims");
}

static void test_esm_information_wrong_pti(void **state)
{
    struct nas_esm_information_response response = {0};

    (void)state;
    phone.has_more = true;
    to_security();
    phone_answer_security_mode(&phone);
    phone_expect(&phone, NAS_ESM_INFORMATION_REQUEST);
    phone_send_esm(&phone, NAS_ESM_INFORMATION_RESPONSE, 0, 77, &response);
    expect_rejected(EMM_CAUSE_ESM_FAILURE);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_PTI_MISMATCH);
}

static void test_no_esm_information(void **state)
{
    (void)state;
    phone.has_more = true;
    to_security();
    phone_answer_security_mode(&phone);
    for (unsigned i = 0; i < 3; i++) {
        phone_expect(&phone, NAS_ESM_INFORMATION_REQUEST);
        world_run(14);
    }
    expect_rejected(EMM_CAUSE_ESM_FAILURE);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_ESM_INFORMATION_NOT_RECEIVED);
}

/* ---- Subscription and session
 * --------------------------------------------------------------------------------------------- */

static void attach_asking_for(const char *name)
{
    struct nas_apn apn;
    struct nas_esm_information_response response = {.apn = &apn};

    snprintf(apn.name, sizeof(apn.name), "%s", name);
    phone.has_more = true;
    to_security();
    phone_answer_security_mode(&phone);
    phone_expect(&phone, NAS_ESM_INFORMATION_REQUEST);
    phone_send_esm(&phone, NAS_ESM_INFORMATION_RESPONSE, 0, phone.pti, &response);
}

static void test_unknown_apn(void **state)
{
    (void)state;
    attach_asking_for("nowhere");
    expect_rejected(EMM_CAUSE_ESM_FAILURE);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_SERVICE_OPTION_NOT_SUBSCRIBED);
    assert_int_equal(fake_hss.purs, 1);
}

static void test_apn_in_other_case(void **state)
{
    (void)state;
    attach_asking_for("InterNet");
    phone_expect_accept(&phone);
    assert_string_equal(fake_sgw.last_apn, "internet");
}

static void test_wildcard_apn(void **state)
{
    (void)state;
    fake_hss.is_wildcard = true;
    attach_asking_for("anything.example");
    phone_expect_accept(&phone);
    assert_string_equal(fake_sgw.last_apn, "anything.example");
}

static void test_pdn_types(void **state)
{
    static const struct {
        uint8_t asked, subscribed, granted, cause; /* granted 0: rejected with the cause */
    } rows[] = {
        {NAS_PDN_IPV4, S6A_PDN_IPV4, NAS_PDN_IPV4, 0},
        {NAS_PDN_IPV6, S6A_PDN_IPV4, 0, 50},
        {NAS_PDN_IPV4V6, S6A_PDN_IPV4, NAS_PDN_IPV4, 50},
        {NAS_PDN_IPV4, S6A_PDN_IPV6, 0, 51},
        {NAS_PDN_IPV4V6, S6A_PDN_IPV6, NAS_PDN_IPV6, 51},
        {NAS_PDN_IPV4V6, S6A_PDN_IPV4V6, NAS_PDN_IPV4V6, 0},
        {NAS_PDN_IPV6, S6A_PDN_IPV4V6, NAS_PDN_IPV6, 0},
        {NAS_PDN_IPV4V6, S6A_PDN_IPV4_OR_IPV6, NAS_PDN_IPV4, 52},
        {4, S6A_PDN_IPV6, NAS_PDN_IPV6, 0}, /* the unused value is IPv6 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fake_hss.pdn_type = rows[i].subscribed;
        phone_init(&phone, IMSI, enb);
        phone.pdn_type = rows[i].asked;
        to_security();
        phone_answer_security_mode(&phone);
        if (rows[i].granted) {
            phone_expect_accept(&phone);
            assert_int_equal(fake_sgw.last_pdn_type, rows[i].granted);
        } else {
            phone_expect(&phone, NAS_ATTACH_REJECT);
        }
        assert_int_equal(phone.last_esm_cause, rows[i].cause);
        fake_enb_lose(enb);
        enb = enb_up(1, 1);
    }
}

/* Complaint: a PDN type that does not exist. */
static void test_reserved_pdn_types(void **state)
{
    static const uint8_t types[] = {0, 5, 6, 7};

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        phone_init(&phone, IMSI, enb);
        phone.pdn_type = types[i];
        phone_attach_request(&phone);
        expect_rejected(EMM_CAUSE_ESM_FAILURE);
        assert_int_equal(phone.last_esm_cause, ESM_CAUSE_UNKNOWN_PDN_TYPE);
    }
}

static void test_barred(void **state)
{
    (void)state;
    fake_hss.is_barred = true;
    to_security();
    phone_answer_security_mode(&phone);
    expect_rejected(EMM_CAUSE_ESM_FAILURE);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_OPERATOR_DETERMINED_BARRING);

    fake_hss.is_barred = false;
    fake_hss.is_without_lte = true;
    phone_init(&phone, IMSI, enb);
    to_security();
    phone_answer_security_mode(&phone);
    expect_rejected(EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA);

    fake_hss.is_without_lte = false;
    fake_hss.is_without_apn = true;
    phone_init(&phone, IMSI, enb);
    to_security();
    phone_answer_security_mode(&phone);
    expect_rejected(EMM_CAUSE_NO_SUITABLE_CELLS_IN_TRACKING_AREA);
}

static void test_gateway_refusals(void **state)
{
    static const struct {
        uint8_t gtpc, esm;
    } rows[] = {
        {GTPC_CAUSE_ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED, ESM_CAUSE_INSUFFICIENT_RESOURCES},
        {GTPC_CAUSE_MISSING_OR_UNKNOWN_APN, ESM_CAUSE_MISSING_OR_UNKNOWN_APN},
        {GTPC_CAUSE_USER_AUTHENTICATION_FAILED, ESM_CAUSE_USER_AUTHENTICATION_FAILED},
        {GTPC_CAUSE_SYSTEM_FAILURE, ESM_CAUSE_NETWORK_FAILURE},
    };

    (void)state;
    fake_sgw.create = FAKE_REFUSES;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fake_sgw.refusal = rows[i].gtpc;
        phone_init(&phone, IMSI, enb);
        to_security();
        phone_answer_security_mode(&phone);
        expect_rejected(EMM_CAUSE_ESM_FAILURE);
        assert_int_equal(phone.last_esm_cause, rows[i].esm);
    }
    assert_int_equal(fake_sgw.removes, 0);
}

static void test_gateway_troubles(void **state)
{
    (void)state;
    fake_sgw.create = FAKE_IS_SILENT;
    to_security();
    phone_answer_security_mode(&phone);
    world_run(10);
    expect_rejected(EMM_CAUSE_ESM_FAILURE);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_NETWORK_FAILURE);

    fake_sgw.create = FAKE_IS_BROKEN;
    phone_init(&phone, IMSI, enb);
    to_security();
    phone_answer_security_mode(&phone);
    expect_rejected(EMM_CAUSE_ESM_FAILURE);
}

static void test_gateway_narrows_pdn_type(void **state)
{
    (void)state;
    fake_hss.pdn_type = S6A_PDN_IPV4V6;
    fake_sgw.cause = GTPC_CAUSE_NEW_PDN_TYPE_NETWORK_PREFERENCE;
    fake_sgw.granted_pdn_type = GTPC_PDN_IPV4;
    phone.pdn_type = NAS_PDN_IPV4V6;
    to_security();
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_PDN_TYPE_IPV4_ONLY_ALLOWED);
}

/* ---- Initial Context Setup and Attach Complete
 * ------------------------------------------------------------------------------ */

static void test_context_setup_failure(void **state)
{
    (void)state;
    to_accept();
    struct s1ap_initial_context_setup_failure failure = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_RADIO_RESOURCES_NOT_AVAILABLE),
    };
    fake_enb_send_message(enb, S1AP_INITIAL_CONTEXT_SETUP_FAILURE, &failure);
    expect_dropped();
    assert_int_equal(fake_sgw.removes, 1);
    assert_int_equal(fake_hss.purs, 1);
}

static void test_e_rab_failed(void **state)
{
    (void)state;
    to_accept();
    phone_context_setup_response(&phone, 14); /* not what was asked for */
    expect_dropped();
}

static void test_complete_before_response(void **state)
{
    (void)state;
    to_accept();
    phone_attach_complete(&phone);
    assert_false(phone_context(&phone)->is_registered);
    phone_context_setup_response(&phone, phone.ebi);
    assert_true(phone_context(&phone)->is_registered);
    assert_int_equal(fake_sgw.modifies, 1);
}

static void test_no_context_setup_response(void **state)
{
    (void)state;
    to_accept();
    phone_attach_complete(&phone);
    world_run(60);
    expect_dropped();
}

static void test_no_attach_complete(void **state)
{
    (void)state;
    to_accept();
    phone_context_setup_response(&phone, phone.ebi);
    for (unsigned i = 0; i < 4; i++) {
        world_run(14);
        phone_expect_accept(&phone);
    }
    world_run(14);
    expect_dropped();
    assert_int_equal(fake_sgw.removes, 1);
    assert_int_equal(mme_outcome_count(MME_ATTACH, MME_FAILED), 1);
}

static void test_modify_bearer_fails(void **state)
{
    (void)state;
    fake_sgw.modify = FAKE_REFUSES;
    fake_sgw.refusal = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    to_accept();
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type, NAS_DETACH_REATTACH_REQUIRED);
    expect_dropped();
}

static void test_default_bearer_refused(void **state)
{
    uint8_t container[16];
    struct writer w = writer_of(container, sizeof(container));

    (void)state;
    to_accept();
    phone_context_setup_response(&phone, phone.ebi);
    struct nas_message reject = {.type = NAS_ACTIVATE_DEFAULT_BEARER_REJECT,
                                 .direction = EPS_UPLINK,
                                 .ebi = phone.ebi,
                                 .body = &(struct nas_pco_reject){.esm_cause = 31}};
    nas_encode(&w, &reject);
    struct nas_attach_complete complete = {.esm_message_container = wr_view(&w)};
    phone_send(&phone, NAS_ATTACH_COMPLETE, &complete);
    expect_dropped();
}

static void test_radio_capability(void **state)
{
    static const char capability[] = "what this model of phone can do";
    struct bytes paging = bytes_of("paging", 6);

    (void)state;
    phone_attach(&phone);
    struct s1ap_ue_capability_info_indication indication = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .ue_radio_capability = bytes_of(capability, sizeof(capability)),
        .ue_radio_capability_for_paging = &paging,
    };
    fake_enb_send_message(enb, S1AP_UE_CAPABILITY_INFO_INDICATION, &indication);
    phone_idle(&phone);
    phone_service_request(&phone);
    const struct s1ap_pdu *pdu = enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    assert_non_null(pdu->initial_context_setup_request->ue_radio_capability);
    assert_true(bytes_equal(*pdu->initial_context_setup_request->ue_radio_capability,
                            indication.ue_radio_capability));
}

/* ---- Collisions
 * -----------------------------------------------------------------------------------------------------------
 */

/* 5.5.1.2.7 e: the same request again is a repetition and changes nothing. */
static void test_repeated_request(void **state)
{
    (void)state;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone.ksi = NAS_KSI_NO_KEY;
    phone_attach_request(&phone);
    enb_expect_nothing(enb);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
}

/* ... another one begins anew. */
static void test_different_request(void **state)
{
    (void)state;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone.eea = 0x80;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    assert_int_equal(mme.ues.count, 1);
    assert_int_equal(mme_outcome_count(MME_ATTACH, MME_ABORTED), 1);
}

/* 5.5.1.2.7 d: after Attach Accept the same request asks for it again. */
static void test_repeated_request_after_accept(void **state)
{
    (void)state;
    struct phone before = phone;
    to_accept();
    struct phone with_keys = phone;
    phone.is_secured = false;
    phone.has_guti = before.has_guti;
    phone_attach_request(&phone); /* unprotected, on a secured connection: discarded */
    enb_expect_nothing(enb);
    phone = with_keys;
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);
    assert_true(phone_context(&phone)->is_registered);
}

/* The phone lost the connection in the middle and comes again on another. */
static void test_again_on_another_connection(void **state)
{
    (void)state;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    struct phone first = phone;
    phone_init(&phone, IMSI, enb);
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);
    assert_true(phone_context(&phone)->is_registered);
    assert_int_equal(mme.ues.count, 2);
    for (unsigned i = 0; i < 4; i++) {
        world_run(14);
        phone_expect_authentication(&first);
    }
    world_run(14);
    phone_expect_release(&first);
    assert_int_equal(mme.ues.count, 1);
    assert_true(phone_context(&phone)->is_registered);
}

/* An attach by GUTI, protected, while the former attach of the same context still waits for its
 * end. */
static void test_again_while_attaching_by_guti(void **state)
{
    (void)state;
    phone_attach(&phone);
    phone_idle(&phone);
    phone_attach_request(&phone);
    phone_expect_accept(&phone);
    struct phone first = phone;
    phone.is_connected = false;
    phone.eia = 0x40;
    phone_attach_request(&phone);
    phone_expect_release(&first);
    phone_expect_accept(&phone);
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);
    assert_true(phone_context(&phone)->is_registered);
    assert_int_equal(mme.ues.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
}

/* 5.5.1.2.7 h. */
static void test_detach_while_attaching(void **state)
{
    (void)state;
    to_accept();
    phone_detach_request(&phone, NAS_DETACH_EPS);
    phone_expect(&phone, NAS_DETACH_ACCEPT);
    phone_expect_release(&phone);
    expect_nothing_left();
    assert_int_equal(mme_outcome_count(MME_ATTACH, MME_ABORTED), 1);
    assert_int_equal(mme_outcome_count(MME_UE_DETACH, MME_SUCCEEDED), 1);
}

/* 5.5.1.2.7 g: Attach Complete was lost, but the phone goes on as one that is attached. */
static void test_update_completes_attach(void **state)
{
    (void)state;
    to_accept();
    phone_context_setup_response(&phone, phone.ebi);
    struct phone first = phone;
    phone.is_connected = false;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone_expect_release(&first);
    assert_true(phone_context(&phone)->is_registered);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
}

static void test_service_request_completes_attach(void **state)
{
    (void)state;
    to_accept();
    phone_context_setup_response(&phone, phone.ebi);
    struct phone first = phone;
    phone_service_request(&phone);
    phone_expect_release(&first);
    assert_true(phone_context(&phone)->is_registered);
    enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
}

static void test_release_request_while_attaching(void **state)
{
    (void)state;
    to_accept();
    struct s1ap_ue_context_release_request request = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_RADIO_CONNECTION_WITH_UE_LOST),
    };
    fake_enb_send_message(enb, S1AP_UE_CONTEXT_RELEASE_REQUEST, &request);
    expect_dropped();
    assert_int_equal(mme_outcome_count(MME_ATTACH, MME_ABORTED), 1);
}

/* ---- The connection is lost at each step
 * ------------------------------------------------------------------------------------ */

static void lose(unsigned how)
{
    struct s1ap_reset reset = {.cause = s1ap_cause_misc(S1AP_MISC_UNSPECIFIED),
                               .reset_type = {.kind = S1AP_RESET_S1_INTERFACE}};

    if (how == 0) {
        fake_enb_lose(enb);
        enb = enb_up(1, 1);
    } else {
        fake_enb_send_message(enb, S1AP_RESET, &reset);
        enb_drain(enb);
    }
}

static void step(unsigned n)
{
    if (n >= 1)
        phone_attach_request(&phone);
    if (n >= 2) {
        phone_expect_authentication(&phone);
        phone_answer_authentication(&phone);
    }
    if (n >= 3) {
        phone_expect_security_mode(&phone);
        phone_answer_security_mode(&phone);
    }
    if (n >= 4) {
        phone_expect_accept(&phone);
        phone_context_setup_response(&phone, phone.ebi);
    }
}

static void test_loss_at_each_step(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 2; how++) {
        for (unsigned n = 1; n <= 4; n++) {
            phone_init(&phone, IMSI, enb);
            step(n);
            lose(how);
            expect_nothing_left();
        }
    }
}

/* While the HSS or the S-GW thinks: the S-GW's answer still counts, so that its session is deleted.
 */
static void test_loss_while_others_think(void **state)
{
    enum fake_mode *const modes[] = {&fake_hss.air, &fake_hss.ulr, &fake_sgw.create,
                                     &fake_sgw.modify};

    (void)state;
    for (unsigned how = 0; how < 2; how++) {
        for (unsigned i = 0; i < 4; i++) {
            phone_init(&phone, IMSI, enb);
            *modes[i] = FAKE_WAITS;
            step(i == 0 ? 1 : i < 3 ? 3 : 4);
            if (i == 3)
                phone_attach_complete(&phone);
            assert_int_equal(mme.runs, 1);
            lose(how);
            *modes[i] = FAKE_ANSWERS;
            fake_release();
            if (i == 3) {
                /* Registered by then: idle, and the S-GW knows. */
                assert_true(phone_context(&phone)->is_registered);
                assert_false(phone_context(&phone)->has_access_bearers);
                world_run(120);
            }
            expect_nothing_left();
        }
    }
}

/* ---- Limits and refusals
 * ------------------------------------------------------------------------------------------------------
 */

static void test_congestion(void **state)
{
    struct phone phones[40];

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        char imsi[IMSI_SIZE];
        snprintf(imsi, sizeof(imsi), "00101000000%04u", i);
        phone_init(&phones[i], imsi, enb);
        phone_attach_request(&phones[i]);
        phone_expect_authentication(&phones[i]);
    }
    phone_init(&phone, "001019999999999", enb);
    phone_attach_request(&phone);
    const struct nas_message *message = phone_expect(&phone, NAS_ATTACH_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_CONGESTION);
    assert_non_null(message->attach_reject->t3346_value);
    assert_int_equal(nas_gprs_timer_seconds(*message->attach_reject->t3346_value), 60);
    phone_expect_release(&phone);
    assert_int_equal(mme.ues.count, 40);
}

static void test_overload(void **state)
{
    struct phone other;

    (void)state;
    mme.config.limits.max_procedures = 2;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone_init(&other, "001010000000002", enb);
    phone_attach_request(&other);
    enb_expect(enb, S1AP_OVERLOAD_START);
    phone_expect_authentication(&other);
    struct phone third;
    phone_init(&third, "001010000000003", enb);
    phone_attach_request(&third);
    phone_expect(&third, NAS_ATTACH_REJECT);
    assert_int_equal(third.last_cause, EMM_CAUSE_CONGESTION);
    phone_expect_release(&third);
    lose(1);
    assert_false(mme.is_overloaded);
}

static void test_emergency(void **state)
{
    (void)state;
    phone.attach_type = NAS_ATTACH_EMERGENCY;
    phone_attach_request(&phone);
    expect_rejected(8);
}

static void test_area_not_served(void **state)
{
    (void)state;
    phone.tac = 99;
    phone_attach_request(&phone);
    expect_rejected(EMM_CAUSE_TRACKING_AREA_NOT_ALLOWED);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(by_imsi),
        T(by_known_guti),
        T(authenticated_always),
        T(with_count_near_its_end),
        T(by_unknown_guti),
        T(by_guti_of_another_mme),
        T(zero_m_tmsi),
        T(again_by_imsi),
        T(impostor),
        T(combined),
        T(accept_contents),
        T(information_after_attach),
        T(algorithm_choice),
        T(no_identity),
        T(wrong_identity),
        T(synch_failure),
        T(synch_failure_twice),
        T(synch_failure_without_auts),
        T(mac_failure),
        T(corrected_identity),
        T(no_authentication_answer),
        T(hss_refusals),
        T(hss_troubles),
        T(no_common_algorithm),
        T(security_mode_reject),
        T(no_security_mode_answer),
        T(unprotected_security_mode_complete),
        T(esm_information),
        T(esm_information_wrong_pti),
        T(no_esm_information),
        T(unknown_apn),
        T(apn_in_other_case),
        T(wildcard_apn),
        T(pdn_types),
        T(reserved_pdn_types),
        T(barred),
        T(gateway_refusals),
        T(gateway_troubles),
        T(gateway_narrows_pdn_type),
        T(context_setup_failure),
        T(e_rab_failed),
        T(complete_before_response),
        T(no_context_setup_response),
        T(no_attach_complete),
        T(modify_bearer_fails),
        T(default_bearer_refused),
        T(radio_capability),
        T(repeated_request),
        T(different_request),
        T(repeated_request_after_accept),
        T(again_on_another_connection),
        T(again_while_attaching_by_guti),
        T(detach_while_attaching),
        T(update_completes_attach),
        T(service_request_completes_attach),
        T(release_request_while_attaching),
        T(loss_at_each_step),
        T(loss_while_others_think),
        T(congestion),
        T(overload),
        T(emergency),
        T(area_not_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
