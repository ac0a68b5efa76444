/*
 * phone.c -- what reaches a phone: NAS messages, paging, the comings and goings of its connection.
 *
 * A NAS message is unprotected and decoded in the arena of the dispatch. What the network may ask
 * in any procedure (identity, authentication, security mode, ESM information, GUTI reallocation) is
 * answered here; everything else goes to the fiber of the procedure that runs (procedures.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "lab/inner.h"

/* What the phones support: EEA0..3, EIA1..3 (and EIA0 for emergency only, not announced). */
static const struct nas_ue_network_capability network_capability = {.len = 2,
                                                                    .octets = {0xf0, 0x70}};

static int parse_secret(const char *digits, uint8_t secret[16])
{
    return digits && hex_parse(digits, secret, 16) == 16 ? 0 : -EINVAL;
}

static int init_usim(struct usim *usim, const struct lab_phones_config *config)
{
    uint8_t op[16];

    memcpy(usim->secrets.k, config->k, 16);
    if (config->opc)
        return parse_secret(config->opc, usim->secrets.opc);
    if (parse_secret(config->op, op) < 0)
        return -EINVAL;
    return milenage_opc(usim->secrets.k, op, usim->secrets.opc);
}

int phone_init(struct phone *phone, uint32_t index, const struct lab_phones_config *config,
               uint32_t number)
{
    size_t digits = strlen(config->imsi);

    phone->index = index;
    phone->config = config;
    snprintf(phone->imsi, sizeof(phone->imsi), "%0*llu", (int)digits,
             strtoull(config->imsi, NULL, 10) + number);
    phone->enb = &lab.enbs[index % lab.config.enbs.count];
    for (size_t i = 0; config->enb && i < lab.config.enbs.count; i++) {
        if (strcmp(lab.config.enbs.at[i].name, config->enb) == 0)
            phone->enb = &lab.enbs[i];
    }
    phone->security.ksi = NAS_KSI_NO_KEY;
    return init_usim(&phone->usim, config);
}

/* ---- sending ---- */

/* Until the network has shown on this connection that it has the security context, messages must be
 * readable without it: integrity only (TS 24.301 clause 4.4.5). */
static enum nas_security_header header_for(const struct phone *phone, enum nas_message_type type)
{
    if (type == NAS_SECURITY_MODE_COMPLETE)
        return NAS_INTEGRITY_CIPHERED_NEW;
    return phone->exchange ? NAS_INTEGRITY_CIPHERED : NAS_INTEGRITY;
}

/* Encodes, protects when there is security, and hands it to the eNodeB, opening a connection with
 * `cause` if needed. */
static int send_nas(struct phone *phone, const struct nas_message *m,
                    enum s1ap_rrc_establishment_cause cause)
{
    uint8_t plain_room[LAB_NAS_SIZE], room[LAB_NAS_SIZE + 16];
    struct writer plain = writer_of(plain_room, sizeof(plain_room));
    struct writer w = writer_of(room, sizeof(room));
    struct bytes pdu;

    nas_encode(&plain, m);
    if (plain.bad)
        return -EMSGSIZE;
    pdu = wr_view(&plain);
    if (phone->secured) {
        int err = nas_protect(&phone->security, EPS_UPLINK, header_for(phone, m->type), pdu, &w);
        if (err < 0)
            return err;
        pdu = wr_view(&w);
    }
    return phone->enb_ue_s1ap_id ? enb_uplink_nas(phone, pdu) : enb_connect(phone, pdu, cause);
}

int phone_send(struct phone *phone, const struct nas_message *m)
{
    return send_nas(phone, m, S1AP_RRC_MO_SIGNALLING);
}

/* ---- what the network may ask at any time ---- */

static void answer_identity(struct phone *phone, const struct nas_identity_request *request)
{
    struct nas_identity_response response = {.mobile_identity.kind = NAS_IDENTITY_IMSI};
    struct nas_message m = {.type = NAS_IDENTITY_RESPONSE, .identity_response = &response};
    struct nas_identity *identity = &response.mobile_identity;

    switch (request->identity_type) {
    case NAS_ASK_IMEISV:
        identity->kind = NAS_IDENTITY_IMEISV;
        snprintf(identity->imei, sizeof(identity->imei), "%s", phone->config->imeisv);
        break;
    case NAS_ASK_IMEI:
        identity->kind = NAS_IDENTITY_IMEI;
        snprintf(identity->imei, 16, "%s", phone->config->imeisv);
        break;
    default:
        memcpy(identity->imsi, phone->imsi, sizeof(identity->imsi));
        break;
    }
    phone_send(phone, &m);
}

