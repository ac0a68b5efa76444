/*
 * s1.h -- eNodeBs and UE-associated logical S1 connections (TS 36.413): sending, releasing,
 * finding.
 */
#ifndef STROWGER_MME_S1_H
#define STROWGER_MME_S1_H

#include "mme/context.h"

/* ---- eNodeBs (enb.c)
 * ------------------------------------------------------------------------------------ */

/* Opens the S1AP doors of the configuration. 0 or a negative errno with the reason logged. */
int mme_enb_listen(void);

/* Shuts down all associations. */
void mme_enb_close(void);

/* Procedures about the S1 interface as a whole; `report` goes into the answer's Criticality
 * Diagnostics. */
void mme_s1_setup(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                  const struct s1ap_report *report);
void mme_enb_configuration_update(struct mme_enb *enb, const struct s1ap_pdu *pdu,
                                  const struct s1ap_report *report);
void mme_reset(struct mme_enb *enb, const struct s1ap_pdu *pdu, const struct s1ap_report *report);
void mme_error_indication(struct mme_enb *enb, const struct s1ap_pdu *pdu);
void mme_enb_configuration_transfer(struct mme_enb *enb, const struct s1ap_pdu *pdu);

/* Answers S1 Setup and Configuration Update that could not be understood (TS 36.413 clause 10.3.5).
 */
void mme_s1_setup_refuse(struct mme_enb *enb, struct s1ap_cause cause,
                         const struct s1ap_criticality_diagnostics *diagnostics, const char *why);
void mme_enb_configuration_update_refuse(struct mme_enb *enb, struct s1ap_cause cause,
                                         const struct s1ap_criticality_diagnostics *diagnostics);

/* Encodes and sends a message to an eNodeB. `subject` is whom it is about, for the trace; NULL: as
 * the running fiber. 0, or a negative errno that is logged and counted: the message is lost, and
 * whoever waits for an answer will find out by its timer. */
int mme_enb_send(struct mme_enb *enb, uint16_t stream, enum s1ap_message message, const void *body,
                 const char *subject);

/* Sends an encoded message to every eNodeB that serves the registration area, or to one of them
 * only (`only` != 0). Returns to how many. */
unsigned mme_enb_broadcast(unsigned area, uint32_t only, struct bytes encoded, const char *subject);

struct mme_enb *mme_enb_of_global_id(const struct s1ap_global_enb_id *id);

/* "eNodeB 00101-1234 (name)" for people; in a buffer that the next call overwrites. */
const char *mme_enb_title(const struct mme_enb *enb);

/* Tells eNodeBs to bar, or not to bar any more, as the number of procedures asks (TS 36.413
 * clause 8.7.6). */
void mme_overload_check(void);

/* ---- Connections (s1.c)
 * ----------------------------------------------------------------------------------- */

/* A new connection with the id that the eNodeB chose; NULL when the limit is reached. One that the
 * eNodeB had under the same id is lost. */
struct mme_s1 *mme_s1_new(struct mme_enb *enb, uint32_t enb_ue_s1ap_id);

/* The same before the eNodeB has chosen an id: the target of a handover. mme_s1_move() gives it the
 * id. */
struct mme_s1 *mme_s1_new_at_target(struct mme_enb *enb, struct mme_ue *ue);

/* The connection that an eNodeB means by its own id, or NULL. */
struct mme_s1 *mme_s1_of_enb(const struct mme_enb *enb, uint32_t enb_ue_s1ap_id);

/* It becomes the phone's connection; the one it had before is released. */
void mme_s1_bind(struct mme_s1 *s1, struct mme_ue *ue);

/* The phone has moved to the target's connection; the source's is released. */
void mme_s1_hand_over(struct mme_s1 *target, struct mme_ue *ue);

/* UE Context Release (clause 8.3.3): sends the command; the connection is nobody's from now on, and
 * goes with the answer or without one. */
void mme_s1_release(struct mme_s1 *s1, struct s1ap_cause cause);

/* It is gone for the eNodeB too: forgets it, and its phone hears MME_S1_LOST. */
void mme_s1_lose(struct mme_s1 *s1);

/* Moves a connection to another eNodeB (handover): the ids change, the MME-UE-S1AP-ID stays. 0 or
 * -ENOMEM. */
int mme_s1_move(struct mme_s1 *s1, struct mme_enb *enb, uint32_t enb_ue_s1ap_id);

/* Sends a message about the connection's phone. 0, -ENOTCONN or as mme_enb_send(). */
int mme_s1_send(const struct mme_s1 *s1, enum s1ap_message message, const void *body);

/* A NAS PDU in a Downlink NAS Transport. */
int mme_s1_send_nas(const struct mme_s1 *s1, struct bytes nas_pdu);

/* Error Indication about the ids of a message that fit no connection (clause 10.6). */
void mme_s1_error(struct mme_enb *enb, const uint32_t *mme_ue_s1ap_id,
                  const uint32_t *enb_ue_s1ap_id, struct s1ap_cause cause);

/* The phone's connection, or NULL when it is ECM-IDLE. */
static inline struct mme_s1 *mme_s1_of(const struct mme_ue *ue)
{
    return ue->s1 ? mme_s1_get(ue->s1) : NULL;
}

/* ---- What arrives (dispatch.c)
 * ------------------------------------------------------------------------------ */

/* One S1AP message of an eNodeB. */
void mme_dispatch(struct mme_enb *enb, struct bytes message);

#endif
