/*
 * mme_verdict_test.c -- S1AP messages with IEs missing or not understood, and what TS 36.413
 * clause 10.3 asks of the MME then: an answer where the procedure has one, an Error Indication
 * where it has none, and nothing else changes.
 */
#include "mme_world.h"

#include "mme/shared.h"
#include "mme/ue.h"
#include "wire/s1ap/aper.h"

#define IMSI       "001010000000001"
#define UNKNOWN_IE 9999

static struct sctp_association *enb, *other;
static struct phone phone;

static int setup(void **state)
{
    world_setup(state);
    enb = enb_up(1, 1);
    other = enb_up(2, 2);
    phone_init(&phone, IMSI, enb);
    return 0;
}

/* ---- Messages made wrong
 * ---------------------------------------------------------------------------------------- */

static size_t read_length(struct reader *r)
{
    size_t first = rd_u8(r);

    return first < 128 ? first : (first & 0x3f) << 8 | rd_u8(r);
}

/* Sends the message without the IE `lost` and with one of this criticality that
 * nobody knows; -1: neither. */
static void send_changed(struct sctp_association *from, enum s1ap_message message, const void *body,
                         int lost, int added)
{
    uint8_t right[1000], ies[1000], wrong[1000];
    struct writer w = writer_of(right, sizeof(right));
    struct writer list = writer_of(ies, sizeof(ies));
    struct writer out = writer_of(wrong, sizeof(wrong));
    struct aper_writer into_list = aper_writer_of(&list), into_out = aper_writer_of(&out);
    bool is_lost = lost < 0;

    assert_int_equal(s1ap_encode(&w, message, body), 0);
    struct reader r = reader_of_bytes(wr_view(&w));
    wr_view_of(&out, rd_view(&r, 3)); /* form, procedure, criticality */
    read_length(&r);
    rd_u8(&r);
    unsigned count = rd_u16(&r), kept = 0;
    for (unsigned i = 0; i < count; i++) {
        uint16_t id = rd_u16(&r);
        uint8_t criticality = rd_u8(&r);
        struct bytes value = rd_view(&r, read_length(&r));
        if (id == lost) {
            is_lost = true;
            continue;
        }
        wr_u16(&list, id);
        wr_u8(&list, criticality);
        aper_write_open_view(&into_list, value);
        kept++;
    }
    assert_true(is_lost);
    if (added >= 0) {
        wr_u16(&list, UNKNOWN_IE);
        wr_u8(&list, (uint8_t)(added << 6));
        aper_write_open_view(&into_list, bytes_of("x", 1));
        kept++;
    }
    size_t opened = aper_write_open(&into_out);
    wr_u8(&out, 0);
    wr_u16(&out, (uint16_t)kept);
    wr_view_of(&out, wr_view(&list));
    aper_write_close(&into_out, opened);
    assert_false(r.bad || out.bad);
    fake_enb_send(from, wrong, wr_len(&out));
}

static void send_without(struct sctp_association *from, enum s1ap_message message, const void *body,
                         uint16_t lost)
{
    send_changed(from, message, body, lost, -1);
}

static void send_with_unknown(struct sctp_association *from, enum s1ap_message message,
                              const void *body, enum s1ap_criticality criticality)
{
    send_changed(from, message, body, -1, (int)criticality);
}

static void expect_diagnostics(const struct s1ap_criticality_diagnostics *diagnostics, uint16_t ie)
{
    assert_non_null(diagnostics);
    assert_int_equal(diagnostics->ies.count, 1);
    assert_int_equal(diagnostics->ies.at[0].ie_id, ie);
}

static void expect_error_indication(struct sctp_association *from, uint16_t ie)
{
    const struct s1ap_error_indication *error =
        enb_expect(from, S1AP_ERROR_INDICATION)->error_indication;

    assert_non_null(error->cause);
    assert_int_equal(error->cause->group, S1AP_CAUSE_PROTOCOL);
    expect_diagnostics(error->criticality_diagnostics, ie);
}

static const struct plmn plmn = {1, 1, 2};

/* ---- Procedures of the eNodeB
 * ----------------------------------------------------------------------------------- */

static struct s1ap_s1_setup_request setup_request(void)
{
    static struct s1ap_supported_ta ta = {.tac = 1,
                                          .broadcast_plmns = {(struct plmn *)(uintptr_t)&plmn, 1}};

