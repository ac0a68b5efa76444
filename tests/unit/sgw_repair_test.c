/*
 * sgw_repair_test.c -- the S-GW when a peer is slow, silent, gone, or has started anew.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/base.h"
#include "sgw_world.h"

static void the_user_plane_is_slow_or_silent(void **state)
{
    (void)state;
    user.ignored = 2; /* two of three attempts */
    uint32_t teid = attach(IMSI);
    assert_int_equal(user.establishments, 1);
    detach(teid, 5);
    user.ignored = 3;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_SYSTEM_FAILURE);
    nothing_is_left();
}

static void there_is_no_user_plane(void **state)
{
    (void)state;
    fake_user_plane_close(&user);
    for (int i = 0; i < 300 && user_plane_is_up(sgw.planes, 0); i++)
        loop_run_for(2);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(pgw_fake.creations, 0);
    assert_int_equal(sgw.ues.count, 0);
}

static void a_restarted_user_plane_gets_its_sessions_again(void **state)
{
    (void)state;
    uint32_t connected = attach(IMSI), idle = attach("001010000000002");
    struct fake_session before_connected = *fake_session_of(&user, IMSI);
    struct fake_session before_idle = *fake_session_of(&user, "001010000000002");

    modify_to(connected, 5, 0xe1, "10.0.0.7");
    release(idle);
    user.next_seid = 0x8800;
    fake_user_plane_restart(&user);
    for (int i = 0; i < 500 && user.count < 2; i++)
        loop_run_for(2);
    assert_int_equal(user.count, 2);
    struct fake_session *session = fake_session_of(&user, IMSI);
    assert_int_equal(fake_pdr(session, 1)->teid, fake_pdr(&before_connected, 1)->teid);
    assert_int_equal(fake_pdr(session, 2)->teid, fake_pdr(&before_connected, 2)->teid);
    assert_int_equal(session->cp_seid, before_connected.cp_seid);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 2)->teid, 0xe1);
    session = fake_session_of(&user, "001010000000002");
    assert_int_equal(fake_pdr(session, 1)->teid, fake_pdr(&before_idle, 1)->teid);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    settle();
    assert_int_equal(sgw.metrics[SGW_RESTORED].value, 2);
    assert_int_equal(sgw.repairs, 0);
    assert_null(sgw.sweeper);
    assert_int_equal(modify_to(idle, 5, 0xe2, "10.0.0.8"), GTPC_CAUSE_REQUEST_ACCEPTED);
    detach(connected, 5);
    detach(idle, 5);
    nothing_is_left();
}

static void a_user_plane_that_forgot_is_noticed_at_once(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);

    user.forgets = true;
    user.count = 0;
    memset(user.sessions, 0, sizeof(user.sessions));
    (void)modify_to(teid, 5, 0xe1, "10.0.0.7"); /* may be refused ... */
    for (int i = 0; i < 500 && user.count < 1; i++)
        loop_run_for(2);
    settle();
    assert_int_equal(user.associations, 2);
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->teid,
                     0xe1); /* ... and is done all the same */
    detach(teid, 5);
    nothing_is_left();
}

static void a_session_that_only_the_user_plane_lost(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);

    user.count = 0;
    memset(user.sessions, 0, sizeof(user.sessions));
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(user.count, 1);
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->teid, 0xe1);
    detach(teid, 5);
    nothing_is_left();
}

static void many_sessions_are_restored_a_few_at_a_time(void **state)
{
    (void)state;
    char imsi[IMSI_SIZE];

    for (int i = 0; i < 300; i++) {
        snprintf(imsi, sizeof(imsi), "00101%010u", (unsigned)i % 1000000);
        attach(imsi);
    }
    fake_user_plane_restart(&user);
    for (int i = 0; i < 1000 && user.count < 300; i++)
        loop_run_for(2);
    assert_int_equal(user.count, 300);
    settle();
    assert_int_equal(sgw.metrics[SGW_RESTORED].value, 300);
    assert_int_equal(sgw.metrics[SGW_RESTORE_FAILED].value, 0);
}

