/*
 * nas_codec_test.c -- NAS messages made by hand and recorded from real stacks, and what clause 7 of
 * TS 24.301 wants done with bad ones, among them inputs that have brought other cores down.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "wire/nas/nas.h"

static struct arena arena;
static uint8_t octets[4096];
static struct nas_message m;
static struct nas_fault fault;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct bytes hex(const char *digits)
{
    int n = hex_parse(digits, octets, sizeof(octets));

    assert_true(n >= 0);
    return bytes_of(octets, (size_t)n);
}

static int decode(const char *digits, enum eps_direction direction)
{
    arena_reset(&arena);
    return nas_decode(hex(digits), direction, &arena, &m, &fault);
}

/* Encodes `message` and expects exactly these octets. */
static void expect(const struct nas_message *message, const char *digits)
{
    uint8_t out[1024], expected[1024];
    struct writer w = writer_of(out, sizeof(out));
    int n = hex_parse(digits, expected, sizeof(expected));

    nas_encode(&w, message);
    assert_false(w.bad);
    assert_int_equal(wr_len(&w), n);
    assert_memory_equal(out, expected, (size_t)n);
}

static void expect_printed(const char *expected)
{
    char printed[2048];
    struct text t = text_in(printed, sizeof(printed));

    nas_print(&t, &m, &arena);
    assert_string_equal(printed, expected);
}

/* ---- Recorded: a phone and a core of another make, attach to detach ------ */

static void recorded_messages_come_back_as_they_were(void **state)
{
    (void)state;
    static const struct {
        enum eps_direction direction;
        const char *plain;
        const char *printed;
    } recorded[] = {
        {EPS_UPLINK, "07417108091010103254760802f07000040201d011",
         "attach request eps_attach_type=1 nas_ksi=7 eps_mobile_identity=imsi:001010123456780 "
         "ue_network_capability=f070 esm_message_container={pdn connectivity request ebi=0 pti=1 "
         "request_type=1 pdn_type=1}"},
        {EPS_DOWNLINK, "075200ef555b60ed1b7380594dcfe1a725244a109f8c7704cc6a8000b7fea930a4d0eeb0",
         "authentication request nas_ksi=0 rand=ef555b60ed1b7380594dcfe1a725244a "
         "autn=9f8c7704cc6a8000b7fea930a4d0eeb0"},
        {EPS_UPLINK, "075308926c1d75a767e9fc", "authentication response res=926c1d75a767e9fc"},
        {EPS_DOWNLINK, "075d010002f070",
         "security mode command selected_eia=1 selected_eea=0 nas_ksi=0 "
         "replayed_ue_security_capabilities=f070"},
        {EPS_UPLINK, "075e", "security mode complete"},
        {EPS_DOWNLINK,
         "0742013e060000f1100007001d5201c10107070673727361706e0501ac100002270880000d0408080808500bf"
         "600f1100"
         "0011ad0fd14c21300f11000062305f4d0fd14c2",
         "attach accept eps_attach_result=1 t3412_value=1800s tai_list=00101-0007 "
         "esm_message_container={activate default eps bearer context request ebi=5 pti=1 "
         "eps_qos=qci:7 "
         "apn=srsapn pdn_address=172.16.0.2 pco={dns_ipv4:8.8.8.8}} "
         "guti=guti:00101-0001-1a-d0fd14c2 "
         "lai=00101-0006 ms_identity=tmsi:d0fd14c2"},
        {EPS_UPLINK, "074300035200c2",
         "attach complete esm_message_container={activate default eps bearer context accept ebi=5 "
         "pti=0}"},
        {EPS_DOWNLINK,
         "0761431882d3b7997e0fcbcb2069989c7e83a6f939bddc9e83a4412745078673f95c1a7402476211223101100"
         "0",
         "emm information full_name=\"Software Radio Systems RAN\" short_name=\"srsRAN\" "
         "universal_time_and_local_time_zone=2026-11-22T13:10:01Z,zone:+00:00"},
        {EPS_UPLINK, "0745090bf600f11000011ad0fd14c2",
         "detach request detach_type=9 nas_ksi=0 eps_mobile_identity=guti:00101-0001-1a-d0fd14c2"},
    };

    for (unsigned i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
        assert_int_equal(decode(recorded[i].plain, recorded[i].direction), 0);
        expect(&m, recorded[i].plain);
        expect_printed(recorded[i].printed);
    }
}

