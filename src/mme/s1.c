/*
 * s1.c -- UE-associated logical S1 connections (TS 36.413 clauses 3.1, 8.3.3, 10.6): see s1.h.
 *
 * A connection is made by the Initial UE Message, gets its pool id as MME-UE-S1AP-ID, and is bound
 * to the eNodeB whose association the message came on: who names it on another association is told
 * that there is no such id.
 *
 * It belongs to at most one phone, and a phone has at most one. Releasing needs no fiber: the
 * command is sent, the phone is ECM-IDLE from then on, and the connection waits by itself for the
 * answer, so that its id is not used again before the eNodeB has let go of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/trace.h"
#include "crypto/crypto.h"
#include "mme/metrics.h"
#include "mme/run.h"
#include "mme/s1.h"
#include "mme/ue.h"

static uint64_t enb_key(const struct mme_enb *enb, uint32_t enb_ue_s1ap_id)
{
    return (uint64_t)enb->id << 32 | enb_ue_s1ap_id;
}

/* ---- The list of an eNodeB's connections
 * ------------------------------------------------------------------- */

static void link_to(struct mme_s1 *s1, struct mme_enb *enb)
{
    struct mme_s1 *first = mme_s1_get(enb->first_s1);

    s1->previous = 0;
    s1->next = enb->first_s1;
    if (first)
        first->previous = s1->id;
    enb->first_s1 = s1->id;
    enb->s1_count++;
}

static void unlink_from(struct mme_s1 *s1, struct mme_enb *enb)
{
    struct mme_s1 *previous = mme_s1_get(s1->previous);
    struct mme_s1 *next = mme_s1_get(s1->next);

    if (previous)
        previous->next = s1->next;
    else
        enb->first_s1 = s1->next;
    if (next)
        next->previous = s1->previous;
    enb->s1_count--;
}

/* The stream of a connection's messages; stream 0 is for those that are about no phone (TS 36.412
 * clause 7). */
static uint16_t stream_for(const struct mme_enb *enb, uint32_t id)
{
    uint16_t streams = enb->association ? sctp_streams(enb->association) : 0;

    return streams > 1 ? (uint16_t)(1 + id % (streams - 1u)) : 0;
}

/* ---- Life
 * -----------------------------------------------------------------------------------------------------
 */

static struct mme_s1 *make(struct mme_enb *enb)
{
    uint32_t id;
    struct mme_s1 *s1 = pool_new(&mme.s1s, &id);

    if (!s1)
        return NULL;
    s1->id = id;
    s1->enb = enb->id;
    s1->enb_ue_s1ap_id = MME_NO_ENB_ID;
    s1->stream = stream_for(enb, id);
    link_to(s1, enb);
    return s1;
}

static void forget(struct mme_s1 *s1)
{
    struct mme_enb *enb = mme_enb_get(s1->enb);

    timer_stop(&s1->guard);
    if (enb) {
        uint64_t key = enb_key(enb, s1->enb_ue_s1ap_id);
        if (map_get(&mme.s1_by_enb_key, key) == s1->id)
            map_remove(&mme.s1_by_enb_key, key);
        unlink_from(s1, enb);
    }
    crypto_wipe(s1->nh, sizeof(s1->nh));
    pool_delete(&mme.s1s, s1->id);
}

struct mme_s1 *mme_s1_new(struct mme_enb *enb, uint32_t enb_ue_s1ap_id)
{
    struct mme_s1 *former = mme_s1_of_enb(enb, enb_ue_s1ap_id);

    if (former)
        mme_s1_lose(former);
    struct mme_s1 *s1 = make(enb);
    if (!s1)
        return NULL;
    s1->enb_ue_s1ap_id = enb_ue_s1ap_id;
    if (map_set(&mme.s1_by_enb_key, enb_key(enb, enb_ue_s1ap_id), s1->id) == 0)
        return s1;
    forget(s1);
    return NULL;
}

struct mme_s1 *mme_s1_new_at_target(struct mme_enb *enb, struct mme_ue *ue)
{
    struct mme_s1 *s1 = make(enb);

    if (s1)
        s1->ue = ue->id;
    return s1;
}

struct mme_s1 *mme_s1_of_enb(const struct mme_enb *enb, uint32_t enb_ue_s1ap_id)
{
    return mme_s1_get((uint32_t)map_get(&mme.s1_by_enb_key, enb_key(enb, enb_ue_s1ap_id)));
}

/* The phone has this connection no more. What ECM-CONNECTED means ends with it. */
static void unbind(struct mme_s1 *s1)
{
    struct mme_ue *ue = mme_ue_of_s1(s1);

    s1->ue = 0;
    if (!ue || ue->s1 != s1->id)
        return;
    ue->s1 = 0;
    ue->last_enb = s1->enb;
    mme_bearers_off_air(ue);
}

void mme_s1_bind(struct mme_s1 *s1, struct mme_ue *ue)
{
    struct mme_s1 *former = mme_s1_of(ue);

    if (former == s1)
        return;
    if (former)
        mme_s1_release(former, s1ap_cause_nas(S1AP_NAS_NORMAL_RELEASE));
    s1->ue = ue->id;
    ue->s1 = s1->id;
    ue->last_enb = s1->enb;
}

