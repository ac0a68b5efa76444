/*
 * ue.c -- see ue.h. A phone is found in three ways: by the id of its context (MME-UE-S1AP-ID
 * through the connection, S11 TEID), by its IMSI once it has proved that it is its own, and by the
 * M-TMSI of its GUTI. A claimed IMSI leads nowhere: who merely says an IMSI gets a context of its
 * own, and takes the place of the subscriber's former one only when it has been authenticated
 * (TS 23.401 clause 5.3.2.1; otherwise anybody could detach anybody).
 *
 * The timer of an idle phone is first the mobile reachable timer, then the implicit detach timer
 * (TS 24.301 clause 5.3.5).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fiber.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/trace.h"
#include "crypto/crypto.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/ue.h"

/* ---- Contexts
 * -------------------------------------------------------------------------------------------- */

struct mme_ue *mme_ue_new(void)
{
    uint32_t id;
    struct mme_ue *ue = pool_new(&mme.ues, &id);

    if (!ue)
        return NULL;
    ue->id = id;
    ue->security.ksi = NAS_KSI_NO_KEY;
    ue->phone_ksi = NAS_KSI_NO_KEY;
    ue->seen_ms = loop_now_ms();
    return ue;
}

static void forget_m_tmsi(const struct mme_ue *ue, uint32_t m_tmsi)
{
    if (m_tmsi != 0 && map_get(&mme.ue_by_m_tmsi, m_tmsi) == ue->id)
        map_remove(&mme.ue_by_m_tmsi, m_tmsi);
}

void mme_ue_free(struct mme_ue *ue)
{
    timer_stop(&ue->timer);
    mme_ue_deregister(ue);
    while (ue->pdns)
        mme_pdn_free(ue, mme_pdn_get(ue->pdns));
    if (ue->is_authenticated && map_get(&mme.ue_by_imsi, imsi_key(ue->imsi)) == ue->id)
        map_remove(&mme.ue_by_imsi, imsi_key(ue->imsi));
    forget_m_tmsi(ue, ue->m_tmsi);
    forget_m_tmsi(ue, ue->old_m_tmsi);
    mme_unshare(ue->radio_capability);
    mme_unshare(ue->paging_capability);
    mme_unshare(ue->subscription);
    struct udp_peer *sgw = ue->sgw ? udp_peer_get(gtpc_udp(mme.s11), ue->sgw) : NULL;
    if (sgw)
        udp_peer_release(sgw);
    crypto_wipe(&ue->security, sizeof(ue->security));
    pool_delete(&mme.ues, ue->id);
}

struct mme_ue *mme_ue_of_imsi(const char *imsi)
{
    return mme_ue_get((uint32_t)map_get(&mme.ue_by_imsi, imsi_key(imsi)));
}

struct mme_ue *mme_ue_of_m_tmsi(uint32_t m_tmsi)
{
    return m_tmsi ? mme_ue_get((uint32_t)map_get(&mme.ue_by_m_tmsi, m_tmsi)) : NULL;
}

struct mme_ue *mme_ue_of_guti(const struct guti *guti)
{
    return mme_guti_is_ours(guti) ? mme_ue_of_m_tmsi(guti->m_tmsi) : NULL;
}

struct mme_ue *mme_ue_of_s1(const struct mme_s1 *s1)
{
    return s1->ue ? mme_ue_get(s1->ue) : NULL;
}

const char *mme_ue_subject(const struct mme_ue *ue)
{
    static char text[24];

    if (ue->imsi[0])
        return ue->imsi;
    snprintf(text, sizeof(text), "s1 %u", ue->s1);
    return text;
}

void mme_ue_set_imsi(struct mme_ue *ue, const char *imsi)
{
    if (trace_is_on() && strcmp(ue->imsi, imsi) != 0)
        trace_alias(mme_ue_subject(ue), imsi);
    memcpy(ue->imsi, imsi, strnlen(imsi, sizeof(ue->imsi) - 1) + 1);
    ue->imsi[sizeof(ue->imsi) - 1] = '\0';
    fiber_set_subject(ue->imsi);
}

int mme_ue_prove_imsi(struct mme_ue *ue)
{
    struct mme_ue *former = mme_ue_of_imsi(ue->imsi);

    if (former == ue)
        return 0;
    int err = map_set(&mme.ue_by_imsi, imsi_key(ue->imsi), ue->id);
    if (err < 0)
        return err;
    ue->is_authenticated = true;
    if (former)
        mme_post(former, &(struct mme_event){.kind = MME_SUPERSEDED});
    return 0;
}

/* ---- GUTI (TS 23.003 clause 2.8)
 * --------------------------------------------------------------------------- */

/* Random, so that nobody can follow a phone by it; the two highest bits are 1, which tells an
 * M-TMSI from a P-TMSI (TS 23.003 clause 2.8.2.1.2). */
