/*
 * conn_bundle.c -- bundles (ONF extension 230 for OpenFlow 1.3; OpenFlow 1.4 clauses 6.8
 * and 7.3.9).
 *
 * A bundle collects messages, each checked for its form when it is added; a commit applies them in
 * order in one transaction, or none. The message that failed is answered with its own error, the
 * commit with MSG_FAILED. Packet-outs, and the packets of flow mods' buffers, go when all else is
 * in place. A bundle belongs to its connection and dies with it, or when nothing was added to it
 * for BUNDLE_IDLE_MS.
 *
 * Where the specification says that a bundle is discarded with the error (opened twice, closed
 * twice, other flags than it was opened with, messages after it was closed), it is.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "switch/conn.h"

struct bundle {
    struct bundle *next;
    struct conn *conn;
    struct timer idle;
    uint32_t id;
    uint16_t flags;
    bool closed;
    bool buffers;      /* a flow mod in it names a buffer */
    uint8_t *messages; /* one behind the other */
    size_t len, size;
};

static struct bundle **bundle_find(struct conn *c, uint32_t id)
{
    struct bundle **at = &c->bundles;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void bundle_drop(struct conn *c, struct bundle **at)
{
    struct bundle *b = *at;

    timer_stop(&b->idle);
    *at = b->next;
    c->bundle_count--;
    free(b->messages);
    free(b);
}

void conn_drop_bundles(struct conn *c)
{
    while (c->bundles)
        bundle_drop(c, &c->bundles);
}

static void bundle_timed_out(struct timer *timer)
{
    struct bundle *b = container_of(timer, struct bundle, idle);
    struct conn *c = b->conn;

    conn_error(c, 0, OF_BUNDLE_ERROR(OFPBFC_TIMEOUT), bytes_of(NULL, 0));
    bundle_drop(c, bundle_find(c, b->id));
}

static of_error bundle_open(struct conn *c, uint32_t id, uint16_t flags)
{
    struct bundle **at = bundle_find(c, id);

    if (*at) {
        bundle_drop(c, at);
        return OF_BUNDLE_ERROR(OFPBFC_BUNDLE_EXIST);
    }
    if (flags & ~(OFPBF_ATOMIC | OFPBF_ORDERED))
        return OF_BUNDLE_ERROR(OFPBFC_BAD_FLAGS);
    if (c->bundle_count >= MAX_BUNDLES || !(*at = calloc(1, sizeof(**at))))
        return OF_BUNDLE_ERROR(OFPBFC_OUT_OF_BUNDLES);
    (*at)->id = id;
    (*at)->flags = flags;
    (*at)->conn = c;
    timer_start(&(*at)->idle, BUNDLE_IDLE_MS, bundle_timed_out);
    c->bundle_count++;
    return 0;
}

/* ---- commit ---- */

/* Takes the next message out of the bundle's bytes. They were decoded when they were added; memory
 * may be short now. */
static of_error next_message(struct reader *r, struct of_message *m, struct bytes *wire)
{
    of_error error;

    *wire = rd_view(r, of_message_length(r->at));
    arena_reset(&sw.arena);
    return of_decode(m, *wire, &sw.arena, &error) < 0 ? error : 0;
}

/* The first error, with the message that caused it. */
static of_error apply_all(const struct bundle *b, struct transaction *t, uint32_t *xid,
                          struct bytes *wire)
{
    struct reader r = reader_of(b->messages, b->len);

