/*
 * mme_handover_test.c -- X2 path switch and S1 handover (TS 23.401 clause 5.5.1, TS 36.413
 * clause 8.4, TS 33.401 clause 7.2.8).
 */
#include "mme_world.h"

#include "mme/ue.h"

#define IMSI "001010000000001"

static struct sctp_association *source, *target;
static struct phone phone;
static const uint8_t target_address[4] = {127, 0, 0, 10};

static int setup(void **state)
{
    world_setup(state);
    source = enb_up(1, 1);
    target = enb_up(2, 2);
    phone_init(&phone, IMSI, source);
    phone_attach(&phone);
    return 0;
}

static struct mme_ue *ue(void)
{
    return phone_context(&phone);
}

/* ---- Path switch
 * ----------------------------------------------------------------------------------------- */

static void path_switch(struct sctp_association *from, uint32_t enb_ue_id, uint32_t mme_id)
{
    struct s1ap_e_rab_tunnel tunnel = {
        .e_rab_id = 5, .transport_layer_address = bytes_of(target_address, 4), .gtp_teid = 0xa005};
    struct s1ap_path_switch_request request = {
        .enb_ue_s1ap_id = enb_ue_id,
        .e_rab_to_be_switched_dl_list = {&tunnel, 1},
        .source_mme_ue_s1ap_id = mme_id,
        .eutran_cgi = {{1, 1, 2}, 0x777},
        .tai = {{1, 1, 2}, 2},
        .ue_security_capabilities = {0xc000, 0xc000},
    };

    fake_enb_send_message(from, S1AP_PATH_SWITCH_REQUEST, &request);
}

/* The next hop that a phone derives, `steps` times from KeNB. */
static void next_hop(uint32_t nas_count, unsigned steps, uint8_t nh[32])
{
    uint8_t k_enb[32];

    kdf_k_enb(phone.security.kasme, nas_count, k_enb);
    kdf_nh(phone.security.kasme, k_enb, nh);
    for (unsigned i = 1; i < steps; i++)
        kdf_nh(phone.security.kasme, nh, nh);
}

static void test_path_switch(void **state)
{
    uint8_t nh[32];

    (void)state;
    path_switch(target, 500, phone.mme_id);
    const struct s1ap_path_switch_request_acknowledge *ack =
        enb_expect(target, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE)->path_switch_request_acknowledge;
    assert_int_equal(ack->mme_ue_s1ap_id, phone.mme_id);
    assert_int_equal(ack->enb_ue_s1ap_id, 500);
    assert_int_equal(ack->security_context.next_hop_chaining_count, 2);
    next_hop(0, 2, nh);
    assert_memory_equal(ack->security_context.next_hop_parameter.octets, nh, 32);
    assert_int_equal(ack->e_rab_to_be_released_list.count, 0);
    assert_int_equal(fake_sgw.last_enb_teid, 0xa005);
    assert_int_equal(ue()->tai.tac, 2);
    assert_int_equal(ue()->ecgi.cell_id, 0x777);
    enb_expect_nothing(source);
    /* It is the target's phone now. */
    phone.enb = target;
    phone.enb_id = 500;
    phone.tac = 2;
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    /* And back: the chain goes on. */
    path_switch(source, 600, phone.mme_id);
    ack = enb_expect(source, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE)->path_switch_request_acknowledge;
    assert_int_equal(ack->security_context.next_hop_chaining_count, 3);
    fake_enb_lose(target);
    assert_int_not_equal(ue()->s1, 0);
}

static void test_path_switch_of_unknown(void **state)
{
    (void)state;
    path_switch(target, 500, 0x123456);
    const struct s1ap_path_switch_request_failure *failure =
        enb_expect(target, S1AP_PATH_SWITCH_REQUEST_FAILURE)->path_switch_request_failure;
    assert_int_equal(failure->cause.value, S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID);
    assert_int_equal(failure->enb_ue_s1ap_id, 500);
}

static void test_path_switch_fails_at_sgw(void **state)
{
    (void)state;
    fake_sgw.modify = FAKE_IS_SILENT;
    path_switch(target, 500, phone.mme_id);
    world_run(10);
    enb_expect(target, S1AP_PATH_SWITCH_REQUEST_FAILURE);
    phone.enb = target;
    phone.enb_id = 500;
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
}

