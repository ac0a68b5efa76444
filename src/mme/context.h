/*
 * context.h -- what the MME knows: its contexts, and the one struct that holds them.
 *
 *   mme_enb     an eNodeB and its S1 interface                    as long as its SCTP association
 *   mme_s1      a UE-associated logical S1 connection             while a phone is ECM-CONNECTED;
 * its pool id is the MME-UE-S1AP-ID mme_ue      a phone: EMM context (TS 23.401 clause 5.7.2) from
 * its first message until it is detached; its pool id is our S11 TEID mme_pdn     a PDN connection
 * of a phone                       until it is disconnected mme_bearer  an EPS bearer of a PDN
 * connection, the default one first
 *
 * Contexts live in pools and refer to each other by id. Most phones are idle most of the time, so
 * an idle phone is what memory is counted for: it has an mme_ue, an mme_pdn and an mme_bearer, two
 * map entries and nothing else; what many phones have in common (subscription, radio capability,
 * APN) is kept once (shared.h), and what lives only as long as a procedure is on the procedure's
 * stack (run.h).
 */
#ifndef STROWGER_MME_CONTEXT_H
#define STROWGER_MME_CONTEXT_H

#include "base/arena.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/timer.h"
#include "link/gtpc_path.h"
#include "link/sctp.h"
#include "mme/config.h"
#include "mme/shared.h"
#include "wire/nas/nas.h"
#include "wire/s1ap/s1ap.h"

#define MME_FIRST_EBI 5
#define MME_LAST_EBI  15

/* ---- eNodeB
 * ------------------------------------------------------------------------------------------ */

struct mme_enb {
    uint32_t id;
    struct sctp_association *association;
    struct s1ap_global_enb_id global_id;
    char name[151];
    bool is_set_up; /* S1 Setup has succeeded */
    enum s1ap_paging_drx default_paging_drx;
    uint64_t areas;   /* bit n: serves a tracking area of registration area n */
    struct tai *tais; /* what it broadcasts of what we serve */
    size_t tai_count;
    uint32_t first_s1; /* its connections */
    uint32_t s1_count;
    uint64_t since_ms;
    uint64_t messages_in, messages_out;
};

/* ---- S1 connection
 * -------------------------------------------------------------------------------------- */

#define MME_NO_ENB_ID \
    UINT32_MAX /* the target of a handover has not told its id yet; ids have 24 bits */

struct mme_s1 {
    uint32_t id; /* MME-UE-S1AP-ID */
    uint32_t enb;
    uint32_t enb_ue_s1ap_id;
    uint32_t ue; /* 0: nobody's; it is being released, or was never more than a refused request's */
    uint32_t next, previous; /* of the same eNodeB */
    uint16_t stream;
    bool is_releasing; /* UE Context Release Command was sent */
    bool is_secured;   /* a NAS message with correct MAC came on it (TS 24.301 clause 4.4.4.3) */
    bool context_is_set_up; /* Initial Context Setup has succeeded: the radio side has keys and
                               bearers */
    uint8_t ncc;            /* next hop chaining count (TS 33.401 clause 7.2.8) */
    uint32_t nas_count;     /* uplink NAS COUNT that KeNB is derived from */
    uint8_t nh[32];         /* next hop, once the context is set up */
    struct timer guard;     /* for UE Context Release Complete */
};

/* ---- Bearers
 * -------------------------------------------------------------------------------------------- */

/* One end of a tunnel; the address in the form of S1AP: 4 octets, 16, or 4 and 16; len 0: no
 * tunnel. */
struct mme_tunnel {
    uint32_t teid;
    uint8_t len;
    uint8_t address[20];
};

struct mme_bearer {
    uint32_t next; /* bearer of the same PDN connection */
    uint8_t ebi;   /* 5..15, also the E-RAB id */
    uint8_t qci;
    uint8_t arp_priority;
    bool may_pre_empt;
    bool may_be_pre_empted;
    bool is_on_air;   /* the eNodeB has set up its E-RAB */
    bool is_given_up; /* the S-GW was asked to delete it */
    struct mme_tunnel s1u_sgw;
    uint32_t mbr_ul_kbps, mbr_dl_kbps, gbr_ul_kbps, gbr_dl_kbps; /* 0 but for GBR bearers */
};

struct mme_pdn {
    uint32_t next;                /* PDN connection of the same phone */
    uint32_t bearers;             /* the default bearer first; a PDN connection always has it */
    const struct mme_shared *apn; /* with dots and terminator */
    uint32_t context_id;          /* APN-Configuration of the subscription */
    uint8_t ebi;                  /* of the default bearer */
    uint8_t pdn_type;             /* enum nas_pdn_type, as granted */
    bool is_at_gateways;          /* the S-GW has a session for it */
    bool is_up;                   /* the phone has accepted it */
    struct in_addr ipv4;
    struct in6_addr ipv6; /* prefix and interface identifier */
    struct mme_tunnel pgw;
    uint32_t ambr_ul_kbps, ambr_dl_kbps;
};

/* ---- Subscription (TS 29.272 clause 7.3.2), as kept in a struct mme_shared
 * ------------------------------- */

