/*
 * esm.c -- see esm.h: what the phone asks for, what its subscription allows, and the session that
 * comes of it (TS 24.301 clauses 6.2, 6.4.1, 6.5.1, 6.6.1.2; TS 23.401 clauses 5.3.1, 5.10.2).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mme/esm.h"
#include "mme/metrics.h"
#include "mme/s6a.h"
#include "mme/ue.h"

static int fail(struct esm_failure *failure, uint8_t esm_cause, const char *why, int err)
{
    *failure = (struct esm_failure){esm_cause, why};
    return err;
}

/* ---- The request
 * ---------------------------------------------------------------------------------------- */

static void take_pco(struct esm_request *request, const struct bytes *pco)
{
    if (!pco || pco->len > sizeof(request->pco))
        return;
    memcpy(request->pco, pco->at, pco->len);
    request->pco_len = pco->len;
}

static void take_apn(struct esm_request *request, const struct nas_apn *apn)
{
    if (apn)
        memcpy(request->apn, apn->name, sizeof(request->apn));
}

int esm_take_request(const struct nas_message *message, struct esm_request *request,
                     struct esm_failure *failure)
{
    const struct nas_pdn_connectivity_request *from = message->pdn_connectivity_request;

    *request = (struct esm_request){
        .pti = message->pti,
        .request_type = from->request_type,
        /* Clause 9.9.4.10: the unused value is taken as IPv6. */
        .pdn_type = from->pdn_type == 4 ? NAS_PDN_IPV6 : from->pdn_type,
        .has_more = from->esm_information_transfer_flag && *from->esm_information_transfer_flag & 1,
    };
    take_apn(request, from->apn);
    take_pco(request, from->pco);
    if (message->pti == 0 || message->pti == 255)
        return fail(failure, ESM_CAUSE_INVALID_PTI_VALUE, "its PTI is no PTI", -EINVAL);
    if (message->ebi != 0)
        return fail(failure, ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY,
                    "it names a bearer where there is none yet", -EINVAL);
    if (request->pdn_type == 0 || request->pdn_type > NAS_PDN_IPV4V6)
        return fail(failure, ESM_CAUSE_UNKNOWN_PDN_TYPE,
                    "it asks for a PDN type other than IPv4, IPv6 and IPv4v6", -EINVAL);
    if (request->request_type == NAS_REQUEST_EMERGENCY)
        return fail(failure, ESM_CAUSE_SERVICE_OPTION_NOT_SUPPORTED,
                    "emergency bearers are not supported", -EINVAL);
    if (request->request_type == NAS_REQUEST_HANDOVER)
        return fail(
            failure, ESM_CAUSE_PDN_CONNECTION_DOES_NOT_EXIST,
            "it wants to hand over a PDN connection from a non-3GPP access, where it has none",
            -EINVAL);
    return 0;
}

int esm_take_container(struct bytes container, struct esm_request *request,
                       struct esm_failure *failure)
{
    struct nas_message message = {0};
    struct nas_fault fault;

    *request = (struct esm_request){0};
    int err = nas_decode(container, EPS_UPLINK, &mme.arena, &message, &fault);
    request->pti = message.pti;
    if (err < 0)
        return fail(failure, fault.cause ? fault.cause : ESM_CAUSE_PROTOCOL_ERROR,
                    "its ESM message is malformed", -EINVAL);
    if (message.type != NAS_PDN_CONNECTIVITY_REQUEST)
        return fail(failure, ESM_CAUSE_MESSAGE_TYPE_NOT_COMPATIBLE_WITH_STATE,
                    "an attach without PDN Connectivity Request is not supported", -EINVAL);
    return esm_take_request(&message, request, failure);
}

int esm_ask_information(struct mme_ue *ue, struct esm_request *request, struct esm_failure *failure)
{
    const struct mme_event *event;

    if (!request->has_more)
        return 0;
    int err = emm_ask(ue, ESM(NAS_ESM_INFORMATION_REQUEST, 0, request->pti, NULL), MME_T3489,
                      MME_SET(MME_ESM_INFORMATION_RESPONSE), &event);
    if (err < 0)
        return fail(failure, ESM_CAUSE_ESM_INFORMATION_NOT_RECEIVED,
                    "no answer to ESM Information Request (T3489 expired three times)", err);
    if (event->nas->pti != request->pti)
        return fail(failure, ESM_CAUSE_PTI_MISMATCH, "ESM Information Response with another PTI",
                    -EBADMSG);
    take_apn(request, event->nas->esm_information_response->apn);
    take_pco(request, event->nas->esm_information_response->pco);
    return 0;
}

/* ---- What the subscription allows
 * ----------------------------------------------------------------------------- */

/* Clause 6.5.1.3, TS 23.401 clause 5.3.1.1: what is granted of the PDN type that was asked for.
 * `cause` says why it is less; result 0: nothing. */
static uint8_t grant_pdn_type(uint8_t asked, uint8_t subscribed, uint8_t *cause)
{
    static const struct {
        uint8_t subscribed, asked, granted, cause;
    } rows[] = {
        {S6A_PDN_IPV4, NAS_PDN_IPV4, NAS_PDN_IPV4, 0},
        {S6A_PDN_IPV4, NAS_PDN_IPV6, 0, ESM_CAUSE_PDN_TYPE_IPV4_ONLY_ALLOWED},
        {S6A_PDN_IPV4, NAS_PDN_IPV4V6, NAS_PDN_IPV4, ESM_CAUSE_PDN_TYPE_IPV4_ONLY_ALLOWED},
        {S6A_PDN_IPV6, NAS_PDN_IPV4, 0, ESM_CAUSE_PDN_TYPE_IPV6_ONLY_ALLOWED},
        {S6A_PDN_IPV6, NAS_PDN_IPV6, NAS_PDN_IPV6, 0},
        {S6A_PDN_IPV6, NAS_PDN_IPV4V6, NAS_PDN_IPV6, ESM_CAUSE_PDN_TYPE_IPV6_ONLY_ALLOWED},
        {S6A_PDN_IPV4_OR_IPV6, NAS_PDN_IPV4V6, NAS_PDN_IPV4,
         ESM_CAUSE_SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].subscribed != subscribed || rows[i].asked != asked)
            continue;
        *cause = rows[i].cause;
        return rows[i].granted;
    }
    *cause = 0;
    return asked;
}

