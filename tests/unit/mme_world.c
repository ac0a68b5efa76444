/*
 * mme_world.c -- see mme_world.h.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "mme/life.h"
#include "mme/ue.h"
#include "mme_world.h"

static struct arena arena;
static uint32_t next_enb_ue_id;

/* ---- World
 * -----------------------------------------------------------------------------------------------
 */

static const char configuration[] =
    "mme:\n"
    "  name: test\n"
    "  mme_group_id: 2\n"
    "  mme_code: 3\n"
    "  tracking_areas:\n"
    "    - {plmn: '00101', tacs: [1, 2]}\n"
    "    - {plmn: '00101', tacs: [7]}\n"
    "  s1ap: {listen: ['127.0.0.1:36412']}\n"
    "  s11: {}\n"
    "  sgw: [127.0.0.3]\n"
    "  pgw: [{address: 127.0.0.4}]\n"
    "  timers: {t3413: 10ms, t3422: 10ms, t3450: 10ms, t3460: 10ms, t3470: 10ms, t3485: 10ms,\n"
    "           t3486: 10ms, t3489: 10ms, t3495: 10ms, s1_response: 40ms,\n"
    "           mobile_reachable: 40ms, implicit_detach: 40ms}\n"
    "  limits: {max_enbs: 3, max_ues: 40}\n";

static struct config *file;

void world_begin(void)
{
    log_init("mme", LOG_ERROR);
    loop_init();
    fake_reset();
    arena_init(&arena, 16 * 1024 * 1024);
    file = config_parse("test", configuration, sizeof(configuration) - 1);
    assert_non_null(file);
    assert_int_equal(config_read(file, "mme", &mme_config_schema, &mme.config), 0);
    assert_int_equal(mme_start(file), 0);
    next_enb_ue_id = 1;
}

static void stopped(void)
{
}

void world_end(void)
{
    mme_stop(stopped);
    assert_int_equal(fiber_count(), 0);
    mme_free();
    metric_forget_all();
    fake_reset();
    arena_free(&arena);
    config_free(file);
    fiber_free_stacks();
    loop_free();
}

int world_setup(void **state)
{
    (void)state;
    world_begin();
    return 0;
}

int world_teardown(void **state)
{
    (void)state;
    world_end();
    return 0;
}

void world_run(unsigned ms)
{
    loop_skip(ms);
}

void expect_nothing_left(void)
{
    assert_int_equal(mme.ues.count, 0);
    assert_int_equal(mme.pdns.count, 0);
    assert_int_equal(mme.bearers.count, 0);
    assert_int_equal(mme.ue_by_imsi.count, 0);
    assert_int_equal(mme.ue_by_m_tmsi.count, 0);
    assert_int_equal(mme_shared_count(), 0);
    assert_int_equal(mme.runs, 0);
    assert_int_equal(fake_sgw.sessions, 0);
}

/* ---- eNodeB
 * ------------------------------------------------------------------------------------------------
 */

static struct plmn plmn_of(const char *digits)
{
    struct plmn plmn;

    assert_int_equal(plmn_parse(digits, &plmn), 0);
    return plmn;
}

void enb_setup_request(struct sctp_association *enb, uint32_t enb_id, const char *plmn,
                       uint16_t tac)
{
    struct plmn broadcast = plmn_of(plmn);
    struct s1ap_supported_ta ta = {.tac = tac, .broadcast_plmns = {&broadcast, 1}};
    struct bytes name = bytes_of("cell", 4);
    struct s1ap_s1_setup_request request = {
        .global_enb_id = {.plmn = broadcast, .enb_id = {.kind = S1AP_ENB_ID_MACRO, .id = enb_id}},
        .enb_name = &name,
        .supported_tas = {&ta, 1},
        .default_paging_drx = S1AP_PAGING_DRX_V128,
    };

    fake_enb_send_message(enb, S1AP_S1_SETUP_REQUEST, &request);
}

struct sctp_association *enb_up(uint32_t enb_id, uint16_t tac)
{
    struct sctp_association *enb = fake_enb_connect();

