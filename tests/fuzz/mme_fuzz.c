/*
 * mme_fuzz.c -- the whole MME, its neighbours faked, under a sequence of events that the fuzzer
 * chooses.
 *
 * The input is a row of steps. Some hand arbitrary bytes to the MME, as S1AP, as NAS in the clear,
 * or as NAS that a phone has protected with its real keys; others let eNodeB and phones do what is
 * right next, so that the fuzzer gets deep into procedures; others change how HSS and S-GW behave,
 * send requests of theirs, lose connections, or let time pass. No sockets.
 *
 * Beside what the sanitizers find, it is an error when a context is left that is neither registered
 * nor in a procedure, or when the MME cannot be stopped cleanly.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "mme/life.h"
#include "mme/run.h"
#include "mme/ue.h"
#include "mme_fakes.h"

#define PHONES    3
#define MAX_STEPS 200

struct phone {
    char imsi[IMSI_SIZE];
    struct sctp_association *enb;
    uint32_t enb_id, mme_id;
    bool is_connected, is_secured, has_guti;
    struct guti guti;
    struct nas_security_context security;
    uint8_t kasme[32];
};

static struct sctp_association *enbs[2];
static struct phone phones[PHONES];
static uint32_t next_enb_ue_id;
static struct arena arena;
static struct reader input;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- The input
 * ------------------------------------------------------------------------------------------- */

static struct bytes take_bytes(void)
{
    size_t len = rd_u8(&input);

    return rd_view(&input, len < rd_left(&input) ? len : rd_left(&input));
}

static struct plmn home(void)
{
    return (struct plmn){1, 1, 2};
}

static struct tai place(const struct phone *phone)
{
    return (struct tai){home(), phone->enb == enbs[0] ? 1 : 7};
}

/* ---- eNodeBs
 * ------------------------------------------------------------------------------------------------
 */

static void bring_up(unsigned i)
{
    struct plmn plmn = home();
    struct s1ap_supported_ta ta = {.tac = i == 0 ? 1 : 7, .broadcast_plmns = {&plmn, 1}};
    struct s1ap_s1_setup_request request = {
        .global_enb_id = {.plmn = plmn, .enb_id = {S1AP_ENB_ID_MACRO, i + 1}},
        .supported_tas = {&ta, 1},
    };

    if (enbs[i] && enbs[i]->is_open)
        return;
    struct sctp_association *fresh = fake_enb_connect();
    if (!fresh)
        return;
    for (unsigned p = 0; p < PHONES; p++) {
        if (phones[p].enb == enbs[i]) {
            phones[p].enb = fresh;
            phones[p].is_connected = false;
        }
    }
    enbs[i] = fresh;
    fake_enb_send_message(fresh, S1AP_S1_SETUP_REQUEST, &request);
}

/* ---- A phone sends
 * -------------------------------------------------------------------------------------------- */

static void send_pdu(struct phone *phone, struct bytes pdu)
{
    struct ecgi cell = {home(), 1};

    if (pdu.len == 0 || !phone->enb)
        return;
    if (phone->is_connected && phone->mme_id) {
        struct s1ap_uplink_nas_transport message = {.mme_ue_s1ap_id = phone->mme_id,
                                                    .enb_ue_s1ap_id = phone->enb_id,
                                                    .nas_pdu = pdu,
                                                    .eutran_cgi = cell,
                                                    .tai = place(phone)};
        fake_enb_send_message(phone->enb, S1AP_UPLINK_NAS_TRANSPORT, &message);
        return;
    }
    struct s1ap_s_tmsi s_tmsi = {phone->guti.gummei.mme_code, phone->guti.m_tmsi};
    struct s1ap_initial_ue_message message = {
        .enb_ue_s1ap_id = next_enb_ue_id++ & 0xffffff,
        .nas_pdu = pdu,
        .tai = place(phone),
        .eutran_cgi = cell,
        .s_tmsi = phone->has_guti ? &s_tmsi : NULL,
    };
    phone->enb_id = message.enb_ue_s1ap_id;
    phone->mme_id = 0;
    phone->is_connected = true;
    fake_enb_send_message(phone->enb, S1AP_INITIAL_UE_MESSAGE, &message);
}

