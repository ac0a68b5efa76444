/*
 * s11.h -- the MME's side of S11 (TS 29.274): sessions at the S-GW, and what the S-GW asks.
 */
#ifndef STROWGER_MME_S11_H
#define STROWGER_MME_S11_H

#include "mme/run.h"

#define MME_MAX_BEARERS (MME_LAST_EBI - MME_FIRST_EBI + 1)

/* The eNodeB's ends of S1-U tunnels, as a procedure got them from the eNodeB. */
struct mme_access_bearers {
    unsigned count;
    struct mme_access_bearer {
        uint8_t ebi;
        struct mme_tunnel enb;
    } at[MME_MAX_BEARERS];
};

/* What Create Session needs to know beside the contexts. */
struct mme_session_request {
    struct bytes pco;             /* empty: none */
    const struct mme_apn *apn;    /* of the subscription */
    bool apn_was_chosen_by_phone; /* under a wildcard: not verified */
};

struct mme_session_answer {
    struct bytes pco; /* until the fiber's next wait; empty: none */
    /* why the PDN type is another than was asked for; 0: it is not. On failure: for the reject */
    uint8_t esm_cause;
    const char *why; /* on failure */
};

/* Opens S11. 0 or a negative errno with the reason logged. */
int mme_s11_open(void);
void mme_s11_close(void);

/* Requests; each waits for the S-GW. They are not cut short when the procedure is aborted, so that
 * the context says what the S-GW holds; then they return -ECANCELED. Other errors: -EHOSTUNREACH
 * (no S-GW answers), -ETIMEDOUT, -EACCES (refused). */
int mme_create_session(struct mme_ue *ue, struct mme_pdn *pdn,
                       const struct mme_session_request *request,
                       struct mme_session_answer *answer);

/* Modify Bearer for all bearers of `access`, a request per PDN connection. -ENOENT: the S-GW does
 * not know the session. */
int mme_modify_bearers(struct mme_ue *ue, const struct mme_access_bearers *access);

/* Always 0 in the end: what cannot be deleted is forgotten here. */
void mme_delete_session(struct mme_ue *ue, struct mme_pdn *pdn);
void mme_delete_all_sessions(struct mme_ue *ue);

/* The S-GW has nothing for this phone any more: nor have we. */
void mme_forget_sessions(struct mme_ue *ue);

/* S1-U is given up; the S-GW buffers downlink data from now on. */
void mme_release_access_bearers(struct mme_ue *ue);

/* Asks the S-GW to delete dedicated bearers that the eNodeB gave up (Delete Bearer Command). */
void mme_delete_bearer_command(struct mme_ue *ue, const uint8_t *ebi, size_t count);

/* After a Downlink Data Notification: the phone could not be found. */
void mme_downlink_data_failure(struct mme_ue *ue, uint8_t gtpc_cause);

/* Answers requests of the S-GW. */
void mme_s11_answer(const struct mme_ue *ue, uint32_t transaction, const void *body);
void mme_s11_refuse(const struct mme_ue *ue, uint32_t transaction, uint8_t gtpc_cause);

/* An S11 event that will not be handled. */
void mme_s11_turn_away(const struct mme_event *event);

/* The user location information of a phone (TS 29.274 clause 8.21). */
struct gtpc_uli mme_uli(const struct mme_ue *ue);

#endif
