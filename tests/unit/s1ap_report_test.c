/*
 * s1ap_report_test.c -- erroneous messages and what TS 36.413 clause 10 asks of their receiver.
 *
 * The messages are put together here IE by IE, so that they can be wrong in any way.
 */
#include "unit.h"

#include <errno.h>

#include "wire/s1ap/aper.h"
#include "wire/s1ap/s1ap.h"

static uint8_t buffer[2000];
static struct arena arena;
static struct s1ap_pdu pdu;
static struct s1ap_report report;
static char line[1000];

struct ie {
    uint16_t id;
    enum s1ap_criticality criticality;
    const char *hex;
};

#define REJECT S1AP_CRITICALITY_REJECT
#define IGNORE S1AP_CRITICALITY_IGNORE
#define NOTIFY S1AP_CRITICALITY_NOTIFY

static int decode(enum s1ap_form form, uint8_t procedure, enum s1ap_criticality criticality,
                  const struct ie *ies, size_t count)
{
    struct writer w = writer_of(buffer, sizeof(buffer));
    struct aper_writer out = aper_writer_of(&w);

    wr_u8(&w, (uint8_t)(form << 5));
    wr_u8(&w, procedure);
    wr_u8(&w, (uint8_t)(criticality << 6));
    size_t opened = aper_write_open(&out);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        uint8_t octets[200];
        int len = hex_parse(ies[i].hex, octets, sizeof(octets));
        assert_true(len > 0);
        wr_u16(&w, ies[i].id);
        wr_u8(&w, (uint8_t)(ies[i].criticality << 6));
        aper_write_open_view(&out, bytes_of(octets, (size_t)len));
    }
    aper_write_close(&out, opened);
    assert_false(w.bad);
    arena_reset(&arena);
    return s1ap_decode(wr_view(&w), &arena, &pdu, &report);
}

#define DECODE(form, procedure, criticality, ...)                          \
    decode(form, procedure, criticality, (const struct ie[]){__VA_ARGS__}, \
           sizeof((const struct ie[]){__VA_ARGS__}) / sizeof(struct ie))

#define MME_ID                                 \
    {                                          \
        S1AP_ID_MME_UE_S1AP_ID, REJECT, "0001" \
    }
#define ENB_ID                                 \
    {                                          \
        S1AP_ID_ENB_UE_S1AP_ID, REJECT, "0002" \
    }
#define NAS                               \
    {                                     \
        S1AP_ID_NAS_PDU, REJECT, "020741" \
    }
#define NAS_CAUSE                   \
    {                               \
        S1AP_ID_CAUSE, IGNORE, "20" \
    } /* normal release */

static int init_arena(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void assert_protocol_cause(enum s1ap_cause_protocol value)
{
    assert_int_equal(report.cause.group, S1AP_CAUSE_PROTOCOL);
    assert_int_equal(report.cause.value, value);
}

static void assert_one_fault(uint16_t id, enum s1ap_criticality criticality,
                             enum s1ap_type_of_error type)
{
    assert_int_equal(report.diagnostics.ies.count, 1);
    assert_int_equal(report.diagnostics.ies.at[0].ie_id, id);
    assert_int_equal(report.diagnostics.ies.at[0].ie_criticality, criticality);
    assert_int_equal(report.diagnostics.ies.at[0].type_of_error, type);
    assert_ptr_equal(s1ap_response_diagnostics(&report), &report.diagnostics);
}

static void assert_report_reads(const char *expected)
{
    struct text t = text_in(line, sizeof(line));

    s1ap_print_report(&t, &report);
    assert_string_equal(line, expected);
}

static void a_good_message(void **state)
{
    (void)state;
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, ENB_ID, NAS),
                     0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(pdu.message, S1AP_DOWNLINK_NAS_TRANSPORT);
    assert_int_equal(pdu.downlink_nas_transport->nas_pdu.len, 2);
    assert_int_equal(*s1ap_mme_ue_s1ap_id(&pdu), 1);
    assert_int_equal(*s1ap_enb_ue_s1ap_id(&pdu), 2);
    assert_false(s1ap_lacks(&pdu, S1AP_ID_NAS_PDU));
    assert_null(s1ap_response_diagnostics(&report));
    assert_report_reads("proceed");
}

