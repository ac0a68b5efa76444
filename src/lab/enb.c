/*
 * enb.c -- an eNodeB towards its MME: S1 Setup and what an eNodeB does in the UE procedures of
 * TS 36.413.
 *
 * One fiber per eNodeB keeps the association: connect, S1 Setup, wait until it is lost, again.
 * Messages for phones are dispatched by ENB-UE-S1AP-ID; the phone behind it answers in the same
 * call chain. An eNodeB has no procedures of its own that wait, except S1 Setup.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "lab/inner.h"

#define RECONNECT_MS  1000
#define SETUP_MS      5000
#define MESSAGE_SIZE  4096
#define NO_CONNECTION 0
#define ID_MASK       0xffffffu /* ENB-UE-S1AP-ID has 24 bits */
#define UE_STREAM     1

/* What the phone could tell about its radio, had it one: opaque to the core. TS 36.331 clause
 * 10.2.2, UERadioAccessCapabilityInformation in unaligned PER: E-UTRA, release 9, category 4,
 * bands 1, 3, 7 and 20, which it measures in gaps. */
static const uint8_t radio_capability[] = {
    0x00, 0xb0, 0x01, 0x01, 0x38, 0x58, 0x00, 0x03, 0x00, 0x10, 0x62, 0x60,
    0xc1, 0xf8, 0x3f, 0x07, 0xe0, 0xfd, 0xfc, 0x37, 0xfe, 0x00, 0x00, 0x00,
};

static struct ecgi cell_of(const struct enb *enb)
{
    return (struct ecgi){.plmn = enb->config->plmn, .cell_id = enb->config->id << 8 | 1};
}

static struct tai tai_of(const struct enb *enb)
{
    return (struct tai){.plmn = enb->config->plmn, .tac = enb->config->tac};
}

/* Encodes and sends; UE-associated signalling goes on a stream of its own (TS 36.412 clause 7). */
static int send_message(struct enb *enb, const char *subject, enum s1ap_message message,
                        const void *body)
{
    uint8_t room[MESSAGE_SIZE];
    struct writer w = writer_of(room, sizeof(room));
    uint16_t stream = subject[0] && sctp_streams(enb->association) > UE_STREAM ? UE_STREAM : 0;

    int err = s1ap_encode(&w, message, body);
    if (err < 0) {
        log_error("%s cannot be encoded: %s", s1ap_message_name(message), strerror(-err));
        return err;
    }
    trace_message(TRACE_S1AP, true, sctp_local_address(enb->association),
                  sctp_peer_address(enb->association), subject, wr_view(&w));
    return sctp_send(enb->association, stream, SCTP_PPID_S1AP, wr_view(&w));
}

/* ---- connections ---- */

static struct phone *phone_of(const struct enb *enb, const uint32_t *enb_ue_s1ap_id)
{
    uint64_t index = enb_ue_s1ap_id ? map_get(&enb->connections, *enb_ue_s1ap_id) : 0;

    return index ? &lab.phones[index - 1] : NULL;
}

static int add_connection(struct enb *enb, struct phone *phone)
{
    do
        enb->next_connection = (enb->next_connection + 1) & ID_MASK;
    while (enb->next_connection == NO_CONNECTION ||
           map_get(&enb->connections, enb->next_connection));
    int err = map_set(&enb->connections, enb->next_connection, phone->index + 1);
    if (err == 0)
        phone->enb_ue_s1ap_id = enb->next_connection;
    return err;
}

/* Forgets the connection and tells the phone. */
static void end_connection(struct enb *enb, struct phone *phone)
{
    map_remove(&enb->connections, phone->enb_ue_s1ap_id);
    phone->enb_ue_s1ap_id = NO_CONNECTION;
    phone->has_mme_id = false;
    memset(phone->bearers, 0, sizeof(phone->bearers));
    phone_released(phone);
}