    return (struct s1ap_s1_setup_request){
        .global_enb_id = {.plmn = plmn, .enb_id = {.kind = S1AP_ENB_ID_MACRO, .id = 3}},
        .supported_tas = {&ta, 1},
    };
}

static void test_setup_without_areas(void **state)
{
    struct s1ap_s1_setup_request request = setup_request();

    (void)state;
    struct sctp_association *third = fake_enb_connect();
    send_without(third, S1AP_S1_SETUP_REQUEST, &request, S1AP_ID_SUPPORTED_TAS);
    const struct s1ap_s1_setup_failure *failure =
        enb_expect(third, S1AP_S1_SETUP_FAILURE)->s1_setup_failure;
    assert_int_equal(failure->cause.group, S1AP_CAUSE_PROTOCOL);
    expect_diagnostics(failure->criticality_diagnostics, S1AP_ID_SUPPORTED_TAS);
    enb_expect_nothing(third);
    /* Nothing was taken from it. */
    fake_enb_send_message(third, S1AP_S1_SETUP_REQUEST, &request);
    enb_expect(third, S1AP_S1_SETUP_RESPONSE);
}

/* What is to be told is told in the answer; what may be ignored is. */
static void test_setup_with_unknown(void **state)
{
    struct s1ap_s1_setup_request request = setup_request();

    (void)state;
    struct sctp_association *third = fake_enb_connect();
    send_with_unknown(third, S1AP_S1_SETUP_REQUEST, &request, S1AP_CRITICALITY_IGNORE);
    assert_null(
        enb_expect(third, S1AP_S1_SETUP_RESPONSE)->s1_setup_response->criticality_diagnostics);
    send_with_unknown(third, S1AP_S1_SETUP_REQUEST, &request, S1AP_CRITICALITY_NOTIFY);
    expect_diagnostics(
        enb_expect(third, S1AP_S1_SETUP_RESPONSE)->s1_setup_response->criticality_diagnostics,
        UNKNOWN_IE);
    enb_expect_nothing(third);
    send_with_unknown(third, S1AP_S1_SETUP_REQUEST, &request, S1AP_CRITICALITY_REJECT);
    expect_diagnostics(
        enb_expect(third, S1AP_S1_SETUP_FAILURE)->s1_setup_failure->criticality_diagnostics,
        UNKNOWN_IE);
}

static void test_configuration_update_with_unknown(void **state)
{
    struct bytes name = bytes_of("new name", 8);
    struct s1ap_enb_configuration_update update = {.enb_name = &name};
    const struct mme_enb *context = mme_enb_get((uint32_t)(uintptr_t)enb->owner);

    (void)state;
    send_with_unknown(enb, S1AP_ENB_CONFIGURATION_UPDATE, &update, S1AP_CRITICALITY_REJECT);
    const struct s1ap_enb_configuration_update_failure *failure =
        enb_expect(enb, S1AP_ENB_CONFIGURATION_UPDATE_FAILURE)->enb_configuration_update_failure;
    assert_int_equal(failure->cause.group, S1AP_CAUSE_PROTOCOL);
    expect_diagnostics(failure->criticality_diagnostics, UNKNOWN_IE);
    assert_string_equal(context->name, "cell");
    send_with_unknown(enb, S1AP_ENB_CONFIGURATION_UPDATE, &update, S1AP_CRITICALITY_NOTIFY);
    enb_expect(enb, S1AP_ENB_CONFIGURATION_UPDATE_ACKNOWLEDGE);
    assert_string_equal(context->name, "new name");
}

static void test_reset_without_type(void **state)
{
    struct s1ap_reset reset = {.cause = s1ap_cause_misc(S1AP_MISC_UNSPECIFIED),
                               .reset_type = {.kind = S1AP_RESET_S1_INTERFACE}};

    (void)state;
    phone_attach(&phone);
    send_without(enb, S1AP_RESET, &reset, S1AP_ID_RESET_TYPE);
    expect_error_indication(enb, S1AP_ID_RESET_TYPE);
    assert_true(mme_ue_is_connected(phone_context(&phone)));
}

/* ---- Procedures of a phone
 * ---------------------------------------------------------------------------------------- */

