/*
 * inner.h -- what the lab's files share: the eNodeB, the phone, and what they tell each other.
 *
 * The air between them is two sets of function calls. Phone to eNodeB: enb_connect(),
 * enb_uplink_nas(), enb_release(), enb_uplink_data(). eNodeB to phone: phone_downlink_nas(),
 * phone_bearer_up(), phone_released(), phone_paged(), phone_downlink_data(). All run in the loop's
 * thread; a call in one direction may lead to calls in the other before it returns.
 */
#ifndef STROWGER_LAB_INNER_H
#define STROWGER_LAB_INNER_H

#include "base/base.h"
#include "crypto/crypto.h"
#include "lab/config.h"
#include "link/link.h"
#include "link/packet_port.h"
#include "wire/nas/nas.h"
#include "wire/s1ap/s1ap.h"

#define LAB_NAS_SIZE    1024 /* NAS messages we build */
#define LAB_MAX_BEARERS 4

struct enb {
    const struct lab_enb_config *config;
    unsigned index;
    struct sctp_association *association;
    struct await setup;       /* the fiber that keeps the association waits here */
    struct map connections;   /* ENB-UE-S1AP-ID to phone index + 1 */
    uint32_t next_connection; /* ENB-UE-S1AP-ID to try next, 24 bits */
    bool up;                  /* S1 Setup is done */
    char mme_name[64];
    int gtpu; /* UDP socket */
    uv_poll_t gtpu_poll;
    uint64_t packets_up, packets_down, error_indications_in, error_indications_out;
};

/* A radio bearer with its tunnel. */
struct bearer {
    uint8_t ebi; /* 0: none */
    struct in_addr sgw;
    uint32_t sgw_teid;
    uint32_t enb_teid;
};

/* The Universal Subscriber Identity Module. */
struct usim {
    struct milenage secrets;
    uint64_t sqn; /* highest accepted */
};

enum phone_state { PHONE_OFF, PHONE_REGISTERED };

/* The IP interface of a phone that has one. */
struct phone_tun {
    struct packet_port port;
    uv_poll_t *poll; /* lives until libuv has let go of it */
    struct phone *phone;
    int netns;
    bool open;
    struct {
        uint8_t *at;
        size_t len;
    } waiting[8]; /* uplink packets of a phone that is being connected */
    unsigned waiting_count;
};

struct phone {
    uint32_t index;
    const struct lab_phones_config *config;
    char imsi[IMSI_SIZE];
    struct usim usim;
    struct enb *enb;
    enum phone_state state;
    bool busy; /* a procedure runs */

    /* Connection: valid while enb_ue_s1ap_id is not 0. */
    uint32_t enb_ue_s1ap_id;
    uint32_t mme_ue_s1ap_id;
    bool has_mme_id;
    struct bearer bearers[LAB_MAX_BEARERS];

    /* Registration. */
    bool has_guti;
    bool secured;  /* `security` is in use */
    bool exchange; /* secure exchange of NAS messages is established on this connection */
    struct guti guti;
    struct tai tai; /* where it registered */
    struct nas_security_context security;
    uint8_t kasme[32]; /* of the last authentication, until security mode takes it */
    uint8_t kasme_ksi;
    uint8_t ebi;

    /* What the network gave. */
    uint8_t pdn_type;
    struct in_addr ipv4;
    uint8_t interface_id[8];
    struct in6_addr ipv6;
    bool has_ipv6;
    uint16_t mtu;
    struct in_addr dns;

    struct await await; /* the procedure's fiber */
    struct await router_advertisement;
    struct phone_tun *tun; /* NULL without */
    uint64_t attached_us;
    uint64_t packets_up, packets_down;
    uint64_t pages;    /* that were meant for it */
    uint64_t requests; /* service requests of its own accord */
};

struct lab {
    struct lab_config config;
    struct enb *enbs;
    struct phone *phones;
    uint32_t phone_count;
    struct arena arena; /* of one dispatch */
};

extern struct lab lab;