int enb_connect(struct phone *phone, struct bytes nas, enum s1ap_rrc_establishment_cause cause)
{
    struct enb *enb = phone->enb;

    if (!enb->up)
        return -ENETDOWN;
    if (phone->enb_ue_s1ap_id != NO_CONNECTION)
        return -EISCONN;
    int err = add_connection(enb, phone);
    if (err < 0)
        return err;
    struct s1ap_s_tmsi s_tmsi = {phone->guti.gummei.mme_code, phone->guti.m_tmsi};
    struct s1ap_initial_ue_message m = {
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .nas_pdu = nas,
        .tai = tai_of(enb),
        .eutran_cgi = cell_of(enb),
        .rrc_establishment_cause = cause,
        /* TS 36.331: the phone gives its S-TMSI to the eNodeB when it is registered in this
           tracking area. */
        .s_tmsi = phone->has_guti ? &s_tmsi : NULL,
    };
    err = send_message(enb, phone->imsi, S1AP_INITIAL_UE_MESSAGE, &m);
    if (err < 0) {
        map_remove(&enb->connections, phone->enb_ue_s1ap_id);
        phone->enb_ue_s1ap_id = NO_CONNECTION;
    }
    return err;
}

int enb_uplink_nas(struct phone *phone, struct bytes nas)
{
    if (phone->enb_ue_s1ap_id == NO_CONNECTION || !phone->has_mme_id)
        return -ENOTCONN;
    struct s1ap_uplink_nas_transport m = {
        .mme_ue_s1ap_id = phone->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .nas_pdu = nas,
        .eutran_cgi = cell_of(phone->enb),
        .tai = tai_of(phone->enb),
    };
    return send_message(phone->enb, phone->imsi, S1AP_UPLINK_NAS_TRANSPORT, &m);
}

int enb_request_release(struct phone *phone, enum s1ap_cause_radio_network cause)
{
    if (phone->enb_ue_s1ap_id == NO_CONNECTION || !phone->has_mme_id)
        return -ENOTCONN;
    struct s1ap_ue_context_release_request m = {
        .mme_ue_s1ap_id = phone->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .cause = s1ap_cause_radio_network(cause),
    };
    return send_message(phone->enb, phone->imsi, S1AP_UE_CONTEXT_RELEASE_REQUEST, &m);
}

void enb_forget(struct phone *phone)
{
    if (phone->enb_ue_s1ap_id != NO_CONNECTION)
        end_connection(phone->enb, phone);
}

int enb_path_switch(struct phone *phone, struct enb *target)
{
    struct s1ap_e_rab_tunnel tunnels[LAB_MAX_BEARERS];
    uint32_t source = phone->mme_ue_s1ap_id;
    size_t count = 0;

    if (!target->up || phone->enb_ue_s1ap_id == NO_CONNECTION || !phone->has_mme_id)
        return -ENOTCONN;
    map_remove(&phone->enb->connections, phone->enb_ue_s1ap_id);
    phone->enb = target;
    int err = add_connection(target, phone);
    if (err < 0)
        return err;
    for (size_t i = 0; i < LAB_MAX_BEARERS; i++) {
        if (phone->bearers[i].ebi)
            tunnels[count++] = (struct s1ap_e_rab_tunnel){phone->bearers[i].ebi,
                                                          bytes_of(&target->config->gtpu, 4),
                                                          phone->bearers[i].enb_teid};
    }
    struct s1ap_path_switch_request m = {
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .e_rab_to_be_switched_dl_list = {tunnels, count},
        .source_mme_ue_s1ap_id = source,
        .eutran_cgi = cell_of(target),
        .tai = tai_of(target),
        .ue_security_capabilities = {0xe000, 0xe000},
    };
    return send_message(target, phone->imsi, S1AP_PATH_SWITCH_REQUEST, &m);
}

/* ---- what the MME sends ---- */

/* Makes a bearer of what the MME asks for; false when there is no place or the address is no IPv4.
 */
