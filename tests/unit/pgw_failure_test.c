/*
 * pgw_failure_test.c -- what the P-GW does when S-GWs and user planes fail, are silent or start
 * anew, when the operator ends sessions, and when it ends itself in the middle of something.
 */
#include "pgw_world.h"

/* ---- Peers that fail ---- */

static void an_sgw_starts_anew(void **state)
{
    (void)state;
    struct creation c;
    char imsi[IMSI_SIZE];

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6);
    c.request.recovery = &sgw.recovery;
    struct asker made = send_creation(&c);
    for (unsigned i = 2; i < 20; i++) {
        name_phone(imsi, i);
        create(imsi, "internet", GTPC_PDN_IPV4V6);
    }
    assert_int_equal(plane.count, 19);
    close_sgw(&sgw);
    sgw.recovery++;
    open_sgw(&sgw);
    WAIT(pgw.sessions.count == 0); /* an Echo tells */
    assert_int_equal(counted(PGW_SGW_LOSSES), 19);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_nothing_is_left();
}

/* The first word of an S-GW that has started anew is a new session: that one stays. */
static void an_sgw_starts_anew_with_a_request(void **state)
{
    (void)state;
    struct creation c;

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4);
    c.request.recovery = &sgw.recovery;
    send_creation(&c);
    sgw.recovery++;
    prepare(&c, OTHER_PHONE, "internet", GTPC_PDN_IPV4);
    c.request.recovery = &sgw.recovery;
    struct asker made = send_creation(&c);
    assert_int_equal(made.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    WAIT(pgw.sessions.count == 1);
    assert_null(fake_session_of(&plane, PHONE));
    assert_non_null(fake_session_of(&plane, OTHER_PHONE));
    close_sgw(&sgw); /* its Echo now tells the new counter as well */
    open_sgw(&sgw);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

static void an_sgw_is_silent(void **state)
{
    (void)state;
    create(PHONE, "internet", GTPC_PDN_IPV4);
    create(OTHER_PHONE, "internet", GTPC_PDN_IPV4);
    close_sgw(&sgw);
    WAIT(pgw.sessions.count == 0);
    assert_int_equal(counted(PGW_SGW_LOSSES), 2);
    assert_nothing_is_left();
}

static void an_sgw_is_silent_for_a_while(void **state)
{
    (void)state;
    config.path_hold_ms = 60000;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    close_sgw(&sgw);
    loop_run_for(250);
    open_sgw(&sgw);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

static void the_user_plane_starts_anew(void **state)
{
    (void)state;
    struct asker made[20];
    char imsi[IMSI_SIZE];

    for (unsigned i = 0; i < 20; i++) {
        name_phone(imsi, i);
        made[i] = create(imsi, "internet", GTPC_PDN_IPV4V6);
    }
    fake_user_plane_restart(&plane);
    WAIT(plane.count == 20 && counted(PGW_RESTORED) == 20);
    for (unsigned i = 0; i < 20; i++) {
        name_phone(imsi, i);
        struct fake_session *there = fake_session_of(&plane, imsi);
        assert_non_null(there);
        assert_int_equal(fake_pdr(there, 1)->teid, made[i].s5_u_teid);
        assert_int_equal(fake_pdr(there, 2)->ue.ipv4.s_addr, made[i].paa.ipv4.s_addr);
        assert_int_equal(fake_far(there, 2)->teid, 0x5000);
        assert_int_equal(delete_session(made[i].pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    }
    assert_nothing_is_left();
}

/* Started anew, and it does not want the session any more: the phone is to begin again. */
static void the_user_plane_does_not_take_it_back(void **state)
{
    (void)state;
    create(PHONE, "internet", GTPC_PDN_IPV4V6);
    fake_user_plane_restart(&plane);
    plane.refuse = PFCP_CAUSE_NO_RESOURCES_AVAILABLE;
    plane.refusals = 1;
    WAIT(sgw.deletions == 1);
    assert_int_equal(sgw.deletion_cause, GTPC_CAUSE_REACTIVATION_REQUESTED);
    assert_int_equal(sgw.deletion_lbi, 5);
    assert_int_equal(sgw.deletion_teid, 0x1234);
    assert_int_equal(counted(PGW_RESTORE_FAILED), 1);
    assert_nothing_is_left();
}

static void deleted_while_the_user_plane_is_away(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);

    fake_user_plane_close(&plane);
    WAIT(!user_plane_is_up(pgw.planes, 0));
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw.sessions.count, 0);
    fake_user_plane_restart(&plane);
    WAIT(user_plane_is_up(pgw.planes, 0));
    loop_run_for(50);
    assert_nothing_is_left();
}

/* It is back as it was: what was deleted meanwhile is deleted there, too, and what was moved is
 * told. */
static void the_user_plane_was_away(void **state)
{
    (void)state;
    static struct fake_user_plane before;
    struct gtpc_bearer_to_be_modified bearer;
    struct gtpc_f_teid tunnel, sender;
    struct gtpc_modify_bearer_request request = relocation(&bearer, &tunnel, &sender);
    struct asker gone = create(PHONE, "internet", GTPC_PDN_IPV4V6);
    struct asker stays = create(OTHER_PHONE, "internet", GTPC_PDN_IPV4V6);

    sender = f_teid(GTPC_S5_S8_SGW_GTP_C, 0x1234, SGW);
    fake_user_plane_close(&plane);
    WAIT(!user_plane_is_up(pgw.planes, 0));
    assert_int_equal(delete_session(gone.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_false(gtpc_cause_is_accepted(ask((struct asker){.teid = stays.pgw_teid,
                                                           .type = GTPC_MODIFY_BEARER_REQUEST,
                                                           .body = &request})
                                            .cause.value));
    assert_int_equal(pgw.sessions.count, 1);
    before = plane;
    plane.recovery--; /* it did not start anew ... */
    fake_user_plane_restart(&plane);
    memcpy(plane.sessions, before.sessions, sizeof(plane.sessions)); /* ... and has all sessions */
    plane.count = before.count;
    WAIT(user_plane_is_up(pgw.planes, 0) && plane.count == 1);
    assert_null(fake_session_of(&plane, PHONE));
    assert_int_equal(fake_far(fake_session_of(&plane, OTHER_PHONE), 2)->teid, 0x5000);
    assert_int_equal(counted(PGW_RESTORED), 0);
    assert_int_equal(delete_session(stays.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

/* It is there and does not answer: the deletion is tried again when it answers one. */
static void a_deletion_is_not_answered(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);

    plane.ignored = 3;
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw.sessions.count, 0);
    assert_int_equal(plane.count, 1);
    made = create(OTHER_PHONE, "internet", GTPC_PDN_IPV4V6);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    WAIT(plane.count == 0);
    assert_nothing_is_left();
}

/* While a new session waits for the user plane its S-GW starts anew: nobody would ever end it. */
static void an_sgw_starts_anew_in_the_middle(void **state)
{
    (void)state;
    struct creation c, other;
    struct asker first = {.type = GTPC_CREATE_SESSION_REQUEST, .body = &c.request};

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4);
    c.request.recovery = &sgw.recovery;
    plane.ignored = 1;
    begin(&first);
    loop_run_for(4);
    assert_int_equal(pgw.sessions.count, 1);
    sgw.recovery++;
    prepare(&other, OTHER_PHONE, "v4", GTPC_PDN_IPV4);
    other.request.recovery = &sgw.recovery;
    struct asker second = send_creation(&other);
    assert_int_equal(second.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    WAIT(first.is_done && pgw.sessions.count == 1);
    assert_null(fake_session_of(&plane, PHONE));
    close_sgw(&sgw);
    open_sgw(&sgw);
    assert_int_equal(delete_session(second.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

/* ---- The operator ---- */

static int disconnect(const char *imsi)
{
    char path[64];
    struct control_request request = {.method = "DELETE", .path = path};
    struct control_answer answer = {0};

    snprintf(path, sizeof(path), "/sessions/%s", imsi);
    assert_int_equal(pgw_route_count, 1);
    pgw_routes[0].handle(&request, &answer);
    json_decref(answer.json);
    free(answer.text);
    return answer.status;
}

static void the_operator_ends_sessions(void **state)
{
    (void)state;
    struct creation c;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);

    prepare(&c, PHONE, "v4", GTPC_PDN_IPV4);
    c.bearers[0].ebi = 6;
    send_creation(&c);
    create(OTHER_PHONE, "internet", GTPC_PDN_IPV4);
    assert_int_equal(disconnect("001010000000009"), 404);
    assert_int_equal(disconnect("nobody"), 404);
    assert_int_equal(disconnect(PHONE), 202);
    WAIT(sgw.deletions == 2 && pgw.procedures == 0);
    assert_int_equal(sgw.deletion_cause, GTPC_CAUSE_REACTIVATION_REQUESTED);
    assert_int_equal(sgw.deletion_teid, 0x1234);
    assert_int_equal(pgw.sessions.count, 1);
    assert_int_equal(counted(PGW_DELETED_BY_US), 2);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);

    sgw.is_mute = true; /* an S-GW that does not answer changes nothing */
    assert_int_equal(disconnect(OTHER_PHONE), 202);
    WAIT(pgw.sessions.count == 0);
    assert_nothing_is_left();
}

/* What the S-GW asks while the operator's wish waits for the user plane. */
static void the_operator_and_the_sgw_at_once(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);
    uint8_t lbi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &lbi};
    struct asker asker = {
        .teid = made.pgw_teid, .type = GTPC_DELETE_SESSION_REQUEST, .body = &deletion};

    plane.ignored = 1;
    assert_int_equal(disconnect(PHONE), 202);
    begin(&asker);
    WAIT(asker.is_done && pgw.sessions.count == 0);
    assert_nothing_is_left();
}

static void report_usage(void *argument)
{
    struct fake_session *session = argument;
    struct udp_peer *peer = udp_peer_get(pfcp_udp(plane.pfcp), session->peer);
    struct pfcp_volume volume = {
        .has_uplink = true, .has_downlink = true, .uplink = 300, .downlink = 500};
    struct pfcp_usage_report usage = {.urr_id = 1, .volume_measurement = &volume};
    struct pfcp_session_report_request body = {.report_type = PFCP_REPORT_USAR,
                                               .usage_report = {&usage, 1}};
    struct pfcp_message *answer;

    if (pfcp_request(peer, session->cp_seid, PFCP_SESSION_REPORT_REQUEST, &body, &answer) == 0)
        plane.report_answers += ((struct pfcp_session_report_response *)answer->body)->cause;
}

static void volumes_are_counted(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);

    fiber_spawn("usage", report_usage, fake_session_at(&plane, 0));
    WAIT(plane.report_answers == PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(counted(PGW_UPLINK_BYTES), 300);
    assert_int_equal(counted(PGW_DOWNLINK_BYTES), 500);
    struct fake_session of_nobody = *fake_session_at(&plane, 0);
    of_nobody.cp_seid ^= 0x100;
    fiber_spawn("usage", report_usage, &of_nobody);
    WAIT(plane.report_answers ==
         PFCP_CAUSE_REQUEST_ACCEPTED + PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
    delete_session(made.pgw_teid, 5);
    assert_int_equal(counted(PGW_UPLINK_BYTES), 1300);
    assert_nothing_is_left();
}

/* TS 23.007: a tunnel that the S-GW has forgotten. */
static void error_indications(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);
    struct in_addr there = {.s_addr = htonl(0x0a000009)};

    fake_report_error(&plane, fake_session_at(&plane, 0), 0x4fff, there); /* an earlier tunnel */
    WAIT(plane.report_answers == 1);
    loop_run_for(10);
    assert_int_equal(pgw.sessions.count, 1);
    fake_report_error(&plane, fake_session_at(&plane, 0), 0x5000, there);
    WAIT(pgw.sessions.count == 0);
    assert_int_equal(plane.report_answers, 2);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_nothing_is_left();
}

/* ---- The end ---- */

static void it_ends_in_the_middle(void **state)
{
    (void)state;
    struct creation c[3];
    struct asker askers[3];

    create(OTHER_PHONE, "internet", GTPC_PDN_IPV4V6);
    plane.ignored = 100;
    for (int i = 0; i < 3; i++) {
        prepare(&c[i], PHONE, "internet", GTPC_PDN_IPV4V6);
        askers[i] = (struct asker){.type = GTPC_CREATE_SESSION_REQUEST, .body = &c[i].request};
        begin(&askers[i]);
    }
    loop_run_for(5);
    assert_int_equal(pgw.procedures, 1);
    pgw_stop(); /* tear_down() does it again, which is no harm */
    for (int i = 0; i < 3; i++)
        assert_false(askers[i].is_done);
    close_sgw(&sgw);
    for (int i = 0; i < 3; i++)
        assert_true(askers[i].is_done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_sgw_starts_anew),
        TEST(an_sgw_starts_anew_with_a_request),
        TEST(an_sgw_is_silent),
        TEST(an_sgw_is_silent_for_a_while),
        TEST(the_user_plane_starts_anew),
        TEST(the_user_plane_does_not_take_it_back),
        TEST(deleted_while_the_user_plane_is_away),
        TEST(the_user_plane_was_away),
        TEST(a_deletion_is_not_answered),
        TEST(an_sgw_starts_anew_in_the_middle),
        TEST(the_operator_ends_sessions),
        TEST(the_operator_and_the_sgw_at_once),
        TEST(volumes_are_counted),
        TEST(error_indications),
        TEST(it_ends_in_the_middle),
    };

    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
