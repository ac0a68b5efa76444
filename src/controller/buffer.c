/*
 * buffer.c -- packets for phones that sleep (TS 29.244 clause 5.2.3, TS 23.401 clause 5.3.4.3).
 *
 * While a phone is idle its S-GW's FAR says BUFF, and the flow of its downlink PDR sends packets
 * here. The first one is reported to the S-GW (Session Report Request, downlink data), once, after
 * the delay that a BAR may ask for; then the network pages the phone. When the FAR says FORW again
 * the packets go out, oldest first, before the flow is changed:
 *
 *     PACKET_OUT, PACKET_OUT, ...   BARRIER   FLOW_MOD (forward)   BARRIER   the PFCP answer
 *
 * What the switch sent here before the flow changed and that arrives after, is sent on at once
 * (up.c); it can be overtaken by packets that already take the flow, which is as much order as
 * there is without holding packets in the switch.
 *
 * Everything is bounded: packets and bytes of a session, bytes of all. A session whose buffer is
 * full is *clamped*: a drop flow one priority higher, which goes away by itself after some seconds,
 * silences it in the switch. So a flood to one sleeping phone costs the controller a buffer's worth
 * of packets, then one packet per clamp time; a meter bounds all phones together.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/up.h"

#define KEEP_MS \
    30000 /* a phone that has not come by then will not: the packets are of no use any more */
#define DELAY_UNIT_MS 50 /* of Downlink Data Notification Delay (clause 8.2.28) */

struct packet {
    struct packet *next;
    uint16_t pdr_id;
    uint16_t size;
    uint8_t bytes[];
};

struct up_buffer {
    struct packet *first, **last;
    uint32_t session;
    uint32_t count;
    size_t bytes;
    bool is_reported;
    uint16_t reported_pdr;
    uint64_t clamped_until_ms; /* 0: not clamped */
    struct timer delay;        /* until the report is sent */
    struct timer expiry;       /* of the packets */
};

static void drop_packets(struct up_buffer *buffer)
{
    while (buffer->first) {
        struct packet *packet = buffer->first;
        buffer->first = packet->next;
        free(packet);
        up_count(UP_BUFFER_DROPS);
    }
    up.metrics[UP_BUFFER_BYTES].value -= buffer->bytes;
    buffer->last = &buffer->first;
    buffer->count = 0;
    buffer->bytes = 0;
}

/* ---- the clamp ---- */

static void send_clamp(struct up_session *session, struct up_buffer *buffer)
{
    struct up_flow *flows = up.scratch[0];
    int count = up.sw ? up_flows_of(&up.env, &up.view, session->rules, flows) : 0;
    uint32_t seconds = (up.config->buffer.clamp_ms + 999) / 1000;

    if (loop_now_ms() < buffer->clamped_until_ms || seconds == 0)
        return;
    for (int i = 0; i < count; i++) {
        struct of_message m = {.type = OFPT_FLOW_MOD};
        struct up_flow_space space;
        struct up_flow drop = {up_clamp_of(&flows[i].match), {.kind = UP_DROP}};
        if (flows[i].action.kind != UP_TO_CONTROLLER ||
            flows[i].match.priority == UP_PRIORITY_CONTROL)
            continue;
        up_flow_mod(&up.view, &drop, OFPFC_ADD,
                    up_cookie(up.epoch, UP_COOKIE_CLAMP, buffer->session), &m.flow_mod, &space);
        m.flow_mod.hard_timeout = (uint16_t)seconds;
        m.xid = openflow_channel_xid(up.sw->channel);
        switch_send(up.sw, &m);
        up_count(UP_FLOW_MODS);
    }
    buffer->clamped_until_ms = loop_now_ms() + (uint64_t)seconds * 1000;
    up_count(UP_CLAMPS);
}

static void lift_clamp(const struct up_buffer *buffer)
{
    struct of_message m = {
        .type = OFPT_FLOW_MOD,
        .flow_mod = {.cookie = up_cookie(up.epoch, UP_COOKIE_CLAMP, buffer->session),
                     .cookie_mask = UINT64_MAX,
                     .table_id = OFPTT_ALL,
                     .command = OFPFC_DELETE,
                     .buffer_id = OFP_NO_BUFFER,
                     .out_port = OFPP_ANY,
                     .out_group = OFPG_ANY}};

    if (buffer->clamped_until_ms == 0 || !up.sw)
        return;
    m.xid = openflow_channel_xid(up.sw->channel);
    switch_send(up.sw, &m);
    up_count(UP_FLOW_MODS);
}

/* ---- reporting ---- */

static void delay_over(struct timer *timer)
{
    struct up_buffer *buffer = container_of(timer, struct up_buffer, delay);

    up_report_downlink_data(buffer->session, buffer->reported_pdr);
}

static void report(struct up_session *session, struct up_buffer *buffer, const struct up_pdr *pdr)
{
    const struct up_far *far = up_pdr_far(session->rules, pdr);
    uint32_t delay_ms = session->rules->bar.delay * DELAY_UNIT_MS;

    if (buffer->is_reported || !far || !(far->action & PFCP_APPLY_NOCP))
        return;
    buffer->is_reported = true;
    buffer->reported_pdr = pdr->id;
    if (delay_ms > 0)
        timer_start(&buffer->delay, delay_ms, delay_over);
    else
        up_report_downlink_data(buffer->session, pdr->id);
}