static bool add_bearer(struct phone *phone, const struct s1ap_e_rab_to_be_setup *e_rab)
{
    if (e_rab->transport_layer_address.len < 4)
        return false;
    for (size_t i = 0; i < LAB_MAX_BEARERS; i++) {
        struct bearer *b = &phone->bearers[i];
        if (b->ebi != 0 && b->ebi != e_rab->e_rab_id)
            continue;
        *b = (struct bearer){.ebi = e_rab->e_rab_id,
                             .sgw_teid = e_rab->gtp_teid,
                             .enb_teid = enb_teid(phone, e_rab->e_rab_id)};
        memcpy(&b->sgw, e_rab->transport_layer_address.at, 4);
        return true;
    }
    return false;
}

/* The bearers of a request, sorted into those set up and those that failed. */
struct setup {
    struct s1ap_e_rab_tunnel tunnels[LAB_MAX_BEARERS];
    struct s1ap_e_rab_item failed[16];
    size_t done, failures;
};

static void set_up_bearers(struct enb *enb, struct phone *phone,
                           const struct s1ap_e_rab_to_be_setup *e_rabs, size_t count,
                           struct setup *setup)
{
    for (size_t i = 0; i < count; i++) {
        if (add_bearer(phone, &e_rabs[i]))
            setup->tunnels[setup->done++] =
                (struct s1ap_e_rab_tunnel){e_rabs[i].e_rab_id, bytes_of(&enb->config->gtpu, 4),
                                           enb_teid(phone, e_rabs[i].e_rab_id)};
        else if (setup->failures < 16)
            setup->failed[setup->failures++] = (struct s1ap_e_rab_item){
                e_rabs[i].e_rab_id,
                s1ap_cause_radio_network(S1AP_RADIO_NETWORK_RADIO_RESOURCES_NOT_AVAILABLE)};
    }
}

/* The phone's capability goes up once, when the MME does not know it (TS 36.413 clause 8.9). */
static void send_capability(struct enb *enb, struct phone *phone)
{
    struct s1ap_ue_capability_info_indication m = {
        .mme_ue_s1ap_id = phone->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .ue_radio_capability = bytes_of(radio_capability, sizeof(radio_capability)),
    };
    send_message(enb, phone->imsi, S1AP_UE_CAPABILITY_INFO_INDICATION, &m);
}

/* NAS messages of the bearers go to the phone when the MME has the answer. `pdus` is what was
 * there; a phone may end its connection at any of them. */
static void deliver_nas(struct phone *phone, const struct s1ap_e_rab_to_be_setup *e_rabs,
                        size_t count)
{
    for (size_t i = 0; i < count && phone->enb_ue_s1ap_id != NO_CONNECTION; i++) {
        if (e_rabs[i].nas_pdu)
            phone_downlink_nas(phone, *e_rabs[i].nas_pdu);
    }
}

static void on_initial_context_setup(struct enb *enb, struct phone *phone,
                                     const struct s1ap_pdu *pdu)
{
    const struct s1ap_initial_context_setup_request *request = pdu->initial_context_setup_request;
    struct setup setup = {.done = 0};

    phone->mme_ue_s1ap_id = request->mme_ue_s1ap_id;
    phone->has_mme_id = true;
    set_up_bearers(enb, phone, request->e_rab_to_be_setup_list.at,
                   request->e_rab_to_be_setup_list.count, &setup);
    if (!request->ue_radio_capability)
        send_capability(enb, phone);
    struct s1ap_initial_context_setup_response response = {
        .mme_ue_s1ap_id = request->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .e_rab_setup_list = {setup.tunnels, setup.done},
        .e_rab_failed_to_setup_list = {setup.failed, setup.failures},
    };
    send_message(enb, phone->imsi, S1AP_INITIAL_CONTEXT_SETUP_RESPONSE, &response);
    deliver_nas(phone, request->e_rab_to_be_setup_list.at, request->e_rab_to_be_setup_list.count);
    phone_bearer_up(phone);
}