static void send_plain(struct phone *phone, struct bytes plain, bool is_protected)
{
    static uint8_t wire[4096];
    struct writer w = writer_of(wire, sizeof(wire));
    enum nas_security_header header = !phone->is_connected ? NAS_INTEGRITY
                                      : plain.len > 1 && plain.at[1] == NAS_SECURITY_MODE_COMPLETE
                                          ? NAS_INTEGRITY_CIPHERED_NEW
                                          : NAS_INTEGRITY_CIPHERED;

    if (!is_protected || !phone->is_secured ||
        nas_protect(&phone->security, EPS_UPLINK, header, plain, &w) < 0)
        send_pdu(phone, plain);
    else
        send_pdu(phone, wr_view(&w));
}

static void send_message(struct phone *phone, enum nas_message_type type, uint8_t ebi, uint8_t pti,
                         void *body)
{
    static uint8_t plain[2048];
    struct writer w = writer_of(plain, sizeof(plain));
    struct nas_message message = {
        .type = type, .direction = EPS_UPLINK, .ebi = ebi, .pti = pti, .body = body};

    nas_encode(&w, &message);
    if (!w.bad)
        send_plain(phone, wr_view(&w), true);
}

static struct nas_identity identity_of(const struct phone *phone)
{
    struct nas_identity identity = {.kind = NAS_IDENTITY_IMSI};

    if (phone->has_guti)
        identity = (struct nas_identity){.kind = NAS_IDENTITY_GUTI, .guti = phone->guti};
    else
        memcpy(identity.imsi, phone->imsi, sizeof(identity.imsi));
    return identity;
}

static void send_attach(struct phone *phone, uint8_t variation)
{
    static uint8_t esm[] = {0x02, 0x01, 0xd0, 0x11, 0xd1};
    struct nas_attach_request request = {
        .eps_attach_type = variation & 0x80 ? NAS_ATTACH_COMBINED : NAS_ATTACH_EPS,
        .nas_ksi = NAS_KSI_NO_KEY,
        .eps_mobile_identity = identity_of(phone),
        .ue_network_capability = {.len = 2, .octets = {0xf0, 0x70}},
        .esm_message_container = bytes_of(esm, variation & 0x40 ? 5 : 4),
    };

    esm[3] = (uint8_t)((variation % 4 + 1) << 4 | 1);
    send_message(phone, NAS_ATTACH_REQUEST, 0, 0, &request);
}

static void send_service_request(struct phone *phone)
{
    uint8_t wire[8];
    struct writer w = writer_of(wire, sizeof(wire));
    uint32_t count;

    phone->is_connected = false;
    if (phone->is_secured && nas_protect_service_request(&phone->security, &w, &count) == 0)
        send_pdu(phone, wr_view(&w));
}

static void send_update(struct phone *phone, uint8_t type)
{
    uint16_t status = type & 0x40 ? 0x20 : 0;
    struct nas_tracking_area_update_request request = {
        .eps_update_type = type & 0xf,
        .old_guti = {.kind = NAS_IDENTITY_GUTI, .guti = phone->guti},
        .eps_bearer_context_status = type & 0x80 ? &status : NULL,
    };

    send_message(phone, NAS_TRACKING_AREA_UPDATE_REQUEST, 0, 0, &request);
}

static void send_detach(struct phone *phone, uint8_t type)
{
    struct nas_detach_request_uplink request = {.detach_type = (type & 0xb) | 1,
                                                .eps_mobile_identity = identity_of(phone)};

    send_message(phone, NAS_DETACH_REQUEST, 0, 0, &request);
}

static void send_pdn_request(struct phone *phone, uint8_t pti)
{
    struct nas_apn apn = {.name = "ims"};
    struct nas_pdn_connectivity_request request = {
        .request_type = NAS_REQUEST_INITIAL, .pdn_type = NAS_PDN_IPV4, .apn = &apn};
    struct nas_pdn_disconnect_request disconnect = {.linked_ebi = 5 + (pti >> 5)};

    if (pti & 0x10)
        send_message(phone, NAS_PDN_DISCONNECT_REQUEST, 0, pti, &disconnect);
    else
        send_message(phone, NAS_PDN_CONNECTIVITY_REQUEST, 0, pti, &request);
}