/* What a phone's procedure waits for. */
enum phone_event_kind { PHONE_NAS, PHONE_BEARERS_UP, PHONE_RELEASED };

struct phone_event {
    enum phone_event_kind kind;
    const struct nas_message *nas;
};

/* ---- enb.c ---- */

int enb_start(struct enb *enb, unsigned index);
void enb_stop(struct enb *enb);

/* Begins an S1 connection with this NAS message. 0 or negative errno (-ENETDOWN: no MME). */
int enb_connect(struct phone *phone, struct bytes nas, enum s1ap_rrc_establishment_cause cause);
int enb_uplink_nas(struct phone *phone, struct bytes nas);
/* Asks the MME to release the connection (user inactivity, or the radio is lost); phone_released()
 * follows. */
int enb_request_release(struct phone *phone, enum s1ap_cause_radio_network cause);
/* Forgets the connection on this side only. */
void enb_forget(struct phone *phone);
/* The phone moves to this eNodeB with its connection (X2 handover): Path Switch Request. */
int enb_path_switch(struct phone *phone, struct enb *target);

/* ---- tunnel.c ---- */

int enb_gtpu_open(struct enb *enb);
void enb_gtpu_close(struct enb *enb);
/* The TEID by which the eNodeB knows a phone's bearer. */
uint32_t enb_teid(const struct phone *phone, uint8_t ebi);
/* Sends an IP packet on the phone's first bearer: false when it has none. */
bool enb_uplink_data(struct phone *phone, struct bytes packet);

/* ---- usim.c ---- */

enum usim_result { USIM_ACCEPTED, USIM_MAC_FAILURE, USIM_SYNC_FAILURE, USIM_NOT_EPS };

enum usim_result usim_authenticate(struct usim *usim, const uint8_t rand[16],
                                   const uint8_t autn[16], struct milenage_vector *vector,
                                   uint8_t auts[14]);

/* ---- phone.c: what comes down ---- */

int phone_init(struct phone *phone, uint32_t index, const struct lab_phones_config *config,
               uint32_t number);
void phone_downlink_nas(struct phone *phone, struct bytes pdu);
void phone_bearer_up(struct phone *phone);
void phone_released(struct phone *phone);
void phone_paged(struct phone *phone);

/* ---- procedures.c: in a fiber. 0, negative errno, or a positive EMM cause when the network
 * refused ---- */

int phone_attach(struct phone *phone);
int phone_detach(struct phone *phone, bool switch_off);
int phone_service_request(struct phone *phone, bool paged);
int phone_tau(struct phone *phone, bool periodic);
int phone_go_idle(struct phone *phone);
int phone_move(struct phone *phone);
int phone_reboot(struct phone *phone);

/* Answers what the network may ask at any time (identity, authentication, security mode ...); true
 * when the message was one of these. */
bool phone_answer_common(struct phone *phone, const struct nas_message *m);
/* Sends a NAS message, protected when there is security. */
int phone_send(struct phone *phone, const struct nas_message *m);
const struct nas_ue_network_capability *phone_network_capability(void);
int phone_wait(struct phone *phone, int timeout_ms, struct phone_event *event);

/* ---- interface.c: the phone's IP ---- */

/* Gives the phone's TUN its addresses. 0 or negative errno. */
int phone_interface_up(struct phone *phone);
void phone_interface_down(struct phone *phone);
void phone_interface_free(struct phone *phone);
void phone_downlink_data(struct phone *phone, struct bytes packet);
/* Sends what waited for the connection. */
void phone_flush_waiting(struct phone *phone);

/* ---- command.c ---- */

/* Runs a program in a namespace (-1: here) and waits for its end. Its output (cut to size - 1) is
 * in `output`. Returns its exit code, or negative errno; -ETIMEDOUT kills it. */
int command_run(int netns, char *const argv[], int timeout_ms, char *output, size_t size);

/* ---- scenario.c ---- */

extern const struct control_route scenario_routes[];
extern const size_t scenario_route_count;
json_t *scenario_state(void);

#endif