static void on_e_rab_setup(struct enb *enb, struct phone *phone, const struct s1ap_pdu *pdu)
{
    const struct s1ap_e_rab_setup_request *request = pdu->e_rab_setup_request;
    struct setup setup = {.done = 0};

    set_up_bearers(enb, phone, request->e_rab_to_be_setup_list.at,
                   request->e_rab_to_be_setup_list.count, &setup);
    struct s1ap_e_rab_setup_response response = {
        .mme_ue_s1ap_id = request->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .e_rab_setup_list = {setup.tunnels, setup.done},
        .e_rab_failed_to_setup_list = {setup.failed, setup.failures},
    };
    send_message(enb, phone->imsi, S1AP_E_RAB_SETUP_RESPONSE, &response);
    deliver_nas(phone, request->e_rab_to_be_setup_list.at, request->e_rab_to_be_setup_list.count);
}

static void on_e_rab_release(struct enb *enb, struct phone *phone, const struct s1ap_pdu *pdu)
{
    const struct s1ap_e_rab_release_command *command = pdu->e_rab_release_command;
    uint8_t released[16];
    size_t count = 0;

    for (size_t i = 0; i < command->e_rab_to_be_released_list.count && count < 16; i++) {
        uint8_t id = command->e_rab_to_be_released_list.at[i].e_rab_id;
        for (size_t n = 0; n < LAB_MAX_BEARERS; n++) {
            if (phone->bearers[n].ebi == id)
                phone->bearers[n].ebi = 0;
        }
        released[count++] = id;
    }
    struct s1ap_e_rab_release_response response = {
        .mme_ue_s1ap_id = command->mme_ue_s1ap_id,
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
        .e_rab_release_list = {released, count},
    };
    send_message(enb, phone->imsi, S1AP_E_RAB_RELEASE_RESPONSE, &response);
    if (command->nas_pdu)
        phone_downlink_nas(phone, *command->nas_pdu);
}

static void on_downlink_nas(struct enb *enb, struct phone *phone, const struct s1ap_pdu *pdu)
{
    (void)enb;
    phone->mme_ue_s1ap_id = pdu->downlink_nas_transport->mme_ue_s1ap_id;
    phone->has_mme_id = true;
    phone_downlink_nas(phone, pdu->downlink_nas_transport->nas_pdu);
}

static void on_release_command(struct enb *enb, struct phone *phone, const struct s1ap_pdu *pdu)
{
    struct s1ap_ue_context_release_complete complete = {
        .mme_ue_s1ap_id = pdu->ue_context_release_command->ue_s1ap_ids.mme_ue_s1ap_id,
        .enb_ue_s1ap_id = phone->enb_ue_s1ap_id,
    };

    send_message(enb, phone->imsi, S1AP_UE_CONTEXT_RELEASE_COMPLETE, &complete);
    end_connection(enb, phone);
}

static void on_path_switch_acknowledge(struct enb *enb, struct phone *phone,
                                       const struct s1ap_pdu *pdu)
{
    const struct s1ap_path_switch_request_acknowledge *m = pdu->path_switch_request_acknowledge;

    (void)enb;
    for (size_t i = 0; i < m->e_rab_to_be_switched_ul_list.count; i++) {
        const struct s1ap_e_rab_tunnel *tunnel = &m->e_rab_to_be_switched_ul_list.at[i];
        for (size_t n = 0; n < LAB_MAX_BEARERS; n++) {
            struct bearer *b = &phone->bearers[n];
            if (b->ebi != tunnel->e_rab_id || tunnel->transport_layer_address.len < 4)
                continue;
            memcpy(&b->sgw, tunnel->transport_layer_address.at, 4);
            b->sgw_teid = tunnel->gtp_teid;
        }
    }
    phone_bearer_up(phone);
}

