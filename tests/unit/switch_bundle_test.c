/*
 * switch_bundle_test.c -- bundles: their life, what may be in them, that a commit is all or
 * nothing, and the error of each thing that may not be (ONF extension 230; OpenFlow 1.4
 * clause 7.3.9).
 */
#include "switch_world.h"

#define BOTH (OFPBF_ATOMIC | OFPBF_ORDERED)

static of_error control(struct openflow_channel *ch, uint32_t id, uint16_t type, uint16_t flags)
{
    struct of_message m = {.type = OFPT_ONF_BUNDLE_CONTROL, .xid = 3};

    m.bundle_control = (struct of_bundle_control){id, type, flags};
    world_ask(ch, &m);
    if (!world_hear(ch, &m))
        return 0;
    if (m.type == OFPT_ERROR)
        return OF_ERROR(m.error.type, m.error.code);
    assert_int_equal(m.type, OFPT_ONF_BUNDLE_CONTROL);
    assert_int_equal(m.xid, 3);
    assert_int_equal(m.bundle_control.bundle_id, id);
    assert_int_equal(m.bundle_control.type, type + 1);
    return 0;
}

/* Adds a message; `xid` is the outer one. */
static of_error add(struct openflow_channel *ch, uint32_t id, uint16_t flags, uint32_t xid,
                    const struct of_message *inner)
{
    static uint8_t room[4096];
    struct writer w = writer_of(room, sizeof(room));
    struct of_message m = {.type = OFPT_ONF_BUNDLE_ADD, .xid = xid};

    of_encode(&w, inner);
    assert_false(w.bad);
    m.bundle_add = (struct of_bundle_add){id, flags, wr_view(&w)};
    return world_answer(ch, &m);
}

static struct of_message flow(uint8_t table, uint16_t priority, struct of_action *action)
{
    return world_flow_mod(OFPFC_ADD, table, priority, "", action, 1);
}

static of_error add_flow(struct openflow_channel *ch, uint32_t id, uint16_t priority)
{
    struct of_action output = of_output(1);
    struct of_message m = flow(0, priority, &output);

    return add(ch, id, BOTH, m.xid, &m);
}

static void a_commit_applies_all(void **state)
{
    struct openflow_channel *ch = world_connect();

    (void)state;
    assert_int_equal(control(ch, 1, OFPBCT_OPEN_REQUEST, BOTH), 0);
    assert_int_equal(add_flow(ch, 1, 1), 0);
    assert_int_equal(add_flow(ch, 1, 2), 0);
    assert_int_equal(sw.dp.tables.flow_count, 0);
    assert_int_equal(control(ch, 1, OFPBCT_CLOSE_REQUEST, BOTH), 0);
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, BOTH), 0);
    assert_int_equal(sw.dp.tables.flow_count, 2);
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, BOTH), OF_BUNDLE_ERROR(OFPBFC_BAD_ID));
    /* Opened by its first message, committed without a close. */
    assert_int_equal(add_flow(ch, 2, 3), 0);
    assert_int_equal(control(ch, 2, OFPBCT_COMMIT_REQUEST, BOTH), 0);
    assert_int_equal(sw.dp.tables.flow_count, 3);
    assert_int_equal(add_flow(ch, 3, 4), 0);
    assert_int_equal(control(ch, 3, OFPBCT_DISCARD_REQUEST, 0), 0);
    assert_int_equal(control(ch, 3, OFPBCT_COMMIT_REQUEST, BOTH), OF_BUNDLE_ERROR(OFPBFC_BAD_ID));
    assert_int_equal(sw.dp.tables.flow_count, 3);
}

static void a_commit_that_fails_applies_nothing(void **state)
{
    struct openflow_channel *ch = world_connect();
    struct of_action bad = of_to_group(9);
    struct of_message m;

    (void)state;
    assert_int_equal(add_flow(ch, 1, 1), 0);
    m = flow(0, 2, &bad);
    m.xid = 99;
    assert_int_equal(add(ch, 1, BOTH, 99, &m), 0);
    m = (struct of_message){.type = OFPT_ONF_BUNDLE_CONTROL, .xid = 3};
    m.bundle_control = (struct of_bundle_control){1, OFPBCT_COMMIT_REQUEST, BOTH};
    world_ask(ch, &m);
    m = world_expect(ch, OFPT_ERROR); /* the message's own, */
    assert_int_equal(m.xid, 99);
    assert_int_equal(OF_ERROR(m.error.type, m.error.code), OFPBAC_BAD_OUT_GROUP);
    m = world_expect(ch, OFPT_ERROR); /* and the commit's */
    assert_int_equal(m.xid, 3);
    assert_int_equal(OF_ERROR(m.error.type, m.error.code), OF_BUNDLE_ERROR(OFPBFC_MSG_FAILED));
    assert_int_equal(m.error.experimenter, OF_EXPERIMENTER_ONF);
    world_silent(ch);
    assert_int_equal(sw.dp.tables.flow_count, 0);
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, BOTH), OF_BUNDLE_ERROR(OFPBFC_BAD_ID));
}

