/*
 * pipeline.c -- the flows and meters that are there whatever the sessions: from ports to tables,
 * from exits to the world, and what comes to the controller, which is always behind a meter.
 * flows.h has the tables.
 */
#include "controller/up.h"

#define PACKETS_CONTROL 2000 /* per second: neighbour discovery and GTP-U signalling */
#define PACKETS_UNKNOWN 200  /* per second: packets of unknown tunnels */

static void begin(struct up_fixed_flow *flow, uint32_t number, uint8_t table, uint16_t priority)
{
    *flow = (struct up_fixed_flow){.number = number};
    flow->mod = (struct of_flow_mod){.cookie = up_cookie(up.epoch, UP_COOKIE_FIXED, number),
                                     .table_id = table,
                                     .command = OFPFC_ADD,
                                     .priority = priority,
                                     .buffer_id = OFP_NO_BUFFER,
                                     .out_port = OFPP_ANY,
                                     .out_group = OFPG_ANY};
}

/* The list of instructions is finished by the caller's own place of the struct: see
 * up_fixed_flow(). */
static void instruct(struct up_fixed_flow *flow, struct of_instruction instruction)
{
    flow->instructions[flow->mod.instructions.count++] = instruction;
}

static void to_controller(struct up_fixed_flow *flow, uint32_t meter)
{
    if (up.view.has_meters)
        instruct(flow, (struct of_instruction){.type = OFPIT_METER, .meter_id = meter});
    flow->actions[0] = of_output(OFPP_CONTROLLER);
    instruct(flow, (struct of_instruction){.type = OFPIT_APPLY_ACTIONS, .actions = {NULL, 1}});
}

static bool tunnel_flow(unsigned index, struct up_fixed_flow *flow)
{
    switch (index) {
    case 0:
        if (!up.has_signal_port)
            return false;
        begin(flow, UP_FIXED_SIGNAL, UP_TABLE_INGRESS, UP_PRIORITY_PORT);
        of_match_set(&flow->mod.match, OF_IN_PORT, up.signal_port);
        to_controller(flow, UP_METER_CONTROL);
        return true;
    case 1:
        begin(flow, UP_FIXED_UNKNOWN_TUNNEL, UP_TABLE_INGRESS, UP_PRIORITY_MISS);
        of_match_set(&flow->mod.match, OF_IN_PORT, up.view.gtpu_port);
        to_controller(flow, UP_METER_UNKNOWN);
        return true;
    default:
        begin(flow, UP_FIXED_LOCAL_MISS, UP_TABLE_LOCAL, UP_PRIORITY_MISS);
        to_controller(flow, UP_METER_UNKNOWN);
        return true;
    }
}

/* Into the pipeline: on Ethernet, only what is sent to us. */
static bool exit_in(const struct up_exit *exit, bool ethernet, struct up_fixed_flow *flow)
{
    of_match_set(&flow->mod.match, OF_IN_PORT, exit->port);
    if (ethernet)
        of_match_set_bytes(&flow->mod.match, OF_ETH_DST, exit->mac, NULL);
    instruct(flow,
             (struct of_instruction){.type = OFPIT_GOTO_TABLE, .table_id = UP_TABLE_DOWNLINK});
    return true;
}

static bool exit_neighbours(const struct up_exit *exit, enum up_fixed_exit what, bool ethernet,
                            struct up_fixed_flow *flow)
{
    if (!ethernet)
        return false;
    of_match_set(&flow->mod.match, OF_IN_PORT, exit->port);
    if (what == UP_EXIT_ARP) {
        of_match_set(&flow->mod.match, OF_ETH_TYPE, ETH_TYPE_ARP);
    } else {
        of_match_set(&flow->mod.match, OF_ETH_TYPE, ETH_TYPE_IPV6);
        of_match_set(&flow->mod.match, OF_IP_PROTO, IP_ICMPV6);
        of_match_set(&flow->mod.match, OF_ICMPV6_TYPE,
                     what == UP_EXIT_SOLICITATION ? ICMPV6_NEIGHBOUR_SOLICITATION
                                                  : ICMPV6_NEIGHBOUR_ADVERTISEMENT);
    }
    to_controller(flow, UP_METER_CONTROL);
    return true;
}

