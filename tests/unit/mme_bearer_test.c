/*
 * mme_bearer_test.c -- PDN connections beside the first, dedicated bearers, and what phone, eNodeB
 * and S-GW can do to them (TS 23.401 clauses 5.4 and 5.10, TS 24.301 clause 6).
 */
#include "mme_world.h"

#include "mme/ue.h"

#define IMSI "001010000000001"

static struct sctp_association *enb;
static struct phone phone;
static const uint8_t enb_address[4] = {127, 0, 0, 9};

static int setup(void **state)
{
    world_setup(state);
    fake_hss.is_second_apn = true;
    enb = enb_up(1, 1);
    phone_init(&phone, IMSI, enb);
    phone_attach(&phone);
    return 0;
}

static struct mme_ue *ue(void)
{
    return phone_context(&phone);
}

static void ask_for_pdn(const char *name, uint8_t pti)
{
    struct nas_apn apn;
    struct nas_pdn_connectivity_request request = {
        .request_type = NAS_REQUEST_INITIAL, .pdn_type = NAS_PDN_IPV4V6, .apn = &apn};

    snprintf(apn.name, sizeof(apn.name), "%s", name);
    phone_send_esm(&phone, NAS_PDN_CONNECTIVITY_REQUEST, 0, pti, &request);
}

static void e_rab_setup_response(uint8_t ebi)
{
    struct s1ap_e_rab_tunnel tunnel = {.e_rab_id = ebi,
                                       .transport_layer_address = bytes_of(enb_address, 4),
                                       .gtp_teid = 0x9000u + ebi};
    struct s1ap_e_rab_setup_response response = {.mme_ue_s1ap_id = phone.mme_id,
                                                 .enb_ue_s1ap_id = phone.enb_id,
                                                 .e_rab_setup_list = {&tunnel, 1}};

    fake_enb_send_message(enb, S1AP_E_RAB_SETUP_RESPONSE, &response);
}

static void e_rab_setup_failed(uint8_t ebi)
{
    struct s1ap_e_rab_item item = {
        .e_rab_id = ebi,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_RADIO_RESOURCES_NOT_AVAILABLE)};
    struct s1ap_e_rab_setup_response response = {.mme_ue_s1ap_id = phone.mme_id,
                                                 .enb_ue_s1ap_id = phone.enb_id,
                                                 .e_rab_failed_to_setup_list = {&item, 1}};

    fake_enb_send_message(enb, S1AP_E_RAB_SETUP_RESPONSE, &response);
}

static void e_rab_release_response(uint8_t ebi)
{
    struct s1ap_e_rab_release_response response = {.mme_ue_s1ap_id = phone.mme_id,
                                                   .enb_ue_s1ap_id = phone.enb_id,
                                                   .e_rab_release_list = {&ebi, 1}};

    fake_enb_send_message(enb, S1AP_E_RAB_RELEASE_RESPONSE, &response);
}

static void connect_ims(void)
{
    ask_for_pdn("ims", 9);
    const struct nas_message *message = phone_expect(&phone, NAS_ACTIVATE_DEFAULT_BEARER_REQUEST);
    assert_int_equal(message->ebi, 6);
    assert_int_equal(message->pti, 9);
    e_rab_setup_response(6);
    phone_send_esm(&phone, NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT, 6, 0, &(struct nas_pco_only){0});
    assert_int_equal(mme.pdns.count, 2);
}

/* ---- PDN connectivity
 * ---------------------------------------------------------------------------------- */

static void test_second_pdn(void **state)
{
    (void)state;
    connect_ims();
    assert_int_equal(fake_sgw.sessions, 2);
    assert_int_equal(fake_sgw.last_enb_teid, 0x9006);
    assert_int_equal(mme_bearer_status(ue()), 1u << 5 | 1u << 6);
    assert_int_equal(mme_outcome_count(MME_PDN_CONNECTIVITY, MME_SUCCEEDED), 1);
    /* A service request brings both back. */
    phone_idle(&phone);
    phone_service_request(&phone);
    const struct s1ap_pdu *pdu = enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    assert_int_equal(pdu->initial_context_setup_request->e_rab_to_be_setup_list.count, 2);
}