static void what_may_not_be_said_of_a_bundle(void **state)
{
    struct openflow_channel *ch = world_connect();
    const of_error gone = OF_BUNDLE_ERROR(OFPBFC_BAD_ID);

    (void)state;
    assert_int_equal(control(ch, 1, OFPBCT_CLOSE_REQUEST, BOTH), gone);
    assert_int_equal(control(ch, 1, OFPBCT_DISCARD_REQUEST, BOTH), gone);
    assert_int_equal(control(ch, 1, OFPBCT_OPEN_REQUEST, 4), OF_BUNDLE_ERROR(OFPBFC_BAD_FLAGS));
    assert_int_equal(control(ch, 1, OFPBCT_OPEN_REQUEST, BOTH), 0);
    assert_int_equal(control(ch, 1, OFPBCT_OPEN_REPLY, BOTH), OF_BUNDLE_ERROR(OFPBFC_BAD_TYPE));
    assert_int_equal(control(ch, 1, 99, BOTH), OF_BUNDLE_ERROR(OFPBFC_BAD_TYPE));
    /* Opened twice: both are gone. */
    assert_int_equal(control(ch, 1, OFPBCT_OPEN_REQUEST, BOTH),
                     OF_BUNDLE_ERROR(OFPBFC_BUNDLE_EXIST));
    assert_int_equal(control(ch, 1, OFPBCT_CLOSE_REQUEST, BOTH), gone);
    /* Closed twice. */
    assert_int_equal(control(ch, 1, OFPBCT_OPEN_REQUEST, BOTH), 0);
    assert_int_equal(control(ch, 1, OFPBCT_CLOSE_REQUEST, BOTH), 0);
    assert_int_equal(control(ch, 1, OFPBCT_CLOSE_REQUEST, BOTH),
                     OF_BUNDLE_ERROR(OFPBFC_BUNDLE_CLOSED));
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, BOTH), gone);
    /* Other flags. */
    assert_int_equal(control(ch, 1, OFPBCT_OPEN_REQUEST, OFPBF_ATOMIC), 0);
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, BOTH),
                     OF_BUNDLE_ERROR(OFPBFC_BAD_FLAGS));
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, OFPBF_ATOMIC), gone);
    for (uint32_t i = 0; i <= MAX_BUNDLES; i++)
        assert_int_equal(control(ch, i, OFPBCT_OPEN_REQUEST, BOTH),
                         i < MAX_BUNDLES ? 0 : OF_BUNDLE_ERROR(OFPBFC_OUT_OF_BUNDLES));
    assert_int_equal(control(world_connect(), 1, OFPBCT_OPEN_REQUEST, BOTH), 0); /* its own ids */
}

static void what_may_not_be_in_a_bundle(void **state)
{
    struct openflow_channel *ch = world_connect();
    struct of_action output = of_output(1);
    struct of_message m = flow(0, 1, &output), barrier = {.type = OFPT_BARRIER_REQUEST};
    struct of_message nested = {.type = OFPT_ONF_BUNDLE_CONTROL};

    (void)state;
    assert_int_equal(add(ch, 1, BOTH, m.xid + 1, &m), OF_BUNDLE_ERROR(OFPBFC_MSG_BAD_XID));
    assert_int_equal(add(ch, 1, BOTH, 0, &barrier), OF_BUNDLE_ERROR(OFPBFC_MSG_UNSUP));
    assert_int_equal(add(ch, 1, BOTH, 0, &nested), OF_BUNDLE_ERROR(OFPBFC_MSG_UNSUP));
    m.version = 5;
    assert_int_equal(add(ch, 1, BOTH, m.xid, &m), OFPBRC_BAD_VERSION);
    m.version = 0;
    m.bundle_add = (struct of_bundle_add){1, BOTH, bytes_of("\x04\x0e\x00\x50short", 9)};
    m.type = OFPT_ONF_BUNDLE_ADD;
    assert_int_equal(world_answer(ch, &m), OF_BUNDLE_ERROR(OFPBFC_MSG_BAD_LEN));
    assert_int_equal(add_flow(ch, 1, 1), 0); /* it goes on all the same */
    m = flow(0, 1, &output);
    assert_int_equal(add(ch, 1, OFPBF_ATOMIC, m.xid, &m), OF_BUNDLE_ERROR(OFPBFC_BAD_FLAGS));
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, BOTH), OF_BUNDLE_ERROR(OFPBFC_BAD_ID));
    assert_int_equal(add_flow(ch, 1, 1), 0);
    assert_int_equal(control(ch, 1, OFPBCT_CLOSE_REQUEST, BOTH), 0);
    assert_int_equal(add_flow(ch, 1, 2), OF_BUNDLE_ERROR(OFPBFC_BUNDLE_CLOSED));
}