/* A target that takes none of the bearers: the phone is detached, to come again. */
static void test_path_switch_without_bearer(void **state)
{
    (void)state;
    struct s1ap_e_rab_tunnel tunnel = {.e_rab_id = 9,
                                       .transport_layer_address = bytes_of(target_address, 4)};
    struct s1ap_path_switch_request request = {
        .enb_ue_s1ap_id = 500,
        .e_rab_to_be_switched_dl_list = {&tunnel, 1},
        .source_mme_ue_s1ap_id = phone.mme_id,
        .eutran_cgi = {{1, 1, 2}, 0x777},
        .tai = {{1, 1, 2}, 2},
        .ue_security_capabilities = {0xc000, 0xc000},
    };
    fake_enb_send_message(target, S1AP_PATH_SWITCH_REQUEST, &request);
    enb_expect(target, S1AP_PATH_SWITCH_REQUEST_FAILURE);
    phone_expect(&phone, NAS_DETACH_REQUEST);
    world_run(60);
    assert_int_equal(mme.ues.count, 0);
    assert_int_equal(fake_sgw.sessions, 0);
}

/* A handover is asked for while one is under way. */
static void test_path_switch_during_path_switch(void **state)
{
    (void)state;
    fake_sgw.modify = FAKE_WAITS;
    path_switch(target, 500, phone.mme_id);
    path_switch(target, 501, phone.mme_id);
    path_switch(source, 502, phone.mme_id);
    enb_expect_nothing(target);
    fake_sgw.modify = FAKE_ANSWERS;
    fake_release();
    enb_expect(target, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE);
    enb_expect(target, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE);
    enb_expect(source, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE);
    assert_int_equal(mme_s1_get(ue()->s1)->enb_ue_s1ap_id, 502);
    assert_null(ue()->run);
}

/* In the middle of a procedure with the phone: that goes on, through the target. */
static void test_path_switch_during_update(void **state)
{
    (void)state;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    path_switch(target, 500, phone.mme_id);
    enb_expect(target, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE);
    phone.enb = target;
    phone.enb_id = 500;
    world_run(14);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    phone_send(&phone, NAS_TRACKING_AREA_UPDATE_COMPLETE, NULL);
    assert_null(ue()->run);
    assert_int_equal(mme_outcome_count(MME_PATH_SWITCH, MME_SUCCEEDED), 1);
    assert_int_equal(mme_outcome_count(MME_TRACKING_AREA_UPDATE, MME_SUCCEEDED), 1);
}

/* While the S-GW is asked something: right after. */
static void test_path_switch_during_request(void **state)
{
    struct nas_apn apn = {.name = "ims"};
    struct nas_pdn_connectivity_request request = {
        .request_type = NAS_REQUEST_INITIAL, .pdn_type = NAS_PDN_IPV4, .apn = &apn};

    (void)state;
    fake_hss.is_second_apn = true;
    fake_sgw.create = FAKE_WAITS;
    fake_hss_ask(&s6a_idr_message,
                 &(struct s6a_idr){.imsi = IMSI, .subscription_data = *fake_subscription()});
    enb_drain(source);
    phone_send_esm(&phone, NAS_PDN_CONNECTIVITY_REQUEST, 0, 3, &request);
    path_switch(target, 500, phone.mme_id);
    enb_expect_nothing(target);
    fake_release();
    enb_expect(source, S1AP_E_RAB_SETUP_REQUEST); /* it was on its way before */
    enb_expect(target, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE);
    assert_non_null(ue()->run);
}

/* ---- S1 handover
 * ---------------------------------------------------------------------------------------------- */

static void require(uint32_t target_enb)
{
    struct s1ap_handover_required required = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .handover_type = S1AP_HANDOVER_INTRA_LTE,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_HANDOVER_DESIRABLE_FOR_RADIO_REASON),
        .target_id = {.kind = S1AP_TARGET_ENB,
                      .enb = {.global_enb_id = {{1, 1, 2}, {S1AP_ENB_ID_MACRO, target_enb}},
                              .selected_tai = {{1, 1, 2}, 2}}},
        .source_to_target_transparent_container = bytes_of("to target", 9),
    };

    fake_enb_send_message(source, S1AP_HANDOVER_REQUIRED, &required);
}

