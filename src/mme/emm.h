/*
 * emm.h -- NAS between MME and phone (TS 24.301): sending, asking, and what EMM procedures have in
 * common.
 */
#ifndef STROWGER_MME_EMM_H
#define STROWGER_MME_EMM_H

#include "mme/run.h"

/* ---- Messages (nas.c)
 * ---------------------------------------------------------------------------------- */

/* The first NAS message of a new connection. */
void mme_nas_initial(struct mme_s1 *s1, const struct s1ap_initial_ue_message *message);

/* Any later one. */
void mme_nas_uplink(struct mme_s1 *s1, struct mme_ue *ue, struct bytes pdu);

/* A plain message (it was unprotected if it had been protected) becomes an event and is posted; for
 * mail, too. */
void mme_nas_dispatch(struct mme_ue *ue, const struct mme_event *event, struct bytes plain);

/* The event that a NAS message from the phone is; MME_NOTHING for those that are none. */
enum mme_event_kind mme_nas_event(enum nas_message_type type);

/* A message to the phone, as literal: EMM(NAS_ATTACH_REJECT, &reject), ESM(type, ebi, pti, &body).
 */
#define EMM(type_of, body_of)     \
    (&(const struct nas_message){ \
        .type = (type_of), .direction = EPS_DOWNLINK, .body = (void *)(uintptr_t)(body_of)})
#define ESM(type_of, ebi_of, pti_of, body_of)               \
    (&(const struct nas_message){.type = (type_of),         \
                                 .direction = EPS_DOWNLINK, \
                                 .ebi = (ebi_of),           \
                                 .pti = (pti_of),           \
                                 .body = (void *)(uintptr_t)(body_of)})

/* Writes the message as it is to travel: protected if the connection is secured. 0 or a negative
 * errno. */
int emm_build(struct mme_ue *ue, const struct nas_message *message, struct writer *w);

/* Sends it in a Downlink NAS Transport. 0, -ENOTCONN (ECM-IDLE) or another negative errno. */
int emm_send(struct mme_ue *ue, const struct nas_message *message);

/* Sends it plain to a connection that is no phone's (yet). */
void emm_send_plain(const struct mme_s1 *s1, const struct nas_message *message);

/* Sends a message, waits for one of `wanted`, sends it again each time the timer expires, as often
 * as the specification says. 0 and *event, -ETIMEDOUT after the last expiry, -ECANCELED, -ENOTCONN
 * (connection lost). */
int emm_ask(struct mme_ue *ue, const struct nas_message *message, enum mme_timer timer,
            uint64_t wanted, const struct mme_event **event);

void emm_status(struct mme_ue *ue, uint8_t cause);
void esm_status(struct mme_ue *ue, uint8_t ebi, uint8_t pti, uint8_t cause);

/* ---- Common procedures (emm_common.c)
 * ------------------------------------------------------------------------ */

/* How a common procedure fails; an errno says nothing that a phone could be told. */
struct emm_failure {
    uint8_t emm_cause; /* for the reject; 0: none is to be sent */
    const char *why;   /* for the log: what happened and what to do about it */
};

/* Asks the phone for its IMSI (clause 5.4.4). */
int emm_identify(struct mme_ue *ue, struct emm_failure *failure);

/* False without keys, and when a NAS COUNT nears its end, which needs new ones (clause 4.4.3.5). */
bool emm_keys_are_fresh(const struct nas_security_context *security);

/* Authentication (clause 5.4.2) with a vector of the HSS; on 0 the phone has proved its IMSI, and
 * `kasme` and `ksi` are what the new security context begins with. */
int emm_authenticate(struct mme_ue *ue, uint8_t kasme[32], uint8_t *ksi,
                     struct emm_failure *failure);

/* Security mode control (clause 5.4.3): takes a new security context into use. */
int emm_secure(struct mme_ue *ue, const uint8_t kasme[32], uint8_t ksi,
               struct emm_failure *failure);

/* GUTI reallocation as a procedure of its own (clause 5.4.1). */
int emm_reallocate_guti(struct mme_ue *ue);

/* EMM Information (clause 5.4.5), when the operator configured a name. */
void emm_information(struct mme_ue *ue);

/* T3412 and its kin for accept messages. */
uint8_t emm_t3412(const struct mme_ue *ue);

/* Initial Context Setup (TS 36.413 clause 8.3.1): keys, bearers and capabilities go to the eNodeB,
 * with `nas_pdu` for the phone in the first bearer if it is not empty. */
int mme_send_context_setup(struct mme_ue *ue, struct bytes nas_pdu,
                           const enum s1ap_cs_fallback_indicator *cs_fallback);

/* Takes in the eNodeB's answer: 0 and the E-RABs' tunnels in `modify`, or -EIO. */
struct mme_access_bearers;
int mme_context_setup_answer(struct mme_ue *ue, const struct mme_event *event,
                             struct mme_access_bearers *access);

/* Its parts, for other S1AP messages: the E-RABs that an eNodeB has set up; QoS of an E-RAB (`gbr`
 * is its storage); what the phone's radio side can do. */
void mme_take_e_rabs(struct mme_ue *ue, const struct s1ap_e_rab_tunnel *list, size_t count,
                     struct mme_access_bearers *access);
void mme_give_up_failed_bearers(struct mme_ue *ue);
struct s1ap_e_rab_level_qos_parameters mme_e_rab_qos(const struct mme_bearer *bearer,
                                                     struct s1ap_gbr_qos_information *gbr);
struct s1ap_ue_security_capabilities mme_security_capabilities(const struct mme_ue *ue);

/* Pages the phone and waits for its first message, whatever it is. 0 and *event, -ETIMEDOUT,
 * -ECANCELED. */
int mme_page(struct mme_ue *ue, uint8_t arp_priority, const struct mme_event **event);

/* Tracking area update as a step: 0, or a negative errno when the phone was rejected or fell
 * silent. */
int mme_update_tracking_area(struct mme_ue *ue, const struct mme_event *event, bool with_bearers);

/* Gives up the bearers that the phone does not have any more by its EPS bearer context status. */
void mme_keep_bearers(struct mme_ue *ue, uint16_t status);

/* The next hop for another eNodeB (TS 33.401 annex A.4). 0 or a negative errno. */
int mme_next_hop(struct mme_ue *ue, struct mme_s1 *s1, struct s1ap_security_context *context);

void mme_handover_refuse(const struct mme_s1 *source, struct s1ap_cause cause);
void mme_path_switch_refuse(struct mme_enb *enb, uint32_t mme_ue_s1ap_id, uint32_t enb_ue_s1ap_id,
                            struct s1ap_cause cause);

/* Makes the phone reachable: pages it when it is ECM-IDLE and carries out what it answers with. On
 * 0 it is connected. Else -ETIMEDOUT, -ECANCELED, or another error of the procedure it answered
 * with. */
int mme_reach(struct mme_ue *ue, uint8_t arp_priority);

/* The part of Service Request that follows once the phone is known to be the right one: 0 when it
 * is connected. */
int mme_serve(struct mme_ue *ue);

/* Where a Service Request or TAU Request that cannot be served is refused, without any context. */
void mme_service_reject(const struct mme_s1 *s1, uint8_t emm_cause);

/* The IEs of a repeated request are the same when the messages are. */
uint64_t mme_request_hash(struct bytes raw);

#endif