/* ---- A phone answers
 * -------------------------------------------------------------------------------------------- */

static void answer_authentication(struct phone *phone,
                                  const struct nas_authentication_request *request)
{
    struct milenage sim;
    struct milenage_vector vector;
    struct nas_authentication_response response;
    uint8_t sn_id[3];
    struct writer w = writer_of(sn_id, sizeof(sn_id));
    struct plmn plmn = home();

    memcpy(sim.k, fake_hss.k, 16);
    memcpy(sim.opc, fake_hss.opc, 16);
    if (milenage_autn_open(&sim, request->rand, request->autn, &vector, NULL, NULL) < 0)
        return;
    wr_plmn(&w, &plmn);
    kdf_kasme(vector.ck, vector.ik, sn_id, request->autn, phone->kasme);
    response.res = bytes_of(vector.res, 8);
    send_message(phone, NAS_AUTHENTICATION_RESPONSE, 0, 0, &response);
}

static void answer_esm(struct phone *phone, const struct nas_message *message)
{
    static struct nas_pco_only accept;
    static const struct {
        enum nas_message_type request, accept;
    } rows[] = {
        {NAS_ACTIVATE_DEFAULT_BEARER_REQUEST, NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT},
        {NAS_ACTIVATE_DEDICATED_BEARER_REQUEST, NAS_ACTIVATE_DEDICATED_BEARER_ACCEPT},
        {NAS_MODIFY_BEARER_REQUEST, NAS_MODIFY_BEARER_ACCEPT},
        {NAS_DEACTIVATE_BEARER_REQUEST, NAS_DEACTIVATE_BEARER_ACCEPT},
        {NAS_ESM_INFORMATION_REQUEST, NAS_ESM_INFORMATION_RESPONSE},
    };
    static struct nas_bearer_accept dedicated;
    static struct nas_esm_information_response information;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].request != message->type)
            continue;
        void *body = i == 1 || i == 2 ? (void *)&dedicated
                     : i == 4         ? (void *)&information
                                      : (void *)&accept;
        send_message(phone, rows[i].accept, message->ebi, message->pti, body);
    }
}

static void answer_accept(struct phone *phone, const struct nas_message *message)
{
    static uint8_t esm[] = {0x52, 0x00, 0xc2};
    struct nas_attach_complete complete = {.esm_message_container = bytes_of(esm, sizeof(esm))};

    if (message->type == NAS_ATTACH_ACCEPT && message->attach_accept->guti) {
        phone->guti = message->attach_accept->guti->guti;
        phone->has_guti = true;
        send_message(phone, NAS_ATTACH_COMPLETE, 0, 0, &complete);
    } else if (message->type == NAS_TRACKING_AREA_UPDATE_ACCEPT &&
               message->tracking_area_update_accept->guti) {
        phone->guti = message->tracking_area_update_accept->guti->guti;
        send_message(phone, NAS_TRACKING_AREA_UPDATE_COMPLETE, 0, 0, NULL);
    }
}

static void begin_security(struct phone *phone, const struct nas_header *header)
{
    struct nas_message message;
    struct nas_fault fault;

    if (nas_decode(header->inner, EPS_DOWNLINK, &arena, &message, &fault) < 0 ||
        message.type != NAS_SECURITY_MODE_COMMAND)
        return;
    phone->is_secured =
        nas_security_start(&phone->security, phone->kasme, message.security_mode_command->nas_ksi,
                           message.security_mode_command->selected_eea,
                           message.security_mode_command->selected_eia) == 0;
}

