/*
 * forward.c -- packets that the controller itself sends on their way: those that waited for a
 * sleeping phone, those that came late, and its own. They go as the rules say, by the same steps as
 * in the switch (flows.h), and leave it by PACKET_OUT.
 */
#include "controller/up.h"

#define MAX_HOPS 2 /* P-GW, then S-GW */

void up_packet_out(const struct of_action *actions, size_t count, struct bytes frame)
{
    struct of_message m = {
        .type = OFPT_PACKET_OUT,
        .packet_out = {.buffer_id = OFP_NO_BUFFER,
                       .in_port = OFPP_CONTROLLER,
                       .actions = {(struct of_action *)(uintptr_t)actions, count},
                       .data = frame}};

    if (!up.sw)
        return;
    m.xid = openflow_channel_xid(up.sw->channel);
    switch_send(up.sw, &m);
}

static void out_of_tunnel(const struct up_far *far, struct bytes frame)
{
    struct of_action actions[] = {of_set_field(OF_TUNNEL_ID, far->teid),
                                  of_set_field_bytes(OF_TUN_DST, &far->address),
                                  of_output(up.view.gtpu_port)};

    up_packet_out(actions, 3, frame);
}

static void out_of_exit(uint8_t number, struct bytes frame)
{
    const struct up_exit *exit = number < UP_MAX_EXITS ? &up_exits[number] : NULL;
    struct of_action actions[3];
    size_t n = 0;

    if (!exit || !exit->has_port)
        return;
    if (up.config->sgi.at[number].ethernet) {
        if (!exit->knows_next_hop)
            return;
        actions[n++] = of_set_field_bytes(OF_ETH_SRC, exit->mac);
        actions[n++] = of_set_field_bytes(OF_ETH_DST, exit->next_hop);
    }
    actions[n++] = of_output(exit->port);
    up_packet_out(actions, n, frame);
}

static void forward(uint32_t id, const struct up_session *session, const struct up_pdr *pdr,
                    struct bytes frame, unsigned hops);

/* On to the other gateway: the session that has this TEID. */
static void to_local(uint32_t teid, struct bytes frame, unsigned hops)
{
    uint32_t id = up_teid_owner(&up.teids, teid);
    struct up_session *session = id ? up_session_get(id) : NULL;
    struct net_packet packet;

    if (!session || hops == MAX_HOPS || net_read_frame(frame, &packet) < 0)
        return;
    for (unsigned i = 0; i < session->rules->pdr_count; i++) {
        const struct up_pdr *pdr = &session->rules->pdrs[i];
        if (up_pdr_matches(session->rules, pdr, teid, &packet)) {
            forward(id, session, pdr, frame, hops + 1);
            return;
        }
    }
}

static void forward(uint32_t id, const struct up_session *session, const struct up_pdr *pdr,
                    struct bytes frame, unsigned hops)
{
    const struct up_far *far = up_pdr_far(session->rules, pdr);

    if (!far || far->action & PFCP_APPLY_DROP)
        return;
    if (far->action & PFCP_APPLY_BUFF)
        up_buffer_add(id, pool_get(&up.sessions, id), pdr, frame);
    else if (!far->has_outer)
        out_of_exit(up_exit_of(&up.env, pdr, far), frame);
    else if (far->address.s_addr == up.env.address.s_addr)
        to_local(far->teid, frame, hops);
    else
        out_of_tunnel(far, frame);
}

void up_forward(uint32_t session_id, const struct up_session *session, const struct up_pdr *pdr,
                struct bytes frame)
{
    forward(session_id, session, pdr, frame, 0);
}

void up_send_downlink(uint32_t session_id, const struct up_session *session, struct bytes frame)
{
    for (unsigned i = 0; i < session->rules->pdr_count; i++) {
        const struct up_pdr *pdr = &session->rules->pdrs[i];
        /* The packet is not one that came from outside, so only the direction counts, not addresses
         * or filters. */
        if (!pdr->has_teid && !up_pdr_is_uplink(pdr) && pdr->has_ue6) {
            forward(session_id, session, pdr, frame, 0);
            return;
        }
    }
}
