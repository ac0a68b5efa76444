/*
 * mme_malformed_test.c -- messages that have crashed other MMEs, and everything of their kind: each
 * gets the specification's answer or silence, and the MME goes on as before.
 */
#include "mme_world.h"

#include "mme/shared.h"
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

/* The MME is as good as new: another phone attaches. */
static void expect_alive(void)
{
    static unsigned number = 5000;
    struct phone other;
    char imsi[IMSI_SIZE];

    enb_drain(enb);
    snprintf(imsi, sizeof(imsi), "0010100000%05u", number++);
    phone_init(&other, imsi, enb);
    phone_attach(&other);
    phone_detach_request(&other, NAS_DETACH_EPS | NAS_DETACH_SWITCH_OFF);
    phone_expect_release(&other);
    enb_drain(enb);
}

static void initial(const void *bytes, size_t len)
{
    phone.is_connected = false;
    phone_send_bytes(&phone, bytes, len);
}

/* ---- NAS before there is a context
 * ------------------------------------------------------------------------- */

static void test_short_first_messages(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } rows[] = {
        {{0xc7, 0x00}, 2}, /* half a Service Request */
        {{0xc7}, 1},
        {{0xc7, 0x00, 0x12}, 3},
        {{0xc7, 0x00, 0x12, 0x34}, 4}, /* a Service Request of nobody */
        {{0x07}, 1},                   /* no message type */
        {{0x07, 0x41}, 2},             /* Attach Request without anything */
        {{0x07, 0x48}, 2},             /* TAU Request without anything */
        {{0x07, 0x45}, 2},             /* Detach Request without anything */
        {{0x07, 0x4c}, 2},
        {{0x07, 0xff}, 2},          /* no such type */
        {{0x07, 0x42}, 2},          /* Attach Accept, from a phone */
        {{0x17, 0, 0, 0, 0, 0}, 6}, /* protected, and nothing in it */
        {{0x17, 0, 0, 0, 0}, 5},
        {{0x27, 0, 0, 0, 0, 0, 0xaa}, 7},
        {{0x37, 0, 0, 0, 0, 0, 0x07, 0x5e}, 8},
        {{0x47, 0, 0, 0, 0, 0, 0x07, 0x5e}, 8},
        {{0x57, 0, 0, 0, 0, 0, 0x07, 0x4d}, 8}, /* partly ciphered */
        {{0x02, 0x01, 0xd0, 0x11}, 4},          /* ESM as a first message */
        {{0xf7, 0x00, 0x12, 0x34}, 4},
        {{0x97, 0x41}, 2}, /* reserved security header */
        {{0x00}, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        initial(rows[i].bytes, rows[i].len);
        assert_int_equal(mme.ues.count, 0);
    }
    world_run(50);
    assert_int_equal(mme.s1s.count, 0);
    expect_alive();
}

/* Each refusal by its own name. */
static void test_refused_with_cause(void **state)
{
    static const uint8_t attach[] = {0x07, 0x41, 0x71}, update[] = {0x07, 0x48, 0x00},
                         extended[] = {0x07, 0x4c, 0x00};

    (void)state;
    initial(attach, sizeof(attach));
    phone_expect(&phone, NAS_ATTACH_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_INVALID_MANDATORY_INFORMATION);
    phone_expect_release(&phone);
    initial(update, sizeof(update));
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_INVALID_MANDATORY_INFORMATION);
    phone_expect_release(&phone);
    initial(extended, sizeof(extended));
    phone_expect(&phone, NAS_SERVICE_REJECT);
    assert_int_equal(phone.last_cause, EMM_CAUSE_INVALID_MANDATORY_INFORMATION);
    phone_expect_release(&phone);
}

static size_t attach_bytes(uint8_t *to, size_t size)
{
    struct writer w = writer_of(to, size);
    static const uint8_t esm[] = {0x02, 0x01, 0xd0, 0x11};
    struct nas_attach_request request = {
        .eps_attach_type = NAS_ATTACH_EPS,
        .nas_ksi = NAS_KSI_NO_KEY,
        .eps_mobile_identity = {.kind = NAS_IDENTITY_IMSI, .imsi = IMSI},
        .ue_network_capability = {.len = 2, .octets = {0xe0, 0xe0}},
        .esm_message_container = bytes_of(esm, sizeof(esm)),
        .drx_parameter = &(uint16_t){0x0a00},
        .ms_network_capability =
            &(struct nas_ms_network_capability){.len = 3, .octets = {0xe5, 0xe0, 0x3e}},
    };
    struct nas_message message = {
        .type = NAS_ATTACH_REQUEST, .direction = EPS_UPLINK, .attach_request = &request};

    nas_encode(&w, &message);
    assert_false(w.bad);
    return wr_len(&w);
}

