/*
 * sgw_test.c -- the S-GW between a fake MME, a fake P-GW and a fake user plane: every procedure,
 * and every refusal on its way; nothing is left behind.
 */
#include "gtp_unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/base.h"
#include "sgw_world.h"

static void an_attach(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    const struct gtpc_create_session_response *response = last.answer.create_session_response;
    struct fake_session *session = fake_session_of(&user, IMSI);

    assert_int_equal(last.answer.header.teid, MME_TEID);
    assert_int_equal(response->sender->interface_type, GTPC_S11_S4_SGW_GTP_C);
    assert_int_equal(response->pgw->teid, 1);
    assert_int_equal(ntohl(response->paa->ipv4.s_addr), 0x0a2d0001);
    assert_int_equal(response->ambr->downlink_kbps, 2000);
    assert_int_equal(*response->apn_restriction, 0);
    assert_true(bytes_equal(*response->pco, BYTES(0x80, 0, 0x0d, 4, 8, 8, 8, 8)));
    assert_int_equal(response->bearers.count, 1);
    assert_int_equal(response->bearers.at[0].ebi, 5);
    assert_int_equal(response->bearers.at[0].s1_u_sgw->interface_type, GTPC_S1_U_SGW);
    assert_int_equal(response->bearers.at[0].s5_s8_u_pgw->teid, 0x5001);
    /* what the P-GW saw */
    assert_string_equal(pgw_fake.apn, "internet");
    assert_int_equal(pgw_fake.sgw_c.interface_type, GTPC_S5_S8_SGW_GTP_C);
    assert_int_equal(pgw_fake.sgw_u.interface_type, GTPC_S5_S8_SGW_GTP_U);
    /* what the user plane was told */
    assert_int_equal(user.count, 1);
    assert_int_equal(user.establishments, 1);
    assert_int_equal(user.modifications, user.chooses ? 1 : 0);
    assert_int_equal(fake_pdr(session, 1)->source, PFCP_INTERFACE_ACCESS);
    assert_int_equal(fake_pdr(session, 1)->teid, response->bearers.at[0].s1_u_sgw->teid);
    assert_int_equal(fake_pdr(session, 2)->source, PFCP_INTERFACE_CORE);
    assert_int_equal(fake_pdr(session, 2)->teid, pgw_fake.sgw_u.teid);
    assert_true(fake_pdr(session, 1)->teid != fake_pdr(session, 2)->teid);
    assert_int_equal(fake_far(session, 1)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 1)->destination, PFCP_INTERFACE_CORE);
    assert_int_equal(fake_far(session, 1)->teid, 0x5001);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF);
    /* in its range */
    assert_int_equal(fake_pdr(session, 1)->teid >> 29, fake_pdr(session, 2)->teid >> 29);

    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.header.teid, MME_TEID);
    assert_int_equal(last.answer.modify_bearer_response->bearers.at[0].cause.value,
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.modify_bearer_response->bearers.at[0].s1_u_sgw->teid,
                     fake_pdr(session, 1)->teid);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 2)->destination, PFCP_INTERFACE_ACCESS);
    assert_int_equal(fake_far(session, 2)->teid, 0xe1);
    assert_int_equal(session->end_markers, 0);
    assert_int_equal(pgw_fake.modifications, 0); /* nothing that the P-GW has to know */
    /* the same again changes nothing */
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(user.modifications, user.chooses ? 2 : 1);

    assert_int_equal(detach(teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.deletions, 1);
    nothing_is_left();
}

static void a_phone_sleeps_and_is_called(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    fake_report_data(&user, session); /* late: it is connected */
    settle();
    assert_int_equal(mme.notifications, 0);
    assert_int_equal(release(teid), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    assert_int_equal(mme.last_ebi, 5);
    settle();
    assert_int_equal(user.report_answers, 2);
    fake_report_data(&user, session); /* it is being called already */
    settle();
    assert_int_equal(mme.notifications, 1);
    assert_int_equal(modify_to(teid, 5, 0xe2, "10.0.0.8"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(session, 2)->teid, 0xe2);
    assert_int_equal(session->end_markers, 0); /* it came from nowhere */
    release(teid);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 2);
    detach(teid, 5);
    nothing_is_left();
}

static void the_mme_delays_notifications(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    release(teid);
    mme.delay = 4;
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    settle();
    assert_int_equal(session->delay, 4);
    detach(teid, 5);
    nothing_is_left();
}

static void a_phone_that_is_not_found(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);
    struct gtpc_downlink_data_notification_failure_indication failure = {
        .cause = {.value = GTPC_CAUSE_UE_NOT_RESPONDING}};

    release(teid);
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    settle();
    assert_int_equal(session->drops, 0);
    gtpc_notify(peer(mme.endpoint, SGW), teid, GTPC_DOWNLINK_DATA_NOTIFICATION_FAILURE_INDICATION,
                &failure);
    settle();
    assert_int_equal(session->drops, 1);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    fake_report_data(&user, session); /* the next packet calls again */
    wait_for(&mme.notifications, 2);
    detach(teid, 5);
    nothing_is_left();
}

