/*
 * ladder_test.c -- a message's words taken apart: name, outcome, rest.
 */
#include "unit.h"

#include "manager/ladder.h"

static char name[100], cause[200], rest[300];

static struct ladder_message read_words(const char *protocol, const char *words, bool whole)
{
    struct ladder_message m = {
        .name = text_in(name, sizeof(name)),
        .cause = text_in(cause, sizeof(cause)),
        .rest = text_in(rest, sizeof(rest)),
    };

    ladder_read(&m, protocol, words, whole);
    return m;
}

static void expect(const char *protocol, const char *words, enum ladder_outcome outcome,
                   const char *want_name, const char *want_cause, const char *want_rest)
{
    struct ladder_message m = read_words(protocol, words, false);

    assert_string_equal(name, want_name);
    assert_string_equal(cause, want_cause);
    assert_string_equal(rest, want_rest);
    assert_string_equal(ladder_outcome_name(m.outcome), ladder_outcome_name(outcome));
}

static void words_are_taken_apart(void **state)
{
    (void)state;
    expect(
        "GTPv2", "Create Session Response teid=0x1 seq=7 cause=16(Request accepted) paa=10.0.0.1",
        LADDER_ACCEPTED, "Create Session Response", "cause=16(Request accepted)", "paa=10.0.0.1");
    expect("PFCP",
           "Session Establishment Response seid=0x1 seq=7 node_id=10.0.0.6 cause=Request accepted "
           "up=2",
           LADDER_ACCEPTED, "Session Establishment Response", "cause=Request accepted", "up=2");
    expect("S1AP", "UE Context Release Command ue_s1ap_ids=pair:{a=1 b=2} cause=nas:normal-release",
           LADDER_CAUSE, "UE Context Release Command", "cause=nas:normal-release",
           "ue_s1ap_ids=pair:{a=1 b=2}");
    expect("OpenFlow", "BARRIER_REQUEST", LADDER_NEUTRAL, "BARRIER_REQUEST", "", "");
    expect("OpenFlow", "FLOW_MOD cookie=0x1 table_id=2 priority=1 ip actions=drop", LADDER_NEUTRAL,
           "FLOW_MOD", "", "table_id=2 priority=1 ip actions=drop");
    expect("NAS", "emm information full_name=\"a {b\" short_name=\"c\"", LADDER_NEUTRAL,
           "emm information", "", "full_name=\"a {b\" short_name=\"c\"");
}

static void the_whole_leaves_nothing_out(void **state)
{
    (void)state;
    read_words("GTPv2", "Delete Session Request teid=0x1 seq=7 ebi=5", true);
    assert_string_equal(rest, "teid=0x1 seq=7 ebi=5");
}

static void refusals_are_seen(void **state)
{
    (void)state;
    static const struct {
        const char *protocol, *words;
        enum ladder_outcome outcome;
    } cases[] = {
        {"GTPv2", "Create Session Response cause=73(No resources available)", LADDER_REJECTED},
        {"GTPv2", "Delete Session Request cause=2(Local detach)", LADDER_CAUSE},
        {"GTPv2", "Create Session Request apn=x", LADDER_NEUTRAL},
        {"PFCP", "Session Modification Response cause=Session context not found", LADDER_REJECTED},
        {"Diameter", "ULA Result-Code=DIAMETER_SUCCESS(2001)", LADDER_ACCEPTED},
        {"Diameter", "ULA Result-Code=DIAMETER_UNABLE_TO_DELIVER(3002)", LADDER_REJECTED},
        {"Diameter", "ULA Result-Code=5012 Origin-Host=a2001", LADDER_REJECTED},
        {"Diameter",
         "AIA Experimental-Result={Vendor-Id=10415 Experimental-Result-Code=USER_UNKNOWN(5001)}",
         LADDER_REJECTED},
        {"NAS", "attach reject emm_cause=8(x)", LADDER_REJECTED},
        {"NAS", "authentication failure emm_cause=21(synch failure)", LADDER_REJECTED},
        {"NAS", "attach accept", LADDER_ACCEPTED},
        {"NAS", "attach request fault: cause=96 element=-", LADDER_REJECTED},
        {"S1AP", "Initial Context Setup Failure cause=radio_network:x", LADDER_REJECTED},
        {"S1AP", "E-RAB Setup Response e_rab_failed_to_setup_list=[{e_rab_id=6}]", LADDER_REJECTED},
        {"S1AP", "UE Context Release Request cause=radio_network:user-inactivity", LADDER_CAUSE},
        {"OpenFlow", "ERROR BAD_MATCH/BAD_PREREQ data=64 bytes", LADDER_REJECTED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ladder_message m = read_words(cases[i].protocol, cases[i].words, false);
        if (m.outcome != cases[i].outcome)
            fail_msg("%s: %s", cases[i].words, ladder_outcome_name(m.outcome));
    }
}

static void odd_words_do_no_harm(void **state)
{
    (void)state;
    expect("S1AP", "", LADDER_NEUTRAL, "", "", "");
    expect("S1AP", "   ", LADDER_NEUTRAL, "", "", "");
    expect("S1AP", "a=1", LADDER_NEUTRAL, "", "", "a=1");
    expect("S1AP", "X list=[{a=1 b=", LADDER_NEUTRAL, "X", "", "list=[{a=1 b="); /* cut */
    expect("S1AP", "X )]} a=1", LADDER_NEUTRAL, "X )]}", "", "a=1");
    expect("S1AP", "X =", LADDER_NEUTRAL, "X =", "", "");
    expect("GTPv2", "X Response cause=", LADDER_REJECTED, "X Response", "cause=", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_taken_apart),
        cmocka_unit_test(the_whole_leaves_nothing_out),
        cmocka_unit_test(refusals_are_seen),
        cmocka_unit_test(odd_words_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