struct mme_apn {
    uint32_t context_id;
    uint32_t ambr_ul_kbps, ambr_dl_kbps;
    char name[APN_SIZE]; /* "*" stands for any */
    uint8_t pdn_type;    /* enum s6a_pdn_type */
    uint8_t qci;
    uint8_t arp_priority;
    bool may_pre_empt;
    bool may_be_pre_empted;
    bool has_ipv4, has_ipv6; /* static addresses */
    struct in_addr ipv4;
    struct in6_addr ipv6;
    uint8_t pgw_len; /* of a P-GW that the subscription names: 0, 4, 16 */
    uint8_t pgw[16];
};

struct mme_subscription {
    uint64_t ambr_ul, ambr_dl; /* bit/s */
    uint32_t default_context_id;
    uint32_t access_restriction;
    uint32_t barring;        /* Operator-Determined-Barring */
    uint32_t rfsp;           /* 0: none */
    uint32_t periodic_tau_s; /* 0: ours */
    bool is_barred;          /* Subscriber-Status */
    uint32_t apn_count;
    _Alignas(8) struct mme_apn apns[];
};

/* ---- Phone
 * -------------------------------------------------------------------------------------------------
 */

struct mme_run;

struct mme_ue {
    uint32_t id;         /* also our S11 TEID */
    uint32_t s1;         /* ECM-CONNECTED: its connection; 0: ECM-IDLE */
    struct mme_run *run; /* the procedure that runs; NULL: none */

    char imsi[IMSI_SIZE]; /* "" until it is known; see is_authenticated */
    char msisdn[MSISDN_SIZE];
    char imeisv[IMEI_SIZE];

    /* State. */
    bool is_authenticated : 1;   /* the IMSI is this phone's: it is found by it */
    bool is_registered : 1;      /* EMM-REGISTERED */
    bool is_reachable : 1;       /* paging proceed flag (TS 23.401 clause 5.3.5) */
    bool hss_knows_us : 1;       /* Update Location has succeeded */
    bool hss_is_unconfirmed : 1; /* the HSS has restarted (TS 23.007 clause 8): to be told again */
    bool hss_wants_reachability : 1; /* it asked to be told when the phone is heard (TS 29.272
                                        clause 5.2.2.1) */
    bool is_superseded : 1; /* the same subscriber attached anew: what is left here is only to be
                               cleared away */
    bool sessions_are_lost : 1;  /* the S-GW restarted: its contexts are gone */
    bool has_access_bearers : 1; /* the S-GW sends downlink data to an eNodeB */
    bool has_drx : 1;
    bool has_additional_security : 1;
    bool timer_is_implicit : 1; /* `timer` is the implicit detach timer, else the mobile reachable
                                   one */

    uint8_t area;                /* registration area: index into the configuration */
    uint32_t m_tmsi, old_m_tmsi; /* old: valid until the phone has confirmed the new one; 0: none */
    struct tai tai;
    struct ecgi ecgi;
    uint32_t last_enb;
    uint64_t seen_ms;   /* when it was last heard; loop_now_ms() */
    struct timer timer; /* mobile reachable, then implicit detach */

    /* Capabilities (TS 24.301). */
    uint16_t drx;
    struct nas_ue_network_capability ue_network_capability;
    struct nas_ms_network_capability ms_network_capability; /* len 0: none */
    uint32_t additional_security_capability;
    const struct mme_shared *radio_capability;
    const struct mme_shared *paging_capability;

    struct nas_security_context security; /* ksi NAS_KSI_NO_KEY: none */
    uint8_t phone_ksi; /* the key set that the phone says it has; a new one gets another number */

    const struct mme_shared *subscription;
    uint32_t sgw; /* S11 peer id; 0: none */
    uint32_t sgw_teid;
    uint32_t pdns; /* first PDN connection */
};

/* ---- All of it
 * -----------------------------------------------------------------------------------------------
 */

struct mme {
    struct mme_config config;
    struct pool enbs, s1s, ues, pdns, bearers;
    struct map ue_by_imsi; /* imsi_key() */
    struct map ue_by_m_tmsi;
    struct map s1_by_enb_key; /* eNodeB and its UE id: see mme_s1_of_enb() */
    struct arena arena;       /* of the S1AP message that is being handled */
    struct sctp_listener *listeners[MME_MAX_LISTENERS];
    struct gtpc_endpoint *s11;
    struct diameter_node *s6a;
    uint32_t next_sgw;
    uint32_t runs; /* procedures under way */
    bool is_overloaded;
    bool is_stopping;
};

extern struct mme mme;

static inline struct mme_enb *mme_enb_get(uint32_t id)
{
    return pool_get(&mme.enbs, id);
}

static inline struct mme_s1 *mme_s1_get(uint32_t id)
{
    return pool_get(&mme.s1s, id);
}

static inline struct mme_ue *mme_ue_get(uint32_t id)
{
    return pool_get(&mme.ues, id);
}

static inline struct mme_pdn *mme_pdn_get(uint32_t id)
{
    return pool_get(&mme.pdns, id);
}

static inline struct mme_bearer *mme_bearer_get(uint32_t id)
{
    return pool_get(&mme.bearers, id);
}

static inline const struct mme_subscription *mme_subscription_of(const struct mme_ue *ue)
{
    return ue->subscription ? (const struct mme_subscription *)(const void *)ue->subscription->bytes
                            : NULL;
}

static inline const char *mme_apn_name(const struct mme_pdn *pdn)
{
    return pdn->apn ? (const char *)pdn->apn->bytes : "";
}

#endif