static void forget_all(void)
{
    struct s1ap_reset reset = {.cause = s1ap_cause_misc(S1AP_MISC_UNSPECIFIED),
                               .reset_type = {.kind = S1AP_RESET_S1_INTERFACE}};

    fake_enb_send_message(enb, S1AP_RESET, &reset);
    enb_drain(enb);
    assert_int_equal(mme.ues.count, 0);
}

static void test_attach_cut_at_each_length(void **state)
{
    uint8_t bytes[256];
    size_t len = attach_bytes(bytes, sizeof(bytes));

    (void)state;
    for (size_t cut = 1; cut < len; cut++)
        initial(bytes, cut);
    forget_all();
    expect_alive();
}

static void test_attach_with_each_octet_changed(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    uint8_t bytes[256];
    size_t len = attach_bytes(bytes, sizeof(bytes));

    (void)state;
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < sizeof(values); j++) {
            uint8_t kept = bytes[i];
            bytes[i] = values[j];
            initial(bytes, len);
            bytes[i] = kept;
            if (mme.ues.count > 20)
                forget_all();
            enb_drain(enb);
        }
    }
    forget_all();
    expect_alive();
}

/* The odd/even bit, an IMSI without digits, digits that are none, lengths that lie. */
static void test_identities(void **state)
{
    static const struct {
        uint8_t bytes[12];
        size_t len;
    } identities[] = {
        {{8, 0x01, 0x10, 0x10, 0, 0, 0, 0, 0x10}, 9}, /* even, and the last half octet used */
        {{8, 0x09, 0x10, 0x10, 0, 0, 0, 0, 0xf0}, 9}, /* odd, and ends in a filler */
        {{1, 0x09}, 2},                               /* no digits but one */
        {{1, 0x01}, 2},
        {{0}, 1},
        {{1, 0xf9}, 2},
        {{8, 0xa9, 0xbc, 0xde, 0, 0, 0, 0, 0x10}, 9},         /* not digits */
        {{11, 0xf6, 0x00, 0xf1, 0x10, 0, 2, 3, 0, 0, 0}, 11}, /* a GUTI cut short */
        {{5, 0xf4, 0, 0, 0, 1}, 6},                           /* a TMSI is none of its kinds */
        {{8, 0x0a, 0, 0, 0, 0, 0, 0, 0}, 9},                  /* an IMEI */
        {{255, 0x09}, 2},                                     /* longer than the message */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
        uint8_t bytes[64] = {0x07, 0x41, 0x71};
        size_t len = 3;
        static const uint8_t rest[] = {2, 0xe0, 0xe0, 0, 4, 0x02, 0x01, 0xd0, 0x11};
        memcpy(bytes + len, identities[i].bytes, identities[i].len);
        len += identities[i].len;
        memcpy(bytes + len, rest, sizeof(rest));
        initial(bytes, len + sizeof(rest));
        enb_drain(enb);
    }
    forget_all();
    expect_alive();
}

static void test_esm_containers(void **state)
{
    static const uint8_t containers[][6] = {
        {0},
        {0x02},
        {0x02, 0x00, 0xd0, 0x11},
        {0x02, 0xff, 0xd0, 0x11},
        {0x52, 0x01, 0xd0, 0x11},
        {0x02, 0x01, 0xc2},
        {0x02, 0x01, 0xff},
        {0x07, 0x41},
        {0x02, 0x01, 0xd0, 0x01},
        {0x02, 0x01, 0xdc},
        {0x02, 0x01, 0xd2, 0x05},
    };
    static const uint8_t lengths[] = {0, 1, 4, 4, 4, 3, 3, 2, 4, 3, 4};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths); i++) {
        uint8_t bytes[64] = {0x07, 0x41, 0x71, 8,    0x09, 0x10, 0x10, 0,
                             0,    0,    0,    0x10, 2,    0xe0, 0xe0, 0};
        bytes[16] = lengths[i];
        memcpy(bytes + 17, containers[i], lengths[i]);
        initial(bytes, 17u + lengths[i]);
        phone_expect(&phone, NAS_ATTACH_REJECT);
        phone_expect_release(&phone);
        assert_int_equal(mme.ues.count, 0);
    }
    expect_alive();
}

/* ---- NAS from a phone that is registered
 * ---------------------------------------------------------------------- */

static void send_protected(const uint8_t *plain, size_t len)
{
    uint8_t wire[2100];
    struct writer w = writer_of(wire, sizeof(wire));

    assert_int_equal(
        nas_protect(&phone.security, EPS_UPLINK, NAS_INTEGRITY_CIPHERED, bytes_of(plain, len), &w),
        0);
    phone_send_bytes(&phone, wire, wr_len(&w));
}