static void a_restarted_mme_has_no_phones(void **state)
{
    (void)state;
    attach(IMSI);
    attach("001010000000002");
    gtpc_close(mme.endpoint);
    open_mme(11);
    /* the first word of the new one is an attach of a phone that was there before */
    uint32_t teid = attach(IMSI);
    wait_for(&pgw_fake.deletions, 2);
    settle();
    assert_int_equal(sgw.ues.count, 1);
    assert_int_equal(user.count, 1);
    assert_non_null(sgw_ue_by_imsi(IMSI));
    detach(teid, 5);
    nothing_is_left();
}

static void an_mme_starts_anew_in_the_middle_of_an_attach(void **state)
{
    (void)state;
    static struct asked asked;

    attach("001010000000002"); /* its counter is known */
    user.ignored = 2;
    ask_begin(&asked, mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5));
    loop_run_for(10);
    gtpc_close(mme.endpoint);
    open_mme(11);
    udp_peer_probe(peer(sgw.s11, MME));
    for (int i = 0; i < 200 && (sgw.ues.count > 0 || pgw_fake.creations < 2); i++)
        loop_run_for(2);
    assert_int_equal(pgw_fake.creations, 2);
    assert_int_equal(pgw_fake.deletions, 2);
    arena_free(&asked.arena);
    nothing_is_left();
}

static void a_pgw_starts_anew_in_the_middle_of_an_attach(void **state)
{
    (void)state;
    static struct asked asked;

    attach("001010000000002");
    user.ignored = 2; /* the P-GW has answered, the user plane has not */
    ask_begin(&asked, mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5));
    loop_run_for(10);
    gtpc_close(pgw_fake.endpoint);
    open_pgw(21);
    udp_peer_probe(peer(sgw.s5, PGW));
    wait_for(&mme.bearer_deletions, 2);
    arena_free(&asked.arena);
    nothing_is_left();
}

static void a_restarted_mme_is_noticed_by_echo(void **state)
{
    (void)state;
    attach(IMSI);
    loop_run_for(100); /* Echo has told its counter */
    gtpc_close(mme.endpoint);
    open_mme(11);
    wait_for(&pgw_fake.deletions, 1);
    nothing_is_left();
}

static void a_restarted_pgw_has_no_sessions(void **state)
{
    (void)state;
    attach(IMSI);
    loop_run_for(100);
    gtpc_close(pgw_fake.endpoint);
    open_pgw(21);
    wait_for(&mme.bearer_deletions, 1);
    assert_int_equal(mme.last_ebi, 5);
    assert_int_equal(mme.last_cause, GTPC_CAUSE_REACTIVATION_REQUESTED);
    settle();
    assert_int_equal(pgw_fake.deletions, 0);
    nothing_is_left();
    uint32_t teid = attach(IMSI); /* and all goes on */
    detach(teid, 5);
}

static void peers_that_are_gone_for_long(void **state)
{
    (void)state;
    attach(IMSI);
    loop_run_for(80);
    gtpc_close(mme.endpoint);
    mme.endpoint = NULL;
    for (int i = 0; i < 700 && sgw.ues.count > 0; i++)
        loop_run_for(5);
    assert_int_equal(pgw_fake.deletions, 1);
    assert_int_equal(sgw.ues.count, 0);
    assert_int_equal(user.count, 0);
    open_mme(10);
}

static void the_enodeb_has_forgotten_the_tunnel(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);
    struct in_addr enb;

    inet_pton(AF_INET, "10.0.0.7", &enb);
    modify_to(teid, 5, 0xe1, "10.0.0.7");
    fake_report_error(&user, session, 0xbad, enb); /* not one of ours */
    settle();
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    fake_report_error(&user, session, 0xe1, enb);
    settle();
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    detach(teid, 5);
    nothing_is_left();
}

static void the_pgw_has_forgotten_the_tunnel(void **state)
{
    (void)state;
    attach(IMSI);
    struct in_addr pgw = {htonl(0x0a000099)};

    fake_report_error(&user, fake_session_of(&user, IMSI), 0x5001, pgw);
    wait_for(&mme.bearer_deletions, 1);
    nothing_is_left();
}