static void refuse_authentication(struct phone *phone, enum nas_emm_cause cause,
                                  const uint8_t auts[14])
{
    struct bytes parameter = bytes_of(auts, 14);
    struct nas_authentication_failure failure = {
        .emm_cause = (uint8_t)cause,
        .authentication_failure_parameter = cause == EMM_CAUSE_SYNCH_FAILURE ? &parameter : NULL};
    struct nas_message m = {.type = NAS_AUTHENTICATION_FAILURE, .authentication_failure = &failure};

    phone_send(phone, &m);
}

static void answer_authentication(struct phone *phone,
                                  const struct nas_authentication_request *request)
{
    struct milenage_vector vector;
    uint8_t auts[14], sn_id[3];
    struct writer w = writer_of(sn_id, sizeof(sn_id));

    switch (usim_authenticate(&phone->usim, request->rand, request->autn, &vector, auts)) {
    case USIM_MAC_FAILURE:
        refuse_authentication(phone, EMM_CAUSE_MAC_FAILURE, auts);
        return;
    case USIM_SYNC_FAILURE:
        refuse_authentication(phone, EMM_CAUSE_SYNCH_FAILURE, auts);
        return;
    case USIM_NOT_EPS:
        refuse_authentication(phone, EMM_CAUSE_NON_EPS_AUTHENTICATION_UNACCEPTABLE, auts);
        return;
    case USIM_ACCEPTED:
        break;
    }
    wr_plmn(&w, &phone->enb->config->plmn);
    kdf_kasme(vector.ck, vector.ik, sn_id, request->autn, phone->kasme);
    phone->kasme_ksi = request->nas_ksi;
    struct nas_authentication_response response = {.res = bytes_of(vector.res, 8)};
    struct nas_message m = {.type = NAS_AUTHENTICATION_RESPONSE,
                            .authentication_response = &response};
    phone_send(phone, &m);
}

/* The context was taken when the command's MAC was checked (open_new_context); here the answer. */
static void answer_security_mode(struct phone *phone,
                                 const struct nas_security_mode_command *command)
{
    struct nas_identity imeisv = {.kind = NAS_IDENTITY_IMEISV};
    struct nas_security_mode_complete complete = {.imeisv = NULL};
    struct nas_message m = {.type = NAS_SECURITY_MODE_COMPLETE,
                            .security_mode_complete = &complete};

    if (command->imeisv_request && *command->imeisv_request == NAS_IMEISV_REQUESTED) {
        snprintf(imeisv.imei, sizeof(imeisv.imei), "%s", phone->config->imeisv);
        complete.imeisv = &imeisv;
    }
    phone_send(phone, &m);
}

static void answer_esm_information(struct phone *phone, const struct nas_message *request)
{
    struct nas_apn apn;
    struct nas_esm_information_response response = {.apn = NULL};
    struct nas_message m = {.type = NAS_ESM_INFORMATION_RESPONSE,
                            .pti = request->pti,
                            .esm_information_response = &response};

    if (phone->config->apn) {
        snprintf(apn.name, sizeof(apn.name), "%s", phone->config->apn);
        response.apn = &apn;
    }
    phone_send(phone, &m);
}

static void take_guti(struct phone *phone, const struct nas_identity *identity)
{
    if (identity->kind == NAS_IDENTITY_GUTI) {
        phone->guti = identity->guti;
        phone->has_guti = true;
    }
}

static void answer_guti_reallocation(struct phone *phone,
                                     const struct nas_guti_reallocation_command *command)
{
    struct nas_message m = {.type = NAS_GUTI_REALLOCATION_COMPLETE};

    take_guti(phone, &command->guti);
    phone_send(phone, &m);
}

/* Network-initiated detach (TS 24.301 clause 5.5.2.3). */
static void answer_detach(struct phone *phone)
{
    struct nas_message m = {.type = NAS_DETACH_ACCEPT, .direction = EPS_UPLINK};

    log_info("%s is detached by the network", phone->imsi);
    phone_send(phone, &m);
    phone->state = PHONE_OFF;
    phone_interface_down(phone);
}

bool phone_answer_common(struct phone *phone, const struct nas_message *m)
{
    switch (m->type) {
    case NAS_IDENTITY_REQUEST:
        answer_identity(phone, m->identity_request);
        return true;
    case NAS_AUTHENTICATION_REQUEST:
        answer_authentication(phone, m->authentication_request);
        return true;
    case NAS_SECURITY_MODE_COMMAND:
        answer_security_mode(phone, m->security_mode_command);
        return true;
    case NAS_ESM_INFORMATION_REQUEST:
        answer_esm_information(phone, m);
        return true;
    case NAS_GUTI_REALLOCATION_COMMAND:
        answer_guti_reallocation(phone, m->guti_reallocation_command);
        return true;
    case NAS_DETACH_REQUEST:
        answer_detach(phone);
        return true;
    case NAS_EMM_INFORMATION:
        return true;
    default:
        return false;
    }
}

