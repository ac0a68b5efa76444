/*
 * controller_switches_test.c -- the registry of switches: main and auxiliary connections of one
 * datapath (OpenFlow 1.3.5 clause 6.3.7), and an application that hears of them.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/base.h"
#include "controller/switches.h"

#define DATAPATH_ID 0xd1

/* One connection of a switch of few words. */
struct end {
    struct openflow_channel *channel;
    uint64_t datapath_id;
    uint8_t auxiliary_id;
    unsigned ups, downs;
};

static struct arena arena;

static void answer(struct end *end, const struct of_message *reply)
{
    struct writer w = openflow_reserve(end->channel, 2048);

    of_encode(&w, reply);
    assert_int_equal(openflow_commit(end->channel, &w), 0);
}

static void answer_multipart(struct end *end, const struct of_message *m)
{
    static struct of_desc description = {.hw_desc = "fake"};
    struct of_message reply = {.type = OFPT_MULTIPART_REPLY, .xid = m->xid};

    reply.multipart_reply.type = m->multipart_request.type;
    if (reply.multipart_reply.type == OFPMP_DESC)
        reply.multipart_reply.desc = &description;
    answer(end, &reply);
}

static void end_received(struct openflow_channel *channel, const struct openflow_header *header,
                         struct bytes message)
{
    struct end *end = openflow_channel_context(channel);
    struct of_message m, reply = {.type = OFPT_FEATURES_REPLY, .xid = header->xid};
    of_error why;

    arena_reset(&arena);
    assert_int_equal(of_decode(&m, message, &arena, &why), 0);
    reply.features.datapath_id = end->datapath_id;
    reply.features.auxiliary_id = end->auxiliary_id;
    if (m.type == OFPT_FEATURES_REQUEST)
        answer(end, &reply);
    else if (m.type == OFPT_MULTIPART_REQUEST)
        answer_multipart(end, &m);
}

static void end_up(struct openflow_channel *channel)
{
    struct end *end = openflow_channel_context(channel);

    end->ups++;
}

static void end_down(struct openflow_channel *channel, int reason)
{
    struct end *end = openflow_channel_context(channel);

    (void)reason;
    end->downs++;
}

static const struct openflow_user end_user = {end_up, end_received, end_down, NULL};

static void connect_end(struct end *end, uint64_t datapath_id, uint8_t auxiliary_id)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(switches_listening_port()),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct openflow_options options = {.user = &end_user, .context = end};

    *end = (struct end){.datapath_id = datapath_id, .auxiliary_id = auxiliary_id};
    assert_int_equal(openflow_connect(&end->channel, (struct sockaddr *)&to, &options), 0);
}

static void send_packet_in(struct end *end, uint8_t mark)
{
    struct of_message m = {.type = OFPT_PACKET_IN};

    m.packet_in = (struct of_packet_in){
        .buffer_id = OFP_NO_BUFFER, .cookie = UINT64_C(7) << 56, .data = bytes_of(&mark, 1)};
    answer(end, &m);
}

/* ---- the application ---- */

static struct {
    struct controller_switch *sw;
    unsigned readies, goings, packets;
    uint8_t mark;
} app;

static void is_ready(struct controller_switch *sw)
{
    app.sw = sw;
    app.readies++;
}

static void is_gone(struct controller_switch *sw)
{
    if (app.sw == sw)
        app.sw = NULL;
    app.goings++;
}

static void has_packet(struct controller_switch *sw, const struct of_packet_in *packet_in)
{
    assert_ptr_equal(sw, app.sw);
    assert_int_equal(packet_in->data.len, 1);
    app.mark = packet_in->data.at[0];
    app.packets++;
}

static const struct controller_application application = {
    .number = 7, .switch_ready = is_ready, .switch_gone = is_gone, .packet_in = has_packet};
static const struct controller_application *const applications[] = {&application, NULL};

/* ---- tests ---- */

static int set_up(void **state)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)state;
    memset(&app, 0, sizeof(app));
    assert_int_equal(loop_init(), 0);
    arena_init(&arena, 1 << 20);
    return switches_open((struct sockaddr *)&any, NULL, 5000, applications);
}

static int tear_down(void **state)
{
    (void)state;
    switches_close();
    metric_forget_all();
    loop_run_for(20);
    loop_free();
    fiber_free_stacks();
    arena_free(&arena);
    return 0;
}

static void run_until(const unsigned *what, unsigned n)
{
    for (int i = 0; i < 4000 && *what < n; i++)
        loop_run_for(5);
    assert_int_equal(*what, n);
}

/* What the view of switches says of the only one. */
static json_int_t auxiliaries_shown(void)
{
    json_t *all = switches_state();
    json_int_t n;

    assert_int_equal(json_array_size(all), 1);
    n = json_integer_value(json_object_get(json_array_get(all, 0), "auxiliary"));
    json_decref(all);
    return n;
}

static void run_until_auxiliaries(json_int_t n)
{
    for (int i = 0; i < 4000 && auxiliaries_shown() != n; i++)
        loop_run_for(5);
    assert_int_equal(auxiliaries_shown(), n);
}

static void packets_come_by_auxiliary_connections(void **state)
{
    struct end first, auxiliary[2];

    (void)state;
    connect_end(&first, DATAPATH_ID, 0);
    run_until(&app.readies, 1);
    connect_end(&auxiliary[0], DATAPATH_ID, 1);
    connect_end(&auxiliary[1], DATAPATH_ID, 2);
    run_until_auxiliaries(2);
    assert_int_equal(app.readies, 1);
    send_packet_in(&auxiliary[0], 11);
    run_until(&app.packets, 1);
    assert_int_equal(app.mark, 11);
    send_packet_in(&first, 12);
    run_until(&app.packets, 2);
    /* One that ends takes nothing with it. */
    openflow_close(auxiliary[0].channel);
    run_until_auxiliaries(1);
    assert_int_equal(app.goings, 0);
    send_packet_in(&auxiliary[1], 13);
    run_until(&app.packets, 3);
    /* The main one takes the others with it. */
    openflow_close(first.channel);
    run_until(&auxiliary[1].downs, 1);
    assert_int_equal(app.goings, 1);
    openflow_close(auxiliary[1].channel);
}

static void an_auxiliary_connection_alone_is_refused(void **state)
{
    struct end first, lonely;

    (void)state;
    connect_end(&first, DATAPATH_ID, 0);
    run_until(&app.readies, 1);
    connect_end(&lonely, DATAPATH_ID + 1, 1);
    run_until(&lonely.downs, 1);
    assert_int_equal(auxiliaries_shown(), 0);
    openflow_close(lonely.channel);
    openflow_close(first.channel);
    run_until(&app.goings, 1);
}

/* The main connection was lost without a word and the switch comes again: what is bound to the new
 * one stays when the old one is dropped. */
static void a_switch_comes_again(void **state)
{
    struct end old, first, auxiliary;

    (void)state;
    connect_end(&old, DATAPATH_ID, 0);
    run_until(&app.readies, 1);
    connect_end(&first, DATAPATH_ID, 0);
    run_until(&app.readies, 2);
    run_until(&old.downs, 1);
    openflow_close(old.channel);
    connect_end(&auxiliary, DATAPATH_ID, 1);
    run_until_auxiliaries(1);
    send_packet_in(&auxiliary, 21);
    run_until(&app.packets, 1);
    assert_int_equal(app.goings, 1);
    openflow_close(auxiliary.channel);
    openflow_close(first.channel);
    run_until(&app.goings, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(packets_come_by_auxiliary_connections),
        TEST(an_auxiliary_connection_alone_is_refused),
        TEST(a_switch_comes_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
