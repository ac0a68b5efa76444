/*
 * mme_mobility_test.c -- registered phones: idle and back, paging, tracking area updates, detach in
 * all its ways, and what the HSS and a restarted S-GW do to them (TS 23.401 clauses 5.3.3 to 5.3.8,
 * TS 24.301 clauses 5.5.2, 5.5.3, 5.6).
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
    phone_attach(&phone);
    return 0;
}

static struct mme_ue *ue(void)
{
    return phone_context(&phone);
}

/* ---- Idle and back
 * ---------------------------------------------------------------------------------------- */

static void test_release_and_service_request(void **state)
{
    (void)state;
    phone_idle(&phone);
    assert_int_equal(ue()->s1, 0);
    assert_false(ue()->has_access_bearers);
    assert_int_equal(fake_sgw.releases, 1);
    assert_null(ue()->run);
    phone_serve(&phone);
    assert_true(ue()->has_access_bearers);
    assert_int_equal(fake_sgw.modifies, 2);
    assert_int_equal(mme_outcome_count(MME_UE_SERVICE_REQUEST, MME_SUCCEEDED), 1);
    enb_expect_nothing(enb);
}

/* KeNB is the one of the NAS COUNT of the Service Request. */
static void test_key_of_service_request(void **state)
{
    uint8_t k_enb[32], wire[16];
    struct writer w = writer_of(wire, sizeof(wire));
    uint32_t count;

    (void)state;
    phone_idle(&phone);
    assert_int_equal(nas_protect_service_request(&phone.security, &w, &count), 0);
    phone_send_bytes(&phone, wire, wr_len(&w));
    const struct s1ap_initial_context_setup_request *request =
        enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST)->initial_context_setup_request;
    assert_int_equal(kdf_k_enb(phone.security.kasme, count, k_enb), 0);
    assert_memory_equal(request->security_key.octets, k_enb, 32);
    assert_int_equal(request->ue_aggregate_maximum_bitrate.downlink, 100000000);
    assert_int_equal(request->ue_security_capabilities.encryption_algorithms, 0xc000);
}

static void expect_service_reject(uint8_t cause)
{
    phone_expect(&phone, NAS_SERVICE_REJECT);
    assert_int_equal(phone.last_cause, cause);
    phone_expect_release(&phone);
}

/* A wrong short MAC: #9, and the context of the real phone stays as it is (clause 4.4.4.3). */
static void test_wrong_short_mac(void **state)
{
    uint8_t wire[16];
    struct writer w = writer_of(wire, sizeof(wire));
    uint32_t count;

    (void)state;
    phone_idle(&phone);
    assert_int_equal(nas_protect_service_request(&phone.security, &w, &count), 0);
    wire[3] ^= 1;
    phone_send_bytes(&phone, wire, wr_len(&w));
    struct phone real = phone;
    phone.is_secured = false;
    expect_service_reject(EMM_CAUSE_UE_IDENTITY_CANNOT_BE_DERIVED);
    assert_true(ue()->is_registered);
    phone = real;
    phone.is_connected = false;
    phone_serve(&phone);
    assert_true(ue()->has_access_bearers);
}

static void test_replayed_service_request(void **state)
{
    uint8_t wire[16];
    struct writer w = writer_of(wire, sizeof(wire));
    uint32_t count;

    (void)state;
    phone_idle(&phone);
    assert_int_equal(nas_protect_service_request(&phone.security, &w, &count), 0);
    phone_send_bytes(&phone, wire, wr_len(&w));
    enb_drain(enb);
    uint32_t s1 = ue()->s1;
    struct phone replayer = phone;
    replayer.is_connected = false;
    phone_send_bytes(&replayer, wire, wr_len(&w));
    phone_expect(&replayer, NAS_SERVICE_REJECT);
    assert_int_equal(ue()->s1, s1);
}

/* The MME has restarted: it knows nobody. */
static void test_unknown_phone(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone.guti.m_tmsi ^= 1;
    phone_service_request(&phone);
    phone.is_secured = false;
    expect_service_reject(EMM_CAUSE_UE_IDENTITY_CANNOT_BE_DERIVED);
}

static void test_context_setup_fails(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone_service_request(&phone);
    phone.mme_id = enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST)
                       ->initial_context_setup_request->mme_ue_s1ap_id;
    struct s1ap_initial_context_setup_failure failure = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_FAILURE_IN_RADIO_INTERFACE_PROCEDURE),
    };
    fake_enb_send_message(enb, S1AP_INITIAL_CONTEXT_SETUP_FAILURE, &failure);
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
    assert_int_equal(mme_outcome_count(MME_UE_SERVICE_REQUEST, MME_FAILED), 1);
}

static void test_enb_silent(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone_service_request(&phone);
    enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    world_run(45);
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
}