static void test_initial_without_nas(void **state)
{
    struct s1ap_initial_ue_message message = {.enb_ue_s1ap_id = 9,
                                              .nas_pdu = bytes_of("x", 1),
                                              .tai = {plmn, 1},
                                              .eutran_cgi = {plmn, 1}};

    (void)state;
    send_without(enb, S1AP_INITIAL_UE_MESSAGE, &message, S1AP_ID_NAS_PDU);
    expect_error_indication(enb, S1AP_ID_NAS_PDU);
    expect_nothing_left();
    assert_int_equal(mme.s1s.count, 0);
}

static void test_uplink_nas(void **state)
{
    (void)state;
    phone_attach(&phone);
    struct s1ap_uplink_nas_transport message = {.mme_ue_s1ap_id = phone.mme_id,
                                                .enb_ue_s1ap_id = phone.enb_id,
                                                .nas_pdu = bytes_of("\x07\x60\x6f", 3),
                                                .eutran_cgi = {plmn, 1},
                                                .tai = {plmn, 1}};
    /* Without whom it is about, or what: nothing happens but the report. */
    send_without(enb, S1AP_UPLINK_NAS_TRANSPORT, &message, S1AP_ID_MME_UE_S1AP_ID);
    expect_error_indication(enb, S1AP_ID_MME_UE_S1AP_ID);
    send_without(enb, S1AP_UPLINK_NAS_TRANSPORT, &message, S1AP_ID_NAS_PDU);
    expect_error_indication(enb, S1AP_ID_NAS_PDU);
    /* Without where it is: done. */
    uint32_t cell = phone_context(&phone)->ecgi.cell_id;
    send_without(enb, S1AP_UPLINK_NAS_TRANSPORT, &message, S1AP_ID_EUTRAN_CGI);
    enb_expect_nothing(enb);
    assert_int_equal(phone_context(&phone)->ecgi.cell_id, cell);
    /* With more than we know, which is to be told: done, and told. */
    send_with_unknown(enb, S1AP_UPLINK_NAS_TRANSPORT, &message, S1AP_CRITICALITY_NOTIFY);
    expect_error_indication(enb, UNKNOWN_IE);
    assert_true(mme_ue_is_connected(phone_context(&phone)));
}

/* The eNodeB did something that we cannot read: the phone must not wait for it in vain. */
static void test_context_setup_response(void **state)
{
    struct s1ap_e_rab_tunnel tunnel = {.e_rab_id = 5,
                                       .transport_layer_address = bytes_of("\x7f\0\0\x09", 4)};

    (void)state;
    phone_attach_request(&phone);
    phone_expect_authentication(&phone);
    phone_answer_authentication(&phone);
    phone_expect_security_mode(&phone);
    phone_answer_security_mode(&phone);
    phone_expect_accept(&phone);
    struct s1ap_initial_context_setup_response response = {.mme_ue_s1ap_id = phone.mme_id,
                                                           .enb_ue_s1ap_id = phone.enb_id,
                                                           .e_rab_setup_list = {&tunnel, 1}};
    send_with_unknown(enb, S1AP_INITIAL_CONTEXT_SETUP_RESPONSE, &response, S1AP_CRITICALITY_REJECT);
    world_run(200);
    enb_drain(enb);
    expect_nothing_left();
}

static void test_path_switch(void **state)
{
    struct s1ap_e_rab_tunnel tunnel = {.e_rab_id = 5,
                                       .transport_layer_address = bytes_of("\x7f\0\0\x09", 4)};

    (void)state;
    phone_attach(&phone);
    struct s1ap_path_switch_request request = {.enb_ue_s1ap_id = 500,
                                               .e_rab_to_be_switched_dl_list = {&tunnel, 1},
                                               .source_mme_ue_s1ap_id = phone.mme_id,
                                               .eutran_cgi = {plmn, 1},
                                               .tai = {plmn, 2},
                                               .ue_security_capabilities = {0xc000, 0xc000}};
    send_without(other, S1AP_PATH_SWITCH_REQUEST, &request, S1AP_ID_E_RAB_TO_BE_SWITCHED_DL_LIST);
    const struct s1ap_path_switch_request_failure *failure =
        enb_expect(other, S1AP_PATH_SWITCH_REQUEST_FAILURE)->path_switch_request_failure;
    assert_int_equal(failure->mme_ue_s1ap_id, phone.mme_id);
    assert_int_equal(failure->enb_ue_s1ap_id, 500);
    assert_int_equal(failure->cause.group, S1AP_CAUSE_PROTOCOL);
    /* No failure can be addressed without the ids. */
    send_without(other, S1AP_PATH_SWITCH_REQUEST, &request, S1AP_ID_SOURCE_MME_UE_S1AP_ID);
    expect_error_indication(other, S1AP_ID_SOURCE_MME_UE_S1AP_ID);
    send_without(other, S1AP_PATH_SWITCH_REQUEST, &request, S1AP_ID_ENB_UE_S1AP_ID);
    expect_error_indication(other, S1AP_ID_ENB_UE_S1AP_ID);
    /* The phone is where it was. */
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
}