static void on_path_switch_failure(struct enb *enb, struct phone *phone, const struct s1ap_pdu *pdu)
{
    (void)pdu;
    end_connection(enb, phone);
}

/* Messages for a phone that has a connection. */
static const struct {
    enum s1ap_message message;
    void (*handle)(struct enb *enb, struct phone *phone, const struct s1ap_pdu *pdu);
} phone_messages[] = {
    {S1AP_DOWNLINK_NAS_TRANSPORT, on_downlink_nas},
    {S1AP_INITIAL_CONTEXT_SETUP_REQUEST, on_initial_context_setup},
    {S1AP_UE_CONTEXT_RELEASE_COMMAND, on_release_command},
    {S1AP_E_RAB_SETUP_REQUEST, on_e_rab_setup},
    {S1AP_E_RAB_RELEASE_COMMAND, on_e_rab_release},
    {S1AP_PATH_SWITCH_REQUEST_ACKNOWLEDGE, on_path_switch_acknowledge},
    {S1AP_PATH_SWITCH_REQUEST_FAILURE, on_path_switch_failure},
};

/* A release command may know only the MME's id (TS 36.413 clause 9.1.4.6). */
static struct phone *phone_by_mme_id(const struct enb *enb, uint32_t mme_ue_s1ap_id)
{
    size_t at = 0;
    uint64_t key, index;

    while (map_next(&enb->connections, &at, &key, &index)) {
        struct phone *phone = &lab.phones[index - 1];
        if (phone->has_mme_id && phone->mme_ue_s1ap_id == mme_ue_s1ap_id)
            return phone;
    }
    return NULL;
}

static void on_paging(const struct s1ap_paging *paging)
{
    /* Few phones are paged at once: a walk is good enough for a lab of a hundred thousand. */
    for (uint32_t i = 0; i < lab.phone_count; i++) {
        struct phone *phone = &lab.phones[i];
        bool meant = paging->ue_paging_id.kind == S1AP_PAGE_BY_S_TMSI
                         ? phone->has_guti &&
                               phone->guti.m_tmsi == paging->ue_paging_id.s_tmsi.m_tmsi &&
                               phone->guti.gummei.mme_code == paging->ue_paging_id.s_tmsi.mme_code
                         : strcmp(phone->imsi, paging->ue_paging_id.imsi) == 0;
        if (meant) {
            phone_paged(phone);
            return;
        }
    }
}

static void on_reset(struct enb *enb, const struct s1ap_reset *reset)
{
    struct s1ap_reset_acknowledge acknowledge = {
        .ue_associated_logical_s1_connection_list = {reset->reset_type.part.at,
                                                     reset->reset_type.part.count}};

    if (reset->reset_type.kind == S1AP_RESET_S1_INTERFACE) {
        acknowledge.ue_associated_logical_s1_connection_list.count = 0;
        for (uint32_t i = 0; i < lab.phone_count; i++) {
            if (lab.phones[i].enb == enb && lab.phones[i].enb_ue_s1ap_id != NO_CONNECTION)
                end_connection(enb, &lab.phones[i]);
        }
    }
    for (size_t i = 0; i < acknowledge.ue_associated_logical_s1_connection_list.count; i++) {
        struct phone *phone = phone_of(enb, reset->reset_type.part.at[i].enb_ue_s1ap_id);
        if (phone)
            end_connection(enb, phone);
    }
    send_message(enb, "", S1AP_RESET_ACKNOWLEDGE, &acknowledge);
}

static void on_error_indication(const struct enb *enb, const struct s1ap_pdu *pdu)
{
    char words[400];
    struct text t = text_in(words, sizeof(words));

    s1ap_print(&t, pdu);
    log_warn("%s: the MME indicates an error: %s", enb->config->name, words);
}

