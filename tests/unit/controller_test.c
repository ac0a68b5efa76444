/*
 * controller_test.c -- the whole controller over loopback: an S-GW and a P-GW that speak PFCP, and
 * a switch that keeps what it is told (fake_switch.h).
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "controller/up.h"
#include "controller_world.h"
#include "fake_switch.h"
#include "wire/gtp/gtpu.h"

#define UP_ADDRESS  "127.77.0.5"
#define SGW_ADDRESS "127.77.0.3"
#define PGW_ADDRESS "127.77.0.4"

/* ---- a control plane ---- */

struct plane {
    struct pfcp_endpoint *pfcp;
    struct udp_peer *up;
    /* the last report */
    unsigned reports;
    uint64_t seid;
    uint8_t type;
    uint16_t pdr_id;
    uint32_t remote_teid, urr_id, trigger;
    struct pfcp_volume volume;
    uint8_t cause, flags; /* what it answers */
    bool is_silent;
};

static struct plane sgw, pgw;

static void take_report(void *owner, struct udp_peer *peer, uint32_t transaction,
                        const struct pfcp_message *message)
{
    struct plane *plane = owner;
    const struct pfcp_session_report_request *report = message->body;

    (void)peer;
    assert_int_equal(message->header.type, PFCP_SESSION_REPORT_REQUEST);
    plane->reports++;
    plane->seid = message->header.seid;
    plane->type = report->report_type;
    if (report->downlink_data_report)
        plane->pdr_id = report->downlink_data_report->pdr_id.at[0];
    if (report->error_indication_report)
        plane->remote_teid = report->error_indication_report->remote_f_teid.at[0].teid;
    if (report->usage_report.count > 0) {
        plane->urr_id = report->usage_report.at[0].urr_id;
        plane->trigger = report->usage_report.at[0].usage_report_trigger;
        if (report->usage_report.at[0].volume_measurement)
            plane->volume = *report->usage_report.at[0].volume_measurement;
    }
    if (plane->is_silent)
        return;
    struct pfcp_session_report_response answer = {
        .cause = plane->cause ? plane->cause : PFCP_CAUSE_REQUEST_ACCEPTED,
        .pfcpsrrsp_flags = plane->flags ? &plane->flags : NULL};
    pfcp_answer(plane->pfcp, transaction, 0, &answer);
}

static const struct pfcp_handler plane_handler = {.request = take_report};

static struct sockaddr_in address_of(const char *text)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = v4(text)};
}

static void plane_open(struct plane *plane, const char *text, uint32_t recovery)
{
    struct sockaddr_in own = address_of(text), up_address = address_of(UP_ADDRESS);
    struct udp_settings settings = udp_settings_default();

    memset(plane, 0, sizeof(*plane));
    settings.timeout_ms = 300;
    settings.probe_interval_ms = 0;
    assert_int_equal(pfcp_open((struct sockaddr *)&own, &settings, recovery, &plane_handler, plane,
                               &plane->pfcp),
                     0);
    plane->up = pfcp_peer(plane->pfcp, (struct sockaddr *)&up_address);
    assert_non_null(plane->up);
}

/* ---- requests ---- */

struct call {
    struct plane *plane;
    uint64_t seid;
    enum pfcp_message_type type;
    const void *body;
    struct pfcp_message *answer;
    int err;
    bool done;
};

static void run_call(void *argument)
{
    struct call *call = argument;

    call->err = pfcp_request(call->plane->up, call->seid, call->type, call->body, &call->answer);
    call->done = true;
}

static void start_call(struct call *call, struct plane *plane, uint64_t seid,
                       enum pfcp_message_type type, const void *body)
{
    *call = (struct call){.plane = plane, .seid = seid, .type = type, .body = body};
    assert_non_null(fiber_spawn("call", run_call, call));
}

static void run_until(const bool *done)
{
    for (int i = 0; i < 1000 && !*done; i++)
        loop_run_for(2);
    assert_true(*done);
}

static void settle(void)
{
    loop_run_for(30);
}

/* The answer's body; asserts that there is one. */
static void *ask(struct plane *plane, uint64_t seid, enum pfcp_message_type type, const void *body)
{
    struct call call;

    start_call(&call, plane, seid, type, body);
    run_until(&call.done);
    assert_int_equal(call.err, 0);
    return call.answer->body;
}