static void test_sgw_knows_nothing(void **state)
{
    (void)state;
    phone_idle(&phone);
    fake_sgw.modify = FAKE_REFUSES;
    fake_sgw.refusal = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    phone_serve(&phone);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type, NAS_DETACH_REATTACH_REQUIRED);
    phone_expect_release(&phone);
    expect_nothing_left();
}

/* A service request on a new connection while the old one is still there: the phone lost it. */
static void test_service_request_on_new_connection(void **state)
{
    (void)state;
    struct phone first = phone;
    phone_service_request(&phone);
    phone_expect_release(&first);
    phone.mme_id = enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST)
                       ->initial_context_setup_request->mme_ue_s1ap_id;
    phone_context_setup_response(&phone, phone.ebi);
    assert_true(ue()->has_access_bearers);
    assert_int_equal(mme.s1s.count, 1);
}

/* The service request comes while the S-GW is still told that the phone is idle. */
static void test_service_request_during_release(void **state)
{
    (void)state;
    fake_sgw.release = FAKE_WAITS;
    struct s1ap_ue_context_release_request request = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_USER_INACTIVITY),
    };
    fake_enb_send_message(enb, S1AP_UE_CONTEXT_RELEASE_REQUEST, &request);
    struct phone first = phone;
    phone_service_request(&phone);
    enb_expect_nothing(enb);
    fake_sgw.release = FAKE_ANSWERS;
    fake_release();
    phone_expect_release(&first);
    phone.mme_id = enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST)
                       ->initial_context_setup_request->mme_ue_s1ap_id;
    phone_context_setup_response(&phone, phone.ebi);
    assert_true(ue()->has_access_bearers);
}

static void extended_service_request(uint8_t type)
{
    struct nas_extended_service_request request = {
        .service_type = type,
        .nas_ksi = phone.ksi,
        .m_tmsi = {.kind = NAS_IDENTITY_TMSI, .tmsi = phone.guti.m_tmsi},
    };

    phone_send(&phone, NAS_EXTENDED_SERVICE_REQUEST, &request);
}

static void test_extended_service_request(void **state)
{
    (void)state;
    phone_idle(&phone);
    extended_service_request(NAS_SERVICE_CSFB_MOBILE_ORIGINATING);
    phone_expect(&phone, NAS_SERVICE_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_CS_DOMAIN_NOT_AVAILABLE);
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
    extended_service_request(NAS_SERVICE_PACKET);
    phone.mme_id = enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST)
                       ->initial_context_setup_request->mme_ue_s1ap_id;
    phone_context_setup_response(&phone, phone.ebi);
    assert_true(ue()->has_access_bearers);
}

static void test_connection_lost(void **state)
{
    (void)state;
    fake_enb_lose(enb);
    assert_true(ue()->is_registered);
    assert_int_equal(fake_sgw.releases, 1);
    assert_null(ue()->run);
    assert_true(timer_is_running(&ue()->timer));
}

/* ---- Paging
 * -------------------------------------------------------------------------------------------------
 */

static void notify_data(void)
{
    struct gtpc_downlink_data_notification notification = {0};

    fake_sgw_ask(55, GTPC_DOWNLINK_DATA_NOTIFICATION, fake_sgw.mme_teid, &notification);
}

static void test_paging(void **state)
{
    (void)state;
    phone_idle(&phone);
    notify_data();
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    const struct s1ap_paging *paging = enb_expect(enb, S1AP_PAGING)->paging;
    assert_int_equal(paging->ue_paging_id.kind, S1AP_PAGE_BY_S_TMSI);
    assert_int_equal(paging->ue_paging_id.s_tmsi.m_tmsi, phone.guti.m_tmsi);
    assert_int_equal(paging->tai_list.count, 2);
    assert_int_equal(paging->ue_identity_index_value, 1010000000001 % 1024);
    phone_serve(&phone);
    assert_int_equal(mme_outcome_count(MME_NETWORK_SERVICE_REQUEST, MME_SUCCEEDED), 1);
    assert_true(ue()->has_access_bearers);
    enb_expect_nothing(enb);
    world_run(15);
    enb_expect_nothing(enb);
}

static void test_new_guti_after_paging(void **state)
{
    uint32_t former = phone.guti.m_tmsi;

    (void)state;
    mme.config.security.new_guti_after_paging = true;
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    phone_serve(&phone);
    const struct nas_message *command = phone_expect(&phone, NAS_GUTI_REALLOCATION_COMMAND);
    phone.guti = command->guti_reallocation_command->guti.guti;
    assert_int_not_equal(phone.guti.m_tmsi, former);
    phone_send(&phone, NAS_GUTI_REALLOCATION_COMPLETE, NULL);
    assert_int_equal(mme.ue_by_m_tmsi.count, 1);
    phone_idle(&phone);
    phone_serve(&phone);
    /* Without an answer both stay valid, and the phone is paged by the old one first. */
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    phone_serve(&phone);
    for (unsigned i = 0; i < 5; i++) {
        phone_expect(&phone, NAS_GUTI_REALLOCATION_COMMAND);
        world_run(14);
    }
    assert_int_equal(mme.ue_by_m_tmsi.count, 2);
    phone_idle(&phone);
    notify_data();
    assert_int_equal(enb_expect(enb, S1AP_PAGING)->paging->ue_paging_id.s_tmsi.m_tmsi,
                     phone.guti.m_tmsi);
    world_run(14);
    assert_int_equal(enb_expect(enb, S1AP_PAGING)->paging->ue_paging_id.s_tmsi.m_tmsi,
                     ue()->m_tmsi);
}