    while (rd_left(&r) > 0) {
        struct of_message m;
        of_error error = next_message(&r, &m, wire);

        *xid = m.xid;
        if (!error)
            error =
                m.type == OFPT_PACKET_OUT ? packet_out_check(&m.packet_out) : apply_change(t, &m);
        if (error)
            return error;
    }
    return 0;
}

static void send_packets(const struct bundle *b)
{
    struct reader r = reader_of(b->messages, b->len);

    while (rd_left(&r) > 0) {
        struct of_message m;
        struct bytes wire;

        if (r.at[1] != OFPT_PACKET_OUT && !(r.at[1] == OFPT_FLOW_MOD && b->buffers))
            rd_skip(&r, of_message_length(r.at));
        else if (next_message(&r, &m, &wire) != 0)
            continue;
        else if (m.type == OFPT_PACKET_OUT)
            (void)packet_out(&m.packet_out);
        else
            change_applied(&m);
    }
}

/* Flow monitors' abbreviations of it name the xid of the commit. */
static of_error bundle_commit(struct conn *c, struct bundle *b, uint32_t commit_xid)
{
    struct transaction t;
    struct bytes wire;
    uint32_t xid;
    of_error error;

    change_begin(&t, &sw.dp);
    error = apply_all(b, &t, &xid, &wire);
    if (error) {
        change_rollback(&t);
        sw.counters.bundles_failed++;
        conn_error(c, xid, error, wire);
        return OF_BUNDLE_ERROR(OFPBFC_MSG_FAILED);
    }
    monitors_cause(c, commit_xid);
    change_commit(&t);
    monitors_cause(NULL, 0);
    sw.counters.bundles++;
    send_packets(b);
    return 0;
}

/* ---- requests ---- */

static of_error control(struct conn *c, const struct of_bundle_control *request, uint32_t xid)
{
    struct bundle **at = bundle_find(c, request->bundle_id), *b = *at;
    of_error error = 0;

    if (request->type == OFPBCT_OPEN_REQUEST)
        return bundle_open(c, request->bundle_id, request->flags);
    if (!b)
        return OF_BUNDLE_ERROR(OFPBFC_BAD_ID);
    if (request->type != OFPBCT_DISCARD_REQUEST && request->flags != b->flags) {
        bundle_drop(c, at);
        return OF_BUNDLE_ERROR(OFPBFC_BAD_FLAGS);
    }
    switch (request->type) {
    case OFPBCT_CLOSE_REQUEST:
        if (b->closed)
            error = OF_BUNDLE_ERROR(OFPBFC_BUNDLE_CLOSED);
        b->closed = true;
        timer_start(&b->idle, BUNDLE_IDLE_MS, bundle_timed_out);
        if (error)
            bundle_drop(c, at);
        return error;
    case OFPBCT_COMMIT_REQUEST:
        error = bundle_commit(c, b, xid);
        bundle_drop(c, bundle_find(c, request->bundle_id));
        return error;
    case OFPBCT_DISCARD_REQUEST:
        bundle_drop(c, at);
        return 0;
    default:
        return OF_BUNDLE_ERROR(OFPBFC_BAD_TYPE);
    }
}

of_error conn_bundle_control(struct conn *c, const struct of_message *m)
{
    struct of_message reply = {
        .type = OFPT_ONF_BUNDLE_CONTROL, .xid = m->xid, .bundle_control = m->bundle_control};
    of_error error = control(c, &m->bundle_control, m->xid);

    if (error)
        return error;
    reply.bundle_control.type++; /* each request's reply is the next number */
    conn_send(c, &reply, 64);
    return 0;
}

static of_error check_message(struct bundle *b, const struct of_message *outer, struct bytes wire)
{
    struct of_message m;
    of_error error;

    if (of_decode(&m, wire, &sw.arena, &error) < 0)
        return error;
    if (m.xid != outer->xid)
        return OF_BUNDLE_ERROR(OFPBFC_MSG_BAD_XID);
    switch (m.type) {
    case OFPT_FLOW_MOD:
        b->buffers |= m.flow_mod.buffer_id != OFP_NO_BUFFER;
        return 0;
    case OFPT_GROUP_MOD:
    case OFPT_METER_MOD:
    case OFPT_PORT_MOD:
    case OFPT_TABLE_MOD:
    case OFPT_PACKET_OUT:
        return 0;
    default:
        return OF_BUNDLE_ERROR(OFPBFC_MSG_UNSUP);
    }
}

static int bundle_append(struct bundle *b, struct bytes wire)
{
    size_t size = b->size ? b->size : 4096;
    uint8_t *at;

    while (b->len + wire.len > size)
        size *= 2;
    if (size > MAX_BUNDLE_BYTES)
        return -ENOSPC;
    if (size != b->size) {
        at = realloc(b->messages, size);
        if (!at)
            return -ENOMEM;
        b->messages = at;
        b->size = size;
    }
    memcpy(b->messages + b->len, wire.at, wire.len);
    b->len += wire.len;
    return 0;
}

of_error conn_bundle_add(struct conn *c, const struct of_message *m)
{
    const struct of_bundle_add *add = &m->bundle_add;
    struct bundle **at = bundle_find(c, add->bundle_id), *b = *at;
    of_error error;

    if (!b) { /* the first message opens it */
        error = bundle_open(c, add->bundle_id, add->flags);
        if (error)
            return error;
        at = bundle_find(c, add->bundle_id);
        b = *at;
    }
    if (b->closed || b->flags != add->flags) {
        error = OF_BUNDLE_ERROR(b->closed ? OFPBFC_BUNDLE_CLOSED : OFPBFC_BAD_FLAGS);
        bundle_drop(c, at);
        return error;
    }
    timer_start(&b->idle, BUNDLE_IDLE_MS, bundle_timed_out);
    error = check_message(b, m, add->message);
    if (error)
        return error;
    return bundle_append(b, add->message) < 0 ? OF_BUNDLE_ERROR(OFPBFC_MSG_TOO_MANY) : 0;
}