void mme_s1_hand_over(struct mme_s1 *target, struct mme_ue *ue)
{
    struct mme_s1 *source = mme_s1_of(ue);

    target->ue = ue->id;
    target->is_secured = true;
    target->context_is_set_up = true;
    ue->s1 = target->id;
    ue->last_enb = target->enb;
    /* The phone has left it: releasing it does not concern the phone any more. */
    if (source)
        mme_s1_release(source, s1ap_cause_radio_network(S1AP_RADIO_NETWORK_SUCCESSFUL_HANDOVER));
}

static void guard_fired(struct timer *timer)
{
    struct mme_s1 *s1 = container_of(timer, struct mme_s1, guard);

    log_debug("s1 %u: no UE Context Release Complete: taken as released", s1->id);
    forget(s1);
}

void mme_s1_release(struct mme_s1 *s1, struct s1ap_cause cause)
{
    if (s1->is_releasing)
        return;
    struct s1ap_ue_context_release_command command = {
        .ue_s1ap_ids = {.kind = s1->enb_ue_s1ap_id == MME_NO_ENB_ID ? S1AP_MME_UE_S1AP_ID_ONLY
                                                                    : S1AP_UE_S1AP_ID_PAIR,
                        .mme_ue_s1ap_id = s1->id,
                        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id},
        .cause = cause,
    };

    mme_s1_send(s1, S1AP_UE_CONTEXT_RELEASE_COMMAND, &command);
    unbind(s1);
    s1->is_releasing = true;
    timer_start(&s1->guard, mme.config.timers.s1_response_ms, guard_fired);
}

void mme_s1_lose(struct mme_s1 *s1)
{
    struct mme_ue *ue = mme_ue_of_s1(s1);
    uint32_t id = s1->id;
    bool was_its = ue && ue->s1 == id;

    unbind(s1);
    forget(s1);
    if (was_its)
        mme_post(ue, &(struct mme_event){.kind = MME_S1_LOST});
    else if (ue && ue->run)
        /* it was to be the target */
        mme_post(ue, &(struct mme_event){.kind = MME_HANDOVER_FAILURE});
}

int mme_s1_move(struct mme_s1 *s1, struct mme_enb *enb, uint32_t enb_ue_s1ap_id)
{
    struct mme_enb *former = mme_enb_get(s1->enb);
    struct mme_s1 *occupant = mme_s1_of_enb(enb, enb_ue_s1ap_id);

    if (occupant && occupant != s1)
        mme_s1_lose(occupant);
    if (map_set(&mme.s1_by_enb_key, enb_key(enb, enb_ue_s1ap_id), s1->id) < 0)
        return -ENOMEM;
    if (former) {
        if (former != enb || s1->enb_ue_s1ap_id != enb_ue_s1ap_id)
            map_remove(&mme.s1_by_enb_key, enb_key(former, s1->enb_ue_s1ap_id));
        unlink_from(s1, former);
    }
    s1->enb = enb->id;
    s1->enb_ue_s1ap_id = enb_ue_s1ap_id;
    s1->stream = stream_for(enb, s1->id);
    link_to(s1, enb);
    return 0;
}

/* ---- Sending
 * -----------------------------------------------------------------------------------------------------
 */

static const char *subject_of(const struct mme_s1 *s1)
{
    static char text[24];
    const struct mme_ue *ue = mme_ue_of_s1(s1);

    if (ue && ue->imsi[0])
        return ue->imsi;
    snprintf(text, sizeof(text), "s1 %u", s1->id);
    return text;
}

int mme_s1_send(const struct mme_s1 *s1, enum s1ap_message message, const void *body)
{
    struct mme_enb *enb = mme_enb_get(s1->enb);

    if (!enb || s1->is_releasing)
        return -ENOTCONN;
    return mme_enb_send(enb, s1->stream, message, body, trace_is_on() ? subject_of(s1) : NULL);
}

int mme_s1_send_nas(const struct mme_s1 *s1, struct bytes nas_pdu)
{
    struct s1ap_downlink_nas_transport transport = {
        .mme_ue_s1ap_id = s1->id,
        .enb_ue_s1ap_id = s1->enb_ue_s1ap_id,
        .nas_pdu = nas_pdu,
    };

    return mme_s1_send(s1, S1AP_DOWNLINK_NAS_TRANSPORT, &transport);
}

void mme_s1_error(struct mme_enb *enb, const uint32_t *mme_ue_s1ap_id,
                  const uint32_t *enb_ue_s1ap_id, struct s1ap_cause cause)
{
    uint32_t ids[2] = {mme_ue_s1ap_id ? *mme_ue_s1ap_id : 0, enb_ue_s1ap_id ? *enb_ue_s1ap_id : 0};
    struct s1ap_error_indication indication = {
        .mme_ue_s1ap_id = mme_ue_s1ap_id ? &ids[0] : NULL,
        .enb_ue_s1ap_id = enb_ue_s1ap_id ? &ids[1] : NULL,
        .cause = &cause,
    };

    metric_add(&mme_counters[MME_ERROR_INDICATIONS_SENT], 1);
    mme_enb_send(enb, 0, S1AP_ERROR_INDICATION, &indication, "");
}