/* The connection is lost right after the phone was found: the S-GW may notify again. */
static void test_loss_after_paging(void **state)
{
    (void)state;
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    phone_service_request(&phone);
    fake_enb_lose(enb);
    assert_int_equal(fake_sgw.failures, 1);
    assert_null(ue()->run);
    enb = enb_up(1, 1);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
}

/* The eNodeB answered a packet of the S-GW with Error Indication: the connection is none, and the
 * phone is paged. */
static void test_error_indication_of_enb(void **state)
{
    struct gtpc_cause cause = {.value = GTPC_CAUSE_ERROR_INDICATION_RECEIVED};
    struct gtpc_downlink_data_notification notification = {.cause = &cause};

    (void)state;
    fake_sgw_ask(55, GTPC_DOWNLINK_DATA_NOTIFICATION, fake_sgw.mme_teid, &notification);
    phone_expect_release(&phone);
    enb_expect(enb, S1AP_PAGING);
    phone_serve(&phone);
    assert_true(ue()->has_access_bearers);
}

/* First where the phone was last seen, then everywhere in its area; nowhere else. */
static void test_paging_area(void **state)
{
    (void)state;
    struct sctp_association *same = enb_up(2, 2), *other = enb_up(3, 7);
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    enb_expect_nothing(same);
    for (unsigned i = 0; i < 3; i++) {
        world_run(14);
        enb_expect(enb, S1AP_PAGING);
        enb_expect(same, S1AP_PAGING);
    }
    world_run(14);
    enb_expect_nothing(enb);
    enb_expect_nothing(other);
    assert_int_equal(fake_sgw.failures, 1);
    assert_int_equal(fake_sgw.last_failure, GTPC_CAUSE_UE_NOT_RESPONDING);
    assert_true(ue()->is_registered);
    assert_int_equal(mme_counters[MME_PAGING_UNANSWERED].value, 1);
    assert_int_equal(mme_counters[MME_PAGING_SENT].value, 7);
}

/* Where it was last seen there is no eNodeB any more. */
static void test_paging_without_last_enb(void **state)
{
    (void)state;
    struct sctp_association *same = enb_up(2, 2);
    fake_enb_lose(enb);
    notify_data();
    enb_expect(same, S1AP_PAGING);
}

static void test_notified_twice(void **state)
{
    (void)state;
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    notify_data();
    assert_int_equal(fake_sgw.answers, 2);
    enb_expect_nothing(enb);
    phone_serve(&phone);
    notify_data();
    enb_expect_nothing(enb);
    assert_null(ue()->run);
}

/* Data arrives while the phone is on its way to idle. */
static void test_notified_during_release(void **state)
{
    (void)state;
    fake_sgw.release = FAKE_WAITS;
    struct s1ap_ue_context_release_request request = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_USER_INACTIVITY),
    };
    fake_enb_send_message(enb, S1AP_UE_CONTEXT_RELEASE_REQUEST, &request);
    notify_data();
    fake_sgw.release = FAKE_ANSWERS;
    fake_release();
    phone_expect_release(&phone);
    enb_expect(enb, S1AP_PAGING);
    phone_serve(&phone);
    assert_true(ue()->has_access_bearers);
}

static void test_notification_for_nobody(void **state)
{
    struct gtpc_downlink_data_notification notification = {0};

    (void)state;
    fake_sgw_ask(56, GTPC_DOWNLINK_DATA_NOTIFICATION, 0x12345, &notification);
    assert_int_equal(fake_sgw.refusals, 1);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    fake_sgw_ask(57, GTPC_SUSPEND_NOTIFICATION, fake_sgw.mme_teid,
                 &(struct gtpc_suspend_notification){0});
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
}

static void test_attach_answers_paging(void **state)
{
    (void)state;
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    phone_attach(&phone);
    assert_true(ue()->is_registered);
    assert_int_equal(fake_sgw.sessions, 1);
}

/* An update in answer to paging gets its bearers, though it did not ask for them. */
static void test_update_answers_paging(void **state)
{
    (void)state;
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    phone_context_setup_response(&phone, phone.ebi);
    assert_true(ue()->has_access_bearers);
    assert_int_equal(mme_outcome_count(MME_NETWORK_SERVICE_REQUEST, MME_SUCCEEDED), 1);
}

