/*
 * s1ap_test.c -- S1AP messages: encodings worked out by hand from TS 36.413 clause 9.3 and X.691,
 * the tables against the C structs, and random messages of every kind there and back.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "s1ap_generate.h"

static uint8_t buffer[400000];
static char line[100000], other_line[100000];

/* Encodes `body` to exactly `hex`, and decodes `hex` to something that encodes to it again. */
static void assert_encodes_to(enum s1ap_message message, const void *body, const char *hex)
{
    uint8_t expected[500];
    int len = hex_parse(hex, expected, sizeof(expected));
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct arena arena;
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    assert_true(len > 0);
    assert_int_equal(s1ap_encode(&w, message, body), 0);
    assert_int_equal(wr_len(&w), len);
    assert_memory_equal(buffer, expected, (size_t)len);

    arena_init(&arena, 100000);
    assert_int_equal(s1ap_decode(bytes_of(expected, (size_t)len), &arena, &pdu, &report), 0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(pdu.message, message);
    w = writer_of(buffer, sizeof(buffer));
    assert_int_equal(s1ap_encode(&w, pdu.message, pdu.body), 0);
    assert_int_equal(wr_len(&w), len);
    assert_memory_equal(buffer, expected, (size_t)len);
    arena_free(&arena);
}

static const struct plmn test_plmn = {1, 1, 2};

static void s1_setup_by_hand(void **state)
{
    struct plmn plmn = test_plmn;
    struct s1ap_supported_ta ta = {.tac = 7, .broadcast_plmns = {&plmn, 1}};
    struct s1ap_s1_setup_request request = {
        .global_enb_id = {test_plmn, {S1AP_ENB_ID_MACRO, 0x19b}},
        .supported_tas = {&ta, 1},
        .default_paging_drx = S1AP_PAGING_DRX_V128,
    };
    struct s1ap_s1_setup_failure failure = {
        .cause = s1ap_cause_misc(S1AP_MISC_UNKNOWN_PLMN),
        .time_to_wait = &(enum s1ap_time_to_wait){S1AP_TIME_TO_WAIT_10S},
    };

    (void)state;
    assert_encodes_to(S1AP_S1_SETUP_REQUEST, &request,
                      "00 11 00 1f  00 0003"
                      "003b 00 08  00 00f110 00 0019b0" /* PLMN, macro, 20 bits */
                      "0040 00 07  00 0001c0 00f110"    /* 1 TA; 00, TAC, 000: 1 PLMN; PLMN */
                      "0089 40 01  40");                /* 0 10 */
    assert_encodes_to(S1AP_S1_SETUP_FAILURE, &failure,
                      "40 11 00 0d  00 0002"
                      "0002 40 01  45"   /* 0 100 0 101: misc, unknown PLMN */
                      "0041 40 01  30"); /* 0 011: 10 s */
}

static void ue_messages_by_hand(void **state)
{
    struct tai tai = {test_plmn, 7};
    struct s1ap_paging paging = {
        .ue_identity_index_value = 5,
        .ue_paging_id = {.kind = S1AP_PAGE_BY_S_TMSI, .s_tmsi = {1, 0xdeadbeef}},
        .cn_domain = S1AP_CN_DOMAIN_PS,
        .tai_list = {&tai, 1},
    };
    struct s1ap_ue_context_release_command release = {
        .ue_s1ap_ids = {S1AP_UE_S1AP_ID_PAIR, 1, 2},
        .cause = s1ap_cause_nas(S1AP_NAS_NORMAL_RELEASE),
    };
    struct s1ap_error_indication error = {
        .mme_ue_s1ap_id = &(uint32_t){1},
        .enb_ue_s1ap_id = &(uint32_t){2},
        .cause = &(struct s1ap_cause){S1AP_CAUSE_PROTOCOL, S1AP_PROTOCOL_TRANSFER_SYNTAX_ERROR},
    };

    (void)state;
    assert_encodes_to(S1AP_PAGING, &paging,
                      "00 0a 40 27  00 0004"
                      "0050 40 02  0140"          /* ten bits */
                      "002b 40 06  0010 deadbeef" /* 0 0 00, MME code 8 bits, aligned M-TMSI */
                      "006d 40 01  00"
                      "002e 40 0b  00  002f 40 06  00 00f110 0007");
    assert_encodes_to(S1AP_UE_CONTEXT_RELEASE_COMMAND, &release,
                      "00 17 00 10  00 0002"
                      "0063 00 04  00 01 00 02" /* 0 0 00 00, 1; 00, 2 */
                      "0002 40 01  20");        /* 0 010 0 00 */
    assert_encodes_to(S1AP_ERROR_INDICATION, &error,
                      "00 0f 40 14  00 0003"
                      "0000 40 02  0001"
                      "0008 40 02  0002"
                      "0002 40 01  30"); /* 0 011 0 000 */
}

static void extension_values_by_hand(void **state)
{
    struct s1ap_handover_cancel cancel = {
        .mme_ue_s1ap_id = 0x12345678,
        .enb_ue_s1ap_id = 0xffffff,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_INVALID_CSG_ID),
    };

    (void)state;
    assert_encodes_to(S1AP_HANDOVER_CANCEL, &cancel,
                      "00 04 00 1a  00 0003"
                      "0000 00 05  c0 12345678" /* 4 octets: 11 */
                      "0008 00 04  80 ffffff"   /* 3 octets: 10 */
                      "0002 40 02  0820");      /* 0 000 1 0 000010: extension value 2 */
}

