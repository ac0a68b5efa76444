/*
 * fake_user_plane.h -- a user plane for tests of the gateways: it takes PFCP sessions and remembers
 * what it was told, and it does what a test wants it to do wrong.
 */
#ifndef STROWGER_TESTS_FAKE_USER_PLANE_H
#define STROWGER_TESTS_FAKE_USER_PLANE_H

#include "link/pfcp_path.h"

#define FAKE_MAX_RULES    8
#define FAKE_MAX_SESSIONS 4096

struct fake_far {
    uint32_t id;
    uint8_t action;
    uint8_t destination;
    bool has_header;
    uint32_t teid;
    struct in_addr address;
};

struct fake_pdr {
    uint16_t id;
    uint8_t source;
    uint32_t far_id;
    uint32_t teid;
    struct in_addr address; /* of the F-TEID */
    bool has_ue;
    struct pfcp_ue_ip_address ue;
    char network[32];
};

struct fake_session {
    uint64_t up_seid; /* 0: free */
    uint64_t cp_seid;
    uint32_t peer;
    char imsi[IMSI_SIZE];
    struct fake_far fars[FAKE_MAX_RULES];
    struct fake_pdr pdrs[FAKE_MAX_RULES];
    size_t far_count, pdr_count;
    struct pfcp_bit_rates ambr;
    bool has_ambr, has_urr;
    uint8_t delay;
    unsigned modifications, end_markers, drops;
};

struct fake_user_plane {
    struct pfcp_endpoint *pfcp;
    struct sockaddr_in address;
    uint32_t recovery;
    struct in_addr gtpu;
    bool chooses;      /* FTUP: it gives out TEIDs itself */
    uint8_t refuse;    /* the next session requests get this cause ... */
    unsigned refusals; /* ... as many of them */
    unsigned ignored;  /* as many of the next session requests get no answer */
    bool forgets; /* answers session requests with "No established PFCP association" until the next
                     set-up */
    unsigned associations, establishments, modifications, deletions, report_answers;
    uint32_t next_teid;
    uint64_t next_seid;
    size_t count; /* of sessions */
    struct fake_session sessions[FAKE_MAX_SESSIONS];
};

/* Opens it at this address; `recovery` is its time stamp. */
void fake_user_plane_open(struct fake_user_plane *plane, const char *address, uint32_t recovery);
void fake_user_plane_close(struct fake_user_plane *plane);

/* It starts anew, without sessions. */
void fake_user_plane_restart(struct fake_user_plane *plane);

/* The n-th session that is there (0, 1, ...), or of an IMSI; NULL. */
struct fake_session *fake_session_at(struct fake_user_plane *plane, size_t n);
struct fake_session *fake_session_of(struct fake_user_plane *plane, const char *imsi);

struct fake_far *fake_far(struct fake_session *session, uint32_t id);
struct fake_pdr *fake_pdr(struct fake_session *session, uint16_t id);

/* Reports to the control plane; the answers are counted. */
void fake_report_data(struct fake_user_plane *plane, struct fake_session *session);
void fake_report_error(struct fake_user_plane *plane, struct fake_session *session, uint32_t teid,
                       struct in_addr address);

#endif