static void test_unknown_types(void **state)
{
    static const uint8_t emm[] = {0x07, 0xfe}, esm[] = {0x52, 0x03, 0xfe},
                         cut[] = {0x02, 0x05, 0xd0};

    (void)state;
    phone_attach(&phone);
    send_protected(emm, sizeof(emm));
    phone_expect(&phone, NAS_EMM_STATUS);
    assert_int_equal(phone.last_cause, EMM_CAUSE_MESSAGE_TYPE_NON_EXISTENT);
    send_protected(esm, sizeof(esm));
    phone_expect(&phone, NAS_ESM_STATUS);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_MESSAGE_TYPE_NON_EXISTENT);
    send_protected(cut, sizeof(cut));
    phone_expect(&phone, NAS_PDN_CONNECTIVITY_REJECT);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_INVALID_MANDATORY_INFORMATION);
    assert_true(phone_context(&phone)->is_registered);
}

/* Any message type, with any little content, protected as it must be. */
static void test_every_type(void **state)
{
    uint8_t plain[40];
    uint32_t random = 1;

    (void)state;
    phone_attach(&phone);
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned type = 0; type < 256; type++) {
            if (type == NAS_DETACH_REQUEST || type == NAS_ATTACH_REQUEST)
                continue;
            for (size_t i = 0; i < sizeof(plain); i++) {
                random = random * 1664525 + 1013904223;
                plain[i] = (uint8_t)(random >> 24);
            }
            plain[0] = type < 0x80 ? 0x07 : (uint8_t)(random >> 28 << 4 | 2);
            plain[type < 0x80 ? 1 : 2] = (uint8_t)type;
            send_protected(plain, 3 + random % 36);
            enb_drain(enb);
        }
    }
    assert_non_null(phone_context(&phone));
    world_run(120);
    enb_drain(enb);
    expect_alive();
}

/* Wrong MAC, replay, no protection: counted and without effect. */
static void test_unprotected(void **state)
{
    static const uint8_t detach[] = {0x07, 0x45, 0x09, 8, 0x09, 0x10, 0x10, 0, 0, 0, 0, 0x10};
    uint8_t wire[64];
    struct writer w = writer_of(wire, sizeof(wire));

    (void)state;
    phone_attach(&phone);
    phone_send_bytes(&phone, detach, sizeof(detach));
    assert_int_equal(mme_counters[MME_NAS_UNPROTECTED].value, 1);
    assert_int_equal(nas_protect(&phone.security, EPS_UPLINK, NAS_INTEGRITY_CIPHERED,
                                 bytes_of(detach, sizeof(detach)), &w),
                     0);
    wire[1] ^= 0x80;
    phone_send_bytes(&phone, wire, wr_len(&w));
    assert_int_equal(mme_counters[MME_NAS_MAC_FAILURES].value, 1);
    assert_true(phone_context(&phone)->is_registered);
    enb_expect_nothing(enb);
}

static void test_out_of_order_s1ap(void **state)
{
    (void)state;
    phone_attach(&phone);
    phone_context_setup_response(&phone, 5); /* a second time */
    struct s1ap_e_rab_setup_response setup = {.mme_ue_s1ap_id = phone.mme_id,
                                              .enb_ue_s1ap_id = phone.enb_id};
    fake_enb_send_message(enb, S1AP_E_RAB_SETUP_RESPONSE, &setup);
    struct s1ap_handover_notify notify = {.mme_ue_s1ap_id = phone.mme_id,
                                          .enb_ue_s1ap_id = phone.enb_id,
                                          .eutran_cgi = {{1, 1, 2}, 1},
                                          .tai = {{1, 1, 2}, 1}};
    fake_enb_send_message(enb, S1AP_HANDOVER_NOTIFY, &notify);
    struct s1ap_nas_non_delivery_indication lost = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .nas_pdu = bytes_of("\x07\x42", 2),
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_X2_HANDOVER_TRIGGERED),
    };
    fake_enb_send_message(enb, S1AP_NAS_NON_DELIVERY_INDICATION, &lost);
    enb_expect_nothing(enb);
    assert_true(phone_context(&phone)->is_registered);
    assert_int_equal(mme_counters[MME_NAS_NOT_DELIVERED].value, 1);
    /* A release that nobody asked for. */
    struct s1ap_ue_context_release_complete complete = {.mme_ue_s1ap_id = phone.mme_id,
                                                        .enb_ue_s1ap_id = phone.enb_id};
    fake_enb_send_message(enb, S1AP_UE_CONTEXT_RELEASE_COMPLETE, &complete);
    assert_int_equal(phone_context(&phone)->s1, 0);
    assert_int_equal(fake_sgw.releases, 1);
}