/* ---- the tables ---- */

static void check_type(const struct aper_type *type);

static void check_part(const char *name, const struct aper_type *type, size_t size, size_t offset,
                       size_t whole)
{
    const struct aper_type *counted = type;

    if (aper_is_list(type))
        counted = type->ops == &aper_sequence_of ? type->element : type->item->type;
    if (counted->size != size)
        print_error("%s: %zu octets in C, %u in the table\n", name, size, counted->size);
    assert_int_equal(counted->size, size);
    assert_true(offset < whole || type->size == 0);
    check_type(type);
}

static void check_container(const struct aper_container *container, size_t whole)
{
    assert_true(container->count <= 64);
    for (unsigned i = 0; i < container->count; i++) {
        const struct aper_row *row = &container->rows[i];
        check_part(row->name, row->type, row->size, row->offset, whole);
        assert_true(row->criticality <= S1AP_CRITICALITY_NOTIFY);
        assert_int_equal(row->presence == APER_OPTIONAL_LIST,
                         aper_is_list(row->type) && row->presence != APER_MANDATORY);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(row->id, container->rows[j].id);
    }
}

static void check_type(const struct aper_type *type)
{
    assert_non_null(type->ops);
    assert_non_null(type->name);
    if (type->ops == &aper_sequence || type->ops == &aper_choice)
        for (unsigned i = 0; i < type->count; i++)
            check_part(type->fields[i].name, type->fields[i].type, type->fields[i].size,
                       type->fields[i].offset, type->size);
    if (type->ops == &aper_sequence) {
        assert_true(type->count <= 32);
        if (type->extensions)
            check_container(type->extensions, type->size);
    }
    if (type->ops == &aper_choice || type->ops == &aper_enumerated)
        assert_true(type->root >= 1 && type->root <= type->count &&
                    (type->extensible || type->root == type->count));
    if (type->ops == &aper_enumerated)
        assert_int_equal(type->size, sizeof(unsigned));
    if (type->ops == &aper_sequence_of)
        check_type(type->element);
    if (type->ops == &aper_container_list || type->ops == &aper_single)
        check_type(type->item->type);
    if (aper_is_list(type))
        assert_true(type->upper < 65536 && type->size == sizeof(aper_list));
    if (type->ops == &aper_integer && type->size < 8)
        assert_true(type->upper >> (type->size * 8) == 0);
    if (type->ops == &aper_bits)
        assert_true(type->upper <= type->size * 8u);
    if (type->ops == &aper_octets_number)
        assert_true(type->upper <= type->size);
}

static void tables_agree_with_the_structs(void **state)
{
    (void)state;
    for (unsigned i = 1; i < S1AP_MESSAGE_COUNT; i++) {
        const struct s1ap_message_entry *message = &s1ap_messages[i];
        assert_non_null(message->name);
        check_container(message->ies, message->size);
        const struct s1ap_procedure *procedure = s1ap_procedure(message->procedure_code);
        assert_non_null(procedure);
        assert_int_equal(procedure->messages[message->form], i);
    }
    for (unsigned code = 0; code < 256; code++) {
        const struct s1ap_procedure *procedure = s1ap_procedure((uint8_t)code);
        assert_int_equal(procedure != NULL,
                         code < S1AP_PROCEDURE_COUNT && code != S1AP_PROCEDURE_PRIVATE_MESSAGE);
        if (!procedure)
            continue;
        assert_int_not_equal(procedure->messages[0], S1AP_NO_MESSAGE);
        for (unsigned form = 0; form < 3; form++)
            if (procedure->messages[form] != S1AP_NO_MESSAGE)
                assert_int_equal(s1ap_messages[procedure->messages[form]].procedure_code, code);
    }
    check_type(&s1ap_type_enb_status_transfer_container);
    check_type(&s1ap_type_source_enb_to_target_enb_container);
    check_type(&s1ap_type_target_enb_to_source_enb_container);
    check_type(&s1ap_type_son_configuration_transfer);
}