/* ---- Made by hand -------------------------------------------------------- */

/* An attach as a common phone sends it: old GUTI, capabilities, PDN connectivity request with PCO
 * inside. */
static void an_attach_request_with_most_of_what_phones_send(void **state)
{
    (void)state;
    assert_int_equal(
        decode("0741 72 0bf600f1108001012a3b4c5d 07f0f0c0c0190080"
               "0021 0203d031d1271a8080211001000010810600000000830600000000000d00000a00"
               "5200f1100007 5c0a00 3103e5e034 1300f1100006 90 1103574886 2004602004d0"
               "4008040260040002 1f00 f2 5d0103 d1 e0",
               EPS_UPLINK),
        0);
    const struct nas_attach_request *a = m.attach_request;
    assert_int_equal(m.type, NAS_ATTACH_REQUEST);
    assert_int_equal(a->eps_attach_type, NAS_ATTACH_COMBINED);
    assert_int_equal(a->nas_ksi, NAS_KSI_NO_KEY);
    assert_int_equal(a->eps_mobile_identity.kind, NAS_IDENTITY_GUTI);
    assert_int_equal(a->eps_mobile_identity.guti.gummei.mme_group_id, 0x8001);
    assert_int_equal(a->eps_mobile_identity.guti.gummei.mme_code, 0x01);
    assert_int_equal(a->eps_mobile_identity.guti.m_tmsi, 0x2a3b4c5d);
    assert_int_equal(a->ue_network_capability.len, 7);
    assert_true(nas_supports_algorithm(a->ue_network_capability.octets[0], 3));
    assert_false(nas_supports_algorithm(a->ue_network_capability.octets[0], 4));
    assert_int_equal(a->esm_message_container.len, 0x21);
    assert_int_equal(a->last_visited_registered_tai->tac, 7);
    assert_int_equal(*a->drx_parameter, 0x0a00);
    assert_int_equal(a->ms_network_capability->len, 3);
    assert_int_equal(a->old_lai->lac, 6);
    assert_int_equal(*a->tmsi_status, 0);
    assert_int_equal(a->ms_classmark_2->len, 3);
    assert_int_equal(a->ms_classmark_3->len, 4);
    assert_int_equal(a->supported_codecs->len, 8);
    assert_int_equal(*a->additional_update_type, 2);
    assert_int_equal(*a->voice_domain_preference, 3);
    assert_int_equal(*a->device_properties, 1);
    assert_int_equal(*a->old_guti_type, NAS_GUTI_TYPE_NATIVE);
    assert_null(a->additional_guti);

    struct nas_message esm;
    assert_int_equal(nas_decode(a->esm_message_container, EPS_UPLINK, &arena, &esm, &fault), 0);
    assert_int_equal(esm.type, NAS_PDN_CONNECTIVITY_REQUEST);
    assert_int_equal(esm.pti, 3);
    assert_int_equal(esm.pdn_connectivity_request->pdn_type, NAS_PDN_IPV4V6);
    assert_int_equal(esm.pdn_connectivity_request->request_type, NAS_REQUEST_INITIAL);
    assert_int_equal(*esm.pdn_connectivity_request->esm_information_transfer_flag,
                     NAS_ESM_INFORMATION_TRANSFER);
    assert_null(esm.pdn_connectivity_request->apn);
}