static uint32_t expect_request(void)
{
    uint8_t nh[32];
    const struct s1ap_handover_request *request =
        enb_expect(target, S1AP_HANDOVER_REQUEST)->handover_request;

    assert_memory_equal(request->source_to_target_transparent_container.at, "to target", 9);
    assert_int_equal(request->e_rab_to_be_setup_list.count, 1);
    assert_int_equal(request->e_rab_to_be_setup_list.at[0].gtp_teid, 0x2001);
    assert_int_equal(request->security_context.next_hop_chaining_count, 2);
    next_hop(0, 2, nh);
    assert_memory_equal(request->security_context.next_hop_parameter.octets, nh, 32);
    assert_int_not_equal(request->mme_ue_s1ap_id, phone.mme_id);
    return request->mme_ue_s1ap_id;
}

static void acknowledge(uint32_t mme_id)
{
    struct s1ap_e_rab_admitted admitted = {
        .e_rab_id = 5, .transport_layer_address = bytes_of(target_address, 4), .gtp_teid = 0xb005};
    struct s1ap_handover_request_acknowledge message = {
        .mme_ue_s1ap_id = mme_id,
        .enb_ue_s1ap_id = 900,
        .e_rab_admitted_list = {&admitted, 1},
        .target_to_source_transparent_container = bytes_of("to source", 9),
    };

    fake_enb_send_message(target, S1AP_HANDOVER_REQUEST_ACKNOWLEDGE, &message);
}

static void notify(uint32_t mme_id)
{
    struct s1ap_handover_notify message = {.mme_ue_s1ap_id = mme_id,
                                           .enb_ue_s1ap_id = 900,
                                           .eutran_cgi = {{1, 1, 2}, 0x888},
                                           .tai = {{1, 1, 2}, 2}};

    fake_enb_send_message(target, S1AP_HANDOVER_NOTIFY, &message);
}

static void cancel(void)
{
    struct s1ap_handover_cancel message = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_HANDOVER_CANCELLED),
    };

    fake_enb_send_message(source, S1AP_HANDOVER_CANCEL, &message);
}

static void test_handover(void **state)
{
    uint8_t buffer[64];
    struct writer w = writer_of(buffer, sizeof(buffer));

    (void)state;
    require(2);
    uint32_t mme_id = expect_request();
    acknowledge(mme_id);
    const struct s1ap_handover_command *command =
        enb_expect(source, S1AP_HANDOVER_COMMAND)->handover_command;
    assert_memory_equal(command->target_to_source_transparent_container.at, "to source", 9);
    struct s1ap_bearer_subject_to_status_transfer bearer = {.e_rab_id = 5};
    struct s1ap_enb_status_transfer_container container = {.bearers = {&bearer, 1}};
    assert_int_equal(s1ap_encode_enb_status_transfer_container(&w, &container), 0);
    struct s1ap_enb_status_transfer transfer = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .enb_status_transfer_transparent_container = wr_view(&w),
    };
    fake_enb_send_message(source, S1AP_ENB_STATUS_TRANSFER, &transfer);
    const struct s1ap_mme_status_transfer *status =
        enb_expect(target, S1AP_MME_STATUS_TRANSFER)->mme_status_transfer;
    assert_int_equal(status->enb_ue_s1ap_id, 900);
    assert_true(bytes_equal(status->enb_status_transfer_transparent_container, wr_view(&w)));
    notify(mme_id);
    assert_int_equal(fake_sgw.last_enb_teid, 0xb005);
    struct phone at_source = phone;
    phone_expect_release(&at_source);
    assert_int_equal(ue()->s1, mme_id);
    assert_int_equal(mme.s1s.count, 1);
    phone.enb = target;
    phone.enb_id = 900;
    phone.mme_id = mme_id;
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    phone_idle(&phone);
    assert_true(ue()->is_registered);
    assert_int_equal(mme_outcome_count(MME_HANDOVER, MME_SUCCEEDED), 1);
}

static void expect_preparation_failure(enum s1ap_cause_radio_network cause)
{
    const struct s1ap_handover_preparation_failure *failure =
        enb_expect(source, S1AP_HANDOVER_PREPARATION_FAILURE)->handover_preparation_failure;

    assert_int_equal(failure->cause.value, cause);
    assert_null(ue()->run);
    assert_int_not_equal(ue()->s1, 0);
    world_run(50);
    assert_int_equal(mme.s1s.count, 1);
}

static void test_unknown_target(void **state)
{
    (void)state;
    require(77);
    expect_preparation_failure(S1AP_RADIO_NETWORK_UNKNOWN_TARGET_ID);
}

