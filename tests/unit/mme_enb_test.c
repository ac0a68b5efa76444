/*
 * mme_enb_test.c -- the S1 interface: setup, configuration, reset, error indications, ids that
 * belong to others (TS 36.413 clauses 8.7 and 10).
 */
#include "mme_world.h"

#include "mme/s1.h"
#include "mme/ue.h"

static struct sctp_association *enb;

static int setup(void **state)
{
    world_setup(state);
    enb = fake_enb_connect();
    return 0;
}

/* ---- S1 Setup
 * ------------------------------------------------------------------------------------------- */

static void test_setup(void **state)
{
    (void)state;
    enb_setup_request(enb, 17, "00101", 2);
    const struct s1ap_s1_setup_response *response =
        enb_expect(enb, S1AP_S1_SETUP_RESPONSE)->s1_setup_response;
    assert_int_equal(response->relative_mme_capacity, 255);
    assert_int_equal(response->served_gummeis.count, 1);
    assert_int_equal(response->served_gummeis.at[0].served_plmns.count, 1);
    assert_int_equal(response->served_gummeis.at[0].served_group_ids.at[0], 2);
    assert_int_equal(response->served_gummeis.at[0].served_mmecs.at[0], 3);
    assert_int_equal(response->mme_name->len, 4);
    struct mme_enb *context = mme_enb_get((uint32_t)(uintptr_t)enb->owner);
    assert_true(context->is_set_up);
    assert_string_equal(context->name, "cell");
    assert_int_equal(context->areas, 1);
}

static void test_setup_of_wrong_plmn(void **state)
{
    (void)state;
    enb_setup_request(enb, 17, "00199", 1);
    const struct s1ap_s1_setup_failure *failure =
        enb_expect(enb, S1AP_S1_SETUP_FAILURE)->s1_setup_failure;
    assert_int_equal(failure->cause.group, S1AP_CAUSE_MISC);
    assert_int_equal(failure->cause.value, S1AP_MISC_UNKNOWN_PLMN);
    assert_non_null(failure->time_to_wait);
}

/* 001/01 and 001/001 are different networks. */
static void test_setup_of_similar_plmn(void **state)
{
    (void)state;
    enb_setup_request(enb, 17, "001001", 1);
    assert_int_equal(enb_expect(enb, S1AP_S1_SETUP_FAILURE)->s1_setup_failure->cause.value,
                     S1AP_MISC_UNKNOWN_PLMN);
}

static void test_setup_of_wrong_tac(void **state)
{
    (void)state;
    enb_setup_request(enb, 17, "00101", 5);
    const struct s1ap_s1_setup_failure *failure =
        enb_expect(enb, S1AP_S1_SETUP_FAILURE)->s1_setup_failure;
    assert_int_equal(failure->cause.group, S1AP_CAUSE_MISC);
    assert_int_equal(failure->cause.value, S1AP_MISC_UNSPECIFIED);
    /* It may try again, better. */
    enb_setup_request(enb, 17, "00101", 7);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
}

/* Complaint: an eNodeB with several PLMNs. */
static void test_setup_with_many_plmns(void **state)
{
    struct plmn plmns[6] = {{1, 1, 2}, {1, 2, 2}, {1, 3, 2}, {1, 4, 2}, {1, 5, 2}, {1, 1, 3}};
    struct s1ap_supported_ta tas[200];
    struct s1ap_s1_setup_request request = {
        .global_enb_id = {.plmn = plmns[0], .enb_id = {.kind = S1AP_ENB_ID_HOME, .id = 0xfffffff}},
        .supported_tas = {tas, 200},
    };

    (void)state;
    for (uint16_t i = 0; i < 200; i++)
        tas[i] = (struct s1ap_supported_ta){.tac = i, .broadcast_plmns = {plmns, 6}};
    fake_enb_send_message(enb, S1AP_S1_SETUP_REQUEST, &request);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    struct mme_enb *context = mme_enb_get((uint32_t)(uintptr_t)enb->owner);
    assert_int_equal(context->tai_count, 3);
    assert_int_equal(context->areas, 3);
}

