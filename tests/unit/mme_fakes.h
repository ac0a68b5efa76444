/*
 * mme_fakes.h -- the MME's neighbours, for its tests and its fuzzer: the link layer's functions
 * that the MME calls, without sockets.
 *
 * These definitions take the place of link/sctp, link/diameter_peer and link/gtpc_path at link
 * time, so the MME under test is the MME that runs, and pays nothing for being tested.
 *
 *   fake eNodeB   an association: what the MME sends is queued, what the test sends goes to the
 * MME's handler fake HSS      answers Diameter requests from a subscriber's keys, or refuses, or is
 * silent fake S-GW     answers GTP requests with tunnels and addresses, or refuses, or is silent
 */
#ifndef STROWGER_TESTS_MME_FAKES_H
#define STROWGER_TESTS_MME_FAKES_H

#include "link/diameter_peer.h"
#include "link/gtpc_path.h"
#include "link/sctp.h"
#include "wire/s1ap/s1ap.h"

#define FAKE_MAX_ENBS  32
#define FAKE_MAX_QUEUE 8192

/* ---- eNodeBs
 * ------------------------------------------------------------------------------------------ */

struct fake_message {
    uint8_t *at;
    size_t len;
    uint16_t stream;
};

struct sctp_association {
    bool is_used, is_open;
    void *owner;
    unsigned number;
    struct fake_message queue[FAKE_MAX_QUEUE];
    unsigned first, count;
    bool is_full; /* sctp_send() says -EAGAIN */
};

/* A new association of an eNodeB; its bytes to the MME; its end. */
struct sctp_association *fake_enb_connect(void);
void fake_enb_send(struct sctp_association *enb, const void *bytes, size_t len);
void fake_enb_send_message(struct sctp_association *enb, enum s1ap_message message,
                           const void *body);
void fake_enb_lose(struct sctp_association *enb);

/* Takes the next message that the MME sent; false when there is none. The bytes stay until
 * fake_reset(). */
bool fake_enb_take(struct sctp_association *enb, struct bytes *message);

/* ---- HSS and S-GW
 * ---------------------------------------------------------------------------------------- */

enum fake_mode {
    FAKE_ANSWERS,
    FAKE_REFUSES,   /* with `refusal` */
    FAKE_IS_SILENT, /* -ETIMEDOUT, after a while */
    FAKE_IS_AWAY,   /* -EHOSTUNREACH at once */
    FAKE_WAITS,     /* until fake_release() */
    FAKE_IS_BROKEN, /* an answer without what it must have */
};

struct fake_hss {
    enum fake_mode air, ulr, pur, nor;
    uint32_t refusal;
    uint64_t sqn;           /* of the next vector, all subscribers */
    uint8_t k[16], opc[16]; /* of all subscribers */
    uint8_t pdn_type;       /* of the first APN; enum s6a_pdn_type */
    bool is_second_apn;     /* "ims" beside "internet" */
    bool is_wildcard;       /* "*" beside them */
    bool is_barred, is_without_lte, is_without_apn;
    unsigned more_apns; /* this many besides */
    bool no_own_data;   /* Update Location Answer without subscription data */
    unsigned airs, ulrs, purs, nors, resyncs;
    char last_imsi[IMSI_SIZE];
    uint32_t last_ulr_flags, last_nor_flags;
    /* What the MME answered to a request of the HSS. */
    unsigned answers;
    uint32_t last_result;
};

struct fake_sgw {
    enum fake_mode create, modify, release, remove;
    uint8_t refusal;          /* gtpc cause */
    uint8_t cause;            /* of an accepted Create Session; 0: accepted */
    uint8_t granted_pdn_type; /* 0: as asked */
    unsigned creates, modifies, releases, removes, commands, failures;
    unsigned sessions; /* that exist */
    uint32_t mme_teid; /* of the last session */
    uint32_t last_enb_teid;
    uint8_t last_pdn_type;
    char last_apn[APN_SIZE];
    uint8_t last_failure;
    /* What the MME answered to a request of the S-GW. */
    unsigned answers, refusals;
    uint8_t last_cause;
    uint32_t last_transaction;
};

extern struct fake_hss fake_hss;
extern struct fake_sgw fake_sgw;

/* Lets requests that wait (FAKE_WAITS) go on. */
void fake_release(void);

/* The subscription that the fake HSS sends, as its fields above say. */
struct s6a_subscription_data *fake_subscription(void);

/* A request of the HSS: the handler of its message. */
void fake_hss_ask(const struct diameter_message *message, void *request);

/* A request of the S-GW. */
void fake_sgw_ask(uint32_t transaction, enum gtpc_message_type type, uint32_t teid, void *body);
void fake_sgw_restart(void);

/* Everything as after the start of the program. */
void fake_reset(void);

#endif