static void an_mme_that_cannot_page(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    release(teid);
    mme.acknowledge = GTPC_CAUSE_UNABLE_TO_PAGE_UE;
    fake_report_data(&user, session);
    wait_for(&mme.notifications, 1);
    settle();
    assert_int_equal(session->drops, 1);
    /* one that does not know the phone: its sessions are void */
    mme.acknowledge = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    fake_report_data(&user, session);
    wait_for(&pgw_fake.deletions, 1);
    nothing_is_left();
}

static void an_mme_that_is_silent(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    release(teid);
    mme.is_silent = true;
    fake_report_data(&user, session);
    loop_run_for(40);
    /* the phone's own Service Request does not wait for the acknowledgement */
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_FORW);
    mme.is_silent = false;
    loop_run_for(120);
    detach(teid, 5);
    nothing_is_left();
}

static void a_move_to_another_enodeb_ends_the_old_tunnel(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    modify_to(teid, 5, 0xe2, "10.0.0.8");
    assert_int_equal(session->end_markers, 1);
    assert_int_equal(fake_far(session, 2)->teid, 0xe2);
    modify_to(teid, 5, 0xe3, "10.0.0.8");
    assert_int_equal(session->end_markers, 2);
    detach(teid, 5);
}

static void two_pdn_connections(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct gtpc_create_session_request *second = creation(IMSI, 6);

    strcpy(second->apn, "ims");
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, teid, second), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.create_session_response->sender->teid, teid);
    assert_int_equal(user.count, 2);
    /* all bearers at once */
    struct gtpc_f_teid enb = {
        .interface_type = GTPC_S1_U_ENODEB, .has_ipv4 = true, .teid = 0xe1, .ipv4.s_addr = 9};
    struct gtpc_bearer_to_be_modified bearers[] = {{.ebi = 5, .s1_u_enodeb = &enb},
                                                   {.ebi = 6, .s1_u_enodeb = &enb},
                                                   {.ebi = 9, .s1_u_enodeb = &enb}};
    struct gtpc_modify_access_bearers_request all = {.bearers = {bearers, 3}};
    assert_int_equal(ask(GTPC_MODIFY_ACCESS_BEARERS_REQUEST, teid, &all),
                     GTPC_CAUSE_REQUEST_ACCEPTED_PARTIALLY);
    assert_int_equal(last.answer.modify_access_bearers_response->bearers.at[2].cause.value,
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(fake_far(fake_session_at(&user, 0), 2)->action, PFCP_APPLY_FORW);
    assert_int_equal(fake_far(fake_session_at(&user, 1), 2)->action, PFCP_APPLY_FORW);
    release(teid);
    assert_int_equal(fake_far(fake_session_at(&user, 0), 2)->action,
                     PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    assert_int_equal(fake_far(fake_session_at(&user, 1), 2)->action,
                     PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    assert_int_equal(detach(teid, 6), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(sgw.ues.count, 1);
    assert_int_equal(detach(teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    nothing_is_left();
}

static void deletions(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    uint64_t scope = GTPC_SI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request all = {.indication = &scope}, local = {.lbi = &ebi},
                                       nobody = {0};

    assert_int_equal(detach(teid, 6), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(detach(teid + 1, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(ask(GTPC_DELETE_SESSION_REQUEST, teid, &nobody),
                     GTPC_CAUSE_CONDITIONAL_IE_MISSING);
    assert_int_equal(last.answer.delete_session_response->cause.offending_type, GTPC_IE_EBI);
    assert_int_equal(ask(GTPC_DELETE_SESSION_REQUEST, teid, &local), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.deletions, 0); /* no OI: the P-GW keeps it */
    nothing_is_left();
    teid = attach(IMSI);
    assert_int_equal(ask(GTPC_DELETE_SESSION_REQUEST, teid, &all), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.deletions, 0);
    nothing_is_left();
    /* a P-GW that does not answer does not keep the session here */
    teid = attach(IMSI);
    pgw_fake.is_silent = true;
    assert_int_equal(detach(teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    nothing_is_left();
}

static void the_pgw_refuses(void **state)
{
    (void)state;
    pgw_fake.refuse = GTPC_CAUSE_MISSING_OR_UNKNOWN_APN;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_MISSING_OR_UNKNOWN_APN);
    assert_true(last.answer.create_session_response->cause.is_remote);
    assert_int_equal(last.answer.header.teid, MME_TEID);
    assert_int_equal(user.establishments, 0);
    assert_int_equal(pgw_fake.deletions, 0);
    nothing_is_left();
}

static void the_pgw_is_silent(void **state)
{
    (void)state;
    pgw_fake.is_silent = true;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING);
    nothing_is_left();
}

static void the_pgw_answers_nonsense(void **state)
{
    (void)state;
    pgw_fake.omits_tunnel = true;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_INVALID_REPLY_FROM_REMOTE_PEER);
    settle();
    assert_int_equal(pgw_fake.deletions, 1); /* what it has made is taken down */
    nothing_is_left();
}

static void the_user_plane_refuses(void **state)
{
    (void)state;
    user.refuse = PFCP_CAUSE_NO_RESOURCES_AVAILABLE;
    user.refusals = 1;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(pgw_fake.deletions, 1);
    user.refuse = PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE;
    user.refusals = 1;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5)),
                     GTPC_CAUSE_SYSTEM_FAILURE);
    assert_int_equal(pgw_fake.deletions, 2);
    nothing_is_left();
    /* at Modify Bearer: refused, and told again the next time */
    uint32_t teid = attach(IMSI);
    user.refusals = 1;
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_SYSTEM_FAILURE);
    assert_int_equal(last.answer.modify_bearer_response->bearers.at[0].cause.value,
                     GTPC_CAUSE_SYSTEM_FAILURE);
    assert_int_equal(modify_to(teid, 5, 0xe1, "10.0.0.7"), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(fake_session_of(&user, IMSI), 2)->teid, 0xe1);
    detach(teid, 5);
    nothing_is_left();
}

static void requests_that_lack_something(void **state)
{
    (void)state;
    struct gtpc_create_session_request *request = creation(IMSI, 5);

    request->imsi = NULL;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request),
                     GTPC_CAUSE_CONDITIONAL_IE_MISSING);
    assert_int_equal(last.answer.create_session_response->cause.offending_type, GTPC_IE_IMSI);
    request = creation("12", 5);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request),
                     GTPC_CAUSE_MANDATORY_IE_INCORRECT);
    request = creation(IMSI, 5);
    request->pgw = NULL;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request),
                     GTPC_CAUSE_CONDITIONAL_IE_MISSING);
    assert_int_equal(last.answer.create_session_response->cause.offending_type, GTPC_IE_F_TEID);
    assert_int_equal(last.answer.create_session_response->cause.offending_instance, 1);
    request = creation(IMSI, 3);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request),
                     GTPC_CAUSE_MANDATORY_IE_INCORRECT);
    request = creation(IMSI, 5);
    request->sender.has_ipv4 = false;
    request->sender.has_ipv6 = true;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, request), GTPC_CAUSE_INVALID_PEER);
    request = creation(IMSI, 5);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0x12345, request),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    nothing_is_left();
}