static void test_limit(void **state)
{
    (void)state;
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    enb_up(2, 1);
    enb_up(3, 1);
    struct sctp_association *fourth = fake_enb_connect();
    enb_setup_request(fourth, 4, "00101", 1);
    assert_int_equal(enb_expect(fourth, S1AP_S1_SETUP_FAILURE)->s1_setup_failure->cause.value,
                     S1AP_MISC_CONTROL_PROCESSING_OVERLOAD);
    /* One that comes again takes its own place. */
    struct sctp_association *again = fake_enb_connect();
    enb_setup_request(again, 2, "00101", 1);
    enb_expect(again, S1AP_S1_SETUP_RESPONSE);
}

static void test_many_connect(void **state)
{
    struct sctp_association *last = NULL;

    (void)state;
    for (unsigned i = 0; i < 25; i++)
        last = fake_enb_connect();
    assert_false(last->is_open); /* past the limit and its reserve: aborted */
}

static void test_setup_again(void **state)
{
    struct phone phone;

    (void)state;
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    phone_init(&phone, "001010000000001", enb);
    phone_attach(&phone);
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    assert_int_equal(mme.s1s.count, 0);
    assert_true(phone_context(&phone)->is_registered);
    assert_int_equal(fake_sgw.releases, 1);
}

/* The eNodeB restarts and comes from another association before the old one is known to be dead. */
static void test_predecessor(void **state)
{
    struct phone phone;

    (void)state;
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    phone_init(&phone, "001010000000001", enb);
    phone_attach(&phone);
    struct sctp_association *again = enb_up(1, 1);
    assert_false(enb->is_open);
    assert_true(again->is_open);
    assert_int_equal(mme.enbs.count, 1);
    assert_int_equal(phone_context(&phone)->s1, 0);
    phone.enb = again;
    phone_serve(&phone);
    assert_true(phone_context(&phone)->has_access_bearers);
}

static void test_nothing_before_setup(void **state)
{
    struct s1ap_uplink_nas_transport message = {.mme_ue_s1ap_id = 1,
                                                .enb_ue_s1ap_id = 1,
                                                .nas_pdu = bytes_of("\x07\x00", 2),
                                                .tai = {{1, 1, 2}, 1},
                                                .eutran_cgi = {{1, 1, 2}, 1}};

    (void)state;
    fake_enb_send_message(enb, S1AP_UPLINK_NAS_TRANSPORT, &message);
    const struct s1ap_error_indication *error =
        enb_expect(enb, S1AP_ERROR_INDICATION)->error_indication;
    assert_int_equal(error->cause->group, S1AP_CAUSE_PROTOCOL);
    assert_int_equal(error->cause->value, S1AP_PROTOCOL_MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE);
    assert_int_equal(*error->mme_ue_s1ap_id, 1);
}

/* ---- Configuration Update
 * ----------------------------------------------------------------------------------- */

static void test_configuration_update(void **state)
{
    struct plmn plmn = {1, 1, 2};
    struct s1ap_supported_ta ta = {.tac = 7, .broadcast_plmns = {&plmn, 1}};
    struct bytes name = bytes_of("new name", 8);
    struct s1ap_enb_configuration_update update = {.enb_name = &name, .supported_tas = {&ta, 1}};

    (void)state;
    enb_setup_request(enb, 17, "00101", 2);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    struct mme_enb *context = mme_enb_get((uint32_t)(uintptr_t)enb->owner);
    fake_enb_send_message(enb, S1AP_ENB_CONFIGURATION_UPDATE, &update);
    enb_expect(enb, S1AP_ENB_CONFIGURATION_UPDATE_ACKNOWLEDGE);
    assert_string_equal(context->name, "new name");
    assert_int_equal(context->areas, 2);
    ta.tac = 99;
    fake_enb_send_message(enb, S1AP_ENB_CONFIGURATION_UPDATE, &update);
    enb_expect(enb, S1AP_ENB_CONFIGURATION_UPDATE_FAILURE);
    assert_int_equal(context->areas, 2);
}

