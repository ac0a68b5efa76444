/*
 * dispatch.c -- S1AP messages on their way in: decoded, judged, and brought to the eNodeB's or the
 * phone's procedure (TS 36.413 clauses 8 and 10).
 *
 * One row per message says where it goes. A message about a phone must name a connection of the
 * very association it came on; else it gets an Error Indication (clause 10.6) and changes nothing,
 * whoever's id it names. What the codec found wrong is answered as clause 10.3 asks, also here and
 * only here.
 *
 * What is decoded lies in the arena of this one dispatch, and the phone's fiber works on it inside
 * this call.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/trace.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/ue.h"

/* The message that is being handled, for the trace: who it is about is found out on the way. */
static struct {
    struct mme_enb *enb;
    struct bytes message;
    bool is_traced;
} current;

static void trace_received(const char *subject)
{
    if (current.is_traced || !trace_is_on())
        return;
    current.is_traced = true;
    if (current.enb->association)
        trace_message(TRACE_S1AP, false, sctp_local_address(current.enb->association),
                      sctp_peer_address(current.enb->association), subject, current.message);
}

/* ---- Messages about a phone
 * ---------------------------------------------------------------------------------- */

static void initial_ue_message(struct mme_enb *enb, const struct s1ap_pdu *pdu)
{
    const struct s1ap_initial_ue_message *message = pdu->initial_ue_message;
    struct mme_s1 *s1 = mme_s1_new(enb, message->enb_ue_s1ap_id);
    char subject[24];

    if (!s1) {
        metric_add(&mme_counters[MME_REFUSED_CONGESTION], 1);
        mme_s1_error(enb, NULL, &message->enb_ue_s1ap_id,
                     s1ap_cause_misc(S1AP_MISC_CONTROL_PROCESSING_OVERLOAD));
        return;
    }
    if (trace_is_on()) {
        const struct mme_ue *ue =
            message->s_tmsi ? mme_ue_of_m_tmsi(message->s_tmsi->m_tmsi) : NULL;
        snprintf(subject, sizeof(subject), "s1 %u", s1->id);
        trace_received(ue && ue->imsi[0] ? ue->imsi : subject);
    }
    mme_nas_initial(s1, message);
}

static void uplink_nas_transport(struct mme_s1 *s1, struct mme_ue *ue, const struct s1ap_pdu *pdu)
{
    const struct s1ap_uplink_nas_transport *message = pdu->uplink_nas_transport;

    mme_ue_heard(ue, &message->tai, &message->eutran_cgi);
    mme_nas_uplink(s1, ue, message->nas_pdu);
}

/* The phone never got it. Its timer sends it again; after a handover, through the new eNodeB
 * (TS 24.301 clause 5.4.2.7). */
static void nas_non_delivery(struct mme_s1 *s1, struct mme_ue *ue, const struct s1ap_pdu *pdu)
{
    (void)ue;
    (void)pdu;
    metric_add(&mme_counters[MME_NAS_NOT_DELIVERED], 1);
    log_debug("s1 %u: a NAS message was not delivered", s1->id);
}

/* Clause 8.9: kept, and given back with the next Initial Context Setup. */
static void ue_capability_info(struct mme_s1 *s1, struct mme_ue *ue, const struct s1ap_pdu *pdu)
{
    const struct s1ap_ue_capability_info_indication *message = pdu->ue_capability_info_indication;
    struct bytes radio = message->ue_radio_capability;
    const struct bytes *paging = message->ue_radio_capability_for_paging;
    uint64_t limit = mme.config.limits.max_radio_capability_bytes;

    (void)s1;
    if (s1ap_lacks(pdu, S1AP_ID_UE_RADIO_CAPABILITY))
        return;
    mme_unshare(ue->radio_capability);
    mme_unshare(ue->paging_capability);
    ue->radio_capability =
        radio.len > 0 && radio.len <= limit ? mme_share(radio.at, radio.len) : NULL;
    ue->paging_capability = paging && paging->len > 0 && paging->len <= limit
                                ? mme_share(paging->at, paging->len)
                                : NULL;
}