    assert_non_null(enb);
    enb_setup_request(enb, enb_id, "00101", tac);
    enb_expect(enb, S1AP_S1_SETUP_RESPONSE);
    return enb;
}

const struct s1ap_pdu *enb_expect(struct sctp_association *enb, enum s1ap_message message)
{
    struct s1ap_pdu *pdu = arena_alloc(&arena, sizeof(*pdu));
    struct s1ap_report *report = arena_alloc(&arena, sizeof(*report));
    struct bytes bytes;

    assert_non_null(report);
    if (!fake_enb_take(enb, &bytes))
        fail_msg("expected %s, and the MME sent nothing", s1ap_message_name(message));
    assert_int_equal(s1ap_decode(bytes, &arena, pdu, report), 0);
    assert_int_equal(report->verdict, S1AP_PROCEED);
    assert_string_equal(s1ap_message_name(pdu->message), s1ap_message_name(message));
    return pdu;
}

void enb_expect_nothing(struct sctp_association *enb)
{
    struct s1ap_pdu pdu;
    struct s1ap_report report;
    struct bytes bytes;

    if (!fake_enb_take(enb, &bytes))
        return;
    s1ap_decode(bytes, &arena, &pdu, &report);
    fail_msg("the MME sent %s", s1ap_message_name(pdu.message));
}

void enb_drain(struct sctp_association *enb)
{
    struct bytes bytes;

    while (fake_enb_take(enb, &bytes))
        ;
}

/* ---- Phone: sending
 * ---------------------------------------------------------------------------------------------- */

void phone_init(struct phone *phone, const char *imsi, struct sctp_association *enb)
{
    *phone = (struct phone){
        .enb = enb,
        .tac = 1,
        .sqn = 0,
        .ksi = NAS_KSI_NO_KEY,
        .pti = 1,
        .eea = 0xe0,
        .eia = 0x60,
        .attach_type = NAS_ATTACH_EPS,
        .pdn_type = NAS_PDN_IPV4,
    };
    snprintf(phone->imsi, sizeof(phone->imsi), "%s", imsi);
}

static struct tai place(const struct phone *phone)
{
    return (struct tai){.plmn = plmn_of("00101"), .tac = phone->tac};
}

static struct ecgi cell(void)
{
    return (struct ecgi){.plmn = plmn_of("00101"), .cell_id = 0x12345};
}

static void send_initial(struct phone *phone, struct bytes nas)
{
    struct s1ap_s_tmsi s_tmsi = {.mme_code = phone->guti.gummei.mme_code,
                                 .m_tmsi = phone->guti.m_tmsi};
    struct s1ap_initial_ue_message message = {
        .enb_ue_s1ap_id = next_enb_ue_id++,
        .nas_pdu = nas,
        .tai = place(phone),
        .eutran_cgi = cell(),
        .rrc_establishment_cause = S1AP_RRC_MO_SIGNALLING,
        .s_tmsi = phone->has_guti ? &s_tmsi : NULL,
    };

    phone->enb_id = message.enb_ue_s1ap_id;
    phone->mme_id = 0;
    phone->is_connected = true;
    fake_enb_send_message(phone->enb, S1AP_INITIAL_UE_MESSAGE, &message);
}

void phone_send_bytes(struct phone *phone, const void *bytes, size_t len)
{
    struct s1ap_uplink_nas_transport message = {
        .mme_ue_s1ap_id = phone->mme_id,
        .enb_ue_s1ap_id = phone->enb_id,
        .nas_pdu = bytes_of(bytes, len),
        .tai = place(phone),
        .eutran_cgi = cell(),
    };

    if (!phone->is_connected)
        send_initial(phone, bytes_of(bytes, len));
    else
        fake_enb_send_message(phone->enb, S1AP_UPLINK_NAS_TRANSPORT, &message);
}

