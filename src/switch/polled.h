/*
 * polled.h -- which queues a data-path thread looks after, for when it looks without being called.
 *
 * A list is never changed once a thread may read it: the loop's thread makes another and publishes
 * that (one pointer in struct worker); the old one is freed a grace period later.
 */
#ifndef STROWGER_SWITCH_POLLED_H
#define STROWGER_SWITCH_POLLED_H

#include <stdbool.h>
#include <stdint.h>

enum polled_how {
    POLLED_ASKED,  /* to look is a system call: epoll says when it is worth it */
    POLLED_DIRECT, /* to look is to read memory */
    POLLED_ALWAYS, /* the same, and there is no descriptor that could call */
    POLLED_HOWS
};

struct polled_queue {
    uint64_t token; /* as in an epoll event */
    enum polled_how how;
};

struct polled {
    unsigned count;
    unsigned of[POLLED_HOWS]; /* how many of each kind */
    struct polled_queue queues[];
};

/* Publishes at *at a list with one queue more, and one without any whose token has these bits under
 * `mask`. In the loop's thread. 0 or -ENOMEM; the latter always does, as a list that is too long
 * names ports that are not found. */
int polled_add(struct polled **at, uint64_t token, enum polled_how how);
void polled_remove(struct polled **at, uint64_t token, uint64_t mask);

/* In a worker: the list of now, until the next quiescent state; never NULL. */
const struct polled *polled_now(struct polled *const *at);

#endif