static void unknown_ie_by_its_criticality(void **state)
{
    (void)state;
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, ENB_ID, NAS, {9999, IGNORE, "00"}),
                     0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(report.ignored, 1);
    assert_report_reads("proceed, 1 ignored");

    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, ENB_ID, NAS, {9999, NOTIFY, "00"}),
                     0);
    assert_int_equal(report.verdict, S1AP_PROCEED_AND_NOTIFY);
    assert_protocol_cause(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY);
    assert_one_fault(9999, NOTIFY, S1AP_ERROR_NOT_UNDERSTOOD);

    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, {9999, REJECT, "00"}, ENB_ID, NAS, {9998, NOTIFY, "00"}),
                     0);
    assert_int_equal(report.verdict, S1AP_REJECT);
    assert_protocol_cause(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_REJECT);
    assert_int_equal(report.diagnostics.ies.count, 2);
    assert_report_reads("reject: protocol:abstract-syntax-error-reject not understood (id 9999), "
                        "not understood (id 9998)");
}

static void missing_ie_by_the_specified_criticality(void **state)
{
    (void)state;
    assert_int_equal(
        DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE, MME_ID, NAS),
        0);
    assert_int_equal(report.verdict, S1AP_REJECT);
    assert_protocol_cause(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_REJECT);
    assert_one_fault(S1AP_ID_ENB_UE_S1AP_ID, REJECT, S1AP_ERROR_MISSING);
    assert_true(s1ap_lacks(&pdu, S1AP_ID_ENB_UE_S1AP_ID));
    assert_null(s1ap_enb_ue_s1ap_id(&pdu));
    assert_int_equal(*s1ap_mme_ue_s1ap_id(&pdu), 1);
    assert_report_reads("reject: protocol:abstract-syntax-error-reject missing (id 8) "
                        "enb_ue_s1ap_id");

    /* Cause is mandatory, but of criticality ignore: the release goes on. */
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_UE_CONTEXT_RELEASE, REJECT,
                            {S1AP_ID_UE_S1AP_IDS, REJECT, "00010002"}),
                     0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_true(s1ap_lacks(&pdu, S1AP_ID_CAUSE));
    assert_int_equal(report.ignored, 1);
    assert_int_equal(*s1ap_mme_ue_s1ap_id(&pdu), 1);
    assert_int_equal(*s1ap_enb_ue_s1ap_id(&pdu), 2);
}

static void unknown_values_are_not_understood(void **state)
{
    (void)state;
    /* RRC establishment cause, extension value 9 of which this release knows 3: criticality ignore,
     * and mandatory: the number is kept. */
    static const struct ie initial[] = {
        ENB_ID,
        NAS,
        {S1AP_ID_TAI, REJECT, "0000f1100007"},
        {S1AP_ID_EUTRAN_CGI, IGNORE, "0000f1100019b010"},
        {S1AP_ID_RRC_ESTABLISHMENT_CAUSE, IGNORE, "8900"},
    };
    assert_int_equal(
        decode(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_INITIAL_UE_MESSAGE, IGNORE, initial, 5), 0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(report.ignored, 1);
    assert_true(s1ap_lacks(&pdu, S1AP_ID_RRC_ESTABLISHMENT_CAUSE));
    assert_int_equal(pdu.initial_ue_message->rrc_establishment_cause, 5 + 9);
    assert_int_equal(pdu.initial_ue_message->tai.tac, 7);

    /* A PLMN with the digit 13 in the TAI, which is of criticality reject. */
    struct ie wrong_plmn[5];
    memcpy(wrong_plmn, initial, sizeof(initial));
    wrong_plmn[2].hex = "00d0f1100007";
    wrong_plmn[4].hex = "18";
    assert_int_equal(
        decode(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_INITIAL_UE_MESSAGE, IGNORE, wrong_plmn, 5),
        0);
    assert_int_equal(report.verdict, S1AP_REJECT);
    assert_one_fault(S1AP_ID_TAI, REJECT, S1AP_ERROR_NOT_UNDERSTOOD);

    /* An optional IE with an unknown value is left out. */
    assert_int_equal(DECODE(S1AP_UNSUCCESSFUL_OUTCOME, S1AP_PROCEDURE_S1_SETUP, REJECT, NAS_CAUSE,
                            {S1AP_ID_TIME_TO_WAIT, IGNORE, "8300"}),
                     0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_null(pdu.s1_setup_failure->time_to_wait);

    /* A CHOICE with an alternative of a later release: its open type is passed over. */
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_RESET, REJECT, NAS_CAUSE,
                            {S1AP_ID_RESET_TYPE, REJECT, "8002aabb"}),
                     0);
    assert_int_equal(report.verdict, S1AP_REJECT);
    assert_one_fault(S1AP_ID_RESET_TYPE, REJECT, S1AP_ERROR_NOT_UNDERSTOOD);
}