static void test_detach_answers_paging(void **state)
{
    (void)state;
    phone_idle(&phone);
    notify_data();
    enb_expect(enb, S1AP_PAGING);
    phone_detach_request(&phone, NAS_DETACH_EPS | NAS_DETACH_SWITCH_OFF);
    phone_expect_release(&phone);
    expect_nothing_left();
}

static void test_paging_with_phone_drx(void **state)
{
    (void)state;
    ue()->has_drx = true;
    ue()->drx = 0x0070; /* T = 64 */
    phone_idle(&phone);
    notify_data();
    const struct s1ap_paging *paging = enb_expect(enb, S1AP_PAGING)->paging;
    assert_non_null(paging->paging_drx);
    assert_int_equal(*paging->paging_drx, S1AP_PAGING_DRX_V64);
}

/* ---- Mobile reachable and implicit detach
 * -------------------------------------------------------------------- */

static void test_silence(void **state)
{
    (void)state;
    phone_idle(&phone);
    world_run(50);
    assert_false(ue()->is_reachable);
    notify_data();
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_UNABLE_TO_PAGE_UE);
    enb_expect_nothing(enb);
    world_run(50);
    expect_nothing_left();
    assert_int_equal(fake_hss.purs, 1);
    assert_int_equal(fake_sgw.removes, 1);
    assert_int_equal(mme_counters[MME_GAUGE_REGISTERED].value, 0);
}

static void test_heard_in_time(void **state)
{
    (void)state;
    phone_idle(&phone);
    for (unsigned i = 0; i < 4; i++) {
        world_run(30);
        phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
        phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
        phone_expect_release(&phone);
    }
    assert_true(ue()->is_registered);
    assert_true(ue()->is_reachable);
}

static void test_never_periodic(void **state)
{
    (void)state;
    mme.config.timers.t3412_ms = 0;
    phone_idle(&phone);
    world_run(120);
    assert_true(ue()->is_registered);
    assert_true(ue()->is_reachable);
}

/* ---- Tracking area update
 * --------------------------------------------------------------------------------------- */

/* A NAS COUNT must never wrap under the same key (TS 24.301 clause 4.4.3.5). */
static void test_update_with_count_near_its_end(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone.security.dl_count = ue()->security.dl_count = NAS_COUNT_LIMIT - 100;
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    phone_answer_security_mode(&phone);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    phone_expect_release(&phone);
    assert_true(ue()->security.dl_count < 100);
}

static void test_periodic_update(void **state)
{
    uint16_t status = 1u << 5;

    (void)state;
    phone_idle(&phone);
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, &status);
    const struct nas_tracking_area_update_accept *accept =
        phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT)->tracking_area_update_accept;
    assert_null(accept->guti);
    assert_non_null(accept->t3412_value);
    assert_int_equal(*accept->eps_bearer_context_status, status);
    phone_expect_release(&phone);
    assert_int_equal(fake_sgw.modifies, 1);
    assert_int_equal(mme_outcome_count(MME_TRACKING_AREA_UPDATE, MME_SUCCEEDED), 1);
}

static void update_complete(void)
{
    phone_send(&phone, NAS_TRACKING_AREA_UPDATE_COMPLETE, NULL);
}

static void test_update_in_new_area(void **state)
{
    uint32_t former = phone.guti.m_tmsi;

    (void)state;
    struct sctp_association *other = enb_up(3, 7);
    phone_idle(&phone);
    phone.enb = other;
    phone.tac = 7;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    const struct nas_tracking_area_update_accept *accept =
        phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT)->tracking_area_update_accept;
    assert_int_equal(accept->tai_list->count, 1);
    assert_int_equal(accept->tai_list->at[0].tai.tac, 7);
    phone.guti = accept->guti->guti;
    assert_int_not_equal(phone.guti.m_tmsi, former);
    /* Until the phone confirms, both are valid. */
    assert_int_equal(mme.ue_by_m_tmsi.count, 2);
    update_complete();
    assert_int_equal(mme.ue_by_m_tmsi.count, 1);
    phone_expect_release(&phone);
    /* It is paged there now. */
    notify_data();
    enb_expect(other, S1AP_PAGING);
    world_run(14);
    enb_expect_nothing(enb);
}

static void test_no_update_complete(void **state)
{
    struct guti former = phone.guti;

    (void)state;
    phone_idle(&phone);
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    for (unsigned i = 0; i < 5; i++) {
        phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
        world_run(14);
    }
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
    assert_int_equal(mme.ue_by_m_tmsi.count, 2);
    /* The phone is heard by its old GUTI, and gets another new one. */
    phone.guti = former;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    update_complete();
    assert_int_equal(mme.ue_by_m_tmsi.count, 1);
}

