/*
 * switch_monitor_test.c -- flow monitors: what is told to whom, abbreviations, and what a slow
 * controller hears.
 */
#include "switch_world.h"

static const uint16_t everything = OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY;

static struct of_message monitor(uint32_t id, uint16_t flags, uint8_t table, const char *match,
                                 struct of_flow_monitor_request *q)
{
    struct of_message m = {.type = OFPT_MULTIPART_REQUEST, .xid = 5};
    const char *bad = "";

    *q = (struct of_flow_monitor_request){
        .id = id, .flags = flags, .out_port = OFPP_ANY, .table_id = table};
    assert_int_equal(of_parse_match(&q->match, match, strlen(match), &bad), 0);
    m.multipart_request.type = OFPMP_ONF_FLOW_MONITOR;
    m.multipart_request.flow_monitors.at = q;
    m.multipart_request.flow_monitors.count = 1;
    return m;
}

/* Begins a monitor that is granted; returns how many flows there were. */
static size_t watch(struct openflow_channel *ch, uint32_t id, uint16_t flags, uint8_t table,
                    const char *match)
{
    struct of_flow_monitor_request q;
    struct of_message m = monitor(id, flags, table, match, &q);

    world_ask(ch, &m);
    m = world_expect(ch, OFPT_MULTIPART_REPLY);
    assert_int_equal(m.multipart_reply.type, OFPMP_ONF_FLOW_MONITOR);
    assert_int_equal(m.xid, 5);
    for (size_t i = 0; i < m.multipart_reply.flow_updates.count; i++)
        assert_int_equal(m.multipart_reply.flow_updates.at[i].event, ONFFME_ADDED);
    return m.multipart_reply.flow_updates.count;
}

static void change(struct openflow_channel *ch, uint8_t command, uint8_t table, const char *match,
                   uint32_t port)
{
    struct of_action output = of_output(port);
    struct of_message m = world_flow_mod(command, table, 10, match, &output, 1);

    world_ask(ch, &m);
}

/* The next message is one update of this kind. */
static struct of_flow_update update(struct openflow_channel *ch, uint16_t event)
{
    struct of_message m = world_expect(ch, OFPT_MULTIPART_REPLY);

    assert_int_equal(m.multipart_reply.type, OFPMP_ONF_FLOW_MONITOR);
    assert_int_equal(m.xid, 0);
    assert_int_equal(m.multipart_reply.flow_updates.count, 1);
    assert_int_equal(m.multipart_reply.flow_updates.at[0].event, event);
    return m.multipart_reply.flow_updates.at[0];
}

static void others_changes_are_told(void **state)
{
    struct openflow_channel *one = world_connect(), *two = world_connect();
    struct of_flow_update u;

    (void)state;
    change(one, OFPFC_ADD, 1, "in_port=1", 2);
    change(one, OFPFC_ADD, 2, "in_port=1", 2);
    assert_int_equal(watch(two, 1, everything | OFPFMF_INITIAL | OFPFMF_INSTRUCTIONS, 1, ""), 1);
    change(one, OFPFC_ADD, 1, "in_port=2", 3);
    u = update(two, ONFFME_ADDED);
    assert_int_equal(u.table_id, 1);
    assert_int_equal(u.priority, 10);
    assert_int_equal(of_match_get(&u.match, OF_IN_PORT), 2);
    assert_int_equal(u.instructions.count, 1);
    assert_int_equal(u.instructions.at[0].actions.at[0].output.port, 3);
    change(one, OFPFC_ADD, 1, "in_port=2", 1); /* a replacement */
    u = update(two, ONFFME_MODIFIED);
    assert_int_equal(u.instructions.at[0].actions.at[0].output.port, 1);
    change(one, OFPFC_MODIFY, 1, "in_port=2", 2);
    u = update(two, ONFFME_MODIFIED);
    assert_int_equal(u.instructions.at[0].actions.at[0].output.port, 2);
    change(one, OFPFC_ADD, 3, "in_port=2", 3); /* another table */
    world_silent(two);
    change(one, OFPFC_DELETE, 1, "in_port=2", 0);
    u = update(two, ONFFME_DELETED);
    assert_int_equal(u.reason, OFPRR_DELETE);
    world_silent(two);
    world_silent(one);
}

static void own_changes_are_abbreviated(void **state)
{
    struct openflow_channel *one = world_connect();
    struct of_message cancel = {.type = OFPT_ONF_FLOW_MONITOR_CANCEL, .monitor_id = 1};

    (void)state;
    change(one, OFPFC_ADD, 0, "in_port=1,tun_id=1", 2);
    change(one, OFPFC_ADD, 0, "in_port=1,tun_id=2", 2);
    assert_int_equal(watch(one, 1, everything, OFPTT_ALL, ""), 0); /* without INITIAL */
    change(one, OFPFC_DELETE, 0, "in_port=1", 0);                  /* two flows, once told */
    assert_int_equal(update(one, ONFFME_ABBREV).xid, 77);
    world_silent(one);
    watch(one, 2, everything | OFPFMF_NO_ABBREV, OFPTT_ALL, "");
    change(one, OFPFC_ADD, 0, "in_port=1", 2);
    assert_int_equal(update(one, ONFFME_ADDED).instructions.count, 0); /* they were not asked for */
    world_silent(one);
    assert_int_equal(world_answer(one, &cancel), 0);
    cancel.monitor_id = 2;
    assert_int_equal(world_answer(one, &cancel), 0);
    assert_int_equal(world_answer(one, &cancel), NXMOFC_UNKNOWN_MONITOR);
    change(one, OFPFC_ADD, 0, "in_port=2", 2);
    world_silent(one);
}