static void a_stranger_cannot_touch_a_phone(void **state)
{
    (void)state;
    struct gtpc_endpoint *odd;
    uint32_t teid = attach(IMSI);
    struct gtpc_release_access_bearers_request release_request = {0};
    uint64_t flags = GTPC_OI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &ebi, .indication = &flags};
    struct gtpc_delete_bearer_request bearer = {.lbi = &ebi};

    open_peer(&odd, ODD, 1, &fake_mme_handler);
    assert_int_equal(ask_of(odd, GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &release_request),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(last.answer.header.teid, 0);
    assert_int_equal(ask_of(odd, GTPC_DELETE_SESSION_REQUEST, teid, &deletion),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(ask_of(odd, GTPC_DELETE_BEARER_REQUEST,
                            fake_session_of(&user, IMSI)->cp_seid & UINT32_MAX, &bearer),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(sgw.sessions.count, 1);
    gtpc_close(odd);
    detach(teid, 5);
}

static void the_mme_changes(void **state)
{
    (void)state;
    struct gtpc_endpoint *odd;
    uint32_t teid = attach(IMSI);

    open_peer(&odd, ODD, 1, &fake_mme_handler);
    struct gtpc_f_teid sender = gtpc_own_f_teid(odd, GTPC_S11_MME_GTP_C, 0x222);
    struct gtpc_modify_bearer_request request = {.sender = &sender};
    assert_int_equal(ask_of(odd, GTPC_MODIFY_BEARER_REQUEST, teid, &request),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.header.teid, 0x222);
    assert_int_equal(release(teid),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND); /* the old one has no say any more */
    assert_int_equal(udp_peer_users(peer(sgw.s11, MME)), 0);
    assert_int_equal(udp_peer_users(peer(sgw.s11, ODD)), 1);
    struct gtpc_release_access_bearers_request release_request = {0};
    assert_int_equal(ask_of(odd, GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &release_request),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    gtpc_close(odd);
}

static void news_for_the_pgw_are_passed_on(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct gtpc_ue_time_zone zone = {0x40, 0};
    uint8_t rat = GTPC_RAT_UTRAN, same = GTPC_RAT_EUTRAN;
    struct gtpc_modify_bearer_request request = {.ue_time_zone = &zone, .rat_type = &rat};
    struct gtpc_modify_bearer_request nothing_new = {.rat_type = &same};
    struct gtpc_change_notification_request change = {.rat_type = GTPC_RAT_EUTRAN};

    assert_int_equal(ask(GTPC_MODIFY_BEARER_REQUEST, teid, &nothing_new),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.modifications, 0);
    assert_int_equal(ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.modifications, 1);
    assert_int_equal(pgw_fake.rat_type, GTPC_RAT_UTRAN);
    pgw_fake.refuse = GTPC_CAUSE_CONTEXT_NOT_FOUND;
    assert_int_equal(ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_true(last.answer.modify_bearer_response->cause.is_remote);
    assert_int_equal(ask(GTPC_CHANGE_NOTIFICATION_REQUEST, teid, &change),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw_fake.changes, 1);
    pgw_fake.is_silent = true;
    assert_int_equal(ask(GTPC_CHANGE_NOTIFICATION_REQUEST, teid, &change),
                     GTPC_CAUSE_REMOTE_PEER_NOT_RESPONDING);
    pgw_fake.is_silent = false;
    detach(teid, 5);
}

static void the_pgw_wants_to_know_where_the_phone_is(void **state)
{
    (void)state;
    struct gtpc_uli uli = {.has_tai = true, .tai = {.plmn = {1, 1, 2}, .tac = 7}};
    struct gtpc_modify_bearer_request request = {.uli = &uli};
    uint32_t teid = attach(IMSI);

    ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request);
    assert_int_equal(pgw_fake.modifications, 0); /* nobody has asked */
    detach(teid, 5);
    pgw_fake.wants_location = true;
    teid = attach(IMSI);
    assert_int_equal(*last.answer.create_session_response->change_reporting_action, 1);
    ask(GTPC_MODIFY_BEARER_REQUEST, teid, &request);
    assert_int_equal(pgw_fake.modifications, 1);
    detach(teid, 5);
}

static void suspended_and_resumed(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct fake_session *session = fake_session_of(&user, IMSI);
    struct gtpc_suspend_notification suspend = {.imsi = IMSI};
    struct gtpc_resume_notification resume = {.imsi = IMSI};

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    assert_int_equal(ask(GTPC_SUSPEND_NOTIFICATION, teid, &suspend), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_DROP);
    assert_int_equal(ask(GTPC_RESUME_NOTIFICATION, teid, &resume), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(session, 2)->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    detach(teid, 5);
}

static void what_is_not_supported_is_said(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    struct gtpc_bearer_of_command bearer = {.ebi = 6};
    struct gtpc_delete_bearer_command deletion = {.bearers = {&bearer, 1}};
    struct gtpc_bearer_resource_command resource = {.lbi = 5, .pti = 9, .tad = BYTES(0)};
    struct gtpc_modify_bearer_command modification = {.bearer = bearer};
    struct gtpc_pgw_restart_notification other = {0};
    struct gtpc_create_session_request *moved = creation("001010000000009", 5);

    assert_int_equal(ask(GTPC_DELETE_BEARER_COMMAND, teid, &deletion),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(last.answer.header.type, GTPC_DELETE_BEARER_FAILURE_INDICATION);
    assert_true(last.answer.header.sequence & GTPC_COMMAND_SEQUENCE);
    assert_int_equal(last.answer.delete_bearer_failure_indication->bearers.at[0].ebi, 6);
    assert_int_equal(ask(GTPC_BEARER_RESOURCE_COMMAND, teid, &resource),
                     GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    assert_int_equal(last.answer.bearer_resource_failure_indication->pti, 9);
    assert_int_equal(ask(GTPC_MODIFY_BEARER_COMMAND, teid, &modification),
                     GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    assert_int_equal(ask(GTPC_PGW_RESTART_NOTIFICATION, teid, &other),
                     GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    ((struct gtpc_f_teid *)(uintptr_t)moved->pgw)->teid = 5; /* a session that another S-GW had */
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, moved), GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    detach(teid, 5);
    nothing_is_left();
}

static void an_attach_anew_makes_the_old_sessions_void(void **state)
{
    (void)state;
    uint32_t before = attach(IMSI);
    uint32_t teid = attach(IMSI);

    assert_int_equal(before, teid); /* the phone is the same */
    assert_int_equal(pgw_fake.deletions, 1);
    assert_int_equal(pgw_fake.creations, 2);
    assert_int_equal(user.count, 1);
    assert_int_equal(sgw.sessions.count, 1);
    /* the same bearer again on the phone's own TEID */
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, teid, creation(IMSI, 5)),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(sgw.sessions.count, 1);
    detach(teid, 5);
    nothing_is_left();
}

static void requests_for_one_phone_are_done_one_after_the_other(void **state)
{
    (void)state;
    static struct asked first, second, third;
    uint32_t teid = attach(IMSI);
    struct gtpc_f_teid enb = {
        .interface_type = GTPC_S1_U_ENODEB, .has_ipv4 = true, .teid = 0xe1, .ipv4.s_addr = 9};
    struct gtpc_bearer_to_be_modified bearer = {.ebi = 5, .s1_u_enodeb = &enb};
    struct gtpc_modify_bearer_request modification = {.bearers = {&bearer, 1}};
    struct gtpc_release_access_bearers_request release_request = {0};
    uint64_t flags = GTPC_OI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &ebi, .indication = &flags};

    user.ignored = 1; /* the first waits a while */
    ask_begin(&first, mme.endpoint, GTPC_MODIFY_BEARER_REQUEST, teid, &modification);
    ask_begin(&second, mme.endpoint, GTPC_RELEASE_ACCESS_BEARERS_REQUEST, teid, &release_request);
    ask_begin(&third, mme.endpoint, GTPC_DELETE_SESSION_REQUEST, teid, &deletion);
    loop_run_for(10);
    assert_false(first.done || second.done || third.done);
    loop_run_for(100);
    assert_true(first.done && second.done && third.done);
    assert_int_equal(first.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(second.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(third.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    arena_free(&first.arena);
    arena_free(&second.arena);
    arena_free(&third.arena);
    nothing_is_left();
}

static void a_request_behind_the_last_deletion_finds_nothing(void **state)
{
    (void)state;
    static struct asked first, second;
    uint32_t teid = attach(IMSI);
    uint64_t flags = GTPC_OI;
    uint8_t ebi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &ebi, .indication = &flags};
    struct gtpc_modify_bearer_request modification = {.bearers = {NULL, 0}};

    user.ignored = 1;
    ask_begin(&first, mme.endpoint, GTPC_DELETE_SESSION_REQUEST, teid, &deletion);
    ask_begin(&second, mme.endpoint, GTPC_MODIFY_BEARER_REQUEST, teid, &modification);
    loop_run_for(100);
    assert_int_equal(first.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(second.cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    arena_free(&first.arena);
    arena_free(&second.arena);
    nothing_is_left();
}

static void the_pgw_ends_a_session(void **state)
{
    (void)state;
    attach(IMSI);
    uint32_t s5_teid = pgw_fake.sgw_c.teid;
    uint8_t ebi = 5, other = 6;
    struct gtpc_cause cause = {.value = GTPC_CAUSE_REACTIVATION_REQUESTED};
    struct gtpc_delete_bearer_request request = {.lbi = &ebi, .cause = &cause},
                                      wrong = {.lbi = &other};
    struct gtpc_update_bearer_request update = {0};
    struct gtpc_bearer_to_be_updated updated = {.ebi = 5};

    assert_int_equal(ask_of(pgw_fake.endpoint, GTPC_DELETE_BEARER_REQUEST, s5_teid, &wrong),
                     GTPC_CAUSE_CONTEXT_NOT_FOUND);
    update.bearers.at = &updated;
    update.bearers.count = 1;
    assert_int_equal(ask_of(pgw_fake.endpoint, GTPC_UPDATE_BEARER_REQUEST, s5_teid, &update),
                     GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    assert_int_equal(ask_of(pgw_fake.endpoint, GTPC_DELETE_BEARER_REQUEST, s5_teid, &request),
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(last.answer.header.teid, 1);
    assert_int_equal(mme.bearer_deletions, 1);
    assert_int_equal(mme.last_cause, GTPC_CAUSE_REACTIVATION_REQUESTED);
    nothing_is_left();
}

static void too_many_procedures(void **state)
{
    (void)state;
    static struct asked slow;

    sgw_test_config.max_procedures = 1;
    user.ignored = 1;
    ask_begin(&slow, mme.endpoint, GTPC_CREATE_SESSION_REQUEST, 0, creation(IMSI, 5));
    loop_run_for(10);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation("001010000000002", 5)),
                     GTPC_CAUSE_GTP_C_ENTITY_CONGESTION);
    loop_run_for(60);
    assert_true(slow.done);
    assert_int_equal(slow.cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    arena_free(&slow.arena);
}

static void too_many_phones(void **state)
{
    (void)state;
    sgw.ues.limit = 1;
    attach(IMSI);
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation("001010000000002", 5)),
                     GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    sgw.ues.limit = 10;
    sgw.sessions.limit = 1;
    assert_int_equal(ask(GTPC_CREATE_SESSION_REQUEST, 0, creation("001010000000002", 5)),
                     GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(sgw.ues.count, 1);
    assert_int_equal(user.count, 1);
}

static void it_can_be_looked_at(void **state)
{
    (void)state;
    uint32_t teid = attach(IMSI);
    static const char *const views[] = {"sessions", "peers"};

    modify_to(teid, 5, 0xe1, "10.0.0.7");
    json_t *summary = sgw_state(NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(summary, "sessions")), 1);
    json_decref(summary);
    for (size_t i = 0; i < 2; i++) {
        json_t *rows = sgw_state(views[i], NULL);
        assert_true(json_array_size(rows) >= 1);
        json_decref(rows);
    }
    json_t *rows = sgw_state("sessions", NULL);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "state")),
                        "connected");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "enodeb")),
                        "10.0.0.7/0xe1");
    json_decref(rows);
    assert_null(sgw_state("nonsense", NULL));
}

static void a_phone_is_small(void **state)
{
    (void)state;
    size_t phone = sizeof(struct sgw_ue) + sizeof(struct sgw_session) + sizeof(struct sgw_bearer);

    assert_true(phone + 3 * 16 + 2 * 24 < 1024);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_attach),
        cmocka_unit_test_setup_teardown(an_attach, set_up_two_addresses, tear_down),
        cmocka_unit_test_setup_teardown(an_attach, set_up_choosing, tear_down),
        TEST(a_phone_sleeps_and_is_called),
        TEST(the_mme_delays_notifications),
        TEST(a_phone_that_is_not_found),
        TEST(an_mme_that_cannot_page),
        TEST(an_mme_that_is_silent),
        TEST(a_move_to_another_enodeb_ends_the_old_tunnel),
        TEST(two_pdn_connections),
        TEST(deletions),
        TEST(the_pgw_refuses),
        TEST(the_pgw_is_silent),
        TEST(the_pgw_answers_nonsense),
        TEST(the_user_plane_refuses),
        TEST(requests_that_lack_something),
        TEST(a_stranger_cannot_touch_a_phone),
        TEST(the_mme_changes),
        TEST(news_for_the_pgw_are_passed_on),
        TEST(the_pgw_wants_to_know_where_the_phone_is),
        TEST(suspended_and_resumed),
        TEST(what_is_not_supported_is_said),
        TEST(an_attach_anew_makes_the_old_sessions_void),
        TEST(requests_for_one_phone_are_done_one_after_the_other),
        TEST(a_request_behind_the_last_deletion_finds_nothing),
        TEST(the_pgw_ends_a_session),
        TEST(too_many_procedures),
        TEST(too_many_phones),
        TEST(it_can_be_looked_at),
        cmocka_unit_test(a_phone_is_small),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