/* Without its place: done, and the phone was last seen where it was seen before. */
static void test_path_switch_without_place(void **state)
{
    struct s1ap_e_rab_tunnel tunnel = {.e_rab_id = 5,
                                       .transport_layer_address = bytes_of("\x7f\0\0\x09", 4)};

    (void)state;
    phone_attach(&phone);
    const struct mme_ue *ue = phone_context(&phone);
    struct ecgi cell = ue->ecgi;
    struct s1ap_path_switch_request request = {.enb_ue_s1ap_id = 500,
                                               .e_rab_to_be_switched_dl_list = {&tunnel, 1},
                                               .source_mme_ue_s1ap_id = phone.mme_id,
                                               .eutran_cgi = {plmn, 0x777},
                                               .tai = {plmn, 2}};
    send_without(other, S1AP_PATH_SWITCH_REQUEST, &request, S1AP_ID_EUTRAN_CGI);
    enb_expect(other, S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE);
    assert_int_equal(ue->tai.tac, 2);
    assert_int_equal(ue->ecgi.cell_id, cell.cell_id);
    assert_true(plmn_equal(&ue->ecgi.plmn, &cell.plmn));
}

/* What a phone can do is not forgotten because an eNodeB says nothing about it. */
static void test_capability_without_capability(void **state)
{
    (void)state;
    phone_attach(&phone);
    struct s1ap_ue_capability_info_indication indication = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .ue_radio_capability = bytes_of("radio", 5),
    };
    fake_enb_send_message(enb, S1AP_UE_CAPABILITY_INFO_INDICATION, &indication);
    send_without(enb, S1AP_UE_CAPABILITY_INFO_INDICATION, &indication, S1AP_ID_UE_RADIO_CAPABILITY);
    enb_expect_nothing(enb);
    assert_int_equal(mme_shared_view(phone_context(&phone)->radio_capability).len, 5);
}

static void test_handover_required(void **state)
{
    (void)state;
    phone_attach(&phone);
    struct s1ap_handover_required required = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .target_id = {.kind = S1AP_TARGET_ENB,
                      .enb = {.global_enb_id = {plmn, {S1AP_ENB_ID_MACRO, 2}},
                              .selected_tai = {plmn, 2}}},
        .source_to_target_transparent_container = bytes_of("to target", 9),
    };
    send_without(enb, S1AP_HANDOVER_REQUIRED, &required, S1AP_ID_TARGET_ID);
    const struct s1ap_handover_preparation_failure *failure =
        enb_expect(enb, S1AP_HANDOVER_PREPARATION_FAILURE)->handover_preparation_failure;
    assert_int_equal(failure->cause.group, S1AP_CAUSE_PROTOCOL);
    enb_expect_nothing(other);
    /* Somebody else's phone. */
    send_without(other, S1AP_HANDOVER_REQUIRED, &required, S1AP_ID_TARGET_ID);
    enb_expect(other, S1AP_ERROR_INDICATION);
    enb_expect_nothing(enb);
}

/* A release that lacks its cause is a release all the same. */
static void test_release_request_without_cause(void **state)
{
    (void)state;
    phone_attach(&phone);
    struct s1ap_ue_context_release_request request = {.mme_ue_s1ap_id = phone.mme_id,
                                                      .enb_ue_s1ap_id = phone.enb_id};
    send_without(enb, S1AP_UE_CONTEXT_RELEASE_REQUEST, &request, S1AP_ID_CAUSE);
    phone_expect_release(&phone);
    assert_true(phone_context(&phone)->is_registered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_setup_without_areas, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_setup_with_unknown, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_configuration_update_with_unknown, setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_reset_without_type, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_initial_without_nas, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_uplink_nas, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_context_setup_response, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_path_switch, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_path_switch_without_place, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_capability_without_capability, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_handover_required, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_release_request_without_cause, setup, world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