/* What the MME has no use for, and no answer is wanted to. */
static void nothing_to_do(struct mme_s1 *s1, struct mme_ue *ue, const struct s1ap_pdu *pdu)
{
    (void)ue;
    log_debug("s1 %u: %s ignored", s1->id, s1ap_message_name(pdu->message));
}

/* Dual connectivity is not supported: no bearer is moved (clause 8.2.4.3). */
static void e_rab_modification_indication(struct mme_s1 *s1, struct mme_ue *ue,
                                          const struct s1ap_pdu *pdu)
{
    const struct s1ap_e_rab_modification_indication *message = pdu->e_rab_modification_indication;
    struct s1ap_e_rab_item failed[16];
    struct s1ap_e_rab_modification_confirm confirm = {
        .mme_ue_s1ap_id = s1->id,
        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id,
        .e_rab_failed_to_modify_list = {failed, 0},
    };
    size_t *count = &confirm.e_rab_failed_to_modify_list.count;

    (void)ue;
    for (size_t i = 0; i < message->e_rab_to_be_modified_list.count && *count < 16; i++)
        failed[(*count)++] = (struct s1ap_e_rab_item){
            .e_rab_id = message->e_rab_to_be_modified_list.at[i].e_rab_id,
            .cause = s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNSPECIFIED),
        };
    mme_s1_send(s1, S1AP_E_RAB_MODIFICATION_CONFIRM, &confirm);
}

/* The target of a handover tells the id that it chose. */
static void handover_request_acknowledge(struct mme_s1 *s1, struct mme_ue *ue,
                                         const struct s1ap_pdu *pdu)
{
    struct mme_enb *enb = mme_enb_get(s1->enb);

    if (mme_s1_move(s1, enb, pdu->handover_request_acknowledge->enb_ue_s1ap_id) == 0)
        mme_post(ue, &(struct mme_event){.kind = MME_HANDOVER_REQUEST_ACKNOWLEDGE, .s1ap = pdu});
}

/* ---- Messages about the eNodeB
 * ----------------------------------------------------------------------------------- */

static void path_switch_request(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                                const struct s1ap_report *report)
{
    const struct s1ap_path_switch_request *request = pdu->path_switch_request;
    struct mme_s1 *s1 = mme_s1_get(request->source_mme_ue_s1ap_id);
    struct mme_ue *ue = s1 ? mme_ue_of_s1(s1) : NULL;

    (void)report;
    if (!ue || ue->s1 != s1->id) {
        mme_path_switch_refuse(enb, request->source_mme_ue_s1ap_id, request->enb_ue_s1ap_id,
                               s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID));
        return;
    }
    trace_received(mme_ue_subject(ue));
    mme_post(ue, &(struct mme_event){.kind = MME_PATH_SWITCH_REQUEST,
                                     .enb = enb->id,
                                     .s1ap = pdu,
                                     .raw = current.message});
}

static void error_indication(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                             const struct s1ap_report *report)
{
    (void)report;
    mme_error_indication(enb, pdu);
}

static void configuration_transfer(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                                   const struct s1ap_report *report)
{
    (void)report;
    mme_enb_configuration_transfer(enb, pdu);
}

static void ignore(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                   const struct s1ap_report *report)
{
    (void)report;
    log_debug("%s: %s ignored", mme_enb_title(enb), s1ap_message_name(pdu->message));
}

/* ---- Where messages go
 * ------------------------------------------------------------------------------------------------
 */

struct row {
    /* About the eNodeB, or naming the phone in a way of its own. */
    void (*of_enb)(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                   const struct s1ap_report *report);
    /* About a phone's connection: handled here ... */
    void (*of_ue)(struct mme_s1 *s1, struct mme_ue *ue, const struct s1ap_pdu *pdu);
    /* ... or an event for its procedure. */
    enum mme_event_kind event;
    bool of_target; /* comes on the connection at the target of a handover */
};

