/*
 * ue.h -- the phones' contexts: made, found, named, forgotten; and the bearers that belong to them.
 */
#ifndef STROWGER_MME_UE_H
#define STROWGER_MME_UE_H

#include "mme/context.h"

/* A new phone, of whom nothing is known; NULL when the limit is reached. */
struct mme_ue *mme_ue_new(void);

/* Forgets the phone and all that belongs to its context here. What others hold (S-GW, HSS, eNodeB)
 * must have been released before; no procedure runs. */
void mme_ue_free(struct mme_ue *ue);

/* By IMSI: only phones that have proved it. By GUTI or M-TMSI: also the previous one until the new
 * one is confirmed. */
struct mme_ue *mme_ue_of_imsi(const char *imsi);
struct mme_ue *mme_ue_of_m_tmsi(uint32_t m_tmsi);
struct mme_ue *mme_ue_of_guti(const struct guti *guti);

/* The phone on this S1 connection, or NULL. */
struct mme_ue *mme_ue_of_s1(const struct mme_s1 *s1);

/* The phone's name for logs and traces: its IMSI, else "s1 17". */
const char *mme_ue_subject(const struct mme_ue *ue);

/* It says that this is its IMSI. */
void mme_ue_set_imsi(struct mme_ue *ue, const char *imsi);

/* It has proved it: from now on it is the phone of this IMSI, and one that was so before is cleared
 * away. 0 or -ENOMEM. */
int mme_ue_prove_imsi(struct mme_ue *ue);

/* GUTI: a new one beside the old one (0 or -ENOMEM); the old one ends; the present one. */
int mme_ue_reallocate_guti(struct mme_ue *ue);
void mme_ue_confirm_guti(struct mme_ue *ue);
struct guti mme_ue_guti(const struct mme_ue *ue);
bool mme_guti_is_ours(const struct guti *guti);

/* The phone was heard, in this place. What the eNodeB did not tell, IEs of criticality ignore, has
 * no PLMN, and what was known before stays. */
void mme_ue_heard(struct mme_ue *ue, const struct tai *tai, const struct ecgi *ecgi);

/* It is ECM-IDLE from now on: the mobile reachable timer starts (TS 23.401 clause 5.3.5). */
void mme_ue_is_idle_now(struct mme_ue *ue);

/* EMM-REGISTERED, EMM-DEREGISTERED. */
void mme_ue_register(struct mme_ue *ue);
void mme_ue_deregister(struct mme_ue *ue);

/* The registration area of a TAI: index, or -ENOENT when we do not serve it. */
int mme_area_of(const struct tai *tai);

/* The TAI list of an area. */
struct nas_tai_list mme_area_tai_list(unsigned area);

static inline bool mme_ue_is_connected(const struct mme_ue *ue)
{
    return ue->s1 != 0;
}

/* ---- PDN connections and bearers
 * ---------------------------------------------------------------------- */

/* A PDN connection with its default bearer, which gets the lowest free EPS bearer id; NULL when
 * there is none or memory is out. */
struct mme_pdn *mme_pdn_new(struct mme_ue *ue, const char *apn);
void mme_pdn_free(struct mme_ue *ue, struct mme_pdn *pdn);

struct mme_bearer *mme_bearer_new(struct mme_ue *ue, struct mme_pdn *pdn);
void mme_bearer_free(struct mme_pdn *pdn, struct mme_bearer *bearer);

/* By EPS bearer id; *pdn (may be NULL) is whose it is. */
struct mme_bearer *mme_bearer_of(const struct mme_ue *ue, uint8_t ebi, struct mme_pdn **pdn);
struct mme_pdn *mme_pdn_of(const struct mme_ue *ue, uint8_t default_ebi);
struct mme_pdn *mme_pdn_of_apn(const struct mme_ue *ue, const char *apn);
struct mme_bearer *mme_default_bearer(const struct mme_pdn *pdn);

#define MME_EACH_PDN(ue, pdn) \
    for (struct mme_pdn *pdn = mme_pdn_get((ue)->pdns); pdn; pdn = mme_pdn_get(pdn->next))
#define MME_EACH_BEARER(pdn, bearer)                                         \
    for (struct mme_bearer *bearer = mme_bearer_get((pdn)->bearers); bearer; \
         bearer = mme_bearer_get(bearer->next))

/* The EPS bearer contexts that are active, one bit each (TS 24.301 clause 9.9.2.1). */
uint16_t mme_bearer_status(const struct mme_ue *ue);

/* No bearer has an E-RAB any more. */
void mme_bearers_off_air(struct mme_ue *ue);

/* The UE-AMBR that an eNodeB is told: the subscribed one, but no more than all APN-AMBRs together
 * (TS 23.401 clause 4.7.3). bit/s. */
struct s1ap_ue_aggregate_maximum_bitrate mme_ue_ambr(const struct mme_ue *ue);

struct mme_tunnel mme_tunnel_of(const struct gtpc_f_teid *f_teid);
struct gtpc_f_teid mme_f_teid_of(const struct mme_tunnel *tunnel, uint8_t interface_type);

/* From S1AP; len 0 when the address is none. */
struct mme_tunnel mme_tunnel_of_s1ap(struct bytes transport_layer_address, uint32_t teid);

#endif