static void send_message(struct phone *phone, const struct nas_message *message, bool is_protected)
{
    uint8_t plain[2048], wire[2100];
    struct writer p = writer_of(plain, sizeof(plain)), w = writer_of(wire, sizeof(wire));
    enum nas_security_header header = !phone->is_connected ? NAS_INTEGRITY
                                      : message->type == NAS_SECURITY_MODE_COMPLETE
                                          ? NAS_INTEGRITY_CIPHERED_NEW
                                          : NAS_INTEGRITY_CIPHERED;

    nas_encode(&p, message);
    assert_false(p.bad);
    if (is_protected)
        assert_int_equal(nas_protect(&phone->security, EPS_UPLINK, header, wr_view(&p), &w), 0);
    else
        wr_view_of(&w, wr_view(&p));
    phone_send_bytes(phone, wire, wr_len(&w));
}

void phone_send(struct phone *phone, enum nas_message_type type, void *body)
{
    struct nas_message message = {.type = type, .direction = EPS_UPLINK, .body = body};

    send_message(phone, &message, phone->is_secured);
}

void phone_send_plain(struct phone *phone, enum nas_message_type type, void *body)
{
    struct nas_message message = {.type = type, .direction = EPS_UPLINK, .body = body};

    send_message(phone, &message, false);
}

void phone_send_esm(struct phone *phone, enum nas_message_type type, uint8_t ebi, uint8_t pti,
                    void *body)
{
    struct nas_message message = {
        .type = type, .direction = EPS_UPLINK, .ebi = ebi, .pti = pti, .body = body};

    send_message(phone, &message, phone->is_secured);
}

/* ---- Phone: receiving
 * -----------------------------------------------------------------------------------------------
 */

/* A Security Mode Command is checked with the context that it begins. */
static void begin_security(struct phone *phone, const struct nas_header *header)
{
    struct nas_message message;
    struct nas_fault fault;

    assert_int_equal(nas_decode(header->inner, EPS_DOWNLINK, &arena, &message, &fault), 0);
    assert_int_equal(message.type, NAS_SECURITY_MODE_COMMAND);
    assert_int_equal(nas_security_start(&phone->security, phone->kasme,
                                        message.security_mode_command->nas_ksi,
                                        message.security_mode_command->selected_eea,
                                        message.security_mode_command->selected_eia),
                     0);
    phone->is_secured = true;
}

const struct nas_message *phone_open(struct phone *phone, struct bytes pdu)
{
    struct nas_message *message = arena_alloc(&arena, sizeof(*message));
    struct nas_header header;
    struct nas_opened opened = {.plain = pdu};
    struct nas_fault fault;

    assert_int_equal(nas_header_read(pdu, &header), 0);
    if (header.security == NAS_INTEGRITY_NEW)
        begin_security(phone, &header);
    if (header.security != NAS_PLAIN)
        assert_int_equal(nas_unprotect(&phone->security, EPS_DOWNLINK, pdu, &arena, &opened), 0);
    assert_int_equal(nas_decode(opened.plain, EPS_DOWNLINK, &arena, message, &fault), 0);
    return message;
}

/* The NAS PDU in an S1AP message, and the phone's MME-UE-S1AP-ID. */
static struct bytes nas_in(struct phone *phone, const struct s1ap_pdu *pdu)
{
    const uint32_t *mme_id = s1ap_mme_ue_s1ap_id(pdu), *enb_id = s1ap_enb_ue_s1ap_id(pdu);

    assert_non_null(mme_id);
    assert_non_null(enb_id);
    assert_int_equal(*enb_id, phone->enb_id);
    if (phone->mme_id)
        assert_int_equal(*mme_id, phone->mme_id);
    phone->mme_id = *mme_id;
    switch (pdu->message) {
    case S1AP_DOWNLINK_NAS_TRANSPORT:
        return pdu->downlink_nas_transport->nas_pdu;
    case S1AP_INITIAL_CONTEXT_SETUP_REQUEST:
        phone->sgw_teid = pdu->initial_context_setup_request->e_rab_to_be_setup_list.at[0].gtp_teid;
        assert_non_null(pdu->initial_context_setup_request->e_rab_to_be_setup_list.at[0].nas_pdu);
        return *pdu->initial_context_setup_request->e_rab_to_be_setup_list.at[0].nas_pdu;
    case S1AP_E_RAB_SETUP_REQUEST:
        return *pdu->e_rab_setup_request->e_rab_to_be_setup_list.at[0].nas_pdu;
    case S1AP_E_RAB_MODIFY_REQUEST:
        return pdu->e_rab_modify_request->e_rab_to_be_modified_list.at[0].nas_pdu;
    case S1AP_E_RAB_RELEASE_COMMAND:
        return *pdu->e_rab_release_command->nas_pdu;
    default:
        fail_msg("%s carries no NAS message", s1ap_message_name(pdu->message));
        return bytes_of(NULL, 0);
    }
}