static void associate(struct plane *plane)
{
    struct pfcp_association_setup_request request = {.node_id = pfcp_own_node_id(plane->pfcp),
                                                     .recovery_time_stamp =
                                                         pfcp_own_recovery(plane->pfcp)};
    struct pfcp_association_setup_response *answer =
        ask(plane, 0, PFCP_ASSOCIATION_SETUP_REQUEST, &request);

    assert_int_equal(answer->cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(*answer->up_function_features, PFCP_UP_FTUP | PFCP_UP_EMPU | PFCP_UP_DDND);
    assert_int_equal(answer->user_plane_ip_resource_information.at[0].ipv4.s_addr,
                     v4("10.0.0.1").s_addr);
}

struct established {
    uint8_t cause;
    uint64_t seid;
    uint32_t teids[4];
    unsigned count;
    bool has_failed_rule;
};

static struct established establish(struct plane *plane,
                                    const struct pfcp_session_establishment_request *request)
{
    struct pfcp_session_establishment_request body = *request;
    struct established e = {.cause = 0};

    body.node_id = pfcp_own_node_id(plane->pfcp);
    body.cp_f_seid.ipv4 = body.node_id.ipv4;
    struct pfcp_session_establishment_response *answer =
        ask(plane, 0, PFCP_SESSION_ESTABLISHMENT_REQUEST, &body);
    e.cause = answer->cause;
    e.seid = answer->up_f_seid ? answer->up_f_seid->seid : 0;
    e.has_failed_rule = answer->failed_rule_id != NULL;
    for (size_t i = 0; i < answer->created_pdr.count && e.count < 4; i++)
        e.teids[e.count++] = answer->created_pdr.at[i].local_f_teid->teid;
    return e;
}

static uint8_t modify(struct plane *plane, uint64_t seid,
                      const struct pfcp_session_modification_request *request)
{
    return ((struct pfcp_session_modification_response *)ask(
                plane, seid, PFCP_SESSION_MODIFICATION_REQUEST, request))
        ->cause;
}

static struct pfcp_session_deletion_response *end(struct plane *plane, uint64_t seid)
{
    return ask(plane, seid, PFCP_SESSION_DELETION_REQUEST,
               &(struct pfcp_session_deletion_request){0});
}

/* ---- the world ---- */

static struct controller_sgi_config sgi;
static struct controller_user_plane_config config;

static void configure(void)
{
    struct sockaddr_in own = address_of(UP_ADDRESS);

    sgi = (struct controller_sgi_config){.network_instance = "*",
                                         .port = "sgi",
                                         .ethernet = true,
                                         .address = v4("10.46.0.2"),
                                         .address6 = v6("2001:db8:46::2"),
                                         .next_hop = v4("10.46.0.1"),
                                         .mac = "02:00:00:00:00:01"};
    config = (struct controller_user_plane_config){
        .gtpu = {.port = "gtpu", .signal_port = "gtpu-signal", .address = v4("10.0.0.1")},
        .sgi = {&sgi, 1},
        .buffer = {.packets = 8,
                   .bytes = 65536,
                   .total = 1 << 20,
                   .clamp_ms = 2000,
                   .packet_rate = 20000},
        .router_advertisement = {.mtu = 1400, .lifetime_ms = 3600000},
        .max_sessions = 100,
        .usage_poll_ms = 100,
        .grace_ms = 400,
        .t1_ms = 200,
        .n1 = 2};
    memcpy(&config.pfcp, &own, sizeof(own));
}

static const struct controller_application *const applications[] = {&up_application, NULL};

static void start_controller(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    assert_int_equal(up_open(&config, NULL), 0);
    assert_int_equal(switches_open((struct sockaddr *)&any, NULL, 5000, applications), 0);
}

static void stop_controller(void)
{
    switches_close();
    up_close();
    metric_forget_all();
}

static const uint8_t our_mac[] = {2, 0, 0, 0, 0, 1}, router_mac[] = {2, 0, 0, 0, 0, 9};

/* The router on the SGi link says where it is. */
static void router_answers(void)
{
    uint8_t frame[64];
    struct writer w = writer_of(frame, sizeof(frame));
    struct net_arp arp = {.op = ARP_REPLY, .spa = v4("10.46.0.1"), .tpa = v4("10.46.0.2")};

    memcpy(arp.sha, router_mac, 6);
    memcpy(arp.tha, our_mac, 6);
    net_write_ethernet(&w, our_mac, router_mac, ETH_TYPE_ARP);
    net_write_arp(&w, &arp);
    assert_int_equal(fake_receive(FAKE_SGI, 0, NULL, wr_view(&w)), OFPP_CONTROLLER);
    settle();
}

static void connect_switch(void)
{
    fake_connect(switches_listening_port());
    for (int i = 0; i < 500 && !up_is_synchronised(); i++)
        loop_run_for(2);
    assert_true(up_is_synchronised());
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(loop_init(), 0);
    memset(&fake, 0, sizeof(fake));
    memset(up_exits, 0, sizeof(up_exits));
    fake.has_meters = true;
    configure();
    start_controller();
    plane_open(&sgw, SGW_ADDRESS, 1000);
    plane_open(&pgw, PGW_ADDRESS, 2000);
    connect_switch();
    router_answers();
    associate(&sgw);
    associate(&pgw);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pfcp_close(sgw.pfcp);
    pfcp_close(pgw.pfcp);
    fake_disconnect();
    stop_controller();
    loop_run_for(10);
    loop_free();
    fiber_free_stacks();
    return 0;
}

/* An attached phone: Sxa with the S-GW's end, Sxb with the P-GW's, then the uplink is joined. */
struct phone {
    struct sgw_sample s;
    struct pgw_sample p;
    struct established sxa, sxb;
};

static void attach(struct phone *phone, const char *ue4, const char *ue6)
{
    struct sgw_change change;
    struct pfcp_update_far uplink;
    struct pfcp_outer_header_creation to_pgw;
    uint8_t core = PFCP_INTERFACE_CORE, forw = PFCP_APPLY_FORW;
    struct pfcp_update_forwarding_parameters forward = {.destination_interface = &core};

    phone->sxa = establish(&sgw, sgw_sample(&phone->s, 0, "10.0.0.1"));
    assert_int_equal(phone->sxa.cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(phone->sxa.count, 2);
    phone->sxb = establish(&pgw, pgw_sample(&phone->p, ue4, ue6, phone->sxa.teids[1], "10.0.0.1"));
    assert_int_equal(phone->sxb.cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(phone->sxb.count, 1);
    forward.outer_header_creation = tunnel_to(&to_pgw, phone->sxb.teids[0], "10.0.0.1");
    uplink = (struct pfcp_update_far){
        .far_id = 1, .apply_action = &forw, .update_forwarding_parameters = &forward};
    change.request = (struct pfcp_session_modification_request){.update_far = {&uplink, 1}};
    assert_int_equal(modify(&sgw, phone->sxa.seid, &change.request), PFCP_CAUSE_REQUEST_ACCEPTED);
}

static uint8_t connect_phone(struct phone *phone, uint32_t teid, const char *enb, bool end_marker)
{
    struct sgw_change change;

    return modify(&sgw, phone->sxa.seid, sgw_connects(&change, teid, enb, end_marker));
}

static uint32_t send_up(struct phone *phone, const char *src)
{
    return fake_receive(FAKE_GTPU, phone->sxa.teids[0], "192.0.2.1",
                        fake_udp4(src, "198.51.100.1", 'u', 20));
}

static uint32_t send_down(const char *dst, uint8_t mark)
{
    return fake_receive(FAKE_SGI, 0, NULL,
                        fake_frame_to(our_mac, fake_udp4("198.51.100.1", dst, mark, 20)));
}

/* ---- tests ---- */

static void the_pipeline_stands_before_any_session(void **state)
{
    (void)state;
    assert_non_null(fake_find(0, "in_port=3"));
    assert_non_null(fake_find(0, "in_port=2"));
    assert_non_null(fake_find(0, "in_port=1,eth_dst=02:00:00:00:00:01"));
    assert_non_null(fake_find(0, "in_port=1,arp"));
    assert_non_null(fake_find(2, ""));
    assert_non_null(fake_find(10, "ip"));
    assert_int_equal(fake.meter_count, 3);
    /* A frame to somebody else on the link is not ours. */
    assert_int_equal(
        fake_receive(FAKE_SGI, 0, NULL,
                     fake_frame_to(router_mac, fake_udp4("1.2.3.4", "10.45.0.2", 0, 8))),
        0);
}

static void packets_go_both_ways(void **state)
{
    struct phone phone;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    assert_int_equal(connect_phone(&phone, 0xe1, "192.0.2.1", false), PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(send_up(&phone, "10.45.0.2"), FAKE_SGI);
    assert_memory_equal(fake.out.eth_dst, router_mac, 6);
    assert_int_equal(send_down("10.45.0.2", 'd'), FAKE_GTPU);
    assert_int_equal(fake.out.tun_id, 0xe1);
    assert_int_equal(fake.out.tun_dst.s_addr, v4("192.0.2.1").s_addr);
    /* A forged source goes nowhere, and nobody is told that the tunnel does not exist. */
    unsigned outs = fake.outs;
    send_up(&phone, "10.45.0.66");
    settle();
    assert_int_equal(fake.outs, outs);
    /* The phones' meters: two of the QER, three of the pipeline. */
    assert_int_equal(fake.meter_count, 5);
    end(&pgw, phone.sxb.seid);
    end(&sgw, phone.sxa.seid);
    assert_int_equal(fake.meter_count, 3);
    assert_int_equal(up.sessions.count, 0);
    assert_int_equal(up.teids.owners.count, 0);
    assert_int_equal(up.by_ue4.count + up.by_remote.count, 0);
    assert_int_equal(send_down("10.45.0.2", 'd'), 0);
}

static void answers_wait_for_the_switch(void **state)
{
    struct sgw_sample s[3];
    struct call calls[3];
    struct pfcp_session_establishment_request bodies[3];

    (void)state;
    fake.holds_barriers = true;
    unsigned before = fake.barriers;
    for (unsigned i = 0; i < 3; i++) {
        bodies[i] = *sgw_sample(&s[i], 0x55, "10.0.0.1");
        bodies[i].node_id = pfcp_own_node_id(sgw.pfcp);
        start_call(&calls[i], &sgw, 0, PFCP_SESSION_ESTABLISHMENT_REQUEST, &bodies[i]);
    }
    settle();
    /* All three are in the switch, under one barrier, and nobody is told yet. */
    assert_int_equal(fake.barriers, before + 1);
    for (unsigned i = 0; i < 3; i++)
        assert_false(calls[i].done);
    assert_int_equal(up.sessions.count, 3);
    fake_release_barriers();
    for (unsigned i = 0; i < 3; i++) {
        run_until(&calls[i].done);
        assert_int_equal(calls[i].err, 0);
    }
}

static void packets_wait_for_a_sleeping_phone(void **state)
{
    struct phone phone;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    for (uint8_t mark = 1; mark <= 4; mark++)
        assert_int_equal(send_down("10.45.0.2", mark), OFPP_CONTROLLER);
    settle();
    /* Reported once, to the S-GW, with its own SEID. */
    assert_int_equal(sgw.reports, 1);
    assert_int_equal(sgw.type, PFCP_REPORT_DLDR);
    assert_int_equal(sgw.pdr_id, 2);
    assert_int_equal(sgw.seid, 0x11);
    assert_int_equal(pgw.reports, 0);
    unsigned outs = fake.outs;
    fake.log[0] = '\0';
    assert_int_equal(connect_phone(&phone, 0xe1, "192.0.2.1", false), PFCP_CAUSE_REQUEST_ACCEPTED);
    /* The packets first, then the flow, each behind a barrier. */
    assert_string_equal(fake.log,
                        "packet-out packet-out packet-out packet-out barrier flow barrier ");
    assert_int_equal(fake.outs, outs + 4);
    assert_int_equal(fake.out.port, FAKE_GTPU);
    assert_int_equal(fake.out.tun_id, 0xe1);
    assert_int_equal(fake.out.frame[fake.out.len - 1], 4); /* the last is the last */
    assert_int_equal(up.metrics[UP_BUFFER_BYTES].value, 0);
    assert_int_equal(send_down("10.45.0.2", 5), FAKE_GTPU);
    /* It sleeps again: a new first packet is a new report. */
    assert_int_equal(connect_phone(&phone, 0, NULL, false), PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(send_down("10.45.0.2", 6), OFPP_CONTROLLER);
    settle();
    assert_int_equal(sgw.reports, 2);
    /* Nobody comes: the S-GW gives the packet up. */
    struct pfcp_session_modification_request drop = {.pfcpsmreq_flags =
                                                         AT(uint8_t, PFCP_SMREQ_DROBU)};
    assert_int_equal(modify(&sgw, phone.sxa.seid, &drop), PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(up.metrics[UP_BUFFER_BYTES].value, 0);
    assert_int_equal(send_down("10.45.0.2", 7), OFPP_CONTROLLER);
    settle();
    assert_int_equal(sgw.reports, 3);
}

/* A packet that the switch sent before the flow changed, and that arrives after. */
static void a_late_packet_is_sent_on(void **state)
{
    struct phone phone;
    struct sgw_change change;
    struct call call;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    fake.holds_barriers = true;
    start_call(&call, &sgw, phone.sxa.seid, PFCP_SESSION_MODIFICATION_REQUEST,
               sgw_connects(&change, 0xe1, "192.0.2.1", false));
    /* The request is on its way; the packet passes it. */
    assert_int_equal(send_down("10.45.0.2", 9), OFPP_CONTROLLER);
    unsigned outs = fake.outs;
    settle();
    fake_release_barriers();
    run_until(&call.done);
    settle();
    assert_int_equal(fake.outs, outs + 1);
    assert_int_equal(fake.out.tun_id, 0xe1);
    assert_int_equal(fake.out.frame[fake.out.len - 1], 9);
}

static void a_flood_to_a_sleeping_phone_is_clamped(void **state)
{
    struct phone phone;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    for (uint8_t mark = 0; mark < 8; mark++)
        send_down("10.45.0.2", mark);
    settle();
    const struct fake_flow *clamp = NULL;
    for (unsigned i = 0; i < fake.flow_count; i++)
        if (UP_COOKIE_KIND(fake.flows[i].cookie) == UP_COOKIE_CLAMP)
            clamp = &fake.flows[i];
    assert_non_null(clamp);
    assert_int_equal(clamp->hard_timeout, 2);
    assert_int_equal(clamp->instructions_len, 0);
    assert_int_equal(send_down("10.45.0.2", 99), 0); /* dropped in the switch */
    assert_int_equal(sgw.reports, 1);
    unsigned outs = fake.outs;
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    assert_int_equal(fake.outs, outs + 8);
    assert_int_equal(send_down("10.45.0.2", 100), FAKE_GTPU); /* the clamp is lifted */
    connect_phone(&phone, 0, NULL, false);
    /* All sessions together are bounded too. */
    config.buffer.total = 100;
    send_down("10.45.0.2", 1);
    send_down("10.45.0.2", 2);
    settle();
    assert_true(up.metrics[UP_BUFFER_BYTES].value <= 100);
    assert_int_equal(sgw.reports, 2);
    end(&sgw, phone.sxa.seid);
    assert_int_equal(up.metrics[UP_BUFFER_BYTES].value, 0);
    for (unsigned i = 0; i < fake.flow_count; i++)
        assert_int_not_equal(UP_COOKIE_KIND(fake.flows[i].cookie), UP_COOKIE_CLAMP);
}

static void a_report_can_wait_or_drop_and_is_tried_again(void **state)
{
    struct phone phone;
    struct pfcp_create_bar bar = {.bar_id = 1, .downlink_data_notification_delay = AT(uint8_t, 2)};
    struct pfcp_session_modification_request delay = {.update_bar = &bar};

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    assert_int_equal(modify(&sgw, phone.sxa.seid, &delay), PFCP_CAUSE_REQUEST_ACCEPTED);
    send_down("10.45.0.2", 1);
    loop_run_for(60);
    assert_int_equal(sgw.reports, 0); /* two units of 50 ms */
    loop_run_for(80);
    assert_int_equal(sgw.reports, 1);
    /* An answer that says to drop. */
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    connect_phone(&phone, 0, NULL, false);
    bar.downlink_data_notification_delay = AT(uint8_t, 0);
    modify(&sgw, phone.sxa.seid, &delay);
    sgw.flags = PFCP_SRRSP_DROBU;
    send_down("10.45.0.2", 2);
    settle();
    assert_int_equal(sgw.reports, 2);
    assert_int_equal(up.metrics[UP_BUFFER_BYTES].value, 0);
    /* Nobody answers: after the last attempt the next packet tries again. */
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    connect_phone(&phone, 0, NULL, false);
    sgw.flags = 0;
    sgw.is_silent = true;
    send_down("10.45.0.2", 3);
    loop_run_for(600);
    unsigned reports = sgw.reports;
    assert_true(reports >= 3);
    sgw.is_silent = false;
    send_down("10.45.0.2", 4);
    settle();
    assert_int_equal(sgw.reports, reports + 1);
    /* The S-GW does not know the session any more: it ends here too. */
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    connect_phone(&phone, 0, NULL, false);
    sgw.cause = PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND;
    send_down("10.45.0.2", 5);
    settle();
    assert_int_equal(up.sessions.count, 1); /* the P-GW's */
}

/* The end of the GTP-U message in the last packet-out. */
static struct gtpu_header last_signal(void)
{
    struct net_packet packet;
    struct gtpu_header header;

    assert_int_equal(fake.out.port, FAKE_SIGNAL);
    assert_int_equal(net_read_frame(bytes_of(fake.out.frame, fake.out.len), &packet), 0);
    assert_true(net_checksum_ok(IP_UDP, packet.src.bytes, packet.dst.bytes, 4, packet.transport.at,
                                packet.transport.len));
    assert_int_equal(gtpu_read(packet.payload, &header), 0);
    fake.out.tun_dst = packet.dst.v4;
    return header;
}

static void an_end_marker_follows_the_path_switch(void **state)
{
    struct phone phone;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    fake.log[0] = '\0';
    assert_int_equal(connect_phone(&phone, 0xe2, "192.0.2.2", true), PFCP_CAUSE_REQUEST_ACCEPTED);
    settle();
    assert_string_equal(fake.log, "flow barrier packet-out ");
    struct gtpu_header header = last_signal();
    assert_int_equal(header.type, GTPU_END_MARKER);
    assert_int_equal(header.teid, 0xe1);
    assert_int_equal(fake.out.tun_dst.s_addr, v4("192.0.2.1").s_addr);
    assert_int_equal(up.metrics[UP_END_MARKERS].value, 1);
}

static struct bytes signal_message(void (*write)(struct writer *w, uint32_t teid), uint32_t teid)
{
    static uint8_t message[64];
    struct writer w = writer_of(message, sizeof(message));

    write(&w, teid);
    return wr_view(&w);
}

static void write_error(struct writer *w, uint32_t teid)
{
    gtpu_write_error_indication(
        w, &(struct gtpu_error_indication){.teid = teid, .ipv4 = v4("192.0.2.1")});
}

static void write_echo(struct writer *w, uint32_t sequence)
{
    gtpu_write_echo_request(w, (uint16_t)sequence);
}

static void error_indications_go_both_ways(void **state)
{
    struct phone phone;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    /* One that comes right after a change may be about what was before. */
    fake_signal("192.0.2.1", 2152, signal_message(write_error, 0xe1));
    settle();
    assert_int_equal(sgw.reports, 0);
    loop_run_for(1000);
    /* Of a tunnel nobody sends in, and from somebody who is not its end: nothing. */
    fake_signal("192.0.2.1", 2152, signal_message(write_error, 0xe9));
    fake_signal("192.0.2.66", 2152, signal_message(write_error, 0xe1));
    settle();
    assert_int_equal(sgw.reports, 0);
    /* Many are one report. */
    for (int i = 0; i < 5; i++)
        fake_signal("192.0.2.1", 2152, signal_message(write_error, 0xe1));
    settle();
    assert_int_equal(sgw.reports, 1);
    assert_int_equal(sgw.type, PFCP_REPORT_ERIR);
    assert_int_equal(sgw.remote_teid, 0xe1);
    /* A packet in a tunnel that we do not know. */
    assert_int_equal(
        fake_receive(FAKE_GTPU, 0xdead, "192.0.2.7", fake_udp4("10.45.0.2", "1.2.3.4", 0, 8)),
        OFPP_CONTROLLER);
    settle();
    struct gtpu_header header = last_signal();
    struct gtpu_error_indication error;
    assert_int_equal(header.type, GTPU_ERROR_INDICATION);
    assert_int_equal(gtpu_read_error_indication(&header, &error), 0);
    assert_int_equal(error.teid, 0xdead);
    assert_int_equal(error.ipv4.s_addr, v4("10.0.0.1").s_addr);
    assert_int_equal(fake.out.tun_dst.s_addr, v4("192.0.2.7").s_addr);
    /* The P-GW's session is gone, the S-GW still sends into it: it is told by PFCP what GTP-U would
     * have told. */
    end(&pgw, phone.sxb.seid);
    loop_run_for(1000);
    assert_int_equal(send_up(&phone, "10.45.0.2"), OFPP_CONTROLLER);
    settle();
    assert_int_equal(sgw.reports, 2);
    assert_int_equal(sgw.remote_teid, phone.sxb.teids[0]);
    /* An echo, if the switch does not answer it. */
    fake_signal("192.0.2.1", 40000, signal_message(write_echo, 77));
    settle();
    header = last_signal();
    assert_int_equal(header.type, GTPU_ECHO_RESPONSE);
    assert_int_equal(header.sequence, 77);
    /* An End Marker that is passed on. */
    fake_signal("192.0.2.1", 2152, signal_message(gtpu_write_end_marker, phone.sxa.teids[1]));
    settle();
    header = last_signal();
    assert_int_equal(header.type, GTPU_END_MARKER);
    assert_int_equal(header.teid, 0xe1);
    /* A session that does not send there now: nothing. */
    connect_phone(&phone, 0, NULL, false);
    loop_run_for(1000);
    fake_signal("192.0.2.1", 2152, signal_message(write_error, 0xe1));
    settle();
    assert_int_equal(sgw.reports, 2);
    /* Rubbish is nothing. */
    fake_signal("192.0.2.1", 2152, bytes_of("\x30", 1));
    settle();
}

/* A neighbour discovery message from the phone, in its tunnel. */
static uint32_t phone_says(struct phone *phone, const char *src, const char *dst,
                           const struct net_nd *nd)
{
    static const uint8_t nobody[6];
    uint8_t frame[256];
    struct writer w = writer_of(frame, sizeof(frame));
    struct in6_addr from = v6(src), to = v6(dst);
    struct net_ip ip = {.version = 6,
                        .ttl = 255,
                        .protocol = IP_ICMPV6,
                        .src = net_address_v6(&from),
                        .dst = net_address_v6(&to)};

    net_write_ethernet(&w, nobody, nobody, ETH_TYPE_IPV6);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_nd(&w, nd);
    net_ip_end(&w, begun);
    return fake_receive(FAKE_GTPU, phone->sxa.teids[0], "192.0.2.1", wr_view(&w));
}

static void a_phone_asks_its_router(void **state)
{
    struct phone phone;
    struct net_packet packet;
    struct net_nd nd;

    (void)state;
    attach(&phone, NULL, "2001:db8:45:2::");
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    assert_int_equal(phone_says(&phone, "fe80::77", "ff02::2",
                                &(struct net_nd){.type = ICMPV6_ROUTER_SOLICITATION}),
                     OFPP_CONTROLLER);
    settle();
    assert_int_equal(fake.out.port, FAKE_GTPU);
    assert_int_equal(fake.out.tun_id, 0xe1);
    assert_int_equal(net_read_frame(bytes_of(fake.out.frame, fake.out.len), &packet), 0);
    assert_int_equal(packet.ttl, 255);
    struct in6_addr phone_address = v6("fe80::77"), prefix = v6("2001:db8:45:2::");
    assert_memory_equal(&packet.dst.v6, &phone_address, 16);
    assert_true(net_checksum_ok(IP_ICMPV6, packet.src.bytes, packet.dst.bytes, 16,
                                packet.transport.at, packet.transport.len));
    assert_int_equal(net_read_nd(packet.transport, &nd), 0);
    assert_int_equal(nd.type, ICMPV6_ROUTER_ADVERTISEMENT);
    assert_int_equal(nd.lifetime_s, 3600);
    assert_int_equal(nd.mtu, 1400);
    assert_true(nd.has_prefix && nd.prefix.autonomous && !nd.prefix.on_link);
    assert_int_equal(nd.prefix.length, 64);
    assert_memory_equal(&nd.prefix.prefix, &prefix, 16);
    /* Is the router still there? */
    struct net_nd ask_router = {.type = ICMPV6_NEIGHBOUR_SOLICITATION, .target = v6("fe80::1")};
    phone_says(&phone, "2001:db8:45:2::77", "fe80::1", &ask_router);
    settle();
    assert_int_equal(net_read_frame(bytes_of(fake.out.frame, fake.out.len), &packet), 0);
    assert_int_equal(net_read_nd(packet.transport, &nd), 0);
    assert_int_equal(nd.type, ICMPV6_NEIGHBOUR_ADVERTISEMENT);
    assert_true(nd.router && nd.solicited);
    /* Whether an address is free is not our business, nor is other multicast. */
    unsigned outs = fake.outs;
    phone_says(&phone, "::", "ff02::1:ff00:77",
               &(struct net_nd){.type = ICMPV6_NEIGHBOUR_SOLICITATION, .target = v6("fe80::77")});
    settle();
    assert_int_equal(fake.outs, outs);
}

static void neighbours_are_answered_for_phones(void **state)
{
    struct phone phone;
    uint8_t frame[128];
    static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
    struct net_arp arp = {.op = ARP_REQUEST, .spa = v4("10.46.0.1"), .tpa = v4("10.45.0.2")}, reply;

    (void)state;
    attach(&phone, "10.45.0.2", "2001:db8:45:2::");
    memcpy(arp.sha, router_mac, 6);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const targets[] = {"10.45.0.2", "10.46.0.2", "10.45.0.3"};
        struct writer w = writer_of(frame, sizeof(frame));
        unsigned outs = fake.outs;
        arp.tpa = v4(targets[i]);
        net_write_ethernet(&w, broadcast, router_mac, ETH_TYPE_ARP);
        net_write_arp(&w, &arp);
        fake_receive(FAKE_SGI, 0, NULL, wr_view(&w));
        settle();
        assert_int_equal(fake.outs, outs + (i < 2)); /* the third belongs to nobody */
        if (i == 2)
            break;
        assert_int_equal(fake.out.port, FAKE_SGI);
        assert_int_equal(net_read_arp(bytes_of(fake.out.frame + 14, fake.out.len - 14), &reply), 0);
        assert_int_equal(reply.op, ARP_REPLY);
        assert_memory_equal(reply.sha, our_mac, 6);
        assert_int_equal(reply.spa.s_addr, v4(targets[i]).s_addr);
    }
    /* IPv6: a solicitation for a phone's address. */
    struct writer w = writer_of(frame, sizeof(frame));
    struct in6_addr from = v6("2001:db8:46::1"), to = v6("ff02::1:ff00:99");
    struct net_ip ip = {.version = 6,
                        .ttl = 255,
                        .protocol = IP_ICMPV6,
                        .src = net_address_v6(&from),
                        .dst = net_address_v6(&to)};
    struct net_nd nd = {.type = ICMPV6_NEIGHBOUR_SOLICITATION,
                        .target = v6("2001:db8:45:2::99"),
                        .has_link_address = true,
                        .link_address = {2, 0, 0, 0, 0, 9}};
    net_write_ethernet(&w, broadcast, router_mac, ETH_TYPE_IPV6);
    size_t begun = net_ip_begin(&w, &ip);
    net_write_nd(&w, &nd);
    net_ip_end(&w, begun);
    fake_receive(FAKE_SGI, 0, NULL, wr_view(&w));
    settle();
    struct net_packet packet;
    assert_int_equal(net_read_frame(bytes_of(fake.out.frame, fake.out.len), &packet), 0);
    assert_int_equal(net_read_nd(packet.transport, &nd), 0);
    assert_int_equal(nd.type, ICMPV6_NEIGHBOUR_ADVERTISEMENT);
    assert_memory_equal(nd.link_address, our_mac, 6);
    assert_memory_equal(fake.out.frame, router_mac, 6);
}

static void volumes_are_reported(void **state)
{
    struct phone phone;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    for (int i = 0; i < 3; i++)
        send_up(&phone, "10.45.0.2"); /* 20 + 28 octets of IP each */
    for (int i = 0; i < 2; i++)
        send_down("10.45.0.2", 1);
    struct pfcp_session_modification_request query = {
        .query_urr = {AT(struct pfcp_query_urr, 1), 1}};
    struct pfcp_session_modification_response *asked =
        ask(&pgw, phone.sxb.seid, PFCP_SESSION_MODIFICATION_REQUEST, &query);
    assert_int_equal(asked->usage_report.count, 1);
    assert_int_equal(asked->usage_report.at->usage_report_trigger, PFCP_USAGE_IMMER);
    assert_int_equal(asked->usage_report.at->ur_seqn, 0);
    assert_int_equal(asked->usage_report.at->volume_measurement->uplink, 3 * 48);
    assert_int_equal(asked->usage_report.at->volume_measurement->downlink, 2 * 48);
    assert_int_equal(asked->usage_report.at->volume_measurement->total, 5 * 48);
    assert_non_null(asked->usage_report.at->duration_measurement);
    /* Counted from there on. */
    send_up(&phone, "10.45.0.2");
    struct pfcp_session_deletion_response *ended = end(&pgw, phone.sxb.seid);
    assert_int_equal(ended->usage_report.count, 1);
    assert_int_equal(ended->usage_report.at->usage_report_trigger, PFCP_USAGE_TERMR);
    assert_int_equal(ended->usage_report.at->ur_seqn, 1);
    assert_int_equal(ended->usage_report.at->volume_measurement->uplink, 48);
    assert_int_equal(ended->usage_report.at->volume_measurement->downlink, 0);
}

static void thresholds_and_removals_are_reported(void **state)
{
    struct phone phone;
    struct pfcp_volume threshold = {.has_uplink = true, .uplink = 90};
    struct pfcp_update_urr update = {.urr_id = 1,
                                     .reporting_triggers = AT(uint32_t, PFCP_TRIGGER_VOLTH),
                                     .volume_threshold = &threshold};
    struct pfcp_session_modification_request watch = {.update_urr = {&update, 1}};

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    connect_phone(&phone, 0xe1, "192.0.2.1", false);
    assert_int_equal(modify(&pgw, phone.sxb.seid, &watch), PFCP_CAUSE_REQUEST_ACCEPTED);
    send_up(&phone, "10.45.0.2");
    loop_run_for(250);
    assert_int_equal(pgw.reports, 0);
    send_up(&phone, "10.45.0.2");
    loop_run_for(250);
    assert_int_equal(pgw.reports, 1);
    assert_int_equal(pgw.type, PFCP_REPORT_USAR);
    assert_int_equal(pgw.trigger, PFCP_USAGE_VOLTH);
    assert_int_equal(pgw.volume.uplink, 96);
    assert_int_equal(pgw.seid, 0x22);
    /* A report that nobody takes: its volume is in the next one. */
    pgw.is_silent = true;
    for (int i = 0; i < 2; i++)
        send_up(&phone, "10.45.0.2");
    loop_run_for(250);
    pgw.is_silent = false;
    loop_run_for(700);
    assert_int_equal(pgw.volume.uplink, 96);
    assert_true(pgw.reports >= 3);
    /* The URR goes: its last volume comes with the answer. */
    send_up(&phone, "10.45.0.2");
    struct pfcp_remove_urr remove = {1};
    struct pfcp_create_pdr pdrs[] = {phone.p.pdrs[0], phone.p.pdrs[1]};
    struct pfcp_remove_pdr old[] = {{1}, {2}};
    struct pfcp_f_teid same = {
        .has_ipv4 = true, .teid = phone.sxb.teids[0], .ipv4 = v4("10.0.0.1")};
    pdrs[0].urr_id.count = pdrs[1].urr_id.count = 0;
    pdrs[0].pdi.local_f_teid = &same;
    struct pfcp_session_modification_request m = {
        .remove_pdr = {old, 2}, .create_pdr = {pdrs, 2}, .remove_urr = {&remove, 1}};
    struct pfcp_session_modification_response *answer =
        ask(&pgw, phone.sxb.seid, PFCP_SESSION_MODIFICATION_REQUEST, &m);
    assert_int_equal(answer->cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(answer->usage_report.count, 1);
    assert_int_equal(answer->usage_report.at->usage_report_trigger, PFCP_USAGE_TERMR);
    assert_int_equal(answer->usage_report.at->volume_measurement->uplink, 48);
}

static void strangers_get_nothing(void **state)
{
    struct phone phone;
    struct sgw_change change;
    struct plane stranger;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    /* Another node's session, an unknown one, one of another life. */
    assert_int_equal(modify(&pgw, phone.sxa.seid, sgw_connects(&change, 1, "192.0.2.66", false)),
                     PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
    assert_int_equal(end(&pgw, phone.sxa.seid)->cause, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
    assert_int_equal(end(&sgw, phone.sxa.seid + 7)->cause, PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
    assert_int_equal(end(&sgw, (uint32_t)phone.sxa.seid)->cause,
                     PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND);
    plane_open(&stranger, "127.77.0.66", 1);
    struct sgw_sample s;
    struct established e = establish(&stranger, sgw_sample(&s, 0, "10.0.0.1"));
    assert_int_equal(e.cause, PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION);
    assert_int_equal(end(&stranger, phone.sxa.seid)->cause,
                     PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION);
    struct pfcp_pfd_management_response *pfds =
        ask(&sgw, 0, PFCP_PFD_MANAGEMENT_REQUEST, &(struct pfcp_pfd_management_request){{NULL, 0}});
    assert_int_equal(pfds->cause, PFCP_CAUSE_SERVICE_NOT_SUPPORTED);
    pfcp_close(stranger.pfcp);
    assert_int_equal(up.sessions.count, 2);
    /* Two sessions with one address. */
    struct pgw_sample p;
    assert_int_equal(establish(&pgw, pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1")).cause,
                     PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE);
    assert_int_equal(up.sessions.count, 2);
}

static void a_switch_that_refuses(void **state)
{
    struct phone phone;
    struct sgw_sample s;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    unsigned flows = fake.flow_count;
    fake.refuses = OFPFMFC_TABLE_FULL;
    fake.refuse_after = 1;
    struct established e = establish(&sgw, sgw_sample(&s, 0x55, "10.0.0.1"));
    assert_int_equal(e.cause, PFCP_CAUSE_NO_RESOURCES_AVAILABLE);
    fake.refuses = 0;
    settle();
    assert_int_equal(up.sessions.count, 2);
    /* A modification goes back to what was. */
    fake.refuses = OFPBAC_BAD_OUT_PORT;
    fake.refuse_after = 0;
    assert_int_equal(connect_phone(&phone, 0xe1, "192.0.2.1", false),
                     PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE);
    fake.refuses = 0;
    assert_int_equal(send_down("10.45.0.2", 1), OFPP_CONTROLLER);
    settle();
    assert_int_equal(sgw.reports, 1);
    /* The comparison that follows finds nothing wrong, and removes what the failed establishment
     * left. */
    loop_run_for(1200);
    assert_int_equal(fake.flow_count, flows);
    assert_int_equal(connect_phone(&phone, 0xe1, "192.0.2.1", false), PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(send_down("10.45.0.2", 1), FAKE_GTPU);
}

static void pools_have_an_end(void **state)
{
    struct sgw_sample s;

    (void)state;
    for (unsigned i = 0; i < config.max_sessions; i++)
        assert_int_equal(establish(&sgw, sgw_sample(&s, 0x55, "10.0.0.1")).cause,
                         PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(establish(&sgw, sgw_sample(&s, 0x55, "10.0.0.1")).cause,
                     PFCP_CAUSE_NO_RESOURCES_AVAILABLE);
    /* The S-GW starts anew: all go, and there is room again. */
    pfcp_close(sgw.pfcp);
    plane_open(&sgw, SGW_ADDRESS, 1001);
    associate(&sgw);
    settle();
    assert_int_equal(up.sessions.count, 0);
    assert_int_equal(up.teids.owners.count, 0);
    assert_int_equal(establish(&sgw, sgw_sample(&s, 0x55, "10.0.0.1")).cause,
                     PFCP_CAUSE_REQUEST_ACCEPTED);
    struct pfcp_association_release_request release = {pfcp_own_node_id(sgw.pfcp)};
    struct pfcp_association_release_response *answer =
        ask(&sgw, 0, PFCP_ASSOCIATION_RELEASE_REQUEST, &release);
    assert_int_equal(answer->cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    settle();
    assert_int_equal(up.sessions.count, 0);
    assert_int_equal(establish(&sgw, sgw_sample(&s, 0x55, "10.0.0.1")).cause,
                     PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION);
}

static void no_switch_no_new_sessions(void **state)
{
    struct phone phone;
    struct sgw_sample s;
    struct call call;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    /* It goes while an establishment waits for it. */
    fake.holds_barriers = true;
    struct pfcp_session_establishment_request body = *sgw_sample(&s, 0x55, "10.0.0.1");
    body.node_id = pfcp_own_node_id(sgw.pfcp);
    start_call(&call, &sgw, 0, PFCP_SESSION_ESTABLISHMENT_REQUEST, &body);
    settle();
    fake_disconnect();
    run_until(&call.done);
    assert_int_equal(((struct pfcp_session_establishment_response *)call.answer->body)->cause,
                     PFCP_CAUSE_SYSTEM_FAILURE);
    settle();
    assert_int_equal(up.sessions.count, 2);
    assert_int_equal(establish(&sgw, sgw_sample(&s, 0x55, "10.0.0.1")).cause,
                     PFCP_CAUSE_SYSTEM_FAILURE);
    /* What is wanted can still be said, and is done when it comes back, as one that has started
     * anew. */
    assert_int_equal(connect_phone(&phone, 0xe1, "192.0.2.1", false), PFCP_CAUSE_REQUEST_ACCEPTED);
    fake.holds_barriers = false;
    fake_forget();
    connect_switch();
    assert_int_equal(send_down("10.45.0.2", 1), FAKE_GTPU);
    assert_int_equal(send_up(&phone, "10.45.0.2"), FAKE_SGI);
    assert_int_equal(fake.meter_count, 5);
}

static void a_switch_that_comes_back_is_compared_not_wiped(void **state)
{
    struct phone a, b;

    (void)state;
    attach(&a, "10.45.0.2", NULL);
    attach(&b, "10.45.0.3", NULL);
    connect_phone(&a, 0xe1, "192.0.2.1", false);
    fake_disconnect();
    settle();
    end(&pgw, b.sxb.seid);
    end(&sgw, b.sxa.seid);
    /* Meanwhile somebody has removed one flow and changed another. */
    const struct fake_flow *gone = fake_find(1, "in_port=1,ip,ip_dst=10.45.0.2");
    assert_non_null(gone);
    fake.flows[gone - fake.flows] = fake.flows[--fake.flow_count];
    struct fake_flow *changed = NULL;
    for (unsigned i = 0; i < fake.flow_count; i++)
        if (fake.flows[i].table == 2 && of_match_has(&fake.flows[i].match, OF_TUNNEL_ID) &&
            of_match_get(&fake.flows[i].match, OF_TUNNEL_ID) == a.sxa.teids[1])
            changed = &fake.flows[i];
    assert_non_null(changed);
    changed->instructions_len = 0;
    fake.flow_mods = 0;
    fake.log[0] = '\0';
    connect_switch();
    settle();
    assert_null(fake_find(1, "in_port=1,ip,ip_dst=10.45.0.3"));
    assert_int_equal(send_down("10.45.0.2", 1), FAKE_GTPU);
    assert_int_equal(send_up(&a, "10.45.0.2"), FAKE_SGI);
    /* The pipeline's own, two flows corrected, b's four removed; a's uplink flows were right and
     * are not touched. */
    unsigned fixed = 0;
    struct up_fixed_flow flow;
    for (unsigned i = 0; up_fixed_flow(i, &flow); i++)
        fixed += flow.number != 0;
    assert_int_equal(fake.flow_mods, fixed + 2 + 4);
    /* b's meters could be of an earlier life: they go with the grace time. */
    loop_run_for(600);
    assert_int_equal(fake.meter_count, 5);
    assert_int_equal(send_down("10.45.0.2", 1), FAKE_GTPU);
}

/* Killed and started again: the switch goes on with the old flows until the gateways have said
 * everything again. */
static void a_new_life_of_the_controller(void **state)
{
    struct phone a, b;

    (void)state;
    attach(&a, "10.45.0.2", NULL);
    attach(&b, "10.45.0.3", NULL);
    connect_phone(&a, 0xe1, "192.0.2.1", false);
    connect_phone(&b, 0xe2, "192.0.2.1", false);
    uint16_t old_epoch = up.epoch;
    fake_disconnect();
    stop_controller();
    memset(up_exits, 0, sizeof(up_exits));
    loop_run_for(10);
    start_controller();
    up.epoch = (uint16_t)(old_epoch + 1); /* within one second the clock may be the same */
    connect_switch();
    /* Both still talk. */
    assert_int_equal(send_down("10.45.0.2", 1), FAKE_GTPU);
    assert_int_equal(send_up(&b, "10.45.0.3"), FAKE_SGI);
    /* Their gateways learn it by the recovery time stamp; a's sessions are established again, with
     * the tunnels they had. */
    assert_int_equal(end(&sgw, a.sxa.seid)->cause, PFCP_CAUSE_NO_ESTABLISHED_PFCP_ASSOCIATION);
    associate(&sgw);
    associate(&pgw);
    router_answers();
    for (unsigned i = 0; i < 2; i++)
        a.s.f_teids[i] =
            (struct pfcp_f_teid){.has_ipv4 = true, .teid = a.sxa.teids[i], .ipv4 = v4("10.0.0.1")};
    struct pfcp_forwarding_parameters to_pgw = {
        .destination_interface = PFCP_INTERFACE_CORE,
        .outer_header_creation = tunnel_to(&a.s.to_pgw, a.sxb.teids[0], "10.0.0.1")};
    struct pfcp_outer_header_creation enb;
    struct pfcp_forwarding_parameters to_enb = {.destination_interface = PFCP_INTERFACE_ACCESS,
                                                .outer_header_creation =
                                                    tunnel_to(&enb, 0xe1, "192.0.2.1")};
    a.s.fars[0].apply_action = a.s.fars[1].apply_action = PFCP_APPLY_FORW;
    a.s.fars[0].forwarding_parameters = &to_pgw;
    a.s.fars[1].forwarding_parameters = &to_enb;
    a.p.f_teid =
        (struct pfcp_f_teid){.has_ipv4 = true, .teid = a.sxb.teids[0], .ipv4 = v4("10.0.0.1")};
    assert_int_equal(establish(&sgw, &a.s.request).cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(establish(&pgw, &a.p.request).cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    /* Nobody gets b's tunnels while its flows are there. */
    assert_int_equal(up_teid_owner(&up.teids, b.sxa.teids[0]), 0);
    assert_int_not_equal(map_get(&up.teids.owners, b.sxa.teids[0]), 0);
    assert_int_equal(send_down("10.45.0.2", 1), FAKE_GTPU);
    assert_int_equal(send_down("10.45.0.3", 1), FAKE_GTPU);
    /* The grace time is over: b was not claimed. */
    loop_run_for(600);
    assert_int_equal(send_down("10.45.0.2", 1), FAKE_GTPU);
    assert_int_equal(send_up(&a, "10.45.0.2"), FAKE_SGI);
    assert_int_equal(send_down("10.45.0.3", 1), 0);
    assert_int_equal(map_get(&up.teids.owners, b.sxa.teids[0]), 0);
    for (unsigned i = 0; i < fake.flow_count; i++)
        assert_int_equal(UP_COOKIE_EPOCH(fake.flows[i].cookie), up.epoch);
    assert_int_equal(fake.meter_count, 5);
}

static void the_state_can_be_seen(void **state)
{
    struct phone phone;
    json_t *json;

    (void)state;
    attach(&phone, "10.45.0.2", NULL);
    send_down("10.45.0.2", 1);
    settle();
    json = up_state_sessions(NULL);
    assert_int_equal(json_array_size(json), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json, 0), "control_plane")), SGW_ADDRESS);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "buffered")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json, 1), "addresses")),
                        "10.45.0.2");
    json_decref(json);
    json = up_state_sessions("001019999999999");
    assert_int_equal(json_array_size(json), 0);
    json_decref(json);
    json = up_state_flows(NULL);
    assert_int_equal(json_array_size(json), 4);
    json_decref(json);
    json = up_state_nodes();
    assert_int_equal(json_array_size(json), 2);
    json_decref(json);
    json = up_state_summary();
    assert_true(json_is_true(json_object_get(json, "synchronised")));
    json_decref(json);
    json = switches_state();
    assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "datapath")),
                        "0000000000000abc");
    json_decref(json);
    json = switches_ports_state();
    assert_int_equal(json_array_size(json), 3);
    json_decref(json);
    json = up_sgi_state();
    assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "next_hop_mac")),
                        "02:00:00:00:00:09");
    json_decref(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_pipeline_stands_before_any_session),
        TEST(packets_go_both_ways),
        TEST(answers_wait_for_the_switch),
        TEST(packets_wait_for_a_sleeping_phone),
        TEST(a_late_packet_is_sent_on),
        TEST(a_flood_to_a_sleeping_phone_is_clamped),
        TEST(a_report_can_wait_or_drop_and_is_tried_again),
        TEST(an_end_marker_follows_the_path_switch),
        TEST(error_indications_go_both_ways),
        TEST(a_phone_asks_its_router),
        TEST(neighbours_are_answered_for_phones),
        TEST(volumes_are_reported),
        TEST(thresholds_and_removals_are_reported),
        TEST(strangers_get_nothing),
        TEST(a_switch_that_refuses),
        TEST(pools_have_an_end),
        TEST(no_switch_no_new_sessions),
        TEST(a_switch_that_comes_back_is_compared_not_wiped),
        TEST(a_new_life_of_the_controller),
        TEST(the_state_can_be_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