static uint32_t random_m_tmsi(void)
{
    static uint32_t reserve[64];
    static unsigned left;

    if (left == 0) {
        if (crypto_random(reserve, sizeof(reserve)) < 0)
            return 0;
        left = sizeof(reserve) / sizeof(reserve[0]);
    }
    return reserve[--left] | 0xc0000000u;
}

int mme_ue_reallocate_guti(struct mme_ue *ue)
{
    for (unsigned tries = 0; tries < 64; tries++) {
        uint32_t m_tmsi = random_m_tmsi();
        uint64_t taken;
        if (m_tmsi == 0 || m_tmsi == UINT32_MAX || map_find(&mme.ue_by_m_tmsi, m_tmsi, &taken))
            continue;
        if (map_set(&mme.ue_by_m_tmsi, m_tmsi, ue->id) < 0)
            return -ENOMEM;
        /* One that was never confirmed makes room: the phone knows the one before it. */
        if (ue->old_m_tmsi)
            forget_m_tmsi(ue, ue->m_tmsi);
        else
            ue->old_m_tmsi = ue->m_tmsi;
        ue->m_tmsi = m_tmsi;
        return 0;
    }
    return -ENOMEM;
}

void mme_ue_confirm_guti(struct mme_ue *ue)
{
    forget_m_tmsi(ue, ue->old_m_tmsi);
    ue->old_m_tmsi = 0;
}

struct guti mme_ue_guti(const struct mme_ue *ue)
{
    return (struct guti){
        .gummei = {.plmn = mme.config.tracking_areas.at[ue->area].plmn,
                   .mme_group_id = mme.config.mme_group_id,
                   .mme_code = mme.config.mme_code},
        .m_tmsi = ue->m_tmsi,
    };
}

bool mme_guti_is_ours(const struct guti *guti)
{
    if (guti->gummei.mme_group_id != mme.config.mme_group_id ||
        guti->gummei.mme_code != mme.config.mme_code)
        return false;
    for (size_t i = 0; i < mme.config.tracking_areas.count; i++) {
        if (plmn_equal(&guti->gummei.plmn, &mme.config.tracking_areas.at[i].plmn))
            return true;
    }
    return false;
}

/* ---- Place and reachability
 * ----------------------------------------------------------------------------------- */

int mme_area_of(const struct tai *tai)
{
    for (size_t i = 0; i < mme.config.tracking_areas.count; i++) {
        const struct mme_area_config *area = &mme.config.tracking_areas.at[i];
        if (!plmn_equal(&area->plmn, &tai->plmn))
            continue;
        for (size_t j = 0; j < area->tacs.count; j++) {
            if (area->tacs.at[j] == tai->tac)
                return (int)i;
        }
    }
    return -ENOENT;
}

struct nas_tai_list mme_area_tai_list(unsigned index)
{
    const struct mme_area_config *area = &mme.config.tracking_areas.at[index];
    struct nas_tai_list list = {.count = (uint8_t)area->tacs.count};

    for (size_t i = 0; i < area->tacs.count; i++)
        list.at[i].tai = (struct tai){.plmn = area->plmn, .tac = area->tacs.at[i]};
    return list;
}

void mme_ue_heard(struct mme_ue *ue, const struct tai *tai, const struct ecgi *ecgi)
{
    ue->seen_ms = loop_now_ms();
    ue->is_reachable = true;
    timer_stop(&ue->timer);
    if (tai->plmn.mnc_digits > 0)
        ue->tai = *tai;
    if (ecgi->plmn.mnc_digits > 0)
        ue->ecgi = *ecgi;
}

void mme_ue_register(struct mme_ue *ue)
{
    if (!ue->is_registered)
        mme_count_registered(1);
    ue->is_registered = true;
}

void mme_ue_deregister(struct mme_ue *ue)
{
    if (ue->is_registered)
        mme_count_registered(-1);
    ue->is_registered = false;
}

static void idle_timer_fired(struct timer *timer)
{
    struct mme_ue *ue = container_of(timer, struct mme_ue, timer);

    if (!ue->timer_is_implicit) {
        ue->timer_is_implicit = true;
        ue->is_reachable = false;
        timer_start(&ue->timer, mme.config.timers.implicit_detach_ms, idle_timer_fired);
        return;
    }
    mme_post(ue, &(struct mme_event){.kind = MME_IMPLICIT_DETACH});
}

void mme_ue_is_idle_now(struct mme_ue *ue)
{
    if (mme.config.timers.t3412_ms == 0 || timer_is_running(&ue->timer))
        return;
    ue->timer_is_implicit = false;
    timer_start(&ue->timer, mme.config.timers.mobile_reachable_ms, idle_timer_fired);
}
