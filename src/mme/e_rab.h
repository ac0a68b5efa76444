/*
 * e_rab.h -- a change of one bearer, told to the eNodeB and to the phone in one message (TS 36.413
 * clause 8.2, TS 24.301 clause 6.4).
 *
 * The eNodeB gets an E-RAB Setup Request, Modify Request or Release Command, which carries the ESM
 * message for the phone. Both answer, in any order; the ESM message is sent again by itself when
 * the phone does not. mme_e_rab_exchange() is all of it.
 */
#ifndef STROWGER_MME_E_RAB_H
#define STROWGER_MME_E_RAB_H

#include "mme/emm.h"
#include "mme/s11.h"

enum mme_e_rab_change {
    MME_E_RAB_SETUP,   /* T3485: activation of a default or dedicated bearer */
    MME_E_RAB_MODIFY,  /* T3486 */
    MME_E_RAB_GONE,    /* T3495: deactivation */
    MME_E_RAB_NAS_ONLY /* T3486: a modification of which the eNodeB need not know */
};

struct mme_e_rab_exchange {
    enum mme_e_rab_change change;
    struct mme_bearer *bearer;
    const struct nas_message *message;
    /* Results. */
    struct mme_access_bearers access; /* setup: the eNodeB's end of the tunnel */
    uint8_t esm_cause;                /* the phone refused, with this cause */
};

/* 0: both did as asked. -EACCES: the phone refused. -EIO: the eNodeB did. -ETIMEDOUT: one of them
 * fell silent. -ECANCELED, -ENOTCONN. */
int mme_e_rab_exchange(struct mme_ue *ue, struct mme_e_rab_exchange *exchange);

#endif