static void note_cause(struct phone *phone, const struct nas_message *message)
{
    struct nas_message esm;
    struct nas_fault fault;

    switch (message->type) {
    case NAS_ATTACH_REJECT:
        phone->last_cause = message->attach_reject->emm_cause;
        if (message->attach_reject->esm_message_container &&
            nas_decode(*message->attach_reject->esm_message_container, EPS_DOWNLINK, &arena, &esm,
                       &fault) == 0)
            phone->last_esm_cause = esm.pdn_connectivity_reject->esm_cause;
        break;
    case NAS_SERVICE_REJECT:
        phone->last_cause = message->service_reject->emm_cause;
        break;
    case NAS_TRACKING_AREA_UPDATE_REJECT:
        phone->last_cause = message->tracking_area_update_reject->emm_cause;
        break;
    case NAS_EMM_STATUS:
        phone->last_cause = message->emm_status->emm_cause;
        break;
    case NAS_ESM_STATUS:
        phone->last_esm_cause = message->esm_status->esm_cause;
        break;
    case NAS_PDN_CONNECTIVITY_REJECT:
    case NAS_BEARER_RESOURCE_ALLOCATION_REJECT:
    case NAS_BEARER_RESOURCE_MODIFICATION_REJECT:
        phone->last_esm_cause = message->pdn_connectivity_reject->esm_cause;
        break;
    case NAS_PDN_DISCONNECT_REJECT:
        phone->last_esm_cause = message->pdn_disconnect_reject->esm_cause;
        break;
    default:
        break;
    }
}

const struct nas_message *phone_expect(struct phone *phone, enum nas_message_type type)
{
    struct s1ap_pdu *pdu = arena_alloc(&arena, sizeof(*pdu));
    struct s1ap_report report;
    struct bytes bytes;

    if (!fake_enb_take(phone->enb, &bytes))
        fail_msg("expected %s, and the MME sent nothing", nas_message_name(type));
    assert_int_equal(s1ap_decode(bytes, &arena, pdu, &report), 0);
    const struct nas_message *message = phone_open(phone, nas_in(phone, pdu));
    assert_string_equal(nas_message_name(message->type), nas_message_name(type));
    note_cause(phone, message);
    return message;
}

void phone_expect_release(struct phone *phone)
{
    const struct s1ap_pdu *pdu = enb_expect(phone->enb, S1AP_UE_CONTEXT_RELEASE_COMMAND);
    const struct s1ap_ue_s1ap_ids *ids = &pdu->ue_context_release_command->ue_s1ap_ids;
    struct s1ap_ue_context_release_complete complete = {
        .mme_ue_s1ap_id = ids->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = ids->enb_ue_s1ap_id,
    };

    assert_int_equal(ids->enb_ue_s1ap_id, phone->enb_id);
    phone->is_connected = false;
    phone->mme_id = 0;
    fake_enb_send_message(phone->enb, S1AP_UE_CONTEXT_RELEASE_COMPLETE, &complete);
}

/* ---- Attach
 * ------------------------------------------------------------------------------------------------------------
 */