void up_buffer_reported(uint32_t id, int error, bool drop)
{
    struct up_session *session = up_session_get(id);

    if (!session || !session->buffer)
        return;
    if (drop)
        drop_packets(session->buffer);
    /* Nobody knows of the packets: the next one tries again. */
    if (error < 0)
        session->buffer->is_reported = false;
}

/* ---- packets come ---- */

static void too_old(struct timer *timer)
{
    struct up_buffer *buffer = container_of(timer, struct up_buffer, expiry);
    struct up_session *session = up_session_get(buffer->session);

    drop_packets(buffer);
    if (session)
        up_buffer_free(session);
}

static struct up_buffer *buffer_of(uint32_t id, struct up_session *session)
{
    struct up_buffer *buffer = session->buffer;

    if (buffer)
        return buffer;
    if (!(buffer = calloc(1, sizeof(*buffer))))
        return NULL;
    buffer->session = id;
    buffer->last = &buffer->first;
    session->buffer = buffer;
    timer_start(&buffer->expiry, KEEP_MS, too_old);
    return buffer;
}

static bool has_space(const struct up_session *session, const struct up_buffer *buffer, size_t size)
{
    uint32_t packets =
        session->rules->bar.packets ? session->rules->bar.packets : up.config->buffer.packets;

    return buffer->count < packets && buffer->bytes + size <= up.config->buffer.bytes &&
           up.metrics[UP_BUFFER_BYTES].value + size <= up.config->buffer.total;
}

void up_buffer_add(uint32_t id, struct up_session *session, const struct up_pdr *pdr,
                   struct bytes frame)
{
    struct up_buffer *buffer = buffer_of(id, session);
    struct packet *packet = NULL;

    if (buffer && frame.len <= UINT16_MAX && has_space(session, buffer, frame.len))
        packet = malloc(sizeof(*packet) + frame.len);
    if (packet) {
        packet->next = NULL;
        packet->pdr_id = pdr->id;
        packet->size = (uint16_t)frame.len;
        memcpy(packet->bytes, frame.at, frame.len);
        *buffer->last = packet;
        buffer->last = &packet->next;
        buffer->count++;
        buffer->bytes += frame.len;
        up.metrics[UP_BUFFER_BYTES].value += frame.len;
        up_count(UP_BUFFERED);
    } else {
        up_count(UP_BUFFER_DROPS);
    }
    if (!buffer)
        return;
    if (!has_space(session, buffer, 1))
        send_clamp(session, buffer);
    report(session, buffer, pdr);
}

/* ---- the rules change ---- */

static bool still_buffers(const struct up_rules *rules)
{
    for (unsigned i = 0; i < rules->far_count; i++)
        if (rules->fars[i].action & PFCP_APPLY_BUFF)
            return true;
    return false;
}

unsigned up_buffer_review(uint32_t id, struct up_session *session, bool drop_all)
{
    struct up_buffer *buffer = session->buffer;
    unsigned sent = 0;

    if (!buffer)
        return 0;
    if (drop_all)
        drop_packets(buffer);
    struct packet *waiting = buffer->first;
    buffer->first = NULL;
    buffer->last = &buffer->first;
    const struct up_pdr *unreported = NULL;
    while (waiting) {
        struct packet *packet = waiting;
        waiting = packet->next;
        const struct up_pdr *pdr = up_pdr_of(session->rules, packet->pdr_id);
        const struct up_far *far = pdr ? up_pdr_far(session->rules, pdr) : NULL;
        if (far && far->action & PFCP_APPLY_BUFF) {
            packet->next = NULL;
            *buffer->last = packet;
            buffer->last = &packet->next;
            unreported = pdr;
            continue;
        }
        buffer->count--;
        buffer->bytes -= packet->size;
        up.metrics[UP_BUFFER_BYTES].value -= packet->size;
        if (far && far->action & PFCP_APPLY_FORW) {
            up_forward(id, session, pdr, bytes_of(packet->bytes, packet->size));
            up_count(UP_BUFFER_SENT);
            sent++;
        } else {
            up_count(UP_BUFFER_DROPS);
        }
        free(packet);
    }
    if (unreported)
        report(session, buffer, unreported);
    /* Dropped on demand while the phone still sleeps: the next packet is news again, but a clamp
     * stays. */
    if (buffer->count == 0 && (drop_all || !still_buffers(session->rules))) {
        if (still_buffers(session->rules))
            buffer->clamped_until_ms = 0;
        up_buffer_free(session);
    }
    return sent;
}

void up_buffer_free(struct up_session *session)
{
    struct up_buffer *buffer = session->buffer;

    if (!buffer)
        return;
    session->buffer = NULL;
    drop_packets(buffer);
    lift_clamp(buffer);
    timer_stop(&buffer->delay);
    timer_stop(&buffer->expiry);
    free(buffer);
}

uint32_t up_buffer_count(const struct up_session *session, size_t *bytes)
{
    *bytes = session->buffer ? session->buffer->bytes : 0;
    return session->buffer ? session->buffer->count : 0;
}