static void procedures_have_names_and_classes(void **state)
{
    (void)state;
    assert_string_equal(s1ap_procedure_name(S1AP_PROCEDURE_S1_SETUP), "S1 Setup");
    assert_string_equal(s1ap_procedure_name(200), "unknown procedure");
    assert_string_equal(s1ap_message_name(S1AP_INITIAL_UE_MESSAGE), "Initial UE Message");
    assert_string_equal(s1ap_message_name((enum s1ap_message)9999), "unknown message");
    assert_true(s1ap_has_response(S1AP_PROCEDURE_UE_CONTEXT_RELEASE));
    assert_false(s1ap_has_failure(S1AP_PROCEDURE_UE_CONTEXT_RELEASE));
    assert_true(s1ap_has_failure(S1AP_PROCEDURE_INITIAL_CONTEXT_SETUP));
    assert_false(s1ap_has_response(S1AP_PROCEDURE_INITIAL_UE_MESSAGE));
    assert_false(s1ap_has_response(S1AP_PROCEDURE_PRIVATE_MESSAGE));
}

/* ---- random messages ---- */

static struct s1ap_generator generator_of(struct arena *arena, unsigned round, unsigned message)
{
    struct s1ap_generator g = {.state =
                                   88172645463325252ull + round * 1000003ull + message * 7919ull,
                               .arena = arena,
                               .few = round % 9,
                               .long_strings = round % 16 == 15};

    for (unsigned i = 0; i < 5; i++) /* neighbouring seeds drift apart */
        (void)s1ap_generate_number(&g, 0, 100);
    return g;
}

static void round_trip(unsigned round, enum s1ap_message message)
{
    static uint8_t first[4000000], second[4000000];
    struct arena making, decoding;
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    arena_init(&making, 64 << 20);
    arena_init(&decoding, 64 << 20);
    struct s1ap_generator g = generator_of(&making, round, message);
    const void *body = s1ap_generate(&g, message);
    struct writer w = writer_of(first, sizeof(first));
    assert_int_equal(s1ap_encode(&w, message, body), 0);
    assert_int_equal(s1ap_decode(wr_view(&w), &decoding, &pdu, &report), 0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(report.ignored, 0);
    assert_int_equal(pdu.message, message);
    assert_int_equal(pdu.lacking, 0);

    struct writer again = writer_of(second, sizeof(second));
    assert_int_equal(s1ap_encode(&again, pdu.message, pdu.body), 0);
    assert_int_equal(wr_len(&again), wr_len(&w));
    assert_memory_equal(first, second, wr_len(&w));

    struct text t = text_in(line, sizeof(line)), u = text_in(other_line, sizeof(other_line));
    s1ap_print_message(&t, message, body);
    s1ap_print(&u, &pdu);
    assert_string_equal(line, other_line);
    assert_true(strncmp(line, s1ap_message_name(message), strlen(s1ap_message_name(message))) == 0);
    arena_free(&making);
    arena_free(&decoding);
}

static void every_message_round_trips(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 64; round++)
        for (unsigned message = 1; message < S1AP_MESSAGE_COUNT; message++)
            round_trip(round, message);
}

static void every_truncation_is_a_transfer_syntax_error(void **state)
{
    struct arena making, decoding;
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    (void)state;
    arena_init(&making, 64 << 20);
    arena_init(&decoding, 64 << 20);
    for (unsigned message = 1; message < S1AP_MESSAGE_COUNT; message++) {
        struct s1ap_generator g = generator_of(&making, 4, message);
        struct writer w = writer_of(buffer, sizeof(buffer));
        assert_int_equal(s1ap_encode(&w, message, s1ap_generate(&g, message)), 0);
        for (size_t len = 0; len < wr_len(&w); len++) {
            uint8_t *exact = malloc(len > 0 ? len : 1); /* the sanitizer watches its end */
            memcpy(exact, buffer, len);
            assert_int_equal(s1ap_decode(bytes_of(exact, len), &decoding, &pdu, &report), -EBADMSG);
            assert_int_equal(report.verdict,
                             message == S1AP_ERROR_INDICATION && len >= 3 ? S1AP_DROP : S1AP_ERROR);
            arena_reset(&decoding);
            free(exact);
        }
        arena_reset(&making);
    }
    arena_free(&making);
    arena_free(&decoding);
}

