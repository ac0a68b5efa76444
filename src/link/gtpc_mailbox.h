/*
 * gtpc_mailbox.h -- what has come for a context while a procedure runs on it.
 *
 * A context (a phone at the S-GW, a session at the P-GW) runs one procedure at a time. What comes
 * meanwhile is copied here, in order and not more than a few, and taken when the procedure has
 * ended. An empty mailbox has no memory.
 */
#ifndef STROWGER_LINK_GTPC_MAILBOX_H
#define STROWGER_LINK_GTPC_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

#define GTPC_MAILBOX_LIMIT 8

struct gtpc_mail {
    struct gtpc_mail *next;
    uint8_t kind;         /* the room's own */
    uint32_t peer;        /* udp_peer_id() */
    uint32_t transaction; /* 0: nobody waits for an answer */
    size_t len;
    uint8_t content[];
};

struct gtpc_mailbox {
    struct gtpc_mail *first;
    bool is_busy; /* a procedure runs */
};

/* Keeps a copy at the end; false when the mailbox is full or memory is out. */
bool gtpc_mailbox_put(struct gtpc_mailbox *box, uint8_t kind, uint32_t peer, uint32_t transaction,
                      struct bytes content);

/* The oldest one, to be freed with free(); NULL when there is none. */
struct gtpc_mail *gtpc_mailbox_take(struct gtpc_mailbox *box);

/* True when something of this kind waits. */
bool gtpc_mailbox_has(const struct gtpc_mailbox *box, uint8_t kind);

#endif