static void expect_pdn_reject(uint8_t cause)
{
    phone_expect(&phone, NAS_PDN_CONNECTIVITY_REJECT);
    assert_int_equal(phone.last_esm_cause, cause);
    assert_int_equal(mme.pdns.count, 1);
    assert_true(ue()->is_registered);
}

static void test_refused_pdns(void **state)
{
    struct nas_pdn_connectivity_request emergency = {.request_type = NAS_REQUEST_EMERGENCY,
                                                     .pdn_type = NAS_PDN_IPV4};
    struct nas_pdn_connectivity_request handover = {.request_type = NAS_REQUEST_HANDOVER,
                                                    .pdn_type = NAS_PDN_IPV4};
    struct nas_pdn_connectivity_request typeless = {.request_type = NAS_REQUEST_INITIAL};

    (void)state;
    ask_for_pdn("nowhere", 3);
    expect_pdn_reject(ESM_CAUSE_SERVICE_OPTION_NOT_SUBSCRIBED);
    ask_for_pdn("internet", 3);
    expect_pdn_reject(ESM_CAUSE_MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED);
    phone_send_esm(&phone, NAS_PDN_CONNECTIVITY_REQUEST, 0, 3, &emergency);
    expect_pdn_reject(ESM_CAUSE_SERVICE_OPTION_NOT_SUPPORTED);
    phone_send_esm(&phone, NAS_PDN_CONNECTIVITY_REQUEST, 0, 3, &handover);
    expect_pdn_reject(ESM_CAUSE_PDN_CONNECTION_DOES_NOT_EXIST);
    phone_send_esm(&phone, NAS_PDN_CONNECTIVITY_REQUEST, 0, 3, &typeless);
    expect_pdn_reject(ESM_CAUSE_UNKNOWN_PDN_TYPE);
    fake_sgw.create = FAKE_REFUSES;
    fake_sgw.refusal = GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
    ask_for_pdn("ims", 3);
    expect_pdn_reject(ESM_CAUSE_INSUFFICIENT_RESOURCES);
}

/* Clause 7.3. */
static void test_esm_identities(void **state)
{
    struct nas_pdn_connectivity_request request = {.request_type = NAS_REQUEST_INITIAL,
                                                   .pdn_type = NAS_PDN_IPV4};

    (void)state;
    phone_send_esm(&phone, NAS_PDN_CONNECTIVITY_REQUEST, 0, 0, &request);
    phone_expect(&phone, NAS_ESM_STATUS);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_INVALID_PTI_VALUE);
    phone_send_esm(&phone, NAS_PDN_CONNECTIVITY_REQUEST, 7, 4, &request);
    phone_expect(&phone, NAS_ESM_STATUS);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY);
    phone_send_esm(&phone, NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT, 11, 0, &(struct nas_pco_only){0});
    phone_expect(&phone, NAS_ESM_STATUS);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY);
    /* An accept that nobody waits for is dropped. */
    phone_send_esm(&phone, NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT, 5, 0, &(struct nas_pco_only){0});
    enb_expect_nothing(enb);
    assert_int_equal(mme_counters[MME_NAS_UNEXPECTED].value, 1);
}

static void test_pdn_refused_by_phone(void **state)
{
    struct nas_pco_reject reject = {.esm_cause = 31};

    (void)state;
    ask_for_pdn("ims", 9);
    phone_expect(&phone, NAS_ACTIVATE_DEFAULT_BEARER_REQUEST);
    e_rab_setup_response(6);
    phone_send_esm(&phone, NAS_ACTIVATE_DEFAULT_BEARER_REJECT, 6, 0, &reject);
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
}

static void test_pdn_refused_by_enb(void **state)
{
    (void)state;
    ask_for_pdn("ims", 9);
    phone_expect(&phone, NAS_ACTIVATE_DEFAULT_BEARER_REQUEST);
    e_rab_setup_failed(6);
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
}