/* ---- receiving ---- */

/* Security Mode Command comes in clear but protected with the context that it begins (TS 24.301
 * clause 5.4.3.2): read the algorithms first, then check the MAC with them. */
static int open_new_context(struct phone *phone, struct bytes pdu, struct nas_opened *opened)
{
    struct nas_header header;
    struct nas_message m;
    struct nas_fault fault;
    struct nas_security_context fresh;

    if (nas_header_read(pdu, &header) < 0 ||
        nas_decode(header.inner, EPS_DOWNLINK, &lab.arena, &m, &fault) < 0 ||
        m.type != NAS_SECURITY_MODE_COMMAND)
        return -EBADMSG;
    const struct nas_security_mode_command *command = m.security_mode_command;
    const uint8_t *kasme =
        command->nas_ksi == phone->kasme_ksi ? phone->kasme : phone->security.kasme;
    int err = nas_security_start(&fresh, kasme, command->nas_ksi, command->selected_eea,
                                 command->selected_eia);
    if (err == 0)
        err = nas_unprotect(&fresh, EPS_DOWNLINK, pdu, &lab.arena, opened);
    if (err < 0)
        return err;
    phone->security = fresh;
    phone->secured = true;
    return 0;
}

static int open_pdu(struct phone *phone, struct bytes pdu, struct bytes *plain)
{
    struct nas_header header;
    struct nas_opened opened = {0};
    int err = nas_header_read(pdu, &header);

    if (err < 0)
        return err;
    if (header.security == NAS_PLAIN) {
        *plain = pdu;
        return 0;
    }
    if (header.security == NAS_INTEGRITY_NEW)
        err = open_new_context(phone, pdu, &opened);
    else if (phone->secured)
        err = nas_unprotect(&phone->security, EPS_DOWNLINK, pdu, &lab.arena, &opened);
    else
        err = -EACCES;
    if (err < 0)
        return err;
    phone->exchange = true;
    *plain = opened.plain;
    return 0;
}

void phone_downlink_nas(struct phone *phone, struct bytes pdu)
{
    struct nas_message m;
    struct nas_fault fault;
    struct bytes plain;

    int err = open_pdu(phone, pdu, &plain);
    if (err < 0) {
        log_warn("%s cannot open a NAS message: %s", phone->imsi, strerror(-err));
        return;
    }
    trace_message(TRACE_NAS, false, NULL, NULL, phone->imsi, plain);
    if (nas_decode(plain, EPS_DOWNLINK, &lab.arena, &m, &fault) < 0) {
        log_warn("%s got a NAS message it does not understand (%s)", phone->imsi,
                 nas_emm_cause_name(fault.cause));
        return;
    }
    if (phone_answer_common(phone, &m))
        return;
    struct phone_event event = {PHONE_NAS, &m};
    if (!await_deliver(&phone->await, &event))
        log_debug("%s: %s came when nothing waited for it", phone->imsi, nas_message_name(m.type));
}

void phone_bearer_up(struct phone *phone)
{
    struct phone_event event = {PHONE_BEARERS_UP, NULL};

    /* The network takes up the radio's security with keys of the context: it has it
     * (clause 4.4.2.5). */
    phone->exchange = phone->secured;
    phone_flush_waiting(phone);
    await_deliver(&phone->await, &event);
}

void phone_released(struct phone *phone)
{
    struct phone_event event = {PHONE_RELEASED, NULL};

    phone->exchange = false;
    await_deliver(&phone->await, &event);
}

static void answer_page(void *argument)
{
    struct phone *phone = argument;

    fiber_set_subject(phone->imsi);
    int result = phone_service_request(phone, true);
    if (result != 0)
        log_warn("answer to paging failed (%d)", result);
}

void phone_paged(struct phone *phone)
{
    phone->pages++;
    if (phone->state == PHONE_REGISTERED && !phone->busy && phone->enb_ue_s1ap_id == 0)
        fiber_spawn("paged", answer_page, phone);
}

int phone_wait(struct phone *phone, int timeout_ms, struct phone_event *event)
{
    void *value;
    int err = await(&phone->await, timeout_ms, &value);

    if (err == 0)
        *event = *(const struct phone_event *)value;
    return err;
}

const struct nas_ue_network_capability *phone_network_capability(void)
{
    return &network_capability;
}
