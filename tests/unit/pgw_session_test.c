/*
 * pgw_session_test.c -- the P-GW's procedures: sessions that begin, change, collide and end, every
 * refusal, and that nothing is left behind.
 */
#include "pgw_world.h"

/* ---- One session ---- */

static void a_session_begins_and_ends(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet.mnc001.mcc001.gprs", GTPC_PDN_IPV4V6);

    assert_int_equal(made.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(made.bearer_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(made.answer_teid, 0x1234);
    assert_true(made.has_recovery); /* first contact */
    assert_false(made.has_ambr);    /* as it was asked for */
    assert_false(made.has_qos);
    assert_int_equal(made.paa.pdn_type, GTPC_PDN_IPV4V6);
    assert_int_equal(made.paa.prefix_bits, 64);
    assert_int_equal(ntohl(made.paa.ipv4.s_addr), 0x0a2d0002);
    assert_memory_equal(&made.paa.ipv6, "\xfd\x00\x00\x45\x00\x00\x00\x01", 8);
    assert_int_not_equal(made.paa.ipv6.s6_addr[8], 0); /* an interface identifier */

    struct fake_session *there = fake_session_of(&plane, PHONE);
    assert_non_null(there);
    const struct fake_pdr *up = fake_pdr(there, 1), *down = fake_pdr(there, 2);
    assert_int_equal(up->source, PFCP_INTERFACE_ACCESS);
    assert_int_equal(up->teid, made.s5_u_teid);
    assert_int_equal(up->address.s_addr, made.s5_u.s_addr);
    assert_false(up->ue.is_destination);
    assert_int_equal(down->source, PFCP_INTERFACE_CORE);
    assert_true(down->ue.is_destination);
    assert_int_equal(down->ue.ipv4.s_addr, made.paa.ipv4.s_addr);
    assert_memory_equal(&down->ue.ipv6, &made.paa.ipv6, 16);
    assert_string_equal(down->network, "internet");
    const struct fake_far *to_phone = fake_far(there, 2);
    assert_int_equal(to_phone->action, PFCP_APPLY_FORW);
    assert_int_equal(to_phone->teid, 0x5000);
    assert_int_equal(ntohl(to_phone->address.s_addr), 0x0a000009);
    assert_true(there->has_ambr);
    assert_int_equal(there->ambr.uplink_kbps, 5000);
    assert_int_equal(there->ambr.downlink_kbps, 9000);

    assert_int_equal(delete_session(made.pgw_teid, 6), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(counted(PGW_UPLINK_BYTES), 1000);
    assert_int_equal(counted(PGW_DOWNLINK_BYTES), 2000);
    assert_int_equal(counted(PGW_CREATED), 1);
    assert_int_equal(counted(PGW_DELETED), 1);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_nothing_is_left();
}

/* TS 23.401 clause 5.3.1.1. */
static void pdn_types(void **state)
{
    (void)state;
    static const struct {
        const char *apn;
        uint8_t asked;
        bool dual;
        uint8_t cause, got;
    } cases[] = {
        {"internet", GTPC_PDN_IPV4, true, 16, GTPC_PDN_IPV4},
        {"internet", GTPC_PDN_IPV6, true, 16, GTPC_PDN_IPV6},
        {"internet", GTPC_PDN_IPV4V6, true, 16, GTPC_PDN_IPV4V6},
        {"internet", GTPC_PDN_IPV4V6, false, 19, GTPC_PDN_IPV4},
        {"v4", GTPC_PDN_IPV4V6, true, 18, GTPC_PDN_IPV4},
        {"v6", GTPC_PDN_IPV4V6, true, 18, GTPC_PDN_IPV6},
        {"V6", GTPC_PDN_IPV6, true, 16, GTPC_PDN_IPV6},
        {"v4", GTPC_PDN_IPV6, true, 83, 0},
        {"v6", GTPC_PDN_IPV4, true, 83, 0},
        {"internet", GTPC_PDN_NON_IP, true, 83, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct creation c;
        prepare(&c, PHONE, cases[i].apn, cases[i].asked);
        c.indication = cases[i].dual ? GTPC_DAF : 0;
        if (cases[i].asked == GTPC_PDN_NON_IP)
            c.request.paa = NULL;
        struct asker made = send_creation(&c);
        assert_int_equal(made.cause.value, cases[i].cause);
        assert_int_equal(made.paa.pdn_type, cases[i].got);
        if (!cases[i].got)
            continue;
        assert_int_equal(made.paa.prefix_bits, cases[i].got == GTPC_PDN_IPV4 ? 0 : 64);
        assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    }
    assert_nothing_is_left();
}

/* What is wrong with a request, and what is said. */
static void no_imsi(struct creation *c)
{
    c->request.imsi = NULL;
}
static void bad_imsi(struct creation *c)
{
    c->request.imsi = "12";
}
static void two_bearers(struct creation *c)
{
    c->request.bearers.count = 2;
}
static void low_bearer(struct creation *c)
{
    c->bearers[0].ebi = 4;
}
static void no_tunnel(struct creation *c)
{
    c->bearers[0].s5_s8_u_sgw = NULL;
}
static void ipv6_tunnel(struct creation *c)
{
    c->s5_u.has_ipv4 = false;
    c->s5_u.has_ipv6 = true;
    c->s5_u.ipv6.s6_addr[15] = 1;
}
static void ipv6_sgw(struct creation *c)
{
    c->request.sender.has_ipv4 = false;
    c->request.sender.has_ipv6 = true;
    c->request.sender.ipv6.s6_addr[15] = 1;
}
static void no_pdn_type(struct creation *c)
{
    c->request.pdn_type = NULL;
    c->request.paa = NULL;
}
static void other_apn(struct creation *c)
{
    strcpy(c->request.apn, "nowhere");
}
static void foreign_address(struct creation *c)
{
    inet_pton(AF_INET, "192.0.2.1", &c->paa.ipv4);
}
static void network_address(struct creation *c)
{
    inet_pton(AF_INET, "10.45.0.0", &c->paa.ipv4);
}
static void router_address(struct creation *c)
{
    inet_pton(AF_INET, "10.45.0.1", &c->paa.ipv4);
}
static void broadcast_address(struct creation *c)
{
    inet_pton(AF_INET, "10.45.255.255", &c->paa.ipv4);
}
static void foreign_prefix(struct creation *c)
{
    inet_pton(AF_INET6, "2001:db8::", &c->paa.ipv6); /* after its IPv4 address has been taken */
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct creation *c);
        uint8_t cause, offending, instance;
    } cases[] = {
        {no_imsi, GTPC_CAUSE_CONDITIONAL_IE_MISSING, GTPC_IE_IMSI, 0},
        {bad_imsi, GTPC_CAUSE_MANDATORY_IE_INCORRECT, GTPC_IE_IMSI, 0},
        {two_bearers, GTPC_CAUSE_SERVICE_NOT_SUPPORTED, 0, 0},
        {low_bearer, GTPC_CAUSE_MANDATORY_IE_INCORRECT, GTPC_IE_EBI, 0},
        {no_tunnel, GTPC_CAUSE_CONDITIONAL_IE_MISSING, GTPC_IE_F_TEID, 2},
        {ipv6_tunnel, GTPC_CAUSE_SERVICE_NOT_SUPPORTED, 0, 0},
        {ipv6_sgw, GTPC_CAUSE_INVALID_PEER, 0, 0},
        {no_pdn_type, GTPC_CAUSE_CONDITIONAL_IE_MISSING, GTPC_IE_PDN_TYPE, 0},
        {other_apn, GTPC_CAUSE_MISSING_OR_UNKNOWN_APN, 0, 0},
        {foreign_address, GTPC_CAUSE_NO_RESOURCES_AVAILABLE, 0, 0},
        {network_address, GTPC_CAUSE_NO_RESOURCES_AVAILABLE, 0, 0},
        {router_address, GTPC_CAUSE_NO_RESOURCES_AVAILABLE, 0, 0},
        {broadcast_address, GTPC_CAUSE_NO_RESOURCES_AVAILABLE, 0, 0},
        {foreign_prefix, GTPC_CAUSE_NO_RESOURCES_AVAILABLE, 0, 0},
    };
    const size_t count = sizeof(cases) / sizeof(cases[0]);

    for (size_t i = 0; i < count; i++) {
        struct creation c;
        prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6);
        cases[i].spoil(&c);
        struct asker made = send_creation(&c);
        assert_int_equal(made.cause.value, cases[i].cause);
        assert_int_equal(made.cause.has_offending, cases[i].offending != 0);
        assert_int_equal(made.cause.offending_type, cases[i].offending);
        assert_int_equal(made.cause.offending_instance, cases[i].instance);
        assert_int_equal(made.answer_teid, 0x1234);
        assert_nothing_is_left();
    }
    assert_int_equal(counted(PGW_CREATE_REFUSED), count);
    assert_int_equal(plane.establishments, 0);
}

/* Addresses of the subscription. */
static void static_addresses(void **state)
{
    (void)state;
    struct creation c;

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6);
    inet_pton(AF_INET, "10.45.7.7", &c.paa.ipv4);
    inet_pton(AF_INET6, "fd00:45:0:7::5", &c.paa.ipv6);
    struct asker made = send_creation(&c);
    assert_int_equal(made.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(ntohl(made.paa.ipv4.s_addr), 0x0a2d0707);
    assert_memory_equal(&made.paa.ipv6, "\xfd\x00\x00\x45\x00\x00\x00\x07", 8);

    prepare(&c, OTHER_PHONE, "internet", GTPC_PDN_IPV4); /* somebody else's */
    inet_pton(AF_INET, "10.45.7.7", &c.paa.ipv4);
    assert_int_equal(send_creation(&c).cause.value, GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(pgw.sessions.count, 1);
    delete_session(made.pgw_teid, 5);
    made = send_creation(&c);
    assert_int_equal(made.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

static void a_limited_ambr_is_told(void **state)
{
    (void)state;
    struct creation c;

    struct asker made = create(PHONE, "v4", GTPC_PDN_IPV4);
    assert_true(made.has_ambr);
    assert_int_equal(made.ambr.uplink_kbps, 1000);
    assert_int_equal(made.ambr.downlink_kbps, 2000);
    assert_int_equal(fake_session_at(&plane, 0)->ambr.uplink_kbps, 1000);
    assert_string_equal(fake_pdr(fake_session_at(&plane, 0), 2)->network, "lan");
    delete_session(made.pgw_teid, 5);

    prepare(&c, PHONE, "v4", GTPC_PDN_IPV4); /* less than the limit is kept */
    c.ambr = (struct gtpc_ambr){100, 200};
    made = send_creation(&c);
    assert_false(made.has_ambr);
    assert_int_equal(fake_session_at(&plane, 0)->ambr.downlink_kbps, 200);
    delete_session(made.pgw_teid, 5);

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4); /* none at all: no limit */
    c.request.ambr = NULL;
    made = send_creation(&c);
    assert_int_equal(made.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_false(fake_session_at(&plane, 0)->has_ambr);
    delete_session(made.pgw_teid, 5);

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4); /* of one direction only */
    c.ambr = (struct gtpc_ambr){0, 200};
    made = send_creation(&c);
    assert_true(fake_session_at(&plane, 0)->has_ambr);
    assert_int_equal(fake_session_at(&plane, 0)->ambr.downlink_kbps, 200);
    assert_true(fake_session_at(&plane, 0)->ambr.uplink_kbps >= UINT32_MAX);
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

static void configuration_options(void **state)
{
    (void)state;
    struct creation c;
    struct pco pco;
    struct bytes asked = BYTES(0x80, 0x00, 0x0d, 0, 0x00, 0x03, 0, 0x00, 0x10, 0);
    struct bytes broken = BYTES(0x80, 0x00, 0x0d, 9);

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6);
    c.request.pco = &asked;
    struct asker made = send_creation(&c);
    assert_int_equal(made.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pco_decode(bytes_of(made.pco, made.pco_len), &pco), 0);
    const struct pco_container *dns = pco_find(&pco, PCO_DNS_SERVER_IPV4_ADDRESS);
    assert_non_null(dns);
    assert_memory_equal(dns->content.at, "\x0a\x63\x00\x01", 4);
    assert_non_null(pco_find(&pco, PCO_DNS_SERVER_IPV6_ADDRESS));
    assert_memory_equal(pco_find(&pco, PCO_IPV4_LINK_MTU)->content.at, "\x05\x78", 2);
    delete_session(made.pgw_teid, 5);

    c.request.pco = &broken; /* the phone's problem: it gets its connection, and no options */
    made = send_creation(&c);
    assert_int_equal(made.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(made.pco_len, 0);
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

/* ---- The user plane says no ---- */

static void the_user_plane_refuses(void **state)
{
    (void)state;
    static const struct {
        uint8_t said, cause;
    } cases[] = {
        {PFCP_CAUSE_NO_RESOURCES_AVAILABLE, GTPC_CAUSE_NO_RESOURCES_AVAILABLE},
        {PFCP_CAUSE_PFCP_ENTITY_IN_CONGESTION, GTPC_CAUSE_NO_RESOURCES_AVAILABLE},
        {PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE, GTPC_CAUSE_SYSTEM_FAILURE},
        {PFCP_CAUSE_SESSION_CONTEXT_NOT_FOUND, GTPC_CAUSE_SYSTEM_FAILURE},
    };
    struct creation c;

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        plane.refuse = cases[i].said;
        plane.refusals = 1;
        assert_int_equal(send_creation(&c).cause.value, cases[i].cause);
        assert_nothing_is_left();
    }
    plane.ignored = 3;
    assert_int_equal(send_creation(&c).cause.value, GTPC_CAUSE_SYSTEM_FAILURE);
    assert_nothing_is_left();
    plane.forgets = true; /* "no established PFCP association": it is set up again */
    assert_int_equal(send_creation(&c).cause.value, GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_nothing_is_left();
    WAIT(user_plane_is_up(pgw.planes, 0) && !plane.forgets);
    delete_session(create(PHONE, "internet", GTPC_PDN_IPV4).pgw_teid, 5);
    assert_nothing_is_left();
}

static void there_is_no_user_plane(void **state)
{
    (void)state;
    struct creation c;

    fake_user_plane_close(&plane);
    WAIT(!user_plane_is_up(pgw.planes, 0));
    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6);
    assert_int_equal(send_creation(&c).cause.value, GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_nothing_is_left();
    fake_user_plane_restart(&plane);
    WAIT(user_plane_is_up(pgw.planes, 0));
    delete_session(create(PHONE, "internet", GTPC_PDN_IPV4).pgw_teid, 5);
    assert_nothing_is_left();
}

/* The user plane gives out the tunnels itself. */
static void the_user_plane_chooses(void **state)
{
    (void)state;
    plane.chooses = true;
    fake_user_plane_restart(&plane);
    WAIT(plane.associations == 2 && user_plane_is_up(pgw.planes, 0));
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    assert_int_equal(made.s5_u_teid, fake_pdr(fake_session_at(&plane, 0), 1)->teid);
    assert_int_equal(made.s5_u.s_addr, plane.gtpu.s_addr);
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

/* ---- Many ---- */

static void a_pool_is_exhausted_and_refilled(void **state)
{
    (void)state;
    uint32_t teids[V4_CAPACITY];
    struct creation c;
    char imsi[IMSI_SIZE];

    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < V4_CAPACITY; i++) {
            name_phone(imsi, i);
            teids[i] = create(imsi, "v4", GTPC_PDN_IPV4).pgw_teid;
        }
        prepare(&c, "001019999999999", "v4", GTPC_PDN_IPV4);
        assert_int_equal(send_creation(&c).cause.value,
                         GTPC_CAUSE_ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED);
        assert_int_equal(plane.count, V4_CAPACITY);
        for (unsigned i = 0; i < V4_CAPACITY; i++)
            assert_int_equal(delete_session(teids[i], 5), GTPC_CAUSE_REQUEST_ACCEPTED);
        assert_nothing_is_left();
    }
}

static void sessions_are_limited(void **state)
{
    (void)state;
    uint32_t teids[64];
    struct creation c;
    char imsi[IMSI_SIZE];

    for (unsigned i = 0; i < 64; i++) {
        name_phone(imsi, i);
        teids[i] = create(imsi, "internet", GTPC_PDN_IPV4V6).pgw_teid;
    }
    prepare(&c, "001019999999999", "internet", GTPC_PDN_IPV4);
    assert_int_equal(send_creation(&c).cause.value, GTPC_CAUSE_NO_RESOURCES_AVAILABLE);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(delete_session(teids[i], 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

static void many_come_and_go(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct asker made = create(i % 2 ? PHONE : OTHER_PHONE, i % 3 ? "internet" : "v4",
                                   i % 3 ? GTPC_PDN_IPV4V6 : GTPC_PDN_IPV4);
        assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    }
    assert_nothing_is_left();
    assert_int_equal(plane.establishments, 300);
    assert_int_equal(plane.deletions, 300);
}

/* ---- Collisions ---- */

/* TS 29.274 clause 7.2.1: the same bearer of the same phone is asked for again. */
static void a_new_request_replaces_a_session(void **state)
{
    (void)state;
    struct creation c;
    struct asker first = create(PHONE, "internet", GTPC_PDN_IPV4V6);
    struct asker second = create(PHONE, "v4", GTPC_PDN_IPV4);

    assert_int_equal(counted(PGW_REPLACED), 1);
    assert_int_equal(pgw.sessions.count, 1);
    assert_int_equal(plane.count, 1);
    assert_int_equal(delete_session(first.pgw_teid, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6); /* another bearer is another connection */
    c.bearers[0].ebi = 6;
    struct asker third = send_creation(&c);
    assert_int_equal(third.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(pgw.sessions.count, 2);
    assert_int_equal(pgw.ues.count, 1);
    assert_int_equal(delete_session(second.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(delete_session(third.pgw_teid, 6), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

static void two_requests_at_once(void **state)
{
    (void)state;
    struct creation c;
    struct asker first = {.type = GTPC_CREATE_SESSION_REQUEST, .body = &c.request};
    struct asker second = first;

    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4V6);
    plane.ignored = 1; /* so the first one waits */
    begin(&first);
    begin(&second);
    WAIT(first.is_done && second.is_done);
    assert_int_equal(first.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(second.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(counted(PGW_REPLACED), 1);
    assert_int_equal(pgw.sessions.count, 1);
    assert_int_equal(delete_session(second.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

/* The S-GW repeats what takes long: it is done once. */
static void a_repeated_request_is_done_once(void **state)
{
    (void)state;
    struct creation c;

    sgw_timeout_ms = 15;
    close_sgw(&sgw);
    open_sgw(&sgw);
    plane.ignored = 1; /* so it takes 20 ms */
    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4);
    struct asker asker = send_creation(&c);
    assert_int_equal(asker.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_true(udp_counters(gtpc_udp(pgw.s5)).duplicates > 0);
    assert_int_equal(plane.establishments, 1);
    delete_session(asker.pgw_teid, 5);
    assert_nothing_is_left();
}

static void a_deletion_waits_for_a_modification(void **state)
{
    (void)state;
    struct gtpc_bearer_to_be_modified bearer;
    struct gtpc_f_teid tunnel, sender;
    struct gtpc_modify_bearer_request modification = relocation(&bearer, &tunnel, &sender);
    uint8_t lbi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &lbi};
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);
    struct asker first = {
        .teid = made.pgw_teid, .type = GTPC_MODIFY_BEARER_REQUEST, .body = &modification};
    struct asker second = {
        .teid = made.pgw_teid, .type = GTPC_DELETE_SESSION_REQUEST, .body = &deletion};
    struct asker third = first;

    sender = f_teid(GTPC_S5_S8_SGW_GTP_C, 0x4321, SGW); /* the same S-GW, another tunnel */
    plane.ignored = 1;
    begin(&first);
    begin(&second);
    begin(&third);
    WAIT(first.is_done && second.is_done && third.is_done);
    assert_int_equal(first.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(first.answer_teid, 0x4321);
    assert_int_equal(second.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(third.cause.value, GTPC_CAUSE_CONTEXT_NOT_FOUND); /* it is too late */
    assert_nothing_is_left();
}

static void a_full_mailbox_is_not_the_end(void **state)
{
    (void)state;
    struct gtpc_bearer_to_be_modified bearer;
    struct gtpc_f_teid tunnel, sender;
    struct gtpc_modify_bearer_request modification = relocation(&bearer, &tunnel, &sender);
    struct gtpc_modify_bearer_request news = {0};
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);
    struct asker askers[GTPC_MAILBOX_LIMIT + 4];
    bool all = false;

    sender = f_teid(GTPC_S5_S8_SGW_GTP_C, 0x1234, SGW);
    plane.ignored = 1;
    for (size_t i = 0; i < GTPC_MAILBOX_LIMIT + 4; i++) {
        askers[i] = (struct asker){.teid = made.pgw_teid,
                                   .type = GTPC_MODIFY_BEARER_REQUEST,
                                   .body = i ? &news : &modification};
        begin(&askers[i]);
    }
    for (int n = 0; n < 500 && !all; n++) {
        loop_run_for(2);
        all = true;
        for (size_t i = 0; i < GTPC_MAILBOX_LIMIT + 4; i++)
            all &= askers[i].is_done;
    }
    for (size_t i = 0; i < GTPC_MAILBOX_LIMIT + 4; i++) {
        assert_true(askers[i].is_done);
        assert_int_equal(askers[i].err, 0); /* those that were turned away came again */
        assert_int_equal(askers[i].cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    }
    assert_true(counted(PGW_MAILBOX_FULL) >= 3);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

static void too_much_at_once_is_refused(void **state)
{
    (void)state;
    struct creation c;
    struct asker made = create(OTHER_PHONE, "internet", GTPC_PDN_IPV4);
    struct asker first = {.type = GTPC_CREATE_SESSION_REQUEST, .body = &c.request};

    config.max_procedures = 1;
    prepare(&c, PHONE, "internet", GTPC_PDN_IPV4);
    plane.ignored = 2;
    begin(&first);
    loop_run_for(5);
    struct creation second;
    prepare(&second, "001010000000003", "internet", GTPC_PDN_IPV4);
    struct asker refused = send_creation(&second);
    assert_int_equal(refused.cause.value, GTPC_CAUSE_GTP_C_ENTITY_CONGESTION);
    assert_int_equal(refused.answer_teid, 0x1234);
    assert_int_equal(counted(PGW_CONGESTION), 1);
    assert_false(first.is_done);
    /* what makes it less is done */
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    WAIT(first.is_done);
    assert_int_equal(first.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(delete_session(first.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

/* ---- Changes ---- */

static void news_of_the_phone(void **state)
{
    (void)state;
    uint8_t rat = GTPC_RAT_UTRAN;
    struct gtpc_modify_bearer_request request = {.rat_type = &rat};
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    struct asker changed = ask((struct asker){
        .teid = made.pgw_teid, .type = GTPC_MODIFY_BEARER_REQUEST, .body = &request});

    assert_int_equal(changed.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_false(changed.has_bearer);
    assert_int_equal(plane.modifications, 0); /* the user plane need not know */
    struct gtpc_change_notification_request notification = {.imsi = PHONE,
                                                            .rat_type = GTPC_RAT_EUTRAN};
    changed = ask((struct asker){
        .teid = made.pgw_teid, .type = GTPC_CHANGE_NOTIFICATION_REQUEST, .body = &notification});
    assert_int_equal(changed.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

static void the_phone_moves_to_another_sgw(void **state)
{
    (void)state;
    struct gtpc_bearer_to_be_modified bearer;
    struct gtpc_f_teid tunnel, sender;
    struct gtpc_modify_bearer_request request = relocation(&bearer, &tunnel, &sender);
    uint8_t lbi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &lbi};
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    struct asker moved = ask((struct asker){.from = &other_sgw,
                                            .teid = made.pgw_teid,
                                            .type = GTPC_MODIFY_BEARER_REQUEST,
                                            .body = &request});

    assert_int_equal(moved.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(moved.answer_teid, 0x4321);
    assert_true(moved.has_bearer);
    assert_true(moved.has_msisdn);
    assert_true(moved.has_recovery);
    assert_int_equal(moved.bearer_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(moved.charging_id, made.charging_id);
    struct fake_session *there = fake_session_at(&plane, 0);
    assert_int_equal(fake_far(there, 2)->teid, 0x6000);
    assert_int_equal(there->end_markers, 1);
    /* the old one has nothing to say any more */
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(ask((struct asker){.from = &other_sgw,
                                        .teid = made.pgw_teid,
                                        .type = GTPC_DELETE_SESSION_REQUEST,
                                        .body = &deletion})
                         .cause.value,
                     GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

/* A move that fails leaves the session with the old S-GW. */
static void a_move_fails(void **state)
{
    (void)state;
    struct gtpc_bearer_to_be_modified bearer;
    struct gtpc_f_teid tunnel, sender;
    struct gtpc_modify_bearer_request request = relocation(&bearer, &tunnel, &sender);
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    struct asker asker = {.from = &other_sgw,
                          .teid = made.pgw_teid,
                          .type = GTPC_MODIFY_BEARER_REQUEST,
                          .body = &request};

    bearer.ebi = 7; /* no such bearer */
    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_int_equal(plane.modifications, 0);
    bearer.ebi = 5;
    plane.refuse = PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE;
    plane.refusals = 1;
    struct asker moved = ask(asker);
    assert_int_equal(moved.cause.value, GTPC_CAUSE_SYSTEM_FAILURE);
    assert_int_equal(fake_far(fake_session_at(&plane, 0), 2)->teid, 0x5000);
    assert_int_equal(counted(PGW_MODIFIED), 0);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

/* The user plane has lost one session: it is told all of it again. */
static void the_user_plane_has_lost_a_session(void **state)
{
    (void)state;
    struct gtpc_bearer_to_be_modified bearer;
    struct gtpc_f_teid tunnel, sender;
    struct gtpc_modify_bearer_request request = relocation(&bearer, &tunnel, &sender);
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);

    memset(fake_session_at(&plane, 0), 0, sizeof(struct fake_session));
    plane.count = 0;
    sender = f_teid(GTPC_S5_S8_SGW_GTP_C, 0x1234, SGW);
    struct asker moved = ask((struct asker){
        .teid = made.pgw_teid, .type = GTPC_MODIFY_BEARER_REQUEST, .body = &request});
    assert_int_equal(moved.cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(plane.count, 1);
    assert_int_equal(fake_pdr(fake_session_at(&plane, 0), 1)->teid, made.s5_u_teid);
    assert_int_equal(fake_far(fake_session_at(&plane, 0), 2)->teid, 0x6000);
    assert_int_equal(delete_session(made.pgw_teid, 5), GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_nothing_is_left();
}

static void strangers_get_nothing(void **state)
{
    (void)state;
    uint8_t lbi = 5;
    struct gtpc_delete_session_request deletion = {.lbi = &lbi};
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    struct asker asker = {.from = &other_sgw,
                          .teid = made.pgw_teid,
                          .type = GTPC_DELETE_SESSION_REQUEST,
                          .body = &deletion};

    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    asker.from = &sgw;
    asker.teid = made.pgw_teid ^ 0x01000000; /* an earlier or later life of the same place */
    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    asker.teid = 0;
    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    struct gtpc_release_access_bearers_request release = {0}; /* is for S-GWs */
    asker = (struct asker){
        .teid = made.pgw_teid, .type = GTPC_RELEASE_ACCESS_BEARERS_REQUEST, .body = &release};
    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_SERVICE_NOT_SUPPORTED);
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

static void commands_are_refused(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    struct gtpc_bearer_of_command bearer = {.ebi = 6};
    struct gtpc_delete_bearer_command deletion = {.bearers = {&bearer, 1}};
    struct gtpc_modify_bearer_command modification = {.ambr = {1, 1}, .bearer = {.ebi = 5}};
    struct gtpc_bearer_resource_command resource = {
        .lbi = 5, .pti = 3, .tad = BYTES(0x21, 0x10, 1, 0x30, 0x06)};
    struct asker asker = {.teid = made.pgw_teid};

    asker.type = GTPC_DELETE_BEARER_COMMAND;
    asker.body = &deletion;
    struct asker refused = ask(asker);
    assert_int_equal(refused.answer_type, GTPC_DELETE_BEARER_FAILURE_INDICATION);
    assert_false(gtpc_cause_is_accepted(refused.cause.value));
    assert_int_equal(refused.answer_teid, 0x1234);
    asker.type = GTPC_MODIFY_BEARER_COMMAND;
    asker.body = &modification;
    refused = ask(asker);
    assert_int_equal(refused.answer_type, GTPC_MODIFY_BEARER_FAILURE_INDICATION);
    assert_false(gtpc_cause_is_accepted(refused.cause.value));
    asker.type = GTPC_BEARER_RESOURCE_COMMAND;
    asker.body = &resource;
    refused = ask(asker);
    assert_int_equal(refused.answer_type, GTPC_BEARER_RESOURCE_FAILURE_INDICATION);
    assert_false(gtpc_cause_is_accepted(refused.cause.value));
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

static void suspend_and_resume(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4);
    struct gtpc_suspend_notification suspend = {.imsi = PHONE};
    struct gtpc_resume_notification resume = {.imsi = PHONE};
    struct asker asker = {
        .teid = made.pgw_teid, .type = GTPC_SUSPEND_NOTIFICATION, .body = &suspend};

    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    asker.type = GTPC_RESUME_NOTIFICATION;
    asker.body = &resume;
    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(fake_far(fake_session_at(&plane, 0), 2)->action, PFCP_APPLY_FORW);
    delete_session(made.pgw_teid, 5);
    assert_int_equal(ask(asker).cause.value, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    assert_nothing_is_left();
}

/* ---- Views and configuration ---- */

static void views(void **state)
{
    (void)state;
    struct asker made = create(PHONE, "internet", GTPC_PDN_IPV4V6);
    json_t *view = pgw_state(NULL, NULL);

    assert_int_equal(json_integer_value(json_object_get(view, "sessions")), 1);
    json_decref(view);
    view = pgw_state("sessions", NULL);
    assert_int_equal(json_array_size(view), 1);
    json_t *row = json_array_get(view, 0);
    assert_string_equal(json_string_value(json_object_get(row, "imsi")), PHONE);
    assert_string_equal(json_string_value(json_object_get(row, "apn")), "internet");
    assert_string_equal(json_string_value(json_object_get(row, "ipv4")), "10.45.0.2");
    assert_string_equal(json_string_value(json_object_get(row, "sgw")), SGW);
    assert_string_equal(json_string_value(json_object_get(row, "user_plane")), USER_PLANE);
    json_decref(view);
    view = pgw_state("pools", NULL);
    assert_int_equal(json_array_size(view), 4);
    json_decref(view);
    view = pgw_state("peers", NULL);
    assert_int_equal(json_array_size(view), 2);
    json_decref(view);
    assert_null(pgw_state("nothing", NULL));
    delete_session(made.pgw_teid, 5);
    assert_nothing_is_left();
}

static void configurations_that_cannot_be(void **state)
{
    (void)state;
    struct config_prefix4 other4 = prefix4("10.45.128.0", 17);

    assert_int_equal(pgw_config_check(NULL, &config), 0);
    apns[1].ipv4_pools.at = &other4; /* inside of internet's */
    assert_int_equal(pgw_config_check(NULL, &config), -EINVAL);
    other4 = prefix4("10.47.0.1", 24); /* bits behind the prefix */
    assert_int_equal(pgw_config_check(NULL, &config), -EINVAL);
    other4 = prefix4("10.47.0.0", 31);
    assert_int_equal(pgw_config_check(NULL, &config), -EINVAL);
    other4 = prefix4("10.47.0.0", 24);
    assert_int_equal(pgw_config_check(NULL, &config), 0);
    apns[2].name = "INTERNET";
    assert_int_equal(pgw_config_check(NULL, &config), -EINVAL);
    apns[2].name = "v6";
    apns[2].ipv6_pools.count = 0;
    assert_int_equal(pgw_config_check(NULL, &config), -EINVAL);
    make_config();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_begins_and_ends),
        TEST(pdn_types),
        TEST(what_is_wrong_is_refused),
        TEST(static_addresses),
        TEST(a_limited_ambr_is_told),
        TEST(configuration_options),
        TEST(the_user_plane_refuses),
        TEST(there_is_no_user_plane),
        TEST(the_user_plane_chooses),
        TEST(a_pool_is_exhausted_and_refilled),
        TEST(sessions_are_limited),
        TEST(many_come_and_go),
        TEST(a_new_request_replaces_a_session),
        TEST(two_requests_at_once),
        TEST(a_repeated_request_is_done_once),
        TEST(a_deletion_waits_for_a_modification),
        TEST(a_full_mailbox_is_not_the_end),
        TEST(too_much_at_once_is_refused),
        TEST(news_of_the_phone),
        TEST(the_phone_moves_to_another_sgw),
        TEST(a_move_fails),
        TEST(the_user_plane_has_lost_a_session),
        TEST(strangers_get_nothing),
        TEST(commands_are_refused),
        TEST(suspend_and_resume),
        TEST(views),
        TEST(configurations_that_cannot_be),
    };

    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