static void test_pdn_unanswered(void **state)
{
    (void)state;
    ask_for_pdn("ims", 9);
    for (unsigned i = 0; i < 5; i++) {
        phone_expect(&phone, NAS_ACTIVATE_DEFAULT_BEARER_REQUEST);
        world_run(14);
    }
    enb_expect_nothing(enb);
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
    assert_int_equal(mme_outcome_count(MME_PDN_CONNECTIVITY, MME_FAILED), 1);
}

/* The connection goes in the middle: nothing of the new PDN connection is left. */
static void test_pdn_and_loss(void **state)
{
    (void)state;
    ask_for_pdn("ims", 9);
    fake_enb_lose(enb);
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
    assert_int_equal(fake_sgw.releases, 1);
    assert_true(ue()->is_registered);
    assert_null(ue()->run);
}

static void test_repeated_pdn_request(void **state)
{
    (void)state;
    ask_for_pdn("ims", 9);
    ask_for_pdn("ims", 9);
    phone_expect(&phone, NAS_ACTIVATE_DEFAULT_BEARER_REQUEST);
    e_rab_setup_response(6);
    phone_send_esm(&phone, NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT, 6, 0, &(struct nas_pco_only){0});
    enb_expect_nothing(enb);
    assert_int_equal(mme.pdns.count, 2);
}

/* A request while another procedure runs waits its turn. */
static void test_pdn_request_in_update(void **state)
{
    (void)state;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    ask_for_pdn("ims", 9);
    enb_expect_nothing(enb);
    phone_send(&phone, NAS_TRACKING_AREA_UPDATE_COMPLETE, NULL);
    phone_expect(&phone, NAS_ACTIVATE_DEFAULT_BEARER_REQUEST);
}

static void test_mailbox_is_bounded(void **state)
{
    (void)state;
    phone_update_request(&phone, NAS_UPDATE_TA, NULL);
    phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    for (uint8_t pti = 1; pti <= 40; pti++)
        ask_for_pdn("nowhere", pti);
    assert_int_equal(mme_counters[MME_MAIL_OVERFLOWS].value, 40 - MME_MAX_MAIL);
    phone_send(&phone, NAS_TRACKING_AREA_UPDATE_COMPLETE, NULL);
    for (unsigned i = 0; i < MME_MAX_MAIL; i++)
        phone_expect(&phone, NAS_PDN_CONNECTIVITY_REJECT);
    enb_expect_nothing(enb);
}

/* ---- PDN disconnection
 * ----------------------------------------------------------------------------------- */

static void disconnect(uint8_t ebi)
{
    struct nas_pdn_disconnect_request request = {.linked_ebi = ebi};

    phone_send_esm(&phone, NAS_PDN_DISCONNECT_REQUEST, 0, 8, &request);
}

static void test_pdn_disconnect(void **state)
{
    (void)state;
    disconnect(5);
    phone_expect(&phone, NAS_PDN_DISCONNECT_REJECT);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_LAST_PDN_DISCONNECTION_NOT_ALLOWED);
    connect_ims();
    disconnect(9);
    phone_expect(&phone, NAS_PDN_DISCONNECT_REJECT);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY);
    disconnect(6);
    const struct nas_message *message = phone_expect(&phone, NAS_DEACTIVATE_BEARER_REQUEST);
    assert_int_equal(message->ebi, 6);
    assert_int_equal(message->pti, 8);
    e_rab_release_response(6);
    phone_send_esm(&phone, NAS_DEACTIVATE_BEARER_ACCEPT, 6, 0, &(struct nas_pco_only){0});
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
}

static void test_pdn_disconnect_unanswered(void **state)
{
    (void)state;
    connect_ims();
    disconnect(6);
    for (unsigned i = 0; i < 5; i++) {
        phone_expect(&phone, NAS_DEACTIVATE_BEARER_REQUEST);
        world_run(14);
    }
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
}