static const struct row rows[S1AP_MESSAGE_COUNT] = {
    [S1AP_S1_SETUP_REQUEST] = {.of_enb = mme_s1_setup},
    [S1AP_ENB_CONFIGURATION_UPDATE] = {.of_enb = mme_enb_configuration_update},
    [S1AP_RESET] = {.of_enb = mme_reset},
    [S1AP_RESET_ACKNOWLEDGE] = {.of_enb = ignore},
    [S1AP_ERROR_INDICATION] = {.of_enb = error_indication},
    [S1AP_ENB_CONFIGURATION_TRANSFER] = {.of_enb = configuration_transfer},
    [S1AP_ENB_DIRECT_INFORMATION_TRANSFER] = {.of_enb = ignore},
    [S1AP_MME_CONFIGURATION_UPDATE_ACKNOWLEDGE] = {.of_enb = ignore},
    [S1AP_MME_CONFIGURATION_UPDATE_FAILURE] = {.of_enb = ignore},
    [S1AP_WRITE_REPLACE_WARNING_RESPONSE] = {.of_enb = ignore},
    [S1AP_KILL_RESPONSE] = {.of_enb = ignore},
    [S1AP_PWS_RESTART_INDICATION] = {.of_enb = ignore},
    [S1AP_PWS_FAILURE_INDICATION] = {.of_enb = ignore},
    [S1AP_UPLINK_NON_UE_ASSOCIATED_LPPA_TRANSPORT] = {.of_enb = ignore},
    [S1AP_PATH_SWITCH_REQUEST] = {.of_enb = path_switch_request},

    [S1AP_UPLINK_NAS_TRANSPORT] = {.of_ue = uplink_nas_transport},
    [S1AP_NAS_NON_DELIVERY_INDICATION] = {.of_ue = nas_non_delivery},
    [S1AP_UE_CAPABILITY_INFO_INDICATION] = {.of_ue = ue_capability_info},
    [S1AP_E_RAB_MODIFICATION_INDICATION] = {.of_ue = e_rab_modification_indication},
    [S1AP_UE_CONTEXT_MODIFICATION_RESPONSE] = {.of_ue = nothing_to_do},
    [S1AP_UE_CONTEXT_MODIFICATION_FAILURE] = {.of_ue = nothing_to_do},
    [S1AP_UE_CONTEXT_MODIFICATION_INDICATION] = {.of_ue = nothing_to_do},
    [S1AP_UPLINK_S1_CDMA2000_TUNNELLING] = {.of_ue = nothing_to_do},
    [S1AP_TRACE_FAILURE_INDICATION] = {.of_ue = nothing_to_do},
    [S1AP_CELL_TRAFFIC_TRACE] = {.of_ue = nothing_to_do},
    [S1AP_LOCATION_REPORT] = {.of_ue = nothing_to_do},
    [S1AP_LOCATION_REPORTING_FAILURE_INDICATION] = {.of_ue = nothing_to_do},
    [S1AP_UPLINK_UE_ASSOCIATED_LPPA_TRANSPORT] = {.of_ue = nothing_to_do},
    [S1AP_UE_RADIO_CAPABILITY_MATCH_RESPONSE] = {.of_ue = nothing_to_do},
    [S1AP_NAS_DELIVERY_INDICATION] = {.of_ue = nothing_to_do},
    [S1AP_SECONDARY_RAT_DATA_USAGE_REPORT_MESSAGE] = {.of_ue = nothing_to_do},

    [S1AP_INITIAL_CONTEXT_SETUP_RESPONSE] = {.event = MME_CONTEXT_SETUP_RESPONSE},
    [S1AP_INITIAL_CONTEXT_SETUP_FAILURE] = {.event = MME_CONTEXT_SETUP_FAILURE},
    [S1AP_UE_CONTEXT_RELEASE_REQUEST] = {.event = MME_CONTEXT_RELEASE_REQUEST},
    [S1AP_E_RAB_SETUP_RESPONSE] = {.event = MME_E_RAB_SETUP_RESPONSE},
    [S1AP_E_RAB_MODIFY_RESPONSE] = {.event = MME_E_RAB_MODIFY_RESPONSE},
    [S1AP_E_RAB_RELEASE_RESPONSE] = {.event = MME_E_RAB_RELEASE_RESPONSE},
    [S1AP_E_RAB_RELEASE_INDICATION] = {.event = MME_E_RAB_RELEASE_INDICATION},
    [S1AP_HANDOVER_REQUIRED] = {.event = MME_HANDOVER_REQUIRED},
    [S1AP_HANDOVER_CANCEL] = {.event = MME_HANDOVER_CANCEL},
    [S1AP_ENB_STATUS_TRANSFER] = {.event = MME_ENB_STATUS_TRANSFER},
    [S1AP_HANDOVER_REQUEST_ACKNOWLEDGE] = {.of_ue = handover_request_acknowledge,
                                           .of_target = true},
    [S1AP_HANDOVER_FAILURE] = {.event = MME_HANDOVER_FAILURE, .of_target = true},
    [S1AP_HANDOVER_NOTIFY] = {.event = MME_HANDOVER_NOTIFY, .of_target = true},
};