static void an_attach_accept_is_built_from_its_parts(void **state)
{
    (void)state;
    const struct plmn plmn = {1, 1, 2};
    struct nas_identity guti = {.kind = NAS_IDENTITY_GUTI,
                                .guti = {.gummei = {plmn, 0x8001, 1}, .m_tmsi = 0xc0000001}};
    struct nas_attach_accept accept = {
        .eps_attach_result = NAS_ATTACH_RESULT_EPS_ONLY,
        .t3412_value = nas_gprs_timer(3240),
        .tai_list = {.count = 2, .at = {{.tai = {plmn, 1}}, {.tai = {plmn, 9}}}},
        .esm_message_container = bytes_of("\x52\x01\xc1", 3),
        .guti = &guti,
        .emm_cause = &(uint8_t){EMM_CAUSE_CS_DOMAIN_NOT_AVAILABLE},
        .t3402_value = &(uint8_t){nas_gprs_timer(720)},
        .eps_network_feature_support =
            &(struct nas_eps_network_feature_support){1, {NAS_EPS_FEATURE_IMS_VOICE_S1}},
    };

    expect(&(struct nas_message){.type = NAS_ATTACH_ACCEPT,
                                 .direction = EPS_DOWNLINK,
                                 .attach_accept = &accept},
           "0742 01 49 08 0100f11000010009 00035201c1 500bf600f110800101c0000001 5312 172c 640101");
}

static void a_default_bearer_is_asked_for(void **state)
{
    (void)state;
    struct nas_activate_default_bearer_request request = {
        .eps_qos = {.qci = 9},
        .apn = {"internet"},
        .pdn_address = {.type = NAS_PDN_IPV4V6, .interface_id = {0, 0, 0, 0, 0, 0, 0, 1}},
        .apn_ambr = &(struct nas_apn_ambr){.len = 2, .octets = {0xfe, 0x80}},
        .pco = &(struct bytes){(const uint8_t *)"\x80\x00\x0d\x04\x08\x08\x08\x08", 8},
    };
    inet_pton(AF_INET, "10.45.0.2", &request.pdn_address.ipv4);

    expect(&(struct nas_message){.type = NAS_ACTIVATE_DEFAULT_BEARER_REQUEST,
                                 .direction = EPS_DOWNLINK,
                                 .ebi = 5,
                                 .pti = 3,
                                 .activate_default_bearer_request = &request},
           "5203c1 0109 0908696e7465726e6574 0d0300000000000000010a2d0002 5e02fe80 "
           "270880000d0408080808");
}

static void messages_without_elements_need_no_body(void **state)
{
    (void)state;
    expect(&(struct nas_message){.type = NAS_AUTHENTICATION_REJECT, .direction = EPS_DOWNLINK},
           "0754");
    expect(&(struct nas_message){.type = NAS_ESM_INFORMATION_REQUEST,
                                 .direction = EPS_DOWNLINK,
                                 .pti = 9},
           "0209d9");
    assert_int_equal(decode("0209d9", EPS_DOWNLINK), 0);
    assert_int_equal(m.type, NAS_ESM_INFORMATION_REQUEST);
    assert_null(m.body);
}

static void detach_requests_differ_by_direction(void **state)
{
    (void)state;
    assert_int_equal(decode("0745 0a 5302", EPS_DOWNLINK), 0);
    assert_int_equal(m.detach_request_downlink->detach_type, 0x0a);
    assert_int_equal(*m.detach_request_downlink->emm_cause, EMM_CAUSE_IMSI_UNKNOWN_IN_HSS);
    expect(&m, "07450a5302");
    assert_int_equal(decode("0745 0a 5302", EPS_UPLINK), -EBADMSG);
    assert_int_equal(decode("0745 79 0bf600f11000011ad0fd14c2", EPS_UPLINK), 0);
    assert_int_equal(m.detach_request_uplink->nas_ksi, 7);
    assert_int_equal(m.detach_request_uplink->detach_type, NAS_DETACH_SWITCH_OFF | NAS_DETACH_EPS);
}

static void a_service_request_has_four_octets(void **state)
{
    (void)state;
    assert_int_equal(decode("c7 6b beef", EPS_UPLINK), 0);
    assert_int_equal(m.type, NAS_SERVICE_REQUEST);
    assert_int_equal(m.service_request->ksi, 3);
    assert_int_equal(m.service_request->sequence_number, 11);
    assert_int_equal(m.service_request->short_mac, 0xbeef);
    expect(&m, "c76bbeef");
    expect_printed("service request ksi=3 sequence_number=11 short_mac=beef");
    assert_int_equal(decode("d7 6b beef", EPS_UPLINK), 0); /* 13 to 15 are taken as 12 */
    assert_int_equal(m.type, NAS_SERVICE_REQUEST);
}