static void test_target_refuses(void **state)
{
    (void)state;
    require(2);
    struct s1ap_handover_failure failure = {
        .mme_ue_s1ap_id = expect_request(),
        .cause = s1ap_cause_radio_network(
            S1AP_RADIO_NETWORK_NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL),
    };
    fake_enb_send_message(target, S1AP_HANDOVER_FAILURE, &failure);
    expect_preparation_failure(S1AP_RADIO_NETWORK_HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM);
}

static void test_target_silent(void **state)
{
    (void)state;
    require(2);
    expect_request();
    world_run(50);
    expect_preparation_failure(S1AP_RADIO_NETWORK_TS1RELOCPREP_EXPIRY);
    const struct s1ap_pdu *pdu = enb_expect(target, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    assert_int_equal(pdu->ue_context_release_command->ue_s1ap_ids.kind, S1AP_MME_UE_S1AP_ID_ONLY);
}

static void test_target_lost(void **state)
{
    (void)state;
    require(2);
    expect_request();
    fake_enb_lose(target);
    expect_preparation_failure(S1AP_RADIO_NETWORK_HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM);
}

static void test_source_lost(void **state)
{
    (void)state;
    require(2);
    acknowledge(expect_request());
    fake_enb_lose(source);
    enb_expect(target, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    assert_true(ue()->is_registered);
    assert_int_equal(ue()->s1, 0);
    assert_null(ue()->run);
}

static void test_cancel(void **state)
{
    (void)state;
    require(2);
    expect_request();
    cancel();
    enb_expect(source, S1AP_HANDOVER_CANCEL_ACKNOWLEDGE);
    enb_expect(target, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    require(2);
    acknowledge(expect_request());
    enb_expect(source, S1AP_HANDOVER_COMMAND);
    cancel();
    enb_expect(source, S1AP_HANDOVER_CANCEL_ACKNOWLEDGE);
    enb_expect(target, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    cancel(); /* of what is over */
    enb_expect(source, S1AP_HANDOVER_CANCEL_ACKNOWLEDGE);
    assert_int_not_equal(ue()->s1, 0);
    assert_int_equal(mme_outcome_count(MME_HANDOVER, MME_ABORTED), 2);
}

static void test_phone_does_not_arrive(void **state)
{
    (void)state;
    require(2);
    acknowledge(expect_request());
    enb_expect(source, S1AP_HANDOVER_COMMAND);
    world_run(50);
    enb_expect(target, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    enb_expect_nothing(source);
    assert_int_not_equal(ue()->s1, 0);
    assert_int_equal(mme_outcome_count(MME_HANDOVER, MME_FAILED), 1);
}

static void test_notify_out_of_order(void **state)
{
    (void)state;
    require(2);
    uint32_t mme_id = expect_request();
    notify(mme_id);
    enb_expect_nothing(source);
    acknowledge(mme_id);
    enb_expect(source, S1AP_HANDOVER_COMMAND);
    notify(mme_id);
    assert_int_equal(ue()->s1, mme_id);
}

static void test_required_twice(void **state)
{
    (void)state;
    require(2);
    uint32_t mme_id = expect_request();
    require(2);
    require(2);
    enb_expect_nothing(target);
    acknowledge(mme_id);
    enb_expect(source, S1AP_HANDOVER_COMMAND);
    notify(mme_id);
    assert_int_equal(ue()->s1, mme_id);
}

static void test_to_another_system(void **state)
{
    struct s1ap_handover_required required = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .handover_type = S1AP_HANDOVER_LTE_TO_UTRAN,
        .target_id = {.kind = S1AP_TARGET_RNC, .rnc = {.lai = {{1, 1, 2}, 1}, .rnc_id = 1}},
        .source_to_target_transparent_container = bytes_of("x", 1),
    };

    (void)state;
    fake_enb_send_message(source, S1AP_HANDOVER_REQUIRED, &required);
    expect_preparation_failure(S1AP_RADIO_NETWORK_HO_TARGET_NOT_ALLOWED);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(path_switch),
        T(path_switch_of_unknown),
        T(path_switch_fails_at_sgw),
        T(path_switch_without_bearer),
        T(path_switch_during_path_switch),
        T(path_switch_during_update),
        T(path_switch_during_request),
        T(handover),
        T(unknown_target),
        T(target_refuses),
        T(target_silent),
        T(target_lost),
        T(source_lost),
        T(cancel),
        T(phone_does_not_arrive),
        T(notify_out_of_order),
        T(required_twice),
        T(to_another_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