/* The connection a message is about; NULL after an Error Indication (clause 10.6). A connection
 * that the eNodeB and we see differently does not exist. */
static struct mme_s1 *connection_of(struct mme_enb *enb, const struct s1ap_pdu *pdu)
{
    const uint32_t *mme_id = s1ap_mme_ue_s1ap_id(pdu);
    const uint32_t *enb_id = s1ap_enb_ue_s1ap_id(pdu);
    struct mme_s1 *s1 = mme_id ? mme_s1_get(*mme_id) : NULL;
    bool is_target = s1 && s1->enb_ue_s1ap_id == MME_NO_ENB_ID;

    if (!s1 || s1->enb != enb->id) {
        trace_received("");
        /* An answer to a release that we gave up waiting for needs none. */
        if (pdu->message != S1AP_UE_CONTEXT_RELEASE_COMPLETE)
            mme_s1_error(enb, mme_id, enb_id,
                         s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_MME_UE_S1AP_ID));
        return NULL;
    }
    if (enb_id && !is_target && s1->enb_ue_s1ap_id != *enb_id) {
        trace_received("");
        mme_s1_error(enb, mme_id, enb_id,
                     s1ap_cause_radio_network(S1AP_RADIO_NETWORK_UNKNOWN_PAIR_UE_S1AP_ID));
        mme_s1_lose(s1);
        return NULL;
    }
    return s1;
}

static void dispatch_ue(struct mme_enb *enb, const struct s1ap_pdu *pdu, const struct row *row)
{
    struct mme_s1 *s1 = connection_of(enb, pdu);
    struct mme_ue *ue = s1 ? mme_ue_of_s1(s1) : NULL;

    if (!s1)
        return;
    trace_received(ue ? mme_ue_subject(ue) : "");
    if (pdu->message == S1AP_UE_CONTEXT_RELEASE_COMPLETE) {
        mme_s1_lose(s1);
        return;
    }
    /* One that is being released, or is not the phone's yet, has nothing to say. */
    if (!ue || row->of_target == (ue->s1 == s1->id))
        return;
    if (row->of_ue)
        row->of_ue(s1, ue, pdu);
    else
        mme_post(ue, &(struct mme_event){.kind = row->event,
                                         .s1 = row->of_target ? 0 : s1->id,
                                         .s1ap = pdu,
                                         .raw = current.message});
}

/* ---- What is wrong with a message (clause 10.3)
 * --------------------------------------------------------------------------- */

static void send_report(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                        const struct s1ap_report *report)
{
    struct s1ap_error_indication indication = s1ap_error_indication_of(pdu, report);

    metric_add(&mme_counters[MME_ERROR_INDICATIONS_SENT], 1);
    mme_enb_send(enb, 0, S1AP_ERROR_INDICATION, &indication, "");
}

/* A message of which nothing may be executed. A response ends its procedure: who waits for it finds
 * out by its timer, but for Initial Context Setup, which a phone waits for. */