static void answer_nas(struct phone *phone, struct bytes pdu)
{
    struct nas_header header;
    struct nas_opened opened = {.plain = pdu};
    struct nas_message message;
    struct nas_fault fault;
    static struct nas_security_mode_complete complete;
    struct nas_identity_response identity = {.mobile_identity = {.kind = NAS_IDENTITY_IMSI}};

    if (nas_header_read(pdu, &header) < 0)
        return;
    if (header.security == NAS_INTEGRITY_NEW)
        begin_security(phone, &header);
    if (header.security != NAS_PLAIN &&
        nas_unprotect(&phone->security, EPS_DOWNLINK, pdu, &arena, &opened) < 0)
        return;
    if (nas_decode(opened.plain, EPS_DOWNLINK, &arena, &message, &fault) < 0)
        return;
    switch (message.type) {
    case NAS_AUTHENTICATION_REQUEST:
        answer_authentication(phone, message.authentication_request);
        break;
    case NAS_IDENTITY_REQUEST:
        memcpy(identity.mobile_identity.imsi, phone->imsi, sizeof(phone->imsi));
        send_message(phone, NAS_IDENTITY_RESPONSE, 0, 0, &identity);
        break;
    case NAS_SECURITY_MODE_COMMAND:
        send_message(phone, NAS_SECURITY_MODE_COMPLETE, 0, 0, &complete);
        break;
    case NAS_DETACH_REQUEST:
        send_message(phone, NAS_DETACH_ACCEPT, 0, 0, NULL);
        break;
    case NAS_ATTACH_ACCEPT:
    case NAS_TRACKING_AREA_UPDATE_ACCEPT:
        answer_accept(phone, &message);
        break;
    default:
        answer_esm(phone, &message);
        break;
    }
}

/* ---- An eNodeB answers
 * ------------------------------------------------------------------------------------------------
 */

static struct phone *phone_of(const struct sctp_association *enb, const struct s1ap_pdu *pdu)
{
    const uint32_t *enb_id = s1ap_enb_ue_s1ap_id(pdu);

    for (unsigned i = 0; enb_id && i < PHONES; i++) {
        if (phones[i].enb == enb && phones[i].enb_id == *enb_id)
            return &phones[i];
    }
    return NULL;
}

static void answer_e_rabs(struct phone *phone, enum s1ap_message answer,
                          const struct s1ap_e_rab_to_be_setup *list, size_t count)
{
    static const uint8_t address[4] = {127, 0, 0, 9};
    struct s1ap_e_rab_tunnel tunnels[16];
    struct s1ap_initial_context_setup_response context = {.mme_ue_s1ap_id = phone->mme_id,
                                                          .enb_ue_s1ap_id = phone->enb_id};
    struct s1ap_e_rab_setup_response setup = {.mme_ue_s1ap_id = phone->mme_id,
                                              .enb_ue_s1ap_id = phone->enb_id};

    for (size_t i = 0; i < count && i < 16; i++)
        tunnels[i] = (struct s1ap_e_rab_tunnel){list[i].e_rab_id, bytes_of(address, 4), 1};
    context.e_rab_setup_list.at = setup.e_rab_setup_list.at = tunnels;
    context.e_rab_setup_list.count = setup.e_rab_setup_list.count = count < 16 ? count : 16;
    fake_enb_send_message(phone->enb, answer,
                          answer == S1AP_E_RAB_SETUP_RESPONSE ? (void *)&setup : (void *)&context);
}