/* ---- Clause 7 ------------------------------------------------------------ */

#define ATTACH "0741 71 08091010103254760802f070 00040201d011 "

static void unknown_elements_are_stepped_over(void **state)
{
    (void)state;
    /* 83: half octet, 2e02: TLV, 7e0003: TLV-E; then one that is known. */
    assert_int_equal(decode(ATTACH "83 2e02aabb 7e0003aabbcc 5d0101", EPS_UPLINK), 0);
    assert_int_equal(*m.attach_request->voice_domain_preference, 1);
    /* An unknown one that says it is longer than the message ends it. */
    assert_int_equal(decode(ATTACH "5d0101 2e20aabb", EPS_UPLINK), 0);
    assert_int_equal(*m.attach_request->voice_domain_preference, 1);
    assert_int_equal(decode(ATTACH "7e2000aabb5d0101", EPS_UPLINK), 0);
    assert_null(m.attach_request->voice_domain_preference);
}

static void comprehension_required_is_a_fault(void **state)
{
    (void)state;
    for (unsigned iei = 0; iei < 16; iei++) {
        char digits[100];
        struct text t = text_in(digits, sizeof(digits));
        text_add(&t, ATTACH "%02x0101 5d0101", iei);
        assert_int_equal(decode(digits, EPS_UPLINK), -EBADMSG);
        assert_int_equal(fault.cause, EMM_CAUSE_INVALID_MANDATORY_INFORMATION);
        assert_int_equal(fault.iei, iei);
        assert_int_equal(m.type, NAS_ATTACH_REQUEST);
    }
}

static void repeated_and_out_of_sequence_elements_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(decode(ATTACH "5d0101 5d0102", EPS_UPLINK), 0);
    assert_int_equal(*m.attach_request->voice_domain_preference, 1);
    /* Last visited TAI (TV, five octets) after an element it should precede: skipped by its own
     * length. */
    assert_int_equal(decode(ATTACH "5d0101 5200f1100007 e1", EPS_UPLINK), 0);
    assert_null(m.attach_request->last_visited_registered_tai);
    assert_int_equal(*m.attach_request->old_guti_type, 1);
}

static void incorrect_optional_elements_are_not_present(void **state)
{
    (void)state;
    /* A TAI whose MCC is no number, an additional GUTI that is too short. */
    assert_int_equal(decode(ATTACH "5003f60102 52ffffff0007 5d0101", EPS_UPLINK), 0);
    assert_null(m.attach_request->additional_guti);
    assert_null(m.attach_request->last_visited_registered_tai);
    assert_int_equal(*m.attach_request->voice_domain_preference, 1);
    assert_int_equal(decode(ATTACH "5d00", EPS_UPLINK), 0);
    assert_null(m.attach_request->voice_domain_preference);
}

static void longer_elements_are_no_error(void **state)
{
    (void)state;
    assert_int_equal(decode(ATTACH "5d03019999 e1", EPS_UPLINK), 0);
    assert_int_equal(*m.attach_request->voice_domain_preference, 1);
    assert_int_equal(*m.attach_request->old_guti_type, 1);
    /* A UE network capability of a later release: what we keep of it is its beginning. */
    assert_int_equal(
        decode("0741 71 080910101032547608 10f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff 00040201d011",
               EPS_UPLINK),
        0);
    assert_int_equal(m.attach_request->ue_network_capability.len, 13);
    assert_int_equal(m.attach_request->ue_network_capability.octets[12], 0xfc);
    assert_int_equal(m.attach_request->esm_message_container.len, 4);
}

static void mandatory_faults_name_the_element(void **state)
{
    (void)state;
    assert_int_equal(decode("0741 71 08091010103254760802", EPS_UPLINK), -EBADMSG);
    assert_int_equal(fault.cause, EMM_CAUSE_INVALID_MANDATORY_INFORMATION);
    assert_string_equal(fault.ie, "ue_network_capability");
    assert_int_equal(decode("0203d0", EPS_UPLINK), -EBADMSG);
    assert_int_equal(fault.cause, ESM_CAUSE_INVALID_MANDATORY_INFORMATION);
    assert_string_equal(fault.ie, "request_type");
    assert_int_equal(m.pti, 3);
}