/* Messages about the interface; true when it was one. */
static bool dispatch_interface(struct enb *enb, const struct s1ap_pdu *pdu)
{
    struct s1ap_mme_configuration_update_acknowledge acknowledge = {0};

    switch (pdu->message) {
    case S1AP_S1_SETUP_RESPONSE:
    case S1AP_S1_SETUP_FAILURE:
        await_deliver(&enb->setup, (void *)(uintptr_t)pdu);
        return true;
    case S1AP_PAGING:
        on_paging(pdu->paging);
        return true;
    case S1AP_RESET:
        on_reset(enb, pdu->reset);
        return true;
    case S1AP_MME_CONFIGURATION_UPDATE:
        send_message(enb, "", S1AP_MME_CONFIGURATION_UPDATE_ACKNOWLEDGE, &acknowledge);
        return true;
    case S1AP_ERROR_INDICATION:
        on_error_indication(enb, pdu);
        return true;
    case S1AP_RESET_ACKNOWLEDGE:
    case S1AP_OVERLOAD_START:
    case S1AP_OVERLOAD_STOP:
        return true;
    default:
        return false;
    }
}

static void dispatch_phone(struct enb *enb, struct phone *phone, const struct s1ap_pdu *pdu)
{
    for (size_t i = 0; i < sizeof(phone_messages) / sizeof(phone_messages[0]); i++) {
        if (phone_messages[i].message == pdu->message) {
            phone_messages[i].handle(enb, phone, pdu);
            return;
        }
    }
    log_warn("%s: %s is not for this eNodeB", enb->config->name, s1ap_message_name(pdu->message));
}

static void refuse_unknown(struct enb *enb, const struct s1ap_pdu *pdu)
{
    struct s1ap_cause cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_ENB_UE_S1AP_ID);
    struct s1ap_error_indication error = {
        .mme_ue_s1ap_id = (uint32_t *)(uintptr_t)s1ap_mme_ue_s1ap_id(pdu),
        .enb_ue_s1ap_id = (uint32_t *)(uintptr_t)s1ap_enb_ue_s1ap_id(pdu),
        .cause = &cause,
    };

    send_message(enb, "", S1AP_ERROR_INDICATION, &error);
}

static void on_message(struct sctp_association *association, void *owner,
                       const struct sctp_message *message)
{
    struct enb *enb = owner;
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    arena_reset(&lab.arena);
    s1ap_decode(message->payload, &lab.arena, &pdu, &report);
    struct phone *phone = phone_of(enb, s1ap_enb_ue_s1ap_id(&pdu));
    if (!phone && pdu.message == S1AP_UE_CONTEXT_RELEASE_COMMAND &&
        report.verdict == S1AP_PROCEED &&
        pdu.ue_context_release_command->ue_s1ap_ids.kind == S1AP_MME_UE_S1AP_ID_ONLY)
        phone = phone_by_mme_id(enb, pdu.ue_context_release_command->ue_s1ap_ids.mme_ue_s1ap_id);
    trace_message(TRACE_S1AP, false, sctp_local_address(association),
                  sctp_peer_address(association), phone ? phone->imsi : "", message->payload);
    if (report.verdict == S1AP_REJECT || report.verdict == S1AP_ERROR) {
        struct s1ap_error_indication error = s1ap_error_indication_of(&pdu, &report);
        send_message(enb, "", S1AP_ERROR_INDICATION, &error);
    } else if (report.verdict != S1AP_DROP && !dispatch_interface(enb, &pdu)) {
        if (phone)
            dispatch_phone(enb, phone, &pdu);
        else
            refuse_unknown(enb, &pdu);
    }
}

/* ---- the association ---- */

static void on_up(struct sctp_association *association, void *owner)
{
    (void)association;
    await_deliver(&((struct enb *)owner)->setup, NULL);
}

static void on_writable(struct sctp_association *association, void *owner)
{
    (void)association;
    (void)owner;
}