static void answer_phone_message(struct phone *phone, const struct s1ap_pdu *pdu)
{
    const struct s1ap_initial_context_setup_request *context;
    const struct s1ap_e_rab_setup_request *setup;
    struct s1ap_ue_context_release_complete complete = {.mme_ue_s1ap_id = phone->mme_id,
                                                        .enb_ue_s1ap_id = phone->enb_id};
    struct s1ap_e_rab_release_response released = {.mme_ue_s1ap_id = phone->mme_id,
                                                   .enb_ue_s1ap_id = phone->enb_id};
    uint8_t ebi;
    struct s1ap_e_rab_modify_response modified = {.mme_ue_s1ap_id = phone->mme_id,
                                                  .enb_ue_s1ap_id = phone->enb_id,
                                                  .e_rab_modify_list = {&ebi, 1}};

    switch (pdu->message) {
    case S1AP_DOWNLINK_NAS_TRANSPORT:
        answer_nas(phone, pdu->downlink_nas_transport->nas_pdu);
        break;
    case S1AP_INITIAL_CONTEXT_SETUP_REQUEST:
        context = pdu->initial_context_setup_request;
        answer_e_rabs(phone, S1AP_INITIAL_CONTEXT_SETUP_RESPONSE,
                      context->e_rab_to_be_setup_list.at, context->e_rab_to_be_setup_list.count);
        if (context->e_rab_to_be_setup_list.at[0].nas_pdu)
            answer_nas(phone, *context->e_rab_to_be_setup_list.at[0].nas_pdu);
        break;
    case S1AP_E_RAB_SETUP_REQUEST:
        setup = pdu->e_rab_setup_request;
        answer_e_rabs(phone, S1AP_E_RAB_SETUP_RESPONSE, setup->e_rab_to_be_setup_list.at,
                      setup->e_rab_to_be_setup_list.count);
        answer_nas(phone, *setup->e_rab_to_be_setup_list.at[0].nas_pdu);
        break;
    case S1AP_E_RAB_MODIFY_REQUEST:
        ebi = pdu->e_rab_modify_request->e_rab_to_be_modified_list.at[0].e_rab_id;
        fake_enb_send_message(phone->enb, S1AP_E_RAB_MODIFY_RESPONSE, &modified);
        answer_nas(phone, pdu->e_rab_modify_request->e_rab_to_be_modified_list.at[0].nas_pdu);
        break;
    case S1AP_E_RAB_RELEASE_COMMAND:
        fake_enb_send_message(phone->enb, S1AP_E_RAB_RELEASE_RESPONSE, &released);
        if (pdu->e_rab_release_command->nas_pdu)
            answer_nas(phone, *pdu->e_rab_release_command->nas_pdu);
        break;
    case S1AP_UE_CONTEXT_RELEASE_COMMAND:
        phone->is_connected = false;
        fake_enb_send_message(phone->enb, S1AP_UE_CONTEXT_RELEASE_COMPLETE, &complete);
        break;
    default:
        break;
    }
}

/* The target of a handover: acknowledges and notifies. */
static void answer_handover(struct sctp_association *enb,
                            const struct s1ap_handover_request *request)
{
    static const uint8_t address[4] = {127, 0, 0, 10};
    struct s1ap_e_rab_admitted admitted = {5, bytes_of(address, 4), 2};
    struct s1ap_handover_request_acknowledge acknowledge = {
        .mme_ue_s1ap_id = request->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = next_enb_ue_id++ & 0xffffff,
        .e_rab_admitted_list = {&admitted, 1},
        .target_to_source_transparent_container = bytes_of("x", 1),
    };
    struct s1ap_handover_notify notify = {.mme_ue_s1ap_id = request->mme_ue_s1ap_id,
                                          .enb_ue_s1ap_id = acknowledge.enb_ue_s1ap_id,
                                          .eutran_cgi = {home(), 2},
                                          .tai = {home(), 7}};
    struct s1ap_handover_failure failure = {.mme_ue_s1ap_id = request->mme_ue_s1ap_id};
    uint8_t how = rd_u8(&input);

    if (how & 1)
        fake_enb_send_message(enb, S1AP_HANDOVER_FAILURE, &failure);
    else
        fake_enb_send_message(enb, S1AP_HANDOVER_REQUEST_ACKNOWLEDGE, &acknowledge);
    if (!(how & 2))
        fake_enb_send_message(enb, S1AP_HANDOVER_NOTIFY, &notify);
    for (unsigned i = 0; i < PHONES; i++) {
        if (!(how & 3) && phones[i].enb && phones[i].enb != enb && phones[i].is_connected) {
            phones[i].enb = enb;
            phones[i].enb_id = acknowledge.enb_ue_s1ap_id;
            phones[i].mme_id = request->mme_ue_s1ap_id;
            break;
        }
    }
}

/* Takes what the MME sent to an eNodeB and does with it what is right. */
static void answer_next(struct sctp_association *enb)
{
    struct bytes bytes;
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    if (!enb || !fake_enb_take(enb, &bytes))
        return;
    arena_reset(&arena);
    if (s1ap_decode(bytes, &arena, &pdu, &report) < 0 || report.verdict != S1AP_PROCEED)
        abort(); /* the MME sent what is no S1AP */
    if (pdu.message == S1AP_HANDOVER_REQUEST) {
        answer_handover(enb, pdu.handover_request);
        return;
    }
    struct phone *phone = phone_of(enb, &pdu);
    if (!phone)
        return;
    const uint32_t *mme_id = s1ap_mme_ue_s1ap_id(&pdu);
    if (mme_id)
        phone->mme_id = *mme_id;
    answer_phone_message(phone, &pdu);
}

