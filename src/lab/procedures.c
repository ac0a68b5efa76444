/*
 * procedures.c -- the phone's side of EMM and ESM: TS 24.301 clauses 5.5, 5.6 and 6.4, one function
 * a procedure.
 *
 * Each runs in a fiber and returns 0, a negative errno (-ETIMEDOUT: the network did not answer;
 * -ECONNRESET: the connection went), or the positive EMM cause with which the network refused. A
 * phone runs one procedure at a time: another one gets -EBUSY.
 */
#include <errno.h>

#include "lab/inner.h"

/* TS 24.301 table 10.2.1. */
#define T3410_MS   15000 /* attach */
#define T3417_MS   5000  /* service request */
#define T3421_MS   15000 /* detach */
#define T3430_MS   15000 /* tracking area update */
#define RELEASE_MS 10000
#define MOVE_MS    5000

#define PTI 1

static int begin(struct phone *phone)
{
    if (phone->busy)
        return -EBUSY;
    phone->busy = true;
    return 0;
}

static int finish(struct phone *phone, int result)
{
    phone->busy = false;
    return result;
}

static struct nas_identity own_identity(const struct phone *phone)
{
    struct nas_identity identity = {.kind = NAS_IDENTITY_IMSI};

    if (phone->has_guti) {
        identity.kind = NAS_IDENTITY_GUTI;
        identity.guti = phone->guti;
    } else {
        memcpy(identity.imsi, phone->imsi, sizeof(identity.imsi));
    }
    return identity;
}

static uint8_t own_ksi(const struct phone *phone)
{
    return phone->secured ? phone->security.ksi : NAS_KSI_NO_KEY;
}

/* ---- attach (clause 5.5.1) ---- */

/* PDN Connectivity Request, which travels in Attach Request (clause 6.5.1). */
static struct bytes pdn_connectivity_request(const struct phone *phone, uint8_t *room, size_t size)
{
    static const uint8_t pdn_types[] = {NAS_PDN_IPV4, NAS_PDN_IPV6, NAS_PDN_IPV4V6};
    uint8_t pco_room[64], transfer = NAS_ESM_INFORMATION_TRANSFER;
    struct writer pco_writer = writer_of(pco_room, sizeof(pco_room));
    struct nas_pco_request asked = {.dns_ipv4 = true, .dns_ipv6 = true, .ipv4_mtu = true};

    nas_pco_write_request(&pco_writer, &asked);
    struct bytes pco = wr_view(&pco_writer);
    struct nas_pdn_connectivity_request request = {
        .request_type = NAS_REQUEST_INITIAL,
        .pdn_type = pdn_types[phone->config->pdn_type],
        /* An APN is told only under security (clause 6.5.1.2). */
        .esm_information_transfer_flag = phone->config->apn ? &transfer : NULL,
        .pco = &pco,
    };
    struct nas_message m = {
        .type = NAS_PDN_CONNECTIVITY_REQUEST, .pti = PTI, .pdn_connectivity_request = &request};
    struct writer w = writer_of(room, size);
    nas_encode(&w, &m);
    return wr_view(&w);
}

static int send_attach_request(struct phone *phone)
{
    uint8_t esm[256];
    struct tai tai = phone->tai;
    struct nas_attach_request request = {
        .eps_attach_type = NAS_ATTACH_EPS,
        .nas_ksi = own_ksi(phone),
        .eps_mobile_identity = own_identity(phone),
        .ue_network_capability = *phone_network_capability(),
        .esm_message_container = pdn_connectivity_request(phone, esm, sizeof(esm)),
        .last_visited_registered_tai = phone->has_guti ? &tai : NULL,
    };
    struct nas_message m = {.type = NAS_ATTACH_REQUEST, .attach_request = &request};

    return phone_send(phone, &m);
}

/* Takes what the default bearer brings; gives its EPS bearer identity, or 0. */
static uint8_t take_default_bearer(struct phone *phone, struct bytes container)
{
    struct nas_message m;
    struct nas_fault fault;
    struct nas_pco_answer pco;

    if (nas_decode(container, EPS_DOWNLINK, &lab.arena, &m, &fault) < 0 ||
        m.type != NAS_ACTIVATE_DEFAULT_BEARER_REQUEST)
        return 0;
    const struct nas_activate_default_bearer_request *request = m.activate_default_bearer_request;
    phone->pdn_type = request->pdn_address.type;
    phone->ipv4 = request->pdn_address.ipv4;
    memcpy(phone->interface_id, request->pdn_address.interface_id, 8);
    phone->has_ipv6 = false;
    if (request->pco && nas_pco_read_answer(*request->pco, &pco) == 0) {
        phone->mtu = pco.ipv4_mtu;
        if (pco.dns_ipv4_count > 0)
            phone->dns = pco.dns_ipv4[0];
    }
    return m.ebi;
}