/* How eNodeBs learn each other's X2 addresses: handed on to the one it is for. */
static void test_configuration_transfer(void **state)
{
    uint8_t buffer[256];
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct s1ap_son_configuration_transfer son = {
        .target_enb_id = {.global_enb_id = {.plmn = {1, 1, 2}, .enb_id = {S1AP_ENB_ID_MACRO, 2}},
                          .selected_tai = {{1, 1, 2}, 1}},
        .source_enb_id = {.global_enb_id = {.plmn = {1, 1, 2}, .enb_id = {S1AP_ENB_ID_MACRO, 1}},
                          .selected_tai = {{1, 1, 2}, 1}},
        .son_information = {.kind = S1AP_SON_INFORMATION_REQUEST},
    };

    (void)state;
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    struct sctp_association *other = enb_up(2, 1);
    assert_int_equal(s1ap_encode_son_configuration_transfer(&w, &son), 0);
    struct bytes view = wr_view(&w);
    struct s1ap_enb_configuration_transfer transfer = {.son_configuration_transfer = &view};
    fake_enb_send_message(enb, S1AP_ENB_CONFIGURATION_TRANSFER, &transfer);
    const struct s1ap_mme_configuration_transfer *onward =
        enb_expect(other, S1AP_MME_CONFIGURATION_TRANSFER)->mme_configuration_transfer;
    assert_true(bytes_equal(*onward->son_configuration_transfer, view));
    enb_expect_nothing(enb);
}

/* ---- Reset
 * ------------------------------------------------------------------------------------------------------
 */

static struct phone phones[3];

static void attach_three(void)
{
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    for (unsigned i = 0; i < 3; i++) {
        char imsi[IMSI_SIZE];
        snprintf(imsi, sizeof(imsi), "00101000000000%u", i + 1);
        phone_init(&phones[i], imsi, enb);
        phone_attach(&phones[i]);
    }
}

static void test_reset_of_all(void **state)
{
    struct s1ap_reset reset = {.cause = s1ap_cause_misc(S1AP_MISC_OM_INTERVENTION),
                               .reset_type = {.kind = S1AP_RESET_S1_INTERFACE}};

    (void)state;
    attach_three();
    fake_enb_send_message(enb, S1AP_RESET, &reset);
    assert_int_equal(enb_expect(enb, S1AP_RESET_ACKNOWLEDGE)
                         ->reset_acknowledge->ue_associated_logical_s1_connection_list.count,
                     0);
    assert_int_equal(mme.s1s.count, 0);
    assert_int_equal(mme.ues.count, 3);
    assert_int_equal(fake_sgw.releases, 3);
}

static void test_partial_reset(void **state)
{
    uint32_t unknown_mme = 0x123456, unknown_enb = 0x654321;
    struct s1ap_ue_associated_logical_s1_connection items[5];
    struct s1ap_reset reset = {
        .cause = s1ap_cause_misc(S1AP_MISC_UNSPECIFIED),
        .reset_type = {.kind = S1AP_RESET_PART_OF_S1_INTERFACE, .part = {items, 5}}};

    (void)state;
    attach_three();
    items[0] =
        (struct s1ap_ue_associated_logical_s1_connection){&phones[0].mme_id, &phones[0].enb_id};
    items[1] = (struct s1ap_ue_associated_logical_s1_connection){NULL, &phones[1].enb_id};
    items[2] = (struct s1ap_ue_associated_logical_s1_connection){&unknown_mme, &unknown_enb};
    items[3] = (struct s1ap_ue_associated_logical_s1_connection){NULL, &unknown_enb};
    items[4] = (struct s1ap_ue_associated_logical_s1_connection){NULL, NULL};
    fake_enb_send_message(enb, S1AP_RESET, &reset);
    const struct s1ap_reset_acknowledge *ack =
        enb_expect(enb, S1AP_RESET_ACKNOWLEDGE)->reset_acknowledge;
    assert_int_equal(ack->ue_associated_logical_s1_connection_list.count, 5);
    assert_int_equal(*ack->ue_associated_logical_s1_connection_list.at[2].mme_ue_s1ap_id,
                     unknown_mme);
    assert_int_equal(phone_context(&phones[0])->s1, 0);
    assert_int_equal(phone_context(&phones[1])->s1, 0);
    assert_int_not_equal(phone_context(&phones[2])->s1, 0);
}

/* Another eNodeB cannot reset our phones by naming them. */
static void test_reset_by_another(void **state)
{
    struct s1ap_ue_associated_logical_s1_connection item;
    struct s1ap_reset reset = {
        .cause = s1ap_cause_misc(S1AP_MISC_UNSPECIFIED),
        .reset_type = {.kind = S1AP_RESET_PART_OF_S1_INTERFACE, .part = {&item, 1}}};

    (void)state;
    attach_three();
    struct sctp_association *other = enb_up(2, 1);
    item = (struct s1ap_ue_associated_logical_s1_connection){&phones[0].mme_id, &phones[0].enb_id};
    fake_enb_send_message(other, S1AP_RESET, &reset);
    enb_expect(other, S1AP_RESET_ACKNOWLEDGE);
    assert_int_not_equal(phone_context(&phones[0])->s1, 0);
}