/* ---- Others
 * ----------------------------------------------------------------------------------------------------------------
 */

static void ask_from_sgw(uint8_t what)
{
    struct gtpc_f_teid f_teid = {.has_ipv4 = true, .teid = what};
    struct gtpc_bearer_to_be_set_up up = {
        .tft = take_bytes(), .s1_u_sgw = &f_teid, .qos = {.qci = what, .gbr_downlink_kbps = what}};
    struct gtpc_create_bearer_request create = {.lbi = 5 + (what >> 6), .bearers = {&up, 1}};
    struct gtpc_bearer_to_be_updated changed = {.ebi = 5 + (what >> 6),
                                                .qos = what & 8 ? &up.qos : NULL};
    struct gtpc_update_bearer_request update = {.bearers = {&changed, 1}, .ambr = {1, 1}};
    uint8_t ebi = 5 + (what >> 6);
    struct gtpc_delete_bearer_request delete = {0};
    struct gtpc_downlink_data_notification notification = {0};
    uint32_t teid = fake_sgw.mme_teid;

    delete.lbi = what & 8 ? &ebi : NULL;
    delete.ebi.at = &ebi;
    delete.ebi.count = what & 8 ? 0 : 1;
    switch (what & 3) {
    case 0:
        fake_sgw_ask(1, GTPC_DOWNLINK_DATA_NOTIFICATION, teid, &notification);
        break;
    case 1:
        fake_sgw_ask(2, GTPC_CREATE_BEARER_REQUEST, teid, &create);
        break;
    case 2:
        fake_sgw_ask(3, GTPC_UPDATE_BEARER_REQUEST, teid, &update);
        break;
    default:
        fake_sgw_ask(4, GTPC_DELETE_BEARER_REQUEST, teid, &delete);
        break;
    }
}

static void ask_from_hss(uint8_t what)
{
    const struct phone *phone = &phones[what % PHONES];
    uint32_t flags = what, id = 1;
    struct s6a_clr cancel = {.cancellation_type = what >> 4, .clr_flags = &flags};
    struct s6a_idr insert = {.subscription_data = *fake_subscription(), .idr_flags = &flags};
    struct s6a_dsr delete = {.dsr_flags = S6A_DSR_PDN_SUBSCRIPTION_CONTEXTS,
                             .context_identifier = {&id, 1}};

    memcpy(cancel.imsi, phone->imsi, sizeof(cancel.imsi));
    memcpy(insert.imsi, phone->imsi, sizeof(insert.imsi));
    memcpy(delete.imsi, phone->imsi, sizeof(delete.imsi));
    switch (what >> 2 & 3) {
    case 0:
        fake_hss_ask(&s6a_clr_message, &cancel);
        break;
    case 1:
        fake_hss_ask(&s6a_idr_message, &insert);
        break;
    case 2:
        fake_hss_ask(&s6a_dsr_message, &delete);
        break;
    default:
        fake_hss_ask(&s6a_rsr_message, &(struct s6a_rsr){0});
        break;
    }
}

static void change_mode(uint8_t what)
{
    enum fake_mode *const modes[] = {&fake_hss.air,     &fake_hss.ulr,    &fake_hss.pur,
                                     &fake_hss.nor,     &fake_sgw.create, &fake_sgw.modify,
                                     &fake_sgw.release, &fake_sgw.remove};

    *modes[what & 7] = (enum fake_mode)((what >> 3) % 6);
    fake_hss.refusal = DIAMETER_ERROR_USER_UNKNOWN;
    fake_sgw.refusal =
        what & 0x40 ? GTPC_CAUSE_CONTEXT_NOT_FOUND : GTPC_CAUSE_NO_RESOURCES_AVAILABLE;
}

