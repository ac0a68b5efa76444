/*
 * sctp_inner.h -- what sctp.c and its backends know of each other. Nobody else includes this, but
 * their tests.
 *
 *   sctp.c           associations as their owners see them: life, send queue, callbacks
 *   sctp_kernel.c    backend: the kernel's sockets
 *   sctp_usrsctp.c   backend: usrsctp, driven from our loop
 *   sctp_path.c      below usrsctp: raw IP and UDP sockets, who is behind which address
 *
 * An association's life: CONNECTING (client) -> UP -> DRAINING (the owner is gone, what it sent is
 * still to be delivered) -> DEAD (the memory goes at the end of the turn, so that no caller up the
 * stack steps on it). A backend reports by sctp_is_up() and friends, which call the owner.
 */
#ifndef STROWGER_LINK_SCTP_INNER_H
#define STROWGER_LINK_SCTP_INNER_H

#include "base/loop.h"
#include "link/sctp.h"

#pragma GCC visibility push(hidden) /* see sctp.h */

enum sctp_state { SCTP_STATE_CONNECTING, SCTP_STATE_UP, SCTP_STATE_DRAINING, SCTP_STATE_DEAD };

union sctp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Lengths and ports by family; copies no more than the family's struct. false when it is neither
 * IPv4 nor IPv6. */
bool sctp_address_set(union sctp_address *to, const struct sockaddr *from);
socklen_t sctp_address_len(const union sctp_address *a);
uint16_t sctp_address_port(const union sctp_address *a);
void sctp_address_set_port(union sctp_address *a, uint16_t port);
bool sctp_address_is_wildcard(const union sctp_address *a);

/* Messages that wait to be given to the backend, one behind the other, each behind its head. */
struct sctp_queue {
    uint8_t *at;
    size_t size, begin, end;
    size_t messages;
};

struct sctp_outgoing {
    uint32_t len;
    uint32_t ppid;
    uint16_t stream;
};

struct sctp_path;
struct sctp_backend;

/* usrsctp: "this socket has something for us". */
struct sctp_note {
    struct sctp_note *next;
    void (*look)(struct sctp_note *note);
    bool queued;
};

struct sctp_listener {
    const struct sctp_backend *backend;
    const struct sctp_handler *handler;
    void *owner;
    struct sctp_settings settings;
    union sctp_address local;
    uint32_t associations; /* that came from here and live */
    bool closed;           /* waits for the last of them */
    struct sctp_listener *next, **link;

    struct sctp_note note;  /* usrsctp: somebody to accept */
    struct socket *socket;  /* usrsctp */
    struct sctp_path *path; /* usrsctp */
    uv_poll_t *poll;        /* kernel */
    int fd;                 /* kernel */
};

struct sctp_association {
    const struct sctp_backend *backend;
    struct sctp_listener *listener; /* NULL for a client */
    const struct sctp_handler *handler;
    void *owner;
    struct sctp_settings settings;
    enum sctp_state state;
    bool blocked;      /* the backend took no more; it will call sctp_can_send() */
    bool owner_waits;  /* the owner was told -EAGAIN */
    bool handing_over; /* begins an in-order end once the queue is empty */
    uint16_t streams;
    union sctp_address local, peer;
    char name[64];
    struct sctp_queue queue;
    struct deferred flush;
    struct timer drain;
    uint8_t *partial; /* a message whose end has not come */
    size_t partial_len;
    struct sctp_association *next, **link; /* of all, or of the dead */

    struct sctp_note note; /* usrsctp: something to read, or room to write */
    struct socket *socket; /* usrsctp */
    uint32_t remote;       /* usrsctp: see sctp_path.h */
    uint64_t tag;          /* usrsctp: see sctp_path.h */
    bool corked;           /* usrsctp: waits for more to bundle */
    uv_poll_t *poll;       /* kernel */
    int fd;                /* kernel */
};

struct sctp_backend {
    /* Opens; fills listener->local's port. 0 or negative errno, with nothing left behind. */
    int (*listen)(struct sctp_listener *listener);
    void (*unlisten)(struct sctp_listener *listener);
    int (*connect)(struct sctp_association *association);
    /* Takes one message: 0, -EAGAIN (sctp_can_send() follows), or another error (the end follows).
     * `more`: another one comes at once. */
    int (*send)(struct sctp_association *association, const struct sctp_outgoing *head,
                const uint8_t *payload, bool more);
    /* Begins the end in order; sctp_is_down() follows. */
    void (*shutdown)(struct sctp_association *association);
    /* Gives up what it holds for the association; with an ABORT to the peer if it still lives. */
    void (*release)(struct sctp_association *association, bool abort);
    /* Hands what it holds over to another association: the peer has restarted, and this is its new
     * one. */
    void (*move)(struct sctp_association *from, struct sctp_association *to);
};

extern const struct sctp_backend sctp_kernel_backend;
extern const struct sctp_backend sctp_usrsctp_backend; /* raw and UDP */

/* Ends of the backends, for sctp_free(). */
void sctp_usrsctp_free(void);

/* At the end of the process, when the loop turns no more: what the kernel does for its own sockets.
 * sctp.c ends all associations in order that were shut down, and all others by ABORT; it lets
 * usrsctp work by sctp_usrsctp_turn(). */
void sctp_last_words(void);
void sctp_usrsctp_turn(void);

/* For backends. A new association at a listener; NULL when the bound is reached or memory is out:
 * refuse it. */
struct sctp_association *sctp_accepted(struct sctp_listener *listener,
                                       const union sctp_address *peer);
void sctp_is_up(struct sctp_association *association, uint16_t streams);
void sctp_received(struct sctp_association *association, uint16_t stream, uint32_t ppid,
                   struct bytes fragment, bool last);
void sctp_restarted(struct sctp_association *association, uint16_t streams);
void sctp_can_send(struct sctp_association *association);
void sctp_is_down(struct sctp_association *association, enum sctp_down reason);

extern struct sctp_counters sctp_count;

/* A test's impairment: packets of usrsctp for which it returns true are not sent. NULL: none. */
extern bool (*sctp_path_drop)(struct bytes packet);

#pragma GCC visibility pop

#endif