/* The phone lost one of two PDN connections and tells so by the bearer status of an update. */
static void test_status_mismatch(void **state)
{
    uint16_t status = 1u << 5;

    (void)state;
    connect_ims();
    phone_update_request(&phone, NAS_UPDATE_PERIODIC, &status);
    const struct nas_message *accept = phone_expect(&phone, NAS_TRACKING_AREA_UPDATE_ACCEPT);
    assert_int_equal(*accept->tracking_area_update_accept->eps_bearer_context_status, status);
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
}

/* ---- Bearer resources
 * --------------------------------------------------------------------------------------- */

static void test_bearer_resource_requests(void **state)
{
    struct nas_bearer_resource_allocation_request allocation = {
        .linked_ebi = 5,
        .traffic_flow_aggregate = bytes_of("\x00", 1),
        .required_traffic_flow_qos = {.qci = 1},
    };
    struct nas_bearer_resource_modification_request modification = {
        .ebi_for_packet_filter = 9,
        .traffic_flow_aggregate = bytes_of("\x00", 1),
    };

    (void)state;
    phone_send_esm(&phone, NAS_BEARER_RESOURCE_ALLOCATION_REQUEST, 0, 3, &allocation);
    phone_expect(&phone, NAS_BEARER_RESOURCE_ALLOCATION_REJECT);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_SERVICE_OPTION_NOT_SUPPORTED);
    phone_send_esm(&phone, NAS_BEARER_RESOURCE_MODIFICATION_REQUEST, 0, 4, &modification);
    phone_expect(&phone, NAS_BEARER_RESOURCE_MODIFICATION_REJECT);
    assert_int_equal(phone.last_esm_cause, ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY);
}

/* ---- Dedicated bearers
 * ----------------------------------------------------------------------------------------- */

static void ask_for_bearer(void)
{
    struct gtpc_f_teid sgw = {.interface_type = GTPC_S1_U_SGW,
                              .has_ipv4 = true,
                              .teid = 0x3001,
                              .ipv4 = {htonl(0x7f000004)}};
    struct gtpc_bearer_to_be_set_up bearer = {
        .tft = bytes_of("\x21\x30\x0a\x02\x30\x11", 6),
        .s1_u_sgw = &sgw,
        .qos = {.arp = {.priority_level = 2},
                .qci = 1,
                .mbr_uplink_kbps = 128,
                .mbr_downlink_kbps = 128,
                .gbr_uplink_kbps = 64,
                .gbr_downlink_kbps = 64},
    };
    struct gtpc_create_bearer_request request = {.lbi = 5, .bearers = {&bearer, 1}};

    fake_sgw_ask(70, GTPC_CREATE_BEARER_REQUEST, fake_sgw.mme_teid, &request);
}

static void create_bearer(void)
{
    ask_for_bearer();
    const struct nas_message *message = phone_expect(&phone, NAS_ACTIVATE_DEDICATED_BEARER_REQUEST);
    assert_int_equal(message->ebi, 6);
    assert_int_equal(message->activate_dedicated_bearer_request->linked_ebi, 5);
    assert_int_equal(message->activate_dedicated_bearer_request->eps_qos.qci, 1);
    assert_int_equal(
        nas_eps_qos_kbps(&message->activate_dedicated_bearer_request->eps_qos, NAS_GBR_DOWNLINK),
        64);
    assert_int_equal(message->activate_dedicated_bearer_request->tft.len, 6);
    e_rab_setup_response(6);
    phone_send_esm(&phone, NAS_ACTIVATE_DEDICATED_BEARER_ACCEPT, 6, 0,
                   &(struct nas_bearer_accept){0});
    assert_int_equal(fake_sgw.last_transaction, 70);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(mme.bearers.count, 2);
}

