/*
 * sgw_world.h -- a fake MME, a fake P-GW and a fake user plane around the S-GW, on loopback, for
 * its tests.
 */
#ifndef STROWGER_TESTS_SGW_WORLD_H
#define STROWGER_TESTS_SGW_WORLD_H

#include "gtp_unit.h"

#include "fake_user_plane.h"
#include "sgw/context.h"

#define MME  unit_host(2)
#define SGW  unit_host(3)
#define PGW  unit_host(4)
#define ODD  unit_host(5)
#define USER unit_host(6)
#define IMSI "001010000000001"

/* The TEID of the fake MME. */
#define MME_TEID 0x111

extern struct fake_user_plane user;

struct fake_mme {
    struct gtpc_endpoint *endpoint;
    uint8_t recovery;
    unsigned notifications, bearer_deletions;
    uint8_t acknowledge; /* cause of the next acknowledgements */
    uint8_t delay;
    bool is_silent;
    uint8_t last_ebi;
    uint8_t last_cause;
};

extern struct fake_mme mme;

struct fake_pgw {
    struct gtpc_endpoint *endpoint;
    uint8_t recovery;
    unsigned creations, deletions, modifications, changes;
    uint8_t refuse; /* cause; 0: accept */
    bool is_silent;
    bool omits_tunnel;
    bool wants_location;
    uint32_t next_teid;
    struct gtpc_f_teid sgw_c, sgw_u; /* of the last session */
    char apn[APN_SIZE];
    uint8_t rat_type;
};

extern struct fake_pgw pgw_fake;
extern struct sgw_config sgw_test_config;
extern const struct gtpc_handler fake_mme_handler;

/* cmocka's set-up and tear-down: one address for S11 and S5; two; a user plane that chooses TEIDs.
 */
int set_up(void **state);
int set_up_two_addresses(void **state);
int set_up_choosing(void **state);
int tear_down(void **state);

/* Starts the S-GW and waits for the user plane. */
int start_sgw(void);

void open_mme(uint8_t recovery);
void open_pgw(uint8_t recovery);
void open_peer(struct gtpc_endpoint **endpoint, const char *host, uint8_t recovery,
               const struct gtpc_handler *handler);
struct udp_peer *peer(struct gtpc_endpoint *endpoint, const char *host);

/* Lets all that is under way arrive; waits until a counter has this value. */
void settle(void);
void wait_for(const unsigned *counter, unsigned value);

/* A request of a fake peer to the S-GW, and its answer. */
struct asked {
    struct gtpc_endpoint *endpoint;
    uint8_t type;
    uint32_t teid;
    const void *body;
    bool done;
    int err;
    uint8_t datagram[2048];
    struct gtpc_message answer;
    struct arena arena;
    uint8_t cause;
};

extern struct asked last; /* of ask() */

void ask_begin(struct asked *asked, struct gtpc_endpoint *endpoint, uint8_t type, uint32_t teid,
               const void *body);
uint8_t ask_of(struct gtpc_endpoint *endpoint, uint8_t type, uint32_t teid, const void *body);
uint8_t ask(uint8_t type, uint32_t teid,
            const void *body); /* the MME's; returns the cause, 0: no answer */

/* A Create Session Request as an attach has it; valid until the next call. */
struct gtpc_create_session_request *creation(const char *imsi, uint8_t ebi);

/* Creates a session and returns our S11 TEID; and what else an MME asks. */
uint32_t attach(const char *imsi);
uint8_t modify_to(uint32_t teid, uint8_t ebi, uint32_t enb_teid, const char *enb);
uint8_t release(uint32_t teid);
uint8_t detach(uint32_t teid, uint8_t ebi);

/* No context, no rule, no count is left anywhere. */
void nothing_is_left(void);

#endif
