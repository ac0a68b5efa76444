/*
 * nas.c -- NAS messages between S1AP and the procedures: security, the way to the right phone,
 * faults (TS 24.301 clauses 4.4 and 7).
 *
 * The first message of a connection (mme_nas_initial) says who the phone is. If it is protected by
 * the security context that we hold for the phone it names, it is that phone's. If not, then an
 * attach is taken up with a context of its own, and everything else is refused in a way that makes
 * the phone attach anew, without touching the context of the phone whose name was used: anybody can
 * say a name (clause 4.4.4.3).
 *
 * A later message (mme_nas_uplink) comes on a connection that is a phone's. Before a protected
 * message has been received on it, the few messages of clause 4.4.4.3 are processed unprotected;
 * afterwards none.
 *
 * Messages that are malformed get the answer of clause 7 here; the others become events.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/trace.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/ue.h"

#define NAS_PDU_SIZE (NAS_MESSAGE_MAX + 64)

/* ---- Events
 * -------------------------------------------------------------------------------------------- */

static const struct {
    enum nas_message_type type;
    enum mme_event_kind event;
    enum { IS_EMM, OPENS_ESM, ANSWERS_ESM } role;
} kinds[] = {
    {NAS_ATTACH_REQUEST, MME_ATTACH_REQUEST, IS_EMM},
    {NAS_ATTACH_COMPLETE, MME_ATTACH_COMPLETE, IS_EMM},
    {NAS_DETACH_REQUEST, MME_DETACH_REQUEST, IS_EMM},
    {NAS_DETACH_ACCEPT, MME_DETACH_ACCEPT, IS_EMM},
    {NAS_TRACKING_AREA_UPDATE_REQUEST, MME_TRACKING_AREA_UPDATE_REQUEST, IS_EMM},
    {NAS_TRACKING_AREA_UPDATE_COMPLETE, MME_TRACKING_AREA_UPDATE_COMPLETE, IS_EMM},
    {NAS_SERVICE_REQUEST, MME_SERVICE_REQUEST, IS_EMM},
    {NAS_EXTENDED_SERVICE_REQUEST, MME_EXTENDED_SERVICE_REQUEST, IS_EMM},
    {NAS_GUTI_REALLOCATION_COMPLETE, MME_GUTI_REALLOCATION_COMPLETE, IS_EMM},
    {NAS_IDENTITY_RESPONSE, MME_IDENTITY_RESPONSE, IS_EMM},
    {NAS_AUTHENTICATION_RESPONSE, MME_AUTHENTICATION_RESPONSE, IS_EMM},
    {NAS_AUTHENTICATION_FAILURE, MME_AUTHENTICATION_FAILURE, IS_EMM},
    {NAS_SECURITY_MODE_COMPLETE, MME_SECURITY_MODE_COMPLETE, IS_EMM},
    {NAS_SECURITY_MODE_REJECT, MME_SECURITY_MODE_REJECT, IS_EMM},
    {NAS_PDN_CONNECTIVITY_REQUEST, MME_PDN_CONNECTIVITY_REQUEST, OPENS_ESM},
    {NAS_PDN_DISCONNECT_REQUEST, MME_PDN_DISCONNECT_REQUEST, OPENS_ESM},
    {NAS_BEARER_RESOURCE_ALLOCATION_REQUEST, MME_BEARER_RESOURCE_REQUEST, OPENS_ESM},
    {NAS_BEARER_RESOURCE_MODIFICATION_REQUEST, MME_BEARER_RESOURCE_REQUEST, OPENS_ESM},
    {NAS_ESM_INFORMATION_RESPONSE, MME_ESM_INFORMATION_RESPONSE, IS_EMM},
    {NAS_ACTIVATE_DEFAULT_BEARER_ACCEPT, MME_DEFAULT_BEARER_ACCEPT, ANSWERS_ESM},
    {NAS_ACTIVATE_DEFAULT_BEARER_REJECT, MME_DEFAULT_BEARER_REJECT, ANSWERS_ESM},
    {NAS_ACTIVATE_DEDICATED_BEARER_ACCEPT, MME_DEDICATED_BEARER_ACCEPT, ANSWERS_ESM},
    {NAS_ACTIVATE_DEDICATED_BEARER_REJECT, MME_DEDICATED_BEARER_REJECT, ANSWERS_ESM},
    {NAS_MODIFY_BEARER_ACCEPT, MME_MODIFY_BEARER_ACCEPT, ANSWERS_ESM},
    {NAS_MODIFY_BEARER_REJECT, MME_MODIFY_BEARER_REJECT, ANSWERS_ESM},
    {NAS_DEACTIVATE_BEARER_ACCEPT, MME_DEACTIVATE_BEARER_ACCEPT, ANSWERS_ESM},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_row(enum nas_message_type type)
{
    size_t i = 0;

    while (i < KINDS && kinds[i].type != type)
        i++;
    return i;
}

enum mme_event_kind mme_nas_event(enum nas_message_type type)
{
    size_t row = kind_row(type);

    return row < KINDS ? kinds[row].event : MME_NOTHING;
}

uint64_t mme_request_hash(struct bytes raw)
{
    return map_hash_bytes(raw.at, raw.len, 1);
}

/* ---- Sending
 * -----------------------------------------------------------------------------------------------
 */

static void trace_nas(const struct mme_ue *ue, bool sent, struct bytes plain)
{
    if (trace_is_on())
        trace_message(TRACE_NAS, sent, NULL, NULL, mme_ue_subject(ue), plain);
}

int emm_build(struct mme_ue *ue, const struct nas_message *message, struct writer *w)
{
    uint8_t buffer[NAS_MESSAGE_MAX];
    struct writer plain = writer_of(buffer, sizeof(buffer));
    const struct mme_s1 *s1 = mme_s1_of(ue);

    if (!s1)
        return -ENOTCONN;
    nas_encode(&plain, message);
    if (plain.bad)
        return -EMSGSIZE;
    trace_nas(ue, true, wr_view(&plain));
    metric_add(&mme_counters[MME_NAS_OUT], 1);
    if (message->type == NAS_SECURITY_MODE_COMMAND)
        return nas_protect(ue->run->new_security, EPS_DOWNLINK, NAS_INTEGRITY_NEW, wr_view(&plain),
                           w);
    if (s1->is_secured && ue->security.ksi != NAS_KSI_NO_KEY)
        return nas_protect(&ue->security, EPS_DOWNLINK, NAS_INTEGRITY_CIPHERED, wr_view(&plain), w);
    wr_view_of(w, wr_view(&plain));
    return w->bad ? -EMSGSIZE : 0;
}

int emm_send(struct mme_ue *ue, const struct nas_message *message)
{
    uint8_t buffer[NAS_PDU_SIZE];
    struct writer w = writer_of(buffer, sizeof(buffer));
    static struct log_limit limit;
    int err = emm_build(ue, message, &w);

    if (err < 0) {
        if (err != -ENOTCONN)
            log_limited(&limit, LOG_ERROR, "%s cannot be sent: %s", nas_message_name(message->type),
                        strerror(-err));
        return err;
    }
    return mme_s1_send_nas(mme_s1_of(ue), wr_view(&w));
}

void emm_send_plain(const struct mme_s1 *s1, const struct nas_message *message)
{
    uint8_t buffer[NAS_MESSAGE_MAX];
    struct writer w = writer_of(buffer, sizeof(buffer));

    nas_encode(&w, message);
    if (w.bad)
        return;
    metric_add(&mme_counters[MME_NAS_OUT], 1);
    mme_s1_send_nas(s1, wr_view(&w));
}

int emm_ask(struct mme_ue *ue, const struct nas_message *message, enum mme_timer timer,
            uint64_t wanted, const struct mme_event **event)
{
    for (unsigned attempt = 0; attempt < mme_timer_attempts(timer); attempt++) {
        int err = emm_send(ue, message);
        if (err == -ENOTCONN)
            return err;
        err = mme_wait(ue, wanted, mme_timer_ms(timer), event);
        if (err != -ETIMEDOUT)
            return err;
        log_debug("no answer to %s: %s expired, %u of %u", nas_message_name(message->type),
                  mme_timer_name(timer), attempt + 1, mme_timer_attempts(timer));
        metric_add(&mme_counters[MME_NAS_REPETITIONS], 1);
    }
    return -ETIMEDOUT;
}

void emm_status(struct mme_ue *ue, uint8_t cause)
{
    struct nas_emm_cause_only status = {.emm_cause = cause};

    emm_send(ue, EMM(NAS_EMM_STATUS, &status));
}

void esm_status(struct mme_ue *ue, uint8_t ebi, uint8_t pti, uint8_t cause)
{
    struct nas_esm_cause_only status = {.esm_cause = cause};

    emm_send(ue, ESM(NAS_ESM_STATUS, ebi, pti, &status));
}

/* ---- Refusing without a context
 * -------------------------------------------------------------------------------- */

static void let_go(struct mme_s1 *s1)
{
    mme_s1_release(s1, s1ap_cause_nas(S1AP_NAS_NORMAL_RELEASE));
}

void mme_service_reject(const struct mme_s1 *s1, uint8_t emm_cause)
{
    struct nas_service_reject reject = {.emm_cause = emm_cause};

    emm_send_plain(s1, EMM(NAS_SERVICE_REJECT, &reject));
}

static void refuse_update(const struct mme_s1 *s1, uint8_t emm_cause)
{
    struct nas_tracking_area_update_reject reject = {.emm_cause = emm_cause};

    emm_send_plain(s1, EMM(NAS_TRACKING_AREA_UPDATE_REJECT, &reject));
}

/* Clause 5.5.1.2.5; with congestion, how long to stay away. */
static void refuse_attach(const struct mme_s1 *s1, uint8_t emm_cause)
{
    uint8_t t3346 = nas_gprs_timer(mme.config.timers.t3346_ms / 1000);
    struct nas_attach_reject reject = {
        .emm_cause = emm_cause,
        .t3346_value =
            emm_cause == EMM_CAUSE_CONGESTION && mme.config.timers.t3346_ms ? &t3346 : NULL,
    };

    emm_send_plain(s1, EMM(NAS_ATTACH_REJECT, &reject));
}

/* A first message that cannot be decoded (clause 7.5.1): the reject of its procedure tells the
 * cause. */
static void refuse_malformed(const struct mme_s1 *s1, enum nas_message_type type, uint8_t cause)
{
    struct nas_emm_cause_only status = {.emm_cause = cause};

    if (cause == 0)
        return;
    if (type == NAS_ATTACH_REQUEST)
        refuse_attach(s1, cause);
    else if (type == NAS_TRACKING_AREA_UPDATE_REQUEST)
        refuse_update(s1, cause);
    else if (type == NAS_SERVICE_REQUEST || type == NAS_EXTENDED_SERVICE_REQUEST)
        mme_service_reject(s1, cause);
    else
        emm_send_plain(s1, EMM(NAS_EMM_STATUS, &status));
}

/* ---- The first message of a connection
 * ---------------------------------------------------------------------------- */

/* What is known of it. */
struct initial {
    struct mme_s1 *s1;
    const struct s1ap_initial_ue_message *from;
    struct mme_ue *ue; /* whom it names; NULL: nobody that we know */
    bool is_secured;   /* by that phone's security context */
    bool is_decoded;
    uint32_t nas_count;
    struct bytes plain;
    struct nas_message message;
    struct nas_fault fault;
};

/* The phone that an identity names. An IMSI names one only where its message is protected. */
static struct mme_ue *ue_of_identity(const struct nas_identity *identity)
{
    switch (identity->kind) {
    case NAS_IDENTITY_GUTI:
        return mme_ue_of_guti(&identity->guti);
    case NAS_IDENTITY_TMSI:
        return mme_ue_of_m_tmsi(identity->tmsi);
    case NAS_IDENTITY_IMSI:
        return mme_ue_of_imsi(identity->imsi);
    default:
        return NULL;
    }
}

static struct mme_ue *ue_named_in(const struct nas_message *message)
{
    const struct nas_identity *first = NULL, *second = NULL;

    switch (message->type) {
    case NAS_ATTACH_REQUEST:
        first = &message->attach_request->eps_mobile_identity;
        second = message->attach_request->additional_guti;
        break;
    case NAS_TRACKING_AREA_UPDATE_REQUEST:
        first = &message->tracking_area_update_request->old_guti;
        second = message->tracking_area_update_request->additional_guti;
        break;
    case NAS_DETACH_REQUEST:
        first = &message->detach_request_uplink->eps_mobile_identity;
        break;
    case NAS_EXTENDED_SERVICE_REQUEST:
        first = &message->extended_service_request->m_tmsi;
        break;
    default:
        return NULL;
    }
    struct mme_ue *ue = ue_of_identity(first);
    return ue || !second ? ue : ue_of_identity(second);
}

static void decode_initial(struct initial *in)
{
    in->is_decoded = nas_decode(in->plain, EPS_UPLINK, &mme.arena, &in->message, &in->fault) == 0;
}

/* Finds out whose message it is, and whether it is that phone's indeed. */
static void recognise(struct initial *in, const struct nas_header *header)
{
    const struct s1ap_initial_ue_message *message = in->from;
    struct nas_opened opened;
    bool is_ciphered = header->security == NAS_INTEGRITY_CIPHERED ||
                       header->security == NAS_INTEGRITY_CIPHERED_NEW ||
                       header->security == NAS_INTEGRITY_PARTLY_CIPHERED;

    if (message->s_tmsi && message->s_tmsi->mme_code == mme.config.mme_code)
        in->ue = mme_ue_of_m_tmsi(message->s_tmsi->m_tmsi);
    in->plain = header->inner;
    if (!is_ciphered) {
        decode_initial(in);
        struct mme_ue *named = in->is_decoded ? ue_named_in(&in->message) : NULL;
        if (named)
            in->ue = named;
    }
    if (header->security == NAS_PLAIN || !in->ue || in->ue->security.ksi == NAS_KSI_NO_KEY)
        return;
    int err = nas_unprotect(&in->ue->security, EPS_UPLINK, message->nas_pdu, &mme.arena, &opened);
    if (err < 0) {
        metric_add(&mme_counters[MME_NAS_MAC_FAILURES], err == -EACCES);
        return;
    }
    in->is_secured = true;
    in->nas_count = opened.count;
    in->plain = opened.plain;
    if (is_ciphered)
        decode_initial(in);
    in->s1->is_secured = true;
    in->s1->nas_count = opened.count;
}

static bool is_switch_off(const struct nas_message *message)
{
    return message->detach_request_uplink->detach_type & NAS_DETACH_SWITCH_OFF;
}

/* A new phone has neither an IMSI nor a connection yet. */
static void trace_initial(const struct initial *in, const struct mme_ue *ue)
{
    char subject[24];

    if (!trace_is_on())
        return;
    snprintf(subject, sizeof(subject), "s1 %u", in->s1->id);
    if (ue->imsi[0])
        trace_alias(subject, ue->imsi);
    trace_message(TRACE_NAS, false, NULL, NULL, ue->imsi[0] ? ue->imsi : subject, in->plain);
}

static void post_initial(const struct initial *in, struct mme_ue *ue, enum mme_event_kind kind)
{
    struct mme_event event = {
        .kind = kind,
        .s1 = in->s1->id,
        .nas = &in->message,
        .raw = in->plain,
        .is_secured = in->is_secured,
        .nas_count = in->nas_count,
    };

    trace_initial(in, ue);
    mme_ue_heard(ue, &in->from->tai, &in->from->eutran_cgi);
    in->s1->ue = ue->id;
    mme_post(ue, &event);
}

/* An attach by somebody whom we do not recognise gets a context of its own. */
static void initial_attach(const struct initial *in)
{
    struct mme_ue *ue = in->is_secured ? in->ue : NULL;

    if (!ue && !mme.is_overloaded)
        ue = mme_ue_new();
    if (ue) {
        post_initial(in, ue, MME_ATTACH_REQUEST);
        return;
    }
    metric_add(&mme_counters[MME_REFUSED_CONGESTION], 1);
    refuse_attach(in->s1, EMM_CAUSE_CONGESTION);
    let_go(in->s1);
}

/* Clause 5.5.2.2: a detach that is not the known phone's changes nothing here. The one who sent it
 * may go. */
static void initial_detach(const struct initial *in)
{
    if (in->is_secured) {
        post_initial(in, in->ue, MME_DETACH_REQUEST);
        return;
    }
    if (!is_switch_off(&in->message))
        emm_send_plain(in->s1, EMM(NAS_DETACH_ACCEPT, NULL));
    let_go(in->s1);
}

static void handle_initial(const struct initial *in)
{
    enum mme_event_kind kind = in->is_decoded ? mme_nas_event(in->message.type) : MME_NOTHING;

    switch (kind) {
    case MME_ATTACH_REQUEST:
        initial_attach(in);
        return;
    case MME_DETACH_REQUEST:
        initial_detach(in);
        return;
    case MME_TRACKING_AREA_UPDATE_REQUEST:
        if (in->is_secured) {
            post_initial(in, in->ue, kind);
            return;
        }
        refuse_update(in->s1, EMM_CAUSE_UE_IDENTITY_CANNOT_BE_DERIVED);
        break;
    case MME_SERVICE_REQUEST:
    case MME_EXTENDED_SERVICE_REQUEST:
        if (in->is_secured) {
            post_initial(in, in->ue, kind);
            return;
        }
        mme_service_reject(in->s1, EMM_CAUSE_UE_IDENTITY_CANNOT_BE_DERIVED);
        break;
    default:
        metric_add(&mme_counters[MME_NAS_MALFORMED], 1);
        refuse_malformed(in->s1, in->message.type,
                         in->is_decoded ? EMM_CAUSE_MESSAGE_TYPE_NOT_COMPATIBLE_WITH_STATE
                                        : in->fault.cause);
        break;
    }
    let_go(in->s1);
}

void mme_nas_initial(struct mme_s1 *s1, const struct s1ap_initial_ue_message *message)
{
    struct initial in = {.s1 = s1, .from = message};
    struct nas_header header;

    metric_add(&mme_counters[MME_NAS_IN], 1);
    if (nas_header_read(message->nas_pdu, &header) < 0 || header.protocol != NAS_PROTOCOL_EMM) {
        metric_add(&mme_counters[MME_NAS_MALFORMED], 1);
        let_go(s1);
        return;
    }
    recognise(&in, &header);
    /* The GUTI that it used is the one it knows. */
    if (in.is_secured && message->s_tmsi && message->s_tmsi->m_tmsi == in.ue->m_tmsi)
        mme_ue_confirm_guti(in.ue);
    handle_initial(&in);
}

/* ---- Later messages
 * ---------------------------------------------------------------------------------------------------
 */

/* Clause 7.5.1, 7.5.2: an ESM message that cannot be decoded; requests are rejected, others get a
 * status. */
static void answer_esm_fault(struct mme_ue *ue, const struct nas_message *message, uint8_t cause)
{
    static const struct {
        enum nas_message_type request, reject;
    } rejects[] = {
        {NAS_PDN_CONNECTIVITY_REQUEST, NAS_PDN_CONNECTIVITY_REJECT},
        {NAS_PDN_DISCONNECT_REQUEST, NAS_PDN_DISCONNECT_REJECT},
        {NAS_BEARER_RESOURCE_ALLOCATION_REQUEST, NAS_BEARER_RESOURCE_ALLOCATION_REJECT},
        {NAS_BEARER_RESOURCE_MODIFICATION_REQUEST, NAS_BEARER_RESOURCE_MODIFICATION_REJECT},
    };
    struct nas_request_reject reject = {.esm_cause = cause};
    struct nas_pco_reject disconnect_reject = {.esm_cause = cause};

    for (size_t i = 0; i < sizeof(rejects) / sizeof(rejects[0]); i++) {
        if (message->type != rejects[i].request)
            continue;
        if (message->type == NAS_PDN_DISCONNECT_REQUEST)
            emm_send(ue, ESM(rejects[i].reject, 0, message->pti, &disconnect_reject));
        else
            emm_send(ue, ESM(rejects[i].reject, 0, message->pti, &reject));
        return;
    }
    esm_status(ue, message->ebi, message->pti, cause);
}

/* Clause 7.3: PTI and EPS bearer identity must make sense. 0, or the cause for ESM STATUS. */
static uint8_t esm_identity_fault(const struct mme_ue *ue, size_t row,
                                  const struct nas_message *message)
{
    if (kinds[row].role == OPENS_ESM) {
        if (message->pti == 0 || message->pti == 255)
            return ESM_CAUSE_INVALID_PTI_VALUE;
        if (message->ebi != 0)
            return ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY;
    }
    if (kinds[row].role == ANSWERS_ESM && !mme_bearer_of(ue, message->ebi, NULL))
        return ESM_CAUSE_INVALID_EPS_BEARER_IDENTITY;
    return 0;
}

static void dispatch_decoded(struct mme_ue *ue, struct mme_event *event,
                             const struct nas_message *message)
{
    size_t row = kind_row(message->type);

    if (row == KINDS) {
        /* Statuses change nothing (clause 5.7, 6.7); what else there is has no use here. */
        log_debug("%s ignored", nas_message_name(message->type));
        return;
    }
    uint8_t cause = esm_identity_fault(ue, row, message);
    if (cause) {
        metric_add(&mme_counters[MME_NAS_MALFORMED], 1);
        esm_status(ue, message->ebi, message->pti, cause);
        return;
    }
    event->kind = kinds[row].event;
    event->nas = message;
    mme_post(ue, event);
}

void mme_nas_dispatch(struct mme_ue *ue, const struct mme_event *how, struct bytes plain)
{
    struct mme_event event = *how;
    struct nas_message message;
    struct nas_fault fault;

    trace_nas(ue, false, plain);
    event.raw = plain;
    if (nas_decode(plain, EPS_UPLINK, &mme.arena, &message, &fault) == 0) {
        dispatch_decoded(ue, &event, &message);
        return;
    }
    metric_add(&mme_counters[MME_NAS_MALFORMED], 1);
    if (fault.cause == 0 || plain.len == 0)
        return;
    if ((plain.at[0] & 0xf) == NAS_PROTOCOL_ESM)
        answer_esm_fault(ue, &message, fault.cause);
    else
        emm_status(ue, fault.cause);
}

static bool is_new_header(uint8_t security)
{
    return security == NAS_INTEGRITY_NEW || security == NAS_INTEGRITY_CIPHERED_NEW;
}

/* A message whose protection is absent or cannot be checked: only what clause 4.4.4.3 allows. */
static void uplink_unprotected(struct mme_s1 *s1, struct mme_ue *ue,
                               const struct nas_header *header)
{
    struct mme_event event = {.s1 = s1->id};
    struct nas_message message;
    struct nas_fault fault;

    if (!s1->is_secured && (header->security == NAS_PLAIN || header->security == NAS_INTEGRITY) &&
        (nas_decode(header->inner, EPS_UPLINK, &mme.arena, &message, &fault) < 0 ||
         nas_is_acceptable_unprotected(&message))) {
        mme_nas_dispatch(ue, &event, header->inner);
        return;
    }
    metric_add(&mme_counters[MME_NAS_UNPROTECTED], 1);
}

void mme_nas_uplink(struct mme_s1 *s1, struct mme_ue *ue, struct bytes pdu)
{
    struct nas_header header;
    struct nas_opened opened;

    metric_add(&mme_counters[MME_NAS_IN], 1);
    if (nas_header_read(pdu, &header) < 0) {
        metric_add(&mme_counters[MME_NAS_MALFORMED], 1);
        return;
    }
    if (header.security == NAS_PLAIN) {
        uplink_unprotected(s1, ue, &header);
        return;
    }
    struct nas_security_context *context = &ue->security;
    if (is_new_header(header.security) && ue->run && ue->run->new_security)
        context = ue->run->new_security;
    int err = context->ksi == NAS_KSI_NO_KEY
                  ? -EACCES
                  : nas_unprotect(context, EPS_UPLINK, pdu, &mme.arena, &opened);
    if (err < 0) {
        metric_add(&mme_counters[MME_NAS_MAC_FAILURES], err == -EACCES);
        uplink_unprotected(s1, ue, &header);
        return;
    }
    s1->is_secured = true;
    mme_nas_dispatch(
        ue, &(struct mme_event){.s1 = s1->id, .is_secured = true, .nas_count = opened.count},
        opened.plain);
}