static void test_dedicated_bearer(void **state)
{
    (void)state;
    create_bearer();
    phone_idle(&phone);
    phone_service_request(&phone);
    const struct s1ap_pdu *pdu = enb_expect(enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    const struct s1ap_e_rab_to_be_setup *e_rab =
        &pdu->initial_context_setup_request->e_rab_to_be_setup_list.at[1];
    assert_int_equal(e_rab->e_rab_id, 6);
    assert_int_equal(e_rab->qos.gbr_qos_information->guaranteed_bitrate_downlink, 64000);
    assert_int_equal(e_rab->gtp_teid, 0x3001);
}

/* What the eNodeB does not set up again at a service request is given up. */
static void test_bearers_that_do_not_come_back(void **state)
{
    (void)state;
    create_bearer();
    phone_idle(&phone);
    phone_serve(&phone); /* the default bearer only */
    assert_int_equal(fake_sgw.commands, 1);
}

static void test_pdn_that_does_not_come_back(void **state)
{
    (void)state;
    connect_ims();
    phone_idle(&phone);
    phone_serve(&phone); /* the first one only */
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.sessions, 1);
    assert_true(ue()->has_access_bearers);
}

static void test_dedicated_bearer_for_idle_phone(void **state)
{
    (void)state;
    phone_idle(&phone);
    ask_for_bearer();
    enb_expect(enb, S1AP_PAGING);
    phone_serve(&phone);
    phone_expect(&phone, NAS_ACTIVATE_DEDICATED_BEARER_REQUEST);
    e_rab_setup_response(6);
    phone_send_esm(&phone, NAS_ACTIVATE_DEDICATED_BEARER_ACCEPT, 6, 0,
                   &(struct nas_bearer_accept){0});
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
}

static void test_dedicated_bearer_refused(void **state)
{
    struct nas_bearer_reject reject = {.esm_cause = 43};

    (void)state;
    ask_for_bearer();
    phone_expect(&phone, NAS_ACTIVATE_DEDICATED_BEARER_REQUEST);
    e_rab_setup_response(6);
    phone_send_esm(&phone, NAS_ACTIVATE_DEDICATED_BEARER_REJECT, 6, 0, &reject);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_UE_REFUSES);
    ask_for_bearer();
    phone_expect(&phone, NAS_ACTIVATE_DEDICATED_BEARER_REQUEST);
    e_rab_setup_failed(6);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_REQUEST_REJECTED);
    ask_for_bearer();
    for (unsigned i = 0; i < 5; i++) {
        phone_expect(&phone, NAS_ACTIVATE_DEDICATED_BEARER_REQUEST);
        world_run(14);
    }
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_UE_NOT_RESPONDING);
    assert_int_equal(fake_sgw.answers, 3);
    assert_int_equal(mme.bearers.count, 1);
}

static void test_dedicated_bearer_not_reached(void **state)
{
    (void)state;
    phone_idle(&phone);
    ask_for_bearer();
    world_run(60);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_UE_NOT_RESPONDING);
    assert_int_equal(mme.bearers.count, 1);
}

static void test_dedicated_bearer_of_unknown_pdn(void **state)
{
    struct gtpc_bearer_to_be_set_up bearer = {.tft = bytes_of("\x21", 1), .qos = {.qci = 1}};
    struct gtpc_create_bearer_request request = {.lbi = 11, .bearers = {&bearer, 1}};

    (void)state;
    fake_sgw_ask(71, GTPC_CREATE_BEARER_REQUEST, fake_sgw.mme_teid, &request);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    fake_sgw_ask(72, GTPC_CREATE_BEARER_REQUEST, 0x999, &request);
    assert_int_equal(fake_sgw.refusals, 2);
}