static void enb_says(struct phone *phone, uint8_t what)
{
    struct s1ap_ue_context_release_request release = {
        .mme_ue_s1ap_id = phone->mme_id,
        .enb_ue_s1ap_id = phone->enb_id,
        .cause = s1ap_cause_radio_network(what & 0x80
                                              ? S1AP_RADIO_NETWORK_USER_INACTIVITY
                                              : S1AP_RADIO_NETWORK_RADIO_CONNECTION_WITH_UE_LOST),
    };
    struct s1ap_reset reset = {.reset_type = {.kind = S1AP_RESET_S1_INTERFACE}};
    struct s1ap_initial_context_setup_failure failure = {.mme_ue_s1ap_id = phone->mme_id,
                                                         .enb_ue_s1ap_id = phone->enb_id};
    struct s1ap_e_rab_tunnel tunnel = {5, bytes_of("\x7f\x00\x00\x0a", 4), 7};
    struct s1ap_path_switch_request path = {
        .enb_ue_s1ap_id = next_enb_ue_id++ & 0xffffff,
        .e_rab_to_be_switched_dl_list = {&tunnel, 1},
        .source_mme_ue_s1ap_id = phone->mme_id,
        .eutran_cgi = {home(), 2},
        .tai = {home(), 7},
    };
    struct s1ap_handover_required handover = {
        .mme_ue_s1ap_id = phone->mme_id,
        .enb_ue_s1ap_id = phone->enb_id,
        .target_id = {.kind = S1AP_TARGET_ENB,
                      .enb = {.global_enb_id = {home(), {S1AP_ENB_ID_MACRO, what & 0x80 ? 1 : 2}},
                              .selected_tai = {home(), 7}}},
        .source_to_target_transparent_container = bytes_of("x", 1),
    };
    struct s1ap_handover_cancel cancel = {.mme_ue_s1ap_id = phone->mme_id,
                                          .enb_ue_s1ap_id = phone->enb_id};
    struct s1ap_e_rab_item item = {.e_rab_id = 5};
    struct s1ap_e_rab_release_indication gone = {.mme_ue_s1ap_id = phone->mme_id,
                                                 .enb_ue_s1ap_id = phone->enb_id,
                                                 .e_rab_released_list = {&item, 1}};

    if (!phone->enb)
        return;
    switch (what & 7) {
    case 0:
        fake_enb_send_message(phone->enb, S1AP_UE_CONTEXT_RELEASE_REQUEST, &release);
        break;
    case 1:
        fake_enb_send_message(phone->enb, S1AP_RESET, &reset);
        break;
    case 2:
        fake_enb_send_message(phone->enb, S1AP_INITIAL_CONTEXT_SETUP_FAILURE, &failure);
        break;
    case 3:
        phone->enb = enbs[1];
        phone->enb_id = path.enb_ue_s1ap_id;
        if (phone->enb)
            fake_enb_send_message(phone->enb, S1AP_PATH_SWITCH_REQUEST, &path);
        break;
    case 4:
        fake_enb_send_message(phone->enb, S1AP_HANDOVER_REQUIRED, &handover);
        break;
    case 5:
        fake_enb_send_message(phone->enb, S1AP_HANDOVER_CANCEL, &cancel);
        break;
    case 6:
        fake_enb_send_message(phone->enb, S1AP_E_RAB_RELEASE_INDICATION, &gone);
        break;
    default:
        fake_enb_lose(phone->enb);
        break;
    }
}

/* ---- Steps
 * -------------------------------------------------------------------------------------------------------------------
 */