static void test_active_update(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone_update_request(&phone, NAS_UPDATE_TA | NAS_UPDATE_ACTIVE, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    phone_context_setup_response(&phone, phone.ebi);
    update_complete();
    assert_true(ue()->has_access_bearers);
    enb_expect_nothing(enb);
    assert_int_not_equal(ue()->s1, 0);
}

static void test_active_update_without_response(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone_update_request(&phone, NAS_UPDATE_PERIODIC | NAS_UPDATE_ACTIVE, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    world_run(45);
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
}

static void test_update_while_connected(void **state)
{
    (void)state;
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    enb_expect_nothing(enb);
    assert_int_not_equal(ue()->s1, 0);
}

static void test_update_of_unknown_phone(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone.guti.m_tmsi ^= 4;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone.is_secured = false;
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_UE_IDENTITY_CANNOT_BE_DERIVED);
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
}

static void test_update_where_we_do_not_serve(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone.tac = 99;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_TRACKING_AREA_NOT_ALLOWED);
    phone_expect_release(&phone);
    expect_nothing_left();
}

/* The phone says that it has no bearer any more. */
static void test_update_without_bearers(void **state)
{
    uint16_t status = 0;

    (void)state;
    phone_idle(&phone);
    phone_update_request(&phone, NAS_UPDATE_TA, &status);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_NO_EPS_BEARER_CONTEXT_ACTIVATED);
    phone_expect_release(&phone);
    expect_nothing_left();
}

static void test_repeated_update(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    struct nas_tracking_area_update_request same = {
        .eps_update_type = NAS_UPDATE_TA,
        .nas_ksi = phone.ksi,
        .old_guti = {.kind = NAS_IDENTITY_GUTI, .guti = phone.guti},
    };
    phone_send(&phone, NAS_TRACKING_AREA_UPDATE_REQUEST, &same);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    same.eps_update_type = NAS_UPDATE_PERIODIC;
    phone_send(&phone, NAS_TRACKING_AREA_UPDATE_REQUEST, &same);
    const struct nas_message *accept = phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    assert_null(accept->tracking_area_update_accept->guti);
    assert_int_equal(mme_outcome_count(MME_TRACKING_AREA_UPDATE, MME_ABORTED), 1);
    assert_int_equal(mme_outcome_count(MME_TRACKING_AREA_UPDATE, MME_SUCCEEDED), 1);
}

/* Clause 5.6.1.6: an update while a service request waits has precedence. */
static void test_update_during_service_request(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone_service_request(&phone);
    enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    struct phone first = phone;
    phone.is_connected = false;
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect_release(&first);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    assert_int_equal(mme_outcome_count(MME_UE_SERVICE_REQUEST, MME_ABORTED), 1);
}

/* ---- Detach
 * ---------------------------------------------------------------------------------------------------------
 */

static void test_detach(void **state)
{
    (void)state;
    phone_detach_request(&phone, NAS_DETACH_EPS);
    phone_expect(&phone, NAS_DETACH_ACCEPT);
    const struct s1ap_pdu *pdu = enb_expect(enb, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    assert_int_equal(pdu->ue_context_release_command->cause.group, S1AP_CAUSE_NAS);
    assert_int_equal(pdu->ue_context_release_command->cause.value, S1AP_NAS_DETACH);
    expect_nothing_left();
    assert_int_equal(fake_hss.purs, 1);
    enb_expect_nothing(enb);
}

static void test_switch_off_from_idle(void **state)
{
    (void)state;
    phone_idle(&phone);
    phone_detach_request(&phone, NAS_DETACH_EPS | NAS_DETACH_SWITCH_OFF);
    phone_expect_release(&phone);
    enb_expect_nothing(enb);
    expect_nothing_left();
}

static void test_imsi_detach(void **state)
{
    (void)state;
    phone_detach_request(&phone, NAS_DETACH_IMSI);
    phone_expect(&phone, NAS_DETACH_ACCEPT);
    assert_true(ue()->is_registered);
}

/* Somebody else says that it is our phone and switches off. */
static void test_spoofed_detach(void **state)
{
    (void)state;
    struct phone impostor = phone;
    impostor.is_connected = false;
    impostor.is_secured = false;
    phone_detach_request(&impostor, NAS_DETACH_EPS | NAS_DETACH_SWITCH_OFF);
    phone_expect_release(&impostor);
    impostor.is_connected = false;
    phone_detach_request(&impostor, NAS_DETACH_EPS);
    phone_expect(&impostor, NAS_DETACH_ACCEPT);
    phone_expect_release(&impostor);
    assert_true(ue()->is_registered);
    assert_int_not_equal(ue()->s1, 0);
    /* Unprotected on the phone's own connection: discarded. */
    impostor = phone;
    impostor.is_secured = false;
    phone_detach_request(&impostor, NAS_DETACH_EPS);
    assert_true(ue()->is_registered);
    assert_int_equal(mme_counters[MME_NAS_UNPROTECTED].value, 1);
}

static void test_detach_while_sgw_is_silent(void **state)
{
    (void)state;
    fake_sgw.remove = FAKE_IS_SILENT;
    phone_detach_request(&phone, NAS_DETACH_EPS);
    world_run(10);
    phone_expect(&phone, NAS_DETACH_ACCEPT);
    phone_expect_release(&phone);
    assert_int_equal(mme.ues.count, 0);
    fake_sgw.sessions = 0;
}

static void test_attach_during_detach(void **state)
{
    (void)state;
    fake_sgw.remove = FAKE_WAITS;
    phone_detach_request(&phone, NAS_DETACH_EPS | NAS_DETACH_SWITCH_OFF);
    struct phone first = phone;
    phone.is_connected = false;
    phone_attach_request(&phone);
    enb_expect_nothing(enb);
    fake_sgw.remove = FAKE_ANSWERS;
    fake_release();
    phone_expect_release(&first);
    phone_expect_accept(&phone);
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);
    assert_true(ue()->is_registered);
    assert_int_equal(mme.ues.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
}

static void want_detach(uint8_t type)
{
    mme_post(ue(), &(struct mme_event){.kind = MME_DETACH_WANTED, .how = type});
}

static void accept_detach(void)
{
    phone_send(&phone, NAS_DETACH_ACCEPT, NULL);
    phone_expect_release(&phone);
    expect_nothing_left();
}

static void test_network_detach(void **state)
{
    (void)state;
    want_detach(NAS_DETACH_REATTACH_REQUIRED);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type, NAS_DETACH_REATTACH_REQUIRED);
    accept_detach();
}