static void test_update_bearer(void **state)
{
    struct gtpc_bearer_qos qos = {.arp = {.priority_level = 3},
                                  .qci = 2,
                                  .mbr_uplink_kbps = 256,
                                  .mbr_downlink_kbps = 256,
                                  .gbr_uplink_kbps = 128,
                                  .gbr_downlink_kbps = 128};
    struct gtpc_bearer_to_be_updated bearer = {.ebi = 6, .qos = &qos};
    struct gtpc_update_bearer_request request = {.bearers = {&bearer, 1}, .ambr = {1000, 2000}};

    (void)state;
    create_bearer();
    fake_sgw_ask(73, GTPC_UPDATE_BEARER_REQUEST, fake_sgw.mme_teid, &request);
    const struct nas_message *message = phone_expect(&phone, NAS_MODIFY_BEARER_REQUEST);
    assert_int_equal(message->modify_bearer_request->new_eps_qos->qci, 2);
    uint8_t ebi = 6;
    struct s1ap_e_rab_modify_response response = {.mme_ue_s1ap_id = phone.mme_id,
                                                  .enb_ue_s1ap_id = phone.enb_id,
                                                  .e_rab_modify_list = {&ebi, 1}};
    fake_enb_send_message(enb, S1AP_E_RAB_MODIFY_RESPONSE, &response);
    phone_send_esm(&phone, NAS_MODIFY_BEARER_ACCEPT, 6, 0, &(struct nas_bearer_accept){0});
    assert_int_equal(fake_sgw.last_transaction, 73);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(mme_bearer_of(ue(), 6, NULL)->qci, 2);
    /* A bearer that does not exist, and one that the phone refuses to change. */
    bearer.ebi = 9;
    fake_sgw_ask(74, GTPC_UPDATE_BEARER_REQUEST, fake_sgw.mme_teid, &request);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    struct bytes tft = bytes_of("\x21\x30\x0a\x02\x30\x11", 6);
    bearer = (struct gtpc_bearer_to_be_updated){.ebi = 6, .tft = &tft};
    fake_sgw_ask(75, GTPC_UPDATE_BEARER_REQUEST, fake_sgw.mme_teid, &request);
    phone_expect(&phone, NAS_MODIFY_BEARER_REQUEST);
    phone_send_esm(&phone, NAS_MODIFY_BEARER_REJECT, 6, 0,
                   &(struct nas_bearer_reject){.esm_cause = 41});
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_UE_REFUSES);
}

static void delete_bearers(uint8_t ebi, uint32_t transaction)
{
    struct gtpc_delete_bearer_request request = {.ebi = {&ebi, 1}};

    fake_sgw_ask(transaction, GTPC_DELETE_BEARER_REQUEST, fake_sgw.mme_teid, &request);
}

static void test_delete_bearer(void **state)
{
    (void)state;
    create_bearer();
    delete_bearers(6, 80);
    const struct nas_message *message = phone_expect(&phone, NAS_DEACTIVATE_BEARER_REQUEST);
    assert_int_equal(message->ebi, 6);
    e_rab_release_response(6);
    phone_send_esm(&phone, NAS_DEACTIVATE_BEARER_ACCEPT, 6, 0, &(struct nas_pco_only){0});
    assert_int_equal(fake_sgw.last_transaction, 80);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    assert_int_equal(mme.bearers.count, 1);
    delete_bearers(6, 81);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
    delete_bearers(5, 82); /* the default bearer goes with its PDN connection only */
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
}

static void test_delete_bearer_of_idle_phone(void **state)
{
    (void)state;
    create_bearer();
    phone_idle(&phone);
    delete_bearers(6, 80);
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_REQUEST_ACCEPTED);
    enb_expect_nothing(enb);
    assert_int_equal(mme.bearers.count, 1);
}

static void delete_pdn(uint8_t lbi)
{
    struct gtpc_cause cause = {.value = GTPC_CAUSE_REACTIVATION_REQUESTED};
    struct gtpc_delete_bearer_request request = {.lbi = &lbi, .cause = &cause};

    fake_sgw_ask(90, GTPC_DELETE_BEARER_REQUEST, fake_sgw.mme_teid, &request);
    fake_sgw.sessions--; /* deleted by the gateway itself */
}

static void test_gateway_deletes_second_pdn(void **state)
{
    (void)state;
    connect_ims();
    delete_pdn(6);
    const struct nas_message *message = phone_expect(&phone, NAS_DEACTIVATE_BEARER_REQUEST);
    assert_int_equal(message->deactivate_bearer_request->esm_cause,
                     ESM_CAUSE_REACTIVATION_REQUESTED);
    e_rab_release_response(6);
    phone_send_esm(&phone, NAS_DEACTIVATE_BEARER_ACCEPT, 6, 0, &(struct nas_pco_only){0});
    assert_int_equal(mme.pdns.count, 1);
    assert_int_equal(fake_sgw.removes, 0);
    delete_pdn(6);
    fake_sgw.sessions++;
    assert_int_equal(fake_sgw.last_cause, GTPC_CAUSE_CONTEXT_NOT_FOUND);
}