static void on_down(struct sctp_association *association, void *owner, enum sctp_down reason)
{
    struct enb *enb = owner;

    (void)association;
    if (enb->up)
        log_warn("%s: lost its MME: %s", enb->config->name, sctp_down_text(reason));
    enb->association = NULL;
    enb->up = false;
    for (uint32_t i = 0; i < lab.phone_count; i++) {
        if (lab.phones[i].enb == enb && lab.phones[i].enb_ue_s1ap_id != NO_CONNECTION)
            end_connection(enb, &lab.phones[i]);
    }
    await_fail(&enb->setup, -ECONNRESET);
}

static const struct sctp_handler handler = {on_up, on_message, on_writable, on_down};

static int connect_to_mme(struct enb *enb)
{
    struct sctp_settings settings = sctp_settings_default();

    settings.carrier = enb->config->carrier;
    settings.udp_port = enb->config->udp_port;
    settings.udp_peer_port = enb->config->mme_udp_port;
    settings.streams = 2;
    return sctp_connect((const struct sockaddr *)&enb->config->s1ap,
                        (const struct sockaddr *)&enb->config->mme, &settings, &handler, enb,
                        &enb->association);
}

static int send_setup(struct enb *enb)
{
    struct plmn plmn = enb->config->plmn;
    struct s1ap_supported_ta ta = {.tac = enb->config->tac, .broadcast_plmns = {&plmn, 1}};
    struct bytes name = bytes_of(enb->config->name, strlen(enb->config->name));
    struct s1ap_s1_setup_request request = {
        .global_enb_id = {.plmn = plmn, .enb_id = {S1AP_ENB_ID_MACRO, enb->config->id}},
        .enb_name = &name,
        .supported_tas = {&ta, 1},
        .default_paging_drx = S1AP_PAGING_DRX_V128,
    };

    return send_message(enb, "", S1AP_S1_SETUP_REQUEST, &request);
}

/* S1 Setup (TS 36.413 clause 8.7.3), then waits for the end of the association. */
static void serve_association(struct enb *enb)
{
    void *answer;

    if (connect_to_mme(enb) < 0 || await(&enb->setup, -1, NULL) < 0)
        return;
    if (send_setup(enb) < 0 || await(&enb->setup, SETUP_MS, &answer) < 0)
        return;
    const struct s1ap_pdu *pdu = answer;
    if (pdu && pdu->message == S1AP_S1_SETUP_RESPONSE) {
        const struct bytes *name = pdu->s1_setup_response->mme_name;
        snprintf(enb->mme_name, sizeof(enb->mme_name), "%.*s", name ? (int)name->len : 0,
                 name ? (const char *)name->at : "");
        enb->up = true;
        log_info("%s: S1 Setup with MME %s", enb->config->name, enb->mme_name);
        await(&enb->setup, -1, NULL);
    } else if (pdu) {
        char words[200];
        struct text t = text_in(words, sizeof(words));
        s1ap_print_cause(&t, &pdu->s1_setup_failure->cause);
        log_error("%s: the MME refuses S1 Setup: %s", enb->config->name, words);
    }
}

static void keep_association(void *argument)
{
    struct enb *enb = argument;

    do {
        serve_association(enb);
        if (enb->association)
            sctp_abort(enb->association);
        enb->association = NULL;
        enb->up = false;
    } while (fiber_sleep(RECONNECT_MS) == 0);
}

int enb_start(struct enb *enb, unsigned index)
{
    enb->index = index;
    map_init(&enb->connections);
    int err = enb_gtpu_open(enb);
    if (err < 0) {
        log_error("%s: no GTP-U at %s: %s", enb->config->name, inet_ntoa(enb->config->gtpu),
                  strerror(-err));
        return err;
    }
    return fiber_spawn(enb->config->name, keep_association, enb) ? 0 : -ENOMEM;
}

void enb_stop(struct enb *enb)
{
    if (enb->association)
        sctp_shutdown(enb->association);
    enb->association = NULL;
    enb->up = false;
    enb_gtpu_close(enb);
    map_free(&enb->connections);
}