static void test_network_detach_of_idle_phone(void **state)
{
    (void)state;
    phone_idle(&phone);
    want_detach(NAS_DETACH_REATTACH_NOT_REQUIRED);
    enb_expect(enb, S1AP_PAGING);
    phone_service_request(&phone);
    phone_expect(&phone, NAS_DETACH_REQUEST);
    accept_detach();
}

static void test_network_detach_unanswered(void **state)
{
    (void)state;
    want_detach(NAS_DETACH_REATTACH_REQUIRED);
    for (unsigned i = 0; i < 5; i++) {
        phone_expect(&phone, NAS_DETACH_REQUEST);
        world_run(14);
    }
    phone_expect_release(&phone);
    expect_nothing_left();
    assert_int_equal(mme_outcome_count(MME_NETWORK_DETACH, MME_FAILED), 1);
}

static void test_both_detach(void **state)
{
    (void)state;
    want_detach(NAS_DETACH_REATTACH_NOT_REQUIRED);
    phone_expect(&phone, NAS_DETACH_REQUEST);
    phone_detach_request(&phone, NAS_DETACH_EPS);
    phone_expect(&phone, NAS_DETACH_ACCEPT);
    phone_expect_release(&phone);
    expect_nothing_left();
}

/* Clause 5.5.2.3.4: the network's detach goes on, updates and service requests notwithstanding. */
static void test_update_during_network_detach(void **state)
{
    (void)state;
    want_detach(NAS_DETACH_REATTACH_NOT_REQUIRED);
    phone_expect(&phone, NAS_DETACH_REQUEST);
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    enb_expect_nothing(enb);
    struct phone first = phone;
    phone_service_request(&phone);
    phone_expect_release(&first);
    world_run(14);
    phone_expect(&phone, NAS_DETACH_REQUEST); /* on the new connection */
    accept_detach();
}

static void test_attach_during_network_detach(void **state)
{
    (void)state;
    want_detach(NAS_DETACH_REATTACH_REQUIRED);
    phone_expect(&phone, NAS_DETACH_REQUEST);
    struct phone first = phone;
    phone.is_connected = false;
    phone_attach_request(&phone);
    phone_expect_release(&first);
    phone_expect_accept(&phone);
    phone_context_setup_response(&phone, phone.ebi);
    phone_attach_complete(&phone);
    assert_true(ue()->is_registered);
    assert_int_equal(fake_sgw.sessions, 1);
}

/* ---- What the HSS says
 * -------------------------------------------------------------------------------------------- */

static void cancel(uint32_t type, uint32_t flags)
{
    struct s6a_clr request = {.imsi = IMSI, .cancellation_type = type, .clr_flags = &flags};

    fake_hss_ask(&s6a_clr_message, &request);
    assert_int_equal(fake_hss.last_result, DIAMETER_SUCCESS);
}

static void test_cancelled_for_another_mme(void **state)
{
    (void)state;
    cancel(S6A_MME_UPDATE_PROCEDURE, S6A_CLR_S6A_INDICATOR);
    phone_expect_release(&phone);
    expect_nothing_left();
    assert_int_equal(fake_hss.purs, 0);
}

