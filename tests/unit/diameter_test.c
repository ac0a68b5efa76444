/*
 * diameter_test.c -- the Diameter codec against hand-made bytes, its bounds, and itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "diameter_sample.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* Hexadecimal text to bytes in the arena. */
static struct bytes hex(const char *digits)
{
    uint8_t *at = arena_alloc(&arena, strlen(digits) / 2 + 1);
    int n = hex_parse(digits, at, strlen(digits) / 2 + 1);

    assert_true(n >= 0);
    return bytes_of(at, (size_t)n);
}

static void assert_bytes(struct bytes is, struct bytes expected)
{
    assert_int_equal(is.len, expected.len);
    if (expected.len > 0)
        assert_memory_equal(is.at, expected.at, expected.len);
}

static void assert_text(struct bytes is, const char *expected)
{
    assert_bytes(is, diameter_text_of(expected));
}

/* ---- Base protocol ---- */

/* A CER put together by hand from RFC 6733 clauses 3, 4.1 and 5.3.1. */
static void cer_by_hand(void **state)
{
    (void)state;
    /* Origin-Host "mme.test", Origin-Realm "test", Host-IP-Address 127.0.0.1, Vendor-Id 0,
     * Product-Name "x", Supported-Vendor-Id 10415, VSAI {10415, S6a}. */
    static const char whole[] = "01 000084 80 000101 00000000 11223344 55667788"
                                "00000108 40 000010 6d6d652e74657374"
                                "00000128 40 00000c 74657374"
                                "00000101 40 00000e 0001 7f000001 0000"
                                "0000010a 40 00000c 00000000"
                                "0000010d 00 000009 78 000000"
                                "00000109 40 00000c 000028af"
                                "00000104 40 000020 0000010a 40 00000c 000028af"
                                "                   00000102 40 00000c 01000023";
    const struct diameter_header header = {.hop_by_hop = 0x11223344, .end_to_end = 0x55667788};
    struct diameter_capabilities cer = {
        .origin_host = diameter_text_of("mme.test"),
        .origin_realm = diameter_text_of("test"),
        .host_ip_address = {&(struct diameter_address){.family = DIAMETER_ADDRESS_IPV4,
                                                       .ipv4.s_addr = htonl(INADDR_LOOPBACK)},
                            1},
        .product_name = diameter_text_of("x"),
        .supported_vendor_id = {&(uint32_t){DIAMETER_VENDOR_3GPP}, 1},
        .vendor_application = {&(struct diameter_vendor_application){
                                   .vendor_id = {&(uint32_t){DIAMETER_VENDOR_3GPP}, 1},
                                   .auth_application_id = &(uint32_t){DIAMETER_APPLICATION_S6A}},
                               1},
    };
    uint8_t buffer[256];
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct bytes expected = hex(whole);

    diameter_encode(&w, &diameter_cer_message, &header, &cer);
    assert_false(w.bad);
    assert_bytes(wr_view(&w), expected);

    struct diameter_capabilities decoded;
    struct wire_context context = {.arena = &arena};
    assert_int_equal(diameter_decode(&diameter_cer_message, expected, &decoded, &context), 0);
    assert_text(decoded.origin_host, "mme.test");
    assert_text(decoded.origin_realm, "test");
    assert_int_equal(decoded.host_ip_address.count, 1);
    assert_int_equal(decoded.host_ip_address.at[0].ipv4.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(decoded.vendor_application.count, 1);
    assert_int_equal(*decoded.vendor_application.at[0].auth_application_id, 16777251);
    assert_int_equal(decoded.auth_application_id.count, 0);
    assert_null(decoded.firmware_revision);
}

static void header_fields(void **state)
{
    (void)state;
    struct bytes bytes = hex("01 000014 d0 00013e 01000023 a1a2a3a4 b1b2b3b4");
    struct reader r = reader_of_bytes(bytes);
    struct diameter_header header = diameter_read_header(&r);

    assert_false(r.bad);
    assert_int_equal(header.version, 1);
    assert_int_equal(header.length, 20);
    assert_int_equal(header.flags,
                     DIAMETER_FLAG_REQUEST | DIAMETER_FLAG_PROXIABLE | DIAMETER_FLAG_RETRANSMITTED);
    assert_int_equal(header.command, S6A_AUTHENTICATION_INFORMATION);
    assert_int_equal(header.application, DIAMETER_APPLICATION_S6A);
    assert_int_equal(header.hop_by_hop, 0xa1a2a3a4);
    assert_int_equal(header.end_to_end, 0xb1b2b3b4);
    for (size_t len = 0; len < 20; len++) {
        struct reader cut = reader_of(bytes.at, len);
        (void)diameter_read_header(&cut);
        assert_true(cut.bad);
    }
}

/* ---- S6a ---- */

static const char air_hex[] =
    "01 000110 c0 00013e 01000023 00000001 00000002"
    "00000107 40 000011 6d6d653b313b323b33 000000" /* mme;1;2;3 */
    "00000115 40 00000c 00000001"
    "00000108 40 000010 6d6d652e74657374"
    "00000128 40 00000c 74657374"
    "0000011b 40 00000c 74657374"
    "00000001 40 000017 303031303130313233343536373839 00"
    "00000580 c0 000048 000028af"
    "  00000582 c0 000010 000028af 00000002"
    "  00000583 c0 00002a 000028af"
    "    000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d 0000"
    "0000057f c0 00000f 000028af 00f110 00"
    "0000011a 40 00000e 70726f787931 0000" /* Route-Record proxy1 */
    "00007777 80 000010 000028af 01020304" /* unknown, no M bit: ignored */;

static struct bytes air(void)
{
    struct bytes bytes = hex(air_hex);
    struct writer w = writer_of((uint8_t *)(uintptr_t)bytes.at, bytes.len);

    w.at = w.end;
    wr_patch_u24(&w, 1, (uint32_t)bytes.len);
    return bytes;
}

static void air_by_hand(void **state)
{
    (void)state;
    struct s6a_air message;
    struct wire_context context = {.arena = &arena};

    assert_int_equal(diameter_decode(&s6a_air_message, air(), &message, &context), 0);
    assert_text(message.head.session_id, "mme;1;2;3");
    assert_int_equal(message.head.auth_session_state, DIAMETER_NO_STATE_MAINTAINED);
    assert_null(message.head.destination_host);
    assert_text(message.head.destination_realm, "test");
    assert_string_equal(message.imsi, "001010123456789");
    assert_int_equal(message.visited_plmn_id.mcc, 1);
    assert_int_equal(message.visited_plmn_id.mnc, 1);
    assert_int_equal(message.visited_plmn_id.mnc_digits, 2);
    const struct s6a_requested_authentication_info *info =
        message.requested_eutran_authentication_info;
    assert_non_null(info);
    assert_int_equal(*info->number_of_requested_vectors, 2);
    assert_null(info->immediate_response_preferred);
    assert_int_equal(info->re_synchronization_info->rand[15], 0x0f);
    assert_int_equal(info->re_synchronization_info->auts[13], 0x1d);
    assert_int_equal(message.head.route_record.count, 1);
    assert_text(message.head.route_record.at[0], "proxy1");
}

static void ula_by_hand(void **state)
{
    (void)state;
    struct s6a_eps_subscribed_qos_profile qos = {
        .qos_class_identifier = 9,
        .allocation_retention_priority = {.priority_level = 8,
                                          .pre_emption_capability = &(uint32_t){1},
                                          .pre_emption_vulnerability = &(uint32_t){0}}};
    struct s6a_apn_configuration apn = {
        .context_identifier = 1,
        .pdn_type = S6A_PDN_IPV4,
        .service_selection = "internet",
        .eps_subscribed_qos_profile = &qos,
        .served_party_ip_address = {&(struct diameter_address){.family = DIAMETER_ADDRESS_IPV4,
                                                               .ipv4.s_addr = htonl(0x0a2d0007)},
                                    1},
    };
    struct s6a_ambr ambr = {50000000, 100000000, NULL, NULL};
    struct s6a_apn_configuration_profile profile = {
        .context_identifier = 1,
        .apn_configuration = {&apn, 1},
    };
    char msisdn[MSISDN_SIZE] = "491711234567";
    struct s6a_subscription_data data = {
        .subscriber_status = &(uint32_t){S6A_SERVICE_GRANTED},
        .msisdn = &msisdn,
        .ambr = &ambr,
        .apn_configuration_profile = &profile,
    };
    struct diameter_result_place place;
    struct s6a_ula ula = {
        .head = {.session_id = diameter_text_of("s"),
                 .origin_host = diameter_text_of("hss.test"),
                 .origin_realm = diameter_text_of("test")},
        .ula_flags = &(uint32_t){S6A_ULA_SEPARATION_INDICATION},
        .subscription_data = &data,
    };
    uint8_t buffer[1024];
    struct writer w = writer_of(buffer, sizeof(buffer));

    diameter_set_result(&ula.head, &place, DIAMETER_SUCCESS);
    diameter_encode(&w, &s6a_ula_message, &(struct diameter_header){0}, &ula);
    assert_false(w.bad);

    struct s6a_ula decoded;
    struct wire_context context = {.arena = &arena};
    assert_int_equal(diameter_decode(&s6a_ula_message, wr_view(&w), &decoded, &context), 0);
    assert_int_equal(diameter_result_of(&decoded.head), DIAMETER_SUCCESS);
    const struct s6a_subscription_data *d = decoded.subscription_data;
    assert_string_equal(*d->msisdn, "491711234567");
    assert_int_equal(s6a_ambr_ul(d->ambr), 50000000);
    assert_int_equal(s6a_ambr_dl(d->ambr), 100000000);
    const struct s6a_apn_configuration *a = &d->apn_configuration_profile->apn_configuration.at[0];
    assert_string_equal(a->service_selection, "internet");
    assert_int_equal(a->served_party_ip_address.at[0].ipv4.s_addr, htonl(0x0a2d0007));
    assert_int_equal(
        *a->eps_subscribed_qos_profile->allocation_retention_priority.pre_emption_vulnerability, 0);
    /* MSISDN as it must lie on the wire: telephony BCD with the V and M bits. */
    struct bytes msisdn_avp = hex("000002bd c0 000012 000028af 947111325476 0000");
    assert_non_null(memmem(buffer, wr_len(&w), msisdn_avp.at, msisdn_avp.len));
    struct bytes ambr_avp = hex("0000059b c0 00002c 000028af"
                                "00000204 c0 000010 000028af 02faf080"
                                "00000203 c0 000010 000028af 05f5e100");
    assert_non_null(memmem(buffer, wr_len(&w), ambr_avp.at, ambr_avp.len));
}

static void extended_bandwidth(void **state)
{
    (void)state;
    uint32_t kbits = 10000000; /* 10 Gbit/s */
    struct s6a_ambr ambr = {UINT32_MAX, 1000, &kbits, &kbits};

    assert_int_equal(s6a_ambr_ul(&ambr), UINT64_C(10000000000));
    assert_int_equal(s6a_ambr_dl(&ambr), 1000);
}

/* ---- Faults ---- */

/* A PUR whose AVPs are the common ones and then `more`. */
static struct bytes pur_with(const char *more)
{
    static const char common[] = "01 000000 c0 000141 01000023 00000001 00000002"
                                 "00000107 40 000009 73 000000"
                                 "00000115 40 00000c 00000001"
                                 "00000108 40 000010 6d6d652e74657374"
                                 "00000128 40 00000c 74657374"
                                 "0000011b 40 00000c 74657374";
    char *digits = arena_alloc(&arena, sizeof(common) + strlen(more) + 1);

    strcpy(digits, common);
    strcat(digits, more);
    return hex(digits);
}

static uint32_t fault_of(const char *more, struct bytes *failed)
{
    struct s6a_pur pur;
    struct wire_context context = {.arena = &arena};

    assert_int_equal(diameter_decode(&s6a_pur_message, pur_with(more), &pur, &context), -EBADMSG);
    *failed = diameter_fault_avp(&context.fault, &arena);
    return diameter_fault_result(&context.fault);
}

#define IMSI_AVP "00000001 40 000017 303031303130313233343536373839 00"

static void faults_and_failed_avp(void **state)
{
    (void)state;
    struct bytes failed;

    assert_int_equal(fault_of("", &failed), DIAMETER_MISSING_AVP);
    assert_bytes(failed, hex("00000001 40 000008"));

    /* PUR-Flags with three octets: the length is wrong for Unsigned32. */
    assert_int_equal(fault_of(IMSI_AVP "00000663 80 00000f 000028af 000001 00", &failed),
                     DIAMETER_INVALID_AVP_LENGTH);
    assert_bytes(failed, hex("00000663 80 00000f 000028af 000001 00"));

    /* A User-Name that is no IMSI: the value is wrong. */
    assert_int_equal(fault_of("00000001 40 00000b 616263 00", &failed), DIAMETER_INVALID_AVP_VALUE);
    assert_bytes(failed, hex("00000001 40 00000b 616263 00"));

    /* Unknown AVP with the M bit. */
    assert_int_equal(fault_of(IMSI_AVP "00007777 c0 000010 000028af 01020304", &failed),
                     DIAMETER_AVP_UNSUPPORTED);
    assert_bytes(failed, hex("00007777 c0 000010 000028af 01020304"));

    /* User-Name twice. */
    assert_int_equal(fault_of(IMSI_AVP IMSI_AVP, &failed), DIAMETER_AVP_OCCURS_TOO_MANY_TIMES);
    assert_bytes(failed, hex(IMSI_AVP));

    /* An AVP that runs past the end of the message. */
    assert_int_equal(fault_of(IMSI_AVP "00000663 80 0000ff 000028af 00000001", &failed),
                     DIAMETER_INVALID_AVP_LENGTH);
    assert_bytes(failed, hex("00000663 c0 000010 000028af 00000000"));

    /* An AVP shorter than its header. */
    assert_int_equal(fault_of(IMSI_AVP "00000663 80 000007 000028af", &failed),
                     DIAMETER_INVALID_AVP_LENGTH);
    assert_int_equal(fault_of(IMSI_AVP "00000663 80 000008 000028af", &failed),
                     DIAMETER_INVALID_AVP_LENGTH);
    assert_int_equal(fault_of(IMSI_AVP "00000663 80", &failed), DIAMETER_INVALID_AVP_LENGTH);
}

static void known_but_useless_is_ignored(void **state)
{
    (void)state;
    struct s6a_pur pur;
    struct wire_context context = {.arena = &arena};
    /* Active-APN (dictionary) and MSISDN (another message's table), both with the M bit. */
    struct bytes whole = pur_with(IMSI_AVP "0000064c c0 00000c 000028af"
                                           "000002bd c0 00000d 000028af 94 000000");

    assert_int_equal(diameter_decode(&s6a_pur_message, whole, &pur, &context), 0);
    assert_string_equal(pur.imsi, "001010123456789");
}

static void answers_are_read_leniently(void **state)
{
    (void)state;
    struct bytes whole = hex("01 000068 40 000141 01000023 00000001 00000002"
                             "00000107 40 000009 73 000000"
                             "00000108 40 000010 6873732e74657374"
                             "00000128 40 00000c 74657374"
                             "0000010c 40 00000c 000007d1"
                             "0000010c 40 00000c 000007d1"
                             "00007777 c0 000010 000028af 01020304");
    struct s6a_pua pua;
    struct wire_context context = {.arena = &arena};

    assert_int_equal(diameter_decode(&s6a_pua_message, whole, &pua, &context), 0);
    assert_int_equal(diameter_result_of(&pua.head), DIAMETER_SUCCESS);
}

/* A list whose elements stand apart, with an AVP of another vendor in between: its room is counted
 * before it is filled. */
static void list_in_pieces(void **state)
{
    (void)state;
    struct s6a_pur pur;
    struct wire_context context = {.arena = &arena};
    struct bytes whole = pur_with(IMSI_AVP "0000011a 40 000009 61 000000"
                                           "00000663 80 000010 000028af 00000001"
                                           "0000011a 40 000009 62 000000"
                                           "0000011a 40 000009 63 000000");

    assert_int_equal(diameter_decode(&s6a_pur_message, whole, &pur, &context), 0);
    assert_int_equal(pur.head.route_record.count, 3);
    assert_text(pur.head.route_record.at[0], "a");
    assert_text(pur.head.route_record.at[1], "b");
    assert_text(pur.head.route_record.at[2], "c");
    assert_int_equal(*pur.pur_flags, 1);
}

static void last_padding_may_be_missing(void **state)
{
    (void)state;
    struct s6a_pur pur;
    struct wire_context context = {.arena = &arena};
    struct bytes whole = pur_with("00000001 40 000017 303031303130313233343536373839");

    assert_int_equal(diameter_decode(&s6a_pur_message, whole, &pur, &context), 0);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    /* Failed-AVP is not looked into, and groups nest only as far as the tables do; a
     * Supported-Features in itself is unknown there. */
    struct bytes failed;

    assert_int_equal(
        fault_of(IMSI_AVP "00000274 80 000018 000028af 00000274 c0 00000c 000028af", &failed),
        DIAMETER_MISSING_AVP);
}

static void results(void **state)
{
    (void)state;
    struct diameter_answer_head head = {0};
    struct diameter_result_place place;

    assert_int_equal(diameter_result_of(&head), DIAMETER_RESULT_ABSENT);
    diameter_set_result(&head, &place, DIAMETER_ERROR_USER_UNKNOWN);
    assert_null(head.result_code);
    assert_int_equal(head.experimental_result->vendor_id, 10415);
    assert_int_equal(head.experimental_result->code, 5001);
    assert_int_equal(diameter_result_of(&head), DIAMETER_ERROR_USER_UNKNOWN);
    diameter_set_result(&head, &place, DIAMETER_MISSING_AVP);
    assert_null(head.experimental_result);
    assert_int_equal(diameter_result_of(&head), 5005);
    assert_string_equal(diameter_result_name(DIAMETER_ERROR_RAT_NOT_ALLOWED),
                        "DIAMETER_ERROR_RAT_NOT_ALLOWED");
    assert_string_equal(diameter_result_name(9), "?");
    assert_true(diameter_result_is_success(2002));
    assert_false(diameter_result_is_success(DIAMETER_ERROR_USER_UNKNOWN));
    assert_true(diameter_result_is_protocol_error(3002));
    assert_false(diameter_result_is_protocol_error(DIAMETER_3GPP(3002)));
}

/* ---- Envelope and refusals ---- */

static void envelope_of_request(void **state)
{
    (void)state;
    struct diameter_envelope envelope;

    assert_int_equal(diameter_scan(air(), &envelope), 0);
    assert_text(envelope.session_id, "mme;1;2;3");
    assert_text(envelope.user_name, "001010123456789");
    assert_text(envelope.origin_host, "mme.test");
    assert_int_equal(envelope.destination_host.len, 0);
    assert_text(envelope.destination_realm, "test");
    assert_false(envelope.broken);
    assert_true(diameter_has_passed(&envelope, diameter_text_of("PROXY1")));
    assert_false(diameter_has_passed(&envelope, diameter_text_of("proxy2")));
}

static void refusal_without_knowing_the_command(void **state)
{
    (void)state;
    struct bytes request = hex("01 000058 c0 00ffff 00000009 00000001 00000002"
                               "00000107 40 000009 73 000000"
                               "0000011c 40 000018 70726f78 79 2d 69 6e 66 6f 2d 31 2d 2d 2d 2d"
                               "00000108 40 000010 6d6d652e74657374"
                               "00000128 40 00000c 74657374");
    struct diameter_envelope envelope;
    uint8_t buffer[256];
    struct writer w = writer_of(buffer, sizeof(buffer));

    assert_int_equal(diameter_scan(request, &envelope), 0);
    diameter_encode_refusal(&w, &envelope,
                            &(struct diameter_refusal){
                                .origin_host = diameter_text_of("hss.test"),
                                .origin_realm = diameter_text_of("test"),
                                .result = DIAMETER_APPLICATION_UNSUPPORTED,
                                .error_message = diameter_text_of("no"),
                            });
    assert_false(w.bad);
    assert_bytes(wr_view(&w),
                 hex("01 00006c 60 00ffff 00000009 00000001 00000002"
                     "00000107 40 000009 73 000000"
                     "0000010c 40 00000c 00000bbf"
                     "00000108 40 000010 6873732e74657374"
                     "00000128 40 00000c 74657374"
                     "00000119 00 00000a 6e6f 0000"
                     "0000011c 40 000018 70726f78 79 2d 69 6e 66 6f 2d 31 2d 2d 2d 2d"));
}

static void error_answer_form(void **state)
{
    (void)state;
    /* Without Session-Id's companions that a ULA needs, but with the E bit. */
    struct bytes whole = hex("01 000048 60 00013c 01000023 00000001 00000002"
                             "00000108 40 000010 6873732e74657374"
                             "00000128 40 00000c 74657374"
                             "0000010c 40 00000c 00000bba"
                             "00000119 00 00000a 6e6f 0000");
    struct s6a_ula ula;
    struct wire_context context = {.arena = &arena};

    memset(&ula, 0xff, sizeof(ula));
    assert_int_equal(diameter_decode(&s6a_ula_message, whole, &ula, &context), 0);
    assert_int_equal(diameter_result_of(&ula.head), DIAMETER_UNABLE_TO_DELIVER);
    assert_text(*ula.head.error_message, "no");
    assert_null(ula.subscription_data);
    assert_int_equal(ula.supported_features.count, 0);
}

/* A request with the E bit has the request's form all the same; its struct has no room for another.
 */
static void error_bit_in_request(void **state)
{
    (void)state;
    struct bytes bytes = air();
    uint8_t *copy = arena_alloc(&arena, bytes.len);
    struct s6a_air *message = malloc(sizeof(*message)); /* of exactly this size */
    struct wire_context context = {.arena = &arena};
    char line[2048];
    struct text t = text_in(line, sizeof(line));

    memcpy(copy, bytes.at, bytes.len);
    copy[4] |= DIAMETER_FLAG_ERROR;
    assert_int_equal(
        diameter_decode(&s6a_air_message, bytes_of(copy, bytes.len), message, &context), 0);
    assert_string_equal(message->imsi, "001010123456789");
    diameter_print(bytes_of(copy, bytes.len), &t, &arena);
    assert_non_null(strstr(line, "AIR (error) Session-Id=mme;1;2;3"));
    free(message);
}

/* ---- All tables ---- */

static void round_trips(void **state)
{
    (void)state;
    const struct diameter_message *message;
    size_t n;

    for (n = 0; (message = sample_message(n)) != NULL; n++) {
        const struct diameter_header header = {.hop_by_hop = 0x01020304, .end_to_end = 0x05060708};
        struct bytes bytes = sample_bytes(message, &arena);
        struct wire_context context = {.arena = &arena};
        void *decoded = arena_alloc(&arena, message->group->size);
        uint8_t again[8192];
        struct writer w = writer_of(again, sizeof(again));

        assert_true(bytes.len > DIAMETER_HEADER_SIZE);
        assert_int_equal(bytes.len % 4, 0);
        assert_int_equal(diameter_decode(message, bytes, decoded, &context), 0);
        diameter_encode(&w, message, &header, decoded);
        assert_bytes(wr_view(&w), bytes);
        assert_ptr_equal(
            diameter_message_find(message->application, message->command, message->answer != NULL),
            message);
        arena_reset(&arena);
    }
    assert_int_equal(n, 22);
    assert_null(diameter_message_find(DIAMETER_APPLICATION_S6A, 1, true));
    assert_null(diameter_message_find(4, S6A_NOTIFY, true));
    assert_true(diameter_application_is_known(DIAMETER_APPLICATION_S6A));
    assert_false(diameter_application_is_known(4));
}

/* Every prefix, in a block of exactly its size, so that a read past the end is seen by the
 * sanitizer. */
static void truncation(void **state)
{
    (void)state;
    const struct diameter_message *message;

    for (size_t n = 0; (message = sample_message(n)) != NULL; n++) {
        struct bytes bytes = sample_bytes(message, &arena);
        for (size_t len = 0; len < bytes.len; len++) {
            uint8_t *cut = malloc(len ? len : 1);
            struct arena small;
            struct diameter_envelope envelope;
            char line[4096];
            struct text t = text_in(line, sizeof(line));
            memcpy(cut, bytes.at, len);
            arena_init(&small, 1 << 18);
            struct wire_context context = {.arena = &small};
            void *decoded = arena_alloc(&small, message->group->size);
            (void)diameter_decode(message, bytes_of(cut, len), decoded, &context);
            (void)diameter_scan(bytes_of(cut, len), &envelope);
            diameter_print(bytes_of(cut, len), &t, &small);
            arena_free(&small);
            free(cut);
        }
        arena_reset(&arena);
    }
}

static void no_room(void **state)
{
    (void)state;
    const struct diameter_message *message;

    for (size_t n = 0; (message = sample_message(n)) != NULL; n++) {
        void *value = arena_alloc(&arena, message->group->size);
        struct bytes bytes = sample_bytes(message, &arena);
        sample_group(message->group, value, &arena);
        for (size_t size = 0; size < bytes.len; size += 3) {
            uint8_t *exact = malloc(size ? size : 1);
            struct writer w = writer_of(exact, size);
            diameter_encode(&w, message, &(struct diameter_header){0}, value);
            assert_true(w.bad);
            free(exact);
        }
        arena_reset(&arena);
    }
}

static void small_arena(void **state)
{
    (void)state;
    struct bytes bytes = sample_bytes(&s6a_ula_message, &arena);

    for (size_t limit = 0; limit < 2000; limit += 100) {
        struct arena small;
        arena_init(&small, limit);
        struct wire_context context = {.arena = &small};
        struct s6a_ula ula;
        int err = diameter_decode(&s6a_ula_message, bytes, &ula, &context);
        if (err < 0) {
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(diameter_fault_result(&context.fault), DIAMETER_OUT_OF_SPACE);
        }
        arena_free(&small);
    }
}

static void printing_hides_secrets(void **state)
{
    (void)state;
    static char line[16384];
    struct text t = text_in(line, sizeof(line));

    diameter_print(sample_bytes(&s6a_aia_message, &arena), &t, &arena);
    assert_non_null(strstr(line, "AIA Session-Id=12345678901234"));
    assert_non_null(strstr(line, "KASME=(secret)"));
    assert_null(strstr(line, "5a5a"));
    t = text_in(line, sizeof(line));
    diameter_print(air(), &t, &arena);
    assert_non_null(strstr(line, "AIR Session-Id=mme;1;2;3"));
    assert_non_null(strstr(line, "User-Name=001010123456789"));
    assert_non_null(strstr(line, "Visited-PLMN-Id=00101"));
    assert_non_null(strstr(line, "Re-Synchronization-Info=(secret)"));
    t = text_in(line, sizeof(line));
    diameter_print(hex("01 000014 80 00ffff 00000009 00000001 00000002"), &t, &arena);
    assert_string_equal(line, "command 65535 of application 9 (request)");
}

static void assert_known(const struct wire_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct wire_ie *row = &group->rows[i];
        const char *name = diameter_avp_name(row->vendor, row->id);
        assert_non_null(name);
        assert_string_equal(name, row->name);
        if (row->type->group)
            assert_known(row->type->group);
    }
}