static void take_subscribed_qos(struct mme_pdn *pdn, const struct mme_apn *apn)
{
    struct mme_bearer *bearer = mme_default_bearer(pdn);

    bearer->qci = apn->qci;
    bearer->arp_priority = apn->arp_priority;
    bearer->may_pre_empt = apn->may_pre_empt;
    bearer->may_be_pre_empted = apn->may_be_pre_empted;
    pdn->context_id = apn->context_id;
    pdn->ambr_ul_kbps = apn->ambr_ul_kbps;
    pdn->ambr_dl_kbps = apn->ambr_dl_kbps;
}

int esm_connect(struct mme_ue *ue, const struct esm_request *request, struct mme_pdn **result,
                struct esm_activation *activation, struct esm_failure *failure)
{
    char name[APN_SIZE];
    struct mme_session_answer answer = {0};
    uint8_t cause;
    const struct mme_apn *apn = mme_subscription_apn(ue, request->apn, name);

    if (!apn)
        return fail(failure,
                    request->apn[0] ? ESM_CAUSE_SERVICE_OPTION_NOT_SUBSCRIBED
                                    : ESM_CAUSE_MISSING_OR_UNKNOWN_APN,
                    "the subscriber has no such APN (add it to the subscription)", -EACCES);
    uint8_t pdn_type = grant_pdn_type(request->pdn_type, apn->pdn_type, &cause);
    if (pdn_type == 0)
        return fail(failure, cause, "the subscription has another PDN type for this APN", -EACCES);
    /* Clause 6.5.1.4: a second PDN connection to an APN is not for the phone to have. */
    if (mme_pdn_of_apn(ue, name))
        return fail(failure, ESM_CAUSE_MULTIPLE_PDN_CONNECTIONS_NOT_ALLOWED,
                    "it has a PDN connection to this APN already", -EEXIST);
    struct mme_pdn *pdn = mme_pdn_new(ue, name);
    if (!pdn)
        return fail(failure, ESM_CAUSE_INSUFFICIENT_RESOURCES, "no bearer is left for it", -ENOMEM);
    pdn->pdn_type = pdn_type;
    take_subscribed_qos(pdn, apn);
    const struct mme_session_request ask = {
        .pco = bytes_of(request->pco, request->pco_len),
        .apn = apn,
        .apn_was_chosen_by_phone = strcmp(apn->name, "*") == 0,
    };
    int err = mme_create_session(ue, pdn, &ask, &answer);
    if (err < 0) {
        mme_delete_session(ue, pdn);
        return fail(failure, answer.esm_cause ? answer.esm_cause : ESM_CAUSE_NETWORK_FAILURE,
                    answer.why ? answer.why : "aborted", err);
    }
    *activation = (struct esm_activation){.pti = request->pti};
    activation->esm_cause = answer.esm_cause ? answer.esm_cause : cause;
    if (answer.pco.len <= sizeof(activation->pco)) {
        activation->pco_len = answer.pco.len;
        if (answer.pco.len > 0)
            memcpy(activation->pco, answer.pco.at, answer.pco.len);
    }
    *result = pdn;
    return 0;
}

/* ---- The message
 * --------------------------------------------------------------------------------------------------
 */

void esm_fill_activation(const struct mme_pdn *pdn, const struct esm_activation *activation,
                         struct esm_activation_message *message)
{
    const struct mme_bearer *bearer = mme_default_bearer(pdn);

    *message = (struct esm_activation_message){
        .body = {.eps_qos = {.qci = bearer->qci},
                 .pdn_address = {.type = pdn->pdn_type, .ipv4 = pdn->ipv4}},
        .ambr = nas_apn_ambr(pdn->ambr_dl_kbps, pdn->ambr_ul_kbps),
        .pco = bytes_of(activation->pco, activation->pco_len),
        .esm_cause = activation->esm_cause,
    };
    struct nas_activate_default_bearer_request *body = &message->body;
    snprintf(body->apn.name, sizeof(body->apn.name), "%s", mme_apn_name(pdn));
    memcpy(body->pdn_address.interface_id, pdn->ipv6.s6_addr + 8, 8);
    if (pdn->ambr_dl_kbps > 0 && pdn->ambr_ul_kbps > 0)
        body->apn_ambr = &message->ambr;
    if (message->esm_cause)
        body->esm_cause = &message->esm_cause;
    if (message->pco.len > 0)
        body->pco = &message->pco;
}

const char *esm_address_text(const struct mme_pdn *pdn)
{
    static char line[INET6_ADDRSTRLEN + INET_ADDRSTRLEN + 8];
    char address[INET6_ADDRSTRLEN];
    struct text t = text_in(line, sizeof(line));

    if (pdn->pdn_type != NAS_PDN_IPV6)
        text_add(&t, "%s", inet_ntop(AF_INET, &pdn->ipv4, address, sizeof(address)));
    if (pdn->pdn_type != NAS_PDN_IPV4)
        text_add(&t, "%s%s", t.len ? " " : "",
                 inet_ntop(AF_INET6, &pdn->ipv6, address, sizeof(address)));
    return line;
}