static void unknown_extensions_by_their_criticality(void **state)
{
    (void)state;
    /* E-UTRAN CGI with iE-Extensions: 01, PLMN, cell id, count - 1, id 999, criticality, value. */
    struct ie ies[] = {
        MME_ID,
        ENB_ID,
        NAS,
        {S1AP_ID_EUTRAN_CGI, IGNORE, "4000f1100019b010 0000 03e7 40 01ff"},
        {S1AP_ID_TAI, IGNORE, "0000f1100007"},
    };
    assert_int_equal(
        decode(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_UPLINK_NAS_TRANSPORT, IGNORE, ies, 5), 0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(report.ignored, 1);
    assert_int_equal(pdu.uplink_nas_transport->eutran_cgi.cell_id, 0x19b01);

    ies[3].hex = "4000f1100019b010 0000 03e7 00 01ff";
    assert_int_equal(
        decode(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_UPLINK_NAS_TRANSPORT, IGNORE, ies, 5), 0);
    assert_int_equal(report.verdict, S1AP_REJECT);
    assert_one_fault(999, REJECT, S1AP_ERROR_NOT_UNDERSTOOD);

    /* The same SEQUENCE extended after its "...": one addition, passed over; what follows is
     * intact. */
    ies[3].hex = "8000f1100019b010 10 02aabb"; /* the last 4 bits of the id, 0 000000, 1 */
    assert_int_equal(
        decode(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_UPLINK_NAS_TRANSPORT, IGNORE, ies, 5), 0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(pdu.uplink_nas_transport->tai.tac, 7);
}

static void unknown_items_of_lists(void **state)
{
    (void)state;
    /* E-RAB Release Indication with two items, the second of an unknown kind and criticality
     * ignore. */
    assert_int_equal(
        DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_E_RAB_RELEASE_INDICATION, IGNORE, MME_ID,
               ENB_ID,
               {S1AP_ID_E_RAB_RELEASED_LIST, IGNORE, "01 0023 40 03 0a1000 0999 40 03 0a1000"}),
        0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(report.ignored, 1);
    assert_int_equal(pdu.e_rab_release_indication->e_rab_released_list.count, 1);
    assert_int_equal(pdu.e_rab_release_indication->e_rab_released_list.at[0].e_rab_id, 5);
}

static void order_and_repetition(void **state)
{
    (void)state;
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            ENB_ID, MME_ID, NAS),
                     0);
    assert_int_equal(report.verdict, S1AP_REJECT);
    assert_protocol_cause(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_FALSELY_CONSTRUCTED_MESSAGE);
    assert_int_equal(*s1ap_mme_ue_s1ap_id(&pdu), 1); /* all is decoded all the same */

    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, ENB_ID, {S1AP_ID_ENB_UE_S1AP_ID, REJECT, "0009"}, NAS),
                     0);
    assert_int_equal(report.verdict, S1AP_REJECT);
    assert_protocol_cause(S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_FALSELY_CONSTRUCTED_MESSAGE);
    assert_int_equal(*s1ap_enb_ue_s1ap_id(&pdu), 2); /* the first one counts */

    /* An IE of a later release between them does not disturb the order. */
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, {9999, IGNORE, "00"}, ENB_ID, NAS),
                     0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
}

