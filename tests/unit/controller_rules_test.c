/*
 * controller_rules_test.c -- PFCP requests become rules, or are refused with the specification's
 * cause; nothing leaks either way.
 */
#include "unit.h"

#include "controller_world.h"

static struct world w;

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    return 0;
}

/* Every TEID and meter must have been given back. */
static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(w.teids.owners.count, 0);
    assert_int_equal(w.meters.count, 0);
    world_free(&w);
    return 0;
}

static struct up_rules *establish(const struct pfcp_session_establishment_request *request)
{
    struct up_refusal why;
    struct up_rules *rules = up_rules_establish(&w.env, request, 1000, &why);

    assert_non_null(rules);
    assert_int_equal(why.cause, PFCP_CAUSE_REQUEST_ACCEPTED);
    return rules;
}

static void an_s_gw_session(void **state)
{
    struct sgw_sample s;
    struct up_rules *rules = establish(sgw_sample(&s, 0, "10.0.0.1"));

    (void)state;
    assert_int_equal(rules->pdr_count, 2);
    assert_int_equal(rules->far_count, 2);
    assert_int_equal(rules->pdrs[0].teid, 0x100);
    assert_int_equal(rules->pdrs[1].teid, 0x101);
    assert_true(rules->pdrs[0].is_chosen);
    assert_true(up_pdr_is_uplink(&rules->pdrs[0]));
    assert_int_equal(up_pdr_far(rules, &rules->pdrs[1])->action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    assert_true(rules->bar.exists);
    up_rules_free(&w.env, rules, NULL);
}

static void a_p_gw_session(void **state)
{
    struct pgw_sample s;
    struct up_rules *rules =
        establish(pgw_sample(&s, "10.45.0.2", "2001:db8:45:2::", 0x55, "10.0.0.1"));

    (void)state;
    assert_int_equal(rules->pdrs[1].has_teid, false);
    assert_int_equal(rules->pdrs[1].ue4.s_addr, v4("10.45.0.2").s_addr);
    assert_int_equal(rules->pdrs[1].ue6_prefix, 64);
    assert_int_equal(rules->qers[0].uplink_meter, 16);
    assert_int_equal(rules->qers[0].downlink_meter, 17);
    assert_int_equal(rules->urrs[0].since_s, 1000);
    assert_int_equal(up_exit_of(&w.env, &rules->pdrs[0], &rules->fars[0]), 0);
    up_rules_free(&w.env, rules, NULL);
}

static struct up_rules *modify(const struct up_rules *old,
                               const struct pfcp_session_modification_request *request,
                               struct up_orders *orders)
{
    struct up_refusal why;
    struct up_rules *rules = up_rules_modify(&w.env, old, request, 2000, orders, &why);

    assert_non_null(rules);
    return rules;
}

static void a_modification_leaves_the_old_as_it_was(void **state)
{
    struct sgw_sample s;
    struct sgw_change c;
    struct up_orders orders;
    struct up_rules *old = establish(sgw_sample(&s, 0x55, "10.0.0.1"));
    struct up_rules *now = modify(old, sgw_connects(&c, 0xe1, "192.0.2.1", true), &orders);

    (void)state;
    assert_int_equal(old->fars[1].action, PFCP_APPLY_BUFF | PFCP_APPLY_NOCP);
    assert_false(old->fars[1].has_outer);
    assert_int_equal(now->fars[1].action, PFCP_APPLY_FORW);
    assert_int_equal(now->fars[1].teid, 0xe1);
    assert_int_equal(orders.end_marker_count, 0); /* there was no old tunnel */
    assert_int_equal(now->pdrs[1].teid, old->pdrs[1].teid);
    up_rules_free(&w.env, old, now);
    assert_int_equal(w.teids.owners.count, 2);

    /* Another eNodeB: the first is told that the tunnel ends; the same again: it is not. */
    struct up_rules *moved = modify(now, sgw_connects(&c, 0xe2, "192.0.2.2", true), &orders);
    assert_int_equal(orders.end_marker_count, 1);
    assert_int_equal(orders.end_markers[0].teid, 0xe1);
    assert_int_equal(orders.end_markers[0].address.s_addr, v4("192.0.2.1").s_addr);
    up_rules_free(&w.env, now, moved);
    now = modify(moved, sgw_connects(&c, 0xe2, "192.0.2.2", true), &orders);
    assert_int_equal(orders.end_marker_count, 0);
    up_rules_free(&w.env, moved, now);
    /* Without the flag nobody is told. */
    moved = modify(now, sgw_connects(&c, 0xe3, "192.0.2.2", false), &orders);
    assert_int_equal(orders.end_marker_count, 0);
    up_rules_free(&w.env, now, moved);
    up_rules_free(&w.env, moved, NULL);
}

static void choose_ids_share_a_tunnel(void **state)
{
    struct sgw_sample s;

    (void)state;
    sgw_sample(&s, 0, "10.0.0.1");
    for (unsigned i = 0; i < 2; i++) {
        s.f_teids[i].has_choose_id = true;
        s.f_teids[i].choose_id = 7;
    }
    struct up_rules *rules = establish(&s.request);
    assert_int_equal(rules->pdrs[0].teid, rules->pdrs[1].teid);
    assert_int_equal(w.teids.owners.count, 1);
    up_rules_free(&w.env, rules, NULL);
    s.f_teids[1].choose_id = 8;
    rules = establish(&s.request);
    assert_int_not_equal(rules->pdrs[0].teid, rules->pdrs[1].teid);
    up_rules_free(&w.env, rules, NULL);
}

/* A session that is established again after our restart names the TEIDs it had. */
static void a_named_tunnel_is_claimed_once(void **state)
{
    struct sgw_sample a, b;
    struct up_refusal why;

    (void)state;
    sgw_sample(&a, 0, "10.0.0.1");
    sgw_sample(&b, 0, "10.0.0.1");
    a.f_teids[0] = (struct pfcp_f_teid){.has_ipv4 = true, .teid = 0x777, .ipv4 = v4("10.0.0.1")};
    b.f_teids[0] = a.f_teids[0];
    up_teid_reserve(&w.teids, 0x777);
    struct up_rules *first = establish(&a.request);
    assert_int_equal(first->pdrs[0].teid, 0x777);
    assert_false(first->pdrs[0].is_chosen);
    assert_null(up_rules_establish(&w.env, &b.request, 0, &why));
    assert_int_equal(why.cause, PFCP_CAUSE_INVALID_F_TEID_ALLOCATION_OPTION);
    assert_int_equal(why.offending_ie, PFCP_IE_F_TEID);
    /* Nor at an address that is not ours. */
    b.f_teids[0].teid = 0x778;
    b.f_teids[0].ipv4 = v4("10.0.0.9");
    assert_null(up_rules_establish(&w.env, &b.request, 0, &why));
    assert_int_equal(why.cause, PFCP_CAUSE_INVALID_F_TEID_ALLOCATION_OPTION);
    up_rules_free(&w.env, first, NULL);
}

static void refused(const struct pfcp_session_establishment_request *request, enum pfcp_cause cause,
                    uint16_t offending_ie, int failed_rule)
{
    struct up_refusal why;

    assert_null(up_rules_establish(&w.env, request, 0, &why));
    assert_int_equal(why.cause, cause);
    assert_int_equal(why.offending_ie, offending_ie);
    assert_int_equal(why.has_rule, failed_rule >= 0);
    if (failed_rule >= 0)
        assert_int_equal(why.rule.type, failed_rule);
    assert_int_equal(w.teids.owners.count, 0);
    assert_int_equal(w.meters.count, 0);
}

#define RULE_FAILURE PFCP_CAUSE_RULE_CREATION_MODIFICATION_FAILURE

static void what_cannot_be_done_is_refused(void **state)
{
    struct sgw_sample s;
    struct pgw_sample p;

    (void)state;
    sgw_sample(&s, 0, "10.0.0.1");
    s.pdrs[1].pdr_id = 1; /* twice the same id */
    refused(&s.request, RULE_FAILURE, 0, PFCP_RULE_PDR);
    sgw_sample(&s, 0, "10.0.0.1");
    s.fars[1].far_id = 1;
    refused(&s.request, RULE_FAILURE, 0, PFCP_RULE_FAR);
    sgw_sample(&s, 0, "10.0.0.1");
    s.ids[1] = 9; /* a FAR that is not there */
    refused(&s.request, RULE_FAILURE, 0, PFCP_RULE_PDR);
    sgw_sample(&s, 0, "10.0.0.1");
    s.pdrs[0].pdi.local_f_teid = NULL; /* neither tunnel nor address */
    refused(&s.request, PFCP_CAUSE_CONDITIONAL_IE_MISSING, PFCP_IE_F_TEID, -1);
    sgw_sample(&s, 0, "10.0.0.1");
    s.f_teids[0].has_ipv4 = false; /* an IPv6 tunnel */
    s.f_teids[0].has_ipv6 = true;
    refused(&s.request, PFCP_CAUSE_INVALID_F_TEID_ALLOCATION_OPTION, PFCP_IE_F_TEID, -1);
    sgw_sample(&s, 0x55, "10.0.0.1");
    s.fars[0].apply_action = PFCP_APPLY_FORW | PFCP_APPLY_DROP;
    refused(&s.request, PFCP_CAUSE_MANDATORY_IE_INCORRECT, PFCP_IE_APPLY_ACTION, -1);
    s.fars[0].apply_action = 0;
    refused(&s.request, PFCP_CAUSE_MANDATORY_IE_INCORRECT, PFCP_IE_APPLY_ACTION, -1);
    s.fars[0].apply_action = PFCP_APPLY_FORW | PFCP_APPLY_DUPL;
    refused(&s.request, RULE_FAILURE, 0, PFCP_RULE_FAR);
    s.fars[0].apply_action = PFCP_APPLY_FORW;
    s.fars[0].forwarding_parameters = NULL;
    refused(&s.request, PFCP_CAUSE_CONDITIONAL_IE_MISSING, PFCP_IE_FORWARDING_PARAMETERS, -1);
    sgw_sample(&s, 0x55, "10.0.0.1");
    s.to_pgw.description = PFCP_CREATE_GTP_U_UDP_IPV6;
    refused(&s.request, RULE_FAILURE, 0, PFCP_RULE_FAR);
    sgw_sample(&s, 0x55, "10.0.0.1");
    s.forward.forwarding_policy = AT(struct bytes, (const uint8_t *)"x", 1);
    refused(&s.request, PFCP_CAUSE_INVALID_FORWARDING_POLICY, PFCP_IE_FORWARDING_POLICY, -1);
    sgw_sample(&s, 0x55, "10.0.0.1");
    s.forward.destination_interface = PFCP_INTERFACE_ACCESS;
    s.forward.outer_header_creation = NULL;
    refused(&s.request, PFCP_CAUSE_CONDITIONAL_IE_MISSING, PFCP_IE_OUTER_HEADER_CREATION, -1);
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    p.apn = bytes_of("nowhere", 7);
    refused(&p.request, PFCP_CAUSE_MANDATORY_IE_INCORRECT, PFCP_IE_NETWORK_INSTANCE, -1);
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    p.qer_id = 5;
    refused(&p.request, RULE_FAILURE, 0, PFCP_RULE_PDR);
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    p.urr.measurement_method = PFCP_MEASURE_EVENT;
    refused(&p.request, RULE_FAILURE, 0, PFCP_RULE_URR);
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    p.pdrs[0].pdi.application_id = &p.apn;
    refused(&p.request, RULE_FAILURE, 0, PFCP_RULE_PDR);
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    p.pdrs[1].activate_predefined_rules.at = &p.apn;
    p.pdrs[1].activate_predefined_rules.count = 1;
    refused(&p.request, RULE_FAILURE, 0, PFCP_RULE_PDR);
}

static void bounds_are_refused_as_no_resources(void **state)
{
    struct pgw_sample p;
    struct pfcp_create_pdr pdrs[UP_MAX_PDRS + 1];
    struct pfcp_create_far fars[UP_MAX_FARS + 1];
    struct pfcp_sdf_filter filters[UP_MAX_FILTERS + 1];
    uint32_t ids[UP_MAX_QERS_PER_PDR + 1] = {1, 1, 1, 1, 1};

    (void)state;
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    for (unsigned i = 0; i <= UP_MAX_PDRS; i++) {
        pdrs[i] = p.pdrs[1];
        pdrs[i].pdr_id = (uint16_t)(i + 1);
    }
    p.request.create_pdr.at = pdrs;
    p.request.create_pdr.count = UP_MAX_PDRS;
    up_rules_free(&w.env, establish(&p.request), NULL);
    p.request.create_pdr.count = UP_MAX_PDRS + 1;
    refused(&p.request, PFCP_CAUSE_NO_RESOURCES_AVAILABLE, 0, -1);

    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    for (unsigned i = 0; i <= UP_MAX_FARS; i++) {
        fars[i] = p.fars[1];
        fars[i].far_id = i + 1;
    }
    p.request.create_far.at = fars;
    p.request.create_far.count = UP_MAX_FARS + 1;
    refused(&p.request, PFCP_CAUSE_NO_RESOURCES_AVAILABLE, 0, -1);

    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    for (unsigned i = 0; i <= UP_MAX_FILTERS; i++)
        filters[i] = (struct pfcp_sdf_filter){.has_filter_id = false};
    p.pdrs[1].pdi.sdf_filter.at = filters;
    p.pdrs[1].pdi.sdf_filter.count = UP_MAX_FILTERS + 1;
    refused(&p.request, PFCP_CAUSE_NO_RESOURCES_AVAILABLE, 0, -1);

    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    p.pdrs[1].qer_id.at = ids;
    p.pdrs[1].qer_id.count = UP_MAX_QERS_PER_PDR + 1;
    refused(&p.request, PFCP_CAUSE_NO_RESOURCES_AVAILABLE, 0, -1);

    /* No meter is left for the second direction. */
    uint32_t taken[48];
    for (unsigned i = 0; i < 47; i++)
        taken[i] = up_meter_take(&w.meters);
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    struct up_refusal why;
    assert_null(up_rules_establish(&w.env, &p.request, 0, &why));
    assert_int_equal(why.cause, PFCP_CAUSE_NO_RESOURCES_AVAILABLE);
    assert_int_equal(w.meters.count, 47);
    for (unsigned i = 0; i < 47; i++)
        up_meter_release(&w.meters, taken[i]);
}

static void meters_follow_the_rates(void **state)
{
    struct pgw_sample p;
    struct up_orders orders;
    struct up_rules *old = establish(pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1"));
    struct pfcp_bit_rates rates = {UINT64_C(1) << 39, 0};
    struct pfcp_update_qer update = {.qer_id = 1, .maximum_bit_rate = &rates};
    struct pfcp_session_modification_request m = {.update_qer = {&update, 1}};

    (void)state;
    /* No limit up (more than a meter can say), nothing at all down: no meters. */
    struct up_rules *now = modify(old, &m, &orders);
    assert_int_equal(now->qers[0].uplink_meter, 0);
    assert_int_equal(now->qers[0].downlink_meter, 0);
    assert_int_equal(now->qers[0].uplink_kbps, UINT32_MAX);
    assert_int_equal(w.meters.count, 2); /* until the old rules are gone */
    up_rules_free(&w.env, old, now);
    assert_int_equal(w.meters.count, 0);
    rates = (struct pfcp_bit_rates){10, 20};
    old = now;
    now = modify(old, &m, &orders);
    assert_int_not_equal(now->qers[0].uplink_meter, 0);
    up_rules_free(&w.env, old, now);
    /* A new rate keeps the meter. */
    uint32_t meter = now->qers[0].uplink_meter;
    rates.uplink_kbps = 11;
    old = now;
    now = modify(old, &m, &orders);
    assert_int_equal(now->qers[0].uplink_meter, meter);
    assert_int_equal(now->qers[0].uplink_kbps, 11);
    /* Going back gives the meters of the new rules back, not the old ones'. */
    up_rules_free(&w.env, now, old);
    assert_int_equal(w.meters.count, 2);
    up_rules_free(&w.env, old, NULL);
}

static void rules_are_removed_and_made_anew(void **state)
{
    struct pgw_sample p;
    struct up_orders orders;
    struct up_refusal why;
    struct up_rules *old = establish(pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1"));
    struct pfcp_remove_pdr remove = {1};
    struct pfcp_session_modification_request m = {.remove_pdr = {&remove, 1}};

    (void)state;
    /* Removed and created in one message, with the same tunnel by name. */
    struct pfcp_create_pdr again = p.pdrs[0];
    struct pfcp_f_teid same = {.has_ipv4 = true, .teid = old->pdrs[0].teid, .ipv4 = v4("10.0.0.1")};
    again.pdr_id = 7;
    again.pdi.local_f_teid = &same;
    m.create_pdr.at = &again;
    m.create_pdr.count = 1;
    struct up_rules *now = modify(old, &m, &orders);
    assert_int_equal(now->pdr_count, 2);
    assert_int_equal(up_pdr_of(now, 7)->teid, same.teid);
    assert_null(up_pdr_of(now, 1));
    up_rules_free(&w.env, old, now);
    /* What is not there cannot be removed, updated or asked for. */
    m = (struct pfcp_session_modification_request){.remove_pdr = {&remove, 1}};
    assert_null(up_rules_modify(&w.env, now, &m, 0, &orders, &why));
    assert_int_equal(why.rule.type, PFCP_RULE_PDR);
    m = (struct pfcp_session_modification_request){
        .remove_far = {AT(struct pfcp_remove_far, 9), 1}};
    assert_null(up_rules_modify(&w.env, now, &m, 0, &orders, &why));
    assert_int_equal(why.rule.type, PFCP_RULE_FAR);
    m = (struct pfcp_session_modification_request){
        .remove_far = {AT(struct pfcp_remove_far, 1), 1}};
    assert_null(up_rules_modify(&w.env, now, &m, 0, &orders, &why)); /* a PDR needs it */
    assert_int_equal(why.rule.type, PFCP_RULE_PDR);
    m = (struct pfcp_session_modification_request){.query_urr = {AT(struct pfcp_query_urr, 9), 1}};
    assert_null(up_rules_modify(&w.env, now, &m, 0, &orders, &why));
    assert_int_equal(why.rule.type, PFCP_RULE_URR);
    m = (struct pfcp_session_modification_request){.query_urr = {AT(struct pfcp_query_urr, 1), 1},
                                                   .pfcpsmreq_flags =
                                                       AT(uint8_t, PFCP_SMREQ_DROBU)};
    old = now;
    now = modify(old, &m, &orders);
    assert_int_equal(orders.query_count, 1);
    assert_true(orders.drop_buffered);
    up_rules_free(&w.env, old, now);
    up_rules_free(&w.env, now, NULL);
}

static void filters_move_with_their_pdrs(void **state)
{
    struct pgw_sample p;
    struct up_orders orders;
    struct pfcp_sdf_filter one = {.has_flow_description = true,
                                  .flow_description = bytes_of("permit out 17 from any to any", 29),
                                  .has_filter_id = true,
                                  .filter_id = 5};
    struct pfcp_sdf_filter by_id = {.has_filter_id = true, .filter_id = 5};
    struct pfcp_remove_pdr remove = {2};
    struct pfcp_session_modification_request m = {.remove_pdr = {&remove, 1}};

    (void)state;
    pgw_sample(&p, "10.45.0.2", NULL, 0x55, "10.0.0.1");
    p.pdrs[1].pdi.sdf_filter.at = &one;
    p.pdrs[1].pdi.sdf_filter.count = 1;
    struct pfcp_create_pdr both[] = {p.pdrs[1], p.pdrs[0]}; /* the other refers to it by id */
    both[1].pdi.sdf_filter.at = &by_id;
    both[1].pdi.sdf_filter.count = 1;
    p.request.create_pdr.at = both;
    struct up_rules *old = establish(&p.request);
    assert_int_equal(old->filter_count, 2);
    assert_int_equal(old->filters[1].protocol, IP_UDP);
    struct up_rules *now = modify(old, &m, &orders);
    assert_int_equal(now->filter_count, 1);
    assert_int_equal(now->pdrs[0].filter_first, 0);
    assert_int_equal(now->filters[0].protocol, IP_UDP);
    up_rules_free(&w.env, old, now);
    up_rules_free(&w.env, now, NULL);
    /* An id that nobody has. */
    by_id.filter_id = 6;
    refused(&p.request, RULE_FAILURE, 0, PFCP_RULE_PDR);
}

/* Updating a PDI without naming the F-TEID keeps the tunnel. */
static void an_updated_pdi_keeps_its_tunnel(void **state)
{
    struct sgw_sample s;
    struct up_orders orders;
    struct up_rules *old = establish(sgw_sample(&s, 0x55, "10.0.0.1"));
    struct pfcp_pdi pdi = {.source_interface = PFCP_INTERFACE_ACCESS};
    struct pfcp_update_pdr update = {.pdr_id = 1, .pdi = &pdi, .precedence = AT(uint32_t, 9)};
    struct pfcp_session_modification_request m = {.update_pdr = {&update, 1}};
    struct up_rules *now = modify(old, &m, &orders);

    (void)state;
    assert_int_equal(now->pdrs[0].teid, old->pdrs[0].teid);
    assert_int_equal(now->pdrs[0].precedence, 9);
    up_rules_free(&w.env, old, now);
    up_rules_free(&w.env, now, NULL);
}

static void packets_find_their_pdr(void **state)
{
    struct pgw_sample p;
    struct up_rules *rules =
        establish(pgw_sample(&p, "10.45.0.2", "2001:db8:45:2::", 0x55, "10.0.0.1"));
    struct net_packet up4 = {.version = 4, .src = net_address_v4(v4("10.45.0.2"))};
    struct in6_addr host = v6("2001:db8:45:2::abcd");
    struct net_packet down6 = {.version = 6, .dst = net_address_v6(&host)};

    (void)state;
    assert_true(up_pdr_matches(rules, &rules->pdrs[0], 0x100, &up4));
    assert_false(up_pdr_matches(rules, &rules->pdrs[0], 0x101, &up4));
    assert_false(up_pdr_matches(rules, &rules->pdrs[0], 0, &up4));
    assert_true(up_pdr_matches(rules, &rules->pdrs[1], 0, &down6));
    up4.src.v4 = v4("10.45.0.3");
    assert_false(up_pdr_matches(rules, &rules->pdrs[0], 0x100, &up4));
    struct net_packet arp = {.version = 0};
    assert_false(up_pdr_matches(rules, &rules->pdrs[1], 0, &arp));
    up_rules_free(&w.env, rules, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_s_gw_session),
        TEST(a_p_gw_session),
        TEST(a_modification_leaves_the_old_as_it_was),
        TEST(choose_ids_share_a_tunnel),
        TEST(a_named_tunnel_is_claimed_once),
        TEST(what_cannot_be_done_is_refused),
        TEST(bounds_are_refused_as_no_resources),
        TEST(meters_follow_the_rates),
        TEST(rules_are_removed_and_made_anew),
        TEST(filters_move_with_their_pdrs),
        TEST(an_updated_pdi_keeps_its_tunnel),
        TEST(packets_find_their_pdr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