static void a_bundle_that_is_forgotten_is_dropped(void **state)
{
    struct openflow_channel *ch = world_connect();
    struct of_message m;

    (void)state;
    assert_int_equal(add_flow(ch, 1, 1), 0);
    loop_skip(BUNDLE_IDLE_MS - 1000);
    assert_int_equal(add_flow(ch, 1, 2), 0);
    loop_skip(BUNDLE_IDLE_MS - 1000);
    world_silent(ch);
    loop_skip(2000);
    m = world_expect(ch, OFPT_ERROR);
    assert_int_equal(OF_ERROR(m.error.type, m.error.code), OF_BUNDLE_ERROR(OFPBFC_TIMEOUT));
    assert_int_equal(control(ch, 1, OFPBCT_COMMIT_REQUEST, BOTH), OF_BUNDLE_ERROR(OFPBFC_BAD_ID));
}

/* What a bundle changed is one abbreviation for who did it, and all of it for others; packets go
 * by the rules that it leaves. */
static void monitors_and_packets(void **state)
{
    struct openflow_channel *one = world_connect(), *two = world_connect();
    struct of_action output = of_output(2), to_table = of_output(OFPP_TABLE);
    struct of_flow_monitor_request q = {
        .id = 1, .flags = OFPFMF_ADD, .out_port = OFPP_ANY, .table_id = OFPTT_ALL};
    struct of_message watch = {.type = OFPT_MULTIPART_REQUEST}, m = {.type = OFPT_PACKET_OUT};
    struct frame f = frame_ip(4, IP_UDP, 0);

    (void)state;
    watch.multipart_request.type = OFPMP_ONF_FLOW_MONITOR;
    watch.multipart_request.flow_monitors.at = &q;
    watch.multipart_request.flow_monitors.count = 1;
    world_ask(one, &watch);
    world_expect(one, OFPT_MULTIPART_REPLY);
    world_ask(two, &watch);
    world_expect(two, OFPT_MULTIPART_REPLY);
    m.packet_out = (struct of_packet_out){
        OFP_NO_BUFFER, OFPP_CONTROLLER, {&to_table, 1}, bytes_of(f.bytes, f.len)};
    assert_int_equal(add(one, 1, BOTH, m.xid, &m), 0);
    for (uint16_t i = 0; i < 3; i++) {
        m = flow(0, i, &output);
        assert_int_equal(add(one, 1, BOTH, m.xid, &m), 0);
    }
    m = (struct of_message){.type = OFPT_ONF_BUNDLE_CONTROL, .xid = 3};
    m.bundle_control = (struct of_bundle_control){1, OFPBCT_COMMIT_REQUEST, BOTH};
    world_ask(one, &m);
    m = world_expect(one, OFPT_MULTIPART_REPLY);
    assert_int_equal(m.multipart_reply.flow_updates.at[0].event, ONFFME_ABBREV);
    assert_int_equal(m.multipart_reply.flow_updates.at[0].xid, 3);
    world_expect(one, OFPT_ONF_BUNDLE_CONTROL);
    world_silent(one);
    for (int i = 0; i < 3; i++)
        world_expect(two, OFPT_MULTIPART_REPLY);
    world_silent(two);
    assert_int_equal(world_sent(2), 1); /* the first message's packet, by rules that came later */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_commit_applies_all),
        TEST(a_commit_that_fails_applies_nothing),
        TEST(what_may_not_be_said_of_a_bundle),
        TEST(what_may_not_be_in_a_bundle),
        TEST(a_bundle_that_is_forgotten_is_dropped),
        TEST(monitors_and_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
