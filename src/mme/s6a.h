/*
 * s6a.h -- the MME's side of S6a (TS 29.272): the HSS asked, and what the HSS asks.
 */
#ifndef STROWGER_MME_S6A_H
#define STROWGER_MME_S6A_H

#include "mme/emm.h"

/* An authentication vector, copied out of the answer. */
struct mme_vector {
    uint8_t rand[16];
    uint8_t autn[16];
    uint8_t xres[16];
    uint8_t xres_len;
    uint8_t kasme[32];
};

/* Opens S6a. 0 or a negative errno with the reason logged. */
int mme_s6a_open(void);

/* Says good-bye to the HSS and calls `closed` when done. */
void mme_s6a_close(void (*closed)(void *owner));

/* Requests; each waits for the HSS. 0, -ECANCELED, or another negative errno with *failure filled
 * in (annex A of TS 29.272 tells the EMM cause). `resync` NULL, or what the SIM said. */
int mme_s6a_authentication_information(struct mme_ue *ue,
                                       const struct s6a_resynchronization_info *resync,
                                       struct mme_vector *vector, struct emm_failure *failure);
int mme_s6a_update_location(struct mme_ue *ue, bool initial_attach, struct emm_failure *failure);

/* Purge: the HSS is told that we have forgotten the phone. Its answer changes nothing. */
void mme_s6a_purge(struct mme_ue *ue);

/* Notify: the P-GW of a PDN connection; that the phone was heard again. */
void mme_s6a_notify_pgw(struct mme_ue *ue, const struct mme_pdn *pdn);
void mme_s6a_notify_reachable(struct mme_ue *ue);

/* ---- Subscription data (subscription.c)
 * ------------------------------------------------------------------- */

/* Takes in what an Update Location Answer or Insert Subscriber Data brought; `is_whole`: what is
 * not in it is not subscribed any more. 0, -ENOENT when the subscriber has no APN, -ENOMEM. */
int mme_subscription_take(struct mme_ue *ue, const struct s6a_subscription_data *data,
                          bool is_whole);

/* Takes away what a Delete Subscriber Data names. */
int mme_subscription_remove(struct mme_ue *ue, const struct s6a_dsr *request);

/* The APN-Configuration for an APN that the phone asked for ("" or NULL: none), or NULL. The name
 * that is to be used is put into `name`. */
const struct mme_apn *mme_subscription_apn(const struct mme_ue *ue, const char *asked,
                                           char name[APN_SIZE]);

#endif
