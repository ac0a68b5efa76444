/*
 * mme_world.h -- a small LTE world around the MME under test: an eNodeB and phones that follow the
 * specifications step by step, so that a test reads as the exchange it tests, and can leave it at
 * any step.
 *
 * Functions that expect something fail the test when it is something else.
 */
#ifndef STROWGER_TESTS_MME_WORLD_H
#define STROWGER_TESTS_MME_WORLD_H

#include "unit.h"

#include "base/base.h"
#include "mme/context.h"
#include "mme/metrics.h"
#include "mme/run.h"
#include "mme_fakes.h"

struct phone {
    char imsi[IMSI_SIZE];
    struct sctp_association *enb;
    uint16_t tac;
    uint32_t enb_id, mme_id; /* S1 connection; mme_id 0: none yet */
    bool is_connected;
    bool has_guti;
    struct guti guti;
    uint64_t sqn; /* the SIM's */
    bool is_secured;
    struct nas_security_context security;
    uint8_t kasme[32]; /* of the last authentication */
    uint8_t rand[16], autn[16];
    uint8_t ksi;
    uint8_t pti, ebi;
    uint8_t eea, eia; /* capability octets */
    struct in_addr ipv4;
    uint8_t attach_type;
    uint8_t pdn_type;
    bool has_more; /* ESM information transfer flag */
    uint32_t sgw_teid;
    uint8_t last_cause; /* of the last reject */
    uint8_t last_esm_cause;
};

/* The MME as tests want it: short timers, one area with TAC 1 and 2, one with TAC 7. */
void world_begin(void);
void world_end(void);
int world_setup(void **state);
int world_teardown(void **state);

/* Time passes. */
void world_run(unsigned ms);

/* ---- eNodeB
 * ------------------------------------------------------------------------------------------- */

/* An eNodeB with S1 Setup done. */
struct sctp_association *enb_up(uint32_t enb_id, uint16_t tac);

void enb_setup_request(struct sctp_association *enb, uint32_t enb_id, const char *plmn,
                       uint16_t tac);

/* The next message of the MME, decoded; it must be this one. */
const struct s1ap_pdu *enb_expect(struct sctp_association *enb, enum s1ap_message message);
void enb_expect_nothing(struct sctp_association *enb);

/* Drops what the MME has sent. */
void enb_drain(struct sctp_association *enb);

/* ---- Phone
 * --------------------------------------------------------------------------------------------- */

void phone_init(struct phone *phone, const char *imsi, struct sctp_association *enb);

/* Sends a NAS message: protected when the phone is secured; in an Initial UE Message when it is not
 * connected. */
void phone_send(struct phone *phone, enum nas_message_type type, void *body);
void phone_send_esm(struct phone *phone, enum nas_message_type type, uint8_t ebi, uint8_t pti,
                    void *body);
void phone_send_bytes(struct phone *phone, const void *bytes, size_t len);
void phone_send_plain(struct phone *phone, enum nas_message_type type, void *body);

/* The next message for the phone, deciphered; it must be this one. Takes it out of whatever S1AP
 * message carries it. */
const struct nas_message *phone_expect(struct phone *phone, enum nas_message_type type);

/* The NAS message in these bytes. */
const struct nas_message *phone_open(struct phone *phone, struct bytes pdu);

/* The eNodeB loses or is told to release the phone: expects the command, answers it. */
void phone_expect_release(struct phone *phone);

void phone_attach_request(struct phone *phone);
void phone_attach_request_by(struct phone *phone, const struct nas_identity *identity);
void phone_expect_authentication(struct phone *phone);
void phone_answer_authentication(struct phone *phone);
void phone_expect_security_mode(struct phone *phone);
void phone_answer_security_mode(struct phone *phone);
/* Initial Context Setup with Attach Accept. */
void phone_expect_accept(struct phone *phone);
void phone_context_setup_response(struct phone *phone, uint8_t ebi);
void phone_attach_complete(struct phone *phone);

/* All of it, to the end. */
void phone_attach(struct phone *phone);

/* The eNodeB sees no traffic: the phone becomes idle. */
void phone_idle(struct phone *phone);

/* Service Request; the second expects Initial Context Setup and answers it. */
void phone_service_request(struct phone *phone);
void phone_serve(struct phone *phone);

void phone_update_request(struct phone *phone, uint8_t type, const uint16_t *status);
void phone_detach_request(struct phone *phone, uint8_t type);

struct mme_ue *phone_context(const struct phone *phone);

/* Nothing of any phone is left in the MME. */
void expect_nothing_left(void);

#endif