void phone_attach_request_by(struct phone *phone, const struct nas_identity *identity)
{
    uint8_t container[256];
    struct writer w = writer_of(container, sizeof(container));
    struct nas_pdn_connectivity_request esm = {
        .request_type = NAS_REQUEST_INITIAL,
        .pdn_type = phone->pdn_type,
        .esm_information_transfer_flag = phone->has_more ? &(uint8_t){1} : NULL,
    };
    struct nas_message connectivity = {.type = NAS_PDN_CONNECTIVITY_REQUEST,
                                       .direction = EPS_UPLINK,
                                       .pti = phone->pti,
                                       .pdn_connectivity_request = &esm};

    nas_encode(&w, &connectivity);
    assert_false(w.bad);
    struct nas_attach_request request = {
        .eps_attach_type = phone->attach_type,
        .nas_ksi = phone->ksi,
        .eps_mobile_identity = *identity,
        .ue_network_capability = {.len = 2, .octets = {phone->eea, phone->eia}},
        .esm_message_container = wr_view(&w),
    };
    phone_send(phone, NAS_ATTACH_REQUEST, &request);
}

void phone_attach_request(struct phone *phone)
{
    struct nas_identity identity = {.kind = NAS_IDENTITY_IMSI};

    if (phone->has_guti) {
        identity.kind = NAS_IDENTITY_GUTI;
        identity.guti = phone->guti;
    } else {
        memcpy(identity.imsi, phone->imsi, sizeof(identity.imsi));
    }
    phone_attach_request_by(phone, &identity);
}

void phone_expect_authentication(struct phone *phone)
{
    const struct nas_message *message = phone_expect(phone, NAS_AUTHENTICATION_REQUEST);

    memcpy(phone->rand, message->authentication_request->rand, 16);
    memcpy(phone->autn, message->authentication_request->autn, 16);
    phone->ksi = message->authentication_request->nas_ksi;
}

void phone_answer_authentication(struct phone *phone)
{
    struct milenage sim;
    struct milenage_vector vector;
    struct nas_authentication_response response;
    uint8_t sn_id[3];
    struct writer w = writer_of(sn_id, sizeof(sn_id));
    struct plmn plmn = plmn_of("00101");

    memcpy(sim.k, fake_hss.k, 16);
    memcpy(sim.opc, fake_hss.opc, 16);
    assert_int_equal(milenage_autn_open(&sim, phone->rand, phone->autn, &vector, &phone->sqn, NULL),
                     0);
    wr_plmn(&w, &plmn);
    assert_int_equal(kdf_kasme(vector.ck, vector.ik, sn_id, phone->autn, phone->kasme), 0);
    response.res = bytes_of(vector.res, 8);
    phone_send(phone, NAS_AUTHENTICATION_RESPONSE, &response);
}

void phone_expect_security_mode(struct phone *phone)
{
    phone_expect(phone, NAS_SECURITY_MODE_COMMAND);
}

void phone_answer_security_mode(struct phone *phone)
{
    struct nas_identity imeisv = {.kind = NAS_IDENTITY_IMEISV, .imei = "3534900698733190"};
    struct nas_security_mode_complete complete = {.imeisv = &imeisv};

    phone_send(phone, NAS_SECURITY_MODE_COMPLETE, &complete);
}

void phone_expect_accept(struct phone *phone)
{
    const struct nas_message *message = phone_expect(phone, NAS_ATTACH_ACCEPT);
    const struct nas_attach_accept *accept = message->attach_accept;
    struct nas_message *esm = arena_alloc(&arena, sizeof(*esm));
    struct nas_fault fault;

    assert_non_null(accept->guti);
    phone->guti = accept->guti->guti;
    phone->has_guti = true;
    assert_int_equal(nas_decode(accept->esm_message_container, EPS_DOWNLINK, &arena, esm, &fault),
                     0);
    assert_int_equal(esm->type, NAS_ACTIVATE_DEFAULT_BEARER_REQUEST);
    assert_int_equal(esm->pti, phone->pti);
    phone->ebi = esm->ebi;
    phone->ipv4 = esm->activate_default_bearer_request->pdn_address.ipv4;
    phone->last_esm_cause = esm->activate_default_bearer_request->esm_cause
                                ? *esm->activate_default_bearer_request->esm_cause
                                : 0;
}