static void a_report_about_nothing(void **state)
{
    (void)state;
    attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    session->cp_seid ^= UINT64_C(1) << 40; /* of an earlier life */
    fake_report_data(&user, session);
    settle();
    assert_int_equal(user.report_answers, 0);
    assert_int_equal(mme.notifications, 0);
    session->cp_seid ^= UINT64_C(1) << 40;
}

static void it_can_be_stopped_at_any_time(void **state)
{
    (void)state;
    static struct asked waiting[3];
    char imsi[IMSI_SIZE];

    uint32_t teid = attach(IMSI);
    release(teid);
    mme.is_silent = true;
    fake_report_data(&user, fake_session_of(&user, IMSI));
    pgw_fake.is_silent = true;
    ask_begin(&waiting[0], mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0,
              creation("001010000000002", 5));
    loop_run_for(5);
    pgw_fake.is_silent = false;
    user.ignored = 1000;
    for (int i = 1; i < 3; i++) {
        snprintf(imsi, sizeof(imsi), "00101%010u", (unsigned)i % 1000000);
        ask_begin(&waiting[i], mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0, creation(imsi, 5));
        loop_run_for(3);
    }
    assert_true(sgw.procedures >= 3);
    sgw_stop();
    assert_int_equal(sgw.procedures, 0);
    gtpc_close(mme.endpoint); /* the askers end as well */
    mme.endpoint = NULL;
    for (int i = 0; i < 3; i++)
        arena_free(&waiting[i].arena);
    open_mme(10);
    mme.is_silent = false;
    assert_int_equal(start_sgw(), 0); /* and it starts again */
}

static void a_session_that_went_while_the_user_plane_was_away(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session kept = *fake_session_of(&user, IMSI);

    fake_user_plane_close(&user);
    for (int i = 0; i < 300 && user_plane_is_up(sgw.planes, 0); i++)
        loop_run_for(2);
    assert_int_equal(detach(teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(user_planes_remembered(sgw.planes), 1);
    assert_int_equal(sgw.ues.count, 0);
    /* it is back, the same as before, with the session: now it is deleted */
    struct fake_user_plane before = {.recovery = 1000};
    fake_user_plane_open(&user, USER, before.recovery);
    user.sessions[0] = kept;
    user.count = 1;
    for (int i = 0; i < 300 && user.count > 0; i++)
        loop_run_for(2);
    assert_int_equal(user.count, 0);
    settle();
    assert_int_equal(user_planes_remembered(sgw.planes), 0);
}

static void what_the_user_plane_missed_is_told_again(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    user.ignored = 6; /* all attempts, and those of the repair at once */
    assert_int_equal(release(teid), GTPC_CAUSE_REQUEST_ACCEPTED); /* the MME does not care */
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->action, PFCP_APPLY_FORW);
    loop_run_for(1200);
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->action,
                     PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    detach(teid, 5);
    nothing_is_left();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_user_plane_is_slow_or_silent),
        TEST(there_is_no_user_plane),
        TEST(a_restarted_user_plane_gets_its_sessions_again),
        cmocka_unit_test_setup_teardown(a_restarted_user_plane_gets_its_sessions_again,
                                        set_up_choosing, tear_down),
        TEST(a_user_plane_that_forgot_is_noticed_at_once),
        TEST(a_session_that_only_the_user_plane_lost),
        TEST(many_sessions_are_restored_a_few_at_a_time),
        TEST(a_restarted_mme_has_no_phones),
        TEST(an_mme_starts_anew_in_the_middle_of_an_attach),
        TEST(a_pgw_starts_anew_in_the_middle_of_an_attach),
        TEST(a_restarted_mme_is_noticed_by_echo),
        TEST(a_restarted_pgw_has_no_sessions),
        TEST(peers_that_are_gone_for_long),
        TEST(the_enodeb_has_forgotten_the_tunnel),
        TEST(the_pgw_has_forgotten_the_tunnel),
        TEST(a_report_about_nothing),
        TEST(it_can_be_stopped_at_any_time),
        TEST(a_session_that_went_while_the_user_plane_was_away),
        TEST(what_the_user_plane_missed_is_told_again),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
