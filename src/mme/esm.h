/*
 * esm.h -- session management steps that attach and PDN connectivity share (TS 24.301 clause 6).
 */
#ifndef STROWGER_MME_ESM_H
#define STROWGER_MME_ESM_H

#include "mme/emm.h"
#include "mme/s11.h"

#define ESM_PCO_SIZE 256 /* octets of an IE of one length octet */

/* A PDN CONNECTIVITY REQUEST, copied out of its message, as it must outlive the first wait. */
struct esm_request {
    uint8_t pti;
    uint8_t request_type; /* enum nas_request_type */
    uint8_t pdn_type;     /* enum nas_pdn_type */
    bool has_more;        /* APN or PCO come by ESM information transfer */
    char apn[APN_SIZE];   /* "" when the phone names none */
    uint8_t pco[ESM_PCO_SIZE];
    size_t pco_len;
};

/* What an activation needs for its message, which may have to be sent again. */
struct esm_activation {
    uint8_t pti;
    uint8_t esm_cause; /* 0: none */
    uint8_t pco[ESM_PCO_SIZE];
    size_t pco_len;
};

/* ACTIVATE DEFAULT EPS BEARER CONTEXT REQUEST with the storage it points to; use `body`. */
struct esm_activation_message {
    struct nas_activate_default_bearer_request body;
    struct nas_apn_ambr ambr;
    struct bytes pco;
    uint8_t esm_cause;
};

/* Why a PDN connection cannot be had. */
struct esm_failure {
    uint8_t esm_cause;
    const char *why;
};

/* Copies a request out of its message. 0, or -EINVAL with the cause: not a request that can be
 * granted. */
int esm_take_request(const struct nas_message *message, struct esm_request *request,
                     struct esm_failure *failure);

/* The same from the ESM message container of an attach request. `request->pti` is set also on
 * failure if it was there. */
int esm_take_container(struct bytes container, struct esm_request *request,
                       struct esm_failure *failure);

/* ESM information request (clause 6.6.1.2), when the phone has more to tell. */
int esm_ask_information(struct mme_ue *ue, struct esm_request *request,
                        struct esm_failure *failure);

/* Makes the PDN connection: subscription, Create Session. On 0 *pdn has its address and
 * `activation` is ready. On failure nothing is left. */
int esm_connect(struct mme_ue *ue, const struct esm_request *request, struct mme_pdn **pdn,
                struct esm_activation *activation, struct esm_failure *failure);

void esm_fill_activation(const struct mme_pdn *pdn, const struct esm_activation *activation,
                         struct esm_activation_message *message);

/* "10.45.0.2", "2001:db8::1 and 10.45.0.2" for people. */
const char *esm_address_text(const struct mme_pdn *pdn);

#endif