static void test_withdrawn(void **state)
{
    (void)state;
    cancel(S6A_SUBSCRIPTION_WITHDRAWAL, 0);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type,
                     NAS_DETACH_REATTACH_NOT_REQUIRED);
    assert_int_equal(*message->detach_request_downlink->emm_cause, 8);
    accept_detach();
    assert_int_equal(fake_hss.purs, 0);
}

static void test_cancelled_to_reattach(void **state)
{
    (void)state;
    phone_idle(&phone);
    cancel(S6A_SUBSCRIPTION_WITHDRAWAL, S6A_CLR_REATTACH_REQUIRED);
    enb_expect(enb, S1AP_PAGING);
    phone_service_request(&phone);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type, NAS_DETACH_REATTACH_REQUIRED);
    accept_detach();
}

static void test_cancel_of_unknown(void **state)
{
    struct s6a_clr request = {.imsi = "001010000000099"};

    (void)state;
    fake_hss_ask(&s6a_clr_message, &request);
    assert_int_equal(fake_hss.last_result, DIAMETER_SUCCESS);
}

static void test_reset(void **state)
{
    struct bytes leading = bytes_of("99999", 5);
    struct s6a_rsr request = {.user_id = {&leading, 1}};

    (void)state;
    phone_idle(&phone);
    fake_hss_ask(&s6a_rsr_message, &request);
    assert_false(ue()->hss_is_unconfirmed);
    request.user_id.count = 0;
    fake_hss_ask(&s6a_rsr_message, &request);
    assert_true(ue()->hss_is_unconfirmed);
    phone_serve(&phone);
    assert_int_equal(fake_hss.ulrs, 2);
    assert_int_equal(fake_hss.last_ulr_flags & S6A_ULR_INITIAL_ATTACH, 0);
    assert_false(ue()->hss_is_unconfirmed);
    fake_hss_ask(&s6a_rsr_message, &request);
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    assert_int_equal(fake_hss.ulrs, 3);
}

static void test_inserted_data(void **state)
{
    uint32_t flags =
        S6A_IDR_UE_REACHABILITY | S6A_IDR_EPS_USER_STATE | S6A_IDR_EPS_LOCATION | S6A_IDR_T_ADS;
    struct s6a_ambr ambr = {.max_requested_bandwidth_ul = 1000000,
                            .max_requested_bandwidth_dl = 2000000};
    struct s6a_idr request = {
        .imsi = IMSI, .subscription_data = {.ambr = &ambr}, .idr_flags = &flags};

    (void)state;
    fake_hss_ask(&s6a_idr_message, &request);
    assert_int_equal(fake_hss.last_result, DIAMETER_SUCCESS);
    const struct s1ap_ue_context_modification_request *modification =
        enb_expect(enb, S1AP_UE_CONTEXT_MODIFICATION_REQUEST)->ue_context_modification_request;
    assert_int_equal(modification->ue_aggregate_maximum_bitrate->downlink, 2000000);
    assert_int_equal(mme_subscription_of(ue())->apn_count, 1);
    /* The HSS hears of it when the phone is heard. */
    phone_idle(&phone);
    assert_int_equal(fake_hss.nors, 0);
    phone_serve(&phone);
    assert_int_equal(fake_hss.nors, 1);
    assert_int_equal(fake_hss.last_nor_flags & S6A_NOR_UE_REACHABLE, S6A_NOR_UE_REACHABLE);
    assert_false(ue()->hss_wants_reachability);
    memcpy(request.imsi, "001010000000099", 16);
    fake_hss_ask(&s6a_idr_message, &request);
    assert_int_equal(fake_hss.last_result, DIAMETER_ERROR_USER_UNKNOWN);
}

/* The APN is taken from the subscription: its PDN connection ends, and it was the last. */
static void test_deleted_data(void **state)
{
    uint32_t id = 1;
    struct s6a_dsr request = {.imsi = IMSI,
                              .dsr_flags = S6A_DSR_PDN_SUBSCRIPTION_CONTEXTS,
                              .context_identifier = {&id, 1}};

    (void)state;
    fake_hss_ask(&s6a_dsr_message, &request);
    assert_int_equal(fake_hss.last_result, DIAMETER_SUCCESS);
    phone_expect(&phone, NAS_DEACTIVATE_BEARER_REQUEST);
    struct s1ap_e_rab_release_response response = {.mme_ue_s1ap_id = phone.mme_id,
                                                   .enb_ue_s1ap_id = phone.enb_id};
    fake_enb_send_message(enb, S1AP_E_RAB_RELEASE_RESPONSE, &response);
    phone_send_esm(&phone, NAS_DEACTIVATE_BEARER_ACCEPT, 5, 0, &(struct nas_pco_only){0});
    enb_expect(enb, S1AP_UE_CONTEXT_MODIFICATION_REQUEST);
    phone_expect(&phone, NAS_DETACH_REQUEST);
    accept_detach();
}

/* ---- The S-GW restarts
 * ---------------------------------------------------------------------------------------------- */