static void test_huge_radio_capability(void **state)
{
    static uint8_t huge[40000];
    struct s1ap_ue_capability_info_indication indication = {.ue_radio_capability =
                                                                bytes_of(huge, sizeof(huge))};

    (void)state;
    phone_attach(&phone);
    indication.mme_ue_s1ap_id = phone.mme_id;
    indication.enb_ue_s1ap_id = phone.enb_id;
    fake_enb_send_message(enb, S1AP_UE_CAPABILITY_INFO_INDICATION, &indication);
    assert_null(phone_context(&phone)->radio_capability);
    indication.ue_radio_capability.len = 8192;
    fake_enb_send_message(enb, S1AP_UE_CAPABILITY_INFO_INDICATION, &indication);
    assert_non_null(phone_context(&phone)->radio_capability);
    phone_idle(&phone);
    phone_serve(&phone);
}

/* ---- S6a
 * --------------------------------------------------------------------------------------------------------
 */

static void test_cancellation_types(void **state)
{
    (void)state;
    for (uint32_t type = 0; type < 8; type++) {
        struct s6a_clr request = {.imsi = IMSI, .cancellation_type = type == 7 ? 0xffffffff : type};
        phone_init(&phone, IMSI, enb);
        phone_attach(&phone);
        fake_hss_ask(&s6a_clr_message, &request);
        world_run(70);
        enb_drain(enb);
        expect_nothing_left();
    }
}

static void test_many_apns(void **state)
{
    (void)state;
    fake_hss.more_apns = 60;
    phone_attach(&phone);
    assert_int_equal(mme_subscription_of(phone_context(&phone))->apn_count, S6A_MAX_APNS);
    assert_string_equal(fake_sgw.last_apn, "internet");
}

static void test_empty_requests(void **state)
{
    (void)state;
    fake_hss_ask(&s6a_clr_message, &(struct s6a_clr){0});
    fake_hss_ask(&s6a_idr_message, &(struct s6a_idr){0});
    fake_hss_ask(&s6a_dsr_message, &(struct s6a_dsr){0});
    fake_hss_ask(&s6a_rsr_message, &(struct s6a_rsr){0});
    assert_int_equal(fake_hss.answers, 4);
    expect_alive();
}

/* ---- S11
 * ---------------------------------------------------------------------------------------------------------
 */

static void test_empty_gtp_requests(void **state)
{
    struct gtpc_create_bearer_request create = {.lbi = 5};
    struct gtpc_update_bearer_request update = {0};
    struct gtpc_delete_bearer_request delete = {0};

    (void)state;
    phone_attach(&phone);
    fake_sgw_ask(1, GTPC_CREATE_BEARER_REQUEST, fake_sgw.mme_teid, &create);
    fake_sgw_ask(2, GTPC_UPDATE_BEARER_REQUEST, fake_sgw.mme_teid, &update);
    fake_sgw_ask(3, GTPC_DELETE_BEARER_REQUEST, fake_sgw.mme_teid, &delete);
    assert_int_equal(fake_sgw.refusals, 3);
    assert_true(phone_context(&phone)->is_registered);
    enb_expect_nothing(enb);
}

/* More bearers than there are. */
static void test_too_many_bearers(void **state)
{
    struct gtpc_bearer_to_be_set_up bearers[40] = {0};
    struct gtpc_create_bearer_request create = {.lbi = 5, .bearers = {bearers, 40}};
    uint8_t ebis[40] = {0};
    struct gtpc_delete_bearer_request delete = {.ebi = {ebis, 40}};

    (void)state;
    phone_attach(&phone);
    fake_sgw_ask(1, GTPC_DELETE_BEARER_REQUEST, fake_sgw.mme_teid, &delete);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    fake_sgw_ask(2, GTPC_CREATE_BEARER_REQUEST, fake_sgw.mme_teid, &create);
    fake_enb_lose(enb);
    assert_int_equal(fake_sgw.answers, 2);
    assert_int_equal(mme.bearers.count, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(short_first_messages),
        T(refused_with_cause),
        T(attach_cut_at_each_length),
        T(attach_with_each_octet_changed),
        T(identities),
        T(esm_containers),
        T(unknown_types),
        T(every_type),
        T(unprotected),
        T(out_of_order_s1ap),
        T(huge_radio_capability),
        T(cancellation_types),
        T(many_apns),
        T(empty_requests),
        T(empty_gtp_requests),
        T(too_many_bearers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