static int send_attach_complete(struct phone *phone)
{
    uint8_t esm[64];
    struct writer w = writer_of(esm, sizeof(esm));
    struct nas_pco_only accept = {.pco = NULL};
    struct nas_message inner = {.type = NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT,
                                .ebi = phone->ebi,
                                .activate_default_bearer_accept = &accept};

    nas_encode(&w, &inner);
    struct nas_attach_complete complete = {.esm_message_container = wr_view(&w)};
    struct nas_message m = {.type = NAS_ATTACH_COMPLETE, .attach_complete = &complete};
    return phone_send(phone, &m);
}

static int accept_attach(struct phone *phone, const struct nas_attach_accept *accept)
{
    phone->ebi = take_default_bearer(phone, accept->esm_message_container);
    if (phone->ebi == 0)
        return -EBADMSG;
    if (accept->guti && accept->guti->kind == NAS_IDENTITY_GUTI) {
        phone->guti = accept->guti->guti;
        phone->has_guti = true;
    }
    phone->tai = (struct tai){phone->enb->config->plmn, phone->enb->config->tac};
    phone->state = PHONE_REGISTERED;
    return send_attach_complete(phone);
}

/* After a refusal that says so the phone forgets who the network thinks it is (clause 5.5.1.2.5).
 */
static int refused(struct phone *phone, uint8_t cause)
{
    phone->has_guti = false;
    phone->secured = false;
    phone->security.ksi = NAS_KSI_NO_KEY;
    phone->state = PHONE_OFF;
    return cause;
}

static int await_attach_accept(struct phone *phone)
{
    struct phone_event event;
    uint64_t end_ms = loop_now_ms() + T3410_MS;

    for (;;) {
        uint64_t now = loop_now_ms();
        int err = phone_wait(phone, now < end_ms ? (int)(end_ms - now) : 0, &event);
        if (err < 0)
            return err;
        if (event.kind == PHONE_RELEASED)
            return -ECONNRESET;
        if (event.kind != PHONE_NAS)
            continue;
        if (event.nas->type == NAS_ATTACH_ACCEPT)
            return accept_attach(phone, event.nas->attach_accept);
        if (event.nas->type == NAS_ATTACH_REJECT)
            return refused(phone, event.nas->attach_reject->emm_cause);
        if (event.nas->type == NAS_AUTHENTICATION_REJECT)
            return refused(phone, EMM_CAUSE_ILLEGAL_UE);
    }
}

int phone_attach(struct phone *phone)
{
    int err = begin(phone);

    if (err < 0)
        return err;
    phone->attached_us = 0;
    err = send_attach_request(phone);
    if (err == 0)
        err = await_attach_accept(phone);
    if (err == 0)
        phone->attached_us = clock_now_us();
    if (err == 0 && phone->tun)
        err = phone_interface_up(phone);
    return finish(phone, err);
}

/* ---- detach (clause 5.5.2.2) ---- */

static int await_detach_end(struct phone *phone, bool switch_off)
{
    struct phone_event event;
    int err;

    /* Switched off: no answer, the MME just releases the connection. */
    while ((err = phone_wait(phone, switch_off ? RELEASE_MS : T3421_MS, &event)) == 0) {
        bool accepted = event.kind == PHONE_NAS && event.nas->type == NAS_DETACH_ACCEPT;
        if (event.kind == PHONE_RELEASED || accepted)
            return 0;
    }
    return err;
}

int phone_detach(struct phone *phone, bool switch_off)
{
    int err = begin(phone);

    if (err < 0)
        return err;
    struct nas_detach_request_uplink request = {
        .detach_type = (uint8_t)(NAS_DETACH_EPS | (switch_off ? NAS_DETACH_SWITCH_OFF : 0)),
        .nas_ksi = own_ksi(phone),
        .eps_mobile_identity = own_identity(phone),
    };
    struct nas_message m = {
        .type = NAS_DETACH_REQUEST, .direction = EPS_UPLINK, .detach_request_uplink = &request};
    err = phone_send(phone, &m);
    if (err == 0)
        err = await_detach_end(phone, switch_off);
    /* The connection that carried the detach ends as well, soon. */
    struct phone_event event;
    while (err == 0 && phone->enb_ue_s1ap_id != 0)
        err = phone_wait(phone, RELEASE_MS, &event);
    phone->state = PHONE_OFF;
    phone_interface_down(phone);
    return finish(phone, err);
}

/* ---- service request (clause 5.6.1) ---- */

static int await_bearers(struct phone *phone)
{
    struct phone_event event;
    int err;

    while ((err = phone_wait(phone, T3417_MS, &event)) == 0) {
        if (event.kind == PHONE_BEARERS_UP)
            return 0;
        if (event.kind == PHONE_RELEASED)
            return -ECONNRESET;
        if (event.nas->type == NAS_SERVICE_REJECT)
            return refused(phone, event.nas->service_reject->emm_cause);
    }
    return err;
}