/* Whatever is decoded without complaint can be encoded, and says the same afterwards. */
static void check_mutant(struct bytes mutant, struct arena *arena)
{
    struct s1ap_pdu pdu, again;
    struct s1ap_report report;
    struct text t = text_in(line, sizeof(line)), u = text_in(other_line, sizeof(other_line));

    int err = s1ap_decode(mutant, arena, &pdu, &report);
    s1ap_print_report(&t, &report);
    t = text_in(line, sizeof(line));
    s1ap_print(&t, &pdu);
    if (err < 0 || report.verdict != S1AP_PROCEED || report.ignored > 0)
        return;
    struct writer w = writer_of(buffer + 200000, 200000);
    assert_int_equal(s1ap_encode(&w, pdu.message, pdu.body), 0);
    assert_int_equal(s1ap_decode(wr_view(&w), arena, &again, &report), 0);
    s1ap_print(&u, &again);
    assert_string_equal(line, other_line);
}

static void damaged_messages_do_no_damage(void **state)
{
    struct arena making, decoding;

    (void)state;
    arena_init(&making, 64 << 20);
    arena_init(&decoding, 1 << 20);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned message = 1; message < S1AP_MESSAGE_COUNT; message++) {
            struct s1ap_generator g = generator_of(&making, round, message);
            struct writer w = writer_of(buffer, 200000);
            assert_int_equal(s1ap_encode(&w, message, s1ap_generate(&g, message)), 0);
            for (unsigned i = 0; i < 100; i++) {
                size_t at = s1ap_generate_number(&g, 0, wr_len(&w) - 1);
                uint8_t was = buffer[at];
                buffer[at] = (uint8_t)s1ap_generate_number(&g, 0, 255);
                check_mutant(wr_view(&w), &decoding);
                buffer[at] = was;
                arena_reset(&decoding);
            }
            arena_reset(&making);
        }
    }
    arena_free(&making);
    arena_free(&decoding);
}

/* ---- building what must not be sent ---- */

static void values_outside_their_range_are_refused(void **state)
{
    struct s1ap_handover_cancel cancel = {.enb_ue_s1ap_id = 0x1000000};
    struct s1ap_ue_context_release_command release = {.ue_s1ap_ids = {.kind = 7}};
    struct s1ap_s1_setup_request setup = {.global_enb_id = {test_plmn, {S1AP_ENB_ID_MACRO, 1}}};
    struct s1ap_e_rab_to_be_setup e_rab = {.transport_layer_address = bytes_of("abcde", 5)};
    struct s1ap_e_rab_setup_request e_rab_setup = {.e_rab_to_be_setup_list = {&e_rab, 1}};
    struct writer w = writer_of(buffer, sizeof(buffer));

    (void)state;
    assert_int_equal(s1ap_encode_handover_cancel(&w, &cancel), -EINVAL);
    assert_true(w.bad);
    w = writer_of(buffer, sizeof(buffer));
    assert_int_equal(s1ap_encode_ue_context_release_command(&w, &release), -EINVAL);
    w = writer_of(buffer, sizeof(buffer)); /* a mandatory list is empty */
    assert_int_equal(s1ap_encode_s1_setup_request(&w, &setup), -EINVAL);
    w = writer_of(buffer, sizeof(buffer)); /* no address has five octets */
    assert_int_equal(s1ap_encode_e_rab_setup_request(&w, &e_rab_setup), -EINVAL);
    e_rab.transport_layer_address.len = 4; /* the NAS PDU, mandatory here, is forgotten */
    w = writer_of(buffer, sizeof(buffer));
    assert_int_equal(s1ap_encode_e_rab_setup_request(&w, &e_rab_setup), -EINVAL);
    w = writer_of(buffer, sizeof(buffer));
    assert_int_equal(s1ap_encode(&w, S1AP_NO_MESSAGE, &cancel), -EINVAL);

    cancel.enb_ue_s1ap_id = 1;
    for (size_t size = 0; size < 19; size++) {
        w = writer_of(buffer, size);
        assert_int_equal(s1ap_encode_handover_cancel(&w, &cancel), -ENOBUFS);
    }
}