static void test_loss_of_association(void **state)
{
    (void)state;
    attach_three();
    fake_enb_lose(enb);
    assert_int_equal(mme.s1s.count, 0);
    assert_int_equal(mme.enbs.count, 0);
    assert_int_equal(mme.s1_by_enb_key.count, 0);
    assert_int_equal(fake_sgw.releases, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(phone_context(&phones[i])->is_registered);
}

/* ---- Ids (clause 10.6)
 * ------------------------------------------------------------------------------------------------
 */

static void send_release_request(struct sctp_association *from, uint32_t mme_id, uint32_t enb_id)
{
    struct s1ap_ue_context_release_request request = {
        .mme_ue_s1ap_id = mme_id,
        .enb_ue_s1ap_id = enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_USER_INACTIVITY),
    };

    fake_enb_send_message(from, S1AP_UE_CONTEXT_RELEASE_REQUEST, &request);
}

static void expect_error(struct sctp_association *at, enum s1ap_cause_radio_network cause)
{
    const struct s1ap_error_indication *error =
        enb_expect(at, S1AP_ERROR_INDICATION)->error_indication;

    assert_int_equal(error->cause->group, S1AP_CAUSE_RADIO_NETWORK);
    assert_int_equal(error->cause->value, cause);
}

static void test_unknown_ids(void **state)
{
    (void)state;
    attach_three();
    send_release_request(enb, 0xdeadbeef, 1);
    expect_error(enb, S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID);
    /* a former generation */
    send_release_request(enb, phones[0].mme_id + (1u << 24), phones[0].enb_id);
    expect_error(enb, S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID);
    assert_int_equal(mme.s1s.count, 3);
    /* The eNodeB and we see the connection differently: it exists for neither any more. */
    send_release_request(enb, phones[0].mme_id, 0xfffff);
    expect_error(enb, S1AP_RADIO_NETWORK_UNKNOWN_PAIR_UE_S1AP_ID);
    assert_int_equal(phone_context(&phones[0])->s1, 0);
}

/* Complaint: an id of a phone that is at another eNodeB. */
static void test_spoofed_ids(void **state)
{
    (void)state;
    attach_three();
    struct sctp_association *other = enb_up(2, 1);
    send_release_request(other, phones[0].mme_id, phones[0].enb_id);
    expect_error(other, S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID);
    struct s1ap_ue_context_release_complete complete = {.mme_ue_s1ap_id = phones[0].mme_id,
                                                        .enb_ue_s1ap_id = phones[0].enb_id};
    fake_enb_send_message(other, S1AP_UE_CONTEXT_RELEASE_COMPLETE, &complete);
    enb_expect_nothing(other);
    struct s1ap_cause cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID);
    struct s1ap_error_indication error = {.mme_ue_s1ap_id = &phones[0].mme_id, .cause = &cause};
    fake_enb_send_message(other, S1AP_ERROR_INDICATION, &error);
    assert_int_not_equal(phone_context(&phones[0])->s1, 0);
    assert_int_equal(mme.s1s.count, 3);
}

static void test_error_indication(void **state)
{
    struct s1ap_cause harmless = s1ap_cause_protocol(S1AP_PROTOCOL_SEMANTIC_ERROR);
    struct s1ap_cause unknown = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_ENB_UE_S1AP_ID);

    (void)state;
    attach_three();
    struct s1ap_error_indication error = {.mme_ue_s1ap_id = &phones[0].mme_id,
                                          .enb_ue_s1ap_id = &phones[0].enb_id,
                                          .cause = &harmless};
    fake_enb_send_message(enb, S1AP_ERROR_INDICATION, &error);
    assert_int_not_equal(phone_context(&phones[0])->s1, 0);
    error.cause = &unknown;
    fake_enb_send_message(enb, S1AP_ERROR_INDICATION, &error);
    assert_int_equal(phone_context(&phones[0])->s1, 0);
    struct s1ap_error_indication by_enb_id = {.enb_ue_s1ap_id = &phones[1].enb_id,
                                              .cause = &unknown};
    fake_enb_send_message(enb, S1AP_ERROR_INDICATION, &by_enb_id);
    assert_int_equal(phone_context(&phones[1])->s1, 0);
    assert_true(phone_context(&phones[1])->is_registered);
    enb_expect_nothing(enb);
}