/* The dictionary is searched by halves: every AVP of every table is found only if it is in order.
 */
static void dictionary_is_complete(void **state)
{
    (void)state;
    const struct diameter_message *message;

    for (size_t n = 0; (message = sample_message(n)) != NULL; n++)
        assert_known(message->group);
    assert_known(&diameter_error_answer_group);
    assert_string_equal(diameter_avp_name(0, 33), "Proxy-State");
    assert_string_equal(diameter_avp_name(10415, 28), "External-Identifier");
    assert_string_equal(diameter_avp_name(10415, 4324), "Active-Time");
    assert_null(diameter_avp_name(10415, 1));
    assert_null(diameter_avp_name(0, 0));
    assert_null(diameter_avp_name(UINT32_MAX, UINT32_MAX));
}

static void identities(void **state)
{
    (void)state;
    assert_true(
        diameter_identity_equal(diameter_text_of("HSS.Example"), diameter_text_of("hss.example")));
    assert_false(diameter_identity_equal(diameter_text_of("hss"), diameter_text_of("hsse")));
    assert_true(diameter_identity_equal(diameter_text_of(NULL), diameter_text_of("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cer_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(header_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(air_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ula_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(extended_bandwidth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(faults_and_failed_avp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(known_but_useless_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_are_read_leniently, set_up, tear_down),
        cmocka_unit_test_setup_teardown(list_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(last_padding_may_be_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results, set_up, tear_down),
        cmocka_unit_test_setup_teardown(envelope_of_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusal_without_knowing_the_command, set_up, tear_down),
        cmocka_unit_test_setup_teardown(error_answer_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(error_bit_in_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(round_trips, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truncation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(small_arena, set_up, tear_down),
        cmocka_unit_test_setup_teardown(printing_hides_secrets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dictionary_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(identities, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