static void unknown_types_are_non_existent(void **state)
{
    (void)state;
    assert_int_equal(decode("0740", EPS_UPLINK), -EBADMSG);
    assert_int_equal(fault.cause, EMM_CAUSE_MESSAGE_TYPE_NON_EXISTENT);
    assert_int_equal(decode("5207ff", EPS_UPLINK), -EBADMSG);
    assert_int_equal(fault.cause, ESM_CAUSE_MESSAGE_TYPE_NON_EXISTENT);
    assert_int_equal(m.ebi, 5);
    assert_int_equal(m.pti, 7);
    /* The type of the other protocol is none of this one. */
    assert_int_equal(decode("07d011", EPS_UPLINK), -EBADMSG);
    assert_int_equal(fault.cause, EMM_CAUSE_MESSAGE_TYPE_NON_EXISTENT);
    assert_int_equal(fault.protocol, NAS_PROTOCOL_EMM);
    assert_int_equal(decode("020141", EPS_UPLINK), -EBADMSG);
    assert_int_equal(fault.cause, ESM_CAUSE_MESSAGE_TYPE_NON_EXISTENT);
    assert_int_equal(fault.protocol, NAS_PROTOCOL_ESM);
}

static void what_is_too_short_or_of_another_protocol_is_ignored(void **state)
{
    (void)state;
    static const char *const ignored[] = {
        "",     "07",   "02",   "0201",           "c7", "c700", "c70000", "0541",
        "0f41", "1741", "2741", "17000000000007", "b7"};

    for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        assert_int_equal(decode(ignored[i], EPS_UPLINK), -EBADMSG);
        assert_int_equal(fault.cause, 0);
    }
}

/* Inputs that ended other cores' processes. */
static void inputs_known_to_crash_others(void **state)
{
    (void)state;
    assert_int_equal(decode("c700", EPS_UPLINK), -EBADMSG); /* a Service Request of two octets */
    assert_int_equal(fault.cause, 0);
    /* IMSI of no digits, of one octet, of an odd number marked even, of an even number marked odd,
     * too long. */
    static const char *const identities[] = {"00",
                                             "0101",
                                             "0109",
                                             "080110101032547608",
                                             "0909101010325476080f",
                                             "0d01020304050607080900aabbcc",
                                             "08f910101032547608",
                                             "08091010103254760f"};
    for (unsigned i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
        char digits[100];
        struct text t = text_in(digits, sizeof(digits));
        text_add(&t, "0741 71 %s 02f070 00040201d011", identities[i]);
        assert_int_equal(decode(digits, EPS_UPLINK), -EBADMSG);
        assert_int_equal(fault.cause, EMM_CAUSE_INVALID_MANDATORY_INFORMATION);
        assert_string_equal(fault.ie, "eps_mobile_identity");
        t = text_in(digits, sizeof(digits));
        text_add(&t, "0756 %s", identities[i]);
        assert_int_equal(decode(digits, EPS_UPLINK), -EBADMSG);
    }
    /* PDN type 0 and other values without a meaning are told as they are; the MME judges them. */
    for (unsigned pdn_type = 0; pdn_type < 16; pdn_type++) {
        char digits[20];
        struct text t = text_in(digits, sizeof(digits));
        text_add(&t, "0201d0%x1", pdn_type);
        assert_int_equal(decode(digits, EPS_UPLINK), 0);
        assert_int_equal(m.pdn_connectivity_request->pdn_type, pdn_type);
    }
    assert_int_equal(decode("5201c1 0109 0908696e7465726e6574 050000000000", EPS_DOWNLINK),
                     -EBADMSG);
    assert_string_equal(fault.ie, "pdn_address");
    /* An ESM container that is longer than its message, and one that is empty. */
    assert_int_equal(decode("0741 71 080910101032547608 02f070 ffff0201d011", EPS_UPLINK),
                     -EBADMSG);
    assert_int_equal(decode("0741 71 080910101032547608 02f070 0000", EPS_UPLINK), -EBADMSG);
    /* An APN whose label runs past its end: optional, so not present. */
    assert_int_equal(decode("0201da 2804ff696e74 270180", EPS_UPLINK), 0);
    assert_null(m.esm_information_response->apn);
    assert_int_equal(m.esm_information_response->pco->len, 1);
}

