/*
 * release.c -- S1 Release (TS 23.401 clause 5.3.5): a connected phone becomes idle, because the
 * eNodeB asks for it (inactivity, radio lost), or because the connection is gone already (Reset,
 * loss of the association).
 */
#include "mme/emm.h"
#include "mme/metrics.h"
#include "mme/s1.h"
#include "mme/s11.h"
#include "mme/ue.h"

static bool is_loss(const struct s1ap_cause *cause)
{
    return cause->group == S1AP_CAUSE_RADIO_NETWORK &&
           cause->value == S1AP_RADIO_NETWORK_RADIO_CONNECTION_WITH_UE_LOST;
}

/* When the radio connection was lost, bearers with a guaranteed rate are not kept (step 4 of the
 * clause). */
static void give_up_gbr_bearers(struct mme_ue *ue)
{
    uint8_t ebis[MME_MAX_BEARERS];
    size_t count = 0;

    MME_EACH_PDN(ue, pdn)
    {
        MME_EACH_BEARER(pdn, bearer)
        {
            if (bearer->gbr_dl_kbps || bearer->gbr_ul_kbps)
                ebis[count++] = bearer->ebi;
        }
    }
    if (count > 0)
        mme_delete_bearer_command(ue, ebis, count);
}

void mme_s1_release_procedure(struct mme_ue *ue, const struct mme_event *event)
{
    bool was_asked = event->kind == MME_CONTEXT_RELEASE_REQUEST;
    uint32_t s1 = event->s1; /* the event is gone after the first wait */
    struct s1ap_cause cause = was_asked ? event->s1ap->ue_context_release_request->cause
                                        : s1ap_cause_nas(S1AP_NAS_NORMAL_RELEASE);

    if (ue->is_registered && ue->has_access_bearers)
        mme_release_access_bearers(ue);
    if (ue->is_registered && (!was_asked || is_loss(&cause)))
        give_up_gbr_bearers(ue);
    if (was_asked && mme_ue_is_connected(ue) && ue->s1 == s1)
        mme_s1_release(mme_s1_of(ue), cause);
    mme_outcome(ue, MME_SUCCEEDED, "%s", was_asked ? "asked for by the eNodeB" : "connection lost");
}