static void filters(void **state)
{
    struct openflow_channel *one = world_connect(), *two = world_connect();
    struct of_flow_monitor_request q;
    struct of_flow_update u;
    struct of_message m;

    (void)state;
    watch(two, 1, OFPFMF_ADD, OFPTT_ALL, "ip,in_port=1");
    m = monitor(2, OFPFMF_REMOVED, OFPTT_ALL, "", &q);
    q.out_port = 3;
    world_ask(two, &m);
    world_expect(two, OFPT_MULTIPART_REPLY);
    change(one, OFPFC_ADD, 0, "ip,in_port=1,nw_dst=10.0.0.1", 2); /* narrower than the monitor */
    update(two, ONFFME_ADDED);
    change(one, OFPFC_ADD, 0, "in_port=1", 3); /* wider */
    change(one, OFPFC_ADD, 0, "ip,in_port=2", 2);
    world_silent(two);
    change(one, OFPFC_DELETE, 0, "", 0);
    u = update(two, ONFFME_DELETED);
    assert_int_equal(of_match_get(&u.match, OF_IN_PORT), 1);
    world_silent(two);
}

static void only_own_changes(void **state)
{
    struct openflow_channel *one = world_connect(), *two = world_connect();

    (void)state;
    watch(two, 1, everything | OFPFMF_ONLY_OWN | OFPFMF_NO_ABBREV, OFPTT_ALL, "");
    change(one, OFPFC_ADD, 0, "in_port=1", 2);
    world_silent(two);
    change(two, OFPFC_ADD, 0, "in_port=2", 2);
    update(two, ONFFME_ADDED);
}

static void timeouts_are_told(void **state)
{
    struct openflow_channel *one = world_connect();
    struct of_message m = world_flow_mod(OFPFC_ADD, 0, 1, "", NULL, 0);

    (void)state;
    watch(one, 1, OFPFMF_REMOVED, OFPTT_ALL, "");
    m.flow_mod.hard_timeout = 1;
    assert_int_equal(world_answer(one, &m), 0);
    world_wait(one);
    assert_int_equal(update(one, ONFFME_DELETED).reason, OFPRR_HARD_TIMEOUT);
}

static void requests_that_are_refused(void **state)
{
    struct openflow_channel *ch = world_connect();
    struct of_flow_monitor_request q[300];
    struct of_message m = monitor(1, everything, OFPTT_ALL, "", q);

    (void)state;
    q[0].flags = 1 << 7 | OFPFMF_ADD;
    assert_int_equal(world_answer(ch, &m), NXMOFC_BAD_FLAGS);
    q[0].flags = OFPFMF_INSTRUCTIONS;
    assert_int_equal(world_answer(ch, &m), NXMOFC_BAD_FLAGS);
    q[0].flags = everything;
    q[0].table_id = OFPTT_MAX; /* the last */
    world_ask(ch, &m);
    world_expect(ch, OFPT_MULTIPART_REPLY);
    assert_int_equal(world_answer(ch, &m), NXMOFC_MONITOR_EXISTS);
    /* None of a request stays when one is refused. */
    for (size_t i = 0; i < 300; i++)
        monitor((uint32_t)i + 10, everything, OFPTT_ALL, "", &q[i]);
    m.multipart_request.flow_monitors.count = 300;
    assert_int_equal(world_answer(ch, &m), OFPBRC_EPERM);
    q[0].id = 1;
    assert_int_equal(world_answer(ch, &m), NXMOFC_MONITOR_EXISTS);
    q[0].id = 10;
    m.multipart_request.flow_monitors.count = 255;
    world_ask(ch, &m);
    world_expect(ch, OFPT_MULTIPART_REPLY);
}

