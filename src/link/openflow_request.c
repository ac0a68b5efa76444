/*
 * openflow_request.c -- who waits for which OpenFlow answer: by transaction id (OpenFlow 1.3.5
 * clause 7.1.1).
 *
 * Those who wait hang in a small hash table by xid. Before the last answer is handed over the
 * pending is taken out, so the waiter may go away, or ask anew, inside its own call.
 */
#include <errno.h>

#include "base/fiber.h"
#include "link/openflow_inner.h"

#define TYPE_BARRIER_REQUEST 20
#define TYPE_ERROR           1
#define TYPE_MULTIPART_REPLY 19
#define MULTIPART_MORE       0x0001
#define MULTIPART_HEAD       16 /* header, type, flags, padding */

static struct openflow_pending **bucket(struct openflow_pendings *pendings, uint32_t xid)
{
    return &pendings->buckets[xid % OPENFLOW_PENDING_BUCKETS];
}

int openflow_pending_add(struct openflow_channel *channel, struct openflow_pending *pending,
                         uint32_t xid)
{
    struct openflow_pending **first = bucket(openflow_channel_pendings(channel), xid);

    if (!openflow_channel_is_up(channel))
        return -ENOTCONN;
    pending->xid = xid;
    pending->next = *first;
    pending->link = first;
    if (pending->next)
        pending->next->link = &pending->next;
    *first = pending;
    return 0;
}

void openflow_pending_cancel(struct openflow_pending *pending)
{
    if (!pending->link)
        return;
    *pending->link = pending->next;
    if (pending->next)
        pending->next->link = pending->link;
    pending->link = NULL;
    pending->next = NULL;
}

/* Clause 7.3.5. */
static bool has_more(const struct openflow_header *header, struct bytes message)
{
    return header->type == TYPE_MULTIPART_REPLY && message.len >= MULTIPART_HEAD &&
           message.at[11] & MULTIPART_MORE;
}

bool openflow_pendings_answer(struct openflow_pendings *pendings,
                              const struct openflow_header *header, struct bytes message)
{
    struct openflow_pending *pending = *bucket(pendings, header->xid);

    while (pending && pending->xid != header->xid)
        pending = pending->next;
    if (!pending)
        return false;
    bool more = has_more(header, message);
    if (!more)
        openflow_pending_cancel(pending);
    pending->answered(pending, 0, header, message, more);
    return true;
}

void openflow_pendings_fail(struct openflow_pendings *pendings, int error)
{
    for (size_t i = 0; i < OPENFLOW_PENDING_BUCKETS; i++) {
        while (pendings->buckets[i]) {
            struct openflow_pending *pending = pendings->buckets[i];
            openflow_pending_cancel(pending);
            pending->answered(pending, error, NULL, bytes_of(NULL, 0), false);
        }
    }
}

/* A fiber that waits. */
struct waiting {
    struct openflow_pending pending;
    struct await await;
    struct openflow_header header;
    struct bytes message;
    void (*part)(void *context, const struct openflow_header *header, struct bytes message);
    void *context;
};

static void resume(struct openflow_pending *pending, int error,
                   const struct openflow_header *header, struct bytes message, bool more)
{
    struct waiting *waiting = container_of(pending, struct waiting, pending);

    if (error < 0) {
        await_fail(&waiting->await, error);
        return;
    }
    waiting->header = *header;
    waiting->message = message;
    if (waiting->part)
        waiting->part(waiting->context, header, message);
    if (!more || !waiting->part) {
        openflow_pending_cancel(pending);
        await_deliver(&waiting->await, NULL);
    }
}

static int send_and_wait(struct openflow_channel *channel, struct bytes message, int timeout_ms,
                         struct waiting *waiting)
{
    int err;

    if (message.len < OPENFLOW_HEADER_SIZE)
        return -EINVAL;
    if (!openflow_channel_is_up(channel))
        return -ENOTCONN;
    uint32_t xid = openflow_channel_xid(channel);
    struct writer w = openflow_reserve(channel, message.len);
    wr_view_of(&w, message);
    if (!w.bad)
        wr_patch_u32(&w, 4, xid);
    if ((err = openflow_commit(channel, &w)) < 0)
        return err;
    waiting->pending.answered = resume;
    if ((err = openflow_pending_add(channel, &waiting->pending, xid)) < 0)
        return err;
    err = await(&waiting->await, timeout_ms, NULL);
    openflow_pending_cancel(&waiting->pending);
    return err;
}

int openflow_request(struct openflow_channel *channel, struct bytes message, int timeout_ms,
                     struct openflow_header *header, struct bytes *answer)
{
    struct waiting waiting = {.part = NULL};
    int err = send_and_wait(channel, message, timeout_ms, &waiting);

    if (err < 0)
        return err;
    *header = waiting.header;
    *answer = waiting.message;
    return 0;
}

int openflow_multipart_request(struct openflow_channel *channel, struct bytes message,
                               int timeout_ms,
                               void (*part)(void *context, const struct openflow_header *header,
                                            struct bytes message),
                               void *context)
{
    struct waiting waiting = {.part = part, .context = context};
    int err = send_and_wait(channel, message, timeout_ms, &waiting);

    if (err < 0)
        return err;
    return waiting.header.type == TYPE_ERROR ? -EREMOTEIO : 0;
}

int openflow_barrier(struct openflow_channel *channel, int timeout_ms)
{
    uint8_t message[OPENFLOW_HEADER_SIZE];
    struct writer w = writer_of(message, sizeof(message));
    struct openflow_header header;
    struct bytes answer;

    openflow_header_put(&w, openflow_channel_version(channel), TYPE_BARRIER_REQUEST,
                        sizeof(message), 0);
    int err = openflow_request(channel, wr_view(&w), timeout_ms, &header, &answer);
    if (err < 0)
        return err;
    return header.type == TYPE_ERROR ? -EREMOTEIO : 0;
}