static void step(void)
{
    uint8_t what = rd_u8(&input), how = rd_u8(&input);
    struct phone *phone = &phones[how % PHONES];
    struct sctp_association *enb = enbs[how & 1];
    struct bytes bytes;

    switch (what % 18) {
    case 0:
        bytes = take_bytes();
        if (enb && bytes.len > 0)
            fake_enb_send(enb, bytes.at, bytes.len);
        break;
    case 1:
        send_pdu(phone, take_bytes());
        break;
    case 2:
        bytes = take_bytes();
        if (bytes.len > 0)
            send_plain(phone, bytes, true);
        break;
    case 3:
        phone->is_connected = false;
        send_attach(phone, how);
        break;
    case 4:
        send_attach(phone, how);
        break;
    case 5:
        send_service_request(phone);
        break;
    case 6:
        send_update(phone, how);
        break;
    case 7:
        send_detach(phone, how);
        break;
    case 8:
        send_pdn_request(phone, how);
        break;
    case 9:
    case 10:
        answer_next(enb);
        break;
    case 11:
        for (unsigned i = 0; i < 12; i++)
            answer_next(enb);
        break;
    case 12:
        enb_says(phone, (uint8_t)(how / PHONES));
        break;
    case 13:
        ask_from_sgw(how);
        break;
    case 14:
        ask_from_hss(how);
        break;
    case 15:
        change_mode(how);
        break;
    case 16:
        bring_up(how & 1);
        fake_release();
        if (how == 0xff)
            fake_sgw_restart();
        if (how & 0x40)
            *phone = (struct phone){.enb = phone->enb, .imsi = "001010000000009"};
        break;
    default:
        loop_skip(how % 8);
        break;
    }
}

/* ---- One input
 * ------------------------------------------------------------------------------------------------------------------
 */

static void stopped(void)
{
}

static void begin(void)
{
    static uint16_t tacs[][1] = {{1}, {7}};
    static struct mme_area_config areas[2];
    static struct sockaddr_storage address;
    static struct mme_pgw_config pgw;

    for (unsigned i = 0; i < 2; i++) {
        areas[i].plmn = home();
        areas[i].tacs.at = tacs[i];
        areas[i].tacs.count = 1;
    }
    memset(&mme.config, 0, sizeof(mme.config));
    mme.config.name = "fuzz";
    mme.config.tracking_areas.at = areas;
    mme.config.tracking_areas.count = 2;
    mme.config.s1ap.listen.at = mme.config.sgw.at = &address;
    mme.config.s1ap.listen.count = mme.config.sgw.count = 1;
    mme.config.pgw.at = &pgw;
    mme.config.pgw.count = 1;
    mme.config.timers =
        (struct mme_timers_config){1, 1, 1, 1, 1, 1, 1, 1, 1, 20, 0, 1000, 20, 20, 2};
    mme.config.limits = (struct mme_limits_config){4, 16, 12, 4096};
    mme.config.paging = (struct mme_paging_config){2, true};
    mme.config.purge_on_detach = mme.config.notify_pgw = true;
    mme.config.network_name.full_name = "fuzz";
    if (mme_start(NULL) < 0)
        abort();
}

/* Every context is registered or in a procedure. */
static void check_contexts(void)
{
    uint32_t at = 0;

    for (struct mme_ue *ue = pool_next(&mme.ues, &at); ue; ue = pool_next(&mme.ues, &at)) {
        if (!ue->is_registered && !ue->run)
            abort();
        if (ue->run && ue->is_registered && mme.runs == 0)
            abort();
        if (ue->s1 && (!mme_s1_get(ue->s1) || mme_s1_get(ue->s1)->ue != ue->id))
            abort();
    }
}

static void end(void)
{
    check_contexts();
    mme_stop(stopped);
    if (fiber_count() != 0)
        abort();
    mme_free();
    metric_forget_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;

    if (!is_ready) {
        log_init("fuzz", LOG_ERROR);
        trace_init(65536);
        arena_init(&arena, 4 * 1024 * 1024);
        is_ready = true;
    }
    loop_init();
    fake_reset();
    fake_hss.is_second_apn = true;
    fake_hss.pdn_type = S6A_PDN_IPV4V6;
    next_enb_ue_id = 1;
    enbs[0] = enbs[1] = NULL;
    begin();
    for (unsigned i = 0; i < PHONES; i++) {
        phones[i] = (struct phone){0};
        snprintf(phones[i].imsi, sizeof(phones[i].imsi), "00101000000000%u", i);
    }
    bring_up(0);
    bring_up(1);
    for (unsigned i = 0; i < PHONES; i++)
        phones[i].enb = enbs[i & 1];
    for (unsigned i = 0; i < 2; i++)
        answer_next(enbs[i]);
    input = reader_of(data, size);
    for (unsigned i = 0; i < MAX_STEPS && rd_left(&input) > 1; i++)
        step();
    end();
    fake_reset();
    loop_free();
    return 0;
}