void phone_context_setup_response(struct phone *phone, uint8_t ebi)
{
    static const uint8_t address[4] = {127, 0, 0, 9};
    struct s1ap_e_rab_tunnel tunnel = {.e_rab_id = ebi,
                                       .transport_layer_address = bytes_of(address, 4),
                                       .gtp_teid = 0x9000u + ebi};
    struct s1ap_initial_context_setup_response response = {
        .mme_ue_s1ap_id = phone->mme_id,
        .enb_ue_s1ap_id = phone->enb_id,
        .e_rab_setup_list = {&tunnel, 1},
    };

    fake_enb_send_message(phone->enb, S1AP_INITIAL_CONTEXT_SETUP_RESPONSE, &response);
}

void phone_attach_complete(struct phone *phone)
{
    uint8_t container[16];
    struct writer w = writer_of(container, sizeof(container));
    struct nas_message accept = {.type = NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT,
                                 .direction = EPS_UPLINK,
                                 .ebi = phone->ebi,
                                 .body = &(struct nas_pco_only){0}};

    nas_encode(&w, &accept);
    struct nas_attach_complete complete = {.esm_message_container = wr_view(&w)};
    phone_send(phone, NAS_ATTACH_COMPLETE, &complete);
}

void phone_attach(struct phone *phone)
{
    bool is_known = phone->is_secured;

    phone_attach_request(phone);
    if (!is_known) {
        phone_expect_authentication(phone);
        phone_answer_authentication(phone);
        phone_expect_security_mode(phone);
        phone_answer_security_mode(phone);
    }
    phone_expect_accept(phone);
    phone_context_setup_response(phone, phone->ebi);
    phone_attach_complete(phone);
    assert_non_null(phone_context(phone));
    assert_true(phone_context(phone)->is_registered);
}

/* ---- Idle and back
 * ----------------------------------------------------------------------------------------------------------
 */

void phone_idle(struct phone *phone)
{
    struct s1ap_ue_context_release_request request = {
        .mme_ue_s1ap_id = phone->mme_id,
        .enb_ue_s1ap_id = phone->enb_id,
        .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_USER_INACTIVITY),
    };

    fake_enb_send_message(phone->enb, S1AP_UE_CONTEXT_RELEASE_REQUEST, &request);
    phone_expect_release(phone);
}

void phone_service_request(struct phone *phone)
{
    uint8_t wire[16];
    struct writer w = writer_of(wire, sizeof(wire));
    uint32_t count;

    assert_int_equal(nas_protect_service_request(&phone->security, &w, &count), 0);
    phone->is_connected = false;
    phone_send_bytes(phone, wire, wr_len(&w));
}

void phone_serve(struct phone *phone)
{
    phone_service_request(phone);
    const struct s1ap_pdu *pdu = enb_expect(phone->enb, S1AP_INITIAL_CONTEXT_SETUP_REQUEST);
    phone->mme_id = pdu->initial_context_setup_request->mme_ue_s1ap_id;
    phone_context_setup_response(phone, phone->ebi);
}

void phone_update_request(struct phone *phone, uint8_t type, const uint16_t *status)
{
    struct nas_tracking_area_update_request request = {
        .eps_update_type = type,
        .nas_ksi = phone->ksi,
        .old_guti = {.kind = NAS_IDENTITY_GUTI, .guti = phone->guti},
        .eps_bearer_context_status = (uint16_t *)(uintptr_t)status,
    };

    phone_send(phone, NAS_TRACKING_AREA_UPDATE_REQUEST, &request);
}

void phone_detach_request(struct phone *phone, uint8_t type)
{
    struct nas_detach_request_uplink request = {
        .detach_type = type,
        .nas_ksi = phone->ksi,
        .eps_mobile_identity = {.kind = NAS_IDENTITY_GUTI, .guti = phone->guti},
    };

    phone_send(phone, NAS_DETACH_REQUEST, &request);
}

struct mme_ue *phone_context(const struct phone *phone)
{
    return mme_ue_of_imsi(phone->imsi);
}