static void unknown_procedures(void **state)
{
    static const struct {
        enum s1ap_criticality criticality;
        enum s1ap_verdict verdict;
        enum s1ap_cause_protocol cause;
    } cases[] = {
        {REJECT, S1AP_ERROR, S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_REJECT},
        {NOTIFY, S1AP_ERROR, S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_IGNORE_AND_NOTIFY},
        {IGNORE, S1AP_DROP, 0},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(decode(S1AP_INITIATING_MESSAGE, 200, cases[i].criticality, NULL, 0),
                         -ENOTSUP);
        assert_int_equal(report.verdict, cases[i].verdict);
        if (report.verdict == S1AP_ERROR)
            assert_protocol_cause(cases[i].cause);
        assert_int_equal(pdu.message, S1AP_NO_MESSAGE);
        assert_int_equal(*report.error_indication_diagnostics.procedure_code, 200);
        assert_int_equal(*report.error_indication_diagnostics.procedure_criticality,
                         cases[i].criticality);
    }
    /* The private message has no standard content; Paging has no response. */
    assert_int_equal(
        decode(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_PRIVATE_MESSAGE, IGNORE, NULL, 0), -ENOTSUP);
    assert_int_equal(report.verdict, S1AP_DROP);
    assert_int_equal(decode(S1AP_SUCCESSFUL_OUTCOME, S1AP_PROCEDURE_PAGING, REJECT, NULL, 0),
                     -ENOTSUP);
    assert_int_equal(report.verdict, S1AP_ERROR);

    struct text t = text_in(line, sizeof(line));
    s1ap_print(&t, &pdu);
    assert_string_equal(line, "unknown message of procedure 10 (Paging)");
}

static void transfer_syntax_errors(void **state)
{
    (void)state;
    /* The eNB UE S1AP ID says four octets where three are the most. */
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, {S1AP_ID_ENB_UE_S1AP_ID, REJECT, "c001020304"}, NAS),
                     -EBADMSG);
    assert_int_equal(report.verdict, S1AP_ERROR);
    assert_protocol_cause(S1AP_PROTOCOL_TRANSFER_SYNTAX_ERROR);
    assert_int_equal(*s1ap_mme_ue_s1ap_id(&pdu), 1); /* what was read before may be quoted */
    assert_null(s1ap_enb_ue_s1ap_id(&pdu));
    assert_int_equal(*report.error_indication_diagnostics.procedure_code,
                     S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT);
    assert_report_reads("error: protocol:transfer-syntax-error");

    /* Not even the header. */
    assert_int_equal(s1ap_decode(bytes_of("\x00", 1), &arena, &pdu, &report), -EBADMSG);
    assert_int_equal(report.verdict, S1AP_ERROR);
    assert_null(report.error_indication_diagnostics.procedure_code);
    assert_int_equal(s1ap_decode(bytes_of("", 0), &arena, &pdu, &report), -EBADMSG);
    /* A fourth form of message. */
    assert_int_equal(s1ap_decode(bytes_of("\x80\x00\x00\x00", 4), &arena, &pdu, &report), -EBADMSG);
}

static void many_faults_are_bounded(void **state)
{
    struct ie ies[120];

    (void)state;
    for (size_t i = 0; i < 120; i++)
        ies[i] = (struct ie){(uint16_t)(1000 + i), NOTIFY, "00"};
    assert_int_equal(
        decode(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_OVERLOAD_STOP, REJECT, ies, 120), 0);
    assert_int_equal(report.verdict, S1AP_PROCEED_AND_NOTIFY);
    assert_int_equal(report.diagnostics.ies.count, 120);
    assert_int_equal(report.diagnostics.ies.at[119].ie_id, 1119);

    static uint8_t many[2000];
    struct writer w = writer_of(many, sizeof(many));
    wr_bytes(&w, "\x00\x23\x00\x87\x6b\x00\x01\x7a", 8); /* 378 IEs of 5 octets and their count */
    for (unsigned i = 0; i < 378; i++)
        wr_bytes(&w, "\x03\xe8\x80\x01\x00", 5);
    w = writer_of(many + 3, 2);
    wr_u16(&w, (uint16_t)(0x8000 | (3 + 378 * 5)));
    assert_int_equal(s1ap_decode(bytes_of(many, 8 + 378 * 5), &arena, &pdu, &report), 0);
    assert_int_equal(report.diagnostics.ies.count, 256); /* maxnoofErrors */
}