int phone_service_request(struct phone *phone, bool paged)
{
    uint8_t room[16];
    struct writer w = writer_of(room, sizeof(room));
    uint32_t count;

    if (phone->state != PHONE_REGISTERED || !phone->secured)
        return -ENOTCONN;
    if (phone->enb_ue_s1ap_id != 0)
        return -EISCONN;
    int err = begin(phone);
    if (err < 0)
        return err;
    phone->requests += !paged;
    err = nas_protect_service_request(&phone->security, &w, &count);
    if (err == 0)
        err = enb_connect(phone, wr_view(&w), paged ? S1AP_RRC_MT_ACCESS : S1AP_RRC_MO_DATA);
    if (err == 0)
        err = await_bearers(phone);
    return finish(phone, err);
}

/* ---- tracking area update (clause 5.5.3) ---- */

static int accept_tau(struct phone *phone, const struct nas_tracking_area_update_accept *accept)
{
    struct nas_message m = {.type = NAS_TRACKING_AREA_UPDATE_COMPLETE};

    phone->tai = (struct tai){phone->enb->config->plmn, phone->enb->config->tac};
    if (!accept->guti || accept->guti->kind != NAS_IDENTITY_GUTI)
        return 0;
    phone->guti = accept->guti->guti;
    return phone_send(phone, &m);
}

static int await_tau_accept(struct phone *phone)
{
    struct phone_event event;
    int err;

    while ((err = phone_wait(phone, T3430_MS, &event)) == 0) {
        if (event.kind == PHONE_RELEASED)
            return -ECONNRESET;
        if (event.kind != PHONE_NAS)
            continue;
        if (event.nas->type == NAS_TRACKING_AREA_UPDATE_ACCEPT)
            return accept_tau(phone, event.nas->tracking_area_update_accept);
        if (event.nas->type == NAS_TRACKING_AREA_UPDATE_REJECT)
            return refused(phone, event.nas->tracking_area_update_reject->emm_cause);
    }
    return err;
}

int phone_tau(struct phone *phone, bool periodic)
{
    if (phone->state != PHONE_REGISTERED)
        return -ENOTCONN;
    int err = begin(phone);
    if (err < 0)
        return err;
    bool was_idle = phone->enb_ue_s1ap_id == 0;
    struct tai tai = phone->tai;
    uint16_t status = (uint16_t)NAS_BEARER_BIT(phone->ebi);
    struct nas_tracking_area_update_request request = {
        .eps_update_type = periodic ? NAS_UPDATE_PERIODIC : NAS_UPDATE_TA,
        .nas_ksi = own_ksi(phone),
        .old_guti = own_identity(phone),
        .last_visited_registered_tai = &tai,
        .eps_bearer_context_status = &status,
    };
    struct nas_message m = {.type = NAS_TRACKING_AREA_UPDATE_REQUEST,
                            .tracking_area_update_request = &request};
    err = phone_send(phone, &m);
    if (err == 0)
        err = await_tau_accept(phone);
    /* Without the active flag the MME lets an idle phone go idle again. */
    struct phone_event event;
    while (err == 0 && was_idle && phone->enb_ue_s1ap_id != 0)
        err = phone_wait(phone, RELEASE_MS, &event);
    return finish(phone, err);
}

/* ---- the eNodeB sees no traffic (TS 23.401 clause 5.3.5) ---- */

int phone_go_idle(struct phone *phone)
{
    struct phone_event event;

    if (phone->enb_ue_s1ap_id == 0)
        return 0;
    int err = begin(phone);
    if (err < 0)
        return err;
    err = enb_request_release(phone, S1AP_RADIO_NETWORK_USER_INACTIVITY);
    while (err == 0 && phone->enb_ue_s1ap_id != 0)
        err = phone_wait(phone, RELEASE_MS, &event);
    return finish(phone, err);
}

/* ---- X2 handover, as the core sees it (TS 23.401 clause 5.5.1.1.2) ---- */

int phone_move(struct phone *phone)
{
    struct phone_event event;
    struct enb *target = &lab.enbs[(phone->enb->index + 1) % lab.config.enbs.count];
    int err = target == phone->enb ? -ENOENT : begin(phone);

    if (err < 0)
        return err;
    err = enb_path_switch(phone, target);
    while (err == 0) {
        err = phone_wait(phone, MOVE_MS, &event);
        if (err == 0 && event.kind == PHONE_BEARERS_UP)
            break;
        if (err == 0 && event.kind == PHONE_RELEASED)
            err = -ECONNRESET;
    }
    return finish(phone, err);
}

/* ---- the battery is taken out, and put in again ---- */

/* The network hears nothing of it but that the radio was lost; whatever it answers is not waited
 * for. The phone keeps what is in the SIM and its memory: GUTI and security context. */
int phone_reboot(struct phone *phone)
{
    int err = begin(phone);

    if (err < 0)
        return err;
    enb_request_release(phone, S1AP_RADIO_NETWORK_RADIO_CONNECTION_WITH_UE_LOST);
    enb_forget(phone);
    phone->state = PHONE_OFF;
    phone_interface_down(phone);
    return finish(phone, 0);
}