static void test_sgw_restart_while_connected(void **state)
{
    (void)state;
    fake_sgw_restart();
    fake_sgw.sessions = 0;
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type, NAS_DETACH_REATTACH_REQUIRED);
    assert_int_equal(fake_sgw.removes, 0);
    accept_detach();
}

/* An idle phone is told when it is heard, and attaches anew with the GUTI it has. */
static void test_sgw_restart_while_idle(void **state)
{
    (void)state;
    phone_idle(&phone);
    fake_sgw_restart();
    fake_sgw.sessions = 0;
    enb_expect_nothing(enb);
    assert_true(ue()->sessions_are_lost);
    phone_service_request(&phone);
    expect_service_reject(EMM_CAUSE_IMPLICITLY_DETACHED);
    assert_int_equal(mme.ues.count, 0);
    phone.is_secured = false;
    phone.has_guti = false;
    phone_attach(&phone);
    assert_int_equal(fake_sgw.sessions, 1);
}

/* The answer to an attach tells that the S-GW restarted: the session it brings is a new one. */
static void test_sgw_restart_during_attach(void **state)
{
    struct phone other;

    (void)state;
    phone_idle(&phone);
    phone_init(&other, "001010000000002", enb);
    fake_sgw.create = FAKE_WAITS;
    phone_attach_request(&other);
    phone_expect_authentication(&other);
    phone_answer_authentication(&other);
    phone_expect_security_mode(&other);
    phone_answer_security_mode(&other);
    fake_sgw_restart();
    fake_sgw.sessions = 0;
    fake_sgw.create = FAKE_ANSWERS;
    fake_release();
    phone_expect_accept(&other);
    phone_context_setup_response(&other, other.ebi);
    phone_attach_complete(&other);
    assert_true(phone_context(&other)->is_registered);
    assert_false(phone_context(&other)->sessions_are_lost);
    assert_true(ue()->sessions_are_lost);
}

static void test_release_tells_of_lost_session(void **state)
{
    (void)state;
    fake_sgw.release = FAKE_REFUSES;
    fake_sgw.refusal = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    phone_idle(&phone);
    assert_true(ue()->sessions_are_lost);
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_IMPLICITLY_DETACHED);
    phone_expect_release(&phone);
    assert_int_equal(mme.ues.count, 0);
}

/* ---- Size
 * ----------------------------------------------------------------------------------------------------------------
 */

static void test_size_of_idle_phone(void **state)
{
    size_t contexts = mme.ues.slot_size + mme.pdns.slot_size + mme.bearers.slot_size;

    (void)state;
    phone_idle(&phone);
    assert_null(ue()->run);
    assert_int_equal(fiber_count(), 0);
    /* Two map entries take 128 bytes at the most, the connection that it had 128. */
    assert_in_range(sizeof(struct mme_ue), 1, 600);
    assert_in_range(contexts + 128 + 128, 1, 1024);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(release_and_service_request),
        T(key_of_service_request),
        T(wrong_short_mac),
        T(replayed_service_request),
        T(unknown_phone),
        T(context_setup_fails),
        T(enb_silent),
        T(sgw_knows_nothing),
        T(service_request_on_new_connection),
        T(service_request_during_release),
        T(extended_service_request),
        T(connection_lost),
        T(paging),
        T(new_guti_after_paging),
        T(loss_after_paging),
        T(error_indication_of_enb),
        T(paging_area),
        T(paging_without_last_enb),
        T(notified_twice),
        T(notified_during_release),
        T(notification_for_nobody),
        T(attach_answers_paging),
        T(update_answers_paging),
        T(detach_answers_paging),
        T(paging_with_phone_drx),
        T(silence),
        T(heard_in_time),
        T(never_periodic),
        T(update_with_count_near_its_end),
        T(periodic_update),
        T(update_in_new_area),
        T(no_update_complete),
        T(active_update),
        T(active_update_without_response),
        T(update_while_connected),
        T(update_of_unknown_phone),
        T(update_where_we_do_not_serve),
        T(update_without_bearers),
        T(repeated_update),
        T(update_during_service_request),
        T(detach),
        T(switch_off_from_idle),
        T(imsi_detach),
        T(spoofed_detach),
        T(detach_while_sgw_is_silent),
        T(attach_during_detach),
        T(network_detach),
        T(network_detach_of_idle_phone),
        T(network_detach_unanswered),
        T(both_detach),
        T(update_during_network_detach),
        T(attach_during_network_detach),
        T(cancelled_for_another_mme),
        T(withdrawn),
        T(cancelled_to_reattach),
        T(cancel_of_unknown),
        T(reset),
        T(inserted_data),
        T(deleted_data),
        T(sgw_restart_while_connected),
        T(sgw_restart_while_idle),
        T(sgw_restart_during_attach),
        T(release_tells_of_lost_session),
        T(size_of_idle_phone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