static void a_small_arena_is_respected(void **state)
{
    struct arena making, small;
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    (void)state;
    arena_init(&making, 1 << 20);
    struct s1ap_generator g = generator_of(&making, 8, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    struct writer w = writer_of(buffer, sizeof(buffer));
    const void *body = s1ap_generate(&g, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    assert_int_equal(s1ap_encode(&w, S1AP_INITIAL_CONTEXT_SETUP_REQUEST, body), 0);
    for (size_t limit = 0; limit < 600; limit += 7) {
        arena_init(&small, limit);
        assert_int_equal(s1ap_decode(wr_view(&w), &small, &pdu, &report), -ENOMEM);
        assert_int_equal(report.verdict, S1AP_DROP);
        arena_free(&small);
    }
    arena_free(&making);
}

/* ---- values inside of octet strings ---- */

static void containers_round_trip(void **state)
{
    static const struct aper_type *const types[] = {
        [S1AP_VALUE_SOURCE_ENB_TO_TARGET_ENB_CONTAINER] =
            &s1ap_type_source_enb_to_target_enb_container,
        [S1AP_VALUE_TARGET_ENB_TO_SOURCE_ENB_CONTAINER] =
            &s1ap_type_target_enb_to_source_enb_container,
        [S1AP_VALUE_ENB_STATUS_TRANSFER_CONTAINER] = &s1ap_type_enb_status_transfer_container,
        [S1AP_VALUE_SON_CONFIGURATION_TRANSFER] = &s1ap_type_son_configuration_transfer,
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, 64 << 20);
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned v = 0; v < S1AP_VALUE_COUNT; v++) {
            struct s1ap_generator g = generator_of(&arena, round, v);
            void *value = arena_alloc(&arena, types[v]->size);
            void *decoded = arena_alloc(&arena, types[v]->size);
            struct writer w = writer_of(buffer, 200000), again = writer_of(buffer + 200000, 200000);
            g.long_strings = false;
            s1ap_generate_value(&g, types[v], value);
            assert_int_equal(s1ap_encode_value(&w, v, value), 0);
            assert_int_equal(s1ap_decode_value(wr_view(&w), &arena, v, decoded), 0);
            assert_int_equal(s1ap_encode_value(&again, v, decoded), 0);
            assert_true(bytes_equal(wr_view(&w), wr_view(&again)));
            if (wr_len(&w) > 4)
                assert_int_equal(s1ap_decode_value(bytes_of(buffer, 3), &arena, v, decoded),
                                 -EBADMSG);
            arena_reset(&arena);
        }
    }
    assert_int_equal(s1ap_decode_value(bytes_of("", 0), &arena, S1AP_VALUE_COUNT, buffer), -EINVAL);
    arena_free(&arena);
}

static void helpers(void **state)
{
    (void)state;
    assert_int_equal(s1ap_ue_identity_index_value("001010000000001", 1024),
                     1010000000001ull % 1024);
    assert_int_equal(s1ap_ue_identity_index_value("999999999999999", 16384),
                     999999999999999ull % 16384);
    assert_int_equal(s1ap_ue_identity_index_value("", 1024), 0);
    assert_int_equal(s1ap_ue_identity_index_value("123456", 0), 0);
    assert_int_equal(s1ap_algorithms(0xf0), 0xe000); /* EEA0 to EEA3: EEA0 has no bit in S1AP */
    assert_int_equal(s1ap_algorithms(0x80), 0);
    assert_int_equal(s1ap_algorithms(0x01), 0x0200);
}

static void keys_are_not_printed(void **state)
{
    struct s1ap_ue_context_modification_request request = {
        .mme_ue_s1ap_id = 1,
        .enb_ue_s1ap_id = 2,
        .security_key = &(struct s1ap_security_key){{0xab, 0xcd}},
    };
    struct text t = text_in(line, sizeof(line));

    (void)state;
    s1ap_print_message(&t, S1AP_UE_CONTEXT_MODIFICATION_REQUEST, &request);
    assert_string_equal(line, "UE Context Modification Request mme_ue_s1ap_id=1 enb_ue_s1ap_id=2 "
                              "security_key=(secret)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s1_setup_by_hand),
        cmocka_unit_test(ue_messages_by_hand),
        cmocka_unit_test(extension_values_by_hand),
        cmocka_unit_test(tables_agree_with_the_structs),
        cmocka_unit_test(procedures_have_names_and_classes),
        cmocka_unit_test(every_message_round_trips),
        cmocka_unit_test(every_truncation_is_a_transfer_syntax_error),
        cmocka_unit_test(damaged_messages_do_no_damage),
        cmocka_unit_test(values_outside_their_range_are_refused),
        cmocka_unit_test(a_small_arena_is_respected),
        cmocka_unit_test(containers_round_trip),
        cmocka_unit_test(helpers),
        cmocka_unit_test(keys_are_not_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