/* The eNodeB uses an id again that we still hold: the former connection is gone. */
static void test_enb_id_used_again(void **state)
{
    (void)state;
    attach_three();
    struct mme_enb *context = mme_enb_get((uint32_t)(uintptr_t)enb->owner);
    struct mme_s1 *fresh = mme_s1_new(context, phones[0].enb_id);
    assert_non_null(fresh);
    assert_int_equal(phone_context(&phones[0])->s1, 0);
    assert_ptr_equal(mme_s1_of_enb(context, phones[0].enb_id), fresh);
    mme_s1_release(fresh, s1ap_cause_nas(S1AP_NAS_NORMAL_RELEASE));
    enb_expect(enb, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    /* Without an answer it goes by itself. */
    world_run(60);
    assert_int_equal(mme.s1s.count, 2);
}

static void test_full_queue(void **state)
{
    (void)state;
    attach_three();
    enb->is_full = true;
    phone_detach_request(&phones[0], NAS_DETACH_EPS);
    assert_int_equal(mme.ues.count, 2);
    assert_true(mme_counters[MME_S1AP_SEND_FAILURES].value > 0);
    enb->is_full = false;
}

/* ---- Bad bytes
 * ---------------------------------------------------------------------------------------------------------
 */

static void test_garbage(void **state)
{
    static const uint8_t garbage[][8] = {
        {0}, {0xff, 0xff, 0xff, 0xff}, {0x00, 0x11, 0x00, 0x2d}, {0x20, 0x11}};
    unsigned expected = 0;

    (void)state;
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        for (size_t len = 0; len <= sizeof(garbage[0]); len++) {
            fake_enb_send(enb, garbage[i], len);
            expected++;
        }
    }
    assert_int_equal(mme_counters[MME_S1AP_IN].value, expected + 1);
    assert_true(mme_counters[MME_S1AP_MALFORMED].value > 0);
    assert_int_equal(mme.s1s.count, 0);
    enb_drain(enb);
}

/* S1 Setup Request cut at every length. */
static void test_cut_setup(void **state)
{
    uint8_t buffer[256];
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct plmn plmn = {1, 1, 2};
    struct s1ap_supported_ta ta = {.tac = 1, .broadcast_plmns = {&plmn, 1}};
    struct s1ap_s1_setup_request request = {
        .global_enb_id = {.plmn = plmn, .enb_id = {S1AP_ENB_ID_MACRO, 1}},
        .supported_tas = {&ta, 1}};

    (void)state;
    assert_int_equal(s1ap_encode_s1_setup_request(&w, &request), 0);
    for (size_t len = 0; len < wr_len(&w); len++)
        fake_enb_send(enb, buffer, len);
    struct mme_enb *context = mme_enb_get((uint32_t)(uintptr_t)enb->owner);
    assert_false(context->is_set_up);
    enb_drain(enb);
    fake_enb_send(enb, buffer, wr_len(&w));
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
}

/* Messages that only an MME sends. */
static void test_wrong_direction(void **state)
{
    struct s1ap_downlink_nas_transport message = {.nas_pdu = bytes_of("\x07\x42", 2)};

    (void)state;
    enb_setup_request(enb, 1, "00101", 1);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    fake_enb_send_message(enb, S1AP_DOWNLINK_NAS_TRANSPORT, &message);
    const struct s1ap_error_indication *error =
        enb_expect(enb, S1AP_ERROR_INDICATION)->error_indication;
    assert_int_equal(error->cause->value, S1AP_PROTOCOL_MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(setup),
        T(setup_of_wrong_plmn),
        T(setup_of_similar_plmn),
        T(setup_of_wrong_tac),
        T(setup_with_many_plmns),
        T(limit),
        T(many_connect),
        T(setup_again),
        T(predecessor),
        T(nothing_before_setup),
        T(configuration_update),
        T(configuration_transfer),
        T(reset_of_all),
        T(partial_reset),
        T(reset_by_another),
        T(loss_of_association),
        T(unknown_ids),
        T(spoofed_ids),
        T(error_indication),
        T(enb_id_used_again),
        T(full_queue),
        T(garbage),
        T(cut_setup),
        T(wrong_direction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