static void what_cannot_be_coded_is_refused(void **state)
{
    (void)state;
    uint8_t out[64];
    struct nas_identity_response response = {
        .mobile_identity = {.kind = NAS_IDENTITY_IMSI, .imsi = "12345"}};
    struct nas_message bad[] = {
        {.type = (enum nas_message_type)0x40},
        {.type = NAS_ATTACH_REQUEST}, /* without a body */
        {.type = NAS_SERVICE_REQUEST},
        {.type = NAS_IDENTITY_RESPONSE, .identity_response = &response},
        {.type = NAS_IDENTITY_REQUEST, .identity_request = &(struct nas_identity_request){16}},
        {.type = NAS_AUTHENTICATION_RESPONSE,
         .authentication_response = &(struct nas_authentication_response){bytes_of("abc", 3)}},
        {.type = NAS_AUTHENTICATION_RESPONSE,
         .authentication_response =
             &(struct nas_authentication_response){bytes_of("seventeen octets.", 17)}},
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct writer w = writer_of(out, sizeof(out));
        nas_encode(&w, &bad[i]);
        assert_true(w.bad);
    }
}

static void pdus_are_printed_for_the_trace(void **state)
{
    (void)state;
    static const struct {
        const char *pdu, *printed;
    } pdus[] = {
        {"c700", "malformed nas c700"},
        {"c76bbeef", "service request ksi=3 sequence_number=11 short_mac=beef"},
        {"3780eb034800075d010002f070", "security=3 mac=80eb0348 sequence_number=0 security mode "
                                       "command selected_eia=1 selected_eea=0 "
                                       "nas_ksi=0 replayed_ue_security_capabilities=f070"},
        {"478af2cffe00075e", "security=4 mac=8af2cffe sequence_number=0 ciphered 075e"},
        {"0755f1", "identity request identity_type=1"},
        {"0741", "attach request fault: cause=96 element=eps_attach_type 0741"},
        {"0740aa", "unknown fault: cause=97 element=- 0740aa"},
        {"170000000000"
         "1741",
         "security=1 mac=00000000 sequence_number=0 1741"},
    };

    for (unsigned i = 0; i < sizeof(pdus) / sizeof(pdus[0]); i++) {
        char printed[512];
        struct text t = text_in(printed, sizeof(printed));
        nas_print_pdu(&t, hex(pdus[i].pdu), EPS_DOWNLINK, &arena);
        assert_string_equal(printed, pdus[i].printed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_messages_come_back_as_they_were),
        cmocka_unit_test(an_attach_request_with_most_of_what_phones_send),
        cmocka_unit_test(an_attach_accept_is_built_from_its_parts),
        cmocka_unit_test(a_default_bearer_is_asked_for),
        cmocka_unit_test(messages_without_elements_need_no_body),
        cmocka_unit_test(detach_requests_differ_by_direction),
        cmocka_unit_test(a_service_request_has_four_octets),
        cmocka_unit_test(unknown_elements_are_stepped_over),
        cmocka_unit_test(comprehension_required_is_a_fault),
        cmocka_unit_test(repeated_and_out_of_sequence_elements_are_ignored),
        cmocka_unit_test(incorrect_optional_elements_are_not_present),
        cmocka_unit_test(longer_elements_are_no_error),
        cmocka_unit_test(mandatory_faults_name_the_element),
        cmocka_unit_test(unknown_types_are_non_existent),
        cmocka_unit_test(what_is_too_short_or_of_another_protocol_is_ignored),
        cmocka_unit_test(inputs_known_to_crash_others),
        cmocka_unit_test(what_cannot_be_coded_is_refused),
        cmocka_unit_test(pdus_are_printed_for_the_trace),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