/* With its last PDN connection the phone is detached, to come again. */
static void test_gateway_deletes_last_pdn(void **state)
{
    (void)state;
    delete_pdn(5);
    const struct nas_message *message = phone_expect(&phone, NAS_DETACH_REQUEST);
    assert_int_equal(message->detach_request_downlink->detach_type, NAS_DETACH_REATTACH_REQUIRED);
    phone_send(&phone, NAS_DETACH_ACCEPT, NULL);
    phone_expect_release(&phone);
    expect_nothing_left();
}

static void release_indication(uint8_t ebi)
{
    struct s1ap_e_rab_item item = {
        .e_rab_id = ebi,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_RADIO_RESOURCES_NOT_AVAILABLE)};
    struct s1ap_e_rab_release_indication indication = {.mme_ue_s1ap_id = phone.mme_id,
                                                       .enb_ue_s1ap_id = phone.enb_id,
                                                       .e_rab_released_list = {&item, 1}};

    fake_enb_send_message(enb, S1AP_E_RAB_RELEASE_INDICATION, &indication);
}

static void test_e_rab_released_by_enb(void **state)
{
    (void)state;
    create_bearer();
    release_indication(6);
    assert_int_equal(fake_sgw.commands, 1);
    release_indication(12);
    assert_int_equal(fake_sgw.commands, 1);
    release_indication(5);
    phone_expect_release(&phone);
    assert_true(ue()->is_registered);
}

/* A GBR bearer does not outlive the radio connection. */
static void test_gbr_bearer_and_radio_loss(void **state)
{
    (void)state;
    create_bearer();
    struct s1ap_ue_context_release_request request = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_RADIO_CONNECTION_WITH_UE_LOST),
    };
    fake_enb_send_message(enb, S1AP_UE_CONTEXT_RELEASE_REQUEST, &request);
    phone_expect_release(&phone);
    assert_int_equal(fake_sgw.commands, 1);
}

static void test_modification_indication(void **state)
{
    struct s1ap_e_rab_tunnel tunnel = {.e_rab_id = 5,
                                       .transport_layer_address = bytes_of(enb_address, 4)};
    struct s1ap_e_rab_modification_indication indication = {
        .mme_ue_s1ap_id = phone.mme_id,
        .enb_ue_s1ap_id = phone.enb_id,
        .e_rab_to_be_modified_list = {&tunnel, 1}};

    (void)state;
    fake_enb_send_message(enb, S1AP_E_RAB_MODIFICATION_INDICATION, &indication);
    const struct s1ap_pdu *pdu = enb_expect(enb, S1AP_E_RAB_MODIFICATION_CONFIRM);
    assert_int_equal(pdu->e_rab_modification_confirm->e_rab_failed_to_modify_list.count, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(second_pdn),
        T(refused_pdns),
        T(esm_identities),
        T(pdn_refused_by_phone),
        T(pdn_refused_by_enb),
        T(pdn_unanswered),
        T(pdn_and_loss),
        T(repeated_pdn_request),
        T(pdn_request_in_update),
        T(mailbox_is_bounded),
        T(pdn_disconnect),
        T(pdn_disconnect_unanswered),
        T(status_mismatch),
        T(bearer_resource_requests),
        T(dedicated_bearer),
        T(bearers_that_do_not_come_back),
        T(pdn_that_does_not_come_back),
        T(dedicated_bearer_for_idle_phone),
        T(dedicated_bearer_refused),
        T(dedicated_bearer_not_reached),
        T(dedicated_bearer_of_unknown_pdn),
        T(update_bearer),
        T(delete_bearer),
        T(delete_bearer_of_idle_phone),
        T(gateway_deletes_second_pdn),
        T(gateway_deletes_last_pdn),
        T(e_rab_released_by_enb),
        T(gbr_bearer_and_radio_loss),
        T(modification_indication),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