static void reject(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                   const struct s1ap_report *report)
{
    const uint32_t *enb_id = s1ap_enb_ue_s1ap_id(pdu);

    switch (pdu->message) {
    case S1AP_S1_SETUP_REQUEST:
        mme_s1_setup_refuse(enb, report->cause, &report->diagnostics, "the request is malformed");
        return;
    case S1AP_ENB_CONFIGURATION_UPDATE:
        mme_enb_configuration_update_refuse(enb, report->cause, &report->diagnostics);
        return;
    case S1AP_PATH_SWITCH_REQUEST:
        if (enb_id && !s1ap_lacks(pdu, S1AP_ID_SOURCE_MME_UE_S1AP_ID)) {
            mme_path_switch_refuse(enb, pdu->path_switch_request->source_mme_ue_s1ap_id, *enb_id,
                                   report->cause);
            return;
        }
        break;
    case S1AP_HANDOVER_REQUIRED: {
        struct mme_s1 *s1 = connection_of(enb, pdu);
        if (s1)
            mme_handover_refuse(s1, report->cause);
        return;
    }
    case S1AP_INITIAL_CONTEXT_SETUP_RESPONSE:
        dispatch_ue(enb, pdu, &rows[S1AP_INITIAL_CONTEXT_SETUP_FAILURE]);
        return;
    default:
        break;
    }
    if (pdu->form == S1AP_INITIATING_MESSAGE)
        send_report(enb, pdu, report);
}

/* True when the message is to be executed. */
static bool judge(struct mme_enb *enb, const struct s1ap_pdu *pdu, const struct s1ap_report *report)
{
    static struct log_limit limit;
    char line[256];
    struct text t = text_in(line, sizeof(line));

    if (report->verdict == S1AP_PROCEED)
        return true;
    metric_add(&mme_counters[MME_S1AP_MALFORMED], 1);
    s1ap_print_report(&t, report);
    log_limited(&limit, LOG_WARN, "%s: %s is not as it should be: %s", mme_enb_title(enb),
                s1ap_message_name(pdu->message), line);
    switch (report->verdict) {
    case S1AP_PROCEED_AND_NOTIFY:
        /* Where the answer has room for diagnostics they are told there. */
        if (!s1ap_has_response(pdu->procedure_code) || pdu->form != S1AP_INITIATING_MESSAGE)
            send_report(enb, pdu, report);
        return true;
    case S1AP_REJECT:
        reject(enb, pdu, report);
        return false;
    case S1AP_ERROR:
        send_report(enb, pdu, report);
        return false;
    default:
        return false;
    }
}

static bool is_allowed_before_setup(struct mme_enb *enb, const struct s1ap_pdu *pdu)
{
    if (enb->is_set_up || pdu->message == S1AP_S1_SETUP_REQUEST ||
        pdu->message == S1AP_ERROR_INDICATION)
        return true;
    mme_s1_error(enb, s1ap_mme_ue_s1ap_id(pdu), s1ap_enb_ue_s1ap_id(pdu),
                 s1ap_cause_protocol(S1AP_PROTOCOL_MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE));
    return false;
}

static void dispatch_decoded(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                             const struct s1ap_report *report)
{
    const struct row *row = &rows[pdu->message];

    if (!enb->is_set_up || (row->of_enb && row->of_enb != path_switch_request))
        trace_received("");
    if (!is_allowed_before_setup(enb, pdu))
        return;
    if (pdu->message == S1AP_INITIAL_UE_MESSAGE)
        initial_ue_message(enb, pdu);
    else if (row->of_enb)
        row->of_enb(enb, pdu, report);
    else if (row->of_ue || row->event || pdu->message == S1AP_UE_CONTEXT_RELEASE_COMPLETE)
        dispatch_ue(enb, pdu, row);
    else
        /* A message that only an MME sends, or of a procedure that is not here. */
        mme_s1_error(enb, s1ap_mme_ue_s1ap_id(pdu), s1ap_enb_ue_s1ap_id(pdu),
                     s1ap_cause_protocol(S1AP_PROTOCOL_MESSAGE_NOT_COMPATIBLE_WITH_RECEIVER_STATE));
}

void mme_dispatch(struct mme_enb *enb, struct bytes message)
{
    struct s1ap_pdu pdu;
    struct s1ap_report report;

    current.enb = enb;
    current.message = message;
    current.is_traced = false;
    metric_add(&mme_counters[MME_S1AP_IN], 1);
    arena_reset(&mme.arena);
    s1ap_decode(message, &mme.arena, &pdu, &report);
    if (pdu.message == S1AP_NO_MESSAGE || report.verdict != S1AP_PROCEED)
        trace_received("");
    if (judge(enb, &pdu, &report))
        dispatch_decoded(enb, &pdu, &report);
}