/* Out: a router's last steps (RFC 1812): one hop less to live, and the next hop's address. */
static bool exit_out(const struct up_exit *exit, uint16_t eth_type, bool ethernet,
                     struct up_fixed_flow *flow)
{
    size_t n = 0;

    if (ethernet && !exit->knows_next_hop)
        return false;
    of_match_set(&flow->mod.match, OF_ETH_TYPE, eth_type);
    flow->actions[n++] = (struct of_action){.type = OFPAT_DEC_NW_TTL};
    if (ethernet) {
        flow->actions[n++] = of_set_field_bytes(OF_ETH_SRC, exit->mac);
        flow->actions[n++] = of_set_field_bytes(OF_ETH_DST, exit->next_hop);
    }
    flow->actions[n++] = of_output(exit->port);
    instruct(flow, (struct of_instruction){.type = OFPIT_APPLY_ACTIONS, .actions = {NULL, n}});
    return true;
}

static bool exit_flow(unsigned number, enum up_fixed_exit what, struct up_fixed_flow *flow)
{
    const struct up_exit *exit = &up_exits[number];
    bool ethernet = up.config->sgi.at[number].ethernet;
    bool is_out = what >= UP_EXIT_OUT4;
    uint16_t priority = what == UP_EXIT_IN || is_out ? UP_PRIORITY_PORT : UP_PRIORITY_CONTROL;

    if (!exit->has_port)
        return false;
    begin(flow, UP_FIXED_EXIT + 16 * number + what,
          is_out ? (uint8_t)(UP_TABLE_EXIT + number) : UP_TABLE_INGRESS, priority);
    if (what == UP_EXIT_IN)
        return exit_in(exit, ethernet, flow);
    if (is_out)
        return exit_out(exit, what == UP_EXIT_OUT4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6, ethernet, flow);
    return exit_neighbours(exit, what, ethernet, flow);
}

#define TUNNEL_FLOWS 3
#define EXIT_FLOWS   (UP_EXIT_OUT6 + 1)

/* Places of the list that do not apply now are empty: number 0. */
bool up_fixed_flow(unsigned index, struct up_fixed_flow *flow)
{
    bool exists;

    if (index < TUNNEL_FLOWS)
        exists = tunnel_flow(index, flow);
    else if ((index - TUNNEL_FLOWS) / EXIT_FLOWS < up.config->sgi.count)
        exists = exit_flow((index - TUNNEL_FLOWS) / EXIT_FLOWS, (index - TUNNEL_FLOWS) % EXIT_FLOWS,
                           flow);
    else
        return false;
    if (!exists) {
        flow->number = 0;
        return true;
    }
    flow->mod.instructions.at = flow->instructions;
    for (size_t i = 0; i < flow->mod.instructions.count; i++)
        if (flow->instructions[i].type == OFPIT_APPLY_ACTIONS)
            flow->instructions[i].actions.at = flow->actions;
    return true;
}

void up_send_fixed_flows(void)
{
    struct up_fixed_flow flow;

    for (unsigned i = 0; up.sw && up_fixed_flow(i, &flow); i++) {
        if (flow.number == 0)
            continue;
        struct of_message m = {.type = OFPT_FLOW_MOD, .xid = openflow_channel_xid(up.sw->channel)};
        m.flow_mod = flow.mod;
        switch_send(up.sw, &m);
        up_count(UP_FLOW_MODS);
    }
}

bool up_fixed_meter(uint32_t id, uint32_t *rate, uint16_t *flags)
{
    *flags = OFPMF_PKTPS;
    *rate = id == UP_METER_BUFFERED  ? up.config->buffer.packet_rate
            : id == UP_METER_CONTROL ? PACKETS_CONTROL
                                     : PACKETS_UNKNOWN;
    return id >= UP_METER_BUFFERED && id <= UP_METER_UNKNOWN;
}