/* Bytes as Open vSwitch sends them, and as the extension's text has them. */
static void both_forms_of_a_match(void **state)
{
    static const uint8_t whole[] = {4, 18, 0, 56, 0,    0,    0,    6,  0xff, 0xff, 0,    0,
                                    0, 0,  0, 0,  0x4f, 0x4e, 0x46, 0,  0,    0,    7,    0x4e,
                                    0, 0,  0, 1,  0,    0x2f, 0,    12, 0xff, 0xff, 0xff, 0xff,
                                    3, 0,  0, 0,  0,    1,    0,    12, 0x80, 0,    0,    4,
                                    0, 0,  0, 2,  0,    0,    0,    0};
    static const uint8_t bare[] = {4, 18, 0, 48, 0,    0,    0,    6, 0xff, 0xff, 0,    0,
                                   0, 0,  0, 0,  0x4f, 0x4e, 0x46, 0, 0,    0,    7,    0x4e,
                                   0, 0,  0, 2,  0,    0x2f, 0,    8, 0xff, 0xff, 0xff, 0xff,
                                   3, 0,  0, 0,  0x80, 0,    0,    4, 0,    0,    0,    2};
    struct openflow_channel *ch = world_connect();
    uint8_t bad[sizeof(bare)];

    (void)state;
    change(ch, OFPFC_ADD, 3, "in_port=2", 3);
    change(ch, OFPFC_ADD, 3, "in_port=1", 3);
    world_say(ch, bytes_of(whole, sizeof(whole)));
    assert_int_equal(world_expect(ch, OFPT_MULTIPART_REPLY).multipart_reply.flow_updates.count, 1);
    world_say(ch, bytes_of(bare, sizeof(bare)));
    world_expect(ch, OFPT_MULTIPART_REPLY);
    change(ch, OFPFC_ADD, 3, "in_port=2", 1);
    update(ch, ONFFME_MODIFIED); /* once for both */
    change(ch, OFPFC_ADD, 3, "in_port=1", 1);
    world_silent(ch);
    memcpy(bad, bare, sizeof(bare));
    bad[38] = 1; /* of the bytes that must be zero */
    assert_int_equal(world_error_of(ch, bytes_of(bad, sizeof(bad))), NXBRC_MUST_BE_ZERO);
    memcpy(bad, bare, sizeof(bare));
    bad[31] = 200; /* the match is longer than the message */
    assert_int_equal(world_error_of(ch, bytes_of(bad, sizeof(bad))), OFPBMC_BAD_LEN);
}

static void a_slow_controller_is_spared(void **state)
{
    struct openflow_channel *one = world_connect(), *two = world_connect();
    struct of_message m;

    (void)state;
    change(one, OFPFC_ADD, 0, "tun_id=1", 2);
    change(one, OFPFC_ADD, 0, "tun_id=2", 2);
    watch(two, 1, everything | OFPFMF_INSTRUCTIONS, OFPTT_ALL, "");
    world_queue(two, 2u << 20);
    change(one, OFPFC_ADD, 0, "tun_id=3", 2);
    update(two, ONFFME_ADDED); /* this one filled the queue */
    world_expect(two, OFPT_ONF_FLOW_MONITOR_PAUSED);
    change(one, OFPFC_ADD, 0, "tun_id=4", 2);
    change(one, OFPFC_MODIFY, 0, "tun_id=1", 3);
    change(one, OFPFC_MODIFY, 0, "tun_id=4", 3);
    change(one, OFPFC_ADD, 0, "tun_id=5", 2);
    change(one, OFPFC_DELETE, 0, "tun_id=5", 0); /* it never heard of that */
    world_silent(two);
    change(one, OFPFC_DELETE, 0, "tun_id=2", 0); /* but of this */
    update(two, ONFFME_DELETED);
    loop_run_for(60);
    world_silent(two); /* still slow */
    world_queue(two, 100);
    world_wait(two);
    for (int i = 0; i < 2; i++) {
        struct of_flow_update u;

        m = world_expect(two, OFPT_MULTIPART_REPLY);
        u = m.multipart_reply.flow_updates.at[0];
        assert_int_equal(u.event, of_match_get(&u.match, OF_TUNNEL_ID) == 4 ? ONFFME_ADDED
                                                                            : ONFFME_MODIFIED);
        assert_int_equal(u.instructions.at[0].actions.at[0].output.port, 3);
    }
    world_expect(two, OFPT_ONF_FLOW_MONITOR_RESUMED);
    change(one, OFPFC_ADD, 0, "tun_id=6", 2);
    update(two, ONFFME_ADDED);
    world_silent(two);
}

static void a_hopeless_controller_is_given_up(void **state)
{
    struct openflow_channel *one = world_connect(), *two = world_connect();

    (void)state;
    watch(two, 1, everything, OFPTT_ALL, "");
    world_queue(two, 2u << 20);
    change(one, OFPFC_ADD, 0, "tun_id=3", 2);
    world_queue(two, 100u << 20);
    assert_false(world_was_dropped(two));
    for (int i = 0; i < 100 && !world_was_dropped(two); i++)
        loop_run_for(50);
    assert_true(world_was_dropped(two));
    change(one, OFPFC_ADD, 0, "tun_id=4", 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(others_changes_are_told),
        TEST(own_changes_are_abbreviated),
        TEST(filters),
        TEST(only_own_changes),
        TEST(timeouts_are_told),
        TEST(requests_that_are_refused),
        TEST(both_forms_of_a_match),
        TEST(a_slow_controller_is_spared),
        TEST(a_hopeless_controller_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