static void the_error_indication_reports_it_all(void **state)
{
    uint8_t octets[200];
    struct writer w = writer_of(octets, sizeof(octets));
    struct s1ap_pdu received;
    struct s1ap_report on_it;

    (void)state;
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT, IGNORE,
                            MME_ID, ENB_ID, {9999, REJECT, "00"}),
                     0);
    struct s1ap_error_indication error = s1ap_error_indication_of(&pdu, &report);
    assert_int_equal(s1ap_encode_error_indication(&w, &error), 0);

    assert_int_equal(s1ap_decode(wr_view(&w), &arena, &received, &on_it), 0);
    const struct s1ap_error_indication *e = received.error_indication;
    assert_int_equal(*e->mme_ue_s1ap_id, 1);
    assert_int_equal(*e->enb_ue_s1ap_id, 2);
    assert_int_equal(e->cause->value, S1AP_PROTOCOL_ABSTRACT_SYNTAX_ERROR_REJECT);
    const struct s1ap_criticality_diagnostics *diagnostics = e->criticality_diagnostics;
    assert_int_equal(*diagnostics->procedure_code, S1AP_PROCEDURE_DOWNLINK_NAS_TRANSPORT);
    assert_int_equal(*diagnostics->triggering_message, S1AP_INITIATING_MESSAGE);
    assert_int_equal(*diagnostics->procedure_criticality, IGNORE);
    assert_int_equal(diagnostics->ies.count, 2); /* 9999 not understood, the NAS PDU missing */
    assert_int_equal(diagnostics->ies.at[1].ie_id, S1AP_ID_NAS_PDU);
    assert_int_equal(diagnostics->ies.at[1].type_of_error, S1AP_ERROR_MISSING);

    /* Nothing could be read: cause alone. */
    assert_int_equal(s1ap_decode(bytes_of("", 0), &arena, &pdu, &report), -EBADMSG);
    error = s1ap_error_indication_of(&pdu, &report);
    assert_null(error.criticality_diagnostics);
    assert_null(error.mme_ue_s1ap_id);
}

static void error_indications_are_not_answered(void **state)
{
    (void)state;
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_ERROR_INDICATION, IGNORE,
                            NAS_CAUSE, {9999, REJECT, "00"}),
                     0);
    assert_int_equal(report.verdict, S1AP_DROP);
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_ERROR_INDICATION, IGNORE,
                            NAS_CAUSE, {9999, NOTIFY, "00"}),
                     0);
    assert_int_equal(report.verdict, S1AP_PROCEED);
    assert_int_equal(DECODE(S1AP_INITIATING_MESSAGE, S1AP_PROCEDURE_ERROR_INDICATION, IGNORE,
                            {S1AP_ID_MME_UE_S1AP_ID, IGNORE, "00"}),
                     -EBADMSG);
    assert_int_equal(report.verdict, S1AP_DROP);
    assert_string_equal(s1ap_verdict_name((enum s1ap_verdict)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_message),
        cmocka_unit_test(unknown_ie_by_its_criticality),
        cmocka_unit_test(missing_ie_by_the_specified_criticality),
        cmocka_unit_test(unknown_values_are_not_understood),
        cmocka_unit_test(unknown_extensions_by_their_criticality),
        cmocka_unit_test(unknown_items_of_lists),
        cmocka_unit_test(order_and_repetition),
        cmocka_unit_test(unknown_procedures),
        cmocka_unit_test(transfer_syntax_errors),
        cmocka_unit_test(many_faults_are_bounded),
        cmocka_unit_test(the_error_indication_reports_it_all),
        cmocka_unit_test(error_indications_are_not_answered),
    };

    return cmocka_run_group_tests(tests, init_arena, free_arena);
}
