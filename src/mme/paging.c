/*
 * paging.c -- finding an idle phone (TS 23.401 clause 5.3.4.3, TS 24.301 clause 5.6.2, TS 36.413
 * clause 8.5).
 *
 * An idle phone is known to the tracking areas it registered in, not to a cell. Paging is sent
 * first to the eNodeB where it was last seen (mme.paging.last_enb_first), then, each time T3413
 * expires, to all eNodeBs of its registration area. The message is encoded once for all of them.
 * The phone answers with a Service Request, or with whatever first message it was about to send.
 *
 * mme_reach() is what procedures call that need the phone. Runs in the phone's fiber.
 */
#include <errno.h>

#include "base/log.h"
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/ue.h"

/* The first messages of a phone: any of them answers paging. */
#define FIRST_MESSAGES                                                         \
    (MME_SET(MME_SERVICE_REQUEST) | MME_SET(MME_EXTENDED_SERVICE_REQUEST) |    \
     MME_SET(MME_TRACKING_AREA_UPDATE_REQUEST) | MME_SET(MME_ATTACH_REQUEST) | \
     MME_SET(MME_DETACH_REQUEST))

/* TS 24.008 clause 10.5.5.6: the phone's own DRX cycle in S1 mode, in the second octet. */
static bool own_drx(const struct mme_ue *ue, enum s1ap_paging_drx *drx)
{
    unsigned coefficient = ue->drx >> 4 & 0xf;

    if (!ue->has_drx || coefficient < 6 || coefficient > 9)
        return false;
    *drx = (enum s1ap_paging_drx)(S1AP_PAGING_DRX_V32 + (coefficient - 6));
    return true;
}

static int encode_paging(const struct mme_ue *ue, uint32_t m_tmsi, uint8_t arp_priority,
                         struct writer *w)
{
    const struct mme_area_config *area = &mme.config.tracking_areas.at[ue->area];
    struct tai tais[MME_MAX_AREA_TACS];
    struct bytes capability = mme_shared_view(ue->paging_capability);
    enum s1ap_paging_drx drx;
    /* Priority levels 1 to 8 of S1AP say the order of ARP levels (TS 36.413 clause 9.2.1.78). */
    enum s1ap_paging_priority priority = (enum s1ap_paging_priority)(arp_priority - 1u);
    struct s1ap_paging paging = {
        .ue_identity_index_value = s1ap_ue_identity_index_value(ue->imsi, 1024),
        .ue_paging_id = {.kind = S1AP_PAGE_BY_S_TMSI,
                         .s_tmsi = {.mme_code = mme.config.mme_code, .m_tmsi = m_tmsi}},
        .paging_drx = own_drx(ue, &drx) ? &drx : NULL,
        .cn_domain = S1AP_CN_DOMAIN_PS,
        .tai_list = {tais, area->tacs.count},
        .paging_priority = arp_priority >= 1 && arp_priority <= 8 ? &priority : NULL,
        .ue_radio_capability_for_paging = capability.len > 0 ? &capability : NULL,
    };

    for (size_t i = 0; i < area->tacs.count; i++)
        tais[i] = (struct tai){.plmn = area->plmn, .tac = area->tacs.at[i]};
    return s1ap_encode_paging(w, &paging);
}

/* While the phone has not confirmed a new GUTI it may know either: the old one is tried first
 * (TS 24.301 clause 5.4.1.6). */
static uint32_t m_tmsi_for(const struct mme_ue *ue, unsigned attempt)
{
    return ue->old_m_tmsi && attempt % 2 == 0 ? ue->old_m_tmsi : ue->m_tmsi;
}

int mme_page(struct mme_ue *ue, uint8_t arp_priority, const struct mme_event **event)
{
    uint8_t buffer[2048];

    for (unsigned attempt = 0; attempt < mme_timer_attempts(MME_T3413); attempt++) {
        struct writer w = writer_of(buffer, sizeof(buffer));
        uint32_t only = attempt == 0 && mme.config.paging.last_enb_first ? ue->last_enb : 0;
        if (encode_paging(ue, m_tmsi_for(ue, attempt), arp_priority, &w) < 0)
            return -EINVAL;
        unsigned sent = mme_enb_broadcast(ue->area, only, wr_view(&w), ue->imsi);
        if (sent == 0 && only)
            sent = mme_enb_broadcast(ue->area, 0, wr_view(&w), ue->imsi);
        metric_add(&mme_counters[MME_PAGING_SENT], sent);
        int err = mme_wait(ue, FIRST_MESSAGES, mme_timer_ms(MME_T3413), event);
        if (err != -ETIMEDOUT)
            return err;
    }
    metric_add(&mme_counters[MME_PAGING_UNANSWERED], 1);
    return -ETIMEDOUT;
}

/* Carries out what the phone answered with, and sees to it that it has its bearers then. */
static int take_answer(struct mme_ue *ue, const struct mme_event *event)
{
    switch (event->kind) {
    case MME_SERVICE_REQUEST:
        return mme_serve(ue);
    case MME_EXTENDED_SERVICE_REQUEST:
        if (event->nas->extended_service_request->service_type >= NAS_SERVICE_PACKET)
            return mme_serve(ue);
        break;
    case MME_TRACKING_AREA_UPDATE_REQUEST:
        return mme_update_tracking_area(ue, event, true);
    default:
        break;
    }
    mme_put_back(ue, event);
    return -ECANCELED;
}

int mme_reach(struct mme_ue *ue, uint8_t arp_priority)
{
    const struct mme_s1 *s1 = mme_s1_of(ue);
    const struct mme_event *event;

    if (!ue->is_registered || !ue->pdns)
        return -ECANCELED;
    if (s1)
        return s1->context_is_set_up ? 0 : mme_serve(ue);
    if (!ue->is_reachable)
        return -ETIMEDOUT;
    int err = mme_page(ue, arp_priority, &event);
    return err < 0 ? err : take_answer(ue, event);
}
