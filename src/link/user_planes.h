/*
 * user_planes.h -- the user planes of one gateway: which are there, which one takes a new session,
 * what tunnels it lends.
 *
 * A control plane (S-GW, P-GW) has an association with every user plane of its configuration and
 * gives each session to one of them. TEIDs are allocated by the control plane out of the range that
 * the user plane told it (TS 29.244 clause 5.5.2): they are made from the id of the context they
 * belong to, so no table of free ones is needed, and a session can be established anew with the
 * same tunnels after the user plane has started anew. A user plane that wants to allocate itself
 * (FTUP, and no range told) is asked to (CHOOSE).
 *
 * The loop's thread only.
 */
#ifndef STROWGER_LINK_USER_PLANES_H
#define STROWGER_LINK_USER_PLANES_H

#include "link/path_config.h"
#include "link/pfcp_association.h"
#include "wire/gtp/gtp.h"

#define USER_PLANES_MAX 16

struct user_planes;

/* `owner` is what the user planes were opened with; `plane` is the place in the configuration's
 * list. */
struct user_planes_handler {
    /* It can be used; with `restarted` all sessions on it are gone and are to be established again.
     */
    void (*up)(void *owner, uint8_t plane, bool restarted);
    void (*down)(void *owner, uint8_t plane);
    /* A report about the session with our SEID. Called until it is answered by
     * user_planes_answer_report(). */
    void (*report)(void *owner, uint8_t plane, uint64_t seid, uint32_t transaction,
                   const struct pfcp_session_report_request *report);
    /* Whom a session is about, for the trace; "" when unknown. */
    const char *(*subject)(void *owner, uint64_t seid);
};

/* Opens the PFCP endpoint and begins the associations. Contexts that get tunnels have pool ids up
 * to `max_contexts`, and each gets 2^tunnel_bits tunnels. 0 or a negative errno; -ENOSPC: the TEID
 * range is too small for that many. */
int user_planes_open(const struct pfcp_path_config *config, uint32_t recovery_time_stamp,
                     uint32_t max_contexts, uint8_t tunnel_bits,
                     const struct user_planes_handler *handler, void *owner,
                     struct user_planes **planes);

/* Ends the associations without a word (the user plane keeps the sessions until it hears of our
 * restart). */
void user_planes_close(struct user_planes *planes);

struct pfcp_endpoint *user_planes_pfcp(struct user_planes *planes);

/* The plane for a new session: of those that are up, the one with the fewest; -ENETUNREACH when
 * none is. Counts the session. */
int user_planes_take(struct user_planes *planes);

/* The session is gone. */
void user_planes_give_back(struct user_planes *planes, uint8_t plane);

bool user_plane_is_up(const struct user_planes *planes, uint8_t plane);
const char *user_plane_name(const struct user_planes *planes, uint8_t plane);
uint32_t user_plane_sessions(const struct user_planes *planes, uint8_t plane);
size_t user_planes_count(const struct user_planes *planes);

/* The F-TEID for tunnel number `tunnel` of a context, for packets that come from
 * `source_interface`. With `choose` set in it the user plane is to say which. -ENETUNREACH: the
 * plane is not up or has told no address. */
int user_plane_f_teid(const struct user_planes *planes, uint8_t plane, uint8_t source_interface,
                      uint32_t context, uint8_t tunnel, struct pfcp_f_teid *f_teid);

/* Sends a session request and waits for the answer, in a fiber. Errors as pfcp_request(), and
 * -ENETUNREACH: not associated. "No established PFCP association" in the answer makes the
 * association be renewed. */
int user_plane_request(struct user_planes *planes, uint8_t plane, uint64_t seid,
                       enum pfcp_message_type type, const void *body, struct pfcp_message **answer);

/* Deletes the user plane's session and waits for the answer, in a fiber. When the user plane is not
 * there, or does not answer, the session is remembered and deleted when it is back (unless it has
 * started anew, and so has forgotten it by itself). Errors as above. */
int user_plane_delete(struct user_planes *planes, uint8_t plane, uint64_t seid,
                      struct pfcp_message **answer);

/* Sessions remembered for deletion, in all. */
size_t user_planes_remembered(const struct user_planes *planes);

/* What the cause of a session response means: 0, -ENOENT (it does not know the session), -ENOSPC
 * (it is full), -EPROTO (it refuses). */
int user_plane_error(uint8_t cause);

/* The cause to give to a GTP-C peer for an error of these or of user_plane_request(). */
enum gtpc_cause_value user_plane_gtpc_cause(int error);

/* Logs, a few times a second, that it refused the establishment or modification of a session. */
void user_plane_refused(const struct user_planes *planes, uint8_t plane, const char *what,
                        uint8_t cause);

/* Answers a report to the user plane's SEID of the session (0: unknown). */
void user_planes_answer_report(struct user_planes *planes, uint32_t transaction, uint64_t up_seid,
                               enum pfcp_cause cause);

#endif
